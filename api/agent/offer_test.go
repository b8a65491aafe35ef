//go:build cgo && !windows

package agent

import (
	"bytes"
	"crypto/ecdsa"
	"fmt"
	"math/big"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"yinxin/ca"
	"yinxin/hsm"
	"yinxin/internal/access"
)

const password = "a password of twelve"

// person is somebody with a password, who signed in at the pages.
func (s *server) person(id string, role access.Role) (access.Actor, *visitor) {
	s.w.t.Helper()
	ctx := s.w.t.Context()
	who, err := s.w.Access.CreateActor(ctx, access.Actor{ID: id, Name: id, Organisation: "临江省档案局", Roles: []access.Role{role}})
	s.w.must(err)
	s.w.must(s.room.Logins.FoundingPassword(ctx, id, password))
	v := s.visitor()
	v.post("/login", url.Values{"name": {id}, "password": {password}}, 303)
	return who, v
}

// personal brings a personal certificate onto the token, for a key of its own.
func (w *world) personal(name string) *big.Int {
	w.t.Helper()
	ctx := w.t.Context()
	var serial *big.Int
	w.token(func(token *hsm.Token) {
		key, err := token.Generate(ctx, hsm.NewKey{Algorithm: hsm.SM2, Label: name})
		w.must(err)
		r := ca.Request{Profile: ca.ProfilePersonal, Public: key.Public().(*ecdsa.PublicKey), Organisation: "临江省档案局", CommonName: name}
		c, err := w.Authority.Issue(ctx, w.Agree(access.KindIssueCertificate, r.Subject()), r)
		w.must(err)
		w.must(token.StoreCertificate(ctx, hsm.Certificate{ID: key.Info().ID, Label: name, DER: c.Raw}))
		serial = c.Serial
	})
	return serial
}

// TestAnOfficerAndAnAuditorSignInWithTheirUSBKeys: pages, agent and soft token, over HTTP.
func TestAnOfficerAndAnAuditorSignInWithTheirUSBKeys(t *testing.T) {
	for _, role := range []access.Role{access.RoleApprover, access.RoleAuditor} {
		t.Run(string(role), func(t *testing.T) {
			w := newWorld(t)
			s := w.server()
			who, v := s.person("somebody", role)
			desk := &clerk{}
			a := s.pairedWith(who, desk, "办公室")

			// The token has the certificate of a clerk's seal, which is nobody else's to sign in with.
			_, err := a.OfferKey(t.Context(), "")
			wants(t, err, "terminal.login-certificate")
			serial := w.personal("王五")
			_, err = a.OfferKey(t.Context(), "")
			wants(t, err, "agent.login-certificates")
			_, err = a.OfferKey(t.Context(), "abc")
			wants(t, err, "agent.no-login-certificate")
			offered, err := a.OfferKey(t.Context(), ca.SerialText(serial))
			if err != nil || !strings.Contains(offered.Certificate, "王五") {
				t.Fatalf("%+v, %v", offered, err)
			}
			// Before its owner has confirmed it, it opens nothing.
			v.asks(who.ID)
			wants(t, a.Once(t.Context()), "terminal.login-no-certificate")

			page := v.get("/account/terminals", 200)
			if !bytes.Contains(page, []byte("王五")) || !bytes.Contains(page, []byte("办公室")) {
				t.Errorf("%s", page)
			}
			confirm := url.Values{"key": {offered.Key}, "password": {"another password"}}
			if body, _ := v.post("/account/keys/confirm", confirm, 401); !bytes.Contains(body, []byte("login.refused")) {
				t.Errorf("%s", body)
			}
			confirm.Set("password", password)
			v.post("/account/keys/confirm", confirm, 303)

			browser := s.visitor()
			browser.asks(who.ID)
			w.must(a.Once(t.Context()))
			if q := desk.logins[len(desk.logins)-1]; len(q.Certificates) != 1 || !strings.Contains(q.Certificates[0], "王五") {
				t.Errorf("%+v", q)
			}
			browser.post("/login/key/continue", url.Values{"next": {"/account"}}, 303)
			if page := browser.get("/account", 200); !bytes.Contains(page, []byte("<dd>somebody</dd>")) {
				t.Errorf("%s", page)
			}
			// There is nothing to seal for them.
			if _, err := a.link.tasks(t.Context()); err != nil {
				t.Error(err)
			}
			_, err = a.link.claim(t.Context(), "tsk_1")
			wants(t, err, "access.role")

			// A revoked certificate opens nothing, and a Key that its owner ended ends what it opened.
			w.must(w.Authority.Revoke(t.Context(), w.Agree(access.KindRevokeCertificate, ca.RevokeSubject(serial, ca.ReasonKeyCompromise)), serial, ca.ReasonKeyCompromise))
			s.visitor().asks(who.ID)
			wants(t, a.Once(t.Context()), "terminal.login-certificate-revoked")
			_, err = a.OfferKey(t.Context(), ca.SerialText(serial))
			wants(t, err, "terminal.login-certificate-revoked")
			browser.get("/account", 200)
			key := regexp.MustCompile(`name="key" value="(lky_[^"]+)"`).FindSubmatch(v.get("/account/terminals", 200))
			if key == nil {
				t.Fatal("the page has no Key")
			}
			v.post("/account/keys/end", url.Values{"key": {string(key[1])}}, 303)
			browser.get("/account", 303)
			var entries int
			w.must(w.DB.Read().QueryRowContext(t.Context(), `SELECT COUNT(*) FROM ledger_event WHERE kind IN ('login.key-offered', 'login.key-confirmed', 'login.key-ended') AND subject = $1`, who.ID).Scan(&entries))
			if entries != 3 {
				t.Errorf("%d entries", entries)
			}
			v.get("/account", 200)
		})
	}
}

// TestASignatureMadeElsewhereOffersNothing: what is signed names terminal, person, server and time.
func TestASignatureMadeElsewhereOffersNothing(t *testing.T) {
	w := newWorld(t)
	s := w.server()
	who, v := s.person("auditor", access.RoleAuditor)
	other, _ := s.person("approver-2", access.RoleApprover)
	serial := w.personal("王五")
	a, b := s.pairedWith(who, &clerk{}, "一"), s.pairedWith(other, &clerk{}, "二")
	mine := *a.link
	for what, forge := range map[string]func(){
		"another terminal": func() { a.link.terminal = b.link.terminal; a.link.key = b.link.key },
		"another person":   func() { a.link.clerk = other.ID },
		"another server":   func() { a.link.pinned = w.otherKey().Public().(*ecdsa.PublicKey) },
	} {
		forge()
		_, err := a.OfferKey(t.Context(), ca.SerialText(serial))
		if want := "terminal.login-signature"; err == nil || !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("%s: %v", what, err)
		}
		*a.link = mine
	}
	if page := v.get("/account/terminals", 200); bytes.Contains(page, []byte("王五")) {
		t.Error("it was offered")
	}
	_, err := a.OfferKey(t.Context(), ca.SerialText(serial))
	w.must(err)
}
