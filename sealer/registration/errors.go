package registration

import "yinxin/internal/fault"

// What this room refuses by itself.
var (
	ErrNoTemplate = fault.Spec{Kind: fault.NotFound, Code: "registration.no-template",
		ZH: "这份申请还没有印章模板。", EN: "No seal template has been made for this application yet."}
	ErrNoForm = fault.Spec{Kind: fault.Refused, Code: "registration.no-form",
		ZH: "没有找到带有这份申请二维码的申请表扫描件，请先上传；没有二维码的，请指明附件和页码，并按整页（page）取印模。", EN: "No scan of a form with this application's code was found: upload it, or, where there is no code, name attachment and page and take the imprints from the whole page (box: page)."}
	ErrNoBox = fault.Spec{Kind: fault.Refused, Code: "registration.no-imprint-box",
		ZH: "扫描件上没有完整的印模框，请重新扫描。", EN: "The box for the imprint is not whole on the scan: scan it again."}
	ErrOrder = fault.Spec{Kind: fault.Invalid, Code: "registration.order",
		ZH: "所选的页码或印模框无效。", EN: "The page or the box asked for is not valid."}
	ErrNotAsked = fault.Spec{Kind: fault.Refused, Code: "registration.no-imprint",
		ZH: "这份申请不涉及印模。", EN: "The application takes no imprint."}
	ErrNoOutline = fault.Spec{Kind: fault.Refused, Code: "registration.no-outline",
		ZH: "这枚印章模板过于杂乱，不能描出矢量轮廓。", EN: "The template has too many edges to be traced."}
	ErrBusy = fault.Spec{Kind: fault.Unavailable, Code: "registration.busy",
		ZH: "正在处理的扫描件太多，请稍后再试。", EN: "Too many scans are being worked on: try again shortly."}
)
