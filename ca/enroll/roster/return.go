package roster

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Namespaces of relationships: of ECMA-376 and of ISO 29500 strict.
const (
	relBase       = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
	relBaseStrict = "http://purl.oclc.org/ooxml/officeDocument/relationships"
	relHead       = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n" + `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"></Relationships>`
	typeBase      = "application/vnd.openxmlformats-officedocument.spreadsheetml."
	typeVML       = "application/vnd.openxmlformats-officedocument.vmlDrawing"
)

// Return writes the workbook that goes back to the unit: each cell with a finding marked and with a comment that says
// what is wrong, and a sheet 核对结果 that lists all findings with links to their cells. Comments that were there stay;
// what an earlier round marked and is right now is unmarked. Everything else is the original.
func (r *Roster) Return(w io.Writer) error {
	p := &parcel{book: r.book, changed: map[string][]byte{}, base: relBase}
	if r.grid.strict {
		p.base = relBaseStrict
	}
	styles, err := p.styles()
	if err != nil {
		return err
	}
	marks := r.marks()
	sheet := r.xml
	if sheet, err = p.comment(r, sheet, marks); err != nil {
		return err
	}
	sheet = r.shade(sheet, styles, marks)
	p.changed[r.part] = sheet
	if err := p.summary(r, styles.summary()); err != nil {
		return err
	}
	p.changed[p.stylesPart] = styles.bytes()
	return p.write(w)
}

// marks gathers the findings by cell.
func (r *Roster) marks() []mark {
	var marks []mark
	index := map[[2]int]int{}
	for _, f := range r.Findings {
		if f.Sheet != r.Sheet || f.Row == 0 || f.Column == 0 {
			continue
		}
		at := [2]int{f.Row, f.Column}
		i, ok := index[at]
		if !ok {
			i = len(marks)
			index[at] = i
			marks = append(marks, mark{row: f.Row, column: f.Column, text: marker, shade: noted})
		}
		if !f.Note {
			marks[i].shade = wrong
		}
		if text := marks[i].text + "\n" + f.ZH; len(text) < 2000 {
			marks[i].text = strings.TrimPrefix(text, "\n")
		}
	}
	slices.SortFunc(marks, func(a, b mark) int {
		if a.row != b.row {
			return a.row - b.row
		}
		return a.column - b.column
	})
	return marks
}

// shade gives the marked cells their format, and takes marks of an earlier round from the others. A cell that is not
// there is put in.
func (r *Roster) shade(sheet []byte, f *formats, marks []mark) []byte {
	// The edits of comment come after all cells: offsets of cells are still those of the original part.
	var edits []edit
	next := 0
	for i := range r.grid.lines {
		l := &r.grid.lines[i]
		for next < len(marks) && marks[next].row < l.number {
			next++
		}
		last := next
		for last < len(marks) && marks[last].row == l.number {
			last++
		}
		edits = append(edits, r.shadeLine(l, f, marks[next:last])...)
		next = last
	}
	return apply(sheet, edits)
}

// shadeLine puts cells in only before one that says where it is, or at the end: cells that do not say it follow the one
// before without a gap, so that nothing is ever missing there.
func (r *Roster) shadeLine(l *line, f *formats, marks []mark) []edit {
	prefix := r.grid.prefix
	var edits []edit
	insert := func(m mark, at int) {
		style := f.copyOf(r.grid.styleAt(l, m.column), m.shade)
		edits = append(edits, edit{at, at, `<` + prefix + `c r="` + refOf(m.column, m.row) + `" s="` + strconv.Itoa(style) + `"/>`})
	}
	for k := range l.cells {
		c := &l.cells[k]
		for len(marks) > 0 && marks[0].column < c.column {
			insert(marks[0], c.start)
			marks = marks[1:]
		}
		style := f.copyOf(c.style, unmarked)
		if len(marks) > 0 && marks[0].column == c.column {
			style = f.copyOf(c.style, marks[0].shade)
			marks = marks[1:]
		}
		if style != c.style {
			edits = append(edits, edit{c.start, c.end, setAttr(r.xml[c.start:c.end], "s", strconv.Itoa(style))})
		}
	}
	inserted := len(marks) > 0
	for _, m := range marks {
		insert(m, l.close)
	}
	if inserted { // spans names the first and the last column of the row; it may be left out
		if tag := r.xml[l.start:l.end]; bytes.Contains(tag, []byte("spans=")) {
			edits = append(edits, edit{l.start, l.end, setAttr(tag, "spans", "1:"+strconv.Itoa(max(lastOf(l), marks[len(marks)-1].column)))})
		}
	}
	return edits
}

func lastOf(l *line) int { return l.cells[len(l.cells)-1].column }

// parcel is the workbook to be written: parts that changed, parts that are new.
type parcel struct {
	*book
	changed    map[string][]byte // by name, lower case where the part was there
	types      strings.Builder   // content types of new parts
	stylesPart string
	base       string
}

func (p *parcel) styles() (*formats, error) {
	for _, r := range p.rels {
		if r.kind == "styles" {
			p.stylesPart = r.target
		}
	}
	if p.stylesPart == "" {
		return nil, ErrBroken.New()
	}
	p.budget = maxUnpacked // reading and writing each have it
	data, err := p.read(p.stylesPart)
	if err != nil {
		return nil, err
	}
	return readFormats(data)
}

// comment writes the comments of the marks, and gives the sheet its drawing if it has none.
func (p *parcel) comment(r *Roster, sheet []byte, marks []mark) ([]byte, error) {
	rels, err := p.relations(r.part)
	if err != nil {
		return nil, err
	}
	commentsName := ""
	for _, rel := range rels {
		if rel.kind == "comments" {
			commentsName = rel.target
		}
	}
	if commentsName == "" && len(marks) == 0 {
		return sheet, nil
	}
	old := emptyComments(r.grid.strict)
	if commentsName != "" {
		if old, err = p.read(commentsName); err != nil {
			return nil, err
		}
	} else {
		if commentsName, err = p.attach(r.part, "comments", p.unused("comments%d.xml")); err != nil {
			return nil, err
		}
		p.typed(commentsName, typeBase+"comments+xml")
	}
	comments, err := readComments(old)
	if err != nil {
		return nil, err
	}
	data, fresh, gone := comments.merge(marks)
	p.changed[commentsName] = data
	return p.draw(r, sheet, rels[r.grid.legacy].target, fresh, gone)
}

// draw puts the boxes of comments into the legacy drawing of a sheet.
func (p *parcel) draw(r *Roster, sheet []byte, drawing string, fresh []mark, gone map[[2]int]bool) ([]byte, error) {
	if drawing == "" && len(fresh) == 0 {
		return sheet, nil
	}
	old := []byte(emptyDrawing)
	var err error
	if drawing != "" {
		if old, err = p.read(drawing); err != nil {
			return nil, err
		}
	} else {
		if drawing, err = p.attach(r.part, "vmlDrawing", p.unused("drawings/vmlDrawing%d.vml")); err != nil {
			return nil, err
		}
		p.typed(drawing, typeVML)
		element := `<` + r.grid.prefix + `legacyDrawing xmlns:rel="` + p.base + `" rel:id="` + relID(drawing) + `"/>`
		sheet = apply(sheet, []edit{{r.grid.tail, r.grid.tail, element}})
	}
	p.changed[drawing], err = drawComments(old, fresh, gone)
	return sheet, err
}

// unused names a part that is not there yet.
func (p *parcel) unused(pattern string) string {
	for n := 1; ; n++ {
		name := path.Join(path.Dir(p.part), fmt.Sprintf(pattern, n))
		if p.parts[strings.ToLower(name)] == nil && p.changed[name] == nil {
			return name
		}
	}
}

func (p *parcel) typed(part, contentType string) {
	p.types.WriteString(part + "\x00" + contentType + "\x00")
}

// relID is the id of the relationship to a part that we add; ours end in the part's name, so they are new ones.
func relID(part string) string {
	return "rYinxin_" + strings.NewReplacer("/", "_", ".", "_").Replace(part)
}

// attach adds a relationship to a new part.
func (p *parcel) attach(of, kind, part string) (string, error) {
	name := relsOf(of)
	data := p.changed[name]
	if data == nil {
		data = []byte(relHead)
		if p.parts[strings.ToLower(name)] != nil {
			var err error
			if data, err = p.read(name); err != nil {
				return "", err
			}
		}
	}
	data, err := insertInto(data, "Relationships", func(prefix string) string {
		return `<` + prefix + `Relationship Id="` + relID(part) + `" Type="` + p.base + `/` + kind + `" Target="/` + escape(part) + `"/>`
	})
	p.changed[name] = data
	return part, err
}

// write writes the archive: parts that did not change are copied as they are packed.
func (p *parcel) write(w io.Writer) error {
	if err := p.contentTypes(); err != nil {
		return err
	}
	byName := map[string][]byte{}
	for name, data := range p.changed {
		byName[strings.ToLower(name)] = data
	}
	out := zip.NewWriter(w)
	for _, f := range p.zip.File {
		data, ok := byName[strings.ToLower(f.Name)]
		delete(byName, strings.ToLower(f.Name))
		var err error
		if ok {
			err = put(out, f.Name, data)
		} else {
			err = out.Copy(f)
		}
		if err != nil {
			return fmt.Errorf("write the part %s: %w", f.Name, err)
		}
	}
	names := make([]string, 0, len(byName))
	for name := range p.changed {
		if byName[strings.ToLower(name)] != nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		if err := put(out, name, p.changed[name]); err != nil {
			return fmt.Errorf("write the part %s: %w", name, err)
		}
	}
	return out.Close()
}

func put(out *zip.Writer, name string, data []byte) error {
	w, err := out.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate})
	if err != nil {
		return err
	}
	_, err = w.Write(data)
	return err
}

// contentTypes declares the new parts, each by an Override.
func (p *parcel) contentTypes() error {
	const name = "[Content_Types].xml"
	data, err := p.read(name)
	if err != nil {
		return err
	}
	list := strings.Split(p.types.String(), "\x00")
	for i := 0; i+1 < len(list); i += 2 {
		if data, err = insertInto(data, "Types", func(prefix string) string {
			return `<` + prefix + `Override PartName="/` + escape(list[i]) + `" ContentType="` + list[i+1] + `"/>`
		}); err != nil {
			return err
		}
	}
	p.changed[name] = data
	return nil
}

// addSheet adds a sheet after the last one.
func (p *parcel) addSheet(name string) (part string, err error) {
	if part, err = p.attach(p.part, "worksheet", p.unused("worksheets/sheet%d.xml")); err != nil {
		return "", err
	}
	p.typed(part, typeBase+"worksheet+xml")
	id := 0
	workbook, err := p.read(p.part)
	if err != nil {
		return "", err
	}
	if err := eachIn(bytes.NewReader(workbook), func(s *scanner, e xml.StartElement) error {
		if n, err := strconv.Atoi(attr(e, "sheetId")); s.own(e.Name) == "sheet" && err == nil {
			id = max(id, n)
		}
		return nil
	}); err != nil {
		return "", err
	}
	p.changed[p.part], err = insertInto(workbook, "sheets", func(prefix string) string {
		return `<` + prefix + `sheet name="` + escape(name) + `" sheetId="` + strconv.Itoa(id+1) + `" xmlns:rel="` + p.base + `" rel:id="` + relID(part) + `"/>`
	})
	return part, err
}
