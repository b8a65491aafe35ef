package chain_test

import (
	"bytes"
	"crypto/x509/pkix"
	"flag"
	"math/big"
	"os"
	"path/filepath"
	"testing"

	"yinxin/ca/chain"
	"yinxin/ca/chain/chaintest"
	"yinxin/internal/oid"
)

var update = flag.Bool("update", false, "write the files under testdata anew")

// goldenFiles are a hierarchy made once. The private keys are lost, so that nothing new can be made under it.
var goldenFiles = []string{"root.cer", "issuing.cer", "leaf.cer", "revoked.cer", "root.crl", "issuing.crl"}

func golden(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func writeGolden(t *testing.T) {
	h := newHierarchy(t)
	revoked := h.issuing.Issue(t, "53010000000029")
	next := chaintest.Start.Add(30 * day)
	contents := [][]byte{h.root.Certificate.Raw, h.issuing.Certificate.Raw, h.leaf.Certificate.Raw, revoked.Certificate.Raw,
		h.root.CRL(t, 1, chaintest.Start, next),
		h.issuing.CRL(t, 1, chaintest.Start, next, entry(revoked.Certificate.Serial, chaintest.Start, 5))}
	if err := os.MkdirAll("testdata", 0o755); err != nil {
		t.Fatal(err)
	}
	for i, name := range goldenFiles {
		if err := os.WriteFile(filepath.Join("testdata", name), contents[i], 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// goldenVerifier trusts what lies under testdata, as a person would who points there.
func goldenVerifier(t testing.TB) *chain.Verifier {
	anchors, lists, err := chain.LoadTrust("testdata")
	if err != nil {
		t.Fatal(err)
	}
	return &chain.Verifier{Anchors: anchors, Revocation: chain.NewCRLSource(lists...)}
}

func TestFilesMadeOnceAreStillJudgedTheSame(t *testing.T) {
	if *update {
		writeGolden(t)
	}
	v := goldenVerifier(t)
	leaf := mustRead(t, golden(t, "leaf.cer"))
	if r := v.Verify(t.Context(), leaf, chaintest.Start.Add(day), chain.UsageSign); !r.Good() || len(r.Path) != 3 {
		t.Errorf("%+v", r)
	}
	if want := "CN=53010000000012,O=云岭省档案馆,C=CN"; leaf.Subject.String() != want {
		t.Errorf("%s, want %s", leaf.Subject, want)
	}
	revoked := mustRead(t, golden(t, "revoked.cer"))
	r := v.Verify(t.Context(), revoked, chaintest.Start.Add(day), chain.UsageSign)
	if !r.Trusted || r.Revocation.State != chain.StateRevoked || r.Revocation.Reason != 5 {
		t.Errorf("%+v", r)
	}
}

func FuzzParseCertificate(f *testing.F) {
	for _, name := range goldenFiles[:4] {
		f.Add(golden(f, name))
	}
	v := goldenVerifier(f)
	issued := map[string]bool{}
	for _, name := range goldenFiles[:4] {
		issued[string(mustRead(f, golden(f, name)).RawTBS)] = true
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := chain.ParseCertificate(data)
		if err != nil {
			return
		}
		if !bytes.Equal(c.Raw, data) || !bytes.Contains(data, c.RawTBS) {
			t.Fatal("not the octets that were read")
		}
		if r := v.Verify(t.Context(), c, chaintest.Start, chain.UsageAny); r.Trusted && !issued[string(c.RawTBS)] {
			t.Fatal("trusted without having been issued")
		}
	})
}

func FuzzParseCRL(f *testing.F) {
	f.Add(golden(f, "root.crl"))
	f.Add(golden(f, "issuing.crl"))
	stranger := chaintest.Root(f, "Root")
	point := pkix.Extension{Id: oid.IssuingDistributionPt, Critical: true, Value: pointValue("http://ca.example/1.crl")}
	f.Add(special(f, stranger, 7, chaintest.Start, chaintest.Start.Add(day), []pkix.Extension{point, deltaTo(4)}, entry(big.NewInt(300), chaintest.Start, 8)).Raw)
	issuer, revoked := mustRead(f, golden(f, "issuing.cer")), mustRead(f, golden(f, "revoked.cer"))
	signed, err := chain.ParseCRL(golden(f, "issuing.crl"))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		list, err := chain.ParseCRL(data)
		if err != nil {
			return
		}
		if _, listed := list.Lookup(revoked.Serial); listed != (list.Entry(revoked.Serial) != nil) {
			t.Fatal("two answers to one question")
		}
		if list.CheckIssuer(issuer) == nil && !bytes.Equal(list.RawTBS, signed.RawTBS) {
			t.Fatal("a list that nobody signed")
		}
		status, err := chain.NewCRLSource(list).Status(t.Context(), revoked, issuer, chaintest.Start)
		if err != nil || status.State == chain.StateUnknown && status.Detail == "" {
			t.Fatalf("%v %+v", err, status)
		}
	})
}
