package wayup

import (
	"image"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
	"golang.org/x/text/encoding/simplifiedchinese"

	"yinxin/internal/truetype"
)

// common is the characters of GB/T 2312, level 1.
func common() []string {
	var all []string
	for row := byte(0xb0); row <= 0xd7; row++ {
		for cell := byte(0xa1); cell <= 0xfe; cell++ {
			if text, err := simplifiedchinese.GBK.NewDecoder().Bytes([]byte{row, cell}); err == nil {
				if r := []rune(string(text)); len(r) == 1 && r[0] >= 0x4e00 && r[0] <= 0x9fff {
					all = append(all, string(text))
				}
			}
		}
	}
	return all
}

// face opens a font file, or the first font of a collection.
func face(t *testing.T, path string, pixels float64) font.Face {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := opentype.ParseCollection(data)
	if err != nil {
		t.Logf("%s is left out: %v", path, err)
		return nil
	}
	one, err := parsed.Font(0)
	if err != nil {
		t.Logf("%s is left out: %v", path, err)
		return nil
	}
	f, err := opentype.NewFace(one, &opentype.FaceOptions{Size: pixels, DPI: 72})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// drawn is a character as darkness.
func drawn(f font.Face, text string, pixels int) *image.Alpha {
	for _, r := range text {
		if _, ok := f.GlyphAdvance(r); !ok {
			return nil
		}
	}
	img := image.NewAlpha(image.Rect(0, 0, 4*pixels, 2*pixels))
	d := font.Drawer{Dst: img, Src: image.Opaque, Face: f, Dot: fixed.P(pixels/2, pixels*3/2)}
	d.DrawString(text)
	return img
}

// letters are what a reader that looks for squares sees of Latin print.
func letters(rng *rand.Rand, n int) []string {
	const those = "aaabcddeeeeeefghhiiiijklmnnnooopqrrrsssttttuuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ01234567890123456789.,-"
	all := make([]string, n)
	for k := range all {
		text := make([]byte, 1+rng.IntN(3))
		for i := range text {
			text[i] = those[rng.IntN(len(those))]
		}
		all[k] = string(text)
	}
	return all
}

// cellsOf is what a reader of a scan sees of a character.
func cellsOf(img *image.Alpha, rng *rand.Rand) (Cells, bool) {
	b := image.Rectangle{}
	for y := range img.Rect.Dy() {
		for x := range img.Rect.Dx() {
			if img.Pix[y*img.Stride+x] > 100 {
				b = b.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	if b.Dx() < 5 || b.Dy() < 5 {
		return Cells{}, false
	}
	if rng != nil { // bounds are found to a pixel or so
		b.Min.X += rng.IntN(3) - 1
		b.Min.Y += rng.IntN(3) - 1
		b.Max.X += rng.IntN(3) - 1
		b.Max.Y += rng.IntN(3) - 1
	}
	return Shrink(b.Dx(), b.Dy(), func(x, y int) float32 {
		return float32(img.AlphaAt(b.Min.X+x, b.Min.Y+y).A) / 255
	}), true
}

// samples are the common characters of a font, or as many groups of letters, in one size.
func samples(t *testing.T, path string, rng *rand.Rand, texts []string) []Cells {
	var all []Cells
	pixels := 14 + rng.IntN(22)
	f := face(t, path, float64(pixels))
	if f == nil {
		return nil
	}
	for _, text := range texts {
		if img := drawn(f, text, pixels); img != nil {
			if c, ok := cellsOf(img, rng); ok {
				all = append(all, c.normalized())
			}
		}
	}
	return all
}

// TestEveryTurnIsToldApart uses a typeface that the network was not fitted to.
func TestEveryTurnIsToldApart(t *testing.T) {
	path, err := truetype.Find()
	if err != nil {
		t.Skip(err)
	}
	all := samples(t, path, rand.New(rand.NewPCG(1, 2312)), common())
	if len(all) < 3000 {
		t.Skipf("%s has few Chinese characters", path)
	}
	if quarter, half := fitted.judge(all); quarter < .88 || half < .92 {
		t.Errorf("of four turns %.3f are right, of two %.3f", quarter, half)
	}
	// A turned character gives the same odds at another place.
	c := all[7]
	turned := c.turned()
	a, b := c.Turns(), turned.Turns()
	for i := range a {
		if math.Abs(a[i]-b[(i+3)%4]) > 1e-3 {
			t.Errorf("%.3f, and turned clockwise %.3f", a, b)
		}
	}
}

func TestCellsShareOutPixels(t *testing.T) {
	for _, size := range [][2]int{{12, 12}, {5, 31}, {40, 7}} {
		c := Shrink(size[0], size[1], func(x, y int) float32 { return .25 })
		for i, v := range c {
			if math.Abs(float64(v)-.25) > 1e-4 {
				t.Fatalf("%v: cell %d is %g", size, i, v)
			}
		}
	}
	// A quarter of it is black.
	c := Shrink(24, 24, func(x, y int) float32 {
		if x < 12 && y >= 12 {
			return 1
		}
		return 0
	})
	if c[0] != 0 || c[Side*Side-1] != 0 || c[Side*(Side-1)] != 1 {
		t.Error(c)
	}
}

// TestFit fits the network to the fonts of the folder FONTS; those whose names begin as HELD says are only measured.
func TestFit(t *testing.T) {
	folder := os.Getenv("FONTS")
	if folder == "" {
		t.Skip("make wayup fits the weights")
	}
	rng := rand.New(rand.NewPCG(2312, 1))
	var fit, held []Cells
	files, err := filepath.Glob(filepath.Join(folder, "*.tt?"))
	if err != nil || len(files) == 0 {
		t.Fatal("no fonts: ", folder, err)
	}
	for _, path := range files {
		isHeld := slices.ContainsFunc(strings.Fields(os.Getenv("HELD")), func(h string) bool { return strings.HasPrefix(filepath.Base(path), h) })
		for range 3 {
			if isHeld {
				held = append(held, samples(t, path, rng, common())...)
			} else {
				fit = append(fit, samples(t, path, rng, common())...)
				fit = append(fit, samples(t, path, rng, letters(rng, 700))...)
			}
		}
	}
	t.Logf("%d to fit, %d held out", len(fit), len(held))
	n := &network{}
	n.each(func(w *float32) { *w = float32(rng.NormFloat64()) * .06 })
	for h := range hidden {
		n.out[h] = 1
		if h%2 == 1 {
			n.out[h] = -1
		}
	}
	n.fit(fit, rng, 40, func(epoch int, loss float64) {
		if epoch%5 == 4 {
			quarter, half := n.judge(held)
			t.Logf("epoch %d: loss %.3f; held out: of four turns %.3f are right, of two %.3f", epoch+1, loss, quarter, half)
		}
	})
	if err := os.WriteFile("weights.bin", n.encode(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// judge is how many characters of upright ones are seen to be upright: of four turns, and of two.
func (n *network) judge(all []Cells) (quarter, half float64) {
	for i := range all {
		s := n.turns(&all[i])
		if s[0] > max(s[1], s[2], s[3]) {
			quarter++
		}
		if s[0] > s[2] {
			half++
		}
	}
	of := float64(max(1, len(all)))
	return quarter / of, half / of
}

// fit is Adam over small batches.
func (n *network) fit(all []Cells, rng *rand.Rand, epochs int, done func(epoch int, loss float64)) {
	const batch, rate, decay = 64, .002, 1e-4
	var first, second [size]float64
	steps := 0
	order := rng.Perm(len(all))
	for epoch := range epochs {
		rng.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		loss := 0.0
		for at := 0; at+batch <= len(order); at += batch {
			var g network
			for _, i := range order[at : at+batch] {
				loss += n.gradient(&all[i], &g)
			}
			steps++
			var grads [size]float64
			k := 0
			g.each(func(w *float32) { grads[k] = float64(*w) / batch; k++ })
			k = 0
			now := rate * (1 - float64(epoch)/float64(epochs)*.95)
			n.each(func(w *float32) {
				d := grads[k] + decay*float64(*w)
				first[k] = .9*first[k] + .1*d
				second[k] = .999*second[k] + .001*d*d
				m := first[k] / (1 - math.Pow(.9, float64(steps)))
				v := second[k] / (1 - math.Pow(.999, float64(steps)))
				*w -= float32(now * m / (math.Sqrt(v) + 1e-8))
				k++
			})
		}
		done(epoch, loss/float64(len(order)))
	}
}

// gradient adds the gradient of the loss of one upright character, and returns the loss.
func (n *network) gradient(c *Cells, g *network) float64 {
	var turns [4]Cells
	var act [4][hidden]float32
	var s [4]float64
	turns[0] = *c
	for k := 1; k < 4; k++ {
		turns[k] = turns[k-1].turned()
	}
	top := math.Inf(-1)
	for k := range turns {
		for h := range hidden {
			v := n.bias[h]
			for i, w := range n.in[h] {
				v += w * turns[k][i]
			}
			if v > 0 {
				act[k][h] = v
				s[k] += float64(n.out[h] * v)
			}
		}
		top = math.Max(top, s[k])
	}
	sum := 0.0
	for _, v := range s {
		sum += math.Exp(v - top)
	}
	for k := range turns {
		d := float32(math.Exp(s[k]-top) / sum)
		if k == 0 {
			d--
		}
		for h := range hidden {
			if act[k][h] <= 0 {
				continue
			}
			g.out[h] += d * act[k][h]
			e := d * n.out[h]
			g.bias[h] += e
			for i, v := range turns[k] {
				g.in[h][i] += e * v
			}
		}
	}
	return -(s[0] - top - math.Log(sum))
}
