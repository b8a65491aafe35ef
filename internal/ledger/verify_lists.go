package ledger

import (
	"context"
	"strings"

	"yinxin/internal/store"
)

// checkLists looks for entries that the lists for searches lack: whoever takes them out of the lists hides them from a
// search. What the lists have too much does no harm, since a search compares with the entry.
func (v *verifier) checkLists(ctx context.Context, q store.Querier, records []record) error {
	spans := map[int64]span{}
	if len(records) > 0 {
		err := store.Each(ctx, q, func(scan func(...any) error) error {
			var first int64
			var s span
			err := scan(&first, &s.earliest, &s.latest)
			spans[first] = s
			return err
		}, `SELECT first, earliest, latest FROM ledger_span WHERE first > $1 AND first <= $2`, records[0].position-spanSize, records[len(records)-1].position)
		if err != nil {
			return err
		}
	}
	missing := map[int64]bool{}
	var mentions []mention
	for _, r := range records {
		if r.position >= v.listed {
			break
		}
		e, err := decodeEntry(r.position, r.entry)
		if err != nil {
			continue // it has been named
		}
		if s, at := spans[r.position-r.position%spanSize], store.Time(e.Time); at < s.earliest || at > s.latest {
			missing[r.position] = true
		}
		mentions = append(mentions, e.mentions()...)
	}
	if len(mentions) > 0 {
		var of query
		values := make([]string, len(mentions))
		for i, m := range mentions {
			values[i] = `(CAST(` + of.put(m.what) + ` AS BIGINT), CAST(` + of.put(m.circle) + ` AS BIGINT), CAST(` + of.put(m.position) + ` AS BIGINT))`
		}
		lacking, err := store.Column[int64](q.QueryContext(ctx, `WITH wanted (what, circle, position) AS (VALUES `+strings.Join(values, ", ")+`)
			SELECT position FROM wanted w WHERE NOT EXISTS (SELECT 1 FROM ledger_mention m WHERE m.what = w.what AND m.circle = w.circle AND m.position = w.position)`, of.args...))
		if err != nil {
			return err
		}
		for _, position := range lacking {
			missing[position] = true
		}
	}
	for _, r := range records {
		if missing[r.position] {
			v.problem(RecordChanged, r.position, r.position+1, "the entry %d is missing in the lists for searches", r.position)
		}
	}
	return nil
}
