package chain

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	_ "crypto/md5" // weak signatures are computed too: a wrong value is a forgery, a right one is weak
	"crypto/rsa"
	_ "crypto/sha1" // see above
	_ "crypto/sha256"
	_ "crypto/sha512"
	"encoding/asn1"
	"math/big"

	"github.com/emmansun/gmsm/sm2"
	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"

	"yinxin/internal/oid"
)

// minRSABits is the shortest RSA key whose signatures still prove something (GM/T 0054 and NIST SP 800-131A agree).
const minRSABits = 2048

// Algorithm is an AlgorithmIdentifier: Parameters with tag and length, nil when absent.
type Algorithm struct {
	OID        asn1.ObjectIdentifier
	Parameters []byte
}

// ParseAlgorithm reads AlgorithmIdentifier ::= SEQUENCE { algorithm OID, parameters ANY OPTIONAL }, and nothing after
// it. Errors: ErrAlgorithm.
func ParseAlgorithm(raw []byte) (Algorithm, error) {
	var sequence, parameters cryptobyte.String
	var tag der.Tag
	input := cryptobyte.String(raw)
	if !input.ReadASN1(&sequence, der.SEQUENCE) || !input.Empty() {
		return Algorithm{}, ErrAlgorithm.New()
	}
	id, ok := readOID(&sequence)
	if !ok {
		return Algorithm{}, ErrAlgorithm.New()
	}
	if sequence.Empty() {
		return Algorithm{OID: id}, nil
	}
	if !sequence.ReadAnyASN1Element(&parameters, &tag) || !sequence.Empty() {
		return Algorithm{}, ErrAlgorithm.New()
	}
	return Algorithm{OID: id, Parameters: parameters}, nil
}

// CheckSignature checks value, a signature over signed, with the public key of a certificate: SM2 with SM3 and the
// default ID, RSA PKCS #1 v1.5 and ECDSA with SHA-2. RSASSA-PSS needs its parameters: use Algorithm.Check. The notes
// name leniencies that the value needed. Errors: ErrSignature for a value that does not match, ErrWeak for one that
// matches but proves nothing (SHA-1, MD5, RSA under 2048 bits), ErrAlgorithm, ErrKey.
func CheckSignature(pub any, alg asn1.ObjectIdentifier, signed, value []byte) (notes []string, err error) {
	return Algorithm{OID: alg}.Check(pub, signed, value)
}

var maskMGF1 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 8}

// Check is CheckSignature with the parameters that RSASSA-PSS carries (RFC 4055 3.1).
func (a Algorithm) Check(pub any, signed, value []byte) (notes []string, err error) {
	if a.isSM2() {
		key := ecdsaKey(pub)
		if !isSM2(key) {
			return nil, ErrKey.New()
		}
		digest, err := sm2.CalculateSM2Hash(key, signed, nil)
		if err != nil {
			return nil, ErrKey.Because(err)
		}
		return CheckSM2Digest(key, [32]byte(digest), value)
	}
	hash, ok := a.Hash()
	if !ok {
		return nil, ErrAlgorithm.With("%s", a.OID)
	}
	return a.CheckDigest(pub, digestOf(hash, signed), value)
}

// CheckDigest is Check for a caller who hashed itself: digest is by Hash, and for SM2 it is SM3(Z‖message). Errors: as
// CheckSignature, and ErrSignature for a digest of another length.
func (a Algorithm) CheckDigest(pub any, digest, value []byte) (notes []string, err error) {
	if a.isSM2() {
		if len(digest) != 32 {
			return nil, ErrSignature.With("SM2")
		}
		return CheckSM2Digest(ecdsaKey(pub), [32]byte(digest), value)
	}
	hash, ok := a.Hash()
	switch {
	case !ok:
		return nil, ErrAlgorithm.With("%s", a.OID)
	case len(digest) != hash.Size():
		return nil, ErrSignature.With("%s", hash)
	case a.OID.Equal(oid.RSAPSS):
		return nil, a.checkPSS(pub, digest, value)
	case a.OID[:6].Equal(oid.RSA[:6]):
		return nil, checkRSA(pub, hash, digest, value)
	}
	return nil, checkECDSA(pub, hash, digest, value)
}

// isSM2 says whether the algorithm is SM2 with SM3; both of its identifiers are in use.
func (a Algorithm) isSM2() bool { return a.OID.Equal(oid.SM2WithSM3) || a.OID.Equal(oid.SM2Sign) }

// Hash is the digest that a signature algorithm uses, false for SM2, where the digest begins with Z, and for what is
// not known.
func (a Algorithm) Hash() (crypto.Hash, bool) {
	switch {
	case a.OID.Equal(oid.RSASHA256), a.OID.Equal(oid.ECDSASHA256):
		return crypto.SHA256, true
	case a.OID.Equal(oid.RSASHA384), a.OID.Equal(oid.ECDSASHA384):
		return crypto.SHA384, true
	case a.OID.Equal(oid.RSASHA512), a.OID.Equal(oid.ECDSASHA512):
		return crypto.SHA512, true
	case a.OID.Equal(oid.RSASHA1), a.OID.Equal(oid.ECDSASHA1):
		return crypto.SHA1, true
	case a.OID.Equal(oid.RSAMD5):
		return crypto.MD5, true
	case a.OID.Equal(oid.RSAPSS):
		hash, _, ok := readPSSParameters(a.Parameters)
		return hash, ok
	}
	return 0, false
}

// CheckSM2Digest checks an SM2 signature value over e = SM3(Z‖message), for a caller who hashed itself. Value forms: DER
// SEQUENCE { r INTEGER, s INTEGER }; also, with a note, integers with needless or missing leading zeros, and the bare 64
// octets r‖s. Errors: ErrSignature, ErrKey.
func CheckSM2Digest(pub *ecdsa.PublicKey, e [32]byte, value []byte) (notes []string, err error) {
	if !isSM2(pub) {
		return nil, ErrKey.New()
	}
	r, s, notes, ok := readSM2Value(value)
	if !ok {
		return nil, ErrSignature.With("SM2")
	}
	var b cryptobyte.Builder
	b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1BigInt(new(big.Int).SetBytes(r))
		b.AddASN1BigInt(new(big.Int).SetBytes(s))
	})
	if !sm2.VerifyASN1(pub, e[:], b.BytesOrPanic()) {
		return notes, ErrSignature.With("SM2")
	}
	return notes, nil
}

// readSM2Value gives r and s as octets without leading zeros, at most 32 each.
func readSM2Value(value []byte) (r, s []byte, lenient []string, ok bool) {
	var sequence, first, second cryptobyte.String
	input := cryptobyte.String(value)
	if input.ReadASN1(&sequence, der.SEQUENCE) && input.Empty() &&
		sequence.ReadASN1(&first, der.INTEGER) && sequence.ReadASN1(&second, der.INTEGER) && sequence.Empty() {
		if !minimalPositive(first) || !minimalPositive(second) {
			lenient = []string{"the integers of the SM2 value are not encoded as DER asks"}
		}
		r, s = bytes.TrimLeft(first, "\x00"), bytes.TrimLeft(second, "\x00")
	} else if len(value) == 64 {
		lenient = []string{"the SM2 value is the bare 64 octets r and s"}
		r, s = bytes.TrimLeft(value[:32], "\x00"), bytes.TrimLeft(value[32:], "\x00")
	}
	return r, s, lenient, len(r) > 0 && len(r) <= 32 && len(s) > 0 && len(s) <= 32
}

// minimalPositive says whether the content of an INTEGER is a positive number in its shortest form.
func minimalPositive(content []byte) bool {
	if len(content) == 0 || content[0]&0x80 != 0 {
		return false
	}
	return content[0] != 0 || len(content) > 1 && content[1]&0x80 != 0
}

func digestOf(h crypto.Hash, signed []byte) []byte {
	state := h.New()
	state.Write(signed)
	return state.Sum(nil)
}

// weakness refuses what is right but proves nothing.
func weakness(h crypto.Hash, bits int) error {
	if h == crypto.SHA1 || h == crypto.MD5 {
		return ErrWeak.With("%s", h)
	}
	if bits < minRSABits {
		return ErrWeak.With("RSA %d", bits)
	}
	return nil
}

// rsaKey gives a key that can be computed with: crypto/rsa refuses keys under 1024 bits, which are weak anyway.
func rsaKey(pub any) (*rsa.PublicKey, error) {
	key, ok := pub.(*rsa.PublicKey)
	if !ok || key == nil || key.N == nil {
		return nil, ErrKey.New()
	}
	bits := key.N.BitLen()
	if bits < 1024 {
		return nil, ErrWeak.With("RSA %d", bits)
	}
	if bits > maxRSABits {
		return nil, ErrKey.With("RSA %d", bits)
	}
	return key, nil
}

func checkRSA(pub any, h crypto.Hash, digest, value []byte) error {
	key, err := rsaKey(pub)
	if err != nil {
		return err
	}
	if err := rsa.VerifyPKCS1v15(key, h, digest, value); err != nil {
		return ErrSignature.With("RSA").Because(err)
	}
	return weakness(h, key.N.BitLen())
}

func checkECDSA(pub any, h crypto.Hash, digest, value []byte) error {
	key, ok := pub.(*ecdsa.PublicKey)
	if !ok || key == nil || key.Curve == nil || isSM2(key) {
		return ErrKey.New()
	}
	if !ecdsa.VerifyASN1(key, digest, value) {
		return ErrSignature.With("ECDSA")
	}
	return weakness(h, minRSABits)
}

// checkPSS reads RSASSA-PSS-params ::= SEQUENCE { hashAlgorithm [0] DEFAULT sha1, maskGenAlgorithm [1] DEFAULT mgf1SHA1,
// saltLength [2] INTEGER DEFAULT 20, trailerField [3] INTEGER DEFAULT 1 }. The mask must use the same digest.
func (a Algorithm) checkPSS(pub any, digest, value []byte) error {
	key, err := rsaKey(pub)
	if err != nil {
		return err
	}
	hash, salt, ok := readPSSParameters(a.Parameters)
	if !ok {
		return ErrAlgorithm.With("RSASSA-PSS")
	}
	options := &rsa.PSSOptions{SaltLength: salt, Hash: hash}
	if err := rsa.VerifyPSS(key, hash, digest, value, options); err != nil {
		return ErrSignature.With("RSASSA-PSS").Because(err)
	}
	return weakness(hash, key.N.BitLen())
}

func readPSSParameters(raw []byte) (hash crypto.Hash, salt int, ok bool) {
	hash, mask, salt := crypto.SHA1, crypto.SHA1, 20
	if len(raw) == 0 {
		return hash, salt, true
	}
	var sequence cryptobyte.String
	input := cryptobyte.String(raw)
	if !input.ReadASN1(&sequence, der.SEQUENCE) || !input.Empty() {
		return 0, 0, false
	}
	for tag := range 4 {
		var field cryptobyte.String
		var present bool
		if !sequence.ReadOptionalASN1(&field, &present, der.Tag(tag).ContextSpecific().Constructed()) {
			return 0, 0, false
		}
		if !present {
			continue
		}
		switch tag {
		case 0:
			hash, ok = digestAlgorithm(field)
		case 1:
			var generator Algorithm
			var err error
			generator, err = ParseAlgorithm(field)
			if ok = err == nil && generator.OID.Equal(maskMGF1); ok {
				mask, ok = digestAlgorithm(generator.Parameters)
			}
		case 2:
			var length *big.Int
			if length, ok = readInteger(&field, 2); ok {
				salt = int(length.Int64())
				ok = salt >= 0 && field.Empty()
			}
		case 3:
			var trailer *big.Int
			trailer, ok = readInteger(&field, 1)
			ok = ok && trailer.Int64() == 1 && field.Empty()
		}
		if !ok {
			return 0, 0, false
		}
	}
	// A salt length of 0 is rsa.PSSSaltLengthAuto, "find out": the salt is then inside the signature, the claim is not.
	if salt == 0 {
		salt = rsa.PSSSaltLengthAuto
	}
	return hash, salt, sequence.Empty() && hash == mask
}

// digestAlgorithm names the digest of an AlgorithmIdentifier.
func digestAlgorithm(raw []byte) (crypto.Hash, bool) {
	a, err := ParseAlgorithm(raw)
	if err != nil {
		return 0, false
	}
	switch {
	case a.OID.Equal(oid.SHA256):
		return crypto.SHA256, true
	case a.OID.Equal(oid.SHA384):
		return crypto.SHA384, true
	case a.OID.Equal(oid.SHA512):
		return crypto.SHA512, true
	case a.OID.Equal(oid.SHA1):
		return crypto.SHA1, true
	}
	return 0, false
}
