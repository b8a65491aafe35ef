package scan

import (
	"bufio"
	"encoding/ascii85"
	"io"
	"strings"
)

// simpleFilter undoes a filter that needs no parameters (ISO 32000-1, 7.4). False for one that is not known.
func simpleFilter(name pdfName, in io.Reader) (io.Reader, bool) {
	switch name {
	case "FlateDecode", "Fl":
		return inflate(in), true
	case "LZWDecode", "LZW":
		return newLZW(in), true
	case "ASCII85Decode", "A85":
		return ascii85.NewDecoder(&until85{in: bufio.NewReader(in)}), true
	case "ASCIIHexDecode", "AHx":
		return &unHex{in: bufio.NewReader(in)}, true
	case "RunLengthDecode", "RL":
		return &unPack{in: bufio.NewReader(in)}, true
	}
	return nil, false
}

// chain undoes filters one after the other. What all of them give together is taken from left.
func chain(names []pdfName, in io.Reader, left *int) (io.Reader, bool) {
	for _, name := range names {
		out, ok := simpleFilter(name, in)
		if !ok {
			return nil, false
		}
		in = meter{out, left}
	}
	return in, true
}

// known reports whether all filters are: that does not depend on the data.
func known(names []pdfName) bool {
	_, ok := chain(names, strings.NewReader(""), new(int))
	return ok
}

// until85 passes on what stands before the end mark ~>.
type until85 struct {
	in    *bufio.Reader
	ended bool
}

func (u *until85) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) && !u.ended {
		b, err := u.in.ReadByte()
		if err != nil || b == '~' {
			u.ended = true
			break
		}
		p[n] = b
		n++
	}
	if n == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

// unHex reads hexadecimal digits up to >.
type unHex struct{ in *bufio.Reader }

func (u *unHex) Read(p []byte) (int, error) {
	for n := range p {
		high, ok := u.digit()
		if !ok {
			if n == 0 {
				return 0, io.EOF
			}
			return n, nil
		}
		low, _ := u.digit()
		p[n] = high<<4 | low
	}
	return len(p), nil
}

func (u *unHex) digit() (byte, bool) {
	for {
		c, err := u.in.ReadByte()
		switch {
		case err != nil || c == '>':
			return 0, false
		case c >= '0' && c <= '9':
			return c - '0', true
		case c >= 'a' && c <= 'f':
			return c - 'a' + 10, true
		case c >= 'A' && c <= 'F':
			return c - 'A' + 10, true
		}
	}
}
