package command

import (
	"context"
	"fmt"
)

type trustExportCommand struct {
	dataFlags
	Output string `short:"o" required:"" help:"Where the list is written." placeholder:"FILE"`
}

// Help is printed by --help.
func (trustExportCommand) Help() string {
	return "The list is what the service gives under /pki/trust-list.p7s: CA certificates, revocation lists, and seals with their states. " +
		"It is valid for a week. Elsewhere: yinxin verify --trust ROOT --trust-list FILE, with the root's certificate from a source that is trusted."
}

func (c trustExportCommand) Run(ctx context.Context, s streams) error {
	if err := checkOutput(c.Output); err != nil {
		return err
	}
	h, err := openInstallation(ctx, c.dataFlags, s.now)
	if err != nil {
		return err
	}
	defer h.close()
	signed, err := h.authority.TrustList(ctx, h.register.Published)
	if err != nil {
		return err
	}
	if err := h.settle(ctx); err != nil {
		return err
	}
	if err := writeBytes(ctx, c.Output, 0o644, signed); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "%s: 信任列表 trust list, %d 字节 bytes\n", c.Output, len(signed))
	return nil
}
