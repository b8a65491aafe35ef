// Package compose puts whole PDF files together with pdfcpu, for copies that archives issue: scanned pages become a PDF
// (Scans), and the parts of a copy, what is laid over its pages and the note behind them become one file (Copy).
//
// Both work in a process of their own with limits on memory and time, since pdfcpu reads everything that a file holds into
// memory; scans are looked into first by package scan. The program must hand the argument [WorkerName] over to [Work].
//
// What it does not do: draw, seal, or read files that are encrypted or signed (package normalise refuses these).
package compose

import (
	"yinxin/internal/fault"
)

// Errors of composing.
var (
	errUnreadable = fault.Spec{Kind: fault.Invalid, Code: "compose.unreadable",
		ZH: "无法用这些页面组成文件，请重新扫描或另存后再上传。", EN: "No file could be composed of these pages: scan or save them again."}
	errTooLarge = fault.Spec{Kind: fault.TooLarge, Code: "compose.too-large",
		ZH: "页面过大或过多，组成文件所需的内存或时间超出限制。", EN: "The pages are too large or too many: composing them takes more memory or time than allowed."}
	errWorker = fault.Spec{Kind: fault.Internal, Code: "compose.worker",
		ZH: "无法启动组成文件的进程。", EN: "The process that composes files could not be run."}
)

// CodeProperty is the entry of the information dictionary (ISO 32000-1, 14.3.3) that holds the verification code of a copy.
const CodeProperty = "YinxinIssueCode"
