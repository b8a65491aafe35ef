package roster

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"path"
	"strconv"
	"strings"
)

const (
	maxSheets  = 64
	maxStrings = 1_000_000
	maxText    = 32_767 // characters of one cell: Excel's own limit
	maxStyles  = 64_000 // cell formats: Excel's own limit
)

// book is a workbook's skeleton: where its parts are, its strings and its formats.
type book struct {
	*pack
	part     string // of the workbook: xl/workbook.xml
	rels     map[string]relation
	sheets   []sheetRef
	date1904 bool
	strings  []string
	formats  []int  // number format of each cell format
	dates    []bool // whether a cell format shows a date
}

type sheetRef struct {
	name, part string
	hidden     bool
}

type relation struct{ kind, target string }

// relations reads the relationships of a part (ECMA-376-2, 8.5): kind is the last word of the type, target the part's name.
func (p *pack) relations(of string) (map[string]relation, error) {
	all := map[string]relation{}
	name := relsOf(of)
	if p.parts[strings.ToLower(name)] == nil {
		return all, nil
	}
	err := p.each(name, func(_ *scanner, e xml.StartElement) error {
		if e.Name.Local != "Relationship" || attr(e, "TargetMode") == "External" {
			return nil
		}
		target := strings.ReplaceAll(attr(e, "Target"), `\`, "/")
		if strings.HasPrefix(target, "/") {
			target = target[1:]
		} else {
			target = path.Join(path.Dir(of), target)
		}
		all[attr(e, "Id")] = relation{path.Base(attr(e, "Type")), target}
		return nil
	})
	return all, err
}

// relsOf names the part with the relationships of a part; that of the package itself is _rels/.rels.
func relsOf(part string) string {
	folder, name := path.Split(part)
	return folder + "_rels/" + name + ".rels"
}

// each calls f for every element of a part, in order.
func (p *pack) each(part string, f func(*scanner, xml.StartElement) error) error {
	r, err := p.stream(part)
	if err != nil {
		return err
	}
	defer r.Close()
	return eachIn(r, f)
}

func eachIn(r io.Reader, f func(*scanner, xml.StartElement) error) error {
	s := scan(r)
	for {
		token, err := s.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if e, ok := token.(xml.StartElement); ok {
			if err := f(s, e); err != nil {
				return err
			}
		}
	}
}

func openBook(data []byte) (*book, error) {
	p, err := open(data)
	if err != nil {
		return nil, err
	}
	b := &book{pack: p}
	root, err := p.relations("")
	if err != nil {
		return nil, err
	}
	for _, r := range root {
		if r.kind == "officeDocument" {
			b.part = r.target
		}
	}
	if b.rels, err = p.relations(b.part); err != nil {
		return nil, err
	}
	if err := b.readWorkbook(); err != nil {
		return nil, err
	}
	for _, r := range b.rels {
		switch r.kind {
		case "sharedStrings":
			err = b.readStrings(r.target)
		case "styles":
			err = b.readStyles(r.target)
		}
		if err != nil {
			return nil, err
		}
	}
	return b, nil
}

func (b *book) readWorkbook() error {
	err := b.each(b.part, func(s *scanner, e xml.StartElement) error {
		switch s.own(e.Name) {
		case "workbookPr":
			b.date1904 = truth(attr(e, "date1904"))
		case "sheet":
			r, ok := b.rels[prefixed(e, "id")]
			if !ok || len(b.sheets) == maxSheets {
				return ErrBroken.New()
			}
			if r.kind == "worksheet" { // not a chart or dialogue
				b.sheets = append(b.sheets, sheetRef{attr(e, "name"), r.target, attr(e, "state") != "" && attr(e, "state") != "visible"})
			}
		}
		return nil
	})
	if err == nil && len(b.sheets) == 0 {
		return ErrBroken.New()
	}
	return err
}

// readStrings reads the shared strings: plain text or runs of rich text; phonetic guides are left out.
func (b *book) readStrings(part string) error {
	r, err := b.stream(part)
	if err != nil {
		return err
	}
	defer r.Close()
	s := scan(r)
	for {
		token, err := s.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if e, ok := token.(xml.StartElement); ok && s.own(e.Name) == "si" {
			text, err := s.text()
			if err != nil {
				return err
			}
			if b.strings = append(b.strings, text); len(b.strings) > maxStrings {
				return ErrTooLarge.New()
			}
		}
	}
}

// text reads to the end of the element that was just started and gives the text of its t elements (CT_Rst).
func (s *scanner) text() (string, error) {
	var text strings.Builder
	depth, phonetic := s.depth(), 0
	for {
		token, err := s.next()
		if err != nil {
			return "", asBroken(err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			if s.own(t.Name) == "rPh" {
				phonetic = s.depth()
			}
		case xml.EndElement:
			if s.depth() < phonetic {
				phonetic = 0
			}
			if s.depth() < depth {
				return unescape(text.String()), nil
			}
		case xml.CharData:
			if s.open[len(s.open)-1].Local == "t" && phonetic == 0 {
				if text.Len()+len(t) > 4*maxText {
					return "", ErrTooLarge.New()
				}
				text.Write(t)
			}
		}
	}
}

// readStyles reads which cell formats show dates.
func (b *book) readStyles(part string) error {
	custom := map[int]bool{}
	inFormats := 0
	return b.each(part, func(s *scanner, e xml.StartElement) error {
		switch s.own(e.Name) {
		case "numFmt":
			if id, err := strconv.Atoi(attr(e, "numFmtId")); err == nil && len(custom) < maxStyles {
				custom[id] = showsDate(attr(e, "formatCode"))
			}
		case "cellXfs":
			inFormats = s.depth()
		case "xf":
			if inFormats == 0 || s.depth() != inFormats+1 || s.open[inFormats-1].Local != "cellXfs" {
				return nil
			}
			id, _ := strconv.Atoi(attr(e, "numFmtId"))
			date, ok := custom[id]
			b.dates = append(b.dates, ok && date || !ok && (id >= 14 && id <= 22 || id >= 27 && id <= 36 || id >= 45 && id <= 47 || id >= 50 && id <= 58))
			if b.formats = append(b.formats, id); len(b.formats) > maxStyles {
				return ErrTooLarge.New()
			}
		}
		return nil
	})
}

// showsDate tells whether a number format has year, month or day outside quotes and brackets.
func showsDate(code string) bool {
	quoted, bracket := false, false
	for i := 0; i < len(code); i++ {
		switch c := code[i]; {
		case c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[':
			bracket = true
		case c == ']':
			bracket = false
		case !bracket && bytes.IndexByte([]byte("yYdD"), c) >= 0:
			return true
		}
	}
	return false
}
