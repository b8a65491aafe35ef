package pdf

import (
	"context"
	"strconv"
	"strings"
)

// What an update uses, and the version of PDF that it needs (ISO 32000-1, annex on versions; 7.5.8 and 11.6.5.3).
const (
	versionOfMasks   = "1.4" // soft masks; the flag Locked of an annotation, and /Version itself
	versionOfStreams = "1.5" // cross-reference streams
)

// raiseVersion has the catalog say the version that the update needs, where header and catalog say an earlier one.
//
// A document with signatures is left as it is: readers show what they know whatever the version, and a changed catalog
// is a change that earlier signatures do not permit.
func (p *plan) raiseVersion(ctx context.Context) error {
	d := p.document
	need := versionOfMasks
	if d.sections[0].kind == StreamXref {
		need = versionOfStreams
	}
	if !earlier(d.Version(), need) {
		return nil
	}
	fields, err := d.SignatureFields(ctx)
	if err != nil {
		return err
	}
	for _, f := range fields {
		if f.Dict != nil {
			return nil
		}
	}
	root, l, err := d.owner(d.root)
	if err != nil || l == nil {
		return err
	}
	raise := edit{"Version", []byte("/" + need)}
	for i := range p.rewrites {
		if r := &p.rewrites[i]; r.ref == root {
			r.body, err = spliceDict(r.body, d.limits, raise)
			return at(err, root)
		}
	}
	raw, err := d.raw(l)
	if err != nil {
		return err
	}
	body, err := spliceDict(raw, d.limits, raise)
	if err != nil {
		return at(err, root)
	}
	return p.rewrite(root, body)
}

// earlier compares versions, "1.4" and so on. What is no version comes before all others.
func earlier(a, b string) bool {
	number := func(s string) int {
		major, minor, _ := strings.Cut(s, ".")
		m, err1 := strconv.Atoi(major)
		n, err2 := strconv.Atoi(minor)
		if err1 != nil || err2 != nil || m < 0 || m > 99 || n < 0 || n > 99 {
			return 0
		}
		return 100*m + n
	}
	return number(a) < number(b)
}
