package escrow

import "yinxin/internal/fault"

// The errors of this room.
var (
	ErrNotEstablished = fault.Spec{Kind: fault.Unavailable, Code: "escrow.not-established",
		ZH: "密钥管理中心尚未建立恢复密钥。", EN: "The key centre has no recovery key yet."}
	ErrEstablished = fault.Spec{Kind: fault.Conflict, Code: "escrow.established",
		ZH: "密钥管理中心已经建立。", EN: "The key centre has been established already."}
	ErrOfficers = fault.Spec{Kind: fault.Denied, Code: "escrow.officers",
		ZH: "须有两名不同的经办人，每份份额须由不同的在册人员保管。", EN: "It takes two different people in charge, and a different known officer for every share."}
	ErrNumbers = fault.Spec{Kind: fault.Invalid, Code: "escrow.numbers",
		ZH: "份额数量无效：至少 2 份合用，总数不超过 16 份。", EN: "The numbers of shares are not usable: at least 2 to recover, at most 16 in all."}
	ErrHolder = fault.Spec{Kind: fault.Invalid, Code: "escrow.holder",
		ZH: "持有人或其签名证书无效。", EN: "The holder or the holder's signing certificate is not valid."}
	ErrCertificate = fault.Spec{Kind: fault.Internal, Code: "escrow.certificate",
		ZH: "加密证书与托管的密钥不符。", EN: "The encryption certificate does not belong to the key in escrow."}
	ErrNotFound = fault.Spec{Kind: fault.NotFound, Code: "escrow.not-found",
		ZH: "没有这个托管密钥。", EN: "There is no such key in escrow."}
	ErrState = fault.Spec{Kind: fault.Conflict, Code: "escrow.state",
		ZH: "托管密钥当前的状态不允许此操作。", EN: "The state of the key in escrow does not allow this."}
	ErrOtherKey = fault.Spec{Kind: fault.Denied, Code: "escrow.other-signing-key",
		ZH: "加密密钥只能交付给申请时的签名密钥。", EN: "The encryption key is handed out to the signing key of the request only."}
	ErrDeliveries = fault.Spec{Kind: fault.Refused, Code: "escrow.deliveries",
		ZH: "该密钥的交付次数已达上限。", EN: "The key has been handed out as often as is allowed."}
	ErrTerm = fault.Spec{Kind: fault.Refused, Code: "escrow.term",
		ZH: "保存期限未满，不能销毁。", EN: "The term of keeping is not over: the key must not be destroyed yet."}
	ErrOrder = fault.Spec{Kind: fault.Invalid, Code: "escrow.order",
		ZH: "申请内容不完整或无效。", EN: "What is asked for is incomplete or not valid."}
	ErrSession = fault.Spec{Kind: fault.NotFound, Code: "escrow.session",
		ZH: "没有这个恢复会话，或会话不在本进程中。", EN: "There is no such session, or it is not held by this process."}
	ErrSessionExpired = fault.Spec{Kind: fault.Refused, Code: "escrow.session-expired",
		ZH: "恢复会话已超时，份额已清除。", EN: "The session has expired and its shares are forgotten."}
	ErrSessionEnded = fault.Spec{Kind: fault.Conflict, Code: "escrow.session-ended",
		ZH: "恢复会话已经结束。", EN: "The session has ended."}
	ErrRounds = fault.Spec{Kind: fault.Refused, Code: "escrow.rounds",
		ZH: "恢复会话重开次数已达上限，请重新申请。", EN: "The session was opened as often as is allowed; request it anew."}
	ErrNotYourShare = fault.Spec{Kind: fault.Denied, Code: "escrow.not-your-share",
		ZH: "份额不是由该人员保管的。", EN: "The share is not in the keeping of this officer."}
	ErrShareRefused = fault.Spec{Kind: fault.Denied, Code: "escrow.share-refused",
		ZH: "份额不正确。", EN: "The share is not right."}
	ErrSharePresented = fault.Spec{Kind: fault.Conflict, Code: "escrow.share-presented",
		ZH: "该份额在本次会话中已经提交。", EN: "The share has been presented in this session already."}
	ErrTooFew = fault.Spec{Kind: fault.Refused, Code: "escrow.too-few-shares",
		ZH: "份额数量不足。", EN: "There are too few shares."}
	ErrNothingPending = fault.Spec{Kind: fault.NotFound, Code: "escrow.nothing-pending",
		ZH: "没有等待启用的恢复密钥或分割。", EN: "No recovery key or split waits to be put in force."}
	ErrIncomplete = fault.Spec{Kind: fault.Conflict, Code: "escrow.incomplete",
		ZH: "尚有密钥未转换到新的恢复密钥下，不能启用。", EN: "Some keys are not sealed under the new recovery key; it was not put in force."}
	ErrSeveral = fault.Spec{Kind: fault.Conflict, Code: "escrow.several",
		ZH: "符合条件的密钥不止一个，请从中选定一个。", EN: "More than one key fits: choose one of them."}
	ErrDamaged = fault.Spec{Kind: fault.Internal, Code: "escrow.damaged",
		ZH: "托管的密钥已损坏或被改动。", EN: "A key in escrow is damaged or was altered."}
)
