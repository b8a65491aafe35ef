package ca

import (
	"errors"
	"math/big"
	"time"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"

	"yinxin/ca/chain"
	"yinxin/internal/oid"
)

// A revocation list is written and taken apart here (RFC 5280 clause 5.1):
//
//	TBSCertList ::= SEQUENCE { version INTEGER (1), signature AlgorithmIdentifier, issuer Name, thisUpdate Time, nextUpdate Time,
//	                  revokedCertificates SEQUENCE OF SEQUENCE { userCertificate INTEGER, revocationDate Time,
//	                                                             crlEntryExtensions SEQUENCE OF Extension OPTIONAL } OPTIONAL,
//	                  crlExtensions [0] SEQUENCE OF Extension }
//
// Entries are encoded as the rows come from the database, so that a long list is never held as anything but its bytes.

// entry is one line of a list.
type entry struct {
	serial *big.Int
	since  time.Time
	reason Reason
}

// reasonRemoveFromCRL is for delta lists: the certificate is not on the complete list any more.
const reasonRemoveFromCRL Reason = chain.ReasonRemoveFromCRL

// reasonExtension is crlEntryExtensions with CRLReason (clause 5.3.1) but for its last octet, the reason itself.
var reasonExtension = []byte{0x30, 12, 0x30, 10, 6, 3, 0x55, 0x1d, 0x15, 4, 3, 0x0a, 1}

// appendTo adds the DER of the entry. The reason unspecified is left out, as clause 5.3.1 asks. It is written by hand,
// all lengths being short, because a list has many.
func (e entry) appendTo(list []byte) ([]byte, error) {
	// Unlike certificates here, serial numbers of elsewhere in a damaged database could be longer.
	if e.serial.Sign() < 0 || e.serial.BitLen() > 8*serialSize {
		return nil, errOwnCRL
	}
	var octets [serialSize + 1]byte
	e.serial.FillBytes(octets[:])
	serial := octets[:]
	for len(serial) > 1 && serial[0] == 0 && serial[1]&0x80 == 0 {
		serial = serial[1:]
	}
	begin := len(list)
	list = append(list, 0x30, 0, 2, byte(len(serial)))
	list = append(list, serial...)
	if since := e.since.UTC(); since.Year() < 2050 {
		list = append(list, byte(der.UTCTime), 13)
		list = since.AppendFormat(list, "060102150405Z")
	} else {
		list = append(list, byte(der.GeneralizedTime), 15)
		list = since.AppendFormat(list, "20060102150405Z")
	}
	if e.reason != ReasonUnspecified {
		list = append(append(list, reasonExtension...), byte(e.reason))
	}
	list[begin+1] = byte(len(list) - begin - 2)
	return list, nil
}

// list is a revocation list before its signature.
type list struct {
	issuer                 *chain.Certificate
	number                 int64
	thisUpdate, nextUpdate time.Time
	entries                []byte // DER, one after the other
	// points are the addresses of a shard; none for the complete list.
	points []string
	// deltaURL is where the delta list is found; empty in a delta list and where there is none.
	deltaURL string
	// base is the number of the list that a delta list is relative to; 0 for a list that is none.
	base int64
}

func (l list) marshal() ([]byte, error) {
	b := cryptobyte.NewBuilder(make([]byte, 0, len(l.entries)+1024))
	b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(1)
		addAlgorithm(b)
		b.AddBytes(l.issuer.RawSubject)
		addTime(b, l.thisUpdate)
		addTime(b, l.nextUpdate)
		if len(l.entries) > 0 {
			b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) { b.AddBytes(l.entries) })
		}
		b.AddASN1(der.Tag(0).Constructed().ContextSpecific(), func(b *cryptobyte.Builder) { b.AddASN1(der.SEQUENCE, l.addExtensions) })
	})
	return b.Bytes()
}

func (l list) addExtensions(b *cryptobyte.Builder) {
	addExtension(b, oid.AuthorityKeyID, false, func(b *cryptobyte.Builder) {
		b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(der.Tag(0).ContextSpecific(), func(b *cryptobyte.Builder) { b.AddBytes(l.issuer.SubjectKeyID) })
		})
	})
	addExtension(b, oid.CRLNumber, false, func(b *cryptobyte.Builder) { b.AddASN1Int64(l.number) })
	if l.base > 0 { // clause 5.2.4
		addExtension(b, oid.DeltaCRLIndicator, true, func(b *cryptobyte.Builder) { b.AddASN1Int64(l.base) })
	}
	if len(l.points) > 0 {
		addExtension(b, oid.IssuingDistributionPt, true, l.addScope)
	}
	if l.deltaURL != "" { // clause 5.2.6
		addExtension(b, oid.FreshestCRL, false, func(b *cryptobyte.Builder) { addDistributionPoint(b, l.deltaURL) })
	}
}

// addScope writes IssuingDistributionPoint (clause 5.2.5) with the addresses of the shard and onlyContainsUserCerts,
// since the issuing CA certifies no CA.
func (l list) addScope(b *cryptobyte.Builder) {
	context0 := der.Tag(0).ContextSpecific().Constructed()
	b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(context0, func(b *cryptobyte.Builder) { // distributionPoint
			b.AddASN1(context0, func(b *cryptobyte.Builder) { // fullName
				for _, point := range l.points {
					addURI(b, point)
				}
			})
		})
		b.AddASN1(der.Tag(1).ContextSpecific(), func(b *cryptobyte.Builder) { b.AddUint8(0xff) })
	})
}

var errOwnCRL = errors.New("ca: a revocation list of our own cannot be read")

// entriesOf gives the entries of a list that marshal wrote.
func entriesOf(crl []byte) (cryptobyte.String, error) {
	input := cryptobyte.String(crl)
	var certList, tbs, entries cryptobyte.String
	var present bool
	if !input.ReadASN1(&certList, der.SEQUENCE) || !certList.ReadASN1(&tbs, der.SEQUENCE) {
		return nil, errOwnCRL
	}
	if !tbs.SkipASN1(der.INTEGER) || !tbs.SkipASN1(der.SEQUENCE) || !tbs.SkipASN1(der.SEQUENCE) || !skipTime(&tbs) || !skipTime(&tbs) ||
		!tbs.ReadOptionalASN1(&entries, &present, der.SEQUENCE) {
		return nil, errOwnCRL
	}
	return entries, nil
}

// eachEntry calls fn with the serial number of every entry and its encoding. serial is used anew for the next one.
func eachEntry(entries cryptobyte.String, fn func(serial *big.Int, raw []byte) error) error {
	serial := new(big.Int)
	for !entries.Empty() {
		var raw, e, number cryptobyte.String
		if !entries.ReadASN1Element(&raw, der.SEQUENCE) {
			return errOwnCRL
		}
		content := raw
		if !content.ReadASN1(&e, der.SEQUENCE) || !e.ReadASN1(&number, der.INTEGER) {
			return errOwnCRL
		}
		if err := fn(serial.SetBytes(number), raw); err != nil {
			return err
		}
	}
	return nil
}

func skipTime(s *cryptobyte.String) bool {
	if s.PeekASN1Tag(der.GeneralizedTime) {
		return s.SkipASN1(der.GeneralizedTime)
	}
	return s.SkipASN1(der.UTCTime)
}
