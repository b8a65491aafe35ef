package ca

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"math/big"
	"strconv"
	"time"

	"github.com/emmansun/gmsm/sm3"

	"yinxin/ca/chain"
	"yinxin/internal/fault"
	"yinxin/internal/store"
	"yinxin/keystore"
)

const (
	// CRLValidity is nextUpdate after thisUpdate: a reader may live a week without a new list.
	CRLValidity = 7 * 24 * time.Hour
	// CRLInterval is how often a list is made when nothing happens, so that several failures in a row are noticed
	// before readers are without.
	CRLInterval = 24 * time.Hour
	// RootCRLValidity is that of the root's list: the root is offline, and a person has to fetch it.
	RootCRLValidity = 366 * 24 * time.Hour

	// keptCRLs is how many lists stay in the database for those who ask what was said last week.
	keptCRLs = 64
)

// publication is one list on its way.
type publication struct {
	name     Profile // root or issuing: whose list
	issuer   *chain.Certificate
	key      keystore.Key
	validity time.Duration
}

// latest is what the last list said.
type latest struct {
	number                 int64
	thisUpdate, nextUpdate time.Time
	data                   []byte
}

// PublishCRL makes a new list of the issuing CA now, due or not. Nothing is published when something is wrong with it:
// ca.crl-entry-vanished when an entry of the last list is missing that neither expired nor was lifted from hold,
// ca.clock when the clock is behind the last list.
func (a *Authority) PublishCRL(ctx context.Context) error {
	a.publishing.Lock()
	defer a.publishing.Unlock()
	return a.publishIssuing(ctx)
}

func (a *Authority) publishIssuing(ctx context.Context) error {
	return a.publish(ctx, publication{name: ProfileIssuing, issuer: a.issuing, key: a.key, validity: CRLValidity})
}

// PublishRootCRL makes a new list of the root, whose ring must reach the purpose root: a matter for a day on which the
// root's keystore is at hand.
func (a *Authority) PublishRootCRL(ctx context.Context, root *keystore.Ring) error {
	key, err := root.Get(ctx, KeyRoot)
	if err != nil {
		return ErrKey.With("%s", KeyRoot).Because(err)
	}
	if !key.Public().Equal(a.root.PublicKey) {
		return ErrKey.With("%s", KeyRoot)
	}
	a.publishing.Lock()
	defer a.publishing.Unlock()
	return a.publish(ctx, publication{name: ProfileRoot, issuer: a.root, key: key, validity: RootCRLValidity})
}

// CRL is the newest list of the issuing CA in DER. When one is due, because a day has passed or the state of a
// certificate changed, it is made first. A list that cannot be renewed is still returned until its nextUpdate, unless
// a revocation is missing in it: then the error is returned, since an old list would say good.
func (a *Authority) CRL(ctx context.Context) ([]byte, error) {
	if err := a.PublishIfDue(ctx); err != nil {
		return nil, err
	}
	last, err := lastCRL(ctx, a.DB.Read(), ProfileIssuing)
	if err != nil {
		return nil, err
	}
	return last.data, nil
}

// RootCRL is the newest list of the root in DER, as it was last published.
func (a *Authority) RootCRL(ctx context.Context) ([]byte, error) {
	last, err := lastCRL(ctx, a.DB.Read(), ProfileRoot)
	return last.data, err
}

// PublishIfDue makes a new list if the last one is a day old or lacks a change. Services call it every few seconds.
func (a *Authority) PublishIfDue(ctx context.Context) error {
	a.publishing.Lock()
	defer a.publishing.Unlock()
	last, err := lastCRL(ctx, a.DB.Read(), ProfileIssuing)
	if err != nil && !fault.Has(err, ErrNoCRL) {
		return err
	}
	waiting, err := waitingEvents(ctx, a.DB.Read(), ProfileIssuing)
	if err != nil {
		return err
	}
	now := a.Clock()
	if last.number > 0 && len(waiting) == 0 && now.Before(last.thisUpdate.Add(CRLInterval)) {
		return nil
	}
	err = a.publishIssuing(ctx)
	if err != nil && last.number > 0 && len(waiting) == 0 && now.Before(last.nextUpdate) && !fault.Has(err, ErrVanished) {
		return nil // what is out is still true; the next call tries again
	}
	return err
}

// Run publishes when due until ctx ends, looking every ten seconds. What goes wrong is handed to report.
func (a *Authority) Run(ctx context.Context, report func(error)) {
	ticker := time.NewTicker(10 * time.Second)
	defer ticker.Stop()
	for {
		if err := a.PublishIfDue(ctx); err != nil && ctx.Err() == nil {
			report(err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// publish makes, checks, signs and records one list. Of two processes that publish at once one gets the number; the
// other has nothing to add that the next list will not say.
func (a *Authority) publish(ctx context.Context, p publication) error {
	return publish(ctx, a.DB, a.recordIn, a.Clock(), p)
}

type recorder func(ctx context.Context, tx *store.Tx, at time.Time, kind, actor, subject string, data map[string]string) error

func (a *Authority) recordIn(ctx context.Context, tx *store.Tx, at time.Time, kind, actor, subject string, data map[string]string) error {
	return a.record(ctx, tx, at, kind, actor, subject, data)
}

func publish(ctx context.Context, db *store.DB, record recorder, now time.Time, p publication) error {
	if p.key == nil { // opened for reading only
		return ErrKey.With("%s", p.name)
	}
	now = now.UTC().Truncate(time.Second)
	last, err := lastCRL(ctx, db.Read(), p.name)
	if err != nil && !fault.Has(err, ErrNoCRL) {
		return err
	}
	if now.Before(last.thisUpdate) {
		return ErrClock.With("%s < %s", now.Format(time.RFC3339), last.thisUpdate.Format(time.RFC3339))
	}
	// Which changes this list answers is read before the entries: a change that comes between is in the entries and
	// stays waiting, which costs one more list; the other way round it could be lost.
	waiting, err := waitingEvents(ctx, db.Read(), p.name)
	if err != nil {
		return err
	}
	l := list{issuer: p.issuer, number: last.number + 1, thisUpdate: now, nextUpdate: now.Add(p.validity)}
	count, err := l.gather(ctx, db.Read(), p.name, last.thisUpdate)
	if err != nil {
		return err
	}
	der, err := l.sign(ctx, p.key)
	if err != nil {
		return err
	}
	if err := compare(ctx, db.Read(), last, l, der); err != nil {
		return err
	}
	digest := sm3.Sum(der)
	err = db.Write(ctx, func(tx *store.Tx) error {
		if err := insertCRL(ctx, tx, p.name, l, count, der, waiting); err != nil {
			return err
		}
		return record(ctx, tx, now, "crl.published", "", string(p.name), map[string]string{
			"number": strconv.FormatInt(l.number, 10), "entries": strconv.Itoa(count), "crl": hex.EncodeToString(digest[:])})
	})
	if store.IsUnique(err) {
		return nil
	}
	return err
}

// gather encodes the entries: what is revoked or held, and has not expired before the last list was made. So an expired
// certificate is on one more list after its end (RFC 5280 clause 3.3).
func (l *list) gather(ctx context.Context, q store.Querier, name Profile, lastUpdate time.Time) (count int, err error) {
	rows, err := q.QueryContext(ctx, `SELECT serial, reason, since FROM ca_status WHERE issuer = $1 AND not_after >= $2 ORDER BY serial`,
		string(name), store.Time(lastUpdate))
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for rows.Next() {
		var serial, since string
		var e entry
		if err := rows.Scan(&serial, &e.reason, &since); err != nil {
			return 0, err
		}
		var ok bool
		if e.serial, ok = new(big.Int).SetString(serial, 16); !ok {
			return 0, fmt.Errorf("ca: serial number %q in the database", serial)
		}
		if e.since, err = store.ParseTime(since); err != nil {
			return 0, err
		}
		if l.entries, err = e.appendTo(l.entries); err != nil {
			return 0, err
		}
		count++
	}
	return count, rows.Err()
}

func (l list) sign(ctx context.Context, key keystore.Key) ([]byte, error) {
	tbs, err := l.marshal()
	if err != nil {
		return nil, err
	}
	e, err := keystore.Digest(key.Public(), tbs)
	if err != nil {
		return nil, err
	}
	value, err := key.SignDigest(ctx, e)
	if err != nil {
		return nil, err
	}
	return assemble(tbs, value)
}

// compare reads the new list with the reader that others use, and holds it against the last one. Entries that vanished
// before their time have been public incidents elsewhere, so this stops hard.
func compare(ctx context.Context, q store.Querier, last latest, l list, der []byte) error {
	crl, err := chain.ParseCRL(der)
	if err != nil {
		return ErrLint.Because(err)
	}
	if !bytes.Equal(crl.RawIssuer, l.issuer.RawSubject) || !bytes.Equal(crl.AuthorityKeyID, l.issuer.SubjectKeyID) || crl.Number == nil ||
		crl.Number.Cmp(big.NewInt(last.number)) <= 0 || !crl.ThisUpdate.Equal(l.thisUpdate) || !crl.NextUpdate.Equal(l.nextUpdate) {
		return ErrLint.Because(fmt.Errorf("the list reads otherwise than it was written"))
	}
	if _, err := chain.CheckSignature(l.issuer.PublicKey, crl.SignatureAlgorithm, crl.RawTBS, crl.Signature); err != nil {
		return ErrSigning.Because(err)
	}
	if last.number == 0 {
		return nil
	}
	return eachEntry(last.data, func(serial *big.Int) error {
		if _, there := crl.Lookup(serial); there {
			return nil
		}
		may, err := mayVanish(ctx, q, serial, last.thisUpdate)
		if err != nil {
			return err
		}
		if !may {
			return ErrVanished.With("%x", serial)
		}
		return nil
	})
}

// mayVanish reports whether an entry of the last list may be missing: the certificate had expired when that list was
// made, or its hold was ended. A serial number that the database does not know may not.
func mayVanish(ctx context.Context, q store.Querier, serial *big.Int, lastUpdate time.Time) (bool, error) {
	var notAfter, action string
	err := q.QueryRowContext(ctx, `SELECT c.not_after, COALESCE((SELECT e.action FROM ca_status_event e WHERE e.serial = c.serial ORDER BY e.position DESC LIMIT 1), '')
		FROM ca_certificate c WHERE c.serial = $1`, serialText(serial)).Scan(&notAfter, &action)
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

func lastCRL(ctx context.Context, q store.Querier, name Profile) (latest, error) {
	var l latest
	var this, next string
	err := q.QueryRowContext(ctx, `SELECT number, this_update, next_update, data FROM ca_crl WHERE issuer = $1 ORDER BY number DESC LIMIT 1`, string(name)).
		Scan(&l.number, &this, &next, &l.data)
	if isMissing(err) {
		return l, ErrNoCRL.New()
	}
	if err != nil {
		return l, err
	}
	if l.thisUpdate, err = store.ParseTime(this); err != nil {
		return l, err
	}
	l.nextUpdate, err = store.ParseTime(next)
	return l, err
}

// waitingEvents are the changes that no list has carried yet.
func waitingEvents(ctx context.Context, q store.Querier, name Profile) ([]string, error) {
	rows, err := q.QueryContext(ctx, `SELECT e.id FROM ca_status_event e JOIN ca_certificate c ON c.serial = e.serial WHERE e.crl = 0 AND c.issuer = $1`, string(name))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var ids []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

func insertCRL(ctx context.Context, tx *store.Tx, name Profile, l list, count int, der []byte, answered []string) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO ca_crl (issuer, number, this_update, next_update, entries, data) VALUES ($1, $2, $3, $4, $5, $6)`,
		string(name), l.number, store.Time(l.thisUpdate), store.Time(l.nextUpdate), count, der)
	if err != nil {
		return err
	}
	for _, id := range answered {
		if _, err := tx.ExecContext(ctx, `UPDATE ca_status_event SET crl = $1 WHERE id = $2`, l.number, id); err != nil {
			return err
		}
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM ca_crl WHERE issuer = $1 AND number <= $2`, string(name), l.number-keptCRLs)
	return err
}
