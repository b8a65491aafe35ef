package sealer

import (
	"context"
	"errors"
	"io"

	"yinxin/internal/access"
	"yinxin/sealer/pdf"
	"yinxin/sealer/view"
)

// PageSize is the size of a page as displayed, in millimetres.
type PageSize struct{ Width, Height float64 }

// maxListedPages is of how many pages Pages gives the sizes.
const maxListedPages = 20_000

var errEnoughPages = errors.New("sealer: enough pages")

// Pages gives the sizes of the pages of a document, of the first 20,000 if it has more. Errors: document.not-found,
// those of package pdf.
func (s *Service) Pages(ctx context.Context, by access.Actor, id string) (sizes []PageSize, err error) {
	d, err := s.Document(ctx, by, id)
	if err != nil {
		return nil, err
	}
	err = s.reading(ctx, d, func(doc *pdf.Document, _ io.ReaderAt) error {
		err := doc.EachPage(ctx, func(p pdf.Page, _ pdf.Object) error {
			w, h := p.DisplaySize()
			sizes = append(sizes, PageSize{w, h})
			if len(sizes) == maxListedPages {
				return errEnoughPages
			}
			return nil
		})
		if errors.Is(err, errEnoughPages) {
			err = nil
		}
		return err
	})
	return sizes, err
}

// Picture draws a page of a document of the actor's, counted from 1, as it is displayed. A page too large for dpi is drawn
// coarser. Errors: those of Draw, document.not-found.
func (s *Service) Picture(ctx context.Context, by access.Actor, id string, number int, dpi float64) (*view.Picture, error) {
	d, err := s.Document(ctx, by, id)
	if err != nil {
		return nil, err
	}
	return s.Draw(ctx, d, number, dpi)
}

// Draw draws a page of a document that somebody may see. Errors: pdf.no-page, those of the viewer and of package pdf.
func (s *Service) Draw(ctx context.Context, d Document, number int, dpi float64) (picture *view.Picture, err error) {
	if s.Viewer == nil {
		return nil, errNoViewer.New()
	}
	err = s.reading(ctx, d, func(doc *pdf.Document, file io.ReaderAt) error {
		page, err := doc.Page(number)
		if err != nil {
			return err
		}
		picture, err = s.Viewer.Render(ctx, file, d.Size, number, resolution(page, dpi))
		return err
	})
	return picture, err
}

// reading opens a document.
func (s *Service) reading(ctx context.Context, d Document, do func(doc *pdf.Document, file io.ReaderAt) error) error {
	file, err := s.Open(ctx, d)
	if err != nil {
		return err
	}
	defer file.Close()
	doc, err := pdf.OpenRecovering(ctx, file, d.Size)
	if err == nil {
		err = doc.Recovering(ctx, func() error { return do(doc, file) })
	}
	return at(err, d.Name)
}
