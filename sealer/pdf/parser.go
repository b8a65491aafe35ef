package pdf

import (
	"errors"

	"yinxin/internal/fault"
)

// errShort says that the window ended before the object did: read more and parse again.
var errShort = errors.New("the window is too short")

// parser reads objects from a window of a file, or from a decoded object stream. Everything it returns is copied out
// of the window, so the window may be reused.
type parser struct {
	buf []byte
	pos int
	// base is the file offset of buf[0], -1 in an object stream.
	base int64
	// final says that nothing follows buf.
	final    bool
	depth    int
	elements int
}

func newParser(buf []byte, base int64, final bool, l Limits) parser {
	return parser{buf: buf, base: base, final: final, depth: l.Depth, elements: l.Elements}
}

// damaged is the error for a syntax error at the current position.
func (p *parser) damaged(what string) error {
	f := errDamagedObject.With("%s", what)
	if p.base >= 0 {
		f = f.At(fault.Offset(p.base + int64(p.pos)))
	}
	return f
}

// ended is the error for running out of bytes.
func (p *parser) ended() error {
	if p.final {
		return p.damaged("unexpected end")
	}
	return errShort
}

// offset is the file offset of the position i in the window, -1 in an object stream.
func (p *parser) offset(i int) int64 {
	if p.base < 0 {
		return -1
	}
	return p.base + int64(i)
}

func isSpace(c byte) bool {
	return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\f' || c == 0
}

func isDelimiter(c byte) bool {
	switch c {
	case '(', ')', '<', '>', '[', ']', '{', '}', '/', '%':
		return true
	}
	return false
}

func isRegular(c byte) bool { return !isSpace(c) && !isDelimiter(c) }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// skip passes white space and comments; afterwards a byte stands at pos, or an error is returned.
func (p *parser) skip() error {
	for p.pos < len(p.buf) {
		c := p.buf[p.pos]
		switch {
		case isSpace(c):
			p.pos++
		case c == '%':
			for p.pos < len(p.buf) && p.buf[p.pos] != '\n' && p.buf[p.pos] != '\r' {
				p.pos++
			}
		default:
			return nil
		}
	}
	return p.ended()
}

// token returns the run of regular characters at pos and passes it.
func (p *parser) token() ([]byte, error) {
	start := p.pos
	for p.pos < len(p.buf) && isRegular(p.buf[p.pos]) {
		p.pos++
	}
	if p.pos == len(p.buf) && !p.final {
		p.pos = start
		return nil, errShort
	}
	return p.buf[start:p.pos], nil
}

// keyword passes white space and then exactly the word; it reports false, at the same place, when another token
// stands there.
func (p *parser) keyword(word string) (bool, error) {
	start := p.pos
	if err := p.skip(); err != nil {
		return false, err
	}
	t, err := p.token()
	if err != nil {
		return false, err
	}
	if string(t) != word {
		p.pos = start
		return false, nil
	}
	return true, nil
}

// integer passes white space and reads a token that is an unsigned integer of at most 19 digits.
func (p *parser) integer() (int64, bool, error) {
	start := p.pos
	if err := p.skip(); err != nil {
		return 0, false, err
	}
	t, err := p.token()
	if err != nil {
		return 0, false, err
	}
	n, ok := parseUnsigned(t)
	if !ok {
		p.pos = start
	}
	return n, ok, nil
}

func parseUnsigned(t []byte) (int64, bool) {
	if len(t) == 0 || len(t) > 18 {
		return 0, false
	}
	var n int64
	for _, c := range t {
		if !isDigit(c) {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}

// value reads one object. A reference is returned as it stands.
func (p *parser) value() (Object, error) {
	if err := p.skip(); err != nil {
		return nil, err
	}
	if p.elements--; p.elements < 0 {
		return nil, errTooLarge.Saying("一个对象中的值过多", "more values than allowed in one object")
	}
	c := p.buf[p.pos]
	switch {
	case c == '/':
		return p.name()
	case c == '(':
		return p.literal()
	case c == '[':
		return p.array()
	case c == '<':
		if p.pos+1 >= len(p.buf) {
			return nil, p.ended()
		}
		if p.buf[p.pos+1] == '<' {
			return p.dict()
		}
		return p.hex()
	case isDigit(c):
		return p.numberOrRef()
	case c == '+' || c == '-' || c == '.':
		return p.number()
	}
	start := p.pos
	t, err := p.token()
	if err != nil {
		return nil, err
	}
	switch string(t) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	case "null":
		return nil, nil
	}
	p.pos = start
	return nil, p.damaged("unexpected token")
}

// numberOrRef reads a number, or the reference that it begins.
func (p *parser) numberOrRef() (Object, error) {
	o, err := p.number()
	if err != nil {
		return nil, err
	}
	num, ok := o.(Integer)
	if !ok || num > 1<<31-1 {
		return o, nil
	}
	after := p.pos
	// What follows a number at the very end of the input is nothing: not a reason to fail.
	gen, ok, err := p.integer()
	if err == errShort {
		return nil, err
	}
	if err != nil || !ok || gen > 65535 {
		p.pos = after
		return o, nil
	}
	found, err := p.keyword("R")
	if err == errShort {
		return nil, err
	}
	if err != nil || !found {
		p.pos = after
		return o, nil
	}
	return Ref{int(num), int(gen)}, nil
}

// number reads an Integer, a Real, or an oddNumber. Doubled signs and a second point, which careless producers write, end the number
// as they do in other readers.
func (p *parser) number() (Object, error) {
	start := p.pos
	t, err := p.token()
	if err != nil {
		return nil, err
	}
	i, negative := 0, false
	for i < len(t) && (t[i] == '+' || t[i] == '-') {
		negative = negative || t[i] == '-'
		i++
	}
	odd := i > 1 || len(t) == i
	var whole int64
	var value float64
	digits := 0
	for ; i < len(t) && isDigit(t[i]); i++ {
		if digits < 18 {
			whole = whole*10 + int64(t[i]-'0')
		}
		value = value*10 + float64(t[i]-'0')
		digits++
	}
	if i == len(t) && digits <= 18 && !odd {
		if negative {
			whole = -whole
		}
		return Integer(whole), nil
	}
	if i < len(t) && t[i] == '.' {
		scale := 1.0
		for i++; i < len(t) && isDigit(t[i]); i++ {
			if scale < 1e15 {
				value = value*10 + float64(t[i]-'0')
				scale *= 10
			}
		}
		value /= scale
	}
	for ; i < len(t); i++ {
		if c := t[i]; !isDigit(c) && c != '.' && c != '-' {
			p.pos = start
			return nil, p.damaged("malformed number")
		}
		odd = true
	}
	if negative {
		value = -value
	}
	if odd || digits > 18 || string(t) == "." {
		return oddNumber{value, string(t)}, nil
	}
	return Real(value), nil
}

// array reads an array; the caller saw its bracket.
func (p *parser) array() (Object, error) {
	if p.depth--; p.depth < 0 {
		return nil, errTooDeep.New()
	}
	p.pos++
	out := make(Array, 0, 4)
	for {
		if err := p.skip(); err != nil {
			return nil, err
		}
		if p.buf[p.pos] == ']' {
			p.pos++
			p.depth++
			return out, nil
		}
		v, err := p.value()
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
}

// dict reads a dictionary; the caller saw "<<".
func (p *parser) dict() (Object, error) {
	if p.depth--; p.depth < 0 {
		return nil, errTooDeep.New()
	}
	p.pos += 2
	out := make(Dict, 0, 8)
	for {
		key, done, err := p.key()
		if err != nil {
			return nil, err
		}
		if done {
			p.depth++
			return out, nil
		}
		v, err := p.entryValue()
		if err != nil {
			return nil, err
		}
		out = append(out, Entry{key, v})
	}
}

// key reads the next key of a dictionary, or passes its end and reports done.
func (p *parser) key() (key Name, done bool, err error) {
	if err := p.skip(); err != nil {
		return "", false, err
	}
	switch p.buf[p.pos] {
	case '/':
		key, err := p.name()
		return key, false, err
	case '>':
		if p.pos+1 >= len(p.buf) {
			return "", false, p.ended()
		}
		if p.buf[p.pos+1] == '>' {
			p.pos += 2
			return "", true, nil
		}
	}
	return "", false, p.damaged("a dictionary key is not a name")
}

// entryValue reads the value of a key; a key without one, right before the end, counts as null as in other readers.
func (p *parser) entryValue() (Object, error) {
	if err := p.skip(); err != nil {
		return nil, err
	}
	if p.buf[p.pos] == '>' {
		return nil, nil
	}
	return p.value()
}
