package scan

import (
	"encoding/binary"
	"image"
)

// The kind of JPEG file that scanners write is read here, in half of the time that image/jpeg takes: baseline, Huffman codes, one
// scan of lightness and two colours. Everything else, and everything that is not as it should be, is left to image/jpeg, whose word
// on what is broken counts.

// baseline is a file that is being read. References are to ITU-T T.81.
type baseline struct {
	data          []byte
	at            int // of the next byte
	width, height int
	across, down  int // minimum coded units
	restart       int // of them between restart markers; 0: there are none
	planes        [3]samples
	quantisers    [4]*[64]int32 // in zigzag order
	codes         [2][2]*huffman
	bits          uint64 // the next ones, from the highest
	count         uint   // of them
	padding       uint   // of those are no data: the file has no more before the next marker
	block         [64]int32
}

// samples is one component of a picture.
type samples struct {
	id     byte
	h, v   int // blocks of a unit across and down
	pix    []uint8
	stride int
	quant  *[64]int32
	dc, ac *huffman
	before int32 // the lowest coefficient of the block before
}

// decodeBaseline reads a picture of a size that was checked; false where it is of another kind or broken.
func decodeBaseline(data []byte, width, height int) (*image.YCbCr, bool) {
	d := &baseline{data: data, at: 2}
	if !d.header() || d.width != width || d.height != height {
		return nil, false
	}
	p := &d.planes
	d.across, d.down = (d.width+8*p[0].h-1)/(8*p[0].h), (d.height+8*p[0].v-1)/(8*p[0].v)
	img := image.NewYCbCr(image.Rect(0, 0, 8*p[0].h*d.across, 8*p[0].v*d.down), ratioOf[[2]int{p[0].h, p[0].v}])
	p[0].pix, p[0].stride = img.Y, img.YStride
	p[1].pix, p[1].stride = img.Cb, img.CStride
	p[2].pix, p[2].stride = img.Cr, img.CStride
	if !d.units() {
		return nil, false
	}
	return img.SubImage(image.Rect(0, 0, d.width, d.height)).(*image.YCbCr), true
}

// ratioOf names how many samples of lightness there are for one of colour, across and down.
var ratioOf = map[[2]int]image.YCbCrSubsampleRatio{
	{1, 1}: image.YCbCrSubsampleRatio444, {2, 1}: image.YCbCrSubsampleRatio422, {2, 2}: image.YCbCrSubsampleRatio420, {1, 2}: image.YCbCrSubsampleRatio440,
}

// header reads the segments up to the scan (B.2).
func (d *baseline) header() bool {
	for d.at+4 <= len(d.data) {
		if d.data[d.at] != 0xff {
			return false
		}
		marker, length := d.data[d.at+1], int(binary.BigEndian.Uint16(d.data[d.at+2:]))
		if length < 2 || d.at+2+length > len(d.data) {
			return false
		}
		body := d.data[d.at+4 : d.at+2+length]
		d.at += 2 + length
		ok := true
		switch {
		case marker == 0xc0:
			ok = d.frame(body)
		case marker == 0xc4:
			ok = d.huffmanCodes(body)
		case marker == 0xdb:
			ok = d.quantisation(body)
		case marker == 0xdd && length == 4:
			d.restart = int(binary.BigEndian.Uint16(body))
		case marker == 0xda:
			return d.scan(body)
		case marker == 0xee && len(body) >= 12 && string(body[:5]) == "Adobe":
			ok = body[11] == 1 // lightness and colour
		default:
			ok = marker >= 0xe0 && marker <= 0xef || marker == 0xfe
		}
		if !ok {
			return false
		}
	}
	return false
}

// frame reads the frame header (B.2.2).
func (d *baseline) frame(body []byte) bool {
	if len(body) != 6+3*3 || body[0] != 8 || body[5] != 3 || d.width != 0 {
		return false
	}
	d.height, d.width = int(binary.BigEndian.Uint16(body[1:])), int(binary.BigEndian.Uint16(body[3:]))
	for i := range d.planes {
		c, p := body[6+3*i:], &d.planes[i]
		p.id, p.h, p.v = c[0], int(c[1]>>4), int(c[1]&15)
		if c[2] > 3 || d.quantisers[c[2]] == nil || i > 0 && (p.h != 1 || p.v != 1) {
			return false
		}
		p.quant = d.quantisers[c[2]]
	}
	p := &d.planes
	if _, known := ratioOf[[2]int{p[0].h, p[0].v}]; !known || d.width == 0 || d.height == 0 {
		return false
	}
	return p[0].id != 'R' && p[0].id != p[1].id && p[0].id != p[2].id && p[1].id != p[2].id // R, G and B are what they say
}

// quantisation reads tables of quantisers (B.2.4.1).
func (d *baseline) quantisation(body []byte) bool {
	for ; len(body) >= 65 && body[0] < 4 && d.width == 0; body = body[65:] {
		var table [64]int32
		for i, v := range body[1:65] {
			table[i] = int32(v)
		}
		d.quantisers[body[0]] = &table
	}
	return len(body) == 0
}

// huffmanCodes reads tables of codes (B.2.4.2).
func (d *baseline) huffmanCodes(body []byte) bool {
	for len(body) >= 17 {
		class, to, n := body[0]>>4, body[0]&15, 0
		for _, count := range body[1:17] {
			n += int(count)
		}
		if class > 1 || to > 1 || n == 0 || n > 256 || len(body) < 17+n {
			return false
		}
		code, ok := newHuffman(body[1:17], body[17:17+n], class == 1)
		if !ok {
			return false
		}
		d.codes[class][to] = code
		body = body[17+n:]
	}
	return len(body) == 0
}

// scan reads the scan header (B.2.3).
func (d *baseline) scan(body []byte) bool {
	if d.width == 0 || len(body) != 1+2*3+3 || body[0] != 3 || body[7] != 0 || body[8] != 63 || body[9] != 0 {
		return false
	}
	for i := range d.planes {
		p, id, tables := &d.planes[i], body[1+2*i], body[2+2*i]
		if id != p.id || tables>>4 > 1 || tables&15 > 1 {
			return false
		}
		p.dc, p.ac = d.codes[0][tables>>4], d.codes[1][tables&15]
		if p.dc == nil || p.ac == nil {
			return false
		}
	}
	return true
}

// units reads the picture, unit by unit (A.2.3).
func (d *baseline) units() bool {
	done := 0
	for y := range d.down {
		for x := range d.across {
			if d.restart > 0 && done == d.restart {
				if !d.atMarker(0xd0 | byte((y*d.across+x)/d.restart-1)&7) {
					return false
				}
				d.at += 2
				d.bits, d.count, d.padding, done = 0, 0, 0, 0
				for i := range d.planes {
					d.planes[i].before = 0
				}
			}
			done++
			for i := range d.planes {
				p := &d.planes[i]
				for by := y * p.v; by < (y+1)*p.v; by++ {
					for bx := x * p.h; bx < (x+1)*p.h; bx++ {
						last, ok := d.coefficients(p)
						if !ok {
							return false
						}
						inverse(&d.block, last, p.pix[8*by*p.stride+8*bx:], p.stride)
					}
				}
			}
		}
	}
	return d.atMarker(0xd9)
}

// atMarker says whether all data before the next marker were used, and no more, and the marker is this one.
func (d *baseline) atMarker(marker byte) bool {
	return d.count >= d.padding && d.count-d.padding < 8 && d.at+1 < len(d.data) && d.data[d.at] == 0xff && d.data[d.at+1] == marker
}

// fill takes bytes one by one, up to a marker, behind which zeros follow (F.2.2.5).
func (d *baseline) fill(at int, bits uint64, count uint) (int, uint64, uint) {
	for count <= 56 {
		next := byte(0)
		switch {
		case at < len(d.data) && d.data[at] != 0xff:
			next = d.data[at]
			at++
		case at+1 < len(d.data) && d.data[at+1] == 0: // stuffed
			next = 0xff
			at += 2
		default:
			d.padding += 8
		}
		bits |= uint64(next) << (56 - count)
		count += 8
	}
	return at, bits, count
}

// withoutFF says that none of eight bytes is 0xff, behind which another one may be stuffed.
func withoutFF(v uint64) bool {
	const ones = 0x0101010101010101
	return (^v-ones)&v&(ones<<7) == 0
}

// coefficients reads one block (F.2.2), multiplied with their quantisers, and gives the place of the last one that is not 0, in zigzag
// order. A block must be empty before.
func (d *baseline) coefficients(p *samples) (last int, ok bool) {
	at, bits, count := d.at, d.bits, d.count
	code := p.dc
	for k := 0; k < 64; {
		if count < 32 {
			if at+8 <= len(d.data) {
				v := binary.BigEndian.Uint64(d.data[at:])
				if whole := (64 - count) / 8; withoutFF(v) {
					bits |= v &^ (1<<(64-8*whole) - 1) >> count
					at, count = at+int(whole), count+8*whole
				} else {
					at, bits, count = d.fill(at, bits, count)
				}
			} else {
				at, bits, count = d.fill(at, bits, count)
			}
		}
		e := code.short[bits>>(64-shortBits)]
		if e == 0 {
			if e = code.long(bits); e == 0 {
				return 0, false
			}
		}
		bits <<= e.length()
		count -= e.length()
		value := e.value()
		if n := e.extra(); n > 0 {
			value = int32(bits >> (64 - n))
			if value < 1<<(n-1) {
				value += -1<<n + 1
			}
			bits <<= n
			count -= n
		}
		if k == 0 {
			p.before += value
			d.block[0] = p.before * p.quant[0]
			code, k = p.ac, 1
			continue
		}
		k += e.skip()
		if value != 0 {
			if k > 63 {
				return 0, false
			}
			d.block[zigzag[k]] = value * p.quant[k]
			last = k
			k++
		}
	}
	d.at, d.bits, d.count = at, bits, count
	return last, true
}
