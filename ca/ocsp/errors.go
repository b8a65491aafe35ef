package ocsp

import "yinxin/internal/fault"

// The errors of this package. Codes never change their meaning.
var (
	// ErrRequest is a request that cannot be read.
	ErrRequest = fault.Spec{Kind: fault.Invalid, Code: "ocsp.bad-request",
		ZH: "证书状态查询请求格式错误。", EN: "The OCSP request cannot be read."}
	// ErrResponse is a response that cannot be read.
	ErrResponse = fault.Spec{Kind: fault.Invalid, Code: "ocsp.bad-response",
		ZH: "证书状态响应格式错误。", EN: "The OCSP response cannot be read."}
	// ErrTooLarge is a request or response over the limit.
	ErrTooLarge = fault.Spec{Kind: fault.TooLarge, Code: "ocsp.too-large",
		ZH: "证书状态请求或响应过大。", EN: "The OCSP request or response is too large."}
	// ErrUnsuccessful is a response that says that the responder did not answer.
	ErrUnsuccessful = fault.Spec{Kind: fault.Unavailable, Code: "ocsp.unsuccessful",
		ZH: "证书状态服务未给出应答。", EN: "The OCSP responder gave no answer."}
	// ErrResponder is a response signed by someone who may not answer for this issuer.
	ErrResponder = fault.Spec{Kind: fault.Invalid, Code: "ocsp.bad-responder",
		ZH: "证书状态响应的签名者无权为该签发者应答。", EN: "The signer of the OCSP response may not answer for this issuer."}
	// ErrResponderUnchecked is a response of a delegated responder whose own revocation was not checked and who does not
	// carry the mark that it need not be.
	ErrResponderUnchecked = fault.Spec{Kind: fault.Refused, Code: "ocsp.responder-unchecked",
		ZH: "证书状态响应者自身的证书状态未经核实。", EN: "The OCSP responder's own certificate was not checked for revocation."}
	// ErrTime is a response from the future, or one whose responder certificate was not valid.
	ErrTime = fault.Spec{Kind: fault.Invalid, Code: "ocsp.bad-time",
		ZH: "证书状态响应的时间不合理，或响应者证书不在有效期内。", EN: "The OCSP response is from the future, or its responder's certificate was not valid then."}
	// ErrCertID is a certificate identifier that cannot be made.
	ErrCertID = fault.Spec{Kind: fault.Invalid, Code: "ocsp.bad-cert-id",
		ZH: "无法生成证书标识：摘要算法不支持，或签发者证书无法识别。", EN: "The certificate identifier cannot be made: unknown digest, or issuer not understood."}
	// ErrSign is a response that could not be signed.
	ErrSign = fault.Spec{Kind: fault.Internal, Code: "ocsp.cannot-sign",
		ZH: "证书状态响应签名失败。", EN: "The OCSP response could not be signed."}
)
