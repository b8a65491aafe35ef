package backend

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"yinxin/ca"
	"yinxin/ca/chain"
	"yinxin/internal/access"
	"yinxin/internal/store"
)

// RevokeSubject implements Backend. A foreign serial number may be any, so the certificate is named by its fingerprint.
func (o *orders) RevokeSubject(c *chain.Certificate, reason ca.Reason) []byte {
	text, err := json.Marshal(struct {
		Type        string `json:"type"`
		Backend     string `json:"backend"`
		Certificate string `json:"certificate"`
		Reason      int    `json:"reason"`
	}{"yinxin foreign certificate revocation 1", o.name, c.FingerprintText(), int(reason)})
	if err != nil {
		panic("backend: strings can always be encoded: " + err.Error())
	}
	return text
}

// revocation is the end of a foreign certificate as the database has it.
type revocation struct {
	id, order, remote string
	reason            ca.Reason
	certificate       []byte
	created           time.Time
}

// record writes down that two people ended a certificate. The authority is told by whoever calls.
func (o *orders) revoke(ctx context.Context, approval string, c *chain.Certificate, reason ca.Reason) (revocation, error) {
	if !reason.Final() {
		return revocation{}, ca.ErrReason.With("%d", int(reason))
	}
	v := revocation{id: store.NewID("rev_"), reason: reason, certificate: c.Raw, created: o.Clock()}
	err := o.DB.Write(ctx, func(tx *store.Tx) error {
		redeemed, err := o.Access.Redeem(ctx, tx, approval, access.KindRevokeCertificate, o.RevokeSubject(c, reason))
		if err != nil {
			return err
		}
		err = tx.QueryRowContext(ctx, `SELECT id, COALESCE(remote, '') FROM backend_order WHERE backend = $1 AND fingerprint = $2 AND state = 'issued'`,
			o.name, c.FingerprintText()).Scan(&v.order, &v.remote)
		if errors.Is(err, sql.ErrNoRows) {
			return ErrOrder.New()
		}
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO backend_revocation (id, order_id, order_state, reason, state, created, approval, approval_kind, approval_used)
			VALUES ($1, $2, 'issued', $3, 'open', $4, $5, $6, 1)`, v.id, v.order, int(reason), store.Time(v.created), redeemed.ID(), string(redeemed.Kind()))
		if err != nil {
			return err
		}
		return o.event(ctx, tx, "backend.revocation", redeemed.Requester(), v.order, map[string]string{"backend": o.name, "approval": redeemed.ID(),
			"approver": redeemed.Approver(), "certificate": c.FingerprintText()})
	})
	if store.IsUnique(err) {
		return v, ca.ErrRevoked.New()
	}
	return v, err
}

// revocations gives those in some state, oldest first.
func (o *orders) revocations(ctx context.Context, q store.Querier, state string) ([]revocation, error) {
	rows, err := q.QueryContext(ctx, `SELECT v.id, v.order_id, COALESCE(o.remote, ''), v.reason, v.created, o.certificate FROM backend_revocation v
		JOIN backend_order o ON o.id = v.order_id WHERE o.backend = $1 AND v.state = $2 ORDER BY v.created, v.id LIMIT $3`, o.name, state, maxBundle)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []revocation
	for rows.Next() {
		var v revocation
		var created string
		if err := rows.Scan(&v.id, &v.order, &v.remote, &v.reason, &created, &v.certificate); err != nil {
			return nil, err
		}
		if v.created, err = store.ParseTime(created); err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, rows.Err()
}

// Confirm asks the authority about every certificate that it was told to revoke, and records those that it did. It gives
// the orders whose certificate is still good, or of unknown state: those an officer must call about.
func (o *orders) Confirm(ctx context.Context) (open []string, err error) {
	waiting, err := o.revocations(ctx, o.DB.Read(), "sent")
	if err != nil {
		return nil, err
	}
	for _, v := range waiting {
		c, err := chain.ParseCertificate(v.certificate)
		if err != nil {
			return open, err
		}
		status, err := o.Status(ctx, c, o.Clock())
		if err != nil {
			return open, err
		}
		if status.State != chain.StateRevoked || status.Reason == chain.ReasonCertificateHold {
			open = append(open, v.order)
			continue
		}
		err = o.DB.Write(ctx, func(tx *store.Tx) error {
			_, err := tx.ExecContext(ctx, `UPDATE backend_revocation SET state = 'confirmed', confirmed = $1 WHERE id = $2 AND state = 'sent'`, store.Time(o.Clock()), v.id)
			if err != nil {
				return err
			}
			return o.event(ctx, tx, "backend.revoked", "", v.order, map[string]string{"backend": o.name})
		})
		if err != nil {
			return open, err
		}
	}
	return open, nil
}

// Status implements Backend: by the OCSP responder and the revocation lists that the certificate names.
func (o *orders) Status(ctx context.Context, c *chain.Certificate, at time.Time) (chain.Status, error) {
	if o.Config.Status == nil {
		return chain.Status{}, ErrNoStatus.New()
	}
	result, ours, err := o.path(ctx, c, o.chainOf(ctx, c), at)
	if err != nil {
		return chain.Status{}, err
	}
	if len(result.Path) < 2 || !ours {
		return chain.Status{State: chain.StateUnknown, Detail: "the issuer is not known"}, nil
	}
	return o.Config.Status().Status(ctx, c, result.Path[1], at)
}

// chainOf gives the certificates that came with a certificate.
func (o *orders) chainOf(ctx context.Context, c *chain.Certificate) []*chain.Certificate {
	var above []byte
	err := o.DB.Read().QueryRowContext(ctx, `SELECT chain FROM backend_order WHERE backend = $1 AND fingerprint = $2`, o.name, c.FingerprintText()).Scan(&above)
	if err != nil || len(above) == 0 {
		return nil
	}
	list, err := chain.ParseCertificates(above)
	if err != nil {
		return nil
	}
	return list
}

// Revoke implements Backend: it waits for the next ExportRevocations.
func (f *File) Revoke(ctx context.Context, approval string, c *chain.Certificate, reason ca.Reason) error {
	_, err := f.revoke(ctx, approval, c, reason)
	return err
}

// ExportRevocations gives the revocations that wait to be sent as one ZIP archive: "manifest.json" with serial number, reason
// and time, and each certificate, "certificates/<order>.cer". Errors: backend.role, backend.nothing-to-send.
func (f *File) ExportRevocations(ctx context.Context, by access.Actor) ([]byte, error) {
	actor, err := f.clerk(ctx, by)
	if err != nil {
		return nil, err
	}
	var archive []byte
	err = f.DB.Write(ctx, func(tx *store.Tx) error {
		list, err := f.revocations(ctx, tx, "open")
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return ErrNothing.New()
		}
		if archive, err = writeRevocations(f.name, f.Clock(), list); err != nil {
			return err
		}
		for _, v := range list {
			if err := f.sending(ctx, tx, v.order, "revocation", "file", actor.ID, []string{"certificate", "reason"}, archive); err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, `UPDATE backend_revocation SET state = 'sent' WHERE id = $1`, v.id); err != nil {
				return err
			}
		}
		return nil
	})
	return archive, err
}

func writeRevocations(name string, now time.Time, list []revocation) ([]byte, error) {
	type entry struct {
		Order     string    `json:"order"`
		File      string    `json:"file"`
		Serial    string    `json:"serial"` // hexadecimal
		Issuer    string    `json:"issuer"`
		Subject   string    `json:"subject"`
		Reason    int       `json:"reason"` // CRLReason, RFC 5280 5.3.1
		Requested time.Time `json:"requested"`
	}
	var entries []entry
	for _, v := range list {
		c, err := chain.ParseCertificate(v.certificate)
		if err != nil {
			return nil, err
		}
		entries = append(entries, entry{v.order, "certificates/" + v.order + ".cer", c.Serial.Text(16), c.Issuer.String(), c.Subject.String(), int(v.reason), exported(v.created)})
	}
	m := struct {
		Type        string    `json:"type"`
		Backend     string    `json:"backend"`
		Created     time.Time `json:"created"`
		Revocations []entry   `json:"revocations"`
	}{"yinxin certificate revocations 1", name, exported(now), entries}
	return writeArchive(exported(now), m, func(add func(name string, data []byte) error) error {
		for i, v := range list {
			if err := add(entries[i].File, v.certificate); err != nil {
				return err
			}
		}
		return nil
	})
}
