package ocsp

import (
	"crypto/sha1" // names an issuer in a CertID; RFC 6960 clients use it, and nothing is proved by it
	"crypto/sha256"
	"crypto/subtle"
	"encoding/asn1"
	"math/big"

	"github.com/emmansun/gmsm/sm3"
	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"

	"yinxin/ca/chain"
	"yinxin/internal/oid"
)

// CertID names a certificate by its issuer and serial number (RFC 6960 4.1.1):
//
//	CertID ::= SEQUENCE { hashAlgorithm AlgorithmIdentifier, issuerNameHash OCTET STRING, issuerKeyHash OCTET STRING,
//	  serialNumber CertificateSerialNumber }
type CertID struct {
	// Hash is the digest: oid.SHA1, oid.SHA256 or oid.SM3 are known here; others are read and match nothing.
	Hash asn1.ObjectIdentifier
	// NameHash is over the issuer's name with tag and length, KeyHash over the content of its subjectPublicKey.
	NameHash, KeyHash []byte
	Serial            *big.Int
	// Raw is the identifier as it was read, with tag and length; it is what a response repeats. Nil: made anew.
	Raw []byte
}

// NewCertID names the certificate with a serial number under an issuer. Errors: ErrCertID.
func NewCertID(hash asn1.ObjectIdentifier, issuer *chain.Certificate, serial *big.Int) (CertID, error) {
	if issuer == nil || serial == nil {
		return CertID{}, ErrCertID.New()
	}
	key := issuer.KeyBits()
	name, ok := digest(hash, issuer.RawSubject)
	if !ok || key == nil {
		return CertID{}, ErrCertID.With("%s", hash)
	}
	keyHash, _ := digest(hash, key)
	id := CertID{Hash: hash, NameHash: name, KeyHash: keyHash, Serial: serial}
	var b cryptobyte.Builder
	id.add(&b)
	raw, err := b.Bytes()
	if err != nil {
		return CertID{}, ErrCertID.Because(err)
	}
	id.Raw = raw
	return id, nil
}

// Matches says whether the identifier names this issuer, by name and key.
func (id CertID) Matches(issuer *chain.Certificate) bool {
	if issuer == nil {
		return false
	}
	name, ok := digest(id.Hash, issuer.RawSubject)
	if !ok || subtle.ConstantTimeCompare(name, id.NameHash) != 1 {
		return false
	}
	key, _ := digest(id.Hash, issuer.KeyBits())
	return subtle.ConstantTimeCompare(key, id.KeyHash) == 1
}

// names says whether the identifier names this certificate of this issuer.
func (id CertID) names(cert, issuer *chain.Certificate) bool {
	return id.Serial != nil && id.Serial.Cmp(cert.Serial) == 0 && id.Matches(issuer)
}

func digest(hash asn1.ObjectIdentifier, data []byte) ([]byte, bool) {
	switch {
	case hash.Equal(oid.SHA1):
		sum := sha1.Sum(data)
		return sum[:], true
	case hash.Equal(oid.SHA256):
		sum := sha256.Sum256(data)
		return sum[:], true
	case hash.Equal(oid.SM3):
		sum := sm3.Sum(data)
		return sum[:], true
	}
	return nil, false
}

// add writes the identifier: as it was read, or anew.
func (id CertID) add(b *cryptobyte.Builder) {
	if id.Raw != nil {
		b.AddBytes(id.Raw)
		return
	}
	if id.Serial == nil {
		b.SetError(ErrCertID.New())
		return
	}
	b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(id.Hash)
			if !id.Hash.Equal(oid.SM3) {
				b.AddASN1NULL() // as RFC 3279 has it for SHA-1; responders compare identifiers as octets
			}
		})
		b.AddASN1OctetString(id.NameHash)
		b.AddASN1OctetString(id.KeyHash)
		b.AddASN1BigInt(id.Serial)
	})
}

// readCertID reads one identifier.
func readCertID(s *cryptobyte.String) (CertID, bool) {
	const maxHash, maxSerial = 64, 64
	var raw, sequence, algorithm, name, key, serial cryptobyte.String
	if !s.ReadASN1Element(&raw, der.SEQUENCE) {
		return CertID{}, false
	}
	content := raw
	if !content.ReadASN1(&sequence, der.SEQUENCE) || !sequence.ReadASN1Element(&algorithm, der.SEQUENCE) ||
		!sequence.ReadASN1(&name, der.OCTET_STRING) || !sequence.ReadASN1(&key, der.OCTET_STRING) ||
		!sequence.ReadASN1(&serial, der.INTEGER) || !sequence.Empty() {
		return CertID{}, false
	}
	if len(name) > maxHash || len(key) > maxHash || len(serial) == 0 || len(serial) > maxSerial {
		return CertID{}, false
	}
	hash, err := chain.ParseAlgorithm(algorithm)
	if err != nil {
		return CertID{}, false
	}
	number := new(big.Int).SetBytes(serial)
	if serial[0]&0x80 != 0 {
		number.Sub(number, new(big.Int).Lsh(big.NewInt(1), uint(len(serial))*8))
	}
	return CertID{Hash: hash.OID, NameHash: name, KeyHash: key, Serial: number, Raw: raw}, true
}
