package compose_test

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"math/rand/v2"
	"testing"

	"yinxin/internal/paper"
	"yinxin/sealer/issuance/compose"
	"yinxin/sealer/pdf/normalise"
)

// BenchmarkTwentyScannedPages composes a copy of twenty pages of A4 at 200 dpi with two layers and a note. The floor beside it
// starts a process that reads the same file and writes it again.
func BenchmarkTwentyScannedPages(b *testing.B) {
	noise := rand.New(rand.NewPCG(1, 2))
	img := image.NewGray(image.Rect(0, 0, 1654, 2339))
	for i := range img.Pix {
		img.Pix[i] = 235 - uint8(noise.IntN(6))
		if i/1654%60 < 20 && noise.IntN(5) == 0 {
			img.Pix[i] = 40
		}
	}
	var scan bytes.Buffer
	if err := jpeg.Encode(&scan, img, &jpeg.Options{Quality: 75}); err != nil {
		b.Fatal(err)
	}
	o := compose.Order{Pages: 20, Code: "X", Title: "t", Author: "a"}
	page, err := compose.Scans(b.Context(), "", compose.Scan{Name: "a.jpg", Data: scan.Bytes()})
	if err != nil {
		b.Fatal(err)
	}
	layer := paper.NewDocument(nil)
	for range 20 {
		o.Parts = append(o.Parts, page)
		layer.Add(paper.A4Width, paper.A4Height).Fill(10, 10, 300, 10, color.RGBA{A: 255})
	}
	var over bytes.Buffer
	if err := layer.Write(&over, paper.Meta{Title: "t", Language: "zh-CN"}); err != nil {
		b.Fatal(err)
	}
	o.Layers = []compose.Layer{{PDF: over.Bytes(), Opacity: 1}, {PDF: over.Bytes(), Opacity: 0.2}}
	o.Note = page
	whole, err := compose.Copy(b.Context(), "", o)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("composed", func(b *testing.B) {
		b.SetBytes(int64(len(whole)))
		for b.Loop() {
			if _, err := compose.Copy(b.Context(), "", o); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("floor", func(b *testing.B) {
		b.SetBytes(int64(len(whole)))
		for b.Loop() {
			var out bytes.Buffer
			if err := normalise.Start(b.Context(), "", bytes.NewReader(whole), &out); err != nil {
				b.Fatal(err)
			}
		}
	})
}
