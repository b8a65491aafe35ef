package ocsp

import (
	"encoding/asn1"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"

	"yinxin/internal/oid"
)

// Limits on what comes from outside.
const (
	// MaxRequest is the largest request read, in bytes.
	MaxRequest = 64 << 10
	// MaxCertIDs is how many certificates one request may ask for.
	MaxCertIDs = 64
	// MaxNonce is the longest nonce (RFC 9654 2.1), in bytes.
	MaxNonce = 128
)

// Request is an OCSP request.
type Request struct {
	CertIDs []CertID
	// Nonce is nil when there is none.
	Nonce []byte
}

var (
	context0  = der.Tag(0).ContextSpecific()
	explicit0 = context0.Constructed()
	explicit1 = der.Tag(1).ContextSpecific().Constructed()
	explicit2 = der.Tag(2).ContextSpecific().Constructed()
)

// ParseRequest reads a request in DER and nothing after it. Errors: ErrRequest with the field, ErrTooLarge.
//
//	OCSPRequest ::= SEQUENCE { tbsRequest, optionalSignature [0] EXPLICIT OPTIONAL }
//	TBSRequest ::= SEQUENCE { version [0] EXPLICIT INTEGER DEFAULT v1, requestorName [1] EXPLICIT GeneralName OPTIONAL,
//	  requestList SEQUENCE OF SEQUENCE { reqCert CertID, singleRequestExtensions [0] EXPLICIT Extensions OPTIONAL },
//	  requestExtensions [2] EXPLICIT Extensions OPTIONAL }
func ParseRequest(data []byte) (*Request, error) {
	if len(data) > MaxRequest {
		return nil, ErrTooLarge.With("%d bytes", len(data))
	}
	var outer, tbs, list cryptobyte.String
	input := cryptobyte.String(data)
	if !input.ReadASN1(&outer, der.SEQUENCE) || !input.Empty() || !outer.ReadASN1(&tbs, der.SEQUENCE) ||
		!outer.SkipOptionalASN1(explicit0) || !outer.Empty() {
		return nil, ErrRequest.With("OCSPRequest")
	}
	if !readVersion(&tbs) || !tbs.SkipOptionalASN1(explicit1) || !tbs.ReadASN1(&list, der.SEQUENCE) {
		return nil, ErrRequest.With("tbsRequest")
	}
	r := &Request{}
	for !list.Empty() {
		var one cryptobyte.String
		if len(r.CertIDs) == MaxCertIDs {
			return nil, ErrTooLarge.With("%d", MaxCertIDs)
		}
		if !list.ReadASN1(&one, der.SEQUENCE) {
			return nil, ErrRequest.With("requestList")
		}
		id, ok := readCertID(&one)
		if !ok || !one.SkipOptionalASN1(explicit0) || !one.Empty() {
			return nil, ErrRequest.With("reqCert")
		}
		r.CertIDs = append(r.CertIDs, id)
	}
	if len(r.CertIDs) == 0 {
		return nil, ErrRequest.With("requestList")
	}
	var ok bool
	if r.Nonce, _, ok = readNonce(&tbs, explicit2); !ok || !tbs.Empty() {
		return nil, ErrRequest.With("requestExtensions")
	}
	return r, nil
}

// readVersion reads version [0] EXPLICIT INTEGER DEFAULT v1; there is no other version.
func readVersion(s *cryptobyte.String) bool {
	var version int64
	return s.ReadOptionalASN1Integer(&version, explicit0, int64(0)) && version == 0
}

// readNonce finds the nonce among extensions under an explicit tag and passes over the others. A nonce that is not
// wrapped in an OCTET STRING of its own, as RFC 2560 allowed, is taken as it is.
func readNonce(s *cryptobyte.String, tag der.Tag) (nonce []byte, critical, ok bool) {
	value, critical, ok := findExtension(s, tag, oid.OCSPNonce)
	if !ok || value == nil {
		return nil, critical, ok
	}
	var inner cryptobyte.String
	bare := value
	if !value.ReadASN1(&inner, der.OCTET_STRING) || !value.Empty() {
		inner = bare
	}
	return inner, critical, len(inner) > 0 && len(inner) <= MaxNonce
}

// findExtension gives the value of one extension among those under an explicit tag, nil when it is not there, and
// whether another one is critical.
func findExtension(s *cryptobyte.String, tag der.Tag, wanted asn1.ObjectIdentifier) (value cryptobyte.String,
	otherCritical, ok bool) {
	const maxExtensions = 20
	var wrapped, list cryptobyte.String
	var present bool
	if !s.ReadOptionalASN1(&wrapped, &present, tag) {
		return nil, false, false
	}
	if !present {
		return nil, false, true
	}
	if !wrapped.ReadASN1(&list, der.SEQUENCE) || !wrapped.Empty() {
		return nil, false, false
	}
	for count := 0; !list.Empty(); count++ {
		var one, found cryptobyte.String
		var id asn1.ObjectIdentifier
		var critical bool
		if count == maxExtensions || !list.ReadASN1(&one, der.SEQUENCE) || !one.ReadASN1ObjectIdentifier(&id) ||
			one.PeekASN1Tag(der.BOOLEAN) && !one.ReadASN1Boolean(&critical) ||
			!one.ReadASN1(&found, der.OCTET_STRING) || !one.Empty() {
			return nil, false, false
		}
		switch {
		case !id.Equal(wanted):
			otherCritical = otherCritical || critical
		case value != nil:
			return nil, false, false
		default:
			// Never nil, also when it is empty.
			value = append(cryptobyte.String{}, found...)
		}
	}
	return value, otherCritical, true
}

// addExtension writes extensions with a single one under an explicit tag.
func addExtension(b *cryptobyte.Builder, tag der.Tag, id asn1.ObjectIdentifier, value cryptobyte.BuilderContinuation) {
	b.AddASN1(tag, func(b *cryptobyte.Builder) {
		b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(id)
				b.AddASN1(der.OCTET_STRING, value)
			})
		})
	})
}

// addNonce writes the nonce as the only extension, or nothing.
func addNonce(b *cryptobyte.Builder, tag der.Tag, nonce []byte) {
	if nonce != nil {
		addExtension(b, tag, oid.OCSPNonce, func(b *cryptobyte.Builder) { b.AddASN1OctetString(nonce) })
	}
}

// CreateRequest asks for certificates; nonce is nil or up to MaxNonce octets. Errors: ErrRequest.
func CreateRequest(ids []CertID, nonce []byte) ([]byte, error) {
	if len(ids) == 0 || len(ids) > MaxCertIDs || nonce != nil && (len(nonce) == 0 || len(nonce) > MaxNonce) {
		return nil, ErrRequest.New()
	}
	var b cryptobyte.Builder
	b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
				for _, id := range ids {
					b.AddASN1(der.SEQUENCE, id.add)
				}
			})
			addNonce(b, explicit2, nonce)
		})
	})
	made, err := b.Bytes()
	if err != nil {
		return nil, ErrRequest.Because(err)
	}
	return made, nil
}
