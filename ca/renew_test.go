package ca

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"errors"
	"math/big"
	"testing"
	"time"

	"yinxin/ca/chain"
	"yinxin/internal/access"
	"yinxin/internal/ledger"
	"yinxin/internal/store"
	"yinxin/internal/store/storetest"
)

func (w *world) supersede(t *testing.T, successor *big.Int) error {
	t.Helper()
	ctx := t.Context()
	return w.db.Write(ctx, func(tx *store.Tx) error { return w.SupersedeIn(ctx, tx, successor) })
}

func TestTermsApprovedBeforeTheKeyExistsAreEnough(t *testing.T) {
	w := sqliteWorld(t)
	r := institution(t)
	id := w.approve(t, access.KindIssueCertificate, r.Terms())
	other := r
	other.Organisation = "另一家档案馆"
	_, err := w.Issue(t.Context(), id, other)
	wantCode(t, err, access.ErrOtherSubject)
	c, err := w.Issue(t.Context(), id, r)
	must(t, err)
	if !r.Public.Equal(c.PublicKey) {
		t.Error("another key")
	}
	_, err = w.Issue(t.Context(), id, r)
	wantCode(t, err, access.ErrUsed)
}

func TestARenewalRepeatsItsPredecessorUnderTheOriginalApproval(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		first := w.issue(t, institution(t))
		approvals := w.count(t, `SELECT COUNT(*) FROM access_approval`)
		w.pass(340 * 24 * time.Hour)
		second, err := w.Renew(ctx, first.Serial, newKey(t))
		must(t, err)
		if second.Subject != first.Subject || !second.NotAfter.After(first.NotAfter) || bytes.Equal(second.Raw, first.Raw) {
			t.Errorf("%+v", second.Subject)
		}
		if n := w.count(t, `SELECT COUNT(*) FROM access_approval`); n != approvals {
			t.Error("a renewal made an approval")
		}
		_, err = w.Renew(ctx, first.Serial, newKey(t))
		wantCode(t, err, ErrRenewed)
		status := func(c *chain.Certificate) chain.State {
			s, err := w.Status(ctx, c, w.Issuing(ProfileInstitution), w.time())
			must(t, err)
			return s.State
		}
		if status(first) != chain.StateGood || status(second) != chain.StateGood {
			t.Error("both are good until one takes the other's place")
		}
		wantCode(t, w.supersede(t, first.Serial), ErrNotFound) // renews nothing
		must(t, w.supersede(t, second.Serial))
		wantCode(t, w.supersede(t, second.Serial), ErrRevoked)
		if status(first) != chain.StateRevoked || status(second) != chain.StateGood {
			t.Error("the predecessor should be revoked, and only it")
		}
		_, err = w.Renew(ctx, first.Serial, newKey(t))
		wantCode(t, err, ErrRevoked)
		w.pass(340 * 24 * time.Hour)
		third, err := w.Renew(ctx, second.Serial, second.PublicKey.(*ecdsa.PublicKey))
		must(t, err)
		if record, err := w.Certificate(ctx, third.Serial); err != nil || record.State != RecordGood {
			t.Errorf("%+v, %v", record, err)
		}
	})
}

func TestRenewalsEndWithTheFiveYearsOfTheApproval(t *testing.T) {
	w := sqliteWorld(t)
	ctx := t.Context()
	c := w.issue(t, institution(t))
	approved := w.time()
	for range 4 {
		w.pass(360 * 24 * time.Hour)
		next, err := w.Renew(ctx, c.Serial, newKey(t))
		must(t, err)
		c = next
	}
	w.pass(approved.AddDate(5, 0, 0).Sub(w.time()))
	_, err := w.Renew(ctx, c.Serial, newKey(t))
	wantCode(t, err, access.ErrExpired)
	w.pass(-time.Second)
	_, err = w.Renew(ctx, c.Serial, newKey(t))
	must(t, err)
}

func TestWhatCannotBeRenewed(t *testing.T) {
	w := sqliteWorld(t)
	ctx := t.Context()
	_, err := w.Renew(ctx, w.made.TSA.Serial, newKey(t))
	wantCode(t, err, ErrNotRenewable)
	_, err = w.Renew(ctx, big.NewInt(77), newKey(t))
	wantCode(t, err, ErrNotFound)
	c := w.issue(t, institution(t))
	must(t, w.SuspendAtOnce(ctx, w.registrar, c.Serial, ""))
	_, err = w.Renew(ctx, c.Serial, newKey(t))
	wantCode(t, err, ErrHeld)
}

// TestTheDatabaseRefusesFalseRenewals writes past the code.
func TestTheDatabaseRefusesFalseRenewals(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		first, other := w.issue(t, institution(t)), w.issue(t, institution(t))
		renewal := func(name, approvalOf string, created string) error {
			return w.exec(`INSERT INTO ca_certificate (serial, issuer, profile, state, request, organisation, common_name, public_key, tbs, shard, not_before, not_after, created,
				approval, approval_kind, approval_used, approved, renews)
				SELECT 'x', issuer, profile, 'intent', request, organisation, $1, public_key, tbs, 0, '', '', $2, approval, approval_kind, approval_used, approved, $3
				FROM ca_certificate WHERE serial = $4`, name, created, SerialText(first.Serial), approvalOf)
		}
		own := SerialText(first.Serial)
		now := store.Time(w.time())
		successor := func(cause, of string) error {
			return w.exec(`INSERT INTO ca_status_event (id, serial, certificate_state, position, action, reason, happened, cause, successor, successor_state, crl)
				VALUES ('e', $1, 'issued', 0, 'revoke', 4, $2, $3, $4, 'issued', 0)`, own, now, cause, of)
		}
		for name, c := range map[string]struct {
			err  error
			want func(error) bool
		}{
			"another name":                 {renewal("22000099999999", own, now), store.IsForeignKey},
			"another approval":             {renewal(testSealCode, SerialText(other.Serial), now), store.IsForeignKey},
			"after five years":             {renewal(testSealCode, own, store.Time(w.time().AddDate(5, 0, 0))), store.IsCheck},
			"superseded by a stranger":     {successor("renewal", SerialText(other.Serial)), store.IsForeignKey},
			"superseded by nothing":        {w.exec(`INSERT INTO ca_status_event (id, serial, certificate_state, position, action, reason, happened, cause, crl) VALUES ('e', $1, 'issued', 0, 'revoke', 4, $2, 'renewal', 0)`, own, now), store.IsCheck},
			"an emergency with successors": {successor("emergency", SerialText(other.Serial)), store.IsCheck},
		} {
			if !c.want(c.err) {
				t.Errorf("%s: %v", name, c.err)
			}
		}
		must(t, renewal(testSealCode, own, now))
	})
}

// escort is a companion that remembers and, when told to, fails.
type escort struct {
	fail  string
	steps []string
	seen  *chain.Certificate
}

func (e *escort) step(name string) error {
	e.steps = append(e.steps, name)
	if e.fail == name {
		return errors.New("the " + name + " step failed")
	}
	return nil
}

func (e *escort) Intend(context.Context, *store.Tx) error { return e.step("intend") }

func (e *escort) Make(_ context.Context, c *chain.Certificate) error {
	e.seen = c
	return e.step("make")
}

func (e *escort) Complete(ctx context.Context, tx *store.Tx, c *chain.Certificate) error {
	if _, err := tx.ExecContext(ctx, `UPDATE ca_certificate SET failure = 'touched' WHERE serial = $1`, SerialText(c.Serial)); err != nil {
		return err
	}
	return e.step("complete")
}

func TestACompanionIsOnRecordWithTheCertificateOrNeitherIs(t *testing.T) {
	for _, fail := range []string{"", "intend", "make", "complete"} {
		t.Run("fails at "+fail, func(t *testing.T) {
			w := sqliteWorld(t)
			r := institution(t)
			id := w.approve(t, access.KindIssueCertificate, r.Subject())
			e := &escort{fail: fail}
			c, err := w.Issue(t.Context(), id, r, e)
			if fail == "" {
				must(t, err)
				if len(e.steps) != 3 || e.seen != c {
					t.Errorf("steps %v", e.steps)
				}
				return
			}
			if err == nil {
				t.Fatal("issued")
			}
			want := map[string][3]int{"intend": {0, 0, 0}, "make": {1, 1, 1}, "complete": {1, 1, 1}}[fail]
			rows := w.count(t, `SELECT COUNT(*) FROM ca_certificate WHERE profile = 'institution' AND state = 'failed'`)
			revoked := w.count(t, `SELECT COUNT(*) FROM ca_status`)
			used := w.count(t, `SELECT used FROM access_approval WHERE id = $1`, id)
			if got := [3]int{rows, revoked, used}; got != want {
				t.Errorf("failed rows, revoked, approval used: %v, want %v", got, want)
			}
		})
	}
}

// TestAnEarlierDatabaseIsBroughtUpToDate fills the tables of the first migration and runs the later ones.
func TestAnEarlierDatabaseIsBroughtUpToDate(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		must(t, ledger.Migrate(ctx, db))
		must(t, access.Migrate(ctx, db))
		storetest.Before(t, db, "ca", migrations, "00002")
		must(t, db.Write(ctx, func(tx *store.Tx) error {
			for _, query := range []string{
				`INSERT INTO access_actor VALUES ('a', 'a', '', '', NULL), ('b', 'b', '', '', NULL)`,
				`INSERT INTO access_request (id, kind, subject, digest, requester, state, created, expires, decider, decided, reason)
					SELECT 'q', 'certificate.issue', certificate, 'd', 'a', 'approved', '', '', 'b', '', '' FROM (SELECT CAST('x' AS BYTEA) AS certificate) AS one`,
				`INSERT INTO access_approval (id, kind, digest, requester, approver, request_state, approved, expires, used, used_at)
					VALUES ('q', 'certificate.issue', 'd', 'a', 'b', 'approved', '2026-01-01', '', 1, '')`,
				`INSERT INTO ca_ceremony VALUES ('c', '', 'a', 'b')`,
				`INSERT INTO ca_authority SELECT 'issuing', subject, subject, '', 'c' FROM access_request`,
				`INSERT INTO ca_certificate (serial, issuer, profile, state, request, organisation, common_name, public_key, tbs, certificate, not_before, not_after, created, completed, approval, approval_kind, approval_used)
					SELECT '01', 'issuing', 'institution', 'issued', subject, 'o', 'n', subject, subject, subject, '', '', '', '', 'q', 'certificate.issue', 1 FROM access_request`,
				`INSERT INTO ca_status_event (id, serial, certificate_state, position, action, reason, happened, cause, actor, crl) VALUES ('e', '01', 'issued', 0, 'suspend', 6, '', 'emergency', 'a', 0)`,
				`INSERT INTO ca_status VALUES ('01', 'issuing', 'held', 6, '', '')`,
			} {
				if _, err := tx.ExecContext(ctx, query); err != nil {
					return err
				}
			}
			return nil
		}))
		must(t, Migrate(ctx, db))
		var name, approved, state, event string
		must(t, db.Read().QueryRowContext(ctx, `SELECT c.common_name, c.approved, s.state, e.action FROM ca_certificate c
			JOIN ca_status s ON s.serial = c.serial JOIN ca_status_event e ON e.serial = c.serial`).Scan(&name, &approved, &state, &event))
		if name != "n" || approved != "2026-01-01" || state != "held" || event != "suspend" {
			t.Errorf("%s %s %s %s", name, approved, state, event)
		}
		err := db.Write(ctx, func(tx *store.Tx) error {
			_, err := tx.ExecContext(ctx, `INSERT INTO ca_status SELECT '02', 'nobody', shard, state, reason, since, not_after FROM ca_status`)
			return err
		})
		if !store.IsForeignKey(err) {
			t.Errorf("a state under nobody: %v", err)
		}
		err = db.Write(ctx, func(tx *store.Tx) error {
			_, err := tx.ExecContext(ctx, `DELETE FROM ca_certificate`)
			return err
		})
		if !store.IsForeignKey(err) {
			t.Errorf("deleting the certificate of a state: %v", err)
		}
	})
}
