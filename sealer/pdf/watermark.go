package pdf

import (
	"yinxin/internal/fault"
	"yinxin/internal/truetype"
)

// Watermark is a word that is laid over every page with a signature, in outline so that it hides nothing: what is sealed
// with it is not taken for the real thing. Its font is embedded as a subset.
type Watermark struct {
	width, height float64 // of the text with its margins; only their ratio counts
	parts         []part  // the first one paints the unit square
	bytes         int
}

const (
	maxWatermark = 8 // characters
	// watermarkShare is how much of the width or the height of a page as displayed the word takes up, whichever is less.
	watermarkShare = 0.6
	// watermarkStroke is the width of the lines in parts of the size of a character.
	watermarkStroke = 0.015
	watermarkColour = ".75 .1 .1"
)

// NewWatermark sets a short word. calibrated gives its colour independently of any device, as Rendering has it. Errors:
// pdf.no-font, pdf.bad-lines, and those of truetype.Font.Subset, among them font.no-glyph.
func NewWatermark(word string, font *truetype.Font, calibrated bool) (*Watermark, error) {
	if font == nil {
		return nil, errNoFont.New()
	}
	characters := []rune(word)
	if len(characters) == 0 || len(characters) > maxWatermark {
		return nil, errBadLines.With("%d characters", len(characters)).At(fault.Field("watermark"))
	}
	subset, err := font.Subset(characters)
	if err != nil {
		return nil, err
	}
	m := &Watermark{height: textAbove + textUnder}
	var codes []byte
	for _, r := range characters {
		glyph := subset.Glyph(r)
		m.width += float64(subset.Widths[glyph]) / 1000
		codes = appendCID(codes, glyph)
	}
	if m.width <= 0 {
		return nil, errBadLines.Saying("有字没有宽度", "a word without width").At(fault.Field("watermark"))
	}
	space, resources := "/DeviceRGB", ""
	if calibrated {
		space, resources = "/RGB", "/ColorSpace<</RGB"+calibratedRGB+">>"
	}
	content := appendExact([]byte("q "), 1/m.width)
	content = append(content, " 0 0 "...)
	content = appendExact(content, 1/m.height)
	content = append(content, " 0 0 cm "+space+" CS "+watermarkColour+" SC "...)
	content = appendExact(content, watermarkStroke)
	content = append(content, " w 1 j BT 1 Tr /Text 1 Tf 1 0 0 1 0 "...)
	content = appendExact(content, textUnder)
	content = append(append(append(content, " Tm <"...), codes...), "> Tj ET Q"...)
	var form part
	form.text("<</Type/XObject/Subtype/Form/BBox[0 0 1 1]/Resources<<" + resources + "/Font<</Text ")
	form.reference(1)
	form.text(">>>>")
	if err := form.stream(content); err != nil {
		return nil, err
	}
	letters, err := (&lettering{font: font, subset: subset}).fontParts(1)
	if err != nil {
		return nil, err
	}
	m.parts = append([]part{form}, letters...)
	for i := range m.parts {
		m.bytes += m.parts[i].size()
	}
	return m, nil
}

// addWatermark adds the word to every page, in its middle.
func (p *plan) addWatermark(pages *pageList) error {
	m := p.request.Watermark
	for n := 1; n <= len(pages.pages); n++ {
		page, err := pages.page(n)
		if err != nil {
			return err
		}
		across, up := page.shownSize()
		scale := min(across/m.width, up/m.height) * watermarkShare
		width, height := boundary(m.width*scale, 1, 1), boundary(m.height*scale, 1, 1)
		left, bottom := boundary((across-width)/2, 1, 1), boundary((up-height)/2, 1, 1)
		err = p.addSpot(spot{Mark: Mark{Kind: markWatermark}, page: page}, Rect{left, bottom, left + width, bottom + height},
			look{box: Rect{0, 0, width, height}, width: width, height: height, rotate: page.Rotate, word: true})
		if err != nil {
			return err
		}
	}
	return nil
}

// writeWatermark writes the word under the numbers that are kept for it.
func (p *plan) writeWatermark(w *writer) {
	if p.watermark == 0 {
		return
	}
	for i := range p.request.Watermark.parts {
		w.begin(Ref{Num: p.watermark + i})
		p.request.Watermark.parts[i].write(w, p.watermark)
		w.end()
	}
}
