package number_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"yinxin/ca/number"
	"yinxin/internal/fault"
)

var today = time.Date(2026, 11, 26, 8, 0, 0, 0, time.UTC)

func TestCodesOfTheStandardAndOfKnownOrganisationsAreAccepted(t *testing.T) {
	for code, who := range map[string]string{
		"91350100M000100Y43": "GB 32100-2015, example",
		"11100000000013127D": "a ministry",
		"12100000400002259P": "a university under the state",
		"914403001922038216": "a company",
		"9144030071526726XG": "a company whose organisation code ends in X",
	} {
		if err := number.CreditCode(code); err != nil {
			t.Errorf("%s (%s): %v", code, who, err)
		}
	}
}

func TestEveryChangeOfOneCharacterOfACreditCodeIsSeen(t *testing.T) {
	for _, code := range []string{"91350100M000100Y43", "11100000000013127D"} {
		for i := range code {
			for _, c := range "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZa" {
				if bad := code[:i] + string(c) + code[i+1:]; bad != code && number.CreditCode(bad) == nil {
					t.Errorf("%s is accepted", bad)
				}
			}
		}
	}
}

func TestARefusedCreditCodeSaysWhatIsWrongWithIt(t *testing.T) {
	for name, c := range map[string]struct {
		code string
		want fault.Spec
	}{
		"empty":                                {"", number.ErrCreditLength},
		"seventeen":                            {"91350100M000100Y4", number.ErrCreditLength},
		"nineteen":                             {"91350100M000100Y433", number.ErrCreditLength},
		"small letter":                         {"91350100m000100Y43", number.ErrCreditCharacter},
		"letter that is left out":              {"91350100M000100Y4I", number.ErrCreditCharacter},
		"letter in the region":                 {"9135010AM000100Y43", number.ErrCreditCharacter},
		"Chinese of eighteen bytes":            {"统一社会信用", number.ErrCreditCharacter},
		"no such authority":                    {"C1350100M000100Y43", number.ErrCreditAuthority},
		"no such category":                     {"99350100M000100Y43", number.ErrCreditAuthority},
		"no such province":                     {"91290100M000100Y43", number.ErrCreditRegion},
		"the state has one region":             {"91100100M000100Y43", number.ErrCreditRegion},
		"wrong check character":                {"91350100M000100Y44", number.ErrCreditCheck},
		"check character right, inner one not": {"91350100M000100Y56", number.ErrCreditOrganisation},
	} {
		err := number.CreditCode(c.code)
		if !fault.Has(err, c.want) {
			t.Errorf("%s: %v, want %s", name, err, c.want.Code)
		}
		if c.code != "" && err != nil && strings.Contains(err.Error(), c.code) {
			t.Errorf("%s: the error contains the code", name)
		}
	}
}

func TestAnIdentityNumberTellsRegionBirthAndSex(t *testing.T) {
	b, err := number.Identity("11010519491231002X", today)
	if err != nil || b.Region != "110105" || b.Birth.Format("2006-01-02") != "1949-12-31" || b.Sex != number.Female || b.Sex.String() != "2-女" {
		t.Errorf("%+v, %v", b, err)
	}
	b, err = number.Identity("440524188001010014", time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC))
	if err != nil || b.Sex != number.Male || b.Sex.String() != "1-男" || b.Age(time.Date(1999, 12, 31, 12, 0, 0, 0, time.UTC)) != 119 {
		t.Errorf("%+v, %v", b, err)
	}
}

func TestARefusedIdentityNumberSaysWhatIsWrongWithIt(t *testing.T) {
	for name, c := range map[string]struct {
		number string
		want   fault.Spec
	}{
		"empty":                           {"", number.ErrIdentityLength},
		"first generation":                {"110105491231002", number.ErrIdentityOld},
		"twenty digits, as in the notice": {"22010219900101123400", number.ErrIdentityLength},
		"small x":                         {"11010519491231002x", number.ErrIdentityCharacter},
		"x in the middle":                 {"1101051949123100X2", number.ErrIdentityCharacter},
		"Chinese of eighteen bytes":       {"身份证号码号", number.ErrIdentityCharacter},
		"no such province":                {"29010519491231002X", number.ErrIdentityRegion},
		"no such day":                     {"110105194902300020", number.ErrIdentityBirth},
		"born tomorrow":                   {"110105202611270014", number.ErrIdentityBirth},
		"born 126 years ago":              {"110105190001010014", number.ErrIdentityBirth},
		"wrong check character":           {"110105194912310021", number.ErrIdentityCheck},
	} {
		_, err := number.Identity(c.number, today)
		if !fault.Has(err, c.want) {
			t.Errorf("%s: %v, want %s", name, err, c.want.Code)
		}
		if c.number != "" && err != nil && strings.Contains(err.Error(), c.number) {
			t.Errorf("%s: the error contains the number", name)
		}
	}
}

func TestTheDateOfBirthIsJudgedInChina(t *testing.T) {
	const born = "110105202611270" // the 27th; with order number and check character
	full := born + "01" + "1"
	for c := range strings.SplitSeq("0123456789X", "") {
		if _, err := number.Identity(born+"01"+c, time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC)); err == nil {
			full = born + "01" + c
		}
	}
	if _, err := number.Identity(full, time.Date(2026, 11, 26, 15, 59, 59, 0, time.UTC)); !fault.Has(err, number.ErrIdentityBirth) {
		t.Errorf("a second before midnight in China: %v", err)
	}
	b, err := number.Identity(full, time.Date(2026, 11, 26, 16, 0, 0, 0, time.UTC))
	if err != nil || b.Age(time.Date(2042, 11, 26, 15, 59, 59, 0, time.UTC)) != 15 || b.Age(time.Date(2042, 11, 26, 16, 0, 0, 0, time.UTC)) != 16 {
		t.Errorf("midnight in China: %+v, %v", b, err)
	}
}

func TestEveryChangeOfOneDigitAndEverySwapOfAnIdentityNumberIsSeen(t *testing.T) {
	const valid = "11010519491231002X"
	for i := range valid {
		for _, c := range "0123456789X" {
			if bad := valid[:i] + string(c) + valid[i+1:]; bad != valid {
				if _, err := number.Identity(bad, today); err == nil {
					t.Errorf("%s is accepted", bad)
				}
			}
		}
		if i > 0 && valid[i] != valid[i-1] {
			bad := valid[:i-1] + valid[i:i+1] + valid[i-1:i] + valid[i+1:]
			if _, err := number.Identity(bad, today); err == nil {
				t.Errorf("%s is accepted", bad)
			}
		}
	}
}

func TestEveryProvinceIsKnownAndNothingElse(t *testing.T) {
	known := 0
	for a := '0'; a <= '9'; a++ {
		for b := '0'; b <= '9'; b++ {
			if _, ok := number.Province(string([]rune{a, b})); ok {
				known++
			}
		}
	}
	// 31 provinces, 71, 81, 82, and 83 of the residence permits.
	if name, _ := number.Province("220100"); known != 35 || name != "吉林省" {
		t.Errorf("%d provinces, 22 is %s", known, name)
	}
	if _, ok := number.Province("2"); ok {
		t.Error("one digit is a province")
	}
}

func TestMobileNumbers(t *testing.T) {
	for _, good := range []string{"13812345678", "19999999999", "15400000000"} {
		if err := number.Mobile(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{"", "1381234567", "138123456789", "12012345678", "23812345678", "1381234567x", "１３８１２", " 13812345678"} {
		if err := number.Mobile(bad); !fault.Has(err, number.ErrMobile) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func TestWhatPeopleTypeIsBroughtIntoOneForm(t *testing.T) {
	for typed, want := range map[string]string{
		" 11010519491231002x ": "11010519491231002X",
		"１１０１０５１９４９１２３１００２ｘ": "11010519491231002X",
		"110105 19491231 002X":           "11010519491231002X",
		"　110105\u00a019491231\t002X\n":  "11010519491231002X",
		"\ufeff11010519491231\u200b002X": "11010519491231002X",
		"9135010０m000100y43":             "91350100M000100Y43",
		"一二三":                            "一二三",
	} {
		if got := number.Normal(typed); got != want {
			t.Errorf("%q becomes %q", typed, got)
		}
	}
	for typed, want := range map[string]string{
		"138 1234 5678": "13812345678",
		"138-1234-5678": "13812345678",
		"＋８６１３８１２３４５６７８": "13812345678",
		"008613812345678": "13812345678",
		"8613812345678":   "13812345678",
		"86138123456":     "86138123456",
	} {
		if got := number.NormalMobile(typed); got != want {
			t.Errorf("%q becomes %q", typed, got)
		}
	}
}

func TestMasksKeepBackTheMiddleAndAllOfWhatIsNoNumber(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{number.MaskIdentity("220102199001011234"), "220***********1234"},
		{number.MaskMobile("13812345678"), "138****5678"},
		{number.MaskIdentity("22010219900101123456"), strings.Repeat("*", 18)},
		{number.MaskIdentity("1234"), "****"},
		{number.MaskMobile("张三"), "**"},
		{number.MaskMobile(""), ""},
	} {
		if c.got != c.want {
			t.Errorf("%s, want %s", c.got, c.want)
		}
	}
}

// FuzzNumbers holds every text against the checks: nothing panics, normalising is done once, what is accepted is its
// own normal form, an error never repeats the text, and a mask keeps back at least seven characters of a number.
func FuzzNumbers(f *testing.F) {
	for _, s := range []string{"", "91350100M000100Y43", "11010519491231002X", "13812345678", "１３８ 1234\u200b5678", "\xff\xfe", "+8613812345678"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if n := number.Normal(s); number.Normal(n) != n {
			t.Errorf("%q becomes %q and then another", s, n)
		}
		credit := number.CreditCode(s)
		_, identity := number.Identity(s, today)
		mobile := number.Mobile(s)
		for _, err := range []error{credit, identity, mobile} {
			if err == nil && number.Normal(s) != s {
				t.Errorf("%q is accepted and is not normal", s)
			}
			if err != nil && len(s) >= 11 && strings.Contains(err.Error(), s) {
				t.Errorf("the error repeats %q", s)
			}
		}
		if identity == nil && (s[16]%2 == 1) != (mustSex(t, s) == number.Male) {
			t.Errorf("%q: sex", s)
		}
		for _, masked := range []string{number.MaskIdentity(s), number.MaskMobile(s)} {
			if shown := utf8.RuneCountInString(masked) - strings.Count(masked, "*"); shown > 7 {
				t.Errorf("%q is masked as %q", s, masked)
			}
		}
	})
}

func mustSex(t *testing.T, s string) number.Sex {
	b, err := number.Identity(s, today)
	if err != nil {
		t.Fatal(err)
	}
	return b.Sex
}
