package verify

import (
	"encoding"
	"errors"
	"hash"
	"io"
	"slices"

	"github.com/emmansun/gmsm/sm3"
)

// readPiece is how many bytes are read at a time: enough that a disk delivers at full speed, few enough to stay in
// the processor's cache.
const readPiece = 64 << 10

// memory is a reader that has some of its bytes in memory. view gives at most n of them from off without copying, and
// none where it has none.
type memory interface {
	view(off, n int64) []byte
}

// digests computes SM3 over what each seal covers, in one pass. One state runs over all bytes. Where a gap begins,
// the state is copied: the copy goes on behind the gap, to the end of what that signature covers, while the first
// runs through the gap for the signatures that came later. Since a signature must cover everything earlier
// signatures cover (see order and checkDisjoint), the stretches of the copies do not overlap and the work is at most
// twice the file.
func (v *verification) digests() error {
	var jobs []*signature
	for _, s := range v.signatures {
		if s.sound && s.out.Kind == KindSeal {
			jobs = append(jobs, s)
		}
	}
	if len(jobs) == 0 {
		return nil
	}
	return hashGaps(v.reader, sm3.New(), 0, jobs, func() error { return v.ctx.Err() })
}

// hashGaps continues the state running, which is over the first start bytes, to the end of the last job. Jobs are in
// rising order, none begins before start or before the end of the one before it.
func hashGaps(r io.ReaderAt, running hash.Hash, start int64, jobs []*signature, alive func() error) error {
	last := jobs[len(jobs)-1].end
	inMemory, _ := r.(memory)
	var buffer []byte
	at := start
	// feed reads up to the offset to, into one or two states.
	feed := func(to int64, states ...hash.Hash) error {
		for at < to {
			n := min(readPiece, to-at)
			var piece []byte
			if inMemory != nil {
				piece = inMemory.view(at, n)
			}
			if len(piece) == 0 {
				if buffer == nil {
					buffer = make([]byte, min(readPiece, last-at))
				}
				piece = buffer[:min(n, int64(len(buffer)))]
				if err := readFull(r, piece, at); err != nil {
					return err
				}
			}
			for _, s := range states {
				s.Write(piece)
			}
			at += int64(len(piece))
			if err := alive(); err != nil {
				return err
			}
		}
		return nil
	}
	for i, job := range jobs {
		if err := feed(job.gap[0], running); err != nil {
			return err
		}
		fork, err := copyState(running)
		if err != nil {
			return err
		}
		if i == len(jobs)-1 {
			// Nobody needs the state over the gap of the last one.
			at = job.gap[1]
			if err := feed(job.end, fork); err != nil {
				return err
			}
		} else {
			if err := feed(job.gap[1], running); err != nil {
				return err
			}
			if err := feed(job.end, running, fork); err != nil {
				return err
			}
		}
		fork.Sum(job.digest[:0])
		job.digested = true
	}
	return nil
}

// copyState makes a second hash that continues where h stands.
func copyState(h hash.Hash) (hash.Hash, error) {
	m, ok := h.(encoding.BinaryMarshaler)
	if !ok {
		return nil, errState.New()
	}
	state, err := m.MarshalBinary()
	if err != nil {
		return nil, errState.Because(err)
	}
	return stateHash(state)
}

// stateHash is the SM3 hash with a marshalled state.
func stateHash(state []byte) (hash.Hash, error) {
	h := sm3.New()
	u, ok := h.(encoding.BinaryUnmarshaler)
	if !ok {
		return nil, errState.New()
	}
	if err := u.UnmarshalBinary(state); err != nil {
		return nil, errState.Because(err)
	}
	return h, nil
}

func readFull(r io.ReaderAt, p []byte, at int64) error {
	n, err := r.ReadAt(p, at)
	if n == len(p) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return errRead.Because(err)
}

// onlyWhiteSpace tells whether the bytes from start to end are white space of PDF (ISO 32000-1, 7.2.2), and where
// the first other byte stands.
func onlyWhiteSpace(r io.ReaderAt, start, end int64, alive func() error) (bool, int64, error) {
	piece := make([]byte, min(readPiece, max(0, end-start)))
	for at := start; at < end; {
		n := min(int64(len(piece)), end-at)
		if err := readFull(r, piece[:n], at); err != nil {
			return false, 0, err
		}
		if i := slices.IndexFunc(piece[:n], func(b byte) bool {
			return b != ' ' && b != '\r' && b != '\n' && b != '\t' && b != '\f' && b != 0
		}); i >= 0 {
			return false, at + int64(i), nil
		}
		at += n
		if err := alive(); err != nil {
			return false, 0, err
		}
	}
	return true, 0, nil
}
