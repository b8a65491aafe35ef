package form

import (
	"context"
	"math"

	"yinxin/internal/fault"
	"yinxin/internal/scan"
)

// ScannedPage is what is known of one page of a scan. Places are pixels of the picture as it is stored.
type ScannedPage struct {
	Page   int `json:"page"` // counted from 1
	Width  int `json:"widthPixels"`
	Height int `json:"heightPixels"`
	// Number is the application number of the QR code; empty for a page that has none of ours: somebody says by hand what
	// it is.
	Number string `json:"number"`
	// Problem is the code of the error for a page that could not be looked at: attachment.no-picture, ….
	Problem string `json:"problem,omitempty"`

	// The rest is there for a page with a number only.

	// Turn is by how many degrees clockwise the picture must be turned to stand upright: 0, 90, 180 or 270; Skew how far
	// the sheet still lies askew then, degrees clockwise.
	Turn int     `json:"turnDegrees"`
	Skew float64 `json:"skewDegrees"`
	// DPI is the resolution of the scan. DPISource is "file", or "marks" where the file says nothing that can be: then the
	// printed squares are the measure, and the form must have been printed in its true size.
	DPI       float64 `json:"dpi"`
	DPISource string  `json:"dpiSource"`
	// PrintScale is how large the form was printed, 1 being its true size; 0 where the file does not say its resolution.
	PrintScale float64 `json:"printScale"`
	// Marks is how many of the four squares were found, and Residual the disagreement between them and the QR code in
	// millimetres. Precise: at least three, and they agree; otherwise a person has to look where the boxes are.
	Marks    int     `json:"marks"`
	Residual float64 `json:"residualMM"`
	Precise  bool    `json:"precise"`
	// Both is 印模1 and 印模2 together, which sealer/imprint makes one template of, comparing them; Imprints are the two by
	// themselves, UnitStamp is the place of 申办单位公章. Cut gives their pictures.
	Both      Region    `json:"both"`
	Imprints  [2]Region `json:"imprints"`
	UnitStamp Region    `json:"unitStamp"`
}

// Region is a box of the form on a scan: its upper left, upper right, lower right and lower left corner, as the form is read.
type Region [4]Point

// mostResidual is how far the QR code may be from where the squares say that it is, in millimetres.
const mostResidual = 1.0

// Recognise looks at all pages of a scan for our forms. A page that cannot be looked at is there with its Problem. Error:
// that of ctx.
func Recognise(ctx context.Context, f *scan.File) ([]ScannedPage, error) {
	pages := make([]ScannedPage, len(f.Pages))
	for i := range pages {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		pages[i] = recognise(f, i)
	}
	return pages, nil
}

func recognise(f *scan.File, i int) ScannedPage {
	page := ScannedPage{Page: i + 1}
	img, err := f.Picture(i)
	if err != nil {
		page.Problem = fault.CodeOf(err)
		return page
	}
	page.Width, page.Height = img.Bounds().Dx(), img.Bounds().Dy()
	p := planeOf(img)
	code, ok := findCode(p)
	if !ok {
		return page
	}
	sheet, ok := straighten(p, code)
	if !ok {
		return page
	}
	page.Number, page.Marks, page.Residual = code.number, sheet.marks, sheet.residual
	page.Precise = sheet.marks >= 3 && sheet.residual <= mostResidual
	page.orient(sheet.angle())
	page.measure(sheet.transform, f.Pages[i])
	both := imprints[0]
	both.Width += imprints[1].Width
	page.Both = region(sheet.transform, both)
	page.Imprints = [2]Region{region(sheet.transform, imprints[0]), region(sheet.transform, imprints[1])}
	page.UnitStamp = region(sheet.transform, unitSeal)
	return page
}

func region(t transform, b Box) Region {
	return Region{t.apply(Point{b.X, b.Y}), t.apply(Point{b.X + b.Width, b.Y}), t.apply(Point{b.X + b.Width, b.Y + b.Height}), t.apply(Point{b.X, b.Y + b.Height})}
}

// orient splits the angle of the sheet into quarters and a rest.
func (s *ScannedPage) orient(angle float64) {
	quarters := math.Round(angle / 90)
	s.Skew = angle - quarters*90
	s.Turn = (int(-quarters)*90 + 720) % 360
}

// measure settles the resolution. What the file says counts as long as it can be: a form that was printed to fit the page
// is a few per cent smaller, but the seal on it is not.
func (s *ScannedPage) measure(t transform, p scan.Page) {
	across, down := t.scale()
	if s.Turn%180 == 90 {
		across, down = down, across
	}
	byMarks := (across + down) / 2 * 25.4
	s.DPI, s.DPISource = byMarks, "marks"
	if p.DPIX == 0 || p.DPIY == 0 {
		return
	}
	scale := math.Sqrt(across*25.4/p.DPIX) * math.Sqrt(down*25.4/p.DPIY)
	if scale < 0.9 || scale > 1.1 || math.Abs(p.DPIX/p.DPIY-1) > 0.02 {
		return
	}
	s.DPI, s.DPISource, s.PrintScale = (p.DPIX+p.DPIY)/2, "file", scale
}
