package webhook

import (
	"crypto/hmac"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/emmansun/gmsm/sm3"
)

// The header fields of a call.
const (
	headerDelivery  = "Yinxin-Delivery"
	headerTimestamp = "Yinxin-Timestamp"
	headerSignature = "Yinxin-Signature"
	version         = "v1="
)

// tolerance is how far the time of a call may be off.
const tolerance = 5 * time.Minute

func mac(secret, delivery, timestamp string, body []byte) []byte {
	h := hmac.New(sm3.New, []byte(secret))
	h.Write([]byte(delivery + "." + timestamp + "."))
	h.Write(body)
	return h.Sum(nil)
}

// sign gives the header of a call.
func sign(secret, delivery string, body []byte, at time.Time) http.Header {
	timestamp := strconv.FormatInt(at.Unix(), 10)
	h := http.Header{}
	h.Set("Content-Type", "application/json")
	h.Set(headerDelivery, delivery)
	h.Set(headerTimestamp, timestamp)
	h.Set(headerSignature, version+hex.EncodeToString(mac(secret, delivery, timestamp, body)))
	return h
}

// Check says whether a call was made by who knows the secret, now, with this body; delivery is what a receiver remembers.
// Errors: webhook.signature, webhook.time.
func Check(secret string, h http.Header, body []byte, now time.Time) (delivery string, err error) {
	delivery, timestamp := h.Get(headerDelivery), h.Get(headerTimestamp)
	given, ok := strings.CutPrefix(h.Get(headerSignature), version)
	value, err := hex.DecodeString(given)
	if !ok || err != nil || !hmac.Equal(value, mac(secret, delivery, timestamp, body)) {
		return "", errSignature.New()
	}
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if off := now.Sub(time.Unix(seconds, 0)); err != nil || off > tolerance || off < -tolerance {
		return "", errTime.New()
	}
	return delivery, nil
}
