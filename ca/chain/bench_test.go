package chain_test

import (
	"context"
	"math/big"
	"testing"

	"github.com/emmansun/gmsm/smx509"

	"yinxin/ca/chain"
	"yinxin/ca/chain/chaintest"
	"yinxin/internal/oid"
)

func BenchmarkVerify(b *testing.B) {
	h := newHierarchy(b)
	at := chaintest.Start.Add(day)
	b.Run("first time", func(b *testing.B) {
		for b.Loop() {
			v := &chain.Verifier{Anchors: chain.NewAnchors(h.root.Certificate),
				Intermediates: []*chain.Certificate{h.issuing.Certificate}}
			v.Verify(context.Background(), h.leaf.Certificate, at, chain.UsageSign)
		}
	})
	b.Run("seen before, with revocation", func(b *testing.B) {
		v := h.verifier(b)
		for b.Loop() {
			v.Verify(context.Background(), h.leaf.Certificate, at, chain.UsageSign)
		}
	})
	b.Run("floor: one SM2 verification", func(b *testing.B) {
		c, issuer := h.leaf.Certificate, h.issuing.Certificate
		for b.Loop() {
			if _, err := chain.CheckSignature(issuer.PublicKey, oid.SM2WithSM3, c.RawTBS, c.Signature); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkParseCertificate(b *testing.B) {
	raw := newHierarchy(b).leaf.Certificate.Raw
	for b.Loop() {
		if _, err := chain.ParseCertificate(raw); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCRL10000(b *testing.B) {
	root := chaintest.Root(b, "Root")
	var entries []smx509.RevocationListEntry
	for i := range 10_000 {
		entries = append(entries, entry(new(big.Int).Lsh(big.NewInt(int64(i)*7919%10_007+1), 90), chaintest.Start, 1))
	}
	raw := root.CRL(b, 1, chaintest.Start, chaintest.Start.Add(day), entries...)
	b.Run("parse", func(b *testing.B) {
		for b.Loop() {
			if _, err := chain.ParseCRL(raw); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("parse and first lookup", func(b *testing.B) {
		for b.Loop() {
			list, err := chain.ParseCRL(raw)
			if err != nil {
				b.Fatal(err)
			}
			list.Lookup(entries[5000].SerialNumber)
		}
	})
	b.Run("lookup", func(b *testing.B) {
		list, _ := chain.ParseCRL(raw)
		for b.Loop() {
			list.Lookup(entries[5000].SerialNumber)
		}
	})
}
