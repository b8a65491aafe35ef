package cms_test

import (
	"testing"

	"yinxin/ca/cms"
	"yinxin/internal/oid"
)

// FuzzParse feeds the reader and everything that looks at what it read.
func FuzzParse(f *testing.F) {
	s := newScene(f)
	for _, p := range profiles {
		f.Add(s.sign(f, p))
	}
	d := newDraft(f, s)
	d.embedded = indefinite(0x24, tlv(4, content))
	d.crls = [][]byte{s.ca.CRL(f, 1, at, at.Add(1)), tlv(0xa1, id(oid.RevocationOCSP), tlv(0x30))}
	d.attributes = append(d.attributes, essV1(cms.SHA1.Sum(s.signer.Certificate.Raw)), attr(oid.SigningTimeAttr, tlv(0x17, []byte("260101000000Z"))),
		attr(oid.AlgorithmProtection, tlv(0x30, algorithm(oid.SM3), tlv(0xa1, id(oid.SM2WithSM3)))))
	d.unsigned = [][]byte{attr(oid.SignatureTimeStamp, tlv(0x30))}
	f.Add(d.bytes())
	bare := newDraft(f, s)
	bare.attributes, bare.sid = nil, tlv(0x80, []byte{1})
	f.Add(bare.bytes())
	f.Add([]byte{0x30, 0x80, 0, 0})
	f.Fuzz(func(t *testing.T, raw []byte) {
		element, rest, err := cms.Element(raw)
		if err == nil && len(element)+len(rest) != len(raw) {
			t.Fatal("octets were lost")
		}
		d, err := cms.Parse(raw)
		if err != nil {
			return
		}
		if err := d.Verify(nil, nil).Err(); err == nil {
			t.Fatal("good without a certificate")
		}
		for _, signer := range d.Signers {
			_, _ = signer.Seal()
			_, _ = signer.SigningTime()
			_ = signer.TimeStamps()
		}
		c, err := d.SignerCertificate(s.signer.Certificate)
		if err != nil {
			return
		}
		how, err := d.ContentDigest(c)
		if err != nil {
			return
		}
		if d.Verify(c, how.Sum([]byte("never signed"))).Err() == nil {
			t.Fatal("content that nobody signed is accepted")
		}
		_ = d.Verify(c, nil).Err()
	})
}
