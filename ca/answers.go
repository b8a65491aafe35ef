package ca

import (
	"bytes"
	"context"
	"encoding/hex"
	"sync"
	"time"

	"github.com/emmansun/gmsm/sm3"

	"yinxin/ca/chain"
	"yinxin/ca/ocsp"
	"yinxin/internal/store"
	"yinxin/keystore"
)

const (
	// lookInterval is how long what the database said of changes is relied on. A revocation must be in the answers within
	// a second of its commit, by whichever process; half of that is for the way.
	lookInterval = 500 * time.Millisecond
	// keptAnswer is how long a signed answer is given again, so that its thisUpdate is never old.
	keptAnswer = 5 * time.Minute
	// responderInterval is how often the responder's certificate is looked for anew when nothing changed.
	responderInterval = time.Minute
	// answerGeneration is the number of certificates in each of the two generations: 20 MB together at most.
	answerGeneration = 8192
	// answerForms bounds the answers for one certificate: a client names it by SHA-1, SHA-256 or SM3, with or without
	// parameters.
	answerForms = 3
	// maxChanged is how many certificates are dropped one by one; after more changes at once all are.
	maxChanged = 10_000
)

// answerCache holds the signed OCSP answers of one issuing CA, the responder that signs them, and how far it knows the
// database.
type answerCache struct {
	lock       sync.Mutex
	looked     time.Time // by the clock, with its monotonic reading
	number     int64     // of the last complete list of the CA
	waiting    int64     // changes of its certificates that no complete list has carried yet
	generation uint64    // rises with everything that makes answers wrong
	young, old map[serialOctets][]keptResponse

	responder *chain.Certificate
	key       keystore.Key
	found     time.Time // when the responder was looked for
}

type serialOctets [serialSize]byte

type keptResponse struct {
	certID []byte
	until  time.Time
	answer OCSPAnswer
}

// view is what a request goes by.
type view struct {
	now        time.Time // UTC
	generation uint64
	responder  *chain.Certificate
	key        keystore.Key
}

// look asks the database what has changed, unless that was done just now. Whoever reads a certificate's state after look
// and finds the generation unchanged when it has signed, has an answer that may be kept.
func (c *answerCache) look(ctx context.Context, a *Authority, id string) (view, error) {
	clock := a.Clock()
	now := clock.UTC()
	c.lock.Lock()
	defer c.lock.Unlock()
	if c.looked.IsZero() || clock.Before(c.looked) || clock.Sub(c.looked) >= lookInterval {
		if err := c.refresh(ctx, a, id, now); err != nil {
			c.looked = time.Time{}
			return view{}, err
		}
		c.looked = clock
	}
	if c.responder == nil || !c.responder.ValidAt(now) {
		c.looked = time.Time{}
		return view{}, ErrNotFound.With("%s", ProfileOCSP)
	}
	return view{now, c.generation, c.responder, c.key}, nil
}

// refresh drops the answers that are not right any more. A change is not on a complete list at first, then on one with a
// higher number than the last; so the pair of that number and the count of changes that wait is another after every
// change, and costs no write. Changes under another CA must not count: one more there and one less here would look like none.
func (c *answerCache) refresh(ctx context.Context, a *Authority, id string, now time.Time) error {
	var number, waiting int64
	err := a.DB.Read().QueryRowContext(ctx, `SELECT COALESCE((SELECT MAX(number) FROM ca_crl WHERE issuer = $1 AND shard = 0), 0),
		(SELECT COUNT(*) FROM ca_status_event e WHERE crl = 0 AND EXISTS (SELECT 1 FROM ca_certificate c WHERE c.serial = e.serial AND c.issuer = $1))`, id).Scan(&number, &waiting)
	if err != nil {
		return err
	}
	changed := c.looked.IsZero() || number != c.number || waiting != c.waiting
	if changed {
		if err := c.drop(ctx, a, id); err != nil {
			return err
		}
		c.number, c.waiting = number, waiting
	}
	if !changed && c.responder != nil && c.key.State() == keystore.StateActive && c.responder.ValidAt(now) &&
		!now.Before(c.found) && now.Sub(c.found) < responderInterval {
		return nil
	}
	responder, key, err := a.current(ctx, keyOf(KeyOCSP, id), Filter{Profile: ProfileOCSP, Issuer: id}, now)
	if err != nil {
		c.responder, c.key = nil, nil
		return err
	}
	if c.responder == nil || c.responder.Fingerprint() != responder.Fingerprint() {
		c.forget()
	}
	c.responder, c.key, c.found = responder, key, now
	return nil
}

// drop forgets the answers for certificates whose state changed since the last look; all of them at the first one.
func (c *answerCache) drop(ctx context.Context, a *Authority, id string) error {
	if c.looked.IsZero() {
		c.forget()
		return nil
	}
	var changed []serialOctets
	err := store.Each(ctx, a.DB.Read(), func(scan func(...any) error) error {
		var text string
		if err := scan(&text); err != nil {
			return err
		}
		octets, err := hex.DecodeString(text)
		if err == nil && len(octets) == serialSize {
			changed = append(changed, serialOctets(octets))
		}
		return err
	}, `SELECT e.serial FROM (SELECT serial FROM ca_status_event WHERE crl = 0 UNION ALL SELECT serial FROM ca_status_event WHERE crl > $1) e
		WHERE EXISTS (SELECT 1 FROM ca_certificate c WHERE c.serial = e.serial AND c.issuer = $2) LIMIT $3`, c.number, id, maxChanged+1)
	if err != nil {
		return err
	}
	if len(changed) > maxChanged {
		c.forget()
		return nil
	}
	c.generation++
	for _, serial := range changed {
		delete(c.young, serial)
		delete(c.old, serial)
	}
	return nil
}

func (c *answerCache) forget() {
	c.generation++
	c.young, c.old = nil, nil
}

// serialKey is the key of a serial number; false for one that is none of ours.
func serialKey(id ocsp.CertID) (key serialOctets, ok bool) {
	if id.Serial == nil || id.Serial.Sign() <= 0 || id.Serial.BitLen() > 8*serialSize {
		return key, false
	}
	id.Serial.FillBytes(key[:])
	return key, true
}

// get finds the answer to a request that names a certificate with the same octets.
func (c *answerCache) get(id ocsp.CertID, v view) (OCSPAnswer, bool) {
	key, ok := serialKey(id)
	if !ok {
		return OCSPAnswer{}, false
	}
	c.lock.Lock()
	defer c.lock.Unlock()
	forms, ok := c.young[key]
	if !ok {
		if forms, ok = c.old[key]; ok {
			c.set(key, forms)
		}
	}
	for _, kept := range forms {
		if bytes.Equal(kept.certID, id.Raw) && v.now.Before(kept.until) && !v.now.Before(kept.answer.Produced) {
			return kept.answer, true
		}
	}
	return OCSPAnswer{}, false
}

// put keeps a response, unless something changed since the certificate's state was read.
func (c *answerCache) put(single ocsp.Single, response []byte, v view) OCSPAnswer {
	digest := sm3.Sum(response)
	answer := OCSPAnswer{DER: response, ETag: `"` + hex.EncodeToString(digest[:16]) + `"`, Produced: v.now.Truncate(time.Second),
		NextUpdate: single.NextUpdate.Truncate(time.Second)}
	key, ok := serialKey(single.CertID)
	if !ok {
		return answer
	}
	c.lock.Lock()
	defer c.lock.Unlock()
	if c.generation != v.generation {
		return answer
	}
	var forms []keptResponse
	for _, kept := range c.young[key] {
		if !bytes.Equal(kept.certID, single.CertID.Raw) && v.now.Before(kept.until) && len(forms) < answerForms-1 {
			forms = append(forms, kept)
		}
	}
	until := v.now.Add(keptAnswer)
	if v.responder.NotAfter.Before(until) {
		until = v.responder.NotAfter
	}
	c.set(key, append(forms, keptResponse{bytes.Clone(single.CertID.Raw), until, answer}))
	return answer
}

// set needs the lock.
func (c *answerCache) set(key serialOctets, forms []keptResponse) {
	if _, there := c.young[key]; !there && len(c.young) >= answerGeneration || c.young == nil {
		c.old, c.young = c.young, make(map[serialOctets][]keptResponse)
	}
	c.young[key] = forms
}
