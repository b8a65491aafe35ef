package ocsp_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	tjsm2 "github.com/tjfoc/gmsm/sm2"
	xocsp "golang.org/x/crypto/ocsp"

	"yinxin/ca/chain"
	"yinxin/ca/chain/chaintest"
	"yinxin/ca/ocsp"
	"yinxin/internal/oid"
)

func TestTheOtherImplementationVerifiesOurSignature(t *testing.T) {
	s := newScene(t)
	var outer struct {
		Status asn1.Enumerated
		Bytes  struct {
			Kind     asn1.ObjectIdentifier
			Response []byte
		} `asn1:"explicit,tag:0"`
	}
	if _, err := asn1.Unmarshal(respond(t, s.responder, s.now, nil, s.good(t)), &outer); err != nil {
		t.Fatal(err)
	}
	var basic struct {
		TBS       asn1.RawValue
		Algorithm pkix.AlgorithmIdentifier
		Signature asn1.BitString
		Certs     asn1.RawValue
	}
	if _, err := asn1.Unmarshal(outer.Bytes.Response, &basic); err != nil {
		t.Fatal(err)
	}
	public := &tjsm2.PublicKey{Curve: tjsm2.P256Sm2(), X: s.responder.Key.X, Y: s.responder.Key.Y}
	if !basic.Algorithm.Algorithm.Equal(oid.SM2WithSM3) || !public.Verify(basic.TBS.FullBytes, basic.Signature.Bytes) {
		t.Error("they do not verify the response")
	}
	if public.Verify(basic.TBS.FullBytes[1:], basic.Signature.Bytes) {
		t.Error("they verify anything")
	}
}

func TestOpenSSLPrintsOurRequestsAndResponses(t *testing.T) {
	s := newScene(t)
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	request, err := ocsp.CreateRequest([]ocsp.CertID{s.id(t, oid.SHA1), s.id(t, oid.SM3)}, []byte("0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	revoked := s.good(t)
	revoked.Status, revoked.RevokedAt, revoked.Reason = ocsp.Revoked, s.now.Add(-time.Hour), 1
	response := respond(t, s.responder, s.now, []byte("0123456789abcdef"), revoked, s.good(t))
	serial := strings.ToUpper(s.leaf.Certificate.Serial.Text(16))
	for _, test := range []struct {
		args  []string
		wants []string
	}{
		{[]string{"ocsp", "-reqin", write("request.der", request), "-req_text"},
			[]string{serial, "Hash Algorithm: sm3", "Hash Algorithm: sha1", "Nonce"}},
		{[]string{"ocsp", "-respin", write("response.der", response), "-resp_text", "-noverify"},
			[]string{serial, "Cert Status: revoked", "keyCompromise", "Cert Status: good", "SM2-with-SM3", "Nonce", "OCSP 1"}},
		{[]string{"ocsp", "-respin", write("error.der", ocsp.ErrorResponse(ocsp.TryLater)), "-resp_text", "-noverify"},
			[]string{"trylater"}},
	} {
		out, err := exec.Command("openssl", test.args...).CombinedOutput()
		if errors.Is(err, exec.ErrNotFound) {
			t.Skip("no openssl here")
		}
		for _, want := range test.wants {
			if !strings.Contains(string(out), want) && !strings.Contains(string(out), strings.ToLower(want)) {
				t.Errorf("openssl %v does not print %q:\n%s", test.args[3:], want, out)
			}
		}
	}
}

func TestResponsesOfAnotherMakerAreReadAndVerified(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(5), Subject: pkix.Name{CommonName: "CA"}, NotBefore: chaintest.Start,
		NotAfter: chaintest.Start.Add(chaintest.Year), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	issuer, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	ca, err := chain.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	now := chaintest.Start.Add(day)
	made, err := xocsp.CreateResponse(issuer, issuer, xocsp.Response{Status: xocsp.Revoked, SerialNumber: big.NewInt(77),
		ThisUpdate: now, NextUpdate: now.Add(time.Hour), RevokedAt: now.Add(-time.Hour), RevocationReason: xocsp.KeyCompromise,
		IssuerHash: crypto.SHA256}, key)
	if err != nil {
		t.Fatal(err)
	}
	r := parse(t, made)
	// They write the present as the time of production.
	if err := r.Verify(ca, r.ProducedAt.Add(time.Second)); err != nil {
		t.Error(err)
	}
	leaf := *ca
	leaf.Serial = big.NewInt(77)
	single, ok := r.Find(&leaf, ca)
	if !ok || single.Status != ocsp.Revoked || single.Reason != 1 || !single.RevokedAt.Equal(now.Add(-time.Hour)) {
		t.Errorf("%v %+v", ok, single)
	}
}
