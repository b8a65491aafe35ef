package business_test

import (
	"math/big"
	"strings"
	"testing"
	"time"

	"yinxin/ca"
	"yinxin/ca/chain"
	"yinxin/ca/enroll/business"
	"yinxin/internal/access"
	"yinxin/keystore"
)

func containsText(s, part string) bool { return strings.Contains(s, part) }

func TestACentralSealIsRenewedWithoutAPersonAndWaitsForItsHolder(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		old := w.central()
		w.pass(340 * 24 * time.Hour)
		r, err := w.RenewCentral(ctx, w.state(old.Certificate).Serial)
		w.must(err)
		if r.State != business.RenewalWaiting || len(r.ID) == 0 || !r.AcceptBy.After(w.time()) {
			t.Errorf("%+v", r)
		}
		_, err = w.RenewCentral(ctx, w.state(old.Certificate).Serial)
		w.want(err, ca.ErrRenewed)
		if in, _ := w.usable(w.platform); in.ID != old.ID {
			t.Error("used before its time")
		}
		w.pass(r.AcceptBy.Sub(w.time()) - time.Second)
		if n, err := w.SettleRenewals(ctx); n != 0 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
		w.pass(time.Second)
		if n, err := w.SettleRenewals(ctx); n != 1 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
		in, refusal := w.usable(w.platform)
		if refusal != "" || in.ID == old.ID || in.KeyName == old.KeyName || !in.ValidUntil.After(old.ValidUntil) {
			t.Errorf("%s %+v", refusal, in)
		}
		if reason := w.reason(old); reason != ca.ReasonSuperseded {
			t.Errorf("reason %d", reason)
		}
		if n, err := w.SettleRenewals(ctx); n != 0 || err != nil {
			t.Errorf("again: %d, %v", n, err)
		}
		for range 2 {
			w.must(w.RetireKeys(ctx))
		}
		for name, want := range map[string]keystore.State{old.KeyName: keystore.StateSuspended, in.KeyName: keystore.StateActive} {
			if key, err := w.keys.Ring(keystore.PurposeSealing).Get(ctx, name); err != nil || key.State() != want {
				t.Errorf("key %s: %v", name, err)
			}
		}
	})
}

func TestALateRenewalIsInUseBeforeTheOldCertificateEnds(t *testing.T) {
	w := sqliteWorld(t)
	old := w.central()
	end := w.state(old.Certificate).Certificate.NotAfter
	w.pass(end.Sub(w.time()) - time.Hour)
	r, err := w.RenewCentral(t.Context(), w.state(old.Certificate).Serial)
	w.must(err)
	if !r.AcceptBy.Equal(end) {
		t.Errorf("accept by %v, the old one ends %v", r.AcceptBy, end)
	}
}

func TestTheRenewalOfAKeyTakesItsPairAndSealsAlong(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		user, key, old := w.distributed()
		serial := w.state(old.Certificate).Serial
		w.pass(340 * 24 * time.Hour)
		_, err := w.RenewCentral(ctx, serial)
		w.want(err, business.ErrNotCentral)
		_, err = w.RenewKey(ctx, w.platform, serial, key.request(t))
		w.want(err, access.ErrRole)
		r, err := w.RenewKey(ctx, user, serial, key.request(t))
		w.must(err)
		if address, err := w.Address(ctx, serial); err != nil || address != "u@archive.example" {
			t.Errorf("address %q, %v", address, err)
		}
		if address, err := w.Address(ctx, big.NewInt(7)); err != nil || address != "" {
			t.Errorf("address of nobody %q, %v", address, err)
		}
		if len(r.Certificates) != 2 || len(r.Certificates[0].Instances) != 1 || len(r.Certificates[1].Instances) != 0 {
			t.Fatalf("%+v", r.Certificates)
		}
		if again, err := w.RenewKey(ctx, user, serial, key.request(t)); err != nil || again.ID != r.ID || len(again.Certificates) != 2 {
			t.Errorf("once more: %+v, %v", again, err)
		}
		_, err = w.RenewKey(ctx, user, serial, newToken(t).request(t))
		w.want(err, business.ErrOtherKey)
		w.want(w.AcceptRenewal(ctx, w.platform, r.ID), access.ErrRole)
		w.must(w.AcceptRenewal(ctx, user, r.ID))
		w.want(w.AcceptRenewal(ctx, user, r.ID), business.ErrNoRenewal)
		in, refusal := w.usable(user)
		if refusal != "" || in.ID != r.Certificates[0].Instances[0] {
			t.Errorf("%s %+v", refusal, in)
		}
		for _, c := range r.Certificates {
			before, err := w.Authority.Certificate(ctx, c.Predecessor)
			w.must(err)
			after, err := w.Authority.Certificate(ctx, c.Successor)
			w.must(err)
			if before.State != ca.RecordRevoked || before.Reason != ca.ReasonSuperseded || after.State != ca.RecordGood ||
				!samePublic(before.Certificate, after.Certificate) {
				t.Errorf("%s %d, %s", before.State, before.Reason, after.State)
			}
		}
	})
}

func samePublic(a, b *chain.Certificate) bool {
	return string(a.RawSPKI) == string(b.RawSPKI)
}

func TestARenewalThatTheHolderObjectsToIsNotUsed(t *testing.T) {
	w := sqliteWorld(t)
	ctx := t.Context()
	old := w.central()
	w.pass(340 * 24 * time.Hour)
	r, err := w.RenewCentral(ctx, w.state(old.Certificate).Serial)
	w.must(err)
	w.must(w.ObjectToRenewal(ctx, w.registrar, r.ID, "单位即将撤销"))
	w.pass(10 * 24 * time.Hour)
	if n, err := w.SettleRenewals(ctx); n != 0 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if in, refusal := w.usable(w.platform); refusal != "" || in.ID != old.ID {
		t.Errorf("%s %s", refusal, in.ID)
	}
	list, err := w.Renewals(ctx, business.RenewalObjected, 10)
	w.must(err)
	held, err := w.Authority.Certificate(ctx, list[0].Certificates[0].Successor)
	if err != nil || held.State != ca.RecordHeld {
		t.Errorf("%s, %v", held.State, err)
	}
}

func TestASuspendedSealIsNotRenewed(t *testing.T) {
	w := sqliteWorld(t)
	ctx := t.Context()
	old := w.central()
	serial := w.state(old.Certificate).Serial
	w.must(w.Authority.SuspendAtOnce(ctx, w.registrar, serial, "检查"))
	_, err := w.RenewCentral(ctx, serial)
	w.want(err, ca.ErrHeld)
	infos, err := w.keys.Ring(keystore.PurposeSealing).List(ctx)
	w.must(err)
	for _, k := range infos {
		if k.Name != old.KeyName && k.State != keystore.StateSuspended {
			t.Errorf("the key %s of no certificate is %s", k.Name, k.State)
		}
	}
}
