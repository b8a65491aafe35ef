package agent

import (
	"context"
	"crypto/ecdsa"
	"crypto/x509"
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"time"

	"yinxin/ca/chain"
	"yinxin/hsm"
	"yinxin/internal/fault"
	"yinxin/sealer/terminal/manifest"
)

// Offered is a USB Key that was offered to a server to sign in with.
type Offered struct {
	Key         string    // identifier there
	Certificate string    // whose, and its serial number
	Expires     time.Time // by then it has to be confirmed on the page
}

// OfferKey offers the server a certificate on the USB Key to sign in with: the one with a serial number in hex, or the only one. It lets
// nobody in before the person has confirmed it on the server's page. Errors: agent.no-login-certificate, agent.login-certificates, those of the
// server and of package hsm.
func (a *Agent) OfferKey(ctx context.Context, serial string) (Offered, error) {
	key, err := a.Device.unlock(ctx, a.Desk, PINQuestion{What: "登记 UKey 用于登录 offer the USB Key to sign in at " + shown(a.link.base)}, a.Clock)
	if err != nil {
		return Offered{}, err
	}
	defer key.close()
	s, err := key.forLogin(ctx, serial, a.Clock())
	if err != nil {
		return Offered{}, err
	}
	now := a.Clock().UTC().Truncate(time.Second)
	value, err := s.sign(ctx, manifest.OfferStatement(a.link.pinned, a.link.terminal, a.link.clerk, now, s.certificate.Raw))
	if err != nil {
		return Offered{}, err
	}
	var taken manifest.KeyOffered
	err = a.link.call(ctx, http.MethodPost, manifest.RouteKeys, manifest.KeyOffer{Time: now, Certificate: s.certificate.Raw, Signature: value}, &taken, answerTime)
	return Offered{Key: taken.Key, Certificate: named(s.certificate), Expires: taken.Expires}, err
}

// named says whose a certificate is, for people.
func named(c *chain.Certificate) string {
	return fmt.Sprintf("%s  %032x", shown(c.Subject.String()), c.Serial)
}

// forLogin finds the key of a certificate that may sign now: the one with a serial number in hex, or the only one. Errors:
// agent.no-login-certificate, agent.login-certificates.
func (u *unlocked) forLogin(ctx context.Context, serial string, now time.Time) (*signer, error) {
	wanted, ok := new(big.Int).SetString(serial, 16)
	if serial != "" && !ok {
		return nil, ErrNoLoginCertificate.With("%.64q", serial)
	}
	list, err := u.token.Certificates(ctx)
	if err != nil {
		return nil, err
	}
	var found []*signer
	var names []string
	for _, c := range list {
		certificate, err := chain.ParseCertificate(c.DER)
		if err != nil || !certificate.ValidAt(now) || certificate.IsCA || certificate.HasKeyUsage && certificate.KeyUsage&x509.KeyUsageDigitalSignature == 0 ||
			serial != "" && certificate.Serial.Cmp(wanted) != 0 {
			continue
		}
		if public, ok := certificate.PublicKey.(*ecdsa.PublicKey); !ok || manifest.Point(public) == nil {
			continue
		}
		s, err := u.signer(ctx, is(c.DER))
		if fault.Has(err, ErrWrongKey) || fault.Has(err, hsm.ErrKeyNotFound) {
			continue // a certificate without its key
		}
		if err != nil {
			return nil, err
		}
		found, names = append(found, s), append(names, named(certificate))
	}
	switch {
	case len(found) == 0:
		return nil, ErrNoLoginCertificate.New()
	case len(found) > 1:
		return nil, ErrLoginCertificates.With("%s", strings.Join(names, "; "))
	}
	return found[0], nil
}
