package ocsp

import (
	"encoding/asn1"
	"time"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"

	"yinxin/ca/chain"
	"yinxin/internal/oid"
)

const (
	// MaxResponse is the largest response read, in bytes.
	MaxResponse = 256 << 10

	maxCertificates = 10
)

// Response is an OCSP response as it was read. Nothing in it counts before Verify.
type Response struct {
	// Raw is the whole response.
	Raw []byte
	// Status is Successful, or a code of ErrorResponse; then everything below is empty.
	Status     int
	ProducedAt time.Time
	Singles    []Single
	// Nonce is nil when there is none. That it is the request's is for the caller to compare.
	Nonce []byte
	// Certificates are those that came along and could be read.
	Certificates []*chain.Certificate

	rawTBS        []byte
	algorithm     chain.Algorithm
	signature     []byte
	responderName []byte // the Name, or
	responderKey  []byte // SHA-1 of the key
}

// ParseResponse reads a response in DER (structure: CreateResponse) and nothing after it. Errors: ErrResponse with the
// field, ErrTooLarge. An error response is read without error: look at Status, or at what Verify says.
func ParseResponse(data []byte) (*Response, error) {
	if len(data) > MaxResponse {
		return nil, ErrTooLarge.With("%d bytes", len(data))
	}
	r := &Response{Raw: data}
	var outer, wrapped, pair, basic cryptobyte.String
	var kind asn1.ObjectIdentifier
	var present bool
	input := cryptobyte.String(data)
	if !input.ReadASN1(&outer, der.SEQUENCE) || !input.Empty() || !outer.ReadASN1Enum(&r.Status) ||
		!outer.ReadOptionalASN1(&wrapped, &present, explicit0) || !outer.Empty() {
		return nil, ErrResponse.With("OCSPResponse")
	}
	if r.Status != Successful {
		return r, nil
	}
	if !present || !wrapped.ReadASN1(&pair, der.SEQUENCE) || !wrapped.Empty() || !pair.ReadASN1ObjectIdentifier(&kind) ||
		!kind.Equal(oid.OCSPBasic) || !pair.ReadASN1(&basic, der.OCTET_STRING) || !pair.Empty() {
		return nil, ErrResponse.With("responseBytes")
	}
	if err := r.readBasic(basic); err != nil {
		return nil, err
	}
	return r, nil
}

func (r *Response) readBasic(raw cryptobyte.String) error {
	var basic, tbs, algorithm, wrapped, list cryptobyte.String
	var present bool
	if !raw.ReadASN1(&basic, der.SEQUENCE) || !raw.Empty() || !basic.ReadASN1Element(&tbs, der.SEQUENCE) ||
		!basic.ReadASN1Element(&algorithm, der.SEQUENCE) || !basic.ReadASN1BitStringAsBytes(&r.signature) ||
		!basic.ReadOptionalASN1(&wrapped, &present, explicit0) || !basic.Empty() {
		return ErrResponse.With("BasicOCSPResponse")
	}
	r.rawTBS = tbs
	var err error
	if r.algorithm, err = chain.ParseAlgorithm(algorithm); err != nil {
		return ErrResponse.With("signatureAlgorithm").Because(err)
	}
	if present {
		if !wrapped.ReadASN1(&list, der.SEQUENCE) || !wrapped.Empty() {
			return ErrResponse.With("certs")
		}
		for count := 0; !list.Empty(); count++ {
			var one cryptobyte.String
			if count == maxCertificates || !list.ReadASN1Element(&one, der.SEQUENCE) {
				return ErrResponse.With("certs")
			}
			if c, err := chain.ParseCertificate(one); err == nil {
				r.Certificates = append(r.Certificates, c)
			}
		}
	}
	return r.readData(tbs)
}

// readData reads ResponseData.
func (r *Response) readData(raw cryptobyte.String) error {
	var data, wrapped, list cryptobyte.String
	var tag der.Tag
	if !raw.ReadASN1(&data, der.SEQUENCE) || !readVersion(&data) || !data.ReadAnyASN1(&wrapped, &tag) {
		return ErrResponse.With("tbsResponseData")
	}
	var ok bool
	switch tag {
	case explicit1:
		ok = wrapped.ReadASN1Element((*cryptobyte.String)(&r.responderName), der.SEQUENCE)
	case explicit2:
		ok = wrapped.ReadASN1((*cryptobyte.String)(&r.responderKey), der.OCTET_STRING)
	}
	if !ok || !wrapped.Empty() {
		return ErrResponse.With("responderID")
	}
	if r.ProducedAt, ok = chain.ReadTime(&data); !ok {
		return ErrResponse.With("producedAt")
	}
	if !data.ReadASN1(&list, der.SEQUENCE) {
		return ErrResponse.With("responses")
	}
	for !list.Empty() {
		var one cryptobyte.String
		if len(r.Singles) == MaxCertIDs || !list.ReadASN1(&one, der.SEQUENCE) {
			return ErrResponse.With("responses")
		}
		single, ok := readSingle(one)
		if !ok {
			return ErrResponse.With("SingleResponse")
		}
		r.Singles = append(r.Singles, single)
	}
	var critical bool
	if r.Nonce, critical, ok = readNonce(&data, explicit1); !ok || critical || !data.Empty() {
		return ErrResponse.With("responseExtensions")
	}
	return nil
}

// readSingle reads the content of one SingleResponse.
func readSingle(s cryptobyte.String) (single Single, ok bool) {
	if single.CertID, ok = readCertID(&s); !ok {
		return Single{}, false
	}
	var status, wrapped cryptobyte.String
	var tag der.Tag
	if !s.ReadAnyASN1(&status, &tag) {
		return Single{}, false
	}
	switch tag {
	case context0:
		single.Status, ok = Good, status.Empty()
	case explicit1:
		single.Status = Revoked
		single.RevokedAt, single.Reason, ok = readRevoked(status)
	case der.Tag(2).ContextSpecific():
		single.Status, ok = Unknown, status.Empty()
	default:
		ok = false
	}
	if !ok {
		return Single{}, false
	}
	if single.ThisUpdate, ok = chain.ReadTime(&s); !ok {
		return Single{}, false
	}
	var present bool
	if !s.ReadOptionalASN1(&wrapped, &present, explicit0) {
		return Single{}, false
	}
	if present {
		if single.NextUpdate, ok = chain.ReadTime(&wrapped); !ok || !wrapped.Empty() {
			return Single{}, false
		}
	}
	cutoff, critical, ok := findExtension(&s, explicit1, archiveCutoff)
	if !ok || critical || !s.Empty() {
		return Single{}, false
	}
	if cutoff != nil {
		if single.ArchiveCutoff, ok = chain.ReadTime(&cutoff); !ok {
			return Single{}, false
		}
	}
	return single, true
}

// readRevoked reads the content of RevokedInfo.
func readRevoked(s cryptobyte.String) (at time.Time, reason int, ok bool) {
	if at, ok = chain.ReadTime(&s); !ok {
		return time.Time{}, 0, false
	}
	var wrapped cryptobyte.String
	var present bool
	if !s.ReadOptionalASN1(&wrapped, &present, explicit0) || !s.Empty() {
		return time.Time{}, 0, false
	}
	if present && (!wrapped.ReadASN1Enum(&reason) || !wrapped.Empty() || reason < 0 || reason > 255) {
		return time.Time{}, 0, false
	}
	return at, reason, true
}
