package keystore_test

import (
	"context"
	"path/filepath"
	"testing"

	"yinxin/keystore"
	"yinxin/keystore/keytest"
)

const passphrase = "档案 correct horse"

// purposes are all that have keys.
var purposes = []keystore.Purpose{keystore.PurposeRoot, keystore.PurposeIssuing, keystore.PurposeSealMaker, keystore.PurposeSealing,
	keystore.PurposeOCSP, keystore.PurposeTSA, keystore.PurposeLedger, keystore.PurposeManifest}

// folder is a keystore whose keys are in its files.
type folder struct{ dir string }

func (f folder) Dir() string       { return f.dir }
func (f folder) Secrets() []string { return []string{passphrase} }

func (f folder) Open(t *testing.T) *keystore.Store {
	t.Helper()
	o := keystore.Options{Passphrase: []byte(passphrase), Iterations: 10}
	s, err := keystore.Create(f.dir, o)
	if err != nil {
		s, err = keystore.Open(f.dir, o)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Holds counts the keys that are not destroyed: a destroyed one's file keeps none.
func (f folder) Holds(t *testing.T) int {
	t.Helper()
	list, err := f.Open(t).Ring(purposes...).List(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, info := range list {
		if info.State != keystore.StateDestroyed {
			n++
		}
	}
	return n
}

func TestKeysInFiles(t *testing.T) {
	keytest.Run(t, func(t *testing.T) keytest.Place { return folder{filepath.Join(t.TempDir(), "keys")} })
}
