package cms

import "yinxin/internal/fault"

// The errors of this package. Codes never change their meaning. Signature values give those of ca/chain: ErrSignature,
// ErrWeak, ErrAlgorithm, ErrKey.
var (
	// ErrSignedData is something that is not a readable SignedData.
	ErrSignedData = fault.Spec{Kind: fault.Invalid, Code: "cms.bad-signed-data",
		ZH: "签名数据格式错误，无法读取。", EN: "The signed data cannot be read."}
	// ErrTooLarge is signed data over a limit of size, count or depth.
	ErrTooLarge = fault.Spec{Kind: fault.TooLarge, Code: "cms.too-large",
		ZH: "签名数据过大或结构过于复杂。", EN: "The signed data is too large or too complex."}
	// ErrSignerCount is signed data without a signer, or with several: a reader could look at one and trust the other.
	ErrSignerCount = fault.Spec{Kind: fault.Invalid, Code: "cms.signer-count",
		ZH: "签名数据必须恰好有一个签名者。", EN: "The signed data must have exactly one signer."}
	// ErrNoCertificate is a signer whose certificate is not there.
	ErrNoCertificate = fault.Spec{Kind: fault.Refused, Code: "cms.certificate-missing",
		ZH: "签名数据中没有签名者的证书。", EN: "The signer's certificate is not in the signed data."}
	// ErrCertificate is a signer's certificate that is not the one that was signed for.
	ErrCertificate = fault.Spec{Kind: fault.Invalid, Code: "cms.certificate-mismatch",
		ZH: "签名者证书与签名中指明的证书不符，可能被替换。", EN: "The signer's certificate is not the one that the signature names; it may have been swapped."}
	// ErrAmbiguous is a signer to whom several different certificates belong, with nothing signed that tells which.
	ErrAmbiguous = fault.Spec{Kind: fault.Invalid, Code: "cms.certificate-ambiguous",
		ZH: "有多张不同的证书与签名者标识相符，无法确定签名者。", EN: "Several different certificates fit the signer, and nothing signed tells which it is."}
	// ErrDuplicate is an attribute that is there twice, or that has not exactly one value.
	ErrDuplicate = fault.Spec{Kind: fault.Invalid, Code: "cms.duplicate-attribute",
		ZH: "签名属性重复，或属性值不唯一。", EN: "A signed attribute occurs twice or does not have exactly one value."}
	// ErrMissing is a signed attribute that must be there and is not.
	ErrMissing = fault.Spec{Kind: fault.Invalid, Code: "cms.attribute-missing",
		ZH: "缺少必需的签名属性。", EN: "A required signed attribute is missing."}
	// ErrAttribute is a signed attribute that cannot be read.
	ErrAttribute = fault.Spec{Kind: fault.Invalid, Code: "cms.bad-attribute",
		ZH: "签名属性格式错误。", EN: "A signed attribute cannot be read."}
	// ErrContentType is a signed content type that is not the one of the content.
	ErrContentType = fault.Spec{Kind: fault.Invalid, Code: "cms.content-type",
		ZH: "签名属性中的内容类型与实际内容类型不符。", EN: "The signed content type is not that of the content."}
	// ErrDigest is content that is not what was signed.
	ErrDigest = fault.Spec{Kind: fault.Invalid, Code: "cms.message-digest",
		ZH: "内容的摘要与签名不符，内容已被更改。", EN: "The digest of the content is not the signed one: the content was changed."}
	// ErrEmbedded is signed data that brings content of its own where it should speak of other content.
	ErrEmbedded = fault.Spec{Kind: fault.Invalid, Code: "cms.content-embedded",
		ZH: "签名数据自带内容，不是对外部文件的签名。", EN: "The signed data brings its own content and does not sign the file."}
	// ErrDetached is signed data whose content was not handed over.
	ErrDetached = fault.Spec{Kind: fault.Invalid, Code: "cms.content-missing",
		ZH: "签名数据不含被签名的内容。", EN: "The signed content is not in the signed data."}
	// ErrStripped is content that is itself a set of signed attributes: a signature over attributes passed off as one over
	// content.
	ErrStripped = fault.Spec{Kind: fault.Invalid, Code: "cms.attributes-stripped",
		ZH: "签名属性被剥离并冒充为内容。", EN: "The signed attributes were stripped and passed off as the content."}
	// ErrAlgorithms are algorithm identifiers that contradict each other.
	ErrAlgorithms = fault.Spec{Kind: fault.Invalid, Code: "cms.algorithm-mismatch",
		ZH: "签名中的算法标识相互矛盾。", EN: "The algorithm identifiers of the signature contradict each other."}
	// ErrWrite is signed data that could not be made.
	ErrWrite = fault.Spec{Kind: fault.Internal, Code: "cms.cannot-write",
		ZH: "生成签名数据失败。", EN: "The signed data could not be made."}
)
