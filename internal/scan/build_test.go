package scan

import (
	"encoding/binary"
	"hash/crc32"
)

// fixCRC writes the checksums of all chunks of a PNG anew.
func fixCRC(data []byte) []byte {
	for at := 8; at+12 <= len(data); {
		length := int(binary.BigEndian.Uint32(data[at:]))
		if at+12+length > len(data) {
			break
		}
		binary.BigEndian.PutUint32(data[at+8+length:], crc32.ChecksumIEEE(data[at+4:at+8+length]))
		at += 12 + length
	}
	return data
}

// handMadeTIFF is a TIFF of one strip that begins at byte 8, with entries of type LONG.
func handMadeTIFF(strip []byte, entries [][2]uint32) []byte {
	out := append([]byte("II*\x00\x00\x00\x00\x00"), strip...)
	if len(out)%2 == 1 {
		out = append(out, 0)
	}
	binary.LittleEndian.PutUint32(out[4:], uint32(len(out)))
	out = binary.LittleEndian.AppendUint16(out, uint16(len(entries)))
	for _, e := range entries {
		out = binary.LittleEndian.AppendUint16(out, uint16(e[0]))
		out = binary.LittleEndian.AppendUint16(out, 4)
		out = binary.LittleEndian.AppendUint32(out, 1)
		out = binary.LittleEndian.AppendUint32(out, e[1])
	}
	return append(out, 0, 0, 0, 0)
}
