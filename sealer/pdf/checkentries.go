package pdf

import (
	"context"

	"yinxin/internal/fault"
)

// CheckEntries looks at every entry in use, whether its object stands where the entry says, and returns
// pdf.damaged-xref for the first that does not; a document of OpenRecovering is recovered instead, if it can be. It
// costs a look at each object, so it is for the intake of documents, not for every seal: PlanSeal itself only meets
// the objects that it needs.
func (d *Document) CheckEntries(ctx context.Context) error {
	for _, s := range d.Sections() {
		err := s.Objects(ctx, func(e XrefEntry) error {
			if e.State != InFile {
				return nil
			}
			if current, ok, err := inUse(d, e.Num); err != nil || !ok || current != e {
				return err // a later section decides
			}
			return d.checkEntry(e)
		})
		if err != nil {
			_, err = d.recoverAfter(ctx, err)
			return err
		}
	}
	return nil
}

func (d *Document) checkEntry(e XrefEntry) error {
	misplaced := func() error {
		return errDamagedXref.Sayingf("对象 %d 不在交叉引用所指的位置", "object %d is not where the cross-reference says", e.Num).At(fault.Offset(e.Offset))
	}
	if e.Offset >= d.size {
		return misplaced()
	}
	w, _, err := d.window(e.Offset, headBytes)
	if err != nil {
		return err
	}
	p := newParser(w, e.Offset, true, d.limits)
	num, ok1, _ := p.integer()
	gen, ok2, _ := p.integer()
	if found, _ := p.keyword("obj"); !found || !ok1 || !ok2 || num != int64(e.Num) || gen != int64(e.Gen) {
		return misplaced()
	}
	return nil
}
