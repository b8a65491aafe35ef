package form

import (
	"bytes"
	"context"
	"fmt"
	"image/jpeg"
	"testing"

	"yinxin/internal/scan"
)

// BenchmarkUnmatchedPage is what a page without our code costs: everything is tried.
func BenchmarkUnmatchedPage(b *testing.B) {
	data, _ := scanOf(b, Application{}, scanning{dpi: 300, skew: 1.3, noise: 6, quality: 60, bare: true})
	f, err := scan.Open("", data, scan.DefaultLimits)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if pages, err := Recognise(context.Background(), f); err != nil || pages[0].Number != "" {
			b.Fatal(err)
		}
	}
}

func BenchmarkRecognise(b *testing.B) {
	for _, dpi := range []int{200, 300, 600} {
		data, _ := scanOf(b, sample(), scanning{dpi: dpi, skew: 1.3, turn: 1, noise: 6, quality: 60})
		f, err := scan.Open("", data, scan.DefaultLimits)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("%d-dpi", dpi), func(b *testing.B) {
			for b.Loop() {
				pages, err := Recognise(context.Background(), f)
				if err != nil || pages[0].Number == "" {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("%d-dpi-decoding-alone", dpi), func(b *testing.B) {
			for b.Loop() {
				if _, err := jpeg.Decode(bytes.NewReader(data)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
