package imprint

import (
	"cmp"
	"context"
	"image"
	"math"
	"runtime"
	"slices"
	"sync"

	"yinxin/internal/fault"
)

// Process makes the template of a seal from the scan of a stamped form, or from a crop of one, in JPEG, PNG, TIFF or a
// PDF of scans.
//
// Errors are faults: attachment.encrypted, attachment.unsupported-coding and attachment.no-picture of scan.Open and
// scan.File.Picture; imprint.no-page, imprint.not-an-image, imprint.truncated, imprint.too-large, imprint.bad-size, imprint.bad-option,
// imprint.bad-scale, imprint.no-scale, imprint.scale-contradicts, imprint.no-colour, imprint.none-found,
// imprint.incomplete. An imprint that was found and is not good enough is no error: Result.Verdict and Result.Gates say
// so. A context that ends is noticed between the stages.
func Process(ctx context.Context, data []byte, o Options) (*Result, error) {
	declared, err := o.check()
	if err != nil {
		return nil, err
	}
	s, err := read(ctx, data, declared, o)
	if err != nil {
		return nil, err
	}
	return s.run(ctx)
}

// mostBoxes bounds Options.Boxes: forms have two.
const mostBoxes = 8

// check refuses options that cannot be and returns the declared size.
func (o Options) check() (size, error) {
	declared := size{o.Width, o.Height}
	if o.Height == 0 {
		declared.h = o.Width
	}
	for _, side := range []float64{declared.w, declared.h} {
		if !(side >= leastMM && side <= greatestMM) {
			return size{}, errBadSize.With("%g × %g mm", declared.w, declared.h)
		}
	}
	switch o.Shape {
	case AnyShape, Ellipse, Rectangle, Frameless:
	case Round:
		if declared.w != declared.h {
			return size{}, errBadSize.With("%s, %g × %g mm", o.Shape, o.Width, o.Height)
		}
	default:
		return size{}, errBadOption.At(fault.Field("shape")).With("%q", o.Shape)
	}
	switch o.Polarity {
	case AnyPolarity, Positive, Negative:
	default:
		return size{}, errBadOption.At(fault.Field("polarity")).With("%q", o.Polarity)
	}
	if _, ok := hues[o.colour()]; !ok {
		return size{}, errBadOption.At(fault.Field("colour")).With("%q", o.Colour)
	}
	if len(o.Boxes) > mostBoxes {
		return size{}, errBadOption.At(fault.Field("boxes")).With("%d", len(o.Boxes))
	}
	for _, b := range o.Boxes {
		if !(b.Width > 0 && b.Height > 0 && b.Width < 2000 && b.Height < 2000 && math.Abs(b.Left) < 2000 && math.Abs(b.Top) < 2000) {
			return size{}, errBadOption.At(fault.Field("boxes")).With("%+v", b)
		}
	}
	return declared, nil
}

func (o Options) colour() Colour {
	if o.Colour == "" {
		return Red
	}
	return o.Colour
}

// shapes are the outlines that are tried, in this order.
func (o Options) shapes(declared size) []Shape {
	switch {
	case o.Shape != AnyShape:
		return []Shape{o.Shape}
	case o.Height == 0:
		return []Shape{Round}
	case declared.w == declared.h:
		return []Shape{Round, Rectangle, Frameless}
	}
	return []Shape{Ellipse, Rectangle, Frameless}
}

// session carries one scan through the stages.
type session struct {
	img         image.Image
	scale       Scale
	orientation int
	declared    size
	options     Options
	page        int // of the file, counted from 1
	sheet       Sheet
	paperGain   float32           // of the ink's strong channel on this paper, see hue
	rectangles  []image.Rectangle // marks of the ink's hue, in pixels as stored
	searched    bool
}

// mark is a candidate and what became of it.
type mark struct {
	excerpt                 // of the scan, or what evidence kept of it
	stored  image.Rectangle // pixels as stored
	shown   image.Rectangle // pixels as displayed
	box     int             // of Options.Boxes, from 1; 0 is none
	layer   *layer
	rim     rim
	pose    pose
}

const notExamined = "其他红色印迹，未采用。"

func (s *session) run(ctx context.Context) (*Result, error) {
	var marks []*mark
	b := s.img.Bounds()
	for _, r := range s.located() {
		m := &mark{stored: r, shown: orientRectangle(r, b.Dx(), b.Dy(), s.orientation)}
		m.box = s.boxOf(m)
		marks = append(marks, m)
	}
	ordered := s.inOrderOfPromise(marks)
	for _, m := range ordered {
		m.excerpt = excerptOf(s.img, m.stored, s.scaleAsStored())
	}
	s.release()
	good, err := s.bestTwo(ctx, ordered)
	if err != nil {
		return nil, err
	}
	if len(marks) > 0 && len(good) == 0 {
		return nil, errIncomplete.New()
	} else if len(good) == 0 {
		return nil, errNoneFound.New()
	}
	return s.result(ctx, marks, good)
}

// release lets the page go: what follows takes as much memory again. The collector would wait until the heap is twice of what
// it was with a large page in it; to ask for it costs some milliseconds of the second that such a page takes.
func (s *session) release() {
	const large = 24e6 // pixels
	b := s.img.Bounds()
	s.img = nil
	if b.Dx()*b.Dy() > large {
		runtime.GC()
	}
}

// otherSize is the difference from the declared size, in millimetres, from which a mark is rather another seal on the
// page, as long as there are marks that were not looked at.
const otherSize = 2.0

// bestTwo takes marks apart, in their order, until two whole ones have about the declared size; what has another size
// is taken when there is nothing better.
func (s *session) bestTwo(ctx context.Context, ordered []*mark) ([]*mark, error) {
	var good, others []*mark
	taken := func(m *mark) bool {
		return slices.ContainsFunc(good, func(g *mark) bool { return g.box != 0 && g.box == m.box })
	}
	for len(ordered) > 0 && len(good) < 2 {
		next := ordered[:min(2-len(good), len(ordered))]
		ordered = ordered[len(next):]
		s.analyse(next)
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		for _, m := range next {
			switch {
			case !m.rim.ok || taken(m):
			case math.Abs(m.difference(s.declared).worst()) > otherSize:
				others = append(others, m)
			default:
				good = append(good, m)
			}
		}
	}
	for _, m := range others {
		if len(good) < 2 && !taken(m) {
			good = append(good, m)
		}
	}
	return good, nil
}

func (s *session) scaleAsStored() Scale {
	stored := s.scale
	if s.orientation >= 5 {
		stored.X, stored.Y = stored.Y, stored.X
	}
	return stored
}

// middle and extent of a mark in millimetres.
func (s *session) middle(m *mark) (x, y float64) {
	return float64(m.shown.Min.X+m.shown.Max.X) / 2 / s.scale.X * millimetresPerInch,
		float64(m.shown.Min.Y+m.shown.Max.Y) / 2 / s.scale.Y * millimetresPerInch
}

func (s *session) extent(m *mark) size {
	return size{float64(m.shown.Dx()) / s.scale.X * millimetresPerInch, float64(m.shown.Dy()) / s.scale.Y * millimetresPerInch}
}

// boxOf is the number of the box that holds the middle of a mark.
func (s *session) boxOf(m *mark) int {
	const stray = 3 // mm: seals are stamped over the lines
	x, y := s.sheet.onPage(s.middle(m))
	for i, b := range s.options.Boxes {
		if x > b.Left-stray && y > b.Top-stray && x < b.Left+b.Width+stray && y < b.Top+b.Height+stray {
			return i + 1
		}
	}
	return 0
}

// inOrderOfPromise puts the marks that are most likely the two boxes of the form first: in a box where boxes are
// known, of the declared size, and beside each other or, failing that, one above the other. The unit's own seal on the
// same form stands elsewhere.
func (s *session) inOrderOfPromise(marks []*mark) []*mark {
	off := func(m *mark) float64 { return s.unlikeDeclared(s.extent(m)) }
	ordered := slices.Clone(marks)
	if len(s.options.Boxes) > 0 {
		ordered = slices.DeleteFunc(ordered, func(m *mark) bool { return m.box == 0 })
	}
	slices.SortStableFunc(ordered, func(a, b *mark) int { return cmp.Compare(off(a), off(b)) })
	if len(ordered) < 3 {
		return ordered
	}
	bestCost := math.Inf(1)
	var first, second *mark
	for i, a := range ordered {
		for _, b := range ordered[i+1:] {
			ax, ay := s.middle(a)
			bx, by := s.middle(b)
			apart := math.Min(math.Abs(ay-by), 10+math.Abs(ax-bx)) // mm
			cost := 100*(off(a)+off(b)) + 50*math.Abs(s.extent(a).larger()-s.extent(b).larger())/s.declared.larger() + apart
			if a.box != 0 && a.box == b.box {
				cost += 1000
			}
			if cost < bestCost {
				bestCost, first, second = cost, a, b
			}
		}
	}
	rest := slices.DeleteFunc(ordered, func(m *mark) bool { return m == first || m == second })
	return append([]*mark{first, second}, rest...)
}

// unlikeDeclared is how far the bounds of a mark are from those of the declared seal, relative: 0 is the same. Bounds
// between those of the upright seal and those of one that is turned are as good.
func (s *session) unlikeDeclared(e size) float64 {
	d := s.declared
	if d.w == d.h && s.options.shapes(d)[0] == Round {
		return math.Abs(e.larger()/d.w - 1)
	}
	diagonal := math.Hypot(d.w, d.h)
	off := func(have, least, most float64) float64 {
		return math.Max(0, math.Max(have/most-1, 1-have/least))
	}
	lying := off(e.w, d.w*.95, math.Min(diagonal, d.w*1.2)) + off(e.h, d.h*.95, math.Min(diagonal, d.h+.35*d.w))
	upright := off(e.w, d.h*.95, diagonal) + off(e.h, d.w*.95, diagonal)
	return math.Min(lying, upright+.2)
}

// analyse takes up to two marks apart, side by side.
func (s *session) analyse(marks []*mark) {
	var all sync.WaitGroup
	for _, m := range marks {
		all.Go(func() {
			m.layer = unmix(cutOut(m.excerpt, m.stored, s.scale, s.orientation, s.ink()))
			if m.rim = m.layer.fitRim(s.options.shapes(s.declared), s.declared, s.options.Polarity); m.rim.ok {
				m.pose = m.layer.findUpright(m.rim, s.declared)
			}
		})
	}
	all.Wait()
}

// quality ranks imprints: a whole rim, enough ink, a sure angle.
func (m *mark) quality() float64 {
	return m.layer.ink - 2*m.rim.missing - .1*math.Min(m.pose.unsure, 2) - m.rim.residual
}

// difference is the measured size minus the declared one, upright.
func (m *mark) difference(declared size) size {
	return size{2*m.pose.halfW - declared.w, 2*m.pose.halfH - declared.h}
}

// worst is the side with the larger amount, with its sign.
func (s size) worst() float64 {
	if math.Abs(s.w) >= math.Abs(s.h) {
		return s.w
	}
	return s.h
}

func (s *session) result(ctx context.Context, marks, good []*mark) (*Result, error) {
	slices.SortStableFunc(good, func(a, b *mark) int { return cmp.Compare(b.quality(), a.quality()) })
	erode := s.erosion(good)
	views := s.views(good, erode)
	var agreement comparison
	used := views
	if len(views) == 2 {
		register(views[0], views[1], s.declared)
		agreement = compare(views[0], views[1], s.declared, borderOf(good[0].rim, views[0], s.declared))
		if agreement.like.outcome == Different { // registration with another seal has moved the first one for nothing
			erode = s.erosion(good[:1])
			used = s.views(good[:1], erode)
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	copies := lookForCopies(good, views, s.declared)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f := fuse(used, agreement, s.finish(good[0], erode))
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f.coverage = f.coverage.withoutHaze()
	r := &Result{Width: s.declared.w, Height: s.declared.h}
	var err error
	if r.Template, err = encode(f.picture(s.declared, templateDPI), inks[s.options.colour()], templateDPI); err != nil {
		return nil, err
	}
	if r.Picture, err = encode(f.picture(s.declared, pictureDPI), inks[s.options.colour()], pictureDPI); err != nil {
		return nil, err
	}
	r.source = s.source(good, f.origins)
	r.Measures = s.measures(good, used, agreement, f, erode)
	r.Measures.Twins, r.Measures.TwinsDifference = rounded(copies.twins.correlation, 3), rounded(copies.twins.difference, 4)
	r.Imprints = s.found(marks, good, used, agreement, copies)
	r.Gates, r.Verdict = judge(s, good, used, agreement, copies, r.Measures)
	return r, nil
}

// erosion is what must be taken off every side because the ink has crept, in millimetres.
func (s *session) erosion(good []*mark) float64 {
	total := 0.0
	for _, m := range good {
		total += m.bled(s.declared, softEdge(math.Min(s.scale.X, s.scale.Y)))
	}
	return total / float64(len(good))
}

// views looks at the imprints scaled to the declared size; where the ink has crept, the resolution of the scan is
// the true scale.
func (s *session) views(good []*mark, erode float64) []*view {
	var views []*view
	for _, m := range good {
		v := newView(m.layer, m.pose, s.declared)
		switch {
		case erode > 0:
			v.scaleX, v.scaleY = 1, 1
		case m.rim.shape == Frameless: // the sides of characters are too short to stretch the one against the other
			v.scaleX = m.inkScale(s.declared)
			v.scaleY = v.scaleX
		}
		views = append(views, v)
	}
	return views
}

// By how much the scale of a scan is usually off, and by how much it may be without anybody being to blame.
const (
	usualScaleError = .001
	mostScaleError  = .004
)

// inkScale is the scale of the scan by the ink of a seal without a frame, the same both ways: what is declared is the size of
// its ink, which is measured to half a pixel of the scan and counts by that against the resolution that the scan tells. Where the
// sides do not agree, or it is more than scans are off, the resolution alone is believed.
func (m *mark) inkScale(declared size) float64 {
	const agree = .06 // mm
	d := m.difference(declared)
	squares := square(declared.w) + square(declared.h)
	off := (d.w*declared.w + d.h*declared.h) / squares
	if math.Abs(off) > mostScaleError || math.Abs(d.w-off*declared.w) > agree || math.Abs(d.h-off*declared.h) > agree {
		return 1
	}
	pixel := 1 / math.Min(m.layer.perMMX, m.layer.perMMY)
	return 1 + off*square(usualScaleError)/(square(usualScaleError)+square(pixel/2)/squares)
}

func (s *session) finish(best *mark, erode float64) finish {
	return finish{declared: s.declared, rim: best.rim.scaled(s.declared), gain: s.gain(best), erode: erode}
}

// gain makes the blurred edges of the scan as steep as those of a drawing: from 10 to 90 per cent within .8 pixel of
// the template. Where an edge lies, at one half, does not change.
func (s *session) gain(best *mark) float64 {
	const sharp = .8 * millimetresPerInch / templateDPI
	return clamp(best.rim.edgeWidth/sharp, 1.2, 4)
}
