package ledger

import (
	"context"
	"encoding/json"
	"slices"
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
	Mentions    []string // each is the subject of the entry, its seal or a digest of a document in it
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

// Search gives the newest entries that fit, at most limit of them, the newest first.
func (l *Ledger) Search(ctx context.Context, s Search) ([]Entry, error) {
	return s.in(ctx, l.db.Read())
}

func (s Search) in(ctx context.Context, db store.Querier) (list []Entry, err error) {
	f := finder{Search: s, db: db}
	stretches, err := f.stretches(ctx)
	if err != nil {
		return nil, err
	}
	limit := min(max(s.Limit, 1), 1000)
	for _, p := range stretches {
		if err := f.find(ctx, p, limit-len(list), &list); err != nil || len(list) == limit {
			return list, err
		}
	}
	return list, nil
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

// fits says exactly what the database says nearly: SQLite takes small letters for large ones in a pattern, the name of a
// particular looks like a value, and the lists hold digests of values.
func (s Search) fits(e Entry) bool {
	return !slices.ContainsFunc(s.Mentions, func(value string) bool {
		return e.Subject != value && !slices.ContainsFunc(listed, func(name string) bool { return e.Data[name] == value })
	})
}

// kindFits says whether entries of a kind can fit.
func (s Search) kindFits(kind string) bool {
	return (s.Kind == "" || kind == s.Kind || strings.HasPrefix(kind, s.Kind+".")) && (s.Outcome == "" || Event{Kind: kind}.Outcome() == s.Outcome)
}
