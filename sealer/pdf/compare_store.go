package pdf

import (
	"fmt"
	"slices"
)

// storeArrays are the lists of the document security store, and what each is called in the entry of one signature
// (ISO 32000-2, 12.8.4.3 and 12.8.4.4; ETSI EN 319 142-1, 5.4.2).
var (
	storeArrays = []Name{"Certs", "CRLs", "OCSPs"}
	entryArrays = []Name{"Cert", "CRL", "OCSP"}
)

// store judges how the document security store grew.
type store struct {
	*comparison
	catalog int
	added   int  // streams
	changed bool // anything is other than before
	wrong   Ref  // the object that is not as it must be
}

// maxStored bounds the streams of one list.
const maxStored = 100_000

// compareSecurityStore compares the catalog's /DSS: certificates, CRLs and OCSP answers may be added, and entries for
// signatures (VRI). What was there stays; nothing but streams of data and the lists of them can be under it.
func (c *comparison) compareSecurityStore(at slot, oldObject, nowObject Object) error {
	s := &store{comparison: c, catalog: at.holder}
	sound, err := s.dictionary(at, oldObject, nowObject, s.entry)
	if err != nil {
		return err
	}
	if !sound {
		c.refuse(ChangeCatalog, s.wrong, 0, "长期验证数据（/DSS）中的内容被删除、改换或不是验证数据。",
			"In the validation data (/DSS) something was removed or exchanged, or is no validation data.")
		return nil
	}
	if !s.changed {
		return nil
	}
	ref, _ := nowObject.(Ref)
	return c.permit(Change{Kind: ChangeValidationData, Object: ref,
		ZH: fmt.Sprintf("追加了长期验证数据（证书、撤销信息等 %d 项），不影响显示。", s.added),
		EN: fmt.Sprintf("Validation data were added (%d certificates, revocation lists and the like), which show nothing.", s.added)}, "")
}

// dictionary compares a dictionary that may come, and may grow as entry lets each of its keys.
func (s *store) dictionary(at slot, oldObject, nowObject Object, entry func(at slot, was, is Object) (bool, error)) (bool, error) {
	old, err := s.before.Resolve(oldObject)
	if err != nil {
		return false, err
	}
	now, err := s.after.Resolve(nowObject)
	if err != nil {
		return false, err
	}
	was, wasDict := old.(Dict)
	is, isDict := now.(Dict)
	ref, _ := nowObject.(Ref)
	_, dup := is.Duplicate()
	if old == nil && now == nil {
		return equalDirect(oldObject, nowObject, 1), nil
	}
	if !isDict || (old != nil && !wasDict) || (dup && !equalDicts(was, is, maxCompareDepth)) {
		s.wrong = ref
		return false, nil
	}
	s.holds(at, oldObject, nowObject)
	for _, e := range union(was, is) {
		sound, err := entry(slot{at.holder, at.key + "." + e.key}, e.was, e.is)
		if err != nil || !sound {
			if s.wrong == (Ref{}) {
				s.wrong = ref
			}
			return false, err
		}
	}
	return true, nil
}

// holds accounts for the object that holds a part of the store, and notes whether anything changed.
func (s *store) holds(at slot, oldObject, nowObject Object) {
	s.account(at, oldObject, nowObject)
	ref, isRef := nowObject.(Ref)
	s.changed = s.changed || !isRef && !equalDirect(oldObject, nowObject, maxCompareDepth) ||
		isRef && (oldObject != nowObject || s.touched[ref.Num] != nil)
}

// entry judges one key of the store.
func (s *store) entry(at slot, was, is Object) (bool, error) {
	switch key := lastKey(at); {
	case slices.Contains(storeArrays, key):
		return s.streams(at, was, is)
	case key == "VRI":
		return s.dictionary(at, was, is, s.signatureEntry)
	case key == "Type":
		return is == Name("DSS"), nil
	}
	return equalDirect(was, is, maxCompareDepth), nil
}

// signatureEntry judges one entry of the VRI dictionary: its key is the digest of a signature, in hexadecimal.
func (s *store) signatureEntry(at slot, was, is Object) (bool, error) {
	key := lastKey(at)
	if key == "Type" {
		return is == Name("VRI"), nil
	}
	if was == nil && (len(key) < 40 || len(key) > 128 || !isHex(key)) {
		return false, nil
	}
	return s.dictionary(at, was, is, func(at slot, was, is Object) (bool, error) {
		switch key := lastKey(at); {
		case slices.Contains(entryArrays, key):
			return s.streams(at, was, is)
		case key == "TS" && was == nil:
			return s.stream(is)
		case key == "TU" && was == nil:
			_, isText := is.(String)
			return isText, nil
		case key == "Type":
			return is == Name("VRI"), nil
		}
		return equalDirect(was, is, maxCompareDepth), nil
	})
}

// lastKey is the key that a slot ends with.
func lastKey(at slot) Name {
	for i := len(at.key) - 1; i >= 0; i-- {
		if at.key[i] == '.' {
			return at.key[i+1:]
		}
	}
	return at.key
}

func isHex(n Name) bool {
	for i := range len(n) {
		if c := n[i]; !isDigit(c) && (c < 'A' || c > 'F') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// streams compares a list of streams: it keeps those that it had, in any order, and gains others.
func (s *store) streams(at slot, oldObject, nowObject Object) (bool, error) {
	o, err := s.before.Resolve(oldObject)
	if err != nil {
		return false, err
	}
	n, err := s.after.Resolve(nowObject)
	if err != nil {
		return false, err
	}
	old, _ := o.(Array)
	now, isArray := n.(Array)
	if n == nil && o == nil {
		return true, nil
	}
	if !isArray || len(now) > maxStored {
		return false, nil
	}
	s.holds(at, oldObject, nowObject)
	lost := map[Ref]bool{}
	for _, e := range old {
		r, ok := e.(Ref)
		if !ok {
			return equalDirect(old, now, maxCompareDepth), nil
		}
		lost[r] = true
	}
	for _, e := range now {
		r, ok := e.(Ref)
		if _, had := lost[r]; ok && had {
			lost[r] = false
			continue
		}
		if ok, err := s.stream(e); err != nil || !ok {
			return false, err
		}
	}
	for _, gone := range lost {
		if gone {
			return false, nil
		}
	}
	return true, nil
}

// dataKeys are what a stream of data may hold in its dictionary.
var dataKeys = []Name{"Type", "Length", "Filter", "DecodeParms", "DL"}

// stream accounts for a stream that came into the store: a new one of data only, or one that was in the file before.
func (s *store) stream(o Object) (bool, error) {
	ref, ok := o.(Ref)
	if !ok {
		return false, nil
	}
	s.wrong = ref
	value, err := s.after.Object(ref)
	if err != nil {
		return false, err
	}
	data, ok := value.(*Stream)
	if !ok {
		return false, nil
	}
	if s.fresh[ref.Num] {
		if !s.plainData(data.Dict, dataKeys) {
			return false, nil
		}
		s.vetted[ref.Num] = true
		s.added++
	}
	s.wrong = Ref{}
	return true, nil
}

// plainData says that a stream's dictionary describes its data and nothing else. A length that is an object of its own
// is accounted for.
func (c *comparison) plainData(d Dict, keys []Name) bool {
	if _, dup := d.Duplicate(); dup {
		return false
	}
	for _, e := range d {
		if !slices.Contains(keys, e.Key) {
			return false
		}
		if ref, ok := e.Value.(Ref); ok && e.Key == "Length" {
			if length, err := c.after.Object(ref); err == nil && c.fresh[ref.Num] {
				if _, ok := length.(Integer); ok {
					c.vetted[ref.Num] = true
				}
			}
			continue
		}
		plain := true
		eachReference(e.Value, func(Ref) { plain = false })
		if !plain {
			return false
		}
	}
	return true
}

// compareExtensions compares the catalog's /Extensions, which name what a file uses beyond its version, prefix by
// prefix (ISO 32000-2, 7.12): some may come, and their level may rise.
func (c *comparison) compareExtensions(at slot, oldObject, nowObject Object) error {
	s := &store{comparison: c, catalog: at.holder}
	sound, err := s.dictionary(at, oldObject, nowObject, func(at slot, was, is Object) (bool, error) {
		if lastKey(at) == "Type" || equalDirect(was, is, maxCompareDepth) && !s.touches(is) {
			return lastKey(at) != "Type" || is == Name("Extensions") || equalDirect(was, is, 1), nil
		}
		list, isList := is.(Array)
		if !isList {
			list = Array{is}
		}
		old, _ := was.(Array)
		for i, e := range list {
			if i < len(old) && equalDirect(old[i], e, maxCompareDepth) && !s.touches(e) {
				continue
			}
			from := was
			if isList {
				from = nil
			}
			if ok, err := s.dictionary(at, from, e, extension); err != nil || !ok {
				return false, err
			}
		}
		return len(list) >= len(old) && len(list) <= 100, nil
	})
	if err != nil {
		return err
	}
	if !sound {
		c.refuseCatalog("Extensions", Ref{Num: at.holder})
		return nil
	}
	if !s.changed {
		return nil
	}
	return c.permit(Change{Kind: ChangeExtension, Object: Ref{Num: at.holder}, ZH: "文件声明使用了扩展功能（/Extensions），不影响显示。",
		EN: "The document says that it uses extensions (/Extensions), which show nothing."}, "")
}

// touches says that an object that changed is referred to.
func (c *comparison) touches(o Object) bool {
	ref, ok := o.(Ref)
	return ok && c.touched[ref.Num] != nil
}

// extension judges one key of a developer extension: plain values only.
func extension(at slot, was, is Object) (bool, error) {
	switch lastKey(at) {
	case "Type", "BaseVersion":
		_, ok := is.(Name)
		return ok, nil
	case "ExtensionLevel":
		now, ok := is.(Integer)
		old, _ := was.(Integer)
		return ok && now >= old, nil
	case "URL", "ExtensionRevision":
		_, ok := is.(String)
		return ok || is == nil, nil
	}
	return equalDirect(was, is, maxCompareDepth), nil
}

// compareVersion compares the catalog's /Version: it may rise to one that there is.
func (c *comparison) compareVersion(at slot, was, is Object) error {
	if equalDirect(was, is, maxCompareDepth) {
		return nil
	}
	now, ok := is.(Name)
	old, _ := was.(Name)
	if !ok || !slices.Contains([]Name{"1.4", "1.5", "1.6", "1.7", "2.0"}, now) || now < old {
		c.refuseCatalog("Version", Ref{Num: at.holder})
		return nil
	}
	return c.permit(Change{Kind: ChangeExtension, Object: Ref{Num: at.holder}, ZH: fmt.Sprintf("文件声明的版本改为 %s，不影响显示。", now),
		EN: fmt.Sprintf("The document says that its version is %s now, which shows nothing.", now)}, "")
}
