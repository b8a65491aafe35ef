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

// appendTo adds the DER of the entry. The reason unspecified is left out, as clause 5.3.1 asks.
func (e entry) appendTo(list []byte) ([]byte, error) {
	b := cryptobyte.NewBuilder(list)
	b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1BigInt(e.serial)
		addTime(b, e.since)
		if e.reason == ReasonUnspecified {
			return
		}
		b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
			addExtension(b, oid.CRLReason, false, func(b *cryptobyte.Builder) {
				b.AddASN1(der.ENUM, func(b *cryptobyte.Builder) { b.AddUint8(uint8(e.reason)) })
			})
		})
	})
	return b.Bytes()
}

// list is a revocation list before its signature.
type list struct {
	issuer                 *chain.Certificate
	number                 int64
	thisUpdate, nextUpdate time.Time
	entries                []byte // DER, one after the other
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
		b.AddASN1(der.Tag(0).Constructed().ContextSpecific(), func(b *cryptobyte.Builder) {
			b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
				addExtension(b, oid.AuthorityKeyID, false, func(b *cryptobyte.Builder) {
					b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
						b.AddASN1(der.Tag(0).ContextSpecific(), func(b *cryptobyte.Builder) { b.AddBytes(l.issuer.SubjectKeyID) })
					})
				})
				addExtension(b, oid.CRLNumber, false, func(b *cryptobyte.Builder) { b.AddASN1Int64(l.number) })
			})
		})
	})
	return b.Bytes()
}

var errOwnCRL = errors.New("ca: a revocation list of our own cannot be read")

// eachEntry calls fn with the serial number of every entry of a list that marshal wrote.
func eachEntry(crl []byte, fn func(serial *big.Int) error) error {
	input := cryptobyte.String(crl)
	var certList, tbs, entries cryptobyte.String
	var present bool
	if !input.ReadASN1(&certList, der.SEQUENCE) || !certList.ReadASN1(&tbs, der.SEQUENCE) {
		return errOwnCRL
	}
	if !tbs.SkipASN1(der.INTEGER) || !tbs.SkipASN1(der.SEQUENCE) || !tbs.SkipASN1(der.SEQUENCE) || !skipTime(&tbs) || !skipTime(&tbs) ||
		!tbs.ReadOptionalASN1(&entries, &present, der.SEQUENCE) {
		return errOwnCRL
	}
	for !entries.Empty() {
		var e cryptobyte.String
		serial := new(big.Int)
		if !entries.ReadASN1(&e, der.SEQUENCE) || !e.ReadASN1Integer(serial) {
			return errOwnCRL
		}
		if err := fn(serial); err != nil {
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
