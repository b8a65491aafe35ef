// Package oid names the object identifiers that Yinxin reads and writes, each with its source.
package oid

import "encoding/asn1"

// SM2UserID is no OID, but belongs to SM2WithSM3: the distinguishing identifier of signers who agreed on no other
// (GM/T 0009 clause 10).
const SM2UserID = "1234567812345678"

// Algorithms (GM/T 0006, GB/T 33560).
var (
	PublicKeyEC = asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}
	CurveSM2    = asn1.ObjectIdentifier{1, 2, 156, 10197, 1, 301}
	// SM2Sign is read as a signature algorithm: readers of GB/T 35275 expect it there.
	SM2Sign     = asn1.ObjectIdentifier{1, 2, 156, 10197, 1, 301, 1}
	SM2WithSM3  = asn1.ObjectIdentifier{1, 2, 156, 10197, 1, 501}
	SM3         = asn1.ObjectIdentifier{1, 2, 156, 10197, 1, 401}
	SM4         = asn1.ObjectIdentifier{1, 2, 156, 10197, 1, 104}
	SM4ECB      = asn1.ObjectIdentifier{1, 2, 156, 10197, 1, 104, 1}
	SHA1        = asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}
	MD5         = asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 5}
	SHA256      = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
	SHA384      = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 2}
	SHA512      = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 3}
	RSA         = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}
	RSAPSS      = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10}
	RSAMD5      = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 4}
	RSASHA1     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 5}
	RSASHA256   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}
	RSASHA384   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 12}
	RSASHA512   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 13}
	ECDSASHA1   = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 1}
	ECDSASHA256 = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}
	ECDSASHA384 = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 3}
	ECDSASHA512 = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 4}
	CurveP256   = asn1.ObjectIdentifier{1, 2, 840, 10045, 3, 1, 7}
	CurveP384   = asn1.ObjectIdentifier{1, 3, 132, 0, 34}
	CurveP521   = asn1.ObjectIdentifier{1, 3, 132, 0, 35}
)

// Certificate and CRL extensions (RFC 5280) and extended key usages.
var (
	SubjectKeyID          = asn1.ObjectIdentifier{2, 5, 29, 14}
	KeyUsage              = asn1.ObjectIdentifier{2, 5, 29, 15}
	SubjectAltName        = asn1.ObjectIdentifier{2, 5, 29, 17}
	BasicConstraints      = asn1.ObjectIdentifier{2, 5, 29, 19}
	CRLNumber             = asn1.ObjectIdentifier{2, 5, 29, 20}
	CRLReason             = asn1.ObjectIdentifier{2, 5, 29, 21}
	InvalidityDate        = asn1.ObjectIdentifier{2, 5, 29, 24}
	DeltaCRLIndicator     = asn1.ObjectIdentifier{2, 5, 29, 27}
	IssuingDistributionPt = asn1.ObjectIdentifier{2, 5, 29, 28}
	CRLDistributionPoints = asn1.ObjectIdentifier{2, 5, 29, 31}
	CertificatePolicies   = asn1.ObjectIdentifier{2, 5, 29, 32}
	AnyPolicy             = asn1.ObjectIdentifier{2, 5, 29, 32, 0}
	AuthorityKeyID        = asn1.ObjectIdentifier{2, 5, 29, 35}
	FreshestCRL           = asn1.ObjectIdentifier{2, 5, 29, 46}
	ExtKeyUsage           = asn1.ObjectIdentifier{2, 5, 29, 37}
	AuthorityInfoAccess   = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 1}
	AccessOCSP            = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1}
	AccessCAIssuers       = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 2}
	OCSPBasic             = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 1}
	OCSPNonce             = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 2}
	OCSPNoCheck           = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 5}
	EKUTimeStamping       = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 8}
	EKUOCSPSigning        = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 9}
	PolicyQualifierCPS    = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 2, 1}
)

// Identity extensions of institutions and persons (GB/T 20518, GM/T 0015).
var (
	IdentityCode     = asn1.ObjectIdentifier{1, 2, 156, 10260, 4, 1, 1}
	OrganisationCode = asn1.ObjectIdentifier{1, 2, 156, 10260, 4, 1, 4}
	// OrganisationCodeOld is the older arc of the same: read, never written.
	OrganisationCodeOld = asn1.ObjectIdentifier{1, 2, 86, 11, 7, 4}
)

// Attribute types of distinguished names (X.520).
var (
	CommonName         = asn1.ObjectIdentifier{2, 5, 4, 3}
	SerialNumberAttr   = asn1.ObjectIdentifier{2, 5, 4, 5}
	Country            = asn1.ObjectIdentifier{2, 5, 4, 6}
	Locality           = asn1.ObjectIdentifier{2, 5, 4, 7}
	Province           = asn1.ObjectIdentifier{2, 5, 4, 8}
	Organisation       = asn1.ObjectIdentifier{2, 5, 4, 10}
	OrganisationalUnit = asn1.ObjectIdentifier{2, 5, 4, 11}
)

// Attributes of certification requests (RFC 2985 5.4.2; the second is Microsoft's for the same).
var (
	ExtensionRequest   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 14}
	ExtensionRequestMS = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 2, 1, 14}
)

// Content types of signed data: RFC 5652 and GB/T 35275; and of time-stamp tokens (RFC 3161).
var (
	Data         = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	SignedData   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	DataGM       = asn1.ObjectIdentifier{1, 2, 156, 10197, 6, 1, 4, 2, 1}
	SignedDataGM = asn1.ObjectIdentifier{1, 2, 156, 10197, 6, 1, 4, 2, 2}
	TSTInfo      = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}
)

// Attributes of a signer (RFC 5652 11, RFC 5035, RFC 6211, RFC 3161 appendix A, EN 319 122-1 5.2.6, PDF 32000 12.8.3.3.2)
// and a form of revocation information (RFC 5940).
var (
	ContentTypeAttr      = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}
	MessageDigestAttr    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}
	SigningTimeAttr      = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 5}
	AlgorithmProtection  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 52}
	SigningCertificate   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 12}
	SigningCertificateV2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47}
	SignatureTimeStamp   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 14}
	SignerAttributesV2   = asn1.ObjectIdentifier{0, 4, 0, 19122, 1, 1}
	RevocationArchival   = asn1.ObjectIdentifier{1, 2, 840, 113583, 1, 1, 8}
	RevocationOCSP       = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 16, 2}
)

// Own identifiers. Yinxin has no registered arc, so they lie under 2.25, the arc of UUIDs (X.667). An arc of 128
// bits does not fit asn1.ObjectIdentifier: the values are the content octets of the DER encoding.
var (
	// TrueSizeDER identifies the seal extension that carries the exact size in micrometres: 2.25.<UUID>.
	TrueSizeDER = uuidArc([16]byte{0x6f, 0x0c, 0x5b, 0x1e, 0x92, 0x4d, 0x4a, 0x37, 0x8e, 0x51, 0xd3, 0x70, 0xaa, 0x16, 0x2c, 0x84})
	// SealAttributeDER identifies the attribute of the signer that carries the electronic seal in the CMS profiles; its
	// value is the SES seal in DER.
	SealAttributeDER = uuidArc([16]byte{0x2b, 0x7e, 0x41, 0x9a, 0xc5, 0x03, 0x4f, 0x68, 0xb1, 0x9d, 0x50, 0xe6, 0x37, 0x8a, 0xf2, 0x1c})
	// TSAPolicyDER identifies the policy of the built-in time-stamp authority.
	TSAPolicyDER = uuidArc([16]byte{0x93, 0xd1, 0x06, 0xfc, 0x4e, 0x27, 0x45, 0xba, 0x8c, 0x62, 0x1f, 0xa9, 0xd4, 0x70, 0x5b, 0x3e})
)

// uuidArc gives the content octets of 2.25.<uuid as one integer>.
func uuidArc(u [16]byte) []byte {
	// 2.25 is the single octet 2*40+25 = 105; the UUID follows as base-128 digits.
	bits := make([]byte, 0, 19)
	acc, n := uint32(0), 0
	// 128 = 18*7 + 2: the first digit holds two bits.
	take := 2
	for _, b := range u {
		acc = acc<<8 | uint32(b)
		n += 8
		for n >= take {
			n -= take
			bits = append(bits, byte(acc>>n)&(1<<take-1))
			acc &= 1<<n - 1
			take = 7
		}
	}
	for len(bits) > 1 && bits[0] == 0 {
		bits = bits[1:]
	}
	for i := range bits[:len(bits)-1] {
		bits[i] |= 0x80
	}
	return append([]byte{105}, bits...)
}
