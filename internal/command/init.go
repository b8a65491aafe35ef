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
	PasswordFile   string `help:"File with the administrator's first password for the pages in its first line, - for standard input; otherwise it is asked for on a terminal." placeholder:"FILE"`
}

// Help is printed by --help.
func (initCommand) Help() string {
	return "The passphrase comes from --passphrase-file, YINXIN_PASSPHRASE_FILE or YINXIN_PASSPHRASE. The folder root-keys holds the root's key: take it offline when the installation stands. " +
		"The administrator's API key is printed once. The administrator signs in at the pages with the password of --password-file, or the one that is asked for on a terminal " +
		"(12 to 128 characters), and changes it at the first login; without one, yinxin enroll people password sets it later."
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
	if err := emptyOrAbsent(c.Data); err != nil {
		return err
	}
	password, err := c.password(ctx, s)
	if err != nil {
		return err
	}
	defer clear(password)
	secret, err := establish(ctx, s, establishing{data: c.Data, database: c.Database, passphrase: passphrase, root: root, plan: plan, password: password,
		confirmed: [2]time.Time{s.now(), s.now()}})
	if err != nil {
		return err
	}
	fmt.Fprintln(s.out, c.Data)
	showAdministrator(s, plan, secret, password)
	return nil
}

// password is the administrator's first one: empty where nobody sits at a terminal and no file is named.
func (c initCommand) password(ctx context.Context, s streams) ([]byte, error) {
	p := newPINs(s)
	if c.PasswordFile == "" && p.terminal == nil {
		return nil, nil
	}
	return p.askNew(ctx, c.PasswordFile, question{"管理员的网页登录密码", "administrator's password for the pages"})
}
