package pdf

import (
	"bytes"

	"yinxin/internal/fault"
)

// otherFile is a kind of file that people hand in for a PDF.
type otherFile struct {
	magic  string
	inside string // what stands in it near its start, where magic alone does not tell
	zh, en string
}

// Those that say more come first: OFD and office documents are ZIP archives.
var otherFiles = []otherFile{
	{"PK\x03\x04", "OFD.xml", "这是 OFD 文件，请向出证单位索取 PDF", "it is an OFD file: ask the issuer for the PDF"},
	{"PK\x03\x04", "[Content_Types].xml", officeZH, officeEN},
	{"PK\x03\x04", "mimetypeapplication/vnd.oasis", officeZH, officeEN},
	{"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "", officeZH, officeEN},
	{`{\rtf`, "", officeZH, officeEN},
	{"PK\x03\x04", "", archiveZH, archiveEN},
	{"PK\x05\x06", "", archiveZH, archiveEN},
	{"Rar!\x1a\x07", "", archiveZH, archiveEN},
	{"7z\xbc\xaf\x27\x1c", "", archiveZH, archiveEN},
	{"\x1f\x8b\x08", "", archiveZH, archiveEN},
	{"MZ", "", "这是程序，不是文件的复制件，请勿打开", "it is a program and no copy of a file: do not open it"},
	{"JVBERi0", "", "这是邮件编码的文本，请在邮件中另存附件后再试", "it is the text in which mail carries a PDF: save the attachment from the message"},
	{"<!DOCTYPE html", "", webZH, webEN},
	{"<!doctype html", "", webZH, webEN},
	{"<html", "", webZH, webEN},
}

const (
	officeZH  = "这是文字处理文档，转换成 PDF 也不会带有电子签章，请使用出证单位发来的 PDF"
	officeEN  = "it is an office document, and one that is turned into a PDF carries no seal: use the PDF that the issuer sent"
	archiveZH = "这是压缩包，请先解压，再使用其中的 PDF"
	archiveEN = "it is an archive: unpack it and use the PDF inside"
	webZH     = "这是网页，可能下载未成功，请重新下载"
	webEN     = "it is a web page: the download may have failed, so try it again"
)

// notPDF says which kind of file was handed in for a PDF, as far as its start tells; nil when it tells nothing. The PDF in
// an archive that does not compress stands near the start of the file, too, and is no document before it is unpacked.
func notPDF(start []byte) *fault.Fault {
	for _, k := range otherFiles {
		if bytes.HasPrefix(start, []byte(k.magic)) && bytes.Contains(start, []byte(k.inside)) {
			return errNotPDF.Saying(k.zh, k.en)
		}
	}
	return nil
}
