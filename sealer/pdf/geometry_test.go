package pdf_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"yinxin/fixtures"
	"yinxin/sealer/pdf"
)

func TestPlacesAreConvertedBetweenUserSpaceAndMillimetres(t *testing.T) {
	const point = 25.4 / 72
	cases := []struct {
		name, page string
		user, mm   pdf.Rect
	}{
		{"plain", "", pdf.Rect{X1: 72, Y1: 144, X2: 108, Y2: 288}, pdf.Rect{X1: 25.4, Y1: 50.8, X2: 38.1, Y2: 101.6}},
		{"crop box", "/CropBox[72 72 500 600]", pdf.Rect{X1: 72, Y1: 144, X2: 108, Y2: 288}, pdf.Rect{Y1: 25.4, X2: 12.7, Y2: 76.2}},
		{"units", "/UserUnit 2", pdf.Rect{X1: 36, Y1: 72, X2: 54, Y2: 144}, pdf.Rect{X1: 25.4, Y1: 50.8, X2: 38.1, Y2: 101.6}},
		// Turned clockwise by 90: what was at the left is above, what was below is at the left.
		{"turned by 90", "/MediaBox[0 0 720 360]/Rotate 90", pdf.Rect{X1: 72, Y1: 144, X2: 108, Y2: 288},
			pdf.Rect{X1: 144 * point, Y1: 612 * point, X2: 288 * point, Y2: 648 * point}},
		{"turned by 180", "/MediaBox[0 0 720 360]/Rotate 180", pdf.Rect{X1: 72, Y1: 144, X2: 108, Y2: 288},
			pdf.Rect{X1: 612 * point, Y1: 72 * point, X2: 648 * point, Y2: 216 * point}},
		{"turned by 270", "/MediaBox[0 0 720 360]/Rotate -90", pdf.Rect{X1: 72, Y1: 144, X2: 108, Y2: 288},
			pdf.Rect{X1: 72 * point, Y1: 72 * point, X2: 216 * point, Y2: 108 * point}},
		{"turned, cropped, in other units", "/CropBox[10 20 500 620]/Rotate 270/UserUnit 1.5", pdf.Rect{X1: 10, Y1: 20, X2: 30, Y2: 60},
			pdf.Rect{X1: 560 * 1.5 * point, Y1: 0, X2: 600 * 1.5 * point, Y2: 20 * 1.5 * point}},
	}
	near := func(a, b pdf.Rect) bool {
		return math.Abs(a.X1-b.X1)+math.Abs(a.Y1-b.Y1)+math.Abs(a.X2-b.X2)+math.Abs(a.Y2-b.Y2) < 1e-6
	}
	for _, c := range cases {
		page, err := opened(t, pages(c.page)).Page(1)
		if err != nil {
			t.Fatal(err)
		}
		if got := page.Displayed(c.user); !near(got, c.mm) {
			t.Errorf("%s: displayed at %v mm, want %v", c.name, got, c.mm)
		}
		if got := page.InUserSpace(c.mm); !near(got, c.user) {
			t.Errorf("%s: in user space at %v, want %v", c.name, got, c.user)
		}
		width, height := page.DisplaySize()
		all := page.Displayed(page.CropBox)
		if !near(all, pdf.Rect{X2: width, Y2: height}) {
			t.Errorf("%s: the page is %v, its size %v × %v", c.name, all, width, height)
		}
	}
}

// TestAbsurdPagesAreRefused: no coordinate that cannot be written gets into a file.
func TestAbsurdPagesAreRefused(t *testing.T) {
	for _, page := range []string{"/MediaBox[-9" + strings.Repeat("0", 300) + " -9 9" + strings.Repeat("0", 300) + " 999]",
		"/MediaBox[0 0 1000000000000 1000000000000]", "/UserUnit 0.0000001", "/MediaBox[100000000000 0 100000000600 800]"} {
		for _, from := range []pdf.Corner{pdf.BottomLeft, pdf.TopRight} {
			r := request(t)
			r.Placements[0].From = from
			r.Straddle = &pdf.Straddle{}
			_, err := opened(t, pages(page, page)).PlanSeal(context.Background(), r)
			if code := codeOf(err); code != "pdf.damaged-pages" && code != "pdf.outside-page" {
				t.Errorf("%s: %v", page, err)
			}
		}
	}
}

// TestAStraddleSealOnThousandsOfPagesIsFast: one walk over the pages, whatever the tree looks like.
func TestAStraddleSealOnThousandsOfPagesIsFast(t *testing.T) {
	huge, err := fixtures.PDF(fixtures.ShapeHugeTree, fixtures.PDFOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"several levels": huge, "flat": plainPages(4000)} {
		r := request(t)
		r.Placements = []pdf.Placement{{Pages: "odd", From: pdf.TopLeft, X: 10, Y: 10}}
		r.Straddle = &pdf.Straddle{}
		start := time.Now()
		u := plan(t, data, r)
		took := time.Since(start)
		if took > 5*time.Second {
			t.Errorf("%s: %v", name, took)
		}
		count, err := opened(t, data).PageCount()
		if err != nil {
			t.Fatal(err)
		}
		if got := len(u.Marks()); got != count+(count+1)/2 {
			t.Errorf("%s: %d marks for %d pages", name, got, count)
		}
		t.Logf("%s: %d pages, %d bytes added in %v", name, count, len(u.Before())+len(u.After()), took)
		if name == "flat" {
			checkWithTools(t, save(t, seal(t, data, r)), true)
		}
	}
	r := request(t)
	r.Placements = []pdf.Placement{{Pages: "all", X: 10, Y: 10}}
	data, err := fixtures.PDF(fixtures.ShapeHugeTree, fixtures.PDFOptions{Pages: 20_000})
	if err != nil {
		t.Fatal(err)
	}
	r.Straddle = &pdf.Straddle{}
	if _, err := opened(t, data).PlanSeal(context.Background(), r); codeOf(err) != "pdf.too-many-places" {
		t.Errorf("forty thousand places: %v", err)
	}
}

func BenchmarkPlanStraddle(b *testing.B) {
	for _, n := range []int{2, 100, 2000} {
		b.Run(fmt.Sprint(n, " pages"), func(b *testing.B) {
			data := plainPages(n)
			r := request(b)
			r.Straddle = &pdf.Straddle{}
			for b.Loop() {
				if _, err := opened(b, data).PlanSeal(context.Background(), r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
