package pdf

import (
	"bytes"
	"context"
	"strconv"
	"strings"
)

// checkSealable refuses a document that must not get a new signature field, and returns the numbers n for which a
// field Sealn exists. Rules: ISO 32000-2, 12.8.2.2 (DocMDP), 12.8.2.4 (FieldMDP), 12.7.5.5 (Lock).
func (d *Document) checkSealable(ctx context.Context) (names map[int]bool, err error) {
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
	if err := d.checkPermissions(catalog); err != nil {
		return nil, err
	}
	if err := d.checkXFA(catalog); err != nil {
		return nil, err
	}
	err = d.walkFields(ctx, func(n node, dict Dict) error {
		root, _, _ := strings.Cut(n.name, ".")
		if digits, ok := strings.CutPrefix(root, fieldPrefix); ok {
			if i, err := strconv.Atoi(digits); err == nil && strconv.Itoa(i) == digits {
				if names == nil {
					names = make(map[int]bool)
				}
				names[i] = true
			}
		}
		if n.value == nil {
			return nil
		}
		kind, err := d.Resolve(n.kind)
		if err != nil || kind != Name("Sig") {
			return err
		}
		return d.checkLock(n)
	})
	return names, err
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
		return errTruncated.With("objects follow the last cross-reference")
	}
	return nil
}

// checkPermissions refuses a document that is certified against new fields.
func (d *Document) checkPermissions(catalog Dict) error {
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
	signature, _ := o.(Dict)
	found, err := d.checkTransforms(signature)
	if err == nil && !found {
		// A certification that does not say its level has the level 2.
		err = certified(2)
	}
	return err
}

// certified is the refusal for a certification level; nil for the level that lets signature fields in.
func certified(level int64) error {
	switch level {
	case 3:
		return nil
	case 1:
		return errCertified.With("P=1: no changes")
	}
	return errCertified.With("P=%d: only existing fields may be signed", level)
}

// checkTransforms goes through the transforms of a signature; found reports one that is DocMDP.
func (d *Document) checkTransforms(signature Dict) (found bool, err error) {
	o, err := d.Resolve(signature.Get("Reference"))
	if err != nil {
		return false, err
	}
	list, _ := o.(Array)
	for _, o := range list {
		if o, err = d.Resolve(o); err != nil {
			return found, err
		}
		reference, _ := o.(Dict)
		method, err := d.Resolve(reference.Get("TransformMethod"))
		if err != nil {
			return found, err
		}
		if o, err = d.Resolve(reference.Get("TransformParams")); err != nil {
			return found, err
		}
		parameters, _ := o.(Dict)
		switch method {
		case Name("DocMDP"):
			found = true
			level, err := d.integerOr(parameters.Get("P"), 2)
			if err != nil {
				return found, err
			}
			if err := certified(level); err != nil {
				return found, err
			}
		case Name("FieldMDP"):
			if err := d.checkAction(parameters); err != nil {
				return found, err
			}
		}
	}
	return found, nil
}

// checkAction refuses a lock that covers fields which do not exist yet: all, or all but some. A lock on named fields
// leaves a new one alone.
func (d *Document) checkAction(lock Dict) error {
	action, err := d.Resolve(lock.Get("Action"))
	if err != nil {
		return err
	}
	if action == Name("All") || action == Name("Exclude") {
		return errLocked.New()
	}
	return nil
}

// checkLock refuses what a signed field forbids, by its signature and by its own lock dictionary.
func (d *Document) checkLock(n node) error {
	o, err := d.Resolve(n.value)
	if err != nil {
		return err
	}
	signature, ok := o.(Dict)
	if !ok {
		return nil
	}
	if _, err := d.checkTransforms(signature); err != nil {
		return err
	}
	if o, err = d.Resolve(n.lock); err != nil {
		return err
	}
	lock, ok := o.(Dict)
	if !ok {
		return nil
	}
	level, err := d.integerOr(lock.Get("P"), 3)
	if err != nil {
		return err
	}
	if level != 3 {
		return errLocked.With("P=%d", level)
	}
	return d.checkAction(lock)
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
