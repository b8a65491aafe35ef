package enroll

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"yinxin/ca/enroll/form"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/store"
)

// machine drives one application with whatever anybody might try, and holds what happens against what may.
type machine struct {
	w        *world
	a        Application // as it is
	old      []Ref       // as it was
	examiner string
	plans    []string // every examination that there ever was
	decided  map[string]string
	redeemed bool // something of the present plan was carried out
	reached  map[State]int
}

// TestNoPathIssuesWithoutTwoPeople takes random steps by random people.
func TestNoPathIssuesWithoutTwoPeople(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		reached := map[State]int{}
		rapid.Check(t, func(r *rapid.T) {
			m := &machine{w: w, decided: map[string]string{}, reached: reached}
			unit := rapid.SampledFrom([]string{unitA, unitDirect}).Draw(r, "unit")
			m.a = w.draft(unit)
			for range rapid.IntRange(0, 12).Draw(r, "head start") {
				m.next(r)
			}
			r.Repeat(map[string]func(*rapid.T){
				"step":   m.step,
				"next":   m.next, // several times, so that applications get far
				"next 2": m.next,
				"next 3": m.next,
				"next 4": m.next,
				"stale":  m.stale,
				"redeem": m.redeem,
				"issue":  m.issue,
				"forge":  m.forge,
				"time":   m.time,
				"":       m.check,
			})
		})
		t.Logf("were in %v", reached)
		for _, s := range []State{StateGathered, StateReturned, StateExamined, StateApproved, StateIssued, StateAccepted, StateObjected, StateClosed} {
			if reached[s] == 0 {
				t.Errorf("no application was ever %s: the test shows nothing about it", s)
			}
		}
	})
}

func (m *machine) people() []access.Actor {
	w := m.w
	return []access.Actor{w.registrar, w.second, w.approver, w.both, w.auditor, w.admin, w.operator, w.city, w.otherCity,
		w.handler[unitA], w.handler[unitB], w.handler[unitFar], w.handler[unitDirect],
		{ID: "operator", Roles: []access.Role{access.RoleRegistrar, access.RoleApprover}}, {ID: "nobody"}}
}

// steps are everything that can be asked for, with the step's name in the table.
func (m *machine) steps() map[Step]func(by access.Actor, ref Ref) (Application, error) {
	ctx, w := context.Background(), m.w
	remarks := []Remark{{Field: "seal.name", Reason: "印章名称与印模不一致"}}
	return map[Step]func(by access.Actor, ref Ref) (Application, error){
		StepEdit: func(by access.Actor, ref Ref) (Application, error) {
			f := m.a.Form
			f.Purpose += "。"
			if len(f.Purpose) > 300 {
				f.Purpose = "出具档案证明"
			}
			return w.Edit(ctx, by, ref, f)
		},
		StepSubmit:  func(by access.Actor, ref Ref) (Application, error) { return w.Submit(ctx, by, ref) },
		StepRecall:  func(by access.Actor, ref Ref) (Application, error) { return w.Recall(ctx, by, ref) },
		StepGather:  func(by access.Actor, ref Ref) (Application, error) { return w.Gather(ctx, by, ref, m.batch()) },
		StepRelease: func(by access.Actor, ref Ref) (Application, error) { return w.Release(ctx, by, ref) },
		StepReceive: func(by access.Actor, ref Ref) (Application, error) { return w.Receive(ctx, by, ref) },
		StepOriginal: func(by access.Actor, ref Ref) (Application, error) {
			return w.ReceiveOriginal(ctx, by, ref, "2026-03-05", "机要1号")
		},
		StepInk:     func(by access.Actor, ref Ref) (Application, error) { return w.ConfirmInk(ctx, by, ref, w.reading(m.a)) },
		StepReturn:  func(by access.Actor, ref Ref) (Application, error) { return w.Return(ctx, by, ref, remarks) },
		StepExamine: func(by access.Actor, ref Ref) (Application, error) { return w.Examine(ctx, by, ref) },
		StepApprove: func(by access.Actor, ref Ref) (Application, error) { return w.Approve(ctx, by, ref) },
		StepReject:  func(by access.Actor, ref Ref) (Application, error) { return w.Reject(ctx, by, ref, "材料不实") },
		StepAccept:  func(by access.Actor, ref Ref) (Application, error) { return w.Accept(ctx, by, ref) },
		StepObject:  func(by access.Actor, ref Ref) (Application, error) { return w.Object(ctx, by, ref, "名称有误") },
		StepAbort:   func(by access.Actor, ref Ref) (Application, error) { return w.Abort(ctx, by, ref, "介质损坏") },
		StepSettle:  func(by access.Actor, ref Ref) (Application, error) { return w.Settle(ctx, by, ref, "已更正") },
		StepClose:   func(by access.Actor, ref Ref) (Application, error) { return w.Close(ctx, by, ref, "已办") },
		StepWithdraw: func(by access.Actor, ref Ref) (Application, error) {
			return w.Withdraw(ctx, by, ref, "不再申请")
		},
	}
}

// batch is an open batch of the application's area.
func (m *machine) batch() string {
	ctx, w := context.Background(), m.w
	list, err := w.Batches(ctx, w.city)
	w.must(err)
	for _, b := range list {
		if b.HandedIn.IsZero() {
			return b.ID
		}
	}
	b, err := w.OpenBatch(ctx, w.city, areaOne, "批次", w.time().Add(24*time.Hour))
	w.must(err)
	return b.ID
}

// step lets anybody try anything.
func (m *machine) step(r *rapid.T) {
	steps := m.steps()
	names := make([]Step, 0, len(steps))
	for name := range steps {
		names = append(names, name)
	}
	slices.Sort(names)
	step := rapid.SampledFrom(names).Draw(r, "step")
	by := rapid.SampledFrom(m.people()).Draw(r, "by")
	m.try(r, step, by)
}

// next does what an honest office would do now, so that the interesting states are reached.
func (m *machine) next(r *rapid.T) {
	w := m.w
	ways := map[State]struct {
		step Step
		by   access.Actor
	}{
		StateDraft: {StepSubmit, w.handler[m.a.Unit]}, StateReturned: {StepSubmit, w.handler[m.a.Unit]}, StateSubmitted: {StepReceive, w.registrar},
		StateGathered: {StepReceive, w.registrar}, StateReceived: {StepOriginal, w.registrar}, StateOriginal: {StepInk, w.registrar},
		StateExamined: {StepApprove, w.approver}, StateIssued: {StepAccept, w.handler[m.a.Unit]}, StateAccepted: {StepClose, w.registrar},
	}
	if m.a.State == StateApproved {
		if m.redeemed {
			m.issue(r)
		} else {
			m.redeem(r)
		}
	}
	way, ok := ways[m.a.State]
	if !ok && m.a.State != StateObjected {
		return
	}
	if m.a.State == StateSubmitted && m.a.Unit != unitDirect {
		way.step, way.by = StepGather, w.city
	}
	if m.a.State == StateOriginal && m.a.InkBy != "" {
		way.step = StepExamine
		m.confirm(r)
	}
	if m.a.State == StateGathered {
		m.handIn()
	}
	if m.a.State == StateReceived && rapid.IntRange(0, 7).Draw(r, "returns") == 0 {
		way.step = StepReturn
	}
	if m.a.State == StateIssued && rapid.Bool().Draw(r, "objects") {
		way.step = StepObject
	}
	if m.a.State == StateObjected {
		way.step, way.by = StepSettle, w.handler[m.a.Unit]
	}
	m.try(r, way.step, way.by)
}

// confirm puts every doubt aside: other applications of the unit are under way, and the form may be old by now.
func (m *machine) confirm(r *rapid.T) {
	ctx, w := context.Background(), m.w
	findings, err := w.Findings(ctx, w.registrar, m.a.ID)
	w.must(err)
	for _, f := range findings {
		if f.Severity == form.Confirm && f.Confirmed == nil {
			if _, err := w.Confirm(ctx, w.approver, m.a.Ref(), f.Key(), "已核实"); err == nil {
				r.Fatal("an approver confirmed a finding")
			}
			m.old, m.a = append(m.old, m.a.Ref()), w.with(w.Confirm(ctx, w.registrar, m.a.Ref(), f.Key(), "已核实"))
		}
	}
}

func (m *machine) handIn() {
	ctx, w := context.Background(), m.w
	list, err := w.Batches(ctx, w.city)
	w.must(err)
	for _, b := range list {
		if b.ID == m.a.Batch && b.HandedIn.IsZero() {
			_, err := w.HandIn(ctx, w.city, b.Ref())
			w.must(err)
		}
	}
}

func (m *machine) try(r *rapid.T, step Step, by access.Actor) {
	before := m.a
	after, err := m.steps()[step](by, before.Ref())
	if err != nil {
		if f, ok := fault.Of(err); !ok || f.Kind == fault.Internal {
			r.Fatalf("%s by %s in %s: %v", step, by.ID, before.State, err)
		}
		if now := m.w.again(before); now.Revision != before.Revision || now.State != before.State {
			r.Fatalf("%s by %s was refused (%v) and changed something: %s → %s", step, by.ID, err, before.State, now.State)
		}
		return
	}
	m.judge(r, step, by, before, after)
	m.old, m.a = append(m.old, before.Ref()), after
}

// judge says of a step that was allowed whether it may have been.
func (m *machine) judge(r *rapid.T, step Step, by access.Actor, before, after Application) {
	registrar := slices.Contains([]string{"registrar", "second", "both"}, by.ID)
	approver := slices.Contains([]string{"approver", "both"}, by.ID)
	own := by.ID == "handler-"+before.Unit
	city := by.ID == "city" && before.Unit == unitA
	if !registrar && !approver && !own && !city {
		r.Fatalf("%s by %s, who has nothing to do with it", step, by.ID)
	}
	if before.State.Ended() {
		r.Fatalf("%s on an application that has ended", step)
	}
	switch step {
	case StepExamine:
		if !registrar || before.InkBy == "" || before.Original == nil {
			r.Fatalf("examined by %s with ink %q and original %v", by.ID, before.InkBy, before.Original)
		}
		m.examiner = by.ID
		m.plans, m.redeemed = append(m.plans, after.Examination), false
	case StepApprove:
		if !approver || by.ID == m.examiner || after.Version != before.Version {
			r.Fatalf("approved by %s what %s examined", by.ID, m.examiner)
		}
		m.decided[after.Examination] = by.ID
	case StepEdit:
		if m.redeemed || after.Version != before.Version+1 || after.InkBy != "" || after.Examination != "" {
			r.Fatalf("an edit left %+v", after)
		}
		if before.Examination != "" && after.State != StateOriginal {
			r.Fatalf("an edit led from %s to %s", before.State, after.State)
		}
	case StepAbort:
		if !registrar || !m.redeemed {
			r.Fatalf("aborted by %s, carried out: %t", by.ID, m.redeemed)
		}
	case StepWithdraw:
		if m.redeemed {
			r.Fatal("withdrawn while it is being carried out")
		}
	}
	if after.State == StateApproved && before.State != StateApproved && step != StepApprove {
		r.Fatalf("%s led to approved", step)
	}
	if after.State == StateIssued && before.State != StateIssued {
		r.Fatalf("%s led to issued", step)
	}
}

// stale repeats a step with a revision of before.
func (m *machine) stale(r *rapid.T) {
	if len(m.old) == 0 {
		return
	}
	ref := rapid.SampledFrom(m.old).Draw(r, "ref")
	for step, do := range m.steps() {
		if _, err := do(m.w.both, ref); !fault.Has(err, ErrConflict) {
			r.Fatalf("%s on an old revision: %v", step, err)
		}
	}
}

// redeem tries to carry out a part of any plan that there ever was, without registration.
func (m *machine) redeem(r *rapid.T) {
	if len(m.plans) == 0 {
		return
	}
	ctx, w := context.Background(), m.w
	plan := rapid.SampledFrom(m.plans).Draw(r, "plan")
	parts, err := w.Access.Parts(ctx, plan)
	w.must(err)
	part := parts[0]
	err = w.db.Write(ctx, func(tx *store.Tx) error {
		_, err := w.Access.Redeem(ctx, tx, part.ID, part.Kind, part.Subject)
		return err
	})
	live := plan == m.a.Examination && m.decided[plan] != ""
	if err == nil {
		if !live || m.redeemed {
			r.Fatalf("a part of %s was redeemed; the plan that counts is %q, approved by %q", plan, m.a.Examination, m.decided[plan])
		}
		m.redeemed = true
	} else if live && !m.redeemed && m.a.State == StateApproved && !fault.Has(err, access.ErrExpired) {
		r.Fatalf("a part that was approved: %v", err)
	}
}

// issue marks the application as carried out, whatever its state.
func (m *machine) issue(r *rapid.T) {
	ctx, w := context.Background(), m.w
	err := w.db.Write(ctx, func(tx *store.Tx) error { return w.MarkIssued(ctx, tx, m.a.ID, 0) })
	if err == nil && (m.a.State != StateApproved || !m.redeemed || m.decided[m.a.Examination] == "") {
		r.Fatalf("issued from %s, carried out: %t", m.a.State, m.redeemed)
	}
	if err == nil {
		m.old, m.a = append(m.old, m.a.Ref()), w.again(m.a)
	}
}

// forge writes to the database what the service would not.
func (m *machine) forge(r *rapid.T) {
	ctx, w := context.Background(), m.w
	state := rapid.SampledFrom([]State{StateApproved, StateIssued, StateAccepted}).Draw(r, "state")
	if m.a.State.Carried() {
		return
	}
	forgeries := []string{
		`UPDATE enroll_application SET state = $1 WHERE id = $2`,
		`UPDATE enroll_application SET state = $1, examination = 'x', examination_version = version, examination_digest = 'x',
			approval = 'x', approval_kind = 'application.approve', approval_used = 1, approved = 'x', issued = 'x', accept_by = 'x' WHERE id = $2`,
		// With the approval of another application, which is good for that one.
		`UPDATE enroll_application SET state = $1, (examination, examination_version, examination_digest, approval, approval_kind, approval_used, approved, issued, accept_by) =
			(SELECT o.examination, o.examination_version, o.examination_digest, o.approval, o.approval_kind, o.approval_used, o.approved, COALESCE(o.issued, '2026'), COALESCE(o.accept_by, '2026')
			FROM enroll_application o WHERE o.approval IS NOT NULL LIMIT 1) WHERE id = $2`,
	}
	query := rapid.SampledFrom(forgeries).Draw(r, "forgery")
	err := w.db.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, query, string(state), m.a.ID)
		return err
	})
	if !store.IsCheck(err) && !store.IsForeignKey(err) {
		r.Fatalf("the database let this pass: %s: %v", query, err)
	}
}

// time moves the clock, and lets the service do what is due.
func (m *machine) time(r *rapid.T) {
	w := m.w
	w.pass(rapid.SampledFrom([]time.Duration{time.Second, time.Minute, time.Hour, 24 * time.Hour, access.Term}).Draw(r, "time"))
	if _, err := w.Sweep(context.Background()); err != nil {
		r.Fatal(err)
	}
	if now := w.again(m.a); now.Revision != m.a.Revision {
		m.old, m.a = append(m.old, m.a.Ref()), now
	}
}

// check holds the rows of the application against the promise, without the service.
func (m *machine) check(r *rapid.T) {
	m.reached[m.a.State]++
	now := m.w.again(m.a)
	if now.State != m.a.State || now.Revision != m.a.Revision {
		r.Fatalf("it moved by itself from %s to %s", m.a.State, now.State)
	}
	var people, applications int
	err := m.w.db.Read().QueryRowContext(context.Background(), `SELECT COUNT(*), COUNT(p.id) FROM enroll_application a
		LEFT JOIN enroll_version v ON v.application = a.id AND v.version = a.version
		LEFT JOIN access_approval p ON p.id = a.approval AND p.requester <> p.approver AND p.used = 1 AND p.digest = v.digest AND p.kind = 'application.approve'
			AND EXISTS (SELECT 1 FROM access_role x WHERE x.actor = p.approver AND x.role = 'approver')
			AND EXISTS (SELECT 1 FROM access_role x WHERE x.actor = p.requester AND x.role = 'registrar')
		WHERE a.state IN ('approved', 'issued', 'accepted', 'objected', 'closed')`).Scan(&applications, &people)
	if err != nil || people != applications {
		r.Fatalf("%d applications with two people behind %d of them: %v", applications, people, err)
	}
}

var errTest = errors.New("a failure that the test made")
