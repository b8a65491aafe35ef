package business_test

import (
	"bytes"
	"testing"

	"yinxin/ca/enroll"
	"yinxin/ca/enroll/form"
	"yinxin/internal/access"
	"yinxin/internal/store"
	"yinxin/keystore"
)

func (w *world) tables() []string {
	w.t.Helper()
	query := `SELECT name FROM sqlite_master WHERE type = 'table'`
	if w.db.Dialect() == "postgres" {
		query = `SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()`
	}
	names, err := store.Column[string](w.db.Read().QueryContext(w.t.Context(), query))
	w.must(err)
	return names
}

// sealedUnder counts, over all tables, what stands under a version of the safe, whatever room it is of.
func (w *world) sealedUnder(version byte) (n int) {
	w.t.Helper()
	for _, table := range w.tables() {
		rows, err := w.db.Read().QueryContext(w.t.Context(), `SELECT * FROM `+table)
		w.must(err)
		columns, err := rows.Columns()
		w.must(err)
		for rows.Next() {
			values, into := make([]any, len(columns)), make([]any, len(columns))
			for i := range values {
				into[i] = &values[i]
			}
			w.must(rows.Scan(into...))
			for _, v := range values {
				if b, ok := v.([]byte); ok && bytes.HasPrefix(b, []byte{1, 0, 0, 0, version}) {
					n++
				}
			}
		}
		w.must(rows.Err())
		w.must(rows.Close())
	}
	return n
}

func TestARotationTakesTheSOPINsAlong(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		user, _, _ := w.distributed()
		first, err := w.RegisterToken(ctx, w.registrar, "YX00000000000001", user.ID)
		w.must(err)
		other, err := w.RegisterToken(ctx, w.registrar, "YX00000000000002", user.ID)
		w.must(err)
		f := w.about(form.KeyUnlock)
		f.Methods, f.Key, f.Personal.KeyHolderIdentity = []form.Method{form.Distributed}, form.Key{Holder: userPerson.Name, Serial: "YX00000000000001"}, userPerson.IdentityNumber
		released, err := w.ReleaseSOPIN(ctx, w.registrar, w.approved(f).ID)
		w.must(err)

		administrator, err := w.access.CreateActor(ctx, access.Actor{ID: "administrator", Name: "管理员", Roles: []access.Role{access.RoleAdministrator}})
		w.must(err)
		ring := w.keys.Ring(keystore.PurposePersonalData)
		old := w.sealedUnder(1)
		w.must(w.enroll.Rotate(ctx, administrator, ring))
		r, err := w.enroll.Rotation(ctx)
		w.must(err)
		if r.Stale != old || old < 3 {
			t.Errorf("%d are to be sealed anew, %d are in the tables", r.Stale, old)
		}
		for n := 1; n > 0; {
			n, err = w.enroll.Reseal(ctx, 2)
			w.must(err)
		}
		if left := w.sealedUnder(1); left != 0 || w.sealedUnder(2) != old {
			t.Errorf("%d are still under the old version, %d of %d under the new one", left, w.sealedUnder(2), old)
		}
		w.pass(enroll.RotationRest)
		w.must(w.enroll.EndRotation(ctx, administrator, ring))

		w.must(w.ConfirmSOPIN(ctx, w.registrar, "YX00000000000001"))
		again, err := w.ReleaseSOPIN(ctx, w.registrar, w.approved(f).ID)
		w.must(err)
		if again.Now != released.Next || released.Now != first.Now {
			t.Error("an SO PIN was lost")
		}
		f.Key.Serial = "YX00000000000002"
		w.must(w.ConfirmSOPIN(ctx, w.registrar, "YX00000000000001"))
		second, err := w.ReleaseSOPIN(ctx, w.registrar, w.approved(f).ID)
		w.must(err)
		if second.Now != other.Now {
			t.Error("the SO PIN of the other Key was lost")
		}
	})
}
