package pdf_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"yinxin/sealer/pdf"
)

// straddled is a request for a whole seal and a straddle seal under one signature.
func straddled(t testing.TB) pdf.SealRequest {
	r := request(t)
	r.Placements = []pdf.Placement{{Page: 2, From: pdf.BottomLeft, X: 30, Y: 40}}
	r.Straddle = &pdf.Straddle{Edge: pdf.RightEdge}
	return r
}

func refusedIn(changes []pdf.Change) bool {
	return slices.ContainsFunc(changes, func(c pdf.Change) bool { return !c.Permitted })
}

func TestThePartsOfAFurtherStraddleSealArePermitted(t *testing.T) {
	for _, c := range []struct {
		name      string
		certify   int
		permitted bool
	}{{"not certified", 0, true}, {"certified for annotations", 3, true}} {
		t.Run(c.name, func(t *testing.T) {
			r := request(t)
			r.Certify = c.certify
			first := seal(t, plainPages(5), r)
			second := seal(t, first, straddled(t))
			changes := compared(t, opened(t, first), opened(t, second))
			if refusedIn(changes) || !slices.ContainsFunc(changes, func(c pdf.Change) bool {
				return c.Kind == pdf.ChangeSealPart && c.Page == 1 && strings.Contains(c.EN, "in 5 more places (pages 1-5)")
			}) {
				t.Error(listed(changes))
			}
			third := seal(t, second, func() pdf.SealRequest {
				r := straddled(t)
				r.Placements[0].From, r.Straddle.Edge = pdf.TopLeft, pdf.LeftEdge
				return r
			}())
			if changes := compared(t, opened(t, second), opened(t, third)); refusedIn(changes) {
				t.Errorf("one more: %s", listed(changes))
			}
		})
	}
}

// TestStampsThatAreNoPartsAreRefused edits the stamps that the writer makes.
func TestStampsThatAreNoPartsAreRefused(t *testing.T) {
	first := seal(t, plainPages(3), request(t))
	second := seal(t, first, straddled(t))
	edit := func(old, by string) []byte {
		// All of the same length, so that the cross-reference stays right.
		if len(by) > len(old) || !bytes.Contains(second[len(first):], []byte(old)) {
			t.Fatalf("cannot replace %q", old)
		}
		by += strings.Repeat(" ", len(old)-len(by))
		return append(bytes.Clone(first), bytes.Replace(second[len(first):], []byte(old), []byte(by), -1)...)
	}
	for _, c := range []struct{ name, old, by string }{
		{"that can be moved", "/F 708", "/F 4"},
		{"that are hidden", "/F 708", "/F 710"},
		{"of another kind", "/Subtype/Stamp", "/Subtype/Line"},
		{"that draw something else", "cm /Seal Do Q", "cm 0 0 l S"},
		{"that draw text", "cm /Seal Do Q", "cm (a) Tj Q"},
		{"with an entry that is not known", "/Subtype/Stamp/NM", "/Subtype/Stamp/A "},
	} {
		t.Run(c.name, func(t *testing.T) {
			changes := compared(t, opened(t, first), opened(t, edit(c.old, c.by)))
			if !refusedIn(changes) {
				t.Error(listed(changes))
			}
		})
	}
	t.Run("without their signature", func(t *testing.T) {
		after := appendUpdate(t, first, "/ID "+plain(opened(t, first).Trailer().Get("ID")),
			"60 0 obj\n<</Type/Annot/Subtype/Stamp/F 708/P 5 0 R/Rect[10 10 90 90]/AP<</N 61 0 R>>>>\nendobj",
			"61 0 obj\n"+streamOf("/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</Seal 62 0 R>>>>", "/Seal Do")+"\nendobj",
			"62 0 obj\n"+streamOf("/Type/XObject/Subtype/Image/Width 1/Height 1/BitsPerComponent 8/ColorSpace/DeviceGray", "x")+"\nendobj",
			"5 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 595.276 841.89]/Annots[60 0 R]>>\nendobj")
		changes := compared(t, opened(t, first), opened(t, after))
		if !slices.ContainsFunc(changes, func(c pdf.Change) bool { return !c.Permitted && c.Kind == pdf.ChangeAnnotation && c.Page == 3 }) {
			t.Error(listed(changes))
		}
	})
}

// TestWhatTheWriterAppendsIsPermitted: time stamps, validation data and an existing field that is signed, at the levels
// that let them in.
func TestWhatTheWriterAppendsIsPermitted(t *testing.T) {
	ctx := context.Background()
	for level := range 4 {
		r := request(t)
		r.Certify = level
		data := seal(t, rich(), r)
		var k pdf.Comparer
		before := opened(t, data)
		step := func(kind string, update []byte) {
			t.Helper()
			data = append(data, update...)
			after := opened(t, data)
			changes, err := k.Compare(ctx, before, after)
			if err != nil || refusedIn(changes) || !slices.ContainsFunc(changes, func(c pdf.Change) bool { return c.Kind == kind }) {
				t.Errorf("level %d, %s: %v %s", level, kind, err, listed(changes))
			}
			before = after
		}
		for i := range 3 {
			der := []byte{0x30, 0x03, 0x02, 0x01, byte(i)}
			dss, err := before.AppendDSS(ctx, pdf.DSS{Certs: [][]byte{der}, CRLs: [][]byte{der}, OCSPs: [][]byte{der},
				VRI: map[string]pdf.VRI{pdf.VRIKey(der): {Certs: [][]byte{der}, OCSPs: [][]byte{der}}}})
			if err != nil {
				t.Fatal(err)
			}
			step(pdf.ChangeValidationData, dss)
			u, err := before.PlanTimeStamp(ctx, 100)
			if err != nil {
				t.Fatal(err)
			}
			der, _ = hex.DecodeString(token)
			stamp, err := u.Fill(der)
			if err != nil {
				t.Fatal(err)
			}
			step(pdf.ChangeTimeStamp, stamp)
		}
		if level == 1 {
			continue
		}
		r = request(t)
		r.Placements, r.Field = nil, "Second"
		sealed, err := trySeal(data, r)
		if err != nil {
			t.Errorf("level %d: %v", level, err)
			continue
		}
		step(pdf.ChangeSignatureFilled, sealed[len(data):])
	}
}
