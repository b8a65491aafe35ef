package api

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"
)

// facts are what the log line of a request says.
type facts struct {
	id    string
	actor string
	code  string // of the problem that was answered
}

type factsKey struct{}

// factsOf gives the facts of the request that the context belongs to; outside of one, facts that nobody reads.
func factsOf(ctx context.Context) *facts {
	if f, ok := ctx.Value(factsKey{}).(*facts); ok {
		return f
	}
	return &facts{}
}

// contentPolicy lets a page use its own script and style and show pictures that are in the page itself.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' blob: data:; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// guard stands in front of every route: identifier, header fields, deadlines, panics, log.
func (s *server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		f := &facts{id: strings.ToLower(rand.Text())}
		answer := &writer{ResponseWriter: w, control: http.NewResponseController(w)}
		r = r.WithContext(context.WithValue(r.Context(), factsKey{}, f))
		if r.Body != nil && r.Body != http.NoBody {
			r.Body = s.paced(r.Body, answer.control, start)
		}
		h := w.Header()
		h.Set("X-Request-Id", f.id)
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		defer func() {
			cause := recover()
			if cause != nil && cause != http.ErrAbortHandler {
				s.Log.ErrorContext(r.Context(), "panic", "request", f.id, "panic", cause, "stack", string(debug.Stack()))
				cause = s.answerPanic(answer, r, cause)
			}
			s.Log.InfoContext(r.Context(), "request", "request", f.id, "method", r.Method, "route", routeOf(r), "status", answer.status,
				"code", f.code, "actor", f.actor, "bytes", answer.bytes, "cut", cause != nil, "took", time.Since(start).Round(time.Microsecond))
			if cause != nil {
				panic(http.ErrAbortHandler) // the server closes the connection and prints nothing
			}
		}()
		next.ServeHTTP(answer, r)
	})
}

// answerPanic answers a request whose handler panicked; it gives the reason to cut the connection, or nil.
func (s *server) answerPanic(w http.ResponseWriter, r *http.Request, cause any) (cut any) {
	defer func() {
		if recover() != nil {
			cut = http.ErrAbortHandler
		}
	}()
	s.fail(w, r, errInternal.Because(fmt.Errorf("panic: %v", cause)))
	return nil
}

// routeOf is the pattern of the route, not the path: paths may carry what does not belong in a log.
func routeOf(r *http.Request) string {
	if c := chi.RouteContext(r.Context()); c != nil && c.RoutePattern() != "" {
		return c.RoutePattern()
	}
	return "none"
}

// answerPace is how long a caller may take to accept one piece of an answer.
const answerPace = time.Minute

// writer counts what was sent and gives every piece a deadline of its own, so that a large answer may take long while
// a caller who stopped reading does not hold it for ever.
type writer struct {
	http.ResponseWriter
	control *http.ResponseController
	status  int
	bytes   int64
}

func (w *writer) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
	}
	w.pace()
	w.ResponseWriter.WriteHeader(status)
}

func (w *writer) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	w.pace()
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

// pace sets the deadline. A ResponseWriter without deadlines is a recorder in a test: then there is none to set.
func (w *writer) pace() { _ = w.control.SetWriteDeadline(time.Now().Add(answerPace)) }

// Unwrap lets http.ResponseController reach the connection.
func (w *writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// sent reports whether the answer has begun.
func sent(w http.ResponseWriter) bool {
	answer, ok := w.(*writer)
	return ok && answer.status != 0
}
