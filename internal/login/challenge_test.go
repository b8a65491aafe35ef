package login

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"yinxin/internal/fault"
	"yinxin/internal/store"
)

// asks begins a login by USB Key.
func (r *room) asks(name string) (Challenge, string) {
	r.t.Helper()
	c, token, err := r.Ask(r.t.Context(), name, Origin{Address: "192.0.2.1", Agent: "a browser"})
	must(r.t, err)
	return c, token
}

// signs answers as a terminal does when everything is right.
func (r *room) signs(c Challenge) error {
	c.Terminal, c.Certificate, c.Signature = "trm_1", []byte("certificate"), []byte("signature")
	return r.Signed(r.t.Context(), c)
}

func good(context.Context, store.Querier, Challenge) (string, error) { return "", nil }

func (r *room) enters(token string) (Session, string, error) {
	return r.ByKey(r.t.Context(), token, Origin{Address: "192.0.2.1"}, good)
}

func (r *room) state(token string) ChallengeState {
	r.t.Helper()
	c, err := r.Asked(r.t.Context(), token)
	must(r.t, err)
	return c.State
}

func TestAUSBKeySignsSomebodyInOnce(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		c, browser := r.asks(" Clerk ")
		if c.Actor != "clerk" || len(c.Number) != 4 || strings.Trim(c.Number, "0123456789") != "" || len(c.Nonce) != 32 || !c.Expires.Equal(r.now.Add(ChallengeLife)) {
			t.Fatalf("%+v", c)
		}
		waiting, err := r.Challenges(t.Context(), "clerk")
		if err != nil || len(waiting) != 1 || waiting[0].ID != c.ID || waiting[0].Origin.Agent != "a browser" {
			t.Fatalf("%+v, %v", waiting, err)
		}
		_, _, err = r.enters(browser)
		r.wants(err, ErrKeyWaits)
		must(t, r.signs(c))
		r.wants(r.signs(c), ErrNoChallenge)
		if s := r.state(browser); s != ChallengeSigned {
			t.Error(s)
		}
		// Nobody without the token of the browser that asked: not by the identifier, nor by what the database has.
		for _, other := range []string{"", c.ID, idOf(browser), strings.Repeat("a", len(browser)), strings.Repeat("a", 200)} {
			_, _, err := r.enters(other)
			r.wants(err, ErrNoChallenge)
		}
		in, token, err := r.enters(browser)
		if err != nil || in.Actor.ID != "clerk" || in.Method != MethodKey || in.MustChange || token == browser {
			t.Fatalf("%+v, %v", in, err)
		}
		r.stands(token, true)
		r.stands(browser, false)
		_, _, err = r.enters(browser)
		r.wants(err, ErrNoChallenge)
		list, err := r.History(t.Context(), in.Actor, "clerk", Span{Limit: 10})
		if err != nil || len(list) != 1 || list[0].Method != MethodKey || list[0].Refusal != "" || list[0].Address != "192.0.2.1" {
			t.Errorf("%+v, %v", list, err)
		}
		if n := r.count(`SELECT COUNT(*) FROM login_challenge WHERE browser = $1 OR id = $1 OR agent = $1`, browser); n != 0 {
			t.Error("the token is kept")
		}
	})
}

func TestOfManyThatUseALoginAtOnceOneGetsASession(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		c, browser := r.asks("clerk")
		must(t, r.signs(c))
		var all sync.WaitGroup
		errs := make([]error, 8)
		for i := range errs {
			all.Go(func() { _, _, errs[i] = r.enters(browser) })
		}
		all.Wait()
		in := 0
		for _, err := range errs {
			if err == nil {
				in++
			} else if !fault.Has(err, ErrNoChallenge) {
				t.Error(err)
			}
		}
		if in != 1 {
			t.Errorf("%d got in", in)
		}
	})
}

func TestALoginByUSBKeyEndsWithItsTime(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		ctx := t.Context()
		late, first := r.asks("clerk")
		signed, second := r.asks("clerk")
		must(t, r.signs(signed))
		r.pass(ChallengeLife)
		r.wants(r.signs(late), ErrKeyExpired)
		for _, browser := range []string{first, second} {
			if s := r.state(browser); s != ChallengeOver {
				t.Error(s)
			}
			_, _, err := r.enters(browser)
			r.wants(err, ErrKeyExpired)
		}
		if list, err := r.Challenges(ctx, "clerk"); err != nil || len(list) != 0 {
			t.Errorf("%+v, %v", list, err)
		}
		// What nobody answered is told, once.
		must(t, r.ExpireChallenges(ctx))
		must(t, r.ExpireChallenges(ctx))
		list, err := r.History(ctx, r.admin, "clerk", Span{Limit: 10})
		if err != nil || len(list) != 2 || list[0].Refusal != "refused" || list[0].Reason != ErrKeyExpired.Code || list[0].Method != MethodKey || list[0].Address != "192.0.2.1" {
			t.Errorf("%+v, %v", list, err)
		}
	})
}

// TestWhoAsksDoesNotLearnWhoIsThere: a name that is nobody's, a person who does not answer, one who declines and one who retired look alike.
func TestWhoAsksDoesNotLearnWhoIsThere(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		ctx := t.Context()
		_, unanswered := r.asks("other")
		_, nobody := r.asks("no-such-person")
		declined, atTerminal := r.asks("clerk")
		must(t, r.Refused(ctx, declined, "agent.login-declined"))
		for _, browser := range []string{unanswered, nobody, atTerminal} {
			c, err := r.Asked(ctx, browser)
			if err != nil || c.State != ChallengeWaiting || !c.Expires.Equal(r.now.Add(ChallengeLife)) || len(c.Number) != 4 {
				t.Errorf("%+v, %v", c, err)
			}
			_, _, err = r.enters(browser)
			r.wants(err, ErrKeyWaits)
		}
		must(t, r.Access.RetireActor(ctx, r.admin, "clerk"))
		if c, _ := r.asks("clerk"); c.Actor != "" {
			t.Error("a login waits for somebody who retired")
		}
		r.wants(r.Refused(ctx, declined, "again"), ErrNoChallenge)
		r.pass(ChallengeLife)
		must(t, r.ExpireChallenges(ctx))
		for _, browser := range []string{unanswered, nobody, atTerminal} {
			if s := r.state(browser); s != ChallengeOver {
				t.Error(s)
			}
		}
		if n := r.count(`SELECT COUNT(*) FROM ledger_event WHERE entry LIKE '%' || $1 || '%'`, "no-such-person"); n != 0 {
			t.Error("a name that is nobody's is kept")
		}
		list, err := r.History(ctx, r.admin, "clerk", Span{Limit: 10})
		if err != nil || len(list) != 1 || list[0].Refusal != "refused" || list[0].Reason != "agent.login-declined" {
			t.Errorf("%+v, %v", list, err)
		}
	})
}

// TestSomebodyIsAskedAFewTimesOnly: whoever they are, and also where they are nobody.
func TestSomebodyIsAskedAFewTimesOnly(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		closed := func(name string) {
			t.Helper()
			_, _, err := r.Ask(t.Context(), name, Origin{})
			r.wants(err, ErrKeyTooMany)
			if f, ok := fault.Of(err); ok && f.RetryAfter() != askedTime-maxAsked*time.Second {
				t.Errorf("%s: again in %v", name, f.RetryAfter())
			}
		}
		for _, name := range []string{"clerk", "no-such-person"} {
			for range maxAsked {
				r.asks(name)
				r.pass(time.Second)
			}
			closed(name)
			r.pass(askedTime - maxAsked*time.Second) // the oldest of them counts no more
			r.asks(name)
			_, _, err := r.Ask(t.Context(), name, Origin{})
			r.wants(err, ErrKeyTooMany)
			r.pass(askedTime)
		}
		r.in()                   // passwords have a count of their own
		for range 2 * maxAsked { // and what came about is no reason to close
			c, browser := r.asks("clerk")
			must(t, r.signs(c))
			if _, _, err := r.enters(browser); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestWhatEndedMeanwhileEndsTheLogin(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		ctx := t.Context()
		c, browser := r.asks("clerk")
		must(t, r.signs(c))
		gone := fault.Spec{Kind: fault.Refused, Code: "test.gone", ZH: "没了。", EN: "Gone."}
		_, _, err := r.ByKey(ctx, browser, Origin{}, func(context.Context, store.Querier, Challenge) (string, error) {
			return "", errors.New("a fault of ours")
		})
		if err == nil || fault.Has(err, gone) {
			t.Fatal(err)
		}
		_, _, err = r.ByKey(ctx, browser, Origin{}, func(_ context.Context, _ store.Querier, at Challenge) (string, error) {
			if at.Terminal != "trm_1" || string(at.Certificate) != "certificate" {
				t.Errorf("%+v", at)
			}
			return "", gone.New()
		})
		r.wants(err, gone)
		_, _, err = r.enters(browser)
		r.wants(err, ErrKeyWaits)
		list, err := r.History(ctx, r.admin, "clerk", Span{Limit: 10})
		if err != nil || len(list) != 1 || list[0].Reason != "test.gone" {
			t.Errorf("%+v, %v", list, err)
		}
		c, browser = r.asks("clerk")
		must(t, r.signs(c))
		must(t, r.Access.RetireActor(ctx, r.admin, "clerk"))
		if _, _, err = r.enters(browser); err == nil {
			t.Error("somebody who retired got in")
		}
	})
}
