package form

import (
	"math"

	"yinxin/internal/paper"
)

// block writes a text into a box: as many lines as there is room for, smaller where that is not enough. A label stands in
// the middle of its box.
func (s *sheet) block(b Box, size float64, text string, label bool) {
	if text == "" {
		return
	}
	lines, size := s.fit(text, size, b.Width-2*inset, b.Height-0.8)
	if lines == nil {
		if s.failed == nil {
			s.failed = errDoesNotFit.New()
		}
		return
	}
	y := b.Y + b.Height/2 - float64(len(lines)-1)/2*leading*size + 0.36*size
	for _, line := range lines {
		if label {
			s.centred(b.X+b.Width/2, y, size, line)
		} else {
			s.text(b.X+inset, y, size, line, false)
		}
		y += leading * size
	}
}

// fit breaks a text into lines and finds the largest size at which they fit; nil where the smallest is too large.
func (s *sheet) fit(text string, size, width, height float64) ([]string, float64) {
	for ; size >= smallest-1e-9; size -= 0.1 {
		lines := s.face.Wrap(text, size*pointsPerMM, width*pointsPerMM)
		if (float64(len(lines)-1)*leading+1)*size <= height {
			return lines, size
		}
	}
	return nil, 0
}

// choices writes boxes and labels one after the other, over several lines where the cell has them.
func (s *sheet) choices(b Box, choices []choice) {
	for size := textSize; size >= smallest-1e-9; size -= 0.1 {
		if s.arrange(b, choices, size, false) {
			s.arrange(b, choices, size, true)
			return
		}
	}
	if s.failed == nil {
		s.failed = errDoesNotFit.New()
	}
}

// arrange places the choices, and draws them if told to; false where they do not fit.
func (s *sheet) arrange(b Box, choices []choice, size float64, draw bool) bool {
	const lineHeight = 1.55
	box, gap := 0.9*size, 1.0*size
	var lines [][]choice
	x := math.Inf(1)
	for _, c := range choices {
		width := box + 0.35*size + s.width(c, size)
		if x+width > b.Width-2*inset {
			if width > b.Width-2*inset {
				return false
			}
			lines, x = append(lines, nil), 0
		}
		lines[len(lines)-1] = append(lines[len(lines)-1], c)
		x += width + gap
	}
	if float64(len(lines))*lineHeight*size > b.Height {
		return false
	}
	if !draw {
		return true
	}
	y := b.Y + b.Height/2 - float64(len(lines)-1)/2*lineHeight*size + 0.36*size
	for _, line := range lines {
		x := b.X + inset
		for _, c := range line {
			s.tick(x, y-0.82*size, box, c.ticked)
			x += box + 0.35*size
			s.text(x, y, size, c.label, false)
			if c.lined {
				from := x + s.measure(c.label, size)
				s.text(from, y, size, c.text, false)
				s.fill(Box{from, y + 0.18*size, s.width(c, size) - s.measure(c.label, size), 0.15})
			}
			x += s.width(c, size) + gap
		}
		y += lineHeight * size
	}
	return true
}

// width is the length of a choice's label with its text.
func (s *sheet) width(c choice, size float64) float64 {
	w := s.measure(c.label, size)
	if c.lined {
		w += max(s.measure(c.text, size), 18)
	}
	return w
}

// tick draws a box, crossed off with a check mark or empty.
func (s *sheet) tick(x, y, side float64, ticked bool) {
	s.frame(Box{x, y, side, side}, 0.25)
	if !ticked {
		return
	}
	at := func(dx, dy float64) (float64, float64) {
		return (x + dx*side) * pointsPerMM, paper.A4Height - (y+dy*side)*pointsPerMM
	}
	x1, y1 := at(0.18, 0.5)
	x2, y2 := at(0.42, 0.78)
	x3, y3 := at(0.86, 0.16)
	s.page.Draw("q 1 J 1 j %s RG %.2f w %.2f %.2f m %.2f %.2f l %.2f %.2f l S Q\n", paper.Colour(paper.Black), 0.16*side*pointsPerMM, x1, y1, x2, y2, x3, y3)
}

func (s *sheet) measure(text string, size float64) float64 {
	return s.face.Width(text, size*pointsPerMM) / pointsPerMM
}

func (s *sheet) text(x, y, size float64, text string, heavy bool) {
	s.page.Text(x*pointsPerMM, paper.A4Height-y*pointsPerMM, size*pointsPerMM, paper.Black, text, heavy)
}

func (s *sheet) centred(x, y, size float64, text string) {
	s.text(x-s.measure(text, size)/2, y, size, text, size > 5)
}

func (s *sheet) frame(b Box, thickness float64) {
	s.page.Frame(b.X*pointsPerMM, paper.A4Height-(b.Y+b.Height)*pointsPerMM, b.Width*pointsPerMM, b.Height*pointsPerMM, thickness*pointsPerMM, paper.Black)
}

func (s *sheet) fill(b Box) {
	s.page.Fill(b.X*pointsPerMM, paper.A4Height-(b.Y+b.Height)*pointsPerMM, b.Width*pointsPerMM, b.Height*pointsPerMM, paper.Black)
}
