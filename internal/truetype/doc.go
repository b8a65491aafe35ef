// Package truetype cuts a TrueType font down to the characters of a few lines of text, so that it can be embedded in a
// PDF file.
//
// Call [Parse] with the bytes of a font file, then [Font.Subset] with the characters:
//
//	font, err := truetype.Parse(data)
//	subset, err := font.Subset([]rune("2026年11月26日"))
//
// The subset holds one glyph per character, numbered from 1 in the order of the characters' code points, after glyph
// 0, which stands for a missing character; parts of composed glyphs follow. Instructions are left out: printed
// characters and large ones do not need them, and nothing in the embedded font is a program.
//
// What it promises: font files are hostile, so every table, count and depth is checked, and what is written is well
// formed whatever was read; the same font and characters give the same bytes. What it does not do: PostScript outlines
// (OpenType with a CFF table), kerning, or the shaping that other scripts than Chinese and Latin need.
//
// The format is the one of the OpenType specification 1.9 (ISO/IEC 14496-22). Lengths are font units unless said otherwise.
package truetype
