package pdf

import (
	"bytes"
	"slices"
)

// defaults are what decides how a reader draws a field that has no appearance: default appearances name fonts, which
// the default resources of the form hold.
type defaults struct {
	appearances []string // each once
	fillable    bool     // there is a field other than a signature's
	unclear     bool     // too many, or not plain strings
}

// maxAppearances is how many different default appearances of a document are remembered.
const maxAppearances = 1000

// note takes over the default appearances in an object.
func (d *defaults) note(o Object) {
	stack := []Object{o}
	for len(stack) > 0 {
		o, stack = stack[len(stack)-1], stack[:len(stack)-1]
		switch v := o.(type) {
		case *Stream:
			stack = append(stack, v.Dict)
		case Array:
			for _, e := range v {
				switch e.(type) {
				case Array, Dict:
					stack = append(stack, e)
				}
			}
		case Dict:
			for _, e := range v {
				switch e.Key {
				case "DA":
					d.add(e.Value)
				case "FT":
					d.fillable = d.fillable || e.Value != Name("Sig")
				}
				switch e.Value.(type) {
				case Array, Dict:
					stack = append(stack, e.Value)
				}
			}
		}
	}
}

func (d *defaults) add(o Object) {
	s, ok := o.(String)
	if !ok || bytes.IndexByte(s.Value, '#') >= 0 {
		d.unclear = true // written so that a name in it cannot be looked for
		return
	}
	if !slices.Contains(d.appearances, string(s.Value)) {
		if len(d.appearances) == maxAppearances {
			d.unclear = true
			return
		}
		d.appearances = append(d.appearances, string(s.Value))
	}
}

// names says whether a default appearance may name a resource.
func (d *defaults) names(resource Name) bool {
	return d.unclear || slices.ContainsFunc(d.appearances, func(s string) bool { return bytes.Contains([]byte(s), append([]byte("/"), resource...)) })
}

// resourcesGrew says whether the default resources of the form kept what they had and gained only what is new. Programs
// that sign put their font there. That no earlier field names it is looked for later, see unusedDefaults.
func (c *comparison) resourcesGrew(oldObject, nowObject Object) (bool, error) {
	if _, isRef := nowObject.(Ref); isRef {
		return false, nil
	}
	now, ok := nowObject.(Dict)
	old, wasDict := oldObject.(Dict)
	if _, dup := now.Duplicate(); !ok || dup || oldObject != nil && !wasDict {
		return false, nil
	}
	for _, kind := range union(old, now) {
		if equalDirect(kind.was, kind.is, maxCompareDepth) {
			continue
		}
		is, isDict := kind.is.(Dict)
		was, wasDict := kind.was.(Dict)
		_, dup := is.Duplicate()
		if list, isList := kind.is.(Array); isList && kind.key == "ProcSet" && kind.was == nil {
			if sound, err := c.closure(list); err != nil || !sound {
				return false, err
			}
			continue
		}
		if !isDict || dup || kind.was != nil && !wasDict {
			return false, nil
		}
		for _, e := range union(was, is) {
			if equalDirect(e.was, e.is, maxCompareDepth) {
				continue
			}
			if e.was != nil || e.is == nil {
				return false, nil
			}
			if sound, err := c.closure(e.is); err != nil || !sound {
				return false, err
			}
			c.formNames = append(c.formNames, e.key)
		}
	}
	return true, nil
}

// unusedDefaults refuses default resources and a default appearance that came with nothing to need them, or that may
// change how an earlier field is drawn.
func (c *comparison) unusedDefaults() {
	d := &c.comparer.usage.defaults
	if c.formDefault && (d.fillable || len(c.signed) == 0) {
		c.refuse(ChangeForm, Ref{}, 0, "表单的 /DA 被改动。", "The form's /DA was changed.")
	}
	if len(c.formNames) > 0 && (len(c.signed) == 0 || slices.ContainsFunc(c.formNames, d.names)) {
		c.refuse(ChangeForm, Ref{}, 0, "表单的 /DR 被改动。", "The form's /DR was changed.")
	}
}
