package enroll

import (
	"context"
	"sync"
	"testing"

	"yinxin/internal/access"
	"yinxin/internal/fault"
)

// race runs n calls at the same moment.
func race(n int, fn func(i int) error) []error {
	errs := make([]error, n)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { <-start; errs[i] = fn(i) })
	}
	close(start)
	wg.Wait()
	return errs
}

// wantOne demands that exactly one succeeded, and that the others were told of a conflict.
func wantOne(t *testing.T, errs []error) {
	t.Helper()
	won := 0
	for _, err := range errs {
		switch {
		case err == nil:
			won++
		case !fault.Has(err, ErrConflict):
			t.Errorf("the other was told %v", err)
		}
	}
	if won != 1 {
		t.Errorf("%d succeeded", won)
	}
}

func TestOfTwoOfficersAtOnceOneWins(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		remarks := []Remark{{"purpose", "不完整"}}
		a := w.examined()
		wantOne(t, race(6, func(i int) error {
			var err error
			switch i % 3 {
			case 0:
				_, err = w.Approve(ctx, w.approver, a.Ref())
			case 1:
				_, err = w.Approve(ctx, w.both, a.Ref())
			default:
				_, err = w.Return(ctx, w.registrar, a.Ref(), remarks)
			}
			return err
		}))
		lines, err := w.History(ctx, w.registrar, a.ID)
		w.must(err)
		if last := lines[len(lines)-1]; last.Step != StepApprove && last.Step != StepReturn || last.From != StateExamined {
			t.Errorf("the last line is %s", last.Sentence())
		}
		w.wantLedger(a)
	})
}

func TestOfTwoExaminersAtOnceOneAsks(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		a := w.inked()
		officers := []access.Actor{w.registrar, w.second, w.both}
		wantOne(t, race(6, func(i int) error {
			_, err := w.Examine(ctx, officers[i%3], a.Ref())
			return err
		}))
		open, err := w.Access.Open(ctx, 10)
		if err != nil || len(open) != 1 {
			t.Errorf("%d requests are open, %v", len(open), err)
		}
	})
}

func TestAnEditAndAnApprovalAtOnce(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		a := w.examined()
		f := a.Form
		f.Purpose = "同时修改"
		wantOne(t, race(4, func(i int) error {
			var err error
			if i%2 == 0 {
				_, err = w.Edit(ctx, w.second, a.Ref(), f)
			} else {
				_, err = w.Approve(ctx, w.approver, a.Ref())
			}
			return err
		}))
		now := w.again(a)
		if now.State == StateApproved && now.Version != a.Version || now.State == StateOriginal && now.Version != a.Version+1 {
			t.Errorf("%s with version %d after %d", now.State, now.Version, a.Version)
		}
	})
}

func TestTwoWhoStopAUserAtOnceStopThemOnce(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		holder := w.holderOf(unitDirect)
		won := 0
		for _, err := range race(6, func(i int) error {
			_, err := w.SuspendAtOnce(context.Background(), []access.Actor{w.registrar, w.second}[i%2], holder, "Key 遗失")
			return err
		}) {
			if err == nil {
				won++
			} else {
				wantCode(t, err, ErrSuspended)
			}
		}
		if won != 1 {
			t.Errorf("%d succeeded", won)
		}
		w.wantStopped(1)
	})
}
