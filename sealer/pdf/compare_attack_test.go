package pdf_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"yinxin/fixtures"
	"yinxin/sealer/pdf"
)

// TestWhatIsShownMustNotChange goes through the attacks on what a signed file shows: parts of it exchanged in a later
// update (incremental saving), prepared before signing (shadow attacks), and hidden behind the machinery of readers.
func TestWhatIsShownMustNotChange(t *testing.T) {
	sealed := sealedRich(t)
	set := func(n int, text string) map[int]string { return map[int]string{n: text} }
	catalog := func(more string) map[int]string { return set(1, newCatalog+more+">>") }
	for _, c := range []change{
		// Hide, and replace.
		{name: "an overlay removed from the annotations", kind: pdf.ChangeAnnotation, page: 1,
			objects: set(3, "<<"+page1Text+"/Annots[8 0 R 9 0 R 10 0 R 20 0 R 28 0 R]>>")},
		{name: "an overlay freed", kind: pdf.ChangeAnnotation, page: 1, objects: set(11, "null")},
		{name: "an overlay hidden by its flags", kind: pdf.ChangeAnnotation, page: 1,
			objects: set(11, "<</Type/Annot/Subtype/Square/F 6/Rect[300 300 400 400]/AP<</N 17 0 R>>>>")},
		{name: "an overlay moved", kind: pdf.ChangeAnnotation, page: 1,
			objects: set(11, "<</Type/Annot/Subtype/Square/F 4/Rect[0 0 1 1]/AP<</N 17 0 R>>>>")},
		{name: "the picture that a page draws", kind: pdf.ChangeAnnotation, page: 1, objects: set(17, streamOf(lookBox, ""))},
		{name: "the font", kind: pdf.ChangeContent, page: 1, objects: set(7, strings.Replace(fontText, "Song", "Evil", 1))},
		{name: "the outlines of the font", kind: pdf.ChangeContent, page: 1,
			objects: map[int]string{26: "<</Type/Font/Subtype/CIDFontType2/BaseFont/Song/CIDSystemInfo<<>>/FontDescriptor 60 0 R>>", 60: "<<>>"}},
		{name: "the character map of the font", kind: pdf.ChangeContent, page: 1, objects: set(23, streamOf("", "begincmap <01> <02> endcmap"))},
		{name: "the content of a page", kind: pdf.ChangeContent, page: 2, objects: set(12, streamOf("", "0 0 1 rg 10 10 60 50 re f"))},
		{name: "a resource put into a page", kind: pdf.ChangeContent, page: 1,
			objects: map[int]string{3: "<<" + strings.Replace(page1Text, "/X1 17 0 R", "/X1 60 0 R", 1) + "/Annots[8 0 R 9 0 R 10 0 R 11 0 R 20 0 R 28 0 R]>>", 60: streamOf(lookBox, "")}},
		{name: "a page turned", kind: pdf.ChangePage, page: 1,
			objects: set(3, "<<"+page1Text+"/Rotate 180/Annots[8 0 R 9 0 R 10 0 R 11 0 R 20 0 R 28 0 R]>>")},
		{name: "a page cropped", kind: pdf.ChangePage, page: 1,
			objects: set(3, "<<"+page1Text+"/CropBox[0 0 100 100]/Annots[8 0 R 9 0 R 10 0 R 11 0 R 20 0 R 28 0 R]>>")},
		{name: "an action when a page opens", kind: pdf.ChangePage, page: 1,
			objects: set(3, "<<"+page1Text+"/AA<</O<</S/JavaScript/JS(x)>>>>/Annots[8 0 R 9 0 R 10 0 R 11 0 R 20 0 R 28 0 R]>>")},
		{name: "the value of a field", kind: pdf.ChangeAnnotation, page: 1, objects: set(20, "<</Type/Annot/Subtype/Widget/FT/Tx/Ff 1/T(fixed)/V(99)>>")},
		{name: "the default resources of the form", kind: pdf.ChangeForm, objects: set(5, "<<"+strings.Replace(formText, "/F1 7 0 R", "/F1 26 0 R", 1)+">>")},
		{name: "the default appearance of the form", kind: pdf.ChangeForm, objects: set(5, "<<"+strings.Replace(formText, "10 Tf", "0 Tf", 1)+">>")},
		{name: "appearances to be drawn anew", kind: pdf.ChangeForm, objects: set(5, "<<"+formText+"/NeedAppearances true>>")},
		{name: "an XFA form", kind: pdf.ChangeForm, objects: map[int]string{5: "<<" + formText + "/XFA 60 0 R>>", 60: streamOf("", "<xdp/>")}},
		{name: "an order of calculation", kind: pdf.ChangeForm, objects: set(5, "<<"+formText+"/CO[8 0 R]>>")},
		{name: "a second page tree switched in", kind: pdf.ChangePageTree, objects: map[int]string{
			1: strings.Replace(newCatalog, "/Pages 2 0 R", "/Pages 60 0 R", 1) + ">>", 60: "<</Type/Pages/Kids[61 0 R]/Count 1>>",
			61: "<</Type/Page/Parent 60 0 R/MediaBox[0 0 595 842]>>"}},
		{name: "the page tree exchanged in its place", kind: pdf.ChangePageTree, objects: set(2, "<</Type/Pages/Kids[4 0 R 3 0 R]/Count 2>>")},
		{name: "the catalog with two page trees", kind: pdf.ChangeCatalog, objects: map[int]string{
			1: newCatalog + "/Pages 60 0 R>>", 60: "<</Type/Pages/Kids[]/Count 0>>"}},
		{name: "another catalog", kind: pdf.ChangeStructure, trailer: "/Root 60 0 R", objects: map[int]string{60: newCatalog + ">>"}},
		// The machinery.
		{name: "a layer switched off in the configuration", kind: pdf.ChangeCatalog, objects: set(16, "<</Name(Default)/BaseState/ON/OFF[15 0 R]>>")},
		{name: "another configuration of layers", kind: pdf.ChangeCatalog, objects: map[int]string{
			1: strings.Replace(newCatalog, "/D 16 0 R", "/D<</OFF[15 0 R]>>", 1) + ">>"}},
		{name: "a layer that is another", kind: pdf.ChangeContent, page: 1, objects: set(15, "<</Type/OCG/Name(Layer)/Usage<</View<</ViewState/OFF>>>>>>")},
		{name: "a script under /Names", kind: pdf.ChangeCatalog, objects: set(22, "<</Dests 30 0 R/JavaScript<</Names[(a)<</S/JavaScript/JS(x)>>]>>>>")},
		{name: "a script under /Names, deeper", kind: pdf.ChangeCatalog, objects: set(30, "<</Names[(a)<</S/JavaScript/JS(x)>>]>>")},
		{name: "another tree of names", kind: pdf.ChangeCatalog, objects: map[int]string{1: strings.Replace(newCatalog, "22 0 R", "60 0 R", 1) + ">>", 60: "<<>>"}},
		{name: "page labels", kind: pdf.ChangeCatalog, objects: set(21, "<</Nums[0<</S/r/St 9>>]>>")},
		{name: "an action on opening", kind: pdf.ChangeCatalog, objects: catalog("/OpenAction<</S/Launch/F(x)>>")},
		{name: "actions of the document", kind: pdf.ChangeCatalog, objects: catalog("/AA<</WP<</S/JavaScript/JS(x)>>>>")},
		{name: "preferences of the reader", kind: pdf.ChangeCatalog, objects: catalog("/ViewerPreferences<</HideToolbar true>>")},
		{name: "another permission dictionary", kind: pdf.ChangeCatalog, objects: catalog("/Perms<</UR3 8 0 R>>")},
		{name: "encryption", kind: pdf.ChangeStructure, trailer: "/Encrypt 60 0 R", objects: map[int]string{60: "<</Filter/Standard/V 1/R 2>>"}},
		{name: "a collection", kind: pdf.ChangeCatalog, objects: catalog("/Collection<<>>")},
		{name: "attached files", kind: pdf.ChangeCatalog, objects: catalog("/AF[]")},
	} {
		t.Run(c.name, func(t *testing.T) { c.check(t, sealed) })
	}
}

// TestNoAnnotationIsPermittedAtAnyLevel: those that show change what is displayed, the others can act or come to show.
func TestNoAnnotationIsPermittedAtAnyLevel(t *testing.T) {
	sealed := sealedRich(t)
	for _, c := range []struct{ subtype, more string }{
		{"FreeText", "/Contents(99)/DA(/F1 9 Tf)"}, {"Stamp", "/AP<</N 17 0 R>>"}, {"Square", ""}, {"Highlight", "/QuadPoints[0 0 1 1 1 0 0 1]"},
		{"Text", "/Contents(x)"}, {"Ink", ""}, {"Redact", ""}, {"Watermark", "/AP<</N 17 0 R>>"}, {"FileAttachment", ""},
		{"Popup", "/Parent 11 0 R"}, {"Link", "/Border[0 0 0]/A<</S/URI/URI(https://example.org)>>"}, {"Square", "/F 2"}, {"Square", "/F 32"},
		{"Widget", "/FT/Sig/T(loose)"}, {"Screen", ""},
	} {
		change{name: c.subtype, kind: pdf.ChangeAnnotation, page: 1, objects: map[int]string{
			60: "<</Type/Annot/Subtype/" + c.subtype + "/Rect[100 100 200 200]" + c.more + ">>",
			3:  "<<" + page1Text + "/Annots[8 0 R 9 0 R 10 0 R 11 0 R 20 0 R 28 0 R 60 0 R]>>"}}.run(t, sealed)
	}
}

func (c change) run(t *testing.T, sealed [4][]byte) {
	t.Run(c.name, func(t *testing.T) { c.check(t, sealed) })
}

// signedObjects are a further signature in field 60 with its value 61 and its appearance 62.
func signedObjects(widget, rect, look string) map[int]string {
	return map[int]string{
		5:  "<<" + strings.Replace(formText, "27 0 R]", "27 0 R SEAL 60 0 R]", 1) + "/SigFlags 3>>",
		60: "<</Type/Annot/Subtype/Widget/FT/Sig/T(More)/F 132/V 61 0 R/Rect[" + rect + "]/AP<</N 62 0 R>>" + widget + ">>",
		61: "<</Type/Sig/Filter/GM.PKILite/SubFilter/GM.sm2seal/ByteRange[0 1 2 3]/Contents<3003020107>>>",
		62: streamOf("/Type/XObject/Subtype/Form/BBox[0 0 100 100]"+look, "1 0 0 RG 10 10 50 50 re S"),
		3:  "<<" + page1Text + "/Annots[8 0 R 9 0 R 10 0 R 11 0 R 20 0 R 28 0 R 60 0 R]>>",
	}
}

// checkSigned is check where the form's list of fields is that of the sealed document and one more.
func (c change) checkSigned(t *testing.T, sealed [4][]byte) {
	t.Helper()
	for level := range sealed {
		fields, err := opened(t, sealed[level]).SignatureFields(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		objects := map[int]string{}
		for n, text := range c.objects {
			objects[n] = strings.Replace(text, "SEAL", fields[len(fields)-1].Field.String(), 1)
		}
		one := c
		one.objects = objects
		one.checkLevel(t, level, sealed[level])
	}
}

func TestTheAppearanceOfAFurtherSignature(t *testing.T) {
	sealed := sealedRich(t)
	with := func(objects map[int]string, more map[int]string) map[int]string {
		for n, o := range more {
			objects[n] = o
		}
		return objects
	}
	// A signature whose appearance draws picture 64, and a stamp 63 that draws another object.
	stamped := func(draws, flags string) map[int]string {
		return with(signedObjects("/P 3 0 R", "100 100 219 219", "/Resources<</XObject<</Seal 64 0 R>>>>"), map[int]string{
			3:  "<<" + page1Text + "/Annots[8 0 R 9 0 R 10 0 R 11 0 R 20 0 R 28 0 R 60 0 R 63 0 R]>>",
			63: "<</Type/Annot/Subtype/Stamp/F " + flags + "/Rect[300 100 400 200]/AP<</N 65 0 R>>>>",
			64: streamOf(lookBox, "0 0 9 9 re f"),
			65: streamOf("/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</Seal "+draws+">>>>", "q 9 0 0 9 0 0 cm 0 0 1 1 re W n /Seal Do Q"),
		})
	}
	page3 := "<<" + page1Text + "/Annots[8 0 R 9 0 R 10 0 R 11 0 R 20 0 R 28 0 R 60 0 R]>>"
	for _, c := range []change{
		{name: "a seal", permitted: "ynny", kind: pdf.ChangeSignatureAdded, page: 1, objects: signedObjects("/P 3 0 R", "100 100 219 219", "")},
		{name: "a seal that does not say its page", permitted: "ynny", kind: pdf.ChangeSignatureAdded, page: 1, objects: signedObjects("", "100 100 219 219", "")},
		{name: "a seal that certifies what was sealed before", kind: pdf.ChangeCatalog,
			objects: with(signedObjects("/P 3 0 R", "100 100 219 219", ""), map[int]string{1: newCatalog + "/Perms<</DocMDP 61 0 R>>>>"})},
		{name: "a seal that says another page", permitted: "ynny", kind: pdf.ChangeSignatureAdded, page: 1, objects: signedObjects("/P 4 0 R", "100 100 219 219", "")},
		{name: "a signature that shows nothing", permitted: "ynny", kind: pdf.ChangeSignatureAdded, objects: signedObjects("/P 3 0 R", "0 0 0 0", "")},
		{name: "a seal with another part", permitted: "ynny", kind: pdf.ChangeSealPart, page: 1, objects: stamped("64 0 R", "708")},
		{name: "with a stamp that draws a picture of its own", kind: pdf.ChangeAnnotation, page: 1,
			objects: with(stamped("66 0 R", "708"), map[int]string{66: streamOf(lookBox, "0 0 9 9 re f")})},
		{name: "with a stamp that draws a picture that was there", kind: pdf.ChangeAnnotation, page: 1, objects: stamped("17 0 R", "708")},
		{name: "with one stamp on two pages", kind: pdf.ChangeAnnotation, page: 1, objects: with(stamped("64 0 R", "708"), map[int]string{
			4: "<<" + page2Text[:strings.Index(page2Text, "/Annots")] + "/Annots[13 0 R SEAL 63 0 R]>>"})},
		{name: "with a stamp that is not locked", kind: pdf.ChangeAnnotation, page: 1, objects: stamped("64 0 R", "4")},
		{name: "a document time stamp", permitted: "yyyy", kind: pdf.ChangeTimeStamp, objects: with(signedObjects("/P 3 0 R", "0 0 0 0", ""), map[int]string{
			61: "<</Type/DocTimeStamp/Filter/Adobe.PPKLite/SubFilter/ETSI.RFC3161/ByteRange[0 1 2 3]/Contents<" + token + ">>>"})},
		{name: "a signature that calls itself a document time stamp", permitted: "ynny", kind: pdf.ChangeSignatureAdded, objects: with(signedObjects("/P 3 0 R", "0 0 0 0", ""), map[int]string{
			61: "<</Type/DocTimeStamp/Filter/Adobe.PPKLite/SubFilter/ETSI.RFC3161/ByteRange[0 1 2 3]/Contents<3003020107>>>"})},
		{name: "a document time stamp that shows", permitted: "ynny", kind: pdf.ChangeSignatureAdded, page: 1, objects: with(signedObjects("/P 3 0 R", "100 100 200 200", ""), map[int]string{
			61: "<</Type/DocTimeStamp/Filter/Adobe.PPKLite/SubFilter/ETSI.RFC3161/ByteRange[0 1 2 3]/Contents<" + token + ">>>"})},
		{name: "larger than any seal", kind: pdf.ChangeSignature, page: 1, objects: signedObjects("/P 3 0 R", "100 100 400 400", "")},
		{name: "a long strip", kind: pdf.ChangeSignature, page: 1, objects: signedObjects("/P 3 0 R", "0 100 580 120", "")},
		{name: "over the whole page, saying no page", kind: pdf.ChangeSignature, page: 1, objects: signedObjects("", "0 0 595 842", "")},
		{name: "over the whole page, saying that it stands elsewhere", kind: pdf.ChangeSignature, page: 1, objects: signedObjects("/P 2 0 R", "0 0 595 842", "")},
		{name: "saying that its page is the content of a page, which changes", kind: pdf.ChangeContent, page: 1,
			objects: with(signedObjects("/P 6 0 R", "0 0 0 0", ""), map[int]string{6: streamOf("", "")})},
		{name: "on two pages", kind: pdf.ChangeSignature, objects: with(signedObjects("", "100 100 200 200", ""), map[int]string{
			4: "<<" + page2Text[:strings.Index(page2Text, "/Annots")] + "/Annots[13 0 R SEAL 60 0 R]>>"})},
		{name: "in a layer", kind: pdf.ChangeSignature, page: 1, objects: signedObjects("/P 3 0 R/OC 15 0 R", "100 100 200 200", "")},
		{name: "from another file", kind: pdf.ChangeSignature, page: 1, objects: signedObjects("/P 3 0 R", "100 100 200 200", "/Ref<</F(x)/Page 0>>")},
		{name: "with a field of text below it", kind: pdf.ChangeForm, objects: with(signedObjects("/P 3 0 R", "100 100 200 200", ""), map[int]string{
			5:  "<<" + strings.Replace(formText, "27 0 R]", "27 0 R SEAL 60 0 R 63 0 R]", 1) + "/SigFlags 3>>",
			63: "<</Type/Annot/Subtype/Widget/FT/Tx/T(t)/V(99)/Rect[1 1 9 9]>>"})},
		{name: "with an old widget put on the page", kind: pdf.ChangeAnnotation, page: 1, objects: with(signedObjects("/P 3 0 R", "100 100 200 200", ""), map[int]string{
			3: strings.Replace(page3, "60 0 R]", "60 0 R 13 0 R]", 1)})},
		{name: "with an appearance that is not there", kind: pdf.ChangeSignature, page: 1, objects: with(signedObjects("/P 3 0 R", "100 100 200 200", ""), map[int]string{
			60: "<</Type/Annot/Subtype/Widget/FT/Sig/T(More)/F 132/V 61 0 R/Rect[1 1 9 9]/AP<</N 70 0 R>>/P 3 0 R>>"})},
	} {
		t.Run(c.name, func(t *testing.T) { c.checkSigned(t, sealed) })
	}
}

// TestAnObjectThatStandsInTwoPlacesMustNotChange: what is in order in one place changes what another shows.
func TestAnObjectThatStandsInTwoPlacesMustNotChange(t *testing.T) {
	base := func(edit map[int]string) []byte {
		objects := []string{
			"<</Type/Catalog/Pages 2 0 R/Metadata 5 0 R/DSS 6 0 R/AcroForm<</Fields 7 0 R>>>>",
			"<</Type/Pages/Kids[3 0 R 4 0 R]/Count 2>>",
			"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents[10 0 R]/Annots 8 0 R>>",
			"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Annots 9 0 R>>",
			xmp("Copy", "1"), "<</Certs 11 0 R>>", "[12 0 R]", "[12 0 R]", "[]", streamOf("", "q Q"), "[13 0 R]",
			"<</Type/Annot/Subtype/Widget/FT/Tx/T(a)/V(1)/Rect[10 10 90 30]/P 3 0 R/AP<</N 14 0 R>>>>", derStream, streamOf(lookBox, "(1) Tj"),
		}
		for n, text := range edit {
			objects[n-1] = text
		}
		r := request(t)
		r.Certify, r.Placements = 2, nil
		r.Appearance = nil
		return seal(t, file{objects: objects}.bytes(), r)
	}
	page := func(entries string) string {
		return "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]" + entries + ">>"
	}
	for _, c := range []struct {
		name          string
		before, after map[int]string
	}{
		{"metadata that are the content of a page", map[int]string{3: page("/Contents[10 0 R 5 0 R]")}, map[int]string{5: xmp("Copy", "2")}},
		{"a list of certificates that is the contents of a page", map[int]string{3: page("/Contents 11 0 R")}, map[int]string{11: "[13 0 R 90 0 R]", 90: derStream}},
		{"the appearance of a field that the page draws", map[int]string{3: page("/Annots 8 0 R/Resources<</XObject<</A 14 0 R>>>>")},
			map[int]string{12: "<</Type/Annot/Subtype/Widget/FT/Tx/T(a)/V(2)/Rect[10 10 90 30]/P 3 0 R/AP<</N 14 0 R>>>>", 14: streamOf(lookBox, "(2) Tj")}},
	} {
		t.Run(c.name, func(t *testing.T) {
			update := func(data []byte) []pdf.Change {
				var objects []string
				for n := range 100 {
					if text, ok := c.after[n]; ok {
						objects = append(objects, fmt.Sprintf("%d 0 obj\n%s\nendobj", n, text))
					}
				}
				before := opened(t, data)
				return compared(t, before, opened(t, appendUpdate(t, data, "/ID "+plain(before.Trailer().Get("ID")), objects...)))
			}
			if changes := update(base(c.before)); !slices.ContainsFunc(changes, func(c pdf.Change) bool {
				return !c.Permitted && strings.Contains(c.EN, "in use elsewhere") && c.Page == 1
			}) {
				t.Error(listed(changes))
			}
			if changes := update(base(nil)); len(changes) == 0 || slices.ContainsFunc(changes, func(c pdf.Change) bool { return !c.Permitted }) {
				t.Errorf("the same with an object of its own: %s", listed(changes))
			}
		})
	}
}

// TestManyPermittedChangesHideNothing: the list of changes has a limit, and what is refused stands in it all the same.
func TestManyPermittedChangesHideNothing(t *testing.T) {
	const fields = 300
	var list strings.Builder
	objects := onePage("/Contents 4 0 R/Annots 5 0 R")
	objects = append(objects, streamOf("", "q Q"), "")
	for i := range fields {
		fmt.Fprintf(&list, "%d 0 R ", i+6)
		objects = append(objects, fmt.Sprintf("<</Type/Annot/Subtype/Widget/FT/Tx/T(f%d)/Rect[1 1 2 2]>>", i))
	}
	objects[4] = "[" + list.String() + "]"
	objects[0] = "<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields 5 0 R>>>>"
	r := request(t)
	r.Certify, r.Placements, r.Appearance = 2, nil, nil
	data := seal(t, file{objects: objects}.bytes(), r)
	before := opened(t, data)
	size, _ := before.Trailer().Get("Size").(pdf.Integer)
	later := map[int]string{}
	for i := range fields {
		later[i+6] = fmt.Sprintf("<</Type/Annot/Subtype/Widget/FT/Tx/T(f%d)/Rect[1 1 2 2]/V(x)>>", i)
	}
	update := func() []pdf.Change {
		entries := "/Root 1 0 R /ID " + plain(before.Trailer().Get("ID"))
		return compared(t, before, opened(t, fixtures.AppendRevision(data, later, entries, int(size))))
	}
	if changes := update(); len(changes) != 200 || slices.ContainsFunc(changes, func(c pdf.Change) bool { return !c.Permitted }) {
		t.Errorf("filling alone: %s", listed(changes[:min(3, len(changes))]))
	}
	later[4] = streamOf("", "1 0 0 rg")
	if changes := update(); !slices.ContainsFunc(changes, func(c pdf.Change) bool { return !c.Permitted && c.Kind == pdf.ChangeContent && c.Page == 1 }) {
		t.Errorf("%d changes, and none is the content", len(changes))
	}
}

// TestALockHoldsForFilling: a certified form may be filled, except for the fields that a signature locked.
func TestALockHoldsForFilling(t *testing.T) {
	for _, c := range []struct {
		name      string
		lock      *pdf.FieldLock
		permitted bool
	}{
		{"no lock", nil, true},
		{"another field", &pdf.FieldLock{Action: pdf.LockInclude, Fields: []string{"agree"}}, true},
		{"this field", &pdf.FieldLock{Action: pdf.LockInclude, Fields: []string{"name"}}, false},
		{"all fields", &pdf.FieldLock{Action: pdf.LockAll}, false},
		{"all but another", &pdf.FieldLock{Action: pdf.LockExclude, Fields: []string{"agree"}}, false},
		{"all but this", &pdf.FieldLock{Action: pdf.LockExclude, Fields: []string{"name"}}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := request(t)
			r.Certify, r.Lock, r.Placements, r.Appearance = 2, c.lock, nil, nil
			data := seal(t, rich(), r)
			before := opened(t, data)
			changes := compared(t, before, opened(t, appendUpdate(t, data, "/Info 19 0 R/ID "+plain(before.Trailer().Get("ID")),
				"8 0 obj\n<<"+textText+"/V(Li)/AP<</N 29 0 R>>>>\nendobj")))
			if len(changes) != 1 || changes[0].Permitted != c.permitted {
				t.Error(listed(changes))
			}
		})
	}
}

// TestAWidgetOutsideTheFormIsNoField: it shows a value all the same, and nobody said that it may be filled.
func TestAWidgetOutsideTheFormIsNoField(t *testing.T) {
	objects := append(onePage("/Annots[4 0 R]"), "<</Type/Annot/Subtype/Widget/FT/Tx/T(x)/Rect[10 10 90 30]/V(1)>>")
	for _, c := range []struct {
		fields    string
		permitted bool
	}{{"[]", false}, {"[4 0 R]", true}} {
		objects[0] = "<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields" + c.fields + ">>>>"
		r := request(t)
		r.Certify, r.Placements, r.Appearance = 2, nil, nil
		data := seal(t, file{objects: objects}.bytes(), r)
		before := opened(t, data)
		changes := compared(t, before, opened(t, appendUpdate(t, data, "/ID "+plain(before.Trailer().Get("ID")),
			"4 0 obj\n<</Type/Annot/Subtype/Widget/FT/Tx/T(x)/Rect[10 10 90 30]/V(2)>>\nendobj")))
		if len(changes) != 1 || changes[0].Permitted != c.permitted || changes[0].Page != 1 {
			t.Errorf("fields %s: %s", c.fields, listed(changes))
		}
	}
}

// TestUpdatesFollowEachOther: one comparer over many honest updates, each changing again what the one before changed.
func TestUpdatesFollowEachOther(t *testing.T) {
	r := request(t)
	r.Certify, r.Placements, r.Appearance = 2, nil, nil
	data := seal(t, rich(), r)
	var k pdf.Comparer
	before := opened(t, data)
	perms := plain(before.Trailer().Get("ID"))
	catalog, _, err := before.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	root := "1 0 obj\n" + newCatalog + "/DSS 60 0 R/Perms " + plain(catalog.Get("Perms")) + ">>\nendobj"
	certs := ""
	for i := range 4 {
		certs += fmt.Sprintf("%d 0 R ", 70+i)
		data = appendUpdate(t, data, "/Info 19 0 R/ID "+perms, root, "60 0 obj\n<</Certs["+certs+"]>>\nendobj",
			fmt.Sprintf("%d 0 obj\n%s\nendobj", 70+i, derStream),
			"14 0 obj\n"+xmp("Copy", fmt.Sprint(i))+"\nendobj",
			fmt.Sprintf("19 0 obj\n<</Title(Copy)/ModDate(D:2026030%d)>>\nendobj", i+1),
			fmt.Sprintf("8 0 obj\n<<%s/V(Li%d)/AP<</N 29 0 R>>>>\nendobj", textText, i),
			fmt.Sprintf("29 0 obj\n%s\nendobj", streamOf(lookBox, fmt.Sprintf("(Li%d) Tj", i))))
		after := opened(t, data)
		changes, err := k.Compare(context.Background(), before, after)
		if err != nil || len(changes) != 4 || slices.ContainsFunc(changes, func(c pdf.Change) bool { return !c.Permitted }) {
			t.Fatalf("update %d: %v %s", i, err, listed(changes))
		}
		before = after
	}
	// What came later must not be taken away again, nor serve two purposes.
	for _, c := range []struct{ name, object string }{
		{"a certificate removed", "60 0 obj\n<</Certs[70 0 R 71 0 R 72 0 R]>>\nendobj"},
		{"a certificate exchanged", "71 0 obj\n<</Length 4>>\nstream\n0\x03\x02\x02\nendstream\nendobj"},
		{"validation data removed", "1 0 obj\n" + newCatalog + "/Perms " + plain(catalog.Get("Perms")) + ">>\nendobj"},
	} {
		after := opened(t, appendUpdate(t, data, "/Info 19 0 R/ID "+perms, c.object))
		changes, err := k.Compare(context.Background(), before, after)
		if err != nil || !slices.ContainsFunc(changes, func(c pdf.Change) bool { return !c.Permitted }) {
			t.Errorf("%s: %v %s", c.name, err, listed(changes))
		}
	}
}

// TestACompleteTableAfterASignatureIsRefused: a file that was sealed with a complete section and no /Prev is in order,
// also when others follow; a complete section after a signature takes the signed objects out of the chain.
func TestACompleteTableAfterASignatureIsRefused(t *testing.T) {
	s := rich()
	sealed := seal(t, s, request(t))
	twice := seal(t, sealed, func() pdf.SealRequest {
		r := request(t)
		r.Placements = []pdf.Placement{{Page: 2, From: pdf.TopLeft, X: 10, Y: 10}}
		return r
	}())
	if changes := compared(t, opened(t, sealed), opened(t, twice)); slices.ContainsFunc(changes, func(c pdf.Change) bool { return !c.Permitted }) {
		t.Errorf("two seals: %s", listed(changes))
	}
	d := opened(t, sealed)
	var rows strings.Builder
	size, _ := d.Trailer().Get("Size").(pdf.Integer)
	for n := 1; n < int(size); n++ {
		if e, ok, err := d.Entry(n); err == nil && ok && e.State == pdf.InFile {
			fmt.Fprintf(&rows, "%d 1\n%010d %05d n \n", n, e.Offset, e.Gen)
		}
	}
	forged := fmt.Appendf(bytes.Clone(sealed), "xref\n0 1\n0000000000 65535 f \n%strailer\n<</Size %d/Root 1 0 R/Info 19 0 R/ID %s>>\nstartxref\n%d\n%%%%EOF\n",
		rows.String(), size, plain(d.Trailer().Get("ID")), len(sealed))
	changes := compared(t, d, opened(t, forged))
	if len(changes) != 1 || changes[0].Permitted || changes[0].Kind != pdf.ChangeStructure {
		t.Error(listed(changes))
	}
}
