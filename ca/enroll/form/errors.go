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
	errNoGlyph = fault.Spec{Kind: fault.Refused, Code: "form.no-glyph",
		ZH: "字体中没有表上的某些字，请用 YINXIN_FONT 指定一个收字更全的 TrueType 字体。", EN: "The font lacks characters of the form: name a TrueType font with more of them in YINXIN_FONT."}
	errDoesNotFit = fault.Spec{Kind: fault.Refused, Code: "form.does-not-fit",
		ZH: "填写的内容过长，表格容纳不下。", EN: "A value is too long for its place on the form."}
	errNotOnScan = fault.Spec{Kind: fault.Refused, Code: "form.not-on-the-scan",
		ZH: "扫描图像上没有这一方框，请重新扫描整页。", EN: "The box is not on the scan: scan the whole page again."}
)
