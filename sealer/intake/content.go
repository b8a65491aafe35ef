package intake

import (
	"errors"
	"math"

	"yinxin/sealer/pdf"
)

const (
	maxFormDepth = 12  // forms in forms
	maxStates    = 512 // nested q
	// tiny is the height, in points, below which text cannot be seen: a tenth of a millimetre is 0.28.
	tiny = 0.3
)

// state is the part of the graphics state that decides what can be seen (ISO 32000-1, 8.4 and 9.3).
type state struct {
	ctm    matrix
	clip   pdf.Rect
	white  bool    // the colour of fillings
	space  byte    // colour space of fillings: g, r, c for grey, RGB, CMYK; 0 unknown
	opaque bool    // no blending and no soft mask
	fill   float64 // alpha
	line   float64 // width

	composite, glyphs                  bool // two-byte codes; glyphs of its own scale (Type 3)
	size, charSpace, wordSpace, hScale float64
	leading, rise                      float64
	mode                               int
}

// interpreter runs the content of one page.
type interpreter struct {
	s         *scanner
	c         *canvas
	resources pdf.Dict
	depth     int

	state
	saved     []state
	tm, line0 matrix // text matrix and that of the line

	path      pdf.Rect // bounding box, in page space
	pathEmpty bool
	rects     []pdf.Rect // of the path, when it is nothing but upright rectangles
	corners   [][2]float64
	curved    bool // the path is more than rectangles
	clipNext  bool
	hidden    int // depth of marked content in a layer that is off
	nesting   []bool
}

var errBudget = errors.New("enough operators")

// draw interprets the content of a page.
func (s *scanner) draw(p pdf.Page, resources pdf.Object) (*canvas, error) {
	c := &canvas{page: p, marks: s.limits.Marks}
	data, err := s.pageContent(p)
	if err != nil || len(data) == 0 {
		return c, err
	}
	r, err := s.dict(resources)
	if err != nil {
		return nil, err
	}
	box := p.MediaBox
	const margin = 1e5 // content outside the page is looked at too
	in := &interpreter{s: s, c: c, resources: r, pathEmpty: true, tm: identity, line0: identity, state: state{
		ctm: identity, clip: pdf.Rect{X1: box.X1 - margin, Y1: box.Y1 - margin, X2: box.X2 + margin, Y2: box.Y2 + margin},
		space: 'g', opaque: true, fill: 1, line: 1, hScale: 1}}
	err = in.run(data)
	if errors.Is(err, errBudget) {
		c.full = true
		err = nil
	}
	return c, err
}

func (in *interpreter) run(data []byte) error {
	return pdf.EachOperator(in.s.ctx, data, func(operator []byte, operands []pdf.Operand) error {
		if in.s.operators++; in.s.operators > in.s.limits.Operators {
			return errBudget
		}
		return in.operate(operator, operands)
	})
}

// numbers gives the last n operands as numbers.
func numbers(operands []pdf.Operand, n int) ([6]float64, bool) {
	var v [6]float64
	if len(operands) < n {
		return v, false
	}
	for i, o := range operands[len(operands)-n:] {
		if o.Kind != pdf.OperandNumber {
			return v, false
		}
		v[i] = o.Number
	}
	return v, true
}

func name(operands []pdf.Operand) pdf.Name {
	if len(operands) == 0 || operands[len(operands)-1].Kind != pdf.OperandName {
		return ""
	}
	return pdf.Name(operands[len(operands)-1].Text)
}

// operate carries out one operator (ISO 32000-1, annex A).
func (in *interpreter) operate(operator []byte, operands []pdf.Operand) error {
	if len(operator) <= 2 && in.pathOperator(operator, operands) {
		return nil
	}
	switch string(operator) {
	case "q":
		if len(in.saved) < maxStates {
			in.saved = append(in.saved, in.state)
		}
	case "Q":
		if n := len(in.saved); n > 0 {
			in.state, in.saved = in.saved[n-1], in.saved[:n-1]
		}
	case "cm":
		if v, ok := numbers(operands, 6); ok {
			in.ctm = matrix{v[0], v[1], v[2], v[3], v[4], v[5]}.then(in.ctm)
		}
	case "w":
		if v, ok := numbers(operands, 1); ok {
			in.line = v[0]
		}
	case "gs":
		return in.graphicsState(name(operands))
	case "g", "rg", "k", "cs", "sc", "scn":
		return in.colour(operator, operands)
	case "Do":
		return in.do(name(operands))
	case "BI":
		in.image(operands[0].Dict, true)
	case "sh":
		in.c.paint(in.clip)
	case "BMC", "BDC", "EMC":
		return in.markedContent(operator, operands)
	default:
		return in.textOperator(operator, operands)
	}
	return nil
}

// pathOperator carries out what builds and paints paths.
func (in *interpreter) pathOperator(operator []byte, operands []pdf.Operand) bool {
	switch string(operator) {
	case "re":
		if v, ok := numbers(operands, 4); ok {
			r := pdf.Rect{X1: min(v[0], v[0]+v[2]), Y1: min(v[1], v[1]+v[3]), X2: max(v[0], v[0]+v[2]), Y2: max(v[1], v[1]+v[3])}
			r = in.ctm.box(r)
			in.point(r.X1, r.Y1)
			in.point(r.X2, r.Y2)
			if in.ctm.upright() && len(in.rects) < 4096 {
				in.rects = append(in.rects, r)
			}
		}
	case "m", "l":
		if v, ok := numbers(operands, 2); ok {
			x, y := in.ctm.apply(v[0], v[1])
			in.point(x, y)
			in.corner(x, y, operator[0] == 'm')
		}
	case "c", "v", "y":
		n := 4
		if operator[0] == 'c' {
			n = 6
		}
		if v, ok := numbers(operands, n); ok {
			for i := 0; i < n; i += 2 {
				in.point(in.ctm.apply(v[i], v[i+1]))
			}
			in.curved = true
		}
	case "h":
	case "W", "W*":
		in.clipNext = true
	case "f", "F", "f*":
		in.paintPath(true, false)
	case "S", "s":
		in.paintPath(false, true)
	case "B", "B*", "b", "b*":
		in.paintPath(true, true)
	case "n":
		in.paintPath(false, false)
	default:
		return false
	}
	return true
}

// point extends the path's box.
func (in *interpreter) point(x, y float64) {
	if in.pathEmpty {
		in.path, in.pathEmpty = pdf.Rect{X1: x, Y1: y, X2: x, Y2: y}, false
		return
	}
	in.path = extend(in.path, x, y)
}

// corner follows straight lines: four corners with upright sides are a rectangle however they are written.
func (in *interpreter) corner(x, y float64, first bool) {
	if first {
		in.closeCorners()
	}
	if len(in.corners) < 8 {
		in.corners = append(in.corners, [2]float64{x, y})
	}
}

func (in *interpreter) closeCorners() {
	c := in.corners
	if len(c) == 5 && c[4] == c[0] {
		c = c[:4]
	}
	in.corners = in.corners[:0]
	if len(c) != 4 {
		return
	}
	const slack = 0.5
	for i := range c {
		next := c[(i+1)%4]
		if math.Abs(c[i][0]-next[0]) > slack && math.Abs(c[i][1]-next[1]) > slack {
			return
		}
	}
	if len(in.rects) < 4096 {
		r := pdf.Rect{X1: c[0][0], Y1: c[0][1], X2: c[0][0], Y2: c[0][1]}
		for _, p := range c[1:] {
			r = extend(r, p[0], p[1])
		}
		in.rects = append(in.rects, r)
	}
}

// paintPath ends the path.
func (in *interpreter) paintPath(fill, stroke bool) {
	in.closeCorners()
	if !in.pathEmpty && in.hidden == 0 && finite(in.path) {
		seen := common(in.path, in.clip)
		if fill && in.fill > 0 {
			if !in.white {
				in.c.paint(seen)
			}
			if in.opaque && in.fill == 1 && !in.curved {
				for _, r := range in.rects {
					in.s.operators += in.c.cover(common(r, in.clip)) / 16
				}
			}
		}
		if width := in.line * math.Sqrt(math.Abs(in.ctm.a*in.ctm.d-in.ctm.b*in.ctm.c)); stroke && width >= minCover {
			// A thick line can be the ground on which white text stands.
			in.c.paint(common(pdf.Rect{X1: in.path.X1 - width/2, Y1: in.path.Y1 - width/2, X2: in.path.X2 + width/2, Y2: in.path.Y2 + width/2}, in.clip))
		}
	}
	if in.clipNext && !in.pathEmpty {
		in.clip = common(in.clip, in.path)
	}
	in.clipNext, in.pathEmpty, in.curved = false, true, false
	in.rects, in.corners = in.rects[:0], in.corners[:0]
}

// colour follows the colour of fillings as far as to tell white.
func (in *interpreter) colour(operator []byte, operands []pdf.Operand) error {
	switch string(operator) {
	case "cs":
		return in.colourSpace(name(operands))
	case "g", "rg", "k":
		in.space = map[byte]byte{'g': 'g', 'r': 'r', 'k': 'c'}[operator[0]]
	}
	in.white = false
	n := map[byte]int{'g': 1, 'r': 3, 'c': 4}[in.space]
	if v, ok := numbers(operands, n); ok && n > 0 && len(operands) == n {
		in.white = true
		for i := range n {
			// CMYK is the amount of ink.
			if in.space == 'c' && v[i] > 0.02 || in.space != 'c' && v[i] < 0.98 {
				in.white = false
			}
		}
	}
	return nil
}

// colourSpace sets the colour space of fillings, with its first colour: black.
func (in *interpreter) colourSpace(n pdf.Name) error {
	in.white, in.space = false, 0
	switch n {
	case "DeviceGray":
		in.space = 'g'
		return nil
	case "DeviceRGB":
		in.space = 'r'
		return nil
	case "DeviceCMYK":
		in.space = 'c'
		return nil
	}
	found, err := in.resource("ColorSpace", n)
	if err != nil {
		return err
	}
	space, err := in.s.array(found)
	if err != nil || len(space) < 2 {
		return err
	}
	switch in.s.name(space[0]) {
	case "CalGray":
		in.space = 'g'
	case "CalRGB":
		in.space = 'r'
	case "ICCBased":
		profile, err := in.s.dict(space[1])
		if err != nil {
			return err
		}
		in.space = map[int64]byte{1: 'g', 3: 'r', 4: 'c'}[in.s.integer(profile.Get("N"))]
	}
	return nil
}

// graphicsState takes over a parameter dictionary (8.4.5).
func (in *interpreter) graphicsState(n pdf.Name) error {
	found, err := in.resource("ExtGState", n)
	if err != nil {
		return err
	}
	d, err := in.s.dict(found)
	if err != nil {
		return err
	}
	if v, err := in.s.resolve(d.Get("ca")); err != nil {
		return err
	} else if alpha, ok := pdf.Number(v); ok {
		in.fill = clamp(alpha, 0, 1)
	}
	blend, mask := d.Get("BM"), d.Get("SMask")
	if blend != nil {
		mode := in.s.name(blend)
		in.opaque = mode == "Normal" || mode == "Compatible"
	}
	if mask != nil && in.s.name(mask) != "None" {
		in.opaque = false
	}
	if width, ok := pdf.Number(d.Get("LW")); ok {
		in.line = width
	}
	if font, err := in.s.array(d.Get("Font")); err != nil {
		return err
	} else if len(font) == 2 {
		in.size, _ = pdf.Number(font[1])
		return in.setFont(font[0])
	}
	return nil
}

// markedContent follows which layers the content belongs to (8.11.3.2).
func (in *interpreter) markedContent(operator []byte, operands []pdf.Operand) error {
	if operator[0] == 'E' {
		if n := len(in.nesting); n > 0 {
			if in.nesting[n-1] {
				in.hidden--
			}
			in.nesting = in.nesting[:n-1]
		}
		return nil
	}
	off := false
	if operator[1] == 'D' && len(operands) >= 2 && string(operands[len(operands)-2].Text) == "OC" {
		group, err := in.resource("Properties", name(operands))
		if err != nil {
			return err
		}
		off = in.s.hiddenLayer(group)
	}
	if len(in.nesting) >= maxStates {
		return nil
	}
	if off {
		in.hidden++
	}
	in.nesting = append(in.nesting, off)
	return nil
}
