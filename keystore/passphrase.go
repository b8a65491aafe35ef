package keystore

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"

	"yinxin/internal/fault"
)

// The environment variables that PassphraseFromEnvironment reads.
const (
	PassphraseVariable     = "YINXIN_PASSPHRASE"
	PassphraseFileVariable = "YINXIN_PASSPHRASE_FILE"
)

// maxPassphrase is far above what people or generators produce; it keeps a wrong path from being read into memory.
const maxPassphrase = 4096

// PassphraseFromEnvironment takes the passphrase from the file that YINXIN_PASSPHRASE_FILE names, else from
// YINXIN_PASSPHRASE itself: keystore.no-passphrase when neither is set. A file is the better choice, since other
// processes of the same user can read an environment.
func PassphraseFromEnvironment() ([]byte, error) {
	if path := os.Getenv(PassphraseFileVariable); path != "" {
		return ReadPassphraseFile(path)
	}
	if text := os.Getenv(PassphraseVariable); text != "" {
		return checkPassphrase([]byte(text))
	}
	return nil, ErrNoPassphrase.With("%s, %s", PassphraseFileVariable, PassphraseVariable)
}

// ReadPassphraseFile reads a passphrase of at most 4096 bytes. One line end at the end of the file is not part of
// it, since editors add one; everything else is, blanks included.
func ReadPassphraseFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNoPassphrase.At(fault.File(path)).Because(err)
	}
	if err != nil {
		return nil, ErrStorage.At(fault.File(path)).Because(err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxPassphrase+3))
	if err != nil {
		return nil, ErrStorage.At(fault.File(path)).Because(err)
	}
	text = bytes.TrimSuffix(text, []byte("\n"))
	text = bytes.TrimSuffix(text, []byte("\r"))
	return checkPassphrase(text)
}

func checkPassphrase(p []byte) ([]byte, error) {
	if len(p) == 0 {
		return nil, ErrNoPassphrase.New()
	}
	if len(p) > maxPassphrase {
		return nil, ErrOptions.With("passphrase > %d bytes", maxPassphrase)
	}
	return p, nil
}
