package roster

import (
	"archive/zip"
	"bytes"
	"io"
	"path"
	"strings"
	"unicode/utf8"
)

// What is read at most. A roster of 20,000 people takes about 16 MiB unpacked and 1 MiB packed; the XML decoder reads
// 8 MiB in a second.
const (
	maxFile     = 16 << 20 // bytes of the file
	maxEntries  = 2000     // entries of the archive
	maxPart     = 24 << 20 // bytes of one unpacked part
	maxUnpacked = 40 << 20 // bytes of XML unpacked altogether
	maxDeclared = 64 << 20 // bytes of all parts as the archive declares them; the library unpacks all
	maxRatio    = 200      // unpacked to packed, for parts over a mebibyte
)

// sniff refuses by the first bytes what is no zip archive, and says what it is.
func sniff(data []byte) error {
	kind := func(zh, en string) error {
		return ErrNotWorkbook.Saying("这是"+zh+"文件", "this is "+en)
	}
	switch {
	case len(data) > maxFile:
		return ErrTooLarge.With("> %d MiB", maxFile>>20)
	case bytes.HasPrefix(data, []byte("PK\x03\x04")):
		return nil
	case bytes.HasPrefix(data, []byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")): // MS-CFB 2.2: header signature
		if bytes.Contains(data, wide16("EncryptedPackage")) { // MS-OFFCRYPTO 2.3.4.4
			return ErrEncrypted.New()
		}
		return ErrLegacy.New()
	case len(data) == 0:
		return kind("空", "an empty file")
	case bytes.HasPrefix(data, []byte("%PDF-")):
		return kind(" PDF ", "a PDF file")
	case bytes.HasPrefix(data, []byte("\xff\xd8\xff")), bytes.HasPrefix(data, []byte("\x89PNG")):
		return kind("图片", "a picture")
	case bytes.HasPrefix(data, []byte("Rar!")), bytes.HasPrefix(data, []byte("7z\xbc\xaf\x27\x1c")), bytes.HasPrefix(data, []byte("\x1f\x8b")):
		return kind("压缩", "an archive of another kind")
	}
	head := bytes.ToLower(bytes.TrimLeft(data[:min(len(data), 512)], "\xef\xbb\xbf \t\r\n"))
	switch {
	case bytes.HasPrefix(head, []byte("<html")), bytes.HasPrefix(head, []byte("<!doctype")), bytes.HasPrefix(head, []byte("<table")),
		bytes.HasPrefix(head, []byte("<?xml")):
		return kind("网页或 XML ", "a web page or XML")
	case !bytes.ContainsRune(head, 0) && (utf8.Valid(head) || bytes.ContainsAny(head, ",\t")):
		return kind("文本（如 .csv）", "a text file (such as .csv)")
	}
	return ErrNotWorkbook.New()
}

func wide16(ascii string) []byte {
	var b []byte
	for i := range len(ascii) {
		b = append(b, ascii[i], 0)
	}
	return b
}

// pack is an opened workbook: the archive and what may still be unpacked of it.
type pack struct {
	zip    *zip.Reader
	parts  map[string]*zip.File // by name in lower case: part names do not differ in case only (ECMA-376-2, 6.2.2.3)
	budget int64
}

// open looks at the archive's directory only; nothing is unpacked before it has passed.
func open(data []byte) (*pack, error) {
	if err := sniff(data); err != nil {
		return nil, err
	}
	// The directory is read into memory whole, whatever the archive says about its length: count its records first.
	if bytes.Count(data, []byte("PK\x01\x02")) > maxEntries {
		return nil, ErrTooLarge.With("> %d parts", maxEntries)
	}
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, ErrBroken.Because(err)
	}
	p := &pack{zip: archive, parts: map[string]*zip.File{}, budget: maxUnpacked}
	var declared uint64
	for _, f := range archive.File {
		if err := p.admit(f); err != nil {
			return nil, err
		}
		if declared += f.UncompressedSize64; declared > maxDeclared {
			return nil, ErrTooLarge.With("> %d MiB", maxDeclared>>20)
		}
	}
	return p, p.refuseActive()
}

func (p *pack) admit(f *zip.File) error {
	switch {
	case f.Flags&1 != 0:
		return ErrEncrypted.New()
	case f.Method != zip.Store && f.Method != zip.Deflate:
		return ErrBroken.New()
	case f.UncompressedSize64 > maxDeclared, f.UncompressedSize64 > 1<<20 && f.UncompressedSize64/maxRatio > f.CompressedSize64:
		return ErrTooLarge.New()
	}
	name := strings.ToLower(f.Name)
	if p.parts[name] != nil { // two parts of one name: programs differ in which one they read
		return ErrBroken.New()
	}
	if strings.Contains(name, `\`) { // no name of a part; the library reads it as a slash
		return ErrBroken.New()
	}
	p.parts[name] = f
	return nil
}

// refuseActive looks for what makes a workbook more than a table, by the names that every producer uses and by the
// content types, which are what a program goes by.
func (p *pack) refuseActive() error {
	for name := range p.parts {
		switch folder := strings.Split(name, "/"); {
		case strings.HasPrefix(path.Base(name), "vbaproject"), has(folder, "macrosheets"):
			return ErrMacros.New()
		case has(folder, "externallinks"), has(folder, "embeddings"), has(folder, "activex"), has(folder, "querytables"), has(folder, "webextensions"),
			path.Base(name) == "connections.xml":
			return ErrActive.New()
		}
	}
	if p.parts["[content_types].xml"] == nil {
		return ErrNotWorkbook.New()
	}
	types, err := p.read("[Content_Types].xml")
	if err != nil {
		return err
	}
	lower := bytes.ToLower(types)
	for _, c := range []struct {
		text string
		err  error
	}{
		{"macroenabled", ErrMacros.New()}, {"vbaproject", ErrMacros.New()}, {"macrosheet", ErrMacros.New()},
		{"externallink", ErrActive.New()}, {"oleobject", ErrActive.New()}, {"activex", ErrActive.New()}, {"spreadsheetml.connections", ErrActive.New()},
		{"sheet.binary", ErrNotWorkbook.Saying("这是 .xlsb 文件", "this is an .xlsb file")},
	} {
		if bytes.Contains(lower, []byte(c.text)) {
			return c.err
		}
	}
	if !bytes.Contains(lower, []byte("spreadsheetml.sheet.main+xml")) {
		return ErrNotWorkbook.New()
	}
	return nil
}

func has(folders []string, name string) bool {
	for _, f := range folders[:len(folders)-1] {
		if f == name {
			return true
		}
	}
	return false
}

// read unpacks a part. What the archive says of its size is not believed.
func (p *pack) read(name string) ([]byte, error) {
	r, err := p.stream(name)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, asBroken(err)
	}
	return data, nil
}

// stream unpacks a part while it is read; over the limits it fails with ErrTooLarge.
func (p *pack) stream(name string) (io.ReadCloser, error) {
	f := p.parts[strings.ToLower(name)]
	if f == nil {
		return nil, ErrBroken.New()
	}
	r, err := f.Open()
	if err != nil {
		return nil, ErrBroken.Because(err)
	}
	return &metered{ReadCloser: r, pack: p, left: maxPart}, nil
}

// metered counts what is unpacked against the part's limit and the workbook's.
type metered struct {
	io.ReadCloser
	pack *pack
	left int64
}

func (m *metered) Read(b []byte) (int, error) {
	n, err := m.ReadCloser.Read(b)
	m.left -= int64(n)
	m.pack.budget -= int64(n)
	if m.left < 0 || m.pack.budget < 0 {
		return 0, ErrTooLarge.New()
	}
	return n, err
}
