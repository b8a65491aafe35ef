package command

import (
	"context"
	"fmt"
	"time"

	"yinxin/ca/ceremony"
	"yinxin/keystore"
)

type initCommand struct {
	dataFlags
	Organisation   string `required:"" help:"Full name of the body that runs the CA." placeholder:"NAME"`
	BaseURL        string `name:"base-url" help:"Where CRLs, certificates and OCSP will be found; it goes into every certificate." default:"http://127.0.0.1:8470" placeholder:"URL"`
	Registrar      string `help:"Name of the officer who makes requests." default:"登记员" placeholder:"NAME"`
	Approver       string `help:"Name of the officer who approves them: another person." default:"审核员" placeholder:"NAME"`
	Administrator  string `help:"Name of the first administrator." default:"管理员" placeholder:"NAME"`
	RootPassphrase string `name:"root-passphrase-file" help:"File with the passphrase of the root's keystore (default: the same passphrase)." placeholder:"FILE"`
}

// Help is printed by --help.
func (initCommand) Help() string {
	return "The passphrase comes from --passphrase-file, YINXIN_PASSPHRASE_FILE or YINXIN_PASSPHRASE. The folder root-keys holds the root's key: take it offline when the installation stands. " +
		"The administrator's API key is printed once."
}

func (c initCommand) Run(ctx context.Context, s streams) error {
	if c.Data == "" {
		return errFlag.With("--data")
	}
	passphrase, err := findPassphrase(c.dataFlags, config{})
	if err != nil {
		return err
	}
	root := passphrase
	if c.RootPassphrase != "" {
		if root, err = keystore.ReadPassphraseFile(c.RootPassphrase); err != nil {
			return err
		}
	}
	plan := ceremony.Default(c.Organisation, c.BaseURL).WithOfficers(c.Registrar, c.Approver, c.Administrator)
	secret, err := establish(ctx, s, establishing{data: c.Data, database: c.Database, passphrase: passphrase, root: root, plan: plan,
		confirmed: [2]time.Time{s.now(), s.now()}})
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "%s\n管理员 API 密钥（只显示一次） administrator's API key, shown once:\n%s\n", c.Data, secret)
	return nil
}
