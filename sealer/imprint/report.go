package imprint

import (
	"cmp"
	"math"
	"slices"
)

func (s *session) measures(good []*mark, used []*view, c comparison, f fused, eroded float64) Measures {
	best := good[0]
	d := best.difference(s.declared)
	lean := s.lean(used) // which settles the sheet, too
	m := Measures{
		Scale: s.scale, Shape: best.rim.shape, Polarity: best.layer.polarity(), Fused: len(used),
		Width: rounded(2*best.pose.halfW, 3), Height: rounded(2*best.pose.halfH, 3),
		WidthDifference: rounded(d.w, 3), HeightDifference: rounded(d.h, 3), SizeDifference: rounded(d.worst(), 3),
		Angle: rounded(lean, 3), Sheet: s.sheet, Page: s.page, AngleError: rounded(math.Min(used[0].pose.unsure, 180), 3),
		Match: rounded(c.match, 4), Outcome: c.like.outcome, Mismatch: rounded(c.like.mismatch, 3), Places: c.like.places,
		Eroded: rounded(eroded, 3), BridgedArea: rounded(f.bridged, 3), CompletedArea: rounded(f.completed, 3), Filled: f.filled,
	}
	if best.rim.shape == Round {
		m.Diameter = m.Width
	}
	m.InkArea = rounded(sum(f.coverage)/square(templateDPI/millimetresPerInch), 2)
	m.MissingStrokes = rounded(f.missing(best, used[0], s.declared, eroded), 4)
	return m
}

func (l *layer) polarity() Polarity {
	if l.negative {
		return Negative
	}
	return Positive
}

// found describes every mark, in reading order.
func (s *session) found(marks, good []*mark, used []*view, c comparison, copies signs) []Found {
	var all []Found
	for _, m := range marks {
		x, y := s.middle(m)
		f := Found{Left: m.shown.Min.X, Top: m.shown.Min.Y, Right: m.shown.Max.X, Bottom: m.shown.Max.Y,
			X: rounded(x, 2), Y: rounded(y, 2), Box: m.box, AngleFrom: fromNone, Reason: notExamined}
		if m.layer != nil {
			f.Ink = rounded(m.layer.ink, 3)
			f.Reason = "不是完整的印模，未采用。"
		}
		if rank := slices.Index(good, m); rank >= 0 {
			m.describe(&f)
			t := copies.textures[rank]
			f.Grain, f.Screen, f.ScreenLPI = rounded(t.grain, 4), rounded(t.screen, 2), rounded(t.lpi, 0)
			f.Colorants, f.ColorantsDeviation = rounded(t.colorants, 3), rounded(t.deviation, 4)
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
	r := m.rim
	f.Shape, f.Polarity = r.shape, m.layer.polarity()
	f.X, f.Y = rounded(m.layer.left+r.x, 3), rounded(m.layer.top+r.y, 3)
	f.Width, f.Height, f.Residual = rounded(2*m.pose.halfW, 3), rounded(2*m.pose.halfH, 3), rounded(r.residual, 4)
	if r.shape == Round {
		f.Diameter = f.Width
	}
	f.Angle, f.AngleFrom, f.AngleDoubted = rounded(m.pose.angle, 3), m.pose.from, m.pose.doubted
	f.AngleError = rounded(math.Min(m.pose.unsure, 180), 3)
	f.EdgeWidth, f.Border = rounded(r.edgeWidth, 3), rounded(r.border, 3)
	f.EdgeGap, f.EdgeMissing = rounded(r.gap, 1), rounded(r.missing, 4)
	f.Hidden = rounded(m.layer.hidden(r), 2)
}

// hidden is the area inside the rim that print covers, in mm².
func (l *layer) hidden(r rim) float64 {
	count := 0
	for y := range l.trust.h {
		for x, t := range l.trust.row(y) {
			if t < .5 {
				u, v := r.own((float64(x)+.5)/l.perMMX, (float64(y)+.5)/l.perMMY)
				if r.outside(u, v) < 0 {
					count++
				}
			}
		}
	}
	return float64(count) / (l.perMMX * l.perMMY)
}
