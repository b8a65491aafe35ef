package ca

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"encoding/pem"
	"flag"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/smx509"
	tjfoc "github.com/tjfoc/gmsm/x509"

	"yinxin/ca/chain"
	"yinxin/internal/oid"
	"yinxin/internal/tooltest"
	"yinxin/keystore"
)

var update = flag.Bool("update", false, "write the golden files")

func TestTheInstitutionCertificateHasExactlyItsProfile(t *testing.T) {
	w := sqliteWorld(t)
	r := institution(t)
	ours := w.issue(t, r)
	c, err := smx509.ParseCertificate(ours.Raw)
	must(t, err)
	if c.Version != 3 || c.SignatureAlgorithm != smx509.SM2WithSM3 {
		t.Errorf("version %d, algorithm %v", c.Version, c.SignatureAlgorithm)
	}
	wantNames(t, c.RawSubject, "2.5.4.6 printable CN", "2.5.4.10 utf8 "+testCode+testName, "2.5.4.3 utf8 "+testSealCode)
	wantNames(t, c.RawIssuer, "2.5.4.6 printable CN", "2.5.4.10 utf8 某某省档案馆", "2.5.4.3 utf8 某某省档案馆签发证书")
	if want := time.Date(2026, 3, 5, 8, 0, 0, 0, time.UTC); !c.NotBefore.Equal(want) {
		t.Errorf("notBefore %v", c.NotBefore)
	}
	if want := time.Date(2027, 3, 5, 7, 59, 59, 0, time.UTC); !c.NotAfter.Equal(want) {
		t.Errorf("notAfter %v", c.NotAfter)
	}
	if octets := c.SerialNumber.Bytes(); len(octets) != 16 || !bytes.Equal(octets[:2], w.prefix) {
		t.Errorf("serial number %x", octets)
	}
	if !r.Public.Equal(c.PublicKey) {
		t.Error("another key")
	}
	if c.KeyUsage != smx509.KeyUsage(x509.KeyUsageDigitalSignature|x509.KeyUsageContentCommitment) {
		t.Errorf("key usage %b", c.KeyUsage)
	}
	if c.IsCA || !c.BasicConstraintsValid || len(c.ExtKeyUsage) != 0 {
		t.Errorf("CA %v, EKU %v", c.IsCA, c.ExtKeyUsage)
	}
	if !bytes.Equal(c.AuthorityKeyId, w.first().Certificate.SubjectKeyID) || len(c.SubjectKeyId) != 20 {
		t.Error("key identifiers")
	}
	if !slices.Equal(c.CRLDistributionPoints, []string{w.crlURL(FirstIssuer, w.shardOf(c.SerialNumber))}) || !slices.Equal(c.OCSPServer, []string{testBase + "/ocsp"}) ||
		!slices.Equal(c.IssuingCertificateURL, []string{testBase + "/pki/issuing.cer"}) {
		t.Errorf("addresses %v %v %v", c.CRLDistributionPoints, c.OCSPServer, c.IssuingCertificateURL)
	}
	extensions := map[string]string{}
	for _, e := range c.Extensions {
		extensions[e.Id.String()] = fmt.Sprintf("%v %x", e.Critical, e.Value)
	}
	cps, _ := asn1.MarshalWithParams(testBase+"/pki/cps", "ia5")
	want := map[string]string{
		oid.AuthorityKeyID.String():      fmt.Sprintf("false 30168014%x", w.first().Certificate.SubjectKeyID),
		oid.SubjectKeyID.String():        fmt.Sprintf("false 0414%x", c.SubjectKeyId),
		oid.BasicConstraints.String():    "true 3000",
		oid.KeyUsage.String():            "true 030206c0",
		oid.OrganisationCode.String():    fmt.Sprintf("false 1312%x", testCode),
		oid.CertificatePolicies.String(): extensions[oid.CertificatePolicies.String()],
	}
	if !strings.HasSuffix(want[oid.CertificatePolicies.String()], hex.EncodeToString(append([]byte{6, 8, 0x2b, 6, 1, 5, 5, 7, 2, 1}, cps...))) {
		t.Errorf("policy %s", want[oid.CertificatePolicies.String()])
	}
	for id, value := range want {
		if extensions[id] != value {
			t.Errorf("extension %s is %s, want %s", id, extensions[id], value)
		}
	}
	if len(extensions) != 8 || extensions[oid.CRLDistributionPoints.String()] == "" || extensions[oid.AuthorityInfoAccess.String()] == "" {
		t.Errorf("extensions %v", extensions)
	}
}

// wantNames takes a Name apart without the parsers under test.
func wantNames(t *testing.T, der []byte, want ...string) {
	t.Helper()
	var sets []asn1.RawValue
	if _, err := asn1.Unmarshal(der, &sets); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, set := range sets {
		var attribute struct {
			ID    asn1.ObjectIdentifier
			Value asn1.RawValue
		}
		if rest, err := asn1.Unmarshal(set.Bytes, &attribute); err != nil || len(rest) != 0 {
			t.Fatal("not one attribute in a set")
		}
		kind := map[int]string{asn1.TagPrintableString: "printable", asn1.TagUTF8String: "utf8"}[attribute.Value.Tag]
		got = append(got, fmt.Sprintf("%s %s %s", attribute.ID, kind, attribute.Value.Bytes))
	}
	if !slices.Equal(got, want) {
		t.Errorf("name %q, want %q", got, want)
	}
}

func TestInfrastructureCertificatesHaveTheirProfiles(t *testing.T) {
	w := sqliteWorld(t)
	const sign, repudiate = x509.KeyUsageDigitalSignature, x509.KeyUsageContentCommitment
	cases := []struct {
		name   string
		c      *chain.Certificate
		usage  x509.KeyUsage
		ca     bool
		length int
		eku    asn1.ObjectIdentifier
		ocsp   bool
		years  int
	}{
		{"root", w.made.Root, x509.KeyUsageCertSign | x509.KeyUsageCRLSign, true, 1, nil, false, 20},
		{"issuing", w.made.Issuing[0].Certificate, x509.KeyUsageCertSign | x509.KeyUsageCRLSign, true, 0, nil, false, 10},
		{"OCSP", w.made.Issuing[0].OCSP, sign, false, -1, oid.EKUOCSPSigning, false, 2},
		{"seal maker", w.made.SealMaker, sign | repudiate, false, -1, nil, true, 5},
		{"TSA", w.made.TSA, sign | repudiate, false, -1, oid.EKUTimeStamping, true, 5},
	}
	for _, k := range cases {
		t.Run(k.name, func(t *testing.T) {
			if k.c.KeyUsage != k.usage || k.c.IsCA != k.ca || k.c.MaxPathLen != k.length {
				t.Errorf("usage %b, CA %v, length %d", k.c.KeyUsage, k.c.IsCA, k.c.MaxPathLen)
			}
			if k.eku == nil && k.c.ExtKeyUsage != nil || k.eku != nil && (len(k.c.ExtKeyUsage) != 1 || !k.c.ExtKeyUsage[0].Equal(k.eku)) {
				t.Errorf("EKU %v", k.c.ExtKeyUsage)
			}
			if (k.c.OCSPURLs != nil) != k.ocsp || k.c.OCSPNoCheck != (k.name == "OCSP") {
				t.Errorf("OCSP addresses %v, nocheck %v", k.c.OCSPURLs, k.c.OCSPNoCheck)
			}
			if want := time.Date(2026+k.years, 3, 5, 7, 59, 59, 0, time.UTC); !k.c.NotAfter.Equal(want) {
				t.Errorf("notAfter %v", k.c.NotAfter)
			}
			if len(k.c.Notes)+len(k.c.UnhandledCritical) != 0 {
				t.Errorf("notes %v %v", k.c.Notes, k.c.UnhandledCritical)
			}
		})
	}
	if !slices.Equal(w.made.Issuing[0].Certificate.CRLURLs, []string{testBase + "/pki/root.crl"}) {
		t.Errorf("the issuing CA's CRL is at %v", w.made.Issuing[0].Certificate.CRLURLs)
	}
}

// TestTheBytesToBeSignedAreAsEver compares with a golden file: fixed key, serial number and time.
func TestTheBytesToBeSignedAreAsEver(t *testing.T) {
	private, err := sm2.NewPrivateKey(bytes.Repeat([]byte{7}, 32))
	must(t, err)
	r := Request{Profile: ProfileInstitution, Public: &private.PublicKey, Organisation: testName, CreditCode: testCode, SealCode: testSealCode}
	issuer, err := distinguishedName("某某省档案馆", "某某省档案馆签发证书")
	must(t, err)
	subject, err := distinguishedName(r.organisation(), r.commonName())
	must(t, err)
	d := draft{profile: r.Profile, serial: new(big.Int).SetBytes(bytes.Repeat([]byte{0x41}, 16)), subject: subject, public: keystore.Point(r.Public), creditCode: r.CreditCode,
		issuer: issuerData{name: issuer, keyID: bytes.Repeat([]byte{9}, 20), crlURL: "http://a/crl", certURL: "http://a/cer", ocspURL: "http://a/ocsp", cpsURL: "http://a/cps"}}
	d.notBefore, d.notAfter = r.Profile.validity(time.Date(2049, 6, 1, 0, 0, 0, 0, time.UTC))
	tbs, err := d.marshal()
	must(t, err)
	got := hex.Dump(tbs) + "\n" + string(r.Subject()) + "\n"
	path := filepath.Join("testdata", "institution.tbs.txt")
	if *update {
		must(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	must(t, err)
	if got != string(want) {
		t.Errorf("the bytes have changed:\n%s", got)
	}
}

func TestTimesAreUTCTimeThrough2049(t *testing.T) {
	_, until := ProfileInstitution.validity(time.Date(2049, 1, 1, 0, 0, 0, 0, time.UTC))
	for name, c := range map[string]struct {
		at   time.Time
		want string
	}{
		"the last second of UTCTime":        {until, "170d" + hex.EncodeToString([]byte("491231235959Z"))},
		"the first second of the long form": {until.Add(time.Second), "180f" + hex.EncodeToString([]byte("20500101000000Z"))},
	} {
		d := draft{profile: ProfileInstitution, serial: big.NewInt(1), public: make([]byte, 65), notBefore: c.at, notAfter: c.at}
		tbs, err := d.marshal()
		must(t, err)
		if !strings.Contains(hex.EncodeToString(tbs), c.want) {
			t.Errorf("%s: %x", name, tbs)
		}
	}
}

func TestTwelveCalendarMonthsEndTheSecondBefore(t *testing.T) {
	cases := map[string]string{
		"2026-03-05T08:00:00Z": "2027-03-05T07:59:59Z",
		"2026-01-01T00:00:00Z": "2026-12-31T23:59:59Z",
		"2028-02-29T12:00:00Z": "2029-02-28T11:59:59Z",
		"2027-02-28T12:00:00Z": "2028-02-28T11:59:59Z",
		"2026-12-31T23:59:59Z": "2027-12-31T23:59:58Z",
	}
	for from, want := range cases {
		at, err := time.Parse(time.RFC3339, from)
		must(t, err)
		notBefore, notAfter := ProfileInstitution.validity(at.Add(999 * time.Millisecond).In(time.FixedZone("CST", 8*3600)))
		if !notBefore.Equal(at) || notAfter.Format(time.RFC3339) != want || notBefore.Location() != time.UTC {
			t.Errorf("from %s: %v to %v", from, notBefore, notAfter)
		}
	}
}

func TestASecondImplementationVerifiesCertificatesAndCRL(t *testing.T) {
	w := sqliteWorld(t)
	c := w.issue(t, institution(t))
	w.revoke(t, c.Serial, ReasonKeyCompromise)
	crlDER, err := w.CRL(t.Context(), FirstIssuer)
	must(t, err)
	parse := func(der []byte) *tjfoc.Certificate {
		c, err := tjfoc.ParseCertificate(der)
		must(t, err)
		return c
	}
	root, issuing := parse(w.made.Root.Raw), parse(w.made.Issuing[0].Certificate.Raw)
	must(t, root.CheckSignatureFrom(root))
	must(t, issuing.CheckSignatureFrom(root))
	for _, der := range [][]byte{c.Raw, w.made.Issuing[0].OCSP.Raw, w.made.SealMaker.Raw, w.made.TSA.Raw} {
		must(t, parse(der).CheckSignatureFrom(issuing))
	}
	if err := parse(c.Raw).CheckSignatureFrom(root); err == nil {
		t.Error("tjfoc/gmsm accepts the wrong issuer")
	}
	list, err := tjfoc.ParseDERCRL(crlDER)
	must(t, err)
	must(t, issuing.CheckCRLSignature(list))
	if entries := list.TBSCertList.RevokedCertificates; len(entries) != 1 || entries[0].SerialNumber.Cmp(c.Serial) != 0 {
		t.Errorf("entries %v", entries)
	}
}

func TestOpenSSLReadsAndVerifiesWhatItCan(t *testing.T) {
	w := sqliteWorld(t)
	c := w.issue(t, institution(t))
	w.revoke(t, c.Serial, ReasonSuperseded)
	crl, err := w.CRL(t.Context(), FirstIssuer)
	must(t, err)
	root, issuing, leaf := inPEM(t, w.made.Root), inPEM(t, w.made.Issuing[0].Certificate), inPEM(t, c)
	distid := []string{"-vfyopt", "distid:1234567812345678"}
	verify := func(anchor, subject string, more ...string) {
		t.Helper()
		args := append(append([]string{"verify"}, distid...), more...)
		if out := tooltest.Run(t, "openssl", append(args, "-CAfile", anchor, subject)...); !strings.Contains(out, ": OK") {
			t.Errorf("%s", out)
		}
	}
	at := []string{"-attime", fmt.Sprint(w.time().Unix())}
	verify(root, issuing, at...)
	verify(issuing, leaf, append(at, "-partial_chain", "-x509_strict")...)
	text := tooltest.Run(t, "openssl", "x509", "-in", leaf, "-noout", "-text", "-nameopt", "utf8,sep_comma_plus,esc_ctrl")
	for _, want := range []string{"Version: 3", "SM2-with-SM3", "Digital Signature, Non Repudiation", "CA:FALSE", "X509v3 Key Usage: critical", testSealCode, testCode + testName,
		"URI:" + testBase + "/pki/issuing/", "OCSP - URI:" + testBase + "/ocsp", "CPS: " + testBase + "/pki/cps", "1.2.156.10260.4.1.4"} {
		if !strings.Contains(text, want) {
			t.Errorf("openssl x509 does not show %q in\n%s", want, text)
		}
	}
	text = tooltest.Run(t, "openssl", "crl", "-inform", "DER", "-in", tooltest.File(t, "issuing.crl", crl), "-noout", "-text")
	for _, want := range []string{"Version 2", "X509v3 CRL Number", "Superseded", strings.ToUpper(c.Serial.Text(16))} {
		if !strings.Contains(text, want) {
			t.Errorf("openssl crl does not show %q in\n%s", want, text)
		}
	}
}

func inPEM(t *testing.T, c *chain.Certificate) string {
	return tooltest.File(t, "certificate.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
}

func TestLintRefusesWhatLeavesTheProfile(t *testing.T) {
	w := sqliteWorld(t)
	good, err := w.prepare(t.Context(), institution(t))
	must(t, err)
	want := expected{request: good.request, profile: ProfileInstitution, serial: good.draft.serial, from: good.created, issuer: w.first().Certificate, urls: good.draft.issuer}
	if _, err := lint(good.tbs, w.throwaway, want); err != nil {
		t.Fatal(err)
	}
	other, err := distinguishedName(testCode+"另一个单位", testSealCode)
	must(t, err)
	for name, change := range map[string]func(d *draft){
		"another subject":            func(d *draft) { d.subject = other },
		"another key":                func(d *draft) { d.public = keystore.Point(newKey(t)) },
		"another serial number":      func(d *draft) { d.serial = new(big.Int).Add(d.serial, big.NewInt(1)) },
		"a negative serial number":   func(d *draft) { d.serial = big.NewInt(-5) },
		"a CA certificate":           func(d *draft) { d.profile = ProfileIssuing },
		"an OCSP responder":          func(d *draft) { d.profile = ProfileOCSP },
		"a TSA":                      func(d *draft) { d.profile = ProfileTSA },
		"no organisation code":       func(d *draft) { d.creditCode = "" },
		"another organisation code":  func(d *draft) { d.creditCode = "91350100M000100Y43" },
		"a second more":              func(d *draft) { d.notAfter = d.notAfter.Add(time.Second) },
		"a second earlier":           func(d *draft) { d.notBefore = d.notBefore.Add(-time.Second) },
		"another issuer":             func(d *draft) { d.issuer.name = w.root.RawSubject },
		"another authority key":      func(d *draft) { d.issuer.keyID = w.root.SubjectKeyID },
		"another CRL":                func(d *draft) { d.issuer.crlURL = "http://elsewhere/crl" },
		"another OCSP responder URL": func(d *draft) { d.issuer.ocspURL = "" },
		"another issuer URL":         func(d *draft) { d.issuer.certURL = "http://elsewhere/cer" },
	} {
		d := good.draft
		change(&d)
		tbs, err := d.marshal()
		must(t, err)
		if _, err := lint(tbs, w.throwaway, want); err == nil {
			t.Errorf("lint passes %s", name)
		}
	}
	if _, err := lint(append(good.tbs, 0), w.throwaway, want); err == nil {
		t.Error("lint passes trailing bytes")
	}
}

func TestATokenSignsOnce(t *testing.T) {
	w := sqliteWorld(t)
	i, err := w.prepare(t.Context(), institution(t))
	must(t, err)
	token, err := lint(i.tbs, w.throwaway, expected{request: i.request, profile: ProfileInstitution, serial: i.draft.serial, from: i.created, issuer: w.first().Certificate, urls: i.draft.issuer})
	must(t, err)
	der, err := token.sign(t.Context(), w.first().key)
	must(t, err)
	if _, err := token.sign(t.Context(), w.first().key); err == nil {
		t.Error("the token signed twice")
	}
	var absent *issuanceToken
	if _, err := absent.sign(t.Context(), w.first().key); err == nil {
		t.Error("no token signed")
	}
	if _, err := token.released(der, w.first().Certificate.PublicKey); err != nil {
		t.Error(err)
	}
	for name, bad := range map[string][]byte{"a flipped byte in the key": flip(der, len(der)/3), "a flipped byte in the signature": flip(der, len(der)-3)} {
		if _, err := token.released(bad, w.first().Certificate.PublicKey); err == nil {
			t.Errorf("%s is released", name)
		}
	}
}

func flip(b []byte, at int) []byte {
	b = bytes.Clone(b)
	b[at] ^= 1
	return b
}

func TestRequestsThatCannotBecomeACertificateAreRefused(t *testing.T) {
	good := institution(t)
	must(t, good.Check(time.Now()))
	//lint:ignore SA1019 a point off the curve cannot be made in any other way
	off := &ecdsa.PublicKey{Curve: sm2.P256(), X: big.NewInt(5), Y: big.NewInt(6)}
	for name, c := range map[string]struct {
		change func(r *Request)
		code   string
	}{
		"no key":                        {func(r *Request) { r.Public = nil }, "ca.public-key"},
		"a point beside the curve":      {func(r *Request) { r.Public = off }, "ca.public-key"},
		"a key without coordinates":     {func(r *Request) { r.Public = &ecdsa.PublicKey{Curve: sm2.P256()} }, "ca.public-key"},
		"no name":                       {func(r *Request) { r.Organisation = "" }, "ca.request"},
		"a name with a line break":      {func(r *Request) { r.Organisation = "某某\n馆" }, "ca.request"},
		"a name with a direction mark":  {func(r *Request) { r.Organisation = "某某\u202e馆" }, "ca.request"},
		"a name that is no UTF-8":       {func(r *Request) { r.Organisation = "\xff" }, "ca.request"},
		"a name of 47 characters":       {func(r *Request) { r.Organisation = strings.Repeat("馆", 47) }, "ca.request"},
		"a wrong check character":       {func(r *Request) { r.CreditCode = testCode[:17] + "9" }, "ca.request"},
		"a short credit code":           {func(r *Request) { r.CreditCode = testCode[:17] }, "ca.request"},
		"a seal code of 13 digits":      {func(r *Request) { r.SealCode = testSealCode[:13] }, "ca.request"},
		"a seal code with a letter":     {func(r *Request) { r.SealCode = "2200001234567X" }, "ca.request"},
		"a common name beside the code": {func(r *Request) { r.CommonName = "x" }, "ca.request"},
		"the root profile":              {func(r *Request) { r.Profile = ProfileRoot }, "ca.request"},
		"the issuing profile":           {func(r *Request) { r.Profile = ProfileIssuing }, "ca.request"},
		"no profile":                    {func(r *Request) { r.Profile = "" }, "ca.request"},
		"a seal maker with a code":      {func(r *Request) { r.Profile, r.SealCode, r.CommonName = ProfileSealMaker, "", "x" }, "ca.request"},
	} {
		r := good
		c.change(&r)
		err := r.Check(time.Now())
		if err == nil || !strings.HasPrefix(err.Error(), c.code+":") {
			t.Errorf("%s: %v", name, err)
		}
		_ = r.Subject() // must not panic, whatever is in it
	}
}

func TestEveryFieldIsPartOfWhatIsApproved(t *testing.T) {
	base := institution(t)
	seen := map[string]string{string(base.Subject()): "the request itself"}
	for name, change := range map[string]func(r *Request){
		"profile":      func(r *Request) { r.Profile = ProfileTSA },
		"key":          func(r *Request) { r.Public = newKey(t) },
		"organisation": func(r *Request) { r.Organisation += "x" },
		"credit code":  func(r *Request) { r.CreditCode = "" },
		"seal code":    func(r *Request) { r.SealCode = "" },
		"common name":  func(r *Request) { r.CommonName = "x" },
		"quotes":       func(r *Request) { r.Organisation = `","creditCode":"` },
	} {
		r := base
		change(&r)
		if other, ok := seen[string(r.Subject())]; ok {
			t.Errorf("%s has the subject of %s", name, other)
		}
		seen[string(r.Subject())] = name
	}
}
