package pdf

import (
	"sort"
	"strconv"
)

// Object is a PDF object: nil (null), bool, Integer, Real, Name, String, Array, Dict, *Stream or Ref.
type Object any

// Integer is a PDF integer.
type Integer int64

// Real is a PDF real number.
type Real float64

// oddNumber is a number that is not written as the standard says (ISO 32000-1, 7.3.3): with two signs, or with a sign or
// a second point inside. Readers make different numbers of it: it has a value here, and is the same as nothing but what
// is written alike.
type oddNumber struct {
	value float64
	text  string
}

// Name is a PDF name without the slash, with #xx decoded.
type Name string

// Ref is a reference to an indirect object. The zero value refers to nothing: object number 0 is never used.
type Ref struct{ Num, Gen int }

// String gives "12 0 R".
func (r Ref) String() string { return strconv.Itoa(r.Num) + " " + strconv.Itoa(r.Gen) + " R" }

// String is a PDF string with its place in the file.
type String struct {
	Value []byte
	Hex   bool
	// Start is the file offset of '(' or '<', End one past the closing character; both -1 in object streams.
	Start, End int64
}

// Array is a PDF array.
type Array []Object

// Entry is one key of a dictionary with its value.
type Entry struct {
	Key   Name
	Value Object
}

// Dict is a PDF dictionary in the order of the file, duplicate keys included.
type Dict []Entry

// Get returns the value of the first entry with key k, unresolved; nil when there is none.
func (d Dict) Get(k Name) Object {
	for i := range d {
		if d[i].Key == k {
			return d[i].Value
		}
	}
	return nil
}

// Has reports whether an entry with key k exists, also one whose value is null.
func (d Dict) Has(k Name) bool {
	for i := range d {
		if d[i].Key == k {
			return true
		}
	}
	return false
}

// count is how often a key occurs.
func (d Dict) count(k Name) int {
	n := 0
	for i := range d {
		if d[i].Key == k {
			n++
		}
	}
	return n
}

// Duplicate returns a key that occurs more than once, if there is one.
func (d Dict) Duplicate() (Name, bool) {
	if len(d) <= 32 {
		for i := range d {
			for j := range d[:i] {
				if d[i].Key == d[j].Key {
					return d[i].Key, true
				}
			}
		}
		return "", false
	}
	keys := make([]string, len(d))
	for i := range d {
		keys[i] = string(d[i].Key)
	}
	sort.Strings(keys)
	for i := 1; i < len(keys); i++ {
		if keys[i] == keys[i-1] {
			return Name(keys[i]), true
		}
	}
	return "", false
}

// Set replaces the value of the first entry with key k in place, or adds one at the end.
func (d *Dict) Set(k Name, v Object) {
	for i := range *d {
		if (*d)[i].Key == k {
			(*d)[i].Value = v
			return
		}
	}
	*d = append(*d, Entry{k, v})
}

// Delete removes every entry with key k in place.
func (d *Dict) Delete(k Name) {
	kept := (*d)[:0]
	for _, e := range *d {
		if e.Key != k {
			kept = append(kept, e)
		}
	}
	*d = kept
}

// Clone copies the dictionary so that Set and Delete do not change the original; values are shared.
func (d Dict) Clone() Dict { return append(Dict(nil), d...) }

// Stream is a PDF stream: its dictionary and where its raw (encoded) data stand.
type Stream struct {
	Dict Dict
	// Start is the file offset of the first raw byte, Length the number of raw bytes. Where the file's own /Length
	// is wrong, Length is what was found by looking for endstream.
	Start, Length int64
}

// Rect is a rectangle in points, normalised so that X1 <= X2 and Y1 <= Y2.
type Rect struct{ X1, Y1, X2, Y2 float64 }

// Width is X2 - X1.
func (r Rect) Width() float64 { return r.X2 - r.X1 }

// Height is Y2 - Y1.
func (r Rect) Height() float64 { return r.Y2 - r.Y1 }

// Number gives the value of an Integer or a Real.
func Number(o Object) (float64, bool) {
	switch v := o.(type) {
	case Integer:
		return float64(v), true
	case Real:
		return float64(v), true
	case oddNumber:
		return v.value, true
	}
	return 0, false
}
