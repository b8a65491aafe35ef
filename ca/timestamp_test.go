package ca

import (
	"context"
	"sync"
	"testing"
	"time"

	"yinxin/ca/chain"
	"yinxin/ca/clock"
	"yinxin/ca/cms"
	"yinxin/ca/tsa"
	"yinxin/keystore"
)

func TestTheAuthorityStampsWithItsOwnCertificate(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		digest := cms.SM3.Sum([]byte("data"))
		raw, err := w.Stamp(t.Context(), cms.SM3, digest)
		must(t, err)
		token, err := tsa.Parse(raw)
		must(t, err)
		rootCRL, err := chain.ParseCRL(w.made.RootCRL)
		must(t, err)
		v := &chain.Verifier{Anchors: chain.NewAnchors(w.root), Revocation: chain.NewCRLSource(w.crl(t), rootCRL)}
		r := token.Verify(t.Context(), digest, v)
		if !r.Good() || r.Certificate.Fingerprint() != w.made.TSA.Fingerprint() {
			t.Errorf("%v, %+v", r.Err, r.Chain)
		}
		if size, err := w.StampSize(t.Context()); err != nil || size < len(raw) {
			t.Errorf("%d octets reserved for %d: %v", size, len(raw), err)
		}
		request, err := tsa.CreateRequest(tsa.Request{Imprint: tsa.Imprint{Hash: cms.SM3, Digest: digest}, Certificates: true})
		must(t, err)
		response, err := tsa.ParseResponse(w.TimeStamp(t.Context(), request))
		must(t, err)
		if response.Status != tsa.Granted {
			t.Errorf("%+v", response)
		}
	})
}

// A revoked certificate stamps no more, a suspended key neither, and a ring that does not reach the key never did.
func TestWithoutACertificateOrKeyNothingIsStamped(t *testing.T) {
	digest := cms.SM3.Sum([]byte("data"))
	for name, spoil := range map[string]func(w *world){
		"the certificate is revoked": func(w *world) {
			w.revoke(t, w.made.TSA.Serial, ReasonKeyCompromise)
			w.pass(2 * time.Minute)
		},
		"the certificate expires":     func(w *world) { w.pass(w.made.TSA.NotAfter.Sub(w.time()) + time.Second) },
		"the key is not in the ring":  func(w *world) { w.Keys = w.keys.Ring(keystore.PurposeIssuing); w.Authority.stamping.authority = nil },
		"the authority signs nothing": func(w *world) { w.Keys = nil; w.Authority.stamping.authority = nil },
	} {
		w := sqliteWorld(t)
		if _, err := w.Stamp(t.Context(), cms.SM3, digest); err != nil {
			t.Fatal(err)
		}
		spoil(w)
		_, err := w.Stamp(t.Context(), cms.SM3, digest)
		if err == nil {
			t.Errorf("%s: stamped", name)
			continue
		}
		wantCode(t, err, tsa.ErrAuthority)
		if response, err := tsa.ParseResponse(w.TimeStamp(t.Context(), nil)); err != nil || response.Failure != tsa.SystemFailure {
			t.Errorf("%s: %+v, %v", name, response, err)
		}
	}
}

func TestNoStampIsEarlierThanOneBefore(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		digest := cms.SM3.Sum([]byte("data"))
		stamp := func(a *Authority) (time.Time, error) {
			raw, err := a.Stamp(t.Context(), cms.SM3, digest)
			if err != nil {
				return time.Time{}, err
			}
			token, err := tsa.Parse(raw)
			must(t, err)
			return token.Info.Time, nil
		}
		w.pass(time.Hour - time.Duration(w.time().Nanosecond()))
		first, err := stamp(w.Authority)
		must(t, err)
		// Within the accuracy of a second the clock may be behind; the stamps are not.
		w.pass(-time.Second)
		for name, a := range map[string]*Authority{"here": w.Authority, "after a restart": w.open()} {
			if at, err := stamp(a); err != nil || at.Before(first) {
				t.Errorf("%s: %v before %v, %v", name, at, first, err)
			}
		}
		w.pass(-time.Microsecond)
		for name, a := range map[string]*Authority{"here": w.Authority, "after a restart": w.open()} {
			_, err := stamp(a)
			wantCode(t, err, tsa.ErrTime)
			if response, err := tsa.ParseResponse(a.TimeStamp(t.Context(), stampRequest(t, digest))); err != nil || response.Failure != tsa.TimeNotAvailable {
				t.Errorf("%s: %+v, %v", name, response, err)
			}
		}
		// Another process was ahead of us; then the clock has caught up.
		w.pass(10 * time.Second)
		other := w.open()
		ahead, err := stamp(other)
		must(t, err)
		w.pass(-time.Second)
		if at, err := stamp(w.Authority); err != nil || at.Before(ahead) {
			t.Errorf("%v before %v, %v", at, ahead, err)
		}
		w.pass(time.Hour)
		if at, err := stamp(w.Authority); err != nil || !at.Equal(w.time().UTC().Truncate(time.Second)) {
			t.Errorf("%v, %v", at, err)
		}
		w.pass(-24 * time.Hour)
		if _, err := stamp(w.open()); err == nil {
			t.Error("a clock that was set back by a day")
		}
	})
}

func stampRequest(t *testing.T, digest []byte) []byte {
	t.Helper()
	request, err := tsa.CreateRequest(tsa.Request{Imprint: tsa.Imprint{Hash: cms.SM3, Digest: digest}})
	must(t, err)
	return request
}

func TestStampsOfTwoProcessesCanBeOrdered(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		config := w.config()
		config.Stamping.Ordering = true
		digest := cms.SM3.Sum([]byte("data"))
		var lock sync.Mutex
		seen := map[time.Time]int{}
		var wait sync.WaitGroup
		for range 2 {
			a, err := Open(t.Context(), config)
			must(t, err)
			for range 2 {
				wait.Go(func() {
					for range 4 {
						raw, err := a.Stamp(context.Background(), cms.SM3, digest)
						if err != nil {
							t.Error(err)
							return
						}
						token, err := tsa.Parse(raw)
						if err != nil || !token.Info.Ordering {
							t.Errorf("%v", err)
							return
						}
						lock.Lock()
						seen[token.Info.Time]++
						lock.Unlock()
					}
				})
			}
		}
		wait.Wait()
		if len(seen) != 16 {
			t.Errorf("%d times for 16 stamps: %v", len(seen), seen)
		}
	})
}

func TestAClockThatJumpedStampsNothing(t *testing.T) {
	w := sqliteWorld(t)
	steady := time.Duration(0)
	config := w.config()
	config.Stamping.Watch = clock.New(clock.Config{Now: w.time, Steady: func() time.Duration { return steady }})
	a, err := Open(t.Context(), config)
	must(t, err)
	digest := cms.SM3.Sum([]byte("data"))
	_, err = a.Stamp(t.Context(), cms.SM3, digest)
	must(t, err)
	w.pass(time.Hour) // and no time passed
	_, err = a.Stamp(t.Context(), cms.SM3, digest)
	wantCode(t, err, tsa.ErrTime)
	if response, err := tsa.ParseResponse(a.TimeStamp(t.Context(), stampRequest(t, digest))); err != nil || response.Failure != tsa.TimeNotAvailable {
		t.Errorf("%+v, %v", response, err)
	}
	w.pass(time.Minute)
	steady += time.Minute
	_, err = a.Stamp(t.Context(), cms.SM3, digest)
	must(t, err)
}
