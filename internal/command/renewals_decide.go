package command

import (
	"context"
	"fmt"

	"yinxin/api"
	"yinxin/ca"
	"yinxin/ca/enroll/business"
)

func printRenewal(s streams, r business.Renewal) {
	fmt.Fprintf(s.out, "%s  %s  %s%s  无异议则于 unless objected to, from %s\n", r.ID, r.State, r.Seal, r.Holder, moment(r.AcceptBy))
	for _, c := range r.Certificates {
		fmt.Fprintf(s.out, "  %s ← %s\n", ca.SerialText(c.Successor), ca.SerialText(c.Predecessor))
	}
}

type renewalsWaitingCommand struct {
	enrollFlags
	State string `help:"waiting, in-use, objected, all." enum:"waiting,in-use,objected,all" default:"waiting" placeholder:"STATE"`
	Limit int    `help:"At most so many." default:"200" placeholder:"N"`
}

func (c renewalsWaitingCommand) Run(ctx context.Context, s streams) error {
	return c.with(ctx, s, func(k *counter) error {
		state := business.RenewalState(c.State)
		if c.State == "all" {
			state = ""
		}
		list, err := k.business.Renewals(ctx, state, c.Limit)
		if err != nil {
			return err
		}
		all := []api.Renewal{}
		for _, r := range list {
			if all = append(all, api.RenewalOf(r)); !k.json {
				printRenewal(s, r)
			}
		}
		if k.json {
			return printJSON(s, all)
		}
		if len(all) == 0 {
			fmt.Fprintln(s.out, "没有。 There is none.")
		}
		return nil
	})
}

// renewalFlags name a renewal.
type renewalFlags struct {
	enrollFlags
	ID string `arg:"" help:"The renewal, as waiting prints it." placeholder:"ID"`
}

// decide does something about a renewal and shows it.
func (f renewalFlags) decide(ctx context.Context, s streams, do func(k *counter) error) error {
	return f.with(ctx, s, func(k *counter) error {
		if err := do(k); err != nil {
			return err
		}
		r, err := k.business.Renewal(ctx, f.ID)
		if err != nil {
			return err
		}
		if k.json {
			return printJSON(s, api.RenewalOf(r))
		}
		printRenewal(s, r)
		return nil
	})
}

type renewalsAcceptCommand struct{ renewalFlags }

func (c renewalsAcceptCommand) Run(ctx context.Context, s streams) error {
	return c.decide(ctx, s, func(k *counter) error { return k.business.AcceptRenewal(ctx, k.by, c.ID) })
}

type renewalsObjectCommand struct {
	renewalFlags
	Reason string `required:"" help:"What is wrong; no personal data." placeholder:"TEXT"`
	Yes    bool   `help:"Do it. Without it nothing is changed."`
}

// Help is printed by --help.
func (renewalsObjectCommand) Help() string {
	return "The new certificates go on hold at once and their seals end; what they were to renew stays in use."
}

func (c renewalsObjectCommand) Run(ctx context.Context, s streams) error {
	return c.decide(ctx, s, func(k *counter) error {
		if !c.Yes {
			if k.json {
				return nil
			}
			return nothingDone(s)
		}
		return k.business.ObjectToRenewal(ctx, k.by, c.ID, c.Reason)
	})
}
