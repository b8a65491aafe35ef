package pdf

import (
	"slices"

	"yinxin/internal/fault"
)

// The flags of a seed value dictionary (ISO 32000-2, table 237): which of its entries are demands and not mere defaults.
const (
	seedFilter = 1 << iota
	seedSubFilter
	seedV
	seedReasons
	seedLegalAttestation
	seedAddRevInfo
	seedDigestMethod
	seedLockDocument
	seedAppearanceFilter

	seedKnown = 1<<iota - 1
)

// seedVersion is the highest version of seed values that is understood: that of PDF 2.0.
const seedVersion = 3

// obeySeed refuses a field whose seed values demand what the request does not give. What they merely suggest is left to
// the request.
func (p *plan) obeySeed(n node) error {
	d, r := p.document, p.request
	seed, err := resolveDict(d, n.seed)
	if err != nil || seed == nil {
		return err
	}
	flags, err := d.integerOr(seed.Get("Ff"), 0)
	if err != nil {
		return err
	}
	v, err := p.seedEntries(seed)
	if err != nil {
		return err
	}
	demands := func(bit int64, key Name) bool { return flags&bit != 0 && v[key] != nil }
	refuse := func(what string) error { return errSeedValue.With("%s", what).At(fault.Field(n.name)) }
	switch {
	case flags&^seedKnown != 0:
		return refuse("Ff")
	case demands(seedFilter, "Filter") && v["Filter"] != r.Filter:
		return refuse("Filter")
	case demands(seedSubFilter, "SubFilter") && !slices.Contains(p.seedNames(v["SubFilter"]), string(r.SubFilter)):
		return refuse("SubFilter")
	case demands(seedV, "V") && !atMost(v["V"], seedVersion):
		return refuse("V")
	case demands(seedReasons, "Reasons") && !p.seedReason(v["Reasons"]):
		return refuse("Reasons")
	case demands(seedLegalAttestation, "LegalAttestation") && r.Certify > 0:
		return refuse("LegalAttestation")
	case demands(seedAddRevInfo, "AddRevInfo") && v["AddRevInfo"] == true:
		return refuse("AddRevInfo")
	case demands(seedDigestMethod, "DigestMethod") && !slices.Contains(p.seedNames(v["DigestMethod"]), "SM3"):
		return refuse("DigestMethod")
	case demands(seedLockDocument, "LockDocument") && v["LockDocument"] != Name("false") && v["LockDocument"] != Name("auto"):
		return refuse("LockDocument")
	case demands(seedAppearanceFilter, "AppearanceFilter"):
		return refuse("AppearanceFilter")
	}
	return p.obeySeedDicts(v, refuse)
}

// obeySeedDicts checks the entries that are dictionaries and carry their demands in themselves.
func (p *plan) obeySeedDicts(v map[Name]Object, refuse func(string) error) error {
	d := p.document
	if mdp, ok := v["MDP"].(Dict); ok {
		// 0 asks for an approval signature, 1 to 3 for a certification with that level; this is never a mere default.
		level, err := d.integerOr(mdp.Get("P"), 0)
		if err != nil {
			return err
		}
		if level != int64(p.request.Certify) {
			return refuse("MDP")
		}
	}
	if stamp, ok := v["TimeStamp"].(Dict); ok {
		needed, err := d.integerOr(stamp.Get("Ff"), 0)
		if err != nil {
			return err
		}
		if needed != 0 && !p.request.TimeStamped {
			return refuse("TimeStamp")
		}
	}
	if certificate, ok := v["Cert"].(Dict); ok {
		// Which certificate signs is not known here, so any demand on it counts as not met.
		needed, err := d.integerOr(certificate.Get("Ff"), 0)
		if err != nil {
			return err
		}
		if needed != 0 {
			return refuse("Cert")
		}
	}
	return nil
}

// seedEntries resolves the entries of a seed value dictionary, of which no key may stand twice.
func (p *plan) seedEntries(seed Dict) (map[Name]Object, error) {
	if key, twice := seed.Duplicate(); twice {
		return nil, errAmbiguous.With("/%s", key)
	}
	v := make(map[Name]Object, len(seed))
	for _, e := range seed {
		o, err := p.document.Resolve(e.Value)
		if err != nil {
			return nil, err
		}
		v[e.Key] = o
	}
	return v, nil
}

// seedNames gives the names and texts of an array.
func (p *plan) seedNames(o Object) []string {
	list, _ := o.(Array)
	var out []string
	for _, o := range list {
		// A reference to nothing is no name.
		o, _ = p.document.Resolve(o)
		switch v := o.(type) {
		case Name:
			out = append(out, string(v))
		case String:
			out = append(out, v.Text())
		}
	}
	return out
}

// seedReason says whether the reason is among those allowed: none where the list is empty or holds a single period.
func (p *plan) seedReason(o Object) bool {
	allowed := p.seedNames(o)
	if len(allowed) == 0 || len(allowed) == 1 && allowed[0] == "." {
		return p.request.Reason == ""
	}
	return slices.Contains(allowed, p.request.Reason)
}

func atMost(o Object, limit float64) bool {
	n, ok := Number(o)
	return ok && n <= limit
}
