package business

import (
	"context"
	"crypto/ecdsa"

	"yinxin/ca/csr"
	"yinxin/keystore"
)

// RingKeys keeps the keys of central seals in a ring of the keystore that reaches the purpose sealing.
type RingKeys struct{ Ring *keystore.Ring }

var _ SealingKeys = RingKeys{}

// Generate implements SealingKeys.
func (k RingKeys) Generate(ctx context.Context, name string) (*ecdsa.PublicKey, error) {
	key, err := k.Ring.Generate(ctx, name, keystore.PurposeSealing)
	if err != nil {
		return nil, err
	}
	return key.Public(), nil
}

// Request implements SealingKeys.
func (k RingKeys) Request(ctx context.Context, name string) ([]byte, error) {
	key, err := k.Ring.Get(ctx, name)
	if err != nil {
		return nil, err
	}
	return csr.Create(ctx, key, csr.Template{})
}

// Retire implements SealingKeys.
func (k RingKeys) Retire(ctx context.Context, name string) error {
	key, err := k.Ring.Get(ctx, name)
	if err != nil || key.State() != keystore.StateActive {
		return err
	}
	return k.Ring.SetState(ctx, name, keystore.StateSuspended)
}
