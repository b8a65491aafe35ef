package command

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"yinxin/internal/fault"
)

// The tour goes to one page of each kind, on this server, and passes over downloads and what this person may not see.
func TestATourFollowsLinksToOnePageOfEachKind(t *testing.T) {
	site := map[string]string{
		"/":        `<a href="/seals/1">1</a> <a class="x" href="/seals/2">2</a> <a href="/list?sort=name&amp;page=2">l</a> <a href="/list?sort=date&amp;page=3">l</a> <a href="/export">x</a> <a href="//other/">o</a> <a href="/mine">m</a>`,
		"/seals/1": `<a href="/seals/1/history">h</a> <a href="/">back</a>`,
		"/list":    `<link href="/style"> <a href="/seals/1/history#top">h</a>`,
		"/seals/2": `<p>`, "/seals/1/history": `<p>`,
	}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page, ok := site[r.URL.Path]
		switch {
		case r.URL.Path == "/export":
			w.Header().Set("Content-Type", "text/csv")
		case r.URL.Path == "/broken":
			w.WriteHeader(http.StatusInternalServerError)
		case !ok:
			http.NotFound(w, r)
		default:
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			fmt.Fprint(w, page)
		}
	})
	server := httptest.NewServer(handler)
	defer server.Close()
	p := (&visits{server: server}).visitor()
	if err := p.walk(t.Context()); err != nil {
		t.Fatal(err)
	}
	if want := []string{"/", "/seals/1", "/list?sort=name&page=2", "/seals/1/history"}; !slices.Equal(p.pages, want) {
		t.Errorf("%q", p.pages)
	}
	site["/"] = `<a href="/broken">b</a>`
	if err := (&visits{server: server}).visitor().walk(t.Context()); fault.CodeOf(err) != errInternal.Code {
		t.Errorf("a page that fails: %v", err)
	}
}
