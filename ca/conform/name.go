package conform

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"yinxin/internal/oid"
)

// The attribute types of a name in the order in which GM/T 0015 lists them: from the country down to the holder.
var nameSequence = []string{oid.Country.String(), oid.Province.String(), oid.Locality.String(), oid.Organisation.String(),
	oid.OrganisationalUnit.String(), oid.CommonName.String()}

var (
	kindCountry      = oid.Country.String()
	kindOrganisation = oid.Organisation.String()
	kindCommonName   = oid.CommonName.String()
)

// nameStructure wants one attribute in each set and each type once: two readers must not take different ones.
func nameStructure(c *certificate) string {
	seen := map[string]bool{}
	for _, set := range c.subjectSets {
		if len(set) != 1 {
			return fmt.Sprintf("a part of the name has %d attributes", len(set))
		}
		if seen[set[0].kind] {
			return "attribute " + set[0].kind + " is there twice"
		}
		seen[set[0].kind] = true
	}
	return ""
}

func (c *certificate) attributes() []attribute { return slices.Concat(c.subjectSets...) }

func nameTypes(c *certificate) string {
	for _, a := range c.attributes() {
		if !slices.Contains(nameSequence, a.kind) {
			return "attribute " + a.kind + " is not one of the profile"
		}
	}
	for _, kind := range []string{kindCountry, kindOrganisation, kindCommonName} {
		if c.text(kind) == "" {
			return "attribute " + kind + " is missing"
		}
	}
	return ""
}

func nameOrder(c *certificate) string {
	last := -1
	for _, a := range c.attributes() {
		at := slices.Index(nameSequence, a.kind)
		if at < 0 {
			continue
		}
		if at < last {
			return "attribute " + a.kind + " comes too late"
		}
		last = at
	}
	return ""
}

func nameCountry(c *certificate) string {
	for _, a := range c.attributes() {
		if a.kind == kindCountry && (a.tag != tagPrintable || string(a.value) != "CN") {
			return "the country is not CN as PrintableString"
		}
	}
	return ""
}

func nameStrings(c *certificate) string {
	for _, a := range c.attributes() {
		if a.kind != kindCountry && a.tag != tagUTF8 {
			return "attribute " + a.kind + " is not a UTF8String"
		}
	}
	return ""
}

// nameLengths are ub-organization-name, ub-common-name and their sisters in characters.
func nameLengths(c *certificate) string {
	for _, a := range c.attributes() {
		most := 64
		if a.kind == oid.Province.String() || a.kind == oid.Locality.String() {
			most = 128
		}
		if n := utf8.RuneCount(a.value); n > most {
			return fmt.Sprintf("attribute %s has %d characters, more than %d", a.kind, n, most)
		}
	}
	return ""
}

// nameText wants what a person sees in full: no control characters, no direction marks, no blanks at the ends.
func nameText(c *certificate) string {
	for _, a := range c.attributes() {
		s := string(a.value)
		hidden := func(r rune) bool { return !unicode.IsPrint(r) || r == utf8.RuneError }
		if s == "" || strings.TrimSpace(s) != s || strings.ContainsFunc(s, hidden) {
			return "attribute " + a.kind + " has characters that are not seen"
		}
	}
	return ""
}

// nameProfile says who is named how: a seal by the credit code and full name of its unit and the 14 digits of its code,
// a person by unit and name. An identity number stands in no name (it would be public for as long as the certificate).
func nameProfile(c *certificate) string {
	if c.profile == nil {
		return ""
	}
	organisation, name := c.text(kindOrganisation), c.text(kindCommonName)
	code, _ := c.code(extOrganisation)
	asSeal := len(name) == 14 && all([]byte(name), digit)
	switch n := c.profile.naming; {
	case n == sealNamed || n == eitherNamed && asSeal:
		switch {
		case !asSeal:
			return "the common name is not a seal code of 14 digits"
		case len(organisation) <= 18 || !creditCode(organisation[:18]):
			return "the organisation does not begin with a credit code"
		case code != "" && !strings.HasPrefix(organisation, code):
			return "the organisation begins with another code than the extension has"
		}
	case n == personNamed || n == eitherNamed:
		if len(organisation) >= 18 && creditCode(organisation[:18]) {
			return "the organisation of a person begins with a credit code"
		}
		for _, a := range c.attributes() {
			if c.holdsIdentity(string(a.value)) {
				return "an identity number stands in the name"
			}
		}
	}
	return ""
}

// holdsIdentity says whether a text holds 18 characters that are a sound identity number (GB 11643).
func (c *certificate) holdsIdentity(s string) bool {
	for i := 0; i+18 <= len(s); i++ {
		if c.identityNumber(s[i : i+18]) {
			return true
		}
	}
	return false
}
