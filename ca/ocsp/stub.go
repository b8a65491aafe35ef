// Package ocsp reads and writes OCSP requests and responses (RFC 6960) signed with SM2 and SM3.
package ocsp

import (
	"context"
	"crypto/ecdsa"
	"encoding/asn1"
	"math/big"
	"time"

	"yinxin/ca/chain"
)

type CertID struct {
	Hash              asn1.ObjectIdentifier
	NameHash, KeyHash []byte
	Serial            *big.Int
	Raw               []byte
}

func (id CertID) Matches(issuer *chain.Certificate) bool { return false }
func NewCertID(hash asn1.ObjectIdentifier, issuer *chain.Certificate, serial *big.Int) (CertID, error) {
	return CertID{}, nil
}

type Request struct {
	CertIDs []CertID
	Nonce   []byte
}

func ParseRequest(der []byte) (*Request, error)                { return nil, nil }
func CreateRequest(ids []CertID, nonce []byte) ([]byte, error) { return nil, nil }

type Status int

const (
	Good Status = iota + 1
	Revoked
	Unknown
)

type Single struct {
	CertID                 CertID
	Status                 Status
	RevokedAt              time.Time
	Reason                 int
	ThisUpdate, NextUpdate time.Time
}
type Signer interface {
	Public() *ecdsa.PublicKey
	SignDigest(ctx context.Context, e [32]byte) ([]byte, error)
}

func CreateResponse(ctx context.Context, singles []Single, nonce []byte, producedAt time.Time, responder *chain.Certificate, key Signer) ([]byte, error) {
	return nil, nil
}

const (
	MalformedRequest = 1
	InternalError    = 2
	TryLater         = 3
	SigRequired      = 5
	Unauthorized     = 6
)

func ErrorResponse(code int) []byte { return nil }

type Response struct {
	Status       int
	ProducedAt   time.Time
	Singles      []Single
	Nonce        []byte
	Certificates []*chain.Certificate
}

func ParseResponse(der []byte) (*Response, error)                        { return nil, nil }
func (r *Response) Verify(issuer *chain.Certificate, at time.Time) error { return nil }
