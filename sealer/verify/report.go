package verify

import (
	"time"

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
)

// Signature is what is said about one signature field.
type Signature struct {
	Field        string   `json:"field"`
	Kind         Kind     `json:"kind"`
	Verdict      Verdict  `json:"verdict"`
	Summary      string   `json:"summary"`
	Signer       string   `json:"signer"` // the common name or organisation of the signer's certificate
	Seal         string   `json:"seal"`   // the name of the seal, from the signed data
	SealID       string   `json:"sealId,omitempty"`
	Time         string   `json:"time"` // signing time, RFC 3339, or empty
	TimeSource   string   `json:"timeSource"`
	Coverage     Coverage `json:"coverage"`
	CoveredBytes int64    `json:"coveredBytes"` // where the covered part ends
	ChangesAfter []Change `json:"changesAfter"`
	Checks       []Check  `json:"checks"`
	Page         int      `json:"page,omitempty"` // where its widget is, counted from 1
	Filter       string   `json:"filter,omitempty"`
	SubFilter    string   `json:"subFilter,omitempty"`
	Serial       string   `json:"serial,omitempty"` // of the signer's certificate, hexadecimal
	Issuer       string   `json:"issuer,omitempty"`

	// Picture is the picture of the seal, from the signed data and not from the page.
	Picture     []byte `json:"-"`
	PictureType string `json:"-"`
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

// stamp is a moment as reports carry it.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
