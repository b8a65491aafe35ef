package issuance

import (
	"context"
	"crypto/subtle"
	"database/sql"
	"errors"
	"time"

	"yinxin/ca/enroll"
	"yinxin/internal/access"
	"yinxin/internal/civil"
	"yinxin/internal/store"
	"yinxin/sealer"
)

// Withdraw takes an issued copy back. One person of the holding archive does it, since it only narrows what is possible; it cannot be
// undone: another copy takes another case. The reason is for the two archives, and not shown to others. Errors: enroll.reason,
// enroll.personal-data, issuance.not-found, issuance.side, issuance.state.
func (s *Service) Withdraw(ctx context.Context, by access.Actor, id, reason string) (Case, error) {
	if err := enroll.CheckReason(reason); err != nil {
		return Case{}, err
	}
	return s.step(ctx, by, id, atHolding, []State{Issued, Received, Delivered}, func(tx *store.Tx, r row) error {
		if _, err := tx.ExecContext(ctx, `UPDATE issuance_copy SET withdrawn_at = $2, withdrawn_by = $3, withdrawal = $4 WHERE case_id = $1`,
			id, store.Time(s.Clock()), by.ID, reason); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE issuance_case SET state = 'withdrawn' WHERE id = $1`, id); err != nil {
			return err
		}
		return s.record(ctx, tx, EventWithdrawn, by, id, map[string]string{"reason": reason})
	})
}

// Public is what whoever has the code of a copy may know: what stands on the paper, and whether it was withdrawn.
type Public struct {
	Number      string // 出证编号
	Case        string // 业务编号
	Holding     string
	Receiving   string
	Applicant   string // masked
	Identity    string // masked
	Purpose     string
	Reference   Reference
	Day         string    // of issue: 2026-11-26
	Seal        string    // code
	Pages       int       // with the note
	WithdrawnAt time.Time // zero: it was not
}

// Lookup finds an issued copy by its code as people type it. Whoever serves it to the public must limit how often one caller
// may ask. Errors: issuance.code, issuance.no-copy.
func (s *Service) Lookup(ctx context.Context, typed string) (Public, error) {
	c, err := s.byCode(ctx, s.DB.Read(), typed)
	if err != nil {
		return Public{}, err
	}
	return s.public(c)
}

func (s *Service) public(c keptCopy) (Public, error) {
	var p sheetContent
	if err := s.open(c.sealed, &p, paperContext(c.ID)); err != nil {
		return Public{}, err
	}
	return Public{Number: p.Number, Case: p.Case, Holding: p.Holding, Receiving: p.Receiving, Applicant: p.Applicant, Identity: p.Identity, Purpose: p.Purpose,
		Reference: p.Reference, Day: p.Day, Seal: c.Seal, Pages: c.Pages, WithdrawnAt: c.WithdrawnAt}, nil
}

// byCode finds a copy by the hash of its code: how long that takes says nothing about codes, of which only hashes are compared.
func (s *Service) byCode(ctx context.Context, q store.Querier, typed string) (keptCopy, error) {
	code, err := ParseCode(typed)
	if err != nil {
		return keptCopy{}, err
	}
	hash := hashOf(code)
	c, err := copyOf(ctx, q, `code_hash = $1 AND issued_at IS NOT NULL`, hash)
	if errors.Is(err, sql.ErrNoRows) || err == nil && subtle.ConstantTimeCompare(c.hash, hash) != 1 {
		return keptCopy{}, errNoCopy.New()
	}
	return c, err
}

// maxMisses is how often a day the date of a copy may be wrong: who has the paper reads it off.
const maxMisses = 10

// Pages gives the issued copy to whoever has its code and the date of issue: for its bytes, sealer.Service.Copy. A wrong date is
// answered as an unknown code is, and ten of them in a day close the pages of that copy until the next. Errors:
// issuance.code, issuance.no-copy, issuance.guessing, issuance.withdrawn.
func (s *Service) Pages(ctx context.Context, typed, day string) (sealer.Document, error) {
	today := civil.Day(s.Clock())
	var c keptCopy
	refusal := error(nil)
	err := s.DB.Write(ctx, func(tx *store.Tx) (err error) {
		refusal = nil
		if c, err = s.byCode(ctx, tx, typed); err != nil {
			return err
		}
		if c.missedOn != today {
			c.misses = 0
		}
		switch {
		case c.misses >= maxMisses:
			return errGuessing.New().RetryIn(untilTomorrow(s.Clock()))
		case subtle.ConstantTimeCompare([]byte(c.Day), []byte(day)) == 1:
			return nil
		}
		refusal = errNoCopy.New()
		_, err = tx.ExecContext(ctx, `UPDATE issuance_copy SET misses = $2, missed_on = $3 WHERE id = $1`, c.ID, c.misses+1, today)
		return err
	})
	if err == nil {
		err = refusal
	}
	if err != nil {
		return sealer.Document{}, err
	}
	if !c.WithdrawnAt.IsZero() {
		return sealer.Document{}, errWithdrawn.New()
	}
	return s.Sealer.Document(ctx, access.Actor{ID: c.issuer}, c.document)
}

func untilTomorrow(now time.Time) time.Duration {
	y, m, d := now.In(civil.China).Date()
	return time.Date(y, m, d+1, 0, 0, 0, 0, civil.China).Sub(now)
}
