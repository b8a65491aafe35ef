package business_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"yinxin/ca"
	"yinxin/ca/backend"
	"yinxin/ca/chain"
	"yinxin/ca/enroll/business"
	"yinxin/ca/enroll/form"
	"yinxin/ca/renewal"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/mail"
	"yinxin/internal/store"
	"yinxin/sealer/register"
)

func serialOf(w *world, in register.Instance) *chain.Certificate {
	w.t.Helper()
	c, err := chain.ParseCertificate(in.Certificate)
	w.must(err)
	return c
}

// near moves the clock to so many days before the end of an instance.
func (w *world) near(in register.Instance, days int) {
	w.pass(in.ValidUntil.Sub(w.time()) - time.Duration(days)*24*time.Hour)
}

// step takes the renewal of an instance one step further.
func (w *world) step(in register.Instance) business.Progress {
	w.t.Helper()
	p, err := w.RenewElsewhere(w.t.Context(), in.SealCode, serialOf(w, in).Serial)
	w.must(err)
	return p
}

// waiting is the one renewal about which the holder is asked: of a certificate that another authority made.
func (w *world) waiting() business.Renewal {
	w.t.Helper()
	list, err := w.Renewals(w.t.Context(), business.RenewalWaiting, 10)
	w.must(err)
	if len(list) != 1 || len(list[0].Certificates) != 1 || list[0].Certificates[0].Authority == "" || len(list[0].Certificates[0].Instances) != 1 {
		w.t.Fatalf("%+v", list)
	}
	return list[0]
}

func (w *world) settled() {
	w.t.Helper()
	w.pass(w.waiting().AcceptBy.Sub(w.time()))
	if n, err := w.SettleRenewals(w.t.Context()); err != nil || n != 1 {
		w.t.Fatalf("%d settled, %v", n, err)
	}
}

func TestASealOfALicensedAuthorityIsRenewedByFilesForFiveYears(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		o := w.licensed()
		in := o.elsewhere()
		years := 0
		for ; ; years++ {
			w.near(in, 59)
			_, err := w.RenewElsewhere(ctx, in.SealCode, serialOf(w, in).Serial)
			if fault.Has(err, access.ErrExpired) {
				break
			}
			w.must(err)
			if years > 6 {
				t.Fatal("an approval carries renewals without end")
			}
			orders := w.count(`SELECT COUNT(*) FROM backend_order`)
			if p := w.step(in); p.Made || p.Waits == "" || w.count(`SELECT COUNT(*) FROM backend_order`) != orders || orders != years+2 {
				t.Fatalf("%+v with %d orders", p, orders)
			}
			o.brought(o.certify(in.SealCode))
			if p := w.step(in); !p.Made {
				t.Fatalf("%+v", p)
			}
			if now, refusal := w.usable(w.platform); refusal != "" || now.ID != in.ID {
				t.Fatalf("in use before it was accepted: %s", refusal)
			}
			w.settled()
			now, refusal := w.usable(w.platform)
			if refusal != "" || now.ID == in.ID || bytes.Equal(now.Certificate, in.Certificate) || now.KeyName == in.KeyName {
				t.Fatalf("%s: the old one is in use", refusal)
			}
			if n := w.count(`SELECT COUNT(*) FROM backend_revocation WHERE reason = 4 AND renewal IS NOT NULL AND state = 'open'`); n != 1 {
				t.Fatalf("%d revocations", n)
			}
			if _, err := o.file.ExportRevocations(ctx, w.registrar); err != nil {
				t.Fatal(err)
			}
			if list, err := o.all.Certificates(ctx); err != nil || len(list) != 1 || !bytes.Equal(list[0].Raw, now.Certificate) {
				t.Fatalf("%d certificates in use, %v", len(list), err)
			}
			w.must(w.RetireKeys(ctx))
			in = now
		}
		if years < 4 {
			t.Errorf("renewed %d times", years)
		}
		if n := w.count(`SELECT COUNT(*) FROM business_elsewhere WHERE state = 'ordering'`); n != 0 {
			t.Errorf("%d renewals are open after the approval ran out", n)
		}
		for _, kind := range []string{"renewal.begun", "renewal.ordered", "renewal.made", "renewal.in-use"} {
			if n := w.count(`SELECT COUNT(*) FROM ledger_event WHERE kind = $1`, kind); n < years {
				t.Errorf("%s: %d in the ledger", kind, n)
			}
		}
		// The database counts the years as well.
		err := w.db.Write(ctx, func(tx *store.Tx) error {
			_, err := tx.ExecContext(ctx, `UPDATE backend_renewal SET created = '2099-01-01T00:00:00.000000000Z'`)
			return err
		})
		if !store.IsCheck(err) {
			t.Errorf("a renewal after the years: %v", err)
		}
	})
}

// desk is the other side of HTTP.
type desk struct {
	*backend.Desk
	by   access.Actor
	down bool
}

func (d *desk) RoundTrip(r *http.Request) (*http.Response, error) {
	if d.down {
		return nil, errors.New("no route")
	}
	ctx := r.Context()
	path := strings.Split(strings.TrimPrefix(r.URL.Path, "/v1/certificate-requests"), "/")
	var out backend.WireOutcome
	var err error
	switch {
	case len(path) == 1:
		var o backend.WireOrder
		if err = json.NewDecoder(r.Body).Decode(&o); err == nil {
			out, err = d.Submit(ctx, d.by, r.Header.Get("Idempotency-Key"), o)
		}
	case len(path) == 3:
		var v backend.WireRevocation
		if err = json.NewDecoder(r.Body).Decode(&v); err == nil {
			out, err = d.Revoke(ctx, d.by, path[1], v.Reason)
		}
	default:
		out, err = d.Outcome(ctx, d.by, path[1])
	}
	status, body := 200, any(out)
	if err != nil {
		status, body = 400, map[string]string{"code": fault.CodeOf(err)}
	}
	text, err := json.Marshal(body)
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(text)), Request: r}, err
}

// online makes the licensed authority one that is reached over HTTP.
func (o *licensed) online() *desk {
	w := o.w
	w.t.Helper()
	ctx := w.t.Context()
	w.must(backend.Migrate(ctx, o.db))
	by, err := o.access.CreateActor(ctx, access.Actor{ID: "our-house", Name: "our-house", Roles: []access.Role{access.RoleRequester}})
	w.must(err)
	d := &desk{by: by, Desk: backend.NewDesk(backend.Config{DB: o.db, Ledger: o.ledger, Access: o.access, Authority: o.Authority, Clock: w.time})}
	dir := w.t.TempDir()
	w.must(os.WriteFile(filepath.Join(dir, "trust.pem"), inPEM(o.root), 0o600))
	w.must(os.WriteFile(filepath.Join(dir, "key"), []byte("yx_a"), 0o600))
	o.all, err = backend.Open(ctx, backend.Config{DB: w.db, Ledger: w.Service.Ledger, Access: w.access, Authority: w.Authority, Clock: w.time, Transport: d,
		Pause:  func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
		Status: func() chain.RevocationSource { return o.Authority }},
		[]backend.Setting{{Name: "另一个印信", Kind: backend.KindRemote, Trust: filepath.Join(dir, "trust.pem"), URL: "https://ca.example.cn", KeyFile: filepath.Join(dir, "key")}})
	w.must(err)
	w.Service.Authorities, w.Service.Institutions = o.all, "另一个印信"
	return d
}

// decide is the other house's approver.
func (o *licensed) decide(approve bool) {
	w := o.w
	w.t.Helper()
	open, err := o.access.Open(w.t.Context(), 10)
	w.must(err)
	if len(open) != 1 {
		w.t.Fatalf("%d requests wait there", len(open))
	}
	if approve {
		w.must(o.access.Approve(w.t.Context(), access.Actor{ID: "approver"}, open[0].ID))
	} else {
		w.must(o.access.Reject(w.t.Context(), access.Actor{ID: "approver"}, open[0].ID, "材料不全"))
	}
}

// remotely has the central seal in use with a certificate that was ordered over HTTP.
func (o *licensed) remotely() (register.Instance, *desk) {
	w := o.w
	w.t.Helper()
	ctx := w.t.Context()
	d := o.online()
	a := w.approved(w.filled(form.New))
	w.must(w.CarryOut(ctx, w.registrar, a.ID))
	o.decide(true)
	for range 2 {
		w.must(w.CarryOut(ctx, w.registrar, a.ID))
	}
	w.with(w.enroll.Accept(ctx, w.handler, w.again(a).Ref()))
	in, refusal := w.usable(w.platform)
	if refusal != "" {
		w.t.Fatal(refusal)
	}
	return in, d
}

// renewals is the periodic work over a world.
func (o *licensed) renewals() *renewal.Service {
	w := o.w
	w.must(renewal.Migrate(w.t.Context(), w.db))
	return renewal.New(renewal.Config{DB: w.db, Authority: w.Authority, Others: o.all, Clock: w.time, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Renewer: mustNotRenew{w.t}, Elsewhere: renewsElsewhere{w}, Objections: business.Objections{DB: w.db},
		Mail: letterBox{w}, Administrators: []string{"admin@example.cn"}})
}

// letterBox counts the letters that are to be written.
type letterBox struct{ w *world }

func (b letterBox) Enqueue(context.Context, *store.Tx, string, string) error {
	b.w.letters++
	return nil
}

type renewsElsewhere struct{ w *world }

func (r renewsElsewhere) RenewElsewhere(ctx context.Context, e ca.Expiry) (bool, string, error) {
	p, err := r.w.RenewElsewhere(ctx, e.CommonName, e.Serial)
	return p.Made, p.Waits, err
}

func TestASealOfAnotherInstallationIsRenewedByTheServiceItself(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		o := w.licensed()
		in, line := o.remotely()
		s := o.renewals()
		alarms := func(reasons ...renewal.Reason) {
			t.Helper()
			list, err := s.Alarms(ctx)
			w.must(err)
			var got []renewal.Reason
			for _, a := range list {
				got = append(got, a.Reason)
			}
			if len(got) != len(reasons) || len(got) > 0 && got[0] != reasons[0] {
				t.Fatalf("alarms %v, want %v", got, reasons)
			}
		}
		w.near(in, 61)
		w.must(s.Run(ctx))
		if n := w.count(`SELECT COUNT(*) FROM backend_order`); n != 1 {
			t.Fatal("ordered too early")
		}
		w.near(in, 60)
		// The other side is away, our process dies after the order and forgets it, and the other side comes back.
		line.down = true
		w.must(s.Run(ctx))
		w.must(w.db.Write(ctx, func(tx *store.Tx) error {
			_, err := tx.ExecContext(ctx, `UPDATE business_elsewhere SET ordered = ''`)
			return err
		}))
		w.must(s.Run(ctx))
		line.down = false
		for range 3 {
			w.must(s.Run(ctx))
		}
		if n := w.count(`SELECT COUNT(*) FROM backend_order`); n != 2 {
			t.Fatalf("%d orders", n)
		}
		alarms()
		o.decide(true)
		w.must(s.Run(ctx)) // learns of it and takes it
		w.must(s.Run(ctx))
		due, err := s.Due(ctx, w.time())
		w.must(err)
		if len(due) != 0 {
			t.Errorf("still due: %+v", due[0])
		}
		w.settled()
		now, refusal := w.usable(w.platform)
		if refusal != "" || now.ID == in.ID {
			t.Fatalf("%s, the old one is in use", refusal)
		}
		// Told outside of the transaction, decided by two people there.
		old := serialOf(w, in)
		w.must(o.all.Tend(ctx))
		if r, err := o.Certificate(ctx, old.Serial); err != nil || r.State != ca.RecordHeld {
			t.Fatalf("%+v, %v", r.State, err)
		}
		o.decide(true)
		for range 2 {
			_, err := line.Outcome(ctx, line.by, remoteOf(w))
			w.must(err)
			w.must(o.all.Tend(ctx))
		}
		if r, err := o.Certificate(ctx, old.Serial); err != nil || r.State != ca.RecordRevoked || r.Reason != ca.ReasonSuperseded {
			t.Errorf("%+v, %v", r, err)
		}
		if n := w.count(`SELECT COUNT(*) FROM backend_revocation WHERE state = 'confirmed'`); n != 1 {
			t.Errorf("%d revocations confirmed", n)
		}
	})
}

// remoteOf is the first order's identifier there.
func remoteOf(w *world) (id string) {
	w.t.Helper()
	w.must(w.db.Read().QueryRowContext(w.t.Context(), `SELECT remote FROM backend_order WHERE renewal IS NULL`).Scan(&id))
	return id
}

func TestARefusedRenewalElsewhereIsToldAndTriedAgain(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		o := w.licensed()
		in, _ := o.remotely()
		s := o.renewals()
		w.near(in, 60)
		w.must(s.Run(ctx))
		o.decide(false)
		w.must(s.Run(ctx))
		list, err := s.Alarms(ctx)
		if err != nil || len(list) != 1 || list[0].Reason != renewal.ReasonFailed || !strings.Contains(list[0].Failure, "business.refused") {
			t.Fatalf("%+v, %v", list, err)
		}
		w.must(s.Run(ctx))
		if n := w.count(`SELECT COUNT(*) FROM backend_order`); n != 2 {
			t.Errorf("tried again at once: %d orders", n)
		}
		w.pass(time.Hour)
		w.must(s.Run(ctx))
		if n := w.count(`SELECT COUNT(*) FROM backend_order`); n != 3 {
			t.Errorf("%d orders after the pause", n)
		}
		o.decide(true)
		w.must(s.Run(ctx))
		w.must(s.Run(ctx))
		// The holder objects: what there is stays, and nothing is ended elsewhere.
		w.must(w.ObjectToRenewal(ctx, w.registrar, w.waiting().ID, "名称有误"))
		w.pass(30 * 24 * time.Hour)
		if n, err := w.SettleRenewals(ctx); err != nil || n != 0 {
			t.Errorf("%d settled, %v", n, err)
		}
		if now, refusal := w.usable(w.platform); refusal != "" || now.ID != in.ID {
			t.Errorf("%s: another one in use", refusal)
		}
		if n := w.count(`SELECT COUNT(*) FROM backend_revocation`); n != 0 {
			t.Errorf("%d revocations", n)
		}
	})
}

func TestARenewalElsewhereThatWasObjectedToIsToldUntilTwoPeopleRevokeIt(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		o := w.licensed()
		in, _ := o.remotely()
		s := o.renewals()
		w.near(in, 60)
		w.must(s.Run(ctx))
		o.decide(true)
		w.must(s.Run(ctx))
		w.must(s.Run(ctx))
		waiting := w.waiting()
		successor := waiting.Certificates[0].Successor
		if due, err := s.Due(ctx, w.time()); err != nil || len(due) != 0 {
			t.Fatalf("due while the holder is asked: %+v, %v", due, err)
		}
		letters := w.letters
		w.must(w.ObjectToRenewal(ctx, w.registrar, waiting.ID, "名称有误"))
		w.must(s.Run(ctx))
		w.must(s.Run(ctx))

		// The successor is to be revoked, and what it was to renew has none.
		due, err := s.Due(ctx, w.time())
		w.must(err)
		reasons := map[string]renewal.Reason{}
		for _, d := range due {
			if len(d.Alarms) != 1 {
				t.Fatalf("%s: alarms %+v", d.Holder, d.Alarms)
			}
			reasons[renewal.SerialText(d.Serial)] = d.Alarms[0].Reason
		}
		if len(due) != 2 || reasons[renewal.SerialText(successor)] != renewal.ReasonObjected || reasons[renewal.SerialText(serialOf(w, in).Serial)] != renewal.ReasonElsewhere {
			t.Fatalf("%v", reasons)
		}
		if w.letters != letters+2 {
			t.Errorf("%d letters", w.letters-letters)
		}
		alarm := func() *renewal.Alarm {
			list, err := s.Alarms(ctx)
			w.must(err)
			for _, a := range list {
				if a.Serial.Cmp(successor) == 0 {
					return &a
				}
			}
			return nil
		}
		raised := alarm()
		if raised == nil {
			t.Fatal("no alarm")
		}
		letter, err := s.Alarm(ctx, raised.ID+".0")
		w.must(err)
		if !strings.Contains(letter.Subject, "请撤销证书") || !strings.Contains(letter.Text, "yinxin ca revoke "+renewal.SerialText(successor)+" --reason") || !strings.Contains(letter.Text, "由两人撤销") {
			t.Errorf("%s\n%s", letter.Subject, letter.Text)
		}
		// A year before its end is not too early to tell.
		if list, err := s.Within(ctx, w.time(), 0); err != nil || len(list) != 1 || list[0].Holder != renewal.Objected {
			t.Errorf("%+v, %v", list, err)
		}

		// Asking alone ends nothing; what was decided does.
		id := renewal.SerialText(successor)
		kind, subject, err := o.all.Ask(ctx, id, backend.ChangeRevoke, ca.ReasonCessationOfOperation)
		w.must(err)
		request, err := w.access.Request(ctx, w.registrar, kind, subject)
		w.must(err)
		w.must(w.access.Approve(ctx, w.approver, request))
		if alarm() == nil {
			t.Error("the alarm ended before the certificate was revoked")
		}
		w.must(o.all.CarryOut(ctx, id, request))
		if alarm() != nil {
			t.Error("the alarm outlived the certificate")
		}
		if _, err := s.Alarm(ctx, raised.ID+".0"); !errors.Is(err, mail.ErrMoot) {
			t.Errorf("a letter about what is revoked: %v", err)
		}
		w.must(s.Run(ctx))
		if due, err := s.Due(ctx, w.time()); err != nil || len(due) != 1 || due[0].Serial.Cmp(serialOf(w, in).Serial) != 0 {
			t.Errorf("%+v, %v", due, err)
		}
	})
}

func TestARenewalElsewhereEndsWithItsSeal(t *testing.T) {
	w := sqliteWorld(t)
	ctx := t.Context()
	o := w.licensed()
	in := o.elsewhere()
	w.near(in, 59)
	w.step(in)
	w.accepted(w.approved(w.about(form.Cancellation)))
	w.must(w.RetireKeys(ctx))
	if n := w.count(`SELECT COUNT(*) FROM business_elsewhere WHERE state = 'failed'`); n != 1 {
		t.Error("it is renewed although the seal has ended")
	}
	_, err := w.RenewElsewhere(ctx, in.SealCode, serialOf(w, in).Serial)
	w.want(err, business.ErrNotCentral)
}
