package sealer

import (
	"context"
	"io"

	"yinxin/internal/fault"
	"yinxin/sealer/pdf"
	"yinxin/sealer/view"
)

// Viewer is what the sealer needs to look at pages: text positions and pictures, made outside this process.
type Viewer interface {
	Find(ctx context.Context, r io.ReaderAt, size int64, q view.Query) ([]view.Match, error)
	Render(ctx context.Context, r io.ReaderAt, size int64, page int, dpi float64) (*view.Picture, error)
}

// find gives a placement for every occurrence of a keyword that is asked for: the seal's centre stands on the middle of
// the text. A keyword that breaks over two lines counts where it begins.
func (s *Service) find(ctx context.Context, doc *pdf.Document, r io.ReaderAt, size int64, k Keyword) ([]pdf.Placement, error) {
	if s.Viewer == nil {
		return nil, errNoViewer.New()
	}
	q := view.Query{Text: k.Text, Nth: k.Nth}
	if k.Pages != "" {
		total, err := doc.PageCount()
		if err != nil {
			return nil, err
		}
		if q.Pages, err = k.Pages.Resolve(total); err != nil {
			return nil, err
		}
	}
	matches, err := s.Viewer.Find(ctx, r, size, q)
	if err != nil {
		return nil, err
	}
	if len(matches) > maxPlaces {
		return nil, errOrder.With("%d times", len(matches)).At(fault.Field("keyword"))
	}
	out := make([]pdf.Placement, 0, len(matches))
	for _, m := range matches {
		page, err := doc.Page(m.Page)
		if err != nil {
			return nil, err
		}
		at := m.Rect
		if len(m.Lines) > 0 {
			at = m.Lines[0]
		}
		shown := page.Displayed(at)
		out = append(out, pdf.Placement{Page: m.Page, From: pdf.Centre,
			X: (shown.X1+shown.X2)/2 + k.DX, Y: (shown.Y1+shown.Y2)/2 + k.DY})
	}
	return out, nil
}
