package sealer

import (
	"context"
	"io"
	"math"
	"slices"

	"yinxin/internal/access"
	"yinxin/internal/files"
	"yinxin/sealer/pdf"
	"yinxin/sealer/view"
)

// Preview is what a document would look like sealed, and what the person should know before sealing it. Nothing is
// signed, recorded or counted.
type Preview struct {
	Details Details       `json:"details"`
	Pages   []PreviewPage `json:"pages"`
	Seal    PreviewedSeal `json:"seal"`
	Size    int64         `json:"size"` // bytes of the sealed document
}

// PreviewPage is a page with the seal in place.
type PreviewPage struct {
	Number  int           `json:"number"`
	Picture *view.Picture `json:"-"`
}

// PreviewedSeal is the seal as it would be used.
type PreviewedSeal struct {
	Code string  `json:"code"`
	Name string  `json:"name"`
	W    float64 `json:"width_mm"`
	H    float64 `json:"height_mm"`
}

// maxPreviewPages is how many pages one preview shows: those of a straddle seal can be thousands.
const maxPreviewPages = 50

// Preview plans an order as Seal would and draws the pages on which the seal shows, at dpi; pages, if any, picks some
// of them. A page too large for that is drawn coarser. Refusals are those of Seal, and those of the viewer.
func (s *Service) Preview(ctx context.Context, by access.Actor, o Order, dpi float64, pages []int) (*Preview, error) {
	if s.Viewer == nil {
		return nil, errNoViewer.New()
	}
	if !(dpi >= view.MinDPI && dpi <= view.MaxDPI) {
		return nil, view.ErrResolution.With("%g: %d–%d dpi", dpi, view.MinDPI, view.MaxDPI)
	}
	o, err := o.Checked()
	if err != nil {
		return nil, err
	}
	in, err := s.Register.AuthoriseSigner(ctx, by, o.Seal)
	if err != nil {
		return nil, err
	}
	d, err := s.Document(ctx, by, o.Document)
	if err != nil {
		return nil, err
	}
	w, err := s.begin(ctx, d, nil, o, in)
	if err != nil {
		return nil, err
	}
	defer w.close()
	update, err := w.plan.update.Fill(nil)
	if err != nil {
		return nil, err
	}
	p := &Preview{Details: w.details, Size: w.document.Size + int64(len(update)),
		Seal: PreviewedSeal{Code: in.SealCode, Name: in.SealName, W: in.Width, H: in.Height}}
	var shown []int
	for _, m := range w.details.Marks {
		if len(pages) == 0 || slices.Contains(pages, m.Page) {
			shown = append(shown, m.Page)
		}
	}
	slices.Sort(shown)
	shown = slices.Compact(shown)
	whole := files.Concat(w.object, inMemory(update))
	doc, err := pdf.Open(ctx, whole, whole.Size())
	if err != nil {
		return nil, err
	}
	for _, n := range shown[:min(len(shown), maxPreviewPages)] {
		page, err := doc.Page(n)
		if err != nil {
			return nil, err
		}
		picture, err := s.Viewer.Render(ctx, whole, whole.Size(), n, resolution(page, dpi))
		if err != nil {
			return nil, at(err, w.document.Name)
		}
		p.Pages = append(p.Pages, PreviewPage{Number: n, Picture: picture})
	}
	return p, nil
}

// maxPreviewPixels bounds one picture: A3 at 300 dpi. Larger pages are drawn coarser.
const maxPreviewPixels = 18_000_000

// resolution is what to ask the viewer for, which draws a unit of user space as a point, whatever the page says.
func resolution(page pdf.Page, dpi float64) float64 {
	w, h := page.DisplaySize()
	if pixels := w / 25.4 * dpi * h / 25.4 * dpi; pixels > maxPreviewPixels {
		dpi *= math.Sqrt(maxPreviewPixels / pixels)
	}
	return min(max(dpi*page.UserUnit, view.MinDPI), view.MaxDPI)
}

// inMemory is a part of a document that is not stored yet.
type inMemory []byte

func (m inMemory) Size() int64  { return int64(len(m)) }
func (m inMemory) Close() error { return nil }

// From gives the bytes from off, so that the reader of the file need not copy them.
func (m inMemory) From(off int64) []byte { return m[min(max(off, 0), int64(len(m))):] }

func (m inMemory) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off >= int64(len(m)) {
		return 0, io.EOF
	}
	n := copy(p, m[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}
