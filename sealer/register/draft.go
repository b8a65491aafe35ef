package register

import (
	"context"
	"encoding/json"
	"math"

	"yinxin/ca/chain"
	"yinxin/internal/access"
	"yinxin/internal/ledger"
	"yinxin/internal/store"
	"yinxin/keystore"
	"yinxin/sealer/ses"
)

// Draft is an electronic seal on its way. It is made together with the certificate that it lists: its methods are
// those of ca.Companion. What it makes waits until Activate.
type Draft struct {
	register *Register
	approval string // identifier
	order    Order
	renews   string // the instance that this one repeats; empty for what is no renewal
	approved []byte // what was approved, for a renewal
	version  int
	given    access.Approval
	instance Instance
}

// Prepare begins an electronic seal under an approval of kind access.KindMakeSeal over o.Subject or o.Terms. Error:
// seal.invalid-order.
func (r *Register) Prepare(approvalID string, o Order) (*Draft, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	return &Draft{register: r, approval: approvalID, order: o, instance: Instance{ID: store.NewID("s_"), SealCode: o.Code, SealName: o.Name,
		Custody: o.Custody, Holder: o.Holder, KeyName: o.KeyName, Picture: o.Picture, Width: o.Width, Height: o.Height}}, nil
}

// PrepareRenewal begins an electronic seal that repeats an instance for the renewal of its certificate, under the
// approval of that instance, which carries renewals for access.RenewalTerm years. keyName is the key of a central one.
// Errors: seal.not-found, seal.superseded.
func (r *Register) PrepareRenewal(ctx context.Context, instanceID, keyName string) (*Draft, error) {
	o, approvalID, err := r.orderOf(ctx, instanceID)
	if err != nil {
		return nil, err
	}
	o.KeyName = keyName
	m, err := r.Prepare(approvalID, o)
	if err != nil {
		return nil, err
	}
	request, err := r.Access.Pending(ctx, approvalID)
	if err != nil {
		return nil, err
	}
	if !sameTerms(request.Subject, o) {
		return nil, access.ErrOtherSubject.New()
	}
	m.renews, m.approved = instanceID, request.Subject
	return m, nil
}

// orderOf is the order that an instance in use was made from.
func (r *Register) orderOf(ctx context.Context, instanceID string) (o Order, approvalID string, err error) {
	in, err := r.Instance(ctx, instanceID)
	if err != nil {
		return o, "", err
	}
	o = Order{Code: in.SealCode, Name: in.SealName, Width: in.Width, Height: in.Height, Picture: in.Picture, Custody: in.Custody, Holder: in.Holder}
	var state string
	err = r.DB.Read().QueryRowContext(ctx, `SELECT i.organisation, i.credit_code, i.approval_id, i.state, s.type, t.template
		FROM seal_instance i JOIN seal s ON s.code = i.seal_code
		JOIN seal_template t ON t.seal_code = i.seal_code AND t.version = i.template_version WHERE i.id = $1`, instanceID).
		Scan(&o.Organisation, &o.CreditCode, &approvalID, &state, &o.Type, &o.Template)
	if err == nil && state != "active" {
		err = errSuperseded.With("%s", in.SealCode)
	}
	return o, approvalID, err
}

// sameTerms compares what was approved with an order, apart from key and certificate, and from the former name and the networks, which
// count once.
func sameTerms(approved []byte, o Order) bool {
	var fields map[string]any
	if err := json.Unmarshal(approved, &fields); err != nil {
		return false
	}
	for _, name := range []string{"key", "certificate", "former_name", "networks"} {
		delete(fields, name)
	}
	return string(canonical(fields)) == string(o.Terms())
}

// Intend uses the approval, registers the seal and its template, and records what is going to be made.
func (m *Draft) Intend(ctx context.Context, tx *store.Tx) (err error) {
	r, o := m.register, m.order
	if m.renews != "" {
		m.given, err = r.Access.Reuse(ctx, tx, m.approval, access.KindMakeSeal, m.approved)
	} else {
		m.given, err = r.Access.Redeem(ctx, tx, m.approval, access.KindMakeSeal, o.Subject(), o.Terms())
	}
	if err != nil {
		return err
	}
	now := r.Clock()
	if err := r.enter(ctx, tx, o, m.given, now); err != nil {
		return err
	}
	if m.version, err = enterTemplate(ctx, tx, o, m.renews, now); err != nil {
		return err
	}
	data := map[string]string{"instance": m.instance.ID, "requester": m.given.Requester(), "approval": m.given.ID(), "picture": digest(o.Picture)}
	if m.renews != "" {
		data["renews"] = m.renews
	}
	_, err = r.Ledger.Append(ctx, tx, ledger.Event{Time: now, Kind: "seal.intended", Actor: m.given.Approver(), Subject: o.Code, Data: data})
	return err
}

// Fits refuses a certificate that is not for this seal, or not for signatures, before anything is used up:
// seal.invalid-order.
func (m *Draft) Fits(c *chain.Certificate) error { return m.order.fits(c) }

// Make makes the SESeal of GB/T 38540-2020 for a certificate. Width and height are whole millimetres there; the exact
// size goes into the extension of internal/oid. Error: seal.invalid-order when the certificate is not for this seal.
func (m *Draft) Make(ctx context.Context, c *chain.Certificate) error {
	r, o := m.register, m.order
	if err := o.fits(c); err != nil {
		return err
	}
	m.instance.Certificate, m.instance.ValidFrom, m.instance.ValidUntil = c.Raw, c.NotBefore, c.NotAfter
	info, err := ses.SealInfo{
		Version: 4, VendorID: r.Maker.VendorID, ID: o.Code, Type: o.Type, Name: o.Name, Certificates: [][]byte{c.Raw},
		CreateDate: r.Clock().UTC(), ValidStart: c.NotBefore, ValidEnd: c.NotAfter,
		Picture:   ses.Picture{Type: "PNG", Data: o.Picture, Width: int(math.Round(o.Width)), Height: int(math.Round(o.Height))},
		TrueWidth: o.Width, TrueHeight: o.Height,
	}.Marshal()
	if err != nil {
		return err
	}
	e, err := keystore.Digest(r.Maker.Key.Public(), info)
	if err != nil {
		return err
	}
	value, err := r.Maker.Key.SignDigest(ctx, e)
	if err != nil {
		return err
	}
	m.instance.Seal, err = ses.AssembleSeal(info, r.Maker.Certificate, value)
	return err
}

// Complete records the seal, which then waits to be put into use.
func (m *Draft) Complete(ctx context.Context, tx *store.Tx, _ *chain.Certificate) error {
	r, o, in := m.register, m.order, m.instance
	var renews any
	if m.renews != "" {
		renews = m.renews
	}
	now := r.Clock()
	_, err := tx.ExecContext(ctx, `INSERT INTO seal_instance (id, seal_code, template_version, name, organisation, credit_code, custody, holder, key_name,
			certificate, certificate_hash, approval_id, approval_kind, approval_used, approved, renews, state, seal, valid_from, valid_until, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 1, $14, $15, 'waiting', $16, $17, $18, $19)`,
		in.ID, in.SealCode, m.version, o.Name, o.Organisation, o.CreditCode, string(in.Custody), in.Holder, in.KeyName, in.Certificate,
		digest(in.Certificate), m.given.ID(), string(m.given.Kind()), store.Time(m.given.Approved()), renews, in.Seal,
		store.Time(in.ValidFrom), store.Time(in.ValidUntil), store.Time(now))
	if store.IsUnique(err) && m.renews != "" {
		return errSuperseded.With("%s", in.SealCode)
	}
	if err != nil {
		return err
	}
	_, err = r.Ledger.Append(ctx, tx, ledger.Event{Time: now, Kind: "seal.made", Actor: "seal-maker", Subject: in.SealCode,
		Data: map[string]string{"instance": in.ID, "seal": digest(in.Seal), "certificate": digest(in.Certificate)}})
	return err
}

// Instance is what was made, once Complete has recorded it.
func (m *Draft) Instance() Instance { return m.instance }

// InstanceID names the instance.
func (m *Draft) InstanceID() string { return m.instance.ID }
