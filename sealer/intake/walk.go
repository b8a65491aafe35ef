package intake

import (
	"slices"
	"strconv"
	"strings"

	"yinxin/internal/fault"
	"yinxin/sealer/pdf"
)

func number(n int) string { return strconv.Itoa(n) }

// step is a value still to be visited.
type step struct {
	object pdf.Object
	owner  pdf.Ref  // the indirect object that it stands in
	key    pdf.Name // the nearest key above it
	shown  bool     // what a page shows depends on it
	depth  int
}

// maxNesting bounds how deep the walk goes into direct objects; the reader has bounded them too.
const maxNesting = 100

// notShown are keys below which nothing is drawn.
var notShown = []pdf.Name{"A", "AA", "Dest", "Popup", "IRT", "StructParents", "Metadata", "PieceInfo", "Thumb", "B", "AF", "Parent", "P",
	"Pg", "Lang", "ID", "LastModified", "SeparationInfo", "Tabs", "TemplateInstantiated", "PresSteps", "Trans", "DSS", "V", "Measure", "PtData",
	"OC", "StructParent", "Lock", "SV", "MarkInfo", "Opt", "DV", "RichMediaContent", "Next", "CO"}

// shownFrom are keys of the catalog and of forms below which what pages show is decided.
var shownFrom = []pdf.Name{"Kids", "Fields", "DR", "Contents", "Resources", "Annots", "AP"}

// walk visits everything that a value reaches, except other pages, each indirect object once in the whole scan. page
// is where it belongs, 0 for the document.
func (s *scanner) walk(o pdf.Object, owner pdf.Ref, key pdf.Name, page int, shown bool) error {
	stack := []step{{object: o, owner: owner, key: key, shown: shown, depth: 1}}
	for len(stack) > 0 {
		if s.steps++; s.steps > s.limits.Steps {
			s.cut("steps")
			return nil
		}
		at := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if at.depth > maxNesting {
			s.cut("depth")
			continue
		}
		switch v := at.object.(type) {
		case pdf.Ref:
			next, ok, err := s.enter(v, at, page)
			if err != nil {
				return err
			}
			if ok {
				stack = append(stack, step{object: next, owner: v, key: at.key, shown: at.shown})
			}
		case pdf.Array:
			for _, e := range slices.Backward(v) {
				if reaches(e) {
					stack = append(stack, step{object: e, owner: at.owner, key: at.key, shown: at.shown, depth: at.depth + 1})
				}
			}
		case *pdf.Stream:
			if err := s.inspectStream(v, at, page); err != nil {
				return err
			}
			stack = s.below(stack, v.Dict, at)
		case pdf.Dict:
			if s.isOtherPage(v, at) {
				// Whether it is in the page tree is not known before all of that was seen.
				s.seen.Remove(at.owner.Num)
				continue
			}
			if err := s.inspect(v, at, page); err != nil {
				return err
			}
			stack = s.below(stack, v, at)
		}
	}
	return nil
}

// reaches says that a value can lead anywhere.
func reaches(o pdf.Object) bool {
	switch o.(type) {
	case pdf.Ref, pdf.Array, pdf.Dict, *pdf.Stream:
		return true
	}
	return false
}

// below adds the entries of a dictionary to the steps, the first on top.
func (s *scanner) below(stack []step, d pdf.Dict, at step) []step {
	for i := len(d) - 1; i >= 0; i-- {
		e := d[i]
		if e.Key == "Parent" || e.Key == "P" || e.Key == "Pg" || !reaches(e.Value) {
			continue
		}
		shown := at.shown
		if slices.Contains(notShown, e.Key) {
			shown = false
		} else if slices.Contains(shownFrom, e.Key) && (at.key == "" || at.key == "AcroForm" || at.key == "Fields" || at.key == "Kids") {
			shown = true
		}
		stack = append(stack, step{object: e.Value, owner: at.owner, key: e.Key, shown: shown, depth: at.depth + 1})
	}
	return stack
}

// isOtherPage says that an indirect dictionary is a node of a page tree: pages are visited one by one.
func (s *scanner) isOtherPage(d pdf.Dict, at step) bool {
	t := d.Get("Type")
	return at.depth == 0 && (t == pdf.Name("Page") || t == pdf.Name("Pages"))
}

// enter gives the object behind a reference that was not visited before. References to nothing are findings.
func (s *scanner) enter(ref pdf.Ref, at step, page int) (pdf.Object, bool, error) {
	if s.seen.Has(ref.Num) {
		return nil, false, nil
	}
	entry, ok, err := s.doc.Entry(ref.Num)
	if err != nil {
		return nil, false, err
	}
	if !ok || entry.State == pdf.Free || entry.Gen != ref.Gen {
		s.dangles(ref, at, page)
		return nil, false, nil
	}
	if s.objects >= s.limits.Objects {
		s.cut("objects")
		return nil, false, nil
	}
	s.seen.Add(ref.Num, maxNumber)
	s.objects++
	if s.objects&0xFF == 0 && s.ctx.Err() != nil {
		return nil, false, s.ctx.Err()
	}
	o, err := s.doc.Object(ref)
	if f, isFault := fault.Of(err); isFault && f.Kind == fault.Invalid {
		s.add(Finding{Code: CodeUnreadable, Page: page, ref: ref, Detail: f.Code})
		return nil, false, nil
	}
	return o, o != nil, err
}

// dangles records a reference to an object that does not exist.
func (s *scanner) dangles(ref pdf.Ref, at step, page int) {
	if s.missing == nil {
		s.missing = map[int]bool{}
	}
	if s.missing[ref.Num] || len(s.missing) > 10_000 {
		return
	}
	s.missing[ref.Num] = true
	code := CodeDangling
	if at.shown {
		code = CodeDanglingShown
	}
	s.add(Finding{Code: code, Page: page, ref: at.owner, Detail: "/" + string(at.key) + " " + ref.String()})
}

// inspect looks at one dictionary, whatever led to it: actions, file specifications and fonts are known by their shape.
func (s *scanner) inspect(d pdf.Dict, at step, page int) error {
	if key, twice := d.Duplicate(); twice {
		s.add(Finding{Code: CodeAmbiguous, Page: page, ref: at.owner, Detail: "/" + string(key)})
	}
	s.inspectAction(d, at, page)
	if d.Has("EF") {
		name := s.text(d.Get("UF"))
		if name == "" {
			name = s.text(d.Get("F"))
		}
		s.add(Finding{Code: CodeAttachment, Page: page, ref: at.owner, Detail: name})
	}
	if d.Get("Type") == pdf.Name("Font") {
		return s.inspectFont(d, page)
	}
	return nil
}

// inspectAction looks at a dictionary that may be an action (ISO 32000-1, 12.6).
func (s *scanner) inspectAction(d pdf.Dict, at step, page int) {
	if d.Has("JS") {
		// Also in renditions and wherever else a reader runs it.
		s.add(Finding{Code: CodeJavaScript, Page: page, ref: at.owner})
	}
	kind, ok := d.Get("S").(pdf.Name)
	if !ok || d.Get("Type") == pdf.Name("StructElem") {
		return
	}
	code, detail := Code(""), string(kind)
	switch kind {
	case "JavaScript":
		if !d.Has("JS") {
			code, detail = CodeJavaScript, ""
		}
	case "Launch":
		code, detail = CodeLaunch, s.target(d)
	case "SubmitForm", "ImportData":
		code, detail = CodeSubmit, s.target(d)
	case "GoToR", "GoToE", "Thread":
		if kind != "Thread" || d.Has("F") {
			code, detail = CodeExternalLink, s.target(d)
		}
	case "URI":
		if uri := s.text(d.Get("URI")); !harmlessURI(uri) {
			code, detail = CodeExternalLink, uri
		}
	case "Hide", "SetOCGState", "Rendition", "GoTo3DView", "RichMediaExecute":
		code = CodeDisplayAction
	case "Movie", "Sound":
		if d.Get("Type") == pdf.Name("Action") || at.key == "A" || at.key == "Next" || at.key == "OpenAction" {
			code = CodeDisplayAction
		}
	}
	if code != "" {
		s.add(Finding{Code: code, Page: page, ref: at.owner, Detail: detail})
	}
}

// target is the file or address of an action, for a sentence.
func (s *scanner) target(d pdf.Dict) string {
	for _, key := range []pdf.Name{"F", "Win", "Unix", "Mac"} {
		v, err := s.resolve(d.Get(key))
		if err != nil || v == nil {
			continue
		}
		if spec, ok := v.(pdf.Dict); ok {
			if name := s.text(spec.Get("UF")); name != "" {
				return name
			}
			return s.text(spec.Get("F"))
		}
		return s.text(v)
	}
	return ""
}

// harmlessURI says that an address leads to a web page, a mail or a call, as links on pages do. Relative addresses
// depend on the base of the document and are links too.
func harmlessURI(uri string) bool {
	scheme, _, found := strings.Cut(strings.TrimSpace(uri), ":")
	if !found || strings.ContainsAny(scheme, "/?#") {
		return !strings.HasPrefix(uri, `\\`)
	}
	switch strings.ToLower(scheme) {
	case "http", "https", "mailto", "tel", "ftp", "ftps", "news", "doi", "urn":
		return true
	}
	return !slices.Contains([]string{"file", "javascript", "vbscript", "data", "smb", "ms-msdt", "search-ms", "shell", "jar"}, strings.ToLower(scheme))
}

// inspectStream looks at what a stream draws from elsewhere (ISO 32000-1, 7.3.8.2, 8.10.4, 14.11.7).
func (s *scanner) inspectStream(v *pdf.Stream, at step, page int) error {
	d := v.Dict
	if key, twice := d.Duplicate(); twice {
		s.add(Finding{Code: CodeAmbiguous, Page: page, ref: at.owner, Detail: "/" + string(key)})
	}
	switch {
	case d.Has("F"):
		s.add(Finding{Code: CodeExternalData, Page: page, ref: at.owner, Detail: s.target(d)})
	case d.Has("Ref") && d.Get("Subtype") == pdf.Name("Form"):
		s.add(Finding{Code: CodeExternalData, Page: page, ref: at.owner, Detail: "/Ref"})
	case d.Has("OPI"):
		s.add(Finding{Code: CodeExternalData, Page: page, ref: at.owner, Detail: "/OPI"})
	}
	if d.Get("Subtype") == pdf.Name("PS") || d.Get("Subtype2") == pdf.Name("PS") {
		s.add(Finding{Code: CodePostScript, Page: page, ref: at.owner})
	}
	if d.Has("Alternates") {
		s.add(Finding{Code: CodeAlternateImage, Page: page, ref: at.owner})
	}
	s.inspectAction(d, at, page)
	return nil
}

// standardFonts are the fourteen that every reader has (ISO 32000-1, 9.6.2.2), and the names under which Windows
// programs mean them.
var standardFonts = []string{"Helvetica", "Times", "Courier", "Symbol", "ZapfDingbats", "Arial", "TimesNewRoman", "CourierNew"}

// inspectFont notes a font that is not embedded, each name once.
func (s *scanner) inspectFont(d pdf.Dict, page int) error {
	switch d.Get("Subtype") {
	case pdf.Name("Type1"), pdf.Name("TrueType"), pdf.Name("MMType1"), pdf.Name("CIDFontType0"), pdf.Name("CIDFontType2"):
	default:
		return nil // Type0 stands for its descendant, Type3 holds its glyphs
	}
	descriptor, err := s.dict(d.Get("FontDescriptor"))
	if err != nil {
		return err
	}
	if descriptor.Has("FontFile") || descriptor.Has("FontFile2") || descriptor.Has("FontFile3") {
		return nil
	}
	name := string(s.name(d.Get("BaseFont")))
	code := CodeFontExternal
	family, _, _ := strings.Cut(strings.ReplaceAll(name, ",", "-"), "-")
	if slices.Contains(standardFonts, strings.TrimSuffix(strings.TrimSuffix(family, "MT"), "PS")) {
		code = CodeFontStandard
	}
	if slices.Contains(s.fonts[code], name) || len(s.fonts[code]) > s.limits.PerCode {
		return nil
	}
	s.fonts[code] = append(s.fonts[code], name)
	if s.fontPages == nil {
		s.fontPages = map[Code]int{}
	}
	if s.fontPages[code] == 0 {
		s.fontPages[code] = page
	}
	return nil
}
