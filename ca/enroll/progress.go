package enroll

import (
	"context"
	"database/sql"
	"io"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"

	"yinxin/ca/enroll/form"
	"yinxin/internal/access"
	"yinxin/internal/civil"
	"yinxin/internal/store"
)

// Standing is how far a unit of an area has come.
type Standing struct {
	Unit Unit
	// Applications are those in this batch, and those in none that were begun since the batch before was handed in
	// and until this one was.
	Applications []Summary
	// Missing says that the unit is expected and has nothing in the batch.
	Missing bool
}

// Label is the unit's standing in words: that of the application which is furthest behind.
func (s Standing) Label() string {
	behind, begun := s.Behind()
	if !begun {
		return "未开始"
	}
	return behind.Label()
}

// Behind is the state of the application that is furthest behind; a unit may have begun none.
func (s Standing) Behind() (behind State, begun bool) {
	if len(s.Applications) == 0 {
		return "", false
	}
	behind = s.Applications[0].State
	for _, a := range s.Applications {
		if order(a.State) < order(behind) {
			behind = a.State
		}
	}
	return behind, true
}

// order ranks states by how far they are; what went back is furthest behind.
func order(s State) int {
	if s == StateReturned {
		return -1
	}
	for i, other := range everyState {
		if other == s {
			return i
		}
	}
	return len(everyState)
}

// Progress is a batch with the standing of every unit that its area's bureau gathers.
type Progress struct {
	Batch
	Late  bool // the deadline has passed, and the batch was not handed in by then
	Units []Standing
}

// Missing are the expected units of which nothing is in the batch.
func (p Progress) Missing() []Unit {
	var list []Unit
	for _, s := range p.Units {
		if s.Missing {
			list = append(list, s.Unit)
		}
	}
	return list
}

// Progress shows how far a batch has come: enroll.batch-not-found also for one of another area.
func (s *Service) Progress(ctx context.Context, by access.Actor, batch string) (Progress, error) {
	var p Progress
	err := s.DB.Snapshot(ctx, func(q store.Querier) error {
		v, err := s.viewer(ctx, q, by)
		if err != nil {
			return err
		}
		if p.Batch, err = readBatch(ctx, q, batch); err != nil {
			return err
		}
		if !v.seesAll() && !v.gathers(p.Area) {
			return ErrBatch.New()
		}
		until := p.HandedIn
		if until.IsZero() {
			until = s.Clock()
		}
		p.Late = !until.Before(p.Deadline)
		return p.read(ctx, q, until)
	})
	return p, err
}

// read fills in the units and what each of them has, as begun until the batch was handed in or now.
func (p *Progress) read(ctx context.Context, q store.Querier, until time.Time) error {
	units, err := gatheredUnits(ctx, q, p.Area)
	if err != nil {
		return err
	}
	since, err := p.before(ctx, q)
	if err != nil {
		return err
	}
	records, err := scanRecords(q.QueryContext(ctx, selectRecord+` WHERE u.area = $1 AND u.direct = 0
		AND (a.batch = $2 OR (a.batch IS NULL AND a.created > $3 AND a.created <= $4 AND a.state NOT IN ('withdrawn', 'expired')))
		ORDER BY a.created, a.id`, p.Area, p.ID, store.Time(since), store.Time(until)))
	if err != nil {
		return err
	}
	own := map[string][]Summary{}
	in := map[string]bool{}
	for _, r := range records {
		own[r.unit] = append(own[r.unit], r.summary())
		in[r.unit] = in[r.unit] || r.batch == p.ID
	}
	for _, u := range units {
		p.Units = append(p.Units, Standing{Unit: u, Applications: own[u.ID], Missing: u.Expected && !in[u.ID]})
	}
	return nil
}

// before is when the area last handed a batch in before this one began.
func (p *Progress) before(ctx context.Context, q store.Querier) (time.Time, error) {
	var handed sql.NullString
	err := q.QueryRowContext(ctx, `SELECT MAX(handed) FROM enroll_batch WHERE area = $1 AND created < $2 AND id <> $3`,
		p.Area, store.Time(p.Created), p.ID).Scan(&handed)
	if err != nil || !handed.Valid {
		return time.Time{}, err
	}
	return store.ParseTime(handed.String)
}

// gatheredUnits are the units of an area whose applications come through its city bureau.
func gatheredUnits(ctx context.Context, q store.Querier, area string) ([]Unit, error) {
	return readUnits(ctx, q, `WHERE area = $1 AND direct = 0`, area)
}

// Export writes the list of a batch as a workbook (.xlsx): one row per application, then the units that are missing. It
// holds no personal data.
func (p Progress) Export(w io.Writer) error {
	book := excelize.NewFile()
	defer book.Close()
	const sheet = "汇总表"
	if err := book.SetSheetName("Sheet1", sheet); err != nil {
		return err
	}
	rows := [][]string{{"单位名称", "申请编号", "印章名称", "业务类型", "状态", "状态时间"}}
	for _, unit := range p.Units {
		for _, a := range unit.Applications {
			rows = append(rows, []string{unit.Unit.Name, a.Number, a.SealName, businessLabels(a.Businesses), a.State.Label(), civil.Minute(a.Since)})
		}
		if unit.Missing {
			rows = append(rows, []string{unit.Unit.Name, "", "", "", "未汇总（" + unit.Label() + "）", ""})
		}
	}
	for i, row := range rows {
		for j, text := range row {
			cell, err := excelize.CoordinatesToCellName(j+1, i+1)
			if err != nil {
				return err
			}
			// A string cell is never read as a formula, whatever it begins with.
			if err := book.SetCellStr(sheet, cell, text); err != nil {
				return err
			}
		}
	}
	if err := book.SetColWidth(sheet, "A", "F", 24); err != nil {
		return err
	}
	_, err := book.WriteTo(w)
	return err
}

func businessLabels(list []form.Business) string {
	words := make([]string, len(list))
	for i, b := range list {
		words[i] = b.Label()
	}
	return strings.Join(words, "、")
}
