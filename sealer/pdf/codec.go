package pdf

import "io"

// The text and byte encodings of ISO 32000-1, 7.4.2 to 7.4.5, each with a limit on what it gives.

func overLimit(limit int64) error {
	return errTooLarge.Sayingf("有数据流超过 %d 字节", "a stream of more than %d bytes", limit)
}

// asciiHexDecode decodes pairs of hexadecimal digits up to '>'.
func asciiHexDecode(source io.Reader, limit int64) ([]byte, error) {
	in := newBlockReader(source)
	var out []byte
	var high byte
	odd := false
	for {
		c, err := in.ReadByte()
		if err != nil || c == '>' {
			break
		}
		if isSpace(c) {
			continue
		}
		n, ok := unhex(c)
		if !ok {
			return out, errDamagedStream.Saying("有字符不是十六进制数字", "a character that is not hexadecimal")
		}
		if odd {
			if int64(len(out)) >= limit {
				return nil, overLimit(limit)
			}
			out = append(out, high|n)
		}
		high, odd = n<<4, !odd
	}
	if odd {
		out = append(out, high)
	}
	return out, nil
}

// ascii85Decode decodes groups of five characters up to "~>".
func ascii85Decode(source io.Reader, limit int64) ([]byte, error) {
	in := newBlockReader(source)
	var out []byte
	var group uint32
	count := 0
	for {
		c, err := in.ReadByte()
		if err != nil || c == '~' {
			break
		}
		if isSpace(c) {
			continue
		}
		if int64(len(out))+4 > limit+4 {
			return nil, overLimit(limit)
		}
		if c == 'z' && count == 0 {
			out = append(out, 0, 0, 0, 0)
			continue
		}
		if c < '!' || c > 'u' {
			return out, errDamagedStream.Saying("有字符不属于 ASCII base 85", "a character outside ASCII base 85")
		}
		group = group*85 + uint32(c-'!')
		if count++; count == 5 {
			out = append(out, byte(group>>24), byte(group>>16), byte(group>>8), byte(group))
			group, count = 0, 0
		}
	}
	if count > 1 {
		for i := count; i < 5; i++ {
			group = group*85 + 84
		}
		for i := 0; i < count-1; i++ {
			out = append(out, byte(group>>(24-8*i)))
		}
	}
	if int64(len(out)) > limit {
		return nil, overLimit(limit)
	}
	return out, nil
}

// runLengthDecode decodes runs: a length byte below 128 precedes that many plain bytes plus one, above 128 a repeated
// byte, and 128 ends the data.
func runLengthDecode(source io.Reader, limit int64) ([]byte, error) {
	in := newBlockReader(source)
	var out []byte
	for {
		n, err := in.ReadByte()
		if err != nil || n == 128 {
			return out, nil
		}
		if int64(len(out))+129 > limit+129 {
			return nil, overLimit(limit)
		}
		if n > 128 {
			c, err := in.ReadByte()
			if err != nil {
				return out, errDamagedStream.Saying("游程中断", "a run breaks off")
			}
			for range 257 - int(n) {
				out = append(out, c)
			}
		} else {
			for range int(n) + 1 {
				c, err := in.ReadByte()
				if err != nil {
					return out, errDamagedStream.Saying("游程中断", "a run breaks off")
				}
				out = append(out, c)
			}
		}
		if int64(len(out)) > limit {
			return nil, overLimit(limit)
		}
	}
}

// lzwDecode decodes LZW with codes of 9 to 12 bits, most significant bit first. With early change, the default, codes
// grow one code sooner than the table needs.
func lzwDecode(source io.Reader, limit int64, early bool) ([]byte, error) {
	const clearCode, endCode, tableSize = 256, 257, 4096
	in := newBlockReader(source)
	var out []byte
	// Each table entry is a stretch of the output: a string of the table always stands there already.
	var starts, lengths [tableSize]int32
	next, width, change := 258, uint(9), 0
	if early {
		change = 1
	}
	var bits uint32
	var have uint
	previousStart, previousLength := 0, 0
	for {
		for have < width {
			c, err := in.ReadByte()
			if err != nil {
				return out, nil
			}
			bits, have = bits<<8|uint32(c), have+8
		}
		code := int(bits >> (have - width) & (1<<width - 1))
		have -= width
		if code == endCode {
			return out, nil
		}
		if code == clearCode {
			next, width, previousLength = 258, 9, 0
			continue
		}
		start := len(out)
		switch {
		case code < 256:
			out = append(out, byte(code))
		case code < next:
			s, n := int(starts[code]), int(lengths[code])
			for i := range n {
				out = append(out, out[s+i])
			}
		case code == next && previousLength > 0:
			for i := range previousLength {
				out = append(out, out[previousStart+i])
			}
			out = append(out, out[previousStart])
		default:
			return out, errDamagedStream.Saying("LZW 编码出现过早", "an LZW code before its time")
		}
		if int64(len(out)) > limit || len(out) > 1<<31-1-tableSize {
			return nil, overLimit(limit)
		}
		if previousLength > 0 && next < tableSize {
			// The new string is the previous one and the first byte of this one, which follows it in the output.
			starts[next], lengths[next] = int32(previousStart), int32(previousLength+1)
			next++
		}
		previousStart, previousLength = start, len(out)-start
		if next+change >= 1<<width && width < 12 {
			width++
		}
	}
}
