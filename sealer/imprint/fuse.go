package imprint

import (
	"cmp"
	"image"
	"image/color"
	"math"
	"slices"
)

// templateDPI and pictureDPI are the resolutions of the two results.
const (
	templateDPI = 600
	pictureDPI  = 300
)

// fused is the template before it is made into pictures: coverage by ink on a canvas of exactly the declared size.
type fused struct {
	coverage  *plane
	bridged   float64 // mm²
	completed float64 // mm²
	filled    []Filled
	origins   *image.Paletted // per pixel of coverage: where ink was filled in, and how
}

// How a pixel of the canvas came to be ink, where not seen in the best imprint itself.
const (
	howBridged   = "bridged"
	howCompleted = "completed"
)

const mostFilled = 64

// finish says how the fused ink is made into coverage.
type finish struct {
	declared size    // the canvas
	rim      rim     // of the seal on the canvas
	gain     float64 // steepness given to edges about one half
	erode    float64 // mm taken off every side of bled ink
}

// fuse resamples every view once, straight from the pixels of the scan to the canvas, and mixes them: weight is how
// well the place was seen (no print over it), how complete the strokes around are, and ink. views[0] is the best one.
func fuse(views []*view, c comparison, how finish) fused {
	perMM := templateDPI / millimetresPerInch
	pad := alongReach + 2 // the edge of a seal that ends with its canvas is an edge like others
	if how.erode > 0 {
		pad += int(math.Ceil(how.erode * perMM))
	}
	w, h := how.declared.pixels(perMM)
	// The canvas is as large as the seal, to a pixel: its pixels are what is as large as they must be for that.
	perX, perY := float64(w)/how.declared.w, float64(h)/how.declared.h
	w, h = w+2*pad, h+2*pad
	mix := newMixer(views, c, perX, perY)
	mixed, bridged, completed := newPlane(w, h), newPlane(w, h), newPlane(w, h)
	for y := range h {
		v := float64(y) + .5 - float64(h)/2
		row := mixed.row(y)
		outside := func(x int) bool {
			return how.rim.outside((float64(x)+.5-float64(w)/2)/perX, v/perY) > .1+how.erode
		}
		from, to := 0, w // outside the seal: whatever is there is not the seal's
		for from < to && outside(from) {
			from++
		}
		for from < to && outside(to-1) {
			to--
		}
		for x := from; x < to; x++ {
			value, origin := mix.at(float64(x)+.5-float64(w)/2, v)
			row[x] = value
			switch origin {
			case fromNowhere:
				bridged.row(y)[x] = 1
			case fromOther:
				completed.row(y)[x] = 1
			}
		}
	}
	mixed = mixed.softened().smoothedAlong()
	for i, v := range mixed.v {
		mixed.v[i] = min(max(.5+(v-.5)*float32(how.gain), 0), 1)
	}
	if how.erode > 0 {
		mixed = mixed.eroded(how.erode * perMM)
	}
	result := fused{coverage: mixed.trimmed(pad)}
	bridged, completed = bridged.trimmed(pad), completed.trimmed(pad)
	result.origins = originsOf(bridged, completed)
	result.bridged = result.note(bridged, howBridged, perMM)
	result.completed = result.note(completed, howCompleted, perMM)
	slices.SortStableFunc(result.filled, func(a, b Filled) int { return cmp.Compare(b.Area, a.Area) })
	result.filled = result.filled[:min(len(result.filled), mostFilled)]
	return result
}

// origin of a pixel of the canvas that is ink.
type origin uint8

const (
	fromBest    origin = iota // seen in the best imprint, or no ink
	fromOther                 // seen in the other one only
	fromNowhere               // under print in all of them
)

// originsOf is the map of what was filled in: index 1 bridged, 2 completed.
func originsOf(bridged, completed *plane) *image.Paletted {
	palette := color.Palette{color.White, color.RGBA{0, 0, 255, 255}, color.RGBA{0, 160, 0, 255}}
	img := image.NewPaletted(image.Rect(0, 0, bridged.w, bridged.h), palette)
	for i := range img.Pix {
		switch {
		case bridged.v[i] > 0:
			img.Pix[i] = 1
		case completed.v[i] > 0:
			img.Pix[i] = 2
		}
	}
	return img
}

// mixer mixes the views at a position of the canvas.
type mixer struct {
	views    []*view
	maps     []affine // from pixels of the canvas
	complete []*plane
}

func newMixer(views []*view, c comparison, perX, perY float64) *mixer {
	m := &mixer{views: views, complete: []*plane{c.completeA, c.completeB}}
	for _, v := range views {
		a := v.affine()
		a.a, a.b, a.d, a.e = a.a/perX, a.b/perY, a.d/perX, a.e/perY
		m.maps = append(m.maps, a)
	}
	return m
}

func (m *mixer) at(u, v float64) (float32, origin) {
	const bare = .08 // less of ink is paper, whatever the weights
	var ink, weights, best, bestTrust, trust float64
	var places [2][2]float64
	var inks [2]float64
	most := 0.0
	for i, view := range m.views {
		t := m.maps[i]
		px, py := t.a*u+t.b*v+t.c, t.d*u+t.e*v+t.f
		places[i], inks[i] = [2]float64{px, py}, view.alpha.cubic(px, py)
		most = math.Max(most, inks[i])
	}
	if most < bare {
		return float32(most), fromBest
	}
	for i, view := range m.views {
		a, seen := inks[i], view.trust.at(places[i][0], places[i][1])
		weight := 1.0
		if len(m.views) > 1 {
			const work = workDPI / float64(templateDPI)
			k := m.complete[i]
			whole := k.at(u*work+float64(k.w)/2-.5, v*work+float64(k.h)/2-.5)
			// Ink counts more than paper, so that a pinhole closes; not so much more that edges grow to the union.
			weight = (.02 + seen) * square(square(whole)) * (.6 + clamp(a, 0, 1))
		}
		ink += weight * a
		weights += weight
		trust = math.Max(trust, seen)
		if i == 0 {
			best, bestTrust = a, seen
		}
	}
	if weights == 0 {
		return 0, fromBest
	}
	value := ink / weights
	switch {
	case value < .5:
		return float32(value), fromBest
	case trust < .5:
		return float32(value), fromNowhere
	case best < .3 || bestTrust < .5:
		return float32(value), fromOther
	}
	return float32(value), fromBest
}

// note lists the spots of a mask that are large enough to see, and returns the area of all of it.
func (f *fused) note(mask *plane, how string, perMM float64) float64 {
	perMM2 := perMM * perMM
	total := 0.0
	eachSpot(mask, .5, func(pixels []int) {
		area := float64(len(pixels)) / perMM2
		total += area
		if area < speckArea {
			return
		}
		x, y := 0, 0
		for _, i := range pixels {
			x, y = x+i%mask.w, y+i/mask.w
		}
		n := float64(len(pixels))
		f.filled = append(f.filled, Filled{How: how, Area: rounded(area, 3),
			X: rounded((float64(x)/n+.5)/perMM, 2), Y: rounded((float64(y)/n+.5)/perMM, 2)})
	})
	return total
}

// missing is the share of the border and the star that shows no ink. The border and the star of bled ink were measured
// before it was eroded.
func (f fused) missing(best *mark, v *view, declared size, eroded float64) float64 {
	const margin = .10 // mm: edges fray
	perX, perY := float64(f.coverage.w)/declared.w, float64(f.coverage.h)/declared.h
	halfW, halfH := float64(f.coverage.w)/2, float64(f.coverage.h)/2
	m, r := v.affine(), best.rim.scaled(declared)
	border := best.rim.border/v.scaleX - 2*eroded
	solid, empty := 0, 0
	const step = 2 // pixels: a share needs not all of them
	for y := 0; y < f.coverage.h; y += step {
		cv := (float64(y) + .5 - halfH) / perY
		row := f.coverage.row(y)
		for x := 0; x < len(row); x += step {
			coverage := row[x]
			cu := (float64(x) + .5 - halfW) / perX
			depth := -r.outside(cu, cv)
			belongs := depth > margin && depth < border-margin
			if !belongs && best.pose.star.ok && !best.layer.negative && cu*cu+cv*cv < square(.4*declared.w/2) {
				px, py := m.a*cu+m.b*cv+m.c, m.d*cu+m.e*cv+m.f
				belongs = best.pose.star.holds((px+.5)/v.perMMX, (py+.5)/v.perMMY, margin+eroded)
			}
			if belongs {
				solid++
				if coverage < .5 {
					empty++
				}
			}
		}
	}
	if solid == 0 {
		return 0
	}
	return float64(empty) / float64(solid)
}

func rounded(v float64, digits int) float64 {
	scale := math.Pow(10, float64(digits))
	return math.Round(v*scale)/scale + 0 // no minus zero in the report
}

// cubic is the value between pixels by Catmull-Rom's cubic, which keeps edges as sharp as the scan has them.
func (p *plane) cubic(x, y float64) float64 {
	fx, fy := math.Floor(x), math.Floor(y)
	x0, y0 := int(fx), int(fy)
	if x0 < 1 || y0 < 1 || x0+2 >= p.w || y0+2 >= p.h {
		return p.at(x, y)
	}
	first := (y0-1)*p.w + x0 - 1
	a, b, c, d := p.v[first:first+4], p.v[first+p.w:first+p.w+4], p.v[first+2*p.w:first+2*p.w+4], p.v[first+3*p.w:first+3*p.w+4]
	const bare, solid = .05, .95
	if low, high := min(b[1], b[2], c[1], c[2]), max(b[1], b[2], c[1], c[2]); high < bare || low > solid {
		return float64(b[1]) // no edge near
	}
	wx, wy := cubicWeights(float32(x-fx)), cubicWeights(float32(y-fy))
	sum := wy[0] * (wx[0]*a[0] + wx[1]*a[1] + wx[2]*a[2] + wx[3]*a[3])
	sum += wy[1] * (wx[0]*b[0] + wx[1]*b[1] + wx[2]*b[2] + wx[3]*b[3])
	sum += wy[2] * (wx[0]*c[0] + wx[1]*c[1] + wx[2]*c[2] + wx[3]*c[3])
	sum += wy[3] * (wx[0]*d[0] + wx[1]*d[1] + wx[2]*d[2] + wx[3]*d[3])
	return float64(sum)
}

func cubicWeights(t float32) [4]float32 {
	return [4]float32{
		t * (-.5 + t*(1-.5*t)),
		1 + t*t*(-2.5+1.5*t),
		t * (.5 + t*(2-1.5*t)),
		t * t * (-.5 + .5*t),
	}
}
