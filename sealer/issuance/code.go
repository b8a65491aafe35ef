package issuance

import (
	"io"
	"strings"

	"github.com/emmansun/gmsm/sm3"
)

// A verification code is 19 random characters of 32, which are 95 bits, and one that checks them, in five groups of four:
// K7QM-3XWP-…. Neither 0, 1, I nor O is among the characters.
const (
	codeAlphabet = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
	codeLength   = 20
	codeGroup    = 4
)

// newCode makes a code, without hyphens.
func newCode(random io.Reader) (string, error) {
	octets := make([]byte, codeLength-1)
	if _, err := io.ReadFull(random, octets); err != nil {
		return "", err
	}
	for i, o := range octets {
		octets[i] = codeAlphabet[o&31] // 256 is a multiple of 32
	}
	return string(octets) + string(codeAlphabet[checkOf(string(octets))]), nil
}

// checkOf is the sum of the characters, as elements of GF(2⁵), with the powers of a primitive element as weights. These are all
// different and none is zero, so one wrong character and two that changed places are always noticed.
func checkOf(characters string) byte {
	var sum byte
	for i := range len(characters) {
		sum = double(sum) ^ byte(strings.IndexByte(codeAlphabet, characters[i]))
	}
	return double(sum)
}

// double multiplies by the primitive element: x modulo x⁵ + x² + 1.
func double(b byte) byte {
	b <<= 1
	if b&32 != 0 {
		b ^= 0b100101
	}
	return b
}

// CodeIn finds the code in the text of the QR code of an issued copy, whatever address it begins with, and gives it as it
// stands on the paper.
func CodeIn(text string) (string, bool) {
	code, err := ParseCode(text[strings.LastIndexAny(text, "#/=")+1:])
	return grouped(code), err == nil
}

// ParseCode reads a code as people type it: with or without hyphens and blanks, in any case and width. Error: issuance.code.
func ParseCode(typed string) (string, error) {
	if len(typed) > 200 {
		return "", errCode.New()
	}
	code := strings.Map(func(r rune) rune {
		switch {
		case r >= '！' && r <= '～':
			r -= '！' - '!'
		case strings.ContainsRune("\u3000\u00a0—–‐－", r):
			return -1
		}
		switch {
		case r == ' ' || r == '-' || r == '\t' || r == '\n' || r == '\r':
			return -1
		case r >= 'a' && r <= 'z':
			r -= 'a' - 'A'
		}
		return r
	}, typed)
	if len(code) != codeLength || strings.Trim(code, codeAlphabet) != "" {
		return "", errCode.New()
	}
	if codeAlphabet[checkOf(code[:codeLength-1])] != code[codeLength-1] {
		return "", errCode.Saying("校验字符不符", "the check character does not fit")
	}
	return code, nil
}

// grouped is a code as it is printed.
func grouped(code string) string {
	var b strings.Builder
	for i := 0; i < len(code); i += codeGroup {
		if i > 0 {
			b.WriteByte('-')
		}
		b.WriteString(code[i:min(i+codeGroup, len(code))])
	}
	return b.String()
}

// hashOf is what the database knows of a code. 95 random bits need no salt and no slow hash.
func hashOf(code string) []byte {
	d := sm3.Sum([]byte("yinxin issuance code 1\n" + code))
	return d[:]
}
