package web

import (
	"cmp"
	"context"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"path"
	"strings"
	"time"

	"yinxin/internal/access"
	"yinxin/internal/login"
)

// Area is a part of the pages for people who sign in: those of one kind of user. Files has templates/*.html, each of
// which defines "main" and is a page by its name; templates whose names begin with '_' are parts that the pages of the
// area share (they are embedded by "all:templates"); and assets, which are served under /assets/NAME/.
type Area struct {
	Name   string
	Files  fs.FS
	Menu   []Item
	Routes []Route
	// Notices are what may be said after a redirection, by key.
	Notices map[string]Text
	// Tiles are what the start page shows of the area to an actor. May be nil.
	Tiles func(ctx context.Context, actor access.Actor) ([]Tile, error)
}

// Tile is a part of the start page: what waits for somebody, and where.
type Tile struct {
	Label  Text
	Path   string
	Count  int
	Urgent bool
	Fine   Text
}

// Route is one page or one step. Roles are those of which the caller needs one. Everybody lets in whoever signed in,
// Anyone needs no login. A route with none of them is closed.
type Route struct {
	Method, Path string
	Roles        []access.Role
	Everybody    bool
	Anyone       bool
	// Unchanged lets in also who has yet to change a password set by an administrator.
	Unchanged bool
	// Limited bounds how often one address may call, which is for guesses of secrets.
	Limited bool
	// Body is the largest body in bytes; 0 is 64 KiB.
	Body   int64
	Handle Handler
}

// Handler answers a request. What it returns is shown as a page.
type Handler func(q *Request) error

// SiteConfig is what the frame works with.
type SiteConfig struct {
	Login *login.Service
	Clock func() time.Time
	Log   *slog.Logger
	// Secure says that browsers reach the service by https also where the connection itself is plain: a proxy before it
	// has the certificate.
	Secure bool
	// Problem is the status, sentence and request identifier of an error in a language, which is also logged.
	Problem func(r *http.Request, err error, language string) (status int, code, sentence, requestID string)
	// Language is that of a request.
	Language func(r *http.Request) string
}

// Site is the pages for people who sign in. It is safe for concurrent use.
type Site struct {
	SiteConfig
	areas  []Area
	pages  map[string]*template.Template // by language, area and page
	assets []Asset
}

// NewSite reads the templates of the areas.
func NewSite(c SiteConfig, areas ...Area) (*Site, error) {
	s := &Site{SiteConfig: c, areas: areas, pages: map[string]*template.Template{}}
	for _, area := range areas {
		if err := s.read(area); err != nil {
			return nil, fmt.Errorf("pages of %s: %w", area.Name, err)
		}
	}
	return s, nil
}

func (s *Site) read(area Area) error {
	names, err := fs.Glob(area.Files, "templates/*.html")
	if err != nil {
		return err
	}
	for _, language := range []string{"zh", "en"} {
		base, err := template.New("").Funcs(functions(language)).ParseFS(templates, "templates/page.html", "templates/frame*.html")
		if err != nil {
			return err
		}
		for _, name := range names {
			if strings.HasPrefix(path.Base(name), "_") {
				if base, err = base.ParseFS(area.Files, name); err != nil {
					return err
				}
			}
		}
		for _, name := range names {
			page := strings.TrimSuffix(path.Base(name), ".html")
			if strings.HasPrefix(page, "_") {
				continue
			}
			set, err := base.Clone()
			if err == nil {
				set, err = set.ParseFS(area.Files, name)
			}
			if err != nil {
				return err
			}
			s.pages[language+" "+area.Name+" "+page] = set
		}
	}
	found, err := fs.Glob(area.Files, "assets/*")
	if err != nil {
		return err
	}
	for _, name := range found {
		body, err := fs.ReadFile(area.Files, name)
		if err != nil {
			return err
		}
		media, known := mediaTypes[path.Ext(name)]
		if !known {
			return fmt.Errorf("%s: unknown kind of file", name)
		}
		s.assets = append(s.assets, Asset{Path: "/assets/" + area.Name + "/" + path.Base(name), Type: media, Body: body})
	}
	return nil
}

var mediaTypes = map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}

// Assets are the files that the pages of the areas refer to.
func (s *Site) Assets() []Asset { return s.assets }

// Routes are all routes of all areas, ready to be registered.
func (s *Site) Routes() []SiteRoute {
	var all []SiteRoute
	for i := range s.areas {
		for _, r := range s.areas[i].Routes {
			all = append(all, SiteRoute{Route: r, site: s, area: &s.areas[i]})
		}
	}
	return all
}

// SiteRoute is a route with the frame around it.
type SiteRoute struct {
	Route
	site *Site
	area *Area
}

// Serve answers a request of a session that may be that of nobody, where the route lets anyone in.
func (r SiteRoute) Serve(w http.ResponseWriter, request *http.Request, in login.Session) {
	q := &Request{Request: request, W: w, Session: in, Actor: in.Actor, Language: r.site.Language(request), site: r.site, area: r.area}
	request.Body = http.MaxBytesReader(w, request.Body, cmp.Or(r.Body, 64<<10))
	err := q.readForm()
	if err == nil {
		err = r.Handle(q)
	}
	if err != nil {
		q.fail(err)
	}
}

// Refuse answers one who may not use a route: by the way to the login where nobody is signed in.
func (r SiteRoute) Refuse(w http.ResponseWriter, request *http.Request, in login.Session, err error) {
	q := &Request{Request: request, W: w, Session: in, Actor: in.Actor, Language: r.site.Language(request), site: r.site, area: r.area}
	if in.Actor.ID == "" && request.Method == http.MethodGet {
		q.toLogin()
		return
	}
	q.fail(err)
}
