package oidc

import "yinxin/internal/fault"

// The errors of this package.
var (
	ErrConfig = fault.Spec{Kind: fault.Invalid, Code: "oidc.config",
		ZH: "统一身份认证的设置无效。", EN: "The setting of an identity provider is not valid."}
	ErrSecret = fault.Spec{Kind: fault.Invalid, Code: "oidc.secret",
		ZH: "缺少统一身份认证的客户端密钥。", EN: "The client secret for an identity provider is missing."}
	ErrUnknown = fault.Spec{Kind: fault.NotFound, Code: "oidc.unknown-provider",
		ZH: "没有这个统一身份认证服务，或此处不能使用。", EN: "There is no such identity provider, or it is not offered here."}
	ErrUnavailable = fault.Spec{Kind: fault.Unavailable, Code: "oidc.unavailable",
		ZH: "统一身份认证服务暂时无法使用，请稍后再试，或用其他方式登录。", EN: "The identity provider cannot be used now: try again later, or sign in another way."}
	ErrFlow = fault.Spec{Kind: fault.Unauthenticated, Code: "oidc.flow",
		ZH: "这次登录已过期、已使用过，或不是从本浏览器发起的，请重新登录。", EN: "This login has expired, was used already or was not begun in this browser: begin again."}
	ErrDeclined = fault.Spec{Kind: fault.Unauthenticated, Code: "oidc.declined",
		ZH: "统一身份认证服务没有确认登录。", EN: "The identity provider did not confirm the login."}
	ErrAnswer = fault.Spec{Kind: fault.Unauthenticated, Code: "oidc.answer",
		ZH: "统一身份认证服务的答复未通过核验，登录已拒绝。", EN: "The answer of the identity provider did not stand up to its checks; the login is refused."}
)
