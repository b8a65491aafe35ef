package chain

import (
	"encoding/asn1"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"

	"yinxin/internal/oid"
)

// Name is a distinguished name as a person reads it. It is not what names are compared by. An attribute that occurs
// several times is joined with " / ", so that none hides behind another; control and text-direction characters are
// replaced, so that a name cannot disguise itself in a report.
type Name struct {
	CommonName, Organisation, OrganisationalUnit, Country, Province, Locality, SerialNumber string
}

// String is the name as "CN=…,OU=…,O=…,L=…,ST=…,C=…", with the escapes of RFC 4514.
func (n Name) String() string {
	var b strings.Builder
	for _, part := range []struct{ label, value string }{
		{"CN", n.CommonName}, {"SERIALNUMBER", n.SerialNumber}, {"OU", n.OrganisationalUnit}, {"O", n.Organisation},
		{"L", n.Locality}, {"ST", n.Province}, {"C", n.Country},
	} {
		if part.value == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		b.WriteString(part.label)
		b.WriteByte('=')
		for i, r := range part.value {
			if strings.ContainsRune(`,+"\<>;`, r) || i == 0 && (r == '#' || r == ' ') {
				b.WriteByte('\\')
			}
			b.WriteRune(r)
		}
	}
	return b.String()
}

// attribute is one type and value of a distinguished name.
type attribute struct {
	kind  asn1.ObjectIdentifier
	value string
	odd   bool // the text is not what its string type promises
}

// readAttributes reads RDNSequence ::= SEQUENCE OF SET OF SEQUENCE { type OID, value ANY }. The number in sets tells how
// many attributes each RDN has.
func readAttributes(raw []byte) (attributes []attribute, sets []int, ok bool) {
	input := cryptobyte.String(raw)
	var sequence cryptobyte.String
	if !input.ReadASN1(&sequence, der.SEQUENCE) || !input.Empty() {
		return nil, nil, false
	}
	for !sequence.Empty() {
		var set cryptobyte.String
		if !sequence.ReadASN1(&set, der.SET) || set.Empty() {
			return nil, nil, false
		}
		count := 0
		for !set.Empty() {
			var pair, value cryptobyte.String
			var tag der.Tag
			if len(attributes) == maxAttributes || !set.ReadASN1(&pair, der.SEQUENCE) {
				return nil, nil, false
			}
			kind, ok := readOID(&pair)
			if !ok || !pair.ReadAnyASN1(&value, &tag) || !pair.Empty() {
				return nil, nil, false
			}
			text, sound := decodeText(value, tag)
			attributes = append(attributes, attribute{kind, text, !sound})
			count++
		}
		sets = append(sets, count)
	}
	return attributes, sets, true
}

// parseName gives the readable name of a raw one, and its folded form (foldName). A name that cannot be taken apart
// is empty, and noted.
func parseName(raw []byte, n *notes) (Name, string) {
	var name Name
	attributes, sets, ok := readAttributes(raw)
	if !ok {
		n.add("a name is not encoded as X.501 asks")
		return Name{}, foldedRaw(raw)
	}
	for _, a := range attributes {
		if a.odd {
			n.add("a name has text that is not what its type promises")
		}
		var field *string
		switch {
		case a.kind.Equal(oid.CommonName):
			field = &name.CommonName
		case a.kind.Equal(oid.Organisation):
			field = &name.Organisation
		case a.kind.Equal(oid.OrganisationalUnit):
			field = &name.OrganisationalUnit
		case a.kind.Equal(oid.Country):
			field = &name.Country
		case a.kind.Equal(oid.Province):
			field = &name.Province
		case a.kind.Equal(oid.Locality):
			field = &name.Locality
		case a.kind.Equal(oid.SerialNumberAttr):
			field = &name.SerialNumber
		default:
			continue
		}
		if *field != "" {
			*field += " / "
		}
		*field += a.value
	}
	return name, foldName(attributes, sets)
}

// ParseName reads a distinguished name that stands outside of a certificate, with tag and length, as those of certificates
// are read. The notes name the leniencies that it took.
func ParseName(raw []byte) (Name, []string) {
	var n notes
	name, _ := parseName(raw, &n)
	return name, n
}

// foldedRaw is the folded form of a name that cannot be taken apart: it is only equal to its own octets.
func foldedRaw(raw []byte) string { return "raw:" + string(raw) }

// foldName gives the form by which names are compared (RFC 5280 7.1): string types, case and runs of white space do not
// count.
func foldName(attributes []attribute, sets []int) string {
	var b strings.Builder
	b.WriteString("name:")
	next := 0
	for _, count := range sets {
		b.WriteString("\x00\x00")
		for _, a := range attributes[next : next+count] {
			b.WriteByte(0)
			b.WriteString(a.kind.String())
			b.WriteByte('=')
			b.WriteString(strings.ToLower(strings.Join(strings.Fields(a.value), " ")))
		}
		next += count
	}
	return b.String()
}

// SameName says whether two names, with tag and length, are the same as RFC 5280 7.1 compares them: string types, case and
// runs of white space do not count. Names that cannot be taken apart are the same only octet for octet.
func SameName(a, b []byte) bool {
	var ignored notes
	_, first := parseName(a, &ignored)
	_, second := parseName(b, &ignored)
	return first == second
}

// decodeText reads the string types that names use. T61String and wrongly tagged values are taken as UTF-8 when they
// are UTF-8, as ISO 8859-1 otherwise.
func decodeText(value []byte, tag der.Tag) (text string, sound bool) {
	const (
		utf8String      = der.Tag(12)
		numericString   = der.Tag(18)
		universalString = der.Tag(28)
		bmpString       = der.Tag(30)
	)
	sound = true
	switch {
	case tag == bmpString && len(value)%2 == 0:
		units := make([]uint16, len(value)/2)
		for i := range units {
			units[i] = uint16(value[2*i])<<8 | uint16(value[2*i+1])
		}
		text = string(utf16.Decode(units))
	case tag == universalString && len(value)%4 == 0:
		var b strings.Builder
		for i := 0; i < len(value); i += 4 {
			b.WriteRune(rune(uint32(value[i])<<24 | uint32(value[i+1])<<16 | uint32(value[i+2])<<8 | uint32(value[i+3])))
		}
		text = b.String()
	case utf8.Valid(value):
		text = string(value)
		ascii := tag == der.PrintableString || tag == der.IA5String || tag == numericString
		sound = tag == utf8String || tag == der.T61String || ascii && isASCII(value)
	default:
		sound = tag == der.T61String
		runes := make([]rune, len(value))
		for i, b := range value {
			runes[i] = rune(b)
		}
		text = string(runes)
	}
	clean := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return unicode.ReplacementChar
		}
		return r
	}, text)
	return clean, sound && clean == text
}

func isASCII(value []byte) bool {
	for _, b := range value {
		if b >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
