package command

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"slices"

	"yinxin/api/agent"
	"yinxin/ca/chain"
	"yinxin/ca/envelope"
	"yinxin/hsm"
	"yinxin/internal/fault"
	"yinxin/sealer/ses"
)

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
	list, err := readCertificates(c.File)
	if err != nil {
		return inForm(s, c.JSON, err)
	}
	return c.in(ctx, s, func(t *hsm.Token) error {
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
	b, err := readAtMost(c.File, ses.MaxSize, errFlag.With("> %d MB", ses.MaxSize>>20))
	if err != nil {
		return inForm(s, c.JSON, err)
	}
	seal, err := readSeal(b)
	if err != nil {
		return inForm(s, c.JSON, at(err, c.File))
	}
	return c.in(ctx, s, func(t *hsm.Token) error {
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
		if err := t.StoreData(ctx, hsm.Data{Application: agent.Application, Label: agent.SealPrefix + seal.ID, Value: seal.Raw}, false); err != nil {
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
