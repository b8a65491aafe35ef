package verify

import (
	"fmt"
	"slices"

	"yinxin/internal/fault"
	"yinxin/sealer/pdf"
)

const (
	// maxRevisions is how many states of a file are compared; each is opened and compared on its own.
	maxRevisions = 300
	// maxOpened bounds the cross-reference sections read for that: each state has all sections of the one before.
	maxOpened = 200_000
)

// revision is a state of the file, ending where a signature's coverage or an incremental update ends.
type revision struct {
	end     int64
	changes []pdf.Change // what this revision did to the one before it
	signed  bool         // a signature covers it exactly
}

// Kinds of changes that do not come from the comparison of documents.
const (
	changeWhiteSpace = "white-space"
	changeAppended   = "appended"
	changeRewritten  = "rewritten"
	changeUnknown    = "unknown"
)

// checkRevisions checks that each signature covers a complete state of the document that it belongs to, and finds
// what later states changed.
func (v *verification) checkRevisions() error {
	previous := int64(0)
	for _, s := range v.signatures {
		if !s.sound {
			continue
		}
		if s.gap[0] < previous {
			v.breakRevision(s, text{"签名覆盖范围与另一个签名交错。", "What the signature covers crosses another signature."})
			continue
		}
		doc, err := v.coveredDocument(s)
		if err != nil {
			if v.stops(err) {
				return err
			}
			if fault.Has(err, errTooMuch) {
				s.sound = false
				s.check(CheckRevision, NotChecked, Undetermined, sentences(err))
				continue
			}
			v.breakRevision(s, text{"签名覆盖的部分不是完整的文件：" + sentences(err).zh,
				"The part that the signature covers is not a complete document: " + sentences(err).en})
			continue
		}
		if doc == nil {
			continue // breakRevision was told
		}
		previous = s.end
		s.out.Coverage = CoverageRevision
		if s.end == v.size {
			s.out.Coverage = CoverageWhole
		}
		s.ok(CheckRevision, text{"签名覆盖到一个完整版本的末尾。", "The signature covers everything up to the end of a revision."})
		v.revisions = append(v.revisions, revision{end: s.end, signed: true})
	}
	if len(v.revisions) == 0 {
		return nil
	}
	if !v.addUpdates() {
		return nil
	}
	if err := v.compareRevisions(); err != nil {
		return err
	}
	return v.checkTail()
}

// breakRevision marks a signature whose covered part is no revision.
func (v *verification) breakRevision(s *signature, t text) {
	s.sound = false
	s.check(CheckRevision, Failed, Invalid, t)
}

// stops tells errors that end the verification from those that speak of the file.
func (v *verification) stops(err error) bool {
	if v.ctx.Err() != nil {
		return true
	}
	f, ok := fault.Of(err)
	return !ok || f.Kind == fault.Internal || f.Kind == fault.Unavailable
}

// coveredDocument opens the part that a signature covers and finds the signature in it: a copied signature
// dictionary belongs to another state of the document than its ByteRange says. Nil without error: the signature was
// judged.
func (v *verification) coveredDocument(s *signature) (*pdf.Document, error) {
	doc := v.doc
	if s.end != v.size {
		var err error
		if doc, err = v.documentAt(s.end); err != nil {
			return nil, err
		}
	}
	end := doc.RevisionEnd()
	complete := end > 0 && end <= s.end
	if complete && end < s.end {
		var err error
		complete, _, err = onlyWhiteSpace(v.reader, end, s.end, v.ctx.Err)
		if err != nil {
			return nil, err
		}
	}
	if !complete {
		v.breakRevision(s, text{"签名覆盖范围没有止于一个完整版本的末尾。", "What the signature covers does not end at the end of a revision."})
		return nil, nil
	}
	if doc == v.doc {
		return doc, nil
	}
	there, err := v.standsIn(doc, s)
	if err != nil {
		return nil, err
	}
	if !there {
		v.breakRevision(s, text{"签名覆盖的版本中没有这个签名。", "The signature does not exist in the revision that it covers."})
		return nil, nil
	}
	return doc, nil
}

// standsIn tells whether a state of the document has the signature: the same field with the same signature dictionary
// at the same place. That the field was in the form then need not be looked up: the comparison permits no older
// object to join the form.
func (v *verification) standsIn(doc *pdf.Document, s *signature) (bool, error) {
	f := s.field
	if f.Value == (pdf.Ref{}) || f.Field == (pdf.Ref{}) {
		fields, err := doc.SignatureFields(v.ctx)
		return slices.ContainsFunc(fields, func(o pdf.SignatureField) bool {
			return o.Field == f.Field && o.Value == f.Value && o.DictStart == f.DictStart
		}), err
	}
	was, existed, err := doc.Entry(f.Value.Num)
	if err != nil {
		return false, err
	}
	is, _, err := v.doc.Entry(f.Value.Num)
	if err != nil {
		return false, err
	}
	o, err := doc.Object(f.Field)
	if err != nil {
		return false, err
	}
	field, ok := o.(pdf.Dict)
	return existed && was == is && ok && field.Get("V") == pdf.Object(f.Value), nil
}

// addUpdates adds the states that incremental updates after the first signature ended with and no signature covers.
// It says false when there are more than are looked through.
func (v *verification) addUpdates() bool {
	first := v.revisions[0].end
	var ends []int64
	for _, section := range v.doc.Sections() {
		if section.Start >= first && section.End > 0 {
			ends = append(ends, section.End)
		}
	}
	slices.Sort(ends)
	signed := len(v.revisions)
	for _, end := range slices.Compact(ends) {
		// The end of line after %%EOF may or may not be covered: the same state.
		near := func(r revision) bool { return r.end >= end-2 && r.end <= end+2 }
		i, found := slices.BinarySearchFunc(v.revisions[:signed], end-2, func(r revision, e int64) int {
			return int(min(1, max(-1, r.end-e)))
		})
		if found || (i < signed && near(v.revisions[i])) {
			continue
		}
		v.revisions = append(v.revisions, revision{end: end})
	}
	slices.SortFunc(v.revisions, func(a, b revision) int { return int(min(1, max(-1, a.end-b.end))) })
	if len(v.revisions) > maxRevisions {
		v.revisions = append(v.revisions[:1], revision{end: v.size, changes: []pdf.Change{unreadableChange(errTooMuch.New())}})
		return false
	}
	return true
}

// compareRevisions compares each state with the next.
func (v *verification) compareRevisions() error {
	if len(v.revisions) < 2 {
		return nil
	}
	before, err := v.documentAt(v.revisions[0].end)
	if err != nil {
		return err
	}
	var comparer pdf.Comparer
	for i := 1; i < len(v.revisions); i++ {
		r := &v.revisions[i]
		after, err := v.documentAt(r.end)
		if err == nil && before != nil {
			r.changes, err = comparer.Compare(v.ctx, before, after)
		}
		if err != nil {
			if v.stops(err) {
				return err
			}
			r.changes = []pdf.Change{unreadableChange(err)}
		} else if before == nil {
			r.changes = []pdf.Change{unreadableChange(errRead.New())}
		} else if len(r.changes) == 0 {
			r.changes = []pdf.Change{{Permitted: true, Kind: changeRewritten,
				ZH: "追加了一个没有改动内容的版本。", EN: "A revision was appended that changes nothing."}}
		}
		before = after
	}
	return nil
}

func unreadableChange(err error) pdf.Change {
	t := sentences(err)
	return pdf.Change{Kind: changeUnknown, ZH: "后来追加的版本无法读取：" + t.zh, EN: "What was appended later cannot be read: " + t.en}
}

// documentAt opens the first end bytes.
func (v *verification) documentAt(end int64) (*pdf.Document, error) {
	if end == v.size {
		return v.doc, nil
	}
	if v.opened += len(v.doc.Sections()); v.opened > maxOpened {
		return nil, errTooMuch.New()
	}
	return v.doc.Prefix(v.ctx, end)
}

// maxPadding is how many bytes of white space may follow the end. Readers look for startxref in the last 1024 bytes (ISO
// 32000-1, annex H.3, note 18); where they do not find it they rebuild the document from whatever looks like an object.
const maxPadding = 960

// checkTail judges what stands after the last complete state: white space is an addition, anything else was appended
// without being part of the document, and readers that repair files would find it.
func (v *verification) checkTail() error {
	last := v.revisions[len(v.revisions)-1].end
	if last >= v.size {
		return nil
	}
	white, at, err := onlyWhiteSpace(v.reader, last, v.size, v.ctx.Err)
	if err != nil {
		return err
	}
	r := revision{end: v.size}
	if white {
		r.changes = []pdf.Change{{Permitted: true, Kind: changeWhiteSpace,
			ZH: fmt.Sprintf("文件末尾多了 %d 个空白字节。", v.size-last), EN: fmt.Sprintf("%d bytes of white space follow the end.", v.size-last)}}
		v.padded = v.size-last > maxPadding
	} else {
		r.changes = v.appended(last, at)
	}
	v.revisions = append(v.revisions, r)
	return nil
}

// appended names what bytes without a proper end did to the document.
func (v *verification) appended(last, at int64) []pdf.Change {
	changes := []pdf.Change{{Kind: changeAppended,
		ZH: fmt.Sprintf("文件末尾之后（第 %d 字节起）追加了内容。", at),
		EN: fmt.Sprintf("Content was appended after the end of the document, from byte %d.", at)}}
	before, err := v.documentAt(last)
	if err != nil {
		return changes
	}
	more, err := pdf.Compare(v.ctx, before, v.doc)
	if err != nil {
		return changes
	}
	for _, c := range more {
		if !c.Permitted {
			changes = append(changes, c)
		}
	}
	return changes
}
