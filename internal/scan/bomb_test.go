package scan

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"maps"
	"slices"
	"strings"
	"testing"

	"yinxin/internal/fault"
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

// rgbTIFF is a picture of eight bits in one strip, coded as it may be. Further entries stand for those of the same tag.
func rgbTIFF(width, height, compression uint32, strip []byte, further ...[2]uint32) []byte {
	entries := map[uint32]uint32{tagWidth: width, tagHeight: height, tagBits: 8, tagCompression: compression, tagPhotometric: 2, tagStripOffsets: 8,
		tagSamples: 3, tagRowsPerStrip: height, tagStripCounts: uint32(len(strip))}
	for _, e := range further {
		if entries[e[0]] = e[1]; e[0] == tagTileWidth {
			entries[tagTileOffsets], entries[tagTileCounts] = 8, uint32(len(strip))
		}
	}
	var list [][2]uint32
	for _, tag := range slices.Sorted(maps.Keys(entries)) {
		list = append(list, [2]uint32{tag, entries[tag]})
	}
	return handMadeTIFF(strip, list)
}

// resizedJPEG says another size in its frame header.
func resizedJPEG(data []byte, width, height uint16) []byte {
	data = bytes.Clone(data)
	at := bytes.Index(data, []byte{0xff, 0xc0})
	binary.BigEndian.PutUint16(data[at+5:], height)
	binary.BigEndian.PutUint16(data[at+7:], width)
	return data
}

// TestScansOfAJPEGAreBoundedByItsSize: what a small picture may have a large one may not.
func TestScansOfAJPEGAreBoundedByItsSize(t *testing.T) {
	data := jpegOf(t, pattern(20, 20))
	at := bytes.Index(data, []byte{0xff, 0xda})
	scans := func(n int) []byte {
		return append(append(bytes.Clone(data[:at]), bytes.Repeat(data[at:len(data)-2], n)...), 0xff, 0xd9)
	}
	large := func(n int) []byte { // as many bytes as such a picture has at least
		return append(resizedJPEG(scans(n), 4960, 7016), make([]byte, 4960*7016/1024)...)
	}
	for name, c := range map[string]struct {
		data []byte
		well bool
	}{"small, 64": {scans(64), true}, "small, 65": {scans(65), false}, "large, 28": {large(28), true}, "large, 29": {large(29), false}} {
		if _, err := Open("", c.data, DefaultLimits); (err == nil) != c.well || !c.well && !fault.Has(err, ErrTooLarge) {
			t.Errorf("%s: %v", name, err)
		}
	}
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
	lzw := packedLZW(make([]byte, 30<<20))
	jpeg := jpegOf(t, pattern(16, 16))
	for name, data := range map[string][]byte{
		"PNG":                              bombPNG(t),
		"PNG cut short":                    cut[:len(cut)/2],
		"TIFF cut short":                   tiffOf(t, pattern(400, 400), nil)[:4000],
		"TIFF of a small picture, LZW":     rgbTIFF(16, 16, 5, lzw),
		"TIFF of a small picture, DEFLATE": rgbTIFF(16, 16, 8, bomb(t)),
		"TIFF of mostly promise, LZW":      rgbTIFF(8000, 8000, 5, lzw[:1000]),
		"TIFF of mostly promise, DEFLATE":  rgbTIFF(8000, 8000, 8, bomb(t)[:100]),
		"TIFF of mostly promise, PackBits": rgbTIFF(8000, 8000, 32773, make([]byte, 1000)),
		"TIFF of mostly promise, as it is": rgbTIFF(8000, 8000, 1, make([]byte, 1000)),
		"TIFF of planes of promise":        rgbTIFF(8000, 8000, 5, lzw[:1000], [2]uint32{tagPlanar, 2}),
		"TIFF of light and colour":         rgbTIFF(8000, 8000, 5, lzw[:1000], [2]uint32{tagPhotometric, 6}),
		"TIFF of an absurd tile":           rgbTIFF(16, 16, 5, lzw, [2]uint32{tagTileWidth, 1 << 30}, [2]uint32{tagTileHeight, 1 << 30}),
		"TIFF of a tile much too large":    rgbTIFF(16, 16, 5, lzw, [2]uint32{tagTileWidth, 4096}, [2]uint32{tagTileHeight, 4096}),
		"TIFF of an absurd size":           rgbTIFF(1<<31-1, 1<<31-1, 5, lzw),
		"TIFF of a JPEG of another size":   rgbTIFF(16, 16, 7, resizedJPEG(jpeg, 8000, 8000)),
		"JPEG of mostly promise":           resizedJPEG(jpeg, 8000, 8000),
		"JPEG of an absurd size":           resizedJPEG(jpeg, 65535, 65535),
		"JPEG of many scans":               manyScans(t),
		"PDF of a small picture":           scannedPDF("/FlateDecode", 16, 16, bomb(t)),
		"PDF packed twice":                 scannedPDF("/FlateDecode/FlateDecode", 16, 16, twice.Bytes()),
		"PDF packed 10,000 times":          scannedPDF(strings.Repeat("/FlateDecode", 10_000), 16, 16, twice.Bytes()),
		"PDF of an absurd size":            scannedPDF("/FlateDecode", 1<<31-1, 1<<31-1, bomb(t)),
		"PDF of a size below 0":            scannedPDF("/FlateDecode", -16, 16, bomb(t)),
		"PDF of mostly promise":            scannedPDF("/FlateDecode", 8000, 8000, bomb(t)[:100]),
	} {
		before := allocatedBytes()
		f, err := Open("", data, DefaultLimits)
		if err == nil {
			_, err = f.Picture(0)
		}
		used := allocatedBytes() - before
		t.Logf("%-34s %4d kB %v", name, used>>10, err)
		if used > 8<<20 {
			t.Errorf("%s: %d MB allocated (%v)", name, used>>20, err)
		}
	}
}
