package sheet

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"image"
	"image/color"
	"io"
	"maps"
	"slices"
	"strings"

	"yinxin/internal/fault"
	"yinxin/sealer/pdf/truetype"
	"yinxin/sealer/verify"
)

// PDF writes a report as a PDF of A4 pages in a language, "zh" or "en". Font is a TrueType font with Chinese characters;
// what the report needs of it is embedded, and a character that it lacks becomes a question mark. Errors:
// sheet.too-long, those of package truetype for a font that cannot be used, and those of w.
func PDF(w io.Writer, r *verify.Report, language string, font []byte) error {
	c := contentOf(r, language)
	face, err := newFace(font, c)
	if err != nil {
		return err
	}
	l := &layout{face: face, say: func(zh, en string) string { return text{zh, en}.in(language) }, pictures: map[[32]byte]int{}}
	if err := l.lay(c); err != nil {
		return err
	}
	return l.write(w, c)
}

// face is the embedded part of a font.
type face struct {
	font   *truetype.Font
	subset *truetype.Subset
}

// maxDistinct is how many different characters one report shows; others become question marks.
const maxDistinct = 900

// newFace embeds the characters that the content needs and the font has.
func newFace(data []byte, c content) (*face, error) {
	font, err := truetype.Parse(data)
	if err != nil {
		return nil, err
	}
	wanted := map[rune]bool{}
	for _, s := range append(c.texts(), fixedTexts...) {
		for _, r := range s {
			if r > ' ' && len(wanted) < maxDistinct {
				wanted[r] = true
			}
		}
	}
	wanted[' '], wanted['?'] = true, true
	characters := slices.Sorted(maps.Keys(wanted))
	subset, err := font.Subset(characters)
	if fault.CodeOf(err) == "font.no-glyph" {
		// Which ones are missing is only found one by one.
		characters = slices.DeleteFunc(characters, func(r rune) bool {
			_, err := font.Subset([]rune{r})
			return err != nil
		})
		subset, err = font.Subset(characters)
	}
	if err != nil {
		return nil, err
	}
	return &face{font, subset}, nil
}

// fixedTexts are characters of the layout itself.
var fixedTexts = []string{"0123456789/ ·…?-'\".印信Yinxin第页共page of 检查项目Checks盖章之后的变化What came after说明Notes未检查或无法确认的事项无。Nothing.What was not checked or is not known"}

// texts are all sentences of a document.
func (c content) texts() []string {
	all := []string{c.Heading, c.Look.Title, c.Look.Next, c.Summary, c.Hidden}
	facts := func(list []fact) {
		for _, f := range list {
			all = append(all, f.Name, f.Value, f.Fine)
		}
	}
	facts(c.Facts)
	for _, d := range c.Cards {
		all = append(all, d.Look.Word, d.Heading, d.Caption, d.Summary, d.More)
		facts(d.Facts)
		for _, g := range d.Changes {
			all = append(all, g.Detail, g.Fine)
		}
		for _, s := range d.Steps {
			all = append(all, s.Word, s.Name, s.Detail)
		}
	}
	return slices.Concat(all, c.Notes, c.Unchecked, c.Closing)
}

// glyph is the number of a character's glyph; what is not there is shown as a question mark.
func (f *face) glyph(r rune) int {
	if g := f.subset.Glyph(r); g != 0 {
		return g
	}
	if similar, ok := instead[r]; ok && f.subset.Glyph(similar) != 0 {
		return f.subset.Glyph(similar)
	}
	if r <= ' ' || r == 0xa0 {
		return f.subset.Glyph(' ')
	}
	return f.subset.Glyph('?')
}

// instead are characters that fonts lack and that another can stand for.
var instead = map[rune]rune{'–': '-', '—': '-', '‑': '-', '‐': '-', '’': '\'', '‘': '\'', '“': '"', '”': '"', '·': '.', '…': '.'}

// width is the length of a line in points.
func (f *face) width(s string, size float64) float64 {
	total := 0
	for _, r := range s {
		total += f.subset.Widths[f.glyph(r)]
	}
	return float64(total) * size / 1000
}

// wrap breaks a sentence into lines of at most so many points: between Chinese characters, else at spaces, and inside a
// word that is longer than a line. What closes a sentence does not begin a line.
func (f *face) wrap(s string, size, most float64) []string {
	var lines []string
	line, used := []rune{}, 0.0
	breakAt := -1 // where the line may end
	for _, r := range s {
		advance := f.width(string(r), size)
		if used+advance > most && len(line) > 0 {
			cut := len(line)
			switch {
			case isWord(r) && breakAt > 0:
				cut = breakAt
			case strings.ContainsRune(closing, r) && len(line) > 1:
				cut = len(line) - 1
			}
			lines = append(lines, strings.TrimRight(string(line[:cut]), " "))
			line = slices.Clone(line[cut:])
			used, breakAt = f.width(string(line), size), -1
		}
		line = append(line, r)
		used += advance
		if !isWord(r) {
			breakAt = len(line)
		}
	}
	return append(lines, string(line))
}

const closing = "，。；：！？、）》」』”’,.;:!?)"

func isWord(r rune) bool { return r > ' ' && r < 0x2000 }

// colours are those of the HTML.
var colours = map[string]color.RGBA{
	"good": {0x16, 0x70, 0x3a, 255}, "note": {0x1a, 0x5f, 0xa8, 255}, "doubt": {0x8a, 0x5a, 0x00, 255}, "bad": {0xb3, 0x26, 0x1e, 255},
	"none": {0x5a, 0x60, 0x68, 255}, "ink": {0x1c, 0x1f, 0x23, 255}, "line": {0xd5, 0xd9, 0xde, 255}, "white": {255, 255, 255, 255},
}

// picture is a decoded picture: colours and opacity, one octet each.
type picture struct {
	width, height int
	rgb, alpha    []byte
	opaque        bool
}

// decode decodes a picture that pictureFormat let pass.
func decode(data []byte) (*picture, error) {
	decoded, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	b := decoded.Bounds()
	p := &picture{width: b.Dx(), height: b.Dy(), opaque: true}
	p.rgb, p.alpha = make([]byte, 0, 3*b.Dx()*b.Dy()), make([]byte, 0, b.Dx()*b.Dy())
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			c := color.NRGBAModel.Convert(decoded.At(x, y)).(color.NRGBA)
			p.rgb = append(p.rgb, c.R, c.G, c.B)
			p.alpha = append(p.alpha, c.A)
			p.opaque = p.opaque && c.A == 255
		}
	}
	return p, nil
}

// addPicture gives the number of a picture in the document, -1 for one that cannot be decoded. The same picture is there
// once.
func (l *layout) addPicture(data []byte) int {
	key := sha256.Sum256(data)
	if n, ok := l.pictures[key]; ok {
		return n
	}
	p, err := decode(data)
	if err != nil {
		l.pictures[key] = -1
		return -1
	}
	l.images = append(l.images, p)
	l.pictures[key] = len(l.images) - 1
	return len(l.images) - 1
}

func rgb(class string) string {
	c := colours[class]
	return fmt.Sprintf("%.3f %.3f %.3f", float64(c.R)/255, float64(c.G)/255, float64(c.B)/255)
}
