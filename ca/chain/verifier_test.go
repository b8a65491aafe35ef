package chain_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/smx509"

	"yinxin/ca/chain"
	"yinxin/ca/chain/chaintest"
	"yinxin/internal/oid"
)

// hierarchy is a root, an issuing CA under it and an institution's certificate.
type hierarchy struct {
	root, issuing, leaf *chaintest.Holder
}

func newHierarchy(t testing.TB, changes ...chaintest.Change) hierarchy {
	root := chaintest.Root(t, "云岭省电子印章根 CA")
	issuing := root.Issue(t, "云岭省电子印章签发 CA", chaintest.CA(0))
	return hierarchy{root, issuing, issuing.Issue(t, "53010000000012", changes...)}
}

// verifier trusts the root, knows the issuing CA and has fresh lists of both.
func (h hierarchy) verifier(t testing.TB, entries ...smx509.RevocationListEntry) *chain.Verifier {
	this, next := chaintest.Start, chaintest.Start.Add(20*chaintest.Year)
	return &chain.Verifier{
		Anchors:       chain.NewAnchors(h.root.Certificate),
		Intermediates: []*chain.Certificate{h.issuing.Certificate},
		Revocation:    chain.NewCRLSource(h.root.ParsedCRL(t, 1, this, next), h.issuing.ParsedCRL(t, 1, this, next, entries...)),
	}
}

func TestAChainIsGoodInEverySecondOfItsValidityAndInNoOther(t *testing.T) {
	h := newHierarchy(t)
	v := h.verifier(t)
	start, end := chaintest.Start, chaintest.Start.Add(chaintest.Year)
	for _, test := range []struct {
		name            string
		at              time.Time
		notYet, expired bool
		good            bool
	}{
		{"the second before notBefore", start.Add(-time.Second), true, false, false},
		{"notBefore", start, false, false, true},
		{"notBefore in another zone", start.In(time.FixedZone("CST", 8*3600)), false, false, true},
		{"in the middle", start.Add(chaintest.Year / 2), false, false, true},
		{"notAfter", end, false, false, true},
		{"the last moment of the second of notAfter", end.Add(time.Second - 1), false, false, true},
		{"the second after notAfter", end.Add(time.Second), false, true, false},
		{"when the CA is over too", start.Add(11 * chaintest.Year), false, true, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := v.Verify(context.Background(), h.leaf.Certificate, test.at, chain.UsageSign)
			if !r.Trusted || r.ChainErr != nil || len(r.Path) != 3 || len(r.Notes) != 0 {
				t.Fatalf("trusted %v, %v, path of %d, notes %v", r.Trusted, r.ChainErr, len(r.Path), r.Notes)
			}
			if r.NotYetValid != test.notYet || r.Expired != test.expired || r.Good() != test.good {
				t.Errorf("not yet valid %v, expired %v, good %v (%+v)", r.NotYetValid, r.Expired, r.Good(), r.Revocation)
			}
		})
	}
}

func TestRevocationCountsFromItsSecondOnAndTheWorstOfThePathIsTold(t *testing.T) {
	h := newHierarchy(t)
	at := chaintest.Start.Add(10 * day)
	v := h.verifier(t, entry(h.leaf.Certificate.Serial, at, 1))
	before := v.Verify(context.Background(), h.leaf.Certificate, at.Add(-time.Second), chain.UsageSign)
	if !before.Good() || !before.Revocation.RevokedLater || !before.Revocation.At.Equal(at) {
		t.Errorf("a second before: %+v", before.Revocation)
	}
	then := v.Verify(context.Background(), h.leaf.Certificate, at, chain.UsageSign)
	if then.Good() || !then.Trusted || then.Revocation.State != chain.StateRevoked || then.Revocation.Reason != 1 {
		t.Errorf("in that second: %+v", then.Revocation)
	}

	// The CA itself is revoked, its certificate is not listed by itself.
	this, next := chaintest.Start, chaintest.Start.Add(chaintest.Year)
	v = &chain.Verifier{
		Anchors:       chain.NewAnchors(h.root.Certificate),
		Intermediates: []*chain.Certificate{h.issuing.Certificate},
		Revocation: chain.NewCRLSource(h.issuing.ParsedCRL(t, 1, this, next),
			h.root.ParsedCRL(t, 1, this, next, entry(h.issuing.Certificate.Serial, at, 2))),
	}
	r := v.Verify(context.Background(), h.leaf.Certificate, at, chain.UsageSign)
	if r.Good() || r.Revocation.State != chain.StateRevoked || len(r.Revocations) != 2 ||
		r.Revocations[0].State != chain.StateGood {
		t.Errorf("a revoked CA: %+v, along the path %+v", r.Revocation, r.Revocations)
	}
}

func TestWithoutASourceOrAnAnchorNothingIsGood(t *testing.T) {
	h := newHierarchy(t)
	at := chaintest.Start.Add(day)
	ctx := context.Background()

	noSource := &chain.Verifier{Anchors: chain.NewAnchors(h.root.Certificate),
		Intermediates: []*chain.Certificate{h.issuing.Certificate}}
	r := noSource.Verify(ctx, h.leaf.Certificate, at, chain.UsageSign)
	if !r.Trusted || r.Good() || r.Revocation.State != chain.StateUnknown || r.Revocation.Detail == "" {
		t.Errorf("without a source: %+v", r)
	}
	noAnchor := &chain.Verifier{Intermediates: []*chain.Certificate{h.issuing.Certificate, h.root.Certificate}}
	r = noAnchor.Verify(ctx, h.leaf.Certificate, at, chain.UsageSign)
	if r.Trusted || r.ChainErr != nil || r.Good() || len(r.Path) != 3 {
		t.Errorf("without an anchor: %+v", r)
	}
	alone := &chain.Verifier{Anchors: chain.NewAnchors(h.root.Certificate)}
	r = alone.Verify(ctx, h.leaf.Certificate, at, chain.UsageSign)
	if r.Trusted || r.ChainErr != nil || len(r.Path) != 1 {
		t.Errorf("without the issuing CA: %+v", r)
	}
	if r = alone.Verify(ctx, nil, at, chain.UsageSign); r.ChainErr == nil || r.Good() {
		t.Errorf("no certificate: %+v", r)
	}
	r = alone.With([]*chain.Certificate{h.issuing.Certificate}).Verify(ctx, h.leaf.Certificate, at, chain.UsageSign)
	if !r.Trusted {
		t.Errorf("with the issuing CA from the document: %+v", r)
	}
	leafAnchor := &chain.Verifier{Anchors: chain.NewAnchors(h.leaf.Certificate)}
	if r = leafAnchor.Verify(ctx, h.leaf.Certificate, at, chain.UsageSign); !r.Good() || len(r.Path) != 1 {
		t.Errorf("the certificate is itself an anchor: %+v", r)
	}
}

func TestChainsThatBreakARuleAreRefusedWithItsCode(t *testing.T) {
	root := chaintest.Root(t, "Root")
	limited := root.Issue(t, "limited", chaintest.CA(0))
	below := limited.Issue(t, "below the limit", chaintest.CA(-1))
	notCA := root.Issue(t, "not a CA")
	noSign := root.Issue(t, "may not sign certificates", chaintest.CA(-1), chaintest.Usage(smx509.KeyUsageCRLSign))
	critical := chaintest.Extension(pkix.Extension{Id: asn1.ObjectIdentifier{1, 2, 3, 4}, Critical: true, Value: []byte{5, 0}})
	odd := root.Issue(t, "odd CA", chaintest.CA(-1), critical)
	stranger := chaintest.Root(t, "Root")
	noIdentifier := func(c *smx509.Certificate) { c.SubjectKeyId, c.AuthorityKeyId = nil, nil }
	forged := root.Forge(t, "forged")
	v := &chain.Verifier{
		Anchors: chain.NewAnchors(root.Certificate),
		Intermediates: []*chain.Certificate{limited.Certificate, below.Certificate, notCA.Certificate, noSign.Certificate,
			odd.Certificate},
	}
	for _, test := range []struct {
		name  string
		leaf  *chaintest.Holder
		usage chain.Usage
		want  string
	}{
		{"everything right", root.Issue(t, "leaf", noIdentifier), chain.UsageSign, ""},
		{"a CA below a path length of 0", below.Issue(t, "leaf"), chain.UsageSign, "chain.path-length"},
		{"an issuer that is not a CA", notCA.Issue(t, "leaf"), chain.UsageSign, "chain.not-a-ca"},
		{"an issuer that may not sign certificates", noSign.Issue(t, "leaf"), chain.UsageSign, "chain.key-usage"},
		{"an issuer with a critical extension that is not known", odd.Issue(t, "leaf"), chain.UsageSign, "chain.critical-extension"},
		{"a critical extension that is not known", root.Issue(t, "leaf", critical), chain.UsageSign, "chain.critical-extension"},
		{"a signature that is not the issuer's", forged, chain.UsageSign, "chain.bad-signature"},
		{"an encryption certificate that signs", root.Issue(t, "leaf", chaintest.Usage(smx509.KeyUsageKeyEncipherment)), chain.UsageSign, "chain.key-usage"},
		{"an encryption certificate, not asked to sign", root.Issue(t, "leaf", chaintest.Usage(smx509.KeyUsageKeyEncipherment)), chain.UsageAny, ""},
		{"a web server's certificate that seals", root.Issue(t, "leaf", chaintest.Usage(smx509.KeyUsageDigitalSignature, smx509.ExtKeyUsageServerAuth)), chain.UsageSign, "chain.key-usage"},
		{"a certificate for electronic mail that seals", root.Issue(t, "leaf", chaintest.Usage(smx509.KeyUsageDigitalSignature, smx509.ExtKeyUsageEmailProtection)), chain.UsageSealMaker, ""},
		{"a seal certificate that stamps time", root.Issue(t, "leaf"), chain.UsageTimeStamp, "chain.key-usage"},
		{"a time-stamp certificate", root.Issue(t, "leaf", chaintest.Usage(smx509.KeyUsageDigitalSignature, smx509.ExtKeyUsageTimeStamping)), chain.UsageTimeStamp, ""},
		{"a time-stamp certificate that seals", root.Issue(t, "leaf", chaintest.Usage(smx509.KeyUsageDigitalSignature, smx509.ExtKeyUsageTimeStamping)), chain.UsageSign, "chain.key-usage"},
		{"an OCSP responder", root.Issue(t, "leaf", chaintest.Usage(smx509.KeyUsageDigitalSignature, smx509.ExtKeyUsageOCSPSigning)), chain.UsageOCSP, ""},
		{"a seal certificate that answers OCSP", root.Issue(t, "leaf"), chain.UsageOCSP, "chain.key-usage"},
		{"a seal certificate that signs lists", root.Issue(t, "leaf"), chain.UsageCRL, "chain.key-usage"},
		{"a CA that signs lists", limited, chain.UsageCRL, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := v.Verify(context.Background(), test.leaf.Certificate, chaintest.Start, test.usage)
			if codeOf(r.ChainErr) != test.want || r.Trusted != (test.want == "") {
				t.Errorf("%v, trusted %v, want %q", r.ChainErr, r.Trusted, test.want)
			}
		})
	}
	// The namesake has another key and says so: its certificates are not forgeries, only unknown.
	r := v.Verify(context.Background(), stranger.Issue(t, "leaf").Certificate, chaintest.Start, chain.UsageSign)
	if r.Trusted || r.ChainErr != nil {
		t.Errorf("under a namesake of the root: %v, trusted %v", r.ChainErr, r.Trusted)
	}
}

func TestAStrangerCannotHideWhatIsWrongByAddingCertificates(t *testing.T) {
	root := chaintest.Root(t, "Root")
	institution := root.Issue(t, "institution")
	leaf := institution.Issue(t, "leaf")
	// Someone certifies the institution's key as a CA's: a path that ends nowhere, with nothing wrong in it.
	nobody := chaintest.Root(t, "nobody").IssueFor(t, "institution", institution.Key, chaintest.CA(0))
	for _, brought := range [][]*chain.Certificate{
		{nobody.Certificate, institution.Certificate}, {institution.Certificate, nobody.Certificate},
	} {
		v := (&chain.Verifier{Anchors: chain.NewAnchors(root.Certificate)}).With(brought)
		r := v.Verify(t.Context(), leaf.Certificate, chaintest.Start, chain.UsageSign)
		if codeOf(r.ChainErr) != "chain.not-a-ca" || r.Trusted {
			t.Errorf("%v, trusted %v", r.ChainErr, r.Trusted)
		}
	}
}

func TestTheIssuerIsFoundAmongNamesakesWithoutKeyIdentifiers(t *testing.T) {
	root, namesake := chaintest.Root(t, "Root"), chaintest.Root(t, "Root")
	bare := *root.X509
	bare.SubjectKeyId = nil
	leaf := (&chaintest.Holder{X509: &bare, Key: root.Key}).Issue(t, "leaf")
	if len(leaf.Certificate.AuthorityKeyID) != 0 {
		t.Fatal("the certificate has a key identifier")
	}
	for _, anchors := range []*chain.Anchors{
		chain.NewAnchors(namesake.Certificate, root.Certificate), chain.NewAnchors(root.Certificate, namesake.Certificate),
	} {
		v := &chain.Verifier{Anchors: anchors}
		for range 2 {
			if r := v.Verify(t.Context(), leaf.Certificate, chaintest.Start, chain.UsageSign); !r.Trusted {
				t.Errorf("%+v", r)
			}
		}
	}
}

func TestAWeakLinkMakesTheWholeChainWeak(t *testing.T) {
	long, _ := rsa.GenerateKey(rand.Reader, 2048)
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	make := func(name string, isCA bool, parent *x509.Certificate, public *rsa.PublicKey, signer *rsa.PrivateKey) *x509.Certificate {
		template := &x509.Certificate{SerialNumber: big.NewInt(9), Subject: pkix.Name{CommonName: name}, IsCA: isCA,
			BasicConstraintsValid: true, NotBefore: chaintest.Start, NotAfter: chaintest.Start.Add(day)}
		if parent == nil {
			parent = template
		}
		raw, err := x509.CreateCertificate(rand.Reader, template, parent, public, signer)
		if err != nil {
			t.Fatal(err)
		}
		made, err := x509.ParseCertificate(raw)
		if err != nil {
			t.Fatal(err)
		}
		return made
	}
	root := make("root", true, nil, &long.PublicKey, long)
	issuing := make("issuing", true, root, &short.PublicKey, long)
	leaf := make("leaf", false, issuing, &long.PublicKey, short)
	v := &chain.Verifier{Anchors: chain.NewAnchors(mustRead(t, root.Raw)), Intermediates: []*chain.Certificate{mustRead(t, issuing.Raw)}}
	r := v.Verify(t.Context(), mustRead(t, leaf.Raw), chaintest.Start, chain.UsageSign)
	if codeOf(r.ChainErr) != "chain.weak-algorithm" || r.Trusted || len(r.Path) != 3 {
		t.Errorf("%v, trusted %v, path of %d", r.ChainErr, r.Trusted, len(r.Path))
	}
	if r = v.Verify(t.Context(), mustRead(t, issuing.Raw), chaintest.Start, chain.UsageAny); !r.Trusted {
		t.Errorf("the link above is not weak: %v", r.ChainErr)
	}
}

func TestRevocationIsNotAskedForUnderAStranger(t *testing.T) {
	h := newHierarchy(t)
	source := &counting{}
	v := &chain.Verifier{Intermediates: []*chain.Certificate{h.issuing.Certificate, h.root.Certificate}, Revocation: source}
	r := v.Verify(t.Context(), h.leaf.Certificate, chaintest.Start, chain.UsageSign)
	if source.asked != 0 || r.Revocation.State != chain.StateUnknown || r.Revocation.Detail == "" {
		t.Errorf("asked %d times, %+v", source.asked, r.Revocation)
	}
	v.With(nil, nil).Verify(t.Context(), h.leaf.Certificate, chaintest.Start, chain.UsageSign)
	trusting := &chain.Verifier{Anchors: chain.NewAnchors(h.root.Certificate), Intermediates: v.Intermediates, Revocation: source}
	trusting.Verify(t.Context(), h.leaf.Certificate, chaintest.Start, chain.UsageSign)
	if source.asked != 2 {
		t.Errorf("asked %d times below an anchor, want twice", source.asked)
	}
}

type counting struct{ asked int }

func (c *counting) Status(context.Context, *chain.Certificate, *chain.Certificate, time.Time) (chain.Status, error) {
	c.asked++
	return chain.Status{State: chain.StateGood}, nil
}

func TestACertificateSwappedForOneWithTheSameIssuerAndSerialIsNotTakenFromMemory(t *testing.T) {
	h := newHierarchy(t)
	v := h.verifier(t)
	at := chaintest.Start.Add(day)
	if r := v.Verify(context.Background(), h.leaf.Certificate, at, chain.UsageSign); !r.Good() {
		t.Fatalf("%+v", r)
	}
	key := chaintest.Key(t)
	swapped := h.issuing.Forge(t, "53010000000012", func(c *smx509.Certificate) { c.SerialNumber = h.leaf.Certificate.Serial })
	// Also with the signature value of the right one: same issuer, same serial number, same value, another key.
	raw := bytes.Clone(h.leaf.Certificate.Raw)
	point := h.leaf.Certificate.KeyBits()
	start := bytes.Index(raw, point)
	other := h.issuing.IssueFor(t, "other", key)
	copy(raw[start:], other.Certificate.KeyBits())
	transplanted, err := chain.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []*chain.Certificate{swapped.Certificate, transplanted} {
		if c.Serial.Cmp(h.leaf.Certificate.Serial) != 0 || !bytes.Equal(c.RawIssuer, h.leaf.Certificate.RawIssuer) {
			t.Fatal("the swapped certificate does not repeat issuer and serial number")
		}
		for range 2 {
			r := v.Verify(context.Background(), c, at, chain.UsageSign)
			if codeOf(r.ChainErr) != "chain.bad-signature" || r.Trusted {
				t.Errorf("%v, trusted %v", r.ChainErr, r.Trusted)
			}
		}
	}
}

func TestTheSearchIsBoundedWhenManyCertificatesBearOneName(t *testing.T) {
	root := chaintest.Root(t, "Root")
	key := chaintest.Key(t)
	// Many certificates of one name and key, each signed by that key: every one may be the issuer of every other.
	var crowd []*chain.Certificate
	for range 120 {
		crowd = append(crowd, chaintest.SelfSigned(t, "crowd", key).Certificate)
	}
	leaf := (&chaintest.Holder{X509: chaintest.SelfSigned(t, "crowd", key).X509, Key: key}).Issue(t, "leaf")
	v := &chain.Verifier{Anchors: chain.NewAnchors(root.Certificate), Intermediates: crowd}
	done := make(chan chain.Result, 1)
	go func() { done <- v.Verify(context.Background(), leaf.Certificate, chaintest.Start, chain.UsageSign) }()
	select {
	case r := <-done:
		if r.Trusted || len(r.Path) > 10 {
			t.Errorf("trusted %v, path of %d", r.Trusted, len(r.Path))
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the search does not end")
	}
}

func TestARenewedIssuerIsFoundByWhicheverCertificateIsInForce(t *testing.T) {
	root := chaintest.Root(t, "Root")
	key := chaintest.Key(t)
	old := root.IssueFor(t, "issuing", key, chaintest.CA(0), chaintest.Valid(chaintest.Start, chaintest.Start.Add(10*day)))
	renewed := root.IssueFor(t, "issuing", key, chaintest.CA(0))
	leaf := renewed.Issue(t, "leaf")
	v := &chain.Verifier{Anchors: chain.NewAnchors(root.Certificate),
		Intermediates: []*chain.Certificate{old.Certificate, renewed.Certificate}}
	r := v.Verify(context.Background(), leaf.Certificate, chaintest.Start.Add(20*day), chain.UsageSign)
	if !r.Trusted || r.Expired || !slices.Contains(r.Path, renewed.Certificate) {
		t.Errorf("trusted %v, expired %v", r.Trusted, r.Expired)
	}
}

func TestOneVerifierServesManyAtOnce(t *testing.T) {
	h := newHierarchy(t)
	gone := h.issuing.Issue(t, "gone")
	v := h.verifier(t, entry(gone.Certificate.Serial, chaintest.Start, 1))
	forged := h.issuing.Forge(t, "forged")
	var group sync.WaitGroup
	for range 16 {
		group.Go(func() {
			for range 20 {
				ctx, at := context.Background(), chaintest.Start.Add(day)
				if r := v.Verify(ctx, h.leaf.Certificate, at, chain.UsageSign); !r.Good() {
					t.Errorf("good: %+v", r)
				}
				if r := v.Verify(ctx, gone.Certificate, at, chain.UsageSign); r.Revocation.State != chain.StateRevoked {
					t.Errorf("revoked: %+v", r)
				}
				if r := v.With(nil).Verify(ctx, forged.Certificate, at, chain.UsageSign); r.ChainErr == nil {
					t.Errorf("forged: %+v", r)
				}
			}
		})
	}
	group.Wait()
}

func TestAnEndedContextIsSaid(t *testing.T) {
	h := newHierarchy(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if r := h.verifier(t).Verify(ctx, h.leaf.Certificate, chaintest.Start, chain.UsageSign); r.ChainErr == nil || r.Trusted {
		t.Errorf("%+v", r)
	}
}

func TestARememberedDigestCheckIsOnlyForThatSignerDigestAndValue(t *testing.T) {
	h := newHierarchy(t)
	v := &chain.Verifier{}
	e := [32]byte{1, 2, 3}
	value, err := h.leaf.SignDigest(context.Background(), e)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := v.CheckSM2Digest(h.leaf.Certificate, e, value); err != nil {
			t.Error(err)
		}
		if _, err := v.CheckSM2Digest(h.root.Certificate, e, value); codeOf(err) != "chain.bad-signature" {
			t.Errorf("another signer: %v", err)
		}
		if _, err := v.CheckSM2Digest(h.leaf.Certificate, [32]byte{1, 2, 4}, value); codeOf(err) != "chain.bad-signature" {
			t.Errorf("another digest: %v", err)
		}
	}
	if _, err := v.CheckSM2Digest(nil, e, value); codeOf(err) != "chain.bad-key" {
		t.Errorf("no signer: %v", err)
	}
}

func TestARememberedSignatureCheckIsOnlyForThatSignerAlgorithmContentAndValue(t *testing.T) {
	h := newHierarchy(t)
	v := &chain.Verifier{}
	signed := []byte("a seal")
	digest, err := sm2.CalculateSM2Hash(h.leaf.Certificate.PublicKey.(*ecdsa.PublicKey), signed, nil)
	if err != nil {
		t.Fatal(err)
	}
	value, err := h.leaf.SignDigest(context.Background(), [32]byte(digest))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := v.CheckSignature(h.leaf.Certificate, oid.SM2WithSM3, signed, value); err != nil {
			t.Error(err)
		}
		for what, err := range map[string]error{
			"another signer":  second(v.CheckSignature(h.root.Certificate, oid.SM2WithSM3, signed, value)),
			"another content": second(v.CheckSignature(h.leaf.Certificate, oid.SM2WithSM3, []byte("another"), value)),
			"shifted content": second(v.CheckSignature(h.leaf.Certificate, oid.SM2WithSM3, append(bytes.Clone(signed), value[0]), value[1:])),
		} {
			if codeOf(err) != "chain.bad-signature" {
				t.Errorf("%s: %v", what, err)
			}
		}
		if _, err := v.CheckSignature(h.leaf.Certificate, oid.ECDSASHA256, signed, value); err == nil {
			t.Error("another algorithm")
		}
	}
	if _, err := v.CheckSignature(nil, oid.SM2WithSM3, signed, value); codeOf(err) != "chain.bad-key" {
		t.Errorf("no signer: %v", err)
	}
}

func second(_ []string, err error) error { return err }
