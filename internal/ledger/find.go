package ledger

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"yinxin/internal/store"
)

const (
	// window is how many places are looked at in one query where there is no list: it holds no state of the database
	// for long.
	window = 20_000
	// listsAtOnce bounds the lists that one statement merges; SQLite takes 500.
	listsAtOnce = 200
	// fewMentions is how many entries one mention is counted to, to find out which one is rare.
	fewMentions = 1000
)

// finder answers one search from lists of positions, each of which the database gives in order, from any position on:
// the entries of one kind, of one kind by one actor, about one subject, with one mention of one kind by one actor. Lists
// are chosen so that nearly everything in them fits: what is read does not grow with the ledger.
type finder struct {
	Search
	db    store.Querier
	known bool // lists are
	lists []list
}

// list is the entries for which columns have a value.
type list struct {
	mention bool // of ledger_mention, m; otherwise of ledger_event, e
	equal   []column
}

type column struct {
	name  string
	value any
}

// stretch is the places from from up to but not including until.
type stretch struct {
	from, until int64
	listed      bool // mentions and times are in their tables
}

// stretches are where something can fit, the newest first.
func (f *finder) stretches(ctx context.Context) (all []stretch, err error) {
	var size, end int64
	if err := f.db.QueryRowContext(ctx, `SELECT size, listed FROM ledger_head WHERE id = 1`).Scan(&size, &end); err != nil {
		return nil, err
	}
	if f.Before > 0 {
		size = min(size, f.Before)
	}
	if end < size { // not yet listed
		all = append(all, stretch{from: end, until: size})
	}
	size = min(size, end)
	if f.From.IsZero() && f.Until.IsZero() {
		return append(all, stretch{0, size, true}), nil
	}
	where, q := []string{`first < $1`}, query{args: []any{size}}
	if !f.From.IsZero() {
		where = append(where, `latest >= `+q.put(store.Time(f.From)))
	}
	if !f.Until.IsZero() {
		where = append(where, `earliest < `+q.put(store.Time(f.Until)))
	}
	firsts, err := store.Column[int64](f.db.QueryContext(ctx, `SELECT first FROM ledger_span WHERE `+strings.Join(where, " AND ")+` ORDER BY first DESC`, q.args...))
	for _, first := range firsts {
		if last := len(all) - 1; last >= 0 && all[last].listed && all[last].from == first+spanSize {
			all[last].from = first
		} else {
			all = append(all, stretch{first, min(first+spanSize, size), true})
		}
	}
	return all, err
}

// find appends what fits in a stretch to found, at most limit entries.
func (f *finder) find(ctx context.Context, p stretch, limit int, found *[]Entry) error {
	inLists := f.Kind != "" || f.Outcome != "" || f.Actor != "" || len(f.Mentions) > 0
	if len(f.Mentions) > 0 && !p.listed {
		inLists = false
	}
	for limit > 0 && p.from < p.until {
		part := p
		var positions []int64
		var err error
		if inLists {
			positions, err = f.below(ctx, part, limit)
		} else {
			part.from = max(p.from, p.until-window)
			positions, err = f.scan(ctx, part, limit)
		}
		if err != nil {
			return err
		}
		if p.until = part.from; len(positions) == limit {
			p.until = positions[limit-1]
		}
		entries, err := f.read(ctx, positions)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if f.fits(e) {
				*found, limit = append(*found, e), limit-1
			}
		}
	}
	return nil
}

// scan gives the newest positions in a stretch at which something may fit, from the events themselves.
func (f *finder) scan(ctx context.Context, p stretch, limit int) ([]int64, error) {
	var q query
	from, until, count := q.put(p.from), q.put(p.until), q.put(limit)
	where := f.where(&q) + f.times(&q)
	return store.Column[int64](f.db.QueryContext(ctx, `SELECT e.position FROM ledger_event e WHERE e.position >= `+from+` AND e.position < `+until+where+
		` ORDER BY e.position DESC LIMIT `+count, q.args...))
}

// below gives the newest positions in a stretch at which something may fit, from the lists.
func (f *finder) below(ctx context.Context, p stretch, limit int) (positions []int64, err error) {
	if !f.known {
		if f.lists, err = f.choose(ctx); err != nil {
			return nil, err
		}
		f.known = true
	}
	for some := range slices.Chunk(f.lists, listsAtOnce) {
		var q query
		from, until, count := q.put(p.from), q.put(p.until), q.put(limit)
		times := f.times(&q)
		parts := make([]string, len(some))
		for i, l := range some {
			tables, position := `ledger_event e`, `e.position`
			if l.mention {
				tables, position = `ledger_mention m`, `m.position`
				if times != "" { // the order of the tables is part of the plan with SQLite
					tables += ` CROSS JOIN ledger_event e`
				}
			}
			where := position + ` >= ` + from + ` AND ` + position + ` < ` + until + times
			for _, c := range l.equal {
				where += ` AND ` + c.name + ` = ` + q.put(c.value)
			}
			if l.mention && times != "" {
				where += ` AND e.position = m.position`
			}
			if len(f.Mentions) > 0 && !l.mention {
				where += f.where(&q)
			}
			parts[i] = `SELECT position FROM (SELECT ` + position + ` FROM ` + tables + ` WHERE ` + where + ` ORDER BY ` + position + ` DESC LIMIT ` + count + `) AS one`
		}
		got, err := store.Column[int64](f.db.QueryContext(ctx, strings.Join(parts, ` UNION `)+` ORDER BY position DESC LIMIT `+count, q.args...))
		if err != nil {
			return nil, err
		}
		positions = append(positions, got...)
	}
	slices.SortFunc(positions, func(a, b int64) int { return cmp.Compare(b, a) })
	positions = slices.Compact(positions)
	return positions[:min(limit, len(positions))], nil
}

// choose gives the lists in which everything is that fits.
func (f *finder) choose(ctx context.Context) (lists []list, err error) {
	switch {
	case len(f.Mentions) > 0:
		value, err := f.rarest(ctx)
		if err != nil {
			return nil, err
		}
		lists = append(lists, list{equal: []column{{"e.subject", value}}})
		what := whatOf(value)
		return lists, store.Each(ctx, f.db, func(scan func(...any) error) error {
			var circle int64
			var kind, actor string
			if err := scan(&circle, &kind, &actor); err != nil {
				return err
			}
			if f.kindFits(kind) && (f.Actor == "" || f.Actor == actor) {
				lists = append(lists, list{mention: true, equal: []column{{"m.what", what}, {"m.circle", circle}}})
			}
			return nil
		}, `WITH RECURSIVE c (circle) AS (SELECT MIN(circle) FROM ledger_mention WHERE what = $1
			UNION ALL SELECT (SELECT MIN(circle) FROM ledger_mention WHERE what = $1 AND circle > c.circle) FROM c WHERE c.circle IS NOT NULL)
			SELECT c.circle, e.kind, e.actor FROM c JOIN ledger_event e
			ON e.position = (SELECT MAX(position) FROM ledger_mention WHERE what = $1 AND circle = c.circle) WHERE c.circle IS NOT NULL`, what)
	case f.Actor != "":
		err = f.kinds(ctx, `actor = $1 AND`, func(kind string) {
			lists = append(lists, list{equal: []column{{"e.actor", f.Actor}, {"e.kind", kind}}})
		}, f.Actor)
	default:
		err = f.kinds(ctx, ``, func(kind string) { lists = append(lists, list{equal: []column{{"e.kind", kind}}}) })
	}
	return lists, err
}

// kinds calls fn with those kinds of entries that can fit.
func (f *finder) kinds(ctx context.Context, where string, fn func(kind string), args ...any) error {
	all, err := store.Column[string](f.db.QueryContext(ctx, `WITH RECURSIVE k (kind) AS (SELECT MIN(kind) FROM ledger_event WHERE `+where+` kind > '' AND position IS NOT NULL
		UNION ALL SELECT (SELECT MIN(kind) FROM ledger_event WHERE `+where+` kind > k.kind AND position IS NOT NULL) FROM k WHERE k.kind IS NOT NULL)
		SELECT kind FROM k WHERE kind IS NOT NULL`, args...))
	for _, kind := range all {
		if f.kindFits(kind) {
			fn(kind)
		}
	}
	return err
}

// rarest is the mention that the fewest entries have.
func (f *finder) rarest(ctx context.Context) (value string, err error) {
	value = f.Mentions[0]
	fewest := -1
	for _, m := range f.Mentions {
		if len(f.Mentions) == 1 {
			break
		}
		var n int
		if err := f.db.QueryRowContext(ctx, `SELECT COUNT(*) FROM (SELECT 1 FROM ledger_mention WHERE what = $1 LIMIT $2) AS few`, whatOf(m), fewMentions).Scan(&n); err != nil {
			return "", err
		}
		if fewest < 0 || n < fewest {
			value, fewest = m, n
		}
	}
	return value, nil
}

// read gives the entries at some positions, the newest first.
func (f *finder) read(ctx context.Context, positions []int64) ([]Entry, error) {
	if len(positions) == 0 {
		return nil, nil
	}
	var q query
	marks := make([]string, len(positions))
	for i, p := range positions {
		marks[i] = q.put(p)
	}
	return gathered(ctx, f.db, `SELECT position, entry FROM ledger_event WHERE position IN (`+strings.Join(marks, ", ")+`) ORDER BY position DESC`, q.args...)
}

// times is what the database says of when an entry was.
func (s Search) times(q *query) (where string) {
	if !s.From.IsZero() {
		where += ` AND e.time >= ` + q.put(store.Time(s.From))
	}
	if !s.Until.IsZero() {
		where += ` AND e.time < ` + q.put(store.Time(s.Until))
	}
	return where
}

// where is what the database can say of an entry without lists, beside its time.
func (s Search) where(q *query) (where string) {
	if s.Kind != "" {
		where += ` AND (e.kind = ` + q.put(s.Kind) + ` OR e.kind LIKE ` + q.put(store.LikeText(s.Kind)+".%") + ` ESCAPE '\')`
	}
	if s.Actor != "" {
		where += ` AND e.actor = ` + q.put(s.Actor)
	}
	if s.Outcome != "" {
		var each []string
		for _, end := range endings {
			each = append(each, `e.kind LIKE `+q.put("%."+end), `e.kind LIKE `+q.put("%-"+end))
		}
		not := ""
		if s.Outcome == Done {
			not = "NOT "
		}
		where += ` AND ` + not + `(` + strings.Join(each, " OR ") + `)`
	}
	for _, m := range s.Mentions {
		where += ` AND (e.subject = ` + q.put(m) + ` OR e.entry LIKE ` + q.put("%"+store.LikeText(quoted(m))+"%") + ` ESCAPE '\')`
	}
	return where
}
