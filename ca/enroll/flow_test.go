package enroll

import (
	"context"
	"testing"
)

func TestAnApplicationGoesFromDraftToClosed(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		a := w.issued()
		if a.State != StateIssued || a.ObjectUntil.IsZero() {
			t.Fatalf("%+v", a)
		}
		a = w.with(w.Accept(ctx, w.handler[unitDirect], a.Ref()))
		a = w.with(w.Close(ctx, w.registrar, a.Ref(), ""))
		if a.State != StateClosed {
			t.Errorf("state %s", a.State)
		}
		lines, err := w.History(ctx, w.registrar, a.ID)
		w.must(err)
		for _, l := range lines {
			t.Log(l.Sentence())
		}
	})
}
