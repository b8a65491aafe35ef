package manifest

import "yinxin/internal/fault"

// What can be wrong with what the other side says.
var (
	// ErrCode is text that is no pairing code.
	ErrCode = fault.Spec{Kind: fault.Invalid, Code: "terminal.code",
		ZH: "配对码应为 20 个字符，请核对后重新输入。", EN: "A pairing code has 20 characters; compare it and type it again."}
	// ErrPairing is a pairing message whose MAC was not made with this code, or that is not well formed.
	ErrPairing = fault.Spec{Kind: fault.Denied, Code: "terminal.pairing-refused",
		ZH: "配对未通过：配对码不对、已使用、已失效，或通信被改动。", EN: "The pairing failed: the code is wrong, used or over, or somebody changed what was sent."}
	// ErrAuthorisation is a request without a right signature of its terminal.
	ErrAuthorisation = fault.Spec{Kind: fault.Unauthenticated, Code: "terminal.unauthenticated",
		ZH: "请求没有已配对终端的有效签名；请检查配对是否已解除。", EN: "The request has no right signature of a paired terminal; look whether the pairing was ended."}
	// ErrClock is a time of the other side that is more than Tolerance off. The detail says what time it is there.
	ErrClock = fault.Spec{Kind: fault.Unauthenticated, Code: "terminal.clock",
		ZH: "终端与服务器的时钟相差超过 2 分钟，请校准终端时间。", EN: "The clocks of terminal and server are more than 2 minutes apart; set the terminal's clock."}
	// ErrForged is a manifest that the pinned key did not sign, or that is not as the server writes it.
	ErrForged = fault.Spec{Kind: fault.Refused, Code: "terminal.manifest-forged",
		ZH: "签章清单不是所配对的服务器签发的，或已被改动，不能签名。", EN: "The manifest was not signed by the paired server, or was changed; nothing is signed."}
	// ErrExpired is a manifest that came too late, or says that it holds longer than it may.
	ErrExpired = fault.Spec{Kind: fault.Refused, Code: "terminal.manifest-expired",
		ZH: "签章清单已过期，请重新准备。", EN: "The manifest has expired; have it prepared anew."}
	// ErrOtherTerminal is a manifest for another terminal.
	ErrOtherTerminal = fault.Spec{Kind: fault.Refused, Code: "terminal.other-terminal",
		ZH: "签章清单是给另一台终端的，不能签名。", EN: "The manifest is for another terminal; nothing is signed."}
	// ErrOtherClerk is a manifest for another clerk.
	ErrOtherClerk = fault.Spec{Kind: fault.Refused, Code: "terminal.other-clerk",
		ZH: "签章清单是给另一位用章人的，不能签名。", EN: "The manifest is for another clerk; nothing is signed."}
	// ErrOtherItem is a manifest for another task or item than was asked for.
	ErrOtherItem = fault.Spec{Kind: fault.Refused, Code: "terminal.other-item",
		ZH: "签章清单属于另一项任务，不能签名。", EN: "The manifest belongs to another task or item; nothing is signed."}
	// ErrOtherDocument is a manifest for another document, or another seal, than the item names.
	ErrOtherDocument = fault.Spec{Kind: fault.Refused, Code: "terminal.other-document",
		ZH: "签章清单所列文件或印章与任务不符，不能签名。", EN: "The manifest names another document or seal than the task; nothing is signed."}
)

var errPairingRequest = fault.Spec{Kind: fault.Invalid, Code: "terminal.pairing-request",
	ZH: "配对请求的内容不正确。", EN: "The pairing request is not well formed."}
