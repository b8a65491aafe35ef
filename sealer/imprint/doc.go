// Package imprint turns the scan of a stamped form into the template of an electronic seal: the seal's own ink,
// upright, cut out of paper and print, true to the millimetre.
//
// Call Process with the bytes of a JPEG, PNG, TIFF or PDF file and the size that the form declares:
//
//	result, err := imprint.Process(ctx, data, imprint.Options{Width: 42})
//
// The stages stand in files of their own, in this order: read (the file, by internal/scan), scale (dots per inch), locate
// (red marks of the size of a seal), crop (linear light), unmix (red ink from black print), fit (the outer circle),
// upright (the star and the gap of the arc text), register and fuse (the imprints of both boxes), gates (is it good
// enough), resample and encode (the two pictures).
//
// What it promises:
//   - The same bytes and options give the same result, byte for byte.
//   - Nothing is invented: no ring, star or glyph is drawn. Where ink under black print was bridged from its
//     surroundings, or one imprint stands in for a gap of the other, the area is in Measures.
//   - The scale comes from the file or from the caller and is never guessed.
//   - Limits on pixels, memory and time hold for any input; a hostile file is an error, not a crash.
//
// What it does not do: it finds signs of copies, but cannot vouch for wet ink (gates_copy.go says what escapes it), and
// does not read the text. It knows no database, no keys and no clock.
//
// Lengths are millimetres, angles degrees clockwise as seen on the page, resolutions dots per inch. Method and start
// values of the gates: a measured prototype; the rule that imprints be upright, whole and neither pale nor bleeding is
// printed on the application form (吉档字〔2025〕8号, annex 1). Sizes: 国发〔1999〕25号.
package imprint
