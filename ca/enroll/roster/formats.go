package roster

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// The colours of marked cells. They are no program's presets, so that marks of an earlier round are known again however
// the workbook was saved in between.
const (
	colourWrong = "FFFFC6CD"
	colourNote  = "FFFFF2C4"
)

// shade is how a cell is marked.
type shade int

const (
	unmarked shade = iota
	noted
	wrong
)

// formats adds cell formats to the styles part: for each marked cell a copy of the format that it has, with another fill.
type formats struct {
	data                []byte
	prefix              string
	fonts, fills, cells *container
	ours                map[int]bool // cell formats with a fill of an earlier round
	added               []string     // xf elements
	copies              map[formatKey]int
}

type formatKey struct {
	base int
	shade
}

func readFormats(data []byte) (*formats, error) {
	prefix, found, err := containers(data, "fonts", "fills", "cellXfs")
	if err != nil {
		return nil, err
	}
	f := &formats{data: data, prefix: prefix, fonts: found["fonts"], fills: found["fills"], cells: found["cellXfs"], ours: map[int]bool{}, copies: map[formatKey]int{}}
	if f.fonts == nil || f.fills == nil || f.cells == nil || len(f.cells.items) == 0 {
		return nil, ErrBroken.New()
	}
	fill := map[string]bool{}
	for i, s := range f.fills.items {
		raw := bytes.ToUpper(data[s.start:s.end])
		if bytes.Contains(raw, []byte(colourWrong)) || bytes.Contains(raw, []byte(colourNote)) {
			fill[strconv.Itoa(i)] = true
		}
	}
	for i, s := range f.cells.items {
		tag := string(data[s.start:s.tagEnd])
		if _, after, ok := strings.Cut(tag, `fillId="`); ok {
			if id, _, ok := strings.Cut(after, `"`); ok && fill[id] {
				f.ours[i] = true
			}
		}
	}
	return f, nil
}

// copyOf is the format with another fill; one that carries a mark of an earlier round loses it when it is unmarked.
func (f *formats) copyOf(base int, s shade) int {
	if base < 0 || base >= len(f.cells.items) {
		base = 0
	}
	if s == unmarked && !f.ours[base] {
		return base
	}
	key := formatKey{base, s}
	if id, ok := f.copies[key]; ok {
		return id
	}
	fill := map[shade]int{unmarked: 0, wrong: len(f.fills.items), noted: len(f.fills.items) + 1}[s]
	at := f.cells.items[base]
	tag := setAttr(f.data[at.start:at.tagEnd], "fillId", strconv.Itoa(fill))
	tag = setAttr([]byte(tag), "applyFill", "1")
	id := f.add(tag + string(f.data[at.tagEnd:at.end]))
	f.copies[key] = id
	return id
}

func (f *formats) add(xf string) int {
	f.added = append(f.added, xf)
	return len(f.cells.items) + len(f.added) - 1
}

// summaryFormats are the formats of the summary sheet.
type summaryFormats struct{ bold, link, wrapped int }

func (f *formats) summary() summaryFormats {
	bold, link := len(f.fonts.items), len(f.fonts.items)+1
	xf := func(font, wrap int) int {
		return f.add(fmt.Sprintf(`<%[1]sxf numFmtId="0" fontId="%[2]d" fillId="0" borderId="0" xfId="0" applyFont="1" applyAlignment="1"><%[1]salignment vertical="top" wrapText="%[3]d"/></%[1]sxf>`, f.prefix, font, wrap))
	}
	return summaryFormats{bold: xf(bold, 0), link: xf(link, 1), wrapped: xf(0, 1)}
}

// bytes is the styles part with what was added.
func (f *formats) bytes() []byte {
	p := f.prefix
	fill := func(colour string) string {
		return `<` + p + `fill><` + p + `patternFill patternType="solid"><` + p + `fgColor rgb="` + colour + `"/><` + p + `bgColor indexed="64"/></` + p + `patternFill></` + p + `fill>`
	}
	font := func(inner string) string {
		return `<` + p + `font>` + inner + `<` + p + `name val="宋体"/><` + p + `charset val="134"/></` + p + `font>`
	}
	size := `<` + p + `sz val="11"/>`
	var edits []edit
	edits = append(edits, f.fonts.insert(f.data, p, "fonts", font(`<`+p+`b/>`+size)+font(`<`+p+`u/>`+size+`<`+p+`color rgb="FF0563C1"/>`), strconv.Itoa(len(f.fonts.items)+2))...)
	edits = append(edits, f.fills.insert(f.data, p, "fills", fill(colourWrong)+fill(colourNote), strconv.Itoa(len(f.fills.items)+2))...)
	edits = append(edits, f.cells.insert(f.data, p, "cellXfs", strings.Join(f.added, ""), strconv.Itoa(len(f.cells.items)+len(f.added)))...)
	return apply(f.data, edits)
}
