package escrow

import (
	"context"
	"crypto/ecdsa"
	"crypto/x509"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/emmansun/gmsm/sm2"

	"yinxin/ca"
	"yinxin/ca/chain"
	"yinxin/ca/envelope"
	"yinxin/internal/fault"
	"yinxin/internal/store"
	"yinxin/keystore"
)

// Holder is for whom an encryption key is made.
type Holder struct {
	// ID names the holder in the registration: no personal data, 1 to 64 characters. It is bound to the sealed key.
	ID string
	// Signing is the holder's signing certificate. The key is handed out to its key and no other.
	Signing *chain.Certificate
}

// Pair is a key pair on its way to its certificate: a companion of ca.Authority.Issue, for one issuance. Close it when
// the issuance is over, however it ended.
type Pair struct {
	centre  *Centre
	id      string
	holder  Holder
	signing *ecdsa.PublicKey
	public  *ecdsa.PublicKey

	lock     sync.Mutex
	private  *sm2.PrivateKey // nil once closed
	envelope []byte
	seals    map[int]sealed // by generation
}

// Make makes a key pair for a holder. Nothing is recorded before its certificate is asked for. Errors:
// escrow.not-established, escrow.holder.
func (c *Centre) Make(ctx context.Context, h Holder) (*Pair, error) {
	if _, err := sealingKeys(ctx, c.DB.Read()); err != nil {
		return nil, err
	}
	if h.ID == "" || !utf8.ValidString(h.ID) || utf8.RuneCountInString(h.ID) > 64 || strings.ContainsFunc(h.ID, func(r rune) bool { return !unicode.IsGraphic(r) }) {
		return nil, ErrHolder.At(fault.Field("id"))
	}
	if h.Signing == nil {
		return nil, ErrHolder.At(fault.Field("signing"))
	}
	signing, ok := h.Signing.PublicKey.(*ecdsa.PublicKey)
	if !ok || keystore.Point(signing) == nil || h.Signing.KeyUsage&x509.KeyUsageDigitalSignature == 0 || !h.Signing.ValidAt(c.Clock()) {
		return nil, ErrHolder.At(fault.Field("signing"))
	}
	private, err := sm2.GenerateKey(c.Random)
	if err != nil {
		return nil, err
	}
	public, err := sm2.NewPublicKey(keystore.Point(&private.PublicKey)) // a copy that may be handed around
	if err != nil {
		return nil, err
	}
	return &Pair{centre: c, id: store.NewID("enc_"), holder: h, signing: signing, public: public, private: private, seals: map[int]sealed{}}, nil
}

// ID names the key in escrow.
func (p *Pair) ID() string { return p.id }

// Public is the key for the encryption certificate.
func (p *Pair) Public() *ecdsa.PublicKey { return p.public }

// Close overwrites the private key. The pair is of no use afterwards.
func (p *Pair) Close() {
	p.lock.Lock()
	defer p.lock.Unlock()
	envelope.Wipe(p.private)
	p.private = nil
}

// String keeps the pair out of logs; so does GoString.
func (p *Pair) String() string { return "escrow.Pair " + p.id }

// GoString is String.
func (p *Pair) GoString() string { return p.String() }

// Intend implements ca.Companion: it records that the key is on its way, in the transaction of the certificate's intent.
func (p *Pair) Intend(ctx context.Context, tx *store.Tx) error {
	now := store.Time(p.centre.Clock())
	_, err := tx.ExecContext(ctx, `INSERT INTO escrow_key (id, holder, public_key, signing_key, signing_certificate, state, created, changed)
		VALUES ($1, $2, $3, $4, $5, 'intent', $6, $6)`,
		p.id, p.holder.ID, keystore.Point(p.public), keystore.Point(p.signing), p.holder.Signing.Raw, now)
	if store.IsUnique(err) {
		return ErrState.With("%s", p.id)
	}
	if err != nil {
		return err
	}
	return p.centre.record(ctx, tx, "escrow.key-intended", "", p.id, nil)
}

// Make implements ca.Companion: it seals the private key for recovery and for the holder, outside of transactions.
func (p *Pair) Make(ctx context.Context, c *chain.Certificate) error {
	p.lock.Lock()
	defer p.lock.Unlock()
	if err := p.fits(c); err != nil {
		return err
	}
	keys, err := sealingKeys(ctx, p.centre.DB.Read())
	if err != nil {
		return err
	}
	if _, err := p.sealUnder(c, keys); err != nil {
		return err
	}
	p.envelope, err = envelope.Seal(p.centre.Random, p.signing, p.private)
	return err
}

const encryptionUsage = x509.KeyUsageKeyEncipherment | x509.KeyUsageDataEncipherment | x509.KeyUsageKeyAgreement

// fits refuses a certificate that is not one for encryption with this key. The caller holds the lock.
func (p *Pair) fits(c *chain.Certificate) error {
	if p.private == nil {
		return ErrState.With("%s", p.id)
	}
	public, ok := c.PublicKey.(*ecdsa.PublicKey)
	if !ok || !public.Equal(p.public) || c.KeyUsage&encryptionUsage == 0 || c.KeyUsage&^encryptionUsage != 0 {
		return ErrCertificate.With("%s", p.id)
	}
	return nil
}

// sealUnder seals under each recovery key that has no seal yet, and gives all seals. The caller holds the lock.
func (p *Pair) sealUnder(c *chain.Certificate, keys []recoveryKey) (map[int]sealed, error) {
	secret := p.private.D.FillBytes(make([]byte, privateSize))
	defer clear(secret)
	wanted := map[int]sealed{}
	for _, k := range keys {
		s, ok := p.seals[k.generation]
		if !ok {
			var err error
			s, err = sealKey(p.centre.Random, k.public, secret, binding{id: p.id, holder: p.holder.ID, serial: ca.SerialText(c.Serial),
				public: keystore.Point(p.public), generation: k.generation})
			if err != nil {
				return nil, err
			}
			p.seals[k.generation] = s
		}
		wanted[k.generation] = s
	}
	return wanted, nil
}

// Complete implements ca.Companion: it records seal and envelope in the transaction that records the certificate. The
// recovery key may have been changed since Make.
func (p *Pair) Complete(ctx context.Context, tx *store.Tx, c *chain.Certificate) error {
	p.lock.Lock()
	defer p.lock.Unlock()
	if err := p.fits(c); err != nil {
		return err
	}
	keys, err := sealingKeys(ctx, tx)
	if err != nil {
		return err
	}
	seals, err := p.sealUnder(c, keys)
	if err != nil {
		return err
	}
	result, err := tx.ExecContext(ctx, `UPDATE escrow_key SET state = 'escrowed', serial = $1, serial_state = 'issued', certificate = $2, not_after = $3,
		envelope = $4, changed = $5 WHERE id = $6 AND state = 'intent'`,
		ca.SerialText(c.Serial), c.Raw, store.Time(c.NotAfter), p.envelope, store.Time(p.centre.Clock()), p.id)
	if err != nil {
		return err
	}
	if err := store.ExactlyOne(result, ErrState.With("%s", p.id)); err != nil {
		return err
	}
	for _, k := range keys {
		if err := seals[k.generation].insert(ctx, tx, p.id, k.generation); err != nil {
			return err
		}
	}
	return p.centre.record(ctx, tx, "escrow.key-escrowed", "", p.id, map[string]string{"serial": ca.SerialText(c.Serial),
		"recoveryKey": keystore.FingerprintOf(keys[0].public).String()})
}

func (s sealed) insert(ctx context.Context, tx *store.Tx, id string, generation int) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO escrow_seal (escrow_key, generation, wrapped, nonce, sealed) VALUES ($1, $2, $3, $4, $5)`,
		id, generation, s.wrapped, s.nonce, s.sealed)
	return err
}

// Recover voids the intents without a result that are at least RecoveryAge old: their issuance died, and nothing of the
// keys was released.
func (c *Centre) Recover(ctx context.Context) error {
	now := c.Clock()
	return c.DB.Write(ctx, func(tx *store.Tx) error {
		ids, err := store.Column[string](tx.QueryContext(ctx, `UPDATE escrow_key SET state = 'voided', changed = $1 WHERE state = 'intent' AND created <= $2 RETURNING id`,
			store.Time(now), store.Time(now.Add(-c.RecoveryAge))))
		if err != nil {
			return err
		}
		for _, id := range ids {
			if err := c.record(ctx, tx, "escrow.key-voided", "", id, nil); err != nil {
				return err
			}
		}
		return nil
	})
}
