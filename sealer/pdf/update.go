package pdf

import (
	"encoding/binary"
	"encoding/hex"
)

// Update is a planned incremental update with an empty place for the signature. Before and After are what it adds to
// the bytes that are signed; Fill puts the signature in.
type Update struct {
	data      []byte
	open      int // index of '<' in data
	shut      int // one past '>'
	filled    int // characters of the contents that the next Fill must write at least
	property  string
	byteRange [4]int64
	field     string
	marks     []Mark
	notes     []Note
}

// rangeDigits is the fixed width of a number in /ByteRange. Ten digits are also what a cross-reference table has.
const rangeDigits = 10

// maxFile is the largest file that ten digits reach.
const maxFile = 9_999_999_999

// PropertyLength is the length of what Property returns, the same for every document.
func PropertyLength() int { return len("[0") + 3*(1+rangeDigits) + len("]") }

// ByteRange is the signed range: everything but the hexadecimal string with its brackets.
func (u *Update) ByteRange() [4]int64 { return u.byteRange }

// Property is the value of /ByteRange as it stands in the file, "[0 … … …]" in fixed width.
func (u *Update) Property() string { return u.property }

// Field is the full name of the signature field.
func (u *Update) Field() string { return u.field }

// Reserved is how many bytes of DER fit into /Contents.
func (u *Update) Reserved() int { return (u.shut - u.open - 2) / 2 }

// Before is what the update adds before the signature. The bytes to hash are the original, Before and After.
func (u *Update) Before() []byte { return u.data[:u.open] }

// After is what the update adds after the signature.
func (u *Update) After() []byte { return u.data[u.shut:] }

// Fill puts the signature in and returns the whole update: the sealed file is the original followed by it. The result
// belongs to the update; filling again overwrites it. Error: pdf.contents-too-long.
func (u *Update) Fill(contents []byte) ([]byte, error) {
	hexadecimal := u.data[u.open+1 : u.shut-1]
	if 2*len(contents) > len(hexadecimal) {
		return nil, errContentsTooLong.Sayingf("预留 %d 字节，需要 %d 字节", "%d bytes reserved, %d needed", len(hexadecimal)/2, len(contents))
	}
	encodeHex(hexadecimal, contents)
	if used := 2 * len(contents); used < u.filled {
		fillZeros(hexadecimal[used:u.filled])
	}
	u.filled = 2 * len(contents)
	return u.data, nil
}

// hexPairs holds the two digits of each byte, the first in the low half.
var hexPairs = func() (pairs [256]uint16) {
	const digits = "0123456789abcdef"
	for i := range pairs {
		pairs[i] = uint16(digits[i>>4]) | uint16(digits[i&15])<<8
	}
	return pairs
}()

// encodeHex writes two digits for each byte, four bytes at a time: at twice the speed of encoding/hex, since this is a
// third of what planning and assembling cost.
func encodeHex(dst, src []byte) {
	for len(src) >= 4 && len(dst) >= 8 {
		binary.LittleEndian.PutUint64(dst, uint64(hexPairs[src[0]])|uint64(hexPairs[src[1]])<<16|
			uint64(hexPairs[src[2]])<<32|uint64(hexPairs[src[3]])<<48)
		src, dst = src[4:], dst[8:]
	}
	hex.Encode(dst, src)
}

// fillZeros writes the digit 0 everywhere.
func fillZeros(b []byte) {
	if len(b) == 0 {
		return
	}
	b[0] = '0'
	for n := 1; n < len(b); n *= 2 {
		copy(b[n:], b[:n])
	}
}
