package command

import (
	"bytes"
	"context"
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
	"yinxin/ca/enroll/business"
	"yinxin/fixtures"
	"yinxin/hsm"
	"yinxin/hsm/tokentest"
	"yinxin/internal/fault"
	"yinxin/keystore"
	"yinxin/sealer"
	"yinxin/sealer/pdf"
)

// told runs a command whose clock is somewhere else; it must end well.
func told(t *testing.T, now func() time.Time, in string, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	if status := run(t.Context(), args, streams{in: strings.NewReader(in), out: &out, err: &out, now: now}); status != 0 {
		t.Fatalf("yinxin %s: exit status %d\n%s", strings.Join(args, " "), status, out.String())
	}
	return out.String()
}

// hsmFor initialises the soft token "hsm" and writes it into the configuration of a province, with other members as given.
func hsmFor(t *testing.T, dir string, lines ...string) (tokentest.Folder, tokenSetting) {
	t.Helper()
	setting := tokenSetting{Name: "hsm", Module: tokentest.Module(t), Profile: "sansec", Label: "hsm", PINFile: "hsm-pin", Purposes: []keystore.Purpose{keystore.PurposeSealing}}
	folder := tokentest.NewFolder(t, lines...)
	t.Setenv(tokentest.Environment, folder.Path)
	told(t, time.Now, tokentest.SOPIN+"\n"+tokentest.UserPIN+"\n", "token", "init", "--module", setting.Module, "--token", "slot:0", "--label", "hsm")
	if err := os.WriteFile(filepath.Join(dir, "hsm-pin"), []byte(tokentest.UserPIN+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	configured(t, dir, setting)
	return folder, setting
}

func configured(t *testing.T, dir string, settings ...tokenSetting) {
	t.Helper()
	c, err := readConfig(dir)
	if err == nil {
		c.Tokens = settings
		err = c.write(t.Context(), dir)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// later is a clock that was put forward and goes on.
func later(days int) func() time.Time {
	began, ahead := time.Now(), time.Now().AddDate(0, 0, days)
	return func() time.Time { return ahead.Add(time.Since(began)) }
}

func tokenMetrics(t *testing.T, h *installation) hsm.Metrics {
	t.Helper()
	token, err := h.devices[0].active()
	if token == nil {
		t.Fatalf("the token is not in use: %v", err)
	}
	return token.Metrics()
}

// A central seal whose key is in the keystore's files moves onto an HSM by its renewal: the key is made there, the seal is
// remade, what is sealed then is signed there, and what was sealed before stays valid.
func TestACentralSealMovesToATokenByRenewal(t *testing.T) {
	tokentest.Module(t)
	dir, _ := province(t)
	before := filepath.Join(dir, demoSealed)
	hsmFor(t, dir)
	const code = "29010000000017"

	// Nothing has changed by the configuration alone: the seal's key is where it was, and no token is touched.
	list := told(t, time.Now, "", "keystore", "list", "--data", dir, "--as", "administrator")
	if strings.Contains(list, "密码设备 token hsm") || !strings.Contains(list, "未启用 not tried") {
		t.Errorf("before the renewal:\n%s", list)
	}
	clock := later(345)
	h := openAt(t, dir, clock)
	if token, _ := h.devices[0].active(); token != nil {
		t.Error("a token was activated that nobody needed")
	}
	background(t, h)
	until(t, time.Minute, "the renewal", func() bool {
		return count(t, h.db, `SELECT COUNT(*) FROM renewal_attempt WHERE outcome = 'renewed'`) == 1
	})
	if m := tokenMetrics(t, h); m.Logins != 1 || !m.Ready {
		t.Errorf("%+v", m)
	}
	waiting, err := h.business.Renewals(t.Context(), business.RenewalWaiting, 10)
	if err != nil || len(waiting) != 1 || waiting[0].Seal != code {
		t.Fatalf("%+v, %v", waiting, err)
	}
	registrar, err := h.access.Actor(t.Context(), "registrar")
	if err != nil {
		t.Fatal(err)
	}
	if err := h.business.AcceptRenewal(t.Context(), registrar, waiting[0].ID); err != nil {
		t.Fatal(err)
	}

	signed := tokenMetrics(t, h).Signatures
	after := sealedBy(t, h, code)
	if n := tokenMetrics(t, h).Signatures - signed; n != 1 {
		t.Errorf("%d signatures of the token for one sealed document", n)
	}
	for _, name := range []string{before, after} {
		var reports []struct{ Verdict string }
		if err := json.Unmarshal([]byte(told(t, clock, "", "verify", "--data", dir, "--json", name)), &reports); err != nil || reports[0].Verdict != "valid" {
			t.Errorf("%s: %+v, %v", filepath.Base(name), reports, err)
		}
	}
	if err := h.close(); err != nil {
		t.Fatal(err)
	}
	list = told(t, clock, "", "keystore", "list", "--check", "--data", dir, "--as", "administrator")
	if strings.Count(list, "密码设备 token hsm  ✔") != 1 || !strings.Contains(list, "✔ 在用 in use") {
		t.Errorf("after the renewal:\n%s", list)
	}
	// Without its token the seal is not usable, and its old key does not stand in for it.
	configured(t, dir)
	var out bytes.Buffer
	args := []string{"seal", "--data", dir, "--seal", code, filepath.Join(dir, demoCopy), "-o", filepath.Join(t.TempDir(), "no.pdf")}
	if status := run(t.Context(), args, streams{in: strings.NewReader(""), out: &out, err: &out, now: clock}); status != exitFailed || !strings.Contains(out.String(), keystore.ErrTokenMissing.Code) {
		t.Errorf("without the token: exit status %d\n%s", status, out.String())
	}
}

// sealedBy seals the demo's copy with the sealer of an opened installation and gives the file.
func sealedBy(t *testing.T, h *installation, code string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "sealed.pdf")
	o := sealer.Order{Seal: code, Reason: "test", Places: []sealer.Place{{Placement: pdf.Placement{Page: -1, From: pdf.BottomRight, X: fixtures.ArchivalSealRight, Y: fixtures.ArchivalSealBottom}}}}
	clerk, err := h.operator(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	in, err := os.Open(filepath.Join(h.dir, demoCopy))
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	document, err := h.sealer.Upload(t.Context(), clerk, demoCopy, in)
	if err != nil {
		t.Fatal(err)
	}
	o.Document = document.ID
	sealed, err := h.sealer.Seal(t.Context(), clerk, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := writeFile(t.Context(), name, 0o600, func(w io.Writer) error { return h.sealer.Copy(t.Context(), w, sealed.Document) }); err != nil {
		t.Fatal(err)
	}
	return name
}

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

func TestTokensOfTheConfigurationAreChecked(t *testing.T) {
	dir := t.TempDir()
	h := &installation{dir: dir, now: time.Now}
	var err error
	if h.keys, err = keystore.Create(filepath.Join(dir, "keys"), keystore.Options{Passphrase: []byte("passphrase"), Iterations: 1}); err != nil {
		t.Fatal(err)
	}
	good := tokenSetting{Name: "hsm", Module: "/m.so", Profile: "sansec", Label: "hsm", PINFile: "pin", Purposes: []keystore.Purpose{keystore.PurposeSealing}}
	changed := func(change func(*tokenSetting)) tokenSetting {
		other := good
		change(&other)
		return other
	}
	for name, list := range map[string][]tokenSetting{
		"no name":                {changed(func(s *tokenSetting) { s.Name = "" })},
		"no module":              {changed(func(s *tokenSetting) { s.Module = "" })},
		"no token":               {changed(func(s *tokenSetting) { s.Label = "" })},
		"no PIN":                 {changed(func(s *tokenSetting) { s.PINFile = "" })},
		"two PINs":               {changed(func(s *tokenSetting) { s.PINVariable = "PIN" })},
		"an unknown profile":     {changed(func(s *tokenSetting) { s.Profile = "nobody" })},
		"a profile without SM2":  {changed(func(s *tokenSetting) { s.Profile = "standard" })},
		"an unknown purpose":     {changed(func(s *tokenSetting) { s.Purposes = []keystore.Purpose{"everything"} })},
		"too many sessions":      {changed(func(s *tokenSetting) { s.Sessions = 5000 })},
		"the same name twice":    {good, changed(func(s *tokenSetting) { s.Purposes = nil })},
		"the same purpose twice": {good, changed(func(s *tokenSetting) { s.Name = "other" })},
		"personal data":          {changed(func(s *tokenSetting) { s.Purposes = []keystore.Purpose{keystore.PurposePersonalData} })},
	} {
		h.devices, h.config.Tokens = nil, list
		if err := h.attachTokens(); !fault.Has(err, errTokenSetting) {
			t.Errorf("%s: %v", name, err)
		}
	}
	h.devices, h.config.Tokens = nil, []tokenSetting{good, changed(func(s *tokenSetting) { s.Name, s.Purposes = "other", []keystore.Purpose{keystore.PurposeLedger} })}
	if err := h.attachTokens(); err != nil || len(h.devices) != 2 {
		t.Errorf("%v", err)
	}
}

// Many who come while a token is activated wait for one activation; the end of the installation waits for it, too.
func TestATokenIsActivatedOnce(t *testing.T) {
	module := tokentest.Module(t)
	folder := tokentest.NewFolder(t)
	t.Setenv(tokentest.Environment, folder.Path)
	told(t, time.Now, tokentest.SOPIN+"\n"+tokentest.UserPIN+"\n", "token", "init", "--module", module, "--token", "slot:0", "--label", "hsm")
	t.Setenv("YINXIN_TEST_PIN", tokentest.UserPIN)
	h := &installation{dir: t.TempDir(), now: time.Now}
	d, err := h.device(tokenSetting{Name: "hsm", Module: module, Profile: "sansec", Label: "hsm", PINVariable: "YINXIN_TEST_PIN"})
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for range 16 {
		group.Go(func() {
			if _, err := d.give(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	token, _ := d.active()
	if m := token.Metrics(); m.Logins != 1 {
		t.Errorf("%d logins", m.Logins)
	}
	if err := d.close(); err != nil {
		t.Error(err)
	}
	if _, err := d.give(context.Background()); !fault.Has(err, hsm.ErrClosed) {
		t.Errorf("after the end: %v", err)
	}
	// Closed while it is being activated: nothing stays open.
	d, err = h.device(d.setting)
	if err != nil {
		t.Fatal(err)
	}
	group.Go(func() { _, _ = d.give(context.Background()) })
	until(t, time.Minute, "the activation", func() bool {
		d.lock.Lock()
		defer d.lock.Unlock()
		return d.opening != nil || d.token != nil
	})
	if err := d.close(); err != nil {
		t.Error(err)
	}
	group.Wait()
	m, err := hsm.Open(module)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Close(); err != nil {
		t.Errorf("somebody still uses the module: %v", err)
	}
}
