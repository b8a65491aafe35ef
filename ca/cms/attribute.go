package cms

import (
	"bytes"
	"time"

	"golang.org/x/crypto/cryptobyte"

	"yinxin/ca/chain"
	"yinxin/internal/oid"
)

// contentType is the value of the signed attribute. Errors: ErrDuplicate, ErrMissing, ErrAttribute.
func (s *Signer) contentType() (ID, error) {
	value, present, err := s.single(AttrContentType)
	switch {
	case err != nil:
		return "", err
	case !present:
		return "", ErrMissing.With("contentType")
	}
	l := &list{scan: &scanner{}, rest: value}
	id, ok := l.oid()
	if !ok || !l.empty() {
		return "", ErrAttribute.With("contentType")
	}
	return id, nil
}

// messageDigest is the value of the signed attribute. Errors: ErrDuplicate, ErrMissing, ErrAttribute.
func (s *Signer) messageDigest() ([]byte, error) {
	value, present, err := s.single(AttrMessageDigest)
	switch {
	case err != nil:
		return nil, err
	case !present:
		return nil, ErrMissing.With("messageDigest")
	}
	l := &list{scan: &scanner{}, rest: value}
	digest, ok := l.octets()
	if !ok || !l.empty() {
		return nil, ErrAttribute.With("messageDigest")
	}
	return digest, nil
}

// SigningTime is the time that the signer claims, in UTC; zero when there is none. It proves nothing. Errors:
// ErrDuplicate, ErrAttribute.
func (s *Signer) SigningTime() (time.Time, error) {
	value, present, err := s.single(AttrSigningTime)
	if err != nil || !present {
		return time.Time{}, err
	}
	input := cryptobyte.String(value)
	t, ok := chain.ReadTime(&input)
	if !ok || !input.Empty() {
		return time.Time{}, ErrAttribute.With("signingTime")
	}
	return t, nil
}

// named is the certificate that a signing-certificate attribute names first: the signer's (RFC 5035 5.4).
type named struct {
	hash   Hash
	digest []byte
	serial []byte // content octets, nil when not said
}

// fits says whether this is the certificate.
func (n named) fits(c *chain.Certificate) bool {
	if n.serial != nil {
		l := &list{scan: &scanner{}, rest: append([]byte{idInteger, byte(len(n.serial))}, n.serial...)}
		if serial, ok := l.integer(); !ok || serial.Cmp(c.Serial) != 0 {
			return false
		}
	}
	return bytes.Equal(n.hash.Sum(c.Raw), n.digest)
}

// signingCertificates reads what the attributes say of the signer's certificate: of version 1, of version 2, or both.
// Errors: ErrDuplicate, ErrAttribute, chain.ErrAlgorithm for a digest that is not known.
//
//	SigningCertificate ::= SEQUENCE { certs SEQUENCE OF ESSCertID, policies OPTIONAL }
//	ESSCertID ::= SEQUENCE { certHash OCTET STRING, issuerSerial IssuerSerial OPTIONAL }
//	ESSCertIDv2 ::= SEQUENCE { hashAlgorithm AlgorithmIdentifier DEFAULT sha256, certHash, issuerSerial OPTIONAL }
//	IssuerSerial ::= SEQUENCE { issuer GeneralNames, serialNumber INTEGER }
func (s *Signer) signingCertificates() ([]named, error) {
	var all []named
	for _, kind := range []ID{AttrSigningCertificate, AttrSigningCertificateV2} {
		value, present, err := s.single(kind)
		if err != nil {
			return nil, err
		}
		if !present {
			continue
		}
		n, err := readNamed(value, kind)
		if err != nil {
			return nil, err
		}
		all = append(all, n)
	}
	return all, nil
}

func readNamed(value []byte, kind ID) (named, error) {
	bad := ErrAttribute.With("signingCertificate")
	l := &list{scan: &scanner{}, rest: value}
	outer, ok := l.open(idSequence)
	if !ok || !l.empty() {
		return named{}, bad
	}
	certificates, ok := outer.open(idSequence)
	if !ok {
		return named{}, bad
	}
	first, ok := certificates.open(idSequence)
	if !ok {
		return named{}, bad
	}
	n := named{hash: SHA1}
	if kind == AttrSigningCertificateV2 {
		n.hash = SHA256
		if first.peek(idSequence) {
			a, ok := first.algorithm()
			if !ok {
				return named{}, bad
			}
			if n.hash, ok = HashOf(a); !ok {
				return named{}, chain.ErrAlgorithm.With("%s", a.OID)
			}
		}
	}
	if n.digest, ok = first.octets(); !ok {
		return named{}, bad
	}
	if first.empty() {
		return n, nil
	}
	pair, ok := first.open(idSequence)
	if !ok || !first.empty() {
		return named{}, bad
	}
	if _, ok := pair.want(idSequence); !ok {
		return named{}, bad
	}
	serial, ok := pair.want(idInteger)
	if !ok || len(serial.content) == 0 || len(serial.content) > 64 || !pair.empty() {
		return named{}, bad
	}
	n.serial = serial.content
	return n, nil
}

// checkProtection compares the algorithm identifiers with the signed copy of them, if there is one (RFC 6211). Errors:
// ErrDuplicate, ErrAttribute, ErrAlgorithms.
//
//	CMSAlgorithmProtection ::= SEQUENCE { digestAlgorithm, signatureAlgorithm [1] IMPLICIT OPTIONAL, macAlgorithm [2] }
func (s *Signer) checkProtection() error {
	value, present, err := s.single(AttrAlgorithmProtection)
	if err != nil || !present {
		return err
	}
	bad := ErrAttribute.With("CMSAlgorithmProtection")
	l := &list{scan: &scanner{}, rest: value}
	outer, ok := l.open(idSequence)
	if !ok || !l.empty() {
		return bad
	}
	digest, ok := outer.algorithm()
	if !ok {
		return bad
	}
	signature, ok := outer.want(idContext1)
	if !ok || !outer.empty() {
		return bad
	}
	plain := bytes.Clone(signature.raw)
	plain[0] = idSequence
	algorithm, err := chain.ParseAlgorithm(plain)
	if err != nil {
		return bad
	}
	if !digest.OID.Equal(s.Digest.OID) || !algorithm.OID.Equal(s.Algorithm.OID) ||
		!bytes.Equal(algorithm.Parameters, s.Algorithm.Parameters) {
		return ErrAlgorithms.With("CMSAlgorithmProtection")
	}
	return nil
}

// resolve gives the signature algorithm that is meant: an identifier that only names the key (rsaEncryption,
// id-ecPublicKey) takes the digest from digestAlgorithm (RFC 3370 3.2, RFC 5753). Errors: chain.ErrAlgorithm.
func (s *Signer) resolve(c *chain.Certificate) (chain.Algorithm, error) {
	digest, _ := HashOf(s.Digest)
	a := s.Algorithm
	switch {
	case a.OID.Equal(oid.RSA):
		for _, pair := range []struct {
			hash Hash
			full chain.Algorithm
		}{
			{SHA256, chain.Algorithm{OID: oid.RSASHA256}}, {SHA384, chain.Algorithm{OID: oid.RSASHA384}},
			{SHA512, chain.Algorithm{OID: oid.RSASHA512}}, {SHA1, chain.Algorithm{OID: oid.RSASHA1}},
			{MD5, chain.Algorithm{OID: oid.RSAMD5}},
		} {
			if pair.hash == digest {
				return pair.full, nil
			}
		}
		return a, chain.ErrAlgorithm.With("RSA, %s", s.Digest.OID)
	case a.OID.Equal(oid.CurveSM2):
		return chain.Algorithm{OID: oid.SM2WithSM3}, nil
	case a.OID.Equal(oid.PublicKeyEC):
		if isSM2(c) {
			return chain.Algorithm{OID: oid.SM2WithSM3}, nil
		}
		switch digest {
		case SHA256:
			return chain.Algorithm{OID: oid.ECDSASHA256}, nil
		case SHA384:
			return chain.Algorithm{OID: oid.ECDSASHA384}, nil
		case SHA512:
			return chain.Algorithm{OID: oid.ECDSASHA512}, nil
		case SHA1:
			return chain.Algorithm{OID: oid.ECDSASHA1}, nil
		}
		return a, chain.ErrAlgorithm.With("ECDSA, %s", s.Digest.OID)
	}
	return a, nil
}
