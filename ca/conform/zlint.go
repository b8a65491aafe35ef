package conform

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"fmt"
	"io"
	"strings"

	zx509 "github.com/zmap/zcrypto/x509"
	"github.com/zmap/zlint/v3/lint"
	_ "github.com/zmap/zlint/v3/lints/rfc" // registers the lints of RFCs, and only those
	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"

	"yinxin/internal/oid"
)

// Linter asks zlint. It holds the throwaway key of the twins and is safe for concurrent use.
type Linter struct {
	key           *ecdsa.PrivateKey
	point         []byte
	lints         []*lint.CertificateLint
	configuration lint.Configuration
	excluded      map[exclusionKey]bool
}

type exclusionKey struct {
	name    string
	profile Profile
}

// sources are those of zlint's rules that can say something of our certificates. Left out: the baseline requirements of
// the CA/Browser Forum and the root programmes of Apple, Mozilla and Chrome (for certificates of web servers, code and
// mail in browsers' trust stores: they want DNS names and certificate transparency), ETSI (qualified certificates of
// the EU), Community (most of them search RSA keys for known faults, at 3 ms a certificate), RFC 6962 (certificate
// transparency), RFC 6960 (about answers, not certificates), RFC 3279 (RSA) and RFC 5891 (domain names).
var sources = []lint.LintSource{lint.RFC5280, lint.RFC5480, lint.RFC8813}

// exclusion is a lint that is passed over for a profile, and why.
type exclusion struct {
	name    string
	profile Profile
	reason  string
}

// exclusions are all of them.
func exclusions() []exclusion {
	const pairs = "GM/T 0015 and the practice of certificate pairs give the encryption certificate keyEncipherment and dataEncipherment: an SM2 key " +
		"encrypts as it stands (GM/T 0003.4), which RFC 8813 does not know of keys under id-ecPublicKey"
	return []exclusion{
		{"e_ecdsa_allowed_ku", Encryption, pairs},
		{"n_ecdsa_ee_invalid_ku", Encryption, pairs},
	}
}

// NewLinter makes a throwaway key with randomness from random.
func NewLinter(random io.Reader) (*Linter, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), random)
	if err != nil {
		return nil, err
	}
	point, err := key.PublicKey.Bytes()
	if err != nil {
		return nil, err
	}
	registry, err := lint.GlobalRegistry().Filter(lint.FilterOptions{IncludeSources: sources})
	if err != nil {
		return nil, err
	}
	l := &Linter{key: key, point: point, lints: registry.CertificateLints().Lints(), configuration: registry.GetConfiguration(),
		excluded: map[exclusionKey]bool{}}
	for _, x := range exclusions() {
		l.excluded[exclusionKey{x.name, x.profile}] = true
	}
	return l, nil
}

// Check applies the rules of this package, and zlint's to the twin of the certificate. Findings of zlint come after ours;
// what zlint calls information is a Notice.
func (l *Linter) Check(data []byte, e Expectation) []Finding {
	found := Check(data, e)
	twin, err := l.twin(data)
	if err != nil {
		return append(found, Finding{"zlint:twin", Error, "zlint", err.Error()})
	}
	return append(found, l.zlint(twin, e.Profile)...)
}

func (l *Linter) zlint(twin []byte, p Profile) (found []Finding) {
	c, err := zx509.ParseCertificate(twin)
	if err != nil {
		return []Finding{{"zlint:parse", Error, "zlint", err.Error()}}
	}
	for _, one := range l.lints {
		if l.excluded[exclusionKey{one.Name, p}] {
			continue
		}
		result := l.run(one, c)
		f := Finding{Rule: "zlint:" + one.Name, Source: one.Citation, Detail: strings.TrimSpace(one.Description + " " + result.Details)}
		switch result.Status {
		case lint.Notice:
			f.Level = Notice
		case lint.Warn:
			f.Level = Warning
		case lint.Error, lint.Fatal:
			f.Level = Error
		default:
			continue
		}
		found = append(found, f)
	}
	return found
}

// run keeps a lint that panics from ending the service: such a certificate is not issued.
func (l *Linter) run(one *lint.CertificateLint, c *zx509.Certificate) (result *lint.LintResult) {
	defer func() {
		if cause := recover(); cause != nil {
			result = &lint.LintResult{Status: lint.Fatal, Details: fmt.Sprint("panic: ", cause)}
		}
	}()
	return one.Execute(c, l.configuration)
}

// twin writes a certificate anew with a P-256 key in place of the SM2 one, ECDSA with SHA-256 in place of SM2 with SM3,
// and the signature of the throwaway key. Every other octet stays.
func (l *Linter) twin(data []byte) ([]byte, error) {
	input := cryptobyte.String(data)
	var outer, tbs cryptobyte.String
	if !input.ReadASN1(&outer, der.SEQUENCE) || !outer.ReadASN1(&tbs, der.SEQUENCE) {
		return nil, fmt.Errorf("conform: not a certificate")
	}
	var parts [][]byte
	for !tbs.Empty() {
		var part cryptobyte.String
		var tag der.Tag
		if !tbs.ReadAnyASN1Element(&part, &tag) {
			return nil, fmt.Errorf("conform: not a certificate")
		}
		parts = append(parts, part)
	}
	const algorithm, key = 2, 6 // after version and serial number; after issuer, validity and subject
	if len(parts) <= key {
		return nil, fmt.Errorf("conform: not a certificate of version 3")
	}
	var identifier, info, signed, whole cryptobyte.Builder
	identifier.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(oid.ECDSASHA256) })
	info.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(oid.PublicKeyEC)
			b.AddASN1ObjectIdentifier(oid.CurveP256)
		})
		b.AddASN1BitString(l.point)
	})
	parts[algorithm], parts[key] = identifier.BytesOrPanic(), info.BytesOrPanic()
	signed.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
		for _, part := range parts {
			b.AddBytes(part)
		}
	})
	twin, err := signed.Bytes()
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256(twin)
	signature, err := l.key.Sign(nil, digest[:], crypto.SHA256)
	if err != nil {
		return nil, err
	}
	whole.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(twin)
		b.AddBytes(parts[algorithm])
		b.AddASN1BitString(signature)
	})
	return whole.Bytes()
}
