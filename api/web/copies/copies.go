// Package copies is the page on which anyone who holds an issued copy on paper finds it by its code, without an account.
// Codes come in bodies and not in addresses, which are logged on the way: the address in the QR code has the code behind a
// '#', which browsers keep for themselves.
package copies

import (
	"context"
	"embed"
	"encoding/base64"
	"html/template"
	"net/http"
	"strings"

	"yinxin/api/web"
	"yinxin/internal/civil"
	"yinxin/internal/fault"
	"yinxin/sealer"
	"yinxin/sealer/issuance"
	"yinxin/sealer/verify"
	"yinxin/sealer/view"
)

//go:embed all:templates assets
var files embed.FS

// Path is where the page is; a code follows behind a '#'.
const Path = "/copies"

// Config is what the page works with.
type Config struct {
	Issuance *issuance.Service
	// Telephone is where anyone may ask at an archive, empty where none is recorded. May be nil.
	Telephone func(ctx context.Context, archive string) (string, error)
	// Draw draws a page of a document.
	Draw func(ctx context.Context, d sealer.Document, number int, dpi float64) (*view.Picture, error)
}

type pages struct{ Config }

// Area gives the page.
func Area(c Config) web.Area {
	p := pages{c}
	return web.Area{Name: "copies", Files: files, Routes: []web.Route{
		{Method: http.MethodGet, Path: Path, Anyone: true, Handle: p.ask},
		{Method: http.MethodPost, Path: Path, Anyone: true, Limited: true, Handle: p.look},
	}}
}

var title = web.Text{ZH: "按验证码查验纸质件", EN: "Check a paper copy by its code"}

// maxShown is how many pages are shown, and maxBytes their pictures together; the rest is said.
const (
	maxShown = 30
	maxBytes = 12 << 20
	pageDPI  = 72
)

// shown is what the page shows.
type shown struct {
	Code, Day string
	Found     *issuance.Public
	Contact   *web.Contact
	Pages     []picture
	Left      int // pages that are not shown
}

type picture struct {
	Number int
	URL    template.URL
}

func (p pages) ask(q *web.Request) error { return p.show(q, shown{}, nil) }

func (p pages) show(q *web.Request, s shown, problem error) error {
	return q.Show("copies", web.Page{Title: title, Data: s, Problem: problem, Scripts: []string{"copies.js"}, Styles: []string{"copies.css"}})
}

// look shows what stands on the paper, and with the day of issue the pages themselves.
func (p pages) look(q *web.Request) error {
	s := shown{Code: strings.TrimSpace(q.PostFormValue("code")), Day: strings.TrimSpace(q.PostFormValue("day"))}
	if len(s.Code) > 200 || len(s.Day) > 10 {
		s.Code, s.Day = "", ""
	}
	found, err := p.Issuance.Lookup(q.Context(), s.Code)
	if err != nil {
		return p.again(q, s, err)
	}
	s.Found = &found
	if p.Telephone != nil {
		number, err := p.Telephone(q.Context(), found.Holding)
		if err != nil {
			return err
		}
		if number != "" {
			c := web.ContactOf(verify.Contact{Unit: found.Holding, Telephone: number})
			s.Contact = &c
		}
	}
	if s.Day == "" {
		return p.show(q, s, nil)
	}
	if day, err := civil.ParseDay(s.Day); err == nil {
		s.Day = civil.Day(day)
	}
	d, err := p.Issuance.Pages(q.Context(), s.Code, s.Day)
	if err != nil {
		return p.again(q, s, err)
	}
	room := maxBytes
	for n := 1; n <= found.Pages; n++ {
		if n > maxShown {
			break
		}
		drawn, err := p.Draw(q.Context(), d, n, pageDPI)
		if err != nil {
			return p.again(q, s, err)
		}
		if room -= len(drawn.PNG); room < 0 {
			break
		}
		s.Pages = append(s.Pages, picture{n, template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(drawn.PNG))})
	}
	s.Left = found.Pages - len(s.Pages)
	return p.show(q, s, nil)
}

// again shows the form once more, with what was wrong.
func (p pages) again(q *web.Request, s shown, err error) error {
	if _, known := fault.Of(err); known {
		return p.show(q, s, err)
	}
	return err
}
