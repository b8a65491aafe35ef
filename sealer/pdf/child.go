package pdf

import "yinxin/internal/fault"

// child is a dictionary that an update may change: an object of its own, or one inside another, with its source.
type child struct {
	ref    Ref // zero for one inside another
	dict   Dict
	source []byte
	absent bool // it does not exist yet; source is that of an empty one
}

// catalogSource is the catalog.
func (d *Document) catalogSource() (child, error) {
	ref, l, raw, err := d.source(d.root)
	if err != nil {
		return child{}, err
	}
	if l == nil {
		return child{}, errDamagedXref.Saying("缺少文档目录（catalog）", "the catalog is missing")
	}
	catalog, ok := l.object.(Dict)
	if !ok {
		return child{}, errDamagedXref.Saying("缺少文档目录（catalog）", "the catalog is missing").At(fault.Object(ref.Num, ref.Gen))
	}
	return child{ref: ref, dict: catalog, source: raw}, nil
}

// child finds the dictionary under a key of another.
func (d *Document) child(parent child, key Name) (child, error) {
	damaged := func(ref Ref) (child, error) {
		return child{}, at(errDamagedObject.Sayingf("/%s 不是字典", "/%s is not a dictionary", key), ref)
	}
	if parent.dict.count(key) > 1 {
		return child{}, at(errAmbiguous.With("/%s", key), parent.ref)
	}
	ref, l, raw, err := d.source(parent.dict.Get(key))
	if err != nil {
		return child{}, err
	}
	if l != nil {
		dict, ok := l.object.(Dict)
		if !ok {
			return damaged(ref)
		}
		return child{ref: ref, dict: dict, source: raw}, nil
	}
	switch value := parent.dict.Get(key).(type) {
	case Dict:
		span, err := findEntry(parent.source, key, d.limits)
		return child{dict: value, source: parent.source[span.start:span.end]}, err
	case nil, Ref:
		// Absent, null, or a reference to nothing.
		return child{source: []byte("<<>>"), absent: true}, nil
	}
	return damaged(parent.ref)
}

// setChild makes changes to a child and returns what its parent must change for that: nothing where the child is an
// object of its own.
func (p *plan) setChild(c child, key Name, edits []edit) ([]edit, error) {
	body, err := spliceDict(c.source, p.document.limits, edits...)
	if err != nil {
		return nil, at(err, c.ref)
	}
	if c.ref != (Ref{}) {
		return nil, p.rewrite(c.ref, body)
	}
	return []edit{{key, body}}, nil
}
