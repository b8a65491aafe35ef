package escrow

import (
	"crypto/cipher"
	"crypto/ecdsa"
	"io"
	"strconv"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/sm4"
	"golang.org/x/crypto/cryptobyte"

	"yinxin/ca/envelope"
	"yinxin/keystore"
)

const (
	privateSize = 32
	sealKeySize = 16 // SM4
	nonceSize   = 12
	// sealUse derives from the secret of a split the key that seals the recovery key.
	sealUse = "escrow recovery key"
)

// binding is what is bound to a sealed private key: it opens as the key of this holder's certificate or not at all.
type binding struct {
	id, holder, serial string
	public             []byte
	generation         int
}

func (c binding) bound() []byte {
	return join("yinxin escrow key 1", []byte(c.id), []byte(c.holder), []byte(c.serial), c.public, []byte(strconv.Itoa(c.generation)))
}

// join lays parts out with their lengths, so that no two lists of parts give the same bytes.
func join(use string, parts ...[]byte) []byte {
	var b cryptobyte.Builder
	for _, part := range append([][]byte{[]byte(use)}, parts...) {
		b.AddUint32LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(part) })
	}
	return b.BytesOrPanic()
}

// sealed is a private key at rest: wrapped is SM2Cipher of the key of SM4, sealed is SM4-GCM of the 32 octets.
type sealed struct{ wrapped, nonce, sealed []byte }

func sealKey(random io.Reader, to *ecdsa.PublicKey, secret []byte, c binding) (sealed, error) {
	key := make([]byte, sealKeySize)
	defer clear(key)
	if _, err := io.ReadFull(random, key); err != nil {
		return sealed{}, err
	}
	nonce, text, err := sealWith(random, key, secret, c.bound())
	if err != nil {
		return sealed{}, err
	}
	wrapped, err := envelope.Encrypt(random, to, key)
	if err != nil {
		return sealed{}, err
	}
	return sealed{wrapped: wrapped, nonce: nonce, sealed: text}, nil
}

// open gives the 32 octets of the private key: escrow.damaged.
func (s sealed) open(recovery *sm2.PrivateKey, c binding) ([]byte, error) {
	key, err := envelope.Decrypt(recovery, s.wrapped)
	if err != nil {
		return nil, ErrDamaged.With("%s", c.id).Because(err)
	}
	defer clear(key)
	secret, err := openWith(key, s.nonce, s.sealed, c.bound())
	if err != nil {
		return nil, ErrDamaged.With("%s", c.id).Because(err)
	}
	return secret, nil
}

// openPair is open with the check that the key is the one of its certificate.
func (s sealed) openPair(recovery *sm2.PrivateKey, c binding) (*sm2.PrivateKey, error) {
	secret, err := s.open(recovery, c)
	if err != nil {
		return nil, err
	}
	defer clear(secret)
	key, err := sm2.NewPrivateKey(secret)
	if err != nil {
		return nil, ErrDamaged.With("%s", c.id).Because(err)
	}
	if string(keystore.Point(&key.PublicKey)) != string(c.public) {
		envelope.Wipe(key)
		return nil, ErrDamaged.With("%s", c.id)
	}
	return key, nil
}

func sealWith(random io.Reader, key, text, bound []byte) (nonce, out []byte, err error) {
	box, err := aead(key)
	if err != nil {
		return nil, nil, err
	}
	nonce = make([]byte, nonceSize)
	if _, err := io.ReadFull(random, nonce); err != nil {
		return nil, nil, err
	}
	return nonce, box.Seal(nil, nonce, text, bound), nil
}

func openWith(key, nonce, text, bound []byte) ([]byte, error) {
	if len(nonce) != nonceSize {
		return nil, ErrDamaged.New()
	}
	box, err := aead(key)
	if err != nil {
		return nil, err
	}
	return box.Open(nil, nonce, text, bound)
}

func aead(key []byte) (cipher.AEAD, error) {
	block, err := sm4.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// splitBound is what is bound to a recovery key sealed under the secret of a split.
func splitBound(split string, k recoveryKey) []byte {
	return join("yinxin escrow recovery key 1", []byte(split), keystore.Point(k.public), []byte(strconv.Itoa(k.generation)))
}

// sealRecovery seals a recovery key under the secret of a split.
func sealRecovery(random io.Reader, secret *keystore.Secret, split string, k recoveryKey, private *sm2.PrivateKey) (nonce, out []byte, err error) {
	key, err := secret.Key(sealUse, sealKeySize)
	if err != nil {
		return nil, nil, err
	}
	defer clear(key)
	text := private.D.FillBytes(make([]byte, privateSize))
	defer clear(text)
	return sealWith(random, key, text, splitBound(split, k))
}

// openRecovery gives the recovery key back: escrow.damaged.
func openRecovery(secret *keystore.Secret, split string, k recoveryKey, nonce, text []byte) (*sm2.PrivateKey, error) {
	key, err := secret.Key(sealUse, sealKeySize)
	if err != nil {
		return nil, err
	}
	defer clear(key)
	octets, err := openWith(key, nonce, text, splitBound(split, k))
	if err != nil {
		return nil, ErrDamaged.With("generation %d", k.generation).Because(err)
	}
	defer clear(octets)
	private, err := sm2.NewPrivateKey(octets)
	if err != nil {
		return nil, ErrDamaged.With("generation %d", k.generation).Because(err)
	}
	if !private.PublicKey.Equal(k.public) {
		envelope.Wipe(private)
		return nil, ErrDamaged.With("generation %d", k.generation)
	}
	return private, nil
}
