package escrow_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emmansun/gmsm/sm2"

	"yinxin/ca/envelope"
	"yinxin/ca/escrow"
	"yinxin/internal/access"
	"yinxin/keystore"
)

func (w *world) recovery(p person) (escrow.Recovery, *sm2.PrivateKey) {
	recipient := newKey(w.t)
	return escrow.Recovery{Key: p.id, Recipient: &recipient.PublicKey, For: "档案馆接任者", Why: "Key 遗失，需读取旧数据"}, recipient
}

// wantKey checks that an envelope holds the private key of a person's encryption certificate.
func (w *world) wantKey(envelopeDER []byte, recipient *sm2.PrivateKey, p person) {
	w.t.Helper()
	k, err := envelope.Parse(envelopeDER)
	must(w.t, err)
	key, err := k.Open(recipient)
	must(w.t, err)
	if !key.PublicKey.Equal(p.encryption.PublicKey) {
		w.t.Error("another key was recovered")
	}
}

func TestEnoughOfficersRecoverAKeyForTheRecipient(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		w.established()
		p := w.issue("王五")
		o, recipient := w.recovery(p)
		approval := w.approve(o.Kind(), o.Subject())
		s, err := w.Start(ctx, w.registrar, approval, o)
		must(t, err)
		if s.Threshold != 2 || s.Round != 1 || s.Key != p.id || !s.Expires.Equal(w.time().Add(escrow.DefaultSessionTerm)) {
			t.Errorf("%+v", s)
		}
		_, err = w.Finish(ctx, w.registrar, s.ID)
		wantCode(t, err, escrow.ErrTooFew)
		missing, err := w.Present(ctx, access.Actor{ID: "qian"}, s.ID, w.shares[0].Share)
		if err != nil || missing != 1 {
			t.Errorf("%d missing, %v", missing, err)
		}
		_, err = w.Finish(ctx, w.registrar, s.ID)
		wantCode(t, err, escrow.ErrTooFew)
		_, err = w.Present(ctx, access.Actor{ID: "qian"}, s.ID, w.shares[0].Share)
		wantCode(t, err, escrow.ErrSharePresented)
		missing, err = w.Present(ctx, access.Actor{ID: "zhou"}, s.ID, w.shares[2].Share)
		if err != nil || missing != 0 {
			t.Errorf("%d missing, %v", missing, err)
		}
		_, err = w.Collect(ctx, w.registrar, s.ID)
		wantCode(t, err, escrow.ErrSessionEnded)
		out, err := w.Finish(ctx, w.registrar, s.ID)
		must(t, err)
		w.wantKey(out.Envelope, recipient, p)
		if string(out.Certificate) != string(p.encryption.Raw) {
			t.Error("another certificate came with it")
		}

		// Nothing of it can be done again.
		_, err = w.Finish(ctx, w.registrar, s.ID)
		wantCode(t, err, escrow.ErrSession)
		_, err = w.Resume(ctx, w.registrar, s.ID)
		wantCode(t, err, escrow.ErrSessionEnded)
		_, err = w.Start(ctx, w.registrar, approval, o)
		wantCode(t, err, access.ErrUsed)
		again, err := w.open().Collect(ctx, w.registrar, s.ID)
		must(t, err)
		w.wantKey(again, recipient, p)
		for kind, n := range map[string]int{"escrow.session-opened": 1, "escrow.share-presented": 2, "escrow.key-recovered": 1, "escrow.key-collected": 1} {
			if got := w.count(`SELECT COUNT(*) FROM ledger_event WHERE kind = $1`, kind); got != n {
				t.Errorf("%d entries %s, want %d", got, kind, n)
			}
		}
	})
}

func TestWhatWasNotApprovedOpensNoSession(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		w.established()
		p, q := w.issue("王五"), w.issue("赵六")
		o, _ := w.recovery(p)
		approval := w.approve(o.Kind(), o.Subject())
		start := func(approval string, o escrow.Order) error {
			_, err := w.Start(ctx, w.registrar, approval, o)
			return err
		}
		other, recipient, why := o, o, o
		other.Key, recipient.Recipient, why.Why = q.id, &newKey(t).PublicKey, "另有原因"
		for name, o := range map[string]escrow.Order{"another key": other, "another recipient": recipient, "another reason": why} {
			if err := start(approval, o); !strings.Contains(fmt.Sprint(err), access.ErrOtherSubject.Code) {
				t.Errorf("%s: %v", name, err)
			}
		}
		wantCode(t, start("req_none", o), access.ErrNotApproved)
		open, err := w.access.Request(ctx, w.registrar, o.Kind(), o.Subject())
		must(t, err)
		wantCode(t, start(open, o), access.ErrNotApproved)
		wantCode(t, w.access.Approve(ctx, w.registrar, open), access.ErrRole)
		change := escrow.Change{Act: escrow.ActRotate, Division: escrow.Division{Threshold: 2, Officers: officers}, Why: "轮换"}
		wantCode(t, start(approval, change), access.ErrOtherSubject)
		for name, o := range map[string]escrow.Order{
			"no key": escrow.Recovery{Recipient: o.Recipient, For: "x", Why: "x"}, "no recipient": escrow.Recovery{Key: p.id, For: "x", Why: "x"},
			"no reason": escrow.Recovery{Key: p.id, Recipient: o.Recipient, For: "x"}, "a reason of many lines": escrow.Recovery{Key: p.id, Recipient: o.Recipient, For: "x", Why: "a\nb"},
			"another act": escrow.Change{Act: escrow.ActRecover, Division: change.Division, Why: "x"}} {
			if err := start(approval, o); !strings.Contains(fmt.Sprint(err), escrow.ErrOrder.Code) {
				t.Errorf("%s: %v", name, err)
			}
		}
		must(t, start(approval, o)) // nothing of the above used it up
	})
}

func TestWrongSharesAreCountedAndEndTheSession(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		w.established()
		p := w.issue("王五")
		o, _ := w.recovery(p)
		s := w.session(o)
		_, _, foreign, err := keystore.Split(2, 3, keystore.Fingerprint{})
		must(t, err)
		present := func(officer string, share keystore.Share) error {
			_, err := w.Present(ctx, access.Actor{ID: officer}, s.ID, share)
			return err
		}
		must(t, present("qian", w.shares[0].Share))
		wantCode(t, present("sun", foreign[1]), escrow.ErrShareRefused)
		wantCode(t, present("sun", keystore.Share{}), escrow.ErrShareRefused)
		wantCode(t, present("sun", w.shares[2].Share), escrow.ErrNotYourShare)
		wantCode(t, present("zhang", w.shares[1].Share), escrow.ErrNotYourShare)
		if n := w.count(`SELECT refused FROM escrow_session WHERE id = $1`, s.ID); n != 4 {
			t.Errorf("%d were counted", n)
		}
		wantCode(t, present("sun", foreign[1]), escrow.ErrShareRefused)
		wantCode(t, present("sun", w.shares[1].Share), escrow.ErrSession)
		_, err = w.Resume(ctx, w.registrar, s.ID)
		wantCode(t, err, escrow.ErrSessionEnded)
		if n := w.count(`SELECT COUNT(*) FROM ledger_event WHERE kind = 'escrow.share-refused'`); n != 5 {
			t.Errorf("%d refusals in the ledger", n)
		}
		// An altered share is known by its number.
		text := w.shares[1].Share.Text()
		if _, err := keystore.ParseShare([]byte(strings.Replace(text, "1: ", "1: 1", 1))); err == nil {
			t.Error("a mistyped share was read")
		}
	})
}

func TestASessionExpiresAndIsOpenedAnewTwice(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		w.established()
		p := w.issue("王五")
		o, recipient := w.recovery(p)
		s := w.session(o)
		w.present(s.ID, w.shares[0], w.shares[1])
		w.pass(escrow.DefaultSessionTerm)
		_, err := w.Finish(ctx, w.registrar, s.ID)
		wantCode(t, err, escrow.ErrSessionExpired)
		_, err = w.Present(ctx, access.Actor{ID: "zhou"}, s.ID, w.shares[2].Share)
		wantCode(t, err, escrow.ErrSession)

		// Another process takes over; the first one, should it still hold the session, is out.
		second, third := w.open(), w.open()
		s, err = second.Resume(ctx, w.registrar, s.ID)
		if err != nil || s.Round != 2 || len(s.Presented) != 0 || s.Act != escrow.ActRecover || s.Key != p.id {
			t.Fatalf("%+v, %v", s, err)
		}
		_, err = second.Present(ctx, access.Actor{ID: "qian"}, s.ID, w.shares[0].Share)
		must(t, err)
		_, err = second.Present(ctx, access.Actor{ID: "sun"}, s.ID, w.shares[1].Share)
		must(t, err)
		s, err = third.Resume(ctx, w.registrar, s.ID)
		must(t, err)
		_, err = second.Finish(ctx, w.registrar, s.ID)
		wantCode(t, err, escrow.ErrSessionEnded)
		_, err = third.Finish(ctx, w.registrar, s.ID)
		wantCode(t, err, escrow.ErrTooFew)
		for _, h := range w.shares[1:] {
			_, err = third.Present(ctx, access.Actor{ID: h.Officer}, s.ID, h.Share)
			must(t, err)
		}
		out, err := third.Finish(ctx, w.registrar, s.ID)
		must(t, err)
		w.wantKey(out.Envelope, recipient, p)

		s = w.session(escrow.Recovery{Key: p.id, Recipient: o.Recipient, For: "x", Why: "x"})
		for range 2 {
			_, err = w.Resume(ctx, w.registrar, s.ID)
			must(t, err)
		}
		_, err = w.Resume(ctx, w.registrar, s.ID)
		wantCode(t, err, escrow.ErrRounds)
		_, err = w.Resume(ctx, w.registrar, s.ID)
		wantCode(t, err, escrow.ErrSessionEnded)
	})
}

func TestTwoWhoFinishAtOnceGetOneResult(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		w.established()
		o, _ := w.recovery(w.issue("王五"))
		s := w.session(o)
		w.present(s.ID, w.shares[0], w.shares[1])
		var group sync.WaitGroup
		var lock sync.Mutex
		done := 0
		for range 4 {
			group.Go(func() {
				if _, err := w.Finish(context.Background(), w.registrar, s.ID); err == nil {
					lock.Lock()
					done++
					lock.Unlock()
				}
			})
		}
		group.Wait()
		if done != 1 || w.count(`SELECT COUNT(*) FROM ledger_event WHERE kind = 'escrow.key-recovered'`) != 1 {
			t.Errorf("%d results", done)
		}
	})
}

// A key that was moved into another row, or whose row says something else, does not open.
func TestASealedKeyOpensInItsPlaceOnly(t *testing.T) {
	for name, change := range map[string]string{
		"the seal of another key":       `UPDATE escrow_seal SET wrapped = (SELECT wrapped FROM escrow_seal WHERE escrow_key = $2), nonce = (SELECT nonce FROM escrow_seal WHERE escrow_key = $2), sealed = (SELECT sealed FROM escrow_seal WHERE escrow_key = $2) WHERE escrow_key = $1 AND $2 = $2`,
		"another holder":                `UPDATE escrow_key SET holder = 'user-2' WHERE id = $1 AND $2 = $2`,
		"another public key":            `UPDATE escrow_key SET public_key = signing_key WHERE id = $1 AND $2 = $2`,
		"a seal that is not there":      `DELETE FROM escrow_seal WHERE escrow_key = $1 AND $2 = $2`,
		"a sealed text that is altered": `UPDATE escrow_seal SET sealed = wrapped WHERE escrow_key = $1 AND $2 = $2`,
	} {
		t.Run(name, func(t *testing.T) {
			w := sqliteWorld(t).established()
			p, q := w.issue("王五"), w.issue("赵六")
			must(t, w.exec(change, p.id, q.id))
			o, _ := w.recovery(p)
			s := w.session(o)
			w.present(s.ID, w.shares...)
			_, err := w.Finish(context.Background(), w.registrar, s.ID)
			wantCode(t, err, escrow.ErrDamaged)
		})
	}
}

func TestEstablishingIsDoneOnceAndCountsWhenTheSharesWereShown(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		charge := [2]string{"zhang", "li"}
		division := escrow.Division{Threshold: 2, Officers: officers}
		establish := func(charge [2]string, d escrow.Division) error { _, err := w.Establish(ctx, charge, d); return err }
		wantCode(t, establish([2]string{"zhang", "zhang"}, division), escrow.ErrOfficers)
		wantCode(t, establish([2]string{"zhang", "qian"}, division), escrow.ErrOfficers)
		wantCode(t, establish(charge, escrow.Division{Threshold: 2, Officers: []string{"qian", "qian"}}), escrow.ErrOfficers)
		wantCode(t, establish(charge, escrow.Division{Threshold: 2, Officers: []string{"qian", "nobody"}}), access.ErrActorNotFound)
		wantCode(t, establish(charge, escrow.Division{Threshold: 1, Officers: officers}), escrow.ErrNumbers)
		wantCode(t, establish(charge, escrow.Division{Threshold: 4, Officers: officers}), escrow.ErrNumbers)
		wantCode(t, w.Activate(ctx, w.registrar), escrow.ErrNothingPending)

		lost, err := w.Establish(ctx, charge, division)
		must(t, err)
		p := w.signer("王五")
		_, err = w.Make(ctx, escrow.Holder{ID: "x", Signing: p.signing})
		wantCode(t, err, escrow.ErrNotEstablished)
		handouts, err := w.Establish(ctx, charge, division)
		must(t, err)
		wantCode(t, w.Activate(ctx, w.registrar, sharesOf(lost)...), escrow.ErrShareRefused)
		wantCode(t, w.Activate(ctx, w.registrar, handouts[0].Share), escrow.ErrTooFew)
		wantCode(t, w.Activate(ctx, w.registrar, handouts[0].Share, handouts[0].Share), escrow.ErrShareRefused)
		w.activate(handouts[1:])
		wantCode(t, establish(charge, division), escrow.ErrEstablished)
		st, err := w.Status(ctx)
		must(t, err)
		if st.Current == nil || st.Pending != nil || st.Current.Threshold != 2 || fmt.Sprint(st.Current.Officers) != fmt.Sprint(officers) {
			t.Errorf("%+v", st.Current)
		}
		if text, err := json.Marshal(handouts); err != nil || strings.Contains(string(text), handouts[0].Share.Text()[len(handouts[0].Share.Text())-20:]) {
			t.Errorf("%s %v", text, err)
		}
	})
}

func TestAnotherSplitMakesTheOldSharesWorthless(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		w.established()
		p := w.issue("王五")
		old := w.shares
		change := escrow.Change{Act: escrow.ActResplit, Division: escrow.Division{Threshold: 3, Officers: []string{"qian", "sun", "wu", "zheng"}}, Why: "周某调离"}
		s := w.session(change)
		w.present(s.ID, old[0], old[1])
		out, err := w.Finish(ctx, w.registrar, s.ID)
		must(t, err)
		// Until the new shares were shown, the old ones count: a crash here loses nothing.
		o, recipient := w.recovery(p)
		s = w.session(o)
		w.present(s.ID, old[1], old[2])
		result, err := w.Finish(ctx, w.registrar, s.ID)
		must(t, err)
		w.wantKey(result.Envelope, recipient, p)

		waiting := w.session(escrow.Recovery{Key: p.id, Recipient: o.Recipient, For: "x", Why: "x"})
		w.present(waiting.ID, old[0], old[1])
		w.activate(out.Handouts)
		_, err = w.Finish(ctx, w.registrar, waiting.ID)
		wantCode(t, err, escrow.ErrSessionEnded)
		s = w.session(escrow.Recovery{Key: p.id, Recipient: o.Recipient, For: "y", Why: "y"})
		_, err = w.Present(ctx, access.Actor{ID: "qian"}, s.ID, old[0].Share)
		wantCode(t, err, escrow.ErrShareRefused)
		w.present(s.ID, w.shares[0], w.shares[2])
		_, err = w.Finish(ctx, w.registrar, s.ID)
		wantCode(t, err, escrow.ErrTooFew)
		w.present(s.ID, w.shares[3])
		result, err = w.Finish(ctx, w.registrar, s.ID)
		must(t, err)
		w.wantKey(result.Envelope, recipient, p)
	})
}

func TestAnotherRecoveryKeyTakesEveryKeyAlong(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		w.established()
		people := []person{w.issue("王五"), w.issue("赵六")}
		old := w.shares
		change := escrow.Change{Act: escrow.ActRotate, Division: escrow.Division{Threshold: 2, Officers: []string{"wu", "zheng"}}, Why: "定期更换"}
		s := w.session(change)
		w.present(s.ID, old[0], old[1])
		out, err := w.Finish(ctx, w.registrar, s.ID)
		must(t, err)
		people = append(people, w.issue("孙七")) // between the two: sealed under both
		if n := w.count(`SELECT COUNT(*) FROM escrow_seal`); n != 6 {
			t.Errorf("%d seals, want 6", n)
		}
		must(t, w.exec(`DELETE FROM escrow_seal WHERE escrow_key = $1 AND generation = 2`, people[1].id))
		wantCode(t, w.Activate(ctx, w.registrar, sharesOf(out.Handouts)...), escrow.ErrIncomplete)

		s = w.session(change) // once more from the beginning: what came to nothing is abandoned
		w.present(s.ID, old[1], old[2])
		again, err := w.Finish(ctx, w.registrar, s.ID)
		must(t, err)
		wantCode(t, w.Activate(ctx, w.registrar, sharesOf(out.Handouts)...), escrow.ErrShareRefused)
		w.activate(again.Handouts)
		if n := w.count(`SELECT COUNT(*) FROM escrow_seal WHERE generation <> 3`); n != 0 {
			t.Errorf("%d seals under other recovery keys", n)
		}
		if n := w.count(`SELECT COUNT(*) FROM escrow_split WHERE sealed IS NOT NULL`); n != 1 {
			t.Errorf("%d recovery keys are still there", n)
		}
		people = append(people, w.issue("周八"))
		for _, p := range people {
			o, recipient := w.recovery(p)
			s := w.session(o)
			w.present(s.ID, w.shares...)
			out, err := w.Finish(ctx, w.registrar, s.ID)
			must(t, err)
			w.wantKey(out.Envelope, recipient, p)
		}
		w.pass(time.Minute)
		st, err := w.Status(ctx)
		must(t, err)
		if st.Current.Generation != 3 || st.Keys["escrowed"] != 4 {
			t.Errorf("%+v", st)
		}
	})
}
