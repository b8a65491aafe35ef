package login

import "yinxin/internal/fault"

// The errors of this room.
var (
	ErrRefused = fault.Spec{Kind: fault.Unauthenticated, Code: "login.refused",
		ZH: "用户名或密码不正确。", EN: "The name or the password is not right."}
	ErrLocked = fault.Spec{Kind: fault.Unauthenticated, Code: "login.locked",
		ZH: "密码连续输错次数过多，账号已暂时锁定。", EN: "The password was wrong too often; the account is closed for some time."}
	ErrNoSession = fault.Spec{Kind: fault.Unauthenticated, Code: "login.no-session",
		ZH: "尚未登录，或登录已过期。", EN: "Nobody is signed in here, or the session has ended."}
	ErrPassword = fault.Spec{Kind: fault.Invalid, Code: "login.password",
		ZH: "新密码不符合要求：12 至 128 个字符，且不得包含用户名。", EN: "The new password is not accepted: 12 to 128 characters, without the name of the account."}
	ErrSessionNotFound = fault.Spec{Kind: fault.NotFound, Code: "login.session-not-found",
		ZH: "没有这个登录会话，或它已结束。", EN: "There is no such session, or it has ended."}
	ErrOfficer = fault.Spec{Kind: fault.Denied, Code: "login.officer",
		ZH: "登记员、审核员和审计员的密码只能在服务器上设置（yinxin enroll people password）。", EN: "Passwords of registrars, approvers and auditors are set on the server itself (yinxin enroll people password)."}
	ErrStranger = fault.Spec{Kind: fault.Denied, Code: "login.stranger",
		ZH: "统一身份认证已通过，但该身份尚未与本系统的人员关联。", EN: "The identity provider knows you, but nobody here is linked to that identity."}
	ErrRetired = fault.Spec{Kind: fault.Denied, Code: "login.retired",
		ZH: "该人员已停用，不能登录。", EN: "This person is retired and cannot sign in."}
	ErrLink = fault.Spec{Kind: fault.Invalid, Code: "login.link",
		ZH: "统一身份认证的标识无效：1 至 255 个可见的 ASCII 字符。", EN: "The identifier at the identity provider is not valid: 1 to 255 visible ASCII characters."}
	ErrLinked = fault.Spec{Kind: fault.Conflict, Code: "login.linked",
		ZH: "该身份已与一名人员关联。", EN: "This identity is linked to somebody already."}
	ErrLinkNotFound = fault.Spec{Kind: fault.NotFound, Code: "login.link-not-found",
		ZH: "没有这个关联，或它已解除。", EN: "There is no such link, or it has ended."}
	ErrLinkOfficer = fault.Spec{Kind: fault.Denied, Code: "login.link-officer",
		ZH: "登记员、审核员和审计员的统一身份认证只能在服务器上关联（yinxin enroll people identities）。", EN: "Registrars, approvers and auditors are linked to identity providers on the server itself (yinxin enroll people identities)."}

	ErrMustChange = fault.Spec{Kind: fault.Denied, Code: "login.must-change",
		ZH: "请先修改管理员设置的密码。", EN: "Change the password that an administrator set first."}

	// Of USB Keys with which people sign in.
	ErrKeyNotFound = fault.Spec{Kind: fault.NotFound, Code: "login.key-not-found",
		ZH: "没有这把登录 UKey，或它已解除、已过确认时限。", EN: "There is no such USB Key to sign in with, or it was ended, or was not confirmed in time."}
	ErrKeyTaken = fault.Spec{Kind: fault.Conflict, Code: "login.key-taken",
		ZH: "另一名人员已用这把 UKey 登录。", EN: "Somebody else signs in with this USB Key."}
	ErrKeyMany = fault.Spec{Kind: fault.Conflict, Code: "login.key-many",
		ZH: "登录 UKey 已达上限，请先解除不用的。", EN: "There are as many USB Keys to sign in with as there may be; end those that are not used."}

	// Of logins by USB Key.
	ErrKeyTooMany = fault.Spec{Kind: fault.Unauthenticated, Code: "login.key-too-many",
		ZH: "以此用户名用 UKey 登录的请求过多。", EN: "Logins by USB Key were asked for too often in this name."}
	ErrKeyBusy = fault.Spec{Kind: fault.Unavailable, Code: "login.key-busy",
		ZH: "等待 UKey 确认的登录过多，请稍后再试。", EN: "Too many logins wait for USB Keys; try again later."}
	ErrNoChallenge = fault.Spec{Kind: fault.Unauthenticated, Code: "login.key-none",
		ZH: "没有等待 UKey 确认的登录，或它已结束；请重新开始。", EN: "No login waits for a USB Key here, or it has ended; begin again."}
	ErrKeyWaits = fault.Spec{Kind: fault.Unauthenticated, Code: "login.key-waits",
		ZH: "UKey 尚未确认，请先在签章助手中核对确认码并输入 PIN。", EN: "The USB Key has not answered yet; compare the number in the agent and give the PIN there."}
	ErrKeyExpired = fault.Spec{Kind: fault.Unauthenticated, Code: "login.key-expired",
		ZH: "登录请求未在时限内确认，请重新开始。", EN: "The login was not confirmed in time; begin again."}
)
