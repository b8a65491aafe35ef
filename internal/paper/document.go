package paper

import (
	"bytes"
	"compress/zlib"
	"crypto/sha256"
	"fmt"
	"image"
	"io"
	"strings"
	"unicode/utf16"
)

// Document is a PDF file that is being composed.
type Document struct {
	face     *Face
	pages    []*Page
	pictures []*picture
}

// NewDocument gives a document without pages. Without a face nothing can be written on them, only drawn.
func NewDocument(face *Face) *Document { return &Document{face: face} }

// Add adds a page of a size in points.
func (d *Document) Add(width, height float64) *Page {
	p := &Page{width: width, height: height, face: d.face}
	d.pages = append(d.pages, p)
	return p
}

// Pages are the pages so far.
func (d *Document) Pages() []*Page { return d.pages }

// Picture puts a picture into the document and gives its number for Page.Show.
func (d *Document) Picture(img image.Image) int {
	d.pictures = append(d.pictures, pictureOf(img))
	return len(d.pictures) - 1
}

// Meta is what a document says of itself.
type Meta struct {
	Title    string
	Language string // as in RFC 5646: zh-CN, en
	TrueSize bool   // print dialogs shall not offer to fit the page to the paper
}

// Write puts the file together (ISO 32000-1): font and pictures, pages, catalog, table. Errors are those of w.
func (d *Document) Write(w io.Writer, m Meta) error {
	f := &file{}
	f.data.WriteString("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
	resources := "<<"
	if d.face != nil {
		resources += fmt.Sprintf("/Font<</F %d 0 R>>", f.font(d.face))
	}
	resources += "/XObject<<"
	for i, p := range d.pictures {
		resources += fmt.Sprintf("/I%d %d 0 R", i, f.picture(p))
	}
	shared := f.add(resources + ">>>>")
	// The page tree comes behind its pages, whose number is known.
	tree := len(f.offsets) + 2*len(d.pages) + 1
	var kids strings.Builder
	for _, page := range d.pages {
		contents := f.stream("", page.content.Bytes())
		fmt.Fprintf(&kids, "%d 0 R ", f.add(fmt.Sprintf("<</Type/Page/Parent %d 0 R/MediaBox[0 0 %.2f %.2f]/Resources %d 0 R/Contents %d 0 R>>",
			tree, page.width, page.height, shared, contents)))
	}
	f.add(fmt.Sprintf("<</Type/Pages/Kids[%s]/Count %d>>", kids.String(), len(d.pages)))
	scaling := ""
	if m.TrueSize {
		scaling = "/PrintScaling/None"
	}
	root := f.add(fmt.Sprintf("<</Type/Catalog/Pages %d 0 R/Lang(%s)/ViewerPreferences<</DisplayDocTitle true%s>>>>", tree, m.Language, scaling))
	info := f.add(fmt.Sprintf("<</Title %s/Producer(Yinxin)>>", utf16Text(m.Title)))
	return f.end(w, root, info)
}

// file is a PDF file being written: objects with numbers from 1.
type file struct {
	data    bytes.Buffer
	offsets []int
}

// add writes an object and gives its number.
func (f *file) add(body string) int {
	f.offsets = append(f.offsets, f.data.Len())
	fmt.Fprintf(&f.data, "%d 0 obj\n%s\nendobj\n", len(f.offsets), body)
	return len(f.offsets)
}

// stream writes a deflated stream with dictionary entries and gives its number.
func (f *file) stream(entries string, data []byte) int {
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	z.Write(data) // neither fails: the target is memory
	z.Close()
	return f.add(fmt.Sprintf("<<%s/Filter/FlateDecode/Length %d>>\nstream\n%s\nendstream", entries, packed.Len(), packed.Bytes()))
}

// end writes the table and the trailer.
func (f *file) end(w io.Writer, root, info int) error {
	start := f.data.Len()
	fmt.Fprintf(&f.data, "xref\n0 %d\n0000000000 65535 f \n", len(f.offsets)+1)
	for _, offset := range f.offsets {
		fmt.Fprintf(&f.data, "%010d 00000 n \n", offset)
	}
	id := sha256.Sum256(f.data.Bytes())
	fmt.Fprintf(&f.data, "trailer\n<</Size %d/Root %d 0 R/Info %d 0 R/ID[<%x><%x>]>>\nstartxref\n%d\n%%%%EOF\n",
		len(f.offsets)+1, root, info, id[:16], id[:16], start)
	_, err := w.Write(f.data.Bytes())
	return err
}

func utf16Text(s string) string {
	var b strings.Builder
	b.WriteString("<FEFF")
	for _, unit := range utf16.Encode([]rune(s)) {
		fmt.Fprintf(&b, "%04X", unit)
	}
	return b.String() + ">"
}

// font embeds the face as a composite font whose codes are glyph numbers (9.7), and gives its number.
func (f *file) font(face *Face) int {
	name := face.subset.Tag() + "+" + face.font.Name()
	program := f.stream(fmt.Sprintf("/Length1 %d", len(face.subset.Data)), face.subset.Data)
	b := face.font.Bounds()
	descriptor := f.add(fmt.Sprintf("<</Type/FontDescriptor/FontName/%s/Flags 4/FontBBox[%d %d %d %d]/ItalicAngle 0/Ascent %d/Descent %d/CapHeight %d/StemV 80/FontFile2 %d 0 R>>",
		name, b[0], b[1], b[2], b[3], face.font.Ascent(), face.font.Descent(), face.font.Ascent(), program))
	widths := strings.Trim(fmt.Sprint(face.subset.Widths), "[]")
	descendant := f.add(fmt.Sprintf("<</Type/Font/Subtype/CIDFontType2/BaseFont/%s/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>/CIDToGIDMap/Identity/FontDescriptor %d 0 R/W[0[%s]]>>",
		name, descriptor, widths))
	unicode := f.stream("", face.subset.ToUnicode())
	return f.add(fmt.Sprintf("<</Type/Font/Subtype/Type0/BaseFont/%s/Encoding/Identity-H/DescendantFonts[%d 0 R]/ToUnicode %d 0 R>>", name, descendant, unicode))
}
