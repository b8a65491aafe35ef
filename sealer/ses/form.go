package ses

import (
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"yinxin/internal/fault"
	"yinxin/internal/oid"
)

// Form is a TBS_Sign with everything laid out that is the same for all signatures with one seal. Because timeInfo,
// dataHash and propertyInfo have constant lengths, so has TBS_Sign, and all that stands before timeInfo (some 17 kB)
// is the same each time:
//
//	TBS_Sign = Prefix ‖ Suffix
//	Prefix   = header of TBS_Sign ‖ version ‖ eseal
//	Suffix   = timeInfo (17 bytes) ‖ dataHash (35 bytes) ‖ propertyInfo
//
// What the signer's key signs is e = SM3(Z ‖ Prefix ‖ Suffix): keep the state after Z ‖ Prefix.
// A Form does not change and may be used by several goroutines.
type Form struct {
	seal           *Seal
	prefix         []byte
	suffixLength   int
	propertyLength int
	algorithm      []byte // DER of the signature algorithm
}

const (
	timeInfoLength = 2 + len(timeLayout)
	dataHashLength = 2 + 1 + 32
	maxValueLength = 72 // SEQUENCE of two INTEGERs of 33 octets
)

// NewForm makes the form of a DER seal of version 4 or 5 for propertyInfo of exactly propertyLength bytes. Errors:
// those of ParseSeal, ses.version for version 1, ses.not-writable for a length that is not 1 to 65536.
func NewForm(seal []byte, propertyLength int) (*Form, error) {
	if propertyLength < 1 || propertyLength > maxText {
		return nil, errNotWritable.At(fault.Field("propertyInfo")).With("%d", propertyLength)
	}
	parsed, err := ParseSeal(seal)
	if err != nil {
		return nil, err
	}
	if parsed.Version == Version1 {
		return nil, errVersion.With("%d", parsed.Version)
	}
	algorithm := cryptobyte.NewBuilder(nil)
	algorithm.AddASN1ObjectIdentifier(oid.SM2WithSM3)
	f := &Form{propertyLength: propertyLength}
	if f.algorithm, err = finish(algorithm); err != nil {
		return nil, err
	}
	f.suffixLength = timeInfoLength + dataHashLength + headerSize(propertyLength) + propertyLength

	content := 3 + len(seal) + f.suffixLength
	prefix := make([]byte, 0, headerSize(content)+3+len(seal))
	prefix = appendHeader(prefix, byte(asn1.SEQUENCE), content)
	prefix = append(prefix, byte(asn1.INTEGER), 1, byte(parsed.Version))
	f.prefix = append(prefix, seal...)
	// Read the seal once more where it now lies, so that the form depends on nothing of the caller's.
	f.seal, err = ParseSeal(f.prefix[len(f.prefix)-len(seal):])
	return f, err
}

// Seal is the seal of the form.
func (f *Form) Seal() *Seal { return f.seal }

// Prefix is the constant part of TBS_Sign up to and with the seal. Do not change it.
func (f *Form) Prefix() []byte { return f.prefix }

// Suffix is the rest of TBS_Sign: the signing time as GeneralizedTime in UTC and whole seconds, the SM3 of the
// protected bytes, and propertyInfo, which must be ASCII of the form's length (ses.not-writable).
func (f *Form) Suffix(t time.Time, dataHash [32]byte, property string) ([]byte, error) {
	if !isWritableTime(t) {
		return nil, errNotWritable.At(fault.Field("timeInfo"))
	}
	if len(property) != f.propertyLength || !isASCII(property) {
		return nil, errNotWritable.At(fault.Field("propertyInfo")).With("%d", len(property))
	}
	b := make([]byte, 0, f.suffixLength)
	b = appendHeader(b, byte(asn1.GeneralizedTime), len(timeLayout))
	b = t.UTC().AppendFormat(b, timeLayout)
	b = append(b, byte(asn1.BIT_STRING), 1+32, 0)
	b = append(b, dataHash[:]...)
	b = appendHeader(b, byte(asn1.IA5String), len(property))
	return append(b, property...), nil
}

// Assemble gives the DER SES_Signature: suffix from Suffix, the signer's DER certificate, the signer's DER signature
// SEQUENCE { r, s } over Prefix ‖ suffix, and a time-stamp token over the octets of signature, or nil. It checks the
// forms of its parts (ses.not-writable); it checks neither the signature nor that the seal lists the certificate.
func (f *Form) Assemble(suffix, certificate, signature, timeStamp []byte) ([]byte, error) {
	if len(suffix) != f.suffixLength || suffix[0] != byte(asn1.GeneralizedTime) {
		return nil, errNotWritable.At(fault.Field("toSign"))
	}
	if err := checkSigned(certificate, signature); err != nil {
		return nil, err
	}
	if timeStamp != nil && !isOneSequence(timeStamp) {
		return nil, errNotWritable.At(fault.Field("timeStamp"))
	}
	content := f.contentSize(len(certificate), len(signature), len(timeStamp))
	if headerSize(content)+content > MaxSize {
		return nil, errTooLarge.With("%d > %d bytes", headerSize(content)+content, MaxSize)
	}
	b := make([]byte, 0, headerSize(content)+content)
	b = appendHeader(b, byte(asn1.SEQUENCE), content)
	b = append(b, f.prefix...)
	b = append(b, suffix...)
	b = appendHeader(b, byte(asn1.OCTET_STRING), len(certificate))
	b = append(b, certificate...)
	b = append(b, f.algorithm...)
	b = appendBits(b, signature)
	if timeStamp != nil {
		b = appendHeader(b, byte(tagZero), headerSize(1+len(timeStamp))+1+len(timeStamp))
		b = appendBits(b, timeStamp)
	}
	return b, nil
}

// Size is the most bytes that Assemble can give with the certificate, any signature value, and a time-stamp token of
// at most timeStampReserve bytes (0: no token).
func (f *Form) Size(certificate []byte, timeStampReserve int) int {
	content := f.contentSize(len(certificate), maxValueLength, timeStampReserve)
	return headerSize(content) + content
}

func (f *Form) contentSize(certificate, signature, timeStamp int) int {
	n := len(f.prefix) + f.suffixLength + headerSize(certificate) + certificate + len(f.algorithm) + bitsSize(signature)
	if timeStamp > 0 {
		n += headerSize(bitsSize(timeStamp)) + bitsSize(timeStamp)
	}
	return n
}

// bitsSize is the length of a BIT STRING of n octets.
func bitsSize(n int) int { return headerSize(1+n) + 1 + n }

func appendBits(dst, octets []byte) []byte {
	dst = appendHeader(dst, byte(asn1.BIT_STRING), 1+len(octets))
	dst = append(dst, 0)
	return append(dst, octets...)
}
