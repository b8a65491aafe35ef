package api

import (
	"bytes"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"yinxin/internal/access"
	"yinxin/internal/store"
)

func TestAnAdministratorLooksAfterPeople(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	cookie := w.signIn("administrator")
	page := func(path string) string { return string(w.call("", "GET", path, nil, "Cookie: "+cookie).is(200).body) }
	if list := page("/admin/people?text=clerk"); !strings.Contains(list, "用印员") || strings.Contains(list, "/admin/people/approver") {
		t.Errorf("%s", list)
	}
	w.post(cookie, "/admin/people/new", url.Values{"id": {"Wrong ID"}, "name": {"某人"}}).is(400)
	at := w.post(cookie, "/admin/people/new", url.Values{"id": {"wen"}, "name": {"文澜"}, "organisation": {"一个单位"}}).is(303).header.Get("Location")
	if !strings.HasPrefix(at, "/admin/people/wen") || !strings.Contains(page(at), "已登记") {
		t.Fatal(at)
	}
	// A password is shown once, and works once, until it is changed.
	shown := w.post(cookie, "/admin/people/wen/password", nil).is(200)
	_, rest, _ := strings.Cut(string(shown.body), `data-once="password"`)
	_, rest, _ = strings.Cut(rest, `class="code">`)
	password, _, _ := strings.Cut(rest, "<")
	in := w.post("", "/login", url.Values{"name": {"wen"}, "password": {password}}).is(303)
	if in.header.Get("Location") != "/account/password" || strings.Contains(page("/admin/people/wen"), password) || strings.Contains(w.log.text(), password) {
		t.Errorf("%v", in.header)
	}
	session := strings.SplitN(in.header.Get("Set-Cookie"), ";", 2)[0]
	_, rest, _ = strings.Cut(page("/admin/people/wen"), `name="session" value="`)
	id, _, _ := strings.Cut(rest, `"`)
	w.post(cookie, "/admin/people/wen/end-session", url.Values{"session": {id}}).is(303)
	w.call("", "GET", "/account/password", nil, "Cookie: "+session).is(303)
	// A role takes an approver, and nobody stands on two sides.
	if a := w.post(cookie, "/admin/people/wen/ask-role", url.Values{"role": {"operator"}}); !bytes.Contains(a.body, []byte(`data-code="enroll.reason"`)) {
		t.Errorf("a role is asked for without a reason: %d", a.status)
	}
	w.post(cookie, "/admin/people/wen/ask-role", url.Values{"role": {"operator"}, "reason": {"接替老张用印"}}).is(303)
	var request string
	must(t, w.db.Read().QueryRowContext(ctx, `SELECT id FROM access_request WHERE kind = 'role.grant' AND state = 'open'`).Scan(&request))
	w.post(cookie, "/admin/people/wen/give-role", url.Values{"role": {"operator"}, "approval": {request}}).is(403)
	if waits := between(t, page("/admin/people/wen"), `data-request="`+request, "</div>"); !strings.Contains(waits, "接替老张用印") || strings.Contains(waits, "give-role") {
		t.Errorf("what waits: %s", waits)
	}
	approver := w.signIn("approver")
	asked := string(w.call("", "GET", "/office/approvals/"+request, nil, "Cookie: "+approver).is(200).body)
	if asker := between(t, asked, "data-asked", "</dd>"); !strings.Contains(asker, "administrator") || !strings.Contains(asker, "接替老张用印") {
		t.Errorf("who asked: %s", asker)
	}
	if changes := between(t, asked, "data-changes", "</table>"); !strings.Contains(changes, "没有角色") || !strings.Contains(changes, "用印员") {
		t.Errorf("before and after: %s", changes)
	}
	w.post(approver, "/office/approvals/"+request+"/approve", url.Values{"remark": {"已核对任命文件"}}).is(303)
	if ready := between(t, page("/admin/people/wen"), `data-request="`+request, "</div>"); !strings.Contains(ready, "已核对任命文件") || !strings.Contains(ready, "give-role") {
		t.Errorf("what was approved: %s", ready)
	}
	w.post(cookie, "/admin/people/wen/give-role", url.Values{"role": {"operator"}, "approval": {request}}).is(303)
	if a := w.post(cookie, "/admin/people/wen/ask-role", url.Values{"role": {"auditor"}, "reason": {"兼任"}}); !bytes.Contains(a.body, []byte(`data-code="access.separated"`)) {
		t.Errorf("%d %s", a.status, a.body)
	}
	// A key is shown once and acts within its limits; officers get neither key nor password from here.
	made := w.post(cookie, "/admin/people/platform/keys", url.Values{"label": {"试用"}, "scope": {"ledger"}, "network": {access.Internet}, "days": {"30"}}).is(200)
	_, rest, _ = strings.Cut(string(made.body), `class="code">yx_`)
	secret, _, _ := strings.Cut(rest, "<")
	w.keys["made"] = "yx_" + secret
	w.call("made", "GET", "/v1/seals", nil).problem(403, "access.key-network")
	w.over(access.GovernmentNetwork).call("made", "GET", "/v1/seals", nil).problem(403, "access.key-network")
	w.over(access.Internet).call("made", "GET", "/v1/seals", nil).problem(403, "access.key-scope")
	for _, officer := range []string{"registrar", "approver", "auditor"} {
		if a := w.post(cookie, "/admin/people/"+officer+"/keys", url.Values{"label": {"x"}}); a.status != 403 || !bytes.Contains(a.body, []byte("access.key-officer")) {
			t.Errorf("%s: %d", officer, a.status)
		}
		if a := w.post(cookie, "/admin/people/"+officer+"/password", nil); a.status != 403 || !bytes.Contains(a.body, []byte("login.officer")) {
			t.Errorf("%s: %d", officer, a.status)
		}
	}
	// Who is retired keeps the name in the records.
	w.post(cookie, "/admin/people/wen/retire", nil).is(303)
	if done := string(w.call("", "GET", "/office/approvals/"+request, nil, "Cookie: "+approver).is(200).body); !strings.Contains(between(t, done, "data-decided", "</dd>"), "已核对任命文件") ||
		!strings.Contains(between(t, done, "data-changes", "</table>"), "角色：文澜") {
		t.Error(done)
	}
	w.call("", "GET", "/admin/people/wen", nil, "Cookie: "+cookie).is(404)
	if a := w.post(cookie, "/admin/people/administrator/retire", nil); !bytes.Contains(a.body, []byte("access.same-person")) {
		t.Errorf("%d", a.status)
	}
}

func TestAnAuditorSeesProofsChecked(t *testing.T) {
	b := newBrowser(t)
	w := newWorld(t)
	w.sealedFile()
	got(w.server.Ledger.Sequence(t.Context()))(t)
	cookie := w.signIn("auditor")
	list := string(w.call("", "GET", "/audit/sealings", nil, "Cookie: "+cookie).is(200).body)
	_, rest, _ := strings.Cut(list, `href="/audit/sealings/`)
	id, _, _ := strings.Cut(rest, `"`)
	b.openAs(w, "auditor", "/audit/sealings/"+id, 1024, 768)
	if text := b.text("#content"); strings.Count(text, "日志未被改动") != 2 || !strings.Contains(text, "sealing.released") {
		t.Errorf("the page says %q", text)
	}
	b.screenshot("audit-sealing")
	for _, path := range []string{"/audit/ledger", "/audit/use", "/admin/people"} {
		who := "auditor"
		if strings.HasPrefix(path, "/admin") {
			who = "administrator"
		}
		b.openAs(w, who, path, 1024, 768)
		b.do(chromedp.WaitVisible(chromedp.CSS("table.list")))
		b.screenshot(strings.ReplaceAll(path[1:], "/", "-"))
	}
	// An entry that somebody changed is not called unchanged.
	var entry string
	must(t, w.db.Read().QueryRowContext(t.Context(), `SELECT id FROM ledger_event WHERE subject = $1 ORDER BY position LIMIT 1`, id).Scan(&entry))
	must(t, w.db.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.ExecContext(t.Context(), `UPDATE ledger_event SET entry = replace(entry, 'sealing.intended', 'sealing.imagined') WHERE id = $1`, entry)
		return err
	}))
	if a := w.call("", "GET", "/audit/ledger/"+entry, nil, "Cookie: "+cookie); bytes.Contains(a.body, []byte(`data-proof="holds"`)) {
		t.Errorf("%d: a changed entry is said to be unchanged", a.status)
	}
}
