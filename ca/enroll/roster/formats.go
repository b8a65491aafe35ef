package roster

import (
	"slices"
	"strings"

	"github.com/xuri/excelize/v2"
)

// The colours of marked cells. They are no program's presets, so that marks of an earlier round are known again however
// the workbook was saved in between.
const (
	colourWrong = "FFC6CD"
	colourNote  = "FFF2C4"
)

// shade is how a cell is marked.
type shade int

const (
	unmarked shade = iota
	noted
	wrong
)

// formats adds cell formats: for each marked cell a copy of the format that it has, with another fill. The copy is of the
// library's own record, since what it calls a Style holds less than a format does.
type formats struct {
	file   *excelize.File
	fills  [3]int
	ours   []bool // cell formats with a fill of an earlier round
	copies map[formatKey]int
}

type formatKey struct {
	base int
	shade
}

func newFormats(f *excelize.File) (*formats, error) {
	s := f.Styles
	if s == nil || s.CellXfs == nil || s.Fills == nil || len(s.CellXfs.Xf) == 0 {
		return nil, ErrBroken.New()
	}
	m := &formats{file: f, copies: map[formatKey]int{}}
	var marked []int
	for i, fill := range s.Fills.Fill {
		if fill == nil || fill.PatternFill == nil || fill.PatternFill.FgColor == nil {
			continue
		}
		rgb := strings.ToUpper(fill.PatternFill.FgColor.RGB)
		if rgb == "FF"+colourWrong || rgb == "FF"+colourNote {
			marked = append(marked, i)
		}
	}
	for _, xf := range s.CellXfs.Xf {
		m.ours = append(m.ours, xf.FillID != nil && slices.Contains(marked, *xf.FillID))
	}
	for s, colour := range map[shade]string{noted: colourNote, wrong: colourWrong} {
		id, err := f.NewStyle(&excelize.Style{Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{colour}}})
		if err != nil {
			return nil, err
		}
		m.fills[s] = *f.Styles.CellXfs.Xf[id].FillID
	}
	return m, nil
}

// copyOf is the format with another fill; one that carries a mark of an earlier round loses it when it is unmarked.
func (m *formats) copyOf(base int, s shade) (int, error) {
	if s == unmarked && !m.ours[base] {
		return base, nil
	}
	key := formatKey{base, s}
	if id, ok := m.copies[key]; ok {
		return id, nil
	}
	all := m.file.Styles.CellXfs
	id := len(all.Xf)
	if id >= excelize.MaxCellStyles {
		return 0, ErrTooLarge.With("> %d", excelize.MaxCellStyles)
	}
	xf, fill, yes := all.Xf[base], m.fills[s], true
	xf.FillID, xf.ApplyFill = &fill, &yes
	all.Xf = append(all.Xf, xf)
	all.Count = len(all.Xf)
	m.copies[key] = id
	return id, nil
}
