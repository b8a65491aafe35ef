package ca

import (
	"context"
	"encoding/hex"
	"fmt"
	"math/big"
	"strings"
	"time"

	"yinxin/internal/store"
)

// keptCRLs is how many lists of a shard stay in the database for those who ask what was said before; the base of the
// delta lists stays longer.
const keptCRLs = 16

// due is what decides whether a list is made.
type due struct {
	waiting    int       // changes that are not on it
	base, next time.Time // thisUpdate of the base of the delta lists, nextUpdate of the list
}

// settled says that there is nothing to do: everything is on the list, which is not due for another day.
func (d due) settled(now time.Time) bool {
	return d.waiting == 0 && now.Before(d.base.Add(CRLInterval))
}

// due gives the state of every shard of an issuing CA that has a list or a change waiting.
func (a *Authority) due(ctx context.Context, id string) (map[int]due, error) {
	all := map[int]due{}
	// Numbers rise with time, and so do the texts of times.
	err := store.Each(ctx, a.DB.Read(), func(scan func(...any) error) error {
		var shard int
		var base, next string
		err := scan(&shard, &base, &next)
		if err != nil {
			return err
		}
		var d due
		if base != "" {
			if d.base, err = store.ParseTime(base); err != nil {
				return err
			}
		}
		d.next, err = store.ParseTime(next)
		all[shard] = d
		return err
	}, `SELECT shard, MAX(CASE WHEN base = 1 THEN this_update ELSE '' END), MAX(next_update)
		FROM ca_crl WHERE issuer = $1 GROUP BY shard`, id)
	if err != nil {
		return nil, err
	}
	// Subqueries, since a join would begin with the certificates, of which there are many.
	err = store.Each(ctx, a.DB.Read(), func(scan func(...any) error) error {
		var shard, waiting int
		err := scan(&shard, &waiting)
		d := all[shard]
		d.waiting = waiting
		all[shard] = d
		return err
	}, `SELECT 0, COUNT(*) FROM ca_status_event e
			WHERE e.crl = 0 AND EXISTS (SELECT 1 FROM ca_certificate c WHERE c.serial = e.serial AND c.issuer = $1)
		UNION ALL SELECT w.shard, COUNT(*) FROM (SELECT COALESCE((SELECT c.shard FROM ca_certificate c WHERE c.serial = e.serial AND c.issuer = $1), 0) AS shard
			FROM ca_status_event e WHERE e.shard_crl = 0) w WHERE w.shard > 0 GROUP BY w.shard`, id)
	return all, err
}

// latest is what a list said.
type latest struct {
	number                            int64
	thisUpdate, nextUpdate, deltaNext time.Time
	scope                             string
	data                              []byte
	deltaBase                         int64
	delta                             []byte
}

func lastCRL(ctx context.Context, q store.Querier, name string, shard int) (latest, error) {
	return oneCRL(ctx, q, `issuer = $1 AND shard = $2`, name, shard)
}

// lastBase is the list that the delta list after a list is relative to. Later ones, which another process made meanwhile,
// do not count.
func lastBase(ctx context.Context, q store.Querier, name string, shard int, last int64) (latest, error) {
	return oneCRL(ctx, q, `issuer = $1 AND shard = $2 AND base = 1 AND number <= $3`, name, shard, last)
}

func oneCRL(ctx context.Context, q store.Querier, where string, args ...any) (latest, error) {
	var l latest
	var this, next, deltaNext string
	err := q.QueryRowContext(ctx, `SELECT number, this_update, next_update, scope, data, COALESCE(delta_base, 0), COALESCE(delta_next, ''), delta
		FROM ca_crl WHERE `+where+` ORDER BY number DESC LIMIT 1`, args...).
		Scan(&l.number, &this, &next, &l.scope, &l.data, &l.deltaBase, &deltaNext, &l.delta)
	if isMissing(err) {
		return l, ErrNoCRL.New()
	}
	if err != nil {
		return l, err
	}
	if l.thisUpdate, err = store.ParseTime(this); err != nil {
		return l, err
	}
	if deltaNext != "" {
		if l.deltaNext, err = store.ParseTime(deltaNext); err != nil {
			return l, err
		}
	}
	l.nextUpdate, err = store.ParseTime(next)
	return l, err
}

// scopeText is how the addresses of a list stand in the database.
func scopeText(points []string) string { return strings.Join(points, " ") }

// waitingEvents are the changes that no list of a shard has carried yet; of shard 0, no complete list.
func waitingEvents(ctx context.Context, q store.Querier, name string, shard int) ([]string, error) {
	waiting, of, args := `e.crl = 0`, ``, []any{name}
	if shard > 0 {
		waiting, of, args = `e.shard_crl = 0`, ` AND c.shard = $2`, append(args, shard)
	}
	return store.Column[string](q.QueryContext(ctx, `SELECT e.id FROM ca_status_event e WHERE `+waiting+
		` AND EXISTS (SELECT 1 FROM ca_certificate c WHERE c.serial = e.serial AND c.issuer = $1`+of+`)`, args...))
}

func insertCRL(ctx context.Context, tx *store.Tx, p publication, e edition, answered []string) error {
	base := 0
	if p.base {
		base = 1
	}
	var deltaBase, deltaEntries, deltaNext, delta any
	if e.deltaDER != nil {
		deltaBase, deltaEntries, deltaNext, delta = e.delta.base, e.deltaCount, store.Time(e.delta.nextUpdate), e.deltaDER
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO ca_crl (issuer, shard, number, this_update, next_update, entries, scope, base, delta_base, delta_entries, delta_next, data, delta)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
		p.name, p.shard, e.list.number, store.Time(e.list.thisUpdate), store.Time(e.list.nextUpdate), e.count, scopeText(p.points), base,
		deltaBase, deltaEntries, deltaNext, e.der, delta)
	if err != nil {
		return err
	}
	mark := `UPDATE ca_status_event SET shard_crl = $1 WHERE id = $2`
	if p.shard == 0 { // a certificate of before is in no other shard
		mark = `UPDATE ca_status_event SET crl = $1, shard_crl = CASE
			WHEN (SELECT c.shard FROM ca_certificate c WHERE c.serial = ca_status_event.serial) = 0 THEN $1 ELSE shard_crl END WHERE id = $2`
	}
	for _, id := range answered {
		if _, err := tx.ExecContext(ctx, mark, e.list.number, id); err != nil {
			return err
		}
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM ca_crl WHERE issuer = $1 AND shard = $2 AND number <= $3
		AND number < (SELECT MAX(b.number) FROM ca_crl b WHERE b.issuer = $1 AND b.shard = $2 AND b.base = 1)`,
		p.name, p.shard, e.list.number-keptCRLs)
	return err
}

// gather encodes the entries: what is revoked or held, and has not expired before the last list was made. So an expired
// certificate is on one more list after its end (RFC 5280 clause 3.3).
func (l *list) gather(ctx context.Context, q store.Querier, p publication, lastUpdate time.Time) (count int, err error) {
	condition, args := ``, []any{p.name, store.Time(lastUpdate)}
	if p.shard > 0 {
		condition, args = ` AND shard = $3`, append(args, p.shard)
	}
	var serial, since string
	e := entry{serial: new(big.Int)}
	octets := make([]byte, serialSize)
	err = store.Each(ctx, q, func(scan func(...any) error) error {
		if err := scan(&serial, &e.reason, &since); err != nil {
			return err
		}
		if n, err := hex.Decode(octets, []byte(serial)); err != nil || n != serialSize {
			return fmt.Errorf("ca: serial number %q in the database", serial)
		}
		e.serial.SetBytes(octets)
		var err error
		if e.since, err = store.ParseTime(since); err != nil {
			return err
		}
		l.entries, err = e.appendTo(l.entries)
		count++
		return err
	}, `SELECT serial, reason, since FROM ca_status WHERE issuer = $1 AND not_after >= $2`+condition+` ORDER BY issuer, shard, serial`, args...)
	return count, err
}

// mayVanish reports whether an entry of the last list may be missing: the certificate had expired when that list was
// made, or its hold was ended. A serial number that the database does not know may not.
func mayVanish(ctx context.Context, q store.Querier, serial *big.Int, lastUpdate time.Time) (bool, error) {
	var notAfter, action string
	err := q.QueryRowContext(ctx, `SELECT c.not_after, COALESCE((SELECT e.action FROM ca_status_event e WHERE e.serial = c.serial ORDER BY e.position DESC LIMIT 1), '')
		FROM ca_certificate c WHERE c.serial = $1`, SerialText(serial)).Scan(&notAfter, &action)
	if isMissing(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	end, err := store.ParseTime(notAfter)
	if err != nil {
		return false, err
	}
	return end.Before(lastUpdate) || action == actionResume, nil
}
