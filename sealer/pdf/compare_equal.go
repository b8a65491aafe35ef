package pdf

import (
	"bytes"
	"io"
	"slices"
	"strings"
)

// equal reports whether two objects have the same value. References are the same when they name the same object:
// what stands behind them is compared on its own. Of streams the stored bytes are compared, not what they decode to.
func (c *comparison) equal(a, b Object) (bool, error) {
	x, ok1 := a.(*Stream)
	y, ok2 := b.(*Stream)
	if ok1 != ok2 {
		return false, nil
	}
	if !ok1 {
		return equalDirect(a, b, maxCompareDepth), nil
	}
	if !equalDirect(x.Dict, y.Dict, maxCompareDepth) || x.Length != y.Length {
		return false, nil
	}
	if x.Start == y.Start {
		return true, nil
	}
	// Where /Length is wrong, readers disagree on where the data end, and other bytes follow there now.
	if length, err := c.after.Resolve(y.Dict.Get("Length")); err != nil || length != Object(Integer(y.Length)) {
		return false, err
	}
	return c.equalBytes(c.before.RawStream(x), c.after.RawStream(y), x.Length)
}

// equalBytes compares the next length bytes of two readers.
func (c *comparison) equalBytes(a, b io.Reader, length int64) (bool, error) {
	const piece = 32 << 10
	x, y := make([]byte, min(piece, length)), make([]byte, min(piece, length))
	for length > 0 {
		n := min(piece, length)
		if _, err := io.ReadFull(a, x[:n]); err != nil {
			return false, errRead.Because(err)
		}
		if _, err := io.ReadFull(b, y[:n]); err != nil {
			return false, errRead.Because(err)
		}
		if !bytes.Equal(x[:n], y[:n]) {
			return false, nil
		}
		length -= n
		if err := c.ctx.Err(); err != nil {
			return false, err
		}
	}
	return true, nil
}

// equalDirect compares objects without following references. A number written 1 is the number written 1.0; an entry
// that is null is an entry that is absent (ISO 32000-1, 7.3.7). Too deep is different.
func equalDirect(a, b Object, depth int) bool {
	if depth < 0 {
		return false
	}
	switch x := a.(type) {
	case nil:
		return b == nil
	case Integer:
		if y, ok := b.(Real); ok {
			return Real(x) == y
		}
		return a == b
	case Real:
		if y, ok := b.(Integer); ok {
			return x == Real(y)
		}
		return a == b
	case bool, Name, Ref, oddNumber:
		return a == b
	case String:
		y, ok := b.(String)
		return ok && bytes.Equal(x.Value, y.Value)
	case Array:
		y, ok := b.(Array)
		return ok && slices.EqualFunc(x, y, func(p, q Object) bool { return equalDirect(p, q, depth-1) })
	case Dict:
		y, ok := b.(Dict)
		return ok && equalDicts(x, y, depth)
	}
	return false
}

func equalDicts(x, y Dict, depth int) bool {
	_, dup1 := x.Duplicate()
	_, dup2 := y.Duplicate()
	if dup1 || dup2 {
		// Readers disagree on which of two entries counts: only the very same text is the same value.
		return slices.EqualFunc(x, y, func(p, q Entry) bool {
			return p.Key == q.Key && equalDirect(p.Value, q.Value, depth-1)
		})
	}
	if slices.EqualFunc(x, y, func(p, q Entry) bool { return p.Key == q.Key }) {
		// In the same order, as most are.
		return slices.EqualFunc(x, y, func(p, q Entry) bool { return equalDirect(p.Value, q.Value, depth-1) })
	}
	for _, e := range union(x, y) {
		if !equalDirect(e.was, e.is, depth-1) {
			return false
		}
	}
	return true
}

// pair is what two dictionaries have under one key; nil where one has nothing.
type pair struct {
	key     Name
	was, is Object
}

// union pairs the entries of two dictionaries, each key once, in a fixed order. Of a key that is there twice the first
// counts, as for Dict.Get; but a dictionary may have a million keys, which cannot be looked up one by one.
func union(was, is Dict) []pair {
	old, now := byKey(was), byKey(is)
	pairs := make([]pair, 0, max(len(old), len(now)))
	for len(old)+len(now) > 0 {
		switch {
		case len(now) == 0 || len(old) > 0 && old[0].Key < now[0].Key:
			pairs, old = append(pairs, pair{old[0].Key, old[0].Value, nil}), old[1:]
		case len(old) == 0 || now[0].Key < old[0].Key:
			pairs, now = append(pairs, pair{now[0].Key, nil, now[0].Value}), now[1:]
		default:
			pairs, old, now = append(pairs, pair{old[0].Key, old[0].Value, now[0].Value}), old[1:], now[1:]
		}
	}
	return pairs
}

// byKey sorts a copy of a dictionary and keeps the first entry of each key.
func byKey(d Dict) Dict {
	sorted := slices.Clone(d)
	slices.SortStableFunc(sorted, func(a, b Entry) int { return strings.Compare(string(a.Key), string(b.Key)) })
	return slices.CompactFunc(sorted, func(a, b Entry) bool { return a.Key == b.Key })
}

// printable is a name fit for a sentence: short, and without what a terminal or a page could take for a command.
func printable(n Name) string {
	out := make([]byte, 0, 40)
	for i := 0; i < len(n) && i < 40; i++ {
		ch := n[i]
		if ch <= ' ' || ch >= 0x7f {
			ch = '?'
		}
		out = append(out, ch)
	}
	return string(out)
}
