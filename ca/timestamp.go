package ca

import (
	"context"
	"sync"
	"time"

	"yinxin/ca/chain"
	"yinxin/ca/cms"
	"yinxin/ca/tsa"
)

// stampingCache holds the time-stamp authority between stamps.
type stampingCache struct {
	lock        sync.Mutex
	authority   *tsa.Authority
	certificate *chain.Certificate
	checked     time.Time
}

var _ tsa.Source = (*Authority)(nil)

// TimeStamp answers a time-stamp request in DER with a response in DER (RFC 3161); it never fails otherwise. Without a
// usable key or certificate the answer is systemFailure.
func (a *Authority) TimeStamp(ctx context.Context, request []byte) []byte {
	authority, err := a.timeStamper(ctx)
	if err != nil {
		return tsa.Unavailable()
	}
	return authority.Answer(ctx, request)
}

// Stamp gives a time-stamp token in this process: it implements tsa.Source. Errors: tsa.ErrAuthority,
// tsa.ErrImprintAlgorithm.
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
	certificate, key, err := a.current(ctx, KeyTSA, ProfileTSA, now)
	if err != nil {
		return nil, tsa.ErrAuthority.Because(err)
	}
	authority, err := tsa.New(tsa.Config{Certificate: certificate, Chain: []*chain.Certificate{a.issuing}, Key: key,
		Clock: a.Clock, Random: a.Random})
	if err != nil {
		return nil, err
	}
	s.authority, s.certificate, s.checked = authority, certificate, now
	return authority, nil
}
