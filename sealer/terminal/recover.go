package terminal

import (
	"context"
	"errors"
	"time"

	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/store"
)

// consumedPatience is after how long a signature that was taken and not dealt with counts as one of a process that died: well within
// the life of the sealing.
const consumedPatience = 15 * time.Second

// giveUp gives up the prepared jobs that a condition on terminal_job with the parameter $1 names: their items are queued again. What the sealer
// keeps for them is discarded after the transaction (discardAll, discardOf).
func (s *Service) giveUp(ctx context.Context, tx *store.Tx, where, of string) error {
	items, err := store.Column[string](tx.QueryContext(ctx, `UPDATE terminal_job SET state = 'discarding' WHERE state = 'prepared' AND `+where+` RETURNING item`, of))
	if err != nil {
		return err
	}
	for _, item := range items {
		if _, err := tx.ExecContext(ctx, `UPDATE terminal_item SET state = 'queued', changed = $2 WHERE id = $1 AND state = 'prepared'`, item, store.Time(s.Clock())); err != nil {
			return err
		}
	}
	return nil
}

// discardAll has the sealer discard what was given up.
func (s *Service) discardAll(ctx context.Context) error {
	return s.discard(ctx, `SELECT j.id, t.clerk FROM terminal_job j JOIN terminal t ON t.id = j.terminal WHERE j.state = 'discarding'`)
}

func (s *Service) discardOf(ctx context.Context, item string) error {
	return s.discard(ctx, `SELECT j.id, t.clerk FROM terminal_job j JOIN terminal t ON t.id = j.terminal WHERE j.state = 'discarding' AND j.item = $1`, item)
}

func (s *Service) discard(ctx context.Context, query string, args ...any) error {
	list, err := s.jobsOf(ctx, query, args...)
	if err != nil {
		return err
	}
	for _, j := range list {
		err := s.Sealer.Discard(ctx, access.Actor{ID: j.clerk}, j.id)
		if code := fault.CodeOf(err); err != nil && code != "sealing.abandoned" && code != "sealing.completed" && code != "sealing.no-job" {
			return err
		}
		err = s.DB.Write(ctx, func(tx *store.Tx) error {
			_, err := tx.ExecContext(ctx, `UPDATE terminal_job SET state = 'discarded' WHERE id = $1 AND state = 'discarding'`, j.id)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// clerksJob is a job and whose it is.
type clerksJob struct{ id, clerk string }

func (s *Service) jobsOf(ctx context.Context, query string, args ...any) ([]clerksJob, error) {
	var list []clerksJob
	err := store.Each(ctx, s.DB.Read(), func(scan func(...any) error) error {
		var j clerksJob
		err := scan(&j.id, &j.clerk)
		list = append(list, j)
		return err
	}, query, args...)
	return list, err
}

// Recover does what falls due as time passes, and what processes that died left undone: tasks, manifests and logins expire, what was given up
// is discarded, and signatures that were taken are completed. The first error is given after everything was tried.
func (s *Service) Recover(ctx context.Context) error {
	var logins error
	if s.Logins != nil {
		logins = s.Logins.ExpireChallenges(ctx)
	}
	return errors.Join(s.expireTasks(ctx), s.expireJobs(ctx), s.discardAll(ctx), s.finishConsumed(ctx), logins)
}

func (s *Service) expireTasks(ctx context.Context) error {
	now := store.Time(s.Clock())
	due, err := store.Column[string](s.DB.Read().QueryContext(ctx, `SELECT id FROM terminal_task WHERE state = 'open' AND expires <= $1`, now))
	if err != nil {
		return err
	}
	for _, id := range due {
		err := s.DB.Write(ctx, func(tx *store.Tx) error {
			var open int
			if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM terminal_task WHERE id = $1 AND state = 'open'`, id).Scan(&open); err != nil || open == 0 {
				return err
			}
			if err := s.endTask(ctx, tx, id, stateExpired, "terminal.expired"); err != nil {
				return err
			}
			return s.record(ctx, tx, "terminal.task-expired", "", id, nil)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) expireJobs(ctx context.Context) error {
	return s.DB.Write(ctx, func(tx *store.Tx) error { return s.giveUp(ctx, tx, `expires <= $1`, store.Time(s.Clock())) })
}

func (s *Service) finishConsumed(ctx context.Context) error {
	list, err := s.jobsOf(ctx, `SELECT j.id, j.terminal FROM terminal_job j WHERE j.state = 'consumed' AND j.consumed <= $1`, store.Time(s.Clock().Add(-consumedPatience)))
	if err != nil {
		return err
	}
	var failed error
	for _, j := range list {
		failed = errors.Join(failed, s.finishOne(ctx, j.id, j.clerk))
	}
	return failed
}

// finishOne completes a job for its terminal, ended or not: the signature was taken when it had not.
func (s *Service) finishOne(ctx context.Context, id, terminal string) error {
	t, err := scanTerminal(s.DB.Read().QueryRowContext(ctx, `SELECT `+terminalColumns+` FROM terminal WHERE id = $1`, terminal).Scan)
	if err != nil {
		return err
	}
	clerk, err := s.Access.Actor(ctx, t.Clerk.ID)
	switch {
	case err == nil:
		t.Clerk = clerk
	case !fault.Has(err, access.ErrActorNotFound): // of one who has retired the sealer decides
		return err
	}
	j, err := s.job(ctx, t, id)
	if err != nil {
		return err
	}
	_, err = s.finish(ctx, t, j)
	if f, ok := fault.Of(err); ok && f.Kind != fault.Internal && f.Kind != fault.Unavailable || fault.CodeOf(err) == "sealing.abandoned" {
		return nil // the item says why
	}
	return err
}
