package backend

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"yinxin/ca"
	"yinxin/ca/chain"
	"yinxin/internal/access"
	"yinxin/internal/fault"
)

// line is the way to the desk of the other house, in place of HTTP. A test can break it: fault is asked before a request
// arrives and after its answer was made.
type line struct {
	t    *testing.T
	desk *Desk
	by   access.Actor

	lock   sync.Mutex
	calls  []string
	before func(call int) *http.Response // nil: let it through
	after  func(call int, r *http.Response) (*http.Response, error)
}

func reply(status int, v any) *http.Response {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(data))}
}

func problem(status int, code string) *http.Response {
	return reply(status, map[string]string{"code": code})
}

func (l *line) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Header.Get("Authorization") != "Bearer yx_abc" || r.URL.Host != "ca.example.cn" || r.URL.Scheme != "https" {
		l.t.Errorf("%s with %s", r.URL, r.Header.Get("Authorization"))
	}
	l.lock.Lock()
	l.calls = append(l.calls, r.Method+" "+r.URL.Path+" "+r.Header.Get("Idempotency-Key"))
	call := len(l.calls)
	l.lock.Unlock()
	if l.before != nil {
		if answer := l.before(call); answer != nil {
			return answer, nil
		}
	}
	answer := l.serve(r)
	if l.after != nil {
		return l.after(call, answer)
	}
	return answer, nil
}

func (l *line) serve(r *http.Request) *http.Response {
	var out WireOutcome
	var err error
	rest := strings.TrimPrefix(r.URL.Path, "/yx/v1/certificate-requests")
	switch {
	case r.Method == http.MethodPost && rest == "":
		var o WireOrder
		if err := json.NewDecoder(r.Body).Decode(&o); err != nil {
			l.t.Error(err)
		}
		out, err = l.desk.Submit(r.Context(), l.by, r.Header.Get("Idempotency-Key"), o)
	case r.Method == http.MethodPost && strings.HasSuffix(rest, "/revocation"):
		var v WireRevocation
		if err := json.NewDecoder(r.Body).Decode(&v); err != nil {
			l.t.Error(err)
		}
		out, err = l.desk.Revoke(r.Context(), l.by, strings.TrimSuffix(rest[1:], "/revocation"), v.Reason)
	default:
		out, err = l.desk.Outcome(r.Context(), l.by, rest[1:])
	}
	if err != nil {
		f, _ := fault.Of(err)
		if f == nil {
			return problem(500, "internal")
		}
		return problem(map[fault.Kind]int{fault.Unavailable: 503, fault.Denied: 403, fault.NotFound: 404}[f.Kind]+422*btoi(f.Kind != fault.Unavailable && f.Kind != fault.Denied && f.Kind != fault.NotFound), f.Code)
	}
	return reply(http.StatusAccepted, out)
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// remote gives the licensed house as a remote authority, and the line to it.
func (w *world) remote(t *testing.T, trusted *chain.Certificate) (Backend, *line) {
	t.Helper()
	l := &line{t: t, by: w.licensed.outside,
		desk: NewDesk(Config{DB: w.licensed.db, Ledger: w.licensed.ledger, Access: w.licensed.access, Authority: w.licensed.authority, Clock: w.time})}
	key := filepath.Join(t.TempDir(), "key")
	must(t, os.WriteFile(key, []byte("yx_abc\n"), 0o600))
	c := w.config()
	c.Transport = l
	all, err := Open(t.Context(), c, []Setting{{Name: "另一个印信", Kind: KindRemote, Trust: trust(t, trusted), URL: "https://ca.example.cn/yx/", KeyFile: key}})
	must(t, err)
	b, err := all.Named("另一个印信")
	must(t, err)
	return b, l
}

// decide is the other house's second person.
func (h *house) decide(t testing.TB, approve bool) {
	t.Helper()
	open, err := h.access.Open(t.Context(), 10)
	must(t, err)
	if len(open) != 1 {
		t.Fatalf("%d requests wait", len(open))
	}
	if approve {
		must(t, h.access.Approve(t.Context(), h.approver, open[0].ID))
	} else {
		must(t, h.access.Reject(t.Context(), h.approver, open[0].ID, "材料不全"))
	}
}

func TestAnOrderGoesToAnotherHouseWhereTwoPeopleDecide(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		b, l := w.remote(t, w.licensed.root)
		o := w.order(t)
		out, err := b.Order(ctx, o)
		must(t, err)
		if out.State != StateSent || b.Kind() != KindRemote || b.Name() != "另一个印信" {
			t.Fatalf("%+v", out)
		}
		if l.calls[0] != "POST /yx/v1/certificate-requests "+out.ID {
			t.Errorf("%v", l.calls)
		}
		for range 2 {
			if out, err = b.Outcome(ctx, out.ID); err != nil || out.State != StateSent {
				t.Errorf("before they decided: %+v %v", out, err)
			}
		}
		w.licensed.decide(t, true)
		out, err = b.Outcome(ctx, out.ID)
		must(t, err)
		if out.State != StateReceived || len(out.Differences) != 0 || len(out.Chain) != 1 || out.Certificate.Subject.CommonName != testSealCode {
			t.Fatalf("%+v", out)
		}
		if again, err := b.Outcome(ctx, out.ID); err != nil || again.State != StateReceived {
			t.Errorf("again: %+v %v", again, err)
		}
		out, err = b.Accept(ctx, out.ID, "")
		must(t, err)
		if n := w.licensed.count(t, `SELECT COUNT(*) FROM ca_certificate WHERE profile = 'institution'`); n != 1 || out.State != StateIssued {
			t.Errorf("%d certificates there, %+v", n, out)
		}
		// Its end: on hold at once, revoked when two people there decided.
		c := out.Certificate
		must(t, b.Revoke(ctx, w.approve(t, access.KindRevokeCertificate, b.RevokeSubject(c, ca.ReasonKeyCompromise)), c, ca.ReasonKeyCompromise))
		state := func() chain.Status {
			t.Helper()
			s, err := b.Status(ctx, c, w.time())
			must(t, err)
			return s
		}
		if s := state(); s.State != chain.StateRevoked || s.Reason != chain.ReasonCertificateHold {
			t.Errorf("at once: %+v", s)
		}
		w.licensed.decide(t, true)
		answer, err := l.desk.Outcome(ctx, l.by, w.remoteID(t, out.ID))
		must(t, err)
		if s := state(); answer.State != WireRevoked || s.Reason != int(ca.ReasonKeyCompromise) {
			t.Errorf("afterwards: %s %+v", answer.State, s)
		}
		open, err := b.(*remote).Confirm(ctx)
		must(t, err)
		if n := w.count(t, `SELECT COUNT(*) FROM backend_revocation WHERE state = 'confirmed'`); n != 1 || len(open) != 0 {
			t.Errorf("%d confirmed, open %v", n, open)
		}
		sent, err := b.(*remote).Sendings(ctx, out.ID)
		must(t, err)
		if len(sent) != 2 || sent[0].Channel != "http" || sent[0].Backend != b.Name() || sent[1].What != "revocation" {
			t.Errorf("%+v", sent)
		}
	})
}

func (w *world) remoteID(t testing.TB, order string) (id string) {
	t.Helper()
	must(t, w.db.Read().QueryRowContext(t.Context(), `SELECT remote FROM backend_order WHERE id = $1`, order).Scan(&id))
	return id
}

func TestARefusalOfTheOtherHouseEndsTheOrder(t *testing.T) {
	w := sqliteWorld(t)
	b, _ := w.remote(t, w.licensed.root)
	out, err := b.Order(t.Context(), w.order(t))
	must(t, err)
	w.licensed.decide(t, false)
	out, err = b.Outcome(t.Context(), out.ID)
	must(t, err)
	if out.State != StateRefused || out.Refusal != "材料不全" {
		t.Errorf("%+v", out)
	}
	// One that its rules refuse ends at once; one whose time is over there as well.
	b2, l := w.remote(t, w.licensed.root)
	l.before = func(int) *http.Response { return problem(422, "ca.request") }
	if refused, err := b2.Order(t.Context(), w.order(t)); err != nil || refused.State != StateRefused || refused.Refusal != "ca.request" {
		t.Errorf("%+v %v", refused, err)
	}
	waiting, err := b.Order(t.Context(), w.order(t))
	must(t, err)
	w.pass(access.Term)
	waiting, err = b.Outcome(t.Context(), waiting.ID)
	must(t, err)
	if waiting.State != StateRefused || waiting.Refusal != "expired" {
		t.Errorf("%+v", waiting)
	}
}

// TestABrokenLineLosesAndDoublesNothing: whatever breaks when, one certificate comes of one order.
func TestABrokenLineLosesAndDoublesNothing(t *testing.T) {
	cut := errors.New("the line is cut")
	for name, c := range map[string]struct {
		before func(call int) *http.Response
		after  func(call int, r *http.Response) (*http.Response, error)
		calls  int
		state  State
	}{
		"busy twice": {before: func(call int) *http.Response {
			if call <= 2 {
				return problem(503, "x.busy")
			}
			return nil
		}, calls: 3, state: StateSent},
		"busy for long": {before: func(int) *http.Response { return problem(503, "x.busy") }, calls: remoteTries, state: StateOpen},
		"the answer is lost once": {after: func(call int, r *http.Response) (*http.Response, error) {
			if call == 1 {
				return nil, cut
			}
			return r, nil
		}, calls: 2, state: StateSent},
		"every answer is lost": {after: func(int, *http.Response) (*http.Response, error) { return nil, cut }, calls: remoteTries, state: StateOpen},
		"our key is refused":   {before: func(int) *http.Response { return problem(401, "access.unknown-key") }, calls: 1, state: StateOpen},
		"another address":      {before: func(int) *http.Response { return problem(404, "request.no-route") }, calls: 1, state: StateOpen},
		"a page instead": {before: func(int) *http.Response {
			return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"text/html"}}, Body: io.NopCloser(strings.NewReader("<html>"))}
		}, calls: 1, state: StateOpen},
		"no identifier": {before: func(int) *http.Response { return reply(202, WireOutcome{State: WirePending}) }, calls: 1, state: StateOpen},
		"an answer without end": {before: func(int) *http.Response {
			r := reply(202, nil)
			r.Body = io.NopCloser(io.LimitReader(zeros{}, maxAnswer*4))
			return r
		}, calls: 1, state: StateOpen},
	} {
		t.Run(name, func(t *testing.T) {
			w := sqliteWorld(t)
			b, l := w.remote(t, w.licensed.root)
			l.before, l.after = c.before, c.after
			out, err := b.Order(t.Context(), w.order(t))
			must(t, err)
			if out.State != c.state || len(l.calls) != c.calls {
				t.Errorf("%+v after %d calls", out, len(l.calls))
			}
			l.before, l.after = nil, nil
			out, err = b.Outcome(t.Context(), out.ID)
			must(t, err)
			w.licensed.decide(t, true)
			out, err = b.Outcome(t.Context(), out.ID)
			must(t, err)
			if n := w.licensed.count(t, `SELECT COUNT(*) FROM ca_certificate WHERE profile = 'institution'`); out.State != StateReceived || n != 1 {
				t.Errorf("%+v, %d certificates", out, n)
			}
		})
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func TestAnAnswerIsCheckedLikeAFile(t *testing.T) {
	for name, c := range map[string]struct {
		lie  func(w *world, o Order, honest WireOutcome) WireOutcome
		want fault.Spec
	}{
		"a certificate of another authority": {func(w *world, o Order, a WireOutcome) WireOutcome {
			s := w.andStranger()
			a.Certificate, a.Chain = s.certify(w.t, o).Raw, [][]byte{s.authority.Issuing(ca.ProfileInstitution).Raw, s.root.Raw}
			return a
		}, ErrChain},
		"a certificate for another key": {func(w *world, _ Order, a WireOutcome) WireOutcome {
			a.Certificate = w.licensed.certify(w.t, w.order(w.t)).Raw
			return a
		}, ErrNotAsked},
		"no certificate": {func(_ *world, _ Order, a WireOutcome) WireOutcome { a.Certificate = nil; return a }, ErrRemoteAnswer},
		"a chain that is none": {func(_ *world, _ Order, a WireOutcome) WireOutcome {
			a.Chain = [][]byte{{1}}
			return a
		}, ErrRemoteAnswer},
		"another order":    {func(_ *world, _ Order, a WireOutcome) WireOutcome { a.ID = "dsk_x"; return a }, ErrRemoteAnswer},
		"an unknown state": {func(_ *world, _ Order, a WireOutcome) WireOutcome { a.State = "perhaps"; return a }, ErrRemoteAnswer},
	} {
		t.Run(name, func(t *testing.T) {
			w := sqliteWorld(t)
			b, l := w.remote(t, w.licensed.root)
			o := w.order(t)
			out, err := b.Order(t.Context(), o)
			must(t, err)
			w.licensed.decide(t, true)
			honest, err := l.desk.Outcome(t.Context(), l.by, w.remoteID(t, out.ID))
			must(t, err)
			l.before = func(int) *http.Response { return reply(200, c.lie(w, o, honest)) }
			out, err = b.Outcome(t.Context(), out.ID)
			wantCode(t, name, err, c.want)
			if out.State != StateSent {
				t.Errorf("%+v", out)
			}
			l.before = nil
			if out, err = b.Outcome(t.Context(), out.ID); err != nil || out.State != StateReceived {
				t.Errorf("the honest answer: %+v %v", out, err)
			}
		})
	}
	// What the other house changed is a difference.
	w := sqliteWorld(t)
	b, l := w.remote(t, w.licensed.root)
	o := w.order(t)
	out, err := b.Order(t.Context(), o)
	must(t, err)
	other := w.licensed.certify(t, o, func(r *ca.Request) { r.Organisation = "某某县档案馆" })
	l.before = func(int) *http.Response {
		return reply(200, WireOutcome{ID: w.remoteID(t, out.ID), State: WireIssued, Certificate: other.Raw, Chain: [][]byte{w.licensed.authority.Issuing(ca.ProfileInstitution).Raw}})
	}
	out, err = b.Outcome(t.Context(), out.ID)
	must(t, err)
	if fields(out.Differences) != "O " || out.State != StateReceived {
		t.Errorf("%+v", out)
	}
}

func TestARevocationThatDidNotArriveIsToldAgain(t *testing.T) {
	w := sqliteWorld(t)
	ctx := t.Context()
	b, l := w.remote(t, w.licensed.root)
	out, err := b.Order(ctx, w.order(t))
	must(t, err)
	w.licensed.decide(t, true)
	out, err = b.Outcome(ctx, out.ID)
	must(t, err)
	out, err = b.Accept(ctx, out.ID, "")
	must(t, err)
	l.before = func(int) *http.Response { return problem(503, "x.busy") }
	must(t, b.Revoke(ctx, w.approve(t, access.KindRevokeCertificate, b.RevokeSubject(out.Certificate, ca.ReasonSuperseded)), out.Certificate, ca.ReasonSuperseded))
	_, err = b.Outcome(ctx, out.ID)
	wantCode(t, "while it is away", err, ErrRemote)
	l.before = nil
	_, err = b.Outcome(ctx, out.ID)
	must(t, err)
	if s, err := b.Status(ctx, out.Certificate, w.time()); err != nil || s.State != chain.StateRevoked {
		t.Errorf("%+v %v", s, err)
	}
	before := len(l.calls)
	_, err = b.Outcome(ctx, out.ID)
	must(t, err)
	if len(l.calls) != before {
		t.Errorf("told again: %v", l.calls[before:])
	}
}

// TestPeriodicWorkBringsInWhatWaits: approvals of the other house, expired orders, revocations that did not arrive.
func TestPeriodicWorkBringsInWhatWaits(t *testing.T) {
	w := sqliteWorld(t)
	ctx := t.Context()
	_, l := w.remote(t, w.licensed.root)
	key := filepath.Join(t.TempDir(), "key")
	must(t, os.WriteFile(key, []byte("yx_abc"), 0o600))
	c := w.config()
	c.Transport = l
	all, err := Open(ctx, c, []Setting{{Name: fileName, Kind: KindFile, Trust: trust(t, w.licensed.root)},
		{Name: "另一个印信", Kind: KindRemote, Trust: trust(t, w.licensed.root), URL: "https://ca.example.cn/yx", KeyFile: key}})
	must(t, err)
	f, b := all.Foreign()[0], all.Foreign()[1]
	asked, err := b.Order(ctx, w.order(t))
	must(t, err)
	w.licensed.decide(t, true)
	must(t, all.Tend(ctx))
	waiting, err := b.Waiting(ctx)
	must(t, err)
	if len(waiting) != 1 || waiting[0].State != StateReceived {
		t.Fatalf("%+v", waiting)
	}
	done, err := b.Accept(ctx, asked.ID, "")
	must(t, err)
	if list, err := all.Certificates(ctx); err != nil || len(list) != 1 || list[0].Fingerprint() != done.Certificate.Fingerprint() {
		t.Errorf("%v %v", list, err)
	}
	l.before = func(int) *http.Response { return problem(503, "x.busy") }
	must(t, b.Revoke(ctx, w.approve(t, access.KindRevokeCertificate, b.RevokeSubject(done.Certificate, ca.ReasonSuperseded)), done.Certificate, ca.ReasonSuperseded))
	forgotten, err := f.Order(ctx, w.order(t))
	must(t, err)
	w.pass(DefaultTerm)
	err = all.Tend(ctx)
	if !errors.Is(err, ErrRemote.New()) {
		t.Errorf("while one is away: %v", err)
	}
	if now, err := f.Outcome(ctx, forgotten.ID); err != nil || now.State != StateExpired {
		t.Errorf("the other one: %+v %v", now, err)
	}
	l.before = nil
	must(t, all.Tend(ctx))
	if s, err := b.Status(ctx, done.Certificate, w.time()); err != nil || s.State != chain.StateRevoked {
		t.Errorf("%+v %v", s, err)
	}
}

func TestTheDeskTakesOneOrderOnce(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		d := NewDesk(w.config())
		o := w.order(t)
		wire := WireOrder{Profile: o.Request.Profile, Organisation: testUnit, CreditCode: testCode, SealCode: testSealCode, CSR: o.CSR}
		outs := make([]WireOutcome, 5)
		var wg sync.WaitGroup
		for i := range outs {
			wg.Go(func() {
				var err error
				if outs[i], err = d.Submit(ctx, w.registrar, "k", wire); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		for _, out := range outs {
			if out.ID != outs[0].ID || out.State != WirePending {
				t.Errorf("%+v", out)
			}
		}
		other := wire
		other.Organisation = "某某县档案馆"
		_, err := d.Submit(ctx, w.registrar, "k", other)
		wantCode(t, "the same key with another order", err, ErrRepeated)
		_, err = d.Outcome(ctx, w.outside, outs[0].ID)
		wantCode(t, "the order of another caller", err, ErrOrder)
		_, err = d.Revoke(ctx, w.outside, outs[0].ID, ca.ReasonSuperseded)
		wantCode(t, "the end of another caller's", err, ErrOrder)
		_, err = d.Revoke(ctx, w.registrar, outs[0].ID, ca.ReasonSuperseded)
		wantCode(t, "the end of what is not issued", err, ErrState)
		must(t, w.access.Approve(ctx, w.approver, w.request(t, outs[0].ID)))
		states := make([]error, 5)
		for i := range states {
			wg.Go(func() { outs[i], states[i] = d.Outcome(ctx, w.registrar, outs[0].ID) })
		}
		wg.Wait()
		for i, err := range states {
			if err != nil && !fault.Has(err, ErrRemote) && !fault.Has(err, ErrOrder) {
				t.Errorf("%v", err)
			}
			if err == nil && outs[i].State != WireIssued {
				t.Errorf("%+v", outs[i])
			}
		}
		if n := w.count(t, `SELECT COUNT(*) FROM ca_certificate WHERE profile = 'institution'`); n != 1 {
			t.Errorf("%d certificates", n)
		}
	})
}

func (h *house) request(t testing.TB, id string) (request string) {
	t.Helper()
	must(t, h.db.Read().QueryRowContext(t.Context(), `SELECT request FROM backend_desk WHERE id = $1`, id).Scan(&request))
	return request
}

func TestTheDeskRefusesWhatItsHouseWould(t *testing.T) {
	w := sqliteWorld(t)
	ctx := t.Context()
	d := NewDesk(w.config())
	o := w.order(t)
	good := WireOrder{Profile: o.Request.Profile, Organisation: testUnit, CreditCode: testCode, SealCode: testSealCode, CSR: o.CSR}
	for name, c := range map[string]struct {
		by     access.Actor
		key    string
		change func(o *WireOrder)
		code   string
	}{
		"no key":             {w.registrar, "", func(*WireOrder) {}, "ca.request"},
		"a key with a blank": {w.registrar, "a b", func(*WireOrder) {}, "ca.request"},
		"a long key":         {w.registrar, strings.Repeat("k", 201), func(*WireOrder) {}, "ca.request"},
		"an operator":        {w.operator, "1", func(*WireOrder) {}, "access.role"},
		"an approver":        {w.approver, "1", func(*WireOrder) {}, "access.role"},
		"a responder":        {w.registrar, "1", func(o *WireOrder) { o.Profile, o.CreditCode, o.SealCode, o.CommonName = ca.ProfileOCSP, "", "", "OCSP" }, "ca.request"},
		"a CA":               {w.registrar, "1", func(o *WireOrder) { o.Profile = ca.ProfileIssuing }, "ca.request"},
		"a bad credit code":  {w.registrar, "1", func(o *WireOrder) { o.CreditCode = testCode[:17] + "F" }, "ca.request"},
		"no request":         {w.registrar, "1", func(o *WireOrder) { o.CSR = nil }, "csr.format"},
		"a broken request":   {w.registrar, "1", func(o *WireOrder) { o.CSR = append(bytes.Clone(o.CSR[:len(o.CSR)-1]), o.CSR[len(o.CSR)-1]^1) }, "csr.signature"},
	} {
		wire := good
		c.change(&wire)
		if _, err := d.Submit(ctx, c.by, c.key, wire); fault.CodeOf(err) != c.code {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := w.count(t, `SELECT COUNT(*) FROM backend_desk`); n != 0 {
		t.Errorf("%d orders", n)
	}
	if _, err := d.Revoke(ctx, w.registrar, "dsk_x", ca.ReasonCertificateHold); !fault.Has(err, ca.ErrReason) {
		t.Errorf("a hold: %v", err)
	}
}

// TestAnOrderOfAnotherHouseEndsWithItsTerm: an approval there that comes too late finds no order here.
func TestAnOrderOfAnotherHouseEndsWithItsTerm(t *testing.T) {
	w := sqliteWorld(t)
	b, l := w.remote(t, w.licensed.root)
	l.before = func(int) *http.Response { return problem(503, "x.busy") }
	out, err := b.Order(t.Context(), w.order(t))
	must(t, err)
	w.pass(DefaultTerm)
	calls := len(l.calls)
	out, err = b.Outcome(t.Context(), out.ID)
	must(t, err)
	if out.State != StateExpired || len(l.calls) != calls {
		t.Errorf("%+v %v", out, l.calls)
	}
}

func ExampleAcceptSubject() {
	fmt.Printf("%s\n", AcceptSubject(Outcome{ID: "ord_a", Backend: "吉林CA", Expires: time.Time{}, Differences: []Difference{{"O", "某某市档案馆", "某某市挡案馆"}}}))
	// Output: {"type":"yinxin certificate acceptance 1","order":"ord_a","backend":"吉林CA","certificate":"","differences":[{"field":"O","asked":"某某市档案馆","given":"某某市挡案馆"}]}
}

func TestTheDeskIsForRequestersAndRegistrarsOfToday(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		d := NewDesk(w.config())
		o := w.order(t)
		out, err := d.Submit(ctx, w.outside, "1", WireOrder{Profile: o.Request.Profile, Organisation: testUnit, CreditCode: testCode, SealCode: testSealCode, CSR: o.CSR})
		must(t, err)
		must(t, w.access.Approve(ctx, w.approver, w.request(t, out.ID)))
		out, err = d.Outcome(ctx, w.outside, out.ID)
		if err != nil || out.State != WireIssued {
			t.Fatalf("%+v, %v", out, err)
		}
		c, err := chain.ParseCertificate(out.Certificate)
		must(t, err)
		// The desk alone: none of the authority's own doors, and no request for anything else.
		wantCode(t, "a hold without the desk", w.authority.SuspendAtOnce(ctx, w.outside, c.Serial, "x"), access.ErrRole)
		for _, k := range []access.Kind{access.KindIssueCertificate, access.KindRevokeCertificate, access.KindGrantRole} {
			_, err := w.access.Request(ctx, w.outside, k, []byte("x"))
			wantCode(t, string(k), err, access.ErrRole)
		}
		must(t, w.exec(`DELETE FROM access_role WHERE actor = $1`, w.outside.ID))
		_, err = d.Outcome(ctx, w.outside, out.ID)
		wantCode(t, "a question after the role was taken away", err, access.ErrRole)
		_, err = d.Revoke(ctx, w.outside, out.ID, ca.ReasonSuperseded)
		wantCode(t, "a revocation after the role was taken away", err, access.ErrRole)
		if n := w.count(t, `SELECT COUNT(*) FROM ca_status`); n != 0 {
			t.Errorf("%d certificates on hold", n)
		}
	})
}
