package webhook_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/fetch"
	"yinxin/internal/jobs"
	"yinxin/internal/ledger"
	"yinxin/internal/store"
	"yinxin/internal/store/storetest"
	"yinxin/internal/webhook"
	"yinxin/keystore"
)

// call is what a receiver got.
type call struct {
	header http.Header
	body   []byte
}

// house is a service with a receiver that answers as told.
type house struct {
	t        *testing.T
	db       *store.DB
	service  *webhook.Service
	receiver *httptest.Server
	calls    chan call
	lock     sync.Mutex
	answers  []int // one after the other; after them 204
	platform access.Actor
	other    access.Actor
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func each(t *testing.T, fn func(t *testing.T, h *house)) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		storetest.Migrate(t, db, ledger.Migrate, access.Migrate, jobs.Migrate, webhook.Migrate)
		keys, err := keystore.Create(filepath.Join(t.TempDir(), "keys"), keystore.Options{Passphrase: []byte("only a test"), Iterations: 1000})
		must(t, err)
		safe, err := keys.Ring(keystore.PurposePersonalData).CreateSafe(ctx, "webhooks", keystore.PurposePersonalData)
		must(t, err)
		h := &house{t: t, db: db, calls: make(chan call, 100), platform: access.Actor{ID: "platform"}, other: access.Actor{ID: "other"}}
		h.receiver = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			h.lock.Lock()
			status := http.StatusNoContent
			if len(h.answers) > 0 {
				status, h.answers = h.answers[0], h.answers[1:]
			}
			h.lock.Unlock()
			w.WriteHeader(status)
			h.calls <- call{r.Header, body}
		}))
		t.Cleanup(h.receiver.Close)
		log := slog.New(slog.DiscardHandler)
		j, err := jobs.New(jobs.Config{DB: db, Clock: time.Now, Log: log, Poll: 50 * time.Millisecond})
		must(t, err)
		h.service = webhook.New(webhook.Config{DB: db, Ledger: ledger.New(db, nil, time.Now), Safe: safe, Clock: time.Now, Log: log,
			Client: fetch.New(fetch.Options{Private: true, Timeout: 2 * time.Second}), Plain: true,
			Pause: func(int) time.Duration { return 300 * time.Millisecond }, Tries: 3}, j)
		running, cancel := context.WithCancel(ctx)
		ended := make(chan error, 1)
		go func() { ended <- j.Run(running) }()
		defer func() {
			cancel()
			must(t, errors.Join(<-ended, j.Close()))
		}()
		fn(t, h)
	})
}

func (h *house) add() (webhook.Endpoint, string) {
	h.t.Helper()
	e, secret, err := h.service.Add(h.t.Context(), h.platform, h.receiver.URL+"/told", webhook.Kinds)
	must(h.t, err)
	return e, secret
}

func (h *house) emit(kind string) {
	h.t.Helper()
	must(h.t, h.db.Write(h.t.Context(), func(tx *store.Tx) error {
		return h.service.Emit(h.t.Context(), tx, "platform", kind, "sb_1", map[string]string{"sealed": "7"})
	}))
}

func (h *house) next() call {
	h.t.Helper()
	select {
	case c := <-h.calls:
		return c
	case <-time.After(30 * time.Second):
		h.t.Fatal("nothing arrived")
		panic("")
	}
}

// until waits until the newest delivery of an endpoint is in a state.
func (h *house) until(endpoint, state string) webhook.Delivery {
	h.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		list, err := h.service.Deliveries(h.t.Context(), h.platform, endpoint, 10)
		must(h.t, err)
		if len(list) > 0 && list[0].State == state {
			return list[0]
		}
		if time.Now().After(deadline) {
			h.t.Fatalf("%+v", list)
		}
	}
}

func TestACallIsSignedAndFresh(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		e, secret := h.add()
		h.emit(webhook.KindBatchDone)
		c := h.next()
		id, err := webhook.Check(secret, c.header, c.body, time.Now())
		must(t, err)
		d := h.until(e.ID, "delivered")
		if d.ID != id || d.Tries != 1 || d.Answer != "204" || !strings.Contains(string(c.body), `"sealed":"7"`) || !strings.Contains(string(c.body), `"kind":"batch.done"`) {
			t.Errorf("%+v %s", d, c.body)
		}
		wants := func(err error, code string) {
			t.Helper()
			if fault.CodeOf(err) != code {
				t.Errorf("%v, want %s", err, code)
			}
		}
		_, err = webhook.Check(secret, c.header, append(c.body, ' '), time.Now())
		wants(err, "webhook.signature")
		_, err = webhook.Check(secret+"x", c.header, c.body, time.Now())
		wants(err, "webhook.signature")
		for _, off := range []time.Duration{6 * time.Minute, -6 * time.Minute} {
			_, err = webhook.Check(secret, c.header, c.body, time.Now().Add(off))
			wants(err, "webhook.time")
		}
		later := c.header.Clone()
		later.Set("Yinxin-Timestamp", fmt.Sprint(time.Now().Add(time.Minute).Unix()))
		_, err = webhook.Check(secret, later, c.body, time.Now())
		wants(err, "webhook.signature")
		another := c.header.Clone()
		another.Set("Yinxin-Delivery", "whd_x")
		_, err = webhook.Check(secret, another, c.body, time.Now())
		wants(err, "webhook.signature")
	})
}

func TestWhatDidNotArriveIsTriedAgainUnderTheSameIdentifier(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.answers = []int{500, 302}
		e, secret := h.add()
		id, err := h.service.Ping(t.Context(), h.platform, e.ID)
		must(t, err)
		first := h.next()
		waiting := h.until(e.ID, "waiting")
		if waiting.ID != id {
			t.Errorf("%+v", waiting)
		}
		second := h.next()
		a, err := webhook.Check(secret, first.header, first.body, time.Now())
		must(t, err)
		b, err := webhook.Check(secret, second.header, second.body, time.Now())
		must(t, err)
		if a != b || a != id {
			t.Errorf("%s and %s", a, b)
		}
	})
}

func TestOnlyTheOwnerSeesAndMovesAnEndpoint(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		e, _ := h.add()
		ctx := t.Context()
		_, ping := h.service.Ping(ctx, h.other, e.ID)
		_, deliveries := h.service.Deliveries(ctx, h.other, e.ID, 10)
		for name, err := range map[string]error{"remove": h.service.Remove(ctx, h.other, e.ID), "resume": h.service.Resume(ctx, h.other, e.ID),
			"ping": ping, "deliveries": deliveries, "redeliver": h.service.Redeliver(ctx, h.other, e.ID, "whd_x")} {
			if fault.CodeOf(err) != "webhook.not-found" {
				t.Errorf("%s: %v", name, err)
			}
		}
		must(t, h.db.Write(ctx, func(tx *store.Tx) error { return h.service.Emit(ctx, tx, "other", webhook.KindBatchDone, "x", nil) }))
		if list, err := h.service.Deliveries(ctx, h.platform, e.ID, 10); err != nil || len(list) != 0 {
			t.Errorf("%+v %v", list, err)
		}
		must(t, h.service.Remove(ctx, h.platform, e.ID))
		h.emit(webhook.KindBatchDone)
		if list, err := h.service.List(ctx, h.platform); err != nil || len(list) != 0 {
			t.Errorf("%+v %v", list, err)
		}
		var n int
		must(t, h.db.Read().QueryRowContext(ctx, `SELECT COUNT(*) FROM webhook_delivery`).Scan(&n))
		if n != 0 {
			t.Errorf("%d deliveries", n)
		}
	})
}

func TestAnAddressThatIsGoneOrNeverAnswersIsLeftAlone(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		gone, _ := h.add()
		h.answers = []int{410}
		h.emit(webhook.KindReleased)
		h.next()
		for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			list, err := h.service.List(ctx, h.platform)
			must(t, err)
			if len(list) == 0 {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("%+v", list)
			}
		}
		if _, err := h.service.Ping(ctx, h.platform, gone.ID); fault.CodeOf(err) != "webhook.not-found" {
			t.Error(err)
		}
		e, _ := h.add()
		must(t, h.db.Write(ctx, func(tx *store.Tx) error {
			_, err := tx.ExecContext(ctx, `UPDATE webhook_endpoint SET failures = 19 WHERE id = $1`, e.ID)
			return err
		}))
		h.answers = []int{500, 500, 500}
		h.emit(webhook.KindReleased)
		h.next()
		h.next()
		h.next()
		if d := h.until(e.ID, "failed"); d.Tries != 3 || d.Answer != "500" {
			t.Errorf("%+v", d)
		}
		list, err := h.service.List(ctx, h.platform)
		must(t, err)
		if len(list) != 1 || list[0].State != "suspended" {
			t.Fatalf("%+v", list)
		}
		must(t, h.service.Resume(ctx, h.platform, e.ID))
		h.emit(webhook.KindReleased)
		h.next()
		h.until(e.ID, "delivered")
	})
}

func TestAddressesAndKindsAreChecked(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		for _, address := range []string{"", "ftp://a.example/", "https://user:secret@a.example/", "https://", "nonsense", "https://a.example/#x", "https://a.example/" + strings.Repeat("a", 2000)} {
			if _, _, err := h.service.Add(ctx, h.platform, address, webhook.Kinds); fault.CodeOf(err) != "webhook.address" {
				t.Errorf("%s: %v", address, err)
			}
		}
		for _, kinds := range [][]string{nil, {"king"}, {webhook.KindPing}} {
			if _, _, err := h.service.Add(ctx, h.platform, "https://a.example/", kinds); fault.CodeOf(err) != "webhook.kinds" {
				t.Errorf("%v: %v", kinds, err)
			}
		}
		for range 10 {
			h.add()
		}
		if _, _, err := h.service.Add(ctx, h.platform, "https://a.example/", webhook.Kinds); fault.CodeOf(err) != "webhook.too-many" {
			t.Error(err)
		}
		strict := *h.service
		strict.Plain = false
		if _, _, err := strict.Add(ctx, h.other, "http://a.example/", webhook.Kinds); fault.CodeOf(err) != "webhook.address" {
			t.Error(err)
		}
	})
}

func TestSecretsGoAlongWhenTheSafeIsRotated(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		storetest.Migrate(t, db, ledger.Migrate, access.Migrate, jobs.Migrate, webhook.Migrate)
		keys, err := keystore.Create(filepath.Join(t.TempDir(), "keys"), keystore.Options{Passphrase: []byte("only a test"), Iterations: 1000})
		must(t, err)
		ring := keys.Ring(keystore.PurposePersonalData)
		former, err := ring.CreateSafe(ctx, "webhooks", keystore.PurposePersonalData)
		must(t, err)
		shared, err := ring.CreateSafe(ctx, "personal", keystore.PurposePersonalData)
		must(t, err)
		j, err := jobs.New(jobs.Config{DB: db, Clock: time.Now, Log: slog.New(slog.DiscardHandler)})
		must(t, err)
		defer j.Close()
		service := webhook.New(webhook.Config{DB: db, Ledger: ledger.New(db, nil, time.Now), Safe: shared, Former: former, Clock: time.Now}, j)
		want := map[string]string{}
		for i := range 3 {
			e, secret, err := service.Add(ctx, access.Actor{ID: "platform"}, fmt.Sprintf("https://a.example/%d", i), webhook.Kinds)
			must(t, err)
			want[e.ID] = secret
			if i == 0 { // as an installation from before left it
				sealed, err := former.Seal([]byte(secret), "webhook_endpoint", e.ID, "secret")
				must(t, err)
				must(t, db.Write(ctx, func(tx *store.Tx) error {
					_, err := tx.ExecContext(ctx, `UPDATE webhook_endpoint SET secret = $2, safe = 'own' WHERE id = $1`, e.ID, sealed)
					return err
				}))
			}
		}
		same := func() {
			t.Helper()
			for id, secret := range want {
				if got, err := service.SecretOf(ctx, id); err != nil || got != secret {
					t.Errorf("%s: %q, %v", id, got, err)
				}
			}
		}
		same()
		secrets := webhook.Secrets{DB: db, Safe: shared, Former: former}
		stale := func(want int) {
			t.Helper()
			head, err := shared.Head()
			must(t, err)
			if n, err := secrets.Stale(ctx, db.Read(), head); err != nil || n != want {
				t.Errorf("%d are stale, %v; want %d", n, err, want)
			}
		}
		stale(1)
		must(t, ring.RotateSafe(ctx, "personal"))
		stale(3)
		head, err := shared.Head()
		must(t, err)
		for _, want := range []int{2, 1, 0} {
			if n, err := secrets.Reseal(ctx, head, 2); err != nil || n != want {
				t.Errorf("%d, %v", n, err)
			}
		}
		stale(0)
		must(t, ring.EndSafeVersions(ctx, "personal"))
		secrets.Former, service.Former = nil, nil
		same()
	})
}
