package imprint

import (
	"archive/zip"
	"bytes"
	"image"
	"image/draw"
	"image/png"
)

// Exhibits are the pictures in evidence as people look at them.
type Exhibits struct {
	// Imprints are the imprints as they were scanned, upright as the page is, the better one first; fewer than were used
	// where they were too large to keep.
	Imprints []Exhibit
	// Filled is the canvas of the template: index FilledBridged where ink was carried over under print, FilledCompleted
	// where the other imprint gave it, 0 elsewhere.
	Filled *image.Paletted
}

// Exhibit is a part of a scan with its size on paper in millimetres.
type Exhibit struct {
	Picture       image.Image
	Width, Height float64
}

// What the pixels of Exhibits.Filled stand for.
const (
	FilledBridged   = 1
	FilledCompleted = 2
)

// exhibitMargin is what is shown around an imprint, in millimetres.
const exhibitMargin = 2.0

// ReadExhibits reads the pictures out of what Result.Evidence gave. Error: imprint.evidence.
func ReadExhibits(evidence []byte) (Exhibits, error) {
	head, files, err := readEvidence(evidence)
	if err != nil {
		return Exhibits{}, err
	}
	if !validDPI(head.Scale.X) || !validDPI(head.Scale.Y) || head.Orientation < 0 || head.Orientation > 8 {
		return Exhibits{}, errEvidence.Saying("比例和方向", "scale and orientation")
	}
	var e Exhibits
	if e.Filled, err = readFilled(files["filled.png"]); err != nil {
		return Exhibits{}, err
	}
	for i, c := range head.Crops {
		if c.Omitted {
			continue
		}
		stored, err := c.image(i, files)
		if err != nil {
			return Exhibits{}, err
		}
		shown := shownUpright(stored, head.Orientation)
		mark := orientRectangle(c.Mark.Sub(image.Pt(c.Left, c.Top)), stored.Bounds().Dx(), stored.Bounds().Dy(), head.Orientation)
		around := image.Pt(int(exhibitMargin*head.Scale.X/millimetresPerInch), int(exhibitMargin*head.Scale.Y/millimetresPerInch))
		b := image.Rectangle{Min: mark.Min.Sub(around), Max: mark.Max.Add(around)}.Intersect(shown.Rect)
		if b.Empty() {
			return Exhibits{}, errEvidence.With("%v", c.Mark)
		}
		shown = shown.SubImage(b).(*image.RGBA)
		e.Imprints = append(e.Imprints, Exhibit{shown, float64(b.Dx()) / head.Scale.X * millimetresPerInch, float64(b.Dy()) / head.Scale.Y * millimetresPerInch})
	}
	return e, nil
}

func readFilled(file []byte) (*image.Paletted, error) {
	c, err := png.DecodeConfig(bytes.NewReader(file))
	if err != nil {
		return nil, errEvidence.Because(err)
	}
	if c.Width > mostTemplateSide || c.Height > mostTemplateSide {
		return nil, errEvidence.With("%d × %d", c.Width, c.Height)
	}
	m, err := png.Decode(bytes.NewReader(file))
	if err != nil {
		return nil, errEvidence.Because(err)
	}
	filled, ok := m.(*image.Paletted)
	if !ok {
		return nil, errEvidence.With("%T", m)
	}
	return filled, nil
}

// shownUpright turns a stored picture as EXIF says (orientation 1 to 8; 0 is 1).
func shownUpright(m image.Image, orientation int) *image.RGBA {
	b := m.Bounds()
	stored := image.NewRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
	draw.Draw(stored, stored.Rect, m, b.Min, draw.Src)
	if orientation < 2 {
		return stored
	}
	shown := image.NewRGBA(orientRectangle(stored.Rect, b.Dx(), b.Dy(), orientation))
	for y := range b.Dy() {
		for x := range b.Dx() {
			to := orientRectangle(image.Rect(x, y, x+1, y+1), b.Dx(), b.Dy(), orientation).Min
			shown.SetRGBA(to.X, to.Y, stored.RGBAAt(x, y))
		}
	}
	return shown
}

// EvidenceFile is one file of evidence.
type EvidenceFile struct {
	Name string
	Data []byte
}

// EvidenceFiles takes evidence apart into its files. Error: imprint.evidence.
func EvidenceFiles(evidence []byte) ([]EvidenceFile, error) {
	_, files, err := readEvidence(evidence)
	if err != nil {
		return nil, err
	}
	r, err := zip.NewReader(bytes.NewReader(evidence), int64(len(evidence)))
	if err != nil {
		return nil, errEvidence.Because(err)
	}
	var list []EvidenceFile
	for _, f := range r.File {
		list = append(list, EvidenceFile{f.Name, files[f.Name]})
	}
	return list, nil
}
