package scan

import (
	"errors"
	"image"
	"math"
)

// matrix is a transformation of PDF: x' = a·x + c·y + e, y' = b·x + d·y + f.
type matrix [6]float64

func (m matrix) then(n matrix) matrix {
	return matrix{m[0]*n[0] + m[1]*n[2], m[0]*n[1] + m[1]*n[3], m[2]*n[0] + m[3]*n[2], m[2]*n[1] + m[3]*n[3],
		m[4]*n[0] + m[5]*n[2] + n[4], m[4]*n[1] + m[5]*n[3] + n[5]}
}

// placement is a picture on a page: the unit square through the matrix, in points.
type placement struct {
	picture pdfObject
	at      matrix
}

func (p placement) area() float64 { return math.Abs(p.at[0]*p.at[3] - p.at[1]*p.at[2]) }

// pdfPage is a page with its pictures in the order of painting.
type pdfPage struct {
	width, height float64 // points
	turn          int     // degrees clockwise by which the page is shown turned
	unit          float64 // of a point, in 1/72 inch
	placed        []placement
}

const (
	mostTreeDepth = 48
	mostForms     = 6      // form XObjects inside each other
	mostOperators = 50_000 // of one page with its forms; an invisible text layer has some thousands
	mostPlaced    = 4096
)

// openPDF finds the pages and reads the headers of their pictures.
func (f *File) openPDF() error {
	inner, err := readPDF(f.data)
	if errors.Is(err, errEncryptedPDF) {
		return ErrEncrypted.New()
	}
	if err != nil {
		return ErrBroken.Because(err)
	}
	w := &treeWalk{f: inner, most: f.limits.Pages, seen: map[pdfRef]bool{}}
	w.node(inner.dict(inner.root)["Pages"], pdfDict{}, 0)
	if w.tooMany {
		return ErrPages.With("> %d", f.limits.Pages)
	}
	if len(w.pages) == 0 {
		return ErrBroken.New()
	}
	pages := pdfPictures{file: f, inner: inner}
	for _, d := range w.pages {
		page := inner.page(d)
		scan := inner.scanOf(page)
		pages.scans = append(pages.scans, scan)
		p, err := pages.describe(page, scan)
		if err != nil {
			return err
		}
		f.Pages = append(f.Pages, p)
	}
	f.inner = pages
	return nil
}

// treeWalk collects the pages of the tree with what they inherit.
type treeWalk struct {
	f       *pdfFile
	most    int
	seen    map[pdfRef]bool
	pages   []pdfDict
	tooMany bool
}

func (w *treeWalk) node(v any, inherited pdfDict, depth int) {
	if ref, ok := v.(pdfRef); ok {
		if w.seen[ref] {
			return
		}
		w.seen[ref] = true
	}
	d := w.f.dict(v)
	if d == nil || depth > mostTreeDepth || w.tooMany {
		return
	}
	own := pdfDict{}
	for _, key := range []pdfName{"Resources", "MediaBox", "Rotate"} {
		if own[key] = d[key]; own[key] == nil {
			own[key] = inherited[key]
		}
	}
	kids, isTree := w.f.resolve(d["Kids"]).(pdfArray)
	if !isTree {
		if len(w.pages) == w.most {
			w.tooMany = true
			return
		}
		own["Contents"], own["UserUnit"] = d["Contents"], d["UserUnit"]
		w.pages = append(w.pages, own)
		return
	}
	for _, kid := range kids {
		w.node(kid, own, depth+1)
	}
}

// page reads where the pictures of a page stand.
func (f *pdfFile) page(d pdfDict) pdfPage {
	p := pdfPage{width: 595, height: 842}
	if box, ok := f.resolve(d["MediaBox"]).(pdfArray); ok && len(box) == 4 {
		p.width = math.Abs(f.number(box[2], 0) - f.number(box[0], 0))
		p.height = math.Abs(f.number(box[3], 0) - f.number(box[1], 0))
	}
	if p.unit = f.number(d["UserUnit"], 1); !(p.unit > 0 && p.unit < 1000) {
		p.unit = 1
	}
	if turn := f.number(d["Rotate"], 0); math.Abs(turn) <= 3600 {
		p.turn = (int(turn)%360 + 360) % 360
	}
	r := &contentRun{f: f, page: &p, operators: mostOperators}
	var parts pdfArray
	switch v := f.resolve(d["Contents"]).(type) {
	case pdfArray:
		parts = v
	default:
		parts = pdfArray{d["Contents"]}
	}
	var content []byte
	for _, part := range parts[:min(len(parts), 1000)] {
		o, _ := f.object(part)
		if sd, ok := o.value.(pdfDict); ok {
			data, _ := f.unpacked(sd, o.stream)
			content = append(append(content, data...), '\n')
		}
	}
	r.run(content, f.dict(d["Resources"]), matrix{1, 0, 0, 1, 0, 0}, 0)
	return p
}

// contentRun reads the operators of a content stream that say where pictures are painted.
type contentRun struct {
	f         *pdfFile
	page      *pdfPage
	operators int
}

func (r *contentRun) run(content []byte, resources pdfDict, at matrix, depth int) {
	pictures := r.f.dict(resources["XObject"])
	p := &parser{data: content, values: &r.f.values}
	var operands []any
	var saved []matrix
	for r.operators > 0 {
		v, ok := p.value(0)
		if !ok {
			if p.space(); p.at >= len(content) || *p.values <= 0 {
				return
			}
			p.at++ // a stray delimiter
			r.operators--
			operands = nil
			continue
		}
		word, isWord := v.(pdfWord)
		if !isWord {
			if len(operands) < 64 {
				operands = append(operands, v)
			}
			continue
		}
		r.operators--
		switch word {
		case "q":
			if len(saved) < 256 {
				saved = append(saved, at)
			}
		case "Q":
			if n := len(saved); n > 0 {
				at, saved = saved[n-1], saved[:n-1]
			}
		case "cm":
			if m, ok := r.f.matrix(operands); ok {
				at = m.then(at)
			}
		case "Do":
			if name, ok := lastName(operands); ok {
				r.paint(pictures[name], at, depth)
			}
		case "ID":
			return // a picture inside the content; scanners do not write them
		}
		operands = operands[:0]
	}
}

func (r *contentRun) paint(v any, at matrix, depth int) {
	o, _ := r.f.object(v)
	d, ok := o.value.(pdfDict)
	if !ok {
		return
	}
	switch r.f.resolve(d["Subtype"]) {
	case pdfName("Image"):
		if len(r.page.placed) < mostPlaced {
			r.page.placed = append(r.page.placed, placement{o, at})
		}
	case pdfName("Form"):
		if depth >= mostForms {
			return
		}
		if values, ok := r.f.resolve(d["Matrix"]).(pdfArray); ok {
			if m, ok := r.f.matrix(values); ok {
				at = m.then(at)
			}
		}
		if content, ok := r.f.unpacked(d, o.stream); ok {
			r.run(content, r.f.dict(d["Resources"]), at, depth+1)
		}
	}
}

func lastName(operands []any) (pdfName, bool) {
	if len(operands) == 0 {
		return "", false
	}
	name, ok := operands[len(operands)-1].(pdfName)
	return name, ok
}

func (f *pdfFile) matrix(values []any) (m matrix, ok bool) {
	if len(values) != 6 {
		return m, false
	}
	for i, v := range values {
		n, isNumber := f.resolve(v).(float64)
		if !isNumber || math.IsNaN(n) || math.IsInf(n, 0) || math.Abs(n) > 1e6 {
			return m, false
		}
		m[i] = n
	}
	return m, true
}

// scanOf chooses the pictures that make up the scan of a page: one that covers most of it, or the strips into which the
// scanner cut it. Nil for a page that was drawn.
func (f *pdfFile) scanOf(p pdfPage) []placement {
	whole := p.width * p.height
	if whole <= 0 {
		return nil
	}
	var best *placement
	total := 0.0
	for i := range p.placed {
		area := p.placed[i].area()
		total += area
		// Of layers that cover the same page, the one with colour carries the ink: a mask has one bit.
		if area >= whole/2 && (best == nil || f.pixels(p.placed[i]) > f.pixels(*best)) {
			best = &p.placed[i]
		}
	}
	switch {
	case best != nil:
		return []placement{*best}
	case total >= whole/2 && bytesOf(p.placed) <= 2*len(f.data)+1<<20: // not one large picture a thousand times
		return strips(p.placed)
	}
	return nil
}

func bytesOf(placed []placement) (n int) {
	for _, p := range placed {
		n += len(p.picture.stream)
	}
	return n
}

// pixels counts the samples of a picture that have colour; those of masks count little.
func (f *pdfFile) pixels(p placement) float64 {
	d, _ := p.picture.value.(pdfDict)
	n := f.number(d["Width"], 0) * f.number(d["Height"], 0)
	if f.number(d["BitsPerComponent"], 8) == 1 || f.resolve(d["ImageMask"]) == any(true) {
		return n / 1000
	}
	return n
}

// strips accepts pictures that lie upright above one another over the same width; other mosaics are none of scanners.
func strips(placed []placement) []placement {
	first := placed[0].at
	for _, p := range placed {
		if math.Abs(p.at[1]) > 0.01 || math.Abs(p.at[2]) > 0.01 || p.at[0] <= 0 || p.at[3] <= 0 ||
			math.Abs(p.at[0]-first[0]) > 1 || math.Abs(p.at[4]-first[4]) > 1 {
			return nil
		}
	}
	return placed
}

// pdfPictures decodes the scans of pages.
type pdfPictures struct {
	file  *File
	inner *pdfFile
	scans [][]placement
}

// describe reads the size of a scan and its resolution from the place that it fills. Pictures that cannot be decoded make
// a page without one; what is over a limit is refused.
func (p pdfPictures) describe(page pdfPage, scan []placement) (Page, error) {
	var facts said
	width, height, grey := 0, 0, true
	for i, placed := range scan {
		c, err := p.codedPicture(placed.picture)
		if err != nil {
			if hasCode(err, ErrPixels, ErrTooLarge) {
				return Page{}, err
			}
			return Page{}, nil
		}
		if i == 0 {
			width = c.width
			facts.resolution(float64(c.width)*72/(page.unit*math.Hypot(placed.at[0], placed.at[1])),
				float64(c.height)*72/(page.unit*math.Hypot(placed.at[2], placed.at[3])), "PDF")
			facts.resolutions = append(facts.resolutions, c.facts.resolutions...)
			facts.orientation = placed.orientation(page.turn)
		} else if c.width != width {
			return Page{}, nil
		}
		height += c.height
		grey = grey && c.grey()
	}
	if len(scan) == 0 {
		return Page{}, nil
	}
	if len(scan) > 1 {
		if err := p.file.checkSize(width, height, 4); err != nil {
			return Page{}, err
		}
	}
	return facts.page(width, height, grey), nil
}

// orientation is how a picture is shown, once it was turned over where it is mirrored: by the direction in which its rows run on
// the page, and the turn of the page.
func (p placement) orientation(turn int) int {
	quarters := int(math.Round(math.Atan2(-p.at[1], p.at[0])/(math.Pi/2))) + int(math.Round(float64(turn)/90))
	return [4]int{1, 6, 3, 8}[(quarters%4+4)%4]
}

func (p pdfPictures) picture(page int) (image.Image, error) {
	scan := p.scans[page]
	if len(scan) == 0 {
		return nil, ErrNoPicture.New()
	}
	if len(scan) == 1 {
		c, err := p.codedPicture(scan[0].picture)
		if err != nil {
			return nil, err
		}
		img, err := c.decode()
		if at := scan[0].at; err == nil && at[0]*at[3]-at[1]*at[2] < 0 {
			return p.file.upsideDown(img) // stored from the bottom, and turned over by the page
		}
		return img, err
	}
	if p.file.Pages[page].Width == 0 { // strips of which one cannot be decoded, or that are not of one width
		for _, placed := range scan {
			if _, err := p.codedPicture(placed.picture); err != nil {
				return nil, err
			}
		}
		return nil, ErrNoPicture.New()
	}
	return p.joined(page, scan)
}

// upsideDown mirrors a picture from top to bottom: one of shades or of red, green and blue in its place, others as one of these.
func (f *File) upsideDown(img image.Image) (image.Image, error) {
	b := img.Bounds()
	switch img := img.(type) {
	case *image.Gray:
		swapRows(img.Pix, img.Stride)
		return img, nil
	case *RGB:
		swapRows(img.Pix, img.Stride)
		return img, nil
	}
	// Light and colour apart, which take up to three bytes a pixel: rows of colour do not always end with the picture.
	if err := f.checkSize(b.Dx(), b.Dy(), 6); err != nil {
		return nil, err
	}
	out := newRGB(b.Dx(), b.Dy())
	out.lay(b, img)
	swapRows(out.Pix, out.Stride)
	return out, nil
}

// swapRows turns the order of rows around.
func swapRows(pix []uint8, stride int) {
	spare := make([]uint8, stride)
	for top, bottom := 0, len(pix)-stride; top < bottom; top, bottom = top+stride, bottom-stride {
		copy(spare, pix[top:top+stride])
		copy(pix[top:top+stride], pix[bottom:bottom+stride])
		copy(pix[bottom:bottom+stride], spare)
	}
}
