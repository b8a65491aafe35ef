package verify

import (
	"fmt"
	"time"

	"yinxin/internal/civil"
	"yinxin/internal/fault"
	"yinxin/sealer/pdf"
)

// Report is what is said about one file. Its JSON is the output of "yinxin verify --json".
type Report struct {
	File       string      `json:"file"`
	Verdict    Verdict     `json:"verdict"`
	Summary    string      `json:"summary"`    // one or two sentences for a person, in the language asked for
	Signatures []Signature `json:"signatures"` // in the order in which they were made; never null
	Notes      []string    `json:"notes,omitempty"`
	Error      *Problem    `json:"error,omitempty"` // why the file is unreadable
	Size       int64       `json:"size"`            // bytes
	At         string      `json:"at,omitempty"`    // the moment that "now" means in this report, RFC 3339
	// Digest identifies the file, "SM3 <hexadecimal>". File does not fill it in: it is for a caller that hands the
	// report on without the file.
	Digest string `json:"digest,omitempty"`
}

// Problem is an error as a report carries it.
type Problem struct {
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

// Kind is what sort of signature a field holds, found by what /Contents is, not by what it is called.
type Kind string

// The kinds.
const (
	KindSeal      Kind = "seal"       // SES_Signature: an electronic seal
	KindCMS       Kind = "cms"        // SignedData, CMS or GB/T 35275
	KindTimeStamp Kind = "time-stamp" // a document time stamp
	KindUnknown   Kind = "unknown"
)

// Coverage is how much of the file a signature covers.
type Coverage string

// The coverages.
const (
	CoverageWhole    Coverage = "whole-file" // every byte but its own /Contents
	CoverageRevision Coverage = "revision"   // everything up to the end of the revision that it was made in
	CoverageBroken   Coverage = "broken"     // its ByteRange does not fit the file
)

// Time sources.
const (
	TimeSourceSignature = "signature" // the signer's own clock, not proved by anyone
	TimeSourceNone      = "none"
	// TimeSourceTimeStamp: a time stamp over the signature value proves that it existed then.
	TimeSourceTimeStamp = "time-stamp"
	// TimeSourceDocumentTimeStamp: a later document time stamp that covers the signature proves that it existed then.
	TimeSourceDocumentTimeStamp = "document-time-stamp"
)

// Signature is what is said about one signature field.
type Signature struct {
	Field      string  `json:"field"`
	Kind       Kind    `json:"kind"`
	Verdict    Verdict `json:"verdict"`
	Summary    string  `json:"summary"`
	Signer     string  `json:"signer"`               // the common name or organisation of the signer's certificate
	SignerName string  `json:"signerName,omitempty"` // the common name of the signer's certificate
	Seal       string  `json:"seal"`                 // the name of the seal, from the signed data
	SealID     string  `json:"sealId,omitempty"`
	Reason     string  `json:"reason,omitempty"` // why it was signed, as the signer says in the signed part
	// Time is the time at which the signature is judged, RFC 3339, or empty: the proved time, else the signer's claim.
	Time       string `json:"time"`
	TimeSource string `json:"timeSource"`
	// ClaimedTime is what the signer says, when Time is a proved one.
	ClaimedTime string `json:"claimedTime,omitempty"`
	// Profile is the shape of the signature: seal, cms, cms-gm, pkcs7 (RFC 5652 without SM2), x509.rsa, time-stamp.
	Profile string `json:"profile,omitempty"`
	// Algorithm is signature and digest algorithm, "SM2 with SM3".
	Algorithm string `json:"algorithm,omitempty"`
	// TimeStamps are those that speak of this signature, the signature's own first.
	TimeStamps []TimeStamp `json:"timeStamps,omitempty"`
	// Certificates are those that were used: the signer's, the seal maker's, the authorities'.
	Certificates []Certificate `json:"certificates,omitempty"`
	Coverage     Coverage      `json:"coverage"`
	CoveredBytes int64         `json:"coveredBytes"` // where the covered part ends
	// AsSealedBytes is how many bytes of the file, from its first, are the document as it was when this signature was made,
	// which AsSealed takes out. It is left out where there is no such document: it was changed inside, or the file cannot be
	// read to its end.
	AsSealedBytes int64    `json:"asSealedBytes,omitempty"`
	ChangesAfter  []Change `json:"changesAfter"`
	Checks        []Check  `json:"checks"`
	Page          int      `json:"page,omitempty"` // where its widget is, counted from 1
	Filter        string   `json:"filter,omitempty"`
	SubFilter     string   `json:"subFilter,omitempty"`
	Serial        string   `json:"serial,omitempty"` // of the signer's certificate, hexadecimal
	Issuer        string   `json:"issuer,omitempty"`

	// Contact is where to ask about it, from the register and not from the file.
	Contact *Contact `json:"contact,omitempty"`

	// Picture is the picture of the seal, from the signed data and not from the page.
	Picture     []byte `json:"-"`
	PictureType string `json:"-"`
}

// TimeStamp is a time stamp that speaks of a signature.
type TimeStamp struct {
	Kind      string `json:"kind"` // signature: over the signature value; document: a document time stamp that covers it
	Field     string `json:"field,omitempty"`
	Time      string `json:"time"` // RFC 3339
	Authority string `json:"authority"`
	Proves    bool   `json:"proves"`           // good and trusted: the time is proved
	Detail    string `json:"detail,omitempty"` // why not
}

// Certificate is one that was used to judge a signature.
type Certificate struct {
	Role      string `json:"role"` // signer, seal-maker, time-stamp
	Subject   string `json:"subject"`
	Issuer    string `json:"issuer"`
	Serial    string `json:"serial"` // hexadecimal
	NotBefore string `json:"notBefore"`
	NotAfter  string `json:"notAfter"`
	SM3       string `json:"sm3"` // fingerprint of the certificate, hexadecimal
}

// Change is something that was done to the file after a signature.
type Change struct {
	Kind      string `json:"kind"`
	Permitted bool   `json:"permitted"`
	Page      int    `json:"page,omitempty"`
	Object    string `json:"object,omitempty"` // "12 0 R"
	Detail    string `json:"detail"`
}

// Result is the outcome of one check.
type Result string

// The results. Unknown: tried, and no answer could be had. NotChecked: not tried. Note: fine, with a remark.
const (
	OK         Result = "ok"
	Failed     Result = "failed"
	Unknown    Result = "unknown"
	NotChecked Result = "not-checked"
	Note       Result = "note"
)

// Check is one named step of the judgement.
type Check struct {
	Name   string `json:"name"`
	Result Result `json:"result"`
	Detail string `json:"detail"`
}

// The names of the checks, in the order in which they are made.
const (
	CheckField            = "field"
	CheckByteRange        = "byte-range"
	CheckContents         = "contents"
	CheckRevision         = "revision"
	CheckFormat           = "format"
	CheckSignatureValue   = "signature-value"
	CheckCertificateList  = "certificate-in-seal"
	CheckSigner           = "signer-certificate"
	CheckSignerRevocation = "signer-revocation"
	CheckTime             = "time"
	CheckDigest           = "document-digest"
	CheckProperty         = "property"
	CheckSealValue        = "seal-maker-signature"
	CheckMaker            = "seal-maker-certificate"
	CheckMakerRevocation  = "seal-maker-revocation"
	CheckSealPeriod       = "seal-period"
	CheckTimeStamp        = "time-stamp"
	CheckSealState        = "seal-state"
	CheckLaterChanges     = "later-changes"
	// For signatures in CMS and time stamps.
	CheckIdentity         = "signer-identity"
	CheckAttributes       = "signed-attributes"
	CheckContentType      = "content-type"
	CheckAlgorithms       = "algorithms"
	CheckAuthority        = "time-stamp-certificate"
	CheckAuthorityRevoked = "time-stamp-revocation"
	// When a second opinion is asked for.
	CheckSecondOpinion = "second-opinion"
)

// text is a sentence in both languages.
type text struct{ zh, en string }

func (t text) in(language string) string {
	if language == "en" {
		return t.en
	}
	return t.zh
}

// problemOf is err for the report; internals stay out.
func problemOf(err error, language string) *Problem {
	if f, ok := fault.Of(err); ok {
		return &Problem{Code: f.Code, Detail: f.Sentence(language)}
	}
	return &Problem{Code: errRead.Code, Detail: errRead.New().Sentence(language)}
}

// changeOf is a change found by the comparison, in the language of the report.
func changeOf(c pdf.Change, language string) Change {
	out := Change{Kind: c.Kind, Permitted: c.Permitted, Page: c.Page, Detail: text{c.ZH, c.EN}.in(language)}
	if c.Object.Num != 0 {
		out.Object = fault.Object(c.Object.Num, c.Object.Gen).Object
	}
	return out
}

// Moment writes a time as offices in China do, in their time, in "en" or else in Chinese.
func Moment(t time.Time, language string) string {
	t = t.In(civil.China)
	if language == "en" {
		return t.Format("2 January 2006, 15:04:05") + " (UTC+8)"
	}
	return fmt.Sprintf("%d年%d月%d日 %s（北京时间）", t.Year(), t.Month(), t.Day(), t.Format("15:04:05"))
}

// momentText is a time within a sentence.
func momentText(t time.Time) text { return text{Moment(t, "zh"), Moment(t, "en")} }

// rfc3339 is a moment as reports carry it.
func rfc3339(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
