package chain

import (
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"math/big"
	"time"

	"github.com/emmansun/gmsm/sm3"
)

// Certificate is an X.509 certificate (RFC 5280, GM/T 0015) as it was found. It is made by ParseCertificate
// only, immutable, and may be shared. The raw fields are slices of the bytes handed over.
type Certificate struct {
	// Raw is the whole certificate, RawTBS its signed part, the others elements of it; all with tag and length.
	Raw, RawTBS, RawIssuer, RawSubject, RawSPKI []byte

	// Version is 1, 2 or 3.
	Version int
	// Serial is positive in a sound certificate; found ones may be zero or negative.
	Serial          *big.Int
	Issuer, Subject Name
	// NotBefore and NotAfter are in UTC; both seconds belong to the validity.
	NotBefore, NotAfter time.Time

	// PublicKey is *ecdsa.PublicKey (on sm2.P256() for SM2, or on a NIST curve), *rsa.PublicKey, or nil when the key is
	// not understood (Notes says why).
	PublicKey any

	// SignatureAlgorithm is the signed one of the two identifiers; SignatureParameters its parameters with tag and
	// length, nil when absent.
	SignatureAlgorithm  asn1.ObjectIdentifier
	SignatureParameters []byte
	Signature           []byte

	HasKeyUsage bool
	KeyUsage    x509.KeyUsage
	// ExtKeyUsage is nil when the extension is absent.
	ExtKeyUsage         []asn1.ObjectIdentifier
	ExtKeyUsageCritical bool
	// BasicConstraints says that the extension is there; IsCA what it says; MaxPathLen is -1 without a limit.
	BasicConstraints, IsCA bool
	MaxPathLen             int

	SubjectKeyID, AuthorityKeyID []byte
	// CRLURLs, OCSPURLs and IssuerURLs are as written; nothing here fetches them.
	CRLURLs, OCSPURLs, IssuerURLs []string
	// OCSPNoCheck is the mark of a delegated responder that needs no status check (RFC 6960 4.2.2.2.1).
	OCSPNoCheck bool
	// OrganisationCode is the 统一社会信用代码 of the extension (GB/T 20518), not of the subject name.
	OrganisationCode string

	// UnhandledCritical lists critical extensions that are not understood, and any extension deciding what the
	// certificate may do that could not be read. An arc that does not fit 31 bits is given as -1.
	UnhandledCritical []asn1.ObjectIdentifier
	// Notes names the leniencies that reading it took, in English, for the report.
	Notes []string

	fingerprint    [32]byte
	keyFingerprint [32]byte // SM3 of RawSPKI
	// issuerName and subjectName are what names are compared by, see foldName.
	issuerName, subjectName string
	crlPoints               pointNames
}

// Fingerprint is SM3 over the whole certificate. Certificates are the same only if their fingerprints are: issuer and
// serial number are what an attacker can repeat.
func (c *Certificate) Fingerprint() [32]byte {
	if c.fingerprint == ([32]byte{}) {
		return sm3.Sum(c.Raw)
	}
	return c.fingerprint
}

// FingerprintText is the fingerprint as it stands in records and before people: 64 hexadecimal digits.
func (c *Certificate) FingerprintText() string { return fmt.Sprintf("%x", c.Fingerprint()) }

// ValidAt says whether at lies within the validity, both ends included, to the second (RFC 5280 4.1.2.5).
func (c *Certificate) ValidAt(at time.Time) bool {
	at = at.Truncate(time.Second)
	return !at.Before(c.NotBefore) && !at.After(c.NotAfter)
}

func (c *Certificate) spkiFingerprint() [32]byte {
	if c.keyFingerprint == ([32]byte{}) {
		return sm3.Sum(c.RawSPKI)
	}
	return c.keyFingerprint
}
