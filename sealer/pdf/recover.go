package pdf

import (
	"cmp"
	"context"
	"io"
	"slices"
	"strconv"

	"yinxin/internal/fault"
)

// Recovery: a cross-reference that is wrong, but leaves every object found without doubt, is built anew by reading the
// whole file. It serves sealing only. A verifier must never repair: what was signed is what the file says, and readers
// that repair differ in what they find.
//
// Without doubt means:
//   - every object number has one definition in the whole file, those in object streams counted; two revisions of an
//     object in a file whose chain of revisions is broken are two definitions;
//   - every definition can be read to its end, and none looks as if it held another one. Text in a stream is no
//     definition where a correct /Length delimits the stream; where the length is wrong, such text is doubt;
//   - every object that is referred to is there;
//   - there is one catalog, and the trailers that are left agree on it and on /Info;
//   - no object that is left of the cross-reference is called free there and found in the file all the same;
//   - no signature stands in the file: it would not be good any longer.

// Errors of recovery.
var (
	errDoubtful = fault.Spec{Kind: fault.Refused, Code: "pdf.ambiguous-damage",
		ZH: "文件的交叉引用已损坏，且文件内容有不止一种读法，不能盖章。",
		EN: "The cross-reference of the file is damaged and its content can be read in more than one way, so it cannot be sealed."}
	errIncomplete = fault.Spec{Kind: fault.Refused, Code: "pdf.incomplete-damage",
		ZH: "文件的交叉引用已损坏，且缺少文件需要的对象，不能盖章。",
		EN: "The cross-reference of the file is damaged and objects that the file needs are missing or cannot be read, so it cannot be sealed."}
)

// OpenRecovering is Open for a document that is to be sealed: where the cross-reference is wrong, now or when
// PlanSeal meets an object that is not where it should be, it is built anew from the whole file, if the objects can be
// told without doubt. The update that seals a recovered document carries a complete cross-reference section, so that
// the sealed file no longer needs the damaged one. A sound file costs what Open costs.
//
// Errors are those of Open, and pdf.ambiguous-damage, pdf.incomplete-damage and pdf.encrypted for a file that is
// damaged and not recovered.
func OpenRecovering(ctx context.Context, r io.ReaderAt, size int64) (*Document, error) {
	return DefaultLimits.OpenRecovering(ctx, r, size)
}

// OpenRecovering is the function OpenRecovering with limits of the caller's choice.
func (l Limits) OpenRecovering(ctx context.Context, r io.ReaderAt, size int64) (*Document, error) {
	d, err := l.begin(r, size)
	if err != nil {
		return nil, err
	}
	d.mayRecover = true
	err = d.readCrossReference(ctx)
	if fault.Has(err, errTruncated) || fault.Has(err, errAbsurdSize) {
		err = d.recover(ctx, err)
	} else {
		_, err = d.recoverAfter(ctx, err)
	}
	if err != nil {
		return nil, err
	}
	return d, nil
}

// Recovered is why the cross-reference was built anew: the fault that reading met, with its place. Nil for a document
// whose own cross-reference is used. It is settled once PlanSeal has returned.
func (d *Document) Recovered() error {
	if d.recovered == nil {
		return nil
	}
	return d.recovered
}

// Recovering runs fn, which reads the document, and runs it once more if it met a wrong cross-reference that could then
// be built anew. For a document of OpenRecovering; with any other it runs fn once.
func (d *Document) Recovering(ctx context.Context, fn func() error) error {
	err := fn()
	if again, failed := d.recoverAfter(ctx, err); failed != nil || !again {
		return failed
	}
	return fn()
}

// recoverAfter recovers the document if err says that the cross-reference is wrong and recovery is wanted; again says
// that it was done and that what failed is worth another try. Any other error comes back as it is.
func (d *Document) recoverAfter(ctx context.Context, err error) (again bool, _ error) {
	if err == nil || !d.mayRecover || d.recovered != nil || !fault.Has(err, errDamagedXref) {
		return false, err
	}
	return true, d.recover(ctx, err)
}

// recover builds the cross-reference anew. cause is what was found to be wrong with the present one.
func (d *Document) recover(ctx context.Context, cause error) error {
	d.reset()
	d.bias = d.header
	s := &salvage{d: d, ctx: ctx, found: found{d: d, size: 128 << 10}}
	if err := s.scan(); err != nil {
		return err
	}
	if err := s.single(); err != nil {
		return err
	}
	rebuilt := &section{start: d.size, after: d.size, kind: Table, raw: []byte("<<>>"), entries: &compact{s.objects}}
	d.sections = []*section{rebuilt}
	d.tail = d.size
	if err := s.settle(rebuilt); err != nil {
		return err
	}
	fields, err := d.SignatureFields(ctx)
	if err != nil {
		return errIncomplete.Because(err).With("the form")
	}
	for _, f := range fields {
		if f.Dict != nil || f.Value != (Ref{}) {
			return errDoubtful.With("the file has a signature").At(fault.Field(f.Name))
		}
	}
	f, _ := fault.Of(cause)
	d.recovered = f
	return nil
}

// reset forgets everything that came from the old cross-reference.
func (d *Document) reset() {
	d.sections, d.root = nil, Ref{}
	clear(d.cache)
	d.cached, d.large, d.largeNum, d.streams, d.pageTotal = 0, nil, 0, nil, 0
}

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
		rebuilt.entries = &compact{s.objects}
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
	size := Integer(max(rebuilt.end(), s.referred.end()))
	s.dropOld()
	rebuilt.entries = &compact{s.objects}
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
		return s.xrefStreams.has(int(e.num)) && !s.referred.has(int(e.num))
	})
}

// single sorts the definitions by number and refuses two of one number.
func (s *salvage) single() error {
	s.sort()
	for i := 1; i < len(s.objects); i++ {
		if a, b := s.objects[i-1], s.objects[i]; a.num == b.num {
			return errDoubtful.With("object %d is defined twice, %s and %s", a.num, a.where(s.d), b.where(s.d)).
				At(fault.Object(int(b.num), int(b.gen)))
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
func (e compactEntry) where(d *Document) string {
	if e.state == 'c' {
		return "in object stream " + strconv.FormatInt(e.offset>>32, 10)
	}
	return "at byte " + strconv.FormatInt(e.offset+d.bias, 10)
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
			return errIncomplete.With("the object stream has fewer objects than it says").At(fault.Object(num, 0))
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
		return Ref{}, errDoubtful.With("objects %d and %d are both catalogs", s.catalogs[0].Num, s.catalogs[1].Num).
			At(fault.Object(s.catalogs[1].Num, s.catalogs[1].Gen))
	case len(s.catalogs) == 1 && named && root != s.catalogs[0]:
		return Ref{}, errDoubtful.With("the trailer names object %d as the catalog, object %d is one", root.Num, s.catalogs[0].Num).
			At(fault.Object(s.catalogs[0].Num, s.catalogs[0].Gen))
	case len(s.catalogs) == 1:
		root = s.catalogs[0]
	}
	o, err := d.Object(root)
	if err != nil {
		return Ref{}, s.unreadable(err, fault.Object(root.Num, root.Gen))
	}
	if catalog, ok := o.(Dict); !ok || !catalog.Has("Pages") {
		return Ref{}, errIncomplete.With("there is no catalog")
	}
	return root, nil
}

// complete refuses references to objects that are not there.
func (s *salvage) complete() error {
	return s.referred.each(func(num int) error {
		if !s.has(num) {
			return errIncomplete.With("object %d is referred to and missing", num).At(fault.Object(num, 0))
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
				return nil, errDoubtful.With("one trailer names object %d as the catalog, another object %d", s.root.Num, root.Num)
			}
			s.root = root
		}
		if info, ok := t.Get("Info").(Ref); ok {
			if old, ok := merged.Get("Info").(Ref); ok && old != info {
				return nil, errDoubtful.With("one trailer names object %d as /Info, another object %d", old.Num, info.Num)
			}
			merged.Set("Info", info)
		}
		if id, ok := t.Get("ID").(Array); ok && len(id) == 2 {
			if old := merged.Get("ID"); old != nil && !sameFirstID(old, id) {
				return nil, errDoubtful.With("the trailers have different file identifiers")
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
	var freed numbers
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
				freed.add(e.Num, s.d.limits.Objects)
				return nil
			case InFile:
				i, ok := s.find(e.Num)
				right = right || ok && s.objects[i].state == 'n' && s.objects[i].offset+s.d.bias == e.Offset
			}
			freed.remove(e.Num)
			return nil
		})
		if err != nil && !fault.Has(err, errDamagedXref) {
			return err
		}
	}
	if !right {
		return nil
	}
	return freed.each(func(num int) error {
		if s.referred.has(num) && s.has(num) {
			return errDoubtful.With("object %d is called free, but it is there", num).At(fault.Object(num, 0))
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

// keepAll lists every object of a recovered document in the section that is being written, besides what the update
// writes itself. Numbers that were never used are free and must stay so: such entries refer to object 0 with the
// generation 65535 (ISO 32000-1, 7.5.4).
func (d *Document) keepAll(w *writer, size int) {
	var taken numbers
	for _, o := range w.objects {
		taken.add(o.ref.Num, size)
	}
	kept := d.sections[0].entries.(*compact)
	for i := range kept.entries {
		e := kept.entry(d, i)
		if taken.has(e.Num) {
			continue
		}
		taken.add(e.Num, size)
		o := written{ref: Ref{e.Num, e.Gen}, offset: e.Offset - d.bias}
		if e.State == Compressed {
			o = written{ref: Ref{Num: e.Num}, offset: int64(e.Stream), state: 'c', index: e.Index}
		}
		w.objects = append(w.objects, o)
	}
	// Absurd numbers would make an absurd table: then only what is there is listed.
	all := size <= maxFreeListed+2*len(w.objects)
	for num := range size {
		if !taken.has(num) && (all || num == 0) {
			w.objects = append(w.objects, written{ref: Ref{num, 65535}, state: 'f'})
		}
	}
}

// maxFreeListed is how many free entries a section may have beyond the number of those in use.
const maxFreeListed = 1000

// CheckEntries looks at every entry in use, whether its object stands where the entry says, and returns
// pdf.damaged-xref for the first that does not; a document of OpenRecovering is recovered instead, if it can be. It
// costs a look at each object, so it is for the intake of documents, not for every seal: PlanSeal itself only meets
// the objects that it needs.
func (d *Document) CheckEntries(ctx context.Context) error {
	for _, s := range d.Sections() {
		err := s.Objects(ctx, func(e XrefEntry) error {
			if e.State != InFile {
				return nil
			}
			if current, ok, err := inUse(d, e.Num); err != nil || !ok || current != e {
				return err // a later section decides
			}
			return d.checkEntry(e)
		})
		if err != nil {
			_, err = d.recoverAfter(ctx, err)
			return err
		}
	}
	return nil
}

func (d *Document) checkEntry(e XrefEntry) error {
	misplaced := func() error {
		return errDamagedXref.With("object %d is not where the cross-reference says", e.Num).At(fault.Offset(e.Offset))
	}
	if e.Offset >= d.size {
		return misplaced()
	}
	w, _, err := d.window(e.Offset, headBytes)
	if err != nil {
		return err
	}
	p := newParser(w, e.Offset, true, d.limits)
	num, ok1, _ := p.integer()
	gen, ok2, _ := p.integer()
	if found, _ := p.keyword("obj"); !found || !ok1 || !ok2 || num != int64(e.Num) || gen != int64(e.Gen) {
		return misplaced()
	}
	return nil
}
