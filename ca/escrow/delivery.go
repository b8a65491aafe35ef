package escrow

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"database/sql"
	"strconv"
	"strings"
	"time"

	"yinxin/ca/chain"
	"yinxin/ca/envelope"
	"yinxin/internal/access"
	"yinxin/internal/store"
	"yinxin/keystore"
)

// stored is a key as the table holds it.
type stored struct {
	id, holder, state    string
	public, signing      []byte
	signingCertificate   []byte
	serial               sql.NullString
	certificate          []byte
	notAfter             sql.NullString
	envelope             []byte
	created, lastChanged string
}

const selectKey = `SELECT id, holder, state, public_key, signing_key, signing_certificate, serial, certificate, not_after, envelope, created, changed FROM escrow_key`

func scanKey(row interface{ Scan(...any) error }) (stored, error) {
	var k stored
	err := row.Scan(&k.id, &k.holder, &k.state, &k.public, &k.signing, &k.signingCertificate, &k.serial, &k.certificate, &k.notAfter, &k.envelope, &k.created, &k.lastChanged)
	if isMissing(err) {
		return k, ErrNotFound.New()
	}
	return k, err
}

func readKey(ctx context.Context, q store.Querier, id string) (stored, error) {
	return scanKey(q.QueryRowContext(ctx, selectKey+` WHERE id = $1`, id))
}

// kept says that the private key is there and belongs to a certificate.
func (k stored) kept() bool {
	return k.state == "escrowed" || k.state == "delivered" || k.state == "confirmed"
}

func (k stored) binding(generation int) binding {
	return binding{id: k.id, holder: k.holder, serial: k.serial.String, public: k.public, generation: generation}
}

// Deliver gives the answer of GM/T 0092 with both certificates and the enveloped key. signing is the key that asks: the
// holder's, and only that. It may be repeated until the holder confirms, ten times in all; each time is recorded, and so
// is an attempt with another key. Errors: escrow.not-found, escrow.state, escrow.other-signing-key, escrow.deliveries,
// access.role for somebody who is neither a registrar nor the holder, those of Config.Standing.
func (c *Centre) Deliver(ctx context.Context, by access.Actor, id string, signing *ecdsa.PublicKey) ([]byte, error) {
	if err := c.standing(ctx, id); err != nil {
		return nil, err
	}
	var answer []byte
	var refused error
	err := c.DB.Write(ctx, func(tx *store.Tx) error {
		answer, refused = nil, nil
		k, err := c.handled(ctx, tx, by, id)
		if err != nil {
			return err
		}
		if point := keystore.Point(signing); point == nil || string(point) != string(k.signing) {
			refused = ErrOtherKey.New()
			return c.record(ctx, tx, "escrow.delivery-refused", by.ID, id, nil)
		}
		answer, err = c.deliver(ctx, tx, by, k)
		return err
	})
	if err == nil {
		err = refused
	}
	if err != nil {
		return nil, err
	}
	return answer, nil
}

// handled reads a key for somebody who hands it out: a registrar, or its holder.
func (c *Centre) handled(ctx context.Context, tx *store.Tx, by access.Actor, id string) (stored, error) {
	actor, err := c.Access.ActorIn(ctx, tx, by.ID)
	if err != nil {
		return stored{}, err
	}
	k, err := readKey(ctx, tx, id)
	if err == nil && !actor.Has(access.RoleRegistrar) && actor.ID != k.holder {
		err = access.ErrRole.With("%s", access.RoleRegistrar)
	}
	return k, err
}

// standing asks whether both certificates of a key stand: a Key that was stolen must not get the encryption key as well.
func (c *Centre) standing(ctx context.Context, id string) error {
	k, err := readKey(ctx, c.DB.Read(), id)
	if err != nil {
		return err
	}
	if c.Standing == nil || !k.kept() {
		return nil
	}
	for _, der := range [][]byte{k.signingCertificate, k.certificate} {
		certificate, err := chain.ParseCertificate(der)
		if err != nil {
			return ErrDamaged.With("%s", id).Because(err)
		}
		if err := c.Standing(ctx, certificate); err != nil {
			return err
		}
	}
	return nil
}

func (c *Centre) deliver(ctx context.Context, tx *store.Tx, by access.Actor, k stored) ([]byte, error) {
	if k.state != "escrowed" && k.state != "delivered" {
		return nil, ErrState.With("%s", k.state)
	}
	own, err := chain.ParseCertificate(k.signingCertificate)
	if err != nil {
		return nil, ErrDamaged.With("%s", k.id).Because(err)
	}
	encryption, err := chain.ParseCertificate(k.certificate)
	if err != nil {
		return nil, ErrDamaged.With("%s", k.id).Because(err)
	}
	answer, err := envelope.Marshal(own, encryption, k.envelope)
	if err != nil {
		return nil, ErrDamaged.With("%s", k.id).Because(err)
	}
	var before int
	if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM escrow_delivery WHERE escrow_key = $1`, k.id).Scan(&before); err != nil {
		return nil, err
	}
	if before >= maxDeliveries {
		return nil, ErrDeliveries.With("%d", maxDeliveries)
	}
	now := store.Time(c.Clock())
	_, err = tx.ExecContext(ctx, `INSERT INTO escrow_delivery (escrow_key, number, signing_key, actor, delivered) VALUES ($1, $2, $3, $4, $5)`,
		k.id, before+1, k.signing, by.ID, now)
	if err != nil {
		return nil, err
	}
	_, err = tx.ExecContext(ctx, `UPDATE escrow_key SET state = 'delivered', changed = $1 WHERE id = $2`, now, k.id)
	if err != nil {
		return nil, err
	}
	return answer, c.record(ctx, tx, "escrow.key-delivered", by.ID, k.id, map[string]string{"serial": k.serial.String, "number": strconv.Itoa(before + 1)})
}

// Confirm records that the holder has the key: the envelope is deleted and the answer is not handed out any more.
// Errors: escrow.not-found, escrow.state, access.role.
func (c *Centre) Confirm(ctx context.Context, by access.Actor, id string) error {
	return c.DB.Write(ctx, func(tx *store.Tx) error {
		k, err := c.handled(ctx, tx, by, id)
		if err != nil {
			return err
		}
		result, err := tx.ExecContext(ctx, `UPDATE escrow_key SET state = 'confirmed', envelope = NULL, changed = $1 WHERE id = $2 AND state = 'delivered'`,
			store.Time(c.Clock()), id)
		if err != nil {
			return err
		}
		if err := store.ExactlyOne(result, ErrState.With("%s", k.state)); err != nil {
			return err
		}
		return c.record(ctx, tx, "escrow.key-confirmed", by.ID, id, nil)
	})
}

// DestroySubject is what two people approve (access.KindDestroyKey) for Destroy.
func DestroySubject(id string) []byte { return []byte("yinxin escrow destruction 1\nkey " + id + "\n") }

// ParseDestroySubject gives the key that a request is about: escrow.order.
func ParseDestroySubject(subject []byte) (id string, err error) {
	rest, _ := strings.CutPrefix(string(subject), "yinxin escrow destruction 1\nkey ")
	id, _ = strings.CutSuffix(rest, "\n")
	if id == "" || !bytes.Equal(DestroySubject(id), subject) {
		return "", ErrOrder.New()
	}
	return id, nil
}

// CanDestroy says what would keep Destroy from its work but the approval, and changes nothing. Errors: escrow.not-found,
// escrow.state, escrow.term.
func (c *Centre) CanDestroy(ctx context.Context, id string) error {
	return c.destructible(ctx, c.DB.Read(), id)
}

func (c *Centre) destructible(ctx context.Context, q store.Querier, id string) error {
	k, err := readKey(ctx, q, id)
	if err != nil {
		return err
	}
	if !k.kept() {
		return ErrState.With("%s", k.state)
	}
	_, end, err := k.last(ctx, q)
	if err != nil {
		return err
	}
	if until := end.AddDate(c.Retention, 0, 0); !c.Clock().After(until) {
		return ErrTerm.With("%s", until.Format(time.DateOnly))
	}
	return nil
}

// Destroy deletes a private key for good, by approval and when the term after the end of its last certificate is over;
// the row stays. What was ever encrypted to the certificate can then be read on the holder's USB Key only, or not at all.
// Errors: escrow.not-found, escrow.state, escrow.term, those of access.Redeem.
func (c *Centre) Destroy(ctx context.Context, approvalID, id string) error {
	now := c.Clock()
	return c.DB.Write(ctx, func(tx *store.Tx) error {
		if err := c.destructible(ctx, tx, id); err != nil {
			return err
		}
		approval, err := c.Access.Redeem(ctx, tx, approvalID, access.KindDestroyKey, DestroySubject(id))
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM escrow_seal WHERE escrow_key = $1`, id); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE escrow_key SET state = 'destroyed', envelope = NULL, changed = $1, approval = $2, approval_kind = $3, approval_used = 1 WHERE id = $4`,
			store.Time(now), approval.ID(), string(approval.Kind()), id)
		if err != nil {
			return err
		}
		return c.record(ctx, tx, "escrow.key-destroyed", approval.Requester(), id, map[string]string{"approval": approval.ID(), "approver": approval.Approver()})
	})
}
