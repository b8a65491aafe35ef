package files

import (
	"errors"
	"io"
	"sort"
)

// Concat reads several objects as one, in their order: an original followed by its updates. Closing it closes them
// all.
func Concat(parts ...Object) Object {
	c := &concatenation{parts: parts, starts: make([]int64, len(parts))}
	for i, part := range parts {
		c.starts[i] = c.size
		c.size += part.Size()
	}
	return c
}

type concatenation struct {
	parts  []Object
	starts []int64 // offset of each part
	size   int64
}

func (c *concatenation) Size() int64 { return c.size }

func (c *concatenation) ReadAt(p []byte, offset int64) (int, error) {
	if offset < 0 {
		return 0, errors.New("files: negative offset")
	}
	if offset >= c.size {
		return 0, io.EOF
	}
	// The last part that starts at or before the offset; empty parts before it are passed over.
	i := sort.Search(len(c.starts), func(i int) bool { return c.starts[i] > offset }) - 1
	read := 0
	for ; i < len(c.parts) && read < len(p); i++ {
		within := offset + int64(read) - c.starts[i]
		want := min(int64(len(p)-read), c.parts[i].Size()-within)
		if want == 0 {
			continue
		}
		n, err := c.parts[i].ReadAt(p[read:read+int(want)], within)
		read += n
		if int64(n) < want {
			if err == nil || err == io.EOF {
				err = io.ErrUnexpectedEOF // the object is shorter than it said
			}
			return read, err
		}
	}
	if read < len(p) {
		return read, io.EOF
	}
	return read, nil
}

func (c *concatenation) Close() error {
	var all []error
	for _, part := range c.parts {
		all = append(all, part.Close())
	}
	return errors.Join(all...)
}
