package scan

import (
	"bytes"
	"compress/zlib"
	"strings"
	"testing"
	"time"
)

// deflated packs a text that repeats, n times its length.
func deflated(t testing.TB, unit string, n int) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := zlib.NewWriterLevel(&out, zlib.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	text := []byte(strings.Repeat(unit, 1<<20/len(unit)))
	for range n {
		if _, err := w.Write(text); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// slowJPEG has four megabytes behind the last block that readers pass over.
func slowJPEG(t testing.TB) []byte {
	data := jpegOf(t, pattern(16, 16))
	return append(append(bytes.Clone(data[:len(data)-2]), bytes.Repeat([]byte{0xff, 0}, 2<<20)...), 0xff, 0xd9)
}

// TestFiltersInsideEachOtherEndSoon: a filter may take in much and give nothing, such as hexadecimal digits of which all are
// spaces, and what it takes in may have been packed a thousand to one, twice over.
func TestFiltersInsideEachOtherEndSoon(t *testing.T) {
	spaces := deflated(t, " ", 2000) // 2 GB
	once := deflated(t, " ", 1000)
	empty := deflated(t, "\x00\x00\x00\xff\xff", 1000) // blocks of no bytes
	head := []byte{0x78, 0x9c}
	blocks := deflated(t, string(append(head, empty...)), 1)
	page := func(filters, rest string, data []byte) []byte {
		return []byte("%PDF-1.4\n1 0 obj <</Pages 2 0 R>> 2 0 obj <</MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</XObject<</I 5 0 R>>>>>> " +
			"4 0 obj <<>> stream\n595 0 0 842 0 0 cm /I Do\nendstream 5 0 obj <</Subtype/Image/Filter[" + filters + "]" + rest + ">> stream\n" + string(data) + "\nendstream trailer <</Root 1 0 R>>")
	}
	rgb := "/Width 16/Height 16/BitsPerComponent 8/ColorSpace/DeviceRGB"
	strips := strings.Repeat("q 595 0 0 .206 0 0 cm /I Do Q ", 4000)
	for name, data := range map[string][]byte{
		"contents of spaces":    []byte("%PDF-1.4\n1 0 obj <</Pages 2 0 R>> 2 0 obj <</Contents 3 0 R>> 3 0 obj <</Filter[/Fl/AHx]>> stream\n" + string(spaces) + "\nendstream trailer <</Root 1 0 R>>"),
		"a picture of spaces":   page("/Fl/AHx", rgb, spaces),
		"a picture of blocks":   page("/Fl/Fl", rgb, blocks),
		"run lengths of spaces": page("/Fl/RL", rgb, once),
		"run lengths, thrice":   page("/Fl/RL/RL/RL", rgb, once),
		"JPEG of spaces":        page("/Fl/AHx/DCT", rgb, spaces),
		"JPEG of one piece":     page("/Fl/DCT", rgb, once),
		"fax of spaces":         page("/Fl/AHx/CCF", "/Width 1728/Height 16/BitsPerComponent 1/ColorSpace/DeviceGray", spaces),
		"strips of run lengths": bytes.Replace(page("/Fl/RL", rgb, once), []byte("595 0 0 842 0 0 cm /I Do"), []byte(strips), 1),
		"strips of a large JPEG": bytes.Replace(page("/DCT", rgb, slowJPEG(t)),
			[]byte("595 0 0 842 0 0 cm /I Do"), []byte(strips), 1),
		"strips of JPEG": bytes.Replace(page("/Fl/DCT", rgb, once), []byte("595 0 0 842 0 0 cm /I Do"), []byte(strips), 1),
	} {
		allocated := allocatedBytes()
		before := time.Now()
		f, err := Open("", data, DefaultLimits)
		if err == nil {
			for i := range f.Pages {
				_, err = f.Picture(i)
			}
		}
		took, took2 := time.Since(before), allocatedBytes()-allocated
		if took > 5*time.Second || took2 > mostAllocated {
			t.Errorf("%s: %v, %d MB allocated (%v)", name, took.Round(time.Millisecond), took2>>20, err)
		}
		t.Logf("%-22s %d kB: %v, %d MB, %v", name, len(data)>>10, took.Round(time.Millisecond), took2>>20, err)
	}
}
