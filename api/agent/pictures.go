package agent

import (
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"yinxin/internal/fault"
	"yinxin/sealer/pdf"
	"yinxin/sealer/view"
)

// Renderer draws pages: a view.Viewer, whose workers are other processes.
type Renderer interface {
	Render(ctx context.Context, r io.ReaderAt, size int64, page int, dpi float64) (*view.Picture, error)
}

var _ Renderer = (*view.Viewer)(nil)

const (
	pictureDPI = 100
	// maxPicturePixels bounds one picture: A3 at 300 dpi. Larger pages are drawn coarser.
	maxPicturePixels = 18_000_000
	// maxDrawn is how many pages of one file are drawn; of a list, maxDrawnOfAll in all, and of each file what is due to it.
	maxDrawn      = 40
	maxDrawnOfAll = 200
)

// gallery is the folder with the pictures of a list.
type gallery struct {
	folder string
	viewer Renderer
	each   int // pages of each file
}

// gallery makes a private folder for the pictures of a list of files.
func (f Folder) gallery(viewer Renderer, files int) (*gallery, error) {
	pages := filepath.Join(f.path, pagesName)
	err := os.MkdirAll(pages, 0o700)
	folder := ""
	if err == nil {
		folder, err = os.MkdirTemp(pages, "list-")
	}
	if err != nil {
		return nil, ErrPictures.Because(err)
	}
	return &gallery{folder: folder, viewer: viewer, each: min(max(maxDrawnOfAll/max(files, 1), 1), maxDrawn)}, nil
}

// remove takes the pictures away. A viewer may hold one open under Windows; the next start removes it.
func (g *gallery) remove() { _ = os.RemoveAll(g.folder) }

// Tidy removes what an earlier run left behind. The caller holds the folder's lock.
func (f Folder) Tidy() error {
	if err := os.RemoveAll(filepath.Join(f.path, pagesName)); err != nil {
		return ErrFolder.At(fault.File(f.path)).Because(err)
	}
	return nil
}

// draw draws pages of a checked file, the n-th of the list, from its own bytes, with the seal in place. It gives the first
// picture and which pages there are. Error: agent.pictures.
func (g *gallery) draw(ctx context.Context, n int, k *checked) (first, drawn string, err error) {
	chosen := k.toDraw(g.each)
	for _, number := range chosen {
		page, err := k.doc.Page(number)
		if err != nil {
			return "", "", ErrPictures.At(fault.Page(number)).Because(err)
		}
		picture, err := g.viewer.Render(ctx, k.file, k.Prepared.Size, number, resolution(page))
		if ctx.Err() != nil {
			return "", "", ctx.Err()
		}
		if err != nil {
			return "", "", ErrPictures.At(fault.Page(number)).Because(err)
		}
		// The name is made here: nothing of the document's own is in it.
		name := filepath.Join(g.folder, fmt.Sprintf("%03d-%05d.png", n, number))
		if err := os.WriteFile(name, picture.PNG, 0o600); err != nil {
			return "", "", ErrPictures.Because(err)
		}
		if first == "" {
			first = name
		}
	}
	return first, whichDrawn(chosen, k.pages), nil
}

// toDraw are the pages to look at: those with the seal first, then the others from the front, as many as there may be.
func (k *checked) toDraw(most int) []int {
	var list []int
	add := func(page int) {
		if len(list) < most && !slices.Contains(list, page) {
			list = append(list, page)
		}
	}
	for _, m := range k.Marks {
		add(m.Page)
	}
	for n := 1; n <= k.pages && len(list) < most; n++ {
		add(n)
	}
	return list
}

func whichDrawn(chosen []int, total int) string {
	if len(chosen) == total {
		return fmt.Sprintf("全部 %d 页 all pages", total)
	}
	sorted := slices.Sorted(slices.Values(chosen))
	parts := make([]string, 0, len(sorted))
	for _, n := range sorted {
		parts = append(parts, fmt.Sprint(n))
	}
	return fmt.Sprintf("第 %s 页，共 %d 页 pages %s of %d", strings.Join(parts, "、"), total, strings.Join(parts, ", "), total)
}

// resolution is what to ask the viewer for, which draws a unit of user space as a point, whatever the page says.
func resolution(page pdf.Page) float64 {
	dpi := float64(pictureDPI)
	w, h := page.DisplaySize()
	if pixels := w / 25.4 * dpi * h / 25.4 * dpi; pixels > maxPicturePixels {
		dpi *= math.Sqrt(maxPicturePixels / pixels)
	}
	return min(max(dpi*page.UserUnit, view.MinDPI), view.MaxDPI)
}
