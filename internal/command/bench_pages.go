package command

import (
	"context"
	"html"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"yinxin/internal/fault"
)

// The figure "pages-p95": the pages of a filled province, each as everybody who finds a link to it, without login as well. It is
// the time within which 19 of 20 calls of the slowest page are answered, over HTTP on the same machine; the floor is that of a file
// that never changes.
const (
	pagesFigure = "pages-p95"
	pageCalls   = 20
	pageTrials  = 3   // calls of every page, by which the slowest are found
	slowPages   = 6   // that are measured
	maxPages    = 200 // of one person
	maxPage     = 16 << 20
	constant    = "/assets/icon.svg"
)

// visitor is somebody with a browser.
type visitor struct {
	client http.Client
	base   string
	pages  []string
}

// visits are the pages of an installation that serves.
type visits struct {
	ctx    context.Context
	server *httptest.Server
	nobody *visitor
	slow   []visit
}

type visit struct {
	who  *visitor
	path string
	took float64 // microseconds
}

// newVisits founds the province in dir and has every page shown a few times.
func newVisits(ctx context.Context, dir string, s streams) (_ *visits, done func(), err error) {
	s.out = io.Discard
	if err := (demoCommand{Dir: dir, Listen: defaultListen, NoServe: true}).Run(ctx, s); err != nil {
		return nil, nil, err
	}
	h, err := openInstallation(ctx, dataFlags{Data: dir}, s.now)
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		if err != nil {
			h.close()
		}
	}()
	handler, err := h.handler(ctx, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, nil, err
	}
	logins, err := os.ReadFile(filepath.Join(dir, demoLogins))
	if err != nil {
		return nil, nil, err
	}
	v := &visits{ctx: ctx, server: httptest.NewServer(handler)}
	done = func() { v.server.Close(); h.close() }
	if err := v.tour(string(logins)); err != nil {
		v.server.Close()
		return nil, nil, err
	}
	return v, done, nil
}

// tour signs everybody in and has each page shown.
func (v *visits) tour(logins string) error {
	v.nobody = v.visitor()
	people := []*visitor{v.nobody}
	for line := range strings.Lines(logins) {
		words := strings.Fields(line)
		if len(words) < 2 || strings.Contains(line, "首次登录") {
			continue
		}
		p := v.visitor()
		if err := p.login(v.ctx, words[0], words[1]); err != nil {
			return err
		}
		people = append(people, p)
	}
	for _, p := range people {
		if err := p.walk(v.ctx); err != nil {
			return err
		}
		for _, path := range p.pages {
			one := visit{who: p, path: path}
			took := make([]float64, 0, pageTrials)
			for range pageTrials {
				t, err := p.timed(v.ctx, path)
				if err != nil {
					return err
				}
				took = append(took, t)
			}
			one.took = median(took)
			v.slow = append(v.slow, one)
		}
	}
	slices.SortFunc(v.slow, func(a, b visit) int { return int(b.took - a.took) })
	v.slow = v.slow[:min(len(v.slow), slowPages)]
	return nil
}

// value is the microseconds of the slowest page, 19 of 20 calls.
func (v *visits) value() (float64, error) {
	worst := 0.
	for _, one := range v.slow {
		took, err := one.who.often(v.ctx, one.path)
		if err != nil {
			return 0, err
		}
		worst = max(worst, took)
	}
	return worst, nil
}

func (v *visits) least() (float64, error) { return v.nobody.often(v.ctx, constant) }

func (v *visits) visitor() *visitor {
	jar, _ := cookiejar.New(nil) // fails for no options
	return &visitor{base: v.server.URL, client: http.Client{Jar: jar, Timeout: 30 * time.Second}}
}

func (p *visitor) login(ctx context.Context, name, password string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, p.base+"/login", strings.NewReader(url.Values{"name": {name}, "password": {password}}.Encode()))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	answer, err := p.client.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK || answer.Request.URL.Path == "/login" {
		return errInternal.With("login: %d", answer.StatusCode).At(fault.Field(pagesFigure))
	}
	_, err = io.Copy(io.Discard, answer.Body)
	return err
}

// link is where a page leads on this server.
var link = regexp.MustCompile(`<a [^>]*href="(/[^"#]*)`)

// walk follows the links, from the start page on, to one page of each kind.
func (p *visitor) walk(ctx context.Context) error {
	seen := map[string]bool{"/": true}
	for queue := []string{"/", "/login", "/account"}; len(queue) > 0 && len(p.pages) < maxPages; queue = queue[1:] {
		text, err := p.page(ctx, queue[0])
		if err != nil {
			return err
		}
		if text == "" {
			continue
		}
		p.pages = append(p.pages, queue[0])
		for _, found := range link.FindAllStringSubmatch(text, -1) {
			path := html.UnescapeString(found[1])
			if kind := kindOf(path); !seen[kind] && !strings.HasPrefix(path, "//") {
				seen[kind] = true
				queue = append(queue, path)
			}
		}
	}
	return nil
}

// kindOf is what pages that differ in their numbers alone have in common.
func kindOf(path string) string {
	u, err := url.Parse(path)
	if err != nil {
		return path
	}
	parts := strings.Split(u.Path, "/")
	for i, part := range parts {
		if strings.ContainsAny(part, "0123456789") {
			parts[i] = "*"
		}
	}
	return strings.Join(append(parts, slices.Sorted(maps.Keys(u.Query()))...), "/")
}

// get asks for a page; the caller closes the body.
func (p *visitor) get(ctx context.Context, path string) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.base+path, nil)
	if err != nil {
		return nil, err
	}
	return p.client.Do(r)
}

// page is a page in HTML; empty for what is a download, and for where this person may not go.
func (p *visitor) page(ctx context.Context, path string) (string, error) {
	answer, err := p.get(ctx, path)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxPage))
	switch {
	case err != nil:
		return "", err
	case answer.StatusCode >= http.StatusInternalServerError:
		return "", errInternal.With("%s: %d", path, answer.StatusCode).At(fault.Field(pagesFigure))
	case answer.StatusCode != http.StatusOK, !strings.HasPrefix(answer.Header.Get("Content-Type"), "text/html"), answer.Request.URL.RequestURI() != path:
		return "", nil
	}
	return string(text), nil
}

// timed is how many microseconds a call takes.
func (p *visitor) timed(ctx context.Context, path string) (float64, error) {
	return timed(func() error {
		answer, err := p.get(ctx, path)
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			return errInternal.With("%s: %d", path, answer.StatusCode).At(fault.Field(pagesFigure))
		}
		_, err = io.Copy(io.Discard, answer.Body)
		return err
	})
}

// often is the time within which 19 of 20 calls are answered.
func (p *visitor) often(ctx context.Context, path string) (float64, error) {
	took := make([]float64, pageCalls)
	for i := range took {
		var err error
		if took[i], err = p.timed(ctx, path); err != nil {
			return 0, err
		}
	}
	slices.Sort(took)
	return took[pageCalls*19/20-1], nil
}
