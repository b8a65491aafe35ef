package officer

import (
	"bytes"
	"encoding/base64"
	"html/template"

	"yinxin/api/web"
	"yinxin/ca/enroll"
	"yinxin/ca/enroll/roster"
	"yinxin/internal/fault"
)

const (
	workbook    = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	maxWorkbook = 16 << 20 // as package roster
	// mostFindings are shown; the returned workbook has all.
	mostFindings = 500
)

// rosterPage is the roster of an application, and what was wrong with one that was to take its place.
type rosterPage struct {
	enroll.Application
	Persons  []enroll.Person
	May      bool
	Findings []rosterFinding
	More     int
	Read     bool
	Rows     int
	Returned template.URL // the marked workbook
}

type rosterFinding struct {
	Sheet, Cell, Label, Sentence string
	Row                          int
	Note                         bool
}

func (p *pages) roster(q *web.Request) error {
	return p.showRoster(q, nil, nil)
}

func (p *pages) showRoster(q *web.Request, read *roster.Roster, problem error) error {
	ctx, e, id := q.Context(), p.Desk.Enroll, q.PathValue("id")
	a, err := e.Application(ctx, q.Actor, id)
	if err != nil {
		return err
	}
	d := rosterPage{Application: a}
	if d.Persons, err = e.Persons(ctx, q.Actor, id); err != nil {
		return err
	}
	possible, err := e.Possible(ctx, q.Actor, id)
	if err != nil {
		return err
	}
	for _, s := range possible {
		d.May = d.May || s == enroll.StepEdit
	}
	if read != nil {
		d.Read, d.Rows, d.More = true, read.Rows, max(0, len(read.Findings)-mostFindings)
		for _, f := range read.Findings[:min(len(read.Findings), mostFindings)] {
			d.Findings = append(d.Findings, rosterFinding{f.Sheet, f.Cell, f.Label, q.T(f.ZH, f.EN), f.Row, f.Note})
		}
		var book bytes.Buffer
		if err := read.Return(&book); err != nil {
			return err
		}
		d.Returned = template.URL("data:" + workbook + ";base64," + base64.StdEncoding.EncodeToString(book.Bytes()))
	}
	return q.Show("roster", web.Page{Title: web.Text{ZH: "使用人信息汇总表", EN: "Users of the seal"}, Data: d, Problem: problem, Styles: styles,
		Trail: []web.Item{{Path: applications, Label: titleApplications}, {Path: applications + "/" + id, Label: web.Text{ZH: a.Number, EN: a.Number}}}})
}

// importRoster takes a workbook; one with faults comes back marked.
func (p *pages) importRoster(q *web.Request) error {
	id := q.PathValue("id")
	if _, err := p.Desk.Enroll.Application(q.Context(), q.Actor, id); err != nil {
		return err
	}
	_, book, done, err := p.Receive(q.Request, maxWorkbook, workbook)
	if err != nil {
		return p.showRoster(q, nil, err)
	}
	defer done()
	_, read, err := p.Desk.Enroll.ImportRoster(q.Context(), q.Actor, refOf(q, id), book)
	if err == nil {
		return q.Go(applications+"/"+id+"/roster", "roster")
	}
	if _, known := fault.Of(err); !known {
		return err
	}
	if read != nil && read.Good() {
		read = nil // the workbook is right, and something else was not
	}
	return p.showRoster(q, read, err)
}
