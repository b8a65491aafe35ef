package agent

import "yinxin/internal/fault"

// The errors of a terminal. Those of the USB Key itself are hsm.*; those of the server keep its codes.
var (
	ErrFolder = fault.Spec{Kind: fault.Refused, Code: "agent.folder",
		ZH: "终端的配置文件夹不可用，或者其他用户可以访问。", EN: "The configuration folder of the terminal cannot be used, or others can read it."}
	ErrConfig = fault.Spec{Kind: fault.Invalid, Code: "agent.config",
		ZH: "终端的配置文件有误。", EN: "The configuration of the terminal cannot be understood."}
	ErrRunning = fault.Spec{Kind: fault.Conflict, Code: "agent.running",
		ZH: "签章助手已在运行。", EN: "The agent is running already."}
	ErrNotPaired = fault.Spec{Kind: fault.NotFound, Code: "agent.not-paired",
		ZH: "本终端尚未与这个服务器配对。", EN: "This terminal is not paired with the server."}
	ErrPairedAlready = fault.Spec{Kind: fault.Conflict, Code: "agent.paired-already",
		ZH: "本终端已与这个服务器配对；先解除配对。", EN: "This terminal is paired with the server already; unpair it first."}
	ErrInsecure = fault.Spec{Kind: fault.Refused, Code: "agent.insecure",
		ZH: "只能通过 HTTPS 连接服务器（本机除外）。", EN: "A server is reached by HTTPS only, except on this machine."}
	ErrCode = fault.Spec{Kind: fault.Invalid, Code: "agent.pairing-code",
		ZH: "配对码应为 20 位字母和数字。", EN: "A pairing code has 20 letters and digits."}
	ErrPairing = fault.Spec{Kind: fault.Refused, Code: "agent.pairing",
		ZH: "服务器不知道这个配对码，或者连接被人篡改；没有配对。", EN: "The server does not know the pairing code, or somebody is in between; nothing was paired."}

	ErrUnreachable = fault.Spec{Kind: fault.Unavailable, Code: "agent.unreachable",
		ZH: "连接不上服务器，请检查网络；已完成的不受影响。", EN: "The server cannot be reached; what was completed stays so."}
	ErrAnswer = fault.Spec{Kind: fault.Unavailable, Code: "agent.answer",
		ZH: "服务器的回答无法理解。", EN: "The server gave an answer that cannot be understood."}
	ErrClock = fault.Spec{Kind: fault.Refused, Code: "agent.clock",
		ZH: "本机时钟与服务器相差过大，请校准时间。", EN: "The clock of this machine is too far off the server's; set it right."}

	ErrManifest = fault.Spec{Kind: fault.Refused, Code: "agent.manifest",
		ZH: "签章清单不是由配对的服务器签发，未签名。", EN: "The manifest was not signed by the paired server; nothing was signed."}
	ErrExpired = fault.Spec{Kind: fault.Unavailable, Code: "agent.expired",
		ZH: "签章清单已过期，未签名。", EN: "The manifest has expired; nothing was signed."}
	ErrNotMine = fault.Spec{Kind: fault.Refused, Code: "agent.not-mine",
		ZH: "签章清单不是发给本终端、本用户或这项任务的，未签名。", EN: "The manifest is not for this terminal, its clerk or this task; nothing was signed."}
	ErrDocument = fault.Spec{Kind: fault.Refused, Code: "agent.document",
		ZH: "待签文件不是原文件加上这一个签章，未签名。", EN: "The prepared file is not the original plus this one seal; nothing was signed."}
	ErrToSign = fault.Spec{Kind: fault.Refused, Code: "agent.to-be-signed",
		ZH: "待签数据与所示内容不一致，未签名。", EN: "What was to be signed differs from what is shown; nothing was signed."}
	ErrChanged = fault.Spec{Kind: fault.Refused, Code: "agent.changed",
		ZH: "重新准备的内容与已同意的不同，未签名。", EN: "What was prepared anew differs from what was agreed to; nothing was signed."}

	ErrNotAll = fault.Spec{Kind: fault.Refused, Code: "agent.not-all",
		ZH: "有文件没有盖章，原因见各文件。", EN: "Some files were not sealed; each says why."}
	ErrDeclined = fault.Spec{Kind: fault.Denied, Code: "agent.declined",
		ZH: "已取消，没有签名。", EN: "Declined; nothing was signed."}
	ErrWrongKey = fault.Spec{Kind: fault.Refused, Code: "agent.wrong-key",
		ZH: "插入的 UKey 证书与所选印章不一致，请换用正确的 UKey。", EN: "The USB Key does not have the certificate of this seal; insert the right one."}
	ErrCertificateExpired = fault.Spec{Kind: fault.Refused, Code: "agent.certificate-expired",
		ZH: "签章人证书不在有效期内，不能盖章。", EN: "The signer's certificate is outside its validity; nothing is sealed with it."}
	ErrSealExpired = fault.Spec{Kind: fault.Refused, Code: "agent.seal-expired",
		ZH: "印章不在有效期内，不能盖章。", EN: "The seal is outside its validity; nothing is sealed with it."}
	ErrSignature = fault.Spec{Kind: fault.Refused, Code: "agent.signature",
		ZH: "UKey 给出的签名值验证不通过，未使用。", EN: "The signature that the USB Key gave is not right and was not used."}
	ErrNoDesk = fault.Spec{Kind: fault.Refused, Code: "agent.no-desk",
		ZH: "没有可用的对话框程序（Linux 请安装 zenity），也没有终端，无法征得同意。", EN: "There are no dialogs (on Linux, install zenity) and no terminal to ask a person in."}
	ErrPictures = fault.Spec{Kind: fault.Unavailable, Code: "agent.pictures",
		ZH: "无法显示页面，未签名。", EN: "The pages cannot be shown; nothing was signed."}

	ErrNoModule = fault.Spec{Kind: fault.Invalid, Code: "agent.no-module",
		ZH: "没有说明 UKey 的 PKCS#11 模块和厂商配置。", EN: "The PKCS#11 module of the USB Key and its vendor profile are not named."}
	ErrNoSeal = fault.Spec{Kind: fault.NotFound, Code: "agent.no-seal",
		ZH: "UKey 中没有这枚印章。", EN: "The USB Key has no such seal."}
	ErrSeveralSeals = fault.Spec{Kind: fault.Conflict, Code: "agent.several-seals",
		ZH: "UKey 中有多枚印章，请用 --seal 指明。", EN: "The USB Key has several seals; name one with --seal."}
	ErrNotVerified = fault.Spec{Kind: fault.Internal, Code: "agent.not-verified",
		ZH: "盖章结果未通过自检，没有写入文件。", EN: "The sealed file did not pass the check and was not written."}
)
