package chain

import (
	"encoding/asn1"
	"math"
	"math/big"
	"time"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"
)

// Limits on what comes from outside. Real certificates stay far below them.
const (
	// MaxCertificate is the largest certificate read, in bytes.
	MaxCertificate = 256 << 10
	// MaxCRL is the largest revocation list read, in bytes: some four million entries.
	MaxCRL = 128 << 20

	maxExtensions   = 100
	maxAttributes   = 100
	maxListed       = 64 // URLs, extended key usages, distribution points of one extension
	maxSerialOctets = 64
	maxRSABits      = 16384
	maxNotes        = 20
)

// notes gathers the leniencies that reading something took.
type notes []string

func (n *notes) add(text string) {
	if len(*n) >= maxNotes {
		return
	}
	for _, have := range *n {
		if have == text {
			return
		}
	}
	*n = append(*n, text)
}

// readOID reads an OBJECT IDENTIFIER. An arc over 31 bits (2.25 and a UUID) does not fit asn1.ObjectIdentifier: it is
// given as -1 and ends the value, so that it equals no known identifier.
func readOID(s *cryptobyte.String) (asn1.ObjectIdentifier, bool) {
	var content cryptobyte.String
	if !s.ReadASN1(&content, der.OBJECT_IDENTIFIER) || len(content) == 0 || len(content) > 256 {
		return nil, false
	}
	if content[len(content)-1]&0x80 != 0 {
		return nil, false
	}
	id := make(asn1.ObjectIdentifier, 0, 10)
	arc := 0
	for _, b := range content {
		if arc > math.MaxInt32>>7 {
			return append(id, -1), true
		}
		arc = arc<<7 | int(b&0x7f)
		if b&0x80 != 0 {
			continue
		}
		if len(id) == 0 {
			first := min(arc/40, 2)
			id = append(id, first)
			arc -= first * 40
		}
		id = append(id, arc)
		arc = 0
	}
	return id, true
}

// readInteger reads an INTEGER as two's complement, also with needless leading octets.
func readInteger(s *cryptobyte.String, maxOctets int) (*big.Int, bool) {
	var content cryptobyte.String
	if !s.ReadASN1(&content, der.INTEGER) || len(content) == 0 || len(content) > maxOctets {
		return nil, false
	}
	return integer(content), true
}

func integer(content []byte) *big.Int {
	n := new(big.Int).SetBytes(content)
	if content[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(len(content))*8))
	}
	return n
}

// readBoolean reads a BOOLEAN; BER allows any value but 0 for true.
func readBoolean(s *cryptobyte.String, n *notes) (value, ok bool) {
	var content cryptobyte.String
	if !s.ReadASN1(&content, der.BOOLEAN) || len(content) != 1 {
		return false, false
	}
	if content[0] != 0 && content[0] != 0xff {
		n.add("a BOOLEAN is not encoded as DER asks")
	}
	return content[0] != 0, true
}

// readBitString reads a BIT STRING whose bits fill whole octets.
func readBitString(s *cryptobyte.String) ([]byte, bool) {
	var content cryptobyte.String
	if !s.ReadASN1(&content, der.BIT_STRING) || len(content) == 0 || content[0] != 0 {
		return nil, false
	}
	return content[1:], true
}

// readTime reads UTCTime or GeneralizedTime: seconds may be missing, an offset may stand for Z, GeneralizedTime may have
// a fraction, which is dropped. UTCTime years from 50 are in the last century (RFC 5280 4.1.2.5.1).
func readTime(s *cryptobyte.String, n *notes) (time.Time, bool) {
	var content cryptobyte.String
	var tag der.Tag
	if !s.ReadAnyASN1(&content, &tag) {
		return time.Time{}, false
	}
	t, strict, ok := parseTime(content, tag)
	if ok && !strict {
		n.add("a time is not encoded as DER asks")
	}
	return t, ok
}

func parseTime(content []byte, tag der.Tag) (t time.Time, strict, ok bool) {
	text := string(content)
	yearDigits := 4
	switch tag {
	case der.UTCTime:
		yearDigits = 2
	case der.GeneralizedTime:
	default:
		return time.Time{}, false, false
	}
	if len(text) > 40 {
		return time.Time{}, false, false
	}
	digits := 0
	for digits < len(text) && text[digits] >= '0' && text[digits] <= '9' {
		digits++
	}
	rest := text[digits:]
	strict = rest == "Z" && digits == yearDigits+10
	layout := map[int]string{yearDigits + 8: "01021504", yearDigits + 10: "0102150405"}[digits]
	if layout == "" {
		return time.Time{}, false, false
	}
	year := 0
	for _, d := range text[:yearDigits] {
		year = year*10 + int(d-'0')
	}
	if tag == der.UTCTime {
		if year >= 50 {
			year += 1900
		} else {
			year += 2000
		}
	}
	// The day is checked against its own year: 29 February needs a leap year.
	t, err := time.Parse("2006"+layout, fourDigits(year)+text[yearDigits:digits])
	if err != nil {
		return time.Time{}, false, false
	}
	if len(rest) > 1 && (rest[0] == '.' || rest[0] == ',') && tag == der.GeneralizedTime {
		i := 1
		for i < len(rest) && rest[i] >= '0' && rest[i] <= '9' {
			i++
		}
		if i == 1 {
			return time.Time{}, false, false
		}
		rest = rest[i:]
	}
	if rest == "Z" {
		return t, strict, true
	}
	zone, err := time.Parse("-0700", rest)
	if err != nil {
		return time.Time{}, false, false
	}
	_, offset := zone.Zone()
	return t.Add(-time.Duration(offset) * time.Second), false, true
}

func fourDigits(year int) string {
	return string([]byte{byte('0' + year/1000%10), byte('0' + year/100%10), byte('0' + year/10%10), byte('0' + year%10)})
}

// ReadTime reads a UTCTime or GeneralizedTime as certificates have them, also without seconds or with an offset; a
// fraction is dropped. For readers of other structures that carry times.
func ReadTime(s *cryptobyte.String) (time.Time, bool) {
	var ignored notes
	return readTime(s, &ignored)
}
