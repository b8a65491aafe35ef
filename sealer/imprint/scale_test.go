package imprint

import (
	"math"
	"testing"

	"yinxin/internal/fault"
	"yinxin/internal/scan"
)

func TestTheScaleComesFromTheFileAndIsNeverGuessed(t *testing.T) {
	stated := func(width, height int, r ...scan.Resolution) scan.Page {
		return scan.Page{Width: width, Height: height, Resolutions: r, Orientation: 1}
	}
	jfif := func(x, y float64) scan.Resolution { return scan.Resolution{X: x, Y: y, Source: "JFIF"} }
	for _, c := range []struct {
		name   string
		page   scan.Page
		option float64
		x, y   float64
		source string
		paper  string
		code   string
	}{
		{name: "one statement", page: stated(2480, 3508, jfif(300, 300)), x: 300, y: 300, source: "JFIF", paper: "A4"},
		{name: "a crop", page: stated(1000, 1000, jfif(599.44, 599.44)), x: 599.44, y: 599.44, source: "JFIF"},
		{name: "a stale JFIF beside an EXIF that fits the page", page: stated(4960, 7016, jfif(72, 72), scan.Resolution{X: 600, Y: 600, Source: "EXIF"}),
			x: 600, y: 600, source: "EXIF", paper: "A4"},
		{name: "a page of PDF that shrank its picture to leave margins", page: stated(2480, 3508, scan.Resolution{X: 318, Y: 318, Source: "PDF"}, jfif(300, 300)),
			x: 300, y: 300, source: "JFIF", paper: "A4"},
		{name: "different scales along both sides", page: stated(1700, 1100, jfif(204, 196)), x: 204, y: 196, source: "JFIF"},
		{name: "a page on its side", page: scan.Page{Width: 3508, Height: 2480, Resolutions: []scan.Resolution{jfif(300, 301)}, Orientation: 6}, x: 301, y: 300, source: "JFIF", paper: "A4"},
		{name: "the caller's word counts more", page: stated(2480, 3508, jfif(72, 72)), option: 300, x: 300, y: 300, source: "option", paper: "A4"},
		{name: "no statement", page: stated(2480, 3508), code: "imprint.no-scale"},
		{name: "an absurd statement", page: stated(1000, 1000, jfif(20, 20)), code: "imprint.no-scale"},
		{name: "a page of A4 that claims 72 dpi", page: stated(2480, 3508, jfif(72, 72)), code: "imprint.scale-contradicts"},
		{name: "sides that no scanner has", page: stated(1000, 1000, jfif(600, 100)), code: "imprint.scale-contradicts"},
		{name: "an absurd option", page: stated(1000, 1000, jfif(300, 300)), option: 7, code: "imprint.bad-scale"},
		{name: "not a number", page: stated(1000, 1000, jfif(300, 300)), option: math.NaN(), code: "imprint.bad-scale"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := readScale(c.page, Options{DPI: c.option})
			if c.code != "" {
				if fault.CodeOf(err) != c.code {
					t.Fatalf("%v, want %s", err, c.code)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if math.Abs(s.X-c.x) > .01 || math.Abs(s.Y-c.y) > .01 || s.Source != c.source || s.Page != c.paper {
				t.Errorf("%+v", s)
			}
		})
	}
}
