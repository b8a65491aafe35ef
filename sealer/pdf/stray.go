package pdf

import (
	"bytes"
	"context"
	"slices"
	"sort"
	"sync"

	"yinxin/internal/fault"
)

// Stray is an object that stands in the file without any cross-reference section placing it there.
type Stray struct {
	Ref    Ref
	Offset int64
	Object Object
}

const (
	maxStrays    = 1000
	strayOffsets = 4 << 20 // known places kept in memory
	strayChunk   = 128 << 10
)

// strayBuffers are pieces of files that are looked through. Each document needs one, and nothing of it stays in what is found.
var strayBuffers = sync.Pool{New: func() any { return new([strayChunk]byte) }}

// StrayObjects finds objects in the first most bytes of the file that no section mentions: a second version of a page,
// say, that an attacker wrote beforehand to switch to it by a cross-reference alone (shadow attack, hide and replace).
// Careless producers leave such objects behind too. What stands inside the data of a stream does not count. complete
// is false when a limit was met: the file is longer, or has more of them than are listed.
func (d *Document) StrayObjects(ctx context.Context, most int64) (found []Stray, complete bool, err error) {
	known, complete, err := d.knownOffsets(ctx)
	if err != nil {
		return nil, false, err
	}
	s := strays{doc: d, known: known}
	end := min(most, d.size)
	complete = complete && end == d.size
	if held := d.held(0, end); held != nil {
		if err := s.search(held, 0); err != nil {
			return nil, false, err
		}
		return s.found, complete && len(s.found) < maxStrays, nil
	}
	piece := strayBuffers.Get().(*[strayChunk]byte)
	defer strayBuffers.Put(piece)
	buf := piece[:]
	const overlap = 32 // "4294967295 65535 obj" with room for white space
	for off := int64(0); off < end; off += int64(len(buf)) - overlap {
		if err := ctx.Err(); err != nil {
			return nil, false, err
		}
		n := min(int64(len(buf)), end-off)
		if err := d.readFull(buf[:n], off); err != nil {
			return nil, false, err
		}
		if err := s.search(buf[:n], off); err != nil {
			return nil, false, err
		}
		if len(s.found) >= maxStrays {
			return s.found, false, nil
		}
		if off+n == end {
			break
		}
	}
	return s.found, complete, nil
}

// knownOffsets gives where the sections say that objects are, of all revisions, and the sections themselves, sorted.
func (d *Document) knownOffsets(ctx context.Context) (known []int64, complete bool, err error) {
	complete = true
	for _, section := range d.Sections() {
		known = append(known, section.Start)
		err := section.Objects(ctx, func(e XrefEntry) error {
			if len(known) >= strayOffsets {
				complete = false
				return errEnough
			}
			if e.State == InFile {
				known = append(known, e.Offset)
			}
			return nil
		})
		if err != nil && err != errEnough {
			return nil, false, err
		}
	}
	slices.Sort(known)
	return known, complete, nil
}

// strays is the state of one search.
type strays struct {
	doc   *Document
	known []int64
	found []Stray
	// The last object that was looked at to see how far it reaches.
	from, to int64
	beyond   int64 // one past the last stray: what stands inside it, or comes twice for an overlap, is none of its own
}

// search looks for "n g obj" in a piece of the file.
func (s *strays) search(piece []byte, base int64) error {
	word := []byte("obj")
	for i := 0; ; {
		hit := bytes.Index(piece[i:], word)
		if hit < 0 {
			return nil
		}
		i += hit + len(word)
		start, ok := objectHead(piece[:i-len(word)])
		if !ok {
			continue
		}
		if err := s.consider(base + int64(start)); err != nil {
			return err
		}
		if len(s.found) >= maxStrays {
			return nil
		}
	}
}

// objectHead is where the two numbers begin with which head must end.
func objectHead(head []byte) (start int, ok bool) {
	i := len(head)
	for range 2 {
		end := i
		for i > 0 && isSpace(head[i-1]) && end-i < 8 {
			i--
		}
		digits := i
		if digits == end {
			return 0, false
		}
		for i > 0 && isDigit(head[i-1]) && digits-i < 11 {
			i--
		}
		if i == digits {
			return 0, false
		}
	}
	return i, true
}

// consider looks at a place where an object seems to begin.
func (s *strays) consider(at int64) error {
	i := sort.Search(len(s.known), func(i int) bool { return s.known[i] > at })
	if i > 0 && s.known[i-1] == at || at < s.beyond {
		return nil
	}
	// White space may stand between the place in the table and the number.
	if i > 0 && at-s.known[i-1] < 16 {
		w, _, err := s.doc.window(s.known[i-1], int(at-s.known[i-1]))
		if err != nil {
			return err
		}
		if len(bytes.TrimLeft(w[:at-s.known[i-1]], "\x00\t\n\f\r ")) == 0 {
			return nil
		}
	}
	if i > 0 && s.reaches(s.known[i-1], at) {
		return nil
	}
	ref, l, after, err := s.doc.readIndirect(at)
	if err != nil {
		if fault.Has(err, errTooLarge) {
			return err
		}
		return nil // only looked like an object
	}
	s.beyond = after
	s.found = append(s.found, Stray{Ref: ref, Offset: at, Object: l.object})
	return nil
}

// reaches says that the object at from reaches over at: then what stands there is its data.
func (s *strays) reaches(from, at int64) bool {
	if s.from != from {
		_, _, after, err := s.doc.readIndirect(from)
		if err != nil {
			after = from
		}
		s.from, s.to = from, after
	}
	return at < s.to
}
