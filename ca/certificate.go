package ca

import (
	"encoding/asn1"
	"math/big"
	"time"

	"github.com/emmansun/gmsm/sm3"
	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"

	"yinxin/internal/oid"
)

// A certificate is written here and nowhere else (RFC 5280 clause 4.1):
//
//	Certificate    ::= SEQUENCE { tbsCertificate TBSCertificate, signatureAlgorithm AlgorithmIdentifier, signature BIT STRING }
//	TBSCertificate ::= SEQUENCE { version [0] INTEGER (2), serialNumber INTEGER, signature AlgorithmIdentifier, issuer Name,
//	                     validity SEQUENCE { notBefore Time, notAfter Time }, subject Name,
//	                     subjectPublicKeyInfo SubjectPublicKeyInfo, extensions [3] SEQUENCE OF Extension }
//
// It is written by hand because the bytes must exist before the signature does, to be recorded and linted.

// KeyUsage bits (RFC 5280 clause 4.2.1.3), as the first octet of the BIT STRING.
const (
	usageDigitalSignature = 0x80
	usageNonRepudiation   = 0x40
	usageKeyEncipherment  = 0x20
	usageDataEncipherment = 0x10
	usageKeyAgreement     = 0x08
	usageKeyCertSign      = 0x04
	usageCRLSign          = 0x02
)

// rules is what a profile puts into a certificate beyond names and dates.
type rules struct {
	usage    byte
	ca       bool
	pathLen  int
	extended asn1.ObjectIdentifier // nil: no extended key usage
	// extendedCritical: RFC 3161 clause 2.3 wants it for time stamps.
	extendedCritical bool
	noCheck          bool
}

func (p Profile) rules() rules {
	switch p {
	case ProfileRoot:
		return rules{usage: usageKeyCertSign | usageCRLSign, ca: true, pathLen: 1}
	case ProfileIssuing:
		return rules{usage: usageKeyCertSign | usageCRLSign, ca: true, pathLen: 0}
	case ProfileOCSP:
		return rules{usage: usageDigitalSignature, extended: oid.EKUOCSPSigning, noCheck: true}
	case ProfileTSA:
		return rules{usage: usageDigitalSignature | usageNonRepudiation, extended: oid.EKUTimeStamping, extendedCritical: true}
	case ProfileEncryption:
		return rules{usage: usageKeyEncipherment | usageDataEncipherment | usageKeyAgreement}
	default: // institution, person, seal maker
		return rules{usage: usageDigitalSignature | usageNonRepudiation}
	}
}

// issuerData is what a new certificate takes from its issuer.
type issuerData struct {
	name    []byte // DER Name
	keyID   []byte
	crlURL  string
	certURL string
	ocspURL string // empty: the issuer has no responder
	cpsURL  string
}

// draft is a certificate before its signature.
type draft struct {
	profile             Profile
	serial              *big.Int
	subject             []byte // DER Name
	public              []byte // uncompressed point
	creditCode          string
	identity            string // 身份证号; empty: not in the certificate
	notBefore, notAfter time.Time
	issuer              issuerData
	shard               int // of the revocation list; 0 is the complete one
}

// distinguishedName writes C=CN, O, CN, each in a set of its own; the country as PrintableString (X.520), the others
// as UTF8String.
func distinguishedName(organisation, commonName string) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
		addAttribute(b, oid.Country, der.PrintableString, "CN")
		addAttribute(b, oid.Organisation, der.UTF8String, organisation)
		addAttribute(b, oid.CommonName, der.UTF8String, commonName)
	})
	return b.Bytes()
}

func addAttribute(b *cryptobyte.Builder, id asn1.ObjectIdentifier, tag der.Tag, value string) {
	b.AddASN1(der.SET, func(b *cryptobyte.Builder) {
		b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(id)
			b.AddASN1(tag, func(b *cryptobyte.Builder) { b.AddBytes([]byte(value)) })
		})
	})
}

// addAlgorithm writes SM2 with SM3 without parameters (GM/T 0006, as RFC 5758 does for ECDSA).
func addAlgorithm(b *cryptobyte.Builder) {
	b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(oid.SM2WithSM3) })
}

// addTime writes UTCTime through 2049 and GeneralizedTime from 2050 (RFC 5280 clause 4.1.2.5).
func addTime(b *cryptobyte.Builder, t time.Time) {
	if t.UTC().Year() < 2050 {
		b.AddASN1UTCTime(t.UTC())
	} else {
		b.AddASN1GeneralizedTime(t.UTC())
	}
}

// keyID is the left 160 bits of SM3 over the public key's bits: RFC 7093 clause 2 method 1, with SM3.
func keyID(point []byte) []byte {
	digest := sm3.Sum(point)
	return digest[:20]
}

// marshal writes the TBSCertificate.
func (d draft) marshal() ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(der.Tag(0).Constructed().ContextSpecific(), func(b *cryptobyte.Builder) { b.AddASN1Int64(2) })
		b.AddASN1BigInt(d.serial)
		addAlgorithm(b)
		b.AddBytes(d.issuer.name)
		b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
			addTime(b, d.notBefore)
			addTime(b, d.notAfter)
		})
		b.AddBytes(d.subject)
		b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(oid.PublicKeyEC)
				b.AddASN1ObjectIdentifier(oid.CurveSM2)
			})
			b.AddASN1BitString(d.public)
		})
		b.AddASN1(der.Tag(3).Constructed().ContextSpecific(), func(b *cryptobyte.Builder) {
			b.AddASN1(der.SEQUENCE, d.addExtensions)
		})
	})
	return b.Bytes()
}

func (d draft) addExtensions(b *cryptobyte.Builder) {
	r := d.profile.rules()
	addExtension(b, oid.AuthorityKeyID, false, func(b *cryptobyte.Builder) {
		b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(der.Tag(0).ContextSpecific(), func(b *cryptobyte.Builder) { b.AddBytes(d.issuer.keyID) })
		})
	})
	addExtension(b, oid.SubjectKeyID, false, func(b *cryptobyte.Builder) { b.AddASN1OctetString(keyID(d.public)) })
	addExtension(b, oid.BasicConstraints, true, func(b *cryptobyte.Builder) {
		b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
			if r.ca { // FALSE is the default, and DER leaves defaults out
				b.AddASN1Boolean(true)
				b.AddASN1Int64(int64(r.pathLen))
			}
		})
	})
	addExtension(b, oid.KeyUsage, true, func(b *cryptobyte.Builder) { addUsage(b, r.usage) })
	if r.extended != nil {
		addExtension(b, oid.ExtKeyUsage, r.extendedCritical, func(b *cryptobyte.Builder) {
			b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(r.extended) })
		})
	}
	if d.profile == ProfileRoot {
		return // an anchor points nowhere: it is believed or not
	}
	addExtension(b, oid.CertificatePolicies, false, func(b *cryptobyte.Builder) { addPolicy(b, d.issuer.cpsURL) })
	if r.noCheck {
		addExtension(b, oid.OCSPNoCheck, false, func(b *cryptobyte.Builder) { b.AddASN1NULL() })
	}
	addExtension(b, oid.CRLDistributionPoints, false, func(b *cryptobyte.Builder) { addDistributionPoint(b, d.issuer.crlURL) })
	addExtension(b, oid.AuthorityInfoAccess, false, func(b *cryptobyte.Builder) {
		b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
			if d.issuer.ocspURL != "" && !r.noCheck {
				addAccess(b, oid.AccessOCSP, d.issuer.ocspURL)
			}
			addAccess(b, oid.AccessCAIssuers, d.issuer.certURL)
		})
	})
	if d.creditCode != "" {
		addExtension(b, oid.OrganisationCode, false, func(b *cryptobyte.Builder) {
			b.AddASN1(der.PrintableString, func(b *cryptobyte.Builder) { b.AddBytes([]byte(d.creditCode)) })
		})
	}
	if d.identity != "" {
		// IdentifyCode ::= CHOICE { residenterCardNumber [0] IMPLICIT PrintableString, … } (GM/T 0015, GB/T 20518)
		addExtension(b, oid.IdentityCode, false, func(b *cryptobyte.Builder) {
			b.AddASN1(der.Tag(0).ContextSpecific(), func(b *cryptobyte.Builder) { b.AddBytes([]byte(d.identity)) })
		})
	}
}

func addExtension(b *cryptobyte.Builder, id asn1.ObjectIdentifier, critical bool, value cryptobyte.BuilderContinuation) {
	b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(id)
		if critical {
			b.AddASN1Boolean(true)
		}
		b.AddASN1(der.OCTET_STRING, value)
	})
}

// addUsage writes a BIT STRING without trailing zero bits (X.690 clause 11.2.2).
func addUsage(b *cryptobyte.Builder, usage byte) {
	unused := byte(0)
	for usage>>unused&1 == 0 {
		unused++
	}
	b.AddASN1(der.BIT_STRING, func(b *cryptobyte.Builder) { b.AddBytes([]byte{unused, usage}) })
}

func addURI(b *cryptobyte.Builder, uri string) {
	b.AddASN1(der.Tag(6).ContextSpecific(), func(b *cryptobyte.Builder) { b.AddBytes([]byte(uri)) })
}

func addPolicy(b *cryptobyte.Builder, cps string) {
	b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) { // certificatePolicies
		b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) { // PolicyInformation
			b.AddASN1ObjectIdentifier(oid.AnyPolicy)              // an identifier of our own under 2.25 is too long for some readers
			b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) { // policyQualifiers
				b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1ObjectIdentifier(oid.PolicyQualifierCPS)
					b.AddASN1(der.IA5String, func(b *cryptobyte.Builder) { b.AddBytes([]byte(cps)) })
				})
			})
		})
	})
}

func addDistributionPoint(b *cryptobyte.Builder, url string) {
	explicit := func(b *cryptobyte.Builder, inner cryptobyte.BuilderContinuation) {
		b.AddASN1(der.Tag(0).Constructed().ContextSpecific(), inner)
	}
	b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) { // CRLDistributionPoints
		b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) { // DistributionPoint
			explicit(b, func(b *cryptobyte.Builder) { // distributionPoint
				explicit(b, func(b *cryptobyte.Builder) { addURI(b, url) }) // fullName
			})
		})
	})
}

func addAccess(b *cryptobyte.Builder, method asn1.ObjectIdentifier, url string) {
	b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(method)
		addURI(b, url)
	})
}

// assemble joins signed bytes and signature; certificates and CRLs have the same frame.
func assemble(tbs, signature []byte) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(tbs)
		addAlgorithm(b)
		b.AddASN1BitString(signature)
	})
	return b.Bytes()
}
