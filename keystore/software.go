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
	private *sm2.PrivateKey // nil when destroyed
}

// softwareKey is a Key whose private key is in memory while the store is open.
type softwareKey struct {
	store   *Store
	name    string
	purpose Purpose
	public  *ecdsa.PublicKey
	latest  atomic.Pointer[content]
}

var _ Key = (*softwareKey)(nil)

func (k *softwareKey) Name() string             { return k.name }
func (k *softwareKey) Purpose() Purpose         { return k.purpose }
func (k *softwareKey) Public() *ecdsa.PublicKey { return k.public }

// State answers suspended when the file cannot be read: such a key does not sign either.
func (k *softwareKey) State() State {
	c, err := k.current()
	if err != nil {
		return StateSuspended
	}
	return c.file.State
}

// current is the content of the file now. Looking at the file's identity costs about a microsecond, a signature fifty:
// that is what it takes for a suspension by another process to count at once.
func (k *softwareKey) current() (*content, error) {
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
func (k *softwareKey) SignDigest(ctx context.Context, e [32]byte) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c, err := k.current()
	if err != nil {
		return nil, err
	}
	switch c.file.State {
	case StateActive:
		return sm2.SignASN1(rand.Reader, c.private, e[:], nil)
	case StateDestroyed:
		return nil, ErrKeyDestroyed.With("%s", k.name)
	default:
		return nil, ErrKeySuspended.With("%s", k.name)
	}
}

func (k *softwareKey) setState(state State) error {
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
	secret := c.private.D.FillBytes(make([]byte, 32))
	defer clear(secret)
	if state == StateDestroyed {
		secret = nil
	}
	if err := k.store.put(file, secret, true); err != nil {
		return err
	}
	_, err = k.current()
	return err
}
