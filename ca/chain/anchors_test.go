package chain_test

import (
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"

	"yinxin/ca/chain"
	"yinxin/ca/chain/chaintest"
	"yinxin/internal/fault"
)

func TestTrustIsReadFromFilesAndFolders(t *testing.T) {
	h := newHierarchy(t)
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	inPEM := func(kind string, raw []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: raw}) }
	list := h.root.CRL(t, 1, chaintest.Start, chaintest.Start.Add(day))
	write("folder/root.CER", h.root.Certificate.Raw)
	write("folder/issuing.pem", inPEM("CERTIFICATE", h.issuing.Certificate.Raw))
	write("folder/root.crl", list)
	write("folder/issuing.crl", inPEM("X509 CRL", h.issuing.CRL(t, 1, chaintest.Start, chaintest.Start.Add(day))))
	write("folder/notes.txt", []byte("passed over"))
	write("folder/below/other.cer", chaintest.Root(t, "below").Certificate.Raw)

	anchors, lists, err := chain.LoadTrust(filepath.Join(dir, "folder"))
	if err != nil {
		t.Fatal(err)
	}
	if len(anchors.List()) != 1 || !anchors.Contains(h.root.Certificate) || anchors.Contains(h.issuing.Certificate) || len(lists) != 2 {
		t.Fatalf("%d anchors, %d lists", len(anchors.List()), len(lists))
	}
	v := &chain.Verifier{Anchors: anchors, Revocation: chain.NewCRLSource(lists...)}
	if r := v.Verify(t.Context(), h.leaf.Certificate, chaintest.Start, chain.UsageSign); !r.Good() {
		t.Errorf("%+v", r)
	}

	anchors, lists, err = chain.LoadTrust(write("anything", h.root.Certificate.Raw))
	if err != nil || !anchors.Contains(h.root.Certificate) || len(lists) != 0 {
		t.Errorf("one file: %v", err)
	}
	more := anchors.WithIntermediates(h.issuing.Certificate)
	if r := (&chain.Verifier{Anchors: more}).Verify(t.Context(), h.leaf.Certificate, chaintest.Start, chain.UsageSign); !r.Trusted {
		t.Errorf("with an intermediate: %+v", r)
	}

	for name, test := range map[string]struct {
		path string
		code string
	}{
		"a file that is not there":          {filepath.Join(dir, "absent"), "chain.bad-trust-file"},
		"a file that holds something else":  {write("text.pem", []byte("hello")), "chain.bad-trust-file"},
		"a PEM file without a certificate":  {write("key.pem", inPEM("PRIVATE KEY", []byte{1})), "chain.bad-trust-file"},
		"a damaged certificate":             {write("cut.pem", inPEM("CERTIFICATE", h.root.Certificate.Raw[:50])), "chain.bad-certificate"},
		"a damaged list":                    {write("cut2.pem", inPEM("X509 CRL", list[:50])), "chain.bad-crl"},
		"a self-signed one that is changed": {write("changed.cer", changedValue(h.root.Certificate.Raw)), "chain.bad-signature"},
	} {
		_, _, err := chain.LoadTrust(test.path)
		f, ok := fault.Of(err)
		if !ok || f.Code != test.code || f.Place.File != test.path {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// changedValue changes the last octet: the signature value is not the key's any more.
func changedValue(raw []byte) []byte {
	changed := append([]byte{}, raw...)
	changed[len(changed)-1] ^= 1
	return changed
}

func TestNobodyIsTrustedByNoAnchors(t *testing.T) {
	h := newHierarchy(t)
	var none *chain.Anchors
	if none.Contains(h.root.Certificate) || len(none.List()) != 0 || chain.NewAnchors().Contains(h.root.Certificate) {
		t.Error("something is trusted")
	}
	if none.WithIntermediates(h.issuing.Certificate).Contains(h.issuing.Certificate) {
		t.Error("an intermediate is trusted")
	}
}
