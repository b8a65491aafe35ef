package clerk

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"mime/multipart"
	"path"
	"slices"
	"strconv"
	"strings"

	"yinxin/api/web"
	"yinxin/internal/fault"
	"yinxin/sealer"
	"yinxin/sealer/intake"
	"yinxin/sealer/issuance/compose"
	"yinxin/sealer/pdf"
)

// maxScans is the most that scanned pages of one document may have, in bytes, since they are worked on in memory.
const maxScans = 64 << 20

var (
	errNoFile = fault.Spec{Kind: fault.Invalid, Code: "clerk.no-file", ZH: "没有选择文件。", EN: "No file was chosen."}
	errMixed  = fault.Spec{Kind: fault.Invalid, Code: "clerk.mixed-files",
		ZH: "一次选择一个 PDF，或若干张扫描图片（JPEG、PNG、TIFF）。", EN: "Choose one PDF, or scanned pages as JPEG, PNG or TIFF."}
	errPlace = fault.Spec{Kind: fault.Invalid, Code: "clerk.place", ZH: "盖章位置不是有效的页码和毫米数。", EN: "The place is no page and millimetres."}
	errScans = fault.Spec{Kind: fault.TooLarge, Code: "clerk.scans-too-large", ZH: "扫描图片合计过大。", EN: "The scanned pages are too large together."}
)

// choice is what the page for choosing a file shows.
type choice struct {
	Max int64 // largest document in bytes
}

func (p pages) choose(q *web.Request) error { return p.chooseAgain(q, nil) }

func (p pages) chooseAgain(q *web.Request, problem error) error {
	return q.Show("new", web.Page{Title: titleNew, Data: choice{p.MaxUpload}, Problem: problem, Scripts: []string{"upload.js"}, Styles: []string{"clerk.css"}})
}

// receive takes a PDF, or scanned pages that become one.
func (p pages) receive(q *web.Request) error {
	id, err := p.upload(q)
	if _, known := fault.Of(err); known {
		return p.chooseAgain(q, err)
	}
	if err != nil {
		return err
	}
	return q.Go("/clerk/documents/"+id, "")
}

func (p pages) upload(q *web.Request) (id string, err error) {
	form, err := q.MultipartReader()
	if err != nil {
		return "", errNoFile.Because(err)
	}
	var scans []compose.Scan
	total := 0
	for {
		part, err := form.NextPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			return "", errNoFile.Because(err)
		}
		if part.FormName() != "file" || part.FileName() == "" {
			continue
		}
		head := make([]byte, 1024)
		n, err := io.ReadFull(part, head)
		if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
			return "", err
		}
		head = head[:n]
		if bytes.Contains(head, []byte("%PDF-")) {
			if len(scans) > 0 {
				return "", errMixed.New()
			}
			return p.take(q, part, head, form)
		}
		data, err := io.ReadAll(io.LimitReader(io.MultiReader(bytes.NewReader(head), part), maxScans+1))
		if err != nil {
			return "", err
		}
		if total += len(data); total > maxScans {
			return "", errScans.With("%d MB", maxScans>>20)
		}
		scans = append(scans, compose.Scan{Name: part.FileName(), Data: data})
	}
	if len(scans) == 0 {
		return "", errNoFile.New()
	}
	return p.bind(q, scans)
}

// take stores a PDF as it arrives, unless another file follows it in the form.
func (p pages) take(q *web.Request, part *multipart.Part, head []byte, form *multipart.Reader) (string, error) {
	d, err := p.Sealer.Upload(q.Context(), q.Actor, part.FileName(), io.MultiReader(bytes.NewReader(head), part, &lastFile{form}))
	return d.ID, err
}

// lastFile ends a file that is read if it was the last of its form; else reading it fails, so that it is not stored.
type lastFile struct{ form *multipart.Reader }

func (l *lastFile) Read([]byte) (int, error) {
	for {
		next, err := l.form.NextPart()
		if err == io.EOF {
			return 0, io.EOF
		}
		if err != nil {
			return 0, errNoFile.Because(err)
		}
		if next.FileName() != "" {
			return 0, errMixed.New()
		}
	}
}

// bind makes one document of scanned pages.
func (p pages) bind(q *web.Request, scans []compose.Scan) (string, error) {
	made, err := p.Bind(q.Context(), scans...)
	if err != nil {
		return "", err
	}
	first := scans[0].Name
	d, err := p.Sealer.Upload(q.Context(), q.Actor, strings.TrimSuffix(first, path.Ext(first))+".pdf", bytes.NewReader(made))
	return d.ID, err
}

// table is what the desk shows: a document and the seals that may be put on it.
type table struct {
	Document sealer.Document
	Pages    []sealer.PageSize
	Seals    []sealCard
	Key      string // for the order, so that it is sealed once
	Settings string // for the script, as JSON
	Place    place
	Closed   bool      // no seal can be put on it
	Found    []finding // in it, that a person should know
	Profiles []web.Option
	Agent    *agentState // what a seal on a USB Key needs and is not there; nil: nothing
}

// Refused are the findings that the document is refused for unless they are accepted.
func (t table) Refused() (list []finding) {
	for _, f := range t.Found {
		if f.Class == "bad" {
			f.Accepted = slices.Contains(t.Place.Accept, string(f.Code))
			list = append(list, f)
		}
	}
	return list
}

// profiles are how a seal is carried in the file.
var profiles = []web.Option{{Value: string(sealer.ProfileSeal), Label: web.Text{ZH: "电子签章（GB/T 38540）", EN: "Electronic seal, GB/T 38540"}},
	{Value: string(sealer.ProfileCMSGM), Label: web.Text{ZH: "数字签名（GB/T 35275）", EN: "Signature, GB/T 35275"}}, {Value: string(sealer.ProfileCMS), Label: web.Text{ZH: "PAdES 签名（保持 PDF/A）", EN: "PAdES signature, keeps PDF/A"}}}

// finding is what the intake found of one kind.
type finding struct {
	Code            intake.Code
	Sentence, Class string
	Accepted        bool
	Pages           []int // the first of those that are known
	More            int   // others of the kind
}

// maxFindingPages is on how many pages one kind of finding is named.
const maxFindingPages = 5

// findings are what was found, each kind once: what the document is refused for before what is warned of.
func findings(d intake.Decision, language string) (list []finding) {
	at := map[intake.Code]int{}
	for n, f := range slices.Concat(d.Refused, d.Warnings) {
		i, known := at[f.Code]
		if !known {
			i = len(list)
			at[f.Code] = i
			class := "doubt"
			if n < len(d.Refused) {
				class = "bad"
			}
			list = append(list, finding{Code: f.Code, Sentence: f.Sentence(language), Class: class})
		}
		switch l := &list[i]; {
		case f.Page > 0 && slices.Contains(l.Pages, f.Page):
		case f.Page > 0 && len(l.Pages) < maxFindingPages:
			l.Pages = append(l.Pages, f.Page)
		case known:
			l.More++
		}
	}
	return list
}

// place is the seal's place as typed.
type place struct {
	Seal, Page, X, Y, Profile string
	Straddle                  bool
	Accept                    []string // codes of findings
}

func (p pages) desk(q *web.Request) error {
	return p.deskAgain(q, place{Page: "-1", X: "30", Y: "40"}, nil)
}

func (p pages) deskAgain(q *web.Request, at place, problem error) error {
	d, err := p.Sealer.Document(q.Context(), q.Actor, q.PathValue("id"))
	if err != nil {
		return err
	}
	t := table{Document: d, Key: strings.ToLower(rand.Text()), Place: at, Profiles: profiles}
	if t.Pages, err = p.Sealer.Pages(q.Context(), q.Actor, d.ID); err != nil {
		problem = err // the reason, beside what is known of the file
	} else if found, closed, err := p.Sealer.Look(q.Context(), q.Actor, d.ID); err != nil {
		problem = err
	} else {
		if t.Closed = closed != nil; t.Closed {
			problem = closed
			found.Warnings = slices.DeleteFunc(found.Warnings, func(f intake.Finding) bool { return f.Code == intake.CodeCertified }) // said already
		}
		t.Found = findings(found, q.Language)
	}
	if t.Seals, err = p.cards(q); err != nil {
		return err
	}
	if t.Agent, err = p.agentMissing(q, t.Seals); err != nil {
		return err
	}
	type shownSeal struct {
		Code   string  `json:"code"`
		Name   string  `json:"name"`
		Width  float64 `json:"width"`
		Height float64 `json:"height"`
		Key    bool    `json:"key"`
	}
	settings := struct {
		Document string            `json:"document"`
		Pages    [][2]float64      `json:"pages"`
		Seals    []shownSeal       `json:"seals"`
		Words    map[string]string `json:"words"`
	}{Document: d.ID, Words: wordsOf(q.Language)}
	for _, s := range t.Pages {
		settings.Pages = append(settings.Pages, [2]float64{s.Width, s.Height})
	}
	for _, c := range t.Seals {
		if c.Usable {
			settings.Seals = append(settings.Seals, shownSeal{c.Code, c.Name, c.Width, c.Height, c.Key})
		}
	}
	if t.Settings, err = asJSON(settings); err != nil {
		return err
	}
	return q.Show("desk", web.Page{Title: web.Text{ZH: "盖章：" + d.Name, EN: "Seal: " + d.Name}, Trail: []web.Item{{Path: "/clerk/new", Label: titleNew}},
		Data: t, Problem: problem, Wide: true, Scripts: []string{"desk.js"}, Styles: []string{"clerk.css"}})
}

// page is a picture of a page, for thumbnails and the desk.
func (p pages) page(q *web.Request) error {
	number, err := strconv.Atoi(q.PathValue("number"))
	if err != nil {
		return errPlace.New()
	}
	dpi := 96.0
	if q.URL.Query().Get("size") == "small" {
		dpi = 20
	}
	picture, err := p.Sealer.Picture(q.Context(), q.Actor, q.PathValue("id"), number, dpi)
	if err != nil {
		return err
	}
	return q.File("image/png", picture.PNG)
}

// maxAccepted is how many findings an order accepts, as through the API.
const maxAccepted = 100

// seal puts a central seal on a document, at the place that was typed: the way without script.
func (p pages) seal(q *web.Request) error {
	at := place{Seal: q.PostFormValue("seal"), Page: q.PostFormValue("page"), X: q.PostFormValue("x"), Y: q.PostFormValue("y"),
		Profile: q.PostFormValue("profile"), Straddle: q.PostFormValue("straddle") != "", Accept: q.PostForm["accept"]}
	page, err1 := strconv.Atoi(strings.TrimSpace(at.Page))
	x, err2 := strconv.ParseFloat(strings.TrimSpace(at.X), 64)
	y, err3 := strconv.ParseFloat(strings.TrimSpace(at.Y), 64)
	key := q.PostFormValue("key")
	if err := errors.Join(err1, err2, err3); err != nil || key == "" || len(key) > 100 {
		return p.deskAgain(q, at, errPlace.Because(err))
	}
	o := sealer.Order{Document: q.PathValue("id"), Seal: at.Seal, Profile: sealer.Profile(at.Profile), IdempotencyKey: "api:page-" + key, // the same as the script sends through the API

		Places: []sealer.Place{{Placement: pdf.Placement{Page: page, From: pdf.BottomRight, X: x, Y: y, MoveInside: true}}}}
	if at.Straddle {
		o.Straddle = &pdf.Straddle{}
	}
	for _, code := range at.Accept[:min(len(at.Accept), maxAccepted)] {
		o.Accept = append(o.Accept, intake.Code(code))
	}
	err := p.Count(q.Context(), q.Actor, o.Seal)
	var done sealer.Sealed
	if err == nil {
		done, err = p.Sealer.Seal(q.Context(), q.Actor, o)
	}
	if _, known := fault.Of(err); known {
		return p.deskAgain(q, at, err)
	}
	if err != nil {
		return err
	}
	return q.Go("/clerk/sealings/"+done.ID, "sealed")
}
