package ocsp_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"yinxin/ca/chain"
	"yinxin/ca/chain/chaintest"
	"yinxin/ca/ocsp"
	"yinxin/internal/oid"
)

var update = flag.Bool("update", false, "write the files under testdata anew")

func golden(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func goldenCertificate(t testing.TB, name string) *chain.Certificate {
	t.Helper()
	c, err := chain.ParseCertificate(golden(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func writeGolden(t *testing.T) {
	s := newScene(t)
	request, err := ocsp.CreateRequest([]ocsp.CertID{s.id(t, oid.SHA1), s.id(t, oid.SHA256), s.id(t, oid.SM3)}, []byte("0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	revoked := s.good(t)
	revoked.Status, revoked.RevokedAt, revoked.Reason = ocsp.Revoked, s.now, 4
	if err := os.MkdirAll("testdata", 0o755); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{
		"ca.cer": s.ca.Certificate.Raw, "leaf.cer": s.leaf.Certificate.Raw, "request.der": request,
		"good.der":    respond(t, s.responder, s.now, []byte("0123456789abcdef"), s.good(t)),
		"revoked.der": respond(t, s.responder, s.now, nil, revoked),
	} {
		if err := os.WriteFile(filepath.Join("testdata", name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestMessagesMadeOnceAreStillReadTheSame(t *testing.T) {
	if *update {
		writeGolden(t)
	}
	ca, leaf := goldenCertificate(t, "ca.cer"), goldenCertificate(t, "leaf.cer")
	now := chaintest.Start.Add(day)
	request, err := ocsp.ParseRequest(golden(t, "request.der"))
	if err != nil || len(request.CertIDs) != 3 || string(request.Nonce) != "0123456789abcdef" {
		t.Fatalf("%v %+v", err, request)
	}
	for _, id := range request.CertIDs {
		if !id.Matches(ca) || id.Serial.Cmp(leaf.Serial) != 0 {
			t.Errorf("%+v", id)
		}
		made, err := ocsp.NewCertID(id.Hash, ca, leaf.Serial)
		if err != nil || !bytes.Equal(made.Raw, id.Raw) {
			t.Errorf("%v made anew: %x, %v", id.Hash, made.Raw, err)
		}
	}
	for name, want := range map[string]chain.State{"good.der": chain.StateGood, "revoked.der": chain.StateRevoked} {
		r := parse(t, golden(t, name))
		if err := r.Verify(ca, now); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if status := r.StatusOf(leaf, ca, now); status.State != want {
			t.Errorf("%s: %+v", name, status)
		}
	}
}

func FuzzParseRequest(f *testing.F) {
	f.Add(golden(f, "request.der"))
	f.Fuzz(func(t *testing.T, data []byte) {
		request, err := ocsp.ParseRequest(data)
		if err != nil {
			return
		}
		// What was read can be written and read again, and means the same.
		again, err := ocsp.CreateRequest(request.CertIDs, request.Nonce)
		if err != nil {
			t.Fatal(err)
		}
		second, err := ocsp.ParseRequest(again)
		if err != nil || len(second.CertIDs) != len(request.CertIDs) || !bytes.Equal(second.Nonce, request.Nonce) {
			t.Fatalf("%v", err)
		}
	})
}

func FuzzParseResponse(f *testing.F) {
	f.Add(ocsp.ErrorResponse(ocsp.TryLater))
	f.Add(golden(f, "good.der"))
	f.Add(golden(f, "revoked.der"))
	ca, leaf := goldenCertificate(f, "ca.cer"), goldenCertificate(f, "leaf.cer")
	now := chaintest.Start.Add(day)
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := ocsp.ParseResponse(data)
		if err != nil {
			return
		}
		status := r.StatusOf(leaf, ca, now)
		if r.Verify(ca, now) == nil && status.State == chain.StateUnknown {
			t.Fatalf("a believed response says neither of the two things that were signed: %+v", status)
		}
	})
}
