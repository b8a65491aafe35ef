package roster

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"

	"yinxin/ca/number"
	"yinxin/internal/fault"
)

// maxPersons is how many people a roster names at most.
const maxPersons = 20_000

// Rules say what a roster is checked against.
type Rules struct {
	Today  time.Time
	Expect Expectation
	// DocumentTypes are the kinds of documents accepted beside 111-居民身份证: the code of GA/T 517 and its name.
	DocumentTypes map[string]string
	// Regions are beginnings of region codes that are known beside GB/T 2260.
	Regions []string
}

// Expectation is what the application (annex 1) says. What is empty is not compared.
type Expectation struct {
	Unit       string   // 申请单位名称
	CreditCode string   // 统一社会信用代码: compared where the table has such a column
	Seals      []string // 印章名称
}

// Status says whether a person may use the seal.
type Status string

// The statuses of annex 2.
const (
	InForce   Status = "US01" // 生效
	Withdrawn Status = "US02" // 失效
)

// Person is a row without fault. It holds personal data: it prints and logs itself masked.
type Person struct {
	Row          int // in the sheet, from 1
	Name         string
	Unit         string // as the application writes it
	Sex          number.Sex
	DocumentType string // 111
	Number       string // 身份证号
	Mobile       string
	Duty         string
	Status       Status
	Purpose      string
	Seal         string // as the application writes it
}

// String is the person as a list may show them.
func (p Person) String() string {
	return fmt.Sprintf("%s %s %s", p.Name, number.MaskIdentity(p.Number), number.MaskMobile(p.Mobile))
}

// GoString keeps %#v from showing more than String.
func (p Person) GoString() string { return p.String() }

// LogValue keeps a logger from showing more than String.
func (p Person) LogValue() slog.Value { return slog.StringValue(p.String()) }

// Finding is something that is wrong with the roster, or, as a Note, something that should be known and sends no row
// back. Row and Column are counted from 1 and are zero where the finding is about a sheet.
type Finding struct {
	Sheet  string `json:"sheet"`
	Row    int    `json:"row,omitempty"`
	Column int    `json:"column,omitempty"`
	Cell   string `json:"cell,omitempty"`  // F7
	Label  string `json:"label,omitempty"` // of the column, as the notice writes it
	Code   string `json:"code"`
	ZH     string `json:"zh"`
	EN     string `json:"en"`
	Note   bool   `json:"note,omitempty"`
}

// Roster is a workbook that was read and checked.
type Roster struct {
	Sheet    string    // on which the table is
	Date     time.Time // 填报日期, midnight in China; zero where it is missing
	Rows     int       // that name a person, with or without fault
	Persons  []Person
	Findings []Finding // in the order of rows and columns; those about sheets last

	book *book
	grid *grid
	part string // of the table's sheet
}

// Good tells whether nothing has to go back to the unit.
func (r *Roster) Good() bool {
	return !slices.ContainsFunc(r.Findings, func(f Finding) bool { return !f.Note })
}

// Read reads and checks a workbook. An error says why it is not read at all (ErrLegacy, ErrMacros, ErrTooLarge,
// ErrNoHeader …); what is wrong with single cells is in the findings. Today must be set.
func Read(data []byte, rules Rules) (*Roster, error) {
	b, err := openBook(data)
	if err != nil {
		return nil, err
	}
	var r *Roster
	err = b.library(func(f *excelize.File) error {
		if err := b.agree(f); err != nil {
			return err
		}
		r, err = b.check(f, rules)
		return err
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

// check finds the table and checks it.
func (b *book) check(f *excelize.File, rules Rules) (*Roster, error) {
	chosen, others, err := b.chooseSheet(f)
	if err != nil {
		return nil, err
	}
	r := &Roster{book: b, Sheet: chosen.name, part: chosen.part}
	// Title rows, remarks and repeated headers come on top of the people.
	if r.grid, err = chosen.values(f, excelize.TotalRows, maxPersons+1000); err != nil {
		return nil, err
	}
	head, ok := findHeader(r.grid)
	if !ok {
		return nil, ErrNoHeader.New()
	}
	c := &check{rules: rules, roster: r, grid: r.grid, header: head, merged: verticalMerges(r.grid, head.bottom),
		calendar: calendar{date1904: b.date1904, format: f.GetStyle}}
	if err := c.run(chosen.hidden); err != nil {
		return nil, err
	}
	for _, name := range others {
		r.Findings = append(r.Findings, finding(NoteExtraSheet.New(), name, 0, 0, "", true))
	}
	return r, nil
}

// probeRows is how far down a sheet the header is looked for.
const probeRows = 100

// chooseSheet finds the one sheet that has the header, and names the others that have content.
func (b *book) chooseSheet(f *excelize.File) (chosen sheetRef, others []string, err error) {
	var found []sheetRef
	for _, s := range b.sheets {
		g, err := s.values(f, probeRows, probeRows)
		if err != nil {
			return chosen, nil, err
		}
		switch _, ok := findHeader(g); {
		case ok:
			found = append(found, s)
		case len(g.lines) > 0 && s.name != summarySheet && s.name != notesSheet:
			others = append(others, s.name)
		}
	}
	switch len(found) {
	case 0:
		return chosen, nil, ErrNoHeader.New()
	case 1:
		return found[0], others, nil
	}
	return chosen, nil, ErrTwoTables.With("%s, %s", found[0].name, found[1].name)
}

// finding makes one from a fault at a cell.
func finding(f *fault.Fault, sheet string, row, column int, label string, note bool) Finding {
	made := Finding{Sheet: sheet, Row: row, Column: column, Label: label, Code: f.Code, ZH: f.Sentence("zh"), EN: f.Sentence("en"), Note: note}
	if row > 0 && column > 0 {
		made.Cell = refOf(column, row)
	}
	return made
}

// sortFindings puts them in the order in which a person reads the sheet.
func sortFindings(all []Finding) {
	slices.SortStableFunc(all, func(a, b Finding) int {
		if a.Row != b.Row {
			return a.Row - b.Row
		}
		if a.Column != b.Column {
			return a.Column - b.Column
		}
		return strings.Compare(a.Code, b.Code)
	})
}
