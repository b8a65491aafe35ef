package command

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

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

// A key that signs wrongly is known as its token is activated, before anybody wants a signature.
func TestKeysAreTestedAsTheirTokenIsActivated(t *testing.T) {
	module := tokentest.Module(t)
	folder := tokentest.NewFolder(t)
	t.Setenv(tokentest.Environment, folder.Path)
	told(t, time.Now, tokentest.SOPIN+"\n"+tokentest.UserPIN+"\n", "token", "init", "--module", module, "--token", "slot:0", "--label", "hsm")
	t.Setenv("YINXIN_TEST_PIN", tokentest.UserPIN)
	keys, err := keystore.Create(filepath.Join(t.TempDir(), "keys"), keystore.Options{Passphrase: []byte("test"), Iterations: 1})
	if err != nil {
		t.Fatal(err)
	}
	h := &installation{dir: t.TempDir(), now: time.Now}
	activated := func(prepare func()) string {
		d, err := h.device(tokenSetting{Name: "hsm", Module: module, Profile: "sansec", Label: "hsm", PINVariable: "YINXIN_TEST_PIN"})
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := d.close(); err != nil {
				t.Error(err)
			}
		}()
		if err := keys.AttachLater("hsm", d.give); err != nil {
			t.Fatal(err)
		}
		prepare()
		var log bytes.Buffer
		d.warm(t.Context(), keys, slog.New(slog.NewTextHandler(&log, nil)))
		if !strings.Contains(log.String(), "token in use") {
			t.Errorf("%s", log.String())
		}
		return log.String()
	}
	log := activated(func() {
		if err := keys.MakeOn("hsm", keystore.PurposeSealing); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"seal-1", "seal-2"} {
			if _, err := keys.Ring(keystore.PurposeSealing).Generate(t.Context(), name, keystore.PurposeSealing); err != nil {
				t.Fatal(err)
			}
		}
		if err := keys.Ring(keystore.PurposeSealing).SetState(t.Context(), "seal-2", keystore.StateDestroyed); err != nil {
			t.Fatal(err)
		}
	})
	if strings.Contains(log, "not in use") {
		t.Errorf("%s", log)
	}
	log = activated(func() { folder.Fault(t, 0, "wrong_encoding = 1") })
	if strings.Count(log, "key not in use") != 1 || !strings.Contains(log, "key=seal-1") || !strings.Contains(log, hsm.ErrSelfTest.Code) {
		t.Errorf("%s", log)
	}
}
