package trustlist

import "yinxin/internal/fault"

// The errors of this package.
var (
	// ErrMalformed is something that is no trust list, cut short, or one with a member that cannot be.
	ErrMalformed = fault.Spec{Kind: fault.Invalid, Code: "trustlist.malformed",
		ZH: "信任列表格式错误或不完整，无法读取。", EN: "The trust list is malformed or incomplete and cannot be read."}
	// ErrTooLarge is a list over a limit.
	ErrTooLarge = fault.Spec{Kind: fault.TooLarge, Code: "trustlist.too-large",
		ZH: "信任列表过大。", EN: "The trust list is too large."}
	// ErrSignature is a list that is not what was signed.
	ErrSignature = fault.Spec{Kind: fault.Refused, Code: "trustlist.signature",
		ZH: "信任列表的签名不正确，列表被改动或是伪造的，不能使用。", EN: "The signature of the trust list is wrong: it was changed or forged, and is not used."}
	// ErrUntrusted is a list whose signer is not trusted, or not for what the list says.
	ErrUntrusted = fault.Spec{Kind: fault.Refused, Code: "trustlist.untrusted",
		ZH: "信任列表的签名者不可信或无权签发，列表不能使用。", EN: "The signer of the trust list is not trusted, or not entitled to it; the list is not used."}
	// ErrExpired is a list whose next update has passed.
	ErrExpired = fault.Spec{Kind: fault.Refused, Code: "trustlist.expired",
		ZH: "信任列表已过期，请取得新的列表。", EN: "The trust list has expired; get a new one."}
	// ErrFuture is a list that says it was issued later than now.
	ErrFuture = fault.Spec{Kind: fault.Refused, Code: "trustlist.future",
		ZH: "信任列表的签发时间晚于现在，不能使用；请检查本机时间。", EN: "The trust list says that it was issued later than now and is not used; check this machine's clock."}
)
