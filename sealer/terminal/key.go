package terminal

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/store"
	"yinxin/keystore"
)

// The keys that sign manifests are called manifest, manifest-2, … A terminal pins the newest when it is paired, and its manifests
// are signed by that one from then on, so that a new key is no event for the terminals that are there. Whose key was suspended or
// destroyed pairs again.
const keyName = "manifest"

// EnsureKey makes the first key for manifests if there is none yet.
func EnsureKey(ctx context.Context, ring *keystore.Ring) error {
	_, err := newestKey(ctx, ring)
	return err
}

// newestKey gives the newest active key, and makes one where there is none.
func newestKey(ctx context.Context, ring *keystore.Ring) (keystore.Key, error) {
	active, highest, err := newest(ctx, ring)
	switch {
	case err != nil:
		return nil, err
	case active > 0:
		return ring.Get(ctx, nameOf(active))
	}
	return makeKey(ctx, ring, highest+1)
}

// newest gives the highest number of an active key and of any, 0 for none.
func newest(ctx context.Context, ring *keystore.Ring) (active, highest int, err error) {
	list, err := ring.List(ctx)
	for _, k := range list {
		n := numberOf(k.Name)
		if n == 0 || k.Purpose != keystore.PurposeManifest {
			continue
		}
		highest = max(highest, n)
		if k.State == keystore.StateActive {
			active = max(active, n)
		}
	}
	return active, highest, err
}

// makeKey makes the key of a number, or takes the one that another process was faster to make.
func makeKey(ctx context.Context, ring *keystore.Ring, n int) (keystore.Key, error) {
	k, err := ring.Generate(ctx, nameOf(n), keystore.PurposeManifest)
	if fault.Has(err, keystore.ErrKeyExists) {
		return ring.Get(ctx, nameOf(n))
	}
	return k, err
}

func nameOf(n int) string {
	if n == 1 {
		return keyName
	}
	return fmt.Sprintf("%s-%d", keyName, n)
}

// numberOf reads what nameOf wrote; 0 for another name.
func numberOf(name string) int {
	if name == keyName {
		return 1
	}
	text, ok := strings.CutPrefix(name, keyName+"-")
	n, err := strconv.Atoi(text)
	if !ok || err != nil || n < 2 || nameOf(n) != name {
		return 0
	}
	return n
}

// RotateKey makes a new key for manifests, which terminals that are paired from now on pin. An administrator does it. The older keys go on
// for the terminals that have them.
func (s *Service) RotateKey(ctx context.Context, by access.Actor) (name string, err error) {
	actor, err := s.Access.Actor(ctx, by.ID)
	if err != nil {
		return "", err
	}
	if !actor.Has(access.RoleAdministrator) {
		return "", access.ErrRole.With("%s", access.RoleAdministrator)
	}
	_, highest, err := newest(ctx, s.Keys)
	if err != nil {
		return "", err
	}
	k, err := makeKey(ctx, s.Keys, highest+1)
	if err != nil {
		return "", err
	}
	return k.Name(), s.DB.Write(ctx, func(tx *store.Tx) error {
		return s.record(ctx, tx, "terminal.key-made", by.ID, k.Name(), nil)
	})
}

// signer gives the key that a terminal pinned. Error: terminal.key-ended.
func (s *Service) signer(ctx context.Context, t Terminal) (keystore.Key, error) {
	k, err := s.Keys.Get(ctx, t.manifestKey)
	if fault.Has(err, keystore.ErrKeyNotFound) || err == nil && k.State() != keystore.StateActive {
		return nil, errKeyEnded.New()
	}
	return k, err
}
