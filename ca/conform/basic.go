package conform

import (
	"bytes"
	"fmt"
	"math/big"
	"time"

	"github.com/emmansun/gmsm/sm2"
	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"

	"yinxin/internal/oid"
)

func version(c *certificate) string {
	if len(c.version) != 1 || c.version[0] != 2 {
		return "it is not version 3"
	}
	return ""
}

func algorithm(c *certificate) string {
	var b cryptobyte.Builder
	b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(oid.SM2WithSM3) })
	want := b.BytesOrPanic()
	switch {
	case !bytes.Equal(c.inner, want):
		return "it is not signed by SM2 with SM3 without parameters"
	case !bytes.Equal(c.outer, want):
		return "the algorithm outside is not the signed one"
	}
	return ""
}

func serialPositive(c *certificate) string {
	if len(c.serial) == 0 || c.serial[0]&0x80 != 0 || new(big.Int).SetBytes(c.serial).Sign() == 0 {
		return "the serial number is not positive"
	}
	return ""
}

// maxSerial is the longest serial number in octets.
const maxSerial = 20

func serialLength(c *certificate) string {
	if len(c.serial) > maxSerial {
		return fmt.Sprintf("the serial number has %d octets, more than %d", len(c.serial), maxSerial)
	}
	return ""
}

// serialEntropy refuses what cannot hold 64 random bits behind a prefix of two octets, and what looks like a counter:
// among eight random octets four are different, but for one case in ten thousand million.
func serialEntropy(c *certificate) string {
	if len(c.serial) < 10 {
		return fmt.Sprintf("the serial number has %d octets, too few for 64 random bits", len(c.serial))
	}
	different := map[byte]bool{}
	for _, b := range c.serial[len(c.serial)-8:] {
		different[b] = true
	}
	if len(different) < 4 {
		return "the serial number is not random"
	}
	return ""
}

func issuerName(c *certificate) string {
	issuer := c.subject
	if c.want.Issuer != nil {
		issuer = c.want.Issuer.RawSubject
	} else if c.want.Profile != Root {
		issuer = c.issuer // not known
	}
	switch {
	case len(c.issuer) <= 2:
		return "the issuer has no name"
	case !bytes.Equal(c.issuer, issuer):
		return "the issuer's name is not octet for octet the subject of its certificate"
	}
	return ""
}

func uniqueIdentifiers(c *certificate) string {
	if c.uniqueIDs {
		return "it has unique identifiers"
	}
	return ""
}

// publicKey wants id-ecPublicKey, the curve SM2 by name and an uncompressed point on it.
func publicKey(c *certificate) string {
	point, found := c.point()
	if found != "" {
		return found
	}
	if _, err := sm2.ParseUncompressedPublicKey(point); err != nil {
		return "the key is not a point of the curve"
	}
	return ""
}

func (c *certificate) point() (point []byte, wrong string) {
	key := cryptobyte.String(c.key)
	var info, identifier cryptobyte.String
	if !key.ReadASN1(&info, der.SEQUENCE) || !info.ReadASN1Element(&identifier, der.SEQUENCE) || !info.ReadASN1BitStringAsBytes(&point) || !info.Empty() {
		return nil, "the key cannot be read"
	}
	var b cryptobyte.Builder
	b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(oid.PublicKeyEC)
		b.AddASN1ObjectIdentifier(oid.CurveSM2)
	})
	switch {
	case !bytes.Equal(identifier, b.BytesOrPanic()):
		return nil, "the key is not named as one of the curve SM2"
	case len(point) != 65 || point[0] != 4:
		return nil, "the point is not uncompressed"
	}
	return point, ""
}

// firstLongYear is the first year that is written as GeneralizedTime.
const firstLongYear = 2050

func (m moment) time() (time.Time, bool) {
	layout, text := "20060102150405Z", m.text
	if m.tag == der.UTCTime && len(text) > 2 {
		century := "20"
		if text[0] >= '5' {
			century = "19"
		}
		text = century + text
	}
	t, err := time.Parse(layout, text)
	return t, err == nil
}

func validityForm(c *certificate) string {
	for _, m := range []moment{c.notBefore, c.notAfter} {
		t, ok := m.time()
		switch {
		case !ok || m.tag != der.UTCTime && m.tag != der.GeneralizedTime:
			return "a time is not one of a certificate"
		case (m.tag == der.UTCTime) != (t.Year() < firstLongYear):
			return "UTCTime is for years through 2049, GeneralizedTime for later ones"
		}
	}
	return ""
}

func validityOrder(c *certificate) string {
	from, ok1 := c.notBefore.time()
	until, ok2 := c.notAfter.time()
	if ok1 && ok2 && !until.After(from) {
		return "it ends before it begins"
	}
	return ""
}

// validityCeiling counts calendar months: both ends belong to the validity (RFC 5280 4.1.2.5), so it ends at the latest
// one second before the moment that many months later. A day that the month does not have is its last.
func validityCeiling(c *certificate) string {
	from, ok1 := c.notBefore.time()
	until, ok2 := c.notAfter.time()
	if c.profile == nil || !ok1 || !ok2 {
		return ""
	}
	months := int(from.Month()) - 1 + c.profile.months
	year, month := from.Year()+months/12, time.Month(months%12+1)
	day := min(from.Day(), time.Date(year, month+1, 0, 0, 0, 0, 0, time.UTC).Day())
	latest := time.Date(year, month, day, from.Hour(), from.Minute(), from.Second(), 0, time.UTC).Add(-time.Second)
	if until.After(latest) {
		return fmt.Sprintf("it is valid for more than %d months", c.profile.months)
	}
	return ""
}

func validityIssuer(c *certificate) string {
	from, ok1 := c.notBefore.time()
	until, ok2 := c.notAfter.time()
	if i := c.want.Issuer; i != nil && ok1 && ok2 && (from.Before(i.NotBefore) || until.After(i.NotAfter)) {
		return "it is valid when its issuer is not"
	}
	return ""
}
