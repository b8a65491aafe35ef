package imprint

import (
	"strings"
	"testing"
)

// TestMissingInkAccusesNobody holds the two answers of the gate apart: only where another seal was seen may it say so.
func TestMissingInkAccusesNobody(t *testing.T) {
	for _, c := range []struct {
		like    kinship
		title   string
		accuses bool
	}{
		{kinship{outcome: Different, mismatch: .8, places: []Place{{}}}, "疑似不是同一枚印章", true},
		{kinship{outcome: CannotTell, mismatch: .2, places: []Place{{}, {}}}, "两次印模不一致", false},
	} {
		gates, verdict := titled([]Gate{gateSameSeal(c.like)})
		g := gates[0]
		if verdict != StampAgain || g.Acceptable || g.Title != c.title {
			t.Errorf("%s: %s, acceptable %v, %s", c.like.outcome, verdict, g.Acceptable, g.Title)
		}
		if says := strings.Contains(g.ZH, "不是同一枚") || strings.Contains(g.EN, "not of one seal"); says != c.accuses || g.ZH == "" || g.EN == "" {
			t.Errorf("%s: %s %s", c.like.outcome, g.ZH, g.EN)
		}
	}
}
