package view

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
	"yinxin/internal/truetype"

	"golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// build writes a PDF of numbered objects, the first being the catalog.
func build(objects ...string) []byte {
	var b bytes.Buffer
	b.WriteString("%PDF-1.7\n")
	var offsets []int
	for i, o := range objects {
		offsets = append(offsets, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	start := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, o := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n \n", o)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, start)
	return b.Bytes()
}

func stream(entries, data string) string {
	return fmt.Sprintf("<< %s /Length %d >>\nstream\n%s\nendstream", entries, len(data), data)
}

// onePage is a page with the content and these entries, and further objects from number 5 on.
func onePage(entries, content string, more ...string) []byte {
	return build(append([]string{"<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
		"<< /Type /Page /Parent 2 0 R /Contents 4 0 R " + entries + " >>", stream("", content)}, more...)...)
}

const a4 = "/MediaBox [0 0 595.276 841.89]"

// chinese is an embedded font under the name /F of object 5 and the four after it.
type chinese struct {
	t       *testing.T
	font    *sfnt.Font
	objects []string
}

// newChinese embeds the whole font with Identity-H, and maps the characters of text only.
func newChinese(t *testing.T, text string) *chinese {
	t.Helper()
	path, err := truetype.Find()
	if err != nil {
		t.Skip("no Chinese font: ", err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	c := &chinese{t: t}
	if c.font, err = sfnt.Parse(data); err != nil {
		t.Fatal(err)
	}
	var chars, widths strings.Builder
	n := 0
	for _, r := range text {
		var buffer sfnt.Buffer
		gid := c.gid(r)
		advance, err := c.font.GlyphAdvance(&buffer, sfnt.GlyphIndex(gid), fixed.I(1000), font.HintingNone)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&chars, "<%04x> <%04x>\n", gid, r)
		fmt.Fprintf(&widths, "%d [%d] ", gid, advance.Round())
		n++
	}
	c.objects = []string{
		"<< /Type /Font /Subtype /Type0 /BaseFont /Song /Encoding /Identity-H /DescendantFonts [6 0 R] /ToUnicode 9 0 R >>",
		"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Song /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> /FontDescriptor 7 0 R /DW 1000 /W [" + widths.String() + "] /CIDToGIDMap /Identity >>",
		"<< /Type /FontDescriptor /FontName /Song /Flags 4 /FontBBox [0 -140 1000 860] /ItalicAngle 0 /Ascent 860 /Descent -140 /CapHeight 860 /StemV 80 /FontFile2 8 0 R >>",
		stream(fmt.Sprintf("/Length1 %d", len(data)), string(data)),
		stream("", fmt.Sprintf("/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /U def /CMapType 2 def 1 begincodespacerange <0000> <ffff> endcodespacerange %d beginbfchar\n%sendbfchar endcmap CMapName currentdict /CMap defineresource pop end end", n, chars.String())),
	}
	return c
}

func (c *chinese) gid(r rune) int {
	c.t.Helper()
	var buffer sfnt.Buffer
	gid, err := c.font.GlyphIndex(&buffer, r)
	if err != nil || gid == 0 {
		c.t.Fatalf("no glyph for %q: %v", r, err)
	}
	return int(gid)
}

// show is the operand of Tj for a text.
func (c *chinese) show(text string) string {
	var b strings.Builder
	for _, r := range text {
		fmt.Fprintf(&b, "%04x", c.gid(r))
	}
	return "<" + b.String() + ">"
}

// at writes text of a size in points at a place in user space.
func (c *chinese) at(x, y, size float64, text string) string {
	return fmt.Sprintf("BT /F %g Tf %g %g Td %s Tj ET\n", size, x, y, c.show(text))
}

func (c *chinese) page(entries, content string) []byte {
	return onePage(entries+" /Resources << /Font << /F 5 0 R >> >>", content, c.objects...)
}
