package webhook

import "yinxin/internal/fault"

var (
	errSignature = fault.Spec{Kind: fault.Denied, Code: "webhook.signature",
		ZH: "回调的签名不正确。", EN: "The signature of the call is not right."}
	errTime = fault.Spec{Kind: fault.Denied, Code: "webhook.time",
		ZH: "回调的时间与本机相差过大。", EN: "The time of the call is too far off."}
	errAddress = fault.Spec{Kind: fault.Invalid, Code: "webhook.address",
		ZH: "回调地址不可用：须为 https 地址，不含用户名。", EN: "The address cannot be used: it has to be https, without a user name."}
	errKinds = fault.Spec{Kind: fault.Invalid, Code: "webhook.kinds",
		ZH: "没有这种事件。", EN: "There is no such kind of event."}
	errMany = fault.Spec{Kind: fault.Conflict, Code: "webhook.too-many",
		ZH: "回调地址已达上限。", EN: "There are as many endpoints as there may be."}
	errNotFound = fault.Spec{Kind: fault.NotFound, Code: "webhook.not-found",
		ZH: "没有这个回调地址或记录。", EN: "There is no such endpoint or delivery."}
	errAnswer = fault.Spec{Kind: fault.Unavailable, Code: "webhook.not-delivered",
		ZH: "回调没有送达。", EN: "The call did not arrive."}
)
