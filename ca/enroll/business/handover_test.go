package business_test

import (
	"testing"

	"yinxin/ca"
	"yinxin/ca/enroll"
	"yinxin/ca/enroll/business"
	"yinxin/ca/enroll/form"
	"yinxin/internal/access"
	"yinxin/internal/fault"
)

// TestAKeyIsFollowedToItsHolder: who waits, what was made, what is on the Key, and who has it.
func TestAKeyIsFollowedToItsHolder(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		f := w.filled(form.New)
		f.Methods = []form.Method{form.Distributed}
		a := w.approved(f, w.person(3, userPerson, enroll.StatusActive), w.person(4, otherPerson, enroll.StatusActive))
		user, other, key := w.actorOf(userPerson), w.actorOf(otherPerson), newToken(t)
		state := func(want business.KeyState) business.PersonalKey {
			t.Helper()
			k, err := w.USBKey(ctx, w.registrar, a.ID, user.ID)
			w.must(err)
			if k.State != want || k.Name != userPerson.Name || k.SealName != w.unit.Name {
				t.Errorf("%+v, want it %s", k, want)
			}
			return k
		}
		if unit, holder, err := w.PersonOf(ctx, w.registrar, user.ID); err != nil || unit != w.unit.ID || holder == "" {
			t.Errorf("%s, %s, %v", unit, holder, err)
		}
		list, err := w.USBKeys(ctx, w.approver, business.KeyFilter{State: business.KeyWaiting, Limit: 10})
		if err != nil || len(list) != 2 {
			t.Fatalf("%+v, %v", list, err)
		}
		first := list[0]
		if list, err = w.USBKeys(ctx, w.approver, business.KeyFilter{Open: true, After: first.Place(), Limit: 10}); err != nil || len(list) != 1 || list[0].Actor == first.Actor {
			t.Errorf("behind the first: %+v, %v", list, err)
		}
		if n, err := w.CountOpenUSBKeys(ctx, w.approver); err != nil || n != 2 {
			t.Errorf("%d are open, %v", n, err)
		}
		if _, err := w.CountOpenUSBKeys(ctx, w.handler); !fault.Has(err, access.ErrRole) {
			t.Errorf("a handler counts them: %v", err)
		}
		_, err = w.USBKeys(ctx, w.handler, business.KeyFilter{Limit: 10})
		w.want(err, access.ErrRole)
		state(business.KeyWaiting)

		given := business.HandOver{Token: "YX00000000000001", On: "2026-03-05", Receipt: "领取单2026-0007"}
		hand := func() error { return w.HandOver(ctx, w.registrar, a.ID, user.ID, given) }
		w.want(hand(), business.ErrNotDone)
		k, err := w.IssueKey(ctx, w.registrar, a.ID, user.ID, key.request(t))
		w.must(err)
		if shown := state(business.KeyIssued); shown.Escrow != k.Escrow || shown.Signing != ca.SerialText(k.Signing.Serial) || len(shown.Instances) != 1 || shown.Instances[0] != k.Seals[0] {
			t.Errorf("%+v", shown)
		}
		w.want(hand(), business.ErrNotDone)
		w.must(w.Escrow.Confirm(ctx, w.registrar, k.Escrow))
		state(business.KeyWritten)
		w.want(hand(), business.ErrToken)
		_, err = w.RegisterToken(ctx, w.registrar, given.Token, other.ID)
		w.must(err)
		w.want(hand(), business.ErrToken)
		_, err = w.RegisterToken(ctx, w.registrar, given.Token, user.ID)
		w.must(err)
		w.want(w.HandOver(ctx, w.approver, a.ID, user.ID, given), access.ErrRole)
		w.want(w.HandOver(ctx, w.registrar, a.ID, "platform", given), business.ErrNoKey)
		for _, wrong := range []business.HandOver{{Token: given.Token, On: "2026-03-06", Receipt: "1"}, {Token: given.Token, On: "never", Receipt: "1"}, {Token: given.Token, On: given.On}} {
			w.want(w.HandOver(ctx, w.registrar, a.ID, user.ID, wrong), enroll.ErrField)
		}
		w.want(w.HandOver(ctx, w.registrar, a.ID, user.ID, business.HandOver{Token: given.Token, On: given.On, Receipt: userPerson.Mobile}), enroll.ErrPersonal)
		w.must(hand())
		if shown := state(business.KeyHandedOver); shown.Token != given.Token || shown.On != given.On || shown.Receipt != given.Receipt {
			t.Errorf("%+v", shown)
		}
		w.want(hand(), business.ErrDone)
		if n := w.count(`SELECT COUNT(*) FROM ledger_event WHERE kind = 'key.handed-over' AND actor = 'registrar' AND subject = $1`, ca.SerialText(k.Signing.Serial)); n != 1 {
			t.Errorf("%d entries of the hand-over", n)
		}
		if n, err := w.CountOpenUSBKeys(ctx, w.registrar); err != nil || n != 1 {
			t.Errorf("%d are open, %v", n, err)
		}
		if list, err = w.USBKeys(ctx, w.registrar, business.KeyFilter{Open: true, Limit: 10}); err != nil || len(list) != 1 || list[0].Actor != other.ID {
			t.Errorf("still open: %+v, %v", list, err)
		}
		held, err := w.HeldBy(ctx, w.registrar, user.ID)
		if err != nil || len(held) != 2 || held[0].State != ca.RecordGood {
			t.Errorf("%+v, %v", held, err)
		}
		tokens, err := w.Tokens(ctx, w.approver, business.TokenFilter{Holder: user.ID, Limit: 10})
		if err != nil || len(tokens) != 1 || tokens[0].Name != userPerson.Name || !tokens[0].Released.IsZero() {
			t.Errorf("%+v, %v", tokens, err)
		}
		_, err = w.Token(ctx, w.registrar, "YX00000000000002")
		w.want(err, business.ErrToken)
		_, err = w.Token(ctx, w.handler, given.Token)
		w.want(err, access.ErrRole)
	})
}
