package command

import (
	"context"
	"encoding/hex"
	"fmt"
	"os"

	"yinxin/ca"
	"yinxin/internal/access"
	"yinxin/internal/ledger"
)

type auditCommand struct {
	Verify     auditVerifyCommand     `cmd:"" help:"Check the ledger from the first entry to the last, and the approvals against it."`
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
	return "Exit status: 0 the ledger is whole and tells of every request and approval, 1 something is wrong (each problem is named) or could not be read."
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
	restores, kept, err := h.restores(ctx, kept)
	if err != nil {
		return err
	}
	r, err := ledger.Verify(ctx, h.db, public, kept...)
	if err != nil {
		return err
	}
	approvals, err := access.Compare(ctx, h.db)
	if err != nil {
		return err
	}
	people, err := h.access.Mixed(ctx)
	if err != nil {
		return err
	}
	mixed := []actorJSON{}
	for _, a := range people {
		mixed = append(mixed, actorOf(a))
	}
	if c.JSON {
		if err := printJSON(s, auditResult{r, restores, approvals, mixed}); err != nil {
			return err
		}
	} else {
		printAudit(s, r)
		printRestores(s, restores)
		printApprovals(s, approvals)
		for _, a := range mixed {
			fmt.Fprintf(s.out, "⚠ 一人兼任管理、使用、审计角色 roles of more than one side: %s  %s  %s\n", a.ID, a.Name, roleWords(a.Roles))
		}
	}
	if len(r.Problems) > 0 || len(approvals.Differences) > 0 {
		return exit{exitFailed}
	}
	return nil
}

// auditResult is what audit verify --json prints.
type auditResult struct {
	ledger.VerifyResult
	Restores  []restoreEvent    `json:"restores"`
	Approvals access.Comparison `json:"approvals"`
	// Mixed are those who hold roles of more than one of management, use and audit, which an older version let them. That
	// is for an administrator to end and does not make the ledger wrong.
	Mixed []actorJSON `json:"mixed_roles"`
}

// restoreEvent is a restore from a backup, as the ledger tells of it. Between the backup and the restore the ledger had
// entries that it has no longer; Forgotten are the kept checkpoints of that time, which the restore explains and which
// therefore do not count as a cut.
type restoreEvent struct {
	Position  int64    `json:"position"`
	At        string   `json:"at"`
	By        string   `json:"by"`
	Made      string   `json:"backup_made"`
	Size      int64    `json:"backup_size"`
	Manifest  string   `json:"manifest_sm3"`
	Forgotten []string `json:"forgotten_checkpoints"`
}

// restores reads the restores from the ledger, and gives the kept checkpoints that they do not explain.
func (h *installation) restores(ctx context.Context, kept []ledger.Checkpoint) ([]restoreEvent, []ledger.Checkpoint, error) {
	restores, err := ca.Restores(ctx, h.db.Read())
	if err != nil {
		return nil, nil, err
	}
	list := []restoreEvent{}
	var rest []ledger.Checkpoint
	explained := map[string]bool{}
	for _, e := range restores {
		r := restoreEvent{Position: e.Position, At: moment(e.Time), By: e.Actor, Made: moment(e.Made), Size: e.Size, Manifest: e.Manifest, Forgotten: []string{}}
		for _, c := range kept {
			if e.Forgot(c) {
				explained[c.Note] = true
				r.Forgotten = append(r.Forgotten, fmt.Sprintf("%d, %s", c.Size, moment(c.Time)))
			}
		}
		list = append(list, r)
	}
	for _, c := range kept {
		if !explained[c.Note] {
			rest = append(rest, c)
		}
	}
	return list, rest, nil
}

// printApprovals says where requests and approvals are not what the ledger tells of them.
func printApprovals(s streams, c access.Comparison) {
	if len(c.Differences) == 0 {
		fmt.Fprintf(s.out, "✔ 审批与日志一致 the approvals are those of the ledger: %d requests, %d approvals\n", c.Requests, c.Approvals)
		return
	}
	fmt.Fprintln(s.out, "✘ 审批与日志不一致 requests and approvals are not those of the ledger:")
	for _, d := range c.Differences {
		fmt.Fprintf(s.out, "  %v\n", d)
	}
	if c.Omitted > 0 {
		fmt.Fprintf(s.out, "  另有 and %d more\n", c.Omitted)
	}
}

func printRestores(s streams, restores []restoreEvent) {
	for _, r := range restores {
		fmt.Fprintf(s.out, "ℹ 第 %d 条：%s 由 %s 从 %s 的备份恢复，其后的记录到恢复为止已不在此 entry %d: restored from the backup of %s (%d entries); what was recorded between is not here\n",
			r.Position, r.At, r.By, r.Made, r.Position, r.Made, r.Size)
		for _, c := range r.Forgotten {
			fmt.Fprintf(s.out, "  检查点属于这段时间 a kept checkpoint is of that time: %s\n", c)
		}
	}
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
