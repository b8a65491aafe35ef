package ledger_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"yinxin/internal/ledger"
	"yinxin/internal/store"
	"yinxin/internal/store/storetest"
)

// A large ledger is as long as YINXIN_LEDGER_ENTRIES says; then the time of each search counts, too. It takes minutes to
// write a million entries.
const (
	fewEntries = 2000
	quick      = 50 * time.Millisecond
)

// told is an entry of the large ledger: 20 seals and 31 people; one seal, one person and one kind are met in the first
// part only.
func told(i, n int) ledger.Event {
	e := ledger.Event{Time: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(i) * time.Minute), Actor: fmt.Sprintf("clerk-%02d", i%30),
		Subject: fmt.Sprintf("slg_%026d", i), Data: map[string]string{"instance": fmt.Sprintf("ins_%026d", i%50), "profile": "seal", "byte_range": "0 102400 122880 4096"}}
	e.Data["seal"] = fmt.Sprintf("290100000000%02d", i%20)
	switch i % 3 {
	case 0:
		e.Kind, e.Data["sm3"] = "document.received", fmt.Sprintf("%064x", i)
	case 1:
		e.Kind, e.Data["data_hash"] = "sealing.intended", fmt.Sprintf("%064x", i)
	default:
		e.Kind, e.Data["sm3"] = "sealing.released", fmt.Sprintf("%064x", i)
	}
	switch {
	case i%97 == 5:
		e.Kind = "sealing.failed"
	case i < n/10 && i%41 == 7:
		e.Kind, e.Subject, e.Data = "seal.made", "29010000000099", map[string]string{"sm3": "0a0b"}
	case i < n/10 && i%43 == 7:
		e.Actor, e.Data["seal"] = "departed", "29010000000098"
	}
	if i%501 == 9 { // times need not rise
		e.Time = e.Time.Add(-72 * time.Hour)
	}
	return e
}

// grow writes the large ledger.
func (w *world) grow(t *testing.T, n int) {
	t.Helper()
	ctx := context.Background()
	for from := 0; from < n; from += 5000 {
		must(t, w.db.Write(ctx, func(tx *store.Tx) error {
			for i := from; i < min(n, from+5000); i++ {
				if _, err := w.Append(ctx, tx, told(i, n)); err != nil {
					return err
				}
			}
			return nil
		}))
		w.sequence(t)
	}
}

// asked is a database that remembers what it was asked.
type asked struct {
	store.Querier
	statements []string
	args       [][]any
}

func (a *asked) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	a.statements, a.args = append(a.statements, query), append(a.args, args)
	return a.Querier.QueryContext(ctx, query, args...)
}

// plan is how SQLite answers what was asked of the tables that grow.
func (a *asked) plan(t *testing.T) (lines []string) {
	t.Helper()
	for i, s := range a.statements {
		err := store.Each(context.Background(), a.Querier, func(scan func(...any) error) error {
			var id, parent, unused int
			var detail string
			err := scan(&id, &parent, &unused, &detail)
			lines = append(lines, detail)
			return err
		}, `EXPLAIN QUERY PLAN `+s, a.args[i]...)
		must(t, err)
	}
	return lines
}

func TestSearchesOfALargeLedgerGoByIndexes(t *testing.T) {
	n, timed := fewEntries, false
	if text := os.Getenv("YINXIN_LEDGER_ENTRIES"); text != "" {
		n, timed = got(strconv.Atoi(text))(t), true
	}
	start := told(0, n).Time
	end := told(n, n).Time
	long := start.Add(end.Sub(start) / 20)
	searches := []struct {
		name   string
		search ledger.Search
		index  string // by which SQLite finds the positions
	}{
		{"the newest", ledger.Search{}, "position"},
		{"from the middle", ledger.Search{Before: int64(n / 2)}, "position"},
		{"a kind", ledger.Search{Kind: "sealing.released"}, "ledger_event_kind"},
		{"a kind of long ago", ledger.Search{Kind: "seal.made"}, "ledger_event_kind"},
		{"a group of kinds", ledger.Search{Kind: "sealing"}, "ledger_event_kind"},
		{"a kind that is not", ledger.Search{Kind: "escrow"}, ""},
		{"what failed", ledger.Search{Outcome: ledger.Failed}, "ledger_event_kind"},
		{"what was done", ledger.Search{Outcome: ledger.Done}, "ledger_event_kind"},
		{"a person", ledger.Search{Actor: "clerk-07"}, "ledger_event_actor"},
		{"a person of long ago", ledger.Search{Actor: "departed"}, "ledger_event_actor"},
		{"a person who is not", ledger.Search{Actor: "nobody"}, ""},
		{"a person and a kind", ledger.Search{Actor: "clerk-07", Kind: "sealing"}, "ledger_event_actor"},
		{"a person and a kind of long ago", ledger.Search{Actor: "clerk-07", Kind: "seal.made"}, "ledger_event_actor"},
		{"a span long ago", ledger.Search{From: long, Until: long.Add(24 * time.Hour)}, "position"},
		{"until long ago", ledger.Search{Until: long}, "position"},
		{"before there was anything", ledger.Search{Until: start}, ""},
		{"a span, a person and a kind", ledger.Search{From: long, Until: long.Add(24 * time.Hour), Actor: "clerk-01", Kind: "sealing"}, "ledger_event_actor"},
		{"a span and a kind that is not in it", ledger.Search{From: end.Add(-24 * time.Hour), Kind: "seal.made"}, "ledger_event_kind"},
		{"a seal", ledger.Search{Mentions: []string{"29010000000007"}}, "ledger_mention"},
		{"a seal of long ago", ledger.Search{Mentions: []string{"29010000000098"}}, "ledger_mention"},
		{"a seal as the subject", ledger.Search{Mentions: []string{"29010000000099"}}, "ledger_event_subject"},
		{"a seal that is not", ledger.Search{Mentions: []string{"29010000000097"}}, "ledger_mention"},
		{"a seal and a kind of long ago", ledger.Search{Mentions: []string{"29010000000007"}, Kind: "seal.made"}, "ledger_mention"},
		{"a seal in a span long ago", ledger.Search{Mentions: []string{"29010000000007"}, From: long, Until: long.Add(24 * time.Hour)}, "ledger_mention"},
		{"a seal and a person who never meet", ledger.Search{Mentions: []string{"29010000000007"}, Actor: "clerk-08"}, "ledger_mention"},
		{"a digest", ledger.Search{Mentions: []string{fmt.Sprintf("%064x", n/3)}}, "ledger_mention"},
		{"a digest that is not", ledger.Search{Mentions: []string{strings.Repeat("f", 64)}}, "ledger_mention"},
		{"a seal and a digest", ledger.Search{Mentions: []string{fmt.Sprintf("290100000000%02d", (n/3)%20), fmt.Sprintf("%064x", n/3)}}, "ledger_mention"},
		{"a digest and another seal", ledger.Search{Mentions: []string{fmt.Sprintf("290100000000%02d", (n/3+1)%20), fmt.Sprintf("%064x", n/3)}}, "ledger_mention"},
	}
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		ctx := context.Background()
		began := time.Now()
		w.grow(t, n)
		t.Logf("%d entries written in %v", n, time.Since(began).Round(time.Millisecond))
		run := func(q store.Querier, s ledger.Search) []int64 {
			t.Helper()
			s.Limit = 50
			list, err := s.In(ctx, q)
			must(t, err)
			var positions []int64
			for _, e := range list {
				positions = append(positions, e.Position)
			}
			return positions
		}
		for _, c := range searches {
			db := &asked{Querier: w.db.Read()}
			if have, want := run(db, c.search), expected(c.search, n); !slices.Equal(have, want) {
				t.Errorf("%s: %v, want %v", c.name, have, want)
			}
			if w.db.Dialect() == "sqlite" {
				plan := db.plan(t)
				if !slices.ContainsFunc(plan, func(line string) bool { return strings.Contains(line, c.index) }) {
					t.Errorf("%s: not by %s:\n%s", c.name, c.index, strings.Join(plan, "\n"))
				}
				for _, line := range plan {
					if strings.HasPrefix(line, "SCAN e") || strings.HasPrefix(line, "SCAN m") || strings.HasPrefix(line, "SCAN ledger_event") || strings.HasPrefix(line, "SCAN ledger_mention") {
						t.Errorf("%s: %s", c.name, line)
					}
				}
			}
			if timed {
				var times []time.Duration
				for range 7 {
					began := time.Now()
					run(w.db.Read(), c.search)
					times = append(times, time.Since(began))
				}
				slices.Sort(times)
				if t.Logf("%-40s median %v, slowest %v", c.name, times[3].Round(10*time.Microsecond), times[6].Round(10*time.Microsecond)); times[3] > quick {
					t.Errorf("%s: %v", c.name, times[3])
				}
			}
		}
		// A ledger from before there were lists: searches find the same before, while and after they are made.
		w.tamper(t, `DELETE FROM ledger_mention`, `DELETE FROM ledger_span`, `UPDATE ledger_head SET listed = 0`)
		for round := 0; round < 3; round++ {
			if !timed {
				for _, c := range searches {
					if have, want := run(w.db.Read(), c.search), expected(c.search, n); !slices.Equal(have, want) {
						t.Errorf("%s, before all is listed: %v, want %v", c.name, have, want)
					}
				}
			}
			w.sequence(t)
		}
		began = time.Now()
		working, stop := context.WithCancel(ctx)
		stopped := make(chan struct{})
		go func() {
			defer close(stopped)
			w.Run(working, func(err error) { t.Error(err) })
		}()
		for listed := 0; listed < n; {
			time.Sleep(10 * time.Millisecond)
			must(t, w.db.Read().QueryRowContext(ctx, `SELECT listed FROM ledger_head`).Scan(&listed))
			if time.Since(began) > 10*time.Minute {
				t.Fatalf("%d of %d are listed", listed, n)
			}
		}
		stop()
		<-stopped
		t.Logf("listed anew in %v", time.Since(began).Round(time.Millisecond))
		for _, c := range searches {
			if have, want := run(w.db.Read(), c.search), expected(c.search, n); !slices.Equal(have, want) {
				t.Errorf("%s, listed anew: %v, want %v", c.name, have, want)
			}
		}
	})
}

// expected is what a search must find, by looking at everything.
func expected(s ledger.Search, n int) (positions []int64) {
	for i := n - 1; i >= 0 && len(positions) < 50; i-- {
		e := told(i, n)
		about, _, _ := strings.Cut(e.Kind, ".")
		fits := (s.Before == 0 || int64(i) < s.Before) && (s.Kind == "" || s.Kind == e.Kind || s.Kind == about) && (s.Actor == "" || s.Actor == e.Actor) &&
			(s.Outcome == "" || s.Outcome == e.Outcome()) && (s.From.IsZero() || !e.Time.Before(s.From)) && (s.Until.IsZero() || e.Time.Before(s.Until))
		for _, m := range s.Mentions {
			fits = fits && (e.Subject == m || e.Data["seal"] == m || e.Data["sm3"] == m || e.Data["data_hash"] == m)
		}
		if fits {
			positions = append(positions, int64(i))
		}
	}
	return positions
}

func got[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		must(t, err)
		return v
	}
}
