package imprint

import "math"

// comparison says how two registered imprints agree.
type comparison struct {
	match    float64 // share of the strokes of both that the other one has within strokeTolerance
	missingA float64 // share of b's strokes that a lacks
	missingB float64
	like     kinship
	// completeA and completeB say, on a canvas at workDPI, how much of the ink around a place each imprint shows.
	completeA, completeB *plane
}

const (
	strokeTolerance = .15 // mm
	completeSigma   = .8  // mm
)

// compare holds two registered views against each other. border marks the pixels of the canvas that say nothing about
// which seal it is.
func compare(a, b *view, declared size, border []bool) comparison {
	perMM := workDPI / millimetresPerInch
	ca, cb := a.onCanvas(a.alpha, declared, perMM), b.onCanvas(b.alpha, declared, perMM)
	ta, tb := a.onCanvas(a.trust, declared, perMM), b.onCanvas(b.trust, declared, perMM)
	onlyA, inkA := lacking(ca, cb, tb, perMM)
	onlyB, inkB := lacking(cb, ca, ta, perMM)

	result := comparison{like: kinship{outcome: CannotTell}}
	if inkA == 0 || inkB == 0 {
		return result
	}
	result.missingA, result.missingB = float64(onlyB)/float64(inkB), float64(onlyA)/float64(inkA)
	result.match = 1 - float64(onlyA+onlyB)/float64(inkA+inkB)
	result.like = liken(inked{ca, ta}, inked{cb, tb}, a.negative, border)
	result.completeA, result.completeB = completeness(ca, cb, perMM)
	return result
}

// lacking counts the pixels of a's ink, and those of them that lie further than strokeTolerance from any ink of b where
// b can be seen.
func lacking(a, b, trustB *plane, perMM float64) (only, ink int) {
	near := make([]bool, len(b.v))
	for i, v := range b.v {
		near[i] = v >= .4
	}
	near = dilated(near, b.w, b.h, int(math.Round(strokeTolerance*perMM)))
	for i, v := range a.v {
		if v < .5 {
			continue
		}
		ink++
		if !near[i] && trustB.v[i] > .5 {
			only++
		}
	}
	return only, ink
}

func sum(p *plane) float64 {
	total := 0.0
	for _, v := range p.v {
		total += float64(v)
	}
	return total
}

// completeness is each one's ink around a place as a share of the larger of both.
func completeness(a, b *plane, perMM float64) (completeA, completeB *plane) {
	larger := newPlane(a.w, a.h)
	for i := range larger.v {
		larger.v[i] = max(a.v[i], b.v[i])
	}
	sigma := completeSigma * perMM
	blurA, blurB, blurBoth := a.blurred(sigma, sigma), b.blurred(sigma, sigma), larger.blurred(sigma, sigma)
	const prior = .01
	for i, both := range blurBoth.v {
		blurA.v[i] = (blurA.v[i] + prior) / (both + prior)
		blurB.v[i] = (blurB.v[i] + prior) / (both + prior)
	}
	return blurA, blurB
}

// borderOf marks the border on the canvas at workDPI. It is the same on most seals, so that a gap in it says nothing
// about which seal it is; the edge has a gate of its own. nil for a seal without one.
func borderOf(r rim, v *view, declared size) []bool {
	const perMM = workDPI / millimetresPerInch
	if r.border == 0 {
		return nil
	}
	width := r.border/math.Min(v.scaleX, v.scaleY) + .3
	r = r.scaled(declared)
	w, h := declared.pixels(perMM)
	border := make([]bool, w*h)
	for i := range border {
		x, y := (float64(i%w)+.5-float64(w)/2)/perMM, (float64(i/w)+.5-float64(h)/2)/perMM
		border[i] = r.outside(x, y) > -width
	}
	return border
}
