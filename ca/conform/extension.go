package conform

import (
	"bytes"
	"fmt"
	"net/url"
	"slices"

	"github.com/emmansun/gmsm/sm3"
	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"

	"yinxin/internal/oid"
)

// The extensions by their dotted identifiers.
var (
	extAuthorityKey = oid.AuthorityKeyID.String()
	extSubjectKey   = oid.SubjectKeyID.String()
	extConstraints  = oid.BasicConstraints.String()
	extKeyUsage     = oid.KeyUsage.String()
	extUsages       = oid.ExtKeyUsage.String()
	extPolicies     = oid.CertificatePolicies.String()
	extNoCheck      = oid.OCSPNoCheck.String()
	extCRLPoints    = oid.CRLDistributionPoints.String()
	extFreshest     = "2.5.29.46" // where delta lists are (RFC 5280 4.2.1.15)
	extAccess       = oid.AuthorityInfoAccess.String()
	extOrganisation = oid.OrganisationCode.String()
	extIdentity     = oid.IdentityCode.String()
)

// extensionSequence is the order in which they are written.
var extensionSequence = []string{extAuthorityKey, extSubjectKey, extConstraints, extKeyUsage, extUsages, extPolicies, extNoCheck,
	extCRLPoints, extFreshest, extAccess, extOrganisation, extIdentity}

// everybody has these.
var everybody = []string{extAuthorityKey, extSubjectKey, extConstraints, extKeyUsage}

func extensionsPresent(c *certificate) string {
	if c.profile == nil {
		return ""
	}
	for _, id := range slices.Concat(everybody, c.profile.required) {
		if _, ok := c.extension(id); !ok {
			return "extension " + id + " is missing"
		}
	}
	return ""
}

func extensionsKnown(c *certificate) string {
	if c.profile == nil {
		return ""
	}
	allowed := slices.Concat(everybody, c.profile.required, c.profile.optional)
	for _, e := range c.extensions {
		if !slices.Contains(allowed, e.id) {
			return "extension " + e.id + " does not belong to the profile"
		}
	}
	return ""
}

func extensionsOnce(c *certificate) string {
	seen := map[string]bool{}
	for _, e := range c.extensions {
		if seen[e.id] {
			return "extension " + e.id + " is there twice"
		}
		seen[e.id] = true
	}
	return ""
}

func extensionsOrder(c *certificate) string {
	last := -1
	for _, e := range c.extensions {
		at := slices.Index(extensionSequence, e.id)
		if at < 0 {
			continue
		}
		if at < last {
			return "extension " + e.id + " comes too late"
		}
		last = at
	}
	return ""
}

// extensionsCritical: what a reader must understand is marked so, and nothing else.
func extensionsCritical(c *certificate) string {
	for _, e := range c.extensions {
		want := e.id == extConstraints || e.id == extKeyUsage || e.id == extUsages && c.want.Profile == TSA
		if e.isCritical() != want {
			return fmt.Sprintf("extension %s: critical is %v", e.id, e.isCritical())
		}
	}
	return ""
}

// keyIDSize is the length of the key identifiers in octets.
const keyIDSize = 20

// authorityKey wants the key identifier alone (RFC 5280 4.2.1.1: [0]), and that of the issuer.
func authorityKey(c *certificate) string {
	v, ok := c.extension(extAuthorityKey)
	if !ok {
		return ""
	}
	var sequence, id cryptobyte.String
	if !v.ReadASN1(&sequence, der.SEQUENCE) || !v.Empty() || !sequence.ReadASN1(&id, der.Tag(0).ContextSpecific()) || !sequence.Empty() {
		return "it does not hold a key identifier alone"
	}
	if len(id) != keyIDSize {
		return fmt.Sprintf("the identifier has %d octets", len(id))
	}
	if i := c.want.Issuer; i != nil && !bytes.Equal(id, i.SubjectKeyID) {
		return "it is not the key identifier of the issuer"
	}
	if c.want.Profile == Root && c.want.Issuer == nil && !bytes.Equal(id, c.subjectKeyID()) {
		return "it is not the key identifier of the root itself"
	}
	return ""
}

func (c *certificate) subjectKeyID() []byte {
	v, _ := c.extension(extSubjectKey)
	var id cryptobyte.String
	if !v.ReadASN1(&id, der.OCTET_STRING) || !v.Empty() {
		return nil
	}
	return id
}

// subjectKey wants the left 160 bits of SM3 over the key (method 1 of RFC 7093, with SM3).
func subjectKey(c *certificate) string {
	if _, ok := c.extension(extSubjectKey); !ok {
		return ""
	}
	id := c.subjectKeyID()
	if len(id) != keyIDSize {
		return fmt.Sprintf("the identifier has %d octets", len(id))
	}
	point, wrong := c.point()
	if digest := sm3.Sum(point); wrong == "" && !bytes.Equal(id, digest[:keyIDSize]) {
		return "the identifier is not made of the key by SM3"
	}
	return ""
}

func keyUsage(c *certificate) string {
	v, ok := c.extension(extKeyUsage)
	if !ok || c.profile == nil {
		return ""
	}
	var bits cryptobyte.String
	if !v.ReadASN1(&bits, der.BIT_STRING) || !v.Empty() || len(bits) != 2 {
		return "it is not one octet of bits"
	}
	switch unused, usage := bits[0], bits[1]; {
	case usage == 0:
		return "no bit is set"
	case usage>>unused&1 == 0:
		return "bits that are zero at the end are written"
	case usage != c.profile.usage:
		return fmt.Sprintf("the bits are %08b instead of %08b", usage, c.profile.usage)
	}
	return ""
}

func basicConstraints(c *certificate) string {
	v, ok := c.extension(extConstraints)
	if !ok || c.profile == nil {
		return ""
	}
	var b cryptobyte.Builder
	b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
		if c.profile.ca {
			b.AddASN1Boolean(true)
			b.AddASN1Int64(int64(c.profile.pathLen))
		}
	})
	if !bytes.Equal(v, b.BytesOrPanic()) {
		return fmt.Sprintf("it is %x instead of %x", []byte(v), b.BytesOrPanic())
	}
	return ""
}

func extendedKeyUsage(c *certificate) string {
	v, ok := c.extension(extUsages)
	if !ok || c.profile == nil {
		return ""
	}
	want := oid.EKUOCSPSigning
	if c.want.Profile == TSA {
		want = oid.EKUTimeStamping
	}
	var b cryptobyte.Builder
	b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(want) })
	if !bytes.Equal(v, b.BytesOrPanic()) {
		return "it is not " + want.String() + " alone"
	}
	return ""
}

// policy wants one policy whose qualifiers are one address of the practice statement.
func policy(c *certificate) string {
	v, ok := c.extension(extPolicies)
	if !ok {
		return ""
	}
	var policies, one, id, qualifiers, qualifier, address cryptobyte.String
	if !v.ReadASN1(&policies, der.SEQUENCE) || !v.Empty() || !policies.ReadASN1(&one, der.SEQUENCE) || !policies.Empty() {
		return "it is not one policy"
	}
	if !one.ReadASN1(&id, der.OBJECT_IDENTIFIER) || !one.ReadASN1(&qualifiers, der.SEQUENCE) || !one.Empty() {
		return "the policy has no qualifier"
	}
	var cps cryptobyte.Builder
	cps.AddASN1ObjectIdentifier(oid.PolicyQualifierCPS)
	if !qualifiers.ReadASN1(&qualifier, der.SEQUENCE) || !qualifiers.Empty() || !qualifier.ReadASN1Element(&id, der.OBJECT_IDENTIFIER) ||
		!bytes.Equal(id, cps.BytesOrPanic()) || !qualifier.ReadASN1(&address, tagIA5) || !qualifier.Empty() {
		return "the qualifier is not the address of a practice statement"
	}
	return addressFault(string(address))
}

// addressFault wants what a reader can follow without guessing.
func addressFault(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.Fragment != "" || u.String() != s {
		return "the address is not a sound http address"
	}
	return ""
}

// crlPoint wants one distribution point with one address, for crlPoints and freshestCRL alike (RFC 5280 4.2.1.13).
func crlPoint(c *certificate) string {
	for _, id := range []string{extCRLPoints, extFreshest} {
		v, ok := c.extension(id)
		if !ok {
			continue
		}
		context0 := der.Tag(0).Constructed().ContextSpecific()
		var points, point, name, full, address cryptobyte.String
		if !v.ReadASN1(&points, der.SEQUENCE) || !v.Empty() || !points.ReadASN1(&point, der.SEQUENCE) || !points.Empty() ||
			!point.ReadASN1(&name, context0) || !point.Empty() || !name.ReadASN1(&full, context0) || !name.Empty() ||
			!full.ReadASN1(&address, der.Tag(6).ContextSpecific()) || !full.Empty() {
			return "extension " + id + " is not one point with one address"
		}
		if wrong := addressFault(string(address)); wrong != "" {
			return wrong
		}
	}
	return ""
}

// authorityAccess wants the address of the OCSP responder, where there can be one, and that of the issuer's certificate.
func authorityAccess(c *certificate) string {
	v, ok := c.extension(extAccess)
	if !ok {
		return ""
	}
	var list cryptobyte.String
	if !v.ReadASN1(&list, der.SEQUENCE) || !v.Empty() {
		return "it cannot be read"
	}
	count := map[string]int{}
	for !list.Empty() {
		var one, method, address cryptobyte.String
		if !list.ReadASN1(&one, der.SEQUENCE) || !one.ReadASN1Element(&method, der.OBJECT_IDENTIFIER) ||
			!one.ReadASN1(&address, der.Tag(6).ContextSpecific()) || !one.Empty() {
			return "it is not a list of addresses"
		}
		if wrong := addressFault(string(address)); wrong != "" {
			return wrong
		}
		count[string(method)]++
	}
	var ocsp, issuers cryptobyte.Builder
	ocsp.AddASN1ObjectIdentifier(oid.AccessOCSP)
	issuers.AddASN1ObjectIdentifier(oid.AccessCAIssuers)
	responders, certificates := count[string(ocsp.BytesOrPanic())], count[string(issuers.BytesOrPanic())]
	// The responder's own certificate is not asked about, and a root has no responder.
	mayAsk := c.profile != nil && c.want.Profile != OCSP && !c.profile.ca
	switch {
	case len(count) != min(responders, 1)+min(certificates, 1):
		return "it has another way of access"
	case certificates != 1:
		return "it has not one address of the issuer's certificate"
	case mayAsk && responders != 1:
		return "it has not one address of a responder"
	case responders > 1:
		return "it has several responders"
	}
	return ""
}

func ocspNoCheck(c *certificate) string {
	if v, ok := c.extension(extNoCheck); ok && !bytes.Equal(v, []byte{5, 0}) {
		return "it is not NULL"
	}
	return ""
}
