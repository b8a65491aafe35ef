package business_test

import (
	"bytes"
	"fmt"
	"testing"

	"yinxin/ca/enroll"
	"yinxin/ca/enroll/business"
	"yinxin/ca/enroll/form"
	"yinxin/internal/access"
	"yinxin/internal/fault"
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

// administrator is who changes the key; the same one each time.
func (w *world) administrator() access.Actor {
	w.t.Helper()
	a, err := w.access.Actor(w.t.Context(), "administrator")
	if err != nil {
		a, err = w.access.CreateActor(w.t.Context(), access.Actor{ID: "administrator", Name: "管理员", Roles: []access.Role{access.RoleAdministrator}})
	}
	w.must(err)
	return a
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

		administrator := w.administrator()
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

// The parts of a scan that were kept with a template, of two versions and of two applications.
func TestARotationTakesTheEvidenceOfTemplatesAlong(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		kept := map[string][]byte{}
		with := func(a enroll.Application, text string) {
			t.Helper()
			kept[a.ID] = bytes.Repeat([]byte(text), 20000)
			_, err := w.SetTemplate(ctx, w.registrar, a.ID, a.Version, business.Template{Width: 42, Height: 42, Template: picture(t, 20), Picture: picture(t, 10),
				Verdict: "pass", Measures: "{}", Evidence: kept[a.ID]})
			w.must(err)
		}
		a, b := w.submitted(w.filled(form.New)), w.submitted(w.filled(form.New))
		with(a, "张三在框边签字 ")
		with(b, "李四在框边签字 ")
		opens := func() {
			t.Helper()
			for _, one := range []enroll.Application{a, b} {
				if got, err := w.EvidenceOf(ctx, one.ID, one.Version); err != nil || !bytes.Equal(got, kept[one.ID]) {
					t.Errorf("%d bytes, %v", len(got), err)
				}
			}
		}
		opens()
		ring, old := w.keys.Ring(keystore.PurposePersonalData), w.sealedUnder(1)
		w.must(w.enroll.Rotate(ctx, w.administrator(), ring))
		r, err := w.enroll.Rotation(ctx)
		w.must(err)
		if evidence := w.count(`SELECT COUNT(*) FROM business_evidence`); evidence != 2 || r.Stale != old-evidence { // two columns each say under which version
			t.Errorf("%d are to be sealed anew, %d columns are under the old version", r.Stale, old)
		}
		opens() // the old version has not ended
		for n := 1; n > 0; {
			n, err = w.enroll.Reseal(ctx, 1)
			w.must(err)
		}
		if left := w.sealedUnder(1); left != 0 || w.sealedUnder(2) != old {
			t.Errorf("%d are still under the old version, %d of %d under the new one", left, w.sealedUnder(2), old)
		}
		w.pass(enroll.RotationRest)
		w.must(w.enroll.EndRotation(ctx, w.administrator(), ring))
		opens()
		r, err = w.enroll.Rotation(ctx)
		w.must(err)
		if r.Stale != 0 || len(r.Older) != 0 || r.All != old-2 {
			t.Errorf("at the end %+v", r)
		}
	})
}

// Evidence of one application does not open in the place of another's, and the rotation names the piece.
func TestEvidenceInAnotherPlaceIsNotSealedAnew(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		a, b := w.submitted(w.filled(form.New)), w.submitted(w.filled(form.New))
		for _, one := range []enroll.Application{a, b} {
			_, err := w.SetTemplate(ctx, w.registrar, one.ID, one.Version, business.Template{Width: 42, Height: 42, Template: picture(t, 20), Picture: picture(t, 10),
				Verdict: "pass", Measures: "{}", Evidence: []byte(one.ID)})
			w.must(err)
		}
		w.must(w.db.Write(ctx, func(tx *store.Tx) error {
			_, err := tx.ExecContext(ctx, `UPDATE business_evidence SET sealed = (SELECT o.sealed FROM business_evidence o WHERE o.application = $1) WHERE application = $2`, a.ID, b.ID)
			return err
		}))
		ring := w.keys.Ring(keystore.PurposePersonalData)
		w.must(w.enroll.Rotate(ctx, w.administrator(), ring))
		_, err := w.enroll.Reseal(ctx, 100)
		if f, ok := fault.Of(err); !ok || f.Code != keystore.ErrSafeSealed.Code || f.Place.Field != fmt.Sprintf("business_evidence %s %d", b.ID, b.Version) {
			t.Errorf("%+v", err)
		}
		w.pass(enroll.RotationRest)
		w.want(w.enroll.EndRotation(ctx, w.administrator(), ring), enroll.ErrRotationStale)
	})
}
