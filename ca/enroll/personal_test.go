package enroll

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"yinxin/ca/enroll/form"
	"yinxin/internal/access"
	"yinxin/internal/store"
	"yinxin/internal/store/storetest"
)

// tables lists every table of the database.
func tables(t *testing.T, db *store.DB) []string {
	t.Helper()
	query := `SELECT name FROM sqlite_master WHERE type = 'table'`
	if db.Dialect() == "postgres" {
		query = `SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()`
	}
	rows, err := db.Read().QueryContext(context.Background(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	return names
}

// findInTables gives "table.column" of every value that holds one of the secrets.
func findInTables(t *testing.T, db *store.DB, secrets ...string) []string {
	t.Helper()
	var found []string
	read := 0
	for _, table := range tables(t, db) {
		rows, err := db.Read().QueryContext(context.Background(), `SELECT * FROM `+table)
		if err != nil {
			t.Fatal(err)
		}
		columns, _ := rows.Columns()
		for rows.Next() {
			values := make([]sql.RawBytes, len(columns))
			into := make([]any, len(columns))
			for i := range values {
				into[i] = &values[i]
			}
			if err := rows.Scan(into...); err != nil {
				t.Fatal(err)
			}
			for i, v := range values {
				read++
				for _, secret := range secrets {
					if bytes.Contains(v, []byte(secret)) {
						found = append(found, table+"."+columns[i])
					}
				}
			}
		}
		if err := rows.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if read < 500 {
		t.Fatalf("only %d values were read", read)
	}
	return found
}

// life does everything that handles personal data, and gives the texts that came out of it for people and logs.
func (w *world) life() []string {
	ctx, by := context.Background(), w.handler[unitDirect]
	var said []string
	hear := func(v any) { said = append(said, fmt.Sprintf("%v %+v %#v", v, v, v)) }
	f := w.filled(unitDirect)
	f.Methods = []form.Method{form.Central, form.Distributed}
	a := w.with(w.Create(ctx, by, unitDirect, f))
	f.Purpose = "另一用途"
	a = w.with(w.Edit(ctx, by, a.Ref(), f))
	a = w.with(w.AcceptAgreement(ctx, by, a.Ref(), "2026-01"))
	a = w.with(w.AttachRoster(ctx, by, a.Ref(), "2026-03-05", []Person{w.person(unitDirect, 4, userPerson, StatusActive), w.person(unitDirect, 5, otherPerson, StatusWithdrawn)}))
	for kind, content := range map[AttachmentKind][]byte{AttachForm: scanPNG, AttachCredit: scanJPEG, AttachIdentity: scanOther} {
		a = w.with(w.AddAttachment(ctx, by, a.Ref(), Scan{Kind: kind, Content: content}))
	}
	wrong := f
	wrong.Personal.HandlerIdentity = handlerPerson.IdentityNumber[:17] + "?"
	bad := w.with(w.Create(ctx, by, unitDirect, wrong))
	findings, err := w.Findings(ctx, w.registrar, bad.ID)
	w.must(err)
	hear(findings)
	_, err = w.Submit(ctx, by, bad.Ref())
	hear(err)
	_, err = w.AttachRoster(ctx, by, bad.Ref(), "2026-03-05", []Person{w.person(unitDirect, 4, userPerson, "US03")})
	hear(err)
	a = w.with(w.Submit(ctx, by, a.Ref()))
	a = w.with(w.Receive(ctx, w.registrar, a.Ref()))
	a = w.with(w.ReceiveOriginal(ctx, w.registrar, a.Ref(), "2026-03-05", "机要1号"))
	a = w.ink(a)
	if _, err := w.Unmask(ctx, w.registrar, a.ID, "与原件核对"); err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.ForPrint(ctx, by, a.ID, "核对原件"); err != nil {
		w.t.Fatal(err)
	}
	_, _, err = w.OpenAttachment(ctx, w.registrar, a.ID, a.Attachments[0].ID, "与原件核对")
	w.must(err)
	a = w.with(w.Examine(ctx, w.registrar, a.Ref()))
	a = w.with(w.Approve(ctx, w.approver, a.Ref()))
	w.must(w.carryOut(a))
	hear(a)
	persons, err := w.Persons(ctx, w.registrar, a.ID)
	w.must(err)
	hear(persons)
	list, err := w.List(ctx, w.registrar, Filter{})
	w.must(err)
	hear(list)
	suspensions, err := w.Suspensions(ctx, w.registrar, "")
	w.must(err)
	hear(suspensions)
	lines, err := w.History(ctx, w.registrar, a.ID)
	w.must(err)
	for _, l := range lines {
		hear(l.Sentence())
	}
	return said
}

func TestPersonalDataStandsNowhereInTheClear(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		w := newWorld(t, storetest.Open(t, url))
		said := w.life()
		secrets := []string{handlerPerson.IdentityNumber[:17], handlerPerson.Mobile, userPerson.IdentityNumber, userPerson.Mobile,
			otherPerson.IdentityNumber, otherPerson.Mobile, "nobody may see"}
		if found := findInTables(t, w.db, secrets...); len(found) != 0 {
			t.Errorf("in the clear: %v", found)
		}
		if found := findInTables(t, w.db, w.units[unitDirect].CreditCode); len(found) == 0 {
			t.Error("the search does not even find what stands there")
		}
		for _, text := range said {
			for _, secret := range secrets {
				if strings.Contains(text, secret) {
					t.Errorf("told: %.200s", text)
				}
			}
		}
		paths, _ := filepath.Glob(url + "*")
		_ = filepath.WalkDir(w.folder, func(path string, d os.DirEntry, _ error) error {
			if !d.IsDir() {
				paths = append(paths, path)
			}
			return nil
		})
		if len(paths) < 3 {
			t.Fatalf("only %v", paths)
		}
		for _, path := range paths {
			content, err := os.ReadFile(path)
			w.must(err)
			for _, secret := range secrets {
				if bytes.Contains(content, []byte(secret)) {
					t.Errorf("%s has %.8s…", path, secret)
				}
			}
		}
	})
}

func TestPersonalDataIsShownMaskedAndUnmaskedForAReason(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		a := w.draft(unitDirect)
		if p := a.Form.Personal; p.HandlerIdentity != handlerPerson.IdentityNumber[:3]+"***********"+handlerPerson.IdentityNumber[14:] ||
			p.HandlerMobile != handlerPerson.Mobile[:3]+"****"+handlerPerson.Mobile[7:] || p.Salt != "" {
			t.Errorf("shown %+v", p)
		}
		for name, c := range map[string]struct {
			by     access.Actor
			reason string
			want   string
		}{
			"no reason":                   {w.registrar, " ", ErrReason.Code},
			"a number as the reason":      {w.registrar, "核对 " + handlerPerson.IdentityNumber, ErrPersonal.Code},
			"a mobile as the reason":      {w.registrar, "电话１３８ ００１３－８０００", ErrPersonal.Code},
			"an auditor":                  {w.auditor, "核对", ErrDenied.Code},
			"the handler":                 {w.handler[unitDirect], "核对", ErrDenied.Code},
			"another unit":                {w.handler[unitA], "核对", ErrNotFound.Code},
			"the bureau of the area":      {w.city, "核对", ErrNotFound.Code}, // a direct unit
			"an operator":                 {w.operator, "核对", ErrNotFound.Code},
			"somebody who does not exist": {access.Actor{ID: "nobody", Roles: []access.Role{access.RoleRegistrar}}, "核对", access.ErrActorNotFound.Code},
		} {
			u, err := w.Unmask(ctx, c.by, a.ID, c.reason)
			if err == nil || !strings.HasPrefix(err.Error(), c.want+":") || u.Personal != (form.Personal{}) {
				t.Errorf("%s: %+v, %v", name, u, err)
			}
		}
		u, err := w.Unmask(ctx, w.approver, a.ID, "与原件核对")
		w.must(err)
		if u.Personal.HandlerIdentity != handlerPerson.IdentityNumber || u.Personal.HandlerMobile != handlerPerson.Mobile {
			t.Errorf("unmasked %+v", u)
		}
		var entry string
		w.must(w.db.Read().QueryRowContext(ctx, `SELECT entry FROM ledger_event WHERE kind = 'application.unmask'`).Scan(&entry))
		if !strings.Contains(entry, "与原件核对") || !strings.Contains(entry, `"actor":"approver"`) {
			t.Errorf("the ledger has %s", entry)
		}
		if again := w.again(a); again.Revision != a.Revision {
			t.Error("looking changed the application")
		}
	})
}

func TestAMaskThatComesBackKeepsTheValue(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		a := w.draft(unitDirect)
		shown := a.Form
		shown.Personal.HandlerMobile = otherPerson.Mobile
		a = w.with(w.Edit(ctx, w.handler[unitDirect], a.Ref(), shown))
		u, err := w.Unmask(ctx, w.registrar, a.ID, "核对")
		w.must(err)
		if u.Personal.HandlerIdentity != handlerPerson.IdentityNumber || u.Personal.HandlerMobile != otherPerson.Mobile {
			t.Errorf("%+v", u.Personal)
		}
		if a.Form.Agreement.Version != "2026-01" {
			t.Error("the agreement was lost with an edit")
		}
	})
}

func TestSealedDataDoesNotMoveToAnotherRow(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		a, b := w.draft(unitA), w.draft(unitDirect)
		w.must(w.db.Write(ctx, func(tx *store.Tx) error {
			_, err := tx.ExecContext(ctx, `UPDATE enroll_version SET sealed = (SELECT o.sealed FROM enroll_version o WHERE o.application = $1 AND o.version = $2)
				WHERE application = $3 AND version = $4`, a.ID, a.Version, b.ID, b.Version)
			return err
		}))
		if _, err := w.Application(ctx, w.registrar, b.ID); err == nil || !strings.HasPrefix(err.Error(), "keystore.safe-sealed:") {
			t.Errorf("read: %v", err)
		}
	})
}

func TestARotatedKeySealsEverythingAnew(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		w.life()
		if n, err := w.Reseal(ctx, 1000); err != nil || n != 0 {
			t.Fatalf("%d, %v without a rotation", n, err)
		}
		wantCode(t, w.Rotate(ctx, w.registrar, w.ring), access.ErrRole)
		wantCode(t, w.EndRotation(ctx, w.admin, w.ring), ErrNoRotation)
		before := w.objectNames()
		// The process dies before and after the file is changed.
		for _, keeper := range []SafeKeeper{brokenKeeper{}, dyingKeeper{w.ring}} {
			if err := w.Rotate(ctx, w.admin, keeper); !errors.Is(err, errKeeper) {
				t.Fatal(err)
			}
		}
		w.must(w.Rotate(ctx, w.admin, w.ring))
		w.must(w.Rotate(ctx, w.admin, w.ring))
		r, err := w.Rotation(ctx)
		w.must(err)
		if r.Version != 2 || !slices.Equal(r.Older, []int{1}) || r.Stale < 15 || r.All != r.Stale || !r.Open() || !r.EndFrom().IsZero() {
			t.Fatalf("%+v", r)
		}
		whole := r.Stale
		n, err := w.Reseal(ctx, 3)
		w.must(err)
		wantCode(t, w.EndRotation(ctx, w.admin, w.ring), ErrRotationStale)
		total := n
		for n > 0 {
			n, err = w.Reseal(ctx, 3)
			w.must(err)
			total += n
		}
		if r, err = w.Rotation(ctx); err != nil || total != whole || r.Pieces != whole || r.Stale != 0 || !r.Sealed.Equal(w.time()) {
			t.Fatalf("%d of %d pieces, %+v, %v", total, whole, r, err)
		}
		w.pass(RotationRest - time.Second)
		wantCode(t, w.EndRotation(ctx, w.admin, w.ring), ErrRotationEarly)
		// Whatever was begun before and comes late makes the day begin again.
		w.must(w.db.Write(ctx, func(tx *store.Tx) error {
			_, err := tx.ExecContext(ctx, `UPDATE enroll_attachment SET sealing = $1 WHERE id = (SELECT MIN(id) FROM enroll_attachment)`, []byte{1, 0, 0, 0, 1})
			return err
		}))
		w.pass(time.Second)
		wantCode(t, w.EndRotation(ctx, w.admin, w.ring), ErrRotationStale)
		for _, want := range []int{1, 0} {
			if n, err := w.Reseal(ctx, 3); err != nil || n != want {
				t.Fatalf("%d, %v", n, err)
			}
		}
		wantCode(t, w.EndRotation(ctx, w.admin, w.ring), ErrRotationEarly)
		w.pass(RotationRest)
		wantCode(t, w.EndRotation(ctx, w.registrar, w.ring), access.ErrRole)
		if left := w.objectNames(); len(left) < 2*len(before) {
			t.Errorf("%d files, %d before: a backup under way lacks some", len(left), len(before))
		}
		for _, keeper := range []SafeKeeper{brokenKeeper{}, dyingKeeper{w.ring}} {
			if err := w.EndRotation(ctx, w.admin, keeper); !errors.Is(err, errKeeper) {
				t.Fatal(err)
			}
		}
		w.must(w.Files.Remove(ctx, before[0])) // as after an interruption
		w.must(w.EndRotation(ctx, w.admin, w.ring))
		if after := w.objectNames(); len(after) != len(before) || slices.ContainsFunc(after, func(o string) bool { return slices.Contains(before, o) }) {
			t.Errorf("%d files, %d before", len(after), len(before))
		}
		if r, err = w.Rotation(ctx); err != nil || r.Version != 2 || len(r.Older) != 0 || r.Open() {
			t.Errorf("%+v, %v", r, err)
		}
		for kind, want := range map[string]int{"safe.rotation-begun": 1, "safe.sealed-anew": 2, "safe.rotation-ended": 1} {
			var n int
			w.must(w.db.Read().QueryRowContext(ctx, `SELECT COUNT(*) FROM ledger_event WHERE kind = $1`, kind).Scan(&n))
			if n != want {
				t.Errorf("%s: %d in the ledger", kind, n)
			}
		}
		list, err := w.List(ctx, w.registrar, Filter{States: []State{StateIssued}})
		w.must(err)
		u, err := w.Unmask(ctx, w.registrar, list[0].ID, "核对")
		w.must(err)
		if u.Personal.HandlerIdentity != handlerPerson.IdentityNumber || len(u.Persons) != 2 || u.Persons[0].Identity != userPerson.IdentityNumber {
			t.Errorf("%+v", u)
		}
		a, err := w.Application(ctx, w.registrar, list[0].ID)
		w.must(err)
		for _, at := range a.Attachments {
			if _, content, err := w.OpenAttachment(ctx, w.registrar, a.ID, at.ID, "核对"); err != nil || int64(len(content)) != at.Size {
				t.Errorf("%s: %v", at.Kind, err)
			}
		}
		// The same person is found again under the new index.
		b := w.draft(unitDirect)
		w.with(w.AttachRoster(ctx, w.handler[unitDirect], b.Ref(), "2026-03-05", []Person{w.person(unitDirect, 4, userPerson, StatusActive)}))
		var holders int
		w.must(w.db.Read().QueryRowContext(ctx, `SELECT COUNT(*) FROM enroll_holder`).Scan(&holders))
		if holders != 2 {
			t.Errorf("%d holders", holders)
		}
	})
}
