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
)

// ask puts one question to the responder and verifies the answer.
func (w *world) ask(t *testing.T, hash asn1.ObjectIdentifier, serial *big.Int) ocsp.Single {
	t.Helper()
	id, err := ocsp.NewCertID(hash, w.first().Certificate, serial)
	must(t, err)
	nonce := []byte("sixteen octets..")
	request, err := ocsp.CreateRequest([]ocsp.CertID{id}, nonce)
	must(t, err)
	response, err := ocsp.ParseResponse(w.OCSP(t.Context(), request))
	must(t, err)
	must(t, response.Verify(w.first().Certificate, w.time()))
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
	status, err := w.Status(t.Context(), c, w.first().Certificate, w.time())
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

		status, err := w.Status(ctx, c, w.first().Certificate, held.Add(30*time.Second))
		must(t, err)
		if status.State != chain.StateRevoked || Reason(status.Reason) != ReasonCertificateHold {
			t.Errorf("during the first hold: %+v", status)
		}
		status, err = w.Status(ctx, c, w.first().Certificate, held.Add(90*time.Second))
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

// crowd puts n revoked certificates into the database.
