package agent

import (
	"context"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/smx509"

	"yinxin/internal/fault"
)

// newKey makes the terminal's own key for a pairing. It says who asks; it signs no document.
func newKey() (*sm2.PrivateKey, error) { return sm2.GenerateKey(rand.Reader) }

func (f Folder) keyFile(terminal string) string {
	return filepath.Join(f.path, keysName, safeName(terminal)+".pem")
}

// safeName keeps what may stand in the name of a file.
func safeName(id string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-' {
			return r
		}
		return '_'
	}, id)
}

func (f Folder) saveKey(ctx context.Context, terminal string, key *sm2.PrivateKey) error {
	der, err := smx509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	return f.write(ctx, filepath.Join(keysName, safeName(terminal)+".pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// key reads the terminal's own key. Error: agent.not-paired.
func (f Folder) key(terminal string) (*sm2.PrivateKey, error) {
	name := f.keyFile(terminal)
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, ErrNotPaired.At(fault.File(name)).Because(err)
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, ErrNotPaired.At(fault.File(name)).Because(errors.New("no PEM"))
	}
	any, err := smx509.ParsePKCS8PrivateKey(block.Bytes)
	key, ok := any.(*sm2.PrivateKey)
	if err != nil || !ok {
		return nil, ErrNotPaired.At(fault.File(name)).Because(err)
	}
	return key, nil
}
