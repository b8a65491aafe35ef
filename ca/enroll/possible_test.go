package enroll

import (
	"context"
	"slices"
	"testing"
	"time"

	"yinxin/ca/enroll/form"
	"yinxin/internal/access"
	"yinxin/internal/fault"
)

// TestPossibleStepsAreThoseThatAreNotRefused: what is offered is never refused for its state or its actor, and what is
// not offered always is.
func TestPossibleStepsAreThoseThatAreNotRefused(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		has := func(by access.Actor, a Application, step Step) bool {
			t.Helper()
			list, err := w.Possible(ctx, by, a.ID)
			w.must(err)
			return slices.Contains(list, step)
		}
		a := w.with(w.Submit(ctx, w.handler[unitA], w.draft(unitA).Ref()))
		handler, examiner := w.handler[unitA], w.registrar
		if !has(handler, a, StepRecall) || has(handler, a, StepGather) || has(handler, a, StepEdit) || !has(w.city, a, StepGather) || has(examiner, a, StepReceive) {
			t.Error("the steps of an application that was handed in to the city are others")
		}
		batch, err := w.OpenBatch(ctx, w.city, areaOne, "三月", w.time().Add(time.Hour))
		w.must(err)
		a = w.with(w.Gather(ctx, w.city, a.Ref(), batch.ID))
		if !has(w.city, a, StepRelease) || has(examiner, a, StepReceive) {
			t.Error("what is in an open batch cannot be taken out, or be received")
		}
		_, err = w.HandIn(ctx, w.city, batch.Ref())
		w.must(err)
		if has(w.city, a, StepRelease) || !has(examiner, a, StepReceive) {
			t.Error("what was handed in can be taken out, or not be received")
		}
		e := w.examined()
		if has(examiner, e, StepApprove) || !has(w.approver, e, StepApprove) || has(w.approver, e, StepExamine) {
			t.Error("the steps of an examined application are others")
		}
		if _, err := w.Possible(ctx, w.handler[unitFar], a.ID); !fault.Has(err, ErrNotFound) {
			t.Errorf("a stranger gets %v", err)
		}
	})
}

func TestCountsAndFiltersKeepToWhatSomebodyMaySee(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		a := w.draft(unitA)
		w.draft(unitDirect)
		e := w.examined()
		for name, c := range map[string]struct {
			by   access.Actor
			want int
		}{"the unit": {w.handler[unitA], 1}, "another unit": {w.handler[unitFar], 0}, "the city": {w.city, 1}, "a registrar": {w.registrar, 2}} {
			counts, err := w.Counts(ctx, c.by)
			w.must(err)
			if counts[StateDraft] != c.want {
				t.Errorf("%s counts %v", name, counts)
			}
		}
		found, err := w.Examined(ctx, w.approver, e.Examination)
		w.must(err)
		if found.ID != e.ID {
			t.Errorf("the examination leads to %s", found.ID)
		}
		for _, c := range []struct {
			by      access.Actor
			request string
		}{{w.handler[unitFar], e.Examination}, {w.approver, "req_none"}, {w.approver, ""}} {
			if _, err := w.Examined(ctx, c.by, c.request); !fault.Has(err, ErrNotFound) {
				t.Errorf("%s finds %q: %v", c.by.ID, c.request, err)
			}
		}
		ids := func(f Filter) (n int) {
			t.Helper()
			list, err := w.List(ctx, w.registrar, f)
			w.must(err)
			for _, s := range list {
				if s.ID == a.ID {
					n++
				}
			}
			return n
		}
		day := 24 * time.Hour
		for _, f := range []Filter{{Business: a.Form.Businesses[0]}, {From: a.Created}, {Until: a.Created.Add(time.Second)}, {From: a.Created.Add(-day), Until: a.Created.Add(day)}} {
			if ids(f) != 1 {
				t.Errorf("%+v does not give it", f)
			}
		}
		for _, f := range []Filter{{Business: form.KeyUnlock}, {Business: "%"}, {Business: "n_w"}, {Business: "ne"}, {From: a.Created.Add(day)}, {Until: a.Created}} {
			if ids(f) != 0 {
				t.Errorf("%+v gives it", f)
			}
		}
	})
}
