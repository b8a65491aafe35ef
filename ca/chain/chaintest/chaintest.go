// Package chaintest makes small SM2 certificate hierarchies for tests: begin with Root, then Issue and CRL. Everything
// is fresh in each run; times are fixed (Start) so that tests can speak of seconds.
package chaintest

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509/pkix"
	"math/big"
	"testing"
	"time"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/smx509"

	"yinxin/ca/chain"
)

// Start is when every certificate made here begins to be valid, unless it is told otherwise.
var Start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// Year is the validity of end certificates; CA certificates have ten of them.
const Year = 365 * 24 * time.Hour

// Holder is a certificate with its private key.
type Holder struct {
	Certificate *chain.Certificate
	X509        *smx509.Certificate
	Key         *sm2.PrivateKey
}

// Public and SignDigest make a Holder a signer as keystore.Key is one.
func (h *Holder) Public() *ecdsa.PublicKey { return &h.Key.PublicKey }

// SignDigest signs e = SM3(Z‖message).
func (h *Holder) SignDigest(_ context.Context, e [32]byte) ([]byte, error) {
	return sm2.SignASN1(rand.Reader, h.Key, e[:], nil)
}

// Key makes an SM2 key.
func Key(t testing.TB) *sm2.PrivateKey {
	t.Helper()
	key, err := sm2.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func serial(t testing.TB) *big.Int {
	t.Helper()
	octets := make([]byte, 12)
	if _, err := rand.Read(octets); err != nil {
		t.Fatal(err)
	}
	octets[0] = 0x5a
	return new(big.Int).SetBytes(octets)
}

// Change alters a template before it is signed.
type Change func(template *smx509.Certificate)

// CA makes the certificate a CA with the given path length; -1 means no limit.
func CA(pathLength int) Change {
	return func(template *smx509.Certificate) {
		template.BasicConstraintsValid, template.IsCA = true, true
		template.MaxPathLen, template.MaxPathLenZero = pathLength, pathLength == 0
		template.KeyUsage = smx509.KeyUsageCertSign | smx509.KeyUsageCRLSign
		template.NotAfter = Start.Add(10 * Year)
	}
}

// Valid sets the validity.
func Valid(notBefore, notAfter time.Time) Change {
	return func(template *smx509.Certificate) { template.NotBefore, template.NotAfter = notBefore, notAfter }
}

// Usage sets the key usage and extended key usages.
func Usage(usage smx509.KeyUsage, extended ...smx509.ExtKeyUsage) Change {
	return func(template *smx509.Certificate) { template.KeyUsage, template.ExtKeyUsage = usage, extended }
}

// Extension adds an extension as it is.
func Extension(e pkix.Extension) Change {
	return func(template *smx509.Certificate) { template.ExtraExtensions = append(template.ExtraExtensions, e) }
}

func newTemplate(t testing.TB, name string, changes []Change) *smx509.Certificate {
	t.Helper()
	template := &smx509.Certificate{
		SerialNumber: serial(t),
		Subject:      pkix.Name{Country: []string{"CN"}, Organization: []string{"云岭省档案馆"}, CommonName: name},
		NotBefore:    Start, NotAfter: Start.Add(Year),
		KeyUsage:              smx509.KeyUsageDigitalSignature | smx509.KeyUsageContentCommitment,
		BasicConstraintsValid: true,
	}
	for _, change := range changes {
		change(template)
	}
	return template
}

// Root makes a self-signed CA.
func Root(t testing.TB, name string, changes ...Change) *Holder {
	t.Helper()
	return SelfSigned(t, name, Key(t), changes...)
}

// Issue makes a certificate under h.
func (h *Holder) Issue(t testing.TB, name string, changes ...Change) *Holder {
	t.Helper()
	return h.IssueFor(t, name, Key(t), changes...)
}

// IssueFor makes a certificate under h for a key that exists.
func (h *Holder) IssueFor(t testing.TB, name string, key *sm2.PrivateKey, changes ...Change) *Holder {
	t.Helper()
	return sign(t, newTemplate(t, name, changes), h.X509, key, h.Key)
}

// SelfSigned makes a self-signed CA for a key that exists.
func SelfSigned(t testing.TB, name string, key *sm2.PrivateKey, changes ...Change) *Holder {
	t.Helper()
	template := newTemplate(t, name, append([]Change{CA(-1)}, changes...))
	return sign(t, template, template, key, key)
}

// Forge makes a certificate that names h as its issuer in every way but is signed by another key.
func (h *Holder) Forge(t testing.TB, name string, changes ...Change) *Holder {
	t.Helper()
	// The library refuses to sign with a key that is not the parent's: the parent handed over has the wrong key.
	stranger := Key(t)
	parent := *h.X509
	parent.PublicKey = &stranger.PublicKey
	return sign(t, newTemplate(t, name, changes), &parent, Key(t), stranger)
}

func sign(t testing.TB, template *smx509.Certificate, parent *smx509.Certificate, key, signer *sm2.PrivateKey) *Holder {
	t.Helper()
	raw, err := smx509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	return Read(t, raw, key)
}

// Read makes a Holder of a certificate made elsewhere.
func Read(t testing.TB, raw []byte, key *sm2.PrivateKey) *Holder {
	t.Helper()
	made, err := smx509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	read, err := chain.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	return &Holder{Certificate: read, X509: made, Key: key}
}

// CRL makes a revocation list of h in DER.
func (h *Holder) CRL(t testing.TB, number int64, thisUpdate, nextUpdate time.Time,
	entries ...smx509.RevocationListEntry) []byte {
	t.Helper()
	raw, err := smx509.CreateRevocationList(rand.Reader, &smx509.RevocationList{
		Number: big.NewInt(number), ThisUpdate: thisUpdate, NextUpdate: nextUpdate, RevokedCertificateEntries: entries,
	}, h.X509, h.Key)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// ParsedCRL is CRL, read.
func (h *Holder) ParsedCRL(t testing.TB, number int64, thisUpdate, nextUpdate time.Time,
	entries ...smx509.RevocationListEntry) *chain.CRL {
	t.Helper()
	list, err := chain.ParseCRL(h.CRL(t, number, thisUpdate, nextUpdate, entries...))
	if err != nil {
		t.Fatal(err)
	}
	return list
}
