package sheet

import (
	"io"

	"yinxin/internal/paper"
	"yinxin/sealer/imprint"
	"yinxin/sealer/imprint/outline"
)

// Outline writes a PDF of one page, which is exactly as large as the seal, with its outline on it. Errors are those of w.
func Outline(w io.Writer, v *imprint.Vector, title string) error {
	d := paper.NewDocument(nil)
	page := d.Add(v.Width*points, v.Height*points)
	page.Draw("q %.4f 0 0 %.4f 0 0 cm\n%s\nQ\n", v.Width*points, v.Height*points, v.Path())
	return d.Write(w, paper.Meta{Title: title, Language: "zh-CN", TrueSize: true})
}

// Trace finds the outline of a result's template; nil where it is not one that can be traced.
func Trace(r *imprint.Result) (*imprint.Vector, error) {
	v, err := imprint.Trace(r.Template, r.Width, r.Height)
	if outline.Refused(err) {
		return nil, nil
	}
	return v, err
}
