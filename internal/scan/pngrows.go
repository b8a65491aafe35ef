package scan

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"io"
)

// plainRows decodes what scanners write as PNG: red, green and blue of eight bits, rows from the top, no transparency. image/png takes
// three times as long and four bytes a pixel. False for everything else and for all that is wrong: then image/png has the word.
func plainRows(data []byte, width, height int) (*RGB, bool) {
	packed, ok := packedRows(data)
	if !ok {
		return nil, false
	}
	img := newRGB(width, height)
	in := inflate(&packed)
	before := make([]uint8, 3*width)
	var kind [1]byte
	for y := range height {
		row := img.Row(y, 0, width)
		if _, err := io.ReadFull(in, kind[:]); err != nil || kind[0] > 4 {
			return nil, false
		}
		if _, err := io.ReadFull(in, row); err != nil {
			return nil, false
		}
		undoPNG(kind[0], row, before, 3)
		before = row
	}
	_, err := in.Read(kind[:])
	return img, err == io.EOF // also when the sum is right
}

// spread are parts of data that follow each other.
type spread [][]byte

func (s *spread) Read(p []byte) (int, error) {
	for len(*s) > 0 && len((*s)[0]) == 0 {
		*s = (*s)[1:]
	}
	if len(*s) == 0 {
		return 0, io.EOF
	}
	n := copy(p, (*s)[0])
	(*s)[0] = (*s)[0][n:]
	return n, nil
}

// packedRows are the contents of the IDAT chunks (PNG specification, clause 11), of a file that plainRows can decode and whose chunks
// are whole and in order.
func packedRows(data []byte) (spread, bool) {
	const behindSignature = 8
	var rows spread
	ended := false // the chunks of rows have
	for at := behindSignature; at+12 <= len(data); {
		length := int64(binary.BigEndian.Uint32(data[at:]))
		if length > int64(len(data)-at-12) {
			return nil, false
		}
		kind, body := string(data[at+4:at+8]), data[at+8:at+8+int(length)]
		sum := binary.BigEndian.Uint32(data[at+8+int(length):])
		if crc32.ChecksumIEEE(data[at+4:at+8+int(length)]) != sum || (at == behindSignature) != (kind == "IHDR") {
			return nil, false
		}
		at += 12 + int(length)
		switch kind {
		case "IHDR": // depth 8, colour type 2, the only compression and filters, not interlaced
			if len(body) != 13 || !bytes.Equal(body[8:], []byte{8, 2, 0, 0, 0}) {
				return nil, false
			}
		case "IDAT":
			if ended {
				return nil, false
			}
			rows = append(rows, body)
		case "IEND":
			return rows, len(rows) > 0 && length == 0
		case "PLTE", "tRNS":
			return nil, false
		default:
			ended = len(rows) > 0
		}
	}
	return nil, false
}
