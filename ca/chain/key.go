package chain

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/asn1"
	"math"

	"github.com/emmansun/gmsm/sm2"
	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"

	"yinxin/internal/oid"
)

// KeyBits is the content of the subjectPublicKey BIT STRING: what OCSP and key identifiers hash (RFC 6960 4.1.1). It is
// nil when the key cannot be taken apart.
func (c *Certificate) KeyBits() []byte {
	_, bits, ok := readSPKI(c.RawSPKI)
	if !ok {
		return nil
	}
	return bits
}

// readSPKI reads SubjectPublicKeyInfo ::= SEQUENCE { algorithm AlgorithmIdentifier, subjectPublicKey BIT STRING }.
func readSPKI(raw cryptobyte.String) (Algorithm, []byte, bool) {
	var sequence, identifier cryptobyte.String
	if !raw.ReadASN1(&sequence, der.SEQUENCE) || !sequence.ReadASN1Element(&identifier, der.SEQUENCE) {
		return Algorithm{}, nil, false
	}
	algorithm, err := ParseAlgorithm(identifier)
	if err != nil {
		return Algorithm{}, nil, false
	}
	bits, ok := readBitString(&sequence)
	return algorithm, bits, ok
}

// parseKey gives the public key, or nil and a note: a certificate with a key that is not understood can still be named
// in a report.
func parseKey(raw cryptobyte.String, n *notes) any {
	algorithm, bits, ok := readSPKI(raw)
	if !ok {
		n.add("the public key cannot be read")
		return nil
	}
	switch {
	case algorithm.OID.Equal(oid.PublicKeyEC):
		parameters := cryptobyte.String(algorithm.Parameters)
		curve, ok := readOID(&parameters)
		if !ok {
			n.add("the curve of the public key is not named")
			return nil
		}
		return parsePoint(curve, bits, n)
	case algorithm.OID.Equal(oid.CurveSM2):
		n.add("the key algorithm is the SM2 curve itself")
		return parsePoint(oid.CurveSM2, bits, n)
	case algorithm.OID.Equal(oid.RSA), algorithm.OID.Equal(oid.RSAPSS):
		return parseRSA(bits, n)
	}
	n.add("the key algorithm " + algorithm.OID.String() + " is not known")
	return nil
}

// parsePoint gives the key for a point on a named curve, as SEC 1 2.3.3 encodes it, also compressed.
func parsePoint(curveID asn1.ObjectIdentifier, bits []byte, n *notes) any {
	var curve elliptic.Curve
	switch {
	case curveID.Equal(oid.CurveSM2):
		curve = sm2.P256()
	case curveID.Equal(oid.CurveP256):
		curve = elliptic.P256()
	case curveID.Equal(oid.CurveP384):
		curve = elliptic.P384()
	case curveID.Equal(oid.CurveP521):
		curve = elliptic.P521()
	default:
		n.add("the curve " + curveID.String() + " is not known")
		return nil
	}
	if size := (curve.Params().BitSize + 7) / 8; len(bits) == 1+size && (bits[0] == 2 || bits[0] == 3) {
		x, y := elliptic.UnmarshalCompressed(curve, bits)
		if x == nil {
			n.add("the public key is not a point of its curve")
			return nil
		}
		n.add("the public key is a compressed point")
		bits = make([]byte, 1+2*size)
		bits[0] = 4
		x.FillBytes(bits[1 : 1+size])
		y.FillBytes(bits[1+size:])
	}
	var key *ecdsa.PublicKey
	var err error
	if curve == sm2.P256() {
		key, err = sm2.ParseUncompressedPublicKey(bits)
	} else {
		key, err = ecdsa.ParseUncompressedPublicKey(curve, bits)
	}
	if err != nil {
		n.add("the public key is not a point of its curve")
		return nil
	}
	return key
}

// parseRSA reads RSAPublicKey ::= SEQUENCE { modulus INTEGER, publicExponent INTEGER }. The size is limited because a
// huge modulus makes one verification take seconds.
func parseRSA(bits cryptobyte.String, n *notes) any {
	var sequence cryptobyte.String
	if bits.ReadASN1(&sequence, der.SEQUENCE) && bits.Empty() {
		modulus, ok := readInteger(&sequence, maxRSABits/8+1)
		if ok && modulus.Sign() > 0 {
			exponent, ok := readInteger(&sequence, 5)
			if ok && sequence.Empty() && exponent.Sign() > 0 && exponent.IsInt64() && exponent.Int64() <= math.MaxInt32 {
				return &rsa.PublicKey{N: modulus, E: int(exponent.Int64())}
			}
		}
	}
	n.add("the RSA public key cannot be read, or is too large")
	return nil
}

// isSM2 says whether a key is on the SM2 curve.
func isSM2(key *ecdsa.PublicKey) bool {
	return key != nil && key.Curve == sm2.P256()
}

// ecdsaKey gives the key of a certificate if it is on a curve, else nil.
func ecdsaKey(key any) *ecdsa.PublicKey {
	public, _ := key.(*ecdsa.PublicKey)
	return public
}
