package form

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"yinxin/fixtures"
	"yinxin/internal/scan"
	"yinxin/internal/tooltest"
)

// scanning says how a printed and stamped form was scanned.
type scanning struct {
	dpi     int
	skew    float64 // degrees clockwise
	turn    int     // quarters clockwise
	margin  float64 // mm of grey lid around the sheet
	noise   float64 // deviation in grey levels
	quality int     // of the JPEG; 0: PNG
	print   float64 // scale of the print; 0: 1
	overQR  bool    // a seal was stamped over the code and a mark
	bare    bool    // nothing was stamped
	says    bool    // the file says its resolution
	lies    int     // the file says this resolution instead
	lost    int     // so many marks were cut off: 1 lower right, 2 both lower ones, 4 all
}

// scanOf prints, stamps and scans a form; where gives the place on the scan, in pixels, of a place on the sheet in mm.
func scanOf(t testing.TB, a Application, s scanning) (data []byte, where func(Point) Point) {
	t.Helper()
	sheet, origin := printed(t, a, s)
	w, h := float64(sheet.Rect.Dx()), float64(sheet.Rect.Dy())
	perMM := float64(s.dpi) / 25.4
	m := s.margin * perMM
	width, height := int(w+2*m), int(h+2*m)
	sin, cos := math.Sincos(s.skew * math.Pi / 180)
	scan := image.NewRGBA(image.Rect(0, 0, width, height))
	rng := rand.New(rand.NewPCG(7, uint64(s.dpi)))
	grain := make([]int, 4096)
	for i := range grain {
		grain[i] = int(math.Round(rng.NormFloat64() * s.noise))
	}
	for y := range height {
		at := rng.IntN(4096)
		for x := range width {
			// From the scan back to the sheet, about their middles.
			dx, dy := float64(x)+0.5-float64(width)/2, float64(y)+0.5-float64(height)/2
			u, v := dx*cos+dy*sin+w/2-0.5, -dx*sin+dy*cos+h/2-0.5
			c := sampled(sheet, u, v)
			g := grain[(at+x*7)&4095]
			i := scan.PixOffset(x, y)
			for k := range 3 {
				scan.Pix[i+k] = uint8(max(0, min(255, int(c[k])*240/255+g)))
			}
			scan.Pix[i+3] = 255
		}
	}
	printScale := s.print
	if printScale == 0 {
		printScale = 1
	}
	where = func(p Point) Point {
		x, y := p.X*printScale*perMM+float64(origin.X)-w/2, p.Y*printScale*perMM+float64(origin.Y)-h/2
		x, y = x*cos-y*sin+float64(width)/2, x*sin+y*cos+float64(height)/2
		for range s.turn {
			x, y = -y, x
		}
		switch s.turn {
		case 1:
			x += float64(height)
		case 2:
			x, y = x+float64(width), y+float64(height)
		case 3:
			y += float64(width)
		}
		return Point{x, y}
	}
	scan = turned(scan, 90*s.turn)
	if s.lost > 0 {
		hide(scan, where, s.lost, perMM)
	}
	return encoded(t, scan, s), where
}

func pngFile(t testing.TB, img image.Image, dpi float64) []byte {
	t.Helper()
	data, err := pngOf(img, dpi)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// hide paints over marks: lower right first.
func hide(scan *image.RGBA, where func(Point) Point, n int, perMM float64) {
	for i := range n {
		at, half := where(marks[3-i]), 5*perMM
		for y := int(at.Y - half); y < int(at.Y+half); y++ {
			for x := int(at.X - half); x < int(at.X+half); x++ {
				if (image.Point{x, y}).In(scan.Rect) {
					scan.SetRGBA(x, y, color.RGBA{235, 235, 235, 255})
				}
			}
		}
	}
}

func encoded(t testing.TB, scan *image.RGBA, s scanning) []byte {
	t.Helper()
	if s.quality == 0 {
		if s.says {
			return pngFile(t, scan, float64(s.dpi))
		}
		var out bytes.Buffer
		if err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&out, scan); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, scan, &jpeg.Options{Quality: s.quality}); err != nil {
		t.Fatal(err)
	}
	if !s.says {
		return out.Bytes()
	}
	said := s.dpi
	if s.lies != 0 {
		said = s.lies
	}
	header := []byte{0xff, 0xe0, 0, 16, 'J', 'F', 'I', 'F', 0, 1, 2, 1, byte(said >> 8), byte(said), byte(said >> 8), byte(said), 0, 0}
	return append(append(out.Bytes()[:2:2], header...), out.Bytes()[2:]...)
}

// sampled is the sheet between its pixels; outside there is the grey lid.
func sampled(sheet *image.RGBA, u, v float64) [3]float64 {
	x, y := int(math.Floor(u)), int(math.Floor(v))
	if x < 0 || y < 0 || x+1 >= sheet.Rect.Dx() || y+1 >= sheet.Rect.Dy() {
		return [3]float64{130, 130, 130}
	}
	fx, fy := u-float64(x), v-float64(y)
	i := sheet.PixOffset(x, y)
	above, below := sheet.Pix[i:i+8], sheet.Pix[i+sheet.Stride:i+sheet.Stride+8]
	out := [3]float64{}
	for k := range out {
		out[k] = (float64(above[k])*(1-fx)+float64(above[k+4])*fx)*(1-fy) + (float64(below[k])*(1-fx)+float64(below[k+4])*fx)*fy
	}
	return out
}

// printed is the form on paper: drawn by poppler at the resolution, with seals stamped into it.
func printed(t testing.TB, a Application, s scanning) (sheet *image.RGBA, origin image.Point) {
	t.Helper()
	path := tooltest.File(t, "form.pdf", drawn(t, a))
	out := filepath.Join(t.TempDir(), "form")
	dpi, size := s.dpi, [2]int{int(math.Round(sheetWidth / 25.4 * float64(s.dpi))), int(math.Round(sheetHeight / 25.4 * float64(s.dpi)))}
	args := []string{"-gray", "-png", "-singlefile", "-r", fmt.Sprint(dpi)}
	if s.print != 0 {
		args = []string{"-gray", "-png", "-singlefile", "-r", fmt.Sprint(float64(dpi) * s.print)}
	}
	tooltest.Run(t, "pdftoppm", append(args, path, out)...)
	data, err := os.ReadFile(out + ".png")
	if err != nil {
		t.Fatal(err)
	}
	page, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	sheet = image.NewRGBA(image.Rect(0, 0, size[0], size[1]))
	// A smaller print lies in the middle of the sheet.
	grey := planeOf(page)
	origin = image.Point{(size[0] - grey.width) / 2, (size[1] - grey.height) / 2}
	for y := range size[1] {
		for x := range size[0] {
			v := uint8(255)
			if p := (image.Point{x, y}).Sub(origin); p.In(image.Rect(0, 0, grey.width, grey.height)) {
				v = grey.pix[p.Y*grey.width+p.X]
			}
			sheet.SetRGBA(x, y, color.RGBA{v, v, v, 255})
		}
	}
	if s.bare {
		return sheet, origin
	}
	seal, err := fixtures.DrawSeal(fixtures.OfficialSeal(a.Unit.Name), dpi)
	if err != nil {
		t.Fatal(err)
	}
	places := []Point{{61, 245}, {149, 247}, {51, 185}}
	if s.overQR {
		places = append(places, Point{188, 22})
	}
	for _, at := range places {
		stamp(sheet, seal, at, float64(dpi)/25.4)
	}
	return sheet, origin
}

// stamp puts red ink on a sheet.
func stamp(sheet *image.RGBA, seal *image.Alpha, at Point, perMM float64) {
	left, top := int(at.X*perMM)-seal.Rect.Dx()/2, int(at.Y*perMM)-seal.Rect.Dy()/2
	for y := range seal.Rect.Dy() {
		for x := range seal.Rect.Dx() {
			p := image.Point{left + x, top + y}
			ink := int(seal.AlphaAt(x, y).A)
			if !p.In(sheet.Rect) || ink == 0 {
				continue
			}
			i := sheet.PixOffset(p.X, p.Y)
			for k, absorbed := range [3]int{20, 205, 190} {
				sheet.Pix[i+k] = uint8(int(sheet.Pix[i+k]) * (255*255 - ink*absorbed) / (255 * 255))
			}
		}
	}
}

// worstError is how far the corners of the boxes were found from where they are, in millimetres.
func worstError(p ScannedPage, where func(Point) Point, perMM float64) float64 {
	worst := 0.0
	for i, r := range []Region{p.Imprints[0], p.Imprints[1], p.UnitStamp} {
		b := []Box{imprints[0], imprints[1], unitSeal}[i]
		for j, c := range [4]Point{{b.X, b.Y}, {b.X + b.Width, b.Y}, {b.X + b.Width, b.Y + b.Height}, {b.X, b.Y + b.Height}} {
			d := sub(where(c), r[j])
			worst = max(worst, math.Hypot(d.X, d.Y)/perMM)
		}
	}
	return worst
}

func recognised(t testing.TB, name string, data []byte) []ScannedPage {
	t.Helper()
	f, err := scan.Open(name, data, scan.DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	pages, err := Recognise(context.Background(), f)
	if err != nil {
		t.Fatal(err)
	}
	return pages
}
