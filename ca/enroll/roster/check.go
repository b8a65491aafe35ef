package roster

import (
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"yinxin/internal/fault"
)

// check goes through the rows of a table.
type check struct {
	rules    Rules
	roster   *Roster
	grid     *grid
	header   *header
	calendar calendar
	merged   map[int][]area // by column, cells merged downwards, from top to bottom
	expect   expected
	checks   [required]func(string, *Person) *fault.Fault
	seen     seen
	hidden   int // rows that name a person and are hidden
}

// verticalMerges are the cells merged downwards below the header, by column. A unit's name is often written once for all
// of its people in this way.
func verticalMerges(g *grid, bottom int) map[int][]area {
	all := map[int][]area{}
	for _, m := range g.merges {
		if m.left == m.right && m.bottom > m.top && m.top > bottom {
			all[m.left] = append(all[m.left], m)
		}
	}
	for _, list := range all {
		slices.SortFunc(list, func(a, b area) int { return a.top - b.top })
	}
	return all
}

func (c *check) run(sheetHidden bool) error {
	r, h := c.roster, c.header
	date, where := c.calendar.findDate(c.grid, h)
	if where.spec == nil && date.After(c.rules.Today) {
		where.spec = &ErrDateFuture
	}
	if where.spec != nil {
		c.at(where, false)
	}
	r.Date = date
	for _, p := range h.findings {
		c.at(p, p.spec == &NoteExtraColumn)
	}
	c.hiddenColumns()
	c.expect = expectations(c.rules)
	c.checks = c.fieldChecks()
	c.seen = newSeen()
	c.rows()
	if c.hidden > 0 || sheetHidden {
		r.Findings = append(r.Findings, finding(NoteHidden.New(), r.Sheet, h.top, h.firstColumn(), "", true))
	}
	if r.Rows == 0 {
		return ErrEmpty.New()
	}
	if r.Rows > maxPersons {
		return ErrTooManyRows.With("> %d", maxPersons)
	}
	sortFindings(r.Findings)
	return nil
}

func (c *check) rows() {
	surplus := map[int]bool{}
	for i := range c.grid.lines {
		l := &c.grid.lines[i]
		if l.number <= c.header.bottom {
			continue
		}
		c.surplus(l, surplus)
		switch c.classify(l) {
		case rowPerson:
			c.roster.Rows++
			if l.hidden {
				c.hidden++
			}
			c.person(l)
		case rowSample:
			c.at(place{row: l.number, column: c.firstFilled(l), spec: &NoteSample}, true)
		case rowRemark:
			c.at(place{row: l.number, column: l.cells[0].column, spec: &NoteRemark}, true)
		}
	}
}

// maxSurplus is how many columns without a header are told of.
const maxSurplus = 100

// surplus says once of a column without a header that it has content.
func (c *check) surplus(l *line, said map[int]bool) {
	for i := range l.cells {
		column := l.cells[i].column
		if _, known := c.header.labels[column]; !known && l.cells[i].kind != blank && !said[column] && len(said) < maxSurplus {
			said[column] = true
			c.at(place{row: l.number, column: column, spec: &NoteExtraColumn}, true)
		}
	}
}

// rowKind is what a row below the header is.
type rowKind int

const (
	rowBlank rowKind = iota
	rowPerson
	rowSample
	rowRemark
)

// remark begins what people write below the table.
var remark = regexp.MustCompile(`^(注|说明|备注|填表|填报|制表|审核|联系人|联系电话|合计|共计|经办|负责人|单位负责|盖章|\(盖章|日期)`)

func (c *check) classify(l *line) rowKind {
	filled, first := 0, ""
	for i := range l.cells {
		if l.cells[i].kind != blank && first == "" {
			first = fold(l.cells[i].value)
		}
	}
	for f := range required {
		if cell := l.at(c.header.column[f]); cell != nil && (cell.kind != blank || cell.formula) {
			filled++
		}
	}
	name := ""
	if cell := l.at(c.header.column[fieldName]); cell != nil {
		name = fold(cell.value)
	}
	switch {
	case isSample(first) || isSample(name):
		return rowSample
	case filled <= 3 && remark.MatchString(first), fieldsOf(l) >= recognised:
		return rowRemark
	case filled == 0:
		return rowBlank
	}
	return rowPerson
}

func isSample(s string) bool {
	s = strings.TrimLeft(s, "([【")
	return strings.HasPrefix(s, "示例") || strings.HasPrefix(s, "样例") || strings.HasPrefix(s, "例:")
}

func (c *check) firstFilled(l *line) int {
	for i := range l.cells {
		if l.cells[i].kind != blank {
			return l.cells[i].column
		}
	}
	return 1
}

func (c *check) hiddenColumns() {
	for f := range required {
		column := c.header.column[f]
		if column != 0 && slices.ContainsFunc(c.grid.columns, func(r columnRange) bool { return r.hidden && r.left <= column && column <= r.right }) {
			c.at(place{row: c.header.top, column: column, spec: &NoteHidden}, true)
		}
	}
}

// at records a finding at a cell.
func (c *check) at(p place, note bool) {
	f := p.spec.New()
	if p.zh != "" {
		f = f.Saying(p.zh, p.en)
	}
	c.roster.Findings = append(c.roster.Findings, finding(f, c.roster.Sheet, p.row, p.column, c.header.labels[p.column], note))
}

// value is what a field of a row holds and where it stands: in the row's own cell or, where cells are merged downwards,
// in the first of them.
type value struct {
	cell *cell // nil where there is none
	row  int
}

func (c *check) value(l *line, f field) value {
	column := c.header.column[f]
	if column == 0 {
		return value{}
	}
	own := l.at(column)
	if own != nil && (own.kind != blank || own.formula) {
		return value{own, l.number}
	}
	if m := c.mergedAt(column, l.number); m != nil && m.top < l.number {
		lines := c.grid.lines
		i := sort.Search(len(lines), func(i int) bool { return lines[i].number >= m.top })
		if i < len(lines) && lines[i].number == m.top {
			return value{lines[i].at(column), m.top}
		}
	}
	return value{nil, l.number}
}

// mergedAt is the merged area of a column that covers a row; the last that begins at or above it, since merged areas do
// not overlap.
func (c *check) mergedAt(column, row int) *area {
	list := c.merged[column]
	i := sort.Search(len(list), func(i int) bool { return list[i].top > row })
	if i > 0 && list[i-1].bottom >= row {
		return &list[i-1]
	}
	return nil
}

// seen remembers what must not come twice.
type seen struct {
	pair   map[string]int // document and seal: the row
	name   map[string]named
	mobile map[string]named // by mobile: the first person with it
}

type named struct {
	who string // name, or document
	row int
}

func newSeen() seen {
	return seen{pair: map[string]int{}, name: map[string]named{}, mobile: map[string]named{}}
}

// twice looks a person up among those before; rows that have other faults count as well.
func (c *check) twice(p *Person, refuse func(field, *fault.Fault), note func(field, *fault.Fault)) {
	if p.Number == "" {
		return
	}
	document := p.DocumentType + " " + p.Number
	if p.Seal != "" {
		key := document + "\x00" + fold(p.Seal)
		if row, ok := c.seen.pair[key]; ok {
			refuse(fieldNumber, ErrDuplicate.Saying(sameAsZH(row), sameAsEN(row)))
		} else {
			c.seen.pair[key] = p.Row
		}
	}
	if p.Name != "" {
		if before, ok := c.seen.name[document]; !ok {
			c.seen.name[document] = named{fold(p.Name), p.Row}
		} else if before.who != fold(p.Name) {
			refuse(fieldName, ErrTwoNames.Saying(sameAsZH(before.row), sameAsEN(before.row)))
		}
	}
	if p.Mobile != "" {
		if before, ok := c.seen.mobile[p.Mobile]; !ok {
			c.seen.mobile[p.Mobile] = named{document, p.Row}
		} else if before.who != document {
			note(fieldMobile, NoteSameMobile.Saying(sameAsZH(before.row), sameAsEN(before.row)))
		}
	}
}

func sameAsZH(row int) string { return "见第 " + strconv.Itoa(row) + " 行" }
func sameAsEN(row int) string { return "see row " + strconv.Itoa(row) }

// expected is the expectation in the form in which it is compared.
type expected struct {
	unit   string
	credit string
	seals  map[string]string // folded: as the application writes it
	today  time.Time
}

func expectations(rules Rules) expected {
	e := expected{unit: fold(rules.Expect.Unit), credit: rules.Expect.CreditCode, today: rules.Today}
	if len(rules.Expect.Seals) > 0 {
		e.seals = map[string]string{}
		for _, s := range rules.Expect.Seals {
			e.seals[fold(s)] = s
		}
	}
	return e
}
