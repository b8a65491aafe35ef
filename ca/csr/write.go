package csr

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"encoding/asn1"
	"encoding/pem"
	"slices"

	"github.com/emmansun/gmsm/sm3"
	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"

	"yinxin/internal/oid"
)

// Signer is the key that asks for a certificate; keystore.Key is one. SignDigest signs e = SM3(Z‖message) and gives DER
// SEQUENCE { r, s }.
type Signer interface {
	Public() *ecdsa.PublicKey
	SignDigest(ctx context.Context, e [32]byte) ([]byte, error)
}

// Template is what a request shall say.
type Template struct {
	// Subject is a Name in DER with tag and length; nil asks for no name.
	Subject []byte
	// Attributes are written in the order that DER asks for.
	Attributes []Attribute
	// Extensions are asked for in an extensionRequest attribute.
	Extensions []Extension
}

// Create writes a request in DER and signs it: SM2 with SM3 (1.2.156.10197.1.501, no parameters) and the default ID. It
// reads it back before it gives it away. Errors: ErrSign with the cause, and those of Parse.
func Create(ctx context.Context, key Signer, t Template) ([]byte, error) {
	info, err := t.info(key.Public())
	if err != nil {
		return nil, ErrSign.Because(err)
	}
	z, ok := identity(key.Public(), oid.SM2UserID)
	if !ok {
		return nil, ErrPoint.New()
	}
	h := sm3.New()
	h.Write(z[:])
	h.Write(info)
	signature, err := key.SignDigest(ctx, [32]byte(h.Sum(nil)))
	if err != nil {
		return nil, ErrSign.Because(err)
	}
	var b cryptobyte.Builder
	b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(info)
		b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(oid.SM2WithSM3) })
		b.AddASN1BitString(signature)
	})
	request, err := b.Bytes()
	if err != nil {
		return nil, ErrSign.Because(err)
	}
	if _, err := Parse(request, Options{}); err != nil {
		return nil, err
	}
	return request, nil
}

// PEM is a request in the frame of RFC 7468.
func PEM(request []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: request})
}

func (t Template) info(public *ecdsa.PublicKey) ([]byte, error) {
	attributes, err := t.attributes()
	if err != nil {
		return nil, err
	}
	var b cryptobyte.Builder
	b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(0)
		if t.Subject == nil {
			b.AddASN1(der.SEQUENCE, func(*cryptobyte.Builder) {})
		} else {
			b.AddBytes(t.Subject)
		}
		b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(oid.PublicKeyEC)
				b.AddASN1ObjectIdentifier(oid.CurveSM2)
			})
			b.AddASN1BitString(encodePoint(public))
		})
		b.AddASN1(der.Tag(0).Constructed().ContextSpecific(), func(b *cryptobyte.Builder) {
			for _, a := range attributes {
				b.AddBytes(a)
			}
		})
	})
	return b.Bytes()
}

func encodePoint(public *ecdsa.PublicKey) []byte {
	p := make([]byte, pointSize)
	//lint:ignore SA1019 crypto/ecdsa encodes its own curves only, and SM2 is none of them
	x, y := public.X, public.Y
	if x == nil || y == nil || x.Sign() < 0 || y.Sign() < 0 || x.BitLen() > 256 || y.BitLen() > 256 {
		return nil
	}
	p[0] = 4
	x.FillBytes(p[1:33])
	y.FillBytes(p[33:])
	return p
}

// attributes gives the members of the SET OF in the order of their octets (X.690 11.6).
func (t Template) attributes() ([][]byte, error) {
	list := slices.Clone(t.Attributes)
	if len(t.Extensions) > 0 {
		var b cryptobyte.Builder
		b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
			for _, e := range t.Extensions {
				b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1ObjectIdentifier(e.ID)
					if e.Critical {
						b.AddASN1Boolean(true)
					}
					b.AddASN1OctetString(e.Value)
				})
			}
		})
		value, err := b.Bytes()
		if err != nil {
			return nil, err
		}
		list = append(list, Attribute{ID: oid.ExtensionRequest, Values: [][]byte{value}})
	}
	var encoded [][]byte
	for _, a := range list {
		one, err := encodeAttribute(a.ID, a.Values)
		if err != nil {
			return nil, err
		}
		encoded = append(encoded, one)
	}
	slices.SortFunc(encoded, bytes.Compare)
	return encoded, nil
}

func encodeAttribute(id asn1.ObjectIdentifier, values [][]byte) ([]byte, error) {
	values = slices.Clone(values)
	slices.SortFunc(values, bytes.Compare)
	var b cryptobyte.Builder
	b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(id)
		b.AddASN1(der.SET, func(b *cryptobyte.Builder) {
			for _, v := range values {
				b.AddBytes(v)
			}
		})
	})
	return b.Bytes()
}
