package hsm

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"math/big"
	"sync"
	"sync/atomic"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/smx509"
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Algorithm is what a key is for.
type Algorithm string

// The algorithms of keys.
const (
	SM2     Algorithm = "SM2"
	P256    Algorithm = "ECDSA P-256"
	P384    Algorithm = "ECDSA P-384"
	RSA2048 Algorithm = "RSA 2048"
	RSA3072 Algorithm = "RSA 3072"
	RSA4096 Algorithm = "RSA 4096"
)

// curves are the named curves, with the DER of their object identifiers (RFC 5480, GB/T 33560).
var curves = map[Algorithm]struct {
	curve elliptic.Curve
	oid   []byte
}{
	SM2:  {sm2.P256(), []byte{0x06, 0x08, 0x2A, 0x81, 0x1C, 0xCF, 0x55, 0x01, 0x82, 0x2D}},
	P256: {elliptic.P256(), []byte{0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07}},
	P384: {elliptic.P384(), []byte{0x06, 0x05, 0x2B, 0x81, 0x04, 0x00, 0x22}},
}

var rsaBits = map[Algorithm]int{RSA2048: 2048, RSA3072: 3072, RSA4096: 4096}

const (
	maxKeys  = 4096
	maxID    = 255
	maxLabel = 255
)

// KeyInfo describes a private key on a token. Public is *ecdsa.PublicKey or *rsa.PublicKey, or nil where the token does not
// tell it, or in a form that is not known here.
type KeyInfo struct {
	ID        []byte
	Label     string
	Algorithm Algorithm
	Public    crypto.PublicKey
}

// Selector names a key by its identifier (CKA_ID), or by its label where ID is empty.
type Selector struct {
	ID    []byte
	Label string
}

// Key is a private key on a token that has passed its self-test. It is safe for concurrent use.
type Key struct {
	token     *Token
	info      KeyInfo
	encoding  string // der or raw: what the self-test found for SM2
	reference atomic.Pointer[reference]
}

// reference is a handle, good for one generation of sessions.
type reference struct {
	generation uint64
	handle     handle
}

// keyCache has the keys that passed their self-test.
type keyCache struct {
	lock sync.Mutex
	byID map[string]*Key
}

func (c *keyCache) get(id []byte) *Key {
	c.lock.Lock()
	defer c.lock.Unlock()
	return c.byID[string(id)]
}

// put keeps the first of two that were made at the same time.
func (c *keyCache) put(k *Key) *Key {
	c.lock.Lock()
	defer c.lock.Unlock()
	if old := c.byID[string(k.info.ID)]; old != nil && samePublic(old.info.Public, k.info.Public) {
		return old
	}
	if c.byID == nil {
		c.byID = map[string]*Key{}
	}
	c.byID[string(k.info.ID)] = k
	return k
}

func (c *keyCache) remove(id []byte) {
	c.lock.Lock()
	defer c.lock.Unlock()
	delete(c.byID, string(id))
}

// Info describes the key.
func (k *Key) Info() KeyInfo { return k.info }

// Public is the key's public key.
func (k *Key) Public() crypto.PublicKey { return k.info.Public }

// Keys lists the private keys, at most 4096. Errors: those of a token in use.
func (t *Token) Keys(ctx context.Context) ([]KeyInfo, error) {
	return run(ctx, t, func(s session) ([]KeyInfo, error) {
		found, err := s.c.Find(s.handle, []attribute{{attributeClass, classPrivateKey}}, maxKeys)
		if err != nil {
			return nil, err
		}
		var list []KeyInfo
		for _, object := range found {
			info, err := t.describe(s, object)
			if answered(err, rvObjectHandle) {
				continue // destroyed since
			}
			if err != nil {
				return nil, err
			}
			list = append(list, info)
		}
		return list, nil
	})
}

// Key finds a key and tests it: it signs a test value, which is verified in software with the public key on the token. A
// key that was tested before is given as it is. Errors: hsm.key-not-found, hsm.key-ambiguous, hsm.public-key,
// hsm.self-test, hsm.algorithm, and those of a token in use.
func (t *Token) Key(ctx context.Context, which Selector) (*Key, error) {
	if len(which.ID) > 0 {
		if k := t.keys.get(which.ID); k != nil {
			return k, nil
		}
	}
	k, err := run(ctx, t, func(s session) (*Key, error) {
		object, err := find(s, which)
		if err != nil {
			return nil, err
		}
		info, err := t.describe(s, object)
		if err != nil {
			return nil, err
		}
		if info.Public == nil {
			return nil, ErrPublicKey.With("%s", which)
		}
		k := &Key{token: t, info: info, encoding: t.config.Profile.encoding}
		k.reference.Store(&reference{s.generation, object})
		return k, nil
	})
	if err != nil {
		return nil, err
	}
	if old := t.keys.get(k.info.ID); old != nil && samePublic(old.info.Public, k.info.Public) {
		return old, nil
	}
	if err := k.selfTest(ctx); err != nil {
		return nil, err
	}
	return t.keys.put(k), nil
}

func (w Selector) String() string {
	if len(w.ID) > 0 {
		return idText(w.ID)
	}
	return w.Label
}

func (w Selector) template() []attribute {
	list := []attribute{{attributeClass, classPrivateKey}}
	if len(w.ID) > 0 {
		return append(list, attribute{attributeID, w.ID})
	}
	return append(list, attribute{attributeLabel, w.Label})
}

// find gives the handle of the one key.
func find(s session, which Selector) (handle, error) {
	if len(which.ID) == 0 && which.Label == "" || len(which.ID) > maxID || len(which.Label) > maxLabel {
		return 0, ErrKeyNotFound.New()
	}
	found, err := s.c.Find(s.handle, which.template(), 2)
	switch {
	case err != nil:
		return 0, err
	case len(found) == 0:
		return 0, ErrKeyNotFound.With("%s", which)
	case len(found) > 1:
		return 0, ErrKeyAmbiguous.With("%s", which)
	}
	return found[0], nil
}

// at is the key's handle in the session's generation. After sessions were lost the key is looked for by its identifier, and
// must be the one it was: somebody may have put another token under the same name.
func (k *Key) at(s session) (handle, error) {
	if r := k.reference.Load(); r != nil && r.generation == s.generation {
		return r.handle, nil
	}
	object, err := find(s, Selector{ID: k.info.ID, Label: k.info.Label})
	if err != nil {
		return 0, err
	}
	info, err := k.token.describe(s, object)
	if err != nil {
		return 0, err
	}
	if !samePublic(info.Public, k.info.Public) {
		return 0, ErrOtherKey.With("%s", idText(k.info.ID))
	}
	k.reference.Store(&reference{s.generation, object})
	return object, nil
}

func samePublic(a, b crypto.PublicKey) bool {
	e, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && b != nil && e.Equal(b)
}

// describe reads what a private key and its public key say.
func (t *Token) describe(s session, private handle) (KeyInfo, error) {
	a, err := s.c.Attributes(s.handle, private, attributeID, attributeLabel, attributeKeyType, attributeModulus, attributeExponent)
	if err != nil {
		return KeyInfo{}, err
	}
	info := KeyInfo{ID: a[0], Label: string(bytes.ToValidUTF8(bytes.TrimRight(a[1], "\x00"), []byte("?")))}
	keyType, ok := number(a[2])
	if !ok {
		return info, nil
	}
	if keyType == keyTypeRSA && len(a[3]) > 0 {
		info.set(rsaPublic(a[3], a[4]))
		return info, nil
	}
	if len(info.ID) == 0 {
		return info, nil // its public key is not to be told from others
	}
	err = t.publicOf(s, &info, keyType)
	return info, err
}

func (i *KeyInfo) set(algorithm Algorithm, public crypto.PublicKey) {
	i.Algorithm, i.Public = algorithm, public
}

// publicOf finds the public key beside a private key: an object of its own, or the certificate under the same identifier.
func (t *Token) publicOf(s session, info *KeyInfo, keyType uint) error {
	found, err := s.c.Find(s.handle, []attribute{{attributeClass, classPublicKey}, {attributeID, info.ID}}, 2)
	if err != nil {
		return err
	}
	for _, object := range found {
		a, err := s.c.Attributes(s.handle, object, attributeECParams, attributeECPoint, attributeModulus, attributeExponent)
		if err != nil {
			return err
		}
		if keyType == keyTypeRSA {
			info.set(rsaPublic(a[2], a[3]))
		} else {
			info.set(t.ecPublic(keyType, a[0], a[1]))
		}
		if info.Public != nil {
			return nil
		}
	}
	if len(found) > 0 {
		return nil // in a form that is not agreed: a certificate must not cover that up
	}
	certificates, err := s.c.Find(s.handle, []attribute{{attributeClass, classCertificate}, {attributeID, info.ID}}, 8)
	if err != nil {
		return err
	}
	for _, object := range certificates {
		a, err := s.c.Attributes(s.handle, object, attributeValue)
		if err != nil {
			return err
		}
		certificate, err := smx509.ParseCertificate(a[0])
		if err != nil {
			continue
		}
		algorithm := algorithmOf(certificate.PublicKey)
		if algorithm == "" || (keyType == keyTypeRSA) != (rsaBits[algorithm] > 0) {
			continue
		}
		info.set(algorithm, certificate.PublicKey)
		return nil
	}
	return nil
}

// algorithmOf is the algorithm of a public key, empty for one that is not served.
func algorithmOf(public crypto.PublicKey) Algorithm {
	switch p := public.(type) {
	case *ecdsa.PublicKey:
		for name, c := range curves {
			if p.Curve == c.curve {
				return name
			}
		}
	case *rsa.PublicKey:
		for name, bits := range rsaBits {
			if p.N.BitLen() == bits {
				return name
			}
		}
	}
	return ""
}

func rsaPublic(modulus, exponent []byte) (Algorithm, crypto.PublicKey) {
	if len(modulus) == 0 || len(modulus) > 1024 || len(exponent) == 0 || len(exponent) > 4 {
		return "", nil
	}
	public := &rsa.PublicKey{N: new(big.Int).SetBytes(modulus), E: int(new(big.Int).SetBytes(exponent).Int64())}
	algorithm := algorithmOf(public)
	if algorithm == "" || public.E < 3 || public.E%2 == 0 {
		return "", nil
	}
	return algorithm, public
}

// ecPublic reads a point. A key of the vendor's type is an SM2 key; a key of the standard's type says its curve.
func (t *Token) ecPublic(keyType uint, params, point []byte) (Algorithm, crypto.PublicKey) {
	var algorithm Algorithm
	for name, c := range curves {
		if bytes.Equal(params, c.oid) {
			algorithm = name
		}
	}
	if keyType != keyTypeEC {
		if keyType != t.config.Profile.keyType || len(params) > 0 && algorithm != SM2 && algorithm != "" {
			return "", nil
		}
		algorithm = SM2
	}
	form := publicOctets
	if algorithm == SM2 {
		form = t.config.Profile.public
	}
	c, ok := curves[algorithm]
	if !ok {
		return "", nil
	}
	flat := flatPoint(point, form, 2*((c.curve.Params().BitSize+7)/8))
	if flat == nil {
		return "", nil
	}
	if algorithm == SM2 {
		public, err := sm2.NewPublicKey(flat)
		if err != nil {
			return "", nil
		}
		return algorithm, public
	}
	public, err := ecdsa.ParseUncompressedPublicKey(c.curve, flat)
	if err != nil {
		return "", nil
	}
	return algorithm, public
}

// flatPoint gives 04‖x‖y from a point in a form, nil if it has another one. size is that of x and y together.
func flatPoint(point []byte, form string, size int) []byte {
	any := form == either
	if any || form == publicOctets {
		in := cryptobyte.String(point)
		var inner cryptobyte.String
		if in.ReadASN1(&inner, cbasn1.OCTET_STRING) && in.Empty() && len(inner) == size+1 {
			return inner
		}
	}
	if (any || form == publicPoint) && len(point) == size+1 {
		return point
	}
	if (any || form == publicXY) && len(point) == size {
		return append([]byte{4}, point...)
	}
	return nil
}
