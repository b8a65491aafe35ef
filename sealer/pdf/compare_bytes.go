package pdf

import (
	"bytes"
	"fmt"
	"slices"
)

// span is a stretch of the file that the cross-reference accounts for.
type span struct {
	start, end int64
	num        int // 0: a cross-reference section
}

// maxFiller is how many bytes an update may have between its objects: ends of lines and closing words.
const maxFiller = 1 << 20

// accountForBytes checks that the later part of the file consists of the objects that the later sections name and of
// nothing else. Readers that repair a file go through all of it and take the last object of a number that they find,
// so an object which no table names can still come to be shown.
func (c *comparison) accountForBytes(later []Section) error {
	spans, ok, err := c.laterSpans(later)
	if err != nil {
		return err
	}
	if !ok {
		c.refuse(ChangeStructure, Ref{}, 0, "后来的交叉引用表指向的位置没有对应的对象。",
			"A later cross-reference names objects that are not where it says.")
		return nil
	}
	slices.SortFunc(spans, func(a, b span) int { return int(min(1, max(-1, a.start-b.start))) })
	at, budget := c.before.Size(), int64(maxFiller)
	for _, s := range spans {
		if s.start < at && s.start >= c.before.Size() && at > c.before.Size() {
			c.refuse(ChangeStructure, Ref{Num: s.num}, 0, "后来的版本中对象互相重叠。", "Objects of a later revision overlap.")
			return nil
		}
		if ok, err := c.filler(at, s.start, &budget); err != nil || !ok {
			return c.unaccounted(at, err)
		}
		at = s.end
	}
	end := at
	for _, s := range later {
		end = max(end, s.End)
	}
	if ok, err := c.filler(at, end, &budget); err != nil || !ok {
		return c.unaccounted(at, err)
	}
	return nil
}

func (c *comparison) unaccounted(at int64, err error) error {
	if err == nil {
		c.refuse(ChangeHidden, Ref{}, 0,
			fmt.Sprintf("后来的版本中第 %d 字节之后有不属于文档的内容。", at),
			fmt.Sprintf("A later revision has content after byte %d that does not belong to the document.", at))
	}
	return err
}

// laterSpans gives the places of the objects and sections in the later part, each once.
func (c *comparison) laterSpans(later []Section) ([]span, bool, error) {
	var spans []span
	first, sound := c.before.Size(), true
	seen := map[int64]bool{}
	for _, s := range later {
		seen[s.Start] = true
		spans = append(spans, span{s.Start, s.section.after, 0})
		if s.Kind == Hybrid {
			// The stream of a hybrid section need not be listed in its table (ISO 32000-1, 7.5.8.4).
			n, _ := s.Trailer.Get("XRefStm").(Integer)
			at := int64(n) + c.after.bias
			if at < first || seen[at] {
				return nil, false, nil
			}
			seen[at] = true
			ref, _, end, err := c.after.readIndirect(at)
			if err != nil {
				return nil, false, err
			}
			spans = append(spans, span{at, end, ref.Num})
		}
		err := s.Objects(c.ctx, func(e XrefEntry) error {
			if e.State != InFile || e.Offset < first || seen[e.Offset] {
				return nil
			}
			seen[e.Offset] = true
			ref, _, end, err := c.after.readIndirect(e.Offset)
			if err != nil || ref.Num != e.Num {
				sound = false
				return err
			}
			spans = append(spans, span{e.Offset, end, e.Num})
			return nil
		})
		if err != nil {
			return nil, false, err
		}
	}
	return spans, sound, nil
}

// filler says whether the bytes from start to end are only white space, comments and the words that close objects
// and sections.
func (c *comparison) filler(start, end int64, budget *int64) (bool, error) {
	if start >= end {
		return true, nil
	}
	if *budget -= end - start; *budget < 0 {
		return false, nil
	}
	w, _, err := c.after.window(start, int(end-start))
	if err != nil {
		return false, err
	}
	w = w[:min(int64(len(w)), end-start)]
	number := false // a number may follow: the one of startxref
	for len(w) > 0 {
		if isSpace(w[0]) {
			w = w[1:]
			continue
		}
		if w[0] == '%' {
			if i := bytes.IndexAny(w, "\r\n"); i >= 0 {
				w = w[i:]
				continue
			}
			return true, nil
		}
		word := w
		if i := slices.IndexFunc(w, func(b byte) bool { return isSpace(b) || b == '%' }); i >= 0 {
			word = w[:i]
		}
		switch {
		case string(word) == "endobj" || string(word) == "endstream":
			number = false
		case string(word) == "startxref":
			number = true
		case number && len(bytes.TrimLeft(word, "0123456789")) == 0:
			number = false
		default:
			return false, nil
		}
		w = w[len(word):]
	}
	return true, nil
}
