package ledger_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"yinxin/internal/fault"
	"yinxin/internal/ledger"
	"yinxin/internal/store"
	"yinxin/internal/store/storetest"
)

// tamper changes the database behind the ledger's back, as somebody with the file or the server can.
func (w *world) tamper(t testing.TB, statements ...string) {
	t.Helper()
	err := w.db.Write(context.Background(), func(tx *store.Tx) error {
		for _, statement := range statements {
			if _, err := tx.ExecContext(context.Background(), statement); err != nil {
				return fmt.Errorf("%s: %w", statement, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// rehash makes the leaf hash of a changed entry fit it again, and with all also every node above.
func (w *world) rehash(t *testing.T, size int64, all bool) {
	t.Helper()
	ctx := context.Background()
	h := ledger.Hasher{}
	var level [][]byte
	err := w.Entries(ctx, 0, size, func(e ledger.Entry) error {
		level = append(level, h.HashLeaf(e.Leaf))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	err = w.db.Write(ctx, func(tx *store.Tx) error {
		level := level
		for height := 0; len(level) > 0; height++ {
			for i, hash := range level {
				if _, err := tx.ExecContext(ctx, `UPDATE ledger_node SET hash = $1 WHERE level = $2 AND position = $3`, hash, height, i); err != nil {
					return err
				}
			}
			if !all {
				return nil
			}
			var above [][]byte
			for i := 0; i+1 < len(level); i += 2 {
				above = append(above, h.HashChildren(level[i], level[i+1]))
			}
			level = above
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// swap exchanges the positions of two entries.
func swap(a, b int) []string {
	return []string{
		fmt.Sprintf(`UPDATE ledger_event SET position = 1000000 WHERE position = %d`, a),
		fmt.Sprintf(`UPDATE ledger_event SET position = %d WHERE position = %d`, a, b),
		fmt.Sprintf(`UPDATE ledger_event SET position = %d WHERE position = 1000000`, b),
	}
}

const changeEntry4 = `UPDATE ledger_event SET entry = replace(entry, 'clerk', 'klerc'), actor = 'klerc' WHERE position = 4`

// wrong is one way of tampering and what Verify must say of it.
type wrong struct {
	name string
	do   func(t *testing.T, w *world, kept []ledger.Checkpoint) (known []ledger.Checkpoint)
	want []string // "kind from-to", all of them
}

func TestVerifyNamesWhatWasDoneToTheLedger(t *testing.T) {
	cases := []wrong{
		{"nothing", func(*testing.T, *world, []ledger.Checkpoint) []ledger.Checkpoint { return nil }, nil},
		{"an entry is changed", func(t *testing.T, w *world, _ []ledger.Checkpoint) []ledger.Checkpoint {
			w.tamper(t, changeEntry4)
			return nil
		}, []string{"entry-changed 4-5"}},
		{"only a column is changed", func(t *testing.T, w *world, _ []ledger.Checkpoint) []ledger.Checkpoint {
			w.tamper(t, `UPDATE ledger_event SET actor = 'klerc' WHERE position = 4`)
			return nil
		}, []string{"record-changed 4-5"}},
		{"an entry is taken out of the lists for searches", func(t *testing.T, w *world, _ []ledger.Checkpoint) []ledger.Checkpoint {
			w.tamper(t, `DELETE FROM ledger_mention WHERE position IN (5, 8)`)
			return nil
		}, []string{"record-changed 5-6", "record-changed 8-9"}},
		{"a span for searches is narrowed", func(t *testing.T, w *world, _ []ledger.Checkpoint) []ledger.Checkpoint {
			w.tamper(t, `UPDATE ledger_span SET latest = '2026-05-01T07:59:59.999999Z'`)
			return nil
		}, []string{"record-changed 0-1", "record-changed 1-2", "record-changed 2-3", "record-changed 3-4", "record-changed 4-5", "record-changed 5-6",
			"record-changed 6-7", "record-changed 7-8", "record-changed 8-9", "record-changed 9-10", "record-changed 10-11"}},
		{"an entry is made unreadable", func(t *testing.T, w *world, _ []ledger.Checkpoint) []ledger.Checkpoint {
			w.tamper(t, `UPDATE ledger_event SET entry = '[' WHERE position = 4`)
			return nil
		}, []string{"record-changed 4-5", "entry-changed 4-5"}},
		{"an entry and its leaf hash are changed", func(t *testing.T, w *world, _ []ledger.Checkpoint) []ledger.Checkpoint {
			w.tamper(t, changeEntry4)
			w.rehash(t, 11, false)
			return nil
		}, []string{"record-changed 4-5", "tree-rewritten 3-7", "tree-rewritten 3-11", "node-wrong 4-6", "node-wrong 4-8", "node-wrong 0-8"}},
		{"an entry and every node are changed", func(t *testing.T, w *world, _ []ledger.Checkpoint) []ledger.Checkpoint {
			w.tamper(t, changeEntry4)
			w.rehash(t, 11, true)
			return nil
		}, []string{"record-changed 4-5", "tree-rewritten 3-7", "tree-rewritten 3-11"}},
		{"an entry is deleted", func(t *testing.T, w *world, _ []ledger.Checkpoint) []ledger.Checkpoint {
			w.tamper(t, `DELETE FROM ledger_event WHERE position = 4`)
			return nil
		}, []string{"entry-missing 4-5"}},
		{"entries are deleted with their leaf hashes", func(t *testing.T, w *world, _ []ledger.Checkpoint) []ledger.Checkpoint {
			w.tamper(t, `DELETE FROM ledger_event WHERE position IN (4, 5)`, `DELETE FROM ledger_node WHERE level = 0 AND position IN (4, 5)`)
			return nil
		}, []string{"entry-missing 4-6"}},
		{"the first entry is deleted and the others move up", func(t *testing.T, w *world, _ []ledger.Checkpoint) []ledger.Checkpoint {
			w.tamper(t, `DELETE FROM ledger_event WHERE position = 0`)
			for i := 1; i < 11; i++ {
				w.tamper(t, fmt.Sprintf(`UPDATE ledger_event SET position = %d WHERE position = %d`, i-1, i))
			}
			return nil
		}, []string{"entry-moved 0-1", "entry-moved 1-2", "entry-moved 2-3", "entry-moved 3-4", "entry-moved 4-5", "entry-moved 5-6",
			"entry-moved 6-7", "entry-moved 7-8", "entry-moved 8-9", "entry-moved 9-10", "entry-missing 10-11"}},
		{"two entries are swapped", func(t *testing.T, w *world, _ []ledger.Checkpoint) []ledger.Checkpoint {
			w.tamper(t, swap(2, 9)...)
			return nil
		}, []string{"entry-moved 2-3", "entry-moved 9-10"}},
		{"an entry is added without a leaf hash", func(t *testing.T, w *world, _ []ledger.Checkpoint) []ledger.Checkpoint {
			w.append(t, 1)
			w.tamper(t, `UPDATE ledger_event SET position = 11 WHERE position IS NULL`)
			return nil
		}, []string{"size-wrong 0-12", "entry-added 11-12", "node-wrong 10-12", "node-wrong 8-12"}},
		{"a leaf hash is changed", func(t *testing.T, w *world, _ []ledger.Checkpoint) []ledger.Checkpoint {
			w.tamper(t, `UPDATE ledger_node SET hash = (SELECT hash FROM ledger_node WHERE level = 1 AND position = 0) WHERE level = 0 AND position = 10`)
			return nil
		}, []string{"entry-changed 10-11"}},
		{"an inner node is changed", func(t *testing.T, w *world, _ []ledger.Checkpoint) []ledger.Checkpoint {
			w.tamper(t, `UPDATE ledger_node SET hash = (SELECT hash FROM ledger_node WHERE level = 0 AND position = 0) WHERE level = 1 AND position = 2`)
			return nil
		}, []string{"node-wrong 4-6"}},
		{"an inner node is deleted", func(t *testing.T, w *world, _ []ledger.Checkpoint) []ledger.Checkpoint {
			w.tamper(t, `DELETE FROM ledger_node WHERE level = 2 AND position = 1`)
			return nil
		}, []string{"node-wrong 4-8"}},
		{"a node is added", func(t *testing.T, w *world, _ []ledger.Checkpoint) []ledger.Checkpoint {
			w.tamper(t, `INSERT INTO ledger_node (level, position, hash) SELECT 7, 7, hash FROM ledger_node WHERE level = 1 AND position = 0`)
			return nil
		}, []string{"node-wrong 0-11"}},
		{"the recorded size is changed", func(t *testing.T, w *world, _ []ledger.Checkpoint) []ledger.Checkpoint {
			w.tamper(t, `UPDATE ledger_head SET size = 5`)
			return nil
		}, []string{"size-wrong 0-11"}},
		{"the signature of a checkpoint is changed", func(t *testing.T, w *world, _ []ledger.Checkpoint) []ledger.Checkpoint {
			w.tamper(t, `UPDATE ledger_checkpoint SET note = (SELECT note FROM ledger_checkpoint WHERE size = 3) WHERE size = 7`)
			return nil
		}, []string{"checkpoint-forged 0-7"}},
		{"a checkpoint is signed by another key", func(t *testing.T, w *world, _ []ledger.Checkpoint) []ledger.Checkpoint {
			forger := newWorld(t, storetest.Open(t, t.TempDir()+"/other.db"))
			forger.append(t, 7)
			forger.sequence(t)
			forged, err := forger.Checkpoint(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			w.tamper(t, `UPDATE ledger_checkpoint SET note = '`+forged.Note+`' WHERE size = 7`)
			return nil
		}, []string{"checkpoint-forged 0-7"}},
		{"the text of a checkpoint is changed", func(t *testing.T, w *world, _ []ledger.Checkpoint) []ledger.Checkpoint {
			w.tamper(t, `UPDATE ledger_checkpoint SET note = replace(note, 'time 2026', 'time 2025') WHERE size = 11`)
			return nil
		}, []string{"checkpoint-forged 0-11"}},
		{"the end is cut off, checkpoints forgotten", func(t *testing.T, w *world, _ []ledger.Checkpoint) []ledger.Checkpoint {
			w.tamper(t, `DELETE FROM ledger_event WHERE position >= 7`, `UPDATE ledger_head SET size = 7`,
				`DELETE FROM ledger_node WHERE level = 0 AND position >= 7 OR level = 1 AND position >= 3 OR level = 2 AND position >= 1 OR level >= 3`)
			return nil
		}, []string{"entry-missing 7-11"}},
		{"the end is cut off with its checkpoints, an auditor kept one", func(t *testing.T, w *world, kept []ledger.Checkpoint) []ledger.Checkpoint {
			w.tamper(t, `DELETE FROM ledger_event WHERE position >= 7`, `UPDATE ledger_head SET size = 7`, `DELETE FROM ledger_checkpoint WHERE size > 7`,
				`DELETE FROM ledger_node WHERE level = 0 AND position >= 7 OR level = 1 AND position >= 3 OR level = 2 AND position >= 1 OR level >= 3`)
			return kept
		}, []string{"entry-missing 7-11"}},
		{"everything is rewritten with the real key, an auditor kept a checkpoint", func(t *testing.T, w *world, kept []ledger.Checkpoint) []ledger.Checkpoint {
			w.tamper(t, changeEntry4, `DELETE FROM ledger_node`, `DELETE FROM ledger_checkpoint`,
				`UPDATE ledger_head SET size = 0, listed = 0`, `UPDATE ledger_event SET position = NULL`)
			w.Ledger = ledger.New(w.db, w.key, w.clock.Now)
			w.sequence(t)
			return kept
		}, []string{"tree-rewritten 3-7", "tree-rewritten 3-11"}},
		{"the checkpoint that an auditor is said to have kept is not genuine", func(t *testing.T, w *world, kept []ledger.Checkpoint) []ledger.Checkpoint {
			c := kept[1]
			c.Note = strings.Replace(c.Note, "time 2026", "time 2025", 1)
			return []ledger.Checkpoint{c}
		}, []string{"checkpoint-forged 0-7"}},
		{"an entry is put at the largest position", func(t *testing.T, w *world, _ []ledger.Checkpoint) []ledger.Checkpoint {
			w.tamper(t, `UPDATE ledger_event SET position = 9223372036854775806 WHERE position = 10`)
			return nil
		}, []string{"entry-added 9223372036854775806-9223372036854775807", "entry-missing 11-9223372036854775806", "entry-missing 10-11", "size-wrong 0-9223372036854775807"}},
	}
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		var kept []ledger.Checkpoint
		for _, more := range []int{3, 4, 4} {
			w.append(t, more)
			w.sequence(t)
			checkpoint, err := w.Checkpoint(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			kept = append(kept, checkpoint)
		}
		tables := []string{"ledger_event", "ledger_node", "ledger_checkpoint", "ledger_head", "ledger_mention", "ledger_span"}
		for _, table := range tables {
			w.tamper(t, `CREATE TABLE sound_`+table+` AS SELECT * FROM `+table)
		}
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				for _, table := range tables {
					w.tamper(t, `DELETE FROM `+table, `INSERT INTO `+table+` SELECT * FROM sound_`+table)
				}
				c.check(t, w.verify(t, c.do(t, w, kept)...))
			})
		}
	})
}

func (c wrong) check(t *testing.T, result ledger.VerifyResult) {
	t.Helper()
	found := map[string]bool{}
	for _, p := range result.Problems {
		found[fmt.Sprintf("%s %d-%d", p.Kind, p.From, p.To)] = true
	}
	for _, want := range c.want {
		if !found[want] {
			t.Errorf("not named: %s", want)
		}
		delete(found, want)
	}
	if len(found) != 0 || result.OK() != (len(c.want) == 0) {
		t.Errorf("named besides: %v", found)
	}
	if t.Failed() {
		t.Logf("all: %v", result.Problems)
	}
}

func TestSequencerDoesNotSignOverWhatWasChanged(t *testing.T) {
	for _, c := range []struct {
		name      string
		statement string
		restarted bool // a new process, which knows nothing of what was signed before
	}{
		{"a node below the last checkpoint", `UPDATE ledger_node SET hash = (SELECT hash FROM ledger_node WHERE level = 0 AND position = 1) WHERE level = 3 OR level = 2`, true},
		{"a node of the border is gone", `DELETE FROM ledger_node WHERE level = 1 AND position = 2`, true},
		{"the last checkpoint is forged", `UPDATE ledger_checkpoint SET note = replace(note, 'time 2026', 'time 2025') WHERE size = 7`, true},
		{"the last checkpoint is gone while the service runs", `DELETE FROM ledger_checkpoint WHERE size = 7`, false},
		{"the recorded size is smaller", `UPDATE ledger_head SET size = 5`, true},
		{"the recorded size is larger", `UPDATE ledger_head SET size = 9`, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				w := newWorld(t, db)
				w.append(t, 7)
				w.sequence(t)
				w.tamper(t, c.statement)
				if c.restarted {
					w.Ledger = ledger.New(db, w.key, w.clock.Now)
				}
				w.append(t, 1)
				if n, err := w.Sequence(context.Background()); n != 0 || fault.CodeOf(err) != "ledger.damaged" {
					t.Fatalf("placed %d, %v", n, err)
				}
			})
		})
	}
}

func TestCheckpointsAreReadInOneSpellingOnly(t *testing.T) {
	w := newWorld(t, storetest.Open(t, t.TempDir()+"/yinxin.db"))
	w.append(t, 2)
	w.sequence(t)
	c, err := w.Checkpoint(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	back, err := ledger.ParseCheckpoint(c.Note, w.key.Public())
	if err != nil || back.Size != 2 || !bytes.Equal(back.Root, c.Root) || !back.Time.Equal(w.clock.Now()) {
		t.Fatalf("%+v, %v", back, err)
	}
	for name, note := range map[string]string{
		"empty":                  "",
		"no last line end":       strings.TrimSuffix(c.Note, "\n"),
		"a line more":            c.Note + "\n",
		"a second signature":     c.Note + strings.Split(c.Note, "\n")[5] + "\n",
		"a plus before the size": strings.Replace(c.Note, "\n2\n", "\n+2\n", 1),
		"a zero before the size": strings.Replace(c.Note, "\n2\n", "\n02\n", 1),
		"another size":           strings.Replace(c.Note, "\n2\n", "\n3\n", 1),
		"a negative size":        strings.Replace(c.Note, "\n2\n", "\n-2\n", 1),
		"line ends of Windows":   strings.ReplaceAll(c.Note, "\n", "\r\n"),
		"another origin":         strings.Replace(c.Note, "yinxin-ledger/", "yinxin-ledger/0", 1),
		"too long":               c.Note + strings.Repeat("x", 1<<20),
	} {
		if _, err := ledger.ParseCheckpoint(note, w.key.Public()); fault.CodeOf(err) != "ledger.checkpoint" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := ledger.ParseCheckpoint(c.Note, newKey(t).Public()); fault.CodeOf(err) != "ledger.checkpoint" {
		t.Errorf("another key: %v", err)
	}
}

func FuzzParseCheckpoint(f *testing.F) {
	w := newWorld(f, storetest.Open(f, f.TempDir()+"/yinxin.db"))
	w.append(f, 2)
	w.sequence(f)
	c, err := w.Checkpoint(context.Background())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(c.Note)
	f.Add(strings.Replace(c.Note, "\n2\n", "\n02\n", 1))
	f.Add("\n\n\n\n\n\n")
	f.Fuzz(func(t *testing.T, note string) {
		got, err := ledger.ParseCheckpoint(note, w.key.Public())
		if err == nil && (got.Size != c.Size || !bytes.Equal(got.Root, c.Root) || got.Note != note) {
			t.Fatalf("accepted %q", note)
		}
	})
}
