package ca

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
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
	// DeltaValidity is that of delta lists: whoever reads them wants to know more of today than of the week.
	DeltaValidity = 2 * CRLInterval
	// CRLInterval is how often a list is made when nothing happens, so that several failures in a row are noticed
	// before readers are without. Delta lists are relative to the list that was made so.
	CRLInterval = 24 * time.Hour
	// RootCRLValidity is that of the root's list: the root is offline, and a person has to fetch it.
	RootCRLValidity = 366 * 24 * time.Hour
)

// publication is one list on its way.
type publication struct {
	name     string // whose list: the ID of an issuing CA, or root
	shard    int    // 0: the complete list
	issuer   *chain.Certificate
	key      keystore.Key
	validity time.Duration
	points   []string
	deltaURL string // empty: without delta list
	base     bool   // later delta lists shall be relative to this list
}

// PublishCRL makes new lists of all issuing CAs now, of every shard, due or not. Of a list with which something is wrong
// nothing is published: ca.crl-entry-vanished when an entry of the last list is missing that neither expired nor was
// lifted from hold, ca.clock when the clock is behind the last list. The other lists are.
func (a *Authority) PublishCRL(ctx context.Context) error {
	return a.publishAll(ctx, true)
}

// PublishIfDue makes the lists anew that are a day old or lack a change. A service calls it every ten seconds: then a change
// is in the lists within a minute also for those who read them through a cache of half a minute.
func (a *Authority) PublishIfDue(ctx context.Context) error {
	return a.publishAll(ctx, false)
}

// PublishShard makes the list of one shard of an issuing CA now, due or not, as PublishCRL does for all; shard 0 is the
// complete list. Errors: ca.no-such-issuer, ca.no-such-list, and those of PublishCRL.
func (a *Authority) PublishShard(ctx context.Context, id string, shard int) error {
	s, err := a.sharded(ctx, id, shard)
	if err != nil {
		return err
	}
	return a.publishShard(ctx, s, shard, true)
}

// sharded finds an issuing CA that has a shard: ca.no-such-issuer, ca.no-such-list.
func (a *Authority) sharded(ctx context.Context, id string, shard int) (*issuingCA, error) {
	s, err := a.issuer(id)
	if err != nil {
		return nil, err
	}
	highest, err := a.lastShard(ctx, s.ID)
	if err == nil && (shard < 0 || shard > highest) {
		err = ErrNoList.With("%d", shard)
	}
	return s, err
}

// publishAll goes on where one list fails: the others shall not wait for it.
func (a *Authority) publishAll(ctx context.Context, forced bool) error {
	var failures []error
	for _, s := range a.issuers {
		if err := a.publishShards(ctx, s, forced); err != nil {
			if errors.Is(err, ctx.Err()) {
				return err
			}
			failures = append(failures, err)
		}
	}
	return errors.Join(failures...)
}

func (a *Authority) publishShards(ctx context.Context, s *issuingCA, forced bool) error {
	last, err := a.lastShard(ctx, s.ID)
	if err != nil {
		return err
	}
	var failures []error
	due, err := a.due(ctx, s.ID)
	if err != nil {
		return err
	}
	for shard := range last + 1 {
		if !forced && due[shard].settled(a.Clock()) {
			continue
		}
		if err := a.publishShard(ctx, s, shard, forced); err != nil {
			if errors.Is(err, ctx.Err()) {
				return err
			}
			failures = append(failures, err)
		}
	}
	return errors.Join(failures...)
}

// publishShard makes the list of a shard if it is due. A list that cannot be renewed is no error until its nextUpdate,
// unless a change is missing in it, or an entry: then it must not pass for new.
func (a *Authority) publishShard(ctx context.Context, s *issuingCA, shard int, forced bool) error {
	a.publishing.Lock()
	defer a.publishing.Unlock()
	// Of two processes that publish at once one gets the number. The other looks again whether that list says it all.
	const attempts = 5
	for range attempts {
		due, err := a.due(ctx, s.ID)
		if err != nil {
			return err
		}
		state, now := due[shard], a.Clock()
		if !forced && state.settled(now) {
			return nil
		}
		p := publication{name: s.ID, shard: shard, issuer: s.Certificate, key: s.key, validity: CRLValidity,
			deltaURL: a.BaseURL + PathShard(s.ID, shard, true), base: forced || !now.Before(state.base.Add(CRLInterval))}
		if p.points, err = a.points(ctx, s.ID, shard); err != nil {
			return err
		}
		err = publish(ctx, a.DB, a.record, now, p)
		switch {
		case err == nil:
			return nil
		case store.IsUnique(err):
			forced = false
		case !forced && state.waiting == 0 && now.Before(state.next) && !fault.Has(err, ErrVanished):
			return nil // what is out is still true; the next call tries again
		default:
			return err
		}
	}
	return ErrSigning.With("%s %d", s.ID, shard)
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
	err = publish(ctx, a.DB, a.record, a.Clock(), publication{name: rootID, issuer: a.root, key: key, validity: RootCRLValidity, base: true})
	if store.IsUnique(err) {
		return nil // another process has just made one
	}
	return err
}

// CRL is the newest complete list of an issuing CA in DER. All its lists that are due, because a day has passed or the
// state of a certificate changed, are made first. A list that cannot be renewed is still returned until its nextUpdate,
// unless a revocation is missing in it: then the error is returned, since an old list would say good. Errors:
// ca.no-such-issuer, and those of PublishCRL.
func (a *Authority) CRL(ctx context.Context, id string) ([]byte, error) {
	s, err := a.issuer(id)
	if err != nil {
		return nil, err
	}
	if err := a.publishShards(ctx, s, false); err != nil {
		return nil, err
	}
	last, err := lastCRL(ctx, a.DB.Read(), s.ID, 0)
	return last.data, err
}

// RootCRL is the newest list of the root in DER, as it was last published.
func (a *Authority) RootCRL(ctx context.Context) ([]byte, error) {
	last, err := lastCRL(ctx, a.DB.Read(), rootID, 0)
	return last.data, err
}

// Published is a list or delta list as it was published.
type Published struct {
	DER                    []byte
	Number                 int64
	ThisUpdate, NextUpdate time.Time
}

// List is the newest list of a shard of an issuing CA, or the delta list to it; shard 0 is the complete list. When it is
// due it is made first, as CRL does. Errors: ca.no-such-issuer, ca.no-such-list, ca.no-crl, and what stops publishing.
func (a *Authority) List(ctx context.Context, id string, shard int, delta bool) (Published, error) {
	s, err := a.sharded(ctx, id, shard)
	if err != nil {
		return Published{}, err
	}
	due, err := a.due(ctx, s.ID)
	if err != nil {
		return Published{}, err
	}
	if !due[shard].settled(a.Clock()) {
		if err := a.publishShard(ctx, s, shard, false); err != nil {
			return Published{}, err
		}
	}
	last, err := lastCRL(ctx, a.DB.Read(), s.ID, shard)
	if err != nil {
		return Published{}, err
	}
	p := Published{DER: last.data, Number: last.number, ThisUpdate: last.thisUpdate, NextUpdate: last.nextUpdate}
	if delta {
		if last.delta == nil { // made before there were any
			return Published{}, ErrNoCRL.New()
		}
		p.DER, p.NextUpdate = last.delta, last.deltaNext
	}
	return p, nil
}

type recorder func(ctx context.Context, tx *store.Tx, at time.Time, kind, actor, subject string, data map[string]string) error

// publish makes, checks, signs and records one list, with its delta list. Of two processes that publish at once one gets
// the number, for the other store.IsUnique holds of the error.
func publish(ctx context.Context, db *store.DB, record recorder, now time.Time, p publication) error {
	if p.key == nil { // opened for reading only
		return ErrKey.With("%s", p.name)
	}
	now = now.UTC().Truncate(time.Second)
	last, err := lastCRL(ctx, db.Read(), p.name, p.shard)
	if err != nil && !fault.Has(err, ErrNoCRL) {
		return err
	}
	if now.Before(last.thisUpdate) {
		return ErrClock.With("%s < %s", now.Format(time.RFC3339), last.thisUpdate.Format(time.RFC3339))
	}
	// Which changes this list answers is read before the entries: a change that comes between is in the entries and
	// stays waiting, which costs one more list; the other way round it could be lost.
	waiting, err := waitingEvents(ctx, db.Read(), p.name, p.shard)
	if err != nil {
		return err
	}
	number, err := nextNumber(ctx, db.Read(), last.number)
	if err != nil {
		return err
	}
	e := edition{list: list{issuer: p.issuer, number: number, thisUpdate: now, nextUpdate: now.Add(p.validity), points: p.points, deltaURL: p.deltaURL}}
	if e.count, err = e.list.gather(ctx, db.Read(), p, last.thisUpdate); err != nil {
		return err
	}
	if err := e.make(ctx, p.key); err != nil {
		return err
	}
	if err := compare(ctx, db.Read(), last, e.crl); err != nil {
		return err
	}
	if p.deltaURL != "" {
		if err := e.addDelta(ctx, db.Read(), &p, last); err != nil {
			return err
		}
	}
	return db.Write(ctx, func(tx *store.Tx) error {
		if err := insertCRL(ctx, tx, p, e, waiting); err != nil {
			return err
		}
		return record(ctx, tx, now, "crl.published", "", p.subject(), e.facts())
	})
}

func (p publication) subject() string {
	if p.shard == 0 {
		return p.name
	}
	return p.name + "/" + strconv.Itoa(p.shard)
}

// facts are what the ledger says of an edition.
func (e edition) facts() map[string]string {
	digest := sm3.Sum(e.der)
	facts := map[string]string{"number": strconv.FormatInt(e.list.number, 10), "entries": strconv.Itoa(e.count), "crl": hex.EncodeToString(digest[:])}
	if e.deltaDER != nil {
		digest = sm3.Sum(e.deltaDER)
		facts["base"], facts["delta"] = strconv.FormatInt(e.delta.base, 10), hex.EncodeToString(digest[:])
	}
	return facts
}

// make signs the list and reads it back.
func (e *edition) make(ctx context.Context, key keystore.Key) (err error) {
	if e.der, err = e.list.sign(ctx, key); err != nil {
		return err
	}
	if e.crl, err = readBack(e.list, e.der); err != nil {
		return err
	}
	if e.crl.Len() != e.count {
		return ErrLint.Because(fmt.Errorf("%d entries instead of %d", e.crl.Len(), e.count))
	}
	return nil
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

// addDelta makes the delta list. It is relative to the last list that was made to be a base and had the same scope; where
// there is none this list becomes one.
func (e *edition) addDelta(ctx context.Context, q store.Querier, p *publication, last latest) error {
	base, err := lastBase(ctx, q, p.name, p.shard, last.number)
	if err != nil && !fault.Has(err, ErrNoCRL) {
		return err
	}
	if err != nil || base.scope != scopeText(p.points) {
		p.base = true
		return e.makeDelta(ctx, p.key, *e, nil)
	}
	of := edition{list: list{number: base.number}, der: base.data}
	if of.crl, err = chain.ParseCRL(base.data); err != nil {
		return ErrLint.Because(err)
	}
	if base.number != last.number {
		if err := compare(ctx, q, latest{number: base.number, thisUpdate: last.thisUpdate, data: base.data}, e.crl); err != nil {
			return err
		}
	}
	previous := last.delta
	if last.deltaBase != base.number {
		previous = nil
	}
	return e.makeDelta(ctx, p.key, of, previous)
}
