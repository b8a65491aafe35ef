package command

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"yinxin/ca"
	"yinxin/hsm"
	"yinxin/hsm/tokentest"
	"yinxin/keystore"
)

// manualClock stands still until it is moved.
type manualClock struct {
	lock sync.Mutex
	at   time.Time
}

func (c *manualClock) now() time.Time {
	c.lock.Lock()
	defer c.lock.Unlock()
	return c.at
}

func (c *manualClock) advance(d time.Duration) {
	c.lock.Lock()
	defer c.lock.Unlock()
	c.at = c.at.Add(d)
}

// service is the API over an opened installation, called with the clerk's key.
type service struct {
	*testing.T
	h         *installation
	base, key string
}

func serviceOver(t *testing.T, h *installation) *service {
	t.Helper()
	handler, err := h.handler(t.Context(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	key, err := h.access.CreateKey(t.Context(), "clerk", "test")
	if err != nil {
		t.Fatal(err)
	}
	return &service{t, h, server.URL, key}
}

// call gives status, header and body of an answer.
func (s *service) call(method, path, contentType, key string, body io.Reader, header ...string) (int, http.Header, []byte) {
	s.Helper()
	r, err := http.NewRequestWithContext(s.Context(), method, s.base+path, body)
	if err != nil {
		s.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+key)
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		s.Fatal(err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		s.Fatal(err)
	}
	return answer.StatusCode, answer.Header, b
}

// seal orders a sealing of the demo's copy under one idempotency key and gives status, code and Retry-After in seconds.
func (s *service) seal(code string) (status int, refusal string, wait int) {
	s.Helper()
	b, err := os.ReadFile(filepath.Join(s.h.dir, demoCopy))
	if err != nil {
		s.Fatal(err)
	}
	status, _, answer := s.call("POST", "/v1/documents", "application/pdf", s.key, bytes.NewReader(b))
	var document struct{ ID string }
	if err := json.Unmarshal(answer, &document); err != nil || status >= 300 {
		s.Fatalf("upload: %d %s", status, answer)
	}
	order, err := json.Marshal(map[string]any{"document": document.ID, "seal": code, "placement": map[string]any{"page": 1, "x": 20, "y": 20}, "allow_overlap": true})
	if err != nil {
		s.Fatal(err)
	}
	status, header, answer := s.call("POST", "/v1/sealings", "application/json", s.key, bytes.NewReader(order), "Idempotency-Key", "once-"+document.ID)
	var problem struct{ Code string }
	_ = json.Unmarshal(answer, &problem)
	wait, _ = strconv.Atoi(header.Get("Retry-After"))
	if status < 300 {
		problem.Code = ""
	}
	return status, problem.Code, wait
}

// onToken makes the demo's central seal one whose key is on the token, by renewal.
func onToken(t *testing.T, dir string) func() time.Time {
	t.Helper()
	clock := later(345)
	h := openAt(t, dir, clock)
	list, err := h.authority.Certificates(t.Context(), ca.Filter{Profile: ca.ProfileInstitution})
	if err != nil {
		t.Fatal(err)
	}
	r, err := h.business.RenewCentral(t.Context(), list[0].Serial)
	if err != nil {
		t.Fatal(err)
	}
	registrar, err := h.access.Actor(t.Context(), "registrar")
	if err != nil {
		t.Fatal(err)
	}
	if err := h.business.AcceptRenewal(t.Context(), registrar, r.ID); err != nil {
		t.Fatal(err)
	}
	if err := h.publish(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := h.close(); err != nil {
		t.Fatal(err)
	}
	return clock
}

// A service whose HSM is not there starts and does everything else; sealing says when to come again, and works as soon as the
// HSM is there, without a new start. A wrong PIN reaches it once.
func TestAServiceOutlivesItsToken(t *testing.T) {
	tokentest.Module(t)
	dir, _ := province(t)
	folder, setting := hsmFor(t, dir, "tries = 2")
	const code = "29010000000017"
	start := onToken(t, dir)()

	clock := &manualClock{at: start}
	folder.Pull(t, 0)
	h := openAt(t, dir, clock.now)
	s := serviceOver(t, h)
	if status, _, _ := s.call("GET", "/health/ready", "", s.key, nil); status != 200 {
		t.Errorf("not ready: %d", status)
	}
	if status, refusal, wait := s.seal(code); status != 503 || refusal != hsm.ErrTokenNotFound.Code || wait != 1 {
		t.Errorf("without the token: %d %s, again in %d s", status, refusal, wait)
	}
	folder.Insert(t, 0)
	if status, refusal, wait := s.seal(code); status != 503 || refusal != hsm.ErrTokenNotFound.Code || wait != 1 {
		t.Errorf("asked again at once: %d %s, again in %d s", status, refusal, wait)
	}
	clock.advance(time.Second)
	if status, refusal, _ := s.seal(code); status >= 300 {
		t.Fatalf("with the token: %d %s", status, refusal)
	}
	folder.Pull(t, 0)
	if status, refusal, wait := s.seal(code); status != 503 || refusal != hsm.ErrRemoved.Code || wait < 1 {
		t.Errorf("pulled out: %d %s, again in %d s", status, refusal, wait)
	}
	folder.Insert(t, 0)
	if status, refusal, _ := s.seal(code); status >= 300 {
		t.Errorf("put in again: %d %s", status, refusal)
	}
	s.figures(`yinxin_token_ready{token="hsm"} 1`, `yinxin_token_logins_total{token="hsm"} 2`)
	if err := h.close(); err != nil {
		t.Fatal(err)
	}

	// The PIN file is not there: nothing reaches the token, and it is looked for again.
	pinFile := filepath.Join(dir, "hsm-pin")
	if err := os.Rename(pinFile, pinFile+".away"); err != nil {
		t.Fatal(err)
	}
	h = openAt(t, dir, clock.now)
	s = serviceOver(t, h)
	if status, refusal, wait := s.seal(code); status != 503 || refusal != keystore.ErrTokenWaits.Code || wait != 1 {
		t.Errorf("without a PIN: %d %s, again in %d s", status, refusal, wait)
	}
	if err := os.Rename(pinFile+".away", pinFile); err != nil {
		t.Fatal(err)
	}
	clock.advance(time.Second)
	if status, refusal, _ := s.seal(code); status >= 300 {
		t.Errorf("with the PIN again: %d %s", status, refusal)
	}
	if err := h.close(); err != nil {
		t.Fatal(err)
	}

	// The PIN file is wrong.
	if err := os.WriteFile(pinFile, []byte("000000\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	h = openAt(t, dir, clock.now)
	s = serviceOver(t, h)
	for range 3 {
		if status, refusal, wait := s.seal(code); status != 503 || refusal != keystore.ErrTokenWaits.Code || wait < 1 {
			t.Errorf("wrong PIN: %d %s, again in %d s", status, refusal, wait)
		}
		clock.advance(time.Minute)
	}
	s.figures(`yinxin_token_ready{token="hsm"} 0`)
	if err := h.close(); err != nil {
		t.Fatal(err)
	}
	var slots []moduleJSON
	if err := json.Unmarshal([]byte(told(t, clock.now, "", "token", "list", "--module", setting.Module, "--json")), &slots); err != nil {
		t.Fatal(err)
	}
	told(t, clock.now, tokentest.UserPIN+"\n", "token", "login", "--module", setting.Module, "--profile", "sansec", "--token", "hsm", "--insist")

	// The driver is gone.
	if err := os.WriteFile(pinFile, []byte(tokentest.UserPIN+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	setting.Module = filepath.Join(dir, "gone.so")
	configured(t, dir, setting)
	h = openAt(t, dir, clock.now)
	if status, refusal, wait := serviceOver(t, h).seal(code); status != 503 || refusal != hsm.ErrDevice.Code || wait != 1 {
		t.Errorf("without the driver: %d %s, again in %d s", status, refusal, wait)
	}
}

// figures looks for lines of /metrics as an administrator, and for secrets.
func (s *service) figures(lines ...string) {
	s.Helper()
	key, err := s.h.access.CreateKey(s.Context(), "administrator", "test")
	if err != nil {
		s.Fatal(err)
	}
	if status, _, _ := s.call("GET", "/metrics", "", s.key, nil); status != 403 {
		s.Errorf("a clerk sees the figures: %d", status)
	}
	status, _, body := s.call("GET", "/metrics", "", key, nil)
	if status != 200 {
		s.Fatalf("%d %s", status, body)
	}
	for _, line := range lines {
		if !strings.Contains(string(body), "\n"+line+"\n") {
			s.Errorf("no %s in\n%s", line, body)
		}
	}
	if strings.Contains(string(body), tokentest.UserPIN) || !strings.Contains(string(body), "go_goroutines") {
		s.Errorf("%s", body)
	}
}
