package command

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"yinxin/ca"
	"yinxin/ca/backend"
	"yinxin/ca/csr"
	"yinxin/internal/access"
	"yinxin/internal/fault"
)

type ordersCommand struct {
	List    ordersListCommand    `cmd:"" help:"List the orders that are not finished, at every authority or at one."`
	Place   ordersPlaceCommand   `cmd:"" help:"Order a certificate for a certification request: shown first, asked for by one officer, approved by another, then placed."`
	Send    ordersSendCommand    `cmd:"" help:"Write what waits to be sent to an authority of kind file into a ZIP archive."`
	Receive ordersReceiveCommand `cmd:"" help:"Take in the certificates that an authority gave back: PEM, DER, PKCS #7 or a ZIP archive of them."`
	Accept  ordersAcceptCommand  `cmd:"" help:"Take a certificate that came back into use; one that differs from its order takes two officers again."`
	Refuse  ordersRefuseCommand  `cmd:"" help:"Record that the authority will not make a certificate."`
}

// authorityFlags name the authority of config.json.
type authorityFlags struct {
	dataFlags
	Authority string `arg:"" help:"Name of the authority in config.json, or built-in." placeholder:"NAME"`
	JSON      bool   `name:"json" help:"Print the result as JSON."`
}

// orderResult is an order as the commands print it.
type orderResult struct {
	Order       string               `json:"order,omitempty"`
	Authority   string               `json:"authority"`
	State       backend.State        `json:"state"`
	Created     string               `json:"created"`
	Expires     string               `json:"expires,omitempty"`
	Subject     string               `json:"subject,omitempty"`
	SM3         string               `json:"sm3,omitempty"`
	Differences []backend.Difference `json:"differences,omitempty"`
	Refusal     string               `json:"refusal,omitempty"`
	Code        string               `json:"code,omitempty"` // why a certificate of a file was not taken
	Place       string               `json:"place,omitempty"`
	Request     string               `json:"request,omitempty"`
}

func orderOf(o backend.Outcome) orderResult {
	r := orderResult{Order: o.ID, Authority: o.Backend, State: o.State, Created: moment(o.Created), Expires: moment(o.Expires), Differences: o.Differences, Refusal: o.Refusal}
	if o.Certificate != nil {
		r.Subject, r.SM3 = o.Certificate.Subject.String(), o.Certificate.FingerprintText()
	}
	return r
}

func printOrders(s streams, asJSON bool, list ...orderResult) error {
	if asJSON {
		return printJSON(s, list)
	}
	if len(list) == 0 {
		fmt.Fprintln(s.out, "没有订单。 There is no order.")
	}
	for _, r := range list {
		fmt.Fprintf(s.out, "%s  %s  %s  %s %s\n", r.Order, r.Authority, r.State, r.Subject, r.Code)
		for _, d := range r.Differences {
			fmt.Fprintf(s.out, "  %s: %q -> %q\n", d.Field, d.Asked, d.Given)
		}
		if r.Refusal != "" {
			fmt.Fprintf(s.out, "  %s\n", r.Refusal)
		}
		if r.Request != "" {
			fmt.Fprintf(s.out, "申请已提交，待另一人批准 waits for another officer: %s\n", r.Request)
		}
	}
	return nil
}

type ordersListCommand struct {
	dataFlags
	Authority string `arg:"" optional:"" help:"Only this authority." placeholder:"NAME"`
	JSON      bool   `name:"json" help:"Print a list."`
}

func (c ordersListCommand) Run(ctx context.Context, s streams) error {
	return inForm(s, c.JSON, c.run(ctx, s))
}

func (c ordersListCommand) run(ctx context.Context, s streams) error {
	h, err := openInstallation(ctx, c.dataFlags, s.now)
	if err != nil {
		return err
	}
	defer h.close()
	all, err := h.backends(ctx)
	if err != nil {
		return err
	}
	list := []orderResult{}
	for _, f := range all.Foreign() {
		if c.Authority != "" && c.Authority != f.Name() {
			continue
		}
		waiting, err := f.Waiting(ctx)
		if err != nil {
			return err
		}
		for _, o := range waiting {
			list = append(list, orderOf(o))
		}
	}
	return printOrders(s, c.JSON, list...)
}

type ordersPlaceCommand struct {
	authorityFlags
	CSR          string `name:"csr" required:"" help:"Certification request of the holder, PEM or DER." placeholder:"FILE"`
	Profile      string `help:"institution, personal or encryption." enum:"institution,personal,encryption" default:"institution"`
	Organisation string `help:"Full name of the institution, or of the person's unit." placeholder:"NAME"`
	CreditCode   string `name:"credit-code" help:"统一社会信用代码 of an institution." placeholder:"CODE"`
	SealCode     string `name:"seal-code" help:"14 digits." placeholder:"CODE"`
	CommonName   string `name:"common-name" help:"Name of a person." placeholder:"NAME"`
	Request      bool   `help:"Ask for it: another officer must approve (yinxin approvals)."`
	Approval     string `help:"Place what was approved under this number." placeholder:"ID"`
	As           string `help:"Officer who asks (default: the operator recorded in the data directory)." placeholder:"ACTOR"`
}

// Help is printed by --help.
func (ordersPlaceCommand) Help() string {
	return "Without --request and --approval nothing changes: the request is read and checked. At built-in the certificate is made at once."
}

func (c ordersPlaceCommand) Run(ctx context.Context, s streams) error {
	return inForm(s, c.JSON, c.run(ctx, s))
}

func (c ordersPlaceCommand) run(ctx context.Context, s streams) error {
	data, err := readSmall(c.CSR)
	if err != nil {
		return err
	}
	h, actor, err := openAsked(ctx, c.dataFlags, c.Request, c.As, s)
	if err != nil {
		return err
	}
	defer h.close()
	all, err := h.backends(ctx)
	if err != nil {
		return err
	}
	at, err := all.Named(c.Authority)
	if err != nil {
		return err
	}
	parsed, err := csr.Parse(data, csr.Options{Reserved: backend.Reserved(ctx, h.authority)})
	if err != nil {
		return err
	}
	for _, note := range parsed.Notes {
		fmt.Fprintln(s.err, note.ZH, note.EN)
	}
	r := ca.Request{Profile: ca.Profile(c.Profile), Public: parsed.Public, Organisation: c.Organisation, CreditCode: c.CreditCode, SealCode: c.SealCode, CommonName: c.CommonName}
	if c.Approval != "" {
		pending, err := h.access.Pending(ctx, c.Approval)
		if err != nil {
			return err
		}
		if r, err = ca.ParseRequest(pending.Subject); err != nil {
			return access.ErrOtherSubject.Because(err)
		}
		r.Public = parsed.Public
		// The terms alone, without the key, are for the room that makes the key: with them anybody could bring one here.
		if pending.Parent != "" || !bytes.Equal(pending.Subject, r.Subject()) {
			return access.ErrOtherSubject.New()
		}
		out, err := at.Order(ctx, backend.Order{Approval: c.Approval, Request: r, CSR: parsed.Raw})
		if err != nil {
			return err
		}
		return errors.Join(h.settle(ctx), printOrders(s, c.JSON, orderOf(out)))
	}
	if err := r.Check(s.now()); err != nil {
		return err
	}
	if !c.Request {
		fmt.Fprintf(s.out, "%s\n未做任何更改；加 --request 提出申请。 Nothing was changed; --request asks for it.\n", r.Subject())
		return nil
	}
	id, err := h.access.Request(ctx, actor, access.KindIssueCertificate, r.Subject())
	if err != nil {
		return err
	}
	return errors.Join(h.settle(ctx), printOrders(s, c.JSON, orderResult{Authority: c.Authority, State: backend.StateOpen, Request: id}))
}

// openAsked opens everything, for an actor only when something is asked for: what two people approved needs no third.
func openAsked(ctx context.Context, f dataFlags, asks bool, as string, s streams) (*installation, access.Actor, error) {
	if asks {
		return openAs(ctx, f, as, s.now)
	}
	h, err := openInstallation(ctx, f, s.now)
	return h, access.Actor{}, err
}

type ordersSendCommand struct {
	authorityFlags
	Order       []string `help:"Only this order, which may have been sent before; may be repeated." placeholder:"ID" sep:"none"`
	Revocations bool     `help:"The revocations that wait, instead of the orders."`
	Output      string   `short:"o" required:"" help:"Archive to write." placeholder:"FILE"`
	As          string   `help:"Officer who sends it (default: the operator recorded in the data directory)." placeholder:"ACTOR"`
}

func (c ordersSendCommand) Run(ctx context.Context, s streams) error {
	return inForm(s, c.JSON, c.run(ctx, s))
}

func (c ordersSendCommand) run(ctx context.Context, s streams) error {
	h, actor, f, err := c.open(ctx, c.As, s)
	if err != nil {
		return err
	}
	defer h.close()
	var archive []byte
	if c.Revocations {
		archive, err = f.ExportRevocations(ctx, actor)
	} else {
		archive, err = f.Export(ctx, actor, c.Order...)
	}
	if err != nil {
		return err
	}
	return errors.Join(writeBytes(ctx, c.Output, 0o600, archive), h.settle(ctx))
}

// open opens the installation, the actor and the authority of kind file.
func (c authorityFlags) open(ctx context.Context, as string, s streams) (*installation, access.Actor, *backend.File, error) {
	h, actor, err := openAs(ctx, c.dataFlags, as, s.now)
	if err != nil {
		return nil, actor, nil, err
	}
	all, err := h.backends(ctx)
	if err == nil {
		var f *backend.File
		if f, err = all.File(c.Authority); err == nil {
			return h, actor, f, nil
		}
	}
	return nil, actor, nil, errors.Join(err, h.close())
}

type ordersReceiveCommand struct {
	authorityFlags
	File string `arg:"" help:"File with certificates." placeholder:"FILE"`
	As   string `help:"Officer who takes it in (default: the operator recorded in the data directory)." placeholder:"ACTOR"`
}

func (c ordersReceiveCommand) Run(ctx context.Context, s streams) error {
	return inForm(s, c.JSON, c.run(ctx, s))
}

func (c ordersReceiveCommand) run(ctx context.Context, s streams) error {
	data, err := readSmall(c.File)
	if err != nil {
		return err
	}
	h, actor, f, err := c.open(ctx, c.As, s)
	if err != nil {
		return err
	}
	defer h.close()
	taken, err := f.Import(ctx, actor, data)
	if err != nil {
		return err
	}
	list := []orderResult{}
	var first error
	for _, t := range taken {
		r := orderOf(t.Outcome)
		r.SM3, r.Subject, r.Place = t.Fingerprint, t.Subject.String(), t.Place.String()
		if t.Err != nil {
			r.Code = fault.CodeOf(t.Err)
			if first == nil {
				first = t.Err
			}
		}
		list = append(list, r)
	}
	// Every certificate is reported; one that was not taken is the command's error.
	return errors.Join(printOrders(s, c.JSON, list...), h.settle(ctx), first)
}

type ordersAcceptCommand struct {
	authorityFlags
	Order    string `arg:"" help:"The order." placeholder:"ID"`
	Request  bool   `help:"Ask for the differences to be accepted: another officer must approve."`
	Approval string `help:"Accept the differences that were approved under this number." placeholder:"ID"`
	As       string `help:"Officer who asks (default: the operator recorded in the data directory)." placeholder:"ACTOR"`
}

func (c ordersAcceptCommand) Run(ctx context.Context, s streams) error {
	return inForm(s, c.JSON, c.run(ctx, s))
}

func (c ordersAcceptCommand) run(ctx context.Context, s streams) error {
	h, actor, err := openAsked(ctx, c.dataFlags, c.Request, c.As, s)
	if err != nil {
		return err
	}
	defer h.close()
	all, err := h.backends(ctx)
	if err != nil {
		return err
	}
	at, err := all.Named(c.Authority)
	if err != nil {
		return err
	}
	out, err := at.Outcome(ctx, c.Order)
	if err != nil {
		return err
	}
	if c.Request {
		if out.State != backend.StateReceived || len(out.Differences) == 0 {
			return backend.ErrState.With("%s", out.State)
		}
		id, err := h.access.Request(ctx, actor, backend.KindAcceptCertificate, backend.AcceptSubject(out))
		if err != nil {
			return err
		}
		r := orderOf(out)
		r.Request = id
		return errors.Join(h.settle(ctx), printOrders(s, c.JSON, r))
	}
	if out, err = at.Accept(ctx, c.Order, c.Approval); err != nil {
		return err
	}
	return errors.Join(h.settle(ctx), printOrders(s, c.JSON, orderOf(out)))
}

type ordersRefuseCommand struct {
	authorityFlags
	Order  string `arg:"" help:"The order." placeholder:"ID"`
	Reason string `required:"" help:"What the authority said, at most 200 characters, without personal data." placeholder:"TEXT"`
	As     string `help:"Officer who records it (default: the operator recorded in the data directory)." placeholder:"ACTOR"`
}

func (c ordersRefuseCommand) Run(ctx context.Context, s streams) error {
	return inForm(s, c.JSON, c.run(ctx, s))
}

func (c ordersRefuseCommand) run(ctx context.Context, s streams) error {
	h, actor, f, err := c.open(ctx, c.As, s)
	if err != nil {
		return err
	}
	defer h.close()
	if err := f.Refuse(ctx, actor, c.Order, c.Reason); err != nil {
		return err
	}
	out, err := f.Outcome(ctx, c.Order)
	return errors.Join(err, h.settle(ctx), printOrders(s, c.JSON, orderOf(out)))
}
