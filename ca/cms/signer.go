package cms

import (
	"math/big"
	"slices"

	"yinxin/ca/chain"
)

// Signer is one SignerInfo as it was found.
type Signer struct {
	Version int
	// Issuer (a Name with tag and length) and Serial name the certificate, or KeyID does, its subject key identifier.
	Issuer []byte
	Serial *big.Int
	KeyID  []byte
	// Digest is digestAlgorithm, Algorithm is signatureAlgorithm as it is written there.
	Digest, Algorithm chain.Algorithm
	// Signed: there are signed attributes, Attributes, in their order; else the signature is over the content itself.
	Signed     bool
	Attributes []Attribute
	Unsigned   []Attribute
	// Value is the signature value: what a signature time stamp is over.
	Value []byte

	signedOctets []byte // the attributes under the SET tag, as they stand
}

// Attribute is one attribute: Values with tag and length.
type Attribute struct {
	Type   ID
	Values [][]byte
}

// readSigners reads signerInfos.
//
//	SignerInfo ::= SEQUENCE { version INTEGER, sid CHOICE { issuerAndSerialNumber SEQUENCE { Name, INTEGER },
//	  subjectKeyIdentifier [0] IMPLICIT OCTET STRING }, digestAlgorithm, signedAttrs [0] IMPLICIT SET OF Attribute OPTIONAL,
//	  signatureAlgorithm, signature OCTET STRING, unsignedAttrs [1] IMPLICIT SET OF Attribute OPTIONAL }
func (d *SignedData) readSigners(body *list) (field string) {
	set, ok := body.open(idSet)
	if !ok {
		return "signerInfos"
	}
	for !set.empty() {
		info, ok := set.open(idSequence)
		if !ok || len(d.Signers) == maxSigners {
			return "signerInfos"
		}
		signer := &Signer{}
		if field := signer.read(info); field != "" {
			return field
		}
		d.Signers = append(d.Signers, signer)
	}
	return ""
}

func (s *Signer) read(l *list) (field string) {
	var ok bool
	if s.Version, ok = l.version(); !ok {
		return "signerInfo.version"
	}
	if !s.readIdentifier(l) {
		return "sid"
	}
	if s.Digest, ok = l.algorithm(); !ok {
		return "digestAlgorithm"
	}
	signed, present, ok := l.optional(idContext0)
	if !ok {
		return "signedAttrs"
	}
	if present {
		s.Signed = true
		// With an indefinite length there are no octets over which every reader would compute the same.
		if signed.indefinite {
			return "signedAttrs"
		}
		if s.Attributes, ok = readAttributes(l.inside(signed)); !ok || len(s.Attributes) == 0 {
			return "signedAttrs"
		}
		// The signature is over the EXPLICIT SET OF tag (RFC 5652 5.4), the other octets are as they stand.
		s.signedOctets = slices.Clone(signed.raw)
		s.signedOctets[0] = idSet
		if !sorted(signed.content) {
			l.scan.note("the signed attributes are not sorted as DER asks")
		}
	}
	if s.Algorithm, ok = l.algorithm(); !ok {
		return "signatureAlgorithm"
	}
	if s.Value, ok = l.octets(); !ok {
		return "signature"
	}
	unsigned, present, ok := l.optional(idContext1)
	if !ok {
		return "unsignedAttrs"
	}
	if present {
		if s.Unsigned, ok = readAttributes(l.inside(unsigned)); !ok {
			return "unsignedAttrs"
		}
	}
	if !l.empty() {
		return "signerInfo"
	}
	return ""
}

func (s *Signer) readIdentifier(l *list) bool {
	if key, present, ok := l.optional(primContext0); present || !ok {
		s.KeyID = key.content
		return ok && len(s.KeyID) > 0 && len(s.KeyID) <= 64
	}
	pair, ok := l.open(idSequence)
	if !ok {
		return false
	}
	issuer, ok := pair.want(idSequence)
	if !ok {
		return false
	}
	s.Issuer = issuer.raw
	s.Serial, ok = pair.integer()
	return ok && pair.empty()
}

// algorithm reads an AlgorithmIdentifier.
func (l *list) algorithm() (chain.Algorithm, bool) {
	e, ok := l.want(idSequence)
	if !ok {
		return chain.Algorithm{}, false
	}
	a, err := chain.ParseAlgorithm(e.raw)
	return a, err == nil
}

// readAttributes reads Attribute ::= SEQUENCE { attrType OID, attrValues SET OF ANY }, one after the other.
func readAttributes(l *list) ([]Attribute, bool) {
	var attributes []Attribute
	for !l.empty() {
		one, ok := l.open(idSequence)
		if !ok || len(attributes) == maxAttributes {
			return nil, false
		}
		var a Attribute
		if a.Type, ok = one.oid(); !ok {
			return nil, false
		}
		values, ok := one.open(idSet)
		if !ok || !one.empty() {
			return nil, false
		}
		for !values.empty() {
			value, ok := values.next()
			if !ok || len(a.Values) == maxValues {
				return nil, false
			}
			a.Values = append(a.Values, value.raw)
		}
		attributes = append(attributes, a)
	}
	return attributes, true
}

// sorted says whether the elements of a SET OF are in ascending order.
func sorted(content []byte) bool {
	l := &list{scan: &scanner{}, rest: content}
	var last []byte
	for !l.empty() {
		e, ok := l.next()
		if !ok || slices.Compare(last, e.raw) > 0 {
			return false
		}
		last = e.raw
	}
	return true
}

// single gives the value of a signed attribute. Present is false when it is not there; then err is nil. Errors:
// ErrDuplicate.
func (s *Signer) single(id ID) (value []byte, present bool, err error) {
	for _, a := range s.Attributes {
		if a.Type != id {
			continue
		}
		if present || len(a.Values) != 1 {
			return nil, true, ErrDuplicate.With("%s", id)
		}
		value, present = a.Values[0], true
	}
	return value, present, nil
}

// Seal is the electronic seal that the signer claims among its attributes, in DER; nil when there is none. It is looked
// for in signer-attributes-v2 (EN 319 122-1 5.2.6) and as a signed attribute of its own. It is written in the former, since
// readers made with Go's encoding/asn1 lose all signers when an attribute's identifier has an arc of 128 bits; in there
// they do not look. Errors: ErrDuplicate.
//
//	SignerAttributeV2 ::= SEQUENCE { claimedAttributes [0] EXPLICIT SEQUENCE OF Attribute OPTIONAL,
//	  certifiedAttributesV2 [1] OPTIONAL, signedAssertions [2] OPTIONAL }
func (s *Signer) Seal() ([]byte, error) {
	claims, _, err := s.single(AttrSignerAttributesV2)
	if err != nil {
		return nil, err
	}
	own, present, err := s.single(AttrSeal)
	if err != nil {
		return nil, err
	}
	l := &list{scan: &scanner{}, rest: claims}
	outer, _ := l.open(idSequence)
	wrapped, _ := outer.open(idContext0)
	attributes, _ := wrapped.open(idSequence)
	claimed, _ := readAttributes(attributes)
	inner, nested, err := (&Signer{Attributes: claimed}).single(AttrSeal)
	switch {
	case err != nil:
		return nil, err
	case nested && present:
		return nil, ErrDuplicate.With("%s", AttrSeal)
	case nested:
		return inner, nil
	}
	return own, nil
}

// TimeStamps are the signature time-stamp tokens among the unsigned attributes (RFC 3161 appendix A), not verified. They
// are over Value.
func (s *Signer) TimeStamps() [][]byte {
	var tokens [][]byte
	for _, a := range s.Unsigned {
		if a.Type == AttrTimeStampToken {
			tokens = append(tokens, a.Values...)
		}
	}
	return tokens
}
