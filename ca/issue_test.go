package ca

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"math/big"
	"slices"
	"sync"
	"testing"
	"time"

	"yinxin/ca/chain"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/store"
	"yinxin/keystore"
)

func TestWhatTwoPeopleApprovedIsIssuedOnce(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		r := institution(t)
		id := w.approve(t, access.KindIssueCertificate, r.Subject())
		c, err := w.Issue(ctx, id, r)
		must(t, err)
		_, err = w.Issue(ctx, id, r)
		wantCode(t, err, access.ErrUsed)
		record, err := w.Certificate(ctx, c.Serial)
		must(t, err)
		if record.State != RecordGood || record.Approval != id || record.Profile != ProfileInstitution || record.Certificate.Fingerprint() != c.Fingerprint() {
			t.Errorf("record %+v", record)
		}
		for _, kind := range []string{"certificate.intent", "certificate.issued"} {
			if n := w.count(t, `SELECT COUNT(*) FROM ledger_event WHERE kind = $1 AND subject = $2`, kind, SerialText(c.Serial)); n != 1 {
				t.Errorf("%d entries %s in the ledger", n, kind)
			}
		}
		v := &chain.Verifier{Anchors: chain.NewAnchors(w.Root()), Intermediates: []*chain.Certificate{w.Issuing(ProfileInstitution)}, Revocation: w.Authority}
		result := v.Verify(ctx, c, w.time(), chain.UsageSign)
		if !result.Trusted || result.ChainErr != nil || result.Expired || result.NotYetValid || result.Revocation.State != chain.StateGood {
			t.Errorf("the chain does not verify: %+v", result)
		}
	})
}

func TestNothingIsIssuedWithoutTwoPeople(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		r := institution(t)
		open, err := w.access.Request(ctx, w.registrar, access.KindIssueCertificate, r.Subject())
		must(t, err)
		other := r
		other.SealCode = "22000099999999"
		for name, c := range map[string]struct {
			id   string
			want fault.Spec
		}{
			"no approval":                        {"", access.ErrNotApproved},
			"a request nobody approved":          {open, access.ErrNotApproved},
			"an approval of another certificate": {w.approve(t, access.KindIssueCertificate, other.Subject()), access.ErrOtherSubject},
			"an approval of another kind":        {w.approve(t, access.KindMakeSeal, r.Subject()), access.ErrOtherSubject},
		} {
			if _, err := w.Issue(ctx, c.id, r); !fault.Has(err, c.want) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if n := w.count(t, `SELECT COUNT(*) FROM ca_certificate WHERE profile = 'institution'`); n != 0 {
			t.Errorf("%d rows", n)
		}
	})
}

func TestABadRequestDoesNotUseTheApproval(t *testing.T) {
	w := sqliteWorld(t)
	r := institution(t)
	r.SealCode = "123"
	id := w.approve(t, access.KindIssueCertificate, r.Subject())
	_, err := w.Issue(t.Context(), id, r)
	wantCode(t, err, ErrRequest)
	if n := w.count(t, `SELECT used FROM access_approval WHERE id = $1`, id); n != 0 {
		t.Error("the approval was used")
	}
}

// TestTheDatabaseRefusesRowsThatNoTwoPeopleStandBehind writes past the code.
func TestTheDatabaseRefusesRowsThatNoTwoPeopleStandBehind(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		c := w.issue(t, institution(t))
		insert := func(serial, profile string, approval, kind, used, ceremony any) error {
			var approved any
			if kind != nil {
				approved = "2026"
			}
			if id, ok := approval.(string); ok && id != "req_x" {
				must(t, w.db.Read().QueryRowContext(t.Context(), `SELECT approved FROM access_approval WHERE id = $1`, id).Scan(&approved))
			}
			return w.exec(`INSERT INTO ca_certificate (serial, issuer, profile, state, request, organisation, common_name, public_key, tbs, shard, not_before, not_after, created, approval, approval_kind, approval_used, approved, ceremony)
				VALUES ($1, 'issuing', $2, 'intent', $3, '', '', $3, $3, 0, '', '', '', $4, $5, $6, $7, $8)`, serial, profile, []byte{1}, approval, kind, used, approved, ceremony)
		}
		unused := w.approve(t, access.KindIssueCertificate, []byte("x"))
		otherKind := w.approve(t, access.KindMakeSeal, []byte("x"))
		var ceremony string
		must(t, w.db.Read().QueryRowContext(t.Context(), `SELECT id FROM ca_ceremony`).Scan(&ceremony))
		for name, k := range map[string]struct {
			err  error
			want func(error) bool
		}{
			"nothing behind it":                   {insert("a", "institution", nil, nil, nil, nil), store.IsCheck},
			"an institution under a ceremony":     {insert("a", "institution", nil, nil, nil, ceremony), store.IsCheck},
			"approval and ceremony":               {insert("a", "tsa", unused, "certificate.issue", 1, ceremony), store.IsCheck},
			"a CA by approval":                    {insert("a", "issuing", unused, "certificate.issue", 1, nil), store.IsCheck},
			"an approval that was not redeemed":   {insert("a", "institution", unused, "certificate.issue", 1, nil), store.IsForeignKey},
			"an approval marked as not redeemed":  {insert("a", "institution", unused, "certificate.issue", 0, nil), store.IsCheck},
			"an approval of another kind":         {insert("a", "institution", otherKind, "seal.make", 1, nil), store.IsCheck},
			"an approval under a false kind":      {insert("a", "institution", otherKind, "certificate.issue", 1, nil), store.IsForeignKey},
			"an invented approval":                {insert("a", "institution", "req_x", "certificate.issue", 1, nil), store.IsForeignKey},
			"an approval without its kind":        {insert("a", "institution", unused, nil, nil, nil), store.IsCheck},
			"an invented ceremony":                {insert("a", "tsa", nil, nil, nil, "cer_x"), store.IsForeignKey},
			"a ceremony of one officer":           {w.exec(`INSERT INTO ca_ceremony VALUES ('c', '', 'li', 'li')`), store.IsCheck},
			"taking an approval back after use":   {w.exec(`UPDATE access_approval SET used = 0, used_at = NULL WHERE used = 1`), store.IsForeignKey},
			"a revocation without approval":       {w.event(c.Serial, "issued", "revoke", "approval", nil, nil), store.IsCheck},
			"a revocation as an emergency":        {w.event(c.Serial, "issued", "revoke", "emergency", nil, nil), store.IsCheck},
			"a revocation of a good one as void":  {w.event(c.Serial, "issued", "revoke", "recovery", nil, nil), store.IsCheck},
			"a good one called failed":            {w.event(c.Serial, "failed", "revoke", "recovery", nil, nil), store.IsForeignKey},
			"a resumption as an emergency":        {w.event(c.Serial, "issued", "resume", "emergency", nil, nil), store.IsCheck},
			"a revocation by an issuing approval": {w.event(c.Serial, "issued", "revoke", "approval", unused, "certificate.issue"), store.IsCheck},
			"a revocation by a false kind":        {w.event(c.Serial, "issued", "revoke", "approval", unused, "certificate.revoke"), store.IsForeignKey},
		} {
			if !k.want(k.err) {
				t.Errorf("%s: %v", name, k.err)
			}
		}
	})
}

func (w *world) event(serial *big.Int, state, action, cause string, approval, kind any) error {
	var used any
	if approval != nil {
		used = 1
	}
	return w.exec(`INSERT INTO ca_status_event (id, serial, certificate_state, position, action, reason, happened, cause, actor, approval, approval_kind, approval_used, crl)
		VALUES ('e', $1, $2, 0, $3, 0, '', $4, 'li', $5, $6, $7, 0)`, SerialText(serial), state, action, cause, approval, kind, used)
}

func TestOfManyWhoUseOneApprovalOneGetsTheCertificate(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		r := institution(t)
		id := w.approve(t, access.KindIssueCertificate, r.Subject())
		second := w.open()
		errs := make([]error, 6)
		var wg sync.WaitGroup
		for i := range errs {
			wg.Go(func() {
				a := []*Authority{w.Authority, second}[i%2]
				_, errs[i] = a.Issue(context.Background(), id, r)
			})
		}
		wg.Wait()
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
			} else {
				wantCode(t, err, access.ErrUsed)
			}
		}
		if n := w.count(t, `SELECT COUNT(*) FROM ca_certificate WHERE profile = 'institution'`); won != 1 || n != 1 {
			t.Errorf("%d succeeded, %d rows", won, n)
		}
	})
}

func TestAKeyOfSomebodyElseIsNotCertified(t *testing.T) {
	w := sqliteWorld(t)
	r := institution(t)
	w.issue(t, r)
	r2 := r
	r2.Organisation = "另一个档案馆"
	_, err := w.Issue(t.Context(), w.approve(t, access.KindIssueCertificate, r2.Subject()), r2)
	wantCode(t, err, ErrKeyInUse)
	r3 := r
	r3.Public = w.made.SealMaker.PublicKey.(*ecdsa.PublicKey)
	_, err = w.Issue(t.Context(), w.approve(t, access.KindIssueCertificate, r3.Subject()), r3)
	wantCode(t, err, ErrKeyInUse)
	w.issue(t, r) // a second certificate of the same holder for the same key is a renewal
}

// errStop is the panic that stands for the end of the process.
var errStop = errors.New("the process ends here")

// issueUntil runs an issuance that dies after a step.
func (w *world) issueUntil(t *testing.T, r Request, step string) {
	t.Helper()
	id := w.approve(t, access.KindIssueCertificate, r.Subject())
	dying := w.open()
	dying.interrupt = func(at string) {
		if at == step {
			panic(errStop)
		}
	}
	defer func() {
		if p := recover(); p != errStop {
			t.Errorf("it ended with %v", p)
		}
	}()
	_, err := dying.Issue(context.Background(), id, r)
	t.Errorf("the issuance went on: %v", err)
}

func TestAHalfIssuedCertificateIsVoidedAtStart(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		for _, step := range []string{"intended", "linted", "signed"} {
			r := institution(t)
			w.issueUntil(t, r, step)
			list, err := w.Certificates(t.Context(), Filter{Public: keystore.Point(r.Public)})
			must(t, err)
			if len(list) != 1 || list[0].State != RecordPending {
				t.Fatalf("after %s: %+v", step, list)
			}
			w.pass(time.Second)
			after := w.open()
			record, err := after.Certificate(t.Context(), list[0].Serial)
			must(t, err)
			if record.State != RecordFailed || record.Certificate != nil {
				t.Errorf("after %s the record is %+v", step, record)
			}
			if _, listed := w.crl(t).Lookup(record.Serial); !listed {
				t.Errorf("after %s the serial number is not on the CRL", step)
			}
			if n := w.count(t, `SELECT COUNT(*) FROM ledger_event WHERE kind = 'certificate.failed' AND subject = $1`, SerialText(record.Serial)); n != 1 {
				t.Errorf("after %s the ledger has %d entries", step, n)
			}
			wantCode(t, w.Revoke(t.Context(), w.approve(t, access.KindRevokeCertificate, RevokeSubject(record.Serial, ReasonSuperseded)), record.Serial, ReasonSuperseded), ErrNotFound)
		}
	})
}

func TestAnIntentThatWasVoidedMeanwhileIsNotCompleted(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		r := institution(t)
		id := w.approve(t, access.KindIssueCertificate, r.Subject())
		w.interrupt = func(step string) {
			if step == "signed" {
				w.open()
			}
		}
		_, err := w.Issue(t.Context(), id, r)
		wantCode(t, err, ErrSuperseded)
		list, err := w.Certificates(t.Context(), Filter{Public: keystore.Point(r.Public)})
		must(t, err)
		if len(list) != 1 || list[0].State != RecordFailed {
			t.Errorf("%+v", list)
		}
	})
}

func TestAYoungIntentIsLeftToItsProcess(t *testing.T) {
	w := sqliteWorld(t)
	r := institution(t)
	id := w.approve(t, access.KindIssueCertificate, r.Subject())
	w.interrupt = func(step string) {
		if step == "signed" {
			c := w.config()
			c.RecoveryAge = time.Minute
			if _, err := Open(context.Background(), c); err != nil {
				t.Error(err)
			}
		}
	}
	if _, err := w.Issue(t.Context(), id, r); err != nil {
		t.Error(err)
	}
}

func TestACallerWhoLeavesDoesNotLeaveHalfACertificate(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		r := institution(t)
		id := w.approve(t, access.KindIssueCertificate, r.Subject())
		ctx, cancel := context.WithCancel(context.Background())
		w.interrupt = func(step string) {
			if step == "intended" {
				cancel()
			}
		}
		if _, err := w.Issue(ctx, id, r); err != nil {
			t.Error(err)
		}
	})
}

func TestWhenTheResultCannotBeRecordedTheCertificateIsRevocable(t *testing.T) {
	w := sqliteWorld(t)
	r := institution(t)
	id := w.approve(t, access.KindIssueCertificate, r.Subject())
	w.interrupt = func(step string) {
		if step == "signed" {
			must(t, w.exec(`CREATE TRIGGER full BEFORE UPDATE ON ca_certificate WHEN NEW.state = 'issued' BEGIN SELECT RAISE(ABORT, 'full'); END`))
		}
	}
	_, err := w.Issue(t.Context(), id, r)
	if err == nil {
		t.Fatal("it was released")
	}
	list, err := w.Certificates(t.Context(), Filter{Public: keystore.Point(r.Public)})
	must(t, err)
	if _, listed := w.crl(t).Lookup(list[0].Serial); list[0].State != RecordFailed || !listed {
		t.Errorf("%+v, on the CRL: %v", list[0], listed)
	}
}

func TestAKeyThatDoesNotSignVoidsTheSerialNumber(t *testing.T) {
	w := sqliteWorld(t)
	r := institution(t)
	id := w.approve(t, access.KindIssueCertificate, r.Subject())
	must(t, w.keys.Ring(keystore.PurposeIssuing).SetState(t.Context(), KeyIssuing, keystore.StateSuspended))
	_, err := w.Issue(t.Context(), id, r)
	wantCode(t, err, keystore.ErrKeySuspended)
	list, err := w.Certificates(t.Context(), Filter{Public: keystore.Point(r.Public)})
	must(t, err)
	if len(list) != 1 || list[0].State != RecordFailed {
		t.Errorf("%+v", list)
	}
}

func TestSerialNumbersAreRandomBehindThePrefix(t *testing.T) {
	w := sqliteWorld(t)
	seen := map[string]bool{}
	var or, and [serialSize]byte
	for i := range and {
		and[i] = 0xff
	}
	for range 200 {
		serial, err := newSerial(w.Random, w.prefix)
		must(t, err)
		text := SerialText(serial)
		if seen[text] || len(text) != 32 || serial.Sign() <= 0 {
			t.Fatalf("serial number %s", text)
		}
		seen[text] = true
		for i, b := range serial.FillBytes(make([]byte, serialSize)) {
			or[i], and[i] = or[i]|b, and[i]&b
		}
	}
	if !slices.Equal(or[:prefixSize], w.prefix) || !slices.Equal(and[:prefixSize], w.prefix) {
		t.Errorf("prefix %x %x, want %x", or[:prefixSize], and[:prefixSize], w.prefix)
	}
	for i := prefixSize; i < serialSize; i++ {
		if or[i] != 0xff || and[i] != 0 {
			t.Errorf("octet %d has bits that never change: %x %x", i, or[i], and[i])
		}
	}
}

func BenchmarkIssue(b *testing.B) {
	w := sqliteWorld(b)
	var requests []Request
	var ids []string
	for range 2000 {
		r := institution(b)
		requests, ids = append(requests, r), append(ids, "")
	}
	for i := range ids {
		ids[i] = w.approve(b, access.KindIssueCertificate, requests[i].Subject())
	}
	b.ResetTimer()
	var wg sync.WaitGroup
	next := make(chan int)
	for range 16 {
		wg.Go(func() {
			for i := range next {
				if _, err := w.Issue(context.Background(), ids[i], requests[i]); err != nil {
					b.Error(err)
				}
			}
		})
	}
	for i := range min(b.N, len(ids)) {
		next <- i
	}
	close(next)
	wg.Wait()
	b.ReportMetric(float64(min(b.N, len(ids)))/b.Elapsed().Seconds(), "certificates/s")
}
