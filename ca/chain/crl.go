package chain

import (
	"bytes"
	"encoding/asn1"
	"hash/maphash"
	"math"
	"math/big"
	"slices"
	"time"

	"github.com/emmansun/gmsm/sm3"
	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"

	"yinxin/internal/oid"
)

// CRL is a certificate revocation list (RFC 5280 5) as it was found. It is immutable and may be shared. Entries stay in
// their encoding: each costs eight bytes beyond its own octets.
type CRL struct {
	// Raw is the whole list, RawTBS its signed part, RawIssuer the name; all with tag and length.
	Raw, RawTBS, RawIssuer []byte
	Issuer                 Name
	// ThisUpdate and NextUpdate are in UTC. NextUpdate is zero when absent.
	ThisUpdate, NextUpdate time.Time
	// Number is nil when absent.
	Number *big.Int
	// BaseNumber is set in a delta list: it names what changed since the complete list with this number, of the same
	// scope and numbering (5.2.4).
	BaseNumber *big.Int
	// DeltaURLs is where the list says that delta lists to it are found (5.2.6).
	DeltaURLs           []string
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

	issuerName string // folded
	scope      scope
	entries    []byte
	// index has a number for each entry, sorted: a hash of the serial number above, the offset of the entry below. The
	// seed is random, so that nobody can choose serial numbers whose hashes fall together.
	index []uint64
	seed  maphash.Seed
	id    [32]byte
}

// scope is IssuingDistributionPoint (RFC 5280 5.2.5): for which certificates the list speaks.
type scope struct {
	raw                                             string // as it stands, to compare scopes; empty without one
	part                                            bool   // a distribution point is named: the list is one of several
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
	c.RawIssuer = issuer
	c.Issuer, c.issuerName = parseName(issuer, n)
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
		c.entries, c.seed = entries, maphash.MakeSeed()
		if c.index, ok = indexEntries(entries, c.seed); !ok {
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

// indexEntries walks over the entries once and checks of each that it has a serial number.
func indexEntries(entries cryptobyte.String, seed maphash.Seed) ([]uint64, bool) {
	// An entry with a serial number of random octets has some 30 octets or more; others make the slice grow.
	index := make([]uint64, 0, len(entries)/32)
	rest := entries
	for !rest.Empty() {
		var entry, serial cryptobyte.String
		offset := len(entries) - len(rest)
		if !rest.ReadASN1(&entry, der.SEQUENCE) || !entry.ReadASN1(&serial, der.INTEGER) || len(serial) == 0 ||
			len(serial) > maxSerialOctets || entry.Empty() {
			return nil, false
		}
		index = append(index, hashSerial(seed, shortest(serial))|uint64(offset))
	}
	slices.Sort(index)
	return index, true
}

// hashSerial gives a hash in the upper 32 bits.
func hashSerial(seed maphash.Seed, shortest []byte) uint64 {
	return maphash.Bytes(seed, shortest) &^ math.MaxUint32
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
			base, ok := readInteger(&v, 32)
			if !ok || !v.Empty() {
				return false
			}
			c.BaseNumber = base
		case e.id.Equal(oid.FreshestCRL):
			points, ok := readDistributionPoints(v)
			if !ok {
				n.add("extension " + e.id.String() + " cannot be read")
			}
			c.DeltaURLs = points.urls
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
	s.raw = string(v)
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

// Points are the addresses for which the list speaks, as its IssuingDistributionPoint names them: a certificate is covered
// if it names one of them. None: the list is not divided so.
func (c *CRL) Points() []string { return slices.Clone(c.scope.names.urls) }

// Len is the number of entries.
func (c *CRL) Len() int { return len(c.index) }

// Lookup finds the entry of a serial number by a binary search. Where a number is listed twice, the entry that cannot be
// lifted counts. It says nothing of the list's own signature.
func (c *CRL) Lookup(serial *big.Int) (Revocation, bool) {
	if serial == nil || len(c.index) == 0 {
		return Revocation{}, false
	}
	wanted := serialOctets(serial)
	hash := hashSerial(c.seed, wanted)
	first, _ := slices.BinarySearch(c.index, hash)
	var found Revocation
	listed := false
	for _, key := range c.index[first:min(first+maxRepeats, len(c.index))] {
		if key&^math.MaxUint32 != hash {
			break
		}
		entry, have := c.entryAt(uint32(key))
		if !bytes.Equal(have, wanted) {
			continue
		}
		if !listed || found.Reason == ReasonCertificateHold || found.Reason == ReasonRemoveFromCRL {
			found = readRevocation(entry)
		}
		listed = true
	}
	return found, listed
}

// Entry gives the first entry of a serial number in its encoding, with tag and length; nil when it is not listed.
func (c *CRL) Entry(serial *big.Int) []byte {
	if serial == nil || len(c.index) == 0 {
		return nil
	}
	wanted := serialOctets(serial)
	hash := hashSerial(c.seed, wanted)
	first, _ := slices.BinarySearch(c.index, hash)
	for _, key := range c.index[first:min(first+maxRepeats, len(c.index))] {
		if key&^math.MaxUint32 != hash {
			break
		}
		if _, have := c.entryAt(uint32(key)); bytes.Equal(have, wanted) {
			var raw cryptobyte.String
			list := cryptobyte.String(c.entries[uint32(key):])
			list.ReadASN1Element(&raw, der.SEQUENCE)
			return raw
		}
	}
	return nil
}

// maxRepeats: a list that repeats one number without end is not worth more than a few looks.
const maxRepeats = 16

// entryAt gives an entry that indexEntries has found: what follows the serial number, and the number's shortest form.
func (c *CRL) entryAt(offset uint32) (rest cryptobyte.String, serial []byte) {
	var entry, number cryptobyte.String
	list := cryptobyte.String(c.entries[offset:])
	list.ReadASN1(&entry, der.SEQUENCE)
	entry.ReadASN1(&number, der.INTEGER)
	return entry, shortest(number)
}

// readRevocation reads an entry after its serial number. Whatever cannot be read leaves the certificate revoked.
func readRevocation(entry cryptobyte.String) Revocation {
	var r Revocation
	var ignored notes
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
	if serial.Sign() > 0 {
		content := make([]byte, 1+(serial.BitLen()+7)/8)
		serial.FillBytes(content)
		return shortest(content)
	}
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
