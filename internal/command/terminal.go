package command

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"yinxin/api"
	"yinxin/internal/access"
	"yinxin/internal/release"
)

type terminalCommand struct {
	Pair   terminalPairCommand   `cmd:"" help:"Give a person a code to pair a terminal with."`
	List   terminalListCommand   `cmd:"" help:"List paired terminals."`
	End    terminalEndCommand    `cmd:"" help:"End a pairing."`
	Rotate terminalRotateCommand `cmd:"" help:"Make a new key for manifests, which terminals that are paired from now on pin."`

	Ask    terminalAskCommand    `cmd:"" help:"Ask a clerk to seal files with a USB Key."`
	Tasks  terminalTasksCommand  `cmd:"" help:"List tasks."`
	Show   terminalShowCommand   `cmd:"" help:"Show what became of each file of a task."`
	Cancel terminalCancelCommand `cmd:"" help:"Cancel a task: what is open is declined."`
	Retry  terminalRetryCommand  `cmd:"" help:"Queue the files of a task that failed again."`
	Fetch  terminalFetchCommand  `cmd:"" help:"Write the sealed files of a task into a folder."`
}

// Help is printed by --help.
func (terminalCommand) Help() string {
	return "Sealing with USB Keys (分散式用章): the clerk's terminal runs yinxin agent, which is paired once and takes the clerk's tasks from this service."
}

// terminalFlags say for whom a command acts.
type terminalFlags struct {
	dataFlags
	As   string `help:"Actor who acts (default: the operator recorded in the data directory)." placeholder:"ACTOR"`
	JSON bool   `name:"json" help:"Print as JSON."`
}

// with opens the data directory and does something as the actor; what that records is in the ledger when it returns.
func (f terminalFlags) with(ctx context.Context, s streams, do func(h *installation, by access.Actor) error) error {
	h, by, err := openAs(ctx, f.dataFlags, f.As, s.now)
	if err != nil {
		return inForm(s, f.JSON, err)
	}
	defer h.close()
	err = do(h, by)
	if _, failed := h.ledger.Sequence(ctx); failed != nil {
		err = errors.Join(err, failed)
	}
	return inForm(s, f.JSON, err)
}

type terminalPairCommand struct{ terminalFlags }

// Help is printed by --help.
func (terminalPairCommand) Help() string {
	return "The code is good for five minutes, once. It is the secret of the person, who types it into yinxin agent pair at the terminal."
}

func (c terminalPairCommand) Run(ctx context.Context, s streams) error {
	return c.with(ctx, s, func(h *installation, by access.Actor) error {
		code, expires, err := h.terminals.OpenPairing(ctx, by)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(s, api.PairingCode{Code: code.Text(), Expires: expires.UTC()})
		}
		fmt.Fprintf(s.out, "%s\n有效至 good until %s，仅可使用一次 once\n", code.Text(), expires.Local().Format(time.TimeOnly))
		return nil
	})
}

type terminalListCommand struct{ terminalFlags }

func (c terminalListCommand) Run(ctx context.Context, s streams) error {
	return c.with(ctx, s, func(h *installation, by access.Actor) error {
		list, err := h.terminals.Terminals(ctx, by)
		if err != nil {
			return err
		}
		all := make([]api.PairedTerminal, 0, len(list))
		for _, t := range list {
			all = append(all, api.PairedTerminalOf(t))
		}
		if c.JSON {
			return printJSON(s, all)
		}
		if len(all) == 0 {
			fmt.Fprintln(s.out, "没有已配对的终端。 No terminal is paired.")
		}
		w := newTable(s.out)
		for _, t := range all {
			state := "在用 in use"
			if !t.Ended.IsZero() {
				state = strings.TrimSpace("已解除 ended " + moment(t.Ended) + " " + t.Reason)
			}
			agent := cmp.Or(t.Agent.Version, "版本未知 version not known")
			if t.Agent.State == release.Outdated {
				agent += " 须更新 to be updated"
			}
			w.row(t.ID, t.Name, t.Clerk, "配对 paired "+moment(t.Paired), "最近 last seen "+moment(t.LastSeen), "签章助手 agent "+agent, t.Agent.Platform, state)
		}
		return w.flush()
	})
}

type terminalEndCommand struct {
	terminalFlags
	ID     string `arg:"" help:"The terminal, as list prints it." placeholder:"ID"`
	Reason string `help:"Why, for the record: needed of an administrator for another's." placeholder:"TEXT"`
}

// Help is printed by --help.
func (terminalEndCommand) Help() string {
	return "At once; by its person, or by an administrator who says why. What the terminal had claimed is free for others."
}

func (c terminalEndCommand) Run(ctx context.Context, s streams) error {
	return c.with(ctx, s, func(h *installation, by access.Actor) error {
		if err := h.terminals.End(ctx, by, c.ID, c.Reason); err != nil {
			return err
		}
		if c.JSON {
			return printJSON(s, map[string]string{"id": c.ID, "state": "ended"})
		}
		fmt.Fprintf(s.out, "✔ 已解除配对 ended: %s\n", c.ID)
		return nil
	})
}

type terminalRotateCommand struct{ terminalFlags }

// Help is printed by --help.
func (terminalRotateCommand) Help() string {
	return "By an administrator. Terminals that are paired already keep the key that they pinned; pair them again before the old key is taken out of use."
}

func (c terminalRotateCommand) Run(ctx context.Context, s streams) error {
	return c.with(ctx, s, func(h *installation, by access.Actor) error {
		name, err := h.terminals.RotateKey(ctx, by)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(s, map[string]string{"key": name})
		}
		fmt.Fprintf(s.out, "✔ 新密钥 new key: %s\n", name)
		return nil
	})
}
