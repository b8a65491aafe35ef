package command

import (
	"context"
	"fmt"
	"path/filepath"

	"yinxin/internal/backup"
	"yinxin/internal/ledger"
	"yinxin/internal/store"
	"yinxin/keystore"
)

type backupCommand struct {
	dataFlags
	Target   string `arg:"" help:"Where the backup goes: a tar file if the name ends in .tar, else a folder. Nothing may be there." placeholder:"TARGET"`
	WithRoot bool   `name:"with-root" help:"Also copy the root's keystore if it still lies in the data directory. It should lie elsewhere, and so should its copies."`
	JSON     bool   `name:"json" help:"Print what was made as JSON."`
}

// Help is printed by --help.
func (backupCommand) Help() string {
	return "Copies database, files, keystores (sealed as they are), configuration, certificates and transcript while the service runs. " +
		"No passphrase is copied. The manifest names every file with its SM3 and is signed by the ledger's key; the ledger records the backup."
}

// backupResult is what backup and restore --check print as JSON.
type backupResult struct {
	Target     string `json:"target"`
	Manifest   string `json:"manifest_sm3"`
	Made       string `json:"made"`
	Tool       string `json:"tool"`
	Name       string `json:"name"`
	LedgerSize int64  `json:"ledger_size"`
	Files      int    `json:"files"`
	Bytes      int64  `json:"bytes"`
	Vanished   int    `json:"vanished"`
	Root       bool   `json:"root_included"`
}

func backupOf(target, digest string, m backup.Manifest) backupResult {
	r := backupResult{Target: target, Manifest: digest, Made: moment(m.Made), Tool: m.Tool, Name: m.Name, LedgerSize: m.Size, Files: len(m.Files), Bytes: m.Bytes(), Vanished: m.Vanished}
	for _, f := range m.Files {
		r.Root = r.Root || f.Path == rootKeysName+"/master.json"
	}
	return r
}

func (r backupResult) print(s streams) {
	fmt.Fprintf(s.out, "%s\n  %s, %s\n  %d 个文件 files, %d B; 日志 ledger %d\n  清单 manifest SM3 %s\n", r.Target, r.Name, r.Made, r.Files, r.Bytes, r.LedgerSize, r.Manifest)
	if r.Vanished > 0 {
		fmt.Fprintf(s.out, "  备份期间删除的文件 removed meanwhile: %d\n", r.Vanished)
	}
	if !r.Root {
		fmt.Fprintln(s.out, "  不含根密钥库，请另行保管其副本。 The root's keystore is not included: keep copies of it elsewhere.")
	}
	fmt.Fprintln(s.out, "  不含口令，请另行保管。 No passphrase is included: keep it elsewhere.")
}

func (c backupCommand) Run(ctx context.Context, s streams) error {
	return inForm(s, c.JSON, c.run(ctx, s))
}

func (c backupCommand) run(ctx context.Context, s streams) error {
	h, err := openInstallation(ctx, c.dataFlags, s.now)
	if err != nil {
		return err
	}
	defer h.close()
	key, err := h.keys.Ring(keystore.PurposeLedger).Get(ctx, "ledger")
	if err != nil {
		return err
	}
	made, err := backup.Write(ctx, c.Target, backup.Source{DB: h.db, Files: h.files, Paths: h.backupPaths(c.WithRoot), Key: key, Name: h.config.Name, Tool: toolVersion(),
		Clock: s.now, Progress: progressTo(s)})
	if err != nil {
		return err
	}
	ctx = context.WithoutCancel(ctx) // the backup is in its place now: whoever stops waiting does not undo it
	err = h.db.Write(ctx, func(tx *store.Tx) error {
		_, err := h.ledger.Append(ctx, tx, ledger.Event{Kind: "backup.made", Data: map[string]string{"manifest": made.Digest, "made": store.Time(made.Made)}})
		return err
	})
	if err != nil {
		return err
	}
	if err := h.settle(ctx); err != nil {
		return err
	}
	result := backupOf(c.Target, made.Digest, made.Manifest)
	if c.JSON {
		return printJSON(s, result)
	}
	result.print(s)
	return nil
}

// backupPaths are the files and folders of a data directory that a backup copies, apart from database and blobs.
func (h *installation) backupPaths(withRoot bool) map[string]string {
	names := []string{configName, keysName, trustName, ceremonyName}
	if withRoot {
		names = append(names, rootKeysName)
	}
	for _, name := range h.config.TimeStampRoots {
		if filepath.IsLocal(name) {
			names = append(names, filepath.ToSlash(filepath.Clean(name)))
		}
	}
	paths := map[string]string{}
	for _, name := range names {
		paths[name] = filepath.Join(h.dir, filepath.FromSlash(name))
	}
	return paths
}

func progressTo(s streams) func(done, whole int64) {
	return func(done, whole int64) { fmt.Fprintf(s.err, "%d / %d MB\n", done>>20, whole>>20) }
}
