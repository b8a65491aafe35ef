// Package paper composes pages to be printed: text in one embedded Chinese font, rectangles, strokes and pictures, written
// as a PDF file of their own.
//
// Call [NewFace] with a font and everything that will be written, draw on the pages of a [Document], and write it:
//
//	face, err := paper.NewFace(font, texts)
//	d := paper.NewDocument(face)
//	page := d.Add(paper.A4Width, paper.A4Height)
//	page.Text(72, 700, 12, paper.Black, "申请表", false)
//	err = d.Write(w, paper.Meta{Title: "申请表", Language: "zh-CN"})
//
// The same calls give the same bytes: nothing in the file comes from a clock or from chance.
//
// What it does not do: change files that exist, which is the matter of sealer/pdf; justify lines; more than one font.
// Lengths are points (1/72 inch) from the lower left corner of the page, as PDF counts them.
package paper
