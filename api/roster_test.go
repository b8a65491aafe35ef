package api

import (
	"bytes"
	mrand "math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"yinxin/ca/enroll"
	"yinxin/fixtures"
)

var (
	userPerson  = fixtures.MakePerson(mrand.New(mrand.NewPCG(1, 2)))
	otherPerson = fixtures.MakePerson(mrand.New(mrand.NewPCG(1, 3)))
)

const asWorkbook = "Content-Type: " + workbookMedia

// filledRoster is the service's own empty table, filled in.
func (d *dossier) filledRoster(status string, people ...fixtures.Person) []byte {
	d.t.Helper()
	blank := d.send("handler", "GET", d.path("/roster-template"), nil).is(200)
	if blank.header.Get("Content-Type") != workbookMedia {
		d.t.Errorf("%v", blank.header)
	}
	book := got(excelize.OpenReader(bytes.NewReader(blank.body)))(d.t)
	defer book.Close()
	sheet := book.GetSheetList()[0]
	header := 0
	for i, row := range got(book.GetRows(sheet))(d.t) {
		for j, cell := range row {
			if cell == "*姓名" {
				header = i + 1
			}
			if strings.HasPrefix(cell, "填报日期") {
				name := got(excelize.CoordinatesToCellName(j+1, i+1))(d.t)
				must(d.t, book.SetCellStr(sheet, name, "填报日期："+time.Now().Add(-24*time.Hour).Format("2006年1月2日")))
			}
		}
	}
	if header == 0 {
		d.t.Fatal("the template has no header")
	}
	for i, p := range people {
		row := []any{p.Name, d.name, p.Sex, "111-居民身份证", p.IdentityNumber, p.Mobile, p.Duty, status, "全省档案信息资源共享平台", d.name}
		must(d.t, book.SetSheetRow(sheet, got(excelize.CoordinatesToCellName(1, header+2+i))(d.t), &row))
	}
	var out bytes.Buffer
	must(d.t, book.Write(&out))
	return out.Bytes()
}

func TestARosterIsImportedOrComesBackMarked(t *testing.T) {
	a := newApplicant(t, true)
	d := a.create(a.form("new", "distributed"))
	wrong := userPerson
	wrong.IdentityNumber = "11010519491231002" // one digit is missing
	bad := d.filledRoster("US01-生效", wrong, otherPerson)
	refused := d.call("handler", "POST", d.path("/roster"), bytes.NewReader(bad), asWorkbook, "If-Match: "+d.tag)
	p := refused.problem(422, "enroll.roster")
	if len(p.Findings) == 0 || p.Findings[0].Cell == "" || p.Findings[0].Message == "" || p.Findings[0].MessageEN == "" {
		t.Fatalf("%s", refused.body)
	}
	if bytes.Contains(refused.body, []byte(wrong.IdentityNumber)) || bytes.Contains(refused.body, []byte(otherPerson.IdentityNumber)) {
		t.Error("the findings hold a number")
	}
	marked := d.call("handler", "POST", d.path("/roster"), bytes.NewReader(bad), asWorkbook, "If-Match: "+d.tag, "Accept: "+workbookMedia).is(422)
	book := got(excelize.OpenReader(bytes.NewReader(marked.body)))(t)
	defer book.Close()
	comments := 0
	for _, sheet := range book.GetSheetList() {
		comments += len(got(book.GetComments(sheet))(t))
	}
	if comments == 0 || marked.header.Get("Content-Type") != workbookMedia || !slices.Contains(book.GetSheetList(), "核对结果") {
		t.Errorf("%d comments, sheets %v, %v", comments, book.GetSheetList(), marked.header)
	}
	d.call("handler", "POST", d.path("/roster"), strings.NewReader("no workbook"), asWorkbook, "If-Match: "+d.tag).problem(400, "roster.not-workbook")
	d.call("handler", "POST", d.path("/roster"), bytes.NewReader(make([]byte, 16<<20+1)), asWorkbook, "If-Match: "+d.tag).problem(413, "request.too-large")
	before := d.tag
	if d.look(); d.tag != before || d.Roster != nil {
		t.Error("a roster that came back changed the application")
	}

	d.take(d.call("handler", "POST", d.path("/roster"), bytes.NewReader(d.filledRoster("US01-生效", userPerson, otherPerson)), asWorkbook, "If-Match: "+d.tag).is(http.StatusOK))
	if d.Roster == nil || d.Roster.Persons != 2 {
		t.Fatalf("%+v", d.Roster)
	}
	var list struct {
		Persons []RosterPerson
		Next    string
	}
	d.send("handler", "GET", d.path("/roster?limit=1"), nil).is(200).into(&list)
	if len(list.Persons) != 1 || list.Persons[0].Name != userPerson.Name || list.Next == "" || !strings.Contains(list.Persons[0].Identity, "*") {
		t.Errorf("%+v", list)
	}
	d.send("handler", "GET", d.path("/roster?limit=1&after="+list.Next), nil).is(200).into(&list)
	if len(list.Persons) != 1 || list.Persons[0].Name != otherPerson.Name {
		t.Errorf("%+v", list)
	}
	for _, path := range []string{d.path(""), d.path("/roster"), d.path("/findings"), d.path("/history"), app} {
		answer := d.send("handler", "GET", path, nil).is(200)
		for _, p := range []fixtures.Person{userPerson, otherPerson} {
			if bytes.Contains(answer.body, []byte(p.IdentityNumber)) || bytes.Contains(answer.body, []byte(p.Mobile)) {
				t.Errorf("%s shows a number: %s", path, answer.body)
			}
		}
	}
	var shown PersonalData
	d.send("registrar", "POST", d.path("/unmask"), object{"reason": "核对"}).is(200).into(&shown)
	if len(shown.Persons) != 2 || shown.Persons[0].Identity != userPerson.IdentityNumber || shown.Persons[0].Mobile != userPerson.Mobile {
		t.Errorf("%+v", shown)
	}
	if d.State != string(enroll.StateDraft) {
		t.Error(d.State)
	}
}
