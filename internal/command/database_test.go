package command

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"yinxin/internal/store/storetest"
)

// TestAnInstallationRunsOnBothDatabases founds one, serves it and checks its ledger, all through the command's own code.
func TestAnInstallationRunsOnBothDatabases(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, database string) {
		dir := t.TempDir()
		passphrase := filepath.Join(dir, "passphrase")
		if err := os.WriteFile(passphrase, []byte("only a test"), 0o600); err != nil {
			t.Fatal(err)
		}
		house := filepath.Join(dir, "house")
		var out bytes.Buffer
		s := streams{in: strings.NewReader(""), out: &out, err: &out, now: time.Now}
		if status := run(t.Context(), []string{"init", "--data", house, "--organisation", "临江省档案局", "--database", database, "--passphrase-file", passphrase}, s); status != 0 {
			t.Fatalf("init: exit status %d\n%s", status, out.String())
		}
		secret := out.String()[strings.Index(out.String(), "yx_"):]
		h, err := openInstallation(t.Context(), dataFlags{Data: house, Database: database, PassphraseFile: passphrase}, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		defer h.close()
		handler, err := h.handler(t.Context(), slog.New(slog.NewTextHandler(io.Discard, nil)))
		if err != nil {
			t.Fatal(err)
		}
		server := httptest.NewServer(handler)
		defer server.Close()
		for path, want := range map[string]int{"/health/ready": 200, "/pki/issuing.crl": 200, "/v1/seals": 403, "/": 200} {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Authorization", "Bearer "+strings.TrimSpace(secret))
			answer, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
			if answer.StatusCode != want {
				t.Errorf("%s: %d, want %d", path, answer.StatusCode, want)
			}
		}
		// What PostgreSQL takes for no text is said to whoever sent it.
		answer, err := http.PostForm(server.URL+"/login", url.Values{"name": {"a\x00"}, "password": {"a password that is nobody's"}})
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode < 400 || answer.StatusCode >= 500 {
			t.Errorf("a name with NUL: %d", answer.StatusCode)
		}
		if status := run(t.Context(), []string{"audit", "verify", "--data", house, "--database", database}, s); status != 0 {
			t.Errorf("audit verify: exit status %d\n%s", status, out.String())
		}
	})
}
