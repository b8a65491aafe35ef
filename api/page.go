package api

import (
	"context"
	"html/template"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-chi/httprate"

	"yinxin/api/web"
	"yinxin/ca"
	"yinxin/sealer"
	"yinxin/sealer/verify"
	"yinxin/sealer/verify/versions"
)

// page serves the page for anyone who holds a sealed file. It is no part of the API and not in its description.
func (s *server) page() {
	s.handle(http.MethodGet, "/", anyone(), s.showStart)
	s.handle(http.MethodPost, "/", anyone(), s.strangerOnPage(s.limits.verifications, s.showVerdict))
	s.handle(http.MethodPost, web.PathVersions, anyone(), s.strangerOnPage(s.limits.comparisons, s.showVersions))
	s.handle(http.MethodPost, web.PathAsSealed, anyone(), s.strangerOnPage(s.limits.verifications, s.saveAsSealed))
	s.stream(huma.Operation{OperationID: "practice-statement", Method: http.MethodGet, Path: ca.PathCPS, Tags: []string{"pki"},
		Summary: "The practice statement (CPS) that certificates name, as a page", Parameters: []*huma.Param{tagParameter(),
			{In: "query", Name: "lang", Description: "Otherwise Accept-Language counts.", Schema: &huma.Schema{Type: "string", Enum: []any{"zh", "en"}}}},
		Responses: with(notModified(s.answers()), http.StatusOK, &huma.Response{Description: "The page", Content: map[string]*huma.MediaType{"text/html": {Schema: &huma.Schema{Type: "string"}}}})},
		anyone(), func(w http.ResponseWriter, r *http.Request) {
			s.show(w, r, func() ([]byte, error) { return s.pages.Practice(languageOf(r)) })
		})
	for _, a := range s.pages.Assets() {
		s.handle(http.MethodGet, a.Path, anyone(), func(w http.ResponseWriter, r *http.Request) { s.give(w, r, a.Type, a.Body) })
	}
}

// strangerOnPage is stranger, where the page says in its own words who asks too often.
func (s *server) strangerOnPage(by *httprate.RateLimiter, h http.HandlerFunc) http.HandlerFunc {
	return saying(s.showProblem, s.stranger(by, h))
}

func (s *server) showStart(w http.ResponseWriter, r *http.Request) {
	s.show(w, r, func() ([]byte, error) { return s.pages.Start(languageOf(r)) })
}

// show sends a page that is the same for everyone who reads its language.
func (s *server) show(w http.ResponseWriter, r *http.Request, render func() ([]byte, error)) {
	body, err := render()
	if err != nil {
		s.fail(w, r, errInternal.Because(err))
		return
	}
	w.Header().Set("Vary", "Accept-Language")
	s.give(w, r, "text/html; charset=utf-8", body)
}

// verdictOf verifies a stored document and says what anyone who holds it would be told.
func (s *server) verdictOf(ctx context.Context, d sealer.Document, lang string) (template.HTML, error) {
	var said []byte
	err := s.judging(ctx, func(ctx context.Context) error {
		file, err := s.Sealer.Open(ctx, d)
		if err != nil {
			return err
		}
		defer file.Close()
		o := s.Verify
		o.At, o.Language, o.Contact = s.Clock(), lang, s.contact
		said, err = s.pages.Verdict(web.Answer{Language: lang, Fragment: true, Stored: true, Report: verify.File(ctx, displayName(d.Name), file, d.Size, o)})
		return err
	})
	return template.HTML(said), err // rendered by a template of ours
}

// showVerdict verifies the file of the form. The page's script asks for the verdict alone and puts it into the page; a
// browser without script gets a whole page. Both are rendered here, so that there is one wording.
func (s *server) showVerdict(w http.ResponseWriter, r *http.Request) {
	s.showAnswer(w, r, func(lang string, a *web.Answer) error {
		f, done, err := s.taken(r)
		if err != nil {
			return err
		}
		defer done()
		if a.Code, err = s.codeOn(r.Context(), f); err != nil || a.Code != "" {
			return err
		}
		if a.Certificates, err = s.certificatesIn(r, f, lang); err != nil || a.Certificates != nil {
			return err
		}
		a.Report, err = s.judged(r, f, lang)
		return err
	})
}

// compareTime is the longest that the comparison of one file may take.
const compareTime = 20 * time.Second

// showVersions sets the version as sealed beside the later ones. The file comes once more, since it was not kept.
func (s *server) showVersions(w http.ResponseWriter, r *http.Request) {
	s.showAnswer(w, r, func(lang string, a *web.Answer) error {
		which, err := signatureAsked(r)
		if err != nil {
			return err
		}
		if s.Sealer.Viewer == nil {
			return errNotReady.New()
		}
		f, done, err := s.taken(r)
		if err != nil {
			return err
		}
		defer done()
		// One place more than for verifying: whoever signed in shall not wait for pages behind those who did not.
		leave, err := s.await(r.Context(), s.comparing)
		if err != nil {
			return err
		}
		defer leave()
		return s.judging(r.Context(), func(ctx context.Context) (err error) {
			ctx, cancel := context.WithTimeout(ctx, compareTime)
			defer cancel()
			a.File = f.name
			a.Versions, err = versions.Compare(ctx, s.Sealer.Viewer, f, f.size, which, lang)
			return err
		})
	})
}

// saveAsSealed is asSealed for a browser without script: what is wrong is said on the page.
func (s *server) saveAsSealed(w http.ResponseWriter, r *http.Request) {
	if err := s.giveAsSealed(w, r); err != nil {
		s.showProblem(w, r, err)
	}
}

// showProblem is the page that says why there is nothing to show.
func (s *server) showProblem(w http.ResponseWriter, r *http.Request, err error) {
	s.showAnswer(w, r, func(string, *web.Answer) error { return err })
}

// showAnswer renders what is said about a file of the form.
func (s *server) showAnswer(w http.ResponseWriter, r *http.Request, find func(lang string, a *web.Answer) error) {
	lang := languageOf(r)
	answer := web.Answer{Language: lang, Fragment: r.Header.Get(web.FragmentHeader) != ""}
	status := http.StatusOK
	if err := find(lang, &answer); err != nil {
		p := s.problem(r.Context(), err)
		for name, values := range p.header {
			w.Header()[name] = values
		}
		status, answer.Problem, answer.RequestID = p.Status, sentenceOf(p, lang), p.RequestID
	}
	body, err := s.pages.Verdict(answer)
	if err != nil {
		s.fail(w, r, errInternal.Because(err))
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store") // it describes somebody's file
	w.WriteHeader(status)
	if _, err := w.Write(body); err != nil {
		s.Log.DebugContext(r.Context(), "answer not sent", "request", factsOf(r.Context()).id, "error", err)
	}
}
