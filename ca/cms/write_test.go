package cms_test

import (
	"bytes"
	"context"
	"encoding/asn1"
	"strings"
	"testing"
	"time"

	"github.com/emmansun/gmsm/pkcs7"
	"github.com/emmansun/gmsm/sm3"
	tjx509 "github.com/tjfoc/gmsm/x509"

	"yinxin/ca/chain"
	"yinxin/ca/chain/chaintest"
	"yinxin/ca/cms"
	"yinxin/internal/fault"
	"yinxin/internal/oid"
	"yinxin/internal/tooltest"
)

var (
	content = []byte("%PDF-1.7 云岭省档案馆 the octets of a byte range")
	at      = chaintest.Start.Add(24 * time.Hour)
	seal    = []byte{0x30, 0x03, 0x02, 0x01, 0x05}
)

// scene is a CA with someone who signs.
type scene struct{ ca, signer *chaintest.Holder }

func newScene(t testing.TB) scene {
	t.Helper()
	ca := chaintest.Root(t, "云岭省电子印章签发 CA")
	return scene{ca, ca.Issue(t, "53010000000012")}
}

func (s scene) template(p cms.Profile) cms.Template {
	return cms.Template{Profile: p, Certificate: s.signer.Certificate, Chain: []*chain.Certificate{s.ca.Certificate}, Seal: seal}
}

func newWriter(t testing.TB, template cms.Template) *cms.Writer {
	t.Helper()
	w, err := cms.NewWriter(template)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// value signs what is pending.
func value(t testing.TB, p *cms.Pending, by *chaintest.Holder) []byte {
	t.Helper()
	e, err := p.Digest()
	if err != nil {
		t.Fatal(err)
	}
	made, err := by.SignDigest(context.Background(), e)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func assemble(t testing.TB, p *cms.Pending, value, token []byte) []byte {
	t.Helper()
	made, err := p.Assemble(value, token)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// sign makes signed data over content that is elsewhere.
func (s scene) sign(t testing.TB, p cms.Profile) []byte {
	t.Helper()
	pending := newWriter(t, s.template(p)).Prepare(sm3.Sum(content), at)
	return assemble(t, pending, value(t, pending, s.signer), nil)
}

func parse(t testing.TB, raw []byte) *cms.SignedData {
	t.Helper()
	d, err := cms.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// verify does what a verifier does: find the certificate, hash, check.
func verify(raw, content []byte, known ...*chain.Certificate) (cms.Report, error) {
	d, err := cms.Parse(raw)
	if err != nil {
		return cms.Report{}, err
	}
	c, err := d.SignerCertificate(known...)
	if err != nil {
		return cms.Report{}, err
	}
	if content == nil {
		r := d.Verify(c, nil)
		return r, r.Err()
	}
	how, err := d.ContentDigest(c)
	if err != nil {
		return cms.Report{}, err
	}
	r := d.Verify(c, how.Sum(content))
	return r, r.Err()
}

func codeOf(err error) string {
	if err == nil {
		return ""
	}
	return fault.CodeOf(err)
}

var profiles = []cms.Profile{cms.ProfileCMS, cms.ProfileGM}

func TestWhatIsWrittenIsReadAndVerified(t *testing.T) {
	s := newScene(t)
	for _, p := range profiles {
		t.Run(string(p), func(t *testing.T) {
			raw := s.sign(t, p)
			r, err := verify(raw, content)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range r.Findings {
				if len(f.Notes) > 0 {
					t.Errorf("%s: %q", f.Rule, f.Notes)
				}
			}
			d := parse(t, raw)
			signer, err := d.Signer()
			if err != nil {
				t.Fatal(err)
			}
			if got, err := signer.Seal(); err != nil || !bytes.Equal(got, seal) {
				t.Errorf("seal %x, %v", got, err)
			}
			claimed, err := signer.SigningTime()
			if err != nil || claimed.Equal(at) != (p == cms.ProfileGM) || claimed.IsZero() != (p == cms.ProfileCMS) {
				t.Errorf("signing time %v, %v", claimed, err)
			}
			if d.GM != (p == cms.ProfileGM) || d.Embedded || len(d.Certificates) != 2 || d.Version != 1 {
				t.Errorf("%+v", d)
			}
			if _, err := verify(raw, append(content, ' ')); codeOf(err) != "cms.message-digest" {
				t.Errorf("other content: %v", err)
			}
		})
	}
}

func TestTheSizeIsKnownBeforeTheSignature(t *testing.T) {
	s := newScene(t)
	token := make([]byte, 1200)
	copy(token, []byte{0x30, 0x82, 1200 / 256, (1200 - 4) % 256})
	token[2] = (1200 - 4) >> 8
	for _, p := range profiles {
		w := newWriter(t, s.template(p))
		for range 40 {
			pending := w.Prepare(sm3.Sum(content), at)
			v := value(t, pending, s.signer)
			for _, with := range []struct {
				token   []byte
				reserve int
			}{{nil, 0}, {token, len(token)}} {
				slack := w.Size(with.reserve) - len(assemble(t, pending, v, with.token))
				// The value is up to some octets shorter than the longest one; signingTime is two shorter until 2049.
				if slack < 0 || slack > 8 {
					t.Fatalf("%s: %d octets of slack", p, slack)
				}
			}
		}
	}
}

func TestAnotherProcessCompletesWhatThisOnePrepared(t *testing.T) {
	s := newScene(t)
	for _, p := range profiles {
		first := newWriter(t, s.template(p)).Prepare(sm3.Sum(content), at)
		v := value(t, first, s.signer)
		second := newWriter(t, s.template(p)).Prepare(sm3.Sum(content), at)
		if !bytes.Equal(assemble(t, first, v, nil), assemble(t, second, v, nil)) {
			t.Errorf("%s: different octets", p)
		}
	}
}

func TestAWrongSignatureIsNotPutIn(t *testing.T) {
	s := newScene(t)
	pending := newWriter(t, s.template(cms.ProfileCMS)).Prepare(sm3.Sum(content), at)
	good := value(t, pending, s.signer)
	for name, v := range map[string][]byte{"none": nil, "another key": value(t, pending, s.ca), "cut": good[:len(good)-1]} {
		if _, err := pending.Assemble(v, nil); codeOf(err) != "cms.cannot-write" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := pending.Assemble(good, []byte("token")); codeOf(err) != "cms.cannot-write" {
		t.Errorf("a token that is none: %v", err)
	}
}

func TestATemplateMustBeSound(t *testing.T) {
	s := newScene(t)
	for name, change := range map[string]func(*cms.Template){
		"no profile":       func(p *cms.Template) { p.Profile = "" },
		"no certificate":   func(p *cms.Template) { p.Certificate = nil },
		"a seal that ends": func(p *cms.Template) { p.Seal = []byte{0x30, 5} },
		"two seals":        func(p *cms.Template) { p.Seal = append(bytes.Clone(seal), seal...) },
	} {
		template := s.template(cms.ProfileCMS)
		change(&template)
		if _, err := cms.NewWriter(template); codeOf(err) != "cms.cannot-write" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The other implementations verify ours, and refuse other content.
func TestOtherImplementationsVerifyTheProfiles(t *testing.T) {
	s := newScene(t)
	gm, err := pkcs7.Parse(s.sign(t, cms.ProfileGM))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := tjx509.ParsePKCS7(s.sign(t, cms.ProfileCMS))
	if err != nil {
		t.Fatal(err)
	}
	for name, verify := range map[string]func(content []byte) error{
		"gmsm, GB/T 35275": func(content []byte) error { gm.Content = content; return gm.Verify() },
		"tjfoc, RFC 5652":  func(content []byte) error { plain.Content = content; return plain.Verify() },
	} {
		if err := verify(content); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := verify(append([]byte("x"), content...)); err == nil {
			t.Errorf("%s: other content is accepted", name)
		}
	}
}

func TestOpensslReadsTheStructure(t *testing.T) {
	s := newScene(t)
	raw := s.sign(t, cms.ProfileCMS)
	text := tooltest.Run(t, "openssl", "cms", "-cmsout", "-print", "-inform", "DER", "-in", tooltest.File(t, "x.der", raw))
	for _, want := range []string{"pkcs7-signedData", "algorithm: sm3 (1.2.156.10197.1.401)", "SM2-with-SM3 (1.2.156.10197.1.501)",
		"id-smime-aa-signingCertificateV2", "2.25.", "pkcs7-data (1.2.840.113549.1.7.1)"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	if strings.Contains(text, "signingTime") {
		t.Error("a signing time")
	}
	// Both decoders of DER read every element of the other content types.
	for _, p := range profiles {
		raw := s.sign(t, p)
		tooltest.Run(t, "openssl", "asn1parse", "-inform", "DER", "-in", tooltest.File(t, "x.der", raw))
		var any asn1.RawValue
		if rest, err := asn1.Unmarshal(raw, &any); err != nil || len(rest) > 0 {
			t.Errorf("%s: %v, %d octets left", p, err, len(rest))
		}
	}
}

// OpenSSL signs with the attributes sorted as DER asks; ours must be, too, since gmsm sorts before it verifies.
func TestTheAttributesAreInOrder(t *testing.T) {
	s := newScene(t)
	for _, p := range profiles {
		if d := parse(t, s.sign(t, p)); len(d.Notes) > 0 {
			t.Errorf("%s: %q", p, d.Notes)
		}
	}
}

func TestEmbeddedContentGoesAlong(t *testing.T) {
	s := newScene(t)
	template := cms.Template{Profile: cms.ProfileCMS, Certificate: s.signer.Certificate, ContentType: cms.IDOf(oid.TSTInfo)}
	pending := newWriter(t, template).PrepareEmbedded(content, at)
	raw := assemble(t, pending, value(t, pending, s.signer), nil)
	if _, err := verify(raw, nil); err != nil {
		t.Fatal(err)
	}
	d := parse(t, raw)
	if d.Version != 3 || d.ContentType != cms.TypeTSTInfo || !bytes.Equal(d.Content, content) {
		t.Errorf("%+v", d)
	}
	if _, err := verify(raw, content); codeOf(err) != "cms.content-embedded" {
		t.Errorf("embedded content where other content was signed: %v", err)
	}
}
