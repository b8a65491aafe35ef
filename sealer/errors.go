package sealer

import "yinxin/internal/fault"

var (
	errNoDocument = fault.Spec{Kind: fault.NotFound, Code: "document.not-found",
		ZH: "没有这份文件。", EN: "There is no such document."}
	errTooLarge = fault.Spec{Kind: fault.TooLarge, Code: "document.too-large",
		ZH: "文件超过允许的大小。", EN: "The file is larger than allowed."}
	errEmpty = fault.Spec{Kind: fault.Invalid, Code: "document.empty",
		ZH: "文件是空的。", EN: "The file is empty."}
	errUpload = fault.Spec{Kind: fault.Invalid, Code: "document.upload-broken",
		ZH: "上传中断，文件没有保存。", EN: "The upload broke off; nothing was kept."}
	errDamaged = fault.Spec{Kind: fault.Internal, Code: "document.damaged",
		ZH: "存储的文件与登记的摘要不一致，已停止使用。", EN: "The stored file does not match its recorded digest and is not used."}
	errKeyReused = fault.Spec{Kind: fault.Conflict, Code: "sealing.key-reused",
		ZH: "同一个幂等键已用于另一项请求。", EN: "This idempotency key was used for a different request."}
	errInProgress = fault.Spec{Kind: fault.Unavailable, Code: "sealing.in-progress",
		ZH: "相同的请求正在处理，请稍后重试。", EN: "The same request is being processed; try again shortly."}
	errNotVerified = fault.Spec{Kind: fault.Internal, Code: "sealing.not-verified",
		ZH: "盖章结果未通过自检，没有放出。", EN: "The sealed file did not pass the service's own check and was not released."}
	errAbandoned = fault.Spec{Kind: fault.Unavailable, Code: "sealing.abandoned",
		ZH: "盖章耗时过长，已放弃，未放出任何文件。", EN: "Sealing took too long and was given up; nothing was released."}
	errCertificate = fault.Spec{Kind: fault.Refused, Code: "seal.certificate-not-good",
		ZH: "印章证书当前不可用（已吊销、过期或状态未知），不能盖章。", EN: "The seal's certificate is not good now (revoked, expired or of unknown status)."}
	errSuspendedCertificate = fault.Spec{Kind: fault.Refused, Code: "seal.certificate-revoked",
		ZH: "印章证书已吊销或暂停，不能盖章。", EN: "The seal's certificate is revoked or on hold and cannot be used."}
	errExpiredCertificate = fault.Spec{Kind: fault.Refused, Code: "seal.certificate-expired",
		ZH: "印章证书不在有效期内，不能盖章。", EN: "The seal's certificate is outside its validity."}
)
