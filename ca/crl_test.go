package ca

import (
	"context"
	"math/big"
	"sync"
	"testing"
	"time"

	"yinxin/ca/chain"
	"yinxin/internal/access"
	"yinxin/internal/store"
	"yinxin/keystore"
)

func TestAListIsMadeWhenDueAndItsNumberRises(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		first := w.crl(t)
		if first.Number.Int64() != 1 || first.NextUpdate.Sub(first.ThisUpdate) != 7*24*time.Hour || !first.ThisUpdate.Equal(w.time().Truncate(time.Second)) || first.Len() != 0 {
			t.Errorf("first list %+v", first)
		}
		number := func(want int64, when string) {
			t.Helper()
			if got := w.crl(t).Number.Int64(); got != want {
				t.Errorf("number %d %s, want %d", got, when, want)
			}
		}
		number(1, "when nothing happened")
		w.pass(CRLInterval - time.Second - time.Duration(w.time().Nanosecond()))
		number(1, "a second before a day has passed")
		w.pass(time.Second)
		number(2, "when a day has passed")
		c := w.issue(t, institution(t))
		number(2, "after an issuance")
		w.revoke(t, c.Serial, ReasonSuperseded)
		number(3, "after a revocation")
		number(3, "when nothing more happened")
		must(t, w.PublishCRL(t.Context()))
		number(4, "after publishing by hand")
		second := w.open()
		var wg sync.WaitGroup
		for _, a := range []*Authority{w.Authority, second, w.Authority, second} {
			wg.Go(func() {
				if err := a.PublishCRL(context.Background()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if n, highest := w.count(t, `SELECT COUNT(*) FROM ca_crl WHERE issuer = 'issuing' AND shard = 0`), w.count(t, `SELECT MAX(number) FROM ca_crl WHERE issuer = 'issuing' AND shard = 0`); n != highest || n < 5 {
			t.Errorf("%d lists, the last has number %d", n, highest)
		}
		must(t, verifyCRL(w, w.crl(t)))
	})
}

func verifyCRL(w *world, crl *chain.CRL) error {
	_, err := chain.CheckSignature(w.first().Certificate.PublicKey, crl.SignatureAlgorithm, crl.RawTBS, crl.Signature)
	return err
}

func TestAListThatLostAnEntryIsNotPublished(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		c, d := w.issue(t, institution(t)), w.issue(t, institution(t))
		w.revoke(t, c.Serial, ReasonSuperseded)
		w.suspend(t, d.Serial)
		before := w.crl(t)
		must(t, w.exec(`DELETE FROM ca_status WHERE serial = $1`, SerialText(c.Serial)))
		wantCode(t, w.PublishCRL(t.Context()), ErrVanished)
		w.pass(25 * time.Hour)
		_, err := w.CRL(t.Context(), FirstIssuer)
		wantCode(t, err, ErrVanished)
		if last, err := lastCRL(t.Context(), w.db.Read(), FirstIssuer, 0); err != nil || last.number != before.Number.Int64() {
			t.Errorf("number %d was published, %v", last.number, err)
		}
	})
}

func TestAListOfAnUnknownSerialNumberStopsPublishing(t *testing.T) {
	w := sqliteWorld(t)
	// The list knows more than the database, as after the restore of an old backup.
	l := list{issuer: w.first().Certificate, number: 9, thisUpdate: w.time().Truncate(time.Second), nextUpdate: w.time().Add(time.Hour)}
	var err error
	l.entries, err = entry{serial: big.NewInt(4711), since: w.time()}.appendTo(nil)
	must(t, err)
	der, err := l.sign(t.Context(), w.first().key)
	must(t, err)
	must(t, w.exec(`INSERT INTO ca_crl (issuer, shard, number, this_update, next_update, entries, scope, base, data) VALUES ('issuing', 0, 9, $1, $2, 1, '', 1, $3)`, store.Time(l.thisUpdate), store.Time(l.nextUpdate), der))
	wantCode(t, w.PublishCRL(t.Context()), ErrVanished)
}

func TestAnExpiredEntryLeavesTheListAfterItWasOnOneMore(t *testing.T) {
	w := sqliteWorld(t)
	c := w.issue(t, institution(t))
	w.revoke(t, c.Serial, ReasonSuperseded)
	w.crl(t)
	listed := func(want bool, when string) {
		t.Helper()
		must(t, w.PublishCRL(t.Context()))
		if _, got := w.crl(t).Lookup(c.Serial); got != want {
			t.Errorf("%s: on the list %v", when, got)
		}
	}
	w.pass(c.NotAfter.Sub(w.time()))
	listed(true, "in the last second of its validity")
	w.pass(time.Second)
	listed(true, "on the first list after its end")
	w.pass(time.Second)
	listed(false, "on the next")
}

func TestAClockThatFellBackStopsPublishing(t *testing.T) {
	w := sqliteWorld(t)
	w.crl(t)
	w.pass(-2 * time.Second)
	wantCode(t, w.PublishCRL(t.Context()), ErrClock)
	if _, err := w.CRL(t.Context(), FirstIssuer); err != nil {
		t.Errorf("the list that is out is still good: %v", err)
	}
}

func TestAMissingRevocationIsNeverCoveredByAnOldList(t *testing.T) {
	w := sqliteWorld(t)
	c := w.issue(t, institution(t))
	w.crl(t)
	must(t, w.keys.Ring(keystore.PurposeIssuing).SetState(t.Context(), KeyIssuing, keystore.StateSuspended))
	w.pass(25 * time.Hour)
	if _, err := w.CRL(t.Context(), FirstIssuer); err != nil {
		t.Errorf("nothing changed, so the old list is right: %v", err)
	}
	w.revoke(t, c.Serial, ReasonSuperseded)
	_, err := w.CRL(t.Context(), FirstIssuer)
	wantCode(t, err, keystore.ErrKeySuspended)
}

func TestARevocationDuringPublicationIsOnThisListOrTheNext(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		const n = 12
		var serials []*big.Int
		var ids []string
		for range n {
			c := w.issue(t, institution(t))
			serials = append(serials, c.Serial)
			ids = append(ids, w.approve(t, access.KindRevokeCertificate, RevokeSubject(c.Serial, ReasonSuperseded)))
		}
		var wg sync.WaitGroup
		for i := range n {
			wg.Go(func() {
				if err := w.Revoke(context.Background(), ids[i], serials[i], ReasonSuperseded); err != nil {
					t.Error(err)
				}
			})
			wg.Go(func() {
				if err := w.PublishIfDue(context.Background()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		crl := w.crl(t)
		for _, serial := range serials {
			if _, listed := crl.Lookup(serial); !listed {
				t.Errorf("%x is missing", serial)
			}
		}
		if waiting := w.count(t, `SELECT COUNT(*) FROM ca_status_event WHERE crl = 0`); waiting != 0 {
			t.Errorf("%d changes still wait", waiting)
		}
	})
}

func crowd(t testing.TB, w *world, n int) {
	t.Helper()
	must(t, w.db.Write(context.Background(), func(tx *store.Tx) error {
		for range n {
			serial, err := newSerial(w.Random, w.prefix)
			if err != nil {
				return err
			}
			_, err = tx.ExecContext(context.Background(), `INSERT INTO ca_certificate (shard, serial, issuer, profile, state, request, organisation, common_name, public_key, tbs, certificate, not_before, not_after, created, completed, ceremony)
				SELECT 3, $1, 'issuing', 'tsa', 'issued', request, organisation, common_name, public_key, tbs, certificate, not_before, not_after, created, completed, ceremony FROM ca_certificate WHERE serial = $2`, SerialText(serial), SerialText(w.made.TSA.Serial))
			if err != nil {
				return err
			}
			_, err = tx.ExecContext(context.Background(), `INSERT INTO ca_status (serial, issuer, shard, state, reason, since, not_after) SELECT $1, 'issuing', 3, 'revoked', 4, not_before, not_after FROM ca_certificate WHERE serial = $1`, SerialText(serial))
			if err != nil {
				return err
			}
		}
		return nil
	}))
}

func TestALongListIsWrittenAndReadBack(t *testing.T) {
	w := sqliteWorld(t)
	crowd(t, w, 3000)
	must(t, w.PublishCRL(t.Context()))
	must(t, w.PublishCRL(t.Context()))
	crl := w.crl(t)
	if crl.Len() != 3000 || crl.Number.Int64() != 2 {
		t.Errorf("%d entries, number %v", crl.Len(), crl.Number)
	}
	must(t, verifyCRL(w, crl))
}

// BenchmarkCRL10000 makes a shard of 10,000 entries: read from the database, encoded, signed, read back, compared with
// the list before and its base, with an empty delta list, and stored.
func BenchmarkCRL10000(b *testing.B) {
	w := sqliteWorld(b)
	crowd(b, w, 10000)
	must(b, w.publishShard(b.Context(), w.first(), 3, true))
	for b.Loop() {
		must(b, w.publishShard(b.Context(), w.first(), 3, true))
	}
}
