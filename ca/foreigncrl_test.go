package ca

import (
	"encoding/pem"
	"math/big"
	"testing"
	"time"

	"github.com/emmansun/gmsm/smx509"

	"yinxin/ca/chain"
	"yinxin/ca/chain/chaintest"
	"yinxin/internal/access"
)

func TestListsOfOtherAuthoritiesCountWhileTheirAnchorIsTrusted(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		root, stranger := chaintest.Root(t, "外省根"), chaintest.Root(t, "无关根")
		sub := root.Issue(t, "外省签发", chaintest.CA(0))
		good, bad, below := root.Issue(t, "甲馆"), root.Issue(t, "乙馆"), sub.Issue(t, "丙馆")
		state := func(c, issuer *chaintest.Holder) chain.State {
			s, err := w.Status(ctx, c.Certificate, issuer.Certificate, w.time())
			must(t, err)
			return s.State
		}
		entry := func(h *chaintest.Holder) smx509.RevocationListEntry {
			return smx509.RevocationListEntry{SerialNumber: new(big.Int).Set(h.Certificate.Serial), RevocationTime: w.time().Add(-time.Hour)}
		}
		list := root.CRL(t, 7, w.time().Add(-time.Minute), w.time().Add(time.Hour), entry(bad))
		_, err := w.ImportCRL(ctx, w.registrar, list)
		wantCode(t, err, ErrForeignCRL)
		id := w.importAnchor(t, anchorRequest(root, AnchorSigner))
		if state(bad, root) != chain.StateUnknown {
			t.Error("known without a list")
		}
		_, err = w.ImportCRL(ctx, w.approver, list)
		wantCode(t, err, access.ErrRole)
		_, err = w.ImportCRL(ctx, w.registrar, stranger.CRL(t, 7, w.time().Add(-time.Minute), w.time().Add(time.Hour)))
		wantCode(t, err, ErrForeignCRL)
		took, err := w.ImportCRL(ctx, w.registrar, pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: list}))
		must(t, err)
		if took.Anchor != id || took.Number != "7" || took.Entries != 1 || state(bad, root) != chain.StateRevoked || state(good, root) != chain.StateGood {
			t.Errorf("%+v", took)
		}
		// An older one, or the same once more, does not take its place; a newer one does.
		for _, not := range [][]byte{list, root.CRL(t, 6, w.time(), w.time().Add(time.Hour))} {
			_, err = w.ImportCRL(ctx, w.registrar, not)
			wantCode(t, err, ErrForeignCRLOld)
		}
		_, err = w.ImportCRL(ctx, w.registrar, root.CRL(t, 8, w.time().Add(-time.Minute), w.time().Add(time.Hour), entry(bad), entry(good)))
		must(t, err)
		if state(good, root) != chain.StateRevoked {
			t.Error("the newer list does not count")
		}
		now := w.time() // as evidence for long, as far as the list knows
		for _, c := range []struct {
			who, issuer *chaintest.Holder
			lists       int
		}{{good, root, 1}, {below, sub, 0}, {stranger, stranger, 0}} {
			crls, answers, err := w.Evidence(ctx, c.who.Certificate, c.issuer.Certificate)
			if err != nil || len(crls) != c.lists || len(answers) > 0 {
				t.Errorf("%s: %d lists, %d answers, %v", c.who.Certificate.Subject.CommonName, len(crls), len(answers), err)
			}
		}
		w.pass(2 * time.Hour)
		if crls, _, err := w.Evidence(ctx, good.Certificate, root.Certificate); err != nil || len(crls) > 0 {
			t.Errorf("a list past its time: %d, %v", len(crls), err)
		}
		w.pass(now.Sub(w.time()))
		// Of a CA below the anchor, with its certificate beside it.
		lower := pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: sub.CRL(t, 1, w.time().Add(-time.Minute), w.time().Add(time.Hour), entry(below))})
		_, err = w.ImportCRL(ctx, w.registrar, lower)
		wantCode(t, err, ErrForeignCRL)
		_, err = w.ImportCRL(ctx, w.registrar, append(lower, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: sub.Certificate.Raw})...))
		must(t, err)
		all, err := w.ForeignCRLs(ctx)
		must(t, err)
		if len(all) != 2 || state(below, sub) != chain.StateRevoked {
			t.Errorf("%+v", all)
		}
		// They go with the anchor.
		must(t, w.RemoveAnchor(ctx, w.registrar, id, "根密钥泄露"))
		if all, err := w.ForeignCRLs(ctx); err != nil || len(all) != 0 || state(bad, root) != chain.StateUnknown {
			t.Errorf("%+v, %v", all, err)
		}
	})
}
