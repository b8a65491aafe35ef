package number

import (
	"regexp"
	"strings"
	"testing"

	"yinxin/internal/fault"
)

func TestTheTableOfRegionsIsWellFormedAndComplete(t *testing.T) {
	// What the lists of 1980 to 2021 come to when they are put together; a slip in a line changes a total.
	totals := map[string]int{"11": 37, "12": 29, "13": 423, "14": 264, "15": 192, "21": 184, "22": 147, "23": 290, "31": 41, "32": 295, "33": 240,
		"34": 241, "35": 213, "36": 236, "37": 356, "41": 365, "42": 238, "43": 268, "44": 388, "45": 238, "46": 57, "50": 53, "51": 501, "52": 152,
		"53": 232, "54": 167, "61": 224, "62": 173, "63": 64, "64": 56, "65": 171}
	form := regexp.MustCompile(`^[1-6][0-9]{3}( [0-9]{2}(-[0-9]{2})?)*$`)
	have := map[string]int{}
	before := ""
	for line := range strings.SplitSeq(strings.Trim(regions, "\n"), "\n") {
		if !form.MatchString(line) || line[:4] <= before {
			t.Fatalf("line %q after %q", line, before)
		}
		before = line[:4]
		last := "00"
		for counties := range strings.FieldsSeq(line[4:]) {
			from, to, many := strings.Cut(counties, "-")
			if from <= last || many && to <= from {
				t.Errorf("line %q: %s after %s", line, counties, last)
			}
			last = from
			if many {
				last = to
			}
		}
		for i := range 100 {
			if code := line[:4] + string(rune('0'+i/10)) + string(rune('0'+i%10)); i > 0 && KnownRegion(code) {
				have[line[:2]]++
			}
		}
	}
	for province, want := range totals {
		if have[province] != want {
			t.Errorf("%s: %d counties, want %d", province, have[province], want)
		}
	}
	if len(have) != len(totals) {
		t.Errorf("%d provinces", len(have))
	}
}

func TestRegionsOfEveryTimeAreKnown(t *testing.T) {
	for years, codes := range map[string]string{
		"1980": "110110 110229 130206 132101 132102 132733 133031 142433 150207 152634 210911 212101 212226 222121 222228 222328 222426 222525 " +
			"222625 230207 610203 612633 612732 620112 622101 622531 622727 632126 640205 642127 650107 652404 653227",
		"1993": "430104 430225 432302 432830 433031 439001 439008 440107 440304 441229 445224 449001 449018 450107 452129 452332 452731 452826 " +
			"460001 460036 510217 510232 511133 511228 512326 512535 513338 513437 513525 513624 513723 519001 519010 520201 522102 522230 522328",
		"2013 and later": "110101 110118 110119 220113 220184 220581 310115 330113 370116 410783 440311 500151 510118 540402 659011 659012",
		"above counties": "110000 220000 220100 220500 222400 419000 659000",
		"nothing below":  "710000 810000 820000 830000",
	} {
		for code := range strings.FieldsSeq(codes) {
			if !KnownRegion(code) {
				t.Errorf("%s: %s is not known", years, code)
			}
		}
	}
	for _, code := range []string{"", "11", "11010", "1101011", "110199", "119900", "290000", "100000", "990000", "13 101", "1101-1", "\n11010", "130171", "659099"} {
		if KnownRegion(code) {
			t.Errorf("%q is known", code)
		}
	}
}

func TestAnUnknownRegionIsADoubtAndAnUnknownProvinceARefusal(t *testing.T) {
	for code, want := range map[string]*fault.Spec{
		"91350100M000100Y43": nil, "11100000000013127D": nil, // the state
		"91350199M000100Y4": &ErrCreditRegionUnknown, "12990000M000100Y4": &ErrCreditRegionUnknown,
	} {
		if len(code) == 17 {
			code += string(creditCheck(code))
		}
		if want != nil {
			code = code[:8] + "M000100Y4"
			code += string(creditCheck(code))
		}
		if err := CreditCode(code); err != nil {
			t.Errorf("%s: %v", code, err)
		}
		if err := DoubtCredit(code, nil); want == nil && err != nil || want != nil && !fault.Has(err, *want) {
			t.Errorf("%s: %v", code, err)
		}
	}
	if err := DoubtIdentity("110105194912310020", nil); err != nil {
		t.Error(err)
	}
	if err := DoubtIdentity("110199194912310020", nil); !fault.Has(err, ErrIdentityRegionUnknown) || strings.Contains(err.Error(), "1949") {
		t.Error(err)
	}
}

func TestRegionsThatAnInstallationKnowsBesidesAreNoDoubt(t *testing.T) {
	const code = "91119900M000100Y40"
	for _, c := range []struct {
		further []string
		doubt   bool
	}{{nil, true}, {[]string{""}, true}, {[]string{"1198", "119901"}, true}, {[]string{"1198", "1199"}, false}, {[]string{"119900"}, false}} {
		if got := DoubtCredit(code, c.further) != nil; got != c.doubt {
			t.Errorf("%q: %v", c.further, got)
		}
		if got := DoubtIdentity(code[2:], c.further) != nil; got != c.doubt {
			t.Errorf("identity, %q: %v", c.further, got)
		}
	}
}

func BenchmarkKnownRegion(b *testing.B) {
	for b.Loop() {
		KnownRegion("659011") // the last line
	}
}
