package batch_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/jobs"
	"yinxin/internal/store"
	"yinxin/internal/store/storetest"
	"yinxin/keystore"
	"yinxin/sealer"
	"yinxin/sealer/batch"
	"yinxin/sealer/sealertest"
	"yinxin/sealer/verify"
)

type house struct {
	*sealertest.World
	t       *testing.T
	db      *store.DB
	service *batch.Service
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wants(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || fault.CodeOf(err) != want {
		t.Fatalf("%v, want %s", err, want)
	}
}

func each(t *testing.T, fn func(t *testing.T, h *house)) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		start, founded := time.Now(), time.Now().Add(-time.Hour)
		var late atomic.Bool // signing times are whole seconds: the founding lies back
		h := &house{t: t, db: db}
		h.World = sealertest.New(t, db, func() time.Time {
			if late.Load() {
				return time.Now()
			}
			return founded.Add(time.Since(start))
		}, jobs.Migrate, batch.Migrate)
		late.Store(true)
		fn(t, h)
	})
}

// process runs a service over the database, as a process of its own, until the function that comes back is called.
func (h *house) process(s *sealer.Service) (stop func()) {
	h.t.Helper()
	log := slog.New(slog.DiscardHandler)
	j, err := jobs.New(jobs.Config{DB: h.db, Clock: time.Now, Log: log, Poll: 100 * time.Millisecond, RescueAfter: time.Second, Grace: 300 * time.Millisecond})
	must(h.t, err)
	h.service = batch.New(batch.Config{DB: h.db, Ledger: h.Ledger, Access: h.Access, Register: h.Register, Sealer: s, Clock: h.Clock, Log: log}, j)
	ctx, cancel := context.WithCancel(h.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- j.Run(ctx) }()
	return func() {
		h.t.Helper()
		cancel()
		must(h.t, <-ended)
		must(h.t, j.Close())
	}
}

// request is a batch over fresh documents.
func (h *house) request(n int) batch.Request {
	h.t.Helper()
	r := batch.Request{Title: "第三季度", Order: sealertest.Order(sealer.Document{}, "")}
	original := sealertest.Original(h.t)
	for i := range n {
		r.Files = append(r.Files, batch.Wanted{Document: h.Upload(original).ID, Reference: fmt.Sprintf("2026-%03d", i+1)})
	}
	return r
}

// until waits until a batch is as wanted.
func (h *house) until(id string, ready func(batch.Batch) bool) batch.Batch {
	h.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		b, err := h.service.Find(h.t.Context(), h.Clerk, id)
		must(h.t, err)
		if ready(b) {
			return b
		}
		if time.Now().After(deadline) {
			h.t.Fatalf("still %+v", b)
		}
	}
}

func done(b batch.Batch) bool { return b.State != batch.Running }

func (h *house) files(id string, state batch.FileState) []batch.File {
	h.t.Helper()
	list, err := h.service.Files(h.t.Context(), h.Clerk, id, state, 0, 1000)
	must(h.t, err)
	return list
}

func (h *house) count(query string, args ...any) (n int) {
	h.t.Helper()
	must(h.t, h.db.Read().QueryRowContext(h.t.Context(), query, args...).Scan(&n))
	return n
}

func TestEveryFileIsForItself(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		defer h.process(h.Sealer)()
		r := h.request(120) // two jobs
		bad, err := h.Sealer.Upload(t.Context(), h.Clerk, "broken.pdf", bytes.NewReader([]byte("no PDF")))
		must(t, err)
		r.Files[50].Document, r.Files[119].Document = bad.ID, "d_nothing"
		b, err := h.service.Create(t.Context(), h.Clerk, r)
		must(t, err)
		if b.Total != 120 || b.Title != "第三季度" || b.Seal != sealertest.Code {
			t.Errorf("%+v", b)
		}
		b = h.until(b.ID, done)
		if b.State != batch.Done || b.Count[batch.FileSealed] != 118 || b.Count[batch.FileFailed] != 2 || b.Finished.IsZero() {
			t.Fatalf("%+v", b)
		}
		failed := h.files(b.ID, batch.FileFailed)
		if failed[0].Number != 51 || failed[1].Number != 120 || failed[1].Failure.Code != "document.not-found" || failed[0].Failure.Code == "" || failed[0].Failure.ZH == "" ||
			failed[1].Reference != "2026-120" {
			t.Errorf("%+v %+v", failed[0], failed[1])
		}
		f := h.files(b.ID, batch.FileSealed)[0]
		d, err := h.Sealer.Document(t.Context(), h.Clerk, f.Result)
		must(t, err)
		sealed := h.Bytes(d)
		v := verify.File(t.Context(), "a.pdf", bytes.NewReader(sealed), int64(len(sealed)), verify.Options{Chain: h.Sealer.Chain, At: h.Clock(), SealStatus: sealer.SealStatus(h.Register)})
		if v.Verdict != verify.Valid {
			t.Error(v.Verdict)
		}
		if n := h.count(`SELECT COUNT(*) FROM sealing WHERE state = 'released'`); n != 118 {
			t.Errorf("%d sealings", n)
		}
		if _, err := h.service.Find(t.Context(), h.Registrar, b.ID); fault.CodeOf(err) != "batch.not-found" {
			t.Error(err)
		}
	})
}

func TestWhatFailedIsTakenUpAgain(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		defer h.process(h.Sealer)()
		quota := func(n int) {
			must(t, h.db.Write(t.Context(), func(tx *store.Tx) error {
				_, err := tx.ExecContext(t.Context(), `UPDATE seal_grant SET quota = $1`, n)
				return err
			}))
		}
		quota(3)
		b, err := h.service.Create(t.Context(), h.Clerk, h.request(5))
		must(t, err)
		b = h.until(b.ID, done)
		if b.Count[batch.FileSealed] != 3 || b.Count[batch.FileFailed] != 2 {
			t.Fatalf("%+v", b)
		}
		if f := h.files(b.ID, batch.FileFailed)[0]; f.Failure.Code != "seal.quota-exhausted" {
			t.Errorf("%+v", f.Failure)
		}
		quota(0)
		_, err = h.service.Retry(t.Context(), h.Clerk, b.ID)
		must(t, err)
		b = h.until(b.ID, done)
		if b.Count[batch.FileSealed] != 5 || b.Count[batch.FileFailed] != 0 {
			t.Fatalf("%+v", b)
		}
		_, err = h.service.Retry(t.Context(), h.Clerk, b.ID)
		wants(t, err, "batch.nothing-failed")
		if b = h.until(b.ID, done); b.State != batch.Done { // the refusal changed nothing
			t.Errorf("%+v", b)
		}
		_, err = h.service.Cancel(t.Context(), h.Clerk, b.ID)
		wants(t, err, "batch.ended")
	})
}

// The seal is used on the networks of its 用章范围, also when the files are sealed later and by nobody's request.
func TestABatchIsOfTheNetworkThatItWasAskedForOver(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		scope := func(networks string) {
			must(t, h.db.Write(t.Context(), func(tx *store.Tx) error {
				_, err := tx.ExecContext(t.Context(), `UPDATE seal SET networks = $1`, networks)
				return err
			}))
		}
		stop := h.process(h.Sealer)
		stop() // nobody works
		inside := access.WithNetwork(t.Context(), access.GovernmentNetwork)
		outside := access.WithNetwork(t.Context(), access.Internet)
		scope(access.GovernmentNetwork)
		_, err := h.service.Create(outside, h.Clerk, h.request(1))
		wants(t, err, "seal.network")
		b, err := h.service.Create(inside, h.Clerk, h.request(1))
		must(t, err)
		scope(access.Internet) // meanwhile
		defer h.process(h.Sealer)()
		if b = h.until(b.ID, done); b.Count[batch.FileFailed] != 1 {
			t.Fatalf("%+v", b)
		}
		if f := h.files(b.ID, batch.FileFailed)[0]; f.Failure.Code != "seal.network" {
			t.Errorf("%+v", f.Failure)
		}
		scope(access.GovernmentNetwork)
		_, err = h.service.Retry(outside, h.Clerk, b.ID)
		wants(t, err, "seal.network")
		_, err = h.service.Retry(inside, h.Clerk, b.ID)
		must(t, err)
		if b = h.until(b.ID, done); b.Count[batch.FileSealed] != 1 {
			t.Errorf("%+v", b)
		}
	})
}

func TestACancelledBatchSealsNoMore(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		begun, goOn := make(chan struct{}, 100), make(chan struct{})
		c := h.Sealer.Config
		c.Intended = func(string) {
			begun <- struct{}{}
			<-goOn
		}
		defer h.process(sealer.New(c))()
		b, err := h.service.Create(t.Context(), h.Clerk, h.request(30))
		must(t, err)
		<-begun
		b, err = h.service.Cancel(t.Context(), h.Clerk, b.ID)
		must(t, err)
		close(goOn)
		if b.State != batch.Cancelled || b.Count[batch.FileWaiting] != 0 {
			t.Fatalf("%+v", b)
		}
		// What was under way is sealed, and says so; nothing else is.
		b = h.until(b.ID, func(b batch.Batch) bool { return b.Count[batch.FileSealed] == h.count(`SELECT COUNT(*) FROM sealing`) })
		if n := b.Count[batch.FileSealed]; n < 1 || n > 4 || b.Count[batch.FileCancelled] != 30-n {
			t.Errorf("%+v", b)
		}
		_, err = h.service.Retry(t.Context(), h.Clerk, b.ID)
		wants(t, err, "batch.cancelled")
	})
}

// unsteady is a key store that is out of reach for a while, and whose keys hang after some signatures.
type unsteady struct {
	*keystore.Ring
	away, signatures atomic.Int32
	hanging          chan struct{} // closed when the first hangs
	once             sync.Once
}

func (u *unsteady) Get(ctx context.Context, name string) (keystore.Key, error) {
	if u.away.Add(-1) >= 0 {
		return nil, fault.Spec{Kind: fault.Unavailable, Code: "test.away", ZH: "暂不可用。", EN: "Away."}.New()
	}
	k, err := u.Ring.Get(ctx, name)
	return hanging{k, u}, err
}

type hanging struct {
	keystore.Key
	u *unsteady
}

func (h hanging) SignDigest(ctx context.Context, e [32]byte) ([]byte, error) {
	if h.u.signatures.Add(-1) < 0 {
		h.u.once.Do(func() { close(h.u.hanging) })
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return h.Key.SignDigest(ctx, e)
}

func TestABatchGoesOnAfterARestartAndSealsNothingTwice(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		with := func(away, signatures int32) *unsteady {
			u := &unsteady{Ring: h.Keys, hanging: make(chan struct{})}
			u.away.Store(away)
			u.signatures.Store(signatures)
			return u
		}
		first, second := with(0, 20), with(1, 1000) // what passes is tried again by itself
		c := h.Sealer.Config
		c.Keys, c.Lease = first, time.Second
		stop := h.process(sealer.New(c))
		b, err := h.service.Create(t.Context(), h.Clerk, h.request(150))
		must(t, err)
		<-first.hanging
		stop() // in the middle of a job
		c.Keys = second
		defer h.process(sealer.New(c))()
		if n := h.count(`SELECT COUNT(*) FROM sealing_batch_item WHERE state = 'waiting'`); n < 100 {
			t.Errorf("%d files wait", n)
		}
		b = h.until(b.ID, done)
		if b.Count[batch.FileSealed] != 150 {
			t.Fatalf("%+v", b)
		}
		if n := h.count(`SELECT COUNT(*) FROM sealing WHERE state = 'released'`); n != 150 {
			t.Errorf("%d sealings", n)
		}
		// A process that died after it had sealed and before it could say so.
		result := h.files(b.ID, batch.FileSealed)[6].Result
		must(t, h.db.Write(t.Context(), func(tx *store.Tx) error {
			_, err := tx.ExecContext(t.Context(), `UPDATE sealing_batch_item SET state = 'failed', failure = '{}', result_id = NULL WHERE number = 7`)
			return err
		}))
		_, err = h.service.Retry(t.Context(), h.Clerk, b.ID)
		must(t, err)
		h.until(b.ID, done)
		if f := h.files(b.ID, batch.FileSealed)[6]; f.Result != result {
			t.Errorf("%s was sealed again as %s", result, f.Result)
		}
	})
}

func TestTheSameKeyGivesTheSameBatch(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		defer h.process(h.Sealer)()
		r := h.request(2)
		r.Key = "k"
		first, err := h.service.Create(t.Context(), h.Clerk, r)
		must(t, err)
		again, err := h.service.Create(t.Context(), h.Clerk, r)
		must(t, err)
		if !again.Replayed || again.ID != first.ID {
			t.Errorf("%+v", again)
		}
		r.Title = "another"
		_, err = h.service.Create(t.Context(), h.Clerk, r)
		wants(t, err, "batch.key-reused")
		list, err := h.service.List(t.Context(), h.Clerk, "", 10)
		must(t, err)
		if len(list) != 1 {
			t.Errorf("%d batches", len(list))
		}
		h.until(first.ID, done)
	})
}

func TestWhatNobodyCouldSealIsRefusedAtOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		defer h.process(h.Sealer)()
		stranger := h.Registrar
		_, err := h.service.Create(t.Context(), stranger, h.request(1))
		wants(t, err, "seal.not-granted")
		for name, change := range map[string]func(*batch.Request){
			"none":  func(r *batch.Request) { r.Files = nil },
			"twice": func(r *batch.Request) { r.Files[1] = r.Files[0] },
			"empty": func(r *batch.Request) { r.Files[1].Document = "" },
			"many":  func(r *batch.Request) { r.Files = make([]batch.Wanted, batch.MaxFiles+1) },
			"title": func(r *batch.Request) { r.Title = "a\nb" },
		} {
			r := h.request(2)
			change(&r)
			if _, err := h.service.Create(t.Context(), h.Clerk, r); fault.CodeOf(err) != "batch.files" {
				t.Errorf("%s: %v", name, err)
			}
		}
		r := h.request(1)
		r.Order.Places = nil
		_, err = h.service.Create(t.Context(), h.Clerk, r)
		wants(t, err, "sealing.order")
		if n := h.count(`SELECT COUNT(*) FROM sealing_batch`); n != 0 {
			t.Errorf("%d batches", n)
		}
	})
}
