package login

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/ledger"
	"yinxin/internal/store"
	"yinxin/internal/store/storetest"
)

const right, wrong = "right-horse-battery", "wrong-horse-battery"

// room is a Service on fresh tables with a clock that the test moves, an administrator, and a clerk with a password.
type room struct {
	*Service
	t     *testing.T
	lock  sync.Mutex
	now   time.Time
	admin access.Actor
}

func (r *room) pass(d time.Duration) {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.now = r.now.Add(d)
}

func each(t *testing.T, fn func(t *testing.T, r *room)) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		r := &room{t: t, now: time.Date(2026, 3, 5, 8, 0, 0, 0, time.UTC)}
		clock := func() time.Time {
			r.lock.Lock()
			defer r.lock.Unlock()
			return r.now
		}
		storetest.Migrate(t, db, ledger.Migrate, access.Migrate, Migrate)
		l := ledger.New(db, nil, clock)
		people := access.New(db, l, clock)
		r.Service = New(Config{DB: db, Ledger: l, Access: people, Clock: clock})
		for _, a := range []access.Actor{{ID: "admin", Roles: []access.Role{access.RoleAdministrator}}, {ID: "clerk", Roles: []access.Role{access.RoleOperator}}, {ID: "other"}} {
			a.Name = a.ID
			made, err := people.CreateActor(ctx, a)
			must(t, err)
			if a.ID == "admin" {
				r.admin = made
			}
		}
		must(t, r.FoundingPassword(ctx, "clerk", right))
		fn(t, r)
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (r *room) try(name, password string) (Session, string, error) {
	return r.ByPassword(context.Background(), name, password, Origin{Address: "192.0.2.1", Agent: "test"})
}

func (r *room) in() (Session, string) {
	r.t.Helper()
	in, token, err := r.try("clerk", right)
	must(r.t, err)
	return in, token
}

func (r *room) wants(err error, spec fault.Spec) {
	r.t.Helper()
	if !fault.Has(err, spec) {
		r.t.Errorf("error %v, want %s", err, spec.Code)
	}
}

// officers are two who agree to what takes two.
func (r *room) officers() (two [2]access.Actor) {
	r.t.Helper()
	for i, role := range []access.Role{access.RoleRegistrar, access.RoleApprover} {
		made, err := r.Access.CreateActor(r.t.Context(), access.Actor{ID: string(role), Name: string(role), Roles: []access.Role{role}})
		must(r.t, err)
		two[i] = made
	}
	return two
}

// promote makes somebody an approver.
func (r *room) promote(officers [2]access.Actor, who string) {
	r.t.Helper()
	ctx := r.t.Context()
	request, err := r.Access.Request(ctx, officers[0], access.KindGrantRole, access.GrantSubject(who, access.RoleApprover))
	must(r.t, err)
	must(r.t, r.Access.Approve(ctx, officers[1], request))
	must(r.t, r.Access.GrantRole(ctx, request, who, access.RoleApprover))
}

// stands checks whether a token opens.
func (r *room) stands(token string, want bool) {
	r.t.Helper()
	_, err := r.Session(context.Background(), token)
	if want {
		must(r.t, err)
	} else {
		r.wants(err, ErrNoSession)
	}
}

func (r *room) count(query string, args ...any) (n int) {
	r.t.Helper()
	must(r.t, r.DB.Read().QueryRowContext(context.Background(), query, args...).Scan(&n))
	return n
}

func TestOfManyGuessesAtOnceNoMoreThanAFewAreCompared(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		const guesses = 12
		errs := make([]error, guesses)
		var all sync.WaitGroup
		for i := range guesses {
			all.Go(func() { _, _, errs[i] = r.try("clerk", wrong) })
		}
		all.Wait()
		refused := 0
		for _, err := range errs {
			if fault.Has(err, ErrRefused) {
				refused++
			} else {
				r.wants(err, ErrLocked)
			}
		}
		if refused != maxFailures {
			t.Errorf("%d guesses were compared, want %d", refused, maxFailures)
		}
		// The right password does not open it until the time is over, to the second.
		_, _, err := r.try("clerk", right)
		r.wants(err, ErrLocked)
		r.pass(lockTime - time.Second)
		_, _, err = r.try("clerk", right)
		r.wants(err, ErrLocked)
		r.pass(time.Second)
		r.in()
		if n := r.count(`SELECT COUNT(*) FROM ledger_event WHERE kind = 'login.locked'`); n != 1 {
			t.Errorf("%d lock-outs on record", n)
		}
		if n := r.count(`SELECT COUNT(*) FROM ledger_event WHERE kind = 'login.refused'`); n != maxFailures-1 {
			t.Errorf("%d refusals on record", n)
		}
	})
}

func TestARightPasswordBeginsTheCountAnew(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		for range 2 {
			for range maxFailures - 1 {
				_, _, err := r.try("clerk", wrong)
				r.wants(err, ErrRefused)
			}
			r.in() // the last that may be wrong is right
		}
	})
}

func TestNamesThatAreNobodysAnswerAsOthersDo(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		must(t, r.Access.RetireActor(t.Context(), r.admin, "other"))
		for range maxFailures {
			for _, name := range []string{"clerk", "no-such-person", "other"} {
				_, _, err := r.try(name, wrong)
				r.wants(err, ErrRefused)
			}
		}
		var said []string
		for _, name := range []string{"clerk", "no-such-person", "other"} {
			_, _, err := r.try(name, wrong)
			r.wants(err, ErrLocked)
			said = append(said, err.Error())
		}
		if said[0] != said[1] || said[0] != said[2] {
			t.Errorf("the answers differ: %q", said)
		}
		if n := r.count(`SELECT COUNT(*) FROM ledger_event WHERE entry LIKE '%no-such-person%'`); n != 0 {
			t.Error("what somebody typed is in the ledger")
		}
		r.pass(lockTime)
		_, _, err := r.try("no-such-person", wrong)
		r.wants(err, ErrRefused)
	})
}

func TestNamesOfStrangersTakeBoundedMemory(t *testing.T) {
	var s strangers
	for i := range 3 * maxStrangers {
		s.attempt(strings.Repeat("x", i%64)+string(rune('a'+i%26))+time.Unix(int64(i), 0).String(), time.Unix(0, 0))
		if len(s.known) > maxStrangers {
			t.Fatalf("%d names", len(s.known))
		}
	}
}

func TestSessionsEnd(t *testing.T) {
	ctx := context.Background()
	for name, end := range map[string]func(t *testing.T, r *room, in Session){
		"when they rest": func(t *testing.T, r *room, _ Session) { r.pass(idleTime + time.Second) },
		"when they are left": func(t *testing.T, r *room, in Session) {
			must(t, r.End(ctx, in))
		},
		"when the actor retires": func(t *testing.T, r *room, _ Session) { must(t, r.Access.RetireActor(ctx, r.admin, "clerk")) },
		"when an administrator sets another password": func(t *testing.T, r *room, _ Session) {
			must(t, r.SetPassword(ctx, r.admin, "clerk", "another-horse-battery"))
		},
		"when an administrator ends them": func(t *testing.T, r *room, in Session) {
			must(t, r.EndSession(ctx, r.admin, "clerk", in.ID()))
			r.wants(r.EndSession(ctx, r.admin, "clerk", in.ID()), ErrSessionNotFound)
		},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, r *room) {
				in, token := r.in()
				r.stands(token, true)
				end(t, r, in)
				r.stands(token, false)
			})
		})
	}
}

func TestASessionThatIsUsedEndsWithItsLifeTime(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		_, token := r.in()
		for range int(lifeTime / idleTime) {
			r.pass(idleTime)
			r.stands(token, true)
		}
		r.pass(time.Second)
		r.stands(token, false)
	})
}

func TestChangingOnesPasswordEndsTheOtherSessions(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		ctx := t.Context()
		_, elsewhere := r.in()
		in, here := r.in()
		r.wants(r.ChangePassword(ctx, in, wrong, "another-horse-battery", Origin{}), ErrRefused)
		r.stands(elsewhere, true)
		must(t, r.ChangePassword(ctx, in, right, "another-horse-battery", Origin{}))
		r.stands(elsewhere, false)
		r.stands(here, true)
		_, _, err := r.try("clerk", right)
		r.wants(err, ErrRefused)
	})
}

func TestTheTokenIsNewAndNowhere(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		_, first := r.in()
		in, second := r.in()
		if first == second || len(first) < 50 {
			t.Errorf("tokens %q and %q", first, second)
		}
		// What a browser had before is never made a session of.
		r.stands(strings.Repeat("a", len(first)), false)
		r.stands(in.ID(), false)
		for _, query := range []string{`SELECT COUNT(*) FROM login_session WHERE id = $1 OR agent = $1 OR address = $1`, `SELECT COUNT(*) FROM ledger_event WHERE entry LIKE '%' || $1 || '%'`} {
			if n := r.count(query, second); n != 0 {
				t.Errorf("the token is kept: %s", query)
			}
		}
		if n := r.count(`SELECT COUNT(*) FROM login_account WHERE hash LIKE '%' || $1 || '%'`, right); n != 0 {
			t.Error("the password is kept")
		}
	})
}

func TestPeopleSeeAndEndTheirOwnSessionsAlone(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		ctx := t.Context()
		in, token := r.in()
		list, err := r.Sessions(ctx, in.Actor, "clerk")
		if err != nil || len(list) != 1 || list[0].ID != in.ID() || list[0].Origin.Address != "192.0.2.1" || list[0].Method != "password" {
			t.Fatalf("%+v, %v", list, err)
		}
		if list, err := r.Sessions(ctx, r.admin, "clerk"); err != nil || len(list) != 1 {
			t.Errorf("%+v, %v", list, err)
		}
		other := access.Actor{ID: "other"}
		_, err = r.Sessions(ctx, other, "clerk")
		r.wants(err, access.ErrRole)
		r.wants(r.EndSession(ctx, other, "clerk", in.ID()), access.ErrRole)
		r.wants(r.EndSession(ctx, other, "other", in.ID()), ErrSessionNotFound)
		r.stands(token, true)
		must(t, r.EndSession(ctx, in.Actor, "clerk", in.ID()))
		r.stands(token, false)
	})
}

func TestAllOtherSessionsEndAtOnce(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		ctx := t.Context()
		_, first := r.in()
		_, second := r.in()
		in, here := r.in()
		if n, err := r.EndOthers(ctx, in); err != nil || n != 2 {
			t.Errorf("%d ended, %v", n, err)
		}
		r.stands(first, false)
		r.stands(second, false)
		r.stands(here, true)
		if n, err := r.EndOthers(ctx, in); err != nil || n != 0 {
			t.Errorf("%d ended, %v", n, err)
		}
		if n := r.count(`SELECT COUNT(*) FROM ledger_event WHERE kind = 'login.ended' AND subject = 'clerk'`); n != 1 {
			t.Errorf("%d entries", n)
		}
	})
}

func TestTheHistoryHasLoginsAndRefusalsTheNewestFirst(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		ctx := t.Context()
		in, _ := r.in()
		r.pass(time.Hour)
		for range maxFailures {
			_, _, err := r.ByPassword(ctx, "clerk", wrong, Origin{Address: "192.0.2.9"})
			r.wants(err, ErrRefused)
		}
		r.pass(lockTime)
		r.in()
		list, err := r.History(ctx, in.Actor, "clerk", Span{Limit: 10})
		must(t, err)
		if len(list) != 7 || list[0].Refusal != "" || list[1].Refusal != "locked" || list[2].Refusal != "refused" || list[6].Refusal != "" ||
			list[1].Address != "192.0.2.9" || list[0].Address != "192.0.2.1" || list[0].Method != MethodPassword || !list[0].At.Equal(r.now) {
			t.Fatalf("%+v", list)
		}
		if rest, err := r.History(ctx, in.Actor, "clerk", Span{Before: list[5].ID, Limit: 10}); err != nil || len(rest) != 1 || rest[0].ID != list[6].ID {
			t.Errorf("%+v, %v", rest, err)
		}
		if some, err := r.History(ctx, r.admin, "clerk", Span{From: list[5].At, Until: list[0].At, Limit: 10}); err != nil || len(some) != 5 {
			t.Errorf("%+v, %v", some, err)
		}
		_, err = r.History(ctx, access.Actor{ID: "other"}, "clerk", Span{Limit: 10})
		r.wants(err, access.ErrRole)
	})
}

func TestAnAdministratorOpensAClosedAccount(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		ctx := t.Context()
		for range maxFailures {
			_, _, err := r.try("clerk", wrong)
			r.wants(err, ErrRefused)
		}
		if locked, err := r.Locked(ctx); err != nil || len(locked) != 1 || locked[0] != "clerk" {
			t.Errorf("%v, %v", locked, err)
		}
		a, err := r.Account(ctx, "clerk")
		if err != nil || !a.Password || a.MustChange || !a.LockedUntil.Equal(r.now.Add(lockTime)) {
			t.Errorf("%+v, %v", a, err)
		}
		r.wants(r.Unlock(ctx, access.Actor{ID: "clerk"}, "clerk"), access.ErrRole)
		must(t, r.Unlock(ctx, r.admin, "clerk"))
		r.in()
		if a, err := r.Account(ctx, "other"); err != nil || a.Password {
			t.Errorf("%+v, %v", a, err)
		}
	})
}

// Whoever set a password from afar cannot speak for somebody who decides as one of two, even where it was changed since.
func TestAPasswordFromAfarNeverSpeaksForAnOfficer(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		ctx := t.Context()
		officers := r.officers()
		r.wants(r.ResetPassword(ctx, r.admin, "registrar", right), ErrOfficer)

		must(t, r.ResetPassword(ctx, r.admin, "other", right))
		in, _, err := r.try("other", right)
		must(t, err)
		must(t, r.ChangePassword(ctx, in, right, wrong, Origin{}))
		_, token, err := r.try("other", wrong)
		must(t, err)
		r.stands(token, true)
		r.promote(officers, "other")
		r.stands(token, false)
		_, _, err = r.try("other", wrong)
		r.wants(err, ErrOfficer)
		if n := r.count(`SELECT COUNT(*) FROM ledger_event WHERE kind = 'login.refused' AND subject = 'other'`); n != 1 {
			t.Errorf("%d entries", n)
		}
		_, _, err = r.try("other", right)
		r.wants(err, ErrRefused) // nothing is told to whoever does not know the password

		must(t, r.SetPassword(ctx, r.admin, "other", right))
		in, token, err = r.try("other", right)
		must(t, err)
		must(t, r.ChangePassword(ctx, in, right, wrong, Origin{}))
		r.stands(token, true)
	})
}
