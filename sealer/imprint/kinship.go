package imprint

import (
	"image"
	"math"
	"slices"
)

// Outcome is the answer to the question whether two imprints are of one seal.
type Outcome string

const (
	// Same: every stroke of each was found in the other one, as far as it could be seen.
	Same Outcome = "same"
	// Different: each has strokes, in one place, that the other one, otherwise well printed, does not have.
	Different Outcome = "different"
	// CannotTell: strokes are lacking, but gaps may be the reason: the imprints are poor, or only one of them lacks some.
	CannotTell Outcome = "cannot-tell"
)

// Place is a part of a template where two imprints disagree, in millimetres from its left and upper edge.
type Place struct {
	Left   float64 `json:"leftMM"`
	Top    float64 `json:"topMM"`
	Right  float64 `json:"rightMM"`
	Bottom float64 `json:"bottomMM"`
	// Mismatch is the ink that one of them shows there and the other one lacks, in square millimetres; First and Second
	// are its parts that only the one and the other one shows, in the 5 mm around.
	Mismatch float64 `json:"mismatchMM2"`
	First    float64 `json:"firstOnlyMM2"`
	Second   float64 `json:"secondOnlyMM2"`
}

// Limits, measured on synthetic pairs: see TestSealsAreToldApart.
const (
	likeWindow    = 2.0 // mm: side of the window in which lacking ink is added up
	likeSurround  = 5.0 // mm: side of the square by which a place is registered anew
	likeShift     = 3   // pixels at workDPI, .25 mm: how far a place may have crept
	likeSame      = .09 // mm² of lacking ink in a window, at most
	likeDifferent = .25 // mm², more, and the further beyond it the more is lacking all over the seal:
	likeNoise     = 2.5 // times the square root of the median window's mm²
	likeBoth      = .05 // mm² that each lacks around a place
	likeInk       = .5  // coverage that counts as ink
	likeSomeInk   = .4  // coverage that is enough for the other one's ink to have a counterpart
	mostPlaces    = 24
)

// kinship says how two pictures of ink on one canvas agree.
type kinship struct {
	outcome  Outcome
	mismatch float64 // mm² in the worst window
	noise    float64 // mm² in the median window
	places   []Place // worst first
}

// inked is ink on a canvas at workDPI and how well it was seen.
type inked struct{ alpha, trust *plane }

// liken holds two registered pictures against each other. Neither correlation nor a share of all strokes tells one
// seal from another with a character replaced: 己 and 已 differ by a tenth of a square millimetre. What tells is the ink
// in a small window that one of them has and the other lacks beyond the pixels next to its own strokes, however little
// it is of the whole. Where there is much, the place is first registered anew: rubber and paper give by a tenth of a
// millimetre or two. ignored marks pixels that say nothing about which seal it is, such as the border; it may be nil.
func liken(a, b inked, ignored []bool) kinship {
	const perMM = workDPI / millimetresPerInch
	l := newMatching(a, b)
	radius := int(math.Round(likeWindow * perMM / 2))
	side := 2*radius + 1
	whole := image.Rect(0, 0, l.w, l.h)
	scale := float64(side*side) / (perMM * perMM)
	result := kinship{outcome: Same, noise: l.noise(radius, scale)}
	for i, skip := range ignored {
		if skip {
			l.inkA[i], l.inkB[i] = false, false
		}
	}
	sums := boxed(l.lacking(0, 0, whole), radius)
	for len(result.places) < mostPlaces {
		at, most := 0, float32(0)
		for i, v := range sums.v {
			if v > most {
				at, most = i, v
			}
		}
		if float64(most)*scale <= likeSame {
			result.mismatch = math.Max(result.mismatch, float64(most)*scale)
			break
		}
		x, y := at%l.w, at/l.w
		window := image.Rect(x-radius, y-radius, x+radius+1, y+radius+1).Intersect(whole)
		lacking, first, second := l.settled(window)
		mismatch := sum(lacking) / (perMM * perMM)
		result.mismatch = math.Max(result.mismatch, mismatch)
		if mismatch > likeSame {
			p := placeOf(lacking, window, perMM, mismatch)
			p.First, p.Second = rounded(first/(perMM*perMM), 3), rounded(second/(perMM*perMM), 3)
			result.places = append(result.places, p)
		}
		for yy := max(0, y-radius); yy < min(l.h, y+radius+1); yy++ { // what touches this window is told
			row := sums.row(yy)
			clear(row[max(0, x-radius):min(l.w, x+radius+1)])
		}
	}
	if result.mismatch > likeSame {
		result.outcome = CannotTell
	}
	least := likeDifferent + likeNoise*math.Sqrt(result.noise)
	if slices.ContainsFunc(result.places, func(p Place) bool { return p.Mismatch > least && math.Min(p.First, p.Second) > likeBoth }) {
		result.outcome = Different
	}
	result.places = joined(result.places)
	slices.SortStableFunc(result.places, func(p, q Place) int {
		if p.Mismatch > q.Mismatch {
			return -1
		}
		return 1
	})
	return result
}

// joined makes one place of those that touch: a character differs in many windows.
func joined(places []Place) []Place {
	const near = .5 // mm
	for i := 0; i < len(places); i++ {
		for j := i + 1; j < len(places); j++ {
			p, q := &places[i], places[j]
			if q.Left > p.Right+near || p.Left > q.Right+near || q.Top > p.Bottom+near || p.Top > q.Bottom+near {
				continue
			}
			*p = Place{math.Min(p.Left, q.Left), math.Min(p.Top, q.Top), math.Max(p.Right, q.Right), math.Max(p.Bottom, q.Bottom),
				math.Max(p.Mismatch, q.Mismatch), math.Max(p.First, q.First), math.Max(p.Second, q.Second)}
			places = slices.Delete(places, j, j+1)
			i = -1 // the larger one may touch others
			break
		}
	}
	return places
}

func placeOf(lacking *plane, window image.Rectangle, perMM, mismatch float64) Place {
	var box image.Rectangle
	for i, v := range lacking.v {
		if v > 0 {
			x, y := window.Min.X+i%lacking.w, window.Min.Y+i/lacking.w
			box = box.Union(image.Rect(x, y, x+1, y+1))
		}
	}
	return Place{Left: rounded(float64(box.Min.X)/perMM, 2), Top: rounded(float64(box.Min.Y)/perMM, 2),
		Right: rounded(float64(box.Max.X)/perMM, 2), Bottom: rounded(float64(box.Max.Y)/perMM, 2), Mismatch: rounded(mismatch, 3)}
}

// matching is what liken works on.
type matching struct {
	w, h         int
	a, b         *plane
	inkA, inkB   []bool // ink that was seen in both
	nearA, nearB []bool // within a pixel of ink
}

func newMatching(a, b inked) *matching {
	l := &matching{w: a.alpha.w, h: a.alpha.h, a: a.alpha, b: b.alpha}
	n := l.w * l.h
	some := make([]bool, n)
	near := func(p *plane) []bool {
		for i, v := range p.v {
			some[i] = v >= likeSomeInk
		}
		return dilated(some, l.w, l.h, 1)
	}
	l.nearA, l.nearB = near(a.alpha), near(b.alpha)
	// Around print the separation of ink leaves a rim.
	for i := range some {
		some[i] = a.trust.v[i] < .9 || b.trust.v[i] < .9
	}
	unseen := dilated(some, l.w, l.h, 2)
	l.inkA, l.inkB = make([]bool, n), make([]bool, n)
	for i := range n {
		l.inkA[i], l.inkB[i] = !unseen[i] && a.alpha.v[i] >= likeInk, !unseen[i] && b.alpha.v[i] >= likeInk
	}
	return l
}

// lacking is the ink in an area that either lacks, b read displaced by a few pixels.
func (l *matching) lacking(dx, dy int, area image.Rectangle) *plane {
	result := newPlane(area.Dx(), area.Dy())
	l.eachLacking(dx, dy, area, func(x, y int, first, second float32) {
		result.row(y - area.Min.Y)[x-area.Min.X] = max(first, second)
	})
	return result
}

// eachLacking gives every pixel of an area in which one shows ink that the other one lacks, and how much.
func (l *matching) eachLacking(dx, dy int, area image.Rectangle, do func(x, y int, first, second float32)) {
	for y := max(area.Min.Y, -dy); y < min(area.Max.Y, l.h-dy); y++ {
		for x := max(area.Min.X, -dx); x < min(area.Max.X, l.w-dx); x++ {
			i, j := y*l.w+x, (y+dy)*l.w+x+dx
			var first, second float32
			if l.inkA[i] && !l.nearB[j] {
				first = max(0, min(l.a.v[i], 1)-l.b.v[j])
			}
			if l.inkB[j] && !l.nearA[i] {
				second = max(0, min(l.b.v[j], 1)-l.a.v[i])
			}
			if first > 0 || second > 0 {
				do(x, y, first, second)
			}
		}
	}
}

// settled is what is lacking in a window once its surroundings are where they agree best, and how much in those only the
// first and only the second shows, in pixels.
func (l *matching) settled(window image.Rectangle) (lacking *plane, first, second float64) {
	grow := int(math.Round((likeSurround - likeWindow) / 2 * workDPI / millimetresPerInch))
	around := window.Inset(-grow).Intersect(image.Rect(0, 0, l.w, l.h))
	best, bestX, bestY := math.Inf(1), 0, 0
	for dy := -likeShift; dy <= likeShift; dy++ {
		for dx := -likeShift; dx <= likeShift; dx++ {
			// The window itself has no say: another character would look for the place where it fits best. Where
			// several do equally well, the smallest displacement is the likeliest.
			cost := .3 * math.Hypot(float64(dx), float64(dy))
			l.eachLacking(dx, dy, around, func(x, y int, first, second float32) {
				if !(image.Point{X: x, Y: y}).In(window) {
					cost += float64(max(first, second))
				}
			})
			if cost < best {
				best, bestX, bestY = cost, dx, dy
			}
		}
	}
	l.eachLacking(bestX, bestY, around, func(_, _ int, a, b float32) {
		first, second = first+float64(a), second+float64(b)
	})
	return l.lacking(bestX, bestY, window), first, second
}

// noise is what the median window of the whole seal lacks, border included, in mm²: pinholes and patches that did not
// print are spread over all of it, characters that were replaced are not.
func (l *matching) noise(radius int, scale float64) float64 {
	sums := boxed(l.lacking(0, 0, image.Rect(0, 0, l.w, l.h)), radius)
	inked := newPlane(l.w, l.h)
	for i := range inked.v {
		if l.inkA[i] || l.inkB[i] {
			inked.v[i] = 1
		}
	}
	shares := boxed(inked, radius)
	var windows []float64
	for y := radius; y < l.h; y += 2*radius + 1 {
		for x := radius; x < l.w; x += 2*radius + 1 {
			if shares.row(y)[x] > .1 {
				windows = append(windows, float64(sums.row(y)[x])*scale)
			}
		}
	}
	if len(windows) == 0 {
		return 0
	}
	slices.Sort(windows)
	return math.Max(0, windows[len(windows)/2])
}

// boxed is the mean over squares of 2·radius+1 pixels around every pixel.
func boxed(p *plane, radius int) *plane {
	across := newPlane(p.w, p.h)
	for y := range p.h {
		boxFilter(across.row(y), p.row(y), radius)
	}
	if radius == 0 {
		return across
	}
	result := newPlane(p.w, p.h)
	across.boxedColumns(result, make([]float32, p.w), radius)
	return result
}
