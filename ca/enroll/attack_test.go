package enroll

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"yinxin/ca/enroll/form"
	"yinxin/internal/store"
	"yinxin/internal/store/storetest"
)

// rostered is examined, with two people on the roster.
func (w *world) rostered() Application {
	w.t.Helper()
	ctx := context.Background()
	a := w.draft(unitDirect)
	a = w.with(w.AttachRoster(ctx, w.handler[unitDirect], a.Ref(), "2026-03-05",
		[]Person{w.person(unitDirect, 5, otherPerson, StatusActive), w.person(unitDirect, 4, userPerson, StatusActive)}))
	a = w.with(w.Submit(ctx, w.handler[unitDirect], a.Ref()))
	a = w.with(w.Receive(ctx, w.registrar, a.Ref()))
	a = w.with(w.ReceiveOriginal(ctx, w.registrar, a.Ref(), w.time().Format(time.DateOnly), "机要2026-0017"))
	a = w.with(w.ConfirmInk(ctx, w.registrar, a.Ref(), form.Reading{StampedUnit: a.Form.Unit.Name, ImprintText: a.Form.Seal.Name, Measured: a.Form.Seal.Size, Centre: form.Star}))
	return w.with(w.Examine(ctx, w.registrar, a.Ref()))
}

// Whoever writes rows, without the keystore, puts no other content under the digest that two people approve.
func TestWhatWasAlteredInTheDatabaseIsNotApproved(t *testing.T) {
	ctx := context.Background()
	for name, change := range map[string]string{
		"nothing":               ``,
		"the form":              `UPDATE enroll_version SET content = CAST(replace(CAST(content AS TEXT), '出具', '伪造') AS BLOB) WHERE application = $1`,
		"a person":              `UPDATE enroll_person SET content = CAST(replace(CAST(content AS TEXT), 'US01', 'US02') AS BLOB) WHERE roster IN (SELECT id FROM enroll_roster WHERE application = $1)`,
		"whose row it is":       `UPDATE enroll_person SET holder = (SELECT MIN(id) FROM enroll_holder) WHERE roster IN (SELECT id FROM enroll_roster WHERE application = $1)`,
		"a status":              `UPDATE enroll_person SET status = 'US02' WHERE roster IN (SELECT id FROM enroll_roster WHERE application = $1)`,
		"a person is missing":   `DELETE FROM enroll_person WHERE row = 4 AND roster IN (SELECT id FROM enroll_roster WHERE application = $1)`,
		"the roster's digest":   `UPDATE enroll_roster SET digest = 'x' WHERE application = $1`,
		"no roster":             `UPDATE enroll_version SET roster = NULL WHERE application = $1`,
		"what is approved":      `UPDATE enroll_version SET subject = CAST('{}' AS BLOB) WHERE application = $1`,
		"an attachment":         `UPDATE enroll_attachment SET digest = 'x' WHERE number = 2 AND application = $1`,
		"an attachment is more": `INSERT INTO enroll_attachment SELECT 'att_x', application, 9, kind, media, size, digest, object, sealing, matched, added, by, NULL, NULL FROM enroll_attachment WHERE number = 1 AND application = $1`,
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, storetest.Open(t, filepath.Join(t.TempDir(), "yinxin.db")))
			a := w.rostered()
			if change == "" {
				w.with(w.Approve(ctx, w.approver, a.Ref()))
				return
			}
			w.must(w.db.Write(ctx, func(tx *store.Tx) error {
				result, err := tx.ExecContext(ctx, change, a.ID)
				if err != nil {
					return err
				}
				if n, err := result.RowsAffected(); err != nil || n == 0 {
					t.Errorf("nothing was altered, %v", err)
				}
				return nil
			}))
			_, err := w.Approve(ctx, w.approver, a.Ref())
			wantCode(t, err, ErrAltered)
			if now, err := w.Access.Pending(ctx, a.Examination); err != nil || now.State != "open" {
				t.Errorf("the request is %s, %v", now.State, err)
			}
		})
	}
}
