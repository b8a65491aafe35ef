package ses_test

import (
	"bytes"
	"testing"
	"time"

	"yinxin/internal/oid"
	"yinxin/sealer/ses"
)

// The structures of the standards laid out by hand: nothing here calls the package under test.

// tlv is one DER element: tag, length, parts.
func tlv(tag byte, parts ...[]byte) []byte {
	content := bytes.Join(parts, nil)
	n := len(content)
	switch {
	case n < 128:
		return append([]byte{tag, byte(n)}, content...)
	case n < 256:
		return append([]byte{tag, 0x81, byte(n)}, content...)
	case n < 65536:
		return append([]byte{tag, 0x82, byte(n >> 8), byte(n)}, content...)
	}
	return append([]byte{tag, 0x83, byte(n >> 16), byte(n >> 8), byte(n)}, content...)
}

func seq(parts ...[]byte) []byte { return tlv(0x30, parts...) }
func octets(b []byte) []byte     { return tlv(0x04, b) }
func bits(b []byte) []byte       { return tlv(0x03, []byte{0}, b) }
func small(n byte) []byte        { return tlv(0x02, []byte{n}) }
func ia5(s string) []byte        { return tlv(0x16, []byte(s)) }
func utf8(s string) []byte       { return tlv(0x0c, []byte(s)) }
func utcTime(s string) []byte    { return tlv(0x17, []byte(s)) }
func general(s string) []byte    { return tlv(0x18, []byte(s)) }
func zero(parts ...[]byte) []byte {
	return tlv(0xa0, parts...)
}

var (
	// sm2WithSM3 is 1.2.156.10197.1.501.
	sm2WithSM3 = []byte{0x06, 0x08, 0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x01, 0x83, 0x75}
	// Stand-ins for certificates: the structures hold any SEQUENCE.
	makerCertificate  = seq(small(1), utf8("制章人"))
	signerCertificate = seq(small(2), utf8("某市档案馆"), octets(bytes.Repeat([]byte{7}, 300)))
	// A value whose INTEGERs need the leading zero (72 bytes, the longest), and a short one.
	longValue  = seq(tlv(0x02, []byte{0}, bytes.Repeat([]byte{0xf1}, 32)), tlv(0x02, []byte{0}, bytes.Repeat([]byte{0xe2}, 32)))
	shortValue = seq(tlv(0x02, bytes.Repeat([]byte{0x71}, 32)), tlv(0x02, bytes.Repeat([]byte{0x62}, 31)))
	dataHash   = [32]byte(bytes.Repeat([]byte{0xab}, 32))
	picture    = append([]byte("\x89PNG\r\n\x1a\n"), bytes.Repeat([]byte{0x55}, 200)...)
	token      = seq(small(9))
	property   = "[0 0000001000 0000020000 0000000300]"
	created    = time.Date(2026, 3, 1, 4, 5, 6, 789, time.UTC)
	signedAt   = time.Date(2026, 5, 6, 15, 8, 9, 0, time.FixedZone("", 8*3600))
)

// layout holds the elements of a seal and of a signature with it, each as DER, so that a test can replace one.
type layout struct {
	version                                      byte
	id, headerVersion, vendor, esID              []byte
	kind, name, certListType, certList           []byte
	create, start, end                           []byte
	pictureType, pictureData, width, height      []byte
	sealExtensions                               []byte
	makerCert, sealAlgorithm, sealValue, sealTS  []byte
	tbsVersion, timeInfo, hash, property, extend []byte
	cert, algorithm, value, timeStamp            []byte
}

func newLayout(version byte) layout {
	l := layout{
		version: version,
		id:      ia5("ES"), headerVersion: small(version), vendor: ia5("Yinxin"), esID: ia5("37010000000123"),
		kind: small(1), name: utf8("某市档案馆档案证明专用章"), certListType: small(1), certList: seq(octets(signerCertificate)),
		create: general("20260301040506Z"), start: general("20260301000000Z"), end: general("20270301000000Z"),
		pictureType: ia5("PNG"), pictureData: octets(picture), width: small(42), height: small(42),
		makerCert: octets(makerCertificate), sealAlgorithm: sm2WithSM3, sealValue: bits(shortValue),
		tbsVersion: small(version), timeInfo: general("20260506070809Z"), hash: bits(dataHash[:]), property: ia5(property),
		cert: octets(signerCertificate), algorithm: sm2WithSM3, value: bits(longValue),
	}
	if version == 1 {
		l.certListType = nil
		l.create, l.start, l.end = utcTime("260301040506Z"), utcTime("260301000000Z"), utcTime("270301000000Z")
		l.timeInfo = bits(utcTime("260506070809Z"))
	}
	return l
}

func (l layout) sealInfo() []byte {
	return seq(
		seq(l.id, l.headerVersion, l.vendor),
		l.esID,
		seq(l.kind, l.name, l.certListType, l.certList, l.create, l.start, l.end),
		seq(l.pictureType, l.pictureData, l.width, l.height),
		l.sealExtensions)
}

func (l layout) seal() []byte {
	if l.version == 1 {
		return seq(l.sealInfo(), seq(l.makerCert, l.sealAlgorithm, l.sealValue))
	}
	return seq(l.sealInfo(), l.makerCert, l.sealAlgorithm, l.sealValue, l.sealTS)
}

func (l layout) tbs() []byte {
	if l.version == 1 {
		return seq(l.tbsVersion, l.seal(), l.timeInfo, l.hash, l.property, l.cert, l.algorithm)
	}
	return seq(l.tbsVersion, l.seal(), l.timeInfo, l.hash, l.property, l.extend)
}

func (l layout) signature() []byte {
	if l.version == 1 {
		return seq(l.tbs(), l.value)
	}
	return seq(l.tbs(), l.cert, l.algorithm, l.value, l.timeStamp)
}

// trueSize is extDatas with the exact size 42.3 x 41.6 mm.
func trueSize() []byte {
	return seq(seq(tlv(0x06, oid.TrueSizeDER), octets(seq(tlv(0x02, []byte{0x00, 0xa5, 0x3c}), tlv(0x02, []byte{0x00, 0xa2, 0x80})))))
}

// info is the SealInfo that gives newLayout(version) with trueSize.
func info(version int) ses.SealInfo {
	return ses.SealInfo{
		Version: version, VendorID: "Yinxin", ID: "37010000000123", Type: 1, Name: "某市档案馆档案证明专用章",
		Certificates: [][]byte{signerCertificate},
		CreateDate:   created,
		ValidStart:   time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC),
		ValidEnd:     time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC),
		Picture:      ses.Picture{Type: "PNG", Data: picture, Width: 42, Height: 42},
		TrueWidth:    42.3, TrueHeight: 41.6,
	}
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
