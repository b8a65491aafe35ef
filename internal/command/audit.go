package command

import (
	"context"
	"encoding/hex"
	"fmt"
	"os"

	"yinxin/internal/ledger"
)

type auditCommand struct {
	Verify     auditVerifyCommand     `cmd:"" help:"Check the ledger from the first entry to the last."`
	Checkpoint auditCheckpointCommand `cmd:"" help:"Print the newest signed checkpoint, to be kept elsewhere."`
}

type auditVerifyCommand struct {
	Data     string   `required:"" help:"Data directory." placeholder:"DIR"`
	Database string   `help:"Database of the data directory, if not the recorded one." placeholder:"URL" env:"YINXIN_DATABASE"`
	Kept     []string `name:"checkpoint" help:"Checkpoint that was kept elsewhere: the ledger must still contain it." placeholder:"FILE" sep:"none"`
	JSON     bool     `name:"json" help:"Print the result as JSON."`
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
	var kept []ledger.Checkpoint
	for _, name := range c.Kept {
		note, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		checkpoint, err := ledger.ParseCheckpoint(string(note), public)
		if err != nil {
			return at(err, name)
		}
		kept = append(kept, checkpoint)
	}
	r, err := ledger.Verify(ctx, h.db, public, kept...)
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

type auditCheckpointCommand struct {
	Data     string `required:"" help:"Data directory." placeholder:"DIR"`
	Database string `help:"Database of the data directory, if not the recorded one." placeholder:"URL" env:"YINXIN_DATABASE"`
}

// Help is printed by --help.
func (auditCheckpointCommand) Help() string {
	return "Whoever keeps it can later show that the ledger was cut off or rewritten: yinxin audit verify --checkpoint FILE."
}

func (c auditCheckpointCommand) Run(ctx context.Context, s streams) error {
	h, err := openForReading(ctx, c.Data, c.Database, s.now)
	if err != nil {
		return err
	}
	defer h.close()
	checkpoint, err := ledger.New(h.db, nil, s.now).Checkpoint(ctx)
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(s.out, checkpoint.Note)
	return err
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
