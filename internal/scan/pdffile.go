package scan

import (
	"bytes"
	"errors"
	"io"
	"strconv"
)

// pdfFile is a PDF file whose objects were found by reading it from the front: cross-reference tables of scanners are often
// wrong, and a file that was only scanned has nothing that needs them. Of several objects with one number the last one
// counts, as with incremental updates.
type pdfFile struct {
	data    []byte
	objects map[int]pdfObject
	root    any
	values  int // how many may still be read
	unpack  int // how many bytes may still be unpacked, pictures excepted
}

// pdfObject is a value, with the bytes of its stream where it has one.
type pdfObject struct {
	value  any
	stream []byte
}

const (
	mostObjects  = 200_000
	mostUnpacked = 64 << 20 // of object streams and page contents of one file
)

var errEncryptedPDF = errors.New("encrypted")

// finder finds where objects and trailers begin. It never looks at a byte twice for a word.
type finder struct {
	data          []byte
	word, trailer int // where the next ones are known to stand; len(data): nowhere
}

// object finds the next "12 0 obj" or "trailer" from a place on: the number of the object, or -1, and where its value begins.
func (n *finder) object(from int) (number, start int, found bool) {
	const word, trailer = "obj", "trailer"
	next := func(known int, text string, from int) int {
		if known >= from && known > 0 {
			return known
		}
		if i := bytes.Index(n.data[from:], []byte(text)); i >= 0 {
			return from + i
		}
		return len(n.data)
	}
	n.trailer = next(n.trailer, trailer, from)
	for at := from; ; at = n.word + len(word) {
		n.word = next(n.word, word, at)
		switch {
		case n.trailer < n.word:
			return -1, n.trailer + len(trailer), true
		case n.word == len(n.data):
			return 0, 0, false
		}
		if number, ok := n.numbered(n.word, from); ok {
			return number, n.word + len(word), true
		}
	}
}

// numbered reads the number and the generation before the word at a place.
func (n *finder) numbered(at, from int) (number int, ok bool) {
	generation, at, ok := n.digitsBefore(at, from)
	if !ok || len(generation) > 5 {
		return 0, false
	}
	digits, _, ok := n.digitsBefore(at, from)
	if !ok || len(digits) > 9 {
		return 0, false
	}
	number, err := strconv.Atoi(string(digits))
	return number, err == nil
}

// digitsBefore reads digits and the white space behind them that end at a place, and where they begin.
func (n *finder) digitsBefore(at, from int) (digits []byte, start int, ok bool) {
	end := at
	for end > from && end > at-16 && isSpace(n.data[end-1]) {
		end--
	}
	start = end
	for start > from && start > end-16 && n.data[start-1] >= '0' && n.data[start-1] <= '9' {
		start--
	}
	return n.data[start:end], start, end < at && start < end
}

// readPDF finds all objects. Error: errEncryptedPDF, or anything else for a file that is none.
func readPDF(data []byte) (*pdfFile, error) {
	f := &pdfFile{data: data, objects: map[int]pdfObject{}, values: mostValues, unpack: mostUnpacked}
	next := finder{data: data}
	for at := 0; ; {
		number, start, found := next.object(at)
		if !found {
			break
		}
		at = start
		p := &parser{data: data, at: start, values: &f.values}
		v, ok := p.value(0)
		if !ok {
			// What is read in vain counts, or a file could have everything read many times.
			if f.values -= (p.at - start) / 8; f.values <= 0 {
				return nil, errors.New("too many values")
			}
			continue
		}
		at = p.at
		if number < 0 {
			if err := f.trailer(v); err != nil {
				return nil, err
			}
			continue
		}
		if len(f.objects) >= mostObjects {
			return nil, errors.New("too many objects")
		}
		object := pdfObject{value: v}
		if d, isDict := v.(pdfDict); isDict {
			object.stream, at = f.streamAt(d, p)
			if err := f.special(d, object.stream); err != nil {
				return nil, err
			}
		}
		f.objects[number] = object
	}
	if f.root == nil {
		f.findRoot()
	}
	return f, nil
}

// streamAt finds the bytes of a stream behind its dictionary, and where reading goes on.
func (f *pdfFile) streamAt(d pdfDict, p *parser) ([]byte, int) {
	p.space()
	rest := f.data[p.at:]
	if !bytes.HasPrefix(rest, []byte("stream")) {
		return nil, p.at
	}
	from := p.at + len("stream")
	if bytes.HasPrefix(f.data[from:], []byte("\r\n")) {
		from += 2
	} else if from < len(f.data) && (f.data[from] == '\n' || f.data[from] == '\r') {
		from++
	}
	if length, ok := d["Length"].(float64); ok && length >= 0 && length <= float64(len(f.data)-from) {
		end := from + int(length)
		if bytes.HasPrefix(bytes.TrimLeft(f.data[end:min(len(f.data), end+16)], "\r\n \t"), []byte("endstream")) {
			return f.data[from:end], end
		}
	}
	end := bytes.Index(f.data[from:], []byte("endstream"))
	if end < 0 {
		return f.data[from:], len(f.data)
	}
	return f.data[from : from+end], from + end
}

// special looks at objects that say something of the file: cross-reference streams are trailers, too, and object streams hold
// further objects.
func (f *pdfFile) special(d pdfDict, stream []byte) error {
	switch d["Type"] {
	case pdfName("XRef"):
		return f.trailer(d)
	case pdfName("ObjStm"):
		f.objectStream(d, stream)
	}
	return nil
}

func (f *pdfFile) trailer(v any) error {
	d, ok := v.(pdfDict)
	if !ok {
		return nil
	}
	if d["Encrypt"] != nil {
		return errEncryptedPDF
	}
	if root := d["Root"]; root != nil {
		f.root = root
	}
	return nil
}

// objectStream reads the objects of a stream (7.5.7): pairs of number and offset, then the values.
func (f *pdfFile) objectStream(d pdfDict, stream []byte) {
	data, ok := f.unpacked(d, stream)
	count, isNumber := d["N"].(float64)
	first, isOffset := d["First"].(float64)
	if !ok || !isNumber || !isOffset || first < 0 || int(first) > len(data) {
		return
	}
	head := &parser{data: data[:int(first)], values: &f.values}
	for range int(min(max(count, 0), mostObjects)) {
		number, ok1 := head.value(0)
		offset, ok2 := head.value(0)
		n, isNumber := number.(float64)
		o, isOffset := offset.(float64)
		if !ok1 || !ok2 || !isNumber || !isOffset || n < 0 || n > 1<<30 || o < 0 || first+o > float64(len(data)) || len(f.objects) >= mostObjects {
			return
		}
		p := &parser{data: data, at: int(first + o), values: &f.values}
		if v, ok := p.value(0); ok {
			f.objects[int(n)] = pdfObject{value: v}
		}
	}
}

func (f *pdfFile) findRoot() {
	for number, o := range f.objects {
		if d, ok := o.value.(pdfDict); ok && d["Type"] == any(pdfName("Catalog")) {
			f.root = pdfRef(number)
		}
	}
}

// resolve follows references to a value.
func (f *pdfFile) resolve(v any) any {
	o, _ := f.object(v)
	return o.value
}

// object follows references to an object.
func (f *pdfFile) object(v any) (pdfObject, bool) {
	for range 8 {
		ref, ok := v.(pdfRef)
		if !ok {
			return pdfObject{value: v}, true
		}
		o, found := f.objects[int(ref)]
		if !found {
			return pdfObject{}, false
		}
		if _, again := o.value.(pdfRef); !again {
			return o, true
		}
		v = o.value
	}
	return pdfObject{}, false
}

func (f *pdfFile) dict(v any) pdfDict {
	d, _ := f.resolve(v).(pdfDict)
	return d
}

func (f *pdfFile) number(v any, otherwise float64) float64 {
	if n, ok := f.resolve(v).(float64); ok {
		return n
	}
	return otherwise
}

// filters are the filters of a stream with their parameters, from the outermost.
func (f *pdfFile) filters(d pdfDict) (names []pdfName, parameters []pdfDict) {
	first := func(keys ...pdfName) any {
		for _, k := range keys {
			if d[k] != nil {
				return f.resolve(d[k])
			}
		}
		return nil
	}
	switch v := first("Filter", "F").(type) {
	case pdfName:
		names = []pdfName{v}
	case pdfArray:
		for _, e := range v {
			name, _ := f.resolve(e).(pdfName)
			names = append(names, name)
		}
	}
	parameters = make([]pdfDict, len(names))
	switch v := first("DecodeParms", "DP").(type) {
	case pdfDict:
		if len(names) > 0 {
			parameters[0] = v
		}
	case pdfArray:
		for i := range min(len(v), len(names)) {
			parameters[i] = f.dict(v[i])
		}
	}
	return names, parameters
}

// unpacked gives what a stream of text holds: page contents, object streams. False where it is coded in another way, or
// holds more than may be unpacked.
func (f *pdfFile) unpacked(d pdfDict, stream []byte) ([]byte, bool) {
	names, parameters := f.filters(d)
	if len(names) > 4 {
		return nil, false
	}
	for _, parameter := range parameters {
		if parameter != nil && f.number(parameter["Predictor"], 1) > 1 {
			return nil, false // cross-reference streams have one; nothing that is read here does
		}
	}
	left := f.unpack
	in, ok := chain(names, bytes.NewReader(stream), &left)
	if !ok {
		return nil, false
	}
	// What comes before an error is kept: streams are often cut short by a byte or two.
	data, _ := io.ReadAll(io.LimitReader(in, int64(f.unpack)+1))
	if len(names) == 0 {
		left -= len(data)
	}
	if f.unpack = max(left, 0); left <= 0 {
		return nil, false
	}
	return data, true
}
