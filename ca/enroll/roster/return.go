package roster

import (
	"io"
	"slices"

	"github.com/xuri/excelize/v2"
)

// mark is a cell to be marked.
type mark struct {
	row, column int
	shade       shade
	text        string // of the comment: a line per finding
}

func (m mark) cell() string { return refOf(m.column, m.row) }

// Return writes the workbook that goes back to the unit: each cell with a finding marked and with a comment that says
// what is wrong, and a sheet 核对结果 that lists all findings with links to their cells. Comments that were there stay;
// what an earlier round marked and is right now is unmarked. The workbook is written anew by the library: what it holds
// is the same, its bytes are not.
func (r *Roster) Return(w io.Writer) error {
	return r.book.library(func(f *excelize.File) error {
		formats, err := newFormats(f)
		if err != nil {
			return err
		}
		marks := r.marks()
		without, err := r.comment(f, marks)
		if err != nil {
			return err
		}
		if err := r.shade(f, formats, marks); err != nil {
			return err
		}
		if err := r.summary(f, without); err != nil {
			return err
		}
		return f.Write(w)
	})
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
			marks[i].text = text
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

// shade gives the marked cells their format, and takes marks of an earlier round from the others.
func (r *Roster) shade(f *excelize.File, formats *formats, marks []mark) error {
	set := func(row, column, base int, s shade) error {
		style, err := formats.copyOf(base, s)
		if err != nil || style == base {
			return err
		}
		cell := refOf(column, row)
		return f.SetCellStyle(r.Sheet, cell, cell, style)
	}
	for i := range r.grid.lines {
		l := &r.grid.lines[i]
		for len(marks) > 0 && marks[0].row < l.number {
			marks = marks[1:]
		}
		marked := map[int]bool{}
		for ; len(marks) > 0 && marks[0].row == l.number; marks = marks[1:] {
			m := marks[0]
			base := r.grid.styleAt(l, m.column)
			if c := l.at(m.column); c != nil {
				base = c.style
			}
			if err := set(m.row, m.column, base, m.shade); err != nil {
				return err
			}
			marked[m.column] = true
		}
		for _, c := range l.cells {
			if marked[c.column] {
				continue
			}
			if err := set(l.number, c.column, c.style, unmarked); err != nil {
				return err
			}
		}
	}
	return nil
}

// refOf writes a reference.
func refOf(column, row int) string {
	name, _ := excelize.CoordinatesToCellName(column, row) // never fails: rows and columns are bounded
	return name
}

func columnName(column int) string {
	name, _ := excelize.ColumnNumberToName(column)
	return name
}
