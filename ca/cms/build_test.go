package cms_test

import (
	"bytes"
	"crypto/rand"
	"encoding/asn1"
	"math/big"
	"slices"
	"testing"

	"github.com/emmansun/gmsm/sm2"

	"yinxin/ca/cms"
	"yinxin/internal/oid"
)

// tlv encodes one element in DER; the tests build what the writer would never write.
func tlv(tag byte, parts ...[]byte) []byte {
	content := slices.Concat(parts...)
	head := []byte{tag, byte(len(content))}
	switch n := len(content); {
	case n >= 1<<24:
		head = []byte{tag, 0x84, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}
	case n >= 1<<16:
		head = []byte{tag, 0x83, byte(n >> 16), byte(n >> 8), byte(n)}
	case n >= 1<<8:
		head = []byte{tag, 0x82, byte(n >> 8), byte(n)}
	case n >= 0x80:
		head = []byte{tag, 0x81, byte(n)}
	}
	return append(head, content...)
}

// indefinite encodes one element with an indefinite length.
func indefinite(tag byte, parts ...[]byte) []byte {
	return slices.Concat([]byte{tag, 0x80}, slices.Concat(parts...), []byte{0, 0})
}

func id(o asn1.ObjectIdentifier) []byte { return tlv(6, []byte(cms.IDOf(o))) }

func algorithm(o asn1.ObjectIdentifier, parameters ...[]byte) []byte {
	return tlv(0x30, append([][]byte{id(o)}, parameters...)...)
}

func attr(o asn1.ObjectIdentifier, values ...[]byte) []byte {
	return tlv(0x30, id(o), tlv(0x31, values...))
}

func number(n *big.Int) []byte {
	encoded, err := asn1.Marshal(n)
	if err != nil {
		panic(err)
	}
	return encoded
}

// draft is signed data that a test changes before or after it is signed. It begins as a sound one of profile cms.
type draft struct {
	t testing.TB
	scene
	outer, inner asn1.ObjectIdentifier // content types
	embedded     []byte                // eContent element under [0], nil for none
	digest       asn1.ObjectIdentifier
	algorithm    []byte
	attributes   [][]byte // nil for none
	certificates [][]byte
	crls         [][]byte
	sid          []byte
	signers      int // how often the signer is there
	unsigned     [][]byte
	// sign gives the value over the octets; nil is the scene's SM2 key with the default ID.
	sign  func(octets []byte) []byte
	value []byte // made by sign when nil
	// endless: the signed attributes have an indefinite length.
	endless bool
}

func newDraft(t testing.TB, s scene) *draft {
	d := &draft{t: t, scene: s, outer: oid.SignedData, inner: oid.Data, digest: oid.SM3, algorithm: algorithm(oid.SM2WithSM3), signers: 1}
	d.attributes = [][]byte{attr(oid.ContentTypeAttr, id(oid.Data)), attr(oid.MessageDigestAttr, tlv(4, cms.SM3.Sum(content))), essV2(oid.SM3, cms.SM3.Sum(s.signer.Certificate.Raw))}
	d.certificates = [][]byte{s.signer.Certificate.Raw, s.ca.Certificate.Raw}
	d.sid = tlv(0x30, s.signer.Certificate.RawIssuer, number(s.signer.Certificate.Serial))
	return d
}

func essV2(hash asn1.ObjectIdentifier, digest []byte, more ...[]byte) []byte {
	return attr(oid.SigningCertificateV2, tlv(0x30, tlv(0x30, tlv(0x30, algorithm(hash), tlv(4, digest), slices.Concat(more...)))))
}

func essV1(digest []byte) []byte {
	return attr(oid.SigningCertificate, tlv(0x30, tlv(0x30, tlv(0x30, tlv(4, digest)))))
}

// signSM2 signs octets with an ID.
func (d *draft) signSM2(identifier string, key *sm2.PrivateKey) func([]byte) []byte {
	return func(octets []byte) []byte {
		made, err := key.SignWithSM2(rand.Reader, []byte(identifier), octets)
		if err != nil {
			d.t.Fatal(err)
		}
		return made
	}
}

func (d *draft) bytes() []byte {
	if d.value == nil {
		if d.sign == nil {
			d.sign = d.signSM2("1234567812345678", d.signer.Key)
		}
		octets := content
		if d.attributes != nil {
			octets = tlv(0x31, d.attributes...)
		}
		d.value = d.sign(octets)
	}
	signer := [][]byte{number(big.NewInt(1)), d.sid, algorithm(d.digest)}
	if d.attributes != nil {
		if d.endless {
			signer = append(signer, indefinite(0xa0, d.attributes...))
		} else {
			signer = append(signer, tlv(0xa0, d.attributes...))
		}
	}
	signer = append(signer, d.algorithm, tlv(4, d.value))
	if d.unsigned != nil {
		signer = append(signer, tlv(0xa1, d.unsigned...))
	}
	encapsulated := id(d.inner)
	if d.embedded != nil {
		encapsulated = append(encapsulated, tlv(0xa0, d.embedded)...)
	}
	body := [][]byte{number(big.NewInt(1)), tlv(0x31, algorithm(d.digest)), tlv(0x30, encapsulated)}
	if d.certificates != nil {
		body = append(body, tlv(0xa0, d.certificates...))
	}
	if d.crls != nil {
		body = append(body, tlv(0xa1, d.crls...))
	}
	body = append(body, tlv(0x31, bytes.Repeat(tlv(0x30, signer...), d.signers)))
	return tlv(0x30, id(d.outer), tlv(0xa0, tlv(0x30, body...)))
}
