// Package sheet draws the contact sheet of a template: one page of A4 by which a person can judge what was made of an
// imprint. It shows the imprints as they were scanned and the template in true size, the template enlarged, where it does
// not come straight from the better imprint, every gate with its number and limits, and the measures.
//
//	data := sheet.Data{Title: "申请表.jpg", Result: result, Font: font}
//	err := sheet.PDF(w, data)  // for printing: true size is true on paper
//	err := sheet.PNG(w, data)  // the same page as a picture, 200 dpi
//
// What it promises: the same data gives the same bytes; no picture, however large or odd, and no text makes it fail; what
// was not available is said on the sheet instead of left out silently.
//
// What it does not do: judge. Verdicts and sentences are those of sealer/imprint. It knows no database, clock or file.
// Lengths are millimetres from the upper left corner of the page, sizes of text are points.
package sheet
