package web

import (
	"net/url"
	"slices"
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

const perPage = 50

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
