package access

import (
	"context"
	"io/fs"
	"testing"
	"testing/fstest"

	"yinxin/internal/store"
	"yinxin/internal/store/storetest"
)

func TestRolesOfBeforeRegistrationStay(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		before := fstest.MapFS{}
		for _, name := range []string{"00001_access.sql", "00002_plan.sql"} {
			text, err := fs.ReadFile(migrations, "migrations/"+name)
			if err != nil {
				t.Fatal(err)
			}
			before[name] = &fstest.MapFile{Data: text}
		}
		if err := db.Migrate(ctx, "access", before); err != nil {
			t.Fatal(err)
		}
		write := func(query string, args ...any) error {
			return db.Write(ctx, func(tx *store.Tx) error {
				_, err := tx.ExecContext(ctx, query, args...)
				return err
			})
		}
		role := `INSERT INTO access_role (actor, role, granted, founding) VALUES ('a', $1, '2026', 1)`
		if err := write(`INSERT INTO access_actor (id, name, organisation, created) VALUES ('a', 'a', '', '2026')`); err != nil {
			t.Fatal(err)
		}
		if err := write(role, "registrar"); err != nil {
			t.Fatal(err)
		}
		if err := write(role, "city"); !store.IsCheck(err) {
			t.Fatalf("before: %v", err)
		}
		if err := Migrate(ctx, db); err != nil {
			t.Fatal(err)
		}
		for _, r := range []Role{RoleCity, RoleApplicant} {
			if err := write(role, string(r)); err != nil {
				t.Errorf("%s: %v", r, err)
			}
		}
		if err := write(role, "king"); !store.IsCheck(err) {
			t.Errorf("king: %v", err)
		}
		if err := write(`INSERT INTO access_role (actor, role, granted, founding) VALUES ('a', 'auditor', '2026', 0)`); !store.IsCheck(err) {
			t.Errorf("a role without approval: %v", err)
		}
		a, err := New(db, nil, nil).Actor(ctx, "a")
		if err != nil || !a.Has(RoleRegistrar) || len(a.Roles) != 3 {
			t.Errorf("%+v, %v", a, err)
		}
	})
}

func TestRolesOfBeforeRequestersStay(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		before := fstest.MapFS{}
		for _, name := range []string{"00001_access.sql", "00002_plan.sql", "00003_registration.sql", "00004_approvals.sql"} {
			text, err := fs.ReadFile(migrations, "migrations/"+name)
			if err != nil {
				t.Fatal(err)
			}
			before[name] = &fstest.MapFile{Data: text}
		}
		if err := db.Migrate(ctx, "access", before); err != nil {
			t.Fatal(err)
		}
		write := func(query string, args ...any) error {
			return db.Write(ctx, func(tx *store.Tx) error {
				_, err := tx.ExecContext(ctx, query, args...)
				return err
			})
		}
		role := `INSERT INTO access_role (actor, role, granted, founding) VALUES ('a', $1, '2026', 1)`
		// One role that stands on an approval as well, so that the reference is seen to survive.
		for _, query := range []string{`INSERT INTO access_actor (id, name, organisation, created) VALUES ('a', 'a', '', '2026'), ('b', 'b', '', '2026')`,
			`INSERT INTO access_request (id, kind, subject, digest, requester, state, created, expires, decider, decided, reason) VALUES ('r', 'role.grant', '', 'd', 'a', 'approved', '2026', '2027', 'b', '2026', '')`,
			`INSERT INTO access_approval (id, kind, digest, requester, approver, request_state, approved, expires, used, used_at) VALUES ('r', 'role.grant', 'd', 'a', 'b', 'approved', '2026', '2027', 1, '2026')`,
			`INSERT INTO access_role (actor, role, granted, founding, approval, approval_kind, approval_used) VALUES ('b', 'city', '2026', 0, 'r', 'role.grant', 1)`} {
			if err := write(query); err != nil {
				t.Fatal(err)
			}
		}
		if err := write(role, "registrar"); err != nil {
			t.Fatal(err)
		}
		if err := write(role, "requester"); !store.IsCheck(err) {
			t.Fatalf("before: %v", err)
		}
		if err := Migrate(ctx, db); err != nil {
			t.Fatal(err)
		}
		if err := write(role, "requester"); err != nil {
			t.Error(err)
		}
		if err := write(role, "king"); !store.IsCheck(err) {
			t.Errorf("king: %v", err)
		}
		s := New(db, nil, nil)
		a, err := s.Actor(ctx, "a")
		if err != nil || !a.Has(RoleRegistrar) || !a.Has(RoleRequester) || len(a.Roles) != 2 {
			t.Errorf("%+v, %v", a, err)
		}
		b, err := s.Actor(ctx, "b")
		if err != nil || !b.Has(RoleCity) || len(b.Roles) != 1 {
			t.Errorf("%+v, %v", b, err)
		}
		if err := write(`UPDATE access_approval SET used = 0, used_at = NULL WHERE id = 'r'`); err == nil {
			t.Error("the approval of a role was unused")
		}
	})
}
