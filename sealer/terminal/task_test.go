package terminal_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"yinxin/ca/cms"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/store"
	"yinxin/sealer"
	"yinxin/sealer/terminal"
	"yinxin/sealer/terminal/manifest"
	"yinxin/sealer/verify"
)

func TestWhoMayAskWhom(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		own, theirs := w.upload(w.clerk), w.upload(w.foreign)
		for name, c := range map[string]struct {
			by       access.Actor
			clerk    string
			document string
			code     string
		}{
			"a clerk themselves":                      {w.clerk, "", own, ""},
			"a program of the same archive":           {w.platform, "clerk", own, ""},
			"a colleague":                             {w.colleague, "clerk", own, "access.role"},
			"a program of another archive":            {w.foreign, "clerk", theirs, "terminal.no-clerk"},
			"a program for itself":                    {w.platform, "", own, "access.role"},
			"a program for an officer":                {w.platform, "registrar", own, "terminal.no-clerk"},
			"a program for nobody":                    {w.platform, "nobody", own, "terminal.no-clerk"},
			"an officer":                              {w.registrar, "", own, "access.role"},
			"a document of another archive":           {w.clerk, "", theirs, "document.not-found"},
			"a program with a document of elsewhere":  {w.platform, "clerk", theirs, "document.not-found"},
			"a clerk without a grant":                 {w.colleague, "", own, "seal.not-granted"},
			"a program for a clerk without any grant": {w.platform, "colleague", own, "seal.not-granted"},
		} {
			made, _, err := w.service.Create(t.Context(), c.by, terminal.NewTask{Clerk: c.clerk, Orders: []sealer.Order{order(c.document)}, IdempotencyKey: name})
			if c.code == "" && (err != nil || made.Clerk != w.clerk.ID || made.Creator != c.by.ID) || c.code != "" && fault.CodeOf(err) != c.code {
				t.Errorf("%s: %+v, %v", name, made, err)
			}
		}
		// A grant without an instance on one's own Key is not enough.
		w.Allow(w.colleague.ID, 0)
		_, _, err := w.service.Create(t.Context(), w.colleague, terminal.NewTask{Orders: []sealer.Order{order(own)}, IdempotencyKey: "k"})
		wants(t, err, "seal.no-key-instance")
		if n := w.count(`SELECT COUNT(*) FROM terminal_task`); n != 2 {
			t.Errorf("%d tasks", n)
		}
	})
}

func TestATaskIsSeenByItsClerkAndWhoMadeIt(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		task, _, err := w.service.Create(t.Context(), w.platform, terminal.NewTask{Clerk: "clerk", Origin: "全省平台", Note: "出证", Orders: []sealer.Order{order(w.upload(w.platform))}, IdempotencyKey: "k"})
		must(t, err)
		for _, by := range []access.Actor{w.clerk, w.platform} {
			got, err := w.service.Task(t.Context(), by, task.ID)
			must(t, err)
			list, err := w.service.Tasks(t.Context(), by, "", 10)
			must(t, err)
			if got.Origin != "全省平台" || len(got.Items) != 1 || len(list) != 1 || list[0].Open() != 1 {
				t.Errorf("%s: %+v, %+v", by.ID, got, list)
			}
		}
		for _, by := range []access.Actor{w.colleague, w.elsewhere, w.foreign, w.admin} {
			_, err := w.service.Task(t.Context(), by, task.ID)
			wants(t, err, "terminal.no-task")
			list, err := w.service.Tasks(t.Context(), by, "", 10)
			must(t, err)
			if len(list) != 0 {
				t.Errorf("%s: %+v", by.ID, list)
			}
		}
		for _, b := range []*box{w.pair(w.colleague), w.pair(w.elsewhere)} {
			_, err := w.service.Claim(t.Context(), b.at(), task.ID)
			wants(t, err, "terminal.no-task")
			_, err = w.service.Prepare(t.Context(), b.at(), task.ID, task.Items[0].ID)
			wants(t, err, "terminal.no-task")
			wants(t, w.service.Release(t.Context(), b.at(), task.ID), "terminal.no-task")
			if list, err := w.service.Waiting(t.Context(), b.at(), 0); err != nil || len(list.Tasks) != 0 {
				t.Errorf("%+v, %v", list, err)
			}
		}
		b := w.pair(w.clerk)
		m := b.prepare(task.ID, b.claim(task.ID).Items[0])
		if m.Origin != (manifest.Origin{System: "platform", Name: "全省平台"}) {
			t.Errorf("%+v", m.Origin)
		}
		other := w.ask(1)
		_, err = w.service.Prepare(t.Context(), b.at(), task.ID, other.Items[0].ID)
		wants(t, err, "terminal.no-item")
		must(t, w.service.Cancel(t.Context(), w.platform, task.ID))
		// The document that was sealed at the terminal is the program's to read, since both are of one archive.
		c := b.sign(b.prepare(other.ID, b.claim(other.ID).Items[0]))
		done, err := w.service.Complete(t.Context(), b.at(), c)
		must(t, err)
		_, err = w.sealer.Document(t.Context(), w.platform, done.Document.ID)
		must(t, err)
		_, err = w.sealer.Document(t.Context(), w.foreign, done.Document.ID)
		wants(t, err, "document.not-found")
	})
}

func TestATaskIsMadeOnceForAKey(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		task := terminal.NewTask{Orders: []sealer.Order{order(w.upload(w.clerk))}, IdempotencyKey: "key"}
		nodes := []*terminal.Service{w.service, w.anotherNode()}
		ids := make([]string, 6)
		var all sync.WaitGroup
		for i := range ids {
			all.Go(func() {
				made, _, err := nodes[i%2].Create(t.Context(), w.clerk, task)
				if err != nil {
					t.Error(err)
				}
				ids[i] = made.ID
			})
		}
		all.Wait()
		for _, id := range ids {
			if id == "" || id != ids[0] {
				t.Fatalf("%v", ids)
			}
		}
		again, existed, err := w.service.Create(t.Context(), w.clerk, task)
		if err != nil || !existed || again.ID != ids[0] {
			t.Error(again.ID, existed, err)
		}
		task.Note = "another"
		_, _, err = w.service.Create(t.Context(), w.clerk, task)
		wants(t, err, "terminal.key-reused")
	})
}

func TestATaskThatIsNoneIsRefused(t *testing.T) {
	alone(t, func(t *testing.T, w *world) {
		good := order(w.upload(w.clerk))
		for name, change := range map[string]func(*terminal.NewTask){
			"no documents":           func(n *terminal.NewTask) { n.Orders = nil },
			"too many":               func(n *terminal.NewTask) { n.Orders = make([]sealer.Order, 1001) },
			"a note of ESC":          func(n *terminal.NewTask) { n.Note = "a\x1b[2J" },
			"a long note":            func(n *terminal.NewTask) { n.Note = strings.Repeat("注", 501) },
			"a long origin":          func(n *terminal.NewTask) { n.Origin = strings.Repeat("源", 101) },
			"no key":                 func(n *terminal.NewTask) { n.IdempotencyKey = "" },
			"an order without place": func(n *terminal.NewTask) { n.Orders = append(n.Orders, sealer.Order{Document: "d", Seal: code}) },
		} {
			task := terminal.NewTask{Orders: []sealer.Order{good}, IdempotencyKey: name}
			change(&task)
			_, _, err := w.service.Create(t.Context(), w.clerk, task)
			f, ok := fault.Of(err)
			if !ok || f.Kind != fault.Invalid {
				t.Errorf("%s: %v", name, err)
			}
			if name == "an order without place" && f.Place.Row != 2 {
				t.Errorf("%+v", f.Place)
			}
		}
	})
}

// Who made a task is told when nothing waits in it any more, however that came about, and again after a retry.
func TestWhoMadeATaskIsToldWhenItIsDone(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		type told struct {
			owner, task string
			data        map[string]string
		}
		var all []told
		w.service.Done = func(ctx context.Context, tx *store.Tx, owner, task string, data map[string]string) error {
			all = append(all, told{owner, task, data})
			return nil
		}
		expect := func(task, owner, want string) {
			t.Helper()
			if len(all) != 1 || all[0].owner != owner || all[0].task != task || fmt.Sprint(all[0].data) != want {
				t.Fatalf("%+v, want %s", all, want)
			}
			all = nil
		}
		first, second := w.upload(w.platform), w.upload(w.platform)
		task, _, err := w.service.Create(t.Context(), w.platform, terminal.NewTask{Clerk: "clerk", Orders: []sealer.Order{order(first), order(second)}, IdempotencyKey: "k"})
		must(t, err)
		b := w.pair(w.clerk)
		items := b.claim(task.ID).Items
		_, err = w.service.Complete(t.Context(), b.at(), b.sign(b.prepare(task.ID, items[0])))
		must(t, err)
		if len(all) != 0 {
			t.Fatalf("%+v, and one waits still", all)
		}
		must(t, w.service.Decline(t.Context(), b.at(), task.ID, items[1].ID, "agent.document"))
		expect(task.ID, "platform", "map[declined:0 failed:1 sealed:1 state:open]")
		_, err = w.service.Retry(t.Context(), w.platform, task.ID)
		must(t, err)
		_, err = w.service.Complete(t.Context(), b.at(), b.sign(b.prepare(task.ID, items[1])))
		must(t, err)
		expect(task.ID, "platform", "map[declined:0 failed:0 sealed:2 state:open]")
		other := w.ask(1)
		must(t, w.service.Cancel(t.Context(), w.clerk, other.ID))
		expect(other.ID, "clerk", "map[declined:1 failed:0 sealed:0 state:cancelled]")
	})
}

func TestAClerkHasSoManyOpenTasksAndNoMore(t *testing.T) {
	alone(t, func(t *testing.T, w *world) {
		task := w.ask(1)
		w.exec(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 499)
			INSERT INTO terminal_task (id, clerk, creator, origin, note, idempotency_key, request_digest, state, total, created, expires)
			SELECT 'tsk_' || i, clerk, creator, origin, note, 'k' || i, request_digest, state, total, created, expires FROM n, terminal_task WHERE id = $1`, task.ID)
		w.exec(`INSERT INTO terminal_item (id, task, number, document_id, document_name, document_size, document_sm3, seal_code, seal_order, state, changed)
			SELECT 'itm_' || t.id, t.id, 1, document_id, document_name, document_size, document_sm3, seal_code, seal_order, i.state, changed FROM terminal_task t, terminal_item i
			WHERE t.id <> $1`, task.ID)
		more := terminal.NewTask{Orders: []sealer.Order{order(w.upload(w.clerk))}, IdempotencyKey: "one more"}
		_, _, err := w.service.Create(t.Context(), w.clerk, more)
		wants(t, err, "terminal.too-many-tasks")
		must(t, w.service.Cancel(t.Context(), w.clerk, task.ID))
		_, _, err = w.service.Create(t.Context(), w.clerk, more)
		must(t, err)
	})
}

func TestTasksAreListedInPieces(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		var want []string
		for n := range 5 {
			if n%2 == 0 {
				w.now = w.now.Add(time.Second) // two at a time are of one moment
			}
			want = append([]string{w.ask(1).ID}, want...)
		}
		var got []string
		for before := ""; ; before = got[len(got)-1] {
			list, err := w.service.Tasks(t.Context(), w.clerk, before, 2)
			must(t, err)
			if len(list) == 0 {
				break
			}
			for _, l := range list {
				got = append(got, l.ID)
			}
		}
		seen := map[string]bool{}
		for _, id := range got {
			seen[id] = true
		}
		if len(got) != len(want) || len(seen) != len(want) || got[0] != want[0] {
			t.Errorf("%v, want %v", got, want)
		}
	})
}

func TestATaskExpires(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.pair(w.clerk)
		task := w.ask(2)
		w.now = task.Expires.Add(-time.Second)
		m := b.prepare(task.ID, b.claim(task.ID).Items[0])
		w.now = task.Expires
		_, err := w.service.Prepare(t.Context(), b.at(), task.ID, m.Item)
		wants(t, err, "terminal.task-ended")
		_, err = w.service.Claim(t.Context(), b.at(), task.ID)
		wants(t, err, "terminal.task-ended")
		must(t, w.service.Recover(t.Context()))
		must(t, w.anotherNode().Recover(t.Context()))
		after, err := w.service.Task(t.Context(), w.clerk, task.ID)
		must(t, err)
		if after.State != "expired" || after.Counts[manifest.ItemDeclined] != 2 || w.used() != 0 {
			t.Errorf("%+v, %d uses", after, w.used())
		}
		_, err = w.service.Complete(t.Context(), b.at(), b.sign(m))
		wants(t, err, "terminal.job-ended")
		if n := w.count(`SELECT COUNT(*) FROM ledger_event WHERE kind = 'terminal.task-expired'`); n != 1 {
			t.Errorf("%d entries", n)
		}
	})
}

// stamps is a source of time stamps that does as it is told.
type stamps func(ctx context.Context) ([]byte, error)

func (s stamps) Stamp(ctx context.Context, _ cms.Hash, _ []byte) ([]byte, error) { return s(ctx) }

// A process dies after it has taken the signature; another one completes it, and the terminal, which asks again, gets the result.
func TestAnotherProcessCompletesWhatOneTook(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.pair(w.clerk)
		task := w.ask(1)
		c := b.sign(b.prepare(task.ID, b.claim(task.ID).Items[0]))
		authority := w.sealer.TimeStamps
		w.sealer.TimeStamps = stamps(func(context.Context) ([]byte, error) { panic("the process died") })
		at := b.at()
		func() {
			defer func() {
				if recover() == nil {
					t.Error("nobody died")
				}
			}()
			_, _ = w.service.Complete(t.Context(), at, c)
		}()
		w.sealer.TimeStamps = authority
		node := w.anotherNode()
		must(t, node.Recover(t.Context()))
		if i := w.item(task.ID, 0); i.State != manifest.ItemPrepared {
			t.Fatalf("%+v: the process could be alive", i)
		}
		_, err := node.Prepare(t.Context(), b.at(), task.ID, task.Items[0].ID)
		wants(t, err, "terminal.consumed")
		wants(t, node.Decline(t.Context(), b.at(), task.ID, task.Items[0].ID, "agent.declined"), "terminal.consumed")
		must(t, node.Cancel(t.Context(), w.clerk, task.ID)) // too late for what was signed
		w.now = w.now.Add(time.Minute)
		must(t, node.Recover(t.Context()))
		i := w.item(task.ID, 0)
		if i.State != manifest.ItemSealed || w.verdict(i.Result) != verify.Valid || w.used() != 1 {
			t.Fatalf("%+v, %d uses", i, w.used())
		}
		done, err := node.Complete(t.Context(), b.at(), c)
		if err != nil || done.Document.ID != i.Result {
			t.Errorf("%+v, %v", done, err)
		}
	})
}

// The service is down until the sealing's time is over: nothing is released, and the item says so.
func TestASignatureThatNobodyCompletedInTimeIsVoid(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.pair(w.clerk)
		task := w.ask(1)
		item := b.claim(task.ID).Items[0]
		c := b.sign(b.prepare(task.ID, item))
		w.exec(`UPDATE terminal_job SET state = 'consumed', signature = $1, consumed = '2026-11-26T08:00:00.000000Z'`, c.Signature)
		w.now = w.now.Add(time.Hour)
		must(t, w.anotherNode().Recover(t.Context()))
		if i := w.item(task.ID, 0); i.State != manifest.ItemFailed || i.Reason != "sealing.abandoned" || w.used() != 0 {
			t.Fatalf("%+v, %d uses", i, w.used())
		}
		_, err := w.service.Complete(t.Context(), b.at(), c)
		wants(t, err, "terminal.job-ended")
		if n, err := w.service.Retry(t.Context(), w.clerk, task.ID); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		b.claim(task.ID)
		_, err = w.service.Complete(t.Context(), b.at(), b.sign(b.prepare(task.ID, item)))
		must(t, err)
	})
}

// A process dies between giving a job up and having the sealer discard it.
func TestAnotherProcessDiscardsWhatOneGaveUp(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.pair(w.clerk)
		task := w.ask(2)
		items := b.claim(task.ID).Items
		for _, item := range items {
			b.prepare(task.ID, item)
		}
		w.exec(`UPDATE terminal_job SET state = 'discarding'`)
		w.exec(`UPDATE terminal_item SET state = 'queued'`)
		b.prepare(task.ID, items[0]) // at once, not when the old sealing's time is over
		if w.used() != 2 {
			t.Errorf("%d uses", w.used())
		}
		must(t, w.anotherNode().Recover(t.Context()))
		if w.used() != 1 {
			t.Errorf("%d uses", w.used())
		}
	})
}

func TestAThousandItemsAreOneTask(t *testing.T) {
	alone(t, func(t *testing.T, w *world) {
		document := w.upload(w.clerk)
		task := terminal.NewTask{IdempotencyKey: "many"}
		for n := range manifest.MaxItems {
			o := order(document)
			o.Reason = fmt.Sprint(n)
			task.Orders = append(task.Orders, o)
		}
		made, _, err := w.service.Create(t.Context(), w.clerk, task)
		must(t, err)
		b := w.pair(w.clerk)
		if c := b.claim(made.ID); len(c.Items) != manifest.MaxItems || c.Task.Open != manifest.MaxItems {
			t.Errorf("%d items", len(c.Items))
		}
	})
}
