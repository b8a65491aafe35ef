package ses

import (
	"strings"
	"time"

	"golang.org/x/crypto/cryptobyte/asn1"
)

// readTime reads the content of a UTCTime or a GeneralizedTime (X.680, 46 and 47), also with seconds left out, a
// fraction, or an offset from UTC, and says with notes where that differs from DER. A GeneralizedTime without a zone
// means local time; the only one in China is UTC+8. The result is in UTC.
func readTime(tag asn1.Tag, content []byte) (t time.Time, notes []string, ok bool) {
	digits := 4
	switch tag {
	case asn1.GeneralizedTime:
	case asn1.UTCTime:
		digits = 2
	default:
		return time.Time{}, nil, false
	}
	if len(content) > 40 {
		return time.Time{}, nil, false
	}
	s := string(content)
	number := func(n int) int {
		if len(s) < n {
			ok = false
			return 0
		}
		v := 0
		for _, c := range []byte(s[:n]) {
			if c < '0' || c > '9' {
				ok = false
				return 0
			}
			v = v*10 + int(c-'0')
		}
		s = s[n:]
		return v
	}
	ok = true
	year := number(digits)
	if digits == 2 {
		// RFC 5280, 4.1.2.5.1.
		year += 1900
		if year < 1950 {
			year += 100
		}
	}
	month, day, hour, minute, second := number(2), number(2), number(2), number(2), 0
	if ok && s != "" && s[0] >= '0' && s[0] <= '9' {
		second = number(2)
	} else {
		notes = append(notes, NoteTimeForm)
	}
	nanosecond := 0
	if ok && s != "" && (s[0] == '.' || s[0] == ',') {
		s = s[1:]
		scale := int(time.Second)
		if s == "" || s[0] < '0' || s[0] > '9' {
			ok = false
		}
		for s != "" && s[0] >= '0' && s[0] <= '9' {
			scale /= 10
			nanosecond += number(1) * scale
		}
		notes = append(notes, NoteTimeForm)
	}
	offset := 0
	switch {
	case s == "Z":
	case s == "":
		offset = beijing
		notes = append(notes, NoteLocalTime)
	case s[0] == '+' || s[0] == '-':
		sign := 1
		if s[0] == '-' {
			sign = -1
		}
		s = s[1:]
		hours, minutes := number(2), number(2)
		if s != "" || hours > 14 || minutes > 59 {
			ok = false
		}
		offset = sign * (hours*3600 + minutes*60)
		notes = append(notes, NoteTimeForm)
	default:
		ok = false
	}
	if !ok || year < 1 || month < 1 || month > 12 || hour > 23 || minute > 59 || second > 59 {
		return time.Time{}, nil, false
	}
	t = time.Date(year, time.Month(month), day, hour, minute, second, nanosecond, time.UTC)
	// A day that the month does not have moves the date into another month.
	if t.Month() != time.Month(month) {
		return time.Time{}, nil, false
	}
	return t.Add(-time.Duration(offset) * time.Second), notes, true
}

// beijing is the offset of China's one time zone in seconds.
const beijing = 8 * 3600

// readTextTime reads the times that version 1 producers put as text where the standard has a UTCTime.
func readTextTime(text string) (t time.Time, local, ok bool) {
	text = strings.TrimSpace(strings.TrimRight(text, "\x00"))
	if len(text) > 40 {
		return time.Time{}, false, false
	}
	for _, layout := range []string{"2006-01-02 15:04:05", "2006/01/02 15:04:05", "2006-01-02T15:04:05", "20060102150405"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.Add(-beijing * time.Second), true, true
		}
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02 15:04:05Z07:00", "20060102150405Z", "060102150405Z"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), false, true
		}
	}
	return time.Time{}, false, false
}

// printable is content as text for a report: at most 64 characters, without control characters.
func printable(content []byte) string {
	if len(content) > 64 {
		content = content[:64]
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\uFFFD' {
			return -1
		}
		return r
	}, string(content))
}

// tokenTime is genTime of a time-stamp token (RFC 3161, 2.4.2), not verified: ContentInfo, SignedData,
// encapContentInfo, TSTInfo.
func tokenTime(token []byte) (time.Time, bool) {
	r, c := open(token)
	c.element("contentType")
	c = c.tagged()
	c = c.sequence("SignedData")
	c.element("version")
	c.element("digestAlgorithms")
	c = c.sequence("encapContentInfo")
	c.element("eContentType")
	c = c.tagged()
	content := c.octets("eContent")
	if r.err != nil {
		return time.Time{}, false
	}
	r, c = open(content)
	for _, field := range []string{"version", "policy", "messageImprint", "serialNumber"} {
		c.element(field)
	}
	t, _ := c.when("genTime", asn1.GeneralizedTime)
	return t, r.err == nil
}
