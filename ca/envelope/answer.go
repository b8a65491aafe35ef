package envelope

import (
	"crypto/ecdsa"

	"github.com/emmansun/gmsm/sm2"
	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"

	"yinxin/ca/chain"
	"yinxin/internal/fault"
)

const (
	// MaxAnswer is the largest answer read, in octets.
	MaxAnswer = 128 << 10
	// maxCertificates is how many each set of an answer may have: the holder's and a chain.
	maxCertificates = 8
)

var (
	explicit0 = der.Tag(0).ContextSpecific().Constructed()
	implicit1 = der.Tag(1).ContextSpecific().Constructed()
)

// Answer is what the holder of a signing key gets for a certificate request (GM/T 0092 clause 8):
//
//	CSRResponse ::= SEQUENCE {
//	  signCertificate     SET OF Certificate,
//	  encryptedPrivateKey [0] EXPLICIT SM2EnvelopedKey OPTIONAL,
//	  encryptCertificate  [1] IMPLICIT SET OF Certificate OPTIONAL }
//
// The standard leaves the tagging open; this is how emmansun/gmsm reads and writes it. The other ways are read, too.
type Answer struct {
	// Signing and Encryption are the holder's certificate and any that came with it, as they stood. Without a pair
	// Encryption is empty and Key nil.
	Signing, Encryption []*chain.Certificate
	Key                 *Key
	// Notes names leniencies, in English, those of the key included.
	Notes []string
}

// Marshal writes an answer in DER with one certificate of each kind: a set has no order, so that a reader who takes the
// first of several would find another one than the holder's. Errors: envelope.answer, envelope.key.
func Marshal(signing, encryption *chain.Certificate, envelope []byte) ([]byte, error) {
	if signing == nil || encryption == nil {
		return nil, ErrAnswer.New()
	}
	key, err := Parse(envelope)
	if err != nil {
		return nil, err
	}
	if !isKeyOf(key.Public, encryption) {
		return nil, ErrKey.At(fault.Field("encryptCertificate"))
	}
	if public, ok := signing.PublicKey.(*ecdsa.PublicKey); !ok || !sm2.IsSM2PublicKey(public) {
		return nil, ErrKey.At(fault.Field("signCertificate"))
	}
	var b cryptobyte.Builder
	b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(der.SET, func(b *cryptobyte.Builder) { b.AddBytes(signing.Raw) })
		b.AddASN1(explicit0, func(b *cryptobyte.Builder) { b.AddBytes(envelope) })
		b.AddASN1(implicit1, func(b *cryptobyte.Builder) { b.AddBytes(encryption.Raw) })
	})
	return b.Bytes()
}

// ParseAnswer reads an answer and nothing after it. Certificate and key are not yet compared: Open does. Errors:
// envelope.answer with the field, envelope.too-large, those of Parse and chain.ParseCertificate.
func ParseAnswer(data []byte) (*Answer, error) {
	if len(data) > MaxAnswer {
		return nil, ErrTooLarge.With("%d bytes", len(data))
	}
	bad := func(field string) error { return ErrAnswer.At(fault.Field(field)) }
	a := &Answer{}
	var outer, set, wrapped cryptobyte.String
	var hasKey, hasCertificate bool
	input := cryptobyte.String(data)
	if !input.ReadASN1(&outer, der.SEQUENCE) || !input.Empty() {
		return nil, bad("CSRResponse")
	}
	kind := der.SET
	if outer.PeekASN1Tag(der.SEQUENCE) {
		kind = der.SEQUENCE
		a.Notes = append(a.Notes, "signCertificate is a sequence")
	}
	if !outer.ReadASN1(&set, kind) {
		return nil, bad("signCertificate")
	}
	if !outer.ReadOptionalASN1(&wrapped, &hasKey, explicit0) {
		return nil, bad("encryptedPrivateKey")
	}
	var err error
	if a.Signing, err = readCertificates(set); err != nil {
		return nil, fieldOf(err, "signCertificate")
	}
	if hasKey {
		if a.Key, err = a.readKey(wrapped); err != nil {
			return nil, fieldOf(err, "encryptedPrivateKey")
		}
		a.Notes = append(a.Notes, a.Key.Notes...)
	}
	if !outer.ReadOptionalASN1(&set, &hasCertificate, implicit1) || !outer.Empty() || hasKey != hasCertificate {
		return nil, bad("encryptCertificate")
	}
	if !hasCertificate {
		return a, nil
	}
	if set.PeekASN1Tag(der.SET) {
		var inner cryptobyte.String
		if !set.ReadASN1(&inner, der.SET) || !set.Empty() {
			return nil, bad("encryptCertificate")
		}
		set = inner
		a.Notes = append(a.Notes, "encryptCertificate is tagged explicitly")
	}
	if a.Encryption, err = readCertificates(set); err != nil {
		return nil, fieldOf(err, "encryptCertificate")
	}
	return a, nil
}

// fieldOf places an error that has no place yet.
func fieldOf(err error, field string) error {
	if f, ok := fault.Of(err); ok && f.Place == (fault.Place{}) {
		return f.At(fault.Field(field))
	}
	return err
}

// readKey reads the envelope under an explicit tag, or the members of the envelope where the tag replaced its own.
func (a *Answer) readKey(wrapped cryptobyte.String) (*Key, error) {
	key, err := Parse(wrapped)
	if err == nil {
		return key, nil
	}
	var b cryptobyte.Builder
	b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) { b.AddBytes(wrapped) })
	replaced, otherwise := b.Bytes()
	if otherwise != nil {
		return nil, err
	}
	if key, otherwise = Parse(replaced); otherwise != nil {
		return nil, err
	}
	a.Notes = append(a.Notes, "encryptedPrivateKey is tagged implicitly")
	return key, nil
}

func readCertificates(set cryptobyte.String) ([]*chain.Certificate, error) {
	var list []*chain.Certificate
	for !set.Empty() {
		var one cryptobyte.String
		if !set.ReadASN1Element(&one, der.SEQUENCE) {
			return nil, ErrAnswer.New()
		}
		if len(list) == maxCertificates {
			return nil, ErrTooLarge.With("%d", maxCertificates)
		}
		c, err := chain.ParseCertificate(one)
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	if len(list) == 0 {
		return nil, ErrAnswer.New()
	}
	return list, nil
}

// Open gives the encryption key of the answer and the two certificates of the holder, whose places in the sets do not
// matter: the one of the signing key that opens, and the one of the key inside. Errors: envelope.key, envelope.open.
func (a *Answer) Open(signing *sm2.PrivateKey) (key *sm2.PrivateKey, own, encryption *chain.Certificate, err error) {
	if a.Key == nil {
		return nil, nil, nil, ErrAnswer.At(fault.Field("encryptedPrivateKey"))
	}
	if own = certificateOf(a.Signing, &signing.PublicKey); own == nil {
		return nil, nil, nil, ErrKey.At(fault.Field("signCertificate"))
	}
	if encryption = certificateOf(a.Encryption, a.Key.Public); encryption == nil {
		return nil, nil, nil, ErrKey.At(fault.Field("encryptCertificate"))
	}
	if key, err = a.Key.Open(signing); err != nil {
		return nil, nil, nil, err
	}
	return key, own, encryption, nil
}

func certificateOf(list []*chain.Certificate, key *ecdsa.PublicKey) *chain.Certificate {
	for _, c := range list {
		if isKeyOf(key, c) {
			return c
		}
	}
	return nil
}

func isKeyOf(key *ecdsa.PublicKey, c *chain.Certificate) bool {
	public, ok := c.PublicKey.(*ecdsa.PublicKey)
	return ok && key.Equal(public)
}
