package cms

import (
	"bytes"

	"yinxin/ca/chain"
	"yinxin/internal/oid"
)

// SignedData is one signed data as it was found. It is made by Parse only. Nothing in it counts before Verify. The slices
// are parts of the octets handed over where these need not be joined.
type SignedData struct {
	// Raw is the whole ContentInfo.
	Raw []byte
	// GM: under the content type of GB/T 35275 rather than RFC 5652.
	GM      bool
	Version int
	// ContentType says what was signed: TypeData, TypeDataGM, TypeTSTInfo, others.
	ContentType ID
	// Embedded: Content is in the signed data; else it is elsewhere.
	Embedded bool
	Content  []byte
	// Certificates are those that came along and could be read, without repetitions.
	Certificates []*chain.Certificate
	// CRLs are revocation lists, OCSP are OCSP responses in DER: from the signed data and from the signer's
	// adbe-revocationInfoArchival attribute.
	CRLs []*chain.CRL
	OCSP [][]byte
	// Signers are as they were found: Verify wants exactly one.
	Signers []*Signer
	// Notes names leniencies, in English.
	Notes []string

	readCertificate func(der []byte) (*chain.Certificate, error)
}

// Signer returns the only signer. Errors: ErrSignerCount.
func (d *SignedData) Signer() (*Signer, error) {
	if len(d.Signers) != 1 {
		return nil, ErrSignerCount.With("%d", len(d.Signers))
	}
	return d.Signers[0], nil
}

// Parse reads a ContentInfo with SignedData and nothing after it (RFC 5652 clauses 3 and 5, GB/T 35275 clause 8).
// Certificates and revocation lists that cannot be read are passed over with a note. Errors: ErrSignedData with the field,
// ErrTooLarge.
//
//	ContentInfo ::= SEQUENCE { contentType OID, content [0] EXPLICIT ANY }
//	SignedData ::= SEQUENCE { version INTEGER, digestAlgorithms SET OF AlgorithmIdentifier,
//	  encapContentInfo SEQUENCE { eContentType OID, eContent [0] EXPLICIT OCTET STRING OPTIONAL },
//	  certificates [0] IMPLICIT SET OF Certificate OPTIONAL, crls [1] IMPLICIT SET OF CertificateList OPTIONAL,
//	  signerInfos SET OF SignerInfo }
func Parse(data []byte) (*SignedData, error) { return ParseWith(data, chain.ParseCertificate) }

// ParseWith is Parse with another way to read certificates, such as that of chain.Verifier, which remembers them: the
// same few come with every signature.
func ParseWith(data []byte, certificate func(der []byte) (*chain.Certificate, error)) (*SignedData, error) {
	if len(data) > MaxSize {
		return nil, ErrTooLarge.With("%d bytes", len(data))
	}
	s := &scanner{}
	d := &SignedData{Raw: data, readCertificate: certificate}
	field := d.read(&list{scan: s, rest: data})
	if field != "" || s.failed != nil {
		return nil, s.err(ErrSignedData, field)
	}
	for _, signer := range d.Signers {
		d.readArchival(s, signer)
	}
	d.Notes = s.notes
	return d, nil
}

// read reads everything and returns the name of the field that is wrong, or nothing.
func (d *SignedData) read(outer *list) (field string) {
	info, ok := outer.open(idSequence)
	if !ok || !outer.empty() {
		return "ContentInfo"
	}
	kind, ok := info.oid()
	if !ok || kind != TypeSignedData && kind != TypeSignedDataGM {
		return "contentType"
	}
	d.GM = kind == TypeSignedDataGM
	wrapped, ok := info.open(idContext0)
	if !ok || !info.empty() {
		return "content"
	}
	body, ok := wrapped.open(idSequence)
	if !ok || !wrapped.empty() {
		return "SignedData"
	}
	if d.Version, ok = body.version(); !ok {
		return "version"
	}
	digests, ok := body.want(idSet)
	if !ok {
		return "digestAlgorithms"
	}
	encapsulated, ok := body.open(idSequence)
	if !ok || !d.readContent(encapsulated) {
		return "encapContentInfo"
	}
	if !d.readCertificates(body) {
		return "certificates"
	}
	if !d.readRevocations(body) {
		return "crls"
	}
	if field := d.readSigners(body); field != "" {
		return field
	}
	if !body.empty() {
		return "signerInfos"
	}
	for _, signer := range d.Signers {
		if !bytes.Contains(digests.content, []byte(IDOf(signer.Digest.OID))) {
			body.scan.note("the signer's digest is not announced in digestAlgorithms")
		}
	}
	if (d.ContentType == TypeDataGM) != d.GM && (d.ContentType == TypeData || d.ContentType == TypeDataGM) {
		body.scan.note("content types of RFC 5652 and GB/T 35275 are mixed")
	}
	return ""
}

func (d *SignedData) readContent(l *list) bool {
	var ok bool
	if d.ContentType, ok = l.oid(); !ok {
		return false
	}
	if l.empty() {
		return true
	}
	wrapped, ok := l.open(idContext0)
	if !ok || !l.empty() {
		return false
	}
	if d.Content, ok = wrapped.octets(); !ok || !wrapped.empty() {
		return false
	}
	d.Embedded = true
	return true
}

// readCertificates reads certificates [0]. Attribute certificates and other forms are passed over.
func (d *SignedData) readCertificates(body *list) bool {
	set, present, ok := body.optional(idContext0)
	if !present {
		return ok
	}
	l := body.inside(set)
	for count := 0; !l.empty(); count++ {
		e, ok := l.next()
		if !ok || count == maxCertificates {
			return false
		}
		if e.id != idSequence {
			l.scan.note("a certificate of a form that is not read")
			continue
		}
		c, err := d.readCertificate(e.raw)
		if err != nil {
			l.scan.note("a certificate that cannot be read")
			continue
		}
		d.addCertificate(c)
	}
	return true
}

func (d *SignedData) addCertificate(c *chain.Certificate) {
	for _, have := range d.Certificates {
		if have.Fingerprint() == c.Fingerprint() {
			return
		}
	}
	d.Certificates = append(d.Certificates, c)
}

// readRevocations reads crls [1]: lists, and OCSP responses as RFC 5940 puts them.
//
//	RevocationInfoChoice ::= CHOICE { CertificateList, other [1] IMPLICIT SEQUENCE { OID, ANY } }
func (d *SignedData) readRevocations(body *list) bool {
	set, present, ok := body.optional(idContext1)
	if !present {
		return ok
	}
	l := body.inside(set)
	for !l.empty() {
		e, ok := l.next()
		if !ok || len(d.CRLs)+len(d.OCSP) >= maxRevocations {
			return false
		}
		switch e.id {
		case idSequence:
			d.addCRL(l.scan, e.raw)
		case idContext1:
			other := l.inside(e)
			form, ok := other.oid()
			value, ok2 := other.next()
			if !ok || !ok2 || !other.empty() {
				return false
			}
			if form == revocationOCSP {
				d.OCSP = append(d.OCSP, value.raw)
				continue
			}
			l.scan.note("revocation information of a form that is not read")
		default:
			l.scan.note("revocation information of a form that is not read")
		}
	}
	return true
}

var revocationOCSP = IDOf(oid.RevocationOCSP)

func (d *SignedData) addCRL(s *scanner, raw []byte) {
	crl, err := chain.ParseCRL(raw)
	if err != nil {
		s.note("a revocation list that cannot be read")
		return
	}
	d.CRLs = append(d.CRLs, crl)
}

// readArchival reads the signed attribute adbe-revocationInfoArchival (PDF 32000-1 12.8.3.3.2). What it brings only helps
// to find the state of certificates, so one that cannot be read is passed over.
//
//	RevocationInfoArchival ::= SEQUENCE { crl [0] EXPLICIT SEQUENCE OF CertificateList OPTIONAL,
//	  ocsp [1] EXPLICIT SEQUENCE OF OCSPResponse OPTIONAL, otherRevInfo [2] OPTIONAL }
func (d *SignedData) readArchival(s *scanner, signer *Signer) {
	for _, attribute := range signer.Attributes {
		if attribute.Type != AttrRevocationArchival {
			continue
		}
		for _, value := range attribute.Values {
			if !d.readArchived(&list{scan: s, rest: value}) {
				s.note("archived revocation information that cannot be read")
			}
		}
	}
}

func (d *SignedData) readArchived(l *list) bool {
	archive, ok := l.open(idSequence)
	if !ok {
		return false
	}
	for !archive.empty() {
		choice, ok := archive.next()
		if !ok {
			return false
		}
		if choice.id != idContext0 && choice.id != idContext1 {
			continue
		}
		entries, ok := archive.inside(choice).open(idSequence)
		if !ok {
			return false
		}
		for !entries.empty() {
			entry, ok := entries.want(idSequence)
			if !ok || len(d.CRLs)+len(d.OCSP) >= maxRevocations {
				return false
			}
			if choice.id == idContext0 {
				d.addCRL(entries.scan, entry.raw)
			} else {
				d.OCSP = append(d.OCSP, entry.raw)
			}
		}
	}
	return true
}
