package access

import "yinxin/internal/fault"

// The errors of this room.
var (
	ErrActor = fault.Spec{Kind: fault.Invalid, Code: "access.actor",
		ZH: "用户资料不完整或无效。", EN: "The particulars of the actor are incomplete or not valid."}
	ErrActorExists = fault.Spec{Kind: fault.Conflict, Code: "access.actor-exists",
		ZH: "已有同一编号的用户。", EN: "There is an actor with this identifier already."}
	ErrActorNotFound = fault.Spec{Kind: fault.NotFound, Code: "access.actor-not-found",
		ZH: "没有这个用户。", EN: "There is no such actor."}
	ErrRole = fault.Spec{Kind: fault.Denied, Code: "access.role",
		ZH: "当前用户没有办理此事的角色。", EN: "The actor does not have the role that this takes."}
	ErrFoundingClosed = fault.Spec{Kind: fault.Refused, Code: "access.founding-closed",
		ZH: "初始化已结束，授予角色须经两人审批。", EN: "The founding is over; a role is granted by the approval of a second person."}
	ErrSubject = fault.Spec{Kind: fault.Invalid, Code: "access.subject",
		ZH: "申请内容为空、过大或类型无效。", EN: "What is requested is empty, too large or of no valid kind."}
	ErrSamePerson = fault.Spec{Kind: fault.Denied, Code: "access.same-person",
		ZH: "申请人不能审批自己的申请。", EN: "Nobody decides on their own request."}
	ErrRequestNotFound = fault.Spec{Kind: fault.NotFound, Code: "access.request-not-found",
		ZH: "没有这个申请。", EN: "There is no such request."}
	ErrDecided = fault.Spec{Kind: fault.Conflict, Code: "access.decided",
		ZH: "该申请已有审批结果。", EN: "The request has been decided already."}
	ErrExpired = fault.Spec{Kind: fault.Refused, Code: "access.expired",
		ZH: "申请或审批已过期。", EN: "The request or its approval has expired."}
	ErrNotApproved = fault.Spec{Kind: fault.Denied, Code: "access.not-approved",
		ZH: "没有相应的审批。", EN: "There is no approval for this."}
	ErrOtherSubject = fault.Spec{Kind: fault.Denied, Code: "access.other-subject",
		ZH: "审批的内容与要办理的不一致。", EN: "Something else was approved than what is to be done."}
	ErrUsed = fault.Spec{Kind: fault.Conflict, Code: "access.used",
		ZH: "该审批已经使用过。", EN: "The approval has been used already."}
	ErrVoided = fault.Spec{Kind: fault.Conflict, Code: "access.voided",
		ZH: "申请内容已变更，原申请和审批作废。", EN: "What was requested has changed since: the request and its approval are void."}
	ErrPart = fault.Spec{Kind: fault.Conflict, Code: "access.part",
		ZH: "这是一份方案的一部分，随方案一并审批。", EN: "This is a part of a plan and is decided together with it."}
	ErrOwnStep = fault.Spec{Kind: fault.Conflict, Code: "access.own-step",
		ZH: "该申请在其所属业务中审批，不在此处审批。", EN: "The request is decided in the business that it belongs to, not here."}
	ErrKeyTerms = fault.Spec{Kind: fault.Invalid, Code: "access.key-terms",
		ZH: "接口密钥的范围、印章、网络或有效期无效。", EN: "The scopes, seals, networks or expiry of the API key are not valid."}
	ErrKeyExpired = fault.Spec{Kind: fault.Unauthenticated, Code: "access.key-expired",
		ZH: "接口密钥已过有效期。", EN: "The API key has expired."}
	ErrKeyScope = fault.Spec{Kind: fault.Denied, Code: "access.key-scope",
		ZH: "接口密钥的范围不包括此接口。", EN: "The API key is narrowed to other parts of the API."}
	ErrKeyBound = fault.Spec{Kind: fault.Unauthenticated, Code: "access.key-bound",
		ZH: "接口密钥只能与其绑定的客户端证书一起使用。", EN: "The API key counts only together with the client certificate that it is bound to."}
	ErrKeyNetwork = fault.Spec{Kind: fault.Denied, Code: "access.key-network",
		ZH: "接口密钥不能在此网络上使用。", EN: "The API key may not be used on the network that the request came from."}
	ErrKeyOfficer = fault.Spec{Kind: fault.Denied, Code: "access.key-officer",
		ZH: "不能远程为登记员、审核员和审计员制作接口密钥。", EN: "Keys for registrars, approvers and auditors are not made from afar."}
	ErrKeySeal = fault.Spec{Kind: fault.Denied, Code: "access.key-seal",
		ZH: "接口密钥不包括这枚印章。", EN: "The API key is narrowed to other seals."}
	ErrKeySandbox = fault.Spec{Kind: fault.Denied, Code: "access.key-sandbox",
		ZH: "测试密钥只能试盖，不能用于此操作。", EN: "With a sandbox key documents are sealed for trial, and nothing else is done."}
	ErrUnknownKey = fault.Spec{Kind: fault.Unauthenticated, Code: "access.unknown-key",
		ZH: "接口密钥无效。", EN: "The API key is not valid."}
	ErrKeyNotFound = fault.Spec{Kind: fault.NotFound, Code: "access.key-not-found",
		ZH: "没有这个接口密钥。", EN: "There is no such API key."}
)
