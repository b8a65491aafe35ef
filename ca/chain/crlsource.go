package chain

import (
	"bytes"
	"context"
	"slices"
	"sync"
	"time"
)

// NewCRLSource answers from revocation lists. A list counts if it is signed by the issuer of the certificate, whose key
// usage must allow that, and if its scope covers the certificate; indirect lists do not count. Each list's signature is
// checked once for each issuer key.
//
// A delta list is read together with every complete list of the same scope that its base number allows (RFC 5280
// 5.2.4): the two are one newer statement. Without such a list a delta still proves the revocations that it names.
//
// A list made after the time asked for answers as well: what it names carries the date of revocation. A list that ended
// before that time still proves revocations, but nothing else.
func NewCRLSource(crls ...*CRL) RevocationSource {
	source := &crlSource{lists: map[string][]*CRL{}, deltas: map[string][]*CRL{}, checked: map[[64]byte]error{}}
	for _, list := range crls {
		if list == nil {
			continue
		}
		into := source.lists
		if list.scope.delta {
			into = source.deltas
		}
		into[list.issuerName] = append(into[list.issuerName], list)
	}
	return source
}

type crlSource struct {
	lists, deltas map[string][]*CRL // by the folded name of the issuer

	mutex   sync.Mutex
	checked map[[64]byte]error // by list and issuer certificate
}

// maxChecked bounds the memory of checked; many issuer certificates for one list are not honest.
const maxChecked = 1024

func (s *crlSource) Status(ctx context.Context, cert, issuer *Certificate, at time.Time) (Status, error) {
	if err := ctx.Err(); err != nil {
		return Status{}, err
	}
	unknown := Status{Source: "CRL", Detail: "no revocation list of the issuer"}
	if cert == nil || issuer == nil {
		return unknown, nil
	}
	var answers []Status
	ask := func(list, delta *CRL) {
		answer, detail := list.say(delta, cert, at)
		if detail != "" {
			unknown.Detail = detail
			return
		}
		answers = append(answers, answer)
	}
	var deltas []*CRL
	for _, delta := range s.deltas[issuer.subjectName] {
		if detail := s.usable(delta, issuer); detail != "" {
			unknown.Detail = detail
			continue
		}
		deltas = append(deltas, delta)
		ask(nil, delta)
	}
	for _, list := range s.lists[issuer.subjectName] {
		if detail := s.usable(list, issuer); detail != "" {
			unknown.Detail = detail
			continue
		}
		ask(list, nil)
		for _, delta := range deltas {
			if delta.continues(list) {
				ask(list, delta)
			}
		}
	}
	if len(answers) == 0 {
		return unknown, nil
	}
	return Combine(at, answers...), nil
}

// say gives what a complete list, a delta list, or the two together say of a certificate; a detail when they say nothing.
func (c *CRL) say(delta *CRL, cert *Certificate, at time.Time) (answer Status, detail string) {
	var entry Revocation
	var listed bool
	newest := c
	if delta != nil {
		newest = delta
		entry, listed = delta.Lookup(cert.Serial)
	}
	removed := listed && entry.Reason == ReasonRemoveFromCRL
	switch {
	case c == nil && (!listed || removed):
		return Status{}, "a delta list without its base proves only revocations"
	case removed:
		listed = false
	case !listed && c != nil:
		// removeFromCRL in a complete list, where it has no meaning, is as if the entry was not there.
		entry, listed = c.Lookup(cert.Serial)
		listed = listed && entry.Reason != ReasonRemoveFromCRL
	}
	if !listed {
		for _, list := range []*CRL{c, delta} {
			if list == nil {
				continue
			}
			if detail := list.silentOn(cert); detail != "" {
				return Status{}, detail
			}
		}
	}
	judgement := Judgement{ThisUpdate: newest.ThisUpdate, NextUpdate: newest.NextUpdate, NotAfter: cert.NotAfter,
		KeepsExpiredFrom: newest.KeepsExpiredFrom, Source: "CRL"}
	if listed {
		judgement.Revoked = &entry
	}
	return judgement.At(at), ""
}

// continues says whether a delta list can be read on top of a complete list (RFC 5280 5.2.4): the same issuer, scope and
// key, a base that the list has reached, and something newer than the list.
func (c *CRL) continues(list *CRL) bool {
	switch {
	case c.BaseNumber == nil || c.Number == nil || list.Number == nil:
		return false
	case !c.alike(list):
		return false
	}
	return list.Number.Cmp(c.BaseNumber) >= 0 && list.Number.Cmp(c.Number) < 0 && !c.ThisUpdate.Before(list.ThisUpdate)
}

// alike says whether two lists are of the same issuer, key and scope.
func (c *CRL) alike(list *CRL) bool {
	return c.issuerName == list.issuerName && c.scope.raw == list.scope.raw && bytes.Equal(c.AuthorityKeyID, list.AuthorityKeyID)
}

// Takes says whether a list stands in the place of another: of the same issuer, key and scope, and both complete lists or
// both delta lists. newer says that it was made after the other.
func (c *CRL) Takes(other *CRL) (place, newer bool) {
	if !c.alike(other) || c.scope.delta != other.scope.delta {
		return false, false
	}
	if c.Number != nil && other.Number != nil && c.Number.Cmp(other.Number) != 0 {
		return true, c.Number.Cmp(other.Number) > 0
	}
	return true, c.ThisUpdate.After(other.ThisUpdate)
}

// Entries is how many certificates the list names.
func (c *CRL) Entries() int { return len(c.index) }

// Misfit says why a delta list that stands where a complete list names it cannot belong to it, or "". One that tells nothing
// newer than the list, as right after both were published, is no misfit. The signature is not looked at.
func (c *CRL) Misfit(list *CRL) string {
	switch {
	case c.BaseNumber == nil || c.Number == nil || list.Number == nil:
		return "it is no delta list with a number"
	case !c.alike(list):
		return "it is of another issuer, key or scope"
	case list.Number.Cmp(c.BaseNumber) < 0:
		return "it continues a list that is newer"
	case c.Number.Cmp(list.Number) > 0 && c.ThisUpdate.Before(list.ThisUpdate):
		return "it has a higher number and is older"
	}
	return ""
}

// usable says why a list cannot speak for an issuer's certificates, or "".
func (s *crlSource) usable(list *CRL, issuer *Certificate) string {
	if list.scope.indirect || list.scope.onlyAttributes {
		return "an indirect list is not used"
	}
	if err := s.check(list, issuer); err != nil {
		return "the revocation list is not signed by the issuer"
	}
	return ""
}

// check verifies the list's signature by the issuer, once.
func (s *crlSource) check(list *CRL, issuer *Certificate) error {
	var key [64]byte
	fingerprint := issuer.Fingerprint()
	copy(key[:32], list.id[:])
	copy(key[32:], fingerprint[:])
	s.mutex.Lock()
	err, known := s.checked[key]
	s.mutex.Unlock()
	if known {
		return err
	}
	err = list.CheckIssuer(issuer)
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if len(s.checked) >= maxChecked {
		clear(s.checked)
	}
	s.checked[key] = err
	return err
}

// CheckIssuer verifies that the list was signed by the issuer certificate, which must be allowed to sign lists. Errors:
// ErrKeyUsage, and those of CheckSignature.
func (c *CRL) CheckIssuer(issuer *Certificate) error {
	if err := checkUsage(issuer, UsageCRL); err != nil {
		return err
	}
	if c.issuerName != issuer.subjectName {
		return ErrSignature.Saying("颁发者名称不符", "issuer name")
	}
	algorithm := Algorithm{OID: c.SignatureAlgorithm, Parameters: c.SignatureParameters}
	_, err := algorithm.Check(issuer.PublicKey, c.RawTBS, c.Signature)
	return err
}

// silentOn says why a list that does not name a certificate proves nothing about it, or "".
func (c *CRL) silentOn(cert *Certificate) string {
	s := c.scope
	switch {
	case len(c.UnhandledCritical) > 0:
		return "the revocation list has a critical extension that is not understood"
	case s.someReasons:
		return "the revocation list covers only some reasons"
	case s.onlyUsers && cert.IsCA:
		return "the revocation list does not cover CA certificates"
	case s.onlyCAs && !cert.IsCA:
		return "the revocation list covers only CA certificates"
	case s.part && !slices.ContainsFunc(s.names.encoded, func(name string) bool {
		return slices.Contains(cert.crlPoints.encoded, name)
	}):
		// A shard speaks only for certificates that name it (RFC 5280 6.3.3 b.2).
		return "the revocation list is a part that does not cover this certificate"
	}
	return ""
}
