package imprint

import "testing"

// TestTwoDoubtsAboutACopyMakeSure: each sign by itself may be wrong, two of them are not.
func TestTwoDoubtsAboutACopyMakeSure(t *testing.T) {
	genuine := texture{core: 2 * leastCore, grain: 2 * grainWarn, screen: 1}
	even := genuine
	even.grain = (grainWarn + grainRefuse) / 2
	screened := genuine
	screened.screen = (screenWarn + screenRefuse) / 2
	alike := twin{core: 2 * leastCore, correlation: (alikeWarn + alikeRefuse) / 2, difference: twinsWarn / 2}
	unlike := twin{core: 2 * leastCore, correlation: 0, difference: 1}
	for _, c := range []struct {
		name  string
		signs signs
		want  map[string]Verdict // of the gates that are not usable
	}{
		{"genuine", signs{[]texture{genuine, genuine}, unlike}, nil},
		{"even ink", signs{[]texture{genuine, even}, unlike}, map[string]Verdict{GateGrain: Warn}},
		{"a screen", signs{[]texture{screened, genuine}, unlike}, map[string]Verdict{GateScreen: Warn}},
		{"alike", signs{[]texture{genuine, genuine}, alike}, map[string]Verdict{GateTwins: Warn}},
		{"even and alike, as of one rubber with fine pores", signs{[]texture{even, even}, alike}, map[string]Verdict{GateGrain: Warn, GateTwins: Warn}},
		{"even, alike and a screen", signs{[]texture{even, screened}, alike}, map[string]Verdict{GateGrain: StampAgain, GateTwins: StampAgain, GateScreen: StampAgain}},
		{"even and a screen", signs{[]texture{even, screened}, unlike}, map[string]Verdict{GateGrain: StampAgain, GateScreen: StampAgain}},
	} {
		for _, g := range c.signs.gates(300) {
			want := c.want[g.Name]
			if want == "" {
				want = Usable
			}
			if g.Verdict != want {
				t.Errorf("%s: %s is %s, want %s", c.name, g.Name, g.Verdict, want)
			}
			if g.ZH == "" || g.EN == "" {
				t.Errorf("%s: %s says nothing", c.name, g.Name)
			}
		}
	}
}
