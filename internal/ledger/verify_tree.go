package ledger

import (
	"bytes"
	"context"
	"math"

	"github.com/transparency-dev/merkle/compact"

	"yinxin/internal/store"
)

// compareNodes compares the inner nodes that the leaves of places from up to but not including to complete with those
// that are stored.
func (v *verifier) compareNodes(ctx context.Context, q store.Querier, from, to int64, grown []node) error {
	if v.broken {
		return nil
	}
	found := make(map[compact.NodeID][]byte, len(grown))
	for level := uint(1); to>>level > 0; level++ {
		if from>>level == to>>level {
			continue // none is completed at this level
		}
		err := store.Each(ctx, q, func(scan func(...any) error) error {
			var position int64
			var hash []byte
			err := scan(&position, &hash)
			found[compact.NewNodeID(level, uint64(position))] = hash
			return err
		}, `SELECT position, hash FROM ledger_node WHERE level = $1 AND position >= $2 AND position < $3`,
			int64(level), from>>level, to>>level)
		if err != nil {
			return err
		}
	}
	for _, n := range grown {
		v.nodes++
		if n.id.Level == 0 {
			continue // judged as an entry
		}
		if hash, ok := found[n.id]; !ok || !bytes.Equal(hash, n.hash) {
			begin, end := n.id.Coverage()
			what := "is wrong"
			if !ok {
				what = "is missing"
			}
			v.problem(NodeWrong, int64(begin), int64(end), "the node %d/%d over the entries %d to %d %s", n.id.Level, n.id.Index, begin, end-1, what)
		}
	}
	return nil
}

// reach compares the checkpoints of exactly the size that the tree has now.
func (v *verifier) reach(ctx context.Context, q store.Querier) error {
	if v.broken {
		return nil
	}
	for {
		c, ok, err := v.nextCheckpoint(ctx, q, v.data.size())
		if err != nil || !ok {
			return err
		}
		root, err := v.data.root()
		if err != nil {
			return err
		}
		expected := bytes.Equal(root, c.Root)
		if !expected && v.differs {
			// The entries that differ from their stored hashes have been named; the hashes may still be those signed.
			if root, err = v.stored.root(); err != nil {
				return err
			}
			expected = bytes.Equal(root, c.Root)
		}
		if !expected {
			v.problem(TreeRewritten, v.good, c.Size, "the checkpoint of %d entries, signed %s, has another root: entries from %d to %d were rewritten",
				c.Size, store.Time(c.Time), v.good, c.Size-1)
			continue
		}
		v.good = c.Size
		v.result.Checkpoints++
		v.result.Size, v.result.Root = c.Size, c.Root
	}
}

// nextCheckpoint gives a genuine checkpoint of a size up to the given one, each once, in order of size.
func (v *verifier) nextCheckpoint(ctx context.Context, q store.Querier, size int64) (Checkpoint, bool, error) {
	for {
		if len(v.known) > 0 && v.known[0].Size <= size {
			k := v.known[0]
			v.known = v.known[1:]
			if c, err := ParseCheckpoint(k.Note, v.pub); err == nil && c.Size == k.Size && c.Size > 0 {
				return c, true, nil
			}
			v.problem(CheckpointForged, 0, k.Size, "the known checkpoint of %d entries was not signed by this ledger", k.Size)
			continue
		}
		if len(v.ahead) == 0 && !v.over {
			if err := v.loadCheckpoints(ctx, q); err != nil {
				return Checkpoint{}, false, err
			}
		}
		if len(v.ahead) == 0 || v.ahead[0].Size > size {
			return Checkpoint{}, false, nil
		}
		c := v.ahead[0]
		v.ahead = v.ahead[1:]
		return c, true, nil
	}
}

// loadCheckpoints reads the next genuine checkpoints and tells of those that are not.
func (v *verifier) loadCheckpoints(ctx context.Context, q store.Querier) error {
	for len(v.ahead) == 0 {
		rows := 0
		err := store.Each(ctx, q, func(scan func(...any) error) error {
			var size int64
			var note string
			if err := scan(&size, &note); err != nil {
				return err
			}
			rows++
			v.loaded = size
			c, err := ParseCheckpoint(note, v.pub)
			if err != nil || c.Size != size {
				v.problem(CheckpointForged, 0, size, "the checkpoint of %d entries was not signed by this ledger", size)
				return nil
			}
			v.ahead = append(v.ahead, c)
			return nil
		}, `SELECT size, note FROM ledger_checkpoint WHERE size > $1 ORDER BY size LIMIT $2`, v.loaded, verifyRows)
		if err != nil {
			return err
		}
		if rows < verifyRows {
			v.over = true
			return nil
		}
	}
	return nil
}

// rest judges what is left after the last place: checkpoints of more entries than there are, nodes that do not belong,
// the recorded size.
func (v *verifier) rest(ctx context.Context, q store.Querier) error {
	for {
		c, ok, err := v.nextCheckpoint(ctx, q, math.MaxInt64)
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		if c.Size > v.result.Entries {
			v.problem(EntryMissing, v.result.Entries, c.Size, "the entries from %d to %d are missing: the checkpoint signed %s covers %d",
				v.result.Entries, c.Size-1, store.Time(c.Time), c.Size)
		}
	}
	var nodes, size int64
	if err := q.QueryRowContext(ctx, `SELECT count(*) FROM ledger_node`).Scan(&nodes); err != nil {
		return err
	}
	if nodes > v.nodes && !v.broken {
		v.problem(NodeWrong, 0, v.result.Entries, "%d nodes do not belong to the tree", nodes-v.nodes)
	}
	err := store.Each(ctx, q, func(scan func(...any) error) error { return scan(&size) }, `SELECT size FROM ledger_head WHERE id = 1`)
	if err != nil {
		return err
	}
	if size != v.result.Entries {
		v.problem(SizeWrong, 0, v.result.Entries, "%d entries are recorded, there are %d", size, v.result.Entries)
	}
	return q.QueryRowContext(ctx, `SELECT count(*) FROM ledger_event WHERE position IS NULL`).Scan(&v.result.Pending)
}
