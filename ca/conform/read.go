package conform

import (
	"encoding/asn1"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"

	"yinxin/ca/chain"
)

// certificate is the encoding of one, taken apart and not judged.
type certificate struct {
	whole           []byte
	version         []byte // content of the INTEGER; nil when the field is missing
	serial          []byte // content of the INTEGER
	inner, outer    []byte // algorithm identifiers with tag and length
	issuer, subject []byte // with tag and length
	subjectSets     [][]attribute
	notBefore       moment
	notAfter        moment
	key             []byte // SubjectPublicKeyInfo with tag and length
	uniqueIDs       bool
	extensions      []extension
	want            Expectation
	profile         *profile // nil: not asked
}

type attribute struct {
	kind  string // dotted
	tag   der.Tag
	value []byte
}

type moment struct {
	tag  der.Tag
	text string
}

type extension struct {
	id       string // dotted
	critical []byte // content of the BOOLEAN; nil when it is not written
	value    []byte
}

func (e extension) isCritical() bool { return len(e.critical) == 1 && e.critical[0] != 0 }

const maxParts = 100 // attributes, extensions: more is refused

func read(data []byte) (*certificate, bool) {
	if len(data) > chain.MaxCertificate {
		return nil, false
	}
	input := cryptobyte.String(data)
	var outer, tbs, signature cryptobyte.String
	c := &certificate{whole: data}
	if !input.ReadASN1(&outer, der.SEQUENCE) || !input.Empty() || !outer.ReadASN1(&tbs, der.SEQUENCE) ||
		!outer.ReadASN1Element((*cryptobyte.String)(&c.outer), der.SEQUENCE) || !outer.ReadASN1(&signature, der.BIT_STRING) || !outer.Empty() {
		return nil, false
	}
	return c, c.readTBS(tbs)
}

func (c *certificate) readTBS(tbs cryptobyte.String) bool {
	var version, validity, extensions cryptobyte.String
	var present bool
	if !tbs.ReadOptionalASN1(&version, &present, der.Tag(0).Constructed().ContextSpecific()) ||
		present && (!version.ReadASN1((*cryptobyte.String)(&c.version), der.INTEGER) || !version.Empty()) {
		return false
	}
	if !tbs.ReadASN1((*cryptobyte.String)(&c.serial), der.INTEGER) || !tbs.ReadASN1Element((*cryptobyte.String)(&c.inner), der.SEQUENCE) ||
		!tbs.ReadASN1Element((*cryptobyte.String)(&c.issuer), der.SEQUENCE) || !tbs.ReadASN1(&validity, der.SEQUENCE) ||
		!readMoment(&validity, &c.notBefore) || !readMoment(&validity, &c.notAfter) || !validity.Empty() ||
		!tbs.ReadASN1Element((*cryptobyte.String)(&c.subject), der.SEQUENCE) || !c.readSubject() ||
		!tbs.ReadASN1Element((*cryptobyte.String)(&c.key), der.SEQUENCE) {
		return false
	}
	for _, tag := range []der.Tag{1, 2} {
		var id cryptobyte.String
		if !tbs.ReadOptionalASN1(&id, &present, tag.ContextSpecific()) {
			return false
		}
		c.uniqueIDs = c.uniqueIDs || present
	}
	if !tbs.ReadOptionalASN1(&extensions, &present, der.Tag(3).Constructed().ContextSpecific()) || !tbs.Empty() {
		return false
	}
	return !present || c.readExtensions(extensions)
}

func readMoment(s *cryptobyte.String, m *moment) bool {
	var content cryptobyte.String
	if !s.ReadAnyASN1(&content, &m.tag) {
		return false
	}
	m.text = string(content)
	return true
}

func (c *certificate) readSubject() bool {
	name := cryptobyte.String(c.subject)
	var sets cryptobyte.String
	if !name.ReadASN1(&sets, der.SEQUENCE) {
		return false
	}
	for !sets.Empty() {
		var set cryptobyte.String
		if len(c.subjectSets) == maxParts || !sets.ReadASN1(&set, der.SET) {
			return false
		}
		var attributes []attribute
		for !set.Empty() {
			var pair, value cryptobyte.String
			var id asn1.ObjectIdentifier
			var a attribute
			if len(attributes) == maxParts || !set.ReadASN1(&pair, der.SEQUENCE) || !pair.ReadASN1ObjectIdentifier(&id) ||
				!pair.ReadAnyASN1(&value, &a.tag) || !pair.Empty() {
				return false
			}
			a.kind, a.value = id.String(), value
			attributes = append(attributes, a)
		}
		c.subjectSets = append(c.subjectSets, attributes)
	}
	return true
}

func (c *certificate) readExtensions(s cryptobyte.String) bool {
	var list cryptobyte.String
	if !s.ReadASN1(&list, der.SEQUENCE) || !s.Empty() {
		return false
	}
	for !list.Empty() {
		var one cryptobyte.String
		var id asn1.ObjectIdentifier
		var e extension
		if len(c.extensions) == maxParts || !list.ReadASN1(&one, der.SEQUENCE) || !one.ReadASN1ObjectIdentifier(&id) {
			return false
		}
		if one.PeekASN1Tag(der.BOOLEAN) && !one.ReadASN1((*cryptobyte.String)(&e.critical), der.BOOLEAN) {
			return false
		}
		if !one.ReadASN1((*cryptobyte.String)(&e.value), der.OCTET_STRING) || !one.Empty() {
			return false
		}
		e.id = id.String()
		c.extensions = append(c.extensions, e)
	}
	return true
}

// extension gives the value of the first extension of an identifier.
func (c *certificate) extension(id string) (cryptobyte.String, bool) {
	for _, e := range c.extensions {
		if e.id == id {
			return e.value, true
		}
	}
	return nil, false
}

// text gives the one value of an attribute type in the subject, or nothing.
func (c *certificate) text(kind string) string {
	for _, set := range c.subjectSets {
		for _, a := range set {
			if a.kind == kind {
				return string(a.value)
			}
		}
	}
	return ""
}
