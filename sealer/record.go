package sealer

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/ledger"
	"yinxin/internal/store"
	"yinxin/sealer/register"
)

// intent is a sealing that was decided and not yet released.
type intent struct {
	id       string
	actor    access.Actor
	order    Order
	instance register.Instance
	plan     *Plan
	grant    string
	details  Details
	scan     string // of the document, to be stored with the intent
	until    time.Time

	received *Document // comes with the order, and is recorded with the intent
	content  []byte    // of received, if it is stored with the result only
}

// errTaken says within this room that an idempotency key is in use.
var errTaken = errors.New("sealer: the idempotency key is in use")

// keyTaken reports whether an order of the actor's with this key is under way or was released.
func keyTaken(ctx context.Context, q store.Querier, by access.Actor, key string) (bool, error) {
	var n int
	err := q.QueryRowContext(ctx, `SELECT COUNT(*) FROM sealing WHERE caller = $1 AND idempotency_key = $2 AND state IN ('intended', 'released')`, by.ID, key).Scan(&n)
	return n > 0, err
}

// recordIntent writes what is going to be signed, together with the idempotency key and the counted use, in one
// transaction; job, if not nil, is kept beside it. A key in use is errTaken or a unique violation (store.IsUnique).
func (s *Service) recordIntent(ctx context.Context, i *intent, lease time.Duration, job *frozenJob) error {
	now := s.Clock()
	details, err := json.Marshal(i.details)
	if err != nil {
		return err
	}
	sandbox := 0
	if i.order.sandbox {
		sandbox = 1
	}
	return s.DB.Write(ctx, func(tx *store.Tx) error {
		// Asked before the grant, whose last use may be that of the other order with this key.
		if taken, err := keyTaken(ctx, tx, i.actor, i.order.IdempotencyKey); err != nil {
			return err
		} else if taken {
			return errTaken
		}
		grant, err := s.Register.Use(ctx, tx, i.actor, i.order.Seal, i.instance.ID)
		if err != nil {
			return err
		}
		i.grant, i.until = grant, now.Add(lease)
		if i.received != nil {
			if err := s.recordReceived(ctx, tx, i.actor, *i.received, i.scan); err != nil {
				return err
			}
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO sealing (id, caller, idempotency_key, request_digest, document_id, seal_code,
			instance_id, grant_id, signing_time, data_hash, byte_range, state, intended_at, lease_until, details, sandbox)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'intended', $12, $13, $14, $15)`,
			i.id, i.actor.ID, i.order.IdempotencyKey, i.order.digest(), i.order.Document, i.order.Seal, i.instance.ID, grant,
			store.Time(i.plan.time), i.plan.DataHash(), i.plan.update.Property(), store.Time(now), store.Time(i.until), string(details), sandbox); err != nil {
			return err
		}
		if i.received == nil {
			if err := storeScan(ctx, tx, i.order.Document, i.scan); err != nil {
				return err
			}
		}
		if job != nil {
			if err := job.insert(ctx, tx, i.id); err != nil {
				return err
			}
		}
		data := map[string]string{"seal": i.order.Seal, "instance": i.instance.ID, "document": i.order.Document, "profile": string(i.order.Profile),
			"data_hash": i.plan.DataHash(), "byte_range": i.plan.update.Property(), "time": store.Time(i.plan.time)}
		i.mark(data)
		_, err = s.Ledger.Append(ctx, tx, ledger.Event{Time: now, Kind: "sealing.intended", Actor: i.actor.ID, Subject: i.id, Data: data})
		return err
	})
}

// mark says in the ledger that something was sealed for trial.
func (i intent) mark(data map[string]string) {
	if i.order.sandbox {
		data["sandbox"] = "true"
	}
}

// recordResult releases: only an intent that nobody abandoned can become a result.
func (s *Service) recordResult(ctx context.Context, i intent, d Document) error {
	return s.DB.Write(ctx, func(tx *store.Tx) error {
		if i.content != nil {
			p := part{object: d.parts[0].object, size: i.received.Size, begins: true}
			if err := insertPart(ctx, tx, i.received.ID, 0, p); err != nil {
				return err
			}
		}
		if err := insertDocument(ctx, tx, d, i.actor.Organisation, ""); err != nil {
			return err
		}
		done, err := tx.ExecContext(ctx, `UPDATE sealing SET state = 'released', result_id = $2, finished_at = $3
			WHERE id = $1 AND state = 'intended'`, i.id, d.ID, store.Time(d.CreatedAt))
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil {
			return err
		} else if n != 1 {
			return errAbandoned.New()
		}
		data := map[string]string{"seal": i.order.Seal, "result": d.ID, "sm3": d.SM3}
		i.mark(data)
		if s.Released != nil {
			if err := s.Released(ctx, tx, i.actor.ID, i.id, data); err != nil {
				return err
			}
		}
		_, err = s.Ledger.Append(ctx, tx, ledger.Event{Time: d.CreatedAt, Kind: "sealing.released", Actor: i.actor.ID, Subject: i.id, Data: data})
		return err
	})
}

// recordFailure closes an intent that led to nothing, gives the counted use back, and returns the reason.
func (s *Service) recordFailure(ctx context.Context, i intent, reason error) error {
	_, err := s.close(context.WithoutCancel(ctx), i.id, i.grant, i.actor.ID, "failed", fault.CodeOf(reason))
	if err != nil {
		return errors.Join(reason, err)
	}
	return reason
}

// close ends an open intent without a result. It says whether the intent was still open.
func (s *Service) close(ctx context.Context, id, grant, actor, state, code string) (ended bool, err error) {
	now := s.Clock()
	err = s.DB.Write(ctx, func(tx *store.Tx) error {
		ended = false
		var sandbox int
		var seal string
		err := tx.QueryRowContext(ctx, `UPDATE sealing SET state = $2, failure = $3, finished_at = $4 WHERE id = $1 AND state = 'intended'
			RETURNING sandbox, seal_code`, id, state, code, store.Time(now)).Scan(&sandbox, &seal)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		ended = true
		if sandbox == 0 { // else nothing was counted
			if err := s.Register.GiveBack(ctx, tx, grant); err != nil {
				return err
			}
		}
		_, err = s.Ledger.Append(ctx, tx, ledger.Event{Time: now, Kind: "sealing." + state, Actor: actor, Subject: id,
			Data: map[string]string{"seal": seal, "code": code}})
		return err
	})
	return ended && err == nil, err
}

// replay looks for an earlier order with the same key: its result, or a refusal. An intent whose lease ran out is
// abandoned here, and the key is free again.
func (s *Service) replay(ctx context.Context, by access.Actor, o Order) (Sealed, bool, error) {
	var id, digest, state, grant, lease string
	err := s.DB.Read().QueryRowContext(ctx, `SELECT id, request_digest, state, grant_id, lease_until
		FROM sealing WHERE caller = $1 AND idempotency_key = $2 AND state IN ('intended', 'released')`, by.ID, o.IdempotencyKey).
		Scan(&id, &digest, &state, &grant, &lease)
	if errors.Is(err, sql.ErrNoRows) {
		return Sealed{}, false, nil
	}
	if err != nil {
		return Sealed{}, false, err
	}
	if digest != o.digest() {
		return Sealed{}, true, errKeyReused.New()
	}
	if state == "intended" {
		if lease > store.Time(s.Clock()) {
			return Sealed{}, true, errInProgress.New()
		}
		_, err := s.close(ctx, id, grant, by.ID, "abandoned", "lease")
		return Sealed{}, false, err
	}
	sealed, err := s.result(ctx, by, id)
	return sealed, true, err
}

// result gives the stored result of a sealing that was released.
func (s *Service) result(ctx context.Context, by access.Actor, id string) (Sealed, error) {
	sealed := Sealed{ID: id, Replayed: true}
	var signed, details string
	var document sql.NullString
	err := s.DB.Read().QueryRowContext(ctx, `SELECT seal_code, signing_time, byte_range, details, result_id FROM sealing
		WHERE id = $1 AND state = 'released'`, id).Scan(&sealed.Seal, &signed, &sealed.ByteRange, &details, &document)
	if err != nil {
		return Sealed{}, err
	}
	if details != "" {
		if err := json.Unmarshal([]byte(details), &sealed.Details); err != nil {
			return Sealed{}, err
		}
	}
	if sealed.Document, err = s.Document(ctx, by, document.String); err != nil {
		return Sealed{}, err
	}
	sealed.Time, err = store.ParseTime(signed)
	return sealed, err
}

// Recover abandons the intents of processes that died: those whose lease ran out. It says how many.
func (s *Service) Recover(ctx context.Context) (abandoned int, err error) {
	rows, err := s.DB.Read().QueryContext(ctx, `SELECT id, grant_id, caller FROM sealing WHERE state = 'intended' AND lease_until <= $1`,
		store.Time(s.Clock()))
	if err != nil {
		return 0, err
	}
	var open [][3]string
	for rows.Next() {
		var r [3]string
		if err := rows.Scan(&r[0], &r[1], &r[2]); err != nil {
			rows.Close()
			return 0, err
		}
		open = append(open, r)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return 0, err
	}
	for _, r := range open {
		ended, err := s.close(ctx, r[0], r[1], r[2], "abandoned", "lease")
		if err != nil {
			return abandoned, err
		}
		if ended {
			abandoned++
		}
	}
	return abandoned, s.meltEnded(ctx)
}

// Recorded is a sealing as it is on record, whatever became of it.
type Recorded struct {
	ID       string
	Caller   string // who had it sealed
	Seal     string
	Grant    string // that allowed it
	Document string
	State    string // intended, released, failed, abandoned
	Failure  string // code, when it failed or was abandoned
	Result   string // the sealed document, when it was released
	Time     time.Time
	Intended time.Time
	Finished time.Time // zero while it is under way
	Details  Details   // what it did, or was to do

	Name             string // of the document
	Original, Sealed string // SM3 of the document and of the result, in hex; the second is empty where there is none
}

// SM3 is the digest of the sealed document, or of the original where there is none, in hex.
func (r Recorded) SM3() string { return cmp.Or(r.Sealed, r.Original) }

// Recorded gives a sealing of the actor's, or any to an auditor. Error: sealing.not-found.
func (s *Service) Recorded(ctx context.Context, by access.Actor, id string) (Recorded, error) {
	r := Recorded{ID: id}
	var signed, intended, details string
	var result, finished sql.NullString
	err := s.DB.Read().QueryRowContext(ctx, `SELECT s.caller, s.seal_code, s.grant_id, s.document_id, s.state, s.failure, s.result_id, s.signing_time, s.intended_at,
		s.finished_at, s.details, d.name, d.sm3, COALESCE(r.sm3, '') FROM sealing s JOIN document d ON d.id = s.document_id LEFT JOIN document r ON r.id = s.result_id WHERE s.id = $1`, id).
		Scan(&r.Caller, &r.Seal, &r.Grant, &r.Document, &r.State, &r.Failure, &result, &signed, &intended, &finished, &details, &r.Name, &r.Original, &r.Sealed)
	if errors.Is(err, sql.ErrNoRows) || err == nil && r.Caller != by.ID && !by.Has(access.RoleAuditor) {
		return Recorded{}, errNoSealing.New()
	}
	if err != nil {
		return Recorded{}, err
	}
	r.Result = result.String
	if details != "" {
		if err := json.Unmarshal([]byte(details), &r.Details); err != nil {
			return Recorded{}, err
		}
	}
	return r, r.times(signed, intended, finished.String)
}
