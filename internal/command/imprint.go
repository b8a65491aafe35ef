package command

import (
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"strings"

	"yinxin/internal/fault"
	"yinxin/sealer/imprint"
	"yinxin/sealer/imprint/sheet"
)

// maxScan is the largest scan that is read, in bytes.
const maxScan = 256 << 20

var errScanTooLarge = fault.Spec{Kind: fault.TooLarge, Code: "file.too-large",
	ZH: "扫描件太大。", EN: "The scan is too large."}

type imprintCommand struct {
	Form      string  `arg:"" help:"Scan of the stamped form, or a crop of it: JPEG, PNG, TIFF or PDF; or a folder of scans." placeholder:"FORM"`
	Output    string  `short:"o" required:"" help:"Where the template goes: PNG, 600 dpi, transparent. For a folder of scans: a folder." placeholder:"PNG|DIR"`
	Size      string  `help:"Size of the real seal in mm: a diameter (42) or width x height (40x30)." placeholder:"MM"`
	Shape     string  `help:"Outline of the seal: round, ellipse, rectangle (square too), frameless (default: what the size and the scan say)." enum:",round,ellipse,rectangle,frameless" default:"" placeholder:"SHAPE"`
	Polarity  string  `help:"positive (阳文: characters of ink) or negative (阴文: characters of paper) (default: what the scan shows)." enum:",positive,negative" default:"" placeholder:"POLARITY"`
	Colour    string  `help:"Colour of the ink: red, blue, green, purple." enum:"red,blue,green,purple" default:"red" placeholder:"COLOUR"`
	DPI       float64 `name:"dpi" help:"Resolution of the scan, when the file does not say." placeholder:"N"`
	Page      int     `help:"Page of the scan, counted from 1 (default: the first one with a mark like a seal)." placeholder:"N"`
	EveryPage bool    `name:"every-page" help:"Each page of a scan is a form of its own; also for a single file, which is treated like a folder then."`
	SVG       string  `name:"svg" help:"Also write the outline as SVG." placeholder:"FILE"`
	PDF       string  `name:"pdf" help:"Also write the outline as a PDF page of the size of the seal: paths, without transparency." placeholder:"FILE"`
	Thumbnail string  `help:"Also write a small picture for lists: PNG, 128 pixels." placeholder:"FILE"`
	Sheet     string  `help:"Also write a page to judge by, with the imprints, the template, gates and measures: .pdf or .png." placeholder:"FILE"`
	Evidence  string  `help:"Also write what the template was made from, by which it can be made again: the imprints as scanned, what was filled in, all measures, parameters and version: a .zip, or a folder." placeholder:"ZIP|DIR"`
	Against   string  `help:"Compare with an existing template of the same size (PNG): same, different, or cannot tell, with the places marked on the sheet." placeholder:"PNG"`
	Font      string  `help:"TrueType font with Chinese characters for --sheet (default: the one of this system)." placeholder:"FILE" env:"YINXIN_FONT"`
	Sizes     string  `help:"For a folder: table with the size of each form, name,size or name,size,shape in each line (CSV)." placeholder:"CSV"`
	Table     string  `help:"For a folder: where the table of results goes (default: table.csv among the templates)." placeholder:"CSV"`
	Again     bool    `help:"For a folder: also forms that the table says are done."`
	JSON      bool    `name:"json" help:"Print measures and gates as JSON; for a folder a list with an object per form."`
}

// Help is printed by --help.
func (imprintCommand) Help() string {
	return `Exit status: 0 the template is usable, or only doubtful (reasons are printed); 3 the form has to be stamped again (reasons are printed, no template is written, but --sheet and --evidence are); 1 failed. For a folder: 0 all have a template, 3 some must be stamped again, 1 some failed.

A folder of scans gives a folder of templates and table.csv, which Excel and WPS open. Every other output named is a folder then, with a file per form. In the tables of sizes and results, page 3 of scan.pdf is scan.pdf#3 with --every-page. One scan that fails does not stop the others. A run that was interrupted leaves whole files only; the next run skips what is done and has not changed.

Examples:
  yinxin imprint form.jpg --size 42 -o seal.png --sheet sheet.pdf
  yinxin imprint scans/ --size 42 -o templates/ --sheet sheets/
  yinxin imprint scans/ --sizes sizes.csv -o templates/
  yinxin imprint forms.pdf --every-page --size 42 -o templates/`
}

func (c imprintCommand) Run(ctx context.Context, s streams) error {
	if info, err := os.Stat(c.Form); err == nil && info.IsDir() || c.EveryPage {
		return inForm(s, c.JSON, c.batch(ctx, s))
	}
	return inForm(s, c.JSON, c.one(ctx, s))
}

// oneForm is how much memory the collector of garbage tries to stay below, in bytes, while one form is processed: a scan of
// A4 in 600 dpi that is kept unpacked in its file takes nearly as much by itself.
const oneForm = 220 << 20

// one makes the template of one form.
func (c imprintCommand) one(ctx context.Context, s streams) error {
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(oneForm))
	for _, f := range []struct {
		flag string
		set  bool
	}{{"--sizes", c.Sizes != ""}, {"--table", c.Table != ""}, {"--again", c.Again}} {
		if f.set {
			return errFlag.At(fault.Field(f.flag)).Saying("只用于文件夹", "for a folder only")
		}
	}
	o, err := c.options(declared{c.Size, c.Shape})
	if err != nil {
		return err
	}
	outputs := c.outputs()
	if err := outputs.check(c.Form); err != nil {
		return err
	}
	font, err := c.font()
	if err != nil {
		return err
	}
	earlier, err := c.earlier()
	if err != nil {
		return err
	}
	m, err := makeTemplate(ctx, c.Form, earlier, o, outputs.wanted(c.JSON))
	if err != nil {
		return err
	}
	if err := outputs.write(ctx, m, font); err != nil {
		return err
	}
	if c.JSON {
		err = printJSON(s, m.shown())
	} else {
		c.print(s, m, outputs)
	}
	if err == nil && !m.Acceptable() {
		return exit{exitRefused}
	}
	return err
}

// declared is what a form says of its seal, as people write it.
type declared struct{ size, shape string }

// options are what is known of a form.
func (c imprintCommand) options(d declared) (imprint.Options, error) {
	o := imprint.Options{DPI: c.DPI, Page: c.Page, Shape: imprint.Shape(d.shape), Polarity: imprint.Polarity(c.Polarity), Colour: imprint.Colour(c.Colour)}
	if d.size == "" {
		return o, errMissing.At(fault.Field("--size"))
	}
	var err error
	if o.Width, o.Height, err = parseSize(d.size); err != nil {
		return o, err
	}
	if c.DPI < 0 || c.DPI > 5000 {
		return o, errFlag.At(fault.Field("--dpi"))
	}
	if c.Page < 0 {
		return o, errFlag.At(fault.Field("--page"))
	}
	return o, nil
}

// earlier is the template to compare with; nil where there is none.
func (c imprintCommand) earlier() ([]byte, error) {
	if c.Against == "" {
		return nil, nil
	}
	if sameFile(c.Against, c.Output) {
		return nil, errSameFile.At(fault.File(c.Output))
	}
	return readScan(c.Against)
}

// font is read where something is to be written with it.
func (c imprintCommand) font() ([]byte, error) {
	if c.Sheet == "" {
		return nil, nil
	}
	return readFont(c.Font)
}

// made is a template with what belongs to it.
type made struct {
	*imprint.Result
	name   string          // of the scan
	digest string          // SM3 of the scan, where it is wanted
	vector *imprint.Vector // nil where the template has too many edges to be traced, or it is not wanted
	// earlier is what the imprints were compared with, and compared what came of it; nil where they were not.
	earlier  []byte
	compared *imprint.Comparison
}

// wanted is what is told of a template beside itself. Of a large scan the digest alone takes a fifth of a second.
type wanted struct{ digest, outline bool }

// makeTemplate makes the template of a scan, and compares it with an earlier one, if there is one. Errors name the scan.
func makeTemplate(ctx context.Context, name string, earlier []byte, o imprint.Options, w wanted) (made, error) {
	data, err := readScan(name)
	if err != nil {
		return made{}, err
	}
	m := made{name: name, earlier: earlier}
	if w.digest {
		m.digest = digestText(data)
	}
	err = m.make(ctx, data, o, w.outline)
	return m, err
}

func readScan(name string) ([]byte, error) {
	return readAtMost(name, maxScan, errScanTooLarge.Sayingf("不超过 %d 字节", "%d bytes allowed", maxScan))
}

// make makes the template of what the scan's file holds, and with outline its outline. Errors name the scan.
func (m *made) make(ctx context.Context, data []byte, o imprint.Options, outline bool) error {
	var err error
	if m.earlier == nil {
		m.Result, err = imprint.Process(ctx, data, o)
	} else {
		var c imprint.Comparison
		if c, err = imprint.Against(ctx, data, m.earlier, o); err == nil {
			m.Result, m.compared = c.Result, &c
		}
	}
	if err == nil && outline {
		m.vector, err = sheet.Trace(m.Result)
	}
	if f, ok := fault.Of(err); ok && f.Place == (fault.Place{}) {
		err = f.At(fault.File(m.name))
	}
	return err
}

// shownTemplate is what a program gets.
type shownTemplate struct {
	File string `json:"file,omitempty"` // of a batch
	*imprint.Result
	Outline *imprint.VectorMeasures `json:"outline,omitempty"`
	Digest  string                  `json:"scanSM3"`
	Against *shownComparison        `json:"against,omitempty"`
}

// shownComparison is a comparison without the result, which stands around it.
type shownComparison struct {
	imprint.Comparison
	Result *struct{} `json:"result,omitempty"`
}

func (m made) shown() shownTemplate {
	shown := shownTemplate{Result: m.Result, Digest: m.digest}
	if m.vector != nil {
		shown.Outline = &m.vector.Measures
	}
	if m.compared != nil {
		shown.Against = &shownComparison{Comparison: *m.compared}
	}
	return shown
}

// parseSize reads "42", "40x30" or "40×30", in millimetres; a diameter has height 0.
func parseSize(text string) (width, height float64, err error) {
	parts := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return r == 'x' || r == '×' || r == '*' })
	wrong := errFlag.At(fault.Field("--size")).With("%q", text)
	if len(parts) < 1 || len(parts) > 2 {
		return 0, 0, wrong
	}
	var v [2]float64
	for i, p := range parts {
		v[i], err = strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(p), "mm"), 64)
		if err != nil || !(v[i] >= 5 && v[i] <= 100) {
			return 0, 0, wrong
		}
	}
	return v[0], v[1], nil
}

func (c imprintCommand) print(s streams, m made, outputs outputs) {
	fmt.Fprintln(s.out, summaryOf(m.Result))
	for _, g := range m.Gates {
		if g.Verdict != imprint.Usable {
			fmt.Fprintf(s.out, "  %s: %s\n", g.Verdict, g.ZH)
		}
	}
	if m.compared != nil {
		fmt.Fprintf(s.out, "  %s: %s\n", m.compared.Outcome, m.compared.ZH)
	}
	if !m.Acceptable() {
		fmt.Fprintln(s.out, "请重新盖印后再扫描；没有写入模板。 Stamp again and scan again; no template was written.")
	}
	for _, name := range outputs.written(m) {
		if info, err := os.Stat(name); err == nil && !info.IsDir() {
			fmt.Fprintf(s.out, "%s (%d bytes)\n", name, info.Size())
		} else {
			fmt.Fprintln(s.out, name)
		}
	}
}

// summaryOf is the line that says what was made.
func summaryOf(r *imprint.Result) string {
	m := r.Measures
	return fmt.Sprintf("%s: %d imprint(s), %s, %s mm (declared %s mm), %.2f° off upright, %.0f dpi", r.Verdict, m.Fused, m.Shape,
		extent(m.Shape, fixed(m.Width, 2), fixed(m.Height, 2)), extent(m.Shape, fixed(r.Width, 2), fixed(r.Height, 2)), m.Angle, m.Scale.X)
}

// extent writes the size of a seal: a diameter, or width and height.
func extent(shape imprint.Shape, width, height string) string {
	if shape == imprint.Round {
		return "Ø " + width
	}
	return width + " × " + height
}
