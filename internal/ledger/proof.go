package ledger

import (
	"context"
	"crypto/ecdsa"
	"database/sql"
	"errors"

	"github.com/transparency-dev/merkle/proof"

	"yinxin/internal/store"
)

// Proof shows that an entry is in the ledger that a checkpoint signs.
type Proof struct {
	Entry      Entry
	Hashes     [][]byte // audit path, RFC 6962 section 2.1.1, from the leaf up
	Checkpoint Checkpoint
}

// Verify checks the proof with nothing but the public key of the ledger. Errors: ledger.proof, ledger.checkpoint.
func (p Proof) Verify(pub *ecdsa.PublicKey) error {
	c, err := ParseCheckpoint(p.Checkpoint.Note, pub)
	if err != nil {
		return err
	}
	if p.Entry.Position < 0 {
		return errProof.New()
	}
	err = proof.VerifyInclusion(Hasher{}, uint64(p.Entry.Position), uint64(c.Size), Hasher{}.HashLeaf(p.Entry.Leaf), p.Hashes, c.Root)
	if err != nil {
		return errProof.Because(err)
	}
	return nil
}

// Checkpoint is the newest signed checkpoint. Error: ledger.no-checkpoint.
func (l *Ledger) Checkpoint(ctx context.Context) (Checkpoint, error) {
	var note string
	err := l.db.Read().QueryRowContext(ctx, `SELECT note FROM ledger_checkpoint ORDER BY size DESC LIMIT 1`).Scan(&note)
	if errors.Is(err, sql.ErrNoRows) {
		return Checkpoint{}, errEmpty.New()
	}
	if err != nil {
		return Checkpoint{}, err
	}
	c, _, _, err := splitCheckpoint(note)
	return c, err
}

// Inclusion proves that the event with this identifier is in the ledger, against the newest checkpoint. Errors:
// ledger.not-found, ledger.pending when it has no place yet or no checkpoint covers it.
func (l *Ledger) Inclusion(ctx context.Context, id string) (p Proof, err error) {
	err = l.db.Snapshot(ctx, func(q store.Querier) error {
		var position sql.NullInt64
		var entry []byte
		err := q.QueryRowContext(ctx, `SELECT position, entry FROM ledger_event WHERE id = $1`, id).Scan(&position, &entry)
		if errors.Is(err, sql.ErrNoRows) {
			return errNotFound.New()
		}
		if err != nil {
			return err
		}
		var note string
		err = q.QueryRowContext(ctx, `SELECT note FROM ledger_checkpoint ORDER BY size DESC LIMIT 1`).Scan(&note)
		if !position.Valid || errors.Is(err, sql.ErrNoRows) {
			return ErrPending.New()
		}
		if err != nil {
			return err
		}
		if p.Checkpoint, _, _, err = splitCheckpoint(note); err != nil {
			return err
		}
		if p.Checkpoint.Size <= position.Int64 {
			return ErrPending.New()
		}
		if p.Entry, err = decodeEntry(position.Int64, entry); err != nil {
			return errDamaged.With("entry %d", position.Int64).Because(err)
		}
		nodes, err := proof.Inclusion(uint64(position.Int64), uint64(p.Checkpoint.Size))
		if err != nil {
			return err
		}
		p.Hashes, err = rehash(ctx, q, nodes)
		return err
	})
	if err != nil {
		return Proof{}, err
	}
	return p, nil
}

// Proofs proves the entries of a subject, at most limit of them, in their order. Errors: those of Inclusion; ledger.pending when there is
// no entry.
func (l *Ledger) Proofs(ctx context.Context, subject string, limit int) ([]Proof, error) {
	entries, err := OfSubject(ctx, l.db.Read(), subject, limit)
	if err != nil {
		return nil, err
	}
	if len(entries) == 0 {
		return nil, ErrPending.New()
	}
	list := make([]Proof, 0, len(entries))
	for _, e := range entries {
		p, err := l.Inclusion(ctx, e.ID)
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, nil
}

// Check checks a proof with the ledger's own key. Errors: those of Proof.Verify.
func (l *Ledger) Check(p Proof) error { return p.Verify(l.key.Public()) }

// Consistency proves that the ledger of to entries begins with the ledger of from entries (RFC 6962 section 2.1.2), for
// those who kept a checkpoint. Requires 0 <= from <= to. Error: ledger.not-found when there are fewer entries.
func (l *Ledger) Consistency(ctx context.Context, from, to int64) (hashes [][]byte, err error) {
	if from < 0 || from > to {
		return nil, errNotFound.With("%d to %d", from, to)
	}
	err = l.db.Snapshot(ctx, func(q store.Querier) error {
		var size int64
		if err := q.QueryRowContext(ctx, `SELECT size FROM ledger_head WHERE id = 1`).Scan(&size); err != nil {
			return err
		}
		if to > size {
			return errNotFound.With("%d entries, %d wanted", size, to)
		}
		nodes, err := proof.Consistency(uint64(from), uint64(to))
		if err != nil {
			return err
		}
		hashes, err = rehash(ctx, q, nodes)
		return err
	})
	return hashes, err
}

func rehash(ctx context.Context, q store.Querier, nodes proof.Nodes) ([][]byte, error) {
	hashes, err := loadNodes(ctx, q, nodes.IDs)
	if err != nil {
		return nil, err
	}
	return nodes.Rehash(hashes, Hasher{}.HashChildren)
}

// pageRows is how many entries are read at once, so that fn may take its time without holding up the database.
const pageRows = 500

// Entries calls fn with the entries from position from up to but not including to, in order, until fn returns an
// error, which comes back unchanged. Pending events have no position and are not among them.
func (l *Ledger) Entries(ctx context.Context, from, to int64, fn func(Entry) error) error {
	for from = max(from, 0); from < to; {
		entries, err := l.page(ctx, from, to)
		if err != nil || len(entries) == 0 {
			return err
		}
		for _, e := range entries {
			if err := fn(e); err != nil {
				return err
			}
			from = e.Position + 1
		}
	}
	return nil
}

func (l *Ledger) page(ctx context.Context, from, to int64) ([]Entry, error) {
	return gathered(ctx, l.db.Read(), `SELECT position, entry FROM ledger_event
		WHERE position >= $1 AND position < $2 ORDER BY position LIMIT $3`, from, to, pageRows)
}

// gathered is what a query gives as position and entry. Error: ledger.damaged for an entry that cannot be read.
func gathered(ctx context.Context, q store.Querier, query string, args ...any) (list []Entry, err error) {
	err = eachEntry(ctx, q, func(position int64, e Entry, unread error) error {
		if unread != nil {
			return errDamaged.With("entry %d", position).Because(unread)
		}
		list = append(list, e)
		return nil
	}, query, args...)
	return list, err
}
