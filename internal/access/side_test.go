package access

import (
	"context"
	"testing"
	"time"

	"yinxin/internal/ledger"
	"yinxin/internal/store"
	"yinxin/internal/store/storetest"
)

func TestNobodyHoldsRolesOfTwoSides(t *testing.T) {
	eachRoom(t, func(t *testing.T, r *room) {
		ctx := context.Background()
		for _, roles := range [][]Role{{RoleAdministrator, RoleAuditor}, {RoleAdministrator, RoleOperator}, {RoleAuditor, RoleRegistrar}} {
			_, err := r.CreateActor(ctx, Actor{ID: "mixed", Name: "mixed", Roles: roles})
			wantCode(t, err, ErrSeparated)
		}
		if _, err := r.CreateActor(ctx, Actor{ID: "admin", Name: "admin", Roles: []Role{RoleAdministrator}}); err != nil {
			t.Fatal(err)
		}
		if _, err := r.CreateActor(ctx, Actor{ID: "late", Name: "late"}); err != nil {
			t.Fatal(err)
		}
		ask := func(actor string, role Role) (string, error) {
			return r.Request(ctx, r.registrar, KindGrantRole, GrantSubject(actor, role))
		}
		_, err := ask("admin", RoleAuditor)
		wantCode(t, err, ErrSeparated)
		// Two requests may stand side by side; the first that is carried out decides.
		ids := map[Role]string{}
		for _, role := range []Role{RoleAuditor, RoleOperator, RoleCity} {
			id, err := ask("late", role)
			if err != nil {
				t.Fatal(err)
			}
			if err := r.Approve(ctx, r.approver, id); err != nil {
				t.Fatal(err)
			}
			ids[role] = id
		}
		if err := r.GrantRole(ctx, ids[RoleOperator], "late", RoleOperator); err != nil {
			t.Fatal(err)
		}
		wantCode(t, r.GrantRole(ctx, ids[RoleAuditor], "late", RoleAuditor), ErrSeparated)
		if err := r.GrantRole(ctx, ids[RoleCity], "late", RoleCity); err != nil {
			t.Fatal(err)
		}
		// Whoever has no role left may stand elsewhere.
		for _, role := range []Role{RoleCity, RoleOperator} {
			wantSide(t, r, "late", "use", 1)
			if err := r.WithdrawRole(ctx, Actor{ID: "admin"}, "late", role); err != nil {
				t.Fatal(err)
			}
		}
		if err := r.GrantRole(ctx, ids[RoleAuditor], "late", RoleAuditor); err != nil {
			t.Error(err)
		}
		wantSide(t, r, "late", "audit", 1)
		if err := writer(r.db)(`INSERT INTO access_role (actor, role, granted, founding, side) VALUES ('late', 'administrator', '2026', 1, 'management')`); !store.IsForeignKey(err) {
			t.Errorf("past this package: %v", err)
		}
		if err := writer(r.db)(`INSERT INTO access_role (actor, role, granted, founding, side) VALUES ('late', 'administrator', '2026', 1, 'audit')`); !store.IsCheck(err) {
			t.Errorf("with a false side: %v", err)
		}
		if err := writer(r.db)(`INSERT INTO access_role (actor, role, granted, founding) VALUES ('late', 'administrator', '2026', 1)`); !store.IsCheck(err) {
			t.Errorf("without a side: %v", err)
		}
	})
}

func wantSide(t *testing.T, r *room, actor, side string, want int) {
	t.Helper()
	var n int
	err := r.db.Read().QueryRowContext(context.Background(), `SELECT COUNT(*) FROM access_side WHERE actor = $1 AND side = $2`, actor, side).Scan(&n)
	if err != nil || n != want {
		t.Errorf("%s on %s: %d, %v", actor, side, n, err)
	}
}

func TestOfRolesOfTwoSidesGrantedAtOnceOneIsGiven(t *testing.T) {
	eachRoom(t, func(t *testing.T, r *room) {
		ctx := context.Background()
		if _, err := r.CreateActor(ctx, Actor{ID: "late", Name: "late"}); err != nil {
			t.Fatal(err)
		}
		roles := []Role{RoleAdministrator, RoleAuditor, RoleOperator}
		ids := make([]string, len(roles))
		for i, role := range roles {
			id, err := r.Request(ctx, r.registrar, KindGrantRole, GrantSubject("late", role))
			if err != nil {
				t.Fatal(err)
			}
			if err := r.Approve(ctx, r.approver, id); err != nil {
				t.Fatal(err)
			}
			ids[i] = id
		}
		wantOneWinner(t, race(len(roles), func(i int) error { return r.GrantRole(ctx, ids[i], "late", roles[i]) }), ErrSeparated)
	})
}

func TestWhatWasMixedBeforeIsShownAndCanBeMended(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		storetest.Before(t, db, "access", migrations, "00010")
		write := writer(db)
		for _, query := range []string{`INSERT INTO access_actor (id, name, organisation, created) VALUES ('a', 'a', '', '2026'), ('b', 'b', '', '2026')`,
			`INSERT INTO access_role (actor, role, granted, founding) VALUES ('a', 'administrator', '2026', 1), ('a', 'auditor', '2026', 1), ('b', 'administrator', '2026', 1)`} {
			if err := write(query); err != nil {
				t.Fatal(err)
			}
		}
		if err := Migrate(ctx, db); err != nil {
			t.Fatal(err)
		}
		s := newService(t, db)
		mixed, err := s.Mixed(ctx)
		if err != nil || len(mixed) != 1 || mixed[0].ID != "a" || len(mixed[0].Roles) != 2 {
			t.Fatalf("%+v, %v", mixed, err)
		}
		if err := s.WithdrawRole(ctx, Actor{ID: "b"}, "a", RoleAuditor); err != nil {
			t.Fatal(err)
		}
		if mixed, err := s.Mixed(ctx); err != nil || len(mixed) != 0 {
			t.Errorf("%+v, %v", mixed, err)
		}
		if err := write(`INSERT INTO access_role (actor, role, granted, founding, side) VALUES ('a', 'auditor', '2026', 1, 'audit')`); !store.IsForeignKey(err) {
			t.Errorf("mended: %v", err)
		}
	})
}

func TestAdministratorsAskForRolesGrantsAndAnchorsAlone(t *testing.T) {
	eachRoom(t, func(t *testing.T, r *room) {
		ctx := context.Background()
		admin, err := r.CreateActor(ctx, Actor{ID: "admin", Name: "admin", Roles: []Role{RoleAdministrator}})
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range []Kind{KindGrant, KindGrantRole, KindImportAnchor} {
			id, err := r.Request(ctx, admin, k, GrantSubject("both", RoleOperator))
			if err != nil {
				t.Fatal(err)
			}
			wantCode(t, r.Approve(ctx, admin, id), ErrRole)
		}
		_, err = r.Request(ctx, admin, KindMakeSeal, []byte("x"))
		wantCode(t, err, ErrRole)
		_, err = r.RequestPlan(ctx, admin, KindGrantRole, []byte("x"), []Part{{KindMakeSeal, []byte("x")}})
		wantCode(t, err, ErrRole)
	})
}

// newService is a Service over tables of any age that Migrate brought up to date.
func newService(t *testing.T, db *store.DB) *Service {
	t.Helper()
	if err := ledger.Migrate(context.Background(), db); err != nil {
		t.Fatal(err)
	}
	now := func() time.Time { return time.Date(2026, 3, 5, 8, 0, 0, 0, time.UTC) }
	return New(db, ledger.New(db, nil, now), now)
}
