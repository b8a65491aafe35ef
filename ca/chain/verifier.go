package chain

import (
	"context"
	"crypto/sha256"
	"encoding/asn1"
	"fmt"
	"sync"
	"time"

	"github.com/emmansun/gmsm/sm3"
)

// Verifier builds and judges certificate chains. Fill in the fields, then use it from any number of goroutines; the
// fields must not change after the first use. Keep one as long as its anchors are in force: it remembers which
// signatures it has checked (not what it concluded), so that a chain seen before costs no signature verification. What
// depends on time, on trust or on revocation is judged anew in every call.
type Verifier struct {
	// Anchors are trusted; nil trusts nothing.
	Anchors *Anchors
	// Current, if set, gives the anchors that are in force at this moment, in place of Anchors: for a service whose anchors
	// change while it runs. It must be quick and safe for concurrent use.
	Current func() *Anchors
	// Intermediates help to reach an anchor and are not trusted by themselves.
	Intermediates []*Certificate
	// Revocation is asked for every certificate of a trusted chain but the anchor; nil leaves the state unknown.
	Revocation RevocationSource

	once   sync.Once
	byName map[string][]*Certificate // Intermediates by folded subject name
	cache  *checks
}

// With gives a verifier that also knows the certificates and revocation sources that a document carries. It shares the
// memory of checked signatures with v.
func (v *Verifier) With(intermediates []*Certificate, more ...RevocationSource) *Verifier {
	v.prepare()
	extended := &Verifier{Anchors: v.Anchors, Current: v.Current, Revocation: v.Revocation, cache: v.cache}
	extended.Intermediates = append(append(extended.Intermediates, v.Intermediates...), intermediates...)
	if len(more) > 0 {
		extended.Revocation = Merge(append([]RevocationSource{v.Revocation}, more...)...)
	}
	return extended
}

// Trust is the anchors that are in force now.
func (v *Verifier) Trust() *Anchors {
	if v.Current != nil {
		return v.Current()
	}
	return v.Anchors
}

func (v *Verifier) prepare() {
	v.once.Do(func() {
		if v.cache == nil {
			v.cache = &checks{}
		}
		v.byName = make(map[string][]*Certificate, len(v.Intermediates))
		for _, c := range v.Intermediates {
			if c != nil {
				name := c.subjectName
				v.byName[name] = append(v.byName[name], c)
			}
		}
	})
}

// Result is what is known of a certificate at a time. No field alone makes it good: see Good.
type Result struct {
	// Path begins with the certificate asked for; each is signed by the next. The last is an anchor if Trusted.
	Path []*Certificate
	// Trusted: the path leads to an anchor and ChainErr is nil. Not trusted without ChainErr means: consistent as far as
	// it is known, but no anchor was reached.
	Trusted bool
	// ChainErr says what is wrong with the chain whatever the time: ErrSignature, ErrWeak, ErrAlgorithm, ErrKey, ErrNotCA,
	// ErrKeyUsage, ErrPathLength, ErrCritical, or the end of the context.
	ChainErr error
	// NotYetValid and Expired: the certificate or one above it, at the time asked for.
	NotYetValid, Expired bool
	// Revocation is the worst of Revocations (revoked, then unknown, then good), the certificate itself first.
	Revocation Status
	// Revocations are the states along Path; the anchor has none.
	Revocations []Status
	// Notes names leniencies and missing limits, in English.
	Notes []string
}

// Good says whether everything is known and right: trusted, valid at the time, and not revoked then.
func (r Result) Good() bool {
	return r.Trusted && r.ChainErr == nil && !r.NotYetValid && !r.Expired && r.Revocation.State == StateGood
}

// Verify builds the best chain from leaf to an anchor and judges it for a use at a time. It never fails: what could not
// be found out is in the result.
func (v *Verifier) Verify(ctx context.Context, leaf *Certificate, at time.Time, u Usage) Result {
	if leaf == nil {
		return Result{ChainErr: ErrCertificate.New(), Revocation: Status{Detail: "no certificate"}}
	}
	v.prepare()
	s := search{verifier: v, anchors: v.Trust(), ctx: ctx, at: at.UTC(), usage: u}
	s.extend([]*Certificate{leaf}, nil, nil)
	best := s.best
	v.askRevocation(ctx, &best, at)
	return best
}

// askRevocation fills in the revocation of a judged path. Sources are asked only below an anchor: a source may use what
// certificates say (addresses), and only an anchor makes that more than a stranger's word.
func (v *Verifier) askRevocation(ctx context.Context, r *Result, at time.Time) {
	if !r.Trusted {
		r.Revocation = Status{Detail: "not asked, as no trusted chain is known"}
		return
	}
	below := len(r.Path) - 1
	if below == 0 {
		r.Revocation = Status{State: StateGood, Source: "anchor"}
		return
	}
	for i := range below {
		status := Status{Detail: "no source of revocation was asked"}
		if v.Revocation != nil {
			var err error
			status, err = v.Revocation.Status(ctx, r.Path[i], r.Path[i+1], at)
			if err != nil {
				status = Status{Detail: "the source of revocation failed"}
			}
		}
		r.Revocations = append(r.Revocations, status)
		if i == 0 || severity(status) > severity(r.Revocation) {
			r.Revocation = status
		}
	}
}

// severity orders states from good to revoked; a later revocation is worth telling before a plain good.
func severity(s Status) int {
	switch {
	case s.State == StateRevoked:
		return 3
	case s.State != StateGood:
		return 2
	case s.RevokedLater:
		return 1
	}
	return 0
}

// link checks that child is signed with parent's key, or remembers that it did.
func (v *Verifier) link(child, parent *Certificate) ([]string, error) {
	key := checkKey{subject: child.Fingerprint(), key: parent.spkiFingerprint()}
	if known, ok := v.cache.get(key); ok {
		return known.notes, known.err
	}
	algorithm := Algorithm{OID: child.SignatureAlgorithm, Parameters: child.SignatureParameters}
	notes, err := algorithm.Check(parent.PublicKey, child.RawTBS, child.Signature)
	v.cache.set(key, checked{notes, err})
	return notes, err
}

// CheckSM2Digest is the function of that name with the verifier's memory: for a signature that comes back with every
// document, such as the maker's on a seal.
func (v *Verifier) CheckSM2Digest(signer *Certificate, e [32]byte, value []byte) (notes []string, err error) {
	if signer == nil {
		return nil, ErrKey.New()
	}
	v.prepare()
	key := checkKey{key: signer.spkiFingerprint()}
	// The prefix keeps these apart from the fingerprints of certificates.
	key.subject = sm3.Sum(append(append([]byte("digest and value\x00"), e[:]...), value...))
	if known, ok := v.cache.get(key); ok {
		return known.notes, known.err
	}
	public := ecdsaKey(signer.PublicKey)
	notes, err = CheckSM2Digest(public, e, value)
	v.cache.set(key, checked{notes, err})
	return notes, err
}

// CheckSignature is the function of that name with the verifier's memory, for values that come back with every document.
func (v *Verifier) CheckSignature(signer *Certificate, alg asn1.ObjectIdentifier, signed, value []byte) (notes []string, err error) {
	if signer == nil {
		return nil, ErrKey.New()
	}
	v.prepare()
	key := checkKey{key: signer.spkiFingerprint()}
	h := sha256.New() // ten times as fast as SM3, which is what the check itself needs
	fmt.Fprintf(h, "signed and value\x00%s %d ", alg, len(signed))
	h.Write(signed)
	h.Write(value)
	h.Sum(key.subject[:0])
	if known, ok := v.cache.get(key); ok {
		return known.notes, known.err
	}
	notes, err = CheckSignature(signer.PublicKey, alg, signed, value)
	v.cache.set(key, checked{notes, err})
	return notes, err
}

func pathNotes(path []*Certificate) []string {
	var n notes
	for _, c := range path {
		for _, note := range c.Notes {
			n.add(fmt.Sprintf("%s: %s", c.Subject.CommonName, note))
		}
	}
	return n
}

// Certificate reads a certificate and remembers it by all of its bytes: signatures carry the same few again and again.
func (v *Verifier) Certificate(der []byte) (*Certificate, error) {
	v.prepare()
	return v.cache.certificate(der)
}
