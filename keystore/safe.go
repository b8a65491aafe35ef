package keystore

import (
	"context"
	"crypto/cipher"
	"crypto/hmac"
	"encoding/binary"
	"io"
	"math"
	"os"
	"sync/atomic"

	"github.com/emmansun/gmsm/sm3"
)

const (
	safeFormat      = 1
	safeHead        = 1 + 4 // format, version
	indexSize       = 4 + sm3.Size
	maxSafeData     = 64 << 20
	maxSafeVersions = math.MaxUint16
)

// Safe seals data at rest with SM4-GCM under a secret that does not leave this package. The secret has versions: what
// is new is sealed under the newest, what is older still opens until its version is ended. It is safe for concurrent
// use, and a version that another process added counts at the next call.
//
// Every call takes a context, such as table, row and column: sealed data opens only in the context in which it was
// sealed, so that nobody who can write to the database moves one person's data into another's row.
type Safe struct {
	store   *Store
	name    string
	purpose Purpose
	latest  atomic.Pointer[safeContent]
}

// safeContent is what one state of the file says.
type safeContent struct {
	file    safeFile
	info    os.FileInfo
	secrets map[int][]byte
	keys    map[int]safeKeys
}

// safeKeys are derived from the secret of one version, one for each use.
type safeKeys struct {
	box   cipher.AEAD
	index []byte
}

func deriveSafeKeys(secret []byte) (safeKeys, error) {
	box, err := aead(hmacSM3(secret, []byte("yinxin safe seal 1"))[:dataKeySize])
	return safeKeys{box: box, index: hmacSM3(secret, []byte("yinxin safe index 1"))}, err
}

func hmacSM3(key, data []byte) []byte {
	h := hmac.New(sm3.New, key)
	h.Write(data)
	return h.Sum(nil)
}

// Name is the name of the safe in its keystore.
func (s *Safe) Name() string { return s.name }

// Seal encrypts at most 64 MiB. The result is one byte of format, four of the version, 12 of a random nonce, the
// encrypted data and 16 bytes of tag.
func (s *Safe) Seal(plain []byte, context ...string) ([]byte, error) {
	if len(plain) > maxSafeData {
		return nil, ErrSafeSize.With("%d MiB", maxSafeData>>20)
	}
	c, err := s.current()
	if err != nil {
		return nil, err
	}
	version := c.file.current()
	out := make([]byte, safeHead+nonceSize, safeHead+nonceSize+len(plain)+16)
	out[0] = safeFormat
	binary.BigEndian.PutUint32(out[1:], uint32(version))
	if _, err := io.ReadFull(s.store.random, out[safeHead:]); err != nil {
		return nil, err
	}
	return c.keys[version].box.Seal(out, out[safeHead:], plain, safeContext(out[:safeHead], context)), nil
}

// Open gives what Seal was given, in the same context: keystore.safe-sealed for anything else, keystore.safe-ended for
// a version that was ended.
func (s *Safe) Open(sealed []byte, context ...string) ([]byte, error) {
	c, err := s.current()
	if err != nil {
		return nil, err
	}
	version := sealedVersion(sealed)
	if version == 0 || version > len(c.file.Versions) {
		return nil, ErrSafeSealed.New()
	}
	keys, ok := c.keys[version]
	if !ok {
		return nil, ErrSafeEnded.With("%d", version)
	}
	plain, err := keys.box.Open(nil, sealed[safeHead:safeHead+nonceSize], sealed[safeHead+nonceSize:], safeContext(sealed[:safeHead], context))
	if err != nil {
		return nil, ErrSafeSealed.New()
	}
	return plain, nil
}

// Head is the first five bytes of everything that Seal makes now, format and version: whoever keeps sealed data finds by
// it what was sealed under an older version. An Index begins with the last four of them.
func (s *Safe) Head() ([]byte, error) {
	c, err := s.current()
	if err != nil {
		return nil, err
	}
	return binary.BigEndian.AppendUint32([]byte{safeFormat}, uint32(c.file.current())), nil
}

// Versions are those that have not been ended, the newest first.
func (s *Safe) Versions() ([]int, error) {
	c, err := s.current()
	if err != nil {
		return nil, err
	}
	var list []int
	for version := c.file.current(); version > 0; version-- {
		if _, ok := c.keys[version]; ok {
			list = append(list, version)
		}
	}
	return list, nil
}

// Index gives the same 36 bytes for the same value under the same label and version, so that a table can be searched
// for a value that it holds only sealed: four bytes of the version and HMAC-SM3. Nobody without the safe can try values.
func (s *Safe) Index(label, value string) ([]byte, error) {
	c, err := s.current()
	if err != nil {
		return nil, err
	}
	return c.index(c.file.current(), label, value), nil
}

// Indexes gives the Index of a value under every version that has not been ended, the newest first: what to search for
// while older entries are being made anew.
func (s *Safe) Indexes(label, value string) ([][]byte, error) {
	c, err := s.current()
	if err != nil {
		return nil, err
	}
	var list [][]byte
	for version := c.file.current(); version > 0; version-- {
		if _, ok := c.keys[version]; ok {
			list = append(list, c.index(version, label, value))
		}
	}
	return list, nil
}

func (c *safeContent) index(version int, label, value string) []byte {
	out := binary.BigEndian.AppendUint32(nil, uint32(version))
	return append(out, hmacSM3(c.keys[version].index, join([]byte(label), []byte(value)))...)
}

// sealedVersion is 0 for what Seal cannot have made.
func sealedVersion(sealed []byte) int {
	if len(sealed) < safeHead+nonceSize+16 || sealed[0] != safeFormat {
		return 0
	}
	version := binary.BigEndian.Uint32(sealed[1:])
	if version > maxSafeVersions {
		return 0
	}
	return int(version)
}

func safeContext(head []byte, context []string) []byte {
	parts := [][]byte{[]byte("yinxin safe 1"), head}
	for _, part := range context {
		parts = append(parts, []byte(part))
	}
	return join(parts...)
}

// CreateSafe makes a safe with its first version: keystore.key-exists. Only the purpose personal-data has safes.
func (r *Ring) CreateSafe(ctx context.Context, name string, p Purpose) (*Safe, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !validName(name) {
		return nil, ErrName.New()
	}
	if p != PurposePersonalData || !r.reaches(p) {
		return nil, ErrPurpose.With("%s", p)
	}
	if err := r.store.changeSafe(name, func(c *safeContent) (*safeContent, error) {
		if c != nil {
			return nil, ErrKeyExists.With("%s", name)
		}
		return &safeContent{file: safeFile{Version: formatVersion, Name: name, Purpose: p}, secrets: map[int][]byte{}}, nil
	}); err != nil {
		return nil, err
	}
	return r.Safe(ctx, name)
}

// Safe finds a safe by name: keystore.key-not-found also for one whose purpose the ring does not reach.
func (r *Ring) Safe(ctx context.Context, name string) (*Safe, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !validName(name) {
		return nil, ErrKeyNotFound.New()
	}
	s, err := r.store.loadSafe(name)
	if err != nil {
		return nil, err
	}
	if !r.reaches(s.purpose) {
		return nil, ErrKeyNotFound.With("%s", name)
	}
	return s, nil
}

// RotateSafe adds a version, under which everything is sealed from now on. What is older should be sealed anew, and
// then its version ended.
func (r *Ring) RotateSafe(ctx context.Context, name string) error {
	if _, err := r.Safe(ctx, name); err != nil {
		return err
	}
	return r.store.changeSafe(name, func(c *safeContent) (*safeContent, error) {
		if c == nil {
			return nil, ErrKeyNotFound.With("%s", name)
		}
		if len(c.file.Versions) >= maxSafeVersions {
			return nil, ErrState.With("%d", len(c.file.Versions))
		}
		return c, nil
	})
}

// EndSafeVersions destroys the secrets of all versions before the newest: what was sealed under them cannot be opened
// by anyone any more. The caller has sealed anew whatever is to be kept.
func (r *Ring) EndSafeVersions(ctx context.Context, name string) error {
	s, err := r.Safe(ctx, name)
	if err != nil {
		return err
	}
	return r.store.endSafeVersions(s)
}
