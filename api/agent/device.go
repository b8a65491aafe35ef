package agent

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"time"

	"github.com/emmansun/gmsm/sm2"

	"yinxin/ca/chain"
	"yinxin/hsm"
	"yinxin/internal/fault"
	"yinxin/internal/oid"
)

// Device says how the USB Key is reached.
type Device struct {
	// Module is the vendor's PKCS#11 library.
	Module string `json:"module,omitempty"`
	// Profile names the vendor profile, see docs/tokens.md; Profiles is a folder with more of them.
	Profile  string `json:"profile,omitempty"`
	Profiles string `json:"profiles,omitempty"`
	// Token is the label or the serial number of the USB Key; empty where only one is inserted.
	Token string `json:"token,omitempty"`
}

// Or fills in from other what is empty.
func (d Device) Or(other Device) Device {
	for at, v := range map[*string]string{&d.Module: other.Module, &d.Profile: other.Profile, &d.Profiles: other.Profiles, &d.Token: other.Token} {
		if *at == "" {
			*at = v
		}
	}
	return d
}

// signTimeout is how long a call to the USB Key may take: some ask for a button to be pressed.
const signTimeout = time.Minute

// unlocked is a USB Key whose PIN was given.
type unlocked struct {
	module *hsm.Module
	token  *hsm.Token
	desk   Desk
	ask    PINQuestion
}

// unlock opens the USB Key and asks for its PIN. What can be put right by a person is told, and tried again if they want.
// Errors: agent.no-module, agent.declined and those of package hsm.
func (d Device) unlock(ctx context.Context, desk Desk, ask PINQuestion, clock func() time.Time) (*unlocked, error) {
	if d.Module == "" || d.Profile == "" {
		return nil, ErrNoModule.New()
	}
	profiles, err := hsm.ReadProfiles(d.Profiles)
	if err != nil {
		return nil, err
	}
	profile, err := profiles.Named(d.Profile)
	if err != nil {
		return nil, err
	}
	module, err := hsm.Open(d.Module)
	if err != nil {
		return nil, err
	}
	u := &unlocked{module: module, desk: desk, ask: ask}
	for {
		if u.token, err = d.activate(ctx, module, profile, clock); err == nil {
			break
		}
		if again := u.again(ctx, err); again != nil {
			_ = module.Close() // nothing was begun
			return nil, again
		}
	}
	if err := u.login(ctx); err != nil {
		u.close()
		return nil, err
	}
	return u, nil
}

// activate finds the token: by serial number, by label, or the only one.
func (d Device) activate(ctx context.Context, module *hsm.Module, profile hsm.Profile, clock func() time.Time) (*hsm.Token, error) {
	slots, err := module.Slots()
	if err != nil {
		return nil, err
	}
	var found []hsm.TokenInfo
	for _, s := range slots {
		if s.Token != nil && s.Token.Initialised && (d.Token == "" || d.Token == s.Token.Serial || d.Token == s.Token.Label) {
			found = append(found, *s.Token)
		}
	}
	switch {
	case len(found) == 0:
		return nil, hsm.ErrTokenNotFound.With("%.64s", d.Token)
	case len(found) > 1:
		return nil, hsm.ErrTokenAmbiguous.With("%d", len(found))
	}
	return hsm.Activate(ctx, module, hsm.Config{Token: hsm.Selection{Label: found[0].Label, Serial: found[0].Serial}, Profile: profile,
		Clock: clock, Sessions: 1, Timeout: signTimeout})
}

// passing are the errors that a person at the terminal can do something about: insert the USB Key, or the right one.
var passing = []fault.Spec{hsm.ErrTokenNotFound, hsm.ErrRemoved, hsm.ErrOtherToken, hsm.ErrDevice, hsm.ErrPaused, hsm.ErrTimeout, ErrWrongKey, ErrLoginWrongKey}

// again tells what is wrong and asks whether to try once more; nil: yes.
func (u *unlocked) again(ctx context.Context, err error) error {
	for _, s := range passing {
		if !fault.Has(err, s) {
			continue
		}
		again, failed := u.desk.Retry(ctx, err)
		switch {
		case failed != nil:
			return failed
		case again:
			return nil
		}
		return ErrDeclined.Because(err)
	}
	return err
}

// login asks for the PIN until it was right or the person gives up. Each PIN reaches the token once. That few tries are left
// stands in the question, so that who answers it insists.
func (u *unlocked) login(ctx context.Context) error {
	for ask := u.ask; ; {
		info := u.info()
		ask.Token, ask.Low, ask.Final = info.Label, info.PINLow, info.PINFinalTry
		if info.PINLocked {
			return hsm.ErrPINLocked.New()
		}
		octets, err := u.desk.PIN(ctx, ask)
		if err != nil {
			return err
		}
		err = u.token.Login(ctx, octets, ask.Low || ask.Final)
		switch {
		case err == nil:
			return nil
		case fault.Has(err, hsm.ErrPINWrong), fault.Has(err, hsm.ErrPINLow):
			ask.Why = err
		default:
			if again := u.again(ctx, err); again != nil {
				return again
			}
		}
	}
}

// info is what the token says of itself now; it was something else before a wrong PIN.
func (u *unlocked) info() hsm.TokenInfo {
	was := u.token.Info()
	slots, err := u.module.Slots()
	if err != nil {
		return was
	}
	for _, s := range slots {
		if s.Token != nil && s.Token.Serial == was.Serial && s.Token.Label == was.Label {
			return *s.Token
		}
	}
	return was
}

// close ends the login.
func (u *unlocked) close() {
	_ = u.token.Close() // a call that hangs keeps the library in memory; the process goes on without it
	_ = u.module.Close()
}

// signer is the key of a certificate on the USB Key.
type signer struct {
	of          *unlocked
	certificate *chain.Certificate
	public      *ecdsa.PublicKey
	key         *hsm.Key
}

// signer finds the key whose certificate has a fingerprint. Error: agent.wrong-key and those of package hsm.
func (u *unlocked) signer(ctx context.Context, fits func(certificate []byte) bool) (*signer, error) {
	list, err := u.token.Certificates(ctx)
	if err != nil {
		return nil, err
	}
	for _, c := range list {
		if !fits(c.DER) {
			continue
		}
		certificate, err := chain.ParseCertificate(c.DER)
		if err != nil {
			return nil, ErrWrongKey.Because(err)
		}
		public, ok := certificate.PublicKey.(*ecdsa.PublicKey)
		if !ok {
			return nil, ErrWrongKey.With("%T", certificate.PublicKey)
		}
		key, err := u.token.Key(ctx, hsm.Selector{ID: c.ID})
		if fault.Has(err, hsm.ErrKeyNotFound) {
			continue // a certificate without its key
		}
		if err != nil {
			return nil, err
		}
		if !public.Equal(key.Public()) {
			continue
		}
		return &signer{of: u, certificate: certificate, public: public, key: key}, nil
	}
	return nil, ErrWrongKey.New()
}

// sign signs a message that was checked here, e = SM3(Z ‖ message), and verifies the value before anybody gets it. When the
// USB Key was pulled out it asks for it and for the PIN again. Errors: agent.signature, agent.declined, those of package hsm.
func (s *signer) sign(ctx context.Context, message []byte) ([]byte, error) {
	for {
		value, err := s.key.SignMessage(ctx, message)
		switch {
		case err == nil:
			if !sm2.VerifyASN1WithSM2(s.public, []byte(oid.SM2UserID), message, value) {
				return nil, ErrSignature.New()
			}
			return value, nil
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case !fault.Has(err, hsm.ErrPINNeeded):
			if again := s.of.again(ctx, err); again != nil {
				return nil, again
			}
		}
		if err := s.of.login(ctx); err != nil {
			return nil, err
		}
	}
}

// validAt refuses a certificate outside its validity. Error: agent.certificate-expired.
func validAt(c *chain.Certificate, at time.Time) error {
	if c.ValidAt(at) {
		return nil
	}
	return ErrCertificateExpired.With("%s – %s", c.NotBefore.Format(time.DateOnly), c.NotAfter.Format(time.DateOnly))
}

// is makes a fits that wants exactly one certificate.
func is(der []byte) func([]byte) bool {
	return func(other []byte) bool { return bytes.Equal(der, other) }
}
