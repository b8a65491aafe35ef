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
	// Different: there are strokes in one that the other one, otherwise well printed, does not have.
	Different Outcome = "different"
	// CannotTell: strokes are lacking, but the imprints are so poor that gaps may be the reason.
	CannotTell Outcome = "cannot-tell"
)

// Place is a part of a template where two imprints disagree, in millimetres from its left and upper edge.
type Place struct {
	Left   float64 `json:"leftMM"`
	Top    float64 `json:"topMM"`
	Right  float64 `json:"rightMM"`
	Bottom float64 `json:"bottomMM"`
	// Mismatch is the ink that one of them shows there and the other one lacks, in square millimetres.
	Mismatch float64 `json:"mismatchMM2"`
}

// Limits, measured on synthetic pairs: see TestSealsAreToldApart.
const (
	likeWindow    = 2.0 // mm: side of the window in which lacking ink is added up
	likeSurround  = 5.0 // mm: side of the square by which a place is registered anew
	likeShift     = 3   // pixels at workDPI, .25 mm: how far a place may have crept
	likeSame      = .09 // mm² of lacking ink in a window, at most
	likeDifferent = .25 // mm², more, and the further beyond it the more is lacking all over the seal:
	likeNoise     = 2.5 // times the square root of the median window's mm²
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
		lacking := l.settled(window)
		mismatch := sum(lacking) / (perMM * perMM)
		result.mismatch = math.Max(result.mismatch, mismatch)
		if mismatch > likeSame {
			result.places = append(result.places, placeOf(lacking, window, perMM, mismatch))
		}
		for yy := max(0, y-radius); yy < min(l.h, y+radius+1); yy++ { // what touches this window is told
			row := sums.row(yy)
			clear(row[max(0, x-radius):min(l.w, x+radius+1)])
		}
	}
	slices.SortStableFunc(result.places, func(p, q Place) int {
		if p.Mismatch > q.Mismatch {
			return -1
		}
		return 1
	})
	switch {
	case result.mismatch > likeDifferent+likeNoise*math.Sqrt(result.noise):
		result.outcome = Different
	case result.mismatch > likeSame:
		result.outcome = CannotTell
	}
	return result
}

func placeOf(lacking *plane, window image.Rectangle, perMM, mismatch float64) Place {
	var box image.Rectangle
	for i, v := range lacking.v {
		if v > 0 {
			x, y := window.Min.X+i%lacking.w, window.Min.Y+i/lacking.w
			box = box.Union(image.Rect(x, y, x+1, y+1))
		}
	}
	return Place{rounded(float64(box.Min.X)/perMM, 2), rounded(float64(box.Min.Y)/perMM, 2),
		rounded(float64(box.Max.X)/perMM, 2), rounded(float64(box.Max.Y)/perMM, 2), rounded(mismatch, 3)}
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
	for y := area.Min.Y; y < area.Max.Y; y++ {
		if y+dy < 0 || y+dy >= l.h {
			continue
		}
		row := result.row(y - area.Min.Y)
		for x := area.Min.X; x < area.Max.X; x++ {
			if x+dx < 0 || x+dx >= l.w {
				continue
			}
			i, j := y*l.w+x, (y+dy)*l.w+x+dx
			if l.inkA[i] && !l.nearB[j] {
				row[x-area.Min.X] = max(0, min(l.a.v[i], 1)-l.b.v[j])
			}
			if l.inkB[j] && !l.nearA[i] {
				row[x-area.Min.X] = max(row[x-area.Min.X], min(l.b.v[j], 1)-l.a.v[i])
			}
		}
	}
	return result
}

// settled is what is lacking in a window once its surroundings are where they agree best.
func (l *matching) settled(window image.Rectangle) *plane {
	grow := int(math.Round((likeSurround - likeWindow) / 2 * workDPI / millimetresPerInch))
	around := window.Inset(-grow).Intersect(image.Rect(0, 0, l.w, l.h))
	best, bestX, bestY := math.Inf(1), 0, 0
	for dy := -likeShift; dy <= likeShift; dy++ {
		for dx := -likeShift; dx <= likeShift; dx++ {
			// The window itself has no say: another character would look for the place where it fits best. Where
			// several do equally well, the smallest displacement is the likeliest.
			cost := sum(l.lacking(dx, dy, around)) - sum(l.lacking(dx, dy, window)) + .3*math.Hypot(float64(dx), float64(dy))
			if cost < best {
				best, bestX, bestY = cost, dx, dy
			}
		}
	}
	return l.lacking(bestX, bestY, window)
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
	return across.boxedColumns(make([]float32, p.w), radius)
}
