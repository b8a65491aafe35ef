package ceremony

import "yinxin/internal/fault"

// The errors of this room. The place names file, line (as row) and field.
var (
	ErrSyntax = fault.Spec{Kind: fault.Invalid, Code: "ceremony.syntax",
		ZH: "仪式方案不是有效的 YAML，或含有未知的字段。", EN: "The plan of the ceremony is not valid YAML, or has a field that is not known."}
	ErrValue = fault.Spec{Kind: fault.Invalid, Code: "ceremony.value",
		ZH: "仪式方案中的值无效。", EN: "A value in the plan of the ceremony is not valid."}
	ErrTooLarge = fault.Spec{Kind: fault.TooLarge, Code: "ceremony.too-large",
		ZH: "仪式方案过大。", EN: "The plan of the ceremony is too large."}
)
