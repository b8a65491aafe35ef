package command

import (
	"context"
	"fmt"

	"github.com/emmansun/gmsm/smx509"

	"yinxin/ca/csr"
	"yinxin/hsm"
	"yinxin/internal/fault"
)

// keyFlags name a key on the token; where it has only one, none is needed.
type keyFlags struct {
	ID    string `name:"id" help:"Identifier of the key (CKA_ID), hexadecimal." placeholder:"HEX"`
	Label string `help:"Label of the key." placeholder:"TEXT"`
}

// key finds the key.
func (f keyFlags) key(ctx context.Context, t *hsm.Token) (*hsm.Key, error) {
	which := hsm.Selector{Label: f.Label}
	if f.ID != "" {
		id, err := parseID(f.ID, "--id")
		if err != nil {
			return nil, err
		}
		which.ID = id
	}
	if f.ID == "" && f.Label == "" {
		all, err := t.Keys(ctx)
		if err != nil {
			return nil, err
		}
		if len(all) != 1 {
			return nil, errMissing.At(fault.Field("--id")).With("%d", len(all))
		}
		which.ID = all[0].ID
	}
	return t.Key(ctx, which)
}

type tokenGenerateCommand struct {
	userFlags
	keyFlags
	Output string `short:"o" required:"" help:"Where the certification request goes (PKCS#10, PEM), ready for yinxin enroll issue-key." placeholder:"FILE"`
}

// Help is printed by --help.
func (tokenGenerateCommand) Help() string {
	return "The private key is made by the token and never leaves it. Without --id the identifier is chosen at random."
}

func (c tokenGenerateCommand) Run(ctx context.Context, s streams) error {
	if err := checkOutput(c.Output); err != nil {
		return inForm(s, c.JSON, err)
	}
	return c.in(ctx, s, func(t *hsm.Token) error {
		n := hsm.NewKey{Algorithm: hsm.SM2, Label: c.Label}
		if c.ID != "" {
			id, err := parseID(c.ID, "--id")
			if err != nil {
				return err
			}
			n.ID = id
		}
		if n.Label == "" {
			n.Label = "yinxin"
		}
		key, err := t.Generate(ctx, n)
		if err != nil {
			return err
		}
		return c.giveRequest(ctx, s, key, c.Output)
	})
}

type tokenRequestCommand struct {
	userFlags
	keyFlags
	Output string `short:"o" required:"" help:"Where the certification request goes (PKCS#10, PEM)." placeholder:"FILE"`
}

func (c tokenRequestCommand) Run(ctx context.Context, s streams) error {
	if err := checkOutput(c.Output); err != nil {
		return inForm(s, c.JSON, err)
	}
	return c.in(ctx, s, func(t *hsm.Token) error {
		key, err := c.key(ctx, t)
		if err != nil {
			return err
		}
		return c.giveRequest(ctx, s, key, c.Output)
	})
}

// giveRequest writes a request that the registration will take: it is read as it will be there.
func (f moduleFlags) giveRequest(ctx context.Context, s streams, key *hsm.Key, output string) error {
	request, err := key.Request(ctx, &smx509.CertificateRequest{})
	if err != nil {
		return err
	}
	if _, err := csr.Parse(request, csr.Options{}); err != nil {
		return err
	}
	if err := writeBytes(ctx, output, 0o644, csr.PEM(request)); err != nil {
		return err
	}
	info := key.Info()
	if f.JSON {
		return printJSON(s, struct {
			tokenKeyJSON
			Request string `json:"request"`
		}{tokenKeyOf(info), output})
	}
	_, err = fmt.Fprintf(s.out, "密钥 key  %s  %s\n%s\n", idText(info.ID), visible(info.Label), output)
	return err
}
