package imprint

import (
	"fmt"
	"math"
	"sync"
)

// Limits of the gates against copies. They were set on imprints and forgeries that a program drew, see
// TestRatesOfTheGates; no scan of a real print-out was at hand. Doubt is therefore a warning to look at the paper, and
// only what is far from every drawn imprint is refused.
//
// What they do not see: print in one ink of the seal's colour, a copy whose dots are so fine or a scan so coarse or so
// strongly compressed that the dots melt into one: screens above 150 lines per inch in a JPEG of low quality at 300 dpi.
// What they may see wrongly: stamps of micro-porous rubber, whose ink lies more evenly than that of a pad. The paper
// itself must therefore be looked at for wet ink in any case.
const (
	screenWarn       = 2.6
	screenRefuse     = 3.8
	fineScreenWarn   = 8.0 // at fineDPI and above, where screens stand out far more, and the grain of paper more, too
	fineScreenRefuse = 14.0
	fineDPI          = 450
	grainWarn        = .018
	grainRefuse      = .006
	// Ink of which so much in one colour of light does not follow in another, and that is at least so much of the paper's
	// light: less is the scanner's and JPEG's own noise, which is all that there is in very even ink.
	colorantsWarn   = .60
	colorantsRefuse = .66
	unlikeWarn      = .006
	unlikeRefuse    = .0095
	alikeWarn       = .50 // correlation of the ink of both imprints, more
	alikeRefuse     = .75
	alikeCertain    = .90  // more: whatever would warn is refused
	twinsWarn       = .020 // difference of the ink of both imprints, less
	twinsRefuse     = .0130
)

// signs are what speaks for a copy.
type signs struct {
	textures []texture // of the imprints, in their order
	twins    twin
}

// lookForCopies measures the ink of the imprints that were found, side by side, and holds two against each other.
func lookForCopies(good []*mark, views []*view, declared size) signs {
	s := signs{textures: make([]texture, len(good))}
	var all sync.WaitGroup
	for i, m := range good {
		all.Go(func() { s.textures[i] = m.layer.texture() })
	}
	if len(views) == 2 {
		s.twins = twins(views[0], views[1], declared)
	}
	all.Wait()
	return s
}

// suspicion is a gate with its sentences: usable, warned of, refused.
type suspicion struct {
	Gate
	zh, en [3]string
}

// gates are those against a scan of a print-out and a picture in the place of an imprint. One sign that is no more than a doubt
// is a warning; two of them, which are measured independently, make sure: no imprint that was drawn shows two.
func (s signs) gates(dpi float64) []Gate {
	all := []suspicion{s.gateScreen(dpi), s.gateColorants(), s.gateGrain()}
	if len(s.textures) == 2 {
		all = append(all, s.gateTwins())
	}
	doubts, even := 0, false
	for _, g := range all {
		// Very even ink, as rubber with fine pores gives it, raises both of these: together they are one doubt.
		about := g.Name == GateGrain || g.Name == GateTwins
		if g.Verdict != Usable && !(about && even) {
			doubts++
			even = even || about
		}
	}
	gates := make([]Gate, 0, len(all))
	for _, g := range all {
		if doubts > 1 && g.Verdict == Warn {
			g.Verdict = StampAgain
		}
		gates = append(gates, g.say(g.zh, g.en))
	}
	return gates
}

func (s signs) gateScreen(dpi float64) suspicion {
	g := Gate{Name: GateScreen, Unit: "ratio", WarnAt: screenWarn, RefuseAt: screenRefuse}
	if dpi >= fineDPI {
		g.WarnAt, g.RefuseAt = fineScreenWarn, fineScreenRefuse
	}
	lpi := 0.0
	for _, t := range s.textures {
		if t.screen > g.Value {
			g.Value, lpi = t.screen, t.lpi
		}
	}
	g.Verdict = above(g.Value, g.WarnAt, g.RefuseAt)
	g.Value = rounded(g.Value, 2)
	return suspicion{g,
		[3]string{"印迹中没有印刷网点。", fmt.Sprintf("印迹中似有印刷网点（约每英寸 %.0f 线），请核对纸质原件是否为实盖印模。", lpi),
			fmt.Sprintf("印迹中有印刷网点（约每英寸 %.0f 线），不是实盖的印模，而是打印件或复印件，请重新盖章。", lpi)},
		[3]string{"There is no printer's screen in the ink.", fmt.Sprintf("There may be a printer's screen in the ink (about %.0f lines per inch); look at the paper for wet ink.", lpi),
			fmt.Sprintf("There is a printer's screen in the ink (about %.0f lines per inch): a print-out or a copy, not an imprint; stamp again.", lpi)}}
}

func (s signs) gateGrain() suspicion {
	g := Gate{Name: GateGrain, Unit: "ratio", Verdict: Usable, WarnAt: grainWarn, RefuseAt: grainRefuse, Value: math.Inf(1)}
	for _, t := range s.textures {
		if t.core >= leastCore {
			g.Value = math.Min(g.Value, t.grain)
		}
	}
	if math.IsInf(g.Value, 1) {
		g.Value = 0
		return unjudged(g, "笔画太细，无法从油墨纹理判断是否为实盖印模，请核对纸质原件。",
			"The strokes are too thin to judge by their ink whether this is a copy; look at the paper.")
	}
	g.Verdict = below(g.Value, grainWarn, grainRefuse)
	g.Value = rounded(g.Value, 4)
	return suspicion{g,
		[3]string{"油墨有实盖印模的自然纹理。", "油墨过于均匀，疑似打印件或图片，请核对纸质原件是否为实盖印模。", "油墨完全均匀，没有实盖印模的纹理，疑似图片或打印件，请重新盖章。"},
		[3]string{"The ink has the texture of an imprint.", "The ink is very even, as in a print-out or a picture; look at the paper for wet ink.",
			"The ink is perfectly even, as in a picture or a print-out, not as in an imprint; stamp again."}}
}

// gateColorants asks for the smallest value of both imprints: pencil or a stain on one of them has a colour of its own.
func (s signs) gateColorants() suspicion {
	g := Gate{Name: GateColorants, Unit: "ratio", WarnAt: colorantsWarn, RefuseAt: colorantsRefuse}
	deviation := math.Inf(1)
	for i, t := range s.textures {
		if t.colorants == 0 {
			g.Value = 0
			break
		}
		if deviation = math.Min(deviation, t.deviation); i == 0 || t.colorants < g.Value {
			g.Value = t.colorants
		}
	}
	if g.Value == 0 {
		g.Verdict = Usable
		return unjudged(g, "笔画太细或分辨率太低，无法判断印迹是否由几种颜色印成，请核对纸质原件。",
			"The strokes are too thin, or the scan too coarse, to judge whether the ink is mixed of several colours; look at the paper.")
	}
	switch {
	case deviation > unlikeRefuse:
		g.Verdict = above(g.Value, g.WarnAt, g.RefuseAt)
	case deviation > unlikeWarn:
		g.Verdict = above(g.Value, g.WarnAt, 0)
	default:
		g.Verdict = Usable
	}
	g.Value = rounded(g.Value, 3)
	return suspicion{g,
		[3]string{"印迹是一种油墨盖成的。", "印迹似由几种颜色的墨点混成，疑似打印件或复印件，请核对纸质原件是否为实盖印模。",
			"印迹由几种颜色的墨点混成，不是实盖的印模，而是打印件或复印件，请重新盖章。"},
		[3]string{"The imprint is of one ink.", "The colour may be mixed of dots of several inks, as in a print-out or a copy; look at the paper for wet ink.",
			"The colour is mixed of dots of several inks: a print-out or a copy, not an imprint; stamp again."}}
}

// unjudged is a gate that could not see what it looks for.
func unjudged(g Gate, zh, en string) suspicion {
	return suspicion{g, [3]string{zh, zh, zh}, [3]string{en, en, en}}
}

// gateTwins wants two signs: that the ink is alike, and that what is not alike is no more than a scanner makes of one
// picture.
func (s signs) gateTwins() suspicion {
	t := s.twins
	g := Gate{Name: GateTwins, Verdict: Usable, Unit: "ratio", Value: rounded(t.difference, 4), WarnAt: twinsWarn, RefuseAt: twinsRefuse}
	switch {
	case t.core < leastCore:
		return unjudged(g, "笔画太细，无法判断两处印模是否为同一图片，请核对纸质原件。",
			"The strokes are too thin to judge whether both imprints are one picture; look at the paper.")
	case t.correlation > alikeCertain:
		g.RefuseAt = twinsWarn
		g.Verdict = below(t.difference, twinsWarn, twinsWarn)
	case t.correlation > alikeRefuse:
		g.Verdict = below(t.difference, twinsWarn, twinsRefuse)
	case t.correlation > alikeWarn:
		g.Verdict = below(t.difference, twinsWarn, 0)
	}
	return suspicion{g,
		[3]string{"两处印模是分别盖的。", "两处印模的油墨纹理相似，疑似同一图片，请核对纸质原件是否为两次实盖。", "两处印模的油墨纹理相同，是同一图片的复制，请重新盖章两次。"},
		[3]string{"The two imprints were stamped one after the other.", "The ink of both imprints is alike, as in one picture used twice; look at the paper.",
			"The ink of both imprints is the same: one picture used twice; stamp twice."}}
}
