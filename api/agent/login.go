package agent

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"yinxin/ca/chain"
	"yinxin/internal/civil"
	"yinxin/internal/fault"
	"yinxin/sealer/terminal/manifest"
)

// LoginQuestion is a login that a person agrees to.
type LoginQuestion struct {
	Service      string // what the installation calls itself
	Server       string // URL
	User         string
	Number       string // that the page shows as well
	Address      string // of the browser that asks
	Browser      string
	Certificates []string // whose, and until when
	Expires      time.Time
}

// text is the question, line by line.
func (q LoginQuestion) text() string {
	var b told
	line := b.line
	line("登录系统", "sign in at", q.Service)
	line("服务器", "server", q.Server)
	line("用户", "user", q.User)
	line("来自", "asked from", q.Address)
	line("浏览器", "browser", q.Browser)
	for _, c := range q.Certificates {
		line("证书", "certificate", c)
	}
	line("有效至", "until", civilTime(q.Expires))
	line("确认码", "number", q.Number)
	return b.String()
}

// ask says what to look at.
func (q LoginQuestion) ask() string {
	return fmt.Sprintf("登录页上的确认码是 %s 吗？不是您本人在登录的，请拒绝。\nDoes the page show %s? If it is not you who signs in, decline.", q.Number, q.Number)
}

// signIn answers one login with the USB Key, if the person at the terminal agrees. Whatever else becomes of it is told to the server,
// and is the error.
func (a *Agent) signIn(ctx context.Context, id string) error {
	a.busy.Lock()
	defer a.busy.Unlock()
	err := a.answerLogin(ctx, id)
	if err == nil || ctx.Err() != nil || fault.Has(err, ErrLater) || fault.Has(err, ErrUnreachable) {
		return err // who was put off is asked again, and what is not reached ends by itself
	}
	if f, ok := fault.Of(err); ok {
		_ = a.service.declineLogin(ctx, id, f.Code) // what the server refused itself has ended there
	}
	return err
}

func (a *Agent) answerLogin(ctx context.Context, id string) error {
	l, err := a.service.login(ctx, id)
	if err != nil {
		return err
	}
	q := LoginQuestion{Service: shown(l.Service), Server: a.service.address(), User: shown(l.User.Name + " " + l.User.ID), Number: l.Number, Address: shown(l.Address),
		Browser: shown(l.Browser), Expires: l.Expires}
	for _, der := range l.Certificates {
		c, err := chain.ParseCertificate(der)
		if err != nil {
			return manifest.ErrLoginForged.At(fault.Field("certificates")).Because(err)
		}
		q.Certificates = append(q.Certificates, fmt.Sprintf("%s  至 until %s", shown(c.Subject.String()), c.NotAfter.In(civil.China).Format(time.DateOnly)))
	}
	// The question goes away with the login.
	limited, cancel := context.WithTimeout(ctx, l.Expires.Sub(a.Clock()))
	defer cancel()
	answer, err := a.Desk.AgreeLogin(limited, q)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case limited.Err() != nil:
		return manifest.ErrLoginExpired.New()
	case err != nil:
		return err
	case answer == No:
		return ErrLoginDeclined.New()
	case answer != Yes:
		return ErrLater.New()
	}
	s, err := a.loginSigner(ctx, l)
	if err != nil {
		return err
	}
	defer s.of.close()
	if err := l.InTime(a.Clock()); err != nil {
		return err
	}
	// The text is made here of what was shown: nothing that came from elsewhere is signed as it came.
	value, err := s.sign(ctx, l.Statement(s.certificate.Raw))
	if err != nil {
		return err
	}
	return a.service.answerLogin(ctx, l, value, s.certificate.Raw)
}

// loginSigner asks for the PIN and finds a key of the person on the USB Key. Where there is none another one may be inserted. Errors:
// agent.login-wrong-key, agent.login-certificate-expired, those of package hsm.
func (a *Agent) loginSigner(ctx context.Context, l *manifest.Login) (*signer, error) {
	for {
		key, err := a.Device.unlock(ctx, a.Desk, PINQuestion{What: "登录 sign in at " + l.Service}, a.Clock)
		if err != nil {
			return nil, err
		}
		s, err := key.signer(ctx, func(der []byte) bool {
			return slices.ContainsFunc(l.Certificates, func(own []byte) bool { return bytes.Equal(own, der) })
		})
		if fault.Has(err, ErrWrongKey) {
			err = ErrLoginWrongKey.New()
		}
		if err == nil && !s.certificate.ValidAt(a.Clock()) {
			err = ErrLoginCertificateExpired.With("%s – %s", s.certificate.NotBefore.Format(time.DateOnly), s.certificate.NotAfter.Format(time.DateOnly))
		}
		if err == nil {
			return s, nil
		}
		key.close()
		if again := key.again(ctx, err); again != nil {
			return nil, again
		}
	}
}

// AgreeLogin implements Desk.
func (d *Dialogs) AgreeLogin(ctx context.Context, q LoginQuestion) (Answer, error) {
	return d.choose(ctx, q.text()+"\n"+q.ask(), okSignIn)
}

// AgreeLogin implements Desk.
func (p *Prompt) AgreeLogin(ctx context.Context, q LoginQuestion) (Answer, error) {
	fmt.Fprintln(p.out)
	fmt.Fprint(p.out, q.text())
	return p.choose(ctx, q.ask()+"\n[y 同意登录 sign in / n 拒绝 decline / 回车 Enter：以后再说 later]")
}
