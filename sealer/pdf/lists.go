package pdf

import (
	"strconv"

	"yinxin/internal/fault"
)

// rewrite is an existing object with its new source; it keeps number and generation.
type rewrite struct {
	ref  Ref
	body []byte
}

// rewrite notes the new source of an object. An object that serves as page and as catalog or form is not one that a
// person made.
func (p *plan) rewrite(ref Ref, body []byte) error {
	for _, r := range p.rewrites {
		if r.ref.Num == ref.Num {
			return errAmbiguous.Saying("同一个对象被当作两个使用", "one object serves as two").At(fault.Object(ref.Num, ref.Gen))
		}
	}
	p.rewrites = append(p.rewrites, rewrite{ref, body})
	return nil
}

// addToList returns the change that adds new objects to the array under a key of the dictionary with source raw.
//
// An array that is an object of its own is copied into the dictionary instead of being rewritten: producers let several
// pages share one array, or a page and the form, and what is added must stand on one page only.
func (d *Document) addToList(raw []byte, dict Dict, key Name, added ...Ref) (edit, error) {
	if dict.count(key) > 1 {
		return edit{}, errAmbiguous.With("/%s", key)
	}
	_, l, err := d.owner(dict.Get(key))
	if err != nil {
		return edit{}, err
	}
	value := dict.Get(key)
	if l != nil {
		value = l.object
	}
	switch value.(type) {
	case nil, Ref:
		// Absent, null, or a reference to nothing.
		return edit{key, append(append([]byte{'['}, references(added...)...), ']')}, nil
	case Array:
	default:
		return edit{}, errDamagedObject.Sayingf("/%s 不是数组", "/%s is not an array", key)
	}
	var source []byte
	if l != nil {
		if source, err = d.raw(l); err != nil {
			return edit{}, err
		}
	} else {
		span, err := findEntry(raw, key, d.limits)
		if err != nil {
			return edit{}, err
		}
		source = raw[span.start:span.end]
	}
	return edit{key, spliceArray(source, references(added...))}, nil
}

// owner follows references to the object that holds a value; nil when the value is direct or missing.
func (d *Document) owner(o Object) (Ref, *located, error) {
	for range maxChain {
		ref, ok := o.(Ref)
		if !ok {
			return Ref{}, nil, nil
		}
		l, err := d.locate(ref)
		if err != nil || l == nil {
			return Ref{}, nil, err
		}
		if _, more := l.object.(Ref); !more {
			return ref, l, nil
		}
		o = l.object
	}
	return Ref{}, nil, errTooDeep.Saying("引用一环套一环", "a chain of references")
}

// references is the text of references.
func references(refs ...Ref) []byte {
	var out []byte
	for i, r := range refs {
		if i > 0 {
			out = append(out, ' ')
		}
		out = append(strconv.AppendInt(out, int64(r.Num), 10), ' ')
		out = append(strconv.AppendInt(out, int64(r.Gen), 10), " R"...)
	}
	return out
}

// source returns what a reference names with its source; nil when there is nothing.
func (d *Document) source(o Object) (Ref, *located, []byte, error) {
	ref, l, err := d.owner(o)
	if err != nil || l == nil {
		return ref, nil, nil, err
	}
	raw, err := d.raw(l)
	return ref, l, raw, err
}
