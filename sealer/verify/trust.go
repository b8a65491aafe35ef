package verify

import (
	"bytes"
	"time"

	"yinxin/ca/chain"
	"yinxin/ca/cms"
	"yinxin/sealer/ses"
)

// clockSkew is how far a signer's clock may be ahead of ours.
const clockSkew = 5 * time.Minute

// judgedAt is the time at which everything inside a signature is judged: the proved one, else what the signer says, else
// now for a signed message that says nothing: it exists now.
func (s *signature) judgedAt() time.Time {
	switch {
	case s.proof != nil:
		return s.proof.time
	case s.claim.IsZero():
		return s.present
	}
	return s.claim
}

// late says that the proof of a signature's time came after the time that its signer claims: what was good at the
// claimed time and is not good at the proved one is then not known, since nothing proves that the claim is true.
func (s *signature) late() bool {
	return s.proof != nil && !s.claim.IsZero() && s.claim.Before(s.proof.time)
}

// checkSigner judges the signer's certificate at signing time (steps 4 and 5), and, where nothing proves that time,
// whether the certificate is good now.
func (v *verification) checkSigner(s *signature) {
	at := s.judgedAt()
	if at.IsZero() {
		s.check(CheckTime, Unknown, Undetermined, text{"无法读取签章时间。", "The signing time cannot be read."})
		s.skip(CheckSigner, text{"签章时间不明，未检查证书。", "Not checked, since the signing time is not known."})
		return
	}
	then := v.chainOf(s).Verify(v.ctx, s.signer, at, chain.UsageSign)
	s.remember(then)
	who := text{"签章人证书", "the signer's certificate"}
	trusted := s.chainCheck(CheckSigner, then, who)
	known := s.revocationCheck(CheckSignerRevocation, then, trusted, who)
	switch {
	case then.NotYetValid:
		s.check(CheckTime, Failed, Invalid, text{"签章时证书尚未生效。", "The certificate was not yet valid at the time of signing."})
	case then.Expired && s.late() && validAt(then.Path, s.claim):
		s.check(CheckTime, Unknown, Undetermined, text{"可信时间证明的时刻（" + day(at) + "）证书已过期，不能证明签章在有效期内。",
			"The certificate had expired at the proved time (" + day(at) + "): nothing proves that it was valid when signing."})
	case then.Expired:
		s.check(CheckTime, Failed, Invalid, text{"签章时证书已过期。", "The certificate had expired at the time of signing."})
	case s.proof != nil:
		s.provedCheck()
	case v.options.At.IsZero():
		s.check(CheckTime, Unknown, Undetermined, text{"签章时间没有可信时间戳证明，且当前时间不明。", "Nothing proves the signing time, and the present is not known."})
	case at.After(v.options.At.Add(clockSkew)):
		s.check(CheckTime, Unknown, Undetermined, text{"签章时间晚于现在。", "The signing time lies in the future."})
	default:
		v.presentCheck(s, then, trusted && known)
	}
}

// validAt says whether every certificate of a path was valid at a time.
func validAt(path []*chain.Certificate, at time.Time) bool {
	for _, c := range path {
		if !c.ValidAt(at) {
			return false
		}
	}
	return true
}

// provedCheck records by what the time is proved.
func (s *signature) provedCheck() {
	how := text{"签名时间戳", "its time stamp"}
	if s.proof.source == TimeSourceDocumentTimeStamp {
		how = text{"文档时间戳", "a document time stamp"}
	}
	proved := momentText(s.proof.time)
	if s.claim.After(s.proof.time.Add(clockSkew)) {
		s.check(CheckTime, Note, Valid, text{how.zh + "证明签名不晚于 " + proved.zh + "；签章人的时钟比它快。",
			"The signature existed at " + proved.en + ", proved by " + how.en + "; the signer's clock was ahead of it."})
		return
	}
	s.ok(CheckTime, text{how.zh + "证明签名不晚于 " + proved.zh + "，当时证书在有效期内。",
		"The signature existed at " + proved.en + ", proved by " + how.en + "; the certificate was valid then."})
}

// presentCheck judges an unproved signing time: whoever holds a key can set the clock back, so the certificate must
// still be good, or else nobody can tell whether it was when the seal was made (design: Time).
func (v *verification) presentCheck(s *signature, then chain.Result, certain bool) {
	if v.options.At.After(s.signer.NotAfter) {
		s.check(CheckTime, Unknown, Undetermined, text{"证书现已过期，又没有可信时间戳证明签章时间。",
			"The certificate has expired since, and no time stamp proves the signing time."})
		return
	}
	if then.Revocation.RevokedLater {
		s.check(CheckTime, Unknown, Undetermined, text{"证书后来被撤销（" + day(then.Revocation.At) + "），又没有可信时间戳证明签章时间。",
			"The certificate was revoked later (" + day(then.Revocation.At) + "), and no time stamp proves the signing time."})
		return
	}
	if certain {
		now := v.chainOf(s).Verify(v.ctx, s.signer, v.options.At, chain.UsageSign)
		switch now.Revocation.State {
		case chain.StateRevoked:
			s.check(CheckTime, Unknown, Undetermined, text{"证书现已被撤销，又没有可信时间戳证明签章时间。",
				"The certificate is revoked now, and no time stamp proves the signing time."})
			return
		case chain.StateUnknown:
			s.check(CheckTime, Unknown, Undetermined, text{"未能查询证书现在是否被撤销" + reason(now.Revocation.Detail, "（", "）") + "，又没有可信时间戳证明签章时间。",
				"It is not known whether the certificate is revoked now" + reason(now.Revocation.Detail, " (", ")") + ", and no time stamp proves the signing time."})
			return
		}
	}
	if s.claim.IsZero() {
		s.check(CheckTime, Note, Valid, text{"签名没有写明时间，也没有可信时间戳；证书现在有效。",
			"The signature does not say when it was made, and no time stamp proves it; the certificate is valid now."})
		return
	}
	s.check(CheckTime, Note, Valid, text{"签章时间取自签章人的时钟，未经可信时间戳证明；证书至今仍在有效期内。",
		"The signing time is that of the signer's clock, not proved by a time stamp; the certificate is still within its validity."})
}

// reason puts a detail into brackets, if there is one.
func reason(detail, open, shut string) string {
	if detail == "" {
		return ""
	}
	return open + clip(detail, 200) + shut
}

// chainCheck records whether a certificate leads to an anchor. It says true when it does.
func (s *signature) chainCheck(name string, r chain.Result, who text) bool {
	switch {
	case r.ChainErr != nil && cms.Undecided(r.ChainErr):
		t := sentences(r.ChainErr)
		s.check(name, Unknown, Undetermined, text{who.zh + "无法确认：" + t.zh + "。", capital(who.en) + " cannot be confirmed: " + t.en + "."})
		return false
	case r.ChainErr != nil:
		t := sentences(r.ChainErr)
		s.check(name, Failed, Invalid, text{who.zh + "不能接受：" + t.zh + "。", capital(who.en) + " is not acceptable: " + t.en + "."})
		return false
	case !r.Trusted:
		s.check(name, Unknown, Undetermined, text{who.zh + "的颁发机构不在信任列表中。", "The issuer of " + who.en + " is not among the trusted ones."})
		return false
	}
	s.ok(name, text{who.zh + "由受信任的机构颁发，用途正确。", capital(who.en) + " was issued by a trusted authority for this use."})
	return true
}

// revocationCheck records what is known of revocation at signing time. It says true when that is known and good.
func (s *signature) revocationCheck(name string, r chain.Result, trusted bool, who text) bool {
	st := r.Revocation
	switch {
	case st.State == chain.StateRevoked && s.late() && st.At.After(s.claim):
		s.check(name, Unknown, Undetermined, text{who.zh + "在可信时间证明的时刻之前已被撤销（" + day(st.At) + "），不能证明签章早于撤销。",
			capital(who.en) + " was revoked (" + day(st.At) + ") before the proved time: nothing proves that the signature is older."})
		return false
	case st.State == chain.StateRevoked:
		s.check(name, Failed, Invalid, text{who.zh + "在签章前已被撤销（" + day(st.At) + "）。", capital(who.en) + " had been revoked before signing (" + day(st.At) + ")."})
		return false
	case !trusted:
		s.skip(name, text{who.zh + "的颁发机构不受信任，未检查撤销状态。", "Not checked, since the issuer of " + who.en + " is not trusted."})
		return false
	case st.State == chain.StateUnknown:
		s.check(name, Unknown, Undetermined, text{
			"未能查询" + who.zh + "的撤销状态" + reason(st.Detail, "（", "）") + "，请提供有效的证书撤销列表或联网查询。",
			"The revocation status of " + who.en + " is not known" + reason(st.Detail, " (", ")") + "; provide a current revocation list or ask online."})
		return false
	case st.RevokedLater:
		s.check(name, Note, Valid, text{who.zh + "在签章后被撤销（" + day(st.At) + "）。", capital(who.en) + " was revoked after signing (" + day(st.At) + ")."})
		return true
	}
	s.ok(name, text{who.zh + "在签章时未被撤销。", capital(who.en) + " was not revoked at the time of signing."})
	return true
}

// checkMaker judges the seal itself: the maker's signature over it, and the maker's certificate, at signing time and
// when the seal was made (step 7).
func (v *verification) checkMaker(s *signature, seal *ses.Seal) {
	maker, err := v.certificate(seal.MakerCertificate)
	if err != nil {
		s.check(CheckSealValue, Failed, Invalid, text{"制章者证书无法读取，印章不能验证。", "The seal maker's certificate cannot be read, so that the seal cannot be verified."})
		return
	}
	s.addCertificate(roleMaker, maker)
	err = v.sealValue(maker, seal)
	s.valueCheck(CheckSealValue, err, text{"制章者对印章的签名", "the maker's signature on the seal"})
	s.opine(text{"制章者签名", "the maker's signature"}, maker.PublicKey, seal.SignedBytes(), nil, seal.Value, err)
	if s.signer != nil && bytes.Equal(s.signer.RawSPKI, maker.RawSPKI) {
		// Anyone with a certificate can make a seal of any name for himself.
		s.check(CheckMaker, Unknown, Undetermined, text{"印章由签章人自己制作，没有制章者证明其有权使用该印章。",
			"The seal was made by the signer: no seal maker confirms that the signer may use it."})
		return
	}
	if s.judgedAt().IsZero() {
		s.skip(CheckMaker, text{"签章时间不明，未检查制章者证书。", "Not checked, since the signing time is not known."})
		return
	}
	v.checkMakerCertificate(s, maker, seal)
}

// sealValue verifies the maker's signature on a seal, once for all signatures of the file with the very same seal, and once for all
// files while the verifier remembers it.
func (v *verification) sealValue(maker *chain.Certificate, seal *ses.Seal) error {
	for _, known := range v.seals {
		if bytes.Equal(known.der, seal.Raw) {
			return known.err
		}
	}
	_, err := v.chain.CheckSignature(maker, seal.Algorithm, seal.SignedBytes(), seal.Value)
	if len(v.seals) < maxRemembered {
		v.seals = append(v.seals, judgedSeal{seal.Raw, err})
	}
	return err
}

// stolen are the reasons of revocation that say that others had the key (RFC 5280 clause 5.3.1): key compromise, CA compromise.
func stolen(reason int) bool { return reason == 1 || reason == 2 }

func (v *verification) checkMakerCertificate(s *signature, maker *chain.Certificate, seal *ses.Seal) {
	who := text{"制章者证书", "the seal maker's certificate"}
	then := v.chainOf(s).Verify(v.ctx, maker, s.judgedAt(), chain.UsageSealMaker)
	s.remember(then)
	if then.ChainErr == nil && !seal.CreateDate.IsZero() && !maker.ValidAt(seal.CreateDate) {
		s.check(CheckMaker, Failed, Invalid, text{"制作印章时制章者证书不在有效期内。", "The seal maker's certificate was not valid when the seal was made."})
		return
	}
	// GM/T 0031-2025: what happens to the maker's certificate after the seal was made is noted, not fatal.
	lasting := seal.Version == ses.Version5
	switch {
	case then.Expired && !lasting && s.late() && validAt(then.Path, s.claim):
		s.check(CheckMaker, Unknown, Undetermined, text{"可信时间证明的时刻制章者证书已过期。", "The seal maker's certificate had expired at the proved time."})
		return
	case then.NotYetValid, then.Expired && !lasting:
		s.check(CheckMaker, Failed, Invalid, text{"签章时制章者证书不在有效期内。", "The seal maker's certificate was not valid at the time of signing."})
		return
	}
	trusted := s.chainCheck(CheckMaker, then, who)
	if then.Expired {
		s.check(CheckMaker, Note, Valid, text{"制章者证书在制作印章之后过期。", "The seal maker's certificate expired after the seal was made."})
	}
	if revoked := then.Revocation; lasting && revoked.State == chain.StateRevoked && revoked.At.After(seal.CreateDate) {
		// Whoever holds a stolen key writes any createDate, and nothing else says when the seal was made.
		if stolen(revoked.Reason) || !revoked.InvalidityDate.IsZero() && !revoked.InvalidityDate.After(seal.CreateDate) {
			s.check(CheckMakerRevocation, Unknown, Undetermined, text{"制章者的密钥已泄露（" + day(revoked.At) + "），不能证明印章制作于此前。",
				"The seal maker's key was compromised (" + day(revoked.At) + "): nothing proves that the seal was made before."})
			return
		}
		s.check(CheckMakerRevocation, Note, Valid, text{"制章者证书在制作印章之后被撤销。", "The seal maker's certificate was revoked after the seal was made."})
		return
	}
	s.revocationCheck(CheckMakerRevocation, then, trusted, who)
}
