package command

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/emmansun/gmsm/sm3"

	"yinxin/internal/fault"
	"yinxin/sealer/verify"
	"yinxin/sealer/verify/sheet"
)

// checkReport refuses a report that could not be written, before anything is verified.
func (c verifyCommand) checkReport() error {
	if c.Report == "" {
		return nil
	}
	if len(c.Files) != 1 {
		return errFlag.At(fault.Field("--report")).Saying("每次一个文件", "one file at a time")
	}
	if sameFile(c.Files[0], c.Report) {
		return errSameFile.At(fault.File(c.Report))
	}
	switch strings.ToLower(filepath.Ext(c.Report)) {
	case ".html", ".htm", ".json":
	case ".pdf":
		_, err := readFont(c.Font)
		return err
	default:
		return errFlag.At(fault.Field("--report")).Saying("文件名应以 .html、.pdf 或 .json 结尾", "the name ends in .html, .pdf or .json")
	}
	return nil
}

// writeReport writes the report of one file, with the file's digest, since it may be handed on without the file.
func (c verifyCommand) writeReport(ctx context.Context, r *verify.Report) error {
	out := *r
	out.File = filepath.Base(r.File)
	if digest, err := digestOf(c.Files[0]); err == nil {
		out.Digest = digest
	} else if r.Error == nil {
		return err
	}
	return writeFile(ctx, c.Report, 0o644, func(w io.Writer) error {
		switch strings.ToLower(filepath.Ext(c.Report)) {
		case ".pdf":
			font, err := readFont(c.Font)
			if err != nil {
				return err
			}
			return sheet.PDF(w, &out, c.Language, font)
		case ".json":
			e := json.NewEncoder(w)
			e.SetIndent("", "  ")
			e.SetEscapeHTML(false)
			return e.Encode(&out)
		}
		return sheet.HTML(w, &out, c.Language)
	})
}

func digestOf(name string) (string, error) {
	f, _, err := openInput(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sm3.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return "SM3 " + hex.EncodeToString(h.Sum(nil)), nil
}

// extract writes the document as it was sealed.
func (c verifyCommand) extract(ctx context.Context, s streams) error {
	switch {
	case c.Extract == "":
		return errMissing.At(fault.Field("--extract-as-sealed"))
	case c.Output == "":
		return errMissing.At(fault.Field("-o"))
	case c.Report != "":
		return errFlag.At(fault.Field("--report")).Saying("不能与 --extract-as-sealed 同用", "not together with --extract-as-sealed")
	case len(c.Files) != 1:
		return errFlag.At(fault.Field("--extract-as-sealed")).Saying("一次一个文件", "one file at a time")
	case sameFile(c.Files[0], c.Output):
		return errSameFile.At(fault.File(c.Output))
	}
	f, size, err := openInput(c.Files[0])
	if err != nil {
		return err
	}
	defer f.Close()
	document, err := verify.AsSealed(ctx, f, size, c.Extract)
	if err != nil {
		return err
	}
	if err := writeFile(ctx, c.Output, 0o644, func(w io.Writer) error {
		_, err := io.Copy(w, document)
		return err
	}); err != nil {
		return err
	}
	said := "已写出盖章时的文件：%s（%d 字节）。签章是否有效请另行验证。\n"
	if c.Language == "en" {
		said = "Wrote the document as it was sealed: %s (%d bytes). Whether the seal is valid is for verify to say.\n"
	}
	fmt.Fprintf(s.out, said, c.Output, document.Size())
	return nil
}
