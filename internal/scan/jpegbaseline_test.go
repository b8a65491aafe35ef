package scan

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/draw"
	"image/jpeg"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"testing"

	"yinxin/internal/tooltest"
)

// noisy is a picture with the noise of a scanner, which leaves no coefficient 0.
func noisy(width, height int) *image.RGBA {
	img := pattern(width, height)
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range img.Pix {
		if i%4 != 3 {
			img.Pix[i] = uint8(min(max(int(img.Pix[i])+rng.IntN(25)-12, 0), 255))
		}
	}
	return img
}

func encodedAt(t testing.TB, img image.Image, quality int) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: quality}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// readBaseline reads a picture of the size that it says.
func readBaseline(data []byte) (*image.YCbCr, bool) {
	facts, _ := readJPEG(data)
	return decodeBaseline(data, facts.width, facts.height)
}

// likeImageJPEG holds a picture against that of image/jpeg: whole numbers may be rounded to the other side.
func likeImageJPEG(t *testing.T, data []byte) {
	t.Helper()
	got, ok := readBaseline(data)
	if !ok {
		t.Fatal("left to image/jpeg")
	}
	img, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	want := img.(*image.YCbCr)
	if got.Rect != want.Rect || got.SubsampleRatio != want.SubsampleRatio || got.YStride != want.YStride || got.CStride != want.CStride {
		t.Fatalf("%v %v, not %v %v", got.Rect, got.SubsampleRatio, want.Rect, want.SubsampleRatio)
	}
	for i, p := range [3][2][]uint8{{got.Y, want.Y}, {got.Cb, want.Cb}, {got.Cr, want.Cr}} {
		off := 0
		for k, v := range p[0] {
			switch d := int(v) - int(p[1][k]); {
			case d < -1 || d > 1:
				t.Fatalf("plane %d, sample %d: %d, not %d", i, k, v, p[1][k])
			case d != 0:
				off++
			}
		}
		if off > len(p[0])/10 {
			t.Errorf("plane %d: %d of %d samples are not those of image/jpeg", i, off, len(p[0]))
		}
	}
}

func TestBaselineIsWhatImageJPEGReads(t *testing.T) {
	for _, size := range []image.Point{{1, 1}, {16, 16}, {203, 150}, {33, 7}} {
		for _, quality := range []int{1, 20, 75, 95, 100} {
			likeImageJPEG(t, encodedAt(t, noisy(size.X, size.Y), quality))
			likeImageJPEG(t, encodedAt(t, image.NewRGBA(image.Rect(0, 0, size.X, size.Y)), quality)) // black
		}
	}
}

// restarted puts pictures of one size, 16 rows high, below each other, with restart markers between them: each begins anew, as a picture does.
func restarted(t testing.TB, img *image.RGBA) []byte {
	var all []byte
	rows := img.Rect.Dy() / 16
	for i := range rows {
		one := image.NewRGBA(image.Rect(0, 0, img.Rect.Dx(), 16))
		draw.Draw(one, one.Rect, img, image.Pt(0, 16*i), draw.Src)
		data := encodedAt(t, one, 80)
		scan := bytes.Index(data, []byte{0xff, 0xda})
		if i == 0 {
			frame := bytes.Index(data, []byte{0xff, 0xc0})
			binary.BigEndian.PutUint16(data[frame+5:], uint16(16*rows))
			all = append(all, data[:scan]...)
			all = append(all, 0xff, 0xdd, 0, 4, 0, byte((img.Rect.Dx()+15)/16))
			all = append(all, data[scan:len(data)-2]...)
			continue
		}
		all = append(all, 0xff, 0xd0+byte((i-1)%8))
		all = append(all, data[scan+2+int(binary.BigEndian.Uint16(data[scan+2:])):len(data)-2]...)
	}
	return append(all, 0xff, 0xd9)
}

func TestBaselineWithRestartMarkers(t *testing.T) {
	data := restarted(t, noisy(100, 16*19))
	likeImageJPEG(t, data)
	last := bytes.LastIndex(data[:len(data)-2], []byte{0xff, 0xd1})
	data[last+1] = 0xd2
	if _, ok := readBaseline(data); ok {
		t.Error("a marker of another number was passed over")
	}
}

// TestBaselineIsWhatLibjpegReads: the lightness that libjpeg's exact transform gives is the same to the last bit.
func TestBaselineIsWhatLibjpegReads(t *testing.T) {
	const python = "/usr/bin/python3"
	if err := exec.Command(python, "-c", "import PIL").Run(); err != nil {
		t.Skip("python3-pil is not installed")
	}
	in := tooltest.File(t, "in.png", pngOf(t, noisy(203, 150)))
	for _, c := range []struct {
		options string
		ratio   image.YCbCrSubsampleRatio
	}{
		{"quality=90, subsampling=0", image.YCbCrSubsampleRatio444},
		{"quality=75, subsampling=1", image.YCbCrSubsampleRatio422},
		{"quality=60, subsampling=2, optimize=True", image.YCbCrSubsampleRatio420},
	} {
		dir := t.TempDir()
		file, light := filepath.Join(dir, "a.jpg"), filepath.Join(dir, "light")
		program := "import sys\nfrom PIL import Image\nImage.open(sys.argv[1]).convert('RGB').save(sys.argv[2], " + c.options + ")\n" +
			"im = Image.open(sys.argv[2])\nim.draft('YCbCr', im.size)\nopen(sys.argv[3], 'wb').write(im.split()[0].tobytes())\nassert im.mode == 'YCbCr'"
		if msg, err := exec.Command(python, "-c", program, in, file, light).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, msg)
		}
		data, want := read(t, file), read(t, light)
		likeImageJPEG(t, data)
		got, _ := readBaseline(data)
		if got.SubsampleRatio != c.ratio {
			t.Errorf("%s: %v", c.options, got.SubsampleRatio)
		}
		for y := range 150 {
			if row := got.Y[y*got.YStride : y*got.YStride+203]; !bytes.Equal(row, want[203*y:203*(y+1)]) {
				t.Fatalf("%s: row %d is not libjpeg's", c.options, y)
			}
		}
	}
}

// TestBrokenBaselineIsLeftToImageJPEG: what is cut off or wrong is not read here.
func TestBrokenBaselineIsLeftToImageJPEG(t *testing.T) {
	whole := encodedAt(t, noisy(64, 48), 90)
	for n := 2; n < len(whole); n++ {
		if _, ok := readBaseline(whole[:n:n]); ok {
			t.Fatalf("%d of %d bytes were enough", n, len(whole))
		}
	}
	longer := append(bytes.Clone(whole[:len(whole)-2]), 0x12, 0x34, 0xff, 0xd9)
	if _, ok := readBaseline(longer); ok {
		t.Error("data behind the last block were passed over")
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, greyOf(pattern(20, 20)), nil); err != nil {
		t.Fatal(err)
	}
	if _, ok := readBaseline(out.Bytes()); ok {
		t.Error("grey was read as colour")
	}
}

// FuzzBaseline: what is read here, image/jpeg reads, too, as large and with as many samples.
func FuzzBaseline(f *testing.F) {
	f.Add(encodedAt(f, noisy(40, 24), 90))
	f.Add(restarted(f, noisy(32, 48)))
	f.Fuzz(func(t *testing.T, data []byte) {
		facts, ok := readJPEG(data)
		if !ok || facts.width*facts.height > 200_000 || len(data) < 4 {
			return
		}
		got, ok := decodeBaseline(data, facts.width, facts.height)
		if !ok {
			return
		}
		img, err := jpeg.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		want, ok := img.(*image.YCbCr)
		if !ok || got.Rect != want.Rect || got.SubsampleRatio != want.SubsampleRatio {
			t.Fatalf("%v %v is %T %v", got.Rect, got.SubsampleRatio, img, img.Bounds())
		}
	})
}
