package api

import (
	"bytes"
	"net/url"
	"strings"
	"testing"
	"time"

	"yinxin/sealer/terminal/manifest"
)

func TestAnAdministratorEndsThePairingOfATerminal(t *testing.T) {
	b := newBrowser(t)
	w := newWorld(t, func(c *Config) { c.Terminals.MinimumAgent = "v1.2.0" })
	cookie := w.signIn("administrator")
	page := func(path string) string { return string(w.call("", "GET", path, nil, "Cookie: "+cookie).is(200).body) }
	if list := page("/admin/terminals"); !strings.Contains(list, "还没有配对的终端") {
		t.Error(list)
	}
	one, two := w.newBox(), w.newBox()
	self := "Authorization: " + got(manifest.Authorise(t.Context(), one, one.id, "GET", manifest.RouteSelf, nil, time.Now()))(t)
	w.call("", "GET", manifest.RouteSelf, nil, self, "User-Agent: yinxin-agent/v1.1.0 (windows/amd64)").is(200)
	if list := page("/admin/terminals?state=outdated"); strings.Count(list, `href="/admin/terminals/trm_`) != 1 || !strings.Contains(list, "v1.1.0") || !strings.Contains(list, "windows/amd64，须更新") {
		t.Error(list)
	}
	if detail := page("/admin/terminals/" + one.id); !strings.Contains(detail, "不低于 v1.2.0") || strings.Contains(page("/admin/terminals/"+two.id), "不低于") {
		t.Error(detail)
	}
	mine := w.signIn("clerk") // who has one that is too old, and one whose version is not known
	if start := string(w.call("", "GET", "/home", nil, "Cookie: "+mine).is(200).body); !strings.Contains(start, "<strong>2</strong>签章助手须更新的终端") {
		t.Error(start)
	}
	if list := string(w.call("", "GET", "/account/terminals", nil, "Cookie: "+mine).is(200).body); !strings.Contains(list, `id="outdated"`) || !strings.Contains(list, "v1.1.0") || !strings.Contains(list, "版本未知") {
		t.Error(list)
	}
	b.openAs(w, "clerk", "/account/terminals", 1024, 768)
	b.screenshot("account-terminals-outdated")
	b.openAs(w, "administrator", "/admin/terminals", 1024, 768)
	b.screenshot("admin-terminals")
	if list := page("/admin/terminals?text=CLERK"); strings.Count(list, `href="/admin/terminals/trm_`) != 2 || strings.Count(page("/admin/terminals?text=nobody"), "trm_") != 0 {
		t.Error(list)
	}
	b.openAs(w, "administrator", "/admin/terminals/"+one.id, 1024, 768)
	b.screenshot("admin-terminal")
	end := "/admin/terminals/" + one.id + "/end"
	if a := w.post(cookie, end, url.Values{"reason": {" "}}); !bytes.Contains(a.body, []byte(`data-code="enroll.reason"`)) {
		t.Errorf("%d %s", a.status, a.body)
	}
	one.send("GET", manifest.RouteSelf, nil).is(200)
	w.post(cookie, end, url.Values{"reason": {"电脑遗失"}}).is(303)
	one.send("GET", manifest.RouteSelf, nil).is(401)
	if detail := page("/admin/terminals/" + one.id); !strings.Contains(detail, "电脑遗失") || !strings.Contains(detail, "administrator") {
		t.Error(detail)
	}
	if list := string(w.call("", "GET", "/account/terminals", nil, "Cookie: "+mine).is(200).body); !strings.Contains(list, "管理员解除了终端") || !strings.Contains(list, "电脑遗失") {
		t.Error(list)
	}
	two.send("GET", manifest.RouteSelf, nil).is(200)
	if a := w.post(cookie, end, url.Values{"reason": {"电脑遗失"}}).is(404); !bytes.Contains(a.body, []byte(`data-code="terminal.not-found"`)) {
		t.Errorf("%s", a.body)
	}
	w.call("", "GET", "/admin/terminals/trm_none", nil, "Cookie: "+cookie).is(404)
	csv := string(w.call("", "GET", "/admin/terminals?format=csv&state=ended", nil, "Cookie: "+cookie).is(200).body)
	if strings.Count(csv, "二楼窗口") != 1 || !strings.Contains(csv, "已解除") {
		t.Error(csv)
	}
	var said string
	must(t, w.db.Read().QueryRowContext(t.Context(), `SELECT entry FROM ledger_event WHERE kind = 'terminal.ended' AND subject = $1 AND actor = 'administrator'`, one.id).Scan(&said))
	if !strings.Contains(said, "电脑遗失") {
		t.Error(said)
	}
}
