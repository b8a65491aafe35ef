package keystore

import (
	"bytes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"encoding/json"
	"errors"
	"io"

	"github.com/emmansun/gmsm/sm3"
	"github.com/emmansun/gmsm/sm4"
	"golang.org/x/crypto/cryptobyte"
)

const (
	formatVersion = 1
	kdfName       = "PBKDF2-SM3"
	dataKeySize   = 16 // SM4
	saltSize      = 16
	nonceSize     = 12

	// DefaultIterations is what a guess costs an attacker who has the folder: about a third of a second of one core.
	DefaultIterations = 600_000
	// maxIterations keeps a manipulated master.json from holding the service up for hours.
	maxIterations = 20_000_000
)

// masterFile is master.json. Check is SM3 over the other fields: it tells a damaged file from a wrong passphrase and
// protects nothing, the additional data of the seal does that.
type masterFile struct {
	Version    int    `json:"version"`
	KDF        string `json:"kdf"`
	Salt       []byte `json:"salt"`
	Iterations int    `json:"iterations"`
	Nonce      []byte `json:"nonce"`
	Sealed     []byte `json:"sealed"`
	// Shares is there when the passphrase comes from shares.
	Shares *ShareSet `json:"shares,omitempty"`
	Check  []byte    `json:"check"`
}

// keyFile is keys/NAME.json. Public is the uncompressed point. Sealed holds the private key of 32 bytes, or nothing
// once the key is destroyed; in both cases its tag vouches for the other fields. Where Token is there, the private key is on
// that token and Sealed holds nothing.
type keyFile struct {
	Version int     `json:"version"`
	Name    string  `json:"name"`
	Purpose Purpose `json:"purpose"`
	State   State   `json:"state"`
	Public  []byte  `json:"public"`
	// Token is there when the private key is on a token.
	Token  *tokenKey `json:"token,omitempty"`
	Nonce  []byte    `json:"nonce"`
	Sealed []byte    `json:"sealed"`
}

// tokenKey says where on a token a private key is: the token's name in the configuration, and the key's identifier there.
type tokenKey struct {
	Name string `json:"name"`
	ID   []byte `json:"id"`
}

func (m masterFile) bound() []byte {
	parts := [][]byte{[]byte("yinxin keystore master 1"), []byte(m.KDF), m.Salt, number(m.Iterations)}
	if m.Shares != nil {
		parts = append(parts, m.Shares.bound())
	}
	return join(parts...)
}

func (m masterFile) checksum() []byte {
	sum := sm3.Sum(join(m.bound(), number(m.Version), m.Nonce, m.Sealed))
	return sum[:]
}

func (k keyFile) bound() []byte {
	parts := [][]byte{[]byte("yinxin keystore key 1"), []byte(k.Name), []byte(k.Purpose), []byte(k.State), k.Public}
	if k.Token != nil {
		parts = append(parts, []byte(k.Token.Name), k.Token.ID)
	}
	return join(parts...)
}

// join lays parts out with their lengths, so that no two lists of parts give the same bytes.
func join(parts ...[]byte) []byte {
	var b cryptobyte.Builder
	for _, part := range parts {
		b.AddUint32LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(part) })
	}
	return b.BytesOrPanic()
}

func number(n int) []byte {
	var b cryptobyte.Builder
	b.AddUint64(uint64(n))
	return b.BytesOrPanic()
}

// encode is the one way a file looks. decode refuses every other spelling of the same content, so that no byte of a
// file can change unnoticed.
func encode(file any) ([]byte, error) {
	data, err := json.MarshalIndent(file, "", "  ")
	if err != nil {
		return nil, err
	}
	return append(data, '\n'), nil
}

func decode(data []byte, file any) error {
	if err := json.Unmarshal(data, file); err != nil {
		return err
	}
	again, err := encode(file)
	if err != nil {
		return err
	}
	if !bytes.Equal(again, data) {
		return errors.New("keystore: file was not written by this package")
	}
	return nil
}

func aead(key []byte) (cipher.AEAD, error) {
	block, err := sm4.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// wrapDataKey seals the data key under a passphrase with a fresh salt.
func wrapDataKey(o Options, dataKey []byte, shares *ShareSet) (masterFile, error) {
	m := masterFile{Version: formatVersion, KDF: kdfName, Iterations: o.Iterations, Salt: make([]byte, saltSize), Nonce: make([]byte, nonceSize), Shares: shares}
	if _, err := io.ReadFull(o.Random, m.Salt); err != nil {
		return m, err
	}
	if _, err := io.ReadFull(o.Random, m.Nonce); err != nil {
		return m, err
	}
	box, err := m.box(o.Passphrase)
	if err != nil {
		return m, err
	}
	m.Sealed = box.Seal(nil, m.Nonce, dataKey, m.bound())
	m.Check = m.checksum()
	return m, nil
}

func (m masterFile) wellFormed() bool {
	return m.Version == formatVersion && m.KDF == kdfName && len(m.Salt) == saltSize && len(m.Nonce) == nonceSize &&
		m.Iterations >= 1 && m.Iterations <= maxIterations && bytes.Equal(m.Check, m.checksum())
}

// unwrapDataKey needs a well-formed file: then the only thing left to be wrong is the passphrase.
func (m masterFile) unwrapDataKey(passphrase []byte) ([]byte, error) {
	if !m.wellFormed() {
		return nil, ErrDamaged.New()
	}
	box, err := m.box(passphrase)
	if err != nil {
		return nil, err
	}
	key, err := box.Open(nil, m.Nonce, m.Sealed, m.bound())
	if err != nil {
		return nil, ErrPassphrase.New()
	}
	if len(key) != dataKeySize {
		return nil, ErrDamaged.New()
	}
	return key, nil
}

func (m masterFile) box(passphrase []byte) (cipher.AEAD, error) {
	key, err := pbkdf2.Key(sm3.New, string(passphrase), m.Salt, m.Iterations, dataKeySize)
	if err != nil {
		return nil, err
	}
	return aead(key)
}
