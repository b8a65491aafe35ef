package clerk

import (
	"html/template"

	"yinxin/api/web"
	"yinxin/internal/civil"
	"yinxin/internal/fault"
	"yinxin/internal/ledger"
	"yinxin/sealer"
)

var errNotSealed = fault.Spec{Kind: fault.NotFound, Code: "clerk.not-sealed", ZH: "这次盖章没有结果文件。", EN: "This sealing led to no document."}

func (p pages) log(q *web.Request) error {
	query := q.URL.Query()
	cards, err := p.Register.Seals(q.Context(), q.Actor)
	if err != nil {
		return err
	}
	seals := web.Filter{Name: "seal", Label: web.Text{ZH: "印章", EN: "Seal"}}
	names := map[string]string{}
	for _, c := range cards {
		names[c.Code] = c.Name
		seals.Options = append(seals.Options, web.Option{Value: c.Code, Label: web.Text{ZH: c.Name, EN: c.Name}})
	}
	f := sealer.Filter{Seal: query.Get("seal"), State: query.Get("state"), Caller: q.Actor.ID}
	if f.From, f.Until, err = web.Days(query); err != nil {
		return err
	}
	list := web.List{File: q.T("用印记录", "sealings"), Empty: web.Text{ZH: "还没有用印记录。", EN: "Nothing was sealed yet."},
		Filters: append([]web.Filter{seals, {Name: "state", Label: web.Text{ZH: "状态", EN: "State"}, Options: web.SealingStates}}, web.FromUntil...),
		Columns: []web.Column{{Label: web.Text{ZH: "时间", EN: "Time"}}, {Label: web.Text{ZH: "文件", EN: "Document"}}, {Label: web.Text{ZH: "印章", EN: "Seal"}},
			{Label: web.Text{ZH: "状态", EN: "State"}}, {Label: web.Text{ZH: "SM3 摘要", EN: "SM3 digest"}}}}
	return q.ShowList("log", web.Page{Title: titleLog, Styles: []string{"clerk.css"}}, list, func(after string, limit int) (rows []web.Row, next string, err error) {
		f.After, f.Limit = after, limit
		found, next, err := p.Sealer.Log(q.Context(), q.Actor, f)
		for _, l := range found {
			word, class := web.SealingWord(l.State, q.Language)
			rows = append(rows, web.Row{Cells: []web.Cell{{Text: civil.Minute(l.Intended)}, {Text: l.Name, Path: "/clerk/sealings/" + l.ID},
				{Text: names[l.Seal], Fine: l.Seal}, {Text: word, Class: class, Fine: l.Failure}, {Text: l.SM3()}}})
		}
		return rows, next, err
	})
}

// shownSealing is what the page of a sealing shows.
type shownSealing struct {
	sealer.Recorded
	Name, SealName, SM3 string
	Word, Class, Why    string
	Size                int64
	Places              web.Places
	Ledger              proved
}

// proved is what the ledger proves of a sealing.
type proved struct {
	Class  string // good, note: not yet, bad
	Words  string
	Number int64 // of the entry, from 1
	Size   int64 // entries under the checkpoint
}

// maxProofs is how many entries of one sealing are looked at: it has two or three.
const maxProofs = 20

// proof proves every entry of a sealing against the signed checkpoint, and compares the result with what was recorded when it
// was released.
func (p pages) proof(q *web.Request, r sealer.Recorded, sm3 string) (proved, error) {
	proofs, err := p.Ledger.Proofs(q.Context(), r.ID, maxProofs)
	same := r.State != "released"
	for i := 0; err == nil && i < len(proofs); i++ {
		e := proofs[i].Entry
		same = same || e.Kind == "sealing.released" && e.Data["sm3"] == sm3 && e.Data["result"] == r.Result
		err = p.Ledger.Check(proofs[i])
	}
	f, known := fault.Of(err)
	switch {
	case fault.Has(err, ledger.ErrPending):
		return proved{Class: "note", Words: q.T("正在写入日志，请稍后刷新。", "The ledger takes it up just now; look again in a moment.")}, nil
	case known && f.Kind != fault.Unavailable:
		return proved{Class: "bad", Words: q.T("日志核对不通过："+f.ZH, "The ledger does not prove it: "+f.EN)}, nil
	case err != nil:
		return proved{}, err
	case !same:
		return proved{Class: "bad", Words: q.T("日志中的文件摘要与本文件不同。", "The ledger has another digest of the document.")}, nil
	}
	last := proofs[len(proofs)-1]
	return proved{Class: "good", Words: q.T("日志未被改动 ✔", "The ledger is unchanged ✔"), Number: last.Entry.Position + 1, Size: last.Checkpoint.Size}, nil
}

func (p pages) sealed(q *web.Request) error {
	r, err := p.Sealer.Recorded(q.Context(), q.Actor, q.PathValue("id"))
	if err != nil {
		return err
	}
	s := shownSealing{Recorded: r}
	s.Word, s.Class = web.SealingWord(r.State, q.Language)
	id := r.Result
	if id == "" {
		id = r.Document
	}
	d, err := p.Sealer.Document(q.Context(), q.Actor, id)
	if err != nil {
		return err
	}
	s.Name, s.SM3, s.Size = d.Name, d.SM3, d.Size
	if r.Failure != "" {
		s.Why = p.why(r.Failure, q.Language)
	}
	if s.Ledger, err = p.proof(q, r, d.SM3); err != nil {
		return err
	}
	s.Places = web.PlacesOf(r.Details.Marks)
	seals, err := p.Register.Seals(q.Context(), q.Actor)
	if err != nil {
		return err
	}
	for _, l := range seals {
		if l.Code == r.Seal {
			s.SealName = l.Name
		}
	}
	return q.Show("sealing", web.Page{Title: web.Text{ZH: "盖章：" + d.Name, EN: "Sealed: " + d.Name}, Trail: []web.Item{{Path: "/clerk/log", Label: titleLog}},
		Data: s, Styles: []string{"clerk.css"}})
}

// verified is what anyone who holds the sealed document would be told of it.
func (p pages) verified(q *web.Request) error {
	r, err := p.Sealer.Recorded(q.Context(), q.Actor, q.PathValue("id"))
	if err != nil {
		return err
	}
	if r.Result == "" {
		return errNotSealed.New()
	}
	d, err := p.Sealer.Document(q.Context(), q.Actor, r.Result)
	if err != nil {
		return err
	}
	said, err := p.Verdict(q.Context(), d, q.Language)
	if err != nil {
		return err
	}
	return q.Show("verification", web.Page{Title: web.Text{ZH: "验章：" + d.Name, EN: "Verification: " + d.Name},
		Trail: []web.Item{{Path: "/clerk/log", Label: titleLog}, {Path: "/clerk/sealings/" + r.ID, Label: web.Text{ZH: d.Name, EN: d.Name}}},
		Data:  struct{ Verdict template.HTML }{said}, Styles: []string{"clerk.css"}})
}
