package pdf

import (
	"context"

	"yinxin/internal/fault"
)

// spot is one place of the seal on its page.
type spot struct {
	Mark
	page Page
	look int // index of its appearance; -1 for none
}

// look is an appearance: which part of the seal shows in which box, in units of user space with the seal upright.
// Places with the same look share one form XObject.
type look struct {
	box                 Rect
	x, y, width, height float64 // of the picture
	rotate              int
	bare                bool // the seal without its lines
	word                bool // the watermark instead of the seal
}

type numberedLook struct {
	look
	number int
}

// looks are the distinct appearances of a plan.
type looks struct {
	list  []numberedLook
	index map[look]int
}

// maxScanned is up to how many looks are compared one by one.
const maxScanned = 4

func (l *looks) add(k look) int {
	if len(l.list) <= maxScanned {
		for i := range l.list {
			if l.list[i].look == k {
				return i
			}
		}
	} else if i, ok := l.index[k]; ok {
		return i
	}
	l.list = append(l.list, numberedLook{look: k})
	if len(l.list) > maxScanned {
		if l.index == nil {
			l.index = make(map[look]int, 16)
			for i, n := range l.list {
				l.index[n.look] = i
			}
		}
		l.index[k] = len(l.list) - 1
	}
	return len(l.list) - 1
}

// findSpots finds all places, in the order of the request: that of the field, the placements, the straddle seal.
func (p *plan) findSpots(ctx context.Context) error {
	var pages *pageList
	for _, at := range p.request.Placements {
		if at.Pages == "" {
			page, err := p.onePage(at.Page)
			if err != nil {
				return err
			}
			if err := p.addSeal(page, at); err != nil {
				return err
			}
			continue
		}
		if err := p.listPages(ctx, &pages); err != nil {
			return err
		}
		numbers, err := at.Pages.Resolve(len(pages.pages))
		if err != nil {
			return err
		}
		for _, n := range numbers {
			page, err := pages.page(n)
			if err != nil {
				return err
			}
			if err := p.addSeal(page, at); err != nil {
				return err
			}
		}
	}
	if p.request.Straddle != nil {
		if err := p.listPages(ctx, &pages); err != nil {
			return err
		}
		if err := p.addStraddle(pages); err != nil {
			return err
		}
	}
	if p.field == nil && len(p.spots) == 0 {
		if err := p.addInvisible(); err != nil {
			return err
		}
	}
	if p.request.Watermark == nil {
		return nil
	}
	if err := p.listPages(ctx, &pages); err != nil {
		return err
	}
	return p.addWatermark(pages)
}

func (p *plan) listPages(ctx context.Context, pages **pageList) (err error) {
	if *pages == nil {
		*pages, err = p.document.listPages(ctx)
	}
	return err
}

// onePage finds a page by its number, which is negative when it counts from the end.
func (p *plan) onePage(number int) (Page, error) {
	d := p.document
	asked := number
	fromEnd := func() (err error) {
		count := 0
		if asked < 0 {
			count, err = d.PageCount()
			number = count + 1 + asked
		}
		return err
	}
	if err := fromEnd(); err != nil {
		return Page{}, err
	}
	page, err := d.Page(number)
	if fault.Has(err, errNoSuchPage) && asked < 0 {
		// The count was wrong; the look-up has walked the tree and knows better now.
		if err = fromEnd(); err == nil {
			page, err = d.Page(number)
		}
	}
	if err != nil {
		return Page{}, err
	}
	if page.Ref == (Ref{}) {
		return Page{}, errDamagedPages.Saying("该页不是独立的对象", "the page is not an object of its own").At(fault.Page(number))
	}
	return page, nil
}

// addSeal adds a whole seal on a page.
func (p *plan) addSeal(page Page, at Placement) error {
	widthMM, heightMM := p.request.Appearance.Size()
	if at.From == Centre {
		// The middle of the seal goes there, whatever lines stand below it.
		x, y := p.request.Appearance.SealPlace()
		sealWidth, sealHeight := p.request.Appearance.SealSize()
		at.X += widthMM/2 - (x + sealWidth/2)
		at.Y += heightMM/2 - (y + sealHeight/2)
	}
	shown, err := page.place(at, widthMM, heightMM)
	if err != nil {
		return onThePage(err, page.Number)
	}
	scale := page.unitsPerMM()
	width, height := widthMM*scale, heightMM*scale
	return p.addSpot(spot{Mark: Mark{Kind: MarkSeal}, page: page}, shown,
		look{box: Rect{0, 0, width, height}, width: width, height: height, rotate: page.Rotate})
}

// addStraddle adds the strips of the straddle seal: of the seal alone, since lines of text are not cut.
func (p *plan) addStraddle(pages *pageList) error {
	s := *p.request.Straddle
	if s.Pages == "" {
		s.Pages = "all"
	}
	numbers, err := s.Pages.Resolve(len(pages.pages))
	if err != nil {
		return err
	}
	widthMM, heightMM := p.request.Appearance.SealSize()
	length := widthMM
	if s.Edge.horizontal() {
		length = heightMM
	}
	strips, notes, err := s.strips(numbers, length)
	if err != nil {
		return err
	}
	p.notes = append(p.notes, notes...)
	if len(strips) == 0 && len(p.spots) == 0 {
		return errNothingShown.New()
	}
	for _, t := range strips {
		page, err := pages.page(t.page)
		if err != nil {
			return err
		}
		shown, box, err := t.place(page, s, widthMM, heightMM)
		if err != nil {
			return onThePage(err, page.Number)
		}
		scale := page.unitsPerMM()
		err = p.addSpot(spot{Mark: Mark{Kind: MarkStraddle, Part: t.index + 1, Parts: t.of}, page: page}, shown,
			look{box: box, width: widthMM * scale, height: heightMM * scale, rotate: page.Rotate, bare: true})
		if err != nil {
			return err
		}
	}
	return nil
}

// addInvisible makes the place of a field that shows nothing: a widget without size on page 1 (ISO 32000-2, 12.7.5.5).
func (p *plan) addInvisible() error {
	page, err := p.onePage(1)
	if err != nil {
		return err
	}
	p.spots = append(p.spots, spot{page: page, look: -1})
	return nil
}

// addSpot adds a place that is shown at a rectangle of the page as displayed, in units of user space.
func (p *plan) addSpot(s spot, shown Rect, k look) error {
	s.Mark.Page = s.page.Number
	s.Rect = s.page.fromShown(shown)
	s.Shown = shown.scaled(1 / s.page.unitsPerMM())
	if !s.Rect.writable() || !k.box.writable() {
		return errDamagedPages.Saying("页面的边框尺寸荒谬", "the boxes of the page are absurd").At(fault.Page(s.page.Number))
	}
	if len(p.spots) == maxPlaces {
		return errTooManyPlaces.Sayingf("超过 %d 个", "more than %d", maxPlaces)
	}
	s.look = p.looks.add(k)
	p.spots = append(p.spots, s)
	return nil
}
