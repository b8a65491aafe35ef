package imprint

import (
	"bytes"
	"context"
	"fmt"
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

// BenchmarkGates is what telling seals apart and looking for copies cost, per form of two imprints, beside taking them
// apart.
func BenchmarkGates(b *testing.B) {
	for _, dpi := range []int{300, 600} {
		data, _, err := fixtures.StampedForm(fixtures.FormOptions{Seed: 1, DPI: dpi, Crop: true})
		if err != nil {
			b.Skip(err)
		}
		declared := size{42, 42}
		s, err := read(context.Background(), data, declared, Options{Width: 42})
		if err != nil {
			b.Fatal(err)
		}
		var marks []*mark
		bounds := s.img.Bounds()
		for _, r := range s.located() {
			marks = append(marks, &mark{excerpt: excerptOf(s.img, r, s.scaleAsStored()), stored: r, shown: orientRectangle(r, bounds.Dx(), bounds.Dy(), s.orientation)})
		}
		s.analyse(marks)
		views := s.views(marks, 0)
		if len(views) != 2 {
			b.Fatalf("%d marks", len(views))
		}
		register(views[0], views[1], declared)
		b.Run(fmt.Sprintf("apart-%d", dpi), func(b *testing.B) {
			for b.Loop() {
				s.analyse(marks)
			}
		})
		b.Run(fmt.Sprintf("same-%d", dpi), func(b *testing.B) {
			for b.Loop() {
				compare(views[0], views[1], declared, borderOf(marks[0].rim, views[0], declared))
			}
		})
		b.Run(fmt.Sprintf("copies-%d", dpi), func(b *testing.B) {
			for b.Loop() {
				lookForCopies(marks, views, declared)
			}
		})
	}
}
