package command

import (
	"bytes"
	"context"
	"fmt"
	"math/big"
	"slices"

	"yinxin/api/agent"
	"yinxin/ca"
	"yinxin/ca/chain"
	"yinxin/hsm"
	"yinxin/internal/fault"
)

type tokenExportCertificateCommand struct {
	tokenFlags
	Serial string `arg:"" optional:"" help:"Serial number of the certificate, hexadecimal; not needed where the token has one." placeholder:"SERIAL"`
	Output string `short:"o" required:"" help:"Where it goes, PEM." placeholder:"FILE"`
}

// looking is with for what a token shows without a PIN.
func (f tokenFlags) looking(s streams, do func(contents hsm.Contents) error) error {
	return f.with(s, func(m *hsm.Module) error {
		slot, err := f.find(m, false)
		if err != nil {
			return err
		}
		contents, err := m.Look(selection(slot), hsm.Profile{})
		if err != nil {
			return err
		}
		return do(contents)
	})
}

func (c tokenExportCertificateCommand) Run(ctx context.Context, s streams) error {
	return c.looking(s, func(contents hsm.Contents) error {
		var serial *big.Int
		if c.Serial != "" {
			var err error
			if serial, err = parseSerial(c.Serial); err != nil {
				return err
			}
		}
		var found []*chain.Certificate
		for _, one := range contents.Certificates {
			parsed, err := chain.ParseCertificate(one.DER)
			if err == nil && (serial == nil || parsed.Serial.Cmp(serial) == 0) {
				found = append(found, parsed)
			}
		}
		if len(found) == 0 {
			return errNotOnToken.With("%.64s", c.Serial)
		}
		if len(found) > 1 {
			return errMissing.At(fault.Field("SERIAL")).With("%d", len(found))
		}
		if err := writeBytes(ctx, c.Output, 0o644, certificatePEM(found[0].Raw)); err != nil {
			return err
		}
		return c.wrote(s, "serial", ca.SerialText(found[0].Serial), c.Output)
	})
}

func (f moduleFlags) wrote(s streams, what, which, output string) error {
	if f.JSON {
		return printJSON(s, map[string]string{what: which, "output": output})
	}
	_, err := fmt.Fprintf(s.out, "✔ %s  %s\n", which, output)
	return err
}

type tokenExportSealCommand struct {
	tokenFlags
	Code   string `arg:"" help:"Code of the seal." placeholder:"CODE"`
	Output string `short:"o" required:"" help:"Where it goes (SESeal, DER)." placeholder:"FILE"`
}

func (c tokenExportSealCommand) Run(ctx context.Context, s streams) error {
	return c.looking(s, func(contents hsm.Contents) error {
		i := slices.IndexFunc(contents.Data, func(d hsm.Data) bool { return d.Application == agent.Application && d.Label == agent.SealPrefix+c.Code })
		if i < 0 {
			return errNotOnToken.With("%.64s", c.Code)
		}
		if err := writeBytes(ctx, c.Output, 0o644, contents.Data[i].Value); err != nil {
			return err
		}
		return c.wrote(s, "code", c.Code, c.Output)
	})
}

type tokenRemoveCommand struct {
	userFlags
	Key         string `help:"Identifier of a key, hexadecimal: the private key is destroyed, its certificates go with it." placeholder:"HEX" xor:"what" required:""`
	Certificate string `help:"Serial number of a certificate, hexadecimal." placeholder:"SERIAL" xor:"what" required:""`
	Seal        string `help:"Code of a seal." placeholder:"CODE" xor:"what" required:""`
	Yes         bool   `help:"Do it. Without it nothing is changed."`
}

func (c tokenRemoveCommand) Run(ctx context.Context, s streams) error {
	return c.in(ctx, s, func(t *hsm.Token) error {
		what, name, remove := "key", c.Key, c.removeKey
		switch {
		case c.Certificate != "":
			what, name, remove = "certificate", c.Certificate, c.removeCertificate
		case c.Seal != "":
			what, name, remove = "seal", c.Seal, c.removeSeal
		}
		if err := remove(ctx, t); err != nil {
			return err
		}
		if c.JSON {
			return printJSON(s, map[string]any{what: name, "removed": c.Yes})
		}
		if !c.Yes {
			return nothingDone(s)
		}
		_, err := fmt.Fprintf(s.out, "✔ %s\n", name)
		return err
	})
}

// The three look for the thing, and take it away if that was said.

func (c tokenRemoveCommand) removeKey(ctx context.Context, t *hsm.Token) error {
	id, err := parseID(c.Key, "--key")
	if err != nil {
		return err
	}
	keys, err := t.Keys(ctx)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(keys, func(k hsm.KeyInfo) bool { return bytes.Equal(k.ID, id) }) {
		return hsm.ErrKeyNotFound.With("%s", c.Key)
	}
	if !c.Yes {
		return nil
	}
	if err := t.DestroyKey(ctx, id); err != nil {
		return err
	}
	return t.RemoveCertificate(ctx, id, "")
}

func (c tokenRemoveCommand) removeCertificate(ctx context.Context, t *hsm.Token) error {
	serial, err := parseSerial(c.Certificate)
	if err != nil {
		return err
	}
	all, err := t.Certificates(ctx)
	if err != nil {
		return err
	}
	for _, one := range all {
		parsed, err := chain.ParseCertificate(one.DER)
		if err != nil || parsed.Serial.Cmp(serial) != 0 {
			continue
		}
		if !c.Yes {
			return nil
		}
		return t.RemoveCertificate(ctx, one.ID, one.Label)
	}
	return errNotOnToken.With("%.64s", c.Certificate)
}

func (c tokenRemoveCommand) removeSeal(ctx context.Context, t *hsm.Token) error {
	all, err := t.Data(ctx, agent.Application)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(all, func(d hsm.Data) bool { return d.Label == agent.SealPrefix+c.Seal }) {
		return errNotOnToken.With("%.64s", c.Seal)
	}
	if !c.Yes {
		return nil
	}
	return t.RemoveData(ctx, agent.Application, agent.SealPrefix+c.Seal)
}
