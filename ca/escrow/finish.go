package escrow

import (
	"context"
	"strconv"

	"github.com/emmansun/gmsm/sm2"

	"yinxin/ca/envelope"
	"yinxin/internal/access"
	"yinxin/internal/store"
	"yinxin/keystore"
)

// Outcome is what a session gave.
type Outcome struct {
	// Envelope is the recovered key as SM2EnvelopedKey for the recipient, Certificate the certificate that it belongs to.
	Envelope, Certificate []byte
	// Handouts are the new shares of a change. Activate puts them in force.
	Handouts []Handout
}

// Finish does what the session is for, once enough shares are there: the recovery key is put together for it, and
// overwritten. It ends the session. Errors: escrow.session, escrow.session-expired, escrow.session-ended,
// escrow.too-few-shares, escrow.damaged.
func (c *Centre) Finish(ctx context.Context, by access.Actor, id string) (Outcome, error) {
	s, err := c.enter(id)
	if err != nil {
		return Outcome{}, err
	}
	defer s.lock.Unlock()
	if len(s.shares) < s.split.set.Threshold {
		return Outcome{}, ErrTooFew.With("%d / %d", len(s.shares), s.split.set.Threshold)
	}
	if err := c.DB.Write(ctx, func(tx *store.Tx) error { return s.stillOpen(ctx, tx) }); err != nil {
		return Outcome{}, c.ended(s, err)
	}
	private, err := s.split.open(s.shares)
	if err != nil {
		return Outcome{}, shareFault(err)
	}
	defer envelope.Wipe(private)
	var o Outcome
	switch order := s.order.(type) {
	case Recovery:
		o, err = c.recover(ctx, by, s, order, private)
	case Change:
		if order.Act == ActRotate {
			o, err = c.rotate(ctx, by, s, order, private)
		} else {
			o, err = c.resplit(ctx, by, s, order, private)
		}
	}
	if err != nil {
		return Outcome{}, c.ended(s, err)
	}
	c.forget(s)
	return o, nil
}

// finished ends a session in the transaction that records its result.
func (c *Centre) finished(ctx context.Context, tx *store.Tx, by access.Actor, s *session, result []byte, kind string, data map[string]string) error {
	if err := s.stillOpen(ctx, tx); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `UPDATE escrow_session SET state = 'done', finished = $1, envelope = $2 WHERE id = $3`, store.Time(c.Clock()), result, s.id)
	if err != nil {
		return err
	}
	data["shares"] = strconv.Itoa(len(s.shares))
	return c.record(ctx, tx, kind, by.ID, s.id, data)
}

func (c *Centre) recover(ctx context.Context, by access.Actor, s *session, r Recovery, private *sm2.PrivateKey) (Outcome, error) {
	k, err := readKey(ctx, c.DB.Read(), r.Key)
	if err != nil {
		return Outcome{}, err
	}
	if !k.kept() {
		return Outcome{}, ErrState.With("%s", k.state)
	}
	var at sealed
	err = c.DB.Read().QueryRowContext(ctx, `SELECT wrapped, nonce, sealed FROM escrow_seal WHERE escrow_key = $1 AND generation = $2`, k.id, s.split.key.generation).
		Scan(&at.wrapped, &at.nonce, &at.sealed)
	if isMissing(err) {
		return Outcome{}, ErrDamaged.With("%s", k.id)
	}
	if err != nil {
		return Outcome{}, err
	}
	key, err := at.openPair(private, k.binding(s.split.key.generation))
	if err != nil {
		return Outcome{}, err
	}
	defer envelope.Wipe(key)
	out, err := envelope.Seal(c.Random, r.Recipient, key)
	if err != nil {
		return Outcome{}, err
	}
	err = c.DB.Write(ctx, func(tx *store.Tx) error {
		now, err := readKey(ctx, tx, k.id) // destroyed in the meantime?
		if err != nil {
			return err
		}
		if !now.kept() {
			return ErrState.With("%s", now.state)
		}
		return c.finished(ctx, tx, by, s, out, "escrow.key-recovered", map[string]string{"key": k.id, "serial": k.serial.String,
			"recipient": keystore.FingerprintOf(r.Recipient).String()})
	})
	if err != nil {
		return Outcome{}, err
	}
	last, _, err := k.last(context.WithoutCancel(ctx), c.DB.Read())
	if err != nil {
		last = k.certificate // the key is handed out: that counts
	}
	return Outcome{Envelope: out, Certificate: last}, nil
}

// resplit divides the recovery key in force anew.
func (c *Centre) resplit(ctx context.Context, by access.Actor, s *session, change Change, private *sm2.PrivateKey) (Outcome, error) {
	next, err := c.divide(s.split.key, private, change.Division)
	if err != nil {
		return Outcome{}, err
	}
	err = c.DB.Write(ctx, func(tx *store.Tx) error {
		if err := abandonPending(ctx, tx); err != nil {
			return err
		}
		if err := next.insert(ctx, tx, store.Time(c.Clock())); err != nil {
			return err
		}
		return c.finished(ctx, tx, by, s, nil, "escrow.key-divided", map[string]string{"split": next.id,
			"recoveryKey": keystore.FingerprintOf(next.key.public).String()})
	})
	if err != nil {
		return Outcome{}, err
	}
	return Outcome{Handouts: next.handouts}, nil
}

// rotateBatch is how many keys are sealed anew in one transaction, so that others are not held up.
const rotateBatch = 200

// rotate makes another recovery key and seals every key under it as well. Keys that are escrowed meanwhile are sealed
// under both, since the new one is pending from the first transaction on; Activate checks that none is left out.
func (c *Centre) rotate(ctx context.Context, by access.Actor, s *session, change Change, private *sm2.PrivateKey) (Outcome, error) {
	successor, err := sm2.GenerateKey(c.Random)
	if err != nil {
		return Outcome{}, err
	}
	defer envelope.Wipe(successor)
	k := recoveryKey{public: &successor.PublicKey}
	if k.generation, err = nextGeneration(ctx, c.DB.Read()); err != nil {
		return Outcome{}, err
	}
	next, err := c.divide(k, successor, change.Division)
	if err != nil {
		return Outcome{}, err
	}
	now := store.Time(c.Clock())
	err = c.DB.Write(ctx, func(tx *store.Tx) error {
		if err := s.stillOpen(ctx, tx); err != nil {
			return err
		}
		if err := abandonPending(ctx, tx); err != nil {
			return err
		}
		var approval string
		if err := tx.QueryRowContext(ctx, `SELECT approval FROM escrow_session WHERE id = $1`, s.id).Scan(&approval); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO escrow_recovery_key (generation, public_key, state, created, approval, approval_kind, approval_used)
			VALUES ($1, $2, 'pending', $3, $4, $5, 1)`,
			k.generation, keystore.Point(k.public), now, approval, string(access.KindChangeEscrow))
		if err != nil {
			return err
		}
		return next.insert(ctx, tx, now)
	})
	if err != nil {
		return Outcome{}, err
	}
	c.at("pending")
	count, err := c.sealAnew(ctx, s.split.key, k, private)
	if err != nil {
		return Outcome{}, err
	}
	err = c.DB.Write(ctx, func(tx *store.Tx) error {
		return c.finished(ctx, tx, by, s, nil, "escrow.key-divided", map[string]string{"split": next.id, "sealed": strconv.Itoa(count),
			"recoveryKey": keystore.FingerprintOf(k.public).String()})
	})
	if err != nil {
		return Outcome{}, err
	}
	return Outcome{Handouts: next.handouts}, nil
}

// sealAnew seals every key that has no seal under the new recovery key.
func (c *Centre) sealAnew(ctx context.Context, from, to recoveryKey, private *sm2.PrivateKey) (count int, err error) {
	for {
		batch, err := c.sealBatch(ctx, from, to, private)
		if err != nil || len(batch) == 0 {
			return count, err
		}
		c.at("sealed")
		err = c.DB.Write(ctx, func(tx *store.Tx) error {
			for id, s := range batch {
				k, err := readKey(ctx, tx, id)
				if err != nil {
					return err
				}
				if !k.kept() { // destroyed meanwhile: its key must not come back
					continue
				}
				if err := s.insert(ctx, tx, id, to.generation); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return count, err
		}
		count += len(batch)
	}
}

// sealBatch opens some keys that are not yet sealed under the new recovery key and seals them under it.
func (c *Centre) sealBatch(ctx context.Context, from, to recoveryKey, private *sm2.PrivateKey) (map[string]sealed, error) {
	rows, err := c.DB.Read().QueryContext(ctx, `SELECT k.id, k.holder, k.serial, k.public_key, s.wrapped, s.nonce, s.sealed
		FROM escrow_key k JOIN escrow_seal s ON s.escrow_key = k.id AND s.generation = $1
		WHERE k.state IN ('escrowed', 'delivered', 'confirmed')
		AND NOT EXISTS (SELECT 1 FROM escrow_seal e WHERE e.escrow_key = k.id AND e.generation = $2) ORDER BY k.id LIMIT $3`,
		from.generation, to.generation, rotateBatch)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	batch := map[string]sealed{}
	for rows.Next() {
		b := binding{generation: from.generation}
		var old sealed
		if err := rows.Scan(&b.id, &b.holder, &b.serial, &b.public, &old.wrapped, &old.nonce, &old.sealed); err != nil {
			return nil, err
		}
		key, err := old.openPair(private, b)
		if err != nil {
			return nil, err
		}
		secret := key.D.FillBytes(make([]byte, privateSize))
		b.generation = to.generation
		batch[b.id], err = sealKey(c.Random, to.public, secret, b)
		clear(secret)
		envelope.Wipe(key)
		if err != nil {
			return nil, err
		}
	}
	return batch, rows.Err()
}
