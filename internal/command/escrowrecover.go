package command

import (
	"context"
	"crypto/ecdsa"
	"encoding/pem"
	"fmt"
	"io"
	"strings"

	"github.com/emmansun/gmsm/smx509"

	"yinxin/ca/chain"
	"yinxin/ca/escrow"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/keystore"
)

// sessionFlags are how an approved session is opened and gets its shares.
type sessionFlags struct {
	dataFlags
	Request  bool     `help:"Ask two people for it."`
	Approval string   `help:"Do what was approved under this request." placeholder:"ID"`
	Session  string   `help:"Go on with a session that expired or was interrupted." placeholder:"ID"`
	Share    []string `name:"share" help:"File with a share; may be repeated. Shares that are missing are read from standard input." placeholder:"FILE" sep:"none"`
	As       string   `help:"Actor who asks, or opens the session (default: the operator recorded in the data directory)." placeholder:"ACTOR"`
	Yes      bool     `help:"Open the session. Without it, it is only said what would be done."`
}

func (f sessionFlags) redeems() bool { return f.Approval != "" || f.Session != "" }

// ask makes the request, or says what would be asked for.
func (f sessionFlags) ask(ctx context.Context, s streams, kind access.Kind, subject []byte, check func(ctx context.Context, c *escrow.Centre) error) error {
	h, actor, err := openAs(ctx, f.dataFlags, f.As, s.now)
	if err != nil {
		return err
	}
	defer h.close()
	if err := check(ctx, h.escrow); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "%s\n%s\n", kind, subject)
	if !f.Request {
		fmt.Fprintln(s.out, "未做任何更改；加 --request 提出申请。 Nothing was changed; --request asks for it.")
		return nil
	}
	id, err := h.access.Request(ctx, actor, kind, subject)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "已申请，须由另一人批准 requested; another person must approve it:\n  yinxin approvals approve %s\n", id)
	return h.settle(ctx)
}

// approved reads what was approved, and refuses what is of another kind.
func (f sessionFlags) approved(ctx context.Context, h *installation, kind access.Kind) ([]byte, error) {
	p, err := h.access.Pending(ctx, f.Approval)
	if err != nil {
		return nil, err
	}
	if p.Kind != kind {
		return nil, access.ErrOtherSubject.With("%s", p.Kind)
	}
	return p.Subject, nil
}

// held is a session with its shares, in this process.
type held struct {
	h       *installation
	by      access.Actor
	session string
}

// hold opens the session and presents the shares, each in the name of the officer who keeps it: whoever brings the
// share to this machine has it from that officer. Nil without --yes.
func (f sessionFlags) hold(ctx context.Context, s streams, h *installation, by access.Actor, kind access.Kind) (*held, error) {
	st, err := h.escrow.Status(ctx)
	if err != nil {
		return nil, err
	}
	if st.Current == nil {
		return nil, escrow.ErrNotEstablished.New()
	}
	var order escrow.Order
	if f.Session == "" {
		subject, err := f.approved(ctx, h, kind)
		if err != nil {
			return nil, err
		}
		if order, err = escrow.ParseOrder(subject); err != nil {
			return nil, err
		}
		fmt.Fprintf(s.out, "%s\n", subject)
	}
	fmt.Fprintf(s.out, "需要 %d 份份额 shares needed: %d (%s)\n", st.Current.Threshold, st.Current.Threshold, strings.Join(st.Current.Officers, ", "))
	if !f.Yes {
		return nil, nothingDone(s)
	}
	// The shares come first: a session is not opened for people who are not there.
	shares, err := readShares(s, f.Share, st.Current.Set)
	if err != nil {
		return nil, err
	}
	var session escrow.Session
	if f.Session != "" {
		session, err = h.escrow.Resume(ctx, by, f.Session)
	} else {
		session, err = h.escrow.Start(ctx, by, f.Approval, order)
	}
	if err != nil {
		return nil, err
	}
	r := &held{h: h, by: by, session: session.ID}
	for _, share := range shares {
		officer := access.Actor{ID: st.Current.Officers[share.Index()-1]}
		if _, err := h.escrow.Present(ctx, officer, session.ID, share); err != nil {
			r.name(s.err)
			return nil, err
		}
	}
	return r, nil
}

// name says how the session is called, for --session.
func (r *held) name(w io.Writer) { fmt.Fprintf(w, "会话 session: %s\n", r.session) }

func (r *held) finish(ctx context.Context, s streams) (escrow.Outcome, error) {
	out, err := r.h.escrow.Finish(ctx, r.by, r.session)
	if err == nil {
		r.name(s.out)
	} else {
		r.name(s.err)
	}
	return out, err
}

type escrowRecoverCommand struct {
	sessionFlags
	Key         string `help:"The key, as yinxin escrow list names it." placeholder:"KEY" xor:"key"`
	Certificate string `help:"Instead of --key: serial number of an encryption certificate of the key, or of its holder's signing certificate." placeholder:"SERIAL" xor:"key"`
	Holder      string `help:"Instead of --key: whole name or actor of the holder, or part of the organisation's name. What fits is listed, names masked." placeholder:"TEXT" xor:"key"`
	Recipient   string `help:"SM2 certificate or public key of the one for whom the key is enveloped." placeholder:"FILE"`
	For         string `name:"for" help:"Who gets it." placeholder:"TEXT"`
	Why         string `help:"Why." placeholder:"TEXT"`
	Out         string `short:"o" help:"File for the enveloped key (SM2EnvelopedKey, DER)." placeholder:"FILE"`
	Collect     bool   `help:"With --session: write the envelope of a recovery that is done once more."`
}

// Help is printed by --help.
func (escrowRecoverCommand) Help() string {
	return "First --key (or --certificate or --holder: with more than one key that fits, or without --recipient, they are only listed), --recipient, --for, --why and --request; then another person approves (yinxin approvals approve); then --approval with the shares, -o and --yes."
}

func (c escrowRecoverCommand) Run(ctx context.Context, s streams) error {
	if !c.redeems() {
		return c.propose(ctx, s)
	}
	if c.Out == "" {
		return errMissing.At(fault.Field("-o"))
	}
	if err := checkOutput(c.Out); err != nil {
		return err
	}
	h, by, err := openAs(ctx, c.dataFlags, c.As, s.now)
	if err != nil {
		return err
	}
	defer h.close()
	var envelope []byte
	if c.Collect {
		envelope, err = c.collect(ctx, h, by)
	} else {
		var r *held
		if r, err = c.hold(ctx, s, h, by, access.KindRecoverKey); err != nil || r == nil {
			return err
		}
		var out escrow.Outcome
		out, err = r.finish(ctx, s)
		envelope = out.Envelope
	}
	if err != nil {
		return err
	}
	if envelope == nil {
		return escrow.ErrOrder.At(fault.Field("act"))
	}
	if err := writeBytes(ctx, c.Out, 0o600, envelope); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "✔ 已恢复 recovered: %s\n", c.Out)
	return h.settle(ctx)
}

func (c escrowRecoverCommand) collect(ctx context.Context, h *installation, by access.Actor) ([]byte, error) {
	if c.Session == "" {
		return nil, errMissing.At(fault.Field("--session"))
	}
	return h.escrow.Collect(ctx, by, c.Session)
}

func (c escrowRecoverCommand) propose(ctx context.Context, s streams) error {
	if c.Certificate != "" || c.Holder != "" {
		key, err := c.choose(ctx, s)
		if err != nil || key == "" {
			return err
		}
		c.Key = key
	}
	if c.Recipient == "" {
		return errMissing.At(fault.Field("--recipient"))
	}
	recipient, err := readPublicKey(c.Recipient, "--recipient")
	if err != nil {
		return err
	}
	o := escrow.Recovery{Key: c.Key, Recipient: recipient, For: c.For, Why: c.Why}
	if err := o.Check(); err != nil {
		return err
	}
	return c.ask(ctx, s, o.Kind(), o.Subject(), func(ctx context.Context, centre *escrow.Centre) error {
		_, err := centre.Key(ctx, c.Key)
		return err
	})
}

// choose finds the key by certificate or holder. Empty where they were only listed.
func (c escrowRecoverCommand) choose(ctx context.Context, s streams) (string, error) {
	h, err := openInstallation(ctx, c.dataFlags, s.now)
	if err != nil {
		return "", err
	}
	defer h.close()
	list, err := h.escrow.Find(ctx, escrow.Search{Certificate: c.Certificate, Holder: c.Holder})
	if err != nil {
		return "", err
	}
	printEntries(s, list)
	switch {
	case len(list) == 1 && c.Recipient != "":
		return list[0].ID, nil
	case c.Request && len(list) > 1:
		return "", escrow.ErrSeveral.With("%d", len(list)).At(fault.Field("--key"))
	}
	fmt.Fprintln(s.out, "用 --key 选定一个，另加 --recipient、--for、--why。 Choose one with --key, and add --recipient, --for and --why.")
	return "", nil
}

// readPublicKey takes the SM2 key out of a certificate or a SubjectPublicKeyInfo, in PEM or DER; flag named the file.
func readPublicKey(name, flag string) (*ecdsa.PublicKey, error) {
	data, err := readSmall(name)
	if err != nil {
		return nil, err
	}
	var any any
	if block, _ := pem.Decode(data); block != nil {
		data = block.Bytes
	}
	if certificate, otherwise := chain.ParseCertificate(data); otherwise == nil {
		any = certificate.PublicKey
	} else if any, err = smx509.ParsePKIXPublicKey(data); err != nil {
		return nil, errFlag.At(fault.Place{File: name, Field: flag}).Because(err)
	}
	public, ok := any.(*ecdsa.PublicKey)
	if !ok || keystore.Point(public) == nil {
		return nil, errFlag.At(fault.Place{File: name, Field: flag})
	}
	return public, nil
}

type escrowChangeCommand struct {
	sessionFlags
	shareFlags
	Act string `help:"rotate: another recovery key, under which every key is sealed anew. resplit: the same key, divided anew." enum:"rotate,resplit,"  default:""`
	Why string `help:"Why." placeholder:"TEXT"`
}

// Help is printed by --help.
func (escrowChangeCommand) Help() string {
	return "First --act, --officers, --threshold, --why and --request; then another person approves; then --approval with the old shares, --out and --yes. The old shares count until the new ones are written."
}

func (c escrowChangeCommand) Run(ctx context.Context, s streams) error {
	if !c.redeems() {
		o := escrow.Change{Act: escrow.Act(c.Act), Division: c.division(), Why: c.Why}
		if err := o.Check(); err != nil {
			return err
		}
		return c.ask(ctx, s, o.Kind(), o.Subject(), func(ctx context.Context, centre *escrow.Centre) error {
			return centre.CanDivide(ctx, o.Division)
		})
	}
	if err := c.check(); err != nil {
		return err
	}
	h, by, err := openAs(ctx, c.dataFlags, c.As, s.now)
	if err != nil {
		return err
	}
	defer h.close()
	r, err := c.hold(ctx, s, h, by, access.KindChangeEscrow)
	if err != nil || r == nil {
		return err
	}
	out, err := r.finish(ctx, s)
	if err != nil {
		return err
	}
	if err := handOver(ctx, h, c.As, c.Out, out.Handouts); err != nil {
		return err
	}
	if err := h.settle(ctx); err != nil {
		return err
	}
	fmt.Fprintln(s.out, "✔ 新份额已启用 the new shares are in force:")
	printShares(s, c.Out, out.Handouts)
	return nil
}

type escrowDestroyCommand struct {
	dataFlags
	Key      string `help:"The key, as yinxin escrow list names it." placeholder:"KEY"`
	Request  bool   `help:"Ask two people for it."`
	Approval string `help:"Do what was approved under this request." placeholder:"ID"`
	As       string `help:"Actor who asks (default: the operator recorded in the data directory)." placeholder:"ACTOR"`
	Yes      bool   `help:"Do it. Without it nothing is changed."`
}

// Help is printed by --help.
func (escrowDestroyCommand) Help() string {
	return "A key stays ten years after its certificate's end. What was encrypted to it can be read on the holder's USB Key only, once it is destroyed."
}

func (c escrowDestroyCommand) Run(ctx context.Context, s streams) error {
	f := sessionFlags{dataFlags: c.dataFlags, Request: c.Request, Approval: c.Approval, As: c.As}
	if c.Approval == "" {
		if c.Key == "" {
			return errMissing.At(fault.Field("--key"))
		}
		return f.ask(ctx, s, access.KindDestroyKey, escrow.DestroySubject(c.Key), func(ctx context.Context, centre *escrow.Centre) error {
			return centre.CanDestroy(ctx, c.Key)
		})
	}
	h, err := openInstallation(ctx, c.dataFlags, s.now)
	if err != nil {
		return err
	}
	defer h.close()
	subject, err := f.approved(ctx, h, access.KindDestroyKey)
	if err != nil {
		return err
	}
	id, err := escrow.ParseDestroySubject(subject)
	if err != nil {
		return err
	}
	if err := h.escrow.CanDestroy(ctx, id); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "%s", subject)
	if !c.Yes {
		return nothingDone(s)
	}
	if err := h.escrow.Destroy(ctx, c.Approval, id); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "✔ 已销毁 destroyed: %s\n", id)
	return h.settle(ctx)
}
