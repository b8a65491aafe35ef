package escrow

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/emmansun/gmsm/sm2"

	"yinxin/ca/envelope"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/store"
	"yinxin/keystore"
)

// Division says among whom a recovery key is divided: one share for each of the officers, who are actors, in this
// order; Threshold of them together give it back.
type Division struct {
	Threshold int      `json:"threshold"`
	Officers  []string `json:"officers"`
}

// Handout is a share for its officer. It exists nowhere else: write it down before anything else happens.
type Handout struct {
	Officer string
	Share   keystore.Share
}

// newSplit is a split on its way into the database.
type newSplit struct {
	key           recoveryKey
	id            string
	set           []byte // JSON of keystore.ShareSet
	nonce, sealed []byte
	handouts      []Handout
}

// divide splits a recovery key anew.
func (c *Centre) divide(k recoveryKey, private *sm2.PrivateKey, d Division) (newSplit, error) {
	secret, set, shares, err := keystore.Split(d.Threshold, len(d.Officers), keystore.FingerprintOf(k.public))
	if err != nil {
		return newSplit{}, err
	}
	s := newSplit{key: k, id: set.ID()}
	if s.set, err = json.Marshal(set); err != nil {
		return s, err
	}
	if s.nonce, s.sealed, err = sealRecovery(c.Random, secret, s.id, k, private); err != nil {
		return s, err
	}
	for i, share := range shares {
		s.handouts = append(s.handouts, Handout{Officer: d.Officers[i], Share: share})
	}
	return s, nil
}

func (s newSplit) insert(ctx context.Context, tx *store.Tx, at string) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO escrow_split (id, generation, share_set, nonce, sealed, state, created) VALUES ($1, $2, $3, $4, $5, 'pending', $6)`,
		s.id, s.key.generation, s.set, s.nonce, s.sealed, at)
	if err != nil {
		return err
	}
	for _, h := range s.handouts {
		_, err := tx.ExecContext(ctx, `INSERT INTO escrow_share (split, number, officer) VALUES ($1, $2, $3)`, s.id, h.Share.Index(), h.Officer)
		if err != nil {
			return err
		}
	}
	return nil
}

// CanDivide says what is wrong with a division, or nothing. Errors: escrow.numbers, escrow.officers,
// access.actor-not-found.
func (c *Centre) CanDivide(ctx context.Context, d Division) error {
	if d.Threshold < keystore.MinThreshold || d.Threshold > len(d.Officers) || len(d.Officers) > keystore.MaxShares {
		return ErrNumbers.With("%d / %d", d.Threshold, len(d.Officers))
	}
	for i, id := range d.Officers {
		if slices.Contains(d.Officers[:i], id) {
			return ErrOfficers.With("%s", id)
		}
		if _, err := c.Access.Actor(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

// CanEstablish says what would keep Establish from its work, and changes nothing. Errors: as Establish.
func (c *Centre) CanEstablish(ctx context.Context, charge [2]string, d Division) error {
	if err := c.CanDivide(ctx, d); err != nil {
		return err
	}
	if charge[0] == charge[1] {
		return ErrOfficers.New()
	}
	for _, id := range charge {
		actor, err := c.Access.Actor(ctx, id)
		if err != nil {
			return err
		}
		if !actor.Has(access.RoleRegistrar) && !actor.Has(access.RoleApprover) {
			return ErrOfficers.With("%s", id)
		}
	}
	return notEstablished(ctx, c.DB.Read())
}

func notEstablished(ctx context.Context, q store.Querier) error {
	_, err := sealingKeys(ctx, q)
	switch {
	case err == nil:
		return ErrEstablished.New()
	case fault.Has(err, ErrNotEstablished):
		return nil
	}
	return err
}

// Establish makes the first recovery key and divides it; charge are two different people, registrars or approvers, who
// are in charge of it. The key is in force when the shares were shown to open it (Activate): until then Establish may
// be repeated, and what it made before is abandoned. Errors: escrow.established, escrow.officers, escrow.numbers,
// access.actor-not-found.
func (c *Centre) Establish(ctx context.Context, charge [2]string, d Division) ([]Handout, error) {
	if err := c.CanEstablish(ctx, charge, d); err != nil {
		return nil, err
	}
	private, err := sm2.GenerateKey(c.Random)
	if err != nil {
		return nil, err
	}
	defer envelope.Wipe(private)
	k := recoveryKey{public: &private.PublicKey}
	if k.generation, err = nextGeneration(ctx, c.DB.Read()); err != nil {
		return nil, err
	}
	split, err := c.divide(k, private, d)
	if err != nil {
		return nil, err
	}
	now := store.Time(c.Clock())
	err = c.DB.Write(ctx, func(tx *store.Tx) error {
		if err := notEstablished(ctx, tx); err != nil {
			return err
		}
		if err := abandonPending(ctx, tx); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO escrow_recovery_key (generation, public_key, state, created, first_officer, second_officer) VALUES ($1, $2, 'pending', $3, $4, $5)`,
			k.generation, keystore.Point(k.public), now, charge[0], charge[1])
		if err != nil {
			return err
		}
		if err := split.insert(ctx, tx, now); err != nil {
			return err
		}
		return c.record(ctx, tx, "escrow.key-divided", charge[0], split.id, map[string]string{"second": charge[1],
			"recoveryKey": keystore.FingerprintOf(k.public).String()})
	})
	if store.IsUnique(err) { // somebody else established at the same moment
		return nil, ErrEstablished.New()
	}
	if err != nil {
		return nil, err
	}
	return split.handouts, nil
}

func nextGeneration(ctx context.Context, q store.Querier) (int, error) {
	var last int
	err := q.QueryRowContext(ctx, `SELECT COALESCE(MAX(generation), 0) FROM escrow_recovery_key`).Scan(&last)
	return last + 1, err
}

// abandonPending gives up a recovery key or split that never came into force, and what was sealed under it.
func abandonPending(ctx context.Context, tx *store.Tx) error {
	for _, statement := range []string{
		`DELETE FROM escrow_seal WHERE generation IN (SELECT generation FROM escrow_recovery_key WHERE state = 'pending')`,
		`UPDATE escrow_split SET state = 'abandoned', nonce = NULL, sealed = NULL WHERE state = 'pending'`,
		`UPDATE escrow_recovery_key SET state = 'abandoned' WHERE state = 'pending'`,
	} {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// split is a split as it stands in the database.
type split struct {
	id            string
	key           recoveryKey
	set           keystore.ShareSet
	nonce, sealed []byte
	keyState      string
}

const selectSplit = `SELECT s.id, s.generation, s.share_set, s.nonce, s.sealed, k.public_key, k.state
	FROM escrow_split s JOIN escrow_recovery_key k ON k.generation = s.generation WHERE `

// readSplit reads the split in a state, or the one with an identifier.
func readSplit(ctx context.Context, q store.Querier, where string, argument string) (split, error) {
	var s split
	var set, point []byte
	err := q.QueryRowContext(ctx, selectSplit+where, argument).Scan(&s.id, &s.key.generation, &set, &s.nonce, &s.sealed, &point, &s.keyState)
	if err != nil {
		return s, err
	}
	if s.key.public, err = sm2.NewPublicKey(point); err != nil {
		return s, ErrDamaged.With("%s", s.id).Because(err)
	}
	if err := json.Unmarshal(set, &s.set); err != nil || s.set.ID() != s.id {
		return s, ErrDamaged.With("%s", s.id).Because(err)
	}
	return s, nil
}

// open gives the recovery key that enough shares give back.
func (s split) open(shares []keystore.Share) (*sm2.PrivateKey, error) {
	secret, err := s.set.Combine(shares...)
	if err != nil {
		return nil, err
	}
	return openRecovery(secret, s.id, s.key, s.nonce, s.sealed)
}

// Activate puts a recovery key, or another split of the one in force, in force: by shows that enough of the new shares
// open it. The shares that counted until then are worth nothing afterwards. Errors: escrow.nothing-pending,
// escrow.incomplete, escrow.share-refused with the number of the share, escrow.too-few-shares.
func (c *Centre) Activate(ctx context.Context, by access.Actor, shares ...keystore.Share) error {
	s, err := readSplit(ctx, c.DB.Read(), `s.state = $1`, "pending")
	if isMissing(err) {
		return ErrNothingPending.New()
	}
	if err != nil {
		return err
	}
	private, err := s.open(shares)
	if err != nil {
		return shareFault(err)
	}
	envelope.Wipe(private)
	return c.DB.Write(ctx, func(tx *store.Tx) error {
		if err := replaceKey(ctx, tx, s); err != nil {
			return err
		}
		if err := replaceSplit(ctx, tx, s, store.Time(c.Clock())); err != nil {
			return err
		}
		return c.record(ctx, tx, "escrow.key-in-force", by.ID, s.id, map[string]string{"recoveryKey": keystore.FingerprintOf(s.key.public).String()})
	})
}

// replaceKey makes the recovery key of a split the current one, if it is another.
func replaceKey(ctx context.Context, tx *store.Tx, s split) error {
	if s.keyState != "pending" {
		return nil
	}
	var missing int
	err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM escrow_key k WHERE k.state IN ('escrowed', 'delivered', 'confirmed')
		AND NOT EXISTS (SELECT 1 FROM escrow_seal e WHERE e.escrow_key = k.id AND e.generation = $1)`, s.key.generation).Scan(&missing)
	if err != nil {
		return err
	}
	if missing > 0 {
		return ErrIncomplete.With("%d", missing)
	}
	if _, err := tx.ExecContext(ctx, `UPDATE escrow_recovery_key SET state = 'retired' WHERE state = 'current'`); err != nil {
		return err
	}
	result, err := tx.ExecContext(ctx, `UPDATE escrow_recovery_key SET state = 'current' WHERE generation = $1 AND state = 'pending'`, s.key.generation)
	if err != nil {
		return err
	}
	if err := store.ExactlyOne(result, ErrNothingPending.New()); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM escrow_seal WHERE generation <> $1`, s.key.generation)
	return err
}

// replaceSplit makes a split the one in force and ends the sessions that wait for shares of the one before.
func replaceSplit(ctx context.Context, tx *store.Tx, s split, now string) error {
	_, err := tx.ExecContext(ctx, `UPDATE escrow_session SET state = 'failed', finished = $1 WHERE state = 'open'`, now)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE escrow_split SET state = 'retired', nonce = NULL, sealed = NULL WHERE state = 'current'`)
	if err != nil {
		return err
	}
	result, err := tx.ExecContext(ctx, `UPDATE escrow_split SET state = 'current' WHERE id = $1 AND state = 'pending'`, s.id)
	if err != nil {
		return err
	}
	return store.ExactlyOne(result, ErrNothingPending.New())
}

// shareFault gives an error about shares the code of this room; which share it was stays in it.
func shareFault(err error) error {
	f, ok := fault.Of(err)
	if !ok {
		return err
	}
	switch f.Code {
	case keystore.ErrShareTooFew.Code:
		return ErrTooFew.With("%s", f.Detail())
	case keystore.ErrShareForeign.Code, keystore.ErrShareWrong.Code, keystore.ErrShareTwice.Code, keystore.ErrShare.Code:
		return ErrShareRefused.With("%s", f.Detail()).Because(err)
	}
	return err
}
