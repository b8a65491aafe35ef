package ses_test

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/emmansun/gmsm/sm3"

	"yinxin/internal/oid"
	"yinxin/sealer/ses"
)

func TestEveryVersionLaidOutByHandIsRead(t *testing.T) {
	for _, version := range []byte{1, 4, 5} {
		l := newLayout(version)
		l.sealExtensions = trueSize()
		if version == 5 {
			l.sealTS = zero(bits(token))
		}
		if version != 1 {
			l.timeStamp = zero(bits(token))
			l.extend = zero(seq(seq(tlv(6, []byte{0x2a, 3}), tlv(1, []byte{0xff}), octets([]byte("x")))))
		}
		der := l.signature()
		golden(t, map[byte]string{1: "read-v1.der", 4: "read-v4.der", 5: "read-v5.der"}[version], der)
		s := must[*ses.Signature](t)(ses.ParseSignature(der))
		if s.Version != int(version) || !bytes.Equal(s.Raw, der) || !bytes.Equal(s.RawTBS, l.tbs()) || !bytes.Equal(s.Seal.Raw, l.seal()) ||
			!bytes.Equal(s.Seal.RawInfo, l.sealInfo()) {
			t.Errorf("version %d: raw parts or version %d are wrong", version, s.Version)
		}
		if !s.Time.Equal(signedAt) || !bytes.Equal(s.DataHash, dataHash[:]) || s.PropertyInfo != property ||
			!bytes.Equal(s.Certificate, signerCertificate) || !s.Algorithm.Equal(oid.SM2WithSM3) || !bytes.Equal(s.Value, longValue) {
			t.Errorf("version %d: read %+v", version, s)
		}
		if version != 1 && (!bytes.Equal(s.TimeStamp, token) || len(s.Extensions) != 1 || !s.Extensions[0].Critical ||
			len(ses.UnknownCritical(s.Extensions)) != 1) {
			t.Errorf("version %d: read time stamp %x, extensions %v", version, s.TimeStamp, s.Extensions)
		}
		e := s.Seal
		if e.Version != int(version) || e.ID != "37010000000123" || e.VendorID != "Yinxin" || e.Type != 1 || e.Name != "某市档案馆档案证明专用章" ||
			e.CertListType != ses.CertListCertificates || !e.CreateDate.Equal(created.Truncate(time.Second)) ||
			!e.ValidStart.Equal(time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)) || !e.ValidEnd.Equal(time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC)) ||
			!bytes.Equal(e.Picture.Data, picture) || e.Picture.Type != "PNG" || e.Picture.Width != 42 || e.Picture.Height != 42 ||
			!bytes.Equal(e.MakerCertificate, makerCertificate) || !bytes.Equal(e.Value, shortValue) || (version == 5) != bytes.Equal(e.TimeStamp, token) {
			t.Errorf("version %d: read seal %+v", version, e)
		}
		if w, h := e.TrueSize(); w != 42.3 || h != 41.6 {
			t.Errorf("version %d: true size %v x %v", version, w, h)
		}
		if !e.Lists(signerCertificate) || e.Lists(makerCertificate) || e.Lists(nil) || len(ses.UnknownCritical(e.Extensions)) != 0 {
			t.Errorf("version %d: certList or extensions are wrong", version)
		}
		if len(s.Notes) != 0 || len(e.Notes) != 0 {
			t.Errorf("version %d: notes %q, %q", version, s.Notes, e.Notes)
		}
	}
}

func TestTheMakerSignsWhatTheVersionSays(t *testing.T) {
	for version, want := range map[byte]func(layout) []byte{
		1: func(l layout) []byte { return seq(l.sealInfo(), l.makerCert, l.sealAlgorithm) },
		4: layout.sealInfo,
		5: layout.sealInfo,
	} {
		l := newLayout(version)
		if version == 1 {
			l.sealAlgorithm = seq(sm2WithSM3, []byte{5, 0})
		}
		s := must[*ses.Seal](t)(ses.ParseSeal(l.seal()))
		if !bytes.Equal(s.SignedBytes(), want(l)) {
			t.Errorf("version %d:\n%x\nwant\n%x", version, s.SignedBytes(), want(l))
		}
	}
}

func TestWhatProducersAreKnownToWriteIsReadAndNoted(t *testing.T) {
	raw := bytes.Repeat([]byte{0xee}, 64)
	digest := sm3.Sum(signerCertificate)
	listed := func(s *ses.Signature) bool { return s.Seal.Lists(signerCertificate) }
	notListed := func(s *ses.Signature) bool { return !s.Seal.Lists(signerCertificate) }
	timeIs := func(s *ses.Signature) bool { return s.Time.Equal(signedAt) }
	noTime := func(s *ses.Signature) bool { return s.Time.IsZero() }
	for _, c := range []struct {
		name    string
		version byte
		change  func(*layout)
		note    string // expected in the signature or in the seal; empty: none
		holds   func(*ses.Signature) bool
	}{
		{"critical FALSE written out", 4, func(l *layout) {
			l.sealExtensions = seq(seq(tlv(6, []byte{0x2a, 3}), tlv(1, []byte{0}), octets([]byte("x"))))
		}, ses.NoteExplicitFalse, func(s *ses.Signature) bool { return !s.Seal.Extensions[0].Critical }},
		{"TRUE that is not 255", 4, func(l *layout) {
			l.sealExtensions = seq(seq(tlv(6, []byte{0x2a, 3}), tlv(1, []byte{1}), octets([]byte("x"))))
		}, ses.NoteBoolean, func(s *ses.Signature) bool { return s.Seal.Extensions[0].Critical }},
		{"an AlgorithmIdentifier with NULL", 4, func(l *layout) { l.algorithm = seq(sm2WithSM3, []byte{5, 0}) }, ses.NoteAlgorithm,
			func(s *ses.Signature) bool { return s.Algorithm.Equal(oid.SM2WithSM3) }},
		{"an AlgorithmIdentifier without NULL", 5, func(l *layout) { l.sealAlgorithm = seq(sm2WithSM3) }, ses.NoteAlgorithm,
			func(s *ses.Signature) bool { return s.Seal.Algorithm.Equal(oid.SM2WithSM3) }},
		{"the algorithm of GB/T 35275", 4, func(l *layout) {
			l.algorithm = tlv(6, []byte{0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x01, 0x82, 0x2d, 0x01})
		}, "", func(s *ses.Signature) bool { return s.Algorithm.Equal(oid.SM2Sign) }},
		{"raw r and s in a signature", 4, func(l *layout) { l.value = bits(raw) }, ses.NoteRawValue,
			func(s *ses.Signature) bool { return bytes.Equal(s.Value, raw) }},
		{"raw r and s in a seal", 1, func(l *layout) { l.sealValue = bits(raw) }, ses.NoteRawValue,
			func(s *ses.Signature) bool { return bytes.Equal(s.Seal.Value, raw) }},
		{"a needless zero in r", 5, func(l *layout) { l.value = bits(seq(tlv(2, []byte{0, 1}), small(1))) }, ses.NoteValueInteger, nil},
		{"a value of an unknown form", 4, func(l *layout) { l.value = bits([]byte("?")) }, ses.NoteValueEncoding, nil},
		{"a value in an OCTET STRING", 4, func(l *layout) { l.value = octets(longValue) }, ses.NoteOctetString,
			func(s *ses.Signature) bool { return bytes.Equal(s.Value, longValue) }},
		{"a digest in an OCTET STRING", 4, func(l *layout) { l.hash = octets(dataHash[:]) }, ses.NoteOctetString,
			func(s *ses.Signature) bool { return bytes.Equal(s.DataHash, dataHash[:]) }},
		{"a picture type in lower case", 4, func(l *layout) { l.pictureType = ia5("png") }, ses.NotePictureType,
			func(s *ses.Signature) bool { return s.Seal.Picture.Type == "PNG" }},
		{"an identifier as PrintableString", 4, func(l *layout) { l.esID = tlv(0x13, []byte("1")) }, ses.NoteStringType,
			func(s *ses.Signature) bool { return s.Seal.ID == "1" }},
		{"a name in GBK", 4, func(l *layout) { l.name = utf8("\xd5\xc2") }, ses.NoteNotUTF8,
			func(s *ses.Signature) bool { return s.Seal.Name == "\uFFFD" }},
		{"a padded INTEGER", 4, func(l *layout) { l.width = tlv(2, []byte{0, 42}) }, ses.NoteInteger,
			func(s *ses.Signature) bool { return s.Seal.Picture.Width == 42 }},
		{"a padded version", 4, func(l *layout) { l.tbsVersion = tlv(2, []byte{0, 4}) }, ses.NoteInteger,
			func(s *ses.Signature) bool { return len(s.Notes) == 1 && len(s.Seal.Notes) == 0 }},
		{"a note of the seal is the seal's", 5, func(l *layout) { l.pictureType = ia5("png") }, ses.NotePictureType,
			func(s *ses.Signature) bool { return len(s.Notes) == 0 && len(s.Seal.Notes) == 1 }},
		{"extensions of a seal in [0]", 4, func(l *layout) { l.sealExtensions = zero(trueSize()) }, ses.NoteExtensionTag,
			func(s *ses.Signature) bool { return len(s.Seal.Extensions) == 1 }},
		{"extensions of a signature without [0]", 4, func(l *layout) { l.extend = trueSize() }, ses.NoteExtensionTag,
			func(s *ses.Signature) bool { return len(s.Extensions) == 1 }},
		{"an empty list of extensions", 4, func(l *layout) { l.sealExtensions = seq() }, "", nil},
		{"a time stamp in a seal of version 4", 4, func(l *layout) { l.sealTS = zero(bits(token)) }, ses.NoteSealTimeStamp,
			func(s *ses.Signature) bool { return bytes.Equal(s.Seal.TimeStamp, token) }},
		{"an empty time stamp is there", 5, func(l *layout) { l.timeStamp = zero(bits(nil)) }, "",
			func(s *ses.Signature) bool { return s.TimeStamp != nil && len(s.TimeStamp) == 0 }},
		{"no time stamp", 5, func(*layout) {}, "", func(s *ses.Signature) bool { return s.TimeStamp == nil && s.Seal.TimeStamp == nil }},
		{"a list of digests", 4, func(l *layout) {
			l.certListType, l.certList = small(2), seq(seq(tlv(0x13, []byte("SM3")), octets(digest[:])))
		}, "", listed},
		{"a list of other digests", 5, func(l *layout) {
			l.certListType, l.certList = small(2), seq(seq(tlv(0x13, []byte("SM3")), octets(digest[1:])))
		}, "", notListed},
		{"an empty list", 4, func(l *layout) { l.certList = seq() }, "", notListed},
		{"several certificates", 4, func(l *layout) { l.certList = seq(octets(makerCertificate), octets(signerCertificate)) }, "", listed},
		{"a list of other things than certificates", 4, func(l *layout) { l.certList = seq(octets([]byte("no"))) }, ses.NoteCertList, notListed},

		{"a UTCTime in version 4", 4, func(l *layout) { l.timeInfo = utcTime("260506070809Z") }, ses.NoteTimeType, timeIs},
		{"a fraction", 4, func(l *layout) { l.timeInfo = general("20260506070809.250Z") }, ses.NoteTimeForm,
			func(s *ses.Signature) bool { return s.Time.Equal(signedAt.Add(250 * time.Millisecond)) }},
		{"an offset", 4, func(l *layout) { l.timeInfo = general("20260506150809+0800") }, ses.NoteTimeForm, timeIs},
		{"no zone", 4, func(l *layout) { l.timeInfo = general("20260506150809") }, ses.NoteLocalTime, timeIs},
		{"version 1: GeneralizedTime in the bits", 1, func(l *layout) { l.timeInfo = bits(general("20260506070809Z")) }, ses.NoteTimeType, timeIs},
		{"version 1: UTCTime without the bits", 1, func(l *layout) { l.timeInfo = utcTime("260506070809Z") }, ses.NoteTimeType, timeIs},
		{"version 1: UTCTime without seconds", 1, func(l *layout) { l.create = utcTime("2603010405Z") }, ses.NoteTimeForm,
			func(s *ses.Signature) bool {
				return s.Seal.CreateDate.Equal(time.Date(2026, 3, 1, 4, 5, 0, 0, time.UTC))
			}},
		{"version 1: text", 1, func(l *layout) { l.timeInfo = bits([]byte("2026-05-06 15:08:09")) }, ses.NoteLocalTime,
			func(s *ses.Signature) bool { return timeIs(s) && s.TimeText == "2026-05-06 15:08:09" }},
		{"version 1: text with a zone", 1, func(l *layout) { l.timeInfo = bits([]byte("20260506070809Z")) }, ses.NoteTimeType, timeIs},
		{"version 1: text in an OCTET STRING", 1, func(l *layout) { l.timeInfo = octets([]byte("2026/05/06 15:08:09")) }, ses.NoteOctetString, timeIs},
		{"version 1: text of no meaning", 1, func(l *layout) { l.timeInfo = bits([]byte("yesterday\x00")) }, ses.NoteTimeUnreadable,
			func(s *ses.Signature) bool { return noTime(s) && s.TimeText == "yesterday" }},
		{"version 1: no time at all", 1, func(l *layout) { l.timeInfo = bits(nil) }, ses.NoteTimeUnreadable, noTime},
		{"version 1: a broken UTCTime", 1, func(l *layout) { l.timeInfo = bits(utcTime("261306070809Z")) }, ses.NoteTimeUnreadable, noTime},
		{"version 1: a time-stamp token", 1, func(l *layout) { l.timeInfo = bits(timeToken()) }, ses.NoteTimeToken,
			func(s *ses.Signature) bool {
				return timeIs(s) && bytes.Equal(s.TimeStamp, timeToken()) && s.TimeText == ""
			}},
		{"version 1: a broken token", 1, func(l *layout) { l.timeInfo = bits(token) }, ses.NoteTimeUnreadable, noTime},
		{"version 1: GeneralizedTime in the seal", 1, func(l *layout) { l.end = general("20270301000000Z") }, ses.NoteTimeType,
			func(s *ses.Signature) bool { return s.Seal.ValidEnd.Year() == 2027 }},
		{"version 1: a number of its own in the header", 1, func(l *layout) { l.headerVersion = small(11) }, "",
			func(s *ses.Signature) bool { return s.Seal.Version == 1 && s.Seal.HeaderVersion == 11 }},
		{"version 1: extensions in [0]", 1, func(l *layout) { l.sealExtensions = zero(trueSize()) }, ses.NoteExtensionTag,
			func(s *ses.Signature) bool { return len(s.Seal.Extensions) == 1 }},
		{"version 1: extensions of no meaning", 1, func(l *layout) { l.sealExtensions = utf8("?") }, ses.NoteExtensions,
			func(s *ses.Signature) bool { return len(s.Seal.Extensions) == 0 }},
		{"an empty certificate", 4, func(l *layout) { l.certList = seq(octets(nil)) }, ses.NoteCertList,
			func(s *ses.Signature) bool { return !s.Seal.Lists(nil) && !s.Seal.Lists([]byte{}) }},
		{"version 1: a list of certificates without OCTET STRING", 1, func(l *layout) { l.certList = seq(signerCertificate) }, ses.NoteCertList, listed},
		{"version 1: a list of digests", 1, func(l *layout) { l.certList = seq(octets(digest[:])) }, ses.NoteCertList, listed},
		{"version 1: a list of serial numbers", 1, func(l *layout) { l.certList = seq(small(5), octets([]byte{1, 2})) }, ses.NoteCertList, notListed},
		{"version 1: no list but text", 1, func(l *layout) { l.certList = utf8("某某") }, ses.NoteCertList, notListed},
		{"version 1: the certificate itself instead of a list", 1, func(l *layout) { l.certList = octets(signerCertificate) }, ses.NoteCertList, notListed},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLayout(c.version)
			c.change(&l)
			s := must[*ses.Signature](t)(ses.ParseSignature(l.signature()))
			notes := slices.Concat(s.Notes, s.Seal.Notes)
			if c.note == "" && len(notes) != 0 || c.note != "" && !slices.Contains(notes, c.note) {
				t.Errorf("notes are %q, want %q", notes, c.note)
			}
			for _, n := range notes {
				if ses.Explain(n, "en") != n || ses.Explain(n, "zh") == n {
					t.Errorf("note %q has no Chinese", n)
				}
			}
			if c.holds != nil && !c.holds(s) {
				t.Errorf("read %+v with seal %+v", s, s.Seal)
			}
			if !bytes.Equal(s.RawTBS, l.tbs()) || !bytes.Equal(s.Seal.RawInfo, l.sealInfo()) {
				t.Error("the signed bytes are not those of the input")
			}
			if !ses.IsSignature(l.signature()) {
				t.Error("the shape is not recognised")
			}
		})
	}
}

// timeToken is the skeleton of a time-stamp token of signedAt: ContentInfo, SignedData, TSTInfo.
func timeToken() []byte {
	info := seq(small(1), tlv(6, []byte{0x2a, 3}), seq(seq(sm2WithSM3), octets(dataHash[:])), small(77), general("20260506070809Z"))
	return seq(tlv(6, []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2}),
		zero(seq(small(3), tlv(0x31), seq(tlv(6, []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 16, 1, 4}), zero(octets(info))), tlv(0x31))))
}

func TestAnExactSizeThatContradictsThePictureDoesNotCount(t *testing.T) {
	for name, extension := range map[string][]byte{
		"ten times as wide": seq(tlv(2, []byte{6, 0x72, 0xa0}), tlv(2, []byte{0x00, 0xa2, 0x80})),
		"no numbers":        utf8("42"),
		"one number":        seq(tlv(2, []byte{0x00, 0xa5, 0x3c})),
		"three numbers":     seq(tlv(2, []byte{0x00, 0xa5, 0x3c}), tlv(2, []byte{0x00, 0xa2, 0x80}), small(1)),
	} {
		l := newLayout(4)
		l.sealExtensions = seq(seq(tlv(6, oid.TrueSizeDER), octets(extension)))
		s := must[*ses.Seal](t)(ses.ParseSeal(l.seal()))
		if w, h := s.TrueSize(); w != 42 || h != 42 {
			t.Errorf("%s: size is %v x %v", name, w, h)
		}
	}
}

func TestOnlySealSignaturesHaveTheirShape(t *testing.T) {
	l := newLayout(4)
	whole := l.signature()
	for name, c := range map[string]struct {
		data []byte
		want bool
	}{
		"a signature":                {whole, true},
		"a signature with padding":   {append(bytes.Clone(whole), 0, 0, 0), true},
		"a signature cut off":        {whole[:80], true},
		"a seal":                     {l.seal(), false},
		"a CMS message":              {timeToken(), false},
		"a certificate of version 3": {seq(seq(zero(small(2)), small(7), seq(sm2WithSM3))), false},
		"a certificate of version 1": {seq(seq(small(7), seq(sm2WithSM3), seq(tlv(0x31)))), false},
		"nothing":                    {nil, false},
		"zeros":                      {make([]byte, 100), false},
		"only headers":               {whole[:9], false},
		"text":                       {[]byte("0 1 2 3"), false},
	} {
		if got := ses.IsSignature(c.data); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
