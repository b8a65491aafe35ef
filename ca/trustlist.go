package ca

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/emmansun/gmsm/sm3"

	"yinxin/ca/trustlist"
)

const (
	// TrustListValidity is next update after issued: that of the revocation lists in it.
	TrustListValidity = CRLValidity
	// trustListLook is how long a list is given without looking whether something changed: as lists are published.
	trustListLook = 10 * time.Second
)

// PathTrustList is where the trust list is served.
const PathTrustList = "/pki/trust-list.p7s"

// trustListCache keeps the list that was made last.
type trustListCache struct {
	sync.Mutex
	looked   time.Time
	content  [32]byte // SM3 of what it says but for its times and number, and of its signer's certificate
	signed   []byte
	sequence int64
}

// TrustList is the newest trust list, signed: CA certificates, complete revocation lists, and the seals that the register
// gives, which must be the same register in every call. It is made anew when something in it changed, which happens at
// least once a day because revocation lists are made then; that is looked for every ten seconds. The signer is the responder of the first issuing CA. The sequence
// number is the time of issue in Unix seconds, and at least one above the last of this process. Errors: those of CRL and
// of package trustlist; ca.key, ca.not-found without a responder.
func (a *Authority) TrustList(ctx context.Context, seals func(context.Context) ([]trustlist.Seal, error)) ([]byte, error) {
	c := &a.trustList
	c.Lock()
	defer c.Unlock()
	now := a.Clock().UTC().Truncate(time.Second)
	if c.signed != nil && !now.Before(c.looked) && now.Sub(c.looked) < trustListLook {
		return c.signed, nil
	}
	l, err := a.trustListNow(ctx)
	if err != nil {
		return nil, err
	}
	if l.Seals, err = seals(ctx); err != nil {
		return nil, err
	}
	first := a.issuers[0]
	responder, key, err := a.current(ctx, keyOf(KeyOCSP, first.ID), Filter{Profile: ProfileOCSP, Issuer: first.ID}, now)
	if err != nil {
		return nil, err
	}
	plain, err := json.Marshal(l)
	if err != nil {
		return nil, err
	}
	content := sm3.Sum(append(plain, responder.Raw...))
	if c.signed != nil && content == c.content {
		c.looked = now
		return c.signed, nil
	}
	l.Issued, l.NextUpdate, l.Sequence = now, now.Add(TrustListValidity), max(now.Unix(), c.sequence+1)
	if responder.NotAfter.Before(l.NextUpdate) {
		l.NextUpdate = responder.NotAfter.UTC().Truncate(time.Second)
	}
	signed, err := trustlist.Sign(ctx, l, responder, key, first.Certificate)
	if err != nil {
		return nil, err
	}
	c.looked, c.content, c.signed, c.sequence = now, content, signed, l.Sequence
	return signed, nil
}

// trustListNow gathers what the authority says of itself.
func (a *Authority) trustListNow(ctx context.Context) (trustlist.List, error) {
	l := trustlist.List{Issuer: a.root.Subject.String(), Authorities: [][]byte{a.root.Raw}}
	root, err := a.RootCRL(ctx)
	if err != nil {
		return l, err
	}
	l.CRLs = append(l.CRLs, root)
	for _, s := range a.issuers {
		list, err := a.CRL(ctx, s.ID)
		if err != nil {
			return l, err
		}
		l.CRLs = append(l.CRLs, list)
		l.Authorities = append(l.Authorities, s.Certificate.Raw)
	}
	return l, nil
}
