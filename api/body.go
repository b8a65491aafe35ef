package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"yinxin/internal/fault"
)

// pacedBody gives the body of a request a deadline that moves with what has come. At the end, and at every further
// read, the deadline is taken away: the server keeps listening on the connection for the caller going away, and would
// take a deadline that passes during the work for that.
type pacedBody struct {
	io.ReadCloser
	control *http.ResponseController
	start   time.Time
	grace   time.Duration
	rate    int64
	n       int64
}

func (s *server) paced(body io.ReadCloser, control *http.ResponseController, start time.Time) *pacedBody {
	b := &pacedBody{ReadCloser: body, control: control, start: start, grace: s.Grace, rate: s.Rate}
	b.extend() // also for a body that is never asked for: the server drains it
	return b
}

// extend sets the deadline for what comes next. Where the connection has no deadlines (a test's recorder), none is set.
func (b *pacedBody) extend() {
	_ = b.control.SetReadDeadline(b.start.Add(b.grace + time.Duration(b.n/b.rate)*time.Second))
}

func (b *pacedBody) Read(p []byte) (int, error) {
	b.extend()
	n, err := b.ReadCloser.Read(p)
	b.n += int64(n)
	var slow net.Error
	switch {
	case err == io.EOF:
		_ = b.control.SetReadDeadline(time.Time{})
	case errors.As(err, &slow) && slow.Timeout():
		return n, errTooSlow.Because(err)
	}
	return n, err
}

// limited refuses what comes after the limit, instead of ending there.
type limited struct {
	io.Reader
	left int64
	max  int64
}

func (l *limited) Read(p []byte) (int, error) {
	if int64(len(p)) > l.left+1 {
		p = p[:l.left+1]
	}
	n, err := l.Reader.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return 0, tooLarge(l.max)
	}
	return n, err
}

func tooLarge(max int64) *fault.Fault {
	return errTooLarge.Sayingf("不超过 %d 字节", "%d bytes allowed", max)
}

const (
	// formOverhead is what a multipart body may have besides the file, in bytes.
	formOverhead = 64 << 10
	maxParts     = 16
	fileField    = "file"
)

const pdfMedia = "application/pdf"

// file finds the PDF in a request: see fileOf.
func file(r *http.Request, max int64) (name string, body io.Reader, err error) {
	return fileOf(r, max, pdfMedia)
}

// mediaOf is the type that a request says its body has, empty for none.
func mediaOf(r *http.Request) string {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return ""
	}
	return media
}

// readJSON reads a small JSON body strictly, for routes that answer with something else. Errors: request.invalid,
// request.media-type and those of reading.
func readJSON(r *http.Request, into any) error {
	if mediaOf(r) != "application/json" {
		return errMediaType.With("application/json")
	}
	body, err := io.ReadAll(&limited{r.Body, maxJSON, maxJSON})
	if err != nil {
		return broken(err)
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return errInvalid.New() // the cause could quote what was sent
	}
	if _, err := d.Token(); err != io.EOF {
		return errInvalid.New()
	}
	return nil
}

// fileOf finds a file of one of the types in a request: the body itself, or the part "file" of a form. The reader refuses
// with request.too-large what is larger than max bytes. The name is as the caller gave it, or empty.
func fileOf(r *http.Request, max int64, types ...string) (name string, body io.Reader, err error) {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if r.Header.Get("Content-Type") == "" {
		media, err = "application/octet-stream", nil
	}
	if err != nil {
		return "", nil, errMediaType.Because(err)
	}
	switch {
	case slices.Contains(types, media), media == "application/octet-stream":
		if r.ContentLength > max {
			return "", nil, tooLarge(max)
		}
		return headerName(r.Header), &limited{r.Body, max, max}, nil
	case media == "multipart/form-data":
		if r.ContentLength > max+formOverhead {
			return "", nil, tooLarge(max)
		}
		return formFile(r, max)
	}
	return "", nil, errMediaType.With("%s, application/octet-stream, multipart/form-data", strings.Join(types, ", "))
}

func formFile(r *http.Request, max int64) (string, io.Reader, error) {
	r.Body = struct {
		io.Reader
		io.Closer
	}{&limited{r.Body, max + formOverhead, max}, r.Body}
	form, err := r.MultipartReader()
	if err != nil {
		return "", nil, errMediaType.Because(err)
	}
	for range maxParts {
		part, err := form.NextPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			return "", nil, broken(err)
		}
		if part.FormName() == fileField {
			return part.FileName(), &limited{part, max, max}, nil
		}
		if err := keepField(r, part); err != nil {
			return "", nil, err
		}
	}
	return "", nil, errNoFile.At(fault.Field(fileField))
}

// maxField is the longest value that is kept of a field before the file, in bytes.
const maxField = 100

// keepField puts a field that stands before the file into r.PostForm; one that is too long to be meant is passed over.
func keepField(r *http.Request, part *multipart.Part) error {
	value, err := io.ReadAll(io.LimitReader(part, maxField+1))
	if err != nil {
		return broken(err)
	}
	if r.PostForm == nil {
		r.PostForm = url.Values{}
	}
	if len(value) <= maxField {
		r.PostForm.Add(part.FormName(), string(value))
	}
	return nil
}

// drain reads what stands after the file in a form, so that the server notices when the caller goes away meanwhile.
// What cannot be read does not matter any more.
func drain(r *http.Request) { _, _ = io.CopyN(io.Discard, r.Body, formOverhead) }

// broken gives an error of reading a body its code.
func broken(err error) error {
	if _, known := fault.Of(err); known {
		return err
	}
	return errBroken.Because(err)
}

// headerName is the file name that the header of an upload gives: X-File-Name in UTF-8, percent-encoded (a header
// field cannot carry Chinese), or Content-Disposition with filename or filename* (RFC 6266).
func headerName(h http.Header) string {
	if name := h.Get("X-File-Name"); name != "" {
		if plain, err := url.PathUnescape(name); err == nil {
			return plain
		}
		return name
	}
	_, parameters, err := mime.ParseMediaType(h.Get("Content-Disposition"))
	if err != nil {
		return ""
	}
	return parameters["filename"]
}

// displayName is the last element of a name that somebody gave, without what does not belong in a name.
func displayName(name string) string {
	name = path.Base(strings.ReplaceAll(name, "\\", "/"))
	name = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || r == utf8.RuneError {
			return -1
		}
		return r
	}, name)
	if runes := []rune(name); len(runes) > 120 {
		name = string(runes[:120]) + "…"
	}
	if name == "." || name == "/" {
		return ""
	}
	return name
}

// attachment is the Content-Disposition of a download: RFC 6266 with the name in UTF-8 (RFC 8187), and a plain name
// for those who cannot read it.
func attachment(name string) string {
	plain := strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f || strings.ContainsRune(`"\%`, r) {
			return '_'
		}
		return r
	}, name)
	return `attachment; filename="` + plain + `"; filename*=UTF-8''` + strings.ReplaceAll(url.QueryEscape(name), "+", "%20")
}
