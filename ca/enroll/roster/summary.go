package roster

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

const (
	summarySheet = "核对结果"
	summaryTitle = "核对结果（由印信生成）"
	notesSheet   = "填写说明"
	// maxListed is how many findings the summary lists; a sheet may have 65,530 links.
	maxListed = 20_000
)

// summary writes the sheet 核对结果: over one of an earlier round, or as a new last sheet.
func (p *parcel) summary(r *Roster, f summaryFormats) error {
	name, part := summarySheet, ""
	for n := 2; ; n++ {
		i := slices.IndexFunc(p.sheets, func(s sheetRef) bool { return strings.EqualFold(s.name, name) })
		if i < 0 {
			break
		}
		ours, err := p.isSummary(p.sheets[i].part)
		if err != nil {
			return err
		}
		if ours && p.sheets[i].part != r.part {
			part = p.sheets[i].part
			break
		}
		name = summarySheet + strconv.Itoa(n)
	}
	if part == "" {
		var err error
		if part, err = p.addSheet(name); err != nil {
			return err
		}
	}
	p.changed[part] = summaryXML(r, f)
	return nil
}

// isSummary tells a sheet that we made from one that only has the name.
func (p *parcel) isSummary(part string) (bool, error) {
	s, err := p.stream(part)
	if err != nil {
		return false, err
	}
	defer s.Close()
	g, err := p.readSheet(s, 1, 1)
	return err == nil && len(g.lines) == 1 && len(g.lines[0].cells) > 0 && g.lines[0].cells[0].value == summaryTitle, err
}

// summaryXML is the sheet: what was read, then a row per finding with a link to its cell.
func summaryXML(r *Roster, f summaryFormats) []byte {
	errors := 0
	for _, x := range r.Findings {
		if !x.Note {
			errors++
		}
	}
	date := "（无）"
	if !r.Date.IsZero() {
		date = r.Date.Format("2006年1月2日")
	}
	s := &sheetWriter{}
	s.row(f.bold, summaryTitle)
	s.row(0, "工作表："+r.Sheet)
	s.row(0, fmt.Sprintf("填报日期：%s；人员 %d 行，其中 %d 行无误；须改正 %d 处，提示 %d 处。", date, r.Rows, len(r.Persons), errors, len(r.Findings)-errors))
	switch {
	case errors > 0:
		s.row(0, "请在原表中改正有底色的单元格后重新上传。本工作表不会被读取，不必删除。")
	default:
		s.row(0, "没有须改正的内容。")
	}
	s.row(f.bold, "序号", "单元格", "列", "类别", "说明", "代码")
	for i, x := range r.Findings {
		if i == maxListed {
			s.row(f.wrapped, "", "", "", "", fmt.Sprintf("另有 %d 处未列出。", len(r.Findings)-i))
			break
		}
		kind := "须改正"
		if x.Note {
			kind = "提示"
		}
		cell := x.Cell
		if cell == "" {
			cell = x.Sheet
		}
		s.row(f.wrapped, strconv.Itoa(i+1), cell, x.Label, kind, x.ZH, x.Code)
		s.link(f.link, x)
	}
	return s.bytes(mainNamespace(r.grid.strict))
}

func mainNamespace(strict bool) string {
	if strict {
		return "http://purl.oclc.org/ooxml/spreadsheetml/main"
	}
	return "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
}

// sheetWriter writes a sheet of texts. Its texts are inline, so that the shared strings stay as they were.
type sheetWriter struct {
	rows, links strings.Builder
	number      int
	cells       []string
	formats     []int
}

func (s *sheetWriter) row(format int, texts ...string) {
	s.flush()
	s.number++
	s.cells, s.formats = texts, slices.Repeat([]int{format}, len(texts))
}

// link makes the second cell of the last row a link to the finding's cell.
func (s *sheetWriter) link(format int, f Finding) {
	target := "A1"
	if f.Cell != "" {
		target = f.Cell
	}
	s.formats[1] = format
	fmt.Fprintf(&s.links, `<hyperlink ref="B%d" location="%s" display="%s"/>`, s.number, escape("'"+strings.ReplaceAll(f.Sheet, "'", "''")+"'!"+target), escape(s.cells[1]))
}

func (s *sheetWriter) flush() {
	if s.number == 0 {
		return
	}
	fmt.Fprintf(&s.rows, `<row r="%d">`, s.number)
	for i, text := range s.cells {
		if text != "" {
			fmt.Fprintf(&s.rows, `<c r="%s" s="%d" t="inlineStr"><is><t xml:space="preserve">%s</t></is></c>`, refOf(i+1, s.number), s.formats[i], escape(text))
		}
	}
	s.rows.WriteString("</row>")
}

func (s *sheetWriter) bytes(namespace string) []byte {
	s.flush()
	links := ""
	if s.links.Len() > 0 {
		links = "<hyperlinks>" + s.links.String() + "</hyperlinks>"
	}
	return []byte(`<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n" +
		`<worksheet xmlns="` + namespace + `"><sheetFormatPr defaultRowHeight="15"/>` +
		`<cols><col min="1" max="1" width="26" customWidth="1"/><col min="2" max="2" width="12" customWidth="1"/><col min="3" max="3" width="20" customWidth="1"/>` +
		`<col min="4" max="4" width="10" customWidth="1"/><col min="5" max="5" width="70" customWidth="1"/><col min="6" max="6" width="28" customWidth="1"/></cols>` +
		`<sheetData>` + s.rows.String() + `</sheetData>` + links + `</worksheet>`)
}
