package enroll

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"yinxin/internal/fault"
)

// maxReason is the longest reason in characters.
const maxReason = 200

// validText is a text of one line, not empty, of at most so many characters.
func validText(s string, most int) bool {
	return strings.TrimSpace(s) != "" && utf8.ValidString(s) && utf8.RuneCountInString(s) <= most &&
		!strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) })
}

// CheckReason holds what somebody gives as a reason against the rule of the house: it is kept, listed and in the ledger, so
// it must not hold what looks like an identity or mobile number. Errors: enroll.reason, enroll.personal-data.
func CheckReason(reason string) error { return checkReason(reason) }

// checkReason demands a reason, and that it holds no number of a person: reasons go into lists, history and ledger.
func checkReason(reason string) error {
	if !validText(reason, maxReason) {
		return ErrReason.New()
	}
	return checkImpersonal("reason", reason)
}

// checkImpersonal refuses a text in which something like an identity number or a mobile number stands, also with blanks
// or hyphens between the digits or in full width.
func checkImpersonal(field, text string) error {
	run := 0
	for _, r := range text + "\x00" {
		if r >= '０' && r <= '９' {
			r -= '０' - '0'
		}
		switch {
		case r >= '0' && r <= '9':
			run++
		case run > 0 && (r == ' ' || r == '-' || r == '\u3000' || r == '－'):
		default:
			if run >= 11 && run != 14 { // 14 digits are the code of a seal
				return ErrPersonal.At(fault.Field(field))
			}
			run = 0
		}
	}
	return nil
}

func itoa(n int) string { return strconv.Itoa(n) }

// key is an identifier from outside as it can be looked for: PostgreSQL refuses texts that are broken or hold NUL, and
// nothing is called by such a one.
func key(id string) string {
	if !utf8.ValidString(id) || strings.ContainsRune(id, 0) {
		return ""
	}
	return id
}
