package keystore

import (
	"io"
	"path/filepath"

	"yinxin/internal/fault"
)

// passphraseUse derives the passphrase of a shared keystore from its secret.
const passphraseUse = "keystore passphrase"

// sharedIterations: the secret has 252 random bits, which no number of iterations makes harder to guess.
const sharedIterations = 1

// sharedPassphrase wraps like any passphrase; it is 32 octets and nobody sees it.
func sharedPassphrase(secret *Secret) ([]byte, error) { return secret.Key(passphraseUse, 32) }

// Split puts the keystore under shares instead of a passphrase: from then on any threshold of the count shares open it
// (OpenWithShares), and the passphrase or the shares that opened it until now do not. about is the fingerprint of the key
// that matters in it. handOut must bring the shares to safety before it returns nil: only then does the change happen, and
// the shares exist nowhere else; when it fails everything stays as it was, and the shares open nothing. Whoever copied the
// folder before can still open that copy the old way. Errors: keystore.share-numbers, keystore.storage, those of handOut.
func (s *Store) Split(threshold, count int, about Fingerprint, handOut func([]Share) error) error {
	secret, set, shares, err := Split(threshold, count, about)
	if err != nil {
		return err
	}
	passphrase, err := sharedPassphrase(secret)
	if err != nil {
		return err
	}
	defer clear(passphrase)
	if err := handOut(shares); err != nil {
		return err
	}
	s.change.Lock()
	defer s.change.Unlock()
	o := Options{Passphrase: passphrase, Iterations: sharedIterations, Random: s.random}
	return writeMaster(s.dir, o, s.data, &set, true)
}

// Shares is the public part of the split that a keystore stands under; ok is false where it opens with a passphrase.
// Errors: keystore.not-found, keystore.damaged.
func Shares(dir string) (set ShareSet, ok bool, err error) {
	m, err := readMaster(dir)
	if err != nil {
		return set, false, err
	}
	if m.Shares == nil {
		return set, false, nil
	}
	if !m.wellFormed() {
		return set, false, ErrDamaged.At(fault.File(masterName))
	}
	return *m.Shares, true, nil
}

// OpenWithShares opens a keystore that stands under shares; random is where nonces come from, nil the operating system.
// Errors: those of Open and of ShareSet.Combine, and keystore.no-shares where a passphrase opens it.
func OpenWithShares(dir string, random io.Reader, shares ...Share) (*Store, error) {
	set, ok, err := Shares(dir)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, ErrNoShares.At(fault.File(dir))
	}
	secret, err := set.Combine(shares...)
	if err != nil {
		return nil, err
	}
	passphrase, err := sharedPassphrase(secret)
	if err != nil {
		return nil, err
	}
	defer clear(passphrase)
	return open(dir, Options{Passphrase: passphrase, Random: random}, true)
}

func readMaster(dir string) (masterFile, error) {
	var m masterFile
	data, _, err := read(filepath.Join(dir, masterName))
	if isMissing(err) {
		return m, ErrNotFound.At(fault.File(dir))
	}
	if err != nil {
		return m, storage(masterName, err)
	}
	if err := decode(data, &m); err != nil {
		return m, ErrDamaged.At(fault.File(masterName)).Because(err)
	}
	return m, nil
}
