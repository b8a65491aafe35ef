package scan

import (
	"errors"
	"io"

	"golang.org/x/image/ccitt"
)

// meter lets through as many bytes as are left, and fails then: of readers behind each other, one may take in much and give
// nothing, and what it takes in may have been packed a thousand to one.
type meter struct {
	in   io.Reader
	left *int
}

var errSpent = errors.New("unpacks to too much")

func (m meter) Read(p []byte) (int, error) {
	if *m.left <= 0 {
		return 0, errSpent
	}
	n, err := m.in.Read(p[:min(len(p), *m.left)])
	*m.left -= n
	return n, err
}

// unpacker gives what undoes LZW (5) or DEFLATE (8) for a part.
func (s *room) unpacker(compression int, in io.Reader) io.Reader {
	u := s.unpackers[compression]
	if u == nil {
		if compression == 5 {
			u = newLZW(in)
		} else {
			u = inflate(in)
		}
		if s.unpackers == nil {
			s.unpackers = map[int]unpacker{}
		}
		s.unpackers[compression] = u
		return u
	}
	u.reset(in)
	return u
}

// fax are the parameters of CCITT coding (ITU-T T.4 and T.6).
type fax struct {
	group4   bool
	lsb      bool // bits of a byte begin with the lowest
	aligned  bool
	blackIs1 bool
	width    int
	height   int
}

// unFax gives rows of one bit each.
func unFax(data io.Reader, f fax) io.Reader {
	order, format := ccitt.MSB, ccitt.Group3
	if f.lsb {
		order = ccitt.LSB
	}
	if f.group4 {
		format = ccitt.Group4
	}
	return ccitt.NewReader(data, order, format, f.width, f.height, &ccitt.Options{Align: f.aligned, Invert: f.blackIs1})
}

// unPack gives what PackBits of TIFF and RunLength of PDF hold: a byte n, then n+1 bytes as they are (n < 128) or one byte
// 257-n times (n > 128).
type unPack struct {
	in interface {
		io.Reader
		io.ByteReader
	}
	rest  int
	same  bool
	value byte
}

func (u *unPack) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		if u.rest == 0 {
			head, err := u.in.ReadByte()
			if err != nil {
				break
			}
			switch {
			case head < 128:
				u.rest, u.same = int(head)+1, false
			case head > 128:
				u.rest, u.same = 257-int(head), true
				if u.value, err = u.in.ReadByte(); err != nil {
					u.rest = 0
				}
			}
			continue
		}
		run := p[n:min(len(p), n+u.rest)]
		if u.same {
			for i := range run {
				run[i] = u.value
			}
		} else if got, err := io.ReadFull(u.in, run); err != nil {
			n, u.rest = n+got, 0
			break
		}
		n, u.rest = n+len(run), u.rest-len(run)
	}
	if n == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	return n, nil
}
