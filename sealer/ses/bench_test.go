package ses_test

import (
	"bytes"
	"testing"

	"yinxin/sealer/ses"
)

// realistic is a seal with a picture of 16 kB, as real ones have, and its form.
func realistic(b *testing.B) *ses.Form {
	i := info(4)
	i.Picture.Data = bytes.Repeat([]byte{0x5a}, 16<<10)
	written := must[[]byte](b)(i.Marshal())
	return must[*ses.Form](b)(ses.NewForm(must[[]byte](b)(ses.AssembleSeal(written, makerCertificate, longValue)), len(property)))
}

// BenchmarkSign is what sealing spends here. Its floor is copying the result once: BenchmarkCopy.
func BenchmarkSign(b *testing.B) {
	f := realistic(b)
	b.ReportAllocs()
	for b.Loop() {
		suffix, err := f.Suffix(signedAt, dataHash, property)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := f.Assemble(suffix, signerCertificate, longValue, nil); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCopy is the floor of BenchmarkSign.
func BenchmarkCopy(b *testing.B) {
	f := realistic(b)
	suffix := must[[]byte](b)(f.Suffix(signedAt, dataHash, property))
	der := must[[]byte](b)(f.Assemble(suffix, signerCertificate, longValue, nil))
	b.ReportAllocs()
	for b.Loop() {
		_ = append(make([]byte, 0, len(der)), der...)
	}
}

func BenchmarkParseSignature(b *testing.B) {
	f := realistic(b)
	suffix := must[[]byte](b)(f.Suffix(signedAt, dataHash, property))
	der := must[[]byte](b)(f.Assemble(suffix, signerCertificate, longValue, nil))
	b.SetBytes(int64(len(der)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ses.ParseSignature(der); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseSeal(b *testing.B) {
	der := realistic(b).Seal().Raw
	b.SetBytes(int64(len(der)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ses.ParseSeal(der); err != nil {
			b.Fatal(err)
		}
	}
}
