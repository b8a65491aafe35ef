package sealer

import (
	"context"
	"encoding/hex"
	"hash"
	"sync"
	"time"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/sm3"

	"yinxin/keystore"
	"yinxin/sealer/pdf"
	"yinxin/sealer/register"
	"yinxin/sealer/ses"
)

// Prepared is everything about an instance that is the same for every document: the encoded picture, the constant
// part of TBS_Sign and the SM3 state after it. Safe for concurrent use.
type Prepared struct {
	instance   register.Instance
	key        keystore.Key
	form       *ses.Form
	appearance *pdf.Appearance
	tbsState   []byte
	size       int
	filter     pdf.Name
	subFilter  pdf.Name
}

// Prepare does the work that every document sealed with the instance shares.
func Prepare(in register.Instance, key keystore.Key, filter, subFilter pdf.Name) (*Prepared, error) {
	form, err := ses.NewForm(in.Seal, pdf.PropertyLength())
	if err != nil {
		return nil, err
	}
	appearance, err := pdf.NewAppearance(in.Picture, in.Width, in.Height)
	if err != nil {
		return nil, err
	}
	z, err := sm2.CalculateZA(key.Public(), []byte(keystore.DefaultID))
	if err != nil {
		return nil, err
	}
	h := sm3.New()
	h.Write(z)
	h.Write(form.Prefix())
	state, err := hashState(h)
	if err != nil {
		return nil, err
	}
	return &Prepared{instance: in, key: key, form: form, appearance: appearance, tbsState: state,
		size: form.Size(in.Certificate, 0), filter: filter, subFilter: subFilter}, nil
}

// Plan is an update that waits for its signature.
type Plan struct {
	prepared *Prepared
	update   *pdf.Update
	suffix   []byte
	digest   [32]byte // e = SM3(Z ‖ TBS_Sign)
	dataHash [32]byte
	time     time.Time
	claim    pdf.PDFA
	breaches []pdf.Breach
}

// Appearance is what the seal looks like unless a request says otherwise: a soft image of its picture. Other renderings
// and lines of text are made from it.
func (p *Prepared) Appearance() *pdf.Appearance { return p.appearance }

// Plan plans the update for a document and hashes what will be signed. original is the SM3 state after the
// document's last byte; it is consumed. The request's appearance, or that of the instance, is written as suits what the
// document claims of PDF/A.
func (p *Prepared) Plan(ctx context.Context, doc *pdf.Document, original hash.Hash, request pdf.SealRequest) (*Plan, error) {
	request.Filter, request.SubFilter = p.filter, p.subFilter
	claim, err := doc.PDFA()
	if err != nil {
		return nil, err
	}
	request.ContentsSize = p.size
	if request.Appearance == nil {
		request.Appearance = p.appearance
	}
	if request.Appearance, err = request.Appearance.For(claim); err != nil {
		return nil, err
	}
	update, err := doc.PlanSeal(ctx, request)
	if err != nil {
		return nil, err
	}
	plan := &Plan{prepared: p, update: update, time: request.Time, claim: claim, breaches: claim.Breaches(request)}
	original.Write(update.Before())
	original.Write(update.After())
	original.Sum(plan.dataHash[:0])
	if plan.suffix, err = p.form.Suffix(request.Time, plan.dataHash, update.Property()); err != nil {
		return nil, err
	}
	tbs, err := resumeHash(p.tbsState)
	if err != nil {
		return nil, err
	}
	tbs.Write(plan.suffix)
	tbs.Sum(plan.digest[:0])
	return plan, nil
}

// Sign makes the signature and gives the finished update: what is appended to the document.
func (p *Plan) Sign(ctx context.Context) ([]byte, error) {
	value, err := p.prepared.key.SignDigest(ctx, p.digest)
	if err != nil {
		return nil, err
	}
	contents, err := p.prepared.form.Assemble(p.suffix, p.prepared.instance.Certificate, value, nil)
	if err != nil {
		return nil, err
	}
	return p.update.Fill(contents)
}

// Field is the name of the signature field that the update adds.
func (p *Plan) Field() string { return p.update.Field() }

// PDFA is what the document claims to be, and by what the sealed one would no longer be it. The picture of the seal is
// already the one that suits the claim.
func (p *Plan) PDFA() (pdf.PDFA, []pdf.Breach) { return p.claim, p.breaches }

// DataHash is the digest of the document that the seal signs, in hex.
func (p *Plan) DataHash() string { return hex.EncodeToString(p.dataHash[:]) }

// preparedCache keeps the prepared instances that were used last; an instance never changes, so an entry is only
// dropped to make room.
type preparedCache struct {
	mu      sync.Mutex
	entries map[string]*Prepared
}

const preparedLimit = 256

func (c *preparedCache) get(id string, prepare func() (*Prepared, error)) (*Prepared, error) {
	c.mu.Lock()
	p, ok := c.entries[id]
	c.mu.Unlock()
	if ok {
		return p, nil
	}
	p, err := prepare()
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.entries == nil {
		c.entries = map[string]*Prepared{}
	}
	if len(c.entries) >= preparedLimit {
		for old := range c.entries {
			delete(c.entries, old)
			break
		}
	}
	c.entries[id] = p
	return p, nil
}
