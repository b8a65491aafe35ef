package ses_test

import (
	"bytes"
	"testing"
	"time"

	"yinxin/internal/fault"
	"yinxin/sealer/ses"
)

func TestWhatIsNotBuiltRightIsRefusedWithItsPlace(t *testing.T) {
	many := func(entry []byte, n int) []byte { return seq(bytes.Repeat(entry, n)) }
	extension := seq(tlv(6, []byte{0x2a, 3}), octets(nil))
	for _, c := range []struct {
		name        string
		version     byte
		change      func(*layout)
		code, field string
	}{
		{"the header says something else than ES", 4, func(l *layout) { l.id = ia5("EX") }, "ses.malformed", "eSealInfo.header.iD"},
		{"a version that does not exist", 4, func(l *layout) { l.headerVersion = small(3) }, "ses.version", "eSealInfo.header.version"},
		{"a version beyond any number", 4, func(l *layout) { l.headerVersion = tlv(2, bytes.Repeat([]byte{0x44}, 9)) }, "ses.malformed", "eSealInfo.header.version"},
		{"a negative version", 1, func(l *layout) { l.headerVersion = tlv(2, []byte{0xff}) }, "ses.malformed", "eSealInfo.header.version"},
		{"an empty INTEGER", 4, func(l *layout) { l.kind = tlv(2) }, "ses.malformed", "eSealInfo.property.type"},
		{"signature and seal of different versions", 4, func(l *layout) { l.tbsVersion = small(5) }, "ses.version", "toSign.version"},
		{"a list of an unknown type", 4, func(l *layout) { l.certListType = small(3) }, "ses.malformed", "eSealInfo.property.certListType"},
		{"a list of another type than it says", 4, func(l *layout) { l.certListType = small(2) }, "ses.malformed", "eSealInfo.property.certList"},
		{"no list", 4, func(l *layout) { l.certList = nil }, "ses.malformed", "eSealInfo.property.certList"},
		{"a month that does not exist", 4, func(l *layout) { l.end = general("20261301000000Z") }, "ses.malformed", "eSealInfo.property.validEnd"},
		{"a day that does not exist", 4, func(l *layout) { l.create = general("20260230000000Z") }, "ses.malformed", "eSealInfo.property.createDate"},
		{"a time that is text", 4, func(l *layout) { l.timeInfo = ia5("2026-05-06 15:08:09") }, "ses.malformed", "toSign.timeInfo"},
		{"a time cut off", 4, func(l *layout) { l.timeInfo = general("2026050607") }, "ses.malformed", "toSign.timeInfo"},
		{"a time with a tail", 4, func(l *layout) { l.timeInfo = general("20260506070809ZZ") }, "ses.malformed", "toSign.timeInfo"},
		{"a fraction without digits", 4, func(l *layout) { l.timeInfo = general("20260506070809.Z") }, "ses.malformed", "toSign.timeInfo"},
		{"an offset of a day", 4, func(l *layout) { l.timeInfo = general("20260506070809+2400") }, "ses.malformed", "toSign.timeInfo"},
		{"a digest with spare bits", 4, func(l *layout) { l.hash = tlv(3, []byte{1}, dataHash[:]) }, "ses.malformed", "toSign.dataHash"},
		{"a picture of a kilometre", 4, func(l *layout) { l.height = tlv(2, []byte{0x0f, 0x42, 0x40}) }, "ses.malformed", "eSealInfo.picture.height"},
		{"a picture a little over the limit", 4, func(l *layout) { l.height = tlv(2, []byte{0x27, 0x74}) }, "ses.malformed", "eSealInfo.picture.height"},
		{"a height that is 42 only after it overflows", 4, func(l *layout) { l.height = tlv(2, []byte{1, 0, 0, 0, 0, 0, 0, 0, 42}) }, "ses.malformed", "eSealInfo.picture.height"},
		{"an element too many in the seal", 4, func(l *layout) { l.sealTS = bytes.Repeat(zero(bits(token)), 2) }, "ses.malformed", "SESeal"},
		{"a fifth element that is no time stamp", 5, func(l *layout) { l.sealTS = small(1) }, "ses.malformed", "SESeal"},
		{"an element too many in the signature", 4, func(l *layout) { l.timeStamp = small(1) }, "ses.malformed", "SES_Signature"},
		{"an element too many in what is signed", 4, func(l *layout) { l.extend = small(1) }, "ses.malformed", "toSign"},
		{"an element too many in the picture", 4, func(l *layout) { l.height = append(small(42), small(42)...) }, "ses.malformed", "eSealInfo.picture"},
		{"two time stamps in one", 5, func(l *layout) { l.timeStamp = zero(bits(token), bits(token)) }, "ses.malformed", "timeStamp"},
		{"extensions that are none", 4, func(l *layout) { l.sealExtensions = seq(utf8("?")) }, "ses.malformed", "extDatas"},
		{"an unfinished identifier", 4, func(l *layout) { l.sealExtensions = seq(seq(tlv(6, []byte{0x2a, 0x83}), octets(nil))) }, "ses.malformed", "extDatas.extnID"},
		{"an algorithm that is none", 4, func(l *layout) { l.algorithm = tlv(6) }, "ses.malformed", "signatureAlgID"},
		{"an algorithm with parameters", 4, func(l *layout) { l.algorithm = seq(sm2WithSM3, small(1)) }, "ses.malformed", "signatureAlgID"},
		{"lengths of indefinite form", 4, func(l *layout) { l.hash = []byte{0x24, 0x80, 4, 1, 0, 0, 0} }, "ses.malformed", "toSign.dataHash"},
		{"a name longer than any name", 4, func(l *layout) { l.name = utf8(string(bytes.Repeat([]byte("a"), 70_000))) }, "ses.too-large", "eSealInfo.property.name"},
		{"more certificates than any seal has", 4, func(l *layout) { l.certList = many(octets(token), ses.MaxCertificates+1) }, "ses.too-many", "eSealInfo.property.certList"},
		{"more digests than any seal has", 4, func(l *layout) {
			l.certListType, l.certList = small(2), many(seq(ia5(""), octets(nil)), ses.MaxCertificates+1)
		}, "ses.too-many", "eSealInfo.property.certList"},
		{"version 1: more entries than any seal has", 1, func(l *layout) { l.certList = many(small(1), ses.MaxCertificates+1) }, "ses.too-many", "eSealInfo.property.certList"},
		{"more extensions than any seal has", 5, func(l *layout) { l.extend = zero(many(extension, ses.MaxExtensions+1)) }, "ses.too-many", "extDatas"},
		{"version 1: a tail in what is signed", 1, func(l *layout) { l.algorithm = append(bytes.Clone(sm2WithSM3), 5, 0) }, "ses.malformed", "toSign"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLayout(c.version)
			c.change(&l)
			_, err := ses.ParseSignature(l.signature())
			refused(t, err, c.code, c.field)
			if f, ok := fault.Of(err); ok && (f.Place.Offset == nil || *f.Place.Offset < 0 || *f.Place.Offset > int64(len(l.signature()))) {
				t.Errorf("offset is %v", f.Place.Offset)
			}
		})
	}
}

func TestTheOffsetOfAnErrorIsWhereTheElementStands(t *testing.T) {
	l := newLayout(4)
	l.pictureType = small(1)
	der := append(make([]byte, 0, 4096), l.seal()...) // room behind the input must not count
	_, err := ses.ParseSeal(der)
	f, ok := fault.Of(err)
	want := int64(bytes.Index(der, append(small(1), l.pictureData...)))
	if !ok || f.Place.Offset == nil || *f.Place.Offset != want {
		t.Errorf("error is %v, want offset %d", err, want)
	}
}

func TestVersionsAreNotMixed(t *testing.T) {
	one, four := newLayout(1), newLayout(4)
	mixed := seq(seq(small(1), four.seal(), one.timeInfo, one.hash, one.property, one.cert, one.algorithm), one.value)
	_, err := ses.ParseSignature(mixed)
	refused(t, err, "ses.version", "toSign.eseal")
	mixed = seq(seq(small(4), one.seal(), four.timeInfo, four.hash, four.property), four.cert, four.algorithm, four.value)
	_, err = ses.ParseSignature(mixed)
	refused(t, err, "ses.version", "toSign.eseal")
}

func TestNothingMayFollow(t *testing.T) {
	l := newLayout(5)
	_, err := ses.ParseSeal(append(l.seal(), 0))
	refused(t, err, "ses.trailing-data", "")
	_, err = ses.ParseSignature(append(l.signature(), 0, 0))
	refused(t, err, "ses.trailing-data", "")
}

func TestSizeIsLimited(t *testing.T) {
	_, err := ses.ParseSeal(make([]byte, ses.MaxSize+1))
	refused(t, err, "ses.too-large", "")
	_, err = ses.ParseSignature(make([]byte, ses.MaxSize+1))
	refused(t, err, "ses.too-large", "")
}

func TestEveryCutIsRefused(t *testing.T) {
	inputs := [][]byte{newLayout(1).signature(), newLayout(4).signature(), newLayout(5).signature()}
	for _, der := range inputs {
		for n := range der {
			if _, err := ses.ParseSignature(der[:n]); err == nil {
				t.Fatalf("cut after %d of %d bytes is read", n, len(der))
			}
		}
	}
	seals := [][]byte{newLayout(1).seal(), newLayout(4).seal(), newLayout(5).seal()}
	for _, der := range seals {
		for n := range der {
			if _, err := ses.ParseSeal(der[:n]); err == nil {
				t.Fatalf("cut after %d of %d bytes is read", n, len(der))
			}
		}
	}
}

func TestNoChangedByteMakesReadingPanic(t *testing.T) {
	for _, version := range []byte{1, 4, 5} {
		l := newLayout(version)
		l.sealExtensions = trueSize()
		der := l.signature()
		for i := range der {
			original := der[i]
			for _, change := range []byte{1, 2, 4, 8, 16, 32, 64, 128, 0x7f, 0xff, original, original ^ 0x80} {
				der[i] = original ^ change
				if s, err := ses.ParseSignature(der); err == nil {
					exercise(s.Seal)
				}
			}
			der[i] = original
		}
	}
}

func TestNoChangedByteOfForeignFilesMakesReadingPanic(t *testing.T) {
	for _, name := range []string{"SignedValueV4.dat", "SignedValueV5.dat", "UserV1.esl", "UserV5_ts.esl"} {
		der := bytes.Clone(external(t, name))
		for i := range der {
			der[i] ^= 0x81
			if s, err := ses.ParseSignature(der); err == nil {
				exercise(s.Seal)
			}
			if s, err := ses.ParseSeal(der); err == nil {
				exercise(s)
			}
			der[i] ^= 0x81
			if _, err := ses.ParseSeal(der[:i]); err == nil {
				t.Fatalf("%s cut after %d bytes is read", name, i)
			}
		}
	}
}

// exercise calls what a verifier would call.
func exercise(s *ses.Seal) {
	s.SignedBytes()
	s.TrueSize()
	s.Lists(signerCertificate)
	ses.UnknownCritical(s.Extensions)
}

func TestHostileInputCostsNoMoreThanItsLength(t *testing.T) {
	nested := bytes.Repeat([]byte{0x30, 0x84, 0x00, 0xff, 0xff, 0xf0}, 1<<18)
	l := newLayout(1)
	l.certList = seq(bytes.Repeat(octets(nil), ses.MaxCertificates))
	l.pictureType = utf8(string(bytes.Repeat([]byte("\xff"), 60_000)))
	for name, der := range map[string][]byte{"nested": nested, "many notes": l.signature(), "one byte elements": seq(bytes.Repeat([]byte{5, 0}, 1<<20))} {
		start := time.Now()
		ses.ParseSignature(der)
		ses.ParseSeal(der)
		if spent := time.Since(start); spent > 2*time.Second {
			t.Errorf("%s: %v", name, spent)
		}
	}
}
