package sheet

import "yinxin/sealer/verify"

var certificateLooks = map[verify.CertificateState]look{
	verify.CertificateGood: {"good", text{"证书有效", "The certificate is good"}, text{"有效", "Good"},
		text{"可以采信。请确认证书上的单位就是您要找的单位。", "You can rely on it. Make sure that it names the unit that you expect."}},
	verify.CertificateExpired: {"doubt", text{"证书已过期", "The certificate has expired"}, text{"已过期", "Expired"},
		text{"不能再用它盖章。过期之前的签章是否有效，请直接验证盖章的文件；要用印请向颁发机构申请更新证书。", "It must not be used any more. Whether an earlier seal is good, the sealed file tells: verify that. To go on sealing, have it renewed."}},
	verify.CertificateRevoked: {"bad", text{"证书已吊销", "The certificate is revoked"}, text{"已吊销", "Revoked"},
		text{"请勿采信吊销之后的签章。请向持有单位索取新的证书。", "Do not rely on what was signed after that. Ask its holder for the new certificate."}},
	verify.CertificateHeld: {"bad", text{"证书已冻结", "The certificate is on hold"}, text{"已冻结", "On hold"},
		text{"解冻之前请勿采信，请向持有单位或颁发机构核实。", "Do not rely on it until the hold is lifted: ask its holder or the authority."}},
	verify.CertificateNotYetValid: {"doubt", text{"证书尚未生效", "The certificate is not yet valid"}, text{"尚未生效", "Not yet valid"},
		text{"请在生效之后再查验；如不应如此，请核对本机时间并询问颁发机构。", "Check it again when it is in force; if that is unexpected, ask the authority."}},
	verify.CertificateUntrusted: {"doubt", text{"颁发机构不在信任列表", "The authority is not among the trusted ones"}, text{"不在信任列表", "Not trusted"},
		text{"这不等于伪造，但证书所写的单位无从证实。请向本系统管理员提供颁发机构的根证书，核实后加入信任列表；在此之前请勿据此办理。",
			"That does not make it a forgery, but nobody confirms the unit that it names. Give the authority's root certificate to the administrator of this service, and do not act on it before."}},
	verify.CertificateUnknown: {"doubt", text{"状态未能查询", "Its state could not be found out"}, text{"状态未能查询", "Not known"},
		text{"请稍后再查，或向颁发机构核实；在此之前请勿据此办理。", "Try again later or ask the authority, and do not act on it before."}},
	verify.CertificateUnacceptable: {"bad", text{"证书不能接受", "The certificate is not acceptable"}, text{"不能接受", "Not acceptable"},
		text{"请勿采信。请向颁发机构核实这份证书的来历。", "Do not rely on it. Ask the authority where it came from."}},
}

// CertificateLookOf is how the state of a certificate appears in a language.
func CertificateLookOf(s verify.CertificateState, language string) Look {
	return certificateLooks[s].in(language)
}

var usageWords = map[string]text{"digitalSignature": {"数字签名", "digital signature"}, "nonRepudiation": {"抗抵赖", "non-repudiation"}, "keyEncipherment": {"密钥加密", "key encipherment"},
	"dataEncipherment": {"数据加密", "data encipherment"}, "keyAgreement": {"密钥协商", "key agreement"}, "keyCertSign": {"签发证书", "issuing certificates"},
	"cRLSign": {"签发撤销列表", "issuing revocation lists"}, "encipherOnly": {"仅加密", "enciphering only"}, "decipherOnly": {"仅解密", "deciphering only"},
	"serverAuth": {"服务器身份认证", "servers"}, "clientAuth": {"客户端身份认证", "clients"}, "codeSigning": {"代码签名", "signing code"}, "emailProtection": {"电子邮件保护", "e-mail"},
	"timeStamping": {"时间戳", "time stamps"}, "OCSPSigning": {"证书状态应答（OCSP）", "OCSP answers"}, "anyExtendedKeyUsage": {"任何用途", "any purpose"}}

// UsageWord names a key usage of a report; one that has no name is shown as it is.
func UsageWord(usage, language string) string {
	if t, ok := usageWords[usage]; ok {
		return t.in(language)
	}
	return usage
}
