package escrow_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

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

func TestASubjectIsReadAsItWasWritten(t *testing.T) {
	good := []escrow.Order{
		escrow.Recovery{Key: "enc_1", Recipient: &newKey(t).PublicKey, For: "接任者", Why: "旧数据 <&>"},
		escrow.Change{Act: escrow.ActResplit, Division: escrow.Division{Threshold: 2, Officers: officers}, Why: "调离"},
	}
	for _, o := range good {
		read, err := escrow.ParseOrder(o.Subject())
		if err != nil || string(read.Subject()) != string(o.Subject()) || read.Kind() != o.Kind() {
			t.Errorf("%s: %v", o.Subject(), err)
		}
		for _, bad := range []string{"", "{}", "null", "[]", string(o.Subject()) + " ", strings.Replace(string(o.Subject()), " 1\"", " 2\"", 1),
			strings.Replace(string(o.Subject()), "\"why\"", "\"more\":1,\"why\"", 1), strings.Replace(string(o.Subject()), "04", "05", 1) + "x"} {
			_, err := escrow.ParseOrder([]byte(bad))
			wantCode(t, err, escrow.ErrOrder)
		}
	}
	id, err := escrow.ParseDestroySubject(escrow.DestroySubject("enc_1"))
	if err != nil || id != "enc_1" {
		t.Errorf("%s %v", id, err)
	}
	for _, bad := range []string{"", "enc_1", "yinxin escrow destruction 1\nkey \n"} {
		_, err := escrow.ParseDestroySubject([]byte(bad))
		wantCode(t, err, escrow.ErrOrder)
	}
}
