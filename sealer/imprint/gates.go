package imprint

import (
	"fmt"
	"math"
)

// Limits of the gates: start values of the prototype, measured on synthetic scans.
const (
	resolutionWarn   = 300 // dpi, less
	resolutionRefuse = 150
	sizeWarn         = .5 // mm, more
	sizeRefuse       = 1.0
	inkWarn          = .65 // absorbance, less
	inkRefuse        = .45
	bleedingExcess   = .22 // mm over the declared diameter
	bleedingBorder   = 1.3 // times the usual border
	edgeGapWarn      = 30  // degrees, more
	edgeGapRefuse    = 60  // of the ring missing in every imprint
	strokesWarn      = .08
	uprightWarn      = 15  // degrees
	matchWarn        = .03 // of the strokes
)

// softEdge is the width of the outer edge, in millimetres, above which a scan of this resolution is soft.
func softEdge(dpi float64) float64 {
	if dpi >= 450 {
		return .14
	}
	return .20
}

// judge holds every gate and returns the worst verdict.
func judge(s *session, good []*mark, used []*view, c comparison, copies signs, m Measures) ([]Gate, Verdict) {
	gates := []Gate{gateResolution(s), gateSize(s, good, used), gateInk(good, used), gateBleeding(s, good, used),
		gateEdge(good, used), gateStrokes(m, used), gateUpright(good, used)}
	gates = append(gates, gateAgreement(len(good), c))
	if len(good) == 2 {
		gates = append(gates, gateSameSeal(c.like))
	}
	gates = append(gates, copies.gates()...)
	verdict := Usable
	for i, g := range gates {
		gates[i].Title, gates[i].Acceptable = titles[g.Name], g.Verdict == Warn && !unacceptable[g.Name]
		verdict = worse(verdict, g.Verdict)
	}
	return gates, verdict
}

// titles are what the gates look for: the names by which people know them.
var titles = map[string]string{
	"resolution": "分辨率不足", "size": "尺寸不符", "ink": "太淡", "bleeding": "洇墨", "edge": "不完整", "strokes": "不完整",
	"upright": "不端正", "agreement": "两次印模不一致", "same-seal": "疑似不是同一枚印章",
	"copy-screen": copied, "copy-grain": copied, "copy-twins": copied,
}

const copied = "疑似复印件或图片"

// unacceptable are the gates whose warning no reason makes good.
var unacceptable = map[string]bool{"size": true, "same-seal": true}

func worse(a, b Verdict) Verdict {
	if a == StampAgain || b == StampAgain {
		return StampAgain
	}
	if a == Warn || b == Warn {
		return Warn
	}
	return Usable
}

// above grades a value that must be small; a limit of 0 does not exist.
func above(value, warn, refuse float64) Verdict {
	switch {
	case refuse != 0 && value > refuse:
		return StampAgain
	case warn != 0 && value > warn:
		return Warn
	}
	return Usable
}

func below(value, warn, refuse float64) Verdict { return above(-value, -warn, -refuse) }

// say picks the sentence of a verdict.
func (g Gate) say(zh, en [3]string) Gate {
	i := map[Verdict]int{Usable: 0, Warn: 1, StampAgain: 2}[g.Verdict]
	g.ZH, g.EN = zh[i], en[i]
	return g
}

func gateResolution(s *session) Gate {
	dpi := math.Min(s.scale.X, s.scale.Y)
	g := Gate{Name: "resolution", Value: rounded(dpi, 1), Unit: "dpi", WarnAt: resolutionWarn, RefuseAt: resolutionRefuse}
	g.Verdict = below(dpi, resolutionWarn-1, resolutionRefuse-1) // 299.99 is 300
	return g.say(
		[3]string{fmt.Sprintf("扫描分辨率为 %.0f dpi，满足要求。", dpi),
			fmt.Sprintf("扫描分辨率只有 %.0f dpi，建议以 300 dpi 以上重新扫描。", dpi),
			fmt.Sprintf("扫描分辨率只有 %.0f dpi，不足以制作印章，请以 300 dpi 以上重新扫描。", dpi)},
		[3]string{fmt.Sprintf("The resolution of %.0f dpi is enough.", dpi),
			fmt.Sprintf("The resolution is only %.0f dpi; scan again at 300 dpi or more.", dpi),
			fmt.Sprintf("The resolution of %.0f dpi is too low for a seal; scan again at 300 dpi or more.", dpi)})
}

func gateSize(s *session, good []*mark, used []*view) Gate {
	g := Gate{Name: "size", Verdict: Usable, Unit: "mm", WarnAt: sizeWarn, RefuseAt: sizeRefuse}
	measured, declared := "", sizeText(good[0].rim.shape, s.declared.w, s.declared.h, "%g")
	for _, m := range good[:len(used)] {
		difference := m.difference(s.declared).worst()
		if measured == "" || math.Abs(difference) > math.Abs(g.Value) {
			g.Value, measured = difference, sizeText(m.rim.shape, 2*m.pose.halfW, 2*m.pose.halfH, "%.2f")
		}
	}
	g.Verdict = above(math.Abs(g.Value), sizeWarn, sizeRefuse)
	g.Value = rounded(g.Value, 3)
	return g.say(
		[3]string{fmt.Sprintf("测得尺寸 %s 毫米，与申报的 %s 毫米相符。", measured, declared),
			fmt.Sprintf("测得尺寸 %s 毫米，与申报的 %s 毫米相差 %.2f 毫米，请核对。", measured, declared, math.Abs(g.Value)),
			fmt.Sprintf("测得尺寸 %s 毫米，与申报的 %s 毫米不符，请更正尺寸或重新盖章。", measured, declared)},
		[3]string{fmt.Sprintf("The measured size of %s mm agrees with the declared %s mm.", measured, declared),
			fmt.Sprintf("The measured size of %s mm differs from the declared %s mm by %.2f mm; check it.", measured, declared, math.Abs(g.Value)),
			fmt.Sprintf("The measured size of %s mm contradicts the declared %s mm; correct the size or stamp again.", measured, declared)})
}

// sizeText is a diameter or both sides.
func sizeText(shape Shape, w, h float64, format string) string {
	if shape == Round {
		return fmt.Sprintf(format, w)
	}
	return fmt.Sprintf(format+" × "+format, w, h)
}

func gateInk(good []*mark, used []*view) Gate {
	g := Gate{Name: "ink", Unit: "ratio", WarnAt: inkWarn, RefuseAt: inkRefuse}
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
	g := Gate{Name: "bleeding", Verdict: Usable, Unit: "mm", WarnAt: limit}
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
	g := Gate{Name: "edge", Unit: "degrees", WarnAt: edgeGapWarn, RefuseAt: edgeGapRefuse}
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
	g := Gate{Name: "strokes", Value: m.MissingStrokes, Unit: "ratio", WarnAt: strokesWarn}
	g.Verdict = above(g.Value, strokesWarn, 0)
	return g.say([3]string{"笔画完整。", fmt.Sprintf("约有 %.0f%% 的笔画缺失，建议重新盖章。", 100*g.Value), ""},
		[3]string{"The strokes are complete.", fmt.Sprintf("About %.0f %% of the strokes are missing; stamping again is advised.", 100*g.Value), ""})
}

func gateUpright(good []*mark, used []*view) Gate {
	g := Gate{Name: "upright", Verdict: Usable, Unit: "degrees", WarnAt: uprightWarn}
	for _, v := range used {
		if math.Abs(v.pose.angle) > math.Abs(g.Value) {
			g.Value = rounded(v.pose.angle, 2)
		}
		if v.pose.from == "none" || v.pose.doubted {
			g.Verdict = Warn
		}
	}
	if g.Verdict == Warn {
		g.ZH, g.EN = "无法可靠判断印章的上方，请人工核对方向。", "Which side of the seal is up could not be told reliably; check the direction."
		return g
	}
	g.Verdict = above(math.Abs(g.Value), uprightWarn, 0)
	return g.say([3]string{"印模端正。", fmt.Sprintf("印模歪斜 %.0f 度，已校正，请核对。", math.Abs(g.Value)), ""},
		[3]string{"The imprint stands upright.", fmt.Sprintf("The imprint leaned by %.0f degrees and was turned upright; check it.", math.Abs(g.Value)), ""})
}
