package renewal

import (
	"context"
	"errors"
	"strconv"
	"time"

	"yinxin/ca"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/store"
)

const (
	// RunTime is how long one Run may take; a province's seals are renewed in it many times over.
	RunTime = 15 * time.Minute
	// attemptTime is after how long an attempt without an outcome counts as that of a dead process. It is longer than a Run
	// may take.
	attemptTime = 2 * RunTime
	// The pause after a failure: an hour, doubled each time, at most a day.
	pauseFirst, pauseMost = time.Hour, day
)

func pause(failures int) time.Duration {
	if failures > 10 {
		return pauseMost
	}
	return min(pauseMost, pauseFirst<<max(0, failures-1))
}

// Run does what is to be done now: renewals, reminders, alarms. One that fails does not keep the others waiting; their
// errors are recorded, and the error of Run is that of the database.
func (s *Service) Run(ctx context.Context) error {
	now := s.Clock()
	list, err := s.Due(ctx, now)
	if err != nil {
		return err
	}
	var failed []error
	for _, d := range list {
		if ctx.Err() != nil {
			return errors.Join(append(failed, ctx.Err())...)
		}
		if err := s.see(ctx, d, now); err != nil {
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

// see does what is to be done about one certificate.
func (s *Service) see(ctx context.Context, d Due, now time.Time) error {
	switch {
	case d.Holder == Central:
		return s.renew(ctx, d, now)
	case d.Holder == Key && !d.Held && d.NotAfter.After(now):
		return s.remind(ctx, d, now)
	case d.Holder == Own:
		return s.raise(ctx, d, ReasonCeremony, "")
	case d.Holder == Elsewhere:
		return s.renewElsewhere(ctx, d, now)
	}
	return nil
}

// remind makes the reminder for the nearest border that is passed, unless it was made.
func (s *Service) remind(ctx context.Context, d Due, now time.Time) error {
	left := d.NotAfter.Sub(now)
	for _, days := range s.Policy.Reminders { // ascending
		if left > time.Duration(days)*day {
			continue
		}
		return s.DB.Write(ctx, func(tx *store.Tx) error {
			id := store.NewID("rem_")
			done, err := tx.ExecContext(ctx, `INSERT INTO renewal_reminder (id, serial, days, not_after, made) VALUES ($1, $2, $3, $4, $5)
				ON CONFLICT (serial, days) DO NOTHING`, id, serialText(d.Serial), days, store.Time(d.NotAfter), store.Time(now))
			if err != nil {
				return err
			}
			if n, err := done.RowsAffected(); err != nil || n == 0 || s.Mail == nil {
				return err
			}
			return s.Mail.Enqueue(ctx, tx, SourceReminder, id)
		})
	}
	return nil
}

// renew has a central seal renewed, if it is time for an attempt.
func (s *Service) renew(ctx context.Context, d Due, now time.Time) error {
	switch {
	case d.Held: // Renew would refuse; whoever ends the hold finds it in the list
		return nil
	case !d.RenewableUntil.IsZero() && !now.Before(d.RenewableUntil):
		return s.raise(ctx, d, ReasonApprovalOver, "")
	case s.Renewer == nil:
		return s.raise(ctx, d, ReasonFailed, "")
	}
	if a := d.Attempt; a != nil {
		if a.Outcome == "" && now.Sub(a.Started) < attemptTime || a.Outcome == outcomeFailed && now.Before(a.Next) {
			return nil
		}
	}
	// The list may be older than another process's renewal.
	if _, err := s.Authority.Expiry(ctx, d.Serial); err != nil {
		if fault.Has(err, ca.ErrNotFound) {
			err = nil
		}
		return err
	}
	number, mine, err := s.begin(ctx, d, now)
	if err != nil || !mine {
		return err
	}
	// ca.renewed is a failure, too: the successor was taken back, or the certificate would not be in the list.
	return s.ended(ctx, d, number, s.Renewer.Renew(ctx, d.Expiry))
}

// ended records what came of an attempt, and raises the alarm of one that failed.
func (s *Service) ended(ctx context.Context, d Due, number int, outcome error) error {
	if err := s.end(context.WithoutCancel(ctx), d, number, outcome); err != nil {
		return err
	}
	if outcome == nil {
		s.Log.Info("a central seal was renewed", "serial", serialText(d.Serial), "seal", d.CommonName)
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err() // the service ends: no reason for an alarm
	}
	s.Log.Error("the renewal of a central seal failed", "serial", serialText(d.Serial), "seal", d.CommonName, "attempt", number, "error", outcome)
	if fault.Has(outcome, access.ErrExpired) {
		return s.raise(ctx, d, ReasonApprovalOver, said(outcome))
	}
	return s.raise(ctx, d, ReasonFailed, said(outcome))
}

// begin records an attempt, unless another process did.
func (s *Service) begin(ctx context.Context, d Due, now time.Time) (number int, mine bool, err error) {
	number = 1
	if d.Attempt != nil {
		number = d.Attempt.Number + 1
	}
	err = s.DB.Write(ctx, func(tx *store.Tx) error {
		done, err := tx.ExecContext(ctx, `INSERT INTO renewal_attempt (serial, number, started, outcome, ended, next, failure)
			VALUES ($1, $2, $3, '', '', '', '') ON CONFLICT (serial, number) DO NOTHING`, serialText(d.Serial), number, store.Time(now))
		if err != nil {
			return err
		}
		n, err := done.RowsAffected()
		mine = n == 1
		return err
	})
	return number, mine, err
}

// end records what came of an attempt.
func (s *Service) end(ctx context.Context, d Due, number int, outcome error) error {
	now := s.Clock()
	word, next, failure := outcomeRenewed, "", ""
	if outcome != nil {
		word, next, failure = outcomeFailed, store.Time(now.Add(pause(number))), said(outcome)
	}
	return s.DB.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE renewal_attempt SET outcome = $1, ended = $2, next = $3, failure = $4 WHERE serial = $5 AND number = $6`,
			word, store.Time(now), next, failure, serialText(d.Serial), number)
		return err
	})
}

// said is what the database keeps of a failure: code, sentence and detail, not its cause.
func said(err error) string {
	f, ok := fault.Of(err)
	if !ok {
		return "internal"
	}
	text := f.Code + ": " + f.EN
	if f.Detail() != "" {
		text += " (" + f.Detail() + ")"
	}
	return text
}

// raise records an alarm once, logs it and has it mailed to the administrators.
func (s *Service) raise(ctx context.Context, d Due, reason Reason, failure string) error {
	for _, a := range d.Alarms {
		if a.Reason == reason {
			return nil
		}
	}
	raised := false
	err := s.DB.Write(ctx, func(tx *store.Tx) error {
		id := store.NewID("alm_")
		done, err := tx.ExecContext(ctx, `INSERT INTO renewal_alarm (id, serial, reason, failure, raised) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (serial, reason) DO NOTHING`, id, serialText(d.Serial), string(reason), failure, store.Time(s.Clock()))
		if err != nil {
			return err
		}
		n, err := done.RowsAffected()
		if raised = n == 1; err != nil || !raised || s.Mail == nil {
			return err
		}
		for i := range s.Administrators {
			if err := s.Mail.Enqueue(ctx, tx, SourceAlarm, id+"."+strconv.Itoa(i)); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil && raised {
		s.Log.Error("a certificate needs a person", "reason", string(reason), "serial", serialText(d.Serial), "name", d.CommonName, "not_after", d.NotAfter)
	}
	return err
}
