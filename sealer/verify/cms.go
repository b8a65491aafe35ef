package verify

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/subtle"
	"fmt"
	"strings"
	"time"

	"github.com/emmansun/gmsm/sm2"

	"yinxin/ca/chain"
	"yinxin/ca/cms"
	"yinxin/ca/ocsp"
	"yinxin/ca/tsa"
	"yinxin/internal/fault"
	"yinxin/sealer/pdf"
	"yinxin/sealer/ses"
)

// takeMessage reads signed data and finds out which digest of the file it was made over. Which type of signature it is
// follows from what it is, not from what the dictionary calls it.
func (v *verification) takeMessage(s *signature, der []byte) {
	s.out.Kind = KindCMS
	if s.message, s.messageErr = cms.ParseWith(der, v.chain.Certificate); s.messageErr != nil {
		return
	}
	if s.message.ContentType == cms.TypeTSTInfo {
		s.out.Kind = KindTimeStamp
		if s.token, s.tokenErr = tsa.ParseWith(der, v.chain.Certificate); s.tokenErr == nil {
			s.need = need{hash: s.token.Hash()}
		}
		return
	}
	s.certificate, s.certificateErr = s.message.SignerCertificate(v.material.certificates...)
	if embedsSHA1(s.message) {
		s.need = need{hash: cms.SHA1}
		return
	}
	if d, err := s.message.ContentDigest(s.certificate); err == nil {
		s.need = need{d.Hash, string(d.Prefix)}
	}
}

// embedsSHA1 recognises adbe.pkcs7.sha1 (ISO 32000-1, 12.8.3.3.1): the signed content is the SHA-1 digest of the file.
func embedsSHA1(d *cms.SignedData) bool {
	return d.Embedded && d.ContentType == cms.TypeData && len(d.Content) == 20
}

// checkMessage judges a signature in CMS.
func (v *verification) checkMessage(s *signature) {
	if err := s.messageErr; err != nil {
		s.check(CheckFormat, Failed, Invalid, text{"签名数据格式错误：" + sentences(err).zh + "。", "The signed data is malformed: " + sentences(err).en + "."})
		return
	}
	s.claim, s.present = v.claimOf(s), v.options.At
	if !s.claim.IsZero() {
		s.out.Time, s.out.TimeSource = rfc3339(s.claim), TimeSourceSignature
	}
	s.chain = v.chain.With(s.message.Certificates, sourcesOf(s.message)...)
	digest := s.digest
	if embedsSHA1(s.message) {
		digest = nil
	}
	report := s.message.Verify(s.certificate, digest)
	if s.certificate != nil {
		s.describeSigner(s.certificate, roleSigner)
		s.out.Algorithm = algorithmOf(s.certificate.PublicKey, s.message)
	}
	s.out.Profile = s.profile()
	s.messageChecks(report)
	s.opineMessage(text{"签名值", "the signature value"}, s.message, s.certificate, digest, report)
	seal := s.attachedSeal()
	v.proveMessage(s)
	if s.signer != nil {
		v.checkSigner(s)
	} else {
		s.skip(CheckSigner, text{"没有签名者证书，未检查。", "Not checked, since the signer's certificate is not known."})
	}
	if seal == nil {
		return
	}
	v.checkMaker(s, seal)
	s.periodCheck(seal)
	v.checkSealState(s, seal)
}

func (v *verification) proveMessage(s *signature) {
	signer, err := s.message.Signer()
	if err != nil {
		return // told with the format
	}
	v.prove(s, signer.TimeStamps(), signer.Value)
}

// profile names the shape of a signed message.
func (s *signature) profile() string {
	key, _ := s.publicKey().(*ecdsa.PublicKey)
	switch {
	case s.message.GM:
		return "cms-gm"
	case key != nil && key.Curve == sm2.P256():
		return "cms"
	}
	return "pkcs7"
}

func (s *signature) publicKey() any {
	if s.certificate == nil {
		return nil
	}
	return s.certificate.PublicKey
}

// rules are the steps of ca/cms in the words of a report: the check they belong to and what is said when they were kept.
var rules = []struct {
	rule  cms.Rule
	check string
	good  text
}{
	{cms.RuleSigner, CheckFormat, text{"签名数据格式正确，恰好有一个签名者。", "The signed data is well made, with exactly one signer."}},
	{cms.RuleCertificate, CheckIdentity, text{"签名者证书正是签名指明的那一张。", "The certificate is the one that the signature names."}},
	{cms.RuleAttributes, CheckAttributes, text{"签名属性完整，没有重复。", "The signed attributes are complete, none twice."}},
	{cms.RuleContentType, CheckContentType, text{"内容类型与签名属性一致。", "The content type is the signed one."}},
	{cms.RuleDigest, CheckDigest, text{"文件内容与签名时的摘要一致", "The content matches the digest that was signed"}},
	{cms.RuleAlgorithms, CheckAlgorithms, text{"算法标识前后一致。", "The algorithm identifiers agree."}},
	{cms.RuleSignature, CheckSignatureValue, text{"签名值正确。", "The signature value is right."}},
}

// messageChecks records each rule as a check.
func (s *signature) messageChecks(report cms.Report) {
	for _, r := range rules {
		f, told := report.Finding(r.rule)
		switch {
		case !told:
			s.skip(r.check, text{"签名者不唯一，未检查。", "Not checked, since there is not exactly one signer."})
		case r.rule == cms.RuleDigest:
			s.messageDigestCheck(f.Err)
		case f.Err == nil && len(f.Notes) > 0:
			s.check(r.check, Note, Valid, text{strings.TrimSuffix(r.good.zh, "。") + "（与标准略有出入：" + clip(strings.Join(f.Notes, "; "), 300) + "）。",
				strings.TrimSuffix(r.good.en, ".") + " (" + clip(strings.Join(f.Notes, "; "), 300) + ")."})
		case f.Err == nil:
			s.ok(r.check, r.good)
		case fault.Has(f.Err, cms.ErrNoCertificate) && r.rule != cms.RuleCertificate:
			s.skip(r.check, text{"没有签名者证书，未检查。", "Not checked, since the signer's certificate is not there."})
		case r.rule == cms.RuleCertificate && s.certificateErr != nil:
			s.failed(r.check, s.certificateErr)
		default:
			s.failed(r.check, f.Err)
		}
	}
}

// failed records a rule that was not kept, by what the error leaves open.
func (s *signature) failed(check string, err error) {
	t := sentences(err)
	t = text{t.zh + "。", t.en + "."}
	if resultOf(err) == Unknown {
		s.check(check, Unknown, Undetermined, t)
		return
	}
	s.check(check, Failed, Invalid, t)
}

// messageDigestCheck records whether the file is what was signed.
func (s *signature) messageDigestCheck(err error) {
	embedded := embedsSHA1(s.message)
	signer, _ := s.message.Signer()
	switch {
	case s.digest == nil && err == nil:
		s.check(CheckDigest, NotChecked, Undetermined, text{"未计算文件内容的摘要。", "The digest of the content was not computed."})
	case embedded && err == nil && subtle.ConstantTimeCompare(s.digest, s.message.Content) == 1:
		s.check(CheckDigest, Unknown, Undetermined, text{"文件内容与签名时的摘要一致，但使用的是不安全的 SHA-1（adbe.pkcs7.sha1），不能作为证明。",
			"The content matches the digest that was signed, but that is SHA-1 (adbe.pkcs7.sha1), which is weak and proves nothing."})
	case fault.Has(err, cms.ErrDigest), embedded && err == nil:
		s.check(CheckDigest, Failed, Modified, text{"文件内容与签名时的摘要不符，签名后被改动。", "The content does not match the digest that was signed: it was changed."})
	case fault.Has(err, cms.ErrNoCertificate):
		s.check(CheckDigest, NotChecked, Undetermined, text{"没有签名者证书，未检查。", "Not checked, since the signer's certificate is not there."})
	case err != nil:
		s.failed(CheckDigest, err)
	case signer != nil && !signer.Signed:
		s.ok(CheckDigest, text{"签名直接针对文件内容，由签名值一并检查（" + string(s.need.hash) + "）。", "The signature is over the content itself and is checked with the value (" + string(s.need.hash) + ")."})
	default:
		s.ok(CheckDigest, text{"文件内容与签名时的摘要一致（" + string(s.need.hash) + "）。", "The content matches the digest that was signed (" + string(s.need.hash) + ")."})
	}
}

// attachedSeal reads the seal that travels as a signed attribute (profiles cms and cms-gm), checks that the signer may
// use it, and describes it. Nil: there is none, or it cannot be read.
func (s *signature) attachedSeal() *ses.Seal {
	signer, err := s.message.Signer()
	if err != nil {
		return nil
	}
	der, err := signer.Seal()
	if err != nil || der == nil {
		return nil // a doubled attribute was told with the attributes
	}
	seal, err := ses.ParseSeal(der)
	if err != nil {
		s.check(CheckCertificateList, Failed, Invalid, text{"签名附带的印章格式错误：" + sentences(err).zh, "The seal in the signature is malformed: " + sentences(err).en})
		return nil
	}
	s.describeSeal(seal)
	switch {
	case s.certificate == nil:
		s.check(CheckCertificateList, Unknown, Undetermined, text{"签名数据中没有签章人证书，无法判断是否有权使用该印章。",
			"The signed data carries no certificate of the signer, so that it cannot be told whether the seal may be used."})
	case seal.Lists(s.certificate.Raw):
		s.ok(CheckCertificateList, text{"签章人证书在印章的证书列表中。", "The seal lists the signer's certificate."})
	default:
		s.check(CheckCertificateList, Failed, Invalid, text{"签章人证书不在印章的证书列表中，无权使用该印章。",
			"The seal does not list the signer's certificate: the signer must not use it."})
	}
	if len(ses.UnknownCritical(seal.Extensions)) > 0 {
		s.check(CheckCertificateList, Unknown, Undetermined, text{"印章含有无法识别的关键扩展项。", "The seal has a critical extension that is not understood."})
	}
	return seal
}

// claimOf is the time that the signer claims: the signed attribute, else /M of the dictionary, which is signed too.
func (v *verification) claimOf(s *signature) time.Time {
	if signer, err := s.message.Signer(); err == nil {
		if at, err := signer.SigningTime(); err == nil && !at.IsZero() {
			return at
		}
	}
	if v.doc == nil {
		return time.Time{} // a signature that was salvaged from a damaged file
	}
	resolved, err := v.doc.Resolve(s.field.Dict.Get("M"))
	if written, ok := resolved.(pdf.String); err == nil && ok && !v.doc.Encrypted() {
		if at, ok := parseDate(written.Text()); ok {
			return at
		}
	}
	return time.Time{}
}

// parseDate reads a date of PDF (ISO 32000-1, 7.9.4): D:YYYYMMDDHHmmSSOHH'mm', where everything after the year may be
// missing. Without a zone it is UTC.
func parseDate(written string) (time.Time, bool) {
	rest := strings.ReplaceAll(strings.TrimPrefix(strings.TrimSpace(written), "D:"), "'", "")
	digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
	if digits < 4 || digits > 14 || digits%2 != 0 {
		return time.Time{}, false
	}
	zone := rest[digits:]
	complete := rest[:digits] + "00000101000000"[digits:]
	switch {
	case zone == "", strings.HasPrefix(zone, "Z"):
		zone = "+0000"
	case len(zone) == 3:
		zone += "00"
	}
	at, err := time.Parse("20060102150405-0700", complete+zone)
	return at.UTC(), err == nil
}

// sourcesOf are the lists and answers that signed data carries as sources of revocation.
func sourcesOf(d *cms.SignedData) []chain.RevocationSource {
	m := material{lists: d.CRLs}
	for _, data := range d.OCSP {
		if answer, err := ocsp.ParseResponse(data); err == nil && len(m.answers) < maxMaterial && len(answer.Singles) <= maxSingles {
			m.answers = append(m.answers, answer)
		}
	}
	return m.sources()
}

// algorithmOf names key and digest of a signed message for people.
func algorithmOf(key any, d *cms.SignedData) string {
	signer, err := d.Signer()
	if err != nil {
		return ""
	}
	digest, ok := cms.HashOf(signer.Digest)
	if !ok {
		digest = "?"
	}
	return keyName(key, signer.Algorithm) + " / " + string(digest)
}

func keyName(key any, a chain.Algorithm) string {
	switch k := key.(type) {
	case *rsa.PublicKey:
		if strings.HasSuffix(a.OID.String(), ".1.1.10") {
			return fmt.Sprintf("RSA-PSS %d", k.N.BitLen())
		}
		return fmt.Sprintf("RSA %d", k.N.BitLen())
	case *ecdsa.PublicKey:
		if k.Curve == sm2.P256() {
			return "SM2"
		}
		return "ECDSA " + k.Curve.Params().Name
	}
	return "?"
}

// opineMessage notes the value of an SM2 message for the second opinion.
func (s *signature) opineMessage(what text, d *cms.SignedData, c *chain.Certificate, digest []byte, report cms.Report) {
	signer, err := d.Signer()
	found, told := report.Finding(cms.RuleSignature)
	if err != nil || c == nil || !told {
		return
	}
	if signer.Signed {
		s.opine(what, c.PublicKey, signer.SignedOctets(), nil, signer.Value, found.Err)
	} else if digest != nil {
		s.opine(what, c.PublicKey, nil, digest, signer.Value, found.Err)
	}
}
