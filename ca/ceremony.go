package ca

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"yinxin/ca/chain"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/ledger"
	"yinxin/internal/store"
	"yinxin/keystore"
)

// Ceremony is everything that founding a certificate authority takes.
type Ceremony struct {
	DB     *store.DB
	Ledger *ledger.Ledger
	Clock  func() time.Time
	// Random makes serial numbers; nil is the operating system's.
	Random io.Reader
	// Root reaches the purpose root, in a keystore folder of its own: it can be taken away afterwards, and is needed
	// again for PublishRootCRL.
	Root *keystore.Ring
	// Keys reaches the purposes issuing, ocsp, seal-maker and tsa.
	Keys *keystore.Ring
	// Officers are the IDs of two different actors, registrars or approvers, who hold the ceremony.
	Officers [2]string
	// Organisation runs the authority, at most 64 characters: O in the names of the infrastructure.
	Organisation string
	// RootName is the root's common name; empty: the organisation with 根证书.
	RootName string
	// RootYears is how long the root's certificate lasts, 0: 20, within the limits below.
	RootYears int
	// Issuing are the CAs that issue, at most MaxIssuers; none: one that issues everything.
	Issuing []IssuingCeremony
	// PlanDigest is SM3, in hexadecimal digits, of the plan that both officers confirmed; it goes into the ledger.
	PlanDigest string
	// BaseURL is where certificates say that CRLs, certificates and OCSP are found: http://host[:port][/path]. Plain
	// http is usual, since what is fetched there is signed.
	BaseURL string
}

// IssuingCeremony is what one issuing CA shall be.
type IssuingCeremony struct {
	// ID is as ValidIssuerID wants it; empty, of the first only: FirstIssuer.
	ID string
	// Name is the common name; empty, of the first only: the organisation with 签发证书.
	Name string
	// Years is how long its certificate lasts, 0: 10; it must end before the root.
	Years int
	// Profiles are what it issues: each of EndProfiles by exactly one. Of the only one they may be left out.
	Profiles []Profile
}

// The limits of a ceremony, in years. What lives longer outlives the algorithms that it stands on; an issuing CA must
// not end before the seal maker and the time-stamp authority that it certifies.
const (
	MaxRootYears    = 30
	MinIssuingYears = 5
	MaxIssuingYears = 15
)

// Establishment is what a ceremony made.
type Establishment struct {
	Root           *chain.Certificate
	Issuing        []EstablishedIssuer // in the order of the plan
	SealMaker, TSA *chain.Certificate
	RootCRL        []byte // DER
}

// EstablishedIssuer is an issuing CA with the responder that answers for it.
type EstablishedIssuer struct {
	Issuer
	OCSP *chain.Certificate
}

// infrastructure is one certificate of the ceremony.
type infrastructure struct {
	profile Profile
	keyName string
	ring    *keystore.Ring
	purpose keystore.Purpose
	name    string
	months  int    // of validity
	id      string // of a CA: as the database calls it
	signer  string // id of the issuer
}

// plan lists the certificates in the order in which they are made: an issuer comes before what it issues.
func (c Ceremony) plan() []infrastructure {
	list := []infrastructure{{ProfileRoot, KeyRoot, c.Root, keystore.PurposeRoot, c.RootName, 12 * c.RootYears, rootID, rootID}}
	for _, i := range c.Issuing {
		list = append(list,
			infrastructure{ProfileIssuing, keyOf(KeyIssuing, i.ID), c.Keys, keystore.PurposeIssuing, i.Name, 12 * i.Years, i.ID, rootID},
			infrastructure{ProfileOCSP, keyOf(KeyOCSP, i.ID), c.Keys, keystore.PurposeOCSP, "OCSP", ProfileOCSP.months(), "", i.ID})
	}
	return append(list,
		infrastructure{ProfileSealMaker, KeySealMaker, c.Keys, keystore.PurposeSealMaker, "电子印章制作", ProfileSealMaker.months(), "", c.serving(ProfileSealMaker)},
		infrastructure{ProfileTSA, KeyTSA, c.Keys, keystore.PurposeTSA, "时间戳", ProfileTSA.months(), "", c.serving(ProfileTSA)})
}

// serving is the ID of the issuing CA that issues a profile.
func (c Ceremony) serving(p Profile) string {
	for _, i := range c.Issuing {
		if slices.Contains(i.Profiles, p) {
			return i.ID
		}
	}
	return ""
}

// Establish founds the authority: keys, certificates and the root's first CRL, under a record that names both
// officers. Everything is recorded in one transaction; if that does not happen nothing was established, and the keys
// that were generated are taken up by the next attempt. Errors: ca.ceremony, ca.officers, ca.established, ca.key.
func Establish(ctx context.Context, c Ceremony) (*Establishment, error) {
	c, err := c.complete(ctx)
	if err != nil {
		return nil, err
	}
	prefix := make([]byte, prefixSize)
	if _, err := io.ReadFull(c.Random, prefix); err != nil {
		return nil, err
	}
	prefix[0] = prefix[0]&0x3f | 0x40 // positive, and of full length
	made, err := c.makeAll(ctx, prefix)
	if err != nil {
		return nil, err
	}
	root := made[0]
	crl := edition{list: list{issuer: root.certificate, number: 1, thisUpdate: c.Clock().UTC().Truncate(time.Second)}}
	crl.list.nextUpdate = crl.list.thisUpdate.Add(RootCRLValidity)
	if err := crl.make(ctx, root.key); err != nil {
		return nil, err
	}
	err = c.DB.Write(ctx, func(tx *store.Tx) error { return c.recordAll(ctx, tx, prefix, made, crl) })
	if store.IsUnique(err) {
		return nil, ErrEstablished.New()
	}
	if err != nil {
		return nil, err
	}
	return c.establishment(made, crl.der), nil
}

func (c Ceremony) establishment(made []member, rootCRL []byte) *Establishment {
	e := &Establishment{RootCRL: rootCRL}
	for _, m := range made {
		switch m.profile {
		case ProfileRoot:
			e.Root = m.certificate
		case ProfileIssuing:
			e.Issuing = append(e.Issuing, EstablishedIssuer{Issuer: Issuer{m.id, m.certificate, c.Issuing[len(e.Issuing)].Profiles}})
		case ProfileOCSP:
			e.Issuing[len(e.Issuing)-1].OCSP = m.certificate
		case ProfileSealMaker:
			e.SealMaker = m.certificate
		case ProfileTSA:
			e.TSA = m.certificate
		}
	}
	return e
}

// complete checks the particulars and fills in what is left to us.
func (c Ceremony) complete(ctx context.Context) (Ceremony, error) {
	if c.Random == nil {
		c.Random = rand.Reader
	}
	if c.RootName == "" {
		c.RootName = c.Organisation + "根证书"
	}
	if !validName(c.Organisation) {
		return c, ErrCeremony.At(fault.Field("organisation"))
	}
	if !validName(c.RootName) {
		return c, ErrCeremony.At(fault.Field("name"))
	}
	if c.RootYears == 0 {
		c.RootYears = ProfileRoot.months() / 12
	}
	if c.RootYears > MaxRootYears {
		return c, ErrCeremony.At(fault.Field("years"))
	}
	var err error
	if c.Issuing, err = c.completeIssuing(); err != nil {
		return c, err
	}
	if c.BaseURL, err = cleanURL(c.BaseURL); err != nil {
		return c, err
	}
	if c.Officers[0] == c.Officers[1] {
		return c, ErrOfficers.New()
	}
	directory := access.New(c.DB, c.Ledger, c.Clock)
	for _, id := range c.Officers {
		officer, err := directory.Actor(ctx, id)
		if err != nil {
			return c, err
		}
		if !officer.Has(access.RoleRegistrar) && !officer.Has(access.RoleApprover) {
			return c, ErrOfficers.With("%s", id)
		}
	}
	var established int
	if err := c.DB.Read().QueryRowContext(ctx, `SELECT COUNT(*) FROM ca_authority`).Scan(&established); err != nil {
		return c, err
	}
	if established > 0 {
		return c, ErrEstablished.New()
	}
	return c, nil
}

// completeIssuing checks what is said of the issuing CAs and fills in the rest.
func (c Ceremony) completeIssuing() ([]IssuingCeremony, error) {
	list := FillIssuing(c.Issuing, c.Organisation)
	if field, _ := CheckIssuing(list, c.RootName, c.RootYears); field != "" {
		if of, _, indexed := strings.Cut(field, ".profiles["); indexed { // a file has lines, the particulars here have fields
			field = of + ".profiles"
		}
		return nil, ErrCeremony.At(fault.Field(field))
	}
	for n, i := range list {
		if !validName(i.Name) {
			return nil, ErrCeremony.At(fault.Field(fmt.Sprintf("issuing[%d].name", n)))
		}
	}
	return list, nil
}

// member is one certificate that the ceremony made.
type member struct {
	infrastructure
	issuance
	key         keystore.Key
	certificate *chain.Certificate
}

// makeAll makes keys and certificates in the order of the plan: an issuer comes before what it issues.
func (c Ceremony) makeAll(ctx context.Context, prefix []byte) ([]member, error) {
	throwaway, err := newLinter()
	if err != nil {
		return nil, err
	}
	now := c.Clock()
	// Pointers into made are kept: it must not grow.
	made := make([]member, 0, len(c.plan()))
	issuers := map[string]*member{}
	for _, part := range c.plan() {
		m := member{infrastructure: part}
		if m.key, err = takeKey(ctx, part); err != nil {
			return nil, err
		}
		var issuer *chain.Certificate
		signer := m.key
		if part.id != part.signer {
			issuer, signer = issuers[part.signer].certificate, issuers[part.signer].key
		}
		m.issuance, err = c.draftOf(m, issuer, prefix, now)
		if err != nil {
			return nil, err
		}
		token, err := lint(m.tbs, throwaway, expected{request: m.request, profile: part.profile, serial: m.draft.serial,
			from: now, months: part.months, issuer: issuer, urls: m.draft.issuer})
		if err != nil {
			return nil, err
		}
		der, err := token.sign(ctx, signer)
		if err != nil {
			return nil, err
		}
		if m.certificate, err = token.released(der, signer.Public()); err != nil {
			return nil, err
		}
		made = append(made, m)
		if part.profile.rules().ca {
			issuers[part.id] = &made[len(made)-1]
		}
	}
	return made, nil
}

// takeKey makes a key, or takes up the one of an attempt that came to nothing.
func takeKey(ctx context.Context, part infrastructure) (keystore.Key, error) {
	key, err := part.ring.Get(ctx, part.keyName)
	if fault.Has(err, keystore.ErrKeyNotFound) {
		key, err = part.ring.Generate(ctx, part.keyName, part.purpose)
	}
	if err != nil {
		return nil, ErrKey.With("%s", part.keyName).Because(err)
	}
	if key.Purpose() != part.purpose || key.State() != keystore.StateActive {
		return nil, ErrKey.With("%s", part.keyName)
	}
	return key, nil
}

func (c Ceremony) draftOf(m member, issuer *chain.Certificate, prefix []byte, now time.Time) (issuance, error) {
	i := issuance{created: now, request: Request{Profile: m.profile, Public: m.key.Public(), Organisation: c.Organisation, CommonName: m.name}}
	subject, err := distinguishedName(i.request.organisation(), i.request.commonName())
	if err != nil {
		return i, err
	}
	i.draft = draft{profile: m.profile, subject: subject, public: keystore.Point(m.key.Public())}
	i.draft.notBefore, i.draft.notAfter = span(now, m.months)
	switch {
	case issuer == nil:
		i.draft.issuer = issuerData{name: subject, keyID: keyID(i.draft.public)}
	case m.signer == rootID:
		i.draft.issuer = rootData(issuer, c.BaseURL)
	default:
		i.draft.issuer = Issuer{ID: m.signer, Certificate: issuer}.data(c.BaseURL)
	}
	if i.draft.serial, err = newSerial(c.Random, prefix); err != nil {
		return i, err
	}
	i.tbs, err = i.draft.marshal()
	return i, err
}

func (c Ceremony) recordAll(ctx context.Context, tx *store.Tx, prefix []byte, made []member, crl edition) error {
	now := c.Clock()
	id := store.NewID("cer_")
	_, err := tx.ExecContext(ctx, `INSERT INTO ca_ceremony (id, held, first_officer, second_officer) VALUES ($1, $2, $3, $4)`,
		id, store.Time(now), c.Officers[0], c.Officers[1])
	if err != nil {
		return err
	}
	err = record(ctx, c.Ledger, tx, now, "ceremony.held", c.Officers[0], id, map[string]string{"second": c.Officers[1], "plan": c.PlanDigest})
	if err != nil {
		return err
	}
	position := 0
	for _, m := range made {
		if m.profile.rules().ca {
			_, err := tx.ExecContext(ctx, `INSERT INTO ca_authority (name, position, certificate, prefix, base_url, ceremony) VALUES ($1, $2, $3, $4, $5, $6)`,
				m.id, position, m.certificate.Raw, prefix, c.BaseURL, id)
			if err != nil {
				return err
			}
			position++
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO ca_certificate
			(serial, issuer, profile, state, request, organisation, common_name, public_key, tbs, certificate, shard, not_before, not_after, created, completed, ceremony)
			VALUES ($1, $2, $3, 'issued', $4, $5, $6, $7, $8, $9, 0, $10, $11, $12, $12, $13)`,
			m.serial(), m.signer, string(m.profile), m.request.Subject(), m.request.organisation(), m.request.commonName(),
			m.draft.public, m.tbs, m.certificate.Raw, store.Time(m.draft.notBefore), store.Time(m.draft.notAfter), store.Time(now), id)
		if err != nil {
			return err
		}
		err = record(ctx, c.Ledger, tx, now, "certificate.issued", c.Officers[0], m.serial(), map[string]string{
			"profile": string(m.profile), "ceremony": id, "certificate": m.certificate.FingerprintText()})
		if err != nil {
			return err
		}
	}
	for _, i := range c.Issuing {
		for _, p := range i.Profiles {
			if _, err := tx.ExecContext(ctx, `INSERT INTO ca_profile (profile, issuer) VALUES ($1, $2)`, string(p), i.ID); err != nil {
				return err
			}
		}
	}
	return insertCRL(ctx, tx, publication{name: rootID, base: true}, crl, nil)
}
