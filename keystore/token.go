package keystore

import (
	"context"
	"crypto/ecdsa"
	"errors"

	"yinxin/hsm"
	"yinxin/internal/fault"
)

// maxTokenID is the longest identifier of a key on a token.
const maxTokenID = 255

// Attach lets the keys on a token be used, and new ones be made there. The name is the one that the configuration gives the
// token: a key's file refers to it, so that another device with the same keys can take its place. Attaching under the
// same name again replaces the token. Errors: keystore.name, keystore.token-unfit.
func (s *Store) Attach(name string, token *hsm.Token) error {
	if !token.Profile().SignsDigests() {
		return ErrTokenUnfit.With("%s", token.Profile().Name)
	}
	return s.AttachLater(name, func(context.Context) (*hsm.Token, error) { return token, nil })
}

// AttachLater is Attach for a token that is activated when a key on it is first needed: give answers with the token, or why
// there is none now, and is asked each time. Error: keystore.name.
func (s *Store) AttachLater(name string, give func(context.Context) (*hsm.Token, error)) error {
	if !validName(name) {
		return ErrName.New()
	}
	s.lock.Lock()
	defer s.lock.Unlock()
	s.tokens[name] = give
	return nil
}

// MakeOn has new keys of some purposes made on a token from now on; "" is the keystore itself. Keys that there are stay where they
// are: a seal moves to another key by a renewal. Errors: keystore.token-missing, keystore.purpose.
func (s *Store) MakeOn(token string, purposes ...Purpose) error {
	for _, p := range purposes {
		if !p.known() {
			return ErrPurpose.With("%s", p)
		}
	}
	s.lock.Lock()
	defer s.lock.Unlock()
	if token != "" && s.tokens[token] == nil {
		return ErrTokenMissing.With("%s", token)
	}
	for _, p := range purposes {
		s.homes[p] = token
	}
	return nil
}

func (s *Store) home(p Purpose) string {
	s.lock.Lock()
	defer s.lock.Unlock()
	return s.homes[p]
}

func (s *Store) token(ctx context.Context, name string) (*hsm.Token, error) {
	s.lock.Lock()
	give := s.tokens[name]
	s.lock.Unlock()
	if give == nil {
		return nil, ErrTokenMissing.With("%s", name)
	}
	t, err := give(ctx)
	if err != nil {
		return nil, forOperator(err)
	}
	if !t.Profile().SignsDigests() {
		return nil, ErrTokenUnfit.With("%s", t.Profile().Name)
	}
	return t, nil
}

// forOperator makes of a refusal of the PIN what it is for whoever wants a signature: nothing that they did, and nothing that
// they can mend. The cause is for the log.
func forOperator(err error) error {
	if f, ok := fault.Of(err); ok && f.Kind == fault.Denied {
		return ErrTokenWaits.With("%s", f.Code).Because(err)
	}
	return err
}

// generateOn makes a key on a token, and then its file. A key whose file cannot be made is destroyed again; a crash in
// between leaves a key on the token that nothing refers to and nobody can use through a keystore.
func (s *Store) generateOn(ctx context.Context, token, name string, p Purpose) (Key, error) {
	t, err := s.token(ctx, token)
	if err != nil {
		return nil, err
	}
	if _, err := s.load(name); !fault.Has(err, ErrKeyNotFound) {
		if err == nil {
			err = ErrKeyExists.With("%s", name)
		}
		return nil, err
	}
	key, err := t.Generate(ctx, hsm.NewKey{Algorithm: hsm.SM2, Label: name})
	if err != nil {
		return nil, forOperator(err)
	}
	stored, err := s.adopt(token, key, name, p, true)
	if err != nil {
		_ = key.Destroy(context.WithoutCancel(ctx))
		return nil, err
	}
	return stored, nil
}

// Adopt brings a key that is on a token already into the keystore, active. One key of a token has one name and one purpose: a
// ring cannot reach another's key by adopting it. Errors: keystore.name, keystore.purpose, keystore.key-exists,
// keystore.token-missing, keystore.token-unfit for a key that is none of SM2, keystore.token-key-taken, and those of the token.
func (r *Ring) Adopt(ctx context.Context, name string, p Purpose, token string, id []byte) (Key, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !validName(name) {
		return nil, ErrName.New()
	}
	if !p.known() || !r.reaches(p) {
		return nil, ErrPurpose.With("%s", p)
	}
	t, err := r.store.token(ctx, token)
	if err != nil {
		return nil, err
	}
	key, err := t.Key(ctx, hsm.Selector{ID: id})
	if err != nil {
		return nil, err
	}
	k, err := r.store.adopt(token, key, name, p, false)
	if err != nil {
		return nil, err
	}
	return k, nil
}

// adopt makes the file of a key. One that was made just now is in no other file, which need not be readable then.
func (s *Store) adopt(token string, key *hsm.Key, name string, p Purpose, fresh bool) (*storedKey, error) {
	info := key.Info()
	public, ok := info.Public.(*ecdsa.PublicKey)
	if !ok || info.Algorithm != hsm.SM2 || len(info.ID) == 0 || len(info.ID) > maxTokenID {
		return nil, ErrTokenUnfit.With("%s", info.Algorithm)
	}
	s.change.Lock()
	defer s.change.Unlock()
	if !fresh {
		if err := s.unknown(public); err != nil {
			return nil, err
		}
	}
	file := keyFile{Version: formatVersion, Name: name, Purpose: p, State: StateActive, Public: Point(public), Token: &tokenKey{Name: token, ID: info.ID}}
	if err := s.put(file, nil, false); err != nil {
		return nil, err
	}
	return s.load(name)
}

// unknown refuses a public key that the store has already. The caller holds s.change.
func (s *Store) unknown(public *ecdsa.PublicKey) error {
	names, err := s.names()
	if err != nil {
		return err
	}
	for _, name := range names {
		k, err := s.load(name)
		if err != nil {
			return err
		}
		if k.public.Equal(public) {
			return ErrTokenKeyTaken.New() // without the name: it may be out of the ring's reach
		}
	}
	return nil
}

// token is the name of the token that holds the key, or empty.
func (k *storedKey) token() string {
	if c := k.latest.Load(); c != nil && c.file.Token != nil {
		return c.file.Token.Name
	}
	return ""
}

func (k *storedKey) onToken(ctx context.Context, where tokenKey) (*hsm.Key, error) {
	t, err := k.store.token(ctx, where.Name)
	if err != nil {
		return nil, err
	}
	key, err := t.Key(ctx, hsm.Selector{ID: where.ID})
	if err != nil {
		return nil, forOperator(err)
	}
	if !k.public.Equal(key.Public()) {
		return nil, ErrTokenKey.With("%s", k.name)
	}
	return key, nil
}

// Check looks whether a key that is on a token is there and signs a test value. Errors: keystore.key-not-found,
// keystore.token-missing, keystore.token-key, and those of the token. A key that is on none needs no check: it was opened
// as it was listed.
func (s *Store) Check(ctx context.Context, name string) error {
	k, err := s.load(name)
	if err != nil {
		return err
	}
	c, err := k.current()
	if err != nil || c.file.Token == nil || c.file.State == StateDestroyed {
		return err
	}
	_, err = k.onToken(ctx, *c.file.Token)
	return err
}

func (k *storedKey) signOnToken(ctx context.Context, where tokenKey, e [32]byte) ([]byte, error) {
	key, err := k.onToken(ctx, where)
	if err != nil {
		return nil, err
	}
	signature, err := key.SignDigest(ctx, e[:])
	return signature, forOperator(err)
}

func (k *storedKey) destroyOnToken(ctx context.Context, where tokenKey) error {
	t, err := k.store.token(ctx, where.Name)
	if err == nil {
		err = t.DestroyKeyOf(ctx, where.ID, k.public)
	}
	switch {
	case fault.Has(err, hsm.ErrKeyNotFound):
		return nil
	case fault.Has(err, hsm.ErrOtherKey):
		return ErrTokenKey.With("%s", k.name)
	}
	return err
}

// check says whether a file with this reference is as it should be.
func (t tokenKey) check(secret []byte) error {
	if !validName(t.Name) || len(t.ID) == 0 || len(t.ID) > maxTokenID || len(secret) != 0 {
		return errors.New("keystore: the reference to a token is not as it should be")
	}
	return nil
}
