package imprint

import (
	"cmp"
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
	// Mismatch is the area of strokes that one of them shows there and the other one lacks, in square millimetres; First
	// and Second are what only the one and the other one shows in the 5 mm around.
	Mismatch float64 `json:"mismatchMM2"`
	First    float64 `json:"firstOnlyMM2"`
	Second   float64 `json:"secondOnlyMM2"`
}

// Limits, measured on drawn pairs: see TestLookAlikesAreNeverTheSame and docs/imprint.md.
const (
	likeWindow   = 2.0 // mm: side of the window in which lacking strokes are added up
	likeSurround = 5.0 // mm: side of the square by which a place is registered anew
	likeShift    = 3   // pixels at workDPI, .25 mm: how far a place may have crept
	likeLook     = .03 // mm² of ink that either lacks in a window: less is not looked at more closely
	likeSame     = .10 // mm² of strokes that either lacks at a place, at most
	likeEach     = .03 // mm² that each lacks at one place, at most: gaps seldom meet
	likeBoth     = .15 // mm² that each lacks at one place, more, and the further beyond it the more is lacking all over the seal:
	likeNoise    = 2.5 // times the square root of the median window's mm²,
	likeSpread   = 12  // and times these mm²: twice what they are in the square around a place
	likeLost     = .5  // mm² in the median window, more: the two lie nowhere on each other, and nothing can be told
	likeInk      = .5  // coverage that counts as ink
	likeSomeInk  = .4  // coverage that is enough for the other one's ink to have a counterpart
	likeClean    = .2  // coverage below which paper is clean: ink that did not take leaves some
	mostPlaces   = 24
)

// kinship says how two pictures of ink on one canvas agree.
type kinship struct {
	outcome  Outcome
	mismatch float64 // mm² at the worst place
	noise    float64 // mm² in the median window
	places   []Place // worst first
}

// inked is ink on a canvas at workDPI and how well it was seen.
type inked struct{ alpha, trust *plane }

// liken holds two registered pictures against each other. Neither correlation nor a share of all strokes tells one
// seal from another with a character replaced: 己 and 已 differ by a few tenths of a square millimetre. What tells are
// strokes in a small window that one of them has and the other lacks beyond the pixels next to its own. Where there is
// ink to look at, the place is first registered anew: rubber and paper give by a tenth of a millimetre or two.
//
// Ink that did not take makes such differences, too. They are taken for strokes as far as they look like them: the other
// one has clean paper there and not weaker ink, and what is lacking has an outline of its own, whereas a hole lies
// within a stroke of which the rest has printed. On a seal whose ground prints, holes are what strokes are: there they are
// enough not to be sure, and never enough to see another seal.
//
// ignored marks pixels that say nothing about which seal it is, such as the border; it may be nil.
func liken(a, b inked, negative bool, ignored []bool) kinship {
	l := newMatching(a, b)
	l.negative = negative
	radius := int(math.Round(likeWindow * likePerMM / 2))
	side := 2*radius + 1
	scale := float64(side*side) / (likePerMM * likePerMM)
	result := kinship{outcome: Same, noise: l.noise(radius, scale)}
	for i, skip := range ignored {
		if skip {
			l.inkA[i], l.inkB[i] = false, false
		}
	}
	sums := boxed(l.lacking(), radius)
	for range mostPlaces {
		at, most := 0, float32(0)
		for i, v := range sums.v {
			if v > most {
				at, most = i, v
			}
		}
		if float64(most)*scale <= likeLook {
			break
		}
		x, y := at%l.w, at/l.w
		p := l.settled(image.Rect(x-radius, y-radius, x+radius+1, y+radius+1).Intersect(l.bounds()))
		result.mismatch = math.Max(result.mismatch, p.Mismatch)
		if p.unlike() {
			result.places = append(result.places, p)
		}
		for yy := max(0, y-radius); yy < min(l.h, y+radius+1); yy++ { // what touches this window is told
			row := sums.row(yy)
			clear(row[max(0, x-radius):min(l.w, x+radius+1)])
		}
	}
	if len(result.places) > 0 {
		result.outcome = CannotTell
	}
	least := likeBoth + likeNoise*math.Sqrt(result.noise) + likeSpread*result.noise
	if result.noise < likeLost && slices.ContainsFunc(result.places, func(p Place) bool { return math.Min(p.First, p.Second) > least }) {
		result.outcome = Different
	}
	result.places = joined(result.places)
	slices.SortStableFunc(result.places, func(p, q Place) int { return cmp.Compare(q.Mismatch, p.Mismatch) })
	return result
}

// unlike says that more is lacking than a good imprint lets miss.
func (p Place) unlike() bool { return p.Mismatch > likeSame || math.Min(p.First, p.Second) > likeEach }

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

// likePerMM are the pixels per millimetre of what is held against each other.
const likePerMM = workDPI / millimetresPerInch

// matching is what liken works on.
type matching struct {
	w, h         int
	a, b         *plane
	inkA, inkB   []bool // ink that was seen in both
	nearA, nearB []bool // within a pixel of ink
	negative     bool
}

func (l *matching) bounds() image.Rectangle { return image.Rect(0, 0, l.w, l.h) }

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

// lacking is the ink that either lacks.
func (l *matching) lacking() *plane {
	result := newPlane(l.w, l.h)
	l.eachLacking(0, 0, l.bounds(), func(x, y int, first, second float32) { result.row(y)[x] = max(first, second) })
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

// settled is what is lacking in a window once its surroundings are where they agree best.
func (l *matching) settled(window image.Rectangle) Place {
	grow := int(math.Round((likeSurround - likeWindow) / 2 * likePerMM))
	around := window.Inset(-grow).Intersect(l.bounds())
	p := l.strokes(0, 0, window, around)
	if !p.unlike() {
		return p
	}
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
	if bestX == 0 && bestY == 0 {
		return p
	}
	return l.strokes(bestX, bestY, window, around)
}

// strokes is what either lacks of the strokes that touch a window, b read displaced by a few pixels.
func (l *matching) strokes(dx, dy int, window, around image.Rectangle) Place {
	first, second := newPlane(around.Dx(), around.Dy()), newPlane(around.Dx(), around.Dy())
	const some = .3 // difference of coverage that belongs to what is lacking
	l.eachLacking(dx, dy, around, func(x, y int, a, b float32) {
		if a > some {
			first.row(y - around.Min.Y)[x-around.Min.X] = 1
		}
		if b > some {
			second.row(y - around.Min.Y)[x-around.Min.X] = 1
		}
	})
	here := func(p *plane, dx, dy int) func(x, y int) float32 {
		return func(x, y int) float32 {
			if x += dx; x < 0 || x >= p.w || y+dy < 0 || y+dy >= p.h {
				return 0
			}
			return p.v[(y+dy)*p.w+x]
		}
	}
	a, b := here(l.a, 0, 0), here(l.b, dx, dy)
	hereA, areaA, boxA := l.strokesOf(first, around, window, a, b)
	hereB, areaB, boxB := l.strokesOf(second, around, window, b, a)
	box := boxA.Union(boxB)
	return Place{Left: rounded(float64(box.Min.X)/likePerMM, 2), Top: rounded(float64(box.Min.Y)/likePerMM, 2),
		Right: rounded(float64(box.Max.X)/likePerMM, 2), Bottom: rounded(float64(box.Max.Y)/likePerMM, 2),
		Mismatch: rounded(hereA+hereB, 3), First: rounded(areaA, 3), Second: rounded(areaB, 3)}
}

// strokesOf is the area, in mm², of the parts of a mask that look like strokes that the one has and the other lacks, and of
// those of them that touch a window, with their bounds: as far as the other one's paper is clean, and in full where half of the outline is that of the one's own
// strokes, less where the other one's ink goes on around it.
func (l *matching) strokesOf(mask *plane, around, window image.Rectangle, one, other func(x, y int) float32) (here, area float64, box image.Rectangle) {
	neighbours := [4]image.Point{{X: 1}, {X: -1}, {Y: 1}, {Y: -1}}
	eachSpot(mask, .5, func(pixels []int) {
		var touches bool
		var part image.Rectangle
		clean, outline, cut := 0, 0, 0
		for _, i := range pixels {
			at := around.Min.Add(image.Pt(i%mask.w, i/mask.w))
			touches = touches || at.In(window)
			part = part.Union(image.Rectangle{Min: at, Max: at.Add(image.Pt(1, 1))})
			if other(at.X, at.Y) < likeClean {
				clean++
			}
			for _, d := range neighbours {
				to := at.Add(d)
				switch in := to.Sub(around.Min); {
				case one(to.X, to.Y) < likeInk:
					outline++
				case to.In(around) && mask.row(in.Y)[in.X] == 0:
					cut++
				}
			}
		}
		share := 1.0
		if outline+cut > 0 {
			share = math.Min(1, 2*float64(outline)/float64(outline+cut))
		}
		looks := share * float64(clean) / (likePerMM * likePerMM)
		area += looks
		if l.negative {
			looks = float64(clean) / (likePerMM * likePerMM)
		}
		if touches && looks > 0 {
			here += looks
			box = box.Union(part)
		}
	})
	return here, area, box
}

// noise is what the median window of the whole seal lacks, border included, in mm²: pinholes and patches that did not
// print are spread over all of it, characters that were replaced are not.
func (l *matching) noise(radius int, scale float64) float64 {
	sums := boxed(l.lacking(), radius)
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
