package pdf_test

import (
	"context"
	"testing"

	"yinxin/fixtures"
	"yinxin/sealer/pdf"
)

// TestTheVersionIsRaisedToWhatTheSealNeeds: a seal with a soft mask needs PDF 1.4, a cross-reference stream 1.5, and a
// version that suffices is left alone.
func TestTheVersionIsRaisedToWhatTheSealNeeds(t *testing.T) {
	for _, c := range []struct {
		name, raised string // /Version of the catalog afterwards
		data         []byte
		version      string
	}{
		{"1.0", "1.4", shape(t, fixtures.ShapePDF10), "1.4"},
		{"1.3", "1.4", shape(t, fixtures.ShapePDF13), "1.4"},
		{"1.4", "", shape(t, fixtures.ShapePDF14), "1.4"},
		{"1.7", "", shape(t, fixtures.ShapePDF17), "1.7"},
		{"2.0", "", shape(t, fixtures.ShapePDF20), "2.0"},
		{"1.3 with a form of its own", "1.4", withVersion("1.3", file{objects: append(
			[]string{"<</Type/Catalog/Pages 2 0 R/AcroForm 4 0 R>>"}, append(onePage("")[1:], "<</Fields[]>>")...)}), "1.4"},
		{"1.3 and 1.6 in the catalog", "1.6", withVersion("1.3", file{objects: append(
			[]string{"<</Type/Catalog/Version/1.6/Pages 2 0 R>>"}, onePage("")[1:]...)}), "1.6"},
		{"1.2 and 1.3 in the catalog", "1.4", withVersion("1.2", file{objects: append(
			[]string{"<</Type/Catalog/Version/1.3/Pages 2 0 R>>"}, onePage("")[1:]...)}), "1.4"},
		{"1.4 with a stream", "1.5", withVersion14(shape(t, fixtures.ShapeXrefStream)), "1.5"},
	} {
		t.Run(c.name, func(t *testing.T) {
			sealed := seal(t, c.data, request(t))
			d := opened(t, sealed)
			catalog, _, err := d.Catalog()
			if err != nil {
				t.Fatal(err)
			}
			got, _ := catalog.Get("Version").(pdf.Name)
			if string(got) != c.raised || d.Version() != c.version {
				t.Errorf("/Version %q, the document %s; want %q and %s", got, d.Version(), c.raised, c.version)
			}
			checkWithTools(t, save(t, sealed), true)
			elsewhere := request(t)
			elsewhere.Placements[0].Y = 120
			again := seal(t, sealed, elsewhere)
			changes, err := pdf.Compare(context.Background(), d, opened(t, again))
			if err != nil {
				t.Fatal(err)
			}
			for _, change := range changes {
				if !change.Permitted {
					t.Errorf("the second seal: %s", change.EN)
				}
			}
		})
	}
}

// TestTheVersionOfASignedFileIsLeftAlone: a changed catalog would not be permitted by the earlier signature.
func TestTheVersionOfASignedFileIsLeftAlone(t *testing.T) {
	signed := withVersion("1.3", file{objects: append([]string{
		"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[4 0 R]/SigFlags 3>>>>"}, append(onePage("/Annots[4 0 R]")[1:],
		"<</Type/Annot/Subtype/Widget/Rect[0 0 0 0]/FT/Sig/T(Old)/V 5 0 R>>", "<</Type/Sig/Filter/Adobe.PPKLite/Contents<00>>>")...)})
	sealed := seal(t, signed, request(t))
	catalog, _, err := opened(t, sealed).Catalog()
	if err != nil || catalog.Has("Version") {
		t.Errorf("%v, %v", catalog, err)
	}
}

func shape(t *testing.T, s fixtures.Shape) []byte {
	t.Helper()
	data, err := fixtures.PDF(s, fixtures.PDFOptions{Pages: 1})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// withVersion writes a file with another version in its header, which takes three characters as well.
func withVersion(version string, f file) []byte {
	data := f.bytes()
	copy(data[5:], version)
	return data
}

func withVersion14(data []byte) []byte {
	copy(data[5:], "1.4")
	return data
}
