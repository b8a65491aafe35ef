package ca

import (
	"crypto/ecdsa"
	"crypto/hmac"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/sm3"

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
	ProfilePersonal    Profile = "personal"    // a seal user's USB Key: signs documents in the name of a person
	ProfileEncryption  Profile = "encryption"  // the second certificate of a pair: what is encrypted for an institution or person
	ProfileSealMaker   Profile = "seal-maker"  // signs seals
	ProfileOCSP        Profile = "ocsp"        // signs OCSP answers for the issuing CA
	ProfileTSA         Profile = "tsa"         // signs time stamps
)

// Request says what a certificate shall be for. For an institution: Organisation is the full name, CreditCode its
// 统一社会信用代码 (GB 32100) and SealCode the 14-digit code of the seal, which becomes the common name. For a person:
// Organisation is the unit and CommonName the name. An encryption certificate has the subject of the signing
// certificate beside it: the fields of an institution if SealCode is set, of a person otherwise. For the other profiles:
// Organisation and CommonName.
type Request struct {
	Profile      Profile
	Public       *ecdsa.PublicKey
	Organisation string
	CreditCode   string
	SealCode     string
	CommonName   string
	// Identity is the number that the certificate of a person shall carry. The zero value, which is the rule, puts none
	// in: a certificate is public.
	Identity Identity
}

// Identity is a person's 身份证号 (GB 11643) on its way into a certificate. What two people approve, and what the
// database keeps as the request, holds only its seal: HMAC-SM3 of the number under the blind. Whoever makes the request
// keeps both, encrypted, where the application's personal data are; without the blind the number cannot be guessed
// from its seal, although there are few of them.
type Identity struct {
	Number string
	Blind  []byte // BlindSize random octets, new for each number

	seal string // of an Identity that was read back from the record, whose blind is not known
}

// BlindSize is the length of an Identity's blind in octets.
const BlindSize = 32

func (i Identity) isZero() bool { return i.Number == "" && len(i.Blind) == 0 && i.seal == "" }

// sealed is the number as it stands in what is approved; empty where there is none.
func (i Identity) sealed() string {
	if i.isZero() || i.seal != "" {
		return i.seal
	}
	mac := hmac.New(sm3.New, i.Blind)
	mac.Write([]byte(i.Number))
	return "hmac-sm3:" + hex.EncodeToString(mac.Sum(nil))
}

// String hides the number from logs.
func (i Identity) String() string { return i.sealed() }

// GoString hides the number from logs.
func (i Identity) GoString() string { return i.sealed() }

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
	Identity     string  `json:"identity,omitempty"`
	Public       string  `json:"publicKey,omitempty"`
}

func (r Request) text(what, public string) []byte {
	text, err := json.Marshal(requestText{what, r.Profile, r.Organisation, r.CreditCode, r.SealCode, r.CommonName, r.Identity.sealed(), public})
	if err != nil {
		panic("ca: strings can always be encoded: " + err.Error())
	}
	return text
}

// ParseRequest reads what Subject wrote, without the key, and without the identity number, of which it has the seal.
func ParseRequest(subject []byte) (Request, error) {
	var t requestText
	if err := json.Unmarshal(subject, &t); err != nil {
		return Request{}, err
	}
	return Request{Profile: t.Profile, Organisation: t.Organisation, CreditCode: t.CreditCode, SealCode: t.SealCode, CommonName: t.CommonName,
		Identity: Identity{seal: t.Identity}}, nil
}

// maxName is ub-organization-name and ub-common-name of RFC 5280 appendix A.1, in characters.
const maxName = 64

// Check refuses, before an approval is used up, whatever could not become a certificate of the profile; at is now. Errors:
// ca.request with the field, ca.public-key.
func (r Request) Check(at time.Time) error {
	bad := func(field string) error { return ErrRequest.At(fault.Field(field)) }
	if _, err := sm2.NewPublicKey(keystore.Point(r.Public)); err != nil {
		return ErrPublicKey.Because(err)
	}
	if !validName(r.Organisation) {
		return bad("organisation")
	}
	switch {
	case r.Profile == ProfileInstitution, r.Profile == ProfileEncryption && r.SealCode != "":
		return r.checkSeal()
	case r.Profile == ProfilePersonal, r.Profile == ProfileEncryption:
		return r.checkPerson(at)
	case r.Profile == ProfileSealMaker, r.Profile == ProfileOCSP, r.Profile == ProfileTSA:
		switch {
		case !validName(r.CommonName):
			return bad("commonName")
		case r.CreditCode != "":
			return bad("creditCode")
		case r.SealCode != "":
			return bad("sealCode")
		case !r.Identity.isZero():
			return bad("identity")
		}
		return nil
	}
	return bad("profile")
}

func (r Request) checkSeal() error {
	bad := func(field string) error { return ErrRequest.At(fault.Field(field)) }
	switch {
	case number.CreditCode(r.CreditCode) != nil:
		return bad("creditCode")
	case !ValidSealCode(r.SealCode):
		return bad("sealCode")
	case r.CommonName != "":
		return bad("commonName")
	case !r.Identity.isZero():
		return bad("identity")
	case !validName(r.CreditCode + r.Organisation):
		return bad("organisation")
	}
	return nil
}

// checkPerson also keeps an identity number out of the names, where it would be public without anybody having decided so.
func (r Request) checkPerson(at time.Time) error {
	bad := func(field string) error { return ErrRequest.At(fault.Field(field)) }
	identity := func(s string) bool {
		for i := range len(s) - 17 {
			if _, err := number.Identity(strings.ToUpper(s[i:i+18]), at); err == nil {
				return true
			}
		}
		return false
	}
	switch {
	case !validName(r.CommonName) || ValidSealCode(r.CommonName) || identity(r.CommonName):
		return bad("commonName")
	case identity(r.Organisation) || len(r.Organisation) >= 18 && number.CreditCode(r.Organisation[:18]) == nil:
		return bad("organisation")
	case r.CreditCode != "":
		return bad("creditCode")
	case r.SealCode != "":
		return bad("sealCode")
	case r.Identity.isZero():
		return nil
	case r.Identity.seal == "" && len(r.Identity.Blind) != BlindSize:
		return bad("identity.blind")
	}
	if _, err := number.Identity(r.Identity.Number, at); err != nil {
		return ErrRequest.At(fault.Field("identity.number")).Because(err)
	}
	return nil
}

// organisation and commonName are the attributes of the subject name.
func (r Request) organisation() string { return r.CreditCode + r.Organisation }

func (r Request) commonName() string {
	if r.SealCode != "" {
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
	case ProfileInstitution, ProfilePersonal, ProfileEncryption:
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
