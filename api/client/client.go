// Package client calls the API of a Yinxin server, for programs in Go and for the yinxin command.
//
//	c, err := client.New("https://seal.example", os.Getenv("YINXIN_API_KEY"))
//	err = c.SealFile(ctx, key, "copy.pdf", file, size, terms, out)
//
// # Promises
//
// What the server refuses comes back as its own fault: code, sentences in Chinese and English, kind (yinxin/internal/fault
// inside of this module; Error has the code in front). Documents stream in both directions, and what arrives is held
// against the SM3 that the server gave. Calls that can be repeated safely, because they only read or have an idempotency key,
// are repeated after the time that the server asks for when it is busy, at most Tries times; UploadOnce, SealFile and Verify are, where
// the file can be read again. WithProgress tells how far documents have come. Answers that are not documents are read up to 16 MiB. The key goes to the server alone and into no error.
package client

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/emmansun/gmsm/sm3"

	"yinxin/api"
	"yinxin/internal/fault"
)

// The errors of this package; those of the server have its own codes.
var (
	ErrAddress = fault.Spec{Kind: fault.Invalid, Code: "server.address",
		ZH: "服务器地址应以 http:// 或 https:// 开头。", EN: "The address of the server begins with http:// or https://."}
	ErrUnreachable = fault.Spec{Kind: fault.Unavailable, Code: "server.unreachable",
		ZH: "连接不上服务器，没有写入任何文件。", EN: "The server cannot be reached; nothing was written."}
	ErrAnswer = fault.Spec{Kind: fault.Unavailable, Code: "server.unexpected-answer",
		ZH: "服务器的回答无法理解，没有写入任何文件。", EN: "The server gave an answer that cannot be understood; nothing was written."}
)

const (
	maxAnswer    = 16 << 20
	longestPause = 30 * time.Second
)

// Client calls one server with one key. It is safe for concurrent use.
type Client struct {
	base, key string
	// HTTP sends the requests; its deadlines, proxies and certificates are the caller's.
	HTTP *http.Client
	// Tries is how often a call is made that can be repeated safely.
	Tries int
	// Pause waits between two tries.
	Pause func(ctx context.Context, d time.Duration) error
}

// New gives a client for the server at an address. Error: server.address.
func New(address, key string) (*Client, error) {
	base := strings.TrimRight(address, "/")
	if u, err := url.Parse(base); err != nil || u.Host == "" || u.User != nil || u.Scheme != "http" && u.Scheme != "https" {
		return nil, ErrAddress.New()
	}
	return &Client{base: base, key: key, HTTP: http.DefaultClient, Tries: 3, Pause: pause}, nil
}

// Key is a new idempotency key.
func Key() string { return rand.Text() }

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// request is one call.
type request struct {
	method, path string
	header       http.Header
	body         []byte
	file         *source // instead of body
	repeatable   bool
}

// send makes a call and gives the answer of a server that did not refuse.
func (c *Client) send(ctx context.Context, q request) (*http.Response, error) {
	for try := 1; ; try++ {
		answer, err := c.once(ctx, q)
		wait, again := worthwhile(answer, err)
		if !again || !q.repeatable || try >= c.Tries {
			return refused(answer, err)
		}
		if answer != nil {
			_ = answer.Body.Close()
		}
		if err := c.Pause(ctx, max(wait, time.Duration(try)*200*time.Millisecond)); err != nil {
			return nil, err
		}
	}
}

func (c *Client) once(ctx context.Context, q request) (*http.Response, error) {
	var body io.Reader
	switch {
	case q.file != nil:
		body = q.file.open(ctx)
	case q.body != nil:
		body = bytes.NewReader(q.body)
	}
	r, err := http.NewRequestWithContext(ctx, q.method, c.base+q.path, body)
	if err != nil {
		return nil, err
	}
	if q.header != nil {
		r.Header = q.header.Clone()
	}
	if q.file != nil {
		r.ContentLength = q.file.size
	}
	if c.key != "" {
		r.Header.Set("Authorization", "Bearer "+c.key)
	}
	answer, err := c.HTTP.Do(r)
	if err != nil && ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, ErrUnreachable.With("%s", c.base).Because(err)
	}
	return answer, nil
}

// worthwhile says whether another try may come to something, and when.
func worthwhile(answer *http.Response, err error) (wait time.Duration, again bool) {
	if err != nil {
		return 0, fault.Has(err, ErrUnreachable)
	}
	switch answer.StatusCode {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		seconds, _ := strconv.Atoi(answer.Header.Get("Retry-After"))
		wait = time.Duration(max(seconds, 0)) * time.Second
		return wait, wait <= longestPause
	}
	return 0, false
}

// refused makes an error of an answer that says no.
func refused(answer *http.Response, err error) (*http.Response, error) {
	if err != nil {
		return nil, err
	}
	if answer.StatusCode < 300 {
		return answer, nil
	}
	defer answer.Body.Close()
	f, ok := api.FaultOf(answer.StatusCode, answer.Body)
	if !ok {
		return nil, ErrAnswer.With("HTTP %d", answer.StatusCode).Because(errors.New("not a problem document"))
	}
	if seconds, err := strconv.Atoi(answer.Header.Get("Retry-After")); err == nil {
		f = f.RetryIn(time.Duration(seconds) * time.Second)
	}
	return nil, f
}

// call makes a call whose answer is JSON, with a body that is JSON or nil. A key makes it one that may be repeated.
func call[T any](ctx context.Context, c *Client, method, path, key string, body any) (result T, err error) {
	q := request{method: method, path: path, header: http.Header{}, repeatable: method == http.MethodGet || key != ""}
	if key != "" {
		q.header.Set("Idempotency-Key", key)
	}
	if body != nil {
		q.header.Set("Content-Type", "application/json")
		if q.body, err = json.Marshal(body); err != nil {
			return result, err
		}
	}
	return sent[T](ctx, c, q)
}

func decoded[T any](answer *http.Response) (result T, err error) {
	defer answer.Body.Close()
	if answer.StatusCode == http.StatusNoContent {
		return result, nil
	}
	if err := json.NewDecoder(io.LimitReader(answer.Body, maxAnswer)).Decode(&result); err != nil {
		return result, ErrAnswer.Because(err)
	}
	return result, nil
}

// fetch streams a document out, and compares its digest with want, in hex, where that is known.
func (c *Client) fetch(ctx context.Context, path string, w io.Writer, want string) error {
	answer, err := c.send(ctx, request{method: http.MethodGet, path: path, repeatable: true})
	if err != nil {
		return err
	}
	return receive(ctx, answer, w, want)
}

// receive is the body of an answer. The tag of a document is its digest.
func receive(ctx context.Context, answer *http.Response, w io.Writer, want string) error {
	defer answer.Body.Close()
	if tag := strings.Trim(answer.Header.Get("ETag"), `"`); want == "" && len(tag) == hex.EncodedLen(sm3.Size) {
		want = tag
	}
	digest := sm3.New()
	if _, err := io.Copy(io.MultiWriter(w, digest), watched(ctx, answer.Body, true, answer.ContentLength)); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return ErrUnreachable.Because(err)
	}
	if got := hex.EncodeToString(digest.Sum(nil)); want != "" && got != want {
		return ErrAnswer.With("SM3 %s", got)
	}
	return nil
}
