package pdf_test

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"strings"
	"testing"

	"yinxin/fixtures"
	"yinxin/internal/fault"
	"yinxin/sealer/pdf"
)

// People hand in what they have. What it is, and what to do, stands in the sentence.
func TestWhatIsHandedInForAPDFIsNamed(t *testing.T) {
	whole, err := fixtures.PDF(fixtures.Shapes()[0], fixtures.PDFOptions{})
	if err != nil {
		t.Fatal(err)
	}
	zipped := func(method uint16, name string, data []byte) []byte {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		f, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: method})
		if err == nil {
			_, err = f.Write(data)
		}
		if err != nil || z.Close() != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	var gz bytes.Buffer
	g := gzip.NewWriter(&gz)
	if _, err := g.Write(whole); err != nil || g.Close() != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		data   []byte
		zh, en string
	}{
		{"an archive that compresses", zipped(zip.Deflate, "a.pdf", whole), "解压", "unpack"},
		{"an archive that does not", zipped(zip.Store, "a.pdf", whole), "解压", "unpack"},
		{"gzip", gz.Bytes(), "解压", "unpack"},
		{"OFD", zipped(zip.Deflate, "OFD.xml", []byte("<OFD/>")), "OFD", "OFD"},
		{"a document of today's office programs", zipped(zip.Deflate, "[Content_Types].xml", []byte("<Types/>")), "文字处理", "office"},
		{"one of yesterday's", []byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 and so on"), "文字处理", "office"},
		{"a program", []byte("MZ\x90\x00"), "程序", "program"},
		{"an attachment as mail carries it", []byte(base64.StdEncoding.EncodeToString(whole)), "附件", "attachment"},
		{"a page in place of the download", []byte("<!DOCTYPE html><title>404</title>"), "下载", "download"},
		{"a text", []byte("hello"), "", ""},
		{"nothing", nil, "", ""},
	} {
		_, err := pdf.Open(t.Context(), bytes.NewReader(c.data), int64(len(c.data)))
		f, ok := fault.Of(err)
		if !ok || f.Code != "pdf.not-a-pdf" || !strings.Contains(f.DetailZH(), c.zh) || !strings.Contains(f.Detail(), c.en) || c.zh == "" && f.DetailZH() != "" {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
