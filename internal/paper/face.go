package paper

import (
	"maps"
	"slices"
	"strings"

	"yinxin/internal/fault"
	"yinxin/internal/truetype"
)

// Face is the embedded part of a font.
type Face struct {
	font    *truetype.Font
	subset  *truetype.Subset
	missing []rune
}

// maxDistinct is how many different characters a document shows; others become question marks.
const maxDistinct = 900

// NewFace cuts a TrueType font down to the characters of the texts. A character that the font lacks becomes a question
// mark: see Missing. Errors are those of package truetype for a font that cannot be used.
func NewFace(data []byte, texts []string) (*Face, error) {
	font, err := truetype.Parse(data)
	if err != nil {
		return nil, err
	}
	wanted := map[rune]bool{}
	for _, s := range texts {
		for _, r := range s {
			if r > ' ' && len(wanted) < maxDistinct {
				wanted[r] = true
				if similar, ok := instead[r]; ok {
					wanted[similar] = true
				}
			}
		}
	}
	wanted[' '], wanted['?'] = true, true
	f := &Face{font: font}
	characters := slices.Sorted(maps.Keys(wanted))
	f.subset, err = font.Subset(characters)
	if fault.CodeOf(err) == "font.no-glyph" {
		// Which ones are missing is only found one by one.
		characters = slices.DeleteFunc(characters, func(r rune) bool {
			_, err := font.Subset([]rune{r})
			if err != nil {
				f.missing = append(f.missing, r)
			}
			return err != nil
		})
		f.subset, err = font.Subset(characters)
	}
	if err != nil {
		return nil, err
	}
	f.missing = slices.DeleteFunc(f.missing, func(r rune) bool { return f.glyph(r) != f.glyph('?') })
	return f, nil
}

// Missing are the characters of the texts that are shown as question marks, since the font has neither them nor similar
// ones.
func (f *Face) Missing() []rune { return f.missing }

// glyph is the number of a character's glyph; what is not there is shown as a question mark.
func (f *Face) glyph(r rune) int {
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

// Shown is the character that is shown for r: itself, a similar one, or a question mark.
func (f *Face) Shown(r rune) rune { return f.subset.Characters[f.glyph(r)-1] }

// instead are characters that fonts lack and that another can stand for.
var instead = map[rune]rune{'–': '-', '—': '-', '‑': '-', '‐': '-', '’': '\'', '‘': '\'', '“': '"', '”': '"', '·': '.', '…': '.'}

// Width is the length of a line in points.
func (f *Face) Width(s string, size float64) float64 {
	total := 0
	for _, r := range s {
		total += f.subset.Widths[f.glyph(r)]
	}
	return float64(total) * size / 1000
}

// Wrap breaks a sentence into lines of at most so many points: between Chinese characters, else at spaces, and inside a
// word that is longer than a line. What closes a sentence does not begin a line.
func (f *Face) Wrap(s string, size, most float64) []string {
	var lines []string
	line, used := []rune{}, 0.0
	breakAt := -1 // where the line may end
	for _, r := range s {
		advance := f.Width(string(r), size)
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
			used, breakAt = f.Width(string(line), size), -1
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
