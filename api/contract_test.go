package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"yinxin/ca/tsa"
)

// contract holds every request that a test makes and was not refused, and every answer that it gets, against the OpenAPI
// document: parameters, status, media types and JSON bodies.
type contract struct {
	document *huma.OpenAPI
	routes   []contractRoute
	lock     sync.Mutex
	broken   map[string]string // what is not as described, with one case
}

type contractRoute struct {
	method    string
	path      *regexp.Regexp
	literal   int // characters that are not parameters: of two routes that fit the one with more is meant
	operation *huma.Operation
}

var pathParameter = regexp.MustCompile(`\\\{[^}]+\\\}`)

// underContract wraps the handler of a server. What breaks the contract fails the test when it ends.
func underContract(t *testing.T, document *huma.OpenAPI, h http.Handler) http.Handler {
	c := &contract{document: document, broken: map[string]string{}}
	for path, item := range document.Paths {
		pattern := pathParameter.ReplaceAllString(regexp.QuoteMeta(path), `[^/]+`)
		for method, op := range map[string]*huma.Operation{"GET": item.Get, "POST": item.Post, "PUT": item.Put, "PATCH": item.Patch, "DELETE": item.Delete, "HEAD": item.Head} {
			if op != nil {
				c.routes = append(c.routes, contractRoute{method, regexp.MustCompile("^" + pattern + "$"), len(strings.ReplaceAll(pattern, `[^/]+`, "")), op})
			}
		}
	}
	t.Cleanup(func() {
		c.lock.Lock()
		defer c.lock.Unlock()
		for what, one := range c.broken {
			t.Errorf("not as in openapi.json: %s\n%s", what, one)
		}
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		op := c.operation(r.Method, r.URL.Path)
		if op == nil {
			h.ServeHTTP(w, r)
			return
		}
		seen := &seenAnswer{ResponseWriter: w}
		request := &seenRequest{ReadCloser: r.Body}
		if r.ContentLength != 0 {
			r = r.WithContext(r.Context()) // the server's own request keeps its body, by which it knows whether the caller was told to go on
			r.Body = request
		}
		h.ServeHTTP(seen, r)
		err := c.check(op, seen)
		if err == nil && seen.status > 0 && seen.status < 400 {
			called.note(op.OperationID)
			err = c.checkRequest(op, r, request.body.Bytes())
		}
		if err != nil {
			c.lock.Lock()
			defer c.lock.Unlock()
			c.broken[fmt.Sprintf("%s: %v", op.OperationID, err)] = fmt.Sprintf("%s %s: %.300s answered %.300s", r.Method, r.URL.Path, request.body.Bytes(), seen.body.Bytes())
		}
	})
}

func (c *contract) operation(method, path string) *huma.Operation {
	if method == http.MethodHead {
		method = http.MethodGet
	}
	var best contractRoute
	for _, r := range c.routes {
		if r.method == method && r.literal >= best.literal && r.path.MatchString(path) {
			best = r
		}
	}
	return best.operation
}

func (c *contract) check(op *huma.Operation, a *seenAnswer) error {
	status := max(a.status, http.StatusOK)
	if a.status == 0 && a.body.Len() == 0 {
		return nil // the caller went away
	}
	response := op.Responses[strconv.Itoa(status)]
	if response == nil {
		return fmt.Errorf("status %d", status)
	}
	if a.body.Len() == 0 {
		return nil
	}
	media, _, err := mime.ParseMediaType(a.Header().Get("Content-Type"))
	if err != nil {
		return fmt.Errorf("status %d: media type: %w", status, err)
	}
	content := response.Content[media]
	if content == nil {
		return fmt.Errorf("status %d: media type %s", status, media)
	}
	if media != "application/json" && media != problemType || content.Schema == nil {
		return nil
	}
	if err := c.fits(content.Schema, huma.ModeReadFromServer, a.body.Bytes()); err != nil {
		return fmt.Errorf("status %d: %w", status, err)
	}
	return nil
}

// checkRequest is for a request that was not refused: what the server takes is described.
func (c *contract) checkRequest(op *huma.Operation, r *http.Request, body []byte) error {
	described := map[string]bool{}
	for _, p := range op.Parameters {
		if p.Ref != "" {
			return fmt.Errorf("parameter %s is a reference, which this check does not follow", p.Ref)
		}
		given := true
		switch p.In {
		case "query":
			described[p.Name] = true
			given = r.URL.Query().Has(p.Name)
		case "header":
			given = r.Header.Get(p.Name) != ""
		}
		if p.Required && !given {
			return fmt.Errorf("%s %s is described as required, and was not needed", p.In, p.Name)
		}
	}
	for name := range r.URL.Query() {
		if !described[name] {
			return fmt.Errorf("query %s is not described", name)
		}
	}
	if op.RequestBody == nil {
		if len(body) > 0 {
			return errors.New("a body is not described")
		}
		return nil
	}
	if r.ContentLength == 0 {
		if op.RequestBody.Required && op.RequestBody.Content[tsa.MediaRequest] == nil { // RFC 3161 has an answer for every request
			return errors.New("the body is described as required, and was not needed")
		}
		return nil
	}
	media := mediaOf(r)
	if media == "" { // huma and uploads have a default
		media = "application/json"
		if op.RequestBody.Content[media] == nil {
			media = "application/octet-stream"
		}
	}
	content := op.RequestBody.Content[media]
	if content == nil {
		return fmt.Errorf("media type %s of the request", media)
	}
	if media != "application/json" {
		return nil
	}
	if content.Schema == nil {
		return errors.New("the body has no schema")
	}
	if err := c.fits(content.Schema, huma.ModeWriteToServer, body); err != nil {
		return fmt.Errorf("request: %w", err)
	}
	return nil
}

func (c *contract) fits(schema *huma.Schema, mode huma.ValidateMode, text []byte) error {
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		return err
	}
	var result huma.ValidateResult
	huma.Validate(c.document.Components.Schemas, schema, huma.NewPathBuffer(nil, 0), mode, v, &result)
	if len(result.Errors) > 0 {
		return result.Errors[0]
	}
	return nil
}

// seenRequest keeps the first megabytes of a request on its way.
type seenRequest struct {
	io.ReadCloser
	body bytes.Buffer
}

func (r *seenRequest) Read(b []byte) (int, error) {
	n, err := r.ReadCloser.Read(b)
	if r.body.Len() < 16<<20 {
		r.body.Write(b[:n])
	}
	return n, err
}

// seenAnswer keeps the first megabytes of an answer on its way.
type seenAnswer struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

func (a *seenAnswer) WriteHeader(status int) {
	if a.status == 0 && status >= 200 {
		a.status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *seenAnswer) Write(b []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	if a.body.Len() < 16<<20 {
		a.body.Write(b)
	}
	return a.ResponseWriter.Write(b)
}

func (a *seenAnswer) Unwrap() http.ResponseWriter { return a.ResponseWriter }
