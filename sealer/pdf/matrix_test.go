package pdf_test

import (
	"fmt"
	"image"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"yinxin/internal/tooltest"
	"yinxin/sealer/pdf"
)

// producers write a file anew, each in its own shape. None of them is ours.
var producers = []struct {
	name    string
	command []string // with IN and OUT
}{
	{"qpdf, table", []string{"qpdf", "--object-streams=disable", "IN", "OUT"}},
	{"qpdf, object streams", []string{"qpdf", "--object-streams=generate", "IN", "OUT"}},
	{"qpdf, linearised", []string{"qpdf", "--linearize", "--object-streams=generate", "IN", "OUT"}},
	{"mutool, cleaned", []string{"mutool", "clean", "-gg", "IN", "OUT"}},
}

// produce has another program write a file.
func produce(t *testing.T, data []byte, command []string) []byte {
	t.Helper()
	in, out := save(t, data), filepath.Join(t.TempDir(), "out.pdf")
	var arguments []string
	for _, a := range command[1:] {
		switch a {
		case "IN":
			a = in
		case "OUT":
			a = out
		}
		arguments = append(arguments, a)
	}
	if complaint, err := exec.Command(tooltest.Find(t, command[0]), arguments...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", command[0], err, complaint)
	}
	written, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return written
}

// redIn is the box of what is red in a part of a picture, in pixels.
func redIn(m image.Image, part image.Rectangle) image.Rectangle {
	box := image.Rectangle{}
	for y := part.Min.Y; y < part.Max.Y; y++ {
		for x := part.Min.X; x < part.Max.X; x++ {
			if r, g, _, _ := m.At(x, y).RGBA(); r > 0xA000 && g < 0x8800 {
				box = box.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	return box
}

// TestSeveralSealsOfOneSignatureStandWhereTheyWerePut seals four corners of a page and the middle of another under one
// signature, whatever program wrote the file, however the page lies, and measures them on the rendered pages.
func TestSeveralSealsOfOneSignatureStandWhereTheyWerePut(t *testing.T) {
	const dpi, sizeMM = 200, 20.0
	a, err := pdf.NewAppearance(redDisc(), sizeMM, sizeMM)
	if err != nil {
		t.Fatal(err)
	}
	places := []pdf.Placement{
		{Page: 1, From: pdf.BottomLeft, X: 11, Y: 7.5}, {Page: 1, From: pdf.BottomRight, X: 3, Y: 12},
		{Pages: "1", From: pdf.TopLeft, X: 0, Y: 21}, {Page: -2, From: pdf.TopRight, X: 14.25, Y: 0},
		{Pages: "-1", From: pdf.Centre, X: 61, Y: 58},
	}
	for _, producer := range producers {
		for _, rotate := range []int{0, 90, 180, 270} {
			for _, box := range []string{"", "/CropBox[51.5 60 480 660.25]", "/UserUnit 1.25/MediaBox[-100 -50 350 420]"} {
				t.Run(fmt.Sprintf("%s, rotated by %d, %s", producer.name, rotate, box), func(t *testing.T) {
					t.Parallel()
					extra := fmt.Sprintf("/Rotate %d%s", rotate, box)
					data := produce(t, pages(extra, extra), producer.command)
					r := request(t)
					r.Appearance, r.Placements = a, places
					u := plan(t, data, r)
					if len(u.Marks()) != 5 {
						t.Fatalf("%d marks", len(u.Marks()))
					}
					path := save(t, seal(t, data, r))
					images := rendered(t, path, dpi, 2)
					for i, m := range u.Marks() {
						checkMark(t, images[m.Page-1], dpi, i, m, places[i], sizeMM)
					}
					checkWithTools(t, path, true)
				})
			}
		}
	}
}

// checkMark measures one seal: against what was asked for and against what the plan says.
func checkMark(t *testing.T, m image.Image, dpi, i int, mark pdf.Mark, at pdf.Placement, size float64) {
	t.Helper()
	b := m.Bounds()
	mm := func(pixels int) float64 { return float64(pixels) * 25.4 / float64(dpi) }
	half := image.Pt(b.Dx()/2, b.Dy()/2)
	part := b
	switch at.From {
	case pdf.BottomLeft:
		part.Max.X, part.Min.Y = half.X, half.Y
	case pdf.BottomRight:
		part.Min = half
	case pdf.TopLeft:
		part.Max = half
	case pdf.TopRight:
		part.Min.X, part.Max.Y = half.X, half.Y
	}
	box := redIn(m, part)
	left, right, top, bottom := mm(box.Min.X), mm(b.Dx()-box.Max.X), mm(box.Min.Y), mm(b.Dy()-box.Max.Y)
	near := func(what string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 0.2 {
			t.Errorf("place %d: %s is %.2f mm, want %.2f", i, what, got, want)
		}
	}
	near("the width", mm(box.Dx()), size)
	near("the height", mm(box.Dy()), size)
	switch at.From {
	case pdf.BottomLeft, pdf.TopLeft:
		near("the distance from the left", left, at.X)
	case pdf.BottomRight, pdf.TopRight:
		near("the distance from the right", right, at.X)
	case pdf.Centre:
		near("the middle from the left", left+size/2, at.X)
		near("the middle from below", bottom+size/2, at.Y)
	}
	switch at.From {
	case pdf.BottomLeft, pdf.BottomRight:
		near("the distance from below", bottom, at.Y)
	case pdf.TopLeft, pdf.TopRight:
		near("the distance from above", top, at.Y)
	}
	near("the mark's left", left, mark.Shown.X1)
	near("the mark's bottom", bottom, mark.Shown.Y1)
	near("the mark's width", mark.Shown.Width(), size)
	near("the mark's height", mark.Shown.Height(), size)
}

// TestFurtherPlacesAreLockedAnnotationsThatShareThePicture looks at the objects: one widget, stamps with the flags that
// keep readers off, one picture.
func TestFurtherPlacesAreLockedAnnotationsThatShareThePicture(t *testing.T) {
	data := plainPages(4)
	r := request(t)
	r.Placements = []pdf.Placement{{Pages: "all", X: 20, Y: 20}}
	r.Straddle = &pdf.Straddle{}
	sealed := seal(t, data, r)
	checkSealed(t, data, sealed, 1)
	d := opened(t, sealed)
	names, pictures, forms := map[string]bool{}, map[pdf.Ref]bool{}, map[pdf.Ref]bool{}
	for n := 1; n <= 4; n++ {
		page, err := d.Page(n)
		if err != nil {
			t.Fatal(err)
		}
		list := page.Dict.Get("Annots").(pdf.Array)
		if len(list) != 2 {
			t.Fatalf("page %d has %d annotations", n, len(list))
		}
		for i, o := range list {
			a := resolved[pdf.Dict](t, d, o)
			look := resolved[pdf.Dict](t, d, a.Get("AP")).Get("N")
			form := resolved[*pdf.Stream](t, d, look)
			forms[look.(pdf.Ref)] = true
			resources := resolved[pdf.Dict](t, d, form.Dict.Get("Resources"))
			pictures[resolved[pdf.Dict](t, d, resources.Get("XObject")).Get("Seal").(pdf.Ref)] = true
			if a.Get("P") != page.Ref {
				t.Errorf("page %d: /P is %v", n, a.Get("P"))
			}
			if n == 1 && i == 0 {
				if a.Get("Subtype") != pdf.Name("Widget") || a.Get("F") != pdf.Integer(132) {
					t.Errorf("the first place is %v", a)
				}
				continue
			}
			if a.Get("Subtype") != pdf.Name("Stamp") || a.Get("F") != pdf.Integer(4|64|128|512) || a.Has("Popup") {
				t.Errorf("page %d: annotation %d is %v", n, i, a)
			}
			name := a.Get("NM").(pdf.String).Text()
			if names[name] {
				t.Errorf("%s stands twice", name)
			}
			names[name] = true
			if text := a.Get("Contents").(pdf.String).Text(); text == "" {
				t.Error("an annotation without text")
			}
		}
	}
	// One form for the whole seals, one for each strip.
	if len(pictures) != 1 || len(forms) != 5 {
		t.Errorf("%d pictures, %d forms", len(pictures), len(forms))
	}
}
