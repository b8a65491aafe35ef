package register

import "yinxin/internal/fault"

var (
	errNoSeal = fault.Spec{Kind: fault.NotFound, Code: "seal.not-found",
		ZH: "没有这枚印章。", EN: "There is no such seal."}
	errNotGranted = fault.Spec{Kind: fault.Refused, Code: "seal.not-granted",
		ZH: "您没有使用这枚印章的授权。", EN: "You have no grant to use this seal."}
	errQuota = fault.Spec{Kind: fault.Refused, Code: "seal.quota-exhausted",
		ZH: "本授权的用印次数已用完。", EN: "The uses allowed by this grant are exhausted."}
	errSuspended = fault.Spec{Kind: fault.Refused, Code: "seal.suspended",
		ZH: "印章已停用，不能盖章。", EN: "The seal is suspended and cannot be used."}
	errCancelled = fault.Spec{Kind: fault.Refused, Code: "seal.cancelled",
		ZH: "印章已注销或收缴，不能盖章。", EN: "The seal is cancelled or collected and cannot be used."}
	errNotReady = fault.Spec{Kind: fault.Refused, Code: "seal.not-ready",
		ZH: "印章尚未制作完成，不能盖章。", EN: "The seal is still being made and cannot be used."}
	errExpired = fault.Spec{Kind: fault.Refused, Code: "seal.expired",
		ZH: "印章不在有效期内，不能盖章。", EN: "The seal is outside its validity period and cannot be used."}
	// ErrCertificateRevoked is the refusal of every use with a certificate that was taken back; lists of seals say it as well.
	ErrCertificateRevoked = fault.Spec{Kind: fault.Refused, Code: "seal.certificate-revoked",
		ZH: "印章证书已撤销或冻结，不能盖章。", EN: "The seal's certificate is revoked or suspended and cannot be used."}
	errCertificateHeld = fault.Spec{Kind: fault.Refused, Code: "seal.certificate-held",
		ZH: "印章的证书已冻结，不能盖章。", EN: "The certificate of the seal is on hold: it cannot be used."}
	errOrder = fault.Spec{Kind: fault.Invalid, Code: "seal.invalid-order",
		ZH: "制章数据不完整或不一致。", EN: "The data to make the seal from are incomplete or inconsistent."}
	errExists = fault.Spec{Kind: fault.Conflict, Code: "seal.exists",
		ZH: "这枚印章已经登记，名称、单位或版本与登记不符。", EN: "This seal is already registered with other data."}
	errTransition = fault.Spec{Kind: fault.Conflict, Code: "seal.impossible-transition",
		ZH: "印章当前状态不允许此操作。", EN: "The seal's state does not allow this."}
	errSuperseded = fault.Spec{Kind: fault.Conflict, Code: "seal.superseded",
		ZH: "准备之后印章已更换，请重新盖章。", EN: "The seal was remade after the sealing was prepared; begin anew."}
	errNoKeyInstance = fault.Spec{Kind: fault.Refused, Code: "seal.no-key-instance",
		ZH: "当前用章人的 USB Key 中没有这枚印章。", EN: "There is no instance of this seal on a USB Key of the person who is to seal."}
	errNoGrant = fault.Spec{Kind: fault.NotFound, Code: "seal.grant-not-found",
		ZH: "没有这项用印授权。", EN: "There is no such grant."}
	errGrantEnded = fault.Spec{Kind: fault.Conflict, Code: "seal.grant-ended",
		ZH: "这项用印授权已经终止或到期。", EN: "The grant has ended already."}
	errGrantTerms = fault.Spec{Kind: fault.Invalid, Code: "seal.grant-terms",
		ZH: "用印授权的内容无效：起止时间、次数上限或被授权人不正确。", EN: "The terms of the grant are not valid: its period, its number of uses, or who gets it."}
	errDenied = fault.Spec{Kind: fault.Denied, Code: "seal.role-missing",
		ZH: "您没有执行此操作的角色。", EN: "You do not have the role for this."}
)
