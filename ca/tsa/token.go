package tsa

import (
	"bytes"
	"context"
	"crypto/subtle"
	"time"

	"yinxin/ca/chain"
	"yinxin/ca/cms"
	"yinxin/internal/oid"
)

// Token is a time-stamp token as it was read. Nothing in it counts before Verify.
type Token struct {
	Raw  []byte
	Info Info
	Data *cms.SignedData
}

// Parse reads a token: signed data with a TSTInfo inside, and nothing after it. Errors: ErrToken with the field,
// ErrTooLarge, and those of cms.Parse.
func Parse(raw []byte) (*Token, error) { return ParseWith(raw, chain.ParseCertificate) }

// ParseWith is Parse with another way to read certificates, see cms.ParseWith.
func ParseWith(raw []byte, certificate func(der []byte) (*chain.Certificate, error)) (*Token, error) {
	if len(raw) > MaxResponse {
		return nil, ErrTooLarge.With("%d bytes", len(raw))
	}
	data, err := cms.ParseWith(raw, certificate)
	if err != nil {
		return nil, err
	}
	if data.ContentType != cms.TypeTSTInfo || !data.Embedded {
		return nil, ErrToken.With("eContentType")
	}
	info, field := readInfo(data.Content)
	if field != "" {
		return nil, ErrToken.With("%s", field)
	}
	return &Token{Raw: raw, Info: info, Data: data}, nil
}

// Hash is the digest by which the token names what it stamps; empty when it is not known here.
func (t *Token) Hash() cms.Hash { return t.Info.Imprint.Hash }

// Stamps says whether the token is of something with this digest, by Hash. Errors: ErrImprint, chain.ErrAlgorithm when the
// digest is not known, chain.ErrWeak when it matches and is weak.
func (t *Token) Stamps(digest []byte) error {
	hash := t.Hash()
	switch {
	case hash == "":
		return chain.ErrAlgorithm.With("%s", t.Info.Imprint.algorithm.OID)
	case subtle.ConstantTimeCompare(digest, t.Info.Imprint.Digest) != 1 || len(digest) != hash.Size():
		return ErrImprint.With("%s", hash)
	case hash.Weak():
		return chain.ErrWeak.With("%s", hash)
	}
	return nil
}

// Result is what is known of a token.
type Result struct {
	// Certificate is the authority's; nil when it was not found.
	Certificate *chain.Certificate
	// Report is that of the signed data.
	Report cms.Report
	// Err is nil if the token is genuine: right imprint, signature and kind of certificate, whoever the authority is.
	Err error
	// Chain judges the authority's certificate at Info.Time.
	Chain chain.Result
	// Notes names leniencies, in English.
	Notes []string
}

// Good says whether the token proves its time: genuine, from an authority that is trusted, and was valid and not
// revoked then.
func (r Result) Good() bool { return r.Err == nil && r.Chain.Good() }

// Verify judges a token: of something with this digest (by Hash), signed by a time-stamp authority that the verifier
// trusts at the token's own time. Known are certificates from elsewhere that may be the authority's.
func (t *Token) Verify(ctx context.Context, digest []byte, v *chain.Verifier, known ...*chain.Certificate) Result {
	r := t.Check(digest, known...)
	if r.Certificate == nil {
		return r
	}
	if v == nil {
		v = &chain.Verifier{}
	}
	r.Chain = v.With(t.Data.Certificates).Verify(ctx, r.Certificate, t.Info.Time, chain.UsageTimeStamp)
	return r
}

// Check is Verify without the question whether the authority is trusted: Chain stays empty.
func (t *Token) Check(digest []byte, known ...*chain.Certificate) Result {
	var r Result
	if r.Certificate, r.Err = t.Data.SignerCertificate(known...); r.Err != nil {
		if imprint := t.Stamps(digest); imprint != nil && !cms.Undecided(imprint) {
			r.Err = imprint // a token of something else is wrong, whoever signed it
		}
		return r
	}
	r.Report = t.Data.Verify(r.Certificate, nil)
	for _, f := range r.Report.Findings {
		r.Notes = append(r.Notes, f.Notes...)
	}
	for _, err := range []error{t.Stamps(digest), r.Report.Err(), t.checkNaming(), checkCertificate(r.Certificate)} {
		// What is wrong counts for more than what is weak.
		if err != nil && (r.Err == nil || cms.Undecided(r.Err) && !cms.Undecided(err)) {
			r.Err = err
		}
	}
	if t.Info.Name != nil && !bytes.HasSuffix(t.Info.Name, r.Certificate.RawSubject) {
		r.Notes = append(r.Notes, "the token gives the authority another name than its certificate")
	}
	return r
}

// checkNaming says whether the token names its certificate by digest (RFC 3161 2.4.1, RFC 5816).
func (t *Token) checkNaming() error {
	signer, err := t.Data.Signer()
	if err != nil {
		return err
	}
	for _, a := range signer.Attributes {
		if a.Type == cms.AttrSigningCertificate || a.Type == cms.AttrSigningCertificateV2 {
			return nil
		}
	}
	return cms.ErrMissing.With("signingCertificate")
}

// checkCertificate says whether the certificate is for time stamping and nothing else, and says so critically (RFC 3161
// 2.3): so that a key that signs other things cannot be made to sign a time.
func checkCertificate(c *chain.Certificate) error {
	if len(c.ExtKeyUsage) != 1 || !c.ExtKeyUsage[0].Equal(oid.EKUTimeStamping) || !c.ExtKeyUsageCritical {
		return ErrCertificate.With("%s", c.Subject.CommonName)
	}
	return nil
}

// Bounds are the earliest and the latest time at which the authority may have seen the imprint.
func (t *Token) Bounds() (earliest, latest time.Time) {
	return t.Info.Time.Add(-t.Info.Accuracy), t.Info.Time.Add(t.Info.Accuracy)
}

// answers says whether the token answers a request. Errors: ErrImprint, ErrNonce, ErrPolicy, and those of Stamps.
func (t *Token) answers(r Request) error {
	if t.Hash() != r.Imprint.Hash {
		return ErrImprint.With("%s", t.Hash())
	}
	if err := t.Stamps(r.Imprint.Digest); err != nil {
		return err
	}
	if r.Nonce != nil && (t.Info.Nonce == nil || t.Info.Nonce.Cmp(r.Nonce) != 0) {
		return ErrNonce.New()
	}
	if r.Policy != "" && t.Info.Policy != r.Policy {
		return ErrPolicy.With("%s", t.Info.Policy)
	}
	return nil
}
