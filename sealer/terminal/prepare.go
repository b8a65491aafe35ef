package terminal

import (
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"time"

	"github.com/emmansun/gmsm/sm3"

	"yinxin/internal/fault"
	"yinxin/internal/store"
	"yinxin/sealer"
	"yinxin/sealer/terminal/manifest"
)

// job is a sealing that was prepared for a terminal.
type job struct {
	id, item, terminal string
	nonce              []byte
	issued, expires    time.Time
	state              string
	signature          []byte
}

// The states of a job in the database.
const (
	jobPrepared   = "prepared"
	jobConsumed   = "consumed" // its signature was taken
	jobSealed     = "sealed"
	jobFailed     = "failed"
	jobDiscarding = "discarding" // given up here, and to be discarded by the sealer
)

const jobColumns = `id, item, terminal, nonce, issued, expires, state, signature`

func scanJob(scan func(...any) error) (job, error) {
	var j job
	var issued, expires string
	if err := scan(&j.id, &j.item, &j.terminal, &j.nonce, &issued, &expires, &j.state, &j.signature); err != nil {
		return j, err
	}
	return j, errors.Join(parseTime(issued, &j.issued), parseTime(expires, &j.expires))
}

// Prepare has an item of a task that the terminal has claimed prepared, and gives the signed manifest. While a manifest holds
// manifest.RenewBefore more it is given again; after that, and for another terminal, the item is prepared anew and the old manifest is
// worth nothing. What keeps the item from being sealed at all makes it failed. Errors: terminal.no-task, terminal.task-ended,
// terminal.not-claimed, terminal.no-item, terminal.item-ended, terminal.consumed, terminal.key-ended, terminal.no-manifest, those of sealer.Prepare.
func (s *Service) Prepare(ctx context.Context, at Terminal, task, item string) (manifest.Envelope, error) {
	if err := at.seals(); err != nil {
		return manifest.Envelope{}, err
	}
	key, err := s.signer(ctx, at)
	if err != nil {
		return manifest.Envelope{}, err
	}
	w, err := s.open(ctx, s.DB.Read(), at, task, item)
	if err != nil {
		return manifest.Envelope{}, err
	}
	j, prepared, err := s.current(ctx, at, w)
	if err == nil && j == nil {
		j, prepared, err = s.anew(ctx, at, w)
	}
	if err != nil {
		return manifest.Envelope{}, s.failItem(ctx, at, w.item.ID, err)
	}
	m, err := s.manifest(ctx, at, w, *j, prepared)
	if err != nil {
		return manifest.Envelope{}, err
	}
	e, err := manifest.Sign(ctx, key, m)
	if fault.Has(err, manifest.ErrForged) {
		f, _ := fault.Of(err)
		return e, s.failItem(ctx, at, w.item.ID, errManifest.At(f.Place))
	}
	return e, err
}

// work is an open item of a claimed task.
type work struct {
	task Task
	item Item
}

// open reads an item that a terminal may work on.
func (s *Service) open(ctx context.Context, q store.Querier, at Terminal, task, item string) (work, error) {
	var w work
	var err error
	if w.task, err = s.readTask(ctx, q, at.Clerk, task); err != nil {
		return w, err
	}
	now := s.Clock()
	if err := w.task.running(now); err != nil {
		return w, err
	}
	if w.task.ClaimedBy != at.ID || !now.Before(w.task.ClaimedUntil) {
		return w, errNotClaimed.New()
	}
	w.item, err = scanItem(q.QueryRowContext(ctx, `SELECT `+itemColumns+` FROM terminal_item WHERE id = $1 AND task = $2`, item, task).Scan)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return w, errNoItem.With("%.64q", item)
	case err == nil && !w.item.State.Open():
		return w, errItemEnded.With("%s", w.item.State)
	}
	return w, err
}

// current gives the job of an item that can go on as it is; nil, when one has to be prepared.
func (s *Service) current(ctx context.Context, at Terminal, w work) (*job, sealer.Job, error) {
	if err := s.discardOf(ctx, w.item.ID); err != nil {
		return nil, sealer.Job{}, err
	}
	j, err := scanJob(s.DB.Read().QueryRowContext(ctx, `SELECT `+jobColumns+` FROM terminal_job WHERE item = $1 AND state IN ('prepared', 'consumed', 'sealed')`, w.item.ID).Scan)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, sealer.Job{}, nil
	case err != nil:
		return nil, sealer.Job{}, err
	case j.state != jobPrepared:
		return nil, sealer.Job{}, errConsumed.New()
	}
	if j.terminal == at.ID && s.Clock().Add(manifest.RenewBefore).Before(j.expires) {
		prepared, err := s.Sealer.Job(ctx, at.Clerk, j.id)
		if err == nil {
			return &j, prepared, nil
		}
		if ctx.Err() != nil {
			return nil, prepared, err
		}
	}
	given := int64(0)
	err = s.DB.Write(ctx, func(tx *store.Tx) error {
		done, err := tx.ExecContext(ctx, `UPDATE terminal_job SET state = 'discarding' WHERE id = $1 AND state = 'prepared'`, j.id)
		if err != nil {
			return err
		}
		given, err = done.RowsAffected()
		return err
	})
	if err != nil {
		return nil, sealer.Job{}, err
	}
	if given == 0 { // a signature came meanwhile
		return nil, sealer.Job{}, errConsumed.New()
	}
	return nil, sealer.Job{}, s.discardOf(ctx, w.item.ID)
}

// anew prepares an item. Its sealings share one idempotency key, so that there is one at a time and one result at most.
func (s *Service) anew(ctx context.Context, at Terminal, w work) (*job, sealer.Job, error) {
	var order sealer.Order
	if err := json.Unmarshal([]byte(w.item.order), &order); err != nil {
		return nil, sealer.Job{}, err
	}
	order.IdempotencyKey = "terminal:" + w.item.ID
	nonce := make([]byte, 32)
	if _, err := io.ReadFull(s.Random, nonce); err != nil {
		return nil, sealer.Job{}, err
	}
	var j job
	prepared, err := s.Sealer.PrepareOwn(ctx, at.Clerk, order, func(ctx context.Context, tx *store.Tx, p sealer.Job) error {
		if _, err := s.open(ctx, tx, at, w.task.ID, w.item.ID); err != nil { // it may have been cancelled meanwhile
			return err
		}
		issued := s.Clock().UTC().Truncate(time.Second)
		expires := p.Expires.UTC().Truncate(time.Second)
		if latest := issued.Add(manifest.Life); expires.After(latest) {
			expires = latest
		}
		j = job{id: p.ID, item: w.item.ID, terminal: at.ID, nonce: nonce, issued: issued, expires: expires, state: jobPrepared}
		return s.recordPrepared(ctx, tx, at, w, j)
	})
	if err != nil {
		return nil, prepared, err
	}
	return &j, prepared, nil
}

func (s *Service) recordPrepared(ctx context.Context, tx *store.Tx, at Terminal, w work, j job) error {
	if _, err := tx.ExecContext(ctx, `INSERT INTO terminal_job (id, item, terminal, nonce, issued, expires, state, signature) VALUES ($1, $2, $3, $4, $5, $6, 'prepared', $7)`,
		j.id, j.item, j.terminal, j.nonce, store.Time(j.issued), store.Time(j.expires), []byte{}); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE terminal_item SET state = 'prepared', reason = '', changed = $2 WHERE id = $1`, j.item, store.Time(s.Clock())); err != nil {
		return err
	}
	return s.record(ctx, tx, "terminal.prepared", at.Clerk.ID, j.item, map[string]string{"job": j.id, "task": w.task.ID, "terminal": at.ID,
		"document": w.item.Document.ID, "seal": w.item.Seal})
}

// manifest says what a prepared job is.
func (s *Service) manifest(ctx context.Context, at Terminal, w work, j job, p sealer.Job) (manifest.Manifest, error) {
	file, err := s.Sealer.PreparedFile(ctx, at.Clerk, j.id)
	if err != nil {
		return manifest.Manifest{}, err
	}
	defer file.Close()
	seal, certificate := sm3.Sum(p.Instance.Seal), sm3.Sum(p.Certificate)
	m := manifest.Manifest{Job: j.id, Task: w.task.ID, Item: j.item, Nonce: j.nonce, Terminal: at.ID, Clerk: personOf(at.Clerk),
		Document: w.item.Document, Prepared: manifest.Prepared{Size: file.Size, SM3: file.SM3}, Profile: string(p.Details.Profile),
		ToBeSigned: p.ToSign, DataHash: p.DataHash, ByteRange: p.ByteRange, Field: p.Details.Field,
		Seal:        manifest.SealOfOrder{Code: p.Seal, Name: sayable(p.Instance.SealName, p.Seal), SM3: hex.EncodeToString(seal[:])},
		Certificate: hex.EncodeToString(certificate[:]), Origin: w.task.origin(), Issued: j.issued, Expires: j.expires}
	for _, at := range p.Details.Marks {
		if at.Shown.Width() >= 0.005 && at.Shown.Height() >= 0.005 { // a field without a size shows nothing
			m.Marks = append(m.Marks, manifest.Mark{Page: at.Page, X: at.Shown.X1, Y: at.Shown.Y1, Width: at.Shown.Width(), Height: at.Shown.Height()})
		}
	}
	return m, nil
}

// failItem makes an item failed when the reason is one that would be there the next time, and gives the reason.
func (s *Service) failItem(ctx context.Context, at Terminal, item string, reason error) error {
	f, ok := fault.Of(reason)
	if !ok || f.Kind == fault.Internal || f.Kind == fault.Unavailable || f.Kind == fault.Conflict || ctx.Err() != nil || fault.Has(reason, errNoTerminal) {
		return reason
	}
	err := s.DB.Write(ctx, func(tx *store.Tx) error {
		if err := s.giveUp(ctx, tx, `item = $1`, item); err != nil {
			return err
		}
		return s.endItem(ctx, tx, at, item, manifest.ItemFailed, f.Code)
	})
	return errors.Join(reason, err, s.discardOf(ctx, item))
}

// endItem ends an open item without a result.
func (s *Service) endItem(ctx context.Context, tx *store.Tx, at Terminal, item string, state manifest.ItemState, reason string) error {
	done, err := tx.ExecContext(ctx, `UPDATE terminal_item SET state = $2, reason = $3, changed = $4 WHERE id = $1 AND state = 'queued'`, item, string(state), reason, store.Time(s.Clock()))
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return err
	}
	kind := "terminal.refused"
	if state == manifest.ItemDeclined {
		kind = "terminal.declined"
	}
	if err := s.record(ctx, tx, kind, at.Clerk.ID, item, map[string]string{"reason": reason, "terminal": at.ID}); err != nil {
		return err
	}
	return s.ifDoneOf(ctx, tx, item)
}

// Decline ends an open item of a claimed task: declined, where the reason is manifest.ReasonDeclined, and failed with any other. Errors:
// those of Prepare.
func (s *Service) Decline(ctx context.Context, at Terminal, task, item, reason string) error {
	if err := at.seals(); err != nil {
		return err
	}
	state := manifest.ItemFailed
	if reason == manifest.ReasonDeclined {
		state = manifest.ItemDeclined
	}
	err := s.DB.Write(ctx, func(tx *store.Tx) error {
		if _, err := s.open(ctx, tx, at, task, item); err != nil {
			return err
		}
		var taken int
		if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM terminal_job WHERE item = $1 AND state = 'consumed'`, item).Scan(&taken); err != nil {
			return err
		}
		if taken > 0 {
			return errConsumed.New()
		}
		if err := s.giveUp(ctx, tx, `item = $1`, item); err != nil {
			return err
		}
		return s.endItem(ctx, tx, at, item, state, reason)
	})
	if err != nil {
		return err
	}
	return s.discardOf(ctx, item)
}

// File gives the prepared file of a job of the terminal; the caller closes it. Errors: terminal.no-job, terminal.job-ended.
func (s *Service) File(ctx context.Context, at Terminal, id string) (*sealer.PreparedFile, error) {
	if err := at.seals(); err != nil {
		return nil, err
	}
	j, err := s.job(ctx, at, id)
	if err != nil {
		return nil, err
	}
	if j.state != jobPrepared {
		return nil, errJobEnded.New()
	}
	file, err := s.Sealer.PreparedFile(ctx, at.Clerk, id)
	if code := fault.CodeOf(err); code == "sealing.abandoned" || code == "sealing.completed" {
		err = errJobEnded.Because(err)
	}
	return file, err
}

// job reads a job of a terminal. Error: terminal.no-job.
func (s *Service) job(ctx context.Context, at Terminal, id string) (job, error) {
	j, err := scanJob(s.DB.Read().QueryRowContext(ctx, `SELECT `+jobColumns+` FROM terminal_job WHERE id = $1 AND terminal = $2`, id, at.ID).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		err = errNoJob.With("%.64q", id)
	}
	return j, err
}
