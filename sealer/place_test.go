package sealer_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"yinxin/internal/fault"
	"yinxin/internal/store/storetest"
	"yinxin/internal/truetype"
	"yinxin/keystore"
	"yinxin/sealer"
	"yinxin/sealer/pdf"
	"yinxin/sealer/register"
	"yinxin/sealer/verify"
	"yinxin/sealer/view"
)

// workerName starts this test program as a worker of sealer/view.
const workerName = "view-worker-of-the-tests"

// cache is the folder for the compiled module that the tests share.
var cache string

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == workerName {
		fmt.Fprintln(os.Stderr, view.Work(os.Stdin, os.Stdout))
		os.Exit(1)
	}
	var err error
	if cache, err = os.MkdirTemp("", "view-cache-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	status := m.Run()
	_ = os.RemoveAll(cache)
	os.Exit(status)
}

// seeing is a house that can see.
func seeing(t *testing.T) *house {
	t.Helper()
	if testing.Short() {
		t.Skip("the race detector wants more memory than a worker may have")
	}
	h := newHouse(t, storetest.Open(t, filepath.Join(t.TempDir(), "seeing.db")))
	h.see()
	return h
}

// see gives the sealer a viewer, and a font where the machine has one.
func (h *house) see() {
	h.t.Helper()
	self, err := os.Executable()
	must(h.t, err)
	v := view.New(view.Config{Path: self, Args: []string{"worker", workerName}, CacheDir: cache})
	h.t.Cleanup(v.Close)
	h.sealer.Viewer, h.sealer.MaxSize = v, 16<<20
	if path, err := truetype.Find(); err == nil {
		h.sealer.Font = path
	}
}

// sheet is a page: its entries besides /MediaBox of A4, and texts.
type sheet struct {
	entries string
	texts   []written
}

// written is Chinese text of 12 units with its baseline at a place in user space.
type written struct {
	x, y float64
	text string
}

// chinese writes a PDF whose text stands in a font that is not embedded: characters are as wide as they are high.
func chinese(sheets ...sheet) []byte {
	objects := []string{"<</Type/Catalog/Pages 2 0 R>>", "",
		"<</Type/Font/Subtype/Type0/BaseFont/Song/Encoding/UniGB-UCS2-H/DescendantFonts[4 0 R]>>",
		"<</Type/Font/Subtype/CIDFontType0/BaseFont/Song/CIDSystemInfo<</Registry(Adobe)/Ordering(GB1)/Supplement 2>>/FontDescriptor 5 0 R/DW 1000>>",
		"<</Type/FontDescriptor/FontName/Song/Flags 4/FontBBox[0 -140 1000 860]/ItalicAngle 0/Ascent 860/Descent -140/CapHeight 860/StemV 80>>"}
	var kids string
	for _, s := range sheets {
		var content strings.Builder
		for _, w := range s.texts {
			var b []byte
			for _, u := range utf16.Encode([]rune(w.text)) {
				b = append(b, byte(u>>8), byte(u))
			}
			fmt.Fprintf(&content, "BT /F 12 Tf %g %g Td <%s> Tj ET\n", w.x, w.y, hex.EncodeToString(b))
		}
		n := len(objects) + 1
		kids += fmt.Sprintf("%d 0 R ", n)
		objects = append(objects, fmt.Sprintf("<</Type/Page/Parent 2 0 R/MediaBox[0 0 595.276 841.89]/Resources<</Font<</F 3 0 R>>>>/Contents %d 0 R%s>>", n+1, s.entries),
			fmt.Sprintf("<</Length %d>>\nstream\n%s\nendstream", content.Len(), content.String()))
	}
	objects[1] = fmt.Sprintf("<</Type/Pages/Kids[%s]/Count %d>>", kids, len(sheets))
	var b, table bytes.Buffer
	b.WriteString("%PDF-1.7\n")
	for i, o := range objects {
		fmt.Fprintf(&table, "%010d 00000 n \n", b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n%strailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n",
		len(objects)+1, table.String(), len(objects)+1, b.Len())
	return b.Bytes()
}

const mm = 25.4 / 72

// spot is a place on a page as displayed, mm from the bottom left.
type spot struct {
	page int
	x, y float64
}

func spots(marks []pdf.Mark) (all []spot) {
	for _, m := range marks {
		all = append(all, spot{m.Page, (m.Shown.X1 + m.Shown.X2) / 2, (m.Shown.Y1 + m.Shown.Y2) / 2})
	}
	return all
}

func near(a, b []spot, by float64) bool {
	return slices.EqualFunc(a, b, func(a, b spot) bool {
		return a.page == b.page && math.Abs(a.x-b.x) <= by && math.Abs(a.y-b.y) <= by
	})
}

func TestASealStandsOnItsKeyword(t *testing.T) {
	h := seeing(t)
	// The middle of four characters of 12 units at (x, y) is at (x+24, y+4.3).
	b := chinese(sheet{"", []written{{100, 700, "（盖章）"}, {300, 300, "（盖章）"}}},
		sheet{"/Rotate 90", []written{{200, 500, "（盖章）"}}},
		sheet{"/Rotate 270/CropBox[50 60 550 800]", []written{{200, 500, "（盖章）"}}},
		sheet{"/UserUnit 2", []written{{200, 500, "（盖章）"}}})
	const width = 595.276
	upper, lower := spot{1, 124 * mm, 704.3 * mm}, spot{1, 324 * mm, 304.3 * mm}
	second := spot{2, 504.3 * mm, (width - 224) * mm}
	third := spot{3, (800 - 504.3) * mm, (224 - 50) * mm}
	fourth := spot{4, 2 * 224 * mm, 2 * 504.3 * mm}
	size := map[int]image.Point{1: {210, 297}, 2: {297, 210}, 3: {261, 176}, 4: {420, 594}} // mm, rounded
	for name, c := range map[string]struct {
		k    sealer.Keyword
		want []spot
	}{
		"every one":         {sealer.Keyword{Text: "盖章"}, []spot{upper, lower, second, third, fourth}},
		"the first":         {sealer.Keyword{Text: "(盖章)", Nth: 1}, []spot{upper}},
		"the last":          {sealer.Keyword{Text: "盖章", Nth: -1}, []spot{fourth}},
		"the third":         {sealer.Keyword{Text: "盖章", Nth: 3}, []spot{second}},
		"of some pages":     {sealer.Keyword{Text: "盖章", Pages: "2-3"}, []spot{second, third}},
		"last of a page":    {sealer.Keyword{Text: "盖章", Pages: "1", Nth: -1}, []spot{lower}},
		"shifted":           {sealer.Keyword{Text: "盖章", Nth: 1, DX: 10, DY: -20}, []spot{{1, upper.x + 10, upper.y - 20}}},
		"shifted, turned":   {sealer.Keyword{Text: "盖章", Nth: 3, DX: 10, DY: -20}, []spot{{2, second.x + 10, second.y - 20}}},
		"shifted, UserUnit": {sealer.Keyword{Text: "盖章", Nth: -1, DX: -10, DY: 20}, []spot{{4, fourth.x - 10, fourth.y + 20}}},
	} {
		t.Run(name, func(t *testing.T) {
			o := order(h.upload(b), "")
			o.Places = []sealer.Place{{Keyword: &c.k}}
			sealed, err := h.sealer.Seal(t.Context(), h.clerk, o)
			must(t, err)
			if got := spots(sealed.Details.Marks); !near(got, c.want, 0.5) {
				t.Fatalf("%v, want %v", got, c.want)
			}
			data := h.bytes(sealed.Document)
			if v := h.verdict(data); v != verify.Valid {
				t.Error(v)
			}
			for _, want := range c.want {
				if want.page == 1 && len(c.want) > 1 {
					continue // two on one page
				}
				// As a part of the page, since renderers disagree about UserUnit.
				x, y, w, ht := redCentre(t, data, want.page)
				s := size[want.page]
				got := spot{want.page, x / w * float64(s.X), (1 - y/ht) * float64(s.Y)}
				if !near([]spot{got}, []spot{want}, 1) {
					t.Errorf("drawn at %v, want %v", got, want)
				}
			}
		})
	}
	for name, c := range map[string]struct {
		k    sealer.Keyword
		want string
	}{
		"nowhere":       {sealer.Keyword{Text: "签发人"}, "view.not-found"},
		"not so often":  {sealer.Keyword{Text: "盖章", Nth: 6}, "view.not-found"},
		"on no page":    {sealer.Keyword{Text: "盖章", Pages: "9"}, "pdf.no-such-page"},
		"not a range":   {sealer.Keyword{Text: "盖章", Pages: "x"}, "pdf.bad-page-range"},
		"off the page":  {sealer.Keyword{Text: "盖章", Nth: 1, DX: -100}, "pdf.outside-page"},
		"not a number":  {sealer.Keyword{Text: "盖章", Nth: 1, DX: math.NaN()}, "sealing.order"},
		"nothing to be": {sealer.Keyword{Text: " "}, "view.keyword"},
	} {
		t.Run(name, func(t *testing.T) {
			o := order(h.upload(b), "")
			o.Places = []sealer.Place{{Keyword: &c.k}}
			intents := h.count(`SELECT COUNT(*) FROM sealing`)
			_, err := h.sealer.Seal(t.Context(), h.clerk, o)
			wants(t, err, c.want)
			if h.count(`SELECT COUNT(*) FROM sealing`) != intents {
				t.Error("an intent is on record")
			}
		})
	}
}

// drawn renders a page with pdftoppm.
func drawn(t *testing.T, data []byte, page int) image.Image {
	t.Helper()
	if _, err := exec.LookPath("pdftoppm"); err != nil {
		t.Skip("pdftoppm is not installed (Debian: poppler-utils)")
	}
	name := filepath.Join(t.TempDir(), "page")
	must(t, os.WriteFile(name+".pdf", data, 0o600))
	n := fmt.Sprint(page)
	if out, err := exec.Command("pdftoppm", "-png", "-r", "72", "-cropbox", "-f", n, "-l", n, "-singlefile", name+".pdf", name).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	f, err := os.Open(name + ".png")
	must(t, err)
	defer f.Close()
	img, _, err := image.Decode(f)
	must(t, err)
	return img
}

func red(img image.Image, x, y int) bool {
	r, g, b, _ := img.At(x, y).RGBA()
	return r > 0x8000 && g < 0x6000 && b < 0x6000
}

// redCentre is the middle of what is red on a page, and the size of the page, in pixels from the top left.
func redCentre(t *testing.T, data []byte, page int) (x, y, w, h float64) {
	t.Helper()
	img := drawn(t, data, page)
	n := 0.0
	for py := range img.Bounds().Dy() {
		for px := range img.Bounds().Dx() {
			if red(img, px, py) {
				x, y, n = x+float64(px)+0.5, y+float64(py)+0.5, n+1
			}
		}
	}
	if n == 0 {
		t.Fatalf("nothing red on page %d", page)
	}
	return x / n, y / n, float64(img.Bounds().Dx()), float64(img.Bounds().Dy())
}

func TestAPreviewShowsWhatWillBeSealedAndRecordsNothing(t *testing.T) {
	h := seeing(t)
	b := chinese(sheet{"", []written{{100, 700, "复制件"}}}, sheet{"/Rotate 90", nil}, sheet{"/UserUnit 20", nil}, sheet{"", nil})
	d := h.upload(b)
	ledger := h.count(`SELECT COUNT(*) FROM ledger_event`)
	preview := func(o sealer.Order, pages ...int) *sealer.Preview {
		t.Helper()
		p, err := h.sealer.Preview(t.Context(), h.clerk, o, 96, pages)
		must(t, err)
		return p
	}
	places := order(d, "key")
	places.Places = []sealer.Place{{Placement: pdf.Placement{Pages: "1-3", X: 20, Y: 30}}}
	straddle := order(d, "key")
	straddle.Places, straddle.Straddle = nil, &pdf.Straddle{Pages: "1,2,4"}
	for name, c := range map[string]struct {
		o     sealer.Order
		pages []int
		shown []int
	}{"places": {places, nil, []int{1, 2, 3}}, "straddle": {straddle, nil, []int{1, 2, 4}}, "one page": {places, []int{2, 4}, []int{2}}} {
		t.Run(name, func(t *testing.T) {
			p := preview(c.o, c.pages...)
			var shown []int
			for _, page := range p.Pages {
				shown = append(shown, page.Number)
				i := slices.IndexFunc(p.Details.Marks, func(m pdf.Mark) bool { return m.Page == page.Number })
				h.differsOnlyIn(t, b, page, p.Details.Marks[i])
			}
			if !slices.Equal(shown, c.shown) {
				t.Errorf("pages %v, want %v", shown, c.shown)
			}
		})
	}
	if h.count(`SELECT COUNT(*) FROM sealing`) != 0 || h.used() != 0 || h.stored() != 1 || h.count(`SELECT COUNT(*) FROM ledger_event`) != ledger {
		t.Error("something was recorded")
	}
	p := preview(places)
	sealed, err := h.sealer.Seal(t.Context(), h.clerk, places)
	must(t, err)
	if p.Size != sealed.Document.Size || !slices.Equal(p.Details.Marks, sealed.Details.Marks) {
		t.Errorf("previewed %d bytes at %v, sealed %d at %v", p.Size, p.Details.Marks, sealed.Document.Size, sealed.Details.Marks)
	}
	for name, c := range map[string]struct {
		dpi  float64
		want string
	}{"too coarse": {1, "view.resolution"}, "too fine": {5000, "view.resolution"}, "no number": {math.NaN(), "view.resolution"}} {
		if _, err := h.sealer.Preview(t.Context(), h.clerk, places, c.dpi, nil); fault.CodeOf(err) != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err = h.sealer.Preview(t.Context(), h.registrar, places, 96, nil)
	wants(t, err, "seal.not-granted")
}

// differsOnlyIn compares a page of a preview with the same page of the original: it is other where the seal stands, and
// nowhere else.
func (h *house) differsOnlyIn(t *testing.T, original []byte, page sealer.PreviewPage, m pdf.Mark) {
	t.Helper()
	before, err := h.sealer.Viewer.Render(t.Context(), bytes.NewReader(original), int64(len(original)), page.Number, page.Picture.DPI)
	must(t, err)
	old, _, err := image.Decode(bytes.NewReader(before.PNG))
	must(t, err)
	img, _, err := image.Decode(bytes.NewReader(page.Picture.PNG))
	must(t, err)
	if old.Bounds() != img.Bounds() {
		t.Fatalf("page %d: %v, then %v", page.Number, old.Bounds(), img.Bounds())
	}
	doc, err := pdf.Open(t.Context(), bytes.NewReader(original), int64(len(original)))
	must(t, err)
	p, err := doc.Page(page.Number)
	must(t, err)
	w, ht := p.DisplaySize()
	scale := float64(img.Bounds().Dx()) / w
	area := image.Rect(int(m.Shown.X1*scale)-2, int((ht-m.Shown.Y2)*scale)-2, int(m.Shown.X2*scale)+3, int((ht-m.Shown.Y1)*scale)+3)
	inside, outside := 0, 0
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			if old.At(x, y) == img.At(x, y) {
				continue
			}
			if image.Pt(x, y).In(area) {
				inside++
			} else {
				outside++
			}
		}
	}
	if full := area.Dx() * area.Dy(); inside < full/2 || outside > 0 {
		t.Errorf("page %d: %d of %d pixels are other in the place of the seal, %d elsewhere", page.Number, inside, full, outside)
	}
}

func TestLinesAndAStraddleSealBelowASecondSeal(t *testing.T) {
	h := seeing(t)
	if h.sealer.Font == "" {
		t.Skip("no Chinese font")
	}
	for _, p := range sealer.Profiles {
		t.Run(string(p), func(t *testing.T) {
			o := order(h.upload(chinese(sheet{}, sheet{}, sheet{})), "")
			o.Profile, o.Lines, o.Straddle = p, []string{"2026年11月26日", "临档复〔2026〕117号"}, &pdf.Straddle{Edge: pdf.RightEdge}
			o.Reason, o.Location = "复核", "临江省档案馆"
			first, err := h.sealer.Seal(t.Context(), h.clerk, o)
			must(t, err)
			o.Document, o.Places[0].Y, o.Straddle = first.Document.ID, 150, &pdf.Straddle{Edge: pdf.LeftEdge}
			second, err := h.sealer.Seal(t.Context(), h.clerk, o)
			must(t, err)
			if v := h.verdict(h.bytes(second.Document)); v != verify.Valid {
				t.Error(v)
			}
			for field, v := range h.verdicts(second.Document) {
				if v != verify.Valid {
					t.Errorf("%s: %s", field, v)
				}
			}
			if text := pdftotext(t, h.bytes(second.Document)); strings.Count(text, "临档复〔2026〕117号") != 2 {
				t.Errorf("the lines are not there: %s", text)
			}
		})
	}
}

func pdftotext(t *testing.T, data []byte) string {
	t.Helper()
	if _, err := exec.LookPath("pdftotext"); err != nil {
		t.Skip("pdftotext is not installed (Debian: poppler-utils)")
	}
	c := exec.Command("pdftotext", "-", "-")
	c.Stdin = bytes.NewReader(data)
	out, err := c.Output()
	must(t, err)
	return string(out)
}

func TestTheOutlineComesFromTheTemplate(t *testing.T) {
	h := seeing(t)
	square := image.NewPaletted(image.Rect(0, 0, 992, 992), color.Palette{color.RGBA{200, 0, 0, 255}}) // red all over
	var b bytes.Buffer
	must(t, png.Encode(&b, square))
	key, err := h.keys.Generate(t.Context(), "square", keystore.PurposeSealing)
	must(t, err)
	h.template = b.Bytes()
	h.remake(register.Central, key)
	for outline, corner := range map[bool]bool{true: true, false: false} {
		o := order(h.upload(original(t)), "")
		o.Outline = outline
		sealed, err := h.sealer.Seal(t.Context(), h.clerk, o)
		must(t, err)
		// Just inside the corner of the seal: red in the square, nothing in the disc.
		b := h.bytes(sealed.Document)
		img := drawn(t, b, 1)
		x, y := 61, img.Bounds().Dy()-61 // 21.5 mm at 72 dpi
		if got := red(img, x, y); got != corner {
			t.Errorf("outline %v: the corner is red: %v", outline, got)
		}
		if v := h.verdict(b); v != verify.Valid {
			t.Error(v)
		}
	}
}
