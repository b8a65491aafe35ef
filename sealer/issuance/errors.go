package issuance

import "yinxin/internal/fault"

// What is refused.
var (
	errNotFound = fault.Spec{Kind: fault.NotFound, Code: "issuance.not-found",
		ZH: "没有这项出证业务。", EN: "There is no such case."}
	errSide = fault.Spec{Kind: fault.Denied, Code: "issuance.side",
		ZH: "这一步由另一方档案馆办理。", EN: "This step is for the other archive to take."}
	errState = fault.Spec{Kind: fault.Conflict, Code: "issuance.state",
		ZH: "当前状态下不能办理这一步。", EN: "The case is not in a state in which this can be done."}
	errRequest = fault.Spec{Kind: fault.Invalid, Code: "issuance.request",
		ZH: "申请内容不完整或不正确。", EN: "The request is incomplete or not valid."}
	errArchive = fault.Spec{Kind: fault.Invalid, Code: "issuance.archive",
		ZH: "没有这家档案馆，或者两方是同一家。", EN: "There is no such archive, or both sides are the same."}
	errKeyReused = fault.Spec{Kind: fault.Conflict, Code: "issuance.key-reused",
		ZH: "同一个业务编号或幂等键已用于另一项申请。", EN: "This case number or idempotency key was used for a different request."}
	errAnswer = fault.Spec{Kind: fault.Invalid, Code: "issuance.answer",
		ZH: "答复内容不完整或不正确。", EN: "The answer is incomplete or not valid."}
	errReference = fault.Spec{Kind: fault.Invalid, Code: "issuance.reference",
		ZH: "档号、全宗号、案卷号、件号或页数不正确。", EN: "The archival number or one of its parts is not valid."}
	errPages = fault.Spec{Kind: fault.Refused, Code: "issuance.pages",
		ZH: "上传的页数与登记的页数不一致。", EN: "The pages that were put in are not as many as the answer says."}
	errTooManyPages = fault.Spec{Kind: fault.TooLarge, Code: "issuance.too-many-pages",
		ZH: "页数或文件数超过上限。", EN: "There are too many pages or files."}
	errLongRegister = fault.Spec{Kind: fault.TooLarge, Code: "issuance.register-too-long",
		ZH: "登记簿超过一张工作表的容量，请按日期分段导出。", EN: "The register is longer than a sheet can be: export it in spans of days."}
	errNoFont = fault.Spec{Kind: fault.Unavailable, Code: "issuance.no-font",
		ZH: "此服务没有配置中文字体，不能制作证明页。", EN: "No Chinese font is configured here, so no note can be made."}
	errSeal = fault.Spec{Kind: fault.Refused, Code: "issuance.seal",
		ZH: "所选印章不属于保管该档案的档案馆。", EN: "The seal is not one of the archive that holds the file."}
	errNoKeys = fault.Spec{Kind: fault.Unavailable, Code: "issuance.no-keys",
		ZH: "此服务没有配置 USB Key 签章。", EN: "Sealing with USB Keys is not configured here."}
	ErrWaiting = fault.Spec{Kind: fault.Unavailable, Code: "issuance.waits-for-key",
		ZH: "等待在终端上用 USB Key 盖章。", EN: "The copy waits to be sealed with the USB Key on a terminal."}
	// ErrTaskEnded is what a KeySealing says of a task that ended without a seal.
	ErrTaskEnded = fault.Spec{Kind: fault.Conflict, Code: "issuance.key-task-ended",
		ZH: "USB Key 盖章任务已结束，未盖章；请撤销此次组稿后重新出具。", EN: "The task for the USB Key ended without a seal: take the composed copy apart and issue it again."}
	errNotGenuine = fault.Spec{Kind: fault.Refused, Code: "issuance.not-genuine",
		ZH: "收到的复制件未通过验证，不能接收。", EN: "The copy that was received did not pass its verification and is not taken."}
	errDelivery = fault.Spec{Kind: fault.Invalid, Code: "issuance.delivery",
		ZH: "请注明交付方式，并核对申请人身份证件。", EN: "Say how the copy was handed over, and check the applicant's identity document."}
	errCode = fault.Spec{Kind: fault.Invalid, Code: "issuance.code",
		ZH: "验证码有误，请对照纸面逐字核对。", EN: "The code is not right: compare it with the paper character by character."}
	errNoCopy = fault.Spec{Kind: fault.NotFound, Code: "issuance.no-copy",
		ZH: "没有找到与此对应的出证记录。", EN: "Nothing that was issued belongs to this."}
	errGuessing = fault.Spec{Kind: fault.Unavailable, Code: "issuance.guessing",
		ZH: "出证日期错误次数过多，请明日再试。", EN: "The date was wrong too often: try again tomorrow."}
	errWithdrawn = fault.Spec{Kind: fault.Refused, Code: "issuance.withdrawn",
		ZH: "这份复制件已由出证单位撤回，请勿采信。", EN: "The copy was withdrawn by its issuer: do not rely on it."}
	errYear = fault.Spec{Kind: fault.Invalid, Code: "issuance.year",
		ZH: "年份不正确。", EN: "The year is not valid."}
	errAltered = fault.Spec{Kind: fault.Internal, Code: "issuance.altered",
		ZH: "存储的出证记录已损坏，已停止使用。", EN: "The stored record of the case is damaged and is not used."}
)
