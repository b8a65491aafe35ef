package manifest

import (
	"crypto/ecdsa"
	"encoding/hex"
	"strings"
	"time"

	"github.com/emmansun/gmsm/sm3"
)

// RouteKeys: POST KeyOffer says that the person of the terminal would sign in with a USB Key that is there; answers KeyOffered.
const RouteKeys = "/v1/terminal/keys"

// KeyOffer brings the certificate of a USB Key and a signature by which the terminal shows that the key is there.
type KeyOffer struct {
	Time        time.Time `json:"time" doc:"Now, whole seconds, as in the statement."`
	Certificate []byte    `json:"certificate" maxLength:"16384" doc:"DER of the certificate."`
	Signature   []byte    `json:"signature" maxLength:"200" doc:"SM2 signature over the statement of the offer (docs/terminal.md), in DER."`
}

// KeyOffered says until when the person has to confirm the Key on the page of their account.
type KeyOffered struct {
	Key     string    `json:"key" doc:"Identifier."`
	Expires time.Time `json:"expires"`
}

// OfferStatement is what the USB Key signs to be offered by a terminal, e = SM3(Z ‖ statement), with the server's pinned key:
//
//	"yinxin key offer 1\n" fingerprint of the server's key "\n" terminal "\n" user "\n" time "\n" SM3 of the certificate in hex "\n"
//
// No seal, no signature on a document and no login is over text that begins so: see Login.Statement.
func OfferStatement(server *ecdsa.PublicKey, terminal, user string, at time.Time, certificate []byte) []byte {
	sum := sm3.Sum(certificate)
	return []byte("yinxin key offer 1\n" + strings.Join([]string{Fingerprint(server), terminal, user, at.UTC().Format(time.RFC3339), hex.EncodeToString(sum[:])}, "\n") + "\n")
}

// Shows says whether the key of the certificate signed the offer, and did it now. Errors: terminal.clock with the time here; false
// for any other signature.
func (o KeyOffer) Shows(public *ecdsa.PublicKey, statement []byte, now time.Time) (bool, error) {
	if d := now.Sub(o.Time); d > Tolerance || d < -Tolerance {
		return false, ErrClock.With("%s", now.UTC().Format(time.RFC3339))
	}
	return checks(public, statement, o.Signature), nil
}
