package command

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/sealer"
	"yinxin/sealer/pdf"
	"yinxin/sealer/register"
)

type sealCommand struct {
	Input  string `arg:"" optional:"" name:"in.pdf" help:"PDF to seal; it is not changed."`
	Output string `short:"o" help:"Where the sealed PDF goes." placeholder:"PDF"`
	Seal   string `help:"Code of the seal (14 digits)." placeholder:"ID"`
	List   bool   `help:"List the seals that may be used, instead of sealing."`

	dataFlags
	Server string `help:"Seal through a server instead of a data directory." placeholder:"URL"`
	KeyEnv string `name:"api-key-env" help:"Environment variable that holds the API key for --server." default:"YINXIN_API_KEY" placeholder:"NAME"`
	As     string `help:"Actor who seals (default: the operator recorded in the data directory)." placeholder:"ACTOR"`

	Page   int     `help:"Page from 1; -1 is the last." default:"-1"`
	X      float64 `name:"x" help:"Distance of the seal from the page's corner, mm, across." default:"25"`
	Y      float64 `name:"y" help:"Distance of the seal from the page's corner, mm, along." default:"30"`
	From   string  `help:"Corner of the page as displayed from which --x and --y count." enum:"bottom-left,bottom-right,top-left,top-right" default:"bottom-right"`
	Reason string  `help:"Reason, recorded in the signature." default:""`
	Key    string  `name:"idempotency-key" help:"Repeat safely: the same key with the same order gives the stored result (--server)."`
	JSON   bool    `name:"json" help:"Print the result as JSON."`
}

// Help is printed by --help.
func (sealCommand) Help() string {
	return "Exit status: 0 sealed, 3 refused (the document must not be sealed, or the seal must not be used; a reason code is printed), 1 failed. " +
		"--x and --y are measured from the corner given by --from to the nearest corner of the seal."
}

func (c sealCommand) Run(ctx context.Context, s streams) error {
	err := c.run(ctx, s)
	if err != nil && c.JSON {
		return failJSON(s, err)
	}
	return err
}

func (c sealCommand) run(ctx context.Context, s streams) error {
	if c.Server != "" {
		return c.remote(ctx, s)
	}
	if !c.List {
		if err := c.checkFiles(); err != nil {
			return err
		}
	}
	h, err := openInstallation(ctx, c.dataFlags, s.now)
	if err != nil {
		return err
	}
	defer h.close()
	actor, err := h.operator(ctx, c.As)
	if err != nil {
		return err
	}
	if c.List {
		list, err := h.register.Seals(ctx, actor)
		if err != nil {
			return err
		}
		return c.printSeals(s, list)
	}
	return c.local(ctx, s, h, actor)
}

// checkFiles refuses what can be refused before anything is opened.
func (c sealCommand) checkFiles() error {
	switch {
	case c.Input == "":
		return errFlag.At(fault.Field("in.pdf")).With("missing")
	case c.Seal == "":
		return errFlag.At(fault.Field("--seal")).With("missing")
	case c.Output == "":
		return errFlag.At(fault.Field("-o")).With("missing")
	case sameFile(c.Input, c.Output):
		return errSameFile.At(fault.File(c.Output))
	}
	if info, err := os.Stat(filepath.Dir(c.Output)); err != nil {
		return err
	} else if !info.IsDir() {
		return errIsFolder.At(fault.File(c.Output))
	}
	return nil
}

var corners = map[string]pdf.Corner{"bottom-left": pdf.BottomLeft, "bottom-right": pdf.BottomRight, "top-left": pdf.TopLeft, "top-right": pdf.TopRight}

func (c sealCommand) placement() pdf.Placement {
	return pdf.Placement{Page: c.Page, From: corners[c.From], X: c.X, Y: c.Y}
}

func (c sealCommand) local(ctx context.Context, s streams, h *installation, actor access.Actor) error {
	in, _, err := openInput(c.Input)
	if err != nil {
		return err
	}
	defer in.Close()
	start := time.Now()
	if _, err := h.register.Authorise(ctx, actor, c.Seal); err != nil {
		return err
	}
	document, err := h.sealer.Upload(ctx, actor, c.Input, in)
	if err != nil {
		return at(err, c.Input)
	}
	sealed, err := h.sealer.Seal(ctx, actor, sealer.Order{Document: document.ID, Seal: c.Seal, Placement: c.placement(), Reason: c.Reason})
	if err != nil {
		return at(err, c.Input)
	}
	if err := writeFile(ctx, c.Output, 0o644, func(w io.Writer) error { return h.sealer.Copy(ctx, w, sealed.Document) }); err != nil {
		return err
	}
	if _, err := h.ledger.Sequence(ctx); err != nil {
		return err
	}
	return c.printSealed(s, map[string]any{"output": c.Output, "seal": sealed.Seal, "sealing": sealed.ID, "document": sealed.Document.ID,
		"size": sealed.Document.Size, "sm3": sealed.Document.SM3, "time": sealed.Time.Format(time.RFC3339), "byteRange": sealed.ByteRange}, start)
}

// at names the input file in a fault that knows only the stored document.
func at(err error, name string) error {
	if f, ok := fault.Of(err); ok {
		place := f.Place
		place.File = name
		return f.At(place)
	}
	return err
}

func (c sealCommand) printSealed(s streams, result map[string]any, start time.Time) error {
	if c.JSON {
		return printJSON(s, result)
	}
	fmt.Fprintf(s.out, "已盖章 sealed: %s (%v bytes, %d ms)\n", c.Output, result["size"], time.Since(start).Milliseconds())
	return nil
}

func (c sealCommand) printSeals(s streams, rows []register.Listed) error {
	if c.JSON {
		return printJSON(s, rows)
	}
	if len(rows) == 0 {
		fmt.Fprintln(s.out, "没有可用的印章。\nThere is no seal that you may use.")
	}
	for _, r := range rows {
		status := "可用 usable"
		if !r.Usable {
			status = "不可用 not usable: " + r.Reason
		}
		fmt.Fprintf(s.out, "%s  %s  %s  %.0f × %.0f mm  %s  %s\n", r.Code, r.Name, r.Organisation, r.Width, r.Height, r.State, strings.TrimSpace(status))
	}
	return nil
}
