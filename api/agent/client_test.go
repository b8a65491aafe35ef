package agent

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"yinxin/internal/fault"
	"yinxin/sealer/terminal/manifest"
)

func wantsCode(t testing.TB, err error, want string) {
	t.Helper()
	if err == nil || fault.CodeOf(err) != want {
		t.Fatalf("%v, want %s", err, want)
	}
}

func newFolder(t testing.TB) Folder {
	t.Helper()
	f, err := OpenFolder(filepath.Join(t.TempDir(), "terminal"))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestAddressesOfServers(t *testing.T) {
	for text, want := range map[string]string{
		"https://seal.example/":         "https://seal.example",
		" https://seal.example/yinxin/": "https://seal.example/yinxin",
		"http://127.0.0.1:8080":         "http://127.0.0.1:8080",
		"http://[::1]:8080/":            "http://[::1]:8080",
		"http://localhost":              "http://localhost",
		"http://seal.example":           "",
		"http://127.0.0.1.seal.example": "",
		"http://10.0.0.1":               "",
		"ftp://127.0.0.1":               "",
		"https://a:b@seal.example":      "",
		"https://seal.example/?a=b":     "",
		"seal.example":                  "",
		"https://":                      "",
		"":                              "",
	} {
		got, err := serverURL(text)
		if got != want || (want == "") != (fault.CodeOf(err) == "agent.insecure") {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
}

func TestTheFolderIsForItsUserAlone(t *testing.T) {
	f := newFolder(t)
	for _, p := range []string{f.path, filepath.Join(f.path, keysName)} {
		if info, err := os.Stat(p); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%v, %v", info, err)
		}
	}
	unlock, err := f.Lock()
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Lock()
	wantsCode(t, err, "agent.running")
	unlock()
	unlock, err = f.Lock()
	if err != nil {
		t.Fatal(err)
	}
	unlock()
	if err := os.Chmod(filepath.Join(f.path, keysName), 0o750); err != nil {
		t.Fatal(err)
	}
	_, err = OpenFolder(f.path)
	wantsCode(t, err, "agent.folder")
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = OpenFolder(file)
	wantsCode(t, err, "agent.folder")
}

func TestAConfigurationThatCannotBeUnderstood(t *testing.T) {
	f := newFolder(t)
	for _, text := range []string{"{", `{"modul": "x"}`, `{"servers": [{"url": "https://a.example"}]}`, strings.Repeat(" ", maxConfig+1)} {
		if err := os.WriteFile(filepath.Join(f.path, configName), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := f.Config()
		wantsCode(t, err, "agent.config")
	}
	if err := os.WriteFile(filepath.Join(f.path, configName), []byte(`{"module": "/lib/x.so", "profile": "sansec", "token": "clerk", "trust": ["ca.crt"]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := f.KeepDevice(t.Context(), Device{Profile: "tass"}); err != nil {
		t.Fatal(err)
	}
	c, err := f.Config()
	if err != nil || c.Module != "/lib/x.so" || c.Profile != "tass" || c.Token != "clerk" || len(c.Trust) != 1 {
		t.Errorf("%+v, %v", c, err)
	}
	_, err = c.Server("")
	wantsCode(t, err, "agent.not-paired")
}

// linked is a client of a server, which says what it answers.
func linked(t *testing.T, handler http.HandlerFunc) (*client, *httptest.Server) {
	t.Helper()
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	key, err := newKey()
	if err != nil {
		t.Fatal(err)
	}
	h, err := transport("")
	if err != nil {
		t.Fatal(err)
	}
	return &client{base: s.URL, terminal: "trm_1", clerk: "clerk", pinned: &key.PublicKey, key: ownKey{key}, http: h, clock: time.Now}, s
}

func TestAnswersOfServers(t *testing.T) {
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   string
	}{
		"a problem":            {problemWith(409, "terminal.claimed"), "terminal.claimed"},
		"a clock that is off":  {problemWith(401, "terminal.clock"), "terminal.clock"},
		"not ready":            {problemWith(503, "service.not-ready"), "agent.unreachable"},
		"too many":             {problemWith(429, "request.too-many"), "agent.unreachable"},
		"given up":             {problemWith(503, "sealing.abandoned"), "sealing.abandoned"},
		"a proxy's page":       {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(502); fmt.Fprint(w, "<html>") }, "agent.unreachable"},
		"somebody else's page": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404); fmt.Fprint(w, "<html>") }, "agent.answer"},
		"no JSON":              {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") }, "agent.answer"},
		"another task":         {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"task": {"id": "other"}}`) }, "agent.answer"},
		"too much": {func(w http.ResponseWriter, _ *http.Request) {
			w.Write(bytes.Repeat([]byte(" "), manifest.MaxEnvelope+1))
		}, "agent.answer"},
		"elsewhere": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://example.invalid/", http.StatusTemporaryRedirect)
		}, "agent.answer"},
		"cut off": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			fmt.Fprint(w, "{")
		}, "agent.unreachable"},
	} {
		t.Run(name, func(t *testing.T) {
			link, _ := linked(t, c.answer)
			_, err := link.claim(t.Context(), "t")
			wantsCode(t, err, c.want)
		})
	}
	link, s := linked(t, nil)
	s.Close()
	_, err := link.tasks(t.Context())
	wantsCode(t, err, "agent.unreachable")
}

func problemWith(status int, code string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"code": %q, "message": "不行。", "message_en": "No."}`, code)
	}
}

// TestEveryRequestIsSigned looks at what a server gets.
func TestEveryRequestIsSigned(t *testing.T) {
	var link *client
	seen := 0
	link, _ = linked(t, func(w http.ResponseWriter, r *http.Request) {
		var body bytes.Buffer
		body.ReadFrom(r.Body) //nolint:errcheck // the check of the signature would notice
		a, err := manifest.ParseAuthorisation(r.Header.Get("Authorization"))
		if err == nil {
			err = a.Check(&link.key.PublicKey, r.Method, r.RequestURI, body.Bytes(), time.Now())
		}
		if err != nil {
			t.Errorf("%s %s: %v", r.Method, r.RequestURI, err)
		}
		seen++
		fmt.Fprint(w, `{"item": "i"}`)
	})
	link.waits = true
	_, err := link.tasks(t.Context())
	for _, e := range []error{err, link.release(t.Context(), "t/../x"), link.decline(t.Context(), "t", "i", "agent.declined"),
		link.complete(t.Context(), &manifest.Manifest{Job: "j", Item: "i"}, []byte{1}, []byte{2})} {
		if e != nil {
			t.Error(e)
		}
	}
	if seen != 4 {
		t.Errorf("%d requests", seen)
	}
}

func TestAPreparedFileOfAnotherLength(t *testing.T) {
	link, _ := linked(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "%PDF-1.7 …") })
	var b bytes.Buffer
	for _, size := range []int64{1, 1000} {
		wantsCode(t, link.fetch(t.Context(), &manifest.Manifest{Job: "j", Prepared: manifest.Prepared{Size: size}}, &b), "agent.document")
	}
}

// TestTLS: a certificate that nobody knows is refused, and accepted with its CA.
func TestTLS(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"tasks": []}`) }))
	defer s.Close()
	s.Config.ErrorLog = nil
	key, err := newKey()
	if err != nil {
		t.Fatal(err)
	}
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{"": "agent.server-certificate", ca: ""} {
		h, err := transport(file)
		if err != nil {
			t.Fatal(err)
		}
		link := &client{base: s.URL, terminal: "trm_1", key: ownKey{key}, http: h, clock: time.Now}
		if _, err := link.tasks(t.Context()); codeOf(err) != want {
			t.Errorf("%q: %v", file, err)
		}
	}
	_, err = transport(filepath.Join(t.TempDir(), "none"))
	wantsCode(t, err, "agent.config")
}
