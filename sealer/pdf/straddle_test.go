package pdf_test

import (
	"context"
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

	"yinxin/internal/tooltest"
	"yinxin/sealer/pdf"
)

// pages puts a document of several pages together, each with its own entries; "" is a plain sheet A4.
func pages(extra ...string) []byte {
	var kids strings.Builder
	objects := []string{"<</Type/Catalog/Pages 2 0 R>>", ""}
	for i, e := range extra {
		fmt.Fprintf(&kids, "%d 0 R ", i+3)
		if !strings.Contains(e, "/MediaBox") {
			e += "/MediaBox[0 0 595.276 841.89]"
		}
		objects = append(objects, "<</Type/Page/Parent 2 0 R"+e+">>")
	}
	objects[1] = fmt.Sprintf("<</Type/Pages/Kids[%s]/Count %d>>", kids.String(), len(extra))
	return file{objects: objects}.bytes()
}

// plainPages is a document of n plain pages.
func plainPages(n int) []byte { return pages(make([]string, n)...) }

const (
	cells  = 7
	cellMM = 6.0 // the seal of cells measures 42 mm
)

// cellRed says which cells of the test seal are red; no row or column repeats and there is no symmetry. Row 0 is the
// uppermost.
func cellRed(column, row int) bool {
	rows := [cells]string{"X.XX..X", "XX.X.X.", ".XX.XX.", "X..XXXX", ".X.X..X", "XXX...X", "..X.XXX"}
	return rows[row][column] == 'X'
}

// cellSeal is a seal of 42 mm that shows red and white cells.
func cellSeal(t testing.TB) *pdf.Appearance {
	t.Helper()
	const side = cells * 60
	m := image.NewNRGBA(image.Rect(0, 0, side, side))
	for y := range side {
		for x := range side {
			c := color.NRGBA{255, 255, 255, 255}
			if cellRed(x/60, y/60) {
				c = color.NRGBA{220, 0, 20, 255}
			}
			m.SetNRGBA(x, y, c)
		}
	}
	a, err := pdf.NewAppearance(encode(m), 42, 42)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

const straddleDPI = 300

// rendered renders all pages of a file with mutool, which knows /UserUnit.
func rendered(t *testing.T, path string, dpi, count int) []image.Image {
	t.Helper()
	folder := t.TempDir()
	run := exec.Command(tooltest.Find(t, "mutool"), "draw", "-q", "-r", fmt.Sprint(dpi), "-o", filepath.Join(folder, "%d.png"), path)
	if complaint, err := run.CombinedOutput(); err != nil {
		t.Fatalf("mutool: %v\n%s", err, complaint)
	}
	out := make([]image.Image, count)
	for i := range out {
		f, err := os.Open(filepath.Join(folder, fmt.Sprintf("%d.png", i+1)))
		if err != nil {
			t.Fatal(err)
		}
		out[i], err = png.Decode(f)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// colourAt is what a page shows at a place in millimetres from its left and top: 'X' red, '.' anything else.
func colourAt(m image.Image, x, y float64) byte {
	r, g, _, _ := m.At(int(x/25.4*straddleDPI), int(y/25.4*straddleDPI)).RGBA()
	if r > 0x9000 && g < 0x6000 {
		return 'X'
	}
	return '.'
}

// TestTheStripsOfAStraddleSealTogetherAreTheSeal renders all pages, takes each strip from the edge of its page where the
// rules say that it stands, and compares it with the seal.
func TestTheStripsOfAStraddleSealTogetherAreTheSeal(t *testing.T) {
	// A4; lying; turned by 90, 180, 270; with a crop box; larger units.
	sheets := []string{"", "/MediaBox[0 0 841.89 595.276]", "/Rotate 90", "/Rotate 180/CropBox[20 30 500 700]", "/Rotate 270",
		"/CropBox[33.3 44.4 555.5 777.7]", "/UserUnit 1.5/MediaBox[-10 -20 400 500]/Rotate 90"}
	cases := []struct {
		name     string
		straddle pdf.Straddle
		// order lists the pages from left to right, or from below; of each group.
		groups [][]int
		edges  []pdf.Edge // of each group
	}{
		{"right", pdf.Straddle{}, [][]int{{1, 2, 3, 4, 5, 6, 7}}, []pdf.Edge{pdf.RightEdge}},
		{"left", pdf.Straddle{Edge: pdf.LeftEdge}, [][]int{{7, 6, 5, 4, 3, 2, 1}}, []pdf.Edge{pdf.LeftEdge}},
		{"top", pdf.Straddle{Edge: pdf.TopEdge}, [][]int{{1, 2, 3, 4, 5, 6, 7}}, []pdf.Edge{pdf.TopEdge}},
		{"bottom", pdf.Straddle{Edge: pdf.BottomEdge}, [][]int{{7, 6, 5, 4, 3, 2, 1}}, []pdf.Edge{pdf.BottomEdge}},
		{"groups", pdf.Straddle{Group: 3, Align: pdf.AlignStart, Offset: 20}, [][]int{{1, 2, 3}, {4, 5, 6}}, []pdf.Edge{pdf.RightEdge, pdf.RightEdge}},
		{"without a cover, from below", pdf.Straddle{SkipFirst: 2, Align: pdf.AlignEnd, Offset: 7}, [][]int{{3, 4, 5, 6, 7}}, []pdf.Edge{pdf.RightEdge}},
		{"some pages, off the middle", pdf.Straddle{Pages: "2,4-6", Offset: -11, Edge: pdf.LeftEdge}, [][]int{{6, 5, 4, 2}}, []pdf.Edge{pdf.LeftEdge}},
		{"both sides", pdf.Straddle{Sides: pdf.DoubleSided}, [][]int{{1, 3, 5, 7}, {2, 4, 6}}, []pdf.Edge{pdf.RightEdge, pdf.LeftEdge}},
		{"both sides, left", pdf.Straddle{Sides: pdf.DoubleSided, Edge: pdf.LeftEdge}, [][]int{{7, 5, 3, 1}, {6, 4, 2}}, []pdf.Edge{pdf.LeftEdge, pdf.RightEdge}},
		{"both sides, top", pdf.Straddle{Sides: pdf.DoubleSided, Edge: pdf.TopEdge, Align: pdf.AlignStart, Offset: 30}, [][]int{{1, 3, 5, 7}, {6, 4, 2}}, []pdf.Edge{pdf.TopEdge, pdf.TopEdge}},
		{"both sides, bottom", pdf.Straddle{Sides: pdf.DoubleSided, Edge: pdf.BottomEdge, Align: pdf.AlignEnd, Offset: 30}, [][]int{{7, 5, 3, 1}, {2, 4, 6}}, []pdf.Edge{pdf.BottomEdge, pdf.BottomEdge}},
		{"both sides, without a cover", pdf.Straddle{Sides: pdf.DoubleSided, SkipFirst: 1}, [][]int{{3, 5, 7}, {4, 6}}, []pdf.Edge{pdf.RightEdge, pdf.LeftEdge}},
		{"fronts only, without a cover", pdf.Straddle{Sides: pdf.FrontsOnly, SkipFirst: 1}, [][]int{{3, 5, 7}}, []pdf.Edge{pdf.RightEdge}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := request(t)
			r.Placements, r.Appearance, r.Straddle = nil, cellSeal(t), &c.straddle
			data := pages(sheets...)
			path := save(t, seal(t, data, r))
			images := rendered(t, path, straddleDPI, len(sheets))
			shown := map[int]bool{}
			for i, group := range c.groups {
				for part, page := range group {
					checkStrip(t, images[page-1], page, c.straddle, c.edges[i], part, len(group))
					shown[page] = true
				}
			}
			for i, m := range images {
				if !shown[i+1] && anyRed(m) {
					t.Errorf("page %d shows a strip", i+1)
				}
			}
		})
	}
}

// checkStrip compares a strip with the seal at points half a millimetre apart, except where cells meet.
func checkStrip(t *testing.T, m image.Image, page int, s pdf.Straddle, edge pdf.Edge, part, parts int) {
	t.Helper()
	const size = cells * cellMM
	width, height := float64(m.Bounds().Dx())*25.4/straddleDPI, float64(m.Bounds().Dy())*25.4/straddleDPI
	from, to := size*float64(part)/float64(parts), size*float64(part+1)/float64(parts)
	wrong := 0
	for x := 0.2; x < size; x += 0.5 {
		for y := 0.2; y < size; y += 0.5 { // from the top of the seal
			along, across := x, size-y
			if edge == pdf.TopEdge || edge == pdf.BottomEdge {
				along, across = across, x
			}
			if along < from+0.15 || along > to-0.15 || betweenCells(x) || betweenCells(y) {
				continue
			}
			var left, top float64
			switch edge {
			case pdf.RightEdge:
				left = width - (to - along)
			case pdf.LeftEdge:
				left = along - from
			case pdf.TopEdge:
				top = to - along
			case pdf.BottomEdge:
				top = height - (along - from)
			}
			if edge == pdf.RightEdge || edge == pdf.LeftEdge {
				top = startOf(s, height, size) + size - across
			} else {
				left = startOf(s, width, size) + across
			}
			want := byte('.')
			if cellRed(int(x/cellMM), int(y/cellMM)) {
				want = 'X'
			}
			if colourAt(m, left, top) != want {
				wrong++
			}
		}
	}
	if wrong > 0 {
		t.Errorf("page %d: %d points of strip %d of %d are not those of the seal", page, wrong, part+1, parts)
	}
}

// startOf is where the seal begins along an edge of some length, from the top or left.
func startOf(s pdf.Straddle, length, size float64) float64 {
	switch s.Align {
	case pdf.AlignStart:
		return s.Offset
	case pdf.AlignEnd:
		return length - s.Offset - size
	}
	return (length-size)/2 + s.Offset
}

func betweenCells(v float64) bool {
	rest := math.Mod(v, cellMM)
	return rest < 0.25 || rest > cellMM-0.25
}

func anyRed(m image.Image) bool {
	for y := m.Bounds().Min.Y; y < m.Bounds().Max.Y; y++ {
		for x := m.Bounds().Min.X; x < m.Bounds().Max.X; x++ {
			if r, g, _, _ := m.At(x, y).RGBA(); r > 0x9000 && g < 0x6000 {
				return true
			}
		}
	}
	return false
}

// TestStripsShareTheirBoundaries reads the boxes that clip the picture: they tile the seal digit for digit.
func TestStripsShareTheirBoundaries(t *testing.T) {
	for _, edge := range []pdf.Edge{pdf.RightEdge, pdf.BottomEdge} {
		r := request(t)
		r.Placements, r.Straddle = nil, &pdf.Straddle{Edge: edge, Group: 13}
		sealed := seal(t, plainPages(13), r)
		d := opened(t, sealed)
		var boxes []pdf.Rect
		for n := 1; n <= 13; n++ {
			page, err := d.Page(n)
			if err != nil {
				t.Fatal(err)
			}
			list := page.Dict.Get("Annots").(pdf.Array)
			annotation := resolved[pdf.Dict](t, d, list[0])
			look := resolved[pdf.Dict](t, d, annotation.Get("AP"))
			form := resolved[*pdf.Stream](t, d, look.Get("N"))
			box, stands := rectOf(form.Dict.Get("BBox")), rectOf(annotation.Get("Rect"))
			if math.Abs(box.Width()-stands.Width()) > 1e-9 || math.Abs(box.Height()-stands.Height()) > 1e-9 {
				t.Errorf("page %d: a box of %v is shown as %v", n, box, stands)
			}
			if edge == pdf.BottomEdge {
				box = pdf.Rect{X1: box.Y1, Y1: box.X1, X2: box.Y2, Y2: box.X2}
			}
			boxes = append(boxes, box)
		}
		if edge == pdf.BottomEdge {
			slices.Reverse(boxes)
		}
		for i, box := range boxes {
			if i == 0 && box.X1 != 0 || i > 0 && box.X1 != boxes[i-1].X2 {
				t.Errorf("strip %d begins at %v", i+1, box.X1)
			}
			if box.Y1 != 0 || math.Abs(box.Y2-42*72/25.4) > 1e-4 {
				t.Errorf("strip %d is %v", i+1, box)
			}
		}
		if end := boxes[12].X2; math.Abs(end-42*72/25.4) > 1e-4 {
			t.Errorf("the last strip ends at %v", end)
		}
	}
}

func resolved[T any](t *testing.T, d *pdf.Document, o pdf.Object) T {
	t.Helper()
	o, err := d.Resolve(o)
	v, ok := o.(T)
	if err != nil || !ok {
		t.Fatalf("%v is a %T, %v", o, o, err)
	}
	return v
}

func rectOf(o pdf.Object) pdf.Rect {
	list := o.(pdf.Array)
	var v [4]float64
	for i := range v {
		v[i], _ = pdf.Number(list[i])
	}
	return pdf.Rect{X1: v[0], Y1: v[1], X2: v[2], Y2: v[3]}
}

func TestPagesAreGroupedAndThoseLeftOverSaidSo(t *testing.T) {
	cases := []struct {
		name     string
		pages    int
		straddle pdf.Straddle
		parts    []int // of the marks, in order: how many strips its group has
		notes    []string
		code     string
	}{
		{"two pages", 2, pdf.Straddle{}, []int{2, 2}, []string{pdf.NoteGroups}, ""},
		{"as many as strips of 3 mm allow", 14, pdf.Straddle{}, slices.Repeat([]int{14}, 14), []string{pdf.NoteGroups}, ""},
		{"one more gives two even groups", 15, pdf.Straddle{}, append(slices.Repeat([]int{8}, 8), slices.Repeat([]int{7}, 7)...), []string{pdf.NoteGroups}, ""},
		{"groups as asked", 7, pdf.Straddle{Group: 4}, []int{4, 4, 4, 4, 3, 3, 3}, []string{pdf.NoteGroups}, ""},
		{"a single page left over", 7, pdf.Straddle{Group: 3}, []int{3, 3, 3, 3, 3, 3}, []string{pdf.NoteGroups, pdf.NoteSinglePage}, ""},
		{"the only page", 1, pdf.Straddle{}, nil, nil, "pdf.straddle-nothing"},
		{"the cover is all", 3, pdf.Straddle{SkipFirst: 3}, nil, nil, "pdf.straddle-nothing"},
		{"one page after the cover", 3, pdf.Straddle{SkipFirst: 2}, nil, nil, "pdf.straddle-nothing"},
		{"strips of a millimetre", 40, pdf.Straddle{Group: 40}, nil, nil, "pdf.straddle-too-thin"},
		{"a group larger than the document", 5, pdf.Straddle{Group: 40}, []int{5, 5, 5, 5, 5}, []string{pdf.NoteGroups}, ""},
		{"both sides, an odd page", 5, pdf.Straddle{Sides: pdf.DoubleSided}, []int{3, 3, 3, 2, 2}, []string{pdf.NoteGroups, pdf.NoteGroups}, ""},
		{"both sides, a single back", 3, pdf.Straddle{Sides: pdf.DoubleSided}, []int{2, 2}, []string{pdf.NoteGroups, pdf.NoteSinglePage}, ""},
		{"a page that is not there", 3, pdf.Straddle{Pages: "1-4"}, nil, nil, "pdf.no-such-page"},
		{"beside the paper", 3, pdf.Straddle{Align: pdf.AlignStart, Offset: 256}, nil, nil, "pdf.outside-page"},
		{"groups of one", 3, pdf.Straddle{Group: 1}, nil, nil, "pdf.bad-request"},
		{"no such edge", 3, pdf.Straddle{Edge: 9}, nil, nil, "pdf.bad-request"},
		{"an offset that is no number", 3, pdf.Straddle{Offset: math.NaN()}, nil, nil, "pdf.bad-request"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := request(t)
			r.Placements, r.Straddle = nil, &c.straddle
			u, err := opened(t, plainPages(c.pages)).PlanSeal(context.Background(), r)
			if codeOf(err) != c.code {
				t.Fatalf("%v, want %q", err, c.code)
			}
			if err != nil {
				return
			}
			var parts []int
			for _, m := range u.Marks() {
				parts = append(parts, m.Parts)
			}
			var notes []string
			for _, n := range u.Notes() {
				notes = append(notes, n.Code)
			}
			if !slices.Equal(parts, c.parts) || !slices.Equal(notes, c.notes) {
				t.Errorf("parts %v, notes %v; want %v and %v", parts, notes, c.parts, c.notes)
			}
		})
	}
}

// TestASealBesideAStraddleSealOfOnePage: the only page skips the straddle seal and says so.
func TestASealBesideAStraddleSealOfOnePage(t *testing.T) {
	r := request(t)
	r.Straddle = &pdf.Straddle{}
	u := plan(t, plainPages(1), r)
	if len(u.Marks()) != 1 || len(u.Notes()) != 1 || u.Notes()[0].Code != pdf.NoteSinglePage || u.Notes()[0].Page != 1 {
		t.Errorf("marks %v, notes %v", u.Marks(), u.Notes())
	}
}
