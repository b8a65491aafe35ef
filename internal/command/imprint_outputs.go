package command

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"yinxin/internal/fault"
	"yinxin/internal/truetype"
	"yinxin/sealer/imprint"
	"yinxin/sealer/imprint/sheet"
)

var errNoOutline = fault.Spec{Kind: fault.Refused, Code: "imprint.no-outline",
	ZH: "模板过于杂乱，不能描出矢量轮廓。", EN: "The template has too many edges to be traced."}

// outputs are the files that are written for one form; what is not asked for is empty.
type outputs struct{ template, svg, pdf, thumbnail, sheet, evidence string }

func (c imprintCommand) outputs() outputs {
	return outputs{template: c.Output, svg: c.SVG, pdf: c.PDF, thumbnail: c.Thumbnail, sheet: c.Sheet, evidence: c.Evidence}
}

// named pairs what is asked for with its flag.
func (o outputs) named() []struct{ flag, name string } {
	var list []struct{ flag, name string }
	for _, f := range []struct{ flag, name string }{{"-o", o.template}, {"--svg", o.svg}, {"--pdf", o.pdf}, {"--thumbnail", o.thumbnail},
		{"--sheet", o.sheet}, {"--evidence", o.evidence}} {
		if f.name != "" {
			list = append(list, f)
		}
	}
	return list
}

// check refuses outputs that could not be written, that are the scan, or that are each other, before anything is done.
func (o outputs) check(form string) error {
	seen := map[string]bool{}
	for _, f := range o.named() {
		if sameFile(form, f.name) {
			return errSameFile.At(fault.File(f.name))
		}
		if whole, err := filepath.Abs(f.name); err == nil {
			if seen[whole] {
				return errFlag.At(fault.Field(f.flag)).Saying("与另一个输出相同", "the same as another output")
			}
			seen[whole] = true
		}
		if f.flag == "--evidence" && !isZip(f.name) {
			if info, err := os.Stat(f.name); err == nil && !info.IsDir() {
				return errNoFolder.At(fault.File(f.name)).Saying("文件名应以 .zip 结尾", "or a name that ends in .zip")
			}
			if err := checkPlace(f.name); err != nil {
				return err
			}
			continue
		}
		if err := checkOutput(f.name); err != nil {
			return err
		}
	}
	if o.sheet != "" && !hasEnding(o.sheet, ".pdf", ".png") {
		return errFlag.At(fault.Field("--sheet")).Saying("文件名应以 .pdf 或 .png 结尾", "the name ends in .pdf or .png")
	}
	for _, f := range []struct{ flag, name, ending string }{{"-o", o.template, ".png"}, {"--svg", o.svg, ".svg"}, {"--pdf", o.pdf, ".pdf"}, {"--thumbnail", o.thumbnail, ".png"}} {
		// A name without an ending is as it was meant; a picture under the name of another kind is taken for damaged.
		if hasEnding(f.name, ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".pdf", ".svg", ".zip") && !hasEnding(f.name, f.ending) {
			return errFlag.At(fault.Field(f.flag)).Saying("文件名应以 "+f.ending+" 结尾", "the name ends in "+f.ending)
		}
	}
	return nil
}

func hasEnding(name string, endings ...string) bool {
	for _, e := range endings {
		if strings.EqualFold(filepath.Ext(name), e) {
			return true
		}
	}
	return false
}

func isZip(name string) bool { return hasEnding(name, ".zip") }

// written are the names of what write writes for a result: of one that cannot become a seal only what a person judges by.
func (o outputs) written(m made) []string {
	var names []string
	for _, f := range o.named() {
		if m.Acceptable() || isForJudging(f.flag) {
			names = append(names, f.name)
		}
	}
	return names
}

// isForJudging reports whether an output is for people to judge by: it is written also where there may be no template.
func isForJudging(flag string) bool { return flag == "--sheet" || flag == "--evidence" }

// withdraw takes away the template of an earlier run, and what belongs to it, which is not this scan's any more.
func (o outputs) withdraw() error {
	for _, f := range o.named() {
		if isForJudging(f.flag) {
			continue
		}
		if err := os.Remove(f.name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// wanted is what these outputs, and the report as JSON, tell of a template.
func (o outputs) wanted(json bool) wanted {
	return wanted{digest: json || o.sheet != "", outline: json || o.sheet != "" || o.svg != "" || o.pdf != ""}
}

// write writes everything, the template last: where it is, all of it is.
func (o outputs) write(ctx context.Context, m made, font []byte) error {
	data := sheet.Data{Title: filepath.Base(m.name), Facts: []sheet.Fact{{Label: "SM3", Text: m.digest}}, Result: m.Result, Vector: m.vector, Font: font}
	if c := m.compared; c != nil {
		data.Against = &sheet.Against{Old: m.earlier, Difference: c.Picture, Outcome: c.Outcome, Sentence: c.ZH}
	}
	if o.sheet != "" || o.evidence != "" {
		var err error
		if data.Evidence, err = m.Evidence(); err != nil {
			return err
		}
	}
	if o.sheet != "" {
		draw := sheet.PDF
		if hasEnding(o.sheet, ".png") {
			draw = sheet.PNG
		}
		if err := writeFile(ctx, o.sheet, 0o644, func(w io.Writer) error { return draw(w, data) }); err != nil {
			return err
		}
	}
	if o.evidence != "" {
		if err := o.writeEvidence(ctx, data.Evidence); err != nil {
			return err
		}
	}
	if !m.Acceptable() {
		return nil
	}
	if (o.svg != "" || o.pdf != "") && m.vector == nil {
		return errNoOutline.At(fault.File(m.name))
	}
	if o.svg != "" {
		if err := writeBytes(ctx, o.svg, 0o644, m.vector.SVG()); err != nil {
			return err
		}
	}
	if o.pdf != "" {
		if err := writeFile(ctx, o.pdf, 0o644, func(w io.Writer) error { return sheet.Outline(w, m.vector, data.Title) }); err != nil {
			return err
		}
	}
	if o.thumbnail != "" {
		small, err := imprint.Thumbnail(m.Template, imprint.ThumbnailSide)
		if err != nil {
			return err
		}
		if err := writeBytes(ctx, o.thumbnail, 0o644, small); err != nil {
			return err
		}
	}
	return writeBytes(ctx, o.template, 0o644, m.Template)
}

// writeEvidence writes the evidence as an archive, or its files into a folder. It shows parts of the scan.
func (o outputs) writeEvidence(ctx context.Context, evidence []byte) error {
	if isZip(o.evidence) {
		return writeBytes(ctx, o.evidence, 0o600, evidence)
	}
	files, err := imprint.EvidenceFiles(evidence)
	if err != nil {
		return err
	}
	if err := os.Mkdir(o.evidence, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	for _, f := range files {
		if err := writeBytes(ctx, filepath.Join(o.evidence, f.Name), 0o600, f.Data); err != nil {
			return err
		}
	}
	return nil
}

// readFont reads a TrueType font with Chinese characters: the one named, or that of this system.
func readFont(name string) ([]byte, error) {
	if name == "" {
		found, err := truetype.Find()
		if err != nil {
			return nil, err
		}
		name = found
	}
	return os.ReadFile(name)
}
