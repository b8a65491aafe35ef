package enroll

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"yinxin/internal/fault"
	"yinxin/internal/store"
	"yinxin/internal/store/storetest"
	"yinxin/keystore"
)

var errKeeper = errors.New("the disk is full")

// brokenKeeper is a keystore that cannot be written.
type brokenKeeper struct{}

func (brokenKeeper) RotateSafe(context.Context, string) error      { return errKeeper }
func (brokenKeeper) EndSafeVersions(context.Context, string) error { return errKeeper }

// dyingKeeper changes the file, and the process dies before that is recorded.
type dyingKeeper struct{ *keystore.Ring }

func (k dyingKeeper) RotateSafe(ctx context.Context, name string) error {
	return errors.Join(k.Ring.RotateSafe(ctx, name), errKeeper)
}

func (k dyingKeeper) EndSafeVersions(ctx context.Context, name string) error {
	return errors.Join(k.Ring.EndSafeVersions(ctx, name), errKeeper)
}

// door lets a process change the file only when another one is about to as well, or none comes.
type door struct {
	*keystore.Ring
	entered *atomic.Int32
	second  chan struct{}
}

func (d door) RotateSafe(ctx context.Context, name string) error {
	if d.entered.Add(1) == 2 {
		close(d.second)
	}
	select {
	case <-d.second:
	case <-time.After(200 * time.Millisecond):
	}
	return d.Ring.RotateSafe(ctx, name)
}

// objectNames are the names of all files.
func (w *world) objectNames() (list []string) {
	w.must(w.Files.List(context.Background(), func(name string, _ int64) error {
		list = append(list, name)
		return nil
	}))
	slices.Sort(list)
	return list
}

func TestProcessesThatRotateAtOnceMakeOneVersion(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		ctx := t.Context()
		a := w.draft(unitA)

		var group sync.WaitGroup
		failures := make([]error, 4)
		entered, second := new(atomic.Int32), make(chan struct{})
		for i := range failures {
			keys, err := keystore.Open(w.keysDir, keystore.Options{Passphrase: []byte("test")})
			w.must(err)
			ring := keys.Ring(keystore.PurposePersonalData)
			other := *w.Service
			other.Safe, err = ring.Safe(ctx, SafeName)
			w.must(err)
			group.Go(func() {
				failures[i] = other.Rotate(ctx, w.admin, door{ring, entered, second})
				for n := 1; failures[i] == nil && n > 0; {
					n, failures[i] = other.Reseal(ctx, 1)
				}
			})
		}
		group.Wait()
		w.must(errors.Join(failures...))
		r, err := w.Rotation(ctx)
		w.must(err)
		if r.Version != 2 || r.Stale != 0 || entered.Load() != 1 {
			t.Errorf("%+v, the file was changed %d times", r, entered.Load())
		}
		w.must(w.ring.EndSafeVersions(ctx, SafeName))
		_, err = w.Unmask(ctx, w.registrar, a.ID, "核对")
		w.must(err)
	})
}

func TestAPieceThatCannotBeOpenedIsNamed(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		a, b := w.draft(unitA), w.draft(unitDirect)
		w.must(w.db.Write(ctx, func(tx *store.Tx) error {
			_, err := tx.ExecContext(ctx, `UPDATE enroll_version SET sealed = (SELECT o.sealed FROM enroll_version o WHERE o.application = $1 AND o.version = 1)
				WHERE application = $2`, a.ID, b.ID)
			return err
		}))
		w.must(w.Rotate(ctx, w.admin, w.ring))
		_, err := w.Reseal(ctx, 100)
		if f, ok := fault.Of(err); !ok || f.Code != keystore.ErrSafeSealed.Code || !strings.HasPrefix(f.Place.Field, "enroll_version "+b.ID+"/") {
			t.Errorf("%+v", err)
		}
		wantCode(t, w.EndRotation(ctx, w.admin, w.ring), ErrRotationStale)
	})
}
