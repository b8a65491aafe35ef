package imprint

import "encoding/binary"

// exifBlock is a TIFF structure with orientation and resolution.
func exifBlock(order binary.AppendByteOrder, orientation int, dpi uint32, unit uint16) []byte {
	block := []byte("II*\x00")
	if order.String() == "BigEndian" {
		block = []byte("MM\x00*")
	}
	block = order.AppendUint32(block, 8)
	block = order.AppendUint16(block, 4)
	short := func(tag, value uint16) {
		block = order.AppendUint16(block, tag)
		block = order.AppendUint16(block, 3)
		block = order.AppendUint32(block, 1)
		block = order.AppendUint16(block, value)
		block = order.AppendUint16(block, 0)
	}
	rational := func(tag uint16) {
		block = order.AppendUint16(block, tag)
		block = order.AppendUint16(block, 5)
		block = order.AppendUint32(block, 1)
		block = order.AppendUint32(block, 8+2+4*12+4)
	}
	short(0x0112, uint16(orientation))
	rational(0x011A)
	rational(0x011B)
	short(0x0128, unit)
	block = order.AppendUint32(block, 0)
	block = order.AppendUint32(block, dpi)
	return order.AppendUint32(block, 1)
}

func segment(marker byte, body []byte) []byte {
	return append([]byte{0xFF, marker, byte((len(body) + 2) >> 8), byte(len(body) + 2)}, body...)
}

// withEXIF puts an EXIF segment after the start of a JPEG.
func withEXIF(file []byte, orientation int, dpi uint32) []byte {
	body := append([]byte("Exif\x00\x00"), exifBlock(binary.LittleEndian, orientation, dpi, 2)...)
	return withSegments(file, segment(0xE1, body))
}

func withSegments(file []byte, segments ...[]byte) []byte {
	result := append([]byte(nil), file[:2]...)
	for _, s := range segments {
		result = append(result, s...)
	}
	return append(result, file[2:]...)
}

func jfif(unit byte, x, y uint16) []byte {
	body := append([]byte("JFIF\x00\x01\x02"), unit)
	body = binary.BigEndian.AppendUint16(body, x)
	body = binary.BigEndian.AppendUint16(body, y)
	return segment(0xE0, append(body, 0, 0))
}

// headerOnly is a JPEG of which readers of metadata need no more: a frame header of the given size.
func headerOnly(width, height int, segments ...[]byte) []byte {
	file := []byte{0xFF, 0xD8}
	for _, s := range segments {
		file = append(file, s...)
	}
	frame := []byte{8, byte(height >> 8), byte(height), byte(width >> 8), byte(width), 3,
		1, 0x22, 0, 2, 0x11, 0, 3, 0x11, 0}
	return append(append(file, segment(0xC0, frame)...), 0xFF, 0xD9)
}
