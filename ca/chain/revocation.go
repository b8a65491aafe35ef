package chain

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// State is what is known of a certificate at a time.
type State int

const (
	// StateUnknown: nobody who was asked could say.
	StateUnknown State = iota
	// StateGood: not revoked at that time.
	StateGood
	// StateRevoked: revoked or on hold at that time.
	StateRevoked
)

// String is the state in English lower case, as reports use it.
func (s State) String() string {
	switch s {
	case StateGood:
		return "good"
	case StateRevoked:
		return "revoked"
	}
	return "unknown"
}

// Status is the revocation state of one certificate at the time that was asked for.
type Status struct {
	State State
	// At is when it was revoked: not after the time asked for when State is StateRevoked, after it when RevokedLater is
	// set, else zero.
	At time.Time
	// Reason is the CRLReason of that revocation.
	Reason int
	// RevokedLater: good at the time asked for, and revoked since.
	RevokedLater bool
	// InvalidityDate is since when the key may have been in other hands, as the issuer says it; zero if it does not.
	InvalidityDate time.Time
	// ThisUpdate and NextUpdate bound the knowledge; zero when nobody knew.
	ThisUpdate, NextUpdate time.Time
	// Source names who said so ("CRL", "OCSP"), Detail why the state is not known, in English.
	Source, Detail string
}

// RevocationSource says whether a certificate was revoked at a time. Not to know is StateUnknown with a detail; an error
// is a failure of the source itself. Implementations are safe for concurrent use.
type RevocationSource interface {
	Status(ctx context.Context, cert, issuer *Certificate, at time.Time) (Status, error)
}

// Merge asks all sources and combines the answers: a revocation that cannot be lifted counts whoever knows it, a hold
// counts unless a later statement made before the time asked for says good. A source that fails is one that does not
// know, unless ctx has ended.
func Merge(sources ...RevocationSource) RevocationSource {
	return merged(slices.DeleteFunc(slices.Clone(sources), func(s RevocationSource) bool { return s == nil }))
}

type merged []RevocationSource

func (m merged) Status(ctx context.Context, cert, issuer *Certificate, at time.Time) (Status, error) {
	answers := make([]Status, 0, len(m))
	for _, source := range m {
		answer, err := source.Status(ctx, cert, issuer, at)
		if ctx.Err() != nil {
			return Status{}, ctx.Err()
		}
		if err != nil {
			answer = Status{Detail: "the source failed"}
		}
		answers = append(answers, answer)
	}
	return Combine(at, answers...), nil
}

// Combine makes one status of several answers about the same certificate and time, by the rule of Merge.
func Combine(at time.Time, answers ...Status) Status {
	at = at.Truncate(time.Second)
	var unknown, good, later, hold *Status
	for i := range answers {
		a := &answers[i]
		switch {
		case a.State == StateRevoked && a.Reason != ReasonCertificateHold:
			return *a
		case a.State == StateRevoked:
			hold = newer(hold, a)
		case a.State == StateGood && a.RevokedLater && a.Reason != ReasonCertificateHold:
			later = newer(later, a)
		case a.State == StateGood:
			good = closest(good, a, at)
		case unknown == nil || unknown.Detail == "":
			unknown = a
		}
	}
	if hold != nil {
		// A hold that was still there at the time asked for or after it was in force then. An older statement of it may
		// have been lifted meanwhile: a good answer between the two says so.
		lifted := good != nil && good.ThisUpdate.After(hold.ThisUpdate) && !good.ThisUpdate.After(at)
		if !lifted {
			return *hold
		}
	}
	switch {
	case later != nil:
		return *later
	case good != nil:
		return *good
	case unknown != nil:
		return *unknown
	}
	return Status{Detail: "no source of revocation was asked"}
}

func newer(a, b *Status) *Status {
	if a == nil || b.ThisUpdate.After(a.ThisUpdate) {
		return b
	}
	return a
}

// closest prefers the newest statement made before the time asked for, else the earliest made after it.
func closest(a, b *Status, at time.Time) *Status {
	if a == nil {
		return b
	}
	aBefore, bBefore := !a.ThisUpdate.After(at), !b.ThisUpdate.After(at)
	switch {
	case aBefore && bBefore:
		return newer(a, b)
	case aBefore != bBefore:
		if aBefore {
			return a
		}
		return b
	case b.ThisUpdate.Before(a.ThisUpdate):
		return b
	}
	return a
}

// Judgement turns what an issuer said at a moment (a list, an OCSP answer) into the status at the time asked for. The
// statement is taken as authentic. Revoked is nil when the statement says not revoked.
type Judgement struct {
	Revoked                *Revocation
	ThisUpdate, NextUpdate time.Time
	// NotAfter is the end of the certificate's validity: issuers may forget certificates that have expired.
	NotAfter time.Time
	// KeepsExpiredFrom is since when this issuer does not forget expired certificates; zero if it may.
	KeepsExpiredFrom time.Time
	Source           string
}

// At is the status at a time.
func (j Judgement) At(at time.Time) Status {
	at = at.Truncate(time.Second)
	s := Status{ThisUpdate: j.ThisUpdate, NextUpdate: j.NextUpdate, Source: j.Source}
	stale := at.After(j.NextUpdate) && at.After(j.ThisUpdate)
	if r := j.Revoked; r != nil && r.Reason != ReasonRemoveFromCRL {
		s.At, s.Reason = r.Time, r.Reason
		if r.InvalidityDate != nil {
			s.InvalidityDate = *r.InvalidityDate
		}
		switch {
		case at.Before(r.Time):
			s.State, s.RevokedLater = StateGood, true
		case stale && r.Reason == ReasonCertificateHold:
			return Status{Source: j.Source, Detail: fmt.Sprintf("on hold by a statement that ended at %s", j.ends())}
		default:
			s.State = StateRevoked
		}
		return s
	}
	switch {
	case stale:
		s.Detail = fmt.Sprintf("the statement ended at %s", j.ends())
	case j.ThisUpdate.After(j.NotAfter) && (j.KeepsExpiredFrom.IsZero() || j.NotAfter.Before(j.KeepsExpiredFrom)):
		s.Detail = "the statement was made after the certificate had expired"
	default:
		s.State = StateGood
	}
	return s
}

func (j Judgement) ends() string {
	end := j.NextUpdate
	if end.IsZero() {
		end = j.ThisUpdate
	}
	return end.UTC().Format(time.RFC3339)
}
