package keystore

import (
	"bytes"
	"context"
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/emmansun/gmsm/sm2"

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

func TestEveryChangedByteOfTheMasterFileIsFound(t *testing.T) {
	_, dir := newTestStore(t)
	path := filepath.Join(dir, "master.json")
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	try := func(what string, data []byte) {
		t.Helper()
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(dir, testOptions); !fault.Has(err, ErrDamaged) {
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
	if err := os.WriteFile(path, good, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, testOptions); err != nil {
		t.Errorf("the good file again: %v", err)
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

func TestADestroyedKeyLeavesNoSecret(t *testing.T) {
	s, _ := newTestStore(t)
	ring := s.Ring(PurposeSealing)
	k := generate(t, ring, "seal", PurposeSealing).(*storedKey)
	if err := ring.SetState(context.Background(), "seal", StateDestroyed); err != nil {
		t.Fatal(err)
	}
	if c, err := k.current(); err != nil || c.private != nil || len(c.file.Sealed) != 16 {
		t.Errorf("the private key is still there: %v", err)
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
