package scan

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/image/tiff"

	"yinxin/internal/fault"
)

// pattern is a small picture with colour, edges and no symmetry.
func pattern(width, height int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			c := color.RGBA{uint8(x * 255 / width), uint8(y * 255 / height), 90, 255}
			if (x/7+y/5)%5 == 0 {
				c = color.RGBA{200, 20, 30, 255}
			}
			if x < width/4 && y < height/8 {
				c = color.RGBA{0, 0, 0, 255}
			}
			img.SetRGBA(x, y, c)
		}
	}
	return img
}

func jpegOf(t testing.TB, img image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func pngOf(t testing.TB, img image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func tiffOf(t testing.TB, img image.Image, o *tiff.Options) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := tiff.Encode(&out, img, o); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// same compares two pictures; tolerance is in levels of eight bits.
func same(t testing.TB, name string, got, want image.Image, tolerance int) {
	t.Helper()
	if got.Bounds().Size() != want.Bounds().Size() {
		t.Errorf("%s: %v, not %v", name, got.Bounds().Size(), want.Bounds().Size())
		return
	}
	g, w := got.Bounds().Min, want.Bounds().Min
	worst, at := 0, image.Point{}
	for y := range got.Bounds().Dy() {
		for x := range got.Bounds().Dx() {
			r1, g1, b1, _ := got.At(g.X+x, g.Y+y).RGBA()
			r2, g2, b2, _ := want.At(w.X+x, w.Y+y).RGBA()
			for _, d := range []int{int(r1>>8) - int(r2>>8), int(g1>>8) - int(g2>>8), int(b1>>8) - int(b2>>8)} {
				if d = max(d, -d); d > worst {
					worst, at = d, image.Point{x, y}
				}
			}
		}
	}
	if worst > tolerance {
		t.Errorf("%s: differs by %d levels at %v", name, worst, at)
	}
}

func opened(t testing.TB, name string, data []byte) *File {
	t.Helper()
	f, err := Open(name, data, DefaultLimits)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return f
}

func pictureOf(t testing.TB, f *File, page int) image.Image {
	t.Helper()
	img, err := f.Picture(page)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func TestPicturesComeOutAsTheyWentIn(t *testing.T) {
	img := pattern(123, 77)
	grey := image.NewGray(img.Rect)
	for i := range grey.Pix {
		grey.Pix[i] = uint8(i * 7)
	}
	f := opened(t, "扫描.JPG", jpegOf(t, img))
	if f.Format != JPEG || len(f.Pages) != 1 || f.Pages[0].Width != 123 || f.Pages[0].Height != 77 || f.Pages[0].DPIX != 0 {
		t.Errorf("JPEG: %+v", f.Pages)
	}
	decoded, err := jpeg.Decode(bytes.NewReader(jpegOf(t, img)))
	if err != nil {
		t.Fatal(err)
	}
	same(t, "JPEG", pictureOf(t, f, 0), decoded, 3) // a plane may be rounded to the other side, see likeImageJPEG
	same(t, "PNG", pictureOf(t, opened(t, "a.png", pngOf(t, img)), 0), img, 0)
	for name, o := range map[string]*tiff.Options{"none": nil, "deflate": {Compression: tiff.Deflate}, "deflate with predictor": {Compression: tiff.Deflate, Predictor: true}} {
		same(t, "TIFF "+name, pictureOf(t, opened(t, "a.tif", tiffOf(t, img, o)), 0), img, 0)
		same(t, "grey TIFF "+name, pictureOf(t, opened(t, "a.TIFF", tiffOf(t, grey, o)), 0), grey, 0)
	}
	palette := image.NewPaletted(img.Rect, color.Palette{color.Black, color.White, color.RGBA{200, 0, 0, 255}})
	for i := range palette.Pix {
		palette.Pix[i] = uint8(i % 3)
	}
	same(t, "TIFF with a palette", pictureOf(t, opened(t, "a.tif", tiffOf(t, palette, nil)), 0), palette, 0)
}

func TestAFileIsWhatItHoldsAndItsNameMustAgree(t *testing.T) {
	img := pattern(20, 20)
	j, p, tf := jpegOf(t, img), pngOf(t, img), tiffOf(t, img, nil)
	pdf := simplePDF(t, img)
	for _, c := range []struct {
		name string
		data []byte
		want fault.Spec // empty code: good
	}{
		{"a.jpg", j, fault.Spec{}}, {"a.jpeg", j, fault.Spec{}}, {"A.JFIF", j, fault.Spec{}}, {"", j, fault.Spec{}}, {"扫描件", j, fault.Spec{}},
		{"a.png", p, fault.Spec{}}, {"a.tiff", tf, fault.Spec{}}, {"a.pdf", pdf, fault.Spec{}}, {" a.PDF ", pdf, fault.Spec{}},
		{"a.png", j, ErrName}, {"a.jpg", p, ErrName}, {"a.pdf", j, ErrName}, {"a.jpg", pdf, ErrName}, {"a.doc", pdf, ErrName}, {"a.pdf.exe", pdf, ErrName}, {"a.tif", p, ErrName},
		{"a.pdf", []byte("PK\x03\x04"), ErrUnknown}, {"a.jpg", []byte("GIF89a"), ErrUnknown}, {"a.jpg", nil, ErrUnknown}, {"a.pdf", []byte("MZ\x90\x00%PDF-1.7"), ErrUnknown},
		{"a.jpg", []byte("<html>"), ErrUnknown},
	} {
		f, err := Open(c.name, c.data, DefaultLimits)
		if c.want.Code == "" && err != nil || c.want.Code != "" && !fault.Has(err, c.want) {
			t.Errorf("%q: %v", c.name, err)
		}
		if err == nil && f.Format.MediaType() == "" {
			t.Error("no media type")
		}
	}
	if PDF.MediaType() != "application/pdf" || JPEG.MediaType() != "image/jpeg" {
		t.Error("media types")
	}
}

// huge changes the size that the header of a picture says.
func hugePNG(t testing.TB) []byte {
	data := bytes.Clone(pngOf(t, pattern(20, 20)))
	binary.BigEndian.PutUint32(data[16:], 30000)
	binary.BigEndian.PutUint32(data[20:], 30000)
	return fixCRC(data)
}

func hugeJPEG(t testing.TB, width, height uint16) []byte {
	data := bytes.Clone(jpegOf(t, pattern(20, 20)))
	at := bytes.Index(data, []byte{0xff, 0xc0})
	binary.BigEndian.PutUint16(data[at+5:], height)
	binary.BigEndian.PutUint16(data[at+7:], width)
	return data
}

func TestSizesAreRefusedBeforeAnythingIsDecoded(t *testing.T) {
	small := DefaultLimits
	small.Pages, small.Pixels, small.Bytes = 2, 1000, 1<<20
	for name, c := range map[string]struct {
		data []byte
		l    Limits
		want fault.Spec
	}{
		"many bytes":                  {jpegOf(t, pattern(20, 20)), Limits{Bytes: 100, Pages: 1, Pixels: 1000}, ErrTooLarge},
		"PNG of 900 megapixels":       {hugePNG(t), DefaultLimits, ErrPixels},
		"JPEG of 4,225 megapixels":    {hugeJPEG(t, 65000, 65000), DefaultLimits, ErrPixels},
		"JPEG that is mostly promise": {hugeJPEG(t, 8000, 8000), DefaultLimits, ErrBroken},
		"JPEG over a small limit":     {jpegOf(t, pattern(40, 40)), small, ErrPixels},
		"TIFF over a small limit":     {tiffOf(t, pattern(40, 40), nil), small, ErrPixels},
		"PDF over a small limit":      {simplePDF(t, pattern(40, 40)), small, ErrPixels},
		"PDF of three pages":          {simplePDF(t, pattern(20, 20), pattern(20, 20), pattern(20, 20)), small, ErrPages},
		"JPEG cut short":              {jpegOf(t, pattern(20, 20))[:100], DefaultLimits, ErrBroken},
		"PNG cut short":               {pngOf(t, pattern(20, 20))[:20], DefaultLimits, ErrBroken},
		"TIFF cut short":              {tiffOf(t, pattern(20, 20), nil)[:40], DefaultLimits, ErrBroken},
		"PDF without pages":           {[]byte("%PDF-1.7\n1 0 obj <</Type/Catalog>> endobj trailer <</Root 1 0 R>>"), DefaultLimits, ErrBroken},
		"encrypted PDF":               {bytes.Replace(simplePDF(t, pattern(20, 20)), []byte("trailer\n<<"), []byte("trailer\n<</Encrypt 9 0 R"), 1), DefaultLimits, ErrEncrypted},
		"TIFF in a ring":              {ring(t), DefaultLimits, ErrBroken},
		"progressive JPEG":            {manyScans(t), DefaultLimits, ErrTooLarge},
	} {
		if _, err := Open("", c.data, c.l); !fault.Has(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// What is damaged behind the header is found when the picture is decoded.
	data := jpegOf(t, pattern(200, 200))
	f, err := Open("", data[:len(data)*2/3], DefaultLimits)
	if err == nil {
		_, err = f.Picture(0)
	}
	if !fault.Has(err, ErrBroken) {
		t.Errorf("half a JPEG: %v", err)
	}
	if _, err := opened(t, "", data).Picture(1); !fault.Has(err, ErrNoPicture) {
		t.Errorf("a page that is not there: %v", err)
	}
}

// ring is a TIFF whose directory is followed by itself.
func ring(t testing.TB) []byte {
	data := bytes.Clone(tiffOf(t, pattern(20, 20), nil))
	first := binary.LittleEndian.Uint32(data[4:])
	count := binary.LittleEndian.Uint16(data[first:])
	binary.LittleEndian.PutUint32(data[first+2+12*uint32(count):], first)
	return data
}

// manyScans has more scans than any encoder writes.
func manyScans(t testing.TB) []byte {
	data := jpegOf(t, pattern(20, 20))
	at := bytes.Index(data, []byte{0xff, 0xda})
	scan := data[at : len(data)-2]
	return append(append(bytes.Clone(data[:at]), bytes.Repeat(scan, mostScans+1)...), 0xff, 0xd9)
}

// simplePDF has one JPEG for each page, in a file with a table of cross-references that is wrong.
func simplePDF(t testing.TB, pictures ...image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	out.WriteString("%PDF-1.4\n1 0 obj <</Type/Catalog/Pages 2 0 R>> endobj\n2 0 obj <</Type/Pages/MediaBox[0 0 595 842]/Kids[")
	for i := range pictures {
		fmt.Fprintf(&out, "%d 0 R ", 10+3*i)
	}
	fmt.Fprintf(&out, "]/Count %d>> endobj\n", len(pictures))
	for i, img := range pictures {
		data := jpegOf(t, img)
		b := img.Bounds()
		content := "q 595 0 0 842 0 0 cm /Im0 Do Q"
		fmt.Fprintf(&out, "%d 0 obj <</Type/Page/Parent 2 0 R/Resources<</XObject<</Im0 %d 0 R>>>>/Contents %d 0 R>> endobj\n", 10+3*i, 11+3*i, 12+3*i)
		fmt.Fprintf(&out, "%d 0 obj <</Subtype/Image/Width %d/Height %d/BitsPerComponent 8/ColorSpace/DeviceRGB/Filter/DCTDecode/Length %d>> stream\n%s\nendstream endobj\n",
			11+3*i, b.Dx(), b.Dy(), len(data), data)
		fmt.Fprintf(&out, "%d 0 obj <</Length %d>> stream\n%s\nendstream endobj\n", 12+3*i, len(content), content)
	}
	out.WriteString("xref\n0 1\n0000000000 65535 f \ntrailer\n<</Size 99/Root 1 0 R>>\nstartxref\n1\n%%EOF\n")
	return out.Bytes()
}

func TestResolutionsAreRead(t *testing.T) {
	j := jpegOf(t, pattern(20, 20))
	jfif := append(append([]byte{0xff, 0xd8}, 0xff, 0xe0, 0, 16, 'J', 'F', 'I', 'F', 0, 1, 2, 1, 1, 44, 1, 44, 0, 0), j[2:]...)
	if p := opened(t, "", jfif).Pages[0]; p.DPIX != 300 || p.DPIY != 300 {
		t.Errorf("JFIF: %+v", p)
	}
	centimetres := bytes.Clone(jfif)
	copy(centimetres[13:], []byte{2, 0, 118, 0, 118})
	if p := opened(t, "", centimetres).Pages[0]; p.DPIX < 299 || p.DPIX > 300 {
		t.Errorf("JFIF in centimetres: %+v", p)
	}
	if p := opened(t, "", tiffOf(t, pattern(20, 20), nil)).Pages[0]; p.DPIX != 72 {
		t.Errorf("TIFF: %+v", p)
	}
	data := pngOf(t, pattern(20, 20))
	chunk := append([]byte{0, 0, 0, 9, 'p', 'H', 'Y', 's'}, 0, 0, 0x2e, 0x23, 0, 0, 0x2e, 0x23, 1, 0, 0, 0, 0)
	data = fixCRC(append(append(bytes.Clone(data[:33]), chunk...), data[33:]...))
	if p := opened(t, "", data).Pages[0]; p.DPIX < 299.9 || p.DPIX > 300.1 {
		t.Errorf("PNG: %+v", p)
	}
	if p := opened(t, "", simplePDF(t, pattern(248, 351))).Pages[0]; p.DPIX < 29.9 || p.DPIX > 30.1 {
		t.Errorf("PDF: %+v", p)
	}
}

// mostAllocated bounds all that is allocated for one hostile file, what was freed again included.
const mostAllocated = 256 << 20

// TestHostileFilesEndSoon: each of these took time that grows with the square of its size in some reader.
func TestHostileFilesEndSoon(t *testing.T) {
	const size = 4 << 20
	fill := func(head, unit string) []byte {
		return append([]byte(head), bytes.Repeat([]byte(unit), size/len(unit))...)
	}
	started := time.Now()
	for name, data := range map[string][]byte{
		"trailers":             fill("%PDF-1.4\n", "trailer "),
		"trailers, one object": append(fill("%PDF-1.4\n", "trailer "), "1 0 obj"...),
		"objects":              fill("%PDF-1.4\n", "1 0 obj "),
		"words":                fill("%PDF-1.4\n", "obj "),
		"open strings":         fill("%PDF-1.4\n", "1 0 obj ("),
		"open hex":             fill("%PDF-1.4\n", "1 0 obj <"),
		"open dictionaries":    fill("%PDF-1.4\n", "1 0 obj <<"),
		"open arrays":          fill("%PDF-1.4\n", "1 0 obj ["),
		"nested arrays":        fill("%PDF-1.4\n1 0 obj ", "["),
		"streams without end":  fill("%PDF-1.4\n", "1 0 obj <<>> stream "),
		"streams with an end":  fill("%PDF-1.4\n", "1 0 obj <<>> stream endstream "),
		"comments":             fill("%PDF-1.4\n", "1 0 obj %"),
		"kids":                 []byte("%PDF-1.4\n1 0 obj <</Pages 2 0 R>> 2 0 obj <</Kids[" + strings.Repeat("2 0 R ", size/6) + "]>> trailer <</Root 1 0 R>>"),
		"direct kids":          []byte("%PDF-1.4\n1 0 obj <</Pages <</Kids[" + strings.Repeat("3 0 R ", size/6) + "]>>>> 3 0 obj <<>> trailer <</Root 1 0 R>>"),
		"contents":             []byte("%PDF-1.4\n1 0 obj <</Pages 2 0 R>> 2 0 obj <</Contents[" + strings.Repeat("3 0 R ", size/6) + "]>> 3 0 obj <</Filter/FlateDecode>> stream " + string(bomb(t)) + "endstream trailer <</Root 1 0 R>>"),
		"forms":                []byte("%PDF-1.4\n1 0 obj <</Pages 2 0 R>> 2 0 obj <</Contents 3 0 R/Resources<</XObject<</F 3 0 R>>>>>> 3 0 obj <</Subtype/Form/Resources<</XObject<</F 3 0 R>>>>>> stream " + strings.Repeat("/F Do ", 1000) + " endstream trailer <</Root 1 0 R>>"),
		"object streams":       fill("%PDF-1.4\n", "1 0 obj <</Type/ObjStm/N 1000000/First 2>> stream 1 0 endstream "),
		"object stream bomb":   []byte("%PDF-1.4\n" + strings.Repeat("1 0 obj <</Type/ObjStm/N 1000000/First 1000000/Filter/FlateDecode>> stream "+string(bomb(t))+"endstream ", 20)),
		"JPEG of markers":      fill("\xff\xd8", "\xff\xd0"),
		"JPEG of fill":         fill("\xff\xd8", "\xff\xff"),
		"JPEG of scans":        fill("\xff\xd8\xff\xc0\x00\x11\x08\x00\x10\x00\x10\x03\x01\x11\x00\x02\x11\x00\x03\x11\x00", "\xff\xda\x00\x02"),
		"PNG of chunks":        fill("\x89PNG\r\n\x1a\n", "\x00\x00\x00\x00tEXt\x00\x00\x00\x00"),
		"TIFF of directories":  fill("II*\x00\x08\x00\x00\x00", "\x01\x00\x00\x01\x03\x00\x01\x00\x00\x00\x10\x00\x00\x00\x1a\x00\x00\x00"),
	} {
		allocated := allocatedBytes()
		before := time.Now()
		f, err := Open("", data, DefaultLimits)
		if err == nil {
			for i := range f.Pages {
				_, err = f.Picture(i)
			}
		}
		if took := time.Since(before); took > 5*time.Second {
			t.Errorf("%s: %v (%v)", name, took, err)
		}
		if took := allocatedBytes() - allocated; took > mostAllocated {
			t.Errorf("%s: %d MB allocated (%v)", name, took>>20, err)
		} else if testing.Verbose() {
			t.Logf("%-22s %v, %d MB, %v", name, time.Since(before).Round(time.Millisecond), took>>20, err)
		}
	}
	t.Log(time.Since(started))
}

func allocatedBytes() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

// bomb is 30 MB of zeroes in 30 kB.
func bomb(t testing.TB) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zlib.NewWriter(&out)
	if _, err := z.Write(make([]byte, 30<<20)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
