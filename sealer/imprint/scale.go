package imprint

import (
	"fmt"
	"math"
	"slices"

	"yinxin/internal/scan"
)

// paper sizes in millimetres, short side first.
var papers = []struct {
	name        string
	short, long float64
}{
	{"A3", 297, 420}, {"A4", 210, 297}, {"A5", 148, 210}, {"B4", 257, 364}, {"B5", 182, 257}, {"Letter", 215.9, 279.4},
}

// A file that states an absurd scale is treated as one that states none.
const (
	leastDPI    = 50
	greatestDPI = 4800
)

const millimetresPerInch = 25.4

func validDPI(v float64) bool { return !math.IsNaN(v) && v >= leastDPI && v <= greatestDPI }

// readScale settles the resolution of the scan. What the caller says counts; else the file's own statement, held
// against the size of the page: a file of an A4 page's shape that claims 72 dpi has lost its resolution on the way.
func readScale(p scan.Page, o Options) (Scale, error) {
	s := Scale{Width: p.Width, Height: p.Height}
	stated := slices.DeleteFunc(slices.Clone(p.Resolutions), func(r scan.Resolution) bool { return !validDPI(r.X) || !validDPI(r.Y) })
	switch {
	case o.DPI != 0:
		if !validDPI(o.DPI) {
			return s, errBadScale.With("%g", o.DPI)
		}
		s.X, s.Y, s.Source = o.DPI, o.DPI, "option"
	case len(stated) == 0:
		if dpi := dpiOfA4(p.Width, p.Height); dpi != 0 {
			return s, errNoScale.With("A4: %d dpi?", dpi)
		}
		return s, errNoScale.New()
	default:
		r := chooseResolution(p, stated)
		s.X, s.Y, s.Source = r.X, r.Y, r.Source
	}
	s = s.oriented(p.Orientation)
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

// oriented is the scale of the picture as displayed; the picture may be stored on its side.
func (s Scale) oriented(orientation int) Scale {
	if orientation >= 5 {
		s.Width, s.Height, s.X, s.Y = s.Height, s.Width, s.Y, s.X
	}
	return s
}

// chooseResolution takes the first statement that makes the scan a known paper, else the first. Programs that rotate
// or convert an image often renew one statement and leave the other.
func chooseResolution(p scan.Page, stated []scan.Resolution) scan.Resolution {
	for _, r := range stated {
		s := Scale{X: r.X, Y: r.Y, Width: p.Width, Height: p.Height}
		if s.paper() != "" {
			return r
		}
	}
	return stated[0]
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
