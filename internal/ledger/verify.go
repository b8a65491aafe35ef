package ledger

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"fmt"
	"math"
	"slices"

	"yinxin/internal/store"
)

const (
	// problemLimit bounds what Verify lists: after a hundred the ledger is known to be worth nothing.
	problemLimit = 100
	// suspectLimit bounds the entries remembered to find out where a moved one came from.
	suspectLimit = 10_000
	verifyRows   = 256
)

// ProblemKind says what is wrong.
type ProblemKind string

const (
	// EntryChanged: the entry is not what its leaf hash was made of.
	EntryChanged ProblemKind = "entry-changed"
	// EntryMoved: the entry stands where another one stood.
	EntryMoved ProblemKind = "entry-moved"
	// EntryMissing: there is no entry where one was.
	EntryMissing ProblemKind = "entry-missing"
	// EntryAdded: there is an entry that never had a place in the tree.
	EntryAdded ProblemKind = "entry-added"
	// RecordChanged: the columns or lists for queries do not say what the entry says.
	RecordChanged ProblemKind = "record-changed"
	// NodeWrong: a stored hash of the tree is missing, does not follow from those below, or does not belong.
	NodeWrong ProblemKind = "node-wrong"
	// CheckpointForged: the checkpoint is malformed or was not signed by the key of the ledger.
	CheckpointForged ProblemKind = "checkpoint-forged"
	// TreeRewritten: a genuine checkpoint says that these entries were different ones.
	TreeRewritten ProblemKind = "tree-rewritten"
	// SizeWrong: the recorded number of entries is wrong.
	SizeWrong ProblemKind = "size-wrong"
)

// Problem is one thing that is wrong, in the entries from From up to but not including To.
type Problem struct {
	Kind   ProblemKind `json:"kind"`
	From   int64       `json:"from"`
	To     int64       `json:"to"`
	Detail string      `json:"detail"` // one sentence in English
}

func (p Problem) String() string { return fmt.Sprintf("%s: %s", p.Kind, p.Detail) }

// VerifyResult is what Verify found.
type VerifyResult struct {
	Entries     int64     `json:"entries"`     // in the tree
	Pending     int64     `json:"pending"`     // appended, without a position yet
	Checkpoints int64     `json:"checkpoints"` // good ones
	Size        int64     `json:"size"`        // entries that a good checkpoint covers
	Root        []byte    `json:"root"`        // root at Size
	Problems    []Problem `json:"problems"`    // by position, at most 100
	Omitted     int64     `json:"omitted"`     // further problems that are not listed
}

// OK reports whether nothing is wrong.
func (r VerifyResult) OK() bool { return len(r.Problems) == 0 }

// Verify goes through the ledger from the first entry to the last, on one state of the database: every entry against
// its leaf hash, every node against those below, every checkpoint's signature and root, which includes that each
// continues the one before. Checkpoints that were kept elsewhere can be given as known; against a ledger whose end was
// cut off together with its checkpoints they are the only help. db may be opened for reading only.
//
// What is wrong is in the result; an error means that the check could not be made.
func Verify(ctx context.Context, db *store.DB, pub *ecdsa.PublicKey, known ...Checkpoint) (VerifyResult, error) {
	v := &verifier{pub: pub, known: slices.Clone(known)}
	slices.SortFunc(v.known, func(a, b Checkpoint) int { return int(min(max(a.Size-b.Size, -1), 1)) })
	err := db.Snapshot(ctx, func(q store.Querier) error { return v.run(ctx, q) })
	return v.result, err
}

// verifier holds the state of one pass.
type verifier struct {
	pub    *ecdsa.PublicKey
	known  []Checkpoint // by size; taken from the front
	result VerifyResult

	data     tree     // grown from the entries, as far as they are there
	stored   tree     // grown from the stored leaf hashes; used once it differs from data
	differs  bool     // data and stored have different leaves
	broken   bool     // a place has neither entry nor leaf hash: no roots beyond
	good     int64    // entries known to be as signed by the last checkpoint compared
	nodes    int64    // that belong to the tree
	listed   int64    // entries that the lists for searches should have
	sound    []record // of this page, that are what their leaf hashes say
	suspects []suspect
	loaded   int64        // size of the last checkpoint read
	ahead    []Checkpoint // read and not yet reached, by size
	over     bool         // all checkpoints have been read
}

// suspect is a place whose entry is gone or does not match its leaf hash.
type suspect struct {
	position int64
	found    string // leaf hash of the entry that is there, or ""
	expected string // leaf hash that is stored
}

func (v *verifier) run(ctx context.Context, q store.Querier) error {
	v.data, _ = newTree(0, nil)
	err := store.Each(ctx, q, func(scan func(...any) error) error { return scan(&v.listed) }, `SELECT listed FROM ledger_head WHERE id = 1`)
	if err != nil {
		return err
	}
	for last := int64(-1); ; {
		entries, leaves, through, err := v.load(ctx, q, last)
		if err != nil {
			return err
		}
		if through < 0 {
			break
		}
		v.sound = v.sound[:0]
		if err := v.pass(ctx, q, last+1, entries, leaves); err != nil {
			return err
		}
		if err := v.checkLists(ctx, q, v.sound); err != nil {
			return err
		}
		last = through
	}
	v.name()
	if err := v.rest(ctx, q); err != nil {
		return err
	}
	slices.SortStableFunc(v.result.Problems, func(a, b Problem) int { return int(min(max(a.From-b.From, -1), 1)) })
	return nil
}

func (v *verifier) problem(kind ProblemKind, from, to int64, format string, args ...any) {
	if len(v.result.Problems) >= problemLimit {
		v.result.Omitted++
		return
	}
	v.result.Problems = append(v.result.Problems, Problem{kind, from, to, fmt.Sprintf(format, args...)})
}

// record is a row of ledger_event.
type record struct {
	position                      int64
	id, time, kind, actor, object string
	entry                         []byte
}

// leafRow is a row of ledger_node of level 0.
type leafRow struct {
	position int64
	hash     []byte
}

// load reads the next entries and leaf hashes after position last, both up to the same position through, which is
// negative at the end.
func (v *verifier) load(ctx context.Context, q store.Querier, last int64) (entries []record, leaves []leafRow, through int64, err error) {
	err = store.Each(ctx, q, func(scan func(...any) error) error {
		var r record
		err := scan(&r.position, &r.id, &r.time, &r.kind, &r.actor, &r.object, &r.entry)
		entries = append(entries, r)
		return err
	}, `SELECT position, id, time, kind, actor, subject, entry FROM ledger_event
		WHERE position > $1 ORDER BY position LIMIT $2`, last, verifyRows)
	if err != nil {
		return nil, nil, -1, err
	}
	err = store.Each(ctx, q, func(scan func(...any) error) error {
		var l leafRow
		err := scan(&l.position, &l.hash)
		leaves = append(leaves, l)
		return err
	}, `SELECT position, hash FROM ledger_node
		WHERE level = 0 AND position > $1 ORDER BY position LIMIT $2`, last, verifyRows)
	if err != nil {
		return nil, nil, -1, err
	}
	// What lies beyond the end of a full page of the other kind waits for the next round.
	bound := int64(math.MaxInt64)
	if len(entries) == verifyRows {
		bound = entries[len(entries)-1].position
	}
	if len(leaves) == verifyRows {
		bound = min(bound, leaves[len(leaves)-1].position)
	}
	for len(entries) > 0 && entries[len(entries)-1].position > bound {
		entries = entries[:len(entries)-1]
	}
	for len(leaves) > 0 && leaves[len(leaves)-1].position > bound {
		leaves = leaves[:len(leaves)-1]
	}
	through = -1
	if len(entries) > 0 {
		through = entries[len(entries)-1].position
	}
	if len(leaves) > 0 {
		through = max(through, leaves[len(leaves)-1].position)
	}
	return entries, leaves, through, nil
}

// pass merges a page of entries and leaf hashes, from position from on, place by place.
func (v *verifier) pass(ctx context.Context, q store.Querier, from int64, entries []record, leaves []leafRow) error {
	grown := []node(nil)
	next := from
	for len(entries) > 0 || len(leaves) > 0 {
		position := int64(math.MaxInt64)
		if len(entries) > 0 {
			position = entries[0].position
		}
		if len(leaves) > 0 {
			position = min(position, leaves[0].position)
		}
		if position > next {
			v.problem(EntryMissing, next, position, "the entries from %d to %d are missing, with their hashes", next, position-1)
			v.broken = true
		}
		next = position + 1
		var entry *record
		var leaf []byte
		if len(entries) > 0 && entries[0].position == position {
			entry, entries = &entries[0], entries[1:]
		}
		if len(leaves) > 0 && leaves[0].position == position {
			leaf, leaves = leaves[0].hash, leaves[1:]
		}
		nodes, err := v.place(position, entry, leaf)
		if err != nil {
			return err
		}
		grown = append(grown, nodes...)
		if err := v.reach(ctx, q); err != nil {
			return err
		}
	}
	v.result.Entries = next
	return v.compareNodes(ctx, q, from, next, grown)
}

// place judges one place and makes the trees grow by it. It gives the nodes that the stored leaf hashes lead to.
func (v *verifier) place(position int64, entry *record, leaf []byte) ([]node, error) {
	computed := leaf
	if entry != nil {
		computed = Hasher{}.HashLeaf(entry.entry)
		v.checkRecord(entry)
	}
	switch {
	case leaf == nil:
		v.problem(EntryAdded, position, position+1, "the entry %d has no hash in the tree", position)
		leaf = computed
	case entry == nil:
		v.suspect(position, nil, leaf)
	case !bytes.Equal(computed, leaf):
		v.suspect(position, computed, leaf)
	default:
		v.sound = append(v.sound, *entry)
	}
	if v.broken {
		return nil, nil
	}
	if !v.differs && !bytes.Equal(computed, leaf) {
		v.differs = true
		var err error
		if v.stored, err = v.data.clone(); err != nil {
			return nil, err
		}
	}
	nodes, err := v.data.add(computed)
	if err == nil && v.differs {
		nodes, err = v.stored.add(leaf)
	}
	return nodes, err
}

func (v *verifier) suspect(position int64, found, expected []byte) {
	if len(v.suspects) < suspectLimit {
		v.suspects = append(v.suspects, suspect{position, string(found), string(expected)})
		return
	}
	v.result.Omitted++
}

// checkRecord compares the columns with the entry. The hash covers only the entry, pages show the columns.
func (v *verifier) checkRecord(r *record) {
	e, err := decodeEntry(r.position, r.entry)
	if err != nil {
		v.problem(RecordChanged, r.position, r.position+1, "the entry %d cannot be read", r.position)
		return
	}
	for _, column := range []struct{ name, got, want string }{
		{"id", r.id, e.ID}, {"time", r.time, store.Time(e.Time)}, {"kind", r.kind, e.Kind},
		{"actor", r.actor, e.Actor}, {"subject", r.object, e.Subject},
	} {
		if column.got != column.want {
			v.problem(RecordChanged, r.position, r.position+1, "the column %s of the entry %d does not say what the entry says", column.name, r.position)
		}
	}
}

// name says of every suspect what happened to it: an entry that matches another suspect's hash was moved from there.
func (v *verifier) name() {
	home := make(map[string]int64, len(v.suspects))
	for _, s := range v.suspects {
		home[s.expected] = s.position
	}
	for _, s := range v.suspects {
		origin, moved := home[s.found]
		switch {
		case s.found == "":
			v.problem(EntryMissing, s.position, s.position+1, "the entry %d is missing", s.position)
		case moved:
			v.problem(EntryMoved, s.position, s.position+1, "the entry at %d is the one that was at %d", s.position, origin)
		default:
			v.problem(EntryChanged, s.position, s.position+1, "the entry %d was changed", s.position)
		}
	}
}
