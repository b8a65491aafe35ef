package manifest

import (
	"crypto/hkdf"
	"encoding/base32"
	"io"
	"strings"

	"github.com/emmansun/gmsm/sm3"
)

// A pairing code is 20 characters of Crockford's base 32: nameLength name the pairing, the others are its secret.
const (
	nameLength = 4
	codeLength = 20
	secretSize = 10 // octets: 16 characters of 5 bits
	keySize    = 32
)

// characters have no I, L, O and U: what looks alike is read alike.
const characters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

var base = base32.NewEncoding(characters).WithPadding(base32.NoPadding)

// Code is a pairing code. Its secret never leaves the two sides; the derived key stands for it (Key).
type Code struct {
	name string
	key  []byte
	text string // empty for a code that was made of a stored key
}

// NewCode makes a code from 13 octets of random.
func NewCode(random io.Reader) (Code, error) {
	var octets [13]byte // 104 bits, of which 100 are used
	if _, err := io.ReadFull(random, octets[:]); err != nil {
		return Code{}, err
	}
	return codeOf(base.EncodeToString(octets[:])[:codeLength])
}

// ParseCode reads a code as people type it: lower case, spaces and hyphens, O for 0, I and L for 1, and the full-width forms
// of Chinese input methods. Error: terminal.code.
func ParseCode(typed string) (Code, error) {
	if len(typed) > 200 {
		return Code{}, ErrCode.New()
	}
	var clean strings.Builder
	for _, r := range typed {
		if r >= '！' && r <= '～' {
			r -= '！' - '!'
		}
		switch r {
		case ' ', '\t', '\r', '\n', '-', '\u3000', '\u2010', '\u2011', '\u2012', '\u2013', '\u2014', '\u2212':
			continue
		case 'o', 'O':
			r = '0'
		case 'i', 'I', 'l', 'L':
			r = '1'
		}
		if r >= 'a' && r <= 'z' {
			r -= 'a' - 'A'
		}
		clean.WriteRune(r)
	}
	text := clean.String()
	if len(text) != codeLength || strings.Trim(text, characters) != "" {
		return Code{}, ErrCode.New()
	}
	return codeOf(text)
}

// StoredCode is a code whose key was kept: all that a server needs of it.
func StoredCode(name string, key []byte) Code { return Code{name: name, key: key} }

func codeOf(text string) (Code, error) {
	name, secret := text[:nameLength], text[nameLength:]
	raw, err := base.DecodeString(secret)
	if err != nil || len(raw) != secretSize {
		return Code{}, ErrCode.New()
	}
	key, err := hkdf.Key(sm3.New, raw, nil, "yinxin terminal pairing 1 "+name, keySize)
	return Code{name, key, text}, err
}

// Name is the part of the code that is sent: four characters.
func (c Code) Name() string { return c.name }

// Key is derived from the secret: HKDF-SM3, 32 octets. Who has it can pair while the code lives.
func (c Code) Key() []byte { return c.key }

// Text is the code for people, in groups of four; empty for a StoredCode. It belongs on the clerk's page and nowhere else.
func (c Code) Text() string {
	var groups []string
	for i := 0; i+4 <= len(c.text); i += 4 {
		groups = append(groups, c.text[i:i+4])
	}
	return strings.Join(groups, "-")
}
