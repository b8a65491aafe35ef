package officer

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"mime"
	"strconv"
	"strings"

	"yinxin/api/web"
	"yinxin/ca/enroll"
	"yinxin/internal/fault"
	"yinxin/sealer/registration"
)

var scanMedia = []string{"application/pdf", "image/jpeg", "image/png", "image/tiff"}

var titleScans = web.Text{ZH: "上传扫描件", EN: "Upload scans"}

// scansPage is what became of the pages of an upload.
type scansPage struct{ Pages []scannedPage }

type scannedPage struct {
	Page                         int
	Number, ID, Word, Class, Why string
}

func (p *pages) askScan(q *web.Request) error { return p.showScans(q, scansPage{}, nil) }

func (p *pages) showScans(q *web.Request, d scansPage, problem error) error {
	return q.Show("scans", web.Page{Title: titleScans, Trail: []web.Item{{Path: applications, Label: titleApplications}}, Data: d, Problem: problem, Styles: styles})
}

// recognise puts the pages of a scan with the applications whose codes they have.
func (p *pages) recognise(q *web.Request) error {
	name, data, done, err := p.Receive(q.Request, registration.MaxScan, scanMedia...)
	if err != nil {
		return p.showScans(q, scansPage{}, err)
	}
	defer done()
	ctx, cancel := context.WithTimeout(q.Context(), p.Time)
	defer cancel()
	found, err := p.Desk.Scan(ctx, q.Actor, name, data)
	if _, known := fault.Of(err); known {
		return p.showScans(q, scansPage{}, err)
	}
	if err != nil {
		return err
	}
	var d scansPage
	for _, f := range found {
		row := scannedPage{Page: f.Page, Number: f.Number, Word: q.T("未识别", "no code found"), Class: "doubt", Why: q.T("请在对应申请中按附件类别单独上传。", "Upload it with its application, by what it is.")}
		switch f.Outcome {
		case registration.Attached:
			row.ID, row.Word, row.Class, row.Why = f.Application.ID, q.T("已归入申请", "put with its application"), "good", ""
			if !f.Precise {
				row.Why = q.T("印模框位置不确定，请核对。", "The places of the boxes are not certain: look at them.")
			}
		case registration.Refused:
			row.Word, row.Class = q.T("未能归入", "refused"), "bad"
		}
		if problem, ok := fault.Of(f.Problem); ok {
			row.Why = problem.Sentence(q.Language)
		}
		d.Pages = append(d.Pages, row)
	}
	return p.showScans(q, d, nil)
}

// attach puts an upload with an application. Kind, page and revision are in the address: the file is the body.
func (p *pages) attach(q *web.Request) error {
	id := q.PathValue("id")
	if _, err := p.Desk.Enroll.Application(q.Context(), q.Actor, id); err != nil {
		return err
	}
	query := q.URL.Query()
	ref := refOf(q, id)
	page, _ := strconv.Atoi(query.Get("page"))
	name, data, done, err := p.Receive(q.Request, registration.MaxScan, scanMedia...)
	if err != nil {
		return p.again(q, id, "scans", err)
	}
	defer done()
	ctx, cancel := context.WithTimeout(q.Context(), p.Time)
	defer cancel()
	if _, err := p.Desk.Attach(ctx, q.Actor, ref, enroll.AttachmentKind(query.Get("kind")), name, data, max(page, 0)); err != nil {
		return p.again(q, id, "scans", err)
	}
	return q.Go(applications+"/"+id, "attached")
}

func (p *pages) detach(q *web.Request) error {
	id := q.PathValue("id")
	if _, err := p.Desk.Enroll.RemoveAttachment(q.Context(), q.Actor, refOf(q, id), q.PathValue("attachment")); err != nil {
		return p.again(q, id, "scans", err)
	}
	return q.Go(applications+"/"+id, "removed")
}

// sight is a page of a scan for the viewer.
type sight struct {
	Src     string `json:"src,omitempty"`
	Width   int    `json:"width,omitempty"`
	Height  int    `json:"height,omitempty"`
	Turn    int    `json:"turn,omitempty"`
	Problem string `json:"problem,omitempty"`
}

// look gives the viewer some pages of a scan; each look is recorded with its reason.
func (p *pages) look(q *web.Request) error {
	ctx, cancel := context.WithTimeout(q.Context(), p.Time)
	defer cancel()
	from, _ := strconv.Atoi(q.PostFormValue("from")) // what is no number is the first page
	seen, all, err := p.Desk.Look(ctx, q.Actor, q.PathValue("id"), q.PathValue("attachment"), strings.TrimSpace(q.PostFormValue("reason")), from)
	if err != nil {
		return err
	}
	out := struct {
		Pages []sight `json:"pages"`
		All   int     `json:"all"`
		Each  int     `json:"each"`
	}{All: all, Each: registration.LookPages, Pages: []sight{}}
	for _, s := range seen {
		v := sight{Width: s.Width, Height: s.Height, Turn: s.Turn}
		if f, ok := fault.Of(s.Problem); ok {
			v.Problem = f.Sentence(q.Language)
		} else {
			v.Src = "data:image/jpeg;base64," + base64.StdEncoding.EncodeToString(s.JPEG)
		}
		out.Pages = append(out.Pages, v)
	}
	body, err := json.Marshal(out)
	if err != nil {
		return err
	}
	return q.File("application/json", body)
}

// scanFile gives the scan itself: for browsers without scripts, and to keep.
func (p *pages) scanFile(q *web.Request) error {
	at, content, err := p.Desk.Enroll.OpenAttachment(q.Context(), q.Actor, q.PathValue("id"), q.PathValue("attachment"), strings.TrimSpace(q.PostFormValue("reason")))
	if err != nil {
		return err
	}
	ending := map[string]string{"application/pdf": ".pdf", "image/jpeg": ".jpg", "image/png": ".png", "image/tiff": ".tif"}[at.Media]
	return download(q, at.Media, at.Kind.Label()+ending, content)
}

// printed gives the form for printing, which is recorded; an officer says why.
func (p *pages) printed(q *web.Request) error {
	var pdf bytes.Buffer
	id := q.PathValue("id")
	if err := p.Desk.Print(q.Context(), q.Actor, id, strings.TrimSpace(q.PostFormValue("reason")), &pdf); err != nil {
		return p.again(q, id, "print", err)
	}
	return download(q, "application/pdf", "申请表.pdf", pdf.Bytes())
}

// download answers with a file that the browser keeps.
func download(q *web.Request, media, name string, body []byte) error {
	h := q.W.Header()
	h.Set("Content-Type", media)
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "no-store")
	_, _ = q.W.Write(body) // whoever went away gets nothing
	return nil
}
