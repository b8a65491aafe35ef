package ses

import (
	encoding "encoding/asn1"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"yinxin/internal/fault"
)

const (
	tagZero          = asn1.Tag(0xa0) // [0] EXPLICIT
	tagVisibleString = asn1.Tag(26)
)

// reading is the state of reading one structure: the first error stops it, every leniency is noted once.
type reading struct {
	whole []byte
	notes []string
	err   error
}

// cursor walks through the elements of one SEQUENCE. After an error every method gives a zero value, so that a
// structure can be read top to bottom and the error looked at once. Field names are the standard's, for the error.
type cursor struct {
	*reading
	rest cryptobyte.String
}

// open starts reading an input that must be one SEQUENCE and nothing after it.
func open(der []byte) (*reading, cursor) {
	r := &reading{whole: der}
	if len(der) > MaxSize {
		r.err = errTooLarge.With("%d > %d bytes", len(der), MaxSize)
		return r, cursor{reading: r}
	}
	outer := cursor{r, der}
	inner := outer.sequence("")
	if r.err == nil && !outer.rest.Empty() {
		r.err = errTrailing.At(fault.Offset(r.offset(outer.rest)))
	}
	return r, inner
}

// offset is where a part of the input begins. All parts are sub-slices that keep the capacity of the input.
func (r *reading) offset(part []byte) int64 { return int64(cap(r.whole) - cap(part)) }

func (r *reading) note(n string) {
	for _, have := range r.notes {
		if have == n {
			return
		}
	}
	r.notes = append(r.notes, n)
}

func (r *reading) fail(spec fault.Spec, field string, at []byte) {
	if r.err == nil {
		offset := r.offset(at)
		r.err = spec.At(fault.Place{Field: field, Offset: &offset})
	}
}

// more tells whether elements are left.
func (c *cursor) more() bool { return c.err == nil && !c.rest.Empty() }

// is tells whether the next element has the tag.
func (c *cursor) is(tag asn1.Tag) bool { return c.more() && c.rest.PeekASN1Tag(tag) }

// end demands that nothing is left.
func (c *cursor) end(field string) {
	if c.more() {
		c.fail(errMalformed, field, c.rest)
	}
}

// element takes the next element, whatever it is: with its header, and its content.
func (c *cursor) element(field string) (tag asn1.Tag, raw, content cryptobyte.String) {
	if c.err != nil {
		return 0, nil, nil
	}
	at := c.rest
	if !c.rest.ReadAnyASN1Element(&raw, &tag) {
		c.fail(errMalformed, field, at)
		return 0, nil, nil
	}
	content = raw
	// The header was checked a line above; reading it again only finds where the content begins.
	content.ReadAnyASN1(&content, &tag)
	return tag, raw, content
}

func (c *cursor) sequence(field string) cursor {
	at := c.rest
	tag, _, content := c.element(field)
	if tag != asn1.SEQUENCE {
		c.fail(errMalformed, field, at)
	}
	return cursor{c.reading, content}
}

// integer takes an INTEGER from 0 to max.
func (c *cursor) integer(field string, max int) int {
	at := c.rest
	tag, _, content := c.element(field)
	if tag != asn1.INTEGER || len(content) == 0 || len(content) > 16 || content[0] >= 0x80 {
		c.fail(errMalformed, field, at)
		return 0
	}
	if len(content) > 1 && content[0] == 0 && content[1] < 0x80 {
		c.note(NoteInteger)
	}
	n := 0
	for _, b := range content {
		if n > max>>8 {
			c.fail(errMalformed, field, at)
			return 0
		}
		n = n<<8 | int(b)
	}
	if n > max {
		c.fail(errMalformed, field, at)
		return 0
	}
	return n
}

// text takes a character string. want is the standard's type; the other types whose bytes are UTF-8 are read too.
func (c *cursor) text(field string, want asn1.Tag) string {
	at := c.rest
	tag, _, content := c.element(field)
	if !isTextTag(tag) {
		c.fail(errMalformed, field, at)
		return ""
	}
	if tag != want {
		c.note(NoteStringType)
	}
	if len(content) > maxText {
		c.fail(errTooLarge, field, at)
		return ""
	}
	if !utf8.Valid(content) {
		c.note(NoteNotUTF8)
		return strings.ToValidUTF8(string(content), "\uFFFD")
	}
	return string(content)
}

func isTextTag(tag asn1.Tag) bool {
	switch tag {
	case asn1.IA5String, asn1.PrintableString, asn1.UTF8String, asn1.T61String, tagVisibleString:
		return true
	}
	return false
}

func (c *cursor) octets(field string) []byte {
	at := c.rest
	tag, _, content := c.element(field)
	if tag != asn1.OCTET_STRING {
		c.fail(errMalformed, field, at)
	}
	return content
}

// bits takes a BIT STRING of whole octets.
func (c *cursor) bits(field string) []byte {
	at := c.rest
	tag, _, content := c.element(field)
	switch {
	case tag == asn1.BIT_STRING && len(content) > 0 && content[0] == 0:
		return content[1:]
	case tag == asn1.OCTET_STRING:
		c.note(NoteOctetString)
		return content
	}
	c.fail(errMalformed, field, at)
	return nil
}

// algorithm takes an OBJECT IDENTIFIER, or an AlgorithmIdentifier without parameters that matter.
func (c *cursor) algorithm(field string) encoding.ObjectIdentifier {
	if c.is(asn1.SEQUENCE) {
		c.note(NoteAlgorithm)
		inner := c.sequence(field)
		id := inner.algorithmID(field)
		if inner.is(asn1.NULL) {
			inner.element(field)
		}
		inner.end(field)
		return id
	}
	return c.algorithmID(field)
}

func (c *cursor) algorithmID(field string) encoding.ObjectIdentifier {
	if c.err != nil {
		return nil
	}
	var id encoding.ObjectIdentifier
	at := c.rest
	if _, _, content := c.element(field); len(content) > 64 || !at.ReadASN1ObjectIdentifier(&id) {
		c.fail(errMalformed, field, at)
	}
	return id
}

// when takes a UTCTime or a GeneralizedTime, of which want is the standard's.
func (c *cursor) when(field string, want asn1.Tag) (time.Time, string) {
	at := c.rest
	tag, _, content := c.element(field)
	t, notes, ok := readTime(tag, content)
	if !ok {
		c.fail(errMalformed, field, at)
		return time.Time{}, ""
	}
	if tag != want {
		c.note(NoteTimeType)
	}
	for _, n := range notes {
		c.note(n)
	}
	return t, string(content)
}

// timeStamp takes the optional [0] BIT STRING: nil when it is absent.
func (c *cursor) timeStamp() []byte {
	if !c.is(tagZero) {
		return nil
	}
	_, _, content := c.element("timeStamp")
	inner := cursor{c.reading, content}
	token := inner.bits("timeStamp")
	inner.end("timeStamp")
	return token
}

// extensions takes the optional extDatas. The standards tag them in TBS_Sign and not in SES_SealInfo; both places
// are read with and without the tag.
func (c *cursor) extensions(tagged bool) []Extension {
	switch {
	case c.is(tagZero):
		_, _, content := c.element("extDatas")
		list := cursor{c.reading, content}
		if !tagged {
			c.note(NoteExtensionTag)
		}
		entries := list.sequence("extDatas")
		list.end("extDatas")
		return entries.extensionList()
	case c.is(asn1.SEQUENCE):
		if tagged {
			c.note(NoteExtensionTag)
		}
		entries := c.sequence("extDatas")
		return entries.extensionList()
	}
	return nil
}

func (c *cursor) extensionList() []Extension {
	var all []Extension
	for c.more() {
		if len(all) == MaxExtensions {
			c.fail(errTooMany, "extDatas", c.rest)
			return nil
		}
		entry := c.sequence("extDatas")
		at := entry.rest
		tag, _, id := entry.element("extDatas.extnID")
		if tag != asn1.OBJECT_IDENTIFIER || len(id) == 0 || id[len(id)-1] >= 0x80 {
			entry.fail(errMalformed, "extDatas.extnID", at)
		}
		e := Extension{ID: id}
		if entry.is(asn1.BOOLEAN) {
			e.Critical = entry.boolean("extDatas.critical")
			if !e.Critical {
				c.note(NoteExplicitFalse)
			}
		}
		e.Value = entry.octets("extDatas.extnValue")
		entry.end("extDatas")
		all = append(all, e)
	}
	return all
}

func (c *cursor) boolean(field string) bool {
	at := c.rest
	tag, _, content := c.element(field)
	if tag != asn1.BOOLEAN || len(content) != 1 {
		c.fail(errMalformed, field, at)
		return false
	}
	if content[0] != 0 && content[0] != 0xff {
		c.note(NoteBoolean)
	}
	return content[0] != 0
}

// value takes a signature value and notes in which of the known forms it is written. What it holds is for the
// verifier to judge.
func (c *cursor) value(field string) []byte {
	v := c.bits(field)
	if c.err != nil {
		return nil
	}
	if n := valueForm(v); n != "" {
		c.note(n)
	}
	return v
}

// valueForm is the note that the form of an SM2 signature value deserves, empty for DER (GB/T 35276).
func valueForm(v []byte) string {
	if len(v) == 64 {
		return NoteRawValue
	}
	var pair, r, s cryptobyte.String
	whole := cryptobyte.String(v)
	if !whole.ReadASN1(&pair, asn1.SEQUENCE) || !whole.Empty() || !pair.ReadASN1(&r, asn1.INTEGER) ||
		!pair.ReadASN1(&s, asn1.INTEGER) || !pair.Empty() || !isPositive(r) || !isPositive(s) {
		return NoteValueEncoding
	}
	if !isMinimal(r) || !isMinimal(s) {
		return NoteValueInteger
	}
	if len(r) > 33 || len(s) > 33 {
		return NoteValueEncoding
	}
	return ""
}

func isPositive(n []byte) bool { return len(n) > 0 && n[0] < 0x80 }

func isMinimal(n []byte) bool { return len(n) < 2 || n[0] != 0 || n[1] >= 0x80 }

// isOneSequence tells whether data is exactly one SEQUENCE, as a certificate is.
func isOneSequence(data []byte) bool {
	s := cryptobyte.String(data)
	return s.SkipASN1(asn1.SEQUENCE) && s.Empty()
}

// tagged enters a [0].
func (c *cursor) tagged() cursor {
	at := c.rest
	tag, _, content := c.element("[0]")
	if tag != tagZero {
		c.fail(errMalformed, "[0]", at)
	}
	return cursor{c.reading, content}
}
