package chain_test

import (
	"bytes"
	"crypto/rand"
	"encoding/pem"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emmansun/gmsm/sm2"
	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"

	"yinxin/ca/chain"
	"yinxin/ca/chain/chaintest"
	"yinxin/internal/oid"
)

// parts are what odd puts together, each with tag and length. The zero value is a sound version 3 certificate.
type parts struct {
	version, serial, validity, subject, key, extensions []byte
	after                                               []byte
}

func tlv(tag byte, content ...[]byte) []byte {
	var b cryptobyte.Builder
	b.AddASN1(der.Tag(tag), func(b *cryptobyte.Builder) { b.AddBytes(slices.Concat(content...)) })
	return b.BytesOrPanic()
}

func identifier(numbers ...int) []byte {
	var b cryptobyte.Builder
	b.AddASN1ObjectIdentifier(numbers)
	return b.BytesOrPanic()
}

func name(tag byte, value string) []byte {
	return tlv(0x30, tlv(0x31, tlv(0x30, identifier(2, 5, 4, 3), tlv(tag, []byte(value)))))
}

func extensionOf(id []byte, rest ...[]byte) []byte {
	return tlv(0x30, append([][]byte{id}, rest...)...)
}

// odd makes a certificate with an SM2 signature that is right, so that only the oddity can be what is refused.
func odd(t *testing.T, p parts) ([]byte, *chaintest.Holder) {
	t.Helper()
	ca := chaintest.Root(t, "Root")
	def := func(value *[]byte, fallback []byte) {
		if *value == nil {
			*value = fallback
		}
	}
	def(&p.version, tlv(0xa0, tlv(2, []byte{2})))
	def(&p.serial, tlv(2, []byte{1, 2, 3}))
	def(&p.validity, tlv(0x30, tlv(0x17, []byte("260102030405Z")), tlv(0x17, []byte("270102030405Z"))))
	def(&p.subject, name(0x0c, "odd"))
	def(&p.key, ca.Certificate.RawSPKI)
	algorithm := tlv(0x30, identifier(oid.SM2WithSM3...))
	tbs := tlv(0x30, p.version, p.serial, algorithm, ca.Certificate.RawSubject, p.validity, p.subject, p.key, p.extensions, p.after)
	value, err := ca.Key.Sign(rand.Reader, tbs, sm2.DefaultSM2SignerOpts)
	if err != nil {
		t.Fatal(err)
	}
	return tlv(0x30, tbs, algorithm, tlv(3, []byte{0}, value)), ca
}

func TestCertificatesAreReadWithTheLeniencyThatIsNoted(t *testing.T) {
	list := func(extensions ...[]byte) []byte { return tlv(0xa3, tlv(0x30, extensions...)) }
	keyUsage := identifier(2, 5, 29, 15)
	notCritical := tlv(1, []byte{0})
	uuid := append([]byte{6, 12, 105}, []byte{0x83, 0xbf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}...)
	for _, test := range []struct {
		name  string
		parts parts
		note  string
		check func(c *chain.Certificate) bool
	}{
		{"nothing odd", parts{}, "", func(c *chain.Certificate) bool { return c.Subject.CommonName == "odd" && c.Version == 3 }},
		{"version 1", parts{version: []byte{}}, "", func(c *chain.Certificate) bool { return c.Version == 1 }},
		{"a serial number with needless zeros", parts{serial: tlv(2, []byte{0, 0, 7})}, "", func(c *chain.Certificate) bool { return c.Serial.Int64() == 7 }},
		{"a negative serial number", parts{serial: tlv(2, []byte{0xff})}, "serial number", func(c *chain.Certificate) bool { return c.Serial.Int64() == -1 }},
		{"times without seconds", parts{validity: tlv(0x30, tlv(0x17, []byte("2601020304Z")), tlv(0x17, []byte("2701020304Z")))}, "time",
			func(c *chain.Certificate) bool { return c.NotBefore.Equal(time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC)) }},
		{"times with an offset", parts{validity: tlv(0x30, tlv(0x17, []byte("260102110405+0800")), tlv(0x18, []byte("20270102030405.5Z")))}, "time",
			func(c *chain.Certificate) bool {
				return c.NotBefore.Equal(chaintest.Start) && c.NotAfter.Equal(chaintest.Start.AddDate(1, 0, 0))
			}},
		{"a UTCTime of 1950", parts{validity: tlv(0x30, tlv(0x17, []byte("500102030405Z")), tlv(0x17, []byte("490102030405Z")))}, "",
			func(c *chain.Certificate) bool { return c.NotBefore.Year() == 1950 && c.NotAfter.Year() == 2049 }},
		{"a PrintableString with Chinese text", parts{subject: name(0x13, "档案馆")}, "name", func(c *chain.Certificate) bool { return c.Subject.CommonName == "档案馆" }},
		{"a BMPString", parts{subject: name(0x1e, "\x68\x63\x68\x48")}, "", func(c *chain.Certificate) bool { return c.Subject.CommonName == "档案" }},
		{"an IA5String that is not ASCII", parts{subject: name(0x16, "\xb5\xb5")}, "name", func(c *chain.Certificate) bool { return c.Subject.CommonName == "µµ" }},
		{"a name that reverses text", parts{subject: name(0x0c, "a\u202eb\x00c")}, "name", func(c *chain.Certificate) bool { return c.Subject.CommonName == "a\ufffdb\ufffdc" }},
		{"a name that is none", parts{subject: tlv(0x30, tlv(2, []byte{1}))}, "name", func(c *chain.Certificate) bool { return c.Subject.String() == "" }},
		{"critical FALSE written out", parts{extensions: list(extensionOf(keyUsage, notCritical, tlv(4, tlv(3, []byte{6, 0xc0}))))}, "critical FALSE",
			func(c *chain.Certificate) bool { return c.HasKeyUsage && c.KeyUsage == 3 }},
		{"TRUE that is not 255", parts{extensions: list(extensionOf(keyUsage, tlv(1, []byte{1}), tlv(4, tlv(3, []byte{6, 0xc0}))))}, "BOOLEAN",
			func(c *chain.Certificate) bool { return c.KeyUsage == 3 }},
		{"key usage decipherOnly in the second octet", parts{extensions: list(extensionOf(keyUsage, tlv(4, tlv(3, []byte{7, 0x08, 0x80}))))}, "",
			func(c *chain.Certificate) bool { return c.KeyUsage == 1<<4|1<<8 }},
		{"key usage that cannot be read", parts{extensions: list(extensionOf(keyUsage, tlv(4, []byte{1, 2})))}, "cannot be read",
			func(c *chain.Certificate) bool {
				return c.HasKeyUsage && c.KeyUsage == 0 && len(c.UnhandledCritical) == 1
			}},
		{"a critical extension under a UUID", parts{extensions: list(extensionOf(uuid, tlv(1, []byte{255}), tlv(4, nil)))}, "",
			func(c *chain.Certificate) bool {
				return len(c.UnhandledCritical) == 1 && c.UnhandledCritical[0].String() == "2.25.-1"
			}},
		{"the organisation code as bare text", parts{extensions: list(extensionOf(identifier(oid.OrganisationCode...), tlv(4, []byte("12530000MB1234567X"))))}, "",
			func(c *chain.Certificate) bool { return c.OrganisationCode == "12530000MB1234567X" }},
		{"the organisation code under the older arc", parts{extensions: list(extensionOf(identifier(oid.OrganisationCodeOld...), tlv(4, tlv(0x13, []byte("12530000MB1234567X")))))}, "",
			func(c *chain.Certificate) bool { return c.OrganisationCode == "12530000MB1234567X" }},
		{"a key of an unknown kind", parts{key: tlv(0x30, tlv(0x30, identifier(1, 3, 101, 112)), tlv(3, make([]byte, 33)))}, "key algorithm",
			func(c *chain.Certificate) bool { return c.PublicKey == nil }},
		{"a point that is not on the curve", parts{key: tlv(0x30, tlv(0x30, identifier(oid.PublicKeyEC...), identifier(oid.CurveSM2...)), tlv(3, []byte{0, 4}, bytes.Repeat([]byte{9}, 64)))}, "not a point",
			func(c *chain.Certificate) bool { return c.PublicKey == nil }},
		{"the point at infinity", parts{key: tlv(0x30, tlv(0x30, identifier(oid.PublicKeyEC...), identifier(oid.CurveSM2...)), tlv(3, []byte{0, 0}))}, "not a point",
			func(c *chain.Certificate) bool { return c.PublicKey == nil }},
		{"an issuerUniqueID", parts{after: tlv(0x81, []byte{0, 1})}, "", func(c *chain.Certificate) bool { return c.Version == 3 }},
	} {
		t.Run(test.name, func(t *testing.T) {
			raw, ca := odd(t, test.parts)
			c, err := chain.ParseCertificate(raw)
			if err != nil {
				t.Fatal(err)
			}
			if !test.check(c) {
				t.Errorf("%+v", c)
			}
			noted := slices.ContainsFunc(c.Notes, func(n string) bool { return strings.Contains(n, test.note) })
			if (test.note == "" && len(c.Notes) > 0) || (test.note != "" && !noted) {
				t.Errorf("notes %q, want one with %q", c.Notes, test.note)
			}
			if _, err := chain.CheckSignature(ca.Certificate.PublicKey, c.SignatureAlgorithm, c.RawTBS, c.Signature); err != nil {
				t.Errorf("signature: %v", err)
			}
		})
	}
}

func TestCertificatesThatDecideTrustAmbiguouslyAreRefused(t *testing.T) {
	list := func(extensions ...[]byte) []byte { return tlv(0xa3, tlv(0x30, extensions...)) }
	basic := extensionOf(identifier(2, 5, 29, 19), tlv(4, tlv(0x30)))
	var many [][]byte
	for i := range 101 {
		many = append(many, extensionOf(identifier(1, 2, 3, i), tlv(4, nil)))
	}
	for _, test := range []struct {
		name  string
		parts parts
		field string
	}{
		{"version 4", parts{version: tlv(0xa0, tlv(2, []byte{3}))}, "version"},
		{"an empty serial number", parts{serial: tlv(2)}, "serialNumber"},
		{"a serial number of 65 octets", parts{serial: tlv(2, bytes.Repeat([]byte{1}, 65))}, "serialNumber"},
		{"a month 13", parts{validity: tlv(0x30, tlv(0x17, []byte("261302030405Z")), tlv(0x17, []byte("270102030405Z")))}, "notBefore"},
		{"29 February of a common year", parts{validity: tlv(0x30, tlv(0x17, []byte("260229030405Z")), tlv(0x17, []byte("270102030405Z")))}, "notBefore"},
		{"three times", parts{validity: tlv(0x30, tlv(0x17, []byte("260102030405Z")), tlv(0x17, []byte("270102030405Z")), tlv(0x17, []byte("270102030405Z")))}, "notAfter"},
		{"an extension twice", parts{extensions: list(basic, basic)}, "extensions"},
		{"101 extensions", parts{extensions: list(many...)}, "extensions"},
		{"something after the extensions", parts{extensions: list(basic), after: tlv(5)}, "extensions"},
	} {
		t.Run(test.name, func(t *testing.T) {
			raw, _ := odd(t, test.parts)
			_, err := chain.ParseCertificate(raw)
			if codeOf(err) != "chain.bad-certificate" || !strings.Contains(err.Error(), test.field) {
				t.Errorf("%v, want a complaint about %s", err, test.field)
			}
		})
	}
}

func TestDamagedCertificatesAreRefusedWithoutPanic(t *testing.T) {
	h := newHierarchy(t)
	raw := h.leaf.Certificate.Raw
	for cut := range raw {
		if _, err := chain.ParseCertificate(raw[:cut]); codeOf(err) != "chain.bad-certificate" {
			t.Fatalf("cut at %d: %v", cut, err)
		}
	}
	if _, err := chain.ParseCertificate(append(bytes.Clone(raw), 0)); codeOf(err) != "chain.bad-certificate" {
		t.Errorf("trailing octet: %v", err)
	}
	if _, err := chain.ParseCertificate(make([]byte, chain.MaxCertificate+1)); codeOf(err) != "chain.too-large" {
		t.Errorf("too large: %v", err)
	}
	// The identifier that is not signed must say the same as the one that is.
	other := bytes.Clone(raw)
	position := bytes.LastIndex(other, identifier(oid.SM2WithSM3...))
	copy(other[position:], identifier(oid.SM3...))
	if _, err := chain.ParseCertificate(other); codeOf(err) != "chain.bad-certificate" {
		t.Errorf("another algorithm outside: %v", err)
	}
	v := h.verifier(t)
	for i := range raw {
		changed := bytes.Clone(raw)
		changed[i] ^= 0x01
		c, err := chain.ParseCertificate(changed)
		if err != nil {
			continue
		}
		r := v.Verify(t.Context(), c, chaintest.Start, chain.UsageSign)
		if r.Trusted && !bytes.Equal(c.RawTBS, h.leaf.Certificate.RawTBS) {
			t.Errorf("octet %d changed and still trusted", i)
		}
	}
}

func TestCertificateFilesAreReadInPEMAndDER(t *testing.T) {
	h := newHierarchy(t)
	first, second := h.leaf.Certificate.Raw, h.issuing.Certificate.Raw
	inPEM := func(kind string, raw []byte) []byte {
		return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: raw})
	}
	for _, test := range []struct {
		name string
		data []byte
		want int
		code string
	}{
		{"one in DER", first, 1, ""},
		{"two in DER", slices.Concat(first, second), 2, ""},
		{"two in PEM with text around", slices.Concat([]byte("leaf\n"), inPEM("CERTIFICATE", first), []byte("\nca\n"), inPEM("CERTIFICATE", second)), 2, ""},
		{"a key is passed over", slices.Concat(inPEM("PRIVATE KEY", []byte{1}), inPEM("CERTIFICATE", first)), 1, ""},
		{"nothing", nil, 0, "chain.bad-certificate"},
		{"only a key", inPEM("PRIVATE KEY", []byte{1}), 0, "chain.bad-certificate"},
		{"a damaged second", slices.Concat(first, second[:len(second)-1]), 0, "chain.bad-certificate"},
		{"text", []byte("not a certificate"), 0, "chain.bad-certificate"},
	} {
		t.Run(test.name, func(t *testing.T) {
			certs, err := chain.ParseCertificates(test.data)
			if codeOf(err) != test.code || len(certs) != test.want {
				t.Errorf("%d certificates, %v", len(certs), err)
			}
		})
	}
}

func TestNamesAreEscapedAndRepeatedAttributesShown(t *testing.T) {
	attribute := func(kind int, value string) []byte {
		return tlv(0x31, tlv(0x30, identifier(2, 5, 4, kind), tlv(0x0c, []byte(value))))
	}
	raw, _ := odd(t, parts{subject: tlv(0x30, attribute(3, "one"), attribute(3, "two"), attribute(10, `a,b+c="d"`), attribute(11, "#x"))})
	c := mustRead(t, raw)
	if want := `CN=one / two,OU=\#x,O=a\,b\+c=\"d\"`; c.Subject.String() != want {
		t.Errorf("%s, want %s", c.Subject, want)
	}
}
