package ca

import (
	"crypto/ecdsa"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/emmansun/gmsm/sm2"

	"yinxin/ca/number"
	"yinxin/internal/fault"
	"yinxin/keystore"
)

// Profile names a kind of certificate.
type Profile string

// The profiles. Root and issuing certificates come from a ceremony only.
const (
	ProfileRoot        Profile = "root"
	ProfileIssuing     Profile = "issuing"
	ProfileInstitution Profile = "institution" // an institution's seal: signs documents
	ProfileSealMaker   Profile = "seal-maker"  // signs seals
	ProfileOCSP        Profile = "ocsp"        // signs OCSP answers for the issuing CA
	ProfileTSA         Profile = "tsa"         // signs time stamps
)

// Request says what a certificate shall be for. For an institution: Organisation is the full name, CreditCode its
// 统一社会信用代码 (GB 32100) and SealCode the 14-digit code of the seal, which becomes the common name. For the other
// profiles: Organisation and CommonName.
type Request struct {
	Profile      Profile
	Public       *ecdsa.PublicKey
	Organisation string
	CreditCode   string
	SealCode     string
	CommonName   string
}

// Subject is what two people approve (access.KindIssueCertificate): all fields and the key, in one fixed form that a
// person can read.
func (r Request) Subject() []byte {
	return r.text("yinxin certificate request 1", hex.EncodeToString(keystore.Point(r.Public)))
}

// Terms is what two people approve where the key is made only afterwards, as on a USB Key that is handed out: all fields
// but the key. A renewal keeps the terms of its predecessor.
func (r Request) Terms() []byte { return r.text("yinxin certificate terms 1", "") }

// requestText is the JSON of Subject and Terms; it never changes, since approvals and records hold its bytes.
type requestText struct {
	Type         string  `json:"type"`
	Profile      Profile `json:"profile"`
	Organisation string  `json:"organisation"`
	CreditCode   string  `json:"creditCode"`
	SealCode     string  `json:"sealCode"`
	CommonName   string  `json:"commonName"`
	Public       string  `json:"publicKey,omitempty"`
}

func (r Request) text(what, public string) []byte {
	text, err := json.Marshal(requestText{what, r.Profile, r.Organisation, r.CreditCode, r.SealCode, r.CommonName, public})
	if err != nil {
		panic("ca: strings can always be encoded: " + err.Error())
	}
	return text
}

// parseSubject reads what Subject wrote, without the key.
func parseSubject(subject []byte) (Request, error) {
	var t requestText
	if err := json.Unmarshal(subject, &t); err != nil {
		return Request{}, err
	}
	return Request{Profile: t.Profile, Organisation: t.Organisation, CreditCode: t.CreditCode, SealCode: t.SealCode, CommonName: t.CommonName}, nil
}

// maxName is ub-organization-name and ub-common-name of RFC 5280 appendix A.1, in characters.
const maxName = 64

// check refuses, before an approval is used up, whatever could not become a certificate of the profile.
func (r Request) check() error {
	bad := func(field string) error { return ErrRequest.At(fault.Field(field)) }
	if _, err := sm2.NewPublicKey(keystore.Point(r.Public)); err != nil {
		return ErrPublicKey.Because(err)
	}
	if !validName(r.Organisation) {
		return bad("organisation")
	}
	switch r.Profile {
	case ProfileInstitution:
		if err := number.CreditCode(r.CreditCode); err != nil {
			return creditCodeFault(err)
		}
		switch {
		case !ValidSealCode(r.SealCode):
			return bad("sealCode")
		case r.CommonName != "":
			return bad("commonName")
		case !validName(r.CreditCode + r.Organisation):
			return bad("organisation")
		}
	case ProfileSealMaker, ProfileOCSP, ProfileTSA:
		switch {
		case !validName(r.CommonName):
			return bad("commonName")
		case r.CreditCode != "":
			return bad("creditCode")
		case r.SealCode != "":
			return bad("sealCode")
		}
	default:
		return bad("profile")
	}
	return nil
}

// creditCodeFault says what is wrong with a credit code; the code of an organisation is public.
func creditCodeFault(err error) error {
	refused := ErrRequest.At(fault.Field("creditCode")).Because(err)
	if why, ok := fault.Of(err); ok {
		return refused.Saying(why.ZH, why.EN)
	}
	return refused
}

// organisation and commonName are the attributes of the subject name.
func (r Request) organisation() string { return r.CreditCode + r.Organisation }

func (r Request) commonName() string {
	if r.Profile == ProfileInstitution {
		return r.SealCode
	}
	return r.CommonName
}

// validName accepts what a person can see in full: no control, no direction marks, no exotic blanks.
func validName(s string) bool {
	return s != "" && utf8.ValidString(s) && utf8.RuneCountInString(s) <= maxName && strings.TrimSpace(s) == s &&
		!strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) || r == utf8.RuneError })
}

// ValidSealCode reports whether a seal code has its 14 digits.
func ValidSealCode(code string) bool {
	return len(code) == 14 && strings.Trim(code, "0123456789") == ""
}

// months gives the validity of a profile in calendar months (one year for an institution, five
// years at most for the service's own).
func (p Profile) months() int {
	switch p {
	case ProfileRoot:
		return 20 * 12
	case ProfileIssuing:
		return 10 * 12
	case ProfileInstitution:
		return 12
	case ProfileOCSP:
		// A responder certificate is exempt from revocation checking, so it lives shorter than the others.
		return 24
	default:
		return 60
	}
}

// validity gives both ends, which belong to it (RFC 5280 clause 4.1.2.5): the last second is the one before the same
// moment the months later. A day that the month does not have becomes its last.
func (p Profile) validity(from time.Time) (notBefore, notAfter time.Time) {
	return span(from, p.months())
}

func span(from time.Time, months int) (notBefore, notAfter time.Time) {
	notBefore = from.UTC().Truncate(time.Second)
	first := time.Date(notBefore.Year(), notBefore.Month()+time.Month(months), 1, notBefore.Hour(), notBefore.Minute(), notBefore.Second(), 0, time.UTC)
	lastDay := first.AddDate(0, 1, -1).Day()
	notAfter = first.AddDate(0, 0, min(notBefore.Day(), lastDay)-1).Add(-time.Second)
	return notBefore, notAfter
}
