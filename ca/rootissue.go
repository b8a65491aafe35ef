package ca

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"slices"
	"time"

	"yinxin/ca/chain"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/store"
	"yinxin/keystore"
)

// IssuingOrder asks the offline root for a new certificate of an issuing CA: the same name and key, a later end. What
// was issued before stays below it, since the key is the same.
type IssuingOrder struct {
	Certificate []byte `json:"certificate"` // the one in force, DER
	Serial      string `json:"serial"`      // of the new one, hexadecimal
	Years       int    `json:"years"`
	BaseURL     string `json:"base_url"`
}

// OrderIssuing adds a new certificate of an issuing CA to an order, of the first where id is empty. Errors: ca.ceremony for
// years out of bounds, ca.no-such-issuer.
func (a *Authority) OrderIssuing(o *RootOrder, id string, years int) error {
	s, err := a.issuer(id)
	if err != nil {
		return err
	}
	if years < MinIssuingYears || years > MaxIssuingYears {
		return ErrCeremony.At(fault.Field("years"))
	}
	serial, err := newSerial(a.Random, a.prefix)
	if err != nil {
		return err
	}
	o.Issuing = &IssuingOrder{Certificate: s.Certificate.Raw, Serial: SerialText(serial), Years: years, BaseURL: a.BaseURL}
	return nil
}

// IssuingName is the common name of the CA for which an order wants a new certificate; empty where it wants none.
func (o RootOrder) IssuingName() string {
	if o.Issuing == nil {
		return ""
	}
	c, err := chain.ParseCertificate(o.Issuing.Certificate)
	if err != nil {
		return ""
	}
	return c.Subject.CommonName
}

// issuingRequest is what the profile of an issuing CA is judged by.
func issuingRequest(c *chain.Certificate) (Request, error) {
	public, ok := c.PublicKey.(*ecdsa.PublicKey)
	if !ok || keystore.Point(public) == nil {
		return Request{}, ErrIssuing.New()
	}
	return Request{Profile: ProfileIssuing, Public: public, Organisation: c.Subject.Organisation, CommonName: c.Subject.CommonName}, nil
}

// SignIssuing makes the certificate that was ordered, with the root's key, at a time; it is linted before as every
// certificate is. Errors: ca.root-order, ca.key, ca.issuer-expires where it would outlive the root.
func SignIssuing(ctx context.Context, key keystore.Key, data []byte, now time.Time) ([]byte, error) {
	o, root, _, err := ParseRootOrder(data)
	if err != nil {
		return nil, err
	}
	bad := func(err error) error { return ErrRootOrder.At(fault.Field("issuing")).Because(err) }
	if o.Issuing == nil {
		return nil, bad(nil)
	}
	if !key.Public().Equal(root.PublicKey) {
		return nil, ErrKey.With("%s", KeyRoot)
	}
	old, err := chain.ParseCertificate(o.Issuing.Certificate)
	if err != nil {
		return nil, bad(err)
	}
	if err := issuedBy(old, root); err != nil {
		return nil, bad(err)
	}
	serial, err := ParseSerial(o.Issuing.Serial)
	if err != nil || SerialText(serial) == "" {
		return nil, bad(nil)
	}
	base, err := cleanURL(o.Issuing.BaseURL)
	if err != nil || o.Issuing.Years < MinIssuingYears || o.Issuing.Years > MaxIssuingYears {
		return nil, bad(err)
	}
	request, err := issuingRequest(old)
	if err != nil {
		return nil, bad(err)
	}
	d := draft{profile: ProfileIssuing, serial: serial, subject: old.RawSubject, public: keystore.Point(request.Public), issuer: rootData(root, base)}
	if d.notBefore, d.notAfter = span(now, 12*o.Issuing.Years); d.notAfter.After(root.NotAfter) {
		return nil, ErrValidity.With("%s < %s", root.NotAfter.Format(time.DateOnly), d.notAfter.Format(time.DateOnly))
	}
	tbs, err := d.marshal()
	if err != nil {
		return nil, err
	}
	throwaway, err := newLinter()
	if err != nil {
		return nil, err
	}
	token, err := lint(tbs, throwaway, expected{request: request, profile: ProfileIssuing, serial: serial, from: now, months: 12 * o.Issuing.Years, issuer: root, urls: d.issuer})
	if err != nil {
		return nil, err
	}
	signed, err := token.sign(ctx, key)
	if err != nil {
		return nil, err
	}
	if _, err := token.released(signed, key.Public()); err != nil {
		return nil, err
	}
	return signed, nil
}

// issuedBy says whether a root certified an issuing CA.
func issuedBy(c, root *chain.Certificate) error {
	if !bytes.Equal(c.RawIssuer, root.RawSubject) || !c.IsCA {
		return ErrIssuing.New()
	}
	algorithm := chain.Algorithm{OID: c.SignatureAlgorithm, Parameters: c.SignatureParameters}
	_, err := algorithm.Check(root.PublicKey, c.RawTBS, c.Signature)
	return err
}

// ImportIssuing puts a certificate that the offline root made for an issuing CA into force, in a ceremony of two
// officers; an Authority that is open keeps the one that it was opened with. Errors: ca.issuing, ca.officers.
func (a *Authority) ImportIssuing(ctx context.Context, by [2]string, data []byte) error {
	c, err := chain.ParseCertificate(data)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(a.issuers, func(s *issuingCA) bool { return sameAuthority(c, s.Certificate) })
	if at < 0 {
		return ErrIssuing.New()
	}
	s, now := a.issuers[at], a.Clock()
	switch {
	case issuedBy(c, a.root) != nil, c.Fingerprint() == s.Certificate.Fingerprint(), SerialText(c.Serial) == "":
		return ErrIssuing.New()
	case c.NotBefore.After(now.Add(5 * time.Minute)), !c.NotAfter.After(s.Certificate.NotAfter), c.NotAfter.After(a.root.NotAfter):
		return ErrIssuing.Saying("有效期不对", "its validity is not that of a successor")
	}
	request, err := issuingRequest(c)
	if err != nil {
		return err
	}
	if by[0] == by[1] {
		return ErrOfficers.New()
	}
	for _, id := range by {
		officer, err := a.access.Actor(ctx, id)
		if err != nil {
			return err
		}
		if !officer.Has(access.RoleRegistrar) && !officer.Has(access.RoleApprover) {
			return ErrOfficers.With("%s", id)
		}
	}
	id := store.NewID("cer_")
	err = a.DB.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO ca_ceremony (id, held, first_officer, second_officer) VALUES ($1, $2, $3, $4)`, id, store.Time(now), by[0], by[1])
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO ca_certificate
			(serial, issuer, profile, state, request, organisation, common_name, public_key, tbs, certificate, shard, not_before, not_after, created, completed, ceremony)
			VALUES ($1, 'root', 'issuing', 'issued', $2, $3, $4, $5, $6, $7, 0, $8, $9, $10, $10, $11)`,
			SerialText(c.Serial), request.Subject(), request.organisation(), request.commonName(), keystore.Point(request.Public), c.RawTBS, c.Raw,
			store.Time(c.NotBefore), store.Time(c.NotAfter), store.Time(now), id)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE ca_authority SET certificate = $1 WHERE name = $2`, c.Raw, s.ID); err != nil {
			return err
		}
		err = a.record(ctx, tx, now, "ceremony.held", by[0], id, map[string]string{"second": by[1]})
		if err != nil {
			return err
		}
		return a.record(ctx, tx, now, "certificate.issued", by[0], SerialText(c.Serial), map[string]string{
			"profile": string(ProfileIssuing), "ceremony": id, "certificate": c.FingerprintText()})
	})
	if store.IsUnique(err) {
		return ErrIssuing.Saying("已经导入", "it was imported already")
	}
	return err
}

// sameAuthority says whether two certificates are of one authority: the same name and the same key.
func sameAuthority(a, b *chain.Certificate) bool {
	return bytes.Equal(a.RawSubject, b.RawSubject) && bytes.Equal(a.RawSPKI, b.RawSPKI)
}
