// Package fetch gets revocation lists and OCSP answers over HTTP for a verifier that may ask online, and time stamps for
// whoever seals with a foreign authority. Addresses stand in certificates, so they are what a stranger wrote: New gives a
// client that speaks http and https only, to public addresses only unless told otherwise, reads no more than a limit and
// waits no longer than one.
package fetch

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"

	"yinxin/internal/fault"
)

// The errors of this package.
var (
	// ErrAddress is an address that is not asked: another scheme, or inside a private network.
	ErrAddress = fault.Spec{Kind: fault.Refused, Code: "fetch.address-refused",
		ZH: "不允许访问这个地址。", EN: "This address is not asked."}
	// ErrAnswer is a server that did not answer as it should.
	ErrAnswer = fault.Spec{Kind: fault.Unavailable, Code: "fetch.no-answer",
		ZH: "未能从该地址取得数据。", EN: "Nothing could be fetched from this address."}
	// ErrTooLarge is an answer over the limit.
	ErrTooLarge = fault.Spec{Kind: fault.TooLarge, Code: "fetch.too-large",
		ZH: "该地址返回的数据过大。", EN: "The answer from this address is too large."}
)

// Options of a client. Zero values take the defaults.
type Options struct {
	// Private allows loopback, private and link-local addresses: for an installation that asks its own CA.
	Private bool
	Timeout time.Duration // for one request with its redirects; default 10 s
	Bytes   int64         // of one answer; default 20 MB
}

// Client gets bytes. It is safe for concurrent use.
type Client struct {
	http  *http.Client
	bytes int64
}

const maxRedirects = 3

// New makes a client. It uses no proxy, sends no cookies and no credentials.
func New(o Options) *Client {
	if o.Timeout <= 0 {
		o.Timeout = 10 * time.Second
	}
	if o.Bytes <= 0 {
		o.Bytes = 20 << 20
	}
	dialer := &net.Dialer{Timeout: o.Timeout}
	if !o.Private {
		// The address is looked at when the connection is made: a name may resolve to anything, and to something else
		// the next time.
		dialer.Control = func(_, address string, _ syscall.RawConn) error { return publicOnly(address) }
	}
	transport := &http.Transport{DialContext: dialer.DialContext, TLSHandshakeTimeout: o.Timeout, ResponseHeaderTimeout: o.Timeout,
		MaxResponseHeaderBytes: 64 << 10, MaxIdleConns: 4, IdleConnTimeout: 10 * time.Second}
	return &Client{bytes: o.Bytes, http: &http.Client{Transport: transport, Timeout: o.Timeout,
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if len(via) > maxRedirects {
				return ErrAnswer.Saying("重定向过多", "too many redirects")
			}
			if r.URL.Scheme != via[0].URL.Scheme || r.URL.User != nil {
				return ErrAddress.Sayingf("重定向到 %s", "redirect to %s", r.URL.Scheme)
			}
			return nil
		}}}
}

// publicOnly refuses addresses that only exist inside a machine or a network.
func publicOnly(address string) error {
	parsed, err := netip.ParseAddrPort(address)
	if err != nil {
		return ErrAddress.Because(err)
	}
	ip := parsed.Addr().Unmap()
	shared := netip.MustParsePrefix("100.64.0.0/10") // carrier-grade NAT, RFC 6598
	translated := netip.MustParsePrefix("64:ff9b::/96")
	if !ip.IsGlobalUnicast() || ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast() || shared.Contains(ip) || translated.Contains(ip) {
		return ErrAddress.With("%s", ip)
	}
	return nil
}

// Fetch gets what stands under an address, or the answer to a body of a content type that is posted there. Errors:
// ErrAddress, ErrAnswer, ErrTooLarge, and the end of ctx.
func (c *Client) Fetch(ctx context.Context, address, contentType string, body []byte) ([]byte, error) {
	return c.exchange(ctx, address, contentType, body, "", c.bytes)
}

// Post sends a body with a header and gives the status of the answer, whatever it is. No redirect is followed. Errors:
// ErrAddress, ErrAnswer, and the end of ctx.
func (c *Client) Post(ctx context.Context, address string, header http.Header, body []byte) (status int, err error) {
	request, err := requestOf(ctx, address, body)
	if err != nil {
		return 0, err
	}
	request.Header = header
	direct := *c.http
	direct.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	response, err := direct.Do(request)
	if err != nil {
		return 0, failed(ctx, err)
	}
	defer response.Body.Close()
	_, _ = io.CopyN(io.Discard, response.Body, 64<<10) // so that the connection can be used again
	return response.StatusCode, nil
}

// requestOf asks what stands under an address, or posts a body there.
func requestOf(ctx context.Context, address string, body []byte) (*http.Request, error) {
	u, err := url.Parse(address)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil {
		return nil, ErrAddress.New()
	}
	method, reader := http.MethodGet, io.Reader(nil)
	if body != nil {
		method, reader = http.MethodPost, bytes.NewReader(body)
	}
	request, err := http.NewRequestWithContext(ctx, method, address, reader)
	if err != nil {
		return nil, ErrAddress.Because(err)
	}
	return request, nil
}

// failed gives an error of the client its code.
func failed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var f *fault.Fault
	if errors.As(err, &f) {
		return f
	}
	return ErrAnswer.Because(err)
}

// exchange is Fetch with the content type that the answer must have, empty for any, and the limit of its bytes.
func (c *Client) exchange(ctx context.Context, address, contentType string, body []byte, want string, limit int64) ([]byte, error) {
	request, err := requestOf(ctx, address, body)
	if err != nil {
		return nil, err
	}
	if body != nil {
		request.Header.Set("Content-Type", contentType)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, failed(ctx, err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, ErrAnswer.With("HTTP %d", response.StatusCode)
	}
	if media, _, err := mime.ParseMediaType(response.Header.Get("Content-Type")); want != "" && (err != nil || media != want) {
		return nil, ErrAnswer.With("not %s", want)
	}
	data, err := io.ReadAll(io.LimitReader(response.Body, limit+1))
	if err != nil {
		return nil, ErrAnswer.Because(err)
	}
	if int64(len(data)) > limit {
		return nil, ErrTooLarge.With("%d", limit)
	}
	return data, nil
}
