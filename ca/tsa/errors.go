package tsa

import "yinxin/internal/fault"

// The errors of this package. Codes never change their meaning. What is wrong with the signed data of a token is told by
// the errors of ca/cms and ca/chain.
var (
	// ErrRequest is a request that cannot be read or made.
	ErrRequest = fault.Spec{Kind: fault.Invalid, Code: "tsa.bad-request",
		ZH: "时间戳请求格式错误。", EN: "The time-stamp request cannot be read."}
	// ErrResponse is a response that cannot be read.
	ErrResponse = fault.Spec{Kind: fault.Invalid, Code: "tsa.bad-response",
		ZH: "时间戳响应格式错误。", EN: "The time-stamp response cannot be read."}
	// ErrToken is a token that cannot be read.
	ErrToken = fault.Spec{Kind: fault.Invalid, Code: "tsa.bad-token",
		ZH: "时间戳格式错误，无法读取。", EN: "The time stamp cannot be read."}
	// ErrTooLarge is a request, response or token over the limit.
	ErrTooLarge = fault.Spec{Kind: fault.TooLarge, Code: "tsa.too-large",
		ZH: "时间戳请求、响应或时间戳过大。", EN: "The time-stamp request, response or token is too large."}
	// ErrRefused is an authority that gave no time stamp.
	ErrRefused = fault.Spec{Kind: fault.Unavailable, Code: "tsa.refused",
		ZH: "时间戳服务没有签发时间戳。", EN: "The time-stamp authority gave no time stamp."}
	// ErrImprint is a time stamp of something else.
	ErrImprint = fault.Spec{Kind: fault.Invalid, Code: "tsa.imprint",
		ZH: "时间戳所证明的不是该数据。", EN: "The time stamp is not of this data."}
	// ErrNonce is an answer to another request.
	ErrNonce = fault.Spec{Kind: fault.Invalid, Code: "tsa.nonce",
		ZH: "时间戳响应与请求不对应（随机数不符）。", EN: "The time stamp answers another request: the nonce differs."}
	// ErrPolicy is a time stamp under another policy than the one asked for.
	ErrPolicy = fault.Spec{Kind: fault.Invalid, Code: "tsa.policy",
		ZH: "时间戳的策略与请求的不符。", EN: "The time stamp is under another policy than the one asked for."}
	// ErrCertificate is a certificate that may not sign time stamps.
	ErrCertificate = fault.Spec{Kind: fault.Invalid, Code: "tsa.bad-certificate",
		ZH: "时间戳签名证书没有（关键且唯一的）时间戳用途。", EN: "The certificate is not one for time stamping only, marked critical."}
	// ErrAuthority is an authority that cannot stamp.
	ErrAuthority = fault.Spec{Kind: fault.Unavailable, Code: "tsa.unavailable",
		ZH: "时间戳服务暂时不可用。", EN: "The time-stamp authority is not available."}
	// ErrTime is a clock that cannot be relied on: nothing is stamped.
	ErrTime = fault.Spec{Kind: fault.Unavailable, Code: "tsa.no-time",
		ZH: "时间来源不可靠，暂停签发时间戳。", EN: "The clock cannot be relied on now; nothing is stamped."}
	// ErrImprintAlgorithm is a digest that the authority does not stamp.
	ErrImprintAlgorithm = fault.Spec{Kind: fault.Refused, Code: "tsa.unknown-digest",
		ZH: "时间戳服务不支持该摘要算法，或摘要长度不符。", EN: "The digest algorithm is not supported for time stamps, or the digest has another length."}
)
