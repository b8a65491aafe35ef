package escrow_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/smx509"
	tjsm2 "github.com/tjfoc/gmsm/sm2"

	"yinxin/ca"
	"yinxin/ca/chain"
	"yinxin/ca/csr"
	"yinxin/ca/envelope"
	"yinxin/ca/escrow"
	"yinxin/internal/access"
	"yinxin/internal/store"
)

// From the request of a USB Key to a message that only its holder reads: what another implementation makes of the answer.
func TestARequestBecomesAPairThatReadsWhatIsEncryptedToIt(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		w.established()
		token := newKey(t)
		der, err := smx509.CreateCertificateRequest(rand.Reader, &smx509.CertificateRequest{}, token)
		must(t, err)
		asked, err := csr.Parse(der, csr.Options{})
		must(t, err)

		r := ca.Request{Profile: ca.ProfilePersonal, Public: asked.Public, Organisation: "某某市档案馆", CommonName: "王五"}
		signing, err := w.authority.Issue(ctx, w.approve(access.KindIssueCertificate, r.Subject()), r)
		must(t, err)
		pair, err := w.Make(ctx, escrow.Holder{ID: "user-1", Signing: signing})
		must(t, err)
		approval := w.approve(access.KindIssueCertificate, request("王五", nil).Terms())
		encryption, err := w.authority.Issue(ctx, approval, request("王五", pair.Public()), pair)
		pair.Close()
		must(t, err)

		answer, err := w.Deliver(ctx, w.registrar, pair.ID(), asked.Public)
		must(t, err)
		read, err := smx509.ParseCSRResponse(token, answer)
		must(t, err)
		if !bytes.Equal(read.SignCerts[0].Raw, signing.Raw) || !bytes.Equal(read.EncryptCerts[0].Raw, encryption.Raw) {
			t.Error("the answer has other certificates")
		}
		message := []byte("只给王五看")
		//lint:ignore SA1019 the other library takes numbers
		other := &tjsm2.PublicKey{Curve: tjsm2.P256Sm2(), X: pair.Public().X, Y: pair.Public().Y}
		secret, err := other.EncryptAsn1(message, rand.Reader)
		must(t, err)
		plain, err := read.EncryptPrivateKey.Decrypt(nil, secret, nil)
		if err != nil || !bytes.Equal(plain, message) {
			t.Errorf("%q was read: %v", plain, err)
		}
		own, err := envelope.ParseAnswer(answer)
		must(t, err)
		if _, _, _, err := own.Open(newKey(t)); err == nil {
			t.Error("another signing key opens the answer")
		}
	})
}

func TestTheAnswerGoesToTheSigningKeyOnlyAndUntilItIsConfirmed(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		w.established()
		p := w.issue("王五")
		_, err := w.Deliver(ctx, w.registrar, p.id, &newKey(t).PublicKey)
		wantCode(t, err, escrow.ErrOtherKey)
		_, err = w.Deliver(ctx, w.registrar, p.id, nil)
		wantCode(t, err, escrow.ErrOtherKey)
		if n := w.count(`SELECT COUNT(*) FROM ledger_event WHERE kind = 'escrow.delivery-refused'`); n != 2 {
			t.Errorf("%d refusals in the ledger", n)
		}
		wantCode(t, w.Confirm(ctx, w.registrar, p.id), escrow.ErrState)
		wantCode(t, w.Confirm(ctx, w.approver, p.id), access.ErrRole)
		_, err = w.Deliver(ctx, w.approver, p.id, &p.token.PublicKey)
		wantCode(t, err, access.ErrRole)
		first, err := w.Deliver(ctx, w.registrar, p.id, &p.token.PublicKey)
		must(t, err)
		again, err := w.open().Deliver(ctx, w.registrar, p.id, &p.token.PublicKey) // after a restart, say
		must(t, err)
		if !bytes.Equal(first, again) {
			t.Error("the second answer differs")
		}
		for range 8 {
			_, err = w.Deliver(ctx, w.registrar, p.id, &p.token.PublicKey)
			must(t, err)
		}
		_, err = w.Deliver(ctx, w.registrar, p.id, &p.token.PublicKey)
		wantCode(t, err, escrow.ErrDeliveries)
		must(t, w.Confirm(ctx, w.registrar, p.id))
		_, err = w.Deliver(ctx, w.registrar, p.id, &p.token.PublicKey)
		wantCode(t, err, escrow.ErrState)
		if n := w.count(`SELECT COUNT(*) FROM escrow_key WHERE envelope IS NOT NULL`); n != 0 {
			t.Error("the envelope is still there")
		}
		_, err = w.Deliver(ctx, w.registrar, "enc_nobody", &p.token.PublicKey)
		wantCode(t, err, escrow.ErrNotFound)
	})
}

func TestDeliveriesAtOnceAreCountedOneByOne(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		w.established()
		p := w.issue("王五")
		var group sync.WaitGroup
		for range 6 {
			group.Go(func() {
				if _, err := w.Deliver(context.Background(), w.registrar, p.id, &p.token.PublicKey); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if n := w.count(`SELECT COUNT(*) FROM escrow_delivery WHERE number BETWEEN 1 AND 6`); n != 6 {
			t.Errorf("%d deliveries on record", n)
		}
	})
}

func TestARevokedHolderGetsNoKey(t *testing.T) {
	ctx := context.Background()
	w := sqliteWorld(t).established()
	for name, pick := range map[string]func(p person) *chain.Certificate{
		"signing":    func(p person) *chain.Certificate { return p.signing },
		"encryption": func(p person) *chain.Certificate { return p.encryption },
	} {
		p := w.issue("王五")
		_, err := w.Deliver(ctx, w.registrar, p.id, &p.token.PublicKey)
		must(t, err)
		serial := pick(p).Serial
		must(t, w.authority.Revoke(ctx, w.approve(access.KindRevokeCertificate, ca.RevokeSubject(serial, ca.ReasonKeyCompromise)), serial, ca.ReasonKeyCompromise))
		if _, err = w.Deliver(ctx, w.registrar, p.id, &p.token.PublicKey); err == nil {
			t.Errorf("%s: the key of a revoked certificate was handed out", name)
		}
		wantCode(t, err, ca.ErrRevoked)
		// What was encrypted before stays readable, also when the certificate is long over: the key is still in escrow.
		w.pass(400 * 24 * time.Hour)
		o, recipient := w.recovery(p)
		s := w.session(o)
		w.present(s.ID, w.shares...)
		out, err := w.Finish(ctx, w.registrar, s.ID)
		must(t, err)
		w.wantKey(out.Envelope, recipient, p)
	}
}

func TestNoTextOfAKeyIsInTheDatabaseOrTheLedger(t *testing.T) {
	w := sqliteWorld(t).established()
	p := w.issue("王五")
	answer, err := w.Deliver(context.Background(), w.registrar, p.id, &p.token.PublicKey)
	must(t, err)
	a, err := envelope.ParseAnswer(answer)
	must(t, err)
	key, _, _, err := a.Open(p.token)
	must(t, err)
	secret := key.D.FillBytes(make([]byte, 32))
	rows, err := w.db.Read().QueryContext(context.Background(), `SELECT wrapped || nonce || sealed FROM escrow_seal UNION ALL SELECT envelope FROM escrow_key
		UNION ALL SELECT sealed FROM escrow_split UNION ALL SELECT entry FROM ledger_event`)
	must(t, err)
	defer rows.Close()
	n := 0
	for rows.Next() {
		var data []byte
		must(t, rows.Scan(&data))
		n++
		if bytes.Contains(data, secret) || bytes.Contains(data, []byte(fmt.Sprintf("%x", secret))) {
			t.Error("the private key stands in the clear")
		}
		if bytes.Contains(data, []byte("王五")) {
			t.Errorf("a name stands in the ledger: %s", data)
		}
	}
	if must(t, rows.Err()); n < 10 {
		t.Errorf("only %d values were looked at", n)
	}
}

// interrupted is a companion that ends the issuance at a step.
type interrupted struct {
	*escrow.Pair
	at string
}

func (i interrupted) Make(ctx context.Context, c *chain.Certificate) error {
	if i.at == "make" {
		return context.DeadlineExceeded
	}
	return i.Pair.Make(ctx, c)
}

func (i interrupted) Complete(ctx context.Context, tx *store.Tx, c *chain.Certificate) error {
	if err := i.Pair.Complete(ctx, tx, c); err != nil || i.at != "complete" {
		return err
	}
	return context.DeadlineExceeded
}

func TestAnInterruptedIssuanceLeavesAKeyThatIsVoidedAndACertificateThatIsRevoked(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		w.established()
		for _, at := range []string{"make", "complete"} {
			p := w.signer("王五")
			pair, err := w.Centre.Make(ctx, escrow.Holder{ID: "user-1", Signing: p.signing})
			must(t, err)
			approval := w.approve(access.KindIssueCertificate, request("王五", nil).Terms())
			if _, err := w.authority.Issue(ctx, approval, request("王五", pair.Public()), interrupted{pair, at}); err == nil {
				t.Fatal("a certificate was issued")
			}
			if state := w.stateOf(pair.ID()); state != "intent" {
				t.Errorf("%s: state %s", at, state)
			}
			_, err = w.Deliver(ctx, w.registrar, pair.ID(), &p.token.PublicKey)
			wantCode(t, err, escrow.ErrState)
			w.pass(escrow.DefaultRecoveryAge - time.Microsecond)
			must(t, w.open().Recover(ctx)) // it could still be at work
			if state := w.stateOf(pair.ID()); state != "intent" {
				t.Errorf("%s: state %s", at, state)
			}
			w.pass(time.Microsecond)
			must(t, w.open().Recover(ctx))
			if state := w.stateOf(pair.ID()); state != "voided" {
				t.Errorf("%s: state %s after recovery", at, state)
			}
			// A late result of a voided key does not count.
			late, err := w.authority.Issue(ctx, w.approve(access.KindIssueCertificate, request("王五", nil).Terms()), request("王五", pair.Public()))
			must(t, err)
			must(t, pair.Make(ctx, late))
			wantCode(t, w.db.Write(ctx, func(tx *store.Tx) error { return pair.Complete(ctx, tx, late) }), escrow.ErrState)
			pair.Close()
		}
		if n := w.count(`SELECT COUNT(*) FROM ca_status WHERE state = 'revoked'`); n != 2 {
			t.Errorf("%d serial numbers were revoked, want 2", n)
		}
		if n := w.count(`SELECT COUNT(*) FROM escrow_seal`); n != 0 {
			t.Errorf("%d seals of keys that never were", n)
		}
	})
}

func TestAPairIsForOneCertificateOfItsKeyAndUseOnly(t *testing.T) {
	ctx := context.Background()
	w := sqliteWorld(t)
	p := w.signer("王五")
	_, err := w.Centre.Make(ctx, escrow.Holder{ID: "user-1", Signing: p.signing})
	wantCode(t, err, escrow.ErrNotEstablished)
	w.established()
	for name, h := range map[string]escrow.Holder{"no name": {Signing: p.signing}, "no certificate": {ID: "x"}, "an authority": {ID: "x", Signing: w.authority.Issuing(ca.ProfileInstitution)},
		"a name that is too long": {ID: strings.Repeat("x", 65), Signing: p.signing}} {
		if _, err := w.Centre.Make(ctx, h); err == nil {
			t.Errorf("%s: a pair was made", name)
		}
	}
	pair, err := w.Centre.Make(ctx, escrow.Holder{ID: "user-1", Signing: p.signing})
	must(t, err)
	wantCode(t, pair.Make(ctx, p.signing), escrow.ErrCertificate)
	// Under a certificate for signing, the key of somebody who can be impersonated by the key centre would sign.
	r := ca.Request{Profile: ca.ProfilePersonal, Public: pair.Public(), Organisation: "某某市档案馆", CommonName: "王五"}
	_, err = w.authority.Issue(ctx, w.approve(access.KindIssueCertificate, r.Subject()), r, pair)
	wantCode(t, err, escrow.ErrCertificate)
	other, err := w.Centre.Make(ctx, escrow.Holder{ID: "user-1", Signing: p.signing})
	must(t, err)
	approval := w.approve(access.KindIssueCertificate, request("王五", nil).Terms())
	other.Close()
	_, err = w.authority.Issue(ctx, approval, request("王五", other.Public()), other)
	wantCode(t, err, escrow.ErrState)
	if fmt.Sprintf("%v %+v %#v", pair, pair, pair) != strings.Repeat("escrow.Pair "+pair.ID()+" ", 3)[:3*len("escrow.Pair "+pair.ID()+" ")-1] {
		t.Errorf("a pair prints as %+v", pair)
	}
	w.pass(366 * 24 * time.Hour)
	_, err = w.Centre.Make(ctx, escrow.Holder{ID: "user-1", Signing: p.signing})
	wantCode(t, err, escrow.ErrHolder)
}

// Where a renewed certificate gets a key of its own, what was encrypted to the earlier one stays readable.
func TestARenewalMakesAnotherKeyAndKeepsTheFirst(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		w.established()
		p := w.issue("王五")
		w.pass(300 * 24 * time.Hour)
		signing, err := w.authority.Renew(ctx, p.signing.Serial, &p.token.PublicKey)
		must(t, err)
		pair, err := w.Centre.Make(ctx, escrow.Holder{ID: "user-王五", Signing: signing})
		must(t, err)
		defer pair.Close()
		renewed, err := w.authority.Renew(ctx, p.encryption.Serial, pair.Public(), pair)
		must(t, err)
		answer, err := w.Deliver(ctx, w.registrar, pair.ID(), &p.token.PublicKey)
		must(t, err)
		read, err := smx509.ParseCSRResponse(p.token, answer)
		must(t, err)
		if !bytes.Equal(read.EncryptCerts[0].Raw, renewed.Raw) || read.EncryptPrivateKey.PublicKey.Equal(p.encryption.PublicKey) {
			t.Error("the renewal has the earlier key")
		}
		o, recipient := w.recovery(p)
		s := w.session(o)
		w.present(s.ID, w.shares...)
		out, err := w.Finish(ctx, w.registrar, s.ID)
		must(t, err)
		w.wantKey(out.Envelope, recipient, p)
	})
}

func TestDestructionTakesTwoPeopleAndTheTerm(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		w.established()
		p := w.issue("王五")
		approval := w.approve(access.KindDestroyKey, escrow.DestroySubject(p.id))
		wantCode(t, w.Destroy(ctx, approval, p.id), escrow.ErrTerm)
		end := p.encryption.NotAfter.AddDate(escrow.DefaultRetention, 0, 0)
		w.pass(end.Sub(w.time()))
		approval = w.approve(access.KindDestroyKey, escrow.DestroySubject(p.id))
		wantCode(t, w.Destroy(ctx, approval, p.id), escrow.ErrTerm) // the last second belongs to the term
		w.pass(time.Second)
		wantCode(t, w.Destroy(ctx, w.approve(access.KindDestroyKey, escrow.DestroySubject("enc_other")), p.id), access.ErrOtherSubject)
		must(t, w.Destroy(ctx, approval, p.id))
		if n := w.count(`SELECT COUNT(*) FROM escrow_seal`); n != 0 {
			t.Errorf("%d seals are left", n)
		}
		wantCode(t, w.Destroy(ctx, approval, p.id), escrow.ErrState)
		o := escrow.Recovery{Key: p.id, Recipient: &newKey(t).PublicKey, For: "继任者", Why: "旧数据"}
		_, err := w.Start(ctx, w.registrar, w.approve(o.Kind(), o.Subject()), o)
		wantCode(t, err, escrow.ErrState)
	})
}

func TestListsMaskNamesAndGoOnWhereTheyStopped(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		w.established()
		var made []string
		for _, name := range []string{"王五", "欧阳修", "甲"} {
			made = append(made, w.issue(name).id)
			w.pass(time.Second)
		}
		var seen []string
		for after := ""; ; {
			list, err := w.List(ctx, after, 2)
			must(t, err)
			for _, e := range list {
				seen = append(seen, e.ID)
				after = e.ID
				if strings.ContainsAny(e.Name, "五阳修") || !strings.Contains(e.Name, "*") || e.Organisation != "某某市档案馆" || e.State != "escrowed" || e.NotAfter.IsZero() {
					t.Errorf("%+v", e)
				}
				id, err := w.ByCertificate(ctx, e.Serial)
				if err != nil || id != e.ID {
					t.Errorf("by certificate: %s %v", id, err)
				}
			}
			if len(list) < 2 {
				break
			}
		}
		if fmt.Sprint(seen) != fmt.Sprint(made) {
			t.Errorf("listed %v, made %v", seen, made)
		}
	})
}

// What the code would never write the database does not take either.
func TestTheDatabaseRefusesWhatNobodyApproved(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		w.established()
		p, q := w.issue("王五"), w.issue("赵六")
		_, err := w.Deliver(context.Background(), w.registrar, p.id, &p.token.PublicKey)
		must(t, err)
		o, _ := w.recovery(p)
		opened := w.session(o)
		used := w.approve(access.KindRecoverKey, []byte("x"))
		var split string
		must(t, w.db.Read().QueryRowContext(context.Background(), `SELECT id FROM escrow_split WHERE state = 'current'`).Scan(&split))
		session := `INSERT INTO escrow_session (id, act, split, subject, escrow_key, recipient, state, round, refused, opened_by, opened, expires, approval, approval_kind, approval_used)
			VALUES ('s', 'recover', $1, $2, $3, $2, 'open', 1, 0, 'zhang', '', '', $4, $5, 1)`
		subject := []byte("x")
		for name, err := range map[string]error{
			"a session without an approval":          w.exec(session, split, subject, p.id, "req_none", "key.recover"),
			"a session with one that was not used":   w.exec(session, split, subject, p.id, used, "key.recover"),
			"a session with one of another kind":     w.exec(session, split, subject, p.id, used, "certificate.issue"),
			"a second first delivery":                w.exec(`INSERT INTO escrow_delivery (escrow_key, number, signing_key, actor, delivered) SELECT id, 1, signing_key, 'zhang', '' FROM escrow_key WHERE id = $1`, p.id),
			"a delivery to another signing key":      w.exec(`INSERT INTO escrow_delivery (escrow_key, number, signing_key, actor, delivered) SELECT $1, 2, signing_key, 'zhang', '' FROM escrow_key WHERE id = $2`, p.id, q.id),
			"a destruction without an approval":      w.exec(`UPDATE escrow_key SET state = 'destroyed', envelope = NULL WHERE id = $1`, p.id),
			"a confirmed key with an envelope":       w.exec(`UPDATE escrow_key SET state = 'confirmed' WHERE id = $1`, p.id),
			"a key without a certificate":            w.exec(`UPDATE escrow_key SET serial = NULL, serial_state = NULL, certificate = NULL, not_after = NULL WHERE id = $1`, p.id),
			"a certificate of another key":           w.exec(`UPDATE escrow_key SET serial = $1 WHERE id = $2`, ca.SerialText(q.encryption.Serial), p.id),
			"a certificate that was never issued":    w.exec(`UPDATE escrow_key SET serial = $1 WHERE id = $2`, strings.Repeat("0", 32), p.id),
			"a sixth refused share":                  w.exec(`UPDATE escrow_session SET refused = 6 WHERE id = $1`, opened.ID),
			"a recovery without a result":            w.exec(`UPDATE escrow_session SET state = 'done', finished = '' WHERE id = $1`, opened.ID),
			"a recovery key on one officer":          w.exec(`INSERT INTO escrow_recovery_key (generation, public_key, state, created, first_officer, second_officer) VALUES (9, $1, 'retired', '', 'zhang', 'zhang')`, subject),
			"a recovery key on nobody":               w.exec(`INSERT INTO escrow_recovery_key (generation, public_key, state, created) VALUES (9, $1, 'retired', '')`, subject),
			"a second recovery key in force":         w.exec(`INSERT INTO escrow_recovery_key (generation, public_key, state, created, first_officer, second_officer) VALUES (9, $1, 'current', '', 'zhang', 'li')`, subject),
			"a share shown by whom it was not given": w.exec(`INSERT INTO escrow_presentation (session, split, round, number, officer, presented) VALUES ($1, $2, 1, 1, 'sun', '')`, opened.ID, split),
		} {
			if err == nil {
				t.Errorf("%s was taken", name)
			} else if !store.IsCheck(err) && !store.IsForeignKey(err) && !store.IsUnique(err) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func BenchmarkGenerate(b *testing.B) {
	for b.Loop() {
		if _, err := sm2.GenerateKey(rand.Reader); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPair is a whole encryption key on SQLite beside its certificate; its floor is BenchmarkCertificate, the same
// issuance without a companion.
func BenchmarkPair(b *testing.B)        { benchmarkIssue(b, true) }
func BenchmarkCertificate(b *testing.B) { benchmarkIssue(b, false) }

func benchmarkIssue(b *testing.B, escrowed bool) {
	ctx := context.Background()
	w := sqliteWorld(b).established()
	p := w.signer("王五")
	for b.Loop() {
		b.StopTimer()
		approval := w.approve(access.KindIssueCertificate, request("王五", nil).Terms())
		public := &newKey(b).PublicKey
		b.StartTimer()
		if !escrowed {
			_, err := w.authority.Issue(ctx, approval, request("王五", public))
			must(b, err)
			continue
		}
		pair, err := w.Centre.Make(ctx, escrow.Holder{ID: "user-1", Signing: p.signing})
		must(b, err)
		_, err = w.authority.Issue(ctx, approval, request("王五", pair.Public()), pair)
		must(b, err)
		pair.Close()
	}
}
