package verify

import (
	"bytes"
	"crypto/subtle"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"yinxin/ca/chain"
	"yinxin/internal/fault"
	"yinxin/sealer/ses"
)

// checkContent judges what is in the signature, once its place in the file is known to be right.
func (v *verification) checkContent(s *signature) {
	switch {
	case s.out.Kind == KindSeal && s.contents != nil:
		v.checkSeal(s)
	case s.out.Kind == KindCMS:
		v.checkMessage(s)
	case s.out.Profile == "x509.rsa":
		s.check(CheckSignatureValue, NotChecked, Undetermined, text{
			"旧式签名（adbe.x509.rsa_sha1）使用不安全的 SHA-1，不作检查。", "Signatures of the old type adbe.x509.rsa_sha1 use SHA-1, which is weak; they are not checked."})
		s.skip(CheckDigest, text{"未检查。", "Not checked."})
		s.skip(CheckSigner, text{"未检查。", "Not checked."})
	}
}

// checkSeal goes through the steps for a seal signature in the order of the standards.
func (v *verification) checkSeal(s *signature) {
	sig := s.seal
	if err := s.sealErr; err != nil {
		s.check(CheckFormat, Failed, Invalid, text{"电子签章数据格式错误：" + sentences(err).zh, "The seal signature is malformed: " + sentences(err).en})
		return
	}
	s.describeSeal(sig.Seal)
	s.claim = sig.Time
	if !s.claim.IsZero() {
		s.out.Time, s.out.TimeSource = rfc3339(s.claim), TimeSourceSignature
	}
	s.formatCheck(sig)
	signer, err := v.certificate(sig.Certificate)
	if err != nil {
		s.check(CheckSignatureValue, Failed, Invalid, text{"签章人证书无法读取，签名值不能验证。", "The signer's certificate cannot be read, so that the value cannot be verified."})
	} else {
		s.describeSigner(signer, roleSigner)
		s.out.Algorithm = keyName(signer.PublicKey, chain.Algorithm{OID: sig.Algorithm}) + " / SM3"
		_, err := chain.CheckSignature(signer.PublicKey, sig.Algorithm, sig.RawTBS, sig.Value)
		s.opine(text{"签名值", "the signature value"}, signer.PublicKey, sig.RawTBS, nil, sig.Value, err)
		s.valueCheck(CheckSignatureValue, err, text{"签章人的签名", "the signer's signature"})
	}
	if sig.Seal.Lists(sig.Certificate) {
		s.ok(CheckCertificateList, text{"签章人证书在印章的证书列表中。", "The seal lists the signer's certificate."})
	} else {
		s.check(CheckCertificateList, Failed, Invalid, text{"签章人证书不在印章的证书列表中，无权使用该印章。",
			"The seal does not list the signer's certificate: the signer must not use it."})
	}
	v.proveSeal(s, sig)
	if signer != nil {
		v.checkSigner(s)
	}
	s.digestCheck(sig)
	s.propertyCheck(sig)
	v.checkMaker(s, sig.Seal)
	s.periodCheck(sig.Seal)
	v.checkSealState(s, sig.Seal)
}

// proveSeal finds what proves the time of a seal signature. The time stamp of versions 4 and 5 is over the octets of the
// signature value. The token that version 1 has in timeInfo cannot be: it was made before the value.
func (v *verification) proveSeal(s *signature, sig *ses.Signature) {
	if sig.Version == ses.Version1 || sig.TimeStamp == nil {
		v.prove(s, nil, nil)
		if sig.TimeStamp != nil {
			s.skip(CheckTimeStamp, text{"签章时间取自其中的时间戳，但它不涵盖签名值，不能作为证明。",
				"The time comes from a token in the seal signature that is not about the signature value and proves nothing."})
		}
		return
	}
	v.prove(s, [][]byte{sig.TimeStamp}, sig.Value)
}

// certificate reads a certificate, and remembers it: the signatures of a file often have it in common.
func (v *verification) certificate(der []byte) (*chain.Certificate, error) {
	for _, c := range v.certificates {
		if bytes.Equal(c.Raw, der) {
			return c, nil
		}
	}
	c, err := v.chain.Certificate(der)
	if err == nil && len(v.certificates) < maxRemembered {
		v.certificates = append(slices.Clip(v.certificates), c)
	}
	return c, err
}

// describeSeal takes over what the seal says of itself, whether it is genuine or not.
func (s *signature) describeSeal(seal *ses.Seal) {
	s.out.Seal = clip(seal.Name, 300)
	s.out.SealID = clip(seal.ID, 100)
	s.out.Picture, s.out.PictureType = seal.Picture.Data, seal.Picture.Type
}

// Roles of certificates in a report.
const (
	roleSigner = "signer"
	roleMaker  = "seal-maker"
	roleStamp  = "time-stamp"
)

func (s *signature) describeSigner(c *chain.Certificate, role string) {
	s.signer = c
	s.owner = clip(displayName(c), 200)
	s.out.Signer = s.owner
	s.out.SignerName = clip(c.Subject.CommonName, 200)
	s.out.Issuer = clip(c.Issuer.String(), 300)
	if c.Serial != nil {
		s.out.Serial = c.Serial.Text(16)
	}
	s.addCertificate(role, c)
}

// displayName is the name by which people know the holder of a certificate. An institution's certificate writes its
// credit code before its name; people read the name.
func displayName(c *chain.Certificate) string {
	if name := strings.TrimPrefix(c.Subject.Organisation, c.OrganisationCode); name != "" {
		return name
	}
	return c.Subject.CommonName
}

func (s *signature) addCertificate(role string, c *chain.Certificate) {
	if len(s.out.Certificates) >= maxRemembered {
		return
	}
	out := Certificate{Role: role, Subject: clip(c.Subject.String(), 300), Issuer: clip(c.Issuer.String(), 300),
		NotBefore: rfc3339(c.NotBefore), NotAfter: rfc3339(c.NotAfter), SM3: c.FingerprintText()}
	if c.Serial != nil {
		out.Serial = c.Serial.Text(16)
	}
	s.out.Certificates = append(s.out.Certificates, out)
}

// formatCheck records step 1, with the leniencies that reading took.
func (s *signature) formatCheck(sig *ses.Signature) {
	standard := map[int]string{ses.Version1: "GM/T 0031-2014", ses.Version4: "GB/T 38540-2020", ses.Version5: "GM/T 0031-2025"}[sig.Version]
	if unknown := len(ses.UnknownCritical(sig.Extensions)) + len(ses.UnknownCritical(sig.Seal.Extensions)); unknown > 0 {
		s.check(CheckFormat, Unknown, Undetermined, text{"签章含有无法识别的关键扩展项。", "The seal signature has a critical extension that is not understood."})
		return
	}
	notes := append(append([]string{}, sig.Notes...), sig.Seal.Notes...)
	if len(notes) == 0 {
		s.ok(CheckFormat, text{"格式符合 " + standard + "。", "The format is that of " + standard + "."})
		return
	}
	zh, en := make([]string, len(notes)), make([]string, len(notes))
	for i, n := range notes {
		zh[i], en[i] = ses.Explain(n, "zh"), ses.Explain(n, "en")
	}
	s.check(CheckFormat, Note, Valid, text{"格式为 " + standard + "，与标准略有出入：" + strings.Join(zh, "；") + "。",
		"The format is that of " + standard + ", with deviations: " + strings.Join(en, "; ") + "."})
}

// valueCheck records the outcome of verifying a signature value.
func (s *signature) valueCheck(name string, err error, what text) {
	switch {
	case err == nil:
		s.ok(name, text{what.zh + "正确。", capital(what.en) + " is right."})
	case fault.Has(err, chain.ErrWeak), fault.Has(err, chain.ErrAlgorithm):
		s.check(name, Unknown, Undetermined, text{what.zh + "使用了不安全或未知的算法。", capital(what.en) + " uses a weak or unknown algorithm."})
	default:
		s.check(name, Failed, Invalid, text{what.zh + "不正确。", capital(what.en) + " is wrong."})
	}
}

func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// digestCheck records step 6: plain SM3 of the covered bytes.
func (s *signature) digestCheck(sig *ses.Signature) {
	switch {
	case s.digest == nil:
		s.skip(CheckDigest, text{"签名覆盖范围有误，未计算摘要。", "Not computed, since what the signature covers is broken."})
	case subtle.ConstantTimeCompare(s.digest, sig.DataHash) != 1:
		s.check(CheckDigest, Failed, Modified, text{"文件内容与盖章时的摘要不符，盖章后被改动。", "The content does not match the digest that was sealed: it was changed."})
	default:
		s.ok(CheckDigest, text{"文件内容与盖章时的摘要一致（SM3）。", "The content matches the digest that was sealed (SM3)."})
	}
}

// propertyCheck compares the signed statement of what is protected with the ByteRange. Other producers put other
// things there.
func (s *signature) propertyCheck(sig *ses.Signature) {
	numbers := strings.Fields(strings.Trim(strings.TrimSpace(sig.PropertyInfo), "[]"))
	ranges := [4]int64{0, s.gap[0], s.gap[1], s.end - s.gap[1]}
	same := len(numbers) == 4
	for i, n := range numbers {
		value, err := strconv.ParseInt(n, 10, 64)
		if err != nil || len(numbers) != 4 {
			s.check(CheckProperty, Note, Valid, text{"签章未写明保护范围，以文件中的范围为准。", "The seal signature does not state what it protects; the file's statement counts."})
			return
		}
		same = same && value == ranges[i]
	}
	switch {
	case same:
		s.ok(CheckProperty, text{"签章写明的保护范围与文件一致。", "What the seal signature says it protects is what it covers."})
	case len(numbers) == 4:
		s.check(CheckProperty, Failed, Invalid, text{"签章写明的保护范围与文件不一致。", "What the seal signature says it protects is not what it covers."})
	default:
		s.check(CheckProperty, Note, Valid, text{"签章未写明保护范围，以文件中的范围为准。", "The seal signature does not state what it protects; the file's statement counts."})
	}
}

// periodCheck records that the seal was valid when it was used, and made before it was used.
func (s *signature) periodCheck(seal *ses.Seal) {
	at := s.judgedAt()
	period := fmt.Sprintf("%s – %s", day(seal.ValidStart), day(seal.ValidEnd))
	switch {
	case at.IsZero():
		s.check(CheckSealPeriod, Unknown, Undetermined, text{"签章时间不明，无法判断印章有效期。", "The signing time is not known, so that the seal's validity cannot be judged."})
	case at.After(seal.ValidEnd) && s.late() && !s.claim.After(seal.ValidEnd) && !s.claim.Before(seal.ValidStart):
		s.check(CheckSealPeriod, Unknown, Undetermined, text{"可信时间证明的时刻印章已过有效期（" + period + "），不能证明签章在有效期内。",
			"The seal was past its validity (" + period + ") at the proved time: nothing proves that it was valid when signing."})
	case at.Before(seal.ValidStart) || at.After(seal.ValidEnd):
		s.check(CheckSealPeriod, Failed, Invalid, text{"签章时印章不在有效期内（" + period + "）。", "The seal was not valid at the time of signing (" + period + ")."})
	case !seal.CreateDate.IsZero() && at.Before(seal.CreateDate):
		s.check(CheckSealPeriod, Failed, Invalid, text{"签章时间早于印章的制作日期。", "The signing time is before the seal was made."})
	default:
		s.ok(CheckSealPeriod, text{"签章时印章在有效期内（" + period + "）。", "The seal was valid at the time of signing (" + period + ")."})
	}
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// checkSealState asks whether the seal itself, not only its certificate, was in force at signing time.
func (v *verification) checkSealState(s *signature, seal *ses.Seal) {
	at := s.judgedAt()
	if v.options.SealStatus == nil || at.IsZero() {
		s.skip(CheckSealState, text{"未查询印章状态。", "The state of the seal was not asked for."})
		return
	}
	state, err := v.options.SealStatus(v.ctx, seal.ID, seal.Raw, at)
	if v.options.Contact != nil && err == nil && slices.Contains([]SealStanding{SealActive, SealSuspended, SealCancelled}, state.Standing) {
		// Without an answer the sentence simply names nobody.
		if c, err := v.options.Contact(v.ctx, seal.ID); err == nil && c.Telephone != "" {
			s.out.Contact = &c
		}
	}
	detail := ""
	if state.Detail != "" {
		detail = " " + clip(state.Detail, 300)
	}
	switch {
	case err != nil:
		s.check(CheckSealState, Unknown, Valid, text{"未能查询印章状态。", "The state of the seal could not be asked for."})
	case state.Standing == SealActive:
		s.ok(CheckSealState, text{"签章时印章处于启用状态。" + detail, "The seal was in force at the time of signing." + detail})
	case (state.Standing == SealSuspended || state.Standing == SealCancelled) && s.late() && state.Since.After(s.claim):
		s.check(CheckSealState, Unknown, Undetermined, text{"可信时间证明的时刻之前印章已停用或注销，不能证明签章更早。" + detail,
			"The seal was suspended or cancelled before the proved time: nothing proves that the signature is older." + detail})
	case state.Standing == SealForged:
		s.check(CheckSealState, Failed, Invalid, text{"印章登记中该编码的印章不是这一枚，印章是伪造的。", "The register has another seal with this code: this one is forged."})
	case state.Standing == SealSuspended:
		s.check(CheckSealState, Failed, Invalid, text{"签章时印章已停用。" + detail, "The seal was suspended at the time of signing." + detail})
	case state.Standing == SealCancelled:
		s.check(CheckSealState, Failed, Invalid, text{"签章时印章已注销。" + detail, "The seal was cancelled at the time of signing." + detail})
	default:
		s.check(CheckSealState, Unknown, Valid, text{"未查询到印章状态。" + detail, "The state of the seal is not known." + detail})
	}
}
