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
