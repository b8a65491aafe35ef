package verify

import (
	"context"
	"io"
	"slices"
	"strings"
	"time"

	"yinxin/ca/chain"
	"yinxin/ca/cms"
	"yinxin/ca/tsa"
	"yinxin/internal/fault"
	"yinxin/sealer/pdf"
	"yinxin/sealer/ses"
)

// Options say what a verification may rely on.
type Options struct {
	// Chain knows the trust anchors and asks for revocation. Nil: no anchor is known, so that a good seal is
	// undetermined.
	Chain *chain.Verifier
	// At is now: statements about the present refer to it. Zero: the present is not known, and nothing without
	// proof of its time can be valid.
	At time.Time
	// SealStatus asks the register for the state of a seal at a moment; sealDER is the seal as it stands in the
	// signature. Nil: not asked, which is said.
	SealStatus func(ctx context.Context, esID string, sealDER []byte, at time.Time) (SealState, error)
	// Contact says where anyone may ask about a seal, by its code. It is asked only about a seal that SealStatus knows to be
	// the register's own: what a file says about itself is no reason to tell people whom to call. Nil: not asked.
	Contact func(ctx context.Context, esID string) (Contact, error)
	// Language of sentences: "zh" (default) or "en".
	Language string
	// SecondOpinion has every SM2 value, of signatures, seals, time stamps and certificates, checked again by a second,
	// independent implementation. It takes about 2 ms for each value.
	SecondOpinion bool
	// TimeLimit ends the verification of one file, which is then not judged to the end. Zero: 20 seconds, and one more for
	// each 20 MB of the file. Whoever asks online must allow for the network.
	TimeLimit time.Duration
	// MaxSignatures is how many signatures are judged; 0 is 300. More make the file undetermined at best.
	MaxSignatures int
}

// Contact is where anyone may ask whether a document is genuine.
type Contact struct {
	Unit      string `json:"unit"`
	Telephone string `json:"telephone"`
}

// SealStanding is whether a seal was in force.
type SealStanding string

// The standings. SealUnknown: the register does not know the seal, or does not say.
const (
	SealUnknown   SealStanding = "unknown"
	SealActive    SealStanding = "active"
	SealSuspended SealStanding = "suspended"
	SealCancelled SealStanding = "cancelled"
	// SealForged: the register has a seal with this code, and it is another.
	SealForged SealStanding = "forged"
)

// SealState is the state of a seal at the moment that was asked for.
type SealState struct {
	Standing SealStanding
	Since    time.Time // when this state began; zero when not known
	Detail   string    // a sentence for the report, or empty
}

const (
	defaultMaxSignatures = 300
	// maxContents is the longest signature structure, in bytes. Seals seen are 5 to 60 kB.
	maxContents = 4 << 20
)

// File judges the PDF of size bytes and every signature in it. name is only repeated in the report. Bad input is no
// error: the verdict is then Unreadable, or that of the signatures. When ctx ends early the report says so and is
// never good.
func File(ctx context.Context, name string, r io.ReaderAt, size int64, o Options) *Report {
	if o.TimeLimit <= 0 {
		o.TimeLimit = 20*time.Second + time.Duration(size/(20<<20))*time.Second
	}
	ctx, stop := context.WithTimeout(ctx, o.TimeLimit)
	defer stop()
	v := newVerification(ctx, r, size, o)
	v.report.File = name
	v.run()
	v.conclude()
	return v.report
}

// verification is the work on one file.
type verification struct {
	ctx     context.Context
	reader  io.ReaderAt
	size    int64
	options Options
	trust   *chain.Verifier // what the caller trusts
	chain   *chain.Verifier // and with what the file carries
	report  *Report

	doc        *pdf.Document
	signatures []*signature
	revisions  []revision
	empty      int  // signature fields without a value
	undecided  bool // something was left out for a limit: not better than undetermined
	err        error
	padded     bool  // more white space follows the end than readers look through
	salvaged   bool  // the only signature was found in the bytes of a file that cannot be opened
	damage     error // why the newest state cannot be read, when an earlier one is judged in its place

	material *material // what the file carries to prove its signatures
	stamps   []stamp   // document time stamps that were found good, in order
	seconds  map[string]bool

	opened       int                  // cross-reference sections read for earlier states of the file
	certificates []*chain.Certificate // read so far
	seals        []judgedSeal
}

// judgedSeal is a seal, maker's certificate included, whose value was verified.
type judgedSeal struct {
	der []byte
	err error
}

// maxRemembered bounds what is kept to spare work when many signatures have it in common.
const maxRemembered = 8

func newVerification(ctx context.Context, r io.ReaderAt, size int64, o Options) *verification {
	if o.Language != "en" {
		o.Language = "zh"
	}
	if o.MaxSignatures <= 0 {
		o.MaxSignatures = defaultMaxSignatures
	}
	v := &verification{ctx: ctx, reader: r, size: size, options: o, chain: o.Chain}
	if v.chain == nil {
		v.chain = &chain.Verifier{Anchors: chain.NewAnchors()}
	}
	v.material = &material{}
	if o.SecondOpinion {
		v.seconds = map[string]bool{}
	}
	v.report = &Report{Signatures: []Signature{}, Size: size, At: rfc3339(o.At)}
	return v
}

func (v *verification) run() {
	if v.err = v.structure(); v.err != nil && !v.openEarlier() {
		v.salvage()
		return
	}
	v.err = nil
	v.order()
	if v.err = v.checkRevisions(); v.err != nil {
		return
	}
	v.addDamage()
	if v.err = v.digests(); v.err != nil {
		return
	}
	if v.err = v.checkStamps(); v.err != nil {
		return
	}
	for _, s := range v.signatures {
		if v.err = v.ctx.Err(); v.err != nil {
			return
		}
		v.checkContent(s)
		v.secondOpinion(s)
	}
}

// chainOf is what chains of a signature are built from: the trust of the verification, what the file carries, and what
// the signature does.
func (v *verification) chainOf(s *signature) *chain.Verifier {
	if s.chain != nil {
		return s.chain
	}
	return v.chain
}

// structure opens the document, finds its signatures and judges their places.
func (v *verification) structure() (err error) {
	if v.doc, err = pdf.Open(v.ctx, v.reader, v.size); err != nil {
		return err
	}
	v.signatures, v.empty = nil, 0
	if err = v.takeStore(); err != nil {
		return err
	}
	if err = v.find(); err != nil {
		return err
	}
	for _, s := range v.signatures {
		v.checkStructure(s)
	}
	return nil
}

// signature is the work on one signature field.
type signature struct {
	out   Signature
	field pdf.SignatureField
	lang  string

	verdict  Verdict
	reason   text // why the verdict is no better
	broken   bool // the verdict is about the signature data itself, not about trust in it
	sound    bool // byte range and contents are as they must be
	gap      [2]int64
	end      int64  // where the covered part ends
	contents []byte // the DER structure without its padding
	need     need   // the digest it was made over
	digest   []byte // of what it covers; nil where it was not computed

	// What stands in Contents, read once: a seal, a signed message with its signer's certificate, a time stamp.
	seal           *ses.Signature
	sealErr        error
	message        *cms.SignedData
	messageErr     error
	certificate    *chain.Certificate
	certificateErr error
	token          *tsa.Token
	tokenErr       error

	chain  *chain.Verifier // with what the signature carries; nil: that of the file
	signer *chain.Certificate
	owner  string    // who the seal belongs to, for sentences
	claim  time.Time // what the signer says; zero: nothing
	// present is now, for a signed message without a claim; zero for seals, which must have one.
	present time.Time
	proof   *proof // what proves the time; nil: nothing

	seconded bool // a second opinion is asked for
	opinions []opinion
}

func newSignature(f pdf.SignatureField, language string) *signature {
	s := &signature{field: f, lang: language, verdict: Valid}
	s.out = Signature{Field: f.Name, Kind: KindUnknown, TimeSource: TimeSourceNone, Coverage: CoverageBroken,
		ChangesAfter: []Change{}, Checks: make([]Check, 0, 24)}
	if n, ok := f.Dict.Get("Filter").(pdf.Name); ok {
		s.out.Filter = clip(string(n), 64)
	}
	if n, ok := f.Dict.Get("SubFilter").(pdf.Name); ok {
		s.out.SubFilter = clip(string(n), 64)
	}
	if text, ok := f.Dict.Get("Reason").(pdf.String); ok {
		s.out.Reason = clip(text.Text(), 1000)
	}
	return s
}

// find collects the signed fields. Where there is none, signature dictionaries that no field refers to are looked for:
// they prove nothing, and whoever planted them wants them to be taken for a seal. Beside signed fields they are
// nothing but content: what was cleared before signing is covered, and what came later is found by the comparison.
func (v *verification) find() error {
	fields, err := v.doc.SignatureFields(v.ctx)
	if err != nil {
		return err
	}
	for _, f := range fields {
		if f.Dict == nil && v.isEmpty(f) {
			v.empty++
			continue
		}
		if !v.add(f) {
			return nil
		}
	}
	if len(v.signatures) > 0 {
		return nil
	}
	orphans, err := v.doc.OrphanSignatures(v.ctx)
	if err != nil {
		return err
	}
	for _, f := range orphans {
		if !v.add(f) {
			return nil
		}
		s := v.signatures[len(v.signatures)-1]
		s.check(CheckField, Failed, Invalid, text{"没有任何签名域引用这个签名数据。", "No signature field refers to this signature."})
	}
	return nil
}

// isEmpty tells a field that was never signed from one that claims a signature that is not there.
func (v *verification) isEmpty(f pdf.SignatureField) bool {
	if slices.ContainsFunc(f.Problems, func(p string) bool { return strings.HasPrefix(p, "the value of the field") }) {
		return false
	}
	o, err := v.doc.Resolve(f.Field)
	field, ok := o.(pdf.Dict)
	return err == nil && ok && field.Get("V") == nil
}

func (v *verification) add(f pdf.SignatureField) bool {
	if len(v.signatures) >= v.options.MaxSignatures {
		v.undecided = true
		v.note(text{"签名过多，未全部检查。", "There are too many signatures: not all were checked."})
		return false
	}
	s := newSignature(f, v.options.Language)
	s.seconded = v.options.SecondOpinion
	v.signatures = append(v.signatures, s)
	return true
}

// order sorts the signatures as they were made: by where the part ends that they cover. The unsound come last.
func (v *verification) order() {
	slices.SortStableFunc(v.signatures, func(a, b *signature) int {
		switch {
		case a.sound != b.sound && a.sound:
			return -1
		case a.sound != b.sound:
			return 1
		case a.end < b.end:
			return -1
		case a.end > b.end:
			return 1
		}
		return 0
	})
}

// check records a step and lowers the verdict if it has to.
func (s *signature) check(name string, r Result, v Verdict, t text) {
	s.out.Checks = append(s.out.Checks, Check{Name: name, Result: r, Detail: t.in(s.lang)})
	if s.lower(v, t) {
		s.broken = slices.Contains(integrityChecks, name)
	}
}

// integrityChecks are the steps that say whether there is a genuine signature at all.
var integrityChecks = []string{CheckField, CheckByteRange, CheckContents, CheckRevision, CheckFormat, CheckSignatureValue,
	CheckProperty, CheckSealValue, CheckIdentity, CheckAttributes, CheckContentType, CheckAlgorithms}

// lower makes the verdict v unless it is as bad already, and says whether it did; the first reason for a verdict is
// the one that is told.
func (s *signature) lower(v Verdict, reason text) bool {
	if v.severity() <= s.verdict.severity() {
		return false
	}
	s.verdict, s.reason, s.broken = v, reason, false
	return true
}

// unchanged says that the covered bytes were found to be those that were signed.
func (s *signature) unchanged() bool {
	return slices.ContainsFunc(s.out.Checks, func(c Check) bool { return c.Name == CheckDigest && c.Result == OK })
}

// ok records a step that found nothing wrong.
func (s *signature) ok(name string, t text) { s.check(name, OK, Valid, t) }

// skip records a step that was not made.
func (s *signature) skip(name string, t text) { s.check(name, NotChecked, Valid, t) }

func (v *verification) note(t text) {
	v.report.Notes = append(v.report.Notes, t.in(v.options.Language))
}

// unreadable tells the faults that speak of the input from those of the machine and the clock.
func (v *verification) problem() *Problem {
	if v.ctx.Err() != nil {
		return problemOf(errCancelled.New(), v.options.Language)
	}
	if _, ok := fault.Of(v.err); !ok {
		return problemOf(errRead.Because(v.err), v.options.Language)
	}
	return problemOf(v.err, v.options.Language)
}

// clip cuts a text of the file to n bytes and takes out what is no plain character, for reports on a terminal.
func clip(s string, n int) string {
	out := make([]rune, 0, len(s))
	for _, r := range s {
		if r < ' ' || r == 0x7f || (r >= 0x80 && r < 0xa0) || (r >= 0x202a && r <= 0x202e) || (r >= 0x2066 && r <= 0x2069) {
			r = '?'
		}
		if n -= len(string(r)); n < 0 {
			break
		}
		out = append(out, r)
	}
	return string(out)
}
