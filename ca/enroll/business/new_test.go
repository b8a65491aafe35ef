package business_test

import (
	"bytes"
	"testing"
	"time"

	"yinxin/ca"
	"yinxin/ca/enroll"
	"yinxin/ca/enroll/business"
	"yinxin/ca/enroll/form"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/keystore"

	"github.com/emmansun/gmsm/smx509"
)

func TestACentralSealIsUsedAfterTheHolderAccepted(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		a := w.approved(w.filled(form.New))
		w.must(w.CarryOut(ctx, w.registrar, a.ID))
		a = w.again(a)
		if a.State != enroll.StateIssued || a.ObjectUntil.IsZero() {
			t.Fatalf("%s, until %v", a.State, a.ObjectUntil)
		}
		if _, refusal := w.usable(w.platform); refusal != "seal.not-granted" {
			t.Errorf("before acceptance: %s", refusal)
		}
		w.must(w.CarryOut(ctx, w.registrar, a.ID)) // nothing twice
		w.pass(a.ObjectUntil.Sub(w.time()) - time.Second)
		if done, err := w.enroll.Sweep(ctx); err != nil || done.Accepted != 0 {
			t.Errorf("%+v, %v", done, err)
		}
		w.pass(time.Second)
		done, err := w.enroll.Sweep(ctx)
		if err != nil || done.Accepted != 1 {
			t.Fatalf("%+v, %v", done, err)
		}
		in, refusal := w.usable(w.platform)
		if refusal != "" || in.SealName != w.unit.Name {
			t.Fatalf("%s %+v", refusal, in)
		}
		if r := w.state(in.Certificate); r.State != ca.RecordGood || r.Certificate.Subject.Organisation != w.unit.CreditCode+w.unit.Name {
			t.Errorf("%+v", r)
		}
		if _, err := w.keys.Ring(keystore.PurposeSealing).Get(ctx, in.KeyName); err != nil {
			t.Error(err)
		}
	})
}

func TestASealUserGetsAPairOfCertificatesAndASeal(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		f := w.filled(form.New)
		f.Methods = []form.Method{form.Distributed}
		a := w.approved(f, w.person(3, userPerson, enroll.StatusActive), w.person(4, otherPerson, enroll.StatusActive))
		w.must(w.CarryOut(ctx, w.registrar, a.ID))
		if s := w.again(a).State; s != enroll.StateApproved {
			t.Fatalf("nobody came with a Key, and the state is %s", s)
		}
		user, key := w.actorOf(userPerson), newToken(t)
		_, err := w.IssueKey(ctx, w.handler, a.ID, user.ID, key.request(t))
		w.want(err, access.ErrRole)
		_, err = w.IssueKey(ctx, w.registrar, a.ID, "platform", key.request(t))
		w.want(err, business.ErrNoKey)
		k, err := w.IssueKey(ctx, w.registrar, a.ID, user.ID, key.request(t))
		w.must(err)
		if k.Signing.Subject.CommonName != userPerson.Name || k.Encryption.Subject != k.Signing.Subject || len(k.Seals) != 1 {
			t.Errorf("%+v %+v %v", k.Signing.Subject, k.Encryption.Subject, k.Seals)
		}
		answer, err := smx509.ParseCSRResponse(key.PrivateKey, k.Answer)
		w.must(err)
		if len(answer.SignCerts) != 1 || !answer.EncryptPrivateKey.PublicKey.Equal(k.Encryption.PublicKey) {
			t.Errorf("the answer %+v", answer)
		}
		if n := w.count(`SELECT COUNT(*) FROM ledger_event WHERE kind = 'key.certified' AND actor = 'registrar' AND subject = $1`, user.ID); n != 2 {
			t.Errorf("%d entries say who handed the Key out", n)
		}
		again, err := w.IssueKey(ctx, w.registrar, a.ID, user.ID, key.request(t))
		if err != nil || again.Signing.Serial.Cmp(k.Signing.Serial) != 0 || again.Encryption.Serial.Cmp(k.Encryption.Serial) != 0 {
			t.Errorf("once more: %v", err)
		}
		_, err = w.IssueKey(ctx, w.registrar, a.ID, user.ID, newToken(t).request(t))
		w.want(err, business.ErrOtherKey)
		other := w.actorOf(otherPerson)
		_, err = w.IssueKey(ctx, w.registrar, a.ID, other.ID, key.request(t))
		w.want(err, ca.ErrKeyInUse)
		_, err = w.IssueKey(ctx, w.registrar, a.ID, other.ID, newToken(t).request(t))
		w.must(err)
		if _, refusal := w.usable(user); refusal != "seal.not-granted" {
			t.Errorf("before acceptance: %s", refusal)
		}
		w.with(w.enroll.Accept(ctx, w.handler, w.again(a).Ref()))
		in, refusal := w.usable(user)
		if refusal != "" || in.Holder != user.ID || in.ID != k.Seals[0] {
			t.Errorf("%s %+v", refusal, in)
		}
		if list, err := w.register.Seals(ctx, user); err != nil || len(list) != 1 || list[0].Width != 42 || list[0].ValidUntil == "" {
			t.Errorf("the user's seals %+v, %v", list, err)
		}
		if !w.actorOf(userPerson).Has(access.RoleOperator) {
			t.Error("the user is no seal user")
		}
	})
}

func TestNothingIsMadeBeforeTheApproval(t *testing.T) {
	w := sqliteWorld(t)
	ctx := t.Context()
	a := w.inked(w.submitted(w.filled(form.New)))
	w.want(w.CarryOut(ctx, w.registrar, a.ID), access.ErrNotApproved)
	a = w.with(w.enroll.Examine(ctx, w.registrar, a.Ref()))
	w.want(w.CarryOut(ctx, w.registrar, a.ID), access.ErrNotApproved)
	var n int
	w.must(w.db.Read().QueryRowContext(ctx, `SELECT COUNT(*) FROM ca_certificate WHERE profile = 'institution'`).Scan(&n))
	if n != 0 {
		t.Errorf("%d certificates", n)
	}
}

func TestWhatTheHolderObjectsToIsNotUsed(t *testing.T) {
	w := sqliteWorld(t)
	ctx := t.Context()
	a := w.approved(w.filled(form.New))
	w.must(w.CarryOut(ctx, w.registrar, a.ID))
	a = w.with(w.enroll.Object(ctx, w.handler, w.again(a).Ref(), "名称有误"))
	var serial []byte
	w.must(w.db.Read().QueryRowContext(ctx, `SELECT certificate FROM ca_certificate WHERE profile = 'institution'`).Scan(&serial))
	if r := w.state(serial); r.State != ca.RecordHeld {
		t.Errorf("the certificate is %s", r.State)
	}
	_, err := w.enroll.Settle(ctx, w.handler, a.Ref(), "已更正")
	w.want(err, business.ErrNotDone)
	id, err := w.access.Request(ctx, w.registrar, access.KindResumeCertificate, ca.ResumeSubject(w.state(serial).Serial))
	w.must(err)
	w.must(w.access.Approve(ctx, w.approver, id))
	w.must(w.Authority.Resume(ctx, id, w.state(serial).Serial))
	w.with(w.enroll.Settle(ctx, w.handler, a.Ref(), "名称无误"))
	if _, refusal := w.usable(w.platform); refusal != "" {
		t.Error(refusal)
	}
}

func TestASealTakesATemplate(t *testing.T) {
	w := sqliteWorld(t)
	ctx := t.Context()
	a := w.submitted(w.filled(form.New))
	good := business.Template{Width: 42, Height: 42, Template: picture(t, 20), Picture: picture(t, 10), Verdict: "pass", Measures: "{}"}
	for name, change := range map[string]func(t *business.Template){
		"stamp again": func(t *business.Template) { t.Verdict = "again" }, "a warning without reason": func(t *business.Template) { t.Verdict = "warn" },
		"no picture": func(t *business.Template) { t.Picture = nil }, "no size": func(t *business.Template) { t.Width = 0 },
		"a short code": func(t *business.Template) { t.Code = "123" },
	} {
		bad := good
		change(&bad)
		if _, err := w.SetTemplate(ctx, w.registrar, a.ID, a.Version, bad); !fault.Has(err, business.ErrTemplate) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := w.SetTemplate(ctx, w.handler, a.ID, a.Version, good)
	w.want(err, access.ErrRole)
	code, err := w.SetTemplate(ctx, w.registrar, a.ID, a.Version, good)
	w.must(err)
	if again, err := w.SetTemplate(ctx, w.registrar, a.ID, a.Version, good); err != nil || again != code || !ca.ValidSealCode(code) {
		t.Errorf("%s, then %s, %v", code, again, err)
	}
	_, err = w.SetTemplate(ctx, w.registrar, a.ID, a.Version-1, good)
	w.want(err, enroll.ErrConflict)
	_, err = w.SetTemplate(ctx, w.registrar, "app_none", 1, good)
	w.want(err, enroll.ErrNotFound)
	bad := good
	bad.Reason = "已与经办人 " + handlerPerson.Mobile + " 核实"
	_, err = w.SetTemplate(ctx, w.registrar, a.ID, a.Version, bad)
	w.want(err, enroll.ErrPersonal)
	// Two people approve what was there at the examination.
	a = w.with(w.enroll.Examine(ctx, w.registrar, w.inked(a).Ref()))
	_, err = w.SetTemplate(ctx, w.registrar, a.ID, a.Version, good)
	w.want(err, enroll.ErrState)
	if kept, err := w.TemplateOf(ctx, a.ID, a.Version); err != nil || kept.Code != code || kept.Width != 42 {
		t.Errorf("%s %v, %v", kept.Code, kept.Width, err)
	}
	if acts, err := w.Acts(ctx, a.ID); err != nil || len(acts) == 0 || acts[0].Done || acts[0].Request == "" {
		t.Errorf("%+v, %v", acts, err)
	}
}

func TestEvidenceComesAndGoesWithItsTemplate(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		a := w.submitted(w.filled(form.New))
		evidence := bytes.Repeat([]byte("张三在框边签字 "), 1000)
		of := business.Template{Width: 42, Height: 42, Template: picture(t, 20), Picture: picture(t, 10), Verdict: "pass", Measures: "{}", Evidence: evidence}
		_, err := w.EvidenceOf(ctx, a.ID, a.Version)
		w.want(err, business.ErrNoEvidence)
		_, err = w.SetTemplate(ctx, w.registrar, a.ID, a.Version, of)
		w.must(err)
		kept, err := w.EvidenceOf(ctx, a.ID, a.Version)
		if err != nil || !bytes.Equal(kept, evidence) {
			t.Errorf("%d bytes, %v", len(kept), err)
		}
		var sealed []byte
		w.must(w.db.Read().QueryRowContext(ctx, `SELECT sealed FROM business_evidence WHERE application = $1`, a.ID).Scan(&sealed))
		if bytes.Contains(sealed, []byte("张三")) {
			t.Error("the evidence is readable at rest")
		}
		of.Evidence = make([]byte, business.MaxEvidence+1)
		_, err = w.SetTemplate(ctx, w.registrar, a.ID, a.Version, of)
		w.want(err, business.ErrTemplate)
		of.Evidence = nil // a template without evidence is not left with that of another
		_, err = w.SetTemplate(ctx, w.registrar, a.ID, a.Version, of)
		w.must(err)
		_, err = w.EvidenceOf(ctx, a.ID, a.Version)
		w.want(err, business.ErrNoEvidence)
	})
}
