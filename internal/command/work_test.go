package command

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"yinxin/ca"
	"yinxin/ca/chain"
	"yinxin/internal/access"
	"yinxin/internal/jobs"
	"yinxin/internal/store"
)

// province is a copy of the demo's data directory, and the certificate of its central seal.
func province(t *testing.T) (dir string, serial *big.Int) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "province")
	if err := copyProvince(dir); err != nil {
		t.Fatal(err)
	}
	h := openAt(t, dir, time.Now)
	list, err := h.authority.Certificates(t.Context(), ca.Filter{Profile: ca.ProfileInstitution})
	if err != nil || len(list) != 1 {
		t.Fatalf("%d certificates, %v", len(list), err)
	}
	return dir, list[0].Serial
}

func openAt(t *testing.T, dir string, now func() time.Time) *installation {
	t.Helper()
	h, err := openInstallation(t.Context(), dataFlags{Data: dir}, now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.close() })
	return h
}

// background runs the work of the service until the test ends.
func background(t *testing.T, h *installation) *jobs.Jobs {
	t.Helper()
	var log bytes.Buffer
	j, err := h.work(slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- j.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := j.Close(); err != nil {
			t.Error(err)
		}
		t.Log(log.String())
	})
	return j
}

func until(t *testing.T, limit time.Duration, what string, yes func() bool) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	late := time.After(limit)
	for !yes() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("%s: not within %v", what, limit)
		}
	}
}

func count(t *testing.T, db *store.DB, query string, args ...any) (n int) {
	t.Helper()
	if err := db.Read().QueryRowContext(context.Background(), query, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestRevocationIsPublishedWithinAMinute(t *testing.T) {
	dir, serial := province(t)
	h := openAt(t, dir, time.Now)
	background(t, h)
	until(t, time.Minute, "the first run", func() bool {
		return count(t, h.db, `SELECT COUNT(*) FROM jobs_periodic WHERE name = 'ca.crl' AND succeeded <> ''`) == 1
	})
	// Another process revokes, and does nothing about the list.
	other := openAt(t, dir, time.Now)
	registrar, err := other.access.Actor(t.Context(), "registrar")
	if err != nil {
		t.Fatal(err)
	}
	before := count(t, h.db, `SELECT MAX(number) FROM ca_crl WHERE issuer = 'issuing'`)
	if err := other.authority.SuspendAtOnce(t.Context(), registrar, serial, "test"); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	until(t, time.Minute, "a new list", func() bool { return count(t, h.db, `SELECT MAX(number) FROM ca_crl WHERE issuer = 'issuing'`) > before })
	t.Logf("published after %v", time.Since(began))
	var der []byte
	if err := h.db.Read().QueryRowContext(t.Context(), `SELECT data FROM ca_crl WHERE issuer = 'issuing' ORDER BY number DESC LIMIT 1`).Scan(&der); err != nil {
		t.Fatal(err)
	}
	list, err := chain.ParseCRL(der)
	if err != nil {
		t.Fatal(err)
	}
	if _, found := list.Lookup(serial); !found {
		t.Error("the certificate is not in it")
	}
}

func TestCentralSealIsRenewedByTheService(t *testing.T) {
	dir, serial := province(t)
	listed := func(now time.Time, arguments ...string) []map[string]any {
		var out bytes.Buffer
		s := streams{in: strings.NewReader(""), out: &out, err: &out, now: func() time.Time { return now }}
		if status := run(t.Context(), append([]string{"renewals", "list", "--data", dir, "--json"}, arguments...), s); status != 0 {
			t.Fatalf("renewals list: exit status %d\n%s", status, out.String())
		}
		var list []map[string]any
		if err := json.Unmarshal(out.Bytes(), &list); err != nil {
			t.Fatal(err)
		}
		return list
	}
	later := time.Now().AddDate(0, 0, 345)
	if n := len(listed(time.Now())); n != 0 {
		t.Errorf("%d are due on the first day", n)
	}
	if l := listed(later); len(l) != 1 || l[0]["holder"] != "central" || l[0]["name"] == "" {
		t.Fatalf("%v", l)
	}
	began := time.Now()
	h := openAt(t, dir, func() time.Time { return later.Add(time.Since(began)) })
	approvals := func() int {
		return count(t, h.db, `SELECT COUNT(*) FROM access_approval WHERE kind = $1`, string(access.KindIssueCertificate))
	}
	before := approvals()
	background(t, h)
	until(t, time.Minute, "the renewal", func() bool { return count(t, h.db, `SELECT COUNT(*) FROM renewal_attempt WHERE outcome <> ''`) == 1 })
	if n := count(t, h.db, `SELECT COUNT(*) FROM renewal_attempt WHERE outcome = 'renewed' AND number = 1`); n != 1 {
		var failure string
		_ = h.db.Read().QueryRowContext(t.Context(), `SELECT failure FROM renewal_attempt`).Scan(&failure)
		t.Fatal(failure)
	}
	list, err := h.authority.Certificates(t.Context(), ca.Filter{Profile: ca.ProfileInstitution})
	if err != nil || len(list) != 2 || list[0].State != ca.RecordGood || list[1].State != ca.RecordGood || list[1].Serial.Cmp(serial) != 0 {
		t.Fatalf("%+v, %v", list, err)
	}
	if n := count(t, h.db, `SELECT COUNT(*) FROM seal_instance WHERE state = 'waiting'`); n != 1 {
		t.Errorf("%d instances wait for acceptance", n)
	}
	if n := approvals(); n != before {
		t.Errorf("%d approvals of certificates, %d before: a renewal needs none", n, before)
	}
	if l := listed(later); len(l) != 0 {
		t.Errorf("after the renewal: %v", l)
	}
}

func TestMailSectionOfTheConfigurationIsChecked(t *testing.T) {
	dir := t.TempDir()
	write := func(text string) {
		if err := os.WriteFile(filepath.Join(dir, configName), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for section, want := range map[string]string{
		`"mail": {"host": "smtp.example", "from": "seal@archive.example", "password": "x"}`:               "mail.config",
		`"mail": {"host": "smtp.example", "from": "seal"}`:                                                "mail.config",
		`"renewals": {"term_days": 1000}`:                                                                 "renewal.policy",
		`"renewals": {"reminder_days": [30, -1]}`:                                                         "renewal.policy",
		`"mail": {"host": "smtp.example", "from": "seal@archive.example"}, "renewals": {"term_days": 15}`: "",
	} {
		write(`{"format": 1, ` + section + `}`)
		c, err := readConfig(dir)
		if got := explainCode(err); got != want {
			t.Errorf("%s: %v", section, err)
		}
		if want == "" && (c.Mail == nil || c.Renewals.TermDays != 15) {
			t.Errorf("%+v", c)
		}
	}
}

func explainCode(err error) string {
	if err == nil {
		return ""
	}
	return explain(err).Code
}

func TestJobsCommandListsRetriesAndCancels(t *testing.T) {
	dir, _ := province(t)
	h := openAt(t, dir, time.Now)
	j, err := jobs.New(jobs.Config{DB: h.db, Clock: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	q := jobs.Register(j, jobs.Kind{Name: "test.order"}, func(context.Context, jobs.Job, string) error { return nil })
	err = h.db.Write(t.Context(), func(tx *store.Tx) error {
		_, err := q.EnqueueAt(t.Context(), tx, "k", "17", time.Now().Add(time.Hour))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	command := func(want int, arguments ...string) string {
		t.Helper()
		var out bytes.Buffer
		s := streams{in: strings.NewReader(""), out: &out, err: &out, now: time.Now}
		if status := run(t.Context(), arguments, s); status != want {
			t.Errorf("%v: exit status %d, want %d\n%s", arguments, status, want, out.String())
		}
		return out.String()
	}
	if out := command(0, "jobs", "list", "--data", dir, "--args"); !strings.Contains(out, "test.order") || !strings.Contains(out, `"17"`) || !strings.Contains(out, "waiting") {
		t.Error(out)
	}
	var document struct{ Jobs []jobs.Record }
	if err := json.Unmarshal([]byte(command(0, "jobs", "list", "--data", dir, "--json", "--state", "waiting")), &document); err != nil || len(document.Jobs) != 1 || document.Jobs[0].Args != nil {
		t.Errorf("%+v, %v", document, err)
	}
	command(0, "jobs", "retry", "--data", dir, "1")
	if out := command(1, "jobs", "retry", "--data", dir, "1"); !strings.Contains(out, "jobs.waiting") {
		t.Error(out)
	}
	command(0, "jobs", "cancel", "--data", dir, "1")
	if out := command(1, "jobs", "cancel", "--data", dir, "1"); !strings.Contains(out, "jobs.done") {
		t.Error(out)
	}
	if out := command(1, "jobs", "cancel", "--data", dir, "99"); !strings.Contains(out, "jobs.not-found") {
		t.Error(out)
	}
	command(64, "jobs", "list", "--data", dir, "--state", "lost")
	if out := command(0, "jobs", "list", "--data", dir); strings.Contains(out, "test.order") {
		t.Error(out)
	}
}
