package ca

import (
	"bytes"
	"context"
	"encoding/asn1"
	"math/big"
	"slices"
	"testing"
	"time"

	"yinxin/ca/chain"
	"yinxin/ca/ocsp"
	"yinxin/internal/oid"
	"yinxin/keystore"
)

func TestTheResponderAnswersWhatItKnows(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		c := w.issue(t, institution(t))
		for _, hash := range []asn1.ObjectIdentifier{oid.SHA1, oid.SHA256, oid.SM3} {
			if single := w.ask(t, hash, c.Serial); single.Status != ocsp.Good {
				t.Errorf("%v: %+v", hash, single)
			}
		}
		for name, serial := range map[string]*big.Int{"never issued": big.NewInt(1), "longer than ours": new(big.Int).Lsh(big.NewInt(1), 150), "the issuing CA's own": w.first().Certificate.Serial} {
			if single := w.ask(t, oid.SM3, serial); single.Status != ocsp.Unknown {
				t.Errorf("%s: %+v", name, single)
			}
		}
		if single := w.ask(t, oid.SM3, w.made.SealMaker.Serial); single.Status != ocsp.Good {
			t.Errorf("the seal maker's: %+v", single)
		}
		r := institution(t)
		w.issueUntil(t, r, "signed")
		list, err := w.Certificates(t.Context(), Filter{Public: keystore.Point(r.Public)})
		must(t, err)
		if single := w.ask(t, oid.SM3, list[0].Serial); single.Status != ocsp.Unknown {
			t.Errorf("one that is not released yet: %+v", single)
		}
		w.open()
		if single := w.ask(t, oid.SM3, list[0].Serial); single.Status != ocsp.Revoked {
			t.Errorf("one that was voided: %+v", single)
		}
	})
}

func TestTheResponderAnswersNobodyElsesQuestions(t *testing.T) {
	w := sqliteWorld(t)
	c := w.issue(t, institution(t))
	status := func(issuers ...*chain.Certificate) *ocsp.Response {
		t.Helper()
		var ids []ocsp.CertID
		for _, issuer := range issuers {
			id, err := ocsp.NewCertID(oid.SM3, issuer, c.Serial)
			must(t, err)
			ids = append(ids, id)
		}
		request, err := ocsp.CreateRequest(ids, nil)
		must(t, err)
		response, err := ocsp.ParseResponse(w.OCSP(t.Context(), request))
		must(t, err)
		return response
	}
	if r := status(w.root); r.Status != ocsp.Unauthorized {
		t.Errorf("about the root's certificates: %+v", r)
	}
	if r := status(w.root, w.first().Certificate); len(r.Singles) != 2 || r.Singles[0].Status != ocsp.Unknown || r.Singles[1].Status != ocsp.Good {
		t.Errorf("about both: %+v", r)
	}
	for name, request := range map[string][]byte{"nothing": nil, "noise": []byte("noise"), "an empty sequence": {0x30, 0}} {
		if r, err := ocsp.ParseResponse(w.OCSP(t.Context(), request)); err != nil || r.Status != ocsp.MalformedRequest {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
}

func TestTheResponderSaysTryLaterRatherThanGood(t *testing.T) {
	ask := func(w *world, c *chain.Certificate) int {
		id, err := ocsp.NewCertID(oid.SM3, w.first().Certificate, c.Serial)
		must(t, err)
		request, err := ocsp.CreateRequest([]ocsp.CertID{id}, nil)
		must(t, err)
		response, err := ocsp.ParseResponse(w.OCSP(context.Background(), request))
		must(t, err)
		return response.Status
	}
	for name, breakIt := range map[string]func(w *world){
		"the database is gone": func(w *world) { must(t, w.db.Close()) },
		"the key is suspended": func(w *world) {
			must(t, w.keys.Ring(keystore.PurposeOCSP).SetState(context.Background(), KeyOCSP, keystore.StateSuspended))
		},
		"the responder's certificate is revoked": func(w *world) {
			w.revoke(t, w.made.Issuing[0].OCSP.Serial, ReasonKeyCompromise)
			w.pass(time.Minute)
		},
		"the responder's certificate has expired": func(w *world) { w.pass(w.made.Issuing[0].OCSP.NotAfter.Sub(w.time()) + time.Second) },
	} {
		w := sqliteWorld(t)
		c := w.issue(t, institution(t))
		if got := ask(w, c); got != 0 {
			t.Errorf("before anything broke: %d", got)
		}
		breakIt(w)
		w.pass(lookInterval)
		if got := ask(w, c); got != ocsp.TryLater {
			t.Errorf("%s: %d", name, got)
		}
	}
}

func TestARenewedResponderIsTakenUp(t *testing.T) {
	w := sqliteWorld(t)
	c := w.issue(t, institution(t))
	w.pass(w.made.Issuing[0].OCSP.NotAfter.Sub(w.time()) - 24*time.Hour)
	key, err := w.config().Keys.Get(t.Context(), KeyOCSP)
	must(t, err)
	w.issue(t, Request{Profile: ProfileOCSP, Public: key.Public(), Organisation: "某某省档案馆", CommonName: "OCSP"})
	w.pass(48 * time.Hour)
	if single := w.ask(t, oid.SM3, c.Serial); single.Status != ocsp.Good {
		t.Errorf("%+v", single)
	}
}

func TestStatusKnowsOnlyWhatWasIssuedHere(t *testing.T) {
	w, elsewhere := sqliteWorld(t), sqliteWorld(t)
	c, foreign := w.issue(t, institution(t)), elsewhere.issue(t, institution(t))
	for name, k := range map[string]struct {
		cert, issuer *chain.Certificate
		want         chain.State
	}{
		"ours":                     {c, w.first().Certificate, chain.StateGood},
		"the issuing CA":           {w.first().Certificate, w.root, chain.StateGood},
		"of another CA":            {foreign, elsewhere.first().Certificate, chain.StateUnknown},
		"a foreign one as ours":    {foreign, w.first().Certificate, chain.StateUnknown},
		"ours under another CA":    {c, elsewhere.first().Certificate, chain.StateUnknown},
		"no certificate":           {nil, w.first().Certificate, chain.StateUnknown},
		"one with a changed value": {changed(t, c), w.first().Certificate, chain.StateUnknown},
	} {
		s, err := w.Status(t.Context(), k.cert, k.issuer, w.time())
		if err != nil || s.State != k.want {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
	}
}

func changed(t *testing.T, c *chain.Certificate) *chain.Certificate {
	t.Helper()
	other, err := chain.ParseCertificate(flip(c.Raw, len(c.Raw)-2))
	must(t, err)
	return other
}

func TestTheStateIsJudgedToTheSecond(t *testing.T) {
	at := time.Date(2026, 3, 5, 8, 0, 0, 0, time.UTC)
	events := []statusEvent{
		{actionSuspend, ReasonCertificateHold, at.Add(10*time.Second + 900*time.Millisecond)},
		{actionResume, 0, at.Add(20 * time.Second)},
		{actionSuspend, ReasonCertificateHold, at.Add(30 * time.Second)},
		{actionRevoke, ReasonKeyCompromise, at.Add(40 * time.Second)},
	}
	for offset, want := range map[float64]struct {
		state  chain.State
		later  bool
		since  int
		reason Reason
	}{
		0: {chain.StateGood, true, 40, ReasonKeyCompromise}, 9.9: {chain.StateGood, true, 40, ReasonKeyCompromise}, 10.1: {chain.StateRevoked, false, 10, ReasonCertificateHold},
		19.9: {chain.StateRevoked, false, 10, ReasonCertificateHold}, 20: {chain.StateGood, true, 40, ReasonKeyCompromise},
		30: {chain.StateRevoked, false, 30, ReasonCertificateHold}, 40: {chain.StateRevoked, false, 40, ReasonKeyCompromise}, 1e6: {chain.StateRevoked, false, 40, ReasonKeyCompromise},
	} {
		s := judge(events, at.Add(time.Duration(offset*float64(time.Second))))
		if s.State != want.state || s.RevokedLater != want.later || Reason(s.Reason) != want.reason || !s.At.Equal(at.Add(time.Duration(want.since)*time.Second)) {
			t.Errorf("after %v s: %+v", offset, s)
		}
	}
}

func TestCertificatesAreListedAndFound(t *testing.T) {
	w := sqliteWorld(t)
	c := w.issue(t, institution(t))
	w.pass(time.Second)
	d := w.issue(t, institution(t))
	w.revoke(t, c.Serial, ReasonSuperseded)
	list, err := w.Certificates(t.Context(), Filter{Profile: ProfileInstitution})
	must(t, err)
	if len(list) != 2 || list[0].Serial.Cmp(d.Serial) != 0 || list[1].State != RecordRevoked || list[1].Reason != ReasonSuperseded || list[1].Since.IsZero() {
		t.Errorf("%+v", list)
	}
	for name, k := range map[string]struct {
		filter Filter
		want   int
	}{
		"everything": {Filter{}, 7}, "by seal code": {Filter{Name: testSealCode}, 2}, "one page": {Filter{Limit: 3}, 3},
		"older ones": {Filter{Before: list[0].Created}, 6}, "none": {Filter{Name: "nobody"}, 0},
	} {
		if got, err := w.Certificates(t.Context(), k.filter); err != nil || len(got) != k.want {
			t.Errorf("%s: %d, %v", name, len(got), err)
		}
	}
	// Those of a ceremony were made at one time: a list in pieces has each of them once.
	var pieces []string
	for f := (Filter{Limit: 1}); ; {
		one, err := w.Certificates(t.Context(), f)
		must(t, err)
		if len(one) == 0 {
			break
		}
		f.After = one[0].Serial
		pieces = append(pieces, SerialText(one[0].Serial))
	}
	slices.Sort(pieces)
	if len(slices.Compact(pieces)) != 7 {
		t.Errorf("%v", pieces)
	}
	maker, err := w.Current(t.Context(), ProfileSealMaker)
	if err != nil || maker.Fingerprint() != w.made.SealMaker.Fingerprint() {
		t.Errorf("seal maker %v", err)
	}
	w.revoke(t, maker.Serial, ReasonKeyCompromise)
	_, err = w.Current(t.Context(), ProfileSealMaker)
	wantCode(t, err, ErrNotFound)
	_, err = w.Certificate(t.Context(), big.NewInt(3))
	wantCode(t, err, ErrNotFound)
	_, err = w.Certificate(t.Context(), nil)
	wantCode(t, err, ErrNotFound)
}

func BenchmarkOCSP(b *testing.B) {
	w := sqliteWorld(b)
	c := w.issue(b, institution(b))
	id, err := ocsp.NewCertID(oid.SHA1, w.first().Certificate, c.Serial)
	must(b, err)
	request, err := ocsp.CreateRequest([]ocsp.CertID{id}, nil)
	must(b, err)
	b.Run("floor of a new one", func(b *testing.B) {
		for b.Loop() {
			if _, err := w.first().key.SignDigest(b.Context(), [32]byte{1}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("new", func(b *testing.B) {
		nonce, err := ocsp.CreateRequest([]ocsp.CertID{id}, []byte("0123456789abcdef"))
		must(b, err)
		for b.Loop() {
			w.OCSP(b.Context(), nonce)
		}
	})
	b.Run("floor of a kept one", func(b *testing.B) {
		kept := map[string][]byte{string(id.Raw): w.OCSP(b.Context(), request)}
		for b.Loop() {
			asked, err := ocsp.ParseRequest(request)
			if err != nil || bytes.Clone(kept[string(asked.CertIDs[0].Raw)]) == nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("kept", func(b *testing.B) {
		for b.Loop() {
			w.OCSP(b.Context(), request)
		}
	})
}
