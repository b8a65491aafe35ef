package scan

import (
	"bytes"
	"encoding/binary"
	"image/png"
	"math/rand/v2"
	"testing"
)

// pngOfRows is a PNG of 8 bits RGB of packed rows as they are, in two chunks.
func pngOfRows(width, height int, packed []byte) []byte {
	out := []byte("\x89PNG\r\n\x1a\n")
	chunk := func(kind string, body []byte) {
		out = binary.BigEndian.AppendUint32(out, uint32(len(body)))
		out = append(append(append(out, kind...), body...), 0, 0, 0, 0)
	}
	head := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, uint32(width)), uint32(height))
	chunk("IHDR", append(head, 8, 2, 0, 0, 0))
	chunk("IDAT", packed[:len(packed)/2])
	chunk("IDAT", packed[len(packed)/2:])
	chunk("IEND", nil)
	return fixCRC(out)
}

// FuzzPlainRows holds the decoder of common PNG against image/png: what it decodes has the same pixels, and what image/png decodes
// of its kind, it does too.
func FuzzPlainRows(f *testing.F) {
	for i, data := range kindsOfData() {
		f.Add(uint8(7*i+1), data[:min(len(data), 2000)], false)
	}
	f.Add(uint8(1), []byte{4, 1, 2, 3, 4, 255, 255, 255, 3, 9, 9, 9, 2, 7, 7, 7, 1, 200, 100, 50, 5, 0, 0, 0}, false)
	f.Add(uint8(3), packedZlib(f, make([]byte, 30), 6), true)
	f.Fuzz(func(t *testing.T, width uint8, rows []byte, packed bool) {
		w := int(width)
		h := min(len(rows)/(3*w+1), 100)
		if packed {
			h = 3
		} else {
			for y := range h { // kinds of filters that there are, mostly
				rows[y*(3*w+1)] %= 6
			}
			rows = packedZlib(t, rows, int(width)%10)
		}
		if w == 0 || h == 0 {
			return
		}
		data := pngOfRows(w, h, rows)
		want, err := png.Decode(bytes.NewReader(data))
		got, ok := plainRows(data, w, h)
		if ok != (err == nil) {
			t.Fatalf("%d × %d: %v, %v", w, h, ok, err)
		}
		if ok {
			same(t, "rows", got, want, 0)
		}
	})
}

// TestPaethIsThatOfTheSpecification for all bytes that there are (PNG specification, clause 9.4).
func TestPaethIsThatOfTheSpecification(t *testing.T) {
	away := func(a, b int) int { return max(a-b, b-a) }
	for left := range 256 {
		for above := range 256 {
			for corner := range 256 {
				p := left + above - corner
				want := corner
				if toLeft, toAbove, toCorner := away(p, left), away(p, above), away(p, corner); toLeft <= toAbove && toLeft <= toCorner {
					want = left
				} else if toAbove <= toCorner {
					want = above
				}
				if got := paeth(left, above, corner); got != want {
					t.Fatalf("left %d, above %d, corner %d: %d, not %d", left, above, corner, got, want)
				}
			}
		}
	}
}

// TestRowsOfPDFAreThoseOfPNG: all filters of PNG in a PDF, each row upon the one before.
func TestRowsOfPDFAreThoseOfPNG(t *testing.T) {
	const width, height = 40, 25
	rows := noise(rand.New(rand.NewPCG(9, 10)), height*(3*width+1), 256)
	for y := range height {
		rows[y*(3*width+1)] = byte(y % 5)
	}
	packed := packedZlib(t, rows, 6)
	want, err := png.Decode(bytes.NewReader(pngOfRows(width, height, packed)))
	if err != nil {
		t.Fatal(err)
	}
	file, err := Open("", scannedPDF("/Fl]/DecodeParms[<</Predictor 15/Colors 3/Columns 40>>", width, height, packed), DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	got, err := file.Picture(0)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "rows", got, want, 0)
}

// TestPlainRowsLeavesTheRestToOthers: what is not of the common kind or not whole is not decoded there.
func TestPlainRowsLeavesTheRestToOthers(t *testing.T) {
	rows := packedZlib(t, make([]byte, 3*(3*4+1)), 6)
	good := pngOfRows(4, 3, rows)
	if _, ok := plainRows(good, 4, 3); !ok {
		t.Fatal("a good one is not decoded")
	}
	for name, change := range map[string]func(d []byte) []byte{
		"a wrong sum of a chunk": func(d []byte) []byte { d[len(d)-1] ^= 1; return d },
		"without an end":         func(d []byte) []byte { return d[:len(d)-12] },
		"sixteen bits":           func(d []byte) []byte { d[24] = 16; return fixCRC(d) },
		"a palette":              func(d []byte) []byte { d[25] = 3; return fixCRC(d) },
		"interlaced":             func(d []byte) []byte { d[28] = 1; return fixCRC(d) },
		"transparent colour": func(d []byte) []byte {
			return fixCRC(append(append(bytes.Clone(d[:33]), 0, 0, 0, 6, 't', 'R', 'N', 'S', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), d[33:]...))
		},
	} {
		if _, ok := plainRows(change(bytes.Clone(good)), 4, 3); ok {
			t.Errorf("%s: decoded", name)
		}
	}
}
