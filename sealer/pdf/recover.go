package pdf

import (
	"context"
	"io"

	"yinxin/internal/fault"
)

// Recovery: a cross-reference that is wrong, but leaves every object found without doubt, is built anew by reading the
// whole file. It serves sealing only. A verifier must never repair: what was signed is what the file says, and readers
// that repair differ in what they find.
//
// Without doubt means:
//   - every object number has one definition in the whole file, those in object streams counted; two revisions of an
//     object in a file whose chain of revisions is broken are two definitions;
//   - every definition can be read to its end, and none looks as if it held another one. Text in a stream is no
//     definition where a correct /Length delimits the stream; where the length is wrong, such text is doubt;
//   - every object that is referred to is there;
//   - there is one catalog, and the trailers that are left agree on it and on /Info;
//   - no object that is left of the cross-reference is called free there and found in the file all the same;
//   - no signature stands in the file: it would not be good any longer.

// Errors of recovery.
var (
	errDoubtful = fault.Spec{Kind: fault.Refused, Code: "pdf.ambiguous-damage",
		ZH: "文件的交叉引用已损坏，且文件内容有不止一种读法，不能盖章。",
		EN: "The cross-reference of the file is damaged and its content can be read in more than one way, so it cannot be sealed."}
	errIncomplete = fault.Spec{Kind: fault.Refused, Code: "pdf.incomplete-damage",
		ZH: "文件的交叉引用已损坏，且缺少文件需要的对象，不能盖章。",
		EN: "The cross-reference of the file is damaged and objects that the file needs are missing or cannot be read, so it cannot be sealed."}
)

// OpenRecovering is Open for a document that is to be sealed: where the cross-reference is wrong, now or when
// PlanSeal meets an object that is not where it should be, it is built anew from the whole file, if the objects can be
// told without doubt. The update that seals a recovered document carries a complete cross-reference section, so that
// the sealed file no longer needs the damaged one. A sound file costs what Open costs.
//
// Errors are those of Open, and pdf.ambiguous-damage, pdf.incomplete-damage and pdf.encrypted for a file that is
// damaged and not recovered.
func OpenRecovering(ctx context.Context, r io.ReaderAt, size int64) (*Document, error) {
	return DefaultLimits.OpenRecovering(ctx, r, size)
}

// OpenRecovering is the function OpenRecovering with limits of the caller's choice.
func (l Limits) OpenRecovering(ctx context.Context, r io.ReaderAt, size int64) (*Document, error) {
	d, err := l.begin(r, size)
	if err != nil {
		return nil, err
	}
	d.mayRecover = true
	err = d.readCrossReference(ctx)
	if fault.Has(err, errTruncated) || fault.Has(err, errAbsurdSize) {
		err = d.recover(ctx, err)
	} else {
		_, err = d.recoverAfter(ctx, err)
	}
	if err != nil {
		return nil, err
	}
	return d, nil
}

// Recovered is why the cross-reference was built anew: the fault that reading met, with its place. Nil for a document
// whose own cross-reference is used. It is settled once PlanSeal has returned.
func (d *Document) Recovered() error {
	if d.recovered == nil {
		return nil
	}
	return d.recovered
}

// Recovering runs fn, which reads the document, and runs it once more if it met a wrong cross-reference that could then
// be built anew. For a document of OpenRecovering; with any other it runs fn once.
func (d *Document) Recovering(ctx context.Context, fn func() error) error {
	err := fn()
	if again, failed := d.recoverAfter(ctx, err); failed != nil || !again {
		return failed
	}
	return fn()
}

// recoverAfter recovers the document if err says that the cross-reference is wrong and recovery is wanted; again says
// that it was done and that what failed is worth another try. Any other error comes back as it is.
func (d *Document) recoverAfter(ctx context.Context, err error) (again bool, _ error) {
	if err == nil || !d.mayRecover || d.recovered != nil || !fault.Has(err, errDamagedXref) {
		return false, err
	}
	return true, d.recover(ctx, err)
}

// recover builds the cross-reference anew. cause is what was found to be wrong with the present one.
func (d *Document) recover(ctx context.Context, cause error) error {
	d.reset()
	d.bias = d.header
	s := &salvage{d: d, ctx: ctx, found: found{d: d, size: 128 << 10}}
	if err := s.scan(); err != nil {
		return err
	}
	if err := s.single(); err != nil {
		return err
	}
	rebuilt := &section{start: d.size, after: d.size, kind: Table, raw: []byte("<<>>"), entries: &compact{entries: s.objects}}
	d.sections = []*section{rebuilt}
	d.tail = d.size
	if err := s.settle(rebuilt); err != nil {
		return err
	}
	fields, err := d.SignatureFields(ctx)
	if err != nil {
		return errIncomplete.Because(err).Saying("表单", "the form")
	}
	for _, f := range fields {
		if f.Dict != nil || f.Value != (Ref{}) {
			return errDoubtful.Saying("文件带有签名", "the file has a signature").At(fault.Field(f.Name))
		}
	}
	f, _ := fault.Of(cause)
	d.recovered = f
	return nil
}

// reset forgets everything that came from the old cross-reference.
func (d *Document) reset() {
	d.sections, d.root = nil, Ref{}
	clear(d.cache)
	d.cached, d.large, d.largeNum, d.streams, d.pageTotal = 0, nil, 0, nil, 0
}
