package pdf

import (
	"bytes"
	"context"
)

// OperandKind is what an operand of a content stream is.
type OperandKind uint8

// The kinds of operands.
const (
	OperandNumber OperandKind = iota
	OperandName               // Text without the slash, #xx not decoded
	OperandString             // Text is the source between the brackets, Length the number of bytes it stands for
	OperandArray              // Items
	OperandDict               // Dict
	OperandOther              // true, false, null
)

// Operand is one operand of a content stream. It is valid until the call that it was given to returns.
type Operand struct {
	Kind   OperandKind
	Hex    bool // of a string: written as <…>
	Number float64
	Length int
	Text   []byte
	Items  []Operand
	Dict   Dict
}

const (
	// maxOperands is how many operands an operator is given; more are malformed (ISO 32000-1, annex C: arrays of 8191).
	maxOperands = 1 << 16
	// maxOperandDepth is how deep arrays nest in a content stream.
	maxOperandDepth = 16
)

// EachOperator reads decoded content (ISO 32000-1, 7.8.2) and calls fn for every operator with its operands, in order.
// An inline image is one operator "BI" with its dictionary. What is malformed is passed over as other readers do; the
// error is fn's, or the context's.
func EachOperator(ctx context.Context, data []byte, fn func(operator []byte, operands []Operand) error) error {
	l := contentLexer{data: data}
	for count := 1; ; count++ {
		if count&0xFFF == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		operator := l.next()
		if operator == nil {
			return nil
		}
		if string(operator) == "BI" {
			l.inlineImage()
		}
		if err := fn(operator, l.stack); err != nil {
			return err
		}
		l.stack, l.arena = l.stack[:0], l.arena[:0]
	}
}

// contentLexer splits decoded content into operators and operands.
type contentLexer struct {
	data  []byte
	pos   int
	stack []Operand // operands of the operator under way
	arena []Operand // elements of arrays among them
	depth int
}

// next reads operands up to the next operator; nil at the end.
func (l *contentLexer) next() []byte {
	for {
		l.skip()
		if l.pos >= len(l.data) {
			return nil
		}
		// Nearly all of most contents is numbers: they are read in place.
		if c := l.data[l.pos]; (isDigit(c) || c == '-' || c == '.') && len(l.stack) < maxOperands {
			value := l.number()
			if len(l.stack) == cap(l.stack) {
				l.stack = append(l.stack, Operand{Number: value})
				continue
			}
			l.stack = l.stack[:len(l.stack)+1]
			o := &l.stack[len(l.stack)-1]
			o.Kind, o.Number = OperandNumber, value
			continue
		}
		o, operator := l.operand()
		if operator != nil {
			return operator
		}
		if len(l.stack) < maxOperands {
			l.stack = append(l.stack, o)
		}
	}
}

func (l *contentLexer) skip() {
	for l.pos < len(l.data) {
		c := l.data[l.pos]
		if c > '%' {
			return
		}
		if c == '%' {
			for l.pos < len(l.data) && l.data[l.pos] != '\n' && l.data[l.pos] != '\r' {
				l.pos++
			}
		} else if !isSpace(c) {
			return
		} else {
			l.pos++
		}
	}
}

// operand reads one operand, or the operator that stands instead.
func (l *contentLexer) operand() (o Operand, operator []byte) {
	switch c := l.data[l.pos]; {
	case c == '/':
		l.pos++
		return Operand{Kind: OperandName, Text: l.regular()}, nil
	case c == '(':
		return l.literal(), nil
	case c == '[':
		return l.array(), nil
	case c == '<' && l.pos+1 < len(l.data) && l.data[l.pos+1] == '<':
		return l.dict(), nil
	case c == '<':
		return l.hex(), nil
	case isDelimiter(c):
		l.pos++ // a bracket that closes nothing
		return Operand{Kind: OperandOther}, nil
	}
	if c := l.data[l.pos]; isDigit(c) || c == '-' || c == '+' || c == '.' {
		return Operand{Kind: OperandNumber, Number: l.number()}, nil
	}
	word := l.regular()
	switch string(word) {
	case "true", "false", "null":
		return Operand{Kind: OperandOther}, nil
	}
	return Operand{}, word
}

func (l *contentLexer) regular() []byte {
	start := l.pos
	for l.pos < len(l.data) && isRegular(l.data[l.pos]) {
		l.pos++
	}
	return l.data[start:l.pos]
}

// number reads a number; what is malformed in it is passed over.
func (l *contentLexer) number() float64 {
	i, data, negative := l.pos, l.data, false
	for i < len(data) && (data[i] == '-' || data[i] == '+') {
		negative = negative || data[i] == '-'
		i++
	}
	value := 0.0
	for i < len(data) && isDigit(data[i]) {
		value = value*10 + float64(data[i]-'0')
		i++
	}
	if i < len(data) && data[i] == '.' {
		i++
		part, scale := 0.0, 1.0
		for i < len(data) && isDigit(data[i]) {
			if scale < 1e15 {
				part, scale = part*10+float64(data[i]-'0'), scale*10
			}
			i++
		}
		value += part / scale
	}
	for i < len(data) && isRegular(data[i]) {
		i++
	}
	l.pos = i
	if negative {
		return -value
	}
	return value
}

func (l *contentLexer) literal() Operand {
	l.pos++
	start, depth, length := l.pos, 1, 0
	for l.pos < len(l.data) {
		switch l.data[l.pos] {
		case '\\':
			l.pos += l.escape()
			length++
			continue
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				text := l.data[start:l.pos]
				l.pos++
				return Operand{Kind: OperandString, Text: text, Length: length}
			}
		}
		length++
		l.pos++
	}
	l.pos = len(l.data)
	return Operand{Kind: OperandString, Text: l.data[min(start, len(l.data)):], Length: length}
}

// escape is how long the escape at pos is: a backslash with a character, or with up to three octal digits.
func (l *contentLexer) escape() int {
	n := 1
	for n < 4 && l.pos+n < len(l.data) && l.data[l.pos+n] >= '0' && l.data[l.pos+n] <= '7' {
		n++
	}
	return max(n, 2)
}

func (l *contentLexer) hex() Operand {
	l.pos++
	end := bytes.IndexByte(l.data[l.pos:], '>')
	if end < 0 {
		end = len(l.data) - l.pos
	}
	text := l.data[l.pos : l.pos+end]
	l.pos = min(l.pos+end+1, len(l.data))
	return Operand{Kind: OperandString, Hex: true, Text: text, Length: (len(text) + 1) / 2}
}

func (l *contentLexer) array() Operand {
	l.pos++
	if l.depth++; l.depth > maxOperandDepth {
		l.depth--
		return Operand{Kind: OperandOther}
	}
	defer func() { l.depth-- }()
	// The elements lie in the arena, one array behind the other; those of an array inside another are set apart, so
	// that the outer one stays in one piece.
	if l.depth > 1 {
		outer := l.arena
		l.arena = nil
		defer func() { l.arena = outer }()
	}
	first := len(l.arena)
	for {
		l.skip()
		if l.pos >= len(l.data) {
			break
		}
		if l.data[l.pos] == ']' {
			l.pos++
			break
		}
		// An operator has no place in an array: it is passed over.
		if o, operator := l.operand(); operator == nil && len(l.arena) < maxOperands {
			l.arena = append(l.arena, o)
		}
	}
	return Operand{Kind: OperandArray, Items: l.arena[first:len(l.arena):len(l.arena)]}
}

// dict reads a dictionary with the reader of objects.
func (l *contentLexer) dict() Operand {
	p := newParser(l.data[l.pos:], -1, true, Limits{Depth: maxOperandDepth, Elements: maxOperands})
	o, err := p.value()
	if err != nil {
		l.pos += 2
		return Operand{Kind: OperandOther}
	}
	l.pos += p.pos
	d, _ := o.(Dict)
	return Operand{Kind: OperandDict, Dict: d}
}

// inlineImage reads what follows BI: keys and values up to ID, and passes the data up to EI. The dictionary becomes
// the one operand.
func (l *contentLexer) inlineImage() {
	var d Dict
	p := newParser(l.data[l.pos:], -1, true, Limits{Depth: maxOperandDepth, Elements: maxOperands})
	for {
		if p.skip() != nil || p.buf[p.pos] != '/' {
			break
		}
		key, err := p.name()
		if err != nil {
			break
		}
		v, err := p.entryValue()
		if err != nil {
			break
		}
		d = append(d, Entry{key, v})
	}
	l.pos = min(l.pos+p.pos, len(l.data))
	l.stack = append(l.stack[:0], Operand{Kind: OperandDict, Dict: d})
	if !bytes.HasPrefix(l.data[l.pos:], []byte("ID")) {
		return
	}
	l.pos += 2
	for {
		i := bytes.Index(l.data[l.pos:], []byte("EI"))
		if i < 0 {
			l.pos = len(l.data)
			return
		}
		at := l.pos + i
		l.pos = at + 2
		if isSpace(l.data[at-1]) && (l.pos == len(l.data) || isSpace(l.data[l.pos])) && looksLikeContent(l.data[l.pos:]) {
			return
		}
	}
}

// looksLikeContent says that the next bytes are text: after the end of inline data operators follow.
func looksLikeContent(data []byte) bool {
	for _, c := range data[:min(len(data), 16)] {
		if c >= 0x7f || c < ' ' && !isSpace(c) {
			return false
		}
	}
	return true
}
