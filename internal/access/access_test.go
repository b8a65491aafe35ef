package access

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"yinxin/internal/fault"
	"yinxin/internal/ledger"
	"yinxin/internal/store"
	"yinxin/internal/store/storetest"
)

// room is a Service on fresh tables with two officers, and a clock that the test moves.
type room struct {
	*Service
	db                  *store.DB
	lock                sync.Mutex
	now                 time.Time
	registrar, approver Actor
	both                Actor // holds both roles, as in a small archive
}

func (r *room) time() time.Time {
	r.lock.Lock()
	defer r.lock.Unlock()
	return r.now
}

func (r *room) pass(d time.Duration) {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.now = r.now.Add(d)
}

func eachRoom(t *testing.T, fn func(t *testing.T, r *room)) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		r := &room{db: db, now: time.Date(2026, 3, 5, 8, 0, 0, 0, time.UTC)}
		storetest.Migrate(t, db, ledger.Migrate, Migrate)
		r.Service = New(db, ledger.New(db, nil, r.time), r.time)
		create := func(name string, roles ...Role) Actor {
			a, err := r.CreateActor(ctx, Actor{ID: name, Name: name, Organisation: "某某省档案馆", Roles: roles})
			if err != nil {
				t.Fatal(err)
			}
			return a
		}
		r.registrar = create("registrar", RoleRegistrar)
		r.approver = create("approver", RoleApprover)
		r.both = create("both", RoleApprover, RoleRegistrar)
		fn(t, r)
	})
}

func (r *room) request(t *testing.T, by Actor, subject string) string {
	t.Helper()
	id, err := r.Request(context.Background(), by, KindMakeSeal, []byte(subject))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func (r *room) redeem(id string, k Kind, subject string) (Approval, error) {
	ctx := context.Background()
	var a Approval
	err := r.db.Write(ctx, func(tx *store.Tx) error {
		var err error
		a, err = r.Redeem(ctx, tx, id, k, []byte(subject))
		return err
	})
	return a, err
}

func wantCode(t *testing.T, err error, spec fault.Spec) {
	t.Helper()
	if !fault.Has(err, spec) {
		t.Errorf("error %v, want %s", err, spec.Code)
	}
}

func TestWhatTwoPeopleDecidedIsRedeemedOnce(t *testing.T) {
	eachRoom(t, func(t *testing.T, r *room) {
		ctx := context.Background()
		id := r.request(t, r.registrar, "a seal")
		_, err := r.redeem(id, KindMakeSeal, "a seal")
		wantCode(t, err, ErrNotApproved)
		if err := r.Approve(ctx, r.approver, id); err != nil {
			t.Fatal(err)
		}
		_, err = r.redeem(id, KindMakeSeal, "another seal")
		wantCode(t, err, ErrOtherSubject)
		_, err = r.redeem(id, KindGrant, "a seal")
		wantCode(t, err, ErrOtherSubject)
		a, err := r.redeem(id, KindMakeSeal, "a seal")
		if err != nil {
			t.Fatal(err)
		}
		if a.ID() != id || a.Requester() != "registrar" || a.Approver() != "approver" || a.Kind() != KindMakeSeal {
			t.Errorf("approval %+v", a)
		}
		if !a.Covers(KindMakeSeal, []byte("a seal")) || a.Covers(KindMakeSeal, []byte("a sea")) || a.Covers(KindGrant, []byte("a seal")) {
			t.Error("the approval covers the wrong things")
		}
		_, err = r.redeem(id, KindMakeSeal, "a seal")
		wantCode(t, err, ErrUsed)
		wantKinds(t, r, "actor.created actor.created actor.created approval.requested approval.granted approval.used")
	})
}

func wantKinds(t *testing.T, r *room, want string) {
	t.Helper()
	rows, err := r.db.Read().QueryContext(context.Background(), `SELECT kind FROM ledger_event ORDER BY id`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var kinds []string
	for rows.Next() {
		var kind string
		if err := rows.Scan(&kind); err != nil {
			t.Fatal(err)
		}
		kinds = append(kinds, kind)
	}
	if got := strings.Join(kinds, " "); got != want || rows.Err() != nil {
		t.Errorf("the ledger has %s\nwant %s", got, want)
	}
}

func TestTheZeroApprovalCoversNothing(t *testing.T) {
	if (Approval{}).Covers("", nil) {
		t.Error("it covers something")
	}
}

func TestNobodyDecidesOnTheirOwnRequest(t *testing.T) {
	eachRoom(t, func(t *testing.T, r *room) {
		ctx := context.Background()
		id := r.request(t, r.both, "a seal")
		wantCode(t, r.Approve(ctx, r.both, id), ErrSamePerson)
		wantCode(t, r.Reject(ctx, r.both, id, ""), ErrSamePerson)
		if err := r.Approve(ctx, r.approver, id); err != nil {
			t.Error(err)
		}
	})
}

func TestTheDatabaseRefusesApprovalsByOnePerson(t *testing.T) {
	eachRoom(t, func(t *testing.T, r *room) {
		ctx := context.Background()
		id := r.request(t, r.both, "a seal")
		write := func(query string, args ...any) error {
			return r.db.Write(ctx, func(tx *store.Tx) error {
				_, err := tx.ExecContext(ctx, query, args...)
				return err
			})
		}
		decide := `UPDATE access_request SET state = 'approved', decider = $1, decided = '2026' WHERE id = $2`
		if err := write(decide, "both", id); !store.IsCheck(err) {
			t.Errorf("deciding alone: %v", err)
		}
		insert := `INSERT INTO access_approval (id, kind, digest, requester, approver, request_state, approved, expires, used)
			SELECT id, $1, digest, $2, $3, 'approved', '2026', '2027', 0 FROM access_request WHERE id = $4`
		if err := write(insert, "seal.make", "both", "approver", id); !store.IsForeignKey(err) {
			t.Errorf("approval of an open request: %v", err)
		}
		if err := write(decide, "approver", id); err != nil {
			t.Fatal(err)
		}
		if err := write(insert, "seal.make", "both", "both", id); !store.IsCheck(err) {
			t.Errorf("approver is the requester: %v", err)
		}
		if err := write(insert, "seal.make", "registrar", "both", id); !store.IsForeignKey(err) {
			t.Errorf("another requester than the request's: %v", err)
		}
		if err := write(insert, "certificate.issue", "both", "approver", id); !store.IsForeignKey(err) {
			t.Errorf("another kind than the request's: %v", err)
		}
		if err := write(insert, "seal.make", "both", "approver", id); err != nil {
			t.Errorf("the right approval: %v", err)
		}
		if err := write(`UPDATE access_request SET requester = 'registrar' WHERE id = $1`, id); !store.IsForeignKey(err) {
			t.Errorf("moving an approved request to another person: %v", err)
		}
		role := `INSERT INTO access_role (actor, role, granted, founding, approval, approval_kind, approval_used, side) VALUES ('both', 'operator', '2026', 0, $1, $2, $3, 'use')`
		if err := write(role, nil, nil, nil); !store.IsCheck(err) {
			t.Errorf("a role without approval: %v", err)
		}
		if err := write(role, id, "seal.make", 1); !store.IsCheck(err) {
			t.Errorf("a role by the approval of something else: %v", err)
		}
		if err := write(role, id, "role.grant", 1); !store.IsForeignKey(err) {
			t.Errorf("a role by a false kind: %v", err)
		}
	})
}

func TestRolesAreReadWhenTheyMatter(t *testing.T) {
	eachRoom(t, func(t *testing.T, r *room) {
		ctx := context.Background()
		liar := Actor{ID: "approver", Roles: []Role{RoleRegistrar}}
		_, err := r.Request(ctx, liar, KindMakeSeal, []byte("x"))
		wantCode(t, err, ErrRole)
		id := r.request(t, r.registrar, "a seal")
		wantCode(t, r.Approve(ctx, Actor{ID: "registrar", Roles: []Role{RoleApprover}}, id), ErrRole)
		wantCode(t, r.Approve(ctx, Actor{ID: "nobody"}, id), ErrActorNotFound)
		_, err = r.CreateActor(ctx, Actor{ID: "admin", Name: "admin", Roles: []Role{RoleAdministrator}})
		if err != nil {
			t.Fatal(err)
		}
		wantCode(t, r.WithdrawRole(ctx, r.registrar, "approver", RoleApprover), ErrRole)
		if err := r.WithdrawRole(ctx, Actor{ID: "admin"}, "approver", RoleApprover); err != nil {
			t.Fatal(err)
		}
		wantCode(t, r.Approve(ctx, r.approver, id), ErrRole)
		if err := r.RetireActor(ctx, Actor{ID: "admin"}, "both"); err != nil {
			t.Fatal(err)
		}
		wantCode(t, r.Approve(ctx, r.both, id), ErrActorNotFound)
		wantCode(t, r.RetireActor(ctx, Actor{ID: "admin"}, "admin"), ErrSamePerson)
	})
}

func TestOfTwoOfficersAtOnceOneDecides(t *testing.T) {
	eachRoom(t, func(t *testing.T, r *room) {
		ctx := context.Background()
		officers := []Actor{r.approver, r.both}
		for range 5 {
			id := r.request(t, r.registrar, "a seal")
			errs := race(len(officers)*2, func(i int) error {
				if i%2 == 0 {
					return r.Approve(ctx, officers[i/2], id)
				}
				return r.Reject(ctx, officers[i/2], id, "no")
			})
			wantOneWinner(t, errs, ErrDecided)
		}
	})
}

func TestOfManyWhoRedeemAtOnceOneSucceeds(t *testing.T) {
	eachRoom(t, func(t *testing.T, r *room) {
		for range 5 {
			id := r.request(t, r.registrar, "a seal")
			if err := r.Approve(context.Background(), r.approver, id); err != nil {
				t.Fatal(err)
			}
			errs := race(6, func(int) error {
				_, err := r.redeem(id, KindMakeSeal, "a seal")
				return err
			})
			wantOneWinner(t, errs, ErrUsed)
		}
	})
}

func race(n int, fn func(i int) error) []error {
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { errs[i] = fn(i) })
	}
	wg.Wait()
	return errs
}

func wantOneWinner(t *testing.T, errs []error, others fault.Spec) {
	t.Helper()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else {
			wantCode(t, err, others)
		}
	}
	if won != 1 {
		t.Errorf("%d succeeded", won)
	}
}

func TestARedemptionThatIsRolledBackLeavesTheApproval(t *testing.T) {
	eachRoom(t, func(t *testing.T, r *room) {
		ctx := context.Background()
		id := r.request(t, r.registrar, "a seal")
		if err := r.Approve(ctx, r.approver, id); err != nil {
			t.Fatal(err)
		}
		err := r.db.Write(ctx, func(tx *store.Tx) error {
			if _, err := r.Redeem(ctx, tx, id, KindMakeSeal, []byte("a seal")); err != nil {
				return err
			}
			return context.DeadlineExceeded
		})
		if err != context.DeadlineExceeded {
			t.Fatal(err)
		}
		if _, err := r.redeem(id, KindMakeSeal, "a seal"); err != nil {
			t.Error(err)
		}
	})
}

func TestRequestsAndApprovalsExpireToTheSecond(t *testing.T) {
	eachRoom(t, func(t *testing.T, r *room) {
		ctx := context.Background()
		late := r.request(t, r.registrar, "late")
		intime := r.request(t, r.registrar, "in time")
		r.pass(Term - time.Second)
		if err := r.Approve(ctx, r.approver, intime); err != nil {
			t.Error(err)
		}
		if open, err := r.Open(ctx, 10); err != nil || len(open) != 1 || open[0].ID != late {
			t.Errorf("open requests %v, %v", open, err)
		}
		r.pass(time.Second)
		wantCode(t, r.Approve(ctx, r.approver, late), ErrExpired)
		if open, err := r.Open(ctx, 10); err != nil || len(open) != 0 {
			t.Errorf("open requests %v, %v", open, err)
		}
		r.pass(Term - time.Second)
		_, err := r.redeem(intime, KindMakeSeal, "in time")
		wantCode(t, err, ErrExpired)
		r.pass(-time.Second)
		if _, err := r.redeem(intime, KindMakeSeal, "in time"); err != nil {
			t.Error(err)
		}
	})
}

func TestARejectionEndsARequest(t *testing.T) {
	eachRoom(t, func(t *testing.T, r *room) {
		ctx := context.Background()
		id := r.request(t, r.registrar, "a seal")
		if err := r.Reject(ctx, r.approver, id, "印模不清"); err != nil {
			t.Fatal(err)
		}
		wantCode(t, r.Approve(ctx, r.both, id), ErrDecided)
		_, err := r.redeem(id, KindMakeSeal, "a seal")
		wantCode(t, err, ErrNotApproved)
		p, err := r.Pending(ctx, id)
		if err != nil || p.State != "rejected" || p.Reason != "印模不清" || string(p.Subject) != "a seal" {
			t.Errorf("%+v, %v", p, err)
		}
		_, err = r.Pending(ctx, "req_none")
		wantCode(t, err, ErrRequestNotFound)
	})
}

func TestInputOutOfBoundsIsRefused(t *testing.T) {
	eachRoom(t, func(t *testing.T, r *room) {
		ctx := context.Background()
		for name, subject := range map[string][]byte{"empty": nil, "too large": make([]byte, MaxSubject+1)} {
			if _, err := r.Request(ctx, r.registrar, KindMakeSeal, subject); !fault.Has(err, ErrSubject) {
				t.Errorf("%s subject: %v", name, err)
			}
		}
		_, err := r.Request(ctx, r.registrar, "", []byte("x"))
		wantCode(t, err, ErrSubject)
		for _, a := range []Actor{{ID: "A", Name: "x"}, {Name: ""}, {Name: "a\nb"}, {Name: "x", Roles: []Role{"king"}},
			{Name: strings.Repeat("长", maxText+1)}, {Name: "x", Organisation: "\xff"}} {
			if _, err := r.CreateActor(ctx, a); !fault.Has(err, ErrActor) {
				t.Errorf("%+v: %v", a, err)
			}
		}
		_, err = r.CreateActor(ctx, Actor{ID: "both", Name: "again"})
		wantCode(t, err, ErrActorExists)
		wantCode(t, r.Reject(ctx, r.approver, "req_none", "a\x00"), ErrSubject)
	})
}

func TestAfterTheFoundingRolesTakeTwoPeople(t *testing.T) {
	eachRoom(t, func(t *testing.T, r *room) {
		ctx := context.Background()
		for range 2 {
			if err := r.CloseFounding(ctx); err != nil {
				t.Fatal(err)
			}
		}
		_, err := r.CreateActor(ctx, Actor{ID: "late", Name: "late", Roles: []Role{RoleApprover}})
		wantCode(t, err, ErrFoundingClosed)
		if _, err := r.CreateActor(ctx, Actor{ID: "late", Name: "late"}); err != nil {
			t.Fatal(err)
		}
		subject := GrantSubject("late", RoleApprover)
		id, err := r.Request(ctx, r.registrar, KindGrantRole, subject)
		if err != nil {
			t.Fatal(err)
		}
		wantCode(t, r.GrantRole(ctx, id, "late", RoleApprover), ErrNotApproved)
		if err := r.Approve(ctx, r.approver, id); err != nil {
			t.Fatal(err)
		}
		wantCode(t, r.GrantRole(ctx, id, "late", RoleAuditor), ErrOtherSubject)
		if err := r.GrantRole(ctx, id, "late", RoleApprover); err != nil {
			t.Fatal(err)
		}
		a, err := r.Actor(ctx, "late")
		if err != nil || !a.Has(RoleApprover) || len(a.Roles) != 1 {
			t.Errorf("%+v, %v", a, err)
		}
		wantCode(t, r.GrantRole(ctx, id, "late", RoleApprover), ErrUsed)
	})
}

func TestAnAPIKeyOpensOnlyAsItWasGivenOut(t *testing.T) {
	eachRoom(t, func(t *testing.T, r *room) {
		ctx := context.Background()
		secret, err := r.CreateKey(ctx, "registrar", "平台")
		if err != nil {
			t.Fatal(err)
		}
		other, err := r.CreateKey(ctx, "approver", "")
		if err != nil {
			t.Fatal(err)
		}
		if len(secret) != len("yx_")+16+1+43 {
			t.Errorf("a secret of %d characters", len(secret))
		}
		a, err := r.Authenticate(ctx, secret)
		if err != nil || a.ID != "registrar" || !a.Has(RoleRegistrar) {
			t.Errorf("%+v, %v", a, err)
		}
		last := "A"
		if strings.HasSuffix(secret, "A") {
			last = "B"
		}
		cut := len("yx_") + 16
		for name, bad := range map[string]string{
			"empty": "", "without prefix": secret[3:], "last character changed": secret[:len(secret)-1] + last, "cut off": secret[:len(secret)-1],
			"upper case": strings.ToUpper(secret), "with a blank": secret + " ", "enormous": strings.Repeat("yx_", 1<<16),
			"another key's identifier": other[:cut] + secret[cut:], "unknown": "yx_aaaaaaaaaaaaaaaa_" + strings.Repeat("A", 43),
		} {
			if _, err := r.Authenticate(ctx, bad); !fault.Has(err, ErrUnknownKey) {
				t.Errorf("%s: %v", name, err)
			}
		}
		keys, err := r.Keys(ctx, "registrar")
		if err != nil || len(keys) != 1 || keys[0].Label != "平台" || keys[0].Revoked {
			t.Fatalf("%+v, %v", keys, err)
		}
		for range 2 {
			if err := r.RevokeKey(ctx, keys[0].Actor, keys[0].ID); err != nil {
				t.Fatal(err)
			}
		}
		_, err = r.Authenticate(ctx, secret)
		wantCode(t, err, ErrUnknownKey)
		wantCode(t, r.RevokeKey(ctx, "", "none"), ErrKeyNotFound)
		_, err = r.CreateKey(ctx, "nobody", "")
		wantCode(t, err, ErrActorNotFound)
		var leaked int
		err = r.db.Read().QueryRowContext(ctx, `SELECT COUNT(*) FROM ledger_event WHERE entry LIKE $1`, "%"+secret[20:]+"%").Scan(&leaked)
		if err != nil || leaked != 0 {
			t.Errorf("the secret stands in %d ledger entries, %v", leaked, err)
		}
	})
}
