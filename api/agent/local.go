package agent

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"yinxin/ca/chain"
	"yinxin/internal/files"
	"yinxin/sealer"
	"yinxin/sealer/register"
	"yinxin/sealer/ses"
	"yinxin/sealer/verify"
)

// Seals are on the USB Key as data objects: application "yinxin", label "seal-" and the code, the DER of SESeal.
const (
	Application = "yinxin"
	SealPrefix  = "seal-"
)

// Local seals files at the terminal, without a server.
type Local struct {
	Device  Device
	Desk    Desk
	Planner Planner
	Clock   func() time.Time
	// Chain has the trust anchors by which the result is verified; nil: whether signer and seal maker are trusted is not asked.
	Chain *chain.Verifier
}

// Planner plans the update of a file: a sealer.Service, which needs no database for it.
type Planner interface {
	PlanFile(ctx context.Context, in register.Instance, name string, file files.Object, o sealer.Order) (*sealer.Plan, sealer.Details, error)
}

var _ Planner = (*sealer.Service)(nil)

// LocalSeal is a sealed local file.
type LocalSeal struct {
	Seal        *ses.Seal
	Certificate *chain.Certificate
	Details     sealer.Details
	Verdict     verify.Verdict
	Summary     string
	// Update is what goes behind the original.
	Update []byte
}

// SealFile asks for the PIN and seals a file with a seal on the USB Key: the one of the order's code, or the only one where it
// is empty. The file is not changed: the sealed one is its bytes and then Update. Errors: agent.no-seal, agent.several-seals,
// agent.wrong-key, agent.certificate-expired, agent.seal-expired, agent.not-verified; those of the sealer and package hsm.
func (l Local) SealFile(ctx context.Context, name string, file files.Object, o sealer.Order) (LocalSeal, error) {
	ask := PINQuestion{What: fmt.Sprintf("盖章 seal %s", shown(name))}
	u, err := l.Device.unlock(ctx, l.Desk, ask, l.Clock)
	if err != nil {
		return LocalSeal{}, err
	}
	defer u.close()
	seals, err := u.seals(ctx)
	if err != nil {
		return LocalSeal{}, err
	}
	seal, err := choose(seals, o.Seal)
	if err != nil {
		return LocalSeal{}, err
	}
	s, err := u.signer(ctx, seal.Lists)
	if err != nil {
		return LocalSeal{}, err
	}
	now := l.Clock()
	if err := validAt(s.certificate, now); err != nil {
		return LocalSeal{}, err
	}
	if now.Before(seal.ValidStart) || now.After(seal.ValidEnd) {
		return LocalSeal{}, ErrSealExpired.With("%s – %s", seal.ValidStart.Format(time.DateOnly), seal.ValidEnd.Format(time.DateOnly))
	}
	o.Seal = seal.ID
	plan, details, err := l.Planner.PlanFile(ctx, instanceOf(seal, s.certificate), name, file, o)
	if err != nil {
		return LocalSeal{}, err
	}
	value, err := s.sign(ctx, plan.ToSign())
	if err != nil {
		return LocalSeal{}, err
	}
	update, err := plan.Complete(ctx, value)
	if err != nil {
		return LocalSeal{}, err
	}
	done := LocalSeal{Seal: seal, Certificate: s.certificate, Details: details, Update: update}
	done.Verdict, done.Summary, err = l.check(ctx, name, files.Concat(file, inMemory{bytes.NewReader(update)}), seal, plan.Field())
	return done, err
}

// Seals asks for the PIN and lists the seals on the USB Key.
func (l Local) Seals(ctx context.Context) ([]*ses.Seal, error) {
	u, err := l.Device.unlock(ctx, l.Desk, PINQuestion{What: "查看印章 list seals"}, l.Clock)
	if err != nil {
		return nil, err
	}
	defer u.close()
	return u.seals(ctx)
}

// seals reads the seals on the token. What is not a seal under its own code is none.
func (u *unlocked) seals(ctx context.Context) ([]*ses.Seal, error) {
	list, err := u.token.Data(ctx, Application)
	if err != nil {
		return nil, err
	}
	var seals []*ses.Seal
	for _, d := range list {
		code, ok := strings.CutPrefix(d.Label, SealPrefix)
		if !ok {
			continue
		}
		if seal, err := ses.ParseSeal(d.Value); err == nil && seal.ID == code && seal.Version != ses.Version1 {
			seals = append(seals, seal)
		}
	}
	return seals, nil
}

func choose(seals []*ses.Seal, code string) (*ses.Seal, error) {
	var found []*ses.Seal
	for _, s := range seals {
		if code == "" || s.ID == code {
			found = append(found, s)
		}
	}
	switch {
	case len(found) == 0:
		return nil, ErrNoSeal.With("%.40s", code)
	case len(found) > 1:
		return nil, ErrSeveralSeals.With("%d", len(found))
	}
	return found[0], nil
}

// instanceOf describes a seal on a token as the register describes one of its own.
func instanceOf(seal *ses.Seal, certificate *chain.Certificate) register.Instance {
	in := register.Instance{ID: seal.ID, SealCode: seal.ID, SealName: seal.Name, Custody: register.UserKey, Certificate: certificate.Raw, Seal: seal.Raw,
		Picture: seal.Picture.Data, ValidFrom: seal.ValidStart, ValidUntil: seal.ValidEnd}
	in.Width, in.Height = seal.TrueSize()
	return in
}

// check judges the sealed file as anybody would who gets it. Nothing may be wrong; where there are trust anchors, signer and
// seal maker must be trusted. What only a server knows, such as a revocation, may stay unknown.
func (l Local) check(ctx context.Context, name string, sealed files.Object, seal *ses.Seal, field string) (verify.Verdict, string, error) {
	report := verify.File(ctx, name, sealed, sealed.Size(), verify.Options{Chain: l.Chain, At: l.Clock()})
	if ctx.Err() != nil {
		return "", "", ctx.Err()
	}
	for _, s := range report.Signatures {
		if s.Field != field {
			continue
		}
		good := s.Verdict == verify.Valid || s.Verdict == verify.Undetermined
		for _, c := range s.Checks {
			trust := c.Name == verify.CheckSigner || c.Name == verify.CheckMaker
			good = good && c.Result != verify.Failed && (!trust || l.Chain == nil || c.Result == verify.OK)
		}
		if !good || s.SealID != seal.ID || s.Coverage != verify.CoverageWhole {
			return s.Verdict, s.Summary, ErrNotVerified.With("%s", s.Summary)
		}
		return s.Verdict, s.Summary, nil
	}
	return report.Verdict, report.Summary, ErrNotVerified.With("%s", report.Summary)
}

// inMemory is an object that lies in memory.
type inMemory struct{ *bytes.Reader }

func (inMemory) Close() error { return nil }

var _ files.Object = inMemory{}

// WriteSealed writes the sealed file: the original, then the update.
func (s LocalSeal) WriteSealed(w io.Writer, original files.Object) error {
	if _, err := io.Copy(w, io.NewSectionReader(original, 0, original.Size())); err != nil {
		return err
	}
	_, err := w.Write(s.Update)
	return err
}
