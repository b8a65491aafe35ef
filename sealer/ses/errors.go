package ses

import "yinxin/internal/fault"

// What this package refuses.
var (
	errMalformed = fault.Spec{Kind: fault.Invalid, Code: "ses.malformed",
		ZH: "电子印章或电子签章数据的结构不正确。", EN: "The seal or seal signature is not built as the standard says."}
	errTrailing = fault.Spec{Kind: fault.Invalid, Code: "ses.trailing-data",
		ZH: "电子印章或电子签章数据之后还有多余的内容。", EN: "There is more data after the end of the seal or seal signature."}
	errVersion = fault.Spec{Kind: fault.Invalid, Code: "ses.version",
		ZH: "不支持该版本的电子印章或电子签章。", EN: "This version of seal or seal signature is not known."}
	errTooLarge = fault.Spec{Kind: fault.TooLarge, Code: "ses.too-large",
		ZH: "电子印章或电子签章数据过大。", EN: "The seal or seal signature is too large."}
	errTooMany = fault.Spec{Kind: fault.TooLarge, Code: "ses.too-many",
		ZH: "电子印章或电子签章数据中的条目过多。", EN: "The seal or seal signature has too many entries."}
	errNotWritable = fault.Spec{Kind: fault.Invalid, Code: "ses.not-writable",
		ZH: "给出的内容不能写成电子印章或电子签章。", EN: "A seal or seal signature cannot be written from what was given."}
)
