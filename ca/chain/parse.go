package chain

import (
	"bytes"
	"encoding/pem"

	"github.com/emmansun/gmsm/sm3"
	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"
)

// ParseCertificate reads one certificate (RFC 5280 4.1) and nothing after it. What decides over trust must be sound;
// elsewhere it takes what is found in the field and says so in Notes: names with wrong string types, BOOLEAN FALSE
// written out, times without seconds, keys it does not understand. The result keeps slices of der. Errors:
// ErrCertificate with the place, ErrTooLarge.
//
//	Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm AlgorithmIdentifier, signatureValue BIT STRING }
//	TBSCertificate ::= SEQUENCE {
//	  version [0] EXPLICIT INTEGER DEFAULT v1, serialNumber INTEGER, signature AlgorithmIdentifier, issuer Name,
//	  validity SEQUENCE { Time, Time }, subject Name, subjectPublicKeyInfo, issuerUniqueID [1] OPTIONAL,
//	  subjectUniqueID [2] OPTIONAL, extensions [3] EXPLICIT SEQUENCE OF Extension OPTIONAL }
func ParseCertificate(data []byte) (*Certificate, error) {
	if len(data) > MaxCertificate {
		return nil, ErrTooLarge.With("%d bytes", len(data))
	}
	var outer, tbs, algorithm cryptobyte.String
	input := cryptobyte.String(data)
	if !input.ReadASN1(&outer, der.SEQUENCE) {
		return nil, badCertificate("certificate")
	}
	if !input.Empty() {
		return nil, badCertificate("trailing data")
	}
	if !outer.ReadASN1Element(&tbs, der.SEQUENCE) {
		return nil, badCertificate("tbsCertificate")
	}
	if !outer.ReadASN1Element(&algorithm, der.SEQUENCE) {
		return nil, badCertificate("signatureAlgorithm")
	}
	signature, ok := readBitString(&outer)
	if !ok || !outer.Empty() {
		return nil, badCertificate("signatureValue")
	}
	c := &Certificate{Raw: data, RawTBS: tbs, Signature: signature, MaxPathLen: -1, fingerprint: sm3.Sum(data)}
	n := (*notes)(&c.Notes)
	inner, err := c.readTBS(tbs, n)
	if err != nil {
		return nil, err
	}
	// The outer identifier is not signed: it must not be able to change what the signature means.
	unsigned, err := ParseAlgorithm(algorithm)
	if err != nil || !unsigned.OID.Equal(inner.OID) {
		return nil, badCertificate("signatureAlgorithm")
	}
	if !bytes.Equal(unsigned.Parameters, inner.Parameters) {
		n.add("the signed and the unsigned algorithm identifier have different parameters")
	}
	c.SignatureAlgorithm, c.SignatureParameters = inner.OID, inner.Parameters
	return c, nil
}

func badCertificate(field string) error {
	return ErrCertificate.With("%s", field)
}

// readTBS reads the signed part, up to the extensions, which are read by extension.
func (c *Certificate) readTBS(raw cryptobyte.String, n *notes) (Algorithm, error) {
	var tbs, wrapped, algorithm, validity, issuer, subject, key cryptobyte.String
	if !raw.ReadASN1(&tbs, der.SEQUENCE) {
		return Algorithm{}, badCertificate("tbsCertificate")
	}
	var present, ok bool
	c.Version = 1
	if !tbs.ReadOptionalASN1(&wrapped, &present, der.Tag(0).Constructed().ContextSpecific()) {
		return Algorithm{}, badCertificate("version")
	}
	if present {
		version, ok := readInteger(&wrapped, 1)
		if !ok || !wrapped.Empty() || version.Sign() < 0 || version.Int64() > 2 {
			return Algorithm{}, badCertificate("version")
		}
		c.Version = int(version.Int64()) + 1
	}
	if c.Serial, ok = readInteger(&tbs, maxSerialOctets); !ok {
		return Algorithm{}, badCertificate("serialNumber")
	}
	if c.Serial.Sign() <= 0 {
		n.add("the serial number is not positive")
	}
	if !tbs.ReadASN1Element(&algorithm, der.SEQUENCE) {
		return Algorithm{}, badCertificate("signature")
	}
	signed, err := ParseAlgorithm(algorithm)
	if err != nil {
		return Algorithm{}, badCertificate("signature")
	}
	if !tbs.ReadASN1Element(&issuer, der.SEQUENCE) {
		return Algorithm{}, badCertificate("issuer")
	}
	if !tbs.ReadASN1(&validity, der.SEQUENCE) {
		return Algorithm{}, badCertificate("validity")
	}
	if c.NotBefore, ok = readTime(&validity, n); !ok {
		return Algorithm{}, badCertificate("notBefore")
	}
	if c.NotAfter, ok = readTime(&validity, n); !ok || !validity.Empty() {
		return Algorithm{}, badCertificate("notAfter")
	}
	if !tbs.ReadASN1Element(&subject, der.SEQUENCE) {
		return Algorithm{}, badCertificate("subject")
	}
	if !tbs.ReadASN1Element(&key, der.SEQUENCE) {
		return Algorithm{}, badCertificate("subjectPublicKeyInfo")
	}
	c.RawIssuer, c.RawSubject, c.RawSPKI = issuer, subject, key
	c.Issuer, c.issuerName = parseName(issuer, n)
	c.Subject, c.subjectName = parseName(subject, n)
	c.PublicKey, c.keyFingerprint = parseKey(key, n), sm3.Sum(key)
	for _, tag := range []der.Tag{1, 2} {
		// issuerUniqueID and subjectUniqueID: primitive as DER asks, constructed as some write them.
		if !tbs.SkipOptionalASN1(tag.ContextSpecific()) || !tbs.SkipOptionalASN1(tag.ContextSpecific().Constructed()) {
			return Algorithm{}, badCertificate("uniqueID")
		}
	}
	if !tbs.ReadOptionalASN1(&wrapped, &present, der.Tag(3).Constructed().ContextSpecific()) || !tbs.Empty() {
		return Algorithm{}, badCertificate("extensions")
	}
	if present {
		if c.Version != 3 {
			n.add("extensions in a certificate that is not version 3")
		}
		if err := c.readExtensions(wrapped, n); err != nil {
			return Algorithm{}, err
		}
	}
	return signed, nil
}

// ParseCertificates reads a file of certificates: PEM blocks CERTIFICATE (other blocks are passed over), or DER
// certificates one after the other. Errors: those of ParseCertificate with the row counted from 1, and ErrCertificate
// when there is none.
func ParseCertificates(data []byte) ([]*Certificate, error) {
	var found []*Certificate
	add := func(der []byte) error {
		c, err := ParseCertificate(der)
		if err != nil {
			return atRow(err, len(found)+1)
		}
		found = append(found, c)
		return nil
	}
	if isPEM(data) {
		for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
			if block.Type != "CERTIFICATE" && block.Type != "X509 CERTIFICATE" {
				continue
			}
			if err := add(block.Bytes); err != nil {
				return nil, err
			}
		}
	} else {
		input := cryptobyte.String(data)
		for !input.Empty() {
			var one cryptobyte.String
			if !input.ReadASN1Element(&one, der.SEQUENCE) {
				return nil, atRow(badCertificate("certificate"), len(found)+1)
			}
			if err := add(one); err != nil {
				return nil, err
			}
		}
	}
	if len(found) == 0 {
		return nil, badCertificate("no certificate in the file")
	}
	return found, nil
}

// isPEM tells PEM from DER: DER begins with the octet of a SEQUENCE, and the dashes come early in a PEM file.
func isPEM(data []byte) bool {
	if len(data) == 0 || data[0] == byte(der.SEQUENCE) {
		return false
	}
	return bytes.Contains(data, []byte("-----BEGIN "))
}
