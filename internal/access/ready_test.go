package access

import (
	"context"
	"testing"
	"time"
)

func TestReadyIsWhatWasApprovedAndNotCarriedOut(t *testing.T) {
	eachRoom(t, func(t *testing.T, r *room) {
		ctx := context.Background()
		open, id := r.request(t, r.registrar, "open"), r.request(t, r.registrar, "ready")
		plan, _ := r.plan(t, "a", "b")
		ready := func(k Kind) int {
			t.Helper()
			list, err := r.Ready(ctx, k, 10)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range list {
				if p.ID == open || p.Parent != "" {
					t.Errorf("%+v is ready", p)
				}
			}
			return len(list)
		}
		if n := ready(""); n != 0 {
			t.Errorf("%d before anything was approved", n)
		}
		for _, approved := range []string{id, plan} {
			if err := r.Approve(ctx, r.approver, approved); err != nil {
				t.Fatal(err)
			}
		}
		if n := ready(""); n != 2 {
			t.Errorf("%d are ready", n)
		}
		if n := ready(kindPlan); n != 1 {
			t.Errorf("%d of one kind are ready", n)
		}
		r.pass(Term + time.Hour)
		if n := ready(""); n != 0 {
			t.Errorf("%d are ready after the term", n)
		}
	})
}
