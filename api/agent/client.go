package agent

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/emmansun/gmsm/sm2"

	"yinxin/api"
	"yinxin/internal/fault"
	"yinxin/internal/release"
	"yinxin/sealer/terminal/manifest"
)

const (
	answerTime = 60 * time.Second // of a request, beyond what the server waits for tasks
	fileTime   = 10 * time.Minute
)

// client is a paired server over HTTP.
type client struct {
	base     string
	terminal string
	clerk    string // identifier
	pinned   *ecdsa.PublicKey
	key      ownKey
	http     *http.Client
	clock    func() time.Time
	waits    bool // for tasks to come
}

var _ service = (*client)(nil)

// ownKey is the terminal's own key, which signs its requests.
type ownKey struct{ *sm2.PrivateKey }

var _ manifest.Signer = ownKey{}

// Public is the public key.
func (k ownKey) Public() *ecdsa.PublicKey { return &k.PublicKey }

// SignDigest signs e = SM3(Z‖M).
func (k ownKey) SignDigest(_ context.Context, e [32]byte) ([]byte, error) {
	return sm2.SignASN1(rand.Reader, k.PrivateKey, e[:], nil)
}

// transport connects by TLS with the system's trust, or with that of a file of CA certificates.
func transport(caFile string) (*http.Client, error) {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	if caFile != "" {
		text, err := os.ReadFile(caFile)
		if err != nil {
			return nil, ErrConfig.At(fault.File(caFile)).Because(err)
		}
		t.TLSClientConfig.RootCAs = x509.NewCertPool()
		if !t.TLSClientConfig.RootCAs.AppendCertsFromPEM(text) {
			return nil, ErrConfig.At(fault.File(caFile))
		}
	}
	// A redirection could lead to where there is no TLS, and the signature names the path.
	return &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, nil
}

// client opens the connection to a paired server; nothing is sent yet.
func (f Folder) client(s Server, clock func() time.Time) (*client, error) {
	base, err := serverURL(s.URL)
	if err != nil {
		return nil, err
	}
	pinned, err := manifest.PublicOf(s.Key)
	if err != nil {
		return nil, ErrConfig.At(fault.File(f.path)).Because(err)
	}
	key, err := f.key(s.Terminal)
	if err != nil {
		return nil, err
	}
	h, err := transport(s.CA)
	if err != nil {
		return nil, err
	}
	return &client{base: base, terminal: s.Terminal, clerk: s.Clerk, pinned: pinned, key: ownKey{key}, http: h, clock: clock}, nil
}

// route fills the identifiers into a route.
func route(pattern string, names ...string) string {
	for i := 0; i+1 < len(names); i += 2 {
		pattern = strings.Replace(pattern, "{"+names[i]+"}", url.PathEscape(names[i+1]), 1)
	}
	return pattern
}

// send sends a signed request; the answer is one that says yes.
func (c *client) send(ctx context.Context, method, target string, body any) (*http.Response, error) {
	var octets []byte
	if body != nil {
		var err error
		if octets, err = json.Marshal(body); err != nil {
			return nil, err
		}
	}
	authorisation := ""
	if c.terminal != "" {
		var err error
		if authorisation, err = manifest.Authorise(ctx, c.key, c.terminal, method, target, octets, c.clock()); err != nil {
			return nil, err
		}
	}
	r, err := http.NewRequestWithContext(ctx, method, c.base+target, bytes.NewReader(octets))
	if err != nil {
		return nil, err
	}
	r.Header.Set("User-Agent", release.UserAgent())
	if authorisation != "" {
		r.Header.Set("Authorization", authorisation)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	answer, err := c.http.Do(r)
	if err != nil {
		return nil, c.unreachable(ctx, err)
	}
	if answer.StatusCode >= 300 {
		defer answer.Body.Close()
		return nil, c.refusal(answer)
	}
	return answer, nil
}

// unreachable gives an error of the network its code.
func (c *client) unreachable(ctx context.Context, err error) error {
	var unknown x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	var name x509.HostnameError
	switch {
	case context.Cause(ctx) != nil && !errors.Is(ctx.Err(), context.DeadlineExceeded):
		return ctx.Err()
	case errors.As(err, &unknown), errors.As(err, &invalid), errors.As(err, &name):
		return ErrServerCertificate.With("%s", c.base).Because(err)
	}
	return ErrUnreachable.With("%s", c.base).Because(err)
}

// refusal is the fault of an answer that says no. What may pass by itself counts as not reached.
func (c *client) refusal(answer *http.Response) error {
	f, ok := api.FaultOf(answer.StatusCode, answer.Body)
	passing := []int{http.StatusBadGateway, http.StatusGatewayTimeout, http.StatusTooManyRequests}
	switch {
	case slices.Contains(passing, answer.StatusCode), answer.StatusCode == http.StatusServiceUnavailable && (!ok || strings.HasPrefix(f.Code, "service.")):
		return ErrUnreachable.With("%s, HTTP %d", c.base, answer.StatusCode).Because(f)
	case !ok:
		return ErrAnswer.With("%s, HTTP %d", c.base, answer.StatusCode)
	}
	return f
}

// call sends a request and reads the JSON that comes; nil: nothing is to come.
func (c *client) call(ctx context.Context, method, target string, body, result any, patience time.Duration) error {
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	answer, err := c.send(limited, method, target, body)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return err
	}
	defer answer.Body.Close()
	if result == nil {
		return nil
	}
	text, err := io.ReadAll(io.LimitReader(answer.Body, manifest.MaxEnvelope+1))
	if err != nil {
		return c.unreachable(ctx, err)
	}
	if len(text) > manifest.MaxEnvelope || json.Unmarshal(text, result) != nil {
		return ErrAnswer.With("%s", c.base)
	}
	return nil
}

func (c *client) tasks(ctx context.Context) (manifest.Tasks, error) {
	target, wait := manifest.RouteTasks, time.Duration(0)
	if c.waits {
		wait = manifest.MaxWait
		target += "?wait=" + strconv.Itoa(int(wait/time.Second))
	}
	var list manifest.Tasks
	err := c.call(ctx, http.MethodGet, target, nil, &list, answerTime+wait)
	return list, err
}

func (c *client) claim(ctx context.Context, id string) (manifest.Claim, error) {
	var claim manifest.Claim
	err := c.call(ctx, http.MethodPost, route(manifest.RouteClaim, "task", id), nil, &claim, answerTime)
	if err == nil && (claim.Task.ID != id || len(claim.Items) > manifest.MaxItems) {
		err = ErrAnswer.With("%s", c.base)
	}
	claim.Items = slices.DeleteFunc(claim.Items, func(i manifest.Item) bool { return !i.State.Open() })
	return claim, err
}

func (c *client) release(ctx context.Context, id string) error {
	return c.call(ctx, http.MethodDelete, route(manifest.RouteClaim, "task", id), nil, nil, answerTime)
}

func (c *client) prepare(ctx context.Context, task string, i manifest.Item) (*manifest.Manifest, error) {
	var e manifest.Envelope
	if err := c.call(ctx, http.MethodPost, route(manifest.RoutePrepare, "task", task, "item", i.ID), nil, &e, answerTime); err != nil {
		return nil, err
	}
	m, err := manifest.Verify(e, manifest.Expected{Key: c.pinned, Terminal: c.terminal, Clerk: c.clerk, Task: task, Item: i.ID,
		Document: i.Document.ID, Seal: i.Seal, Now: c.clock()})
	if err == nil && m.Document != i.Document {
		err = manifest.ErrOtherDocument.New() // not the one that the list shows
	}
	return m, err
}

func (c *client) fetch(ctx context.Context, m *manifest.Manifest, w io.Writer) error {
	limited, cancel := context.WithTimeout(ctx, fileTime)
	defer cancel()
	answer, err := c.send(limited, http.MethodGet, route(manifest.RouteFile, "job", m.Job), nil)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	n, err := io.Copy(w, io.LimitReader(answer.Body, m.Prepared.Size+1))
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return ErrUnreachable.With("%s", c.base).Because(err)
	case n != m.Prepared.Size:
		return ErrDocument.At(fault.Field("size"))
	}
	return nil
}

func (c *client) complete(ctx context.Context, m *manifest.Manifest, signature, certificate []byte) error {
	var done manifest.Completed
	body := manifest.Completion{Job: m.Job, Nonce: m.Nonce, Signature: signature, Certificate: certificate}
	err := c.call(ctx, http.MethodPost, route(manifest.RouteComplete, "job", m.Job), body, &done, answerTime)
	if err == nil && done.Item != m.Item {
		err = ErrAnswer.With("%s", c.base)
	}
	return err
}

func (c *client) decline(ctx context.Context, task, item, why string) error {
	return c.call(ctx, http.MethodPost, route(manifest.RouteDecline, "task", task, "item", item), manifest.Decline{Reason: why}, nil, answerTime)
}

func (c *client) login(ctx context.Context, id string) (*manifest.Login, error) {
	var e manifest.Envelope
	if err := c.call(ctx, http.MethodPost, route(manifest.RouteLogin, "login", id), nil, &e, answerTime); err != nil {
		return nil, err
	}
	return manifest.VerifyLogin(e, manifest.Expected{Key: c.pinned, Terminal: c.terminal, Clerk: c.clerk, Task: id, Now: c.clock()})
}

func (c *client) answerLogin(ctx context.Context, l *manifest.Login, signature, certificate []byte) error {
	body := manifest.LoginAnswer{Nonce: l.Nonce, Signature: signature, Certificate: certificate}
	return c.call(ctx, http.MethodPost, route(manifest.RouteLoginAnswer, "login", l.Login), body, nil, answerTime)
}

func (c *client) declineLogin(ctx context.Context, id, why string) error {
	return c.call(ctx, http.MethodPost, route(manifest.RouteLoginDecline, "login", id), manifest.Decline{Reason: why}, nil, answerTime)
}

func (c *client) address() string { return c.base }
