package tsa

import (
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"

	"yinxin/ca/cms"
)

// MaxRequest is the largest request read, in bytes.
const MaxRequest = 16 << 10

// Request is a time-stamp request.
type Request struct {
	Imprint Imprint
	// Policy is empty when any will do.
	Policy cms.ID
	// Nonce is nil when there is none.
	Nonce *big.Int
	// Certificates: the token shall bring the authority's certificate along.
	Certificates bool
	// Extended: there are extensions. None is known here.
	Extended bool
}

// ParseRequest reads a request in DER and nothing after it. Errors: ErrRequest with the field, ErrTooLarge.
//
//	TimeStampReq ::= SEQUENCE { version INTEGER { v1(1) }, messageImprint MessageImprint, reqPolicy OID OPTIONAL,
//	  nonce INTEGER OPTIONAL, certReq BOOLEAN DEFAULT FALSE, extensions [0] IMPLICIT Extensions OPTIONAL }
func ParseRequest(data []byte) (*Request, error) {
	if len(data) > MaxRequest {
		return nil, ErrTooLarge.With("%d bytes", len(data))
	}
	var s cryptobyte.String
	input := cryptobyte.String(data)
	if !input.ReadASN1(&s, der.SEQUENCE) || !input.Empty() {
		return nil, ErrRequest.With("TimeStampReq")
	}
	version, ok := readNumber(&s)
	if !ok || version.Cmp(big.NewInt(1)) != 0 {
		return nil, ErrRequest.With("version")
	}
	r := &Request{}
	if r.Imprint, ok = readImprint(&s); !ok {
		return nil, ErrRequest.With("messageImprint")
	}
	if s.PeekASN1Tag(der.OBJECT_IDENTIFIER) {
		if r.Policy, ok = readOID(&s); !ok {
			return nil, ErrRequest.With("reqPolicy")
		}
	}
	if s.PeekASN1Tag(der.INTEGER) {
		if r.Nonce, ok = readNumber(&s); !ok {
			return nil, ErrRequest.With("nonce")
		}
	}
	if s.PeekASN1Tag(der.BOOLEAN) && !s.ReadASN1Boolean(&r.Certificates) {
		return nil, ErrRequest.With("certReq")
	}
	var extensions cryptobyte.String
	if !s.ReadOptionalASN1(&extensions, &r.Extended, explicit0) || !s.Empty() {
		return nil, ErrRequest.With("extensions")
	}
	return r, nil
}

// CreateRequest writes a request, without extensions. Errors: ErrRequest, ErrImprintAlgorithm.
func CreateRequest(r Request) ([]byte, error) {
	if !r.Imprint.sound() {
		return nil, ErrImprintAlgorithm.With("%s, %d", r.Imprint.Hash, len(r.Imprint.Digest))
	}
	var b cryptobyte.Builder
	b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(1)
		r.Imprint.add(b)
		if r.Policy != "" {
			addOID(b, r.Policy)
		}
		if r.Nonce != nil {
			b.AddASN1BigInt(r.Nonce)
		}
		if r.Certificates {
			b.AddASN1Boolean(true)
		}
	})
	made, err := b.Bytes()
	if err != nil {
		return nil, ErrRequest.Because(err)
	}
	return made, nil
}
