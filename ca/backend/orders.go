package backend

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/sm3"

	"yinxin/ca"
	"yinxin/ca/chain"
	"yinxin/ca/csr"
	"yinxin/internal/access"
	"yinxin/internal/ledger"
	"yinxin/internal/store"
	"yinxin/keystore"
)

// orders are the orders at one authority outside: what file and remote have in common.
type orders struct {
	Config
	name    string
	trust   *chain.Verifier // nil: anchors
	anchors []string        // names of imported anchors
	term    time.Duration
}

// record is an order as the database has it.
type record struct {
	Outcome
	request, csr, key []byte
	remote            string
	agreed            bool // two people took the certificate with its differences
}

func (o *orders) Name() string { return o.name }

func (o *orders) event(ctx context.Context, tx *store.Tx, kind, actor, subject string, data map[string]string) error {
	_, err := o.Ledger.Append(ctx, tx, ledger.Event{Time: o.Clock(), Kind: kind, Actor: actor, Subject: subject, Data: data})
	return err
}

// open redeems the approval and records the order.
func (o *orders) open(ctx context.Context, order Order) (*record, error) {
	if err := order.Request.Check(o.Clock()); err != nil {
		return nil, err
	}
	if err := checkCSR(ctx, o.Authority, order); err != nil {
		return nil, err
	}
	parsed, err := csr.Parse(order.CSR, csr.Options{})
	if err != nil {
		return nil, err
	}
	now := o.Clock()
	r := &record{request: order.Request.Subject(), csr: parsed.Raw, key: keystore.Point(order.Request.Public),
		Outcome: Outcome{ID: store.NewID("ord_"), Backend: o.name, State: StateOpen, Created: now.UTC(), Expires: now.Add(o.term).UTC()}}
	err = o.DB.Write(ctx, func(tx *store.Tx) error {
		approval, err := o.Access.Redeem(ctx, tx, order.Approval, access.KindIssueCertificate, order.Request.Subject(), order.Request.Terms())
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO backend_order (id, backend, state, profile, request, csr, public_key, created, expires,
			approval, approval_kind, approval_used, differences) VALUES ($1, $2, 'open', $3, $4, $5, $6, $7, $8, $9, $10, 1, '')`,
			r.ID, o.name, string(order.Request.Profile), r.request, r.csr, r.key, store.Time(r.Created), store.Time(r.Expires),
			approval.ID(), string(approval.Kind()))
		if err != nil {
			return err
		}
		return o.event(ctx, tx, "backend.ordered", approval.Requester(), r.ID, map[string]string{"backend": o.name,
			"profile": string(order.Request.Profile), "approval": approval.ID(), "approver": approval.Approver()})
	})
	if store.IsUnique(err) {
		return nil, ErrRequested.New()
	}
	return r, err
}

const selectOrder = `SELECT id, state, request, csr, public_key, created, expires, COALESCE(remote, ''), certificate, chain, differences, COALESCE(refusal, ''),
	COALESCE(accept, '') FROM backend_order WHERE backend = $1`

func (o *orders) scan(row interface{ Scan(...any) error }) (*record, error) {
	r := &record{Outcome: Outcome{Backend: o.name}}
	var created, expires, differences, accept string
	var certificate, issuers []byte
	err := row.Scan(&r.ID, (*string)(&r.State), &r.request, &r.csr, &r.key, &created, &expires, &r.remote, &certificate, &issuers, &differences, &r.Refusal, &accept)
	if err != nil {
		return nil, err
	}
	r.agreed = accept != ""
	if r.Created, err = store.ParseTime(created); err != nil {
		return nil, err
	}
	if r.Expires, err = store.ParseTime(expires); err != nil {
		return nil, err
	}
	if r.Differences, err = parseDifferences(differences); err != nil {
		return nil, err
	}
	if certificate == nil {
		return r, nil
	}
	if r.Certificate, err = chain.ParseCertificate(certificate); err != nil || len(issuers) == 0 {
		return r, err
	}
	r.Chain, err = chain.ParseCertificates(issuers)
	return r, err
}

func (o *orders) read(ctx context.Context, q store.Querier, id string) (*record, error) {
	r, err := o.scan(q.QueryRowContext(ctx, selectOrder+` AND id = $2`, o.name, id))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrOrder.With("%s", id)
	}
	return r, err
}

// byKey finds the order that still waits for a certificate of a key, or else the last one of the key; nil when there is
// none.
func (o *orders) byKey(ctx context.Context, key []byte) (*record, error) {
	r, err := o.scan(o.DB.Read().QueryRowContext(ctx, selectOrder+` AND public_key = $2
		ORDER BY CASE WHEN state IN ('open', 'sent', 'received') THEN 0 ELSE 1 END, created DESC LIMIT 1`, o.name, key))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return r, err
}

// list gives the orders of some states, oldest first.
func (o *orders) list(ctx context.Context, q store.Querier, limit int, states ...State) ([]*record, error) {
	in := make([]string, len(states))
	for i, s := range states {
		in[i] = "'" + string(s) + "'"
	}
	rows, err := q.QueryContext(ctx, selectOrder+` AND state IN (`+strings.Join(in, ", ")+`) ORDER BY created, id LIMIT $2`, o.name, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []*record
	for rows.Next() {
		r, err := o.scan(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return list, rows.Err()
}

// Waiting lists the orders that have no certificate yet, and those whose certificate waits for Accept, oldest first, at
// most maxBundle.
func (o *orders) Waiting(ctx context.Context) ([]Outcome, error) {
	list, err := o.list(ctx, o.DB.Read(), maxBundle, StateOpen, StateSent, StateReceived)
	var out []Outcome
	for _, r := range list {
		out = append(out, r.Outcome)
	}
	return out, err
}

// sending records that data leave, before they do.
func (o *orders) sending(ctx context.Context, tx *store.Tx, order, what, channel, actor string, fields []string, sent []byte) error {
	digest := sm3.Sum(sent)
	var by any
	if actor != "" {
		by = actor
	}
	text := hex.EncodeToString(digest[:])
	_, err := tx.ExecContext(ctx, `INSERT INTO backend_sending (id, order_id, position, backend, what, channel, happened, actor, fields, digest)
		SELECT $1, $2, COUNT(*), $3, $4, $5, $6, $7, $8, $9 FROM backend_sending WHERE order_id = $2`, store.NewID("snd_"), order, o.name, what, channel, store.Time(o.Clock()), by, strings.Join(fields, " "), text)
	if err != nil {
		return err
	}
	return o.event(ctx, tx, "backend.sent", actor, order, map[string]string{"backend": o.name, "what": what, "channel": channel,
		"fields": strings.Join(fields, " "), "digest": text})
}

// receive records a certificate that came back for an order, once. A certificate that was taken in already, for whatever
// order, is backend.duplicate.
func (o *orders) receive(ctx context.Context, by string, r *record, c *chain.Certificate, others []*chain.Certificate) (*record, error) {
	now := o.Clock()
	waiting := r.State == StateOpen || r.State == StateSent
	switch {
	case r.Certificate != nil && r.Certificate.Fingerprint() == c.Fingerprint():
		return r, ErrDuplicate.New()
	case r.State == StateExpired, waiting && !now.Before(r.Expires):
		return r, ErrExpired.New()
	case !waiting:
		return r, ErrState.With("%s", r.State)
	}
	key, err := sm2.ParseUncompressedPublicKey(r.key)
	if err != nil {
		return nil, err
	}
	if !belongsTo(c, key) {
		return r, ErrNotAsked.New()
	}
	differences, issuers, err := o.examine(ctx, r, c, others, now)
	if err != nil {
		return r, err
	}
	text, err := differencesText(differences)
	if err != nil {
		return nil, err
	}
	var above []byte
	for _, i := range issuers {
		above = append(above, i.Raw...)
	}
	fingerprint := c.FingerprintText()
	err = o.DB.Write(ctx, func(tx *store.Tx) error {
		result, err := tx.ExecContext(ctx, `UPDATE backend_order SET state = 'received', certificate = $1, chain = $2, fingerprint = $3, differences = $4, answered = $5
			WHERE id = $6 AND state IN ('open', 'sent')`, c.Raw, above, fingerprint, text, store.Time(now), r.ID)
		if err != nil {
			return err
		}
		if err := store.ExactlyOne(result, ErrState.New()); err != nil {
			return err
		}
		var fields []string
		for _, d := range differences {
			fields = append(fields, d.Field)
		}
		return o.event(ctx, tx, "backend.received", by, r.ID, map[string]string{"backend": o.name, "certificate": fingerprint, "differences": strings.Join(fields, " ")})
	})
	if isDuplicate(err) {
		return r, ErrDuplicate.New()
	}
	if err != nil {
		return r, err
	}
	return o.read(ctx, o.DB.Read(), r.ID)
}

// refuse records that the authority will not make the certificate.
func (o *orders) refuse(ctx context.Context, by string, r *record, why string) error {
	return o.DB.Write(ctx, func(tx *store.Tx) error {
		result, err := tx.ExecContext(ctx, `UPDATE backend_order SET state = 'refused', refusal = $1, answered = $2 WHERE id = $3 AND state IN ('open', 'sent')`,
			why, store.Time(o.Clock()), r.ID)
		if err != nil {
			return err
		}
		if err := store.ExactlyOne(result, ErrState.New()); err != nil {
			return err
		}
		return o.event(ctx, tx, "backend.refused", by, r.ID, map[string]string{"backend": o.name})
	})
}

// Expire ends the orders without certificate whose time is over, and gives their identifiers.
func (o *orders) Expire(ctx context.Context) ([]string, error) {
	now := o.Clock()
	var ended []string
	err := o.DB.Write(ctx, func(tx *store.Tx) error {
		var err error
		ended, err = store.Column[string](tx.QueryContext(ctx, `UPDATE backend_order SET state = 'expired' WHERE backend = $1 AND state IN ('open', 'sent') AND expires <= $2 RETURNING id`,
			o.name, store.Time(now)))
		if err != nil {
			return err
		}
		for _, id := range ended {
			if err := o.event(ctx, tx, "backend.expired", "", id, map[string]string{"backend": o.name}); err != nil {
				return err
			}
		}
		return nil
	})
	return ended, err
}

// Sendings lists what of an order went to the authority, oldest first.
func (o *orders) Sendings(ctx context.Context, id string) ([]Sending, error) {
	rows, err := o.DB.Read().QueryContext(ctx, `SELECT order_id, backend, what, channel, happened, COALESCE(actor, ''), fields, digest
		FROM backend_sending WHERE order_id = $1 AND backend = $2 ORDER BY position`, id, o.name)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []Sending
	for rows.Next() {
		var s Sending
		var happened, fields string
		if err := rows.Scan(&s.Order, &s.Backend, &s.What, &s.Channel, &happened, &s.Actor, &fields, &s.Digest); err != nil {
			return nil, err
		}
		if s.Happened, err = store.ParseTime(happened); err != nil {
			return nil, err
		}
		s.Fields = strings.Fields(fields)
		list = append(list, s)
	}
	return list, rows.Err()
}

// sentFields are the data of a request that leave the house with it.
func sentFields(r ca.Request) []string {
	fields := []string{"publicKey"}
	for _, f := range []struct{ name, value string }{{"organisation", r.Organisation}, {"creditCode", r.CreditCode}, {"sealCode", r.SealCode}, {"commonName", r.CommonName}} {
		if f.value != "" {
			fields = append(fields, f.name)
		}
	}
	return fields
}
