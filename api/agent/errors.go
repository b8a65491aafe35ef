package agent

import (
	"yinxin/internal/fault"
	"yinxin/sealer/terminal/manifest"
)

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

	ErrUnreachable = fault.Spec{Kind: fault.Unavailable, Code: "agent.unreachable",
		ZH: "连接不上服务器，请检查网络；已完成的不受影响。", EN: "The server cannot be reached; what was completed stays so."}
	ErrServerCertificate = fault.Spec{Kind: fault.Refused, Code: "agent.server-certificate",
		ZH: "服务器的 TLS 证书不受信任；内部机构签发的，配对时用 --ca 给出。", EN: "The TLS certificate of the server is not trusted; for one of an internal CA, name that with --ca as you pair."}
	ErrOutdated = fault.Spec{Kind: fault.Refused, Code: "agent.outdated",
		ZH: "签章助手版本过旧，请从“签章终端”页下载新版；仍可继续使用。", EN: "This agent is older than its server wants: get the new one from the page of your terminals. It goes on working."}
	ErrAnswer = fault.Spec{Kind: fault.Unavailable, Code: "agent.answer",
		ZH: "服务器的回答无法理解。", EN: "The server gave an answer that cannot be understood."}

	ErrDocument = fault.Spec{Kind: fault.Refused, Code: "agent.document",
		ZH: "待签文件不是原文件加上这一个签章，未签名。", EN: "The prepared file is not the original plus this one seal; nothing was signed."}
	ErrToSign = fault.Spec{Kind: fault.Refused, Code: "agent.to-be-signed",
		ZH: "待签数据与所示内容不一致，未签名。", EN: "What was to be signed differs from what is shown; nothing was signed."}
	ErrChanged = fault.Spec{Kind: fault.Refused, Code: "agent.changed",
		ZH: "重新准备的内容与已同意的不同，未签名。", EN: "What was prepared anew differs from what was agreed to; nothing was signed."}

	ErrNotAll = fault.Spec{Kind: fault.Refused, Code: "agent.not-all",
		ZH: "有文件没有盖章，原因见各文件。", EN: "Some files were not sealed; each says why."}
	ErrLater = fault.Spec{Kind: fault.Denied, Code: "agent.later",
		ZH: "以后再盖章，没有签名。", EN: "Put off; nothing was signed."}
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

	// Of logins by USB Key.
	ErrLoginDeclined = fault.Spec{Kind: fault.Denied, Code: manifest.ReasonLoginDeclined,
		ZH: "未同意登录，没有签名；确认码不一致的，可能有人冒用您的用户名，请告知管理员。", EN: "Not agreed to, nothing was signed; if the numbers differed somebody may be using your name: tell an administrator."}
	ErrLoginWrongKey = fault.Spec{Kind: fault.Refused, Code: "agent.login-wrong-key",
		ZH: "插入的 UKey 没有此用户的登录证书，请换用本人的 UKey。", EN: "The USB Key has no certificate of this user; insert the right one."}
	ErrNoLoginCertificate = fault.Spec{Kind: fault.NotFound, Code: "agent.no-login-certificate",
		ZH: "UKey 上没有可用于登录的证书：须为有效期内的签名证书，且有其密钥。", EN: "There is no certificate to sign in with on the USB Key: one for signatures, in its validity, with its key."}
	ErrLoginCertificates = fault.Spec{Kind: fault.Conflict, Code: "agent.login-certificates",
		ZH: "UKey 上有多张签名证书，请用 --certificate 指明序列号。", EN: "There are several certificates for signatures on the USB Key; say which by --certificate and its serial number."}
	ErrLoginCertificateExpired = fault.Spec{Kind: fault.Refused, Code: "agent.login-certificate-expired",
		ZH: "UKey 证书不在有效期内，不能用它登录。", EN: "The certificate of the USB Key is outside its validity; nobody can sign in with it."}
)
