package api

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"

	"yinxin/internal/fault"
)

func walk(r chi.Routes, fn func(method, path string)) error {
	return chi.Walk(r, func(method, path string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		fn(method, path)
		return nil
	})
}

// dial sends the beginning of a request by hand.
func (w *world) dial(text string) net.Conn {
	w.t.Helper()
	c := got(net.Dial("tcp", strings.TrimPrefix(w.http.URL, "http://")))(w.t)
	got(io.WriteString(c, text))(w.t)
	return c
}

func TestAnUploadThatBreaksOffLeavesNothing(t *testing.T) {
	form := "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.pdf\"\r\n\r\n%PDF-1.7"
	for _, c := range []struct{ name, path, header, body string }{
		{"a body shorter than announced", "/v1/documents", "Content-Type: application/pdf\r\nContent-Length: 1000000", "%PDF-1.7 and no more"},
		{"a chunked body without its end", "/v1/documents", "Content-Type: application/pdf\r\nTransfer-Encoding: chunked", "4\r\n%PDF\r\n"},
		{"a form without its end", "/v1/documents", "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 1000000", form},
		{"a file for verification", "/v1/verifications", "Content-Type: application/pdf\r\nContent-Length: 1000000", "%PDF-1.7 and no more"},
		{"a file for verification in the page's form", "/", "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 1000000", form},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			conn := w.dial(fmt.Sprintf("POST %s HTTP/1.1\r\nHost: yinxin\r\nAuthorization: Bearer %s\r\n%s\r\n\r\n%s", c.path, w.keys["platform"], c.header, c.body))
			must(t, conn.Close())
			w.log.await(t, "msg=request")
			w.http.Close() // waits for the handler
			if left := append(w.kept("files"), w.kept("scratch")...); len(left) != 0 {
				t.Fatalf("left behind: %v", left)
			}
			var documents int
			must(t, w.db.Read().QueryRowContext(t.Context(), `SELECT COUNT(*) FROM document`).Scan(&documents))
			if documents != 0 || !strings.Contains(w.log.text(), "broken") {
				t.Fatalf("%d documents; log: %s", documents, w.log.text())
			}
		})
	}
}

func TestABodyThatComesTooSlowlyIsEnded(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Grace, c.Rate = 300*time.Millisecond, 1<<20 })
	for _, path := range []string{"/v1/documents", "/v1/verifications"} {
		conn := w.dial("POST " + path + " HTTP/1.1\r\nHost: yinxin\r\nAuthorization: Bearer " + w.keys["platform"] +
			"\r\nContent-Type: application/pdf\r\nContent-Length: 1000000\r\n\r\n%PDF-1.7")
		must(t, conn.SetReadDeadline(time.Now().Add(20*time.Second)))
		response := got(http.ReadResponse(bufio.NewReader(conn), nil))(t)
		body := got(io.ReadAll(response.Body))(t)
		answer{t, response.StatusCode, response.Header, body}.problem(408, "request.too-slow")
		must(t, conn.Close())
	}
	if left := append(w.kept("files"), w.kept("scratch")...); len(left) != 0 {
		t.Fatalf("left behind: %v", left)
	}
}

// slow gives its bytes after a pause each.
type slow struct {
	pieces [][]byte
	pause  time.Duration
}

func (s *slow) Read(p []byte) (int, error) {
	if len(s.pieces) == 0 {
		return 0, io.EOF
	}
	time.Sleep(s.pause)
	n := copy(p, s.pieces[0])
	if s.pieces[0] = s.pieces[0][n:]; len(s.pieces[0]) == 0 {
		s.pieces = s.pieces[1:]
	}
	return n, nil
}

func TestTheDeadlineMovesWithWhatHasCome(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Grace, c.Rate = 400*time.Millisecond, 1000 })
	// Longer than the grace in all, faster than the rate all the time.
	body := &slow{pause: 150 * time.Millisecond}
	for range 6 {
		body.pieces = append(body.pieces, bytes.Repeat([]byte("x"), 2000))
	}
	w.call("platform", "POST", "/v1/documents", body, asPDF).is(201)
}

func TestADeadlineForTheBodyDoesNotEndTheWorkAfterIt(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Grace = 200 * time.Millisecond })
	w.server.handle("POST", "/v1/long", anyone(), func(rw http.ResponseWriter, r *http.Request) {
		got(io.Copy(io.Discard, r.Body))(t)
		drain(r) // reads on after the end, as a form's reader does
		select {
		case <-r.Context().Done():
			t.Error("the deadline of the body ended the request")
		case <-time.After(600 * time.Millisecond):
		}
	})
	w.call("", "POST", "/v1/long", strings.NewReader("body")).is(200)
}

func TestUploadsThatCannotBeTakenAreRefusedEarly(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.MaxUpload, c.MaxVerify = 1000, 1000 })
	big := strings.Repeat("x", 1001)
	for _, path := range []string{"/v1/documents", "/v1/verifications"} {
		w.call("platform", "POST", path, strings.NewReader(big), asPDF).problem(413, "request.too-large")
		w.call("platform", "POST", path, io.MultiReader(strings.NewReader(big)), asPDF).problem(413, "request.too-large") // length not announced
		w.call("platform", "POST", path, strings.NewReader("--b\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n"+big+"\r\n--b--\r\n"),
			"Content-Type: multipart/form-data; boundary=b").problem(413, "request.too-large")
		w.call("platform", "POST", path, strings.NewReader("a=b"), "Content-Type: application/x-www-form-urlencoded").problem(415, "request.media-type")
		w.call("platform", "POST", path, strings.NewReader("--b\r\nContent-Disposition: form-data; name=\"other\"\r\n\r\nx\r\n--b--\r\n"),
			"Content-Type: multipart/form-data; boundary=b").problem(400, "request.no-file")
		w.call("platform", "POST", path, strings.NewReader("x"), "Content-Type: multipart/form-data").problem(415, "request.media-type")
	}
	w.call("platform", "POST", "/v1/documents", strings.NewReader(""), asPDF).problem(400, "document.empty")
	w.call("platform", "POST", "/v1/verifications", strings.NewReader(""), asPDF).problem(400, "request.no-file")
	if left := append(w.kept("files"), w.kept("scratch")...); len(left) != 0 {
		t.Fatalf("left behind: %v", left)
	}
}

func TestTooManyVerificationsAtOnceAreToldToComeBack(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Verifications, c.Uploads, c.Patience = 1, 1, 50*time.Millisecond })
	w.server.verifying.all <- struct{}{}
	if a := w.call("", "POST", "/v1/verifications", bytes.NewReader(onePage(t)), asPDF); a.header.Get("Retry-After") == "" {
		t.Fatalf("no Retry-After: %v", a.header)
	} else {
		a.problem(503, "service.busy")
	}
	<-w.server.verifying.all
	w.server.uploading.all <- struct{}{}
	w.call("", "POST", "/v1/verifications", bytes.NewReader(onePage(t)), asPDF).problem(503, "service.busy")
	<-w.server.uploading.all
	w.call("", "POST", "/v1/verifications", bytes.NewReader(onePage(t)), asPDF).is(200) // the places were given back
}

func TestTheScratchFolderIsPrivateAndEmptiedAtStart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "scratch")
	must(t, os.MkdirAll(dir, 0o755))
	left := filepath.Join(dir, "verify-1234.pdf")
	must(t, os.WriteFile(left, []byte("somebody's document"), 0o644))
	must(t, prepareScratch(dir))
	if exists(left) {
		t.Error("what an earlier process left is still there")
	}
	if mode := got(os.Stat(dir))(t).Mode().Perm(); mode != 0o700 {
		t.Errorf("mode %o", mode)
	}
}

func TestAFullScratchIsNotTakenForABrokenUpload(t *testing.T) {
	f := scratch{File: got(os.Open(os.DevNull))(t)} // not open for writing
	defer f.close()
	if _, err := f.fill(strings.NewReader("bytes")); !fault.Has(err, errScratch) {
		t.Fatal(err)
	}
}
