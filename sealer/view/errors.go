package view

import "yinxin/internal/fault"

// The errors of this package.
var (
	// ErrUnreadable is a file that PDFium cannot open, or a page that it cannot load.
	ErrUnreadable = fault.Spec{Kind: fault.Invalid, Code: "view.unreadable",
		ZH: "无法读取该 PDF 文件的页面，不能显示或查找文字。", EN: "The pages of this PDF cannot be read, so they can be neither shown nor searched."}
	// ErrEncrypted is a file that needs a password to be opened.
	ErrEncrypted = fault.Spec{Kind: fault.Refused, Code: "view.encrypted",
		ZH: "文件已加密，没有密码不能显示。", EN: "The file is encrypted and cannot be shown without its password."}
	// ErrTimeout is a request that took longer than Config.Timeout.
	ErrTimeout = fault.Spec{Kind: fault.TooLarge, Code: "view.timeout",
		ZH: "显示该文件耗时过长，已停止。", EN: "Showing this file took too long and was stopped."}
	// ErrTooLarge is a file, a picture or a number of matches over a limit.
	ErrTooLarge = fault.Spec{Kind: fault.TooLarge, Code: "view.too-large",
		ZH: "超过页面显示的上限。", EN: "This is over a limit for showing pages."}
	// ErrWorker is a worker that could not be started, or that ended in the middle of a request.
	ErrWorker = fault.Spec{Kind: fault.Unavailable, Code: "view.worker",
		ZH: "页面显示进程意外结束，请重试；若仍如此，该文件无法显示。", EN: "The process that shows pages ended unexpectedly; try again, and if it happens again this file cannot be shown."}
	// ErrNotFound is a keyword that does not occur, or not often enough.
	ErrNotFound = fault.Spec{Kind: fault.Refused, Code: "view.not-found",
		ZH: "在页面上找不到该关键字。", EN: "The keyword was not found on the pages."}
	// ErrNoPage is a page that the document does not have.
	ErrNoPage = fault.Spec{Kind: fault.Invalid, Code: "view.no-page",
		ZH: "没有这一页。", EN: "There is no such page."}
	// ErrQuery is a keyword that is empty or too long.
	ErrQuery = fault.Spec{Kind: fault.Invalid, Code: "view.keyword",
		ZH: "关键字为空或过长。", EN: "The keyword is empty or too long."}
	// ErrResolution is a resolution outside the limits.
	ErrResolution = fault.Spec{Kind: fault.Invalid, Code: "view.resolution",
		ZH: "分辨率超出允许范围。", EN: "The resolution is outside the allowed range."}
	// ErrClosed is a viewer that was closed.
	ErrClosed = fault.Spec{Kind: fault.Unavailable, Code: "view.closed",
		ZH: "页面显示已停止。", EN: "Showing pages has been stopped."}
)

// workerFaults are the errors that a worker may report, by code. A code that is not here is a worker gone wrong.
func workerFaults(code string) (fault.Spec, bool) {
	for _, s := range []fault.Spec{ErrUnreadable, ErrEncrypted, ErrTooLarge, ErrWorker, ErrNotFound, ErrNoPage} {
		if s.Code == code {
			return s, true
		}
	}
	return fault.Spec{}, false
}
