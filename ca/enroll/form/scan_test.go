package form

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/color/palette"
	"image/draw"
	"image/jpeg"
	"image/png"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pdfcpu/pdfcpu/pkg/api"
	"rsc.io/qr"

	"yinxin/ca/enroll/attachment"
	"yinxin/fixtures"
	"yinxin/internal/fault"
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
	f, err := attachment.Open(name, data, attachment.DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	pages, err := Recognise(context.Background(), f)
	if err != nil {
		t.Fatal(err)
	}
	return pages
}

func TestScansFindTheirWayBack(t *testing.T) {
	a := sample()
	var all []scanning
	for i, skew := range []float64{-3, -1.3, 0, 1.7, 3} {
		all = append(all, scanning{dpi: 200 + i%2*100, skew: skew, turn: i % 4, margin: float64(i) * 4, noise: 6, quality: 60, says: i%2 == 0})
	}
	all = append(all,
		scanning{dpi: 200, skew: 3, noise: 14, quality: 35, says: true, lies: 72},
		scanning{dpi: 150, skew: -2, noise: 6, quality: 60},
		scanning{dpi: 300, skew: 1, turn: 3, noise: 6, quality: 60, overQR: true},
		scanning{dpi: 300, skew: 1, noise: 2, print: 0.96, says: true},
		scanning{dpi: 200, skew: -1, noise: 6, quality: 60, lost: 1},
	)
	if !testing.Short() {
		all = append(all, scanning{dpi: 600, skew: -3, turn: 1, margin: 5, noise: 6, quality: 60, says: true})
	}
	for _, s := range all {
		name := fmt.Sprintf("%+v", s)
		data, where := scanOf(t, a, s)
		p := recognised(t, "", data)[0]
		if p.Number != a.Number || !p.Precise {
			t.Errorf("%s: number %q, %d marks, residual %.2f mm", name, p.Number, p.Marks, p.Residual)
			continue
		}
		perMM := float64(s.dpi) / 25.4
		worst := worstError(p, where, perMM)
		t.Logf("%-110s error %.3f mm, residual %.3f mm, %d marks, %.1f dpi by %s, print %.3f, skew %.2f", name, worst, p.Residual, p.Marks, p.DPI, p.DPISource, p.PrintScale, p.Skew)
		if worst > 0.5 {
			t.Errorf("%s: the boxes are %.2f mm off", name, worst)
		}
		if p.Turn != (360-90*s.turn)%360 || math.Abs(p.Skew-s.skew) > 0.1 {
			t.Errorf("%s: turn %d, skew %.2f", name, p.Turn, p.Skew)
		}
		if want := float64(s.dpi); s.says && s.lies == 0 && (math.Abs(p.DPI/want-1) > 1e-4 || p.DPISource != "file") || (!s.says || s.lies != 0) && (math.Abs(p.DPI/want-1) > 0.003 || p.DPISource != "marks") {
			t.Errorf("%s: %.2f dpi by %s", name, p.DPI, p.DPISource)
		}
	}
}

func TestPagesThatCannotBeMatched(t *testing.T) {
	a := sample()
	blank, _ := scanOf(t, Application{}, scanning{dpi: 100, bare: true})
	mirrored, _ := scanOf(t, a, scanning{dpi: 150, bare: true})
	img, err := png.Decode(bytes.NewReader(mirrored))
	if err != nil {
		t.Fatal(err)
	}
	flipped := image.NewRGBA(img.Bounds())
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			flipped.Set(img.Bounds().Dx()-1-x, y, img.At(x, y))
		}
	}
	for name, data := range map[string][]byte{"a form without a number": blank, "a mirror": pngFile(t, flipped, 150), "a speck": pngFile(t, image.NewGray(image.Rect(0, 0, 3, 3)), 0),
		"black": pngFile(t, image.NewGray(image.Rect(0, 0, 900, 900)), 0)} {
		if p := recognised(t, "", data)[0]; p.Number != "" || p.Problem != "" || p.Width == 0 {
			t.Errorf("%s: %+v", name, p)
		}
	}
	// A form that was never printed is no scan of one.
	if p := recognised(t, "form.pdf", drawn(t, a))[0]; p.Problem != attachment.ErrNoPicture.Code || p.Number != "" {
		t.Errorf("the form itself: %+v", p)
	}
	f, err := attachment.Open("", blank, attachment.DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	gone, stop := context.WithCancel(context.Background())
	stop()
	if _, err := Recognise(gone, f); err == nil || fault.CodeOf(err) != "internal" {
		t.Errorf("nobody waits: %v", err)
	}
}

// TestAPageWithoutMarksIsNotPrecise: somebody must look.
func TestAPageWithoutMarksIsNotPrecise(t *testing.T) {
	a := sample()
	for _, lost := range []int{2, 4} {
		data, where := scanOf(t, a, scanning{dpi: 200, skew: 1, noise: 5, lost: lost})
		p := recognised(t, "", data)[0]
		if p.Number != a.Number || p.Precise || p.Marks != 4-lost {
			t.Errorf("%d marks lost: %q, %d marks, precise %v", lost, p.Number, p.Marks, p.Precise)
		}
		if worst := worstError(p, where, 200/25.4); worst > 3 {
			t.Errorf("%d marks lost: the boxes are %.1f mm off", lost, worst)
		}
	}
}

// TestABoxIsCutOut compares the picture of a box with the scan, whichever way it lay.
func TestABoxIsCutOut(t *testing.T) {
	a := sample()
	for turn := range 4 {
		data, _ := scanOf(t, a, scanning{dpi: 100, turn: turn, says: true})
		f, err := attachment.Open("", data, attachment.DefaultLimits)
		if err != nil {
			t.Fatal(err)
		}
		pages, err := Recognise(context.Background(), f)
		if err != nil || pages[0].Number == "" {
			t.Fatalf("%v %+v", err, pages[0])
		}
		p := pages[0]
		cut, err := p.Cut(f, p.Both)
		if err != nil {
			t.Fatal(err)
		}
		picture, err := attachment.Open("box.png", cut, attachment.DefaultLimits)
		if err != nil || math.Abs(picture.Pages[0].DPIX-100) > 0.1 {
			t.Fatalf("%v %+v", err, picture)
		}
		img, err := picture.Picture(0)
		if err != nil {
			t.Fatal(err)
		}
		// 178 × 64 mm at 100 dpi; the stars of the two seals stand where they were stamped.
		if b := img.Bounds(); math.Abs(float64(b.Dx())-701) > 3 || math.Abs(float64(b.Dy())-252) > 3 {
			t.Errorf("turn %d: %v", turn, b)
		}
		for _, star := range []Point{{61, 245}, {149, 247}} {
			x, y := int((star.X-16)/25.4*100), int((star.Y-214)/25.4*100)
			if r, g, _, _ := img.At(x, y).RGBA(); r>>8 < 150 || g>>8 > 120 {
				t.Errorf("turn %d: no star at %d, %d", turn, x, y)
			}
		}
		p.Both[0].X, p.Both[1].X, p.Both[2].X, p.Both[3].X = 9000, 9100, 9100, 9000
		if _, err := p.Cut(f, p.Both); !fault.Has(err, errNotOnScan) {
			t.Errorf("a box beside the scan: %v", err)
		}
		if _, err := (ScannedPage{Page: 1}).Cut(f, p.Both); !fault.Has(err, errNotOnScan) {
			t.Errorf("a page that was not recognised: %v", err)
		}
	}
}

// TestPagesOfOneFileAreToldApart has the form among other pages, in a PDF and in a PNG of every kind of pixel.
func TestPagesOfOneFileAreToldApart(t *testing.T) {
	a := sample()
	scan, where := scanOf(t, a, scanning{dpi: 150, skew: 1, turn: 3, noise: 4, quality: 70})
	card := pngFile(t, image.NewGray(image.Rect(0, 0, 600, 400)), 150)
	var pdf bytes.Buffer
	if err := api.ImportImages(nil, &pdf, []io.Reader{bytes.NewReader(card), bytes.NewReader(scan), bytes.NewReader(card)}, nil, nil); err != nil {
		t.Fatal(err)
	}
	pages := recognised(t, "申请材料.pdf", pdf.Bytes())
	if len(pages) != 3 || pages[0].Number != "" || pages[2].Number != "" || pages[1].Number != a.Number || pages[1].Page != 2 || !pages[1].Precise {
		t.Fatalf("%+v", pages)
	}
	if worst := worstError(pages[1], where, 150/25.4); worst > 0.5 {
		t.Errorf("%.2f mm off", worst)
	}
	decoded, err := jpeg.Decode(bytes.NewReader(scan))
	if err != nil {
		t.Fatal(err)
	}
	for name, img := range map[string]draw.Image{"NRGBA": image.NewNRGBA(decoded.Bounds()), "grey": image.NewGray(decoded.Bounds()), "RGBA64": image.NewRGBA64(decoded.Bounds()),
		"palette": image.NewPaletted(decoded.Bounds(), palette.WebSafe)} {
		draw.Draw(img, img.Bounds(), decoded, image.Point{}, draw.Src)
		if p := recognised(t, "", pngFile(t, img, 150))[0]; p.Number != a.Number || !p.Precise || worstError(p, where, 150/25.4) > 0.5 {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

// codePlane draws the code of a number with so many pixels for each module, softly.
func codePlane(t testing.TB, number string, module int) plane {
	t.Helper()
	code, err := qr.Encode(codeText(number), qr.Q)
	if err != nil {
		t.Fatal(err)
	}
	side := (code.Size + 8) * module
	p := plane{side, side, make([]uint8, side*side)}
	for y := range side {
		for x := range side {
			sum := 0
			for _, d := range [5][2]int{{0, 0}, {-1, 0}, {1, 0}, {0, -1}, {0, 1}} {
				if !code.Black((x+d[0])/module-4, (y+d[1])/module-4) || x+d[0] < 4*module || y+d[1] < 4*module {
					sum += 240
				}
			}
			p.pix[y*side+x] = uint8(sum/5 + 10)
		}
	}
	return p
}

// TestEveryNumberCanBeRead: the pattern of a code depends on its number, and some patterns are harder than others.
func TestEveryNumberCanBeRead(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range 300 {
		number := fmt.Sprintf("YX2026%04d-%05d", rng.IntN(10000), rng.IntN(100000))
		if i%3 == 1 {
			number = fmt.Sprintf("A-%d", 10+rng.IntN(1000))
		} else if i%3 == 2 {
			number = fmt.Sprintf("%016X-%015X", rng.Uint64(), rng.Uint64()>>4)
		}
		if got, ok := findCode(codePlane(t, number, 5)); !ok || got.number != number {
			t.Errorf("%s: %q %v", number, got.number, ok)
		}
	}
}

// TestAPageFullOfPatternsEndsSoon: the library compares every three of them.
func TestAPageFullOfPatternsEndsSoon(t *testing.T) {
	const unit, width, height = 2, 1650, 2300
	p := plane{width, height, bytes.Repeat([]byte{255}, width*height)}
	for y := range height {
		for x := range width {
			// A finder pattern of 7 × 7 modules, two apart: rings of 7, 5 and 3.
			i, j := x/unit%9, y/unit%9
			ring := min(i, j, 6-i, 6-j)
			if i < 7 && j < 7 && ring != 1 {
				p.pix[y*width+x] = 0
			}
		}
	}
	started := time.Now()
	if c, ok := findCode(p); ok {
		t.Errorf("found %q", c.number)
	}
	if took := time.Since(started); took > 60*time.Second {
		t.Errorf("took %v", took)
	} else {
		t.Log(took)
	}
}

func TestMapsGoThroughTheirPairs(t *testing.T) {
	want := transform{7.8, 0.3, 120, -0.2, 7.9, 80, 1e-5, -2e-5, 1}
	var pairs []pair
	for _, m := range marks {
		pairs = append(pairs, pair{m, want.apply(m)})
	}
	got, ok := through(pairs)
	for _, p := range []Point{{0, 0}, {105, 148}, {200, 10}} {
		if d := sub(got.apply(p), want.apply(p)); !ok || math.Hypot(d.X, d.Y) > 1e-6 {
			t.Errorf("four pairs: %v off at %v", d, p)
		}
	}
	want[6], want[7] = 0, 0
	for i := range pairs {
		pairs[i].scan = want.apply(pairs[i].sheet)
	}
	got, ok = through(pairs[:3])
	if d := sub(got.apply(Point{50, 250}), want.apply(Point{50, 250})); !ok || math.Hypot(d.X, d.Y) > 1e-6 {
		t.Errorf("three pairs: %v", d)
	}
	turned := transform{3, -1, 40, 1, 3, 70, 0, 0, 1}
	for i := range pairs {
		pairs[i].scan = turned.apply(pairs[i].sheet)
	}
	got, ok = similar(pairs[:2])
	if d := sub(got.apply(Point{50, 250}), turned.apply(Point{50, 250})); !ok || math.Hypot(d.X, d.Y) > 1e-6 {
		t.Errorf("two pairs: %v", d)
	}
	if across, down := turned.scale(); math.Abs(across-math.Sqrt(10)) > 1e-9 || math.Abs(down-across) > 1e-9 || math.Abs(turned.angle()-math.Atan2(1, 3)*180/math.Pi) > 1e-9 {
		t.Errorf("scale %g × %g, angle %g", across, down, turned.angle())
	}
	if _, ok := through([]pair{{}, {}, {}}); ok {
		t.Error("three pairs in one place make a map")
	}
	if _, ok := similar([]pair{{}, {}}); ok {
		t.Error("two pairs in one place make a map")
	}
}

// FuzzFindCode takes any pixels: no panic, no number that was not there.
func FuzzFindCode(f *testing.F) {
	p := codePlane(f, "YX-1", 3)
	f.Add(p.pix, p.width)
	f.Add([]byte{1, 2, 3}, 1)
	f.Fuzz(func(t *testing.T, pix []byte, width int) {
		if width <= 0 || len(pix) < width || len(pix) > 1<<16 {
			return
		}
		p := plane{width, len(pix) / width, pix[:len(pix)/width*width]}
		if c, ok := findCode(p); ok {
			straighten(p, c)
		}
		// Squares are looked for wherever a code says that they are.
		straighten(p, foundCode{"YX-1", [3]Point{{1, 1}, {float64(width) / 2, 2}, {2, float64(p.height) / 2}}})
	})
}

// BenchmarkUnmatchedPage is what a page without our code costs: everything is tried.
func BenchmarkUnmatchedPage(b *testing.B) {
	data, _ := scanOf(b, Application{}, scanning{dpi: 300, skew: 1.3, noise: 6, quality: 60, bare: true})
	f, err := attachment.Open("", data, attachment.DefaultLimits)
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
		f, err := attachment.Open("", data, attachment.DefaultLimits)
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
