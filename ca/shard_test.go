package ca

import (
	"context"
	"fmt"
	"math/big"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	tjx509 "github.com/tjfoc/gmsm/x509"

	"yinxin/ca/chain"
	"yinxin/internal/access"
	"yinxin/internal/store"
	"yinxin/keystore"
)

// published gives a list as it is published.
func (w *world) published(t testing.TB, shard int, delta bool) *chain.CRL {
	t.Helper()
	p, err := w.List(context.Background(), FirstIssuer, shard, delta)
	must(t, err)
	crl, err := chain.ParseCRL(p.DER)
	must(t, err)
	must(t, crl.CheckIssuer(w.first().Certificate))
	if crl.Number.Int64() != p.Number || !crl.NextUpdate.Equal(p.NextUpdate) || !crl.ThisUpdate.Equal(p.ThisUpdate) {
		t.Errorf("said to be number %d until %v, is %v until %v", p.Number, p.NextUpdate, crl.Number, crl.NextUpdate)
	}
	return crl
}

func (w *world) resume(t testing.TB, serial *big.Int) {
	t.Helper()
	must(t, w.Resume(context.Background(), w.approve(t, access.KindResumeCertificate, ResumeSubject(serial)), serial))
}

// inShard issues until a certificate falls into a shard.
func (w *world) inShard(t testing.TB, shard int) *chain.Certificate {
	t.Helper()
	for range 400 {
		if c := w.issue(t, institution(t)); w.shardOf(c.Serial) == shard {
			return c
		}
	}
	t.Fatal("no serial number fell into the shard")
	return nil
}

func TestPathsOfListsAreReadAsTheyAreWritten(t *testing.T) {
	for shard, paths := range map[int][2]string{0: {"/pki/issuing.crl", "/pki/issuing-delta.crl"}, 1: {"/pki/issuing/1.crl", "/pki/issuing/1-delta.crl"}, 1024: {"/pki/issuing/1024.crl", "/pki/issuing/1024-delta.crl"}} {
		for i, delta := range []bool{false, true} {
			if got := PathShard(FirstIssuer, shard, delta); got != paths[i] {
				t.Errorf("%s, want %s", got, paths[i])
			}
			if id, s, d, ok := ParsePathShard(paths[i]); id != FirstIssuer || s != shard || d != delta || !ok {
				t.Errorf("%s: %d, %v, %v", paths[i], s, d, ok)
			}
		}
	}
	for _, path := range []string{"", "/pki/issuing/", "/pki/issuing/0.crl", "/pki/issuing/01.crl", "/pki/issuing/-1.crl", "/pki/issuing/+1.crl", "/pki/issuing/1.crl.crl",
		"/pki/issuing/1-delta-delta.crl", "/pki/issuing/99999999999999999999.crl", "/pki/issuing/1", "/pki/root.crl", "/pki/issuing/1 .crl"} {
		if _, shard, _, ok := ParsePathShard(path); ok {
			t.Errorf("%q is read as shard %d", path, shard)
		}
	}
}

func TestARevocationIsInTheListOfItsShardAndInTheCompleteOne(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		c := w.issue(t, institution(t))
		shard := w.shardOf(c.Serial)
		if want := new(big.Int).Mod(c.Serial, big.NewInt(16)).Int64() + 1; int64(shard) != want || !slices.Equal(c.CRLURLs, []string{fmt.Sprintf("%s/pki/issuing/%d.crl", testBase, want)}) {
			t.Fatalf("shard %d, want %d; %v", shard, want, c.CRLURLs)
		}
		must(t, w.PublishIfDue(t.Context()))
		before := map[int]int64{}
		for i := range 17 {
			before[i] = w.published(t, i, false).Number.Int64()
		}
		w.revoke(t, c.Serial, ReasonSuperseded)
		must(t, w.PublishIfDue(t.Context()))
		for i := range 17 {
			crl := w.published(t, i, false)
			changed := i == 0 || i == shard
			if _, listed := crl.Lookup(c.Serial); listed != changed || (crl.Number.Int64() == before[i]+1) != changed {
				t.Errorf("shard %d: listed %v, number %v after %d", i, listed, crl.Number, before[i])
			}
			status, err := chain.NewCRLSource(crl).Status(t.Context(), c, w.first().Certificate, w.time())
			if want := map[bool]chain.State{true: chain.StateRevoked, false: chain.StateUnknown}[changed]; err != nil || status.State != want {
				t.Errorf("shard %d: %+v, %v", i, status, err)
			}
		}
		// A certificate that nothing happened to is good by its own shard and the complete list alone; one of the
		// infrastructure, which points to the complete list, by that alone.
		other := w.issue(t, institution(t))
		for i := range 17 {
			source := chain.NewCRLSource(w.published(t, i, false))
			for of, covered := range map[*chain.Certificate]bool{other: i == 0 || i == w.shardOf(other.Serial), w.made.TSA: i == 0} {
				status, err := source.Status(t.Context(), of, w.first().Certificate, w.time())
				if err != nil || (status.State == chain.StateGood) != covered {
					t.Errorf("shard %d: %+v, %v", i, status, err)
				}
			}
		}
		if _, err := w.List(t.Context(), FirstIssuer, 17, false); err == nil {
			t.Error("there is no shard 17")
		} else {
			wantCode(t, err, ErrNoList)
		}
		_, err := w.List(t.Context(), FirstIssuer, -1, true)
		wantCode(t, err, ErrNoList)
	})
}

// TestAReaderOfDeltasSeesWhatTheCompleteListSays takes certificates through every change, publishing between, and reads
// every list that was ever a base together with the newest delta.
func TestAReaderOfDeltasSeesWhatTheCompleteListSays(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		w.Shards = 2
		held, gone, freed, fleeting := w.inShard(t, 1), w.inShard(t, 1), w.inShard(t, 1), w.inShard(t, 1)
		all := []*chain.Certificate{held, gone, freed, fleeting}
		w.suspend(t, held.Serial)
		w.suspend(t, freed.Serial)
		must(t, w.PublishCRL(t.Context()))
		base := w.published(t, 1, false)
		agree := func(when string) *chain.CRL {
			t.Helper()
			full, delta := w.published(t, 1, false), w.published(t, 1, true)
			if full.Number.Cmp(delta.Number) != 0 || !full.ThisUpdate.Equal(delta.ThisUpdate) || !slices.Equal(full.Points(), delta.Points()) ||
				delta.BaseNumber == nil || len(delta.DeltaURLs) != 0 || !slices.Equal(full.DeltaURLs, []string{testBase + "/pki/issuing/1-delta.crl"}) {
				t.Errorf("%s: list %v, delta %v on %v", when, full.Number, delta.Number, delta.BaseNumber)
			}
			if base.Number.Cmp(delta.BaseNumber) < 0 {
				t.Fatalf("%s: the base is %v, the delta begins at %v", when, base.Number, delta.BaseNumber)
			}
			for _, c := range all {
				a, err := chain.NewCRLSource(full).Status(t.Context(), c, w.first().Certificate, w.time())
				must(t, err)
				b, err := chain.NewCRLSource(base, delta).Status(t.Context(), c, w.first().Certificate, w.time())
				if err != nil || a.State != b.State || a.Reason != b.Reason || !a.At.Equal(b.At) {
					t.Errorf("%s: %x is %+v by the list, %+v by base and delta", when, c.Serial, a, b)
				}
			}
			return delta
		}
		pass := func() { w.pass(time.Minute); must(t, w.PublishIfDue(t.Context())) }
		pass()
		w.suspend(t, fleeting.Serial)
		pass()
		if delta := agree("put on hold"); delta.Len() != 1 {
			t.Errorf("%d entries in the first delta", delta.Len())
		}
		w.resume(t, fleeting.Serial)
		w.resume(t, freed.Serial)
		w.revoke(t, held.Serial, ReasonKeyCompromise)
		w.revoke(t, gone.Serial, ReasonSuperseded)
		pass()
		delta := agree("freed and revoked")
		for c, want := range map[*chain.Certificate]int{held: 1, gone: 4, freed: chain.ReasonRemoveFromCRL, fleeting: chain.ReasonRemoveFromCRL} {
			if r, listed := delta.Lookup(c.Serial); !listed || r.Reason != want {
				t.Errorf("%x in the delta: %v %+v", c.Serial, listed, r)
			}
		}
		w.suspend(t, fleeting.Serial)
		pass()
		agree("put on hold again")
		// The day's list is the new base; its own delta still serves those who have the base of yesterday.
		w.pass(CRLInterval)
		must(t, w.PublishIfDue(t.Context()))
		agree("on the next day")
		base = w.published(t, 1, false)
		w.resume(t, fleeting.Serial)
		pass()
		if delta := agree("freed from the new base"); delta.BaseNumber.Cmp(base.Number) != 0 || delta.Len() != 1 {
			t.Errorf("delta of %d entries on %v, want %v", delta.Len(), delta.BaseNumber, base.Number)
		}
		// What expired leaves base and delta alike.
		w.pass(gone.NotAfter.Sub(w.time()) + time.Second)
		for range 3 {
			must(t, w.PublishCRL(t.Context()))
			base = w.published(t, 1, false)
			pass()
		}
		if full := w.published(t, 1, false); full.Len() != 0 {
			t.Errorf("%d expired entries are left", full.Len())
		}
	})
}

func TestADeltaThatLostAnEntryIsNotPublished(t *testing.T) {
	w := sqliteWorld(t)
	w.Shards = 1
	a, b := w.issue(t, institution(t)), w.issue(t, institution(t))
	w.revoke(t, a.Serial, ReasonSuperseded)
	must(t, w.PublishCRL(t.Context()))
	w.revoke(t, b.Serial, ReasonSuperseded)
	must(t, w.PublishIfDue(t.Context()))
	last, err := lastCRL(t.Context(), w.db.Read(), FirstIssuer, 1)
	must(t, err)
	base, err := lastBase(t.Context(), w.db.Read(), FirstIssuer, 1, last.number)
	must(t, err)
	baseCRL, err := chain.ParseCRL(base.data)
	must(t, err)
	of := edition{list: list{number: base.number}, der: base.data, crl: baseCRL}
	make := func(entries ...*chain.Certificate) *edition {
		e := &edition{list: list{issuer: w.first().Certificate, number: last.number + 1, thisUpdate: last.thisUpdate, nextUpdate: last.nextUpdate, points: baseCRL.Points()}}
		for _, c := range entries {
			e.list.entries, err = entry{c.Serial, w.time(), ReasonSuperseded}.appendTo(e.list.entries)
			must(t, err)
			e.count++
		}
		must(t, e.make(t.Context(), w.first().key))
		return e
	}
	sound := make(a, b)
	must(t, sound.makeDelta(t.Context(), w.first().key, of, last.delta))
	for name, spoil := range map[string]func(e *edition){
		"a change is missing": func(e *edition) { e.delta.entries, e.deltaCount = nil, 0 },
		"it removes what is there": func(e *edition) {
			e.delta.entries, err = entry{a.Serial, w.time(), reasonRemoveFromCRL}.appendTo(e.delta.entries)
			e.deltaCount++
		},
		"another reason": func(e *edition) { e.delta.entries, err = entry{b.Serial, w.time(), ReasonKeyCompromise}.appendTo(nil) },
		"another base":   func(e *edition) { e.delta.base-- },
		"another scope":  func(e *edition) { e.delta.points = nil },
	} {
		e := make(a, b)
		must(t, e.makeDelta(t.Context(), w.first().key, of, last.delta))
		spoil(e)
		must(t, err)
		e.deltaDER, err = e.delta.sign(t.Context(), w.first().key)
		must(t, err)
		if err := e.checkDelta(of, last.delta); err == nil {
			t.Errorf("%s: the delta list passes", name)
		}
	}
	// An earlier delta named b; a list that lost it is not published even where the last list is gone.
	e := make(a)
	must(t, e.makeDelta(t.Context(), w.first().key, of, last.delta))
	if r, listed := mustParse(t, e.deltaDER).Lookup(b.Serial); !listed || r.Reason != chain.ReasonRemoveFromCRL {
		t.Errorf("%v %+v", listed, r)
	}
	must(t, w.exec(`DELETE FROM ca_status`))
	err = w.publishShard(t.Context(), w.first(), 1, true)
	wantCode(t, err, ErrVanished)
	// The base alone holds an entry back, too.
	must(t, w.exec(`UPDATE ca_crl SET data = $1, delta = NULL, delta_base = NULL, delta_entries = NULL, delta_next = NULL WHERE shard = 1 AND number = $2`, make().der, last.number))
	wantCode(t, w.publishShard(t.Context(), w.first(), 1, true), ErrVanished)
}

func mustParse(t testing.TB, der []byte) *chain.CRL {
	t.Helper()
	crl, err := chain.ParseCRL(der)
	must(t, err)
	return crl
}

func TestOneShardThatCannotBePublishedHoldsUpNoOther(t *testing.T) {
	w := sqliteWorld(t)
	w.Shards = 2
	a, b := w.inShard(t, 1), w.inShard(t, 2)
	w.revoke(t, a.Serial, ReasonSuperseded)
	must(t, w.PublishIfDue(t.Context()))
	must(t, w.exec(`DELETE FROM ca_status WHERE serial = $1`, SerialText(a.Serial)))
	w.revoke(t, b.Serial, ReasonSuperseded)
	wantCode(t, w.PublishIfDue(t.Context()), ErrVanished)
	if _, listed := w.published(t, 2, false).Lookup(b.Serial); !listed {
		t.Error("the revocation in the sound shard is not published")
	}
	_, err := w.List(t.Context(), FirstIssuer, 0, false)
	wantCode(t, err, ErrVanished)
}

func TestListsOfMoreShardsOutliveAChangeOfTheirNumber(t *testing.T) {
	w := sqliteWorld(t)
	c := w.inShard(t, 16)
	config := w.config()
	config.Shards, config.BaseURL = 4, "http://new.example.cn"
	after, err := Open(t.Context(), config)
	must(t, err)
	w.Authority = after
	w.revoke(t, c.Serial, ReasonSuperseded)
	crl := w.published(t, 16, false)
	if _, listed := crl.Lookup(c.Serial); !listed || !slices.Equal(crl.Points(), []string{"http://new.example.cn/pki/issuing/16.crl", testBase + "/pki/issuing/16.crl"}) {
		t.Errorf("listed %v, %v", listed, crl.Points())
	}
	good := w.issue(t, institution(t))
	if w.shardOf(good.Serial) > 4 || !strings.HasPrefix(good.CRLURLs[0], "http://new.example.cn/pki/issuing/") {
		t.Errorf("%v", good.CRLURLs)
	}
	for _, shards := range []int{-1, 1025} {
		config.Shards = shards
		if _, err := Open(t.Context(), config); err == nil {
			t.Errorf("%d shards", shards)
		}
	}
}

func TestTheBordersOfAListAreKeptToTheSecond(t *testing.T) {
	w := sqliteWorld(t)
	w.Shards = 1
	c := w.issue(t, institution(t))
	w.pass(time.Minute)
	must(t, w.PublishIfDue(t.Context()))
	crl, delta := w.published(t, 1, false), w.published(t, 1, true)
	if !crl.ThisUpdate.Equal(w.time().Truncate(time.Second)) || crl.NextUpdate.Sub(crl.ThisUpdate) != CRLValidity || delta.NextUpdate.Sub(delta.ThisUpdate) != DeltaValidity {
		t.Errorf("%v to %v, delta to %v", crl.ThisUpdate, crl.NextUpdate, delta.NextUpdate)
	}
	ask := func(at time.Time, lists ...*chain.CRL) chain.State {
		status, err := chain.NewCRLSource(lists...).Status(t.Context(), c, w.first().Certificate, at)
		must(t, err)
		return status.State
	}
	if ask(crl.NextUpdate, crl) != chain.StateGood || ask(crl.NextUpdate.Add(time.Second), crl) != chain.StateUnknown {
		t.Error("the end of the list")
	}
	w.pass(time.Hour)
	w.suspend(t, c.Serial)
	at := w.time().Truncate(time.Second)
	held := w.published(t, 1, false)
	if ask(at.Add(-time.Second), held) != chain.StateGood || ask(at, held) != chain.StateRevoked {
		t.Error("the beginning of the hold")
	}
	w.pass(time.Hour)
	w.resume(t, c.Serial)
	free := w.published(t, 1, false)
	if ask(free.ThisUpdate.Add(-time.Second), held, free) != chain.StateRevoked || ask(free.ThisUpdate, held, free) != chain.StateGood {
		t.Error("the end of the hold")
	}
	// The keeper of the clock goes back by a second.
	w.pass(-time.Duration(w.time().Nanosecond()) - time.Nanosecond)
	wantCode(t, w.publishShard(t.Context(), w.first(), 1, true), ErrClock)
	w.pass(time.Nanosecond)
	must(t, w.publishShard(t.Context(), w.first(), 1, true))
}

func TestOthersReadShardsAndDeltas(t *testing.T) {
	w := sqliteWorld(t)
	w.Shards = 1
	c, d := w.issue(t, institution(t)), w.issue(t, institution(t))
	w.suspend(t, d.Serial)
	must(t, w.PublishIfDue(t.Context()))
	w.revoke(t, c.Serial, ReasonKeyCompromise)
	w.resume(t, d.Serial)
	for _, delta := range []bool{false, true} {
		p, err := w.List(t.Context(), FirstIssuer, 1, delta)
		must(t, err)
		theirs, err := tjx509.ParseDERCRL(p.DER)
		must(t, err)
		// tjfoc/gmsm: its certificate of the issuer checks the list with an implementation of SM2 of its own.
		issuer, err := tjx509.ParseCertificate(w.first().Certificate.Raw)
		must(t, err)
		must(t, issuer.CheckCRLSignature(theirs))
		if n := len(theirs.TBSCertList.RevokedCertificates); n != map[bool]int{false: 1, true: 2}[delta] {
			t.Errorf("%d entries", n)
		}
		if _, err := exec.LookPath("openssl"); err != nil {
			t.Skip("openssl is not installed")
		}
		command := exec.CommandContext(t.Context(), "openssl", "crl", "-inform", "DER", "-noout", "-text")
		command.Stdin = strings.NewReader(string(p.DER))
		text, err := command.CombinedOutput()
		must(t, err)
		want := []string{"X509v3 Issuing Distribution Point: critical", "URI:" + testBase + "/pki/issuing/1.crl", "Only User Certificates", "Key Compromise", strings.ToUpper(c.Serial.Text(16)), "X509v3 CRL Number"}
		if delta {
			want = append(want, "X509v3 Delta CRL Indicator: critical", "Remove From CRL", strings.ToUpper(d.Serial.Text(16)))
		} else {
			want = append(want, "X509v3 Freshest CRL", "/pki/issuing/1-delta.crl")
		}
		for _, word := range want {
			if !strings.Contains(string(text), word) {
				t.Errorf("openssl does not show %q in\n%s", word, text)
			}
		}
	}
}

func TestEveryListSaysWhatRFC5280AsksFor(t *testing.T) {
	w := sqliteWorld(t)
	w.Shards = 1
	c := w.issue(t, institution(t))
	w.revoke(t, c.Serial, ReasonSuperseded)
	for _, shard := range []int{0, 1} {
		for _, delta := range []bool{false, true} {
			p, err := w.List(t.Context(), FirstIssuer, shard, delta)
			must(t, err)
			conforms(t, p, shard, delta)
		}
	}
	must(t, w.keys.Ring(keystore.PurposeIssuing).SetState(t.Context(), KeyIssuing, keystore.StateSuspended))
	w.pass(CRLValidity)
	_, err := w.List(t.Context(), FirstIssuer, 1, false)
	wantCode(t, err, keystore.ErrKeySuspended)
	_ = store.Time
}

// TestAMassRevocationIsPublishedInOneRound has every certificate of sixteen shards revoked since the last round.
func TestAMassRevocationIsPublishedInOneRound(t *testing.T) {
	w := sqliteWorld(t)
	must(t, w.PublishIfDue(t.Context()))
	crowd(t, w, 4000)
	must(t, w.exec(`UPDATE ca_certificate SET shard = 1 + rowid % 16 WHERE shard = 3 AND profile = 'tsa'`))
	must(t, w.exec(`UPDATE ca_status SET shard = (SELECT c.shard FROM ca_certificate c WHERE c.serial = ca_status.serial)`))
	must(t, w.exec(`INSERT INTO ca_status_event (id, serial, certificate_state, position, action, reason, happened, cause, actor, crl)
		SELECT 'cev_' || serial, serial, 'issued', 0, 'suspend', 6, since, 'emergency', 'zhang', 0 FROM ca_status`))
	begun := time.Now()
	must(t, w.PublishIfDue(t.Context()))
	took := time.Since(begun)
	t.Logf("4000 revocations in %v", took)
	entries := 0
	for shard := 1; shard <= 16; shard++ {
		list, delta := w.published(t, shard, false), w.published(t, shard, true)
		if entries += list.Len(); list.Len() != delta.Len() || list.Len() == 0 {
			t.Errorf("shard %d: %d entries, delta %d", shard, list.Len(), delta.Len())
		}
	}
	if complete := w.published(t, 0, false); complete.Len() != 4000 || entries != 4000 {
		t.Errorf("%d entries, in shards %d", complete.Len(), entries)
	}
	if n := w.count(t, `SELECT COUNT(*) FROM ca_status_event WHERE crl = 0 OR shard_crl = 0`); n != 0 {
		t.Errorf("%d changes still wait", n)
	}
	if took > 50*time.Second {
		t.Errorf("publishing took %v: a revocation would be late", took)
	}
}
