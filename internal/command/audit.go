package command

import (
	"context"
	"encoding/hex"
	"fmt"

	"yinxin/internal/ledger"
)

type auditCommand struct {
	Verify auditVerifyCommand `cmd:"" help:"Check the ledger from the first entry to the last."`
}

type auditVerifyCommand struct {
	Data     string `required:"" help:"Data directory." placeholder:"DIR"`
	Database string `help:"Database of the data directory, if not the recorded one." placeholder:"URL" env:"YINXIN_DATABASE"`
	JSON     bool   `name:"json" help:"Print the result as JSON."`
}

// Help is printed by --help.
func (auditVerifyCommand) Help() string {
	return "Exit status: 0 the ledger is whole, 1 something is wrong with it (each problem is named) or it could not be read."
}

func (c auditVerifyCommand) Run(ctx context.Context, s streams) error {
	h, err := openForReading(ctx, c.Data, c.Database, s.now)
	if err != nil {
		return err
	}
	defer h.close()
	public, err := h.config.ledgerKey()
	if err != nil {
		return err
	}
	r, err := ledger.Verify(ctx, h.db, public)
	if err != nil {
		return err
	}
	if c.JSON {
		if err := printJSON(s, r); err != nil {
			return err
		}
	} else {
		printAudit(s, r)
	}
	if len(r.Problems) > 0 {
		return exit{exitFailed}
	}
	return nil
}

func printAudit(s streams, r ledger.VerifyResult) {
	if len(r.Problems) == 0 {
		fmt.Fprintf(s.out, "✔ 日志未被改动 the ledger is whole: %d entries, root %s", r.Size, hex.EncodeToString(r.Root))
		if r.Pending > 0 {
			fmt.Fprintf(s.out, ", %d more waiting for their number", r.Pending)
		}
		fmt.Fprintln(s.out)
		return
	}
	fmt.Fprintln(s.out, "✘ 日志被改动或损坏 the ledger was changed or is damaged:")
	for _, p := range r.Problems {
		fmt.Fprintf(s.out, "  %v\n", p)
	}
}
