package client

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"sync"

	"github.com/emmansun/gmsm/sm3"

	"yinxin/api"
)

// Progress is how far a document has come.
type Progress struct {
	// Receiving says that it comes from the server, and does not go there.
	Receiving bool
	// Done and Total are bytes. Total is -1 where it is not known. Done begins anew when a call is made again.
	Done, Total int64
}

type progressKey struct{}

// WithProgress has seen told how far the documents of calls with the context have come. It is called often and should return
// soon; one call follows another, also those of several goroutines. A document that the server has already is not sent.
func WithProgress(ctx context.Context, seen func(Progress)) context.Context {
	var one sync.Mutex
	return context.WithValue(ctx, progressKey{}, func(p Progress) {
		one.Lock()
		defer one.Unlock()
		seen(p)
	})
}

// counted tells of what was read.
type counted struct {
	io.Reader
	at   Progress
	tell func(Progress)
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.Reader.Read(b)
	if n > 0 {
		c.at.Done += int64(n)
		c.tell(c.at)
	}
	return n, err
}

// watched is a reader whose progress is told, if somebody wants to know.
func watched(ctx context.Context, r io.Reader, receiving bool, total int64) io.Reader {
	tell, ok := ctx.Value(progressKey{}).(func(Progress))
	if !ok {
		return r
	}
	return &counted{Reader: r, at: Progress{Receiving: receiving, Total: max(total, -1)}, tell: tell}
}

// source is a document that is sent.
type source struct {
	open  func(ctx context.Context) io.Reader
	size  int64 // -1: not known
	again bool  // whether open gives the same bytes again
}

// sourceOf is a file from where it stands. One that can be read at any place can be sent again; it is left standing where it
// stood. Each reading has its own place: that of a call which failed may still be going on.
func sourceOf(file io.Reader, size int64) source {
	once := source{open: func(ctx context.Context) io.Reader { return watched(ctx, file, false, size) }, size: size}
	whole, ok := file.(interface {
		io.ReaderAt
		io.Seeker
	})
	if !ok {
		return once
	}
	start, err := whole.Seek(0, io.SeekCurrent)
	if err != nil {
		return once // a pipe
	}
	if size < 0 {
		end, err := whole.Seek(0, io.SeekEnd)
		if err != nil {
			return once
		}
		if _, err := whole.Seek(start, io.SeekStart); err != nil {
			return once
		}
		size = end - start
	}
	return source{size: size, again: true, open: func(ctx context.Context) io.Reader {
		return watched(ctx, io.NewSectionReader(whole, start, size), false, size)
	}}
}

// digest is the SM3 of a source that can be read again.
func (f source) digest() ([]byte, error) {
	h := sm3.New()
	if _, err := io.Copy(h, f.open(context.Background())); err != nil {
		return nil, err
	}
	return h.Sum(nil), nil
}

// inForm is the source as the field file of a form, behind the order.
func (f source) inForm(name string, order []byte) (form source, media string, err error) {
	var frame bytes.Buffer
	w := multipart.NewWriter(&frame)
	part, err := w.CreatePart(textproto.MIMEHeader{"Content-Disposition": {`form-data; name="order"`}, "Content-Type": {"application/json"}})
	if err == nil {
		_, err = part.Write(order)
	}
	if err == nil {
		_, err = w.CreateFormFile("file", name)
	}
	at := frame.Len()
	if err == nil {
		err = w.Close()
	}
	head, tail := frame.Bytes()[:at], frame.Bytes()[at:]
	form = source{size: f.size, again: f.again, open: func(ctx context.Context) io.Reader {
		return io.MultiReader(bytes.NewReader(head), f.open(ctx), bytes.NewReader(tail))
	}}
	if f.size >= 0 {
		form.size += int64(frame.Len())
	}
	return form, w.FormDataContentType(), err
}

// waitsFrom is from how many bytes on an upload waits whether the server wants them: a question costs about as much.
const waitsFrom = 64 << 10

// Upload stores a document of size bytes; size -1 is not known. It is sent once.
func (c *Client) Upload(ctx context.Context, name string, file io.Reader, size int64) (api.Document, error) {
	return put[api.Document](ctx, c, documentsPath, name, file, size)
}

// UploadOnce is Upload of a file that can be read again (os.File, bytes.Reader), whose SM3 the server is told first: what the
// caller uploaded before is not sent, and comes back under the name that it had then; and the call is repeated where that may
// help. Another reader is sent as by Upload. Error besides those of Upload: document.digest, when somebody writes into the file.
func (c *Client) UploadOnce(ctx context.Context, name string, file io.Reader, size int64) (api.Document, error) {
	q, f := fileRequest(documentsPath, name, file, size)
	if f.again {
		sum, err := f.digest()
		if err != nil {
			return api.Document{}, err
		}
		q.repeatable = true
		q.header.Set("Content-Digest", api.DigestHeader(sum))
		if f.size >= waitsFrom {
			q.header.Set("Expect", "100-continue")
		}
	}
	return sent[api.Document](ctx, c, q)
}

// SealFile seals a document in one call: file goes in, and the sealed one comes out through w. It gives the identifier of
// the sealing. What was written to w when an error comes is not a document. A call that fails before the sealed document
// begins to come is repeated with the same key, if the file can be read again (os.File, bytes.Reader); a later failure is for the
// caller to repeat, with the key.
func (c *Client) SealFile(ctx context.Context, key, name string, file io.Reader, terms api.SealingTerms, w io.Writer) (sealing string, err error) {
	order, err := json.Marshal(terms)
	if err != nil {
		return "", err
	}
	form, media, err := sourceOf(file, -1).inForm(name, order)
	if err != nil {
		return "", err
	}
	answer, err := c.send(ctx, request{method: http.MethodPost, path: "/v1/sealed-documents", file: &form, repeatable: form.again && key != "",
		header: http.Header{"Content-Type": {media}, "Idempotency-Key": {key}}})
	if err != nil {
		return "", err
	}
	sealing = answer.Header.Get("X-Sealing-Id")
	return sealing, receive(ctx, answer, w, "")
}

const (
	pdfType       = "application/pdf"
	documentsPath = "/v1/documents"
)

// fileRequest sends a file, once if nobody says otherwise.
func fileRequest(path, name string, file io.Reader, size int64) (request, source) {
	f := sourceOf(file, size)
	q := request{method: http.MethodPost, path: path, header: http.Header{"Content-Type": {pdfType}}, file: &f}
	if name != "" {
		q.header.Set("X-File-Name", url.PathEscape(name))
	}
	return q, f
}

// put sends a file whose answer is JSON, once.
func put[T any](ctx context.Context, c *Client, path, name string, file io.Reader, size int64) (T, error) {
	q, _ := fileRequest(path, name, file, size)
	return sent[T](ctx, c, q)
}

func sent[T any](ctx context.Context, c *Client, q request) (result T, err error) {
	answer, err := c.send(ctx, q)
	if err != nil {
		return result, err
	}
	return decoded[T](answer)
}
