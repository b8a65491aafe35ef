package conform

import (
	"bytes"
	"fmt"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"
)

const maxDepth = 24

const (
	tagUTF8      = der.Tag(12)
	tagNumeric   = der.Tag(18)
	tagPrintable = der.PrintableString
	tagIA5       = der.IA5String
)

// strictly checks that every octet is encoded as DER asks (X.690 clauses 10 and 11), also inside the extensions.
func strictly(c *certificate) string {
	if found := walk(c.whole, 0); found != "" {
		return found
	}
	for _, e := range c.extensions {
		if e.critical != nil && !e.isCritical() {
			return "a default value is written: extension " + e.id + " is critical FALSE"
		}
		if found := walk(e.value, 0); found != "" {
			return "in extension " + e.id + ": " + found
		}
	}
	return ""
}

func walk(s cryptobyte.String, depth int) string {
	if depth > maxDepth {
		return "it is nested too deeply"
	}
	for !s.Empty() {
		var content cryptobyte.String
		var tag der.Tag
		at := s
		// cryptobyte refuses what is not the shortest form of a length.
		if !s.ReadAnyASN1(&content, &tag) {
			return "a tag or a length is not DER"
		}
		constructed := at[0]&0x20 != 0
		universal := at[0]&0xc0 == 0
		list := at[0]&0x1f == 16 || at[0]&0x1f == 17 // SEQUENCE, SET
		if universal && constructed != list {
			return fmt.Sprintf("tag %#02x is constructed where DER has it primitive, or the other way", at[0])
		}
		if constructed {
			if tag == der.SET {
				if found := sorted(content); found != "" {
					return found
				}
			}
			if found := walk(content, depth+1); found != "" {
				return found
			}
			continue
		}
		if universal {
			if found := primitive(content, tag); found != "" {
				return found
			}
		}
	}
	return ""
}

// sorted checks the order of a SET OF (X.690 11.6).
func sorted(set cryptobyte.String) string {
	var last []byte
	for !set.Empty() {
		var one cryptobyte.String
		var tag der.Tag
		if !set.ReadAnyASN1Element(&one, &tag) {
			return "a tag or a length is not DER"
		}
		if bytes.Compare(last, one) > 0 {
			return "the members of a SET are not in order"
		}
		last = one
	}
	return ""
}

func primitive(v []byte, tag der.Tag) string {
	switch tag {
	case der.BOOLEAN:
		if len(v) != 1 || v[0] != 0 && v[0] != 0xff {
			return "a BOOLEAN is neither 00 nor FF"
		}
	case der.INTEGER, der.ENUM:
		if len(v) == 0 || len(v) > 1 && (v[0] == 0 && v[1] < 0x80 || v[0] == 0xff && v[1] >= 0x80) {
			return "an INTEGER is not in its shortest form"
		}
	case der.BIT_STRING:
		if len(v) == 0 || v[0] > 7 || len(v) == 1 && v[0] != 0 || len(v) > 1 && v[len(v)-1]&(1<<v[0]-1) != 0 {
			return "the unused bits of a BIT STRING are not zero"
		}
	case der.NULL:
		if len(v) != 0 {
			return "a NULL has content"
		}
	case der.OBJECT_IDENTIFIER:
		if !soundOID(v) {
			return "an OBJECT IDENTIFIER is not in its shortest form"
		}
	case tagUTF8:
		if !utf8.Valid(v) {
			return "a UTF8String is not UTF-8"
		}
	case tagPrintable:
		if !all(v, printable) {
			return "a PrintableString has other characters"
		}
	case tagIA5:
		if !all(v, func(b byte) bool { return b < 0x80 }) {
			return "an IA5String has other characters"
		}
	case tagNumeric:
		if !all(v, func(b byte) bool { return b == ' ' || digit(b) }) {
			return "a NumericString has other characters"
		}
	case der.UTCTime:
		if len(v) != 13 || v[12] != 'Z' || !all(v[:12], digit) {
			return "a UTCTime is not YYMMDDHHMMSSZ"
		}
	case der.GeneralizedTime:
		if len(v) != 15 || v[14] != 'Z' || !all(v[:14], digit) {
			return "a GeneralizedTime is not YYYYMMDDHHMMSSZ"
		}
	}
	return ""
}

func soundOID(v []byte) bool {
	if len(v) == 0 || v[len(v)-1]&0x80 != 0 {
		return false
	}
	for i, b := range v {
		if b == 0x80 && (i == 0 || v[i-1]&0x80 == 0) {
			return false
		}
	}
	return true
}

func all(v []byte, ok func(byte) bool) bool {
	for _, b := range v {
		if !ok(b) {
			return false
		}
	}
	return true
}

func digit(b byte) bool { return b >= '0' && b <= '9' }

func printable(b byte) bool {
	return digit(b) || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || bytes.IndexByte([]byte(" '()+,-./:=?"), b) >= 0
}
