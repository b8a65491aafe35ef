package backend

import (
	"context"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"yinxin/ca"
	"yinxin/ca/chain"
	"yinxin/internal/store"
)

// approved is what of an order a certificate is compared with.
type approved struct {
	profile ca.Profile
	names   chain.Name
	code    string
}

// approvedOf reads the record of a request (ca.Request.Subject).
func approvedOf(request []byte) (approved, error) {
	var r struct {
		Profile      ca.Profile `json:"profile"`
		Organisation string     `json:"organisation"`
		CreditCode   string     `json:"creditCode"`
		SealCode     string     `json:"sealCode"`
		CommonName   string     `json:"commonName"`
	}
	if err := json.Unmarshal(request, &r); err != nil {
		return approved{}, err
	}
	a := approved{profile: r.Profile, code: r.CreditCode, names: chain.Name{Country: "CN", Organisation: r.CreditCode + r.Organisation, CommonName: r.SealCode + r.CommonName}}
	return a, nil
}

const (
	mustSign    = x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment
	mustEncrypt = x509.KeyUsageKeyEncipherment | x509.KeyUsageDataEncipherment | x509.KeyUsageKeyAgreement
)

// examine says whether a certificate may be taken for an order, and what it says otherwise. at is now. Errors:
// backend.chain, backend.validity, backend.usage.
func (o *orders) examine(ctx context.Context, order *record, c *chain.Certificate, others []*chain.Certificate, at time.Time) ([]Difference, []*chain.Certificate, error) {
	result, ours, err := o.path(ctx, c, others, at)
	switch {
	case err != nil:
		return nil, nil, err
	case ctx.Err() != nil:
		return nil, nil, ctx.Err()
	case !result.Trusted || !ours:
		return nil, nil, ErrChain.Because(result.ChainErr)
	case result.Expired || result.NotYetValid:
		return nil, nil, ErrValidity.New()
	case c.IsCA || len(c.UnhandledCritical) > 0:
		return nil, nil, ErrUsage.New()
	}
	want, err := approvedOf(order.request)
	if err != nil {
		return nil, nil, err
	}
	must := mustSign
	if want.profile == ca.ProfileEncryption {
		must = mustEncrypt
	}
	if c.HasKeyUsage && c.KeyUsage&must == 0 {
		return nil, nil, ErrUsage.New()
	}
	var found []Difference
	differ := func(field, asked, given string) {
		if asked != given {
			found = append(found, Difference{field, asked, given})
		}
	}
	differ("C", want.names.Country, c.Subject.Country)
	differ("ST", "", c.Subject.Province)
	differ("L", "", c.Subject.Locality)
	differ("O", want.names.Organisation, c.Subject.Organisation)
	differ("OU", "", c.Subject.OrganisationalUnit)
	differ("CN", want.names.CommonName, c.Subject.CommonName)
	differ("serialNumber", "", c.Subject.SerialNumber)
	differ("organisationCode", want.code, c.OrganisationCode)
	differ("keyUsage", usageText(must), usageText(c.KeyUsage))
	if latest := c.NotBefore.AddDate(0, approvedMonths, 0); !c.NotAfter.Before(latest) {
		found = append(found, Difference{"notAfter", latest.Add(-time.Second).Format(time.RFC3339), c.NotAfter.Format(time.RFC3339)})
	}
	if earliest := order.Created.Add(-earlyStart); c.NotBefore.Before(earliest) {
		found = append(found, Difference{"notBefore", earliest.Truncate(time.Second).Format(time.RFC3339), c.NotBefore.Format(time.RFC3339)})
	}
	issuers := result.Path[1:]
	if n := len(issuers); n > 0 {
		issuers = issuers[:n-1] // the anchor is known
	}
	return found, issuers, nil
}

// path builds the chain of a certificate. ours says that it leads to an anchor of this authority.
func (o *orders) path(ctx context.Context, c *chain.Certificate, others []*chain.Certificate, at time.Time) (r chain.Result, ours bool, err error) {
	if o.trust != nil {
		r = o.trust.With(others).Verify(ctx, c, at, chain.UsageAny)
		return r, r.Trusted, nil
	}
	believed, err := o.Authority.Anchors(ctx)
	if err != nil {
		return r, false, err
	}
	imported, err := o.Authority.ImportedAnchors(ctx)
	if err != nil {
		return r, false, err
	}
	r = (&chain.Verifier{Anchors: believed, Intermediates: others}).Verify(ctx, c, at, chain.UsageAny)
	if !r.Trusted {
		return r, false, nil
	}
	top := r.Path[len(r.Path)-1].Fingerprint()
	for _, a := range imported {
		if a.Removed.IsZero() && slices.Contains(o.anchors, a.Name) && a.Certificate.Fingerprint() == top {
			return r, true, nil
		}
	}
	return r, false, nil
}

// earlyStart is how long before its order a certificate may begin: authorities begin with the day, or allow for clocks. One
// that begins earlier would make signatures of a time at which nobody had approved it.
const earlyStart = 24 * time.Hour

// approvedMonths is how long a holder's certificate is valid, in calendar months (the notice and the agreement: twelve).
const approvedMonths = 12

// usageText is key usage as a number of bits, for a difference.
func usageText(u x509.KeyUsage) string { return fmt.Sprintf("%09b", u) }

// belongsTo says whether a certificate is for the key of an order.
func belongsTo(c *chain.Certificate, key *ecdsa.PublicKey) bool {
	public, ok := c.PublicKey.(*ecdsa.PublicKey)
	return ok && key.Equal(public)
}

// AcceptSubject is what is approved (KindAcceptCertificate) when a certificate with differences is taken: the order, the
// certificate and everything that differs.
func AcceptSubject(o Outcome) []byte {
	fingerprint := ""
	if o.Certificate != nil {
		fingerprint = o.Certificate.FingerprintText()
	}
	text, err := json.Marshal(struct {
		Type        string       `json:"type"`
		Order       string       `json:"order"`
		Backend     string       `json:"backend"`
		Certificate string       `json:"certificate"`
		Differences []Difference `json:"differences"`
	}{"yinxin certificate acceptance 1", o.ID, o.Backend, fingerprint, o.Differences})
	if err != nil {
		panic("backend: strings can always be encoded: " + err.Error())
	}
	return text
}

func differencesText(list []Difference) (string, error) {
	if len(list) == 0 {
		return "", nil
	}
	text, err := json.Marshal(list)
	return string(text), err
}

func parseDifferences(text string) (list []Difference, err error) {
	if text != "" {
		err = json.Unmarshal([]byte(text), &list)
	}
	return list, err
}

// isDuplicate says that a row could not be written because the certificate is in another.
func isDuplicate(err error) bool { return store.IsUnique(err) }
