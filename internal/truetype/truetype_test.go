package truetype

import (
	"bytes"
	"encoding/binary"
	"os"
	"slices"
	"testing"
	"time"

	"golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"

	"yinxin/internal/fault"
)

// installed reads the Chinese font of the system.
func installed(t testing.TB) []byte {
	t.Helper()
	path, err := Find()
	if err != nil {
		t.Skip("no Chinese font is installed")
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func parsed(t testing.TB, data []byte) *Font {
	t.Helper()
	f, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func cut(t testing.TB, f *Font, text string) *Subset {
	t.Helper()
	s, err := f.Subset([]rune(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestASubsetShowsTheSameCharacters reads font and subset with another reader of fonts and compares every outline and
// every advance.
func TestASubsetShowsTheSameCharacters(t *testing.T) {
	const text = "编号 吉档〔2026〕123号，2026年11月26日（章）Archives"
	data := installed(t)
	s := cut(t, parsed(t, data), text)
	whole, err := sfnt.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	part, err := sfnt.Parse(s.Data)
	if err != nil {
		t.Fatal(err)
	}
	if part.NumGlyphs() < len(s.Characters)+1 || len(s.Widths) != part.NumGlyphs() {
		t.Fatalf("%d glyphs, %d widths for %d characters", part.NumGlyphs(), len(s.Widths), len(s.Characters))
	}
	var buffer sfnt.Buffer
	const em = 1000
	for _, r := range text {
		old, err := whole.GlyphIndex(&buffer, r)
		if err != nil {
			t.Fatal(err)
		}
		g, err := part.GlyphIndex(&buffer, r)
		if err != nil || int(g) != s.Glyph(r) || g == 0 {
			t.Fatalf("%q has glyph %d in the file and %d in the result: %v", r, g, s.Glyph(r), err)
		}
		want, err := whole.LoadGlyph(&buffer, old, fixed.I(em), nil)
		if err != nil {
			t.Fatal(err)
		}
		wanted := slices.Clone(want)
		got, err := part.LoadGlyph(&buffer, g, fixed.I(em), nil)
		if err != nil || !slices.Equal(got, wanted) {
			t.Errorf("%q has another outline: %v", r, err)
		}
		advance, err := whole.GlyphAdvance(&buffer, old, fixed.I(em), font.HintingNone)
		if err != nil {
			t.Fatal(err)
		}
		if s.Widths[g] != advance.Round() {
			t.Errorf("%q is %d wide, not %v", r, s.Widths[g], advance)
		}
	}
	t.Logf("%d characters, %d of %d bytes", len(s.Characters), len(s.Data), len(data))
	if len(s.Data) > 500*(len(s.Characters)+1)+2000 {
		t.Errorf("%d bytes for %d characters", len(s.Data), len(s.Characters))
	}
	if sum := checksum(s.Data); sum != 0xB1B0AFBA {
		t.Errorf("the checksum of the file is %08X", sum)
	}
	name := parsed(t, data).Name()
	if name == "" || name == "Font" {
		t.Errorf("the name is %q", name)
	}
}

func TestASubsetIsTheSameWhateverTheOrder(t *testing.T) {
	f := parsed(t, installed(t))
	if a, b := cut(t, f, "年月日2026"), cut(t, f, "6202日月年年"); !bytes.Equal(a.Data, b.Data) {
		t.Error("two subsets of the same characters differ")
	}
}

func TestTheMissingCharacterIsNamed(t *testing.T) {
	for _, text := range []string{"年\n月", "章😀", "\x00", string(rune(0xFFFE))} {
		_, err := parsed(t, made(nil)).Subset([]rune(text))
		f, ok := fault.Of(err)
		if !ok || f.Code != "font.no-glyph" || f.Detail() == "" {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// made builds a font of five glyphs: nothing, A a triangle with instructions, B of A twice, C of B and A, and a space.
func made(change func(tables map[string][]byte)) []byte {
	triangle := []byte{0, 1, 0, 0, 0, 0, 2, 0, 2, 0, 0, 2, 0, 3, 0x40, 0x41, 0x42,
		0x31, 0x33, 0x27, 0x80, 0x40, 0xFF}
	triangle = append(triangle, 0) // to an even length
	part := func(flags uint16, glyph byte) []byte {
		return append(binary.BigEndian.AppendUint16(nil, flags), 0, glyph, 1, 1)
	}
	box := []byte{0xFF, 0xFF, 0, 0, 0, 0, 2, 0, 2, 0}
	twice := slices.Concat(box, part(2|moreParts, 1), part(2|hasInstructions, 1), []byte{0, 2, 7, 7})
	both := slices.Concat(box, part(2|moreParts, 2), part(2, 1))
	glyphs := [][]byte{nil, triangle, twice, both, nil}
	var glyf, loca, hmtx []byte
	for _, g := range glyphs {
		loca = binary.BigEndian.AppendUint32(loca, uint32(len(glyf)))
		glyf = append(glyf, g...)
		hmtx = append(hmtx, 2, 0, 0, 0)
	}
	loca = binary.BigEndian.AppendUint32(loca, uint32(len(glyf)))
	head := make([]byte, 54)
	binary.BigEndian.PutUint16(head[18:], 1024)
	head[51] = 1
	hhea := make([]byte, 36)
	hhea[35] = 5
	maxp := make([]byte, 32)
	maxp[5] = 5
	segments := []byte{0, 4, 0, 32, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0x20, 0, 0x43, 0xFF, 0xFF, 0, 0, 0, 0x20, 0, 0x41, 0xFF, 0xFF,
		0xFF, 0xE4, 0xFF, 0xC0, 0, 1, 0, 0, 0, 0, 0, 0}
	cmap := append([]byte{0, 0, 0, 1, 0, 3, 0, 1, 0, 0, 0, 12}, segments...)
	tables := map[string][]byte{"cmap": cmap, "glyf": glyf, "head": head, "hhea": hhea, "hmtx": hmtx, "loca": loca, "maxp": maxp}
	if change != nil {
		change(tables)
	}
	return assemble(tables)
}

func TestPartsOfGlyphsComeAlong(t *testing.T) {
	s := cut(t, parsed(t, made(nil)), "C ")
	f := parsed(t, s.Data)
	if f.glyphs != 5 { // nothing, the space, C, and its parts B and A
		t.Fatalf("%d glyphs", f.glyphs)
	}
	again := cut(t, f, "C ")
	if !bytes.Equal(again.Data, s.Data) {
		t.Error("the subset of a subset differs from it")
	}
	if bytes.Contains(s.Data, []byte{0x40, 0x41, 0x42}) || bytes.Contains(s.Data, []byte{7, 7}) {
		t.Error("instructions are still there")
	}
	if maxp := f.tables["maxp"]; !bytes.Equal(maxp[4:14], []byte{0, 5, 0, 9, 0, 3, 0, 9, 0, 3}) || !bytes.Equal(maxp[28:], []byte{0, 2, 0, 2}) {
		t.Errorf("maxp is % x", maxp)
	}
	if part, err := sfnt.Parse(s.Data); err != nil {
		t.Error(err)
	} else if segments, err := part.LoadGlyph(new(sfnt.Buffer), sfnt.GlyphIndex(s.Glyph('C')), fixed.I(1024), nil); err != nil || len(segments) < 9 {
		t.Errorf("%d segments: %v", len(segments), err)
	}
}

func TestHostileFontsAreRefused(t *testing.T) {
	cyclic := func(tables map[string][]byte) {
		glyf := tables["glyf"]
		at := bytes.LastIndex(glyf, []byte{0, 2, 1, 1})
		glyf[at+1] = 3 // C is part of C
	}
	for _, c := range []struct {
		name, code string
		data       []byte
	}{
		{"nothing", "font.bad-font", nil},
		{"text", "font.bad-font", []byte("%PDF-1.7 and so on and on")},
		{"PostScript outlines", "font.bad-font", []byte("OTTO\x00\x04\x00\x00\x00\x00\x00\x00")},
		{"a collection of nothing", "font.bad-font", []byte("ttcf\x00\x01\x00\x00\x00\x00\x00\x00\xFF\xFF\xFF\xF0")},
		{"too large", "font.too-large", make([]byte, maxFile+1)},
		{"a table outside", "font.bad-font", made(nil)[:200]},
		{"no glyphs", "font.bad-font", made(func(t map[string][]byte) { t["maxp"][5] = 0 })},
		{"more glyphs than places", "font.bad-font", made(func(t map[string][]byte) { t["maxp"][5] = 6 })},
		{"more widths than glyphs", "font.bad-font", made(func(t map[string][]byte) { t["hhea"][35] = 6 })},
		{"no em", "font.bad-font", made(func(t map[string][]byte) { t["head"][18] = 0 })},
		{"no cmap", "font.bad-font", made(func(t map[string][]byte) { delete(t, "cmap") })},
		{"symbols only", "font.bad-font", made(func(t map[string][]byte) { t["cmap"][7] = 0 })},
		{"a cmap with segments that are not there", "font.bad-font", made(func(t map[string][]byte) { t["cmap"][12+6] = 0x40 })},
		{"a restricted licence", "font.not-embeddable", made(func(t map[string][]byte) { t["OS/2"] = []byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 2} })},
		{"a glyph outside", "font.bad-font", made(func(t map[string][]byte) { t["loca"][13] = 0xFF })},
		{"a glyph that breaks off", "font.bad-font", made(func(t map[string][]byte) { t["glyf"][11] = 200 })},
		{"a glyph that is part of itself", "font.bad-font", made(cyclic)},
	} {
		f, err := Parse(c.data)
		if err == nil {
			_, err = f.Subset([]rune("ABC"))
		}
		if fault.CodeOf(err) != c.code {
			t.Errorf("%s: got %v, want %s", c.name, err, c.code)
		}
	}
}

// TestManyCharactersAreBounded cuts as many characters as are allowed, and one more.
func TestManyCharactersAreBounded(t *testing.T) {
	f := parsed(t, installed(t))
	var many []rune
	for r := rune(0x4E00); len(many) <= maxCharacters; r++ {
		if f.characters.glyph(r) != 0 {
			many = append(many, r)
		}
	}
	if _, err := f.Subset(many); fault.CodeOf(err) != "font.too-large" {
		t.Errorf("%d characters: %v", len(many), err)
	}
	start := time.Now()
	if _, err := f.Subset(many[1:]); err != nil {
		t.Error(err)
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("took %v", took)
	}
}

// FuzzSubset parses damaged fonts. What comes out must be a font from which the same subset can be cut.
func FuzzSubset(f *testing.F) {
	f.Add(made(nil), "ABC ")
	f.Add(made(nil), "")
	f.Add(made(func(t map[string][]byte) { t["OS/2"] = make([]byte, 10) }), "CA")
	if path, err := Find(); err == nil {
		if data, err := os.ReadFile(path); err == nil {
			if font, err := Parse(data); err == nil {
				if s, err := font.Subset([]rune("年〔A")); err == nil {
					f.Add(s.Data, "年〔A")
				}
			}
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, text string) {
		font, err := Parse(data)
		if err != nil {
			return
		}
		s, err := font.Subset([]rune(text))
		if err != nil {
			if _, known := fault.Of(err); !known {
				t.Fatal(err)
			}
			return
		}
		again, err := Parse(s.Data)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		if len(s.Characters) == 0 {
			return
		}
		second, err := again.Subset(s.Characters)
		if err != nil {
			t.Fatalf("what was written cannot be cut again: %v", err)
		}
		if len(second.Characters) != len(s.Characters) || len(second.Widths) != len(s.Widths) {
			t.Fatal("the second subset has other glyphs")
		}
	})
}
