package backend

import (
	"testing"

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
		storetest.Before(t, db, "backend", migrations, "00003")
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
		refuseRenewals(t, h)
	})
}

// refuseRenewals shows renewals and revocations that the tables refuse, each for one reason; those that differ from them in
// that alone are taken.
func refuseRenewals(t *testing.T, h *house) {
	t.Helper()
	renewal := func(values string) error {
		return h.exec(`INSERT INTO backend_renewal (id, predecessor, created, approval, approval_kind, approval_used, approved) VALUES (` + values + `)`)
	}
	order := func(id, key, renewal string) error {
		return h.exec(`INSERT INTO backend_order (id, backend, state, profile, request, csr, public_key, created, expires, approval, approval_kind, approval_used, differences, renewal)
			VALUES ('` + id + `', 'x', 'open', 'institution', '', '', '` + key + `', '2026', '2027', 'i', 'certificate.issue', 1, '', ` + renewal + `)`)
	}
	revocation := func(values string) error {
		return h.exec(`INSERT INTO backend_revocation (id, order_id, order_state, reason, state, created, confirmed, approval, approval_kind, approval_used, renewal) VALUES (` + values + `)`)
	}
	for _, c := range []struct {
		what string
		is   func(error) bool
		err  error
	}{
		{"five years after the approval", store.IsCheck, renewal(`'n', 'o', '2031', 'i', 'certificate.issue', 1, '2026'`)},
		{"of an order that is not there", store.IsForeignKey, renewal(`'n', 'none', '2030', 'i', 'certificate.issue', 1, '2026'`)},
		{"under the approval of another line", store.IsForeignKey, renewal(`'n', 'o', '2030', 'r', 'certificate.issue', 1, '2026'`)},
		{"under an approval of another moment", store.IsForeignKey, renewal(`'n', 'o', '2030', 'i', 'certificate.issue', 1, '2027'`)},
		{"under another kind", store.IsCheck, renewal(`'n', 'o', '2030', 'i', 'certificate.revoke', 1, '2026'`)},
		{"under an approval not used", store.IsCheck, renewal(`'n', 'o', '2030', 'i', 'certificate.issue', 0, '2026'`)},
		{"right", nil, renewal(`'n', 'o', '2030', 'i', 'certificate.issue', 1, '2026'`)},
		{"another", nil, renewal(`'m', 'o', '2030', 'i', 'certificate.issue', 1, '2026'`)},
		{"ordered", nil, order("p", "k", "'n'")},
		{"ordered twice", store.IsUnique, order("q", "l", "'n'")},
		{"ended by two people and a renewal", store.IsCheck, revocation(`'w', 'o', 'issued', 4, 'open', '2026', NULL, 'r', 'certificate.revoke', 1, 'n'`)},
		{"ended by another kind", store.IsCheck, revocation(`'w', 'o', 'issued', 4, 'open', '2026', NULL, 'i', 'certificate.issue', 1, NULL`)},
		{"ended by an approval not used", store.IsCheck, revocation(`'w', 'o', 'issued', 4, 'open', '2026', NULL, 'r', 'certificate.revoke', 0, NULL`)},
		{"ended by an approval that nobody gave", store.IsForeignKey, revocation(`'w', 'o', 'issued', 4, 'open', '2026', NULL, 'none', 'certificate.revoke', 1, NULL`)},
		{"of an order not issued", store.IsForeignKey, revocation(`'w', 'p', 'issued', 1, 'open', '2026', NULL, 'r', 'certificate.revoke', 1, NULL`)},
		{"confirmed at no time", store.IsCheck, revocation(`'w', 'o', 'issued', 4, 'confirmed', '2026', NULL, NULL, NULL, NULL, 'n'`)},
		{"ended by its renewal", nil, revocation(`'w', 'o', 'issued', 4, 'open', '2026', NULL, NULL, NULL, NULL, 'n'`)},
		{"ended twice", store.IsUnique, revocation(`'x', 'o', 'issued', 4, 'open', '2026', NULL, NULL, NULL, NULL, 'm'`)},
	} {
		if c.is == nil && c.err != nil || c.is != nil && !c.is(c.err) {
			t.Errorf("%s: %v", c.what, c.err)
		}
	}
}
