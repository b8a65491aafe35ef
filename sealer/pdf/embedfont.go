package pdf

import "strconv"

// fontParts are the objects of an embedded font (ISO 32000-1, 9.7): a composite font whose codes are the numbers of the
// subset's glyphs. Part numbers begin with first; the first part is the font.
//
// PDF/A-1 wants of it (ISO 19005-1, 6.3): the font program, CIDToGIDMap, CIDSet, widths that agree with the program,
// and for level A ToUnicode.
func (t *lettering) fontParts(first int) ([]part, error) {
	const fontAt, descendantAt, descriptorAt, programAt, setAt, unicodeAt = 0, 1, 2, 3, 4, 5
	parts := make([]part, 6)
	name := "/" + t.subset.Tag() + "+" + t.font.Name()

	font := &parts[fontAt]
	font.text("<</Type/Font/Subtype/Type0/BaseFont" + name + "/Encoding/Identity-H/DescendantFonts[")
	font.reference(first + descendantAt)
	font.text("]/ToUnicode ")
	font.reference(first + unicodeAt)
	font.text(">>")

	descendant := &parts[descendantAt]
	descendant.text("<</Type/Font/Subtype/CIDFontType2/BaseFont" + name +
		"/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>/CIDToGIDMap/Identity/FontDescriptor ")
	descendant.reference(first + descriptorAt)
	descendant.text("/W[0[")
	for i, w := range t.subset.Widths {
		if i > 0 {
			descendant.text(" ")
		}
		descendant.text(strconv.Itoa(w))
	}
	descendant.text("]]>>")

	descriptor := &parts[descriptorAt]
	// Flags: symbolic, since codes are not those of a Latin character set (table 123).
	descriptor.text("<</Type/FontDescriptor/FontName" + name + "/Flags 4/FontBBox[")
	for i, v := range t.font.Bounds() {
		if i > 0 {
			descriptor.text(" ")
		}
		descriptor.text(strconv.Itoa(v))
	}
	ascent, descent := strconv.Itoa(t.font.Ascent()), strconv.Itoa(t.font.Descent())
	descriptor.text("]/ItalicAngle 0/Ascent " + ascent + "/Descent " + descent + "/CapHeight " + ascent + "/StemV 80/FontFile2 ")
	descriptor.reference(first + programAt)
	descriptor.text("/CIDSet ")
	descriptor.reference(first + setAt)
	descriptor.text(">>")

	program := &parts[programAt]
	program.text("<</Length1 " + strconv.Itoa(len(t.subset.Data)))
	if err := program.stream(t.subset.Data); err != nil {
		return nil, err
	}
	set := &parts[setAt]
	set.text("<<")
	if err := set.stream(cidSet(len(t.subset.Widths))); err != nil {
		return nil, err
	}
	unicode := &parts[unicodeAt]
	unicode.text("<<")
	return parts, unicode.stream(t.subset.ToUnicode())
}

// cidSet has a bit for each glyph that is there (9.8.3): all of them.
func cidSet(glyphs int) []byte {
	set := make([]byte, (glyphs+7)/8)
	for i := range glyphs {
		set[i/8] |= 0x80 >> (i % 8)
	}
	return set
}
