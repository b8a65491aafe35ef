package verify

import (
	"errors"
	"hash"
	"io"
	"slices"

	"yinxin/ca/cms"
	"yinxin/internal/hashstate"
)

// readPiece is how many bytes are read at a time: enough that a disk delivers at full speed, few enough to stay in
// the processor's cache.
const readPiece = 64 << 10

// memory is a reader that has some of its bytes in memory. view gives at most n of them from off without copying, and
// none where it has none.
type memory interface {
	view(off, n int64) []byte
}

// need is a digest over what a signature covers: its algorithm, and what is hashed before (Z of SM2, for signatures
// without signed attributes).
type need struct {
	hash   cms.Hash
	prefix string
}

func (n need) new() hash.Hash {
	h := n.hash.New()
	if h != nil {
		io.WriteString(h, n.prefix)
	}
	return h
}

// needSM3 is what seals are made over.
var needSM3 = need{hash: cms.SM3}

// maxNeeds bounds how many different digests are computed for one file. Honest files need one or two.
const maxNeeds = 12

// states are the running hashes.
type states map[need]hash.Hash

// digests computes what each signature needs over the bytes that it covers, in one pass. One state for each algorithm
// in use runs over all bytes. Where a gap begins, the state is copied: the copy goes on behind the gap, to the end of what that
// signature covers, while the first runs through the gap for the signatures that came later. Since a signature must
// cover everything earlier signatures cover (see order and checkRevisions), the stretches of the copies do not overlap
// and the work is at most twice the file for each algorithm in use.
func (v *verification) digests() error {
	var jobs []*signature
	running := states{}
	for _, s := range v.signatures {
		if !s.sound || s.need.hash == "" {
			continue
		}
		if running[s.need] == nil {
			if len(running) == maxNeeds {
				v.note(text{"签名使用的摘要算法过多，未全部计算。", "The signatures use too many different digests to compute them all."})
				continue
			}
			running[s.need] = s.need.new()
		}
		jobs = append(jobs, s)
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
	last := map[need]int{}
	for i, job := range jobs {
		last[job.need] = i
	}
	for i, job := range jobs {
		if err := f.feed(job.gap[0], running); err != nil {
			return err
		}
		if running[job.need] == nil {
			return errState.New()
		}
		fork, err := copyState(job.need, running[job.need])
		if err != nil {
			return err
		}
		if last[job.need] == i {
			delete(running, job.need) // nobody needs the state over the gap
		}
		if len(running) == 0 {
			f.at = job.gap[1]
		} else if err := f.feed(job.gap[1], running); err != nil {
			return err
		}
		if err := f.feed(job.end, running, fork); err != nil {
			return err
		}
		job.digest = fork.Sum(nil)
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

// feed reads up to the offset to into the running states and others.
func (f *feeder) feed(to int64, running states, others ...hash.Hash) error {
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
		for _, s := range running {
			s.Write(piece)
		}
		for _, s := range others {
			s.Write(piece)
		}
		f.at += int64(len(piece))
		if err := f.alive(); err != nil {
			return err
		}
	}
	return nil
}

// copyState makes a second hash that continues where h stands.
func copyState(n need, h hash.Hash) (hash.Hash, error) {
	state, err := hashstate.Of(h)
	if err != nil {
		return nil, errState.Because(err)
	}
	return stateHash(n, state)
}

// stateHash is the hash for a need that goes on from a kept state.
func stateHash(n need, state []byte) (hash.Hash, error) {
	h, err := hashstate.Resume(n.hash.New(), state)
	if err != nil {
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
