package imprint

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math"
	"strconv"
	"strings"
	"testing"

	"yinxin/fixtures"
	"yinxin/internal/fault"
)

func TestTheSVGHasTheSizeOfTheSeal(t *testing.T) {
	data, _ := stampedForm(t, fixtures.FormOptions{Seed: 62})
	r := process(t, data, Options{Width: 42})
	v, err := Trace(r.Template, r.Width, r.Height)
	if err != nil {
		t.Fatal(err)
	}
	svg := string(v.SVG())
	for _, part := range []string{`width="42mm" height="42mm"`, `viewBox="0 0 9920 9920"`, `fill="#e60012"`} {
		if !strings.Contains(svg, part) {
			t.Errorf("no %s in %.200s", part, svg)
		}
	}
	again, err := Trace(r.Template, r.Width, r.Height)
	if err != nil || !bytes.Equal(again.SVG(), v.SVG()) {
		t.Error("the same template gave another outline", err)
	}
}

func TestAThumbnailIsSmallAndKeepsInkAndShape(t *testing.T) {
	data, _ := stampedForm(t, fixtures.FormOptions{Seed: 63})
	r := process(t, data, Options{Width: 42})
	small, err := Thumbnail(r.Template, ThumbnailSide)
	if err != nil {
		t.Fatal(err)
	}
	mask := alphaOf(t, small)
	if mask.Rect.Dx() != ThumbnailSide || mask.Rect.Dy() != ThumbnailSide || len(small) > 12_000 {
		t.Fatalf("%v, %d bytes", mask.Rect, len(small))
	}
	share := func(m *image.Alpha) float64 {
		total := 0.0
		for _, a := range m.Pix {
			total += float64(a) / 255
		}
		return total / float64(len(m.Pix))
	}
	if large := share(alphaOf(t, r.Template)); math.Abs(share(mask)-large) > .01*large {
		t.Errorf("%.4f of the thumbnail is ink, of the template %.4f", share(mask), large)
	}
	if small[24] != 4 || small[25] != 3 {
		t.Errorf("%d bits of colour type %d", small[24], small[25])
	}
	flat, err := Thumbnail(pngOfSize(t, 300, 200), 30)
	if b := alphaOf(t, flat).Rect; err != nil || b.Dx() != 30 || b.Dy() != 20 {
		t.Errorf("a wide one has %v, %v", b, err)
	}
}

func TestWhatIsNoTemplateIsRefused(t *testing.T) {
	for name, file := range map[string][]byte{"nothing": nil, "text": []byte("no picture"), "cut off": pngOfSize(t, 20, 20)[:60], "huge": pngOfSize(t, 4001, 1)} {
		if _, err := Trace(file, 42, 42); !fault.Has(err, ErrBadTemplate) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := Thumbnail(file, 64); !fault.Has(err, ErrBadTemplate) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, side := range []int{0, -1, 1 << 30} {
		if _, err := Thumbnail(pngOfSize(t, 20, 20), side); !fault.Has(err, ErrBadTemplate) {
			t.Error(strconv.Itoa(side), err)
		}
	}
}

func pngOfSize(t *testing.T, w, h int) []byte {
	t.Helper()
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for i := range m.Pix {
		m.Pix[i] = 255
	}
	m.Set(0, 0, color.Transparent)
	var out bytes.Buffer
	if err := png.Encode(&out, m); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
