package web

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
)

// exporting is a list of n numbers whose piece that begins at bad fails.
func exporting(n, bad int) (l List, fetch Fetch) {
	return List{File: "numbers", Columns: []Column{{Label: Text{ZH: "数", EN: "number"}}}}, func(after string, limit int) (rows []Row, next string, err error) {
		from := 0
		_, _ = fmt.Sscan(after, &from)
		if from == bad {
			return nil, "", errors.New("the database is away")
		}
		for i := from; i < min(n, from+limit); i++ {
			rows = append(rows, Row{Cells: []Cell{{Text: fmt.Sprint(i)}}})
		}
		if from+limit < n {
			next = fmt.Sprint(from + limit)
		}
		return rows, next, nil
	}
}

func asking() (*Request, *httptest.ResponseRecorder, *error) {
	w, said := httptest.NewRecorder(), new(error)
	site := &Site{SiteConfig: SiteConfig{Problem: func(_ *http.Request, err error, _ string) (int, string, string, string) {
		*said = err
		return 500, "", "", ""
	}}}
	return &Request{Request: httptest.NewRequest("GET", "/list?format=csv", nil), W: w, Language: "en", site: site}, w, said
}

func TestAnExportIsSentWhileItIsRead(t *testing.T) {
	const n = 123_456
	q, w, _ := asking()
	l, fetch := exporting(n, -1)
	pieces := 0
	err := q.export("csv", l, func(after string, limit int) ([]Row, string, error) {
		if sent := w.Body.Len(); pieces > 0 && sent < (pieces-1)*limit*2 {
			t.Fatalf("%d bytes were sent before piece %d is read", sent, pieces)
		}
		pieces++
		return fetch(after, limit)
	})
	if lines := strings.Count(w.Body.String(), "\n"); err != nil || lines != n+1 || pieces != n/exportRows+1 || !strings.HasSuffix(w.Body.String(), fmt.Sprintf("\n%d\n", n-1)) {
		t.Errorf("%d lines in %d pieces, %v", lines, pieces, err)
	}
}

func TestAnExportThatFailsIsNotTakenForTheWhole(t *testing.T) {
	q, w, said := asking()
	l, fetch := exporting(9000, 7000)
	func() {
		defer func() {
			if recover() != http.ErrAbortHandler {
				t.Error("the answer was not cut off")
			}
		}()
		_ = q.export("csv", l, fetch)
	}()
	if *said == nil || w.Body.Len() == 0 {
		t.Errorf("%v, after %d bytes", *said, w.Body.Len())
	}
	// Before anything was sent it is said on a page: nothing of a workbook is sent before its end.
	for format, bad := range map[string]int{"csv": 0, "xlsx": 7000} {
		q, w, _ := asking()
		l, fetch := exporting(9000, bad)
		if err := q.export(format, l, fetch); err == nil || w.Body.Len() != 0 || w.Header().Get("Content-Disposition") != "" {
			t.Errorf("%s: %v, after %d bytes with %v", format, err, w.Body.Len(), w.Header())
		}
	}
}

func TestAWorkbookGoesOnOnTheNextSheet(t *testing.T) {
	var b bytes.Buffer
	book := newWorkbook(&b, 4)
	defer book.close()
	for _, row := range []string{"head", "=1", "2", "3", "4", "5", "6", "7"} {
		if err := book.add([]string{row}); err != nil {
			t.Fatal(err)
		}
	}
	if err := book.end(); err != nil {
		t.Fatal(err)
	}
	read, err := excelize.OpenReader(&b)
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	var all []string
	for _, name := range read.GetSheetList() {
		rows, err := read.GetRows(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, fmt.Sprint(rows))
	}
	if have, want := strings.Join(all, " "), "[[head] [=1] [2] [3]] [[head] [4] [5] [6]] [[head] [7]]"; have != want {
		t.Errorf("%s, want %s", have, want)
	}
}
