package sheet

import (
	"bytes"
	"compress/zlib"
	"crypto/sha256"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"
)

// document is a PDF file being written: objects with numbers from 1.
type document struct {
	data    bytes.Buffer
	offsets []int
}

// add writes an object and gives its number.
func (d *document) add(body string) int {
	d.offsets = append(d.offsets, d.data.Len())
	fmt.Fprintf(&d.data, "%d 0 obj\n%s\nendobj\n", len(d.offsets), body)
	return len(d.offsets)
}

// stream writes a deflated stream with dictionary entries and gives its number.
func (d *document) stream(entries string, data []byte) int {
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	z.Write(data) // neither fails: the target is memory
	z.Close()
	return d.add(fmt.Sprintf("<<%s/Filter/FlateDecode/Length %d>>\nstream\n%s\nendstream", entries, packed.Len(), packed.Bytes()))
}

// write puts the file together (ISO 32000-1): fonts and pictures, pages, catalog, table.
func (l *layout) write(w io.Writer, c content) error {
	d := &document{}
	d.data.WriteString("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
	resources := fmt.Sprintf("<</Font<</F %d 0 R>>/XObject<<", d.font(l.face))
	for i, p := range l.images {
		resources += fmt.Sprintf("/I%d %d 0 R", i, d.picture(p))
	}
	shared := d.add(resources + ">>>>")
	// The page tree comes behind its pages, whose number is known.
	tree := len(d.offsets) + 2*len(l.pages) + 1
	var kids strings.Builder
	for _, page := range l.pages {
		contents := d.stream("", page.Bytes())
		fmt.Fprintf(&kids, "%d 0 R ", d.add(fmt.Sprintf("<</Type/Page/Parent %d 0 R/MediaBox[0 0 %.2f %.2f]/Resources %d 0 R/Contents %d 0 R>>",
			tree, pageWidth, pageHeight, shared, contents)))
	}
	d.add(fmt.Sprintf("<</Type/Pages/Kids[%s]/Count %d>>", kids.String(), len(l.pages)))
	language := "zh-CN"
	if c.Language == "en" {
		language = "en"
	}
	root := d.add(fmt.Sprintf("<</Type/Catalog/Pages %d 0 R/Lang(%s)/ViewerPreferences<</DisplayDocTitle true>>>>", tree, language))
	info := d.add(fmt.Sprintf("<</Title %s/Producer(Yinxin)>>", utf16Text(c.Heading)))
	start := d.data.Len()
	fmt.Fprintf(&d.data, "xref\n0 %d\n0000000000 65535 f \n", len(d.offsets)+1)
	for _, offset := range d.offsets {
		fmt.Fprintf(&d.data, "%010d 00000 n \n", offset)
	}
	id := sha256.Sum256(d.data.Bytes())
	fmt.Fprintf(&d.data, "trailer\n<</Size %d/Root %d 0 R/Info %d 0 R/ID[<%x><%x>]>>\nstartxref\n%d\n%%%%EOF\n",
		len(d.offsets)+1, root, info, id[:16], id[:16], start)
	_, err := w.Write(d.data.Bytes())
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
func (d *document) font(f *face) int {
	name := f.subset.Tag() + "+" + f.font.Name()
	program := d.stream(fmt.Sprintf("/Length1 %d", len(f.subset.Data)), f.subset.Data)
	b := f.font.Bounds()
	descriptor := d.add(fmt.Sprintf("<</Type/FontDescriptor/FontName/%s/Flags 4/FontBBox[%d %d %d %d]/ItalicAngle 0/Ascent %d/Descent %d/CapHeight %d/StemV 80/FontFile2 %d 0 R>>",
		name, b[0], b[1], b[2], b[3], f.font.Ascent(), f.font.Descent(), f.font.Ascent(), program))
	widths := strings.Trim(fmt.Sprint(f.subset.Widths), "[]")
	descendant := d.add(fmt.Sprintf("<</Type/Font/Subtype/CIDFontType2/BaseFont/%s/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>/CIDToGIDMap/Identity/FontDescriptor %d 0 R/W[0[%s]]>>",
		name, descriptor, widths))
	unicode := d.stream("", f.subset.ToUnicode())
	return d.add(fmt.Sprintf("<</Type/Font/Subtype/Type0/BaseFont/%s/Encoding/Identity-H/DescendantFonts[%d 0 R]/ToUnicode %d 0 R>>", name, descendant, unicode))
}

// picture embeds a picture, with its opacity as a soft mask where it has one, and gives its number.
func (d *document) picture(p *picture) int {
	size := fmt.Sprintf("/Type/XObject/Subtype/Image/Width %d/Height %d/BitsPerComponent 8", p.width, p.height)
	mask := ""
	if !p.opaque {
		mask = fmt.Sprintf("/SMask %d 0 R", d.stream(size+"/ColorSpace/DeviceGray", p.alpha))
	}
	return d.stream(size+"/ColorSpace/DeviceRGB"+mask, p.rgb)
}
