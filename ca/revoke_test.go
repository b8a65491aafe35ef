package ca

import (
	"context"
	"encoding/asn1"
	"math/big"
	"sync"
	"testing"
	"time"

	"yinxin/ca/chain"
	"yinxin/ca/ocsp"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/oid"
	"yinxin/internal/store"
	"yinxin/keystore"
)

// ask puts one question to the responder and verifies the answer.
func (w *world) ask(t *testing.T, hash asn1.ObjectIdentifier, serial *big.Int) ocsp.Single {
	t.Helper()
	id, err := ocsp.NewCertID(hash, w.issuing, serial)
	must(t, err)
	nonce := []byte("sixteen octets..")
	request, err := ocsp.CreateRequest([]ocsp.CertID{id}, nonce)
	must(t, err)
	response, err := ocsp.ParseResponse(w.OCSP(t.Context(), request))
	must(t, err)
	must(t, response.Verify(w.issuing, w.time()))
	if string(response.Nonce) != string(nonce) || len(response.Singles) != 1 || response.Singles[0].CertID.Serial.Cmp(serial) != 0 {
		t.Fatalf("response %+v", response)
	}
	if !response.ProducedAt.Equal(w.time().Truncate(time.Second)) {
		t.Errorf("produced at %v", response.ProducedAt)
	}
	return response.Singles[0]
}

// everywhere checks that OCSP, the CRL and Status say the same, at once.
func (w *world) everywhere(t *testing.T, c *chain.Certificate, want ocsp.Status, reason Reason, since time.Time) {
	t.Helper()
	since = since.Truncate(time.Second)
	single := w.ask(t, oid.SM3, c.Serial)
	if single.Status != want || want == ocsp.Revoked && (Reason(single.Reason) != reason || !single.RevokedAt.Equal(since)) {
		t.Errorf("OCSP says %+v", single)
	}
	entry, listed := w.crl(t).Lookup(c.Serial)
	if listed != (want == ocsp.Revoked) || listed && (Reason(entry.Reason) != reason || !entry.Time.Equal(since)) {
		t.Errorf("the CRL says %v %+v", listed, entry)
	}
	status, err := w.Status(t.Context(), c, w.issuing, w.time())
	must(t, err)
	state := chain.StateGood
	if want == ocsp.Revoked {
		state = chain.StateRevoked
	}
	if status.State != state || listed && (Reason(status.Reason) != reason || !status.At.Equal(since)) {
		t.Errorf("Status says %+v", status)
	}
}

func TestARevocationCountsEverywhereAtOnce(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		c, other := w.issue(t, institution(t)), w.issue(t, institution(t))
		w.everywhere(t, c, ocsp.Good, 0, time.Time{})
		w.pass(time.Hour)
		w.revoke(t, c.Serial, ReasonKeyCompromise)
		revoked := w.time()
		w.everywhere(t, c, ocsp.Revoked, ReasonKeyCompromise, revoked)
		w.everywhere(t, other, ocsp.Good, 0, time.Time{})
		w.pass(time.Hour)
		w.everywhere(t, c, ocsp.Revoked, ReasonKeyCompromise, revoked)
		again := w.approve(t, access.KindRevokeCertificate, RevokeSubject(c.Serial, ReasonSuperseded))
		wantCode(t, w.Revoke(t.Context(), again, c.Serial, ReasonSuperseded), ErrRevoked)
		w.everywhere(t, c, ocsp.Revoked, ReasonKeyCompromise, revoked)
	})
}

func TestAHoldIsLiftedOrMadeFinalByTwoPeople(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		c := w.issue(t, institution(t))
		resume := w.approve(t, access.KindResumeCertificate, ResumeSubject(c.Serial))
		wantCode(t, w.Resume(ctx, resume, c.Serial), ErrNotHeld)
		w.pass(time.Minute)
		held := w.time()
		w.suspend(t, c.Serial)
		w.everywhere(t, c, ocsp.Revoked, ReasonCertificateHold, held)
		again := w.approve(t, access.KindSuspendCertificate, SuspendSubject(c.Serial))
		wantCode(t, w.Suspend(ctx, again, c.Serial), ErrHeld)
		w.pass(time.Minute)
		must(t, w.Resume(ctx, resume, c.Serial)) // the approval that failed before was not used
		w.everywhere(t, c, ocsp.Good, 0, time.Time{})

		w.pass(time.Minute)
		must(t, w.SuspendAtOnce(ctx, w.registrar, c.Serial, "US02"))
		w.everywhere(t, c, ocsp.Revoked, ReasonCertificateHold, w.time())
		w.pass(time.Minute)
		w.revoke(t, c.Serial, ReasonPrivilegeWithdrawn)
		w.everywhere(t, c, ocsp.Revoked, ReasonPrivilegeWithdrawn, w.time())
		resume = w.approve(t, access.KindResumeCertificate, ResumeSubject(c.Serial))
		wantCode(t, w.Resume(ctx, resume, c.Serial), ErrRevoked)

		status, err := w.Status(ctx, c, w.issuing, held.Add(30*time.Second))
		must(t, err)
		if status.State != chain.StateRevoked || Reason(status.Reason) != ReasonCertificateHold {
			t.Errorf("during the first hold: %+v", status)
		}
		status, err = w.Status(ctx, c, w.issuing, held.Add(90*time.Second))
		must(t, err)
		if status.State != chain.StateGood || !status.RevokedLater || !status.At.Equal(w.time().Truncate(time.Second)) {
			t.Errorf("between the holds: %+v", status)
		}
	})
}

func TestNothingIsTakenBackWithoutTwoPeople(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		c, other := w.issue(t, institution(t)), w.issue(t, institution(t))
		for name, k := range map[string]struct {
			id   string
			want fault.Spec
		}{
			"no approval":               {"", access.ErrNotApproved},
			"for another certificate":   {w.approve(t, access.KindRevokeCertificate, RevokeSubject(other.Serial, ReasonSuperseded)), access.ErrOtherSubject},
			"for another reason":        {w.approve(t, access.KindRevokeCertificate, RevokeSubject(c.Serial, ReasonKeyCompromise)), access.ErrOtherSubject},
			"for a hold":                {w.approve(t, access.KindSuspendCertificate, SuspendSubject(c.Serial)), access.ErrOtherSubject},
			"with the bytes but a hold": {w.approve(t, access.KindSuspendCertificate, RevokeSubject(c.Serial, ReasonSuperseded)), access.ErrOtherSubject},
		} {
			if err := w.Revoke(ctx, k.id, c.Serial, ReasonSuperseded); !fault.Has(err, k.want) {
				t.Errorf("%s: %v", name, err)
			}
		}
		wantCode(t, w.SuspendAtOnce(ctx, access.Actor{ID: "operator"}, c.Serial, ""), access.ErrRole)
		wantCode(t, w.SuspendAtOnce(ctx, access.Actor{ID: "nobody"}, c.Serial, ""), access.ErrActorNotFound)
		for _, reason := range []Reason{2, ReasonCertificateHold, 7, 8, 10, -1} {
			wantCode(t, w.Revoke(ctx, "", c.Serial, reason), ErrReason)
		}
		unknown := big.NewInt(77)
		wantCode(t, w.Revoke(ctx, w.approve(t, access.KindRevokeCertificate, RevokeSubject(unknown, ReasonSuperseded)), unknown, ReasonSuperseded), ErrNotFound)
		w.everywhere(t, c, ocsp.Good, 0, time.Time{})
	})
}

func TestOfTwoRevocationsAtOnceOneCounts(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		c := w.issue(t, institution(t))
		ids := []string{w.approve(t, access.KindRevokeCertificate, RevokeSubject(c.Serial, ReasonSuperseded)), w.approve(t, access.KindRevokeCertificate, RevokeSubject(c.Serial, ReasonSuperseded))}
		errs := make([]error, 4)
		var wg sync.WaitGroup
		for i := range errs {
			wg.Go(func() { errs[i] = w.Revoke(context.Background(), ids[i%2], c.Serial, ReasonSuperseded) })
		}
		wg.Wait()
		won := 0
		for _, err := range errs {
			switch {
			case err == nil:
				won++
			case !fault.Has(err, ErrRevoked) && !fault.Has(err, access.ErrUsed):
				t.Error(err)
			}
		}
		if n := w.count(t, `SELECT COUNT(*) FROM ca_status_event`); won != 1 || n != 1 {
			t.Errorf("%d succeeded, %d events", won, n)
		}
	})
}

func TestAListIsMadeWhenDueAndItsNumberRises(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		first := w.crl(t)
		if first.Number.Int64() != 1 || first.NextUpdate.Sub(first.ThisUpdate) != 7*24*time.Hour || !first.ThisUpdate.Equal(w.time().Truncate(time.Second)) || first.Len() != 0 {
			t.Errorf("first list %+v", first)
		}
		number := func(want int64, when string) {
			t.Helper()
			if got := w.crl(t).Number.Int64(); got != want {
				t.Errorf("number %d %s, want %d", got, when, want)
			}
		}
		number(1, "when nothing happened")
		w.pass(CRLInterval - time.Second - time.Duration(w.time().Nanosecond()))
		number(1, "a second before a day has passed")
		w.pass(time.Second)
		number(2, "when a day has passed")
		c := w.issue(t, institution(t))
		number(2, "after an issuance")
		w.revoke(t, c.Serial, ReasonSuperseded)
		number(3, "after a revocation")
		number(3, "when nothing more happened")
		must(t, w.PublishCRL(t.Context()))
		number(4, "after publishing by hand")
		second := w.open()
		var wg sync.WaitGroup
		for _, a := range []*Authority{w.Authority, second, w.Authority, second} {
			wg.Go(func() {
				if err := a.PublishCRL(context.Background()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if n, highest := w.count(t, `SELECT COUNT(*) FROM ca_crl WHERE issuer = 'issuing'`), w.count(t, `SELECT MAX(number) FROM ca_crl WHERE issuer = 'issuing'`); n != highest || n < 5 {
			t.Errorf("%d lists, the last has number %d", n, highest)
		}
		must(t, verifyCRL(w, w.crl(t)))
	})
}

func verifyCRL(w *world, crl *chain.CRL) error {
	_, err := chain.CheckSignature(w.issuing.PublicKey, crl.SignatureAlgorithm, crl.RawTBS, crl.Signature)
	return err
}

func TestAListThatLostAnEntryIsNotPublished(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		c, d := w.issue(t, institution(t)), w.issue(t, institution(t))
		w.revoke(t, c.Serial, ReasonSuperseded)
		w.suspend(t, d.Serial)
		before := w.crl(t)
		must(t, w.exec(`DELETE FROM ca_status WHERE serial = $1`, serialText(c.Serial)))
		wantCode(t, w.PublishCRL(t.Context()), ErrVanished)
		w.pass(25 * time.Hour)
		_, err := w.CRL(t.Context())
		wantCode(t, err, ErrVanished)
		if last, err := lastCRL(t.Context(), w.db.Read(), ProfileIssuing); err != nil || last.number != before.Number.Int64() {
			t.Errorf("number %d was published, %v", last.number, err)
		}
	})
}

func TestAListOfAnUnknownSerialNumberStopsPublishing(t *testing.T) {
	w := sqliteWorld(t)
	// The list knows more than the database, as after the restore of an old backup.
	l := list{issuer: w.issuing, number: 9, thisUpdate: w.time().Truncate(time.Second), nextUpdate: w.time().Add(time.Hour)}
	var err error
	l.entries, err = entry{serial: big.NewInt(4711), since: w.time()}.appendTo(nil)
	must(t, err)
	der, err := l.sign(t.Context(), w.key)
	must(t, err)
	must(t, w.exec(`INSERT INTO ca_crl VALUES ('issuing', 9, $1, $2, 1, $3)`, store.Time(l.thisUpdate), store.Time(l.nextUpdate), der))
	wantCode(t, w.PublishCRL(t.Context()), ErrVanished)
}

func TestAnExpiredEntryLeavesTheListAfterItWasOnOneMore(t *testing.T) {
	w := sqliteWorld(t)
	c := w.issue(t, institution(t))
	w.revoke(t, c.Serial, ReasonSuperseded)
	w.crl(t)
	listed := func(want bool, when string) {
		t.Helper()
		must(t, w.PublishCRL(t.Context()))
		if _, got := w.crl(t).Lookup(c.Serial); got != want {
			t.Errorf("%s: on the list %v", when, got)
		}
	}
	w.pass(c.NotAfter.Sub(w.time()))
	listed(true, "in the last second of its validity")
	w.pass(time.Second)
	listed(true, "on the first list after its end")
	w.pass(time.Second)
	listed(false, "on the next")
}

func TestAClockThatFellBackStopsPublishing(t *testing.T) {
	w := sqliteWorld(t)
	w.crl(t)
	w.pass(-2 * time.Second)
	wantCode(t, w.PublishCRL(t.Context()), ErrClock)
	if _, err := w.CRL(t.Context()); err != nil {
		t.Errorf("the list that is out is still good: %v", err)
	}
}

func TestAMissingRevocationIsNeverCoveredByAnOldList(t *testing.T) {
	w := sqliteWorld(t)
	c := w.issue(t, institution(t))
	w.crl(t)
	must(t, w.keys.Ring(keystore.PurposeIssuing).SetState(t.Context(), KeyIssuing, keystore.StateSuspended))
	w.pass(25 * time.Hour)
	if _, err := w.CRL(t.Context()); err != nil {
		t.Errorf("nothing changed, so the old list is right: %v", err)
	}
	w.revoke(t, c.Serial, ReasonSuperseded)
	_, err := w.CRL(t.Context())
	wantCode(t, err, keystore.ErrKeySuspended)
}

func TestARevocationDuringPublicationIsOnThisListOrTheNext(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		const n = 12
		var serials []*big.Int
		var ids []string
		for range n {
			c := w.issue(t, institution(t))
			serials = append(serials, c.Serial)
			ids = append(ids, w.approve(t, access.KindRevokeCertificate, RevokeSubject(c.Serial, ReasonSuperseded)))
		}
		var wg sync.WaitGroup
		for i := range n {
			wg.Go(func() {
				if err := w.Revoke(context.Background(), ids[i], serials[i], ReasonSuperseded); err != nil {
					t.Error(err)
				}
			})
			wg.Go(func() {
				if err := w.PublishIfDue(context.Background()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		crl := w.crl(t)
		for _, serial := range serials {
			if _, listed := crl.Lookup(serial); !listed {
				t.Errorf("%x is missing", serial)
			}
		}
		if waiting := w.count(t, `SELECT COUNT(*) FROM ca_status_event WHERE crl = 0`); waiting != 0 {
			t.Errorf("%d changes still wait", waiting)
		}
	})
}

func TestTheResponderAnswersWhatItKnows(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		c := w.issue(t, institution(t))
		for _, hash := range []asn1.ObjectIdentifier{oid.SHA1, oid.SHA256, oid.SM3} {
			if single := w.ask(t, hash, c.Serial); single.Status != ocsp.Good {
				t.Errorf("%v: %+v", hash, single)
			}
		}
		for name, serial := range map[string]*big.Int{"never issued": big.NewInt(1), "longer than ours": new(big.Int).Lsh(big.NewInt(1), 150), "the issuing CA's own": w.issuing.Serial} {
			if single := w.ask(t, oid.SM3, serial); single.Status != ocsp.Unknown {
				t.Errorf("%s: %+v", name, single)
			}
		}
		if single := w.ask(t, oid.SM3, w.made.SealMaker.Serial); single.Status != ocsp.Good {
			t.Errorf("the seal maker's: %+v", single)
		}
		r := institution(t)
		w.issueUntil(t, r, "signed")
		list, err := w.Certificates(t.Context(), Filter{Public: point(r.Public)})
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
	if r := status(w.root, w.issuing); len(r.Singles) != 2 || r.Singles[0].Status != ocsp.Unknown || r.Singles[1].Status != ocsp.Good {
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
		id, err := ocsp.NewCertID(oid.SM3, w.issuing, c.Serial)
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
			w.revoke(t, w.made.OCSP.Serial, ReasonKeyCompromise)
			w.pass(time.Minute)
		},
		"the responder's certificate has expired": func(w *world) { w.pass(w.made.OCSP.NotAfter.Sub(w.time()) + time.Second) },
	} {
		w := sqliteWorld(t)
		c := w.issue(t, institution(t))
		if got := ask(w, c); got != 0 {
			t.Errorf("before anything broke: %d", got)
		}
		breakIt(w)
		if got := ask(w, c); got != ocsp.TryLater {
			t.Errorf("%s: %d", name, got)
		}
	}
}

func TestARenewedResponderIsTakenUp(t *testing.T) {
	w := sqliteWorld(t)
	c := w.issue(t, institution(t))
	w.pass(w.made.OCSP.NotAfter.Sub(w.time()) - 24*time.Hour)
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
		"ours":                     {c, w.issuing, chain.StateGood},
		"the issuing CA":           {w.issuing, w.root, chain.StateGood},
		"of another CA":            {foreign, elsewhere.issuing, chain.StateUnknown},
		"a foreign one as ours":    {foreign, w.issuing, chain.StateUnknown},
		"ours under another CA":    {c, elsewhere.issuing, chain.StateUnknown},
		"no certificate":           {nil, w.issuing, chain.StateUnknown},
		"one with a changed value": {changed(t, c), w.issuing, chain.StateUnknown},
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

// crowd puts n revoked certificates into the database.
func crowd(t testing.TB, w *world, n int) {
	t.Helper()
	must(t, w.db.Write(context.Background(), func(tx *store.Tx) error {
		for range n {
			serial, err := newSerial(w.Random, w.prefix)
			if err != nil {
				return err
			}
			_, err = tx.ExecContext(context.Background(), `INSERT INTO ca_certificate (serial, issuer, profile, state, request, organisation, common_name, public_key, tbs, certificate, not_before, not_after, created, completed, ceremony)
				SELECT $1, 'issuing', 'tsa', 'issued', request, organisation, common_name, public_key, tbs, certificate, not_before, not_after, created, completed, ceremony FROM ca_certificate WHERE serial = $2`, serialText(serial), serialText(w.made.TSA.Serial))
			if err != nil {
				return err
			}
			_, err = tx.ExecContext(context.Background(), `INSERT INTO ca_status SELECT $1, 'issuing', 'revoked', 4, not_before, not_after FROM ca_certificate WHERE serial = $1`, serialText(serial))
			if err != nil {
				return err
			}
		}
		return nil
	}))
}

func TestALongListIsWrittenAndReadBack(t *testing.T) {
	w := sqliteWorld(t)
	crowd(t, w, 3000)
	must(t, w.PublishCRL(t.Context()))
	must(t, w.PublishCRL(t.Context()))
	crl := w.crl(t)
	if crl.Len() != 3000 || crl.Number.Int64() != 2 {
		t.Errorf("%d entries, number %v", crl.Len(), crl.Number)
	}
	must(t, verifyCRL(w, crl))
}

func BenchmarkCRL10000(b *testing.B) {
	w := sqliteWorld(b)
	crowd(b, w, 10000)
	must(b, w.PublishCRL(b.Context()))
	for b.Loop() {
		must(b, w.PublishCRL(b.Context()))
	}
}

func BenchmarkOCSP(b *testing.B) {
	w := sqliteWorld(b)
	c := w.issue(b, institution(b))
	id, err := ocsp.NewCertID(oid.SHA1, w.issuing, c.Serial)
	must(b, err)
	request, err := ocsp.CreateRequest([]ocsp.CertID{id}, nil)
	must(b, err)
	b.Run("floor", func(b *testing.B) {
		for b.Loop() {
			if _, err := w.key.SignDigest(b.Context(), [32]byte{1}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("answer", func(b *testing.B) {
		for b.Loop() {
			w.OCSP(b.Context(), request)
		}
	})
}
