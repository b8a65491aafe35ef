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
// What they do not see: a copy of a stamped sheet whose dots are finer than the scan, as scattered droplets of an inkjet
// printer of 600 dpi are (at 300 dpi and at 600), and screens above 150 lines per inch in a JPEG of low quality at 300
// dpi. What they may see wrongly: stamps of micro-porous rubber, whose ink lies more evenly than that of a pad. The paper
// itself must therefore be looked at for wet ink in any case.
const (
	screenWarn       = 2.6
	screenRefuse     = 3.8
	fineScreenWarn   = 5.5 // at fineDPI and above, where screens stand out far more, and the grain of paper more, too
	fineScreenRefuse = 7.0
	fineDPI          = 450
	grainWarn        = .018
	grainRefuse      = .006
	alikeWarn        = .50 // correlation of the ink of both imprints, more
	alikeRefuse      = .75
	twinsWarn        = .020 // difference of the ink of both imprints, less
	twinsRefuse      = .0130
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

// gates are those against a scan of a print-out and a picture in the place of an imprint.
func (s signs) gates(dpi float64) []Gate {
	gates := []Gate{s.gateScreen(dpi), s.gateGrain()}
	if len(s.textures) == 2 {
		gates = append(gates, s.gateTwins())
	}
	return gates
}

func (s signs) gateScreen(dpi float64) Gate {
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
	return g.say(
		[3]string{"印迹中没有印刷网点。", fmt.Sprintf("印迹中似有印刷网点（约每英寸 %.0f 线），请核对纸质原件是否为实盖印模。", lpi),
			fmt.Sprintf("印迹中有印刷网点（约每英寸 %.0f 线），不是实盖的印模，而是打印件或复印件，请重新盖章。", lpi)},
		[3]string{"There is no printer's screen in the ink.", fmt.Sprintf("There may be a printer's screen in the ink (about %.0f lines per inch); look at the paper for wet ink.", lpi),
			fmt.Sprintf("There is a printer's screen in the ink (about %.0f lines per inch): a print-out or a copy, not an imprint; stamp again.", lpi)})
}

func (s signs) gateGrain() Gate {
	g := Gate{Name: GateGrain, Unit: "ratio", Verdict: Usable, WarnAt: grainWarn, RefuseAt: grainRefuse, Value: math.Inf(1)}
	for _, t := range s.textures {
		if t.core >= leastCore {
			g.Value = math.Min(g.Value, t.grain)
		}
	}
	if math.IsInf(g.Value, 1) {
		g.Value = 0
		g.ZH, g.EN = "笔画太细，无法从油墨纹理判断是否为实盖印模，请核对纸质原件。",
			"The strokes are too thin to judge by their ink whether this is a copy; look at the paper."
		return g
	}
	g.Verdict = below(g.Value, grainWarn, grainRefuse)
	g.Value = rounded(g.Value, 4)
	return g.say(
		[3]string{"油墨有实盖印模的自然纹理。", "油墨过于均匀，疑似打印件或图片，请核对纸质原件是否为实盖印模。", "油墨完全均匀，没有实盖印模的纹理，疑似图片或打印件，请重新盖章。"},
		[3]string{"The ink has the texture of an imprint.", "The ink is very even, as in a print-out or a picture; look at the paper for wet ink.",
			"The ink is perfectly even, as in a picture or a print-out, not as in an imprint; stamp again."})
}

// gateTwins wants two signs: that the ink is alike, and that what is not alike is no more than a scanner makes of one
// picture.
func (s signs) gateTwins() Gate {
	t := s.twins
	g := Gate{Name: GateTwins, Verdict: Usable, Unit: "ratio", Value: rounded(t.difference, 4), WarnAt: twinsWarn, RefuseAt: twinsRefuse}
	switch {
	case t.core < leastCore:
		g.ZH, g.EN = "笔画太细，无法判断两处印模是否为同一图片，请核对纸质原件。",
			"The strokes are too thin to judge whether both imprints are one picture; look at the paper."
		return g
	case t.correlation > alikeRefuse:
		g.Verdict = below(t.difference, twinsWarn, twinsRefuse)
	case t.correlation > alikeWarn:
		g.Verdict = below(t.difference, twinsWarn, 0)
	}
	return g.say(
		[3]string{"两处印模是分别盖的。", "两处印模的油墨纹理相似，疑似同一图片，请核对纸质原件是否为两次实盖。", "两处印模的油墨纹理相同，是同一图片的复制，请重新盖章两次。"},
		[3]string{"The two imprints were stamped one after the other.", "The ink of both imprints is alike, as in one picture used twice; look at the paper.",
			"The ink of both imprints is the same: one picture used twice; stamp twice."})
}
