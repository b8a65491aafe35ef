package jobs_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/jobs"
	"yinxin/internal/ledger"
	"yinxin/internal/store"
	"yinxin/internal/store/storetest"
)

func TestWhatAnAdministratorDoesWithAJobAndItsEntryAreOneTransaction(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		storetest.Migrate(t, db, ledger.Migrate, access.Migrate, jobs.Migrate)
		log := ledger.New(db, nil, time.Now)
		people := access.New(db, log, time.Now)
		person := func(id string, role access.Role) access.Actor {
			a, err := people.CreateActor(ctx, access.Actor{ID: id, Name: id, Roles: []access.Role{role}})
			if err != nil {
				t.Fatal(err)
			}
			return a
		}
		administrator, auditor := person("administrator", access.RoleAdministrator), person("auditor", access.RoleAuditor)
		j := open(t, db, nil)
		desk := &jobs.Desk{Jobs: j, Access: people, Ledger: log}
		q := jobs.Register(j, jobs.Kind{Name: "test.fail", Attempts: 1}, func(context.Context, jobs.Job, order) error { return errors.New("no") })
		enqueue(t, db, q, "one", order{})
		waiting := list(t, j, jobs.Filter{})[0].ID
		if err := desk.Cancel(ctx, administrator, waiting); err != nil {
			t.Fatal(err)
		}
		enqueue(t, db, q, "two", order{})
		start(t, j)
		failed := jobs.Filter{States: []jobs.State{jobs.StateFailed}}
		await(t, "it failed", func() bool { return len(list(t, j, failed)) == 1 })
		id := list(t, j, failed)[0].ID

		steps := []func(context.Context, access.Actor, int64) error{desk.Retry, desk.Cancel, desk.Discard}
		for i, step := range steps {
			if err := step(ctx, auditor, id); fault.CodeOf(err) != "access.role" {
				t.Errorf("step %d by an auditor: %v", i, err)
			}
			if err := step(ctx, access.Actor{ID: administrator.ID, Only: access.Only{Sandbox: true}}, id); fault.CodeOf(err) != "access.key-sandbox" {
				t.Errorf("step %d in the sandbox: %v", i, err)
			}
		}
		// Without a ledger nothing happens to the job.
		write := func(statement string) {
			t.Helper()
			if err := db.Write(ctx, func(tx *store.Tx) error { _, err := tx.ExecContext(ctx, statement); return err }); err != nil {
				t.Fatal(err)
			}
		}
		write(`ALTER TABLE ledger_event RENAME TO ledger_event_away`)
		if err := desk.Discard(ctx, administrator, id); err == nil {
			t.Error("the job was taken away without an entry")
		}
		if err := desk.Retry(ctx, administrator, id); err == nil {
			t.Error("the job was retried without an entry")
		}
		write(`ALTER TABLE ledger_event_away RENAME TO ledger_event`)
		if l := list(t, j, failed); len(l) != 1 || l[0].ID != id || l[0].Attempt != 1 {
			t.Errorf("%+v", l)
		}
		if n, err := j.CountFailed(ctx); err != nil || n != 1 { // the other was cancelled
			t.Errorf("%d failed, %v", n, err)
		}
		if err := desk.Discard(ctx, administrator, id); err != nil {
			t.Fatal(err)
		}
		if n, err := j.CountFailed(ctx); err != nil || n != 0 {
			t.Errorf("%d failed, %v", n, err)
		}
		if err := desk.Discard(ctx, administrator, id); fault.CodeOf(err) != "jobs.not-found" {
			t.Errorf("once more: %v", err)
		}
		var told []string
		err := ledger.EachOfKinds(ctx, db.Read(), func(e ledger.Entry) error {
			told = append(told, e.Kind+" "+e.Actor+" "+e.Data["key"]+" "+e.Data["state"])
			return nil
		}, "job.retried", "job.cancelled", "job.discarded")
		if said := strings.Join(told, ", "); err != nil || said != "job.cancelled administrator one waiting, job.discarded administrator two failed" {
			t.Errorf("%s %v", said, err)
		}
	})
}
