package sealer

import (
	"crypto/ecdsa"
	"time"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/sm3"

	"yinxin/ca/chain"
	"yinxin/ca/cms"
	"yinxin/internal/hashstate"
	"yinxin/keystore"
	"yinxin/sealer/pdf"
	"yinxin/sealer/register"
	"yinxin/sealer/ses"
)

// carrier lays out what stands in /Contents, for one instance in one profile. Immutable and safe for concurrent use.
type carrier interface {
	// size is the most bytes that assemble can give with a time-stamp token of up to reserve bytes (0: without one).
	size(reserve int) int
	// lay lays out what the key signs for a document with this SM3 over its ByteRange, at a time of whole seconds. The
	// same arguments give the same bytes in every process.
	lay(at time.Time, dataHash [32]byte, property string) (laid, error)
}

// laid is a signature structure that only lacks its value.
type laid interface {
	// toSign gives the bytes that are signed; digest e = SM3(Z ‖ toSign).
	toSign() []byte
	digest() [32]byte
	// assemble puts in the value (DER) and a token over its octets; nil for none.
	assemble(value, token []byte) ([]byte, error)
}

// newCarrier gives the carrier of an instance. above are the certificates between the signer and the root.
func newCarrier(in register.Instance, public *ecdsa.PublicKey, p Profile, above []*chain.Certificate) (carrier, error) {
	switch p {
	case ProfileCMS, ProfileCMSGM:
		certificate, err := chain.ParseCertificate(in.Certificate)
		if err != nil {
			return nil, err
		}
		profile := cms.ProfileCMS
		if p == ProfileCMSGM {
			profile = cms.ProfileGM
		}
		w, err := cms.NewWriter(cms.Template{Profile: profile, Certificate: certificate, Chain: above, Seal: in.Seal})
		return cmsCarrier{w}, err
	}
	return newSealCarrier(in, public)
}

// sealCarrier is profile seal. The SM3 state over Z and everything up to the end of the seal is kept: it is the same
// for every document.
type sealCarrier struct {
	form        *ses.Form
	certificate []byte
	state       []byte
}

func newSealCarrier(in register.Instance, public *ecdsa.PublicKey) (*sealCarrier, error) {
	form, err := ses.NewForm(in.Seal, pdf.PropertyLength())
	if err != nil {
		return nil, err
	}
	z, err := sm2.CalculateZA(public, []byte(keystore.DefaultID))
	if err != nil {
		return nil, err
	}
	h := sm3.New()
	h.Write(z)
	h.Write(form.Prefix())
	state, err := hashstate.Of(h)
	return &sealCarrier{form, in.Certificate, state}, err
}

func (c *sealCarrier) size(reserve int) int { return c.form.Size(c.certificate, reserve) }

func (c *sealCarrier) lay(at time.Time, dataHash [32]byte, property string) (laid, error) {
	suffix, err := c.form.Suffix(at, dataHash, property)
	if err != nil {
		return nil, err
	}
	h, err := hashstate.Resume(sm3.New(), c.state)
	if err != nil {
		return nil, err
	}
	h.Write(suffix)
	l := &sealLaid{carrier: c, suffix: suffix}
	h.Sum(l.e[:0])
	return l, nil
}

type sealLaid struct {
	carrier *sealCarrier
	suffix  []byte
	e       [32]byte
}

func (l *sealLaid) toSign() []byte {
	return append(append([]byte(nil), l.carrier.form.Prefix()...), l.suffix...)
}

func (l *sealLaid) digest() [32]byte { return l.e }

func (l *sealLaid) assemble(value, token []byte) ([]byte, error) {
	return l.carrier.form.Assemble(l.suffix, l.carrier.certificate, value, token)
}

// cmsCarrier is the profiles cms and cms-gm: the seal travels as a signed attribute.
type cmsCarrier struct{ writer *cms.Writer }

func (c cmsCarrier) size(reserve int) int { return c.writer.Size(reserve) }

func (c cmsCarrier) lay(at time.Time, dataHash [32]byte, _ string) (laid, error) {
	p := c.writer.Prepare(dataHash, at)
	e, err := p.Digest()
	return cmsLaid{p, e}, err
}

type cmsLaid struct {
	pending *cms.Pending
	e       [32]byte
}

func (l cmsLaid) toSign() []byte   { return l.pending.Signed() }
func (l cmsLaid) digest() [32]byte { return l.e }

func (l cmsLaid) assemble(value, token []byte) ([]byte, error) {
	return l.pending.Assemble(value, token)
}
