package terminal

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/subtle"
	"slices"
	"time"

	"yinxin/ca/chain"
	"yinxin/internal/fault"
	"yinxin/internal/login"
	"yinxin/internal/store"
	"yinxin/keystore"
	"yinxin/sealer/terminal/manifest"
)

// Logins by USB Key: Ask and SignIn are for the browser; Login, AnswerLogin and DeclineLogin for the terminals of the person, which
// Waiting tells of them.

// Ask begins a login by USB Key in somebody's name, and tells that person's terminals. Errors are those of login.Ask.
func (s *Service) Ask(ctx context.Context, name string, from login.Origin) (login.Challenge, string, error) {
	c, token, err := s.Logins.Ask(ctx, name, from)
	if err == nil {
		s.news.tell()
	}
	return c, token, err
}

// SignIn signs in the person whose USB Key answered, in the browser that asked. The terminal and the certificate are looked at once more:
// they may have ended since. Errors: those of login.ByKey, terminal.login-certificate and the others of the certificate.
func (s *Service) SignIn(ctx context.Context, token string, from login.Origin) (login.Session, string, error) {
	return s.Logins.ByKey(ctx, token, from, func(ctx context.Context, q store.Querier, c login.Challenge) (string, error) {
		at, err := readTerminal(ctx, q, c.Terminal)
		if err != nil {
			return "", err
		}
		if at.Clerk.ID != c.Actor {
			return "", errNoTerminal.New()
		}
		_, key, err := s.loginCertificate(ctx, q, c.Actor, c.Certificate)
		return key, err
	})
}

// waitingLogins are the logins that wait for the person of a terminal.
func (s *Service) waitingLogins(ctx context.Context, at Terminal) (list []manifest.LoginTask, err error) {
	if s.Logins == nil {
		return nil, nil
	}
	waiting, err := s.Logins.Challenges(ctx, at.Clerk.ID)
	for _, c := range waiting {
		list = append(list, manifest.LoginTask{ID: c.ID, Created: c.Created.UTC(), Expires: c.Expires.UTC()})
	}
	return list, err
}

// Login says who wants to sign in, signed by the key that the terminal pinned. Errors: terminal.no-login, terminal.login-expired,
// terminal.login-no-certificate, terminal.key-ended.
func (s *Service) Login(ctx context.Context, at Terminal, id string) (manifest.Envelope, error) {
	c, err := s.challengeOf(ctx, at, id)
	if err != nil {
		return manifest.Envelope{}, err
	}
	key, err := s.signer(ctx, at)
	if err != nil {
		return manifest.Envelope{}, err
	}
	l := s.loginOf(at, key, c)
	keys, err := s.loginKeys(ctx, s.DB.Read(), at.Clerk.ID)
	if err != nil {
		return manifest.Envelope{}, err
	}
	for _, k := range keys {
		l.Certificates = append(l.Certificates, k.certificate)
	}
	if len(l.Certificates) == 0 {
		return manifest.Envelope{}, errNoLoginCertificate.New()
	}
	return manifest.SignLogin(ctx, key, l)
}

// challengeOf reads a login of the clerk of a terminal that may be answered now. Errors: terminal.no-login,
// terminal.login-expired.
func (s *Service) challengeOf(ctx context.Context, at Terminal, id string) (c login.Challenge, err error) {
	if s.Logins == nil {
		return c, errNoLogin.With("%.64q", id)
	}
	c, err = s.Logins.Challenge(ctx, at.Clerk.ID, id)
	switch {
	case fault.Has(err, login.ErrNoChallenge):
		err = errNoLogin.With("%.64q", id)
	case err != nil:
	case !s.Clock().Before(c.Expires):
		err = manifest.ErrLoginExpired.With("%s", c.Expires.UTC().Format(time.RFC3339))
	case c.State != login.ChallengeWaiting && c.State != login.ChallengeSigned:
		err = errNoLogin.With("%.64q", id)
	}
	return c, err
}

// loginOf is a login as the terminal sees it, without the certificates that may answer.
func (s *Service) loginOf(at Terminal, key keystore.Key, c login.Challenge) manifest.Login {
	return manifest.Login{Key: manifest.Fingerprint(key.Public()), Login: c.ID, Nonce: c.Nonce, Number: c.Number, Terminal: at.ID, User: personOf(at.Clerk),
		Service: sayable(s.Name, "Yinxin"), Address: sayable(c.Origin.Address, ""), Browser: sayable(c.Origin.Agent, ""),
		Issued: c.Created.UTC().Truncate(time.Second), Expires: c.Expires.UTC().Truncate(time.Second)}
}

// AnswerLogin takes what a USB Key signed, once; what is wrong with it ends the login, and its reason is among the logins of the person.
// The same answer again is taken again. Errors: terminal.no-login, terminal.login-expired, terminal.other-nonce,
// terminal.login-certificate, terminal.login-certificate-expired, -revoked and -untrusted, terminal.login-signature.
func (s *Service) AnswerLogin(ctx context.Context, at Terminal, id string, a manifest.LoginAnswer) error {
	c, err := s.challengeOf(ctx, at, id)
	if err != nil {
		return err
	}
	key, err := s.signer(ctx, at)
	if err != nil {
		return err
	}
	if c.State == login.ChallengeSigned {
		if c.Terminal == at.ID && bytes.Equal(c.Signature, a.Signature) && bytes.Equal(c.Certificate, a.Certificate) {
			return nil
		}
		return errNoLogin.With("%.64q", id)
	}
	c.Terminal = at.ID
	if wrong := s.checkLogin(ctx, s.loginOf(at, key, c), a); wrong != nil {
		if _, known := fault.Of(wrong); !known || ctx.Err() != nil {
			return wrong
		}
		if err := s.Logins.Refused(ctx, c, fault.CodeOf(wrong)); err != nil && !fault.Has(err, login.ErrNoChallenge) {
			return err
		}
		return wrong
	}
	c.Certificate, c.Signature = a.Certificate, a.Signature
	err = s.Logins.Signed(ctx, c)
	if fault.Has(err, login.ErrNoChallenge) {
		return errNoLogin.With("%.64q", id) // another terminal of the person was faster, or it was refused there
	}
	if fault.Has(err, login.ErrKeyExpired) {
		return manifest.ErrLoginExpired.New()
	}
	return err
}

func (s *Service) checkLogin(ctx context.Context, l manifest.Login, a manifest.LoginAnswer) error {
	if subtle.ConstantTimeCompare(l.Nonce, a.Nonce) != 1 {
		return errNonce.New()
	}
	public, _, err := s.loginCertificate(ctx, s.DB.Read(), l.User.ID, a.Certificate)
	if err != nil {
		return err
	}
	if !l.Answers(public, a.Certificate, a.Signature) {
		return errLoginSignature.New()
	}
	return nil
}

// loginCertificate gives the key of a certificate if it is one of the person's USB Keys, and good now; and by which of loginKeys.
func (s *Service) loginCertificate(ctx context.Context, q store.Querier, actorID string, der []byte) (public *ecdsa.PublicKey, key string, err error) {
	own, err := s.loginKeys(ctx, q, actorID)
	if err != nil {
		return nil, "", err
	}
	i := slices.IndexFunc(own, func(k loginKey) bool { return bytes.Equal(k.certificate, der) })
	if i < 0 {
		return nil, "", errLoginCertificate.New()
	}
	public, err = s.goodCertificate(ctx, der)
	return public, own[i].key, err
}

// goodCertificate gives the key of a certificate that is good now: by its chain, validity and revocation.
func (s *Service) goodCertificate(ctx context.Context, der []byte) (*ecdsa.PublicKey, error) {
	leaf, err := s.Sealer.Chain.Certificate(der)
	if err != nil {
		return nil, errLoginCertificate.Because(err)
	}
	public, ok := leaf.PublicKey.(*ecdsa.PublicKey)
	if !ok {
		return nil, errLoginCertificate.New()
	}
	r := s.Sealer.Chain.Verify(ctx, leaf, s.Clock(), chain.UsageSign)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case r.Expired || r.NotYetValid:
		return nil, errLoginExpired.New()
	case r.Revocation.State == chain.StateRevoked:
		return nil, errLoginRevoked.New()
	case !r.Good():
		return nil, errLoginUntrusted.With("%s", r.Revocation.Detail).Because(r.ChainErr)
	}
	return public, nil
}

// DeclineLogin ends a login that the person did not want, or that the terminal refused. The reason is a code. Error: terminal.no-login.
func (s *Service) DeclineLogin(ctx context.Context, at Terminal, id, reason string) error {
	c, err := s.challengeOf(ctx, at, id)
	if err != nil {
		return err
	}
	c.Terminal = at.ID
	if err = s.Logins.Refused(ctx, c, reason); fault.Has(err, login.ErrNoChallenge) {
		err = errNoLogin.With("%.64q", id)
	}
	return err
}
