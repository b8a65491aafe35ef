package backend

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emmansun/gmsm/pkcs7"
	"github.com/emmansun/gmsm/smx509"

	"yinxin/ca"
	"yinxin/ca/chain"
	"yinxin/ca/csr"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/store"
)

func inPEM(list ...*chain.Certificate) []byte {
	var out []byte
	for _, c := range list {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	return out
}

// zipped makes an archive of names and contents.
func zipped(t testing.TB, members ...any) []byte {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for i := 0; i < len(members); i += 2 {
		f, err := w.Create(members[i].(string))
		must(t, err)
		_, err = f.Write(members[i+1].([]byte))
		must(t, err)
	}
	must(t, w.Close())
	return out.Bytes()
}

// p7b makes signed data without signers, as gmsm does.
func p7b(t testing.TB, list ...*chain.Certificate) []byte {
	var all []byte
	for _, c := range list {
		all = append(all, c.Raw...)
	}
	data, err := pkcs7.DegenerateCertificate(all)
	must(t, err)
	return data
}

func members(t testing.TB, archive []byte) map[string][]byte {
	r, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	must(t, err)
	found := map[string][]byte{}
	for _, f := range r.File {
		opened, err := f.Open()
		must(t, err)
		found[f.Name], err = io.ReadAll(opened)
		must(t, err)
	}
	return found
}

func one(t testing.TB, taken []Taken, err error) Taken {
	t.Helper()
	must(t, err)
	if len(taken) != 1 {
		t.Fatalf("%d certificates taken", len(taken))
	}
	return taken[0]
}

func TestAnOrderGoesOutAsAFileAndItsCertificateComesBack(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		f := w.file(t)
		first, second := w.order(t), w.order(t, person)
		a, err := f.Order(ctx, first)
		must(t, err)
		w.pass(time.Second)
		b, err := f.Order(ctx, second)
		must(t, err)
		if a.State != StateOpen || a.ID == "" || a.Backend != fileName {
			t.Fatalf("%+v", a)
		}
		archive, err := f.Export(ctx, w.registrar)
		must(t, err)
		files := members(t, archive)
		var m manifest
		must(t, json.Unmarshal(files["manifest.json"], &m))
		if len(m.Requests) != 2 || len(files) != 3 || m.Requests[0].Order != a.ID || m.Requests[0].SealCode != testSealCode || m.Requests[1].CommonName != "王五" {
			t.Fatalf("%+v", m)
		}
		// What an authority reads there is a request that holds.
		block, _ := pem.Decode(files[m.Requests[0].File])
		theirs, err := smx509.ParseCertificateRequest(block.Bytes)
		must(t, err)
		must(t, theirs.CheckSignature())
		if _, err := f.Export(ctx, w.registrar); !fault.Has(err, ErrNothing) {
			t.Errorf("a second export: %v", err)
		}
		again, err := f.Export(ctx, w.registrar, a.ID)
		must(t, err)
		if len(members(t, again)) != 2 {
			t.Error("the second copy of one")
		}
		c := w.licensed.certify(t, first)
		got, err := f.Import(ctx, w.approver, inPEM(c, w.licensed.authority.Issuing(ca.ProfileInstitution)))
		taken := one(t, got, err)
		if taken.Err != nil || taken.Outcome.ID != a.ID || taken.Outcome.State != StateReceived || len(taken.Outcome.Differences) != 0 {
			t.Fatalf("%+v", taken)
		}
		if list := taken.Outcome.Chain; len(list) != 1 || list[0].Fingerprint() != w.licensed.authority.Issuing(ca.ProfileInstitution).Fingerprint() {
			t.Errorf("chain %v", list)
		}
		waiting, err := f.Waiting(ctx)
		must(t, err)
		if len(waiting) != 2 || waiting[1].ID != b.ID || waiting[1].State != StateSent {
			t.Errorf("waiting %+v", waiting)
		}
		seal := &escort{}
		done, err := f.Accept(ctx, a.ID, "", seal)
		must(t, err)
		if done.State != StateIssued || seal.steps != "intend make complete " || done.Certificate.Fingerprint() != c.Fingerprint() {
			t.Errorf("%+v %s", done, seal.steps)
		}
		_, err = f.Accept(ctx, a.ID, "")
		wantCode(t, "accepting again", err, ErrState)
		sent, err := f.Sendings(ctx, a.ID)
		must(t, err)
		if len(sent) != 2 || sent[0].Actor != "zhang" || strings.Join(sent[0].Fields, " ") != "publicKey organisation creditCode sealCode" || sent[0].What != "request" {
			t.Errorf("sendings %+v", sent)
		}
		for _, kind := range []string{"backend.ordered", "backend.sent", "backend.received", "backend.issued"} {
			if n := w.count(t, `SELECT COUNT(*) FROM ledger_event WHERE kind = $1 AND subject = $2`, kind, a.ID); n == 0 {
				t.Errorf("%s is not in the ledger", kind)
			}
		}
	})
}

func TestCertificatesAreReadInEveryFormThatAuthoritiesUse(t *testing.T) {
	w := sqliteWorld(t)
	f := w.file(t)
	issuing := w.licensed.authority.Issuing(ca.ProfileInstitution)
	for name, pack := range map[string]func(c *chain.Certificate) []byte{
		"PEM":     func(c *chain.Certificate) []byte { return inPEM(c, issuing) },
		"PKCS #7": func(c *chain.Certificate) []byte { return p7b(t, c, issuing) },
		"PKCS #7 PEM": func(c *chain.Certificate) []byte {
			return pem.EncodeToMemory(&pem.Block{Type: "PKCS7", Bytes: p7b(t, c, issuing)})
		},
		"ZIP of DER": func(c *chain.Certificate) []byte {
			return zipped(t, "说明.txt", []byte("x"), "a/user.cer", c.Raw, "ca.crt", issuing.Raw)
		},
		"ZIP of PKCS #7": func(c *chain.Certificate) []byte { return zipped(t, `b\user.P7B`, p7b(t, issuing, c)) },
	} {
		o := w.order(t)
		_, err := f.Order(t.Context(), o)
		must(t, err)
		got, err := f.Import(t.Context(), w.registrar, pack(w.licensed.certify(t, o)))
		if taken := one(t, got, err); taken.Err != nil || taken.Outcome.State != StateReceived {
			t.Errorf("%s: %+v", name, taken)
		}
	}
	// The issuing certificate may also be imported beforehand, with the anchor.
	all, err := Open(t.Context(), w.config(), []Setting{{Name: "b", Kind: KindFile, Trust: trust(t, w.licensed.root, w.licensed.authority.Issuing(ca.ProfileInstitution))}})
	must(t, err)
	b, err := all.File("b")
	must(t, err)
	o := w.order(t)
	_, err = b.Order(t.Context(), o)
	must(t, err)
	got, err := b.Import(t.Context(), w.registrar, w.licensed.certify(t, o).Raw)
	if taken := one(t, got, err); taken.Err != nil {
		t.Errorf("DER alone: %+v", taken)
	}
}

func TestWhatDiffersIsListedAndTakesTwoPeopleAgain(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		f := w.file(t)
		o := w.order(t)
		a, err := f.Order(ctx, o)
		must(t, err)
		c := w.licensed.certify(t, o, func(r *ca.Request) { r.Organisation, r.SealCode = "某某市挡案馆", "22000012345679" })
		got, err := f.Import(ctx, w.registrar, inPEM(c, w.licensed.authority.Issuing(ca.ProfileInstitution)))
		taken := one(t, got, err)
		if taken.Err != nil || fields(taken.Outcome.Differences) != "O CN " || taken.Outcome.Differences[1] != (Difference{"CN", testSealCode, "22000012345679"}) {
			t.Fatalf("%+v", taken)
		}
		_, err = f.Accept(ctx, a.ID, "")
		wantCode(t, "without two people", err, ErrDiffers)
		other := taken.Outcome
		other.Differences = other.Differences[:1]
		_, err = f.Accept(ctx, a.ID, w.approve(t, KindAcceptCertificate, AcceptSubject(other)))
		wantCode(t, "with an approval of less", err, access.ErrOtherSubject)
		_, err = f.Accept(ctx, a.ID, w.approve(t, access.KindIssueCertificate, AcceptSubject(taken.Outcome)))
		wantCode(t, "with an approval of another kind", err, access.ErrOtherSubject)
		approval := w.approve(t, KindAcceptCertificate, AcceptSubject(taken.Outcome))
		if _, err := f.Accept(ctx, a.ID, approval, &escort{fail: "make"}); err == nil {
			t.Error("a companion that failed")
		}
		if now, err := f.Outcome(ctx, a.ID); err != nil || now.State != StateReceived {
			t.Errorf("after that: %+v %v", now, err)
		}
		done, err := f.Accept(ctx, a.ID, "", &escort{}) // the two people agreed
		must(t, err)
		if done.State != StateIssued {
			t.Errorf("%+v", done)
		}
		// The database itself refuses a certificate with differences that nobody agreed to.
		if err := w.exec(`UPDATE backend_order SET accept = NULL, accept_kind = NULL, accept_used = NULL`); !store.IsCheck(err) {
			t.Errorf("past the code: %v", err)
		}
	})
}

func TestCertificatesThatMustNotBeTaken(t *testing.T) {
	w := sqliteWorld(t)
	ctx := t.Context()
	f := w.file(t)
	issuing := w.licensed.authority.Issuing(ca.ProfileInstitution)
	take := func(c ...*chain.Certificate) Taken {
		t.Helper()
		got, err := f.Import(ctx, w.registrar, inPEM(append(c, issuing)...))
		return one(t, got, err)
	}
	placed := func(change ...func(r *ca.Request)) Order {
		o := w.order(t, change...)
		_, err := f.Order(ctx, o)
		must(t, err)
		return o
	}
	stranger := w.andStranger()
	o := placed()
	foreign, err := f.Import(ctx, w.registrar, inPEM(stranger.certify(t, o), stranger.authority.Issuing(ca.ProfileInstitution), stranger.root))
	wantCode(t, "of another authority, with its root", one(t, foreign, err).Err, ErrChain)
	got, err := f.Import(ctx, w.registrar, inPEM(w.licensed.certify(t, o)))
	wantCode(t, "without the certificate between", one(t, got, err).Err, ErrChain)
	wantCode(t, "for a key that nobody ordered for", take(w.licensed.certify(t, w.order(t))).Err, ErrNotAsked)
	wantCode(t, "for encryption in place of signing", take(w.licensed.certify(t, placed(), func(r *ca.Request) { r.Profile = ca.ProfileEncryption })).Err, ErrUsage)
	wantCode(t, "for signing in place of encryption", take(w.licensed.certify(t, placed(func(r *ca.Request) { r.Profile = ca.ProfileEncryption }), func(r *ca.Request) { r.Profile = ca.ProfileInstitution })).Err, ErrUsage)
	if taken := take(w.licensed.certify(t, placed(person), func(r *ca.Request) { r.Profile = ca.ProfileTSA })); fields(taken.Outcome.Differences) != "notAfter " {
		t.Errorf("five years: %+v", taken)
	}

	c := w.licensed.certify(t, o)
	if taken := take(c); taken.Err != nil {
		t.Fatal(taken.Err)
	}
	wantCode(t, "the same again", take(c).Err, ErrDuplicate)
	wantCode(t, "another for an order that has one", take(w.licensed.certify(t, o)).Err, ErrState)

	o = placed()
	c = w.licensed.certify(t, o)
	broken := bytes.Clone(c.Raw)
	broken[len(broken)-5] ^= 1
	parsed, err := chain.ParseCertificate(broken)
	must(t, err)
	wantCode(t, "with a broken signature", take(parsed).Err, ErrChain)
	w.pass(40 * 24 * time.Hour)
	late := placed()
	kept := w.licensed.certify(t, late)
	w.pass(20*24*time.Hour - time.Second)
	if taken := take(c); taken.Err != nil {
		t.Errorf("in the last second of the term: %v", taken.Err)
	}
	w.pass(41 * 24 * time.Hour)
	wantCode(t, "after the term", take(kept).Err, ErrExpired)
	if n := w.count(t, `SELECT COUNT(*) FROM backend_order WHERE state = 'issued'`); n != 0 {
		t.Errorf("%d were issued by import alone", n)
	}
}

func TestACertificateThatEndedMeanwhileIsNotAccepted(t *testing.T) {
	w := sqliteWorld(t)
	f := w.file(t)
	o := w.order(t)
	a, err := f.Order(t.Context(), o)
	must(t, err)
	c := w.licensed.certify(t, o)
	got, err := f.Import(t.Context(), w.registrar, inPEM(c, w.licensed.authority.Issuing(ca.ProfileInstitution)))
	must(t, one(t, got, err).Err)
	w.pass(c.NotAfter.Sub(w.time()) + time.Second)
	_, err = f.Accept(t.Context(), a.ID, "")
	wantCode(t, "a second after its end", err, ErrValidity)
	w.pass(-time.Second)
	_, err = f.Accept(t.Context(), a.ID, "")
	must(t, err)
}

func TestOrdersEndWithTheirTerm(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		f := w.file(t)
		a, err := f.Order(ctx, w.order(t))
		must(t, err)
		w.pass(DefaultTerm - time.Second)
		if ended, err := f.Expire(ctx); err != nil || len(ended) != 0 {
			t.Errorf("a second before: %v %v", ended, err)
		}
		w.pass(time.Second)
		if now, err := f.Outcome(ctx, a.ID); err != nil || now.State != StateExpired {
			t.Errorf("before anybody looked: %+v %v", now, err)
		}
		_, err = f.Export(ctx, w.registrar)
		wantCode(t, "sending it then", err, ErrNothing)
		_, err = f.Export(ctx, w.registrar, a.ID)
		wantCode(t, "sending it by name", err, ErrExpired)
		ended, err := f.Expire(ctx)
		must(t, err)
		if len(ended) != 1 || ended[0] != a.ID {
			t.Errorf("ended %v", ended)
		}
		if n := w.count(t, `SELECT COUNT(*) FROM ledger_event WHERE kind = 'backend.expired'`); n != 1 {
			t.Errorf("%d events", n)
		}
	})
}

func TestARefusalIsRecorded(t *testing.T) {
	w := sqliteWorld(t)
	ctx := t.Context()
	f := w.file(t)
	a, err := f.Order(ctx, w.order(t))
	must(t, err)
	wantCode(t, "an operator", f.Refuse(ctx, w.operator, a.ID, "x"), ErrClerk)
	wantCode(t, "no words", f.Refuse(ctx, w.registrar, a.ID, ""), ErrReason)
	must(t, f.Refuse(ctx, w.registrar, a.ID, "材料不全"))
	if now, err := f.Outcome(ctx, a.ID); err != nil || now.State != StateRefused || now.Refusal != "材料不全" {
		t.Errorf("%+v %v", now, err)
	}
	wantCode(t, "again", f.Refuse(ctx, w.registrar, a.ID, "x"), ErrState)
}

func TestOrdersThatAreNotTaken(t *testing.T) {
	w := sqliteWorld(t)
	ctx := t.Context()
	f := w.file(t)
	good := w.order(t)
	other := w.order(t)
	bad := good
	bad.CSR = other.CSR
	_, err := f.Order(ctx, bad)
	wantCode(t, "a request for another key", err, ErrKeyMismatch)
	bad.CSR = nil
	_, err = f.Order(ctx, bad)
	wantCode(t, "no request", err, csr.ErrFormat)
	bad = good
	bad.Approval = other.Approval
	_, err = f.Order(ctx, bad)
	wantCode(t, "the approval of another", err, access.ErrOtherSubject)
	if n := w.count(t, `SELECT COUNT(*) FROM backend_order`); n != 0 {
		t.Errorf("%d orders", n)
	}
	_, err = f.Order(ctx, good)
	must(t, err)
	_, err = f.Order(ctx, good)
	wantCode(t, "the same approval again", err, access.ErrUsed)
	good.Approval = w.approve(t, access.KindIssueCertificate, good.Request.Subject())
	_, err = f.Order(ctx, good)
	wantCode(t, "the same key again", err, ErrRequested)
	_, err = f.Export(ctx, w.operator)
	wantCode(t, "an operator who exports", err, ErrClerk)
	_, err = f.Import(ctx, w.operator, nil)
	wantCode(t, "an operator who imports", err, ErrClerk)
	_, err = f.Outcome(ctx, "ord_x")
	wantCode(t, "an order that is none", err, ErrOrder)
}

// The reader of archives makes a File for each member before it can be counted.
func TestAnArchiveOfManyMembersIsRefusedBeforeItIsRead(t *testing.T) {
	many := make([]any, 0, 2*(maxMembers+1))
	for i := range maxMembers + 1 {
		many = append(many, fmt.Sprintf("%d.cer", i), []byte{})
	}
	data := zipped(t, many...)
	allocated := testing.AllocsPerRun(1, func() {
		_, err := readCertificates(t.Context(), data)
		wantCode(t, "many", err, ErrTooLarge)
	})
	if allocated > 100 {
		t.Errorf("%.0f allocations", allocated)
	}
}

func TestHostileFilesAreRefused(t *testing.T) {
	w := sqliteWorld(t)
	f := w.file(t)
	bomb := bytes.Repeat([]byte{0}, maxMember+1)
	many := make([]any, 0, 2*(maxMembers+1))
	for i := range maxMembers + 1 {
		many = append(many, fmt.Sprintf("%d.cer", i), []byte{})
	}
	for name, c := range map[string]struct {
		data []byte
		want fault.Spec
	}{
		"too large":           {make([]byte, maxImport+1), ErrTooLarge},
		"no archive":          {[]byte("PK\x03\x04 no archive"), ErrBundle},
		"nothing in it":       {zipped(t, "a.txt", []byte("x")), ErrBundle},
		"too many members":    {zipped(t, many...), ErrTooLarge},
		"too many in a chain": {bytes.Repeat(inPEM(&chain.Certificate{Raw: []byte{0x30, 0}}), maxCertificates+1), ErrTooLarge},
	} {
		_, err := f.Import(t.Context(), w.registrar, c.data)
		wantCode(t, name, err, c.want)
	}
	for name, c := range map[string]struct {
		data []byte
		want fault.Spec
	}{
		"nothing":               {nil, ErrBundle},
		"words":                 {[]byte("hello"), ErrBundle},
		"a PEM of a key":        {pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("x")}), ErrBundle},
		"a member that swells":  {zipped(t, "a.cer", bomb), ErrTooLarge},
		"signed data with none": {p7b(t), ErrBundle},
		"an RSA certificate":    {rsaCertificate(t), ErrNotAsked},
	} {
		got, err := f.Import(t.Context(), w.registrar, c.data)
		wantCode(t, name, one(t, got, err).Err, c.want)
	}
	// One that is broken does not hold up the others.
	o := w.order(t)
	_, err := f.Order(t.Context(), o)
	must(t, err)
	got, err := f.Import(t.Context(), w.registrar, zipped(t, "\u202e../../x\n.cer", []byte("broken"), "b.cer", w.licensed.certify(t, o).Raw, "ca.cer", w.licensed.authority.Issuing(ca.ProfileInstitution).Raw))
	must(t, err)
	if len(got) != 2 || got[0].Err == nil || got[1].Err != nil || got[0].Place.File != "?x?.cer" && got[0].Place.File != "x?.cer" {
		t.Errorf("%+v", got)
	}
}

func TestOfManyWhoImportOneFileOneTakesIt(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		f := w.file(t)
		o := w.order(t)
		a, err := f.Order(t.Context(), o)
		must(t, err)
		data := inPEM(w.licensed.certify(t, o), w.licensed.authority.Issuing(ca.ProfileInstitution))
		results := make([]Taken, 6)
		var wg sync.WaitGroup
		for i := range results {
			wg.Go(func() {
				got, err := f.Import(t.Context(), w.registrar, data)
				if err != nil || len(got) != 1 {
					t.Errorf("%v %v", got, err)
					return
				}
				results[i] = got[0]
			})
		}
		wg.Wait()
		won := 0
		for _, r := range results {
			if r.Err == nil {
				won++
			} else if !fault.Has(r.Err, ErrDuplicate) && !fault.Has(r.Err, ErrState) {
				t.Errorf("%v", r.Err)
			}
		}
		if won != 1 {
			t.Errorf("%d took it", won)
		}
		accepted := make([]error, 4)
		for i := range accepted {
			wg.Go(func() { _, accepted[i] = f.Accept(t.Context(), a.ID, "") })
		}
		wg.Wait()
		won = 0
		for _, err := range accepted {
			if err == nil {
				won++
			} else {
				wantCode(t, "the others", err, ErrState)
			}
		}
		if won != 1 {
			t.Errorf("%d accepted it", won)
		}
	})
}

func TestTheDatabaseRefusesOrdersThatNoTwoPeopleStandBehind(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		insert := func(approval, kind any, used any) error {
			return w.exec(`INSERT INTO backend_order (id, backend, state, profile, request, csr, public_key, created, expires, approval, approval_kind, approval_used, differences)
				VALUES ('x', 'b', 'open', 'p', $1, $1, $1, '', '', $2, $3, $4, '')`, []byte{1}, approval, kind, used)
		}
		unused := w.approve(t, access.KindIssueCertificate, []byte("x"))
		seal := w.approve(t, access.KindMakeSeal, []byte("x"))
		for name, c := range map[string]struct {
			err  error
			want func(error) bool
		}{
			"an approval that was not redeemed": {insert(unused, "certificate.issue", 1), store.IsForeignKey},
			"one marked as not redeemed":        {insert(unused, "certificate.issue", 0), store.IsCheck},
			"one of another kind":               {insert(seal, "seal.make", 1), store.IsCheck},
			"one under a false kind":            {insert(seal, "certificate.issue", 1), store.IsForeignKey},
			"an invented one":                   {insert("req_x", "certificate.issue", 1), store.IsForeignKey},
		} {
			if !c.want(c.err) {
				t.Errorf("%s: %v", name, c.err)
			}
		}
		f := w.file(t)
		o := w.order(t)
		a, err := f.Order(t.Context(), o)
		must(t, err)
		if err := w.exec(`UPDATE backend_order SET state = 'issued', completed = '' WHERE id = $1`, a.ID); !store.IsCheck(err) {
			t.Errorf("issued without a certificate: %v", err)
		}
		if err := w.exec(`INSERT INTO backend_sending VALUES ('s', $1, 0, $2, 'request', 'file', '', NULL, '', '')`, a.ID, fileName); !store.IsCheck(err) {
			t.Errorf("a file that nobody sent: %v", err)
		}
		if err := w.exec(`INSERT INTO backend_sending VALUES ('s', $1, 0, 'another', 'request', 'http', '', NULL, '', '')`, a.ID); !store.IsForeignKey(err) {
			t.Errorf("sent to another authority: %v", err)
		}
		revocation := `INSERT INTO backend_revocation (id, order_id, order_state, reason, state, created, approval, approval_kind, approval_used) VALUES ('r', $1, 'issued', 1, 'open', '', $2, $3, 1)`
		if err := w.exec(revocation, a.ID, unused, "certificate.issue"); !store.IsCheck(err) {
			t.Errorf("a revocation by an approval to issue: %v", err)
		}
		if err := w.exec(revocation, a.ID, unused, "certificate.revoke"); !store.IsForeignKey(err) {
			t.Errorf("a revocation of what was not issued: %v", err)
		}
	})
}

func TestAForeignCertificateIsRevokedByAFileAndConfirmedByItsAuthority(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		f := w.file(t)
		o := w.order(t)
		a, err := f.Order(ctx, o)
		must(t, err)
		c := w.licensed.certify(t, o)
		revoke := func() error {
			return f.Revoke(ctx, w.approve(t, access.KindRevokeCertificate, f.RevokeSubject(c, ca.ReasonKeyCompromise)), c, ca.ReasonKeyCompromise)
		}
		wantCode(t, "before it is in use", revoke(), ErrOrder)
		got, err := f.Import(ctx, w.registrar, inPEM(c, w.licensed.authority.Issuing(ca.ProfileInstitution)))
		must(t, one(t, got, err).Err)
		_, err = f.Accept(ctx, a.ID, "")
		must(t, err)
		status, err := f.Status(ctx, c, w.time())
		must(t, err)
		if status.State != chain.StateGood {
			t.Errorf("%+v", status)
		}
		_, err = f.ExportRevocations(ctx, w.registrar)
		wantCode(t, "nothing to send", err, ErrNothing)
		wantCode(t, "an approval of another reason", f.Revoke(ctx, w.approve(t, access.KindRevokeCertificate, f.RevokeSubject(c, ca.ReasonSuperseded)), c, ca.ReasonKeyCompromise), access.ErrOtherSubject)
		wantCode(t, "a hold", f.Revoke(ctx, "", c, ca.ReasonCertificateHold), ca.ErrReason)
		must(t, revoke())
		wantCode(t, "again", revoke(), ca.ErrRevoked)
		archive, err := f.ExportRevocations(ctx, w.approver)
		must(t, err)
		files := members(t, archive)
		if !bytes.Equal(files["certificates/"+a.ID+".cer"], c.Raw) || !strings.Contains(string(files["manifest.json"]), c.Serial.Text(16)) {
			t.Errorf("%s", files["manifest.json"])
		}
		open, err := f.Confirm(ctx)
		must(t, err)
		if len(open) != 1 || open[0] != a.ID {
			t.Errorf("open %v", open)
		}
		must(t, w.licensed.authority.Revoke(ctx, w.licensed.approve(t, access.KindRevokeCertificate, ca.RevokeSubject(c.Serial, ca.ReasonKeyCompromise)), c.Serial, ca.ReasonKeyCompromise))
		open, err = f.Confirm(ctx)
		must(t, err)
		if n := w.count(t, `SELECT COUNT(*) FROM backend_revocation WHERE state = 'confirmed'`); n != 1 || len(open) != 0 {
			t.Errorf("%d confirmed, open %v", n, open)
		}
		// The state of what leads to no anchor of this authority is not known.
		foreign := w.andStranger().certify(t, w.order(t))
		if status, err := f.Status(ctx, foreign, w.time()); err != nil || status.State != chain.StateUnknown {
			t.Errorf("%+v %v", status, err)
		}
	})
}

func FuzzReadCertificates(f *testing.F) {
	w := sqliteWorld(f)
	issuing := w.licensed.authority.Issuing(ca.ProfileInstitution)
	f.Add(issuing.Raw)
	f.Add(inPEM(issuing, w.licensed.root))
	f.Add(p7b(f, issuing))
	f.Add(zipped(f, "a.cer", issuing.Raw, "b.p7b", p7b(f, issuing)))
	f.Fuzz(func(t *testing.T, data []byte) {
		found, err := readCertificates(t.Context(), data)
		if err != nil {
			if _, ok := fault.Of(err); !ok {
				t.Errorf("an error without a code: %v", err)
			}
			return
		}
		for _, m := range found {
			if (m.certificate == nil) == (m.err == nil) {
				t.Errorf("%+v", m)
			}
		}
	})
}
