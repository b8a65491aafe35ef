package command

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"fmt"
	"math/big"
	"slices"

	"github.com/emmansun/gmsm/smx509"

	"yinxin/ca"
	"yinxin/ca/chain"
	"yinxin/ca/csr"
	"yinxin/ca/envelope"
	"yinxin/hsm"
	"yinxin/internal/fault"
	"yinxin/sealer/ses"
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
	return c.in(ctx, s, func(t *hsm.Token) error {
		if err := checkOutput(c.Output); err != nil {
			return err
		}
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
	return c.in(ctx, s, func(t *hsm.Token) error {
		if err := checkOutput(c.Output); err != nil {
			return err
		}
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

// certified is a certificate beside the key on the token that it is of.
type certified struct {
	certificate *chain.Certificate
	key         hsm.KeyInfo
}

// match finds the key of a certificate: the same public key, whatever its identifier says.
func match(c *chain.Certificate, keys []hsm.KeyInfo) (certified, bool) {
	public, ok := c.PublicKey.(*ecdsa.PublicKey)
	if !ok {
		return certified{}, false
	}
	i := slices.IndexFunc(keys, func(k hsm.KeyInfo) bool { return k.Public != nil && public.Equal(k.Public) })
	if i < 0 {
		return certified{}, false
	}
	return certified{c, keys[i]}, true
}

// readCertificates gives the certificates of a file: one in DER, several in PEM, or those of an answer of the registration.
func readCertificates(name string) ([]*chain.Certificate, error) {
	b, err := readSmall(name)
	if err != nil {
		return nil, err
	}
	all, err := chain.ParseCertificates(b)
	if err == nil && len(all) > 0 {
		return all, nil
	}
	answer, failed := envelope.ParseAnswer(b)
	if failed != nil {
		return nil, at(orFormat(err), name)
	}
	return append(answer.Signing, answer.Encryption...), nil
}

// orFormat is an error for a file in which there is no certificate.
func orFormat(err error) error {
	if err == nil {
		err = errFlag.New()
	}
	return err
}

type tokenImportCertificateCommand struct {
	userFlags
	File string `arg:"" help:"The certificate: DER, PEM, or the answer that yinxin enroll issue-key wrote (GM/T 0092)." placeholder:"FILE"`
}

// Help is printed by --help.
func (tokenImportCertificateCommand) Help() string {
	return "The certificate goes to the key with its public key and takes its CKA_ID; one that was there for the same key is replaced. Of several in the file those are stored that have a key here. Exit status 3: none has."
}

func (c tokenImportCertificateCommand) Run(ctx context.Context, s streams) error {
	return c.in(ctx, s, func(t *hsm.Token) error {
		list, err := readCertificates(c.File)
		if err != nil {
			return err
		}
		keys, err := t.Keys(ctx)
		if err != nil {
			return err
		}
		stored := []tokenCertificateJSON{}
		for _, certificate := range list {
			fit, ok := match(certificate, keys)
			if !ok {
				continue
			}
			one := hsm.Certificate{ID: fit.key.ID, Label: fit.key.Label, DER: certificate.Raw}
			if err := t.StoreCertificate(ctx, one); err != nil {
				return err
			}
			stored = append(stored, tokenCertificateOf(one, s.now()))
		}
		if len(stored) == 0 {
			return errKeyOfCertificate.At(fault.File(c.File))
		}
		if c.JSON {
			return printJSON(s, stored)
		}
		w := newTable(s.out)
		for _, one := range stored {
			w.row(append([]string{"✔ 证书 certificate", one.ID}, one.words()...)...)
		}
		return w.flush()
	})
}

type tokenImportSealCommand struct {
	userFlags
	File string `arg:"" help:"The seal (SESeal, DER), as yinxin enroll issue-key --seals writes it." placeholder:"FILE"`
}

// Help is printed by --help.
func (tokenImportSealCommand) Help() string {
	return "The seal must list the certificate of a key on the token: import that one first. One of the same code is replaced. The server's copy counts; the one on the token serves offline use."
}

func (c tokenImportSealCommand) Run(ctx context.Context, s streams) error {
	return c.in(ctx, s, func(t *hsm.Token) error {
		b, err := readAtMost(c.File, ses.MaxSize, errFlag.With("> %d MB", ses.MaxSize>>20))
		if err != nil {
			return err
		}
		seal, err := readSeal(b)
		if err != nil {
			return at(err, c.File)
		}
		all, err := t.Certificates(ctx)
		if err != nil {
			return err
		}
		keys, err := t.Keys(ctx)
		if err != nil {
			return err
		}
		if !listsKeyOf(seal, all, keys) {
			return errKeyOfSeal.At(fault.File(c.File)).With("%s", seal.ID)
		}
		if err := t.StoreData(ctx, hsm.Data{Application: tokenApplication, Label: sealLabelPrefix + seal.ID, Value: seal.Raw}, false); err != nil {
			return err
		}
		var shown []tokenCertificateJSON
		for _, one := range all {
			shown = append(shown, tokenCertificateOf(one, s.now()))
		}
		stored := tokenSealOf(seal.ID, seal.Raw, shown, s.now())
		if c.JSON {
			return printJSON(s, stored)
		}
		w := newTable(s.out)
		w.row(append([]string{"✔ 印章 seal", stored.Code}, stored.words()...)...)
		return w.flush()
	})
}

// readSeal reads a seal whose maker signed it. Who the maker is, a verifier judges.
func readSeal(b []byte) (*ses.Seal, error) {
	seal, err := ses.ParseSeal(b)
	if err != nil {
		return nil, err
	}
	maker, err := chain.ParseCertificate(seal.MakerCertificate)
	if err == nil {
		_, err = chain.CheckSignature(maker.PublicKey, seal.Algorithm, seal.SignedBytes(), seal.Value)
	}
	if err != nil {
		return nil, errSealSignature.Because(err)
	}
	if !validSealCode(seal.ID) {
		return nil, errSealSignature.With("esID %.40q", seal.ID)
	}
	return seal, nil
}

// validSealCode accepts what may stand behind "seal-" in a label: seals of other makers have codes of other lengths.
func validSealCode(code string) bool {
	return code != "" && len(code) <= 64 && visible(code) == code
}

// listsKeyOf reports whether the seal lists a certificate that is on the token, with its private key.
func listsKeyOf(seal *ses.Seal, all []hsm.Certificate, keys []hsm.KeyInfo) bool {
	return slices.ContainsFunc(all, func(c hsm.Certificate) bool {
		parsed, err := chain.ParseCertificate(c.DER)
		if err != nil || !seal.Lists(c.DER) {
			return false
		}
		fit, ok := match(parsed, keys)
		return ok && bytes.Equal(fit.key.ID, c.ID)
	})
}

type tokenExportCertificateCommand struct {
	tokenFlags
	Serial string `arg:"" optional:"" help:"Serial number of the certificate, hexadecimal; not needed where the token has one." placeholder:"SERIAL"`
	Output string `short:"o" required:"" help:"Where it goes, PEM." placeholder:"FILE"`
}

func (c tokenExportCertificateCommand) Run(ctx context.Context, s streams) error {
	return c.with(s, func(m *hsm.Module) error {
		slot, err := c.find(m, false)
		if err != nil {
			return err
		}
		contents, err := m.Look(selection(slot), hsm.Profile{})
		if err != nil {
			return err
		}
		var serial *big.Int
		if c.Serial != "" {
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
	return c.with(s, func(m *hsm.Module) error {
		slot, err := c.find(m, false)
		if err != nil {
			return err
		}
		contents, err := m.Look(selection(slot), hsm.Profile{})
		if err != nil {
			return err
		}
		i := slices.IndexFunc(contents.Data, func(d hsm.Data) bool { return d.Application == tokenApplication && d.Label == sealLabelPrefix+c.Code })
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
	all, err := t.Data(ctx, tokenApplication)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(all, func(d hsm.Data) bool { return d.Label == sealLabelPrefix+c.Seal }) {
		return errNotOnToken.With("%.64s", c.Seal)
	}
	if !c.Yes {
		return nil
	}
	return t.RemoveData(ctx, tokenApplication, sealLabelPrefix+c.Seal)
}
