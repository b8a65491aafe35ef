package keystore

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"yinxin/internal/durable"
	"yinxin/internal/fault"
)

const (
	safesFolder    = "safes"
	safeSecretSize = 32
)

// safeFile is safes/NAME.json. Versions are numbered from 1 in order; the last is the newest. Sealed holds the secrets
// of the versions that have not been ended, 32 bytes each in order, under the data key; its tag vouches for the other
// fields.
type safeFile struct {
	Version  int           `json:"version"`
	Name     string        `json:"name"`
	Purpose  Purpose       `json:"purpose"`
	Versions []safeVersion `json:"versions"`
	Nonce    []byte        `json:"nonce"`
	Sealed   []byte        `json:"sealed"`
}

type safeVersion struct {
	Number int  `json:"number"`
	Ended  bool `json:"ended"`
}

func (f safeFile) current() int { return len(f.Versions) }

func (f safeFile) bound() []byte {
	parts := [][]byte{[]byte("yinxin keystore safe 1"), []byte(f.Name), []byte(f.Purpose)}
	for _, v := range f.Versions {
		ended := 0
		if v.Ended {
			ended = 1
		}
		parts = append(parts, number(v.Number), number(ended))
	}
	return join(parts...)
}

func (s *Store) safePath(name string) string {
	return filepath.Join(s.dir, safesFolder, name+keySuffix)
}

// current is the content of the file now, as for keys.
func (s *Safe) current() (*safeContent, error) {
	old := s.latest.Load()
	if old != nil {
		info, err := os.Stat(s.store.safePath(s.name))
		if err == nil && os.SameFile(info, old.info) && info.ModTime().Equal(old.info.ModTime()) && info.Size() == old.info.Size() {
			return old, nil
		}
	}
	c, err := s.store.openSafe(s.name)
	if err != nil {
		return nil, err
	}
	if old != nil && (c.file.Purpose != old.file.Purpose || c.file.current() < old.file.current()) {
		return nil, ErrDamaged.At(fault.File(filepath.Base(s.store.safePath(s.name))))
	}
	s.latest.Store(c)
	return c, nil
}

func (s *Store) loadSafe(name string) (*Safe, error) {
	s.lock.Lock()
	defer s.lock.Unlock()
	safe := s.safes[name]
	if safe == nil {
		safe = &Safe{store: s, name: name}
		c, err := safe.current()
		if err != nil {
			return nil, err
		}
		safe.purpose = c.file.Purpose
		s.safes[name] = safe
		return safe, nil
	}
	_, err := safe.current()
	return safe, err
}

// openSafe reads and authenticates one file.
func (s *Store) openSafe(name string) (*safeContent, error) {
	path := s.safePath(name)
	data, info, err := read(path)
	if isMissing(err) {
		return nil, ErrKeyNotFound.With("%s", name)
	}
	if err != nil {
		return nil, storage(path, err)
	}
	c, err := s.parseSafe(name, data)
	if err != nil {
		return nil, ErrDamaged.At(fault.File(filepath.Base(path))).Because(err)
	}
	c.info = info
	return c, nil
}

func (s *Store) parseSafe(name string, data []byte) (*safeContent, error) {
	c := &safeContent{secrets: map[int][]byte{}, keys: map[int]safeKeys{}}
	if err := decode(data, &c.file); err != nil {
		return nil, err
	}
	f := c.file
	if f.Version != formatVersion || f.Name != name || len(f.Nonce) != nonceSize || len(f.Versions) == 0 || f.Versions[len(f.Versions)-1].Ended {
		return nil, errors.New("keystore: version, name or nonce is not as it should be")
	}
	secrets, err := s.box.Open(nil, f.Nonce, f.Sealed, f.bound())
	if err != nil {
		return nil, err
	}
	defer clear(secrets)
	rest := bytes.NewReader(secrets)
	for i, v := range f.Versions {
		if v.Number != i+1 {
			return nil, fmt.Errorf("keystore: version %d stands at place %d", v.Number, i+1)
		}
		if v.Ended {
			continue
		}
		secret := make([]byte, safeSecretSize)
		if _, err := io.ReadFull(rest, secret); err != nil {
			return nil, err
		}
		c.secrets[v.Number] = secret
		if c.keys[v.Number], err = deriveSafeKeys(secret); err != nil {
			return nil, err
		}
	}
	if rest.Len() != 0 {
		return nil, errors.New("keystore: more secrets than versions")
	}
	return c, nil
}

// changeSafe adds a version with a new secret to what fn makes of the present content, nil when there is none.
func (s *Store) changeSafe(name string, fn func(*safeContent) (*safeContent, error)) error {
	s.change.Lock()
	defer s.change.Unlock()
	present, err := s.openSafe(name)
	if err != nil && !fault.Has(err, ErrKeyNotFound) {
		return err
	}
	if err != nil {
		present = nil
	}
	c, err := fn(present)
	if err != nil {
		return err
	}
	secret := make([]byte, safeSecretSize)
	if _, err := io.ReadFull(s.random, secret); err != nil {
		return err
	}
	number := c.file.current() + 1
	c.file.Versions = append(c.file.Versions, safeVersion{Number: number})
	c.secrets[number] = secret
	return s.putSafe(c, present != nil)
}

func (s *Store) endSafeVersions(safe *Safe) error {
	s.change.Lock()
	defer s.change.Unlock()
	c, err := s.openSafe(safe.name)
	if err != nil {
		return err
	}
	for i := range c.file.current() - 1 {
		c.file.Versions[i].Ended = true
		delete(c.secrets, i+1)
	}
	return s.putSafe(c, true)
}

// putSafe seals and writes. The caller holds s.change.
func (s *Store) putSafe(c *safeContent, replace bool) error {
	folder := filepath.Join(s.dir, safesFolder)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return storage(folder, err)
	}
	if err := durable.SyncFolder(s.dir); err != nil {
		return storage(folder, err)
	}
	c.file.Nonce = make([]byte, nonceSize)
	if _, err := io.ReadFull(s.random, c.file.Nonce); err != nil {
		return err
	}
	var secrets []byte
	for _, v := range c.file.Versions {
		secrets = append(secrets, c.secrets[v.Number]...)
	}
	defer clear(secrets)
	c.file.Sealed = s.box.Seal(nil, c.file.Nonce, secrets, c.file.bound())
	text, err := encode(c.file)
	if err != nil {
		return err
	}
	path := s.safePath(c.file.Name)
	if err := write(path, text, replace); err != nil {
		return storage(path, err)
	}
	return nil
}
