package business_test

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/emmansun/gmsm/sm2"
	"github.com/jackc/pgx/v5/pgconn"

	"yinxin/ca"
	"yinxin/ca/chain"
	"yinxin/ca/enroll"
	"yinxin/ca/enroll/business"
	"yinxin/ca/enroll/form"
	"yinxin/ca/envelope"
	"yinxin/ca/escrow"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/store"
)

// troubled is the register with drafts that go wrong at one place.
type troubled struct {
	business.Seals
	at func(place string) error
}

type troubledDraft struct {
	business.SealDraft
	at func(place string) error
}

func (s troubled) PrepareSeal(approvalID string, o business.SealOrder) (business.SealDraft, error) {
	d, err := s.Seals.PrepareSeal(approvalID, o)
	return troubledDraft{d, s.at}, err
}

func (s troubled) PrepareSealRenewal(ctx context.Context, instanceID, keyName string) (business.SealDraft, error) {
	d, err := s.Seals.PrepareSealRenewal(ctx, instanceID, keyName)
	return troubledDraft{d, s.at}, err
}

func (d troubledDraft) Intend(ctx context.Context, tx *store.Tx) error {
	return errors.Join(d.SealDraft.Intend(ctx, tx), d.at("intended"))
}

func (d troubledDraft) Make(ctx context.Context, c *chain.Certificate) error {
	return errors.Join(d.SealDraft.Make(ctx, c), d.at("made"))
}

func (d troubledDraft) Complete(ctx context.Context, tx *store.Tx, c *chain.Certificate) error {
	return errors.Join(d.SealDraft.Complete(ctx, tx, c), d.at("completed"))
}

var errTrouble = errors.New("a failure that the test made")

// once fails at one place, one time.
func once(place string, with error) func(string) error {
	var lock sync.Mutex
	failed := false
	return func(at string) error {
		lock.Lock()
		defer lock.Unlock()
		if at != place || failed {
			return nil
		}
		failed = true
		return with
	}
}

func (w *world) trouble(at func(string) error) {
	w.Service.Seals = troubled{w.register.ForBusiness(), at}
}

func TestWhatCannotBeRepeatedSaysWhatToDo(t *testing.T) {
	for _, place := range []string{"made", "completed"} {
		eachWorld(t, func(t *testing.T, w *world) {
			ctx := t.Context()
			w.trouble(once(place, errTrouble))
			a := w.approved(w.filled(form.New))
			if err := w.CarryOut(ctx, w.registrar, a.ID); !errors.Is(err, errTrouble) {
				t.Fatalf("%v", err)
			}
			healthy := w.approved(w.filled(form.New))
			for range 2 {
				w.want(w.CarryOut(ctx, w.registrar, a.ID), business.ErrSpent)
				w.want(w.CarryOutAll(ctx), business.ErrSpent)
			}
			if s := w.again(healthy).State; s != enroll.StateIssued {
				t.Errorf("the other application is %s", s)
			}
			if n := w.count(`SELECT COUNT(*) FROM seal_instance`); n != 1 {
				t.Errorf("%d instances", n)
			}
			w.with(w.enroll.Abort(ctx, w.registrar, w.again(a).Ref(), "签发失败"))
			w.must(w.CarryOutAll(ctx))
			w.with(w.enroll.Close(ctx, w.registrar, w.again(a).Ref(), "重新申请"))
			again := w.approved(w.filled(form.New))
			w.must(w.CarryOut(ctx, w.registrar, again.ID))
			w.with(w.enroll.Accept(ctx, w.handler, w.again(again).Ref()))
		})
	}
}

func TestWhatFailedBeforeTheIntentIsRepeated(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		w.trouble(once("intended", errTrouble))
		a := w.approved(w.filled(form.New))
		if err := w.CarryOut(t.Context(), w.registrar, a.ID); !errors.Is(err, errTrouble) {
			t.Fatalf("%v", err)
		}
		w.accepted(a)
		if _, refusal := w.usable(w.platform); refusal != "" {
			t.Error(refusal)
		}
	})
}

// errPower is the panic that stands for the end of the process.
var errPower = errors.New("the process ends here")

func TestAProcessThatDiesLeavesNothingHalfDone(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		a := w.approved(w.filled(form.New))
		w.trouble(func(place string) error {
			if place == "made" {
				panic(errPower)
			}
			return nil
		})
		func() {
			defer func() {
				if p := recover(); p != errPower {
					t.Errorf("it ended with %v", p)
				}
			}()
			t.Error(w.CarryOut(ctx, w.registrar, a.ID))
		}()
		w.trouble(func(string) error { return nil })
		w.want(w.CarryOut(ctx, w.registrar, a.ID), business.ErrSpent)
		w.pass(time.Hour)
		w.must(w.Authority.Recover(ctx))
		w.want(w.CarryOut(ctx, w.registrar, a.ID), business.ErrSpent)
		if n := w.count(`SELECT COUNT(*) FROM ca_certificate WHERE profile = 'institution' AND state = 'failed'`); n != 1 || w.count(`SELECT COUNT(*) FROM seal_instance`) != 0 {
			t.Errorf("%d certificates failed", n)
		}
		w.with(w.enroll.Abort(ctx, w.registrar, w.again(a).Ref(), "断电"))
	})
}

// TestTheTransactionsMayBeRepeated has PostgreSQL ask for each of them once more.
func TestTheTransactionsMayBeRepeated(t *testing.T) {
	for _, place := range []string{"intended", "completed"} {
		t.Run(place, func(t *testing.T) {
			eachWorld(t, func(t *testing.T, w *world) {
				if w.db.Dialect() == "sqlite" {
					t.Skip("SQLite repeats no transaction")
				}
				ctx := t.Context()
				again := &pgconn.PgError{Code: "40001"}
				w.trouble(once(place, again))
				f := w.filled(form.New)
				f.Methods = []form.Method{form.Distributed}
				a := w.approved(f, w.person(3, userPerson, enroll.StatusActive))
				user := w.actorOf(userPerson)
				key := newToken(t)
				_, err := w.IssueKey(ctx, w.registrar, a.ID, user.ID, key.request(t))
				w.must(err)
				w.with(w.enroll.Accept(ctx, w.handler, w.again(a).Ref()))
				in, refusal := w.usable(w.actorOf(userPerson))
				if refusal != "" {
					t.Fatal(refusal)
				}
				w.pass(340 * 24 * time.Hour)
				w.trouble(once(place, again))
				r, err := w.RenewKey(ctx, user, w.state(in.Certificate).Serial, key.request(t))
				w.must(err)
				if len(r.Certificates) != 2 || w.count(`SELECT COUNT(*) FROM business_renewal`) != 1 {
					t.Errorf("%+v", r)
				}
				w.must(w.AcceptRenewal(ctx, user, r.ID))
				w.centralBeside(place, again)
				for _, c := range []struct {
					query string
					want  int
				}{
					{`SELECT COUNT(*) FROM ca_certificate WHERE profile IN ('personal', 'encryption') AND state = 'issued'`, 4},
					{`SELECT COUNT(*) FROM ca_certificate WHERE profile IN ('institution', 'personal', 'encryption') AND state <> 'issued'`, 0},
					{`SELECT COUNT(*) FROM escrow_key WHERE state = 'delivered'`, 1}, {`SELECT COUNT(*) FROM escrow_key`, 1},
					{`SELECT COUNT(*) FROM seal_instance WHERE custody = 'key'`, 2}, {`SELECT COUNT(*) FROM seal_instance WHERE custody = 'central'`, 1},
				} {
					if n := w.count(c.query); n != c.want {
						t.Errorf("%s: %d", c.query, n)
					}
				}
			})
		})
	}
}

// centralBeside makes a central seal beside, with the same trouble.
func (w *world) centralBeside(place string, with error) {
	w.t.Helper()
	w.trouble(once(place, with))
	a := w.approved(w.filled(form.New))
	w.must(w.CarryOut(w.t.Context(), w.registrar, a.ID))
}

func TestAKeyGoesOnWhereItWasInterrupted(t *testing.T) {
	w := sqliteWorld(t)
	ctx := t.Context()
	f := w.filled(form.New)
	f.Methods = []form.Method{form.Distributed}
	a := w.approved(f, w.person(3, userPerson, enroll.StatusActive))
	user, key := w.actorOf(userPerson), newToken(t)
	w.sql(`CREATE TRIGGER full BEFORE INSERT ON escrow_key BEGIN SELECT RAISE(ABORT, 'full'); END`)
	if _, err := w.IssueKey(ctx, w.registrar, a.ID, user.ID, key.request(t)); err == nil {
		t.Fatal("a Key without an encryption key")
	}
	if s := w.again(a).State; s != enroll.StateApproved {
		t.Errorf("half a Key, and the application is %s", s)
	}
	w.sql(`DROP TRIGGER full`)
	_, err := w.IssueKey(ctx, w.registrar, a.ID, user.ID, newToken(t).request(t))
	w.want(err, business.ErrOtherKey)
	_, err = w.IssueKey(ctx, w.registrar, a.ID, user.ID, key.request(t))
	w.must(err)
	if n := w.count(`SELECT COUNT(*) FROM ca_certificate WHERE profile = 'personal'`); n != 1 {
		t.Errorf("%d certificates", n)
	}
	w.with(w.enroll.Accept(ctx, w.handler, w.again(a).Ref()))
}

func (w *world) sql(query string) {
	w.t.Helper()
	w.must(w.db.Write(w.t.Context(), func(tx *store.Tx) error {
		_, err := tx.ExecContext(w.t.Context(), query)
		return err
	}))
}

func TestHalfAKeyThatCannotGoOnIsGivenUp(t *testing.T) {
	w := sqliteWorld(t)
	ctx := t.Context()
	f := w.filled(form.New)
	f.Methods = []form.Method{form.Distributed}
	a := w.approved(f, w.person(3, userPerson, enroll.StatusActive))
	user, key := w.actorOf(userPerson), newToken(t)
	w.sql(`CREATE TRIGGER full BEFORE UPDATE ON escrow_key BEGIN SELECT RAISE(ABORT, 'full'); END`)
	if _, err := w.IssueKey(ctx, w.registrar, a.ID, user.ID, key.request(t)); err == nil {
		t.Fatal("a Key without an encryption key")
	}
	w.sql(`DROP TRIGGER full`)
	_, err := w.IssueKey(ctx, w.registrar, a.ID, user.ID, key.request(t))
	w.want(err, business.ErrSpent)
	w.with(w.enroll.Abort(ctx, w.registrar, w.again(a).Ref(), "加密证书签发失败"))
	if n := w.count(`SELECT COUNT(*) FROM ca_certificate c JOIN ca_status s ON s.serial = c.serial WHERE c.profile = 'personal' AND s.state = 'held'`); n != 1 {
		t.Error("the signing certificate is good")
	}
}

func TestAnAcceptanceWhoseEffectFailsIsUndone(t *testing.T) {
	w := sqliteWorld(t)
	ctx := t.Context()
	f := w.filled(form.New)
	f.Methods = []form.Method{form.Central, form.Distributed}
	a := w.approved(f, w.person(3, userPerson, enroll.StatusActive))
	user := w.actorOf(userPerson)
	w.must(w.CarryOut(ctx, w.registrar, a.ID))
	_, err := w.IssueKey(ctx, w.registrar, a.ID, user.ID, newToken(t).request(t))
	w.must(err)
	w.sql(`CREATE TRIGGER full BEFORE INSERT ON seal_grant WHEN NEW.actor_id <> 'platform' BEGIN SELECT RAISE(ABORT, 'full'); END`)
	if _, err := w.enroll.Accept(ctx, w.handler, w.again(a).Ref()); err == nil {
		t.Fatal("accepted")
	}
	w.pass(60 * 24 * time.Hour / 2)
	if done, err := w.enroll.Sweep(ctx); err == nil || done.Accepted != 0 {
		t.Fatalf("accepted by silence: %+v, %v", done, err)
	}
	if n := w.count(`SELECT COUNT(*) FROM seal_instance WHERE state = 'active'`) + w.count(`SELECT COUNT(*) FROM seal_grant`) +
		w.count(`SELECT COUNT(*) FROM access_approval WHERE kind IN ('seal.grant', 'role.grant') AND used = 1`); n != 0 || w.again(a).State != enroll.StateIssued {
		t.Errorf("something of it stayed: %d, %s", n, w.again(a).State)
	}
	w.sql(`DROP TRIGGER full`)
	if done, err := w.enroll.Sweep(ctx); err != nil || done.Accepted != 1 {
		t.Fatalf("%+v, %v", done, err)
	}
	if _, refusal := w.usable(w.actorOf(userPerson)); refusal != "" {
		t.Error(refusal)
	}
}

func TestOneApplicationThatFailsKeepsNoOtherWaiting(t *testing.T) {
	w := sqliteWorld(t)
	ctx := t.Context()
	var list []enroll.Application
	for range 3 {
		a := w.approved(w.filled(form.New))
		w.must(w.CarryOut(ctx, w.registrar, a.ID))
		list = append(list, a)
	}
	bad := list[0].ID
	for _, a := range list {
		bad = min(bad, a.ID) // the first that the sweep comes to
	}
	w.sql(`CREATE TRIGGER full BEFORE UPDATE ON enroll_application WHEN NEW.id = '` + bad + `' BEGIN SELECT RAISE(ABORT, 'full'); END`)
	w.pass(20 * 24 * time.Hour)
	if done, err := w.enroll.Sweep(ctx); err == nil || done.Accepted != 2 {
		t.Errorf("%+v, %v", done, err)
	}
}

// together does the same from several places at once; errors that a person could be told are fine.
func together(t *testing.T, n int, fn func(i int) error) {
	t.Helper()
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			if err := fn(i); err != nil {
				if f, ok := fault.Of(err); !ok || f.Kind == fault.Internal {
					t.Errorf("%v", err)
				}
			}
		})
	}
	wg.Wait()
}

func TestOfManyWhoDoTheSameOneDoesIt(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		f := w.filled(form.New)
		f.Methods = []form.Method{form.Central, form.Distributed}
		a := w.approved(f, w.person(3, userPerson, enroll.StatusActive))
		user, key := w.actorOf(userPerson), newToken(t)
		together(t, 6, func(i int) error {
			switch i % 3 {
			case 0:
				return w.CarryOut(ctx, w.registrar, a.ID)
			case 1:
				_, err := w.IssueKey(ctx, w.registrar, a.ID, user.ID, key.request(t))
				return err
			}
			_, err := w.enroll.Accept(ctx, w.handler, w.again(a).Ref())
			return err
		})
		w.must(w.CarryOut(ctx, w.registrar, a.ID))
		_, err := w.IssueKey(ctx, w.registrar, a.ID, user.ID, key.request(t))
		w.must(err)
		together(t, 4, func(i int) error {
			if i%2 == 0 {
				return w.CarryOut(ctx, w.registrar, a.ID)
			}
			_, err := w.enroll.Accept(ctx, w.handler, w.again(a).Ref())
			return err
		})
		if s := w.again(a).State; s != enroll.StateAccepted {
			t.Errorf("state %s", s)
		}
		for profile, want := range map[string]int{"institution": 1, "personal": 1, "encryption": 1} {
			if n := w.count(`SELECT COUNT(*) FROM ca_certificate WHERE profile = $1`, profile); n != want {
				t.Errorf("%d of profile %s", n, profile)
			}
		}
		if n := w.count(`SELECT COUNT(*) FROM seal_instance WHERE state = 'active'`); n != 2 {
			t.Errorf("%d in use", n)
		}
		serial := w.state(w.only(w.actorOf(userPerson))).Serial
		together(t, 4, func(i int) error {
			_, err := w.RenewKey(ctx, w.registrar, serial, key.request(t))
			return err
		})
		r, err := w.RenewKey(ctx, w.registrar, serial, key.request(t))
		w.must(err)
		together(t, 4, func(i int) error {
			if i%2 == 0 {
				return w.AcceptRenewal(ctx, w.registrar, r.ID)
			}
			return w.ObjectToRenewal(ctx, w.registrar, r.ID, "不同意")
		})
		if n := w.count(`SELECT COUNT(*) FROM seal_instance WHERE state = 'active' AND custody = 'key'`); n != 1 || w.count(`SELECT COUNT(*) FROM business_renewal WHERE state = 'waiting'`) != 0 {
			t.Errorf("%d on the Key in use", n)
		}
	})
}

// only is the certificate of the seal on somebody's Key.
func (w *world) only(user access.Actor) []byte {
	w.t.Helper()
	in, refusal := w.usable(user)
	if refusal != "" {
		w.t.Fatal(refusal)
	}
	return in.Certificate
}

func TestARenewedEncryptionCertificateLeadsToItsKeyInEscrow(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		user, key, old := w.distributed()
		w.pass(340 * 24 * time.Hour)
		r, err := w.RenewKey(ctx, user, w.state(old.Certificate).Serial, key.request(t))
		w.must(err)
		w.must(w.AcceptRenewal(ctx, user, r.ID))
		first, err := w.Authority.Certificate(ctx, r.Certificates[1].Predecessor)
		w.must(err)
		renewed, err := w.Authority.Certificate(ctx, r.Certificates[1].Successor)
		w.must(err)
		id, err := w.Escrow.ByCertificate(ctx, ca.SerialText(first.Serial))
		w.must(err)
		if found, err := w.Escrow.ByCertificate(ctx, ca.SerialText(renewed.Serial)); err != nil || found != id {
			t.Fatalf("%s, %v", found, err)
		}
		_, err = w.Escrow.ByCertificate(ctx, ca.SerialText(r.Certificates[0].Successor))
		w.want(err, escrow.ErrNotFound)

		officer, err := sm2.GenerateKey(rand.Reader)
		w.must(err)
		order := escrow.Recovery{Key: id, Recipient: &officer.PublicKey, For: "单位", Why: "持有人离职"}
		approval := decided(w, w.access, order.Kind(), order.Subject())
		session, err := w.Escrow.Start(ctx, w.registrar, approval, order)
		w.must(err)
		for _, h := range w.shares {
			_, err := w.Escrow.Present(ctx, access.Actor{ID: h.Officer}, session.ID, h.Share)
			w.must(err)
		}
		out, err := w.Escrow.Finish(ctx, w.registrar, session.ID)
		w.must(err)
		if string(out.Certificate) != string(renewed.Certificate.Raw) {
			t.Error("the key came with a certificate that was superseded")
		}
		enveloped, err := envelope.Parse(out.Envelope)
		w.must(err)
		private, err := enveloped.Open(officer)
		w.must(err)
		if !private.PublicKey.Equal(renewed.Certificate.PublicKey) {
			t.Error("another key")
		}

		w.pass(first.Certificate.NotAfter.AddDate(escrow.DefaultRetention, 0, 1).Sub(w.time()))
		w.want(w.Escrow.CanDestroy(ctx, id), escrow.ErrTerm)
		w.pass(340 * 24 * time.Hour)
		w.must(w.Escrow.CanDestroy(ctx, id))
	})
}
