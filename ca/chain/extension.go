package chain

import (
	"crypto/x509"
	"encoding/asn1"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"

	"yinxin/internal/oid"
)

// extension is Extension ::= SEQUENCE { extnID OID, critical BOOLEAN DEFAULT FALSE, extnValue OCTET STRING }.
type extension struct {
	id       asn1.ObjectIdentifier
	critical bool
	value    cryptobyte.String
}

// readExtensionList reads Extensions ::= SEQUENCE OF Extension, each identifier once: of two extensions with one
// identifier, two readers could believe different ones.
func readExtensionList(raw cryptobyte.String, n *notes) ([]extension, bool) {
	var list cryptobyte.String
	if !raw.ReadASN1(&list, der.SEQUENCE) || !raw.Empty() {
		return nil, false
	}
	var found []extension
	for !list.Empty() {
		var one cryptobyte.String
		var e extension
		var ok bool
		if len(found) == maxExtensions || !list.ReadASN1(&one, der.SEQUENCE) {
			return nil, false
		}
		if e.id, ok = readOID(&one); !ok {
			return nil, false
		}
		if one.PeekASN1Tag(der.BOOLEAN) {
			if e.critical, ok = readBoolean(&one, n); !ok {
				return nil, false
			}
			if !e.critical {
				n.add("critical FALSE is written out")
			}
		}
		if !one.ReadASN1(&e.value, der.OCTET_STRING) || !one.Empty() {
			return nil, false
		}
		for _, other := range found {
			// Identifiers with an arc that does not fit are not known, and not told apart.
			if e.id.Equal(other.id) && e.id[len(e.id)-1] != -1 {
				return nil, false
			}
		}
		found = append(found, e)
	}
	return found, true
}

// readExtensions reads the extensions of a certificate. One that decides what the certificate may do and cannot be read
// counts as an unhandled critical one; any other is noted.
func (c *Certificate) readExtensions(raw cryptobyte.String, n *notes) error {
	list, ok := readExtensionList(raw, n)
	if !ok {
		return badCertificate("extensions")
	}
	for _, e := range list {
		ok, decides := true, false
		v := e.value
		switch {
		case e.id.Equal(oid.KeyUsage):
			decides = true
			c.HasKeyUsage = true
			c.KeyUsage, ok = readKeyUsage(v)
		case e.id.Equal(oid.BasicConstraints):
			decides = true
			ok = c.readBasicConstraints(v, n)
		case e.id.Equal(oid.ExtKeyUsage):
			decides = true
			c.ExtKeyUsageCritical = e.critical
			c.ExtKeyUsage, ok = readOIDs(v)
		case e.id.Equal(oid.SubjectKeyID):
			ok = v.ReadASN1((*cryptobyte.String)(&c.SubjectKeyID), der.OCTET_STRING)
		case e.id.Equal(oid.AuthorityKeyID):
			c.AuthorityKeyID, ok = readAuthorityKeyID(v)
		case e.id.Equal(oid.CRLDistributionPoints):
			c.crlPoints, ok = readDistributionPoints(v)
			c.CRLURLs = c.crlPoints.urls
		case e.id.Equal(oid.AuthorityInfoAccess):
			ok = c.readInfoAccess(v)
		case e.id.Equal(oid.OCSPNoCheck):
			c.OCSPNoCheck = true
		case e.id.Equal(oid.OrganisationCode):
			c.OrganisationCode, ok = readCode(v)
		case e.id.Equal(oid.OrganisationCodeOld):
			var code string
			if code, ok = readCode(v); ok && c.OrganisationCode == "" {
				c.OrganisationCode = code
			}
		case e.id.Equal(oid.CertificatePolicies), e.id.Equal(oid.SubjectAltName), e.id.Equal(oid.IdentityCode):
			// Any policy is accepted, other names are not used, and a person's identity code is none of our business.
		default:
			if e.critical {
				c.UnhandledCritical = append(c.UnhandledCritical, e.id)
			}
		}
		if ok {
			continue
		}
		n.add("extension " + e.id.String() + " cannot be read")
		if decides || e.critical {
			c.UnhandledCritical = append(c.UnhandledCritical, e.id)
		}
	}
	return nil
}

// readKeyUsage reads KeyUsage ::= BIT STRING; bit 0 (digitalSignature) is the highest bit of the first octet, which
// crypto/x509 makes the lowest of the number.
func readKeyUsage(v cryptobyte.String) (x509.KeyUsage, bool) {
	var bits cryptobyte.String
	if !v.ReadASN1(&bits, der.BIT_STRING) || !v.Empty() || len(bits) < 1 || len(bits) > 3 || bits[0] > 7 {
		return 0, false
	}
	var usage x509.KeyUsage
	for i := range 9 {
		if octet := 1 + i/8; octet < len(bits) && bits[octet]>>(7-i%8)&1 == 1 {
			usage |= 1 << i
		}
	}
	return usage, true
}

// readBasicConstraints reads SEQUENCE { cA BOOLEAN DEFAULT FALSE, pathLenConstraint INTEGER (0..MAX) OPTIONAL }.
func (c *Certificate) readBasicConstraints(v cryptobyte.String, n *notes) bool {
	var sequence cryptobyte.String
	if !v.ReadASN1(&sequence, der.SEQUENCE) || !v.Empty() {
		return false
	}
	isCA, ok := false, true
	if sequence.PeekASN1Tag(der.BOOLEAN) {
		if isCA, ok = readBoolean(&sequence, n); !ok {
			return false
		}
	}
	if sequence.PeekASN1Tag(der.INTEGER) {
		length, ok := readInteger(&sequence, 4)
		if !ok || length.Sign() < 0 {
			return false
		}
		c.MaxPathLen = int(length.Int64())
	}
	if !sequence.Empty() {
		return false
	}
	c.BasicConstraints, c.IsCA = true, isCA
	return true
}

// readOIDs reads SEQUENCE SIZE (1..MAX) OF OBJECT IDENTIFIER.
func readOIDs(v cryptobyte.String) ([]asn1.ObjectIdentifier, bool) {
	found := []asn1.ObjectIdentifier{}
	var sequence cryptobyte.String
	if !v.ReadASN1(&sequence, der.SEQUENCE) || !v.Empty() || sequence.Empty() {
		return found, false
	}
	for !sequence.Empty() {
		id, ok := readOID(&sequence)
		if !ok || len(found) == maxListed {
			return []asn1.ObjectIdentifier{}, false
		}
		found = append(found, id)
	}
	return found, true
}

// readAuthorityKeyID reads keyIdentifier [0] IMPLICIT OCTET STRING of the SEQUENCE; issuer and serial number are not
// used.
func readAuthorityKeyID(v cryptobyte.String) ([]byte, bool) {
	var sequence, id cryptobyte.String
	var present bool
	if !v.ReadASN1(&sequence, der.SEQUENCE) || !v.Empty() ||
		!sequence.ReadOptionalASN1(&id, &present, der.Tag(0).ContextSpecific()) {
		return nil, false
	}
	return id, true
}

// uniformResourceIdentifier is the choice [6] of GeneralName.
const uniformResourceIdentifier = der.Tag(6 | 0x80)

// pointNames are the names of distribution points: the addresses among them, and every name in its encoding, by which a
// certificate and a partial revocation list find each other.
type pointNames struct {
	urls, encoded []string
}

// readDistributionPoints reads CRLDistributionPoints ::= SEQUENCE OF DistributionPoint ::= SEQUENCE {
// distributionPoint [0] { fullName [0] GeneralNames | … } OPTIONAL, reasons [1], cRLIssuer [2] }.
func readDistributionPoints(v cryptobyte.String) (pointNames, bool) {
	var list cryptobyte.String
	var names pointNames
	if !v.ReadASN1(&list, der.SEQUENCE) || !v.Empty() {
		return pointNames{}, false
	}
	for count := 0; !list.Empty(); count++ {
		var point cryptobyte.String
		if count == maxListed || !list.ReadASN1(&point, der.SEQUENCE) {
			return pointNames{}, false
		}
		if _, ok := names.read(&point); !ok {
			return pointNames{}, false
		}
	}
	return names, true
}

// read reads distributionPoint [0] of a DistributionPoint or an IssuingDistributionPoint, if it is there.
func (p *pointNames) read(point *cryptobyte.String) (present, ok bool) {
	context0 := der.Tag(0).ContextSpecific().Constructed()
	var name, full cryptobyte.String
	if !point.ReadOptionalASN1(&name, &present, context0) {
		return false, false
	}
	if !present {
		return false, true
	}
	var isFull bool
	if !name.ReadOptionalASN1(&full, &isFull, context0) {
		return true, false
	}
	for !full.Empty() {
		var element, value cryptobyte.String
		var tag der.Tag
		if len(p.encoded) == maxListed || !full.ReadAnyASN1Element(&element, &tag) {
			return true, false
		}
		p.encoded = append(p.encoded, string(element))
		if tag == uniformResourceIdentifier && element.ReadASN1(&value, tag) && isASCII(value) {
			p.urls = append(p.urls, string(value))
		}
	}
	return true, true
}

// readInfoAccess reads AuthorityInfoAccess ::= SEQUENCE OF SEQUENCE { accessMethod OID, accessLocation GeneralName }.
func (c *Certificate) readInfoAccess(v cryptobyte.String) bool {
	var list cryptobyte.String
	if !v.ReadASN1(&list, der.SEQUENCE) || !v.Empty() {
		return false
	}
	for count := 0; !list.Empty(); count++ {
		var access, location cryptobyte.String
		var tag der.Tag
		if count == maxListed || !list.ReadASN1(&access, der.SEQUENCE) {
			return false
		}
		method, ok := readOID(&access)
		if !ok || !access.ReadAnyASN1(&location, &tag) {
			return false
		}
		if tag != uniformResourceIdentifier || !isASCII(location) {
			continue
		}
		switch {
		case method.Equal(oid.AccessOCSP):
			c.OCSPURLs = append(c.OCSPURLs, string(location))
		case method.Equal(oid.AccessCAIssuers):
			c.IssuerURLs = append(c.IssuerURLs, string(location))
		}
	}
	return true
}

// readCode reads an organisation code: a string type, or as some write it the text itself without tag and length.
func readCode(v cryptobyte.String) (string, bool) {
	bare := string(v)
	var value cryptobyte.String
	var tag der.Tag
	if v.ReadAnyASN1(&value, &tag) && v.Empty() {
		text, _ := decodeText(value, tag)
		return strings.TrimSpace(text), len(text) <= 256
	}
	if len(bare) == 0 || len(bare) > 64 || !isASCII([]byte(bare)) {
		return "", false
	}
	text, sound := decodeText([]byte(bare), der.PrintableString)
	return strings.TrimSpace(text), sound
}
