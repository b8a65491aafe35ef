package sealer

import (
	"os"
	"strings"
	"sync"

	"yinxin/internal/truetype"
	"yinxin/sealer/pdf"
)

// dress gives the appearance of the seal in this document: the rendering that its claim of PDF/A lets in, and the lines
// of text of the order.
func (s *Service) dress(w *work, doc *pdf.Document, o Order) (*pdf.Appearance, error) {
	var err error
	if w.claim, err = doc.PDFA(); err != nil {
		return nil, err
	}
	a, err := w.prepared.appearance.For(w.claim)
	if err != nil || len(o.Lines) == 0 {
		return a, err
	}
	font, err := s.font.get(s.Font)
	if err != nil {
		return nil, err
	}
	lines := make([]pdf.Line, 0, len(o.Lines))
	for _, text := range o.Lines {
		lines = append(lines, pdf.Line{Text: text})
	}
	return a.WithLines(lines, font)
}

// keepsClaim says, or refuses by policy, by what a sealed document would stop being the PDF/A that it claims to be.
func (s *Service) keepsClaim(w *work, r pdf.SealRequest) error {
	if w.claim.Part == 0 {
		return nil
	}
	r.SubFilter, r.ContentsSize = w.prepared.subFilter, w.plan.update.Reserved()
	breaches := w.claim.Breaches(r)
	if len(breaches) > 0 && s.KeepPDFA {
		reasons := make([]string, 0, len(breaches))
		for _, b := range breaches {
			reasons = append(reasons, b.Code+" ("+b.Clause+")")
		}
		return errClaim.With("%s", strings.Join(reasons, ", "))
	}
	for _, b := range breaches {
		w.details.Notes = append(w.details.Notes, pdf.Note{Code: "pdfa-" + b.Code, ZH: b.ZH, EN: b.EN})
	}
	return nil
}

// fontCache holds the font of text lines, read when it is first needed.
type fontCache struct {
	once sync.Once
	font *truetype.Font
	err  error
}

func (c *fontCache) get(path string) (*truetype.Font, error) {
	if path == "" {
		return nil, errNoFont.New()
	}
	c.once.Do(func() {
		var data []byte
		if data, c.err = os.ReadFile(path); c.err != nil {
			c.err = errNoFont.Because(c.err)
			return
		}
		c.font, c.err = truetype.Parse(data)
	})
	return c.font, c.err
}
