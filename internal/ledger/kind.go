package ledger

import (
	"context"
	"strconv"
	"strings"
	"time"

	"yinxin/internal/store"
)

// OfKind gives the entries of one kind that have their place in the tree, in its order, at most limit of them.
func OfKind(ctx context.Context, q store.Querier, kind string, limit int) ([]Entry, error) {
	return entries(ctx, q, `kind = $1`, kind, limit)
}

// OfSubject gives the entries about one thing that have their place in the tree, in its order, at most limit of them.
func OfSubject(ctx context.Context, q store.Querier, subject string, limit int) ([]Entry, error) {
	return entries(ctx, q, `subject = $1`, subject, limit)
}

func entries(ctx context.Context, q store.Querier, where string, args ...any) ([]Entry, error) {
	var list []Entry
	err := eachEntry(ctx, q, func(_ int64, e Entry, unread error) error {
		list = append(list, e)
		return unread
	}, `SELECT position, entry FROM ledger_event WHERE `+where+` AND position IS NOT NULL ORDER BY position LIMIT $2`, args...)
	return list, err
}

// eachEntry calls fn with what a query gives as position and entry; with an error in place of an entry that cannot be read.
func eachEntry(ctx context.Context, q store.Querier, fn func(position int64, e Entry, unread error) error, query string, args ...any) error {
	return store.Each(ctx, q, func(scan func(...any) error) error {
		var position int64
		var leaf []byte
		if err := scan(&position, &leaf); err != nil {
			return err
		}
		e, err := decodeEntry(position, leaf)
		return fn(position, e, err)
	}, query, args...)
}

// EachOfKinds calls fn with every entry of some kinds, in the order of the tree, then those that wait for their place, whose
// position is -1.
func EachOfKinds(ctx context.Context, q store.Querier, fn func(Entry) error, kinds ...string) error {
	marks, args := make([]string, len(kinds)), make([]any, len(kinds))
	for i, kind := range kinds {
		marks[i], args[i] = "$"+strconv.Itoa(i+1), kind
	}
	return eachEntry(ctx, q, func(_ int64, e Entry, unread error) error {
		if unread != nil {
			return unread
		}
		return fn(e)
	}, `SELECT COALESCE(position, -1), entry FROM ledger_event WHERE kind IN (`+strings.Join(marks, ", ")+`)
		ORDER BY CASE WHEN position IS NULL THEN 1 ELSE 0 END, position, id`, args...)
}

// Told asks for the newest entries about one thing.
type Told struct {
	Subject     string
	Kinds       []string
	From, Until time.Time // zero: no bound
	Before      string    // identifier of an entry: those that came before it; empty: from the newest
	Limit       int
}

// Newest gives what was told of one thing, the newest first, entries that wait for their place among them: their position
// is -1.
func Newest(ctx context.Context, q store.Querier, t Told) ([]Entry, error) {
	var from, until string
	if !t.From.IsZero() {
		from = store.Time(t.From)
	}
	if !t.Until.IsZero() {
		until = store.Time(t.Until)
	}
	args := []any{t.Subject, t.Before, from, until, t.Limit}
	marks := make([]string, len(t.Kinds))
	for i, kind := range t.Kinds {
		args = append(args, kind)
		marks[i] = "$" + strconv.Itoa(len(args))
	}
	var list []Entry
	err := eachEntry(ctx, q, func(_ int64, e Entry, unread error) error {
		list = append(list, e)
		return unread
	}, `SELECT COALESCE(position, -1), entry FROM ledger_event WHERE subject = $1 AND ($2 = '' OR id < $2) AND ($3 = '' OR time >= $3) AND ($4 = '' OR time < $4)
		AND kind IN (`+strings.Join(marks, ", ")+`) ORDER BY id DESC LIMIT $5`, args...)
	return list, err
}

// EndLease ends whatever lease a copied database still records: its holder works on the original.
func EndLease(ctx context.Context, db *store.DB) error {
	return db.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE ledger_head SET holder = '', expires = ''`)
		return err
	})
}
