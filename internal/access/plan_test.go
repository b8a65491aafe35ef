package access

import (
	"context"
	"testing"
	"time"

	"yinxin/internal/fault"
	"yinxin/internal/store"
)

// kindPlan is a plan that is decided here; those of other rooms take a step there.
const kindPlan Kind = "test.plan"

func (r *room) plan(t *testing.T, parts ...string) (id string, made []Pending) {
	t.Helper()
	ctx := context.Background()
	var list []Part
	for _, p := range parts {
		list = append(list, Part{KindMakeSeal, []byte(p)})
	}
	id, err := r.RequestPlan(ctx, r.registrar, kindPlan, []byte("an application"), list)
	if err != nil {
		t.Fatal(err)
	}
	made, err = r.Parts(ctx, id)
	if err != nil || len(made) != len(parts) {
		t.Fatalf("%d parts, %v", len(made), err)
	}
	return id, made
}

func (r *room) void(t *testing.T, id string) error {
	t.Helper()
	ctx := context.Background()
	return r.db.Write(ctx, func(tx *store.Tx) error { return r.Void(ctx, tx, r.registrar, id) })
}

func TestThePartsOfAPlanAreDecidedTogetherAndRedeemedOneByOne(t *testing.T) {
	eachRoom(t, func(t *testing.T, r *room) {
		ctx := context.Background()
		id, parts := r.plan(t, "one", "two")
		if open, err := r.Open(ctx, 10); err != nil || len(open) != 1 || open[0].ID != id {
			t.Errorf("open %+v, %v", open, err)
		}
		wantCode(t, r.Approve(ctx, r.approver, parts[0].ID), ErrPart)
		wantCode(t, r.Reject(ctx, r.approver, parts[0].ID, ""), ErrPart)
		wantCode(t, r.void(t, parts[0].ID), ErrPart)
		_, err := r.redeem(parts[0].ID, KindMakeSeal, "one")
		wantCode(t, err, ErrNotApproved)
		if err := r.Approve(ctx, r.approver, id); err != nil {
			t.Fatal(err)
		}
		_, err = r.redeem(parts[0].ID, KindMakeSeal, "two")
		wantCode(t, err, ErrOtherSubject)
		_, err = r.redeem(parts[0].ID, KindMakeSeal, "one") // the plan comes first
		wantCode(t, err, ErrNotApproved)
		if _, err := r.redeem(id, kindPlan, "an application"); err != nil {
			t.Fatal(err)
		}
		for i, subject := range []string{"one", "two"} {
			if a, err := r.redeem(parts[i].ID, KindMakeSeal, subject); err != nil || a.Approver() != "approver" {
				t.Errorf("part %d: %+v, %v", i, a, err)
			}
		}
		_, err = r.redeem(parts[1].ID, KindMakeSeal, "two")
		wantCode(t, err, ErrUsed)
		_, err = r.redeem(id, kindPlan, "an application")
		wantCode(t, err, ErrUsed)
	})
}

// A plan of registration is decided in registration, which asks more than whether two people agree.
func TestThePlanOfAnotherRoomIsNotDecidedHere(t *testing.T) {
	eachRoom(t, func(t *testing.T, r *room) {
		ctx := context.Background()
		for _, kind := range []Kind{KindApproveApplication, KindConfirmSuspension, KindLiftSuspension} {
			id, err := r.RequestPlan(ctx, r.registrar, kind, []byte("a subject"), []Part{{KindMakeSeal, []byte("a seal")}})
			if err != nil {
				t.Fatal(err)
			}
			wantCode(t, r.Approve(ctx, r.approver, id), ErrOwnStep)
			wantCode(t, r.Reject(ctx, r.approver, id, "no"), ErrOwnStep)
			if err := r.db.Write(ctx, func(tx *store.Tx) error { return r.ApproveIn(ctx, tx, r.approver, id) }); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestARejectedPlanLeavesNoPartToRedeem(t *testing.T) {
	eachRoom(t, func(t *testing.T, r *room) {
		id, parts := r.plan(t, "one")
		if err := r.Reject(context.Background(), r.approver, id, "印模不清"); err != nil {
			t.Fatal(err)
		}
		_, err := r.redeem(parts[0].ID, KindMakeSeal, "one")
		wantCode(t, err, ErrNotApproved)
	})
}

func TestWhatIsVoidIsNeitherDecidedNorRedeemed(t *testing.T) {
	eachRoom(t, func(t *testing.T, r *room) {
		ctx := context.Background()
		open, _ := r.plan(t, "one")
		approved, parts := r.plan(t, "two", "three")
		if err := r.Approve(ctx, r.approver, approved); err != nil {
			t.Fatal(err)
		}
		if _, err := r.redeem(approved, kindPlan, "an application"); err != nil {
			t.Fatal(err)
		}
		if _, err := r.redeem(parts[0].ID, KindMakeSeal, "two"); err != nil {
			t.Fatal(err)
		}
		for _, id := range []string{open, approved, approved} {
			if err := r.void(t, id); err != nil {
				t.Fatal(err)
			}
		}
		wantCode(t, r.Approve(ctx, r.approver, open), ErrVoided)
		_, err := r.redeem(parts[1].ID, KindMakeSeal, "three")
		wantCode(t, err, ErrVoided)
		if list, err := r.Open(ctx, 10); err != nil || len(list) != 0 {
			t.Errorf("open %+v, %v", list, err)
		}
		wantCode(t, r.void(t, "req_none"), ErrRequestNotFound)
	})
}

// What was given up after a part of it was done is not renewed.
func TestWhatIsVoidCarriesNoRenewals(t *testing.T) {
	eachRoom(t, func(t *testing.T, r *room) {
		ctx := context.Background()
		id, parts := r.plan(t, "one", "two")
		if err := r.Approve(ctx, r.approver, id); err != nil {
			t.Fatal(err)
		}
		if _, err := r.redeem(id, kindPlan, "an application"); err != nil {
			t.Fatal(err)
		}
		if _, err := r.redeem(parts[0].ID, KindMakeSeal, "one"); err != nil {
			t.Fatal(err)
		}
		if err := r.void(t, id); err != nil {
			t.Fatal(err)
		}
		err := r.db.Write(ctx, func(tx *store.Tx) error {
			_, err := r.Reuse(ctx, tx, parts[0].ID, KindMakeSeal, []byte("one"))
			return err
		})
		wantCode(t, err, ErrVoided)
	})
}

func TestAnApprovalCarriesRenewalsForFiveYearsToTheSecond(t *testing.T) {
	eachRoom(t, func(t *testing.T, r *room) {
		ctx := context.Background()
		reuse := func(id, subject string) (Approval, error) {
			var a Approval
			err := r.db.Write(ctx, func(tx *store.Tx) (err error) {
				a, err = r.Reuse(ctx, tx, id, KindMakeSeal, []byte("other form"), []byte(subject))
				return err
			})
			return a, err
		}
		id := r.request(t, r.registrar, "a seal")
		if err := r.Approve(ctx, r.approver, id); err != nil {
			t.Fatal(err)
		}
		given := r.time()
		_, err := reuse(id, "a seal")
		wantCode(t, err, ErrNotApproved) // not before it was used
		if _, err := r.redeem(id, KindMakeSeal, "a seal"); err != nil {
			t.Fatal(err)
		}
		_, err = reuse(id, "another seal")
		wantCode(t, err, ErrOtherSubject)
		end := given.AddDate(5, 0, 0)
		r.pass(end.Sub(given) - time.Second)
		a, err := reuse(id, "a seal")
		if err != nil || !a.Covers(KindMakeSeal, []byte("a seal")) || !a.RenewableUntil().Equal(end) {
			t.Errorf("%+v, %v", a, err)
		}
		r.pass(time.Second)
		_, err = reuse(id, "a seal")
		wantCode(t, err, ErrExpired)
	})
}

func TestFiveYearsFromALeapDayEndWithFebruary(t *testing.T) {
	got := RenewableUntil(time.Date(2028, 2, 29, 8, 0, 0, 0, time.UTC))
	if want := time.Date(2033, 2, 28, 8, 0, 0, 0, time.UTC); !got.Equal(want) {
		t.Errorf("%v", got)
	}
}

func TestRequestersAskForCertificatesAloneAndOnlyThroughTheirDoor(t *testing.T) {
	eachRoom(t, func(t *testing.T, r *room) {
		ctx := context.Background()
		outside, err := r.CreateActor(ctx, Actor{ID: "outside", Name: "outside", Roles: []Role{RoleRequester}})
		if err != nil {
			t.Fatal(err)
		}
		ask := func(by Actor, k Kind) (id string, err error) {
			err = r.db.Write(ctx, func(tx *store.Tx) error {
				id, err = r.RequestOutsideIn(ctx, tx, by, k, []byte("x"))
				return err
			})
			return id, err
		}
		for _, by := range []Actor{outside, r.registrar} {
			for _, k := range []Kind{KindIssueCertificate, KindRevokeCertificate} {
				id, err := ask(by, k)
				if err != nil {
					t.Fatal(err)
				}
				if p, err := r.Pending(ctx, id); err != nil || p.Requester != by.ID || p.Kind != k || p.State != "open" {
					t.Errorf("%+v, %v", p, err)
				}
				if err := r.Approve(ctx, outside, id); !fault.Has(err, ErrRole) {
					t.Errorf("decided by one from outside: %v", err)
				}
			}
			for _, k := range []Kind{KindGrantRole, KindMakeSeal, KindResumeCertificate, KindSuspendCertificate, KindImportAnchor, ""} {
				if _, err := ask(by, k); !fault.Has(err, ErrSubject) {
					t.Errorf("%s for %q: %v", by.ID, k, err)
				}
			}
		}
		if _, err := ask(r.approver, KindIssueCertificate); !fault.Has(err, ErrRole) {
			t.Errorf("an approver: %v", err)
		}
		if _, err := r.Request(ctx, outside, KindIssueCertificate, []byte("x")); !fault.Has(err, ErrRole) {
			t.Errorf("past their door: %v", err)
		}
	})
}
