package command

import (
	"context"
	"fmt"
	"io"
	"os"

	"yinxin/api"
	"yinxin/ca/enroll"
	"yinxin/ca/enroll/business"
	"yinxin/internal/fault"
)

var errNotShown = fault.Spec{Kind: fault.Refused, Code: "command.not-a-terminal",
	ZH: "SO PIN 只显示一次，且只显示在终端上；确需写入其他地方时加 --show。", EN: "The SO PIN is shown once, and only on a terminal; --show writes it elsewhere."}

type enrollTokenCommand struct {
	Register enrollTokenRegisterCommand `cmd:"" help:"Take a USB Key into custody: prints, once, the SO PIN that must be set on it."`
	Release  enrollTokenReleaseCommand  `cmd:"" help:"Release the SO PIN of the Key that an approved application for Key 解锁 names, with the one that replaces it."`
	Confirm  enrollTokenConfirmCommand  `cmd:"" help:"Record that the Key has its new SO PIN."`
}

// showFlags say whether a secret may leave for anything but a terminal.
type showFlags struct {
	Show bool `help:"Print the SO PIN although this is no terminal, or JSON."`
}

// check refuses, before a secret is made, to lose it or to write it into a file that nobody thought of.
func (f showFlags) check(s streams, asJSON bool) error {
	if f.Show || !asJSON && isTerminal(s.out) {
		return nil
	}
	return errNotShown.New()
}

// isTerminal reports whether a stream ends at a terminal.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err == nil && !os.SameFile(info, null)
}

func (c *counter) printPIN(p business.SOPIN) error {
	if c.json {
		return printJSON(c.streams, api.SOPINOf(p))
	}
	fmt.Fprintf(c.out, "USB Key  %s\nSO PIN   %s\n", p.Token, p.Now)
	if p.Next != "" {
		fmt.Fprintf(c.out, "须改为 then set  %s\n改好后 when it is set: yinxin enroll token confirm %s\n", p.Next, p.Token)
	}
	return nil
}

type enrollTokenRegisterCommand struct {
	enrollFlags
	showFlags
	Serial string `arg:"" help:"Serial number of the Key." placeholder:"SERIAL"`
	Holder string `required:"" help:"The actor whose Key it is." placeholder:"ACTOR"`
}

func (c enrollTokenRegisterCommand) Run(ctx context.Context, s streams) error {
	if err := c.check(s, c.JSON); err != nil {
		return inForm(s, c.JSON, err)
	}
	return c.with(ctx, s, func(k *counter) error {
		pin, err := k.business.RegisterToken(ctx, k.by, c.Serial, c.Holder)
		if err != nil {
			return err
		}
		return k.printPIN(pin)
	})
}

type enrollTokenReleaseCommand struct {
	numberFlags
	showFlags
}

func (c enrollTokenReleaseCommand) Run(ctx context.Context, s streams) error {
	if err := c.check(s, c.JSON); err != nil {
		return inForm(s, c.JSON, err)
	}
	return c.about(ctx, s, func(k *counter, a enroll.Application) error {
		pin, err := k.business.ReleaseSOPIN(ctx, k.by, a.ID)
		// The PIN is out of custody once it was released, whatever failed afterwards.
		if pin.Now != "" {
			if shown := k.printPIN(pin); err == nil {
				err = shown
			}
		}
		return err
	})
}

type enrollTokenConfirmCommand struct {
	enrollFlags
	Serial string `arg:"" help:"Serial number of the Key." placeholder:"SERIAL"`
}

func (c enrollTokenConfirmCommand) Run(ctx context.Context, s streams) error {
	return c.with(ctx, s, func(k *counter) error {
		if err := k.business.ConfirmSOPIN(ctx, k.by, c.Serial); err != nil {
			return err
		}
		if k.json {
			return printJSON(s, map[string]any{"token": c.Serial, "confirmed": true})
		}
		_, err := fmt.Fprintf(s.out, "✔ %s\n", c.Serial)
		return err
	})
}
