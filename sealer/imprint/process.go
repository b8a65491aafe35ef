package imprint

import (
	"cmp"
	"context"
	"image"
	"math"
	"slices"
	"sync"
)

// Process makes the template of a round seal from the scan of a stamped form, or from a crop of one, in JPEG or PNG.
//
// Errors are faults: imprint.not-an-image, imprint.truncated, imprint.too-large, imprint.bad-size, imprint.bad-scale,
// imprint.not-round, imprint.no-scale, imprint.scale-contradicts, imprint.no-colour, imprint.none-found, imprint.incomplete. An imprint
// that was found and is not good enough is no error: Result.Verdict and Result.Gates say so. A context that ends is
// noticed between the stages.
func Process(ctx context.Context, data []byte, o Options) (*Result, error) {
	if !(o.Width >= leastMM && o.Width <= greatestMM) {
		return nil, errBadSize.With("%g mm", o.Width)
	}
	if o.Height != 0 {
		return nil, errNotRound.With("%g × %g mm", o.Width, o.Height)
	}
	m, ok := readMetadata(data)
	if !ok {
		return nil, errNotAnImage.New()
	}
	scale, err := readScale(m, o)
	if err != nil {
		return nil, err
	}
	img, err := decode(data, m)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s := &session{img: img, scale: scale, orientation: m.orientation, declared: o.Width}
	return s.run(ctx)
}

// session carries one scan through the stages.
type session struct {
	img         image.Image
	scale       Scale
	orientation int
	declared    float64
}

// mark is a candidate and what became of it.
type mark struct {
	stored image.Rectangle // pixels as stored
	shown  image.Rectangle // pixels as displayed
	layer  *layer
	circle circle
	pose   pose
}

const notExamined = "其他红色印迹，未采用。"

func (s *session) run(ctx context.Context) (*Result, error) {
	var marks []*mark
	b := s.img.Bounds()
	for _, r := range locate(s.img, s.scaleAsStored()) {
		marks = append(marks, &mark{stored: r, shown: orientRectangle(r, b.Dx(), b.Dy(), s.orientation)})
	}
	ordered := s.inOrderOfPromise(marks)
	var good []*mark
	for len(ordered) > 0 && len(good) < 2 {
		next := ordered[:min(2-len(good), len(ordered))]
		ordered = ordered[len(next):]
		s.analyse(next)
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		for _, m := range next {
			if m.circle.ok {
				good = append(good, m)
			}
		}
	}
	if len(marks) > 0 && len(good) == 0 {
		return nil, errIncomplete.New()
	} else if len(good) == 0 {
		return nil, errNoneFound.New()
	}
	return s.result(ctx, marks, good)
}

func (s *session) scaleAsStored() Scale {
	stored := s.scale
	if s.orientation >= 5 {
		stored.X, stored.Y = stored.Y, stored.X
	}
	return stored
}

// inOrderOfPromise puts the marks that are most likely the two boxes of the form first: of the declared size, and
// beside each other or, failing that, one above the other. The unit's own seal on the same form stands elsewhere.
func (s *session) inOrderOfPromise(marks []*mark) []*mark {
	size := func(m *mark) float64 {
		w := float64(m.shown.Dx()) / s.scale.X * millimetresPerInch
		h := float64(m.shown.Dy()) / s.scale.Y * millimetresPerInch
		return math.Max(w, h)
	}
	off := func(m *mark) float64 { return math.Abs(size(m)/s.declared - 1) }
	ordered := slices.Clone(marks)
	slices.SortStableFunc(ordered, func(a, b *mark) int { return cmp.Compare(off(a), off(b)) })
	if len(ordered) < 3 {
		return ordered
	}
	middle := func(m *mark) (x, y float64) {
		return float64(m.shown.Min.X+m.shown.Max.X) / 2 / s.scale.X * millimetresPerInch,
			float64(m.shown.Min.Y+m.shown.Max.Y) / 2 / s.scale.Y * millimetresPerInch
	}
	bestCost := math.Inf(1)
	var first, second *mark
	for i, a := range ordered {
		for _, b := range ordered[i+1:] {
			ax, ay := middle(a)
			bx, by := middle(b)
			apart := math.Min(math.Abs(ay-by), 10+math.Abs(ax-bx)) // mm
			cost := 100*(off(a)+off(b)) + 50*math.Abs(size(a)-size(b))/s.declared + apart
			if cost < bestCost {
				bestCost, first, second = cost, a, b
			}
		}
	}
	rest := slices.DeleteFunc(ordered, func(m *mark) bool { return m == first || m == second })
	return append([]*mark{first, second}, rest...)
}

// analyse takes up to two marks apart, side by side.
func (s *session) analyse(marks []*mark) {
	var all sync.WaitGroup
	for _, m := range marks {
		all.Go(func() {
			m.layer = unmix(cutOut(s.img, m.stored, s.scale, s.orientation))
			if m.circle = m.layer.fitCircle(); m.circle.ok {
				m.pose = m.layer.findUpright(m.circle)
			}
		})
	}
	all.Wait()
}

// quality ranks imprints: a whole ring, enough ink, a sure angle.
func (m *mark) quality() float64 {
	return m.layer.ink - 2*m.circle.missing - .1*math.Min(m.pose.unsure, 2) - m.circle.residual
}

func (s *session) result(ctx context.Context, marks, good []*mark) (*Result, error) {
	slices.SortStableFunc(good, func(a, b *mark) int { return cmp.Compare(b.quality(), a.quality()) })
	erode := s.erosion(good)
	views := s.views(good, erode)
	var agreement comparison
	used := views
	if len(views) == 2 {
		register(views[0], views[1], s.declared)
		agreement = compare(views[0], views[1], s.declared, borderOf(good[0], views[0], s.declared))
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
	f := fuse(used, agreement, finish{declared: s.declared, gain: s.gain(good[0]), smooth: s.smoothing(), erode: erode})
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	r := &Result{Width: s.declared, Height: s.declared}
	var err error
	if r.Template, err = encode(f.picture(s.declared, templateDPI), templateDPI); err != nil {
		return nil, err
	}
	if r.Picture, err = encode(f.picture(s.declared, pictureDPI), pictureDPI); err != nil {
		return nil, err
	}
	r.Measures = s.measures(good, used, agreement, f, erode)
	r.Measures.Twins = rounded(copies.twins, 3)
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
		if erode > 0 {
			v.scale = 1
		}
		views = append(views, v)
	}
	return views
}

// gain makes the blurred edges of the scan as steep as those of a drawing: from 10 to 90 per cent within .8 pixel of
// the template. Where an edge lies, at one half, does not change.
func (s *session) gain(best *mark) float64 {
	const sharp = .8 * millimetresPerInch / templateDPI
	return clamp(best.circle.edgeWidth/sharp, 1.2, 4)
}

// smoothing is the deviation in pixels of the template by which the fused ink is smoothed: scans as fine as the
// template carry the fibres of the paper into the edge, coarser ones have been smoothed by their own pixels.
func (s *session) smoothing() float64 {
	if math.Min(s.scale.X, s.scale.Y) >= 450 {
		return .6
	}
	return 0
}

func (s *session) measures(good []*mark, used []*view, c comparison, f fused, eroded float64) Measures {
	best := good[0]
	m := Measures{
		Scale: s.scale, Diameter: rounded(2*best.circle.radius, 3), Fused: len(used),
		Angle: rounded(used[0].pose.angle, 3), Match: rounded(c.match, 4), Outcome: c.like.outcome, Mismatch: rounded(c.like.mismatch, 3), Places: c.like.places,
		Eroded: rounded(eroded, 3), BridgedArea: rounded(f.bridged, 3), CompletedArea: rounded(f.completed, 3), Filled: f.filled,
	}
	m.SizeDifference = rounded(2*best.circle.radius-s.declared, 3)
	m.InkArea = rounded(sum(f.coverage)/square(templateDPI/millimetresPerInch), 2)
	m.MissingStrokes = rounded(f.missing(best, used[0], s.declared, eroded), 4)
	return m
}

// found describes every mark, in reading order.
func (s *session) found(marks, good []*mark, used []*view, c comparison, copies signs) []Found {
	var all []Found
	for _, m := range marks {
		f := Found{Left: m.shown.Min.X, Top: m.shown.Min.Y, Right: m.shown.Max.X, Bottom: m.shown.Max.Y,
			X:         rounded(float64(m.shown.Min.X+m.shown.Max.X)/2/s.scale.X*millimetresPerInch, 2),
			Y:         rounded(float64(m.shown.Min.Y+m.shown.Max.Y)/2/s.scale.Y*millimetresPerInch, 2),
			AngleFrom: "none", Reason: notExamined}
		if m.layer != nil {
			f.Ink = rounded(m.layer.ink, 3)
			f.Reason = "不是完整的圆形印模，未采用。"
		}
		if rank := slices.Index(good, m); rank >= 0 {
			m.describe(&f)
			t := copies.textures[rank]
			f.Grain, f.Screen, f.ScreenLPI = rounded(t.grain, 4), rounded(t.screen, 2), rounded(t.lpi, 0)
			if len(used) == 2 {
				f.Missing = rounded([]float64{c.missingA, c.missingB}[rank], 4)
			}
			f.Used, f.Reason = rank < len(used), ""
			if !f.Used {
				f.Reason = "与另一处印模不一致，未采用。"
			}
		}
		all = append(all, f)
	}
	slices.SortStableFunc(all, func(a, b Found) int {
		if a.Top < b.Bottom && b.Top < a.Bottom { // in one row
			return cmp.Compare(a.Left, b.Left)
		}
		return cmp.Compare(a.Top, b.Top)
	})
	return all
}

func (m *mark) describe(f *Found) {
	c := m.circle
	f.X, f.Y = rounded(m.layer.left+c.x, 3), rounded(m.layer.top+c.y, 3)
	f.Diameter, f.Residual = rounded(2*c.radius, 3), rounded(c.residual, 4)
	f.Angle, f.AngleFrom = rounded(m.pose.angle, 3), m.pose.from
	f.EdgeWidth, f.Border = rounded(c.edgeWidth, 3), rounded(c.border, 3)
	f.EdgeGap, f.EdgeMissing = rounded(c.gap, 1), rounded(c.missing, 4)
	f.Hidden = rounded(m.layer.hidden(c), 2)
}

// borderOf marks the ring on the canvas at workDPI. It is the same on most seals, so that a gap in it says nothing about
// which seal it is; the edge has a gate of its own.
func borderOf(m *mark, v *view, declared float64) []bool {
	const perMM = workDPI / millimetresPerInch
	size := int(math.Round(declared * perMM))
	inner := m.circle.radius/v.scale - m.circle.border/v.scale - .3
	ring := make([]bool, size*size)
	for i := range ring {
		x, y := float64(i%size)+.5-float64(size)/2, float64(i/size)+.5-float64(size)/2
		ring[i] = math.Hypot(x, y)/perMM > inner
	}
	return ring
}

// hidden is the area inside the circle that print covers, in mm².
func (l *layer) hidden(c circle) float64 {
	count := 0
	for y := range l.trust.h {
		for x, t := range l.trust.row(y) {
			if t < .5 && square((float64(x)+.5)/l.perMMX-c.x)+square((float64(y)+.5)/l.perMMY-c.y) < square(c.radius) {
				count++
			}
		}
	}
	return float64(count) / (l.perMMX * l.perMMY)
}
