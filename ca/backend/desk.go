package backend

import (
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"

	"github.com/emmansun/gmsm/sm3"

	"yinxin/ca"
	"yinxin/ca/chain"
	"yinxin/ca/csr"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/ledger"
	"yinxin/internal/store"
	"yinxin/keystore"
)

// Desk takes orders of other Yinxin: a requester (their API key) asks, an approver of this house decides, and the next
// question of the other side finds the certificate. A registrar of this house may order for somebody as well. Nobody sees
// anything but their own orders and what came of them. Config.DB, Ledger, Access, Authority and Clock are needed. It is safe
// for concurrent use.
type Desk struct{ Config }

// NewDesk makes a desk.
func NewDesk(c Config) *Desk { return &Desk{c} }

// deskRow is an order as the database has it.
type deskRow struct {
	id, actor, digest, request string
	csr, subject               []byte
	revoke                     sql.NullString
	reason                     sql.NullInt64
}

// Submit takes an order under a key of the caller's choice: the same again gives what became of the first. by must be a
// requester or registrar. Errors: backend.order-not-found for a key that cannot be one; those of csr.Parse; backend.csr-key; ca.request;
// backend.repeated; access.role.
func (d *Desk) Submit(ctx context.Context, by access.Actor, key string, o WireOrder) (WireOutcome, error) {
	if err := d.admit(ctx, d.DB.Read(), by); err != nil {
		return WireOutcome{}, err
	}
	if key == "" || len(key) > 200 || strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return WireOutcome{}, ca.ErrRequest.At(fault.Field("Idempotency-Key"))
	}
	body, err := json.Marshal(o)
	if err != nil {
		return WireOutcome{}, ca.ErrRequest.Because(err)
	}
	sum := sm3.Sum(body)
	digest := hex.EncodeToString(sum[:])
	if again, err := d.again(ctx, d.DB.Read(), by, key, digest); again != nil || err != nil {
		return d.after(ctx, again, err)
	}
	parsed, err := csr.Parse(o.CSR, csr.Options{Reserved: Reserved(ctx, d.Authority)})
	if err != nil {
		return WireOutcome{}, err
	}
	request := ca.Request{Profile: o.Profile, Public: parsed.Public, Organisation: o.Organisation, CreditCode: o.CreditCode, SealCode: o.SealCode, CommonName: o.CommonName}
	switch o.Profile {
	case ca.ProfileInstitution, ca.ProfilePersonal, ca.ProfileEncryption:
	default: // infrastructure is not ordered from outside
		return WireOutcome{}, ca.ErrRequest.At(fault.Field("profile"))
	}
	now := d.Clock()
	if err := request.Check(now); err != nil {
		return WireOutcome{}, err
	}
	row := &deskRow{id: store.NewID("dsk_"), actor: by.ID, digest: digest, csr: parsed.Raw, subject: request.Subject()}
	var earlier *deskRow
	err = d.DB.Write(ctx, func(tx *store.Tx) error {
		// Asked again here, where a call that came at the same moment is seen.
		var err error
		if earlier, err = d.again(ctx, tx, by, key, digest); earlier != nil || err != nil {
			return err
		}
		if row.request, err = d.Access.RequestOutsideIn(ctx, tx, by, access.KindIssueCertificate, row.subject); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO backend_desk (id, actor, caller_key, digest, csr, subject, request, created) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			row.id, by.ID, key, digest, row.csr, row.subject, row.request, store.Time(now))
		if err != nil {
			return err
		}
		return d.event(ctx, tx, "backend.desk.ordered", by.ID, row.id, map[string]string{"profile": string(o.Profile), "request": row.request})
	})
	if err != nil {
		return WireOutcome{}, err
	}
	if earlier != nil {
		return d.outcome(ctx, earlier)
	}
	return WireOutcome{ID: row.id, State: WirePending}, nil
}

// admit lets those in who may order, by the roles that they hold now.
func (d *Desk) admit(ctx context.Context, q store.Querier, by access.Actor) error {
	actor, err := d.Access.ActorIn(ctx, q, by.ID)
	if err == nil && !actor.Has(access.RoleRequester) && !actor.Has(access.RoleRegistrar) {
		err = access.ErrRole.With("%s", access.RoleRequester)
	}
	return err
}

func (d *Desk) event(ctx context.Context, tx *store.Tx, kind, actor, subject string, data map[string]string) error {
	_, err := d.Ledger.Append(ctx, tx, ledger.Event{Time: d.Clock(), Kind: kind, Actor: actor, Subject: subject, Data: data})
	return err
}

// again finds an earlier call under the same key: backend.repeated when that said something else.
func (d *Desk) again(ctx context.Context, q store.Querier, by access.Actor, key, digest string) (*deskRow, error) {
	row, err := readDesk(ctx, q, `actor = $1 AND caller_key = $2`, by.ID, key)
	if fault.Has(err, ErrOrder) {
		return nil, nil
	}
	if err == nil && row.digest != digest {
		err = ErrRepeated.New()
	}
	return row, err
}

func (d *Desk) after(ctx context.Context, row *deskRow, err error) (WireOutcome, error) {
	if err != nil {
		return WireOutcome{}, err
	}
	return d.outcome(ctx, row)
}

func (d *Desk) row(ctx context.Context, where string, args ...any) (*deskRow, error) {
	return readDesk(ctx, d.DB.Read(), where, args...)
}

func readDesk(ctx context.Context, q store.Querier, where string, args ...any) (*deskRow, error) {
	row := &deskRow{}
	err := q.QueryRowContext(ctx, `SELECT id, actor, digest, request, csr, subject, revoke, reason FROM backend_desk WHERE `+where, args...).
		Scan(&row.id, &row.actor, &row.digest, &row.request, &row.csr, &row.subject, &row.revoke, &row.reason)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrOrder.New()
	}
	return row, err
}

// Outcome says what became of an order of the caller, and issues the certificate when it was approved meanwhile:
// backend.order-not-found, access.role.
func (d *Desk) Outcome(ctx context.Context, by access.Actor, id string) (WireOutcome, error) {
	if err := d.admit(ctx, d.DB.Read(), by); err != nil {
		return WireOutcome{}, err
	}
	row, err := d.row(ctx, `id = $1 AND actor = $2`, id, by.ID)
	return d.after(ctx, row, err)
}

func (d *Desk) outcome(ctx context.Context, row *deskRow) (WireOutcome, error) {
	asked, err := d.Access.Pending(ctx, row.request)
	if err != nil {
		return WireOutcome{}, err
	}
	out := WireOutcome{ID: row.id, State: WirePending}
	switch {
	case asked.State == "rejected":
		out.State, out.Refusal = WireRefused, asked.Reason
		return out, nil
	case asked.State == "open" && (asked.Voided || !d.Clock().Before(asked.Expires)):
		out.State, out.Refusal = WireRefused, "expired"
		return out, nil
	case asked.State != "approved":
		return out, nil
	}
	record, err := d.issued(ctx, row)
	if err != nil {
		f, known := fault.Of(err)
		if !known || f.Kind == fault.Unavailable {
			return WireOutcome{}, err
		}
		out.State, out.Refusal = WireRefused, f.Code
		return out, nil
	}
	return d.withCertificate(ctx, row, out, record)
}

// issued gives the certificate that was made under the approval of an order, and makes it when nobody has.
func (d *Desk) issued(ctx context.Context, row *deskRow) (ca.Record, error) {
	request, err := ca.ParseRequest(row.subject)
	if err != nil {
		return ca.Record{}, err
	}
	parsed, err := csr.Parse(row.csr, csr.Options{})
	if err != nil {
		return ca.Record{}, err
	}
	request.Public = parsed.Public
	record, err := d.find(ctx, row, request)
	if !fault.Has(err, ca.ErrNotFound) {
		return record, err
	}
	_, err = d.Authority.Issue(ctx, row.request, request)
	// Of two who ask at once one makes it, and the other finds it used and waits for the next question.
	if fault.Has(err, access.ErrUsed) {
		return ca.Record{}, ErrRemote.Because(err)
	}
	if err != nil {
		return ca.Record{}, err
	}
	return d.find(ctx, row, request)
}

// find gives the certificate of an order: ca.not-found, ca.superseded for one whose issuance failed, backend.remote for
// one that is being made.
func (d *Desk) find(ctx context.Context, row *deskRow, request ca.Request) (ca.Record, error) {
	list, err := d.Authority.Certificates(ctx, ca.Filter{Public: keystore.Point(request.Public)})
	if err != nil {
		return ca.Record{}, err
	}
	for _, r := range list {
		if r.Approval != row.request {
			continue
		}
		switch r.State {
		case ca.RecordFailed:
			return r, ca.ErrSuperseded.New()
		case ca.RecordPending:
			return r, ErrRemote.New()
		}
		return r, nil
	}
	return ca.Record{}, ca.ErrNotFound.New()
}

// withCertificate fills in the certificate, and revokes it first when two people decided that meanwhile.
func (d *Desk) withCertificate(ctx context.Context, row *deskRow, out WireOutcome, record ca.Record) (WireOutcome, error) {
	out.Certificate, out.Chain = record.Certificate.Raw, [][]byte{d.Authority.IssuerOf(record.Certificate).Raw}
	switch record.State {
	case ca.RecordRevoked:
		out.State = WireRevoked
		return out, nil
	case ca.RecordHeld:
		out.State = WireHeld
	default:
		out.State = WireIssued
	}
	if !row.revoke.Valid {
		return out, nil
	}
	asked, err := d.Access.Pending(ctx, row.revoke.String)
	if err != nil || asked.State != "approved" {
		return out, err
	}
	reason := ca.Reason(row.reason.Int64)
	if err := d.Authority.Revoke(ctx, row.revoke.String, record.Certificate.Serial, reason); err != nil && !fault.Has(err, ca.ErrRevoked) {
		return out, err
	}
	out.State = WireRevoked
	return out, nil
}

// Revoke takes the request to end a certificate that was ordered here. It is put on hold at once, and revoked when two
// people of this house decided so. Asking again, also for another reason, gives what became of the first. Errors:
// backend.order-not-found, backend.state, ca.reason, access.role.
func (d *Desk) Revoke(ctx context.Context, by access.Actor, id string, reason ca.Reason) (WireOutcome, error) {
	if err := d.admit(ctx, d.DB.Read(), by); err != nil {
		return WireOutcome{}, err
	}
	if !reason.Final() {
		return WireOutcome{}, ca.ErrReason.With("%d", int(reason))
	}
	row, err := d.row(ctx, `id = $1 AND actor = $2`, id, by.ID)
	if err != nil {
		return WireOutcome{}, err
	}
	out, err := d.outcome(ctx, row)
	if err != nil || row.revoke.Valid || out.State == WireRevoked {
		return out, err
	}
	if out.Certificate == nil {
		return out, ErrState.With("%s", out.State)
	}
	c, err := chain.ParseCertificate(out.Certificate)
	if err != nil {
		return out, err
	}
	// The hold comes first: it is what protects others, and may be repeated.
	err = d.DB.Write(ctx, func(tx *store.Tx) error {
		if err := d.admit(ctx, tx, by); err != nil {
			return err
		}
		return d.Authority.HoldIn(ctx, tx, by, c.Serial, "ordered by "+by.ID)
	})
	if err != nil && !fault.Has(err, ca.ErrHeld) && !fault.Has(err, ca.ErrRevoked) {
		return out, err
	}
	err = d.DB.Write(ctx, func(tx *store.Tx) error {
		request, err := d.Access.RequestOutsideIn(ctx, tx, by, access.KindRevokeCertificate, ca.RevokeSubject(c.Serial, reason))
		if err != nil {
			return err
		}
		result, err := tx.ExecContext(ctx, `UPDATE backend_desk SET revoke = $1, reason = $2 WHERE id = $3 AND revoke IS NULL`, request, int(reason), row.id)
		if err != nil {
			return err
		}
		if err := store.ExactlyOne(result, ErrRepeated.New()); err != nil {
			return err
		}
		return d.event(ctx, tx, "backend.desk.revocation", by.ID, row.id, map[string]string{"request": request})
	})
	if err != nil && !fault.Has(err, ErrRepeated) {
		return out, err
	}
	return d.Outcome(ctx, by, id)
}
