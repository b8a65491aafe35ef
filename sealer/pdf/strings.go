package pdf

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// literal reads a string in parentheses (ISO 32000-1, 7.3.4.2); the caller saw the opening one.
func (p *parser) literal() (Object, error) {
	start := p.pos
	depth := 0
	out := make([]byte, 0, 32)
	i := p.pos
	for ; i < len(p.buf); i++ {
		c := p.buf[i]
		switch c {
		case '(':
			depth++
			if depth == 1 {
				continue
			}
		case ')':
			depth--
			if depth == 0 {
				p.pos = i + 1
				return String{Value: out, Start: p.offset(start), End: p.offset(i + 1)}, nil
			}
		case '\r':
			// An end of line inside a string is one line feed, however it is written.
			if i+1 < len(p.buf) && p.buf[i+1] == '\n' {
				continue
			}
			c = '\n'
		case '\\':
			var ok bool
			if out, i, ok = p.escape(out, i+1); !ok {
				return nil, p.ended()
			}
			continue
		}
		out = append(out, c)
	}
	return nil, p.ended()
}

// escape reads what follows a backslash at i and returns the index of its last byte; it reports false when the
// window ends first.
func (p *parser) escape(out []byte, i int) ([]byte, int, bool) {
	if i+3 >= len(p.buf) && !p.final || i >= len(p.buf) {
		return out, i, false
	}
	switch c := p.buf[i]; c {
	case 'n':
		return append(out, '\n'), i, true
	case 'r':
		return append(out, '\r'), i, true
	case 't':
		return append(out, '\t'), i, true
	case 'b':
		return append(out, '\b'), i, true
	case 'f':
		return append(out, '\f'), i, true
	case '\n':
		return out, i, true
	case '\r':
		if i+1 < len(p.buf) && p.buf[i+1] == '\n' {
			i++
		}
		return out, i, true
	default:
		if c < '0' || c > '7' {
			return append(out, c), i, true
		}
		n := 0
		end := i
		for ; end < i+3 && end < len(p.buf) && p.buf[end] >= '0' && p.buf[end] <= '7'; end++ {
			n = n<<3 | int(p.buf[end]-'0')
		}
		return append(out, byte(n)), end - 1, true
	}
}

// hexDigits holds one more than the value of each hexadecimal digit, 0 for other bytes.
var hexDigits = [256]byte{
	'0': 1, '1': 2, '2': 3, '3': 4, '4': 5, '5': 6, '6': 7, '7': 8, '8': 9, '9': 10,
	'a': 11, 'b': 12, 'c': 13, 'd': 14, 'e': 15, 'f': 16, 'A': 11, 'B': 12, 'C': 13, 'D': 14, 'E': 15, 'F': 16,
}

// hex reads a hexadecimal string; the caller saw '<'.
func (p *parser) hex() (Object, error) {
	start := p.pos
	end := bytes.IndexByte(p.buf[p.pos:], '>')
	if end < 0 {
		return nil, p.ended()
	}
	var high byte
	odd := false
	// Signatures are long strings of digits without white space: take them two at a time.
	out := make([]byte, end/2)
	n := decodeHex(out, p.buf[p.pos+1:p.pos+end])
	out = out[:n]
	i := p.pos + 1 + 2*n
	for ; i < len(p.buf); i++ {
		c := p.buf[i]
		if n, ok := unhex(c); ok {
			if odd {
				out = append(out, high|n)
			}
			high, odd = n<<4, !odd
			continue
		}
		if c == '>' {
			if odd {
				out = append(out, high)
			}
			p.pos = i + 1
			return String{Value: out, Hex: true, Start: p.offset(start), End: p.offset(i + 1)}, nil
		}
		if !isSpace(c) {
			p.pos = i
			return nil, p.damaged("a character that is not hexadecimal")
		}
	}
	return nil, p.ended()
}

// hexHigh and hexLow are the two halves of a byte by their digits; noDigit for everything else.
var hexHigh, hexLow = hexHalves()

const noDigit = 1 << 8

func hexHalves() (high, low [256]uint16) {
	for c, digit := range hexDigits {
		high[c], low[c] = noDigit, noDigit
		if digit > 0 {
			high[c], low[c] = uint16(digit-1)<<4, uint16(digit-1)
		}
	}
	return high, low
}

// decodeHex decodes pairs of digits up to the first pair that is none and says how many there were. dst has room for all.
// Verifying reads tens of thousands of digits: four pairs at a time, one look for what is no digit.
func decodeHex(dst, src []byte) (n int) {
	for len(src) >= 8 && len(dst) >= 4 {
		a := hexHigh[src[0]] | hexLow[src[1]]
		b := hexHigh[src[2]] | hexLow[src[3]]
		c := hexHigh[src[4]] | hexLow[src[5]]
		d := hexHigh[src[6]] | hexLow[src[7]]
		if (a|b|c|d)&noDigit != 0 {
			break
		}
		dst[0], dst[1], dst[2], dst[3] = byte(a), byte(b), byte(c), byte(d)
		src, dst, n = src[8:], dst[4:], n+4
	}
	for len(src) >= 2 && len(dst) >= 1 {
		a := hexHigh[src[0]] | hexLow[src[1]]
		if a&noDigit != 0 {
			break
		}
		dst[0] = byte(a)
		src, dst, n = src[2:], dst[1:], n+1
	}
	return n
}

// Text decodes a text string (ISO 32000-1, 7.9.2.2): UTF-16 or UTF-8 with a mark, else PDFDocEncoding.
func (s String) Text() string {
	v := s.Value
	switch {
	case len(v) >= 2 && (v[0] == 0xFE && v[1] == 0xFF || v[0] == 0xFF && v[1] == 0xFE):
		little := v[0] == 0xFF
		units := make([]uint16, 0, len(v)/2)
		for i := 2; i+1 < len(v); i += 2 {
			high, low := v[i], v[i+1]
			if little {
				high, low = low, high
			}
			units = append(units, uint16(high)<<8|uint16(low))
		}
		return string(utf16.Decode(units))
	case len(v) >= 3 && v[0] == 0xEF && v[1] == 0xBB && v[2] == 0xBF:
		if utf8.Valid(v[3:]) {
			return string(v[3:])
		}
	}
	ascii := true
	for _, c := range v {
		if c >= 0x80 || c >= 0x18 && c < 0x20 {
			ascii = false
			break
		}
	}
	if ascii {
		return string(v)
	}
	out := make([]rune, 0, len(v))
	for _, c := range v {
		out = append(out, docEncoding(c))
	}
	return string(out)
}

// docEncoding is PDFDocEncoding (ISO 32000-1, annex D.2), which is Latin-1 except in two ranges.
func docEncoding(c byte) rune {
	const accents = "\u02d8\u02c7\u02c6\u02d9\u02dd\u02db\u02da\u02dc"
	const signs = "\u2022\u2020\u2021\u2026\u2014\u2013\u0192\u2044\u2039\u203a\u2212\u2030\u201e\u201c\u201d\u2018" +
		"\u2019\u201a\u2122\ufb01\ufb02\u0141\u0152\u0160\u0178\u017d\u0131\u0142\u0153\u0161\u017e\ufffd\u20ac"
	switch {
	case c >= 0x18 && c < 0x20:
		return []rune(accents)[c-0x18]
	case c >= 0x80 && c <= 0xA0:
		return []rune(signs)[c-0x80]
	}
	return rune(c)
}

// appendText writes a text string: in parentheses when it is ASCII, else UTF-16 as hexadecimal digits.
func appendText(dst []byte, s string) []byte {
	ascii := true
	for i := 0; i < len(s); i++ {
		if s[i] < 0x20 || s[i] > 0x7E {
			ascii = false
			break
		}
	}
	if ascii {
		dst = append(dst, '(')
		for i := 0; i < len(s); i++ {
			if c := s[i]; c == '(' || c == ')' || c == '\\' {
				dst = append(dst, '\\')
			}
			dst = append(dst, s[i])
		}
		return append(dst, ')')
	}
	const digits = "0123456789ABCDEF"
	dst = append(dst, "<FEFF"...)
	for _, u := range utf16.Encode([]rune(s)) {
		dst = append(dst, digits[u>>12], digits[u>>8&15], digits[u>>4&15], digits[u&15])
	}
	return append(dst, '>')
}

// appendName writes a name with its slash.
func appendName(dst []byte, n Name) []byte {
	const digits = "0123456789ABCDEF"
	dst = append(dst, '/')
	for i := 0; i < len(n); i++ {
		c := n[i]
		if c <= 0x20 || c > 0x7E || c == '#' || isDelimiter(c) {
			dst = append(dst, '#', digits[c>>4], digits[c&15])
			continue
		}
		dst = append(dst, c)
	}
	return dst
}
