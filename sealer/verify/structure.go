package verify

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"yinxin/ca/cms"
	"yinxin/sealer/pdf"
	"yinxin/sealer/ses"
)

// checkStructure applies the rules that need nothing but the field and the length of the file: exactly one reading of
// the signature dictionary, a ByteRange of two parts around exactly this signature's Contents, and a structure in
// Contents followed by nothing but zero bytes.
func (v *verification) checkStructure(s *signature) {
	if s.verdict == Valid { // not an orphan
		v.checkField(s)
	}
	ranges, err := s.field.ByteRange()
	if err != nil {
		s.check(CheckByteRange, Failed, Invalid, sentences(err))
	} else {
		v.checkByteRange(s, ranges)
	}
	contents, err := s.field.Contents()
	switch {
	case err != nil:
		s.check(CheckContents, Failed, Invalid, sentences(err))
	case len(contents.Value) > maxContents:
		s.check(CheckContents, Failed, Undetermined, text{"签名数据过大，未检查。", "The signature structure is too large and was not checked."})
	default:
		v.checkContents(s, contents)
	}
	s.sound = s.verdict == Valid && s.end > 0
}

func (v *verification) checkField(s *signature) {
	f := s.field
	switch {
	case f.Dict == nil:
		s.check(CheckField, Failed, Invalid, text{"签名域没有签名数据。", "The signature field has no signature."})
	case v.ambiguous(f):
		s.check(CheckField, Failed, Invalid, text{"签名域或签名字典重复写了同一个键，含义不明。", "The signature field or its signature has the same key twice, so its meaning is not clear."})
	case len(f.Problems) > 0:
		problem := clip(f.Problems[0], 200)
		s.check(CheckField, Note, Valid, text{"签名域的结构少见：" + problem + "。", "The signature field is unusual: " + problem + "."})
	default:
		s.ok(CheckField, text{"签名域结构正确。", "The signature field is well made."})
	}
}

// ambiguous tells whether the field or its signature has a key twice: readers disagree on which counts.
func (v *verification) ambiguous(f pdf.SignatureField) bool {
	o, err := v.doc.Resolve(f.Field)
	field, _ := o.(pdf.Dict)
	_, twice := field.Duplicate()
	_, twiceBelow := f.Dict.Duplicate()
	return err != nil || twice || twiceBelow
}

// checkByteRange checks the four numbers against the file.
func (v *verification) checkByteRange(s *signature, r [4]int64) {
	const most = 1 << 62
	good := r[0] == 0 && r[1] > 0 && r[2] > r[1] && r[3] > 0 && r[2] < most && r[3] < most && r[2]+r[3] <= v.size
	if !good {
		s.check(CheckByteRange, Failed, Invalid, text{
			fmt.Sprintf("签名覆盖范围 %v 不成立。", r), fmt.Sprintf("The ByteRange %v is not possible.", r)})
		return
	}
	s.gap = [2]int64{r[1], r[2]}
	s.end = r[2] + r[3]
	s.out.CoveredBytes = s.end
}

// checkContents checks that Contents stands exactly in the gap and takes its structure out.
func (v *verification) checkContents(s *signature, c pdf.String) {
	if s.end == 0 {
		s.skip(CheckContents, text{"签名覆盖范围不成立，未检查。", "Not checked, since the ByteRange is not possible."})
		return
	}
	if !c.Hex || c.Start != s.gap[0] || c.End != s.gap[1] {
		s.check(CheckByteRange, Failed, Invalid, text{
			"签名未覆盖的空隙不正好是它自己的签名数据。", "The gap that the signature leaves is not exactly its own Contents."})
		return
	}
	if white, err := v.whiteSpaceInGap(s); err != nil || white {
		s.check(CheckByteRange, Failed, Invalid, text{
			"签名未覆盖的空隙中夹有空白。", "There is white space in the gap that the signature leaves."})
		return
	}
	if s.field.DictStart >= s.gap[0] || s.field.DictEnd < s.gap[1] || s.field.DictEnd > s.end {
		s.check(CheckByteRange, Failed, Invalid, text{
			"签名字典不在它自己覆盖的范围内。", "The signature dictionary is not inside what it covers."})
		return
	}
	s.ok(CheckByteRange, text{"签名覆盖范围正确。", "The ByteRange is right."})
	if s.out.SubFilter == subFilterX509 && len(c.Value) > 0 && c.Value[0] == 0x04 {
		s.out.Profile = "x509.rsa"
		s.ok(CheckContents, text{"签名数据是旧式的 RSA 签名值。", "Contents is a bare RSA value of the old type."})
		return
	}
	der, ok := cutPadding(c.Value)
	if !ok {
		s.check(CheckContents, Failed, Invalid, text{
			"签名数据缺失、为空或不完整。", "The signature structure is missing, empty or cut off."})
		return
	}
	s.contents = der
	if v.takeContents(s); s.out.Kind == KindUnknown {
		s.check(CheckContents, Failed, Invalid, text{
			"签名数据既不是电子签章也不是数字签名。", "The signature structure is neither a seal signature nor a signed message."})
		return
	}
	s.ok(CheckContents, text{"签名数据完整，其后只有零字节。", "The signature structure is complete, with only zero bytes after it."})
}

// takeContents reads what stands in Contents, and finds out over which digest it was made. The kind stays unknown for
// what is no signature.
func (v *verification) takeContents(s *signature) {
	switch der := s.contents; {
	case ses.IsSignature(der):
		s.out.Kind, s.out.Profile = KindSeal, "seal"
		s.need = needSM3
		s.seal, s.sealErr = ses.ParseSignature(der)
	case isSignedData(der):
		v.takeMessage(s, der)
	}
}

// subFilterX509 is the type of PDF 1.3 (ISO 32000-1, 12.8.3.2): a bare RSA value over SHA-1, the certificate in /Cert.
const subFilterX509 = "adbe.x509.rsa_sha1"

// whiteSpaceInGap looks for white space among the digits of Contents. PDF readers skip it, and an odd number of digits
// counts as if a zero followed, so that the length alone does not show it (signature wrapping attack).
func (v *verification) whiteSpaceInGap(s *signature) (bool, error) {
	inMemory, _ := v.reader.(memory)
	var buffer []byte
	for at := s.gap[0]; at < s.gap[1]; {
		n := min(4096, s.gap[1]-at)
		var digits []byte
		if inMemory != nil {
			digits = inMemory.view(at, n)
		}
		if len(digits) == 0 {
			if buffer == nil {
				buffer = make([]byte, n)
			}
			digits = buffer[:n]
			if err := readFull(v.reader, digits, at); err != nil {
				return false, err
			}
		}
		for _, white := range []byte(" \r\n\t\f\x00") {
			if bytes.IndexByte(digits, white) >= 0 {
				return true, nil
			}
		}
		at += int64(len(digits))
	}
	return false, nil
}

// cutPadding gives the one element at the start of data, if everything after it is zero.
func cutPadding(data []byte) ([]byte, bool) {
	if len(data) < 2 || data[0] != 0x30 {
		return nil, false
	}
	if data[1] == 0x80 {
		// Indefinite length: some signed messages are BER, and only reading them through shows where they end.
		element, rest, err := cms.Element(data)
		return element, err == nil && onlyZeros(rest)
	}
	header, length := 2, int(data[1])
	if data[1] > 0x80 {
		n := int(data[1] & 0x7f)
		if n > 4 || len(data) < 2+n {
			return nil, false
		}
		var wide [8]byte
		copy(wide[8-n:], data[2:2+n])
		header, length = 2+n, int(binary.BigEndian.Uint64(wide[:]))
	}
	if length == 0 || length > len(data)-header {
		return nil, false
	}
	return data[:header+length], onlyZeros(data[header+length:])
}

func onlyZeros(data []byte) bool {
	for _, b := range data {
		if b != 0 {
			return false
		}
	}
	return true
}

// Object identifiers of SignedData: RFC 5652 and GB/T 35275 (1.2.156.10197.6.1.4.2.2), content octets with header.
var (
	oidSignedData   = []byte{0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02}
	oidSignedDataGM = []byte{0x06, 0x0a, 0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x06, 0x01, 0x04, 0x02, 0x02}
)

// isSignedData tells whether a DER element is a ContentInfo with SignedData in it.
func isSignedData(der []byte) bool {
	body := der[2:]
	if der[1] > 0x80 { // not the indefinite form
		body = der[2+int(der[1]&0x7f):]
	}
	return hasPrefix(body, oidSignedData) || hasPrefix(body, oidSignedDataGM)
}

func hasPrefix(b, prefix []byte) bool {
	return len(b) >= len(prefix) && string(b[:len(prefix)]) == string(prefix)
}
