package verify

import (
	"crypto/sha1" // see digestSHA1
	"crypto/sha256"
	"crypto/sha512"
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

// digestAlgorithm is one of the digests that signatures are made over.
type digestAlgorithm int

const (
	digestSM3 digestAlgorithm = iota
	digestSHA256
	digestSHA384
	digestSHA512
	digestSHA1 // weak: computed so that a wrong value is told from a right one that proves little
	digestCount
)

var digestNames = [digestCount]string{"SM3", "SHA-256", "SHA-384", "SHA-512", "SHA-1"}

func (a digestAlgorithm) String() string { return digestNames[a] }

func (a digestAlgorithm) new() hash.Hash {
	switch a {
	case digestSHA256:
		return sha256.New()
	case digestSHA384:
		return sha512.New384()
	case digestSHA512:
		return sha512.New()
	case digestSHA1:
		return sha1.New()
	}
	return sm3.New()
}

// states are the running hashes, by algorithm; nil where nobody needs one.
type states [digestCount]hash.Hash

// digests computes what each signature needs over the bytes that it covers, in one pass. One state for each algorithm
// runs over all bytes. Where a gap begins, the state is copied: the copy goes on behind the gap, to the end of what that
// signature covers, while the first runs through the gap for the signatures that came later. Since a signature must
// cover everything earlier signatures cover (see order and checkRevisions), the stretches of the copies do not overlap
// and the work is at most twice the file for each algorithm in use.
func (v *verification) digests() error {
	var jobs []*signature
	var running states
	for _, s := range v.signatures {
		if !s.sound || len(s.needs) == 0 {
			continue
		}
		jobs = append(jobs, s)
		for _, a := range s.needs {
			if running[a] == nil {
				running[a] = a.new()
			}
		}
	}
	if len(jobs) == 0 {
		return nil
	}
	return hashGaps(v.reader, running, 0, jobs, func() error { return v.ctx.Err() })
}

// hashGaps continues the states running, which are over the first start bytes, to the end of the last job. Jobs are in
// rising order, none begins before start or before the end of the one before it.
func hashGaps(r io.ReaderAt, running states, start int64, jobs []*signature, alive func() error) error {
	f := feeder{reader: r, at: start, last: jobs[len(jobs)-1].end, alive: alive}
	f.inMemory, _ = r.(memory)
	for i, job := range jobs {
		// A state that no later job needs ends here.
		later := func(a digestAlgorithm) bool {
			return slices.ContainsFunc(jobs[i+1:], func(j *signature) bool { return slices.Contains(j.needs, a) })
		}
		if err := f.feed(job.gap[0], running[:]...); err != nil {
			return err
		}
		forks := make([]hash.Hash, len(job.needs))
		for k, a := range job.needs {
			if running[a] == nil {
				return errState.New()
			}
			var err error
			if forks[k], err = copyState(a, running[a]); err != nil {
				return err
			}
		}
		for a := range running {
			if running[a] != nil && !later(digestAlgorithm(a)) {
				running[a] = nil
			}
		}
		if err := f.skip(job.gap[1], running[:]...); err != nil {
			return err
		}
		if err := f.feed(job.end, append(running[:len(running):len(running)], forks...)...); err != nil {
			return err
		}
		for k, a := range job.needs {
			job.digests[a] = forks[k].Sum(nil)
		}
	}
	return nil
}

// feeder reads a file piece by piece into hash states.
type feeder struct {
	reader   io.ReaderAt
	inMemory memory
	at, last int64
	buffer   []byte
	alive    func() error
}

// skip goes to an offset; states that go on are fed with what lies between.
func (f *feeder) skip(to int64, states ...hash.Hash) error {
	if !slices.ContainsFunc(states, func(h hash.Hash) bool { return h != nil }) {
		f.at = to
		return nil
	}
	return f.feed(to, states...)
}

// feed reads up to the offset to into the states that are not nil.
func (f *feeder) feed(to int64, states ...hash.Hash) error {
	for f.at < to {
		n := min(readPiece, to-f.at)
		var piece []byte
		if f.inMemory != nil {
			piece = f.inMemory.view(f.at, n)
		}
		if len(piece) == 0 {
			if f.buffer == nil {
				f.buffer = make([]byte, min(readPiece, f.last-f.at))
			}
			piece = f.buffer[:min(n, int64(len(f.buffer)))]
			if err := readFull(f.reader, piece, f.at); err != nil {
				return err
			}
		}
		for _, s := range states {
			if s != nil {
				s.Write(piece)
			}
		}
		f.at += int64(len(piece))
		if err := f.alive(); err != nil {
			return err
		}
	}
	return nil
}

// copyState makes a second hash that continues where h stands.
func copyState(a digestAlgorithm, h hash.Hash) (hash.Hash, error) {
	m, ok := h.(encoding.BinaryMarshaler)
	if !ok {
		return nil, errState.New()
	}
	state, err := m.MarshalBinary()
	if err != nil {
		return nil, errState.Because(err)
	}
	return stateHash(a, state)
}

// stateHash is the hash of an algorithm with a marshalled state.
func stateHash(a digestAlgorithm, state []byte) (hash.Hash, error) {
	h := a.new()
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
