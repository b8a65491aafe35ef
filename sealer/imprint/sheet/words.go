package sheet

import (
	"fmt"
	"image/color"
	"math"
	"strconv"
	"strings"

	"yinxin/sealer/imprint"
)

// The colours of the page. Those of the map are told apart by people who confuse red and green, and on a grey print.
var (
	black   = color.RGBA{0x1A, 0x1A, 0x1A, 255}
	grey    = color.RGBA{0x66, 0x66, 0x66, 255}
	rule    = color.RGBA{0xC8, 0xC8, 0xC8, 255}
	white   = color.RGBA{255, 255, 255, 255}
	green   = color.RGBA{0x1B, 0x7F, 0x3B, 255}
	amber   = color.RGBA{0xA8, 0x60, 0x00, 255}
	crimson = color.RGBA{0xB0, 0x00, 0x20, 255}
)

// verdictWords are what a verdict is called, with its colour.
func verdictWords(v imprint.Verdict) (string, color.RGBA) {
	switch v {
	case imprint.Usable:
		return "通过", green
	case imprint.Warn:
		return "请核对", amber
	}
	return "不通过", crimson
}

// outcomeWords are what the outcome of a comparison is called, with its colour.
func outcomeWords(o imprint.Outcome) (string, color.RGBA) {
	switch o {
	case imprint.Same:
		return "相同", green
	case imprint.Different:
		return "不同", crimson
	}
	return "不能确定", amber
}

// gateNames are what is looked at; a gate that is not here has its own name.
var gateNames = map[string]string{
	imprint.GateResolution: "分辨率", imprint.GateSize: "尺寸相差", imprint.GateOutline: "外形偏差", imprint.GateInk: "浓淡", imprint.GateBleeding: "洇墨",
	imprint.GateEdge: "边框缺口", imprint.GateStrokes: "笔画缺失", imprint.GateUpright: "歪斜", imprint.GateAgreement: "两次印模差异",
	imprint.GateSameSeal: "是否同一枚", imprint.GateScreen: "印刷网纹", imprint.GateColorants: "几种墨色", imprint.GateGrain: "印泥纹理", imprint.GateTwins: "墨纹差异",
}

func gateName(g imprint.Gate) string {
	if n, ok := gateNames[g.Name]; ok {
		return n
	}
	return g.Name
}

var unitWords = map[string]string{"mm": "毫米", "dpi": "dpi", "degrees": "度", "ratio": "", "mm²": "平方毫米"}

// number is a value with at most so many digits behind the point.
func number(v float64, digits int) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "?"
	}
	s := strconv.FormatFloat(v, 'f', digits, 64)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	if s == "-0" {
		return "0"
	}
	return s
}

// withUnit is a value of a gate as people read it: ratios are per cent.
func withUnit(v float64, unit string) string {
	if unit == "ratio" {
		return number(100*v, 1) + "%"
	}
	digits := map[string]int{"mm": 2, "degrees": 1, "dpi": 0}
	d, ok := digits[unit]
	if !ok {
		d = 2
	}
	return strings.TrimSpace(number(v, d) + " " + unitWords[unit])
}

// limits are those of a gate: where it asks for a look, and where it refuses.
func limits(g imprint.Gate) string {
	switch {
	case g.WarnAt != 0 && g.RefuseAt != 0:
		return bare(g.WarnAt, g) + " / " + valued(g.RefuseAt, g)
	case g.WarnAt != 0:
		return valued(g.WarnAt, g) + " / —"
	case g.RefuseAt != 0:
		return "— / " + valued(g.RefuseAt, g)
	}
	return "—"
}

// valued is a number of a gate with its unit, bare is without. Ratios are per cent, but for those that are no parts of a whole.
func valued(v float64, g imprint.Gate) string {
	if g.Unit == "ratio" && max(g.Value, g.WarnAt, g.RefuseAt) > 2 {
		return number(v, 2)
	}
	return withUnit(v, g.Unit)
}

func bare(v float64, g imprint.Gate) string {
	s := valued(v, g)
	return strings.TrimSpace(strings.TrimSuffix(strings.TrimSuffix(s, unitWords[g.Unit]), "%"))
}

var (
	shapes     = map[imprint.Shape]string{imprint.Round: "圆形", imprint.Ellipse: "椭圆形", imprint.Rectangle: "矩形", imprint.Frameless: "无边框"}
	polarities = map[imprint.Polarity]string{imprint.Positive: "阳文", imprint.Negative: "阴文"}
)

// declaredSize is what the form says.
func declaredSize(r *imprint.Result) string { return size(r.Measures.Shape, r.Width, r.Height) }

// extent is what was measured.
func extent(m imprint.Measures) string { return size(m.Shape, m.Width, m.Height) }

func size(shape imprint.Shape, width, height float64) string {
	if shape == imprint.Round {
		return "直径 " + number(width, 2) + " 毫米"
	}
	return number(width, 2) + " × " + number(height, 2) + " 毫米"
}

var scaleSources = map[string]string{"option": "人工指定", "JFIF": "文件 JFIF", "EXIF": "文件 EXIF", "pHYs": "文件 pHYs", "TIFF": "文件 TIFF"}

func dpi(s imprint.Scale) string {
	text := number(s.X, 1)
	if math.Abs(s.X-s.Y) > .05 {
		text += " × " + number(s.Y, 1)
	}
	source := scaleSources[s.Source]
	if source == "" {
		source = s.Source
	}
	return fmt.Sprintf("%s dpi（%s）", text, source)
}
