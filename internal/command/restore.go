package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"yinxin/ca"
	"yinxin/ca/chain"
	"yinxin/internal/access"
	"yinxin/internal/backup"
	"yinxin/internal/fault"
	"yinxin/internal/ledger"
	"yinxin/internal/store"
	"yinxin/keystore"
)

var (
	errRestoreDatabase = fault.Spec{Kind: fault.Invalid, Code: "restore.database",
		ZH: "备份的数据库不在数据目录内；请用 --database 指定一个空的数据库。", EN: "The database of the backup lay outside its data directory: name an empty one with --database."}
	errRestoreLedger = fault.Spec{Kind: fault.Internal, Code: "restore.ledger",
		ZH: "恢复出的日志不完整，未恢复任何内容。", EN: "The restored ledger is not whole; nothing was restored."}
)

type restoreCommand struct {
	dataFlags
	Backup    string   `arg:"" help:"The backup: a folder or a tar file." placeholder:"BACKUP"`
	As        string   `help:"Officer who restores (default: the operator recorded in the backup)." placeholder:"ACTOR"`
	KnownCRL  []string `name:"known-crl" help:"Revocation list of an issuing CA that was published after the backup; may be repeated. What it revokes stays revoked." placeholder:"FILE" sep:"none"`
	LedgerKey string   `name:"ledger-key" help:"Public key of the ledger that was kept elsewhere (trust/ledger.pub): the backup must be signed by it." placeholder:"FILE"`
	Check     bool     `help:"Only check the backup: every file against the signed manifest. Nothing is made."`
	JSON      bool     `name:"json" help:"Print the result as JSON."`
}

// Help is printed by --help.
func (restoreCommand) Help() string {
	return "Makes a data directory that is not there yet. Serial numbers go on under another prefix, revocation lists under higher numbers, so that nothing issued or published after the backup is repeated; " +
		"certificates issued after the backup are not known to it. Fetch the last published lists and give them with --known-crl. Stop the old service first, and never start it again."
}

// restoreResult is what restore --json prints.
type restoreResult struct {
	backupResult
	Data      string   `json:"data"`
	OldPrefix string   `json:"old_prefix"`
	NewPrefix string   `json:"new_prefix"`
	CRLFloor  int64    `json:"crl_floor"`
	Lost      int      `json:"revoked_but_not_on_record"`
	Held      []string `json:"put_on_hold"`
}

func (c restoreCommand) Run(ctx context.Context, s streams) error {
	return inForm(s, c.JSON, c.run(ctx, s))
}

func (c restoreCommand) run(ctx context.Context, s streams) error {
	b, err := backup.Open(ctx, c.Backup, configName)
	if err != nil {
		return err
	}
	text, err := b.Small(configName)
	if err != nil {
		return err
	}
	var settings config
	if err := json.Unmarshal(text, &settings); err != nil || settings.Format != configFormat {
		return backup.ErrNotBackup.At(fault.File(configName)).Because(err)
	}
	key, err := settings.ledgerKey()
	if err != nil {
		return err
	}
	if c.LedgerKey != "" {
		if key, err = readPublicKey(c.LedgerKey, "--ledger-key"); err != nil {
			return err
		}
	}
	m, err := b.Check(key)
	if err != nil {
		return err
	}
	result := restoreResult{backupResult: backupOf(c.Backup, b.Digest(), m), Held: []string{}}
	if c.Check {
		if err := b.Extract(ctx, m, "", progressTo(s)); err != nil {
			return err
		}
		if c.JSON {
			return printJSON(s, result.backupResult)
		}
		result.print(s)
		fmt.Fprintln(s.out, "✔ 备份完整 the backup is whole")
		return nil
	}
	if err := c.restore(ctx, s, b, m, settings, &result); err != nil {
		return err
	}
	if c.JSON {
		return printJSON(s, result)
	}
	c.print(s, result)
	return nil
}

// restore builds the data directory beside its place and moves it there when all of it is right.
func (c restoreCommand) restore(ctx context.Context, s streams, b *backup.Backup, m backup.Manifest, settings config, result *restoreResult) error {
	if c.Data == "" {
		return errMissing.At(fault.Field("--data"))
	}
	switch {
	case c.Database != "":
		settings.Database = c.Database
	case strings.Contains(settings.Database, "://") || !filepath.IsLocal(settings.Database):
		return errRestoreDatabase.New()
	}
	known, err := c.known()
	if err != nil {
		return err
	}
	result.Data = c.Data
	return atomicFolder(c.Data, func(making string) error {
		if err := b.Extract(ctx, m, making, progressTo(s)); err != nil {
			return err
		}
		settings, passphrase, err := c.settings(ctx, making, settings)
		if err != nil {
			return err
		}
		keys, err := keystore.Open(filepath.Join(making, keysName), keystore.Options{Passphrase: passphrase})
		if err != nil {
			return err
		}
		db, err := openDatabase(ctx, settings.databaseURL(making, ""))
		if err != nil {
			return err
		}
		r := restoring{command: c, manifest: m, digest: b.Digest(), known: known, result: result,
			h: &installation{dir: making, config: settings, now: s.now, db: db, keys: keys}}
		return errors.Join(r.all(ctx), r.h.close())
	})
}

// settings writes the configuration of the restored directory. A passphrase file that lay in the old one is not in the
// backup.
func (c restoreCommand) settings(ctx context.Context, making string, settings config) (config, []byte, error) {
	if name := settings.PassphraseFile; name != "" && !filepath.IsAbs(name) {
		settings.PassphraseFile = ""
	}
	passphrase, err := findPassphrase(c.dataFlags, settings)
	if err != nil {
		return settings, nil, err
	}
	return settings, passphrase, settings.write(ctx, making)
}

func (c restoreCommand) known() ([][]byte, error) {
	var lists [][]byte
	for _, name := range c.KnownCRL {
		data, err := readSmall(name)
		if err != nil {
			return nil, err
		}
		data = pemOrDER(data, "CRL")
		if _, err := chain.ParseCRL(data); err != nil {
			return nil, at(err, name)
		}
		lists = append(lists, data)
	}
	return lists, nil
}

// restoring is the work on an extracted backup.
type restoring struct {
	command  restoreCommand
	manifest backup.Manifest
	digest   string
	known    [][]byte
	result   *restoreResult
	h        *installation
}

func (r *restoring) all(ctx context.Context) (err error) {
	h := r.h
	if err := backup.Load(ctx, r.manifest, h.dir, h.db); err != nil {
		return err
	}
	// A database outside the folder does not vanish with it.
	defer func() {
		if err != nil {
			nothing := func(func(store.Table, []any) error) error { return nil }
			err = errors.Join(err, h.db.Load(context.WithoutCancel(ctx), nothing))
		}
	}()
	if err := r.whole(ctx); err != nil {
		return err
	}
	if err := ledger.EndLease(ctx, h.db); err != nil {
		return err
	}
	ledgerKey, err := h.keys.Ring(keystore.PurposeLedger).Get(ctx, "ledger")
	if err != nil {
		return err
	}
	h.ledger = ledger.New(h.db, ledgerKey, h.now)
	h.access = access.New(h.db, h.ledger, h.now)
	actor, err := h.operator(ctx, r.command.As)
	if err != nil {
		return err
	}
	restored, err := ca.Restoration{DB: h.db, Ledger: h.ledger, Clock: h.now, Shards: h.config.CRLShards, By: actor.ID, Made: r.manifest.Made,
		Manifest: r.digest, Size: r.manifest.Size, Known: r.known}.Mark(ctx)
	if err != nil {
		return err
	}
	r.result.OldPrefix, r.result.NewPrefix, r.result.CRLFloor, r.result.Lost = restored.OldPrefix, restored.NewPrefix, restored.CRLFloor, restored.Lost
	if err := h.wire(ctx); err != nil {
		return err
	}
	for _, serial := range restored.Hold {
		if err := h.authority.SuspendAtOnce(ctx, actor, serial, "revoked after the backup"); err != nil {
			return err
		}
		r.result.Held = append(r.result.Held, serial.Text(16))
	}
	if err := h.authority.PublishCRL(ctx); err != nil {
		return err
	}
	if err := h.publish(ctx); err != nil {
		return err
	}
	if err := h.settle(ctx); err != nil {
		return err
	}
	return r.whole(ctx)
}

// whole checks the ledger from the first entry to the last, also against the checkpoint of the signed manifest.
func (r *restoring) whole(ctx context.Context) error {
	public, err := r.h.config.ledgerKey()
	if err != nil {
		return err
	}
	var kept []ledger.Checkpoint
	if r.manifest.Checkpoint != "" {
		checkpoint, err := ledger.ParseCheckpoint(r.manifest.Checkpoint, public)
		if err != nil {
			return err
		}
		kept = append(kept, checkpoint)
	}
	found, err := ledger.Verify(ctx, r.h.db, public, kept...)
	if err != nil {
		return err
	}
	if !found.OK() {
		return errRestoreLedger.With("%v", found.Problems[0])
	}
	return nil
}

func (c restoreCommand) print(s streams, r restoreResult) {
	r.print(s)
	fmt.Fprintf(s.out, "已恢复到 restored: %s\n", r.Data)
	fmt.Fprintf(s.out, "  序列号前缀 serial prefix %s → %s；撤销列表编号自 CRL numbers from %d\n", r.OldPrefix, r.NewPrefix, r.CRLFloor)
	fmt.Fprintf(s.out, "  %s 之后签发的证书、盖的章在此没有记录。 What was issued and sealed after that time is not on record here.\n", r.Made)
	if len(c.KnownCRL) == 0 {
		fmt.Fprintln(s.out, "  ⚠ 备份之后的撤销可能丢失：请取得最后发布的撤销列表，用 --known-crl 重新恢复。 Revocations after the backup may be lost: restore again with the last published lists (--known-crl).")
	}
	if r.Lost > 0 {
		fmt.Fprintf(s.out, "  已撤销但无记录的证书 revoked, not on record, kept on the lists: %d\n", r.Lost)
	}
	for _, serial := range r.Held {
		fmt.Fprintf(s.out, "  已冻结，待两人确认撤销 put on hold, to be confirmed by two people: %s\n", serial)
	}
	if _, err := os.Stat(filepath.Join(c.Data, rootKeysName)); errors.Is(err, fs.ErrNotExist) {
		fmt.Fprintln(s.out, "  根密钥库不在其中。 The root's keystore is not in it.")
	}
}
