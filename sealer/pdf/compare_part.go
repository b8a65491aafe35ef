package pdf

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// sealPart is a new annotation that may be a further place of a seal: a signature field has one widget (ISO 32000-2,
// 12.7.5.5), so the parts of a straddle seal are locked stamps in the update of the signature.
type sealPart struct {
	ref, page Ref
	dict      Dict
}

// partKeys are what a part may hold, lookKeys what its appearance may.
var (
	partKeys = []Name{"Type", "Subtype", "NM", "Contents", "P", "F", "Rect", "AP", "M", "T"}
	lookKeys = []Name{"Type", "Subtype", "FormType", "BBox", "Matrix", "Resources", "Length", "Filter", "DecodeParms"}
)

// maxLook bounds the content of a part's appearance, in bytes: it sets a matrix and draws one picture.
const maxLook = 4096

// maxNested bounds how many forms inside the appearance of a signature are looked at.
const maxNested = 16

// maxPictures is how many XObjects a form may have for its pictures to be those of a seal.
const maxPictures = 100

// draws notes what the appearance of a new signature draws, and what the forms that it draws do: the seal with lines of
// text is a form around the seal, of which the parts show the seal alone.
func (c *comparison) draws(widget Dict) {
	look, err := resolveDict(c.after, widget.Get("AP"))
	if err != nil {
		return
	}
	forms := []Object{look.Get("N")}
	for i := 0; i < len(forms) && i < maxNested; i++ {
		o, err := c.after.Resolve(forms[i])
		form, ok := o.(*Stream)
		if err != nil || !ok {
			continue
		}
		pictures, err := c.picturesOf(form)
		if err != nil {
			continue
		}
		for _, e := range pictures {
			if r, ok := e.Value.(Ref); ok && c.fresh[r.Num] && !c.pictures[r] {
				c.pictures[r] = true
				forms = append(forms, r)
			}
		}
	}
}

// picturesOf gives the XObjects among the resources of a form.
func (c *comparison) picturesOf(form *Stream) (Dict, error) {
	resources, err := resolveDict(c.after, form.Dict.Get("Resources"))
	if err != nil {
		return nil, err
	}
	pictures, err := resolveDict(c.after, resources.Get("XObject"))
	if len(pictures) > maxPictures {
		return nil, err
	}
	return pictures, err
}

// placeParts judges the stamps that came: together with a new signature, locked, and drawing nothing but what that
// signature's own appearance draws.
func (c *comparison) placeParts() error {
	var numbers []int
	for _, p := range c.parts {
		sound := len(c.gained[p.ref.Num]) == 1
		if sound {
			var err error
			if sound, err = c.isPart(p); err != nil {
				return err
			}
		}
		if !sound {
			c.refuseAnnotation(p.ref, p.page, p.dict)
			continue
		}
		dict := p.dict.Clone()
		dict.Set("P", p.page)
		rect, page, ok := c.addedPlace(p.ref, dict)
		if !ok && !tooLarge(rect) {
			c.refuse(ChangeSignature, p.ref, page, onPage(page, "加入的签章合起来遮盖了%s的大部分。"),
				coverage(page, "Seals were added that together cover"))
			continue
		}
		if tooLarge(rect) {
			c.refuse(ChangeSignature, p.ref, page, onPage(page, "%s加入的签章比任何印章都大")+onPlace(0, rect)+"。",
				toPage(page, "A seal larger than any seal was added")+atPlace(0, rect)+".")
			continue
		}
		numbers = append(numbers, page)
	}
	if len(numbers) == 0 {
		return nil
	}
	slices.Sort(numbers)
	list := pageRanges(slices.Compact(slices.Clone(numbers)))
	return c.permit(Change{Kind: ChangeSealPart, Page: numbers[0], Object: c.parts[0].ref,
		ZH: fmt.Sprintf("加入的签章另盖在 %d 处（第 %s 页），如骑缝章。", len(numbers), list),
		EN: fmt.Sprintf("The signature that was added shows its seal in %d more places (pages %s), as a straddle seal does.", len(numbers), list)}, "")
}

// isPart says whether an annotation is a further place of a new seal.
func (c *comparison) isPart(p sealPart) (bool, error) {
	if _, dup := p.dict.Duplicate(); dup || p.dict.Get("F") != Integer(stampFlags) {
		return false, nil
	}
	for _, e := range p.dict {
		if !slices.Contains(partKeys, e.Key) {
			return false, nil
		}
	}
	if _, ok := rectangle(c.after, p.dict.Get("Rect")); !ok {
		return false, nil
	}
	look, err := resolveDict(c.after, p.dict.Get("AP"))
	if err != nil || len(look) != 1 {
		return false, err
	}
	ref, ok := look.Get("N").(Ref)
	if !ok || !c.fresh[ref.Num] {
		return false, nil
	}
	o, err := c.after.Object(ref)
	if err != nil {
		return false, err
	}
	form, ok := o.(*Stream)
	if !ok || !c.isForm(form.Dict) || slices.ContainsFunc(form.Dict, func(e Entry) bool { return !slices.Contains(lookKeys, e.Key) }) {
		return false, nil
	}
	if reached, err := c.closure(p.dict.Get("AP")); err != nil || !reached {
		return false, err
	}
	return c.drawsPictures(form)
}

// drawsPictures says whether the content of a form does nothing but place, clip and draw pictures of new signatures.
func (c *comparison) drawsPictures(form *Stream) (bool, error) {
	pictures, err := c.picturesOf(form)
	if err != nil {
		return false, err
	}
	if _, dup := pictures.Duplicate(); dup {
		return false, nil
	}
	content, err := c.after.StreamData(form, maxLook)
	if err != nil {
		return false, nil
	}
	p := newParser(content, -1, true, c.after.limits)
	var name Name
	drawn := false
	for p.skip() == nil {
		switch ch := p.buf[p.pos]; {
		case ch == '/':
			if name, err = p.name(); err != nil {
				return false, nil
			}
		case isDigit(ch) || ch == '-' || ch == '+' || ch == '.':
			if _, err := p.number(); err != nil {
				return false, nil
			}
		default:
			word, err := p.token()
			if err != nil || len(word) == 0 {
				return false, nil
			}
			switch string(word) {
			case "q", "Q", "cm", "re", "W", "W*", "n":
			case "Do":
				if picture, ok := pictures.Get(name).(Ref); !ok || !c.pictures[picture] {
					return false, nil
				}
				drawn = true
			default:
				return false, nil
			}
		}
	}
	return drawn, nil
}

// pageRanges writes page numbers in rising order as people do: 1-5, 8, 10-12. A long list is cut.
func pageRanges(numbers []int) string {
	var out []string
	for i := 0; i < len(numbers); {
		j := i
		for j+1 < len(numbers) && numbers[j+1] == numbers[j]+1 {
			j++
		}
		switch {
		case len(out) == 20:
			return strings.Join(out, ", ") + " …"
		case j == i:
			out = append(out, strconv.Itoa(numbers[i]))
		default:
			out = append(out, strconv.Itoa(numbers[i])+"-"+strconv.Itoa(numbers[j]))
		}
		i = j + 1
	}
	return strings.Join(out, ", ")
}
