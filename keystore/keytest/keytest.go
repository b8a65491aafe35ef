// Package keytest is what every place of keys has to pass: one suite for keys in the keystore's files and for keys on tokens.
package keytest

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/emmansun/gmsm/sm2"
	tjfoc "github.com/tjfoc/gmsm/sm2"

	"yinxin/internal/fault"
	"yinxin/keystore"
)

// Place is where keys are kept during one test.
type Place interface {
	// Open opens the keystore as another process does; the first call makes it. New keys are made in the place that is tested.
	Open(t *testing.T) *keystore.Store
	// Dir is the keystore's folder.
	Dir() string
	// Secrets are what no error may contain: passphrase, PIN.
	Secrets() []string
	// Holds is how many private keys there are in the place.
	Holds(t *testing.T) int
}

// suite is one test of the suite.
type suite struct {
	*testing.T
	place Place
	store *keystore.Store
}

// Run runs the suite; make makes an empty place for each test.
func Run(t *testing.T, make func(t *testing.T) Place) {
	for _, c := range []struct {
		name string
		test func(suite)
	}{
		{"a key signs the same after the store is opened again", again},
		{"a signer takes messages and nothing else", signer},
		{"a ring reaches only its purposes", reach},
		{"names that would leave the folder are refused", names},
		{"a state counts in every process at once", states},
		{"a destroyed key is gone", destroyed},
		{"a file that vanishes stops the key", vanished},
		{"every changed byte of a file is found", changed},
		{"a file under another name is refused", renamed},
		{"files are for the owner only", modes},
		{"two who generate one name get one key", twice},
		{"a caller that has gone gets no signature", cancelled},
		{"many sign at once", many},
		{"no secret is in an error", secrets},
	} {
		t.Run(c.name, func(t *testing.T) {
			place := make(t)
			c.test(suite{t, place, place.Open(t)})
		})
	}
}

func (s suite) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// want demands a code, and that the error tells no secret.
func (s suite) want(err error, spec fault.Spec) {
	s.Helper()
	if !fault.Has(err, spec) {
		s.Errorf("%v, not %s", err, spec.Code)
	}
	s.quiet(err)
}

func (s suite) quiet(err error) {
	s.Helper()
	for ; err != nil; err = errors.Unwrap(err) {
		for _, secret := range s.place.Secrets() {
			if strings.Contains(fmt.Sprintf("%v %+v", err, err), secret) {
				s.Errorf("a secret is in %v", err)
			}
		}
	}
}

func (s suite) generate(r *keystore.Ring, name string, p keystore.Purpose) keystore.Key {
	s.Helper()
	k, err := r.Generate(context.Background(), name, p)
	s.must(err)
	return k
}

// signs demands a signature that two implementations accept.
func (s suite) signs(k keystore.Key, message string) {
	s.Helper()
	e, err := keystore.Digest(k.Public(), []byte(message))
	s.must(err)
	value, err := k.SignDigest(context.Background(), e)
	s.must(err)
	//lint:ignore SA1019 the other library takes coordinates
	other := tjfoc.PublicKey{Curve: tjfoc.P256Sm2(), X: k.Public().X, Y: k.Public().Y}
	if !sm2.VerifyASN1WithSM2(k.Public(), []byte(keystore.DefaultID), []byte(message), value) || !other.Verify([]byte(message), value) {
		s.Error("the signature is not accepted")
	}
}

func again(s suite) {
	made := s.generate(s.store.Ring(keystore.PurposeSealing), "seal-1", keystore.PurposeSealing)
	s.signs(made, "档案")
	ring := s.place.Open(s.T).Ring(keystore.PurposeSealing)
	k, err := ring.Get(context.Background(), "seal-1")
	s.must(err)
	if !k.Public().Equal(made.Public()) || k.Purpose() != keystore.PurposeSealing || k.State() != keystore.StateActive || k.Name() != "seal-1" {
		s.Errorf("another key came back: %v %v %v", k.Name(), k.Purpose(), k.State())
	}
	s.signs(k, "档案")
	list, err := ring.List(context.Background())
	s.must(err)
	if len(list) != 1 || list[0].Name != "seal-1" || !list[0].Public.Equal(made.Public()) {
		s.Errorf("%+v", list)
	}
}

func signer(s suite) {
	k := s.generate(s.store.Ring(keystore.PurposeIssuing), "issuing", keystore.PurposeIssuing)
	signer := keystore.Signer(k)
	value, err := signer.Sign(rand.Reader, []byte("message"), sm2.DefaultSM2SignerOpts)
	s.must(err)
	if !sm2.VerifyASN1WithSM2(k.Public(), []byte(keystore.DefaultID), []byte("message"), value) {
		s.Error("the signature does not verify")
	}
	for name, options := range map[string]crypto.SignerOpts{"no option": nil, "a digest without name": crypto.Hash(0), "a SHA-256 digest": crypto.SHA256} {
		if _, err := signer.Sign(rand.Reader, make([]byte, 32), options); err == nil {
			s.Errorf("%s was signed", name)
		}
	}
}

func reach(s suite) {
	ctx := context.Background()
	s.generate(s.store.Ring(keystore.PurposeIssuing), "issuing", keystore.PurposeIssuing)
	ring := s.store.Ring(keystore.PurposeSealing)
	s.generate(ring, "seal", keystore.PurposeSealing)
	_, err := ring.Get(ctx, "issuing")
	s.want(err, keystore.ErrKeyNotFound)
	s.want(ring.SetState(ctx, "issuing", keystore.StateDestroyed), keystore.ErrKeyNotFound)
	_, err = ring.Generate(ctx, "another", keystore.PurposeIssuing)
	s.want(err, keystore.ErrPurpose)
	_, err = s.store.Ring(keystore.Purpose("any")).Generate(ctx, "another", keystore.Purpose("any"))
	s.want(err, keystore.ErrPurpose)
	_, err = s.store.Ring().Get(ctx, "seal")
	s.want(err, keystore.ErrKeyNotFound)
	_, err = ring.Generate(ctx, "issuing", keystore.PurposeSealing)
	s.want(err, keystore.ErrKeyExists)
	if list, err := ring.List(ctx); err != nil || len(list) != 1 || list[0].Name != "seal" {
		s.Errorf("list %v, %v", list, err)
	}
	if n := s.place.Holds(s.T); n != 2 {
		s.Errorf("%d keys", n)
	}
}

func names(s suite) {
	ring := s.store.Ring(keystore.PurposeSealing)
	for _, name := range []string{"", "..", ".", "../x", "a/b", `a\b`, ".new-1", "A", "章", "a\x00", "-a", strings.Repeat("a", 97)} {
		_, err := ring.Generate(context.Background(), name, keystore.PurposeSealing)
		s.want(err, keystore.ErrName)
		_, err = ring.Get(context.Background(), name)
		s.want(err, keystore.ErrKeyNotFound)
	}
	s.signs(s.generate(ring, strings.Repeat("a", 96), keystore.PurposeSealing), "档案")
	if n := s.place.Holds(s.T); n != 1 {
		s.Errorf("%d keys", n)
	}
}

func states(s suite) {
	ctx := context.Background()
	ring := s.store.Ring(keystore.PurposeSealing)
	here := s.generate(ring, "seal", keystore.PurposeSealing)
	elsewhere, err := s.place.Open(s.T).Ring(keystore.PurposeSealing).Get(ctx, "seal")
	s.must(err)
	steps := []struct {
		state keystore.State
		want  *fault.Spec
	}{{keystore.StateSuspended, &keystore.ErrKeySuspended}, {keystore.StateActive, nil}, {keystore.StateSuspended, &keystore.ErrKeySuspended},
		{keystore.StateDestroyed, &keystore.ErrKeyDestroyed}}
	for _, step := range steps {
		s.must(ring.SetState(ctx, "seal", step.state))
		for _, k := range []keystore.Key{here, elsewhere} {
			_, err := k.SignDigest(ctx, [32]byte{1})
			if step.want == nil {
				s.must(err)
			} else {
				s.want(err, *step.want)
			}
			if k.State() != step.state {
				s.Errorf("state %s, not %s", k.State(), step.state)
			}
		}
	}
	s.want(ring.SetState(ctx, "seal", keystore.StateActive), keystore.ErrKeyDestroyed)
	s.want(ring.SetState(ctx, "seal", keystore.State("lost")), keystore.ErrState)
}

func destroyed(s suite) {
	ctx := context.Background()
	ring := s.store.Ring(keystore.PurposeSealing)
	s.generate(ring, "seal", keystore.PurposeSealing)
	other := s.generate(ring, "other", keystore.PurposeSealing)
	s.must(ring.SetState(ctx, "seal", keystore.StateDestroyed))
	s.must(ring.SetState(ctx, "seal", keystore.StateDestroyed))
	if n := s.place.Holds(s.T); n != 1 {
		s.Errorf("%d keys", n)
	}
	k, err := s.place.Open(s.T).Ring(keystore.PurposeSealing).Get(ctx, "seal")
	s.must(err)
	_, err = k.SignDigest(ctx, [32]byte{1})
	s.want(err, keystore.ErrKeyDestroyed)
	_, err = ring.Generate(ctx, "seal", keystore.PurposeSealing)
	s.want(err, keystore.ErrKeyExists)
	s.signs(other, "档案")
}

func (s suite) file(name string) string { return filepath.Join(s.place.Dir(), "keys", name+".json") }

func vanished(s suite) {
	k := s.generate(s.store.Ring(keystore.PurposeSealing), "seal", keystore.PurposeSealing)
	s.must(os.Remove(s.file("seal")))
	_, err := k.SignDigest(context.Background(), [32]byte{})
	s.want(err, keystore.ErrKeyNotFound)
	if k.State() == keystore.StateActive {
		s.Error("the key says that it is active")
	}
}

func changed(s suite) {
	s.generate(s.store.Ring(keystore.PurposeSealing), "seal", keystore.PurposeSealing)
	good, err := os.ReadFile(s.file("seal"))
	s.must(err)
	ring := s.place.Open(s.T).Ring(keystore.PurposeSealing)
	try := func(data []byte) error {
		s.must(os.WriteFile(s.file("seal"), data, 0o600))
		_, err := ring.Get(context.Background(), "seal")
		return err
	}
	for i := range good {
		for _, mask := range []byte{0x01, 0x20} {
			bad := bytes.Clone(good)
			bad[i] ^= mask
			if err := try(bad); !fault.Has(err, keystore.ErrDamaged) {
				s.Fatalf("byte %d: %v", i, err)
			}
		}
	}
	for name, bad := range map[string][]byte{"empty": nil, "cut in the middle": good[:len(good)/2], "last byte gone": good[:len(good)-1],
		"something after the end": append(bytes.Clone(good), ' '), "enormous": make([]byte, 64<<10+1)} {
		if err := try(bad); !fault.Has(err, keystore.ErrDamaged) {
			s.Errorf("%s: %v", name, err)
		}
	}
	s.must(try(good))
}

func renamed(s suite) {
	ring := s.store.Ring(keystore.PurposeSealing)
	s.generate(ring, "one", keystore.PurposeSealing)
	s.generate(ring, "two", keystore.PurposeSealing)
	s.must(os.Rename(s.file("one"), s.file("two")))
	for _, store := range []*keystore.Store{s.store, s.place.Open(s.T)} {
		_, err := store.Ring(keystore.PurposeSealing).Get(context.Background(), "two")
		s.want(err, keystore.ErrDamaged)
	}
}

func modes(s suite) {
	ring := s.store.Ring(keystore.PurposeSealing)
	s.generate(ring, "seal", keystore.PurposeSealing)
	s.must(ring.SetState(context.Background(), "seal", keystore.StateSuspended))
	files := 0
	s.must(filepath.Walk(s.place.Dir(), func(path string, info os.FileInfo, err error) error {
		want := os.FileMode(0o600)
		if info.IsDir() {
			want = 0o700
		} else {
			files++
		}
		if info.Mode().Perm() != want {
			s.Errorf("%s has mode %o", path, info.Mode().Perm())
		}
		return err
	}))
	if files != 2 {
		s.Errorf("%d files", files)
	}
}

func twice(s suite) {
	rings := []*keystore.Ring{s.store.Ring(keystore.PurposeSealing), s.place.Open(s.T).Ring(keystore.PurposeSealing)}
	var group sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		group.Go(func() { _, errs[i] = rings[i%2].Generate(context.Background(), "seal", keystore.PurposeSealing) })
	}
	group.Wait()
	made := 0
	for _, err := range errs {
		if err == nil {
			made++
		} else {
			s.want(err, keystore.ErrKeyExists)
		}
	}
	if n := s.place.Holds(s.T); made != 1 || n != 1 {
		s.Errorf("%d were made, %d are there", made, n)
	}
	k, err := rings[0].Get(context.Background(), "seal")
	s.must(err)
	s.signs(k, "档案")
}

func cancelled(s suite) {
	ring := s.store.Ring(keystore.PurposeSealing)
	k := s.generate(ring, "seal", keystore.PurposeSealing)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := k.SignDigest(ctx, [32]byte{1})
	errs := []error{err}
	_, err = ring.Generate(ctx, "another", keystore.PurposeSealing)
	errs = append(errs, err)
	_, err = ring.Get(ctx, "seal")
	errs = append(errs, err, ring.SetState(ctx, "seal", keystore.StateDestroyed))
	for i, err := range errs {
		if !errors.Is(err, context.Canceled) {
			s.Errorf("%d: %v", i, err)
		}
	}
	s.signs(k, "档案")
	if n := s.place.Holds(s.T); n != 1 {
		s.Errorf("%d keys", n)
	}
}

func many(s suite) {
	ring := s.store.Ring(keystore.PurposeSealing)
	var group sync.WaitGroup
	for i := range 4 {
		k := s.generate(ring, fmt.Sprintf("seal-%d", i), keystore.PurposeSealing)
		for range 4 {
			group.Go(func() {
				for n := range 8 {
					s.signs(k, fmt.Sprintf("档案 %d", n))
				}
			})
		}
	}
	group.Wait()
}

func secrets(s suite) {
	_, err := keystore.Open(s.place.Dir(), keystore.Options{Passphrase: []byte("wrong")})
	s.want(err, keystore.ErrPassphrase)
	s.generate(s.store.Ring(keystore.PurposeSealing), "seal", keystore.PurposeSealing)
	s.must(filepath.Walk(s.place.Dir(), func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		for _, secret := range s.place.Secrets() {
			if bytes.Contains(data, []byte(secret)) {
				s.Errorf("a secret is in %s", filepath.Base(path))
			}
		}
		return err
	}))
}
