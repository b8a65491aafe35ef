package intake

import (
	"bytes"
	"math"
	"strings"

	"yinxin/sealer/pdf"
)

// textOperator carries out what sets and shows text (ISO 32000-1, 9.3 and 9.4).
func (in *interpreter) textOperator(operator []byte, operands []pdf.Operand) error {
	v, ok := numbers(operands, 1)
	switch string(operator) {
	case "BT":
		in.tm, in.line0 = identity, identity
	case "Tf":
		if !ok || len(operands) < 2 {
			return nil
		}
		in.size = v[0]
		font, err := in.resource("Font", name(operands[:len(operands)-1]))
		if err != nil {
			return err
		}
		return in.setFont(font)
	case "Tc":
		in.charSpace = v[0]
	case "Tw":
		in.wordSpace = v[0]
	case "Tz":
		in.hScale = v[0] / 100
	case "TL":
		in.leading = v[0]
	case "Ts":
		in.rise = v[0]
	case "Tr":
		in.mode = int(clamp(v[0], 0, 7))
	case "Td", "TD":
		if v, ok := numbers(operands, 2); ok {
			if operator[1] == 'D' {
				in.leading = -v[1]
			}
			in.newLine(v[0], v[1])
		}
	case "Tm":
		if v, ok := numbers(operands, 6); ok {
			in.line0 = matrix{v[0], v[1], v[2], v[3], v[4], v[5]}
			in.tm = in.line0
		}
	case "T*":
		in.newLine(0, -in.leading)
	case "Tj":
		in.show(operands)
	case "'":
		in.newLine(0, -in.leading)
		in.show(operands)
	case "\"":
		if len(operands) >= 3 {
			in.wordSpace, in.charSpace = operands[0].Number, operands[1].Number
		}
		in.newLine(0, -in.leading)
		in.show(operands)
	case "TJ":
		if n := len(operands); n > 0 && operands[n-1].Kind == pdf.OperandArray {
			in.show(operands[n-1].Items)
		}
	}
	return nil
}

func (in *interpreter) newLine(x, y float64) {
	in.line0 = matrix{1, 0, 0, 1, x, y}.then(in.line0)
	in.tm = in.line0
}

// setFont learns of a font how wide its codes are.
func (in *interpreter) setFont(o pdf.Object) error {
	ref, _ := o.(pdf.Ref)
	if composite, known := in.s.composite[ref]; known && ref.Num != 0 {
		in.composite, in.glyphs = composite, false
		return nil
	}
	font, err := in.s.dict(o)
	if err != nil {
		return err
	}
	kind := in.s.name(font.Get("Subtype"))
	in.composite, in.glyphs = kind == "Type0", kind == "Type3"
	if ref.Num != 0 && !in.glyphs && len(in.s.composite) < 10_000 {
		in.s.composite[ref] = in.composite
	}
	return nil
}

// Average widths, in parts of the size: Latin letters, and the characters of composite fonts, which are Chinese more
// often than not.
const (
	latinWidth = 0.5
	wideWidth  = 0.8
)

// show moves over strings and the numbers between them, and records what is shown as one piece.
func (in *interpreter) show(items []pdf.Operand) {
	width, written := 0.0, false
	for i := range items {
		o := &items[i]
		switch o.Kind {
		case pdf.OperandNumber:
			width -= o.Number / 1000 * in.size
		case pdf.OperandString:
			count, average := float64(o.Length), latinWidth
			if in.composite {
				count, average = count/2, wideWidth
			}
			width += count * (average*in.size + in.charSpace)
			written = written || !blank(o, in.composite)
		}
	}
	if in.glyphs && math.Abs(in.size) < 3 {
		width = 0 // the glyphs have a scale of their own, which is not looked up
	}
	width *= in.hScale
	start := in.tm
	in.tm = matrix{1, 0, 0, 1, width, 0}.then(in.tm)
	if !written || in.hidden > 0 {
		return
	}
	low, high := in.rise, in.rise+0.7*in.size
	box := start.then(in.ctm).box(pdf.Rect{X1: min(0, width), Y1: min(low, high), X2: max(0, width), Y2: max(low, high)})
	if !finite(box) {
		return
	}
	in.record(box, start.then(in.ctm), items)
}

// record judges a piece of text.
func (in *interpreter) record(box pdf.Rect, m matrix, items []pdf.Operand) {
	c := in.c
	x, y := centre(box)
	height := math.Abs(in.size) * math.Sqrt(math.Abs(m.a*m.d-m.b*m.c))
	note := func(g *group) {
		g.take(box)
		for i := range items {
			g.length += items[i].Length
		}
		if !in.composite {
			g.note(sample(items))
		}
	}
	switch {
	case !holds(in.clip, x, y):
		// Clipped away: producers split text over areas so, and the rest of it stands elsewhere.
	case area(common(box, c.page.CropBox)) == 0 && !holds(c.page.CropBox, x, y):
		note(&c.outside)
	case in.mode == 3 || in.mode == 7:
		note(&c.invisible)
	case in.fill == 0 && in.mode == 0:
		note(&c.transparent)
	case height < tiny && !in.glyphs:
		note(&c.tiny)
	case in.white && in.mode == 0:
		in.s.operators += len(c.areas) / 16 // what looking takes
		if c.onPaint(x, y) {
			c.text(box)
		} else {
			note(&c.white)
		}
	default:
		c.text(box)
	}
}

// blank says that a string shows nothing: spaces, or in a composite font the codes that usually are the space.
func blank(o *pdf.Operand, composite bool) bool {
	if o.Hex {
		digits := bytes.ReplaceAll(o.Text, []byte(" "), nil)
		unit := "20"
		if composite {
			if len(bytes.Trim(bytes.ReplaceAll(bytes.ReplaceAll(digits, []byte("0003"), nil), []byte("0020"), nil), "0")) == 0 {
				return true
			}
			unit = "0001"
		}
		return len(strings.ReplaceAll(string(digits), unit, "")) == 0
	}
	if composite {
		return len(bytes.Trim(o.Text, "\x00\x01\x03 ")) == 0
	}
	return len(bytes.TrimSpace(o.Text)) == 0
}

// sample is the text of a simple font where it is plain ASCII, as it is in most Western fonts.
func sample(items []pdf.Operand) string {
	var b strings.Builder
	for i := range items {
		if o := &items[i]; o.Kind == pdf.OperandString && !o.Hex {
			for _, c := range o.Text {
				if c < ' ' || c > '~' || b.Len() > 40 {
					return b.String()
				}
				b.WriteByte(c)
			}
		}
	}
	return b.String()
}
