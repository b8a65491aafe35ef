package trustlist

import (
	"encoding/pem"
	"strings"
	"testing"

	"github.com/emmansun/gmsm/smx509"

	"yinxin/ca/chain/chaintest"
	"yinxin/ca/cms"
	"yinxin/internal/tooltest"
)

// TestOpensslReadsAndVerifiesAList: OpenSSL finds the content, its digest is the signed one, and the value is over that.
// (Its cms -verify knows no ID for SM2, so the value is checked by dgst.)
func TestOpensslReadsAndVerifiesAList(t *testing.T) {
	s := newScene(t)
	l := s.list(t, chaintest.Start)
	raw := signed(t, s.responder, s.issuing, l)
	content, err := Encode(l)
	if err != nil {
		t.Fatal(err)
	}
	name := tooltest.File(t, "list.p7s", raw)
	shown := tooltest.Run(t, "openssl", "cms", "-cmsout", "-print", "-noout", "-inform", "DER", "-in", name)
	if !strings.Contains(shown, "pkcs7-data") || strings.Count(shown, "serialNumber: ") < 3 {
		t.Fatalf("OpenSSL shows %s", shown)
	}
	d, err := cms.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	digest := tooltest.Run(t, "openssl", "dgst", "-sm3", "-r", tooltest.File(t, "content", content))
	if !strings.Contains(strings.ToLower(tooltest.Run(t, "openssl", "asn1parse", "-inform", "DER", "-in", name)), "[hex dump]:"+digest[:64]) {
		t.Errorf("the digest %s is not among what was signed", digest)
	}
	public, err := smx509.MarshalPKIXPublicKey(s.responder.Public())
	if err != nil {
		t.Fatal(err)
	}
	value := tooltest.File(t, "value", d.Signers[0].Value)
	key := tooltest.File(t, "key.pem", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}))
	octets := tooltest.File(t, "octets", d.Signers[0].SignedOctets())
	if said := tooltest.Run(t, "openssl", "dgst", "-sm3", "-verify", key, "-sigopt", "distid:1234567812345678", "-signature", value, octets); !strings.Contains(said, "Verified OK") {
		t.Error(said)
	}
}
