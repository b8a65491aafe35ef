package sheet

import (
	"image"

	"yinxin/internal/fault"
	"yinxin/internal/paper"
	"yinxin/sealer/imprint"
)

var errFont = fault.Spec{Kind: fault.Invalid, Code: "sheet.bad-font",
	ZH: "字体文件无法用于绘制图片。", EN: "The font cannot be used to draw pictures."}

// Data is what stands on a sheet.
type Data struct {
	Title string // of the scan: the name of its file, or the number of an application
	// Facts stand below the title: the unit, the digest of the scan, who accepted a warning and why.
	Facts  []Fact
	Result *imprint.Result
	// Vector is the outline of the template; nil where it has none.
	Vector *imprint.Vector
	// Evidence is what Result.Evidence gave, for the pictures of the sources; empty where it was not kept.
	Evidence []byte
	// Against is the comparison with an earlier template; nil where there was none.
	Against *Against
	// Font is a TrueType font with Chinese characters (truetype.Find).
	Font []byte
}

// Fact is a line of the head.
type Fact struct{ Label, Text string }

// Against is a comparison with an earlier template.
type Against struct {
	Old        []byte // PNG; nil where it is not at hand any more
	Difference []byte // PNG on the same canvas; nil where there is none
	Outcome    imprint.Outcome
	Sentence   string
}

// seal is the template as it is drawn.
type seal struct {
	picture image.Image
	vector  *imprint.Vector
}

// prepare decodes the pictures and cuts the font to what will be written.
func (d Data) prepare() (*paper.Face, *layout, error) {
	l := &layout{data: d}
	var err error
	if l.template.picture, err = imprint.DecodeTemplate(d.Result.Template); err != nil {
		return nil, nil, err
	}
	l.template.vector = d.Vector
	if err := l.evidence(); err != nil {
		return nil, nil, err
	}
	if err := l.comparison(); err != nil {
		return nil, nil, err
	}
	var r reader
	l.draw(&r)
	face, err := paper.NewFace(d.Font, r.texts)
	return face, l, err
}

// comparison decodes the pictures of a comparison.
func (l *layout) comparison() (err error) {
	a := l.data.Against
	if a == nil {
		return nil
	}
	if a.Old != nil {
		if l.old, err = imprint.DecodeTemplate(a.Old); err != nil {
			return err
		}
	}
	if a.Difference != nil {
		l.versus, err = imprint.DecodeTemplate(a.Difference)
	}
	return err
}
