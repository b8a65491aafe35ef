package ledger

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"yinxin/internal/store"
)

const (
	// batchSize bounds the entries that get their position in one transaction, and with it how long others wait.
	batchSize = 256
	// leaseTime is for how long a sequencer that died keeps others away.
	leaseTime = 2 * time.Second
	// pollTime is how often Run looks for pending events, retryTime how long it waits after a failure.
	pollTime  = 200 * time.Millisecond
	retryTime = time.Second
	// listTime is for how long others have the database while the lists of an old ledger are made.
	listTime = 5 * time.Millisecond
)

// Sequence gives every pending event its position, and signs a checkpoint when the tree is larger than the last one
// says. It returns how many events it placed; 0 also when another sequencer holds the lease, who will do it.
//
// Errors: ledger.damaged when the tree does not continue the last signed checkpoint (nothing is placed or signed
// then), those of the key and of the store.
func (l *Ledger) Sequence(ctx context.Context) (n int, err error) {
	n, _, err = l.sequence(ctx)
	return n, err
}

// sequence is Sequence that says besides whether entries are left that are not in the lists for searches.
func (l *Ledger) sequence(ctx context.Context) (n int, unlisted bool, err error) {
	if l.key == nil {
		return 0, false, errors.New("ledger: sequencing needs the key of the ledger")
	}
	l.sequencing.Lock()
	defer l.sequencing.Unlock()
	for {
		step, err := l.assign(ctx)
		if err != nil || !step.held {
			return n, false, err
		}
		n += step.count
		if step.tree.size() > step.signed.Size {
			if err := l.sign(ctx, step.tree); err != nil {
				return n, false, errors.Join(err, l.release(ctx))
			}
		}
		if step.count < batchSize {
			return n, !step.listed, l.release(ctx)
		}
	}
}

// Run sequences until ctx ends: an event is in the tree within a second. report gets each failure; the work goes on.
func (l *Ledger) Run(ctx context.Context, report ...func(error)) {
	for wait, due := time.Duration(0), true; ; {
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
		wait = pollTime
		err := error(nil)
		if !due {
			due, err = l.anyPending(ctx)
		}
		if err == nil && due {
			var unlisted bool
			_, unlisted, err = l.sequence(ctx)
			due = err != nil || unlisted // a checkpoint may be owed though nothing is pending
			if unlisted {
				wait = listTime
			}
		}
		if err != nil && ctx.Err() == nil {
			wait = retryTime
			for _, tell := range report {
				tell(err)
			}
		}
	}
}

func (l *Ledger) anyPending(ctx context.Context) (bool, error) {
	var n int
	err := l.db.Read().QueryRowContext(ctx,
		`SELECT count(*) FROM (SELECT 1 FROM ledger_event WHERE position IS NULL LIMIT 1) AS pending`).Scan(&n)
	return n > 0, err
}

// step is what one transaction of the sequencer came to.
type step struct {
	held   bool // the lease
	count  int
	listed bool // all entries are in the lists for searches
	tree   tree
	signed Checkpoint // the newest checkpoint before
}

// assign takes or renews the lease and gives one batch of events their positions. It runs again from the start when
// the database asks for it, so it changes nothing of l before the commit.
func (l *Ledger) assign(ctx context.Context) (done step, err error) {
	err = l.db.Write(ctx, func(tx *store.Tx) error {
		done = step{}
		now := l.clock()
		var size int64
		err := tx.QueryRowContext(ctx, `UPDATE ledger_head SET holder = $1, expires = $2
			WHERE id = 1 AND (holder = $1 OR expires <= $3) RETURNING size`,
			l.holder, store.Time(now.Add(leaseTime)), store.Time(now)).Scan(&size)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		done.held = true
		if done.signed, done.tree, err = l.resume(ctx, tx, size); err != nil {
			return err
		}
		if done.count, err = place(ctx, tx, done.tree); err != nil {
			return err
		}
		done.listed, err = enlist(ctx, tx, done.tree.size())
		return err
	})
	if err == nil && done.held && done.signed.Size > l.trusted.Size {
		l.trusted = done.signed
	}
	return done, err
}

// resume gives the tree of the first size entries, provided it continues the newest checkpoint: otherwise somebody has
// changed what was signed, and a new signature would cover that up.
func (l *Ledger) resume(ctx context.Context, tx *store.Tx, size int64) (Checkpoint, tree, error) {
	signed, err := l.newest(ctx, tx)
	if err != nil {
		return Checkpoint{}, tree{}, err
	}
	if signed.Size < l.trusted.Size || signed.Size > size {
		return Checkpoint{}, tree{}, errDamaged.Sayingf("日志有 %d 条，最近的检查点说 %d 条，较早的一个说 %d 条", "%d entries, the last checkpoint says %d, an earlier one %d",
			size, signed.Size, l.trusted.Size)
	}
	grown, err := loadTree(ctx, tx, signed.Size)
	if err != nil {
		return Checkpoint{}, tree{}, err
	}
	root, err := grown.root()
	if err != nil {
		return Checkpoint{}, tree{}, err
	}
	if signed.Size > 0 && !bytes.Equal(root, signed.Root) {
		return Checkpoint{}, tree{}, errDamaged.Sayingf("前 %d 条", "the first %d entries", signed.Size)
	}
	// What was placed but not signed yet, because the service stopped in between.
	err = eachLeaf(ctx, tx, signed.Size, func(position int64, entry, leaf []byte) error {
		computed := Hasher{}.HashLeaf(entry)
		if position != grown.size() || !bytes.Equal(computed, leaf) {
			return errDamaged.With("entry %d", position)
		}
		_, err := grown.add(computed)
		return err
	})
	if err != nil {
		return Checkpoint{}, tree{}, err
	}
	if grown.size() != size {
		return Checkpoint{}, tree{}, errDamaged.With("%d entries, %d expected", grown.size(), size)
	}
	return signed, grown, nil
}

// newest is the newest checkpoint with its signature checked, or the zero Checkpoint when there is none.
func (l *Ledger) newest(ctx context.Context, q store.Querier) (Checkpoint, error) {
	var size int64
	var note string
	err := q.QueryRowContext(ctx, `SELECT size, note FROM ledger_checkpoint ORDER BY size DESC LIMIT 1`).Scan(&size, &note)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return Checkpoint{}, nil
	case err != nil:
		return Checkpoint{}, err
	case note == l.trusted.Note:
		return l.trusted, nil
	}
	c, err := ParseCheckpoint(note, l.key.Public())
	if err != nil {
		return Checkpoint{}, errDamaged.Sayingf("%d 条时的检查点", "checkpoint of %d entries", size).Because(err)
	}
	if c.Size != size {
		return Checkpoint{}, errDamaged.Sayingf("%d 条时的检查点", "checkpoint of %d entries", size)
	}
	return c, nil
}

// place appends up to batchSize pending events to the tree and writes what became of it.
func place(ctx context.Context, tx *store.Tx, t tree) (int, error) {
	pending, err := loadPending(ctx, tx)
	if err != nil || len(pending) == 0 {
		return 0, err
	}
	var nodes []node
	for _, event := range pending {
		result, err := tx.ExecContext(ctx, `UPDATE ledger_event SET position = $1 WHERE id = $2 AND position IS NULL`,
			t.size(), event.id)
		if err != nil {
			return 0, err
		}
		if changed, err := result.RowsAffected(); err != nil || changed != 1 {
			return 0, fmt.Errorf("ledger: event %s changed while it was placed: %w", event.id, err)
		}
		added, err := t.add(Hasher{}.HashLeaf([]byte(event.entry)))
		if err != nil {
			return 0, err
		}
		nodes = append(nodes, added...)
	}
	if err := insertNodes(ctx, tx, nodes); err != nil {
		return 0, err
	}
	_, err = tx.ExecContext(ctx, `UPDATE ledger_head SET size = $1 WHERE id = 1`, t.size())
	return len(pending), err
}

type pendingEvent struct{ id, entry string }

func loadPending(ctx context.Context, q store.Querier) ([]pendingEvent, error) {
	rows, err := q.QueryContext(ctx, `SELECT id, entry FROM ledger_event WHERE position IS NULL ORDER BY id LIMIT $1`, batchSize)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var pending []pendingEvent
	for rows.Next() {
		var e pendingEvent
		if err := rows.Scan(&e.id, &e.entry); err != nil {
			return nil, err
		}
		pending = append(pending, e)
	}
	return pending, rows.Err()
}

func insertNodes(ctx context.Context, tx *store.Tx, nodes []node) error {
	for len(nodes) > 0 {
		some := nodes[:min(rowsPerInsert, len(nodes))]
		nodes = nodes[len(some):]
		var statement strings.Builder
		statement.WriteString(`INSERT INTO ledger_node (level, position, hash) VALUES `)
		var args []any
		for i, n := range some {
			if i > 0 {
				statement.WriteString(", ")
			}
			fmt.Fprintf(&statement, "($%d, $%d, $%d)", 3*i+1, 3*i+2, 3*i+3)
			args = append(args, int64(n.id.Level), int64(n.id.Index), n.hash)
		}
		if _, err := tx.ExecContext(ctx, statement.String(), args...); err != nil {
			return err
		}
	}
	return nil
}

// eachLeaf reads entries from a position on, with the leaf hashes that are stored for them.
func eachLeaf(ctx context.Context, q store.Querier, from int64, fn func(position int64, entry, leaf []byte) error) error {
	rows, err := q.QueryContext(ctx, `SELECT e.position, e.entry, n.hash FROM ledger_event e
		LEFT JOIN ledger_node n ON n.level = 0 AND n.position = e.position
		WHERE e.position >= $1 ORDER BY e.position`, from)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var position int64
		var entry, leaf []byte
		if err := rows.Scan(&position, &entry, &leaf); err != nil {
			return err
		}
		if err := fn(position, entry, leaf); err != nil {
			return err
		}
	}
	return rows.Err()
}

// sign makes and stores the checkpoint. It happens outside the transaction that placed the entries, because a key in a
// token is slow. Should another sequencer have signed the same size meanwhile, its checkpoint stays.
func (l *Ledger) sign(ctx context.Context, t tree) error {
	root, err := t.root()
	if err != nil {
		return err
	}
	c, err := signCheckpoint(ctx, l.key, t.size(), root, l.clock())
	if err != nil {
		return err
	}
	err = l.db.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO ledger_checkpoint (size, note) VALUES ($1, $2) ON CONFLICT (size) DO NOTHING`,
			c.Size, c.Note)
		return err
	})
	if err == nil {
		l.trusted = c
	}
	return err
}

// release lets another sequencer go on at once.
func (l *Ledger) release(ctx context.Context) error {
	return l.db.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE ledger_head SET holder = '', expires = '' WHERE id = 1 AND holder = $1`, l.holder)
		return err
	})
}
