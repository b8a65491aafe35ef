package pdf

import (
	"cmp"
	"fmt"
	"slices"

	"yinxin/internal/bitset"
	"yinxin/internal/fault"
)

// settle completes the section: what object streams hold, the catalog and the trailer.
func (s *salvage) settle(rebuilt *section) error {
	d := s.d
	merged, err := s.mergeTrailers()
	if err != nil {
		return err
	}
	for _, num := range s.objectStreams {
		if err := s.unpack(int(num)); err != nil {
			return err
		}
	}
	if len(s.objectStreams) > 0 {
		rebuilt.kind = StreamXref
		if err := s.single(); err != nil {
			return err
		}
		rebuilt.entries = &compact{entries: s.objects}
		d.reset()
		d.sections = []*section{rebuilt}
	}
	if d.root, err = s.catalog(); err != nil {
		return err
	}
	if err := s.complete(); err != nil {
		return err
	}
	if err := s.checkFree(); err != nil {
		return err
	}
	size := Integer(max(rebuilt.end(), s.referred.End()))
	s.dropOld()
	rebuilt.entries = &compact{entries: s.objects}
	rebuilt.trailer = append(Dict{{"Size", size}, {"Root", d.root}}, merged...)
	if info, ok := merged.Get("Info").(Ref); ok && s.has(info.Num) {
		rebuilt.raw = []byte("<</Info " + info.String() + ">>")
	}
	return nil
}

// dropOld leaves out the streams of the old cross-reference, which nothing refers to: they would only be damage that a
// sound file carries along. Their numbers stay used up.
func (s *salvage) dropOld() {
	s.objects = slices.DeleteFunc(s.objects, func(e compactEntry) bool {
		return s.xrefStreams.Has(int(e.num)) && !s.referred.Has(int(e.num))
	})
}

// single sorts the definitions by number and refuses two of one number.
func (s *salvage) single() error {
	s.sort()
	for i := 1; i < len(s.objects); i++ {
		if a, b := s.objects[i-1], s.objects[i]; a.num == b.num {
			firstZH, firstEN := a.where(s.d)
			secondZH, secondEN := b.where(s.d)
			return errDoubtful.Saying(fmt.Sprintf("对象 %d 定义了两次：%s和%s", a.num, firstZH, secondZH),
				fmt.Sprintf("object %d is defined twice, %s and %s", a.num, firstEN, secondEN)).At(fault.Object(int(b.num), int(b.gen)))
		}
	}
	return nil
}

func (s *salvage) sort() {
	slices.SortFunc(s.objects, func(a, b compactEntry) int {
		if a.num != b.num {
			return int(a.num) - int(b.num)
		}
		return cmp.Compare(a.offset, b.offset)
	})
}

// where says where a definition stands.
func (e compactEntry) where(d *Document) (zh, en string) {
	if e.state == 'c' {
		stream := e.offset >> 32
		return fmt.Sprintf("对象流 %d 中", stream), fmt.Sprintf("in object stream %d", stream)
	}
	at := e.offset + d.bias
	return fmt.Sprintf("第 %d 字节处", at), fmt.Sprintf("at byte %d", at)
}

// unpack adds what an object stream holds to the definitions.
func (s *salvage) unpack(num int) error {
	d := s.d
	stream, err := d.objectStream(num)
	if err != nil {
		return s.unreadable(err, fault.Object(num, 0))
	}
	o, err := d.Object(Ref{num, 0})
	if err != nil {
		return s.unreadable(err, fault.Object(num, 0))
	}
	if holder, ok := o.(*Stream); ok {
		if n, err := d.integer(holder.Dict.Get("N")); err != nil || n != int64(len(stream.numbers)) {
			return errIncomplete.Saying("对象流中的对象比所写的少", "the object stream has fewer objects than it says").At(fault.Object(num, 0))
		}
	}
	p := newParser(stream.data, -1, true, d.limits)
	for i, n := range stream.numbers {
		if err := s.ctx.Err(); err != nil {
			return err
		}
		p.pos, p.depth, p.elements = int(stream.offsets[i]), d.limits.Depth, d.limits.Elements
		start := p.pos
		o, err := p.value()
		if err == nil {
			err = d.spend(int64(p.pos - start))
		}
		if err != nil {
			return s.unreadable(err, fault.Object(int(n), 0))
		}
		if err := s.define(compactEntry{offset: int64(num)<<32 | int64(i), num: n, state: 'c'}); err != nil {
			return err
		}
		s.look(o, Ref{int(n), 0})
	}
	return nil
}

// unreadable is the refusal for a definition that cannot be read; limits and failures to read stay what they are.
func (s *salvage) unreadable(err error, place fault.Place) error {
	if f, ok := fault.Of(err); !ok || f.Kind == fault.TooLarge || f.Kind == fault.Internal || f.Kind == fault.Refused {
		return err
	}
	f := errIncomplete.Because(err).At(place)
	if why, ok := fault.Of(err); ok && why.Detail() != "" {
		f = f.With("%s", why.Detail())
	}
	return f
}

// catalog is the one catalog of the file, which the trailers must name if they name any.
func (s *salvage) catalog() (Ref, error) {
	d := s.d
	root, named := s.root, s.root != (Ref{})
	switch {
	case len(s.catalogs) > 1:
		return Ref{}, errDoubtful.Sayingf("对象 %d 和 %d 都是文档目录（catalog）", "objects %d and %d are both catalogs", s.catalogs[0].Num, s.catalogs[1].Num).
			At(fault.Object(s.catalogs[1].Num, s.catalogs[1].Gen))
	case len(s.catalogs) == 1 && named && root != s.catalogs[0]:
		return Ref{}, errDoubtful.Sayingf("文件尾指对象 %d 为文档目录（catalog），而对象 %d 才是", "the trailer names object %d as the catalog, object %d is one", root.Num, s.catalogs[0].Num).
			At(fault.Object(s.catalogs[0].Num, s.catalogs[0].Gen))
	case len(s.catalogs) == 1:
		root = s.catalogs[0]
	}
	o, err := d.Object(root)
	if err != nil {
		return Ref{}, s.unreadable(err, fault.Object(root.Num, root.Gen))
	}
	if catalog, ok := o.(Dict); !ok || !catalog.Has("Pages") {
		return Ref{}, errIncomplete.Saying("没有文档目录（catalog）", "there is no catalog")
	}
	return root, nil
}

// complete refuses references to objects that are not there.
func (s *salvage) complete() error {
	return s.referred.Each(func(num int) error {
		if !s.has(num) {
			return errIncomplete.Sayingf("引用了对象 %d，但文件中没有", "object %d is referred to and missing", num).At(fault.Object(num, 0))
		}
		return nil
	})
}

// mergeTrailers gives /Info and /ID of the trailers that are left. They must agree, but for the changing half of /ID.
func (s *salvage) mergeTrailers() (Dict, error) {
	var merged Dict
	for _, t := range s.trailers {
		if t.Get("Encrypt") != nil {
			return nil, errEncrypted.New()
		}
		if root, ok := t.Get("Root").(Ref); ok {
			if s.root != (Ref{}) && s.root != root {
				return nil, errDoubtful.Sayingf("一处文件尾指对象 %d 为文档目录（catalog），另一处指对象 %d", "one trailer names object %d as the catalog, another object %d", s.root.Num, root.Num)
			}
			s.root = root
		}
		if info, ok := t.Get("Info").(Ref); ok {
			if old, ok := merged.Get("Info").(Ref); ok && old != info {
				return nil, errDoubtful.Sayingf("一处文件尾指对象 %d 为 /Info，另一处指对象 %d", "one trailer names object %d as /Info, another object %d", old.Num, info.Num)
			}
			merged.Set("Info", info)
		}
		if id, ok := t.Get("ID").(Array); ok && len(id) == 2 {
			if old := merged.Get("ID"); old != nil && !sameFirstID(old, id) {
				return nil, errDoubtful.Saying("各处文件尾的文件标识不同", "the trailers have different file identifiers")
			}
			merged.Set("ID", id)
		}
	}
	return merged, nil
}

// remainsCost is what looking at one entry of the old cross-reference costs, in parsed bytes.
const remainsCost = 64

// checkFree refuses what the remains of the cross-reference call free and the file has: a reader that trusts the
// remains does not show it, one that repairs does. Remains that fit no object at all are not evidence.
func (s *salvage) checkFree() error {
	var freed bitset.Set
	right := false
	remains := s.remains
	if s.hybrid {
		// What the tables of a hybrid file call free may stand in its streams (ISO 32000-1, 7.5.8.4).
		remains = slices.Clone(remains)
		slices.SortStableFunc(remains, func(a, b *section) int { return cmp.Compare(a.kind, b.kind) })
	}
	for _, old := range remains {
		err := Section{section: old, document: s.d}.Objects(s.ctx, func(e XrefEntry) error {
			if err := s.d.spend(remainsCost); err != nil {
				return err
			}
			switch e.State {
			case Free:
				freed.Add(e.Num, s.d.limits.Objects)
				return nil
			case InFile:
				i, ok := s.find(e.Num)
				right = right || ok && s.objects[i].state == 'n' && s.objects[i].offset+s.d.bias == e.Offset
			}
			freed.Remove(e.Num)
			return nil
		})
		if err != nil && !fault.Has(err, errDamagedXref) {
			return err
		}
	}
	if !right {
		return nil
	}
	return freed.Each(func(num int) error {
		if s.referred.Has(num) && s.has(num) {
			return errDoubtful.Sayingf("对象 %d 标为空闲，文件中却有它", "object %d is called free, but it is there", num).At(fault.Object(num, 0))
		}
		return nil
	})
}

// find looks a definition up, once they are sorted.
func (s *salvage) find(num int) (int, bool) {
	return slices.BinarySearchFunc(s.objects, num, func(e compactEntry, n int) int { return int(e.num) - n })
}

func (s *salvage) has(num int) bool {
	_, ok := s.find(num)
	return ok
}
