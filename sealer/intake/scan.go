package intake

import (
	"context"
	"errors"
	"io"
	"slices"

	"yinxin/internal/bitset"
	"yinxin/internal/fault"
	"yinxin/sealer/pdf"
)

// Limits bound a scan. Zero fields take the value of DefaultLimits.
type Limits struct {
	Objects      int   // indirect objects read
	Pages        int   // pages whose content is interpreted
	ContentBytes int64 // decoded content, over all pages
	Operators    int   // of content streams, forms counted each time that they are drawn, and other work like it
	Steps        int   // values visited, shared ones each time
	Annotations  int   // looked at, shared ones each time
	Marks        int   // texts and areas kept of one page
	PerCode      int   // findings listed of one code; the rest are counted
	StrayBytes   int64 // of the file, searched for unlisted objects
}

// DefaultLimits take a second or two at most, on one core of 2026.
var DefaultLimits = Limits{
	Objects:      150_000,
	Pages:        2_000,
	ContentBytes: 48 << 20,
	Operators:    4_000_000,
	Steps:        10_000_000,
	Annotations:  100_000,
	Marks:        20_000,
	PerCode:      20,
	StrayBytes:   512 << 20,
}

func (l Limits) filled() Limits {
	set := func(v *int, standard int) {
		if *v <= 0 {
			*v = standard
		}
	}
	set(&l.Objects, DefaultLimits.Objects)
	set(&l.Pages, DefaultLimits.Pages)
	set(&l.Operators, DefaultLimits.Operators)
	set(&l.Steps, DefaultLimits.Steps)
	set(&l.Annotations, DefaultLimits.Annotations)
	set(&l.Marks, DefaultLimits.Marks)
	set(&l.PerCode, DefaultLimits.PerCode)
	if l.ContentBytes <= 0 {
		l.ContentBytes = DefaultLimits.ContentBytes
	}
	if l.StrayBytes <= 0 {
		l.StrayBytes = DefaultLimits.StrayBytes
	}
	return l
}

// Standing is whether an earlier signature holds.
type Standing string

// The standings. SignatureHolds says that integrity is proved; trust in the signer is another matter.
const (
	SignatureHolds   Standing = "holds"
	SignatureBroken  Standing = "broken"
	SignatureUnknown Standing = "unknown"
)

// EarlierSignature is what a verifier says of a signature field of the file.
type EarlierSignature struct {
	Field    string // full name, as pdf.SignatureField has it
	Standing Standing
}

// Options of a scan. The zero value is good.
type Options struct {
	Limits Limits
	PDF    pdf.Limits
	// Signatures judges the earlier signatures of the file; asked only where there are any. Nil: they are reported as
	// not verified.
	Signatures func(ctx context.Context) ([]EarlierSignature, error)
}

// Scan looks through the PDF of size bytes. It opens the file for itself, so that a Document that is used for sealing
// keeps its budgets. An object that is not where the cross-reference says has the file recovered as sealing does, if it
// can be, and is else a finding. A context that runs out of time (context.DeadlineExceeded) cuts the scan short and is no
// error. Errors: those of pdf.OpenRecovering, of Options.Signatures, pdf.read, and a cancelled context's.
func Scan(ctx context.Context, r io.ReaderAt, size int64, o Options) (*Report, error) {
	doc, err := o.PDF.OpenRecovering(ctx, r, size)
	if err != nil {
		return nil, err
	}
	var s *scanner
	if err = doc.Recovering(ctx, func() error {
		s = o.scanner(ctx, doc)
		s.mend = doc.Recovered() == nil
		return s.run()
	}); err != nil && s.mend && s.misplaced {
		if doc, err = o.PDF.Open(ctx, r, size); err == nil {
			s = o.scanner(ctx, doc)
			err = s.run()
		}
	}
	if err != nil {
		return nil, err
	}
	return s.report(), nil
}

func (o Options) scanner(ctx context.Context, doc *pdf.Document) *scanner {
	return &scanner{ctx: ctx, doc: doc, limits: o.Limits.filled(), signatures: o.Signatures,
		perCode: map[Code]int{}, fonts: map[Code][]string{},
		layersOff: map[pdf.Ref]bool{}, composite: map[pdf.Ref]bool{}}
}

func (s *scanner) run() error {
	for _, step := range []func() error{s.protection, s.layers, s.pages, s.form, s.document, s.spare} {
		if err := step(); err != nil && !s.survivable(err) {
			return err
		}
	}
	return nil
}

// scanner is the state of one scan.
type scanner struct {
	ctx        context.Context
	doc        *pdf.Document
	limits     Limits
	signatures func(ctx context.Context) ([]EarlierSignature, error)

	mend      bool // an object that is not where it should be ends the scan: the file may be recovered
	misplaced bool // and that is why it ended

	findings   []Finding
	perCode    map[Code]int
	incomplete string // why, in a word; empty while nothing was left out

	seen        bitset.Set // object numbers visited
	objects     int        // of them
	pageNumbers pageNumbers
	treeNodes   map[int]bool // object numbers of the page tree, made when needed
	pageCount   int
	content     int64 // decoded so far
	operators   int
	steps       int
	annotated   int // annotations looked at
	fonts       map[Code][]string
	fontPages   map[Code]int
	layersOff   map[pdf.Ref]bool
	composite   map[pdf.Ref]bool // fonts with two-byte codes
	encrypted   bool
	decoded     map[int64][]byte // forms, by where they stand
	kept        int              // bytes of them
	pictures    map[pdf.Ref]bool // what seals of the document draw, made when needed
	missing     map[int]bool     // numbers already reported as dangling
}

// survivable turns an error that speaks of the file, or of a limit, into a finding; others end the scan.
func (s *scanner) survivable(err error) bool {
	if errors.Is(err, errHook) {
		return false
	}
	if errors.Is(err, context.DeadlineExceeded) {
		s.cut("time")
		return true
	}
	f, ok := fault.Of(err)
	if !ok || f.Kind == fault.Internal || f.Kind == fault.Unavailable || s.ctx.Err() != nil {
		return false
	}
	if s.mend && f.Code == "pdf.damaged-xref" {
		s.misplaced = true
		return false
	}
	if f.Kind == fault.TooLarge {
		s.cut("size")
		return true
	}
	s.add(Finding{Code: CodeUnreadable, Object: f.Place.Object, Detail: f.Code})
	return true
}

// cut records that something was left out.
func (s *scanner) cut(what string) {
	if s.incomplete == "" {
		s.incomplete = what
	}
}

// add records a finding, or only counts it when there are enough of its code.
func (s *scanner) add(f Finding) {
	s.perCode[f.Code]++
	if s.perCode[f.Code] > s.limits.PerCode {
		return
	}
	f.Detail = clean(f.Detail)
	object := f.Object
	f.phrase()
	if f.Object == "" {
		f.Object = object
	}
	s.findings = append(s.findings, f)
}

// report puts the findings in order and says how many more there are of each code.
func (s *scanner) report() *Report {
	for _, code := range Codes() {
		if more := s.perCode[code] - s.limits.PerCode; more > 0 {
			f := Finding{Code: code, Count: more}
			f.phrase()
			m := meanings[code]
			f.ZH, f.EN = m.zh+"：另有同类 "+number(more)+" 处未列出。", m.en+": and "+number(more)+" more."
			s.findings = append(s.findings, f)
		}
	}
	if s.incomplete != "" {
		s.add(Finding{Code: CodeIncomplete, Detail: s.incomplete})
	}
	rank := map[Severity]int{Danger: 0, Warning: 1, Info: 2}
	slices.SortStableFunc(s.findings, func(a, b Finding) int {
		if a.Severity != b.Severity {
			return rank[a.Severity] - rank[b.Severity]
		}
		if a.Page != b.Page {
			return a.Page - b.Page
		}
		return 0
	})
	findings := s.findings
	if findings == nil {
		findings = []Finding{}
	}
	return &Report{Findings: findings, Pages: s.pageCount, Complete: s.incomplete == "", Damaged: s.doc.Recovered() != nil}
}

// dict follows o to a dictionary, of a stream its own; nil when it is neither.
func (s *scanner) dict(o pdf.Object) (pdf.Dict, error) {
	v, err := s.resolve(o)
	if err != nil {
		return nil, err
	}
	switch v := v.(type) {
	case pdf.Dict:
		return v, nil
	case *pdf.Stream:
		return v.Dict, nil
	}
	return nil, nil
}

// array follows o to an array; nil when it is none.
func (s *scanner) array(o pdf.Object) (pdf.Array, error) {
	v, err := s.resolve(o)
	a, _ := v.(pdf.Array)
	return a, err
}

// resolve is Document.Resolve, where what cannot be read counts as null: the walk reports it.
func (s *scanner) resolve(o pdf.Object) (pdf.Object, error) {
	v, err := s.doc.Resolve(o)
	if f, ok := fault.Of(err); ok && f.Kind == fault.Invalid {
		return nil, nil
	}
	return v, err
}

// name follows o to a name; empty when it is none.
func (s *scanner) name(o pdf.Object) pdf.Name {
	v, err := s.resolve(o)
	if err != nil {
		return ""
	}
	n, _ := v.(pdf.Name)
	return n
}

// integer follows o to an integer.
func (s *scanner) integer(o pdf.Object) int64 {
	v, err := s.resolve(o)
	if err != nil {
		return 0
	}
	n, _ := v.(pdf.Integer)
	return int64(n)
}

// text follows o to a text string or a name.
func (s *scanner) text(o pdf.Object) string {
	v, err := s.resolve(o)
	if err != nil {
		return ""
	}
	switch v := v.(type) {
	case pdf.String:
		if len(v.Value) > 4096 {
			v.Value = v.Value[:4096]
		}
		return v.Text()
	case pdf.Name:
		return string(v)
	}
	return ""
}
