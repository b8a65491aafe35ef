package roster

import (
	"slices"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"

	"yinxin/internal/fault"
)

// field is a column of the table.
type field int

const (
	fieldName field = iota
	fieldUnit
	fieldSex
	fieldType
	fieldNumber
	fieldMobile
	fieldDuty
	fieldStatus
	fieldPurpose
	fieldSeal
	required      // the fields before are all required
	fieldOrdinal  = required
	fieldCredit   = required + 1
	fieldsInTotal = required + 2
)

// columns are the labels of annex 2 of the notice, then what people write instead.
var columns = [fieldsInTotal][]string{
	fieldName:    {"姓名", "使用人", "使用人姓名", "印章使用人", "印章使用人姓名", "电子印章使用人", "人员姓名", "用章人", "用章人姓名"},
	fieldUnit:    {"所属单位名称", "所属单位", "单位名称", "单位", "工作单位", "所在单位", "单位全称", "所属单位全称", "所属机构名称"},
	fieldSex:     {"性别"},
	fieldType:    {"证件类型", "证件种类", "证件类别", "证件名称"},
	fieldNumber:  {"身份证号", "身份证号码", "身份证", "居民身份证号", "居民身份证号码", "公民身份号码", "证件号", "证件号码"},
	fieldMobile:  {"手机号", "手机号码", "手机", "移动电话", "联系手机", "联系电话", "联系方式", "电话"},
	fieldDuty:    {"职务", "职位", "岗位", "职务名称", "职务/岗位"},
	fieldStatus:  {"人员状态", "状态", "使用人状态", "用户状态"},
	fieldPurpose: {"用途(应用系统)", "用途", "应用系统", "用途/应用系统", "用途应用系统", "应用系统名称", "使用用途"},
	fieldSeal:    {"需使用印章名称", "印章名称", "使用印章名称", "需使用的印章名称", "需用印章名称", "需使用印章", "所需印章名称"},

	fieldOrdinal: {"序号", "序", "编号", "No", "No."},
	fieldCredit:  {"统一社会信用代码", "社会信用代码", "信用代码", "单位统一社会信用代码"},
}

// label is a column as the notice writes it.
func (f field) label() string {
	if f == fieldPurpose {
		return "用途（应用系统）"
	}
	return columns[f][0]
}

// fieldOf recognises the text of a header cell: blanks, line breaks and asterisks go, and so does what stands in
// parentheses (性别（1-男，2-女）).
func fieldOf(header string) (field, bool) {
	if len(header) > 200 {
		return 0, false
	}
	text := strings.Map(func(r rune) rune {
		if r == '*' || r == ':' {
			return -1
		}
		return r
	}, fold(header))
	if open := strings.IndexByte(text, '('); open > 0 {
		text = text[:open]
	}
	if text == "" {
		return 0, false
	}
	for f, names := range columns {
		if slices.Contains(names, text) {
			return field(f), true
		}
	}
	return 0, false
}

// header is where the table begins and which column holds what.
type header struct {
	top, bottom int // rows of the header, both included
	column      [fieldsInTotal]int
	findings    []place // what is wrong with its cells
	labels      map[int]string
}

// place is a fault at a cell, to become a finding.
type place struct {
	row, column int
	spec        *fault.Spec
	zh, en      string
}

// recognised is how many different columns of the table make a row its header.
const recognised = 5

// findHeader finds the first row that names at least five columns of the table.
func findHeader(g *grid) (*header, bool) {
	for i := range g.lines {
		if fields := fieldsOf(&g.lines[i]); fields >= recognised {
			return readHeader(g, i), true
		}
	}
	return nil, false
}

func fieldsOf(l *line) int {
	var seen [fieldsInTotal]bool
	count := 0
	for i := range l.cells {
		if f, ok := l.cells[i].header(); ok && f < required && !seen[f] {
			seen[f] = true
			count++
		}
	}
	return count
}

func (c *cell) header() (field, bool) {
	if c.kind != text || c.formula {
		return 0, false
	}
	return fieldOf(c.value)
}

// readHeader reads a header of one row, or of several where cells are merged downwards: then the lower rows divide
// what the upper ones group.
func readHeader(g *grid, index int) *header {
	top := g.lines[index].number
	h := &header{top: top, bottom: top, labels: map[int]string{}}
	for _, m := range g.merges {
		if m.top == top && m.bottom > h.bottom && m.bottom < top+5 {
			h.bottom = m.bottom
		}
	}
	known := map[int]bool{}
	var unknown []place
	for i := index; i < len(g.lines) && g.lines[i].number <= h.bottom; i++ {
		l := &g.lines[i]
		for k := range l.cells {
			c := &l.cells[k]
			f, ok := c.header()
			switch {
			case c.kind == blank && !c.formula:
			case !ok:
				unknown = append(unknown, place{row: l.number, column: c.column, spec: &NoteExtraColumn})
			case h.column[f] != 0 && h.column[f] != c.column:
				known[c.column] = true
				h.findings = append(h.findings, place{row: l.number, column: c.column, spec: &ErrColumnTwice})
			default:
				h.column[f], known[c.column], h.labels[c.column] = c.column, true, f.label()
			}
		}
	}
	for _, u := range unknown {
		if !known[u.column] {
			h.labels[u.column] = ""
			h.findings = append(h.findings, u)
		}
	}
	h.missing()
	return h
}

// missing says which required columns are not there, at the first cell of the header.
func (h *header) missing() {
	for f := range required {
		if h.column[f] == 0 {
			h.findings = append(h.findings, place{h.top, h.firstColumn(), &ErrColumnMissing, f.label(), f.label()})
		}
	}
}

// dateLabels stand before the date of the roster.
var dateLabels = []string{"填报日期", "填报时间", "填表日期", "填表时间", "制表日期", "制表时间", "日期"}

// calendar reads the dates of a workbook.
type calendar struct {
	date1904 bool
	format   func(style int) (*excelize.Style, error)
}

// findDate finds the date above the table: in the cell of its label or in those to the right of it. The place says where,
// and what is wrong if something is.
func (k calendar) findDate(g *grid, h *header) (time.Time, place) {
	for i := range g.lines {
		l := &g.lines[i]
		if l.number >= h.top {
			break
		}
		for n := range l.cells {
			rest, ok := afterLabel(&l.cells[n])
			if !ok {
				continue
			}
			if t, ok := k.dateFrom(rest, l.cells[n+1:]); ok {
				return t, place{row: l.number, column: l.cells[n].column}
			}
			return time.Time{}, place{row: l.number, column: l.cells[n].column, spec: &ErrDate}
		}
	}
	return k.bareDate(g, h)
}

func afterLabel(c *cell) (rest string, ok bool) {
	if c.kind != text || c.formula {
		return "", false
	}
	s := fold(c.value)
	for _, label := range dateLabels {
		if i := strings.Index(s, label); i >= 0 {
			return strings.TrimLeft(s[i+len(label):], ":"), true
		}
	}
	return "", false
}

// dateFrom reads the date from the rest of the label's cell, or from the cells after it, in which it may be spread over
// several (2025年 | 3月 | 24日).
func (k calendar) dateFrom(rest string, cells []cell) (time.Time, bool) {
	if t, ok := parseDate(rest); ok {
		return t, true
	}
	for i := range cells {
		c := &cells[i]
		if c.formula {
			return time.Time{}, false
		}
		if t, ok := k.dateOf(c); ok {
			return t, true
		}
		s, _ := c.plain()
		if rest += fold(s); len(rest) > 100 {
			break
		}
		if t, ok := parseDate(rest); ok {
			return t, true
		}
	}
	return time.Time{}, false
}

// dateOf reads a cell that is a date as a whole.
func (k calendar) dateOf(c *cell) (time.Time, bool) {
	switch {
	case c.formula:
		return time.Time{}, false
	case c.kind == numeric && k.isDate(c.style):
		return serialDate(c.value, k.date1904)
	case c.kind == iso:
		return parseDate(c.value[:min(len(c.value), 10)])
	case c.kind == text || c.kind == numeric:
		s, _ := c.plain()
		if len(s) > 60 {
			return time.Time{}, false
		}
		return parseDate(s)
	}
	return time.Time{}, false
}

// isDate tells whether a cell format shows a date. The numbers are those of ECMA-376-1, 18.8.30; 27 to 36 and 50 to 58
// are dates in Chinese programs.
func (k calendar) isDate(style int) bool {
	s, err := k.format(style)
	switch {
	case err != nil:
		return false
	case s.CustomNumFmt != nil:
		return showsDate(*s.CustomNumFmt)
	}
	n := s.NumFmt
	return n >= 14 && n <= 22 || n >= 27 && n <= 36 || n >= 45 && n <= 47 || n >= 50 && n <= 58
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
		case !bracket && strings.IndexByte("yYdD", c) >= 0:
			return true
		}
	}
	return false
}

// bareDate takes a date without a label, if there is one above the table.
func (k calendar) bareDate(g *grid, h *header) (time.Time, place) {
	for i := range g.lines {
		l := &g.lines[i]
		if l.number >= h.top {
			break
		}
		for n := range l.cells {
			if t, ok := k.dateOf(&l.cells[n]); ok {
				return t, place{row: l.number, column: l.cells[n].column}
			}
		}
	}
	return time.Time{}, place{row: h.top, column: h.firstColumn(), spec: &ErrDateMissing}
}

func (h *header) firstColumn() int {
	first := 0
	for _, c := range h.column {
		if c != 0 && (first == 0 || c < first) {
			first = c
		}
	}
	return first
}
