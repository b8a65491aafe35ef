package command

import (
	"context"
	"fmt"

	"yinxin/api/agent"
)

type agentOfferCommand struct {
	Server      string `arg:"" optional:"" help:"Address of the server; where there is only one, that."`
	Certificate string `help:"Serial number (hex) of the certificate, where several are on the USB Key." placeholder:"SERIAL"`
	agentFlags
	JSON bool `name:"json" help:"Print the result as JSON."`
}

// Help is printed by --help.
func (agentOfferCommand) Help() string {
	return "For people who hold no seal on a USB Key. The server takes a certificate that it trusts; it counts when its owner has confirmed it, signed in at the page of their terminals, within 15 minutes."
}

func (c agentOfferCommand) Run(ctx context.Context, s streams) error {
	return inForm(s, c.JSON, c.run(ctx, s))
}

func (c agentOfferCommand) run(ctx context.Context, s streams) error {
	folder, config, unlock, err := c.openAlone()
	if err != nil {
		return err
	}
	defer unlock()
	server, err := config.Server(c.Server)
	if err != nil {
		return err
	}
	desk, err := c.desk(s)
	if err != nil {
		return err
	}
	a, err := agent.New(agent.Agent{Folder: folder, Device: config.Device, Desk: desk, Clock: s.now}, server)
	if err != nil {
		return err
	}
	offered, err := a.OfferKey(ctx, c.Certificate)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(s, map[string]string{"key": offered.Key, "certificate": offered.Certificate, "expires": moment(offered.Expires)})
	}
	fmt.Fprintf(s.out, "已提交 offered: %s\n  请在 %s 前登录 %s/account/terminals 确认；确认后才能用它登录。\n  It counts when you have confirmed it there.\n", offered.Certificate, moment(offered.Expires), server.URL)
	return nil
}
