package enroll

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"
)

func TestACityGathersItsUnitsAndSeesWhoIsMissing(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		b, err := w.OpenBatch(ctx, w.city, areaOne, "2026 年集中采集", time.Date(2026, 3, 31, 16, 0, 0, 0, time.UTC))
		w.must(err)
		_, err = w.OpenBatch(ctx, w.city, areaTwo, "别处", w.time().Add(time.Hour))
		wantCode(t, err, ErrUnit)
		_, err = w.OpenBatch(ctx, w.city, areaOne, "过期", w.time())
		wantCode(t, err, ErrField)
		_, err = w.HandIn(ctx, w.city, b.Ref())
		wantCode(t, err, ErrEmptyBatch)
		a := w.with(w.Submit(ctx, w.handler[unitA], w.draft(unitA).Ref()))
		_, err = w.Receive(ctx, w.registrar, a.Ref())
		wantCode(t, err, ErrNotHandedIn)
		w.with(w.Create(ctx, w.handler[unitB], unitB, w.filled(unitB)))
		d := w.submitted() // of the direct unit
		_, err = w.Gather(ctx, w.registrar, d.Ref(), b.ID)
		wantCode(t, err, ErrDirect)
		far := w.with(w.Submit(ctx, w.handler[unitFar], w.draft(unitFar).Ref()))
		_, err = w.Gather(ctx, w.registrar, far.Ref(), b.ID)
		wantCode(t, err, ErrBatch)

		w.wantProgress(b, false, "已提交 true", "草稿 true")
		a = w.with(w.Gather(ctx, w.city, a.Ref(), b.ID))
		w.wantProgress(b, false, "市级已汇总 false", "草稿 true")
		a = w.with(w.Gather(ctx, w.city, w.with(w.Release(ctx, w.city, a.Ref())).Ref(), b.ID))
		_, err = w.Receive(ctx, w.registrar, a.Ref())
		wantCode(t, err, ErrNotHandedIn)

		w.pass(b.Deadline.Add(-time.Second).Sub(w.time()))
		w.wantProgress(b, false, "市级已汇总 false", "草稿 true")
		w.pass(time.Second)
		w.wantProgress(b, true, "市级已汇总 false", "草稿 true")
		handed, err := w.HandIn(ctx, w.city, b.Ref())
		w.must(err)
		_, err = w.HandIn(ctx, w.city, b.Ref())
		wantCode(t, err, ErrConflict)
		_, err = w.HandIn(ctx, w.city, handed.Ref())
		wantCode(t, err, ErrHandedIn)
		_, err = w.Release(ctx, w.city, a.Ref())
		wantCode(t, err, ErrHandedIn)
		_, err = w.Return(ctx, w.city, a.Ref(), []Remark{{"purpose", "不完整"}})
		wantCode(t, err, ErrHandedIn)
		_, err = w.Gather(ctx, w.city, w.with(w.Submit(ctx, w.handler[unitB], w.draft(unitB).Ref())).Ref(), b.ID)
		wantCode(t, err, ErrHandedIn)
		a = w.with(w.Receive(ctx, w.registrar, a.Ref()))
		if a.State != StateReceived {
			t.Errorf("now %s", a.State)
		}
		w.wantProgress(b, true, "省级已接收 false", "草稿 true")
	})
}

// wantProgress compares label and missing of the two units of the area, in the order of their names.
func (w *world) wantProgress(b Batch, late bool, a, second string) {
	w.t.Helper()
	p, err := w.Progress(context.Background(), w.city, b.ID)
	w.must(err)
	got := map[string]string{}
	for _, s := range p.Units {
		missing := " false"
		if s.Missing {
			missing = " true"
		}
		got[s.Unit.ID] = s.Label() + missing
	}
	if len(got) != 2 || got[unitA] != a || got[unitB] != second || p.Late != late {
		w.t.Errorf("progress %v, late %t", got, p.Late)
	}
}

func TestTheListOfABatchIsAWorkbookWithoutFormulas(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		u := w.units[unitB]
		u.Name = "=HYPERLINK(\"http://x\")"
		_, err := w.SetUnits(ctx, w.registrar, []Unit{u})
		w.must(err)
		b, err := w.OpenBatch(ctx, w.city, areaOne, "三月", w.time().Add(time.Hour))
		w.must(err)
		a := w.with(w.Gather(ctx, w.city, w.with(w.Submit(ctx, w.handler[unitA], w.draft(unitA).Ref())).Ref(), b.ID))
		p, err := w.Progress(ctx, w.city, b.ID)
		w.must(err)
		var out bytes.Buffer
		w.must(p.Export(&out))
		book, err := excelize.OpenReader(&out)
		w.must(err)
		defer book.Close()
		rows, err := book.GetRows("汇总表")
		w.must(err)
		if len(rows) != 3 || len(p.Missing()) != 1 || p.Missing()[0].ID != unitB {
			t.Fatalf("%v", rows)
		}
		for i, row := range rows {
			for j := range row {
				cell, _ := excelize.CoordinatesToCellName(j+1, i+1)
				if formula, err := book.GetCellFormula("汇总表", cell); err != nil || formula != "" {
					t.Errorf("%s is a formula: %v", cell, formula)
				}
			}
		}
		found := false
		for _, row := range rows {
			found = found || row[0] == w.units[unitA].Name && row[1] == a.Number && row[3] == "新申请" && row[4] == "市级已汇总" && row[5] == "2026-03-05 10:00"
		}
		if !found {
			t.Errorf("%v", rows)
		}
	})
}

func TestAnotherBatchBeginsWhereTheLastWasHandedIn(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		open := func(title string) Batch {
			b, err := w.OpenBatch(ctx, w.city, areaOne, title, w.time().Add(time.Hour))
			w.must(err)
			return b
		}
		spring := open("春季")
		a := w.with(w.Gather(ctx, w.city, w.with(w.Submit(ctx, w.handler[unitA], w.draft(unitA).Ref())).Ref(), spring.ID))
		_, err := w.HandIn(ctx, w.city, spring.Ref())
		w.must(err)
		w.pass(time.Minute)
		autumn := open("秋季")
		w.wantProgress(autumn, false, "未开始 true", "未开始 true")
		w.pass(time.Second)
		w.with(w.Create(ctx, w.handler[unitB], unitB, w.filled(unitB)))
		w.wantProgress(autumn, false, "未开始 true", "草稿 true")
		// What the province sends back has left its batch and is gathered anew.
		a = w.with(w.Return(ctx, w.registrar, a.Ref(), []Remark{{"purpose", "不完整"}}))
		if a.Batch != "" {
			t.Errorf("still in %s", a.Batch)
		}
		a = w.with(w.Submit(ctx, w.handler[unitA], a.Ref()))
		w.with(w.Gather(ctx, w.city, a.Ref(), autumn.ID))
		w.wantProgress(autumn, false, "市级已汇总 false", "草稿 true")
		w.wantProgress(spring, false, "未开始 true", "未开始 true")
	})
}
