package sheet

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"time"

	"yinxin/sealer/imprint"
)

// File is one file of the evidence.
type File struct {
	Name string
	Data []byte
}

// Files are everything by which a template can be judged and made again: the imprints as they were scanned, the template
// and its outline, where it does not come straight from an imprint, all measures, the options and the version of the
// method, and the sheet. Errors: those of PDF.
func Files(d Data) ([]File, error) {
	measures, err := json.MarshalIndent(struct {
		Scan   string                  `json:"scan"`
		Facts  []Fact                  `json:"facts,omitempty"`
		Result *imprint.Result         `json:"result"`
		Vector *imprint.VectorMeasures `json:"outline,omitempty"`
	}{d.Title, d.Facts, d.Result, d.vectorMeasures()}, "", "  ")
	if err != nil {
		return nil, err
	}
	files := []File{{"measures.json", append(measures, '\n')}, {"template.png", d.Result.Template}, {"picture-300dpi.png", d.Result.Picture}}
	if d.Vector != nil {
		files = append(files, File{"outline.svg", d.Vector.SVG()})
	}
	files = append(files, d.evidenceFiles()...)
	if d.Against != nil {
		files = append(files, File{"earlier-template.png", d.Against.Old})
		if d.Against.Difference != nil {
			files = append(files, File{"difference.png", d.Against.Difference})
		}
	}
	var page bytes.Buffer
	if err := PDF(&page, d); err != nil {
		return nil, err
	}
	return append(files, File{"sheet.pdf", page.Bytes()}), nil
}

func (d Data) vectorMeasures() *imprint.VectorMeasures {
	if d.Vector == nil {
		return nil
	}
	return &d.Vector.Measures
}

// noTime is the earliest time that an archive can say: the same evidence gives the same bytes.
var noTime = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

// Zip writes the files of the evidence as one archive, which is the same every time. Errors: those of
// Files, and those of w.
func Zip(w io.Writer, d Data) error {
	files, err := Files(d)
	if err != nil {
		return err
	}
	z := zip.NewWriter(w)
	for _, f := range files {
		part, err := z.CreateHeader(&zip.FileHeader{Name: f.Name, Method: zip.Deflate, Modified: noTime})
		if err != nil {
			return err
		}
		if _, err := part.Write(f.Data); err != nil {
			return err
		}
	}
	return z.Close()
}
