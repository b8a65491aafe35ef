package enroll

import (
	"context"
	"testing"
	"time"

	"yinxin/internal/access"
	"yinxin/internal/civil"
	"yinxin/internal/store"
)

func TestARequestRunsOutToTheSecond(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		a := w.examined()
		w.pass(access.Term - time.Second)
		if swept, err := w.Sweep(ctx); err != nil || swept != (Swept{}) {
			t.Errorf("a second before: %+v, %v", swept, err)
		}
		w.pass(time.Second)
		_, err := w.Approve(ctx, w.approver, a.Ref())
		wantCode(t, err, access.ErrExpired)
		if swept, err := w.Sweep(ctx); err != nil || swept != (Swept{Lapsed: 1}) {
			t.Errorf("at its end: %+v, %v", swept, err)
		}
		b := w.again(a)
		if b.State != StateOriginal || b.Examination != "" {
			t.Errorf("now %s", b.State)
		}
		_, err = w.Approve(ctx, w.approver, b.Ref())
		wantCode(t, err, ErrState)
		w.pass(-time.Second) // the clock goes back: what lapsed stays so
		wantCode(t, w.DB.Write(ctx, func(tx *store.Tx) error { return w.Access.ApproveIn(ctx, tx, w.approver, a.Examination) }), access.ErrVoided)
	})
}

func TestARequestIsApprovedInItsLastSecond(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		a := w.examined()
		w.pass(access.Term - time.Second)
		w.with(w.Approve(context.Background(), w.approver, a.Ref()))
	})
}

func TestAnApprovalRunsOutToTheSecond(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		a := w.approved()
		w.pass(access.Term)
		wantCode(t, w.carryOut(a), access.ErrExpired)
		w.pass(-time.Second)
		if swept, err := w.Sweep(ctx); err != nil || swept != (Swept{}) {
			t.Errorf("a second before: %+v, %v", swept, err)
		}
		w.pass(time.Second)
		if swept, err := w.Sweep(ctx); err != nil || swept != (Swept{Lapsed: 1}) {
			t.Errorf("at its end: %+v, %v", swept, err)
		}
		if now := w.again(a); now.State != StateOriginal {
			t.Errorf("now %s", now.State)
		}
	})
}

func TestAnApprovalIsCarriedOutInItsLastSecond(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		a := w.approved()
		w.pass(access.Term - time.Second)
		w.must(w.carryOut(a))
	})
}

func TestWhatIsHalfCarriedOutDoesNotLapse(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		a := w.approved()
		parts, err := w.Access.Parts(ctx, a.Examination)
		w.must(err)
		w.must(w.db.Write(ctx, func(tx *store.Tx) error {
			_, err := w.Access.Redeem(ctx, tx, parts[0].ID, parts[0].Kind, parts[0].Subject)
			return err
		}))
		w.pass(2 * access.Term)
		if swept, err := w.Sweep(ctx); err != nil || swept != (Swept{}) {
			t.Errorf("%+v, %v", swept, err)
		}
		if now := w.again(a); now.State != StateApproved {
			t.Errorf("now %s", now.State)
		}
	})
}

func TestSilenceAcceptsAtTheEndOfTheTerm(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		a := w.issued()
		// Thursday, 5 March: the fifth working day after it is Thursday, 12 March, to its end.
		end := time.Date(2026, 3, 13, 0, 0, 0, 0, civil.China)
		if !a.ObjectUntil.Equal(end) {
			t.Fatalf("until %s, want %s", a.ObjectUntil, end)
		}
		w.pass(end.Add(-time.Second).Sub(w.time()))
		if swept, err := w.Sweep(ctx); err != nil || swept != (Swept{}) {
			t.Errorf("a second before: %+v, %v", swept, err)
		}
		w.pass(time.Second)
		_, err := w.Object(ctx, w.handler[unitDirect], a.Ref(), "名称有误")
		wantCode(t, err, ErrTerm) // also before anything has swept
		var told []string
		w.Effects = map[Step]Effect{StepSilence: func(_ context.Context, _ *store.Tx, by access.Actor, d Dossier) error {
			told = append(told, by.ID+d.Number)
			return nil
		}}
		if swept, err := w.Sweep(ctx); err != nil || swept != (Swept{Accepted: 1}) {
			t.Errorf("at its end: %+v, %v", swept, err)
		}
		if now := w.again(a); now.State != StateAccepted || len(told) != 1 || told[0] != a.Number {
			t.Errorf("now %s; told %v", now.State, told)
		}
	})
}

func TestAnObjectionCountsInTheLastSecond(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		a := w.issued()
		w.pass(a.ObjectUntil.Add(-time.Second).Sub(w.time()))
		a = w.with(w.Object(ctx, w.handler[unitDirect], a.Ref(), "名称有误"))
		w.pass(time.Hour)
		if swept, err := w.Sweep(ctx); err != nil || swept != (Swept{}) {
			t.Errorf("%+v, %v", swept, err)
		}
		_, err := w.Close(ctx, w.registrar, a.Ref(), "")
		wantCode(t, err, ErrReason)
		_, err = w.Settle(ctx, w.registrar, a.Ref(), "已更正")
		wantCode(t, err, ErrDenied)
		a = w.with(w.Settle(ctx, w.handler[unitDirect], a.Ref(), "已更正"))
		if a.State != StateAccepted {
			t.Errorf("now %s", a.State)
		}
	})
}

func TestADraftThatNobodyTouchesExpires(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		old, fresh := w.draft(unitDirect), w.draft(unitDirect)
		w.pass(DefaultIdleTerm - time.Second)
		w.with(w.AddAttachment(ctx, w.handler[unitDirect], fresh.Ref(), Scan{Kind: AttachOther, Content: scanJPEG}))
		if _, err := w.Unmask(ctx, w.registrar, old.ID, "看看"); err != nil { // looking is not touching
			t.Fatal(err)
		}
		if swept, err := w.Sweep(ctx); err != nil || swept != (Swept{}) {
			t.Errorf("a second before: %+v, %v", swept, err)
		}
		w.pass(time.Second)
		if swept, err := w.Sweep(ctx); err != nil || swept != (Swept{Expired: 1}) {
			t.Errorf("at its end: %+v, %v", swept, err)
		}
		if a, b := w.again(old), w.again(fresh); a.State != StateExpired || b.State != StateDraft {
			t.Errorf("now %s and %s", a.State, b.State)
		}
	})
}
