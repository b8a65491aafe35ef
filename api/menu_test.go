package api

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"yinxin/internal/access"
)

// rows measures the menu: how many rows it and its neighbours in the bar stand in, how far the page reaches beyond the
// window, and the menu's words.
const rows = `(() => {
  const inBar = [...document.querySelectorAll(".bar .brand, .menu > li > a, .menu summary, .bar .who")].map((e) => e.getBoundingClientRect());
  const rows = [];
  for (const r of inBar.sort((a, b) => a.top - b.top)) {
    const middle = (r.top + r.bottom) / 2;
    if (!rows.some((other) => Math.abs(other - middle) < 12)) rows.push(middle);
  }
  return {rows: rows.length, over: document.documentElement.scrollWidth - innerWidth,
    words: [...document.querySelectorAll(".menu > li > a, .menu summary")].map((e) => e.textContent).join(" ")};
})()`

type measured struct {
	Rows  int
	Over  float64
	Words string
}

func TestTheMenuStaysInOneRow(t *testing.T) {
	b := newBrowser(t)
	w := newWorld(t)
	w.actor("several", "云山市档案馆", access.RoleApplicant, access.RoleCity, access.RoleRegistrar, access.RoleApprover, access.RoleOperator)
	got(w.access.CreateActor(t.Context(), access.Actor{ID: "long", Name: "阿卜杜热合曼·买买提依明江", Organisation: "云山市档案馆", Roles: []access.Role{access.RoleOperator}}))(t)
	for _, actor := range []string{"clerk", "long", "handler", "city", "registrar", "approver", "auditor", "administrator", "requester", "platform", "nobody", "several"} {
		for _, language := range []string{"zh", "en"} {
			b.openAs(w, actor, "/home?lang="+language, 1024, 500)
			m := evaluate[measured](b, rows)
			if m.Rows != 1 || m.Over > 0 {
				t.Errorf("%s, %s: %d rows, %g px beyond the window: %s", actor, language, m.Rows, m.Over, m.Words)
			}
			// Whoever has one role has a menu whose words all stand in the row.
			if rest := strings.Contains(m.Words, "更多") || strings.Contains(m.Words, "More"); rest != (actor == "several") {
				t.Errorf("%s, %s: %s", actor, language, m.Words)
			}
			b.screenshot("menu-" + actor + "-" + language)
		}
	}
}

func TestTheMenuSaysWhereOneIs(t *testing.T) {
	b := newBrowser(t)
	w := equipped(t)
	body, contentType := formBody(t, "a.pdf", onePage(t))
	at := w.call("", "POST", "/clerk/new", body, contentType, "Cookie: "+w.signIn("clerk")).is(303).header.Get("Location")
	for _, c := range [][3]string{
		{"clerk", "/clerk", "我的印章"}, {"clerk", at, "新建盖章"}, {"clerk", "/clerk/batches/new", "批量盖章"}, {"clerk", "/account/terminals", "UKey 签章终端"},
		{"clerk", "/desk/new", "异地出证 出证业务"}, {"clerk", "/desk/statistics", "异地出证 出证统计"}, {"clerk", "/home", ""}, {"clerk", "/account", ""},
		{"registrar", "/office/scans", "申请"}, {"registrar", "/office/members", "单位与批次 单位"}, {"registrar", "/office/tokens", "证书与印章 制发 Key"},
		{"registrar", "/office/renewals/new", "证书与印章 到期续期"}, {"auditor", "/audit/ledger", "审计日志 日志条目"}, {"administrator", "/admin/people/clerk", "人员"},
	} {
		b.openAs(w, c[0], c[1], 1024, 500)
		here := evaluate[string](b, `[...document.querySelectorAll(".menu summary.current, .menu [aria-current]")].map((e) => e.textContent).join(" ")`)
		if here != c[2] {
			t.Errorf("%s at %s: the menu says %q, want %q", c[0], c[1], here, c[2])
		}
	}
	// What opens is used with keys alone, and closes when one goes on.
	b.openAs(w, "registrar", "/office/applications", 1024, 500)
	b.do(chromedp.Focus(chromedp.CSS(".menu summary")), chromedp.KeyEvent(kb.Enter), chromedp.WaitVisible(chromedp.CSS(".menu details[open] a")))
	b.screenshot("menu-open")
	b.do(chromedp.KeyEvent(kb.Escape))
	if open := evaluate[bool](b, `Boolean(document.querySelector(".menu details[open]")) || document.activeElement.tagName !== "SUMMARY"`); open {
		t.Error("the menu stays open")
	}
	b.do(chromedp.KeyEvent(kb.Enter), chromedp.WaitVisible(chromedp.CSS(".menu details[open] a")), chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(kb.Enter), chromedp.WaitVisible(chromedp.CSS(`.menu summary.current`)))
	if path := evaluate[string](b, `location.pathname`); path != "/office/certificates" {
		t.Errorf("led to %s", path)
	}
}
