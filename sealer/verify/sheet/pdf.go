package sheet

import (
	"bytes"
	"crypto/sha256"
	"image"
	"image/color"
	"io"
	"slices"

	"yinxin/internal/paper"
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
	l := newLayout(face, language)
	if err := l.lay(c); err != nil {
		return err
	}
	tag := "zh-CN"
	if c.Language == "en" {
		tag = "en"
	}
	return l.document.Write(w, paper.Meta{Title: c.Heading, Language: tag})
}

func newLayout(face *paper.Face, language string) *layout {
	return &layout{face: face, document: paper.NewDocument(face), pictures: map[[32]byte]picture{},
		say: func(zh, en string) string { return text{zh, en}.in(language) }}
}

// newFace embeds the characters that the content needs and the font has.
func newFace(data []byte, c content) (*paper.Face, error) {
	return paper.NewFace(data, append(c.texts(), fixedTexts...))
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

// colours are those of the HTML.
var colours = map[string]color.RGBA{
	"good": {0x16, 0x70, 0x3a, 255}, "note": {0x1a, 0x5f, 0xa8, 255}, "doubt": {0x8a, 0x5a, 0x00, 255}, "bad": {0xb3, 0x26, 0x1e, 255},
	"none": {0x5a, 0x60, 0x68, 255}, "ink": {0x1c, 0x1f, 0x23, 255}, "line": {0xd5, 0xd9, 0xde, 255}, "white": paper.White,
}

func rgb(class string) string { return paper.Colour(colours[class]) }

// picture is a picture of the document: its number, -1 for one that cannot be decoded, and its size in pixels.
type picture struct{ number, width, height int }

// addPicture puts a picture that pictureFormat let pass into the document; the same one is there once.
func (l *layout) addPicture(data []byte) picture {
	key := sha256.Sum256(data)
	if p, ok := l.pictures[key]; ok {
		return p
	}
	p := picture{number: -1}
	if decoded, _, err := image.Decode(bytes.NewReader(data)); err == nil {
		p = picture{l.document.Picture(decoded), decoded.Bounds().Dx(), decoded.Bounds().Dy()}
	}
	l.pictures[key] = p
	return p
}
