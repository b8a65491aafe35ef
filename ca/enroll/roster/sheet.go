package roster

import (
	"encoding/xml"
	"slices"
	"strconv"
	"strings"

	"github.com/xuri/excelize/v2"
)

const (
	maxMerges = 20_000
	// maxArea is how many cells a sheet may have when every row is filled up to its last cell, as the library does: it
	// takes some 200 bytes for each.
	maxArea = 600_000
	// maxFilled is how many rows with content a sheet may have.
	maxFilled = 100_000
	// maxMoves bounds what blank rows cost: the library takes them out one by one when it writes a sheet, and moves all
	// rows below each time.
	maxMoves = 200_000_000
	maxText  = 32_767 // characters of one cell: Excel's own limit
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

// kinds are the values of the attribute t (ECMA-376-1, 18.18.11 ST_CellType).
var kinds = map[string]kind{"s": text, "inlineStr": text, "str": text, "b": logical, "e": failed, "d": iso, "n": numeric, "": numeric}

// cell is one cell. Its kind, its format and whether it has a formula are from the survey, its value is the library's.
type cell struct {
	column  int
	kind    kind
	formula bool
	style   int
	value   string // text as it is, numbers as they are written in the file
}

// line is one row.
type line struct {
	number int
	hidden bool
	style  int // of its cells that are not there; 0 where it has none
	cells  []cell
}

// at finds the cell of a column.
func (l *line) at(column int) *cell {
	i, found := slices.BinarySearchFunc(l.cells, column, func(c cell, column int) int { return c.column - column })
	if !found {
		return nil
	}
	return &l.cells[i]
}

// area is a merged range, both ends included.
type area struct{ top, left, bottom, right int }

// columnRange is some columns that have the same format.
type columnRange struct {
	left, right, style int
	hidden             bool
}

// grid is one sheet as read.
type grid struct {
	lines      []line
	merges     []area
	columns    []columnRange
	lastString int    // one more than the largest number of a shared string
	lastStyle  int    // the largest number of a cell format
	lastRow    int    // the number of the last row
	legacy     string // id of the relationship to the drawing of the comments
}

// styleAt is the format of a cell that is not there.
func (g *grid) styleAt(l *line, column int) int {
	if l.style != 0 {
		return l.style
	}
	for _, c := range g.columns {
		if c.left <= column && column <= c.right {
			return c.style
		}
	}
	return 0
}

// sheetScan reads a worksheet's part for everything but the values of its cells. What the library would read in another
// way than it says, or not where it says, is refused.
type sheetScan struct {
	*scanner
	grid    *grid
	row     *line
	cell    *cell
	kindOf  string   // the cell's attribute t
	length  int      // of the cell's text
	value   []byte   // of its v, where that is the number of a string
	has     [3]bool  // its children: v, f, is
	table   bool     // sheetData was seen
	area    int      // cells when rows are filled up
	filled  int      // rows with content
	content bool     // of this row
	blanks  [2]int64 // blank rows: how many, and the sum of their numbers
}

func (p *sheetScan) take(token xml.Token) error {
	inside := p.depth() > 1 && p.open[1].Local == "sheetData"
	switch t := token.(type) {
	case xml.StartElement:
		if inside && p.depth() > 2 {
			return p.inTable(t)
		}
		return p.outside(t)
	case xml.CharData:
		if p.cell == nil || p.depth() < 5 {
			return nil
		}
		if p.length += len(t); p.length > 4*maxText {
			return ErrTooLarge.With("> %d", maxText)
		}
		if p.kindOf == "s" && p.depth() == 5 && p.open[4].Local == "v" {
			p.value = append(p.value, t...)
		}
	case xml.EndElement:
		switch {
		case p.cell != nil && p.depth() == 3:
			return p.endCell()
		case p.row != nil && p.depth() == 2:
			return p.endRow()
		}
	}
	return nil
}

func (p *sheetScan) outside(e xml.StartElement) error {
	switch name := e.Name.Local; {
	case name == "sheetData":
		if p.table || p.depth() != 2 || e.Name.Space != p.prefix {
			return ErrDialect.New()
		}
		p.table = true
	case name == "row" && !p.table: // the library takes the first element of this name for a row
		return ErrDialect.New()
	case name == "legacyDrawing" && p.depth() == 2:
		p.grid.legacy = attr(e, "id")
	case name == "col" && p.depth() == 3:
		left, _ := strconv.Atoi(attr(e, "min"))
		right, _ := strconv.Atoi(attr(e, "max"))
		style, _ := strconv.Atoi(attr(e, "style"))
		if left < 1 || right < left || right > excelize.MaxColumns || style < 0 {
			return ErrBroken.New()
		}
		p.grid.lastStyle = max(p.grid.lastStyle, style)
		p.grid.columns = append(p.grid.columns, columnRange{left, right, style, truth(attr(e, "hidden"))})
	case name == "mergeCell" && p.depth() == 3:
		return p.merge(attr(e, "ref"))
	}
	return nil
}

func (p *sheetScan) merge(ref string) error {
	from, to, found := strings.Cut(ref, ":")
	if !found {
		to = from
	}
	left, top, err := excelize.CellNameToCoordinates(from)
	right, bottom, err2 := excelize.CellNameToCoordinates(to)
	if err != nil || err2 != nil || right < left || bottom < top {
		return ErrBroken.New()
	}
	p.grid.merges = append(p.grid.merges, area{top, left, bottom, right})
	return nil
}

// inTable takes an element below sheetData.
func (p *sheetScan) inTable(e xml.StartElement) error {
	if e.Name.Space != p.prefix {
		return ErrDialect.New()
	}
	switch name := e.Name.Local; {
	case p.depth() == 3 && name == "row":
		return p.startRow(e)
	case p.depth() == 4 && name == "c":
		return p.startCell(e)
	case p.depth() == 5:
		child := slices.Index([]string{"v", "f", "is"}, name)
		if child < 0 || p.has[child] {
			return ErrDialect.New()
		}
		p.has[child] = true
		return nil
	case p.depth() > 5 && p.open[4].Local == "is" && name != "row" && name != "c" && name != "v" && name != "f":
		return nil
	}
	return ErrDialect.New()
}

func (p *sheetScan) startRow(e xml.StartElement) error {
	if attr(e, "r") == "" { // the library sorts such rows in by guessing
		return ErrDialect.New()
	}
	number, err := strconv.Atoi(attr(e, "r"))
	style, ok := p.style(e)
	if err != nil || !ok || number <= p.grid.lastRow || number > excelize.TotalRows || !once(e, "r", "s", "hidden", "customFormat") {
		return ErrBroken.New()
	}
	if !truth(attr(e, "customFormat")) {
		style = 0
	}
	p.blank(p.grid.lastRow+1, number-1)
	p.grid.lastRow = number
	p.row, p.content = &line{number: number, hidden: truth(attr(e, "hidden")), style: style}, false
	return nil
}

// blank counts rows from one to another, both included, as blank.
func (p *sheetScan) blank(from, to int) {
	n := int64(to - from + 1)
	p.blanks[0] += n
	p.blanks[1] += n * int64(from+to) / 2
}

// style reads the attribute s.
func (p *sheetScan) style(e xml.StartElement) (int, bool) {
	s := attr(e, "s")
	if s == "" {
		return 0, true
	}
	style, err := strconv.Atoi(s)
	p.grid.lastStyle = max(p.grid.lastStyle, style)
	return style, err == nil && style >= 0
}

func (p *sheetScan) startCell(e xml.StartElement) error {
	if attr(e, "r") == "" {
		return ErrDialect.New()
	}
	column, row, err := excelize.CellNameToCoordinates(attr(e, "r"))
	style, ok := p.style(e)
	if err != nil || !ok || row != p.row.number || !once(e, "r", "s", "t") {
		return ErrBroken.New()
	}
	if n := len(p.row.cells); n > 0 && column <= p.row.cells[n-1].column {
		return ErrBroken.New()
	}
	p.kindOf = attr(e, "t")
	k, ok := kinds[p.kindOf]
	if !ok {
		return ErrBroken.New()
	}
	p.row.cells = append(p.row.cells, cell{column: column, kind: k, style: style})
	p.cell = &p.row.cells[len(p.row.cells)-1]
	p.has, p.length, p.value = [3]bool{}, 0, p.value[:0]
	return nil
}

func (p *sheetScan) endCell() error {
	c := p.cell
	c.formula, p.cell = p.has[1], nil
	p.content = p.content || p.length > 0 || c.formula
	if p.kindOf != "s" || len(p.value) == 0 {
		return nil
	}
	// As the library reads it; what it cannot read it takes for the first string.
	i, err := strconv.Atoi(strings.TrimSpace(string(p.value)))
	if err != nil || i < 0 || i > maxElements["si"] {
		return ErrBroken.New()
	}
	p.grid.lastString = max(p.grid.lastString, i+1)
	return nil
}

func (p *sheetScan) endRow() error {
	l := p.row
	p.row = nil
	// The library leaves out cells without value, kind and format, and rows without cells.
	if !p.content && !slices.ContainsFunc(l.cells, func(c cell) bool { return c.style != 0 }) {
		p.blank(l.number, l.number)
	}
	if len(l.cells) == 0 {
		return nil
	}
	if p.area += l.cells[len(l.cells)-1].column; p.area > maxArea {
		return ErrTooLarge.With("> %d", maxArea)
	}
	if p.content {
		if p.filled++; p.filled > maxFilled {
			return ErrTooManyRows.With("> %d", maxPersons)
		}
	}
	p.grid.lines = append(p.grid.lines, *l)
	return nil
}

// finish looks at what is known at the end only.
func (p *sheetScan) finish() error {
	if p.blanks[0]*int64(p.grid.lastRow)-p.blanks[1] > maxMoves {
		return ErrTooLarge.New()
	}
	// Merged ranges must not overlap (ECMA-376-1, 18.3.1.55); the library unites those that do, round after round.
	merges := slices.Clone(p.grid.merges)
	slices.SortFunc(merges, func(a, b area) int { return a.top - b.top })
	for i, a := range merges {
		for _, b := range merges[i+1:] {
			if b.top > a.bottom {
				break
			}
			if b.left <= a.right && a.left <= b.right {
				return ErrBroken.New()
			}
		}
	}
	return nil
}
