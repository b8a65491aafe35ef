package ledger_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"yinxin/internal/fault"
	"yinxin/internal/ledger"
	"yinxin/internal/store"
	"yinxin/internal/store/storetest"
)

func TestASearchFindsWhatFits(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		ctx := context.Background()
		day := func(n int) time.Time { return time.Date(2026, 5, n, 8, 0, 0, 0, time.UTC) }
		events := []ledger.Event{
			{Time: day(1), Kind: "seal.made", Subject: "29010000000017"},
			{Time: day(2), Kind: "sealing.intended", Actor: "clerk", Subject: "s_1", Data: map[string]string{"seal": "29010000000017"}},
			{Time: day(2), Kind: "sealing.failed", Actor: "clerk", Subject: "s_1", Data: map[string]string{"seal": "29010000000017", "code": "pdf.broken"}},
			{Time: day(3), Kind: "sealing.released", Actor: "platform", Subject: "s_2", Data: map[string]string{"seal": "29020000000025", "sm3": "ab_c%<\"\\"}},
			{Time: day(4), Kind: "login.refused", Actor: "clerk"},
			{Time: day(5), Kind: "sealings.other", Data: map[string]string{"29010000000017": "a name, no value", "SM3": "AB_C"}},
			{Time: day(6), Kind: "escrow.share-refused", Actor: "officer"},
		}
		must(t, db.Write(ctx, func(tx *store.Tx) error {
			for _, e := range events {
				if _, err := w.Append(ctx, tx, e); err != nil {
					return err
				}
			}
			return nil
		}))
		if list, err := w.Search(ctx, ledger.Search{Limit: 9}); err != nil || len(list) != 0 {
			t.Errorf("before anything has its place: %v, %v", list, err)
		}
		w.sequence(t)
		for name, c := range map[string]struct {
			search ledger.Search
			want   []int64
		}{
			"everything, the newest first":    {ledger.Search{Limit: 9}, []int64{6, 5, 4, 3, 2, 1, 0}},
			"no more than wanted":             {ledger.Search{Limit: 2}, []int64{6, 5}},
			"what comes before":               {ledger.Search{Before: 2, Limit: 9}, []int64{1, 0}},
			"a kind":                          {ledger.Search{Kind: "sealing.failed", Limit: 9}, []int64{2}},
			"a group of kinds":                {ledger.Search{Kind: "sealing", Limit: 9}, []int64{3, 2, 1}},
			"no pattern for a kind":           {ledger.Search{Kind: "seal%", Limit: 9}, nil},
			"a span":                          {ledger.Search{From: day(2), Until: day(4), Limit: 9}, []int64{3, 2, 1}},
			"a person":                        {ledger.Search{Actor: "clerk", Limit: 9}, []int64{4, 2, 1}},
			"a seal":                          {ledger.Search{Mentions: []string{"29010000000017"}, Limit: 9}, []int64{2, 1, 0}},
			"a seal and a page of one":        {ledger.Search{Mentions: []string{"29010000000017"}, Before: 2, Limit: 1}, []int64{1}},
			"a digest, to the sign":           {ledger.Search{Mentions: []string{"ab_c%<\"\\"}, Limit: 9}, []int64{3}},
			"no pattern for a digest":         {ledger.Search{Mentions: []string{"ab%"}, Limit: 9}, nil},
			"large letters are not small":     {ledger.Search{Mentions: []string{"ab_c"}, Limit: 9}, nil},
			"a digest and a seal that differ": {ledger.Search{Mentions: []string{"29010000000017", "AB_C"}, Limit: 9}, nil},
			"what did not come about":         {ledger.Search{Outcome: ledger.Failed, Limit: 9}, []int64{6, 4, 2}},
			"what did":                        {ledger.Search{Outcome: ledger.Done, Kind: "sealing", Limit: 9}, []int64{3, 1}},
		} {
			for _, listed := range []int{len(events), 3, 0} {
				w.tamper(t, fmt.Sprintf(`UPDATE ledger_head SET listed = %d`, listed))
				list, err := w.Search(ctx, c.search)
				must(t, err)
				var positions []int64
				for _, e := range list {
					positions = append(positions, e.Position)
					if (e.Outcome() == ledger.Failed) != slices.Contains([]int64{2, 4, 6}, e.Position) {
						t.Errorf("%s is %s", e.Kind, e.Outcome())
					}
				}
				if !slices.Equal(positions, c.want) {
					t.Errorf("%s, with lists of %d entries: %v, want %v", name, listed, positions, c.want)
				}
			}
		}
	})
}

func TestAKeptCheckpointIsHeldAgainstTheNewest(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		ctx := context.Background()
		w.append(t, 5)
		w.sequence(t)
		kept, err := w.Checkpoint(ctx)
		must(t, err)
		compare := func(note string) ledger.Comparison {
			t.Helper()
			c, err := w.Compare(ctx, note)
			must(t, err)
			return c
		}
		if c := compare(kept.Note); c.Problem != nil || c.Newest.Size != 5 {
			t.Errorf("with itself: %+v", c)
		}
		w.append(t, 6)
		w.sequence(t)
		newest, err := w.Checkpoint(ctx)
		must(t, err)
		if c := compare(kept.Note); c.Problem != nil || c.Kept.Size != 5 || c.Newest.Size != 11 || len(c.Hashes) == 0 {
			t.Errorf("with a later one: %+v", c)
		}
		for _, note := range []string{"", "yinxin", kept.Note + "x", newCheckpointOfAnother(t, db)} {
			if _, err := w.Compare(ctx, note); fault.CodeOf(err) != "ledger.checkpoint" {
				t.Errorf("%.20q: %v", note, err)
			}
		}
		// The end was cut off together with its checkpoint.
		w.tamper(t, `DELETE FROM ledger_checkpoint WHERE size = 11`)
		if c := compare(newest.Note); c.Problem == nil || c.Problem.Kind != ledger.EntryMissing || c.Problem.From != 5 || c.Problem.To != 11 {
			t.Errorf("cut off: %+v", c.Problem)
		}
		// The whole tree was made anew over a changed entry, with the key: only who kept a checkpoint sees it.
		w.tamper(t, `DELETE FROM ledger_checkpoint`, `UPDATE ledger_event SET entry = replace(entry, 'document 2', 'document 9') WHERE position = 2`)
		w.rehash(t, 11, true)
		w.append(t, 1)
		w.Ledger = ledger.New(db, w.key, w.clock.Now) // the process that remembers what it signed is gone
		w.sequence(t)
		if c := compare(kept.Note); c.Problem == nil || c.Problem.Kind != ledger.TreeRewritten {
			t.Errorf("rewritten: %+v", c.Problem)
		}
		w.tamper(t, `UPDATE ledger_checkpoint SET note = replace(note, 'time 2', 'time 3')`)
		if c := compare(kept.Note); c.Problem == nil || c.Problem.Kind != ledger.CheckpointForged {
			t.Errorf("forged: %+v", c.Problem)
		}
	})
}

// newCheckpointOfAnother is a checkpoint that another key signed.
func newCheckpointOfAnother(t *testing.T, db *store.DB) string {
	t.Helper()
	other := newKey(t)
	w := &world{Ledger: ledger.New(db, other, newClock().Now), db: db}
	c, err := w.Checkpoint(context.Background())
	must(t, err)
	origin, err := ledger.Origin(other.Public())
	must(t, err)
	return ledger.FormatCheckpoint(origin, c.Size, c.Root, c.Time) + "\n— " + origin + " AAAA\n"
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
