package ca

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/smx509"

	"yinxin/ca/chain"
	"yinxin/ca/conform"
	"yinxin/internal/oid"
	"yinxin/keystore"
)

// issuanceToken is the right to one signature over linted bytes. Only lint makes one, and sign takes nothing else, so a
// certificate that was not linted cannot be signed, nor one twice.
type issuanceToken struct {
	tbs  []byte
	used atomic.Bool
	// remarks are findings that do not stop an issuance: they go into the ledger with its result.
	remarks []conform.Finding
}

// linter holds the throwaway keys of the twins.
type linter struct {
	key   *sm2.PrivateKey
	rules *conform.Linter
}

func newLinter() (*linter, error) {
	key, err := sm2.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	rules, err := conform.NewLinter(rand.Reader)
	return &linter{key, rules}, err
}

// expected is what the profile and the request say about a certificate, apart from the code that wrote it.
type expected struct {
	request Request // for infrastructure as well: the key, organisation and common name
	profile Profile
	serial  *big.Int
	from    time.Time
	months  int                // of validity, where a ceremony says otherwise than the profile; else 0
	issuer  *chain.Certificate // nil: self-signed
	urls    issuerData
}

// lint signs a twin of the certificate with a throwaway key, reads it back with two parsers that share no code with
// the writer, compares every field with what is expected, and asks ca/conform and zlint about the rules.
func lint(tbs []byte, throwaway *linter, want expected) (*issuanceToken, error) {
	value, err := throwaway.key.SignWithSM2(nil, []byte(keystore.DefaultID), tbs)
	if err != nil {
		return nil, err
	}
	twin, err := assemble(tbs, value)
	if err != nil {
		return nil, err
	}
	ours, err := chain.ParseCertificate(twin)
	if err != nil {
		return nil, ErrLint.Because(err)
	}
	strict, err := smx509.ParseCertificate(twin)
	if err != nil {
		return nil, ErrLint.Because(err)
	}
	if !bytes.Equal(ours.RawTBS, tbs) || !bytes.Equal(strict.RawTBSCertificate, tbs) {
		return nil, ErrLint.Because(fmt.Errorf("the parsers see other signed bytes"))
	}
	for _, finding := range []func(*chain.Certificate, *smx509.Certificate) string{
		want.frame, want.names, want.dates, want.key, want.usages, want.pointers, want.extensions,
	} {
		if found := finding(ours, strict); found != "" {
			return nil, ErrLint.Because(fmt.Errorf("lint: %s", found))
		}
	}
	found := throwaway.rules.Check(twin, conform.Expectation{Profile: conform.Profile(want.profile), Issuer: want.issuer})
	if bad, refused := conform.Refused(found); refused {
		return nil, ErrLint.With("%s", bad.Rule).Because(fmt.Errorf("lint: %s", bad))
	}
	return &issuanceToken{tbs: tbs, remarks: found}, nil
}

// remarks are the rules of a token's remarks as they stand in the ledger, or nothing.
func remarksText(list []conform.Finding) string {
	var names []string
	for _, f := range list {
		names = append(names, f.Level.String()+" "+f.Rule)
	}
	return strings.Join(names, ", ")
}

// sign uses the token up.
func (t *issuanceToken) sign(ctx context.Context, key keystore.Key) ([]byte, error) {
	if t == nil || t.used.Swap(true) {
		return nil, ErrSigning.Because(fmt.Errorf("the token was used already"))
	}
	e, err := keystore.Digest(key.Public(), t.tbs)
	if err != nil {
		return nil, err
	}
	value, err := key.SignDigest(ctx, e)
	if err != nil {
		return nil, err
	}
	return assemble(t.tbs, value)
}

// released checks a signed certificate before anyone sees it: the linted bytes, and a signature that verifies.
func (t *issuanceToken) released(certificate []byte, signer any) (*chain.Certificate, error) {
	c, err := chain.ParseCertificate(certificate)
	if err != nil {
		return nil, ErrSigning.Because(err)
	}
	if !bytes.Equal(c.RawTBS, t.tbs) {
		return nil, ErrSigning.Because(fmt.Errorf("the signed bytes are not the linted ones"))
	}
	if _, err := chain.CheckSignature(signer, c.SignatureAlgorithm, c.RawTBS, c.Signature); err != nil {
		return nil, ErrSigning.Because(err)
	}
	return c, nil
}

func (e expected) frame(c *chain.Certificate, x *smx509.Certificate) string {
	switch {
	case c.Version != 3 || x.Version != 3:
		return "not version 3"
	case x.SerialNumber.Cmp(e.serial) != 0 || c.Serial.Cmp(e.serial) != 0 || e.serial.Sign() <= 0 || len(e.serial.Bytes()) > 20:
		return "serial number"
	case e.serial.BitLen() < 64:
		return "serial number with too little entropy"
	case !c.SignatureAlgorithm.Equal(oid.SM2WithSM3) || len(c.SignatureParameters) != 0 || x.SignatureAlgorithm != smx509.SM2WithSM3:
		return "signature algorithm"
	case len(c.Notes) != 0:
		return "the tolerant parser had to be tolerant: " + c.Notes[0]
	case len(c.UnhandledCritical) != 0 || len(x.UnhandledCriticalExtensions) != 0:
		return "a critical extension that readers do not know"
	}
	return ""
}

func (e expected) names(c *chain.Certificate, x *smx509.Certificate) string {
	issuer := c.RawSubject
	if e.issuer != nil {
		issuer = e.issuer.RawSubject
	}
	want := chain.Name{Country: "CN", Organisation: e.request.organisation(), CommonName: e.request.commonName()}
	switch {
	case !bytes.Equal(c.RawIssuer, issuer):
		return "issuer name"
	case c.Subject != want:
		return "subject name"
	case len(x.Subject.Names) != 3 || !slices.Equal(x.Subject.Country, []string{want.Country}) ||
		!slices.Equal(x.Subject.Organization, []string{want.Organisation}) || x.Subject.CommonName != want.CommonName:
		return "subject name as the strict parser reads it"
	case c.OrganisationCode != e.request.CreditCode:
		return "organisation code"
	}
	return ""
}

func (e expected) dates(c *chain.Certificate, x *smx509.Certificate) string {
	from, until := e.profile.validity(e.from)
	if e.months != 0 {
		from, until = span(e.from, e.months)
	}
	switch {
	case !c.NotBefore.Equal(from) || !c.NotAfter.Equal(until) || !x.NotBefore.Equal(from) || !x.NotAfter.Equal(until):
		return "validity"
	case e.issuer != nil && (c.NotBefore.Before(e.issuer.NotBefore) || c.NotAfter.After(e.issuer.NotAfter)):
		return "validity beyond the issuer's"
	}
	return ""
}

func (e expected) key(c *chain.Certificate, x *smx509.Certificate) string {
	keyIdentifier := keyID(keystore.Point(e.request.Public))
	issuer := keyIdentifier
	if e.issuer != nil {
		issuer = e.issuer.SubjectKeyID
	}
	switch {
	case !e.request.Public.Equal(c.PublicKey) || !e.request.Public.Equal(x.PublicKey):
		return "public key"
	case !bytes.Equal(c.SubjectKeyID, keyIdentifier) || !bytes.Equal(x.SubjectKeyId, keyIdentifier):
		return "subject key identifier"
	case !bytes.Equal(c.AuthorityKeyID, issuer) || !bytes.Equal(x.AuthorityKeyId, issuer):
		return "authority key identifier"
	}
	return ""
}

func (e expected) usages(c *chain.Certificate, x *smx509.Certificate) string {
	var usage x509.KeyUsage
	var extended asn1.ObjectIdentifier
	authority, pathLen := false, -1
	switch e.profile {
	case ProfileRoot:
		usage, authority, pathLen = x509.KeyUsageCertSign|x509.KeyUsageCRLSign, true, 1
	case ProfileIssuing:
		usage, authority, pathLen = x509.KeyUsageCertSign|x509.KeyUsageCRLSign, true, 0
	case ProfileOCSP:
		usage, extended = x509.KeyUsageDigitalSignature, oid.EKUOCSPSigning
	case ProfileTSA:
		usage, extended = x509.KeyUsageDigitalSignature|x509.KeyUsageContentCommitment, oid.EKUTimeStamping
	case ProfileEncryption:
		usage = x509.KeyUsageKeyEncipherment | x509.KeyUsageDataEncipherment | x509.KeyUsageKeyAgreement
	default:
		usage = x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment
	}
	switch {
	case !c.HasKeyUsage || c.KeyUsage != usage || x.KeyUsage != smx509.KeyUsage(usage):
		return "key usage"
	case !c.BasicConstraints || c.IsCA != authority || c.MaxPathLen != pathLen || !x.BasicConstraintsValid || x.IsCA != authority:
		return "basic constraints"
	case extended == nil && (c.ExtKeyUsage != nil || len(x.ExtKeyUsage)+len(x.UnknownExtKeyUsage) != 0):
		return "extended key usage that should not be there"
	case extended != nil && (len(c.ExtKeyUsage) != 1 || !c.ExtKeyUsage[0].Equal(extended)):
		return "extended key usage"
	case c.ExtKeyUsageCritical != (e.profile == ProfileTSA):
		return "criticality of the extended key usage"
	case c.OCSPNoCheck != (e.profile == ProfileOCSP):
		return "ocsp-nocheck"
	}
	return ""
}

func (e expected) pointers(c *chain.Certificate, x *smx509.Certificate) string {
	var crl, issuers, responders []string
	if e.issuer != nil {
		crl, issuers = []string{e.urls.crlURL}, []string{e.urls.certURL}
		if e.urls.ocspURL != "" && e.profile != ProfileOCSP {
			responders = []string{e.urls.ocspURL}
		}
	}
	switch {
	case !slices.Equal(c.CRLURLs, crl) || !slices.Equal(x.CRLDistributionPoints, crl):
		return "CRL distribution point"
	case !slices.Equal(c.IssuerURLs, issuers) || !slices.Equal(x.IssuingCertificateURL, issuers):
		return "address of the issuer's certificate"
	case !slices.Equal(c.OCSPURLs, responders) || !slices.Equal(x.OCSPServer, responders):
		return "address of the OCSP responder"
	}
	return ""
}

// extensions checks that there is nothing but what the profile lists, and which of it is critical.
func (e expected) extensions(_ *chain.Certificate, x *smx509.Certificate) string {
	want := []asn1.ObjectIdentifier{oid.AuthorityKeyID, oid.SubjectKeyID, oid.BasicConstraints, oid.KeyUsage}
	if e.issuer != nil {
		want = append(want, oid.CertificatePolicies, oid.CRLDistributionPoints, oid.AuthorityInfoAccess)
	}
	switch e.profile {
	case ProfileInstitution, ProfilePersonal, ProfileEncryption:
		if e.request.CreditCode != "" {
			want = append(want, oid.OrganisationCode)
		}
		if e.request.Identity.Number != "" {
			want = append(want, oid.IdentityCode)
		}
	case ProfileOCSP:
		want = append(want, oid.ExtKeyUsage, oid.OCSPNoCheck)
	case ProfileTSA:
		want = append(want, oid.ExtKeyUsage)
	}
	if len(x.Extensions) != len(want) {
		return fmt.Sprintf("%d extensions instead of %d", len(x.Extensions), len(want))
	}
	for _, id := range want {
		at := slices.IndexFunc(x.Extensions, func(have pkix.Extension) bool { return have.Id.Equal(id) })
		if at < 0 {
			return fmt.Sprintf("extension %v is missing", id)
		}
		critical := id.Equal(oid.KeyUsage) || id.Equal(oid.BasicConstraints) || id.Equal(oid.ExtKeyUsage) && e.profile == ProfileTSA
		if x.Extensions[at].Critical != critical {
			return fmt.Sprintf("criticality of extension %v", id)
		}
	}
	return ""
}
