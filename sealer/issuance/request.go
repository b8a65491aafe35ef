package issuance

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"yinxin/internal/access"
	"yinxin/internal/civil"
	"yinxin/internal/fault"
	"yinxin/internal/store"
)

// Request is what the receiving archive asks of the holding one.
type Request struct {
	// Receiving is the archive in which the applicant stands: for a clerk their own, and may be empty; the platform says it.
	Receiving string
	Holding   string
	Applicant Applicant
	// Number is the case number of the platform, or of the archive; empty: one of ours is given.
	Number string
	// Key makes the request repeatable: the same key with the same request gives the case that was opened. Empty: the
	// number is the key; without either each request opens a case.
	Key string
}

const maxNumber = 64

// Open opens a case: by an operator for their own archive, or by the platform for any. existed says that the key was used
// before with the same request. Errors: issuance.request, issuance.archive, issuance.key-reused, those of package
// number for the identity number, access.role.
func (s *Service) Open(ctx context.Context, by access.Actor, r Request) (_ Case, existed bool, err error) {
	if r.Applicant, err = s.checked(r.Applicant); err != nil {
		return Case{}, false, err
	}
	actor, err := s.Access.Actor(ctx, by.ID)
	if err != nil {
		return Case{}, false, err
	}
	if r, err = s.addressed(ctx, actor, r); err != nil {
		return Case{}, false, err
	}
	id, err := "", error(nil)
	sealed := []byte(nil)
	fresh := store.NewID("iss_")
	if sealed, err = s.seal(r.Applicant, applicantContext(fresh)); err != nil {
		return Case{}, false, err
	}
	indexes, err := s.requestIndexes(r)
	if err != nil {
		return Case{}, false, err
	}
	err = s.DB.Write(ctx, func(tx *store.Tx) error {
		id, existed = fresh, false
		earlier, err := s.earlier(ctx, tx, actor, r, indexes)
		if err != nil || earlier != "" {
			id, existed = earlier, true
			return err
		}
		return s.insert(ctx, tx, actor, fresh, r, sealed, indexes[0])
	})
	if err != nil {
		return Case{}, false, err
	}
	c, err := s.Case(ctx, by, id)
	return c, existed, err
}

// addressed fills in and checks the two archives and the number.
func (s *Service) addressed(ctx context.Context, actor access.Actor, r Request) (Request, error) {
	platform := actor.Has(access.RolePlatform)
	if !platform && !actor.Has(access.RoleOperator) {
		return r, access.ErrRole.With("%s", access.RoleOperator)
	}
	if !platform {
		if r.Receiving != "" && r.Receiving != actor.Organisation {
			return r, errArchive.At(fault.Field("receiving"))
		}
		r.Receiving = actor.Organisation
	}
	archives, err := s.Access.Organisations(ctx, s.DB.Read(), access.RoleOperator)
	if err != nil {
		return r, err
	}
	for field, name := range map[string]string{"receiving": r.Receiving, "holding": r.Holding} {
		if !slices.Contains(archives, name) {
			return r, errArchive.At(fault.Field(field))
		}
	}
	if r.Receiving == r.Holding {
		return r, errArchive.At(fault.Field("holding"))
	}
	if r.Number != "" && (!oneLine(r.Number, maxNumber) || strings.Trim(r.Number, numberCharacters) != "" || strings.HasPrefix(r.Number, ownSeries+"-")) {
		return r, errRequest.At(fault.Field("number"))
	}
	if len(r.Key) > 200 || strings.ContainsFunc(r.Key, func(c rune) bool { return c < '!' || c > '~' }) {
		return r, errRequest.At(fault.Field("key"))
	}
	return r, nil
}

// numberCharacters are those of case numbers: they go into ledger and paper, and must not be sentences.
const numberCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_./"

// The series of numbers: of cases, and of issued copies.
const (
	ownSeries  = "YD" // 异地
	copySeries = "CZ" // 出证
)

// requestIndexes are what the database keeps of a request to know it again, under each version of the safe: nobody without the safe can
// try applicants.
func (s *Service) requestIndexes(r Request) ([][]byte, error) {
	text, err := json.Marshal(struct {
		Receiving, Holding, Number string
		Applicant                  Applicant
	}{r.Receiving, r.Holding, r.Number, r.Applicant})
	if err != nil {
		return nil, err
	}
	return s.Safe.Indexes("issuance request", string(text))
}

// earlier looks for the case that the same key or number opened. Errors: issuance.key-reused.
func (s *Service) earlier(ctx context.Context, tx *store.Tx, actor access.Actor, r Request, indexes [][]byte) (string, error) {
	var id string
	var index []byte
	err := tx.QueryRowContext(ctx, `SELECT id, key_index FROM issuance_case WHERE opened_by = $1 AND key = $2 AND $2 <> ''
		UNION ALL SELECT id, key_index FROM issuance_case WHERE opener = $3 AND number = $4 AND $4 <> ''`, actor.ID, r.key(), actor.Organisation, r.Number).Scan(&id, &index)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return "", nil
	case err != nil:
		return "", err
	case !slices.ContainsFunc(indexes, func(i []byte) bool { return bytes.Equal(i, index) }):
		return "", errKeyReused.New()
	}
	return id, nil
}

// key is the idempotency key as stored: keys and numbers cannot meet.
func (r Request) key() string {
	switch {
	case r.Key != "":
		return "key:" + r.Key
	case r.Number != "":
		return "number:" + r.Number
	}
	return ""
}

func (s *Service) insert(ctx context.Context, tx *store.Tx, actor access.Actor, id string, r Request, sealed, index []byte) error {
	now := s.Clock()
	key, platform := r.key(), 0
	if key == "" {
		key = "once:" + id
	}
	if actor.Has(access.RolePlatform) {
		platform = 1
	}
	if r.Number == "" {
		var err error
		if r.Number, err = nextNumber(ctx, tx, ownSeries, now); err != nil {
			return err
		}
	}
	due := s.Calendar.After(now, s.TermDays)
	_, err := tx.ExecContext(ctx, `INSERT INTO issuance_case (id, number, opened_by, opener, platform, key, key_index, receiving, holding, sealed, state, opened_at, due_at,
		result, reason, fonds, file, item, pages, reference, delivery)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'requested', $11, $12, '', '', '', '', '', 0, '', '')`,
		id, r.Number, actor.ID, actor.Organisation, platform, key, index, r.Receiving, r.Holding, sealed, store.Time(now), store.Time(due))
	if err != nil {
		return err
	}
	return s.record(ctx, tx, EventRequested, actor, id, map[string]string{"number": r.Number, "receiving": r.Receiving, "holding": r.Holding, "due": store.Time(due)})
}

// nextNumber gives the next number of a series in the year of t in China: CZ-2026-000042.
func nextNumber(ctx context.Context, tx *store.Tx, series string, t time.Time) (string, error) {
	year, last := t.In(civil.China).Year(), 0
	err := tx.QueryRowContext(ctx, `INSERT INTO issuance_number (series, year, last) VALUES ($1, $2, 1)
		ON CONFLICT (series, year) DO UPDATE SET last = issuance_number.last + 1 RETURNING last`, series, year).Scan(&last)
	return fmt.Sprintf("%s-%d-%06d", series, year, last), err
}

// Cancel takes a request back before it was answered. Errors: issuance.not-found, issuance.side, issuance.state.
func (s *Service) Cancel(ctx context.Context, by access.Actor, id string) (Case, error) {
	return s.step(ctx, by, id, atReceiving, []State{Requested}, func(tx *store.Tx, r row) error {
		if _, err := tx.ExecContext(ctx, `UPDATE issuance_case SET state = 'cancelled', closed_at = $2 WHERE id = $1`, id, store.Time(s.Clock())); err != nil {
			return err
		}
		return s.record(ctx, tx, EventCancelled, by, id, nil)
	})
}

// Archives are the organisations that a case can be between.
func (s *Service) Archives(ctx context.Context) ([]string, error) {
	return s.Access.Organisations(ctx, s.DB.Read(), access.RoleOperator)
}
