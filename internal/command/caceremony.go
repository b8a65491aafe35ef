package command

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"yinxin/ca/ceremony"
	"yinxin/internal/fault"
	"yinxin/internal/login"
	"yinxin/keystore"
)

var (
	errNotConfirmed = fault.Spec{Kind: fault.Refused, Code: "ceremony.not-confirmed",
		ZH: "经办人没有用方案摘要的前 8 位以上确认，未做任何更改。", EN: "An officer did not confirm with at least the first 8 digits of the plan's digest; nothing was made."}
	errNoShareFolder = fault.Spec{Kind: fault.Invalid, Code: "ceremony.no-shares-folder",
		ZH: "方案要求分割根密钥，请用 --shares 指定存放份额文件的文件夹，或用 --show-shares 在终端逐份显示。", EN: "The plan splits the root: say where the files of the shares go (--shares), or have them shown one by one (--show-shares)."}
)

// confirmDigits is how much of the digest an officer must type: 32 bits, against a mix-up of plans.
const confirmDigits = 8

type ceremonyCommand struct {
	dataFlags
	Plan           string `arg:"" help:"The plan, YAML; see docs/authority.md." placeholder:"PLAN"`
	Hold           bool   `help:"Hold the ceremony: both officers confirm, keys and certificates are made. Without it nothing is made or asked."`
	RootPassphrase string `name:"root-passphrase-file" help:"File with the passphrase of the root's keystore (default: the same passphrase)." placeholder:"FILE"`
	Shares         string `help:"Folder for the files of the root's shares, one each; it must be empty or absent." placeholder:"DIR"`
	ShowShares     bool   `name:"show-shares" help:"Show the root's shares on this terminal, one after the other, instead."`
	JSON           bool   `name:"json" help:"Print the plan's digest and steps as JSON (dry run only)."`
}

// Help is printed by --help.
func (ceremonyCommand) Help() string {
	return "Without --hold this is a dry run. With it each of the two officers types the first 8 digits of the plan's digest (SM3 of the file) on standard input. " +
		"The transcript lies in DIR/ceremony, its digest in the ledger. Exit status: 0 done, 3 an officer did not confirm, 1 failed."
}

func (c ceremonyCommand) Run(ctx context.Context, s streams) error {
	text, err := readSmall(c.Plan)
	if err != nil {
		return err
	}
	plan, err := ceremony.Parse(c.Plan, text)
	if err != nil {
		return err
	}
	if !c.Hold {
		return c.dryRun(s, plan)
	}
	if c.Data == "" {
		return errMissing.At(fault.Field("--data"))
	}
	if plan.Root.Shares != nil && c.Shares == "" && !c.ShowShares {
		return errNoShareFolder.New()
	}
	if err := emptyOrAbsent(c.Data); err != nil {
		return err
	}
	if c.Shares != "" {
		if err := emptyOrAbsent(c.Shares); err != nil {
			return err
		}
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
	printPlan(s, plan)
	typed := newLines(s.in)
	confirmed, err := confirm(s, typed, plan)
	if err != nil {
		return err
	}
	secret, err := establish(ctx, s, establishing{data: c.Data, database: c.Database, passphrase: passphrase, root: root, plan: plan, confirmed: confirmed,
		handOut: c.handOut(s, typed)})
	if err != nil {
		if c.Shares != "" {
			err = errors.Join(err, os.RemoveAll(c.Shares)) // it was empty or absent, and what is in it now opens nothing
		}
		return err
	}
	fmt.Fprintf(s.out, "%s\n记录 transcript: %s\n", c.Data, filepath.Join(c.Data, ceremonyName, transcriptMarkdown))
	showAdministrator(s, plan, secret, nil)
	return nil
}

func (c ceremonyCommand) dryRun(s streams, plan ceremony.Plan) error {
	if c.JSON {
		return printJSON(s, map[string]any{"plan_sm3": plan.Digest(), "makes": plan.Describe(), "held": false})
	}
	printPlan(s, plan)
	fmt.Fprintln(s.out, "只是演示，未做任何更改；加 --hold 举行仪式。 A dry run: nothing was made. --hold holds the ceremony.")
	return nil
}

func printPlan(s streams, plan ceremony.Plan) {
	for _, line := range plan.Describe() {
		fmt.Fprintln(s.out, "  "+line)
	}
	fmt.Fprintf(s.out, "方案摘要 SM3 of the plan: %s\n", plan.Digest())
}

// confirm has both officers type the beginning of the digest, which they know from their own copy of the plan.
func confirm(s streams, typed *lines, plan ceremony.Plan) (at [2]time.Time, err error) {
	for i, o := range []ceremony.Person{plan.Officers.Registrar, plan.Officers.Approver} {
		fmt.Fprintf(s.out, "%s (%s)，请输入方案摘要的前 %d 位 type the first %d digits of the digest:\n", o.Name, o.ID, confirmDigits, confirmDigits)
		line, err := typed.next()
		word := strings.ToLower(strings.ReplaceAll(line, " ", ""))
		if err != nil || len(word) < confirmDigits || !strings.HasPrefix(plan.Digest(), word) {
			return at, errNotConfirmed.With("%s", o.ID)
		}
		at[i] = s.now()
	}
	return at, nil
}

// handOut gives the shares to files or to the people at the terminal.
func (c ceremonyCommand) handOut(s streams, typed *lines) func(context.Context, []keystore.Share) error {
	return func(ctx context.Context, shares []keystore.Share) error {
		if c.ShowShares {
			return showShares(s, typed, shares)
		}
		return writeShares(c.Shares, shares, func(name string, text []byte) error { return writeBytes(ctx, name, 0o600, text) })
	}
}

// showShares shows one share at a time and clears the screen before the next.
func showShares(s streams, typed *lines, shares []keystore.Share) error {
	for _, share := range shares {
		fmt.Fprintf(s.out, "\n%s\n抄录后输入 ok type ok once it is written down:\n", share.Text())
		for {
			line, err := typed.next()
			if err != nil {
				return errNotConfirmed.With("share %d", share.Index())
			}
			if strings.EqualFold(line, "ok") {
				break
			}
		}
		fmt.Fprint(s.out, "\x1b[3J\x1b[2J\x1b[H")
	}
	return nil
}

// establishing is what init and ceremony have in common.
type establishing struct {
	data, database   string
	passphrase, root []byte
	plan             ceremony.Plan
	confirmed        [2]time.Time
	password         []byte // the administrator's first one for the pages; empty: none
	handOut          func(context.Context, []keystore.Share) error
}

// establish makes the data directory of a plan and gives the administrator's API key.
func establish(ctx context.Context, s streams, e establishing) (secret string, err error) {
	if e.database == "" {
		e.database = databaseName
	}
	if len(e.password) > 0 {
		if err := login.Acceptable(e.plan.Officers.Administrator.ID, string(e.password)); err != nil {
			return "", err
		}
	}
	err = atomicFolder(e.data, func(making string) error {
		h, people, err := founding{dir: making, name: e.plan.Organisation, plan: e.plan, confirmed: e.confirmed, database: e.database,
			passphrase: e.passphrase, rootPassphrase: e.root, handOut: e.handOut, now: s.now}.found(ctx)
		if err != nil {
			return err
		}
		defer h.close()
		if secret, err = h.access.CreateKey(ctx, people.administrator.ID, "first administrator"); err != nil {
			return err
		}
		if err := h.access.CloseFounding(ctx); err != nil {
			return err
		}
		if len(e.password) > 0 {
			if err := h.login.SetPassword(ctx, people.administrator, people.administrator.ID, string(e.password)); err != nil {
				return err
			}
		}
		_, err = h.ledger.Sequence(ctx)
		return err
	})
	return secret, err
}

// showAdministrator says how the first administrator comes in: at the pages, and by the key, which stands in the last line.
func showAdministrator(s streams, plan ceremony.Plan, secret string, password []byte) {
	id := plan.Officers.Administrator.ID
	if len(password) > 0 {
		fmt.Fprintf(s.out, "网页登录 sign in at /login: %s，首次登录须修改密码 the password is to be changed at the first login\n", id)
	} else {
		fmt.Fprintf(s.out, "尚无网页登录密码，请设置 no password for the pages yet: yinxin enroll people password %s --as %s\n", id, id)
	}
	fmt.Fprintf(s.out, "管理员 API 密钥（只显示一次） administrator's API key, shown once:\n%s\n", secret)
}
