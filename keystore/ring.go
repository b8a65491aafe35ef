package keystore

import (
	"context"
	"slices"
)

// Ring is the capability to use keys of certain purposes. It is safe for concurrent use.
type Ring struct {
	store    *Store
	purposes []Purpose
}

// Ring hands out access to the keys of the given purposes and no others. Without purposes it reaches nothing.
func (s *Store) Ring(purposes ...Purpose) *Ring {
	return &Ring{store: s, purposes: slices.Clone(purposes)}
}

func (r *Ring) reaches(p Purpose) bool { return slices.Contains(r.purposes, p) }

// Generate makes a new active key, on a token if keys of this purpose are made there (Store.MakeOn). The name is unique in the store over all purposes: keystore.key-exists.
func (r *Ring) Generate(ctx context.Context, name string, p Purpose) (Key, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !validName(name) {
		return nil, ErrName.New()
	}
	if !p.known() || !r.reaches(p) {
		return nil, ErrPurpose.With("%s", p)
	}
	if token := r.store.home(p); token != "" {
		return r.store.generateOn(ctx, token, name, p)
	}
	return r.store.generate(name, p)
}

// Get finds a key by name: keystore.key-not-found also for a key whose purpose the ring does not reach, so that a
// ring cannot be used to learn what else exists.
func (r *Ring) Get(ctx context.Context, name string) (Key, error) {
	k, err := r.get(ctx, name)
	if err != nil {
		return nil, err
	}
	return k, nil
}

func (r *Ring) get(ctx context.Context, name string) (*storedKey, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !validName(name) {
		return nil, ErrKeyNotFound.New()
	}
	k, err := r.store.load(name)
	if err != nil {
		return nil, err
	}
	if !r.reaches(k.purpose) {
		return nil, ErrKeyNotFound.With("%s", name)
	}
	return k, nil
}

// List describes the keys within reach, ordered by name, destroyed ones included. A damaged file ends it with an
// error that names the file.
func (r *Ring) List(ctx context.Context) ([]Info, error) {
	all, err := r.store.List(ctx)
	return slices.DeleteFunc(all, func(i Info) bool { return !r.reaches(i.Purpose) }), err
}

// SetState suspends, reactivates or destroys a key. It is durable when it returns. A destroyed key stays destroyed:
// keystore.key-destroyed.
func (r *Ring) SetState(ctx context.Context, name string, state State) error {
	k, err := r.get(ctx, name)
	if err != nil {
		return err
	}
	switch state {
	case StateActive, StateSuspended, StateDestroyed:
		return k.setState(ctx, state)
	}
	return ErrState.With("%q", string(state))
}
