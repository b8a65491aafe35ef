package roster

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
)

// edit replaces the bytes from start to end of a part; with start equal to end it inserts.
type edit struct {
	start, end int
	text       string
}

// apply makes the edits, which do not overlap. Those at one place keep their order.
func apply(data []byte, edits []edit) []byte {
	slices.SortStableFunc(edits, func(a, b edit) int { return a.start - b.start })
	size := len(data)
	for _, e := range edits {
		size += len(e.text)
	}
	out := make([]byte, 0, size)
	at := 0
	for _, e := range edits {
		out = append(append(out, data[at:e.start]...), e.text...)
		at = e.end
	}
	return append(out, data[at:]...)
}

// setAttr gives a start tag an attribute, in place of the one it has.
func setAttr(tag []byte, name, value string) string {
	written := ` ` + name + `="` + escape(value) + `"`
	var quote byte
	for i := 0; i < len(tag); i++ {
		switch c := tag[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case isSpace(c) && bytes.HasPrefix(tag[i+1:], []byte(name)):
			rest := bytes.TrimLeft(tag[i+1+len(name):], " \t\r\n")
			if len(rest) == 0 || rest[0] != '=' {
				continue
			}
			rest = bytes.TrimLeft(rest[1:], " \t\r\n")
			if len(rest) < 2 {
				continue
			}
			if end := bytes.IndexByte(rest[1:], rest[0]); end >= 0 {
				return string(tag[:i]) + written + string(rest[end+2:])
			}
		}
	}
	at := len(tag) - 1
	if at > 0 && tag[at-1] == '/' {
		at--
	}
	return strings.TrimRight(string(tag[:at]), " \t\r\n") + written + string(tag[at:])
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// span is an element in a part: its start tag, and its end.
type span struct{ start, tagEnd, end int }

// container is an element with its children.
type container struct {
	span
	items []span
}

// containers finds the first element of each name, anywhere in the part, with its own children.
func containers(data []byte, names ...string) (prefix string, found map[string]*container, err error) {
	found = map[string]*container{}
	s := scan(bytes.NewReader(data))
	var stack []*span
	var inside []*container // by depth; nil where the element is none that is looked for
	for {
		token, err := s.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return "", nil, err
		}
		switch t := token.(type) {
		case xml.StartElement:
			var c *container
			if name := s.own(t.Name); slices.Contains(names, name) && found[name] == nil {
				c = &container{}
				found[name] = c
			}
			at := &span{start: int(s.start), tagEnd: int(s.end)}
			if c != nil {
				c.span = *at
			}
			stack, inside = append(stack, at), append(inside, c)
		case xml.EndElement:
			top := len(stack) - 1
			stack[top].end = int(s.end)
			if c := inside[top]; c != nil {
				c.end = int(s.end)
			}
			if top > 0 && inside[top-1] != nil {
				inside[top-1].items = append(inside[top-1].items, *stack[top])
			}
			stack, inside = stack[:top], inside[:top]
		}
	}
	if s.prefix != "" {
		prefix = s.prefix + ":"
	}
	return prefix, found, nil
}

// insert puts text at the end of a container, whether it is <a/> or <a></a>, and gives its start tag a count where
// count is positive.
func (c *container) insert(data []byte, prefix, name, text string, count string) []edit {
	tag := string(data[c.start:c.tagEnd])
	if count != "" {
		tag = setAttr([]byte(tag), "count", count)
	}
	if c.tagEnd == c.end { // <a/>
		return []edit{{c.start, c.end, strings.TrimRight(strings.TrimSuffix(tag, "/>"), " ") + ">" + text + "</" + prefix + name + ">"}}
	}
	closing := c.start + bytes.LastIndex(data[c.start:c.end], []byte("</"))
	return []edit{{c.start, c.tagEnd, tag}, {closing, closing, text}}
}

// insertInto puts an element at the end of the named one.
func insertInto(data []byte, name string, text func(prefix string) string) ([]byte, error) {
	prefix, found, err := containers(data, name)
	if err != nil {
		return nil, err
	}
	c := found[name]
	if c == nil {
		return nil, ErrBroken.New()
	}
	return apply(data, c.insert(data, prefix, name, text(prefix), "")), nil
}
