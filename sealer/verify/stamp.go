package verify

import (
	"slices"
	"time"

	"yinxin/ca/chain"
	"yinxin/ca/cms"
	"yinxin/ca/tsa"
	"yinxin/internal/fault"
)

// proof says that a signature existed at a time.
type proof struct {
	time   time.Time
	source string // TimeSourceTimeStamp or TimeSourceDocumentTimeStamp
}

// stamp is a document time stamp that was found good: it proves everything that it covers.
type stamp struct {
	end  int64
	time time.Time
}

// teller records what was found about a time stamp, step by step.
type teller func(name string, r Result, t text)

// stampAfter is the time of the first good document time stamp that covers what a signature covers, and the signature.
func (v *verification) stampAfter(s *signature) (time.Time, bool) {
	i := slices.IndexFunc(v.stamps, func(p stamp) bool { return p.end > s.end })
	if i < 0 || !s.sound {
		return time.Time{}, false
	}
	return v.stamps[i].time, true
}

// relied is when a time stamp is relied on: at the next one that covers it (renewal: each is proved by the next), else
// now.
func (v *verification) relied(s *signature) time.Time {
	if at, ok := v.stampAfter(s); ok {
		return at
	}
	return v.options.At
}

// checkStamps judges the document time stamps, the last first, and keeps those that prove something.
func (v *verification) checkStamps() error {
	for _, s := range slices.Backward(v.signatures) {
		if s.out.Kind != KindTimeStamp {
			continue
		}
		if err := v.ctx.Err(); err != nil {
			return err
		}
		v.checkDocumentStamp(s)
		if s.sound && s.verdict == Valid {
			v.stamps = slices.Insert(v.stamps, 0, stamp{s.end, s.token.Info.Time})
		}
	}
	return nil
}

// checkDocumentStamp judges one document time stamp.
func (v *verification) checkDocumentStamp(s *signature) {
	s.out.Profile = "time-stamp"
	if s.tokenErr != nil {
		s.check(CheckFormat, Failed, Invalid, text{"时间戳格式错误：" + sentences(s.tokenErr).zh, "The time stamp is malformed: " + sentences(s.tokenErr).en})
		return
	}
	s.out.Time, s.out.TimeSource = rfc3339(s.token.Info.Time), TimeSourceTimeStamp
	s.ok(CheckFormat, text{"格式符合 RFC 3161。", "The format is that of RFC 3161."})
	signer := v.judgeToken(s, s.token, s.digest, v.chain, func(name string, r Result, t text) {
		switch r {
		case Failed:
			verdict := Invalid
			if name == CheckDigest {
				verdict = Modified
			}
			s.check(name, r, verdict, t)
		case Unknown:
			s.check(name, r, Undetermined, t)
		default:
			s.check(name, r, Valid, t)
		}
	})
	if signer != nil {
		s.describeSigner(signer, roleStamp)
		s.out.Algorithm = algorithmOf(signer.PublicKey, s.token.Data)
	}
}

// judgeToken judges a time-stamp token over something whose digest, made as the token says, is imprint: nil when it
// could not be made. Each step is told; the token proves its time if none is Failed or Unknown. It gives the
// authority's certificate when there is one.
func (v *verification) judgeToken(s *signature, t *tsa.Token, imprint []byte, trust *chain.Verifier, tell teller) *chain.Certificate {
	// The digest is compared below, so that it has a line of its own.
	result := t.Check(t.Info.Imprint.Digest, v.material.certificates...)
	signer := result.Certificate
	if signer == nil {
		tell(CheckSignatureValue, resultOf(result.Err), text{"时间戳机构的证书：" + sentences(result.Err).zh + "。", "The authority's certificate: " + sentences(result.Err).en + "."})
		return nil
	}
	s.opineMessage(text{"时间戳签名", "the time stamp's signature"}, t.Data, signer, nil, result.Report)
	if err := result.Err; err != nil {
		tell(CheckSignatureValue, resultOf(err), text{"时间戳的签名不能接受：" + sentences(err).zh + "。", "The time stamp's signature is not acceptable: " + sentences(err).en + "."})
	} else {
		tell(CheckSignatureValue, OK, text{"时间戳的签名正确。", "The time stamp's signature is right."})
	}
	hash := string(t.Hash())
	err := t.Stamps(imprint)
	switch {
	case imprint == nil:
		tell(CheckDigest, Unknown, text{"时间戳所证内容的摘要未计算。", "The digest of what the time stamp is about was not computed."})
	case err == nil:
		tell(CheckDigest, OK, text{"时间戳所证的正是这些内容（" + hash + "）。", "The content matches the digest in the time stamp (" + hash + ")."})
	case fault.Has(err, chain.ErrWeak):
		tell(CheckDigest, Unknown, text{"时间戳使用了不安全的摘要算法（" + hash + "）。", "The time stamp uses a weak digest (" + hash + ")."})
	default:
		tell(CheckDigest, Failed, text{"时间戳所证的不是这些内容。", "The time stamp is about something else: the content does not match its digest."})
	}
	v.judgeAuthority(s, t, signer, trust, tell)
	return signer
}

// resultOf is Unknown for an error that leaves open whether something is genuine.
func resultOf(err error) Result {
	if cms.Undecided(err) || fault.Has(err, chain.ErrKey) {
		return Unknown
	}
	return Failed
}

// judgeAuthority judges the authority's certificate when the token was made, and when it is relied on.
func (v *verification) judgeAuthority(s *signature, t *tsa.Token, signer *chain.Certificate, trust *chain.Verifier, tell teller) {
	relied := v.relied(s)
	trust = trust.With(t.Data.Certificates, sourcesOf(t.Data)...)
	then := trust.Verify(v.ctx, signer, t.Info.Time, chain.UsageTimeStamp)
	s.remember(then)
	made := momentText(t.Info.Time)
	switch {
	case then.ChainErr != nil:
		e := sentences(then.ChainErr)
		tell(CheckAuthority, Failed, text{"时间戳机构证书不能接受：" + e.zh + "。", "The time-stamp authority's certificate is not acceptable: " + e.en + "."})
		return
	case !then.Trusted:
		tell(CheckAuthority, Unknown, text{"时间戳机构的颁发机构不在信任列表中。", "The issuer of the time-stamp authority is not among the trusted ones."})
		tell(CheckAuthorityRevoked, NotChecked, text{"时间戳机构不受信任，未检查。", "Not checked, since the authority is not trusted."})
		return
	case then.NotYetValid || then.Expired:
		tell(CheckAuthority, Failed, text{"签发时间戳时（" + made.zh + "）机构证书不在有效期内。", "The authority's certificate was not valid when it made the time stamp (" + made.en + ")."})
		return
	}
	tell(CheckAuthority, OK, text{"时间戳机构受信任，签发时证书有效。", "The time-stamp authority is trusted and its certificate was valid then."})
	switch st := then.Revocation; {
	case st.State == chain.StateRevoked:
		tell(CheckAuthorityRevoked, Failed, text{"签发时间戳前机构证书已被撤销（" + day(st.At) + "）。", "The authority's certificate had been revoked before (" + day(st.At) + ")."})
		return
	case st.State == chain.StateUnknown:
		tell(CheckAuthorityRevoked, Unknown, text{"未能查询时间戳机构证书的撤销状态" + reason(st.Detail, "（", "）") + "。",
			"The revocation status of the authority's certificate is not known" + reason(st.Detail, " (", ")") + "."})
		return
	case st.RevokedLater && !st.At.After(relied) && !harmless(st.Reason):
		tell(CheckAuthorityRevoked, Unknown, text{"时间戳机构证书后来被撤销（" + day(st.At) + "），此前没有更新的时间戳证明它。",
			"The authority's certificate was revoked later (" + day(st.At) + "), before any newer time stamp proved this one."})
		return
	}
	tell(CheckAuthorityRevoked, OK, text{"时间戳机构证书未被撤销。", "The authority's certificate was not revoked."})
	switch {
	case relied.IsZero():
		tell(CheckTime, Unknown, text{"当前时间不明。", "The present is not known."})
	case t.Info.Time.After(relied.Add(clockSkew)):
		tell(CheckTime, Unknown, text{"时间戳的时间晚于现在，或晚于覆盖它的时间戳。", "The time stamp lies in the future, or after the one that covers it."})
	case relied.After(signer.NotAfter):
		tell(CheckTime, Unknown, text{"时间戳机构证书已过期，此前没有更新的时间戳证明它。",
			"The authority's certificate has expired, and no newer time stamp proved this one before."})
	default:
		tell(CheckTime, OK, text{"时间戳证明的时间：" + made.zh + "。", "The time stamp proves the time " + made.en + "."})
	}
}

// harmless are the reasons of revocation that leave earlier time stamps good (RFC 3161 clause 4.1): affiliation changed,
// superseded, cessation of operation. No reason counts as a compromise.
func harmless(reason int) bool { return reason >= 3 && reason <= 5 }

// prove finds what proves the time of a signature: its own time stamps over value, else a document time stamp.
func (v *verification) prove(s *signature, tokens [][]byte, value []byte) {
	told := false
	for i, der := range tokens {
		if i == maxTokens {
			break
		}
		told = v.proveBy(s, der, value) || told
	}
	at, covered := v.stampAfter(s)
	if covered && (s.proof == nil || at.Before(s.proof.time)) {
		s.proof = &proof{at, TimeSourceDocumentTimeStamp}
	}
	for _, d := range v.signatures {
		if d.out.Kind == KindTimeStamp && d.sound && s.sound && d.end > s.end && d.token != nil && len(s.out.TimeStamps) < maxTokens {
			s.out.TimeStamps = append(s.out.TimeStamps, TimeStamp{Kind: "document", Field: d.out.Field, Time: rfc3339(d.token.Info.Time),
				Authority: d.out.Signer, Proves: d.verdict == Valid, Detail: d.reason.in(s.lang)})
		}
	}
	switch {
	case covered && !told:
		s.ok(CheckTimeStamp, text{"之后的文档时间戳证明它不晚于 " + rfc3339(at) + "。", "A later document time stamp proves that it is not later than " + rfc3339(at) + "."})
	case !told:
		s.skip(CheckTimeStamp, text{"没有时间戳。", "There is no time stamp."})
	}
	if s.proof != nil {
		if !s.claim.IsZero() {
			s.out.ClaimedTime = rfc3339(s.claim)
		}
		s.out.Time, s.out.TimeSource = rfc3339(s.proof.time), s.proof.source
	}
}

// maxTokens is how many time stamps over one signature are looked at.
const maxTokens = 8

// proveBy judges one time stamp over a signature value. One that is broken makes the signature doubtful; one that only
// cannot be trusted leaves it as it would be without. It says true when it recorded the check.
func (v *verification) proveBy(s *signature, der, value []byte) bool {
	t, err := tsa.ParseWith(der, v.chain.Certificate)
	if err != nil {
		s.check(CheckTimeStamp, Failed, Undetermined, text{"签名附带的时间戳格式错误：" + sentences(err).zh, "The time stamp that came with the signature is malformed: " + sentences(err).en})
		return true
	}
	worst, detail := OK, text{}
	signer := v.judgeToken(s, t, t.Hash().Sum(value), v.chainOf(s), func(_ string, r Result, said text) {
		if r == Failed && worst != Failed || r == Unknown && worst == OK {
			worst, detail = r, said
		}
	})
	entry := TimeStamp{Kind: "signature", Time: rfc3339(t.Info.Time), Proves: worst == OK, Detail: detail.in(s.lang)}
	if signer != nil {
		entry.Authority = clip(displayName(signer), 200)
		s.addCertificate(roleStamp, signer)
	}
	s.out.TimeStamps = append(s.out.TimeStamps, entry)
	at := momentText(t.Info.Time)
	switch worst {
	case Failed:
		s.check(CheckTimeStamp, Failed, Undetermined, text{"签名附带的时间戳无效：" + detail.zh, "The time stamp that came with the signature is not valid: " + detail.en})
	case Unknown:
		s.check(CheckTimeStamp, Unknown, Valid, text{"签名附带的时间戳（时间为 " + at.zh + "）不能作为证明：" + detail.zh, "The time stamp that came with the signature (" + at.en + ") proves nothing: " + detail.en})
	default:
		s.ok(CheckTimeStamp, text{"签名附带的时间戳有效，时间为 " + at.zh + "。", "The time stamp that came with the signature is good; its time is " + at.en + "."})
		if s.proof == nil || t.Info.Time.Before(s.proof.time) {
			s.proof = &proof{t.Info.Time, TimeSourceTimeStamp}
		}
	}
	return true
}
