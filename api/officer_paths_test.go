package api

import (
	"bytes"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"yinxin/ca"
	"yinxin/ca/enroll"
	"yinxin/fixtures"
	"yinxin/internal/access"
)

// values is a form with names and values in turn.
func values(pairs ...string) url.Values {
	v := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Add(pairs[i], pairs[i+1])
	}
	return v
}

// to is where a step led, without what it says.
func (a answer) to() string {
	a.t.Helper()
	path, _, _ := strings.Cut(a.is(303).header.Get("Location"), "?")
	return path
}

func TestAFormIsFilledInOnAPage(t *testing.T) {
	a := newApplicant(t, true)
	cookie := a.signIn("handler")
	a.page(cookie, "/office/applications/new").is(200).says(a.name, a.credit)
	d := &dossier{applicant: a}
	got := a.form("new", "central")
	unit, handler, personal := got["unit"].(object), got["handler"].(object), got["personal"].(object)
	form := values("unit", a.unit, "sealType", "official", "businesses", "new", "scopes", "internet", "methods", "central", "approver", "临江省档案局", "purpose", "出具档案证明",
		"appliedOn", a.today(), "seal.name", a.name, "seal.size", "42mm", "unit.name", unit["name"].(string), "unit.type", "institution", "unit.creditCode", "X", "unit.phone", unit["phone"].(string),
		"unit.address", unit["address"].(string), "handler.name", handler["name"].(string), "handler.email", handler["email"].(string), "handler.address", handler["address"].(string),
		"personal.handlerIdentity", personal["handlerIdentity"].(string), "personal.handlerMobile", personal["handlerMobile"].(string))
	one := a.post(cookie, "/office/applications/new", form).to()
	d.ID = strings.TrimPrefix(one, "/office/applications/")
	d.look()
	if d.Form.Seal.Size.Diameter != 42 || d.Form.Unit.Name != a.name {
		t.Fatalf("%+v", d.Form)
	}
	// What is wrong stands beside its field, and it cannot be handed in.
	a.page(cookie, one).is(200).says(`href="#f-unit.creditCode"`)
	a.page(cookie, one+"/edit").is(200).says(`class="field wrong"`, "field-wrong")
	revision := func() string { d.look(); return strings.Trim(d.tag, `"`) }
	form.Set("unit.creditCode", a.credit)
	form.Set("revision", revision())
	a.post(cookie, one+"/edit", form).is(303)
	a.post(cookie, one+"/submit", values("revision", revision())).is(422).says(`data-code="enroll.agreement"`)
	a.post(cookie, one+"/accept-agreement", values("revision", revision(), "version", "2026-01")).is(303)
	for _, kind := range []string{"credit-code", "identity"} {
		a.call("", "POST", one+"/scans?kind="+kind+"&revision="+revision(), bytes.NewReader(card(t)), "Content-Type: image/png", "Cookie: "+cookie).is(303)
	}
	bad := a.call("", "POST", one+"/scans?kind=form&revision="+revision(), strings.NewReader("MZ no picture at all"), "Content-Type: image/png", "Cookie: "+cookie).is(400)
	bad.says(`data-code="attachment.unknown-format"`, d.Number)
	pdf := a.post(cookie, one+"/form.pdf", nil).is(200)
	if !bytes.HasPrefix(pdf.body, []byte("%PDF-")) {
		t.Errorf("%.60s", pdf.body)
	}
	scan := d.printed(d.stamps()...)
	a.call("", "POST", "/office/scans", bytes.NewReader(scan), "Content-Type: image/jpeg", "Cookie: "+cookie).is(200).says("已归入申请", d.Number, one)
	a.post(cookie, one+"/submit", values("revision", revision())).is(303)
	a.post(cookie, one+"/recall", values("revision", revision())).is(303)
	a.post(cookie, one+"/withdraw", values("revision", revision(), "reason", "")).is(400).says("enroll.reason")
	a.post(cookie, one+"/withdraw", values("revision", revision(), "reason", "单位撤销")).is(303)
	if d.look(); d.State != string(enroll.StateWithdrawn) {
		t.Errorf("%s", d.State)
	}
	// A registrar enters a paper form for a unit.
	registrar := a.signIn("registrar")
	a.page(registrar, "/office/applications/new?unit="+a.unit).is(200).says(`<option value="` + a.unit + `" selected>`)
	a.post(registrar, "/office/applications/new", form).is(303)
	a.post(a.signIn("neighbour"), "/office/applications/new", form).is(404)
	a.page(registrar, "/office/applications?state=draft&kind=new&text="+url.QueryEscape(a.name)+"&from="+a.today()+"&to="+a.today()+"&area="+testArea+"&unit="+a.unit).is(200).says("草稿", a.name)
	for _, none := range []string{"kind=cancellation", "from=2099-01-01", "to=2001-01-01", "area=999999", "text=nothing", "kind=" + url.QueryEscape("%")} {
		a.page(registrar, "/office/applications?"+none).is(200).says("没有符合条件的记录")
	}
}

func TestARosterWithErrorsComesBackOnItsPage(t *testing.T) {
	b := newBrowser(t)
	a := newApplicant(t, true)
	d := a.create(a.form("new", "distributed"))
	wrong := userPerson
	wrong.IdentityNumber = "11010519491231002"
	folder := t.TempDir()
	put := func(name string, people ...fixtures.Person) {
		t.Helper()
		path := filepath.Join(folder, name)
		must(t, os.WriteFile(path, d.filledRoster("US01-生效", people...), 0o600))
		b.do(chromedp.SetUploadFiles(chromedp.CSS(`input[type="file"]`), []string{path}))
		evaluate[bool](b, `(document.body.setAttribute("data-left", ""), true)`)
		b.do(chromedp.Click(chromedp.CSS(`form[enctype] .button`)), chromedp.WaitVisible(chromedp.CSS("body:not([data-left]) #content")))
	}
	b.openAs(a.world, "handler", "/office/applications/"+d.ID+"/roster", 1024, 700)
	put("bad.xlsx", wrong, otherPerson)
	b.screenshot("office-roster-errors")
	table := b.text("#roster-findings")
	if !regexp.MustCompile(`[A-Z]\d+`).MatchString(table) || strings.Contains(table, wrong.IdentityNumber) {
		t.Errorf("%s", table)
	}
	if href := evaluate[string](b, `document.querySelector("#returned").href.slice(0, 80)`); !strings.HasPrefix(href, "data:"+workbookMedia) {
		t.Errorf("the returned workbook is at %s", href)
	}
	put("good.xlsx", userPerson, otherPerson)
	b.screenshot("office-roster")
	if page := b.text("#content"); !strings.Contains(page, userPerson.Name) || strings.Contains(page, userPerson.IdentityNumber) {
		t.Errorf("%s", page)
	}
	if d.look(); d.Roster == nil || d.Roster.Persons != 2 {
		t.Errorf("%+v", d.Roster)
	}
}

func TestAWarningOfAnImprintTakesAReason(t *testing.T) {
	a := newApplicant(t, true)
	d := a.stamped((*dossier).stamps)
	cookie, path := a.signIn("registrar"), "/office/applications/"+d.ID+"/imprint"
	order := values("revision", strings.Trim(d.tag, `"`), "box", "first", "keep", "1")
	a.post(cookie, path, order).is(200).says("尚未保存", "提示", "质量关口", "data:image/png")
	a.page(cookie, path).is(200).says("还没有印章模板")
	order.Set("reason", "只有一处印模可用，已核对原件")
	a.post(cookie, path, order).is(303)
	kept := a.page(cookie, path).is(200).says("只有一处印模可用，已核对原件", "提示", `data-width="42"`)
	if bytes.Contains(kept.body, []byte("处理前（扫描件上的印模）</h2>\n<div class=\"sources\">")) {
		t.Error("a page shows parts of the scan without a record")
	}
	sheet := a.post(cookie, path+"/sheet", values("reason", "核对印章模板")).is(200)
	if !bytes.HasPrefix(sheet.body, []byte("%PDF-")) {
		t.Errorf("%.40s", sheet.body)
	}
	a.page(cookie, "/office/applications/"+d.ID).is(200).says("核对印章模板")
	order.Set("revision", "1")
	a.post(cookie, path, order).is(412).says("已被他人修改")
}

// TestSealsAndCertificatesTakeTwoPeople: one officer stops, two put back; what was decided is carried out once.
func TestSealsAndCertificatesTakeTwoPeople(t *testing.T) {
	a := newApplicant(t, true)
	registrar, approver := a.signIn("registrar"), a.signIn("approver")
	seal := "/office/seals/" + sealCode
	a.page(registrar, "/office/seals").is(200).says(sealCode, "已启用")
	a.page(registrar, "/office/seals?state=cancelled").is(200).says("没有符合条件的记录")
	a.page(registrar, seal).is(200).says(`data-step="suspend"`)
	a.page(registrar, "/office/seals/29010000000099").is(404)
	if picture := a.page(registrar, seal+"/picture.png").is(200); !bytes.HasPrefix(picture.body, []byte("\x89PNG")) {
		t.Error("no picture")
	}
	a.post(approver, seal+"/suspend", values("reason", " ")).is(400).says("enroll.reason")
	a.post(approver, seal+"/suspend", values("reason", "印章疑似被盗用")).is(303)
	a.page(registrar, seal).is(200).says(`data-state="suspended"`, "印章疑似被盗用", "approver")
	a.post(registrar, seal+"/request", nil).is(400).says("enroll.reason")
	asked := a.post(registrar, seal+"/request", values("reason", "已查明，并无盗用")).to()
	request := strings.TrimPrefix(asked, "/office/approvals/")
	a.page(registrar, asked).is(200).says("data-own", sealCode)
	a.post(registrar, seal+"/carry-out", values("request", request)).is(403).says("access.not-approved")
	a.page(approver, asked).is(200).says("恢复使用印章", seal, "已查明，并无盗用", "尚待另一人审批", "<td>已停用</td><td>已启用</td>")
	a.post(approver, asked+"/approve", values("remark", "同意恢复")).is(303)
	a.page(registrar, asked).is(200).says("批准人", "同意恢复", "待办理")
	a.page(registrar, seal).is(200).says(request)
	a.page(registrar, "/office/approvals").is(200).says("待办理", request)
	a.post(registrar, seal+"/carry-out", values("request", request)).is(303)
	a.page(registrar, asked).is(200).says("已办理", "<td>已启用</td><td>已启用</td>")
	a.page(registrar, seal).is(200).says(`data-state="active"`)
	a.post(registrar, seal+"/carry-out", values("request", request)).is(409)

	serial := ca.SerialText(a.certificate.Serial)
	one := "/office/certificates/" + serial
	a.page(registrar, "/office/certificates?state=good&profile=institution").is(200).says(serial)
	a.page(registrar, "/office/certificates?state=held").is(200).says("没有符合条件的记录")
	a.post(approver, one+"/hold", values("reason", "核查")).is(303)
	a.page(registrar, one).is(200).says("已冻结")
	a.page(registrar, seal).is(200).says("因证书状态")
	a.post(registrar, one+"/request", values("change", "nonsense", "reason", "x")).is(400)
	first := a.post(registrar, one+"/request", values("change", "resume", "reason", "核查完毕")).to()
	second := a.post(registrar, one+"/request", values("change", "revoke", "code", "5", "reason", "停止使用")).to()
	// Several are gone through one by one: after the one comes the other.
	ids := []string{strings.TrimPrefix(first, "/office/approvals/"), strings.TrimPrefix(second, "/office/approvals/")}
	through := a.page(approver, "/office/approvals?pick="+ids[0]+"&pick="+ids[1]).is(303).header.Get("Location")
	a.page(approver, through).is(200).says("其后还有", serial)
	next := a.post(approver, first+"/approve", values("then", ids[1])).is(303).header.Get("Location")
	if path, _, _ := strings.Cut(next, "?"); path != second {
		t.Errorf("it goes on to %s", next)
	}
	a.post(approver, second+"/reject", values("reason", "")).is(400).says("enroll.reason")
	a.post(approver, second+"/reject", values("reason", "不必吊销")).is(303)
	a.page(registrar, second).is(200).says("已驳回", "不必吊销")
	a.page(registrar, one).is(200).says(`name="request" value="` + ids[0] + `"`)
	a.page(registrar, first).is(200).says(`action="` + one + `/carry-out"`)
	a.post(registrar, one+"/carry-out", values("request", ids[0])).is(303)
	a.page(registrar, one).is(200).says("有效")
}

// TestACityGathersOnItsPages: batch, gathering, handing in; another area's is not there, a handler has none.
func TestACityGathersOnItsPages(t *testing.T) {
	a := newApplicant(t, false)
	d := a.create(a.form("new", "central"))
	d.step("handler", "accept-agreement", object{"version": "2026-01"}, enroll.StateDraft)
	d.step("handler", "submit", nil, enroll.StateSubmitted)
	a.send("administrator", "POST", "/v1/areas", object{"areas": []object{{"code": "227200", "name": "远山市"}}}).is(204)
	a.actor("city-2", "远山市档案局", access.RoleCity)
	a.send("registrar", "PUT", "/v1/members/city-2", object{"area": "227200"}).is(204)
	city, other := a.signIn("city"), a.signIn("city-2")
	a.page(city, "/home").is(200).says("等待汇总")
	a.post(city, "/office/batches", values("area", testArea, "title", "第四季度", "deadline", "never")).is(400).says("enroll.field")
	a.post(city, "/office/batches", values("area", "227200", "title", "第四季度", "deadline", "2099-12-20")).is(404)
	batch := a.post(city, "/office/batches", values("area", testArea, "title", "第四季度", "deadline", time.Now().AddDate(0, 1, 0).Format("2006-01-02"))).to()
	a.page(city, batch).is(200).says(d.Number, "缺报")
	for _, path := range []string{batch, "/office/applications/" + d.ID} {
		a.page(other, path).is(404)
	}
	a.post(other, batch+"/gather", values("pick", d.ID+":"+strconv.FormatInt(d.Revision, 10))).is(404)
	a.post(city, batch+"/gather", values("pick", d.ID+":1")).is(412)
	a.post(city, batch+"/gather", values("pick", d.ID+":"+strconv.FormatInt(d.Revision, 10))).is(303)
	d.look()
	if d.State != string(enroll.StateGathered) {
		t.Fatal(d.State)
	}
	a.page(city, "/office/applications/"+d.ID).is(200).says(`data-step="release"`)
	revision := regexp.MustCompile(`hand-in"[^>]*><input type="hidden" name="revision" value="(\d+)"`).FindSubmatch(a.page(city, batch).is(200).body)
	if revision == nil {
		t.Fatal("nothing hands the batch in")
	}
	a.post(other, batch+"/hand-in", values("revision", string(revision[1]))).is(404)
	a.post(city, batch+"/hand-in", values("revision", string(revision[1]))).is(303)
	a.page(city, batch).is(200).says("已报送")
	page := a.page(city, "/office/applications/"+d.ID).is(200)
	if bytes.Contains(page.body, []byte(`data-step="release"`)) {
		t.Error("what was handed in is offered to be taken out")
	}
	registrar := a.signIn("registrar")
	a.page(registrar, "/office/applications/"+d.ID).is(200).says(`data-step="receive"`)
	a.post(registrar, "/office/applications/"+d.ID+"/return", values("revision", strconv.FormatInt(d.Revision, 10), "field", "seal.name", "remark", "")).is(400)
	a.post(registrar, "/office/applications/"+d.ID+"/return", values("revision", strconv.FormatInt(d.Revision, 10), "field", "seal.name", "remark", "名称不一致")).is(303)
	a.page(a.signIn("handler"), "/office/applications/"+d.ID).is(200).says("名称不一致", "已退回")
}

// TestAUserIsSuspendedOnAPage by the unit, and lifted by two people.
func TestAUserIsSuspendedOnAPage(t *testing.T) {
	a := newApplicant(t, true)
	d := a.create(a.form("new", "distributed"))
	d.call("handler", "POST", d.path("/roster"), bytes.NewReader(d.filledRoster("US01-生效", userPerson)), asWorkbook, "If-Match: "+d.tag).is(200)
	handler, registrar, approver, neighbour := a.signIn("handler"), a.signIn("registrar"), a.signIn("approver"), a.signIn("neighbour")
	page := a.page(handler, "/office/suspensions/new").is(200).says(userPerson.Name)
	if bytes.Contains(page.body, []byte(userPerson.IdentityNumber)) {
		t.Error("a number in the clear")
	}
	holder := regexp.MustCompile(`<select name="holder"><option value="([^"]+)"`).FindSubmatch(page.body)
	a.post(neighbour, "/office/suspensions/new", values("holder", string(holder[1]), "reason", "离职")).is(404)
	if other := a.page(neighbour, "/office/suspensions/new?unit="+a.unit); bytes.Contains(other.body, []byte(userPerson.Name)) {
		t.Error("another unit sees who uses the seal")
	}
	one := a.post(handler, "/office/suspensions/new", values("unit", a.unit, "holder", string(holder[1]), "reason", "离职")).to()
	a.page(neighbour, one).is(404)
	a.page(handler, "/office/suspensions").is(200).says(userPerson.Name, "离职")
	a.page(neighbour, "/office/suspensions").is(200).says("没有停用的使用人")
	revision := func() string {
		t.Helper()
		var list struct{ Suspensions []Suspension }
		a.send("registrar", "GET", "/v1/suspensions", nil).is(200).into(&list)
		return strconv.FormatInt(list.Suspensions[0].Revision, 10)
	}
	a.page(registrar, one).is(200).says("申请恢复")
	a.post(registrar, one+"/request", values("revision", revision(), "decision", "lift")).is(303)
	a.page(registrar, "/office/approvals").is(200).says("您本人提交")
	a.post(approver, one+"/approve", values("revision", "0")).is(412)
	a.post(approver, one+"/approve", values("revision", revision())).is(303)
	a.page(handler, one).is(200).says("已恢复")
}
