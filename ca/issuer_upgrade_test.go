package ca

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"yinxin/ca/ocsp"
	"yinxin/internal/access"
	"yinxin/internal/ledger"
	"yinxin/internal/store"
	"yinxin/internal/store/storetest"
)

// TestAnInstallationWithOneIssuingCAIsBroughtUpToDate puts what a ceremony and an officer made into tables as they were
// before there could be several issuing CAs, with a table of another room that points there.
func TestAnInstallationWithOneIssuingCAIsBroughtUpToDate(t *testing.T) {
	source := sqliteWorld(t)
	ctx := t.Context()
	revoked := source.made.SealMaker
	source.revoke(t, revoked.Serial, ReasonSuperseded)
	source.pass(time.Second)
	must(t, source.PublishCRL(ctx))
	before := source.crl(t)
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		must(t, ledger.Migrate(ctx, db))
		must(t, access.Migrate(ctx, db))
		storetest.Before(t, db, "ca", migrations, "00007")
		w := &world{t: t, db: db, keys: source.keys, rootKeys: source.rootKeys, made: source.made, registrar: source.registrar, approver: source.approver, now: source.time()}
		w.ledger = ledger.New(db, nil, w.time)
		w.access = access.New(db, w.ledger, w.time)
		for id, role := range map[string]access.Role{"zhang": access.RoleRegistrar, "li": access.RoleApprover} {
			_, err := w.access.CreateActor(ctx, access.Actor{ID: id, Name: id, Roles: []access.Role{role}})
			must(t, err)
		}
		for _, table := range []struct{ name, columns string }{
			{"access_request", "id, kind, subject, digest, requester, state, created, expires, decider, decided, reason"},
			{"access_approval", "id, kind, digest, requester, approver, request_state, approved, expires, used, used_at"},
			{"ca_ceremony", "id, held, first_officer, second_officer"},
			{"ca_authority", "name, certificate, prefix, base_url, ceremony"},
			{"ca_certificate", "serial, issuer, profile, state, request, organisation, common_name, public_key, tbs, certificate, shard, not_before, not_after, created, completed, ceremony"},
			{"ca_status_event", "id, serial, certificate_state, position, action, reason, happened, cause, actor, approval, approval_kind, approval_used, crl, shard_crl"},
			{"ca_status", "serial, issuer, shard, state, reason, since, not_after"},
			{"ca_crl", "issuer, shard, number, this_update, next_update, entries, scope, base, delta_base, delta_entries, delta_next, data, delta"},
			{"ca_base_url", "url, since"},
		} {
			copyRows(t, source.db, db, table.name, table.columns)
		}
		must(t, w.exec(`CREATE TABLE other_room (serial TEXT NOT NULL, state TEXT NOT NULL, FOREIGN KEY (serial, state) REFERENCES ca_certificate (serial, state))`))
		must(t, w.exec(`INSERT INTO other_room SELECT serial, state FROM ca_certificate`))
		must(t, Migrate(ctx, db))
		w.Authority = w.open()
		if got := w.Issuers(); len(got) != 1 || got[0].ID != FirstIssuer || len(got[0].Profiles) != len(EndProfiles()) {
			t.Fatalf("%+v", got)
		}
		if n := w.count(t, `SELECT COUNT(*) FROM ca_certificate WHERE issuer = 'root'`); n != 2 {
			t.Errorf("%d certificates of the root", n)
		}
		if n := w.count(t, `SELECT COUNT(*) FROM ca_certificate WHERE issuer IS NULL`); n != 0 {
			t.Errorf("%d certificates without an issuer", n)
		}
		if got := w.statusUnder(t, w.first().Certificate, revoked.Serial); got.Status != ocsp.Revoked {
			t.Errorf("%+v", got)
		}
		if kept := w.crl(t); kept.Number.Cmp(before.Number) != 0 {
			t.Errorf("list %v after %v", kept.Number, before.Number)
		}
		must(t, w.PublishCRL(ctx))
		if next := w.crl(t); next.Number.Int64() != before.Number.Int64()+1 || next.Len() != before.Len() {
			t.Errorf("list %v with %d entries after %v", next.Number, next.Len(), before.Number)
		}
		w.issue(t, institution(t))
		if err := w.exec(`DELETE FROM ca_certificate WHERE profile = 'tsa'`); !store.IsForeignKey(err) {
			t.Errorf("a certificate that another room points to: %v", err)
		}
		if err := w.exec(`INSERT INTO ca_authority SELECT 'second', 0, certificate, prefix, base_url, ceremony FROM ca_authority WHERE name = 'root'`); err == nil {
			t.Error("two roots")
		}
	})
}

func copyRows(t *testing.T, from, to *store.DB, table, columns string) {
	t.Helper()
	n := strings.Count(columns, ",") + 1
	marks := make([]string, n)
	for i := range marks {
		marks[i] = fmt.Sprintf("$%d", i+1)
	}
	must(t, store.Each(t.Context(), from.Read(), func(scan func(...any) error) error {
		values, into := make([]any, n), make([]any, n)
		for i := range values {
			into[i] = &values[i]
		}
		if err := scan(into...); err != nil {
			return err
		}
		return to.Write(t.Context(), func(tx *store.Tx) error {
			_, err := tx.ExecContext(t.Context(), fmt.Sprintf(`INSERT INTO %s (%s) VALUES (%s)`, table, columns, strings.Join(marks, ", ")), values...)
			return err
		})
	}, fmt.Sprintf(`SELECT %s FROM %s`, columns, table)))
}
