package view

import (
	"encoding/binary"
	"fmt"
	"io"
)

// maxDocument is the size of a document in bytes: PDFium's file access counts in 32 bits on this platform.
const maxDocument = 1<<31 - 1

const cachedBlocks = 256 // of blockSize: 16 MiB

// source is the document of a request on the worker's side of the pipe. It asks the viewer for the blocks that it needs
// and keeps the last used ones. It is the io.ReadSeeker that go-pdfium wants; it seeks before every read.
type source struct {
	size   int64
	fetch  func(off int64, n int) ([]byte, error)
	at     int64
	blocks map[int64]*block
	clock  int64
	failed error // the first error of fetch: PDFium only learns that nothing was read
}

type block struct {
	data []byte
	used int64
}

var _ io.ReadSeeker = (*source)(nil)

func newSource(size int64, fetch func(off int64, n int) ([]byte, error)) *source {
	return &source{size: size, fetch: fetch, blocks: map[int64]*block{}}
}

// Seek sets the place from which Read reads.
func (s *source) Seek(offset int64, whence int) (int64, error) {
	if whence != io.SeekStart || offset < 0 || offset > s.size {
		return 0, fmt.Errorf("seek to %d (%d) in a document of %d bytes", offset, whence, s.size)
	}
	s.at = offset
	return offset, nil
}

// Read fills p as far as the document goes.
func (s *source) Read(p []byte) (int, error) {
	done := 0
	for done < len(p) && s.at < s.size {
		data, err := s.block(s.at / blockSize)
		if err != nil {
			if s.failed == nil {
				s.failed = err
			}
			return done, err
		}
		n := copy(p[done:], data[s.at%blockSize:])
		done += n
		s.at += int64(n)
	}
	if done == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	return done, nil
}

func (s *source) block(number int64) ([]byte, error) {
	s.clock++
	if b, ok := s.blocks[number]; ok {
		b.used = s.clock
		return b.data, nil
	}
	start := number * blockSize
	data, err := s.fetch(start, int(min(blockSize, s.size-start)))
	if err != nil {
		return nil, err
	}
	if len(s.blocks) >= cachedBlocks {
		oldest := int64(-1)
		for n, b := range s.blocks {
			if oldest < 0 || b.used < s.blocks[oldest].used {
				oldest = n
			}
		}
		delete(s.blocks, oldest)
	}
	s.blocks[number] = &block{data: data, used: s.clock}
	return data, nil
}

// needPayload is the payload of a need frame.
func needPayload(off int64, n int) []byte {
	var b [12]byte
	binary.BigEndian.PutUint64(b[:], uint64(off))
	binary.BigEndian.PutUint32(b[8:], uint32(n))
	return b[:]
}

// parseNeed reads the payload of a need frame for a document of size bytes; anything outside the document is refused.
func parseNeed(b []byte, size int64) (off int64, n int, err error) {
	if len(b) != 12 {
		return 0, 0, errFrame
	}
	u, length := binary.BigEndian.Uint64(b), int64(binary.BigEndian.Uint32(b[8:]))
	if u > uint64(size) || length == 0 || length > blockSize || length > size-int64(u) {
		return 0, 0, fmt.Errorf("bytes %d+%d of %d: %w", u, length, size, errFrame)
	}
	return int64(u), int(length), nil
}
