package api

import (
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/emmansun/gmsm/sm3"
)

// giveJSON answers with a JSON document.
func (s *server) giveJSON(w http.ResponseWriter, r *http.Request, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		s.Log.DebugContext(r.Context(), "answer not sent", "request", factsOf(r.Context()).id, "error", err)
	}
}

// giveFile answers with a file that is kept nowhere on its way.
func (s *server) giveFile(w http.ResponseWriter, r *http.Request, media, name string, content []byte) {
	h := w.Header()
	h.Set("Content-Type", media)
	h.Set("Content-Disposition", attachment(name))
	h.Set("Content-Length", strconv.Itoa(len(content)))
	h.Set("Cache-Control", "no-store")
	s.send(w, r, content)
}

// send writes the body of an answer.
func (s *server) send(w http.ResponseWriter, r *http.Request, content []byte) {
	if _, err := w.Write(content); err != nil {
		s.Log.DebugContext(r.Context(), "answer not sent", "request", factsOf(r.Context()).id, "error", err)
	}
}

// give answers with bytes that may be kept, under their digest as ETag.
func (s *server) give(w http.ResponseWriter, r *http.Request, media string, body []byte) {
	digest := sm3.Sum(body)
	tag := `"` + hex.EncodeToString(digest[:16]) + `"`
	h := w.Header()
	h.Set("ETag", tag)
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-cache")
	}
	if matches(r.Header.Get("If-None-Match"), tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", media)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	s.send(w, r, body)
}
