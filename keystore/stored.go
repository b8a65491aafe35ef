package keystore

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"os"
	"path/filepath"
	"sync/atomic"

	"github.com/emmansun/gmsm/sm2"

	"yinxin/internal/fault"
)

// content is what one version of a key file says.
type content struct {
	file    keyFile
	info    os.FileInfo
	public  *ecdsa.PublicKey
	private *sm2.PrivateKey // nil when destroyed, or on a token
}

// storedKey is a Key with a file in the store. Its private key is in memory while the store is open, or on a token.
type storedKey struct {
	store   *Store
	name    string
	purpose Purpose
	public  *ecdsa.PublicKey
	latest  atomic.Pointer[content]
}

var _ Key = (*storedKey)(nil)

func (k *storedKey) Name() string             { return k.name }
func (k *storedKey) Purpose() Purpose         { return k.purpose }
func (k *storedKey) Public() *ecdsa.PublicKey { return k.public }

// State answers suspended when the file cannot be read: such a key does not sign either.
func (k *storedKey) State() State {
	c, err := k.current()
	if err != nil {
		return StateSuspended
	}
	return c.file.State
}

// current is the content of the file now. Looking at the file's identity costs about a microsecond, a signature fifty:
// that is what it takes for a suspension by another process to count at once.
func (k *storedKey) current() (*content, error) {
	path := k.store.path(k.name)
	old := k.latest.Load()
	if old != nil {
		info, err := os.Stat(path)
		if err == nil && os.SameFile(info, old.info) && info.ModTime().Equal(old.info.ModTime()) && info.Size() == old.info.Size() {
			return old, nil
		}
	}
	c, err := k.store.open(k.name)
	if err != nil {
		return nil, err
	}
	if old != nil && (c.file.Purpose != old.file.Purpose || !bytes.Equal(c.file.Public, old.file.Public)) {
		return nil, ErrDamaged.At(fault.File(filepath.Base(path)))
	}
	k.latest.Store(c)
	return c, nil
}

// SignDigest implements Key.
func (k *storedKey) SignDigest(ctx context.Context, e [32]byte) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c, err := k.current()
	if err != nil {
		return nil, err
	}
	switch c.file.State {
	case StateActive:
		if c.file.Token != nil {
			return k.signOnToken(ctx, *c.file.Token, e)
		}
		return sm2.SignASN1(rand.Reader, c.private, e[:], nil)
	case StateDestroyed:
		return nil, ErrKeyDestroyed.With("%s", k.name)
	default:
		return nil, ErrKeySuspended.With("%s", k.name)
	}
}

func (k *storedKey) setState(ctx context.Context, state State) error {
	k.store.change.Lock()
	defer k.store.change.Unlock()
	c, err := k.store.open(k.name)
	if err != nil {
		return err
	}
	if c.file.State == state {
		return nil
	}
	if c.file.State == StateDestroyed {
		return ErrKeyDestroyed.With("%s", k.name)
	}
	file := c.file
	file.State = state
	secret, err := k.secretFor(ctx, c, state)
	if err != nil {
		return err
	}
	defer clear(secret)
	if err := k.store.put(file, secret, true); err != nil {
		return err
	}
	_, err = k.current()
	return err
}

// secretFor is what the file keeps in a state. Of a key on a token it keeps nothing, and a key that is to be destroyed goes from
// there first: after a crash in between, the file promises a key that is gone, and destroying it again succeeds.
func (k *storedKey) secretFor(ctx context.Context, c *content, state State) ([]byte, error) {
	switch {
	case state == StateDestroyed && c.file.Token != nil:
		return nil, k.destroyOnToken(ctx, *c.file.Token)
	case state == StateDestroyed || c.file.Token != nil:
		return nil, nil
	}
	return c.private.D.FillBytes(make([]byte, 32)), nil
}
