package business_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/ecdsa"
	"encoding/pem"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/emmansun/gmsm/smx509"

	"yinxin/ca"
	"yinxin/ca/backend"
	"yinxin/ca/chain"
	"yinxin/ca/enroll"
	"yinxin/ca/enroll/business"
	"yinxin/ca/enroll/form"
	"yinxin/ca/renewal"
	"yinxin/internal/access"
	"yinxin/internal/ledger"
	"yinxin/internal/store"
	"yinxin/internal/store/storetest"
	"yinxin/keystore"
	"yinxin/sealer/register"
)

// licensed is another authority, with a database, keys and officers of its own, that makes the certificates of the
// world's central seals.
type licensed struct {
	*ca.Authority
	w      *world
	db     *store.DB
	ledger *ledger.Ledger
	root   *chain.Certificate
	access *access.Service
	file   *backend.File
	all    *backend.Backends
}

const licensedName = "持证CA"

func (w *world) licensed() *licensed {
	w.t.Helper()
	ctx := w.t.Context()
	db := storetest.Open(w.t, filepath.Join(w.t.TempDir(), "licensed.db"))
	w.must(ledger.Migrate(ctx, db))
	w.must(access.Migrate(ctx, db))
	w.must(ca.Migrate(ctx, db))
	l := ledger.New(db, nil, w.time)
	o := &licensed{w: w, db: db, ledger: l, access: access.New(db, l, w.time)}
	for id, role := range map[string]access.Role{"registrar": access.RoleRegistrar, "approver": access.RoleApprover} {
		_, err := o.access.CreateActor(ctx, access.Actor{ID: id, Name: id, Roles: []access.Role{role}})
		w.must(err)
	}
	keys, err := keystore.Create(filepath.Join(w.t.TempDir(), "licensed"), keystore.Options{Passphrase: []byte("test"), Iterations: 1})
	w.must(err)
	ring := keys.Ring(keystore.PurposeIssuing, keystore.PurposeOCSP, keystore.PurposeSealMaker, keystore.PurposeTSA)
	made, err := ca.Establish(ctx, ca.Ceremony{DB: db, Ledger: l, Clock: w.time, Root: keys.Ring(keystore.PurposeRoot), Keys: ring,
		Officers: [2]string{"registrar", "approver"}, Organisation: "持证电子认证机构", BaseURL: "http://ca.example.cn"})
	w.must(err)
	o.root = made.Root
	o.Authority, err = ca.Open(ctx, ca.Config{DB: db, Ledger: l, Keys: ring, Clock: w.time})
	w.must(err)
	trust := filepath.Join(w.t.TempDir(), "trust.pem")
	w.must(os.WriteFile(trust, inPEM(made.Root), 0o600))
	w.must(backend.Migrate(ctx, w.db))
	o.all, err = backend.Open(ctx, backend.Config{DB: w.db, Ledger: w.Service.Ledger, Access: w.access, Authority: w.Authority, Clock: w.time,
		Status: func() chain.RevocationSource { return o.Authority }}, []backend.Setting{{Name: licensedName, Kind: backend.KindFile, Trust: trust}})
	w.must(err)
	o.file, err = o.all.File(licensedName)
	w.must(err)
	w.Service.Authorities, w.Service.Institutions = o.all, licensedName
	return o
}

func inPEM(list ...*chain.Certificate) (out []byte) {
	for _, c := range list {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	return out
}

// decided takes a subject through two people of a house.
func decided(w *world, at *access.Service, k access.Kind, subject []byte) string {
	w.t.Helper()
	ctx := w.t.Context()
	id, err := at.Request(ctx, access.Actor{ID: "registrar"}, k, subject)
	w.must(err)
	w.must(at.Approve(ctx, access.Actor{ID: "approver"}, id))
	return id
}

// certify reads the file that our officer brings and makes the certificate that is asked for, with its own officers, who
// may write something else.
func (o *licensed) certify(code string, change ...func(r *ca.Request)) *chain.Certificate {
	w := o.w
	w.t.Helper()
	ctx := w.t.Context()
	archive, err := o.file.Export(ctx, w.registrar)
	w.must(err)
	r := ca.Request{Profile: ca.ProfileInstitution, Organisation: w.unit.Name, CreditCode: w.unit.CreditCode, SealCode: code}
	z, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	w.must(err)
	for _, m := range z.File {
		f, err := m.Open()
		w.must(err)
		data, err := io.ReadAll(f)
		w.must(err)
		if !strings.HasPrefix(m.Name, "requests/") {
			continue
		}
		block, _ := pem.Decode(data)
		request, err := smx509.ParseCertificateRequest(block.Bytes)
		w.must(err)
		w.must(request.CheckSignature())
		r.Public = request.PublicKey.(*ecdsa.PublicKey)
	}
	if r.Public == nil {
		w.t.Fatalf("no request in the archive of %d members", len(z.File))
	}
	for _, f := range change {
		f(&r)
	}
	c, err := o.Issue(ctx, decided(w, o.access, access.KindIssueCertificate, r.Subject()), r)
	w.must(err)
	return c
}

// brought takes the certificate in.
func (o *licensed) brought(c *chain.Certificate) backend.Taken {
	o.w.t.Helper()
	taken, err := o.file.Import(o.w.t.Context(), o.w.registrar, inPEM(c, o.Issuing(ca.ProfileInstitution)))
	o.w.must(err)
	for _, m := range taken {
		o.w.must(m.Err)
		if m.Outcome.ID != "" {
			return m
		}
	}
	o.w.t.Fatalf("nothing was taken: %+v", taken)
	return backend.Taken{}
}

func (w *world) planned() (code string) {
	w.t.Helper()
	w.must(w.db.Read().QueryRowContext(w.t.Context(), `SELECT code FROM business_template ORDER BY made DESC LIMIT 1`).Scan(&code))
	return code
}

// elsewhere has the central seal in use with a certificate of the other authority.
func (o *licensed) elsewhere() register.Instance {
	w := o.w
	w.t.Helper()
	ctx := w.t.Context()
	a := w.approved(w.filled(form.New))
	w.must(w.CarryOut(ctx, w.registrar, a.ID))
	w.must(w.CarryOut(ctx, w.registrar, a.ID)) // it waits, and orders nothing twice
	c := o.certify(w.planned())
	w.must(w.CarryOut(ctx, w.registrar, a.ID))
	if n := w.count(`SELECT COUNT(*) FROM seal_instance`); n != 0 {
		w.t.Fatal("a seal before the certificate came back")
	}
	o.brought(c)
	w.must(w.CarryOut(ctx, access.Actor{}, a.ID))
	if _, refusal := w.usable(w.platform); refusal != "seal.not-granted" {
		w.t.Fatalf("before acceptance: %s", refusal)
	}
	w.with(w.enroll.Accept(ctx, w.handler, w.again(a).Ref()))
	in, refusal := w.usable(w.platform)
	if refusal != "" || !bytes.Equal(in.Certificate, c.Raw) {
		w.t.Fatalf("%s, another certificate", refusal)
	}
	return in
}

func TestACentralSealGetsTheCertificateOfALicensedAuthority(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		o := w.licensed()
		in := o.elsewhere()
		if n := w.count(`SELECT COUNT(*) FROM backend_order`); n != 1 {
			t.Errorf("%d orders", n)
		}
		c, err := chain.ParseCertificate(in.Certificate)
		w.must(err)
		_, err = w.RenewCentral(ctx, c.Serial)
		w.want(err, ca.ErrNotFound) // its authority renews it, on application
		w.accepted(w.approved(w.about(form.ImprintChange)))
		now, refusal := w.usable(w.platform)
		if refusal != "" || now.ID == in.ID || !bytes.Equal(now.Certificate, in.Certificate) {
			t.Errorf("a new imprint: %s", refusal)
		}
		a := w.approved(w.about(form.Cancellation))
		w.must(w.CarryOut(ctx, w.registrar, a.ID))
		w.must(w.CarryOutAll(ctx))
		if _, refusal := w.usable(w.platform); refusal != "seal.cancelled" {
			t.Error(refusal)
		}
		if _, err := o.file.ExportRevocations(ctx, w.registrar); err != nil {
			t.Errorf("the authority is not told: %v", err)
		}
		w.with(w.enroll.Accept(ctx, w.handler, w.again(a).Ref()))
	})
}

func TestALicensedAuthorityRenewsForAChangedOrganisationAndRevokesAfterwards(t *testing.T) {
	w := sqliteWorld(t)
	ctx := t.Context()
	o := w.licensed()
	old := o.elsewhere()
	former := w.unit
	w.unit.Name = "临江省云山市档案和史志馆"
	_, err := w.enroll.SetUnits(ctx, w.registrar, []enroll.Unit{w.unit})
	w.must(err)
	f := w.about(form.OrganisationChange, form.ImprintChange)
	f.FormerName = former.Name
	a := w.approved(f)
	w.must(w.CarryOut(ctx, w.registrar, a.ID))
	// The authority takes longer than an approval runs.
	w.pass(access.Term + 24*time.Hour)
	_, err = w.enroll.Sweep(ctx)
	w.must(err)
	o.brought(o.certify(w.code()))
	w.must(w.CarryOut(ctx, w.registrar, a.ID))
	if n := w.count(`SELECT COUNT(*) FROM backend_revocation`); n != 0 {
		t.Error("revoked before the new one was accepted")
	}
	w.with(w.enroll.Accept(ctx, w.handler, w.again(a).Ref()))
	if n := w.count(`SELECT COUNT(*) FROM backend_revocation`); n != 0 {
		t.Error("another authority was called from within a transaction")
	}
	for range 2 {
		w.must(w.CarryOutAll(ctx))
	}
	if n := w.count(`SELECT COUNT(*) FROM backend_revocation WHERE reason = 3`); n != 1 {
		t.Errorf("%d revocations", n)
	}
	in, refusal := w.usable(w.platform)
	if refusal != "" || bytes.Equal(in.Certificate, old.Certificate) || in.SealName != w.unit.Name {
		t.Errorf("%s %s", refusal, in.SealName)
	}
	list, err := o.all.Certificates(ctx)
	w.must(err)
	if len(list) != 1 || !bytes.Equal(list[0].Raw, in.Certificate) {
		t.Errorf("%d certificates count as in use", len(list))
	}
}

func TestTwoPeopleTakeACertificateThatSaysSomethingElse(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		o := w.licensed()
		a := w.approved(w.filled(form.New))
		w.must(w.CarryOut(ctx, w.registrar, a.ID))
		taken := o.brought(o.certify(w.planned(), func(r *ca.Request) { r.Organisation += "（本级）" }))
		if len(taken.Outcome.Differences) == 0 {
			t.Fatal("no difference was seen")
		}
		for range 2 {
			w.must(w.CarryOut(ctx, w.registrar, a.ID))
		}
		if n := w.count(`SELECT COUNT(*) FROM seal_instance`); n != 0 || w.again(a).State != enroll.StateApproved {
			t.Fatal("it was used before two people agreed")
		}
		_, err := o.file.Accept(ctx, taken.Outcome.ID, "")
		w.want(err, backend.ErrDiffers)
		_, err = o.file.Accept(ctx, taken.Outcome.ID, decided(w, w.access, backend.KindAcceptCertificate, backend.AcceptSubject(taken.Outcome)))
		w.must(err)
		w.must(w.CarryOut(ctx, w.registrar, a.ID))
		w.must(w.CarryOut(ctx, w.registrar, a.ID))
		w.with(w.enroll.Accept(ctx, w.handler, w.again(a).Ref()))
		if _, refusal := w.usable(w.platform); refusal != "" {
			t.Error(refusal)
		}
	})
}

func TestACertificateForAnotherSealUsesNothingUp(t *testing.T) {
	w := sqliteWorld(t)
	ctx := t.Context()
	o := w.licensed()
	a := w.approved(w.filled(form.New))
	w.must(w.CarryOut(ctx, w.registrar, a.ID))
	taken := o.brought(o.certify(w.planned(), func(r *ca.Request) { r.SealCode = "22000000000001" }))
	_, err := o.file.Accept(ctx, taken.Outcome.ID, decided(w, w.access, backend.KindAcceptCertificate, backend.AcceptSubject(taken.Outcome)))
	w.must(err)
	for range 2 {
		if err := w.CarryOut(ctx, w.registrar, a.ID); err == nil || !strings.Contains(err.Error(), "seal.invalid-order") {
			t.Errorf("%v", err)
		}
	}
	if n := w.count(`SELECT COUNT(*) FROM access_approval WHERE kind = 'seal.make' AND used = 1`); n != 0 {
		t.Error("the approval of the seal was used up")
	}
	w.with(w.enroll.Abort(ctx, w.registrar, w.again(a).Ref(), "证书有误"))
	w.with(w.enroll.Close(ctx, w.registrar, w.again(a).Ref(), "重新申请"))
}

func TestAnOrderThatComesToNothingSaysSo(t *testing.T) {
	w := sqliteWorld(t)
	ctx := t.Context()
	o := w.licensed()
	refused := w.approved(w.filled(form.New))
	w.must(w.CarryOut(ctx, w.registrar, refused.ID))
	orders, err := o.file.Waiting(ctx)
	w.must(err)
	w.must(o.file.Refuse(ctx, w.registrar, orders[0].ID, "材料不全"))
	w.want(w.CarryOut(ctx, w.registrar, refused.ID), business.ErrRefused)
	if err := w.CarryOutAll(ctx); err == nil {
		t.Error("nobody is told")
	}
	w.with(w.enroll.Abort(ctx, w.registrar, w.again(refused).Ref(), "机构不予签发"))
	if err := w.CarryOutAll(ctx); err != nil {
		t.Errorf("after the application was given up: %v", err)
	}
	w.with(w.enroll.Close(ctx, w.registrar, w.again(refused).Ref(), "已告知"))
	expired := w.approved(w.filled(form.New))
	w.must(w.CarryOut(ctx, w.registrar, expired.ID))
	w.pass(backend.DefaultTerm)
	w.want(w.CarryOut(ctx, w.registrar, expired.ID), business.ErrRefused)
}

func TestTheHolderMayObjectToASealOfAnotherAuthority(t *testing.T) {
	w := sqliteWorld(t)
	ctx := t.Context()
	o := w.licensed()
	a := w.approved(w.filled(form.New))
	w.must(w.CarryOut(ctx, w.registrar, a.ID))
	o.brought(o.certify(w.planned()))
	w.must(w.CarryOut(ctx, w.registrar, a.ID))
	w.with(w.enroll.Object(ctx, w.handler, w.again(a).Ref(), "名称有误"))
	if _, refusal := w.usable(w.platform); refusal == "" {
		t.Error("in use in spite of the objection")
	}
	w.with(w.enroll.Settle(ctx, w.handler, w.again(a).Ref(), "名称无误"))
	if _, refusal := w.usable(w.platform); refusal != "" {
		t.Error(refusal)
	}
}

// mustNotRenew is a Renewer where nothing is to be renewed.
type mustNotRenew struct{ t *testing.T }

func (m mustNotRenew) Renew(context.Context, ca.Expiry) error {
	m.t.Error("it was renewed here")
	return nil
}

func TestTheEndOfACertificateOfAnotherAuthorityRaisesAnAlarm(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		o := w.licensed()
		in := o.elsewhere()
		w.must(renewal.Migrate(ctx, w.db))
		s := renewal.New(renewal.Config{DB: w.db, Authority: w.Authority, Others: o.all, Clock: w.time, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
			Renewer: mustNotRenew{t}})
		w.must(s.Run(ctx))
		if list, err := s.Alarms(ctx); err != nil || len(list) != 0 {
			t.Errorf("too early: %+v, %v", list, err)
		}
		w.pass(in.ValidUntil.Sub(w.time()) - 59*24*time.Hour)
		for range 2 {
			w.must(s.Run(ctx))
		}
		alarms, err := s.Alarms(ctx)
		if err != nil || len(alarms) != 1 || alarms[0].Reason != renewal.ReasonElsewhere {
			t.Fatalf("%+v, %v", alarms, err)
		}
		due, err := s.Due(ctx, w.time())
		w.must(err)
		if len(due) != 1 || due[0].Holder != renewal.Elsewhere || due[0].CommonName != w.code() || len(due[0].Alarms) != 1 {
			t.Errorf("%+v", due)
		}
		s.Administrators = []string{"admin@archive.example"}
		letter, err := s.Alarm(ctx, alarms[0].ID+".0")
		if err != nil || !strings.Contains(letter.Text, "重新提交申请") {
			t.Errorf("%q, %v", letter.Text, err)
		}
		w.accepted(w.approved(w.about(form.Cancellation)))
		if alarms, err := s.Alarms(ctx); err != nil || len(alarms) != 0 {
			t.Errorf("of a certificate that ended: %+v, %v", alarms, err)
		}
	})
}
