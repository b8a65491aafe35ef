package keystore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"yinxin/internal/durable"
	"yinxin/internal/fault"
)

const (
	masterName = "master.json"
	keysFolder = "keys"
	keySuffix  = ".json"
	maxName    = 96
	// maxFile is well above any file written here.
	maxFile = 64 << 10
)

func validName(name string) bool {
	if name == "" || len(name) > maxName {
		return false
	}
	for i, c := range []byte(name) {
		letter := c >= 'a' && c <= 'z' || c >= '0' && c <= '9'
		if !letter && (i == 0 || !strings.ContainsRune(".-_", rune(c))) {
			return false
		}
	}
	return true
}

// write puts a file in place durably and whole. With replace false an existing file stays and fs.ErrExist comes back.
func write(path string, data []byte, replace bool) error {
	put := durable.Create
	if replace {
		put = durable.Replace
	}
	return put(context.Background(), path, 0o600, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// read returns the content of a file together with its identity, taken from the same open file.
func read(path string) ([]byte, os.FileInfo, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, nil, err
	}
	if len(data) > maxFile {
		return nil, nil, errTooLong
	}
	return data, info, nil
}

var errTooLong = fmt.Errorf("keystore: file longer than %d bytes", maxFile)

// storage gives a failure of the file system its code; a file that is too long is not ours.
func storage(path string, err error) error {
	place := fault.File(filepath.Base(path))
	if errors.Is(err, errTooLong) {
		return ErrDamaged.At(place).Because(err)
	}
	return ErrStorage.At(place).Because(err)
}

func isMissing(err error) bool { return errors.Is(err, fs.ErrNotExist) }
