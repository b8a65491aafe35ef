package verify

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"slices"
	"strings"
	"time"

	"yinxin/ca/chain"
	"yinxin/ca/cms"
	"yinxin/internal/oid"
)

// CertificatesReport is what is said about a file of certificates.
type CertificatesReport struct {
	File string `json:"file"`
	At   string `json:"at"` // the moment that "now" means, RFC 3339
	// Certificates are those of the file, those of holders before those of authorities.
	Certificates []JudgedCertificate `json:"certificates"`
}

// JudgedCertificate is what a certificate says of itself, and what is known of it.
type JudgedCertificate struct {
	Subject string `json:"subject"`
	// Organisation, Name and CreditCode are parts of it: the unit, the common name, and the 统一社会信用代码 of the extension.
	Organisation string `json:"organisation,omitempty"`
	Name         string `json:"name,omitempty"`
	CreditCode   string `json:"creditCode,omitempty"`
	SealCode     string `json:"sealCode,omitempty"` // the 14 digits for which it was made out
	Issuer       string `json:"issuer"`
	Serial       string `json:"serial"` // hexadecimal
	NotBefore    string `json:"notBefore"`
	NotAfter     string `json:"notAfter"`
	// Algorithm is that of its key, SignatureAlgorithm that of its issuer's signature.
	Algorithm          string   `json:"algorithm"`
	SignatureAlgorithm string   `json:"signatureAlgorithm"`
	Authority          bool     `json:"authority"` // it may issue certificates
	KeyUsage           []string `json:"keyUsage"`  // names of RFC 5280 clauses 4.2.1.3 and 4.2.1.12, or an OID; empty: not limited
	SM3                string   `json:"sm3"`
	SHA256             string   `json:"sha256"`
	// Chain leads from the issuer upwards, as far as it is known; Anchor is the trusted certificate that it ends at, if any.
	Chain  []string `json:"chain"`
	Anchor string   `json:"anchor,omitempty"`
	// Now is what is known at this moment, Then at the one that was asked for.
	Now  CertificateStanding  `json:"now"`
	Then *CertificateStanding `json:"then,omitempty"`

	// DER is the certificate.
	DER []byte `json:"-"`
}

// CertificateState is the answer about a certificate at a time.
type CertificateState string

// The states. Untrusted: no path leads to an anchor, so that nothing that it says is confirmed. Unknown: whether it was
// revoked could not be found out. Unacceptable: forged, damaged, made with a weak algorithm, or issued by who must not.
const (
	CertificateGood         CertificateState = "good"
	CertificateExpired      CertificateState = "expired"
	CertificateRevoked      CertificateState = "revoked"
	CertificateHeld         CertificateState = "held"
	CertificateNotYetValid  CertificateState = "not-yet-valid"
	CertificateUntrusted    CertificateState = "untrusted"
	CertificateUnknown      CertificateState = "unknown"
	CertificateUnacceptable CertificateState = "unacceptable"
)

// CertificateStanding is what is known of a certificate at a time.
type CertificateStanding struct {
	At      string           `json:"at"` // RFC 3339
	State   CertificateState `json:"state" enum:"good,expired,revoked,held,not-yet-valid,untrusted,unknown,unacceptable"`
	Summary string           `json:"summary"` // a sentence in the language asked for
	// Since is when it was revoked or put on hold, Reason the CRLReason (RFC 5280 clause 5.3.1). With the state good it was
	// revoked after the moment asked for.
	Since  string `json:"since,omitempty"`
	Reason *int   `json:"reason,omitempty"`
}

// Certificates judges every certificate of a file, now and at a time, if that is not zero; the others of the file help to
// reach an anchor. Of the options Chain, At and Language count. name is only repeated. Errors: verify.private-key,
// verify.not-a-certificate, verify.damaged-certificate, verify.too-many-certificates,
// verify.certificate-file-too-large, verify.time-in-future; verify.cancelled when ctx ends early.
func Certificates(ctx context.Context, name string, data []byte, then time.Time, o Options) (*CertificatesReport, error) {
	if then.After(o.At) {
		return nil, errFuture.New()
	}
	f, err := readCertificates(data)
	if err != nil {
		return nil, err
	}
	v := o.Chain
	if v == nil {
		v = &chain.Verifier{}
	}
	v = v.With(f.certificates, chain.NewCRLSource(f.lists...))
	r := &CertificatesReport{File: name, At: rfc3339(o.At), Certificates: []JudgedCertificate{}}
	for _, c := range f.certificates {
		j := describe(c)
		now := judgeCertificate(ctx, v, c, o.At)
		j.Now = standingAt(c, now, o.At, o.Language)
		for _, above := range now.Path[min(1, len(now.Path)):] {
			j.Chain = append(j.Chain, nameOf(above))
		}
		if now.Trusted {
			j.Anchor = nameOf(now.Path[len(now.Path)-1])
		}
		if !then.IsZero() {
			s := standingAt(c, judgeCertificate(ctx, v, c, then), then, o.Language)
			j.Then = &s
		}
		r.Certificates = append(r.Certificates, j)
	}
	if err := ctx.Err(); err != nil {
		return nil, errCancelled.Because(err)
	}
	slices.SortStableFunc(r.Certificates, func(a, b JudgedCertificate) int {
		switch {
		case a.Authority == b.Authority:
			return 0
		case a.Authority:
			return 1
		}
		return -1
	})
	return r, nil
}

// judgeCertificate judges a certificate for what it was made for: anchors may be trusted for some uses only.
func judgeCertificate(ctx context.Context, v *chain.Verifier, c *chain.Certificate, at time.Time) chain.Result {
	uses := []chain.Usage{chain.UsageAny}
	has := func(purpose asn1.ObjectIdentifier) bool { return slices.ContainsFunc(c.ExtKeyUsage, purpose.Equal) }
	switch {
	case c.IsCA:
	case has(oid.EKUTimeStamping):
		uses = append(uses, chain.UsageTimeStamp)
	case has(oid.EKUOCSPSigning):
		uses = append(uses, chain.UsageOCSP)
	case !c.HasKeyUsage || c.KeyUsage&(x509.KeyUsageDigitalSignature|x509.KeyUsageContentCommitment) != 0:
		uses = append(uses, chain.UsageSign, chain.UsageSealMaker)
	}
	var first chain.Result
	for i, u := range uses {
		r := v.Verify(ctx, c, at, u)
		if r.Trusted {
			return r
		}
		if i == 0 {
			first = r
		}
	}
	return first
}

func describe(c *chain.Certificate) JudgedCertificate {
	digest := sha256.Sum256(c.Raw)
	j := JudgedCertificate{Subject: clip(c.Subject.String(), 300), Organisation: clip(c.Subject.Organisation, 300), Name: clip(c.Subject.CommonName, 300),
		CreditCode: clip(c.OrganisationCode, 100), Issuer: clip(c.Issuer.String(), 300), NotBefore: rfc3339(c.NotBefore), NotAfter: rfc3339(c.NotAfter),
		Algorithm:          keyName(c.PublicKey, chain.Algorithm{}),
		SignatureAlgorithm: signatureName(chain.Algorithm{OID: c.SignatureAlgorithm, Parameters: c.SignatureParameters}),
		Authority:          c.IsCA, KeyUsage: usages(c), SM3: c.FingerprintText(), SHA256: fmt.Sprintf("%x", digest), Chain: []string{}, DER: c.Raw}
	if c.Serial != nil {
		j.Serial = c.Serial.Text(16)
	}
	if code := c.Subject.CommonName; len(code) == 14 && strings.Trim(code, "0123456789") == "" {
		j.SealCode = code
	}
	return j
}

// nameOf is by what a person knows a certificate.
func nameOf(c *chain.Certificate) string {
	name := c.Subject.CommonName
	if name == "" {
		name = c.Subject.String()
	}
	return clip(name, 300)
}

func signatureName(a chain.Algorithm) string {
	if a.OID.Equal(oid.SM2WithSM3) || a.OID.Equal(oid.SM2Sign) {
		return "SM2 / SM3"
	}
	hash, ok := a.Hash()
	switch {
	case !ok:
		return a.OID.String()
	case a.OID.Equal(oid.RSAPSS):
		return "RSA-PSS / " + hash.String()
	case len(a.OID) > 6 && a.OID[:6].Equal(oid.RSA[:6]):
		return "RSA / " + hash.String()
	}
	return "ECDSA / " + hash.String()
}

// usageNames are the bits of the key usage, from the first.
var usageNames = []string{"digitalSignature", "nonRepudiation", "keyEncipherment", "dataEncipherment", "keyAgreement", "keyCertSign", "cRLSign", "encipherOnly", "decipherOnly"}

// purposeNames are extended key usages, by their OID.
var purposeNames = map[string]string{"1.3.6.1.5.5.7.3.1": "serverAuth", "1.3.6.1.5.5.7.3.2": "clientAuth", "1.3.6.1.5.5.7.3.3": "codeSigning",
	"1.3.6.1.5.5.7.3.4": "emailProtection", "1.3.6.1.5.5.7.3.8": "timeStamping", "1.3.6.1.5.5.7.3.9": "OCSPSigning", "2.5.29.37.0": "anyExtendedKeyUsage"}

func usages(c *chain.Certificate) []string {
	found := []string{}
	for i, name := range usageNames {
		if c.HasKeyUsage && c.KeyUsage&(1<<i) != 0 {
			found = append(found, name)
		}
	}
	for _, purpose := range c.ExtKeyUsage {
		if len(found) == 30 {
			break
		}
		name, ok := purposeNames[purpose.String()]
		if !ok {
			name = clip(purpose.String(), 100)
		}
		found = append(found, name)
	}
	return found
}

// standingAt puts a judgement into a state and a sentence. What was proved counts before what was not found out, and trust
// before dates: those of a stranger's certificate are only what it says itself.
func standingAt(c *chain.Certificate, r chain.Result, at time.Time, language string) CertificateStanding {
	s := CertificateStanding{At: rfc3339(at)}
	say := func(state CertificateState, t text) CertificateStanding {
		s.State, s.Summary = state, t.in(language)
		return s
	}
	status := r.Revocation
	own := len(r.Revocations) == 0 || r.Revocations[0] == status
	whose := text{"证书", "The certificate"}
	if !own {
		whose = text{"颁发机构的证书", "The certificate of its authority"}
	}
	if status.State == chain.StateRevoked || status.RevokedLater {
		reason := status.Reason
		s.Since, s.Reason = rfc3339(status.At), &reason
	}
	switch {
	case r.ChainErr != nil && !cms.Undecided(r.ChainErr):
		t := sentences(r.ChainErr)
		return say(CertificateUnacceptable, text{"证书不能接受：" + t.zh + "。", "The certificate is not acceptable: " + t.en + "."})
	case r.ChainErr != nil:
		t := sentences(r.ChainErr)
		return say(CertificateUnknown, text{"证书无法确认：" + t.zh + "。", "The certificate cannot be confirmed: " + t.en + "."})
	case !r.Trusted:
		t := text{"颁发机构不在信任列表中，证书所写的内容无从证实。", "Its authority is not among the trusted ones: nothing confirms what the certificate says."}
		switch {
		case at.After(c.NotAfter):
			t = text{t.zh + "按其所写，有效期已过。", t.en + " By its own dates it has expired."}
		case at.Before(c.NotBefore):
			t = text{t.zh + "按其所写，尚未生效。", t.en + " By its own dates it is not yet valid."}
		}
		return say(CertificateUntrusted, t)
	case status.State == chain.StateRevoked && status.Reason == chain.ReasonCertificateHold:
		m := momentText(status.At)
		return say(CertificateHeld, text{whose.zh + "自 " + m.zh + " 起冻结，解冻之前不能使用。", whose.en + " has been on hold since " + m.en + " and must not be used until that is lifted."})
	case status.State == chain.StateRevoked:
		m, why := momentText(status.At), reasonText(status.Reason)
		return say(CertificateRevoked, text{whose.zh + "已于 " + m.zh + " 吊销，原因：" + why.zh + "。", whose.en + " was revoked on " + m.en + ": " + why.en + "."})
	case r.NotYetValid:
		m := momentText(c.NotBefore)
		if !at.Before(c.NotBefore) {
			return say(CertificateNotYetValid, text{"颁发机构的证书尚未生效。", "The certificate of its authority is not yet valid."})
		}
		return say(CertificateNotYetValid, text{"证书自 " + m.zh + " 起生效。", "The certificate is valid from " + m.en + "."})
	case r.Expired:
		m := momentText(c.NotAfter)
		if !at.After(c.NotAfter) {
			return say(CertificateExpired, text{"颁发机构的证书已过期。", "The certificate of its authority has expired."})
		}
		return say(CertificateExpired, text{"证书已于 " + m.zh + " 过期。", "The certificate expired on " + m.en + "."})
	case status.State == chain.StateUnknown:
		return say(CertificateUnknown, text{"由受信任的机构颁发，在有效期内；吊销状态未能查询。",
			"It was issued by a trusted authority and is within its validity; whether it was revoked could not be found out."})
	case status.RevokedLater:
		m, why := momentText(status.At), reasonText(status.Reason)
		if status.Reason == chain.ReasonCertificateHold {
			return say(CertificateGood, text{"当时有效；" + whose.zh + "后于 " + m.zh + " 冻结。", "It was good at that time. " + whose.en + " was put on hold later, on " + m.en + "."})
		}
		return say(CertificateGood, text{"当时有效；" + whose.zh + "后于 " + m.zh + " 吊销，原因：" + why.zh + "。",
			"It was good at that time. " + whose.en + " was revoked later, on " + m.en + ": " + why.en + "."})
	}
	return say(CertificateGood, text{"由受信任的机构颁发，在有效期内，未被吊销。", "It was issued by a trusted authority, is within its validity, and is not revoked."})
}

// reasonTexts are the CRLReasons.
var reasonTexts = map[int]text{1: {"密钥泄露", "key compromise"}, 2: {"颁发机构密钥泄露", "compromise of the authority's key"}, 3: {"单位信息变更", "affiliation changed"},
	4: {"已被替换", "superseded"}, 5: {"停止使用", "cessation of operation"}, 6: {"冻结", "on hold"}, 9: {"权限收回", "privilege withdrawn"},
	10: {"属性机构密钥泄露", "compromise of the attribute authority's key"}}

// ReasonWord says in a language, "zh" or "en", why a certificate was revoked, by its CRLReason.
func ReasonWord(reason int, language string) string { return reasonText(reason).in(language) }

func reasonText(reason int) text {
	if t, ok := reasonTexts[reason]; ok {
		return t
	}
	return text{"未说明", "unspecified"}
}
