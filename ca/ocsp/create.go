package ocsp

import (
	"context"
	"crypto/ecdsa"
	"encoding/asn1"
	"time"

	"github.com/emmansun/gmsm/sm2"
	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"

	"yinxin/ca/chain"
	"yinxin/internal/oid"
)

// Status is what a responder says of a certificate.
type Status int

const (
	// Good: not revoked, as far as the responder knows.
	Good Status = iota + 1
	// Revoked: revoked or on hold.
	Revoked
	// Unknown: not a certificate the responder knows.
	Unknown
)

// Single is the answer for one certificate.
type Single struct {
	CertID CertID
	Status Status
	// RevokedAt and Reason (RFC 5280 5.3.1) are for Revoked only; Reason 0 is not written.
	RevokedAt time.Time
	Reason    int
	// NextUpdate is zero when newer information is always there.
	ThisUpdate, NextUpdate time.Time
	// ArchiveCutoff: the responder still knows certificates that expired since then (RFC 6960 4.4.4); zero: not said.
	ArchiveCutoff time.Time
}

// Signer is the responder's key; e is SM3(Z‖message), the answer a DER SM2 value. keystore.Key is one.
type Signer interface {
	Public() *ecdsa.PublicKey
	SignDigest(ctx context.Context, e [32]byte) ([]byte, error)
}

// Codes of ErrorResponse and Response.Status (RFC 6960 4.2.1).
const (
	Successful       = 0
	MalformedRequest = 1
	InternalError    = 2
	TryLater         = 3
	SigRequired      = 5
	Unauthorized     = 6
)

// ErrorResponse is the unsigned response that says why there is no answer: MalformedRequest, InternalError, TryLater,
// SigRequired or Unauthorized. Any other code becomes InternalError.
func ErrorResponse(code int) []byte {
	switch code {
	case MalformedRequest, InternalError, TryLater, SigRequired, Unauthorized:
	default:
		code = InternalError
	}
	return []byte{0x30, 3, 0x0a, 1, byte(code)}
}

// CreateResponse signs answers with SM2 and SM3 as the responder, which is named by its subject and whose certificate is
// included. Nonce is the request's, nil for none. Times are written in whole seconds UTC. Errors: ErrSign.
//
//	OCSPResponse ::= SEQUENCE { responseStatus ENUMERATED, responseBytes [0] EXPLICIT SEQUENCE {
//	  responseType OID, response OCTET STRING } OPTIONAL }
//	BasicOCSPResponse ::= SEQUENCE { tbsResponseData, signatureAlgorithm, signature BIT STRING,
//	  certs [0] EXPLICIT SEQUENCE OF Certificate OPTIONAL }
//	ResponseData ::= SEQUENCE { version [0] EXPLICIT DEFAULT v1, responderID CHOICE { byName [1] EXPLICIT Name,
//	  byKey [2] EXPLICIT OCTET STRING }, producedAt GeneralizedTime, responses SEQUENCE OF SingleResponse,
//	  responseExtensions [1] EXPLICIT Extensions OPTIONAL }
//	SingleResponse ::= SEQUENCE { certID, certStatus CHOICE { good [0] IMPLICIT NULL, revoked [1] IMPLICIT SEQUENCE {
//	  revocationTime GeneralizedTime, revocationReason [0] EXPLICIT ENUMERATED OPTIONAL }, unknown [2] IMPLICIT NULL },
//	  thisUpdate GeneralizedTime, nextUpdate [0] EXPLICIT GeneralizedTime OPTIONAL,
//	  singleExtensions [1] EXPLICIT Extensions OPTIONAL }
func CreateResponse(ctx context.Context, singles []Single, nonce []byte, producedAt time.Time,
	responder *chain.Certificate, key Signer) ([]byte, error) {
	if len(singles) == 0 || len(singles) > MaxCertIDs || len(nonce) > MaxNonce || responder == nil || key == nil {
		return nil, ErrSign.New()
	}
	for _, single := range singles {
		if single.Status < Good || single.Status > Unknown {
			return nil, ErrSign.With("certStatus")
		}
	}
	public, ok := responder.PublicKey.(*ecdsa.PublicKey)
	if !ok || !public.Equal(key.Public()) {
		return nil, ErrSign.Saying("密钥与响应者的证书不符", "the key is not the responder's")
	}
	var data cryptobyte.Builder
	data.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(explicit1, func(b *cryptobyte.Builder) { b.AddBytes(responder.RawSubject) })
		b.AddASN1GeneralizedTime(seconds(producedAt))
		b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
			for _, single := range singles {
				single.add(b)
			}
		})
		if len(nonce) > 0 {
			addNonce(b, explicit1, nonce)
		}
	})
	tbs, err := data.Bytes()
	if err != nil {
		return nil, ErrSign.Because(err)
	}
	e, err := sm2.CalculateSM2Hash(public, tbs, nil)
	if err != nil {
		return nil, ErrSign.Because(err)
	}
	value, err := key.SignDigest(ctx, [32]byte(e))
	if err != nil {
		return nil, ErrSign.Because(err)
	}
	return assemble(tbs, value, responder.Raw)
}

var archiveCutoff = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 6}

func seconds(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

func (s Single) add(b *cryptobyte.Builder) {
	b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
		s.CertID.add(b)
		switch s.Status {
		case Good:
			b.AddASN1(context0, func(*cryptobyte.Builder) {})
		case Revoked:
			b.AddASN1(explicit1, func(b *cryptobyte.Builder) {
				b.AddASN1GeneralizedTime(seconds(s.RevokedAt))
				if s.Reason != 0 {
					b.AddASN1(explicit0, func(b *cryptobyte.Builder) { b.AddASN1Enum(int64(s.Reason)) })
				}
			})
		default:
			b.AddASN1(der.Tag(2).ContextSpecific(), func(*cryptobyte.Builder) {})
		}
		b.AddASN1GeneralizedTime(seconds(s.ThisUpdate))
		if !s.NextUpdate.IsZero() {
			b.AddASN1(explicit0, func(b *cryptobyte.Builder) { b.AddASN1GeneralizedTime(seconds(s.NextUpdate)) })
		}
		if !s.ArchiveCutoff.IsZero() {
			addExtension(b, explicit1, archiveCutoff, func(b *cryptobyte.Builder) {
				b.AddASN1GeneralizedTime(seconds(s.ArchiveCutoff))
			})
		}
	})
}

// assemble wraps the signed data into a response.
func assemble(tbs, value, certificate []byte) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Enum(Successful)
		b.AddASN1(explicit0, func(b *cryptobyte.Builder) {
			b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(oid.OCSPBasic)
				b.AddASN1(der.OCTET_STRING, func(b *cryptobyte.Builder) {
					b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
						b.AddBytes(tbs)
						b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(oid.SM2WithSM3) })
						b.AddASN1BitString(value)
						b.AddASN1(explicit0, func(b *cryptobyte.Builder) {
							b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) { b.AddBytes(certificate) })
						})
					})
				})
			})
		})
	})
	made, err := b.Bytes()
	if err != nil {
		return nil, ErrSign.Because(err)
	}
	return made, nil
}
