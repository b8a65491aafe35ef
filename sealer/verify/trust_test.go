package verify

import (
	"bytes"
	"context"
	"errors"
	"math/big"
	"testing"
	"time"

	"github.com/emmansun/gmsm/smx509"

	"yinxin/ca/chain"
	"yinxin/ca/chain/chaintest"
	"yinxin/sealer/ses"
)

func revoked(h *chaintest.Holder, at time.Time) smx509.RevocationListEntry {
	return smx509.RevocationListEntry{SerialNumber: new(big.Int).Set(h.Certificate.Serial), RevocationTime: at, ReasonCode: 1}
}

// current is a list of the issuing CA that is valid now.
func (h *house) current(t testing.TB, entries ...smx509.RevocationListEntry) *chain.CRL {
	return h.issuing.ParsedCRL(t, 2, now.Add(-time.Hour), now.Add(24*time.Hour), entries...)
}

// TestTrustIsJudgedAtSigningTime covers the rules about anchors, validity, revocation, and time that nothing proves.
func TestTrustIsJudgedAtSigningTime(t *testing.T) {
	h := newHouse(t)
	sealed := newFile().seal(t, h)
	stranger := newHouse(t)
	day := 24 * time.Hour
	for _, c := range []struct {
		name    string
		options func(o *Options)
		verdict Verdict
		reason  string
	}{
		{"no anchor at all", func(o *Options) { o.Chain = nil }, Undetermined, "not among the trusted ones"},
		{"another anchor", func(o *Options) { o.Chain = stranger.trust(t) }, Undetermined, "not among the trusted ones"},
		{"no revocation information", func(o *Options) { o.Chain.Revocation = nil }, Undetermined, "not known"},
		{"only a list that ended before signing", func(o *Options) {
			o.Chain = h.trust(t, h.issuing.ParsedCRL(t, 1, signed.Add(-2*day), signed.Add(-day)))
		}, Undetermined, "revocation status of the signer's certificate is not known"},
		{"a list good at signing that ended since", func(o *Options) {
			o.Chain = h.trust(t, h.issuing.ParsedCRL(t, 1, signed.Add(-day), signed.Add(day)))
		}, Undetermined, "not known whether the certificate is revoked now"},
		{"signer revoked before signing", func(o *Options) {
			o.Chain = h.trust(t, h.current(t, revoked(h.institution, signed.Add(-time.Minute))))
		}, Invalid, "revoked before signing"},
		{"signer revoked after signing", func(o *Options) {
			o.Chain = h.trust(t, h.current(t, revoked(h.institution, signed.Add(time.Minute))))
		}, Undetermined, "revoked later"},
		{"maker revoked before signing", func(o *Options) {
			o.Chain = h.trust(t, h.current(t, revoked(h.maker, signed.Add(-time.Minute))))
		}, Invalid, "seal maker's certificate had been revoked"},
		{"maker revoked after signing", func(o *Options) {
			o.Chain = h.trust(t, h.current(t, revoked(h.maker, signed.Add(time.Minute))))
		}, Valid, "revoked after signing"},
		{"signer expired since", func(o *Options) { o.At = chaintest.Start.Add(chaintest.Year + time.Hour) }, Undetermined, "has expired since"},
		{"the present is not known", func(o *Options) { o.At = time.Time{} }, Undetermined, "present is not known"},
		{"signed in the future", func(o *Options) { o.At = signed.Add(-time.Hour) }, Undetermined, "lies in the future"},
		{"the seal is active", func(o *Options) { o.SealStatus = standing(SealActive, nil) }, Valid, "The seal was in force"},
		{"the seal was suspended", func(o *Options) { o.SealStatus = standing(SealSuspended, nil) }, Invalid, "seal was suspended"},
		{"the seal was cancelled", func(o *Options) { o.SealStatus = standing(SealCancelled, nil) }, Invalid, "seal was cancelled"},
		{"the register has another seal with the code", func(o *Options) { o.SealStatus = standing(SealForged, nil) }, Invalid, "this one is forged"},
		{"the register does not know the seal", func(o *Options) { o.SealStatus = standing(SealUnknown, nil) }, Valid, "The state of the seal is not known"},
		{"the register does not answer", func(o *Options) { o.SealStatus = standing("", errors.New("down")) }, Valid, "could not be asked"},
		{"the register answers nonsense", func(o *Options) { o.SealStatus = standing("fine", nil) }, Valid, "not known"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := h.options(t)
			c.options(&o)
			want(t, sealed.verify(t, o), c.verdict, c.reason)
		})
	}
}

func standing(s SealStanding, err error) func(context.Context, string, []byte, time.Time) (SealState, error) {
	return func(_ context.Context, id string, der []byte, at time.Time) (SealState, error) {
		if id != "53000000000001" || !at.Equal(signed) || len(der) == 0 {
			return SealState{}, errors.New("asked for another seal")
		}
		return SealState{Standing: s}, err
	}
}

// TestIntegrityIsJudgedBeforeTrust: a changed file under an unknown anchor is modified, not undetermined.
func TestIntegrityIsJudgedBeforeTrust(t *testing.T) {
	h := newHouse(t)
	sealed := newFile().seal(t, h)
	unknown := Options{At: now, Language: "en"}
	want(t, sealed.clone().replaceLast(t, "Grade: 85", "Grade: 99").verify(t, unknown), Modified, "does not match the digest")
	want(t, sealed.clone().update("", map[int]string{contentObject: forgedPage}).verify(t, unknown), Modified, "content of page 1")
	forged := newFile().seal(t, h, func(p *parts) {
		p.contents = func(der []byte) []byte { der[len(der)-1] ^= 1; return der }
	})
	want(t, forged.verify(t, unknown), Invalid, "signer's signature is wrong")
}

// TestTheSealItselfIsChecked covers seals and signatures that are wrong in themselves.
func TestTheSealItselfIsChecked(t *testing.T) {
	for _, c := range []struct {
		name    string
		change  func(h *house) *file
		verdict Verdict
		reason  string
	}{
		{"version 5", func(h *house) *file {
			h.makeSeal(t, ses.Version5, chaintest.Start.Add(time.Hour), chaintest.Start.Add(chaintest.Year))
			return newFile().seal(t, h)
		}, Valid, "GM/T 0031-2025"},
		{"the seal had expired", func(h *house) *file {
			h.makeSeal(t, ses.Version4, chaintest.Start.Add(time.Hour), signed.Add(-time.Second))
			return newFile().seal(t, h)
		}, Invalid, "seal was not valid at the time of signing"},
		{"the seal was not valid yet", func(h *house) *file {
			h.makeSeal(t, ses.Version4, signed.Add(time.Second), chaintest.Start.Add(chaintest.Year))
			return newFile().seal(t, h)
		}, Invalid, "seal was not valid at the time of signing"},
		{"the signing time is before the certificate", func(h *house) *file {
			return newFile().seal(t, h, func(p *parts) { p.time = chaintest.Start.Add(-time.Hour) })
		}, Invalid, "not yet valid"},
		{"the seal lists another certificate", func(h *house) *file {
			h.institution = h.issuing.Issue(t, "53000000000002")
			return newFile().seal(t, h)
		}, Invalid, "does not list"},
		{"a certificate with the same name and serial number, and another key", func(h *house) *file {
			f := newFile()
			serial := h.institution.Certificate.Serial
			h.institution = h.issuing.Issue(t, "53000000000001", func(c *smx509.Certificate) { c.SerialNumber = serial })
			return f.seal(t, h)
		}, Invalid, "does not list"},
		{"the seal was signed by someone else", func(h *house) *file {
			h.maker.Key = h.institution.Key
			h.makeSeal(t, ses.Version4, chaintest.Start.Add(time.Hour), chaintest.Start.Add(chaintest.Year))
			return newFile().seal(t, h)
		}, Invalid, "maker's signature on the seal is wrong"},
		{"the maker's certificate came after the seal", func(h *house) *file {
			h.maker = h.issuing.Issue(t, "云岭制章", chaintest.Valid(chaintest.Start.Add(2*time.Hour), now))
			h.makeSeal(t, ses.Version4, chaintest.Start.Add(time.Hour), chaintest.Start.Add(chaintest.Year))
			return newFile().seal(t, h)
		}, Invalid, "not valid when the seal was made"},
		{"the maker expired before signing, version 4", func(h *house) *file {
			h.maker = h.issuing.Issue(t, "云岭制章", chaintest.Valid(chaintest.Start, signed.Add(-time.Hour)))
			h.makeSeal(t, ses.Version4, chaintest.Start.Add(time.Hour), chaintest.Start.Add(chaintest.Year))
			return newFile().seal(t, h)
		}, Invalid, "maker's certificate was not valid at the time of signing"},
		{"the maker expired before signing, version 5", func(h *house) *file {
			h.maker = h.issuing.Issue(t, "云岭制章", chaintest.Valid(chaintest.Start, signed.Add(-time.Hour)))
			h.makeSeal(t, ses.Version5, chaintest.Start.Add(time.Hour), chaintest.Start.Add(chaintest.Year))
			return newFile().seal(t, h)
		}, Valid, "expired after the seal was made"},
		{"the signer's certificate is for a CA only", func(h *house) *file {
			h.institution = h.issuing.Issue(t, "53000000000001", chaintest.Usage(smx509.KeyUsageCRLSign))
			h.makeSeal(t, ses.Version4, chaintest.Start.Add(time.Hour), chaintest.Start.Add(chaintest.Year))
			return newFile().seal(t, h)
		}, Invalid, "key usage"},
		{"the signature protects something else by its own words", func(h *house) *file {
			return newFile().seal(t, h, func(p *parts) {
				p.contents = func(der []byte) []byte { return bytes.Replace(der, []byte("[0 0"), []byte("[1 0"), 1) }
			})
		}, Invalid, "is not what it covers"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHouse(t)
			f := c.change(h)
			o := h.options(t)
			// The list of the day of signing is kept: a later one says nothing of certificates that have expired.
			o.Chain = h.trust(t, h.current(t), h.issuing.ParsedCRL(t, 1, signed.Add(-2*time.Hour), signed.Add(24*time.Hour)))
			want(t, f.verify(t, o), c.verdict, c.reason)
		})
	}
}
