package ledger

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"yinxin/internal/store"
)

// Search asks for entries that have their place in the tree. Empty fields pick all.
type Search struct {
	From, Until time.Time
	Kind        string   // the whole of it, or the part before its dot: "sealing"
	Outcome     Outcome  // of what was done
	Actor       string   // who did it
	Mentions    []string // each is the subject of the entry or one of its particulars
	Before      int64    // position: those that come before it; 0: from the newest
	Limit       int      // 1 to 1000
}

// Outcome is whether what an entry tells of came about.
type Outcome string

// The outcomes.
const (
	Done   Outcome = "done"
	Failed Outcome = "failed" // it failed, was refused or given up
)

// endings are those of the kinds that tell of something that did not come about.
var endings = []string{"failed", "refused", "rejected", "reject", "abandoned"}

// Outcome is that of an event, as its kind says.
func (e Event) Outcome() Outcome {
	for _, end := range endings {
		if strings.HasSuffix(e.Kind, "."+end) || strings.HasSuffix(e.Kind, "-"+end) {
			return Failed
		}
	}
	return Done
}

// window is how many places are looked at in one query: a search that finds little holds no state of the database for long.
const window = 20_000

// Search gives the newest entries that fit, at most limit of them, the newest first.
func (l *Ledger) Search(ctx context.Context, s Search) (list []Entry, err error) {
	limit := min(max(s.Limit, 1), 1000)
	before := s.Before
	if before <= 0 {
		if err := l.db.Read().QueryRowContext(ctx, `SELECT size FROM ledger_head WHERE id = 1`).Scan(&before); err != nil {
			return nil, err
		}
	}
	where, args := s.where()
	for before > 0 && len(list) < limit {
		from, wanted, seen := max(0, before-window), limit-len(list), 0
		err := store.Each(ctx, l.db.Read(), func(scan func(...any) error) error {
			var leaf []byte
			if err := scan(&before, &leaf); err != nil {
				return err
			}
			seen++
			e, err := decodeEntry(before, leaf)
			if err != nil {
				return errDamaged.With("entry %d", before).Because(err)
			}
			if s.mentioned(e) {
				list = append(list, e)
			}
			return nil
		}, `SELECT position, entry FROM ledger_event WHERE position >= $1 AND position < $2`+where+` ORDER BY position DESC LIMIT $3`, append([]any{from, before, wanted}, args...)...)
		if err != nil {
			return nil, err
		}
		if seen < wanted {
			before = from
		}
	}
	return list, nil
}

// where is what the database can say of an entry, with the arguments from the fourth on.
func (s Search) where() (where string, args []any) {
	add := func(condition string, values ...any) {
		for _, v := range values {
			args = append(args, v)
			condition = strings.Replace(condition, "?", "$"+strconv.Itoa(len(args)+3), 1)
		}
		where += " AND (" + condition + ")"
	}
	if !s.From.IsZero() {
		add(`time >= ?`, store.Time(s.From))
	}
	if !s.Until.IsZero() {
		add(`time < ?`, store.Time(s.Until))
	}
	if s.Kind != "" {
		add(`kind = ? OR kind LIKE ? ESCAPE '\'`, s.Kind, store.LikeText(s.Kind)+".%")
	}
	if s.Actor != "" {
		add(`actor = ?`, s.Actor)
	}
	if s.Outcome != "" {
		var each []string
		var values []any
		for _, end := range endings {
			each = append(each, `kind LIKE ?`, `kind LIKE ?`)
			values = append(values, "%."+end, "%-"+end)
		}
		condition := strings.Join(each, " OR ")
		if s.Outcome == Done {
			condition = "NOT (" + condition + ")"
		}
		add(condition, values...)
	}
	for _, m := range s.Mentions {
		add(`subject = ? OR entry LIKE ? ESCAPE '\'`, m, "%"+store.LikeText(quoted(m))+"%")
	}
	return where, args
}

// quoted is a value as it stands in an entry.
func quoted(value string) string {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if encoder.Encode(value) != nil { // a string always encodes
		return value
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// mentioned says exactly what the pattern of the database says nearly: SQLite takes small letters for large ones there,
// and the name of a particular looks like a value.
func (s Search) mentioned(e Entry) bool {
	return !slices.ContainsFunc(s.Mentions, func(value string) bool {
		if e.Subject == value {
			return false
		}
		for _, v := range e.Data {
			if v == value {
				return false
			}
		}
		return true
	})
}
