package agent

import (
	"context"
	"crypto/rand"
	"net/http"
	"time"

	"yinxin/internal/fault"
	"yinxin/sealer/terminal/manifest"
)

// Pairing asks for this terminal to be paired with a server.
type Pairing struct {
	URL  string
	Code string // as the clerk reads it on the server's page
	Name string // what people call this terminal
	CA   string // file of CA certificates (PEM) that the server's TLS certificate is judged by; empty: the system's
}

// Pair pairs this terminal: the server's key is pinned, the terminal's own is made, and both are for each other for sure, since
// both sides know the code. A clock that is off is told, and the pairing kept. Errors: agent.paired-already, agent.insecure,
// terminal.code, terminal.pairing-refused, agent.unreachable.
func (f Folder) Pair(ctx context.Context, p Pairing, clock func() time.Time) (Server, error) {
	base, err := serverURL(p.URL)
	if err != nil {
		return Server{}, err
	}
	c, err := f.Config()
	if err != nil {
		return Server{}, err
	}
	if _, err := c.Server(base); err == nil {
		return Server{}, ErrPairedAlready.With("%s", base)
	}
	if len(c.Servers) >= maxServers {
		return Server{}, ErrConfig.With("%d", maxServers)
	}
	code, err := manifest.ParseCode(p.Code)
	if err != nil {
		return Server{}, err
	}
	key, err := newKey()
	if err != nil {
		return Server{}, err
	}
	request, err := code.Request(p.Name, &key.PublicKey, rand.Reader)
	if err != nil {
		return Server{}, err
	}
	h, err := transport(p.CA)
	if err != nil {
		return Server{}, err
	}
	asked := &client{base: base, http: h, clock: clock}
	var answer manifest.PairingAnswer
	if err := asked.call(ctx, http.MethodPost, manifest.RoutePair, request, &answer, answerTime); err != nil {
		return Server{}, err
	}
	pinned, err := code.CheckAnswer(request, answer)
	if err != nil {
		return Server{}, err
	}
	s := Server{URL: base, Terminal: answer.Terminal, Name: p.Name, Clerk: answer.Clerk.ID, ClerkName: answer.Clerk.Name, Key: manifest.Point(pinned),
		CA: p.CA, Paired: clock().UTC().Truncate(time.Second)}
	if err := f.saveKey(ctx, s.Terminal, key); err != nil {
		return s, err
	}
	if err := f.change(ctx, func(c *Config) { c.Servers = append(c.Servers, s) }); err != nil {
		return s, err
	}
	if d := clock().Sub(answer.Time); d > manifest.Tolerance || d < -manifest.Tolerance {
		return s, manifest.ErrClock.With("%s", answer.Time.Format(time.RFC3339))
	}
	return s, nil
}

// Unpair ends a pairing: the server is told, unless it cannot be reached and onlyHere is set.
func (f Folder) Unpair(ctx context.Context, url string, onlyHere bool, clock func() time.Time) (Server, error) {
	c, err := f.Config()
	if err != nil {
		return Server{}, err
	}
	s, err := c.Server(url)
	if err != nil {
		return s, err
	}
	if !onlyHere {
		link, err := f.client(s, clock)
		if err == nil {
			err = link.call(ctx, http.MethodDelete, manifest.RouteSelf, nil, nil, answerTime)
		}
		// Who is not known there any more is not paired there.
		if err != nil && !fault.Has(err, manifest.ErrAuthorisation) && !fault.Has(err, ErrNotPaired) {
			return s, err
		}
	}
	return f.Forget(ctx, s.URL)
}

// Standing asks a server whether it still knows this terminal, and for whom.
func (f Folder) Standing(ctx context.Context, s Server, clock func() time.Time) (manifest.Self, error) {
	var self manifest.Self
	link, err := f.client(s, clock)
	if err == nil {
		err = link.call(ctx, http.MethodGet, manifest.RouteSelf, nil, &self, answerTime)
	}
	return self, err
}
