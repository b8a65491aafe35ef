package conform

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/asn1"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/sm3"
	"github.com/zmap/zlint/v3/lint"
	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"

	"yinxin/ca/chain"
	"yinxin/internal/oid"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// draft is a certificate whose every part a test can change. The signature is never right: nobody looks at it here.
type draft struct {
	version      []byte // element; nil leaves it out
	serial       []byte // content of the INTEGER
	inner, outer []byte
	issuer       []byte
	from, until  []byte // elements
	subject      [][]byte
	key          []byte
	unique       []byte
	extensions   [][]byte
	point        []byte
	tail         []byte // after the extensions
}

func element(tag der.Tag, parts ...[]byte) []byte {
	var b cryptobyte.Builder
	b.AddASN1(tag, func(b *cryptobyte.Builder) { b.AddBytes(bytes.Join(parts, nil)) })
	return b.BytesOrPanic()
}

func sequence(parts ...[]byte) []byte { return element(der.SEQUENCE, parts...) }

func identifier(id asn1.ObjectIdentifier) []byte {
	var b cryptobyte.Builder
	b.AddASN1ObjectIdentifier(id)
	return b.BytesOrPanic()
}

func pair(id asn1.ObjectIdentifier, tag der.Tag, value string) []byte {
	return sequence(identifier(id), element(tag, []byte(value)))
}

func rdn(pairs ...[]byte) []byte { return element(der.SET, pairs...) }

func ext(id asn1.ObjectIdentifier, critical bool, value []byte) []byte {
	parts := [][]byte{identifier(id)}
	if critical {
		parts = append(parts, []byte{1, 1, 0xff})
	}
	return sequence(append(parts, element(der.OCTET_STRING, value))...)
}

const (
	testCode   = "12220000412345670E"
	testUnit   = "某某市档案馆"
	testName   = "22000012345678"
	testPerson = "22710219900307001X"
)

// context tags
const (
	explicit0 = der.Tag(0 | 0x80 | 0x20)
	context0  = der.Tag(0 | 0x80)
	context6  = der.Tag(6 | 0x80)
)

func uri(s string) []byte { return element(context6, []byte(s)) }

func points(urls ...string) []byte {
	var names [][]byte
	for _, u := range urls {
		names = append(names, uri(u))
	}
	return sequence(sequence(element(explicit0, element(explicit0, names...))))
}

func policies(id asn1.ObjectIdentifier, cps string) []byte {
	return sequence(sequence(identifier(id), sequence(sequence(identifier(oid.PolicyQualifierCPS), element(der.IA5String, []byte(cps))))))
}

func spki(curve asn1.ObjectIdentifier, point []byte) []byte {
	return sequence(sequence(identifier(oid.PublicKeyEC), identifier(curve)), element(der.BIT_STRING, []byte{0}, point))
}

// newDraft is an institution's certificate that keeps every rule.
func newDraft(t testing.TB) *draft {
	key, err := sm2.GenerateKey(rand.Reader)
	must(t, err)
	point := make([]byte, 65)
	point[0] = 4
	key.X.FillBytes(point[1:33])
	key.Y.FillBytes(point[33:])
	digest := sm3.Sum(point)
	algorithm := sequence(identifier(oid.SM2WithSM3))
	return &draft{
		version: element(explicit0, []byte{2, 1, 2}), serial: append([]byte{0x41, 0x42}, digest[:14]...), inner: algorithm, outer: algorithm,
		issuer:  sequence(rdn(pair(oid.Country, der.PrintableString, "CN")), rdn(pair(oid.CommonName, tagUTF8, "签发证书"))),
		from:    element(der.UTCTime, []byte("260305080000Z")),
		until:   element(der.UTCTime, []byte("270305075959Z")),
		subject: [][]byte{rdn(pair(oid.Country, der.PrintableString, "CN")), rdn(pair(oid.Organisation, tagUTF8, testCode+testUnit)), rdn(pair(oid.CommonName, tagUTF8, testName))},
		point:   point, key: spki(oid.CurveSM2, point),
		extensions: [][]byte{
			ext(oid.AuthorityKeyID, false, sequence(element(context0, bytes.Repeat([]byte{9}, 20)))),
			ext(oid.SubjectKeyID, false, element(der.OCTET_STRING, digest[:20])),
			ext(oid.BasicConstraints, true, sequence()),
			ext(oid.KeyUsage, true, []byte{3, 2, 6, 0xc0}),
			ext(oid.CertificatePolicies, false, policies(oid.AnyPolicy, "http://a.cn/cps")),
			ext(oid.CRLDistributionPoints, false, points("http://a.cn/1.crl")),
			ext(oid.AuthorityInfoAccess, false, sequence(sequence(identifier(oid.AccessOCSP), uri("http://a.cn/ocsp")), sequence(identifier(oid.AccessCAIssuers), uri("http://a.cn/ca.cer")))),
			ext(oid.OrganisationCode, false, element(der.PrintableString, []byte(testCode))),
		},
	}
}

// The places of the extensions in newDraft.
const (
	atAuthorityKey = iota
	atSubjectKey
	atConstraints
	atKeyUsage
	atPolicies
	atPoints
	atAccess
	atOrganisation
)

func (d *draft) bytes() []byte {
	var extensions []byte
	if d.extensions != nil {
		extensions = element(der.Tag(3|0x80|0x20), sequence(d.extensions...))
	}
	tbs := sequence(d.version, element(der.INTEGER, d.serial), d.inner, d.issuer, sequence(d.from, d.until), sequence(d.subject...), d.key, d.unique, extensions, d.tail)
	return sequence(tbs, d.outer, element(der.BIT_STRING, []byte{0}, sequence([]byte{2, 1, 1}, []byte{2, 1, 1})))
}

// person makes the draft one of a person's certificate.
func (d *draft) person() {
	d.subject[1], d.subject[2] = rdn(pair(oid.Organisation, tagUTF8, testUnit)), rdn(pair(oid.CommonName, tagUTF8, "王五"))
	d.extensions = d.extensions[:atOrganisation]
}

func (d *draft) identity(value []byte) {
	d.extensions = append(d.extensions, ext(oid.IdentityCode, false, value))
}

func utc(s string) []byte { return element(der.UTCTime, []byte(s)) }

func TestACertificateThatKeepsEveryRuleHasNoFindings(t *testing.T) {
	linter, err := NewLinter(rand.Reader)
	must(t, err)
	for name, c := range map[string]struct {
		profile Profile
		change  func(d *draft)
	}{
		"institution":     {Institution, func(*draft) {}},
		"without profile": {"", func(*draft) {}},
		"with delta lists": {Institution, func(d *draft) {
			d.extensions = append(d.extensions[:atAccess:atAccess], append([][]byte{ext([]int{2, 5, 29, 46}, false, points("http://a.cn/delta.crl"))}, d.extensions[atAccess:]...)...)
		}},
		"person":                {Personal, func(d *draft) { d.person() }},
		"person with number":    {Personal, func(d *draft) { d.person(); d.identity(element(context0, []byte(testPerson))) }},
		"encryption of a unit":  {Encryption, func(d *draft) { d.extensions[atKeyUsage] = ext(oid.KeyUsage, true, []byte{3, 2, 3, 0x38}) }},
		"encryption of someone": {Encryption, func(d *draft) { d.person(); d.extensions[atKeyUsage] = ext(oid.KeyUsage, true, []byte{3, 2, 3, 0x38}) }},
	} {
		d := newDraft(t)
		c.change(d)
		if found := linter.Check(d.bytes(), Expectation{Profile: c.profile}); len(found) != 0 {
			t.Errorf("%s: %v", name, found)
		}
	}
}

// TestEachRuleFindsWhatBreaksItAlone changes one thing, and wants the finding of that rule and no other.
func TestEachRuleFindsWhatBreaksItAlone(t *testing.T) {
	wrongIssuer := &chain.Certificate{RawSubject: sequence(rdn(pair(oid.CommonName, tagUTF8, "另一个"))), SubjectKeyID: bytes.Repeat([]byte{9}, 20), NotAfter: time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC)}
	name := func(id asn1.ObjectIdentifier, value string) []byte { return rdn(pair(id, tagUTF8, value)) }
	at := func(place int, extension []byte) func(d *draft) {
		return func(d *draft) { d.extensions[place] = extension }
	}
	issuerOf := func(d *draft) *chain.Certificate {
		return &chain.Certificate{RawSubject: d.issuer, SubjectKeyID: bytes.Repeat([]byte{9}, 20), NotBefore: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2036, 1, 1, 0, 0, 0, 0, time.UTC)}
	}
	type expectation = func(d *draft) Expectation
	as := func(p Profile) expectation { return func(*draft) Expectation { return Expectation{Profile: p} } }
	institution := as(Institution)
	under := func(change func(i *chain.Certificate)) expectation {
		return func(d *draft) Expectation {
			i := issuerOf(d)
			change(i)
			return Expectation{Profile: Institution, Issuer: i}
		}
	}
	cases := []struct {
		rule, what string
		want       expectation
		change     func(d *draft)
	}{
		{"der", "FALSE written out", institution, func(d *draft) {
			d.extensions[atSubjectKey] = sequence(identifier(oid.SubjectKeyID), []byte{1, 1, 0}, d.extensions[atSubjectKey][2+5:])
		}},
		{"der", "a long serial number form", institution, func(d *draft) { d.serial = append([]byte{0}, d.serial...) }},
		{"version", "version 2", institution, func(d *draft) { d.version = element(explicit0, []byte{2, 1, 1}) }},
		{"version", "version 1", institution, func(d *draft) { d.version = nil }},
		{"algorithm", "NULL parameters", institution, func(d *draft) { d.inner = sequence(identifier(oid.SM2WithSM3), []byte{5, 0}); d.outer = d.inner }},
		{"algorithm", "another outside", institution, func(d *draft) { d.outer = sequence(identifier(oid.SM2Sign)) }},
		{"serial-positive", "a negative one", institution, func(d *draft) { d.serial[0] |= 0x80 }},
		{"serial-length", "21 octets", institution, func(d *draft) { d.serial = append(d.serial, 1, 2, 3, 4, 5) }},
		{"serial-entropy", "a counter", institution, func(d *draft) { copy(d.serial[2:], make([]byte, 13)) }},
		{"serial-entropy", "9 octets", institution, func(d *draft) { d.serial = d.serial[:9] }},
		{"issuer-name", "of another", func(d *draft) Expectation {
			i := issuerOf(d)
			i.RawSubject = wrongIssuer.RawSubject
			return Expectation{Institution, i}
		}, func(*draft) {}},
		{"issuer-name", "empty", institution, func(d *draft) { d.issuer = sequence() }},
		{"name-structure", "two in a set", institution, func(d *draft) {
			d.subject[1] = rdn(pair(oid.Organisation, tagUTF8, testCode+testUnit), pair(oid.Organisation, tagUTF8, testCode+testUnit+"分"))
		}},
		{"name-structure", "twice", institution, func(d *draft) { d.subject = append(d.subject, name(oid.CommonName, testName)) }},
		{"name-types", "a serial number attribute", institution, func(d *draft) { d.subject = append(d.subject, name(oid.SerialNumberAttr, "1")) }},
		{"name-types", "no country", institution, func(d *draft) { d.subject = d.subject[1:] }},
		{"name-order", "country last", institution, func(d *draft) { d.subject = append(d.subject[1:], d.subject[0]) }},
		{"name-country", "UTF8String", institution, func(d *draft) { d.subject[0] = name(oid.Country, "CN") }},
		{"name-country", "another", institution, func(d *draft) { d.subject[0] = rdn(pair(oid.Country, der.PrintableString, "US")) }},
		{"name-strings", "PrintableString", institution, func(d *draft) { d.subject[2] = rdn(pair(oid.CommonName, der.PrintableString, testName)) }},
		{"name-lengths", "65 characters", institution, func(d *draft) { d.subject[1] = name(oid.Organisation, testCode+strings.Repeat("馆", 47)) }},
		{"name-text", "a direction mark", institution, func(d *draft) { d.subject[1] = name(oid.Organisation, testCode+"某\u202e馆") }},
		{"name-text", "a blank at the end", institution, func(d *draft) { d.subject[1] = name(oid.Organisation, testCode+testUnit+" ") }},
		{"name-profile", "no seal code", institution, func(d *draft) { d.subject[2] = name(oid.CommonName, "王五") }},
		{"name-profile", "no credit code", institution, func(d *draft) { d.subject[1] = name(oid.Organisation, testUnit) }},
		{"name-profile", "another credit code", institution, func(d *draft) { d.subject[1] = name(oid.Organisation, "91350100M000100Y43"+testUnit) }},
		{"name-profile", "a person with an identity number", as(Personal), func(d *draft) { d.person(); d.subject[2] = name(oid.CommonName, "王五"+testPerson) }},
		{"name-profile", "a person with a credit code", as(Personal), func(d *draft) { d.person(); d.subject[1] = name(oid.Organisation, testCode+testUnit) }},
		{"validity-form", "GeneralizedTime before 2050", institution, func(d *draft) { d.until = element(der.GeneralizedTime, []byte("20270305075959Z")) }},
		{"validity-form", "a month 13", institution, func(d *draft) { d.from = utc("261305080000Z") }},
		{"validity-order", "backwards", institution, func(d *draft) { d.until = utc("250305075959Z") }},
		{"validity-ceiling", "a second more than twelve months", institution, func(d *draft) { d.until = utc("270305080000Z") }},
		{"validity-ceiling", "29 February to 28 February and a second", institution, func(d *draft) { d.from, d.until = utc("280229120000Z"), utc("290228120000Z") }},
		{"validity-issuer", "a second after the issuer", under(func(i *chain.Certificate) { i.NotAfter = time.Date(2027, 3, 5, 7, 59, 58, 0, time.UTC) }), func(*draft) {}},
		{"validity-issuer", "a second before the issuer", under(func(i *chain.Certificate) { i.NotBefore = time.Date(2026, 3, 5, 8, 0, 1, 0, time.UTC) }), func(*draft) {}},
		{"key", "P-256", institution, func(d *draft) { d.key = spki(oid.CurveP256, d.point) }},
		{"key", "a point beside the curve", institution, func(d *draft) {
			d.point[64] ^= 1
			digest := sm3.Sum(d.point)
			d.key, d.extensions[atSubjectKey] = spki(oid.CurveSM2, d.point), ext(oid.SubjectKeyID, false, element(der.OCTET_STRING, digest[:20]))
		}},
		{"key", "compressed", institution, func(d *draft) { d.key = spki(oid.CurveSM2, append([]byte{2 + d.point[64]&1}, d.point[1:33]...)) }},
		{"unique-identifiers", "of the issuer", institution, func(d *draft) { d.unique = element(der.Tag(1|0x80), []byte{0, 1}) }},
		{"extensions-present", "no policy", institution, func(d *draft) { d.extensions = append(d.extensions[:atPolicies], d.extensions[atPoints:]...) }},
		{"extensions-present", "no organisation code", institution, func(d *draft) { d.extensions = d.extensions[:atOrganisation] }},
		{"extensions-known", "an alternative name", institution, func(d *draft) {
			d.extensions = append(d.extensions, ext(oid.SubjectAltName, false, sequence(uri("http://a.cn"))))
		}},
		{"extensions-known", "an identity number of an institution", institution, func(d *draft) { d.identity(element(context0, []byte(testPerson))) }},
		{"extensions-once", "key usage twice", institution, func(d *draft) {
			d.extensions = append(d.extensions[:atPolicies:atPolicies], append([][]byte{d.extensions[atKeyUsage]}, d.extensions[atPolicies:]...)...)
		}},
		{"extensions-order", "key usage before the constraints", institution, func(d *draft) {
			d.extensions[atKeyUsage], d.extensions[atConstraints] = d.extensions[atConstraints], d.extensions[atKeyUsage]
		}},
		{"extensions-critical", "key usage is not", institution, at(atKeyUsage, ext(oid.KeyUsage, false, []byte{3, 2, 6, 0xc0}))},
		{"extensions-critical", "the policy is", institution, at(atPolicies, ext(oid.CertificatePolicies, true, policies(oid.AnyPolicy, "http://a.cn/cps")))},
		{"authority-key", "19 octets", institution, at(atAuthorityKey, ext(oid.AuthorityKeyID, false, sequence(element(context0, make([]byte, 19)))))},
		{"authority-key", "with a serial number", institution, at(atAuthorityKey, ext(oid.AuthorityKeyID, false, sequence(element(context0, make([]byte, 20)), element(der.Tag(2|0x80), []byte{1}))))},
		{"authority-key", "of another", under(func(i *chain.Certificate) { i.SubjectKeyID = make([]byte, 20) }), func(*draft) {}},
		{"subject-key", "of another key", institution, at(atSubjectKey, ext(oid.SubjectKeyID, false, element(der.OCTET_STRING, make([]byte, 20))))},
		{"subject-key", "32 octets", institution, at(atSubjectKey, ext(oid.SubjectKeyID, false, element(der.OCTET_STRING, make([]byte, 32))))},
		{"key-usage", "encipherment as well", institution, at(atKeyUsage, ext(oid.KeyUsage, true, []byte{3, 2, 5, 0xe0}))},
		{"key-usage", "zero bits at the end", institution, at(atKeyUsage, ext(oid.KeyUsage, true, []byte{3, 2, 0, 0xc0}))},
		{"key-usage", "signing in an encryption certificate", as(Encryption), func(*draft) {}},
		{"basic-constraints", "a CA", institution, at(atConstraints, ext(oid.BasicConstraints, true, sequence([]byte{1, 1, 0xff})))},
		{"basic-constraints", "FALSE written out", institution, at(atConstraints, ext(oid.BasicConstraints, true, sequence([]byte{1, 1, 0})))},
		{"policy", "no qualifier", institution, at(atPolicies, ext(oid.CertificatePolicies, false, sequence(sequence(identifier(oid.AnyPolicy)))))},
		{"policy", "an address of another kind", institution, at(atPolicies, ext(oid.CertificatePolicies, false, policies(oid.AnyPolicy, "ldap://a.cn/cps")))},
		{"policy", "two policies", institution, at(atPolicies, ext(oid.CertificatePolicies, false, sequence(policies(oid.AnyPolicy, "http://a.cn/cps")[2:], policies(oid.EKUOCSPSigning, "http://a.cn/cps")[2:])))},
		{"crl-point", "two addresses", institution, at(atPoints, ext(oid.CRLDistributionPoints, false, points("http://a.cn/1.crl", "http://b.cn/1.crl")))},
		{"crl-point", "a relative address", institution, at(atPoints, ext(oid.CRLDistributionPoints, false, points("/1.crl")))},
		{"crl-point", "a password in the address", institution, at(atPoints, ext(oid.CRLDistributionPoints, false, points("http://a:b@a.cn/1.crl")))},
		{"crl-point", "a blank in the address", institution, at(atPoints, ext(oid.CRLDistributionPoints, false, points("http://a.cn/1 .crl")))},
		{"authority-access", "no responder", institution, at(atAccess, ext(oid.AuthorityInfoAccess, false, sequence(sequence(identifier(oid.AccessCAIssuers), uri("http://a.cn/ca.cer")))))},
		{"authority-access", "no certificate", institution, at(atAccess, ext(oid.AuthorityInfoAccess, false, sequence(sequence(identifier(oid.AccessOCSP), uri("http://a.cn/ocsp")))))},
		{"authority-access", "an address that is none", institution, at(atAccess, ext(oid.AuthorityInfoAccess, false, sequence(sequence(identifier(oid.AccessOCSP), uri("a.cn")), sequence(identifier(oid.AccessCAIssuers), uri("http://a.cn/ca.cer")))))},
		{"organisation-code", "UTF8String", institution, at(atOrganisation, ext(oid.OrganisationCode, false, element(tagUTF8, []byte(testCode))))},
		{"identity-code", "a wrong check character", as(Personal), func(d *draft) { d.person(); d.identity(element(context0, []byte("227102199003070010"))) }},
		{"identity-code", "as a plain string", as(Personal), func(d *draft) { d.person(); d.identity(element(der.PrintableString, []byte(testPerson))) }},
		{"extended-key-usage", "of a server", as(OCSP), func(d *draft) {
			d.responder()
			d.extensions[atPolicies] = ext(oid.ExtKeyUsage, false, sequence(identifier([]int{1, 3, 6, 1, 5, 5, 7, 3, 1})))
		}},
		{"ocsp-nocheck", "not NULL", as(OCSP), func(d *draft) { d.responder(); d.extensions[atPoints+1] = ext(oid.OCSPNoCheck, false, sequence()) }},
	}
	tested := map[string]bool{}
	for _, c := range cases {
		d := newDraft(t)
		c.change(d)
		found := Check(d.bytes(), c.want(d))
		if len(found) != 1 || found[0].Rule != c.rule || found[0].Level != Error {
			t.Errorf("%s, %s: %v", c.rule, c.what, found)
		}
		tested[c.rule] = true
	}
	for _, r := range rules() {
		if !tested[r.name] {
			t.Errorf("rule %s is not tested", r.name)
		}
	}
}

// responder makes the draft one of an OCSP responder's certificate.
func (d *draft) responder() {
	d.subject[1], d.subject[2] = rdn(pair(oid.Organisation, tagUTF8, testUnit)), rdn(pair(oid.CommonName, tagUTF8, "OCSP"))
	e := d.extensions
	d.extensions = [][]byte{e[atAuthorityKey], e[atSubjectKey], e[atConstraints], ext(oid.KeyUsage, true, []byte{3, 2, 7, 0x80}),
		ext(oid.ExtKeyUsage, false, sequence(identifier(oid.EKUOCSPSigning))), e[atPolicies], ext(oid.OCSPNoCheck, false, []byte{5, 0}), e[atPoints],
		ext(oid.AuthorityInfoAccess, false, sequence(sequence(identifier(oid.AccessCAIssuers), uri("http://a.cn/ca.cer"))))}
}

func TestTheResponderOfTheTestsKeepsEveryRule(t *testing.T) {
	d := newDraft(t)
	d.responder()
	if found := Check(d.bytes(), Expectation{Profile: OCSP}); len(found) != 0 {
		t.Error(found)
	}
}

// TestDERIsStrict puts octets that BER allows and DER does not into an extension.
func TestDERIsStrict(t *testing.T) {
	for name, octets := range map[string][]byte{
		"a BOOLEAN of 1":                 {1, 1, 1},
		"an INTEGER with a needless 00":  {2, 2, 0, 1},
		"an INTEGER with a needless FF":  {2, 2, 0xff, 0x80},
		"an empty INTEGER":               {2, 0},
		"a long form of a short length":  {4, 0x81, 1, 0},
		"an indefinite length":           {0x30, 0x80, 0, 0},
		"unused bits that are not zero":  {3, 2, 1, 1},
		"eight unused bits":              {3, 2, 8, 0},
		"a NULL with content":            {5, 1, 0},
		"an OID with a needless 80":      {6, 3, 0x2a, 0x80, 1},
		"an OID that does not end":       {6, 1, 0x80},
		"a constructed OCTET STRING":     {0x24, 3, 4, 1, 0},
		"a primitive SEQUENCE":           {0x10, 0},
		"UTF-8 that is none":             {12, 1, 0xff},
		"an at sign in PrintableString":  {19, 1, '@'},
		"an umlaut in IA5String":         {22, 1, 0xfc},
		"a letter in NumericString":      {18, 1, 'a'},
		"a UTCTime without seconds":      append([]byte{23, 11}, "2603050800Z"...),
		"a UTCTime with an offset":       append([]byte{23, 17}, "260305080000+0800"...),
		"a GeneralizedTime with a point": append([]byte{24, 17}, "20260305080000.5Z"...),
		"a SET out of order":             {0x31, 6, 2, 1, 2, 2, 1, 1},
		"too deep":                       nested(maxDepth + 2),
	} {
		d := newDraft(t)
		d.extensions = append(d.extensions, ext([]int{1, 2, 3}, false, octets))
		found := Check(d.bytes(), Expectation{})
		if len(found) != 1 || found[0].Rule != "der" {
			t.Errorf("%s: %v", name, found)
		}
	}
	for name, octets := range map[string][]byte{"a negative INTEGER": {2, 1, 0x80}, "nesting": nested(maxDepth), "an empty BIT STRING": {3, 1, 0}} {
		d := newDraft(t)
		d.extensions = append(d.extensions, ext([]int{1, 2, 3}, false, octets))
		if found := Check(d.bytes(), Expectation{}); len(found) != 0 {
			t.Errorf("%s: %v", name, found)
		}
	}
}

func nested(depth int) []byte {
	var inner []byte
	for range depth {
		inner = sequence(inner)
	}
	return inner
}

func TestWhatIsNoCertificateIsOneFinding(t *testing.T) {
	good := newDraft(t).bytes()
	for name, data := range map[string][]byte{"nothing": nil, "words": []byte("hello"), "a cut one": good[:len(good)-1], "more": append(bytes.Clone(good), 0), "a large one": make([]byte, chain.MaxCertificate+1)} {
		if found := Check(data, Expectation{Profile: Institution}); len(found) != 1 || found[0].Rule != "der" {
			t.Errorf("%s: %v", name, found)
		}
	}
}

// TestZlintSaysWhatWeDoNot: what only zlint knows comes through the twin.
func TestZlintSaysWhatWeDoNot(t *testing.T) {
	linter, err := NewLinter(rand.Reader)
	must(t, err)
	for rule, c := range map[string]struct {
		want   Profile
		level  Level
		change func(d *draft)
	}{
		"zlint:e_ext_san_empty_name": {"", Error, func(d *draft) {
			d.extensions = append(d.extensions, ext(oid.SubjectAltName, false, sequence(element(der.Tag(2|0x80)))))
		}},
		"zlint:w_ext_crl_distribution_marked_critical": {"", Warning, func(d *draft) {
			d.extensions[atPoints] = ext(oid.CRLDistributionPoints, true, points("http://a.cn/1.crl"))
		}},
		"zlint:e_ecdsa_allowed_ku": {Institution, Error, func(d *draft) { d.extensions[atKeyUsage] = ext(oid.KeyUsage, true, []byte{3, 2, 5, 0xe0}) }},
	} {
		d := newDraft(t)
		c.change(d)
		found := linter.Check(d.bytes(), Expectation{Profile: c.want})
		seen := false
		for _, f := range found {
			seen = seen || f.Rule == rule && f.Level == c.level
		}
		if !seen {
			t.Errorf("%s is missing in %v", rule, found)
		}
	}
}

// TestEveryExclusionIsNeeded: without it an encryption certificate that keeps its profile would be refused.
func TestEveryExclusionIsNeeded(t *testing.T) {
	linter, err := NewLinter(rand.Reader)
	must(t, err)
	d := newDraft(t)
	d.extensions[atKeyUsage] = ext(oid.KeyUsage, true, []byte{3, 2, 3, 0x38})
	twin, err := linter.twin(d.bytes())
	must(t, err)
	got := map[string]bool{}
	for _, f := range linter.zlint(twin, "nobody's") {
		got[strings.TrimPrefix(f.Rule, "zlint:")] = true
	}
	for _, x := range exclusions() {
		if !got[x.name] || x.reason == "" {
			t.Errorf("%s is excluded for nothing: %v", x.name, got)
		}
		delete(got, x.name)
	}
	if len(got) != 0 {
		t.Errorf("left: %v", got)
	}
}

func TestTheTwinDiffersInAlgorithmsKeyAndSignatureAlone(t *testing.T) {
	linter, err := NewLinter(rand.Reader)
	must(t, err)
	d := newDraft(t)
	raw, err := linter.twin(d.bytes())
	must(t, err)
	twin, err := chain.ParseCertificate(raw)
	must(t, err)
	ours, err := chain.ParseCertificate(d.bytes())
	must(t, err)
	if _, err := chain.CheckSignature(twin.PublicKey, twin.SignatureAlgorithm, twin.RawTBS, twin.Signature); err != nil {
		t.Error(err)
	}
	key, ok := twin.PublicKey.(*ecdsa.PublicKey)
	if !ok || key.Curve != elliptic.P256() || !twin.SignatureAlgorithm.Equal(oid.ECDSASHA256) {
		t.Errorf("key %v, algorithm %v", twin.PublicKey, twin.SignatureAlgorithm)
	}
	if twin.Serial.Cmp(ours.Serial) != 0 || !bytes.Equal(twin.RawSubject, ours.RawSubject) || !bytes.Equal(twin.RawIssuer, ours.RawIssuer) ||
		!bytes.Equal(twin.SubjectKeyID, ours.SubjectKeyID) || !twin.NotAfter.Equal(ours.NotAfter) {
		t.Error("another certificate")
	}
	for _, bad := range [][]byte{nil, {0x30, 0}, sequence(sequence()), sequence(sequence([]byte{2, 1, 1}))} {
		if _, err := linter.twin(bad); err == nil {
			t.Errorf("%x has a twin", bad)
		}
	}
}

// TestALintThatPanicsIsAnError: zlint is not ours.
func TestALintThatPanicsIsAnError(t *testing.T) {
	linter, err := NewLinter(rand.Reader)
	must(t, err)
	broken := &lint.CertificateLint{LintMetadata: lint.LintMetadata{Name: "e_broken", Source: lint.RFC5280}, Lint: func() lint.LintInterface { panic("broken") }}
	linter.lints = []*lint.CertificateLint{broken}
	found := linter.Check(newDraft(t).bytes(), Expectation{Profile: Institution})
	if f, refused := Refused(found); !refused || f.Rule != "zlint:e_broken" {
		t.Errorf("%v", found)
	}
}

func TestNumbersOfPeopleAreFoundInACertificate(t *testing.T) {
	d := newDraft(t)
	d.identity(element(context0, []byte(testPerson)))
	if got := Identity(d.bytes()); got != testPerson {
		t.Errorf("%q", got)
	}
	if got := Identity(newDraft(t).bytes()) + Identity(nil); got != "" {
		t.Errorf("%q", got)
	}
}

func FuzzCheck(f *testing.F) {
	linter, err := NewLinter(rand.Reader)
	must(f, err)
	f.Add(newDraft(f).bytes(), "institution")
	d := newDraft(f)
	d.responder()
	f.Add(d.bytes(), "ocsp")
	f.Add(sequence(sequence(element(der.INTEGER, big.NewInt(1).Bytes()))), "root")
	f.Fuzz(func(t *testing.T, data []byte, profile string) {
		found := linter.Check(data, Expectation{Profile: Profile(profile)})
		if _, err := chain.ParseCertificate(data); err != nil {
			if _, refused := Refused(found); !refused && !strings.Contains(err.Error(), "too-large") {
				t.Errorf("no finding for what cannot be read: %v", err)
			}
		}
	})
}

func BenchmarkCheck(b *testing.B) {
	linter, err := NewLinter(rand.Reader)
	must(b, err)
	data := newDraft(b).bytes()
	b.Run("own rules", func(b *testing.B) {
		for range b.N {
			Check(data, Expectation{Profile: Institution})
		}
	})
	b.Run("and zlint", func(b *testing.B) {
		for range b.N {
			linter.Check(data, Expectation{Profile: Institution})
		}
	})
}
