package ledger

import (
	"context"

	"yinxin/internal/store"
)

// Comparison is what became of a kept checkpoint, held against the newest one.
type Comparison struct {
	Kept, Newest Checkpoint
	Hashes       [][]byte // proof that the newer ledger begins with the kept one, RFC 6962 section 2.1.2
	// Problem is what is wrong; nil: the ledger of today begins with that of the kept checkpoint.
	Problem *Problem
}

// Compare holds a checkpoint that was kept elsewhere against the newest one: both signatures and the proof that nothing
// was changed before the kept one's end and that things were only added behind it. Whether each entry still is what its
// hash was made of is for Verify to say. Errors: ledger.checkpoint for a text that is no checkpoint of this ledger,
// ledger.no-checkpoint.
func (l *Ledger) Compare(ctx context.Context, note string) (c Comparison, err error) {
	if c.Kept, err = ParseCheckpoint(note, l.key.Public()); err != nil {
		return Comparison{}, err
	}
	if c.Kept.Size == 0 {
		return Comparison{}, errCheckpoint.Saying("没有条目", "of no entries")
	}
	if c.Newest, err = l.Checkpoint(ctx); err != nil {
		return Comparison{}, err
	}
	wrong := func(kind ProblemKind, from, to int64, detail string) (Comparison, error) {
		c.Problem = &Problem{kind, from, to, detail}
		return c, nil
	}
	if _, err := ParseCheckpoint(c.Newest.Note, l.key.Public()); err != nil {
		return wrong(CheckpointForged, 0, c.Newest.Size, "the newest checkpoint was not signed by this ledger")
	}
	if c.Newest.Size < c.Kept.Size {
		return wrong(EntryMissing, c.Newest.Size, c.Kept.Size, "the newest checkpoint covers less than the kept one: entries are missing, signed "+store.Time(c.Kept.Time))
	}
	if c.Hashes, err = l.Consistency(ctx, c.Kept.Size, c.Newest.Size); err != nil {
		return c, err
	}
	if c.Newest.Continues(c.Kept, c.Hashes) != nil {
		return wrong(TreeRewritten, 0, c.Kept.Size, "the newest checkpoint does not continue the kept one: entries were rewritten")
	}
	return c, nil
}

// Whole goes through this ledger from the first entry to the last, as Verify does.
func (l *Ledger) Whole(ctx context.Context, known ...Checkpoint) (VerifyResult, error) {
	return Verify(ctx, l.db, l.key.Public(), known...)
}
