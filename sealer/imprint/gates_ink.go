package imprint

import (
	"fmt"
	"math"
)

func gateInk(good []*mark, used []*view) Gate {
	g := Gate{Name: GateInk, Unit: "ratio", WarnAt: inkWarn, RefuseAt: inkRefuse}
	for _, m := range good[:len(used)] { // the strongest imprint carries the weaker one
		g.Value = math.Max(g.Value, m.layer.ink)
	}
	g.Verdict = below(g.Value, inkWarn, inkRefuse)
	g.Value = rounded(g.Value, 3)
	return g.say([3]string{"印泥浓度正常。", "印模偏淡，建议重新盖章。", "印模太淡，请重新盖章。"},
		[3]string{"The ink is strong enough.", "The imprint is rather pale; stamping again is advised.", "The imprint is too pale; stamp again."})
}

// gateBleeding needs two signs: soft edges alone are what a JPEG of low quality has, a wide border alone may be the
// seal's own.
func gateBleeding(s *session, good []*mark, used []*view) Gate {
	dpi := math.Min(s.scale.X, s.scale.Y)
	limit := softEdge(dpi)
	g := Gate{Name: GateBleeding, Verdict: Usable, Unit: "mm", WarnAt: limit}
	for _, m := range good[:len(used)] {
		c := m.rim
		d := m.difference(s.declared)
		wide := (d.w+d.h)/2 > bleedingExcess || c.border > bleedingBorder*usualBorder(s.declared.larger())
		if c.edgeWidth > limit && wide || m.bled(s.declared, limit) > 0 {
			g.Verdict = Warn
		}
		g.Value = rounded(math.Max(g.Value, c.edgeWidth), 3)
	}
	return g.say([3]string{"没有洇墨迹象。", "印模有洇墨迹象，建议重新盖章。", ""},
		[3]string{"There is no sign of bleeding ink.", "The ink seems to have bled; stamping again is advised.", ""})
}

// gateEdge looks at the ring: a gap in the better imprint warns, a gap at the same place in all of them refuses.
func gateEdge(good []*mark, used []*view) Gate {
	g := Gate{Name: GateEdge, Unit: "degrees", WarnAt: edgeGapWarn, RefuseAt: edgeGapRefuse}
	for i, m := range good[:len(used)] {
		if i == 0 || m.rim.gap > g.Value {
			g.Value = m.rim.gap
		}
	}
	common := commonGap(good[:len(used)], used)
	switch {
	case len(used) == 2 && common > edgeGapWarn, common > edgeGapRefuse:
		g.Verdict, g.Value = StampAgain, rounded(common, 1)
	case g.Value > edgeGapWarn:
		g.Verdict = Warn
	default:
		g.Verdict = Usable
	}
	return g.say([3]string{"边框完整。", "边框有缺口，建议重新盖章。", "边框残缺，请重新盖章。"},
		[3]string{"The border is whole.", "The border has a gap; stamping again is advised.", "The border is incomplete; stamp again."})
}

// commonGap is the longest part of the ring that no imprint shows, in degrees, compared upright.
func commonGap(good []*mark, used []*view) float64 {
	missing := make([]bool, edgeRays)
	for i := range missing {
		missing[i] = true
		for k, m := range good {
			ray := i + int(math.Round(used[k].pose.angle*edgeRays/360))
			missing[i] = missing[i] && !m.rim.present[((ray%edgeRays)+edgeRays)%edgeRays]
		}
	}
	run, longest := 0, 0
	for i := range 2 * edgeRays {
		if !missing[i%edgeRays] {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	return 360 * float64(min(longest, edgeRays)) / edgeRays
}

func gateStrokes(m Measures, used []*view) Gate {
	g := Gate{Name: GateStrokes, Value: m.MissingStrokes, Unit: "ratio", WarnAt: strokesWarn}
	g.Verdict = above(g.Value, strokesWarn, 0)
	return g.say([3]string{"笔画完整。", fmt.Sprintf("约有 %.0f%% 的笔画缺失，建议重新盖章。", 100*g.Value), ""},
		[3]string{"The strokes are complete.", fmt.Sprintf("About %.0f %% of the strokes are missing; stamping again is advised.", 100*g.Value), ""})
}
