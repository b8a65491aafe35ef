package terminal

import "yinxin/internal/fault"

var (
	errNoTerminal = fault.Spec{Kind: fault.NotFound, Code: "terminal.not-found",
		ZH: "没有这台终端，或配对已解除。", EN: "There is no such terminal, or its pairing was ended."}
	errPerson = fault.Spec{Kind: fault.Denied, Code: "terminal.person",
		ZH: "终端只能与人员配对，不能与程序账号配对。", EN: "A terminal is paired with a person, not with the account of a program."}
	errTooManyCodes = fault.Spec{Kind: fault.Unavailable, Code: "terminal.too-many-codes",
		ZH: "申请配对码过于频繁，请稍后再试。", EN: "Too many pairing codes were asked for; try again later."}
	errTooMany = fault.Spec{Kind: fault.Conflict, Code: "terminal.too-many",
		ZH: "配对的终端已达上限，请先解除不用的终端。", EN: "There are as many paired terminals as there may be; end those that are not used."}
	errKeyEnded = fault.Spec{Kind: fault.Refused, Code: "terminal.key-ended",
		ZH: "服务器的清单密钥已停用，请重新配对终端。", EN: "The server's key for this terminal was ended; pair the terminal again."}
	errNoClerk = fault.Spec{Kind: fault.NotFound, Code: "terminal.no-clerk",
		ZH: "本单位没有这位用章人。", EN: "There is no such clerk in this organisation."}
	errTask = fault.Spec{Kind: fault.Invalid, Code: "terminal.task",
		ZH: "用章任务不完整或不正确。", EN: "The task is incomplete or not valid."}
	errTooManyTasks = fault.Spec{Kind: fault.Conflict, Code: "terminal.too-many-tasks",
		ZH: "这位用章人的待办任务已达上限，请先办理或取消。", EN: "The clerk has as many open tasks as there may be; some have to be done or cancelled first."}
	errKeyReused = fault.Spec{Kind: fault.Conflict, Code: "terminal.key-reused",
		ZH: "同一个幂等键已用于另一项任务。", EN: "This idempotency key was used for a different task."}
	errNoTask = fault.Spec{Kind: fault.NotFound, Code: "terminal.no-task",
		ZH: "没有这项用章任务。", EN: "There is no such task."}
	errTaskEnded = fault.Spec{Kind: fault.Conflict, Code: "terminal.task-ended",
		ZH: "任务已取消或已过期。", EN: "The task was cancelled or has expired."}
	errClaimed = fault.Spec{Kind: fault.Conflict, Code: "terminal.claimed",
		ZH: "任务正由另一台终端办理。", EN: "Another terminal has this task."}
	errNotClaimed = fault.Spec{Kind: fault.Conflict, Code: "terminal.not-claimed",
		ZH: "本终端没有领取这项任务，或领取已到期。", EN: "This terminal has not claimed the task, or its claim is over."}
	errNoItem = fault.Spec{Kind: fault.NotFound, Code: "terminal.no-item",
		ZH: "任务中没有这一项。", EN: "There is no such item in the task."}
	errItemEnded = fault.Spec{Kind: fault.Conflict, Code: "terminal.item-ended",
		ZH: "这一项已经办结。", EN: "This item has been dealt with."}
	errNoJob = fault.Spec{Kind: fault.NotFound, Code: "terminal.no-job",
		ZH: "本终端没有这项待签名的盖章。", EN: "This terminal has no such sealing that waits for a signature."}
	errJobEnded = fault.Spec{Kind: fault.Conflict, Code: "terminal.job-ended",
		ZH: "这次准备已作废，请重新准备。", EN: "This preparation is void; have the item prepared anew."}
	errConsumed = fault.Spec{Kind: fault.Conflict, Code: "terminal.consumed",
		ZH: "这份签章清单已用过一次。", EN: "This manifest was used once already."}
	errNonce = fault.Spec{Kind: fault.Refused, Code: "terminal.other-nonce",
		ZH: "提交的随机数与签章清单不符。", EN: "The nonce is not that of the manifest."}
	errOtherCertificate = fault.Spec{Kind: fault.Refused, Code: "terminal.other-certificate",
		ZH: "提交的证书不是签章清单所列的证书。", EN: "The certificate is not the one that the manifest names."}
	errSignature = fault.Spec{Kind: fault.Refused, Code: "terminal.bad-signature",
		ZH: "签名值与待签数据或签章人证书不符。", EN: "The signature does not belong to what was to be signed, or not to the signer's certificate."}
	errManifest = fault.Spec{Kind: fault.Refused, Code: "terminal.no-manifest",
		ZH: "这一项含有无法写入签章清单的内容。", EN: "The item has something that a manifest cannot say."}

	errNoLogin = fault.Spec{Kind: fault.NotFound, Code: "terminal.no-login",
		ZH: "没有这个等待确认的登录，或它已结束。", EN: "There is no such login that waits, or it has ended."}
	errNoLoginCertificate = fault.Spec{Kind: fault.Refused, Code: "terminal.login-no-certificate",
		ZH: "您没有启用中的 UKey 证书，不能用 UKey 登录。", EN: "You have no certificate on a USB Key that is in use; you cannot sign in with one."}
	errLoginCertificate = fault.Spec{Kind: fault.Refused, Code: "terminal.login-certificate",
		ZH: "UKey 证书不是此用户的，登录已拒绝。", EN: "The certificate of the USB Key is not this user's; the login is refused."}
	errLoginExpired = fault.Spec{Kind: fault.Refused, Code: "terminal.login-certificate-expired",
		ZH: "UKey 证书不在有效期内，登录已拒绝。", EN: "The certificate of the USB Key is outside its validity; the login is refused."}
	errLoginRevoked = fault.Spec{Kind: fault.Refused, Code: "terminal.login-certificate-revoked",
		ZH: "UKey 证书已吊销或停用，登录已拒绝。", EN: "The certificate of the USB Key is revoked or on hold; the login is refused."}
	errLoginUntrusted = fault.Spec{Kind: fault.Refused, Code: "terminal.login-certificate-untrusted",
		ZH: "UKey 证书的签发机构不受信任，或查不到证书状态，登录已拒绝。", EN: "The certificate of the USB Key leads to no trusted authority, or its state is not known; the login is refused."}
	errLoginSignature = fault.Spec{Kind: fault.Refused, Code: "terminal.login-signature",
		ZH: "UKey 的签名与登录请求不符，登录已拒绝。", EN: "What the USB Key signed is not this login; it is refused."}
)
