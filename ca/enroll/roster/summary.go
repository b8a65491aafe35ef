package roster

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/xuri/excelize/v2"
)

const (
	summarySheet = "核对结果"
	summaryTitle = "核对结果（由印信生成）"
	notesSheet   = "填写说明"
	// maxListed is how many findings the summary lists; a sheet may have 65,530 links.
	maxListed = 20_000
)

// summary writes the sheet 核对结果: in place of one of an earlier round, or as a new last sheet.
func (r *Roster) summary(f *excelize.File, withoutComment int) error {
	name, err := r.summaryName(f)
	if err != nil {
		return err
	}
	last := 0
	for _, s := range f.WorkBook.Sheets.Sheet {
		last = max(last, s.SheetID)
	}
	// The library writes the new sheet into the part of this number, whatever is there.
	if _, taken := f.Pkg.Load(fmt.Sprintf("xl/worksheets/sheet%d.xml", last+1)); taken {
		return ErrDialect.New()
	}
	if _, err := f.NewSheet(name); err != nil {
		return err
	}
	s := &summaryWriter{file: f, sheet: name}
	s.head(r, withoutComment)
	for i, x := range r.Findings {
		if i == maxListed {
			s.row("", "", "", "", fmt.Sprintf("另有 %d 处未列出。", len(r.Findings)-i))
			break
		}
		s.finding(i+1, x)
	}
	s.format()
	return s.err
}

// summaryName finds a name for the sheet that nobody has, and takes out the sheet of an earlier round.
func (r *Roster) summaryName(f *excelize.File) (string, error) {
	for n := 1; ; n++ {
		name := summarySheet
		if n > 1 {
			name += strconv.Itoa(n)
		}
		if i, err := f.GetSheetIndex(name); err != nil || i < 0 {
			return name, err
		}
		if strings.EqualFold(name, r.Sheet) {
			continue
		}
		ours, err := isSummary(f, name)
		if err != nil {
			return "", err
		}
		if !ours {
			continue
		}
		if err := f.DeleteSheet(name); err != nil {
			return "", err
		}
		if i, err := f.GetSheetIndex(name); err != nil || i < 0 {
			return name, err
		}
	}
}

// isSummary tells a sheet that we made from one that only has the name.
func isSummary(f *excelize.File, sheet string) (bool, error) {
	rows, err := f.Rows(sheet)
	if err != nil {
		return false, err
	}
	defer rows.Close()
	if !rows.Next() {
		return false, nil
	}
	texts, err := rows.Columns()
	return err == nil && len(texts) > 0 && texts[0] == summaryTitle, err
}

// summaryWriter writes the sheet and keeps the first error.
type summaryWriter struct {
	file   *excelize.File
	sheet  string
	number int // of the last row
	header int // the row above the list
	err    error
}

func (s *summaryWriter) do(err error) {
	if s.err == nil {
		s.err = err
	}
}

func (s *summaryWriter) row(texts ...string) {
	s.number++
	for i, text := range texts {
		if text != "" {
			s.do(s.file.SetCellStr(s.sheet, refOf(i+1, s.number), text))
		}
	}
}

// head says what was read.
func (s *summaryWriter) head(r *Roster, withoutComment int) {
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
	s.row(summaryTitle)
	s.row("工作表：" + r.Sheet)
	s.row(fmt.Sprintf("填报日期：%s；人员 %d 行，其中 %d 行无误；须改正 %d 处，提示 %d 处。", date, r.Rows, len(r.Persons), errors, len(r.Findings)-errors))
	advice := "没有须改正的内容。"
	if errors > 0 {
		advice = "请在原表中改正有底色的单元格后重新上传。本工作表不会被读取，不必删除。"
	}
	if withoutComment > 0 {
		advice += fmt.Sprintf("有 %d 个单元格未加批注，说明见下表。", withoutComment)
	}
	s.row(advice)
	s.row("序号", "单元格", "列", "类别", "说明", "代码")
	s.header = s.number
}

// finding writes a row with a link to the finding's cell.
func (s *summaryWriter) finding(number int, x Finding) {
	kind := "须改正"
	if x.Note {
		kind = "提示"
	}
	cell, target := x.Cell, x.Cell
	if cell == "" {
		cell, target = x.Sheet, "A1"
	}
	s.row(strconv.Itoa(number), cell, x.Label, kind, x.ZH, x.Code)
	link := "'" + strings.ReplaceAll(x.Sheet, "'", "''") + "'!" + target
	s.do(s.file.SetCellHyperLink(s.sheet, refOf(2, s.number), link, "Location", excelize.HyperlinkOpts{Display: &cell}))
}

func (s *summaryWriter) format() {
	for i, width := range []float64{26, 12, 20, 10, 70, 28} {
		s.do(s.file.SetColWidth(s.sheet, columnName(i+1), columnName(i+1), width))
	}
	top := &excelize.Alignment{Vertical: "top", WrapText: true}
	font := func(f excelize.Font) *excelize.Font { f.Family, f.Size = "宋体", 11; return &f }
	last := max(s.number, s.header+1)
	for _, part := range []struct {
		from, to string
		style    excelize.Style
	}{
		{"A1", "A1", excelize.Style{Font: font(excelize.Font{Bold: true})}},
		{refOf(1, s.header), refOf(6, s.header), excelize.Style{Font: font(excelize.Font{Bold: true})}},
		{refOf(1, s.header+1), refOf(6, last), excelize.Style{Font: font(excelize.Font{}), Alignment: top}},
		{refOf(2, s.header+1), refOf(2, last), excelize.Style{Font: font(excelize.Font{Underline: "single", Color: "0563C1"}), Alignment: top}},
	} {
		id, err := s.file.NewStyle(&part.style)
		s.do(err)
		if err == nil {
			s.do(s.file.SetCellStyle(s.sheet, part.from, part.to, id))
		}
	}
}
