package accuracy

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Target is what notes/imprint.md asks of a resolution.
type Target struct {
	OverlapGood, OverlapGoodLeast, OverlapDamaged float64
	Edges, Alpha                                  float64
	AngleP95, AngleMost, SizeP95, SizeMost        float64
	CPU                                           float64 // ms per imprint
}

// Targets by resolution.
var Targets = map[int]Target{
	300: {.95, .90, .90, .995, .012, .25, .5, .05, .2, 200},
	600: {.97, .945, .92, .998, .008, .15, .3, .03, .2, 300},
}

// Figures are those of one group at one resolution.
type Figures struct {
	Group    Group   `json:"group"`
	DPI      int     `json:"dpi"`
	Forms    int     `json:"forms"`
	Scored   int     `json:"scored"` // templates that were not refused; the means are over them
	Usable   int     `json:"usable"`
	Warned   int     `json:"warned"` // an officer may accept them with a reason
	Refused  int     `json:"refused"`
	Overlap  float64 `json:"iouMean"`
	Least    float64 `json:"iouLeast"`
	Edges    float64 `json:"fMean"`
	Alpha    float64 `json:"alphaErrorMean"`
	AngleP95 float64 `json:"angleP95Degrees"`
	AngleMax float64 `json:"angleMaxDegrees"`
	SizeP95  float64 `json:"sizeP95MM"`
	SizeMax  float64 `json:"sizeMaxMM"`
}

// Summary groups the scores.
func Summary(scores []Score) []Figures {
	var all []Figures
	for _, dpi := range Resolutions {
		for _, group := range groups {
			if f := figures(scores, group, dpi); f.Forms > 0 {
				all = append(all, f)
			}
		}
	}
	return all
}

func figures(scores []Score, group Group, dpi int) Figures {
	f := Figures{Group: group, DPI: dpi, Least: 1}
	var angles, sizes []float64
	for _, s := range scores {
		if s.Group != group || s.DPI != dpi {
			continue
		}
		f.Forms++
		switch {
		case s.Refused():
			f.Refused++
		case s.Verdict == "usable":
			f.Usable++
		default:
			f.Warned++
		}
		if !s.Scored || s.Refused() {
			continue
		}
		f.Scored++
		f.Overlap += s.Overlap
		f.Least = min(f.Least, s.Overlap)
		f.Edges += s.Edges
		f.Alpha += s.Alpha
		angles, sizes = append(angles, math.Abs(s.Angle)), append(sizes, math.Abs(s.Size))
	}
	n := float64(max(f.Scored, 1))
	f.Overlap, f.Edges, f.Alpha = f.Overlap/n, f.Edges/n, f.Alpha/n
	if f.Scored == 0 {
		f.Least = 0
	}
	f.AngleP95, f.AngleMax = tail(angles)
	f.SizeP95, f.SizeMax = tail(sizes)
	return f
}

// tail is the value that 95 of 100 do not exceed, and the largest.
func tail(values []float64) (p95, most float64) {
	if len(values) == 0 {
		return 0, 0
	}
	slices.Sort(values)
	return values[min(len(values)-1, int(math.Ceil(0.95*float64(len(values))))-1)], values[len(values)-1]
}

// Table is the summary as Markdown: accuracy, then the gates. cpu is the processor time per imprint in ms by
// resolution; 0 or nothing where it was not taken.
func Table(all []Figures, cpu map[int]float64) string {
	var b strings.Builder
	fmt.Fprintln(&b, "| dpi | forms | templates | IoU mean / min | F 0.1 mm | alpha error | angle p95 / max ° | size p95 / max mm | CPU ms per imprint |")
	fmt.Fprintln(&b, "|---|---|---|---|---|---|---|---|---|")
	for _, f := range all {
		if f.Group != Good && f.Group != Damaged {
			continue
		}
		taken := "–"
		if cpu[f.DPI] > 0 && f.Group == Good {
			taken = fmt.Sprintf("%.0f", cpu[f.DPI])
		}
		fmt.Fprintf(&b, "| %d | %s | %d of %d | %.3f / %.3f | %.4f | %.4f | %.2f / %.2f | %.3f / %.3f | %s |\n", f.DPI, f.Group, f.Scored, f.Forms,
			f.Overlap, f.Least, f.Edges, f.Alpha, f.AngleP95, f.AngleMax, f.SizeP95, f.SizeMax, taken)
	}
	for _, dpi := range Resolutions {
		t := Targets[dpi]
		fmt.Fprintf(&b, "| %d | *target* | | %.2f / %.3f good, %.2f damaged | %.3f | %.3f | %.2f / %.2f | %.2f / %.2f | %.0f |\n", dpi,
			t.OverlapGood, t.OverlapGoodLeast, t.OverlapDamaged, t.Edges, t.Alpha, t.AngleP95, t.AngleMost, t.SizeP95, t.SizeMost, t.CPU)
	}
	fmt.Fprintln(&b, "\n| dpi | forms | number | usable | with a reason | refused | target |")
	fmt.Fprintln(&b, "|---|---|---|---|---|---|---|")
	targets := map[Group]string{Good: "refused ≤ 2 %", Damaged: "–", Different: "all refused", WrongSize: "all refused",
		Copied: "none usable", Photo: "none usable"}
	for _, f := range all {
		fmt.Fprintf(&b, "| %d | %s | %d | %d | %d | %d (%.1f %%) | %s |\n", f.DPI, f.Group, f.Forms, f.Usable, f.Warned, f.Refused,
			100*float64(f.Refused)/float64(f.Forms), targets[f.Group])
	}
	return b.String()
}

// Worst lists the forms of a group that went worst, the worst first, a line each: refused good ones and low overlaps,
// or wrong ones that were let through.
func Worst(scores []Score, group Group, most int) []string {
	badness := func(s Score) float64 {
		if group != Good && group != Damaged {
			switch {
			case s.Refused():
				return 0
			case s.Verdict == "usable":
				return 2
			}
			return 1
		}
		bad := 0.0
		if s.Refused() && group == Good {
			bad = 2
		}
		if s.Code != "" {
			bad += 1
		}
		if s.Fused < s.Expected && s.Code == "" {
			bad += .2
		}
		if s.Scored {
			t := Targets[s.DPI]
			want := t.OverlapGoodLeast
			if s.Group == Damaged {
				want = t.OverlapDamaged
			}
			bad += max(0, want-s.Overlap) + .2*max(0, math.Abs(s.Angle)-t.AngleP95) + .5*max(0, math.Abs(s.Size)-t.SizeP95)
		}
		return bad
	}
	var bad []Score
	for _, s := range scores {
		if s.Group == group && badness(s) > 0.005 {
			bad = append(bad, s)
		}
	}
	slices.SortStableFunc(bad, func(a, b Score) int { return cmp.Compare(badness(b), badness(a)) })
	var lines []string
	for _, s := range bad[:min(most, len(bad))] {
		what := s.Code
		if what == "" {
			what = fmt.Sprintf("%s, %d of %d fused", s.Verdict, s.Fused, s.Expected)
			if s.Scored {
				what += fmt.Sprintf(", IoU %.3f, F %.3f, angle %+.2f°, size %+.3f mm", s.Overlap, s.Edges, s.Angle, s.Size)
			}
		}
		if s.Turn > 0 {
			what = fmt.Sprintf("page turned by %d°, %s", 90*s.Turn, what)
		}
		lines = append(lines, fmt.Sprintf("%s %d dpi #%d: %s; %s; %s: %s [%s]", s.Group, s.DPI, s.Number, s.Kind, cmp.Or(s.Damage, "nothing wrong"),
			cmp.Or(s.Format, "jpeg"), what, strings.Join(s.Gates, ", ")))
	}
	return lines
}
