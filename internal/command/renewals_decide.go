package command

import (
	"context"
	"fmt"
	"time"

	"yinxin/ca"
	"yinxin/ca/enroll/business"
)

// waitingJSON is a renewal that waits, was put into use or was objected to.
type waitingJSON struct {
	ID           string                `json:"id"`
	Seal         string                `json:"seal,omitempty"`
	Holder       string                `json:"holder,omitempty"`
	Made         time.Time             `json:"made"`
	AcceptBy     time.Time             `json:"accept_by"`
	State        business.RenewalState `json:"state"`
	Certificates []renewedJSON         `json:"certificates"`
}

type renewedJSON struct {
	Serial    string   `json:"serial"`
	Replaces  string   `json:"replaces"`
	Instances []string `json:"instances,omitempty"`
}

func renewalOf(r business.Renewal) waitingJSON {
	v := waitingJSON{ID: r.ID, Seal: r.Seal, Holder: r.Holder, Made: r.Made.UTC(), AcceptBy: r.AcceptBy.UTC(), State: r.State, Certificates: []renewedJSON{}}
	for _, c := range r.Certificates {
		v.Certificates = append(v.Certificates, renewedJSON{ca.SerialText(c.Successor), ca.SerialText(c.Predecessor), c.Instances})
	}
	return v
}

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
		all := []waitingJSON{}
		for _, r := range list {
			if all = append(all, renewalOf(r)); !k.json {
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
			return printJSON(s, renewalOf(r))
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
