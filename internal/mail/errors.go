package mail

import (
	"errors"

	"yinxin/internal/fault"
)

// Errors of this room.
var (
	ErrConfig = fault.Spec{Kind: fault.Invalid, Code: "mail.config",
		ZH: "邮件服务器的配置无效。", EN: "The configuration of the mail server is not valid."}
	ErrPassword = fault.Spec{Kind: fault.Unavailable, Code: "mail.password",
		ZH: "无法读取邮件服务器的密码。", EN: "The password for the mail server cannot be read."}
	ErrAddress = fault.Spec{Kind: fault.Invalid, Code: "mail.address",
		ZH: "邮件地址无效。", EN: "The mail address is not valid."}
	ErrMessage = fault.Spec{Kind: fault.Invalid, Code: "mail.message",
		ZH: "邮件的内容无效。", EN: "The content of the mail is not valid."}
	ErrSource = fault.Spec{Kind: fault.Internal, Code: "mail.source",
		ZH: "不知道如何编写这封邮件。", EN: "Nothing here knows how to compose this mail."}
	ErrUnavailable = fault.Spec{Kind: fault.Unavailable, Code: "mail.unavailable",
		ZH: "邮件服务器暂时不可用。", EN: "The mail server is not available."}
	ErrTLS = fault.Spec{Kind: fault.Unavailable, Code: "mail.tls",
		ZH: "无法与邮件服务器建立加密连接。", EN: "No encrypted connection with the mail server could be made."}
	ErrLogin = fault.Spec{Kind: fault.Unavailable, Code: "mail.login",
		ZH: "邮件服务器不接受登录。", EN: "The mail server does not accept the login."}
	ErrRefused = fault.Spec{Kind: fault.Refused, Code: "mail.refused",
		ZH: "邮件服务器拒收这封邮件。", EN: "The mail server refused the mail."}
)

// ErrMoot is what a source returns when the reason for the mail has gone: nothing is sent, and that is no failure.
var ErrMoot = errors.New("mail: its reason has gone")
