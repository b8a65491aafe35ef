package sealer

import (
	"context"
	"crypto/ecdsa"
	"encoding/hex"
	"hash"
	"sync"
	"time"

	"yinxin/ca/chain"
	"yinxin/ca/cms"
	"yinxin/ca/tsa"
	"yinxin/keystore"
	"yinxin/sealer/pdf"
	"yinxin/sealer/register"
)

// Prepared is everything about an instance in a profile that is the same for every document: the encoded picture and
// the constant part of what is signed. Safe for concurrent use.
type Prepared struct {
	instance   register.Instance
	key        keystore.Key
	carrier    carrier
	appearance *pdf.Appearance
	filter     pdf.Name
	subFilter  pdf.Name
}

// Preparation is what an instance is prepared with.
type Preparation struct {
	Instance          register.Instance
	Public            *ecdsa.PublicKey
	Key               keystore.Key // nil for an instance on a USB Key
	Profile           Profile
	Above             []*chain.Certificate // between the signer and the root, for the profiles of CMS
	Filter, SubFilter pdf.Name
	// Template is the seal's picture in 600 dpi, to trace its outline from; nil: the picture that travels in the seal.
	Template []byte
}

// Prepare does the work that every document sealed with the instance shares.
func Prepare(p Preparation) (*Prepared, error) {
	c, err := newCarrier(p.Instance, p.Public, p.Profile, p.Above)
	if err != nil {
		return nil, err
	}
	picture := p.Instance.Picture
	if p.Template != nil {
		picture = p.Template
	}
	appearance, err := pdf.NewAppearance(picture, p.Instance.Width, p.Instance.Height)
	if err == nil && p.Template != nil {
		appearance, err = appearance.As(pdf.Rendering{Style: pdf.VectorOutline})
	}
	if err != nil {
		return nil, err
	}
	return &Prepared{instance: p.Instance, key: p.Key, carrier: c, appearance: appearance, filter: p.Filter, subFilter: p.SubFilter}, nil
}

// tokenReserve is the room in /Contents for a time-stamp token, in bytes (design: /Contents).
const tokenReserve = 8 << 10

// Plan is an update that waits for its signature.
type Plan struct {
	prepared *Prepared
	update   *pdf.Update
	laid     laid
	dataHash [32]byte
	time     time.Time
	stamps   tsa.Source // nil: no time stamp
}

// Plan plans the update for a document and hashes what will be signed. original is the SM3 state after the
// document's last byte; it is consumed. stamps, if not nil, will stamp the signature.
func (p *Prepared) Plan(ctx context.Context, doc *pdf.Document, original hash.Hash, request pdf.SealRequest, stamps tsa.Source) (*Plan, error) {
	reserve := 0
	if stamps != nil {
		reserve = tokenReserve
	}
	request.Filter, request.SubFilter = p.filter, p.subFilter
	request.ContentsSize, request.TimeStamped = p.carrier.size(reserve), stamps != nil
	if request.Appearance == nil {
		request.Appearance = p.appearance
	}
	update, err := doc.PlanSeal(ctx, request)
	if err != nil {
		return nil, err
	}
	plan := &Plan{prepared: p, update: update, time: request.Time, stamps: stamps}
	original.Write(update.Before())
	original.Write(update.After())
	original.Sum(plan.dataHash[:0])
	plan.laid, err = p.carrier.lay(plan.time, plan.dataHash, update.Property())
	return plan, err
}

// Sign makes the signature and gives the finished update: what is appended to the document.
func (p *Plan) Sign(ctx context.Context) ([]byte, error) {
	value, err := p.prepared.key.SignDigest(ctx, p.laid.digest())
	if err != nil {
		return nil, err
	}
	return p.Complete(ctx, value)
}

// Complete puts a signature value (DER) in that was made elsewhere, has it time-stamped, and gives the finished update.
func (p *Plan) Complete(ctx context.Context, value []byte) ([]byte, error) {
	var token []byte
	if p.stamps != nil {
		var err error
		if token, err = stampOf(ctx, p.stamps, cms.SM3.Sum(value)); err != nil {
			return nil, err
		}
	}
	contents, err := p.laid.assemble(value, token)
	if err != nil {
		return nil, err
	}
	return p.update.Fill(contents)
}

// ToSign is what the key signs, as a message: e = SM3(Z ‖ ToSign).
func (p *Plan) ToSign() []byte { return p.laid.toSign() }

// Field is the name of the signature field that the update adds.
func (p *Plan) Field() string { return p.update.Field() }

// DataHash is the digest of the document that the seal signs, in hex.
func (p *Plan) DataHash() string { return hex.EncodeToString(p.dataHash[:]) }

// preparedCache keeps the prepared instances that were used last; an instance never changes, so an entry is only
// dropped to make room. Callers who need the same one at the same time wait for the first of them.
type preparedCache struct {
	mu      sync.Mutex
	entries map[preparedKey]*preparing
}

// preparing is an instance that is prepared, or will be when ready is closed.
type preparing struct {
	ready chan struct{}
	done  *Prepared // nil: it failed
}

type preparedKey struct {
	instance string
	profile  Profile
	outline  bool
}

const preparedLimit = 256

func (c *preparedCache) get(k preparedKey, prepare func() (*Prepared, error)) (*Prepared, error) {
	c.mu.Lock()
	if e := c.entries[k]; e != nil {
		c.mu.Unlock()
		if <-e.ready; e.done != nil {
			return e.done, nil
		}
		return prepare() // the other's failure may have been the end of its own context
	}
	if c.entries == nil {
		c.entries = map[preparedKey]*preparing{}
	}
	if len(c.entries) >= preparedLimit {
		for old := range c.entries {
			delete(c.entries, old)
			break
		}
	}
	e := &preparing{ready: make(chan struct{})}
	c.entries[k] = e
	c.mu.Unlock()
	defer close(e.ready)
	p, err := prepare()
	if err == nil {
		e.done = p
		return p, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.entries[k] == e {
		delete(c.entries, k)
	}
	return nil, err
}
