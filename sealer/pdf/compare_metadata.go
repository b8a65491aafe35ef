package pdf

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
)

// compareInformation compares the document information, to which the trailer's /Info leads. When it was changed last
// and by which program may be brought up to date, as programs do that add a signature. What it says of the document
// itself may not: its title stands in the title bar of the reader's window, and its author is what an archive relies on.
func (c *comparison) compareInformation(oldObject, nowObject Object) error {
	at := slot{0, "Info"}
	ref, _ := nowObject.(Ref)
	if equalDirect(oldObject, nowObject, maxCompareDepth) && c.touched[ref.Num] == nil {
		return nil
	}
	was, err := resolveDict(c.before, oldObject)
	if err != nil {
		return err
	}
	is, err := resolveDict(c.after, nowObject)
	if err != nil {
		return err
	}
	if key, same := sameInformation(was, is); !same {
		if ref != (Ref{}) {
			c.vetted[ref.Num] = true // it is named here
		}
		c.refuse(ChangeMetadata, ref, 0, fmt.Sprintf("文档信息（文件尾的 /Info：标题、作者等）被改动：/%s。", key),
			fmt.Sprintf("The document information (the trailer's /Info: title, author and so on) was changed: /%s.", key))
		return nil
	}
	c.account(at, oldObject, nowObject)
	return c.permit(Change{Kind: ChangeMetadataUpdated, Object: ref, ZH: "文档信息中的修改时间或制作程序有更新，不影响显示。",
		EN: "The document information has another time of modification or program, which no page shows."}, "")
}

// informationFree are the entries of the document information that say nothing of the document itself.
var informationFree = []Name{"ModDate", "Producer"}

// sameInformation compares what two document informations say of the document, and names the first entry that is
// another.
func sameInformation(was, is Dict) (string, bool) {
	if _, dup := is.Duplicate(); dup && !equalDicts(was, is, maxCompareDepth) || is == nil {
		return "", false
	}
	for _, e := range union(was, is) {
		key, old, now := e.key, e.was, e.is
		x, wasText := old.(String)
		y, isText := now.(String)
		switch {
		case equalDirect(old, now, maxCompareDepth):
		case wasText && isText && x.Text() == y.Text():
		case isText && slices.Contains(informationFree, key):
		default:
			return printable(key), false
		}
	}
	return "", true
}

// metadataKeys are what a metadata stream may hold (ISO 32000-2, 14.3.2).
var metadataKeys = []Name{"Type", "Subtype", "Length", "Filter", "DecodeParms"}

// compareMetadata compares the catalog's /Metadata, a stream of XMP. It may be written anew when what it says of the
// document in the terms of Dublin Core, title and author among them, stays.
func (c *comparison) compareMetadata(at slot, oldObject, nowObject Object) error {
	ref, isRef := nowObject.(Ref)
	if equalDirect(oldObject, nowObject, maxCompareDepth) && c.touched[ref.Num] == nil {
		return nil
	}
	sound, err := c.metadataUpdated(oldObject, ref)
	if err != nil {
		return err
	}
	if !isRef || !sound {
		if c.touched[ref.Num] != nil {
			c.vetted[ref.Num] = true // it is named here
		}
		c.refuse(ChangeMetadata, ref, 0, "文档的元数据（标题、作者等）被改动。", "The metadata of the document (title, author and so on) was changed.")
		return nil
	}
	c.account(at, oldObject, nowObject)
	return c.permit(Change{Kind: ChangeMetadataUpdated, Object: ref, ZH: "文档的元数据（XMP）有更新，不影响显示。",
		EN: "The metadata of the document (XMP) were updated, which no page shows."}, "")
}

// metadataUpdated says whether a metadata stream is one, and says of the document what the one before said.
func (c *comparison) metadataUpdated(oldObject Object, ref Ref) (bool, error) {
	if !c.fresh[ref.Num] && (oldObject != Object(ref) || c.touched[ref.Num] == nil) {
		return false, nil
	}
	o, err := c.after.Object(ref)
	if err != nil {
		return false, err
	}
	now, ok := o.(*Stream)
	if !ok || !c.plainData(now.Dict, metadataKeys) || now.Dict.Get("Subtype") != Name("XML") {
		return false, nil
	}
	said, ok := describedBy(c.after, now)
	if !ok {
		return false, nil
	}
	if o, err = c.before.Resolve(oldObject); err != nil {
		return false, err
	}
	if o == nil {
		return len(said) == 0, nil // metadata came that were not there
	}
	old, ok := o.(*Stream)
	if !ok {
		return false, nil
	}
	before, ok := describedBy(c.before, old)
	return ok && slices.Equal(before, said), nil
}

const (
	maxMetadata = 4 << 20 // bytes of XMP that are read
	dublinCore  = "http://purl.org/dc/elements/1.1/"
)

// describedBy gives what XMP says in the terms of Dublin Core: each property with the texts below it, in the order of
// their names. It is not ok when that cannot be read.
func describedBy(d *Document, s *Stream) (said []string, ok bool) {
	data, err := d.StreamData(s, maxMetadata)
	if err != nil {
		return nil, false
	}
	decoder := xml.NewDecoder(bytes.NewReader(data))
	property, depth := "", 0 // of Dublin Core, and how deep below its element
	for {
		token, err := decoder.Token()
		if err == io.EOF {
			slices.Sort(said)
			return said, true
		}
		if err != nil {
			return nil, false
		}
		switch t := token.(type) {
		case xml.StartElement:
			switch {
			case depth > 0:
				depth++
			case describes(t.Name):
				property, depth = t.Name.Local, 1
			}
			for _, a := range t.Attr {
				if describes(a.Name) {
					said = append(said, a.Name.Local+"\x00"+a.Value)
				} else if depth > 0 && a.Name.Space != "xmlns" && a.Name.Local != "xmlns" {
					// The language of a title, for instance: which of several is shown depends on it.
					property += "\x00" + a.Name.Local + "=" + a.Value
				}
			}
		case xml.EndElement:
			if depth--; depth == 0 {
				said = append(said, property)
			}
			depth = max(depth, 0)
		case xml.CharData:
			if text := bytes.TrimSpace(t); depth > 0 && len(text) > 0 {
				property += "\x00" + string(text)
			}
		}
	}
}

// describes tells a property of Dublin Core that says something of the document; its format is that of the file.
func describes(n xml.Name) bool { return n.Space == dublinCore && n.Local != "format" }
