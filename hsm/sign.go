package hsm

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"io"
	"math/big"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/sm3"
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"yinxin/internal/fault"
	"yinxin/internal/oid"
)

// idText is how an identifier of a key is written.
func idText(id []byte) string { return hex.EncodeToString(id) }

// SignDigest signs a digest and gives the signature as certificates and CMS want it. For SM2 the digest is e = SM3(Z‖M), 32
// bytes, and the signature DER SEQUENCE{r, s}; a token that takes only messages answers hsm.algorithm (SignMessage). For ECDSA
// it is DER, too; RSA is not served here, since its signature names the hash (Signer). Errors: hsm.algorithm,
// hsm.encoding, hsm.other-key, and those of a token in use.
func (k *Key) SignDigest(ctx context.Context, digest []byte) ([]byte, error) {
	p := &k.token.config.Profile
	switch k.info.Algorithm {
	case SM2:
		if !p.signs || p.input != inputDigest || len(digest) != sm3.Size {
			return nil, ErrAlgorithm.With("SM2 %d", len(digest))
		}
		signature, err := k.sign(ctx, p.sign, digest)
		if err != nil {
			return nil, err
		}
		return k.der(signature, k.encoding)
	case P256, P384:
		if len(digest) == 0 || len(digest) > 64 {
			return nil, ErrAlgorithm.With("%s %d", k.info.Algorithm, len(digest))
		}
		signature, err := k.sign(ctx, mechanism{number: mechanismECDSA}, k.shortened(digest))
		if err != nil {
			return nil, err
		}
		return k.der(signature, encodingRaw)
	}
	return nil, ErrAlgorithm.With("%s", k.info.Algorithm)
}

// shortened leaves of a digest what the curve takes: some tokens refuse a longer one (FIPS 186-5, 6.4.1).
func (k *Key) shortened(digest []byte) []byte {
	public := k.info.Public.(*ecdsa.PublicKey)
	return digest[:min(len(digest), (public.Curve.Params().BitSize+7)/8)]
}

// SignMessage signs a message with SM2 and the standard identifier (GM/T 0009 clause 10), DER. The digest is computed here
// or by the token, as the profile says.
func (k *Key) SignMessage(ctx context.Context, message []byte) ([]byte, error) {
	p := &k.token.config.Profile
	if k.info.Algorithm != SM2 || !p.signs {
		return nil, ErrAlgorithm.With("%s", k.info.Algorithm)
	}
	public := k.info.Public.(*ecdsa.PublicKey)
	z, err := sm2.CalculateZA(public, []byte(oid.SM2UserID))
	if err != nil {
		return nil, ErrPublicKey.Because(err)
	}
	how, input := p.sign, message
	switch p.input {
	case inputDigest:
		h := sm3.New()
		h.Write(z)
		h.Write(message)
		input = h.Sum(nil)
	case inputZMessage:
		input = append(z[:len(z):len(z)], message...)
	case inputMessage:
		if p.giveID {
			how.parameter = []byte(oid.SM2UserID)
		}
	}
	signature, err := k.sign(ctx, how, input)
	if err != nil {
		return nil, err
	}
	return k.der(signature, k.encoding)
}

// sign is the call: a session of the pool, the key's handle there, and C_Sign.
func (k *Key) sign(ctx context.Context, how mechanism, input []byte) ([]byte, error) {
	signature, err := run(ctx, k.token, func(s session) ([]byte, error) {
		object, err := k.at(s)
		if err != nil {
			return nil, err
		}
		return timed(k.token, func() ([]byte, error) { return s.c.Sign(s.handle, object, how, input) })
	})
	if err == nil {
		k.token.count.signatures.Add(1)
	}
	return signature, err
}

// der gives DER SEQUENCE{r, s} from a signature in an encoding, and nothing from one in another: r and s are in 1 … n-1,
// and in DER as short as can be.
func (k *Key) der(signature []byte, encoding string) ([]byte, error) {
	public := k.info.Public.(*ecdsa.PublicKey)
	r, s := split(signature, encoding, public.Curve)
	n := public.Curve.Params().N
	if r == nil || r.Sign() <= 0 || s.Sign() <= 0 || r.Cmp(n) >= 0 || s.Cmp(n) >= 0 {
		return nil, ErrEncoding.With("%s, %d", encoding, len(signature))
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1BigInt(r)
		b.AddASN1BigInt(s)
	})
	return b.Bytes()
}

func split(signature []byte, encoding string, curve elliptic.Curve) (r, s *big.Int) {
	size := (curve.Params().BitSize + 7) / 8
	if encoding == encodingRaw {
		if len(signature) != 2*size {
			return nil, nil
		}
		return new(big.Int).SetBytes(signature[:size]), new(big.Int).SetBytes(signature[size:])
	}
	in := cryptobyte.String(signature)
	var inner cryptobyte.String
	r, s = new(big.Int), new(big.Int)
	if !in.ReadASN1(&inner, cbasn1.SEQUENCE) || !in.Empty() || !inner.ReadASN1Integer(r) || !inner.ReadASN1Integer(s) || !inner.Empty() {
		return nil, nil
	}
	return r, s
}

// selfTest signs a value that nobody else chose and verifies it in software. Of an encoding that the profile leaves open, it
// finds out which one it is.
func (k *Key) selfTest(ctx context.Context) error {
	message := make([]byte, 0, 64)
	message = append(message, "yinxin self-test of a token key "...)
	message = append(message, make([]byte, 16)...)
	if _, err := io.ReadFull(rand.Reader, message[len(message)-16:]); err != nil {
		return err
	}
	if k.info.Algorithm != SM2 {
		return k.selfTestStandard(ctx, message)
	}
	if !k.token.config.Profile.signs {
		return ErrAlgorithm.With("%s: SM2", k.token.config.Profile.Name)
	}
	encodings := []string{k.encoding}
	if k.encoding == either {
		encodings = []string{encodingDER, encodingRaw}
	}
	var err error
	for _, k.encoding = range encodings {
		var signature []byte
		signature, err = k.SignMessage(ctx, message)
		if fault.Has(err, ErrEncoding) {
			err = ErrSelfTest.Because(err)
			continue
		}
		if err != nil {
			return err
		}
		if sm2.VerifyASN1WithSM2(k.info.Public.(*ecdsa.PublicKey), []byte(oid.SM2UserID), message, signature) {
			return nil
		}
		err = ErrSelfTest.With("%s", idText(k.info.ID))
	}
	return err
}

func (k *Key) selfTestStandard(ctx context.Context, message []byte) error {
	digest := sha256.Sum256(message)
	signature, err := signer{ctx, k}.Sign(nil, digest[:], crypto.SHA256)
	if fault.Has(err, ErrEncoding) {
		return ErrSelfTest.Because(err)
	}
	if err != nil {
		return err
	}
	good := false
	switch public := k.info.Public.(type) {
	case *ecdsa.PublicKey:
		good = ecdsa.VerifyASN1(public, digest[:], signature)
	case *rsa.PublicKey:
		good = rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], signature) == nil
	}
	if !good {
		return ErrSelfTest.With("%s", idText(k.info.ID))
	}
	return nil
}

// Signer makes the key a crypto.Signer for libraries: with SM2 it takes the raw message and *sm2.SM2SignerOption, as gmsm
// hands them over, and no digest; with ECDSA and RSA a digest and its hash, or *rsa.PSSOptions. The context is that of all its
// signatures.
func (k *Key) Signer(ctx context.Context) crypto.Signer { return signer{ctx, k} }

type signer struct {
	ctx context.Context
	key *Key
}

func (s signer) Public() crypto.PublicKey { return s.key.info.Public }

func (s signer) Sign(_ io.Reader, input []byte, options crypto.SignerOpts) ([]byte, error) {
	if s.key.info.Algorithm == SM2 {
		if _, ok := options.(*sm2.SM2SignerOption); !ok {
			return nil, ErrAlgorithm.Saying("SM2 签名的输入是原文，不是摘要", "SM2: message, not digest")
		}
		return s.key.SignMessage(s.ctx, input)
	}
	if options == nil || options.HashFunc().Size() != len(input) {
		return nil, ErrAlgorithm.Sayingf("摘要长度为 %d", "digest of %d", len(input))
	}
	if rsaBits[s.key.info.Algorithm] == 0 {
		return s.key.SignDigest(s.ctx, input)
	}
	how, padded, err := rsaInput(input, options)
	if err != nil {
		return nil, err
	}
	signature, err := s.key.sign(s.ctx, how, padded)
	if err == nil && len(signature) != s.key.info.Public.(*rsa.PublicKey).Size() {
		return nil, ErrEncoding.With("RSA, %d", len(signature))
	}
	return signature, err
}

// hashes have the DER before a digest in a PKCS#1 v1.5 signature (RFC 8017, 9.2) and the numbers of the hash and its mask
// function in PKCS#11.
var hashes = map[crypto.Hash]struct {
	prefix []byte
	hash   uint64
	mask   uint64
}{
	crypto.SHA256: {[]byte{0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20}, 0x250, 2},
	crypto.SHA384: {[]byte{0x30, 0x41, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02, 0x05, 0x00, 0x04, 0x30}, 0x260, 3},
	crypto.SHA512: {[]byte{0x30, 0x51, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03, 0x05, 0x00, 0x04, 0x40}, 0x270, 4},
}

func rsaInput(digest []byte, options crypto.SignerOpts) (mechanism, []byte, error) {
	h, ok := hashes[options.HashFunc()]
	if !ok {
		return mechanism{}, nil, ErrAlgorithm.With("RSA, %v", options.HashFunc())
	}
	pss, ok := options.(*rsa.PSSOptions)
	if !ok {
		return mechanism{number: mechanismRSA}, append(h.prefix[:len(h.prefix):len(h.prefix)], digest...), nil
	}
	salt := pss.SaltLength
	if salt == rsa.PSSSaltLengthEqualsHash || salt == rsa.PSSSaltLengthAuto {
		salt = len(digest)
	}
	if salt < 0 || salt > 64 {
		return mechanism{}, nil, ErrAlgorithm.With("PSS, %d", salt)
	}
	return mechanism{number: mechanismRSAPSS, parameter: numbers(h.hash, h.mask, uint64(salt))}, digest, nil
}

// numbers lays out CK_ULONGs as a C structure of them.
func numbers(list ...uint64) []byte {
	var out []byte
	for _, n := range list {
		if ulongSize == 4 {
			out = binary.LittleEndian.AppendUint32(out, uint32(n))
		} else {
			out = binary.LittleEndian.AppendUint64(out, n)
		}
	}
	return out
}
