package backend

import (
	"io/fs"
	"testing"
	"testing/fstest"

	"yinxin/ca"
	"yinxin/internal/access"
	"yinxin/internal/ledger"
	"yinxin/internal/store"
	"yinxin/internal/store/storetest"
)

func TestOrdersAndRevocationsOfBeforeRenewalsStay(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		must(t, ledger.Migrate(ctx, db))
		must(t, access.Migrate(ctx, db))
		must(t, ca.Migrate(ctx, db))
		before := fstest.MapFS{}
		for _, name := range []string{"migrations/00001_backend.sql", "migrations/00002_approvals.sql"} {
			text, err := fs.ReadFile(migrations, name)
			must(t, err)
			before[name] = &fstest.MapFile{Data: text}
		}
		must(t, db.Migrate(ctx, "backend", before))
		h := &house{t: t, db: db}
		for _, query := range []string{`INSERT INTO access_actor (id, name, organisation, created) VALUES ('a', 'a', '', '2026'), ('b', 'b', '', '2026')`,
			`INSERT INTO access_request (id, kind, subject, digest, requester, state, created, expires, decider, decided, reason) VALUES
				('i', 'certificate.issue', '', 'd', 'a', 'approved', '2026', '2027', 'b', '2026', ''), ('r', 'certificate.revoke', '', 'd', 'a', 'approved', '2026', '2027', 'b', '2026', '')`,
			`INSERT INTO access_approval (id, kind, digest, requester, approver, request_state, approved, expires, used, used_at) VALUES
				('i', 'certificate.issue', 'd', 'a', 'b', 'approved', '2026', '2027', 1, '2026'), ('r', 'certificate.revoke', 'd', 'a', 'b', 'approved', '2026', '2027', 1, '2026')`,
			`INSERT INTO backend_order (id, backend, state, profile, request, csr, public_key, created, expires, approval, approval_kind, approval_used, certificate, fingerprint, completed, differences)
				VALUES ('o', 'x', 'issued', 'institution', '', '', '', '2026', '2027', 'i', 'certificate.issue', 1, '', 'f', '2026', '')`,
			`INSERT INTO backend_revocation (id, order_id, order_state, reason, state, created, confirmed, approval, approval_kind, approval_used)
				VALUES ('v', 'o', 'issued', 5, 'confirmed', '2026', '2026', 'r', 'certificate.revoke', 1)`} {
			must(t, h.exec(query))
		}
		must(t, Migrate(ctx, db))
		if n := h.count(t, `SELECT COUNT(*) FROM backend_revocation WHERE id = 'v' AND order_id = 'o' AND reason = 5 AND state = 'confirmed' AND approval = 'r' AND renewal IS NULL`); n != 1 {
			t.Error("the revocation is gone")
		}
		if n := h.count(t, `SELECT COUNT(*) FROM backend_order WHERE id = 'o' AND renewal IS NULL`); n != 1 {
			t.Error("the order is gone")
		}
		again := `INSERT INTO backend_order (id, backend, state, profile, request, csr, public_key, created, expires, approval, approval_kind, approval_used, differences, renewal)
			VALUES ('p', 'x', 'open', 'institution', '', '', 'k', '2026', '2027', 'i', 'certificate.issue', 1, '', `
		if err := h.exec(again + `NULL)`); !store.IsUnique(err) {
			t.Errorf("an approval twice without a renewal: %v", err)
		}
		if err := h.exec(again + `'none')`); !store.IsForeignKey(err) {
			t.Errorf("a renewal that nobody recorded: %v", err)
		}
		for what, query := range map[string]string{
			"a revocation without approval and renewal": `INSERT INTO backend_revocation (id, order_id, order_state, reason, state, created) VALUES ('w', 'o', 'issued', 4, 'open', '2026')`,
			"a renewal for another reason":              `INSERT INTO backend_revocation (id, order_id, order_state, reason, state, created, renewal) VALUES ('w', 'o', 'issued', 1, 'open', '2026', 'n')`,
		} {
			if err := h.exec(query); !store.IsCheck(err) {
				t.Errorf("%s: %v", what, err)
			}
		}
		must(t, h.exec(`DELETE FROM backend_revocation`))
		if err := h.exec(`INSERT INTO backend_revocation (id, order_id, order_state, reason, state, created, renewal) VALUES ('w', 'o', 'issued', 4, 'open', '2026', 'n')`); !store.IsForeignKey(err) {
			t.Errorf("an invented renewal: %v", err)
		}
	})
}
