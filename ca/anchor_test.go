package ca

import (
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/emmansun/gmsm/smx509"

	"yinxin/ca/chain"
	"yinxin/ca/chain/chaintest"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/keystore"
)

func anchorRequest(h *chaintest.Holder, purposes ...AnchorPurpose) AnchorRequest {
	return AnchorRequest{Name: "外省根证书", Purposes: purposes, Certificate: h.Certificate.Raw}
}

func (w *world) importAnchor(t *testing.T, r AnchorRequest) string {
	t.Helper()
	id, err := w.ImportAnchor(t.Context(), w.approve(t, access.KindImportAnchor, r.Subject()), r)
	must(t, err)
	return id
}

// trusts says whether a leaf is trusted for a use now.
func (w *world) trusts(t *testing.T, leaf *chain.Certificate, u chain.Usage, between ...*chain.Certificate) bool {
	t.Helper()
	anchors, err := w.Anchors(t.Context())
	must(t, err)
	v := &chain.Verifier{Anchors: anchors, Intermediates: between}
	return v.Verify(t.Context(), leaf, w.time(), u).Trusted
}

func TestAnImportedAnchorIsTrustedForItsPurposesUntilItIsRemoved(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		root := chaintest.Root(t, "外省根")
		leaf := root.Issue(t, "外省档案馆")
		stamp := root.Issue(t, "时间戳", chaintest.Usage(smx509.KeyUsageDigitalSignature, smx509.ExtKeyUsageTimeStamping))
		if w.trusts(t, leaf.Certificate, chain.UsageSign) {
			t.Fatal("trusted without an anchor")
		}
		r := anchorRequest(root, AnchorSigner)
		id := w.importAnchor(t, r)
		for _, c := range []struct {
			leaf *chain.Certificate
			u    chain.Usage
			want bool
		}{{leaf.Certificate, chain.UsageSign, true}, {leaf.Certificate, chain.UsageSealMaker, false}, {stamp.Certificate, chain.UsageTimeStamp, false}} {
			if got := w.trusts(t, c.leaf, c.u); got != c.want {
				t.Errorf("use %d: %v", c.u, got)
			}
		}
		_, err := w.ImportAnchor(ctx, w.approve(t, access.KindImportAnchor, r.Subject()), r)
		wantCode(t, err, ErrAnchorKnown)
		wantCode(t, w.RemoveAnchor(ctx, w.registrar, "anc_x", "根密钥泄露"), ErrAnchorNotFound)
		wantCode(t, w.RemoveAnchor(ctx, w.registrar, id, " "), ErrAnchorReason)
		wantCode(t, w.RemoveAnchor(ctx, w.approver, id, "根密钥泄露"), access.ErrRole)
		must(t, w.RemoveAnchor(ctx, w.registrar, id, "根密钥泄露"))
		wantCode(t, w.RemoveAnchor(ctx, w.registrar, id, "根密钥泄露"), ErrAnchorNotFound)
		if w.trusts(t, leaf.Certificate, chain.UsageSign) {
			t.Error("still trusted")
		}
		w.importAnchor(t, anchorRequest(root, AnchorTimeStamp, AnchorSealMaker)) // once more, for something else
		if w.trusts(t, leaf.Certificate, chain.UsageSign) || !w.trusts(t, leaf.Certificate, chain.UsageSealMaker) || !w.trusts(t, stamp.Certificate, chain.UsageTimeStamp) {
			t.Error("the new purposes do not count")
		}
		list, err := w.ImportedAnchors(ctx)
		must(t, err)
		ended := slices.IndexFunc(list, func(a Anchor) bool { return !a.Removed.IsZero() })
		if ended < 0 || list[ended].RemovedBy != w.registrar.ID || list[ended].RemovalWhy != "根密钥泄露" || list[ended].Approver != w.approver.ID {
			t.Errorf("%+v", list)
		}
		if len(list) != 2 || list[0].Removed.IsZero() == list[1].Removed.IsZero() || list[0].Lenient || len(list[0].Readings) != 3 {
			t.Errorf("%+v", list)
		}
	})
}

func TestAnAnchorTakesTwoPeopleAndExactlyWhatTheySaw(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		root, other := chaintest.Root(t, "甲"), chaintest.Root(t, "乙")
		r := anchorRequest(root, AnchorSigner)
		open, err := w.AskAnchor(ctx, w.registrar, r, "")
		must(t, err)
		_, err = w.ImportApproved(ctx, open)
		wantCode(t, err, access.ErrNotApproved)
		must(t, w.access.Approve(ctx, w.approver, open))
		wider := r
		wider.Purposes = []AnchorPurpose{AnchorSigner, AnchorSealMaker}
		for _, not := range []AnchorRequest{wider, anchorRequest(other, AnchorSigner)} {
			if _, err := w.ImportAnchor(ctx, open, not); err == nil {
				t.Error("something else was imported")
			}
		}
		// Behind the service's back the database refuses it, too.
		err = w.exec(`INSERT INTO ca_anchor (id, name, purposes, organisations, certificate, fingerprint, lenient, readings, imported, approval, approval_kind, approval_used)
			VALUES ('x', 'x', '[]', '[]', $1, 'x', 0, '[]', 'x', $2, 'anchor.import', 1)`, root.Certificate.Raw, open)
		if err == nil {
			t.Error("the database took an anchor whose approval was not used")
		}
		_, err = w.ImportApproved(ctx, open)
		must(t, err)
		_, err = w.AskAnchor(ctx, w.registrar, r, "")
		wantCode(t, err, ErrAnchorKnown)
	})
}

func TestAnAnchorMayBeBelievedForSomeOrganisationsOnly(t *testing.T) {
	w := sqliteWorld(t)
	root := chaintest.Root(t, "外省根")
	r := anchorRequest(root, AnchorSigner)
	r.Organisations = []string{"外省档案馆"}
	w.importAnchor(t, r)
	inside, outside := root.Issue(t, "x"), root.Issue(t, "y")
	inside.Certificate.Subject.Organisation, outside.Certificate.Subject.Organisation = "外省档案馆", "另一个档案馆"
	if !w.trusts(t, inside.Certificate, chain.UsageSign) || w.trusts(t, outside.Certificate, chain.UsageSign) {
		t.Error("the organisations are not what decides")
	}
}

func TestBelowOurOwnRootOnlySealMakersMakeSeals(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		archive := w.issue(t, institution(t))
		if !w.trusts(t, w.made.SealMaker, chain.UsageSealMaker) {
			t.Error("the seal maker is not one")
		}
		if !w.trusts(t, archive, chain.UsageSign) || w.trusts(t, archive, chain.UsageSealMaker) {
			t.Error("an institution counts as seal maker")
		}
	})
}

func TestAPinnedMakerIsTrustedByItself(t *testing.T) {
	w := sqliteWorld(t)
	root := chaintest.Root(t, "外省根")
	maker, another := root.Issue(t, "制章者"), root.Issue(t, "另一个")
	w.importAnchor(t, anchorRequest(maker, AnchorSealMaker))
	if !w.trusts(t, maker.Certificate, chain.UsageSealMaker, root.Certificate) || w.trusts(t, another.Certificate, chain.UsageSealMaker, root.Certificate) ||
		w.trusts(t, maker.Certificate, chain.UsageSign, root.Certificate) {
		t.Error("more or less than the pinned certificate is trusted")
	}
}

// foreign is a self-signed certificate with something that strict readers do not like.
func foreign(t *testing.T, change func(d *draft)) []byte {
	t.Helper()
	key := chaintest.Key(t)
	subject, err := distinguishedName("外省", "外省根")
	must(t, err)
	d := draft{profile: ProfileRoot, serial: big.NewInt(77), subject: subject, public: keystore.Point(&key.PublicKey)}
	d.issuer = issuerData{name: subject, keyID: keyID(d.public)}
	d.notBefore, d.notAfter = ProfileRoot.validity(chaintest.Start)
	change(&d)
	tbs, err := d.marshal()
	must(t, err)
	value, err := key.SignWithSM2(nil, []byte(keystore.DefaultID), tbs)
	must(t, err)
	der, err := assemble(tbs, value)
	must(t, err)
	return der
}

func TestACertificateThatStrictReadersRefuseIsMarked(t *testing.T) {
	w := sqliteWorld(t)
	_, readings, lenient, err := ReadForeign(foreign(t, func(*draft) {}))
	if err != nil || lenient {
		t.Fatalf("a plain one: %+v, %v", readings, err)
	}
	odd := foreign(t, func(d *draft) { d.serial = big.NewInt(-77) })
	_, readings, lenient, err = ReadForeign(odd)
	must(t, err)
	if !lenient || !readings[0].OK {
		t.Errorf("%+v", readings)
	}
	r := AnchorRequest{Name: "外省根证书", Purposes: []AnchorPurpose{AnchorSigner}, Certificate: odd}
	w.importAnchor(t, r)
	list, err := w.ImportedAnchors(t.Context())
	must(t, err)
	if !list[0].Lenient {
		t.Error("it is not marked")
	}
	refusals := 0
	for _, reading := range list[0].Readings {
		t.Logf("%+v", reading)
		if !reading.OK && reading.Said != "" {
			refusals++
		}
	}
	if refusals == 0 && len(list[0].Readings[0].Notes) == 0 {
		t.Error("nobody says why")
	}
}

func TestParticularsOfAnAnchorThatAreWrongAreRefused(t *testing.T) {
	root := chaintest.Root(t, "甲")
	for name, change := range map[string]func(r *AnchorRequest){
		"no name":               func(r *AnchorRequest) { r.Name = "" },
		"a name of two lines":   func(r *AnchorRequest) { r.Name = "a\nb" },
		"no purpose":            func(r *AnchorRequest) { r.Purposes = nil },
		"an unknown purpose":    func(r *AnchorRequest) { r.Purposes = []AnchorPurpose{"tls"} },
		"a purpose twice":       func(r *AnchorRequest) { r.Purposes = []AnchorPurpose{AnchorSigner, AnchorSigner} },
		"an empty organisation": func(r *AnchorRequest) { r.Organisations = []string{""} },
		"many organisations":    func(r *AnchorRequest) { r.Organisations = strings.Split(strings.Repeat("a,", 60), ",") },
	} {
		r := anchorRequest(root, AnchorSigner)
		change(&r)
		t.Log(name)
		wantCode(t, r.Check(), ErrAnchor)
	}
	r := anchorRequest(root, AnchorSigner)
	r.Certificate = []byte("none")
	wantCode(t, r.Check(), chain.ErrCertificate)
	forged := anchorRequest(root.Forge(t, "甲"), AnchorSigner)
	if err := forged.Check(); err != nil && !fault.Has(err, chain.ErrSignature) {
		t.Error(err)
	}
}
