package roster

import (
	"encoding/xml"
	"errors"
	"io"
	"strconv"
	"strings"
)

const (
	lastRow    = 1_048_576 // ECMA-376-1, 18.3.1.73 and Excel
	lastColumn = 16_384    // XFD
	maxCells   = 1_000_000 // cell elements of one sheet
	maxMerges  = 20_000
)

// kind is what a cell holds.
type kind uint8

const (
	blank kind = iota
	text
	numeric
	logical
	failed // #N/A and the like
	iso    // a date in ISO 8601
)

// cell is one cell element. Offsets are those of its start tag in the part.
type cell struct {
	column     int
	kind       kind
	formula    bool
	style      int
	value      string // text as it is, numbers as they are written in the file
	start, end int
}

// line is one row element that has content.
type line struct {
	number     int
	hidden     bool
	style      int // of its cells that are not there; 0 where it has none
	cells      []cell
	start, end int // of the start tag
	close      int // of the end tag
}

// at finds the cell of a column.
func (l *line) at(column int) *cell {
	low, high := 0, len(l.cells)
	for low < high {
		if middle := (low + high) / 2; l.cells[middle].column < column {
			low = middle + 1
		} else {
			high = middle
		}
	}
	if low < len(l.cells) && l.cells[low].column == column {
		return &l.cells[low]
	}
	return nil
}

// styleAt is the format of a cell that is not there.
func (g *grid) styleAt(l *line, column int) int {
	if l.style != 0 {
		return l.style
	}
	for _, c := range g.columnStyles {
		if c.left <= column && column <= c.right {
			return c.style
		}
	}
	return 0
}

// area is a merged range, both ends included.
type area struct{ top, left, bottom, right int }

// grid is one sheet as read.
type grid struct {
	lines         []line
	merges        []area
	hiddenColumns []area // only left and right
	columnStyles  []columnStyle
	prefix        string // of the part's elements, with its colon
	strict        bool   // ISO 29500 strict namespaces
	tail          int    // offset where elements after the table's own, but before legacyDrawingHF, may be put in
	legacy        string // id of the legacy drawing's relationship
	root          string // local name of the root element
}

// columnStyle is the format of the cells that are not there, in some columns.
type columnStyle struct{ left, right, style int }

// errEnough ends a reading that has seen what it wanted.
var errEnough = errors.New("enough")

// readSheet reads the cells of a worksheet up to a row. It keeps only what has content, so that a cell at XFD1048576
// costs what a cell at A1 does; the declared dimension is not looked at.
func (b *book) readSheet(r io.Reader, upTo, maxLines int) (*grid, error) {
	g := &grid{}
	p := &sheetReader{book: b, grid: g, scanner: scan(r), upTo: upTo, maxLines: maxLines}
	for {
		token, err := p.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = p.take(token)
		}
		if errors.Is(err, errEnough) {
			return g, nil
		}
		if err != nil {
			return nil, err
		}
	}
	if g.root != "worksheet" {
		return nil, ErrBroken.New()
	}
	return g, nil
}

type sheetReader struct {
	*scanner
	book           *book
	grid           *grid
	upTo, maxLines int
	row, column    int // of the last cell
	cells          int
}

func (p *sheetReader) take(token xml.Token) error {
	e, ok := token.(xml.StartElement)
	if !ok {
		if p.depth() == 0 && p.grid.tail == 0 {
			if _, end := token.(xml.EndElement); end {
				p.grid.tail = int(p.start)
			}
		}
		return nil
	}
	name := p.own(e.Name)
	switch p.depth() {
	case 1:
		p.grid.root = name
		if p.prefix != "" {
			p.grid.prefix = p.prefix + ":"
		}
		for _, a := range e.Attr {
			p.grid.strict = p.grid.strict || strings.HasPrefix(a.Value, "http://purl.oclc.org/ooxml/")
		}
	case 2:
		p.topLevel(name, e)
	case 3:
		switch name {
		case "row":
			if p.open[1].Local == "sheetData" {
				return p.readRow(e)
			}
		case "col":
			left, _ := strconv.Atoi(attr(e, "min"))
			right, _ := strconv.Atoi(attr(e, "max"))
			style, _ := strconv.Atoi(attr(e, "style"))
			if p.grid.columnStyles = append(p.grid.columnStyles, columnStyle{left, right, style}); len(p.grid.columnStyles) > lastColumn {
				return ErrTooLarge.New()
			}
			if truth(attr(e, "hidden")) {
				p.grid.hiddenColumns = append(p.grid.hiddenColumns, area{left: left, right: right})
			}
		case "mergeCell":
			return p.merge(attr(e, "ref"))
		}
	}
	return nil
}

// topLevel notes where the elements are that must come after a legacyDrawing (ECMA-376-1, 18.3.1.99, the sequence).
func (p *sheetReader) topLevel(name string, e xml.StartElement) {
	switch name {
	case "legacyDrawing":
		p.grid.legacy = prefixed(e, "id")
	case "legacyDrawingHF", "drawingHF", "picture", "oleObjects", "controls", "webPublishItems", "tableParts", "extLst":
	case "":
		if p.row == 0 && len(p.grid.lines) == 0 { // an AlternateContent before the table
			return
		}
	default:
		return
	}
	if p.grid.tail == 0 && name != "legacyDrawing" {
		p.grid.tail = int(p.start)
	}
}

func (p *sheetReader) merge(ref string) error {
	from, to, _ := strings.Cut(ref, ":")
	left, top, ok := cellOf(from)
	right, bottom, ok2 := cellOf(to)
	if !ok || !ok2 || right < left || bottom < top {
		return nil // says nothing about the cells; the table is read without it
	}
	if p.grid.merges = append(p.grid.merges, area{top, left, bottom, right}); len(p.grid.merges) > maxMerges {
		return ErrTooLarge.With("> %d", maxMerges)
	}
	return nil
}

// readRow reads a row element whose start tag was just given.
func (p *sheetReader) readRow(e xml.StartElement) error {
	number := p.row + 1
	if r := attr(e, "r"); r != "" {
		n, err := strconv.Atoi(r)
		if err != nil || n < number {
			return ErrBroken.New()
		}
		number = n
	}
	if number > lastRow {
		return ErrBroken.New()
	}
	if number > p.upTo {
		return errEnough
	}
	p.row, p.column = number, 0
	l := line{number: number, hidden: truth(attr(e, "hidden")), start: int(p.start), end: int(p.end)}
	if truth(attr(e, "customFormat")) {
		l.style, _ = strconv.Atoi(attr(e, "s"))
	}
	content := false
	for {
		token, err := p.next()
		if err != nil {
			return asBroken(err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			if p.own(t.Name) != "c" || p.depth() != 4 {
				continue
			}
			c, err := p.readCell(t, &l)
			if err != nil {
				return err
			}
			if c.kind != blank || c.formula {
				content = true
			}
			l.cells = append(l.cells, c)
		case xml.EndElement:
			if p.depth() > 2 {
				continue
			}
			l.close = int(p.start)
			if content {
				if p.grid.lines = append(p.grid.lines, l); len(p.grid.lines) > p.maxLines {
					return ErrTooManyRows.With("> %d", maxPersons)
				}
			}
			return nil
		}
	}
}

func (p *sheetReader) readCell(e xml.StartElement, l *line) (cell, error) {
	if p.cells++; p.cells > maxCells {
		return cell{}, ErrTooLarge.With("> %d", maxCells)
	}
	c := cell{start: int(p.start), end: int(p.end), column: p.column + 1}
	if ref := attr(e, "r"); ref != "" {
		column, row, ok := cellOf(ref)
		if !ok || row != l.number || column < c.column {
			return cell{}, ErrBroken.New()
		}
		c.column = column
	}
	if c.column > lastColumn {
		return cell{}, ErrBroken.New()
	}
	p.column = c.column
	c.style, _ = strconv.Atoi(attr(e, "s"))
	kindOf, value := attr(e, "t"), ""
	for {
		token, err := p.next()
		if err != nil {
			return cell{}, asBroken(err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			switch p.own(t.Name) {
			case "f":
				c.formula = true
			case "is":
				if c.value, err = p.text(); err != nil {
					return cell{}, err
				}
			}
		case xml.CharData:
			if p.depth() == 5 && p.open[4].Local == "v" {
				if len(value)+len(t) > 4*maxText {
					return cell{}, ErrTooLarge.New()
				}
				value += string(t)
			}
		case xml.EndElement:
			if p.depth() < 4 {
				return c, c.settle(kindOf, value, p.book.strings)
			}
		}
	}
}

// settle gives a cell its kind and value from the t attribute and the v element (ECMA-376-1, 18.18.11 ST_CellType).
func (c *cell) settle(kindOf, value string, shared []string) error {
	switch kindOf {
	case "s":
		if value == "" {
			return nil
		}
		i, err := strconv.Atoi(strings.TrimSpace(value))
		if err != nil || i < 0 || i >= len(shared) {
			return ErrBroken.New()
		}
		c.kind, c.value = text, shared[i]
	case "inlineStr":
		c.kind = text
	case "str":
		c.kind, c.value = text, unescape(value)
	case "b":
		c.kind, c.value = logical, value
	case "e":
		c.kind, c.value = failed, value
	case "d":
		c.kind, c.value = iso, value
	case "n", "":
		c.kind, c.value = numeric, strings.TrimSpace(value)
	default:
		return ErrBroken.New()
	}
	if c.kind != failed && c.kind != logical && strings.TrimFunc(c.value, unseen) == "" {
		c.kind = blank
	}
	return nil
}

// cellOf reads a reference such as F7 or $F$7.
func cellOf(ref string) (column, row int, ok bool) {
	i := 0
	for ; i < len(ref) && i < 5; i++ {
		c := ref[i]
		if c >= 'a' && c <= 'z' {
			c -= 'a' - 'A'
		}
		if c == '$' {
			continue
		}
		if c < 'A' || c > 'Z' {
			break
		}
		column = column*26 + int(c-'A') + 1
	}
	digits := strings.TrimPrefix(ref[i:], "$")
	row, err := strconv.Atoi(digits)
	return column, row, err == nil && len(digits) <= 7 && digits[0] != '+' && column >= 1 && column <= lastColumn && row >= 1 && row <= lastRow
}

// refOf writes a reference.
func refOf(column, row int) string { return columnName(column) + strconv.Itoa(row) }

func columnName(column int) string {
	name := ""
	for ; column > 0; column = (column - 1) / 26 {
		name = string(rune('A'+(column-1)%26)) + name
	}
	return name
}
