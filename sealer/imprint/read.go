package imprint

import (
	"context"
	"image"
	"slices"

	"yinxin/internal/fault"
	"yinxin/internal/scan"
)

// limits are what is opened. A page of A3 at 600 dpi has 70 megapixels, a page of A4 at 1200 dpi has 139.
var limits = scan.Limits{Bytes: 512 << 20, Pages: 100, Pixels: 200_000_000, Decoded: 1 << 30}

// mostSearched is on how many pages of a file marks are looked for when nobody says which page it is.
const mostSearched = 40

// read opens the file and takes the page that was asked for, or the first one with a mark of the ink's colour and of the size of a seal. Where there
// is none, what is wrong with the first page is the answer.
func read(ctx context.Context, data []byte, declared size, o Options) (*session, error) {
	file, err := scan.Open("", data, limits)
	if err != nil {
		return nil, inOurWords(err)
	}
	if o.Page < 0 || o.Page > len(file.Pages) {
		return nil, errNoPage.With("%d", len(file.Pages))
	}
	if o.Page > 0 || len(file.Pages) == 1 {
		s, err := readPage(file, max(o.Page, 1), declared, o)
		if err == nil {
			err = ctx.Err()
		}
		return s, err
	}
	var first error
	for page := 1; page <= min(len(file.Pages), mostSearched); page++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		s, err := readPage(file, page, declared, o)
		if err == nil && len(s.located()) > 0 {
			return s, nil
		}
		if err == nil {
			err = errNoneFound.New()
		}
		if first == nil {
			first = err
		}
	}
	return nil, first
}

func readPage(file *scan.File, page int, declared size, o Options) (*session, error) {
	p := file.Pages[page-1]
	if p.Width > 0 && p.Grey {
		return nil, errNoColour.New()
	}
	var scale Scale
	var err error
	if p.Width > 0 {
		if scale, err = readScale(p, o); err != nil {
			return nil, err
		}
	}
	img, err := file.Picture(page - 1)
	if err != nil {
		return nil, inOurWords(err)
	}
	if _, grey := img.(*image.Gray); grey {
		return nil, errNoColour.New()
	}
	s := &session{img: img, scale: scale, orientation: p.Orientation, declared: declared, options: o, page: page}
	s.paperGain = hues[o.colour()].onPaper(img).gain
	return s, s.laid()
}

// inOurWords says what is wrong with a file as this package always said it. What people can only change where the file was made, a
// password or a coding, has its own words already.
func inOurWords(err error) error {
	switch {
	case fault.Has(err, scan.ErrUnknown):
		return errNotAnImage.Because(err)
	case fault.Has(err, scan.ErrBroken):
		return errTruncated.Because(err)
	case fault.Has(err, scan.ErrTooLarge), fault.Has(err, scan.ErrPixels), fault.Has(err, scan.ErrPages):
		f, _ := fault.Of(err)
		return errTooLarge.With("%s", f.Detail())
	}
	return err
}

// located finds the marks of the page, once.
func (s *session) located() []image.Rectangle {
	if !s.searched {
		apart := slices.Contains(s.options.shapes(s.declared), Frameless)
		s.rectangles, s.searched = locate(s.img, s.scaleAsStored(), hues[s.options.colour()], s.declared, apart), true
	}
	return s.rectangles
}
