package imprint

import (
	"fmt"
	"math"
)

func gateResolution(s *session) Gate {
	dpi := math.Min(s.scale.X, s.scale.Y)
	g := Gate{Name: GateResolution, Value: rounded(dpi, 1), Unit: "dpi", WarnAt: resolutionWarn, RefuseAt: resolutionRefuse}
	g.Verdict = below(dpi, resolutionWarn-1, resolutionRefuse-1) // 299.99 is 300
	return g.say(
		[3]string{fmt.Sprintf("扫描分辨率为 %.0f dpi，满足要求。", dpi),
			fmt.Sprintf("扫描分辨率只有 %.0f dpi，建议以 300 dpi 以上重新扫描。", dpi),
			fmt.Sprintf("扫描分辨率只有 %.0f dpi，不足以制作印章，请以 300 dpi 以上重新扫描。", dpi)},
		[3]string{fmt.Sprintf("The resolution of %.0f dpi is enough.", dpi),
			fmt.Sprintf("The resolution is only %.0f dpi; scan again at 300 dpi or more.", dpi),
			fmt.Sprintf("The resolution of %.0f dpi is too low for a seal; scan again at 300 dpi or more.", dpi)})
}

// gateSize holds both sides against the declared size. The person who filled in the form and the one who scanned it can
// both be wrong, and a reason makes neither right: a difference has to be cleared up. What the ink crept is taken off
// before, where the border tells it: a scan of the wrong scale makes all lengths longer by the same share and leaves the
// border as thin as it was, wet paper makes every stroke broader by the same length.
func gateSize(s *session, good []*mark, used []*view) Gate {
	g := Gate{Name: GateSize, Verdict: Usable, Unit: "mm", WarnAt: sizeWarn, RefuseAt: sizeRefuse}
	measured, declared, crept := "", sizeText(good[0].rim.shape, s.declared.w, s.declared.h, "%g"), 0.0
	soft := softEdge(math.Min(s.scale.X, s.scale.Y))
	for _, m := range good[:len(used)] {
		creep := m.crept(s.declared, soft)
		d := m.difference(s.declared)
		difference := size{withoutCreep(d.w, creep), withoutCreep(d.h, creep)}.worst()
		if measured == "" || math.Abs(difference) > math.Abs(g.Value) {
			g.Value, crept = difference, d.worst()-difference
			measured = sizeText(m.rim.shape, 2*m.pose.halfW, 2*m.pose.halfH, "%.2f")
		}
	}
	g.Verdict = above(math.Abs(g.Value), sizeWarn, sizeRefuse)
	g.Value = rounded(g.Value, 3)
	g = g.say(
		[3]string{fmt.Sprintf("测得尺寸 %s 毫米，与申报的 %s 毫米相符。", measured, declared),
			fmt.Sprintf("测得尺寸 %s 毫米，与申报的 %s 毫米相差 %.2f 毫米，请核对申报尺寸和扫描分辨率，更正后重新办理。", measured, declared, math.Abs(g.Value)),
			fmt.Sprintf("测得尺寸 %s 毫米，与申报的 %s 毫米不符，请更正尺寸或重新盖章。", measured, declared)},
		[3]string{fmt.Sprintf("The measured size of %s mm agrees with the declared %s mm.", measured, declared),
			fmt.Sprintf("The measured size of %s mm differs from the declared %s mm by %.2f mm; check the declared size and the scan's resolution, and correct the wrong one.", measured, declared, math.Abs(g.Value)),
			fmt.Sprintf("The measured size of %s mm contradicts the declared %s mm; correct the size or stamp again.", measured, declared)})
	if crept > .01 {
		g.ZH += fmt.Sprintf("（已扣除洇墨约 %.2f 毫米。）", crept)
		g.EN += fmt.Sprintf(" (About %.2f mm of crept ink were taken off.)", crept)
	}
	return g
}

// crept is by how much wet ink has made the seal larger, both sides together, as far as two things show it: edges that
// are soft and a border that is broader than borders are.
func (m *mark) crept(declared size, softLimit float64) float64 {
	broader := m.rim.border - usualBorder(declared.larger())
	if m.rim.border == 0 || m.rim.edgeWidth <= softLimit || broader <= .1 {
		return 0
	}
	return math.Min(broader, 2*mostErosion)
}

// withoutCreep is a difference of size less what crept, which makes seals larger only.
func withoutCreep(difference, creep float64) float64 {
	return difference - clamp(difference, 0, creep)
}

// gateOutline asks whether the seal has the shape that was declared: a circle that is none has no diameter.
func gateOutline(good []*mark, used []*view) Gate {
	g := Gate{Name: GateOutline, Unit: "mm", WarnAt: outlineWarn, RefuseAt: outlineRefuse}
	for _, m := range good[:len(used)] {
		g.Value = math.Max(g.Value, m.rim.residual)
	}
	g.Verdict = above(g.Value, outlineWarn, outlineRefuse)
	g.Value = rounded(g.Value, 3)
	return g.say([3]string{"外形与申报的一致。", "印章外形与申报的形状不完全相符，请核对形状和尺寸，或重新扫描。", "印章外形与申报的形状不符，请更正后重新办理。"},
		[3]string{"The outline is of the declared shape.", "The outline is not quite of the declared shape; check shape and size, or scan again.",
			"The outline contradicts the declared shape; correct it."})
}

// sizeText is a diameter or both sides.
func sizeText(shape Shape, w, h float64, format string) string {
	if shape == Round {
		return fmt.Sprintf(format, w)
	}
	return fmt.Sprintf(format+" × "+format, w, h)
}

func gateUpright(good []*mark, used []*view) Gate {
	g := Gate{Name: GateUpright, Verdict: Usable, Unit: "degrees", WarnAt: uprightWarn}
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
