package roster

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/xuri/excelize/v2"
)

const maxSheets = 64

// book is a workbook that has passed the guard: where its parts are, and what the survey saw of its sheets.
type book struct {
	*pack
	data     []byte
	part     string // of the workbook: xl/workbook.xml
	sheets   []sheetRef
	date1904 bool
}

type sheetRef struct {
	name, part string
	hidden     bool
	grid       *grid // without values
}

type relation struct{ kind, target string }

// relations reads the relationships of a part (ECMA-376-2, 8.5): kind is the last word of the type, target the part's name.
func (p *pack) relations(of string) (map[string]relation, error) {
	all := map[string]relation{}
	name := relsOf(of)
	if p.parts[strings.ToLower(name)] == nil {
		return all, nil
	}
	return all, p.each(name, func(_ *scanner, e xml.StartElement) error {
		id := attr(e, "Id")
		if e.Name.Local != "Relationship" || attr(e, "TargetMode") == "External" {
			return nil
		}
		if _, twice := all[id]; twice {
			return ErrBroken.New()
		}
		target := strings.ReplaceAll(attr(e, "Target"), `\`, "/")
		if strings.HasPrefix(target, "/") {
			target = path.Clean(target)[1:]
		} else {
			target = path.Join(path.Dir(of), target)
		}
		all[id] = relation{path.Base(attr(e, "Type")), target}
		return nil
	})
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

// exact tells whether the archive has a part under just this name; the library minds the case.
func (p *pack) exact(name string) bool {
	f := p.parts[strings.ToLower(name)]
	return f != nil && f.Name == name
}

// openBook guards a workbook and opens its skeleton.
func openBook(data []byte) (*book, error) {
	p, err := open(data)
	if err != nil {
		return nil, err
	}
	surveys, err := p.surveyAll()
	if err != nil {
		return nil, err
	}
	b := &book{pack: p, data: data}
	p.budget = maxUnpacked // the skeleton is read once more
	root, err := p.relations("")
	if err != nil {
		return nil, err
	}
	for _, r := range root {
		if r.kind == "officeDocument" {
			b.part = r.target
		}
	}
	rels, err := p.relations(b.part)
	if err != nil {
		return nil, err
	}
	if err := b.readSheets(rels, surveys); err != nil {
		return nil, err
	}
	return b, b.references(rels, surveys)
}

// readSheets reads the names of the sheets and which parts they are.
func (b *book) readSheets(rels map[string]relation, surveys map[string]*survey) error {
	err := b.each(b.part, func(s *scanner, e xml.StartElement) error {
		if s.depth() != 3 || s.open[1].Local != "sheets" || e.Name.Local != "sheet" {
			return nil
		}
		sheet := sheetRef{name: attr(e, "name"), hidden: attr(e, "state") != "" && attr(e, "state") != "visible"}
		if slices.ContainsFunc(b.sheets, func(s sheetRef) bool { return strings.EqualFold(s.name, sheet.name) }) {
			return ErrBroken.New()
		}
		r, ok := rels[attr(e, "id")]
		switch {
		case !ok:
			return ErrBroken.New()
		case r.kind != "worksheet": // a chart or a dialogue
			return nil
		case !b.exact(r.target) || surveys[r.target] == nil:
			return misplaced(b.pack, r.target)
		}
		if sheet.grid = surveys[r.target].grid; sheet.grid == nil {
			return ErrBroken.New()
		}
		sheet.part = r.target
		b.sheets = append(b.sheets, sheet)
		return nil
	})
	if err == nil && len(b.sheets) == 0 {
		return ErrBroken.New()
	}
	return err
}

// misplaced says of a part that is not where the library looks whether it is there at all.
func misplaced(p *pack, part string) error {
	if p.parts[strings.ToLower(part)] == nil {
		return ErrBroken.New()
	}
	return ErrDialect.New()
}

// references looks that the strings and the formats to which cells refer are there, and are where the library looks for
// them: elsewhere it would take the number of a string for the text.
func (b *book) references(rels map[string]relation, surveys map[string]*survey) error {
	strings, formats := 0, 0
	for _, r := range rels {
		switch {
		case r.kind == "sharedStrings" && r.target != "xl/sharedStrings.xml", r.kind == "styles" && r.target != "xl/styles.xml":
			return ErrDialect.New()
		case r.kind != "sharedStrings" && r.kind != "styles":
		case !b.exact(r.target) || surveys[r.target] == nil:
			return misplaced(b.pack, r.target)
		case r.kind == "sharedStrings":
			strings = surveys[r.target].strings
		case surveys[r.target].lists == [2]bool{true, true}:
			formats = surveys[r.target].formats
		}
	}
	if formats == 0 {
		return ErrDialect.New()
	}
	for _, s := range b.sheets {
		if s.grid.lastString > strings || s.grid.lastStyle >= formats {
			return ErrBroken.New()
		}
	}
	return nil
}

// library opens the workbook with excelize, for reading or for marking. All is kept in memory: beyond the limit for XML
// the library would put sheets, and with them personal data, into temporary files.
func (b *book) library(use func(f *excelize.File) error) (err error) {
	// The survey refuses what is known to make the library fail; whatever is left must not end the service.
	defer func() {
		if r := recover(); r != nil {
			err = ErrBroken.Because(errors.New("the library panicked"))
		}
	}()
	f, err := excelize.OpenReader(bytes.NewReader(b.data), excelize.Options{RawCellValue: true, UnzipSizeLimit: maxDeclared, UnzipXMLSizeLimit: maxDeclared})
	if err != nil {
		return asBroken(err)
	}
	defer f.Close()
	return asBrokenOrNil(use(f))
}

func asBrokenOrNil(err error) error {
	if err == nil {
		return nil
	}
	return asBroken(err)
}

// agree looks that the library sees the sheets that the survey saw.
func (b *book) agree(f *excelize.File) error {
	for _, s := range b.sheets {
		if i, err := f.GetSheetIndex(s.name); err != nil || i < 0 {
			return ErrDialect.New()
		}
	}
	p, err := f.GetWorkbookProps()
	if err != nil {
		return err
	}
	b.date1904 = p.Date1904 != nil && *p.Date1904
	return nil
}

// values reads a sheet down to a row: the lines that have content, with the library's values in the cells of the survey.
func (s *sheetRef) values(f *excelize.File, upTo, maxLines int) (*grid, error) {
	rows, err := f.Rows(s.name)
	if err != nil {
		return nil, ErrDialect.Because(err)
	}
	defer rows.Close()
	g := *s.grid
	g.lines = nil
	next := 0
	for number := 1; number <= upTo && rows.Next(); number++ {
		texts, err := rows.Columns()
		if err != nil {
			return nil, err
		}
		l := line{number: number}
		if next < len(s.grid.lines) && s.grid.lines[next].number == number {
			l = s.grid.lines[next]
			next++
		}
		content, err := l.fill(texts)
		if err != nil {
			return nil, err
		}
		if !content {
			continue
		}
		if g.lines = append(g.lines, l); len(g.lines) > maxLines {
			return nil, ErrTooManyRows.With("> %d", maxPersons)
		}
	}
	if next < len(s.grid.lines) && s.grid.lines[next].number <= upTo {
		return nil, ErrDialect.New() // the library ended before the survey did
	}
	return &g, rows.Error()
}

// fill gives the cells of a line the library's values, and tells whether any has content. A value where the survey saw no
// cell would mean that the two read the sheet differently.
func (l *line) fill(texts []string) (content bool, err error) {
	l.cells = slices.Clone(l.cells)
	k := 0
	for i, text := range texts {
		if text == "" {
			continue
		}
		for k < len(l.cells) && l.cells[k].column < i+1 {
			k++
		}
		if k == len(l.cells) || l.cells[k].column != i+1 {
			return false, ErrDialect.New()
		}
		l.cells[k].value = text
	}
	for i := range l.cells {
		c := &l.cells[i]
		if c.kind == numeric {
			c.value = strings.TrimSpace(c.value)
		}
		if c.kind != failed && c.kind != logical && strings.TrimFunc(c.value, unseen) == "" {
			c.kind = blank
		}
		content = content || c.kind != blank || c.formula
	}
	return content, nil
}
