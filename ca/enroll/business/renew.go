package business

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"database/sql"
	"errors"
	"math/big"

	"yinxin/ca"
	"yinxin/ca/chain"
	"yinxin/ca/csr"
	"yinxin/internal/access"
	"yinxin/internal/ledger"
	"yinxin/internal/store"
)

// RenewCentral renews the certificate of a central seal with a new key and remakes the seal with it, in one step and
// without a person: the approval behind both carries renewals for five years. The new ones wait for the term in which
// the holder may object, but not beyond the end of the old certificate. Errors: business.not-central for a certificate
// of no central seal in use, business.changing, those of ca.Authority.Renew.
func (s *Service) RenewCentral(ctx context.Context, serial *big.Int) (Renewal, error) {
	old, err := s.Authority.Certificate(ctx, serial)
	if err != nil {
		return Renewal{}, err
	}
	in, err := s.centralWith(ctx, old)
	if err != nil {
		return Renewal{}, err
	}
	keyName := newKeyName(in.Code)
	draft, err := s.Seals.PrepareSealRenewal(ctx, in.ID, keyName)
	if err != nil {
		return Renewal{}, err
	}
	public, err := s.Keys.Generate(ctx, keyName)
	if err != nil {
		return Renewal{}, err
	}
	row := &renewing{service: s, renewal: Renewal{ID: store.NewID("rnw_"), Seal: in.Code}, old: old, drafts: []SealDraft{draft}, codes: []string{in.Code}}
	if _, err := s.Authority.Renew(ctx, serial, public, draft, row); err != nil {
		return Renewal{}, errors.Join(err, s.Keys.Retire(ctx, keyName)) // no certificate names it
	}
	return row.renewal, nil
}

// centralWith finds the central seal in use that lists a certificate.
func (s *Service) centralWith(ctx context.Context, c ca.Record) (SealInstance, error) {
	if c.Certificate == nil || c.Profile != ca.ProfileInstitution {
		return SealInstance{}, ErrNotCentral.New()
	}
	list, err := s.Seals.InstancesInUse(ctx, c.Certificate.Subject.CommonName)
	if err != nil {
		return SealInstance{}, err
	}
	for _, in := range list {
		if in.Holder == "" && bytes.Equal(in.Certificate, c.Certificate.Raw) {
			return in, nil
		}
	}
	return SealInstance{}, ErrNotCentral.With("%s", c.Certificate.Subject.CommonName)
}

// RenewKey renews both certificates of a USB Key and the seals on it, under the approval of the first ones: serial is
// the signing certificate, request a PKCS#10 by its present key. The encryption certificate keeps its key. They wait for
// the holder's acceptance, as all renewals do. A registrar or the holder does it, and only the holder may bring a new
// key: a registrar who could would have a certificate in the holder's name without a second person, for which there is
// Key 补办. Called again with the same key it goes on where it was interrupted. Errors: business.no-key,
// business.present-key, business.other-key, business.changing, those of csr.Parse and of ca.Authority.Renew.
func (s *Service) RenewKey(ctx context.Context, by access.Actor, serial *big.Int, request []byte) (Renewal, error) {
	asked, err := csr.Parse(request, csr.Options{})
	if err != nil {
		return Renewal{}, err
	}
	holder, err := holderOf(ctx, s.DB.Read(), serial)
	if err != nil {
		return Renewal{}, err
	}
	if err := s.mayDecide(ctx, s.DB.Read(), by, holder); err != nil {
		return Renewal{}, err
	}
	if by.ID != holder {
		if err := s.sameKey(ctx, serial, asked.Public); err != nil {
			return Renewal{}, err
		}
	}
	r, err := s.renewSigning(ctx, serial, holder, asked.Public)
	if err != nil {
		return Renewal{}, err
	}
	if err := s.renewEncryption(ctx, r, holder); err != nil {
		return Renewal{}, err
	}
	return s.Renewal(ctx, r.ID)
}

// sameKey refuses a request by another key than that of a certificate.
func (s *Service) sameKey(ctx context.Context, serial *big.Int, public *ecdsa.PublicKey) error {
	record, err := s.Authority.Certificate(ctx, serial)
	if err == nil && (record.Certificate == nil || !public.Equal(record.Certificate.PublicKey)) {
		err = ErrPresentKey.New()
	}
	return err
}

func (s *Service) renewSigning(ctx context.Context, serial *big.Int, holder string, public *ecdsa.PublicKey) (Renewal, error) {
	if begun, err := s.renewalOf(ctx, serial); !isNotFound(err) {
		if err != nil {
			return Renewal{}, err
		}
		record, err := s.Authority.Certificate(ctx, begun.Certificates[0].Successor)
		if err == nil && !public.Equal(record.Certificate.PublicKey) {
			err = ErrOtherKey.New()
		}
		return begun, err
	}
	old, err := s.Authority.Certificate(ctx, serial)
	if err == nil && (old.Profile != ca.ProfilePersonal || old.Certificate == nil) {
		err = ErrNoKey.With("%s", old.Profile) // the second certificate follows the first
	}
	if err != nil {
		return Renewal{}, err
	}
	inUse, err := s.Seals.InstancesOf(ctx, holder)
	if err != nil {
		return Renewal{}, err
	}
	row := &renewing{service: s, renewal: Renewal{ID: store.NewID("rnw_"), Holder: holder}, old: old, holder: holder, profile: ca.ProfilePersonal}
	var with []ca.Companion
	for _, in := range inUse {
		if !bytes.Equal(in.Certificate, old.Certificate.Raw) {
			continue // on another Key of the same person
		}
		draft, err := s.Seals.PrepareSealRenewal(ctx, in.ID, "")
		if err != nil {
			return Renewal{}, err
		}
		row.drafts, row.codes, with = append(row.drafts, draft), append(row.codes, in.Code), append(with, draft)
	}
	if len(row.drafts) == 0 {
		return Renewal{}, ErrNoKey.Saying("在用的印章都没有列入该证书", "no seal in use lists the certificate") // not accepted yet, or replaced
	}
	c, err := s.Authority.Renew(ctx, serial, public, append(with, row)...)
	if err != nil {
		return Renewal{}, err
	}
	row.renewal.Certificates = []Renewed{{Successor: c.Serial, Predecessor: serial}}
	return row.renewal, nil
}

// renewEncryption renews the certificate for encryption that is on the same USB Key, for the key that it has.
func (s *Service) renewEncryption(ctx context.Context, r Renewal, holder string) error {
	if len(r.Certificates) > 1 {
		return nil // done by an earlier call
	}
	first := r.Certificates[0].Predecessor
	second, err := encryptionOf(ctx, s.DB.Read(), first)
	if err != nil || second == nil {
		return err
	}
	old, err := s.Authority.Certificate(ctx, second)
	if err != nil || old.State != ca.RecordGood {
		return err
	}
	row := &renewing{service: s, renewal: r, old: old, holder: holder, profile: ca.ProfileEncryption, joins: true}
	_, err = s.Authority.Renew(ctx, second, old.Certificate.PublicKey.(*ecdsa.PublicKey), row)
	return err
}

// encryptionOf is the certificate for encryption that was made with a signing certificate, for the same USB Key: the act
// after its own in the plan, or the other one of the same renewal. Nil where none was made.
func encryptionOf(ctx context.Context, q store.Querier, signing *big.Int) (*big.Int, error) {
	var serial string
	err := q.QueryRowContext(ctx, `SELECT c.serial FROM ca_certificate c WHERE c.profile = 'encryption' AND c.serial IN (
			SELECT e.result FROM business_act e JOIN business_act s ON s.application = e.application AND s.version = e.version AND s.number + 1 = e.number
				WHERE s.result = $1 AND s.kind = 'certificate' AND e.kind = 'certificate'
			UNION SELECT e.successor FROM business_renewed e JOIN business_renewed s ON s.renewal = e.renewal WHERE s.successor = $1)`,
		ca.SerialText(signing)).Scan(&serial)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return serialNumber(serial), err
}

// renewing records a renewal in the transaction that records its certificate.
type renewing struct {
	service *Service
	renewal Renewal
	old     ca.Record
	drafts  []SealDraft // made with the certificate
	codes   []string    // of the seals
	holder  string      // of the USB Key
	profile ca.Profile  // what is on it
	joins   bool        // the renewal is on record already
}

var _ ca.Companion = (*renewing)(nil)

func (r *renewing) Intend(ctx context.Context, tx *store.Tx) error {
	changing, err := underWay(ctx, tx, r.old.Serial, r.codes)
	if err == nil && changing {
		err = ErrChanging.New()
	}
	return err
}

func (r *renewing) Make(context.Context, *chain.Certificate) error { return nil }

func (r *renewing) Complete(ctx context.Context, tx *store.Tx, c *chain.Certificate) error {
	s, now := r.service, r.service.Clock()
	if !r.joins {
		r.renewal.Made, r.renewal.AcceptBy, r.renewal.State = now, s.acceptBy(now, r.old.Certificate.NotAfter), RenewalWaiting
		if err := r.renewal.insert(ctx, tx); err != nil {
			return err
		}
	}
	instances := []string{}
	for _, d := range r.drafts {
		instances = append(instances, d.InstanceID())
	}
	if len(instances) == 0 {
		instances = []string{""}
	}
	for _, instance := range instances {
		_, err := tx.ExecContext(ctx, `INSERT INTO business_renewed (renewal, successor, predecessor, instance) VALUES ($1, $2, $3, $4)`,
			r.renewal.ID, ca.SerialText(c.Serial), ca.SerialText(r.old.Serial), instance)
		if err != nil {
			return err
		}
	}
	if r.holder != "" {
		if err := holding(ctx, tx, r.holder, r.profile, c); err != nil {
			return err
		}
	}
	_, err := s.Ledger.Append(ctx, tx, ledger.Event{Time: now, Kind: "renewal.made", Subject: r.renewal.ID, Data: map[string]string{
		"certificate": ca.SerialText(c.Serial), "renews": ca.SerialText(r.old.Serial), "accept-by": store.Time(r.renewal.AcceptBy)}})
	return err
}
