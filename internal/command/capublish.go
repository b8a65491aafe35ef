package command

import (
	"context"
	"encoding/json"
	"fmt"

	"yinxin/ca"
	"yinxin/ca/chain"
	"yinxin/internal/fault"
	"yinxin/keystore"
)

type caPublishCommand struct {
	dataFlags
	Root    string `name:"root-crl" help:"Take in this list, signed by the offline root, and publish it." placeholder:"FILE"`
	Issuing string `help:"Put this new certificate of an issuing CA, signed by the offline root, into force; takes --with." placeholder:"FILE"`
	As      string `help:"Officer who brings what the root signed (default: the operator recorded in the data directory)." placeholder:"ACTOR"`
	With    string `help:"Second officer, for a new certificate of an issuing CA." placeholder:"ACTOR"`
}

// Help is printed by --help.
func (caPublishCommand) Help() string {
	return "Makes new revocation lists of all issuing CAs now, due or not, and writes certificates and lists into the folder trust. A service that runs takes up a new certificate of an issuing CA when it is started again."
}

func (c caPublishCommand) Run(ctx context.Context, s streams) error {
	h, err := openInstallation(ctx, c.dataFlags, s.now)
	if err != nil {
		return err
	}
	defer h.close()
	if err := c.takeIn(ctx, h); err != nil {
		return err
	}
	if c.Issuing != "" {
		h.close()
		if h, err = openInstallation(ctx, c.dataFlags, s.now); err != nil {
			return err
		}
		defer h.close()
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
	lists, err := h.lists(ctx)
	if err != nil {
		return err
	}
	for _, l := range lists {
		fmt.Fprintf(s.out, "%s CRL %d: %d 项 entries, %s – %s\n", l.Issuer, l.Number, l.Entries, l.ThisUpdate, l.NextUpdate)
	}
	return nil
}

// takeIn takes in what the offline root signed.
func (c caPublishCommand) takeIn(ctx context.Context, h *installation) error {
	if c.Root == "" && c.Issuing == "" {
		return nil
	}
	actor, err := h.operator(ctx, c.As)
	if err != nil {
		return err
	}
	if c.Issuing != "" {
		if c.With == "" {
			return errMissing.At(fault.Field("--with"))
		}
		b, err := readSmall(c.Issuing)
		if err != nil {
			return err
		}
		if err := h.authority.ImportIssuing(ctx, [2]string{actor.ID, c.With}, pemOrDER(b, "CERTIFICATE")); err != nil {
			return at(err, c.Issuing)
		}
	}
	if c.Root == "" {
		return nil
	}
	b, err := readSmall(c.Root)
	if err != nil {
		return err
	}
	if err := h.authority.ImportRootCRL(ctx, actor.ID, pemOrDER(b, "CRL")); err != nil {
		return at(err, c.Root)
	}
	return nil
}

type caRootOrderCommand struct {
	Data     string `required:"" help:"Data directory." placeholder:"DIR"`
	Database string `help:"Database of the data directory, if not the recorded one." placeholder:"URL" env:"YINXIN_DATABASE"`
	Issuing  int    `help:"Also ask for a new certificate of an issuing CA, for so many years." placeholder:"YEARS"`
	Issuer   string `help:"Which issuing CA that is for, by the id of the plan (default: the first)." placeholder:"ID"`
	Output   string `short:"o" required:"" help:"Where the order is written: a file to carry to the offline machine." placeholder:"FILE"`
}

func (c caRootOrderCommand) Run(ctx context.Context, s streams) error {
	h, err := openForReading(ctx, c.Data, c.Database, s.now)
	if err != nil {
		return err
	}
	defer h.close()
	order, err := h.authority.RootOrder(ctx)
	if err != nil {
		return err
	}
	if c.Issuer != "" && c.Issuing == 0 {
		return errMissing.At(fault.Field("--issuing"))
	}
	if c.Issuing != 0 {
		if err := h.authority.OrderIssuing(&order, c.Issuer, c.Issuing); err != nil {
			return err
		}
	}
	b, err := json.MarshalIndent(order, "", "  ")
	if err != nil {
		return err
	}
	if err := writeBytes(ctx, c.Output, 0o644, append(b, '\n')); err != nil {
		return err
	}
	printOrder(s, order, h.authority.Root())
	fmt.Fprintf(s.out, "%s\n", c.Output)
	return nil
}

func printOrder(s streams, o ca.RootOrder, root *chain.Certificate) {
	fmt.Fprintf(s.out, "根证书 root: %s (密钥 key %s)\n", root.Subject.CommonName, keyFingerprint(root))
	for _, e := range o.Add {
		fmt.Fprintf(s.out, "  + %s, 原因 reason %s, %s\n", e.Serial, reasonName(int(e.Reason)), moment(e.Since))
	}
	for _, serial := range o.Remove {
		fmt.Fprintf(s.out, "  - %s\n", serial)
	}
	if o.Issuing != nil {
		fmt.Fprintf(s.out, "  签发证书 a new certificate of an issuing CA: %s, %d 年 years, %s\n", o.IssuingName(), o.Issuing.Years, o.Issuing.Serial)
	}
	if len(o.Add)+len(o.Remove) == 0 {
		fmt.Fprintln(s.out, "  内容不变，只更新期限 no change but the dates")
	}
}

type caRootCRLCommand struct {
	rootFlags
	Order   string `required:"" help:"The order, from yinxin ca root-order." placeholder:"FILE"`
	Issuing string `name:"issuing-out" help:"Where the new certificate of an issuing CA is written, if one was ordered." placeholder:"FILE"`
	Output  string `short:"o" help:"Where the signed list is written. Without it: shows what would be signed, opens no key." placeholder:"FILE"`
}

// Help is printed by --help.
func (caRootCRLCommand) Help() string {
	return "Needs the root's keystore and the order, no database and no network. Carry the list back and publish it: yinxin ca publish --root-crl FILE."
}

func (c caRootCRLCommand) Run(ctx context.Context, s streams) error {
	data, err := readSmall(c.Order)
	if err != nil {
		return err
	}
	order, root, last, err := ca.ParseRootOrder(data)
	if err != nil {
		return at(err, c.Order)
	}
	printOrder(s, order, root)
	fmt.Fprintf(s.out, "上一份 last list: %s, %d 项 entries, %s\n", last.Number, last.Len(), moment(last.ThisUpdate))
	if c.Output == "" {
		fmt.Fprintln(s.out, "未签名；加 -o 签名。 Not signed; -o signs it.")
		return nil
	}
	if err := checkOutput(c.Output); err != nil {
		return err
	}
	if (order.Issuing != nil) != (c.Issuing != "") {
		return errMissing.At(fault.Field("--issuing-out"))
	}
	keys, err := c.open(s)
	if err != nil {
		return err
	}
	key, err := keys.Ring(keystore.PurposeRoot).Get(ctx, ca.KeyRoot)
	if err != nil {
		return err
	}
	if c.Issuing != "" {
		issuing, err := ca.SignIssuing(ctx, key, data, s.now())
		if err != nil {
			return err
		}
		if err := writeBytes(ctx, c.Issuing, 0o644, certificatePEM(issuing)); err != nil {
			return err
		}
		fmt.Fprintln(s.out, c.Issuing)
	}
	der, err := ca.SignRootCRL(ctx, key, data, s.now())
	if err != nil {
		return err
	}
	if err := writeBytes(ctx, c.Output, 0o644, der); err != nil {
		return err
	}
	crl, err := chain.ParseCRL(der)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "已签名 signed: %s, %d 项 entries, 至 until %s\n%s\n", crl.Number, crl.Len(), moment(crl.NextUpdate), c.Output)
	return nil
}

type caReshareCommand struct {
	rootFlags
	Threshold  int    `required:"" help:"How many of the new shares open the keystore." placeholder:"M"`
	Count      int    `required:"" help:"How many there are." placeholder:"N"`
	Shares     string `help:"Folder for the files of the new shares, one each; it must be empty or absent." placeholder:"DIR"`
	ShowShares bool   `name:"show-shares" help:"Show them on this terminal, one after the other, instead."`
	Yes        bool   `help:"Do it. Without it nothing is changed."`
}

// Help is printed by --help.
func (caReshareCommand) Help() string {
	return "From then on the old passphrase or the old shares no longer open this keystore; copies of it that were made before still open the old way: destroy them."
}

func (c caReshareCommand) Run(ctx context.Context, s streams) error {
	if c.Shares == "" && !c.ShowShares {
		return errNoShareFolder.New()
	}
	if c.Shares != "" {
		if err := emptyOrAbsent(c.Shares); err != nil {
			return err
		}
	}
	if c.Threshold < keystore.MinThreshold || c.Count < c.Threshold || c.Count > keystore.MaxShares {
		return keystore.ErrShareNumbers.With("%d / %d", c.Threshold, c.Count)
	}
	keys, err := c.open(s)
	if err != nil {
		return err
	}
	key, err := keys.Ring(keystore.PurposeRoot).Get(ctx, ca.KeyRoot)
	if fault.Has(err, keystore.ErrKeyNotFound) {
		return ca.ErrKey.With("%s", ca.KeyRoot).Because(err)
	}
	if err != nil {
		return err
	}
	about := keystore.FingerprintOf(key.Public())
	fmt.Fprintf(s.out, "密钥 key %s: %d 份中任意 %d 份打开 any %d of %d shares will open it\n", about, c.Count, c.Threshold, c.Threshold, c.Count)
	if !c.Yes {
		fmt.Fprintln(s.out, "未做任何更改；加 --yes 执行。 Nothing was changed; --yes does it.")
		return nil
	}
	return keys.Split(c.Threshold, c.Count, about, func(shares []keystore.Share) error {
		if c.ShowShares {
			return showShares(s, newLines(s.in), shares)
		}
		return writeShares(c.Shares, shares, func(name string, text []byte) error { return writeBytes(ctx, name, 0o600, text) })
	})
}
