package officer

import (
	"net/url"
	"strings"

	"yinxin/api/web"
	"yinxin/ca/enroll"
	"yinxin/internal/fault"
)

var titleBatches = web.Text{ZH: "汇总批次", EN: "Batches"}

type batchesPage struct {
	Batches         []enroll.Batch
	Areas           []enroll.Area
	Names           map[string]string
	May             bool
	Area, Title, By string
}

func (p *pages) batches(q *web.Request) error { return p.showBatches(q, batchesPage{}, nil) }

func (p *pages) showBatches(q *web.Request, d batchesPage, problem error) error {
	ctx, e := q.Context(), p.Desk.Enroll
	var err error
	if d.Batches, err = e.Batches(ctx, q.Actor); err != nil {
		return err
	}
	areas, err := e.Areas(ctx)
	if err != nil {
		return err
	}
	_, mine, err := e.Stands(ctx, q.Actor)
	if err != nil {
		return err
	}
	d.Names, d.May = map[string]string{}, q.Actor.Has(city) || q.Actor.Has(registrar)
	for _, a := range areas {
		d.Names[a.Code] = a.Name
		if q.Actor.Has(registrar) || a.Code == mine {
			d.Areas = append(d.Areas, a)
		}
	}
	return q.Show("batches", web.Page{Title: titleBatches, Data: d, Problem: problem, Styles: styles})
}

func (p *pages) openBatch(q *web.Request) error {
	d := batchesPage{Area: q.PostFormValue("area"), Title: strings.TrimSpace(q.PostFormValue("title")), By: q.PostFormValue("deadline")}
	day := dayOf(d.By)
	if day.IsZero() {
		return p.showBatches(q, d, enroll.ErrField.At(fault.Field("deadline")))
	}
	b, err := p.Desk.Enroll.OpenBatch(q.Context(), q.Actor, d.Area, d.Title, endOf(day))
	if err == nil {
		return q.Go(batches+"/"+b.ID, "saved")
	}
	if !sayable(err) {
		return err
	}
	return p.showBatches(q, d, err)
}

type batchPage struct {
	enroll.Progress
	Rows    []standing
	Waiting []enroll.Summary // submitted, in no batch
	Open    bool
	May     bool
	Missing int
}

type standing struct {
	enroll.Standing
	Word string
	List []summary
}

type summary struct {
	enroll.Summary
	Word, Class string
}

func (p *pages) batch(q *web.Request) error { return p.showBatch(q, nil) }

func (p *pages) showBatch(q *web.Request, problem error) error {
	ctx, e := q.Context(), p.Desk.Enroll
	progress, err := e.Progress(ctx, q.Actor, q.PathValue("id"))
	if err != nil {
		return err
	}
	d := batchPage{Progress: progress, Open: progress.HandedIn.IsZero(), May: q.Actor.Has(city) || q.Actor.Has(registrar), Missing: len(progress.Missing())}
	for _, u := range progress.Units {
		row := standing{Standing: u, Word: q.T("未开始", "not begun")}
		if behind, begun := u.Behind(); begun {
			row.Word = stateWords.of(string(behind), q.Language)
		}
		for _, a := range u.Applications {
			row.List = append(row.List, summary{a, stateWords.of(string(a.State), q.Language), stateClass(a.State)})
		}
		d.Rows = append(d.Rows, row)
	}
	if d.Open && d.May {
		if d.Waiting, err = e.List(ctx, q.Actor, enroll.Filter{States: []enroll.State{enroll.StateSubmitted}, Area: progress.Area}); err != nil {
			return err
		}
	}
	return q.Show("batch", web.Page{Title: web.Text{ZH: progress.Title, EN: progress.Title}, Trail: []web.Item{{Path: batches, Label: titleBatches}}, Data: d, Problem: problem, Styles: styles})
}

func (p *pages) afterBatch(q *web.Request, err error, notice string) error {
	if err == nil {
		return q.Go(batches+"/"+url.PathEscape(q.PathValue("id")), notice)
	}
	if !sayable(err, fault.NotFound) {
		return err
	}
	return p.showBatch(q, err)
}

// gather puts the applications that were ticked into the batch, one by one: one that somebody changed meanwhile stops it
// there, and those before are in.
func (p *pages) gather(q *web.Request) error {
	if err := q.ParseForm(); err != nil {
		return enroll.ErrField.Because(err)
	}
	for _, picked := range q.PostForm["pick"] {
		id, revision, _ := strings.Cut(picked, ":")
		q.Form.Set("revision", revision)
		q.PostForm.Set("revision", revision)
		if _, err := p.Desk.Enroll.Gather(q.Context(), q.Actor, refOf(q, id), q.PathValue("id")); err != nil {
			return p.afterBatch(q, err, "")
		}
	}
	return p.afterBatch(q, nil, "done")
}

func (p *pages) handIn(q *web.Request) error {
	_, err := p.Desk.Enroll.HandIn(q.Context(), q.Actor, refOf(q, q.PathValue("id")))
	return p.afterBatch(q, err, "handed-in")
}
