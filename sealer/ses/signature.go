package ses

import (
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"yinxin/internal/fault"
)

// The structures, all tags EXPLICIT. GB/T 38540-2020, 7.1 (version 4) and GM/T 0031-2025 (version 5):
//
//	SES_Signature ::= SEQUENCE {
//	    toSign          TBS_Sign,
//	    cert            OCTET STRING,               -- certificate of the signer
//	    signatureAlgID  OBJECT IDENTIFIER,
//	    signature       BIT STRING,                 -- over TBS_Sign
//	    timeStamp       [0] BIT STRING OPTIONAL }   -- token over the signature value
//	TBS_Sign ::= SEQUENCE {
//	    version       INTEGER,                      -- that of the seal
//	    eseal         SESeal,
//	    timeInfo      GeneralizedTime,
//	    dataHash      BIT STRING,                   -- SM3 of the protected data, without Z
//	    propertyInfo  IA5String,
//	    extDatas      [0] ExtensionDatas OPTIONAL }
//
// GM/T 0031-2014 (version 1):
//
//	SES_Signature ::= SEQUENCE { toSign TBS_Sign, signature BIT STRING }
//	TBS_Sign ::= SEQUENCE {
//	    version INTEGER, eseal SESeal,
//	    timeInfo BIT STRING,                        -- UTCTime or time-stamp token; seen also as text
//	    dataHash BIT STRING, propertyInfo IA5String,
//	    cert OCTET STRING, signatureAlgorithm OBJECT IDENTIFIER }

// ParseSignature reads a DER SES_Signature of version 1, 4 or 5 with the seal in it. The whole input is one
// signature: cut off padding before. Errors as for ParseSeal. The signature keeps der; do not change it afterwards.
func ParseSignature(der []byte) (*Signature, error) {
	r, c := open(der)
	if r.err != nil {
		return nil, r.err
	}
	s := &Signature{Raw: der}
	start := c.rest
	switch elements := count(c.rest); elements {
	case 2:
		s.Version = Version1
		c.toSign(s)
		s.Value = c.value("signature")
	case 4, 5:
		c.toSign(s)
		s.Certificate = c.octets("cert")
		s.Algorithm = c.algorithm("signatureAlgID")
		s.Value = c.value("signature")
		s.TimeStamp = c.timeStamp()
	default:
		c.fail(errMalformed, "SES_Signature", start)
	}
	c.end("SES_Signature")
	if r.err != nil {
		return nil, r.err
	}
	s.Notes = r.notes
	return s, nil
}

// ParseToSign reads a DER TBS_Sign of version 4 or 5 alone: what somebody is asked to sign. Only the fields that are in it
// are set. Errors as for ParseSeal.
func ParseToSign(der []byte) (*Signature, error) {
	r := &reading{whole: der}
	if len(der) > MaxSize {
		return nil, errTooLarge.With("%d > %d bytes", len(der), MaxSize)
	}
	c := cursor{r, der}
	s := &Signature{Raw: der}
	c.toSign(s)
	if c.more() {
		return nil, errTrailing.At(fault.Offset(r.offset(c.rest)))
	}
	if r.err != nil {
		return nil, r.err
	}
	s.Notes = r.notes
	return s, nil
}

func (c *cursor) toSign(s *Signature) {
	start := c.rest
	tbs := c.sequence("toSign")
	s.RawTBS = start[:len(start)-len(c.rest)]
	atVersion := tbs.rest
	version := tbs.integer("toSign.version", 1<<31-1)

	atSeal := tbs.rest
	seal := tbs.sequence("toSign.eseal")
	s.Seal = seal.seal(atSeal[:len(atSeal)-len(tbs.rest)])
	if s.Version == Version1 {
		if s.Seal.Version != Version1 {
			c.fail(errVersion, "toSign.eseal", atSeal)
		}
		tbs.toSignV1(s)
		return
	}
	if s.Seal.Version == Version1 {
		c.fail(errVersion, "toSign.eseal", atSeal)
	}
	if s.Version = s.Seal.Version; version != s.Version {
		c.fail(errVersion, "toSign.version", atVersion)
	}
	s.Time, s.TimeText = tbs.when("toSign.timeInfo", asn1.GeneralizedTime)
	s.DataHash = tbs.bits("toSign.dataHash")
	s.PropertyInfo = tbs.text("toSign.propertyInfo", asn1.IA5String)
	s.Extensions = tbs.extensions(true)
	tbs.end("toSign")
}

// toSignV1 reads what follows the seal in version 1.
func (c *cursor) toSignV1(s *Signature) {
	c.timeV1(s)
	s.DataHash = c.bits("toSign.dataHash")
	s.PropertyInfo = c.text("toSign.propertyInfo", asn1.IA5String)
	s.Certificate = c.octets("toSign.cert")
	s.Algorithm = c.algorithm("toSign.signatureAlgorithm")
	c.end("toSign")
}

// timeV1 reads timeInfo of version 1: a BIT STRING around a UTCTime, a GeneralizedTime, a token or text, or one of
// the two times without the BIT STRING. A time that cannot be understood is noted and left zero.
func (c *cursor) timeV1(s *Signature) {
	if c.is(asn1.UTCTime) || c.is(asn1.GeneralizedTime) {
		s.Time, s.TimeText = c.when("toSign.timeInfo", asn1.UTCTime)
		c.note(NoteTimeType)
		return
	}
	content := c.bits("toSign.timeInfo")
	if c.err != nil {
		return
	}
	if isOneSequence(content) {
		c.note(NoteTimeToken)
		s.TimeStamp = content
		var ok bool
		if s.Time, ok = tokenTime(content); !ok {
			c.note(NoteTimeUnreadable)
		}
		return
	}
	inner := cryptobyte.String(content)
	for _, tag := range []asn1.Tag{asn1.UTCTime, asn1.GeneralizedTime} {
		var text cryptobyte.String
		if !inner.PeekASN1Tag(tag) || !inner.ReadASN1(&text, tag) || !inner.Empty() {
			inner = content
			continue
		}
		if t, notes, ok := readTime(tag, text); ok {
			for _, n := range notes {
				c.note(n)
			}
			if tag != asn1.UTCTime {
				c.note(NoteTimeType)
			}
			s.Time, s.TimeText = t, string(text)
			return
		}
	}
	s.TimeText = printable(content)
	t, local, ok := readTextTime(s.TimeText)
	switch {
	case !ok:
		c.note(NoteTimeUnreadable)
	case local:
		c.note(NoteTimeType)
		c.note(NoteLocalTime)
	default:
		c.note(NoteTimeType)
	}
	s.Time = t
}

// IsSignature tells whether data begins like an SES_Signature of any version, by its first few headers: neither a
// CMS message nor a certificate does. It says nothing about the rest, which may be cut off or padded.
func IsSignature(der []byte) bool {
	// SES_Signature, TBS_Sign, version; SESeal, SES_SealInfo, header, iD.
	rest, ok := enter(der, asn1.SEQUENCE)
	if ok {
		rest, ok = enter(rest, asn1.SEQUENCE)
	}
	if !ok || len(rest) < 2 || rest[0] != byte(asn1.INTEGER) || rest[1] > 16 || len(rest) < 2+int(rest[1]) {
		return false
	}
	rest = rest[2+int(rest[1]):]
	for range 3 {
		if rest, ok = enter(rest, asn1.SEQUENCE); !ok {
			return false
		}
	}
	return len(rest) > 0 && isTextTag(asn1.Tag(rest[0]))
}

// enter skips a header with the tag; the content need not be there.
func enter(data []byte, tag asn1.Tag) (content []byte, ok bool) {
	if len(data) < 2 || data[0] != byte(tag) {
		return nil, false
	}
	n := 0
	if data[1] >= 0x80 {
		n = int(data[1] & 0x7f)
	}
	if n > 4 || len(data) < 2+n {
		return nil, false
	}
	return data[2+n:], true
}
