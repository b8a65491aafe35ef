package number

import (
	"strings"
	"unicode"
)

// Normal brings a number as a person typed it into the form in which it is checked: full-width digits and letters
// become ordinary ones, blanks of every kind and invisible characters go, small letters become capitals (the x of an
// identity number). Whatever else is there stays, for the check to refuse.
func Normal(typed string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= '！' && r <= '～': // U+FF01 to U+FF5E are ASCII from ! to ~, moved
			r -= '！' - '!'
		case unicode.IsSpace(r) || invisible(r):
			return -1
		}
		if r >= 'a' && r <= 'z' {
			r -= 'a' - 'A'
		}
		return r
	}, typed)
}

// invisible are characters without a glyph that word processors and web pages leave in copied text: zero-width blanks
// and joiners, direction marks, byte order mark, controls.
func invisible(r rune) bool { return unicode.Is(unicode.Cf, r) || unicode.IsControl(r) }

// NormalMobile is Normal for mobile numbers: hyphens and the prefix of the country (+86, 0086, 86) go as well.
func NormalMobile(typed string) string {
	s := strings.Map(func(r rune) rune {
		switch r {
		case '-', '‐', '‑', '–', '—', '−':
			return -1
		}
		return r
	}, Normal(typed))
	for _, prefix := range []string{"+86", "0086", "86"} {
		if rest, ok := strings.CutPrefix(s, prefix); ok && len(rest) == 11 {
			return rest
		}
	}
	return s
}

// MaskIdentity is an identity number as a list may show it: the first three and the last four characters
// (220***********1234). Text that is too short to keep anything back becomes asterisks only.
func MaskIdentity(number string) string { return mask(number, 3, 4, 18) }

// MaskMobile is a mobile number as a list may show it: 138****5678.
func MaskMobile(number string) string { return mask(number, 3, 4, 11) }

// mask keeps the head and the tail of text that has the full length; of anything else nothing is shown but, up to the
// full length, how long it is.
func mask(text string, head, tail, full int) string {
	runes := []rune(text)
	if len(runes) != full {
		return strings.Repeat("*", min(len(runes), full))
	}
	return string(runes[:head]) + strings.Repeat("*", full-head-tail) + string(runes[full-tail:])
}
