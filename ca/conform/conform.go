package conform

import (
	"fmt"

	"yinxin/ca/chain"
)

// Level says what a finding means.
type Level int

// The levels. An Error stops an issuance; the others are recorded.
const (
	Notice Level = iota
	Warning
	Error
)

func (l Level) String() string { return [...]string{"notice", "warning", "error"}[l] }

// Finding is a rule that a certificate does not keep.
type Finding struct {
	// Rule is the rule's name: "key-usage", or zlint's with "zlint:" before it.
	Rule   string
	Level  Level
	Source string // the standard
	Detail string
}

func (f Finding) String() string {
	return fmt.Sprintf("%s %s: %s (%s)", f.Level, f.Rule, f.Detail, f.Source)
}

// Refused gives the first finding that stops an issuance.
func Refused(list []Finding) (Finding, bool) {
	for _, f := range list {
		if f.Level == Error {
			return f, true
		}
	}
	return Finding{}, false
}

// Expectation is what a certificate is meant to be.
type Expectation struct {
	// Profile decides over names, validity and extensions. The empty one asks for nothing that depends on it.
	Profile Profile
	// Issuer is the certificate of the CA; nil for a root, or when it is not known.
	Issuer *chain.Certificate
}

// rule is one thing that must be so. check gives what is not, or nothing.
type rule struct {
	name, source string
	level        Level
	check        func(*certificate) string
}

const (
	gmt0015 = "GM/T 0015"
	rfc5280 = "RFC 5280 "
)

// rules are all of them, in the order in which they are reported.
func rules() []rule {
	return []rule{
		{"der", "X.690 10, 11", Error, strictly},
		{"version", gmt0015 + " 5.2.3.1", Error, version},
		{"algorithm", "GM/T 0006, " + rfc5280 + "4.1.1.2", Error, algorithm},
		{"serial-positive", rfc5280 + "4.1.2.2", Error, serialPositive},
		{"serial-length", rfc5280 + "4.1.2.2", Error, serialLength},
		{"serial-entropy", "Yinxin profile", Error, serialEntropy},
		{"issuer-name", rfc5280 + "4.1.2.4", Error, issuerName},
		{"name-structure", gmt0015, Error, nameStructure},
		{"name-types", gmt0015, Error, nameTypes},
		{"name-order", gmt0015, Error, nameOrder},
		{"name-country", gmt0015, Error, nameCountry},
		{"name-strings", gmt0015, Error, nameStrings},
		{"name-lengths", rfc5280 + "A.1", Error, nameLengths},
		{"name-text", "Yinxin profile", Error, nameText},
		{"name-profile", "Yinxin profile", Error, nameProfile},
		{"validity-form", rfc5280 + "4.1.2.5", Error, validityForm},
		{"validity-order", rfc5280 + "4.1.2.5", Error, validityOrder},
		{"validity-ceiling", "Yinxin profile", Error, validityCeiling},
		{"validity-issuer", "Yinxin profile", Error, validityIssuer},
		{"key", "GM/T 0006, GB/T 32918.1 4.2.9", Error, publicKey},
		{"unique-identifiers", gmt0015, Error, uniqueIdentifiers},
		{"extensions-present", gmt0015, Error, extensionsPresent},
		{"extensions-known", "Yinxin profile", Error, extensionsKnown},
		{"extensions-once", rfc5280 + "4.2", Error, extensionsOnce},
		{"extensions-order", "Yinxin profile", Error, extensionsOrder},
		{"extensions-critical", gmt0015, Error, extensionsCritical},
		{"authority-key", gmt0015 + ", " + rfc5280 + "4.2.1.1", Error, authorityKey},
		{"subject-key", gmt0015 + ", RFC 7093 2", Error, subjectKey},
		{"key-usage", gmt0015, Error, keyUsage},
		{"basic-constraints", gmt0015, Error, basicConstraints},
		{"extended-key-usage", gmt0015, Error, extendedKeyUsage},
		{"policy", gmt0015, Error, policy},
		{"crl-point", gmt0015, Error, crlPoint},
		{"authority-access", gmt0015, Error, authorityAccess},
		{"ocsp-nocheck", "RFC 6960 4.2.2.2.1", Error, ocspNoCheck},
		{"organisation-code", "GB/T 20518", Error, organisationCode},
		{"identity-code", "GB/T 20518", Error, identityCode},
	}
}

// Check applies every rule to a certificate in DER. Something that cannot be taken apart gives one finding of the rule
// "der".
func Check(data []byte, e Expectation) []Finding {
	c, ok := read(data)
	if !ok {
		return []Finding{{Rule: "der", Level: Error, Source: "X.690, " + rfc5280 + "4.1", Detail: "it cannot be taken apart"}}
	}
	c.want, c.profile = e, profiles()[e.Profile]
	var found []Finding
	for _, r := range rules() {
		if detail := r.check(c); detail != "" {
			found = append(found, Finding{r.name, r.level, r.source, detail})
		}
	}
	return found
}
