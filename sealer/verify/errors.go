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
	errPrivateKey = fault.Spec{Kind: fault.Refused, Code: "verify.private-key",
		ZH: "文件中有私钥。私钥绝不能发给任何人，也不要上传到任何网站；本系统没有保存它。如果它曾发给过别人，请向颁发机构申请吊销对应的证书。查验证书只需证书文件（.cer、.crt、.p7b）。",
		EN: "There is a private key in the file. A private key must never be sent to anyone or to any site; nothing was kept here. If anyone else may have had it, ask the authority to revoke its certificate. To check a certificate, only the certificate itself is needed (.cer, .crt, .p7b)."}
	errNotCertificate = fault.Spec{Kind: fault.Invalid, Code: "verify.not-a-certificate",
		ZH: "文件中没有证书。请使用证书文件（.cer、.crt、.pem 或 .p7b）。", EN: "There is no certificate in the file. Use a file of certificates (.cer, .crt, .pem or .p7b)."}
	errDamagedCertificate = fault.Spec{Kind: fault.Invalid, Code: "verify.damaged-certificate",
		ZH: "证书文件已损坏或不完整，请重新取得。", EN: "The file of certificates is damaged or incomplete: get it again."}
	errManyCertificates = fault.Spec{Kind: fault.TooLarge, Code: "verify.too-many-certificates",
		ZH: "文件中的证书过多，请分成几个文件。", EN: "There are too many certificates in the file: split it."}
	errLargeCertificates = fault.Spec{Kind: fault.TooLarge, Code: "verify.certificate-file-too-large",
		ZH: "证书文件过大。", EN: "The file of certificates is too large."}
	errFuture = fault.Spec{Kind: fault.Invalid, Code: "verify.time-in-future",
		ZH: "所查的时间晚于现在，证书以后的状态无从得知。", EN: "The time asked for lies in the future: what will be with a certificate then is not known."}
)
