package renewal

import (
	"context"
	"fmt"
	"math/big"
	"slices"
	"time"

	"yinxin/ca"
	"yinxin/ca/chain"
	"yinxin/internal/fault"
)

// Others knows the certificates in use that other authorities made; *backend.Backends has it.
type Others interface {
	Certificates(ctx context.Context) ([]*chain.Certificate, error)
}

// profileElsewhere marks a certificate of another authority among those of the own one.
const profileElsewhere ca.Profile = "elsewhere"

// joint is an Authority that knows the certificates of others as well.
type joint struct {
	Authority
	others Others
}

// Expiring implements Authority.
func (j joint) Expiring(ctx context.Context, after, until time.Time) ([]ca.Expiry, error) {
	list, err := j.Authority.Expiring(ctx, after, until)
	if err != nil {
		return nil, err
	}
	foreign, err := j.foreign(ctx)
	if err != nil {
		return nil, err
	}
	for _, e := range foreign {
		if e.NotAfter.After(after) && !e.NotAfter.After(until) {
			list = append(list, e)
		}
	}
	slices.SortStableFunc(list, func(a, b ca.Expiry) int { return a.NotAfter.Compare(b.NotAfter) })
	return list, nil
}

// Expiry implements Authority.
func (j joint) Expiry(ctx context.Context, serial *big.Int) (ca.Expiry, error) {
	e, err := j.Authority.Expiry(ctx, serial)
	if !fault.Has(err, ca.ErrNotFound) {
		return e, err
	}
	foreign, failed := j.foreign(ctx)
	if failed != nil {
		return e, failed
	}
	for _, f := range foreign {
		if f.Serial.Cmp(serial) == 0 {
			return f, nil
		}
	}
	return e, err
}

// foreign gives the certificates of other authorities without those that have a successor: a later one for the same seal.
func (j joint) foreign(ctx context.Context) ([]ca.Expiry, error) {
	certificates, err := j.others.Certificates(ctx)
	if err != nil {
		return nil, err
	}
	last := map[string]time.Time{}
	for _, c := range certificates {
		if c.NotAfter.After(last[c.Subject.CommonName]) {
			last[c.Subject.CommonName] = c.NotAfter
		}
	}
	var list []ca.Expiry
	for _, c := range certificates {
		if c.NotAfter.Before(last[c.Subject.CommonName]) {
			continue
		}
		list = append(list, ca.Expiry{Serial: c.Serial, Profile: profileElsewhere, Organisation: c.Subject.Organisation, CommonName: c.Subject.CommonName,
			NotBefore: c.NotBefore, NotAfter: c.NotAfter})
	}
	return list, nil
}

// renewElsewhere takes the renewal of a certificate of another authority one step further. One attempt lasts until the
// certificate has come back, or never will.
func (s *Service) renewElsewhere(ctx context.Context, d Due, now time.Time) error {
	a := d.Attempt
	switch {
	case s.Elsewhere == nil || !now.Before(d.NotAfter):
		return s.raise(ctx, d, ReasonElsewhere, "")
	case a != nil && a.Outcome == outcomeRenewed: // what renewed it was taken back, or it would not be in the list
		return s.raise(ctx, d, ReasonElsewhere, "")
	case a != nil && a.Outcome == outcomeFailed && now.Before(a.Next):
		return nil
	}
	var number int
	if a != nil && a.Outcome == "" {
		number = a.Number
	} else {
		begun, mine, err := s.begin(ctx, d, now)
		if err != nil || !mine {
			return err
		}
		number = begun
	}
	made, byHand, err := s.Elsewhere.RenewElsewhere(ctx, d.Expiry)
	if made || err != nil {
		return s.ended(ctx, d, number, err)
	}
	if byHand != "" {
		if err := s.raise(ctx, d, ReasonCarry, byHand); err != nil {
			return err
		}
	}
	if s.Calendar.After(now, s.Policy.TermDays).After(d.NotAfter) {
		return s.raise(ctx, d, ReasonElsewhere, "")
	}
	return nil
}

// serialText is ca.SerialText, also for a number that is longer than the own authority's.
func serialText(serial *big.Int) string {
	if text := ca.SerialText(serial); text != "" {
		return text
	}
	return fmt.Sprintf("%040x", serial)
}
