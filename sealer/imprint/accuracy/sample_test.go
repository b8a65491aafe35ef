package accuracy

import (
	"context"
	"slices"
	"testing"
)

// TestASampleKeepsTheTargets measures a few small forms of the tuning range: the targets at 300 dpi, as far as a sample
// of this size can speak of them.
func TestASampleKeepsTheTargets(t *testing.T) {
	if testing.Short() {
		t.Skip("draws a dozen forms and more")
	}
	needsFont(t)
	most := map[Group]int{Good: 6, Damaged: 3, Different: 4, WrongSize: 2, Copied: 3}
	cases := slices.DeleteFunc(Cases(Tuning, .2), func(c Case) bool {
		if c.Form.DPI != 300 || !c.Form.Crop || most[c.Group] == 0 {
			return true
		}
		most[c.Group]--
		return false
	})
	scores, err := Run(context.Background(), cases, 2, nil)
	if err != nil {
		t.Fatal(err)
	}
	target := Targets[300]
	for _, f := range Summary(scores) {
		switch f.Group {
		case Good:
			if f.Scored != f.Forms || f.Overlap < target.OverlapGood || f.Least < target.OverlapGoodLeast || f.Edges < target.Edges ||
				f.Alpha > target.Alpha || f.AngleMax > target.AngleMost || f.SizeMax > target.SizeMost || f.Refused > 0 {
				t.Errorf("%+v", f)
			}
		case Damaged:
			// Refusing a damaged form is no error; a bad template of one that passes is.
			if f.Scored == 0 || f.Overlap < target.OverlapDamaged {
				t.Errorf("%+v", f)
			}
		case Copied:
			if f.Usable > 0 {
				t.Errorf("%+v", f)
			}
		default:
			if f.Refused != f.Forms {
				t.Errorf("%+v", f)
			}
		}
		for _, line := range Worst(scores, f.Group, 5) {
			t.Log(line)
		}
	}
}
