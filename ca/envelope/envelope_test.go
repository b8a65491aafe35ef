package envelope

import (
	"bytes"
	"crypto/rand"
	"encoding/asn1"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/sm4"
	"github.com/emmansun/gmsm/smx509"
	tjsm2 "github.com/tjfoc/gmsm/sm2"
	tjsm4 "github.com/tjfoc/gmsm/sm4"
	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"

	"yinxin/internal/fault"
	"yinxin/internal/oid"
	"yinxin/internal/tooltest"
)

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func newKey(t testing.TB) *sm2.PrivateKey {
	return must[*sm2.PrivateKey](t)(sm2.GenerateKey(rand.Reader))
}

func wantCode(t testing.TB, err error, spec fault.Spec) {
	t.Helper()
	if !fault.Has(err, spec) {
		t.Errorf("error %v, want %s", err, spec.Code)
	}
}

func toTjfoc(k *sm2.PrivateKey) *tjsm2.PrivateKey {
	return &tjsm2.PrivateKey{PublicKey: tjsm2.PublicKey{Curve: tjsm2.P256Sm2(), X: k.X, Y: k.Y}, D: k.D}
}

func TestTheHolderOpensAnEnvelopeAndNobodyElseDoes(t *testing.T) {
	holder, other, key := newKey(t), newKey(t), newKey(t)
	sealed := must[[]byte](t)(Seal(rand.Reader, &holder.PublicKey, key))
	k := must[*Key](t)(Parse(sealed))
	if len(k.Notes) > 0 || !k.Algorithm.Equal(oid.SM4ECB) || !k.Public.Equal(&key.PublicKey) {
		t.Errorf("notes %v, algorithm %v", k.Notes, k.Algorithm)
	}
	if opened := must[*sm2.PrivateKey](t)(k.Open(holder)); !opened.Equal(key) {
		t.Error("another key came out")
	}
	_, err := k.Open(other)
	wantCode(t, err, ErrOpen)
}

// Two other implementations read what is written here, and the other way round.
func TestOtherSoftwareReadsTheEnvelope(t *testing.T) {
	for range 20 { // coordinates and keys with leading zeros and ones turn up
		holder, key := newKey(t), newKey(t)
		sealed := must[[]byte](t)(Seal(rand.Reader, &holder.PublicKey, key))
		if opened := must[*sm2.PrivateKey](t)(sm2.ParseEnvelopedPrivateKey(holder, sealed)); !opened.Equal(key) {
			t.Error("gmsm: another key came out")
		}
		k := must[*Key](t)(Parse(sealed))
		symmetric := must[[]byte](t)(tjsm2.DecryptAsn1(toTjfoc(holder), k.Symmetric.Marshal()))
		block := must[interface{ Decrypt(dst, src []byte) }](t)(newTjfoc(symmetric))
		text := make([]byte, 32)
		block.Decrypt(text[:16], k.Private[:16])
		block.Decrypt(text[16:], k.Private[16:])
		if !bytes.Equal(text, key.D.FillBytes(make([]byte, 32))) {
			t.Error("tjfoc: another key came out")
		}
		theirs := must[[]byte](t)(sm2.MarshalEnvelopedPrivateKey(rand.Reader, &holder.PublicKey, key))
		read := must[*Key](t)(Parse(theirs))
		if opened := must[*sm2.PrivateKey](t)(read.Open(holder)); !opened.Equal(key) || len(read.Notes) > 0 {
			t.Errorf("from gmsm another key came out, notes %v", read.Notes)
		}
	}
}

func newTjfoc(key []byte) (interface{ Decrypt(dst, src []byte) }, error) { return tjsm4.NewCipher(key) }

func TestOpenSSLReadsAndWritesTheCiphertext(t *testing.T) {
	tooltest.Find(t, "openssl")
	key := newKey(t)
	pkcs8 := must[[]byte](t)(smx509.MarshalPKCS8PrivateKey(key))
	keyFile := tooltest.File(t, "key.der", pkcs8)
	plain := []byte("0123456789abcdef")
	in := tooltest.File(t, "in.der", must[[]byte](t)(Encrypt(rand.Reader, &key.PublicKey, plain)))
	out := filepath.Join(t.TempDir(), "out")
	tooltest.Run(t, "openssl", "pkeyutl", "-decrypt", "-inkey", keyFile, "-keyform", "DER", "-in", in, "-out", out)
	if got := must[[]byte](t)(os.ReadFile(out)); !bytes.Equal(got, plain) {
		t.Errorf("openssl read %q", got)
	}
	tooltest.Run(t, "openssl", "pkeyutl", "-encrypt", "-inkey", keyFile, "-keyform", "DER", "-in", tooltest.File(t, "plain", plain), "-out", out)
	if got := must[[]byte](t)(Decrypt(key, must[[]byte](t)(os.ReadFile(out)))); !bytes.Equal(got, plain) {
		t.Errorf("of openssl's ciphertext %q was read", got)
	}
}

// The whole way with a third implementation: the key of SM4 by pkeyutl, the private key by enc.
func TestOpenSSLOpensTheEnvelope(t *testing.T) {
	holder, key := newKey(t), newKey(t)
	k := must[*Key](t)(Parse(must[[]byte](t)(Seal(rand.Reader, &holder.PublicKey, key))))
	holderFile := tooltest.File(t, "holder.der", must[[]byte](t)(smx509.MarshalPKCS8PrivateKey(holder)))
	out := filepath.Join(t.TempDir(), "out")
	tooltest.Run(t, "openssl", "pkeyutl", "-decrypt", "-inkey", holderFile, "-keyform", "DER", "-in", tooltest.File(t, "in.der", k.Symmetric.Marshal()), "-out", out)
	symmetric := fmt.Sprintf("%x", must[[]byte](t)(os.ReadFile(out)))
	tooltest.Run(t, "openssl", "enc", "-d", "-sm4-ecb", "-nopad", "-K", symmetric, "-in", tooltest.File(t, "key.bin", k.Private), "-out", out)
	if got := must[[]byte](t)(os.ReadFile(out)); !bytes.Equal(got, key.D.FillBytes(make([]byte, 32))) {
		t.Error("openssl gets another key out of it")
	}
}

// variant writes an envelope as other software does.
type variant struct {
	algorithm  asn1.ObjectIdentifier
	parameters []byte
	cipher     func(c Cipher) []byte
	public     func(point []byte) []byte
	pad        func(secret []byte) []byte
}

func (v variant) write(t testing.TB, holder, key *sm2.PrivateKey) []byte {
	symmetric := make([]byte, 16)
	must[int](t)(rand.Read(symmetric))
	text := key.D.FillBytes(make([]byte, 32))
	if v.pad != nil {
		text = v.pad(text)
	}
	block := must[interface{ Encrypt(dst, src []byte) }](t)(newSM4(symmetric))
	for at := 0; at+16 <= len(text); at += 16 {
		block.Encrypt(text[at:], text[at:])
	}
	c := must[Cipher](t)(ParseCipher(must[[]byte](t)(Encrypt(rand.Reader, &holder.PublicKey, symmetric))))
	encrypted := c.Marshal()
	if v.cipher != nil {
		encrypted = v.cipher(c)
	}
	point := must[interface{ Bytes() []byte }](t)(pointOf(key)).Bytes()
	if v.public != nil {
		point = v.public(point)
	}
	if v.algorithm == nil {
		v.algorithm = oid.SM4ECB
	}
	var b cryptobyte.Builder
	b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(v.algorithm)
			b.AddBytes(v.parameters)
		})
		b.AddBytes(encrypted)
		b.AddASN1BitString(point)
		b.AddASN1BitString(text)
	})
	return b.BytesOrPanic()
}

func newSM4(key []byte) (interface{ Encrypt(dst, src []byte) }, error) { return sm4.NewCipher(key) }

func pointOf(key *sm2.PrivateKey) (interface{ Bytes() []byte }, error) {
	return sm2.PublicKeyToECDH(&key.PublicKey)
}

// octets writes SM2Cipher with the octets of the coordinates as given.
func octets(x, y []byte, parts ...[]byte) []byte {
	var b cryptobyte.Builder
	b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
		for _, n := range [][]byte{x, y} {
			b.AddASN1(der.INTEGER, func(b *cryptobyte.Builder) { b.AddBytes(n) })
		}
		for _, part := range parts {
			b.AddASN1OctetString(part)
		}
	})
	return b.BytesOrPanic()
}

func TestEnvelopesOfOtherSoftwareAreReadAndNoted(t *testing.T) {
	cases := map[string]struct {
		variant
		note string
	}{
		"SM4 without a mode and without parameters": {variant{algorithm: oid.SM4}, ""},
		"parameters of another mode":                {variant{parameters: []byte{4, 2, 1, 2}}, "parameters"},
		"the private key in 64 octets of GM/T 0016": {variant{pad: func(s []byte) []byte { return append(make([]byte, 32), s...) }}, "padded"},
		"the private key padded as in PKCS 7":       {variant{pad: func(s []byte) []byte { return append(s, bytes.Repeat([]byte{16}, 16)...) }}, "padded"},
		"hash and ciphertext in the older order": {variant{cipher: func(c Cipher) []byte {
			return octets(append([]byte{0}, c.X[:]...), append([]byte{0}, c.Y[:]...), c.Text, c.Hash[:])
		}}, "C1C2C3"},
		"coordinates of 34 octets": {variant{cipher: func(c Cipher) []byte {
			return octets(append([]byte{0, 0}, c.X[:]...), append([]byte{0, 0}, c.Y[:]...), c.Hash[:], c.Text)
		}}, "coordinate"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			holder, key := newKey(t), newKey(t)
			k := must[*Key](t)(Parse(c.write(t, holder, key)))
			if opened := must[*sm2.PrivateKey](t)(k.Open(holder)); !opened.Equal(key) {
				t.Error("another key came out")
			}
			if noted := strings.Contains(fmt.Sprint(k.Notes), c.note) && len(k.Notes) > 0; noted != (c.note != "") {
				t.Errorf("notes %q, want one of %q", k.Notes, c.note)
			}
		})
	}
	t.Run("coordinates without their leading zero octet", func(t *testing.T) {
		holder, key, negative := newKey(t), newKey(t), 0
		for range 8 { // each coordinate begins with a one bit half of the time
			k := must[*Key](t)(Parse(variant{cipher: func(c Cipher) []byte {
				return octets(bytes.TrimLeft(c.X[:], "\x00"), bytes.TrimLeft(c.Y[:], "\x00"), c.Hash[:], c.Text)
			}}.write(t, holder, key)))
			if opened := must[*sm2.PrivateKey](t)(k.Open(holder)); !opened.Equal(key) {
				t.Error("another key came out")
			}
			negative += len(k.Notes)
		}
		if negative == 0 {
			t.Error("none was noted")
		}
	})
}

func TestWhatIsNoEnvelopeIsRefused(t *testing.T) {
	holder, key, other := newKey(t), newKey(t), newKey(t)
	good := must[[]byte](t)(Seal(rand.Reader, &holder.PublicKey, key))
	parse := func(data []byte) error { _, err := Parse(data); return err }
	wantCode(t, parse(nil), ErrFormat)
	wantCode(t, parse(append(slices.Clone(good), 0)), ErrFormat)
	wantCode(t, parse(make([]byte, MaxEnvelope+1)), ErrTooLarge)
	wantCode(t, parse(variant{algorithm: asn1.ObjectIdentifier{1, 2, 156, 10197, 1, 104, 2}}.write(t, holder, key)), ErrAlgorithm)
	for name, pad := range map[string]func(s []byte) []byte{
		"31 octets": func(s []byte) []byte { return s[1:] }, "no octets": func([]byte) []byte { return nil },
		"80 octets": func(s []byte) []byte { return append(s, make([]byte, 48)...) }} {
		if err := parse(variant{pad: pad}.write(t, holder, key)); !fault.Has(err, ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
	wantCode(t, parse(variant{public: func(p []byte) []byte { p[64] ^= 1; return p }}.write(t, holder, key)), ErrFormat)
	for name, v := range map[string]variant{
		"a public key that is not of the private one": {public: func([]byte) []byte {
			return must[interface{ Bytes() []byte }](t)(pointOf(other)).Bytes()
		}},
		"padding that is none":        {pad: func(s []byte) []byte { return append(s, make([]byte, 16)...) }},
		"ones before the private key": {pad: func(s []byte) []byte { return append(bytes.Repeat([]byte{1}, 32), s...) }},
		"a private key of zero":       {pad: func(s []byte) []byte { return make([]byte, 32) }},
		"a private key over the order": {pad: func(s []byte) []byte {
			return bytes.Repeat([]byte{0xff}, 32)
		}},
	} {
		k, err := Parse(v.write(t, holder, key))
		if err == nil {
			_, err = k.Open(holder)
		}
		if !fault.Has(err, ErrOpen) {
			t.Errorf("%s: %v", name, err)
		}
	}
	inside := cryptobyte.String(good)
	var members cryptobyte.String
	if !inside.ReadASN1(&members, der.SEQUENCE) {
		t.Fatal("no sequence")
	}
	wantCode(t, parse(layout(func(b *cryptobyte.Builder) { b.AddBytes(members); b.AddASN1NULL() })), ErrFormat)
	long := variant{cipher: func(Cipher) []byte { return must[[]byte](t)(Encrypt(rand.Reader, &holder.PublicKey, make([]byte, 17))) }}
	wantCode(t, parse(long.write(t, holder, key)), ErrFormat)
	_, err := Seal(rand.Reader, nil, key)
	wantCode(t, err, ErrKey)
	_, err = Seal(rand.Reader, &holder.PublicKey, &sm2.PrivateKey{})
	wantCode(t, err, ErrKey)
	_, err = Encrypt(rand.Reader, &holder.PublicKey, make([]byte, MaxPlaintext+1))
	wantCode(t, err, ErrTooLarge)
}

// A changed octet either makes the envelope unreadable or keeps it shut; only the parameters of the algorithm and the
// spelling of lengths could leave the key as it is, and there is no such octet in what is written here.
func TestEveryChangedOctetIsFound(t *testing.T) {
	holder, key := newKey(t), newKey(t)
	good := must[[]byte](t)(Seal(rand.Reader, &holder.PublicKey, key))
	for i := range good {
		for _, mask := range []byte{1, 0x80} {
			bad := slices.Clone(good)
			bad[i] ^= mask
			k, err := Parse(bad)
			if err == nil && len(k.Notes) == 0 {
				_, err = k.Open(holder)
			}
			if err == nil && (k == nil || len(k.Notes) == 0) {
				t.Errorf("octet %d with %#x flipped is not found", i, mask)
			}
		}
	}
}

func TestAWipedKeyIsGone(t *testing.T) {
	key := newKey(t)
	Wipe(key)
	if key.D.Cmp(new(big.Int)) != 0 {
		for _, word := range key.D.Bits() {
			if word != 0 {
				t.Fatal("the private key is still there")
			}
		}
	}
	Wipe(nil)
}

func FuzzParse(f *testing.F) {
	holder := newKey(f)
	good := must[[]byte](f)(Seal(rand.Reader, &holder.PublicKey, newKey(f)))
	f.Add(good)
	f.Add(variant{pad: func(s []byte) []byte { return append(make([]byte, 32), s...) }}.write(f, holder, newKey(f)))
	f.Add(good[:len(good)-1])
	f.Fuzz(func(t *testing.T, data []byte) {
		k, err := Parse(data)
		if err != nil {
			if _, ok := fault.Of(err); !ok {
				t.Fatalf("an error without a code: %v", err)
			}
			return
		}
		if opened, err := k.Open(holder); err == nil && !opened.PublicKey.Equal(k.Public) {
			t.Fatal("a key came out that does not belong to the public one")
		}
		c := must[Cipher](t)(ParseCipher(k.Symmetric.Marshal()))
		if len(c.Notes) > 0 || c.X != k.Symmetric.X || c.Y != k.Symmetric.Y || c.Hash != k.Symmetric.Hash || !bytes.Equal(c.Text, k.Symmetric.Text) {
			t.Fatal("the ciphertext is not the same after writing and reading it")
		}
	})
}
