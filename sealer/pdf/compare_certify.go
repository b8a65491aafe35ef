package pdf

import "slices"

// compareCertification compares /Perms. A document without a signature may be certified by the one that is added: there is
// nobody before whom that changes what the document permits. After a signature it is a change of the catalog.
func (c *comparison) compareCertification(at slot, old, now Object) error {
	if equalDirect(old, now, maxCompareDepth) {
		return nil // a change of the object behind a reference stays unaccounted for
	}
	is, err := resolveDict(c.after, now)
	if err != nil {
		return err
	}
	signature, ok := is.Get("DocMDP").(Ref)
	if ok = ok && old == nil && len(is) == 1 && c.fresh[signature.Num]; ok {
		if ok, err = c.firstSignature(signature); err != nil {
			return err
		}
	}
	if !ok {
		c.refuseCatalog("Perms", Ref{Num: at.holder})
		return nil
	}
	c.account(at, old, now)
	return nil
}

// firstSignature says whether a signature is the value of a field, and nothing was signed before.
func (c *comparison) firstSignature(signature Ref) (bool, error) {
	was, err := c.before.SignatureFields(c.ctx)
	if err != nil {
		return false, err
	}
	if slices.ContainsFunc(was, func(f SignatureField) bool { return f.Dict != nil }) {
		return false, nil
	}
	is, err := c.after.SignatureFields(c.ctx)
	return slices.ContainsFunc(is, func(f SignatureField) bool { return f.Dict != nil && f.Value == signature }), err
}
