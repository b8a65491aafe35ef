package terminal

import (
	"context"

	"yinxin/internal/fault"
	"yinxin/internal/login"
	"yinxin/internal/store"
	"yinxin/sealer/terminal/manifest"
)

// USB Keys with which people sign in who hold no seal on one: OfferKey is for terminals, ConfirmKey for the browser of the person.

// OfferKey takes from a terminal that its person would sign in with a USB Key, whose signature and certificate are good now. It lets
// nobody in before that person has confirmed it. Errors: terminal.clock, terminal.login-signature, terminal.login-certificate and the others of
// the certificate, terminal.key-ended.
func (s *Service) OfferKey(ctx context.Context, at Terminal, o manifest.KeyOffer) (manifest.KeyOffered, error) {
	if s.Logins == nil {
		return manifest.KeyOffered{}, errNoLogin.New()
	}
	key, err := s.signer(ctx, at)
	if err != nil {
		return manifest.KeyOffered{}, err
	}
	public, err := s.goodCertificate(ctx, o.Certificate)
	if err == nil {
		err = s.ofNobodyElse(ctx, s.DB.Read(), at.Clerk.ID, o.Certificate)
	}
	if err != nil {
		return manifest.KeyOffered{}, err
	}
	if there, err := o.Shows(public, manifest.OfferStatement(key.Public(), at.ID, at.Clerk.ID, o.Time, o.Certificate), s.Clock()); err != nil || !there {
		if err == nil {
			err = errLoginSignature.New()
		}
		return manifest.KeyOffered{}, err
	}
	k, err := s.Logins.OfferKey(ctx, login.Key{Actor: at.Clerk.ID, Certificate: o.Certificate, Public: manifest.Fingerprint(public), Terminal: at.ID})
	return manifest.KeyOffered{Key: k.ID, Expires: k.Offered.Add(login.OfferLife)}, err
}

// ConfirmKey lets who is signed in sign in with a USB Key that a terminal of theirs offered. Errors: those of login.ConfirmKey,
// terminal.not-found for a terminal that ended since, and those of the certificate.
func (s *Service) ConfirmKey(ctx context.Context, in login.Session, id, password string, from login.Origin) error {
	return s.Logins.ConfirmKey(ctx, in, id, password, from, func(ctx context.Context, q store.Querier, k login.Key) error {
		at, err := readTerminal(ctx, q, k.Terminal)
		if err != nil {
			return err
		}
		if at.Clerk.ID != in.Actor.ID {
			return errNoTerminal.New()
		}
		if _, err := s.personIn(ctx, q, in.Actor.ID); err != nil {
			return err
		}
		if _, err := s.goodCertificate(ctx, k.Certificate); err != nil {
			return err
		}
		return s.ofNobodyElse(ctx, q, in.Actor.ID, k.Certificate)
	})
}

// ofNobodyElse refuses a certificate that the register knows as that of another's USB Key: a clerk's Key opens the clerk's account alone.
func (s *Service) ofNobodyElse(ctx context.Context, q store.Querier, actorID string, der []byte) error {
	holders, err := s.Sealer.Register.KeyHolders(ctx, q, der)
	if err != nil {
		return err
	}
	for _, h := range holders {
		if h != actorID {
			return errLoginCertificate.New()
		}
	}
	return nil
}

// loginKey is a certificate by which somebody signs in; key is empty where the register says whose it is.
type loginKey struct {
	certificate []byte
	key         string
}

// maxLoginKeys is how many certificates a login names.
const maxLoginKeys = 20

// loginKeys are the certificates by which somebody signs in. Whether they are good is for goodCertificate to say.
func (s *Service) loginKeys(ctx context.Context, q store.Querier, actorID string) (list []loginKey, err error) {
	own, err := s.Logins.KeysOpening(ctx, q, actorID)
	if err != nil {
		return nil, err
	}
	for _, k := range own {
		err := s.ofNobodyElse(ctx, q, actorID, k.Certificate) // a seal may have been made on it since
		if fault.Has(err, errLoginCertificate) {
			continue
		}
		if err != nil {
			return nil, err
		}
		list = append(list, loginKey{k.Certificate, k.ID})
	}
	seals, err := s.Sealer.Register.KeyCertificates(ctx, q, actorID)
	for _, der := range seals {
		list = append(list, loginKey{der, ""})
	}
	return list[:min(len(list), maxLoginKeys)], err
}
