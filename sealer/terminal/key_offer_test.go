package terminal_test

import (
	"testing"
	"time"

	"yinxin/ca"
	"yinxin/internal/access"
	"yinxin/internal/login"
	"yinxin/keystore"
	"yinxin/sealer/register"
	"yinxin/sealer/terminal/manifest"
)

const password = "a password of twelve"

// signedIn gives somebody a password and signs them in with it.
func (w *world) signedIn(id string) login.Session {
	w.t.Helper()
	must(w.t, w.logins.FoundingPassword(w.t.Context(), id, password))
	in, _, err := w.logins.ByPassword(w.t.Context(), id, password, login.Origin{})
	must(w.t, err)
	return in
}

// personal gives a USB Key with a personal certificate.
func (w *world) personal(name string) (keystore.Key, []byte) {
	w.t.Helper()
	ctx := w.t.Context()
	key, err := w.Keys.Generate(ctx, "personal", keystore.PurposeSealing)
	must(w.t, err)
	r := ca.Request{Profile: ca.ProfilePersonal, Public: key.Public(), Organisation: "临江省档案局", CommonName: name}
	c, err := w.authority.Issue(ctx, w.Agree(access.KindIssueCertificate, r.Subject()), r)
	must(w.t, err)
	return key, c.Raw
}

// offer is what a USB Key signs to be offered at a terminal.
func (b *box) offer(of access.Actor, key keystore.Key, certificate []byte, at time.Time) manifest.KeyOffer {
	b.t.Helper()
	at = at.UTC().Truncate(time.Second)
	return manifest.KeyOffer{Time: at, Certificate: certificate, Signature: signed(b.t, key, manifest.OfferStatement(b.pinned, b.id, of.ID, at, certificate))}
}

func TestAnAuditorSignsInWithAKeyThatWasOffered(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		auditor, err := w.access.CreateActor(ctx, access.Actor{ID: "auditor-2", Name: "审计", Roles: []access.Role{access.RoleAuditor}})
		must(t, err)
		in := w.signedIn(auditor.ID)
		b := w.pair(auditor)
		key, certificate := w.personal("王五")
		_, err = w.service.OfferKey(ctx, b.at(), b.offer(auditor, key, certificate, w.now.Add(-manifest.Tolerance-time.Second)))
		wants(t, err, "terminal.clock")
		_, err = w.service.OfferKey(ctx, b.at(), b.offer(auditor, w.usb, certificate, w.now))
		wants(t, err, "terminal.login-signature")
		_, err = w.service.OfferKey(ctx, b.at(), b.offer(auditor, w.usb, w.certificate.Raw, w.now)) // that of the clerk's seal
		wants(t, err, "terminal.login-certificate")
		o, err := w.service.OfferKey(ctx, b.at(), b.offer(auditor, key, certificate, w.now))
		must(t, err)
		c, browser := w.asks(auditor.ID)
		_, err = w.service.Login(ctx, b.at(), c.ID)
		wants(t, err, "terminal.login-no-certificate")
		wants(t, w.service.ConfirmKey(ctx, w.signedIn(w.registrar.ID), o.Key, password, login.Origin{}), "login.key-not-found")
		must(t, w.service.ConfirmKey(ctx, in, o.Key, password, login.Origin{}))

		answer := func(c login.Challenge) error {
			e, err := w.service.Login(ctx, b.at(), c.ID)
			must(t, err)
			l, err := manifest.VerifyLogin(e, manifest.Expected{Key: b.pinned, Terminal: b.id, Clerk: auditor.ID, Task: c.ID, Now: w.now})
			must(t, err)
			return w.service.AnswerLogin(ctx, b.at(), c.ID, w.answers(l, key, certificate))
		}
		must(t, answer(c))
		_, token, err := w.service.SignIn(ctx, browser, login.Origin{})
		must(t, err)
		must(t, w.logins.EndKey(ctx, auditor, auditor.ID, o.Key))
		if _, err := w.logins.Session(ctx, token); err == nil {
			t.Error("the session goes on without its Key")
		}
		// What was offered at a terminal that ended since is nobody's any more.
		o, err = w.service.OfferKey(ctx, b.at(), b.offer(auditor, key, certificate, w.now))
		must(t, err)
		must(t, w.service.End(ctx, auditor, b.id, ""))
		wants(t, w.service.ConfirmKey(ctx, in, o.Key, password, login.Origin{}), "terminal.not-found")
	})
}

// TestAKeyThatBecameTheSealOfAnotherOpensNothing: a clerk's Key opens the clerk's account alone.
func TestAKeyThatBecameTheSealOfAnotherOpensNothing(t *testing.T) {
	alone(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		auditor, err := w.access.CreateActor(ctx, access.Actor{ID: "auditor-2", Name: "审计", Roles: []access.Role{access.RoleAuditor}})
		must(t, err)
		in := w.signedIn(auditor.ID)
		b := w.pair(auditor)
		key, certificate := w.personal("王五")
		o, err := w.service.OfferKey(ctx, b.at(), b.offer(auditor, key, certificate, w.now))
		must(t, err)
		must(t, w.service.ConfirmKey(ctx, in, o.Key, password, login.Origin{}))
		c, _ := w.asks(auditor.ID)
		_, err = w.service.Login(ctx, b.at(), c.ID)
		must(t, err)
		w.exec(`UPDATE seal_instance SET certificate = $1 WHERE holder = $2 AND custody = $3`, certificate, w.clerk.ID, string(register.UserKey))
		_, err = w.service.Login(ctx, b.at(), c.ID)
		wants(t, err, "terminal.login-no-certificate")
	})
}
