package sheet

import "yinxin/internal/fault"

// errLong is a report that would fill more pages than anyone reads.
var errLong = fault.Spec{Kind: fault.TooLarge, Code: "sheet.too-long",
	ZH: "报告过长，无法生成 PDF；请使用 JSON 或 HTML。", EN: "The report is too long for a PDF; take JSON or HTML."}
