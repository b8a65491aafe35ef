package ca

import (
	"testing"
	"time"

	"yinxin/ca/chain"
	"yinxin/ca/cms"
	"yinxin/ca/tsa"
	"yinxin/keystore"
)

func TestTheAuthorityStampsWithItsOwnCertificate(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		digest := cms.SM3.Sum([]byte("data"))
		raw, err := w.Stamp(t.Context(), cms.SM3, digest)
		must(t, err)
		token, err := tsa.Parse(raw)
		must(t, err)
		rootCRL, err := chain.ParseCRL(w.made.RootCRL)
		must(t, err)
		v := &chain.Verifier{Anchors: chain.NewAnchors(w.root), Revocation: chain.NewCRLSource(w.crl(t), rootCRL)}
		r := token.Verify(t.Context(), digest, v)
		if !r.Good() || r.Certificate.Fingerprint() != w.made.TSA.Fingerprint() {
			t.Errorf("%v, %+v", r.Err, r.Chain)
		}
		if size, err := w.StampSize(t.Context()); err != nil || size < len(raw) {
			t.Errorf("%d octets reserved for %d: %v", size, len(raw), err)
		}
		request, err := tsa.CreateRequest(tsa.Request{Imprint: tsa.Imprint{Hash: cms.SM3, Digest: digest}, Certificates: true})
		must(t, err)
		response, err := tsa.ParseResponse(w.TimeStamp(t.Context(), request))
		must(t, err)
		if response.Status != tsa.Granted {
			t.Errorf("%+v", response)
		}
	})
}

// A revoked certificate stamps no more, a suspended key neither, and a ring that does not reach the key never did.
func TestWithoutACertificateOrKeyNothingIsStamped(t *testing.T) {
	digest := cms.SM3.Sum([]byte("data"))
	for name, spoil := range map[string]func(w *world){
		"the certificate is revoked": func(w *world) {
			w.revoke(t, w.made.TSA.Serial, ReasonKeyCompromise)
			w.pass(2 * time.Minute)
		},
		"the certificate expires":     func(w *world) { w.pass(w.made.TSA.NotAfter.Sub(w.time()) + time.Second) },
		"the key is not in the ring":  func(w *world) { w.Keys = w.keys.Ring(keystore.PurposeIssuing); w.Authority.stamping.authority = nil },
		"the authority signs nothing": func(w *world) { w.Keys = nil; w.Authority.stamping.authority = nil },
	} {
		w := sqliteWorld(t)
		if _, err := w.Stamp(t.Context(), cms.SM3, digest); err != nil {
			t.Fatal(err)
		}
		spoil(w)
		_, err := w.Stamp(t.Context(), cms.SM3, digest)
		if err == nil {
			t.Errorf("%s: stamped", name)
			continue
		}
		wantCode(t, err, tsa.ErrAuthority)
		if response, err := tsa.ParseResponse(w.TimeStamp(t.Context(), nil)); err != nil || response.Failure != tsa.SystemFailure {
			t.Errorf("%s: %+v, %v", name, response, err)
		}
	}
}
