package ses

import (
	"bytes"
	"strings"

	"github.com/emmansun/gmsm/sm3"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"yinxin/internal/oid"
)

// The structures, all tags EXPLICIT. GB/T 38540-2020, 6.1 (version 4) and GM/T 0031-2025 (version 5):
//
//	SESeal ::= SEQUENCE {
//	    eSealInfo    SES_SealInfo,
//	    cert         OCTET STRING,               -- certificate of the seal maker
//	    signAlgID    OBJECT IDENTIFIER,
//	    signedValue  BIT STRING,                 -- over SES_SealInfo
//	    timeStamp    [0] BIT STRING OPTIONAL }   -- version 5 only
//	SES_SealInfo ::= SEQUENCE {
//	    header    SEQUENCE { iD IA5String ("ES"), version INTEGER, vid IA5String },
//	    esID      IA5String,
//	    property  SES_ESPropertyInfo,
//	    picture   SEQUENCE { type IA5String, data OCTET STRING, width INTEGER, height INTEGER },
//	    extDatas  SEQUENCE OF ExtData OPTIONAL }
//	SES_ESPropertyInfo ::= SEQUENCE {
//	    type INTEGER, name UTF8String, certListType INTEGER,
//	    certList  SEQUENCE OF (OCTET STRING | SEQUENCE { type PrintableString, value OCTET STRING }),
//	    createDate GeneralizedTime, validStart GeneralizedTime, validEnd GeneralizedTime }
//	ExtData ::= SEQUENCE { extnID OBJECT IDENTIFIER, critical BOOLEAN DEFAULT FALSE, extnValue OCTET STRING }
//
// GM/T 0031-2014 (version 1) has no certListType and UTCTime in SES_ESPropertyInfo, and
//
//	SESeal ::= SEQUENCE { esealInfo SES_SealInfo, signInfo SES_SignInfo }
//	SES_SignInfo ::= SEQUENCE {
//	    cert OCTET STRING, signatureAlgorithm OBJECT IDENTIFIER,
//	    signData BIT STRING }                    -- over SEQUENCE { esealInfo, cert, signatureAlgorithm }

// ParseSeal reads a DER SESeal of version 1, 4 or 5. The whole input is one seal: anything after it is refused
// (ses.trailing-data). Other errors: ses.malformed with field and offset, ses.version, ses.too-large, ses.too-many.
// The seal keeps der; do not change it afterwards.
func ParseSeal(der []byte) (*Seal, error) {
	r, c := open(der)
	if r.err != nil {
		return nil, r.err
	}
	s := c.seal(der)
	if r.err != nil {
		return nil, r.err
	}
	return s, nil
}

// seal reads the elements of a SESeal whose DER is raw. Its notes are the seal's, not those of a signature around it.
func (c *cursor) seal(raw []byte) *Seal {
	s := &Seal{Raw: raw}
	around := c.notes
	c.notes = nil
	start := c.rest
	switch elements := count(c.rest); elements {
	case 2:
		s.Version = Version1
		c.sealInfo(s)
		c.signInfo(s)
	case 4, 5:
		c.sealInfo(s)
		s.MakerCertificate = c.octets("cert")
		s.Algorithm = c.algorithm("signAlgID")
		s.Value = c.value("signedValue")
		if s.TimeStamp = c.timeStamp(); s.TimeStamp != nil && s.Version == Version4 {
			c.note(NoteSealTimeStamp)
		}
	default:
		c.fail(errMalformed, "SESeal", start)
	}
	c.end("SESeal")
	s.Notes, c.notes = c.notes, around
	return s
}

// count is the number of elements of a SEQUENCE, as far as it matters: at most 6.
func count(elements cryptobyte.String) int {
	n := 0
	var tag asn1.Tag
	var element cryptobyte.String
	for n < 6 && elements.ReadAnyASN1Element(&element, &tag) {
		n++
	}
	return n
}

// signInfo reads what version 1 has after the seal's information.
func (c *cursor) signInfo(s *Seal) {
	info := c.sequence("signInfo")
	start := info.rest
	s.MakerCertificate = info.octets("signInfo.cert")
	s.Algorithm = info.algorithm("signInfo.signatureAlgorithm")
	s.rawSignInfo = start[:len(start)-len(info.rest)]
	s.Value = info.value("signInfo.signData")
	info.end("signInfo")
}

func (c *cursor) sealInfo(s *Seal) {
	start := c.rest
	info := c.sequence("eSealInfo")
	s.RawInfo = start[:len(start)-len(c.rest)]
	info.header(s)
	s.ID = info.text("eSealInfo.esID", asn1.IA5String)
	info.property(s)
	info.picture(s)
	if s.Version != Version1 {
		s.Extensions = info.extensions(false)
		info.end("eSealInfo")
		return
	}
	// The text of version 1 forgets the tag number, so producers differ here: what cannot be read is left out.
	if info.more() {
		own := reading{whole: c.whole}
		extensions := cursor{&own, info.rest}
		s.Extensions = extensions.extensions(false)
		extensions.end("eSealInfo.extDatas")
		for _, n := range own.notes {
			c.note(n)
		}
		if own.err != nil {
			s.Extensions = nil
			c.note(NoteExtensions)
		}
	}
}

func (c *cursor) header(s *Seal) {
	header := c.sequence("eSealInfo.header")
	at := header.rest
	if id := header.text("eSealInfo.header.iD", asn1.IA5String); id != "ES" {
		c.fail(errMalformed, "eSealInfo.header.iD", at)
	}
	at = header.rest
	s.HeaderVersion = header.integer("eSealInfo.header.version", 1<<31-1)
	if s.Version != Version1 {
		s.Version = s.HeaderVersion
		if s.Version != Version4 && s.Version != Version5 {
			c.fail(errVersion, "eSealInfo.header.version", at)
		}
	}
	s.VendorID = header.text("eSealInfo.header.vid", asn1.IA5String)
	header.end("eSealInfo.header")
}

func (c *cursor) property(s *Seal) {
	property := c.sequence("eSealInfo.property")
	s.Type = property.integer("eSealInfo.property.type", 1<<31-1)
	s.Name = property.text("eSealInfo.property.name", asn1.UTF8String)
	timeTag := asn1.GeneralizedTime
	if s.Version == Version1 {
		timeTag = asn1.UTCTime
		s.CertListType = CertListCertificates
		property.certListV1(s)
	} else {
		at := property.rest
		s.CertListType = property.integer("eSealInfo.property.certListType", 1<<31-1)
		switch s.CertListType {
		case CertListCertificates:
			property.certificates(s)
		case CertListDigests:
			property.digests(s)
		default:
			c.fail(errMalformed, "eSealInfo.property.certListType", at)
		}
	}
	s.CreateDate, _ = property.when("eSealInfo.property.createDate", timeTag)
	s.ValidStart, _ = property.when("eSealInfo.property.validStart", timeTag)
	s.ValidEnd, _ = property.when("eSealInfo.property.validEnd", timeTag)
	property.end("eSealInfo.property")
}

const fieldCertList = "eSealInfo.property.certList"

func (c *cursor) certificates(s *Seal) {
	list := c.sequence(fieldCertList)
	for list.more() {
		if len(s.Certificates) == MaxCertificates {
			c.fail(errTooMany, fieldCertList, list.rest)
			return
		}
		certificate := list.octets(fieldCertList)
		if !isOneSequence(certificate) {
			c.note(NoteCertList)
		}
		s.Certificates = append(s.Certificates, certificate)
	}
}

func (c *cursor) digests(s *Seal) {
	list := c.sequence(fieldCertList)
	for list.more() {
		if len(s.Digests) == MaxCertificates {
			c.fail(errTooMany, fieldCertList, list.rest)
			return
		}
		entry := list.sequence(fieldCertList)
		d := CertDigest{Type: entry.text(fieldCertList+".type", asn1.PrintableString)}
		d.Value = entry.octets(fieldCertList + ".value")
		entry.end(fieldCertList)
		s.Digests = append(s.Digests, d)
	}
}

// certListV1 reads the list of version 1, of which producers made many things. Certificates count, also without the
// OCTET STRING around them, and so does an octet string as long as a digest; the rest is passed over, and then lists
// nobody.
func (c *cursor) certListV1(s *Seal) {
	tag, _, content := c.element(fieldCertList)
	if tag != asn1.SEQUENCE {
		c.note(NoteCertList)
		return
	}
	list := cursor{c.reading, content}
	for entries := 0; list.more(); entries++ {
		if entries == MaxCertificates {
			c.fail(errTooMany, fieldCertList, list.rest)
			return
		}
		tag, raw, content := list.element(fieldCertList)
		switch {
		case tag == asn1.OCTET_STRING && isOneSequence(content):
			s.Certificates = append(s.Certificates, content)
		case tag == asn1.OCTET_STRING && len(content) == sm3.Size:
			c.note(NoteCertList)
			s.Digests = append(s.Digests, CertDigest{Value: content})
		case tag == asn1.SEQUENCE:
			c.note(NoteCertList)
			s.Certificates = append(s.Certificates, raw)
		default:
			c.note(NoteCertList)
		}
	}
}

func (c *cursor) picture(s *Seal) {
	picture := c.sequence("eSealInfo.picture")
	kind := picture.text("eSealInfo.picture.type", asn1.IA5String)
	s.Picture.Type = strings.ToUpper(kind)
	if s.Picture.Type != kind {
		c.note(NotePictureType)
	}
	s.Picture.Data = picture.octets("eSealInfo.picture.data")
	s.Picture.Width = picture.integer("eSealInfo.picture.width", maxMillimetres)
	s.Picture.Height = picture.integer("eSealInfo.picture.height", maxMillimetres)
	picture.end("eSealInfo.picture")
}

// SignedBytes is what the maker's signature covers: SES_SealInfo as it stands in versions 4 and 5, in version 1 a
// SEQUENCE around information, certificate and algorithm as they stand.
func (s *Seal) SignedBytes() []byte {
	if s.Version != Version1 {
		return s.RawInfo
	}
	n := len(s.RawInfo) + len(s.rawSignInfo)
	signed := appendHeader(make([]byte, 0, headerSize(n)+n), byte(asn1.SEQUENCE), n)
	signed = append(signed, s.RawInfo...)
	return append(signed, s.rawSignInfo...)
}

// Lists tells whether the seal may be used with the DER certificate: it stands in certList byte for byte (type 1) or
// by its SM3 digest (type 2).
func (s *Seal) Lists(certificate []byte) bool {
	if len(certificate) == 0 {
		return false
	}
	for _, c := range s.Certificates {
		if bytes.Equal(c, certificate) {
			return true
		}
	}
	if len(s.Digests) == 0 {
		return false
	}
	digest := sm3.Sum(certificate)
	for _, d := range s.Digests {
		if bytes.Equal(d.Value, digest[:]) {
			return true
		}
	}
	return false
}

// TrueSize is the size of the imprint in millimetres: exact when the seal says so in Yinxin's extension
// (oid.TrueSizeDER), else the whole millimetres of the picture. An extension that contradicts the picture by a
// millimetre or more does not count.
func (s *Seal) TrueSize() (width, height float64) {
	width, height = float64(s.Picture.Width), float64(s.Picture.Height)
	for _, e := range s.Extensions {
		if !bytes.Equal(e.ID, oid.TrueSizeDER) {
			continue
		}
		r, c := open(e.Value)
		w, h := c.integer("width", maxMillimetres*1000), c.integer("height", maxMillimetres*1000)
		c.end("size")
		trueWidth, trueHeight := float64(w)/1000, float64(h)/1000
		if r.err == nil && near(trueWidth, width) && near(trueHeight, height) {
			return trueWidth, trueHeight
		}
	}
	return width, height
}

// near tells whether a size in millimetres can be the exact value of another that was rounded.
func near(exact, rounded float64) bool { return exact > rounded-1 && exact < rounded+1 }

// UnknownCritical gives the extensions that are marked critical and that this package does not know: who relies on a
// structure must know them.
func UnknownCritical(extensions []Extension) []Extension {
	var unknown []Extension
	for _, e := range extensions {
		if e.Critical && !bytes.Equal(e.ID, oid.TrueSizeDER) {
			unknown = append(unknown, e)
		}
	}
	return unknown
}
