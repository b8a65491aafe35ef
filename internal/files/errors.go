package files

import (
	"errors"
	"io/fs"
	"syscall"

	"yinxin/internal/fault"
)

var (
	ErrNotFound = fault.Spec{Kind: fault.NotFound, Code: "files.not-found",
		ZH: "文件不存在。", EN: "The file does not exist."}
	errFull = fault.Spec{Kind: fault.Unavailable, Code: "files.full",
		ZH: "存储文件的磁盘已满。", EN: "The disk for files is full."}
	errUnavailable = fault.Spec{Kind: fault.Unavailable, Code: "files.unavailable",
		ZH: "文件存储暂时不可用。", EN: "The storage for files is not available."}
	errEnded = fault.Spec{Kind: fault.Internal, Code: "files.ended",
		ZH: "文件已经写完或已放弃。", EN: "The file has already been committed or given up."}
)

// fail gives an error of the operating system its code.
func fail(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return errFull.Because(err)
	case errors.Is(err, fs.ErrNotExist):
		return ErrNotFound.Because(err)
	}
	return errUnavailable.Because(err)
}
