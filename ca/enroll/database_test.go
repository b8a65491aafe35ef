package enroll

import (
	"context"
	"testing"

	"yinxin/internal/access"
	"yinxin/internal/store"
)

// TestTheDatabaseRefusesForgedRows goes past the service with SQL.
func TestTheDatabaseRefusesForgedRows(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		write := func(query string, args ...any) error {
			return w.db.Write(ctx, func(tx *store.Tx) error {
				_, err := tx.ExecContext(ctx, query, args...)
				return err
			})
		}
		good := w.approved() // whose approval will be borrowed
		draft := w.draft(unitDirect)
		examined := w.examinedBeside()
		approval := `approval = $1, approval_kind = 'application.approve', approval_used = 1, approved = '2026'`
		examination := `examination = $1, examination_version = version, examination_digest = (SELECT digest FROM enroll_examination WHERE id = $1),
			original = '2026-03-05', original_number = '1', original_by = 'registrar', ink_version = version, ink_by = 'registrar', ink_reading = '{}'`
		for _, c := range []struct {
			name, query string
			args        []any
			refusal     func(error) bool
		}{
			{"approved without anything", `UPDATE enroll_application SET state = 'approved' WHERE id = $1`, []any{draft.ID}, store.IsCheck},
			{"issued without anything", `UPDATE enroll_application SET state = 'issued', issued = '2026', accept_by = '2026' WHERE id = $1`, []any{draft.ID}, store.IsCheck},
			{"approved by nobody", `UPDATE enroll_application SET state = 'approved' WHERE id = $1`, []any{examined.ID}, store.IsCheck},
			{"approved by an approval that is none", `UPDATE enroll_application SET state = 'approved', ` + approval + ` WHERE id = $2`,
				[]any{examined.Examination, examined.ID}, store.IsForeignKey},
			{"approved by the approval of another", `UPDATE enroll_application SET state = 'approved', ` + approval + `, ` + examination + ` WHERE id = $2`,
				[]any{good.Examination, draft.ID}, store.IsForeignKey},
			{"an approval that is not the examination's", `UPDATE enroll_application SET state = 'approved', ` + approval + ` WHERE id = $2`,
				[]any{good.Examination, examined.ID}, store.IsCheck},
			{"another version under the approval", `UPDATE enroll_application SET version = version - 1 WHERE id = $1`, []any{good.ID}, store.IsCheck},
			{"another version, with everything moved along", `UPDATE enroll_application SET version = version - 1, examination_version = version - 1, ink_version = version - 1 WHERE id = $1`,
				[]any{good.ID}, store.IsForeignKey},
			{"without the original", `UPDATE enroll_application SET original = NULL, original_number = NULL, original_by = NULL WHERE id = $1`, []any{good.ID}, store.IsCheck},
			{"without wet ink", `UPDATE enroll_application SET ink_version = NULL, ink_by = NULL, ink_reading = NULL WHERE id = $1`, []any{good.ID}, store.IsCheck},
			{"with wet ink of another version", `UPDATE enroll_application SET ink_version = version - 1 WHERE id = $1`, []any{good.ID}, store.IsCheck},
			{"an approval not yet used", `UPDATE enroll_application SET approval_used = 0 WHERE id = $1`, []any{good.ID}, store.IsCheck},
			{"without the approval", `UPDATE enroll_application SET approval = NULL, approval_kind = NULL, approval_used = NULL, approved = NULL WHERE id = $1`, []any{good.ID}, store.IsCheck},
			{"half an approval", `UPDATE enroll_application SET approval_kind = NULL WHERE id = $1`, []any{good.ID}, store.IsCheck},
			{"another content under the digest", `UPDATE enroll_version SET digest = 'x' WHERE application = $1`, []any{good.ID}, store.IsForeignKey},
			{"an examination by another", `UPDATE enroll_examination SET examiner = 'approver' WHERE id = $1`, []any{good.Examination}, store.IsForeignKey},
			{"an examination of another kind", `UPDATE enroll_examination SET kind = 'seal.grant' WHERE id = $1`, []any{good.Examination}, store.IsCheck},
			{"an examination of something else", `UPDATE enroll_examination SET digest = 'x' WHERE id = $1`, []any{good.Examination}, store.IsForeignKey},
			{"the approver becomes the examiner", `UPDATE access_approval SET requester = approver WHERE id = $1`, []any{good.Examination}, store.IsCheck},
			{"the approval goes away", `DELETE FROM access_approval WHERE id = $1`, []any{good.Examination}, store.IsForeignKey},
			{"a state that is none", `UPDATE enroll_application SET state = 'done' WHERE id = $1`, []any{draft.ID}, store.IsCheck},
			{"a confirmation without a reason", `INSERT INTO enroll_confirmation (application, version, finding, reason, confirmed, by) VALUES ($1, 1, 'x', '', '2026', 'registrar')`,
				[]any{draft.ID}, store.IsCheck},
		} {
			if err := write(c.query, c.args...); !c.refusal(err) {
				t.Errorf("%s: %v", c.name, err)
			}
		}
		if now := w.again(good); now.Revision != good.Revision || now.State != StateApproved {
			t.Errorf("now %s", now.State)
		}
	})
}

// examinedBeside is examined while another application for the same seal is under way.
func (w *world) examinedBeside() Application {
	w.t.Helper()
	ctx := context.Background()
	a := w.inked()
	a = w.with(w.Confirm(ctx, w.registrar, a.Ref(), "enroll.duplicate@seal.name", "两枚印章"))
	return w.with(w.Examine(ctx, w.registrar, a.Ref()))
}

func TestTheDatabaseRefusesToEndASuspensionAlone(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		x := w.suspended()
		approval := w.approved().Examination
		var lifting string // somebody else's, used
		w.must(w.db.Write(ctx, func(tx *store.Tx) (err error) {
			if lifting, err = w.Access.RequestPlanIn(ctx, tx, w.registrar, access.KindLiftSuspension, []byte("of another"), nil); err != nil {
				return err
			}
			if err := w.Access.ApproveIn(ctx, tx, w.approver, lifting); err != nil {
				return err
			}
			_, err = w.Access.Redeem(ctx, tx, lifting, access.KindLiftSuspension, []byte("of another"))
			return err
		}))
		for name, c := range map[string]struct {
			query   string
			refusal func(error) bool
		}{
			"lifted by nobody":    {`UPDATE enroll_suspension SET state = 'lifted', decided = '2026' WHERE id = $1`, store.IsCheck},
			"confirmed by nobody": {`UPDATE enroll_suspension SET state = 'confirmed', decided = '2026' WHERE id = $1`, store.IsCheck},
			"lifted by the approval of something else": {`UPDATE enroll_suspension SET state = 'lifted', decided = '2026', request = '` + approval + `',
				approval = '` + approval + `', approval_kind = 'application.approve', approval_used = 1 WHERE id = $1`, store.IsCheck},
			"lifted by an approval of a false kind": {`UPDATE enroll_suspension SET state = 'lifted', decided = '2026', request = '` + approval + `',
				approval = '` + approval + `', approval_kind = 'suspension.lift', approval_used = 1 WHERE id = $1`, store.IsForeignKey},
			"lifted by an approval that nobody requested of it": {`UPDATE enroll_suspension SET state = 'lifted', decided = '2026', request = NULL,
				approval = '` + lifting + `', approval_kind = 'suspension.lift', approval_used = 1 WHERE id = $1`, store.IsCheck},
		} {
			err := w.db.Write(ctx, func(tx *store.Tx) error {
				_, err := tx.ExecContext(ctx, c.query, x.ID)
				return err
			})
			if !c.refusal(err) {
				t.Errorf("%s: %v", name, err)
			}
		}
		// An approval ends one suspension, whoever writes the rows.
		lift := `UPDATE enroll_suspension SET state = 'lifted', decided = '2026', request = '` + lifting + `', approval = '` + lifting + `',
			approval_kind = 'suspension.lift', approval_used = 1 WHERE id = $1`
		write := func(query string, id string) error {
			return w.db.Write(ctx, func(tx *store.Tx) error {
				_, err := tx.ExecContext(ctx, query, id)
				return err
			})
		}
		w.must(write(lift, x.ID))
		y, err := w.SuspendAtOnce(ctx, w.registrar, x.Holder, "再次遗失")
		w.must(err)
		if err := write(lift, y.ID); !store.IsUnique(err) {
			t.Errorf("twice under one approval: %v", err)
		}
	})
}

// suspended is a user of the direct unit who was stopped in an emergency.
func (w *world) suspended() Suspension {
	w.t.Helper()
	x, err := w.SuspendAtOnce(context.Background(), w.registrar, w.holderOf(unitDirect), "Key 遗失，电话报告")
	w.must(err)
	return x
}

// holderOf makes a user of a unit known, by a roster in a draft.
func (w *world) holderOf(unit string) string {
	w.t.Helper()
	ctx := context.Background()
	a := w.with(w.Create(ctx, w.handler[unit], unit, w.filled(unit)))
	w.with(w.AttachRoster(ctx, w.handler[unit], a.Ref(), "2026-03-05", []Person{w.person(unit, 4, userPerson, StatusActive)}))
	holder, err := w.HolderIn(ctx, w.db.Read(), unit, userPerson.IdentityNumber)
	w.must(err)
	if holder == "" {
		w.t.Fatal("nobody is known by the number on the roster")
	}
	return holder
}

func TestASuspensionTakesTwoPeopleToEnd(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		x := w.suspended()
		w.wantStopped(1)
		holders, err := w.Holders(ctx, w.handler[unitDirect], unitDirect)
		if err != nil || len(holders) != 1 || !holders[0].Suspended || holders[0].Identity != userPerson.IdentityNumber[:3]+"***********"+userPerson.IdentityNumber[14:] {
			t.Errorf("%+v, %v", holders, err)
		}
		_, err = w.Holders(ctx, w.handler[unitA], unitDirect)
		wantCode(t, err, ErrUnit)
		_, err = w.SuspendAtOnce(ctx, w.second, x.Holder, "再次报告")
		wantCode(t, err, ErrSuspended)
		_, err = w.RequestDecision(ctx, w.approver, x.Ref(), false)
		wantCode(t, err, access.ErrRole)
		_, err = w.ApproveDecision(ctx, w.approver, x.Ref())
		wantCode(t, err, access.ErrNotApproved)
		asked, err := w.RequestDecision(ctx, w.both, x.Ref(), false)
		w.must(err)
		_, err = w.RequestDecision(ctx, w.registrar, asked.Ref(), true)
		wantCode(t, err, ErrDecided)
		_, err = w.ApproveDecision(ctx, w.both, asked.Ref())
		wantCode(t, err, access.ErrSamePerson)
		_, err = w.ApproveDecision(ctx, w.approver, x.Ref())
		wantCode(t, err, ErrConflict)
		kept, err := w.RejectDecision(ctx, w.approver, asked.Ref(), "尚未找到")
		w.must(err)
		if kept.State != SuspensionOpen || kept.Request != "" {
			t.Errorf("%+v", kept)
		}
		asked, err = w.RequestDecision(ctx, w.registrar, kept.Ref(), true)
		w.must(err)
		w.stopper.err = errTest
		if _, err := w.ApproveDecision(ctx, w.approver, asked.Ref()); err != errTest {
			t.Errorf("%v", err)
		}
		w.stopper.err = nil
		done, err := w.ApproveDecision(ctx, w.approver, asked.Ref())
		w.must(err)
		if done.State != SuspensionConfirmed || done.Decided.IsZero() {
			t.Errorf("%+v", done)
		}
		list, err := w.Suspensions(ctx, w.handler[unitDirect], SuspensionConfirmed)
		if err != nil || len(list) != 1 || list[0].State != SuspensionConfirmed || list[0].Name != userPerson.Name {
			t.Errorf("%+v, %v", list, err)
		}
		_, err = w.RequestDecision(ctx, w.registrar, done.Ref(), false)
		wantCode(t, err, ErrDecided)
		// Stopped again later, it is another suspension.
		_, err = w.SuspendAtOnce(ctx, w.handler[unitDirect], x.Holder, "本单位报告")
		w.must(err)
	})
}

func (w *world) wantStopped(want int) {
	w.t.Helper()
	var n int
	w.must(w.db.Read().QueryRowContext(context.Background(), `SELECT COUNT(*) FROM test_stopped`).Scan(&n))
	if n != want {
		w.t.Errorf("%d users were stopped, want %d", n, want)
	}
}

func TestARosterThatSaysUS02StopsTheUserAtOnce(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		by := w.handler[unitDirect]
		a := w.draft(unitDirect)
		a = w.with(w.AttachRoster(ctx, by, a.Ref(), "2026-03-05", []Person{
			w.person(unitDirect, 4, userPerson, StatusActive), w.person(unitDirect, 5, otherPerson, StatusWithdrawn)}))
		w.wantStopped(0) // nobody has said it yet
		w.stopper.err = errTest
		if _, err := w.Submit(ctx, by, a.Ref()); err != errTest {
			t.Errorf("%v", err)
		}
		w.wantStopped(0)
		w.stopper.err = nil
		a = w.with(w.Submit(ctx, by, a.Ref()))
		w.wantStopped(1)
		open, err := w.Suspensions(ctx, w.registrar, SuspensionOpen)
		if err != nil || len(open) != 1 || open[0].Cause != CauseRoster || open[0].Application != a.ID || open[0].Name != otherPerson.Name {
			t.Fatalf("%+v, %v", open, err)
		}
		// Recalled and submitted again, the user is stopped already.
		a = w.with(w.Submit(ctx, by, w.with(w.Recall(ctx, by, a.Ref())).Ref()))
		w.wantStopped(1)
		// The approval of the application makes it final.
		a = w.with(w.Receive(ctx, w.registrar, a.Ref()))
		a = w.ink(w.with(w.ReceiveOriginal(ctx, w.registrar, a.Ref(), "2026-03-05", "机要1号")))
		a = w.with(w.Approve(ctx, w.approver, w.with(w.Examine(ctx, w.registrar, a.Ref())).Ref()))
		all, err := w.Suspensions(ctx, w.registrar, "")
		if err != nil || len(all) != 1 || all[0].State != SuspensionConfirmed || all[0].Request != a.Examination {
			t.Errorf("%+v, %v", all, err)
		}
	})
}

func TestADecisionThatWaitedTooLongIsAskedForAgain(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		asked, err := w.RequestDecision(ctx, w.registrar, w.suspended().Ref(), false)
		w.must(err)
		w.pass(access.Term)
		_, err = w.ApproveDecision(ctx, w.approver, asked.Ref())
		wantCode(t, err, access.ErrExpired)
		again, err := w.RequestDecision(ctx, w.registrar, asked.Ref(), false)
		w.must(err)
		done, err := w.ApproveDecision(ctx, w.approver, again.Ref())
		if err != nil || done.State != SuspensionLifted {
			t.Errorf("%+v, %v", done, err)
		}
	})
}
