package clerk

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"mime/multipart"
	"reflect"
	"slices"
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

var (
	errBatchFiles = fault.Spec{Kind: fault.TooLarge, Code: "clerk.batch-files", ZH: "一次提交的文件过多，请另建批次。", EN: "Too many files at once: make another batch."}
	errNotPDF     = fault.Spec{Kind: fault.Invalid, Code: "clerk.not-pdf", ZH: "不是 PDF 文件。", EN: "This is no PDF."}
	errEmptyFile  = fault.Spec{Kind: fault.Invalid, Code: "clerk.empty-file", ZH: "文件是空的。", EN: "The file is empty."}
	errNoneRead   = fault.Spec{Kind: fault.Invalid, Code: "clerk.none-read", ZH: "所选文件都未能读取，没有建立批次。", EN: "None of the files could be read; no batch was made."}
)

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
	Seals  []sealCard
	Key    string
	Max    int
	Typed  map[string]string
	Unread []batch.Wanted // files that could not be read, none of which is in a batch
	From   string         // the batch whose choices stand in the form
	Partly bool           // it had more choices than the form has
}

// askBatch shows the form of a batch, with the choices of an earlier one where ?from names it.
func (p pages) askBatch(q *web.Request) error {
	f := form{fields: map[string]string{"page": "-1", "x": "30", "y": "40"}}
	if from := q.URL.Query().Get("from"); from != "" {
		b, err := p.Batches.Find(q.Context(), q.Actor, from)
		if err != nil {
			return err
		}
		o, err := p.Batches.Order(q.Context(), q.Actor, from)
		if err != nil {
			return err
		}
		f.from, f.partly = b.ID, !chosen(o, f.fields)
		f.fields["title"] = b.Title
	}
	return p.askBatchAgain(q, f, nil)
}

func (p pages) askBatchAgain(q *web.Request, f form, problem error) error {
	cards, err := p.cards(q)
	if err != nil {
		return err
	}
	n := newBatch{Key: strings.ToLower(rand.Text()), Max: maxBatchFiles, Typed: f.fields, Unread: f.unread, From: f.from, Partly: f.partly}
	for _, c := range cards {
		if c.Usable && !c.Key {
			n.Seals = append(n.Seals, c)
		}
	}
	if n.From != "" && !slices.ContainsFunc(n.Seals, func(c sealCard) bool { return c.Code == f.fields["seal"] }) {
		n.Partly = true // the first seal of the list stands there instead
	}
	return q.Show("batch-new", web.Page{Title: web.Text{ZH: "新的批量盖章", EN: "A new batch"}, Trail: []web.Item{{Path: "/clerk/batches", Label: titleBatches}}, Data: n, Problem: problem,
		Styles: []string{"clerk.css"}})
}

// makeBatch takes the files of a form in as they arrive, and has them sealed. What arrived is kept with the documents of
// the clerk, whether the batch comes about or not. A file that cannot be read keeps no other out: it stands in the batch
// with the reason.
func (p pages) makeBatch(q *web.Request) error {
	f := form{fields: map[string]string{}}
	id, err := p.batchOf(q, &f)
	if _, known := fault.Of(err); known {
		return p.askBatchAgain(q, f, err)
	}
	if err != nil {
		return err
	}
	return q.Go("/clerk/batches/"+id, "")
}

// form is what was typed and what came with it.
type form struct {
	fields  map[string]string
	files   []batch.Wanted
	unread  []batch.Wanted // those of the files that could not be read
	ordered bool
	order   sealer.Order
	from    string // the batch whose choices stand in it
	partly  bool   // not all of them
}

func (p pages) batchOf(q *web.Request, f *form) (id string, err error) {
	parts, err := q.MultipartReader()
	if err != nil {
		return "", errNoFile.Because(err)
	}
	for {
		part, err := parts.NextPart()
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
			f.fields[part.FormName()] = strings.TrimSpace(string(value))
			continue
		}
		// The fields come before the files: what is wrong with them is said before anything is stored.
		if err := f.read(); err != nil {
			return "", err
		}
		if err := p.takeFile(q, f, part); err != nil {
			return "", err
		}
	}
	if len(f.files) == 0 {
		return "", errNoFile.New()
	}
	if len(f.unread) == len(f.files) {
		return "", errNoneRead.New()
	}
	if err := p.Count(q.Context(), q.Actor, f.order.Seal); err != nil {
		return "", err
	}
	b, err := p.Batches.Create(q.Context(), q.Actor, batch.Request{Title: f.fields["title"], Key: "page:" + f.fields["key"], Order: f.order, Files: f.files})
	return b.ID, err
}

// read makes the order of the fields, once.
func (f *form) read() (err error) {
	if !f.ordered {
		f.order, err = batchOrder(f.fields)
		f.ordered = err == nil
	}
	return err
}

// takeFile stores a file of the form, or notes why it could not be read.
func (p pages) takeFile(q *web.Request, f *form, part *multipart.Part) error {
	d, err := p.storeFile(q, part, len(f.files)-len(f.unread))
	if said, known := fault.Of(err); known && said.Kind != fault.Internal && said.Kind != fault.Unavailable {
		reason := batch.FailureOf(err)
		unread := batch.Wanted{Reference: batch.Reference(part.FileName()), Unread: &reason}
		if len(f.unread) == maxBatchFiles {
			return errBatchFiles.With("%d", maxBatchFiles)
		}
		f.files, f.unread = append(f.files, unread), append(f.unread, unread)
		return nil
	}
	if err != nil {
		return err
	}
	f.files = append(f.files, batch.Wanted{Document: d.ID, Reference: batch.Reference(d.Name)})
	return nil
}

func (p pages) storeFile(q *web.Request, part *multipart.Part, stored int) (d sealer.Document, err error) {
	if stored == maxBatchFiles {
		return d, errBatchFiles.With("%d", maxBatchFiles)
	}
	head := make([]byte, 1024)
	n, err := io.ReadFull(part, head)
	switch {
	case err == io.EOF:
		return d, errEmptyFile.New()
	case err != nil && err != io.ErrUnexpectedEOF:
		return d, err
	case !bytes.Contains(head[:n], []byte("%PDF-")):
		return d, errNotPDF.New()
	}
	return p.Sealer.Upload(q.Context(), q.Actor, part.FileName(), io.MultiReader(bytes.NewReader(head[:n]), part))
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

// chosen writes the choices of an order into the fields of the form, and says whether they are all that the order has.
func chosen(o sealer.Order, fields map[string]string) (all bool) {
	fields["seal"] = o.Seal
	if o.Straddle != nil {
		fields["straddle"] = "1"
	}
	if len(o.Places) > 0 {
		if first := o.Places[0]; first.Keyword != nil {
			fields["keyword"] = first.Keyword.Text
		} else {
			number := func(mm float64) string { return strconv.FormatFloat(mm, 'f', -1, 64) }
			fields["page"], fields["x"], fields["y"] = strconv.Itoa(first.Page), number(first.X), number(first.Y)
		}
	}
	again, err := batchOrder(fields)
	if err == nil {
		again, err = again.Checked()
	}
	return err == nil && reflect.DeepEqual(again, o)
}

// shownBatch is a batch with its numbers in words.
type shownBatch struct {
	batch.Batch
	Word, Class             string
	Sealed, Failed, Waiting int
	Finished, MayRetry      bool
}

func (p pages) oneBatch(q *web.Request) (shownBatch, error) {
	b, err := p.Batches.Find(q.Context(), q.Actor, q.PathValue("id"))
	if err != nil {
		return shownBatch{}, err
	}
	w := batchWords[b.State]
	return shownBatch{Batch: b, Word: w.word.In(q.Language), Class: w.class, Sealed: b.Count[batch.FileSealed], Failed: b.Count[batch.FileFailed],
		Waiting: b.Count[batch.FileWaiting], Finished: b.State != batch.Running, MayRetry: b.State == batch.Done && b.Count[batch.FileFailed] > b.Unread}, nil
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
	b, err := p.Batches.Find(q.Context(), q.Actor, q.PathValue("id"))
	if err == nil {
		err = p.Count(q.Context(), q.Actor, b.Seal)
	}
	if err == nil {
		b, err = p.Batches.Retry(q.Context(), q.Actor, b.ID)
	}
	if err != nil {
		return err
	}
	return q.Go("/clerk/batches/"+b.ID, "")
}
