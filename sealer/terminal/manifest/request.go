package manifest

import (
	"context"
	"crypto/ecdsa"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"time"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/sm3"

	"yinxin/ca/chain"
	"yinxin/internal/oid"
)

// Scheme is the authentication scheme of a terminal's requests:
//
//	Authorization: Yinxin-Terminal id=trm_…,time=2026-11-26T08:00:00Z,signature=…
//
// The signature (DER, in base64url without padding) is over
//
//	"yinxin terminal request 1\n" id "\n" time "\n" METHOD "\n" target "\n" SM3 of the body in lower-case hex "\n"
//
// with the target as it is sent below the server's base address: "/v1/terminal/tasks?wait=25".
const Scheme = "Yinxin-Terminal"

// Tolerance is how far the clocks of server and terminal may be apart.
const Tolerance = 2 * time.Minute

// Signer is a private SM2 key that signs e = SM3(Z‖M): a key of the keystore, or a terminal's own.
type Signer interface {
	Public() *ecdsa.PublicKey
	SignDigest(ctx context.Context, e [32]byte) ([]byte, error)
}

// Authorisation is the header field of a request.
type Authorisation struct {
	Terminal  string
	Time      time.Time
	time      string // as it was sent
	signature []byte
}

// Authorise signs a request of a terminal and gives the value of its Authorization field.
func Authorise(ctx context.Context, key Signer, terminal, method, target string, body []byte, now time.Time) (string, error) {
	a := Authorisation{Terminal: terminal, time: now.UTC().Format(time.RFC3339)}
	e, err := digest(key.Public(), a.signed(method, target, body))
	if err != nil {
		return "", err
	}
	signature, err := key.SignDigest(ctx, e)
	if err != nil {
		return "", err
	}
	return Scheme + " id=" + terminal + ",time=" + a.time + ",signature=" + base64.RawURLEncoding.EncodeToString(signature), nil
}

// ParseAuthorisation reads the value of an Authorization field. Error: terminal.unauthenticated.
func ParseAuthorisation(value string) (Authorisation, error) {
	var a Authorisation
	scheme, rest, _ := strings.Cut(value, " ")
	if !strings.EqualFold(scheme, Scheme) || len(value) > 1<<10 {
		return a, ErrAuthorisation.New()
	}
	members := map[string]string{}
	for part := range strings.SplitSeq(rest, ",") {
		name, member, _ := strings.Cut(strings.TrimSpace(part), "=")
		if _, twice := members[name]; twice || member == "" {
			return a, ErrAuthorisation.New()
		}
		members[name] = member
	}
	a.Terminal, a.time = members["id"], members["time"]
	var err error
	if a.signature, err = base64.RawURLEncoding.Strict().DecodeString(members["signature"]); err != nil || len(members) != 3 ||
		a.Terminal == "" || len(a.Terminal) > maxID || len(a.signature) == 0 {
		return a, ErrAuthorisation.New()
	}
	if a.Time, err = time.Parse(time.RFC3339, a.time); err != nil {
		return a, ErrAuthorisation.New()
	}
	return a, nil
}

// Check says whether the terminal with this key made the request, and made it now. Errors: terminal.unauthenticated,
// terminal.clock with the time here.
func (a Authorisation) Check(public *ecdsa.PublicKey, method, target string, body []byte, now time.Time) error {
	if !checks(public, a.signed(method, target, body), a.signature) {
		return ErrAuthorisation.New()
	}
	if d := now.Sub(a.Time); d > Tolerance || d < -Tolerance {
		return ErrClock.With("%s", now.UTC().Format(time.RFC3339))
	}
	return nil
}

func (a Authorisation) signed(method, target string, body []byte) []byte {
	sum := sm3.Sum(body)
	return []byte("yinxin terminal request 1\n" + strings.Join([]string{a.Terminal, a.time, method, target, hex.EncodeToString(sum[:])}, "\n") + "\n")
}

// digest is what SM2 signs for a message: e = SM3(Z‖message), GB/T 32918.2 clause 6.1.
func digest(public *ecdsa.PublicKey, message []byte) ([32]byte, error) {
	var e [32]byte
	if Point(public) == nil {
		return e, chain.ErrKey.New()
	}
	z, err := sm2.CalculateZA(public, []byte(oid.SM2UserID))
	if err != nil {
		return e, err
	}
	h := sm3.New()
	h.Write(z)
	h.Write(message)
	h.Sum(e[:0])
	return e, nil
}

// checks says whether a signature is of the key over the message, in DER.
func checks(public *ecdsa.PublicKey, message, signature []byte) bool {
	e, err := digest(public, message)
	if err != nil {
		return false
	}
	notes, err := chain.CheckSM2Digest(public, e, signature)
	return err == nil && len(notes) == 0
}
