package command

import (
	"bytes"

	"github.com/emmansun/gmsm/sm2"

	"yinxin/fixtures"
	"yinxin/internal/fault"
	"yinxin/sealer/pdf"
	"yinxin/sealer/verify"
)

// fiftySeals is a document of 5 MB and a hundred pages with fifty seals, one after the other.
type fiftySeals struct {
	b    *bench
	data []byte
}

const sealsOfFifty = 50

func (b *bench) fifty() (*fiftySeals, error) {
	var original bytes.Buffer
	if err := fixtures.WriteBig(&original, 5<<20, 206, fixtures.BigTable); err != nil {
		return nil, err
	}
	f := &fiftySeals{b: b, data: original.Bytes()}
	for i := range sealsOfFifty {
		doc, err := pdf.Open(b.ctx, bytes.NewReader(f.data), int64(len(f.data)))
		if err != nil {
			return nil, err
		}
		pages, err := doc.PageCount()
		if err != nil {
			return nil, err
		}
		plan, err := b.prepared.Plan(b.ctx, doc, hashOf(f.data), pdf.SealRequest{Time: b.h.now().UTC(), Signer: "bench",
			Placements: []pdf.Placement{{Page: 1 + i*2%pages, X: 20, Y: 20}}}, nil)
		if err != nil {
			return nil, err
		}
		update, err := plan.Sign(b.ctx)
		if err != nil {
			return nil, err
		}
		f.data = append(f.data, update...)
	}
	return f, nil
}

func (f *fiftySeals) verify() error {
	r := verify.File(f.b.ctx, "", bytes.NewReader(f.data), int64(len(f.data)), f.b.options)
	if r.Verdict != verify.Valid || len(r.Signatures) != sealsOfFifty {
		return errInternal.With("%s", r.Summary).At(fault.Field("verify-50"))
	}
	return nil
}

// floor is SM3 over the file once, and fifty signatures verified with what they are over, and the maker's on the seal.
func (f *fiftySeals) floor() error {
	hashOf(f.data).Sum(nil)
	hashOf(f.b.info).Sum(nil)
	for range sealsOfFifty + 1 {
		hashOf(f.b.tbs).Sum(nil)
		if !sm2.VerifyASN1(&f.b.key.PublicKey, f.b.digest[:], f.b.signature) {
			return errInternal.New()
		}
	}
	return nil
}
