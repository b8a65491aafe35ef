package api

import (
	"bytes"
	"net/url"
	"strings"
	"testing"
	"time"

	"yinxin/internal/access"
	"yinxin/internal/civil"
)

// between is what stands between two texts.
func between(t *testing.T, text, before, after string) string {
	t.Helper()
	_, rest, ok := strings.Cut(text, before)
	found, _, ok2 := strings.Cut(rest, after)
	if !ok || !ok2 {
		t.Fatalf("%q … %q is not in %s", before, after, text)
	}
	return found
}

func TestAnAdministratorGrantsTheUseOfASealWithAnother(t *testing.T) {
	b := newBrowser(t)
	w := newWorld(t)
	ctx := t.Context()
	cookie := w.signIn("administrator")
	page := func(path string) string { return string(w.call("", "GET", path, nil, "Cookie: "+cookie).is(200).body) }
	day := func(days int) string { return civil.Day(time.Now().AddDate(0, 0, days)) }
	wish := func(change ...string) url.Values {
		v := url.Values{"seal": {sealCode}, "actor": {"stranger"}, "from": {day(0)}, "until": {day(30)}, "quota": {"1"}, "reason": {"年度出证"}}
		for i := 0; i < len(change); i += 2 {
			v.Set(change[i], change[i+1])
		}
		return v
	}
	for name, c := range map[string]struct {
		form url.Values
		code string
	}{
		"no day": {wish("until", "soon"), "page.grant"}, "no number": {wish("quota", "0"), "page.grant"}, "ends before it begins": {wish("until", day(-1)), "seal.grant-terms"},
		"nobody": {wish("actor", "nobody-at-all"), "seal.grant-terms"}, "who never seals": {wish("actor", "auditor"), "seal.grant-terms"}, "no seal": {wish("seal", "29990000000000"), "seal.not-found"},
	} {
		a := w.post(cookie, "/admin/grants/new", c.form)
		if !bytes.Contains(a.body, []byte(`data-code="`+c.code+`"`)) || !bytes.Contains(a.body, []byte(`value="`+c.form.Get("actor")+`"`)) {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	if a := w.post(cookie, "/admin/grants/new", wish("reason", "")); !bytes.Contains(a.body, []byte(`data-code="enroll.reason"`)) {
		t.Errorf("a grant is asked for without a reason: %d", a.status)
	}
	// Asked for by one, agreed to by another, carried out; then the seal can be used, and once.
	w.post(cookie, "/admin/grants/new", wish()).is(303)
	if list := page("/admin/grants"); !strings.Contains(between(t, list, "data-open", "</section>"), "stranger") || strings.Contains(list, "data-ready") {
		t.Error(list)
	}
	b.openAs(w, "administrator", "/admin/grants/new", 1024, 768)
	b.screenshot("admin-grant-new")
	var request string
	must(t, w.db.Read().QueryRowContext(ctx, `SELECT id FROM access_request WHERE kind = 'seal.grant' AND state = 'open'`).Scan(&request))
	carry := "/admin/grants/requests/" + request + "/carry-out"
	if a := w.post(cookie, carry, nil).is(403); !bytes.Contains(a.body, []byte("access.not-approved")) {
		t.Errorf("%s", a.body)
	}
	must(t, w.access.Approve(ctx, access.Actor{ID: "approver"}, request))
	b.openAs(w, "administrator", "/admin/grants", 1024, 768)
	b.screenshot("admin-grants")
	b.leave(`[data-ready] button`)
	b.screenshot("admin-grant")
	at := evaluate[string](b, `location.pathname`)
	file := w.uploaded("stranger", onePage(t))
	w.order("stranger", "one", order(file.ID)).is(201)
	w.order("stranger", "two", order(file.ID)).problem(422, "seal.quota-exhausted")
	if one := page(at); !strings.Contains(between(t, one, "data-asked", "</dd>"), "年度出证") || !strings.Contains(between(t, one, "data-decided", "</dd>"), "approver") {
		t.Error(one)
	}
	if one := page(at); !strings.Contains(one, "次数用完") || !strings.Contains(one, "剩余 0") || !strings.Contains(one, `<strong>test</strong>`) {
		t.Error(one)
	}
	// Ending takes one person and a reason, and counts at once.
	w.post(cookie, "/admin/grants/new", wish("quota", "")).is(303)
	must(t, w.db.Read().QueryRowContext(ctx, `SELECT id FROM access_request WHERE kind = 'seal.grant' AND state = 'open'`).Scan(&request))
	must(t, w.access.Approve(ctx, access.Actor{ID: "approver"}, request))
	at, _, _ = strings.Cut(w.post(cookie, "/admin/grants/requests/"+request+"/carry-out", nil).is(303).header.Get("Location"), "?")
	w.order("stranger", "three", order(file.ID)).is(201)
	if a := w.post(cookie, at+"/end", nil); !bytes.Contains(a.body, []byte(`data-code="enroll.reason"`)) {
		t.Errorf("%d", a.status)
	}
	w.post(w.signIn("auditor"), at+"/end", url.Values{"reason": {"调离"}}).is(403)
	w.post(cookie, at+"/end", url.Values{"reason": {"调离"}}).is(303)
	if one := page(at); !strings.Contains(one, "已终止") || !strings.Contains(one, "调离") || strings.Contains(one, at+"/end") {
		t.Error(one)
	}
	w.order("stranger", "four", order(file.ID)).problem(422, "seal.quota-exhausted")
	// The list filters and exports; auditors read it.
	if ended := page("/admin/grants?state=ended"); strings.Count(ended, `href="/admin/grants/g_`) != 1 {
		t.Error(ended)
	}
	csv := string(w.call("", "GET", "/admin/grants?format=csv&text=stranger", nil, "Cookie: "+w.signIn("auditor")).is(200).body)
	if strings.Count(csv, sealCode) != 2 || strings.Contains(csv, "clerk") || !strings.Contains(csv, "administrator / approver") {
		t.Error(csv)
	}
	if list := string(w.call("", "GET", "/admin/grants", nil, "Cookie: "+w.signIn("auditor")).is(200).body); strings.Contains(list, "/admin/grants/new") {
		t.Error("an auditor is offered to ask for a grant")
	}
}
