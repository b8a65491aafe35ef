package sealer

import (
	"context"
	"encoding/hex"
	"errors"
	"hash"
	"slices"
	"time"

	"github.com/emmansun/gmsm/sm3"

	"yinxin/ca/chain"
	"yinxin/ca/cms"
	"yinxin/ca/tsa"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/files"
	"yinxin/internal/hashstate"
	"yinxin/internal/ledger"
	"yinxin/internal/store"
	"yinxin/sealer/pdf"
	"yinxin/sealer/ses"
	"yinxin/sealer/verify"
)

// Evidence gives what proves, later and offline, that a certificate was good now: revocation lists and OCSP answers in
// DER, at least one of either, or an error.
type Evidence interface {
	Evidence(ctx context.Context, certificate, issuer *chain.Certificate) (crls, ocsps [][]byte, err error)
}

// Extend adds to a stored document what proves its signatures for long: the certificates, revocation lists and OCSP
// answers of all of them (DSS, ISO 32000-2, 12.8.4.3), and a document time stamp over everything. Done again before the
// last time stamp's certificate expires, or its algorithm weakens, it renews the proof. The result is a new document.
// Errors: sealing.extend-broken, sealing.nothing-to-extend, sealing.no-time-stamp, sealing.no-evidence, sealing.not-verified.
func (s *Service) Extend(ctx context.Context, by access.Actor, id string) (Document, error) {
	d, err := s.Document(ctx, by, id)
	if err != nil {
		return Document{}, err
	}
	object, err := s.Open(ctx, d)
	if err != nil {
		return Document{}, err
	}
	defer object.Close()
	// A new time stamp over a document of which no signature holds would make it look looked after.
	report := s.judge(ctx, d.Name, object)
	holds := func(g verify.Signature) bool { return g.Verdict != verify.Modified && g.Verdict != verify.Invalid }
	if len(report.Signatures) > 0 && !slices.ContainsFunc(report.Signatures, holds) {
		return Document{}, errExtendBroken.At(fault.File(d.Name))
	}
	whole, err := d.digestOfState()
	if err != nil {
		return Document{}, err
	}
	more, err := s.extension(ctx, object, report, whole)
	if err != nil {
		return Document{}, at(err, d.Name)
	}
	name, err := s.keep(ctx, more)
	if err != nil {
		return Document{}, err
	}
	out := d.with(store.NewID("d_"), by.ID, part{object: name, size: int64(len(more))}, s.Clock())
	whole.Write(more)
	if out.state, err = hashstate.Of(whole); err == nil {
		out.SM3 = hex.EncodeToString(whole.Sum(nil))
		err = s.DB.Write(ctx, func(tx *store.Tx) error {
			if err := insertDocument(ctx, tx, out, by.Organisation, ""); err != nil {
				return err
			}
			_, err := s.Ledger.Append(ctx, tx, ledger.Event{Time: out.CreatedAt, Kind: "document.extended", Actor: by.ID, Subject: out.ID,
				Data: map[string]string{"from": d.ID, "sm3": out.SM3}})
			return err
		})
	}
	if err != nil {
		return Document{}, errors.Join(err, s.removeUnrecorded(ctx, documentRecorded, out.ID, name))
	}
	return out, nil
}

// judge has the project's own verifier look at a document, as it stands now.
func (s *Service) judge(ctx context.Context, name string, object files.Object) *verify.Report {
	return verify.File(ctx, name, object, object.Size(), verify.Options{Chain: s.Chain, At: s.Clock(), SealStatus: SealStatus(s.Register)})
}

// extension makes the two updates of Extend for a document, of which before says how it was judged. whole is the SM3
// state after it and stays as it is.
func (s *Service) extension(ctx context.Context, object files.Object, before *verify.Report, whole hash.Hash) ([]byte, error) {
	if s.TimeStamps == nil {
		return nil, errNoAuthority.New()
	}
	if s.Evidence == nil {
		return nil, errNoEvidence.New()
	}
	now := s.Clock().UTC().Truncate(time.Second)
	doc, err := pdf.Open(ctx, object, object.Size())
	if err != nil {
		return nil, err
	}
	dss, err := s.validationData(ctx, doc, now)
	if err != nil {
		return nil, err
	}
	proof, err := doc.AppendDSS(ctx, dss)
	if err != nil {
		return nil, err
	}
	with := files.Concat(object, inMemory(proof))
	if doc, err = pdf.Open(ctx, with, with.Size()); err != nil {
		return nil, err
	}
	update, err := doc.PlanTimeStamp(ctx, tokenReserve)
	if err != nil {
		return nil, err
	}
	state, err := hashstate.Of(whole)
	if err != nil {
		return nil, err
	}
	h, err := hashstate.Resume(sm3.New(), state)
	if err != nil {
		return nil, err
	}
	for _, b := range [][]byte{proof, update.Before(), update.After()} {
		h.Write(b)
	}
	token, err := stampOf(ctx, s.TimeStamps, h.Sum(nil))
	if err != nil {
		return nil, err
	}
	stamped, err := update.Fill(token)
	if err != nil {
		return nil, err
	}
	more := slices.Concat(proof, stamped)
	return more, s.noWorse(ctx, object, before, more)
}

// noWorse checks with the project's own verifier that what is appended leaves every signature at least as good.
func (s *Service) noWorse(ctx context.Context, object files.Object, before *verify.Report, more []byte) error {
	after := s.judge(ctx, "", files.Concat(object, inMemory(more)))
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if verify.Worst(before.Verdict, after.Verdict) != before.Verdict && after.Verdict != verify.ValidWithAdditions {
		return errNotVerified.With("%s", after.Summary)
	}
	return nil
}

// validationData collects certificates and their states for all signatures and time stamps of a document.
func (s *Service) validationData(ctx context.Context, doc *pdf.Document, now time.Time) (pdf.DSS, error) {
	fields, err := doc.SignatureFields(ctx)
	if err != nil {
		return pdf.DSS{}, err
	}
	c := collector{service: s, now: now, known: map[[32]byte]proof{}, dss: pdf.DSS{VRI: map[string]pdf.VRI{}}}
	found := false
	for _, f := range fields {
		contents, err := f.Contents()
		if f.Dict == nil || err != nil {
			continue
		}
		der, _, err := cms.Element(contents.Value)
		if err != nil {
			continue
		}
		c.vri = pdf.VRI{}
		switch err := c.signature(ctx, der); {
		case fault.Has(err, errNothingToExtend):
			continue // not to be read, so no verifier will ever call it valid
		case err != nil:
			return pdf.DSS{}, err
		}
		found = true
		c.dss.VRI[pdf.VRIKey(contents.Value)] = c.vri
	}
	if !found {
		return pdf.DSS{}, errNothingToExtend.New()
	}
	return c.dss, nil
}

// proof is what proves the state of one certificate: revocation lists and OCSP answers in DER.
type proof struct{ crls, ocsps [][]byte }

// collector gathers the material of one document; what several signatures share is asked for and kept once.
type collector struct {
	service *Service
	now     time.Time
	known   map[[32]byte]proof // by fingerprint of the certificate
	dss     pdf.DSS
	vri     pdf.VRI // of the signature at hand
}

// signature collects what one structure of /Contents needs: a seal signature, signed data, or a time-stamp token. Error
// of what cannot be read: sealing.nothing-to-extend.
func (c *collector) signature(ctx context.Context, der []byte) error {
	if ses.IsSignature(der) {
		sig, err := ses.ParseSignature(der)
		if err != nil {
			return errNothingToExtend.Because(err)
		}
		return errors.Join(c.certificate(ctx, sig.Certificate, chain.UsageSign, nil), c.seal(ctx, sig.Seal), c.token(ctx, sig.TimeStamp))
	}
	data, err := cms.Parse(der)
	if err != nil {
		return errNothingToExtend.Because(err)
	}
	signer, err := data.Signer()
	if err != nil {
		return errNothingToExtend.Because(err)
	}
	usage := chain.UsageSign
	if data.ContentType == cms.TypeTSTInfo {
		usage = chain.UsageTimeStamp
	}
	if leaf, err := data.SignerCertificate(); err == nil {
		if err := c.certificate(ctx, leaf.Raw, usage, data.Certificates); err != nil {
			return err
		}
	}
	if raw, err := signer.Seal(); err == nil && raw != nil {
		seal, err := ses.ParseSeal(raw)
		if err != nil {
			return errNothingToExtend.Because(err)
		}
		if err := c.seal(ctx, seal); err != nil {
			return err
		}
	}
	for _, token := range signer.TimeStamps() {
		if err := c.token(ctx, token); err != nil {
			return err
		}
	}
	return nil
}

func (c *collector) seal(ctx context.Context, seal *ses.Seal) error {
	return errors.Join(c.certificate(ctx, seal.MakerCertificate, chain.UsageSealMaker, nil), c.token(ctx, seal.TimeStamp))
}

func (c *collector) token(ctx context.Context, token []byte) error {
	if len(token) == 0 {
		return nil
	}
	return c.signature(ctx, token)
}

// certificate adds a certificate, those above it, and what proves each of them. Below no anchor nobody is asked, since
// addresses in a stranger's certificate are a stranger's word.
func (c *collector) certificate(ctx context.Context, der []byte, u chain.Usage, with []*chain.Certificate) error {
	leaf, err := c.service.Chain.Certificate(der)
	if err != nil {
		return errNothingToExtend.Because(err)
	}
	v := c.service.Chain
	if len(with) > 0 {
		v = &chain.Verifier{Anchors: v.Trust().WithIntermediates(with...), Revocation: v.Revocation}
	}
	r := v.Verify(ctx, leaf, c.now, u)
	for i, at := range r.Path {
		c.vri.Certs = add(c.vri.Certs, at.Raw)
		c.dss.Certs = add(c.dss.Certs, at.Raw)
		if !r.Trusted || i+1 == len(r.Path) {
			continue
		}
		p, err := c.proof(ctx, at, r.Path[i+1])
		if err != nil {
			return err
		}
		for _, crl := range p.crls {
			c.vri.CRLs, c.dss.CRLs = add(c.vri.CRLs, crl), add(c.dss.CRLs, crl)
		}
		for _, answer := range p.ocsps {
			c.vri.OCSPs, c.dss.OCSPs = add(c.vri.OCSPs, answer), add(c.dss.OCSPs, answer)
		}
	}
	return nil
}

// proof has the state of a certificate proved, once.
func (c *collector) proof(ctx context.Context, certificate, issuer *chain.Certificate) (p proof, err error) {
	key := certificate.Fingerprint()
	if p, ok := c.known[key]; ok {
		return p, nil
	}
	p.crls, p.ocsps, err = c.service.Evidence.Evidence(ctx, certificate, issuer)
	switch {
	case ctx.Err() != nil:
		return p, ctx.Err()
	case err != nil:
		return p, errNoEvidence.With("%s%s", certificate.Subject.CommonName, fault.Reason(err)).Because(err)
	case len(p.crls)+len(p.ocsps) == 0:
		return p, errNoEvidence.With("%s", certificate.Subject.CommonName)
	}
	c.known[key] = p
	return p, nil
}

// add appends a piece unless it is there already.
func add(list [][]byte, piece []byte) [][]byte {
	if slices.ContainsFunc(list, func(have []byte) bool { return string(have) == string(piece) }) {
		return list
	}
	return append(list, piece)
}

// stampOf has an SM3 digest stamped.
func stampOf(ctx context.Context, from tsa.Source, digest []byte) ([]byte, error) {
	token, err := from.Stamp(ctx, cms.SM3, digest)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, errNoAuthority.Because(err)
	}
	if len(token) == 0 || len(token) > tokenReserve {
		return nil, errNoAuthority.Sayingf("时间戳有 %d 字节，应为 1～%d 字节", "a token of %d bytes, not 1–%d", len(token), tokenReserve)
	}
	return token, nil
}
