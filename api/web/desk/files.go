package desk

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"yinxin/api/web"
	"yinxin/internal/civil"
	"yinxin/internal/fault"
	"yinxin/sealer/issuance"
	"yinxin/sealer/verify"
	"yinxin/sealer/verify/sheet"
)

var (
	errNoFile = fault.Spec{Kind: fault.Invalid, Code: "desk.no-file", ZH: "没有选择文件。", EN: "No file was chosen."}
	errNoPage = fault.Spec{Kind: fault.NotFound, Code: "desk.no-page", ZH: "没有这一页。", EN: "There is no such page."}
	errMove   = fault.Spec{Kind: fault.Invalid, Code: "desk.move", ZH: "页面调整方式不正确。", EN: "This is no way to arrange pages."}
	errLarge  = fault.Spec{Kind: fault.TooLarge, Code: "desk.file-too-large", ZH: "单个文件不得超过 64 MB。", EN: "One file may have up to 64 MB."}
)

// addPages puts the chosen files behind the pages that are there, in their order. What went in before one was refused stays.
func (p pages) addPages(q *web.Request) error {
	if _, err := p.Issuance.Case(q.Context(), q.Actor, q.PathValue("id")); err != nil {
		return err // before anything is read
	}
	ctx, cancel := context.WithTimeout(q.Context(), p.StepTime)
	defer cancel()
	found := false
	err := eachFile(q, func(name string, data []byte) error {
		found = true
		if _, err := p.Issuance.AddPages(ctx, q.Actor, q.PathValue("id"), name, data); err != nil {
			if f, ok := fault.Of(err); ok && f.Kind != fault.Internal {
				return f.At(fault.File(name))
			}
			return err
		}
		return nil
	})
	if err == nil && !found {
		err = errNoFile.New()
	}
	return p.after(q, err, "pages", nil)
}

// eachFile reads the files of a form one after the other.
func eachFile(q *web.Request, do func(name string, data []byte) error) error {
	form, err := q.MultipartReader()
	if err != nil {
		return errNoFile.Because(err)
	}
	for {
		part, err := form.NextPart()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return errNoFile.Because(err)
		}
		if part.FormName() != "file" || part.FileName() == "" {
			continue
		}
		data, err := io.ReadAll(io.LimitReader(part, issuance.MaxPart+1))
		if err != nil {
			return err
		}
		if len(data) > issuance.MaxPart {
			return errLarge.New()
		}
		if err := do(part.FileName(), data); err != nil {
			return err
		}
	}
}

// arrange moves a part up or down, or takes it out: "up 2", "down 1", "out 3".
func (p pages) arrange(q *web.Request) error {
	how, which, _ := strings.Cut(q.PostFormValue("move"), " ")
	before, err1 := strconv.Atoi(q.PostFormValue("before"))
	n, err2 := strconv.Atoi(which)
	if err1 != nil || err2 != nil || before < 1 || before > 100 || n < 1 || n > before {
		return p.after(q, errMove.New(), "", nil)
	}
	order := make([]int, before)
	for i := range order {
		order[i] = i + 1
	}
	switch {
	case how == "up" && n > 1:
		order[n-2], order[n-1] = order[n-1], order[n-2]
	case how == "down" && n < before:
		order[n-1], order[n] = order[n], order[n-1]
	case how == "out":
		order = append(order[:n-1], order[n:]...)
	default:
		return p.after(q, errMove.New(), "", nil)
	}
	_, err := p.Issuance.ArrangePages(q.Context(), q.Actor, q.PathValue("id"), before, order)
	return p.after(q, err, "pages", nil)
}

// picture is a page of a part: a thumbnail, or larger.
func (p pages) picture(q *web.Request) error {
	number, err1 := strconv.Atoi(q.PathValue("number"))
	page, err2 := strconv.Atoi(q.PathValue("page"))
	if err1 != nil || err2 != nil {
		return errNoPage.New()
	}
	d, err := p.Issuance.PartDocument(q.Context(), q.Actor, q.PathValue("id"), number)
	if err != nil {
		return err
	}
	dpi := 24.0
	if q.URL.Query().Get("size") == "large" {
		dpi = 110
	}
	made, err := p.Draw(q.Context(), d, page, dpi)
	if err != nil {
		return err
	}
	return q.File("image/png", made.PNG)
}

// preview is the composed copy before it has a seal.
func (p pages) preview(q *web.Request) error {
	ctx, cancel := context.WithTimeout(q.Context(), p.StepTime)
	defer cancel()
	file, err := p.Issuance.Preview(ctx, q.Actor, q.PathValue("id"))
	if err != nil {
		return p.after(q, err, "", nil)
	}
	return q.File("application/pdf", file)
}

// checked is what the verification of a copy found.
type checked struct {
	Case         issuance.Case
	Asks         bool
	Class, Title string
	Next         string
	Seals        []checkedSeal
	Report       *verify.Report
	Receivable   bool
}

type checkedSeal struct {
	verify.Signature
	Class, Word, When string
	Steps             []checkedStep
}

type checkedStep struct{ Class, Word, Name, Detail string }

// check verifies the copy now and shows what was found, to both archives.
func (p pages) check(q *web.Request) error { return p.checkAgain(q, nil) }

func (p pages) checkAgain(q *web.Request, problem error) error {
	ctx, cancel := context.WithTimeout(q.Context(), p.StepTime)
	defer cancel()
	id := q.PathValue("id")
	c, err := p.Issuance.Case(ctx, q.Actor, id)
	if err != nil {
		return err
	}
	r, err := p.Issuance.Check(ctx, q.Actor, id, q.Language)
	if err != nil {
		return p.after(q, err, "", nil)
	}
	look := sheet.LookOf(r.Verdict, q.Language)
	v := checked{Case: c, Asks: c.Receiving == q.Actor.Organisation, Class: look.Class, Title: look.Title, Next: look.Next, Report: r,
		Receivable: c.State == issuance.Issued && c.Receiving == q.Actor.Organisation}
	for _, s := range r.Signatures {
		look := sheet.LookOf(s.Verdict, q.Language)
		one := checkedSeal{Signature: s, Class: look.Class, Word: look.Word, When: sheet.Moment(s.Time, q.Language)}
		for _, step := range s.Checks {
			o := sheet.OutcomeOf(step.Result, q.Language)
			one.Steps = append(one.Steps, checkedStep{o.Class, o.Word, sheet.CheckName(step.Name, q.Language), step.Detail})
		}
		v.Seals = append(v.Seals, one)
	}
	return q.Show("check", web.Page{Title: titleCheck, Trail: []web.Item{{Path: "/desk", Label: titleDesk}, {Path: "/desk/" + id, Label: web.Text{ZH: c.Number, EN: c.Number}}},
		Data: v, Problem: problem, Styles: []string{"desk.css"}})
}

// receive takes the copy as it lies here, or the file that came another way: either is verified first.
func (p pages) receive(q *web.Request) error {
	ctx, cancel := context.WithTimeout(q.Context(), p.StepTime)
	defer cancel()
	id := q.PathValue("id")
	if _, err := p.Issuance.Case(ctx, q.Actor, id); err != nil {
		return err
	}
	var data []byte
	if strings.HasPrefix(q.Header.Get("Content-Type"), "multipart/") {
		if err := eachFile(q, func(_ string, file []byte) error { data = file; return nil }); err != nil {
			return p.checkAgain(q, err)
		}
	}
	var err error
	if len(data) > 0 {
		_, err = p.Issuance.Receive(ctx, q.Actor, id, bytes.NewReader(data), int64(len(data)))
	} else {
		_, err = p.Issuance.ReceiveHere(ctx, q.Actor, id)
	}
	if err != nil && fault.CodeOf(err) == "issuance.not-genuine" {
		return p.checkAgain(q, err)
	}
	return p.after(q, err, "received", nil)
}

// year is the year that an address asks for, or this one.
func (p pages) year(q *web.Request) (int, error) {
	text := q.URL.Query().Get("year")
	if text == "" {
		return p.Clock().In(civil.China).Year(), nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, errForm.Because(fmt.Errorf("year %q", text)).At(fault.Field("year"))
	}
	return n, nil
}
