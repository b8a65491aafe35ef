package access

import (
	"context"
	"testing"

	"yinxin/internal/store"
	"yinxin/internal/store/storetest"
)

// writer gives what writes one statement.
func writer(db *store.DB) func(query string, args ...any) error {
	return func(query string, args ...any) error {
		ctx := context.Background()
		return db.Write(ctx, func(tx *store.Tx) error {
			_, err := tx.ExecContext(ctx, query, args...)
			return err
		})
	}
}

// roleNow gives a role to the actor a as the table is now.
const roleNow = `INSERT INTO access_role (actor, role, granted, founding, side) VALUES ('a', $1, '2026', 1, CASE $1 WHEN 'auditor' THEN 'audit' WHEN 'administrator' THEN 'management' ELSE 'use' END)`

func TestRolesOfBeforeRegistrationStay(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		storetest.Before(t, db, "access", migrations, "00003")
		write := writer(db)
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
		role = roleNow
		for _, r := range []Role{RoleCity, RoleApplicant} {
			if err := write(role, string(r)); err != nil {
				t.Errorf("%s: %v", r, err)
			}
		}
		if err := write(role, "king"); !store.IsCheck(err) {
			t.Errorf("king: %v", err)
		}
		if err := write(`INSERT INTO access_role (actor, role, granted, founding, side) VALUES ('a', 'operator', '2026', 0, 'use')`); !store.IsCheck(err) {
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
		storetest.Before(t, db, "access", migrations, "00005")
		write := writer(db)
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
		role = roleNow
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
		if err := write(`UPDATE access_approval SET used = 0, used_at = NULL WHERE id = 'r'`); !store.IsForeignKey(err) {
			t.Errorf("the approval of a role was unused: %v", err)
		}
		// What the table said before, it says still.
		for _, r := range []Role{RoleApprover, RoleOperator, RolePlatform, RoleApplicant, RoleCity} {
			if err := write(role, string(r)); err != nil {
				t.Errorf("%s: %v", r, err)
			}
		}
		if err := write(role, "registrar"); !store.IsUnique(err) {
			t.Errorf("a role twice: %v", err)
		}
		if err := write(`INSERT INTO access_role (actor, role, granted, founding, side) VALUES ('nobody', 'operator', '2026', 1, 'use')`); !store.IsForeignKey(err) {
			t.Errorf("a role of nobody: %v", err)
		}
		for what, rest := range map[string]string{"without approval": `0, NULL, NULL, NULL`, "of another kind": `0, 'r', 'seal.make', 1`, "not used": `0, 'r', 'role.grant', 0`,
			"founding and approved": `1, 'r', 'role.grant', 1`, "half an approval": `0, 'r', NULL, 1`} {
			if err := write(`INSERT INTO access_role (actor, role, granted, founding, approval, approval_kind, approval_used, side) VALUES ('b', 'operator', '2026', ` + rest + `, 'use')`); !store.IsCheck(err) {
				t.Errorf("a role %s: %v", what, err)
			}
		}
		if err := write(`INSERT INTO access_role (actor, role, granted, founding, approval, approval_kind, approval_used, side) VALUES ('b', 'operator', '2026', 0, 'x', 'role.grant', 1, 'use')`); !store.IsForeignKey(err) {
			t.Errorf("an approval that nobody gave: %v", err)
		}
	})
}
