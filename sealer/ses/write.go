package ses

import (
	"math"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"yinxin/internal/fault"
	"yinxin/internal/oid"
)

// SealInfo is what a seal to be made says. The structure is defined in seal.go.
type SealInfo struct {
	Version  int    // Version4 (also when 0) or Version5
	VendorID string // vid, ASCII
	ID       string // esID, ASCII: the seal code
	Type     int    // 1 unit seal, 2 personal seal
	Name     string // UTF-8

	// Certificates are the DER certificates that may use the seal, at least one. They are written as certificates
	// (certListType 1), so that a verifier need not ask anyone.
	Certificates [][]byte

	// Times are written in UTC, whole seconds; what is below a second is cut off.
	CreateDate, ValidStart, ValidEnd time.Time

	// Picture: Type "PNG", "JPG", "GIF", "BMP" or "SVG"; Width and Height at least 1 mm.
	Picture Picture

	// TrueWidth and TrueHeight are the exact size in millimetres, of which the picture's is the rounded value. They
	// are written to a micrometre into the extension oid.TrueSizeDER, or left out when both are 0.
	TrueWidth, TrueHeight float64
}

// Marshal gives the DER SES_SealInfo, which the seal maker signs and AssembleSeal takes. What the standard does not
// allow is refused with ses.not-writable and the field.
func (i SealInfo) Marshal() ([]byte, error) {
	if i.Version == 0 {
		i.Version = Version4
	}
	if err := i.check(); err != nil {
		return nil, err
	}
	b := cryptobyte.NewBuilder(make([]byte, 0, i.estimate()))
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			addText(b, asn1.IA5String, "ES")
			b.AddASN1Int64(int64(i.Version))
			addText(b, asn1.IA5String, i.VendorID)
		})
		addText(b, asn1.IA5String, i.ID)
		b.AddASN1(asn1.SEQUENCE, i.addProperty)
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			addText(b, asn1.IA5String, i.Picture.Type)
			b.AddASN1OctetString(i.Picture.Data)
			b.AddASN1Int64(int64(i.Picture.Width))
			b.AddASN1Int64(int64(i.Picture.Height))
		})
		if i.hasTrueSize() {
			b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1(asn1.SEQUENCE, i.addTrueSize)
			})
		}
	})
	return finish(b)
}

func (i SealInfo) addProperty(b *cryptobyte.Builder) {
	b.AddASN1Int64(int64(i.Type))
	addText(b, asn1.UTF8String, i.Name)
	b.AddASN1Int64(CertListCertificates)
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		for _, c := range i.Certificates {
			b.AddASN1OctetString(c)
		}
	})
	for _, t := range []time.Time{i.CreateDate, i.ValidStart, i.ValidEnd} {
		addText(b, asn1.GeneralizedTime, t.UTC().Format(timeLayout))
	}
}

// timeLayout is GeneralizedTime as DER wants it without a fraction.
const timeLayout = "20060102150405Z"

// addTrueSize writes ExtData { TrueSize, SEQUENCE { width INTEGER, height INTEGER } }, micrometres; critical is
// FALSE and therefore left out.
func (i SealInfo) addTrueSize(b *cryptobyte.Builder) {
	b.AddASN1(asn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes(oid.TrueSizeDER) })
	b.AddASN1(asn1.OCTET_STRING, func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1Int64(micrometres(i.TrueWidth))
			b.AddASN1Int64(micrometres(i.TrueHeight))
		})
	})
}

func micrometres(mm float64) int64 { return int64(math.Round(mm * 1000)) }

func (i SealInfo) hasTrueSize() bool { return i.TrueWidth != 0 || i.TrueHeight != 0 }

func (i SealInfo) estimate() int {
	n := 512 + len(i.Name) + len(i.ID) + len(i.VendorID) + len(i.Picture.Data)
	for _, c := range i.Certificates {
		n += len(c) + 8
	}
	return n
}

func (i SealInfo) check() error {
	refuse := func(field, why string) error { return errNotWritable.At(fault.Field(field)).With("%s", why) }
	switch {
	case i.Version != Version4 && i.Version != Version5:
		return refuse("version", "4 or 5")
	case !isASCII(i.VendorID):
		return refuse("vid", "ASCII, not empty")
	case !isASCII(i.ID):
		return refuse("esID", "ASCII, not empty")
	case i.Type < 1 || i.Type > math.MaxInt32:
		return refuse("type", "1 or more")
	case i.Name == "" || len(i.Name) > maxText || !utf8.ValidString(i.Name):
		return refuse("name", "UTF-8, not empty")
	case len(i.Certificates) == 0 || len(i.Certificates) > MaxCertificates:
		return refuse("certList", "1 to 4096 certificates")
	case !isWritableTime(i.CreateDate):
		return refuse("createDate", "year 1 to 9999")
	case !isWritableTime(i.ValidStart):
		return refuse("validStart", "year 1 to 9999")
	case !isWritableTime(i.ValidEnd) || !i.ValidStart.Before(i.ValidEnd):
		return refuse("validEnd", "after validStart")
	case len(i.Picture.Data) == 0:
		return refuse("picture.data", "not empty")
	case i.Picture.Width < 1 || i.Picture.Width > maxMillimetres:
		return refuse("picture.width", "1 to 10000 mm")
	case i.Picture.Height < 1 || i.Picture.Height > maxMillimetres:
		return refuse("picture.height", "1 to 10000 mm")
	case i.hasTrueSize() && !near(i.TrueWidth, float64(i.Picture.Width)):
		return refuse("trueWidth", "within a millimetre of the picture's width")
	case i.hasTrueSize() && !near(i.TrueHeight, float64(i.Picture.Height)):
		return refuse("trueHeight", "within a millimetre of the picture's height")
	}
	switch i.Picture.Type {
	case "PNG", "JPG", "GIF", "BMP", "SVG":
	default:
		return refuse("picture.type", "PNG, JPG, GIF, BMP or SVG")
	}
	for _, c := range i.Certificates {
		if !isOneSequence(c) {
			return refuse("certList", "DER certificates")
		}
	}
	return nil
}

func isASCII(s string) bool {
	if s == "" || len(s) > maxText {
		return false
	}
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

func isWritableTime(t time.Time) bool {
	year := t.UTC().Year()
	return !t.IsZero() && year >= 1 && year <= 9999
}

// AssembleSeal puts a DER SESeal together: info from SealInfo.Marshal, the DER certificate of the seal maker and the
// maker's DER signature SEQUENCE { r, s } over info, made with SM2 and SM3. It checks the forms of its parts
// (ses.not-writable), not the signature.
func AssembleSeal(info, makerCertificate, signature []byte) ([]byte, error) {
	return assembleSeal(info, makerCertificate, signature, nil)
}

// AssembleStampedSeal is AssembleSeal for version 5 with a time-stamp token over the signature.
func AssembleStampedSeal(info, makerCertificate, signature, timeStamp []byte) ([]byte, error) {
	if !isOneSequence(timeStamp) {
		return nil, errNotWritable.At(fault.Field("timeStamp"))
	}
	return assembleSeal(info, makerCertificate, signature, timeStamp)
}

func assembleSeal(info, makerCertificate, signature, timeStamp []byte) ([]byte, error) {
	if err := checkSigned(makerCertificate, signature); err != nil {
		return nil, err
	}
	b := cryptobyte.NewBuilder(make([]byte, 0, len(info)+len(makerCertificate)+len(signature)+len(timeStamp)+64))
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(info)
		b.AddASN1OctetString(makerCertificate)
		b.AddASN1ObjectIdentifier(oid.SM2WithSM3)
		b.AddASN1BitString(signature)
		if timeStamp != nil {
			b.AddASN1(tagZero, func(b *cryptobyte.Builder) { b.AddASN1BitString(timeStamp) })
		}
	})
	der, err := finish(b)
	if err != nil {
		return nil, err
	}
	// info is the caller's: reading the result makes sure that nothing unreadable leaves here.
	seal, err := ParseSeal(der)
	if err != nil {
		return nil, errNotWritable.At(fault.Field("eSealInfo")).Because(err)
	}
	if len(seal.Notes) > 0 {
		return nil, errNotWritable.At(fault.Field("eSealInfo")).With("%s", seal.Notes[0])
	}
	return der, nil
}

// checkSigned checks the forms of a certificate and of a signature value that are about to be written.
func checkSigned(certificate, signature []byte) error {
	if !isOneSequence(certificate) {
		return errNotWritable.At(fault.Field("cert"))
	}
	if note := valueForm(signature); note != "" {
		return errNotWritable.At(fault.Field("signature")).With("%s", note)
	}
	return nil
}

func addText(b *cryptobyte.Builder, tag asn1.Tag, text string) {
	b.AddASN1(tag, func(b *cryptobyte.Builder) { b.AddBytes([]byte(text)) })
}

func finish(b *cryptobyte.Builder) ([]byte, error) {
	der, err := b.Bytes()
	if err != nil {
		return nil, errNotWritable.Because(err)
	}
	if len(der) > MaxSize {
		return nil, errTooLarge.With("%d > %d bytes", len(der), MaxSize)
	}
	return der, nil
}

// headerSize is the length of a DER header around n bytes.
func headerSize(n int) int {
	size := 2
	if n >= 0x80 {
		for ; n > 0; n >>= 8 {
			size++
		}
	}
	return size
}

// appendHeader writes the DER header around n bytes.
func appendHeader(dst []byte, tag byte, n int) []byte {
	dst = append(dst, tag)
	if n < 0x80 {
		return append(dst, byte(n))
	}
	octets := headerSize(n) - 2
	dst = append(dst, 0x80|byte(octets))
	for i := octets - 1; i >= 0; i-- {
		dst = append(dst, byte(n>>(8*i)))
	}
	return dst
}
