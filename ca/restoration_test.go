package ca

import (
	"math/big"
	"strings"
	"testing"
	"time"

	"yinxin/ca/ocsp"
	"yinxin/internal/oid"
	"yinxin/internal/store"
)

// forget makes the database as it was before a certificate was issued and after a number of lists was published.
func (w *world) forget(t *testing.T, serial *big.Int, lists int64) {
	t.Helper()
	for _, statement := range []string{`DELETE FROM ca_status WHERE serial = $1`, `DELETE FROM ca_status_event WHERE serial = $1`, `DELETE FROM ca_certificate WHERE serial = $1`} {
		must(t, w.exec(statement, SerialText(serial)))
	}
	must(t, w.exec(`DELETE FROM ca_crl WHERE issuer = 'issuing' AND number > $1`, lists))
}

func (w *world) restoration(known ...[]byte) Restoration {
	return Restoration{DB: w.db, Ledger: w.ledger, Clock: w.time, By: "zhang", Made: w.time().Add(-24 * time.Hour), Manifest: "ab", Size: 7, Known: known}
}

func TestARestoredAuthorityRepeatsNoNumberAndKeepsWhatWasRevoked(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		kept := w.issue(t, institution(t))
		before := w.crl(t)
		// After the backup: a certificate is issued and revoked, another revoked.
		w.pass(time.Hour)
		lost := w.issue(t, institution(t))
		w.revoke(t, lost.Serial, ReasonKeyCompromise)
		must(t, w.exec(`INSERT INTO ca_status (serial, issuer, shard, state, reason, since, not_after) SELECT serial, issuer, shard, 'revoked', 1, $2, not_after FROM ca_certificate WHERE serial = $1`,
			SerialText(kept.Serial), store.Time(w.time())))
		must(t, w.PublishCRL(ctx))
		known, err := w.CRL(ctx, FirstIssuer)
		must(t, err)
		must(t, w.exec(`DELETE FROM ca_status WHERE serial = $1`, SerialText(kept.Serial)))
		w.forget(t, lost.Serial, before.Number.Int64())
		// The restore.
		w.pass(time.Hour)
		out, err := w.restoration(known).Mark(ctx)
		must(t, err)
		if out.Lost != 1 || len(out.Hold) != 1 || out.Hold[0].Cmp(kept.Serial) != 0 || out.CRLFloor != w.time().Unix() || out.NewPrefix == out.OldPrefix {
			t.Errorf("%+v", out)
		}
		w.Authority = w.open()
		must(t, w.SuspendAtOnce(ctx, w.registrar, out.Hold[0], "restore"))
		must(t, w.PublishCRL(ctx))
		after := w.crl(t)
		if after.Number.Int64() != out.CRLFloor {
			t.Errorf("number %v, floor %d", after.Number, out.CRLFloor)
		}
		for _, serial := range []*big.Int{kept.Serial, lost.Serial} {
			if _, there := after.Lookup(serial); !there {
				t.Errorf("%x vanished", serial)
			}
		}
		if got := w.ask(t, oid.SM3, lost.Serial); got.Status != ocsp.Revoked || got.Reason != int(ReasonKeyCompromise) {
			t.Errorf("OCSP says %v %d", got.Status, got.Reason)
		}
		if got := w.ask(t, oid.SM3, big.NewInt(99)); got.Status != ocsp.Unknown {
			t.Errorf("OCSP says %v of nobody's number", got.Status)
		}
		next := w.issue(t, institution(t))
		if !strings.HasPrefix(SerialText(next.Serial), out.NewPrefix) {
			t.Errorf("serial %x, prefix %s", next.Serial, out.NewPrefix)
		}
		w.pass(time.Hour)
		must(t, w.PublishCRL(ctx))
		if again := w.crl(t); again.Number.Cmp(after.Number) <= 0 {
			t.Errorf("number %v after %v", again.Number, after.Number)
		}
		// Once more, an hour later: the floor is above everything of the first restore.
		w.pass(time.Hour)
		second, err := w.restoration().Mark(ctx)
		must(t, err)
		if second.OldPrefix != out.NewPrefix || second.CRLFloor <= w.crl(t).Number.Int64() {
			t.Errorf("%+v", second)
		}
	})
}

func TestAForeignListDoesNotHelpARestore(t *testing.T) {
	w := sqliteWorld(t)
	root, err := w.RootCRL(t.Context())
	must(t, err)
	for name, list := range map[string][]byte{"the root's": root, "no list": []byte("x")} {
		_, err := w.restoration(list).Mark(t.Context())
		t.Log(name)
		wantCode(t, err, ErrKnownCRL)
	}
	if n := w.count(t, `SELECT COUNT(*) FROM ca_restoration`); n != 0 {
		t.Errorf("%d restores on record", n)
	}
}

func TestARestoreIsInTheLedger(t *testing.T) {
	w := sqliteWorld(t)
	_, err := w.restoration().Mark(t.Context())
	must(t, err)
	if n := w.count(t, `SELECT COUNT(*) FROM ledger_event WHERE kind = $1 AND entry LIKE '%"crl_floor"%'`, KindRestored); n != 1 {
		t.Errorf("%d events", n)
	}
}
