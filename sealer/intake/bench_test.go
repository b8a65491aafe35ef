package intake

import (
	"bytes"
	"context"
	"testing"

	"github.com/emmansun/gmsm/sm3"

	"yinxin/fixtures"
	"yinxin/sealer/pdf"
)

// BenchmarkScan scans what is on the sealing path, beside floors in the same run: opening the file and decoding the
// content of its pages, and hashing it. A scan of a copy of three pages takes less than a millisecond.
func BenchmarkScan(b *testing.B) {
	archival, err := fixtures.ArchivalCopy(1, 3)
	if err != nil {
		b.Skip(err)
	}
	shape := func(s fixtures.Shape, pages int) []byte {
		data, err := fixtures.PDF(s, fixtures.PDFOptions{Pages: pages})
		if err != nil {
			b.Fatal(err)
		}
		return data
	}
	for _, c := range []struct {
		name string
		data []byte
	}{
		{"archival-3-pages", archival},
		{"rich-3-pages", shape(fixtures.ShapeRich, 3)},
		{"object-streams-3-pages", shape(fixtures.ShapeObjectStreams, 3)},
		{"tree-3000-pages", shape(fixtures.ShapeHugeTree, 3000)},
	} {
		b.Run(c.name+"/scan", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Scan(context.Background(), bytes.NewReader(c.data), int64(len(c.data)), Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(c.name+"/floor-decode", func(b *testing.B) {
			for b.Loop() {
				decodeAll(b, c.data)
			}
		})
		b.Run(c.name+"/floor-sm3", func(b *testing.B) {
			for b.Loop() {
				sm3.Sum(c.data)
			}
		})
	}
}

// decodeAll opens a file and decodes the content of every page: what no scan can do without.
func decodeAll(b *testing.B, data []byte) {
	d, err := pdf.Open(context.Background(), bytes.NewReader(data), int64(len(data)))
	if err != nil {
		b.Fatal(err)
	}
	err = d.EachPage(context.Background(), func(p pdf.Page, _ pdf.Object) error {
		o, err := d.Resolve(p.Dict.Get("Contents"))
		if err != nil {
			return err
		}
		if v, ok := o.(*pdf.Stream); ok {
			_, err = d.StreamData(v, 16<<20)
		}
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
}

// BenchmarkScanBig scans a file of 100 MB with 100,000 objects, which is cut short by the limits.
func BenchmarkScanBig(b *testing.B) {
	for _, kind := range []fixtures.BigKind{fixtures.BigTable, fixtures.BigStream} {
		b.Run(string(kind), func(b *testing.B) {
			var big bytes.Buffer
			if err := fixtures.WriteBig(&big, 100<<20, 100_000, kind); err != nil {
				b.Fatal(err)
			}
			data := big.Bytes()
			b.ReportAllocs()
			for b.Loop() {
				r, err := Scan(context.Background(), bytes.NewReader(data), int64(len(data)), Options{})
				if err != nil {
					b.Fatal(err)
				}
				if r.Complete {
					b.Fatal("it is said to be complete")
				}
			}
		})
	}
}
