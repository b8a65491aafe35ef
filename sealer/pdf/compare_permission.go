package pdf

import (
	"context"
	"slices"
)

// permissions are what the signatures of a document let later revisions do.
type permissions struct {
	level   int  // DocMDP: 0 not certified, 1 no changes, 2 form filling, 3 also annotations
	lockAll bool // a signature locks every field, or all but some
	except  []string
	locked  []string
}

// enforcePermissions takes back permitted changes that the certification or a lock of the earlier document forbids.
func (c *comparison) enforcePermissions() error {
	if !slices.ContainsFunc(c.changes, func(ch Change) bool { return ch.Permitted }) {
		return nil
	}
	p, err := c.permissions()
	if err != nil {
		return err
	}
	filled := c.filled
	for i := range c.changes {
		ch := &c.changes[i]
		if !ch.Permitted {
			continue
		}
		name := ""
		if ch.Kind == ChangeSignatureFilled {
			name, filled = filled[0], filled[1:]
		}
		if c.stamps[ch.Object] {
			continue // document time stamps are allowed at every level (ISO 32000-2, 12.8.2.2.2)
		}
		added := ch.Kind == ChangeSignatureAdded
		switch {
		case p.level == 1 || (p.level == 2 && added):
			*ch = Change{Kind: ChangeCertified, Page: ch.Page, Object: ch.Object,
				ZH: "文件已被认证，不允许后来的签章。", EN: "The document is certified and does not permit a later signature."}
		case p.locks(name, added):
			*ch = Change{Kind: ChangeLocked, Page: ch.Page, Object: ch.Object,
				ZH: "已有的签名锁定了表单域，不允许后来的签章。", EN: "An earlier signature locks the fields and does not permit a later signature."}
		}
	}
	return c.carryPermissions(p)
}

// permissions gives those of the earlier document: carried over when it is the later one of the comparison before.
func (c *comparison) permissions() (permissions, error) {
	if c.comparer.known && c.comparer.knownSize == c.before.Size() {
		return c.comparer.permissions, nil
	}
	return documentPermissions(c.ctx, c.before)
}

// carryPermissions keeps the permissions for the next comparison, with what the new signatures add to them. A file
// with many signatures would otherwise have all of them read again for each.
func (c *comparison) carryPermissions(p permissions) error {
	c.comparer.known = false
	if !c.allPermitted() {
		return nil
	}
	p.except, p.locked = slices.Clone(p.except), slices.Clone(p.locked)
	for _, field := range c.signed {
		signature, err := resolveDict(c.after, field.Get("V"))
		if err != nil {
			return err
		}
		if err := p.sign(c.after, signature, inherited(c.after, field, "Lock")); err != nil {
			return err
		}
	}
	c.comparer.known, c.comparer.knownSize, c.comparer.permissions = true, c.after.Size(), p
	return nil
}

// sign takes over what a signature and the lock of its field forbid.
func (p *permissions) sign(d *Document, signature Dict, lockObject Object) error {
	level, err := p.references(d, signature)
	if err != nil {
		return err
	}
	p.restrict(level)
	lock, err := resolveDict(d, lockObject)
	if err != nil {
		return err
	}
	p.lock(d, lock)
	if level, ok := lock.Get("P").(Integer); ok {
		p.restrict(int(level))
	}
	return nil
}

// locks says whether a field may not be signed. A new field counts as one of all.
func (p permissions) locks(name string, added bool) bool {
	if added {
		return p.lockAll
	}
	return (p.lockAll && !slices.Contains(p.except, name)) || slices.Contains(p.locked, name)
}

// documentPermissions reads DocMDP and FieldMDP of the signatures in a document, and the locks of signed fields. It
// goes by the signatures, and also by the catalog's /Perms: an attacker can leave out either, and the stricter holds.
func documentPermissions(ctx context.Context, d *Document) (permissions, error) {
	var p permissions
	catalog, _, err := d.Catalog()
	if err != nil {
		return p, err
	}
	perms, err := resolveDict(d, catalog.Get("Perms"))
	if err != nil {
		return p, err
	}
	if o := perms.Get("DocMDP"); o != nil {
		signature, err := resolveDict(d, o)
		if err != nil {
			return p, err
		}
		p.restrict(2) // the default of /P, also where the signature does not say it
		if level, err := p.references(d, signature); err != nil {
			return p, err
		} else if level != 0 {
			p.level = level
		}
	}
	fields, err := d.SignatureFields(ctx)
	if err != nil {
		return p, err
	}
	for _, f := range fields {
		if f.Dict == nil {
			continue
		}
		var lock Object
		if f.Lock != nil {
			lock = f.Lock
		}
		if err := p.sign(d, f.Dict, lock); err != nil {
			return p, err
		}
	}
	return p, nil
}

// restrict takes over a certification level if it is stricter. What is no level is the strictest.
func (p *permissions) restrict(level int) {
	switch {
	case level == 0:
	case level < 0 || level > 3:
		p.level = 1
	case p.level == 0 || level < p.level:
		p.level = level
	}
}

// references reads the signature references of a signature dictionary (ISO 32000-2, 12.8.1): FieldMDP goes to p, the
// level of DocMDP is returned, 0 without one.
func (p *permissions) references(d *Document, signature Dict) (int, error) {
	o, err := d.Resolve(signature.Get("Reference"))
	if err != nil {
		return 0, err
	}
	list, _ := o.(Array)
	level := 0
	for _, e := range list {
		ref, err := resolveDict(d, e)
		if err != nil {
			return 0, err
		}
		parameters, err := resolveDict(d, ref.Get("TransformParams"))
		if err != nil {
			return 0, err
		}
		switch ref.Get("TransformMethod") {
		case Name("FieldMDP"):
			p.lock(d, parameters)
		case Name("DocMDP"):
			level = 2
			if o, err := d.Resolve(parameters.Get("P")); err != nil {
				return 0, err
			} else if n, ok := o.(Integer); ok {
				level = int(n)
				if n < 1 || n > 3 {
					level = 1
				}
			}
		}
	}
	return level, nil
}

// lock takes over a lock of fields: /Action and /Fields (ISO 32000-2, tables 236 and 257).
func (p *permissions) lock(d *Document, lock Dict) {
	if lock == nil {
		return
	}
	var names []string
	o, _ := d.Resolve(lock.Get("Fields"))
	list, _ := o.(Array)
	for _, e := range list {
		if s, ok := e.(String); ok {
			names = append(names, s.Text())
		}
	}
	switch lock.Get("Action") {
	case Name("Include"):
		p.locked = append(p.locked, names...)
	case Name("Exclude"):
		if p.lockAll {
			names = slices.DeleteFunc(names, func(n string) bool { return !slices.Contains(p.except, n) })
		}
		p.lockAll, p.except = true, names
	default:
		p.lockAll, p.except = true, nil
	}
}
