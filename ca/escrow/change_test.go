package escrow_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"yinxin/ca/escrow"
	"yinxin/internal/access"
)

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
		if n := w.count(`SELECT COUNT(*) FROM escrow_seal WHERE generation = 2`); n != 0 {
			t.Errorf("%d seals under a recovery key that was given up", n)
		}
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

func TestAKeyThatIsDestroyedWhileTheRecoveryKeyChangesDoesNotComeBack(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		w.established()
		p, q := w.issue("王五"), w.issue("赵六")
		w.pass(p.encryption.NotAfter.AddDate(escrow.DefaultRetention, 0, 1).Sub(w.time()))
		approval := w.approve(access.KindDestroyKey, escrow.DestroySubject(p.id))
		change := escrow.Change{Act: escrow.ActRotate, Division: escrow.Division{Threshold: 2, Officers: officers}, Why: "定期更换"}
		s := w.session(change)
		w.present(s.ID, w.shares...)
		w.Interrupt(func(step string) {
			if step == "sealed" {
				w.Interrupt(nil)
				must(t, w.Destroy(ctx, approval, p.id))
			}
		})
		out, err := w.Finish(ctx, w.registrar, s.ID)
		must(t, err)
		w.activate(out.Handouts)
		if n := w.count(`SELECT COUNT(*) FROM escrow_seal WHERE escrow_key = $1`, p.id); n != 0 {
			t.Errorf("%d seals of a destroyed key", n)
		}
		if n := w.count(`SELECT COUNT(*) FROM escrow_seal WHERE escrow_key = $1`, q.id); n != 1 {
			t.Errorf("%d seals of the other key", n)
		}
	})
}

// A process that dies in the middle of a change leaves the old shares in force, and the change can be made again.
func TestAChangeThatDiesLeavesTheOldSharesInForce(t *testing.T) {
	for _, at := range []string{"pending", "sealed"} {
		t.Run(at, func(t *testing.T) {
			ctx := context.Background()
			w := sqliteWorld(t).established()
			p := w.issue("王五")
			change := escrow.Change{Act: escrow.ActRotate, Division: escrow.Division{Threshold: 2, Officers: officers}, Why: "定期更换"}
			s := w.session(change)
			w.present(s.ID, w.shares[0], w.shares[1])
			dying, died := w.Centre, "died"
			dying.Interrupt(func(step string) {
				if step == at {
					panic(died)
				}
			})
			func() {
				defer func() {
					if recover() != died {
						t.Error("it did not die")
					}
				}()
				_, _ = dying.Finish(ctx, w.registrar, s.ID)
			}()
			w.Centre = w.open()
			q := w.issue("赵六") // sealed under both
			s, err := w.Resume(ctx, w.registrar, s.ID)
			must(t, err)
			w.present(s.ID, w.shares[1], w.shares[2])
			out, err := w.Finish(ctx, w.registrar, s.ID)
			must(t, err)
			w.activate(out.Handouts)
			for _, p := range []person{p, q} {
				o, recipient := w.recovery(p)
				s := w.session(o)
				w.present(s.ID, w.shares...)
				out, err := w.Finish(ctx, w.registrar, s.ID)
				must(t, err)
				w.wantKey(out.Envelope, recipient, p)
			}
		})
	}
}
