package ca

import (
	"context"
	"strconv"
	"time"

	"yinxin/internal/ledger"
	"yinxin/internal/store"
)

// Restore is a restore from a backup, as the ledger tells of it. Between the backup and the restore the ledger had entries
// that it has no longer.
type Restore struct {
	ledger.Entry
	Made     time.Time // when the backup was made
	Size     int64     // entries that it had
	Manifest string    // SM3 of the backup's manifest, in hex
}

// maxRestores bounds what is read of restores.
const maxRestores = 1000

// Restores reads the restores from the ledger, in its order.
func Restores(ctx context.Context, q store.Querier) (list []Restore, err error) {
	entries, err := ledger.OfKind(ctx, q, KindRestored, maxRestores)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		size, err := strconv.ParseInt(e.Data["size"], 10, 64)
		if err != nil {
			continue // nothing of ours; ledger.Verify says what is wrong with it
		}
		made, err := store.ParseTime(e.Data["made"])
		if err != nil {
			continue
		}
		list = append(list, Restore{Entry: e, Made: made, Size: size, Manifest: e.Data["manifest"]})
	}
	return list, nil
}

// Forgot reports whether the restore explains that the ledger does not have what a kept checkpoint says: it is of the
// time between the backup and the restore.
func (r Restore) Forgot(c ledger.Checkpoint) bool {
	return c.Size > r.Size && !c.Time.Before(r.Made) && c.Time.Before(r.Time)
}

// Restores reads the restores of the installation from the ledger.
func (a *Authority) Restores(ctx context.Context) ([]Restore, error) {
	return Restores(ctx, a.DB.Read())
}
