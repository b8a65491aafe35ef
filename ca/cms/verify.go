package cms

import (
	"bytes"
	"crypto/ecdsa"
	"hash"
	"slices"

	"github.com/emmansun/gmsm/sm2"

	"yinxin/ca/chain"
	"yinxin/internal/fault"
	"yinxin/internal/oid"
)

// Rule is one thing that Verify checks.
type Rule string

// The rules, in the order in which they are reported.
const (
	// RuleSigner: there is exactly one signer. When it fails nothing else is reported.
	RuleSigner Rule = "signer"
	// RuleCertificate: the certificate is the one that the signer names, also in signing-certificate attributes.
	RuleCertificate Rule = "certificate"
	// RuleAttributes: signed attributes that decide are there once, and none was stripped.
	RuleAttributes Rule = "attributes"
	// RuleContentType: the signed content type is that of the content.
	RuleContentType Rule = "content-type"
	// RuleDigest: the content has the signed digest, and the digest is not weak. Without signed attributes this only says
	// that the content is where it should be; the signature itself is over it.
	RuleDigest Rule = "message-digest"
	// RuleAlgorithms: the algorithm identifiers do not contradict each other.
	RuleAlgorithms Rule = "algorithms"
	// RuleSignature: the signature value.
	RuleSignature Rule = "signature"
)

// Finding is what Verify says of a rule: Err is nil when it was kept. Notes are leniencies, in English.
type Finding struct {
	Rule  Rule
	Err   error
	Notes []string
}

// Report is the findings of Verify. The zero Report is not good.
type Report struct{ Findings []Finding }

// Err is nil if every rule was kept, else the first error that is worse than a weak or unknown algorithm, else the first.
func (r Report) Err() error {
	if len(r.Findings) == 0 {
		return ErrSignedData.New()
	}
	var soft error
	for _, f := range r.Findings {
		switch {
		case f.Err == nil:
		case !Undecided(f.Err):
			return f.Err
		case soft == nil:
			soft = f.Err
		}
	}
	return soft
}

// Finding gives what was found for a rule.
func (r Report) Finding(rule Rule) (Finding, bool) {
	i := slices.IndexFunc(r.Findings, func(f Finding) bool { return f.Rule == rule })
	if i < 0 {
		return Finding{}, false
	}
	return r.Findings[i], true
}

// Undecided says whether an error leaves open if a signature is genuine: weak algorithms prove nothing, unknown ones
// cannot be computed, and a certificate that is not there may be elsewhere.
func Undecided(err error) bool {
	return fault.Has(err, chain.ErrWeak) || fault.Has(err, chain.ErrAlgorithm) || fault.Has(err, ErrNoCertificate)
}

// ContentDigest is how detached content must be hashed for Verify.
type ContentDigest struct {
	Hash Hash
	// Prefix is hashed before the content: Z of SM2 where the signature is over the content itself; usually nil.
	Prefix []byte
}

// New begins the digest.
func (c ContentDigest) New() hash.Hash {
	state := c.Hash.New()
	if state != nil {
		state.Write(c.Prefix)
	}
	return state
}

// Sum is the digest of content.
func (c ContentDigest) Sum(content []byte) []byte {
	state := c.New()
	if state == nil {
		return nil
	}
	state.Write(content)
	return state.Sum(nil)
}

// ContentDigest says how the content is hashed. Only a signature of SM2 without signed attributes needs the signer's
// certificate for it; else it may be nil. Errors: ErrSignerCount, ErrNoCertificate, ErrAlgorithms, chain.ErrAlgorithm,
// chain.ErrKey.
func (d *SignedData) ContentDigest(c *chain.Certificate) (ContentDigest, error) {
	signer, err := d.Signer()
	if err != nil {
		return ContentDigest{}, err
	}
	digest, ok := HashOf(signer.Digest)
	if !ok {
		return ContentDigest{}, chain.ErrAlgorithm.With("%s", signer.Digest.OID)
	}
	if signer.Signed {
		return ContentDigest{Hash: digest}, nil
	}
	if c == nil {
		return ContentDigest{}, ErrNoCertificate.New()
	}
	algorithm, err := signer.resolve(c)
	if err != nil {
		return ContentDigest{}, err
	}
	if algorithm.OID.Equal(oid.SM2WithSM3) || algorithm.OID.Equal(oid.SM2Sign) {
		key, ok := c.PublicKey.(*ecdsa.PublicKey)
		if !ok || !isSM2(c) {
			return ContentDigest{}, chain.ErrKey.New()
		}
		if digest != SM3 {
			return ContentDigest{}, ErrAlgorithms.With("SM2, %s", digest)
		}
		z, err := sm2.CalculateZA(key, []byte(oid.SM2UserID))
		if err != nil {
			return ContentDigest{}, chain.ErrKey.Because(err)
		}
		return ContentDigest{Hash: SM3, Prefix: z}, nil
	}
	used, ok := algorithm.Hash()
	if !ok {
		return ContentDigest{}, chain.ErrAlgorithm.With("%s", algorithm.OID)
	}
	if Hash(used.String()) != digest {
		return ContentDigest{}, ErrAlgorithms.With("%s, %s", used, digest)
	}
	return ContentDigest{Hash: digest}, nil
}

// Verify checks the signed data with the signer's certificate, see SignerCertificate. The digest is that of content that
// is elsewhere, made as ContentDigest says: signed data with content of its own is refused then. For embedded content it
// is nil, and what Content means is for the caller: in adbe.pkcs7.sha1 it is SHA-1 of the file's bytes. Whether the
// certificate may sign, and may be believed, is not asked here.
func (d *SignedData) Verify(c *chain.Certificate, digest []byte) Report {
	signer, err := d.Signer()
	if err != nil {
		return Report{[]Finding{{Rule: RuleSigner, Err: err}}}
	}
	v := verification{data: d, signer: signer, certificate: c, digest: digest}
	r := Report{[]Finding{{Rule: RuleSigner, Notes: d.Notes}}}
	for _, step := range []struct {
		rule  Rule
		check func() ([]string, error)
	}{
		{RuleCertificate, v.certificateNamed}, {RuleAttributes, v.attributes}, {RuleContentType, v.contentType},
		{RuleDigest, v.messageDigest}, {RuleAlgorithms, v.algorithms}, {RuleSignature, v.signature},
	} {
		notes, err := step.check()
		r.Findings = append(r.Findings, Finding{step.rule, err, notes})
	}
	return r
}

type verification struct {
	data        *SignedData
	signer      *Signer
	certificate *chain.Certificate
	digest      []byte
}

func (v *verification) certificateNamed() ([]string, error) {
	if v.certificate == nil {
		return nil, ErrNoCertificate.New()
	}
	return v.signer.checkCertificate(v.certificate)
}

// once are the attributes that decide something: each may be there once, with one value.
var once = []ID{AttrContentType, AttrMessageDigest, AttrSigningTime, AttrSigningCertificate, AttrSigningCertificateV2,
	AttrAlgorithmProtection, AttrSignerAttributesV2, AttrSeal}

func (v *verification) attributes() (notes []string, err error) {
	s := v.signer
	if !s.Signed {
		// RFC 5652 5.3: only for plain data may there be none.
		if v.data.ContentType != TypeData && v.data.ContentType != TypeDataGM {
			return nil, ErrMissing.With("%s", v.data.ContentType)
		}
		// A signature over attributes is also one over their octets as content, and nothing in it tells which was meant.
		if v.data.Embedded && looksLikeAttributes(v.data.Content) {
			return nil, ErrStripped.New()
		}
		return []string{"there are no signed attributes; the signature is over the content itself"}, nil
	}
	for _, id := range once {
		if _, _, err := s.single(id); err != nil {
			return nil, err
		}
	}
	for i, a := range s.Attributes {
		if slices.ContainsFunc(s.Attributes[:i], func(b Attribute) bool { return a.Type == b.Type }) {
			notes = append(notes, "the attribute "+a.Type.String()+" occurs twice")
		}
	}
	if _, err := s.contentType(); err != nil {
		return notes, err
	}
	if _, err := s.messageDigest(); err != nil {
		return notes, err
	}
	if _, err := s.Seal(); err != nil {
		return notes, err
	}
	_, err = s.SigningTime()
	return notes, err
}

// looksLikeAttributes says whether content is a SET OF Attribute with a message digest.
func looksLikeAttributes(content []byte) bool {
	l := &list{scan: &scanner{}, rest: content}
	set, ok := l.open(idSet)
	if !ok {
		return false
	}
	attributes, ok := readAttributes(set)
	return ok && slices.ContainsFunc(attributes, func(a Attribute) bool { return a.Type == AttrMessageDigest })
}

func (v *verification) contentType() ([]string, error) {
	if !v.signer.Signed {
		return nil, nil
	}
	signed, err := v.signer.contentType()
	if err != nil {
		return nil, err
	}
	if signed == v.data.ContentType {
		return nil, nil
	}
	return nil, ErrContentType.With("%s, %s", signed, v.data.ContentType)
}

// content gives the digest of the content with h, wherever the content is.
func (v *verification) content(h ContentDigest) ([]byte, error) {
	switch {
	case v.digest != nil && v.data.Embedded && len(v.data.Content) > 0:
		return nil, ErrEmbedded.New()
	case v.digest != nil:
		return v.digest, nil
	case !v.data.Embedded:
		return nil, ErrDetached.New()
	}
	return h.Sum(v.data.Content), nil
}

func (v *verification) messageDigest() (notes []string, err error) {
	h, err := v.data.ContentDigest(v.certificate)
	if err != nil {
		return nil, err
	}
	digest, err := v.content(h)
	if err != nil {
		return nil, err
	}
	if v.signer.Signed {
		signed, err := v.signer.messageDigest()
		if err != nil {
			return nil, err
		}
		if !bytes.Equal(signed, digest) {
			return nil, ErrDigest.With("%s", h.Hash)
		}
	}
	if h.Hash.Weak() {
		return nil, chain.ErrWeak.With("%s", h.Hash)
	}
	return nil, nil
}

func (v *verification) algorithms() (notes []string, err error) {
	if v.certificate == nil {
		return nil, ErrNoCertificate.New()
	}
	if err := v.signer.checkProtection(); err != nil {
		return nil, err
	}
	algorithm, err := v.signer.resolve(v.certificate)
	if err != nil {
		return nil, err
	}
	digest, ok := HashOf(v.signer.Digest)
	if !ok {
		return nil, chain.ErrAlgorithm.With("%s", v.signer.Digest.OID)
	}
	used := SM3
	if h, ok := algorithm.Hash(); ok {
		used = Hash(h.String())
	}
	if used != digest {
		if !v.signer.Signed {
			return nil, ErrAlgorithms.With("%s, %s", used, digest)
		}
		notes = append(notes, "content and attributes are hashed with different algorithms")
	}
	return notes, nil
}

func (v *verification) signature() ([]string, error) {
	if v.certificate == nil {
		return nil, ErrNoCertificate.New()
	}
	algorithm, err := v.signer.resolve(v.certificate)
	if err != nil {
		return nil, err
	}
	if v.signer.Signed {
		return algorithm.Check(v.certificate.PublicKey, v.signer.signedOctets, v.signer.Value)
	}
	h, err := v.data.ContentDigest(v.certificate)
	if err != nil {
		return nil, err
	}
	digest, err := v.content(h)
	if err != nil {
		return nil, err
	}
	return algorithm.CheckDigest(v.certificate.PublicKey, digest, v.signer.Value)
}
