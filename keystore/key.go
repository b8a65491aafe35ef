package keystore

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"errors"
	"io"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/sm3"

	"yinxin/internal/oid"
)

// Purpose says what a key is for. A key has one purpose for life.
type Purpose string

// The purposes of keys.
const (
	PurposeRoot      Purpose = "root"       // signs CA certificates and the root's CRL, in its own offline folder
	PurposeIssuing   Purpose = "issuing"    // signs certificates and CRLs
	PurposeSealMaker Purpose = "seal-maker" // signs seals
	PurposeSealing   Purpose = "sealing"    // signs documents for one seal
	PurposeOCSP      Purpose = "ocsp"       // signs OCSP answers
	PurposeTSA       Purpose = "tsa"        // signs time stamps
	PurposeLedger    Purpose = "ledger"     // signs checkpoints of the ledger
	PurposeManifest  Purpose = "manifest"   // tells terminals what is to be signed

	// PurposePersonalData has safes, not keys: it seals identity numbers, mobiles and scans at rest.
	PurposePersonalData Purpose = "personal-data"
)

func (p Purpose) known() bool {
	switch p {
	case PurposeRoot, PurposeIssuing, PurposeSealMaker, PurposeSealing, PurposeOCSP, PurposeTSA, PurposeLedger, PurposeManifest:
		return true
	}
	return false
}

// State says whether a key may sign.
type State string

// The states of keys. Active and suspended alternate; destroyed is final, the private key is gone then.
const (
	StateActive    State = "active"
	StateSuspended State = "suspended"
	StateDestroyed State = "destroyed"
)

// DefaultID is the distinguishing identifier of every SM2 signature that Yinxin makes and checks (GM/T 0009 clause 10).
const DefaultID = oid.SM2UserID

// Key is one private key in custody. Implementations are safe for concurrent use.
type Key interface {
	Name() string
	Purpose() Purpose
	// State is the state now, read from the store.
	State() State
	Public() *ecdsa.PublicKey
	// SignDigest signs e = SM3(Z‖M), see Digest, and returns DER SEQUENCE{r, s}. A key that is not active answers
	// keystore.key-suspended or keystore.key-destroyed.
	SignDigest(ctx context.Context, e [32]byte) ([]byte, error)
}

// Info describes a key without giving access to it.
type Info struct {
	Name    string
	Purpose Purpose
	State   State
	Public  *ecdsa.PublicKey
	Token   string // where the private key is, as Store.Attach names it; empty for the keystore itself
}

// Digest is what SM2 signs for a message: e = SM3(Z‖parts…), with Z of the public key and DefaultID
// (GB/T 32918.2 clause 6.1). The parts are hashed one after the other, as if joined.
func Digest(pub *ecdsa.PublicKey, parts ...[]byte) ([32]byte, error) {
	var e [32]byte
	if pub == nil || pub.Curve != sm2.P256() {
		return e, errors.New("keystore: not an SM2 public key")
	}
	z, err := sm2.CalculateZA(pub, []byte(DefaultID))
	if err != nil {
		return e, err
	}
	h := sm3.New()
	h.Write(z)
	for _, part := range parts {
		h.Write(part)
	}
	h.Sum(e[:0])
	return e, nil
}

// Signer makes a key a crypto.Signer for smx509 and other code of gmsm, which hands over the raw message and
// *sm2.SM2SignerOption. Any other option is refused: a digest from elsewhere would not contain Z, and signing bare
// digests on request is what SignDigest's callers must decide, not an adaptor.
func Signer(k Key) crypto.Signer { return signer{k} }

type signer struct{ key Key }

func (s signer) Public() crypto.PublicKey { return s.key.Public() }

func (s signer) Sign(_ io.Reader, message []byte, options crypto.SignerOpts) ([]byte, error) {
	if _, ok := options.(*sm2.SM2SignerOption); !ok {
		return nil, errors.New("keystore: the signer takes a message with SM2 options, not a digest")
	}
	e, err := Digest(s.key.Public(), message)
	if err != nil {
		return nil, err
	}
	return s.key.SignDigest(context.Background(), e)
}
