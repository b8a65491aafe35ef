package trustlist

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"sort"
	"strconv"
	"time"

	"github.com/emmansun/gmsm/sm3"

	"yinxin/ca/chain"
	"yinxin/ca/cms"
	"yinxin/internal/fault"
)

// skew is how far another machine's clock may be ahead.
const skew = 10 * time.Minute

// Check says what a list is judged by.
type Check struct {
	// Chain knows the anchors that the caller trusts. Nil trusts nothing.
	Chain *chain.Verifier
	// At is the time as of which it is used: after its next update it is refused.
	At time.Time
	// Now is the present: a list of the future is refused.
	Now time.Time
}

// Opened is a list that was found good.
type Opened struct {
	List
	Signer      *chain.Certificate
	Authorities []*chain.Certificate
	Lists       []*chain.CRL
}

// Open checks a signed list and reads it. Errors: ErrMalformed, ErrTooLarge, ErrSignature, ErrUntrusted, ErrExpired,
// ErrFuture; the end of the context.
func Open(ctx context.Context, data []byte, c Check) (*Opened, error) {
	if len(data) > MaxSize {
		return nil, ErrTooLarge.With("%d bytes", len(data))
	}
	d, err := cms.Parse(data)
	switch {
	case fault.Has(err, cms.ErrTooLarge):
		return nil, ErrTooLarge.Because(err)
	case err != nil || !d.Embedded:
		return nil, ErrMalformed.Because(err)
	}
	signer, err := d.SignerCertificate()
	if err != nil {
		return nil, ErrSignature.Because(err)
	}
	if err := d.Verify(signer, nil).Err(); err != nil {
		return nil, ErrSignature.Because(err)
	}
	if c.Chain == nil {
		c.Chain = &chain.Verifier{}
	}
	// Who nobody trusts shall not have the content read.
	first := c.Chain.With(d.Certificates).Verify(ctx, signer, c.At, chain.UsageOCSP)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !first.Trusted {
		return nil, ErrUntrusted.With("%s", signer.Subject.CommonName).Because(first.ChainErr)
	}
	o := &Opened{Signer: signer}
	if o.List, err = Decode(d.Content); err != nil {
		return nil, err
	}
	if err := o.readAuthority(); err != nil {
		return nil, err
	}
	switch {
	case o.Issued.After(c.Now.Add(skew)):
		return nil, ErrFuture.With("%s", o.Issued.Format(time.RFC3339))
	case c.At.After(o.NextUpdate):
		return nil, ErrExpired.With("%s", o.NextUpdate.Format(time.RFC3339))
	}
	if err := o.judge(ctx, c); err != nil {
		return nil, err
	}
	return o, nil
}

// readAuthority reads the certificates and the lists, each of which must be signed by one of those.
func (o *Opened) readAuthority() error {
	for i, der := range o.List.Authorities {
		certificate, err := chain.ParseCertificate(der)
		if err != nil || !bytes.Equal(certificate.Raw, der) || !certificate.IsCA {
			return ErrMalformed.At(fault.Field("authorities[" + strconv.Itoa(i) + "]")).Because(err)
		}
		o.Authorities = append(o.Authorities, certificate)
	}
	for i, der := range o.CRLs {
		place := fault.Field("crls[" + strconv.Itoa(i) + "]")
		list, err := chain.ParseCRL(der)
		if err != nil {
			return ErrMalformed.At(place).Because(err)
		}
		var failures []error
		for _, issuer := range o.Authorities {
			failures = append(failures, list.CheckIssuer(issuer))
			if failures[len(failures)-1] == nil {
				failures = nil
				break
			}
		}
		if len(failures) > 0 {
			return ErrUntrusted.At(place).Because(errors.Join(failures...))
		}
		o.Lists = append(o.Lists, list)
	}
	return nil
}

// judge asks whether the signer may speak for everything in the list: all authorities stand below the same anchor, and by
// the list's own revocation lists neither they nor the signer were revoked.
func (o *Opened) judge(ctx context.Context, c Check) error {
	at := c.At
	if at.Before(o.Issued) {
		at = o.Issued
	}
	v := c.Chain.With(o.Authorities, chain.NewCRLSource(o.Lists...))
	r := v.Verify(ctx, o.Signer, at, chain.UsageOCSP)
	if err := ctx.Err(); err != nil {
		return err
	}
	if !r.Trusted || r.Expired || r.NotYetValid || r.Revocation.State == chain.StateRevoked {
		return ErrUntrusted.With("%s", o.Signer.Subject.CommonName).Because(r.ChainErr)
	}
	anchor := r.Path[len(r.Path)-1].Fingerprint()
	for i, a := range o.Authorities {
		if a.Fingerprint() == anchor {
			continue
		}
		above := v.Verify(ctx, a, at, chain.UsageAny)
		if !above.Trusted || above.Path[len(above.Path)-1].Fingerprint() != anchor {
			return ErrUntrusted.At(fault.Field("authorities[" + strconv.Itoa(i) + "]")).Because(above.ChainErr)
		}
	}
	return nil
}

// Trust adds what the list brings to a verifier: certificates on the way, which are not trusted by themselves, and revocation.
func (o *Opened) Trust(v *chain.Verifier) *chain.Verifier {
	source := chain.NewCRLSource(o.Lists...)
	if v.Revocation != nil {
		source = chain.Merge(v.Revocation, source)
	}
	return &chain.Verifier{Anchors: v.Trust().WithIntermediates(o.Authorities...), Revocation: source}
}

// Standing is what a list says of a seal.
type Standing struct {
	// Known: the list has the code.
	Known bool
	// Made: the list has exactly this seal.
	Made bool
	// State and its beginning at the time asked for; empty before the first.
	State string
	Since time.Time
	// Stale: the time asked for is after the list's next update, so that the state may have changed.
	Stale bool
}

// StateAt is what the list says of the seal with a code, seal being its DER, at a time.
func (o *Opened) StateAt(code string, seal []byte, at time.Time) Standing {
	i := sort.Search(len(o.Seals), func(i int) bool { return o.Seals[i].Code >= code })
	if i == len(o.Seals) || o.Seals[i].Code != code {
		return Standing{}
	}
	s := Standing{Known: true, Stale: at.After(o.NextUpdate)}
	sum := sm3.Sum(seal)
	digest := hex.EncodeToString(sum[:])
	for _, instance := range o.Seals[i].Instances {
		s.Made = s.Made || instance.Seal == digest
	}
	for _, state := range o.Seals[i].States {
		if !state.Since.After(at) {
			s.State, s.Since = state.State, state.Since
		}
	}
	return s
}

// Speaks says whether the list speaks for what the key with an identifier certified.
func (o *Opened) Speaks(keyID []byte) bool {
	for _, a := range o.Authorities {
		if len(keyID) > 0 && bytes.Equal(a.SubjectKeyID, keyID) {
			return true
		}
	}
	return false
}
