// Package fault holds the one error type that leaves a room of Yinxin: a stable code, a sentence for a person in
// Chinese and in English, and the place the error speaks of.
//
// Declare the errors of a package once, as values of Spec, and make a Fault from one where it happens:
//
//	var errEncrypted = fault.Spec{Kind: fault.Refused, Code: "pdf.encrypted",
//		ZH: "文件已加密，不能盖章。", EN: "The file is encrypted and cannot be sealed."}
//
//	return errEncrypted.At(fault.Object(12, 0)).Because(err)
//
// The kind decides the exit status of the command and the HTTP status of the API; only those two edges map it.
// The cause (Because) is for logs of the operator: it is never shown to the person, so internals do not leak.
package fault

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Kind says what sort of refusal an error is.
type Kind uint8

const (
	// Internal is a failure of the service itself.
	Internal Kind = iota
	// Invalid is input that cannot be understood.
	Invalid
	// Refused is input that is understood and must not be acted on: a certified document, a suspended seal.
	Refused
	// Denied is a caller without the right.
	Denied
	// Unauthenticated is a caller who did not say who they are, or could not prove it.
	Unauthenticated
	// NotFound is something that does not exist, or that the caller may not know of.
	NotFound
	// Conflict is a request that contradicts what is already recorded.
	Conflict
	// TooLarge is input over a limit.
	TooLarge
	// Unavailable is a failure that may pass: try again.
	Unavailable
)

// Place is where in the input an error stands. Zero fields are not known.
type Place struct {
	File   string `json:"file,omitempty"`
	Page   int    `json:"page,omitempty"`   // counted from 1
	Object string `json:"object,omitempty"` // "12 0 R"
	Field  string `json:"field,omitempty"`
	Row    int    `json:"row,omitempty"`    // counted from 1
	Offset *int64 `json:"offset,omitempty"` // bytes from the start of the file
}

// File is a place: a file by its name.
func File(name string) Place { return Place{File: name} }

// Page is a place: a page counted from 1.
func Page(n int) Place { return Place{Page: n} }

// Object is a place: an indirect object of a PDF.
func Object(num, gen int) Place { return Place{Object: fmt.Sprintf("%d %d R", num, gen)} }

// Field is a place: a named field of a form, a structure or a request.
func Field(name string) Place { return Place{Field: name} }

// Offset is a place: a byte offset in the input.
func Offset(n int64) Place { return Place{Offset: &n} }

// placeWords are how a place is written in a language.
type placeWords struct{ page, object, row, offset, between string }

var (
	placeEN = placeWords{page: "page %d", object: "object %s", row: "row %d", offset: "offset %d", between: ", "}
	placeZH = placeWords{page: "第 %d 页", object: "对象 %s", row: "第 %d 行", offset: "偏移 %d", between: "，"}
)

func (p Place) String() string { return p.in(placeEN) }

func (p Place) in(w placeWords) string {
	var parts []string
	if p.File != "" {
		parts = append(parts, p.File)
	}
	if p.Page != 0 {
		parts = append(parts, fmt.Sprintf(w.page, p.Page))
	}
	if p.Object != "" {
		parts = append(parts, fmt.Sprintf(w.object, p.Object))
	}
	if p.Field != "" {
		parts = append(parts, p.Field)
	}
	if p.Row != 0 {
		parts = append(parts, fmt.Sprintf(w.row, p.Row))
	}
	if p.Offset != nil {
		parts = append(parts, fmt.Sprintf(w.offset, *p.Offset))
	}
	return strings.Join(parts, w.between)
}

// Spec declares an error: everything about it that does not depend on the case. The code is "room.what" in lower
// case and never changes its meaning. ZH and EN are whole sentences.
type Spec struct {
	Kind   Kind
	Code   string
	ZH, EN string
}

// Fault is an error made from a Spec. It is immutable: At, Because and With return changed copies.
type Fault struct {
	Spec
	Place    Place
	detail   string
	detailZH string
	cause    error
	retry    time.Duration
}

// New makes an error from the spec.
func (s Spec) New() *Fault { return &Fault{Spec: s} }

// At makes an error from the spec at a place.
func (s Spec) At(p Place) *Fault { return &Fault{Spec: s, Place: p} }

// Because makes an error from the spec with a cause for the operator's log.
func (s Spec) Because(err error) *Fault { return &Fault{Spec: s, cause: err} }

// With makes an error from the spec with a detail that the person may see: a number, a name, a limit.
func (s Spec) With(format string, args ...any) *Fault { return s.New().With(format, args...) }

// Saying makes an error from the spec with a detail in words, in Chinese and in English.
func (s Spec) Saying(zh, en string) *Fault { return s.New().Saying(zh, en) }

// Sayingf is Saying with two formats for the same arguments.
func (s Spec) Sayingf(zh, en string, args ...any) *Fault { return s.New().Sayingf(zh, en, args...) }

// At returns the error at a place.
func (f *Fault) At(p Place) *Fault {
	c := *f
	c.Place = p
	return &c
}

// Because returns the error with a cause.
func (f *Fault) Because(err error) *Fault {
	c := *f
	c.cause = err
	return &c
}

// With returns the error with a detail that the person may see.
func (f *Fault) With(format string, args ...any) *Fault {
	c := *f
	c.detail = fmt.Sprintf(format, args...)
	c.detailZH = c.detail
	return &c
}

// Saying returns the error with a detail that needs words: what is in the way, what to do.
func (f *Fault) Saying(zh, en string) *Fault {
	c := *f
	c.detailZH, c.detail = zh, en
	return &c
}

// Sayingf is Saying with two formats for the same arguments.
func (f *Fault) Sayingf(zh, en string, args ...any) *Fault {
	return f.Saying(fmt.Sprintf(zh, args...), fmt.Sprintf(en, args...))
}

// RetryIn returns the error with the time after which trying again makes sense.
func (f *Fault) RetryIn(d time.Duration) *Fault {
	c := *f
	c.retry = d
	return &c
}

// RetryAfter is what RetryIn said, or 0.
func (f *Fault) RetryAfter() time.Duration { return f.retry }

// Detail is what With added, or the English of Saying; or empty.
func (f *Fault) Detail() string { return f.detail }

// DetailZH is what With added, or the Chinese of Saying; or empty.
func (f *Fault) DetailZH() string { return f.detailZH }

// Error is the English sentence with code, place, detail and cause: for logs and tests.
func (f *Fault) Error() string {
	var b strings.Builder
	b.WriteString(f.Code)
	b.WriteString(": ")
	b.WriteString(f.Sentence("en"))
	if f.cause != nil {
		b.WriteString(": ")
		b.WriteString(f.cause.Error())
	}
	return b.String()
}

// Sentence is what a person reads: the sentence in the language ("zh" or "en"), the detail and the place.
func (f *Fault) Sentence(language string) string {
	s, detail, words := f.EN, f.detail, placeEN
	open, between, shut := " (", "; ", ")"
	if language == "zh" {
		s, detail, words = f.ZH, f.detailZH, placeZH
		open, between, shut = "（", "；", "）"
	}
	var parts []string
	if detail != "" {
		parts = append(parts, detail)
	}
	if p := f.Place.in(words); p != "" {
		parts = append(parts, p)
	}
	if len(parts) == 0 {
		return s
	}
	return s + open + strings.Join(parts, between) + shut
}

// Unwrap gives the cause.
func (f *Fault) Unwrap() error { return f.cause }

// Is reports whether target is a Spec-made error with the same code, so that errors.Is(err, spec.New()) works.
func (f *Fault) Is(target error) bool {
	var t *Fault
	return errors.As(target, &t) && t.Code == f.Code
}

// Of finds the outermost Fault in err's chain.
func Of(err error) (*Fault, bool) {
	var f *Fault
	ok := errors.As(err, &f)
	return f, ok
}

// CodeOf is the code of the outermost Fault in err's chain, or "internal".
func CodeOf(err error) string {
	if f, ok := Of(err); ok {
		return f.Code
	}
	return "internal"
}

// Reason is what a person may know of the fault in err's chain, to follow the words of another: ": code detail". It is
// empty where there is none.
func Reason(err error) string {
	f, ok := Of(err)
	if !ok {
		return ""
	}
	return strings.TrimRight(": "+f.Code+" "+f.Detail(), " ")
}

// Has reports whether err carries an error with the spec's code.
func Has(err error, s Spec) bool {
	f, ok := Of(err)
	return ok && f.Code == s.Code
}
