package imprint

import "fmt"

// gateAgreement asks how completely the two imprints show the same strokes. A form has two boxes for two imprints; one
// alone may be accepted with a reason, since nothing contradicts it, but nothing confirms it either.
func gateAgreement(found int, c comparison) Gate {
	g := Gate{Name: GateAgreement, Unit: "ratio", WarnAt: matchWarn}
	if found < 2 {
		g.Verdict, g.ZH, g.EN = Warn, "只找到一处印模，无法与另一处相互核对。", "Only one imprint was found; it cannot be checked against the other."
		return g
	}
	g.Value = 1 - c.match
	g.Verdict = above(g.Value, matchWarn, 0)
	share := 100 * g.Value
	g.Value = rounded(g.Value, 4)
	return g.say([3]string{"两处印模相互一致。", fmt.Sprintf("两处印模约有 %.0f%% 的笔画只见于其中一处，建议重新盖章。", share), ""},
		[3]string{"Both imprints show the same strokes.",
			fmt.Sprintf("About %.0f %% of the strokes are in one of the two imprints only; stamping again is advised.", share), ""})
}

// gateSameSeal refuses when it sees another seal, and also when gaps could hide one: nobody can tell a missing dot
// from one that was never there. That second answer accuses nobody: it says what is missing and goes by another title.
func gateSameSeal(l kinship) Gate {
	g := Gate{Name: GateSameSeal, Verdict: Usable, Value: rounded(l.mismatch, 3), Unit: "mm²", RefuseAt: likeSame}
	if l.outcome != Same {
		g.Verdict = StampAgain
	}
	if l.outcome == CannotTell {
		g.Title = titles[GateAgreement]
		return g.say([3]string{"", "", fmt.Sprintf("有 %d 处笔画只见于其中一处印模，可能是没有盖上，不足以确认两处相同，请重新盖章两次。", max(1, len(l.places)))},
			[3]string{"", "", fmt.Sprintf("In %d places only one of the two imprints shows the strokes; ink may be missing, and the two cannot be confirmed to be alike; stamp both boxes again.",
				max(1, len(l.places)))})
	}
	return g.say([3]string{"两处印模是同一枚印章。", "", "两处印模不是同一枚印章，请用同一枚印章重新盖章。"},
		[3]string{"Both imprints are of one seal.", "", "The two imprints are not of one seal; stamp both boxes with the same seal."})
}
