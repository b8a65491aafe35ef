package versions

import (
	"context"
	"errors"
	"io"
	"slices"

	"yinxin/internal/fault"
	"yinxin/sealer/verify"
	"yinxin/sealer/view"
)

// Viewer draws pages.
type Viewer interface {
	Render(ctx context.Context, r io.ReaderAt, size int64, page int, dpi float64) (*view.Picture, error)
}

// Limits of one comparison.
const (
	maxVersions = 4        // later versions that are shown: the newest
	maxPages    = 12       // pages that are shown, in all versions together
	maxLooked   = 40       // pages that are looked through for differences, in all versions together
	maxBytes    = 12 << 20 // of the pictures together

	shownDPI  = 96
	coarseDPI = 64 // what is too large for shownDPI
)

// Comparison is a document as it was sealed beside its later versions.
type Comparison struct {
	Size     int64     // bytes of the document as it was sealed
	Versions []Version // the latest last; none where nothing followed
	Left     int       // versions in between that are not shown
}

// Version is a later version beside the one that was sealed.
type Version struct {
	Number  int // the one that was sealed is the first
	Latest  bool
	Signed  bool // a signature covers exactly this
	Changes []verify.Change
	Pages   []Page
	// Looked is up to which page all were compared, where a change does not say its page; Cut that a limit ended the work
	// before all pages were.
	Looked int
	Cut    bool
}

// Page is a page as it was sealed and as it is in the later version. A side that is not there is nil, with the reason.
type Page struct {
	Number        int
	Before, After *Side
	Missing       string // why a side cannot be shown, a sentence; empty where both can
	Areas         []Area // where they differ; none where no difference can be seen, or one side is missing
	Resized       bool   // the page has another size
}

// Side is one of two pictures.
type Side struct {
	Data          []byte
	Type          string // media type
	Width, Height int    // pixels
}

// comparer is one comparison at work.
type comparer struct {
	viewer Viewer
	file   io.ReaderAt
	sealed int64
	pages  int // that may still be shown
	looks  int // that may still be looked through
	bytes  int

	language string
}

// Compare sets the version in which a signature was made beside the later ones. Which and language are as of
// verify.Versions, and so are the errors; also those of the viewer that are not about the file. When the time of ctx runs out
// while pages are drawn, the comparison has those that were done.
func Compare(ctx context.Context, viewer Viewer, r io.ReaderAt, size int64, which, language string) (*Comparison, error) {
	list, err := verify.Versions(ctx, r, size, which, language)
	if err != nil {
		return nil, err
	}
	out := &Comparison{Size: list[0].Size}
	first := max(1, len(list)-maxVersions)
	out.Left = first - 1
	c := comparer{viewer: viewer, file: r, sealed: list[0].Size, pages: maxPages, looks: maxLooked, bytes: maxBytes, language: language}
	for i := first; i < len(list); i++ {
		out.Versions = append(out.Versions, Version{Number: i + 1, Latest: i == len(list)-1, Signed: list[i].Signed, Changes: list[i].Changes})
	}
	// The newest first: that is what the reader has before them, whatever the limits leave for the others.
	for i, v := range slices.Backward(out.Versions) {
		err := c.compare(ctx, &out.Versions[i], list[v.Number-1].Size)
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			// What was drawn in time is shown.
			err, out.Versions[i].Cut = nil, true
		}
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// unseen are changes that no page shows.
var unseen = []string{"validation-data", "extension", "metadata-updated", "metadata", "white-space", "rewritten", "time-stamp"}

// compare fills in the pages of one version.
func (c *comparer) compare(ctx context.Context, v *Version, size int64) error {
	var named []int
	through := false
	for _, change := range v.Changes {
		switch {
		case change.Page > 0:
			named = append(named, change.Page)
		case !slices.Contains(unseen, change.Kind):
			through = true
		}
	}
	slices.Sort(named)
	named = slices.Compact(named)
	for _, number := range named {
		if c.pages == 0 || c.bytes <= 0 {
			v.Cut = true
			return nil
		}
		if _, err := c.page(ctx, v, size, number, true); err != nil {
			return err
		}
	}
	for number := 1; through; number++ {
		if c.pages == 0 || c.bytes <= 0 || c.looks == 0 {
			v.Cut = true
			break
		}
		if !slices.Contains(named, number) {
			c.looks--
			there, err := c.page(ctx, v, size, number, false)
			if err != nil {
				return err
			}
			if !there {
				break
			}
		}
		v.Looked = number
	}
	slices.SortFunc(v.Pages, func(a, b Page) int { return a.Number - b.Number })
	return nil
}

// page compares one page and shows it if it is to be shown anyway or differs. It says false where neither version has it.
func (c *comparer) page(ctx context.Context, v *Version, size int64, number int, always bool) (bool, error) {
	before, no, err := c.draw(ctx, c.sealed, number)
	if err != nil {
		return false, err
	}
	after, nor, err := c.draw(ctx, size, number)
	if err != nil {
		return false, err
	}
	p := Page{Number: number}
	switch {
	case before == nil && after == nil:
		if fault.Has(no, view.ErrNoPage) && fault.Has(nor, view.ErrNoPage) {
			return false, nil
		}
		if !always {
			// Neither can be drawn, so nothing can be said of this page, nor of those behind it.
			v.Cut = true
			return false, nil
		}
		p.Missing = c.sentence(no)
	case before == nil:
		p.Missing = c.sentence(no)
	case after == nil:
		p.Missing = c.sentence(nor)
	default:
		was, is, err := decoded(before, after)
		if err != nil {
			return false, err
		}
		p.Resized = was.Rect != is.Rect
		if !p.Resized {
			p.Areas = differences(was, is)
		}
		if !always && !p.Resized && len(p.Areas) == 0 {
			return true, nil
		}
		if p.Before, err = shown(before, was); err == nil {
			p.After, err = shown(after, is)
		}
		if err != nil {
			return false, err
		}
	}
	if p.Before == nil && before != nil {
		if p.Before, err = alone(before); err != nil {
			return false, err
		}
	}
	if p.After == nil && after != nil {
		if p.After, err = alone(after); err != nil {
			return false, err
		}
	}
	for _, side := range []*Side{p.Before, p.After} {
		if side != nil {
			c.bytes -= len(side.Data)
		}
	}
	c.pages--
	v.Pages = append(v.Pages, p)
	return true, nil
}

// draw draws a page of the first size bytes. Nil without error: it cannot be drawn, and why.
func (c *comparer) draw(ctx context.Context, size int64, number int) (p *view.Picture, why, err error) {
	prefix := io.NewSectionReader(c.file, 0, size)
	p, err = c.viewer.Render(ctx, prefix, size, number, shownDPI)
	if fault.Has(err, view.ErrTooLarge) {
		p, err = c.viewer.Render(ctx, prefix, size, number, coarseDPI)
	}
	if err == nil {
		return p, nil, nil
	}
	f, ok := fault.Of(err)
	if ctx.Err() != nil || !ok || f.Kind == fault.Internal || f.Kind == fault.Unavailable && f.Code != view.ErrWorker.Code {
		return nil, nil, err
	}
	return nil, err, nil
}

func (c *comparer) sentence(err error) string {
	f, _ := fault.Of(err) // draw let no other error through
	return f.Sentence(c.language)
}
