package tsa

import (
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"

	"yinxin/ca/chain"
	"yinxin/ca/cms"
	"yinxin/internal/oid"
)

const (
	maxNumber = 64 // octets of a nonce or serial number
	maxDigest = 64
)

var (
	explicit0 = der.Tag(0).ContextSpecific().Constructed()
	explicit1 = der.Tag(1).ContextSpecific().Constructed()
	implicit0 = der.Tag(0).ContextSpecific()
	implicit1 = der.Tag(1).ContextSpecific()
)

// Imprint is a digest that is stamped.
//
//	MessageImprint ::= SEQUENCE { hashAlgorithm AlgorithmIdentifier, hashedMessage OCTET STRING }
type Imprint struct {
	// Hash is empty when the algorithm is not known.
	Hash   cms.Hash
	Digest []byte

	algorithm chain.Algorithm
}

func readImprint(s *cryptobyte.String) (Imprint, bool) {
	var sequence, algorithm, digest cryptobyte.String
	if !s.ReadASN1(&sequence, der.SEQUENCE) || !sequence.ReadASN1Element(&algorithm, der.SEQUENCE) ||
		!sequence.ReadASN1(&digest, der.OCTET_STRING) || !sequence.Empty() || len(digest) == 0 || len(digest) > maxDigest {
		return Imprint{}, false
	}
	a, err := chain.ParseAlgorithm(algorithm)
	if err != nil {
		return Imprint{}, false
	}
	hash, _ := cms.HashOf(a)
	return Imprint{Hash: hash, Digest: digest, algorithm: a}, true
}

func (i Imprint) add(b *cryptobyte.Builder) {
	b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(i.Hash.OID())
			// RFC 3161 2.4.1 has no parameters; a request's are repeated, since clients compare octets.
			if len(i.algorithm.Parameters) > 0 {
				b.AddBytes(i.algorithm.Parameters)
			}
		})
		b.AddASN1OctetString(i.Digest)
	})
}

// sound says whether the digest is one that may be stamped here: SM3 or SHA-2, of the right length.
func (i Imprint) sound() bool {
	switch i.Hash {
	case cms.SM3, cms.SHA256, cms.SHA384, cms.SHA512:
		return len(i.Digest) == i.Hash.Size()
	}
	return false
}

// readNumber reads an INTEGER, also with needless leading octets.
func readNumber(s *cryptobyte.String) (*big.Int, bool) {
	var content cryptobyte.String
	if !s.ReadASN1(&content, der.INTEGER) || len(content) == 0 || len(content) > maxNumber {
		return nil, false
	}
	n := new(big.Int).SetBytes(content)
	if content[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(len(content))*8))
	}
	return n, true
}

// readOID reads an OBJECT IDENTIFIER, also with an arc of 128 bits.
func readOID(s *cryptobyte.String) (cms.ID, bool) {
	var content cryptobyte.String
	if !s.ReadASN1(&content, der.OBJECT_IDENTIFIER) || len(content) == 0 || len(content) > 256 || content[len(content)-1]&0x80 != 0 {
		return "", false
	}
	return cms.ID(content), true
}

func addOID(b *cryptobyte.Builder, id cms.ID) {
	b.AddASN1(der.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes([]byte(id)) })
}

// Policy is the policy of the built-in authority: 2.25 and a UUID.
var Policy = cms.ID(oid.TSAPolicyDER)
