package envelope

import (
	"crypto/ecdsa"
	"encoding/asn1"
	"io"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/sm4"
	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"

	"yinxin/internal/fault"
	"yinxin/internal/oid"
)

// MaxEnvelope is the largest envelope or ciphertext read, in octets: a written one has about 240.
const MaxEnvelope = 4 << 10

const (
	privateSize   = 32
	paddedSize    = privateSize + sm4.BlockSize // with the padding of PKCS #7
	tokenSize     = 64                          // ENVELOPEDKEYBLOB of GM/T 0016: zeros before the key
	symmetricSize = sm4.BlockSize
)

// Key is an enveloped private key as it was found. It is made by Parse only.
//
//	SM2EnvelopedKey ::= SEQUENCE {
//	  symAlgID               AlgorithmIdentifier,  -- SM4 in mode ECB
//	  symEncryptedKey        SM2Cipher,            -- of the key of SM4, to the holder's signing key
//	  sm2PublicKey           BIT STRING,           -- 04 ‖ X ‖ Y of the key inside
//	  sm2EncryptedPrivateKey BIT STRING }          -- 32 octets, under SM4
type Key struct {
	// Raw is the whole envelope.
	Raw []byte
	// Algorithm is oid.SM4ECB, or oid.SM4, which means the same here.
	Algorithm asn1.ObjectIdentifier
	// Symmetric is the encrypted key of SM4.
	Symmetric Cipher
	// Public belongs to the private key inside, if the envelope is sound.
	Public *ecdsa.PublicKey
	// Private is the encrypted private key.
	Private []byte
	// Notes names leniencies, in English: none is what the standard wants.
	Notes []string
}

// Seal envelopes a private key to a public key and gives SM2EnvelopedKey in DER. Errors: envelope.key.
func Seal(random io.Reader, to *ecdsa.PublicKey, key *sm2.PrivateKey) ([]byte, error) {
	if key == nil || key.D == nil || key.D.BitLen() > 8*privateSize {
		return nil, ErrKey.New()
	}
	public, err := sm2.PublicKeyToECDH(&key.PublicKey)
	if err != nil {
		return nil, ErrKey.Because(err)
	}
	symmetric, private := make([]byte, symmetricSize), key.D.FillBytes(make([]byte, privateSize))
	defer clear(symmetric)
	defer clear(private)
	if _, err := io.ReadFull(random, symmetric); err != nil {
		return nil, err
	}
	block, err := sm4.NewCipher(symmetric)
	if err != nil {
		return nil, err
	}
	for at := 0; at < len(private); at += sm4.BlockSize {
		block.Encrypt(private[at:], private[at:])
	}
	encrypted, err := Encrypt(random, to, symmetric)
	if err != nil {
		return nil, err
	}
	var b cryptobyte.Builder
	b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(oid.SM4ECB)
			b.AddASN1NULL()
		})
		b.AddBytes(encrypted)
		b.AddASN1BitString(public.Bytes())
		b.AddASN1BitString(private)
	})
	return b.Bytes()
}

// Parse reads SM2EnvelopedKey and nothing after it. Errors: envelope.format with the field, envelope.algorithm,
// envelope.too-large.
func Parse(data []byte) (*Key, error) {
	if len(data) > MaxEnvelope {
		return nil, ErrTooLarge.With("%d bytes", len(data))
	}
	k := &Key{Raw: data}
	input := cryptobyte.String(data)
	var inner cryptobyte.String
	if !input.ReadASN1(&inner, der.SEQUENCE) || !input.Empty() {
		return nil, ErrFormat.At(fault.Field("SM2EnvelopedKey"))
	}
	field := k.read(&inner)
	if field != "" {
		return nil, ErrFormat.At(fault.Field(field))
	}
	if !k.Algorithm.Equal(oid.SM4) && !k.Algorithm.Equal(oid.SM4ECB) {
		return nil, ErrAlgorithm.With("%s", k.Algorithm)
	}
	return k, nil
}

// read gives the field at which it had to stop, or nothing.
func (k *Key) read(s *cryptobyte.String) (field string) {
	var algorithm, parameters cryptobyte.String
	var tag der.Tag
	if !s.ReadASN1(&algorithm, der.SEQUENCE) || !algorithm.ReadASN1ObjectIdentifier(&k.Algorithm) {
		return "symAlgID"
	}
	if !algorithm.Empty() && (!algorithm.ReadAnyASN1(&parameters, &tag) || !algorithm.Empty()) {
		return "symAlgID"
	}
	if len(parameters) > 0 || tag != 0 && tag != der.NULL {
		k.Notes = append(k.Notes, "the algorithm has parameters, which mode ECB has not")
	}
	if k.Symmetric, field = readCipher(s); field != "" {
		return field
	}
	if len(k.Symmetric.Text) != symmetricSize {
		return "symEncryptedKey"
	}
	k.Notes = append(k.Notes, k.Symmetric.Notes...)
	var public asn1.BitString
	if !s.ReadASN1BitString(&public) || public.BitLength != 8*len(public.Bytes) {
		return "sm2PublicKey"
	}
	var err error
	if k.Public, err = sm2.NewPublicKey(public.Bytes); err != nil {
		return "sm2PublicKey"
	}
	if len(public.Bytes) != 65 {
		k.Notes = append(k.Notes, "the public key is compressed")
	}
	var private asn1.BitString
	if !s.ReadASN1BitString(&private) || private.BitLength != 8*len(private.Bytes) || !s.Empty() {
		return "sm2EncryptedPrivateKey"
	}
	switch len(private.Bytes) {
	case privateSize:
	case paddedSize, tokenSize:
		k.Notes = append(k.Notes, "the private key is padded")
	default:
		return "sm2EncryptedPrivateKey"
	}
	k.Private = private.Bytes
	return ""
}

// Open gives the private key inside, which belongs to Public: envelope.open.
func (k *Key) Open(with *sm2.PrivateKey) (*sm2.PrivateKey, error) {
	symmetric, err := k.Symmetric.Decrypt(with)
	if err != nil {
		return nil, err
	}
	defer clear(symmetric)
	block, err := sm4.NewCipher(symmetric)
	if err != nil {
		return nil, ErrOpen.Because(err)
	}
	text := make([]byte, len(k.Private))
	defer clear(text)
	for at := 0; at < len(text); at += sm4.BlockSize {
		block.Decrypt(text[at:], k.Private[at:])
	}
	secret := unpad(text)
	if secret == nil {
		return nil, ErrOpen.New()
	}
	key, err := sm2.NewPrivateKey(secret)
	if err != nil {
		return nil, ErrOpen.New()
	}
	if !key.PublicKey.Equal(k.Public) {
		Wipe(key)
		return nil, ErrOpen.New()
	}
	return key, nil
}

// unpad gives the 32 octets of the private key, or nothing.
func unpad(text []byte) []byte {
	padding, want := text[:0], byte(0)
	secret := text
	switch len(text) {
	case paddedSize:
		secret, padding, want = text[:privateSize], text[privateSize:], sm4.BlockSize
	case tokenSize:
		padding, secret = text[:tokenSize-privateSize], text[tokenSize-privateSize:]
	}
	for _, octet := range padding {
		if octet != want {
			return nil
		}
	}
	return secret
}

// Wipe overwrites the private part of a key, which is of no use afterwards. Copies that the library made for a
// computation are out of reach.
func Wipe(key *sm2.PrivateKey) {
	if key != nil && key.D != nil {
		clear(key.D.Bits())
	}
}
