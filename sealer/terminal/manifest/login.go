package manifest

import (
	"context"
	"crypto/ecdsa"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"

	"github.com/emmansun/gmsm/sm3"

	"yinxin/internal/fault"
)

// The routes of logins by USB Key.
const (
	// RouteLogin: POST without a body answers Envelope, with a Login.
	RouteLogin = "/v1/terminal/logins/{login}"
	// RouteLoginAnswer: POST LoginAnswer, answers 204. The same again answers the same while the login waits for its browser.
	RouteLoginAnswer = "/v1/terminal/logins/{login}/answer"
	// RouteLoginDecline: POST Decline, answers 204.
	RouteLoginDecline = "/v1/terminal/logins/{login}/decline"
)

// ReasonLoginDeclined in Decline says that the person did not agree to sign in.
const ReasonLoginDeclined = "agent.login-declined"

// LoginTask is a login of the clerk that waits for the USB Key.
type LoginTask struct {
	ID      string    `json:"id"`
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires"`
}

// Login says who wants to sign in where (docs/terminal.md). What the USB Key signs is not this but its Statement.
type Login struct {
	Format       int       `json:"format"`
	Key          string    `json:"key"` // Fingerprint of the server's key that signed
	Login        string    `json:"login"`
	Nonce        []byte    `json:"nonce"` // 32 random octets
	Number       string    `json:"number"`
	Terminal     string    `json:"terminal"`
	User         Person    `json:"user"`
	Service      string    `json:"service"`      // what the installation is called
	Address      string    `json:"address"`      // of the browser that asks
	Browser      string    `json:"browser"`      // as it calls itself; may be empty
	Certificates [][]byte  `json:"certificates"` // DER, any of which may answer
	Issued       time.Time `json:"issued"`
	Expires      time.Time `json:"expires"`
}

// LoginAnswer brings what the USB Key signed.
type LoginAnswer struct {
	Nonce       []byte `json:"nonce" maxLength:"44" doc:"As the login has it."`
	Signature   []byte `json:"signature" maxLength:"200" doc:"SM2 signature over the statement of the login (docs/terminal.md), in DER."`
	Certificate []byte `json:"certificate" maxLength:"16384" doc:"DER of the certificate of the key that signed."`
}

const (
	maxLogin        = 1 << 20
	maxCertificates = 20
	maxCertificate  = 16 << 10
	numberLength    = 4
	// loginLife is the longest that a login may wait.
	loginLife = 5 * time.Minute
)

// What is wrong with a login.
var (
	// ErrLoginForged is a login that the pinned key did not sign, or that is not as the server writes it.
	ErrLoginForged = fault.Spec{Kind: fault.Refused, Code: "terminal.login-forged",
		ZH: "登录请求不是所配对的服务器签发的，或已被改动，没有签名。", EN: "The login was not asked for by the paired server, or was changed; nothing was signed."}
	// ErrLoginOther is a login for another terminal or person.
	ErrLoginOther = fault.Spec{Kind: fault.Refused, Code: "terminal.login-other",
		ZH: "登录请求是给另一台终端或另一个人的，没有签名。", EN: "The login is for another terminal or another person; nothing was signed."}
	// ErrLoginExpired is a login whose time is over.
	ErrLoginExpired = fault.Spec{Kind: fault.Refused, Code: "terminal.login-expired",
		ZH: "登录请求已过期，请在登录页重新开始。", EN: "The time of this login is over; begin again on the page."}
)

// challengePrefix keeps what the server signs here apart from its manifests, which begin with a brace.
const challengePrefix = "yinxin login challenge 1\n"

// SignLogin makes the envelope of a login; Format, Key, and the precision of times are filled in.
func SignLogin(ctx context.Context, key Signer, l Login) (Envelope, error) {
	l.Format, l.Key = Format, Fingerprint(key.Public())
	l.Issued, l.Expires = l.Issued.UTC().Truncate(time.Second), l.Expires.UTC().Truncate(time.Second)
	if err := l.wellFormed(); err != nil {
		return Envelope{}, err
	}
	octets, err := json.Marshal(l)
	if err != nil {
		return Envelope{}, err
	}
	e, err := digest(key.Public(), append([]byte(challengePrefix), octets...))
	if err != nil {
		return Envelope{}, err
	}
	signature, err := key.SignDigest(ctx, e)
	return Envelope{octets, signature}, err
}

// VerifyLogin gives the login of an envelope if the pinned key signed it, it is exactly as SignLogin writes it, and it is for this
// terminal and person; of want, Key, Terminal, Clerk, Task (the login) and Now count. Errors: terminal.login-forged,
// terminal.login-other, terminal.clock, terminal.login-expired.
func VerifyLogin(e Envelope, want Expected) (*Login, error) {
	if len(e.Manifest) > maxLogin || len(e.Signature) > 100 || !checks(want.Key, append([]byte(challengePrefix), e.Manifest...), e.Signature) {
		return nil, ErrLoginForged.New()
	}
	l, err := exactly[Login](e.Manifest)
	if err != nil {
		return nil, ErrLoginForged.Because(err)
	}
	if err := l.wellFormed(); err != nil {
		return nil, err
	}
	switch {
	case !same(l.Key, Fingerprint(want.Key)):
		return nil, ErrLoginForged.At(fault.Field("key"))
	case !same(l.Terminal, want.Terminal), !same(l.User.ID, want.Clerk), !same(l.Login, want.Task):
		return nil, ErrLoginOther.New()
	}
	return l, l.InTime(want.Now)
}

// InTime says whether a login may be answered now. Errors: terminal.clock for one from the future, terminal.login-expired.
func (l *Login) InTime(now time.Time) error {
	switch {
	case l.Issued.Sub(now) > Tolerance:
		return ErrClock.With("%s", l.Issued.Format(time.RFC3339))
	case !now.Before(l.Expires):
		return ErrLoginExpired.With("%s", l.Expires.Format(time.RFC3339))
	}
	return nil
}

func (l *Login) wellFormed() error {
	id := func(s string) bool { return s != "" && len(s) <= maxID && printable(s) }
	name := func(s string) bool { return s != "" && len(s) <= maxName && printable(s) }
	certificates := len(l.Certificates) > 0 && len(l.Certificates) <= maxCertificates
	for _, der := range l.Certificates {
		certificates = certificates && len(der) > 0 && len(der) <= maxCertificate
	}
	for _, c := range []struct {
		member string
		good   bool
	}{
		{"format", l.Format == Format},
		{"key", isDigest(l.Key)},
		{"login", id(l.Login)},
		{"nonce", len(l.Nonce) == nonceSize},
		{"number", len(l.Number) == numberLength && strings.Trim(l.Number, "0123456789") == ""},
		{"terminal", id(l.Terminal)},
		{"user", id(l.User.ID) && name(l.User.Name)},
		{"service", name(l.Service)},
		{"address", l.Address == "" || name(l.Address)},
		{"browser", l.Browser == "" || name(l.Browser)},
		{"certificates", certificates},
		{"issued", wholeSecond(l.Issued)},
		{"expires", wholeSecond(l.Expires) && l.Expires.After(l.Issued) && l.Expires.Sub(l.Issued) <= loginLife},
	} {
		if !c.good {
			return ErrLoginForged.At(fault.Field(c.member))
		}
	}
	return nil
}

// Statement is what the USB Key signs to let somebody in, e = SM3(Z ‖ statement), with the certificate of the key that signs:
//
//	"yinxin login 1\n" key "\n" login "\n" terminal "\n" user "\n" number "\n" nonce in base64 "\n" SM3 of the certificate in hex "\n" issued "\n" expires "\n"
//
// No seal and no signature on a document is over text that begins so: what they are over is DER, a SEQUENCE or a SET, whose first
// octet is 0x30 or 0x31. Requests of terminals, which other keys sign, begin with "yinxin terminal".
func (l *Login) Statement(certificate []byte) []byte {
	sum := sm3.Sum(certificate)
	return []byte("yinxin login 1\n" + strings.Join([]string{l.Key, l.Login, l.Terminal, l.User.ID, l.Number, base64.StdEncoding.EncodeToString(l.Nonce),
		hex.EncodeToString(sum[:]), l.Issued.UTC().Format(time.RFC3339), l.Expires.UTC().Format(time.RFC3339)}, "\n") + "\n")
}

// Answers says whether a signature is of the key over the statement of the login.
func (l *Login) Answers(public *ecdsa.PublicKey, certificate, signature []byte) bool {
	return checks(public, l.Statement(certificate), signature)
}
