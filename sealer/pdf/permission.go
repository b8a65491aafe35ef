package pdf

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"strings"

	"yinxin/internal/fault"
)

// survey is what the fields and signatures of a document say to a further signature. Rules: ISO 32000-2, 12.8.2.2
// (DocMDP), 12.8.2.4 (FieldMDP), 12.7.5.5 (Lock).
type survey struct {
	prefix string
	taken  map[int]bool // numbers n for which a field of the name prefix n exists
	named  []node       // fields of the name that was asked for

	signed   bool
	sealed   error       // why nothing may be signed any more
	complete error       // why nothing may be added, though existing fields may be signed
	locks    []FieldLock // of earlier signatures
}

// survey reads all fields of the form once. name, if not empty, is the full name of the field to sign.
func (d *Document) survey(ctx context.Context, prefix, name string) (*survey, error) {
	if d.Encrypted() {
		return nil, errEncrypted.New()
	}
	if err := d.checkTail(); err != nil {
		return nil, err
	}
	catalog, _, err := d.Catalog()
	if err != nil {
		return nil, err
	}
	s := &survey{prefix: prefix}
	if err := s.certification(d, catalog); err != nil {
		return nil, err
	}
	if err := d.checkXFA(catalog); err != nil {
		return nil, err
	}
	err = d.walkFields(ctx, func(n node, dict Dict) error {
		s.take(n.name)
		if name != "" && n.name == name {
			s.named = append(s.named, n)
		}
		if n.value == nil {
			return nil
		}
		kind, err := d.Resolve(n.kind)
		if err != nil || kind != Name("Sig") {
			return err
		}
		return s.signature(d, n)
	})
	return s, err
}

// take notes the number of a field that is called as sealing calls its own.
func (s *survey) take(name string) {
	root, _, _ := strings.Cut(name, ".")
	digits, ok := strings.CutPrefix(root, s.prefix)
	if !ok {
		return
	}
	if i, err := strconv.Atoi(digits); err == nil && strconv.Itoa(i) == digits {
		if s.taken == nil {
			s.taken = make(map[int]bool)
		}
		s.taken[i] = true
	}
}

// freeName is a name that no field has.
func (s *survey) freeName() string {
	n := 1
	for s.taken[n] {
		n++
	}
	return s.prefix + strconv.Itoa(n)
}

// admit refuses a request that the document does not permit.
func (s *survey) admit(r SealRequest) error {
	if s.sealed != nil {
		return s.sealed
	}
	if s.complete != nil && (r.Field == "" || r.visible()) {
		return s.complete
	}
	for _, l := range s.locks {
		if r.Field == "" && l.Action != LockInclude || r.Field != "" && l.covers(r.Field) {
			return errLocked.New()
		}
	}
	if r.Certify > 0 && s.signed {
		return errAlreadySigned.New()
	}
	return nil
}

// Closed says why no seal may be put at a place of its own on the document: it is encrypted, certified, locked. Nil: one may.
func (d *Document) Closed(ctx context.Context) error {
	s, err := d.survey(ctx, fieldPrefix, "")
	if err != nil {
		return err
	}
	return s.admit(SealRequest{Placements: []Placement{{}}})
}

// checkTail refuses a file whose last update was cut off: objects follow the last cross-reference.
func (d *Document) checkTail() error {
	w, _, err := d.window(d.tail, int(d.size-d.tail))
	if err != nil {
		return err
	}
	if i := bytes.Index(w, []byte("%%EOF")); i >= 0 {
		w = w[i:]
	}
	if bytes.Contains(w, []byte(" obj")) {
		return errTruncated.Saying("最后的交叉引用之后还有对象", "objects follow the last cross-reference")
	}
	return nil
}

// certification reads the level that the catalog says the document is certified with.
func (s *survey) certification(d *Document, catalog Dict) error {
	o, err := d.Resolve(catalog.Get("Perms"))
	if err != nil {
		return err
	}
	permissions, _ := o.(Dict)
	if !permissions.Has("DocMDP") {
		return nil
	}
	if o, err = d.Resolve(permissions.Get("DocMDP")); err != nil || o == nil {
		return err
	}
	s.signed = true
	signature, _ := o.(Dict)
	found, err := s.transforms(d, signature)
	if err == nil && !found {
		// A certification that does not say its level has the level 2.
		s.restrict(2, errCertified)
	}
	return err
}

// restrict takes over a level of permitted changes. What is no level permits nothing.
func (s *survey) restrict(level int64, why fault.Spec) {
	switch level {
	case 3:
	case 2:
		if s.complete == nil {
			s.complete = why.Saying("认证级别 2，只能在已有的空签名域中盖章", "level 2: only an empty signature field that is there may be signed")
		}
	default:
		if s.sealed == nil {
			s.sealed = why.Saying(fmt.Sprintf("认证级别 %d，不允许任何改动", level), fmt.Sprintf("level %d permits no change", level))
		}
	}
}

// transforms goes through the transforms of a signature; found reports one that is DocMDP.
func (s *survey) transforms(d *Document, signature Dict) (found bool, err error) {
	o, err := d.Resolve(signature.Get("Reference"))
	if err != nil {
		return false, err
	}
	list, _ := o.(Array)
	for _, o := range list {
		reference, err := resolveDict(d, o)
		if err != nil {
			return found, err
		}
		method, err := d.Resolve(reference.Get("TransformMethod"))
		if err != nil {
			return found, err
		}
		parameters, err := resolveDict(d, reference.Get("TransformParams"))
		if err != nil {
			return found, err
		}
		switch method {
		case Name("DocMDP"):
			found = true
			level, err := d.integerOr(parameters.Get("P"), 2)
			if err != nil {
				return found, err
			}
			s.restrict(level, errCertified)
		case Name("FieldMDP"):
			if err := s.lock(d, parameters); err != nil {
				return found, err
			}
		}
	}
	return found, nil
}

// lock takes over a lock of fields.
func (s *survey) lock(d *Document, lock Dict) error {
	l, ok, err := d.readLock(lock)
	if ok {
		s.locks = append(s.locks, l)
	}
	return err
}

// signature takes over what a signed field forbids, by its signature and by its own lock dictionary.
func (s *survey) signature(d *Document, n node) error {
	o, err := d.Resolve(n.value)
	if err != nil {
		return err
	}
	signature, ok := o.(Dict)
	if !ok {
		return nil
	}
	s.signed = true
	if _, err := s.transforms(d, signature); err != nil {
		return err
	}
	lock, err := resolveDict(d, n.lock)
	if err != nil || lock == nil {
		return err
	}
	level, err := d.integerOr(lock.Get("P"), 3)
	if err != nil {
		return err
	}
	s.restrict(level, errLocked)
	return s.lock(d, lock)
}

// checkXFA refuses a form that is drawn from XML: what the reader sees is not what the pages hold.
func (d *Document) checkXFA(catalog Dict) error {
	rendering, err := d.Resolve(catalog.Get("NeedsRendering"))
	if err != nil {
		return err
	}
	form, err := d.form()
	if err != nil {
		return err
	}
	xfa, err := d.Resolve(form.Get("XFA"))
	if err != nil {
		return err
	}
	if xfa != nil || rendering == true {
		return errXFA.New()
	}
	return nil
}
