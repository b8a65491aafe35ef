package intake

import (
	"errors"
	"fmt"
	"strings"

	"yinxin/sealer/pdf"
)

const (
	maxFields     = 50_000
	maxFieldDepth = 32
	flagReadOnly  = 1 << 0
	flagPassword  = 1 << 13
	flagPush      = 1 << 16 // of a button: it has no value
	flagComb      = 1 << 24
	flagFile      = 1 << 20
)

// fieldNode is a field still to be visited, with what it inherits (ISO 32000-1, 12.7.3).
type fieldNode struct {
	object pdf.Object
	name   string
	kind   pdf.Name
	flags  int64
	value  pdf.Object
	depth  int
}

// form looks at the interactive form: XFA, appearances left to the reader, fields that can be filled in, values that
// are not what is shown.
func (s *scanner) form() error {
	catalog, _, err := s.doc.Catalog()
	if err != nil || s.encrypted {
		return err
	}
	form, err := s.dict(catalog.Get("AcroForm"))
	if err != nil {
		return err
	}
	ref, _ := catalog.Get("AcroForm").(pdf.Ref)
	xfa, err := s.resolve(form.Get("XFA"))
	if err != nil {
		return err
	}
	rendering, err := s.resolve(catalog.Get("NeedsRendering"))
	if err != nil {
		return err
	}
	if xfa != nil || rendering == true {
		s.add(Finding{Code: CodeXFA, ref: ref})
	}
	need, err := s.resolve(form.Get("NeedAppearances"))
	if err != nil {
		return err
	}
	if need == true {
		s.add(Finding{Code: CodeNeedAppearances, ref: ref})
	}
	roots, err := s.array(form.Get("Fields"))
	if err != nil {
		return err
	}
	return s.fields(roots)
}

// fields visits the fields and counts those that can be filled in, page by page.
func (s *scanner) fields(roots pdf.Array) error {
	stack := make([]fieldNode, 0, len(roots))
	for i := len(roots) - 1; i >= 0; i-- {
		stack = append(stack, fieldNode{object: roots[i]})
	}
	open, first, visited := 0, pdf.Ref{}, map[pdf.Ref]bool{}
	pages := map[int]bool{}
	firstPage, example := 0, ""
	for steps := 0; len(stack) > 0; steps++ {
		if steps > maxFields {
			s.cut("fields")
			break
		}
		if steps&0xFF == 0 && s.ctx.Err() != nil {
			return s.ctx.Err()
		}
		n := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		ref, _ := n.object.(pdf.Ref)
		if ref.Num != 0 {
			if visited[ref] {
				continue
			}
			visited[ref] = true
		}
		d, err := s.dict(n.object)
		if err != nil {
			return err
		}
		if d == nil || n.depth > maxFieldDepth {
			continue
		}
		kids, err := s.inheritField(&n, d)
		if err != nil {
			return err
		}
		if len(kids) > 0 {
			for i := len(kids) - 1; i >= 0; i-- {
				stack = append(stack, fieldNode{object: kids[i], name: n.name, kind: n.kind, flags: n.flags, value: n.value, depth: n.depth + 1})
			}
			continue
		}
		page := 0
		if at, ok := d.Get("P").(pdf.Ref); ok {
			page = s.pageNumbers.of(at.Num)
		}
		if fillable(n) {
			if open++; open == 1 {
				first, firstPage, example = ref, page, n.name
			}
			pages[page] = true
		}
		if err := s.compareValue(n, d, ref, page); err != nil {
			return err
		}
	}
	if open > 0 {
		detail := clean(example)
		if len(pages) > 1 {
			detail = fmt.Sprintf("%s … (%d p.)", detail, len(pages))
		}
		s.add(Finding{Code: CodeFields, Page: firstPage, ref: first, Count: open, Detail: detail})
	}
	return nil
}

// inheritField completes a node and gives its kids, widgets and fields alike.
func (s *scanner) inheritField(n *fieldNode, d pdf.Dict) (pdf.Array, error) {
	if part := s.text(d.Get("T")); part != "" {
		if n.name != "" {
			n.name += "."
		}
		if len(n.name) < 200 {
			n.name += part
		}
	}
	if kind := s.name(d.Get("FT")); kind != "" {
		n.kind = kind
	}
	if d.Has("Ff") {
		n.flags = s.integer(d.Get("Ff"))
	}
	if v := d.Get("V"); v != nil {
		n.value = v
	}
	return s.array(d.Get("Kids"))
}

// fillable says that a person can change the field.
func fillable(n fieldNode) bool {
	switch n.kind {
	case "Tx", "Ch":
		return n.flags&flagReadOnly == 0
	case "Btn":
		return n.flags&(flagReadOnly|flagPush) == 0
	}
	return false
}

// compareValue compares the value of a text field with the text that its appearance shows, where both can be read
// without knowing the font: a reader that draws the field anew would show the value (shadow attack, replace).
func (s *scanner) compareValue(n fieldNode, d pdf.Dict, ref pdf.Ref, page int) error {
	if n.kind != "Tx" || n.flags&(flagPassword|flagComb|flagFile) != 0 {
		return nil
	}
	v, err := s.resolve(n.value)
	value, ok := v.(pdf.String)
	if err != nil || !ok {
		return err
	}
	appearance, err := s.appearance(d)
	if err != nil || appearance == nil {
		return err
	}
	data, err := s.decode(appearance)
	if err != nil {
		return err
	}
	var shown strings.Builder
	readable := true
	err = pdf.EachOperator(s.ctx, data, func(operator []byte, operands []pdf.Operand) error {
		if s.operators++; s.operators > s.limits.Operators {
			return errBudget
		}
		switch string(operator) {
		case "Tj", "'", "\"", "TJ":
			for i := range operands {
				items := operands[i : i+1]
				if operands[i].Kind == pdf.OperandArray {
					items = operands[i].Items
				}
				for _, o := range items {
					if o.Kind != pdf.OperandString {
						continue
					}
					readable = readable && !o.Hex && plain(string(o.Text))
					if shown.Len() < 8192 {
						shown.Write(o.Text)
					}
				}
			}
		case "Do":
			readable = false
		}
		return nil
	})
	if errors.Is(err, errBudget) {
		s.cut("content")
		return nil
	}
	text := value.Text()
	if err != nil || !readable || !plain(text) || len(text) > 4096 {
		return err
	}
	a, b := squeeze(text), squeeze(shown.String())
	if a != b && b != "" && !strings.Contains(a, b) && !strings.Contains(b, a) {
		s.add(Finding{Code: CodeValueDiffers, Page: page, ref: ref, Detail: n.name})
	}
	return nil
}

// plain says that text is ASCII without escapes.
func plain(text string) bool {
	for i := range len(text) {
		if c := text[i]; c >= 0x7f || c == '\\' || c < ' ' && c != '\n' && c != '\r' && c != '\t' {
			return false
		}
	}
	return true
}

// squeeze leaves out all white space: lines are broken where the field is narrow.
func squeeze(text string) string { return strings.Join(strings.Fields(text), "") }
