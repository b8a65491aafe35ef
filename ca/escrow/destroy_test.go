package escrow_test

import (
	"crypto/ecdsa"
	"testing"
	"time"

	"yinxin/ca/escrow"
	"yinxin/internal/access"
)

// A renewal that keeps the key moves the day on which the key may be destroyed.
func TestTheTermBeginsWithTheEndOfTheLastCertificateForTheKey(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		w.established()
		p := w.issue("王五")
		w.pass(300 * 24 * time.Hour)
		renewed, err := w.authority.Renew(ctx, p.encryption.Serial, p.encryption.PublicKey.(*ecdsa.PublicKey))
		must(t, err)
		w.pass(p.encryption.NotAfter.AddDate(escrow.DefaultRetention, 0, 0).Sub(w.time()) + time.Second)
		wantCode(t, w.CanDestroy(ctx, p.id), escrow.ErrTerm)
		wantCode(t, w.Destroy(ctx, w.approve(access.KindDestroyKey, escrow.DestroySubject(p.id)), p.id), escrow.ErrTerm)
		w.pass(renewed.NotAfter.AddDate(escrow.DefaultRetention, 0, 0).Sub(w.time()) + time.Second)
		must(t, w.CanDestroy(ctx, p.id))
		must(t, w.Destroy(ctx, w.approve(access.KindDestroyKey, escrow.DestroySubject(p.id)), p.id))
	})
}
