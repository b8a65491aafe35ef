package roster

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"yinxin/fixtures"
)

var (
	today = time.Date(2026, 11, 26, 2, 0, 0, 0, time.UTC)
	unit  = fixtures.Archive("云山市").Name
	rules = Rules{Today: today, Regions: fixtures.Regions(), Expect: Expectation{Unit: unit, CreditCode: fixtures.Archive("云山市").CreditCode, Seals: []string{unit}}}
	heads = []any{"姓名", "所属单位名称", "性别", "证件类型", "身份证号", "手机号", "职务", "人员状态", "用途（应用系统）", "需使用印章名称"}
)

// people makes the cells of n made-up people, in the order of annex 2.
func people(n int) [][]any {
	rng := rand.New(rand.NewPCG(7, 7))
	rows := make([][]any, n)
	for i := range rows {
		p := fixtures.MakePerson(rng)
		rows[i] = []any{p.Name, unit, p.Sex, "111-居民身份证", p.IdentityNumber, p.Mobile, p.Duty, "US01-生效", "全省档案信息资源共享平台", unit}
	}
	return rows
}

// table makes a workbook as the notice has it: a merged title, the date, the header, the people.
func table(t testing.TB, rows [][]any, change ...func(f *excelize.File)) []byte {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	set := func(cell string, values ...any) {
		must(t, f.SetSheetRow("Sheet1", cell, &values))
	}
	set("A1", "电子印章使用人信息汇总表")
	must(t, f.MergeCell("Sheet1", "A1", "J1"))
	set("H2", "填报日期：", "2026年11月20日")
	set("A3", heads...)
	for i, row := range rows {
		set(fmt.Sprintf("A%d", 4+i), row...)
	}
	for _, c := range change {
		c(f)
	}
	var b bytes.Buffer
	must(t, f.Write(&b))
	return b.Bytes()
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func read(t testing.TB, data []byte) *Roster {
	t.Helper()
	r, err := Read(data, rules)
	must(t, err)
	return r
}

func TestAWellFilledTableIsRead(t *testing.T) {
	rows := people(5)
	r := read(t, table(t, rows))
	if !r.Good() || len(r.Findings) != 0 || r.Rows != 5 || len(r.Persons) != 5 || r.Sheet != "Sheet1" {
		t.Fatalf("%+v", r.Findings)
	}
	if got := r.Date.Format("2006-01-02"); got != "2026-11-20" {
		t.Errorf("date %s", got)
	}
	for i, p := range r.Persons {
		want := rows[i]
		if p.Row != 4+i || p.Name != want[0] || p.Unit != want[1] || p.Sex.String() != want[2] || p.DocumentType != "111" || p.Number != want[4] ||
			p.Mobile != want[5] || p.Duty != want[6] || p.Status != InForce || p.Purpose != want[8] || p.Seal != want[9] {
			t.Errorf("row %d: %#v is not %v", i, p, want)
		}
	}
}
