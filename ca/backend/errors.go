package backend

import "yinxin/internal/fault"

// The errors of this package.
var (
	ErrSettings = fault.Spec{Kind: fault.Invalid, Code: "backend.settings",
		ZH: "证书机构的配置不完整或无效。", EN: "The settings of a certificate authority are incomplete or not valid."}
	ErrUnknown = fault.Spec{Kind: fault.NotFound, Code: "backend.unknown",
		ZH: "没有配置这个证书机构。", EN: "No certificate authority of this name is configured."}
	ErrOrder = fault.Spec{Kind: fault.NotFound, Code: "backend.order-not-found",
		ZH: "没有这份证书申请。", EN: "There is no such order."}
	ErrKeyMismatch = fault.Spec{Kind: fault.Invalid, Code: "backend.csr-key",
		ZH: "证书请求中的公钥与申请的公钥不同。", EN: "The certification request is for another key than the order."}
	ErrRequested = fault.Spec{Kind: fault.Conflict, Code: "backend.requested",
		ZH: "该公钥已有未办结的证书申请。", EN: "An order for this key is open already."}
	ErrState = fault.Spec{Kind: fault.Conflict, Code: "backend.state",
		ZH: "证书申请的状态不允许这一操作。", EN: "The order is not in a state that allows this."}
	ErrBundle = fault.Spec{Kind: fault.Invalid, Code: "backend.bundle",
		ZH: "证书文件无法读取。", EN: "The file of certificates cannot be read."}
	ErrTooLarge = fault.Spec{Kind: fault.TooLarge, Code: "backend.too-large",
		ZH: "证书文件过大或文件过多。", EN: "The file of certificates is too large or holds too many."}
	ErrNothing = fault.Spec{Kind: fault.NotFound, Code: "backend.nothing-to-send",
		ZH: "没有待发送的申请。", EN: "There is nothing to send."}
	ErrNotAsked = fault.Spec{Kind: fault.NotFound, Code: "backend.not-asked",
		ZH: "没有申请过这张证书。", EN: "Nobody asked for this certificate."}
	ErrChain = fault.Spec{Kind: fault.Refused, Code: "backend.chain",
		ZH: "证书不是由该证书机构签发的。", EN: "The certificate does not lead to an anchor of this authority."}
	ErrValidity = fault.Spec{Kind: fault.Refused, Code: "backend.validity",
		ZH: "证书已过期或尚未生效。", EN: "The certificate is not valid now."}
	ErrUsage = fault.Spec{Kind: fault.Refused, Code: "backend.usage",
		ZH: "证书的密钥用法与申请不符。", EN: "The certificate does not allow what it was requested for."}
	ErrDuplicate = fault.Spec{Kind: fault.Conflict, Code: "backend.duplicate",
		ZH: "这张证书已经收到过。", EN: "This certificate was taken in already."}
	ErrExpired = fault.Spec{Kind: fault.Refused, Code: "backend.expired",
		ZH: "证书申请已过期。", EN: "The order has expired."}
	ErrDiffers = fault.Spec{Kind: fault.Refused, Code: "backend.differs",
		ZH: "证书内容与申请不一致，须经两人确认。", EN: "The certificate says something else than was approved: two people must confirm it."}
	ErrRemote = fault.Spec{Kind: fault.Unavailable, Code: "backend.remote",
		ZH: "证书机构没有回应。", EN: "The certificate authority did not answer."}
	ErrRemoteRefused = fault.Spec{Kind: fault.Refused, Code: "backend.remote-refused",
		ZH: "证书机构拒绝了请求。", EN: "The certificate authority refused."}
	ErrRemoteAnswer = fault.Spec{Kind: fault.Unavailable, Code: "backend.remote-answer",
		ZH: "证书机构的回应无法理解。", EN: "The answer of the certificate authority cannot be understood."}
	ErrReason = fault.Spec{Kind: fault.Invalid, Code: "backend.reason",
		ZH: "说明无效：不能为空，最多 200 字。", EN: "The reason is not valid: it has 1 to 200 characters."}
	ErrRepeated = fault.Spec{Kind: fault.Refused, Code: "backend.repeated",
		ZH: "同一标识的请求内容不同。", EN: "The same key came with another request."}
	ErrClerk = fault.Spec{Kind: fault.Denied, Code: "backend.role",
		ZH: "须由登记员或审核员办理。", EN: "This takes a registrar or an approver."}
	ErrNoHold = fault.Spec{Kind: fault.Refused, Code: "backend.no-hold",
		ZH: "其他机构签发的证书不能在这里冻结或恢复，只能撤销；需要时可停用印章。",
		EN: "A certificate of another authority cannot be held or released here, only revoked; its seal can be suspended."}
	ErrNoStatus = fault.Spec{Kind: fault.Unavailable, Code: "backend.no-status",
		ZH: "没有配置外部证书状态的查询方式。", EN: "No way to ask for the state of foreign certificates is configured."}
)
