package intake

import "yinxin/sealer/pdf"

const (
	maxLayers  = 10_000 // looked at
	maxMembers = 100    // of one membership
)

// layers looks at optional content (ISO 32000-1, 8.11): layers that are off when the file is opened, that printing
// shows and the screen does not or the other way round, and further configurations that switch them.
func (s *scanner) layers() error {
	catalog, ref, err := s.doc.Catalog()
	if err != nil || s.encrypted {
		return err
	}
	properties, err := s.dict(catalog.Get("OCProperties"))
	if err != nil || properties == nil {
		return err
	}
	if at, ok := catalog.Get("OCProperties").(pdf.Ref); ok {
		ref = at
	}
	groups, err := s.array(properties.Get("OCGs"))
	if err != nil {
		return err
	}
	if len(groups) > 0 {
		s.add(Finding{Code: CodeLayers, ref: ref, Count: len(groups)})
	}
	configs, err := s.array(properties.Get("Configs"))
	if err != nil {
		return err
	}
	if len(configs) > 0 {
		s.add(Finding{Code: CodeLayerConfigs, ref: ref, Count: len(configs)})
	}
	standard, err := s.dict(properties.Get("D"))
	if err != nil {
		return err
	}
	off, err := s.layersOffIn(standard, groups)
	if err != nil {
		return err
	}
	for i, o := range groups {
		if i >= maxLayers {
			s.cut("layers")
			break
		}
		group, _ := o.(pdf.Ref)
		if err := s.layer(group, off[group]); err != nil {
			return err
		}
	}
	return nil
}

// layersOffIn gives the layers that a configuration leaves off.
func (s *scanner) layersOffIn(config pdf.Dict, groups pdf.Array) (map[pdf.Ref]bool, error) {
	off := map[pdf.Ref]bool{}
	if s.name(config.Get("BaseState")) == "OFF" {
		for _, o := range groups {
			if ref, ok := o.(pdf.Ref); ok {
				off[ref] = true
			}
		}
		on, err := s.array(config.Get("ON"))
		if err != nil {
			return nil, err
		}
		for _, o := range on {
			if ref, ok := o.(pdf.Ref); ok {
				delete(off, ref)
			}
		}
	}
	list, err := s.array(config.Get("OFF"))
	for _, o := range list {
		if ref, ok := o.(pdf.Ref); ok {
			off[ref] = true
		}
	}
	return off, err
}

// layer looks at one layer.
func (s *scanner) layer(ref pdf.Ref, off bool) error {
	group, err := s.dict(ref)
	if err != nil {
		return err
	}
	name := s.text(group.Get("Name"))
	if off {
		s.layersOff[ref] = true
		s.add(Finding{Code: CodeLayerHidden, ref: ref, Detail: name})
	}
	usage, err := s.dict(group.Get("Usage"))
	if err != nil {
		return err
	}
	state := func(category, key pdf.Name) (pdf.Name, error) {
		d, err := s.dict(usage.Get(category))
		return s.name(d.Get(key)), err
	}
	view, err := state("View", "ViewState")
	if err != nil {
		return err
	}
	print, err := state("Print", "PrintState")
	if err != nil {
		return err
	}
	shown := view
	if shown == "" {
		shown = "ON"
		if off {
			shown = "OFF"
		}
	}
	if print != "" && print != shown {
		s.add(Finding{Code: CodeLayerPrintView, ref: ref, Detail: name})
	}
	return nil
}

// hiddenLayer says that content under an optional content group, or membership, is not shown when the file is opened.
func (s *scanner) hiddenLayer(o pdf.Object) bool {
	if ref, ok := o.(pdf.Ref); ok && s.layersOff[ref] {
		return true
	}
	if len(s.layersOff) == 0 {
		return false
	}
	d, err := s.dict(o)
	if err != nil || s.name(d.Get("Type")) != "OCMD" {
		return false
	}
	members, err := s.array(d.Get("OCGs"))
	if err != nil {
		return false
	}
	if len(members) > maxMembers {
		return false
	}
	if members == nil {
		members = pdf.Array{d.Get("OCGs")}
	}
	// The usual policy is AnyOn (8.11.2.2): hidden when every member is.
	for _, m := range members {
		if ref, ok := m.(pdf.Ref); !ok || !s.layersOff[ref] {
			return false
		}
	}
	return len(members) > 0
}
