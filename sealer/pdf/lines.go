package pdf

import (
	"image/color"
	"math"
	"strconv"
	"unicode/utf8"

	"yinxin/internal/fault"
	"yinxin/internal/truetype"
)

// Line is a line of text with a seal: a date, a number. Lines stand centred under the seal, one below the other, or
// inside it.
type Line struct {
	Text string
	// Size is that of a character in millimetres; 0 means 3.7 mm, which is 10.5 points (五号).
	Size float64
	// Inside puts the line into the seal, its middle Below millimetres under the middle of the seal (over it, if
	// negative).
	Inside bool
	Below  float64
	// Colour is black unless said otherwise; its opacity does not count.
	Colour color.NRGBA
}

// Limits on lines and, in parts of the size of a character, how they are set.
const (
	maxLines     = 8
	maxLineRunes = 100
	minTextMM    = 1
	maxTextMM    = 50
	standardMM   = 10.5 / pointsPerMM

	textAbove   = 0.88 // from the baseline to the top of a Chinese character
	textUnder   = 0.22 // room below the baseline, for Latin letters
	textMiddle  = 0.38 // from the baseline to the middle of a Chinese character
	lineAdvance = 1.3  // from one baseline to the next
	textGapMM   = 1    // between seal and text
)

// lettering is the text of an appearance, set.
type lettering struct {
	lines  []setLine
	font   *truetype.Font
	subset *truetype.Subset
}

// setLine is a line with the place where its baseline begins, in millimetres from the lower left corner of the appearance.
type setLine struct {
	Line
	x, y, width float64
}

// WithLines gives the appearance with lines of text. The seal keeps its true size; lines under it make the whole higher, and
// wider when they are wider than the seal. The font is embedded as a subset. Errors: pdf.no-font, pdf.bad-lines,
// and those of truetype.Font.Subset, among them font.no-glyph, which names the character.
func (a *Appearance) WithLines(lines []Line, font *truetype.Font) (*Appearance, error) {
	if font == nil {
		return nil, errNoFont.New()
	}
	if len(lines) == 0 || len(lines) > maxLines {
		return nil, errBadLines.With("%d lines", len(lines)).At(fault.Field("lines"))
	}
	var characters []rune
	for i := range lines {
		if err := lines[i].check(); err != nil {
			return nil, err.At(lineField(i))
		}
		characters = append(characters, []rune(lines[i].Text)...)
	}
	subset, err := font.Subset(characters)
	if err != nil {
		return nil, err
	}
	text := &lettering{font: font, subset: subset}
	for _, l := range lines {
		if l.Size == 0 {
			l.Size = standardMM
		}
		s := setLine{Line: l}
		for _, r := range l.Text {
			s.width += float64(subset.Widths[subset.Glyph(r)]) * l.Size / 1000
		}
		text.lines = append(text.lines, s)
	}
	d := &design{picture: a.picture, text: text, bare: a.design}
	if a.bare != nil {
		d.bare = a.bare
	}
	if err := d.set(a.seal.width, a.seal.height); err != nil {
		return nil, err
	}
	return d.render(a.rendering)
}

func lineField(i int) fault.Place { return fault.Field("lines[" + strconv.Itoa(i) + "]") }

func (l Line) check() *fault.Fault {
	n := utf8.RuneCountInString(l.Text)
	switch {
	case n == 0 || n > maxLineRunes || !utf8.ValidString(l.Text):
		return errBadLines.With("1–%d characters, not %d", maxLineRunes, n)
	case l.Size != 0 && !(l.Size >= minTextMM && l.Size <= maxTextMM):
		return errBadLines.With("%d–%d mm, not %g", minTextMM, maxTextMM, l.Size)
	case math.IsNaN(l.Below) || math.Abs(l.Below) > maxSealMM:
		return errBadLines.With("%g mm", l.Below)
	}
	return nil
}

// set finds the places of seal and lines.
func (d *design) set(sealWidth, sealHeight float64) error {
	d.width, d.height = sealWidth, sealHeight
	under := 0.0 // how far the text reaches below the seal
	for i := range d.text.lines {
		l := &d.text.lines[i]
		if l.Inside {
			if math.Abs(l.Below)+l.Size/2 > sealHeight/2 || l.width > sealWidth {
				return errBadLines.Sayingf("文字宽 %.1f 毫米，印章宽 %.1f 毫米", "%.1f mm of text in a seal of %.1f mm", l.width, sealWidth).At(lineField(i))
			}
			continue
		}
		if under == 0 {
			under = textGapMM + l.Size*textAbove
		} else {
			under += l.Size * (lineAdvance - textUnder)
		}
		l.y = -under // from the lower edge of the seal, for now
		under += l.Size * textUnder
		d.width = math.Max(d.width, l.width)
	}
	d.height += under
	if d.width > maxSealMM || d.height > maxSealMM {
		return errBadLines.With("%.1f × %.1f mm", d.width, d.height).At(fault.Field("lines"))
	}
	d.seal = box{(d.width - sealWidth) / 2, under, sealWidth, sealHeight}
	for i := range d.text.lines {
		l := &d.text.lines[i]
		l.x = (d.width - l.width) / 2
		l.y += under
		if l.Inside {
			l.y += sealHeight/2 - l.Below - l.Size*textMiddle
		}
	}
	return nil
}

// addLines puts a form around the parts of the picture that paints the seal in its place and the lines in theirs.
func (a *Appearance) addLines() error {
	bare, err := a.bare.render(a.rendering)
	if err != nil {
		return err
	}
	a.soft = bare.soft
	var content []byte
	number := func(v float64) {
		content = appendNumber(content, v)
		content = append(content, ' ')
	}
	// A line is painted in millimetres, the whole in the unit square.
	content = append(content, "q "...)
	content = appendExact(content, 1/a.width)
	content = append(content, " 0 0 "...)
	content = appendExact(content, 1/a.height)
	content = append(content, " 0 0 cm q "...)
	number(a.seal.width)
	content = append(content, "0 0 "...)
	number(a.seal.height)
	number(a.seal.x)
	number(a.seal.y)
	content = append(content, "cm /Seal Do Q\n"...)
	space := "/DeviceRGB"
	resources := ""
	if a.rendering.Calibrated {
		space, resources = "/RGB", "/ColorSpace<</RGB"+calibratedRGB+">>"
	}
	content = append(content, space+" cs BT\n"...)
	for _, l := range a.text.lines {
		for _, v := range [3]byte{l.Colour.R, l.Colour.G, l.Colour.B} {
			number(float64(v) / 255)
		}
		content = append(content, "sc /Text "...)
		number(l.Size)
		content = append(content, "Tf 1 0 0 1 "...)
		number(l.x)
		number(l.y)
		content = append(content, "Tm <"...)
		for _, r := range l.Text {
			content = appendCID(content, a.text.subset.Glyph(r))
		}
		content = append(content, "> Tj\n"...)
	}
	content = append(content, "ET Q"...)

	var form part
	form.text("<</Type/XObject/Subtype/Form/BBox[0 0 1 1]/Resources<<" + resources + "/XObject<</Seal ")
	form.reference(1)
	form.text(">>/Font<</Text ")
	form.reference(1 + len(bare.parts))
	form.text(">>>>")
	if err := form.stream(content); err != nil {
		return err
	}
	a.parts = []part{form}
	for _, p := range bare.parts {
		a.parts = append(a.parts, p.shifted(1))
	}
	font, err := a.text.fontParts(len(a.parts))
	a.parts = append(a.parts, font...)
	return err
}

// appendExact writes a number with ten decimals: one divided by millimetres.
func appendExact(dst []byte, v float64) []byte { return strconv.AppendFloat(dst, v, 'f', 10, 64) }

// appendCID writes the number of a glyph as a string of Identity-H has it.
func appendCID(dst []byte, n int) []byte {
	const digits = "0123456789ABCDEF"
	return append(dst, digits[n>>12&15], digits[n>>8&15], digits[n>>4&15], digits[n&15])
}
