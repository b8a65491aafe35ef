package view

import (
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// radicals are the simplified forms of the CJK radicals supplement that fonts' character maps name instead of the
// ideograph, because both have the same glyph. Unicode gives them no decomposition; the Kangxi radicals have one.
var radicals = map[rune]rune{
	'⺠': '民', '⻅': '见', '⻆': '角', '⻉': '贝', '⻋': '车', '⻓': '长', '⻔': '门', '⻘': '青', '⻙': '韦', '⻚': '页', '⻛': '风',
	'⻜': '飞', '⻝': '食', '⻢': '马', '⻣': '骨', '⻤': '鬼', '⻥': '鱼', '⻦': '鸟', '⻩': '黄', '⻬': '齐', '⻮': '齿', '⻰': '龙', '⻳': '龟',
}

// appendNormal appends what r is compared as: its compatibility decomposition without what shows nothing. Full and
// half width, ligatures, presentation forms and composed letters so become the same on both sides.
func appendNormal(to []rune, r rune, fold bool) []rune {
	if r < 0x80 { // most characters that are not Chinese
		if r > ' ' && r != 0x7f {
			if fold && 'A' <= r && r <= 'Z' {
				r += 'a' - 'A'
			}
			to = append(to, r)
		}
		return to
	}
	if plain, ok := radicals[r]; ok {
		r = plain
	}
	var b [4]byte
	for _, d := range string(norm.NFKD.AppendString(b[:0], string(r))) {
		if unicode.IsSpace(d) || unicode.In(d, unicode.Cc, unicode.Cf, unicode.Cs, unicode.Variation_Selector) || d == unicode.ReplacementChar {
			continue
		}
		if fold {
			d = unicode.ToLower(d)
		}
		to = append(to, d)
	}
	return to
}

// normal is a text as it is compared.
func normal(text string, fold bool) []rune {
	var to []rune
	for _, r := range text {
		to = appendNormal(to, r, fold)
	}
	return to
}
