package pdf

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// permissions are what the signatures of a document let later revisions do.
type permissions struct {
	level   int  // DocMDP: 0 not certified, 1 no changes, 2 form filling, 3 also annotations
	lockAll bool // a signature locks every field, or all but some
	except  []string
	locked  []string
}

// forbid says whether the certification or a lock forbids a change of a kind that can be permitted: then as what kind
// it counts, and how the sentence about it begins. field is the name of the form field that it concerns.
func (p *permissions) forbid(kind, field string) (refused, zh, en string) {
	certified := func() (string, string, string) {
		return ChangeCertified, fmt.Sprintf("文件已被认证（级别 %d），不允许：", p.level),
			fmt.Sprintf("The document is certified (level %d) and does not permit this: ", p.level)
	}
	added := false
	switch kind {
	case ChangeTimeStamp, ChangeValidationData, ChangeExtension:
		return "", "", "" // allowed at every level (ISO 32000-2, 12.8.2.2.2)
	case ChangeSignatureAdded, ChangeSealPart:
		added = true
		if p.level == 1 || p.level == 2 {
			return certified()
		}
	case ChangeFormFilled:
		if p.level == 0 {
			return ChangeForm, "未声明允许填写表单的文件在盖章后：", "In a document that does not say that its form may be filled after sealing: "
		}
		fallthrough
	default:
		if p.level == 1 {
			return certified()
		}
	}
	if kind != ChangeMetadataUpdated && kind != ChangeSealPart && p.locks(field, added) {
		return ChangeLocked, "已有的签名锁定了表单域，不允许：", "An earlier signature locks the fields and does not permit this: "
	}
	return "", "", ""
}

// permissions gives those of the earlier document: carried over when it is the later one of the comparison before.
func (c *comparison) permissions() (*permissions, error) {
	if c.rights != nil {
		return c.rights, nil
	}
	if c.comparer.known && c.comparer.knownSize == c.before.Size() {
		c.rights = &c.comparer.permissions
		return c.rights, nil
	}
	p, err := documentPermissions(c.ctx, c.before)
	if err != nil {
		return nil, err
	}
	c.rights = &p
	return c.rights, nil
}

// carry keeps what was learned for the next comparison, with what the new signatures forbid. A file with many
// signatures would otherwise have all of them read again for each. After a change that is not permitted everything is
// read anew.
func (c *comparison) carry() error {
	c.comparer.known = false
	if len(c.refused) > 0 {
		c.comparer.searched = false
		return nil
	}
	rights, err := c.permissions()
	if err != nil {
		return err
	}
	p := *rights
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

// locks says whether a field may not be signed or filled. A new field counts as one of all. A lock on a field holds for
// those below it.
func (p *permissions) locks(name string, added bool) bool {
	if added {
		return p.lockAll
	}
	covers := func(above string) bool { return name == above || strings.HasPrefix(name, above+".") }
	return (p.lockAll && !slices.ContainsFunc(p.except, covers)) || slices.ContainsFunc(p.locked, covers)
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
