package chain

import (
	"errors"

	"yinxin/internal/fault"
)

// The errors of this package. Codes never change their meaning.
var (
	// ErrCertificate is a certificate that cannot be read.
	ErrCertificate = fault.Spec{Kind: fault.Invalid, Code: "chain.bad-certificate",
		ZH: "证书格式错误，无法读取。", EN: "The certificate cannot be read."}
	// ErrCRL is a certificate revocation list that cannot be read.
	ErrCRL = fault.Spec{Kind: fault.Invalid, Code: "chain.bad-crl",
		ZH: "证书撤销列表格式错误，无法读取。", EN: "The certificate revocation list cannot be read."}
	// ErrTooLarge is a certificate, list or trust file over the limit.
	ErrTooLarge = fault.Spec{Kind: fault.TooLarge, Code: "chain.too-large",
		ZH: "证书或撤销列表过大。", EN: "The certificate or revocation list is too large."}
	// ErrSignature is a signature that does not match the key and the bytes.
	ErrSignature = fault.Spec{Kind: fault.Invalid, Code: "chain.bad-signature",
		ZH: "签名值与内容不符。", EN: "The signature does not match the content."}
	// ErrWeak is a signature made with an algorithm or key size that proves nothing any more. The value itself was
	// right where it could be computed.
	ErrWeak = fault.Spec{Kind: fault.Refused, Code: "chain.weak-algorithm",
		ZH: "签名使用了不安全的弱算法，不能作为证明。", EN: "The signature uses a weak algorithm and proves nothing."}
	// ErrAlgorithm is a signature algorithm that is not known here.
	ErrAlgorithm = fault.Spec{Kind: fault.Refused, Code: "chain.unknown-algorithm",
		ZH: "无法识别的签名算法。", EN: "The signature algorithm is not known."}
	// ErrKey is a public key that is not known here, is not a point of its curve, or does not fit the algorithm.
	ErrKey = fault.Spec{Kind: fault.Refused, Code: "chain.bad-key",
		ZH: "公钥无法识别，或与签名算法不符。", EN: "The public key is not usable with this algorithm."}
	// ErrNotCA is a certificate that issued another without being a CA.
	ErrNotCA = fault.Spec{Kind: fault.Invalid, Code: "chain.not-a-ca",
		ZH: "签发者证书不是 CA 证书。", EN: "The issuing certificate is not a CA certificate."}
	// ErrKeyUsage is a certificate used for what its key usage does not allow.
	ErrKeyUsage = fault.Spec{Kind: fault.Invalid, Code: "chain.key-usage",
		ZH: "证书的密钥用法不允许此用途。", EN: "The certificate's key usage does not allow this use."}
	// ErrPathLength is a chain longer than one of its CAs allows, or longer than this package follows.
	ErrPathLength = fault.Spec{Kind: fault.Invalid, Code: "chain.path-length",
		ZH: "证书链超过了允许的长度。", EN: "The certificate chain is longer than allowed."}
	// ErrCritical is a certificate with a critical extension that is not understood.
	ErrCritical = fault.Spec{Kind: fault.Refused, Code: "chain.critical-extension",
		ZH: "证书含有无法识别的关键扩展项。", EN: "The certificate has a critical extension that is not understood."}
	// ErrTrust is a trust file or folder that cannot be used.
	ErrTrust = fault.Spec{Kind: fault.Invalid, Code: "chain.bad-trust-file",
		ZH: "信任锚文件无法使用。", EN: "The trust file cannot be used."}
)

// atRow adds to an error of this package which of several things it speaks of, counted from 1.
func atRow(err error, row int) error {
	var f *fault.Fault
	if !errors.As(err, &f) {
		return err
	}
	place := f.Place
	place.Row = row
	return f.At(place)
}
