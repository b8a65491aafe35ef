package pdf

import (
	"bytes"
	"encoding/binary"
	"encoding/xml"
	"io"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"yinxin/internal/fault"
)

// PDFA is what a document claims to be in the family ISO 19005, and what of that matters for a seal. The zero value claims
// nothing. A claim is not checked: a seal must not be what makes it untrue.
type PDFA struct {
	// Part is the part of ISO 19005: 1 to 4, or what the document says; 0 for no claim.
	Part int
	// Level is the level of conformance, "A", "B" or "U"; part 4 may have none, "E" or "F".
	Level string
	// Intent reports whether there is an output intent with a profile, IntentRGB whether the profile is for red, green and
	// blue: then these need no colour space of their own.
	Intent, IntentRGB bool
}

// Claimed reports whether the document claims to be PDF/A.
func (c PDFA) Claimed() bool { return c.Part != 0 }

// String is "PDF/A-2b", or empty.
func (c PDFA) String() string {
	if c.Part == 0 {
		return ""
	}
	return "PDF/A-" + strconv.Itoa(c.Part) + strings.ToLower(c.Level)
}

// pdfaNamespace is that of the identification schema (ISO 19005-1, 6.7.11).
const pdfaNamespace = "http://www.aiim.org/pdfa/ns/id/"

const maxIntents = 32

// PDFA reads the claim from the document's metadata. Metadata that cannot be read claim nothing. Errors: those of reading
// objects.
func (d *Document) PDFA() (PDFA, error) {
	catalog, _, err := d.Catalog()
	if err != nil {
		return PDFA{}, err
	}
	o, err := d.Resolve(catalog.Get("Metadata"))
	if err != nil {
		return PDFA{}, unlessDamaged(err)
	}
	s, ok := o.(*Stream)
	if !ok || s.Length > maxMetadata {
		return PDFA{}, nil
	}
	data, err := d.StreamData(s, maxMetadata)
	if err != nil && unlessDamaged(err) != nil {
		return PDFA{}, err
	}
	c := readClaim(data)
	if c.Part == 0 {
		return c, nil
	}
	c.Intent, c.IntentRGB, err = d.outputIntent(catalog)
	return c, unlessDamaged(err)
}

// unlessDamaged drops errors that only say that metadata are no good.
func unlessDamaged(err error) error {
	for _, s := range []fault.Spec{errDamagedStream, errUnsupportedFilter, errDamagedObject, errTooLarge, errTooDeep} {
		if fault.Has(err, s) {
			return nil
		}
	}
	return err
}

// outputIntent looks for the output intent of PDF/A (ISO 19005-1, 6.2.2).
func (d *Document) outputIntent(catalog Dict) (there, rgb bool, err error) {
	o, err := d.Resolve(catalog.Get("OutputIntents"))
	if err != nil {
		return false, false, err
	}
	intents, _ := o.(Array)
	for i, entry := range intents {
		if i == maxIntents {
			break
		}
		o, err := d.Resolve(entry)
		if err != nil {
			return false, false, err
		}
		intent, _ := o.(Dict)
		if kind, err := d.Resolve(intent.Get("S")); err != nil || kind != Name("GTS_PDFA1") {
			continue
		}
		profile, err := d.Resolve(intent.Get("DestOutputProfile"))
		if err != nil {
			return false, false, err
		}
		s, ok := profile.(*Stream)
		if !ok {
			continue
		}
		components, err := d.integerOr(s.Dict.Get("N"), 0)
		return true, components == 3, err
	}
	return false, false, nil
}

// readClaim finds the part and the level in XMP, as elements or as attributes, in any of the descriptions. Nothing is
// read but the names of elements and attributes, and short texts in two of them; entities other than those of XML itself
// are not resolved.
func readClaim(data []byte) PDFA {
	data = inUTF8(data)
	if !bytes.Contains(data, []byte(pdfaNamespace)) {
		return PDFA{}
	}
	reader := xml.NewDecoder(bytes.NewReader(data))
	reader.Strict = false
	reader.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	var c PDFA
	take := func(key, value string) {
		value = strings.TrimSpace(value)
		switch key {
		case "part":
			if n, err := strconv.Atoi(value); err == nil && n > 0 && n < 100 && c.Part == 0 {
				c.Part = n
			}
		case "conformance":
			if len(value) <= 8 && c.Level == "" {
				c.Level = strings.ToUpper(value)
			}
		}
	}
	open := "" // the element of the schema whose text comes next
	for c.Part == 0 || c.Level == "" {
		token, err := reader.Token()
		if err != nil {
			break
		}
		switch t := token.(type) {
		case xml.StartElement:
			open = ""
			if t.Name.Space == pdfaNamespace {
				open = t.Name.Local
			}
			for _, a := range t.Attr {
				if a.Name.Space == pdfaNamespace {
					take(a.Name.Local, a.Value)
				}
			}
		case xml.CharData:
			if open != "" {
				take(open, string(t[:min(len(t), 64)]))
			}
		case xml.EndElement:
			open = ""
		}
	}
	if c.Part == 0 {
		return PDFA{}
	}
	return c
}

// inUTF8 converts XMP that is written in UTF-16 or UTF-32, by the byte order mark or the zeros in its first character
// (XMP Specification Part 1, 7.3).
func inUTF8(data []byte) []byte {
	if len(data) < 4 {
		return data
	}
	var order binary.ByteOrder
	switch {
	case data[0] == 0xFE && data[1] == 0xFF, data[0] == 0 && data[1] != 0:
		order = binary.BigEndian
	case data[0] == 0xFF && data[1] == 0xFE, data[0] != 0 && data[1] == 0:
		order = binary.LittleEndian
	default:
		return data
	}
	units := make([]uint16, len(data)/2)
	for i := range units {
		units[i] = order.Uint16(data[2*i:])
	}
	var out []byte
	for _, r := range utf16.Decode(units) {
		if r != 0 && r != '\uFEFF' {
			out = utf8.AppendRune(out, r)
		}
	}
	return out
}
