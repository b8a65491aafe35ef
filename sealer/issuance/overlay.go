package issuance

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"strings"

	"yinxin/internal/paper"
	"yinxin/sealer/issuance/compose"
	"yinxin/sealer/pdf"
)

// size is that of a page as displayed, in points.
type size struct{ width, height float64 }

// sizes are those of the pages of several PDF files.
func sizes(ctx context.Context, files [][]byte) (list []size, err error) {
	for _, f := range files {
		d, err := pdf.Open(ctx, bytes.NewReader(f), int64(len(f)))
		if err != nil {
			return nil, err
		}
		err = d.EachPage(ctx, func(p pdf.Page, _ pdf.Object) error {
			s := size{p.CropBox.Width(), p.CropBox.Height()}
			if p.Rotate%180 != 0 {
				s.width, s.height = s.height, s.width
			}
			list = append(list, s)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return list, nil
}

// layers are what is laid over the pages of a copy: at the foot of each what the paper belongs to, and the watermark by policy.
func (s *Service) layers(font []byte, c sheetContent, code string, pages []size) ([]compose.Layer, error) {
	foot := func(i int) string {
		return fmt.Sprintf("%s　%s　复制件第 %d 页，共 %d 页　验证码 %s", c.Holding, c.Number, i+1, len(pages), grouped(code))
	}
	mark := strings.NewReplacer("{archive}", c.Receiving, "{purpose}", c.Purpose).Replace(s.Watermark)
	face, err := paper.NewFace(font, []string{foot(0), "0123456789", mark})
	if err != nil {
		return nil, err
	}
	feet, marks := paper.NewDocument(face), paper.NewDocument(face)
	for i, p := range pages {
		drawFoot(feet.Add(p.width, p.height), face, foot(i), p)
		drawMark(marks.Add(p.width, p.height), face, mark, p)
	}
	list := []compose.Layer{{Opacity: 1}, {Opacity: 0.16}}
	for i, d := range []*paper.Document{feet, marks} {
		var out bytes.Buffer
		if err := d.Write(&out, paper.Meta{Title: c.Number, Language: "zh-CN"}); err != nil {
			return nil, err
		}
		list[i].PDF = out.Bytes()
	}
	if s.NoWatermark {
		list = list[:1]
	}
	return list, nil
}

// drawFoot writes one line at the foot of a page, on white, since scans are dark at their edges.
func drawFoot(p *paper.Page, face *paper.Face, text string, of size) {
	points := 8.0
	if w := face.Width(text, points); w > of.width-24 {
		points *= (of.width - 24) / w
	}
	w := face.Width(text, points)
	p.Fill((of.width-w)/2-4, 6, w+8, points*1.5, paper.White)
	p.Text((of.width-w)/2, 6+points*0.45, points, nameColour, text, false)
}

// drawMark writes the watermark along the rising diagonal, and on both sides of it.
func drawMark(p *paper.Page, face *paper.Face, text string, of size) {
	diagonal := math.Hypot(of.width, of.height)
	points := min(22, 0.5*diagonal/max(face.Width(text, 1), 1))
	sin, cos := of.height/diagonal, of.width/diagonal
	w := face.Width(text, points)
	for _, at := range []float64{-0.2, 0, 0.2} {
		// The middle of what a parallel of the diagonal has on the page, 0.6 of its length for those beside it, and from
		// there back by half the length of the line.
		x, y := of.width*(0.5-at), of.height*(0.5+at)
		p.Draw("q %.5f %.5f %.5f %.5f %.3f %.3f cm\n", cos, sin, -sin, cos, x-cos*w/2, y-sin*w/2)
		p.Text(0, 0, points, inkColour, text, false)
		p.Draw("Q\n")
	}
}
