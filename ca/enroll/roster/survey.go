package roster

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
)

// The library builds the parts that it reads in memory, and goes through some lists once for each of their entries. A part
// may therefore have only so many elements of one name; maxOfOne where nothing else is said.
const (
	maxOfOne = 100_000
	maxNames = 2_000 // different names of elements in one part
)

var maxElements = map[string]int{
	"row": 200_000, "c": maxArea, "v": maxArea, "f": maxArea, "is": maxArea, "t": maxArea, "r": maxArea, "rPr": maxArea,
	"si": 260_000, "xf": 30_000, "numFmt": 30_000, "font": 30_000, "fill": 30_000, "border": 30_000, "dxf": 30_000, "cellStyle": 30_000,
	"mergeCell": maxMerges, "col": 16_384, "hyperlink": 65_530, "comment": maxComments, "definedName": 5_000, "sheet": maxSheets,
	"Relationship": 5_000, "Override": maxEntries, "conditionalFormatting": 20_000, "dataValidation": 20_000, "author": 1_000,
}

// survey is what was seen in a part before the library gets it.
type survey struct {
	root    string
	strings int     // shared strings
	length  int     // of the last one
	formats int     // cell formats
	lists   [2]bool // whether there are fonts and fills, which the library takes for granted
	grid    *grid   // of a worksheet, with the cells' kinds and formats but not their values
}

// surveyPart streams through a part, whatever it is, and refuses what would cost the library too much.
func (p *pack) surveyPart(name string) (*survey, error) {
	r, err := p.stream(name)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	v, s := &survey{}, scan(r)
	counts := map[string]int{}
	var sheet *sheetScan
	for {
		token, err := s.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if e, ok := token.(xml.StartElement); ok {
			name := e.Name.Local
			counts[name]++
			if most, ok := maxElements[name]; ok && counts[name] > most || !ok && counts[name] > maxOfOne || len(counts) > maxNames {
				return nil, ErrTooLarge.With("> %d × %s", counts[name]-1, shortened(name))
			}
			if s.depth() == 1 {
				v.root = name
				// The library rewrites the strict namespaces of ISO 29500 in the parts that it changes only: what came back
				// would be half the one and half the other, and programs would read half of it.
				for _, a := range e.Attr {
					if strings.HasPrefix(a.Value, "http://purl.oclc.org/ooxml/") {
						return nil, ErrDialect.New()
					}
				}
				if name == "worksheet" {
					v.grid = &grid{}
					sheet = &sheetScan{scanner: s, grid: v.grid}
				}
			}
			v.note(s, e)
		}
		if c, ok := token.(xml.CharData); ok && v.root == "sst" {
			if v.length += len(c); v.length > 4*maxText {
				return nil, ErrTooLarge.With("> %d", maxText)
			}
		}
		if sheet != nil {
			if err := sheet.take(token); err != nil {
				return nil, err
			}
		}
	}
	if sheet != nil {
		return v, sheet.finish()
	}
	return v, nil
}

// shortened is a name that is fit for an error: only names that we know are repeated.
func shortened(name string) string {
	if _, ok := maxElements[name]; ok {
		return name
	}
	return "element"
}

// note counts what cells refer to.
func (v *survey) note(s *scanner, e xml.StartElement) {
	switch {
	case v.root == "sst" && s.depth() == 2 && e.Name.Local == "si":
		v.strings, v.length = v.strings+1, 0
	case v.root == "styleSheet" && s.depth() == 2:
		v.lists[0] = v.lists[0] || e.Name.Local == "fonts"
		v.lists[1] = v.lists[1] || e.Name.Local == "fills"
	case v.root == "styleSheet" && s.depth() == 3 && s.open[1].Local == "cellXfs" && e.Name.Local == "xf":
		v.formats++
	}
}

// surveyAll goes through every part that is XML, as the library reads some by their place and some by their relations.
func (p *pack) surveyAll() (map[string]*survey, error) {
	all := map[string]*survey{}
	for _, f := range p.zip.File {
		name := strings.ToLower(f.Name)
		if !strings.HasSuffix(name, ".xml") && !strings.HasSuffix(name, ".rels") {
			continue
		}
		v, err := p.surveyPart(f.Name)
		if err != nil {
			return nil, err
		}
		all[f.Name] = v
	}
	return all, nil
}
