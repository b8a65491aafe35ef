package web

import (
	"bytes"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/login"
)

// Request is one request, who makes it, and the means to answer.
type Request struct {
	*http.Request
	W        http.ResponseWriter
	Actor    access.Actor
	Session  login.Session
	Language string // zh or en

	site *Site
	area *Area
}

// T is a sentence in the language of the request.
func (q *Request) T(zh, en string) string { return Text{zh, en}.In(q.Language) }

// Page is what a page shows beside the frame.
type Page struct {
	Title Text
	// Trail leads from the menu to the page: label and path of each step above it.
	Trail []Item
	// Data is what the template of the page gets as .Data.
	Data any
	// Problem is what was wrong with a form that is shown again.
	Problem error
	// Scripts and Styles are assets of the area that the page loads, by their file names. Scripts are modules.
	Scripts, Styles []string
	// List is set by ShowList.
	List *List
	// Wide gives the page the whole window.
	Wide bool
}

// places are where a page stands, from itself upwards.
func (p Page) places(path string) []string {
	at := []string{path}
	for _, i := range slices.Backward(p.Trail) {
		at = append(at, i.Path)
	}
	return at
}

// frame is what the frame's templates get.
type frame struct {
	Page
	Area     string
	Language string
	Actor    access.Actor
	SignedIn bool
	Menu     []entry
	Path     string
	Other    string // the address of the page in the other language
	Notice   string
	Wrong    *wrong
}

// wrong is an error as a page shows it.
type wrong struct {
	Status                    int
	Code, Sentence, RequestID string
	Field                     string
}

// Show renders a page of the area. With a Problem the status is that of the problem.
func (q *Request) Show(name string, p Page) error {
	status := http.StatusOK
	f := q.frame(p)
	if p.Problem != nil {
		f.Wrong = q.wrong(p.Problem)
		status = f.Wrong.Status
	}
	return q.render(status, q.area.Name, name, f)
}

func (q *Request) frame(p Page) frame {
	f := frame{Page: p, Area: q.area.Name, Language: q.Language, Actor: q.Actor, SignedIn: q.Actor.ID != "", Path: q.URL.Path,
		Menu: q.site.menu(q.Actor, p.places(q.URL.Path), q.Language)}
	other := q.URL.Query()
	other.Set("lang", q.T("en", "zh"))
	f.Other = q.URL.Path + "?" + other.Encode()
	if notice, ok := q.area.Notices[q.URL.Query().Get("said")]; ok {
		f.Notice = notice.In(q.Language)
	}
	return f
}

func (q *Request) wrong(err error) *wrong {
	status, code, sentence, id := q.site.Problem(q.Request, err, q.Language)
	w := &wrong{Status: status, Code: code, Sentence: sentence, RequestID: id}
	if f, ok := fault.Of(err); ok {
		w.Field = f.Place.Field
		if wait := f.RetryAfter(); wait > 0 && (status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable) {
			q.W.Header().Set("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
		}
	}
	return w
}

// LanguageCookie remembers the language that somebody chose.
const LanguageCookie = "yinxin-language"

func (q *Request) render(status int, area, name string, f frame) error {
	set := q.site.pages[q.Language+" "+area+" "+name]
	if set == nil {
		return fmt.Errorf("there is no page %s of %s", name, area)
	}
	var b bytes.Buffer
	if err := set.ExecuteTemplate(&b, "frame", f); err != nil {
		return err
	}
	if q.URL.Query().Has("lang") {
		http.SetCookie(q.W, &http.Cookie{Name: LanguageCookie, Value: q.Language, Path: "/", MaxAge: 365 * 24 * 3600, Secure: q.site.secure(q.Request), SameSite: http.SameSiteLaxMode})
	}
	return q.send(status, "text/html; charset=utf-8", b.Bytes())
}

// Part answers with a template of a page without the frame: for scripts that put it into the page.
func (q *Request) Part(page, name string, data any) error {
	part, err := q.Render(page, name, data)
	if err != nil {
		return err
	}
	return q.send(http.StatusOK, "text/html; charset=utf-8", part)
}

// Render gives a template of a page of the area in the language of the request.
func (q *Request) Render(page, name string, data any) ([]byte, error) {
	set := q.site.pages[q.Language+" "+q.area.Name+" "+page]
	if set == nil {
		return nil, fmt.Errorf("there is no page %s of %s", page, q.area.Name)
	}
	var b bytes.Buffer
	err := set.ExecuteTemplate(&b, name, data)
	return b.Bytes(), err
}

func (q *Request) send(status int, media string, body []byte) error {
	h := q.W.Header()
	h.Set("Content-Type", media)
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	q.W.WriteHeader(status)
	if _, err := q.W.Write(body); err != nil {
		q.site.Log.DebugContext(q.Context(), "page not sent", "error", err)
	}
	return nil
}

// maxFields is the largest form without files, in bytes, also of a page that takes files: it is held in memory.
const maxFields = 1 << 20

// readForm reads the fields of a form. Left to PostFormValue, one that breaks off would be taken for an empty one. A form with files
// is read by its page.
func (q *Request) readForm() error {
	if media, _, _ := mime.ParseMediaType(q.Header.Get("Content-Type")); q.Method == http.MethodGet || media != "application/x-www-form-urlencoded" {
		return nil
	}
	q.Body = http.MaxBytesReader(q.W, q.Body, maxFields)
	return formError(q.ParseForm())
}

// formError gives an error of reading a form its code, if it has none.
func formError(err error) error {
	var large *http.MaxBytesError
	if _, known := fault.Of(err); err == nil || known || errors.As(err, &large) {
		return err
	}
	return errPageForm.Because(err)
}

// fail shows an error as a page of its own.
func (q *Request) fail(err error) {
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		err = errPageBody.New()
	}
	if fault.Has(err, login.ErrNoSession) && q.Method == http.MethodGet {
		q.toLogin()
		return
	}
	f := q.frame(Page{Title: Text{"无法完成", "This could not be done"}})
	f.Wrong = q.wrong(err)
	set := q.site.pages[q.Language+" home error"]
	var b bytes.Buffer
	if err := set.ExecuteTemplate(&b, "frame", f); err != nil {
		q.site.Log.ErrorContext(q.Context(), "the page of an error", "error", err)
		http.Error(q.W, f.Wrong.Sentence, f.Wrong.Status)
		return
	}
	_ = q.send(f.Wrong.Status, "text/html; charset=utf-8", b.Bytes())
}

// Go answers a step that was done with the way to a page, and a notice of the area by its key; an empty key says nothing.
func (q *Request) Go(path, notice string) error {
	if notice != "" {
		if _, ok := q.area.Notices[notice]; !ok {
			return fmt.Errorf("there is no notice %q", notice)
		}
		u, err := url.Parse(path)
		if err != nil {
			return err
		}
		query := u.Query()
		query.Set("said", notice)
		u.RawQuery = query.Encode()
		path = u.String()
	}
	http.Redirect(q.W, q.Request, path, http.StatusSeeOther)
	return nil
}

// Inside is a path of this site that somebody may be sent on to, or otherwise: never an address of somebody else's.
func Inside(path, otherwise string) string {
	u, err := url.Parse(path)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.ContainsAny(path, "\\\r\n") {
		return otherwise
	}
	return path
}

func (q *Request) toLogin() {
	target := "/login"
	if next := q.URL.RequestURI(); next != "/home" {
		target += "?next=" + url.QueryEscape(next)
	}
	http.Redirect(q.W, q.Request, target, http.StatusSeeOther)
}

// sessionCookie is the name of the cookie; with the prefix browsers hold it to this host and to https (RFC 6265bis
// clause 4.1.3.2).
const sessionCookie = "yinxin-session"

func (s *Site) secure(r *http.Request) bool { return s.Secure || r.TLS != nil }

func (s *Site) cookieName(r *http.Request, name string) string {
	if s.secure(r) {
		return "__Host-" + name
	}
	return name
}

// Token is what the browser's cookie says; empty where there is none.
func (s *Site) Token(r *http.Request) string {
	return s.cookie(r, sessionCookie)
}

func (s *Site) cookie(r *http.Request, name string) string {
	c, err := r.Cookie(s.cookieName(r, name))
	if err != nil {
		return ""
	}
	return c.Value
}

// Keep gives the browser the token of a session; an empty one takes it away. It ends with the browser.
func (q *Request) Keep(token string) { q.Hold(sessionCookie, token, 0) }

// Hold gives the browser a secret that no script reads, for a time; 0 is until the browser ends. An empty one takes it away.
func (q *Request) Hold(name, secret string, life time.Duration) {
	c := &http.Cookie{Name: q.site.cookieName(q.Request, name), Value: secret, Path: "/", HttpOnly: true, Secure: q.site.secure(q.Request), SameSite: http.SameSiteLaxMode,
		MaxAge: int(life / time.Second)}
	if secret == "" {
		c.MaxAge = -1
	}
	http.SetCookie(q.W, c)
}

// Held is what Hold gave the browser; empty where there is nothing.
func (q *Request) Held(name string) string { return q.site.cookie(q.Request, name) }

// Origin is where a login comes from. Behind proxies the handler in front has put the address of the browser into RemoteAddr.
func (q *Request) Origin() login.Origin {
	host := q.RemoteAddr
	if i := strings.LastIndexByte(host, ':'); i > 0 {
		host = strings.Trim(host[:i], "[]")
	}
	return login.Origin{Address: host, Agent: q.UserAgent()}
}

// Now is the time.
func (q *Request) Now() time.Time { return q.site.Clock() }

var errPageForm = fault.Spec{Kind: fault.Invalid, Code: "page.form", ZH: "提交的内容不完整，未做任何更改。", EN: "What was sent is not complete; nothing was changed."}

var errPageBody = fault.Spec{Kind: fault.TooLarge, Code: "page.too-large", ZH: "提交的内容过大。", EN: "What was sent is too large."}

// File answers with bytes that the browser shows.
func (q *Request) File(media string, body []byte) error {
	q.W.Header().Set("Content-Disposition", "inline")
	return q.send(http.StatusOK, media, body)
}

// Attachment answers with bytes that the browser keeps; the caller has said their name.
func (q *Request) Attachment(media string, body []byte) error {
	return q.send(http.StatusOK, media, body)
}
