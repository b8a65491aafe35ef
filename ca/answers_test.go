package ca

import (
	"bytes"
	"context"
	"encoding/asn1"
	"math/big"
	"sync"
	"testing"
	"time"

	"yinxin/ca/chain"
	"yinxin/ca/ocsp"
	"yinxin/internal/access"
	"yinxin/internal/oid"
	"yinxin/keystore"
)

// question is a request about one certificate without nonce.
func (w *world) question(t testing.TB, hash asn1.ObjectIdentifier, serial *big.Int) []byte {
	t.Helper()
	id, err := ocsp.NewCertID(hash, w.first().Certificate, serial)
	must(t, err)
	request, err := ocsp.CreateRequest([]ocsp.CertID{id}, nil)
	must(t, err)
	return request
}

// state is what a response says of the one certificate it is about.
func (w *world) state(t testing.TB, response []byte) ocsp.Status {
	t.Helper()
	r, err := ocsp.ParseResponse(response)
	must(t, err)
	if r.Status != ocsp.Successful {
		t.Fatalf("response status %d", r.Status)
	}
	must(t, r.Verify(w.first().Certificate, w.time()))
	return r.Singles[0].Status
}

func TestAKeptAnswerIsRightAsSoonAsAnotherProcessChangedTheState(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		other := w.open() // another process on the same database
		c, neighbour := w.issue(t, institution(t)), w.issue(t, institution(t))
		request, apart := w.question(t, oid.SHA1, c.Serial), w.question(t, oid.SHA1, neighbour.Serial)
		is := func(want ocsp.Status, when string) {
			t.Helper()
			w.pass(lookInterval)
			first := w.OCSPAnswer(t.Context(), request)
			if got := w.state(t, first.DER); got != want {
				t.Errorf("%s: %v, want %v", when, got, want)
			}
			if second := w.OCSPAnswer(t.Context(), request); !bytes.Equal(first.DER, second.DER) || first.ETag != second.ETag || first.ETag == "" {
				t.Errorf("%s: the answer was not kept", when)
			}
		}
		is(ocsp.Good, "issued")
		kept := w.OCSP(t.Context(), apart)
		act := func(kind access.Kind, subject []byte, do func(id string) error) {
			t.Helper()
			must(t, do(w.approve(t, kind, subject)))
		}
		act(access.KindSuspendCertificate, SuspendSubject(c.Serial), func(id string) error { return other.Suspend(t.Context(), id, c.Serial) })
		is(ocsp.Revoked, "put on hold")
		must(t, other.PublishIfDue(t.Context())) // the count of waiting changes is as before
		act(access.KindResumeCertificate, ResumeSubject(c.Serial), func(id string) error { return other.Resume(t.Context(), id, c.Serial) })
		is(ocsp.Good, "freed")
		act(access.KindRevokeCertificate, RevokeSubject(c.Serial, ReasonSuperseded), func(id string) error { return other.Revoke(t.Context(), id, c.Serial, ReasonSuperseded) })
		must(t, other.PublishIfDue(t.Context())) // published before this process looked
		is(ocsp.Revoked, "revoked and published between two looks")
		if !bytes.Equal(kept, w.OCSP(t.Context(), apart)) {
			t.Error("the answer for a certificate to which nothing happened was dropped")
		}
		w.pass(keptAnswer)
		if again := w.OCSP(t.Context(), apart); bytes.Equal(kept, again) || w.state(t, again) != ocsp.Good {
			t.Error("an answer is kept too long")
		}
	})
}

// An answer that was being made while the state changed must not be kept.
func TestAnAnswerThatWasOvertakenIsNotKept(t *testing.T) {
	w := sqliteWorld(t)
	c := w.issue(t, institution(t))
	id, err := ocsp.NewCertID(oid.SM3, w.first().Certificate, c.Serial)
	must(t, err)
	before, err := w.first().answers.look(t.Context(), w.Authority, FirstIssuer)
	must(t, err)
	w.revoke(t, c.Serial, ReasonSuperseded)
	w.pass(lookInterval)
	_, err = w.first().answers.look(t.Context(), w.Authority, FirstIssuer)
	must(t, err)
	w.first().answers.put(ocsp.Single{CertID: id, Status: ocsp.Good}, []byte("good"), before)
	if got := w.state(t, w.OCSP(t.Context(), w.question(t, oid.SM3, c.Serial))); got != ocsp.Revoked {
		t.Errorf("%v", got)
	}
}

func TestAnAnswerIsTryLaterWhenTheDatabaseCannotSayWhatChanged(t *testing.T) {
	w := sqliteWorld(t)
	c := w.issue(t, institution(t))
	request := w.question(t, oid.SHA256, c.Serial)
	if got := w.state(t, w.OCSP(t.Context(), request)); got != ocsp.Good {
		t.Fatal(got)
	}
	must(t, w.db.Close())
	w.pass(lookInterval - time.Nanosecond)
	if got := w.state(t, w.OCSP(t.Context(), request)); got != ocsp.Good {
		t.Errorf("what was known half a second ago still counts: %v", got)
	}
	for range 2 {
		w.pass(time.Nanosecond)
		if r, err := ocsp.ParseResponse(w.OCSP(t.Context(), request)); err != nil || r.Status != ocsp.TryLater {
			t.Errorf("%+v, %v", r, err)
		}
	}
	// Nor is it good when the clock went back to when it was.
	w.pass(-time.Hour)
	if r, err := ocsp.ParseResponse(w.OCSP(t.Context(), request)); err != nil || r.Status != ocsp.TryLater {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestOnlyAnswersThatStayTrueAreKept(t *testing.T) {
	w := sqliteWorld(t)
	c := w.issue(t, institution(t))
	id, err := ocsp.NewCertID(oid.SHA1, w.first().Certificate, c.Serial)
	must(t, err)
	strange, err := ocsp.NewCertID(oid.SHA1, w.first().Certificate, big.NewInt(4711))
	must(t, err)
	for name, test := range map[string]struct {
		ids   []ocsp.CertID
		nonce []byte
	}{"with a nonce": {[]ocsp.CertID{id}, []byte("0123456789abcdef")}, "about two": {[]ocsp.CertID{id, id}, nil}, "about an unknown one": {[]ocsp.CertID{strange}, nil}} {
		request, err := ocsp.CreateRequest(test.ids, test.nonce)
		must(t, err)
		first, second := w.OCSPAnswer(t.Context(), request), w.OCSPAnswer(t.Context(), request)
		if first.ETag != "" || bytes.Equal(first.DER, second.DER) {
			t.Errorf("%s: kept", name)
		}
		if r, err := ocsp.ParseResponse(second.DER); err != nil || !bytes.Equal(r.Nonce, test.nonce) {
			t.Errorf("%s: nonce %x, %v", name, r.Nonce, err)
		}
	}
	// Whoever sprays serial numbers and forms fills no memory.
	for i := range 40 {
		_ = w.OCSP(t.Context(), w.question(t, oid.SHA1, big.NewInt(int64(i+1))))
	}
	var forms [][]byte
	for _, hash := range []asn1.ObjectIdentifier{oid.SHA1, oid.SHA256, oid.SM3} {
		id, err := ocsp.NewCertID(hash, w.first().Certificate, c.Serial)
		must(t, err)
		id.Hash = append(asn1.ObjectIdentifier{}, id.Hash...)
		for _, raw := range [][]byte{id.Raw, nil} {
			id.Raw = raw
			request, err := ocsp.CreateRequest([]ocsp.CertID{id}, nil)
			must(t, err)
			forms = append(forms, request)
		}
	}
	for range 3 {
		for _, request := range forms {
			if got := w.state(t, w.OCSP(t.Context(), request)); got != ocsp.Good {
				t.Error(got)
			}
		}
	}
	if n := len(w.first().answers.young) + len(w.first().answers.old); n != 1 {
		t.Errorf("%d certificates are remembered", n)
	}
	for _, kept := range w.first().answers.young {
		if len(kept) > answerForms {
			t.Errorf("%d forms", len(kept))
		}
	}
}

func TestTheMemoryOfAnswersIsBounded(t *testing.T) {
	w := sqliteWorld(t)
	v, err := w.first().answers.look(t.Context(), w.Authority, FirstIssuer)
	must(t, err)
	for i := range 3 * answerGeneration {
		id := ocsp.CertID{Serial: big.NewInt(int64(i + 1)), Raw: []byte{1}}
		w.first().answers.put(ocsp.Single{CertID: id, Status: ocsp.Good}, []byte{1}, v)
		w.first().answers.get(ocsp.CertID{Serial: big.NewInt(1), Raw: []byte{1}}, v)
	}
	if len(w.first().answers.young) > answerGeneration || len(w.first().answers.old) > answerGeneration {
		t.Errorf("%d and %d", len(w.first().answers.young), len(w.first().answers.old))
	}
	if _, ok := w.first().answers.get(ocsp.CertID{Serial: big.NewInt(1), Raw: []byte{1}}, v); !ok {
		t.Error("what is asked for again and again was forgotten")
	}
	if _, ok := w.first().answers.get(ocsp.CertID{Serial: big.NewInt(2), Raw: []byte{1}}, v); ok {
		t.Error("what nobody asks for is still there")
	}
}

func TestAKeptAnswerOfARevokedResponderIsDropped(t *testing.T) {
	w := sqliteWorld(t)
	c := w.issue(t, institution(t))
	key, err := w.config().Keys.Get(t.Context(), KeyOCSP)
	must(t, err)
	request := w.question(t, oid.SM3, c.Serial)
	before := w.OCSP(t.Context(), request)
	w.pass(time.Second)
	second := w.issue(t, Request{Profile: ProfileOCSP, Public: key.Public(), Organisation: "某某省档案馆", CommonName: "OCSP"})
	w.revoke(t, w.made.Issuing[0].OCSP.Serial, ReasonKeyCompromise)
	w.pass(lookInterval)
	after, err := ocsp.ParseResponse(w.OCSP(t.Context(), request))
	must(t, err)
	if bytes.Equal(after.Raw, before) || after.Certificates[0].Fingerprint() != second.Fingerprint() {
		t.Error("the answer of the revoked responder is still given")
	}
}

// Many ask while another process revokes: nobody who begins a second after a revocation returned is told good.
func TestManyAskWhileCertificatesAreRevoked(t *testing.T) {
	w := sqliteWorld(t)
	config := w.config()
	config.Clock = time.Now
	asker, err := Open(t.Context(), config)
	must(t, err)
	must(t, w.keys.Ring(keystore.PurposeOCSP).SetState(t.Context(), KeyOCSP, keystore.StateActive))
	w.lock.Lock()
	w.now = time.Now()
	w.lock.Unlock()
	const n = 8
	var certificates [n]*chain.Certificate
	var ids [n]string
	var revoked [n]time.Time
	for i := range n {
		certificates[i] = w.issue(t, institution(t))
		ids[i] = w.approve(t, access.KindRevokeCertificate, RevokeSubject(certificates[i].Serial, ReasonSuperseded))
	}
	ctx, stop := context.WithCancel(t.Context())
	var lock sync.Mutex
	var asking sync.WaitGroup
	var answers, late int
	for range 4 {
		asking.Go(func() {
			for i := 0; ctx.Err() == nil; i = (i + 1) % n {
				request := w.question(t, oid.SHA1, certificates[i].Serial)
				begun := time.Now()
				r, err := ocsp.ParseResponse(asker.OCSP(context.Background(), request))
				lock.Lock()
				if err != nil || r.Status != 0 {
					t.Errorf("%+v, %v", r, err)
				} else if r.Singles[0].Status == ocsp.Good && !revoked[i].IsZero() && begun.Sub(revoked[i]) > time.Second {
					late++
				}
				answers++
				lock.Unlock()
			}
		})
	}
	for i := range n {
		must(t, w.Revoke(context.Background(), ids[i], certificates[i].Serial, ReasonSuperseded))
		lock.Lock()
		revoked[i] = time.Now()
		lock.Unlock()
	}
	deadline := time.Now().Add(1500 * time.Millisecond)
	for seen := 0; seen < n && time.Now().Before(deadline); {
		seen = 0
		for i := range n {
			r, err := ocsp.ParseResponse(asker.OCSP(context.Background(), w.question(t, oid.SHA1, certificates[i].Serial)))
			must(t, err)
			if r.Singles[0].Status == ocsp.Revoked {
				seen++
			}
		}
	}
	if took := time.Since(revoked[n-1]); took > time.Second {
		t.Errorf("the last revocation was in the answers after %v", took)
	}
	stop()
	asking.Wait()
	if late > 0 || answers == 0 {
		t.Errorf("%d of %d answers were good more than a second after the revocation", late, answers)
	}
}

func TestHostileQuestionsGetAnAnswerInOCSPsOwnWords(t *testing.T) {
	w, elsewhere := sqliteWorld(t), sqliteWorld(t)
	c := w.issue(t, institution(t))
	id, err := ocsp.NewCertID(oid.SHA1, w.first().Certificate, c.Serial)
	must(t, err)
	with := func(change func(id *ocsp.CertID)) []byte {
		changed := id
		changed.Raw = nil
		change(&changed)
		request, err := ocsp.CreateRequest([]ocsp.CertID{changed}, nil)
		must(t, err)
		return request
	}
	foreign, err := ocsp.NewCertID(oid.SM3, elsewhere.first().Certificate, c.Serial)
	must(t, err)
	many := func(n int) []byte {
		ids := make([]ocsp.CertID, n)
		for i := range ids {
			ids[i] = id
		}
		request, err := ocsp.CreateRequest(ids, nil)
		must(t, err)
		return request
	}
	good := many(1)
	for name, test := range map[string]struct {
		request []byte
		status  int
		single  ocsp.Status // of a successful one
	}{
		"a good one":                 {good, ocsp.Successful, ocsp.Good},
		"as many as allowed":         {many(maxAsked), ocsp.Successful, ocsp.Good},
		"one more":                   {many(maxAsked + 1), ocsp.MalformedRequest, 0},
		"oversized":                  {append(bytes.Clone(good), make([]byte, ocsp.MaxRequest)...), ocsp.MalformedRequest, 0},
		"an octet too many":          {append(bytes.Clone(good), 0), ocsp.MalformedRequest, 0},
		"cut short":                  {good[:len(good)-1], ocsp.MalformedRequest, 0},
		"the same name, another key": {with(func(id *ocsp.CertID) { id.KeyHash = bytes.Repeat([]byte{1}, 20) }), ocsp.Unauthorized, 0},
		"another CA of the same name": {with(func(id *ocsp.CertID) {
			id.Hash, id.NameHash, id.KeyHash = foreign.Hash, foreign.NameHash, foreign.KeyHash
		}), ocsp.Unauthorized, 0},
		"a digest that is not known":          {with(func(id *ocsp.CertID) { id.Hash = oid.MD5 }), ocsp.Unauthorized, 0},
		"a digest under another's name":       {with(func(id *ocsp.CertID) { id.Hash = oid.SM3 }), ocsp.Unauthorized, 0},
		"serial number 0":                     {with(func(id *ocsp.CertID) { id.Serial = new(big.Int) }), ocsp.Successful, ocsp.Unknown},
		"a negative one":                      {with(func(id *ocsp.CertID) { id.Serial = new(big.Int).Neg(c.Serial) }), ocsp.Successful, ocsp.Unknown},
		"one of 500 bits":                     {with(func(id *ocsp.CertID) { id.Serial = new(big.Int).Lsh(c.Serial, 380) }), ocsp.Successful, ocsp.Unknown},
		"one that ends as a certificate does": {with(func(id *ocsp.CertID) { id.Serial = new(big.Int).Add(c.Serial, new(big.Int).Lsh(big.NewInt(1), 128)) }), ocsp.Successful, ocsp.Unknown},
	} {
		for _, time := range []string{"", " again"} { // a request that is replayed is answered as before
			r, err := ocsp.ParseResponse(w.OCSP(t.Context(), test.request))
			if err != nil || r.Status != test.status || r.Status == 0 && r.Singles[0].Status != test.single {
				t.Errorf("%s%s: %+v, %v", name, time, r, err)
			}
		}
	}
}
