package form

import "yinxin/internal/fault"

var (
	errBadEncoding = fault.Spec{Kind: fault.Invalid, Code: "form.bad-encoding",
		ZH: "申请数据的格式不正确。", EN: "The application is not in the form that is expected."}
	errTooLarge = fault.Spec{Kind: fault.TooLarge, Code: "form.too-large",
		ZH: "申请数据过大。", EN: "The application is too large."}
	errBadText = fault.Spec{Kind: fault.Invalid, Code: "form.bad-text",
		ZH: "该项过长，或含有不可见字符。", EN: "A text is too long, or has characters that cannot be seen."}
	errNotTheApplication = fault.Spec{Kind: fault.Internal, Code: "form.not-the-application",
		ZH: "保存的申请数据与其摘要不符。", EN: "The stored parts of an application do not belong together."}
)
