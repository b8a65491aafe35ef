package terminal_test

import (
	"bytes"
	"encoding/hex"
	"sync"
	"testing"
	"time"

	"github.com/emmansun/gmsm/sm3"

	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/sealer/terminal"
	"yinxin/sealer/terminal/manifest"
	"yinxin/sealer/verify"
)

func TestATaskIsSealedAtATerminal(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.pair(w.clerk)
		task := w.ask(3)
		list, err := w.service.Waiting(t.Context(), b.at(), 0)
		must(t, err)
		if len(list.Tasks) != 1 || list.Tasks[0].ID != task.ID || list.Tasks[0].Open != 3 || list.Tasks[0].Claimed {
			t.Fatalf("%+v", list)
		}
		for n, item := range b.claim(task.ID).Items {
			m := b.prepare(task.ID, item)
			if n == 1 {
				must(t, w.service.Decline(t.Context(), b.at(), task.ID, item.ID, manifest.ReasonDeclined))
				continue
			}
			done, err := w.service.Complete(t.Context(), b.at(), b.sign(m))
			must(t, err)
			if v := w.verdict(done.Document.ID); v != verify.Valid {
				t.Errorf("item %d: %s", n, v)
			}
		}
		after, err := w.service.Task(t.Context(), w.clerk, task.ID)
		must(t, err)
		if after.Counts[manifest.ItemSealed] != 2 || after.Counts[manifest.ItemDeclined] != 1 || after.Open() != 0 {
			t.Errorf("%+v", after)
		}
		if w.used() != 2 {
			t.Errorf("%d uses", w.used())
		}
		if list, err = w.service.Waiting(t.Context(), b.at(), 0); err != nil || len(list.Tasks) != 0 {
			t.Errorf("%+v, %v", list, err)
		}
		for kind, want := range map[string]int{"terminal.paired": 1, "terminal.task-created": 1, "terminal.prepared": 3, "terminal.consumed": 2, "terminal.declined": 1, "sealing.released": 2} {
			if n := w.count(`SELECT COUNT(*) FROM ledger_event WHERE kind = $1`, kind); n != want {
				t.Errorf("%s: %d in the ledger", kind, n)
			}
		}
	})
}

func TestThePreparedFileIsTheOriginalAndAnEmptySignature(t *testing.T) {
	alone(t, func(t *testing.T, w *world) {
		b := w.pair(w.clerk)
		task := w.ask(1)
		item := b.claim(task.ID).Items[0]
		m := b.prepare(task.ID, item)
		file, err := w.service.File(t.Context(), b.at(), m.Job)
		must(t, err)
		defer file.Close()
		var got bytes.Buffer
		must(t, file.Copy(t.Context(), &got))
		sum := sm3.Sum(got.Bytes())
		if hex.EncodeToString(sum[:]) != m.Prepared.SM3 || int64(got.Len()) != m.Prepared.Size || file.Size != m.Prepared.Size {
			t.Error("another file than the manifest says")
		}
		original := sm3.Sum(got.Bytes()[:m.Document.Size])
		if hex.EncodeToString(original[:]) != m.Document.SM3 {
			t.Error("it does not begin with the original")
		}
		done, err := w.service.Complete(t.Context(), b.at(), b.sign(m))
		must(t, err)
		d, err := w.sealer.Document(t.Context(), w.clerk, done.Document.ID)
		must(t, err)
		var sealed bytes.Buffer
		must(t, w.sealer.Copy(t.Context(), &sealed, d))
		if sealed.Len() != got.Len() {
			t.Fatalf("%d bytes sealed, %d prepared", sealed.Len(), got.Len())
		}
		for i, c := range sealed.Bytes() {
			if got.Bytes()[i] != c && got.Bytes()[i] != '0' {
				t.Fatalf("offset %d: %q became %q", i, got.Bytes()[i], c)
			}
		}
		_, err = w.service.File(t.Context(), b.at(), m.Job)
		wants(t, err, "terminal.job-ended")
		_, err = w.service.File(t.Context(), w.pair(w.clerk).at(), m.Job)
		wants(t, err, "terminal.no-job")
	})
}

func TestASignatureIsTakenOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.pair(w.clerk)
		task := w.ask(1)
		m := b.prepare(task.ID, b.claim(task.ID).Items[0])
		c := b.sign(m)
		nodes := []*terminal.Service{w.service, w.anotherNode(), w.anotherNode()}
		at := b.at()
		var all sync.WaitGroup
		results := make([]string, 6)
		for i := range results {
			all.Go(func() {
				done, err := nodes[i%len(nodes)].Complete(t.Context(), at, c)
				if err != nil {
					t.Error(err)
				}
				results[i] = done.Document.ID
			})
		}
		all.Wait()
		for _, r := range results {
			if r == "" || r != results[0] {
				t.Fatalf("%v", results)
			}
		}
		if n := w.count(`SELECT COUNT(*) FROM sealing WHERE state = 'released'`); n != 1 || w.used() != 1 {
			t.Errorf("%d released, %d uses", n, w.used())
		}
		if n := w.count(`SELECT COUNT(*) FROM ledger_event WHERE kind = 'terminal.consumed'`); n != 1 {
			t.Errorf("taken %d times", n)
		}
		// Another right signature over the same bytes is not taken.
		c.Signature = signed(t, w.usb, m.ToBeSigned)
		_, err := w.service.Complete(t.Context(), b.at(), c)
		wants(t, err, "terminal.consumed")
		_, err = w.service.Prepare(t.Context(), b.at(), task.ID, m.Item)
		wants(t, err, "terminal.item-ended")
	})
}

// Of different right signatures over the same bytes that come at once, one is taken; the others are told so.
func TestOneOfManySignaturesIsTaken(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.pair(w.clerk)
		for range 3 {
			task := w.ask(1)
			m := b.prepare(task.ID, b.claim(task.ID).Items[0])
			nodes := []*terminal.Service{w.service, w.anotherNode()}
			at, taken := b.at(), make([]bool, 6)
			var all sync.WaitGroup
			for i := range taken {
				c := b.sign(m)
				all.Go(func() {
					_, err := nodes[i%2].Complete(t.Context(), at, c)
					if taken[i] = err == nil; err != nil && fault.CodeOf(err) != "terminal.consumed" {
						t.Error(err)
					}
				})
			}
			all.Wait()
			n := 0
			for _, yes := range taken {
				if yes {
					n++
				}
			}
			if entries := w.count(`SELECT COUNT(*) FROM ledger_event WHERE kind = 'terminal.consumed' AND subject = $1`, m.Item); n != 1 || entries != 1 {
				t.Fatalf("%d were taken, %d entries", n, entries)
			}
		}
	})
}

func TestWhatIsNotOfTheManifestIsRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.pair(w.clerk)
		task := w.ask(2)
		items := b.claim(task.ID).Items
		m, other := b.prepare(task.ID, items[0]), b.prepare(task.ID, items[1])
		right := b.sign(m)
		stranger, err := w.Keys.Generate(t.Context(), "stranger", "sealing")
		must(t, err)
		for name, c := range map[string]struct {
			change func(*manifest.Completion)
			code   string
		}{
			"the nonce of another item":       {func(c *manifest.Completion) { c.Nonce = other.Nonce }, "terminal.other-nonce"},
			"no nonce":                        {func(c *manifest.Completion) { c.Nonce = nil }, "terminal.other-nonce"},
			"the certificate of somebody":     {func(c *manifest.Completion) { c.Certificate = w.authority.Root().Raw }, "terminal.other-certificate"},
			"no certificate":                  {func(c *manifest.Completion) { c.Certificate = nil }, "terminal.other-certificate"},
			"the signature of another item":   {func(c *manifest.Completion) { c.Signature = b.sign(other).Signature }, "terminal.bad-signature"},
			"the signature of another key":    {func(c *manifest.Completion) { c.Signature = signed(t, stranger, m.ToBeSigned) }, "terminal.bad-signature"},
			"a signature that is none":        {func(c *manifest.Completion) { c.Signature = []byte{0x30, 0} }, "terminal.bad-signature"},
			"the job of another item":         {func(c *manifest.Completion) { c.Job = other.Job }, "terminal.other-nonce"},
			"a job that does not exist":       {func(c *manifest.Completion) { c.Job = "q_nothing" }, "terminal.no-job"},
			"a signature with needless zeros": {func(c *manifest.Completion) { c.Signature = append(c.Signature, 0) }, "terminal.bad-signature"},
		} {
			wrong := right
			wrong.Signature = bytes.Clone(right.Signature)
			c.change(&wrong)
			if _, err := w.service.Complete(t.Context(), b.at(), wrong); fault.CodeOf(err) != c.code {
				t.Errorf("%s: %v, want %s", name, err, c.code)
			}
		}
		// Another terminal of the same clerk, and one of a colleague, do not know the job.
		_, err = w.service.Complete(t.Context(), w.pair(w.clerk).at(), right)
		wants(t, err, "terminal.no-job")
		_, err = w.service.Complete(t.Context(), w.pair(w.colleague).at(), right)
		wants(t, err, "terminal.no-job")
		if n := w.count(`SELECT COUNT(*) FROM ledger_event WHERE kind = 'terminal.refused'`); n < 8 {
			t.Errorf("%d refusals in the ledger", n)
		}
		// Nothing of that has cost the job.
		_, err = w.service.Complete(t.Context(), b.at(), right)
		must(t, err)
		late := b.sign(other)
		w.now = other.Expires
		_, err = w.service.Complete(t.Context(), b.at(), late)
		wants(t, err, "terminal.manifest-expired")
		if n := w.count(`SELECT COUNT(*) FROM sealing WHERE state = 'released'`); n != 1 {
			t.Errorf("%d released", n)
		}
	})
}

// A terminal that was handed a manifest of others refuses it by itself.
func TestAManifestIsForOneTerminalClerkAndItem(t *testing.T) {
	alone(t, func(t *testing.T, w *world) {
		b, second := w.pair(w.clerk), w.pair(w.clerk)
		task := w.ask(2)
		items := b.claim(task.ID).Items
		e, err := w.service.Prepare(t.Context(), b.at(), task.ID, items[0].ID)
		must(t, err)
		verify := func(change func(*manifest.Expected)) error {
			x := b.expect(task.ID, items[0])
			change(&x)
			_, err := manifest.Verify(e, x)
			return err
		}
		must(t, verify(func(*manifest.Expected) {}))
		wants(t, verify(func(x *manifest.Expected) { x.Terminal = second.id }), "terminal.other-terminal")
		wants(t, verify(func(x *manifest.Expected) { x.Clerk = w.colleague.ID }), "terminal.other-clerk")
		wants(t, verify(func(x *manifest.Expected) { x.Item = items[1].ID }), "terminal.other-item")
		wants(t, verify(func(x *manifest.Expected) { x.Document = items[1].Document.ID }), "terminal.other-document")
		wants(t, verify(func(x *manifest.Expected) { x.Key = b.Public() }), "terminal.manifest-forged")
		wants(t, verify(func(x *manifest.Expected) { x.Now = w.now.Add(5 * time.Minute) }), "terminal.manifest-expired")
	})
}

func TestAnExpiredManifestIsPreparedAnew(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.exec(`UPDATE seal_grant SET quota = 1`)
		b := w.pair(w.clerk)
		task := w.ask(1)
		item := b.claim(task.ID).Items[0]
		first := b.prepare(task.ID, item)
		objects := w.stored()
		w.now = w.now.Add(time.Minute)
		again := b.prepare(task.ID, item)
		if again.Job != first.Job || !bytes.Equal(again.Nonce, first.Nonce) || !again.Expires.Equal(first.Expires) {
			t.Errorf("%+v, then %+v", first, again)
		}
		for name, later := range map[string]time.Duration{"near its end": 3*time.Minute + time.Second, "long after": time.Hour} {
			last := b.prepare(task.ID, item)
			w.now = last.Issued.Add(time.Minute + later)
			b.claim(task.ID)
			anew := b.prepare(task.ID, item)
			if anew.Job == last.Job || bytes.Equal(anew.Nonce, last.Nonce) || !anew.Same(last) {
				t.Errorf("%s: %+v, then %+v", name, last, anew)
			}
			_, err := w.service.Complete(t.Context(), b.at(), b.sign(last))
			if code := fault.CodeOf(err); code != "terminal.job-ended" {
				t.Errorf("%s: %v", name, err)
			}
			_, err = w.sealer.Recover(t.Context()) // removes what an expired one left
			must(t, err)
			if w.used() != 1 || w.stored() != objects {
				t.Errorf("%s: %d uses, %d objects more", name, w.used(), w.stored()-objects)
			}
		}
		_, err := w.service.Complete(t.Context(), b.at(), b.sign(b.prepare(task.ID, item)))
		must(t, err)
		if w.used() != 1 {
			t.Errorf("%d uses", w.used())
		}
	})
}

func TestOneOfTwoTerminalsHasATask(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		boxes := []*box{w.pair(w.clerk), w.pair(w.clerk)}
		nodes := []*terminal.Service{w.service, w.anotherNode()}
		for range 5 {
			task := w.ask(1)
			ats := []terminal.Terminal{boxes[0].at(), boxes[1].at()}
			errs := make([]error, 8)
			var all sync.WaitGroup
			for i := range errs {
				all.Go(func() { _, errs[i] = nodes[i%2].Claim(t.Context(), ats[i%2], task.ID) })
			}
			all.Wait()
			won := -1
			for i, err := range errs {
				if err == nil && won >= 0 && won != i%2 {
					t.Fatal("both have it")
				}
				if err == nil {
					won = i % 2
				} else if fault.CodeOf(err) != "terminal.claimed" {
					t.Fatal(err)
				}
			}
			if won < 0 {
				t.Fatal("neither has it")
			}
			lost := boxes[1-won]
			_, err := w.service.Prepare(t.Context(), lost.at(), task.ID, task.Items[0].ID)
			wants(t, err, "terminal.not-claimed")
			wants(t, w.service.Decline(t.Context(), lost.at(), task.ID, task.Items[0].ID, "agent.declined"), "terminal.not-claimed")
			list, err := w.service.Waiting(t.Context(), lost.at(), 0)
			must(t, err)
			if len(list.Tasks) != 1 || !list.Tasks[0].Claimed {
				t.Errorf("%+v", list)
			}
			// The winner goes away; after the claim's life the other one takes over, and the first one's manifest is void.
			item := manifest.Item{ID: task.Items[0].ID, Document: task.Items[0].Document, Seal: code}
			old := boxes[won].prepare(task.ID, item)
			w.now = w.now.Add(manifest.ClaimLife)
			_, err = w.service.Prepare(t.Context(), boxes[won].at(), task.ID, item.ID)
			wants(t, err, "terminal.not-claimed")
			lost.claim(task.ID)
			m := lost.prepare(task.ID, item)
			_, err = w.service.Complete(t.Context(), boxes[won].at(), boxes[won].sign(old))
			wants(t, err, "terminal.job-ended")
			_, err = w.service.Complete(t.Context(), lost.at(), lost.sign(m))
			must(t, err)
		}
	})
}

func TestWhatEndedSincePreparationIsNotSealed(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(w *world)
		want string
	}{
		"a grant that was withdrawn": {func(w *world) { w.exec(`UPDATE seal_grant SET withdrawn = 1`) }, "seal.not-granted"},
		"a revoked certificate": {func(w *world) {
			must(w.t, w.authority.SuspendAtOnce(w.t.Context(), w.registrar, w.certificate.Serial, "test"))
		}, "seal.certificate-revoked"},
		"a seal that was remade": {func(w *world) { w.makeSeal("usb-2") }, "seal.superseded"},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, w *world) {
				b := w.pair(w.clerk)
				task := w.ask(1)
				item := b.claim(task.ID).Items[0]
				signature := b.sign(b.prepare(task.ID, item))
				c.end(w)
				_, err := w.service.Complete(t.Context(), b.at(), signature)
				wants(t, err, c.want)
				if i := w.item(task.ID, 0); i.State != manifest.ItemFailed || i.Reason != c.want || w.used() != 0 {
					t.Errorf("%+v, %d uses", i, w.used())
				}
				_, err = w.service.Complete(t.Context(), b.at(), signature)
				wants(t, err, "terminal.job-ended")
				_, err = w.service.Prepare(t.Context(), b.at(), task.ID, item.ID)
				wants(t, err, "terminal.item-ended")
			})
		})
	}
}

// The service's own key is no substitute for the clerk's, although the clerk may use the seal that is on it.
func TestOnlyTheClerksOwnKeyIsUsed(t *testing.T) {
	alone(t, func(t *testing.T, w *world) {
		b := w.pair(w.clerk)
		task := w.ask(1)
		item := b.claim(task.ID).Items[0]
		w.exec(`UPDATE seal_instance SET state = 'superseded' WHERE custody = 'key'`)
		_, err := w.service.Prepare(t.Context(), b.at(), task.ID, item.ID)
		wants(t, err, "seal.no-key-instance")
		if i := w.item(task.ID, 0); i.State != manifest.ItemFailed || w.used() != 0 {
			t.Errorf("%+v, %d uses", i, w.used())
		}
	})
}

func TestAQuotaIsKeptAndAFailedItemRetried(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.exec(`UPDATE seal_grant SET quota = 1`)
		b := w.pair(w.clerk)
		task := w.ask(2)
		items := b.claim(task.ID).Items
		m := b.prepare(task.ID, items[0])
		_, err := w.service.Prepare(t.Context(), b.at(), task.ID, items[1].ID)
		wants(t, err, "seal.quota-exhausted")
		if i := w.item(task.ID, 1); i.State != manifest.ItemFailed || i.Reason != "seal.quota-exhausted" {
			t.Errorf("%+v", i)
		}
		must(t, w.service.Decline(t.Context(), b.at(), task.ID, items[0].ID, "agent.document")) // gives the use back
		if i := w.item(task.ID, 0); i.State != manifest.ItemFailed || i.Reason != "agent.document" || w.used() != 0 {
			t.Errorf("%+v, %d uses", i, w.used())
		}
		waits := func(clerk access.Actor, want int) {
			t.Helper()
			if n, err := w.service.CountOpen(t.Context(), clerk); err != nil || n != want {
				t.Errorf("%d tasks wait for %s, %v", n, clerk.ID, err)
			}
		}
		waits(w.clerk, 0)
		_, err = w.service.Complete(t.Context(), b.at(), b.sign(m))
		wants(t, err, "terminal.job-ended")
		_, err = w.service.Retry(t.Context(), w.colleague, task.ID)
		wants(t, err, "terminal.no-task")
		if n, err := w.service.Retry(t.Context(), w.clerk, task.ID); err != nil || n != 2 {
			t.Fatal(n, err)
		}
		waits(w.clerk, 1)
		waits(w.colleague, 0)
		_, err = w.service.Complete(t.Context(), b.at(), b.sign(b.prepare(task.ID, items[1])))
		must(t, err)
	})
}

func TestACancelledTaskEndsUnderATerminal(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.pair(w.clerk)
		task := w.ask(3)
		items := b.claim(task.ID).Items
		_, err := w.service.Complete(t.Context(), b.at(), b.sign(b.prepare(task.ID, items[0])))
		must(t, err)
		waiting := b.sign(b.prepare(task.ID, items[1]))
		wants(t, w.service.Cancel(t.Context(), w.colleague, task.ID), "terminal.no-task")
		must(t, w.service.Cancel(t.Context(), w.clerk, task.ID))
		_, err = w.service.Complete(t.Context(), b.at(), waiting)
		wants(t, err, "terminal.job-ended")
		_, err = w.service.Prepare(t.Context(), b.at(), task.ID, items[2].ID)
		wants(t, err, "terminal.task-ended")
		_, err = w.service.Claim(t.Context(), b.at(), task.ID)
		wants(t, err, "terminal.task-ended")
		wants(t, w.service.Cancel(t.Context(), w.clerk, task.ID), "terminal.task-ended")
		_, err = w.service.Retry(t.Context(), w.clerk, task.ID)
		wants(t, err, "terminal.task-ended")
		after, err := w.service.Task(t.Context(), w.clerk, task.ID)
		must(t, err)
		if after.State != "cancelled" || after.Counts[manifest.ItemSealed] != 1 || after.Counts[manifest.ItemDeclined] != 2 || w.used() != 1 {
			t.Errorf("%+v, %d uses", after, w.used())
		}
	})
}

func TestAnEndedTerminalDoesNothingMore(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.pair(w.clerk)
		task := w.ask(1)
		item := b.claim(task.ID).Items[0]
		m := b.prepare(task.ID, item)
		at := b.at() // a request that was let in just before
		wants(t, w.service.End(t.Context(), w.colleague, b.id, ""), "terminal.not-found")
		must(t, w.service.End(t.Context(), w.clerk, b.id, ""))
		_, err := b.try()
		wants(t, err, "terminal.unauthenticated")
		_, err = w.service.Complete(t.Context(), at, b.sign(m))
		wants(t, err, "terminal.job-ended")
		_, err = w.service.Claim(t.Context(), at, task.ID)
		wants(t, err, "terminal.not-found")
		wants(t, w.service.End(t.Context(), w.clerk, b.id, ""), "terminal.not-found")
		if w.used() != 0 {
			t.Errorf("%d uses", w.used())
		}
		again := w.pair(w.clerk) // and the task is free
		again.claim(task.ID)
		_, err = w.service.Complete(t.Context(), again.at(), again.sign(again.prepare(task.ID, item)))
		must(t, err)
		wants(t, w.service.End(t.Context(), w.admin, again.id, "身份证 110101199003077715"), "enroll.personal-data")
		wants(t, w.service.End(t.Context(), w.admin, again.id, ""), "enroll.reason")
		wants(t, w.service.End(t.Context(), w.admin, again.id, " "), "enroll.reason")
		must(t, w.service.End(t.Context(), w.admin, again.id, "终端报废"))
		list, err := w.service.Terminals(t.Context(), w.clerk)
		must(t, err)
		why := map[string]string{}
		for _, one := range list {
			why[one.EndedBy] = one.Reason
		}
		if len(list) != 2 || why[w.admin.ID] != "终端报废" || why[w.clerk.ID] != "" {
			t.Errorf("%+v", list)
		}
		if n := w.count(`SELECT COUNT(*) FROM ledger_event WHERE kind = 'terminal.ended' AND actor = $1 AND entry LIKE '%终端报废%'`, w.admin.ID); n != 1 {
			t.Errorf("the reason stands %d times in the ledger", n)
		}
	})
}

func TestAClerkWhoIsNoOperatorAnyMoreSealsNothing(t *testing.T) {
	alone(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		b := w.pair(w.clerk)
		task := w.ask(2)
		first, second := b.claim(task.ID).Items[0], b.claim(task.ID).Items[1]
		m := b.prepare(task.ID, first)
		must(t, w.access.WithdrawRole(ctx, w.admin, w.clerk.ID, access.RoleOperator))
		at := b.at() // there may be logins for them
		if tasks, err := w.service.Waiting(ctx, at, 0); err != nil || len(tasks.Tasks) != 0 {
			t.Errorf("%+v, %v", tasks, err)
		}
		_, err := w.service.Claim(ctx, at, task.ID)
		wants(t, err, "access.role")
		_, err = w.service.Prepare(ctx, at, task.ID, second.ID)
		wants(t, err, "access.role")
		_, err = w.service.File(ctx, at, m.Job)
		wants(t, err, "access.role")
		_, err = w.service.Complete(ctx, at, b.sign(m))
		wants(t, err, "access.role")
		wants(t, w.service.Decline(ctx, at, task.ID, second.ID, manifest.ReasonDeclined), "access.role")
		other := w.pair(w.colleague)
		must(t, w.access.RetireActor(t.Context(), w.admin, w.colleague.ID))
		_, err = other.try()
		wants(t, err, "terminal.unauthenticated")
		if i := w.item(task.ID, 0); i.State != manifest.ItemPrepared {
			t.Errorf("%+v", i)
		}
	})
}

// wait waits for a task in the background and gives what came.
func TestWhoWaitsIsToldOfATask(t *testing.T) {
	alone(t, func(t *testing.T, w *world) {
		b := w.pair(w.clerk)
		at := b.at()
		w.service.Poll = time.Hour // told, and not found by looking
		got := make(chan manifest.Tasks)
		go func() {
			list, err := w.service.Waiting(t.Context(), at, manifest.MaxWait)
			if err != nil {
				t.Error(err)
			}
			got <- list
		}()
		task := w.ask(1)
		if list := <-got; len(list.Tasks) != 1 || list.Tasks[0].ID != task.ID {
			t.Errorf("%+v", list)
		}
		// Of another process's task it learns by looking.
		must(t, w.service.Cancel(t.Context(), w.clerk, task.ID))
		node := w.anotherNode()
		node.Poll = time.Millisecond
		go func() {
			list, err := node.Waiting(t.Context(), at, manifest.MaxWait)
			if err != nil {
				t.Error(err)
			}
			got <- list
		}()
		task = w.ask(1)
		if list := <-got; len(list.Tasks) != 1 || list.Tasks[0].ID != task.ID {
			t.Errorf("%+v", list)
		}
	})
}
