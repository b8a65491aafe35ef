package ledger

import (
	"cmp"
	"context"
	"encoding/binary"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/emmansun/gmsm/sm3"

	"yinxin/internal/store"
)

const (
	// listRows is how many entries are listed in one transaction: more than it places, so that the lists of a ledger
	// from before there were any come to its end.
	listRows = 2 * batchSize
	// spanSize is how many entries one row of ledger_span speaks for.
	spanSize = 1024
	// rowsPerInsert is how many rows go into the database with one statement.
	rowsPerInsert = 64
)

// listed are the particulars by which entries are found: what was sealed, and with which seal.
var listed = []string{"seal", "sm3", "data_hash"}

// mention is a row of ledger_mention.
type mention struct{ what, circle, position int64 }

// mentions are those of an entry.
func (e Entry) mentions() []mention {
	rows := make([]mention, 0, len(listed))
	for _, name := range listed {
		if value := e.Data[name]; value != "" {
			rows = append(rows, mention{whatOf(value), circleOf(e.Kind, e.Actor), e.Position})
		}
	}
	slices.SortFunc(rows, func(a, b mention) int { return cmp.Compare(a.what, b.what) })
	return slices.Compact(rows)
}

// whatOf is a value in ledger_mention.
func whatOf(value string) int64 { return short("what", value) }

// circleOf is in ledger_mention what somebody does in one way.
func circleOf(kind, actor string) int64 { return short("circle", kind, actor) }

func short(texts ...string) int64 {
	h := sm3.New()
	for _, t := range texts {
		_, _ = h.Write([]byte(strconv.Itoa(len(t)) + ":" + t)) // never fails
	}
	return int64(binary.BigEndian.Uint64(h.Sum(nil)))
}

// enlist goes on with the lists for searches, at most to size, and says whether it came so far.
func enlist(ctx context.Context, tx *store.Tx, size int64) (whole bool, err error) {
	var from int64
	if err := tx.QueryRowContext(ctx, `SELECT listed FROM ledger_head WHERE id = 1`).Scan(&from); err != nil || from >= size {
		return err == nil, err
	}
	until := min(size, from+listRows)
	var mentions []mention
	spans := map[int64]span{}
	err = eachEntry(ctx, tx, func(position int64, e Entry, unread error) error {
		if unread != nil {
			return nil // Verify names it; the work of others must not end with it
		}
		mentions = append(mentions, e.mentions()...)
		first := position - position%spanSize
		spans[first] = spans[first].with(store.Time(e.Time))
		return nil
	}, `SELECT position, entry FROM ledger_event WHERE position >= $1 AND position < $2 ORDER BY position`, from, until)
	if err != nil {
		return false, err
	}
	if err := insertMentions(ctx, tx, mentions); err != nil {
		return false, err
	}
	for _, first := range slices.Sorted(maps.Keys(spans)) {
		s := spans[first]
		if _, err := tx.ExecContext(ctx, `INSERT INTO ledger_span (first, earliest, latest) VALUES ($1, $2, $3) ON CONFLICT (first) DO UPDATE SET
			earliest = CASE WHEN excluded.earliest < ledger_span.earliest THEN excluded.earliest ELSE ledger_span.earliest END,
			latest = CASE WHEN excluded.latest > ledger_span.latest THEN excluded.latest ELSE ledger_span.latest END`,
			first, s.earliest, s.latest); err != nil {
			return false, err
		}
	}
	_, err = tx.ExecContext(ctx, `UPDATE ledger_head SET listed = $1 WHERE id = 1`, until)
	return until == size, err
}

// span is from the earliest time until the latest.
type span struct{ earliest, latest string }

func (s span) with(time string) span {
	if s.earliest == "" {
		return span{time, time}
	}
	return span{min(s.earliest, time), max(s.latest, time)}
}

func insertMentions(ctx context.Context, tx *store.Tx, rows []mention) error {
	for some := range slices.Chunk(rows, rowsPerInsert) {
		var q query
		values := make([]string, len(some))
		for i, m := range some {
			values[i] = "(" + q.put(m.what) + ", " + q.put(m.circle) + ", " + q.put(m.position) + ")"
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO ledger_mention (what, circle, position) VALUES `+strings.Join(values, ", ")+` ON CONFLICT DO NOTHING`, q.args...)
		if err != nil {
			return err
		}
	}
	return nil
}

// query collects the arguments of a statement.
type query struct{ args []any }

// put adds an argument and gives the parameter that stands for it.
func (q *query) put(value any) string {
	q.args = append(q.args, value)
	return "$" + strconv.Itoa(len(q.args))
}
