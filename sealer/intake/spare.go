package intake

import (
	"errors"
	"fmt"
	"slices"

	"yinxin/internal/fault"
	"yinxin/sealer/pdf"
)

// errEnough ends a walk early.
var errEnough = errors.New("enough")

// spare looks for what the document does not use: objects that nothing refers to, earlier revisions, objects that the
// cross-reference does not list. What could be switched in as a page is a finding of its own.
func (s *scanner) spare() error {
	if s.encrypted {
		return nil
	}
	if err := s.findTree(); err != nil {
		return err
	}
	replaced, loose := 0, []pdf.Ref{}
	sections := s.doc.Sections()
	for i, section := range sections {
		err := section.Objects(s.ctx, func(e pdf.XrefEntry) error {
			if e.State == pdf.Free {
				return nil
			}
			now, ok, err := s.doc.Entry(e.Num)
			if err != nil {
				return err
			}
			if !ok || now != e {
				if i > 0 {
					replaced++
				}
				return nil
			}
			if s.seen.Has(e.Num) {
				return nil
			}
			if s.objects++; s.objects > s.limits.Objects {
				s.cut("objects")
				return errEnough
			}
			loose = append(loose, pdf.Ref{Num: e.Num, Gen: e.Gen})
			return nil
		})
		if err != nil && !errors.Is(err, errEnough) {
			return err
		}
	}
	if replaced > 0 {
		s.add(Finding{Code: CodeRevisions, Count: replaced, Detail: fmt.Sprintf("%d", len(sections))})
	}
	slices.SortFunc(loose, func(a, b pdf.Ref) int { return a.Num - b.Num })
	var trees, pages []pdf.Ref
	for i, ref := range loose {
		if i&0xFF == 0 && s.ctx.Err() != nil {
			return s.ctx.Err()
		}
		code, err := s.looseObject(ref)
		if err != nil {
			return err
		}
		switch code {
		case CodeSecondTree:
			trees = append(trees, ref)
		case CodeLoosePage:
			pages = append(pages, ref)
		}
	}
	if len(trees) > 0 {
		s.add(Finding{Code: CodeSecondTree, ref: trees[0], Count: len(trees)})
	}
	if len(pages) > 0 {
		s.add(Finding{Code: CodeLoosePage, ref: pages[0], Count: len(pages)})
	}
	return s.strays()
}

// findTree learns which objects make up the page tree.
func (s *scanner) findTree() error {
	s.treeNodes = map[int]bool{}
	catalog, ref, err := s.doc.Catalog()
	if err != nil {
		return err
	}
	s.treeNodes[ref.Num] = true
	stack := []pdf.Object{catalog.Get("Pages")}
	for len(stack) > 0 {
		o := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		ref, ok := o.(pdf.Ref)
		if !ok || s.treeNodes[ref.Num] || s.pageNumbers.of(ref.Num) != 0 {
			continue
		}
		if len(s.treeNodes) > s.limits.Objects {
			s.cut("objects")
			return nil
		}
		s.treeNodes[ref.Num] = true
		s.seen.Add(ref.Num, maxNumber)
		d, err := s.dict(ref)
		if err != nil {
			return err
		}
		kids, err := s.array(d.Get("Kids"))
		if err != nil {
			return err
		}
		if kidsRef, ok := d.Get("Kids").(pdf.Ref); ok {
			s.seen.Add(kidsRef.Num, maxNumber)
		}
		for _, kid := range kids {
			if !s.kidExists(kid) {
				s.dangles(kid.(pdf.Ref), step{owner: ref, key: "Kids", shown: true}, 0)
			}
			stack = append(stack, kid)
		}
	}
	return nil
}

// kidExists says that an element of /Kids is no reference to nothing.
func (s *scanner) kidExists(kid pdf.Object) bool {
	ref, ok := kid.(pdf.Ref)
	if !ok {
		return true
	}
	e, exists, err := s.doc.Entry(ref.Num)
	return err != nil || exists && e.State != pdf.Free && e.Gen == ref.Gen
}

// looseObject looks at an object that the walks did not reach and gives the code of what it is; empty for what could
// not be switched in as a page.
func (s *scanner) looseObject(ref pdf.Ref) (Code, error) {
	o, err := s.doc.Object(ref)
	if f, ok := fault.Of(err); ok && f.Kind == fault.Invalid {
		// An entry that leads nowhere, as careless producers leave them behind: nothing shows it.
		return "", nil
	}
	d, ok := o.(pdf.Dict)
	if err != nil || !ok {
		return "", err
	}
	switch s.name(d.Get("Type")) {
	case "Catalog":
		if root, ok := d.Get("Pages").(pdf.Ref); !ok || !s.treeNodes[root.Num] {
			return CodeSecondTree, nil
		}
	case "Pages":
		if other, err := s.leadsElsewhere(d); err != nil || other {
			return CodeSecondTree, err
		}
	case "Page":
		if s.pageNumbers.of(ref.Num) == 0 {
			return CodeLoosePage, nil
		}
	}
	return "", nil
}

// leadsElsewhere says that a node of no use holds pages that the document does not show. A node left over from
// building the tree anew holds only the same pages.
func (s *scanner) leadsElsewhere(d pdf.Dict) (bool, error) {
	kids, err := s.array(d.Get("Kids"))
	if err != nil {
		return false, err
	}
	for _, kid := range kids {
		ref, ok := kid.(pdf.Ref)
		if !ok {
			return true, nil
		}
		if s.pageNumbers.of(ref.Num) != 0 || s.treeNodes[ref.Num] {
			continue
		}
		below, err := s.dict(ref)
		if err != nil {
			return false, err
		}
		if below != nil {
			return true, nil
		}
	}
	return false, nil
}

// strays looks for objects that no cross-reference lists.
func (s *scanner) strays() error {
	found, complete, err := s.doc.StrayObjects(s.ctx, s.limits.StrayBytes)
	if err != nil {
		return err
	}
	if !complete {
		s.cut("strays")
	}
	others, pages := []pdf.Ref{}, 0
	for _, stray := range found {
		d, _ := stray.Object.(pdf.Dict)
		if v, ok := stray.Object.(*pdf.Stream); ok {
			if t := v.Dict.Get("Type"); t == pdf.Name("XRef") || t == pdf.Name("ObjStm") {
				continue
			}
			d = v.Dict
		}
		kind, _ := d.Get("Type").(pdf.Name)
		if kind == "Catalog" || kind == "Pages" || kind == "Page" {
			pages++
			s.add(Finding{Code: CodeStrayPages, ref: stray.Ref, Detail: "/" + string(kind)})
			continue
		}
		others = append(others, stray.Ref)
	}
	if len(others) > 0 {
		s.add(Finding{Code: CodeStray, ref: others[0], Count: len(others)})
	}
	return nil
}
