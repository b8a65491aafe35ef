package jobs_test

import (
	"context"
	"errors"
	"testing"

	"yinxin/internal/fault"
	"yinxin/internal/jobs"
	"yinxin/internal/store"
	"yinxin/internal/store/storetest"
)

func TestOnlyWhatFailedIsTakenOutOfTheList(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		j := open(t, db, nil)
		q := jobs.Register(j, jobs.Kind{Name: "test.fail", Attempts: 1}, func(context.Context, jobs.Job, order) error { return errors.New("no") })
		for _, key := range []string{"a", "b", "c"} {
			enqueue(t, db, q, key, order{})
		}
		first := list(t, j, jobs.Filter{})
		for _, r := range first {
			if err := j.Discard(ctx, r.ID); fault.CodeOf(err) != "jobs.not-failed" {
				t.Errorf("one that waits: %v", err)
			}
		}
		start(t, j)
		failed := jobs.Filter{States: []jobs.State{jobs.StateFailed}}
		await(t, "all failed", func() bool { return len(list(t, j, failed)) == 3 })
		behind := failed
		behind.Before = first[0].ID
		if l := list(t, j, behind); len(l) != 2 || l[0].ID != first[1].ID {
			t.Errorf("behind the first: %+v", l)
		}
		if err := j.Discard(ctx, first[1].ID); err != nil {
			t.Fatal(err)
		}
		if l := list(t, j, failed); len(l) != 2 || l[0].ID != first[0].ID || l[1].ID != first[2].ID {
			t.Errorf("%+v", l)
		}
		if err := j.Discard(ctx, first[1].ID); fault.CodeOf(err) != "jobs.not-found" {
			t.Errorf("once more: %v", err)
		}
	})
}
