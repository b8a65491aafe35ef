package pdf_test

import (
	"fmt"
	"testing"

	"yinxin/fixtures"
	"yinxin/sealer/pdf"
)

// TestWhatSealingAddsLeavesEarlierSealsGood puts every kind of update on a document that is sealed already and compares
// the revisions as a verifier does.
func TestWhatSealingAddsLeavesEarlierSealsGood(t *testing.T) {
	several, straddle, both, invisible := request(t), request(t), request(t), request(t)
	several.Placements = []pdf.Placement{{Pages: "all", From: pdf.TopRight, X: 5, Y: 5}, {Page: 1, From: pdf.TopLeft, X: 5, Y: 5}}
	straddle.Placements, straddle.Straddle = nil, &pdf.Straddle{Group: 2}
	both.Placements = []pdf.Placement{{Page: -1, From: pdf.TopLeft, X: 5, Y: 5}}
	both.Straddle = &pdf.Straddle{Edge: pdf.BottomEdge, Align: pdf.AlignEnd, Offset: 3}
	invisible.Placements, invisible.Appearance = nil, nil
	locking := several
	locking.Lock = &pdf.FieldLock{Action: pdf.LockInclude, Fields: []string{"x"}}
	kinds := []struct {
		name string
		add  func(data []byte) []byte
	}{
		{"several places", func(data []byte) []byte { return seal(t, data, several) }},
		{"a straddle seal", func(data []byte) []byte { return seal(t, data, straddle) }},
		{"a seal and a straddle seal", func(data []byte) []byte { return seal(t, data, both) }},
		{"an invisible signature", func(data []byte) []byte { return seal(t, data, invisible) }},
		{"several places and a lock", func(data []byte) []byte { return seal(t, data, locking) }},
		{"a time stamp", func(data []byte) []byte { return stampedFile(t, data) }},
		{"validation data", func(data []byte) []byte {
			return appendDSS(t, data, pdf.DSS{Certs: ders("a"), VRI: map[string]pdf.VRI{pdf.VRIKey(nil): {CRLs: ders("b")}}})
		}},
		{"more validation data", func(data []byte) []byte {
			data = appendDSS(t, data, pdf.DSS{Certs: ders("c")})
			return appendDSS(t, data, pdf.DSS{Certs: ders("c", "d"), VRI: map[string]pdf.VRI{pdf.VRIKey(nil): {CRLs: ders("e")}}})
		}},
	}
	for _, shape := range []fixtures.Shape{fixtures.ShapeTable, fixtures.ShapeObjectStreams, fixtures.ShapeAnnotsShared, fixtures.ShapeFormHierarchy} {
		data, err := fixtures.PDF(shape, fixtures.PDFOptions{Pages: 4})
		if err != nil {
			t.Fatal(err)
		}
		first := request(t)
		first.Placements = []pdf.Placement{{Page: 1, From: pdf.BottomRight, X: 30, Y: 90}, {Page: 3, From: pdf.BottomRight, X: 30, Y: 90}}
		sealed := seal(t, data, first)
		for _, kind := range kinds {
			t.Run(fmt.Sprintf("%s, %s", shape, kind.name), func(t *testing.T) {
				after := kind.add(sealed)
				checkPermitted(t, sealed, after)
				// And what comes after that.
				next := request(t)
				next.Placements = []pdf.Placement{{Page: 2, From: pdf.BottomRight, X: 30, Y: 140}}
				again := seal(t, after, next)
				checkPermitted(t, after, again)
				checkPermitted(t, sealed, again)
			})
		}
	}
}
