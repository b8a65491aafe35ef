package issuance

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/xuri/excelize/v2"

	"yinxin/internal/access"
	"yinxin/internal/civil"
	"yinxin/internal/store"
)

const registerSheet = "异地出证登记簿"

// registerColumns are the columns of the register, with their widths in characters.
var registerColumns = []struct {
	name  string
	width float64
}{
	{"序号", 6}, {"业务编号", 20}, {"接收单位", 26}, {"保管单位", 26}, {"申请人", 10}, {"证件号码", 22}, {"用途", 20}, {"申请时间", 18}, {"答复期限", 18},
	{"状态", 16}, {"答复", 12}, {"未提供原因", 26}, {"答复时间", 18}, {"是否超期", 10}, {"档号", 26}, {"页数", 8}, {"出证编号", 20}, {"出证日期", 14}, {"接收时间", 18},
	{"交付时间", 18}, {"交付方式", 12}, {"撤回时间", 18}, {"撤回原因", 26},
}

// registerRows is what a sheet of a workbook holds below title and header.
const registerRows = 1<<20 - 2

// registerPiece is how many cases are in memory at a time; a variable for tests.
var registerPiece = 500

// Export writes the cases that the actor may see and that pass the filter as a workbook (.xlsx), applicants masked. That it
// was written is on record. Errors: issuance.request, issuance.register-too-long, those of w.
func (s *Service) Export(ctx context.Context, by access.Actor, f Filter, w io.Writer) error {
	actor, err := s.Access.Actor(ctx, by.ID)
	if err != nil {
		return err
	}
	from, until, err := f.days()
	if err != nil {
		return err
	}
	f.After = ""
	book := excelize.NewFile()
	defer book.Close()
	sheet, err := startRegister(book)
	if err != nil {
		return fmt.Errorf("write the register: %w", err)
	}
	written := 0
	for more := true; more; {
		var rows []row
		if err := s.eachRow(ctx, actor, f, from, until, registerPiece, func(r row) error { rows = append(rows, r); return nil }); err != nil {
			return err
		}
		if written+len(rows) > registerRows {
			return errLongRegister.With("%d", registerRows)
		}
		for _, r := range rows {
			written++
			values, err := s.registerRow(ctx, written, r)
			if err != nil {
				return err
			}
			cell, err := excelize.CoordinatesToCellName(1, written+2)
			if err != nil {
				return err
			}
			if err := sheet.SetRow(cell, values); err != nil {
				return fmt.Errorf("write the register: %w", err)
			}
			f.After = r.ID
		}
		more = len(rows) == registerPiece
	}
	if err := sheet.Flush(); err != nil {
		return fmt.Errorf("write the register: %w", err)
	}
	err = s.DB.Write(ctx, func(tx *store.Tx) error {
		return s.record(ctx, tx, "issuance.exported", by, by.ID, map[string]string{"rows": strconv.Itoa(written)})
	})
	if err != nil {
		return err
	}
	return book.Write(w)
}

// startRegister writes title and header.
func startRegister(book *excelize.File) (*excelize.StreamWriter, error) {
	if err := book.SetSheetName("Sheet1", registerSheet); err != nil {
		return nil, err
	}
	middle := &excelize.Alignment{Horizontal: "center", Vertical: "center", WrapText: true}
	title, err := book.NewStyle(&excelize.Style{Font: &excelize.Font{Bold: true, Size: 16}, Alignment: middle})
	if err != nil {
		return nil, err
	}
	header, err := book.NewStyle(&excelize.Style{Font: &excelize.Font{Bold: true}, Alignment: middle, Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"D9E2F3"}}})
	if err != nil {
		return nil, err
	}
	sheet, err := book.NewStreamWriter(registerSheet)
	if err != nil {
		return nil, err
	}
	names := make([]any, len(registerColumns))
	for i, c := range registerColumns {
		if err := sheet.SetColWidth(i+1, i+1, c.width); err != nil {
			return nil, err
		}
		names[i] = excelize.Cell{StyleID: header, Value: c.name}
	}
	if err := sheet.SetPanes(&excelize.Panes{Freeze: true, YSplit: 2, TopLeftCell: "A3", ActivePane: "bottomLeft"}); err != nil {
		return nil, err
	}
	last, err := excelize.ColumnNumberToName(len(registerColumns))
	if err != nil {
		return nil, err
	}
	if err := sheet.MergeCell("A1", last+"1"); err != nil {
		return nil, err
	}
	if err := sheet.SetRow("A1", []any{excelize.Cell{StyleID: title, Value: registerSheet}}, excelize.RowOpts{Height: 30}); err != nil {
		return nil, err
	}
	return sheet, sheet.SetRow("A2", names)
}

// registerRow is a case as the register shows it. All values but numbers are texts, never formulas.
func (s *Service) registerRow(ctx context.Context, number int, r row) ([]any, error) {
	c, err := s.whole(ctx, s.DB.Read(), r, side{})
	if err != nil {
		return nil, err
	}
	late := map[bool]string{true: "超期", false: "否"}[c.Overdue]
	issued, day, withdrawn, why := "", "", "", ""
	if c.Copy != nil {
		issued, day, withdrawn, why = c.Copy.Number, c.Copy.Day, minute(c.Copy.WithdrawnAt), c.Copy.Withdrawal
	}
	pages := any("")
	if c.Reference.Pages > 0 {
		pages = c.Reference.Pages
	}
	return []any{number, c.Number, c.Receiving, c.Holding, c.Applicant.Name, c.Applicant.Identity, c.Applicant.Purpose, minute(c.OpenedAt), minute(c.DueAt),
		c.State.Label(), c.Result.Label(), c.Reason, minute(c.AnsweredAt), late, c.Reference.Number, pages, issued, day, minute(c.ReceivedAt),
		minute(c.DeliveredAt), c.Manner.Label(), withdrawn, why}, nil
}

func minute(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return civil.Minute(t)
}

// Label is the manner in Chinese.
func (m Manner) Label() string {
	return map[Manner]string{Printed: "纸质打印件", AsFile: "电子文件"}[m]
}
