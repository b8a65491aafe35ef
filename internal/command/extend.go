package command

import (
	"context"
	"fmt"
	"io"
	"time"

	"yinxin/ca/chain"
	"yinxin/internal/fault"
	"yinxin/internal/fetch"
)

type extendCommand struct {
	Input  string `arg:"" name:"in.pdf" help:"Sealed PDF; it is not changed."`
	Output string `short:"o" required:"" help:"Where the extended PDF goes." placeholder:"PDF"`
	dataFlags
	As      string   `help:"Actor who extends (default: the operator recorded in the data directory)." placeholder:"ACTOR"`
	Trust   []string `help:"Also prove what these roots certify: certificates and revocation lists, files or folders. May be repeated." placeholder:"PATH" sep:"none"`
	Online  bool     `help:"Ask those CAs for the state of their certificates, at the addresses that these name."`
	Private bool     `help:"With --online: also ask at private addresses."`
	JSON    bool     `name:"json" help:"Print the result as JSON."`
}

// Help is printed by --help.
func (extendCommand) Help() string {
	return "Adds certificates, revocation lists and OCSP answers for every signature, and a document time stamp over all of it, so that the file can still be verified when certificates have expired. " +
		"Extend again before the last time stamp's certificate expires. Exit status: 0 extended, 3 refused, 1 failed."
}

func (c extendCommand) Run(ctx context.Context, s streams) error {
	return inForm(s, c.JSON, c.run(ctx, s))
}

func (c extendCommand) run(ctx context.Context, s streams) error {
	if sameFile(c.Input, c.Output) {
		return errSameFile.At(fault.File(c.Output))
	}
	if err := checkOutput(c.Output); err != nil {
		return err
	}
	h, actor, err := openAs(ctx, c.dataFlags, c.As, s.now)
	if err != nil {
		return err
	}
	defer h.close()
	e := evidence{own: h.authority}
	if len(c.Trust) > 0 {
		anchors, lists, err := chain.LoadTrust(c.Trust...)
		if err != nil {
			return err
		}
		h.sealer.Chain, e.lists = withTrust(h.sealer.Chain, anchors, lists), lists
	}
	if c.Online {
		e.client = fetch.New(fetch.Options{Private: c.Private})
	}
	h.sealer.Evidence = e
	in, _, err := openInput(c.Input)
	if err != nil {
		return err
	}
	defer in.Close()
	start := time.Now()
	document, err := h.sealer.Upload(ctx, actor, c.Input, in)
	if err != nil {
		return at(err, c.Input)
	}
	extended, err := h.sealer.Extend(ctx, actor, document.ID)
	if err != nil {
		return at(err, c.Input)
	}
	if err := writeFile(ctx, c.Output, 0o644, func(w io.Writer) error { return h.sealer.Copy(ctx, w, extended) }); err != nil {
		return err
	}
	if _, err := h.ledger.Sequence(ctx); err != nil {
		return err
	}
	if c.JSON {
		return printJSON(s, map[string]any{"output": c.Output, "document": extended.ID, "size": extended.Size, "sm3": extended.SM3})
	}
	fmt.Fprintf(s.out, "已延长 extended: %s (%d bytes, %d ms)\n  已加入证书、证书状态和文档时间戳；时间戳证书到期之前请再延长一次。\n"+
		"  Certificates, their states and a document time stamp were added; extend again before the time stamp's certificate expires.\n", c.Output, extended.Size, time.Since(start).Milliseconds())
	return nil
}
