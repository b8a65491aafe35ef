package chain

import (
	"bytes"
	"context"
	"crypto/x509"
	"slices"
	"time"

	"yinxin/internal/fault"
)

// Limits on the search, so that certificates made to confuse it cost no more than an honest chain many times over.
const (
	maxPath  = 10
	maxLinks = 100
)

// search looks depth first for the best path. Anchors and what belongs to them are tried before what a document brings.
type search struct {
	verifier *Verifier
	anchors  *Anchors
	ctx      context.Context
	at       time.Time
	usage    Usage

	links int
	found bool
	rank  int
	best  Result
}

// extend follows the issuers of the last certificate of path. The notes are those of the links so far, weak is the first
// weak link among them.
func (s *search) extend(path []*Certificate, linkNotes []string, weak error) {
	last := path[len(path)-1]
	switch {
	case s.anchors.trusts(last, path[0], s.usage):
		s.propose(path, true, weak, linkNotes)
		return
	case s.anchors.Contains(last):
		linkNotes = append(slices.Clip(linkNotes), "the anchor "+last.Subject.CommonName+" is not trusted for this use")
	}
	if err := s.ctx.Err(); err != nil {
		s.propose(path, false, err, linkNotes)
		return
	}
	if len(path) == maxPath {
		s.propose(path, false, ErrPathLength.With("%d", maxPath), linkNotes)
		return
	}
	continued := false
	var failure error
	for _, candidate := range s.candidates(path) {
		contradicted := contradicts(last, candidate)
		notes, err := s.link(last, candidate)
		switch {
		case err == nil:
		case fault.Has(err, ErrWeak):
			// The octets match: the chain goes on, so that the report can show it, but it proves nothing.
		default:
			// A namesake with another key is not the issuer; one that claims to be it and is not is a forgery.
			if failure == nil && !contradicted {
				failure = err
			}
			continue
		}
		continued = true
		longer := append(slices.Clone(path), candidate)
		joined := slices.Concat(linkNotes, notes)
		if contradicted {
			joined = append(joined, "the authority key identifier names another key")
		}
		if weak != nil {
			err = weak
		}
		s.extend(longer, joined, err)
		if s.perfect() {
			return
		}
	}
	if continued {
		return
	}
	if failure == nil && selfIssued(last) && !contradicts(last, last) {
		var notes []string
		notes, failure = s.link(last, last)
		linkNotes = slices.Concat(linkNotes, notes)
	}
	if failure == nil {
		failure = weak
	}
	s.propose(path, false, failure, linkNotes)
}

// candidates are the certificates that bear the issuer's name, those whose key identifier fits first.
func (s *search) candidates(path []*Certificate) []*Certificate {
	last := path[len(path)-1]
	name := last.issuerName
	var fitting, others []*Certificate
	for _, group := range [][]*Certificate{s.anchors.named(name), s.verifier.byName[name]} {
		for _, candidate := range group {
			same := func(c *Certificate) bool { return c == candidate || c.Fingerprint() == candidate.Fingerprint() }
			if slices.ContainsFunc(path, same) || slices.ContainsFunc(fitting, same) || slices.ContainsFunc(others, same) {
				continue
			}
			if len(fitting)+len(others) >= maxLinks {
				break
			}
			if contradicts(last, candidate) {
				others = append(others, candidate)
			} else {
				fitting = append(fitting, candidate)
			}
		}
	}
	return append(fitting, others...)
}

// link counts the work: past the limit nothing is checked any more.
func (s *search) link(child, parent *Certificate) ([]string, error) {
	s.links++
	if s.links > maxLinks {
		return nil, ErrPathLength.With("%d", maxLinks)
	}
	return s.verifier.link(child, parent)
}

// contradicts says whether the key identifiers say that parent did not sign child. They are hints (RFC 5280 4.2.1.1).
func contradicts(child, parent *Certificate) bool {
	return len(child.AuthorityKeyID) > 0 && len(parent.SubjectKeyID) > 0 &&
		!bytes.Equal(child.AuthorityKeyID, parent.SubjectKeyID)
}

func selfIssued(c *Certificate) bool {
	return c.issuerName == c.subjectName
}

// perfect says whether no other path can be better.
func (s *search) perfect() bool { return s.rank == 4 }

// propose judges a path and keeps it if it is better than the ones before. A path to an anchor that is wrong counts for
// more than a right one that leads nowhere: else a stranger could hide what is wrong by adding certificates.
func (s *search) propose(path []*Certificate, anchored bool, linkErr error, linkNotes []string) {
	r := Result{Path: path, ChainErr: linkErr}
	n := notes(pathNotes(path))
	for _, note := range linkNotes {
		n.add(note)
	}
	if r.ChainErr == nil {
		r.ChainErr = s.judge(path, anchored, &n)
	}
	usageNotes(path[0], s.usage, &n)
	r.Trusted = anchored && r.ChainErr == nil
	at := s.at.Truncate(time.Second)
	for _, c := range path {
		r.NotYetValid = r.NotYetValid || at.Before(c.NotBefore)
		r.Expired = r.Expired || at.After(c.NotAfter)
	}
	r.Notes = n
	rank := 0
	switch {
	case r.Trusted && !r.NotYetValid && !r.Expired:
		rank = 4
	case r.Trusted:
		rank = 3
	case anchored:
		rank = 2
	case r.ChainErr == nil:
		rank = 1
	}
	if !s.found || rank > s.rank {
		s.found, s.rank, s.best = true, rank, r
	}
}

// judge applies the rules of RFC 5280 6.1 that do not depend on time. The signatures are good already.
func (s *search) judge(path []*Certificate, anchored bool, n *notes) error {
	for _, c := range path {
		if len(c.UnhandledCritical) > 0 {
			return ErrCritical.With("%s: %s", c.Subject.CommonName, c.UnhandledCritical[0])
		}
	}
	if err := checkUsage(path[0], s.usage); err != nil {
		return err
	}
	below := 0 // CA certificates between the leaf and the one looked at, self-issued ones not counted
	for i, c := range path[1:] {
		isAnchor := anchored && i == len(path)-2
		switch {
		case c.IsCA:
		case isAnchor && !c.BasicConstraints && c.Version == 1:
			n.add("the anchor is a version 1 certificate")
		default:
			return ErrNotCA.With("%s", c.Subject.CommonName)
		}
		if !c.allows(x509.KeyUsageCertSign) {
			return ErrKeyUsage.With("%s: keyCertSign", c.Subject.CommonName)
		}
		if c.MaxPathLen >= 0 && below > c.MaxPathLen {
			return ErrPathLength.With("%s: %d", c.Subject.CommonName, c.MaxPathLen)
		}
		if !selfIssued(c) {
			below++
		}
	}
	return nil
}
