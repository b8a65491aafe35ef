package command

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"yinxin/ca/escrow"
	"yinxin/internal/fault"
	"yinxin/keystore"
)

type escrowCommand struct {
	Init    escrowInitCommand    `cmd:"" help:"Make the recovery key and hand out its shares, once."`
	Status  escrowStatusCommand  `cmd:"" help:"Say how the key centre stands."`
	List    escrowListCommand    `cmd:"" help:"List encryption keys; names are masked."`
	Recover escrowRecoverCommand `cmd:"" help:"Recover an encryption key: ask for it, then present shares."`
	Change  escrowChangeCommand  `cmd:"" help:"Change the recovery key, or divide it anew: ask for it, then present shares."`
	Destroy escrowDestroyCommand `cmd:"" help:"Delete an encryption key whose term is over: ask for it, then redeem the approval."`
}

// shareFlags say where new shares go.
type shareFlags struct {
	Officers  []string `help:"Who keeps a share: actors, one share each." placeholder:"ACTOR,…"`
	Threshold int      `help:"How many of the shares are needed." placeholder:"M"`
	Out       string   `help:"Folder for the files of the new shares, one each; it must be empty or absent." placeholder:"DIR"`
}

func (f shareFlags) division() escrow.Division {
	return escrow.Division{Threshold: f.Threshold, Officers: f.Officers}
}

// check refuses, before anything is asked or done, a folder that could not be filled.
func (f shareFlags) check() error {
	if f.Out == "" {
		return errMissing.At(fault.Field("--out"))
	}
	return emptyOrAbsent(f.Out)
}

// handOver writes new shares into files, reads them back and puts them in force with what it read: shares that are not
// safely written never count.
func handOver(ctx context.Context, h *installation, as, dir string, handouts []escrow.Handout) error {
	by, err := h.operator(ctx, as)
	if err != nil {
		return err
	}
	err = atomicFolder(dir, func(making string) error {
		for _, one := range handouts {
			name := filepath.Join(making, shareFile(one))
			if err := writeBytes(ctx, name, 0o600, []byte(one.Share.Text())); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	var shares []keystore.Share
	for _, one := range handouts {
		share, err := readShare(filepath.Join(dir, shareFile(one)))
		if err != nil {
			return err
		}
		shares = append(shares, share)
	}
	return h.escrow.Activate(ctx, by, shares...)
}

func shareFile(h escrow.Handout) string {
	return fmt.Sprintf("share-%d-of-%d-%s.txt", h.Share.Index(), h.Share.Count(), h.Officer)
}

func readShare(name string) (keystore.Share, error) {
	text, err := readSmall(name)
	if err != nil {
		return keystore.Share{}, err
	}
	share, err := keystore.ParseShare(text)
	if err != nil {
		return share, at(err, name)
	}
	return share, nil
}

func printShares(s streams, dir string, handouts []escrow.Handout) {
	for _, one := range handouts {
		fmt.Fprintf(s.out, "  %s → %s\n", filepath.Join(dir, shareFile(one)), one.Officer)
	}
	fmt.Fprintln(s.out, "请分别交给保管人并删除此文件夹。 Give each to its officer and delete this folder.")
}

type escrowInitCommand struct {
	dataFlags
	shareFlags
	Charge []string `help:"The two people in charge, registrar or approver." default:"registrar,approver" placeholder:"ACTOR,ACTOR"`
	As     string   `help:"Actor who puts the key in force (default: the first in charge)." placeholder:"ACTOR"`
	Yes    bool     `help:"Do it. Without it nothing is changed."`
}

// Help is printed by --help.
func (escrowInitCommand) Help() string {
	return "The recovery key is never stored whole: --threshold of the shares are needed for each recovery. Without the shares encryption keys can be put in escrow, but never recovered."
}

func (c escrowInitCommand) Run(ctx context.Context, s streams) error {
	if err := c.check(); err != nil {
		return err
	}
	if len(c.Charge) != 2 {
		return errFlag.With("%s", strings.Join(c.Charge, ",")).At(fault.Field("--charge"))
	}
	h, err := openInstallation(ctx, c.dataFlags, s.now)
	if err != nil {
		return err
	}
	defer h.close()
	charge := [2]string{c.Charge[0], c.Charge[1]}
	if err := h.escrow.CanEstablish(ctx, charge, c.division()); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "恢复密钥将分为 %d 份，任意 %d 份可恢复 the recovery key will have %d shares, any %d of them restore it: %s\n",
		len(c.Officers), c.Threshold, len(c.Officers), c.Threshold, strings.Join(c.Officers, ", "))
	if !c.Yes {
		return nothingDone(s)
	}
	handouts, err := h.escrow.Establish(ctx, charge, c.division())
	if err != nil {
		return err
	}
	as := c.As
	if as == "" {
		as = charge[0]
	}
	if err := handOver(ctx, h, as, c.Out, handouts); err != nil {
		return err
	}
	if err := h.settle(ctx); err != nil {
		return err
	}
	fmt.Fprintln(s.out, "✔ 密钥管理中心已建立 the key centre is established:")
	printShares(s, c.Out, handouts)
	return nil
}

func nothingDone(s streams) error {
	_, err := fmt.Fprintln(s.out, "未做任何更改；加 --yes 执行。 Nothing was changed; --yes does it.")
	return err
}

type escrowStatusCommand struct {
	dataFlags
	JSON bool `name:"json" help:"Print an object."`
}

func (c escrowStatusCommand) Run(ctx context.Context, s streams) error {
	return inForm(s, c.JSON, c.run(ctx, s))
}

func (c escrowStatusCommand) run(ctx context.Context, s streams) error {
	h, err := openInstallation(ctx, c.dataFlags, s.now)
	if err != nil {
		return err
	}
	defer h.close()
	st, err := h.escrow.Status(ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(s, st)
	}
	if st.Current == nil {
		fmt.Fprintln(s.out, "尚未建立恢复密钥：yinxin escrow init。 There is no recovery key yet: yinxin escrow init.")
	} else {
		printInForce(s, "✔ 恢复密钥 recovery key", *st.Current)
	}
	if st.Pending != nil {
		printInForce(s, "… 待启用 not yet in force", *st.Pending)
	}
	for _, state := range []string{"escrowed", "delivered", "confirmed", "intent", "voided", "destroyed"} {
		fmt.Fprintf(s.out, "  %-10s %d\n", state, st.Keys[state])
	}
	for _, id := range st.Sessions {
		fmt.Fprintf(s.out, "  未结束的会话 open session: %s\n", id)
	}
	return nil
}

func printInForce(s streams, what string, d escrow.InForce) {
	fmt.Fprintf(s.out, "%s %s (%d): %d / %d: %s\n", what, d.Key, d.Generation, d.Threshold, len(d.Officers), strings.Join(d.Officers, ", "))
}

type escrowListCommand struct {
	dataFlags
	After string `help:"Go on after this key." placeholder:"KEY"`
	Limit int    `help:"How many at once, at most 500." default:"100" placeholder:"N"`
	JSON  bool   `name:"json" help:"Print a list."`
}

func (c escrowListCommand) Run(ctx context.Context, s streams) error {
	return inForm(s, c.JSON, c.run(ctx, s))
}

func (c escrowListCommand) run(ctx context.Context, s streams) error {
	h, err := openInstallation(ctx, c.dataFlags, s.now)
	if err != nil {
		return err
	}
	defer h.close()
	list, err := h.escrow.List(ctx, c.After, c.Limit)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(s, append([]escrow.Entry{}, list...))
	}
	if len(list) == 0 {
		fmt.Fprintln(s.out, "没有托管的密钥。 No key is in escrow.")
	}
	printEntries(s, list)
	return nil
}

func printEntries(s streams, list []escrow.Entry) {
	for _, e := range list {
		fmt.Fprintf(s.out, "%s  %-9s  %s  %s  %s  %s\n", e.ID, e.State, moment(e.Created), e.Serial, e.Name, e.Organisation)
	}
}
