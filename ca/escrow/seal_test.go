package escrow

import (
	"bytes"
	"crypto/rand"
	"testing"

	"github.com/emmansun/gmsm/sm2"

	"yinxin/ca/envelope"
	"yinxin/internal/fault"
	"yinxin/keystore"
)

func sealedPair(t testing.TB) (recovery, key *sm2.PrivateKey, b binding, s sealed) {
	t.Helper()
	var err error
	if recovery, err = sm2.GenerateKey(rand.Reader); err != nil {
		t.Fatal(err)
	}
	if key, err = sm2.GenerateKey(rand.Reader); err != nil {
		t.Fatal(err)
	}
	b = binding{id: "enc_1", holder: "user-1", serial: "01", public: keystore.Point(&key.PublicKey), generation: 1}
	if s, err = sealKey(rand.Reader, &recovery.PublicKey, key.D.FillBytes(make([]byte, privateSize)), b); err != nil {
		t.Fatal(err)
	}
	return recovery, key, b, s
}

func TestASealedKeyOpensUnderItsBindingOnly(t *testing.T) {
	recovery, key, b, s := sealedPair(t)
	opened, err := s.openPair(recovery, b)
	if err != nil || !opened.Equal(key) {
		t.Fatalf("%v", err)
	}
	for name, change := range map[string]func(b *binding){
		"another id":         func(b *binding) { b.id = "enc_2" },
		"another holder":     func(b *binding) { b.holder = "user-2" },
		"another serial":     func(b *binding) { b.serial = "02" },
		"another generation": func(b *binding) { b.generation = 2 },
		"another public key": func(b *binding) { b.public = keystore.Point(&recovery.PublicKey) },
		// The lengths are bound as well: what moves from one field to the next is found.
		"a character that moved": func(b *binding) { b.id, b.holder = "enc_1u", "ser-1" },
	} {
		other := b
		change(&other)
		if _, err := s.openPair(recovery, other); !fault.Has(err, ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := s.openPair(key, b); !fault.Has(err, ErrDamaged) {
		t.Errorf("another recovery key: %v", err)
	}
	for name, part := range map[string]*[]byte{"wrapped": &s.wrapped, "nonce": &s.nonce, "sealed": &s.sealed} {
		good := *part
		for i := range good {
			*part = bytes.Clone(good)
			(*part)[i] ^= 1
			if _, err := s.openPair(recovery, b); !fault.Has(err, ErrDamaged) {
				t.Errorf("%s, octet %d: %v", name, i, err)
			}
		}
		*part = good[:len(good)-1]
		if _, err := s.openPair(recovery, b); !fault.Has(err, ErrDamaged) {
			t.Errorf("%s, cut off: %v", name, err)
		}
		*part = good
	}
}

// BenchmarkSealAnew is what another recovery key costs for each key in escrow, without the database. Its floor is
// BenchmarkSM2, one decryption and one encryption.
func BenchmarkSealAnew(b *testing.B) {
	recovery, _, bound, s := sealedPair(b)
	for b.Loop() {
		key, err := s.openPair(recovery, bound)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := sealKey(rand.Reader, &recovery.PublicKey, key.D.FillBytes(make([]byte, privateSize)), bound); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSM2(b *testing.B) {
	recovery, _, _, s := sealedPair(b)
	for b.Loop() {
		key, err := envelope.Decrypt(recovery, s.wrapped)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := envelope.Encrypt(rand.Reader, &recovery.PublicKey, key); err != nil {
			b.Fatal(err)
		}
	}
}
