package verify

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"yinxin/ca/cms"
)

// replaceLast changes the last occurrence of a text to another of the same length, as someone does who edits bytes.
func (f *file) replaceLast(t testing.TB, old, by string) *file {
	t.Helper()
	i := bytes.LastIndex(f.data, []byte(old))
	if i < 0 || len(old) != len(by) {
		t.Fatalf("cannot replace %q by %q", old, by)
	}
	copy(f.data[i:], by)
	return f
}

// forgedPage is a page content with another grade.
var forgedPage = stream("", "BT /F1 24 Tf 100 700 Td (Grade: 99) Tj ET")

// TestAttacksAreNeverCalledValid goes through the attacks of the literature on PDF signatures: universal signature
// forgery (USF), incremental saving (ISA), signature wrapping (SWA), and shadow attacks.
func TestAttacksAreNeverCalledValid(t *testing.T) {
	for _, profile := range []cms.Profile{"", cms.ProfileCMS, cms.ProfileGM} {
		t.Run("profile "+string(profile), func(t *testing.T) { attack(t, profile) })
	}
}

func attack(t *testing.T, profile cms.Profile) {
	h := newHouse(t)
	h.profile = profile
	sealed := newFile().seal(t, h)
	want(t, sealed.verify(t, h.options(t)), Valid, "")
	hex := string(sealed.data[bytes.LastIndex(sealed.data, []byte("/Contents <"))+11:][:2*contentsRoom])
	zeros := strings.Repeat("0", len(hex))
	rangeText := string(sealed.data[bytes.LastIndex(sealed.data, []byte("/ByteRange [0 "))+11:][:36])
	lengths := strings.Fields(strings.Trim(rangeText, "[]"))
	pad := func(s string) string { return s + strings.Repeat(" ", len(rangeText)-len(s)) }
	edit := func(old, by string) func(t *testing.T) *file {
		return func(t *testing.T) *file { return sealed.clone().replaceLast(t, old, by) }
	}
	for _, c := range []struct {
		name    string
		make    func(t *testing.T) *file
		verdict Verdict
		reason  string
	}{
		{"USF: Contents is only zeros", edit(hex, zeros), Invalid, "missing, empty or cut off"},
		{"USF: Contents is missing", edit("/Contents <", "/Kontents <"), Invalid, "missing or indirect"},
		{"USF: Contents is null", edit("/Contents <"+hex+">", "/Contents null"+strings.Repeat(" ", len(hex)-2)), Invalid, ""},
		{"USF: Contents is empty", edit("<"+hex+">", "<>"+strings.Repeat(" ", len(hex))), Invalid, ""},
		{"USF: Contents is bad DER", edit(hex[:8], "30841234"), Invalid, ""},
		{"USF: Contents is another structure", edit(hex[:200], "3003020101"+strings.Repeat("0", 190)), Invalid, ""},
		{"USF: bytes after the structure that are not zero", func(t *testing.T) *file {
			f := sealed.clone()
			i := bytes.LastIndex(f.data, []byte("/Contents <")) + 11 + len(hex)
			copy(f.data[i-4:], "beef")
			return f
		}, Invalid, "cut off"},
		{"USF: ByteRange is missing", edit("/ByteRange", "/ByteRandy"), Invalid, ""},
		{"USF: ByteRange is null", edit(rangeText, pad("null")), Invalid, ""},
		{"USF: ByteRange is negative", edit(rangeText, pad("[0 -10 "+lengths[2]+" "+lengths[3]+"]")), Invalid, ""},
		{"USF: ByteRange has no gap", edit(rangeText, pad(fmt.Sprintf("[0 %d %d 0]", len(sealed.data), len(sealed.data)))), Invalid, ""},
		{"USF: ByteRange overlaps", edit(rangeText, pad("[0 "+lengths[2]+" "+lengths[1]+" "+lengths[3]+"]")), Invalid, ""},
		{"USF: ByteRange has six entries", edit(rangeText, pad("[0 10 20 30 40 50]")), Invalid, ""},
		{"USF: ByteRange has two entries", edit(rangeText, pad("[0 "+lengths[1]+"]")), Invalid, ""},
		{"USF: ByteRange is indirect", edit(rangeText, pad("6 0 R")), Invalid, ""},
		{"USF: ByteRange has reals", edit(rangeText, pad("[0.0 "+strings.TrimLeft(lengths[1], "0")+" "+lengths[2]+" "+lengths[3]+"]")), Invalid, ""},
		{"USF: ByteRange does not begin at the start", edit(rangeText, "[1"+rangeText[2:]), Invalid, ""},
		{"USF: ByteRange twice", func(t *testing.T) *file {
			return newFile().seal(t, h, func(p *parts) { p.signature = "/ByteRange [0 10 20 30]" })
		}, Invalid, "twice"},
		{"USF: Contents twice", func(t *testing.T) *file {
			return newFile().seal(t, h, func(p *parts) { p.signature = "/Contents <00>" })
		}, Invalid, "twice"},
		{"USF: value of the field twice", func(t *testing.T) *file {
			return newFile().seal(t, h, func(p *parts) { p.widget = "/V 4 0 R" })
		}, Invalid, "twice"},
		{"USF: a field without value", edit("/V 8 0 R", "/W 8 0 R"), Invalid, "No signature field refers to"},
		{"USF: the value of the field is missing", edit("/V 8 0 R", "/V 9999 0 R"[:8]), Invalid, ""},
		{"USF: the value of the field is no dictionary", edit("/V 8 0 R", "/V 9 0 R"), Invalid, ""},
		{"USF: the digest is of other bytes", func(t *testing.T) *file {
			return newFile().seal(t, h, func(p *parts) {
				p.dataHash = func(d [32]byte) [32]byte { d[0] ^= 1; return d }
			})
		}, Modified, "does not match the digest"},

		{"a signature that ends before the end of its revision", func(t *testing.T) *file {
			return newFile().seal(t, h, func(p *parts) { p.uncovered = len("%%EOF\n") })
		}, Invalid, "does not end at the end of a revision"},
		{"two signatures that cover the same revision", func(t *testing.T) *file {
			f := newFile()
			f.seal(t, h)
			return f.update("", map[int]string{catalogObject: "<< " + f.root + " /AcroForm << /SigFlags 3 /Fields [ 7 0 R 10 0 R ] >> >>",
				10: "<< /Type /Annot /Subtype /Widget /FT /Sig /T (Again) /F 132 /P 3 0 R /Rect [0 0 0 0] /V 8 0 R >>"})
		}, Invalid, "crosses another signature"},

		{"another field takes over the signature", func(t *testing.T) *file {
			f := newFile()
			f.seal(t, h)
			return f.update("", map[int]string{catalogObject: "<< " + f.root + " /AcroForm << /SigFlags 3 /Fields [ 10 0 R ] >> >>",
				10: "<< /Type /Annot /Subtype /Widget /FT /Sig /T (Again) /F 132 /P 3 0 R /Rect [0 0 0 0] /V 8 0 R >>"})
		}, Invalid, "does not exist in the revision"},
		{"a further field whose signature has no Contents", func(t *testing.T) *file {
			return sealed.clone().seal(t, h).replaceLast(t, "/Contents <", "/Kontents <")
		}, Invalid, "without a signature was added"},
		{"a further field whose signature has no ByteRange", func(t *testing.T) *file {
			return sealed.clone().seal(t, h).replaceLast(t, "/ByteRange", "/ByteRandy")
		}, Invalid, "without a signature was added"},
		{"an empty field that is signed and moved", func(t *testing.T) *file {
			f := newFile()
			f.annots, f.fields = " 7 0 R", " 7 0 R"
			empty := "<< /Type /Annot /Subtype /Widget /FT /Sig /T (Empty) /F 132 /P 3 0 R /Rect [10 10 100 100] %s >>"
			f.update("", map[int]string{7: fmt.Sprintf(empty, ""), pageObject: "<< " + f.page + " /Annots [ 7 0 R ] >>",
				catalogObject: "<< " + f.root + " /AcroForm << /Fields [ 7 0 R ] >> >>"})
			f.seal(t, h)
			return f.fill(t, h, 7, strings.Replace(empty, "[10 10", "[20 10", 1))
		}, Modified, "form field or seal of page 1 was changed"},

		{"ISA: replaced page content", func(t *testing.T) *file {
			return sealed.clone().update("", map[int]string{contentObject: forgedPage})
		}, Modified, "content of page 1 was changed"},
		{"ISA: replaced page", func(t *testing.T) *file {
			return sealed.clone().update("", map[int]string{10: forgedPage,
				pageObject: "<< " + strings.Replace(sealed.page, "4 0 R", "10 0 R", 1) + " /Annots [" + sealed.annots + "] >>"})
		}, Modified, "/Contents of page 1"},
		{"ISA: replaced font", func(t *testing.T) *file {
			return sealed.clone().update("", map[int]string{fontObject: "<< /Type /Font /Subtype /Type3 >>"})
		}, Modified, "page 1"},
		{"ISA: replaced information", func(t *testing.T) *file {
			return sealed.clone().update("", map[int]string{infoObject: "<< /Title (Other) >>"})
		}, Modified, "information"},
		{"ISA: another information dictionary", func(t *testing.T) *file {
			return sealed.clone().update("/Info 10 0 R", map[int]string{10: "<< /Title (Other) >>"})
		}, Modified, "/Info"},
		{"ISA: another catalog", func(t *testing.T) *file {
			return sealed.clone().update("/Root 10 0 R", map[int]string{
				10: "<< /Type /Catalog /Pages 11 0 R /AcroForm << /SigFlags 3 /Fields [7 0 R] >> >>",
				11: "<< /Type /Pages /Kids [12 0 R] /Count 1 >>", 12: "<< /Type /Page /Parent 11 0 R /MediaBox [0 0 595 842] /Contents 13 0 R /Annots [7 0 R] >>",
				13: forgedPage})
		}, Modified, "/Root"},
		{"ISA: another page tree", func(t *testing.T) *file {
			return sealed.clone().update("", map[int]string{
				catalogObject: "<< /Type /Catalog /Pages 10 0 R /AcroForm << /SigFlags 3 /Fields [ 7 0 R ] >> >>",
				10:            "<< /Type /Pages /Kids [3 0 R] /Count 1 >>"})
		}, Modified, "/Pages"},
		{"ISA: a page added to the tree", func(t *testing.T) *file {
			return sealed.clone().update("", map[int]string{
				pagesObject: "<< /Type /Pages /Kids [3 0 R 10 0 R] /Count 2 >>",
				10:          "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>"})
		}, Modified, "number or the order of the pages"},
		{"ISA: a page freed", func(t *testing.T) *file {
			return sealed.clone().update("", map[int]string{contentObject: ""})
		}, Modified, "removed"},
		{"ISA: only a trailer whose startxref points back", func(t *testing.T) *file {
			f := sealed.clone()
			f.data = fmt.Appendf(f.data, "trailer\n<< /Size 20 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", f.prev)
			return f
		}, Modified, "appended after the end"},
		{"ISA: a table that skips the signed revision", func(t *testing.T) *file {
			f := sealed.clone()
			first := bytes.Index(f.data, []byte("\nxref\n")) + 1
			return f.update(fmt.Sprintf("/Prev %d", first), map[int]string{
				catalogObject: "<< /Type /Catalog /Pages 2 0 R /AcroForm << /SigFlags 3 /Fields [ 7 0 R ] >> >>",
				7:             "<< /Type /Annot /Subtype /Widget /FT /Sig /T (Seal7) /Rect [0 0 9 9] /V 8 0 R >>"})
		}, Invalid, ""},
		{"ISA: an object without cross-reference", func(t *testing.T) *file {
			f := sealed.clone()
			f.data = fmt.Appendf(f.data, "4 0 obj\n%s\nendobj\n", forgedPage)
			return f
		}, Modified, "appended after the end"},
		{"ISA: comments after the end", func(t *testing.T) *file {
			f := sealed.clone()
			f.data = append(f.data, "% harmless\n"...)
			return f
		}, Modified, "appended after the end"},
		{"ISA: a copied signature dictionary with the old ByteRange", func(t *testing.T) *file {
			f := sealed.clone()
			i := bytes.LastIndex(f.data, []byte("<< /Type /Sig "))
			copied := string(f.data[i : i+bytes.Index(f.data[i:], []byte("\nendobj"))])
			return f.update("", map[int]string{8: copied, contentObject: forgedPage})
		}, Invalid, ""},
		{"ISA: an object number twice in the appended part", func(t *testing.T) *file {
			f := sealed.clone()
			f.data = fmt.Appendf(f.data, "4 0 obj\n%s\nendobj\n", forgedPage)
			return f.update("", map[int]string{contentObject: stream("", "BT /F1 24 Tf 100 700 Td (Grade: 85) Tj ET")})
		}, Modified, "does not belong to the document"},
		{"ISA: the seal removed from the page", func(t *testing.T) *file {
			return sealed.clone().update("", map[int]string{pageObject: "<< " + sealed.page + " >>"})
		}, Modified, "removed"},
		{"ISA: an annotation added", func(t *testing.T) *file {
			return sealed.clone().update("", map[int]string{10: "<< /Type /Annot /Subtype /FreeText /Rect [0 0 500 800] >>",
				pageObject: "<< " + sealed.page + " /Annots [" + sealed.annots + " 10 0 R ] >>"})
		}, Modified, "annotation was added"},
		{"ISA: an open action added", func(t *testing.T) *file {
			return sealed.clone().update("", map[int]string{
				catalogObject: "<< " + sealed.root + " /OpenAction << /S /JavaScript /JS (app.alert) >> /AcroForm << /SigFlags 3 /Fields [ 7 0 R ] >> >>"})
		}, Modified, "/OpenAction"},
		{"ISA: the appearance of the seal replaced", func(t *testing.T) *file {
			return sealed.clone().update("", map[int]string{9: stream("/Type /XObject /Subtype /Form /BBox [0 0 119 119]", "0 0 1 rg 0 0 119 119 re f")})
		}, Modified, "page 1"},
		{"ISA: a text field added", func(t *testing.T) *file {
			return sealed.clone().update("", map[int]string{10: "<< /Type /Annot /Subtype /Widget /FT /Tx /T (x) /Rect [0 0 9 9] >>",
				catalogObject: "<< " + sealed.root + " /AcroForm << /SigFlags 3 /Fields [ 7 0 R 10 0 R ] >> >>"})
		}, Modified, "no signature field"},
		{"ISA: an empty signature field added", func(t *testing.T) *file {
			return sealed.clone().update("", map[int]string{10: "<< /Type /Annot /Subtype /Widget /FT /Sig /T (x) /Rect [0 0 9 9] /P 3 0 R >>",
				catalogObject: "<< " + sealed.root + " /AcroForm << /SigFlags 3 /Fields [ 7 0 R 10 0 R ] >> >>"})
		}, Modified, "without a signature"},
		{"ISA: an object that nothing refers to", func(t *testing.T) *file {
			return sealed.clone().update("", map[int]string{10: "<< /Hidden true >>"})
		}, Modified, "no known purpose"},

		{"SWA: the second block moved, forged objects in the gap", func(t *testing.T) *file {
			// The second block is moved back as it is, so its startxref now leads into the enlarged gap, where the
			// attacker has put a table with a forged page and a signature dictionary with another ByteRange.
			f := sealed.clone()
			gap := bytes.LastIndex(f.data, []byte("/Contents <")) + 11 + len(hex) + 1
			tail := bytes.Clone(f.data[gap:])
			page := fmt.Sprintf("\n4 0 obj\n%s\nendobj\n", forgedPage)
			dictionary := fmt.Sprintf("8 0 obj\n<< /Type /Sig /Filter /GM.PKILite /SubFilter /GM.sm2seal /ByteRange [0 %s %010d %010d] /Contents <%s> >>\nendobj\n",
				lengths[1], f.prev+60000, len(tail), hex)
			f.data = append(f.data[:gap], page...)
			f.data = append(f.data, bytes.Repeat([]byte(" "), f.prev-len(f.data))...)
			at := f.prev + 400
			f.data = fmt.Appendf(f.data, "xref\n4 1\n%010d 00000 n \n8 1\n%010d 00000 n \ntrailer\n<< /Size 10 /Root 1 0 R /Info 6 0 R /Prev %d >>\n",
				gap+1, at, bytes.Index(f.data, []byte("\nxref\n"))+1)
			f.data = append(f.data, bytes.Repeat([]byte(" "), at-len(f.data))...)
			f.data = append(f.data, dictionary...)
			f.data = append(f.data, bytes.Repeat([]byte(" "), f.prev+60000-len(f.data))...)
			f.data = append(f.data, tail...)
			return f
		}, Invalid, ""},
		{"SWA: white space in the gap", func(t *testing.T) *file {
			f := sealed.clone()
			i := bytes.LastIndex(f.data, []byte(hex))
			f.data[i+len(hex)-2], f.data[i+len(hex)-1] = ' ', ' '
			return f
		}, Invalid, ""},
		{"SWA: one blank in the gap", func(t *testing.T) *file {
			f := sealed.clone()
			f.data[bytes.LastIndex(f.data, []byte(hex))+len(hex)-7] = ' '
			return f
		}, Invalid, "white space in the gap"},
		{"SWA: a comment in the gap", func(t *testing.T) *file {
			f := sealed.clone()
			i := bytes.LastIndex(f.data, []byte(hex))
			copy(f.data[i+len(hex)-8:], "%comment")
			return f
		}, Unreadable, "not hexadecimal"},
		{"SWA: objects before the header", func(t *testing.T) *file {
			f := sealed.clone()
			f.data = append([]byte(fmt.Sprintf("4 0 obj\n%s\nendobj\n", forgedPage)), f.data...)
			return f
		}, Invalid, ""},

		{"Shadow: an object that earlier content already referred to", func(t *testing.T) *file {
			f := newFile()
			f.page += " /Group 12 0 R"
			f.update("", map[int]string{pageObject: "<< " + f.page + " >>"}).seal(t, h)
			return f.seal(t, h, func(p *parts) {
				p.widget = "/MK 12 0 R"
				p.extra[12] = "<< /S /Transparency >>"
			})
		}, Modified, "already referred to object 12"},
		{"Shadow: an entry that points beyond the end, to where an object is hidden later", func(t *testing.T) *file {
			// The table names object 12 at a place that only the second seal's appearance fills.
			f := newFile()
			f.page += " /Group 12 0 R"
			f.update("", map[int]string{pageObject: "<< " + f.page + " >>", 12: "null"})
			f.seal(t, h)
			probe := f.clone().seal(t, h, hidden)
			at := bytes.Index(probe.data, []byte("12 0 obj <<"))
			entry := bytes.Index(f.data, []byte("12 1\n")) + 5
			g := newFile()
			g.page = f.page
			g.update("", map[int]string{pageObject: "<< " + g.page + " >>", 12: "null"})
			copy(g.data[entry:], fmt.Sprintf("%010d", at))
			return g.seal(t, h).seal(t, h, hidden)
		}, Modified, "could not be read to its end before"},
		{"a visible document time stamp in a certified file", func(t *testing.T) *file {
			return certified(t, h, 1).seal(t, h, func(p *parts) {
				p.subFilter = "ETSI.RFC3161"
				p.typeEntry = "/Type /DocTimeStamp"
			})
		}, Modified, ""},
		{"a second signature that covers the page", func(t *testing.T) *file {
			return sealed.clone().seal(t, h, func(p *parts) { p.rect = "0 0 595 842" })
		}, Modified, "covers most of page 1"},
		{"a second signature with an action", func(t *testing.T) *file {
			return sealed.clone().seal(t, h, func(p *parts) { p.widget = "/AA << /O << /S /JavaScript /JS (x) >> >>" })
		}, Modified, "holds what it must not"},
		{"a second signature and a change of the page", func(t *testing.T) *file {
			return sealed.clone().seal(t, h, func(p *parts) { p.extra[contentObject] = forgedPage })
		}, Modified, "content of page 1 was changed"},
		{"a second signature that changes the catalog", func(t *testing.T) *file {
			return sealed.clone().seal(t, h, func(p *parts) { p.catalog = " /PageMode /UseNone" })
		}, Modified, "/PageMode"},
		{"the second seal removed again", func(t *testing.T) *file {
			f := sealed.clone()
			f.seal(t, h)
			return f.update("", map[int]string{10: "", 11: "", 12: "",
				catalogObject: "<< " + f.root + " /AcroForm << /SigFlags 3 /Fields [ 7 0 R ] >> >>",
				pageObject:    "<< " + f.page + " /Annots [ 7 0 R ] >>"})
		}, Modified, "removed"},
		{"certified without changes, and sealed again", func(t *testing.T) *file {
			return certified(t, h, 1).seal(t, h)
		}, Modified, "certified"},
		{"certified for form filling, and sealed again in a new field", func(t *testing.T) *file {
			return certified(t, h, 2).seal(t, h)
		}, Modified, "certified"},
		{"certified, with /Perms left out", func(t *testing.T) *file {
			return newFile().seal(t, h, func(p *parts) { p.signature = docMDP(1) }).seal(t, h)
		}, Modified, "certified"},
		{"the second seal certifies, and a third comes", func(t *testing.T) *file {
			return sealed.clone().seal(t, h, func(p *parts) { p.signature = docMDP(1) }).seal(t, h)
		}, Modified, "certified"},
		{"all fields locked, and sealed again", func(t *testing.T) *file {
			return newFile().seal(t, h, func(p *parts) { p.widget = "/Lock << /Type /SigFieldLock /Action /All >>" }).seal(t, h)
		}, Modified, "locks"},
	} {
		t.Run(c.name, func(t *testing.T) {
			want(t, c.make(t).verify(t, h.options(t)), c.verdict, c.reason)
		})
	}
}

// hidden puts the text of an object into the appearance of a seal.
func hidden(p *parts) {
	p.appearance = "q Q\n12 0 obj << /S /Transparency /I true >> endobj\n"
}

func docMDP(level int) string {
	return fmt.Sprintf("/Reference [<< /Type /SigRef /TransformMethod /DocMDP /TransformParams << /Type /TransformParams /V /1.2 /P %d >> >>]", level)
}

// certified is a file whose first seal certifies it at a level (DocMDP).
func certified(t *testing.T, h *house, level int) *file {
	f := newFile()
	f.root += " /Perms << /DocMDP 8 0 R >>"
	return f.seal(t, h, func(p *parts) { p.signature = docMDP(level) })
}

func TestHonestAdditionsAreNotCalledForged(t *testing.T) {
	for _, profile := range []cms.Profile{"", cms.ProfileCMS, cms.ProfileGM} {
		t.Run("profile "+string(profile), func(t *testing.T) { honestAdditions(t, profile) })
	}
}

func honestAdditions(t *testing.T, profile cms.Profile) {
	h := newHouse(t)
	h.profile = profile
	sealed := newFile().seal(t, h)
	for _, c := range []struct {
		name    string
		make    func(t *testing.T) *file
		verdict Verdict
		reason  string
	}{
		{"white space after the end", func(t *testing.T) *file {
			f := sealed.clone()
			f.data = append(f.data, "\r\n  \x00\n"...)
			return f
		}, ValidWithAdditions, "white space"},
		{"lower and upper case of Contents", func(t *testing.T) *file {
			f := sealed.clone()
			i := bytes.LastIndex(f.data, []byte("/Contents <")) + 11
			copy(f.data[i:], bytes.ToUpper(f.data[i:i+2*contentsRoom]))
			return f
		}, Valid, ""},
		{"three seals", func(t *testing.T) *file { return sealed.clone().seal(t, h).seal(t, h) }, Valid, ""},
		{"certified for annotations, and sealed again", func(t *testing.T) *file { return certified(t, h, 3).seal(t, h) }, Valid, ""},
		{"certified, nothing after", func(t *testing.T) *file { return certified(t, h, 1) }, Valid, ""},
		{"objects written again unchanged", func(t *testing.T) *file {
			return sealed.clone().update("", map[int]string{fontObject: "<< /BaseFont /Helvetica /Type /Font /Subtype /Type1 >>"})
		}, ValidWithAdditions, "changes nothing"},
		{"a table entry for an unused object that is not there", func(t *testing.T) *file {
			f := newFile().update("", map[int]string{12: "null"})
			i := bytes.LastIndex(f.data, []byte("12 0 obj"))
			copy(f.data[i:], "junkjunk")
			return f.seal(t, h).seal(t, h)
		}, Valid, ""},
		{"an empty field that was there before is signed", func(t *testing.T) *file {
			f := newFile()
			f.annots, f.fields = " 7 0 R", " 7 0 R"
			empty := "<< /Type /Annot /Subtype /Widget /FT /Sig /T (Empty) /F 132 /P 3 0 R /Rect [10 10 100 100] %s >>"
			f.update("", map[int]string{7: fmt.Sprintf(empty, ""), pageObject: "<< " + f.page + " /Annots [ 7 0 R ] >>",
				catalogObject: "<< " + f.root + " /AcroForm << /Fields [ 7 0 R ] >> >>"})
			f.seal(t, h)
			return f.fill(t, h, 7, empty)
		}, Valid, "An empty signature field was signed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			want(t, c.make(t).verify(t, h.options(t)), c.verdict, c.reason)
		})
	}
}

// fill signs the empty field num, whose text has one place for what is added.
func (f *file) fill(t testing.TB, h *house, num int, text string) *file {
	t.Helper()
	annots, fields, next := f.annots, f.fields, f.next
	return f.seal(t, h, func(p *parts) {
		// The update that seal prepares is kept as it is, but the existing field takes the place of the new widget.
		p.extra[num] = fmt.Sprintf(text, fmt.Sprintf("/V %d 0 R /AP << /N %d 0 R >>", next+1, next+2))
		p.extra[next] = ""
		p.extra[catalogObject] = "<< " + f.root + " /AcroForm << /SigFlags 3 /Fields [" + fields + " ] >> >>"
		p.extra[pageObject] = "<< " + f.page + " /Annots [" + annots + " ] >>"
	})
}
