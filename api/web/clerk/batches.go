package clerk

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"strconv"
	"strings"

	"yinxin/api/web"
	"yinxin/internal/civil"
	"yinxin/internal/fault"
	"yinxin/sealer"
	"yinxin/sealer/batch"
	"yinxin/sealer/pdf"
)

var titleBatches = web.Text{ZH: "批量盖章", EN: "Batches"}

// maxBatchFiles is how many files one form takes; programs hand in more.
const maxBatchFiles = 500

var errBatchFiles = fault.Spec{Kind: fault.TooLarge, Code: "clerk.batch-files", ZH: "一次提交的文件过多。", EN: "Too many files at once."}

var batchWords = map[batch.State]struct {
	word  web.Text
	class string
}{batch.Running: {web.Text{ZH: "进行中", EN: "running"}, "note"}, batch.Done: {web.Text{ZH: "已完成", EN: "done"}, "good"}, batch.Cancelled: {web.Text{ZH: "已取消", EN: "cancelled"}, "none"}}

var fileStates = []struct {
	state batch.FileState
	word  web.Text
	class string
}{{batch.FileWaiting, web.Text{ZH: "排队中", EN: "waiting"}, "none"}, {batch.FileSealed, web.Text{ZH: "已完成", EN: "sealed"}, "good"},
	{batch.FileFailed, web.Text{ZH: "失败", EN: "failed"}, "bad"}, {batch.FileCancelled, web.Text{ZH: "已取消", EN: "cancelled"}, "none"}}

func (p pages) batches(q *web.Request) error {
	list := web.List{Empty: web.Text{ZH: "还没有批量盖章。", EN: "There is no batch yet."}, File: q.T("批量盖章", "batches"),
		Columns: []web.Column{{Label: web.Text{ZH: "时间", EN: "Time"}}, {Label: web.Text{ZH: "名称", EN: "Title"}}, {Label: web.Text{ZH: "状态", EN: "State"}},
			{Label: web.Text{ZH: "已完成", EN: "Sealed"}, Number: true}, {Label: web.Text{ZH: "失败", EN: "Failed"}, Number: true}, {Label: web.Text{ZH: "共", EN: "Of"}, Number: true}}}
	return q.ShowList("batches", web.Page{Title: titleBatches, Styles: []string{"clerk.css"}}, list, func(after string, limit int) (rows []web.Row, next string, err error) {
		found, err := p.Batches.List(q.Context(), q.Actor, after, limit)
		for _, b := range found {
			w := batchWords[b.State]
			title := b.Title
			if title == "" {
				title = b.ID
			}
			rows = append(rows, web.Row{Cells: []web.Cell{{Text: civil.Minute(b.Created)}, {Text: title, Path: "/clerk/batches/" + b.ID}, {Text: w.word.In(q.Language), Class: w.class},
				{Text: web.Number(b.Count[batch.FileSealed])}, {Text: web.Number(b.Count[batch.FileFailed])}, {Text: web.Number(b.Total)}}})
		}
		if len(found) == limit {
			next = found[limit-1].ID
		}
		return rows, next, err
	})
}

// newBatch is what the form of a batch shows.
type newBatch struct {
	Seals []sealCard
	Key   string
	Max   int
}

func (p pages) askBatch(q *web.Request) error { return p.askBatchAgain(q, nil) }

func (p pages) askBatchAgain(q *web.Request, problem error) error {
	cards, err := p.cards(q)
	if err != nil {
		return err
	}
	n := newBatch{Key: strings.ToLower(rand.Text()), Max: maxBatchFiles}
	for _, c := range cards {
		if c.Usable && !c.Key {
			n.Seals = append(n.Seals, c)
		}
	}
	return q.Show("batch-new", web.Page{Title: web.Text{ZH: "新的批量盖章", EN: "A new batch"}, Trail: []web.Item{{Path: "/clerk/batches", Label: titleBatches}}, Data: n, Problem: problem,
		Styles: []string{"clerk.css"}})
}

// makeBatch takes the files of a form in as they arrive, and has them sealed. What arrived is kept with the documents of
// the clerk, whether the batch comes about or not.
func (p pages) makeBatch(q *web.Request) error {
	id, err := p.batchOf(q)
	if _, known := fault.Of(err); known {
		return p.askBatchAgain(q, err)
	}
	if err != nil {
		return err
	}
	return q.Go("/clerk/batches/"+id, "")
}

func (p pages) batchOf(q *web.Request) (id string, err error) {
	form, err := q.MultipartReader()
	if err != nil {
		return "", errNoFile.Because(err)
	}
	fields := map[string]string{}
	r := batch.Request{}
	for {
		part, err := form.NextPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			return "", err
		}
		if part.FileName() == "" {
			value, err := io.ReadAll(io.LimitReader(part, 1000))
			if err != nil {
				return "", err
			}
			fields[part.FormName()] = strings.TrimSpace(string(value))
			continue
		}
		if len(r.Files) == maxBatchFiles {
			return "", errBatchFiles.With("%d", maxBatchFiles)
		}
		head := make([]byte, 1)
		if _, err := io.ReadFull(part, head); err == io.EOF {
			continue // an empty file, or none was chosen
		} else if err != nil {
			return "", err
		}
		d, err := p.Sealer.Upload(q.Context(), q.Actor, part.FileName(), io.MultiReader(bytes.NewReader(head), part))
		if err != nil {
			return "", err
		}
		r.Files = append(r.Files, batch.Wanted{Document: d.ID, Reference: d.Name})
	}
	if len(r.Files) == 0 {
		return "", errNoFile.New()
	}
	if r.Order, err = batchOrder(fields); err != nil {
		return "", err
	}
	r.Title, r.Key = fields["title"], "page:"+fields["key"]
	if err := p.Count(q.Context(), q.Actor, r.Order.Seal); err != nil {
		return "", err
	}
	b, err := p.Batches.Create(q.Context(), q.Actor, r)
	return b.ID, err
}

// batchOrder reads how the documents are to be sealed: on a keyword, or at a distance from the lower right corner.
func batchOrder(fields map[string]string) (sealer.Order, error) {
	o := sealer.Order{Seal: fields["seal"]}
	if word := fields["keyword"]; word != "" {
		o.Places = []sealer.Place{{Keyword: &sealer.Keyword{Text: word, Nth: -1}, Placement: pdf.Placement{MoveInside: true}}}
	} else {
		page, err1 := strconv.Atoi(fields["page"])
		x, err2 := strconv.ParseFloat(fields["x"], 64)
		y, err3 := strconv.ParseFloat(fields["y"], 64)
		if err := errors.Join(err1, err2, err3); err != nil {
			return o, errPlace.Because(err)
		}
		o.Places = []sealer.Place{{Placement: pdf.Placement{Page: page, From: pdf.BottomRight, X: x, Y: y, MoveInside: true}}}
	}
	if fields["straddle"] != "" {
		o.Straddle = &pdf.Straddle{}
	}
	return o, nil
}

// shownBatch is a batch with its numbers in words.
type shownBatch struct {
	batch.Batch
	Word, Class             string
	Sealed, Failed, Waiting int
	Finished                bool
}

func (p pages) oneBatch(q *web.Request) (shownBatch, error) {
	b, err := p.Batches.Find(q.Context(), q.Actor, q.PathValue("id"))
	if err != nil {
		return shownBatch{}, err
	}
	w := batchWords[b.State]
	return shownBatch{Batch: b, Word: w.word.In(q.Language), Class: w.class, Sealed: b.Count[batch.FileSealed], Failed: b.Count[batch.FileFailed],
		Waiting: b.Count[batch.FileWaiting], Finished: b.State != batch.Running}, nil
}

// batch shows a batch, live, and its files as a list.
func (p pages) batch(q *web.Request) error {
	b, err := p.oneBatch(q)
	if err != nil {
		return err
	}
	states := web.Filter{Name: "state", Label: web.Text{ZH: "状态", EN: "State"}}
	for _, s := range fileStates {
		states.Options = append(states.Options, web.Option{Value: string(s.state), Label: s.word})
	}
	list := web.List{File: q.T("批量盖章结果", "batch-results"), Filters: []web.Filter{states},
		Columns: []web.Column{{Label: web.Text{ZH: "序号", EN: "No."}, Number: true}, {Label: web.Text{ZH: "文件", EN: "Document"}}, {Label: web.Text{ZH: "状态", EN: "State"}},
			{Label: web.Text{ZH: "原因", EN: "Reason"}}, {Label: web.Text{ZH: "结果", EN: "Result"}}}}
	title := web.Text{ZH: "批量盖章", EN: "Batch"}
	if b.Title != "" {
		title = web.Text{ZH: b.Title, EN: b.Title}
	}
	page := web.Page{Title: title, Trail: []web.Item{{Path: "/clerk/batches", Label: titleBatches}}, Data: b, Scripts: []string{"task.js"}, Styles: []string{"clerk.css"}}
	state := batch.FileState(q.URL.Query().Get("state"))
	return q.ShowList("batch", page, list, func(after string, limit int) (rows []web.Row, next string, err error) {
		from, _ := strconv.Atoi(after) // what is no number begins the list
		files, err := p.Batches.Files(q.Context(), q.Actor, b.ID, state, from, limit)
		for _, f := range files {
			rows = append(rows, fileRow(f, q.Language))
		}
		if len(files) == limit {
			next = strconv.Itoa(files[limit-1].Number)
		}
		return rows, next, err
	})
}

func fileRow(f batch.File, language string) web.Row {
	state := web.Cell{Text: string(f.State)}
	for _, s := range fileStates {
		if s.state == f.State {
			state = web.Cell{Text: s.word.In(language), Class: s.class}
		}
	}
	var reason, result web.Cell
	if f.Failure != nil {
		reason = web.Cell{Text: web.Text{ZH: f.Failure.ZH, EN: f.Failure.EN}.In(language), Fine: f.Failure.Code}
	}
	if f.Result != "" {
		result = web.Cell{Text: web.Text{ZH: "下载", EN: "Download"}.In(language), Path: "/v1/documents/" + f.Result + "/content"}
	}
	return web.Row{Cells: []web.Cell{{Text: strconv.Itoa(f.Number)}, {Text: f.Reference}, state, reason, result}}
}

func (p pages) batchEvents(q *web.Request) error {
	return p.follow(q, "batch", func() (any, bool, error) {
		b, err := p.oneBatch(q)
		return b, b.Finished, err
	})
}

func (p pages) cancelBatch(q *web.Request) error {
	b, err := p.Batches.Cancel(q.Context(), q.Actor, q.PathValue("id"))
	if err != nil {
		return err
	}
	return q.Go("/clerk/batches/"+b.ID, "")
}

func (p pages) retryBatch(q *web.Request) error {
	b, err := p.Batches.Retry(q.Context(), q.Actor, q.PathValue("id"))
	if err != nil {
		return err
	}
	return q.Go("/clerk/batches/"+b.ID, "")
}
