package cms_test

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/emmansun/gmsm/sm3"

	"yinxin/ca/cms"
	"yinxin/internal/oid"
)

// Whatever is inside, reading and checking the largest signed data takes a few seconds at most: the limits on elements,
// certificates and lists hold the rest.
func TestTheLargestInputTakesBoundedTime(t *testing.T) {
	s := newScene(t)
	many := func(one []byte, size int) []byte { return bytes.Repeat(one, size/len(one)) }
	const size = cms.MaxSize - 10_000
	crl := s.ca.CRL(t, 1, at, at.Add(time.Hour))
	for name, change := range map[string]func(d *draft){
		"empty values":              func(d *draft) { d.attributes = append(d.attributes, attr(oid.SM4, many([]byte{5, 0}, size))) },
		"empty attributes":          func(d *draft) { d.attributes = append(d.attributes, many(attr(oid.SM4), size)) },
		"certificates":              func(d *draft) { d.certificates = append(d.certificates, many(d.ca.Certificate.Raw, size)) },
		"elements as certificates":  func(d *draft) { d.certificates = append(d.certificates, many([]byte{0xa2, 0}, size)) },
		"lists":                     func(d *draft) { d.crls = [][]byte{many(crl, size)} },
		"broken lists":              func(d *draft) { d.crls = [][]byte{many([]byte{0x30, 0}, size)} },
		"content in many parts":     func(d *draft) { d.embedded = indefinite(0x24, many([]byte{4, 1, 'x'}, size)) },
		"content in parts in parts": func(d *draft) { d.embedded = indefinite(0x24, many(tlv(0x24, tlv(0x24, tlv(4, []byte("x")))), size)) },
		"much content":              func(d *draft) { d.embedded = tlv(4, many([]byte("x"), size)) },
		"indefinite in indefinite": func(d *draft) {
			inner := many([]byte{4, 0}, 1<<20)
			for range 20 {
				inner = indefinite(0x24, inner)
			}
			d.embedded = inner
		},
	} {
		d := newDraft(t, s)
		d.value = []byte{1}
		change(d)
		raw := d.bytes()
		start := time.Now()
		if r, err := verify(raw, nil); err == nil && r.Err() == nil {
			t.Errorf("%s: good", name)
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%s: %v for %d octets", name, took, len(raw))
		} else {
			t.Logf("%s: %v for %d octets", name, took.Round(time.Millisecond), len(raw))
		}
	}
}

func BenchmarkParseAndVerify(b *testing.B) {
	s := newScene(b)
	template := s.template(cms.ProfileCMS)
	template.Seal = slices.Concat([]byte{0x30, 0x82, 17000 >> 8, 17000 & 0xff}, make([]byte, 17000))
	pending := newWriter(b, template).Prepare(sm3.Sum(content), at)
	raw := assemble(b, pending, value(b, pending, s.signer), nil)
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		if _, err := verify(raw, content); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkWrite(b *testing.B) {
	s := newScene(b)
	w := newWriter(b, s.template(cms.ProfileCMS))
	v := value(b, w.Prepare(sm3.Sum(content), at), s.signer)
	for b.Loop() {
		if _, err := w.Prepare(sm3.Sum(content), at).Assemble(v, nil); err != nil {
			b.Fatal(err)
		}
	}
}
