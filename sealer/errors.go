package sealer

import "yinxin/internal/fault"

var (
	errNoDocument = fault.Spec{Kind: fault.NotFound, Code: "document.not-found",
		ZH: "没有这份文件。", EN: "There is no such document."}
	errTooLarge = fault.Spec{Kind: fault.TooLarge, Code: "document.too-large",
		ZH: "文件超过允许的大小。", EN: "The file is larger than allowed."}
	errEmpty = fault.Spec{Kind: fault.Invalid, Code: "document.empty",
		ZH: "文件是空的。", EN: "The file is empty."}
	errDigest = fault.Spec{Kind: fault.Invalid, Code: "document.digest",
		ZH: "文件内容与事先给出的摘要不符，没有保存。", EN: "The bytes are not those of the digest that was declared; nothing was kept."}
	errUpload = fault.Spec{Kind: fault.Invalid, Code: "document.upload-broken",
		ZH: "上传中断，文件没有保存。", EN: "The upload broke off; nothing was kept."}
	errDamaged = fault.Spec{Kind: fault.Internal, Code: "document.damaged",
		ZH: "存储的文件与登记的摘要不一致，已停止使用。", EN: "The stored file does not match its recorded digest and is not used."}
	errNoSealing = fault.Spec{Kind: fault.NotFound, Code: "sealing.not-found",
		ZH: "没有这次盖章的记录。", EN: "There is no such sealing on record."}
	errKeyReused = fault.Spec{Kind: fault.Conflict, Code: "sealing.key-reused",
		ZH: "同一个幂等键已用于另一项请求。", EN: "This idempotency key was used for a different request."}
	errInProgress = fault.Spec{Kind: fault.Unavailable, Code: "sealing.in-progress",
		ZH: "相同的请求正在处理，请稍后重试。", EN: "The same request is being processed; try again shortly."}
	errNotVerified = fault.Spec{Kind: fault.Internal, Code: "sealing.not-verified",
		ZH: "盖章结果未通过自检，没有放出。", EN: "The sealed file did not pass the service's own check and was not released."}
	errAbandoned = fault.Spec{Kind: fault.Unavailable, Code: "sealing.abandoned",
		ZH: "盖章耗时过长，已放弃，未放出任何文件。", EN: "Sealing took too long and was given up; nothing was released."}
	errCertificate = fault.Spec{Kind: fault.Refused, Code: "seal.certificate-not-good",
		ZH: "印章证书当前不可用（已撤销、过期或状态未知），不能盖章。", EN: "The seal's certificate is not good now (revoked, expired or of unknown status)."}
	errExpiredCertificate = fault.Spec{Kind: fault.Refused, Code: "seal.certificate-expired",
		ZH: "印章证书不在有效期内，不能盖章。", EN: "The seal's certificate is outside its validity."}
	errOrder = fault.Spec{Kind: fault.Invalid, Code: "sealing.order",
		ZH: "盖章请求不完整或不正确。", EN: "The order to seal is incomplete or not valid."}
	errCompleted = fault.Spec{Kind: fault.Conflict, Code: "sealing.completed",
		ZH: "这项盖章已经完成。", EN: "This sealing has been completed."}
	errNoJob = fault.Spec{Kind: fault.NotFound, Code: "sealing.no-job",
		ZH: "没有这项待签名的盖章。", EN: "There is no such sealing that waits for a signature."}
	errBadSignature = fault.Spec{Kind: fault.Invalid, Code: "sealing.bad-signature",
		ZH: "签名值与待签数据或签章人证书不符。", EN: "The signature does not belong to what was to be signed, or not to the signer's certificate."}
	errNoViewer = fault.Spec{Kind: fault.Unavailable, Code: "sealing.no-viewer",
		ZH: "此服务没有配置页面查看程序，不能按关键字定位或预览。", EN: "No viewer is configured here, so keywords cannot be found and nothing can be previewed."}
	errNoAuthority = fault.Spec{Kind: fault.Unavailable, Code: "sealing.no-time-stamp",
		ZH: "没有可用的时间戳服务。", EN: "No time-stamp authority is available."}
	errNoEvidence = fault.Spec{Kind: fault.Unavailable, Code: "sealing.no-evidence",
		ZH: "无法取得长期验证所需的证书状态数据。", EN: "The certificate status that long-term proof needs could not be obtained."}
	errNothingToExtend = fault.Spec{Kind: fault.Refused, Code: "sealing.nothing-to-extend",
		ZH: "文件中没有可以延长的签章。", EN: "There is no signature in the file whose proof could be extended."}
	errExtendBroken = fault.Spec{Kind: fault.Refused, Code: "sealing.extend-broken",
		ZH: "文件中的签章验证不通过，不能延长；请先验证文件。", EN: "A signature in the file is not valid, so its proof is not extended; verify the file first."}
	errNoFont = fault.Spec{Kind: fault.Unavailable, Code: "sealing.no-font",
		ZH: "没有可用的中文字体，不能在印章旁加文字。", EN: "There is no font with Chinese, so no text can be put beside the seal."}
	errClaim = fault.Spec{Kind: fault.Refused, Code: "sealing.breaks-pdfa",
		ZH: "文件声明符合 PDF/A，按此方式盖章后将不再符合。", EN: "The file says that it is PDF/A; sealed like this it would no longer be."}
)
