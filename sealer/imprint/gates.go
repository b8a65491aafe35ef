package imprint

import "math"

// Limits of the gates: start values of the prototype, measured on synthetic scans.
const (
	resolutionWarn   = 300 // dpi, less
	resolutionRefuse = 150
	sizeWarn         = .5 // mm, more
	sizeRefuse       = 1.0
	outlineWarn      = .15 // mm, more
	outlineRefuse    = .40
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
	gates := []Gate{gateResolution(s), gateSize(s, good, used), gateOutline(good, used), gateInk(good, used), gateBleeding(s, good, used),
		gateEdge(good, used), gateStrokes(m, used), gateUpright(good, used)}
	gates = append(gates, gateAgreement(len(good), c))
	if len(good) == 2 {
		gates = append(gates, gateSameSeal(c.like))
	}
	gates = append(gates, copies.gates(math.Min(s.scale.X, s.scale.Y))...)
	verdict := Usable
	for i, g := range gates {
		gates[i].Title, gates[i].Acceptable = titles[g.Name], g.Verdict == Warn && !unacceptable[g.Name]
		verdict = worse(verdict, g.Verdict)
	}
	return gates, verdict
}

// titles are what the gates look for: the names by which people know them.
var titles = map[string]string{
	"resolution": "分辨率不足", "size": "尺寸不符", "outline": "尺寸不符", "ink": "太淡", "bleeding": "洇墨", "edge": "不完整", "strokes": "不完整",
	"upright": "不端正", "agreement": "两次印模不一致", "same-seal": "疑似不是同一枚印章",
	"copy-screen": copied, "copy-grain": copied, "copy-twins": copied,
}

const copied = "疑似复印件或图片"

// unacceptable are the gates whose warning no reason makes good.
var unacceptable = map[string]bool{"size": true, "outline": true, "same-seal": true}

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
