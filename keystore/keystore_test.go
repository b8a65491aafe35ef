package keystore

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/emmansun/gmsm/sm2"
	tjfoc "github.com/tjfoc/gmsm/sm2"

	"yinxin/internal/durable"
	"yinxin/internal/fault"
)

var testOptions = Options{Passphrase: []byte("档案 correct horse"), Iterations: 10}

func newTestStore(t *testing.T) (*Store, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "keys")
	s, err := Create(dir, testOptions)
	if err != nil {
		t.Fatal(err)
	}
	return s, dir
}

func generate(t *testing.T, r *Ring, name string, p Purpose) Key {
	t.Helper()
	k, err := r.Generate(context.Background(), name, p)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func wantCode(t *testing.T, err error, spec fault.Spec) {
	t.Helper()
	if !fault.Has(err, spec) {
		t.Errorf("error %v, want %s", err, spec.Code)
	}
}

func TestAKeySignsTheSameAfterTheStoreIsOpenedAgain(t *testing.T) {
	ctx := context.Background()
	s, dir := newTestStore(t)
	made := generate(t, s.Ring(PurposeSealing), "seal-1", PurposeSealing)
	s, err := Open(dir, testOptions)
	if err != nil {
		t.Fatal(err)
	}
	k, err := s.Ring(PurposeSealing).Get(ctx, "seal-1")
	if err != nil {
		t.Fatal(err)
	}
	if !k.Public().Equal(made.Public()) || k.Purpose() != PurposeSealing || k.State() != StateActive || k.Name() != "seal-1" {
		t.Errorf("another key came back: %v %v %v", k.Name(), k.Purpose(), k.State())
	}
	message := []byte("part one part two")
	e, err := Digest(k.Public(), message[:9], message[9:])
	if err != nil {
		t.Fatal(err)
	}
	value, err := k.SignDigest(ctx, e)
	if err != nil {
		t.Fatal(err)
	}
	if !sm2.VerifyASN1WithSM2(made.Public(), []byte(DefaultID), message, value) {
		t.Error("gmsm does not accept the signature")
	}
	//lint:ignore SA1019 the other library takes coordinates
	other := tjfoc.PublicKey{Curve: tjfoc.P256Sm2(), X: k.Public().X, Y: k.Public().Y}
	if !other.Verify(message, value) {
		t.Error("tjfoc/gmsm does not accept the signature")
	}
}

func TestSignerTakesMessagesAndNothingElse(t *testing.T) {
	s, _ := newTestStore(t)
	k := generate(t, s.Ring(PurposeIssuing), "issuing", PurposeIssuing)
	signer := Signer(k)
	value, err := signer.Sign(rand.Reader, []byte("message"), sm2.DefaultSM2SignerOpts)
	if err != nil {
		t.Fatal(err)
	}
	if !sm2.VerifyASN1WithSM2(k.Public(), []byte(DefaultID), []byte("message"), value) {
		t.Error("the signature does not verify")
	}
	for name, options := range map[string]crypto.SignerOpts{"no option": nil, "a digest without name": crypto.Hash(0), "a SHA-256 digest": crypto.SHA256} {
		if _, err := signer.Sign(rand.Reader, make([]byte, 32), options); err == nil {
			t.Errorf("%s was signed", name)
		}
	}
}

func TestARingReachesOnlyItsPurposes(t *testing.T) {
	ctx := context.Background()
	s, _ := newTestStore(t)
	generate(t, s.Ring(PurposeIssuing), "issuing", PurposeIssuing)
	ring := s.Ring(PurposeSealing)
	generate(t, ring, "seal", PurposeSealing)
	_, err := ring.Get(ctx, "issuing")
	wantCode(t, err, ErrKeyNotFound)
	wantCode(t, ring.SetState(ctx, "issuing", StateDestroyed), ErrKeyNotFound)
	_, err = ring.Generate(ctx, "another", PurposeIssuing)
	wantCode(t, err, ErrPurpose)
	_, err = s.Ring(Purpose("any")).Generate(ctx, "another", Purpose("any"))
	wantCode(t, err, ErrPurpose)
	_, err = s.Ring().Get(ctx, "seal")
	wantCode(t, err, ErrKeyNotFound)
	list, err := ring.List(ctx)
	if err != nil || len(list) != 1 || list[0].Name != "seal" {
		t.Errorf("list %v, %v", list, err)
	}
}

func TestNamesThatWouldLeaveTheFolderAreRefused(t *testing.T) {
	s, _ := newTestStore(t)
	ring := s.Ring(PurposeSealing)
	for _, name := range []string{"", "..", ".", "../x", "a/b", `a\b`, ".new-1", "A", "章", "a\x00", "-a", strings.Repeat("a", maxName+1)} {
		if _, err := ring.Generate(context.Background(), name, PurposeSealing); !fault.Has(err, ErrName) {
			t.Errorf("Generate(%q): %v", name, err)
		}
		if _, err := ring.Get(context.Background(), name); !fault.Has(err, ErrKeyNotFound) {
			t.Errorf("Get(%q): %v", name, err)
		}
	}
}

func TestAWrongPassphraseIsToldFromADamagedFile(t *testing.T) {
	_, dir := newTestStore(t)
	_, err := Open(dir, Options{Passphrase: []byte("wrong")})
	wantCode(t, err, ErrPassphrase)
	_, err = Open(dir, Options{})
	wantCode(t, err, ErrNoPassphrase)
	_, err = Open(filepath.Join(dir, "nowhere"), testOptions)
	wantCode(t, err, ErrNotFound)
	_, err = Create(dir, testOptions)
	wantCode(t, err, ErrExists)
	_, err = Create(filepath.Join(t.TempDir(), "x"), Options{Passphrase: []byte("p"), Iterations: maxIterations + 1})
	wantCode(t, err, ErrOptions)
}

func TestEveryChangedByteOfAFileIsFound(t *testing.T) {
	ctx := context.Background()
	s, dir := newTestStore(t)
	generate(t, s.Ring(PurposeSealing), "seal", PurposeSealing)
	master, key := filepath.Join(dir, "master.json"), filepath.Join(dir, "keys", "seal.json")
	cases := []struct {
		path string
		use  func() error
	}{
		{master, func() error { _, err := Open(dir, testOptions); return err }},
		{key, func() error {
			s, err := Open(dir, testOptions)
			if err != nil {
				return errors.New("the master file was touched")
			}
			_, err = s.Ring(PurposeSealing).Get(ctx, "seal")
			return err
		}},
	}
	for _, c := range cases {
		t.Run(filepath.Base(c.path), func(t *testing.T) {
			good, err := os.ReadFile(c.path)
			if err != nil {
				t.Fatal(err)
			}
			try := func(what string, data []byte) {
				if err := os.WriteFile(c.path, data, 0o600); err != nil {
					t.Fatal(err)
				}
				if err := c.use(); !fault.Has(err, ErrDamaged) {
					t.Fatalf("%s: %v", what, err)
				}
			}
			for i := range good {
				for _, mask := range []byte{0x01, 0x20} {
					bad := bytes.Clone(good)
					bad[i] ^= mask
					try("flipped byte", bad)
				}
			}
			try("empty", nil)
			try("cut in the middle", good[:len(good)/2])
			try("last byte gone", good[:len(good)-1])
			try("something after the end", append(bytes.Clone(good), ' '))
			try("enormous", make([]byte, maxFile+1))
			if err := os.WriteFile(c.path, good, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := c.use(); err != nil {
				t.Errorf("the good file again: %v", err)
			}
		})
	}
}

func TestAKeyFileUnderAnotherNameIsRefused(t *testing.T) {
	s, dir := newTestStore(t)
	ring := s.Ring(PurposeSealing)
	generate(t, ring, "one", PurposeSealing)
	generate(t, ring, "two", PurposeSealing)
	if err := os.Rename(filepath.Join(dir, "keys", "one.json"), filepath.Join(dir, "keys", "two.json")); err != nil {
		t.Fatal(err)
	}
	for _, s := range []*Store{s, reopen(t, dir)} {
		_, err := s.Ring(PurposeSealing).Get(context.Background(), "two")
		wantCode(t, err, ErrDamaged)
	}
}

func reopen(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(dir, testOptions)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestASuspensionCountsInEveryProcessAtOnce(t *testing.T) {
	ctx := context.Background()
	s, dir := newTestStore(t)
	ring := s.Ring(PurposeSealing)
	here := generate(t, ring, "seal", PurposeSealing)
	elsewhere, err := reopen(t, dir).Ring(PurposeSealing).Get(ctx, "seal")
	if err != nil {
		t.Fatal(err)
	}
	steps := []struct {
		state State
		want  *fault.Spec
	}{{StateSuspended, &ErrKeySuspended}, {StateActive, nil}, {StateSuspended, &ErrKeySuspended}, {StateDestroyed, &ErrKeyDestroyed}}
	for _, step := range steps {
		if err := ring.SetState(ctx, "seal", step.state); err != nil {
			t.Fatal(err)
		}
		for _, k := range []Key{here, elsewhere} {
			_, err := k.SignDigest(ctx, [32]byte{1})
			if step.want == nil && err != nil {
				t.Errorf("%s: %v", step.state, err)
			}
			if step.want != nil {
				wantCode(t, err, *step.want)
			}
			if k.State() != step.state {
				t.Errorf("state %s, want %s", k.State(), step.state)
			}
		}
	}
	wantCode(t, ring.SetState(ctx, "seal", StateActive), ErrKeyDestroyed)
	wantCode(t, ring.SetState(ctx, "seal", State("lost")), ErrState)
	secret := here.(*storedKey)
	if c, err := secret.current(); err != nil || c.private != nil || len(c.file.Sealed) != 16 {
		t.Errorf("the private key is still there: %v", err)
	}
}

func TestAFileThatVanishesStopsTheKey(t *testing.T) {
	s, dir := newTestStore(t)
	k := generate(t, s.Ring(PurposeSealing), "seal", PurposeSealing)
	if err := os.Remove(filepath.Join(dir, "keys", "seal.json")); err != nil {
		t.Fatal(err)
	}
	_, err := k.SignDigest(context.Background(), [32]byte{})
	wantCode(t, err, ErrKeyNotFound)
	if k.State() == StateActive {
		t.Error("the key says that it is active")
	}
}

func TestFilesAreForTheOwnerOnly(t *testing.T) {
	s, dir := newTestStore(t)
	ring := s.Ring(PurposeSealing)
	generate(t, ring, "seal", PurposeSealing)
	if err := ring.SetState(context.Background(), "seal", StateSuspended); err != nil {
		t.Fatal(err)
	}
	files := 0
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		want := os.FileMode(0o600)
		if info.IsDir() {
			want = 0o700
		} else {
			files++
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %o", path, info.Mode().Perm())
		}
		return err
	})
	if err != nil || files != 2 {
		t.Errorf("%d files, %v", files, err)
	}
}

func TestALeftoverOfACrashIsNoKeyAndNoHindrance(t *testing.T) {
	s, dir := newTestStore(t)
	ring := s.Ring(PurposeSealing)
	generate(t, ring, "seal", PurposeSealing)
	for _, path := range []string{"keys/" + durable.Prefix + "ABC", "keys/.new-ABC.json", durable.Prefix + "ABC"} {
		if err := os.WriteFile(filepath.Join(dir, path), []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if list, err := reopen(t, dir).Ring(PurposeSealing).List(context.Background()); err != nil || len(list) != 1 {
		t.Errorf("list %v, %v", list, err)
	}
}

func TestAFailedReplacementLeavesTheOldFile(t *testing.T) {
	s, dir := newTestStore(t)
	ring := s.Ring(PurposeSealing)
	k := generate(t, ring, "seal", PurposeSealing)
	// The random source gives out between reading the old file and writing the new one.
	s.random = bytes.NewReader(nil)
	if err := ring.SetState(context.Background(), "seal", StateSuspended); err == nil {
		t.Fatal("the replacement did not fail")
	}
	if _, err := k.SignDigest(context.Background(), [32]byte{}); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "keys", "seal.json")); err != nil {
		t.Error(err)
	}
}

func TestTwoWhoGenerateOneNameGetOneKey(t *testing.T) {
	s, dir := newTestStore(t)
	rings := []*Ring{s.Ring(PurposeSealing), reopen(t, dir).Ring(PurposeSealing)}
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		wg.Go(func() { _, errs[i] = rings[i%2].Generate(context.Background(), "seal", PurposeSealing) })
	}
	wg.Wait()
	made := 0
	for _, err := range errs {
		if err == nil {
			made++
		} else {
			wantCode(t, err, ErrKeyExists)
		}
	}
	if made != 1 {
		t.Errorf("%d keys were made", made)
	}
}

func TestAnotherPassphraseOpensTheSameKeys(t *testing.T) {
	s, dir := newTestStore(t)
	generate(t, s.Ring(PurposeRoot), "root", PurposeRoot)
	next := Options{Passphrase: []byte("next"), Iterations: 20}
	if err := s.ChangePassphrase(next); err != nil {
		t.Fatal(err)
	}
	_, err := Open(dir, testOptions)
	wantCode(t, err, ErrPassphrase)
	again, err := Open(dir, next)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := again.Ring(PurposeRoot).Get(context.Background(), "root"); err != nil {
		t.Error(err)
	}
}

func TestThePassphraseFileLosesOneLineEnd(t *testing.T) {
	cases := map[string]string{"secret": "secret", "secret\n": "secret", "secret\r\n": "secret", "secret\n\n": "secret\n", " secret ": " secret "}
	for text, want := range cases {
		path := filepath.Join(t.TempDir(), "passphrase")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := ReadPassphraseFile(path)
		if err != nil || string(got) != want {
			t.Errorf("%q read as %q, %v", text, got, err)
		}
		t.Setenv(PassphraseFileVariable, path)
		t.Setenv(PassphraseVariable, "other")
		if got, err := PassphraseFromEnvironment(); err != nil || string(got) != want {
			t.Errorf("environment gave %q, %v", got, err)
		}
	}
	t.Setenv(PassphraseFileVariable, "")
	if got, err := PassphraseFromEnvironment(); err != nil || string(got) != "other" {
		t.Errorf("environment gave %q, %v", got, err)
	}
	t.Setenv(PassphraseVariable, "")
	_, err := PassphraseFromEnvironment()
	wantCode(t, err, ErrNoPassphrase)
	long := filepath.Join(t.TempDir(), "long")
	for text, spec := range map[string]fault.Spec{"": ErrNoPassphrase, "\n": ErrNoPassphrase, strings.Repeat("x", maxPassphrase+1): ErrOptions} {
		if err := os.WriteFile(long, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := ReadPassphraseFile(long)
		wantCode(t, err, spec)
	}
}

func FuzzOpen(f *testing.F) {
	f.Add([]byte(`{"version":1}`))
	f.Add([]byte("{\n  \"version\": 1,\n  \"kdf\": \"PBKDF2-SM3\",\n  \"iterations\": 999999999\n}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var m masterFile
		if decode(data, &m) == nil && m.Iterations <= 1000 {
			if _, err := m.unwrapDataKey([]byte("x")); err == nil {
				t.Error("opened without the passphrase")
			}
		}
	})
}

func BenchmarkSignDigest(b *testing.B) {
	dir := filepath.Join(b.TempDir(), "keys")
	s, err := Create(dir, testOptions)
	if err != nil {
		b.Fatal(err)
	}
	k, err := s.Ring(PurposeSealing).Generate(context.Background(), "seal", PurposeSealing)
	if err != nil {
		b.Fatal(err)
	}
	bare := k.(*storedKey).latest.Load().private
	b.Run("floor", func(b *testing.B) {
		for b.Loop() {
			if _, err := sm2.SignASN1(rand.Reader, bare, make([]byte, 32), nil); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("key", func(b *testing.B) {
		for b.Loop() {
			if _, err := k.SignDigest(context.Background(), [32]byte{}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
