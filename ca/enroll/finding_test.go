package enroll

import (
	"testing"

	"yinxin/ca/enroll/form"
)

func TestACreditCodeOfAnotherPrefectureIsNoticed(t *testing.T) {
	for name, c := range map[string]struct {
		code, area string
		want       bool
	}{
		"another prefecture":      {"91350100M000100Y43", "350200", true},
		"another province":        {"91350100M000100Y43", "220100", true},
		"the same":                {"91350100M000100Y43", "350100", false},
		"a county of it":          {"91350100M000100Y43", "350102", false},
		"a code of the state":     {"11100000000013127D", "350200", false},
		"an area that is not one": {"91350100M000100Y43", "227100", false},
		"no area":                 {"91350100M000100Y43", "", false},
		"no credit code":          {"91350100", "350200", false},
	} {
		if got := elsewhere(c.code, c.area); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestARegionInTheRosterThatIsNotKnownIsConfirmed(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		by := w.handler[unitA]
		f := w.filled(unitA)
		f.Methods = []form.Method{form.Distributed}
		a := w.with(w.Create(ctx, by, unitA, f))
		a, _, err := w.ImportRoster(ctx, by, a.Ref(), w.workbook(unitA, "US01-生效", userPerson))
		w.must(err)
		codes := func() map[string]form.Severity {
			list, err := w.Findings(ctx, by, a.ID)
			w.must(err)
			found := map[string]form.Severity{}
			for _, f := range list {
				found[f.Code] = f.Severity
			}
			return found
		}
		if got := codes(); got[findingRosterRegion.Code] != "" {
			t.Errorf("known regions: %v", got)
		}
		w.Regions = nil
		if got := codes(); got[findingRosterRegion.Code] != form.Confirm {
			t.Errorf("unknown regions: %v", got)
		}
	})
}
