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
	return titled(gates)
}

// titled writes on every gate what it looks for and whether a reason makes it good, and returns the worst verdict.
func titled(gates []Gate) ([]Gate, Verdict) {
	verdict := Usable
	for i, g := range gates {
		if gates[i].Acceptable = g.Verdict == Warn && !unacceptable[g.Name]; g.Title == "" {
			gates[i].Title = titles[g.Name]
		}
		verdict = worse(verdict, g.Verdict)
	}
	return gates, verdict
}

// Names of the gates.
const (
	GateResolution = "resolution"
	GateSize       = "size"
	GateOutline    = "outline" // is it the declared shape
	GateInk        = "ink"
	GateBleeding   = "bleeding"
	GateEdge       = "edge"
	GateStrokes    = "strokes"
	GateUpright    = "upright"
	GateAgreement  = "agreement" // do both imprints show the same strokes, are there two
	GateSameSeal   = "same-seal"
	GateScreen     = "copy-screen"    // a printer's screen
	GateColorants  = "copy-colorants" // more than one ink
	GateGrain      = "copy-grain"     // no texture of ink
	GateTwins      = "copy-twins"     // one picture twice
)

// titles are what the gates look for: the names by which people know them.
var titles = map[string]string{
	GateResolution: "分辨率不足", GateSize: "尺寸不符", GateOutline: "尺寸不符", GateInk: "太淡", GateBleeding: "洇墨", GateEdge: "不完整", GateStrokes: "不完整",
	GateUpright: "不端正", GateAgreement: "两次印模不一致", GateSameSeal: "疑似不是同一枚印章",
	GateScreen: copied, GateColorants: copied, GateGrain: copied, GateTwins: copied,
}

const copied = "疑似复印件或图片"

// unacceptable are the gates whose warning no reason makes good.
var unacceptable = map[string]bool{GateSize: true, GateOutline: true, GateSameSeal: true}

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
