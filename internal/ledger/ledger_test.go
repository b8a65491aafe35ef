package ledger_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emmansun/gmsm/sm2"
	"github.com/transparency-dev/merkle/proof"

	"yinxin/internal/fault"
	"yinxin/internal/ledger"
	"yinxin/internal/store"
	"yinxin/internal/store/storetest"
)

// softKey is a key in memory.
type softKey struct {
	*sm2.PrivateKey
	failing error
}

func newKey(t testing.TB) *softKey {
	t.Helper()
	key, err := sm2.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &softKey{PrivateKey: key}
}

func (k *softKey) Public() *ecdsa.PublicKey { return &k.PublicKey }

func (k *softKey) SignDigest(_ context.Context, e [32]byte) ([]byte, error) {
	if k.failing != nil {
		return nil, k.failing
	}
	return k.Sign(rand.Reader, e[:], nil)
}

// clock is a time that tests set.
type clock struct {
	mutex sync.Mutex
	now   time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 5, 1, 8, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.now = c.now.Add(d)
}

// world is a ledger on a fresh database.
type world struct {
	*ledger.Ledger
	db    *store.DB
	key   *softKey
	clock *clock
}

func newWorld(t testing.TB, db *store.DB) *world {
	t.Helper()
	storetest.Migrate(t, db, ledger.Migrate)
	w := &world{db: db, key: newKey(t), clock: newClock()}
	w.Ledger = ledger.New(db, w.key, w.clock.Now)
	return w
}

// append writes n events in one transaction and gives their identifiers.
func (w *world) append(t testing.TB, n int) (ids []string) {
	t.Helper()
	ctx := context.Background()
	err := w.db.Write(ctx, func(tx *store.Tx) error {
		ids = nil
		for i := range n {
			id, err := w.Append(ctx, tx, ledger.Event{Kind: "seal.signed", Actor: "clerk", Subject: fmt.Sprint("document ", i), Data: map[string]string{"印章": "测试", "digest": "<&>", "sm3": fmt.Sprint("digest ", i)}})
			if err != nil {
				return err
			}
			ids = append(ids, id)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

func (w *world) sequence(t testing.TB) int {
	t.Helper()
	n, err := w.Sequence(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func (w *world) verify(t testing.TB, known ...ledger.Checkpoint) ledger.VerifyResult {
	t.Helper()
	result, err := ledger.Verify(context.Background(), w.db, w.key.Public(), known...)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func TestEventsOfARolledBackTransactionVanish(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		ctx := context.Background()
		no := errors.New("no")
		var id string
		err := db.Write(ctx, func(tx *store.Tx) (err error) {
			if id, err = w.Append(ctx, tx, ledger.Event{Kind: "lost"}); err != nil {
				return err
			}
			return no
		})
		if err != no {
			t.Fatal(err)
		}
		kept := w.append(t, 1)[0]
		if n := w.sequence(t); n != 1 {
			t.Fatalf("%d events placed", n)
		}
		if _, err := w.Inclusion(ctx, id); fault.CodeOf(err) != "ledger.not-found" {
			t.Fatalf("rolled back: %v", err)
		}
		if _, err := w.Inclusion(ctx, kept); err != nil {
			t.Fatalf("kept: %v", err)
		}
	})
}

func TestEveryEntryIsProvedForTreesOfManySizes(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		ctx := context.Background()
		var ids []string
		var kept []ledger.Checkpoint
		for _, more := range []int{1, 1, 1, 4, 9, 1, 300} {
			ids = append(ids, w.append(t, more)...)
			if n := w.sequence(t); n != more {
				t.Fatalf("placed %d of %d", n, more)
			}
			c, err := w.Checkpoint(ctx)
			if err != nil || c.Size != int64(len(ids)) {
				t.Fatalf("checkpoint of %d, %v", c.Size, err)
			}
			kept = append(kept, c)
			for i := 0; i < len(ids); i += 1 + len(ids)/20 {
				p, err := w.Inclusion(ctx, ids[i])
				if err != nil {
					t.Fatal(err)
				}
				if p.Entry.Position != int64(i) || p.Entry.ID != ids[i] || p.Entry.Data["印章"] != "测试" {
					t.Fatalf("entry %d is %+v", i, p.Entry)
				}
				if err := p.Verify(w.key.Public()); err != nil {
					t.Fatalf("entry %d of %d: %v", i, len(ids), err)
				}
				p.Entry.Leaf = append([]byte(nil), p.Entry.Leaf...)
				p.Entry.Leaf[3] ^= 1
				if err := p.Verify(w.key.Public()); fault.CodeOf(err) != "ledger.proof" {
					t.Fatalf("a changed entry: %v", err)
				}
			}
		}
		for i, from := range kept {
			for _, to := range kept[i:] {
				hashes, err := w.Consistency(ctx, from.Size, to.Size)
				if err != nil {
					t.Fatal(err)
				}
				err = proof.VerifyConsistency(ledger.Hasher{}, uint64(from.Size), uint64(to.Size), hashes, from.Root, to.Root)
				if err != nil {
					t.Fatalf("%d to %d: %v", from.Size, to.Size, err)
				}
			}
		}
		result := w.verify(t, kept...)
		if !result.OK() || result.Entries != int64(len(ids)) || result.Size != result.Entries || result.Checkpoints < int64(2*len(kept)) {
			t.Fatalf("%+v", result)
		}
	})
}

func TestEventsOfOneTransactionKeepTheirOrder(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		ids := w.append(t, 50) // the clock of the test stands still
		w.sequence(t)
		var got []string
		err := w.Entries(context.Background(), 0, 1000, func(e ledger.Entry) error {
			if e.Position != int64(len(got)) || !e.Time.Equal(w.clock.Now()) {
				t.Errorf("entry %+v", e)
			}
			got = append(got, e.ID)
			return nil
		})
		if err != nil || strings.Join(got, " ") != strings.Join(ids, " ") {
			t.Fatalf("%v: got %v, want %v", err, got, ids)
		}
	})
}

func TestPendingEventIsSaidToBePending(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		ctx := context.Background()
		if _, err := w.Checkpoint(ctx); fault.CodeOf(err) != "ledger.no-checkpoint" {
			t.Fatalf("checkpoint of nothing: %v", err)
		}
		id := w.append(t, 1)[0]
		if _, err := w.Inclusion(ctx, id); fault.CodeOf(err) != "ledger.pending" {
			t.Fatalf("inclusion: %v", err)
		}
		if result := w.verify(t); !result.OK() || result.Pending != 1 || result.Entries != 0 {
			t.Fatalf("%+v", result)
		}
	})
}

func TestOddTextsDoNotFailTheTransaction(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		ctx := context.Background()
		err := db.Write(ctx, func(tx *store.Tx) error {
			_, err := w.Append(ctx, tx, ledger.Event{Kind: "odd\x00", Actor: "\xff\xfe", Subject: "</script>\u2028", Data: map[string]string{"\x00": "\xc3\x28"}})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		w.sequence(t)
		if result := w.verify(t); !result.OK() {
			t.Fatalf("%+v", result)
		}
	})
}

func TestEventsThatCannotBeEntries(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		ctx := context.Background()
		for name, event := range map[string]ledger.Event{
			"no kind":   {Actor: "clerk"},
			"too large": {Kind: "k", Data: map[string]string{"a": strings.Repeat("x", 64<<10)}},
		} {
			err := db.Write(ctx, func(tx *store.Tx) error {
				_, err := w.Append(ctx, tx, event)
				return err
			})
			if fault.CodeOf(err) != "ledger.event" {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestCheckpointThatWasOwedIsSignedLater(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.append(t, 3)
		w.sequence(t)
		w.append(t, 2)
		w.key.failing = errors.New("the token was pulled out")
		if n, err := w.Sequence(context.Background()); n != 2 || !errors.Is(err, w.key.failing) {
			t.Fatalf("%d, %v", n, err)
		}
		w.key.failing = nil
		// As after a restart: another process finds placed entries that no checkpoint covers.
		w.Ledger = ledger.New(db, w.key, w.clock.Now)
		if n := w.sequence(t); n != 0 {
			t.Fatalf("placed %d again", n)
		}
		if result := w.verify(t); !result.OK() || result.Size != 5 {
			t.Fatalf("%+v", result)
		}
	})
}
