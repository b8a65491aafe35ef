package terminal_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/emmansun/gmsm/sm2"

	"yinxin/ca"
	"yinxin/fixtures"
	"yinxin/internal/access"
	"yinxin/internal/login"
	"yinxin/internal/oid"
	"yinxin/keystore"
	"yinxin/sealer/register"
	"yinxin/sealer/sealertest"
	"yinxin/sealer/terminal/manifest"
)

// asks begins a login in a name; the token is that of the browser.
func (w *world) asks(name string) (login.Challenge, string) {
	w.t.Helper()
	c, token, err := w.service.Ask(w.t.Context(), name, login.Origin{Address: "192.0.2.7", Agent: "a browser"})
	must(w.t, err)
	return c, token
}

// login gives a login as the terminal verifies it.
func (b *box) login(id string) *manifest.Login {
	b.t.Helper()
	e, err := b.service.Login(b.t.Context(), b.at(), id)
	must(b.t, err)
	l, err := manifest.VerifyLogin(e, manifest.Expected{Key: b.pinned, Terminal: b.id, Clerk: b.clerk.ID, Task: id, Now: b.now})
	must(b.t, err)
	return l
}

// answers is what a USB Key makes of a login.
func (w *world) answers(l *manifest.Login, key keystore.Key, certificate []byte) manifest.LoginAnswer {
	w.t.Helper()
	return manifest.LoginAnswer{Nonce: l.Nonce, Signature: signed(w.t, key, l.Statement(certificate)), Certificate: certificate}
}

// refusals are the reasons of the logins by USB Key of the clerk that were refused, the newest first.
func (w *world) refusals() (reasons []string) {
	w.t.Helper()
	list, err := w.logins.History(w.t.Context(), w.clerk, w.clerk.ID, login.Span{Limit: 100})
	must(w.t, err)
	for _, l := range list {
		if l.Refusal != "" {
			reasons = append(reasons, l.Reason)
		}
	}
	return reasons
}

func TestAClerkSignsInByUSBKey(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		b := w.pair(w.clerk)
		c, browser := w.asks("clerk")
		tasks, err := w.service.Waiting(ctx, b.at(), manifest.MaxWait)
		if err != nil || len(tasks.Logins) != 1 || tasks.Logins[0].ID != c.ID || len(tasks.Tasks) != 0 {
			t.Fatalf("%+v, %v", tasks, err)
		}
		l := b.login(c.ID)
		if l.Number != c.Number || l.User.ID != "clerk" || l.Address != "192.0.2.7" || l.Browser != "a browser" || l.Service != "临江省电子印章系统" || len(l.Certificates) != 1 ||
			!bytes.Equal(l.Certificates[0], w.certificate.Raw) || !l.Expires.Equal(w.now.Add(login.ChallengeLife)) {
			t.Fatalf("%+v", l)
		}
		a := w.answers(l, w.usb, w.certificate.Raw)
		must(t, w.service.AnswerLogin(ctx, b.at(), c.ID, a))
		must(t, w.service.AnswerLogin(ctx, b.at(), c.ID, a)) // its answer was lost
		wants(t, w.service.AnswerLogin(ctx, b.at(), c.ID, w.answers(l, w.usb, w.certificate.Raw)), "terminal.no-login")
		_, _, err = w.service.SignIn(ctx, "another browser", login.Origin{})
		wants(t, err, "login.key-none")
		in, token, err := w.service.SignIn(ctx, browser, login.Origin{Address: "192.0.2.7"})
		if err != nil || in.Actor.ID != "clerk" || in.Method != login.MethodKey || token == browser {
			t.Fatalf("%+v, %v", in, err)
		}
		// What was used is worth nothing more, neither at the terminal nor in the browser, nor for the next login.
		wants(t, w.service.AnswerLogin(ctx, b.at(), c.ID, a), "terminal.no-login")
		_, err = w.service.Login(ctx, b.at(), c.ID)
		wants(t, err, "terminal.no-login")
		_, _, err = w.service.SignIn(ctx, browser, login.Origin{})
		wants(t, err, "login.key-none")
		next, _ := w.asks("clerk")
		replayed := a
		replayed.Nonce = next.Nonce
		wants(t, w.service.AnswerLogin(ctx, b.at(), next.ID, replayed), "terminal.login-signature")
		if tasks, err := w.service.Waiting(ctx, b.at(), 0); err != nil || len(tasks.Logins) != 0 {
			t.Errorf("%+v, %v", tasks, err)
		}
	})
}

// TestALoginIsRefused for every reason there is; it ends with it, and the person reads why.
func TestALoginIsRefused(t *testing.T) {
	for want, wrong := range map[string]func(w *world, l *manifest.Login, a *manifest.LoginAnswer){
		"terminal.other-nonce":     func(_ *world, _ *manifest.Login, a *manifest.LoginAnswer) { a.Nonce = make([]byte, 32) },
		"terminal.login-signature": func(_ *world, _ *manifest.Login, a *manifest.LoginAnswer) { a.Signature[len(a.Signature)-1] ^= 1 },
		"terminal.login-certificate": func(w *world, l *manifest.Login, a *manifest.LoginAnswer) {
			key, certificate := w.colleaguesKey()
			*a = w.answers(l, key, certificate)
		},
		"terminal.login-certificate-revoked": func(w *world, _ *manifest.Login, _ *manifest.LoginAnswer) { w.revoke() },
		"terminal.login-expired":             func(w *world, _ *manifest.Login, _ *manifest.LoginAnswer) { w.now = w.now.Add(login.ChallengeLife) },
	} {
		t.Run(want, func(t *testing.T) {
			alone(t, func(t *testing.T, w *world) {
				ctx := t.Context()
				b := w.pair(w.clerk)
				c, browser := w.asks("clerk")
				l := b.login(c.ID)
				a := w.answers(l, w.usb, w.certificate.Raw)
				wrong(w, l, &a)
				wants(t, w.service.AnswerLogin(ctx, b.at(), c.ID, a), want)
				if _, _, err := w.service.SignIn(ctx, browser, login.Origin{}); err == nil {
					t.Error("somebody got in")
				}
				if want == "terminal.login-expired" {
					must(t, w.service.Recover(ctx))
					want = login.ErrKeyExpired.Code
				} else if again := w.service.AnswerLogin(ctx, b.at(), c.ID, w.answers(l, w.usb, w.certificate.Raw)); again == nil {
					t.Error("the login goes on")
				}
				if reasons := w.refusals(); len(reasons) != 1 || reasons[0] != want {
					t.Errorf("%v", reasons)
				}
			})
		})
	}
}

// colleaguesKey gives the colleague a USB Key with a seal of its own.
func (w *world) colleaguesKey() (keystore.Key, []byte) {
	w.t.Helper()
	ctx := w.t.Context()
	key, err := w.Keys.Generate(ctx, "colleague", keystore.PurposeSealing)
	must(w.t, err)
	archive := fixtures.Archive(sealertest.Town)
	r := ca.Request{Profile: ca.ProfileInstitution, Public: key.Public(), Organisation: archive.Name, CreditCode: archive.CreditCode, SealCode: code}
	certificate, err := w.authority.Issue(ctx, w.Agree(access.KindIssueCertificate, r.Subject()), r)
	must(w.t, err)
	o := register.Order{Code: code, Name: archive.Name, Organisation: archive.Name, CreditCode: archive.CreditCode, Type: 1, Width: 42, Height: 42,
		Template: sealertest.Picture(w.t), Picture: sealertest.Picture(w.t), Custody: register.UserKey, Holder: w.colleague.ID, Certificate: certificate.Raw}
	_, err = w.register.Make(ctx, w.Agree(access.KindMakeSeal, o.Subject()), o)
	must(w.t, err)
	return key, certificate.Raw
}

// revoke revokes the certificate on the clerk's USB Key.
func (w *world) revoke() {
	w.t.Helper()
	serial := w.certificate.Serial
	must(w.t, w.authority.Revoke(w.t.Context(), w.Agree(access.KindRevokeCertificate, ca.RevokeSubject(serial, ca.ReasonKeyCompromise)), serial, ca.ReasonKeyCompromise))
}

// TestWhatEndsBeforeTheBrowserComes: what the USB Key answered was right, and is no longer.
func TestWhatEndsBeforeTheBrowserComes(t *testing.T) {
	for want, end := range map[string]func(w *world, b *box){
		"terminal.login-certificate-revoked": func(w *world, _ *box) { w.revoke() },
		"terminal.not-found":                 func(w *world, b *box) { must(w.t, w.service.End(w.t.Context(), w.clerk, b.id, "given to somebody else")) },
		"terminal.login-certificate":         func(w *world, _ *box) { w.makeSeal("renewed") },
		"login.key-expired":                  func(w *world, _ *box) { w.now = w.now.Add(login.ChallengeLife) },
	} {
		t.Run(want, func(t *testing.T) {
			alone(t, func(t *testing.T, w *world) {
				b := w.pair(w.clerk)
				c, browser := w.asks("clerk")
				must(t, w.service.AnswerLogin(t.Context(), b.at(), c.ID, w.answers(b.login(c.ID), w.usb, w.certificate.Raw)))
				end(w, b)
				_, _, err := w.service.SignIn(t.Context(), browser, login.Origin{})
				wants(t, err, want)
				if n := w.count(`SELECT COUNT(*) FROM login_session`); n != 0 {
					t.Error("there is a session")
				}
			})
		})
	}
}

// TestALoginIsOfOnePersonsTerminalsAlone: others do not see it, cannot answer it, and cannot end it.
func TestALoginIsOfOnePersonsTerminalsAlone(t *testing.T) {
	alone(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		b, other := w.pair(w.clerk), w.pair(w.colleague)
		c, _ := w.asks("clerk")
		if tasks, err := w.service.Waiting(ctx, other.at(), 0); err != nil || len(tasks.Logins) != 0 {
			t.Errorf("%+v, %v", tasks, err)
		}
		l := b.login(c.ID)
		_, err := w.service.Login(ctx, other.at(), c.ID)
		wants(t, err, "terminal.no-login")
		wants(t, w.service.AnswerLogin(ctx, other.at(), c.ID, w.answers(l, w.usb, w.certificate.Raw)), "terminal.no-login")
		wants(t, w.service.DeclineLogin(ctx, other.at(), c.ID, "agent.login-declined"), "terminal.no-login")
		// The statement is of one terminal: what was signed for it is worth nothing at another of the same person.
		second := w.pair(w.clerk)
		wants(t, w.service.AnswerLogin(ctx, second.at(), c.ID, w.answers(l, w.usb, w.certificate.Raw)), "terminal.login-signature")
		c, browser := w.asks("clerk")
		must(t, w.service.DeclineLogin(ctx, b.at(), c.ID, "agent.login-declined"))
		wants(t, w.service.DeclineLogin(ctx, b.at(), c.ID, "agent.login-declined"), "terminal.no-login")
		_, _, err = w.service.SignIn(ctx, browser, login.Origin{})
		wants(t, err, "login.key-waits")
		// Who has no USB Key is told so at the terminal, and nowhere else.
		c, _ = w.asks("colleague")
		_, err = w.service.Login(ctx, other.at(), c.ID)
		wants(t, err, "terminal.login-no-certificate")
	})
}

// TestASealIsNoLoginAndALoginNoSeal: what the USB Key signed for one is never taken for the other, by the same key and certificate.
func TestASealIsNoLoginAndALoginNoSeal(t *testing.T) {
	alone(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		b := w.pair(w.clerk)
		task := w.ask(1)
		claim := b.claim(task.ID)
		m := b.prepare(task.ID, claim.Items[0])
		c, _ := w.asks("clerk")
		l := b.login(c.ID)
		asLogin, asSeal := w.answers(l, w.usb, w.certificate.Raw), b.sign(m)
		if first := l.Statement(w.certificate.Raw)[0]; first == m.ToBeSigned[0] || first == 0x30 || first == 0x31 {
			t.Errorf("a statement begins with %#x as DER does", first)
		}
		// The signatures change places.
		sealing, in := asSeal, asLogin
		sealing.Signature, in.Signature = asLogin.Signature, asSeal.Signature
		_, err := w.service.Complete(ctx, b.at(), sealing)
		wants(t, err, "terminal.bad-signature")
		wants(t, w.service.AnswerLogin(ctx, b.at(), c.ID, in), "terminal.login-signature")
		// What server and terminal say to each other keeps apart, too.
		e, err := w.service.Prepare(ctx, b.at(), task.ID, claim.Items[0].ID)
		must(t, err)
		_, err = manifest.VerifyLogin(e, manifest.Expected{Key: b.pinned, Terminal: b.id, Clerk: b.clerk.ID, Task: c.ID, Now: b.now})
		wants(t, err, "terminal.login-forged")
		c, _ = w.asks("clerk")
		e, err = w.service.Login(ctx, b.at(), c.ID)
		must(t, err)
		_, err = manifest.Verify(e, b.expect(task.ID, claim.Items[0]))
		wants(t, err, "terminal.manifest-forged")
		if sm2.VerifyASN1WithSM2(b.pinned, []byte(oid.SM2UserID), e.Manifest, e.Signature) {
			t.Error("the server signs the bare octets of a login, as it does those of a manifest")
		}
		// In their places they are right.
		_, err = w.service.Complete(ctx, b.at(), asSeal)
		must(t, err)
		must(t, w.service.AnswerLogin(ctx, b.at(), c.ID, w.answers(b.login(c.ID), w.usb, w.certificate.Raw)))
	})
}

// TestAWaitingTerminalIsToldOfALoginAtOnce, by the process in which it is asked for.
func TestAWaitingTerminalIsToldOfALoginAtOnce(t *testing.T) {
	alone(t, func(t *testing.T, w *world) {
		b := w.pair(w.clerk)
		at := b.at()
		type told struct {
			tasks manifest.Tasks
			err   error
		}
		answered := make(chan told)
		go func() {
			tasks, err := w.service.Waiting(t.Context(), at, manifest.MaxWait)
			answered <- told{tasks, err}
		}()
		started := time.Now()
		c, _ := w.asks("clerk")
		if got := <-answered; got.err != nil || len(got.tasks.Logins) != 1 || got.tasks.Logins[0].ID != c.ID || time.Since(started) > manifest.MaxWait/2 {
			t.Errorf("%+v after %v", got, time.Since(started))
		}
	})
}

func TestAnEnvelopeOfALoginIsTakenAsItIs(t *testing.T) {
	alone(t, func(t *testing.T, w *world) {
		b := w.pair(w.clerk)
		c, _ := w.asks("clerk")
		e, err := w.service.Login(t.Context(), b.at(), c.ID)
		must(t, err)
		want := manifest.Expected{Key: b.pinned, Terminal: b.id, Clerk: b.clerk.ID, Task: c.ID, Now: b.now}
		_, err = manifest.VerifyLogin(e, want)
		must(t, err)
		for name, change := range map[string]struct {
			want   string
			change func(e *manifest.Envelope, x *manifest.Expected)
		}{
			"an octet":         {"terminal.login-forged", func(e *manifest.Envelope, _ *manifest.Expected) { e.Manifest[len(e.Manifest)/2] ^= 1 }},
			"the signature":    {"terminal.login-forged", func(e *manifest.Envelope, _ *manifest.Expected) { e.Signature[8] ^= 1 }},
			"another server":   {"terminal.login-forged", func(_ *manifest.Envelope, x *manifest.Expected) { x.Key = b.Public() }},
			"another terminal": {"terminal.login-other", func(_ *manifest.Envelope, x *manifest.Expected) { x.Terminal = "trm_other" }},
			"another person":   {"terminal.login-other", func(_ *manifest.Envelope, x *manifest.Expected) { x.Clerk = "colleague" }},
			"another login":    {"terminal.login-other", func(_ *manifest.Envelope, x *manifest.Expected) { x.Task = "lgn_other" }},
			"too late":         {"terminal.login-expired", func(_ *manifest.Envelope, x *manifest.Expected) { x.Now = x.Now.Add(login.ChallengeLife) }},
			"from the future":  {"terminal.clock", func(_ *manifest.Envelope, x *manifest.Expected) { x.Now = x.Now.Add(-3 * time.Minute) }},
		} {
			changed, expected := manifest.Envelope{Manifest: bytes.Clone(e.Manifest), Signature: bytes.Clone(e.Signature)}, want
			change.change(&changed, &expected)
			if l, err := manifest.VerifyLogin(changed, expected); l != nil && change.want == "terminal.login-forged" || err == nil {
				t.Errorf("%s: %+v", name, l)
			} else {
				wants(t, err, change.want)
			}
		}
	})
}
