package tsa_test

import (
	"testing"

	"yinxin/ca/cms"
	"yinxin/ca/tsa"
)

func BenchmarkStamp(b *testing.B) {
	s := newScene(b)
	digest := cms.SM3.Sum(stamped)
	for b.Loop() {
		if _, err := s.authority.Stamp(b.Context(), cms.SM3, digest); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	s := newScene(b)
	raw, digest, v := s.stamp(b, cms.SM3), cms.SM3.Sum(stamped), s.verifier(b)
	for b.Loop() {
		token, err := tsa.Parse(raw)
		if err != nil {
			b.Fatal(err)
		}
		if !token.Verify(b.Context(), digest, v).Good() {
			b.Fatal("not good")
		}
	}
}
