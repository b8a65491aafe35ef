package command

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"

	"yinxin/internal/fault"
	"yinxin/sealer/imprint"
)

// maxScan is the largest scan that is read, in bytes.
const maxScan = 256 << 20

var errScanTooLarge = fault.Spec{Kind: fault.TooLarge, Code: "file.too-large",
	ZH: "扫描件太大。", EN: "The scan is too large."}

type imprintCommand struct {
	Form   string  `arg:"" help:"Scan of the stamped form, or a crop of it: JPEG or PNG."`
	Size   string  `required:"" help:"Size of the real seal in mm: a diameter (42) or width x height (40x30)." placeholder:"MM"`
	Output string  `short:"o" required:"" help:"Where the template goes: PNG, 600 dpi, transparent." placeholder:"PNG"`
	DPI    float64 `name:"dpi" help:"Resolution of the scan, when the file does not say." placeholder:"N"`
	JSON   bool    `name:"json" help:"Print measures and gates as JSON."`
}

// Help is printed by --help.
func (imprintCommand) Help() string {
	return "Exit status: 0 the template is usable, 3 the form has to be stamped again (reasons are printed, nothing is written), 1 failed."
}

func (c imprintCommand) Run(ctx context.Context, s streams) error {
	r, err := c.process(ctx)
	if err == nil && r.Verdict != imprint.StampAgain {
		err = writeBytes(ctx, c.Output, 0o644, r.Template)
	}
	if err != nil {
		if c.JSON {
			return failJSON(s, err)
		}
		return err
	}
	if c.JSON {
		if err := printJSON(s, r); err != nil {
			return err
		}
	} else {
		c.print(s, r)
	}
	if r.Verdict == imprint.StampAgain {
		return exit{exitRefused}
	}
	return nil
}

func (c imprintCommand) process(ctx context.Context) (*imprint.Result, error) {
	o := imprint.Options{DPI: c.DPI}
	var err error
	if o.Width, o.Height, err = parseSize(c.Size); err != nil {
		return nil, err
	}
	if c.DPI < 0 || c.DPI > 5000 {
		return nil, errFlag.At(fault.Field("--dpi"))
	}
	if sameFile(c.Form, c.Output) {
		return nil, errSameFile.At(fault.File(c.Output))
	}
	data, err := readScan(c.Form)
	if err != nil {
		return nil, err
	}
	r, err := imprint.Process(ctx, data, o)
	if f, ok := fault.Of(err); ok && f.Place == (fault.Place{}) {
		err = f.At(fault.File(c.Form))
	}
	return r, err
}

func readScan(name string) ([]byte, error) {
	return readAtMost(name, maxScan, errScanTooLarge.With("%d bytes allowed", maxScan))
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

func (c imprintCommand) print(s streams, r *imprint.Result) {
	m := r.Measures
	fmt.Fprintf(s.out, "%s: %d imprint(s), Ø %.2f mm (declared %.2f mm), %.2f° off upright, %.0f dpi\n",
		r.Verdict, m.Fused, m.Diameter, r.Width, m.Angle, m.Scale.X)
	for _, g := range r.Gates {
		if g.Verdict != imprint.Usable {
			fmt.Fprintf(s.out, "  %s: %s\n", g.Verdict, g.ZH)
		}
	}
	if r.Verdict == imprint.StampAgain {
		fmt.Fprintln(s.out, "请重新盖印后再扫描；没有写入模板。")
		return
	}
	if info, err := os.Stat(c.Output); err == nil {
		fmt.Fprintf(s.out, "%s (%d bytes)\n", c.Output, info.Size())
	}
}
