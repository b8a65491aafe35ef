package keystore

import (
	"bytes"
	"context"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/emmansun/gmsm/sm2"

	"yinxin/hsm"
	"yinxin/internal/durable"
	"yinxin/internal/fault"
)

// Options opens a keystore. Iterations counts only when a passphrase is set (Create, ChangePassphrase): 0 means
// DefaultIterations. Random is where keys and nonces come from: nil means the operating system.
type Options struct {
	Passphrase []byte
	Iterations int
	Random     io.Reader
}

func (o Options) complete() (Options, error) {
	if _, err := checkPassphrase(o.Passphrase); err != nil {
		return o, err
	}
	if o.Iterations == 0 {
		o.Iterations = DefaultIterations
	}
	if o.Iterations < 0 || o.Iterations > maxIterations {
		return o, ErrOptions.With("iterations 1 … %d", maxIterations)
	}
	if o.Random == nil {
		o.Random = rand.Reader
	}
	return o, nil
}

// Store is an open keystore. Hand out Rings, not the Store. It is safe for concurrent use.
type Store struct {
	dir    string
	random io.Reader
	box    cipher.AEAD // under the data key
	data   []byte      // the data key, to seal it anew

	change sync.Mutex // one writer of files at a time
	lock   sync.Mutex // guards what follows
	keys   map[string]*storedKey
	safes  map[string]*Safe
	tokens map[string]func(context.Context) (*hsm.Token, error)
	homes  map[Purpose]string // tokens on which keys of a purpose are made
}

// Create makes a keystore in a folder, which is made as well: keystore.exists when it holds one. A folder that a crash
// left without master.json holds none.
func Create(dir string, o Options) (*Store, error) {
	o, err := o.complete()
	if err != nil {
		return nil, err
	}
	for _, folder := range []string{dir, filepath.Join(dir, keysFolder)} {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return nil, storage(folder, err)
		}
		if err := os.Chmod(folder, 0o700); err != nil {
			return nil, storage(folder, err)
		}
	}
	entries, err := os.ReadDir(filepath.Join(dir, keysFolder))
	if err != nil {
		return nil, storage(keysFolder, err)
	}
	if len(entries) > 0 {
		return nil, ErrExists.At(fault.File(dir))
	}
	dataKey := make([]byte, dataKeySize)
	if _, err := io.ReadFull(o.Random, dataKey); err != nil {
		return nil, err
	}
	if err := writeMaster(dir, o, dataKey, nil, false); err != nil {
		return nil, err
	}
	if err := durable.SyncFolder(filepath.Dir(filepath.Clean(dir))); err != nil {
		return nil, storage(dir, err)
	}
	return newStore(dir, o.Random, dataKey)
}

// Open opens a keystore: keystore.not-found, keystore.passphrase, keystore.shares-needed where it stands under shares
// (OpenWithShares), or keystore.damaged with the file's name.
func Open(dir string, o Options) (*Store, error) { return open(dir, o, false) }

func open(dir string, o Options, shared bool) (*Store, error) {
	o, err := o.complete()
	if err != nil {
		return nil, err
	}
	m, err := readMaster(dir)
	if err != nil {
		return nil, err
	}
	if m.Shares != nil && m.wellFormed() && !shared {
		return nil, ErrSharesNeeded.At(fault.File(dir)).With("%d / %d", m.Shares.Threshold, m.Shares.Count)
	}
	dataKey, err := m.unwrapDataKey(o.Passphrase)
	if err != nil {
		if f, ok := fault.Of(err); ok {
			return nil, f.At(fault.File(masterName))
		}
		return nil, err
	}
	return newStore(dir, o.Random, dataKey)
}

func newStore(dir string, random io.Reader, dataKey []byte) (*Store, error) {
	box, err := aead(dataKey)
	if err != nil {
		return nil, err
	}
	return &Store{dir: dir, random: random, box: box, data: dataKey, keys: map[string]*storedKey{}, safes: map[string]*Safe{},
		tokens: map[string]func(context.Context) (*hsm.Token, error){}, homes: map[Purpose]string{}}, nil
}

func writeMaster(dir string, o Options, dataKey []byte, shares *ShareSet, replace bool) error {
	m, err := wrapDataKey(o, dataKey, shares)
	if err != nil {
		return err
	}
	text, err := encode(m)
	if err != nil {
		return err
	}
	err = write(filepath.Join(dir, masterName), text, replace)
	if errors.Is(err, fs.ErrExist) {
		return ErrExists.At(fault.File(dir))
	}
	if err != nil {
		return storage(masterName, err)
	}
	return nil
}

// ChangePassphrase seals the data key under another passphrase, also where shares opened it until now. The keys stay as
// they are. Whoever copied the folder before can still open that copy with the old passphrase.
func (s *Store) ChangePassphrase(o Options) error {
	o, err := o.complete()
	if err != nil {
		return err
	}
	s.change.Lock()
	defer s.change.Unlock()
	return writeMaster(s.dir, o, s.data, nil, true)
}

func (s *Store) path(name string) string { return filepath.Join(s.dir, keysFolder, name+keySuffix) }

func (s *Store) names() ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(s.dir, keysFolder))
	if err != nil {
		return nil, storage(keysFolder, err)
	}
	var names []string
	for _, entry := range entries {
		if name, ok := strings.CutSuffix(entry.Name(), keySuffix); ok && validName(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// List describes all keys, as Ring.List does those of a ring.
func (s *Store) List(ctx context.Context) ([]Info, error) {
	names, err := s.names()
	if err != nil {
		return nil, err
	}
	var list []Info
	for _, name := range names {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		k, err := s.load(name)
		if err != nil {
			return nil, err
		}
		list = append(list, Info{Name: k.name, Purpose: k.purpose, State: k.State(), Public: k.public, Token: k.token()})
	}
	return list, nil
}

func (s *Store) generate(name string, p Purpose) (*storedKey, error) {
	private, err := sm2.GenerateKey(s.random)
	if err != nil {
		return nil, err
	}
	file := keyFile{Version: formatVersion, Name: name, Purpose: p, State: StateActive, Public: Point(&private.PublicKey)}
	s.change.Lock()
	defer s.change.Unlock()
	secret := private.D.FillBytes(make([]byte, 32))
	defer clear(secret)
	if err := s.put(file, secret, false); err != nil {
		return nil, err
	}
	return s.load(name)
}

// put seals and writes a key file. The caller holds s.change.
func (s *Store) put(file keyFile, secret []byte, replace bool) error {
	file.Nonce = make([]byte, nonceSize)
	if _, err := io.ReadFull(s.random, file.Nonce); err != nil {
		return err
	}
	file.Sealed = s.box.Seal(nil, file.Nonce, secret, file.bound())
	text, err := encode(file)
	if err != nil {
		return err
	}
	path := s.path(file.Name)
	err = write(path, text, replace)
	if errors.Is(err, fs.ErrExist) {
		return ErrKeyExists.With("%s", file.Name)
	}
	if err != nil {
		return storage(path, err)
	}
	return nil
}

// load gives the one storedKey of a name, so that all holders see a change of state.
func (s *Store) load(name string) (*storedKey, error) {
	s.lock.Lock()
	defer s.lock.Unlock()
	k := s.keys[name]
	if k == nil {
		k = &storedKey{store: s, name: name}
		c, err := k.current()
		if err != nil {
			return nil, err
		}
		k.purpose, k.public = c.file.Purpose, c.public
		s.keys[name] = k
		return k, nil
	}
	if _, err := k.current(); err != nil {
		return nil, err
	}
	return k, nil
}

// open reads and authenticates one key file.
func (s *Store) open(name string) (*content, error) {
	path := s.path(name)
	data, info, err := read(path)
	if isMissing(err) {
		return nil, ErrKeyNotFound.With("%s", name)
	}
	if err != nil {
		return nil, storage(path, err)
	}
	c, err := s.parse(name, data)
	if err != nil {
		return nil, ErrDamaged.At(fault.File(filepath.Base(path))).Because(err)
	}
	c.info = info
	return c, nil
}

func (s *Store) parse(name string, data []byte) (*content, error) {
	c := &content{}
	if err := decode(data, &c.file); err != nil {
		return nil, err
	}
	if c.file.Version != formatVersion || c.file.Name != name || len(c.file.Nonce) != nonceSize {
		return nil, errors.New("keystore: version, name or nonce is not as it should be")
	}
	secret, err := s.box.Open(nil, c.file.Nonce, c.file.Sealed, c.file.bound())
	if err != nil {
		return nil, err
	}
	defer clear(secret)
	if c.public, err = sm2.NewPublicKey(c.file.Public); err != nil {
		return nil, err
	}
	if c.file.Token != nil {
		return c, c.file.Token.check(secret)
	}
	if c.file.State == StateDestroyed {
		return c, nil
	}
	if c.private, err = sm2.NewPrivateKey(secret); err != nil {
		return nil, err
	}
	if !bytes.Equal(Point(&c.private.PublicKey), c.file.Public) {
		return nil, errors.New("keystore: public and private key do not belong together")
	}
	return c, nil
}
