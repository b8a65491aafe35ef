package api

import (
	"bytes"
	"net/url"
	"strings"
	"testing"

	"yinxin/sealer/terminal/manifest"
)

func TestAnAdministratorEndsThePairingOfATerminal(t *testing.T) {
	b := newBrowser(t)
	w := newWorld(t)
	cookie := w.signIn("administrator")
	page := func(path string) string { return string(w.call("", "GET", path, nil, "Cookie: "+cookie).is(200).body) }
	if list := page("/admin/terminals"); !strings.Contains(list, "还没有配对的终端") {
		t.Error(list)
	}
	one, two := w.newBox(), w.newBox()
	one.send("GET", manifest.RouteSelf, nil).is(200)
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
