package imprint

import (
	"bytes"
	"context"
	"image"
	_ "image/jpeg"
	_ "image/png"
	"testing"

	"yinxin/fixtures"
)

// BenchmarkProcess is one A4 form with two imprints, decoding included.
func BenchmarkProcess(b *testing.B) {
	for _, c := range []struct {
		name   string
		dpi    int
		format string
	}{{"jpeg-300", 300, "jpeg"}, {"jpeg-600", 600, "jpeg"}, {"png-600", 600, "png"}} {
		data, _, err := fixtures.StampedForm(fixtures.FormOptions{Seed: 1, DPI: c.dpi, Format: c.format})
		if err != nil {
			b.Skip(err)
		}
		b.Run(c.name+"-decoding-alone", func(b *testing.B) {
			for b.Loop() {
				if _, _, err := image.Decode(bytes.NewReader(data)); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Process(context.Background(), data, Options{Width: 42}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
