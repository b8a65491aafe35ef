package pdf

// Objects that sealing changes are copied as they stand, with one entry replaced or added: what the producer wrote
// stays byte for byte, and nothing depends on writing numbers and strings the way it did.

// entrySpan is where the value of a key stands in the source of a dictionary.
type entrySpan struct {
	start, end int // of the value
	keyStart   int
	count      int  // how often the key occurs; the span is that of the last
	bare       bool // the last key of the dictionary has no value
}

// findEntry looks for a key at the top level of the source of a dictionary.
func findEntry(raw []byte, key Name, l Limits) (entrySpan, error) {
	var span entrySpan
	err := eachEntry(raw, l, func(k Name, keyStart, start, end int) {
		if k == key {
			span = entrySpan{start: start, end: end, keyStart: keyStart, count: span.count + 1}
		}
		span.bare = start == end
	})
	return span, err
}

// eachEntry calls fn for every entry at the top level of the source of a dictionary.
func eachEntry(raw []byte, l Limits, fn func(k Name, keyStart, start, end int)) error {
	p := newParser(raw, -1, true, l)
	if err := p.skip(); err != nil {
		return err
	}
	if p.pos+1 >= len(raw) || raw[p.pos] != '<' || raw[p.pos+1] != '<' {
		return p.damaged("not a dictionary")
	}
	p.pos += 2
	for {
		if err := p.skip(); err != nil {
			return err
		}
		keyStart := p.pos
		key, done, err := p.key()
		if err != nil || done {
			return err
		}
		if err := p.skip(); err != nil {
			return err
		}
		start := p.pos
		if _, err := p.entryValue(); err != nil {
			return err
		}
		fn(key, keyStart, start, p.pos)
	}
}

// edit is a change to a dictionary: the key's value becomes value.
type edit struct {
	key   Name
	value []byte
}

// spliceDict returns a copy of the source of a dictionary with the edits made. A key that stands twice is refused,
// since readers differ on which one counts.
func spliceDict(raw []byte, l Limits, edits ...edit) ([]byte, error) {
	size := len(raw)
	for _, e := range edits {
		size += len(e.key) + len(e.value) + 3
	}
	out := append(make([]byte, 0, size), raw...)
	for _, e := range edits {
		span, err := findEntry(out, e.key, l)
		if err != nil {
			return nil, err
		}
		if span.count > 1 {
			return nil, errAmbiguous.With("/%s", e.key)
		}
		var value []byte
		start, end := span.start, span.end
		if span.count == 0 {
			// The source ends with ">>"; no comment can hide it, for the parser saw it as the end.
			start, end = len(out)-2, len(out)-2
			if span.bare {
				value = append(value, " null"...) // or the new key would become the value of the one before
			}
			value = append(appendName(value, e.key), ' ')
		} else {
			value = append(value, ' ')
		}
		value = append(append(value, e.value...), ' ')
		out = replaceBytes(out, start, end, value)
	}
	return out, nil
}

// spliceArray returns a copy of the source of an array with an element added at the end.
func spliceArray(raw, element []byte) []byte {
	out := make([]byte, 0, len(raw)+len(element)+2)
	out = append(out, raw[:len(raw)-1]...)
	out = append(out, ' ')
	out = append(out, element...)
	return append(out, ']')
}

// replaceBytes puts value in the place of out[start:end].
func replaceBytes(out []byte, start, end int, value []byte) []byte {
	tail := len(out) - end
	grown := append(out, value...)
	if grow := len(value) - (end - start); grow <= 0 {
		copy(grown[start:], value)
		copy(grown[start+len(value):], grown[end:end+tail])
		return grown[:start+len(value)+tail]
	}
	copy(grown[start+len(value):], grown[end:end+tail])
	copy(grown[start:], value)
	return grown[:start+len(value)+tail]
}
