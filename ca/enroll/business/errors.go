package business

import "yinxin/internal/fault"

// The errors of this room.
var (
	ErrNotCentral = fault.Spec{Kind: fault.Refused, Code: "business.not-central",
		ZH: "该证书不属于正在使用的集中式印章，不能由系统自动更新。", EN: "The certificate belongs to no central seal in use; the service cannot renew it by itself."}
	ErrNoBusiness = fault.Spec{Kind: fault.Invalid, Code: "business.none",
		ZH: "申请没有可办理的业务类型。", EN: "The application names no business that could be carried out."}
	ErrNoTemplate = fault.Spec{Kind: fault.Refused, Code: "business.no-template",
		ZH: "申请表上的印模尚未处理成印章模板。", EN: "The imprints on the form have not been turned into a seal template yet."}
	ErrNoEvidence = fault.Spec{Kind: fault.NotFound, Code: "business.no-evidence",
		ZH: "这枚印章模板没有留存制作依据。", EN: "No evidence was kept with this template."}
	ErrTemplate = fault.Spec{Kind: fault.Refused, Code: "business.template",
		ZH: "印模不能作为印章模板。", EN: "The imprints cannot become a seal template."}
	ErrCodeTaken = fault.Spec{Kind: fault.Conflict, Code: "business.code-taken",
		ZH: "印章编码已被使用。", EN: "The seal code is in use already."}
	ErrNoUsers = fault.Spec{Kind: fault.Refused, Code: "business.no-users",
		ZH: "分散式用章须附电子印章使用人信息汇总表，且至少有一名生效人员。", EN: "Seals on USB Keys take a roster with at least one person in status US01."}
	ErrUserMissing = fault.Spec{Kind: fault.Refused, Code: "business.user-missing",
		ZH: "汇总表缺少现有的印章使用人，请填报其人员状态（US01 或 US02）。", EN: "The roster lacks a present user of the seal: state each as US01 or US02."}
	ErrNoKey = fault.Spec{Kind: fault.Refused, Code: "business.no-key",
		ZH: "没有找到该使用人名下的 USB Key。", EN: "No USB Key of this person is known."}
	ErrOtherKey = fault.Spec{Kind: fault.Conflict, Code: "business.other-key",
		ZH: "证书已为另一把密钥签发。", EN: "The certificate was issued for another key already."}
	ErrPresentKey = fault.Spec{Kind: fault.Denied, Code: "business.present-key",
		ZH: "代办更新须使用 USB Key 现有的密钥；换用新密钥由持有人本人办理，或申请 Key 补办。",
		EN: "Who renews for a holder uses the present key of the USB Key; a new one is for the holder to bring, or takes an application."}
	ErrStopped = fault.Spec{Kind: fault.Refused, Code: "business.stopped",
		ZH: "该使用人已停用，不能为其签发 USB Key 证书。", EN: "This person was stopped as a user of seals: no USB Key is issued."}
	ErrToken = fault.Spec{Kind: fault.Invalid, Code: "business.token",
		ZH: "USB Key 序列号无效或未登记。", EN: "The serial number of the USB Key is not valid or not registered."}
	ErrDone = fault.Spec{Kind: fault.Conflict, Code: "business.done",
		ZH: "这一项已经办理。", EN: "This has been carried out already."}
	ErrSealEnded = fault.Spec{Kind: fault.Refused, Code: "business.seal-ended",
		ZH: "该印章已经注销。", EN: "The seal was cancelled already."}
	ErrNothing = fault.Spec{Kind: fault.Refused, Code: "business.nothing",
		ZH: "按申请内容没有可办理的事项：该印章没有在用的电子印章，汇总表也没有新增或退出的使用人。",
		EN: "There is nothing to carry out: no electronic seal of this code is in use, and the roster neither adds nor withdraws a user."}
	ErrSpent = fault.Spec{Kind: fault.Conflict, Code: "business.spent",
		ZH: "这一项的审批已使用而尚无结果：正在办理中，或曾中断、失败，不能重办。稍后仍无结果的，请中止本申请并重新申请。",
		EN: "The approval of this act was used and there is no result: it is being carried out right now, or was interrupted or failed and cannot be repeated. If it stays so, abort the application and file another one."}
	ErrChanging = fault.Spec{Kind: fault.Conflict, Code: "business.changing",
		ZH: "涉及该印章或证书的申请正在办理，办结前不能更新证书。", EN: "An application about this seal or certificate is under way; nothing is renewed until it ends."}
	ErrRenewalWaits = fault.Spec{Kind: fault.Conflict, Code: "business.renewal-waits",
		ZH: "该印章有证书更新等待接受，请先接受更新或提出异议。", EN: "A renewal for this seal waits for its acceptance: accept it or object to it first."}
	ErrRefused = fault.Spec{Kind: fault.Refused, Code: "business.refused",
		ZH: "受委托的电子认证机构没有签发证书，请重新申请。", EN: "The other authority did not issue the certificate; another application is needed."}
	ErrNotDone = fault.Spec{Kind: fault.Refused, Code: "business.not-done",
		ZH: "申请中还有未办理的事项。", EN: "Something that the application takes has not been carried out yet."}
	ErrNoRenewal = fault.Spec{Kind: fault.NotFound, Code: "business.no-renewal",
		ZH: "没有等待接受的证书更新。", EN: "No renewal of this certificate is waiting."}
)
