package envelope

import "yinxin/internal/fault"

// The errors of this package. Codes never change their meaning.
var (
	// ErrFormat is an envelope or an SM2 ciphertext that cannot be read.
	ErrFormat = fault.Spec{Kind: fault.Invalid, Code: "envelope.format",
		ZH: "密钥信封格式错误。", EN: "The enveloped key cannot be read."}
	// ErrAnswer is an answer to a certificate request that cannot be read or written.
	ErrAnswer = fault.Spec{Kind: fault.Invalid, Code: "envelope.answer",
		ZH: "证书申请的应答格式错误。", EN: "The answer to the certificate request is not well formed."}
	// ErrTooLarge is input over the limit.
	ErrTooLarge = fault.Spec{Kind: fault.TooLarge, Code: "envelope.too-large",
		ZH: "密钥信封或应答过大。", EN: "The enveloped key or the answer is too large."}
	// ErrAlgorithm is an envelope under a cipher other than SM4.
	ErrAlgorithm = fault.Spec{Kind: fault.Invalid, Code: "envelope.algorithm",
		ZH: "密钥信封使用了不支持的对称算法。", EN: "The cipher of the enveloped key is not supported."}
	// ErrOpen is an envelope that does not open: it is for another key, or damaged.
	ErrOpen = fault.Spec{Kind: fault.Refused, Code: "envelope.open",
		ZH: "密钥信封打不开：不是给这个密钥的，或已损坏。", EN: "The envelope does not open: it is for another key or damaged."}
	// ErrKey is a key that is none of SM2, or that does not belong to a certificate.
	ErrKey = fault.Spec{Kind: fault.Invalid, Code: "envelope.key",
		ZH: "密钥不是有效的 SM2 密钥，或与证书不符。", EN: "The key is no valid SM2 key or does not belong to its certificate."}
)
