package scan

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"strings"
	"testing"
)

// bombPNG says that it is 16 × 16 pixels and unpacks to 30 MB.
func bombPNG(t testing.TB) []byte {
	t.Helper()
	data := bytes.Clone(pngOf(t, pattern(16, 16)))
	at := bytes.Index(data, []byte("IDAT")) - 4
	chunk := binary.BigEndian.AppendUint32(nil, uint32(len(bomb(t))))
	body := append([]byte("IDAT"), bomb(t)...)
	chunk = binary.BigEndian.AppendUint32(append(chunk, body...), crc32.ChecksumIEEE(body))
	return append(append(data[:at:at], chunk...), data[len(data)-12:]...)
}

// scannedPDF is a page whose picture is packed any number of times.
func scannedPDF(filters string, width, height int, data []byte) []byte {
	return fmt.Appendf(nil, "%%PDF-1.4\n1 0 obj <</Type/Catalog/Pages 2 0 R>> endobj 2 0 obj <</Type/Pages/Count 1/Kids[3 0 R]>> endobj "+
		"3 0 obj <</Type/Page/Parent 2 0 R/MediaBox[0 0 600 900]/Contents 4 0 R/Resources<</XObject<</I 5 0 R>>>>>> endobj "+
		"4 0 obj <</Length 26>> stream\n600 0 0 900 0 0 cm /I Do  \nendstream endobj "+
		"5 0 obj <</Type/XObject/Subtype/Image/Width %d/Height %d/ColorSpace/DeviceRGB/BitsPerComponent 8/Filter[%s]/Length %d>> stream\n%s\nendstream endobj "+
		"trailer <</Root 1 0 R>>", width, height, filters, len(data), data)
}

// TestBombsDoNotUnfold: what a small file unpacks to is bounded by the picture that it declares.
func TestBombsDoNotUnfold(t *testing.T) {
	var twice bytes.Buffer
	z := zlib.NewWriter(&twice)
	if _, err := z.Write(bomb(t)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	cut := pngOf(t, pattern(400, 400))
	for name, data := range map[string][]byte{
		"PNG":                     bombPNG(t),
		"PNG cut short":           cut[:len(cut)/2],
		"TIFF cut short":          tiffOf(t, pattern(400, 400), nil)[:4000],
		"PDF of a small picture":  scannedPDF("/FlateDecode", 16, 16, bomb(t)),
		"PDF packed twice":        scannedPDF("/FlateDecode/FlateDecode", 16, 16, twice.Bytes()),
		"PDF packed 10,000 times": scannedPDF(strings.Repeat("/FlateDecode", 10_000), 16, 16, twice.Bytes()),
		"PDF of an absurd size":   scannedPDF("/FlateDecode", 1<<31-1, 1<<31-1, bomb(t)),
		"PDF of a size below 0":   scannedPDF("/FlateDecode", -16, 16, bomb(t)),
		"PDF of mostly promise":   scannedPDF("/FlateDecode", 8000, 8000, bomb(t)[:100]),
	} {
		before := allocatedBytes()
		f, err := Open("", data, DefaultLimits)
		if err == nil {
			_, err = f.Picture(0)
		}
		used := allocatedBytes() - before
		t.Logf("%-24s %4d kB %v", name, used>>10, err)
		if used > 8<<20 {
			t.Errorf("%s: %d MB allocated (%v)", name, used>>20, err)
		}
	}
}
