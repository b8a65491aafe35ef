package command

import (
	"context"
	"fmt"
	"strings"

	"yinxin/api"
	"yinxin/ca/enroll"
	"yinxin/internal/fault"
)

type enrollHoldersCommand struct {
	enrollFlags
	Unit string `required:"" help:"The unit." placeholder:"UNIT"`
}

func (c enrollHoldersCommand) Run(ctx context.Context, s streams) error {
	return c.with(ctx, s, func(k *counter) error {
		list, err := k.enroll.Holders(ctx, k.by, c.Unit)
		if err != nil {
			return err
		}
		if k.json {
			type holder struct {
				ID        string `json:"id"`
				Unit      string `json:"unit"`
				Name      string `json:"name"`
				Identity  string `json:"identity"`
				Suspended bool   `json:"suspended"`
			}
			all := []holder{}
			for _, h := range list {
				all = append(all, holder{h.ID, h.Unit, h.Name, h.Identity, h.Suspended})
			}
			return printJSON(s, all)
		}
		for _, h := range list {
			state := ""
			if h.Suspended {
				state = "已停用 suspended"
			}
			fmt.Fprintf(s.out, "%s  %s  %s  %s\n", h.ID, h.Name, h.Identity, state)
		}
		return nil
	})
}

// holder finds a user of seals by identifier, or by a name that only one has among those whom the actor may know of.
func (c *counter) holder(ctx context.Context, name, unit string) (string, error) {
	if strings.HasPrefix(name, "hol_") {
		return name, nil
	}
	units, err := c.enroll.Units(ctx, c.by)
	if err != nil {
		return "", err
	}
	var found []string
	for _, u := range units {
		if unit != "" && u.ID != unit {
			continue
		}
		list, err := c.enroll.Holders(ctx, c.by, u.ID)
		if err != nil {
			return "", err
		}
		for _, h := range list {
			if h.Name == name {
				found = append(found, h.ID)
			}
		}
	}
	switch len(found) {
	case 0:
		return "", enroll.ErrHolder.New()
	case 1:
		return found[0], nil
	}
	return "", errAmbiguous.With("%s", strings.Join(found, ", ")).At(fault.Field("HOLDER"))
}

func (c *counter) printSuspension(x enroll.Suspension) error {
	if c.json {
		return printJSON(c.streams, api.SuspensionOf(x))
	}
	state := map[enroll.SuspensionState]string{enroll.SuspensionOpen: "已停用 open", enroll.SuspensionConfirmed: "已确认 confirmed", enroll.SuspensionLifted: "已恢复 lifted"}[x.State]
	fmt.Fprintf(c.out, "%s  %s  %s  %s  %s  %s: %s\n", x.ID, state, x.Name, x.Unit+sealWords(x), moment(x.Opened), x.By, x.Reason)
	if x.Request != "" && x.State == enroll.SuspensionOpen {
		fmt.Fprintf(c.out, "  待另一人审批 waits for another person: %s\n", x.Request)
	}
	return nil
}

// sealWords name the seal that is meant, where it is one.
func sealWords(x enroll.Suspension) string {
	if x.SealName == "" {
		return ""
	}
	return "  " + x.SealName
}

type enrollSuspendCommand struct {
	enrollFlags
	Holder string `arg:"" help:"The user: identifier (holders), or the name." placeholder:"HOLDER|NAME"`
	Unit   string `help:"The user's unit, where several have the name." placeholder:"UNIT"`
	Seal   string `help:"Name of one seal that is meant: the person goes on using the others. Default: the whole USB Key." placeholder:"NAME"`
	Reason string `required:"" help:"Why; no personal data." placeholder:"TEXT"`
}

// Help is printed by --help.
func (enrollSuspendCommand) Help() string {
	return "At once: the user's grants end and the certificates on the USB Key, or those that serve the one seal alone, go on hold. Two people then make it final or lift it: yinxin enroll suspensions."
}

func (c enrollSuspendCommand) Run(ctx context.Context, s streams) error {
	return c.with(ctx, s, func(k *counter) error {
		holder, err := k.holder(ctx, c.Holder, c.Unit)
		if err != nil {
			return err
		}
		var x enroll.Suspension
		if c.Seal != "" {
			x, err = k.enroll.SuspendSealAtOnce(ctx, k.by, holder, c.Seal, c.Reason)
		} else {
			x, err = k.enroll.SuspendAtOnce(ctx, k.by, holder, c.Reason)
		}
		if err != nil {
			return err
		}
		return k.printSuspension(x)
	})
}

type enrollSuspensionsCommand struct {
	List    enrollSuspensionsListCommand    `cmd:"" help:"List suspensions."`
	Request enrollSuspensionsRequestCommand `cmd:"" help:"Ask the second person to make one final, or to lift it."`
	Approve enrollSuspensionsApproveCommand `cmd:"" help:"Agree to what was asked for, as the second person; it is done at once."`
	Reject  enrollSuspensionsRejectCommand  `cmd:"" help:"Refuse what was asked for: the user stays suspended."`
}

type enrollSuspensionsListCommand struct {
	enrollFlags
	State string `help:"open, confirmed, lifted, all." enum:"open,confirmed,lifted,all" default:"open" placeholder:"STATE"`
}

func (c enrollSuspensionsListCommand) Run(ctx context.Context, s streams) error {
	return c.with(ctx, s, func(k *counter) error {
		state := enroll.SuspensionState(c.State)
		if c.State == "all" {
			state = ""
		}
		list, err := k.enroll.Suspensions(ctx, k.by, state)
		if err != nil {
			return err
		}
		if k.json {
			all := []api.Suspension{}
			for _, x := range list {
				all = append(all, api.SuspensionOf(x))
			}
			return printJSON(s, all)
		}
		if len(list) == 0 {
			fmt.Fprintln(s.out, "没有停用的使用人。 Nobody is suspended.")
		}
		for _, x := range list {
			if err := k.printSuspension(x); err != nil {
				return err
			}
		}
		return nil
	})
}

// suspensionFlags name a suspension.
type suspensionFlags struct {
	enrollFlags
	ID string `arg:"" help:"The suspension, as list prints it." placeholder:"ID"`
}

// decide does something about a suspension and shows it.
func (f suspensionFlags) decide(ctx context.Context, s streams, do func(k *counter, x enroll.Suspension) (enroll.Suspension, error)) error {
	return f.with(ctx, s, func(k *counter) error {
		list, err := k.enroll.Suspensions(ctx, k.by, "")
		if err != nil {
			return err
		}
		for _, x := range list {
			if x.ID != f.ID {
				continue
			}
			if x, err = do(k, x); err != nil {
				return err
			}
			return k.printSuspension(x)
		}
		return enroll.ErrSuspension.New()
	})
}

type enrollSuspensionsRequestCommand struct {
	suspensionFlags
	Confirm bool `help:"Make it final: what was meant is ended, its certificates are revoked." xor:"what"`
	Lift    bool `help:"Lift it: certificates and grants are released." xor:"what"`
}

func (c enrollSuspensionsRequestCommand) Run(ctx context.Context, s streams) error {
	if !c.Confirm && !c.Lift {
		return inForm(s, c.JSON, errMissing.At(fault.Field("--confirm")))
	}
	return c.decide(ctx, s, func(k *counter, x enroll.Suspension) (enroll.Suspension, error) {
		return k.enroll.RequestDecision(ctx, k.by, x.Ref(), c.Confirm)
	})
}

type enrollSuspensionsApproveCommand struct{ suspensionFlags }

func (c enrollSuspensionsApproveCommand) Run(ctx context.Context, s streams) error {
	return c.decide(ctx, s, func(k *counter, x enroll.Suspension) (enroll.Suspension, error) {
		return k.enroll.ApproveDecision(ctx, k.by, x.Ref())
	})
}

type enrollSuspensionsRejectCommand struct {
	suspensionFlags
	Reason string `required:"" help:"Why; no personal data." placeholder:"TEXT"`
}

func (c enrollSuspensionsRejectCommand) Run(ctx context.Context, s streams) error {
	return c.decide(ctx, s, func(k *counter, x enroll.Suspension) (enroll.Suspension, error) {
		return k.enroll.RejectDecision(ctx, k.by, x.Ref(), c.Reason)
	})
}
