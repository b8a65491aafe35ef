package enroll

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"yinxin/ca/enroll/form"
	"yinxin/fixtures"
	"yinxin/internal/fault"
)

// workbook is a roster as a unit fills it in.
func (w *world) workbook(unit string, status string, people ...fixtures.Person) []byte {
	w.t.Helper()
	u := w.units[unit]
	rows := [][]any{{"电子印章使用人信息汇总表"}, {"填报日期：2026年3月5日"},
		{"姓名", "所属单位名称", "性别", "证件类型", "身份证号", "手机号", "职务", "人员状态", "用途（应用系统）", "需使用印章名称"}}
	for _, p := range people {
		rows = append(rows, []any{p.Name, u.Name, p.Sex, "111-居民身份证", p.IdentityNumber, p.Mobile, p.Duty, status, "全省档案信息资源共享平台", u.Name})
	}
	book := excelize.NewFile()
	defer book.Close()
	for i, row := range rows {
		cell, err := excelize.CoordinatesToCellName(1, i+1)
		w.must(err)
		w.must(book.SetSheetRow("Sheet1", cell, &row))
	}
	var out bytes.Buffer
	w.must(book.Write(&out))
	return out.Bytes()
}

func TestARosterIsImportedOrGoesBackMarked(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		by := w.handler[unitDirect]
		f := w.filled(unitDirect)
		f.Methods = []form.Method{form.Distributed}
		a := w.with(w.AcceptAgreement(ctx, by, w.with(w.Create(ctx, by, unitDirect, f)).Ref(), "2026-01"))
		_, err := w.Submit(ctx, by, a.Ref())
		wantCode(t, err, ErrFindings) // without users
		wrong := userPerson
		wrong.IdentityNumber += "22"
		_, read, err := w.ImportRoster(ctx, by, a.Ref(), w.workbook(unitDirect, "US01-生效", wrong, otherPerson))
		wantCode(t, err, ErrRoster)
		var marked bytes.Buffer
		w.must(read.Return(&marked))
		if len(read.Findings) != 1 || marked.Len() == 0 {
			t.Errorf("%+v, %d bytes", read.Findings, marked.Len())
		}
		_, _, err = w.ImportRoster(ctx, by, a.Ref(), w.workbook(unitA, "US01-生效", userPerson))
		wantCode(t, err, ErrRoster) // of another unit
		if now := w.again(a); now.Revision != a.Revision {
			t.Error("a roster that went back changed the application")
		}
		a, _, err = w.ImportRoster(ctx, by, a.Ref(), w.workbook(unitDirect, "US01-生效", userPerson, otherPerson))
		w.must(err)
		persons, err := w.Persons(ctx, by, a.ID)
		if err != nil || len(persons) != 2 || persons[0].Name != userPerson.Name || persons[0].Sex != userPerson.Sex || persons[0].Row != 4 ||
			strings.Contains(persons[0].Identity, userPerson.IdentityNumber[6:14]) || !strings.HasSuffix(persons[0].Mobile, userPerson.Mobile[7:]) {
			t.Errorf("%v, %v", persons, err)
		}
		if a.Roster == nil || a.Roster.Persons != 2 || a.Roster.FilledOn != "2026-03-05" {
			t.Errorf("%+v", a.Roster)
		}
		// The seal gets another name on the form: the roster no longer agrees.
		g := a.Form
		g.Seal.Name = "另一枚章"
		b := w.with(w.Edit(ctx, by, a.Ref(), g))
		_, err = w.Submit(ctx, by, b.Ref())
		wantCode(t, err, ErrFindings)
		if f, _ := fault.Of(err); !strings.Contains(f.Sentence("zh"), "需使用印章名称") {
			t.Errorf("%s", f.Sentence("zh"))
		}
		w.with(w.Submit(ctx, by, w.with(w.Edit(ctx, by, b.Ref(), a.Form)).Ref()))
	})
}

func TestTheSamePersonIsTheSameHolderAndIsSeenElsewhere(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		first := w.holderOf(unitA)
		if again := w.holderOf(unitA); again != first {
			t.Errorf("%s and %s", first, again)
		}
		if other := w.holderOf(unitB); other == first {
			t.Error("two units share a holder")
		}
		list, err := w.List(ctx, w.registrar, Filter{Unit: unitB})
		w.must(err)
		findings, err := w.Findings(ctx, w.registrar, list[0].ID)
		w.must(err)
		found := false
		for _, f := range findings {
			found = found || f.Code == findingElsewhere.Code && f.Severity == form.Confirm
		}
		if !found {
			t.Errorf("%+v", findings)
		}
	})
}

func TestRowsThatCannotBeAreRefused(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		by := w.handler[unitDirect]
		a := w.draft(unitDirect)
		for name, change := range map[string]func(*Person){
			"a wrong check character": func(p *Person) { p.Identity = p.Identity[:16] + "00" },
			"the other sex":           func(p *Person) { p.Sex = map[string]string{"1-男": "2-女", "2-女": "1-男"}[p.Sex] },
			"a short mobile":          func(p *Person) { p.Mobile = p.Mobile[:10] },
			"no status":               func(p *Person) { p.Status = "" },
			"no name":                 func(p *Person) { p.Name = "" },
			"a number as the name":    func(p *Person) { p.Name = p.Identity },
			"a number in the post":    func(p *Person) { p.Post = "电话" + p.Mobile },
			"row zero":                func(p *Person) { p.Row = 0 },
			"the same row":            func(p *Person) { p.Row = 5 },
		} {
			p := w.person(unitDirect, 4, userPerson, StatusActive)
			change(&p)
			_, err := w.AttachRoster(ctx, by, a.Ref(), "2026-03-05", []Person{w.person(unitDirect, 5, otherPerson, StatusActive), p})
			if f, ok := fault.Of(err); !ok || f.Kind != fault.Invalid || strings.Contains(err.Error(), userPerson.Mobile) {
				t.Errorf("%s: %v", name, err)
			}
		}
		_, err := w.AttachRoster(ctx, by, a.Ref(), "5.3.2026", []Person{w.person(unitDirect, 4, userPerson, StatusActive)})
		wantCode(t, err, ErrRoster)
		_, err = w.AttachRoster(ctx, by, a.Ref(), "2026-03-05", make([]Person, MaxPersons+1))
		wantCode(t, err, ErrRoster)
	})
}
