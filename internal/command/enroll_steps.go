package command

import (
	"context"
	"fmt"
	"strings"

	"yinxin/ca/enroll"
	"yinxin/ca/enroll/form"
	"yinxin/internal/access"
	"yinxin/internal/civil"
	"yinxin/internal/fault"
)

// step is a step of registration that needs nothing but the application; reasoned also takes a reason.
type (
	step     func(*enroll.Service, context.Context, access.Actor, enroll.Ref) (enroll.Application, error)
	reasoned func(*enroll.Service, context.Context, access.Actor, enroll.Ref, string) (enroll.Application, error)
)

func (f actFlags) step(ctx context.Context, s streams, do step) error {
	return f.act(ctx, s, func(c *counter, a enroll.Application) (enroll.Application, error) {
		return do(c.enroll, ctx, c.by, a.Ref())
	})
}

func (f actFlags) reasoned(ctx context.Context, s streams, reason string, do reasoned) error {
	return f.act(ctx, s, func(c *counter, a enroll.Application) (enroll.Application, error) {
		return do(c.enroll, ctx, c.by, a.Ref(), reason)
	})
}

// ending ends an application for good, if it is said twice.
func (f actFlags) ending(ctx context.Context, s streams, yes bool, reason string, do reasoned) error {
	if yes {
		return f.reasoned(ctx, s, reason, do)
	}
	return f.acting(ctx, s, func(c *counter, a enroll.Application) error {
		if c.json {
			return printJSON(s, map[string]any{"number": a.Number, "state": a.State, "done": false})
		}
		if err := c.told(a); err != nil {
			return err
		}
		return nothingDone(s)
	})
}

type enrollSubmitCommand struct{ actFlags }

func (c enrollSubmitCommand) Run(ctx context.Context, s streams) error {
	return c.step(ctx, s, (*enroll.Service).Submit)
}

type enrollRecallCommand struct{ actFlags }

func (c enrollRecallCommand) Run(ctx context.Context, s streams) error {
	return c.step(ctx, s, (*enroll.Service).Recall)
}

type enrollReceiveCommand struct{ actFlags }

func (c enrollReceiveCommand) Run(ctx context.Context, s streams) error {
	return c.step(ctx, s, (*enroll.Service).Receive)
}

type enrollAcceptCommand struct{ actFlags }

func (c enrollAcceptCommand) Run(ctx context.Context, s streams) error {
	return c.acting(ctx, s, func(k *counter, a enroll.Application) error {
		a, err := k.enroll.Accept(ctx, k.by, a.Ref())
		if err != nil {
			return err
		}
		return k.took(ctx, a)
	})
}

type enrollObjectCommand struct {
	actFlags
	Reason string `required:"" help:"What is wrong; no personal data." placeholder:"TEXT"`
}

func (c enrollObjectCommand) Run(ctx context.Context, s streams) error {
	return c.reasoned(ctx, s, c.Reason, (*enroll.Service).Object)
}

type enrollSettleCommand struct {
	actFlags
	Reason string `required:"" help:"How the objection was answered." placeholder:"TEXT"`
}

func (c enrollSettleCommand) Run(ctx context.Context, s streams) error {
	return c.reasoned(ctx, s, c.Reason, (*enroll.Service).Settle)
}

type enrollCloseCommand struct {
	actFlags
	Reason string `help:"For one with an objection: how it ended." placeholder:"TEXT"`
}

func (c enrollCloseCommand) Run(ctx context.Context, s streams) error {
	return c.reasoned(ctx, s, c.Reason, (*enroll.Service).Close)
}

type enrollRejectCommand struct {
	actFlags
	Reason string `required:"" help:"Why; no personal data." placeholder:"TEXT"`
	Yes    bool   `help:"Do it. Without it nothing is changed."`
}

func (c enrollRejectCommand) Run(ctx context.Context, s streams) error {
	return c.ending(ctx, s, c.Yes, c.Reason, (*enroll.Service).Reject)
}

type enrollWithdrawCommand struct {
	actFlags
	Reason string `required:"" help:"Why; no personal data." placeholder:"TEXT"`
	Yes    bool   `help:"Do it. Without it nothing is changed."`
}

func (c enrollWithdrawCommand) Run(ctx context.Context, s streams) error {
	return c.ending(ctx, s, c.Yes, c.Reason, (*enroll.Service).Withdraw)
}

type enrollAbortCommand struct {
	actFlags
	Reason string `required:"" help:"Why it cannot be finished; no personal data." placeholder:"TEXT"`
	Yes    bool   `help:"Do it. Without it nothing is changed."`
}

func (c enrollAbortCommand) Run(ctx context.Context, s streams) error {
	return c.ending(ctx, s, c.Yes, c.Reason, (*enroll.Service).Abort)
}

type enrollOriginalCommand struct {
	actFlags
	On       string `help:"Day of arrival, YYYY-MM-DD (default: today)." placeholder:"DATE"`
	Delivery string `name:"number" required:"" help:"Number of the 机要 delivery." placeholder:"TEXT"`
}

func (c enrollOriginalCommand) Run(ctx context.Context, s streams) error {
	return c.act(ctx, s, func(k *counter, a enroll.Application) (enroll.Application, error) {
		on := c.On
		if on == "" {
			on = civil.Day(k.clock())
		}
		return k.enroll.ReceiveOriginal(ctx, k.by, a.Ref(), on, c.Delivery)
	})
}

type enrollInkCommand struct {
	actFlags
	StampedUnit string `name:"stamped-unit" required:"" help:"The name in the ring of the unit's stamp." placeholder:"TEXT"`
	ImprintText string `name:"imprint-text" help:"The text of the imprints, where the form has any." placeholder:"TEXT"`
	Measured    string `help:"Size of the imprint in mm: 42 or 40x30." placeholder:"MM"`
	Centre      string `help:"What stands in its middle: emblem, star, none." enum:"emblem,star,none," default:"" placeholder:"WHAT"`
}

// Help is printed by --help.
func (enrollInkCommand) Help() string {
	return "An officer's word that the imprints on the original are of wet ink and not printed. What is read there is compared with the form: type it off the paper."
}

func (c enrollInkCommand) Run(ctx context.Context, s streams) error {
	reading := form.Reading{StampedUnit: c.StampedUnit, ImprintText: c.ImprintText, Centre: form.Centre(c.Centre)}
	if c.Measured != "" {
		size, ok := form.ParseSize(c.Measured)
		if !ok {
			return inForm(s, c.JSON, errFlag.With("%q", c.Measured).At(fault.Field("--measured")))
		}
		reading.Measured = size
	}
	return c.act(ctx, s, func(k *counter, a enroll.Application) (enroll.Application, error) {
		return k.enroll.ConfirmInk(ctx, k.by, a.Ref(), reading)
	})
}

type enrollReturnCommand struct {
	actFlags
	Remark []string `required:"" help:"A field of the form and what is wrong with it: seal.name=…; roster=…; may be repeated." placeholder:"FIELD=REASON" sep:"none"`
}

func (c enrollReturnCommand) Run(ctx context.Context, s streams) error {
	var remarks []enroll.Remark
	for _, text := range c.Remark {
		field, reason, ok := strings.Cut(text, "=")
		if !ok {
			return inForm(s, c.JSON, errFlag.With("%q", text).At(fault.Field("--remark")))
		}
		remarks = append(remarks, enroll.Remark{Field: strings.TrimSpace(field), Reason: strings.TrimSpace(reason)})
	}
	return c.act(ctx, s, func(k *counter, a enroll.Application) (enroll.Application, error) {
		return k.enroll.Return(ctx, k.by, a.Ref(), remarks)
	})
}

type enrollExamineCommand struct{ actFlags }

func (c enrollExamineCommand) Run(ctx context.Context, s streams) error {
	return c.acting(ctx, s, func(k *counter, a enroll.Application) error {
		a, err := k.enroll.Examine(ctx, k.by, a.Ref())
		if err != nil {
			return err
		}
		return k.took(ctx, a)
	})
}

type enrollApproveCommand struct{ actFlags }

// Help is printed by --help.
func (enrollApproveCommand) Help() string {
	return "What was approved and needs no USB Key is made at once, and printed. Should that be interrupted, the service goes on with it, or yinxin enroll carry-out."
}

func (c enrollApproveCommand) Run(ctx context.Context, s streams) error {
	return c.acting(ctx, s, func(k *counter, a enroll.Application) error {
		a, err := k.enroll.Approve(ctx, k.by, a.Ref())
		if err != nil {
			return err
		}
		if err := k.business.CarryOut(ctx, access.Actor{}, a.ID); err != nil {
			if !k.json {
				fmt.Fprintf(s.out, "已批准，但未办完 approved, but not carried out: %s\n", a.Number)
			}
			return err
		}
		return k.tookNow(ctx, a)
	})
}

// tookNow is took after something was carried out.
func (c *counter) tookNow(ctx context.Context, a enroll.Application) error {
	a, err := c.enroll.Application(ctx, c.by, a.ID)
	if err != nil {
		return err
	}
	return c.took(ctx, a)
}
