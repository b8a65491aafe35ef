package agent

import (
	"bytes"
	"encoding/hex"
	"time"

	"github.com/emmansun/gmsm/sm3"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"yinxin/ca/chain"
	"yinxin/ca/cms"
	"yinxin/internal/fault"
	"yinxin/sealer"
	"yinxin/sealer/ses"
)

// tobesigned is what the to-be-signed bytes say.
type tobesigned struct {
	seal     *ses.Seal
	dataHash []byte
	// property is the byte range in a seal signature, empty in signed data.
	property string
	// time is the claim of the signing time; zero in profile cms, which has none.
	time time.Time
	// certificate is the SM3 of the signer's in signed data; a seal signature does not name it there.
	certificate []byte
}

// readToSign reads the to-be-signed bytes of a profile. Error: agent.to-be-signed with what is wrong.
func readToSign(profile sealer.Profile, der []byte) (*tobesigned, error) {
	switch profile {
	case sealer.ProfileSeal:
		return readSealToSign(der)
	case sealer.ProfileCMS, sealer.ProfileCMSGM:
		return readAttributes(der)
	}
	return nil, ErrToSign.At(fault.Field("profile"))
}

// readSealToSign reads TBS_Sign (GB/T 38540-2020, 7.1), and refuses anything but the one way in which it is written: what
// is signed holds nothing that is not compared.
func readSealToSign(der []byte) (*tobesigned, error) {
	s, err := ses.ParseToSign(der)
	if err != nil {
		return nil, ErrToSign.Because(err)
	}
	form, err := ses.NewForm(s.Seal.Raw, len(s.PropertyInfo))
	if err != nil || len(s.DataHash) != sm3.Size {
		return nil, ErrToSign.Because(err)
	}
	suffix, err := form.Suffix(s.Time, [sm3.Size]byte(s.DataHash), s.PropertyInfo)
	if err != nil {
		return nil, ErrToSign.Because(err)
	}
	if !bytes.Equal(der, append(bytes.Clone(form.Prefix()), suffix...)) {
		return nil, ErrToSign.At(fault.Field("toSign"))
	}
	return &tobesigned{seal: s.Seal, dataHash: s.DataHash, property: s.PropertyInfo, time: s.Time}, nil
}

// maxAttributes is more than the signed attributes that a sealing has.
const maxAttributes = 16

// readAttributes reads signed attributes (RFC 5652, 5.3), as they are signed: a SET OF. That there is nothing else in them
// is found out when they are written again, see rewritten.
func readAttributes(der []byte) (*tobesigned, error) {
	bad := func(field string) (*tobesigned, error) { return nil, ErrToSign.At(fault.Field(field)) }
	whole := cryptobyte.String(der)
	var set cryptobyte.String
	if len(der) > ses.MaxSize || !whole.ReadASN1(&set, asn1.SET) || !whole.Empty() {
		return bad("signedAttrs")
	}
	t := &tobesigned{}
	for n := 0; !set.Empty(); n++ {
		var attribute, kind, values cryptobyte.String
		if n == maxAttributes || !set.ReadASN1(&attribute, asn1.SEQUENCE) || !attribute.ReadASN1(&kind, asn1.OBJECT_IDENTIFIER) ||
			!attribute.ReadASN1(&values, asn1.SET) || !attribute.Empty() {
			return bad("signedAttrs")
		}
		ok := true
		switch cms.ID(kind) {
		case cms.AttrMessageDigest:
			var digest cryptobyte.String
			ok = values.ReadASN1(&digest, asn1.OCTET_STRING) && values.Empty()
			t.dataHash = digest
		case cms.AttrSigningTime:
			ok = readSigningTime(values, &t.time)
		case cms.AttrSigningCertificateV2:
			t.certificate = certificateNamed(values)
			ok = t.certificate != nil
		case cms.AttrSignerAttributesV2:
			t.seal = sealIn(values)
			ok = t.seal != nil
		}
		if !ok {
			return bad("signedAttrs")
		}
	}
	if t.seal == nil || len(t.dataHash) != sm3.Size || t.certificate == nil {
		return bad("signedAttrs")
	}
	return t, nil
}

func readSigningTime(values cryptobyte.String, at *time.Time) bool {
	if values.PeekASN1Tag(asn1.UTCTime) {
		return values.ReadASN1UTCTime(at) && values.Empty()
	}
	return values.ReadASN1GeneralizedTime(at) && values.Empty()
}

// certificateNamed gives the SM3 of the certificate in SigningCertificateV2 (RFC 5035, 3):
//
//	SEQUENCE { SEQUENCE { SEQUENCE { AlgorithmIdentifier, OCTET STRING } } }
func certificateNamed(values cryptobyte.String) []byte {
	var v2, list, one, algorithm, digest cryptobyte.String
	if !values.ReadASN1(&v2, asn1.SEQUENCE) || !v2.ReadASN1(&list, asn1.SEQUENCE) || !list.ReadASN1(&one, asn1.SEQUENCE) ||
		!one.ReadASN1(&algorithm, asn1.SEQUENCE) || !one.ReadASN1(&digest, asn1.OCTET_STRING) || len(digest) != sm3.Size {
		return nil
	}
	return digest
}

// sealIn gives the seal in the signer attributes (docs/formats.md):
//
//	SEQUENCE { [0] { SEQUENCE { SEQUENCE { OBJECT IDENTIFIER, SET { SESeal } } } } }
func sealIn(values cryptobyte.String) *ses.Seal {
	var all, claimed, list, one, kind, set cryptobyte.String
	if !values.ReadASN1(&all, asn1.SEQUENCE) || !all.ReadASN1(&claimed, asn1.Tag(0).ContextSpecific().Constructed()) ||
		!claimed.ReadASN1(&list, asn1.SEQUENCE) || !list.ReadASN1(&one, asn1.SEQUENCE) ||
		!one.ReadASN1(&kind, asn1.OBJECT_IDENTIFIER) || cms.ID(kind) != cms.AttrSeal || !one.ReadASN1(&set, asn1.SET) {
		return nil
	}
	seal, err := ses.ParseSeal(set)
	if err != nil {
		return nil
	}
	return seal
}

// rewritten says whether the to-be-signed bytes are, octet for octet, what the fields and the certificate make: so there is
// nothing in them beside. Error: agent.to-be-signed.
func (t *tobesigned) rewritten(profile sealer.Profile, der []byte, certificate *chain.Certificate) error {
	if profile == sealer.ProfileSeal {
		return nil // readSealToSign has done so
	}
	p := cms.ProfileCMS
	if profile == sealer.ProfileCMSGM {
		p = cms.ProfileGM
	}
	w, err := cms.NewWriter(cms.Template{Profile: p, Certificate: certificate, Seal: t.seal.Raw})
	if err != nil {
		return ErrToSign.Because(err)
	}
	if !bytes.Equal(w.Prepare([sm3.Size]byte(t.dataHash), t.time).Signed(), der) {
		return ErrToSign.At(fault.Field("signedAttrs"))
	}
	return nil
}

// listsFingerprint says whether a seal may be used with the certificate of an SM3, in hex.
func listsFingerprint(seal *ses.Seal, fingerprint string) bool {
	for _, c := range seal.Certificates {
		if sum := sm3.Sum(c); hex.EncodeToString(sum[:]) == fingerprint {
			return true
		}
	}
	for _, d := range seal.Digests {
		if hex.EncodeToString(d.Value) == fingerprint {
			return true
		}
	}
	return false
}
