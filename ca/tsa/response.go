package tsa

import (
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"

	"yinxin/ca/cms"
)

// MaxResponse is the largest response or token read, in bytes.
const MaxResponse = 256 << 10

// Status says whether there is a token (RFC 3161 2.4.2). Granted and GrantedWithMods come with one, the others do not.
type Status int

// The states of a response.
const (
	Granted                Status = 0
	GrantedWithMods        Status = 1
	Rejection              Status = 2
	Waiting                Status = 3
	RevocationWarning      Status = 4
	RevocationNotification Status = 5
)

// Failure says why there is no token (RFC 3161 2.4.2), as the number of a bit.
type Failure int

// The reasons. NoFailure: none was given.
const (
	NoFailure           Failure = -1
	BadAlgorithm        Failure = 0
	BadRequest          Failure = 2
	BadDataFormat       Failure = 5
	TimeNotAvailable    Failure = 14
	UnacceptedPolicy    Failure = 15
	UnacceptedExtension Failure = 16
	AddInfoNotAvailable Failure = 17
	SystemFailure       Failure = 25
)

// Response is a time-stamp response as it was read.
type Response struct {
	Status  Status
	Failure Failure
	// Text is what the authority says, at most 500 octets, as it stands: for the operator's log.
	Text string
	// Token is nil when there is none.
	Token []byte
}

// ParseResponse reads a response and nothing after it. The token in it may be BER. Errors: ErrResponse with the field,
// ErrTooLarge. That an authority refused is no error here.
//
//	TimeStampResp ::= SEQUENCE { status PKIStatusInfo, timeStampToken ContentInfo OPTIONAL }
//	PKIStatusInfo ::= SEQUENCE { status INTEGER, statusString SEQUENCE OF UTF8String OPTIONAL, failInfo BIT STRING OPTIONAL }
func ParseResponse(data []byte) (*Response, error) {
	if len(data) > MaxResponse {
		return nil, ErrTooLarge.With("%d bytes", len(data))
	}
	var s, info, text cryptobyte.String
	input := cryptobyte.String(data)
	if !input.ReadASN1(&s, der.SEQUENCE) || !input.Empty() || !s.ReadASN1(&info, der.SEQUENCE) {
		return nil, ErrResponse.With("TimeStampResp")
	}
	r := &Response{Failure: NoFailure}
	status, ok := readNumber(&info)
	if !ok || status.Sign() < 0 || status.Cmp(big.NewInt(100)) > 0 {
		return nil, ErrResponse.With("status")
	}
	r.Status = Status(status.Int64())
	if info.PeekASN1Tag(der.SEQUENCE) {
		if !info.ReadASN1(&text, der.SEQUENCE) {
			return nil, ErrResponse.With("statusString")
		}
		r.Text = readText(text)
	}
	if info.PeekASN1Tag(der.BIT_STRING) {
		if r.Failure, ok = readFailure(&info); !ok {
			return nil, ErrResponse.With("failInfo")
		}
	}
	if !info.Empty() {
		return nil, ErrResponse.With("PKIStatusInfo")
	}
	if s.Empty() {
		return r, nil
	}
	token, rest, err := cms.Element(s)
	if err != nil || len(rest) > 0 {
		return nil, ErrResponse.With("timeStampToken").Because(err)
	}
	r.Token = token
	return r, nil
}

// readText joins the strings as far as they are strings.
func readText(list cryptobyte.String) string {
	const limit = 500
	var text []byte
	for !list.Empty() && len(text) < limit {
		var one cryptobyte.String
		var tag der.Tag
		if !list.ReadAnyASN1(&one, &tag) {
			break
		}
		if len(text) > 0 {
			text = append(text, "; "...)
		}
		text = append(text, one...)
	}
	return string(text[:min(len(text), limit)])
}

// readFailure gives the first bit that is set.
func readFailure(s *cryptobyte.String) (Failure, bool) {
	var content cryptobyte.String
	if !s.ReadASN1(&content, der.BIT_STRING) || len(content) == 0 || len(content) > 16 {
		return NoFailure, false
	}
	for i, b := range content[1:] {
		for bit := range 8 {
			if b&(0x80>>bit) != 0 {
				return Failure(i*8 + bit), true
			}
		}
	}
	return NoFailure, true
}

// refusal is a response without a token.
func refusal(f Failure, text string) []byte {
	bits := make([]byte, 1+f/8+1)
	bits[0] = byte(7 - f%8) // unused bits after the last one that is set
	bits[1+f/8] = 0x80 >> (f % 8)
	var b cryptobyte.Builder
	b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1Int64(int64(Rejection))
			b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1(der.UTF8String, func(b *cryptobyte.Builder) { b.AddBytes([]byte(text)) })
			})
			b.AddASN1(der.BIT_STRING, func(b *cryptobyte.Builder) { b.AddBytes(bits) })
		})
	})
	return b.BytesOrPanic()
}

// granted is a response with a token.
func granted(token []byte) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1Int64(int64(Granted)) })
		b.AddBytes(token)
	})
	return b.Bytes()
}
