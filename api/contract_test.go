package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/danielgtaylor/huma/v2"
)

// contract holds every answer that a test gets against the OpenAPI document: status, media type and JSON body.
type contract struct {
	document *huma.OpenAPI
	routes   []contractRoute
	lock     sync.Mutex
	broken   []string
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
	c := &contract{document: document}
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
		for _, b := range c.broken {
			t.Error("not as in openapi.json: ", b)
		}
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		op := c.operation(r.Method, r.URL.Path)
		if op == nil {
			h.ServeHTTP(w, r)
			return
		}
		seen := &seenAnswer{ResponseWriter: w}
		h.ServeHTTP(seen, r)
		if err := c.check(op, seen); err != nil {
			c.lock.Lock()
			defer c.lock.Unlock()
			if text := fmt.Sprintf("%s %s (%s): %v", r.Method, r.URL.Path, op.OperationID, err); !slices.Contains(c.broken, text) {
				c.broken = append(c.broken, text)
			}
		}
	})
}

func (c *contract) operation(method, path string) *huma.Operation {
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
		return fmt.Errorf("status %d: %.200s", status, a.body.Bytes())
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
	var v any
	if err := json.Unmarshal(a.body.Bytes(), &v); err != nil {
		return fmt.Errorf("status %d: %w", status, err)
	}
	var result huma.ValidateResult
	huma.Validate(c.document.Components.Schemas, content.Schema, huma.NewPathBuffer(nil, 0), huma.ModeReadFromServer, v, &result)
	if len(result.Errors) > 0 {
		return fmt.Errorf("status %d: %v in %.300s", status, result.Errors[0], a.body.Bytes())
	}
	return nil
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
