package imprint

import "math"

// comparison says how two registered imprints agree.
type comparison struct {
	match    float64 // share of the strokes of both that the other one has within strokeTolerance
	worst    float64 // largest two-sided disagreement in a window
	missingA float64 // share of b's strokes that a lacks
	missingB float64
	// completeA and completeB say, on a canvas at workDPI, how much of the ink around a place each imprint shows.
	completeA, completeB *plane
}

const (
	strokeTolerance = .15 // mm
	windowSide      = 4.0 // mm
	completeSigma   = .8  // mm
)

// compare holds two registered views against each other. Correlation over the whole seal is useless here: a seal with
// its last characters replaced still reaches .97. Two-sided disagreement in a small window is what tells: each has
// strokes there that the other one lacks.
func compare(a, b *view, declared size) comparison {
	perMM := workDPI / millimetresPerInch
	ca, cb := a.onCanvas(a.alpha, declared, perMM), b.onCanvas(b.alpha, declared, perMM)
	ta, tb := a.onCanvas(a.trust, declared, perMM), b.onCanvas(b.trust, declared, perMM)
	onlyA, inkA := lacking(ca, cb, tb, perMM)
	onlyB, inkB := lacking(cb, ca, ta, perMM)

	var result comparison
	sumOnlyA, sumInkA, sumOnlyB, sumInkB := sum(onlyA), sum(inkA), sum(onlyB), sum(inkB)
	if sumInkA == 0 || sumInkB == 0 {
		return result
	}
	result.missingA, result.missingB = sumOnlyB/sumInkB, sumOnlyA/sumInkA
	result.match = 1 - (sumOnlyA+sumOnlyB)/(sumInkA+sumInkB)

	radius := int(windowSide * perMM / 2)
	boxed := func(p *plane) *plane {
		across := newPlane(p.w, p.h)
		for y := range p.h {
			boxFilter(across.row(y), p.row(y), radius)
		}
		return across.boxedColumns(make([]float32, p.w), radius)
	}
	wa, wia, wb, wib := boxed(onlyA), boxed(inkA), boxed(onlyB), boxed(inkB)
	const leastInk = .06 // of the window
	for i := range wa.v {
		if wia.v[i] > leastInk && wib.v[i] > leastInk {
			both := math.Min(float64(wa.v[i]/wia.v[i]), float64(wb.v[i]/wib.v[i]))
			result.worst = math.Max(result.worst, both)
		}
	}
	result.completeA, result.completeB = completeness(ca, cb, perMM)
	return result
}

// lacking marks the ink of a, and of it what lies further than strokeTolerance from any ink of b where b can be seen.
func lacking(a, b, trustB *plane, perMM float64) (only, ink *plane) {
	near := make([]bool, len(b.v))
	for i, v := range b.v {
		near[i] = v >= .4
	}
	near = dilated(near, b.w, b.h, int(math.Round(strokeTolerance*perMM)))
	only, ink = newPlane(a.w, a.h), newPlane(a.w, a.h)
	for i, v := range a.v {
		if v < .5 {
			continue
		}
		ink.v[i] = 1
		if !near[i] && trustB.v[i] > .5 {
			only.v[i] = 1
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
