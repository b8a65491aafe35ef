package ocsp

import (
	"bytes"
	"context"
	"crypto/sha1" // names the responder's key (RFC 6960 4.2.1), proves nothing
	"sync"
	"time"

	"yinxin/ca/chain"
	"yinxin/internal/fault"
)

// clockSkew is how far a responder's clock may be ahead, and how long an answer without nextUpdate is current.
const clockSkew = 5 * time.Minute

// Responder says who signed a response.
type Responder struct {
	// Certificate is the issuer's own, or that of the delegated responder.
	Certificate *chain.Certificate
	// Delegated: not the issuer itself.
	Delegated bool
	// NoCheck: the responder's certificate says that its own revocation need not be checked.
	NoCheck bool
	// Notes names leniencies, in English.
	Notes []string
}

// Verify says whether the response may be believed for certificates of an issuer at a time, which is when it is relied
// on, usually now: signed by the issuer itself, or by a responder that the issuer certified directly for OCSPSigning,
// valid both then and when the response was produced; not from the future. A delegated responder must carry ocsp-nocheck
// (4.2.2.2.1): to accept others, use Responder and check their revocation. That a Single answers for the right
// certificate and is still current is told by StatusOf. Errors: ErrUnsuccessful, ErrResponder, ErrResponderUnchecked,
// ErrTime, and those of chain.CheckSignature.
func (r *Response) Verify(issuer *chain.Certificate, at time.Time) error {
	responder, err := r.Responder(issuer, at)
	if err != nil {
		return err
	}
	if responder.Delegated && !responder.NoCheck {
		return ErrResponderUnchecked.New()
	}
	return nil
}

// Responder verifies the response as Verify does, but for the revocation of a delegated responder, which is left to the
// caller unless NoCheck is set.
func (r *Response) Responder(issuer *chain.Certificate, at time.Time) (Responder, error) {
	if r.Status != Successful {
		return Responder{}, ErrUnsuccessful.With("%d", r.Status)
	}
	if issuer == nil {
		return Responder{}, ErrResponder.New()
	}
	if r.ProducedAt.After(at.Add(clockSkew)) {
		return Responder{}, ErrTime.With("producedAt")
	}
	for _, single := range r.Singles {
		if single.ThisUpdate.After(at.Add(clockSkew)) {
			return Responder{}, ErrTime.With("thisUpdate")
		}
	}
	if r.namedBy(issuer) {
		notes, err := r.algorithm.Check(issuer.PublicKey, r.rawTBS, r.signature)
		if err == nil {
			return Responder{Certificate: issuer, Notes: notes}, nil
		}
		// A delegated responder may bear the issuer's name; only its own certificate can tell.
		if len(r.Certificates) == 0 {
			return Responder{}, err
		}
	}
	failure := error(ErrResponder.New())
	for _, candidate := range r.Certificates {
		if !r.namedBy(candidate) || candidate.Fingerprint() == issuer.Fingerprint() {
			continue
		}
		responder, err := r.delegated(candidate, issuer, at)
		if err == nil {
			return responder, nil
		}
		failure = err
	}
	return Responder{}, failure
}

// namedBy says whether the response says that it was signed by this certificate.
func (r *Response) namedBy(c *chain.Certificate) bool {
	if r.responderName != nil {
		return bytes.Equal(r.responderName, c.RawSubject)
	}
	sum := sha1.Sum(c.KeyBits())
	return bytes.Equal(r.responderKey, sum[:])
}

// delegated checks a responder that is not the issuer: certified for OCSPSigning directly by the issuer. The issuer is
// the only anchor and there are no intermediates, so no other path can be found.
func (r *Response) delegated(candidate, issuer *chain.Certificate, at time.Time) (Responder, error) {
	verifier := &chain.Verifier{Anchors: chain.NewAnchors(issuer)}
	for _, moment := range []time.Time{r.ProducedAt, at} {
		result := verifier.Verify(context.Background(), candidate, moment, chain.UsageOCSP)
		switch {
		case !result.Trusted:
			return Responder{}, ErrResponder.Because(result.ChainErr)
		case !candidate.ValidAt(moment):
			return Responder{}, ErrTime.With("notBefore, notAfter")
		}
	}
	notes, err := r.algorithm.Check(candidate.PublicKey, r.rawTBS, r.signature)
	if err != nil {
		return Responder{}, err
	}
	return Responder{Certificate: candidate, Delegated: true, NoCheck: candidate.OCSPNoCheck, Notes: notes}, nil
}

// Find gives the answer for a certificate of an issuer.
func (r *Response) Find(cert, issuer *chain.Certificate) (Single, bool) {
	for _, single := range r.Singles {
		if single.CertID.names(cert, issuer) {
			return single, true
		}
	}
	return Single{}, false
}

// StatusOf is what the response says of a certificate of an issuer at a time; the response itself must have been
// verified. An answer that was not current any more at that time proves a revocation, but not the lack of one.
func (r *Response) StatusOf(cert, issuer *chain.Certificate, at time.Time) chain.Status {
	single, ok := r.Find(cert, issuer)
	if !ok {
		return chain.Status{Source: source, Detail: "the response does not speak of the certificate"}
	}
	if single.Status == Unknown {
		return chain.Status{Source: source, Detail: "the responder does not know the certificate"}
	}
	j := chain.Judgement{ThisUpdate: single.ThisUpdate, NextUpdate: single.NextUpdate, NotAfter: cert.NotAfter,
		KeepsExpiredFrom: single.ArchiveCutoff, Source: source}
	if j.NextUpdate.IsZero() {
		j.NextUpdate = r.ProducedAt.Add(clockSkew)
	}
	if single.Status == Revoked {
		j.Revoked = &chain.Revocation{Time: single.RevokedAt, Reason: single.Reason}
	}
	return j.At(at)
}

const source = "OCSP"

// NewSource answers from responses that were kept, for instance in a document. Each is verified once for each issuer, as
// of the time it was produced. Safe for concurrent use.
func NewSource(responses ...*Response) chain.RevocationSource {
	return &kept{responses: responses, verified: map[keptKey]error{}}
}

type kept struct {
	responses []*Response
	mutex     sync.Mutex
	verified  map[keptKey]error
}

type keptKey struct {
	response *Response
	issuer   [32]byte
}

// maxVerified bounds the memory of verified.
const maxVerified = 1024

// Status implements chain.RevocationSource.
func (k *kept) Status(ctx context.Context, cert, issuer *chain.Certificate, at time.Time) (chain.Status, error) {
	if err := ctx.Err(); err != nil {
		return chain.Status{}, err
	}
	unknown := chain.Status{Source: source, Detail: "no response speaks of the certificate"}
	if cert == nil || issuer == nil {
		return unknown, nil
	}
	var answers []chain.Status
	for _, response := range k.responses {
		if response == nil {
			continue
		}
		if _, ok := response.Find(cert, issuer); !ok {
			continue
		}
		if err := k.verify(response, issuer); err != nil {
			unknown.Detail = "a response was not accepted: " + fault.CodeOf(err)
			continue
		}
		answers = append(answers, response.StatusOf(cert, issuer, at))
	}
	if len(answers) == 0 {
		return unknown, nil
	}
	return chain.Combine(at, answers...), nil
}

func (k *kept) verify(response *Response, issuer *chain.Certificate) error {
	key := keptKey{response, issuer.Fingerprint()}
	k.mutex.Lock()
	err, known := k.verified[key]
	k.mutex.Unlock()
	if known {
		return err
	}
	err = response.Verify(issuer, response.ProducedAt)
	k.mutex.Lock()
	defer k.mutex.Unlock()
	if len(k.verified) >= maxVerified {
		clear(k.verified)
	}
	k.verified[key] = err
	return err
}
