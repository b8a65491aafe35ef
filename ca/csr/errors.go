package csr

import "yinxin/internal/fault"

// The errors of this package. Codes never change their meaning.
var (
	// ErrFormat is something that is not a certification request; the place says where it stops being one.
	ErrFormat = fault.Spec{Kind: fault.Invalid, Code: "csr.format",
		ZH: "证书请求格式错误，无法读取。", EN: "The certification request cannot be read."}
	// ErrTooLarge is a request over MaxRequest.
	ErrTooLarge = fault.Spec{Kind: fault.TooLarge, Code: "csr.too-large",
		ZH: "证书请求过大。", EN: "The certification request is too large."}
	// ErrTrailing is data after the end of the request.
	ErrTrailing = fault.Spec{Kind: fault.Invalid, Code: "csr.trailing",
		ZH: "证书请求之后还有多余的数据。", EN: "There is data after the end of the certification request."}
	// ErrForeignKey is a key that is not SM2: RSA, a NIST curve, a curve described by its parameters.
	ErrForeignKey = fault.Spec{Kind: fault.Refused, Code: "csr.foreign-key",
		ZH: "证书请求中的公钥不是 SM2 公钥。", EN: "The key of the certification request is not an SM2 key."}
	// ErrPoint is a key that is no point of the SM2 curve, or the point at infinity.
	ErrPoint = fault.Spec{Kind: fault.Invalid, Code: "csr.point",
		ZH: "证书请求中的公钥不在 SM2 曲线上。", EN: "The key of the certification request is not a point of the SM2 curve."}
	// ErrWeakKey is a key whose private part everybody can know.
	ErrWeakKey = fault.Spec{Kind: fault.Refused, Code: "csr.weak-key",
		ZH: "证书请求中的公钥是公开的示例密钥或弱密钥。", EN: "The key of the certification request is a published example or a weak key."}
	// ErrReservedKey is a key of the certificate authority or its services.
	ErrReservedKey = fault.Spec{Kind: fault.Refused, Code: "csr.reserved-key",
		ZH: "证书请求中的公钥属于证书机构自身。", EN: "The key of the certification request belongs to the authority itself."}
	// ErrAlgorithm is a signature that is not SM2 with SM3.
	ErrAlgorithm = fault.Spec{Kind: fault.Refused, Code: "csr.algorithm",
		ZH: "证书请求的签名算法不是 SM3WithSM2。", EN: "The certification request is not signed with SM2 and SM3."}
	// ErrSignature is a request that the holder of the key did not sign.
	ErrSignature = fault.Spec{Kind: fault.Invalid, Code: "csr.signature",
		ZH: "证书请求的签名验证失败，不能证明持有私钥。", EN: "The signature of the certification request is wrong: possession of the key is not proved."}
	// ErrOtherID is a signature that is right, but under another ID than the default one, or none.
	ErrOtherID = fault.Spec{Kind: fault.Refused, Code: "csr.other-id",
		ZH: "证书请求的签名没有使用默认的用户标识（1234567812345678）。", EN: "The certification request was not signed with the default ID (1234567812345678)."}
	// ErrSign is a key that did not sign.
	ErrSign = fault.Spec{Kind: fault.Internal, Code: "csr.sign",
		ZH: "生成证书请求失败。", EN: "The certification request could not be made."}
)

func bad(field string) error { return ErrFormat.At(fault.Field(field)) }
