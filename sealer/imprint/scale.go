package imprint

import (
	"fmt"
	"math"
)

// paper sizes in millimetres, short side first.
var papers = []struct {
	name        string
	short, long float64
}{
	{"A3", 297, 420}, {"A4", 210, 297}, {"A5", 148, 210}, {"B4", 257, 364}, {"B5", 182, 257}, {"Letter", 215.9, 279.4},
}

// readScale settles the resolution of the scan. What the caller says counts; else the file's own statement, held
// against the size of the page: a file of an A4 page's shape that claims 72 dpi has lost its resolution on the way.
func readScale(m metadata, o Options) (Scale, error) {
	s := Scale{Width: m.width, Height: m.height}
	switch {
	case o.DPI != 0:
		if !validDPI(o.DPI) {
			return s, errBadScale.With("%g", o.DPI)
		}
		s.X, s.Y, s.Source = o.DPI, o.DPI, "option"
	case len(m.resolutions) == 0:
		if dpi := dpiOfA4(m.width, m.height); dpi != 0 {
			return s, errNoScale.With("A4: %d dpi?", dpi)
		}
		return s, errNoScale.New()
	default:
		r := chooseResolution(m)
		s.X, s.Y, s.Source = r.x, r.y, r.source
	}
	if m.orientation >= 5 { // stored on its side
		s.Width, s.Height, s.X, s.Y = s.Height, s.Width, s.Y, s.X
	}
	s.Page = s.paper()
	if s.Source == "option" {
		return s, nil
	}
	width, height := s.millimetres()
	dpi := dpiOfA4(s.Width, s.Height)
	if s.Page == "" && dpi != 0 && math.Abs(float64(dpi)/s.X-1) > .03 {
		return s, errScaleContradicts.With("%s %g dpi = %.0f × %.0f mm; A4: %d dpi?", s.Source, s.X, width, height, dpi)
	}
	if math.Max(s.X/s.Y, s.Y/s.X) > 2.01 { // fax-like 204 × 98 is the most lopsided scan there is
		return s, errScaleContradicts.With("%s %g × %g dpi", s.Source, s.X, s.Y)
	}
	return s, nil
}

// chooseResolution takes the first statement that makes the scan a known paper, else the first. Programs that rotate
// or convert an image often renew one statement and leave the other.
func chooseResolution(m metadata) resolution {
	for _, r := range m.resolutions {
		s := Scale{X: r.x, Y: r.y, Width: m.width, Height: m.height}
		if s.paper() != "" {
			return r
		}
	}
	return m.resolutions[0]
}

// paper names the paper whose size the scan has, within 2 per cent.
func (s Scale) paper() string {
	w, h := s.millimetres()
	short, long := math.Min(w, h), math.Max(w, h)
	for _, p := range papers {
		if math.Abs(short/p.short-1) < .02 && math.Abs(long/p.long-1) < .02 {
			return p.name
		}
	}
	return ""
}

func (s Scale) millimetres() (width, height float64) {
	return float64(s.Width) / s.X * millimetresPerInch, float64(s.Height) / s.Y * millimetresPerInch
}

// dpiOfA4 is the usual resolution at which a scan of this many pixels is an A4 page, or 0. It serves to contradict
// and to suggest, never to measure.
func dpiOfA4(width, height int) int {
	short, long := float64(min(width, height)), float64(max(width, height))
	for _, dpi := range []int{150, 200, 240, 300, 400, 600, 1200} {
		perMM := float64(dpi) / millimetresPerInch
		if math.Abs(short/perMM/210-1) < .01 && math.Abs(long/perMM/297-1) < .01 {
			return dpi
		}
	}
	return 0
}

func (s Scale) String() string { return fmt.Sprintf("%g × %g dpi (%s)", s.X, s.Y, s.Source) }
