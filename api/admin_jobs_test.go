package api

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"yinxin/internal/fault"
	"yinxin/internal/jobs"
	"yinxin/internal/store"
)

func TestAnAdministratorTendsWhatFailedInTheBackground(t *testing.T) {
	b := newBrowser(t)
	w := newWorld(t)
	ctx := t.Context()
	cookie := w.signIn("administrator")
	page := func(path string) string { return string(w.call("", "GET", path, nil, "Cookie: "+cookie).is(200).body) }
	if list := page("/admin/jobs"); !strings.Contains(list, "没有失败或待重试的任务") {
		t.Error(list)
	}
	type nothing struct{}
	broken := fault.Spec{Kind: fault.Unavailable, Code: "test.broken", ZH: "坏了。", EN: "It is broken."}
	once := jobs.Register(w.work, jobs.Kind{Name: "test.once", Attempts: 1}, func(context.Context, jobs.Job, nothing) error { return broken.New() })
	often := jobs.Register(w.work, jobs.Kind{Name: "test.often", Attempts: 5, Pause: func(int) time.Duration { return time.Hour }}, func(context.Context, jobs.Job, nothing) error { return broken.New() })
	must(t, w.db.Write(ctx, func(tx *store.Tx) error {
		for i := range 2 {
			if _, err := once.Enqueue(ctx, tx, fmt.Sprint("once-", i), nothing{}); err != nil {
				return err
			}
		}
		_, err := often.Enqueue(ctx, tx, "often", nothing{})
		return err
	}))
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- w.work.Run(running) }()
	t.Cleanup(func() { stop(); must(t, <-ended) })
	tries := func(key string) int {
		for _, r := range got(w.work.List(ctx, jobs.Filter{}))(t) {
			if r.Key == key && (r.State == jobs.StateFailed || r.State == jobs.StateRetrying) { // its attempt is over
				return r.Attempt
			}
		}
		return 0
	}
	await := func(key string, attempts int) {
		t.Helper()
		for end := time.Now().Add(time.Minute); tries(key) < attempts; time.Sleep(20 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%s: %d", key, tries(key))
			}
		}
	}
	await("once-0", 1)
	await("once-1", 1)
	await("often", 1)
	b.openAs(w, "administrator", "/admin/jobs", 1024, 768)
	b.screenshot("admin-jobs")
	list := b.text("table.list")
	if strings.Count(list, "test.broken") != 3 || !strings.Contains(list, "1 / 5") || !strings.Contains(list, "失败，待重试") {
		t.Error(list)
	}
	if home := page("/home"); !strings.Contains(home, "失败的后台任务") {
		t.Error(home)
	}
	failed := page("/admin/jobs?state=failed")
	id := between(t, failed, `href="/admin/jobs/`, `"`)
	b.openAs(w, "administrator", "/admin/jobs/"+id, 1024, 768)
	b.screenshot("admin-job")
	b.leave(`form[action$="/retry"] button`)
	await("once-1", 2)
	waits := between(t, page("/admin/jobs?state=retrying"), `href="/admin/jobs/`, `"`)
	if a := w.post(cookie, "/admin/jobs/"+waits+"/discard", nil).is(409); !bytes.Contains(a.body, []byte(`data-code="jobs.not-failed"`)) {
		t.Errorf("%s", a.body)
	}
	w.post(cookie, "/admin/jobs/"+waits+"/retry", nil).is(303)
	await("often", 2)
	w.post(cookie, "/admin/jobs/"+waits+"/cancel", nil).is(303)
	if a := w.post(cookie, "/admin/jobs/"+waits+"/retry", nil).is(409); !bytes.Contains(a.body, []byte(`data-code="jobs.cancelled"`)) {
		t.Errorf("%s", a.body)
	}
	for end := time.Now().Add(time.Minute); !strings.Contains(page("/admin/jobs/"+id), "/discard"); time.Sleep(20 * time.Millisecond) { // once more failed for good
		if time.Now().After(end) {
			t.Fatal(page("/admin/jobs/" + id))
		}
	}
	w.post(cookie, "/admin/jobs/"+id+"/discard", nil).is(303)
	w.call("", "GET", "/admin/jobs/"+id, nil, "Cookie: "+cookie).is(404)
	w.call("", "GET", "/admin/jobs/x", nil, "Cookie: "+cookie).is(404)
	w.call("", "GET", "/admin/jobs?after=x", nil, "Cookie: "+cookie).is(404)
	csv := string(w.call("", "GET", "/admin/jobs?format=csv&kind=test.once", nil, "Cookie: "+cookie).is(200).body)
	if strings.Count(csv, "test.broken") != 1 || strings.Contains(csv, "often") {
		t.Error(csv)
	}
	// Who did it is on record.
	var entries []string
	for _, kind := range []string{"job.retried", "job.cancelled", "job.discarded"} {
		var n int
		must(t, w.db.Read().QueryRowContext(ctx, `SELECT COUNT(*) FROM ledger_event WHERE kind = $1 AND actor = 'administrator'`, kind).Scan(&n))
		entries = append(entries, fmt.Sprint(kind, " ", n))
	}
	if said := strings.Join(entries, ", "); said != "job.retried 2, job.cancelled 1, job.discarded 1" {
		t.Error(said)
	}
}
