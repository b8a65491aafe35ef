package enroll

import (
	"context"
	"errors"
	"fmt"
	"time"

	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/store"
)

// Swept counts what the passing of time did.
type Swept struct {
	Accepted int // by silence
	Lapsed   int // requests and approvals that ran out
	Expired  int // drafts and returned applications that nobody touched
}

// Sweep does what falls due as time passes; it is for a job that runs every minute or so. What it does late was refused in
// time all the same: an approval that ran out is not redeemed, an objection after the term is not taken.
func (s *Service) Sweep(ctx context.Context) (Swept, error) {
	var done Swept
	var failed []error
	now := s.Clock()
	lapse := func(a *act) error { return s.reopen(ctx, a) }
	for _, d := range []due{
		{StepSilence, &done.Accepted, `SELECT a.id FROM enroll_application a WHERE a.state = 'issued' AND a.accept_by <= $1`, now, nil},
		{StepLapse, &done.Lapsed, `SELECT a.id FROM enroll_application a JOIN enroll_examination e ON e.id = a.examination
			WHERE a.state = 'examined' AND e.examined <= $1`, now.Add(-access.Term), lapse},
		{StepLapse, &done.Lapsed, `SELECT a.id FROM enroll_application a WHERE a.state = 'approved' AND a.approved <= $1`, now.Add(-access.Term), lapse},
		{StepExpire, &done.Expired, `SELECT a.id FROM enroll_application a WHERE a.state IN ('draft', 'returned')
			AND (SELECT MAX(happened) FROM enroll_event e WHERE e.application = a.id AND e.step NOT IN ('unmask', 'print', 'view')) <= $1`,
			now.Add(-s.IdleTerm), nil},
	} {
		failed = append(failed, s.pass(ctx, d))
	}
	return done, errors.Join(failed...)
}

// due is a step that the service takes when its time has come: query finds the applications whose moment was not after
// until.
type due struct {
	step  Step
	count *int
	query string
	until time.Time
	fn    func(a *act) error
}

// sweepLimit is how many applications of one kind a single sweep moves; the next one goes on.
const sweepLimit = 500

func (s *Service) pass(ctx context.Context, d due) error {
	ids, err := d.find(ctx, s.DB.Read(), ` ORDER BY a.id LIMIT `+itoa(sweepLimit))
	if err != nil {
		return err
	}
	var failed []error
	for _, id := range ids {
		err := s.DB.Write(ctx, func(tx *store.Tx) error {
			// Asked again: somebody may have touched it meanwhile.
			still, err := d.find(ctx, tx, ` AND a.id = $2`, id)
			if err != nil {
				return err
			}
			if len(still) == 0 {
				return ErrState.New()
			}
			return s.takeAlone(ctx, tx, id, d.step, d.fn)
		})
		switch {
		case err == nil:
			*d.count++
		case fault.Has(err, ErrState), fault.Has(err, ErrUnderWay):
		case ctx.Err() != nil:
			return errors.Join(append(failed, ctx.Err())...)
		default: // it does not keep the others waiting
			failed = append(failed, fmt.Errorf("application %s: %w", id, err))
		}
	}
	return errors.Join(failed...)
}

func (d due) find(ctx context.Context, q store.Querier, more string, args ...any) ([]string, error) {
	return store.Column[string](q.QueryContext(ctx, d.query+more, append([]any{store.Time(d.until)}, args...)...))
}
