package backend

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"yinxin/ca"
	"yinxin/ca/chain"
	"yinxin/ca/csr"
	"yinxin/internal/access"
)

func rsaCertificate(t testing.TB) []byte {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	must(t, err)
	return raw
}

func TestTheBuiltInAuthorityIsABackendLikeTheOthers(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		all, err := Open(ctx, w.config(), nil)
		must(t, err)
		b, err := all.Named(BuiltIn)
		must(t, err)
		o := w.order(t)
		o.With = []ca.Companion{&escort{}}
		out, err := b.Order(ctx, o)
		must(t, err)
		if out.State != StateIssued || out.Certificate == nil || len(out.Chain) != 1 || o.With[0].(*escort).steps != "intend make complete " {
			t.Errorf("%+v", out)
		}
		if status, err := b.Status(ctx, out.Certificate, w.time()); err != nil || status.State != chain.StateGood {
			t.Errorf("%+v %v", status, err)
		}
		id := w.approve(t, access.KindRevokeCertificate, b.RevokeSubject(out.Certificate, ca.ReasonSuperseded))
		must(t, b.Revoke(ctx, id, out.Certificate, ca.ReasonSuperseded))
		if status, err := b.Status(ctx, out.Certificate, w.time()); err != nil || status.State != chain.StateRevoked {
			t.Errorf("%+v %v", status, err)
		}
		wrong := w.order(t)
		wrong.CSR = o.CSR
		_, err = b.Order(ctx, wrong)
		wantCode(t, "a request for another key", err, ErrKeyMismatch)
	})
}

// TestKeysOfTheAuthorityAreReserved: the holder of the TSA's key cannot have it certified as somebody's.
func TestKeysOfTheAuthorityAreReserved(t *testing.T) {
	w := sqliteWorld(t)
	reserved := Reserved(t.Context(), w.authority)
	for _, p := range []ca.Profile{ca.ProfileRoot, ca.ProfileIssuing, ca.ProfileTSA, ca.ProfileOCSP, ca.ProfileSealMaker} {
		list, err := w.authority.Certificates(t.Context(), ca.Filter{Profile: p})
		must(t, err)
		if yes, err := reserved(sm2Key(list[0].Certificate)); err != nil || !yes {
			t.Errorf("%s: %v %v", p, yes, err)
		}
	}
	o := w.order(t)
	w.certify(t, o)
	if yes, err := reserved(o.Request.Public); err != nil || yes {
		t.Errorf("the key of an institution: %v %v", yes, err)
	}
	if _, err := csr.Parse(o.CSR, csr.Options{Reserved: reserved}); err != nil {
		t.Error(err)
	}
}

// TestOnlyTheAnchorsOfTheAuthorityCount: of several that were imported, and not the root of our own.
func TestOnlyTheAnchorsOfTheAuthorityCount(t *testing.T) {
	w := sqliteWorld(t)
	ctx := t.Context()
	all, err := Open(ctx, w.config(), []Setting{{Name: "a", Kind: KindFile, Anchors: []string{"吉林CA根"}}})
	must(t, err)
	f, err := all.File("a")
	must(t, err)
	take := func(h *house) error {
		o := w.order(t)
		_, err := f.Order(ctx, o)
		must(t, err)
		got, err := f.Import(ctx, w.registrar, inPEM(h.certify(t, o), h.authority.Issuing(ca.ProfileInstitution), h.root))
		return one(t, got, err).Err
	}
	anchor := func(h *house, name string) string {
		r := ca.AnchorRequest{Certificate: h.root.Raw, Name: name, Purposes: []ca.AnchorPurpose{ca.AnchorSigner}}
		id, err := w.authority.ImportAnchor(ctx, w.approve(t, access.KindImportAnchor, r.Subject()), r)
		must(t, err)
		return id
	}
	wantCode(t, "before it was imported", take(w.licensed), ErrChain)
	id := anchor(w.licensed, "吉林CA根")
	must(t, take(w.licensed))
	anchor(w.andStranger(), "别的根")
	wantCode(t, "of another imported authority", take(w.stranger), ErrChain)
	wantCode(t, "of our own", take(w.house), ErrChain)
	must(t, w.authority.RemoveAnchor(ctx, w.registrar, id, "合同到期"))
	wantCode(t, "after it was removed", take(w.licensed), ErrChain)
}

// TestTheOtherSideSeesOurClientCertificate speaks TLS with a server that asks for one.
func TestTheOtherSideSeesOurClientCertificate(t *testing.T) {
	w := sqliteWorld(t)
	raw, private := tlsPair(t)
	clients := x509.NewCertPool()
	parsed, err := x509.ParseCertificate(raw)
	must(t, err)
	clients.AddCert(parsed)
	seen := 0
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		if len(r.TLS.PeerCertificates) == 1 && bytes.Equal(r.TLS.PeerCertificates[0].Raw, raw) {
			seen++
		}
		out.Header().Set("Content-Type", "application/json")
		must(t, json.NewEncoder(out).Encode(WireOutcome{ID: "dsk_1", State: WirePending}))
	}))
	server.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	write := func(name, kind string, data []byte) string {
		path := filepath.Join(t.TempDir(), name)
		must(t, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: data}), 0o600))
		return path
	}
	key := filepath.Join(t.TempDir(), "key")
	must(t, os.WriteFile(key, []byte("yx_abc"), 0o600))
	setting := Setting{Name: "b", Kind: KindRemote, Trust: trust(t, w.licensed.root), URL: server.URL, KeyFile: key,
		ServerTrust: write("server.pem", "CERTIFICATE", server.Certificate().Raw)}
	for name, c := range map[string]struct {
		certificate, key string
		state            State
	}{
		"with it":    {write("client.pem", "CERTIFICATE", raw), write("client.key", "PRIVATE KEY", private), StateSent},
		"without it": {"", "", StateOpen},
	} {
		setting.ClientCertificate, setting.ClientKey = c.certificate, c.key
		all, err := Open(t.Context(), w.config(), []Setting{setting})
		must(t, err)
		b, err := all.Named("b")
		must(t, err)
		if out, err := b.Order(t.Context(), w.order(t)); err != nil || out.State != c.state {
			t.Errorf("%s: %+v %v", name, out, err)
		}
	}
	if seen != 1 {
		t.Errorf("it was seen %d times", seen)
	}
}

func tlsPair(t testing.TB) (certificate, key []byte) {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(7), NotAfter: time.Now().Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	certificate, err = x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	must(t, err)
	key, err = x509.MarshalPKCS8PrivateKey(private)
	must(t, err)
	return certificate, key
}

func TestSettingsAreChecked(t *testing.T) {
	w := sqliteWorld(t)
	anchor := trust(t, w.licensed.root)
	key := filepath.Join(t.TempDir(), "key")
	must(t, os.WriteFile(key, []byte("yx_abc\n"), 0o600))
	empty := filepath.Join(t.TempDir(), "empty")
	must(t, os.WriteFile(empty, nil, 0o600))
	file := Setting{Name: "a", Kind: KindFile, Trust: anchor}
	far := Setting{Name: "b", Kind: KindRemote, Trust: anchor, URL: "https://ca.example.cn/yx/", KeyFile: key}
	all, err := Open(t.Context(), w.config(), []Setting{file, far})
	must(t, err)
	if !slices.Equal(all.Names(), []string{BuiltIn, "a", "b"}) {
		t.Errorf("%v", all.Names())
	}
	_, err = all.Named("c")
	wantCode(t, "a name that is not there", err, ErrUnknown)
	_, err = all.File("b")
	wantCode(t, "a remote one as a file", err, ErrUnknown)
	for name, change := range map[string]func(s *Setting){
		"no name":                  func(s *Setting) { s.Name = "" },
		"the name of another":      func(s *Setting) { s.Name = "a" },
		"the name of the built-in": func(s *Setting) { s.Name = BuiltIn },
		"another kind":             func(s *Setting) { s.Kind = "x" },
		"no anchors":               func(s *Setting) { s.Trust = "" },
		"anchors in two ways":      func(s *Setting) { s.Anchors = []string{"x"} },
		"http to another machine":  func(s *Setting) { s.URL = "http://ca.example.cn" },
		"a password in the URL":    func(s *Setting) { s.URL = "https://a:b@ca.example.cn" },
		"another scheme":           func(s *Setting) { s.URL = "ftp://ca.example.cn" },
		"no key":                   func(s *Setting) { s.KeyFile = empty },
		"no such key":              func(s *Setting) { s.KeyFile = empty + "x" },
		"no such certificate":      func(s *Setting) { s.ClientCertificate = empty },
		"no such server trust":     func(s *Setting) { s.ServerTrust = empty },
		"a negative term":          func(s *Setting) { s.TermDays = -1 },
	} {
		s := far
		change(&s)
		_, err := Open(t.Context(), w.config(), []Setting{file, s})
		wantCode(t, name, err, ErrSettings)
	}
	_, err = Open(t.Context(), Config{}, nil)
	wantCode(t, "nothing to work with", err, ErrSettings)
	c := w.config()
	c.Status = nil
	all, err = Open(t.Context(), c, []Setting{file})
	must(t, err)
	b, err := all.Named("a")
	must(t, err)
	_, err = b.Status(t.Context(), w.licensed.root, w.time())
	wantCode(t, "nobody to ask", err, ErrNoStatus)
}
