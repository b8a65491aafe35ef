package api

import (
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strings"

	"github.com/emmansun/gmsm/sm3"

	"yinxin/internal/fault"
)

// digestField declares the digest of a body before it comes (RFC 9530 clause 2). SM3 has no name in its registry, which is
// open: "sm3" here.
const digestField = "Content-Digest"

// digestOf is the SM3 that a header declares, in hex, empty for none: a member sm3=:…: of the dictionary (RFC 8941 clauses 3.2
// and 3.3.5). Members that are not known are not looked at, as RFC 9530 has it. Error: request.invalid.
func digestOf(h http.Header) (sum string, err error) {
	for member := range strings.SplitSeq(strings.Join(h.Values(digestField), ","), ",") {
		value, ok := strings.CutPrefix(strings.TrimSpace(member), "sm3=")
		if !ok {
			continue
		}
		inner, ok1 := strings.CutPrefix(value, ":")
		inner, ok2 := strings.CutSuffix(inner, ":")
		raw, err := base64.StdEncoding.Strict().DecodeString(inner)
		if !ok1 || !ok2 || err != nil || len(raw) != sm3.Size || sum != "" {
			return "", errInvalid.At(fault.Field(digestField))
		}
		sum = hex.EncodeToString(raw)
	}
	return sum, nil
}

// DigestHeader is the value of Content-Digest for an SM3 digest.
func DigestHeader(sum []byte) string { return "sm3=:" + base64.StdEncoding.EncodeToString(sum) + ":" }
