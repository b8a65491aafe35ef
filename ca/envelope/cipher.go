package envelope

import (
	"crypto/ecdsa"
	"io"

	"github.com/emmansun/gmsm/sm2"
	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"

	"yinxin/internal/fault"
)

// MaxPlaintext is what Encrypt takes, in octets: the format is meant for keys.
const MaxPlaintext = 1024

// Cipher is an SM2 ciphertext (GB/T 32918.4) in the form of GM/T 0009 clause 7.2:
//
//	SM2Cipher ::= SEQUENCE { XCoordinate INTEGER, YCoordinate INTEGER, HASH OCTET STRING (SIZE (32)), CipherText OCTET STRING }
type Cipher struct {
	// X and Y are the coordinates of C1.
	X, Y [32]byte
	// Hash is C3, Text is C2.
	Hash [32]byte
	Text []byte
	// Notes names leniencies, in English.
	Notes []string
}

// Encrypt encrypts to an SM2 public key and gives SM2Cipher in DER. Errors: envelope.key, envelope.too-large.
func Encrypt(random io.Reader, to *ecdsa.PublicKey, plaintext []byte) ([]byte, error) {
	if len(plaintext) == 0 || len(plaintext) > MaxPlaintext {
		return nil, ErrTooLarge.With("1 … %d bytes", MaxPlaintext)
	}
	if to == nil || !sm2.IsSM2PublicKey(to) {
		return nil, ErrKey.New()
	}
	text, err := sm2.EncryptASN1(random, to, plaintext)
	if err != nil {
		return nil, ErrKey.Because(err)
	}
	return text, nil
}

// Decrypt opens SM2Cipher in DER: envelope.format, envelope.open.
func Decrypt(key *sm2.PrivateKey, data []byte) ([]byte, error) {
	c, err := ParseCipher(data)
	if err != nil {
		return nil, err
	}
	return c.Decrypt(key)
}

// Decrypt opens the ciphertext: envelope.open.
func (c Cipher) Decrypt(key *sm2.PrivateKey) ([]byte, error) {
	// gmsm takes SM2Cipher in the strict form only.
	text, err := sm2.Decrypt(key, c.Marshal())
	if err != nil {
		return nil, ErrOpen.Because(err)
	}
	return text, nil
}

// ParseCipher reads SM2Cipher and nothing after it. Errors: envelope.format with the field, envelope.too-large.
func ParseCipher(data []byte) (Cipher, error) {
	if len(data) > MaxEnvelope {
		return Cipher{}, ErrTooLarge.With("%d bytes", len(data))
	}
	input := cryptobyte.String(data)
	c, field := readCipher(&input)
	if field == "" && !input.Empty() {
		field = "trailing data"
	}
	if field != "" {
		return Cipher{}, ErrFormat.At(fault.Field(field))
	}
	return c, nil
}

// readCipher gives the field at which it had to stop, or nothing.
func readCipher(s *cryptobyte.String) (c Cipher, field string) {
	var inner, x, y, hash, text cryptobyte.String
	if !s.ReadASN1(&inner, der.SEQUENCE) {
		return c, "SM2Cipher"
	}
	if !inner.ReadASN1(&x, der.INTEGER) || !c.coordinate(&c.X, x) {
		return c, "XCoordinate"
	}
	if !inner.ReadASN1(&y, der.INTEGER) || !c.coordinate(&c.Y, y) {
		return c, "YCoordinate"
	}
	if !inner.ReadASN1(&hash, der.OCTET_STRING) || !inner.ReadASN1(&text, der.OCTET_STRING) || !inner.Empty() {
		return c, "CipherText"
	}
	if len(hash) != len(c.Hash) && len(text) == len(c.Hash) {
		hash, text = text, hash
		c.Notes = append(c.Notes, "hash and ciphertext stand in the order C1C2C3")
	}
	if len(hash) != len(c.Hash) {
		return c, "HASH"
	}
	if len(text) == 0 || len(text) > MaxPlaintext {
		return c, "CipherText"
	}
	copy(c.Hash[:], hash)
	c.Text = text
	return c, ""
}

// coordinate reads the octets of an INTEGER that is never negative. Some software leaves the leading zero octet out,
// or puts some too many.
func (c *Cipher) coordinate(to *[32]byte, octets []byte) bool {
	if len(octets) == 0 {
		return false
	}
	lenient := octets[0]&0x80 != 0 || len(octets) > 1 && octets[0] == 0 && octets[1]&0x80 == 0
	for len(octets) > 0 && octets[0] == 0 {
		octets = octets[1:]
	}
	if len(octets) > len(to) {
		return false
	}
	if lenient {
		c.Notes = append(c.Notes, "a coordinate is not an INTEGER in DER")
	}
	copy(to[len(to)-len(octets):], octets)
	return true
}

// Marshal gives SM2Cipher in DER.
func (c Cipher) Marshal() []byte {
	var b cryptobyte.Builder
	b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
		addInteger(b, c.X)
		addInteger(b, c.Y)
		b.AddASN1OctetString(c.Hash[:])
		b.AddASN1OctetString(c.Text)
	})
	return b.BytesOrPanic()
}

func addInteger(b *cryptobyte.Builder, octets [32]byte) {
	short := octets[:]
	for len(short) > 1 && short[0] == 0 {
		short = short[1:]
	}
	b.AddASN1(der.INTEGER, func(b *cryptobyte.Builder) {
		if short[0]&0x80 != 0 {
			b.AddUint8(0)
		}
		b.AddBytes(short)
	})
}
