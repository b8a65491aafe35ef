package verify

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/emmansun/gmsm/sm3"

	"yinxin/ca/chain"
	"yinxin/ca/ocsp"
	"yinxin/internal/oid"
)

// Fetch gets what stands under an http or https address, or the answer to a body of a content type that is posted there.
// Implementations bound time and size, and refuse addresses that a stranger must not have asked: internal/fetch.
type Fetch func(ctx context.Context, address, contentType string, body []byte) ([]byte, error)

// Online asks the OCSP responders and fetches the revocation lists that certificates name. It is a source of
// revocation for chain.Verifier, which asks it for certificates below an anchor only: a stranger's certificate makes it
// ask nobody. What was fetched is kept, so make one for each run. Safe for concurrent use.
type Online struct {
	fetch Fetch
	now   time.Time

	mutex  sync.Mutex
	kept   map[string]*fetched
	asked  int
	volume int
}

var _ chain.RevocationSource = (*Online)(nil)

// fetched is what an address gave, parsed; both nil when it gave nothing.
type fetched struct {
	once     sync.Once
	list     chain.RevocationSource
	delta    *chain.CRL // one that fits the list, nil without
	misfit   string     // why a delta list that was fetched does not fit
	response *ocsp.Response
}

const (
	// maxAddresses is how many addresses of one certificate are asked, for each of the two ways.
	maxAddresses = 2
	// maxAsked and maxVolume bound a run: questions, and bytes of what is kept.
	maxAsked  = 500
	maxVolume = 128 << 20
)

// NewOnline makes a source. now is when answers are relied on.
func NewOnline(fetch Fetch, now time.Time) *Online {
	return &Online{fetch: fetch, now: now, kept: map[string]*fetched{}}
}

// Status implements chain.RevocationSource: OCSP first, revocation lists when that gives no answer.
func (o *Online) Status(ctx context.Context, cert, issuer *chain.Certificate, at time.Time) (chain.Status, error) {
	unknown := chain.Status{Source: "online", Detail: "the certificate names no address to ask"}
	if cert == nil || issuer == nil {
		return unknown, nil
	}
	var answers []chain.Status
	for _, address := range addresses(cert.OCSPURLs) {
		unknown.Detail = "the addresses in the certificate gave no answer that counts"
		if status, ok := o.askResponder(ctx, address, cert, issuer, at); ok {
			answers = append(answers, status)
			break
		}
	}
	if len(answers) > 0 && answers[0].State != chain.StateUnknown {
		return answers[0], nil
	}
	for _, address := range addresses(cert.CRLURLs) {
		unknown.Detail = "the addresses in the certificate gave no answer that counts"
		e := o.list(ctx, address)
		if e == nil || e.list == nil {
			continue
		}
		status, err := e.list.Status(ctx, cert, issuer, at)
		if err != nil {
			return status, err
		}
		if misfit := e.wrongDelta(issuer); misfit != "" && status.State == chain.StateGood {
			// Somebody holds back what the issuer says since the list: that it is silent on the certificate proves nothing.
			status = chain.Status{Source: "CRL", Detail: misfit}
		}
		answers = append(answers, status)
		if status.State != chain.StateUnknown {
			break
		}
	}
	if err := ctx.Err(); err != nil {
		return chain.Status{}, err
	}
	if len(answers) == 0 {
		return unknown, nil
	}
	return chain.Combine(at, answers...), nil
}

// addresses are the first that can be asked.
func addresses(named []string) []string {
	var found []string
	for _, a := range named {
		lower := strings.ToLower(a)
		if len(found) < maxAddresses && (strings.HasPrefix(lower, "http://") || strings.HasPrefix(lower, "https://")) {
			found = append(found, a)
		}
	}
	return found
}

// entry finds or makes the place where an answer is kept; nil when too much was asked already.
func (o *Online) entry(key string) *fetched {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	if e := o.kept[key]; e != nil {
		return e
	}
	if o.asked >= maxAsked || o.volume > maxVolume {
		return nil
	}
	o.asked++
	e := &fetched{}
	o.kept[key] = e
	return e
}

func (o *Online) get(ctx context.Context, address, contentType string, body []byte) []byte {
	data, err := o.fetch(ctx, address, contentType, body)
	if err != nil {
		return nil
	}
	o.mutex.Lock()
	defer o.mutex.Unlock()
	o.volume += len(data)
	return data
}

// list fetches a complete list, and the delta list to it from the first of the addresses in it (freshestCRL, RFC 5280
// 5.2.6) that gives anything. A delta list that nobody gives is done without: the complete list has its own term.
func (o *Online) list(ctx context.Context, address string) *fetched {
	e := o.entry("crl " + address)
	if e == nil {
		return nil
	}
	e.once.Do(func() {
		list, err := chain.ParseCRL(o.get(ctx, address, "", nil))
		if err != nil {
			return
		}
		for _, from := range addresses(list.DeltaURLs) {
			if e.delta, e.misfit = o.deltaTo(ctx, list, from); e.delta != nil || e.misfit != "" {
				break
			}
		}
		e.list = chain.NewCRLSource(list, e.delta)
	})
	return e
}

// deltaTo fetches a delta list; neither when the address gives nothing.
func (o *Online) deltaTo(ctx context.Context, list *chain.CRL, address string) (delta *chain.CRL, misfit string) {
	if o.entry("delta "+address) == nil { // counts as asked
		return nil, ""
	}
	data := o.get(ctx, address, "", nil)
	if len(data) == 0 {
		return nil, ""
	}
	delta, err := chain.ParseCRL(data)
	if err != nil {
		return nil, "the delta list that the revocation list names cannot be read"
	}
	if why := delta.Misfit(list); why != "" {
		return nil, "the delta list that the revocation list names does not fit it: " + why
	}
	return delta, ""
}

// wrongDelta says what is wrong with the delta list, or "".
func (e *fetched) wrongDelta(issuer *chain.Certificate) string {
	if e.misfit == "" && e.delta != nil && e.delta.CheckIssuer(issuer) != nil {
		return "the delta list that the revocation list names was not signed by the issuer"
	}
	return e.misfit
}

// askResponder asks one responder. The certificate is named with SHA-1, which every responder understands and which
// proves nothing here, and for SM2 issuers with SM3 when that gave no answer.
func (o *Online) askResponder(ctx context.Context, address string, cert, issuer *chain.Certificate, at time.Time) (chain.Status, bool) {
	for _, hash := range []struct {
		name string
		fits bool
	}{{"sha1", true}, {"sm3", issuer.SignatureAlgorithm.Equal(oid.SM2WithSM3)}} {
		if !hash.fits {
			continue
		}
		fingerprint := sm3.Sum(append(append([]byte(hash.name), cert.Raw...), issuer.Raw...))
		e := o.entry("ocsp " + address + " " + string(fingerprint[:]))
		if e == nil {
			return chain.Status{}, false
		}
		e.once.Do(func() { e.response = o.ask(ctx, address, hash.name, cert, issuer) })
		if e.response != nil {
			return e.response.StatusOf(cert, issuer, at), true
		}
	}
	return chain.Status{}, false
}

// ask gives a response that may be believed for the issuer, else nil.
func (o *Online) ask(ctx context.Context, address, hash string, cert, issuer *chain.Certificate) *ocsp.Response {
	algorithm := oid.SHA1
	if hash == "sm3" {
		algorithm = oid.SM3
	}
	id, err := ocsp.NewCertID(algorithm, issuer, cert.Serial)
	if err != nil {
		return nil
	}
	request, err := ocsp.CreateRequest([]ocsp.CertID{id}, nil)
	if err != nil {
		return nil
	}
	response, err := ocsp.ParseResponse(o.get(ctx, address, "application/ocsp-request", request))
	if err != nil || response.Verify(issuer, o.now) != nil {
		return nil
	}
	if _, ok := response.Find(cert, issuer); !ok {
		return nil
	}
	return response
}
