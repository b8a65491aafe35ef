package scan

import (
	"bytes"
	"strconv"
)

// The values of a PDF file (ISO 32000-1, 7.3): nil, bool, float64, pdfString, pdfName, pdfArray, pdfDict, pdfRef, and in content
// streams pdfWord for what is none of these.
type (
	pdfName   string
	pdfString string
	pdfWord   string
	pdfArray  []any
	pdfDict   map[pdfName]any
	pdfRef    int
)

const (
	mostDepth  = 32
	mostValues = 1_000_000 // of one file; a page of a scan has some dozens
)

// parser reads values. It never fails: what it cannot read ends the reading, with ok false.
type parser struct {
	data   []byte
	at     int
	values *int // how many values may still be read
}

func isSpace(c byte) bool {
	return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\f' || c == 0
}

func isDelimiter(c byte) bool {
	return c == '(' || c == ')' || c == '<' || c == '>' || c == '[' || c == ']' || c == '{' || c == '}' || c == '/' || c == '%'
}

// space passes over white space and comments.
func (p *parser) space() {
	for p.at < len(p.data) {
		c := p.data[p.at]
		if c == '%' {
			end := bytes.IndexAny(p.data[p.at:min(len(p.data), p.at+4096)], "\r\n")
			if end < 0 {
				p.at = min(len(p.data), p.at+4096)
				continue
			}
			p.at += end
		} else if !isSpace(c) {
			return
		}
		p.at++
	}
}

// value reads one value. References are looked for where a whole number may begin one.
func (p *parser) value(depth int) (v any, ok bool) {
	p.space()
	if p.at >= len(p.data) || depth > mostDepth || *p.values <= 0 {
		return nil, false
	}
	*p.values--
	switch c := p.data[p.at]; {
	case c == '/':
		return p.name(), true
	case c == '(':
		return p.literal()
	case c == '[':
		return p.array(depth)
	case c == '<':
		if p.at+1 < len(p.data) && p.data[p.at+1] == '<' {
			return p.dict(depth)
		}
		return p.hexadecimal()
	case c == ')' || c == '>' || c == ']' || c == '{' || c == '}':
		return nil, false
	}
	return p.word(), true
}

// name reads /Name, where #20 stands for a byte.
func (p *parser) name() pdfName {
	from := p.at + 1
	p.at = from
	for p.at < len(p.data) && !isSpace(p.data[p.at]) && !isDelimiter(p.data[p.at]) {
		p.at++
	}
	raw := p.data[from:p.at]
	if bytes.IndexByte(raw, '#') < 0 {
		return pdfName(raw)
	}
	var out []byte
	for i := 0; i < len(raw); i++ {
		if raw[i] == '#' && i+2 < len(raw) {
			if b, err := strconv.ParseUint(string(raw[i+1:i+3]), 16, 8); err == nil {
				out = append(out, byte(b))
				i += 2
				continue
			}
		}
		out = append(out, raw[i])
	}
	return pdfName(out)
}

// literal reads a string in parentheses. Only palettes are ever used, so escapes matter.
func (p *parser) literal() (any, bool) {
	var out []byte
	open := 0
	for p.at < len(p.data) {
		c := p.data[p.at]
		p.at++
		switch c {
		case '(':
			if open++; open == 1 {
				continue
			}
		case ')':
			if open--; open == 0 {
				return pdfString(out), true
			}
		case '\\':
			out = p.escape(out)
			continue
		}
		out = append(out, c)
	}
	return nil, false
}

func (p *parser) escape(out []byte) []byte {
	if p.at >= len(p.data) {
		return out
	}
	c := p.data[p.at]
	p.at++
	switch c {
	case 'n':
		return append(out, '\n')
	case 'r':
		return append(out, '\r')
	case 't':
		return append(out, '\t')
	case 'b':
		return append(out, '\b')
	case 'f':
		return append(out, '\f')
	case '\n':
		return out
	case '\r':
		if p.at < len(p.data) && p.data[p.at] == '\n' {
			p.at++
		}
		return out
	}
	if c < '0' || c > '7' {
		return append(out, c)
	}
	v := int(c - '0')
	for i := 0; i < 2 && p.at < len(p.data) && p.data[p.at] >= '0' && p.data[p.at] <= '7'; i++ {
		v = v*8 + int(p.data[p.at]-'0')
		p.at++
	}
	return append(out, byte(v))
}

func (p *parser) hexadecimal() (any, bool) {
	end := bytes.IndexByte(p.data[p.at:], '>')
	if end < 0 {
		p.at = len(p.data)
		return nil, false
	}
	var digits []byte
	for _, c := range p.data[p.at+1 : p.at+end] {
		switch {
		case c >= '0' && c <= '9':
			digits = append(digits, c-'0')
		case c >= 'a' && c <= 'f':
			digits = append(digits, c-'a'+10)
		case c >= 'A' && c <= 'F':
			digits = append(digits, c-'A'+10)
		}
	}
	p.at += end + 1
	if len(digits)%2 == 1 {
		digits = append(digits, 0)
	}
	out := make([]byte, len(digits)/2)
	for i := range out {
		out[i] = digits[2*i]<<4 | digits[2*i+1]
	}
	return pdfString(out), true
}

func (p *parser) array(depth int) (any, bool) {
	p.at++
	var all pdfArray
	for {
		p.space()
		if p.at < len(p.data) && p.data[p.at] == ']' {
			p.at++
			return all, true
		}
		v, ok := p.value(depth + 1)
		if !ok {
			return nil, false
		}
		all = reference(append(all, v))
	}
}

// reference turns "12 0 R" at the end of an array into a reference.
func reference(all pdfArray) pdfArray {
	n := len(all)
	if n < 3 || all[n-1] != any(pdfWord("R")) {
		return all
	}
	number, ok1 := all[n-3].(float64)
	_, ok2 := all[n-2].(float64)
	if !ok1 || !ok2 || number < 0 || number > 1<<30 {
		return all
	}
	return append(all[:n-3], pdfRef(number))
}

func (p *parser) dict(depth int) (any, bool) {
	p.at += 2
	d := pdfDict{}
	var key pdfName
	var pending pdfArray // what follows the key
	keyed := false
	done := func() {
		if keyed && len(pending) > 0 {
			d[key] = pending[0]
		}
	}
	for {
		p.space()
		if p.at+1 < len(p.data) && p.data[p.at] == '>' && p.data[p.at+1] == '>' {
			p.at += 2
			done()
			return d, true
		}
		v, ok := p.value(depth + 1)
		if !ok {
			return nil, false
		}
		if name, isName := v.(pdfName); isName && (!keyed || len(pending) > 0) {
			done()
			key, keyed, pending = name, true, nil
			continue
		}
		pending = reference(append(pending, v))
	}
}

// word reads a number, or what stands between delimiters.
func (p *parser) word() any {
	from := p.at
	for p.at < len(p.data) && !isSpace(p.data[p.at]) && !isDelimiter(p.data[p.at]) {
		p.at++
	}
	raw := p.data[from:p.at]
	switch string(raw) {
	case "true":
		return true
	case "false":
		return false
	case "null":
		return nil
	}
	if c := raw[0]; len(raw) <= 32 && (c >= '0' && c <= '9' || c == '-' || c == '+' || c == '.') {
		if v, err := strconv.ParseFloat(string(raw), 64); err == nil {
			return v
		}
	}
	return pdfWord(raw[:min(len(raw), 32)])
}
