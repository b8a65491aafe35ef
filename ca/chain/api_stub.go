package chain

import (
	"context"
	"encoding/asn1"
	"math/big"
	"time"
)

type CRL struct {
	Raw, RawTBS, RawIssuer []byte
	Issuer                 Name
	ThisUpdate, NextUpdate time.Time
	Number                 *big.Int
	AuthorityKeyID         []byte
	Signature              []byte
	SignatureAlgorithm     asn1.ObjectIdentifier
	Notes                  []string
}

func ParseCRL(der []byte) (*CRL, error) { return nil, ErrCRL.New() }
func (c *CRL) Len() int                 { return 0 }

type Revocation struct {
	Time           time.Time
	Reason         int
	InvalidityDate *time.Time
}

func (c *CRL) Lookup(serial *big.Int) (Revocation, bool) { return Revocation{}, false }

type Anchors struct{}

func NewAnchors(certs ...*Certificate) *Anchors           { return nil }
func LoadTrust(paths ...string) (*Anchors, []*CRL, error) { return nil, nil, nil }
func (a *Anchors) Contains(c *Certificate) bool           { return false }

type State int

const (
	StateUnknown State = iota
	StateGood
	StateRevoked
)

type Status struct {
	State                  State
	At                     time.Time
	Reason                 int
	RevokedLater           bool
	ThisUpdate, NextUpdate time.Time
	Source                 string
	Detail                 string
}
type RevocationSource interface {
	Status(ctx context.Context, cert, issuer *Certificate, at time.Time) (Status, error)
}

func NewCRLSource(crls ...*CRL) RevocationSource         { return nil }
func Merge(sources ...RevocationSource) RevocationSource { return nil }

type Usage int

const (
	UsageAny Usage = iota
	UsageSign
	UsageSealMaker
	UsageCRL
	UsageOCSP
	UsageTimeStamp
)

type Verifier struct {
	Anchors       *Anchors
	Intermediates []*Certificate
	Revocation    RevocationSource
}
type Result struct {
	Path                 []*Certificate
	Trusted              bool
	ChainErr             error
	NotYetValid, Expired bool
	Revocation           Status
	Revocations          []Status
	Notes                []string
}

func (v *Verifier) Verify(ctx context.Context, leaf *Certificate, at time.Time, u Usage) Result {
	return Result{}
}
func (v *Verifier) With(intermediates []*Certificate, more ...RevocationSource) *Verifier { return v }
func (v *Verifier) CheckSM2Digest(signer *Certificate, e [32]byte, value []byte) (notes []string, err error) {
	return nil, ErrSignature.New()
}
