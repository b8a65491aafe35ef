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

// setState changes the file. A key that is to be destroyed goes from its token first, before anything is locked: a device
// that does not answer must not hold up the suspension of another key. After a crash in between, the file promises a key that
// is gone, and destroying it again succeeds.
func (k *storedKey) setState(ctx context.Context, state State) error {
	if state == StateDestroyed {
		if err := k.leaveToken(ctx); err != nil {
			return err
		}
	}
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
	var secret []byte
	if state != StateDestroyed && c.file.Token == nil {
		secret = c.private.D.FillBytes(make([]byte, 32))
		defer clear(secret)
	}
	if err := k.store.put(file, secret, true); err != nil {
		return err
	}
	_, err = k.current()
	return err
}

// leaveToken destroys the private key on its token, if that is where it is.
func (k *storedKey) leaveToken(ctx context.Context) error {
	c, err := k.store.open(k.name)
	if err != nil || c.file.State == StateDestroyed || c.file.Token == nil {
		return err
	}
	return k.destroyOnToken(ctx, *c.file.Token)
}
