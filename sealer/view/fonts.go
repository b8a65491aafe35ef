package view

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tetratelabs/wazero"
)

// Producers often leave Chinese fonts out of a file and name them only (STSong, FangSong). PDFium then looks for a font
// of the same script in the folder below, which holds what the operator named and exists only in the worker's memory.
const (
	fontFolder  = "usr/share/fonts" // below the root of what the module sees
	maxFontSize = 64 << 20          // bytes of all fonts
)

// fontFiles is a folder of files in memory: it can be listed and read, nothing else.
type fontFiles []fontFile

type fontFile struct {
	name string
	data []byte
}

var _ fs.FS = fontFiles{}

// readFonts reads fonts; one that cannot be read is left out, since text can be found and most pages shown without it.
func readFonts(paths []string) fontFiles {
	var fonts fontFiles
	total := 0
	for i, path := range paths {
		info, err := os.Stat(path)
		if err != nil || !info.Mode().IsRegular() || int64(total)+info.Size() > maxFontSize {
			continue
		}
		if data, err := os.ReadFile(path); err == nil {
			total += len(data)
			fonts = append(fonts, fontFile{fmt.Sprint(i, strings.ToLower(filepath.Ext(path))), data})
		}
	}
	return fonts
}

// mount is what the module sees of files: nothing, or the fonts.
func (f fontFiles) mount() wazero.FSConfig {
	if len(f) == 0 {
		return wazero.NewFSConfig()
	}
	return wazero.NewFSConfig().WithFSMount(f, "/")
}

// Open opens one of the files, the folder, or a folder above it; those seem empty.
func (f fontFiles) Open(name string) (fs.File, error) {
	switch {
	case name == fontFolder:
		return &openFolder{fonts: f}, nil
	case name == "." || strings.HasPrefix(fontFolder, name+"/"):
		return &openFolder{}, nil
	}
	for _, file := range f {
		if fontFolder+"/"+file.name == name {
			return openFont{bytes.NewReader(file.data), file}, nil
		}
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

type openFont struct {
	*bytes.Reader
	file fontFile
}

func (o openFont) Stat() (fs.FileInfo, error) { return fontInfo{o.file}, nil }
func (o openFont) Close() error               { return nil }

type openFolder struct {
	fonts fontFiles
	next  int
}

var _ fs.ReadDirFile = (*openFolder)(nil)

func (o *openFolder) Stat() (fs.FileInfo, error) { return folderInfo{}, nil }
func (o *openFolder) Close() error               { return nil }
func (o *openFolder) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: ".", Err: fs.ErrInvalid}
}

// ReadDir lists the fonts that were not listed yet: n of them, or all when n is not positive.
func (o *openFolder) ReadDir(n int) ([]fs.DirEntry, error) {
	rest := o.fonts[o.next:]
	if n > 0 {
		if len(rest) == 0 {
			return nil, io.EOF
		}
		rest = rest[:min(n, len(rest))]
	}
	o.next += len(rest)
	var entries []fs.DirEntry
	for _, file := range rest {
		entries = append(entries, fs.FileInfoToDirEntry(fontInfo{file}))
	}
	return entries, nil
}

type fontInfo struct{ file fontFile }

func (i fontInfo) Name() string       { return i.file.name }
func (i fontInfo) Size() int64        { return int64(len(i.file.data)) }
func (i fontInfo) Mode() fs.FileMode  { return 0o444 }
func (i fontInfo) ModTime() time.Time { return time.Time{} }
func (i fontInfo) IsDir() bool        { return false }
func (i fontInfo) Sys() any           { return nil }

type folderInfo struct{}

func (folderInfo) Name() string       { return "." }
func (folderInfo) Size() int64        { return 0 }
func (folderInfo) Mode() fs.FileMode  { return fs.ModeDir | 0o555 }
func (folderInfo) ModTime() time.Time { return time.Time{} }
func (folderInfo) IsDir() bool        { return true }
func (folderInfo) Sys() any           { return nil }
