package web

import (
	"encoding/csv"
	"fmt"
	"mime"
	"net/url"
	"slices"
	"strings"

	"github.com/xuri/excelize/v2"
)

// List is a table that filters, goes on page by page, and exports.
type List struct {
	Columns []Column
	Filters []Filter
	// Empty is said where there is no row; where a filter is set, that nothing fits is said instead.
	Empty Text
	// File is the name of an export without its ending; without it there is none.
	File string

	Rows  []Row
	Query url.Values // of the request, without what leads through the list
	Next  string     // after which row the next page begins, empty on the last
	Later bool       // this is not the first page
}

// Column is the head of a column.
type Column struct {
	Label  Text
	Number bool // stands to the right
}

// Filter is a field above the list. With options it is a choice, otherwise what Kind says: text, date or month.
type Filter struct {
	Name    string
	Label   Text
	Kind    string
	Options []Option
	Value   string // set by ShowList
}

// Option is one of a choice.
type Option struct {
	Value string
	Label Text
}

// Row is a row of a list.
type Row struct{ Cells []Cell }

// Cell is what stands in a row. Path makes it a link, Class (good, note, doubt, bad, none) a badge; Fine stands below. Code is
// a long value without blanks, such as a digest, that may be broken anywhere.
type Cell struct {
	Text, Path, Class, Fine string
	Code                    bool
}

const (
	perPage   = 50
	maxExport = 100_000
)

// Fetch gives at most limit rows behind the row that after names, and what names the last of them; empty when nothing
// follows.
type Fetch func(after string, limit int) (rows []Row, next string, err error)

// Behind fetches from a list that is there as a whole: of what stands behind the one that after names, by its identifier, that
// which row gives a row for.
func Behind[T any](all []T, id func(T) string, row func(T) (Row, bool, error)) Fetch {
	return func(after string, limit int) (rows []Row, next string, err error) {
		for _, one := range all[slices.IndexFunc(all, func(one T) bool { return id(one) == after })+1:] {
			r, fits, err := row(one)
			switch {
			case err != nil:
				return nil, "", err
			case !fits:
				continue
			case len(rows) == limit:
				return rows, next, nil
			}
			next, rows = id(one), append(rows, r)
		}
		return rows, "", nil
	}
}

// ShowList renders a page with a list, or gives the whole list as a file (?format=xlsx or csv).
func (q *Request) ShowList(name string, p Page, l List, fetch Fetch) error {
	query := q.URL.Query()
	for i := range l.Filters {
		l.Filters[i].Value = query.Get(l.Filters[i].Name)
	}
	if format := query.Get("format"); l.File != "" && (format == "xlsx" || format == "csv") {
		return q.export(format, l, fetch)
	}
	after := query.Get("after")
	var err error
	if l.Rows, l.Next, err = fetch(after, perPage); err != nil {
		return err
	}
	l.Later = after != ""
	for _, name := range []string{"after", "format", "said"} {
		query.Del(name)
	}
	l.Query = query
	p.List = &l
	return q.Show(name, p)
}

// Filtered says whether a filter is set.
func (l *List) Filtered() bool {
	for _, f := range l.Filters {
		if f.Value != "" {
			return true
		}
	}
	return false
}

// With is the query of the list with one value more.
func (l *List) With(name, value string) string {
	query := url.Values{}
	for k, v := range l.Query {
		query[k] = v
	}
	query.Set(name, value)
	return "?" + query.Encode()
}

// Plain is the query of the list's first page.
func (l *List) Plain() string { return "?" + l.Query.Encode() }

func (q *Request) export(format string, l List, fetch Fetch) error {
	header := make([]any, len(l.Columns))
	for i, c := range l.Columns {
		header[i] = c.Label.In(q.Language)
	}
	rows := [][]any{header}
	for after := ""; ; {
		page, next, err := fetch(after, 1000)
		if err != nil {
			return err
		}
		for _, r := range page {
			values := make([]any, len(r.Cells))
			for i, c := range r.Cells {
				values[i] = c.Text
			}
			rows = append(rows, values)
		}
		if next == "" || len(rows) > maxExport {
			break
		}
		after = next
	}
	h := q.W.Header()
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": l.File + "." + format}))
	h.Set("Cache-Control", "no-store")
	if format == "csv" {
		h.Set("Content-Type", "text/csv; charset=utf-8")
		return writeCSV(q, rows)
	}
	h.Set("Content-Type", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
	return writeWorkbook(q, rows)
}

// writeCSV begins with a byte order mark, without which Excel takes the text for GBK, and lets no cell become a formula.
func writeCSV(q *Request, rows [][]any) error {
	if _, err := q.W.Write([]byte("\ufeff")); err != nil {
		return nil // the reader went away
	}
	w := csv.NewWriter(q.W)
	for _, r := range rows {
		record := make([]string, len(r))
		for i, v := range r {
			record[i] = fmt.Sprint(v)
			if record[i] != "" && strings.ContainsRune("=+-@\t\r", rune(record[i][0])) {
				record[i] = "'" + record[i]
			}
		}
		if w.Write(record) != nil {
			return nil
		}
	}
	w.Flush()
	return nil
}

// writeWorkbook writes text cells, which are no formulas whatever they begin with.
func writeWorkbook(q *Request, rows [][]any) error {
	book := excelize.NewFile()
	defer book.Close()
	sheet, err := book.NewStreamWriter("Sheet1")
	if err != nil {
		return err
	}
	if err := sheet.SetColWidth(1, max(1, len(rows[0])), 22); err != nil {
		return err
	}
	if err := sheet.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}); err != nil {
		return err
	}
	for i, r := range rows {
		cell, err := excelize.CoordinatesToCellName(1, i+1)
		if err == nil {
			err = sheet.SetRow(cell, r)
		}
		if err != nil {
			return err
		}
	}
	if err := sheet.Flush(); err != nil {
		return err
	}
	if err := book.Write(q.W); err != nil {
		return nil // the reader went away
	}
	return nil
}
