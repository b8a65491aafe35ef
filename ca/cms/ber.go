package cms

import (
	"math/big"
	"slices"

	"yinxin/internal/fault"
)

// Limits on what comes from outside. Real signatures stay far below them; the largest carry revocation lists.
const (
	// MaxSize is the largest signed data read, in bytes.
	MaxSize = 16 << 20

	maxDepth        = 24
	maxElements     = 200_000 // opened or passed over while looking for the end of an indefinite length
	maxSigners      = 16
	maxCertificates = 100
	maxRevocations  = 200
	maxAttributes   = 64
	maxValues       = 16
	maxNotes        = 20
)

// Identifier octets. High tag numbers do not occur in these structures and are not read.
const (
	idInteger    = 0x02
	idBitString  = 0x03
	idOctets     = 0x04
	idNull       = 0x05
	idOID        = 0x06
	idUTCTime    = 0x17
	idTime       = 0x18
	idSequence   = 0x30
	idSet        = 0x31
	constructed  = 0x20
	context      = 0x80
	idContext0   = context | constructed
	idContext1   = context | constructed | 1
	idContext2   = context | constructed | 2
	idContext3   = context | constructed | 3
	primContext0 = context
)

// element is one BER element. raw is all of it, content is without header and end-of-contents.
type element struct {
	id           byte
	raw, content []byte
	indefinite   bool
}

// scanner carries what all levels of one structure share.
type scanner struct {
	notes    []string
	elements int
	failed   error // the first limit that was hit, or nil
}

func (s *scanner) note(text string) {
	if len(s.notes) < maxNotes && !slices.Contains(s.notes, text) {
		s.notes = append(s.notes, text)
	}
}

// err is the limit that was hit, or the structure's own error.
func (s *scanner) err(spec fault.Spec, field string) error {
	if s.failed != nil {
		return s.failed
	}
	return spec.With("%s", field)
}

// list reads elements one after the other.
type list struct {
	scan  *scanner
	rest  []byte
	depth int
}

func (l *list) empty() bool { return len(l.rest) == 0 }

// inside gives the elements in e.
func (l *list) inside(e element) *list { return &list{l.scan, e.content, l.depth + 1} }

// next reads the next element; false at the end or for what is not BER.
func (l *list) next() (element, bool) {
	e, rest, ok := l.scan.read(l.rest, l.depth)
	if ok {
		l.rest = rest
	}
	return e, ok
}

// want reads the next element, which must have the identifier.
func (l *list) want(id byte) (element, bool) {
	if !l.peek(id) {
		return element{}, false
	}
	return l.next()
}

func (l *list) peek(id byte) bool { return len(l.rest) > 0 && l.rest[0] == id }

// optional reads the next element if it has the identifier.
func (l *list) optional(id byte) (e element, present, ok bool) {
	if !l.peek(id) {
		return element{}, false, true
	}
	e, ok = l.next()
	return e, ok, ok
}

// open reads the next element, which must have the identifier, and gives what is in it.
func (l *list) open(id byte) (*list, bool) {
	e, ok := l.want(id)
	if !ok {
		return &list{scan: l.scan}, false
	}
	return l.inside(e), true
}

// read takes one element off data (X.690 8.1). Lengths longer than needed are taken with a note.
func (s *scanner) read(data []byte, depth int) (e element, rest []byte, ok bool) {
	s.elements++
	if depth > maxDepth || s.elements > maxElements {
		s.failed = ErrTooLarge.With("%d, %d", maxDepth, maxElements)
		return element{}, nil, false
	}
	if len(data) < 2 || data[0]&0x1f == 0x1f {
		return element{}, nil, false
	}
	e.id = data[0]
	header, length := 2, int(data[1])
	switch {
	case length < 0x80:
	case length == 0x80:
		return s.readIndefinite(data, depth)
	default:
		count := length & 0x7f
		if count > 4 || len(data) < 2+count {
			return element{}, nil, false
		}
		length = 0
		for _, b := range data[2 : 2+count] {
			length = length<<8 | int(b)
		}
		if length < 0x80 || data[2] == 0 {
			s.note("a length is not in its shortest form")
		}
		header += count
	}
	if length > len(data)-header {
		return element{}, nil, false
	}
	e.raw, e.content = data[:header+length], data[header:header+length]
	return e, data[header+length:], true
}

// readIndefinite finds the end-of-contents octets by passing over what is inside.
func (s *scanner) readIndefinite(data []byte, depth int) (element, []byte, bool) {
	if data[0]&constructed == 0 {
		return element{}, nil, false
	}
	s.note("an indefinite length")
	rest := data[2:]
	for {
		if len(rest) < 2 {
			return element{}, nil, false
		}
		if rest[0] == 0 && rest[1] == 0 {
			inside := len(data) - len(rest)
			return element{id: data[0], raw: data[:inside+2], content: data[2:inside], indefinite: true}, rest[2:], true
		}
		var ok bool
		if _, rest, ok = s.read(rest, depth+1); !ok {
			return element{}, nil, false
		}
	}
}

// octets gives the value of an OCTET STRING, also of one in parts (X.690 8.7.3). A whole one is not copied.
func (l *list) octets() ([]byte, bool) {
	e, ok := l.next()
	if !ok {
		return nil, false
	}
	return l.joined(e)
}

func (l *list) joined(e element) ([]byte, bool) {
	if e.id == idOctets {
		return e.content, true
	}
	if e.id != idOctets|constructed {
		return nil, false
	}
	l.scan.note("an OCTET STRING in parts")
	parts := l.inside(e)
	joined := []byte{}
	for !parts.empty() {
		part, ok := parts.octets()
		if !ok {
			return nil, false
		}
		joined = append(joined, part...)
	}
	return joined, true
}

// integer reads an INTEGER of at most 64 octets.
func (l *list) integer() (*big.Int, bool) {
	e, ok := l.want(idInteger)
	if !ok || len(e.content) == 0 || len(e.content) > 64 {
		return nil, false
	}
	n := new(big.Int).SetBytes(e.content)
	if e.content[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(len(e.content))*8))
	}
	return n, true
}

// version reads a small INTEGER.
func (l *list) version() (int, bool) {
	n, ok := l.integer()
	if !ok || !n.IsInt64() || n.Int64() < 0 || n.Int64() > 10 {
		return 0, false
	}
	return int(n.Int64()), true
}

// oid reads an OBJECT IDENTIFIER.
func (l *list) oid() (ID, bool) {
	e, ok := l.want(idOID)
	if !ok || len(e.content) == 0 || len(e.content) > 256 || e.content[len(e.content)-1]&0x80 != 0 {
		return "", false
	}
	return ID(e.content), true
}

// Element takes the first BER element off data, for instance the content of /Contents in a PDF: rest is what follows it.
// Errors: ErrSignedData, ErrTooLarge.
func Element(data []byte) (element, rest []byte, err error) {
	var s scanner
	e, rest, ok := s.read(data, 0)
	if !ok {
		return nil, nil, s.err(ErrSignedData, "element")
	}
	return e.raw, rest, nil
}
