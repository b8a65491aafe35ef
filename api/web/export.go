package web

import (
	"archive/zip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/xuri/excelize/v2"
)

const (
	// exportRows is how many rows of an export are there at a time.
	exportRows = 1000
	// sheetRows is how many rows a sheet of a workbook takes: Excel has 1,048,576.
	sheetRows = 1_000_000
)

// table is where the rows of an export go, the head of the columns first.
type table interface {
	add(row []string) error
	end() error
	close()
}

// errAway says that who wanted the file went away: nobody is left to be told of a failure.
var errAway = errors.New("web: the reader went away")

// answer is where an export goes.
type answer struct {
	io.Writer
	begun bool
}

func (a *answer) Write(b []byte) (int, error) {
	a.begun = true
	n, err := a.Writer.Write(b)
	if err != nil {
		err = errAway
	}
	return n, err
}

// export gives the whole list as a file, however long it is: a piece of it is there at a time. What fails before
// anything was sent is said on a page; afterwards the answer is cut off, so that it cannot be taken for the whole.
func (q *Request) export(format string, l List, fetch Fetch) error {
	to, h := &answer{Writer: q.W}, q.W.Header()
	var t table
	if format == "csv" {
		h.Set("Content-Type", "text/csv; charset=utf-8")
		t = &csvTable{csv: csv.NewWriter(to), to: to}
	} else {
		h.Set("Content-Type", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
		t = newWorkbook(to, sheetRows)
	}
	defer t.close()
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": l.File + "." + format}))
	h.Set("Cache-Control", "no-store")
	err := q.exportTo(t, l, fetch)
	switch {
	case errors.Is(err, errAway):
		return nil
	case err != nil && to.begun:
		q.wrong(err) // for the log
		panic(http.ErrAbortHandler)
	case err != nil:
		h.Del("Content-Disposition")
	}
	return err
}

func (q *Request) exportTo(t table, l List, fetch Fetch) error {
	head := make([]string, len(l.Columns))
	for i, c := range l.Columns {
		head[i] = c.Label.In(q.Language)
	}
	for after, first := "", true; first || after != ""; first = false {
		rows, next, err := fetch(after, exportRows)
		if err != nil {
			return err
		}
		if first {
			if err := t.add(head); err != nil {
				return err
			}
		}
		for _, r := range rows {
			values := make([]string, len(r.Cells))
			for i, c := range r.Cells {
				values[i] = c.Text
			}
			if err := t.add(values); err != nil {
				return err
			}
		}
		after = next
	}
	return t.end()
}

// csvTable begins with a byte order mark, without which Excel takes the text for GBK, and lets no cell become a formula.
type csvTable struct {
	to  *answer
	csv *csv.Writer
}

func (t *csvTable) add(row []string) error {
	if !t.to.begun {
		if _, err := t.to.Write([]byte("\ufeff")); err != nil {
			return err
		}
	}
	for i, text := range row {
		if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
			row[i] = "'" + text
		}
	}
	return t.csv.Write(row)
}

func (t *csvTable) end() error { t.csv.Flush(); return t.csv.Error() }

func (t *csvTable) close() {}

// workbook writes text cells, which are no formulas whatever they begin with. It is sent at its end; until then most of
// it is in a temporary file. What does not fit on a sheet goes on on the next, under the same head.
type workbook struct {
	sheetRows int
	book      *excelize.File
	sheet     *excelize.StreamWriter
	head      []string
	sheets    int
	rows      int // of this sheet
}

func newWorkbook(to io.Writer, sheetRows int) *workbook {
	book := excelize.NewFile()
	// Otherwise the library collects the whole file in a buffer.
	book.SetZipWriter(func(io.Writer) excelize.ZipWriter { return zip.NewWriter(to) })
	return &workbook{sheetRows: sheetRows, book: book}
}

func (t *workbook) add(row []string) error {
	switch {
	case t.sheet == nil:
		t.head = row
		if err := t.begin(); err != nil {
			return err
		}
	case t.rows == t.sheetRows:
		if err := errors.Join(t.sheet.Flush(), t.begin(), t.set(t.head)); err != nil {
			return err
		}
	}
	return t.set(row)
}

// begin goes to the next sheet.
func (t *workbook) begin() (err error) {
	t.sheets, t.rows = t.sheets+1, 0
	name := fmt.Sprint("Sheet", t.sheets)
	if _, err := t.book.NewSheet(name); err != nil { // the first is there
		return err
	}
	if t.sheet, err = t.book.NewStreamWriter(name); err != nil {
		return err
	}
	return errors.Join(t.sheet.SetColWidth(1, max(1, len(t.head)), 22),
		t.sheet.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}))
}

func (t *workbook) set(row []string) error {
	t.rows++
	cell, err := excelize.CoordinatesToCellName(1, t.rows)
	if err != nil {
		return err
	}
	values := make([]any, len(row))
	for i, text := range row {
		values[i] = text
	}
	return t.sheet.SetRow(cell, values)
}

func (t *workbook) end() error {
	if err := t.sheet.Flush(); err != nil {
		return err
	}
	return t.book.Write(io.Discard) // it went where SetZipWriter says
}

func (t *workbook) close() { _ = t.book.Close() }
