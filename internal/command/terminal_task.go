package command

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"yinxin/api"
	"yinxin/api/client"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/store"
	"yinxin/sealer"
	"yinxin/sealer/terminal"
	"yinxin/sealer/terminal/manifest"
)

type terminalAskCommand struct {
	Files  []string `arg:"" name:"in.pdf" help:"PDFs to seal; they are not changed." placeholder:"PDF"`
	Seal   string   `required:"" help:"Code of the seal (14 digits)." placeholder:"ID"`
	For    string   `help:"Clerk who is to seal (default: the actor); a program of the platform asks others." placeholder:"ACTOR"`
	Note   string   `help:"What it is for; the clerk sees it." placeholder:"TEXT"`
	Origin string   `help:"What people call the system that asks; the clerk sees it (default: the actor's name)." placeholder:"TEXT"`

	terminalFlags
	serverFlags
	orderFlags
}

// Help is printed by --help.
func (terminalAskCommand) Help() string {
	return "All files are sealed in the same way, each for itself. Exit status: 0 the task is made, 3 refused (the seal must not be used, or is on no USB Key of the clerk), 1 failed."
}

func (c terminalAskCommand) Run(ctx context.Context, s streams) error {
	if c.Server != "" {
		return inForm(s, c.JSON, c.remote(ctx, s))
	}
	return c.with(ctx, s, func(h *installation, by access.Actor) error {
		made, err := c.ask(ctx, h, by)
		if err != nil {
			return err
		}
		return c.print(s, made)
	})
}

func (c terminalAskCommand) ask(ctx context.Context, h *installation, by access.Actor) (terminal.Task, error) {
	wanted, err := c.order(c.Seal)
	if err != nil {
		return terminal.Task{}, err
	}
	order, err := wanted.Order()
	if err != nil {
		return terminal.Task{}, err
	}
	if err := c.checkNumber(); err != nil {
		return terminal.Task{}, err
	}
	clerk := by
	if c.For != "" {
		if clerk, err = h.access.Actor(ctx, c.For); err != nil {
			return terminal.Task{}, err
		}
	}
	// Before anything is stored: nobody wants documents that are for nothing.
	if _, err := h.register.AuthoriseHolder(ctx, clerk, c.Seal); err != nil {
		return terminal.Task{}, err
	}
	t := terminal.NewTask{Clerk: clerk.ID, Origin: c.Origin, Note: c.Note, IdempotencyKey: store.NewID("once_")}
	for _, name := range c.Files {
		d, err := c.upload(ctx, h, by, name)
		if err != nil {
			return terminal.Task{}, at(err, name)
		}
		order.Document = d.ID
		t.Orders = append(t.Orders, order)
	}
	made, _, err := h.terminals.Create(ctx, by, t)
	return made, c.named(err)
}

// checkNumber refuses more files than a task may have.
func (c terminalAskCommand) checkNumber() error {
	if len(c.Files) > manifest.MaxItems {
		return errFlag.At(fault.Field("in.pdf")).With("%d > %d", len(c.Files), manifest.MaxItems)
	}
	return nil
}

// named names the file in a fault that knows only its row.
func (c terminalAskCommand) named(err error) error {
	if f, ok := fault.Of(err); ok && f.Place.Row > 0 && f.Place.Row <= len(c.Files) {
		return at(err, c.Files[f.Place.Row-1])
	}
	return err
}

// remote asks through a server, which looks whether the clerk may use the seal when everything is there.
func (c terminalAskCommand) remote(ctx context.Context, s streams) error {
	wanted, err := c.order(c.Seal)
	if err != nil {
		return err
	}
	if err := c.checkNumber(); err != nil {
		return err
	}
	server, err := c.client()
	if err != nil {
		return err
	}
	task := client.NewKeyTask{Clerk: c.For, Origin: c.Origin, Note: c.Note, Order: &wanted.SealingTerms}
	watched, end := s.watch(ctx)
	defer end()
	for _, name := range c.Files {
		d, err := c.send(watched, server, name)
		if err != nil {
			return at(err, name)
		}
		task.Items = append(task.Items, client.KeyTaskItem{Document: d.ID})
	}
	end()
	made, err := server.AskClerk(ctx, client.Key(), task)
	if err != nil {
		return c.named(err)
	}
	return printShown(s, made, c.JSON)
}

func (c terminalAskCommand) send(ctx context.Context, server *client.Client, name string) (api.Document, error) {
	in, size, err := openInput(name)
	if err != nil {
		return api.Document{}, err
	}
	defer in.Close()
	return server.Upload(ctx, filepath.Base(name), in, size) // under this name, which the clerk reads
}

func (c terminalAskCommand) upload(ctx context.Context, h *installation, by access.Actor, name string) (sealer.Document, error) {
	in, _, err := openInput(name)
	if err != nil {
		return sealer.Document{}, err
	}
	defer in.Close()
	return h.sealer.Upload(ctx, by, name, in)
}

// print shows a task.
func (f terminalFlags) print(s streams, t terminal.Task) error {
	return printShown(s, api.KeyTaskOf(t, s.now()), f.JSON)
}

func printShown(s streams, shown api.KeyTask, asJSON bool) error {
	if asJSON {
		return printJSON(s, shown)
	}
	printTask(s, shown)
	w := newTable(s.out)
	for _, i := range shown.Items {
		w.row(fmt.Sprintf("  %d", i.Number), i.Name, itemWords[manifest.ItemState(i.State)], i.Reason, i.Result)
	}
	return w.flush()
}

func printTask(s streams, t api.KeyTask) {
	fmt.Fprintf(s.out, "%s  %s  用章人 clerk %s  来自 from %s  待办 open %d  已盖 sealed %d  未成 failed %d  谢绝 declined %d  至 until %s\n",
		t.ID, taskWords[t.State], t.Clerk, t.Origin, t.Open, t.Sealed, t.Failed, t.Refused, moment(t.Expires))
}

var (
	taskWords = map[string]string{"open": "待办 open", "done": "办结 done", "cancelled": "已取消 cancelled", "expired": "已过期 expired"}
	itemWords = map[manifest.ItemState]string{manifest.ItemQueued: "待办 queued", manifest.ItemPrepared: "待签 prepared", manifest.ItemSealed: "已盖章 sealed",
		manifest.ItemFailed: "未成 failed", manifest.ItemDeclined: "谢绝 declined"}
)

type terminalTasksCommand struct {
	terminalFlags
	Before string `help:"Only those older than this task." placeholder:"ID"`
	Limit  int    `help:"At most so many." default:"50" placeholder:"N"`
}

// Help is printed by --help.
func (terminalTasksCommand) Help() string {
	return "Those that the actor is to do or has asked for, the newest first."
}

func (c terminalTasksCommand) Run(ctx context.Context, s streams) error {
	return c.with(ctx, s, func(h *installation, by access.Actor) error {
		list, err := h.terminals.Tasks(ctx, by, c.Before, c.Limit)
		if err != nil {
			return err
		}
		all := make([]api.KeyTask, 0, len(list))
		for _, t := range list {
			all = append(all, api.KeyTaskOf(t, s.now()))
		}
		if c.JSON {
			return printJSON(s, all)
		}
		if len(all) == 0 {
			fmt.Fprintln(s.out, "没有用章任务。 There is no task.")
		}
		for _, t := range all {
			printTask(s, t)
		}
		return nil
	})
}

// taskFlags name a task.
type taskFlags struct {
	terminalFlags
	ID string `arg:"" help:"The task." placeholder:"TASK"`
}

// after does something about the task and shows it.
func (f taskFlags) after(ctx context.Context, s streams, do func(h *installation, by access.Actor) error) error {
	return f.with(ctx, s, func(h *installation, by access.Actor) error {
		if err := do(h, by); err != nil {
			return err
		}
		t, err := h.terminals.Task(ctx, by, f.ID)
		if err != nil {
			return err
		}
		return f.print(s, t)
	})
}

type terminalShowCommand struct{ taskFlags }

func (c terminalShowCommand) Run(ctx context.Context, s streams) error {
	return c.after(ctx, s, func(*installation, access.Actor) error { return nil })
}

type terminalCancelCommand struct{ taskFlags }

func (c terminalCancelCommand) Run(ctx context.Context, s streams) error {
	return c.after(ctx, s, func(h *installation, by access.Actor) error { return h.terminals.Cancel(ctx, by, c.ID) })
}

type terminalRetryCommand struct{ taskFlags }

func (c terminalRetryCommand) Run(ctx context.Context, s streams) error {
	return c.after(ctx, s, func(h *installation, by access.Actor) error {
		_, err := h.terminals.Retry(ctx, by, c.ID)
		return err
	})
}

type terminalFetchCommand struct {
	taskFlags
	Output string `short:"o" required:"" help:"Folder for the sealed files; it is made if it is missing." placeholder:"DIR"`
}

// Help is printed by --help.
func (terminalFetchCommand) Help() string {
	return "Each file is named after its number and its own name. Exit status: 0 every file of the task is there, 3 some are not sealed, 1 failed."
}

func (c terminalFetchCommand) Run(ctx context.Context, s streams) error {
	return c.with(ctx, s, func(h *installation, by access.Actor) error {
		t, err := h.terminals.Task(ctx, by, c.ID)
		if err != nil {
			return err
		}
		if err := os.MkdirAll(c.Output, 0o755); err != nil {
			return err
		}
		written := []string{}
		for _, i := range t.Items {
			if i.State != manifest.ItemSealed {
				continue
			}
			d, err := h.sealer.Document(ctx, by, i.Result)
			if err != nil {
				return err
			}
			name := filepath.Join(c.Output, fmt.Sprintf("%04d-%s", i.Number, d.Name))
			if err := writeFile(ctx, name, 0o644, func(w io.Writer) error { return h.sealer.Copy(ctx, w, d) }); err != nil {
				return err
			}
			written = append(written, name)
		}
		if c.JSON {
			err = printJSON(s, map[string]any{"files": written, "total": t.Total})
		} else {
			for _, name := range written {
				fmt.Fprintln(s.out, name)
			}
		}
		if err == nil && len(written) < t.Total {
			return exit{exitRefused}
		}
		return err
	})
}
