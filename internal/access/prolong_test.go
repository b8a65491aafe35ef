package access

import (
	"context"
	"testing"
	"time"

	"yinxin/internal/store"
)

func (r *room) prolong(id string, until time.Time) error {
	ctx := context.Background()
	return r.db.Write(ctx, func(tx *store.Tx) error { return r.Prolong(ctx, tx, id, until) })
}

func TestWhatIsLeftOfAPlanIsProlongedBeforeItRunsOut(t *testing.T) {
	eachRoom(t, func(t *testing.T, r *room) {
		ctx := context.Background()
		id, parts := r.plan(t, "one", "two", "three")
		other, others := r.plan(t, "one")
		for _, p := range []string{id, other} {
			if err := r.Approve(ctx, r.approver, p); err != nil {
				t.Fatal(err)
			}
			if _, err := r.redeem(p, kindPlan, "an application"); err != nil {
				t.Fatal(err)
			}
		}
		wantCode(t, r.prolong(parts[0].ID, r.time().Add(2*Term)), ErrPart)
		wantCode(t, r.prolong("req_nobody", r.time().Add(2*Term)), ErrRequestNotFound)
		if _, err := r.redeem(parts[0].ID, KindMakeSeal, "one"); err != nil {
			t.Fatal(err)
		}
		until := r.time().Add(2 * Term)
		for _, at := range []time.Time{until, until.Add(-time.Hour)} { // never shortened
			if err := r.prolong(id, at); err != nil {
				t.Fatal(err)
			}
		}
		wantOne(t, r, `SELECT COUNT(*) FROM ledger_event WHERE kind = 'approval.prolonged'`)
		r.pass(until.Sub(r.time()) - time.Second)
		if _, err := r.redeem(parts[1].ID, KindMakeSeal, "two"); err != nil {
			t.Errorf("in its last second: %v", err)
		}
		_, err := r.redeem(others[0].ID, KindMakeSeal, "one")
		wantCode(t, err, ErrExpired)
		_, err = r.redeem(id, kindPlan, "an application")
		wantCode(t, err, ErrUsed)
		_, err = r.redeem(parts[0].ID, KindMakeSeal, "one")
		wantCode(t, err, ErrUsed)
		r.pass(time.Second)
		_, err = r.redeem(parts[2].ID, KindMakeSeal, "three")
		wantCode(t, err, ErrExpired)
		if err := r.prolong(id, r.time().Add(Term)); err != nil {
			t.Fatal(err)
		}
		_, err = r.redeem(parts[2].ID, KindMakeSeal, "three")
		wantCode(t, err, ErrExpired) // it had run out
	})
}

func TestAPlanIsProlongedByAYearAtMostAndNeverOnceVoid(t *testing.T) {
	eachRoom(t, func(t *testing.T, r *room) {
		ctx := context.Background()
		id, parts := r.plan(t, "one", "two")
		void, voided := r.plan(t, "three")
		for _, p := range []string{id, void} {
			if err := r.Approve(ctx, r.approver, p); err != nil {
				t.Fatal(err)
			}
			if _, err := r.redeem(p, kindPlan, "an application"); err != nil {
				t.Fatal(err)
			}
		}
		begun := r.time()
		if err := r.prolong(id, begun.AddDate(40, 0, 0)); err != nil {
			t.Fatal(err)
		}
		if err := r.void(t, void); err != nil {
			t.Fatal(err)
		}
		if err := r.prolong(void, begun.AddDate(1, 0, 0)); err != nil {
			t.Fatal(err)
		}
		_, err := r.redeem(voided[0].ID, KindMakeSeal, "three")
		wantCode(t, err, ErrVoided)
		r.pass(begun.AddDate(1, 0, 0).Sub(r.time()) - time.Second)
		if _, err := r.redeem(parts[0].ID, KindMakeSeal, "one"); err != nil {
			t.Error(err)
		}
		r.pass(time.Second)
		_, err = r.redeem(parts[1].ID, KindMakeSeal, "two")
		wantCode(t, err, ErrExpired)
	})
}

func wantOne(t *testing.T, r *room, query string) {
	t.Helper()
	var n int
	if err := r.db.Read().QueryRowContext(context.Background(), query).Scan(&n); err != nil || n != 1 {
		t.Errorf("%s: %d, %v", query, n, err)
	}
}

func TestAPlanHasOnlySoManyParts(t *testing.T) {
	eachRoom(t, func(t *testing.T, r *room) {
		parts := make([]Part, MaxParts+1)
		for i := range parts {
			parts[i] = Part{KindMakeSeal, []byte("one")}
		}
		_, err := r.RequestPlan(context.Background(), r.registrar, KindApproveApplication, []byte("an application"), parts)
		wantCode(t, err, ErrSubject)
	})
}

func TestVoidingAgainDoesNothing(t *testing.T) {
	eachRoom(t, func(t *testing.T, r *room) {
		id, _ := r.plan(t, "one")
		for range 2 {
			if err := r.void(t, id); err != nil {
				t.Fatal(err)
			}
			r.pass(time.Hour)
		}
		wantOne(t, r, `SELECT COUNT(*) FROM ledger_event WHERE kind = 'approval.voided'`)
	})
}
