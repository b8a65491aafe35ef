package roster

import (
	"bytes"
	"compress/flate"
	"fmt"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"yinxin/internal/fault"
)

func isFault(err error) bool { _, ok := fault.Of(err); return ok }

func manyRows(n int) string {
	return manyRowsOf(n, func(row int) string { return fmt.Sprintf(`<c r="A%d"><v>1</v></c>`, row) })
}

func manyRowsOf(n int, cells func(row int) string) string {
	var b strings.Builder
	for row := 10; row < n+10; row++ {
		fmt.Fprintf(&b, `<row r="%d">%s</row>`, row, cells(row))
	}
	return b.String()
}

// farCells are rows with a cell in the last column.
func farCells(n int) string {
	return manyRowsOf(n, func(row int) string { return fmt.Sprintf(`<c r="XFD%d"><v>1</v></c>`, row) })
}

// commented is a workbook with n comments beside the table, none of them ours.
func commented(t *testing.T, n int) []byte {
	p := unpack(t, table(t, people(3), onSheet(t, func(f *excelize.File) error {
		return f.AddComment("Sheet1", excelize.Comment{Cell: "L1", Author: "张三", Text: "旧"})
	})))
	p.level = flate.HuffmanOnly
	comments, drawing := p.content["xl/comments1.xml"], p.content["xl/drawings/vmlDrawing1.vml"]
	comment := comments[strings.Index(comments, "<comment "):strings.Index(comments, "</commentList>")]
	shape := drawing[strings.Index(drawing, "<v:shape "):strings.Index(drawing, "</xml>")]
	var more, boxes strings.Builder
	for i := range n {
		more.WriteString(strings.Replace(comment, `"L1"`, fmt.Sprintf(`"L%d"`, i+2), 1))
		boxes.WriteString(strings.Replace(shape, "<x:Row>0<", fmt.Sprintf("<x:Row>%d<", i+1), 1))
	}
	p.set("xl/comments1.xml", strings.Replace(comments, "</commentList>", more.String()+"</commentList>", 1))
	p.set("xl/drawings/vmlDrawing1.vml", strings.Replace(drawing, "</xml>", boxes.String()+"</xml>", 1))
	return p.pack(t)
}

func blankRows(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `<row r="%d" ht="20"/>`, i+10)
	}
	return b.String()
}

func merged(t *testing.T, ref func(i int) string, n int) []byte {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `<mergeCell ref="%s"/>`, ref(i))
	}
	return changed(t, sheet1, func(s string) string { return strings.Replace(s, `</mergeCells>`, b.String()+"</mergeCells>", 1) })
}

// random20MiB does not compress as well as the ratio's limit.
func random20MiB() string {
	b := make([]byte, 20<<20)
	x := uint32(1)
	for i := range b {
		x = x*1664525 + 1013904223
		b[i] = 'a' + byte(x>>24)%16
	}
	return string(b)
}

// lying makes the directory say that every part has ten bytes.
func lying(t *testing.T, data []byte) []byte {
	data = bytes.Clone(data)
	for at := 0; ; {
		i := bytes.Index(data[at:], []byte("PK\x01\x02"))
		if i < 0 {
			return data
		}
		copy(data[at+i+24:], []byte{10, 0, 0, 0})
		at += i + 4
	}
}
