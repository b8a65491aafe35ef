package verify

import "yinxin/internal/fault"

var (
	errRead = fault.Spec{Kind: fault.Unavailable, Code: "verify.read",
		ZH: "文件读取中断。", EN: "The file could not be read to its end."}
	errCancelled = fault.Spec{Kind: fault.Unavailable, Code: "verify.cancelled",
		ZH: "验证未完成：已取消或超时。", EN: "The verification was cancelled or ran out of time."}
	errTooMuch = fault.Spec{Kind: fault.TooLarge, Code: "verify.too-many-revisions",
		ZH: "文件的版本过多，未全部检查。", EN: "The file has too many revisions to check them all."}
	errState = fault.Spec{Kind: fault.Internal, Code: "verify.hash-state",
		ZH: "原文件的摘要中间状态不可用。", EN: "The kept hash state of the original is not usable."}
	errRelease = fault.Spec{Kind: fault.Internal, Code: "verify.release",
		ZH: "盖章后的文件未通过放行检查。", EN: "The sealed file did not pass the check before release."}
	errNoSignature = fault.Spec{Kind: fault.NotFound, Code: "verify.no-such-signature",
		ZH: "文件中没有这个签名。", EN: "The file has no such signature."}
	errCoverage = fault.Spec{Kind: fault.Refused, Code: "verify.unsound-coverage",
		ZH: "这个签名覆盖的不是一个完整的版本，无法取出盖章时的文件。", EN: "What this signature covers is not a complete revision, so the document as it was sealed cannot be taken out."}
	errNotAsSealed = fault.Spec{Kind: fault.Refused, Code: "verify.not-as-sealed",
		ZH: "这个签名覆盖的内容已被改动，盖章时的文件不复存在。", EN: "What this signature covers was changed: the document as it was sealed is gone."}
	errToken = fault.Spec{Kind: fault.Invalid, Code: "verify.bad-time-stamp",
		ZH: "时间戳格式错误，无法读取。", EN: "The time stamp cannot be read."}
)
