package roster

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/xuri/excelize/v2"

	"yinxin/internal/civil"
)

// unseen are blanks of every kind and characters without a glyph (zero-width blanks, byte order marks, controls).
func unseen(r rune) bool {
	return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r)
}

// fold brings text into the form in which it is compared: nothing unseen, full-width forms as ordinary ones. So
// “印章（１）” and "印章 (1)" are the same.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unseen(r):
			return -1
		case r >= '！' && r <= '～':
			return r - ('！' - '!')
		}
		return r
	}, s)
}

// tidy is text as it is kept: no blanks at the ends, one between words, none next to a Chinese character, where people
// put them (and line breaks) for looks only.
func tidy(s string) string {
	var words []string
	for _, w := range strings.FieldsFunc(s, unseen) {
		if n := len(words); n > 0 && (wide(lastRune(words[n-1])) || wide([]rune(w)[0])) {
			words[n-1] += w
			continue
		}
		words = append(words, w)
	}
	return strings.Join(words, " ")
}

func lastRune(s string) rune {
	r := []rune(s)
	return r[len(r)-1]
}

// wide are Chinese characters and their punctuation.
func wide(r rune) bool {
	return unicode.Is(unicode.Han, r) || r >= 0x3000 && r <= 0x303F || r >= 0xFF00 && r <= 0xFFEF || r == '·'
}

// plain is the content of a cell as text. A number is written out in digits; lost tells that it has more than the 15
// digits a spreadsheet keeps (IEEE 754 binary64, ECMA-376-1 18.3.1.96), so that the last ones are not what was typed.
func (c *cell) plain() (s string, lost bool) {
	if c.kind != numeric {
		return c.value, false
	}
	f, err := strconv.ParseFloat(c.value, 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return c.value, false
	}
	if math.Abs(f) >= 1e15 {
		return "", true
	}
	return strconv.FormatFloat(f, 'f', -1, 64), false
}

// scientific is how a spreadsheet shows a long number in a narrow column, and what is left when that is copied as text.
var scientific = regexp.MustCompile(`^[0-9](\.[0-9]+)?[eE]\+?[0-9]+$`)

var (
	dateParts  = regexp.MustCompile(`(\d{4})[年\-/.](\d{1,2})[月\-/.](\d{1,2})(?:\D|$)`)
	dateDigits = regexp.MustCompile(`^(\d{4})(\d{2})(\d{2})$`)
	dateHan    = regexp.MustCompile(`([〇○零一二三四五六七八九]{4})年([一二三四五六七八九十]{1,3})月([一二三四五六七八九十]{1,3})日`)
)

// parseDate reads a day as people write it: 2025年3月24日, 2025-03-24, 2025/3/24, 2025.3.24, 20250324,
// 二〇二五年三月二十四日, full-width digits, blanks anywhere.
func parseDate(s string) (time.Time, bool) {
	s = fold(s)
	if m := dateHan.FindStringSubmatch(s); m != nil {
		year := 0
		for _, r := range m[1] {
			year = year*10 + hanDigit(r)
		}
		return day(year, hanNumber(m[2]), hanNumber(m[3]))
	}
	m := dateParts.FindStringSubmatch(s)
	if m == nil {
		m = dateDigits.FindStringSubmatch(s)
	}
	if m == nil {
		return time.Time{}, false
	}
	year, _ := strconv.Atoi(m[1])
	month, _ := strconv.Atoi(m[2])
	d, _ := strconv.Atoi(m[3])
	return day(year, month, d)
}

func day(year, month, d int) (time.Time, bool) {
	t := time.Date(year, time.Month(month), d, 0, 0, 0, 0, civil.China)
	return t, year >= 1900 && t.Month() == time.Month(month) && t.Day() == d
}

func hanDigit(r rune) int {
	if r == '○' || r == '零' {
		return 0
	}
	for i, h := range []rune("〇一二三四五六七八九") {
		if h == r {
			return i
		}
	}
	return 0
}

// hanNumber reads a number up to 99: 三, 十, 十二, 二十四.
func hanNumber(s string) int {
	tens, units, found := strings.Cut(s, "十")
	if !found {
		tens, units = "", s
	}
	n := 0
	if found {
		n = 10
		if tens != "" {
			n = 10 * hanDigit([]rune(tens)[0])
		}
	}
	if units != "" {
		n += hanDigit([]rune(units)[0])
	}
	return n
}

// serialDate reads a day as a spreadsheet counts it: days since 30 December 1899, or since 1 January 1904
// (ECMA-376-1, 18.17.4.1). Only this century counts as a date.
func serialDate(value string, date1904 bool) (time.Time, bool) {
	f, err := strconv.ParseFloat(value, 64)
	if err != nil || !(f >= 1 && f < 100_000) {
		return time.Time{}, false
	}
	t, err := excelize.ExcelDateToTime(math.Floor(f), date1904)
	if err != nil || t.Year() < 2000 || t.Year() >= 2100 {
		return time.Time{}, false
	}
	return day(t.Year(), int(t.Month()), t.Day())
}
