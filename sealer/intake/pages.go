package intake

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"yinxin/internal/fault"
	"yinxin/sealer/pdf"
)

// pages visits every page: what it shows, its annotations, and everything that it reaches.
func (s *scanner) pages() error {
	if s.encrypted {
		return nil
	}
	return s.doc.EachPage(s.ctx, func(p pdf.Page, resources pdf.Object) error {
		s.pageCount++
		if p.Ref.Num != 0 {
			if s.pageNumbers.of(p.Ref.Num) != 0 {
				return nil // one page object in two places of the tree: already looked at
			}
			s.pageNumbers.set(p.Ref.Num, p.Number)
			s.seen.Add(p.Ref.Num, maxNumber)
		}
		return s.page(p, resources)
	})
}

// page looks at one page.
func (s *scanner) page(p pdf.Page, resources pdf.Object) error {
	var shown *canvas
	if s.pageCount > s.limits.Pages {
		s.cut("pages")
	} else {
		c, err := s.draw(p, resources)
		if err != nil {
			return err
		}
		shown = c
		s.judge(shown)
	}
	if err := s.annotations(p, shown); err != nil {
		return err
	}
	if resources != nil && !p.Dict.Has("Resources") {
		if err := s.walk(resources, p.Ref, "Resources", p.Number, true); err != nil {
			return err
		}
	}
	for _, e := range p.Dict {
		if e.Key == "Parent" || !reaches(e.Value) {
			continue
		}
		shown := e.Key == "Contents" || e.Key == "Resources" || e.Key == "Annots" || e.Key == "Group"
		if err := s.walk(e.Value, p.Ref, e.Key, p.Number, shown); err != nil {
			return err
		}
	}
	if key, twice := p.Dict.Duplicate(); twice {
		s.add(Finding{Code: CodeAmbiguous, Page: p.Number, ref: p.Ref, Detail: "/" + string(key)})
	}
	return nil
}

// maxParts is how many streams make up the content of one page.
const maxParts = 10_000

// pageContent decodes the content of a page, its parts joined. What a limit cuts off is left out.
func (s *scanner) pageContent(p pdf.Page) ([]byte, error) {
	o, err := s.resolve(p.Dict.Get("Contents"))
	if err != nil {
		return nil, err
	}
	parts, ok := o.(pdf.Array)
	if !ok {
		parts = pdf.Array{o}
	}
	var all []byte
	if len(parts) > maxParts {
		parts = parts[:maxParts]
		s.cut("content")
	}
	for _, part := range parts {
		o, err := s.resolve(part)
		if err != nil {
			return nil, err
		}
		stream, ok := o.(*pdf.Stream)
		if !ok {
			continue
		}
		data, err := s.decode(stream)
		if err != nil {
			return nil, err
		}
		if all == nil {
			all = data
			continue
		}
		all = append(append(all, '\n'), data...)
	}
	return all, nil
}

// maxStream is the longest decoded content stream.
const maxStream = 16 << 20

// decode decodes a content stream; what is damaged is taken as far as it goes, an unknown filter as empty.
func (s *scanner) decode(v *pdf.Stream) ([]byte, error) {
	if data, ok := s.decoded[v.Start]; ok && v.Start > 0 {
		return data, nil
	}
	left := min(s.limits.ContentBytes-s.content, maxStream)
	if left <= 0 {
		s.cut("content")
		return nil, nil
	}
	data, err := s.doc.StreamData(v, left)
	s.content += int64(len(data))
	f, ok := fault.Of(err)
	switch {
	case err == nil:
		s.keep(v, data)
		return data, nil
	case ok && f.Kind == fault.TooLarge:
		s.content += left // it was decoded up to there
		s.cut("content")
		return nil, nil
	case ok && f.Kind == fault.Invalid:
		return data, nil
	}
	return nil, err
}

// keptContent is how many bytes of decoded forms stay in memory: letterheads and watermarks are drawn on every page.
const keptContent = 4 << 20

// keep remembers a decoded form.
func (s *scanner) keep(v *pdf.Stream, data []byte) {
	if v.Dict.Get("Subtype") != pdf.Name("Form") || len(data) > keptContent/4 {
		return
	}
	if s.kept += len(data); s.kept > keptContent {
		clear(s.decoded)
		s.kept = len(data)
	}
	if s.decoded == nil {
		s.decoded = map[int64][]byte{}
	}
	s.decoded[v.Start] = data
}

// overhang is how many bytes of text may stand outside a page without a word: a line that is too long by a hyphen.
const overhang = 4

// judge turns what was found on a page into findings.
func (s *scanner) judge(c *canvas) {
	p := c.page
	if c.full {
		s.cut("content")
	}
	report := func(code Code, g *group) {
		if g.count == 0 {
			return
		}
		s.add(Finding{Code: code, Page: p.Number, ref: p.Ref, Count: g.count, Place: place(p, g.box), Detail: g.detail()})
	}
	for i := range c.texts {
		if t := &c.texts[i]; t.covered {
			c.covered.take(t.box)
		}
	}
	report(CodeCoveredText, &c.covered)
	if c.imageShare(p) >= 0.5 {
		report(CodeOCRText, &c.invisible)
	} else {
		report(CodeInvisibleText, &c.invisible)
	}
	report(CodeWhiteText, &c.white)
	report(CodeTransparent, &c.transparent)
	report(CodeTinyText, &c.tiny)
	if c.outside.length > overhang {
		report(CodeOutsidePage, &c.outside)
	}
}

// place is a rectangle of the page in mm as displayed, cut to the page.
func place(p pdf.Page, r pdf.Rect) *Place {
	const mm = 25.4 / 72
	box := p.CropBox
	x1, x2 := clamp(r.X1, box.X1, box.X2)-box.X1, clamp(r.X2, box.X1, box.X2)-box.X1
	y1, y2 := clamp(r.Y1, box.Y1, box.Y2)-box.Y1, clamp(r.Y2, box.Y1, box.Y2)-box.Y1
	w, h := box.Width(), box.Height()
	switch p.Rotate { // clockwise
	case 90:
		x1, x2, y1, y2 = y1, y2, w-x2, w-x1
	case 180:
		x1, x2, y1, y2 = w-x2, w-x1, h-y2, h-y1
	case 270:
		x1, x2, y1, y2 = h-y2, h-y1, x1, x2
	}
	scale := mm * p.UserUnit
	round := func(v float64) float64 { return float64(int64(v*scale*10+0.5)) / 10 }
	return &Place{X: round(x1), Y: round(y1), Width: round(x2 - x1), Height: round(y2 - y1)}
}

func clamp(v, low, high float64) float64 { return min(max(v, low), high) }

// document looks at what belongs to no page: the trailer, the catalog and all that they reach, and the fonts of all
// pages together.
func (s *scanner) document() error {
	if s.encrypted {
		return nil
	}
	catalog, ref, err := s.doc.Catalog()
	if err != nil {
		return err
	}
	s.seen.Add(ref.Num, maxNumber)
	if catalog.Has("Collection") {
		s.add(Finding{Code: CodePortfolio, ref: ref})
	}
	if err := s.inspect(catalog, step{owner: ref}, 0); err != nil {
		return err
	}
	for _, e := range catalog {
		if e.Key == "Pages" || !reaches(e.Value) {
			continue
		}
		if err := s.walk(e.Value, ref, e.Key, 0, e.Key == "OCProperties"); err != nil {
			return err
		}
	}
	for _, e := range s.doc.Trailer() {
		if e.Key == "Root" || e.Key == "Prev" || e.Key == "XRefStm" || !reaches(e.Value) {
			continue
		}
		if err := s.walk(e.Value, pdf.Ref{}, e.Key, 0, false); err != nil {
			return err
		}
	}
	for _, code := range []Code{CodeFontStandard, CodeFontExternal} {
		if names := s.fonts[code]; len(names) > 0 {
			list := strings.Join(names, ", ")
			s.add(Finding{Code: code, Page: s.fontPages[code], Detail: list})
		}
	}
	return nil
}

// protection looks at encryption, certification and the earlier signatures.
func (s *scanner) protection() error {
	if s.doc.Encrypted() {
		s.encrypted = true
		s.add(Finding{Code: CodeEncrypted})
		return nil
	}
	if at, twice := s.doc.ListedTwice(); twice {
		s.add(Finding{Code: CodeListedTwice, Detail: strconv.FormatInt(at, 10)})
	}
	fields, err := s.doc.SignatureFields(s.ctx)
	if err != nil {
		return err
	}
	signed := 0
	for _, f := range fields {
		if f.Dict != nil {
			signed++
		}
	}
	standings := map[string]Standing{}
	if signed > 0 && s.signatures != nil {
		answers, err := s.signatures(s.ctx)
		if err != nil {
			return errors.Join(errHook, err)
		}
		for _, a := range answers {
			// Two fields with one name: the worse answer counts for both.
			if was, ok := standings[a.Field]; !ok || was == SignatureHolds || a.Standing == SignatureBroken {
				standings[a.Field] = a.Standing
			}
		}
	}
	for i, f := range fields {
		page := 0
		if len(f.Widgets) > 0 && i < s.limits.PerCode { // further ones are only counted
			page = s.widgetPage(f.Widgets[0])
		}
		code := CodeEmptySignature
		if f.Dict != nil {
			code = CodeSigned
			switch standings[f.Name] {
			case SignatureHolds:
			case SignatureBroken:
				code = CodeSignatureBroken
			default:
				code = CodeSignatureUnknown
			}
		}
		s.add(Finding{Code: code, Page: page, ref: f.Field, Detail: f.Name})
	}
	return s.certification()
}

// errHook marks an error of Options.Signatures, which is the caller's and always ends the scan.
var errHook = errors.New("asking for the earlier signatures")

// widgetPage is the page that a widget names; 0 when it names none.
func (s *scanner) widgetPage(widget pdf.Ref) int {
	d, err := s.dict(widget)
	if err != nil {
		return 0
	}
	if page, ok := d.Get("P").(pdf.Ref); ok {
		return s.doc.PageNumber(page)
	}
	return 0
}

// certification looks for a certifying signature by /Perms (ISO 32000-1, 12.8.4).
func (s *scanner) certification() error {
	catalog, _, err := s.doc.Catalog()
	if err != nil {
		return err
	}
	permissions, err := s.dict(catalog.Get("Perms"))
	if err != nil || !permissions.Has("DocMDP") {
		return err
	}
	signature, err := s.dict(permissions.Get("DocMDP"))
	if err != nil {
		return err
	}
	references, err := s.array(signature.Get("Reference"))
	if err != nil {
		return err
	}
	level := int64(2)
	for _, o := range references {
		reference, err := s.dict(o)
		if err != nil {
			return err
		}
		if s.name(reference.Get("TransformMethod")) == "DocMDP" {
			parameters, err := s.dict(reference.Get("TransformParams"))
			if err != nil {
				return err
			}
			if p := s.integer(parameters.Get("P")); p != 0 {
				level = p
			}
		}
	}
	ref, _ := permissions.Get("DocMDP").(pdf.Ref)
	s.add(Finding{Code: CodeCertified, ref: ref, Detail: fmt.Sprintf("P=%d", level)})
	return nil
}
