package chain

import (
	"bytes"
	"encoding/asn1"
	"math/big"
	"sort"
	"sync"
	"time"

	"github.com/emmansun/gmsm/sm3"
	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"

	"yinxin/internal/oid"
)

// CRL is a certificate revocation list (RFC 5280 5) as it was found. It is immutable and may be shared. Entries stay in
// their encoding: a list of 10,000 costs four bytes for each beyond its own octets.
type CRL struct {
	// Raw is the whole list, RawTBS its signed part, RawIssuer the name; all with tag and length.
	Raw, RawTBS, RawIssuer []byte
	Issuer                 Name
	// ThisUpdate and NextUpdate are in UTC. NextUpdate is zero when absent.
	ThisUpdate, NextUpdate time.Time
	// Number is nil when absent.
	Number              *big.Int
	AuthorityKeyID      []byte
	SignatureAlgorithm  asn1.ObjectIdentifier
	SignatureParameters []byte
	Signature           []byte
	// UnhandledCritical lists critical extensions that are not understood: what such a list does not name may still be
	// revoked (5.2).
	UnhandledCritical []asn1.ObjectIdentifier
	// KeepsExpiredFrom is set when the list also names certificates that expired since then (X.509 expiredCertsOnCRL).
	KeepsExpiredFrom time.Time
	Notes            []string

	scope   scope
	entries []byte
	offsets []uint32 // of the entries, in the order of their serial numbers once sorted
	sorted  sync.Once
	id      [32]byte
}

// scope is IssuingDistributionPoint (RFC 5280 5.2.5): for which certificates the list speaks.
type scope struct {
	part                                            bool // a distribution point is named: the list is one of several
	names                                           pointNames
	onlyUsers, onlyCAs, onlyAttributes, someReasons bool
	indirect, delta                                 bool
}

// Revocation is one entry of a list. A Time that cannot be read is zero: revoked from the beginning.
type Revocation struct {
	Time time.Time
	// Reason is the CRLReason of RFC 5280 5.3.1; 0 is unspecified.
	Reason int
	// InvalidityDate is since when the key may have been in other hands, nil when not given.
	InvalidityDate *time.Time
}

// The reasons that this package treats differently from the others.
const (
	ReasonCertificateHold = 6
	ReasonRemoveFromCRL   = 8
)

var expiredCertsOnCRL = asn1.ObjectIdentifier{2, 5, 29, 60}

// ParseCRL reads one revocation list in DER and nothing after it. The result keeps slices of data. Errors: ErrCRL with
// the place, ErrTooLarge.
//
//	CertificateList ::= SEQUENCE { tbsCertList, signatureAlgorithm AlgorithmIdentifier, signatureValue BIT STRING }
//	TBSCertList ::= SEQUENCE { version INTEGER OPTIONAL, signature AlgorithmIdentifier, issuer Name, thisUpdate Time,
//	  nextUpdate Time OPTIONAL, revokedCertificates SEQUENCE OF SEQUENCE { userCertificate INTEGER, revocationDate Time,
//	  crlEntryExtensions Extensions OPTIONAL } OPTIONAL, crlExtensions [0] EXPLICIT Extensions OPTIONAL }
func ParseCRL(data []byte) (*CRL, error) {
	if len(data) > MaxCRL {
		return nil, ErrTooLarge.With("%d bytes", len(data))
	}
	var outer, tbs, algorithm cryptobyte.String
	input := cryptobyte.String(data)
	if !input.ReadASN1(&outer, der.SEQUENCE) || !input.Empty() || !outer.ReadASN1Element(&tbs, der.SEQUENCE) ||
		!outer.ReadASN1Element(&algorithm, der.SEQUENCE) {
		return nil, badCRL("certificateList")
	}
	signature, ok := readBitString(&outer)
	if !ok || !outer.Empty() {
		return nil, badCRL("signatureValue")
	}
	c := &CRL{Raw: data, RawTBS: tbs, Signature: signature}
	signed, err := c.readTBS(tbs, (*notes)(&c.Notes))
	if err != nil {
		return nil, err
	}
	unsigned, err := ParseAlgorithm(algorithm)
	if err != nil || !unsigned.OID.Equal(signed.OID) {
		return nil, badCRL("signatureAlgorithm")
	}
	c.SignatureAlgorithm, c.SignatureParameters = signed.OID, signed.Parameters
	c.id = sm3.Sum(data)
	return c, nil
}

func badCRL(field string) error {
	return ErrCRL.With("%s", field)
}

func (c *CRL) readTBS(raw cryptobyte.String, n *notes) (Algorithm, error) {
	var tbs, algorithm, issuer, entries, wrapped cryptobyte.String
	var ok, present bool
	if !raw.ReadASN1(&tbs, der.SEQUENCE) {
		return Algorithm{}, badCRL("tbsCertList")
	}
	if tbs.PeekASN1Tag(der.INTEGER) {
		if version, ok := readInteger(&tbs, 1); !ok || version.Int64() != 1 {
			return Algorithm{}, badCRL("version")
		}
	}
	if !tbs.ReadASN1Element(&algorithm, der.SEQUENCE) {
		return Algorithm{}, badCRL("signature")
	}
	signed, err := ParseAlgorithm(algorithm)
	if err != nil {
		return Algorithm{}, badCRL("signature")
	}
	if !tbs.ReadASN1Element(&issuer, der.SEQUENCE) {
		return Algorithm{}, badCRL("issuer")
	}
	c.RawIssuer, c.Issuer = issuer, parseName(issuer, n)
	if c.ThisUpdate, ok = readTime(&tbs, n); !ok {
		return Algorithm{}, badCRL("thisUpdate")
	}
	if tbs.PeekASN1Tag(der.UTCTime) || tbs.PeekASN1Tag(der.GeneralizedTime) {
		if c.NextUpdate, ok = readTime(&tbs, n); !ok {
			return Algorithm{}, badCRL("nextUpdate")
		}
	}
	if tbs.PeekASN1Tag(der.SEQUENCE) {
		if !tbs.ReadASN1(&entries, der.SEQUENCE) {
			return Algorithm{}, badCRL("revokedCertificates")
		}
		c.entries = entries
		if c.offsets, ok = entryOffsets(entries); !ok {
			return Algorithm{}, badCRL("revokedCertificates")
		}
	}
	if !tbs.ReadOptionalASN1(&wrapped, &present, der.Tag(0).ContextSpecific().Constructed()) || !tbs.Empty() {
		return Algorithm{}, badCRL("crlExtensions")
	}
	if present && !c.readExtensions(wrapped, n) {
		return Algorithm{}, badCRL("crlExtensions")
	}
	return signed, nil
}

// entryOffsets walks over the entries once and checks of each that it has a serial number.
func entryOffsets(entries cryptobyte.String) ([]uint32, bool) {
	// The shortest entry has 20 octets (a serial number of one and a UTCTime): reserve no more than that allows.
	offsets := make([]uint32, 0, len(entries)/32)
	rest := entries
	for !rest.Empty() {
		var entry, serial cryptobyte.String
		offset := len(entries) - len(rest)
		if !rest.ReadASN1(&entry, der.SEQUENCE) || !entry.ReadASN1(&serial, der.INTEGER) || len(serial) == 0 ||
			len(serial) > maxSerialOctets || entry.Empty() {
			return nil, false
		}
		offsets = append(offsets, uint32(offset))
	}
	return offsets, true
}

func (c *CRL) readExtensions(raw cryptobyte.String, n *notes) bool {
	list, ok := readExtensionList(raw, n)
	if !ok {
		return false
	}
	for _, e := range list {
		v := e.value
		switch {
		case e.id.Equal(oid.CRLNumber):
			number, ok := readInteger(&v, 32)
			if !ok {
				return false
			}
			c.Number = number
		case e.id.Equal(oid.AuthorityKeyID):
			id, ok := readAuthorityKeyID(v)
			if !ok {
				n.add("extension " + e.id.String() + " cannot be read")
			}
			c.AuthorityKeyID = id
		case e.id.Equal(oid.IssuingDistributionPt):
			if !c.scope.read(v, n) {
				return false
			}
		case e.id.Equal(expiredCertsOnCRL):
			from, ok := readTime(&v, n)
			if ok {
				c.KeepsExpiredFrom = from
			}
		case e.id.Equal(oid.DeltaCRLIndicator):
			c.scope.delta = true
		default:
			if e.critical {
				c.UnhandledCritical = append(c.UnhandledCritical, e.id)
			}
		}
	}
	return true
}

// read reads IssuingDistributionPoint ::= SEQUENCE { distributionPoint [0] OPTIONAL, onlyContainsUserCerts [1],
// onlyContainsCACerts [2], onlySomeReasons [3] ReasonFlags OPTIONAL, indirectCRL [4], onlyContainsAttributeCerts [5] },
// the flags BOOLEAN DEFAULT FALSE.
func (s *scope) read(v cryptobyte.String, n *notes) bool {
	var point cryptobyte.String
	var ok bool
	if !v.ReadASN1(&point, der.SEQUENCE) || !v.Empty() {
		return false
	}
	if s.part, ok = s.names.read(&point); !ok {
		return false
	}
	for _, flag := range []struct {
		tag    der.Tag
		target *bool
	}{{1, &s.onlyUsers}, {2, &s.onlyCAs}, {3, &s.someReasons}, {4, &s.indirect}, {5, &s.onlyAttributes}} {
		var content cryptobyte.String
		var present bool
		if !point.ReadOptionalASN1(&content, &present, flag.tag.ContextSpecific()) {
			return false
		}
		if present {
			// onlySomeReasons is a set of bits: that it is there is what counts.
			*flag.target = flag.tag == 3 || len(content) == 1 && content[0] != 0
		}
	}
	return point.Empty()
}

// Len is the number of entries.
func (c *CRL) Len() int { return len(c.offsets) }

// Lookup finds the entry of a serial number. The first call sorts the entries; each call then takes a binary search.
// Where a number is listed twice, the entry that cannot be lifted counts. It says nothing of the list's own signature.
func (c *CRL) Lookup(serial *big.Int) (Revocation, bool) {
	if serial == nil {
		return Revocation{}, false
	}
	c.sorted.Do(func() {
		sort.Slice(c.offsets, func(i, j int) bool {
			order := compareSerials(c.serialAt(c.offsets[i]), c.serialAt(c.offsets[j]))
			return order < 0 || order == 0 && c.offsets[i] < c.offsets[j]
		})
	})
	wanted := serialOctets(serial)
	first := sort.Search(len(c.offsets), func(i int) bool {
		return compareSerials(c.serialAt(c.offsets[i]), wanted) >= 0
	})
	// A list that repeats one number without end is not worth more than a few looks.
	const maxRepeats = 16
	var found Revocation
	listed := false
	for i := first; i < len(c.offsets) && i < first+maxRepeats; i++ {
		if compareSerials(c.serialAt(c.offsets[i]), wanted) != 0 {
			break
		}
		entry := c.revocationAt(c.offsets[i])
		if !listed || found.Reason == ReasonCertificateHold || found.Reason == ReasonRemoveFromCRL {
			found = entry
		}
		listed = true
	}
	return found, listed
}

// entryAt gives the content of the entry at an offset that entryOffsets has found.
func (c *CRL) entryAt(offset uint32) cryptobyte.String {
	var entry cryptobyte.String
	rest := cryptobyte.String(c.entries[offset:])
	rest.ReadASN1(&entry, der.SEQUENCE)
	return entry
}

func (c *CRL) serialAt(offset uint32) []byte {
	var serial cryptobyte.String
	entry := c.entryAt(offset)
	entry.ReadASN1(&serial, der.INTEGER)
	return shortest(serial)
}

// revocationAt reads the rest of an entry. Whatever cannot be read leaves the certificate revoked.
func (c *CRL) revocationAt(offset uint32) Revocation {
	var r Revocation
	var ignored notes
	entry := c.entryAt(offset)
	entry.SkipASN1(der.INTEGER)
	var ok bool
	if r.Time, ok = readTime(&entry, &ignored); !ok {
		return Revocation{}
	}
	if entry.Empty() {
		return r
	}
	list, ok := readExtensionList(entry, &ignored)
	if !ok {
		return r
	}
	for _, e := range list {
		v := e.value
		switch {
		case e.id.Equal(oid.CRLReason):
			var reason cryptobyte.String
			if v.ReadASN1(&reason, der.ENUM) && len(reason) == 1 {
				r.Reason = int(reason[0])
			}
		case e.id.Equal(oid.InvalidityDate):
			if at, ok := readTime(&v, &ignored); ok {
				r.InvalidityDate = &at
			}
		}
	}
	return r
}

// serialOctets is the content of the INTEGER of a serial number, in two's complement.
func serialOctets(serial *big.Int) []byte {
	var b cryptobyte.Builder
	b.AddASN1BigInt(serial)
	var content cryptobyte.String
	input := cryptobyte.String(b.BytesOrPanic())
	input.ReadASN1(&content, der.INTEGER)
	return content
}

// shortest drops the needless leading octets of an INTEGER, which some lists have.
func shortest(content []byte) []byte {
	for len(content) > 1 && (content[0] == 0 && content[1]&0x80 == 0 || content[0] == 0xff && content[1]&0x80 != 0) {
		content = content[1:]
	}
	return content
}

// compareSerials orders the shortest forms: any fixed order serves the search.
func compareSerials(a, b []byte) int {
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return bytes.Compare(a, b)
}
