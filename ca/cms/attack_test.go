package cms_test

import (
	"bytes"
	"math/big"
	"slices"
	"testing"

	"github.com/emmansun/gmsm/smx509"

	"yinxin/ca/chain/chaintest"
	"yinxin/ca/cms"
	"yinxin/internal/oid"
)

// twin issues a certificate with the serial number of another: what a second CA of the same name, or a careless one, does.
func twin(t testing.TB, ca, of *chaintest.Holder, sameKey bool) *chaintest.Holder {
	t.Helper()
	serial := func(template *smx509.Certificate) { template.SerialNumber = of.Certificate.Serial }
	if sameKey {
		return ca.IssueFor(t, "a twin", of.Key, serial)
	}
	return ca.Issue(t, "a twin", serial)
}

func TestWhatAnAttackerDoesIsRefused(t *testing.T) {
	s := newScene(t)
	digestAttribute := attr(oid.MessageDigestAttr, tlv(4, cms.SM3.Sum(content)))
	typeAttribute := attr(oid.ContentTypeAttr, id(oid.Data))
	replace := func(d *draft, old, new []byte) {
		i := slices.IndexFunc(d.attributes, func(a []byte) bool { return bytes.Equal(a, old) })
		if new == nil {
			d.attributes = slices.Delete(d.attributes, i, i+1)
			return
		}
		d.attributes[i] = new
	}
	for _, test := range []struct {
		name   string
		change func(d *draft)
		want   string // code; empty is good
	}{
		{"nothing", func(*draft) {}, ""},
		{"a wrong message digest", func(d *draft) {
			replace(d, digestAttribute, attr(oid.MessageDigestAttr, tlv(4, cms.SM3.Sum([]byte("another")))))
		}, "cms.message-digest"},
		{"a message digest changed after signing", func(d *draft) {
			d.bytes()
			replace(d, digestAttribute, attr(oid.MessageDigestAttr, tlv(4, cms.SM3.Sum([]byte("another")))))
		}, "cms.message-digest"},
		{"a shorter message digest", func(d *draft) {
			replace(d, digestAttribute, attr(oid.MessageDigestAttr, tlv(4, cms.SM3.Sum(content)[:31])))
		}, "cms.message-digest"},
		{"an empty message digest", func(d *draft) { replace(d, digestAttribute, attr(oid.MessageDigestAttr, tlv(4))) }, "cms.message-digest"},
		{"a message digest that is no octets", func(d *draft) { replace(d, digestAttribute, attr(oid.MessageDigestAttr, tlv(5))) }, "cms.bad-attribute"},
		{"no message digest", func(d *draft) { replace(d, digestAttribute, nil) }, "cms.attribute-missing"},
		{"no content type", func(d *draft) { replace(d, typeAttribute, nil) }, "cms.attribute-missing"},
		{"another content type than the signed one", func(d *draft) { d.bytes(); d.inner = oid.TSTInfo }, "cms.content-type"},
		{"another signed content type", func(d *draft) { replace(d, typeAttribute, attr(oid.ContentTypeAttr, id(oid.TSTInfo))) }, "cms.content-type"},
		{"the content type of the other standard", func(d *draft) { d.bytes(); d.inner = oid.DataGM }, "cms.content-type"},
		{"a second message digest", func(d *draft) {
			d.attributes = append(d.attributes, attr(oid.MessageDigestAttr, tlv(4, cms.SM3.Sum([]byte("another")))))
		}, "cms.duplicate-attribute"},
		{"the same message digest twice", func(d *draft) { d.attributes = append(d.attributes, digestAttribute) }, "cms.duplicate-attribute"},
		{"two values of a message digest", func(d *draft) {
			replace(d, digestAttribute, attr(oid.MessageDigestAttr, tlv(4, cms.SM3.Sum(content)), tlv(4, cms.SM3.Sum([]byte("another")))))
		}, "cms.duplicate-attribute"},
		{"a second content type", func(d *draft) { d.attributes = append(d.attributes, typeAttribute) }, "cms.duplicate-attribute"},
		{"a second signing certificate", func(d *draft) {
			d.attributes = append(d.attributes, essV2(oid.SM3, cms.SM3.Sum(d.ca.Certificate.Raw)))
		}, "cms.duplicate-attribute"},
		{"two seals", func(d *draft) {
			one := tlv(0x30, tlv(6, []byte(cms.AttrSeal)), tlv(0x31, seal))
			d.attributes = append(d.attributes, one, one)
		}, "cms.duplicate-attribute"},
		{"a seal in both places", func(d *draft) {
			one := tlv(0x30, tlv(6, []byte(cms.AttrSeal)), tlv(0x31, seal))
			d.attributes = append(d.attributes, one, attr(oid.SignerAttributesV2, tlv(0x30, tlv(0xa0, tlv(0x30, one)))))
		}, "cms.duplicate-attribute"},
		{"two signers", func(d *draft) { d.signers = 2 }, "cms.signer-count"},
		{"no signer", func(d *draft) { d.signers = 0 }, "cms.signer-count"},
		{"the attributes stripped", func(d *draft) { d.bytes(); d.attributes = nil }, "chain.bad-signature"},
		{"the attributes stripped where content must have some", func(d *draft) { d.bytes(); d.attributes, d.inner = nil, oid.TSTInfo }, "cms.attribute-missing"},
		{"an attribute added after signing", func(d *draft) {
			d.bytes()
			d.attributes = append(d.attributes, attr(oid.RevocationArchival, tlv(0x30)))
		}, "chain.bad-signature"},
		{"a wrong ID", func(d *draft) { d.sign = d.signSM2("8765432187654321", d.signer.Key) }, "chain.bad-signature"},
		{"another key", func(d *draft) { d.sign = d.signSM2("1234567812345678", d.ca.Key) }, "chain.bad-signature"},
		{"no value", func(d *draft) { d.value = []byte{} }, "chain.bad-signature"},
		{"zeros as the value", func(d *draft) { d.value = make([]byte, 64) }, "chain.bad-signature"},
		{"a certificate swapped for one of the same key", func(d *draft) {
			d.certificates = [][]byte{twin(t, d.ca, d.signer, true).Certificate.Raw}
		}, "cms.certificate-mismatch"},
		{"a certificate swapped for one of another key", func(d *draft) {
			d.certificates = [][]byte{twin(t, d.ca, d.signer, false).Certificate.Raw}
		}, "cms.certificate-mismatch"},
		{"a twin before the certificate", func(d *draft) {
			d.certificates = append([][]byte{twin(t, d.ca, d.signer, false).Certificate.Raw}, d.certificates...)
		}, ""},
		{"a certificate swapped, and named by issuer and serial number only", func(d *draft) {
			d.attributes = d.attributes[:2]
			d.certificates = [][]byte{twin(t, d.ca, d.signer, false).Certificate.Raw}
		}, "chain.bad-signature"},
		{"a twin, and nothing that tells them apart", func(d *draft) {
			d.attributes = d.attributes[:2]
			d.certificates = append(d.certificates, twin(t, d.ca, d.signer, true).Certificate.Raw)
		}, "cms.certificate-ambiguous"},
		{"another key identifier", func(d *draft) { d.sid = tlv(0x80, []byte("12345678901234567890")) }, "cms.certificate-missing"},
		{"another issuer", func(d *draft) {
			written := bytes.ReplaceAll(d.ca.Certificate.RawSubject, []byte("CN"), []byte("US"))
			d.sid = tlv(0x30, written, number(d.signer.Certificate.Serial))
		}, "cms.certificate-missing"},
		{"no certificate", func(d *draft) { d.certificates = nil }, "cms.certificate-missing"},
		{"a signing certificate with another serial number", func(d *draft) {
			other := tlv(0x30, tlv(0x30, tlv(0xa4, d.ca.Certificate.RawSubject)), number(big.NewInt(7)))
			d.attributes[2] = essV2(oid.SM3, cms.SM3.Sum(d.signer.Certificate.Raw), other)
		}, "cms.certificate-mismatch"},
		{"two signing certificates that disagree", func(d *draft) {
			d.attributes = append(d.attributes, essV1(cms.SHA1.Sum(d.ca.Certificate.Raw)))
		}, "cms.certificate-mismatch"},
		{"content of its own", func(d *draft) { d.embedded = tlv(4, content) }, "cms.content-embedded"},
		{"other content of its own", func(d *draft) { d.embedded = tlv(4, []byte("another")) }, "cms.content-embedded"},
		{"a digest that is not known", func(d *draft) { d.digest = oid.SM4 }, "chain.unknown-algorithm"},
		{"content hashed with SHA-1", func(d *draft) {
			d.digest = oid.SHA1
			d.attributes[1] = attr(oid.MessageDigestAttr, tlv(4, cms.SHA1.Sum(content)))
		}, "chain.weak-algorithm"},
		{"other content hashed with SHA-1", func(d *draft) {
			d.digest = oid.SHA1
			d.attributes[1] = attr(oid.MessageDigestAttr, tlv(4, cms.SHA1.Sum([]byte("another"))))
		}, "cms.message-digest"},
		{"a wrong value over content hashed with SHA-1", func(d *draft) {
			d.digest = oid.SHA1
			d.attributes[1] = attr(oid.MessageDigestAttr, tlv(4, cms.SHA1.Sum(content)))
			d.sign = d.signSM2("1234567812345678", d.ca.Key)
		}, "chain.bad-signature"},
		{"a signature algorithm that is not known", func(d *draft) { d.algorithm = algorithm(oid.SM4) }, "chain.unknown-algorithm"},
		{"a signature algorithm of another key", func(d *draft) { d.algorithm = algorithm(oid.RSASHA256) }, "chain.bad-key"},
		{"another digest than the signed algorithms say", func(d *draft) {
			d.attributes = append(d.attributes, attr(oid.AlgorithmProtection, tlv(0x30, algorithm(oid.SHA256), tlv(0xa1, id(oid.SM2WithSM3)))))
		}, "cms.algorithm-mismatch"},
		{"another algorithm than the signed algorithms say", func(d *draft) {
			d.attributes = append(d.attributes, attr(oid.AlgorithmProtection, tlv(0x30, algorithm(oid.SM3), tlv(0xa1, id(oid.SM2Sign)))))
		}, "cms.algorithm-mismatch"},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := newDraft(t, s)
			test.change(d)
			if _, err := verify(d.bytes(), content); codeOf(err) != test.want {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
}

// The octets of signed attributes, handed over as the content of a signature without attributes.
func TestStrippedAttributesDoNotPassAsContent(t *testing.T) {
	d := newDraft(t, newScene(t))
	d.bytes()
	d.embedded, d.attributes = tlv(4, tlv(0x31, d.attributes...)), nil
	r, err := verify(d.bytes(), nil)
	if codeOf(err) != "cms.attributes-stripped" {
		t.Errorf("%v", err)
	}
	// The value itself is right: without the rule it would pass.
	if f, _ := r.Finding(cms.RuleSignature); f.Err != nil {
		t.Errorf("%v", f.Err)
	}
}

func TestARightSignatureIsTakenAsItIsFound(t *testing.T) {
	s := newScene(t)
	s.signer = s.ca.Issue(t, "with a key identifier", func(c *smx509.Certificate) { c.SubjectKeyId = []byte("12345678901234567890") })
	for _, test := range []struct {
		name   string
		change func(d *draft)
		note   string
	}{
		{"attributes not sorted", func(d *draft) { slices.Reverse(d.attributes) }, "the signed attributes are not sorted as DER asks"},
		{"the algorithm of readers of GB/T 35275", func(d *draft) { d.algorithm = algorithm(oid.SM2Sign) }, ""},
		{"NULL parameters", func(d *draft) { d.algorithm = algorithm(oid.SM2WithSM3, tlv(5)) }, ""},
		{"the key's algorithm", func(d *draft) { d.algorithm = algorithm(oid.PublicKeyEC) }, ""},
		{"the curve as the algorithm", func(d *draft) { d.algorithm = algorithm(oid.CurveSM2) }, ""},
		{"content types of GB/T 35275", func(d *draft) {
			d.outer, d.inner = oid.SignedDataGM, oid.DataGM
			d.attributes[0] = attr(oid.ContentTypeAttr, id(oid.DataGM))
		}, ""},
		{"mixed content types", func(d *draft) { d.outer = oid.SignedDataGM }, "content types of RFC 5652 and GB/T 35275 are mixed"},
		{"named by key identifier", func(d *draft) { d.sid = tlv(0x80, d.signer.Certificate.SubjectKeyID) }, ""},
		{"the issuer in another string type", func(d *draft) {
			written := bytes.ReplaceAll(d.ca.Certificate.RawSubject, []byte{6, 3, 0x55, 4, 6, 0x13}, []byte{6, 3, 0x55, 4, 6, 0x0c})
			d.sid = tlv(0x30, written, number(d.signer.Certificate.Serial))
		}, "the issuer is written differently in the certificate"},
		{"a signing certificate by SHA-1", func(d *draft) { d.attributes[2] = essV1(cms.SHA1.Sum(d.signer.Certificate.Raw)) },
			"the certificate is named by a digest with SHA-1"},
		{"a signing certificate by SHA-256, not said", func(d *draft) {
			d.attributes[2] = attr(oid.SigningCertificateV2, tlv(0x30, tlv(0x30, tlv(0x30, tlv(4, cms.SHA256.Sum(d.signer.Certificate.Raw))))))
		}, ""},
		{"a signing certificate with issuer and serial number", func(d *draft) {
			d.attributes[2] = essV2(oid.SHA384, cms.SHA384.Sum(d.signer.Certificate.Raw),
				tlv(0x30, tlv(0x30, tlv(0xa4, d.ca.Certificate.RawSubject)), number(d.signer.Certificate.Serial)))
		}, ""},
		{"no signing certificate", func(d *draft) { d.attributes = d.attributes[:2] }, "the certificate is named by issuer and serial number only"},
		{"an unknown attribute twice", func(d *draft) {
			d.attributes = append(d.attributes, attr(oid.SM4, tlv(5)), attr(oid.SM4, tlv(5)))
		}, "the attribute " + oid.SM4.String() + " occurs twice"},
		{"the seal as an attribute of its own", func(d *draft) {
			d.attributes = append(d.attributes, tlv(0x30, tlv(6, []byte(cms.AttrSeal)), tlv(0x31, seal)))
			slices.SortFunc(d.attributes, bytes.Compare)
		}, ""},
		{"protected algorithms", func(d *draft) {
			d.attributes = append(d.attributes, attr(oid.AlgorithmProtection, tlv(0x30, algorithm(oid.SM3), tlv(0xa1, id(oid.SM2WithSM3)))))
			slices.SortFunc(d.attributes, bytes.Compare)
		}, ""},
		{"no signed attributes", func(d *draft) { d.attributes = nil }, "there are no signed attributes; the signature is over the content itself"},
		{"empty content of its own", func(d *draft) { d.embedded = tlv(4) }, ""},
		{"a broken certificate beside the others", func(d *draft) { d.certificates = append(d.certificates, tlv(0x30, tlv(2, []byte{1}))) },
			"a certificate that cannot be read"},
		{"an attribute certificate beside the others", func(d *draft) { d.certificates = append(d.certificates, tlv(0xa2, tlv(2, []byte{1}))) },
			"a certificate of a form that is not read"},
		{"another digest than the signature's", func(d *draft) {
			d.digest = oid.SHA256
			d.attributes[1] = attr(oid.MessageDigestAttr, tlv(4, cms.SHA256.Sum(content)))
		}, "content and attributes are hashed with different algorithms"},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := newDraft(t, s)
			test.change(d)
			r, err := verify(d.bytes(), content)
			if err != nil {
				t.Fatal(err)
			}
			var notes []string
			for _, f := range r.Findings {
				notes = append(notes, f.Notes...)
			}
			if test.note == "" && len(notes) > 0 || test.note != "" && !slices.Contains(notes, test.note) {
				t.Errorf("notes %q, want %q", notes, test.note)
			}
			if _, err := verify(d.bytes(), append(slices.Clone(content), 'x')); err == nil {
				t.Error("other content is accepted")
			}
		})
	}
}

func TestLengthsAsBERHasThem(t *testing.T) {
	d := newDraft(t, newScene(t))
	raw := d.bytes()
	for name, octets := range map[string][]byte{
		"an indefinite length outside": indefinite(0x30, id(oid.SignedData), raw[4+len(id(oid.SignedData)):]),
		"a longer length than needed":  slices.Concat([]byte{0x30, 0x83, 0, raw[2], raw[3]}, raw[4:]),
	} {
		if _, err := verify(octets, content); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if notes := parse(t, octets).Notes; len(notes) != 1 {
			t.Errorf("%s: %q", name, notes)
		}
	}
}

func TestContentInPartsIsJoined(t *testing.T) {
	d := newDraft(t, newScene(t))
	d.embedded = indefinite(0x24, tlv(4, content[:5]), tlv(0x24, tlv(4, content[5:6]), tlv(4)), tlv(4, content[6:]))
	raw := d.bytes()
	if _, err := verify(raw, nil); err != nil {
		t.Error(err)
	}
	if got := parse(t, raw).Content; !bytes.Equal(got, content) {
		t.Errorf("%q", got)
	}
}

func TestWhatCannotBeReadIsAnError(t *testing.T) {
	s := newScene(t)
	raw := newDraft(t, s).bytes()
	deep := bytes.Repeat([]byte{0x30, 0x80}, 100_000)
	var nested []byte
	for range 40 {
		nested = tlv(0x24, nested)
	}
	inParts := newDraft(t, s)
	inParts.embedded = nested
	endless := newDraft(t, s)
	endless.endless = true
	for name, test := range map[string]struct {
		raw  []byte
		want string
	}{
		"nothing":                {nil, "cms.bad-signed-data"},
		"zeros":                  {make([]byte, 64), "cms.bad-signed-data"},
		"the first half":         {raw[:len(raw)/2], "cms.bad-signed-data"},
		"something after it":     {append(slices.Clone(raw), 0), "cms.bad-signed-data"},
		"a certificate":          {s.signer.Certificate.Raw, "cms.bad-signed-data"},
		"an endless depth":       {deep, "cms.too-large"},
		"octets in octets":       {inParts.bytes(), "cms.too-large"},
		"more than the limit":    {make([]byte, cms.MaxSize+1), "cms.too-large"},
		"attributes without end": {endless.bytes(), "cms.bad-signed-data"},
	} {
		if _, err := cms.Parse(test.raw); codeOf(err) != test.want {
			t.Errorf("%s: %v, want %s", name, err, test.want)
		}
	}
	for cut := range raw {
		if _, err := cms.Parse(raw[:cut]); err == nil {
			t.Fatalf("the first %d octets are read", cut)
		}
	}
}

func TestAnElementIsTakenOffItsPadding(t *testing.T) {
	raw := newDraft(t, newScene(t)).bytes()
	got, rest, err := cms.Element(append(slices.Clone(raw), 0, 0, 0))
	if err != nil || !bytes.Equal(got, raw) || !bytes.Equal(rest, []byte{0, 0, 0}) {
		t.Errorf("%d octets, %x left, %v", len(got), rest, err)
	}
}

func TestRevocationInformationIsFoundWhereItTravels(t *testing.T) {
	s := newScene(t)
	crl := s.ca.CRL(t, 1, chaintest.Start, chaintest.Start.Add(chaintest.Year))
	response := tlv(0x30, []byte{0x0a, 1, 6})
	d := newDraft(t, s)
	d.crls = [][]byte{crl, tlv(0xa1, id(oid.RevocationOCSP), response), tlv(0xa1, id(oid.SM4), tlv(5))}
	d.attributes = append(d.attributes, attr(oid.RevocationArchival, tlv(0x30, tlv(0xa0, tlv(0x30, crl, crl)), tlv(0xa1, tlv(0x30, response)))))
	raw := d.bytes()
	if _, err := verify(raw, content); err != nil {
		t.Fatal(err)
	}
	read := parse(t, raw)
	if len(read.CRLs) != 3 || len(read.OCSP) != 2 || !bytes.Equal(read.OCSP[1], response) {
		t.Errorf("%d lists, %d responses", len(read.CRLs), len(read.OCSP))
	}
}

func TestTheCertificateMayComeFromElsewhere(t *testing.T) {
	s := newScene(t)
	d := newDraft(t, s)
	d.certificates = nil
	raw := d.bytes()
	if _, err := verify(raw, content, s.ca.Certificate, s.signer.Certificate); err != nil {
		t.Error(err)
	}
	if r := parse(t, raw).Verify(nil, cms.SM3.Sum(content)); codeOf(r.Err()) != "cms.certificate-missing" || !cms.Undecided(r.Err()) {
		t.Errorf("without it: %v", r.Err())
	}
	// A caller who hands over a certificate that the signer does not name is told so.
	if r := parse(t, raw).Verify(s.ca.Certificate, cms.SM3.Sum(content)); codeOf(r.Err()) != "cms.certificate-mismatch" {
		t.Errorf("another: %v", r.Err())
	}
	// A twin of the same key is told by the signing certificate only, another serial number by the identifier only.
	same := twin(t, s.ca, s.signer, true).Certificate
	if r := parse(t, raw).Verify(same, cms.SM3.Sum(content)); codeOf(r.Err()) != "cms.certificate-mismatch" {
		t.Errorf("a twin: %v", r.Err())
	}
	d = newDraft(t, s)
	d.attributes = d.attributes[:2]
	reissued := s.ca.IssueFor(t, "of the same key", s.signer.Key).Certificate
	if r := parse(t, d.bytes()).Verify(reissued, cms.SM3.Sum(content)); codeOf(r.Err()) != "cms.certificate-mismatch" {
		t.Errorf("another certificate of the same key: %v", r.Err())
	}
	if (cms.Report{}).Err() == nil {
		t.Error("an empty report is good")
	}
}

func TestTheTimeStampIsOverTheValue(t *testing.T) {
	s := newScene(t)
	token := tlv(0x30, tlv(2, []byte{9}))
	pending := newWriter(t, s.template(cms.ProfileGM)).Prepare([32]byte(cms.SM3.Sum(content)), at)
	v := value(t, pending, s.signer)
	raw := assemble(t, pending, v, token)
	if _, err := verify(raw, content); err != nil {
		t.Fatal(err)
	}
	signer := parse(t, raw).Signers[0]
	if tokens := signer.TimeStamps(); len(tokens) != 1 || !bytes.Equal(tokens[0], token) || !bytes.Equal(signer.Value, v) {
		t.Errorf("%x", tokens)
	}
}

// adbe.pkcs7.sha1 (PDF 32000-1 12.8.3.3.1): the content is SHA-1 of the file's bytes. The signature is good over it; that
// it is weak, and whether it is that of the file, is for the caller, who can tell all of it.
func TestContentThatIsADigestCanBeToldByTheCaller(t *testing.T) {
	d := newDraft(t, newScene(t))
	d.embedded = tlv(4, cms.SHA1.Sum(content))
	d.attributes[1] = attr(oid.MessageDigestAttr, tlv(4, cms.SM3.Sum(cms.SHA1.Sum(content))))
	read := parse(t, d.bytes())
	c, err := read.SignerCertificate()
	if err != nil {
		t.Fatal(err)
	}
	if r := read.Verify(c, nil); r.Err() != nil || !bytes.Equal(read.Content, cms.SHA1.Sum(content)) {
		t.Errorf("%v, %x", r.Err(), read.Content)
	}
	// Taken for a detached signature it is refused, whatever the digest.
	for _, digest := range [][]byte{cms.SM3.Sum(content), cms.SM3.Sum(read.Content)} {
		if r := read.Verify(c, digest); codeOf(r.Err()) != "cms.content-embedded" {
			t.Errorf("%v", r.Err())
		}
	}
}
