package pdf

// sealPart is a new annotation that may be a part of a straddle seal.
type sealPart struct {
	ref, page Ref
	dict      Dict
}

func (c *comparison) draws(widget Dict) {}

func (c *comparison) placeParts() error {
	for _, p := range c.parts {
		c.refuseAnnotation(p.ref, p.page, p.dict)
	}
	return nil
}
