package api

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"github.com/go-chi/httprate"

	"yinxin/internal/access"
	"yinxin/sealer/register"
)

// Limits are how many requests one address of a caller may make in a minute of what needs no account, and how many one key
// and one seal may have. IPv6 addresses count by their /64. 0 is the default, less than 0 no limit.
type Limits struct {
	// OCSP is 6000 by default: a platform behind one address may verify much, and answers are kept.
	OCSP int `json:"ocsp,omitempty"`
	// TimeStamps is 600 by default: each one is signed.
	TimeStamps int `json:"time_stamps,omitempty"`
	// Lists is 300 by default: the complete list may be large.
	Lists int `json:"lists,omitempty"`
	// Codes is 30 by default: who looks an issued copy up types its code, or scans it.
	Codes int `json:"codes,omitempty"`
	// Pairings is 30 by default: a person types a code, and a wrong one ends soon.
	Pairings int `json:"pairings,omitempty"`
	// Comparisons is 20 by default: pages are drawn for each.
	Comparisons int `json:"comparisons,omitempty"`
	// Verifications is 120 by default: files and certificates to verify, on the page and over the API, and versions as sealed. An
	// address has at most half of the places at the same time, whatever this is.
	Verifications int `json:"verifications,omitempty"`
	// Keys is for all calls of the API with one API key, or of one person who signed in. No limit by default: what a machine
	// can do is not known here, and grants have quotas.
	Keys int `json:"keys,omitempty"`
	// Seals is for the orders to seal with one seal, whoever gives them, over the API and on pages: sealings, sealed documents,
	// issued copies, batches and tasks for USB Keys (one each, and one each time that what failed of them is taken up again). Only
	// those count who may use the seal, so that nobody can use up what is others'; trials with sandbox keys are counted by
	// themselves. No limit by default.
	Seals int `json:"seals,omitempty"`
	// Proxies are the addresses of reverse proxies ("10.0.0.0/8"), whose X-Forwarded-For says who the caller is: the last in it
	// that is no proxy. Nobody else's is believed. It counts for all that an address is kept for.
	Proxies []string `json:"proxies,omitempty"`
	// ProxyHeader is what the proxies write: X-Forwarded-For, which is the default, or Forwarded (RFC 7239). The other one, which
	// they would let through from anybody, is not read.
	ProxyHeader string `json:"proxy_header,omitempty"`
}

const limitWindow = time.Minute

// limits counts the requests of every caller.
type limits struct {
	ocsp, stamps, list, codes, pair, comparisons, verifications *httprate.RateLimiter

	keys, seals *httprate.RateLimiter // nil: no limit
}

func (s *server) newLimits(c Limits) {
	limiter := func(n int, over http.HandlerFunc) *httprate.RateLimiter {
		if n < 0 {
			return nil
		}
		return httprate.NewRateLimiter(n, limitWindow, httprate.WithLimitHandler(over),
			httprate.WithResponseHeaders(httprate.ResponseHeaders{RetryAfter: "Retry-After"}))
	}
	s.limits.ocsp = limiter(cmp.Or(c.OCSP, 6000), s.tooMany)
	s.limits.stamps = limiter(cmp.Or(c.TimeStamps, 600), s.tooMany)
	s.limits.list = limiter(cmp.Or(c.Lists, 300), s.tooMany)
	s.limits.codes = limiter(cmp.Or(c.Codes, 30), s.tooMany)
	s.limits.pair = limiter(cmp.Or(c.Pairings, 30), s.tooMany)
	s.limits.comparisons = limiter(cmp.Or(c.Comparisons, 20), s.tooMany)
	s.limits.verifications = limiter(cmp.Or(c.Verifications, 120), s.tooMany)
	s.limits.keys = limiter(cmp.Or(c.Keys, -1), func(w http.ResponseWriter, r *http.Request) { s.fail(w, r, errKeyRate.New()) })
	s.limits.seals = limiter(cmp.Or(c.Seals, -1), nil)
}

// limit answers 429 to callers who ask too often, before anything is read.
func (s *server) limit(by *httprate.RateLimiter, h http.HandlerFunc) http.HandlerFunc {
	if by == nil {
		return h
	}
	return func(w http.ResponseWriter, r *http.Request) {
		if !by.RespondOnLimit(w, r, callerOf(r)) {
			h(w, r)
		}
	}
}

// stranger is limit for work on files, of which one address may also have only so much at the same time: see places.
func (s *server) stranger(by *httprate.RateLimiter, h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		address := callerOf(r)
		if by == nil || !by.RespondOnLimit(w, r, address) {
			h(w, r.WithContext(context.WithValue(r.Context(), addressKey{}, address)))
		}
	}
}

type addressKey struct{}

// addressOf is the address of somebody who needs no account for what they ask; empty for others.
func addressOf(ctx context.Context) string {
	address, _ := ctx.Value(addressKey{}).(string)
	return address
}

// callerOf is the address that limits count by.
func callerOf(r *http.Request) string { return httprate.CanonicalizeIP(addressAt(r)) }

func (s *server) tooMany(w http.ResponseWriter, r *http.Request) {
	if say, ok := r.Context().Value(refusalKey{}).(refusal); ok {
		say(w, r, errTooMany.New())
		return
	}
	s.fail(w, r, errTooMany.New())
}

// refusal is how a page says no; a request carries it until it was let through.
type refusal func(w http.ResponseWriter, r *http.Request, err error)

type refusalKey struct{}

// saying has a page say no in place of a problem document.
func saying(no refusal, h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		h(w, r.WithContext(context.WithValue(r.Context(), refusalKey{}, no)))
	}
}

// tooManyOf answers 429 when a key, or a person who signed in, asks too often.
func (s *server) tooManyOf(w http.ResponseWriter, r *http.Request, a access.Actor) bool {
	if s.limits.keys == nil {
		return false
	}
	who := "key " + a.Key
	if a.Key == "" {
		who = "person " + a.ID
	}
	return s.limits.keys.RespondOnLimit(w, r, who)
}

// authorises says whether somebody may use a seal, as register.Authorise does.
type authorises func(context.Context, access.Actor, string) (register.Instance, error)

// countSeals says that a seal is used too often: request.seal-rate. An order of somebody who may not use the seal is not
// counted; what is the matter with it is for the domain to say.
func (s *server) countSeals(ctx context.Context, may authorises, codes ...string) error {
	return s.countSealsBy(ctx, actorOf(ctx), may, codes...)
}

// countSeal is countSeals for what pages seal with a central seal, or with one on a USB Key of the person.
func (s *server) countSeal(ctx context.Context, by access.Actor, code string) error {
	return s.countSealsBy(ctx, by, s.Register.AuthoriseSigner, code)
}

func (s *server) countSealsBy(ctx context.Context, by access.Actor, may authorises, codes ...string) error {
	if s.limits.seals == nil {
		return nil
	}
	for _, code := range codes {
		if _, err := may(ctx, by, code); err != nil {
			continue
		}
		counted := code
		if by.Sandbox {
			counted = "trial " + code
		}
		if s.limits.seals.OnLimit(unanswered{}, (&http.Request{}).WithContext(ctx), counted) {
			return errSealRate.With("%s", code).RetryIn(limitWindow)
		}
	}
	return nil
}

// unanswered is where the limiter of seals writes its header fields: who was too often becomes a problem like others.
type unanswered struct{}

func (unanswered) Header() http.Header         { return http.Header{} }
func (unanswered) Write(b []byte) (int, error) { return len(b), nil }
func (unanswered) WriteHeader(int)             {}
