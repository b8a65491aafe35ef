package login

import (
	"context"
	"testing"
	"time"

	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/store"
)

func goodKey(context.Context, store.Querier, Key) error { return nil }

// offers has a terminal of somebody offer a USB Key.
func (r *room) offers(actor, public string) Key {
	r.t.Helper()
	k, err := r.OfferKey(r.t.Context(), Key{Actor: actor, Certificate: []byte("certificate of " + public), Public: public, Terminal: "trm_1"})
	must(r.t, err)
	return k
}

func (r *room) opening(actor string) (ids []string) {
	r.t.Helper()
	list, err := r.KeysOpening(r.t.Context(), r.DB.Read(), actor)
	must(r.t, err)
	for _, k := range list {
		ids = append(ids, k.ID)
	}
	return ids
}

// byKey signs somebody in with a Key.
func (r *room) byKey(actor, key string) string {
	r.t.Helper()
	c, browser := r.asks(actor)
	must(r.t, r.signs(c))
	_, token, err := r.ByKey(r.t.Context(), browser, Origin{}, func(context.Context, store.Querier, Challenge) (string, error) { return key, nil })
	must(r.t, err)
	return token
}

func TestAKeyCountsWhenItsOwnerHasConfirmedIt(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		ctx := t.Context()
		in, _ := r.in()
		forgotten := r.offers("clerk", "1")
		k := r.offers("clerk", "1")
		if ids := r.opening("clerk"); len(ids) != 0 {
			t.Errorf("%v opens without a word of its owner", ids)
		}
		r.wants(r.ConfirmKey(ctx, in, forgotten.ID, right, Origin{}, goodKey), ErrKeyNotFound)
		r.wants(r.ConfirmKey(ctx, in, k.ID, wrong, Origin{}, goodKey), ErrRefused)
		bad := fault.Spec{Kind: fault.Refused, Code: "test.bad", ZH: "不好。", EN: "Bad."}
		r.wants(r.ConfirmKey(ctx, in, k.ID, right, Origin{}, func(_ context.Context, _ store.Querier, at Key) error {
			if string(at.Certificate) != "certificate of 1" || at.Terminal != "trm_1" {
				t.Errorf("%+v", at)
			}
			return bad.New()
		}), bad)
		must(t, r.FoundingPassword(ctx, "other", right))
		stranger, _, err := r.try("other", right)
		must(t, err)
		r.wants(r.ConfirmKey(ctx, stranger, k.ID, right, Origin{}, goodKey), ErrKeyNotFound)
		must(t, r.ConfirmKey(ctx, in, k.ID, right, Origin{Address: "192.0.2.1"}, goodKey))
		if ids := r.opening("clerk"); len(ids) != 1 || ids[0] != k.ID {
			t.Errorf("%v", ids)
		}
		// Nobody else signs in with the same key.
		same := r.offers("other", "1")
		r.wants(r.ConfirmKey(ctx, stranger, same.ID, right, Origin{}, goodKey), ErrKeyTaken)
		// A renewed certificate takes the place of the one before, and what that opened has ended.
		before := r.byKey("clerk", k.ID)
		r.stands(before, true)
		renewed := r.offers("clerk", "1")
		must(t, r.ConfirmKey(ctx, in, renewed.ID, right, Origin{}, goodKey))
		r.stands(before, false)
		// Too late is too late.
		late := r.offers("clerk", "2")
		r.pass(OfferLife)
		r.wants(r.ConfirmKey(ctx, in, late.ID, right, Origin{}, goodKey), ErrKeyNotFound)
		for kind, want := range map[string]int{"login.key-offered": 5, "login.key-confirmed": 2} {
			if n := r.count(`SELECT COUNT(*) FROM ledger_event WHERE kind = $1`, kind); n != want {
				t.Errorf("%d entries of %s, want %d", n, kind, want)
			}
		}
	})
}

func TestAKeyEnds(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		ctx := t.Context()
		in, password := r.in()
		confirmed := func(public string) Key {
			k := r.offers("clerk", public)
			must(t, r.ConfirmKey(ctx, in, k.ID, right, Origin{}, goodKey))
			return k
		}
		one, two := confirmed("1"), confirmed("2")
		first, second := r.byKey("clerk", one.ID), r.byKey("clerk", two.ID)
		other, err := r.Access.Actor(ctx, "other")
		must(t, err)
		r.wants(r.EndKey(ctx, other, "clerk", one.ID), access.ErrRole)
		r.wants(r.EndKey(ctx, other, "other", one.ID), ErrKeyNotFound)
		if _, err := r.KeysOf(ctx, other, "clerk"); !fault.Has(err, access.ErrRole) {
			t.Error(err)
		}
		must(t, r.EndKey(ctx, in.Actor, "clerk", one.ID))
		r.wants(r.EndKey(ctx, in.Actor, "clerk", one.ID), ErrKeyNotFound)
		r.stands(first, false)
		r.stands(second, true)
		must(t, r.EndKey(ctx, r.admin, "clerk", two.ID))
		r.stands(second, false)
		r.stands(password, true)
		if list, err := r.KeysOf(ctx, r.admin, "clerk"); err != nil || len(list) != 0 {
			t.Errorf("%+v, %v", list, err)
		}
		if n := r.count(`SELECT COUNT(*) FROM ledger_event WHERE kind = 'login.key-ended'`); n != 2 {
			t.Errorf("%d entries", n)
		}
		for n := range maxKeys {
			confirmed(string(rune('a' + n)))
		}
		more := r.offers("clerk", "more")
		r.wants(r.ConfirmKey(ctx, in, more.ID, right, Origin{}, goodKey), ErrKeyMany)
		// The Key of somebody who was retired may be that of who is recorded anew.
		must(t, r.FoundingPassword(ctx, "other", right))
		anew, _, err := r.try("other", right)
		must(t, err)
		must(t, r.Access.RetireActor(ctx, r.admin, "clerk"))
		again := r.offers("other", "a")
		must(t, r.ConfirmKey(ctx, anew, again.ID, right, Origin{}, goodKey))
	})
}

// Whoever set a password from afar could have confirmed a Key of their own with it.
func TestAKeyConfirmedFromAfarLetsNoOfficerIn(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		ctx := t.Context()
		officers := r.officers()
		must(t, r.ResetPassword(ctx, r.admin, "other", right))
		in, _, err := r.try("other", right)
		must(t, err)
		k := r.offers("other", "1")
		r.wants(r.ConfirmKey(ctx, in, k.ID, right, Origin{}, goodKey), ErrMustChange)
		must(t, r.ChangePassword(ctx, in, right, right+"-2", Origin{}))
		in, _, err = r.try("other", right+"-2")
		must(t, err)
		must(t, r.ConfirmKey(ctx, in, k.ID, right+"-2", Origin{}, goodKey))
		opened := r.byKey("other", k.ID)
		r.stands(opened, true)
		r.promote(officers, "other")
		r.stands(opened, false)
		if ids := r.opening("other"); len(ids) != 0 {
			t.Errorf("%v opens", ids)
		}
		// With a password that was set on the machine itself it counts; and what such a Key opened does, too.
		must(t, r.SetPassword(ctx, r.admin, "other", right))
		in, _, err = r.try("other", right)
		must(t, err)
		must(t, r.ChangePassword(ctx, in, right, right+"-3", Origin{}))
		in, _, err = r.try("other", right+"-3")
		must(t, err)
		k = r.offers("other", "1")
		must(t, r.ConfirmKey(ctx, in, k.ID, right+"-3", Origin{}, goodKey))
		opened = r.byKey("other", k.ID)
		r.stands(opened, true)
		r.pass(time.Minute)
		in, err = r.Session(ctx, opened)
		must(t, err)
		next := r.offers("other", "2")
		must(t, r.ConfirmKey(ctx, in, next.ID, right+"-3", Origin{}, goodKey))
		if ids := r.opening("other"); len(ids) != 2 {
			t.Errorf("%v", ids)
		}
	})
}
