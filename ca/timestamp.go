package ca

import (
	"context"
	"sync"
	"time"

	"yinxin/ca/chain"
	"yinxin/ca/clock"
	"yinxin/ca/cms"
	"yinxin/ca/tsa"
	"yinxin/internal/store"
)

// Stamping says how time stamps are made.
type Stamping struct {
	// Watch says whether the clock can be relied on; nil: it is only held against earlier stamps.
	Watch *clock.Watch
	// Accuracy is how far the clock may be off, in whole seconds; 0 is one.
	Accuracy time.Duration
	// Ordering: stamps can be ordered by their time alone, also those of several processes. It costs a write for every
	// stamp instead of one a second.
	Ordering bool
}

// stampingCache holds the time-stamp authority between stamps.
type stampingCache struct {
	lock        sync.Mutex
	authority   *tsa.Authority
	certificate *chain.Certificate
	checked     time.Time

	marking      sync.Mutex
	last, marked time.Time // of the last stamp, and of the last mark in the database
}

var _ tsa.Source = (*Authority)(nil)

// TimeStamp answers a time-stamp request in DER with a response in DER (RFC 3161); it never fails otherwise. Without a
// usable key or certificate the answer is systemFailure, with a clock that cannot be relied on timeNotAvailable.
func (a *Authority) TimeStamp(ctx context.Context, request []byte) []byte {
	authority, err := a.timeStamper(ctx)
	if err != nil {
		return tsa.Unavailable()
	}
	return authority.Answer(ctx, request)
}

// Stamp gives a time-stamp token in this process: it implements tsa.Source. Errors: tsa.ErrAuthority,
// tsa.ErrImprintAlgorithm, tsa.ErrTime.
func (a *Authority) Stamp(ctx context.Context, hash cms.Hash, digest []byte) ([]byte, error) {
	authority, err := a.timeStamper(ctx)
	if err != nil {
		return nil, err
	}
	return authority.Stamp(ctx, hash, digest)
}

// StampSize is the largest length in octets of a token of Stamp, for whoever reserves room before signing. Errors:
// tsa.ErrAuthority.
func (a *Authority) StampSize(ctx context.Context) (int, error) {
	authority, err := a.timeStamper(ctx)
	if err != nil {
		return 0, err
	}
	return authority.Size(), nil
}

// timeStamper is the authority of the certificate that belongs to the time-stamp key. It looks again every minute, so a
// renewed certificate is taken up and a revoked one dropped without a restart.
func (a *Authority) timeStamper(ctx context.Context) (*tsa.Authority, error) {
	now := a.Clock().UTC()
	s := &a.stamping
	s.lock.Lock()
	defer s.lock.Unlock()
	if s.authority != nil && s.certificate.ValidAt(now) && !now.Before(s.checked) && now.Sub(s.checked) < time.Minute {
		return s.authority, nil
	}
	s.authority = nil
	certificate, key, err := a.current(ctx, KeyTSA, Filter{Profile: ProfileTSA}, now)
	if err != nil {
		return nil, tsa.ErrAuthority.Because(err)
	}
	authority, err := tsa.New(tsa.Config{Certificate: certificate, Chain: []*chain.Certificate{a.IssuerOf(certificate)}, Key: key,
		Clock: a.Clock, Time: a.stampTime, Ordering: a.Stamping.Ordering, Accuracy: a.Stamping.Accuracy, Random: a.Random})
	if err != nil {
		return nil, err
	}
	s.authority, s.certificate, s.checked = authority, certificate, now
	return authority, nil
}

// markInterval is how often the time of the stamps goes into the database.
const markInterval = time.Second

// stampTime is the time of the next stamp. It is never earlier than that of an earlier one, whichever process made that
// and however often it was started since: a clock that is further behind than the accuracy allows is not relied on.
// Errors: those of clock.Watch, ca.stamp-clock, those of the database.
func (a *Authority) stampTime(ctx context.Context) (time.Time, error) {
	if a.Stamping.Watch != nil {
		if err := a.Stamping.Watch.Check(ctx); err != nil {
			return time.Time{}, err
		}
	}
	s := &a.stamping
	s.marking.Lock()
	defer s.marking.Unlock()
	now := a.Clock().UTC().Truncate(time.Microsecond)
	next := now
	if next.Before(s.last) {
		next = s.last
	}
	if a.Stamping.Ordering || s.marked.IsZero() || next.Sub(s.marked) >= markInterval {
		var err error
		if next, err = a.mark(ctx, next); err != nil {
			return time.Time{}, err
		}
		s.marked = next
	}
	if ahead := next.Sub(now); ahead > max(a.Stamping.Accuracy.Round(time.Second), time.Second) {
		s.marked = time.Time{}
		return time.Time{}, ErrStampClock.With("%s", ahead)
	}
	s.last = next
	return next, nil
}

// mark moves the mark in the database forward and gives the time that may be stamped: not before the mark, with ordering
// after it.
func (a *Authority) mark(ctx context.Context, now time.Time) (time.Time, error) {
	next := now
	err := a.DB.Write(ctx, func(tx *store.Tx) error {
		next = now
		var text string
		err := tx.QueryRowContext(ctx, `SELECT at FROM ca_stamp_clock WHERE name = 'tsa'`).Scan(&text)
		if err != nil && !isMissing(err) {
			return err
		}
		if err == nil {
			at, err := store.ParseTime(text)
			if err != nil {
				return err
			}
			if a.Stamping.Ordering {
				at = at.Add(time.Microsecond)
			}
			if next.Before(at) {
				next = at
			}
		}
		if next.Sub(now) > time.Minute { // far beyond any accuracy: the mark stays, and the caller refuses
			return nil
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO ca_stamp_clock (name, at) VALUES ('tsa', $1) ON CONFLICT (name) DO UPDATE SET at = excluded.at`, store.Time(next))
		return err
	})
	return next, err
}
