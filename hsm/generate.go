package hsm

import (
	"context"
	"crypto"
	"crypto/rand"
	"io"
	"sync/atomic"

	"github.com/emmansun/gmsm/smx509"

	"yinxin/internal/fault"
)

// NewKey says what key to make. An empty ID is chosen at random, 16 bytes.
type NewKey struct {
	Algorithm Algorithm
	ID        []byte
	Label     string
}

// Generate makes a key pair on the token, which never lets the private key out, and tests it. A pair that the caller is not
// given, since it fails its self-test or the caller gave up, is destroyed again, for which Generate may wait a second time.
// Errors: hsm.options, hsm.key-exists, hsm.algorithm, those of Key.
func (t *Token) Generate(ctx context.Context, n NewKey) (*Key, error) {
	how, public, err := t.pairMechanism(n.Algorithm)
	if err != nil {
		return nil, err
	}
	if len(n.ID) > maxID || len(n.Label) > maxLabel {
		return nil, ErrOptions.With("ID %d, label %d > %d", len(n.ID), len(n.Label), maxID)
	}
	id := n.ID
	if len(id) == 0 {
		id = make([]byte, 16)
		if _, err := io.ReadFull(rand.Reader, id); err != nil {
			return nil, err
		}
	}
	both := []attribute{{attributeToken, true}, {attributeID, id}, {attributeLabel, n.Label}}
	public = append(append(public, both...), attribute{attributeVerify, true})
	private := append(both[:len(both):len(both)], attribute{attributePrivate, true}, attribute{attributeSensitive, true},
		attribute{attributeExtractable, false}, attribute{attributeSign, true})
	var owned atomic.Bool // by the caller who has gone, or by the worker that has made the pair
	_, err = run(ctx, t, func(s session) (struct{}, error) {
		if _, err := find(s, Selector{ID: id}); err == nil || fault.Has(err, ErrKeyAmbiguous) {
			return struct{}{}, ErrKeyExists.With("%s", idText(id))
		} else if !fault.Has(err, ErrKeyNotFound) {
			return struct{}{}, err
		}
		a, b, err := s.c.GenerateKeyPair(s.handle, how, public, private)
		if answered(err, rvMechanism) {
			err = ErrAlgorithm.With("%s", n.Algorithm).Because(err)
		}
		if err == nil && !owned.CompareAndSwap(false, true) {
			err = destroyAll(s, []handle{b, a}) // nobody waits for it any more
		}
		return struct{}{}, err
	})
	if err != nil && owned.CompareAndSwap(false, true) {
		return nil, err
	}
	var k *Key
	if err == nil {
		k, err = t.Key(ctx, Selector{ID: id})
	}
	if err == nil && k.info.Algorithm != n.Algorithm {
		err = ErrAlgorithm.With("%s, not %s", k.info.Algorithm, n.Algorithm)
	}
	if err == nil {
		err = ctx.Err() // the key may be ready in the moment in which the caller gives up: nobody would ask for it again
	}
	if err != nil {
		_ = t.DestroyKey(context.WithoutCancel(ctx), id) // what cannot be destroyed has no user: nobody was given it
		return nil, err
	}
	return k, nil
}

func (t *Token) pairMechanism(a Algorithm) (mechanism, []attribute, error) {
	p := &t.config.Profile
	if bits := rsaBits[a]; bits > 0 {
		return mechanism{number: mechanismRSAPair}, []attribute{{attributeModulusBits, uint(bits)}, {attributeExponent, []byte{1, 0, 1}}}, nil
	}
	c, ok := curves[a]
	if !ok {
		return mechanism{}, nil, ErrAlgorithm.With("%.40q", string(a))
	}
	named := []attribute{{attributeECParams, c.oid}}
	switch {
	case a != SM2:
		return mechanism{number: mechanismECPair}, named, nil
	case !p.signs:
		return mechanism{}, nil, ErrAlgorithm.With("%s: SM2", p.Name)
	case p.curve:
		return p.generate, named, nil
	}
	return p.generate, nil, nil
}

// DestroyKey destroys the private key of an identifier, and then its public key. Certificates stay. It answers
// hsm.key-not-found where there is none.
func (t *Token) DestroyKey(ctx context.Context, id []byte) error {
	return t.destroy(ctx, Selector{ID: id}, func(session, handle) error { return nil })
}

// DestroyKeyOf is DestroyKey for a key that has this public key, and for no other one: hsm.other-key. It needs no self-test: a
// key that does not sign any more can be destroyed.
func (t *Token) DestroyKeyOf(ctx context.Context, id []byte, public crypto.PublicKey) error {
	return t.destroy(ctx, Selector{ID: id}, func(s session, object handle) error {
		info, err := t.describe(s, object)
		if err == nil && !samePublic(info.Public, public) {
			err = ErrOtherKey.With("%s", idText(id))
		}
		return err
	})
}

func (t *Token) destroy(ctx context.Context, which Selector, check func(session, handle) error) error {
	if len(which.ID) == 0 {
		return ErrKeyNotFound.New()
	}
	_, err := run(ctx, t, func(s session) (struct{}, error) {
		object, err := find(s, which)
		if err == nil {
			err = check(s, object)
		}
		if err == nil {
			err = s.c.Destroy(s.handle, object)
		}
		if err != nil {
			return struct{}{}, err
		}
		publics, err := s.c.Find(s.handle, []attribute{{attributeClass, classPublicKey}, {attributeID, which.ID}}, maxKeys)
		if err != nil {
			return struct{}{}, err
		}
		return struct{}{}, destroyAll(s, publics)
	})
	if err == nil {
		t.keys.remove(which.ID)
	}
	return err
}

// Request gives a certificate request (PKCS#10, DER) that the key signed.
func (k *Key) Request(ctx context.Context, template *smx509.CertificateRequest) ([]byte, error) {
	request, err := smx509.CreateCertificateRequest(rand.Reader, template, k.Signer(ctx))
	if err != nil {
		return nil, err
	}
	return request, nil
}

// Destroy destroys the key, if it is still the one under its identifier: hsm.key-not-found where there is none any more,
// hsm.other-key.
func (k *Key) Destroy(ctx context.Context) error {
	return k.token.DestroyKeyOf(ctx, k.info.ID, k.info.Public)
}
