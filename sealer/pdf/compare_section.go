package pdf

import "fmt"

// compareSections looks at the later sections themselves: each must mean the same to every reader. Which of two entries
// for one object counts, or of two entries of one name in a trailer, readers decide differently; then one shows what
// another, which was asked whether anything changed, never saw.
func (c *comparison) compareSections(later []Section) error {
	root := c.before.root
	for _, s := range later {
		twice := s.section.doubled
		if !twice && s.section.hidden != nil {
			var err error
			if twice, err = c.hiddenTwice(s.section); err != nil {
				return err
			}
		}
		if twice {
			c.refuse(ChangeStructure, Ref{}, 0, "后来的交叉引用表对同一对象给出了两个位置，不同的阅读软件会显示不同的内容。",
				"A later cross-reference lists an object twice, so that readers show different things.")
		}
		for _, dict := range []Dict{s.Trailer, s.section.hiddenDict} {
			if key, dup := dict.Duplicate(); dup {
				c.refuse(ChangeStructure, Ref{}, 0, fmt.Sprintf("文件尾重复写了 /%s。", printable(key)),
					fmt.Sprintf("The trailer has /%s twice.", printable(key)))
			}
		}
		if r, ok := s.Trailer.Get("Root").(Ref); ok && r != root {
			c.refuse(ChangeStructure, r, 0, "文件尾的 /Root 被改换。", "The trailer's /Root was exchanged.")
		}
	}
	return nil
}

// hiddenTwice says whether the stream of a hybrid section has another entry than its table for an object. A table may
// call free what only the stream has (ISO 32000-1, 7.5.8.4), but nothing that was there before: readers of either kind
// would no longer agree on it.
func (c *comparison) hiddenTwice(s *section) (bool, error) {
	twice := false
	err := s.hidden.each(c.after, func(h XrefEntry) error {
		e, ok, err := s.entries.lookup(c.after, h.Num)
		if err != nil || !ok || e == h {
			return err
		}
		if e.State != Free {
			twice = true
			return nil
		}
		_, existed, err := inUse(c.before, h.Num)
		twice = twice || existed && h.State != Free
		return err
	})
	return twice, err
}
