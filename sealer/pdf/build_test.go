package pdf_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"yinxin/sealer/pdf"
)

// file puts a small PDF together: objects in order, then a table in the form that a test needs.
type file struct {
	junk     string // before the header
	absolute bool   // offsets count from the first byte, not from the header
	objects  []string
	entry    string // format of an entry, "%010d %05d %c \n" when empty
	first    int    // first number in the head of the table
	table    string // instead of the table
	trailer  string // further trailer entries
	size     int    // instead of the true /Size
	end      string // after startxref, "%%EOF\n" when empty
}

// onePage are the objects of a document with one A4 page; extra goes into the page.
func onePage(extra string) []string {
	return []string{
		"<</Type/Catalog/Pages 2 0 R>>",
		"<</Type/Pages/Kids[3 0 R]/Count 1>>",
		"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595.276 841.89]" + extra + ">>",
	}
}

func (f file) bytes() []byte {
	var b bytes.Buffer
	b.WriteString(f.junk)
	base := b.Len()
	if f.absolute {
		base = 0
	}
	b.WriteString("%PDF-1.7\n%\xE2\xE3\xCF\xD3\n")
	entry := f.entry
	if entry == "" {
		entry = "%010d %05d %c \n"
	}
	var rows strings.Builder
	fmt.Fprintf(&rows, entry, 0, 65535, 'f')
	for i, o := range f.objects {
		fmt.Fprintf(&rows, entry, b.Len()-base, 0, 'n')
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	start := b.Len() - base
	table := f.table
	if table == "" {
		table = fmt.Sprintf("xref\n%d %d\n%s", f.first, len(f.objects)+1, rows.String())
	}
	size := f.size
	if size == 0 {
		size = len(f.objects) + 1
	}
	end := f.end
	if end == "" {
		end = "%%EOF\n"
	}
	fmt.Fprintf(&b, "%strailer\n<</Size %d/Root 1 0 R%s>>\nstartxref\n%d\n%s", table, size, f.trailer, start, end)
	return b.Bytes()
}

// append adds an incremental update with whole objects ("7 0 obj … endobj") to a file with a table.
func appendUpdate(t testing.TB, data []byte, trailer string, objects ...string) []byte {
	t.Helper()
	d := opened(t, data)
	prev := d.Sections()[0].Start - d.HeaderOffset()
	var b bytes.Buffer
	b.Write(data)
	var rows strings.Builder
	rows.WriteString("xref\n")
	for _, o := range objects {
		var num, gen int
		if _, err := fmt.Sscanf(o, "%d %d obj", &num, &gen); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&rows, "%d 1\n%010d %05d n \n", num, b.Len(), gen)
		b.WriteString(o + "\n")
	}
	fmt.Fprintf(&b, "%strailer\n<</Size 100/Root 1 0 R/Prev %d%s>>\nstartxref\n%d\n%%%%EOF\n",
		rows.String(), prev, trailer, b.Len())
	return b.Bytes()
}

func opened(t testing.TB, data []byte) *pdf.Document {
	t.Helper()
	d, err := pdf.Open(context.Background(), bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// redDisc is a seal that touches the edges of its picture: 300 dpi at 42 mm, sixteen levels of opacity.
func redDisc() []byte {
	const side = 496
	palette := color.Palette{color.NRGBA{}}
	for i := 1; i < 16; i++ {
		palette = append(palette, color.NRGBA{R: 220, G: 20, B: 30, A: uint8(17 * i)})
	}
	m := image.NewPaletted(image.Rect(0, 0, side, side), palette)
	for y := range side {
		for x := range side {
			r := math.Hypot(float64(x)-(side-1)/2.0, float64(y)-(side-1)/2.0)
			switch {
			case r < side/2.0-1:
				m.SetColorIndex(x, y, 15)
			case r < side/2.0:
				m.SetColorIndex(x, y, 8)
			}
		}
	}
	return encode(m)
}

func encode(m image.Image) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// discOnce is the appearance that nearly all tests seal with: immutable, and dear to encode.
var discOnce = sync.OnceValues(func() (*pdf.Appearance, error) { return pdf.NewAppearance(redDisc(), 42, 42) })

func appearance(t testing.TB) *pdf.Appearance {
	t.Helper()
	a, err := discOnce()
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func request(t testing.TB) pdf.SealRequest {
	return pdf.SealRequest{
		Filter: "GM.PKILite", SubFilter: "GM.sm2seal", ContentsSize: 4096,
		Time:   time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC),
		Signer: "省档案馆", Reason: "出具(证明)", Location: "A\\B",
		Placements: []pdf.Placement{{Page: 1, From: pdf.BottomLeft, X: 30, Y: 40}},
		Appearance: appearance(t),
	}
}

// seal appends a seal with made-up contents.
func seal(t testing.TB, data []byte, r pdf.SealRequest) []byte {
	t.Helper()
	sealed, err := trySeal(data, r)
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func trySeal(data []byte, r pdf.SealRequest) ([]byte, error) {
	d, err := pdf.Open(context.Background(), bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, err
	}
	u, err := d.PlanSeal(context.Background(), r)
	if err != nil {
		return nil, err
	}
	update, err := u.Fill([]byte{0x30, 0x03, 0x02, 0x01, 0x07})
	if err != nil {
		return nil, err
	}
	return append(bytes.Clone(data), update...), nil
}
