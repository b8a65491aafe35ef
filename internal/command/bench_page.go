package command

import (
	"bytes"
	"runtime"

	"yinxin/api/web"
	"yinxin/fixtures"
	"yinxin/internal/fault"
	"yinxin/sealer/verify"
)

// verifierPage is what the page for verifiers does with a sealed document of 5 MB once it has arrived: the verdict, and the
// answer that the browser shows, both reports to download included. On one core.
type verifierPage struct {
	b      *bench
	pages  *web.Pages
	data   []byte
	before int // what GOMAXPROCS was
}

func (b *bench) verifierPage() (*verifierPage, error) {
	var original bytes.Buffer
	if err := fixtures.WriteBig(&original, 5<<20, 206, fixtures.BigTable); err != nil {
		return nil, err
	}
	_, update, err := b.seal(bytes.NewReader(original.Bytes()), int64(original.Len()), hashOf(original.Bytes()))
	if err != nil {
		return nil, err
	}
	pages, err := web.New(web.Config{MaxVerify: 256 << 20})
	return &verifierPage{b: b, pages: pages, data: append(original.Bytes(), update...)}, err
}

func (p *verifierPage) answer() error {
	r := verify.File(p.b.ctx, "copy.pdf", bytes.NewReader(p.data), int64(len(p.data)), p.b.options)
	if r.Verdict != verify.Valid {
		return errInternal.With("%s", r.Summary).At(fault.Field(pageFigure))
	}
	_, err := p.pages.Verdict(web.Answer{Language: "zh", Fragment: true, Report: r})
	return err
}

// floor is SM3 over the file, and what every check of a seal has to hash and verify.
func (p *verifierPage) floor() error {
	hashOf(p.data).Sum(nil)
	return p.b.sealChecks()
}

func (p *verifierPage) prepare() error {
	p.before = runtime.GOMAXPROCS(1)
	return nil
}

func (p *verifierPage) release() { runtime.GOMAXPROCS(p.before) }
