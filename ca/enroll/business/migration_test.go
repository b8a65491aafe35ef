package business

import (
	"testing"

	"yinxin/ca"
	"yinxin/ca/enroll"
	"yinxin/ca/escrow"
	"yinxin/internal/access"
	"yinxin/internal/ledger"
	"yinxin/internal/store"
	"yinxin/internal/store/storetest"
)

// The acts of a decision that waits belong to its suspension from then on; all others stay where they are.
func TestThePendingDecisionsOfBeforeBelongToTheirSuspensions(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		must(ledger.Migrate(ctx, db))
		must(access.Migrate(ctx, db))
		must(ca.Migrate(ctx, db))
		must(escrow.Migrate(ctx, db))
		must(enroll.Migrate(ctx, db))
		storetest.Before(t, db, "business", migrations, "00003")
		for _, query := range []string{
			`INSERT INTO access_actor (id, name, organisation, created) VALUES ('a', 'a', '', '2026'), ('b', 'b', '', '2026')`,
			`INSERT INTO access_request (id, kind, subject, digest, requester, state, created, expires, decider, decided, reason)
				VALUES ('r', 'suspension.lift', '', 'd', 'a', 'approved', '2026', '2027', 'b', '2026', ''), ('q', 'suspension.confirm', '', 'd', 'a', 'approved', '2026', '2027', 'b', '2026', '')`,
			`INSERT INTO access_approval (id, kind, digest, requester, approver, request_state, approved, expires, used, used_at)
				VALUES ('r', 'suspension.lift', 'd', 'a', 'b', 'approved', '2026', '2027', 1, '2026'), ('q', 'suspension.confirm', 'd', 'a', 'b', 'approved', '2026', '2027', 1, '2026')`,
			`INSERT INTO enroll_area (code, name) VALUES ('220100', 'x')`,
			`INSERT INTO enroll_unit (id, name, credit_code, area, direct, expected) VALUES ('u', 'u', '', '220100', 0, 1)`,
			`INSERT INTO enroll_holder (id, unit, name, identity_index, sealed, created) VALUES ('waits', 'u', 'w', '1', '', '2026'), ('decided', 'u', 'd', '2', '', '2026'),
				('twice', 'u', 't', '3', '', '2026')`,
			`INSERT INTO enroll_suspension (id, holder, unit, cause, reason, opened, by, state, revision, request, decided, approval, approval_kind, approval_used) VALUES
				('s-waits', 'waits', 'u', 'emergency', 'x', '2026', 'a', 'open', 1, NULL, NULL, NULL, NULL, NULL),
				('s-decided', 'decided', 'u', 'emergency', 'x', '2026', 'a', 'confirmed', 1, 'q', '2026', 'q', 'suspension.confirm', 1),
				('a-lifted', 'twice', 'u', 'emergency', 'x', '2026', 'a', 'lifted', 1, 'r', '2026', 'r', 'suspension.lift', 1),
				('s-twice', 'twice', 'u', 'emergency', 'x', '2026', 'a', 'open', 1, NULL, NULL, NULL, NULL, NULL)`,
			`INSERT INTO business_act (application, version, number, kind, phase, content, state, done, result, ordered, key_name) VALUES
				('waits', 0, 1, 'revoke', 'after', '1', 'planned', NULL, '', '', ''), ('waits', 0, 2, 'revoke', 'after', '2', 'planned', NULL, '', '', ''),
				('waits', 3, 1, 'revoke', 'after', '3', 'planned', NULL, '', '', ''), ('decided', 0, 1, 'revoke', 'after', '4', 'done', '2026', 'x', '', ''),
				('twice', 0, 1, 'release', 'after', '5', 'planned', NULL, '', '', ''), ('app', 1, 1, 'seal', 'issue', '6', 'planned', NULL, '', '', '')`,
		} {
			must(db.Write(ctx, func(tx *store.Tx) error {
				_, err := tx.ExecContext(ctx, query)
				return err
			}))
		}
		must(Migrate(ctx, db))
		for content, want := range map[string]string{"1": "s-waits", "2": "s-waits", "3": "waits", "4": "decided", "5": "s-twice", "6": "app"} {
			var application string
			must(db.Read().QueryRowContext(ctx, `SELECT application FROM business_act WHERE content = $1`, content).Scan(&application))
			if application != want {
				t.Errorf("act %s belongs to %s, want %s", content, application, want)
			}
		}
		var acts int
		must(db.Read().QueryRowContext(ctx, `SELECT COUNT(*) FROM business_act`).Scan(&acts))
		if acts != 6 {
			t.Errorf("%d acts", acts)
		}
	})
}
